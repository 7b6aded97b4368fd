"""The ground truth of LidarCLIP's experiments, from annotations alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from labelled_drives import HEIGHT, WIDTH, front_camera
from PIL import Image

from clip3d.data.driving_shots import NUSCENES, ONCE, Shot, shots_of, terms_of_shot
from clip3d.errors import ShapeError
from clip3d.lidar.frame import Box, Frame, Log, Picture
from clip3d.lidar.sweep import Sweep

CAMERA = front_camera()  # of 96 x 48 pixels: the central square reaches from column 24 to 72
LEFT, MIDDLE, RIGHT = (0.0, 10.0, 20.0, 30.0), (40.0, 10.0, 44.0, 30.0), (72.0, 10.0, 90.0, 30.0)


def box(label: str, x: float, rectangle=MIDDLE, y: float = 0.0, **attributes: object) -> Box:
    seen = {} if rectangle is None else {"front": rectangle}
    return Box(label, np.array([x, y, 0.0]), (4.0, 2.0, 1.5), 0.0, "", seen, attributes)


def shot(*boxes: Box, definition=ONCE, labelled: bool = True, **metadata: object) -> Shot:
    picture = Picture(CAMERA, 0.0, lambda: Image.new("RGB", (WIDTH, HEIGHT)))
    sweep = Sweep(np.zeros((0, 3), np.float32), np.zeros(0, np.float32))
    frame = Frame("7", 1.5, lambda: sweep, {"front": picture}, boxes if labelled else None, None, metadata)
    (found,) = shots_of(Log("drive", Path("drive"), "plain", (frame,)), definition)
    return found


def true(one: Shot, definition=ONCE, near: float | None = None) -> set[str]:
    return {term for term, holds in terms_of_shot(one, definition, near).items() if holds}


def test_a_thing_counts_where_its_rectangle_touches_the_central_square():
    assert true(shot(box("Car", 30))) == {"car"} | {"empty street"}
    assert "car" not in true(shot(box("Car", 30, LEFT)))
    assert "car" not in true(shot(box("Car", 30, RIGHT))), "its left edge is the square's right one"
    assert "car" in true(shot(box("Car", 30, (71.0, 10.0, 90.0, 30.0))))
    assert "car" not in true(shot(box("Car", 30, None))), "what the camera does not see is not in its truth"


def test_nearby_is_measured_from_the_lidar_and_its_cut_off_can_be_moved():
    one = shot(box("Pedestrian", 9, y=12.0))  # exactly 15 m away
    assert "nearby pedestrian" not in true(one)
    assert "nearby pedestrian" in true(one, near=15.1)
    assert "nearby pedestrian" in true(shot(box("Pedestrian", 14.9)))
    with pytest.raises(ShapeError, match="more than 0 m"):
        terms_of_shot(one, ONCE, 0.0)


def test_a_street_is_busy_from_five_vehicles_and_empty_below_a_weight_of_one():
    five = [box(label, 20 + i) for i, label in enumerate(["Car", "Truck", "Bus", "Van", "Car"])]
    assert "busy street" in true(shot(*five))
    assert "busy street" not in true(shot(*five[:4], box("Cyclist", 22)))
    assert "busy street" not in true(shot(*five[:4], box("Car", 61)))
    assert "empty street" in true(shot(box("Pedestrian", 3)))
    assert "empty street" in true(shot(box("Car", 41), box("Car", 20)))
    assert "empty street" not in true(shot(box("Car", 21), box("Car", 20))), "two halves make one"
    assert "empty street" not in true(shot(box("Car", 14)))
    wide = (40.0, 10.0, 45.1, 30.0)  # 5.1 of 96 pixels are more than 100 of 1,920
    assert "empty street" not in true(shot(box("Car", 20, wide)))


def test_period_and_weather_are_known_without_labels():
    unlabelled = shot(labelled=False, period="morning", weather="cloudy")
    assert terms_of_shot(unlabelled, ONCE) == {"day": True, "night": False, "sunny": False, "rainy": False}
    assert true(shot(labelled=False, period="night", weather="rainy")) == {"night", "rainy"}
    assert terms_of_shot(shot(labelled=False), ONCE) == {}
    assert set(ONCE.terms()) == set(terms_of_shot(shot(period="day", weather="sunny"), ONCE))
    assert len(ONCE.terms()) == 16


def test_nuscenes_has_other_kinds_other_numbers_and_rectangles_of_boxes():
    names = {
        "vehicle.car": "car", "vehicle.construction": "truck", "vehicle.bus.rigid": "bus",
        "vehicle.trailer": "trailer", "human.pedestrian.child": "pedestrian", "vehicle.motorcycle": "cyclist",
        "vehicle.bicycle": "cyclist",
        "movable_object.barrier": None, "static_object.bicycle_rack": None,
    }  # fmt: skip
    assert {name: NUSCENES.kind_of(name) for name in names} == names
    assert ONCE.kind_of("Trailer") is None
    assert len(NUSCENES.terms()) == 14
    ahead, aside, behind = (box("vehicle.car", x, None, y=y) for x, y in ((19, 0), (10, 9), (-19, 0)))
    assert true(shot(ahead, definition=NUSCENES), NUSCENES) == {"car", "nearby car"}
    assert true(shot(aside, definition=NUSCENES), NUSCENES) == {"empty street"}
    assert true(shot(behind, definition=NUSCENES), NUSCENES) == {"empty street"}
    three = [box("vehicle.car", 29 + i, None) for i in range(3)]
    assert {"busy street"} <= true(shot(*three, definition=NUSCENES), NUSCENES)
    assert "empty street" not in true(shot(*three, definition=NUSCENES), NUSCENES)
    assert "empty street" in true(shot(*three[1:], definition=NUSCENES), NUSCENES), "none within 30 m"


def test_a_shot_knows_what_the_simulator_tells():
    told = {"terms_by_camera": {"front": ["sun glare", "car"], "back": ["night"]}}
    cameras = {"cameras": {"front": {"visible": 0.25, "within": 1.0}}, "points": 9, "words": ["red car"]}
    one = shot(box("car", 20, **cameras), box("car", 20, cameras={}), **told)
    assert one.told == {"sun glare", "car"}
    hidden = one.things[1]
    assert (one.things[0].shown("front"), hidden.shown("front"), one.things[0].points) == (0.25, 0.0, 9)
    assert one.things[0].words == ("red car", "car")
    assert shot(box("car", 20)).things[0].shown("front") == 1.0, "nobody said that it is hidden"


def test_frames_of_one_log_may_be_of_several_drives():
    frames = [Frame(key, 0.0, lambda: None, shot().load().pictures) for key in ("a/1", "b/1", "2")]
    log = Log("set", Path("set"), "once", tuple(frames))
    assert [one.drive for one in shots_of(log, ONCE)] == ["set/a", "set/b", "set"]
    assert not list(shots_of(log, ONCE, cameras=["back"]))
    bent = replace(CAMERA, distortion=(-30.0, 0.0, 0.0, 0.0))
    pictures = {"front": replace(frames[0].pictures["front"], camera=bent)}
    assert not list(shots_of(Log("set", Path("set"), "once", (replace(frames[0], pictures=pictures),)), ONCE))

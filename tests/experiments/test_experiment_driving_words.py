"""What frusta, sweeps, colours, light and two prompts come to, from the command line, counted by hand beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clip3d.data.driving_prompts import OBJECTS
from clip3d.data.driving_queries import FIGURE, QUERIES
from clip3d.data.driving_shots import ONCE, Shot, Thing, shots_of
from clip3d.experiments.lidarclip_probes import oncoming
from clip3d.experiments.lidarclip_prompts import PROMPTS
from clip3d.lidar.frame import Box, Log
from clip3d.lidar.reading import read_log
from clip3d.lidar.views import views


def simulated(place: Path) -> list:
    logs = sorted((place / "data/driving/held-out").iterdir())
    return [shot for path in logs for shot in shots_of(read_log(path), ONCE)]


def test_two_prompts_are_measured_by_what_the_simulator_knows(run, place) -> None:
    rows = run("lidarclip-prompts", "mine/standard-scores,mine/lidar,mine/camera,mine/one-prompt,mine/ranks")
    shots = simulated(place)
    wanted = {
        query.title: sum(
            query.condition in shot.metadata["terms_by_camera"]["front"]
            and any(
                thing.kind == query.kind and thing.inside and thing.box.attributes["points"] >= 5
                and (query.near is None or np.hypot(*thing.box.center[:2]) < query.near)
                for thing in shot.things
            )
            for shot in shots
        )
        for query in QUERIES
    }  # fmt: skip
    told = rows["mine/standard-scores"]["runs"][0]["protocol"]["true of"]
    assert told == {title: count for title, count in wanted.items() if count}
    assert len(told) >= 4
    also = rows["mine/lidar"]["runs"][0]["also"]
    assert rows["mine/lidar"]["measured"] == pytest.approx(np.mean([also[title] for title in told]))
    assert also["chance"] == pytest.approx(100 * np.mean([count / 16 for count in told.values()]))


def test_it_is_told_how_far_two_prompts_are_ahead() -> None:
    values = {"a/standard-scores": (70.0,), "a/lidar": (40.0,), "a/camera": (55.0,), "b/lidar": (1.0,)}
    assert PROMPTS.conclude(values) == ["a: two prompts apart are +15.0 points from the camera's prompt alone"]


def test_what_the_camera_cannot_see_is_measured_by_each_sensor(run, place) -> None:
    rows = run("lidarclip-prompts", "mine/hidden/*,mine/dark/lidar")
    told = rows["mine/hidden/lidar"]["runs"][0]["protocol"]["true of"]
    for kind, count in told.items():
        reached = [
            [t for t in shot.things if t.kind == kind and t.inside and t.points >= 5] for shot in simulated(place)
        ]
        shown = [[t.box.attributes["cameras"]["front"]["visible"] for t in own] for own in reached if own]
        assert count == sum(max(own) < 0.25 for own in shown)
    assert rows["mine/hidden/image"]["measured"] is not None
    assert "at night" in rows["mine/dark/lidar"]["runs"][0]["protocol"]["against"]


def test_pages_of_hits_show_camera_and_lidar_side_by_side(run, tmp_path) -> None:
    rows = run("lidarclip-fig4", "*/mine")
    assert set(rows) == {"once/mine", "nuscenes/mine", "simulator/mine"}
    assert "both sides true" in rows["simulator/mine"]["runs"][0]["also"]
    page = (tmp_path / "out" / "simulator-mine.html").read_text()
    assert page.count("<h2>") == len(FIGURE)
    assert page.count("data:image/png") > len(FIGURE)
    assert "simulator-mine.html" in (tmp_path / "out" / "report.md").read_text()


def test_frusta_are_named_by_one_word(run, place, talker, tmp_path) -> None:
    rows = run("lidarclip-fig3", "simulator/mine/image,once/mine/lidar")
    row = rows["simulator/mine/image"]
    shots = simulated(place)
    words = [talker.encode_texts([one.replace("{}", kind) for one in OBJECTS]).mean(0) for kind in ONCE.kinds]
    right = []
    for shot in shots:
        kinds = {thing.kind for thing in shot.things if thing.touches}
        if kinds:
            (view,) = views(shot.load(), cameras=[shot.camera])
            best = talker.space.similarity(talker.encode_images([view.image]), np.stack(words)).argmax()
            right.append(ONCE.kinds[best] in kinds)
    assert row["measured"] == pytest.approx(100 * np.mean(right))
    assert row["runs"][0]["n"] == len(right)
    assert "three-wheeler" in (tmp_path / "out" / "simulator-mine-image.html").read_text()


def test_colours_and_light_have_their_truth_from_the_simulator(run, place) -> None:
    rows = run("lidarclip-fig5", "simulator/mine/colours/lidar,simulator/mine/light/*")
    shots = simulated(place)
    colours = [
        {
            thing.box.attributes["words"][0].split()[0]
            for thing in shot.things
            if thing.kind == "car" and thing.touches and thing.shown("front") >= 0.25
        }
        for shot in shots
    ]
    told = rows["simulator/mine/colours/lidar"]["runs"][0]["protocol"]["true of"]
    ranked = sum(map(bool, colours))
    assert told["red"] == f"{sum('red' in own for own in colours)} of {ranked}"
    light = rows["simulator/mine/light/image"]["runs"][0]["protocol"]["true of"]
    assert (light["night"], light["day"]) == ("8 of 16", "8 of 16")
    assert "many oncoming headlights" in light


def test_bright_and_dark_cars_are_told_apart_where_there_are_both(run) -> None:
    rows = run("lidarclip-fig5", "simulator/mine/bright-or-dark/image", code=1)
    assert "none of dark ones alone" in rows["simulator/mine/bright-or-dark/image"]["problem"]


def test_whole_sweeps_are_asked_over_all_cameras_and_without_any(run, place) -> None:
    rows = run("lidarclip-whole-sweep", "simulator/mine/*,once/mine/quarters")
    joint = run("lidarclip-table2", "simulator/mine/joint")["simulator/mine/joint"]
    cameras = rows["simulator/mine/cameras-joint"]
    assert cameras["measured"] == pytest.approx(joint["measured"]), "there is one camera"
    quarters = rows["simulator/mine/quarters"]["runs"][0]
    shots = simulated(place)
    cars = np.mean([any(t.kind == "car" and t.points >= 5 and t.distance < 40 for t in s.things) for s in shots])
    assert quarters["protocol"]["terms"][0] == "car"
    assert 0 < quarters["also"]["chance"] < 100
    assert cars > 0
    assert rows["once/mine/quarters"]["runs"][0]["n"] == 9, "frames that nobody labelled do not count"


def test_headlights_come_towards_a_camera_whichever_way_it_looks() -> None:
    def at_night(*moving: tuple[float, float]) -> Shot:
        things = tuple(
            Thing(Box("car", np.array([x, 2.0, 0]), (4, 2, 2), 0, attributes={"velocity": [speed, 0.0]}),
                  "car", abs(x), abs(x), (0, 0, 9, 9), touches=True, inside=True)
            for x, speed in moving
        )  # fmt: skip
        return Shot(Log("a", Path(), "plain", ()), 0, "0", "a", "rear", 0.0, True, things, 96, {"period": "night"})

    assert oncoming(at_night((20, -9), (30, -9)))
    assert oncoming(at_night((-20, 9), (-30, 9)))
    assert not oncoming(at_night((-20, -9), (-30, -9)))
    assert not oncoming(at_night((20, -9), (30, 9)))

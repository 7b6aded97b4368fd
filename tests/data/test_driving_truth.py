"""What is true of frames of driving logs."""

import numpy as np
import pytest

from clip3d.data.driving_truth import (
    CLASSES,
    LENS,
    Seen,
    class_of,
    conditions_of,
    family_of,
    frame_terms,
    lens_terms,
    prompts_of,
    seen_of,
    terms_of,
    words_of,
)
from clip3d.lidar.frame import Box


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Car", "car"), ("Van", "van"), ("Truck", "truck"), ("Pedestrian", "pedestrian"), ("Cyclist", "cyclist"),
        ("Person_sitting", "pedestrian"), ("Tram", None), ("Misc", None), ("DontCare", None),
        ("vehicle.car", "car"), ("vehicle.bus.rigid", "bus"), ("vehicle.bus.bendy", "bus"),
        ("vehicle.construction", "truck"), ("vehicle.bicycle", "cyclist"), ("human.pedestrian.adult", "pedestrian"),
        ("human.pedestrian.construction_worker", "pedestrian"), ("movable_object.barrier", None),
        ("movable_object.trafficcone", None), ("Bus", "bus"), ("tree", None), ("bicycle", None),
        ("motorcycle", None), ("construction vehicle", None),
    ],
)  # fmt: skip
def test_names_of_data_sets_are_brought_to_six_classes(label, kind):
    assert class_of(label) == kind
    assert kind is None or kind in CLASSES


def box(label="car", center=(10.0, 0.0, 0.0), **attributes) -> Box:
    return Box(label, np.array(center), (4.0, 2.0, 1.5), 0.0, attributes=attributes)


def test_words_come_from_attributes_class_and_label():
    assert words_of(box("car", words=["red sedan", "car", "vehicle"])) == ("red sedan", "car", "vehicle")
    assert words_of(box("Person_sitting")) == ("pedestrian", "person sitting")
    assert words_of(box("tree", words="Oak")) == ("oak", "tree")


def test_terms_of_objects_count_those_that_are_seen():
    objects = seen_of([box(), box("Pedestrian", (20.0, 5.0, 0.0)), box("bus", (9.0, 0.0, 0.0))], [9, 5, 4])
    found = terms_of(objects, {"period": "night", "weather": "cloudy"})
    assert found["car"]
    assert found["nearby car"]
    assert found["pedestrian"]
    assert not found["nearby pedestrian"]
    assert not found["bus"]
    assert (found["night"], found["day"], found["dusk"]) == (True, False, False)
    assert found["cloudy"]
    assert not found["sunny"]


@pytest.mark.parametrize(
    ("distances", "busy", "empty"),
    [
        ([], False, True),
        ([39.0], False, True),  # a half
        ([39.0, 20.0], False, False),  # two halves
        ([14.0], False, False),
        ([41.0, 50.0], False, True),
        ([20.0] * 4 + [59.0], True, False),
        ([20.0] * 4 + [61.0], False, False),
    ],
)
def test_a_street_is_busy_or_empty_as_lidarclip_counts(distances, busy, empty):
    found = terms_of([Seen("car", d, 9) for d in distances], {})
    assert found["busy street"] == busy
    assert found["empty street"] == empty


def test_without_metadata_nothing_is_said_of_light_and_weather():
    assert conditions_of({}) == {}
    assert conditions_of({"period": "dusk", "weather": "unknown"}) == {"day": False, "dusk": True, "night": False}


def test_every_term_has_prompts_of_its_family():
    for term in terms_of([], {"period": "day", "weather": "rainy"}):
        assert prompts_of(term)
        assert not any("{}" in prompt for prompt in prompts_of(term))
    assert family_of("nearby bus") == "nearby"
    assert family_of("foggy") == "weather"


def test_what_befalls_a_picture_is_true_of_its_camera_alone():
    metadata = {"period": "day", "terms_by_camera": {"front": ["car", "sun glare"], "back": []}}
    front, back = (frame_terms(None, (), metadata, camera) for camera in ("front", "back"))
    assert front["sun glare"]
    assert not front["blurred"]
    assert not back["sun glare"]
    assert front["day"]
    # a sweep sees none of it, and of a camera of which nothing is told nothing is known
    assert "sun glare" not in frame_terms(None, (), metadata)
    assert "sun glare" not in frame_terms(None, (), metadata, "left")
    for odd in ("front", ["front"], {"front": "sun glare"}, {"front": None}):
        assert "sun glare" not in frame_terms(None, (), {"terms_by_camera": odd}, "front")
    assert lens_terms({"terms_by_camera": {"front": [3, {}, None]}}, "front") == dict.fromkeys(LENS, False)

"""Metrics of rooms that are asked for things, on answers whose worth is counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clip3d.clouds.cloud import PointCloud
from clip3d.data.rooms.labelled_scene import LabelledScene, SceneThing
from clip3d.errors import ShapeError
from clip3d.evaluation.scene_queries import Replies, judge, measure_scenes


def scene(name: str = "room", owners: tuple[int, ...] = (0,) * 10 + (1,) * 10 + (2,) * 10 + (-1,) * 10):
    things = (SceneThing("chair", ("office chair", "chair")), SceneThing("chair", ("chair",)),
              SceneThing("cabinet", ("wardrobe", "cabinet")))  # fmt: skip
    points = np.random.default_rng(0).random((len(owners), 3)).astype(np.float32)
    return LabelledScene(name, PointCloud(points), np.array(owners, np.int32), things)


def span(start: int, end: int) -> np.ndarray:
    return np.arange(start, end)


def test_one_question_counted_by_hand():
    # The first answer holds 6 of the first chair's 10 points and 6 of nothing: 6 / 16. The second holds the second
    # chair whole and 2 points of the first: 10 / 12, and 2 / 20 with the first.
    first = np.concatenate([span(0, 6), span(30, 36)])
    asked = judge(scene(), "chair", Replies((first, span(8, 20)), first), least=5)
    assert asked.best == pytest.approx((6 / 16, 10 / 12))
    assert asked.first == pytest.approx(6 / 16)
    assert asked.pure == pytest.approx(0.5)
    assert asked.answered
    assert asked.present


def test_a_thing_counts_by_each_of_its_names():
    whole = Replies((span(20, 30),), span(20, 30))
    assert judge(scene(), "wardrobe", whole, least=5).best == (1.0,)
    assert judge(scene(), "cabinet", whole, least=5).best == (1.0,)
    assert judge(scene(), "office chair", whole, least=5).best == (0.0,)
    assert judge(scene(), "sofa", whole, least=5).best == ()


def test_a_report_counted_by_hand():
    answers = {
        "chair": Replies((span(0, 10),), span(0, 10)),  # one chair of two, right at first
        "cabinet": Replies((), span(15, 25)),  # not named, and the best place has 5 of 15
        "sofa": Replies((span(0, 10),), span(0, 10)),  # in vain
        "bed": Replies((), span(0, 10)),  # rightly nothing
    }
    report = measure_scenes([scene("a"), scene("b")], lambda _: answers.__getitem__, list(answers), least=5)
    assert (report.scenes, report.things, report.queries) == (2, 6, 4)
    assert report.found(0.25) == pytest.approx(2 / 6)
    assert report.found(0.5) == pytest.approx(2 / 6)
    assert report.precision_at_1 == 1.0  # 5 of 15 is an IoU of a third
    assert report.on_class_at_1 == 0.5
    assert report.false_answers == 0.5
    assert report.mean_iou == pytest.approx((0.5 + 0.0) / 2)
    chairs = report.by_class()["chair"]
    assert (chairs["things"], chairs["scenes"], chairs["iou"]) == (4, 2, 0.5)
    assert math.isnan(report.by_class()["bed"]["iou"])
    assert report.by_class()["sofa"]["false answers"] == 1.0
    assert report.interval(lambda some: some.precision_at_1) == (1.0, 1.0)


def test_a_thing_that_hardly_shows_is_neither_missed_nor_answered_in_vain():
    owners = (0,) * 3 + (1,) * 10 + (-1,) * 10
    report = measure_scenes([scene(owners=owners)], lambda _: lambda __: Replies((span(0, 9),), span(0, 9)),
                            ["chair", "office chair"], least=5)  # fmt: skip
    assert report.things == 1
    assert math.isnan(report.false_answers)


def test_no_scene_is_told():
    with pytest.raises(ShapeError, match="no scene"):
        measure_scenes([], lambda _: lambda __: Replies((), None), ["chair"])


def test_a_place_of_no_points_is_worth_nothing():
    asked = judge(scene(), "chair", Replies((), None), least=5)
    assert (asked.best, asked.first, asked.pure, asked.answered) == ((0.0, 0.0), 0.0, 0.0, False)


def test_named_points_counted_by_hand():
    given = np.full(40, -1, np.int32)
    given[:15], given[20:25], given[30:] = 0, 1, 0  # chairs: 15 of 20; cabinets: 5 of 10; points of nothing aside
    names = ["chair", "cabinet", "sofa"]
    report = measure_scenes(
        [scene()], lambda _: lambda __: Replies((), None), names, least=5, name=lambda _, labels: given
    )
    assert report.segmented["chair"] == (15, 0, 5)
    assert report.segment_iou() == {"chair": 0.75, "cabinet": 0.5}
    assert report.mean_segment_iou == pytest.approx(0.625)

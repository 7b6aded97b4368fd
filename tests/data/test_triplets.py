"""Parts and unions of triplets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clip3d.clouds.cloud import PointCloud
from clip3d.data.triplets import Joined, Subset
from clip3d.errors import ShapeError


class Few:
    """Triplets in memory; everything tells which object it belongs to."""

    def __init__(self, name: str, classes: list[str], labels: list[int]) -> None:
        self.name, self.classes, self.labels = name, tuple(classes), np.array(labels, np.int64)

    def __len__(self) -> int:
        return len(self.labels)

    def key(self, index: int) -> str:
        return f"{self.name}{index}"

    def phrases(self, index: int) -> tuple[str, ...]:
        return (self.classes[self.labels[index]], self.key(index))

    def cloud(self, index: int) -> PointCloud:
        return PointCloud(np.full((4, 3), index, np.float32) + np.eye(4, 3, dtype=np.float32), up="z")

    def views(self, index: int) -> int:
        return 2

    def picture(self, index: int, view: int) -> np.ndarray:
        return np.full((2, 2, 3), 10 * index + view, np.uint8)

    def order(self, rng: np.random.Generator) -> np.ndarray:
        return rng.permutation(len(self))

    def protocol(self) -> dict[str, Any]:
        return {"format": "few", "n": len(self), "data_sha256": self.name}


@pytest.fixture
def whole() -> Joined:
    return Joined([Few("a", ["chair", "table"], [0, 1, 1]), Few("b", ["lamp", "chair"], [0, 1])])


def test_classes_of_one_name_are_one_in_a_union(whole: Joined) -> None:
    assert whole.classes == ("chair", "table", "lamp")
    assert whole.labels.tolist() == [0, 1, 1, 2, 0]


def test_every_object_of_a_union_is_its_own_parts(whole: Joined) -> None:
    assert [whole.key(i) for i in range(5)] == ["0/a0", "0/a1", "0/a2", "1/b0", "1/b1"]
    assert [whole.phrases(i)[1] for i in range(5)] == ["a0", "a1", "a2", "b0", "b1"]
    assert whole.picture(4, 1)[0, 0, 0] == 11
    assert whole.views(4) == 2
    assert whole.cloud(3).points.min() == 0


def test_every_object_comes_once_an_epoch_and_the_parts_are_mixed() -> None:
    large = Joined([Few("a", ["x"], [0] * 60), Few("b", ["x"], [0] * 30)])
    order = large.order(np.random.default_rng(0))
    assert sorted(order.tolist()) == list(range(90))
    assert 5 < (order[:30] >= 60).sum() < 15


def test_a_subset_keeps_its_objects_and_their_order(whole: Joined) -> None:
    part = Subset(whole, np.array([4, 1]))
    assert [part.key(0), part.key(1)] == ["1/b1", "0/a1"]
    assert part.labels.tolist() == [0, 1]
    assert sorted(part.order(np.random.default_rng(1)).tolist()) == [0, 1]
    assert part.protocol()["data_sha256"] != Subset(whole, np.array([1, 4])).protocol()["data_sha256"]


@pytest.mark.parametrize("indices", [[0, 0], [5], [-1]])
def test_a_subset_of_what_is_not_there_is_refused(whole: Joined, indices: list[int]) -> None:
    with pytest.raises(ShapeError):
        Subset(whole, np.array(indices))


def test_a_union_of_nothing_is_refused() -> None:
    with pytest.raises(ShapeError):
        Joined([])

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clip3d.data.labelled_clouds import read_labelled
from clip3d.errors import DataError
from clip3d.evaluation.zero_shot import zero_shot

CLASSES = np.array(["tall", "flat", "never_seen"])


def clouds_npz(path: Path, **changes) -> Path:
    """Twelve clouds, tall and flat by turns, the last two labelled wrongly; y is up."""
    rng = np.random.default_rng(1)
    points = rng.random((12, 200, 3)).astype(np.float32)
    labels = np.arange(12) % 2
    points[labels == 0] *= np.float32([0.3, 4, 0.3])
    points[labels == 1] *= np.float32([3, 0.2, 3])
    labels[10:] = 1 - labels[10:]
    arrays = {
        "points": points,
        "labels": labels,
        "classes": CLASSES,
        "up": np.array("y"),
        "split": np.array(["train"] * 6 + ["test"] * 6),
    }
    arrays = {name: value for name, value in {**arrays, **changes}.items() if value is not None}
    np.savez(path, **arrays)
    return path


def test_report_counts_the_whole_split(model, tmp_path: Path):
    data = read_labelled(clouds_npz(tmp_path / "c.npz"), "test")
    report = zero_shot(model, data)
    assert report.n == 6
    assert report.accuracy == pytest.approx(4 / 6)
    assert report.per_class == {"tall": pytest.approx(2 / 3), "flat": pytest.approx(2 / 3), "never_seen": None}
    assert report.class_mean == pytest.approx(2 / 3), "a class without samples is left out"
    assert report.confusion == [[2, 1, 0], [1, 2, 0], [0, 0, 0]]
    assert report.protocol["split"] == "test"
    assert report.protocol["points"] == 128
    assert report.protocol["prompts"] == ["a {} thing"]
    assert len(report.protocol["data_sha256"]) == 64
    assert report.model == model.id


def test_result_has_no_chance_in_it_and_votes_and_points_are_reported(model, tmp_path: Path):
    data = read_labelled(clouds_npz(tmp_path / "c.npz"))
    first, again = zero_shot(model, data), zero_shot(model, data)
    assert first == again
    assert first.n == 12
    assert first.protocol["split"] == "all"
    voted = zero_shot(model, data, votes=4, points=64, templates=["{}"])
    assert voted.accuracy == pytest.approx(10 / 12)
    assert (voted.protocol["votes"], voted.protocol["points"], voted.protocol["prompts"]) == (4, 64, ["{}"])


def test_protocol_states_how_many_points_the_tower_saw(model, tmp_path: Path):
    data = read_labelled(clouds_npz(tmp_path / "c.npz"))
    assert zero_shot(model, data, points=1000).protocol["points"] == 200, "no more than there are"


def test_colors_are_used(model, tmp_path: Path):
    colors = np.zeros((12, 200, 3), np.uint8)
    colors[np.arange(12) % 2 == 0, :, 0] = 250
    colors[np.arange(12) % 2 == 1, :, 2] = 250
    path = clouds_npz(tmp_path / "c.npz", colors=colors, classes=np.array(["red", "blue"]), split=None)
    assert zero_shot(model, read_labelled(path)).accuracy == pytest.approx(10 / 12)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"points": None}, "lacks the array 'points'"),
        ({"points": np.zeros((12, 5, 2))}, "shape (n, p, 3)"),
        ({"points": np.full((12, 5, 3), np.nan)}, "row 0 hold NaN"),
        ({"points": np.array([{"a": 1}], dtype=object)}, "'points' cannot be read"),
        ({"labels": np.arange(12)}, "between 0 and 2"),
        ({"labels": np.zeros(3, int)}, "shape (12,)"),
        ({"labels": np.zeros(12)}, "integers"),
        ({"classes": np.array(["a", "a", "b"])}, "twice"),
        ({"up": np.array("w")}, "x, y, z"),
        ({"split": None}, "no array 'split'"),
        ({"split": np.array(["train"] * 12)}, "splits in the file: train"),
        ({"colors": np.full((12, 200, 3), 7.0)}, "[0, 1]"),
        ({"colors": np.full((12, 200, 3), "red")}, "[0, 1]"),
    ],
)
def test_files_that_are_not_as_described_are_refused_with_a_reason(tmp_path: Path, changes, reason: str):
    path = clouds_npz(tmp_path / "c.npz", **changes)
    with pytest.raises(DataError) as caught:
        read_labelled(path, "test")
    assert reason in str(caught.value)
    assert str(path) in str(caught.value)


def test_files_that_are_no_npz_are_refused(tmp_path: Path):
    (tmp_path / "c.npz").write_bytes(b"PK\x03\x04 torn")
    for name in ("c.npz", "nothing.npz"):
        with pytest.raises(DataError, match=name):
            read_labelled(tmp_path / name)

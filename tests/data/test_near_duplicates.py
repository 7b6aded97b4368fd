from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from clip3d.data.labelled_clouds import LabelledClouds, read_labelled
from clip3d.data.near_duplicates import near_duplicates
from clip3d.errors import DataError


@pytest.fixture
def data(tmp_path: Path) -> LabelledClouds:
    for name in ("bed", "chair"):
        (tmp_path / "set" / name / "test").mkdir(parents=True)
        for i in range(3):
            np.save(tmp_path / "set" / name / "test" / f"{name}_{i}.npy", np.random.default_rng(i).random((20, 3)))
    return read_labelled(tmp_path / "set", "test")


@pytest.mark.parametrize(
    "found",
    [
        ["bed_1", "chair_0"],
        ["bed/test/bed_1.npy", "chair_0.npy"],
        [1, 3],
        {"meaning": "close", "pairs": [["bed_1", "bed_9", 0.5], ["chair_0", "chair_8", 0.7]]},
    ],
)
def test_names_and_places_and_pairs_are_taken(data: LabelledClouds, tmp_path: Path, found):
    path = tmp_path / "near.json"
    path.write_text(json.dumps(found))
    assert near_duplicates(path, data).tolist() == [False, True, False, True, False, False]


def test_places_are_those_of_the_whole_part(data: LabelledClouds, tmp_path: Path):
    path = tmp_path / "near.json"
    path.write_text("[2]")
    assert near_duplicates(path, data.limited(3)).tolist() == [False, True, False]


@pytest.mark.parametrize("text", ["[", "[]", "{}", '["sofa_1"]', "[[]]", "[true]", "[1.5]", "3"])
def test_what_lists_no_cloud_is_refused(data: LabelledClouds, tmp_path: Path, text: str):
    path = tmp_path / "near.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"near\.json"):
        near_duplicates(path, data)
    with pytest.raises(DataError):
        near_duplicates(tmp_path / "none.json", data)


def test_a_list_of_any_size_is_not_read(data: LabelledClouds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "near.json"
    path.write_text(json.dumps(["bed_1"] * 20))
    monkeypatch.setattr("clip3d.data.near_duplicates.MAX_BYTES", 100)
    with pytest.raises(DataError, match="larger than"):
        near_duplicates(path, data)

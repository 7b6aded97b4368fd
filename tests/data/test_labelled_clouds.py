from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_files import box, write_obj, write_off

from clip3d.data.labelled_clouds import read_labelled
from clip3d.errors import DataError, ShapeError


@pytest.fixture
def modelnet(tmp_path: Path) -> Path:
    """The layout of ModelNet10, three classes: tall things z up, numbered as theirs are."""
    root = tmp_path / "ModelNet10"
    for name, size in {"night_stand": (1, 1, 9), "bed": (9, 9, 1), "table": (5, 5, 5)}.items():
        for split, numbers in {"train": (1, 2, 3), "test": (4, 5)}.items():
            folder = root / name / split
            folder.mkdir(parents=True)
            for number in numbers:
                write_off(folder / f"{name}_{number:04d}.off", box(*size))
    (root / "README.txt").write_text("Read me.\n")
    return root


def test_modelnet_is_read_by_its_splits_with_names_and_z_up(modelnet: Path):
    data = read_labelled(modelnet, "test")
    assert data.classes == ["bed", "night stand", "table"], "spaces for underscores"
    assert data.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert data.names[2] == "night_stand/test/night_stand_0004.off"
    assert (data.up, data.split, data.points.shape) == ("z", "test", (6, 8192, 3))
    assert np.ptp(data.points[2], axis=0).argmax() == 2
    assert len(read_labelled(modelnet, "train")) == 9
    assert len(read_labelled(modelnet)) == 15


def test_what_a_report_says_follows_from_the_content(modelnet: Path):
    first = read_labelled(modelnet, "test", points=64)
    assert first.protocol() | {"data_sha256": ""} == {
        "data": "ModelNet10",
        "format": "class folders",
        "data_sha256": "",
        "split": "test",
        "variant": None,
        "every": 1,
        "clouds": 6,
        "unreadable": 0,
        "classes": 3,
        "points_in_file": 64,
        "colors": False,
        "up": "z",
    }
    again = read_labelled(modelnet, "test", points=64)
    assert first.sha256 == again.sha256
    assert np.array_equal(first.points, again.points)
    assert first.sha256 != read_labelled(modelnet, "train", points=64).sha256
    write_off(modelnet / "bed" / "test" / "bed_0004.off", box(8, 9, 1))
    assert first.sha256 != read_labelled(modelnet, "test", points=64).sha256


def test_damaged_files_are_named_and_the_rest_goes_on(modelnet: Path):
    (modelnet / "bed" / "test" / "bed_0004.off").write_text("OFF\n8 12")
    data = read_labelled(modelnet, "test", points=64)
    assert data.names[0] == "bed/test/bed_0005.off"
    assert data.labels.tolist() == [0, 1, 1, 2, 2]
    assert [data.index(i) for i in range(5)] == [1, 2, 3, 4, 5]
    assert [Path(problem.path).name for problem in data.problems] == ["bed_0004.off"]
    assert data.protocol()["unreadable"] == 1
    for file in modelnet.rglob("*.off"):
        file.write_text("nothing")
    with pytest.raises(DataError, match="none of its 6 files"):
        read_labelled(modelnet, "test")


def test_a_limit_reads_only_what_it_needs(modelnet: Path):
    (modelnet / "bed" / "test" / "bed_0005.off").write_text("damaged, but not asked for")
    data = read_labelled(modelnet, "test", points=64, limit=3)
    assert data.labels.tolist() == [0, 1, 2]
    assert (data.every, data.problems) == (2, ())
    assert data.index(2) == 4


def test_splits_may_lie_above_the_classes_and_formats_mix(tmp_path: Path):
    for split in ("train", "val"):
        for name in ("tall", "wide"):
            (tmp_path / split / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    write_obj(tmp_path / "train" / "tall" / "a.obj", box(1, 1, 6), (0.9, 0.1, 0.1))
    np.save(tmp_path / "train" / "wide" / "b.npy", rng.random((100, 3), np.float32) * (9, 9, 1))
    np.savetxt(tmp_path / "val" / "wide" / "c.xyz", rng.random((300, 3)))
    data = read_labelled(tmp_path, "train", points=200)
    assert data.points.shape == (2, 200, 3)
    tall, wide = data.clouds()
    assert np.ptp(tall.points, axis=0).argmax() == 2, "an OBJ is y up and was turned"
    assert (len(tall), len(wide)) == (200, 100), "a small cloud is seen as it is"
    assert np.array_equal(np.unique(data.points[1], axis=0), np.unique(wide.points, axis=0))
    assert data.colors is not None
    assert tall.colors is not None
    np.testing.assert_allclose(tall.colors[0], [0.9, 0.1, 0.1], atol=1e-6)
    assert np.all(data.colors[1] == 0.5), "grey beside clouds that have colours"
    assert read_labelled(tmp_path, "validation").names == ("val/wide/c.xyz",)


def test_class_folders_without_splits_are_one_set(tmp_path: Path):
    for name in ("a", "b_c"):
        (tmp_path / name / "deep").mkdir(parents=True)
        np.save(tmp_path / name / "deep" / "x.npy", np.random.default_rng(0).random((50, 3), np.float32))
    (tmp_path / "notes").mkdir()
    data = read_labelled(tmp_path, up="y")
    assert (data.classes, data.split, data.up) == (["a", "b c"], "all", "y")
    with pytest.raises(DataError, match="no clouds of the split 'test'"):
        read_labelled(tmp_path, "test")


def npz(path: Path, **changes) -> Path:
    rng = np.random.default_rng(1)
    arrays = {
        "points": rng.random((6, 50, 3)).astype(np.float16),
        "labels": np.array([0, 1, 0, 1, 0, 1]),
        "classes": np.array(["a", "b"]),
        "up": np.array("y"),
        "split": np.array(["train"] * 2 + ["test"] * 4),
        "names": np.array([f"thing_{i}" for i in range(6)]),
    }
    np.savez(path, **{**arrays, **changes})
    return path


def test_a_class_folder_without_clouds_is_told(modelnet: Path, caplog: pytest.LogCaptureFixture):
    (modelnet / "lamp" / "train").mkdir(parents=True)
    (modelnet / "lamp" / "train" / "notes.doc").write_text("a lamp")
    assert "lamp" not in read_labelled(modelnet).classes
    assert "no cloud file in it" in caplog.text


def test_an_npz_keeps_its_names_and_places(tmp_path: Path):
    path = npz(tmp_path / "c.npz")
    data = read_labelled(path, "test", limit=2)
    assert data.names == ("thing_2", "thing_4")
    assert [data.index(i) for i in range(2)] == [0, 2]
    assert (data.every, data.format, data.protocol()["clouds"]) == (2, "npz", 2)
    some = read_labelled(path).select([4, 1])
    assert (some.names, some.labels.tolist(), some.index(0)) == (("thing_4", "thing_1"), [0, 1], 4)
    few = read_labelled(path, points=10)
    assert few.points.shape == (6, 10, 3)
    assert {tuple(p) for p in few.points[3]} <= {tuple(p) for p in read_labelled(path).points[3]}


def test_what_is_no_set_is_refused_with_a_remedy(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "c.pth").write_bytes(b"x")
    for name, reason in (("none", "no such file or folder"), ("empty", "no set of"), ("c.pth", "no set of")):
        with pytest.raises(DataError, match=reason) as caught:
            read_labelled(tmp_path / name)
        assert name in str(caught.value)
    (tmp_path / "empty" / "class").mkdir()
    with pytest.raises(DataError, match="no cloud file in its class folders"):
        read_labelled(tmp_path / "empty")
    with pytest.raises(DataError, match="no variants"):
        read_labelled(npz(tmp_path / "c.npz"), variant="OBJ_BG")
    with pytest.raises(DataError, match="names must be text"):
        read_labelled(npz(tmp_path / "d.npz", names=np.arange(6)))
    with pytest.raises(ShapeError):
        read_labelled(npz(tmp_path / "c.npz"), points=0)


def test_sets_beyond_memory_lie_in_a_file_that_goes_with_them(modelnet: Path, monkeypatch: pytest.MonkeyPatch):
    from clip3d.data.published import gathering

    small = read_labelled(modelnet, "test", points=64)
    monkeypatch.setattr(gathering, "MEMORY_BYTES", 100)
    large = read_labelled(modelnet, "test", points=64)
    assert isinstance(large.points, np.memmap)
    assert np.array_equal(small.points, large.points)

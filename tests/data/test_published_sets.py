from __future__ import annotations

import io
import json
import os
import pickle  # noqa: TID251, to write what strangers write
from pathlib import Path

import numpy as np
import pytest
from published_sets import (
    write_normal_resampled,
    write_openshape_lvis,
    write_ply_hdf5,
    write_scan_object_nn,
)

from clip3d.data.labelled_clouds import LabelledClouds, read_labelled
from clip3d.data.published.pickled_table import is_pickled, read_pickled
from clip3d.data.published.scan_object_nn import CLASSES
from clip3d.errors import DataError


def heights(data: LabelledClouds) -> dict[str, bool]:
    """Whether the clouds of each class are higher than wide, as the set's up axis has it."""
    found = {}
    for cloud, label in zip(data.clouds(), data.labels, strict=True):
        width, _, height = np.ptp(cloud.z_up().points, axis=0)
        found[data.classes[label]] = bool(height > width)
    return found


def test_normal_resampled_follows_its_lists(tmp_path: Path):
    data = read_labelled(write_normal_resampled(tmp_path / "set"), "test")
    assert data.classes == ["door", "night stand", "table"]
    assert data.names[2:4] == ("night_stand_0003", "night_stand_0004")
    assert (data.up, data.points.shape, data.colors) == ("y", (6, 60, 3), None), "normals are no colours"
    assert heights(data) == {"door": True, "night stand": True, "table": False}
    assert data.protocol()["variant"] == "ModelNet40"
    ten = read_labelled(tmp_path / "set", "train", "ModelNet10")
    assert (ten.classes, len(ten), ten.variant) == (["night stand", "table"], 4, "ModelNet10")
    assert len(read_labelled(tmp_path / "set")) == 12
    with pytest.raises(DataError, match="ModelNet40, ModelNet10"):
        read_labelled(tmp_path / "set", variant="ModelNet30")
    with pytest.raises(DataError, match="splits of the set: train, test"):
        read_labelled(tmp_path / "set", "val")


def test_normal_resampled_tells_missing_and_damaged_shapes(tmp_path: Path):
    root = write_normal_resampled(tmp_path / "set")
    (root / "table" / "table_0003.txt").unlink()
    (root / "door" / "door_0003.txt").write_text("not, a, number\n")
    data = read_labelled(root, "test")
    assert sorted(Path(p.path).name for p in data.problems) == ["door_0003.txt", "table_0003.txt"]
    assert len(data) == 4
    with (root / "modelnet40_test.txt").open("a") as stream:
        stream.write("../../etc_0001\n")
    with pytest.raises(DataError, match="none of its classes"):
        read_labelled(root, "test")


def test_hdf5_of_modelnet40(tmp_path: Path):
    pytest.importorskip("h5py")
    data = read_labelled(write_ply_hdf5(tmp_path / "set"), "train")
    assert (data.classes, data.up) == (["night stand", "table"], "y")
    assert data.labels.tolist() == [0, 1, 0, 0, 1]
    assert data.names == ("shape_0000", "shape_0001", "shape_0002", "shape_0000", "shape_0001")
    assert heights(data) == {"night stand": True, "table": False}
    assert len(read_labelled(tmp_path / "set", "test", limit=2)) == 2
    assert len(read_labelled(tmp_path / "set", points=10)) == 9


def test_hdf5_files_that_are_damaged_are_told_and_the_rest_goes_on(tmp_path: Path):
    h5py = pytest.importorskip("h5py")
    root = write_ply_hdf5(tmp_path / "set")
    whole = (root / "ply_data_train1.h5").read_bytes()
    (root / "ply_data_train1.h5").write_bytes(whole[: len(whole) // 2])
    with h5py.File(root / "ply_data_train0.h5", "a") as file:
        file["data"][1, 0, 0] = np.nan
    data = read_labelled(root, "train")
    assert data.labels.tolist() == [0, 0]
    assert [data.index(i) for i in range(2)] == [0, 2]
    assert [Path(p.path).name for p in data.problems] == ["ply_data_train0.h5", "ply_data_train1.h5"]
    assert "row 1" in str(data.problems[0])
    with h5py.File(root / "ply_data_test0.h5", "a") as file:
        file["data"][:] = np.inf
    with pytest.raises(DataError, match="none of its 4 clouds"):
        read_labelled(root, "test")
    (root / "ply_data_test0.h5").unlink()
    with pytest.raises(DataError, match="none of its 1 files"):
        read_labelled(root, "test")


def test_hdf5_that_leads_out_of_its_file_is_refused(tmp_path: Path):
    h5py = pytest.importorskip("h5py")
    root = write_ply_hdf5(tmp_path / "set")
    with h5py.File(root / "ply_data_test0.h5", "a") as file:
        del file["data"]
        file["data"] = h5py.ExternalLink(str(root / "ply_data_train0.h5"), "data")
    with pytest.raises(DataError, match="no data set of this file"):
        read_labelled(root, "test")
    with h5py.File(root / "ply_data_test0.h5", "a") as file:
        del file["data"]
        file.create_dataset("data", (4, 2, 3), "f4", external=[("/etc/hostname", 0, 96)])
    with pytest.raises(DataError, match="no data set of this file"):
        read_labelled(root, "test")


@pytest.mark.parametrize(("variant", "n"), [("OBJ_ONLY", 3), ("OBJ_BG", 4), ("PB_T50_RS", 5)])
def test_scan_object_nn_has_three_versions(tmp_path: Path, variant: str, n: int):
    pytest.importorskip("h5py")
    data = read_labelled(write_scan_object_nn(tmp_path), "test", variant)
    assert (len(data), data.up, data.variant) == (n, "y", variant)
    assert data.classes == list(CLASSES)
    assert {data.classes[label] for label in data.labels} == {"door", "table"}
    assert heights(data) == {"door": True, "table": False}
    assert len(read_labelled(tmp_path, "train", variant)) == 2 * n
    assert len(read_labelled(tmp_path / "h5_files", None, variant)) == 3 * n


def test_scan_object_nn_asks_which_version(tmp_path: Path):
    pytest.importorskip("h5py")
    write_scan_object_nn(tmp_path)
    with pytest.raises(DataError, match="OBJ_ONLY, OBJ_BG, PB_T50_RS"):
        read_labelled(tmp_path, "test")
    with pytest.raises(DataError, match="no variant 'HARD'"):
        read_labelled(tmp_path, "test", "HARD")
    assert read_labelled(tmp_path / "h5_files" / "main_split_nobg", "test").variant == "OBJ_ONLY"


def test_lvis_of_openshape_is_read_without_unpickling(tmp_path: Path):
    data = read_labelled(write_openshape_lvis(tmp_path))
    assert data.classes == ["Band Aid", "bat (animal)"]
    assert data.labels.tolist() == [0, 1, 0]
    assert data.names[1] == f"{1:032x}"
    assert heights(data) == {"Band Aid": False, "bat (animal)": True}
    assert data.colors is not None
    np.testing.assert_allclose(data.colors[0, 0], [1, 0.5, 0])
    assert (data.format, len(read_labelled(tmp_path, "test"))) == ("Objaverse-LVIS", 3)
    with pytest.raises(DataError, match="no split 'train'"):
        read_labelled(tmp_path, "train")


def test_lvis_may_be_plain_arrays_by_category(tmp_path: Path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "one.npy", np.hstack([rng.random((50, 3)) * (1, 9, 1), rng.random((50, 3))]))
    np.savez(tmp_path / "two.npz", xyz=rng.random((50, 3)) * (9, 1, 9), rgb=rng.random((50, 3)))
    (tmp_path / "lvis-annotations.json").write_text(json.dumps({"tall_thing": ["one"], "flat": ["two", "gone"]}))
    data = read_labelled(tmp_path)
    assert heights(data) == {"flat": False, "tall thing": True}
    assert [Path(problem.path).name for problem in data.problems] == ["gone.npy"]


def test_lvis_never_leaves_its_folder(tmp_path: Path):
    root = write_openshape_lvis(tmp_path / "set")
    np.save(tmp_path / "secret.npy", np.random.default_rng(0).random((50, 3)))
    entries = json.loads((root / "split" / "lvis.json").read_text())
    entries[0]["data_path"] = str(tmp_path / "secret.npy")
    entries[1]["data_path"] = "../secret.npy"
    (root / "split" / "lvis.json").write_text(json.dumps(entries))
    assert len(read_labelled(root).problems) == 2
    (root / "link.npy").symlink_to(tmp_path / "secret.npy")
    entries[0]["data_path"], entries[1]["data_path"] = "link.npy", 300 * "long" + ".npy"
    (root / "split" / "lvis.json").write_text(json.dumps(entries))
    linked, long = read_labelled(root).problems
    assert "leads out of the folder" in str(linked)
    assert "long" in str(long)
    (root / "split" / "lvis.json").write_text("[1, 2]")
    with pytest.raises(DataError, match="no uid and category"):
        read_labelled(root)


@pytest.mark.parametrize("header", ["{'descr': '|O', 'shape': (((", "(" * 9000, "{'a': " + "-" * 8000])
def test_a_damaged_header_is_told_and_the_rest_goes_on(tmp_path: Path, header: str):
    root = write_openshape_lvis(tmp_path / "set")
    (file, *_) = sorted(root.rglob("*.npy"))
    file.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    assert [Path(problem.path).name for problem in read_labelled(root).problems] == [file.name]


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_tables_of_every_protocol_of_pickle(protocol: int):
    table = {"xyz": np.arange(6, dtype=np.float32).reshape(2, 3), "rgb": np.asfortranarray(np.eye(3)), "n": 7}
    stream = io.BytesIO()
    np.save(stream, np.array(None, dtype=object), allow_pickle=True)
    header = stream.getvalue()[: stream.getvalue().index(b"\n") + 1]
    data = header + pickle.dumps(np.array(table, dtype=object), protocol=protocol)
    assert is_pickled(data)
    found = read_pickled(data, ("xyz", "rgb", "gone"))
    assert list(found) == ["xyz", "rgb"]
    np.testing.assert_array_equal(found["xyz"], table["xyz"])
    np.testing.assert_array_equal(found["rgb"], table["rgb"])


def test_a_table_that_asks_to_run_something_runs_nothing(tmp_path: Path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    root = write_openshape_lvis(tmp_path / "set")
    (file, *_) = sorted(root.rglob("*.npy"))
    np.save(file, {"xyz": Evil(), "rgb": np.zeros((3, 3))}, allow_pickle=True)
    data = read_labelled(root)
    assert not (tmp_path / "made").exists()
    assert [Path(problem.path).name for problem in data.problems] == [file.name]
    whole = sorted(root.rglob("*.npy"))[1]
    whole.write_bytes(whole.read_bytes()[:-200])
    assert len(read_labelled(root).problems) == 2

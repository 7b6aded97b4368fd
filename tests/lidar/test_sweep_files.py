"""One sweep's file, of each form, in our axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driving_logs import sweep

from clip3d import read_sweep
from clip3d.errors import FrameError, ShapeError

SWEEP = sweep(3)
LIGHT = np.rint(SWEEP.intensity * 255)
# Where the axes of each set point, as rows: what brings our points into theirs.
NUSCENES = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])  # x right, y forward
ONCE = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1.0]])  # x left, y back


def rows(*columns: np.ndarray) -> bytes:
    return np.column_stack(columns).astype("<f4").tobytes()


def pcd(path: Path) -> None:
    head = "VERSION .7\nFIELDS x y z intensity ring\nSIZE 4 4 4 4 2\nTYPE F F F F U\nCOUNT 1 1 1 1 1\n"
    head += f"WIDTH {len(SWEEP)}\nHEIGHT 1\nPOINTS {len(SWEEP)}\nDATA binary\n"
    table = np.zeros(len(SWEEP), [("p", "<f4", 3), ("i", "<f4"), ("r", "<u2")])
    table["p"], table["i"], table["r"] = SWEEP.points, LIGHT, SWEEP.ring
    path.write_bytes(head.encode() + table.tobytes())


def ply(path: Path) -> None:
    head = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(SWEEP)}\n"
    head += "".join(f"property float {axis}\n" for axis in "xyz")
    head += "property uchar intensity\nproperty uchar ring\nend_header\n"
    table = np.zeros(len(SWEEP), [("p", "<f4", 3), ("i", "u1"), ("r", "u1")])
    table["p"], table["i"], table["r"] = SWEEP.points, LIGHT, SWEEP.ring
    path.write_bytes(head.encode() + table.tobytes())


def npz(path: Path) -> None:
    np.savez(path, xyz=SWEEP.points, reflectance=SWEEP.intensity, ring=SWEEP.ring)


def npy(path: Path) -> None:
    np.save(path, np.column_stack([SWEEP.points, LIGHT / 255, SWEEP.ring]))


def kitti(path: Path) -> None:
    path.write_bytes(rows(SWEEP.points, SWEEP.intensity))


def nuscenes(path: Path) -> None:
    path.write_bytes(rows(SWEEP.points @ NUSCENES.T, LIGHT, SWEEP.ring))


def once(path: Path) -> None:
    path.write_bytes(rows(SWEEP.points @ ONCE.T, LIGHT))


@pytest.mark.parametrize(
    ("name", "write", "like", "has_ring"),
    [
        ("a.pcd", pcd, None, True),
        ("a.ply", ply, None, True),
        ("a.npz", npz, None, True),
        ("a.npy", npy, None, True),
        ("000001.bin", kitti, "kitti", False),
        ("000001.bin", kitti, None, False),
        ("a.pcd.bin", nuscenes, None, True),
        ("oddly named.bin", nuscenes, "nuscenes", True),
        ("1616343528200.bin", once, "once", False),
    ],
)
def test_a_sweep_comes_back_in_our_axes(tmp_path: Path, name: str, write, like: str | None, has_ring: bool) -> None:
    write(tmp_path / name)
    found = read_sweep(tmp_path / name, like=like)
    assert np.allclose(found.points, SWEEP.points, atol=1e-5)
    assert np.allclose(found.intensity, SWEEP.intensity, atol=1e-6)
    assert (found.ring is not None) == has_ring
    if has_ring:
        assert np.array_equal(found.ring, SWEEP.ring)
    assert found.path == tmp_path / name


def test_axes_and_brightness_overrule(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1.0, 2, 3, 50]]))
    found = read_sweep(tmp_path / "a.npy", axes="right-forward-up", intensity=100)
    assert np.allclose(found.points, [[2, -1, 3]])
    assert found.intensity == pytest.approx([0.5])


@pytest.mark.parametrize("axes", ["left-forward-up", "forward-left", "north-west-up", "up-up-up"])
def test_axes_that_make_no_right_handed_frame_are_refused(tmp_path: Path, axes: str) -> None:
    kitti(tmp_path / "a.bin")
    with pytest.raises(ShapeError, match="axes"):
        read_sweep(tmp_path / "a.bin", like="kitti", axes=axes)


def test_a_sweep_without_points_is_a_sweep(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"")
    assert len(read_sweep(tmp_path / "a.bin", like="kitti")) == 0


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.bin", bytes(17), "no whole number of rows"),
        ("a.bin", np.full((40, 4), 1e8, "<f4").tobytes(), "farther than any lidar"),
        ("a.npz", b"PK\x03\x04", "NPZ"),
        ("a.npy", b"\x93NUMPY\x01\x00", "NPY"),
        ("a.pcd", b"VERSION .7\n", "header has no end"),
        ("a.ply", b"ply\n", "header has no end"),
        ("a.xyz", b"1 2 3", "not read from files named '.xyz'"),
    ],
)
def test_damage_is_told_with_the_files_name(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FrameError, match=reason) as caught:
        read_sweep(tmp_path / name, like="kitti")
    assert str(tmp_path / name) in str(caught.value)


def test_objects_in_arrays_are_never_unpacked(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"x": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FrameError, match="instead of numbers"):
        read_sweep(tmp_path / "a.npy")


def test_unknown_sensors_and_missing_files_are_answered(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match="kitti, nuscenes, once"):
        read_sweep(tmp_path / "a.bin", like="waymo")
    with pytest.raises(FrameError, match="no such file"):
        read_sweep(tmp_path / "a.bin")

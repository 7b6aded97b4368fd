"""KITTI's and nuScenes' sweeps, told from each other and from all else that is named .bin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.reading import read
from clip3d.errors import CloudError


def sweep(points: int, *, ring: bool = False) -> np.ndarray:
    """Returns of a lidar, in the columns of KITTI or of nuScenes."""
    rng = np.random.default_rng(points)
    angle, metres = rng.uniform(0, 2 * np.pi, points), rng.uniform(2, 70, points)
    xyz = [metres * np.cos(angle), metres * np.sin(angle), rng.uniform(-2, 3, points)]
    rest = [rng.uniform(0, 255, points), np.arange(points) % 32] if ring else [rng.uniform(0, 1, points)]
    return np.stack(xyz + rest, axis=1).astype("<f4")


@pytest.mark.parametrize(
    ("name", "points", "ring"),
    [
        ("000000.bin", 101, False),
        ("000000.bin", 100, False),  # 1,600 bytes are whole rows of both forms
        ("000000.bin", 101, True),
        ("000000.bin", 100, True),
        ("LIDAR_TOP__1532402927647951.pcd.bin", 101, True),
        ("LIDAR_TOP__1532402927647951.PCD.BIN", 100, True),
    ],
)
def test_the_points_come_back_in_metres_with_z_up_as_the_format_states(
    tmp_path: Path, name: str, points: int, ring: bool
) -> None:
    rows = sweep(points, ring=ring)
    (tmp_path / name).write_bytes(rows.tobytes())
    cloud = read(tmp_path / name)
    assert np.array_equal(cloud.points, rows[:, :3])
    assert cloud.colors is None
    assert (cloud.up, cloud.unit, cloud.frame_source) == ("z", "m", "file")


def test_returns_that_are_not_finite_are_dropped(tmp_path: Path) -> None:
    rows = sweep(101)
    rows[::3, 1] = np.nan
    (tmp_path / "1.bin").write_bytes(rows.tobytes())
    assert np.array_equal(read(tmp_path / "1.bin").points, rows[np.isfinite(rows[:, 1]), :3])


WRONG = {
    "size": sweep(101).tobytes()[:-4],
    "zeros": bytes(1600),
    "weights": np.random.default_rng(0).normal(0, 0.02, 4000).astype("<f4").tobytes(),
    "indices": np.arange(4000, dtype="<u4").tobytes(),
    "short indices": np.arange(4000, dtype="<u2").tobytes(),
    "noise": np.random.default_rng(0).bytes(16000),
    "doubles": sweep(101).astype("<f8").tobytes(),
    "not finite": np.full(4000, np.nan, "<f4").tobytes(),
    "text": b"points of a chair, written as words" * 16,
}


@pytest.mark.parametrize("wrong", WRONG)
def test_other_files_of_that_name_are_refused_and_passed_over(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "000000.bin"
    path.write_bytes(WRONG[wrong])
    with pytest.raises(CloudError) as caught:
        read(path)
    assert caught.value.path == str(path)
    assert "KITTI" in caught.value.remedy
    assert find_clouds(tmp_path).files == []


def test_a_nuscenes_name_with_other_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pcd.bin").write_bytes(sweep(101).tobytes())
    with pytest.raises(CloudError, match="nuScenes' rows"):
        read(tmp_path / "a.pcd.bin")


def test_folders_list_sweeps_by_name_and_content(tmp_path: Path) -> None:
    for name in ("000000.bin", "0000000001.bin", "top.pcd.bin", "buffer0.bin", "pytorch_model.bin"):
        (tmp_path / name).write_bytes(sweep(40_000, ring=True).tobytes())
    assert [file.name for file in find_clouds(tmp_path).files] == ["000000.bin", "0000000001.bin", "top.pcd.bin"]
    assert find_clouds(tmp_path / "buffer0.bin").files == [tmp_path / "buffer0.bin"]
    assert len(read(tmp_path / "buffer0.bin")) == 40_000

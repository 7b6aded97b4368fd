from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.reading import read
from clip3d.clouds.writing import write
from clip3d.errors import CloudError

GENERATOR = np.random.default_rng(0)
POINTS = GENERATOR.normal(size=(50, 3)).astype(np.float32)
NORMALS = (POINTS / np.linalg.norm(POINTS, axis=1, keepdims=True)).astype(np.float32)
COLORS = (GENERATOR.integers(0, 256, (50, 3)) / 255).astype(np.float32)
EXTRAS = [{}, {"colors": COLORS}, {"normals": NORMALS}, {"colors": COLORS, "normals": NORMALS}]


@pytest.mark.parametrize("suffix", [".ply", ".npz", ".PLY"])
@pytest.mark.parametrize("extras", EXTRAS)
def test_round_trip(tmp_path: Path, suffix: str, extras: dict) -> None:
    cloud = PointCloud(POINTS, up="y", unit="ft", **extras)
    again = read(write(cloud, tmp_path / f"c{suffix}"))
    assert np.array_equal(again.points, cloud.points)
    for name in ("colors", "normals"):
        one, two = getattr(cloud, name), getattr(again, name)
        assert (one is None) == (two is None)
        assert one is None or np.allclose(one, two, atol=1e-6)
    assert (again.up, again.unit, again.frame_source) == ("y", "ft", "file")


def test_others_can_read_the_ply(tmp_path: Path) -> None:
    import trimesh

    theirs = trimesh.load(write(PointCloud(POINTS, colors=COLORS), tmp_path / "c.ply"))
    assert np.array_equal(theirs.vertices, POINTS)
    assert np.array_equal(theirs.colors[:, :3], np.rint(COLORS * 255))


def test_an_unknown_suffix_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match=r"\.ply or \.npz"):
        write(PointCloud(POINTS), tmp_path / "c.obj")


def test_a_failed_write_leaves_nothing_and_keeps_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(PointCloud(POINTS), tmp_path / "c.npz")
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(CloudError, match="No space left"):
        write(PointCloud(POINTS), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match="No such file"):
        write(PointCloud(POINTS), tmp_path / "none" / "c.ply")

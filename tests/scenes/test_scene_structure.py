"""Voxels, gravity, floor, ceiling and walls of rooms."""

from __future__ import annotations

import numpy as np
import pytest
from box_rooms import SIZE, furnished_room

from clip3d.clouds.augmenting import rotation_about
from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ShapeError
from clip3d.scenes.structure import CEILING, FLOOR, NOTHING, WALL, find_structure, lying
from clip3d.scenes.surface import surface_of
from clip3d.scenes.voxels import voxelise

ROOM = furnished_room()


def structure_of(cloud: PointCloud):
    voxels = voxelise(cloud)
    surface, structure = find_structure(surface_of(voxels))
    return voxels, surface, structure


def test_every_point_lies_in_its_voxel():
    voxels = voxelise(ROOM.cloud)
    assert np.abs(ROOM.cloud.points - voxels.grid.to_scan(voxels.points)[voxels.owner]).max() < 2 * voxels.grid.size
    assert np.bincount(voxels.owner, minlength=len(voxels)).min() > 0


@pytest.mark.parametrize("cells", [0, 10**9])
def test_a_table_of_cells_and_sorting_give_the_same_voxels(cells: int, monkeypatch: pytest.MonkeyPatch):
    usual = voxelise(ROOM.cloud)
    monkeypatch.setattr("clip3d.scenes.voxels.MOST_CELLS", cells)
    monkeypatch.setattr("clip3d.scenes.voxels.BLOCK", 10_000)
    other = voxelise(ROOM.cloud)
    assert (usual.owner == other.owner).all()
    assert np.allclose(usual.points, other.points, atol=1e-6)


def test_voxels_grow_until_there_are_few_enough():
    voxels = voxelise(ROOM.cloud, most=5000)
    assert len(voxels) <= 5000
    assert voxels.grid.size > 0.04


@pytest.mark.parametrize(("unit", "scale"), [("m", 1.0), ("cm", 100.0), ("mm", 1000.0)])
def test_a_unit_that_is_not_stated_is_told_by_the_size_of_a_room(unit: str, scale: float):
    cloud = PointCloud(ROOM.cloud.points * np.float32(scale), unit="unknown")
    voxels = voxelise(cloud)
    assert np.allclose(np.ptp(voxels.points, axis=0), SIZE, atol=0.1)
    assert unit in voxels.notes[0]


def test_too_many_points_and_voxels_of_no_size_are_told(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ShapeError, match="positive"):
        voxelise(ROOM.cloud, size=0.0)
    monkeypatch.setattr("clip3d.scenes.voxels.MOST_POINTS", 100)
    with pytest.raises(ShapeError, match="thin it out"):
        voxelise(ROOM.cloud)


def test_floor_ceiling_and_walls_are_found_and_furniture_is_left():
    voxels, _, structure = structure_of(ROOM.cloud)
    labels = structure.labels[voxels.owner]
    x, y, z = np.abs(ROOM.cloud.points.T)
    shell = ROOM.objects == 0
    assert (labels[shell & (z < 0.02) & (x < 2.3) & (y < 1.8)] == FLOOR).mean() > 0.99
    assert (labels[shell & (z > 2.58) & (x < 2.3) & (y < 1.8)] == CEILING).mean() > 0.99
    assert (labels[shell & (z > 0.2) & (z < 2.4)] == WALL).mean() > 0.99
    for name in ROOM.names:
        mine = ROOM.of(name)
        mine = mine[(z[mine] > 0.1) & (y[mine] < 1.9)]  # a wardrobe's back is the wall's by right
        assert (labels[mine] == NOTHING).mean() > 0.97, name
    assert structure.ceiling is not None
    assert structure.ceiling - structure.floor == pytest.approx(SIZE[2], abs=0.02)
    assert len(structure.walls) == 4


def test_a_room_without_a_ceiling_has_none():
    assert structure_of(furnished_room(40_000, ceiling=False).cloud)[2].ceiling is None


@pytest.mark.parametrize("degrees", [3.0, -8.0])
def test_a_scan_that_leans_is_put_straight(degrees: float):
    turn = rotation_about("x", np.radians(degrees)).astype(np.float32)
    cloud = PointCloud(ROOM.cloud.points @ turn.T, ROOM.cloud.colors, unit="m")
    _, surface, structure = structure_of(cloud)
    assert structure.tilt == pytest.approx(abs(degrees), abs=0.3)
    assert np.ptp(surface.points[structure.labels == FLOOR][:, 2]) < 0.15


def test_other_axes_up_give_the_same_room():
    turned = PointCloud(ROOM.cloud.points[:, [0, 2, 1]] * np.float32([1, 1, -1]), up="y", unit="m")
    _, surface, structure = structure_of(turned)
    assert np.allclose(np.ptp(surface.points, axis=0), SIZE, atol=0.1)
    assert len(structure.walls) == 4


def test_a_room_that_lies_on_its_side_is_noticed():
    assert lying(surface_of(voxelise(ROOM.cloud))) == ""
    level = (ROOM.cloud.points[:, 2] < 0.02) | (ROOM.cloud.points[:, 2] > 2.58)
    hall = ROOM.cloud.select(level | (np.arange(len(level)) % 3 == 0))  # as if its walls were a third as long
    on_side = PointCloud(hall.points[:, [0, 2, 1]] * np.float32([1, 1, -1]), unit="m")
    assert lying(surface_of(voxelise(on_side))) == "y"

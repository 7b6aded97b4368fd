"""A cloud that exists is valid."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.clouds.cloud import Z_UP_FROM, PointCloud
from clip3d.errors import ShapeError

POINTS = np.eye(3, dtype=np.float32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": np.zeros((0, 3))}, "at least one point"),
        ({"points": np.zeros((4, 2))}, r"\(p, 3\)"),
        ({"points": np.full((2, 3), np.nan)}, "NaN"),
        ({"points": POINTS, "colors": POINTS[:2]}, "one row a point"),
        ({"points": POINTS, "colors": POINTS * 2}, r"\[0, 1\]"),
        ({"points": POINTS, "up": "w"}, "one of x, y, z"),
        ({"points": POINTS, "unit": "furlong"}, "unit must be"),
    ],
)
def test_invalid_clouds_cannot_be_made(arguments: dict, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        PointCloud(**arguments)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_convention_z_up_carries_the_up_axis_to_z_without_mirroring(axis: str) -> None:
    up = np.zeros((1, 3), np.float32)
    up[0, "xyz".index(axis)] = 1
    np.testing.assert_array_equal(PointCloud(up, up=axis).z_up().points, [[0, 0, 1]])
    assert np.linalg.det(Z_UP_FROM[axis]) == pytest.approx(1)


def test_select_keeps_attributes_together() -> None:
    cloud = PointCloud(POINTS, colors=POINTS, normals=POINTS).select(np.array([2, 0]))
    np.testing.assert_array_equal(cloud.points, POINTS[[2, 0]])
    np.testing.assert_array_equal(cloud.colors, POINTS[[2, 0]])
    np.testing.assert_array_equal(cloud.normals, POINTS[[2, 0]])

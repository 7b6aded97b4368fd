"""Depth pictures of CLIP goes 3D against the loop that defines them."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.render.depth_discs import CANVAS, PUBLISHED, disc_depth_map, random_turn


def turned(points: np.ndarray, turn: tuple[float, float, float]) -> np.ndarray:
    """Points with y up, turned about z, then y, then x by the degrees (z, x, y)."""
    z, x, y = np.radians(turn)
    for axis, angle in ((2, z), (1, y), (0, x)):
        one, other = [a for a in range(3) if a != axis]
        if axis == 1:
            one, other = other, one
        cosine, sine = np.cos(angle), np.sin(angle)
        new = points.copy()
        new[:, one] = cosine * points[:, one] - sine * points[:, other]
        new[:, other] = sine * points[:, one] + cosine * points[:, other]
        points = new
    return points


def slow(points: np.ndarray, turn: tuple[float, float, float]) -> np.ndarray:
    """One point after another, far to near, each as a disc of 12 pixels."""
    y_up = np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1).astype(np.float64)
    seen = turned(y_up, turn)
    seen = seen - seen.mean(axis=0)
    seen = seen / np.linalg.norm(seen, axis=1).max()
    depth = seen[:, 2] - seen[:, 2].min()
    depth = depth / depth.max()
    image = np.zeros((500, 500))
    for i in np.argsort(-seen[:, 2]):
        row, column = (int(np.round(250 + 200 * seen[i, a])) for a in (0, 1))
        for down in range(12):
            for right in range(12):
                squared = (down - 5.5) ** 2 + (right - 5.5) ** 2
                if squared <= 5.5**2:
                    paint = np.exp(-squared / 5.5**2) * (1 - depth[i])
                    old = image[row + down, column + right]
                    image[row + down, column + right] = 0.7 * old + 0.3 * paint
    return image / image.max()


@pytest.mark.parametrize("turn", [*PUBLISHED, (97.0, 211.0, 13.0)])
def test_pictures_are_those_of_the_loop(turn: tuple[float, float, float]) -> None:
    points = np.random.default_rng(5).normal(size=(300, 3)).astype(np.float32) * [1, 0.4, 0.8]
    np.testing.assert_allclose(disc_depth_map(points.astype(np.float32), turn), slow(points, turn), atol=2e-6)


def test_convention_up_is_up_and_near_is_light() -> None:
    rng = np.random.default_rng(0)
    ball = rng.normal(size=(400, 3)) * 0.05
    up, down = ball + np.array([0, 0, 1]), ball[:100] + np.array([0, 0, -1])
    picture = disc_depth_map(np.concatenate([up, down]).astype(np.float32), (90.0, 0.0, 0.0))
    assert picture.shape == (CANVAS, CANVAS)
    assert (picture[:250] > 0).sum() > (picture[250:] > 0).sum()
    near, far = ball + np.array([0, 2, 0.5]), ball + np.array([0, -2, -0.5])
    picture = disc_depth_map(np.concatenate([far, near]).astype(np.float32), (90.0, 0.0, 0.0))
    assert picture[:250].max() == 1
    assert picture[250:].max() < 0.2


def test_points_in_one_place_or_plane_are_drawn() -> None:
    assert disc_depth_map(np.zeros((1, 3), np.float32)).max() == 1
    flat = np.random.default_rng(0).uniform(size=(50, 3)).astype(np.float32) * [1, 1, 0]
    assert np.isfinite(disc_depth_map(flat.astype(np.float32))).all()


def test_random_turns_look_from_about_the_horizon() -> None:
    turns = [random_turn(np.random.default_rng(i)) for i in range(50)]
    assert all(70 <= z <= 110 and 0 <= x < 360 and y == 0 for z, x, y in turns)
    assert len(set(turns)) == 50

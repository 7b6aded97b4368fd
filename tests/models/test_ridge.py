"""Ridge regression against the augmented least squares that defines it."""

from __future__ import annotations

import numpy as np

from clip3d.models.ridge import ridge


def test_a_ridge_is_least_squares_with_rows_for_the_penalty() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(2, 1, (50, 6)).astype(np.float32), rng.normal(-1, 1, (50, 3)).astype(np.float32)
    weights, middle, aim = ridge(x, y, 0.3)
    spread = x - x.mean(0)
    rows = np.sqrt(0.3 * (spread**2).sum() / 6) * np.eye(6)
    aims = np.vstack([y - y.mean(0), np.zeros((6, 3))])
    expected = np.linalg.lstsq(np.vstack([spread, rows]), aims, rcond=None)[0]
    np.testing.assert_allclose(weights, expected, atol=1e-5)
    np.testing.assert_allclose(middle, x.mean(0))
    np.testing.assert_allclose(aim, y.mean(0))


def test_without_a_penalty_a_linear_map_is_found_again() -> None:
    rng = np.random.default_rng(1)
    x, true = rng.normal(size=(40, 4)), rng.normal(size=(4, 2))
    weights, middle, aim = ridge(x.astype(np.float32), (x @ true + 5).astype(np.float32), 0.0)
    np.testing.assert_allclose((x - middle) @ weights + aim, x @ true + 5, atol=1e-4)

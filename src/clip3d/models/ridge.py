"""Ridge regression: the linear answer that a text tower begins with, and that it is measured against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def ridge(x: Array, y: Array, penalty: float) -> tuple[NDArray[np.float64], Array, Array]:
    """Weights (w, d), mean (w,) of x and mean (d,) of y: y is about (x - mean of x) @ weights + mean of y.

    Args:
        x: (n, w) features.
        y: (n, d) what they should give.
        penalty: of the squared weights, relative to the mean variance of the features.
    """
    middle, aim = x.mean(0), y.mean(0)
    gram = (x - middle).T @ (x - middle)
    added = penalty * np.trace(gram) / len(gram) * np.eye(len(gram))
    return np.linalg.solve(gram + added, (x - middle).T @ (y - aim)), middle, aim

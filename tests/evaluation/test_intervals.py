"""How sure a share is."""

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.evaluation.intervals import bootstrap, wilson


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    # as R's prop.test(correct = FALSE) gives them
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (8, 15, 0.3012, 0.7519), (50, 100, 0.4038, 0.5962)],
)
def test_wilson_s_interval(right, n, low, high):
    assert wilson(right, n) == pytest.approx((low, high), abs=1e-4)


def test_of_nothing_everything_is_possible():
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ShapeError, match="right answers"):
        wilson(3, 2)


def test_whole_groups_are_drawn():
    values = np.repeat([0.0, 1.0], 50)
    together = bootstrap(values.tolist(), lambda rows: float(values[rows].mean()))
    apart = bootstrap(list(range(100)), lambda rows: float(values[rows].mean()))
    assert together == (0.0, 1.0)
    assert 0.35 < apart[0] < 0.45 < 0.55 < apart[1] < 0.65
    assert np.isnan(bootstrap(values.tolist(), lambda rows: float("nan"))).all()

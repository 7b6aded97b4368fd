"""What every source of triplets keeps to."""

from __future__ import annotations

import json
from multiprocessing.reduction import ForkingPickler

import numpy as np

from clip3d.data.triplets import Triplets


def check_form(triplets: Triplets) -> None:
    """Keys, labels, phrases, orders and protocol are as `Triplets` says, and other processes can have it."""
    n = len(triplets)
    assert triplets.labels.shape == (n,)
    assert triplets.labels.dtype == np.int64
    assert len({triplets.key(i) for i in range(n)}) == n
    assert all(triplets.phrases(i) for i in range(n))
    assert set(triplets.labels.tolist()) <= set(range(len(triplets.classes)))
    order = triplets.order(np.random.default_rng(3))
    assert sorted(order.tolist()) == list(range(n))
    np.testing.assert_array_equal(order, triplets.order(np.random.default_rng(3)))
    json.dumps(triplets.protocol())
    assert len(triplets.protocol()["data_sha256"]) == 64
    again = ForkingPickler.loads(ForkingPickler.dumps(triplets))
    np.testing.assert_array_equal(again.cloud(0).points, triplets.cloud(0).points)

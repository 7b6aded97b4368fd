"""The best views by a joint rule that no single sum of products gives: ranks, two steps, features at unit length.

These rules compare all views with each other. They are computed among the best 20,000 by each sensor, and for
features at unit length among the best 5,000 by the sum of scores; below these numbers that is all of them.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clip3d.joint_rules import combine, joint_unit_features, proposals, rerank
from clip3d.search.conditions.where import Condition
from clip3d.search.questions.aims import Aim
from clip3d.search.stores.store import Store
from clip3d.spaces import Space, unit

Array = NDArray[np.float32]
Ids = NDArray[np.int64]
Found = tuple[Ids, Array]

POOL = 20_000
POOL_OF_FEATURES = 5_000


class JointSearch:
    """Views in the order of a rule, computed once.

    Args:
        store: of the collection.
        space: of its vectors.
        aim: with a rule, and the directions of lidar and camera in this order.
        where: a condition on the records.
    """

    def __init__(self, store: Store, space: Space, aim: Aim, where: Condition | None) -> None:
        self.store = store
        self.space = space
        self.aim = aim
        self.where = where

    def best(self, n: int) -> Found:
        """The n best, or all: ids and scores, equal scores in the order of ids."""
        ids, scores = self._all
        return ids[:n], scores[:n]

    @cached_property
    def _all(self) -> Found:
        ids, scores = self._ranked()
        order = np.lexsort((ids, -scores))
        return ids[order], scores[order]

    def _ranked(self) -> Found:
        lidar, camera = self.aim.names
        if self.aim.rule == "unit-features":
            return self._by_features()
        if self.aim.rule == "lidar-first":
            return self._in_two_steps(lidar, camera)
        if self.aim.rule == "camera-first":
            return self._in_two_steps(camera, lidar)
        (seen, by_lidar), (shown, by_camera) = self._of_one(lidar), self._of_one(camera)
        ids = np.union1d(seen, shown)
        assert self.aim.rule is not None
        return ids, combine(self.aim.rule, _spread(ids, seen, by_lidar), _spread(ids, shown, by_camera))

    def _of_one(self, name: str) -> Found:
        """The best by one sensor among those that have vectors of both."""
        none = np.zeros(self.space.dim, np.float32)
        directions = {each: self._direction(each) if each == name else none for each in self.aim.names}
        return self.store.nearest(directions, POOL, self.where)

    def _in_two_steps(self, proposing: str, ordering: str) -> Found:
        ids, first = self._of_one(proposing)
        if not len(ids):
            return ids, first
        count = proposals(len(ids))
        second = np.zeros(len(ids), np.float32)
        vectors = self.store.vectors(ordering, ids[:count].tolist())
        second[:count] = self.space.scores(self._direction(ordering), vectors)
        return ids, rerank(first, second, count)

    def _by_features(self) -> Found:
        ids, _ = self.store.nearest(self.aim.directions, POOL_OF_FEATURES, self.where)
        if not len(ids):
            return ids, np.zeros(0, np.float32)
        lidar, camera = (self.store.vectors(name, ids.tolist()) for name in self.aim.names)
        return ids, self.space.scores(self._direction(self.aim.names[0]), joint_unit_features(lidar, camera))

    def _direction(self, name: str) -> Array:
        return np.asarray(unit(self.aim.directions[name][None])[0])


def _spread(ids: Ids, found: Ids, scores: Array) -> Array:
    """Scores of ids (n,) that were found by one sensor; what was not comes after all that was."""
    every = np.full(len(ids), float(scores.min()) - 1 if len(scores) else -1, np.float32)
    every[np.searchsorted(ids, found)] = scores
    return every

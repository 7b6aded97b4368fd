from __future__ import annotations

import numpy as np
import pytest

from clip3d.data.subsets import few_shot, few_shot_episodes, stratified_fraction, stratified_split
from clip3d.errors import ShapeError

LABELS = np.random.default_rng(3).permutation(np.repeat([0, 1, 2, 5], [100, 40, 7, 1]))


def counts(indices) -> dict[int, int]:
    return {int(c): int((LABELS[indices] == c).sum()) for c in np.unique(LABELS)}


def test_a_fraction_takes_its_share_of_every_class_and_at_least_one():
    assert counts(stratified_fraction(LABELS, 0.3, seed=0)) == {0: 30, 1: 12, 2: 2, 5: 1}
    assert counts(stratified_fraction(LABELS, 0.1, seed=0)) == {0: 10, 1: 4, 2: 1, 5: 1}
    assert stratified_fraction(LABELS, 1.0, seed=0).tolist() == list(range(len(LABELS)))


def test_parts_follow_from_the_seed_and_nest():
    tenth, third = stratified_fraction(LABELS, 0.1, seed=4), stratified_fraction(LABELS, 0.3, seed=4)
    assert set(tenth) < set(third)
    assert tenth.tolist() == stratified_fraction(LABELS, 0.1, seed=4).tolist()
    assert tenth.tolist() != stratified_fraction(LABELS, 0.1, seed=5).tolist()
    assert set(few_shot(LABELS, 2, seed=4)) < set(few_shot(LABELS, 8, seed=4))


def test_few_shots_are_so_many_of_each_class_or_all_there_are():
    assert counts(few_shot(LABELS, 16, seed=1)) == {0: 16, 1: 16, 2: 7, 5: 1}


def test_a_split_parts_the_set_and_leaves_every_class_something_to_learn_from():
    first, second = stratified_split(LABELS, 0.2, seed=0)
    assert sorted([*first, *second]) == list(range(len(LABELS)))
    assert counts(second) == {0: 20, 1: 8, 2: 1, 5: 0}
    assert counts(stratified_split(LABELS, 0.99, seed=0)[0])[2] == 1


def test_episodes_ask_what_they_did_not_learn_from():
    episodes = list(few_shot_episodes(LABELS, 2, 5, 6, queries=20, seed=7))
    assert len(episodes) == 6
    for episode in episodes:
        assert not set(episode.support) & set(episode.query)
        assert np.bincount(LABELS[episode.support])[episode.classes].tolist() == [5, 5]
        assert set(LABELS[episode.query]) == set(episode.classes)
    assert len({tuple(episode.support) for episode in episodes}) == 6, "each fold draws anew"
    longer = list(few_shot_episodes(LABELS, 2, 5, 8, queries=20, seed=7))
    assert longer[2].support.tolist() == episodes[2].support.tolist(), "a fold does not depend on their number"


def test_episodes_may_ask_another_set():
    other = np.array([1, 1, 0, 0, 0])
    episode = next(few_shot_episodes(LABELS, 2, 40, 1, query_labels=other))
    assert episode.classes.tolist() == [0, 1]
    assert episode.query.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: stratified_fraction(LABELS, 0, 0),
        lambda: stratified_fraction(LABELS, 1.1, 0),
        lambda: stratified_fraction([], 0.5, 0),
        lambda: stratified_fraction([0.5, 1], 0.5, 0),
        lambda: few_shot(LABELS, 0, 0),
        lambda: stratified_split(LABELS, 1.0, 0),
        lambda: list(few_shot_episodes(LABELS, 5, 1, 1)),
        lambda: list(few_shot_episodes(LABELS, 2, 0, 1)),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ShapeError):
        wrong()

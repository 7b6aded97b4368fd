"""Nearest neighbours in a table of LanceDB: candidates from it, the scores computed here.

LanceDB finds candidates, in all rows or through an index that keeps four bits for each number of a vector. Their
vectors are read and multiplied with the query, so that scores are exact and equal ones stand in the order of ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.search.stores.lance_rows import VECTOR, vectors_of
from clip3d.search.stores.store import ROUNDING
from clip3d.spaces import unit

Array = NDArray[np.float32]
Ids = NDArray[np.int64]

PROBES = 40  # partitions that are looked through, of some 8,000 vectors each; more if too little is found
REFINE, SPARE = 2, 30  # candidates for each of the best, and beside them, since the order of an index is rough
SIFTED = 4  # so many times the candidates are found without a condition, where it may be met by most rows
OF_EACH = 1000  # candidates of each name of vectors, where several are added up
MOST_TIED = 20_000  # rows that are read at once to tell those of equal score apart; more than that if k is large
BLOCK = 8192


def nearest(
    table: Any, directions: Mapping[str, Array], k: int, where: str | None, indexed: bool, rare: set[str]
) -> tuple[Ids, Array]:
    """The k best rows by the sum over names of vector times direction: ids (m,) and scores (m,), best first.

    Args:
        table: with a column of vectors for each name.
        directions: by name, each (d,).
        k: at most so many.
        where: a condition for LanceDB.
        indexed: whether the columns of vectors have an index: then the best of those that it brings.
        rare: conditions that few rows were found to meet; more are added.
    """
    if any(not np.any(direction) for direction in directions.values()):
        return _of_all(table, directions, k, where)
    if len(directions) == 1:
        return _of_one(table, directions, k, where, indexed, rare)
    if indexed:
        limit = OF_EACH + REFINE * k
        return _best(_joined([_candidates(table, directions, n, limit, where) for n in directions]), k)
    return _of_all(table, directions, k, where)


def _of_one(
    table: Any, directions: Mapping[str, Array], k: int, where: str | None, indexed: bool, rare: set[str]
) -> tuple[Ids, Array]:
    name = next(iter(directions))
    limit = REFINE * k + SPARE if indexed else k + SPARE
    most = max(MOST_TIED, 4 * limit)
    if where and indexed and where not in rare:
        # To list all rows that meet a condition costs more than to look at some that do not, if most do.
        found = _candidates(table, directions, name, SIFTED * limit, where, sifted=True)
        if len(found[0]) >= limit and not _may_be_tied(found, k):
            return _best(found, k)
        rare.add(where)
    while True:
        found = _candidates(table, directions, name, limit, where)
        if len(found[0]) < limit or not _may_be_tied(found, k):
            return _best(found, k)
        limit *= 4
        if limit > most:  # rather all rows in turn than most of them at once
            return _of_all(table, directions, k, where)


def _may_be_tied(found: tuple[Ids, Array], k: int) -> bool:
    """Whether rows that were not found may have the k-th score: as many as one likes, in any order."""
    return bool(_best(found, k)[1][-1] <= found[1].min() + ROUNDING)


def _candidates(
    table: Any, directions: Mapping[str, Array], name: str, limit: int, where: str | None, *, sifted: bool = False
) -> tuple[Ids, Array]:
    """The best rows for one of the directions: ids (n,) and the scores (n,) for all of them.

    The condition is met by all that are counted for the limit; `sifted` counts others, and leaves them out at last.
    """
    query = table.search(unit(directions[name][None])[0], VECTOR + name, query_type="vector")
    others = [f"`{VECTOR}{other}` IS NOT NULL" for other in directions if other != name]
    conditions = [*([f"({where})"] if where else []), *others]
    if conditions:
        query = query.where(" AND ".join(conditions), prefilter=not sifted)
    columns = ["id", *(VECTOR + each for each in directions), "_distance"]
    query = query.distance_type("l2").nprobes(PROBES).limit(limit).select(columns)
    found = query.to_arrow()
    if len(found) < limit and not sifted:
        # What meets the condition lies in other partitions; from the start it would cost double.
        found = query.maximum_nprobes(0).to_arrow()
    return _scored(found, directions)


def _of_all(table: Any, directions: Mapping[str, Array], k: int, where: str | None) -> tuple[Ids, Array]:
    """The best among all rows, a block at a time."""
    there = [f"`{VECTOR}{name}` IS NOT NULL" for name in directions]
    query = table.search().where(" AND ".join([*([f"({where})"] if where else []), *there]))
    query = query.select(["id", *(VECTOR + name for name in directions)]).limit(None)
    best = np.zeros(0, np.int64), np.zeros(0, np.float32)
    for batch in query.to_batches(BLOCK):
        best = _best(_joined([best, _scored(_table_of(batch), directions)]), k)
    return best


def _table_of(batch: Any) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches([batch])


def _scored(rows: Any, directions: Mapping[str, Array]) -> tuple[Ids, Array]:
    ids = np.asarray(rows["id"].to_numpy(), np.int64)
    sums = np.zeros(len(ids), np.float64)
    for name, direction in directions.items():
        # In float64, so that equal vectors have equal scores wherever they stand.
        sums += vectors_of(rows[VECTOR + name])[1].astype(np.float64) @ direction.astype(np.float64)
    return ids, sums.astype(np.float32)


def _joined(found: Sequence[tuple[Ids, Array]]) -> tuple[Ids, Array]:
    ids, first = np.unique(np.concatenate([ids for ids, _ in found]), return_index=True)
    return ids, np.concatenate([scores for _, scores in found])[first]


def _best(found: tuple[Ids, Array], k: int) -> tuple[Ids, Array]:
    ids, scores = found
    order = np.lexsort((ids, -scores))[:k]
    return ids[order], scores[order]

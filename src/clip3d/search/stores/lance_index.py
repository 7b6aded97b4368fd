"""The index of a collection in LanceDB: when it is made, what it is, and how it takes up new records.

From `INDEX_FROM` vectors on, each column of vectors has an index of the kind IVF_RQ: partitions by k-means, and in
them four bits for each number of a vector. Records that came since the index was last brought up to date are found
all the same: LanceDB compares them one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from clip3d.search.stores.lance_rows import TYPES, VECTOR
from clip3d.search.stores.lance_state import LanceState

log = logging.getLogger(__name__)

INDEX_FROM = 20_000  # below, comparing with all takes some 50 ms
# With one bit ten times the candidates are needed for the same recall; eight take twice the room for nothing.
BITS = 4
TRAINED_ANEW = 4  # when there are so many times the vectors that the partitions were made from
VERSIONS_KEPT = timedelta(minutes=10)  # for who reads an earlier one at this moment
# To join files copies up to a million records, so that a small run leaves it to a later one.
MOST_FILES = 100
MOST_NOT_INDEXED = 5000


def tidy(table: Any) -> None:
    """Join small files, let indexes take up new rows, and delete versions that nobody reads."""
    table.optimize(cleanup_older_than=VERSIONS_KEPT)


def is_untidy(table: Any, columns: Sequence[str]) -> bool:
    """Whether there are so many files, or vectors that an index does not know, that searches get slower."""
    files = table.stats()["fragment_stats"]["num_fragments"]
    waiting = [facts["not_yet"] for facts in index_facts(table, columns).values()]
    return files > MOST_FILES or max(waiting, default=0) > MOST_NOT_INDEXED


def tend(table: Any, state: LanceState, columns: Sequence[str]) -> None:
    """Make the indexes that are due, those among them that an earlier run was to make and did not live to.

    Args:
        table: of records.
        state: where it is noted how many vectors an index was made from.
        columns: of vectors.
    """
    trained = dict(state.read().get("trained", {}))
    there = {name for index in table.list_indices() for name in index.columns}
    for column in columns:
        count = table.count_rows(f"`{column}` IS NOT NULL")
        due = column not in there or count >= TRAINED_ANEW * trained.get(column, count)
        if count >= INDEX_FROM and due:
            state.renew(always=True)
            _index_vectors(table, column, count)
            state.write(trained=trained | {column: count})
            trained[column] = count
    if table.count_rows() >= INDEX_FROM:
        for column, config in _plain_indexes(table.schema.names).items():
            if column not in there:
                state.renew(always=True)
                table.create_index(column, config=config)


def _index_vectors(table: Any, column: str, count: int) -> None:
    from lancedb.index import IvfRq

    log.info("making an index of %d vectors", count)
    table.create_index(column, config=IvfRq(distance_type="l2", num_bits=BITS))


def _plain_indexes(columns: Sequence[str]) -> dict[str, Any]:
    """Indexes for finding records by id and place, and for conditions on metadata."""
    from lancedb.index import Bitmap, BTree

    found: dict[str, Any] = {"id": BTree(), "key": BTree(), "kind": Bitmap()}
    for column in columns:
        kind, found_type, _ = column.partition("_")
        if found_type and kind in TYPES:
            found[column] = Bitmap() if kind == "boolean" else BTree()
    return found


def has_index(table: Any, columns: Sequence[str]) -> bool:
    """Whether all of some columns of vectors have an index."""
    return set(columns) <= {name for index in table.list_indices() for name in index.columns}


def index_facts(table: Any, columns: Sequence[str]) -> dict[str, Any]:
    """By name of vectors that have an index: its kind, and how many vectors it knows and does not know yet."""
    found = {}
    for index in table.list_indices():
        for column in set(index.columns) & set(columns):
            stats = table.index_stats(index.name)
            found[column.removeprefix(VECTOR)] = {
                "kind": stats.index_type,
                "vectors": stats.num_indexed_rows,
                "not_yet": stats.num_unindexed_rows,
            }
    return found

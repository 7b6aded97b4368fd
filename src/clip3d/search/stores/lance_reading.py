"""Reading the rows of a table of LanceDB by their ids and keys, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clip3d.search.stores.lance_rows import Row

Ids = NDArray[np.int64]

IDS_A_QUERY = 1000
ROWS_A_BLOCK = 20_000


def ids_where(table: Any, where: str | None = None) -> Ids:
    """Ids (n,) of the rows that meet a condition for LanceDB, ascending; of all without one."""
    query = table.search().select(["id"]).limit(None)
    found = (query.where(where) if where else query).to_arrow()["id"].to_numpy()
    return np.sort(np.asarray(found, np.int64))


def rows_by_id(table: Any, columns: list[str], ids: ArrayLike) -> Iterator[Row]:
    """Rows of some ids, each once and in ascending order; arguments as of `tables_by_id`."""
    for part in tables_by_id(table, columns, ids):
        yield from part.to_pylist()


def tables_by_id(table: Any, columns: list[str], ids: ArrayLike, where: str = "") -> Iterator[Any]:
    """Tables of Arrow with the rows of some ids, each once and in ascending order.

    Args:
        table: of LanceDB.
        columns: that are read, `id` among them.
        ids: (n,) whole numbers; those that are not there are passed over.
        where: a condition for LanceDB that the rows must meet too.
    """
    wanted, at = np.unique(np.asarray(ids, np.int64)), 0
    while at < len(wanted):
        block = wanted[at : at + ROWS_A_BLOCK]
        if block[-1] - block[0] < 2 * len(block):  # nearly all ids between two
            condition = f"id BETWEEN {block[0]} AND {block[-1]}"
        else:
            block = block[:IDS_A_QUERY]
            condition = f"id IN ({', '.join(map(str, block))})"
        at += len(block)
        query = table.search().where(f"{condition} AND {where}" if where else condition)
        found = query.select(columns).limit(None).to_arrow().sort_by("id")
        yield found.filter(np.isin(found["id"].to_numpy(), block))


def ids_of_keys(table: Any, keys: Sequence[str]) -> dict[str, int]:
    """Ids by key, of the keys that some row has."""
    found: dict[str, int] = {}
    for start in range(0, len(keys), IDS_A_QUERY):
        listed = ", ".join(f"'{key}'" for key in keys[start : start + IDS_A_QUERY])
        rows = table.search().where(f"key IN ({listed})").select(["key", "id"]).limit(None).to_arrow()
        found.update(zip(rows["key"].to_pylist(), rows["id"].to_pylist(), strict=True))
    return found


class KnownKeys:
    """Keys that may be in a table: of one that is not here there is no row. Sixteen bytes or less each."""

    def __init__(self, column: Any) -> None:
        numbers = (_number(key) for chunk in column.chunks for key in chunk.to_pylist())
        self._first = np.sort(np.fromiter(numbers, np.uint64, len(column)))
        self._later: set[int] = set()

    def __contains__(self, key: str) -> bool:
        number = _number(key)
        at = int(np.searchsorted(self._first, np.uint64(number)))
        return number in self._later or (at < len(self._first) and int(self._first[at]) == number)

    def add(self, keys: Sequence[str]) -> None:
        """Note keys of rows that were added."""
        self._later.update(map(_number, keys))


def _number(key: str) -> int:
    return int(key[:16], 16)

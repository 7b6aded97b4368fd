"""What a collection answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
from numpy.typing import NDArray

from clip3d.search.questions.query import Query
from clip3d.search.stores.store import Record, Value

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Hit:
    """One answer.

    Attributes:
        rank: its place from 1, counted from the first page on.
        score: centred cosine with the query; of several sensors a weighted mean.
        record: the item.
        fit: chance in [0, 1] that the words fit it, if these mean one item in a hundred; None if none is told.
        folded: how many views near it in time were folded into it, of those that were looked at; None where nothing
            is folded.
        copies: how many items were left out for being as good as the same; None where none are left out.
        group: its value of the column that answers are grouped by.
        scores: centred cosine by name of vector.
    """

    rank: int
    score: float
    record: Record
    fit: float | None = None
    copies: int | None = None
    group: Value = None
    scores: Mapping[str, float] = field(default_factory=dict)
    folded: int | None = None

    @property
    def id(self) -> int:
        """Id of the item in its collection."""
        return self.record.id

    @property
    def path(self) -> str:
        """Absolute path or URI of the item's file."""
        return self.record.trace.path

    @property
    def part(self) -> str:
        """Which part of the file it is; empty for the whole."""
        return self.record.trace.part


@dataclass(frozen=True)
class Answers(Sequence[Hit]):
    """Hits, best first, as a sequence, with what was asked.

    Attributes:
        hits: best first.
        query: what was asked.
        model: id of the model that answered.
        collection: path or URI of the collection.
        notes: what a reader of the hits should know, such as that nothing may fit.
        itself: ids of the items that were asked with.
        directions: (d,) of unit length, what the vectors of each name were compared with.
    """

    hits: tuple[Hit, ...]
    query: Query
    model: str
    collection: str
    notes: tuple[str, ...] = ()
    itself: tuple[int, ...] = ()
    directions: Mapping[str, Array] = field(default_factory=dict, compare=False)

    @overload
    def __getitem__(self, index: int) -> Hit: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...

    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

"""What a collection keeps, and what every store of it does: one SQLite file, or LanceDB for millions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from clip3d.search.conditions.where import Condition
from clip3d.spaces import Space

Array = NDArray[np.float32]

Kind = Literal["object", "segment", "frame", "image"]
Value = str | int | float | bool | None

ROUNDING = 1e-5
"""By so much the scores of equal vectors may differ that were computed in other company."""


@dataclass(frozen=True)
class Header:
    """What all vectors of a collection have in common.

    Attributes:
        space: id of the space that the vectors lie in.
        dim: length d of a vector.
        mean: (d,) float32, subtracted before vectors are compared.
        stored: whether vectors are kept as the tower gave them ("raw") or at unit length ("unit").
        model: id of the model that made them.
        weights: hash of its weights.
        towers: for each name of a vector ("cloud", "image", "lidar", …) the id of the tower that makes it.
    """

    space: str
    dim: int
    mean: Array
    stored: Literal["raw", "unit"]
    model: str
    weights: str
    towers: Mapping[str, str]

    def own_space(self) -> Space:
        """The space that vectors of the header are compared in, told without a model."""
        return Space(self.space, self.dim, self.mean, stored=self.stored)


@dataclass(frozen=True)
class Trace:
    """Where an item came from, and what tells whether it is still the same: all that an incremental run needs.

    Attributes:
        path: absolute path, or URI, of the file.
        part: which part of the file, such as a segment or a frame; empty for the whole.
        content: hex digest of the content (`clip3d.models.fingerprint`), without regard to names and places.
        reading: digest of the options and towers that decide the vectors besides the content.
        sources: absolute paths of the files that make up the item; empty where it is remote.
        stamps: size and times of each, in nanoseconds, or None where it was missing.
        taken_ns: when they were taken, in nanoseconds since the epoch.
    """

    path: str
    part: str
    content: str
    reading: str
    sources: tuple[str, ...] = ()
    stamps: tuple[tuple[int, int, int] | None, ...] = ()
    taken_ns: int = 0


@dataclass(frozen=True)
class Record:
    """An item of a collection, without its vectors.

    Attributes:
        id: of the item in its store, never used twice.
        kind: what it is.
        trace: where it came from.
        metadata: what users say of it, by names that `clip3d.search.conditions.where` takes as columns.
        indexed: when its vectors were made, in seconds since the epoch.
    """

    id: int
    kind: Kind
    trace: Trace
    metadata: Mapping[str, Value] = field(default_factory=dict)
    indexed: float = 0.0


@dataclass(frozen=True, eq=False)
class Entry:
    """An item to be kept: `Record` without an id, with its vectors.

    Attributes:
        vectors: by name, each (d,) float32 as the header's `stored` says; one or more.
        thumbnail: a small picture as PNG or JPEG, or None.
    """

    kind: Kind
    trace: Trace
    vectors: Mapping[str, Array]
    metadata: Mapping[str, Value] = field(default_factory=dict)
    thumbnail: bytes | None = None


class Store(Protocol):
    """Records and vectors, kept. A record and its vectors are one transaction; a path and part are one record.

    Reading never waits for a writer. What a writing method has returned from is kept, whatever comes after.
    """

    address: str
    """Path or URI that the store was opened by."""

    def header(self) -> Header | None:
        """What the vectors have in common; None while nothing was ever kept."""

    def writing(self) -> AbstractContextManager[None]:
        """Become the only writer until the end of the block; all writing methods need it.

        Raises:
            DataError: if another process writes and does not end within the time that the store was opened with.
        """

    def begin(self, header: Header) -> None:
        """Set the header of an empty store, or of one whose records were all voided."""

    def void(self) -> int:
        """Forget all vectors, since another model is to make them anew; metadata stay. Returns how many records."""

    def note_remaking(self, what: str) -> None:
        """Note that all vectors of some kind are being made anew, so that a run that is cut short is gone on with.

        An empty text says that it is done; so do `begin` and `void`.
        """

    def remaking(self) -> str:
        """What `note_remaking` noted; empty if nothing is being made anew."""

    def put(self, entries: Sequence[Entry]) -> None:
        """Keep entries, all or none; one of a path and part that are there takes its place, and its id."""

    def move(self, moved: Mapping[int, Trace]) -> None:
        """Give records, by id, the traces of their files' new places, all or none."""

    def describe(self, metadata: Mapping[int, Mapping[str, Value]]) -> None:
        """Replace the metadata of records, by id, all or none."""

    def remove(self, ids: Sequence[int]) -> None:
        """Forget records, all or none; ids that are not there are passed over."""

    def traces(self) -> Iterator[tuple[int, Trace]]:
        """Every record's id and trace, in the order of ids."""

    def records(self, ids: Sequence[int]) -> list[Record]:
        """Records in the order of the ids; those that are gone are left out."""

    def thumbnails(self, ids: Sequence[int]) -> dict[int, bytes]:
        """Pictures by id, of those that have one."""

    def select(self, where: Condition | None = None) -> NDArray[np.int64]:
        """Ids (n,) of the records that meet a condition, ascending.

        Raises:
            ConditionError: if the condition names a column that no record has (`Condition.check`).
        """

    def vectors(self, name: str, ids: Sequence[int]) -> Array:
        """Vectors (n, d) as they were kept, NaN in the rows of records without one of that name."""

    def nearest(
        self, directions: Mapping[str, Array], k: int, where: Condition | None = None
    ) -> tuple[NDArray[np.int64], Array]:
        """The k best records that meet a condition, best first: ids (m,) int64, scores (m,) float32, m at most k.

        A score is the sum over names of the product of the record's centred vector (unit length, the header's mean
        subtracted, unit length) and the direction (d,) of that name, so a query of one name has a direction of unit
        length. Records that lack one of the vectors are left out. Equal scores stand in the order of ids.
        """

    def columns(self) -> dict[str, str]:
        """Names that a condition may use, with the types of their values ("text", "number", "boolean")."""

    def facts(self) -> Mapping[str, Any]:
        """What the store says of itself for `clip3d stats`: its kind, size in bytes, whether it has an index, …"""

    def close(self) -> None:
        """Let go of files and connections."""

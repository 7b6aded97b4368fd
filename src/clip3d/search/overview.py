"""What a collection holds: counts, columns, near-duplicates, and what a vocabulary makes of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.remote import URI
from clip3d.models.model import Model
from clip3d.search.conditions.where import Condition
from clip3d.search.coverage import Coverage, cover
from clip3d.search.near_groups import near_groups
from clip3d.search.questions.answering import folder_of
from clip3d.search.questions.choosing import sameness
from clip3d.search.stores.store import Header, Record, Store, Value

Array = NDArray[np.float32]
Ids = NDArray[np.int64]
Progress = Callable[[str, int, int], None]

RECORDS_A_TIME = 2000
MOST_VALUES = 1000  # different values that are counted in a column
MOST_VECTORS = 100_000  # compared with each other and with a vocabulary; of more an even sample
GROUPS_SHOWN = 10
NEAR = 0.98


@dataclass
class ColumnFacts:
    """A column of metadata.

    Attributes:
        name: of the column.
        type: of its values.
        filled: records that have a value.
        counts: how often each value occurs, of the first thousand different ones.
        more: whether there are more different values than were counted.
        low: least number, or None.
        high: greatest number, or None.
    """

    name: str
    type: str
    filled: int = 0
    counts: Counter[Value] = field(default_factory=Counter)
    more: bool = False
    low: float | None = None
    high: float | None = None

    def take(self, value: Value) -> None:
        """Count a value."""
        if value is None:
            return
        self.filled += 1
        if value in self.counts or len(self.counts) < MOST_VALUES:
            self.counts[value] += 1
        else:
            self.more = True
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self.low = float(value) if self.low is None else min(self.low, value)
            self.high = float(value) if self.high is None else max(self.high, value)


@dataclass(frozen=True)
class NearDuplicates:
    """Vectors of one name that are nearly the same.

    Attributes:
        near: least centred cosine with a group's first.
        total: vectors that were compared.
        groups: number of groups of two or more.
        items: vectors in these.
        largest: ids of the largest groups, the first of each first.
    """

    near: float
    total: int
    groups: int
    items: int
    largest: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Overview:
    """What a collection holds.

    Attributes:
        header: what the vectors have in common; None where there are none.
        facts: what the store says of itself.
        records: how many there are.
        contents: how many different contents.
        kinds: records by kind.
        formats: records by the ending of their file.
        root: folder that all files lie below; empty where there is none.
        folders: records by folder below the root.
        columns: the columns of metadata.
        vectors: number by name.
        sampled: how many records' vectors were looked at, where that was a sample.
        duplicates: by name of vector.
        coverage: by name of vector.
        paths: of the items that duplicates and coverage name.
    """

    header: Header | None
    facts: Mapping[str, Any]
    records: int
    contents: int
    kinds: Mapping[str, int]
    formats: Mapping[str, int]
    root: str
    folders: Mapping[str, int]
    columns: Sequence[ColumnFacts]
    vectors: Mapping[str, int]
    sampled: int | None
    duplicates: Mapping[str, NearDuplicates]
    coverage: Mapping[str, Coverage]
    paths: Mapping[int, str]


def look_over(
    store: Store,
    where: Condition | None = None,
    *,
    near: float | None = NEAR,
    words: Sequence[str] = (),
    model: Model | None = None,
    progress: Progress | None = None,
) -> Overview:
    """What a collection holds; of more than 100,000 records the vectors of an even sample are compared.

    Args:
        store: of the collection.
        where: a condition on the records; None for all.
        near: cosine from which on vectors are near-duplicates; None to compare none.
        words: a vocabulary; empty to do without.
        model: of the collection's space, for the vocabulary.
        progress: called with what is done, how much of it, and of how much.

    Raises:
        ConditionError: if the condition names a column that no record has.
        DataError: if the collection cannot be read.
    """
    report = progress or (lambda what, done, total: None)
    if where is not None:
        where.check(store.columns())
    ids, header = store.select(where), store.header()
    counted = _count(store, ids, report)
    sample = ids[np.linspace(0, len(ids) - 1, MOST_VECTORS).astype(int)] if len(ids) > MOST_VECTORS else ids
    vectors: dict[str, int] = {}
    duplicates: dict[str, NearDuplicates] = {}
    coverage: dict[str, Coverage] = {}
    wanted = near is not None or (words and model is not None)
    for name in sorted(header.towers) if header is not None and wanted else ():
        assert header is not None
        found = _vectors(store, name, sample, header.dim, report)
        there = np.isfinite(found).all(axis=1)
        if not there.any():
            continue
        vectors[name], kept = int(there.sum()), sample[there]
        own = found if there.all() else found[there]
        if near is not None:
            duplicates[name] = _duplicates(header, own, kept, near, name, report)
        if words and model is not None:
            coverage[name] = cover(model, words, own, kept)
    named = _named(duplicates.values(), coverage.values())
    return Overview(
        header=header,
        facts=store.facts(),
        records=len(ids),
        vectors=vectors,
        sampled=len(sample) if len(sample) < len(ids) else None,
        duplicates=duplicates,
        coverage=coverage,
        paths={r.id: f"{r.trace.path} {r.trace.part}".rstrip() for r in store.records(sorted(named))},
        **counted,
    )


def _count(store: Store, ids: Ids, report: Progress) -> dict[str, Any]:
    kinds: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    folders: Counter[str] = Counter()
    contents = set()
    types = store.columns()
    columns: dict[str, ColumnFacts] = {}
    for record in _records(store, ids, report):
        kinds[record.kind] += 1
        formats[_ending(record.trace.path)] += 1
        folders[folder_of(record.trace.path)] += 1
        contents.add(sameness(record))
        for name, value in record.metadata.items():
            columns.setdefault(name, ColumnFacts(name, types.get(name, "text"))).take(value)
    root, below = _below_root(folders)
    return {
        "kinds": dict(kinds.most_common()),
        "formats": dict(formats.most_common()),
        "root": root,
        "folders": dict(below.most_common()),
        "contents": len(contents),
        "columns": [columns[name] for name in sorted(columns)],
    }


def _records(store: Store, ids: Ids, report: Progress) -> Iterator[Record]:
    for start in range(0, len(ids), RECORDS_A_TIME):
        yield from store.records(ids[start : start + RECORDS_A_TIME].tolist())
        report("Counting", min(start + RECORDS_A_TIME, len(ids)), len(ids))


def _ending(path: str) -> str:
    place = path.rpartition("::")[2] if URI.match(path) else path
    return PurePosixPath(place.replace("\\", "/")).suffix.lower().lstrip(".") or "none"


def _below_root(folders: Counter[str]) -> tuple[str, Counter[str]]:
    """The folder that all lie in, and how many lie in each folder just below it, "." for itself."""
    parts = {folder: folder.replace(os.sep, "/").split("/") for folder in folders}
    levels = zip(*parts.values(), strict=False)  # as many as the shortest has
    shared = [level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels)]
    below: Counter[str] = Counter()
    for folder, count in folders.items():
        rest = parts[folder][len(shared) :]
        below[rest[0] if rest else "."] += count
    return "/".join(shared), below


def _vectors(store: Store, name: str, ids: Ids, dim: int, report: Progress) -> Array:
    rows = np.zeros((len(ids), dim), np.float32)
    for start in range(0, len(ids), RECORDS_A_TIME):
        part = ids[start : start + RECORDS_A_TIME].tolist()
        rows[start : start + len(part)] = store.vectors(name, part)
        report(f"Reading {name} vectors", min(start + RECORDS_A_TIME, len(ids)), len(ids))
    return rows


def _duplicates(
    header: Header, vectors: Array, ids: Ids, near: float, name: str, report: Progress
) -> NearDuplicates:
    space = header.own_space()
    told = f"Comparing {name} vectors"
    centred = np.zeros_like(vectors)
    for start in range(0, len(vectors), RECORDS_A_TIME):  # at once it would take room for several times as many
        part = slice(start, start + RECORDS_A_TIME)
        centred[part] = space.centre(vectors[part])
    groups = near_groups(centred, near, lambda done, total: report(told, done, total))
    leaders, sizes = np.unique(groups, return_counts=True)
    several = sizes > 1
    order = np.argsort(-sizes, kind="stable")[:GROUPS_SHOWN]
    largest = tuple(tuple(ids[groups == leaders[i]].tolist()) for i in order if sizes[i] > 1)
    return NearDuplicates(near, len(ids), int(several.sum()), int(sizes[several].sum()), largest)


def _named(duplicates: Iterable[NearDuplicates], coverage: Iterable[Coverage]) -> set[int]:
    named = {i for found in duplicates for group in found.largest for i in group[:3]}
    for found in coverage:
        named |= {i for covered in found.labels for i in covered.examples} | set(found.unfit)
    return named

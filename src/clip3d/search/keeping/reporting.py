"""What is to be done with files that are put into a collection, and what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from clip3d.errors import FileProblem, ShapeError
from clip3d.models.card import Modality
from clip3d.search.conditions.columns import check_name
from clip3d.search.embedding import Reading
from clip3d.search.stores.frame_vectors import VIEW_KINDS, ViewKind
from clip3d.search.stores.store import Value

Status = Literal["added", "replaced", "moved", "unchanged", "vanished", "pruned", "failed"]
STATUSES: tuple[Status, ...] = ("added", "replaced", "moved", "unchanged", "vanished", "pruned", "failed")


@dataclass(frozen=True)
class Change:
    """What was done with one file; when it is told, it is kept.

    Attributes:
        status: added, replaced (its content or the model changed), moved (its record is at the new place),
            unchanged, vanished (its record is still there), pruned (its record is removed), or failed.
        path: of the file, as its record names it.
        source: where a moved file was.
        problem: why it failed.
    """

    status: Status
    path: str
    source: str | None = None
    problem: FileProblem | None = None


@dataclass
class Report:
    """What a run did.

    Attributes:
        counts: files by status.
        described: how many records got other metadata, among those of any status.
        computed: how many vectors were not in the cache.
        problems: the files that failed, and why.
        notes: what a user should know besides.
    """

    counts: Counter[Status] = field(default_factory=Counter)
    described: int = 0
    computed: int = 0
    problems: list[FileProblem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Number of files that are in the collection and up to date."""
        return sum(self.counts[status] for status in ("added", "replaced", "moved", "unchanged"))

    def take(self, changes: Iterable[Change], tell: Callable[[Change], None]) -> None:
        """Count changes, and tell each."""
        for change in changes:
            self.counts[change.status] += 1
            if change.problem is not None:
                self.problems.append(change.problem)
            tell(change)

    def add(self, other: Report) -> None:
        """Take in what another run did."""
        self.counts.update(other.counts)
        self.described += other.described
        self.computed += other.computed
        self.problems += other.problems
        self.notes += other.notes

    def counted(self) -> dict[str, int]:
        """Files by status, in a fixed order."""
        return {status: self.counts[status] for status in STATUSES}


@dataclass(frozen=True)
class Plan:
    """How files are put into a collection; ShapeError if metadata have a name that no column can
    have, or views are none.

    Attributes:
        reading: how cloud files are read.
        only: this modality alone, "sweep" for frames; None for all that the model has a tower for.
        prune: remove the records of files that vanished.
        reindex: make vectors anew: all, or where they are this model's those of `only`.
        thumbnails: keep small pictures.
        views: of frames of driving logs that are kept.
        metadata: what is said of each file.
        table: what is said of single files, by absolute path; it goes before `metadata`.
        ray: address of a Ray cluster whose machines encode driving logs; None for this machine alone.
    """

    reading: Reading = field(default_factory=Reading)
    only: Modality | None = None
    prune: bool = False
    reindex: bool = False
    thumbnails: bool = True
    views: tuple[ViewKind, ...] = VIEW_KINDS
    metadata: Mapping[str, Value] = field(default_factory=dict)
    table: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    ray: str | None = None

    def __post_init__(self) -> None:
        for name in self.metadata:
            check_name(name)
        if not self.views or any(view not in VIEW_KINDS for view in self.views):
            raise ShapeError(f"views are some of {', '.join(VIEW_KINDS)}, got {', '.join(self.views) or 'none'}")

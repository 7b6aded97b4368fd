"""A collection answers a query: candidates in growing numbers, until enough of them stand as answers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.remote import URI
from clip3d.errors import DataError, ShapeError
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.conditions.columns import FIXED, nearest_name
from clip3d.search.embedding import Reading
from clip3d.search.questions.aims import Aims, find_aims
from clip3d.search.questions.answers import Answers, Hit
from clip3d.search.questions.candidates import Candidates, Compared, find_candidates, finder_of, scores_by_name
from clip3d.search.questions.choosing import (
    DIVERSIFIED,
    diversify,
    fold_neighbours,
    gather_copies,
    limit_groups,
    sameness,
)
from clip3d.search.questions.frame_names import PICTURES
from clip3d.search.questions.query import Query
from clip3d.search.stores.frame_vectors import FRAME_NAMES
from clip3d.search.stores.signing import check_model
from clip3d.search.stores.store import ROUNDING, Record, Store, Value
from clip3d.spaces import unit

Array = NDArray[np.float32]
Places = NDArray[np.int64]

GROWTH = 4
# Share of a collection's items that words are supposed to mean: of many that are not some come near by chance.
MEANT = 0.01
MOST_CANDIDATES = 20_000
OF_OBJECTS = "what fits was measured on single objects, not on frames of drives: of these it may err either way"
FOLDER = "folder"


def answer(
    store: Store, model: Model, query: Query, *, reading: Reading | None = None, cache: VectorCache | None = None
) -> Answers:
    """The answers of a collection to a query.

    Items that are the query themselves, and what has their content, are no answers. Pages of one query fit
    together: a page holds what the answers of a larger k would hold at these ranks.

    Args:
        store: of the collection.
        model: of the collection's space, with a tower for each kind of wish.
        query: what is asked.
        reading: how clouds of the query are read; as the collection's were, to be comparable.
        cache: of vectors of clouds of the query; None opens the user's.

    Raises:
        DataError: if the collection is empty, or an item of the query is not in it.
        SpaceMismatch: if the collection is of another space, or of a model of other weights.
        ConditionError: if the condition names a column that no record has.
        ShapeError: if the query asks for vectors or groups that the collection does not have.
        ModelError: if the model lacks a tower, or its card does not say how to tell what fits.
        ImageError, CloudError: if a file of the query cannot be read.
    """
    header = store.header()
    if header is None:
        raise DataError(store.address, "the collection is empty", "put files into it with clip3d index")
    check_model(store.address, header, model)
    _check_columns(query, store)
    aims = find_aims(query, store, header, model, reading=reading, cache=cache)
    return _Answering(store, model, query, aims).answers()


@dataclass(frozen=True, eq=False)
class _Chosen:
    """Answers among candidates: their places in order, copies and groups, and how many were chosen among."""

    places: Places
    copies: Places | None
    groups: list[Value]
    leaders: int


class _Answering:
    """The state of one question."""

    def __init__(self, store: Store, model: Model, query: Query, aims: Aims) -> None:
        self.store = store
        self.model = model
        self.query = query
        self.aims = aims
        self.compared = Compared(store, model.space, aims.aims)
        self.finders = [finder_of(store, model.space, aim, query.where) for aim in aims.aims]
        self.folds = query.fold > 0 and any({PICTURES, *FRAME_NAMES} & set(aim.names) for aim in aims.aims)
        self._folded: dict[int, int] = {}
        self._records: dict[int, Record] = {}

    def answers(self) -> Answers:
        wanted = self.query.offset + self.query.k
        n = self._first_number(wanted)
        while True:
            candidates = find_candidates(self.finders, n)
            standing = self._fold(self._standing(candidates))
            chosen = self._choose(standing)
            if candidates.all or self._enough(chosen, candidates, standing, wanted):
                break
            if n >= MOST_CANDIDATES:
                note = f"answers and copies are told from the best {n} items alone"
                return self._result(standing, chosen, (note,))
            n = min(GROWTH * n, MOST_CANDIDATES)
        return self._result(standing, chosen, ())

    def _first_number(self, wanted: int) -> int:
        query = self.query
        chooses = self.folds or query.unique or query.near or query.group or query.confident
        n = wanted + len(self.aims.contents) + 1
        if query.diversity:
            n = max(n, DIVERSIFIED + len(self.aims.contents))
        return min(GROWTH * n if chooses else n, MOST_CANDIDATES)

    def _standing(self, candidates: Candidates) -> Candidates:
        """The candidates that are answers whatever the others are."""
        self._fetch(candidates.ids)
        keep = np.array([int(i) in self._records for i in candidates.ids], bool)  # some may be gone by now
        if self.query.threshold is not None:
            keep &= candidates.scores >= self.query.threshold
        if self.aims.itself or self.aims.contents:
            keep &= [not self._is_query(self._records.get(int(i))) for i in candidates.ids]
        if self.query.confident:
            keep[keep] = self._fits(candidates.ids[keep]) >= self.model.refusal.threshold
        return Candidates(candidates.ids[keep], candidates.scores[keep], candidates.aim[keep], candidates.all)

    def _fold(self, standing: Candidates) -> Candidates:
        """Frames near each other in a log become one, the best; those near the query itself are no answers."""
        if not self.folds:
            return standing
        self._fetch(np.array(sorted(self.aims.itself), np.int64))
        asked = [_moment(self._records[i]) for i in sorted(self.aims.itself) if i in self._records]
        moments = [*asked, *(_moment(record) for record in self._records_of(standing.ids))]
        places, folded = fold_neighbours(moments, self.query.fold)
        own = places >= len(asked)
        places, folded = places[own] - len(asked), folded[own]
        self._folded = dict(zip(standing.ids[places].tolist(), folded.tolist(), strict=True))
        return _taken(standing, places)

    def _is_query(self, record: Record | None) -> bool:
        if record is None or record.id in self.aims.itself:
            return True
        return sameness(record) in self.aims.contents

    def _choose(self, standing: Candidates) -> _Chosen:
        query = self.query
        places, copies = np.arange(len(standing)), None
        if query.unique or query.near:
            keys = [sameness(record) for record in self._records_of(standing.ids)]
            vectors = self.compared.of(standing) if query.near else None
            places, copies = gather_copies(keys, vectors, query.near or 1.0, self._most_leaders())
        leaders = len(places)
        if query.diversity:
            first = places[:DIVERSIFIED]
            best = _taken(standing, first)
            order = diversify(best.scores, self.compared.of(best), query.diversity)
            places = np.concatenate([first[order], places[DIVERSIFIED:]])
            if copies is not None:
                copies = np.concatenate([copies[:DIVERSIFIED][order], copies[DIVERSIFIED:]])
        if query.group is None:
            return _Chosen(places, copies, [None] * len(places), leaders)
        groups = [value_of(record, query.group) for record in self._records_of(standing.ids[places])]
        kept = limit_groups(groups, query.per_group)
        return _Chosen(places[kept], None if copies is None else copies[kept], [groups[i] for i in kept], leaders)

    def _most_leaders(self) -> int | None:
        """After so many that are no copies, others do not change what is listed."""
        if self.query.group is not None:
            return None
        wanted = self.query.offset + self.query.k
        return max(wanted, DIVERSIFIED) if self.query.diversity else wanted

    def _enough(self, chosen: _Chosen, candidates: Candidates, standing: Candidates, wanted: int) -> bool:
        """Whether further candidates change nothing: not the answers, nor the number of their copies."""
        last = float(candidates.scores[-1])
        if self.query.threshold is not None and last < self.query.threshold:
            return True
        if len(chosen.places) < wanted or (self.query.diversity and chosen.leaders < DIVERSIFIED):
            return False
        if chosen.copies is None:
            return True
        return last < float(standing.scores[chosen.places[:wanted]].min()) - self._margin()

    def _margin(self) -> float:
        """By how much the score of a copy may lie below that of what it is a copy of."""
        if self.query.near is None:
            return ROUNDING
        apart = float(np.sqrt(max(2 - 2 * self.query.near, 0.0)))
        return ROUNDING + apart * max(aim.length * float(np.sqrt(len(aim.names))) for aim in self.aims.aims)

    def _result(self, standing: Candidates, chosen: _Chosen, notes: tuple[str, ...]) -> Answers:
        page = slice(self.query.offset, self.query.offset + self.query.k)
        shown = _taken(standing, chosen.places[page])
        copies = chosen.copies if chosen.copies is None else chosen.copies[page]
        ids = [int(i) for i in shown.ids]
        scores = scores_by_name(self.store, self.model.space, self.aims.aims, ids)
        fits = self._fits(shown.ids) if self._can_tell() and ids else None
        hits = tuple(
            Hit(
                rank=self.query.offset + place + 1,
                score=float(shown.scores[place]),
                record=record,
                # what a model can tell of single objects it cannot of scenes
                fit=None if fits is None or self._is_scene(record) else float(fits[place]),
                copies=None if copies is None else int(copies[place]),
                group=chosen.groups[page][place],
                scores=scores[record.id],
                folded=self._folded.get(record.id) if record.kind == "frame" else None,
            )
            for place, record in enumerate(self._records_of(shown.ids))
        )
        told, itself = (*notes, *self._doubts(hits)), tuple(sorted(self.aims.itself))
        directions = {name: unit(d[None])[0] for aim in self.aims.aims for name, d in aim.directions.items()}
        return Answers(hits, self.query, self.model.id, self.store.address, told, itself, directions)

    def _doubts(self, hits: Sequence[Hit]) -> tuple[str, ...]:
        """A note if what is listed may not fit, or nothing is listed since nothing fits."""
        if not self._can_tell() or self.query.offset:
            return ()
        if self.query.confident:
            none = () if hits else ("nothing here fits these words",)
            frames = any(FRAME_NAMES.intersection(aim.names) for aim in self.aims.aims)
            seen = not hits or any(hit.record.kind == "frame" for hit in hits)
            return (*none, OF_OBJECTS) if frames and seen else none
        best = max((hit.fit for hit in hits if hit.fit is not None), default=None)
        if best is None or any(hit.fit is None for hit in hits) or best >= self.model.refusal.threshold:
            return ()
        return (f"nothing here may fit these words: the best chance is {best:.2f}",)

    def _is_scene(self, record: Record) -> bool:
        return record.kind == "frame" and not self.query.confident

    def _can_tell(self) -> bool:
        told = self.query.confident or bool(self.model.card.refusal)
        return told and self.query.in_words and self.aims.words is not None

    def _fits(self, ids: Places) -> Array:
        """Chance (n,) that the words fit each record, by the best of its vectors."""
        assert self.aims.words is not None
        chances = np.zeros(len(ids), np.float32)
        for aim in self.aims.aims:
            for name in aim.names:
                vectors = self.store.vectors(name, ids.tolist())
                there = np.isfinite(vectors).all(axis=1)
                if there.any():
                    refusal, words = self.model.refusal, self.aims.words[None]
                    told = refusal.scores(self.model.space, vectors[there], words, meant=MEANT)
                    chances[there] = np.maximum(chances[there], told)
        return chances

    def _fetch(self, ids: Places) -> None:
        new = [int(i) for i in ids if int(i) not in self._records]
        self._records.update((record.id, record) for record in self.store.records(new))

    def _records_of(self, ids: Places) -> list[Record]:
        return [self._records[int(i)] for i in ids]


def value_of(record: Record, column: str) -> Value:
    """What a record says in a column: one that every record has, "folder", or one of the metadata."""
    trace = record.trace
    if column == FOLDER:
        return folder_of(trace.path)
    if column == "name":
        return trace.path.rpartition("/")[2] if URI.match(trace.path) else PurePath(trace.path).name
    fixed: dict[str, Value] = {
        "path": trace.path,
        "part": trace.part,
        "kind": record.kind,
        "content": trace.content,
        "indexed": record.indexed,
    }
    return fixed[column] if column in fixed else record.metadata.get(column)


def folder_of(path: str) -> str:
    """The folder that a path or URI lies in."""
    return path.rpartition("/")[0] if URI.match(path) else os.path.dirname(path)  # noqa: PTH120


def _moment(record: Record) -> tuple[str, float] | None:
    """The log that a view of a frame is of, and when it was seen; None for what is no frame with a time."""
    time = record.metadata.get("time")
    if record.kind != "frame" or isinstance(time, bool) or not isinstance(time, int | float):
        return None
    return f"{record.trace.path}#{record.metadata.get('sequence', '')}", float(time)


def _taken(candidates: Candidates, places: Places) -> Candidates:
    return Candidates(candidates.ids[places], candidates.scores[places], candidates.aim[places], candidates.all)


def _check_columns(query: Query, store: Store) -> None:
    if query.where is None and (query.group is None or query.group in (FOLDER, *FIXED)):
        return  # to list the columns of a large collection takes a while
    known = [FOLDER, *FIXED, *store.columns()]
    if query.where is not None:
        query.where.check(known[1:])
    if query.group is not None and query.group not in known:
        near = nearest_name(query.group, known)
        guess = f"did you mean {near}? " if near else ""
        listed = ", ".join(dict.fromkeys(known))
        raise ShapeError(f"there is no column {query.group!r} to group by; {guess}there are: {listed}")

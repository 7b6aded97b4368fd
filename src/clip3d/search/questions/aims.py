"""Wishes become directions: what each kind of vector of a collection is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import DataError, ShapeError
from clip3d.joint_rules import ONE_QUERY, TWO_QUERIES, Rule
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.conditions.where import Condition
from clip3d.search.embedding import Reading, embed_file
from clip3d.search.keeping.vanished import absolute
from clip3d.search.pictures import open_image
from clip3d.search.questions.choosing import Sameness, sameness
from clip3d.search.questions.frame_names import FrameNames
from clip3d.search.questions.query import Query, Wish
from clip3d.search.stores.frame_vectors import FRAME_NAMES
from clip3d.search.stores.store import Header, Record, Store

Array = NDArray[np.float32]

MOST_ID = 2**63 - 1
LONGEST_ID = len(str(MOST_ID))
SPREAD_SAMPLE = 2000  # records from which the spread of a sensor's cosines is taken


@dataclass(frozen=True, eq=False)
class Aim:
    """What to look for among records that have all vectors of some names.

    Attributes:
        directions: (d,) by name of vector; a single one has unit length, of several the lengths add up to 1.
        rule: makes one ranking of those of lidar and camera, in this order; None for the sum of products.
        beside: further names of vectors whose scores are told.
    """

    directions: dict[str, Array]
    rule: Rule | None = None
    beside: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the vectors."""
        return tuple(self.directions)

    @property
    def length(self) -> float:
        """Length of all directions as one vector."""
        return float(np.sqrt(sum(float(direction @ direction) for direction in self.directions.values())))


@dataclass(frozen=True, eq=False)
class Aims:
    """What a query aims at.

    Attributes:
        aims: alternatives; a record's score is that of the best.
        words: (d,) what the wishes in words say together; None if there are none.
        itself: ids of the items of the query, which are no answers to it.
        contents: content and part of the items and clouds of the query; what equals them is no answer either.
    """

    aims: tuple[Aim, ...]
    words: Array | None
    itself: frozenset[int]
    contents: frozenset[Sameness]


@dataclass(frozen=True, eq=False)
class _Meaning:
    """The vectors (n, d) of one wish, by name of vector where these differ, and the items that they are of."""

    wish: Wish
    vectors: Array | None = None
    by_name: dict[str, Array] | None = None
    records: tuple[Record, ...] = ()
    contents: tuple[str, ...] = ()

    def of(self, name: str) -> Array:
        """The vectors to compare those of a name with: of its own name, or what there is."""
        if self.vectors is not None:
            return self.vectors
        assert self.by_name is not None
        return self.by_name.get(name, next(iter(self.by_name.values())))


def find_aims(
    query: Query,
    store: Store,
    header: Header,
    model: Model,
    *,
    reading: Reading | None = None,
    cache: VectorCache | None = None,
) -> Aims:
    """The directions of a query.

    Raises:
        ShapeError: if the collection has no vectors of a sensor's name, or no item of an id or path.
        ModelError: if the model lacks a tower that is needed.
        ImageError, CloudError: if a file of the query cannot be read.
    """
    named = FrameNames.of(query.over, header)
    _check_names([named.of_sensor(sensor) for sensor in query.sensors], header)
    templates = query.templates or None
    meanings = [_meaning(wish, store, header, model, reading, cache, templates) for wish in query.wishes]
    records = [record for meaning in meanings if meaning.wish.weight > 0 for record in meaning.records]
    keys = [sameness(record) for record in records]
    keys += [(content, "") for meaning in meanings for content in meaning.contents if content]
    texts = [meaning.vectors for meaning in meanings if meaning.wish.kind == "text" and meaning.wish.weight > 0]
    return Aims(
        aims=_aims(query, named, meanings, store, header, model),
        words=model.space.ensemble(np.concatenate([v for v in texts if v is not None])) if texts else None,
        itself=frozenset(record.id for record in records),
        contents=frozenset(keys),
    )


def _check_names(names: Sequence[str], header: Header) -> None:
    for name in names:
        if name not in header.towers:
            known = ", ".join(sorted(header.towers))
            raise ShapeError(f"the collection has no {name} vectors; it has: {known}")


def _aims(
    query: Query, named: FrameNames, meanings: list[_Meaning], store: Store, header: Header, model: Model
) -> tuple[Aim, ...]:
    if len(query.sensors) == 1:
        (sensor,) = query.sensors
        name = named.of_sensor(sensor)
        return (Aim({name: _direction(name, sensor, meanings, model)}),)
    if query.sensors:
        rule = query.rule or TWO_QUERIES
        names = {named.of_sensor(sensor): sensor for sensor in sorted(query.sensors, key=lambda s: s != "lidar")}
        directions = {name: _direction(name, sensor, meanings, model) for name, sensor in names.items()}
        asked = {
            name: sum(m.wish.weight for m in meanings if m.wish.sensor in (sensor, None) and m.wish.weight > 0)
            for name, sensor in names.items()
        }
        return (_joint(rule, directions, asked, query, store, model),)
    frames = _of_frames(query, named, meanings, store, model)
    if query.rule is not None or query.over is not None:
        if not frames:
            raise ShapeError(f"the collection has no vectors of {named.said}; it has: {', '.join(header.towers)}")
        return frames
    others = sorted(set(header.towers) - FRAME_NAMES)
    return (*(Aim({name: _direction(name, None, meanings, model)}) for name in others), *frames)


def _of_frames(
    query: Query, named: FrameNames, meanings: list[_Meaning], store: Store, model: Model
) -> tuple[Aim, ...]:
    """What views of frames are asked where the same is put to both sensors."""
    rule, names = query.rule or ONE_QUERY, named.names
    if rule == "features" and "joint" in names:
        beside = tuple(names[sensor] for sensor in ("lidar", "camera") if sensor in names)
        return (Aim({names["joint"]: _direction(names["joint"], None, meanings, model)}, beside=beside),)
    if query.rule is not None and not {"lidar", "camera"} <= set(names):
        raise ShapeError(f"the rule {query.rule} needs lidar and camera, and {named.said} have not both here")
    if query.rule is None:
        return tuple(Aim({name: _direction(name, None, meanings, model)}) for name in named.alone)
    directions = {names[sensor]: _direction(names[sensor], None, meanings, model) for sensor in ("lidar", "camera")}
    return (_joint(rule, directions, dict.fromkeys(directions, 1.0), query, store, model),)


def _joint(
    rule: Rule, directions: dict[str, Array], asked: dict[str, float], query: Query, store: Store, model: Model
) -> Aim:
    """The aim of a rule at the vectors of lidar and camera."""
    shares = asked
    if rule == "standard-scores":
        spread = _spreads(directions, store, model, query.where)
        shares = {name: share / spread[name] for name, share in shares.items()}
    total = sum(shares.values())
    weighed = {name: np.float32(shares[name] / total) * directions[name] for name in directions}
    return Aim(weighed, None if rule in ("scores", "standard-scores") else rule)


def _direction(name: str, sensor: str | None, meanings: list[_Meaning], model: Model) -> Array:
    """The centred direction (d,) that the wishes put to a sensor, or to none, give for vectors of a name."""
    rows: dict[bool, list[Array]] = {True: [], False: []}
    shares: dict[bool, list[float]] = {True: [], False: []}
    for meaning in meanings:
        if meaning.wish.sensor in (sensor, None):
            vectors = meaning.of(name)
            wanted = meaning.wish.weight > 0
            rows[wanted].append(vectors)
            shares[wanted] += [abs(meaning.wish.weight) / len(vectors)] * len(vectors)
    if not rows[True]:
        raise ShapeError(f"nothing is asked of the {name} vectors")
    away = np.concatenate(rows[False]) if rows[False] else None
    return model.space.query(
        np.concatenate(rows[True]), away, shares=shares[True], negative_shares=shares[False] or None
    )


def _spreads(
    directions: dict[str, Array], store: Store, model: Model, where: Condition | None
) -> dict[str, float]:
    """Standard deviation of each name's cosines over a sample of the records."""
    ids = store.select(where)
    if FRAME_NAMES.issuperset(directions):
        ids = np.intersect1d(ids, store.select(Condition.equal("kind", "frame")))
    # Drawn, not every so-and-so-many-th: views of one kind stand at even distances.
    drawn = np.random.default_rng(0).permutation(len(ids))[:SPREAD_SAMPLE]
    sample = ids[np.sort(drawn)]
    spreads = {}
    for name, direction in directions.items():
        vectors = store.vectors(name, sample.tolist())
        there = vectors[np.isfinite(vectors).all(axis=1)]
        scores = model.space.scores(direction, there) if len(there) > 1 else np.ones(1)
        spreads[name] = max(float(scores.std()), 1e-3) if len(there) > 1 else 1.0
    return spreads


def _meaning(
    wish: Wish,
    store: Store,
    header: Header,
    model: Model,
    reading: Reading | None,
    cache: VectorCache | None,
    templates: Sequence[str] | None,
) -> _Meaning:
    if wish.kind == "text":
        return _Meaning(wish, model.encode_texts([str(wish.value)], templates))
    if wish.kind == "image":
        return _Meaning(wish, model.encode_images([open_image(str(wish.value))]))
    if wish.kind == "cloud":
        return _of_cloud(wish, model, reading, cache)
    records = _items(wish, store)
    ids = [record.id for record in records]
    found = {name: store.vectors(name, ids) for name in sorted(header.towers)}
    there = {name: v[np.isfinite(v).all(axis=1)] for name, v in found.items()}
    return _Meaning(wish, by_name={name: v for name, v in there.items() if len(v)}, records=tuple(records))


def _of_cloud(wish: Wish, model: Model, reading: Reading | None, cache: VectorCache | None) -> _Meaning:
    kept = VectorCache() if cache is None else cache
    try:
        embedded = embed_file(model, str(wish.value), cache=kept, reading=reading)
    finally:
        if cache is None:
            kept.close()
    return _Meaning(wish, embedded.vectors, contents=tuple(embedded.contents))


def _items(wish: Wish, store: Store) -> list[Record]:
    """The item of an id, or that of a path."""
    if isinstance(wish.value, int) or wish.value.isdecimal():
        known = len(str(wish.value)) <= LONGEST_ID and 0 < int(wish.value) <= MOST_ID
        found = store.records([int(wish.value)]) if known else []
        if not found:
            raise ShapeError(f"the collection {store.address} has no item {str(wish.value)[: LONGEST_ID + 1]}")
        return found
    path = absolute(wish.value)
    found = store.records(store.select(Condition.equal("path", path)).tolist())
    if not found:
        raise DataError(path, f"it is no item of the collection {store.address}", "index it, or give an item's id")
    if len(found) > 1:
        some = ", ".join(f"{record.id} ({record.trace.part})" for record in found[:3])
        raise DataError(path, f"it has {len(found)} parts in the collection", f"give the id of one: {some}, ...")
    return found

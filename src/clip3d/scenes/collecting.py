"""Scans in a collection, part by part: a building is a collection of rooms, and is asked as one scene is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.remote import RemotePath, as_path
from clip3d.errors import CloudError, DataError, FileProblem, ShapeError
from clip3d.models.fingerprint import fingerprint
from clip3d.models.vector_cache import VectorCache
from clip3d.scenes.answering import THRESHOLD, Seen, scores_of
from clip3d.scenes.opening import MESH_POINTS, open_scene
from clip3d.scenes.parted import FORM
from clip3d.scenes.scene import MOST_ANSWERS, Scene
from clip3d.scenes.segmenting import Method, check_method
from clip3d.scenes.vocabulary import INDOORS
from clip3d.search.collection import Collection
from clip3d.search.conditions.columns import check_name
from clip3d.search.conditions.where import Condition
from clip3d.search.embedding import Progress, Reading
from clip3d.search.keeping.known import DIGITS, Known
from clip3d.search.keeping.reporting import Change, Report
from clip3d.search.keeping.vanished import Places, absolute, below
from clip3d.search.stores.kept_values import metadata_text
from clip3d.search.stores.store import Entry, Record, Trace, Value
from clip3d.spaces import rank

PathName = str | PathLike[str]

SEGMENTS = "kind = 'segment'"
SEEN = ("scales", "touching", "area", "on_wall", "to_wall", "width", "depth", "height", "above_floor")
BOX = ("x", "y", "z", "size_x", "size_y", "size_z")
# What a record says of its part by itself.
FACTS = ("room", *BOX, *SEEN, "yaw", "unit")
# Of two answers in one room whose boxes share so much of the smaller, only the better one stands.
SHARED = 0.3


@dataclass(frozen=True, eq=False)
class Place:
    """An answer in a room of a collection.

    Attributes:
        score: chance in [0, 1] that the phrase names it.
        record: of the part, its metadata among it.
    """

    score: float
    record: Record

    @property
    def center(self) -> tuple[float, float, float]:
        """Of its box, in the scan's own axes and unit."""
        x, y, z = (_number(self.record, name) for name in ("x", "y", "z"))
        return x, y, z

    @property
    def size(self) -> tuple[float, float, float]:
        """Width, depth and height of its box in metres."""
        width, depth, height = (_number(self.record, name) for name in ("width", "depth", "height"))
        return width, depth, height


def index_scenes(
    collection: Collection,
    paths: PathName | Iterable[PathName],
    *,
    segmenter: Method = "graph",
    metadata: Mapping[str, Value] | None = None,
    prune: bool = False,
    reading: Reading | None = None,
    cache: VectorCache | None = None,
    progress: Progress | None = None,
    tell: Callable[[Change], None] | None = None,
) -> Report:
    """Put scans into a collection, a record for each of their parts; what did not change is not parted again.

    Each record has the part's vector, and as metadata the room's file name (`room`), its box along the scan's own
    axes in the scan's unit (center `x`, `y`, `z` and sides `size_x`, `size_y`, `size_z`), `width`, `depth` and
    `height` of the smallest upright box in metres with its heading (`yaw`, degrees in the scan turned z up), how
    high it lies (`above_floor`, metres), and how well it is founded (`scales`, `touching`,
    `area` in square metres, `on_wall`, `to_wall` in metres). A scan that is parted anew may have other parts: what
    was said of all of its parts alike stays, what was said of a few goes.

    Args:
        collection: with a model that has a cloud tower.
        paths: scans, and folders that are searched through.
        segmenter: "graph", "clusters" or "kmeans".
        metadata: what is said of each part besides; also of those of scans that did not change.
        prune: remove the records of scans in these paths that vanished.
        reading: how the files are read; None draws a million points on a mesh.
        cache: of vectors, beside which scans in parts are kept; None opens the user's.
        progress: called with the number of scans done and of all.
        tell: called for each scan, once what was done with it is kept.

    Raises:
        ShapeError: if metadata have a name that no column can have, or that of a fact of parts, or a value that
            cannot be kept.
        DataError: if another process is writing, or the collection cannot be written.
        SpaceMismatch: if the collection's vectors are another model's.
        ModelError: if the model has no cloud tower.
    """
    metadata_text(metadata or {})
    for name in metadata or {}:
        _check_name(name)
    run = _Run(collection, check_method(segmenter), reading or Reading(points=MESH_POINTS), metadata or {}, tell)
    named = [paths] if isinstance(paths, str | PathLike) else paths
    given = [as_path(absolute(as_path(path))) for path in named]
    with nullcontext(cache) if cache is not None else VectorCache() as used:
        # opens the store, makes sure of the model, and makes anew what else is to be
        run.report.add(collection.index((), reading=run.reading, cache=used, tell=tell))
        with collection.store.writing():
            return run.over(given, used, prune, progress or (lambda done, total: None))


def _check_name(name: str) -> None:
    """ShapeError for a name that metadata of parts cannot have."""
    if check_name(name).lower() in FACTS:
        raise ShapeError(f"metadata cannot be named {name!r}: it is a fact of each part of a scan")


class _Run:
    """The state of one run."""

    def __init__(
        self,
        collection: Collection,
        method: Method,
        reading: Reading,
        metadata: Mapping[str, Value],
        tell: Callable[[Change], None] | None,
    ) -> None:
        self.collection = collection
        self.method = method
        self.reading = reading
        self.metadata = metadata
        self.tell = tell or (lambda change: None)
        self.report = Report()

    def over(self, given: Sequence[Path], cache: VectorCache, prune: bool, progress: Progress) -> Report:
        """Part what is new or changed, and tell what vanished."""
        store, model = self.collection.store, self.collection.model
        known: dict[str, list[Known]] = {}
        for item, trace in store.traces():
            if trace.part.startswith("part "):
                known.setdefault(trace.path, []).append(Known(item, trace))
        found = find_clouds(given)
        places = Places(problem.path for problem in found.problems)
        for done, file in enumerate(found.files):
            progress(done, len(found.files))
            before, digest = known.get(str(file), []), self._digest(file)
            records = store.records([k.id for k in before])
            if self._is_current(before, records, digest):
                self._describe(records)
                self.report.take([Change("unchanged", str(file))], self.tell)
                continue
            try:
                scene = open_scene(file, model, segmenter=self.method, reading=self.reading, cache=cache)
                entries = self._entries(scene, file, digest, _said(records))
            except (FileProblem, ShapeError) as error:
                problem = error if isinstance(error, FileProblem) else CloudError(file, str(error))
                self.report.take([Change("failed", str(file), problem=problem)], self.tell)
                continue
            store.put(entries)
            parts = {entry.trace.part for entry in entries}
            store.remove([k.id for k in before if k.trace.part not in parts])
            self.report.computed += len(entries)
            self.report.take([Change("replaced" if before else "added", str(file))], self.tell)
        progress(len(found.files), len(found.files))
        self._settle(known, given, {str(file) for file in found.files}, places, prune)
        self.report.take([Change("failed", p.path, problem=p) for p in found.problems], self.tell)
        return self.report

    def _digest(self, file: Path) -> str:
        """Of what decides the parts and their vectors besides the scan."""
        tower = self.collection.model.tower_card("cloud").id
        said = json.dumps([tower, self.reading.key(file), FORM, self.method], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:DIGITS]

    def _is_current(self, before: Sequence[Known], records: Sequence[Record], digest: str) -> bool:
        """Whether a scan's parts are those that it would be given now."""
        if not before or any(k.trace.reading != digest for k in before) or any(map(_lacking, records)):
            return False
        return before[0].is_current()

    def _describe(self, records: Sequence[Record]) -> None:
        """Give parts that stay what is said of them, where that is new."""
        told = {record.id: {**record.metadata, **self.metadata} for record in records}
        other = {record.id: told[record.id] for record in records if told[record.id] != record.metadata}
        if other:
            self.collection.store.describe(other)
            self.report.described += len(other)

    def _entries(self, scene: Scene, file: Path, digest: str, earlier: Mapping[str, Value]) -> list[Entry]:
        taken = fingerprint(scene.cloud.sources or (file,))
        trace = Trace(str(file), "", taken.content, digest, taken.sources, taken.stamps, taken.taken_ns)
        if not scene.parted.parts:
            raise CloudError(file, "nothing stands in it that could be an answer", "check unit and up axis")
        return [
            Entry(
                "segment",
                replace(trace, part=f"part {number}"),
                {"cloud": scene.parted.vectors[number]},
                {**earlier, **self.metadata, **_facts(scene, number, file.name)},
            )
            for number in range(len(scene.parted.parts))
        ]

    def _settle(
        self,
        known: Mapping[str, Sequence[Known]],
        given: Sequence[Path],
        listed: set[str],
        places: Places,
        prune: bool,
    ) -> None:
        roots = {str(path) for path in given if not isinstance(path, RemotePath)}
        for path, records in known.items():
            if path in listed or not below(path, roots) or places.state(path) != "gone":
                continue
            if prune:
                self.collection.store.remove([record.id for record in records])
            self.report.take([Change("pruned" if prune else "vanished", path)], self.tell)


def _said(records: Sequence[Record]) -> dict[str, Value]:
    """What was said of all parts of a scan alike besides their facts."""
    first = {} if not records else records[0].metadata
    return {
        name: value
        for name, value in first.items()
        if name not in FACTS and all(record.metadata.get(name) == value for record in records)
    }


def _lacking(record: Record) -> list[str]:
    """The facts that a record does not tell, as one of an older form may not."""
    return [name for name in FACTS if record.metadata.get(name) is None]


def _facts(scene: Scene, number: int, room: str) -> dict[str, Value]:
    part, box = scene.parted.parts[number], scene.boxes[number]
    x, y, z = (round(float(value), 4) for value in box.center)
    low, high = box.bounds()
    size_x, size_y, size_z = (round(float(side), 4) for side in high - low)
    width, depth, height = (round(float(side), 3) for side in part.box.size)
    yaw = round(float(np.degrees(np.arctan2(part.box.axes[0, 1], part.box.axes[0, 0]))), 1)
    return {
        "room": room,
        "x": x,
        "y": y,
        "z": z,
        "size_x": size_x,
        "size_y": size_y,
        "size_z": size_z,
        "width": width,
        "depth": depth,
        "height": height,
        "yaw": yaw,
        "above_floor": round(scene.parted.above_floor(part.box), 3),
        "scales": part.scales,
        "touching": round(part.touching, 3),
        "area": round(scene.parted.area(part), 4),
        "on_wall": int(scene.parted.on_wall(part)),
        "to_wall": round(scene.parted.to_wall(part.box), 3),
        "unit": scene.parted.unit,
    }


def ask_scenes(
    collection: Collection,
    words: str,
    *,
    k: int = MOST_ANSWERS,
    threshold: float = THRESHOLD,
    templates: Sequence[str] | None = None,
    where: str | None = None,
) -> list[Place]:
    """The places in all rooms of a collection that a phrase names, best first; no scan is read.

    Args:
        collection: that `index_scenes` put scans into.
        words: the phrase.
        k: at most so many places.
        threshold: least score of a place.
        templates: prompts with {} for the phrase; None for those of the model's card.
        where: a condition on the records, such as "room = 'kitchen.ply'".

    Raises:
        ShapeError: if the phrase is empty, or k below 1.
        DataError: if the collection has no parts of scenes, has some of an older form, or cannot be read.
        ConditionError: if the condition is wrong.
    """
    if not words.strip() or k < 1:
        raise ShapeError(f"a question needs words, and k of at least 1, got {words!r} and {k}")
    store, model = collection.store, collection.model
    ids = [int(i) for i in store.select(Condition(SEGMENTS if where is None else f"{SEGMENTS} and ({where})"))]
    records = store.records(ids)
    if not records:
        if where is not None:
            return []
        raise DataError(collection.address, "the collection has no parts of scenes", _index(collection))
    old = [record for record in records if _lacking(record)]
    if old:
        lacks = ", ".join(_lacking(old[0]))
        reason = f"{len(old)} of its parts of scans are of an older form, without {lacks}"
        raise DataError(collection.address, reason, f"bring it up to date: {_index(collection)}")
    vectors = store.vectors("cloud", [record.id for record in records])
    told = np.array([[_number(record, name) for name in SEEN] for record in records])
    seen = Seen(told[:, 0], told[:, 1], told[:, 2], told[:, 3] > 0, told[:, 4], told[:, 5:])
    label, background = model.label_vectors([words], templates), model.label_vectors(INDOORS)
    scores = scores_of(model.space, seen, vectors, [words], label, background)[:, 0]
    places: list[Place] = []
    bounds: dict[str, list[NDArray[np.float64]]] = {}
    for i in rank(scores):
        if scores[i] < threshold or len(places) == k:
            break
        own, others = _bounds(records[i]), bounds.setdefault(records[i].trace.path, [])
        if all(_shared(own, other) < SHARED for other in others):
            others.append(own)
            places.append(Place(float(scores[i]), records[i]))
    return places


def _index(collection: Collection) -> str:
    return f"clip3d index SCANS --db {collection.address} --only scenes"


def _number(record: Record, name: str) -> float:
    value = record.metadata[name]
    if not isinstance(value, int | float):
        raise DataError(record.trace.path, f"{name} of its {record.trace.part} is no number: {value!r}")
    return float(value)


def _bounds(record: Record) -> NDArray[np.float64]:
    """Least and largest coordinates (2, 3) of the box along the axes of the scan about a part."""
    told = np.array([_number(record, name) for name in BOX])
    center, half = told[:3], told[3:] / 2
    return np.stack([center - half, center + half])


def _shared(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    sides = np.maximum(np.minimum(a[1], b[1]) - np.maximum(a[0], b[0]), 0)
    smaller = min(float(np.prod(a[1] - a[0])), float(np.prod(b[1] - b[0])))
    return float(np.prod(sides)) / max(smaller, 1e-9)

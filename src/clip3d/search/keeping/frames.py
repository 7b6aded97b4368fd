"""Frames of driving logs are put into a collection, view by view, and brought up to date with their logs.

A view is a record: its lidar's and its camera's vector apart, and their sum, which search compares by default. What
a frame's files, calibration and labels left unchanged is not read again; a batch of frames is kept at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import Clip3dError, FileProblem, FrameError
from clip3d.joint_rules import joint_features
from clip3d.lidar.frame import Frame, Log
from clip3d.models.batching import in_batches
from clip3d.models.card import Modality
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache, vector_key
from clip3d.search.embedding import Progress, read_ahead
from clip3d.search.keeping.frame_reading import FrameReader, Place, ReadFrame, SeenView, facts_of
from clip3d.search.keeping.known import Known
from clip3d.search.keeping.reporting import Change, Plan, Report, Status
from clip3d.search.keeping.vanished import Places, below
from clip3d.search.stores.frame_vectors import WITHOUT_CAMERA, Sensor, ViewKind, names_of
from clip3d.search.stores.store import Entry, Store, Value
from clip3d.search.sweep_sources import find_sweeps
from clip3d.spaces import unit

Array = NDArray[np.float32]

FRAMES = 8  # encoded and kept together: an interruption loses so many
REMOVED_AT_A_TIME = 500
SENSORS: dict[Sensor, Modality] = {"lidar": "sweep", "camera": "image"}


@dataclass(frozen=True)
class _Job:
    """A frame to look at, and its records by part."""

    log: Log
    frame: Frame
    known: Mapping[str, Known]

    @property
    def name(self) -> str:
        return f"{self.log.path}#{self.frame.key}"


class FrameIndexing:
    """A run over driving logs; the caller holds the store's lock."""

    def __init__(
        self,
        store: Store,
        model: Model,
        plan: Plan,
        cache: VectorCache,
        progress: Progress | None = None,
        tell: Callable[[Change], None] | None = None,
    ) -> None:
        self.store = store
        self.model = model
        self.plan = plan
        self.cache = cache
        self.reader = FrameReader(model, plan.views, thumbnails=plan.thumbnails)
        self.progress = progress or (lambda done, total: None)
        self.tell = tell or (lambda change: None)
        self.report = Report()
        self._lost: dict[str, list[int]] = {}  # views of frames that are there, but the views are not

    def over(self, logs: Sequence[Log], roots: Iterable[str]) -> Report:
        """Bring the collection up to date with logs, and tell what vanished of and among them.

        Args:
            logs: all that were found.
            roots: absolute paths that they were found in.
        """
        known = _by_log(self.store)
        every = [*logs, *self._forgotten(known, {str(log.path) for log in logs})]
        total, done = sum(len(log) for log in every), 0
        self.progress(0, total)
        for batch in in_batches(read_ahead(self._jobs(every, known), self._look, _readers(), 2 * FRAMES), FRAMES):
            self._keep(batch)
            done += len(batch)
            self.progress(done, total)
        self._settle_vanished(every, set(roots), known)
        return self.report

    # What changed

    def _jobs(self, logs: Sequence[Log], known: Mapping[str, dict[str, Known]]) -> Iterator[_Job | FileProblem]:
        for log in logs:
            of_frames = _by_frame(known.get(str(log.path), {}), set(log.keys))
            for number in range(len(log)):
                try:
                    frame = log[number]
                    of_frame = of_frames.get(frame.key, {})
                    parts = [place.part for place in self.reader.places(frame)]
                    self._note_lost(log, frame, of_frame)
                    yield _Job(log, frame, {part: of_frame[part] for part in parts if part in of_frame})
                except FileProblem as problem:
                    yield problem
                except Clip3dError as error:
                    yield FrameError(log.path, f"frame {number}: {error}")

    def _note_lost(self, log: Log, frame: Frame, of_frame: Mapping[str, Known]) -> None:
        """Note views of a frame that it has no longer, as of a camera that the log does not name any more."""
        if frame.problems or log.problems:  # what is missing may be there again the next time
            return
        there = {place.part for place in self.reader.all_places(frame)}
        for part, one in of_frame.items():
            if part not in there:
                self._lost[f"{log.path}#{part}"] = [one.id]

    def _forgotten(self, known: Mapping[str, dict[str, Known]], named: set[str]) -> list[Log]:
        """Logs of records whose vectors are to be made anew, beside those that were named."""
        found: list[Log] = []
        for path, parts in known.items():
            lost = sum(not one.trace.reading for one in parts.values())
            if not lost or path in named:
                continue
            sources = find_sweeps([Path(path)], every=True) if Path(path).exists() else None
            if sources is None or not sources.logs:
                self.report.notes.append(f"{lost} views of {path} are still to be embedded: the log is not there")
            else:
                found += sources.logs
        return found

    def _look(self, job: _Job | FileProblem) -> tuple[_Job, ReadFrame | None] | FileProblem:
        """Read a frame, on any thread, unless all its views are up to date."""
        if isinstance(job, FileProblem):
            return job
        try:
            if self._is_current(job):
                return job, None
        except Clip3dError as error:
            return FrameError(job.name, str(error))
        read = self.reader.read(job.log, job.frame)
        return read if isinstance(read, FileProblem) else (job, read)

    def _is_current(self, job: _Job) -> bool:
        places = self.reader.places(job.frame)
        if not places or len(job.known) < len(places):
            return False
        reading = self.reader.reading(job.frame)
        return all(one.trace.reading == reading and one.is_current() for one in job.known.values())

    # Encoding and keeping

    def _keep(self, batch: Sequence[tuple[_Job, ReadFrame | None] | FileProblem]) -> None:
        """Put frames that were read into the collection, and tell it."""
        changes = [Change("failed", seen.path, problem=seen) for seen in batch if isinstance(seen, FileProblem)]
        looked = [seen for seen in batch if not isinstance(seen, FileProblem)]
        self._describe([job for job, read in looked if read is None])
        changes += [Change("unchanged", job.name) for job, read in looked if read is None]
        fresh = [(job, read) for job, read in looked if read is not None]
        vectors = self._encode([view for _, read in fresh for view in read.views])
        entries: list[Entry] = []
        for job, read in fresh:
            made = self._entries(job, read, vectors)
            entries += made
            changes += [Change("failed", problem.path, problem=problem) for problem in read.problems]
            status: Status = "replaced" if job.known else "added"
            changes += [Change(status, job.name)] if made else []
        if entries:
            self.store.put(entries)
        self.report.take(changes, self.tell)

    def _encode(self, views: Sequence[SeenView]) -> dict[int, dict[Sensor, Array]]:
        """Raw vectors by sensor, by the `id` of each view."""
        found: dict[int, dict[Sensor, Array]] = {id(view): {} for view in views}
        for place, (sensor, tower) in enumerate(SENSORS.items()):
            if tower not in self.reader.towers:
                continue
            seen = [view for view in views if (view.pixels if place else view.sweep) is not None]
            keys = {
                id(view): vector_key(view.content[place], self.reader.towers[tower], {"frames": 1, "raw": True})
                for view in seen
            }
            known = self.cache.known(keys)
            fresh = [view for view in seen if id(view) not in known]
            inputs = [view.pixels if place else view.sweep for view in fresh]
            given = [array for array in inputs if array is not None]
            encode = self.model.encode_pixels if place else self.model.encode_prepared_sweeps
            made = dict(zip(map(id, fresh), encode(given, normalize=False), strict=True))
            self.report.computed += len(made)
            kept = {keys[one]: vector for one, vector in made.items()}
            self.cache.put_many(kept, space=self.model.space.id, model=self.model.id)
            for one, vector in {**known, **made}.items():
                found[one][sensor] = vector
        return found

    def _entries(self, job: _Job, read: ReadFrame, vectors: Mapping[int, dict[Sensor, Array]]) -> list[Entry]:
        by_place = {view.place: view for view in read.views}
        earlier = {
            record.trace.part: record.metadata
            for record in self.store.records([known.id for known in job.known.values()])
        }
        entries = []
        for place, parts in self.reader.places(job.frame).items():
            seen = [by_place[one] for one in parts or (place,) if one in by_place]
            raw = _mean([vectors[id(view)] for view in seen])
            if raw:
                trace = read.trace_of(place, [view.content for view in seen])
                facts = seen[0].metadata if not parts else _together(place, [view.metadata for view in seen])
                said = self._said(job, earlier.get(place.part, {}), facts)
                thumbnail = next((view.thumbnail for view in seen if view.thumbnail), None)
                kinds = _kinds(place, job.frame)
                entries.append(Entry("frame", trace, self._stored(raw, kinds), said, thumbnail))
        return entries

    def _stored(self, raw: Mapping[Sensor, Array], kinds: Sequence[ViewKind]) -> dict[str, Array]:
        """Vectors by name as the space keeps them; the joint one is one sensor's where the other is missing."""
        joint = joint_features(raw["lidar"], raw["camera"]) if len(raw) == 2 else next(iter(raw.values()))
        kept: dict[Sensor, Array] = {**raw, "joint": joint}
        if self.model.space.stored == "unit":
            kept = {sensor: unit(vector[None])[0] for sensor, vector in kept.items()}
        if "sweep" not in self.reader.towers:
            return {"image": kept["camera"]}  # of a model that knows no frames they are pictures
        camera = "image" in self.reader.towers
        names = [names_of(kind, lidar=True, camera=camera) for kind in kinds]
        return {name: kept[sensor] for each in names for sensor, name in each.items() if sensor in kept}

    # Metadata

    def _said(self, job: _Job, earlier: Mapping[str, Value], facts: Mapping[str, Value]) -> dict[str, Value]:
        """What users said, then what the log says: it may have been labelled anew."""
        table = self.plan.table.get(str(job.log.path), {})
        return {**earlier, **self.plan.metadata, **table, **facts, "log": job.log.name}

    def _describe(self, jobs: Sequence[_Job]) -> None:
        """Give views that are not made anew what the plan says of them, where that is new."""
        if not (self.plan.metadata or self.plan.table):
            return
        names = {one.id: facts_of(job.frame) for job in jobs for one in job.known.values()}
        told: dict[int, dict[str, Value]] = {}
        for record in self.store.records(list(names)):
            own = {name: record.metadata[name] for name in names[record.id] if name in record.metadata}
            table = self.plan.table.get(record.trace.path, {})
            said = {**record.metadata, **self.plan.metadata, **table, **own}
            if said != record.metadata:
                told[record.id] = said
        if told:
            self.store.describe(told)
            self.report.described += len(told)

    # What vanished

    def _settle_vanished(
        self, logs: Sequence[Log], roots: set[str], known: Mapping[str, dict[str, Known]]
    ) -> None:
        """Views of frames, and of logs below the roots, that are no longer there."""
        places, there = Places(), {str(log.path): set(log.keys) for log in logs}
        vanished = dict(self._lost)
        for path, parts in known.items():
            if path in there:
                for key, of_frame in _by_frame(parts, there[path]).items():
                    if key not in there[path]:
                        vanished[f"{path}#{key}"] = [one.id for one in of_frame.values()]
            elif below(path, roots) and places.state(path) == "gone":
                vanished[path] = [one.id for one in parts.values()]
        if self.plan.prune:
            for some in in_batches([i for ids in vanished.values() for i in ids], REMOVED_AT_A_TIME):
                self.store.remove(some)
        status: Status = "pruned" if self.plan.prune else "vanished"
        self.report.take([Change(status, name) for name in vanished], self.tell)


def frame_of(part: str, keys: Container[str] = ()) -> str:
    """The key of the frame that a view of this part is of: one of some keys, if it is of one of these.

    Names of cameras, such as the topics of a recording, may hold the signs that stand before them.
    """
    ends = [place for place, sign in enumerate(part) if sign in "#@"]
    return next((part[:end] for end in reversed(ends) if part[:end] in keys), part[: ends[-1]] if ends else part)


def _by_frame(parts: Mapping[str, Known], keys: Container[str]) -> dict[str, dict[str, Known]]:
    """The records of one log by the key of their frame and their part."""
    found: dict[str, dict[str, Known]] = {}
    for part, one in parts.items():
        found.setdefault(frame_of(part, keys), {})[part] = one
    return found


def _by_log(store: Store) -> dict[str, dict[str, Known]]:
    """Records of frames by the path of their log and their part."""
    from clip3d.search.conditions.where import Condition

    frames = set(store.select(Condition.equal("kind", "frame")).tolist())
    found: dict[str, dict[str, Known]] = {}
    for item, trace in store.traces() if frames else ():
        if item in frames:
            found.setdefault(trace.path, {})[trace.part] = Known(item, trace)
    return found


def _kinds(place: Place, frame: Frame) -> tuple[ViewKind, ...]:
    """The kinds of view that a record answers as: without a camera quarters stand for cameras."""
    if frame.pictures or place.kind not in WITHOUT_CAMERA:
        return (place.kind,)
    return ("camera", "quarter") if place.kind == "quarter" else ("cameras", "sweep")


def _mean(vectors: Sequence[Mapping[Sensor, Array]]) -> dict[Sensor, Array]:
    names = [name for name in SENSORS if any(name in each for each in vectors)]
    return {name: np.mean([each[name] for each in vectors if name in each], axis=0) for name in names}


def _together(place: Place, metadata: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """What is true of several views: an object is there if one shows it, a street is empty if all are."""
    found: dict[str, Value] = dict(metadata[0])
    for name in {name for each in metadata for name in each}:
        values = [each[name] for each in metadata if name in each]
        if all(isinstance(value, bool) for value in values):
            found[name] = all(values) if name == "empty street" else any(values)
    counts = [each["points"] for each in metadata if isinstance(each.get("points"), int)]
    found |= {"view": place.kind, "camera": place.name}
    return found | ({"points": sum(int(count or 0) for count in counts)} if counts else {})


def _readers() -> int:
    return max(2, os.cpu_count() or 1)

"""Frames of driving logs become entries of a collection, view by view, without the collection at hand.

So the same code runs beside the collection and on other machines of a cluster; only who keeps the entries writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import Clip3dError, FileProblem, FrameError
from clip3d.joint_rules import joint_features
from clip3d.lidar.frame import Frame, Log
from clip3d.models.batching import in_batches
from clip3d.models.card import Modality
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache, vector_key
from clip3d.search.embedding import read_ahead
from clip3d.search.keeping.frame_reading import FrameReader, Place, ReadFrame, SeenView, facts_of
from clip3d.search.keeping.known import Known
from clip3d.search.stores.frame_vectors import WITHOUT_CAMERA, Sensor, ViewKind, names_of
from clip3d.search.stores.store import Entry, Value
from clip3d.spaces import unit

Array = NDArray[np.float32]

FRAMES = 8  # encoded together
SENSORS: dict[Sensor, Modality] = {"lidar": "sweep", "camera": "image"}


@dataclass(frozen=True)
class FrameJob:
    """A frame to look at, its records by part, and those of views that it has no longer."""

    log: Log
    frame: Frame
    known: Mapping[str, Known]
    lost: Mapping[str, Known]

    @property
    def name(self) -> str:
        """The log's path, and the frame's key after #."""
        return f"{self.log.path}#{self.frame.key}"


@dataclass(frozen=True, eq=False)
class EncodedFrame:
    """What came of a frame.

    Attributes:
        name: as the job's.
        log: name of its log.
        known: ids of the records that it has, by part.
        facts: names of what the log says of its views by itself.
        entries: to be kept, with what the log says of each as metadata; None if all its records are up to date.
        problems: pictures that could not be read.
    """

    name: str
    log: str
    known: Mapping[str, int]
    facts: frozenset[str]
    entries: tuple[Entry, ...] | None
    problems: tuple[FileProblem, ...] = ()


@dataclass(frozen=True, eq=False)
class EncodedBatch:
    """What came of frames that were encoded together.

    Attributes:
        frames: each, or why it cannot be used.
        looked: how many frames were looked at.
        computed: how many vectors were not in the cache.
        lost: ids of records of views that these frames have no longer, by the log's path and their part after #.
    """

    frames: Sequence[EncodedFrame | FileProblem]
    looked: int
    computed: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)


# A frame and what was read of it, None where it is up to date; or why it cannot be used, perhaps without the frame
_Seen = tuple[FrameJob | None, ReadFrame | FileProblem | None]


class FrameEncoder:
    """Reads and encodes frames; an instance belongs to the thread that made it.

    Attributes:
        model: whose towers encode.
        cache: of vectors.
        reader: of the views that are kept.
        readers: threads that read ahead.
    """

    def __init__(
        self, model: Model, views: Sequence[ViewKind], cache: VectorCache, *, thumbnails: bool, readers: int
    ) -> None:
        self.model = model
        self.cache = cache
        self.reader = FrameReader(model, views, thumbnails=thumbnails)
        self.readers = readers

    def jobs(
        self, log: Log, numbers: Iterable[int], known: Mapping[str, Mapping[str, Known]]
    ) -> Iterator[FrameJob | FileProblem]:
        """The frames of a log by their numbers from 0, given its records by frame and part."""
        for number in numbers:
            try:
                frame = log[number]
                of_frame = known.get(frame.key, {})
                parts = [place.part for place in self.reader.places(frame)]
                kept = {part: of_frame[part] for part in parts if part in of_frame}
                yield FrameJob(log, frame, kept, self._lost(log, frame, of_frame))
            except FileProblem as problem:
                yield problem
            except Clip3dError as error:
                yield FrameError(log.path, f"frame {number}: {error}")

    def _lost(self, log: Log, frame: Frame, of_frame: Mapping[str, Known]) -> dict[str, Known]:
        """Views of a frame that it has no longer, as of a camera that the log does not name any more."""
        if frame.problems or log.problems or not of_frame:  # what is missing may be there again the next time
            return {}
        there = {place.part for place in self.reader.all_places(frame)}
        return {part: one for part, one in of_frame.items() if part not in there}

    def over(self, jobs: Iterable[FrameJob | FileProblem]) -> Iterator[EncodedBatch]:
        """Look at frames, in order, and encode those that changed; what did not change is not read."""
        for batch in in_batches(read_ahead(jobs, self._look, self.readers, 2 * FRAMES), FRAMES):
            yield self._encoded(batch)

    def _look(self, job: FrameJob | FileProblem) -> _Seen:
        """Read a frame, on any thread, unless all its views are up to date."""
        if isinstance(job, FileProblem):
            return None, job
        try:
            return job, None if self._is_current(job) else self.reader.read(job.log, job.frame)
        except Clip3dError as error:
            return job, FrameError(job.name, str(error))

    def _is_current(self, job: FrameJob) -> bool:
        places = self.reader.places(job.frame)
        if not places or len(job.known) < len(places):
            return False
        reading = self.reader.reading(job.frame)
        return all(one.trace.reading == reading and one.is_current() for one in job.known.values())

    def _encoded(self, batch: Sequence[_Seen]) -> EncodedBatch:
        reads = [read for _, read in batch if isinstance(read, ReadFrame)]
        vectors, computed = self._encode([view for read in reads for view in read.views])
        frames: list[EncodedFrame | FileProblem] = []
        lost: dict[str, int] = {}
        for job, read in batch:
            if job is not None:
                lost |= {f"{job.log.path}#{part}": one.id for part, one in job.lost.items()}
            if isinstance(read, FileProblem):
                frames.append(read)
            elif job is not None:
                known = {part: one.id for part, one in job.known.items()}
                facts = frozenset(facts_of(job.frame))
                entries = None if read is None else tuple(self._entries(job, read, vectors))
                problems = () if read is None else tuple(read.problems)
                frames.append(EncodedFrame(job.name, job.log.name, known, facts, entries, problems))
        return EncodedBatch(frames, len(batch), computed, lost)

    def _encode(self, views: Sequence[SeenView]) -> tuple[dict[int, dict[Sensor, Array]], int]:
        """Raw vectors by sensor, by the `id` of each view, and how many were not in the cache."""
        found: dict[int, dict[Sensor, Array]] = {id(view): {} for view in views}
        computed = 0
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
            computed += len(made)
            kept = {keys[one]: vector for one, vector in made.items()}
            self.cache.put_many(kept, space=self.model.space.id, model=self.model.id)
            for one, vector in {**known, **made}.items():
                found[one][sensor] = vector
        return found, computed

    def _entries(
        self, job: FrameJob, read: ReadFrame, vectors: Mapping[int, dict[Sensor, Array]]
    ) -> Iterator[Entry]:
        by_place = {view.place: view for view in read.views}
        for place, parts in self.reader.places(job.frame).items():
            seen = [by_place[one] for one in parts or (place,) if one in by_place]
            raw = _mean([vectors[id(view)] for view in seen])
            if raw:
                trace = read.trace_of(place, [view.content for view in seen])
                facts = seen[0].metadata if not parts else _together(place, [view.metadata for view in seen])
                thumbnail = next((view.thumbnail for view in seen if view.thumbnail), None)
                yield Entry("frame", trace, self._stored(raw, _kinds(place, job.frame)), facts, thumbnail)

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

"""Frames of driving logs become vectors: what the cache knows is not read again, a bad frame is passed over.

What is held in memory does not grow with a log, but for the names of its views: vectors wait in a file.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

import clip3d
from clip3d.errors import Clip3dError, FileProblem, FrameError
from clip3d.lidar.frame import Log
from clip3d.models.batching import in_batches
from clip3d.models.fingerprint import Fingerprint, fingerprint
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache, vector_key
from clip3d.search.embedding import READERS, Progress, read_ahead
from clip3d.search.sweep_sources import FrameViews, frame_views

Array = NDArray[np.float32]

# Frames that are looked up in the cache together, and encoded together: an interruption loses so many.
FRAMES = 16
AHEAD = FRAMES


@dataclass(frozen=True, eq=False)
class EmbeddedSweeps:
    """Vectors of the views that could be read, in the order of logs, frames and cameras.

    Attributes:
        names: n views, as `FrameViews` names them.
        vectors: (n, d) float32, at unit length or raw as the space says; mapped from a file without a name.
        problems: the frames that could not be read, and why.
        computed: how many of the vectors were not in the cache.
    """

    names: list[str]
    vectors: Array
    problems: list[FileProblem]
    computed: int


@dataclass(frozen=True)
class _Read:
    """A frame's sweep, cut into what its views see and prepared."""

    views: FrameViews
    shown: tuple[Array, ...]
    content: str
    print: Fingerprint | None


@dataclass(frozen=True)
class _Frame:
    """A frame's views, the vectors that the cache knows, and where some are missing what was read for them."""

    views: FrameViews
    known: dict[str, Array]
    read: _Read | FileProblem | None = None


def embed_sweeps(
    model: Model, logs: Sequence[Log], *, cache: VectorCache, progress: Progress | None = None
) -> EmbeddedSweeps:
    """Embed every view of every frame; sweeps are read by threads a little ahead of the encoder.

    Args:
        model: with a sweep tower.
        logs: as `find_sweeps` gives them.
        cache: of vectors; `VectorCache.disabled()` for none.
        progress: called with the number of frames done and of all frames.
    """
    work = _Work(model, cache)
    total, done = sum(len(log) for log in logs), 0
    report = progress or (lambda done, total: None)
    report(0, total)
    with tempfile.TemporaryFile() as waiting:
        met = (frame for batch in in_batches(_frames(logs), FRAMES) for frame in work.look_up(batch))
        for batch in in_batches(read_ahead(met, work.read, READERS, AHEAD), FRAMES):
            work.embed(batch, waiting)
            done += len(batch)
            report(done, total)
        return EmbeddedSweeps(work.names, work.mapped(waiting), work.problems, work.computed)


def _frames(logs: Sequence[Log]) -> Iterator[FrameViews | FileProblem]:
    for log in logs:
        for number in range(len(log)):
            try:
                yield frame_views(log, log[number])
            except FileProblem as problem:
                yield problem
            except Clip3dError as error:
                yield FrameError(log.path, f"frame {number}: {error}")


class _Work:
    """The state of one run."""

    def __init__(self, model: Model, cache: VectorCache) -> None:
        self.model = model
        self.cache = cache
        self.tower = model.tower_card("sweep").id
        self.prepare = model.sweep_preparation()
        self.names: list[str] = []
        self.problems: list[FileProblem] = []
        self.computed = 0

    def look_up(self, batch: Sequence[FrameViews | FileProblem]) -> list[_Frame | FileProblem]:
        """The frames with the vectors of those whose sweep has a file of its own that did not change."""
        own = [(frame, frame.file) for frame in batch if isinstance(frame, FrameViews) and frame.file is not None]
        contents = self.cache.contents([file for _, file in own])
        keys = {
            name: self._key(content, options)
            for (frame, _), content in zip(own, contents, strict=True)
            if content
            for name, options in zip(frame.names, frame.options, strict=True)
        }
        known = self.cache.known(keys)
        return [
            frame
            if isinstance(frame, FileProblem)
            else _Frame(frame, {name: known[name] for name in frame.names if name in known})
            for frame in batch
        ]

    def read(self, frame: _Frame | FileProblem) -> _Frame | FileProblem:
        """Read a frame of which vectors are missing, on any thread."""
        if isinstance(frame, FileProblem) or all(name in frame.known for name in frame.views.names):
            return frame
        return replace(frame, read=self._read(frame.views))

    def embed(self, batch: Sequence[_Frame | FileProblem], waiting: BinaryIO) -> None:
        """Append the vectors of a batch of frames to a file, and keep those that were computed."""
        frames = [frame for frame in batch if isinstance(frame, _Frame)]
        self.problems += [frame for frame in batch if isinstance(frame, FileProblem)]
        self.problems += [frame.read for frame in frames if isinstance(frame.read, FileProblem)]
        known = {name: vector for frame in frames for name, vector in frame.known.items()}
        known |= self._encode([frame.read for frame in frames if isinstance(frame.read, _Read)])
        for frame in frames:
            named = [name for name in frame.views.names if name in known]
            self.names += named
            waiting.writelines(np.ascontiguousarray(known[name], "<f4").tobytes() for name in named)

    def mapped(self, waiting: BinaryIO) -> Array:
        """The vectors (n, d) in the file."""
        dim = self.model.space.dim
        if not self.names:
            return np.zeros((0, dim), np.float32)
        waiting.flush()
        return np.memmap(waiting, "<f4", "r", shape=(len(self.names), dim))

    def _key(self, content: str, options: dict[str, object]) -> str:
        return vector_key(content, self.tower, {"reader": clip3d.__version__, **options})

    def _read(self, views: FrameViews) -> _Read | FileProblem:
        started = time.time_ns()
        try:
            sweep = views.frame.sweep
            # prepared at once, so that what waits is no more than what the tower sees
            shown = tuple(self.prepare(frustum) for frustum in views.frusta(sweep))
            if views.file is None:
                digest = hashlib.sha256(sweep.points.tobytes() + sweep.intensity.tobytes()).hexdigest()
                return _Read(views, shown, digest, None)
            taken = fingerprint([views.file])
        except FileProblem as problem:
            return problem
        except Clip3dError as error:
            return FrameError(views.place, str(error))
        except MemoryError:
            return FrameError(views.place, "reading it needs more memory than there is", "split it")
        return _Read(views, shown, taken.content, None if taken.written_since(started) else taken)

    def _encode(self, read: Sequence[_Read]) -> dict[str, Array]:
        """Vectors by view; what has the content of a frame met before is taken from the cache."""
        keys = {
            name: self._key(item.content, options)
            for item in read
            for name, options in zip(item.views.names, item.views.options, strict=True)
        }
        found = self.cache.known(keys)
        fresh = {
            name: points
            for item in read
            for name, points in zip(item.views.names, item.shown, strict=True)
            if name not in found
        }
        normalize = self.model.card.space["stored"] == "unit"
        made = self.model.encode_prepared_sweeps(fresh.values(), normalize=normalize)
        vectors = dict(zip(fresh, made, strict=True))
        self.computed += len(vectors)
        self.cache.remember(item.print for item in read if item.print is not None)
        settled = {name for item in read if item.print or item.views.file is None for name in item.views.names}
        kept = {keys[name]: vector for name, vector in vectors.items() if name in settled}
        self.cache.put_many(kept, space=self.model.space.id, model=self.model.id)
        return found | vectors

"""Files become vectors: what the cache knows is not read again, and a bad file is reported and passed over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import clip3d
from clip3d.clouds.cloud import Axis, PointCloud, Unit
from clip3d.clouds.discovery import Found, find_clouds
from clip3d.clouds.formats.recordings import RECORDINGS
from clip3d.clouds.posing import Pose
from clip3d.clouds.remote import as_path, local_copy
from clip3d.errors import CloudError, FileProblem, ShapeError
from clip3d.models.batching import in_batches
from clip3d.models.card import Modality
from clip3d.models.fingerprint import Fingerprint, fingerprint
from clip3d.models.model import Model
from clip3d.models.preprocess import MAX_CANDIDATES
from clip3d.models.vector_cache import VectorCache, vector_key
from clip3d.search.pictures import find_pictures, open_image

if TYPE_CHECKING:
    from concurrent.futures import Future

Array = NDArray[np.float32]
Progress = Callable[[int, int], None]
S = TypeVar("S")
T = TypeVar("T")

log = logging.getLogger(__name__)

BATCH = 16
READ_AHEAD = BATCH
READERS = 2


@dataclass(frozen=True)
class Reading:
    """How files are read and taken; part of a vector's key.

    Attributes:
        points: points drawn on a mesh.
        seed: of that drawing.
        up: overrides the up axis that the file or its format states.
        unit: overrides the unit that the file or its format states.
        pose: "any" if the objects may be turned in any way, whatever axis is said to point up.
        topic: of recordings of ROS, where their cloud was sent; None for the topic of the first.
        message: of recordings, how many clouds of the topic to pass over.
    """

    points: int = 8192
    seed: int = 0
    up: Axis | None = None
    unit: Unit | None = None
    pose: Pose = "upright"
    topic: str | None = None
    message: int = 0

    def key(self, path: Path | None = None) -> dict[str, object]:
        """What decides a vector besides the content and the tower: the options and the version of the readers."""
        turned = {} if self.pose == "upright" else {"pose": self.pose}
        return {"reader": clip3d.__version__, **self.drawing(path), **turned}

    def drawing(self, path: Path | None = None) -> dict[str, Any]:
        """The options of `clip3d.clouds.reading.read`; of topic and message only what is chosen in a recording."""
        drawn = {"points": self.points, "seed": self.seed, "up": self.up, "unit": self.unit}
        if path is None or path.suffix.lower() not in RECORDINGS:
            return drawn
        chosen = {"topic": self.topic, "message": self.message}
        return drawn | {name: value for name, value in chosen.items() if value not in (None, 0)}


def searched_modality(model: Model) -> Modality:
    """What a model compares queries with: clouds, or pictures if it has no cloud tower.

    Raises:
        ModelError: if it has neither tower.
    """
    if "cloud" not in model.card.towers and "image" in model.card.towers:
        return "image"
    return model.tower_card("cloud").modality


def find_items(model: Model, paths: str | PathLike[str] | Iterable[str | PathLike[str]]) -> Found:
    """The files among paths that a model compares queries with: clouds, or pictures."""
    return find_clouds(paths) if searched_modality(model) == "cloud" else find_pictures(paths)


@dataclass(frozen=True, eq=False)
class Embedded:
    """Vectors of the files that could be read, in the order in which the files were given.

    Attributes:
        paths: n files.
        vectors: (n, d) float32, at unit length or raw as the space says.
        contents: n hex digests; equal for files of equal content.
        problems: the files that could not be read, and why.
        computed: how many of the vectors were not in the cache.
    """

    paths: list[Path]
    vectors: Array
    contents: list[str]
    problems: list[FileProblem]
    computed: int


@dataclass(frozen=True)
class ReadFile:
    """A file that was read, not yet encoded.

    Attributes:
        path: as it was named.
        content: a cloud, or a picture's pixels as the image tower takes them.
        print: of all files that make it up.
        settled: False if one of them may have changed while it was read.
        remote: whether a copy was read, whose place and times say nothing of the file.
        drawn: a small picture of it, where that was asked for.
    """

    path: Path
    content: PointCloud | Array
    print: Fingerprint
    settled: bool
    remote: bool
    drawn: bytes | None = None


def embed_files(
    model: Model,
    files: Sequence[Path],
    *,
    cache: VectorCache,
    reading: Reading | None = None,
    progress: Progress | None = None,
) -> Embedded:
    """Embed cloud files, or pictures for a model without a cloud tower; what the cache knows is not read.

    Files are read by threads a little ahead of the encoder. Vectors are kept after every batch, so that an
    interruption loses one batch at most.

    Args:
        model: with a cloud tower, or an image tower alone.
        files: as `find_items` lists them.
        cache: of vectors; `VectorCache.disabled()` for none.
        reading: how cloud files are read; None for the defaults.
        progress: called with the number of files done and of all files.
    """
    reading = reading or Reading()
    work = _Work(Encoder(model, searched_modality(model), cache, reading))
    work.look_up(files)
    missing = [file for file in files if file not in work.vectors]
    log.info("%d of %d vectors are in the cache %s", len(files) - len(missing), len(files), cache.path)
    report = progress or (lambda done, total: None)
    report(len(files) - len(missing), len(files))
    for batch in in_batches(read_ahead(missing, work.encoder.read), BATCH):
        work.encode(batch)
        report(len(work.vectors) + len(work.problems), len(files))
    return work.result(files)


def embed_file(
    model: Model, file: str | PathLike[str], *, cache: VectorCache, reading: Reading | None = None
) -> Embedded:
    """Embed one file, or the file of a URI; arguments as for `embed_files`.

    Raises:
        CloudError, ImageError: if it cannot be read.
    """
    embedded = embed_files(model, [as_path(file)], cache=cache, reading=reading)
    if embedded.problems:
        raise embedded.problems[0]
    return embedded


@dataclass(frozen=True, eq=False)
class Encoded:
    """What came of some files: vectors (d,) float32 by path, problems, and how many vectors were computed."""

    vectors: dict[Path, Array]
    problems: list[FileProblem]
    computed: int


class Encoder:
    """Reads and encodes the files of one modality; vectors that the cache knows are not computed.

    Attributes:
        model: whose tower encodes.
        modality: "cloud" or "image".
        tower: id of the tower.
        cache: of vectors.
        reading: how cloud files are read.
        draw: makes a small picture of each cloud, or PIL image, that is read; None for none.
    """

    def __init__(
        self,
        model: Model,
        modality: Modality,
        cache: VectorCache,
        reading: Reading,
        draw: Callable[[Any], bytes | None] | None = None,
    ) -> None:
        self.model = model
        self.modality = modality
        self.tower = model.tower_card(modality).id
        self.cache = cache
        self.reading = reading
        self.draw = draw

    def options(self, path: Path) -> dict[str, object]:
        """What decides the vector of a file besides its content and the tower."""
        return self.reading.key(path) if self.modality == "cloud" else {"reader": clip3d.__version__}

    def read(self, path: Path) -> ReadFile | FileProblem:
        """Read one file, on any thread."""
        started = time.time_ns()
        try:
            with local_copy(path) as place:
                content, drawn = self._content(place)
                sources = content.sources if isinstance(content, PointCloud) else ()
                taken = fingerprint(sources or (place,))
        except FileProblem as problem:
            return problem
        except MemoryError:
            return CloudError(path, "reading it needs more memory than there is", "simplify it")
        remote = place != path
        settled = remote or not taken.written_since(started)
        return ReadFile(path, content, taken, settled=settled, remote=remote, drawn=drawn)

    def _content(self, place: Path) -> tuple[PointCloud | Array, bytes | None]:
        if self.modality == "cloud":
            cloud = read_thinned(place, self.reading, self.model.cloud_preparation().candidates())
            return cloud, self.draw(cloud) if self.draw else None
        # prepared at once, so that large pictures do not pile up in memory
        picture = open_image(place)
        return self.model.prepare_image(picture), self.draw(picture) if self.draw else None

    def known(self, contents: Mapping[Path, str]) -> dict[Path, Array]:
        """Vectors by path of files, given their contents, that are in the cache."""
        return self.cache.known({path: self._key(path, content) for path, content in contents.items()})

    def encode(self, read: Sequence[ReadFile]) -> Encoded:
        """Vectors of files that were read; what was computed is kept in the cache."""
        contents = {item.path: item.print.content for item in read}
        vectors = self.known(contents)
        computed, problems = self._encode_all([item for item in read if item.path not in vectors])
        vectors |= computed
        settled = [item for item in read if item.settled and item.path in vectors]
        self.cache.remember(item.print for item in settled if not item.remote)
        self._keep({self._key(i.path, contents[i.path]): vectors[i.path] for i in settled if i.path in computed})
        return Encoded(vectors, problems, len(computed))

    def _key(self, path: Path, content: str) -> str:
        return vector_key(content, self.tower, self.options(path))

    def _keep(self, vectors: dict[str, Array]) -> None:
        self.cache.put_many(vectors, space=self.model.card.space["id"], model=self.model.id)

    def _encode_all(self, items: Sequence[ReadFile]) -> tuple[dict[Path, Array], list[FileProblem]]:
        """Vectors by path; when a batch fails, its items are tried alone, so that one cannot spoil the others."""
        if not items:
            return {}, []
        try:
            vectors = self._vectors([item.content for item in items])
        except ShapeError as error:
            if len(items) == 1:
                return {}, [CloudError(items[0].path, str(error))]
            alone = [self._encode_all([item]) for item in items]
            found = {path: vector for vectors_, _ in alone for path, vector in vectors_.items()}
            return found, [problem for _, problems in alone for problem in problems]
        return {item.path: vector for item, vector in zip(items, vectors, strict=True)}, []

    def _vectors(self, contents: Sequence[Any]) -> Array:
        normalize = self.model.card.space["stored"] == "unit"
        if self.modality == "image":
            return self.model.encode_pixels(contents, normalize=normalize)
        return self.model.encode_clouds(contents, normalize=normalize, pose=self.reading.pose)


class _Work:
    """The state of one run: vectors and contents by file, and the problems."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.vectors: dict[Path, Array] = {}
        self.contents: dict[Path, str] = {}
        self.problems: list[FileProblem] = []
        self.computed = 0

    def look_up(self, files: Sequence[Path]) -> None:
        """Take from the cache the vectors of the files that did not change."""
        contents = self.encoder.cache.contents(files)
        known = {file: content for file, content in zip(files, contents, strict=True) if content}
        self._take(self.encoder.known(known), known)

    def encode(self, batch: Sequence[ReadFile | FileProblem]) -> None:
        """Encode what was read, except contents met before, and keep the vectors."""
        read = [item for item in batch if isinstance(item, ReadFile)]
        encoded = self.encoder.encode(read)
        self.problems += [item for item in batch if isinstance(item, FileProblem)] + encoded.problems
        self.computed += encoded.computed
        self._take(encoded.vectors, {item.path: item.print.content for item in read})

    def result(self, files: Sequence[Path]) -> Embedded:
        """All vectors in the order of the files."""
        paths = [file for file in files if file in self.vectors]
        rows = [self.vectors[path] for path in paths]
        dim = int(self.encoder.model.card.space["dim"])
        vectors = np.stack(rows) if rows else np.zeros((0, dim), np.float32)
        return Embedded(paths, vectors, [self.contents[path] for path in paths], self.problems, self.computed)

    def _take(self, vectors: dict[Path, Array], contents: Mapping[Path, str]) -> None:
        self.vectors |= vectors
        self.contents |= {path: contents[path] for path in vectors}


def read_ahead(
    items: Iterable[S], read: Callable[[S], T], readers: int = READERS, ahead: int = READ_AHEAD
) -> Iterator[T]:
    """What `read` gives for each item, in order, from a few threads, never more than `ahead` of them waiting."""
    from collections import deque
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(readers, thread_name_prefix="clip3d-read")
    waiting: deque[Future[T]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(read, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def read_thinned(path: Path, reading: Reading, most: int = MAX_CANDIDATES) -> PointCloud:
    """Read a cloud and keep the points among which the model's preparation would choose, at most `most`.

    So large clouds do not pile up in memory, and the vector is the same.

    Raises:
        CloudError: if the file cannot be read.
    """
    from clip3d.clouds.reading import read
    from clip3d.clouds.sampling import random_sample

    cloud = read(path, **reading.drawing(path))
    if len(cloud) <= most:
        return cloud
    return cloud.select(random_sample(cloud.points, most, seed=0))

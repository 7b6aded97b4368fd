"""A collection as a recording of Rerun: a map of its vectors, and its items one after the other."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.clouds.remote import URI
from clip3d.errors import DataError, FileProblem, MissingExtra
from clip3d.search.conditions.columns import as_utf8
from clip3d.search.embedding import Reading, read_thinned
from clip3d.search.exports.exporting import Array, Block, Progress, Selection
from clip3d.search.page import picture_type
from clip3d.search.questions.answering import value_of
from clip3d.search.stores.store import Record
from clip3d.spaces import Space

MAP_SAMPLE = 4096
APPLICATION = "clip3d"
COLOURS = np.array(
    [[76, 114, 176], [221, 132, 82], [85, 168, 104], [196, 78, 82], [129, 114, 179], [147, 120, 96]]
)


def export_rerun(
    path: str | PathLike[str],
    selection: Selection,
    progress: Progress | None = None,
    *,
    points: int = 2000,
    colour: str = "kind",
    reading: Reading | None = None,
) -> tuple[int, list[FileProblem]]:
    """Write a recording of Rerun (.rrd), whole or not at all; gives the number of items and what could not be read.

    `map/NAME` holds the vectors of a name in the three directions in which they spread most, each labelled. On the
    timeline `item`, `item/picture` shows the thumbnail of each item, `item/cloud` its points, and `item/about` what
    is known of it; `log` tells it in a line.

    Args:
        path: the .rrd file.
        selection: what is exported.
        progress: called with the number of records done and of all.
        points: at most so many of each cloud, z up and in metres where the file says so; 0 to read no files. The
            local files that the collection names are read for them; what is remote is not fetched.
        colour: column whose values colour the map.
        reading: how cloud files are read.

    Raises:
        MissingExtra: if rerun-sdk is not installed.
        DataError: if the file cannot be written.
    """
    try:
        import rerun
    except ImportError as error:
        raise MissingExtra("a recording of Rerun", "rerun-sdk", "rerun") from error
    target = Path(path)
    try:
        with replacing(target) as temporary:
            recording = rerun.RecordingStream(APPLICATION)
            recording.save(temporary)
            writer = _Writer(rerun, recording, selection, points, colour, reading or Reading())
            done = writer.write(progress)
            recording.disconnect()
    except OSError as error:
        raise DataError(target, f"it cannot be written: {error.strerror or error}") from error
    return done, writer.problems


class _Writer:
    """The recording as it is written."""

    def __init__(
        self, rerun: Any, recording: Any, selection: Selection, points: int, colour: str, reading: Reading
    ) -> None:
        self.rerun = rerun
        self.recording = recording
        self.selection = selection
        self.points = points
        self.colour = colour
        self.reading = reading
        self.problems: list[FileProblem] = []

    def write(self, progress: Progress | None) -> int:
        rerun, told = self.rerun, self.selection.origin()
        about = "\n".join(f"- {name}: {value}" for name, value in told.items())
        self.recording.log("about", rerun.TextDocument(about, media_type="text/markdown"), static=True)
        self._map()
        done = 0
        for block in self.selection.blocks(vectors=False):
            done += self._items(block, done, progress)
        return done

    def _map(self) -> None:
        header = self.selection.header
        space = header.own_space()
        for name in self.selection.names:
            project = _projection(self.selection, space, name)
            places, labels, values = [], [], []
            for block in self.selection.blocks():
                there = np.isfinite(block.vectors[name]).all(axis=1)
                places.append(project(block.vectors[name][there]))
                records = [block.records[i] for i in np.flatnonzero(there)]
                labels += [_name(record) for record in records]
                values += [str(value_of(record, self.colour)) for record in records]
            found = self.rerun.Points3D(
                np.concatenate(places), colors=_colours(values), labels=labels, radii=0.01, show_labels=False
            )
            self.recording.log(f"map/{name}", found, static=True)

    def _items(self, block: Block, before: int, progress: Progress | None) -> int:
        rerun, log = self.rerun, self.recording.log
        pictures = self.selection.store.thumbnails([record.id for record in block.records])
        for place, record in enumerate(block.records):
            self.recording.set_time("item", sequence=before + place)
            log("item/about", rerun.TextDocument(_about(record), media_type="text/markdown"))
            log("log", rerun.TextLog(as_utf8(f"{record.id} {record.trace.path} {record.trace.part}".rstrip())))
            self._log("item/picture", self._picture(pictures.get(record.id)))
            self._log("item/cloud", self._cloud(record))
            if progress is not None:
                progress(before + place + 1, len(self.selection.ids))
        return len(block.records)

    def _log(self, entity: str, shown: Any) -> None:
        """Show something, or clear what the item before showed."""
        self.recording.log(entity, self.rerun.Clear(recursive=False) if shown is None else shown)

    def _picture(self, thumbnail: bytes | None) -> Any:
        kind = picture_type(thumbnail)
        return None if kind is None else self.rerun.EncodedImage(contents=thumbnail, media_type=kind)

    def _cloud(self, record: Record) -> Any:
        if not self.points or record.kind != "object" or record.trace.part:
            return None
        # the collection may be a stranger's: nothing is fetched for it, and nothing read that may not end
        if URI.match(record.trace.path):
            return None
        try:
            _check_regular(record.trace.path)
            cloud = read_thinned(Path(record.trace.path), self.reading, self.points).z_up()
        except FileProblem as problem:
            self.problems.append(problem)
            return None
        return self.rerun.Points3D(cloud.points, colors=_bytes_of(cloud.colors))


def _check_regular(path: str) -> None:
    """DataError if something is there that is no file, such as a device or a pipe."""
    place = Path(path)
    try:
        strange = place.exists() and not place.is_file()
    except (OSError, ValueError) as error:
        raise DataError(path, f"it cannot be looked at: {error}") from error
    if strange:
        raise DataError(path, "it is no regular file, and was not read")


def _projection(selection: Selection, space: Space, name: str) -> Callable[[Array], Array]:
    """Centred vectors (n, d) to places (n, 3): the principal directions of an even sample."""
    ids = selection.ids[np.linspace(0, len(selection.ids) - 1, min(len(selection.ids), MAP_SAMPLE)).astype(int)]
    found = selection.store.vectors(name, ids.tolist())
    there = found[np.isfinite(found).all(axis=1)]
    sample = space.centre(there).astype(np.float64)
    middle = sample.mean(axis=0) if len(sample) else np.zeros(space.dim)
    _, axes = np.linalg.eigh((sample - middle).T @ (sample - middle))
    chosen = axes[:, : -4 : -1]

    def project(vectors: Array) -> Array:
        return np.asarray((space.centre(vectors) - middle) @ chosen, np.float32)

    return project


def _colours(values: list[str]) -> NDArray[np.uint8]:
    """A colour (n, 3) for each value, the same for equal ones."""
    _, numbers = np.unique(np.array(values, np.str_), return_inverse=True)
    return COLOURS[numbers % len(COLOURS)].astype(np.uint8)


def _bytes_of(colors: Array | None) -> NDArray[np.uint8] | None:
    return None if colors is None else np.clip(255 * colors, 0, 255).astype(np.uint8)


def _name(record: Record) -> str:
    return as_utf8(f"{value_of(record, 'name')} {record.trace.part}".rstrip())


def _about(record: Record) -> str:
    said = {"id": record.id, "kind": record.kind, "path": record.trace.path, "part": record.trace.part}
    lines = [f"- {name}: {value}" for name, value in {**said, **record.metadata}.items() if value not in (None, "")]
    return as_utf8(f"# {_name(record)}\n" + "\n".join(lines))

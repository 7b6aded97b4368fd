"""Drawing pictures of many objects: by several processes, going on where it stopped, whatever one file holds."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import clip3d
from clip3d.atomic import making_folder, replacing
from clip3d.clouds.cloud import PointCloud
from clip3d.data.drawing import Rendering, draw
from clip3d.data.picture_folders import SETTINGS, folder_of
from clip3d.errors import CloudError, DataError, FileProblem, ShapeError
from clip3d.simulation.processes import fresh_processes

FORMAT = 1
AHEAD = 4  # objects a process that wait for it
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Shape:
    """What is to be drawn: a file that the drawing process reads, or a cloud.

    Attributes:
        key: name of the object, as its source of triplets has it.
        source: the file or the cloud.
    """

    key: str
    source: Path | PointCloud

    @property
    def name(self) -> str | Path:
        """What errors call it."""
        return self.source if isinstance(self.source, Path) else self.key


@dataclass
class Drawn:
    """What a run did: objects drawn, those that had their pictures already, and what was wrong with the others."""

    drawn: int = 0
    there: int = 0
    problems: list[FileProblem] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many objects were looked at."""
        return self.drawn + self.there + len(self.problems)


def render_shapes(
    shapes: Iterable[Shape | FileProblem],
    out: Path,
    rendering: Rendering,
    *,
    count: int,
    protocol: dict[str, Any],
    processes: int = 1,
    progress: Progress | None = None,
) -> Drawn:
    """Draw the pictures of each object into a folder of its own below `out`, named by `folder_of` its key.

    Objects that have all their pictures are passed over, unless their file was changed since. A file that cannot
    be read, or ends the process that reads it, is a problem of the result, and the others go on. `renders.json` in
    `out` says how they were drawn.

    Args:
        shapes: the objects, or what was wrong with one.
        out: is made if need be.
        rendering: how they are drawn; the pictures of an object depend on that and its key alone.
        count: how many objects there are, for the progress.
        protocol: what `renders.json` says of the source.
        processes: how many draw at a time; 1 draws in this one.
        progress: called with the number of objects done and of all.

    Raises:
        DataError: if `out` holds pictures that were drawn in another way, or of another source.
    """
    started = time.time()
    out.mkdir(parents=True, exist_ok=True)
    _check_settings(out, rendering, protocol)
    result = Drawn()
    _write_settings(out, rendering, protocol, result)
    try:
        for problem in _results(_missing(shapes, out, rendering, result), out, rendering, processes):
            if problem is None:
                result.drawn += 1
            else:
                result.problems.append(problem)
            if progress:
                progress(result.total, count)
    finally:
        _write_settings(out, rendering, protocol, result)
        _sweep(out, started)
    return result


def _missing(
    shapes: Iterable[Shape | FileProblem], out: Path, rendering: Rendering, result: Drawn
) -> Iterator[Shape]:
    """The objects that lack pictures; the others are counted."""
    for shape in shapes:
        if isinstance(shape, FileProblem):
            result.problems.append(shape)
        elif _is_done(shape, out, rendering):
            result.there += 1
        else:
            yield shape


def _is_done(shape: Shape, out: Path, rendering: Rendering) -> bool:
    """Whether all its pictures are there, from first byte to last, and its file was not changed since."""
    folder = out / folder_of(shape.key)
    if not folder.is_dir() or not all(_is_png(folder / f"{view:03d}.png") for view in range(rendering.views)):
        return False
    try:
        return not isinstance(shape.source, Path) or shape.source.stat().st_mtime <= folder.stat().st_mtime
    except OSError:
        return True  # its file is gone: the pictures are what there is


def _is_png(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            start = stream.read(len(PNG_START))
            stream.seek(-len(PNG_END), 2)
            return start == PNG_START and stream.read() == PNG_END
    except OSError:
        return False


def _results(
    shapes: Iterator[Shape], out: Path, rendering: Rendering, processes: int
) -> Iterator[FileProblem | None]:
    """What came of each object, in any order."""
    if processes == 1:
        yield from (_draw_one(shape, out, rendering) for shape in shapes)
        return
    left: list[Shape] = []
    while True:
        yield from _draw_together(shapes, out, rendering, processes, left)
        if not left:
            return
        # One of them ended its process, and with it the pool: each gets a process of its own to show which.
        yield from (_draw_apart(shape, out, rendering) for shape in left)
        left.clear()


def _draw_together(
    shapes: Iterator[Shape], out: Path, rendering: Rendering, processes: int, left: list[Shape]
) -> Iterator[FileProblem | None]:
    """Results of a pool until all is done, or it breaks: then `left` holds the objects that were under way."""
    pool = fresh_processes(processes)
    running: dict[Future[FileProblem | None], Shape] = {}
    try:
        while True:
            for shape in islice(shapes, processes * AHEAD - len(running)):
                left.append(shape)
                running[pool.submit(_draw_one, shape, out, rendering)] = shape
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                problem = future.result()
                left.remove(running.pop(future))
                yield problem
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(cancel_futures=True)


def _draw_apart(shape: Shape, out: Path, rendering: Rendering) -> FileProblem | None:
    """Draw one object in a process of its own."""
    if _is_done(shape, out, rendering):
        return None
    try:
        with fresh_processes(1) as pool:
            return pool.submit(_draw_one, shape, out, rendering).result()
    except BrokenProcessPool:
        return CloudError(shape.name, "the process that drew it was ended", "it may need more memory than there is")


def _draw_one(shape: Shape, out: Path, rendering: Rendering) -> FileProblem | None:
    """Draw and write the pictures of one object; what is wrong with it, or None."""
    try:
        pictures = draw(shape.source, shape.key, rendering)
    except FileProblem as problem:
        return problem
    except ShapeError as error:
        return CloudError(shape.name, str(error))
    except MemoryError:
        return CloudError(shape.name, "drawing it needs more memory than there is", "simplify it")
    from PIL import Image

    folder = out / folder_of(shape.key)
    if folder.exists():
        shutil.rmtree(folder)
    with making_folder(folder) as new:
        for view, picture in enumerate(pictures):
            Image.fromarray(picture).save(new / f"{view:03d}.png")
    return None


def read_settings(out: Path) -> dict[str, Any] | None:
    """What `renders.json` says, or None if there is none.

    Raises:
        DataError: if it is damaged.
    """
    path = out / SETTINGS
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(path, f"it cannot be read: {error}", "remove it to draw into this folder anew") from error
    if not isinstance(content, dict) or not isinstance(content.get("rendering"), dict):
        raise DataError(path, "it does not say how the pictures were drawn", "name another folder")
    return content


def _check_settings(out: Path, rendering: Rendering, protocol: dict[str, Any]) -> None:
    known = read_settings(out)
    if known is None:
        return
    asked = json.loads(json.dumps(asdict(rendering)))
    for name, value in asked.items():
        if known["rendering"].get(name) != value:
            reason = f"its pictures were drawn with {name} {known['rendering'].get(name)!r}, not {value!r}"
            raise DataError(out / SETTINGS, reason, "name another folder, or ask for the same")
    earlier = known.get("source")
    earlier = earlier if isinstance(earlier, dict) else {}
    # A folder may grow; a library is one file, whose objects may be others under the same names.
    names = ("format", "file", *(("data_sha256",) if protocol.get("format") == "library" else ()))
    for name in names:
        if name in earlier and earlier[name] != protocol.get(name):
            reason = f"its pictures are of the {name} {earlier[name]!r}, not {protocol.get(name)!r}"
            raise DataError(out / SETTINGS, reason, "name another folder, or remove this one")


def _write_settings(out: Path, rendering: Rendering, protocol: dict[str, Any], result: Drawn) -> None:
    content = {
        "format": FORMAT,
        "rendering": asdict(rendering),
        "source": protocol,
        "versions": {"clip3d": clip3d.__version__, "numpy": np.__version__},
        "objects": result.drawn + result.there,
        "failed": {problem.path: problem.reason for problem in result.problems},
    }
    with replacing(out / SETTINGS) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _sweep(out: Path, started: float) -> None:
    """Remove what earlier runs that were killed left half done."""
    for part in out.glob(".*.part"):
        if part.is_dir() and part.stat().st_mtime < started:
            shutil.rmtree(part, ignore_errors=True)

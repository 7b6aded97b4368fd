"""All driving logs at or below a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from clip3d.errors import DataError, FileProblem
from clip3d.lidar.frame import Log
from clip3d.lidar.reading import find_layouts, read_log

Tell = Callable[[FileProblem], None]


def read_logs(path: Path, tell: Tell) -> Iterator[Log]:
    """The logs at or below a path, one after the other; one that cannot be opened is told and passed over.

    Raises:
        DataError: if there is none at all.
    """
    found = False
    for place, layout in find_layouts(path):
        found = True
        try:
            yield read_log(place, layout)
        except FileProblem as problem:
            tell(problem)
    if not found:
        raise DataError(path, "holds no driving log", "docs/logs.md lists the layouts that are known")

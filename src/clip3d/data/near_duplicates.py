"""Lists of test clouds that are near copies of training clouds, so that results can leave them out."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.errors import DataError

MAX_BYTES = 64_000_000


def near_duplicates(path: str | PathLike[str], data: LabelledClouds) -> NDArray[np.bool_]:
    """Which of the clouds a JSON file lists: (n,) booleans.

    The file is a list, or an object with a list named `pairs`. An entry is a name of a cloud, with its folders and
    suffix or without; the place of a cloud in the part of the set; or a list that begins with one of these, such as
    a name, that of the training cloud which it resembles, and by how much.

    Raises:
        DataError: if the file is not as described, or none of its entries is among the clouds.
    """
    path = Path(path)
    wanted = {_first(path, entry) for entry in _entries(path)}
    listed = np.array([bool(wanted & {data.index(i), *_names(name)}) for i, name in enumerate(data.names)])
    if not listed.any():
        reason = f"none of its {len(wanted)} entries is among the clouds"
        raise DataError(path, reason, "check the split and the names")
    return listed


def _entries(path: Path) -> list[Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(path, f"it is larger than {MAX_BYTES // 1_000_000} MB", "give a list of test clouds")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(path, f"it cannot be read as JSON: {error}") from error
    entries = found.get("pairs") if isinstance(found, dict) else found
    if not isinstance(entries, list) or not entries:
        remedy = "give a list of names, or of places in the split"
        raise DataError(path, "it holds no list of near-duplicates", remedy)
    return entries


def _first(path: Path, entry: Any) -> str | int:
    value = entry[0] if isinstance(entry, list) and entry else entry
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise DataError(path, f"an entry is neither a name nor a place: {str(entry)[:80]}")
    return value


def _names(name: str) -> set[str]:
    """A name as it is, and without folders and suffix."""
    return {name, PurePosixPath(name).name, PurePosixPath(name).stem}

"""Arrays of HDF5 files of strangers: read alone, never by way of a link out of the file, bounded in size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.npz import MAX_BYTES
from clip3d.errors import DataError, MissingExtra


def read_hdf5(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The named data sets of a file.

    Raises:
        DataError: if the file is missing, is no HDF5, lacks one, or one is no array of numbers, lies in another
            file or is larger than 8 GiB.
        MissingExtra: without h5py.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtra("reading HDF5 files", "h5py", "research") from error
    try:
        with h5py.File(path, "r") as file:
            return {name: _array(path, file, name, h5py) for name in names}
    except FileNotFoundError as error:
        raise DataError(path, "there is no such file", "unpack the set again") from error
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, MemoryError) as error:
        reason = f"it cannot be read as HDF5: {' '.join(str(error).split())[:200]}"
        raise DataError(path, reason, "it may be cut short: unpack or copy it again") from error


def _array(path: Path, file: Any, name: str, h5py: Any) -> NDArray[Any]:
    link = file.get(name, getlink=True)
    if link is None:
        known = ", ".join(sorted(file.keys())[:8]) or "nothing"
        raise DataError(path, f"it lacks the data set {name!r}", f"it holds: {known[:200]}")
    found = file[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
        raise DataError(path, f"its {name!r} is no data set of this file", "write the numbers into the file itself")
    if found.dtype.kind not in "fiu":
        raise DataError(path, f"its {name!r} holds {found.dtype}, not numbers")
    if found.dtype.itemsize * int(np.prod(found.shape, dtype=np.float64)) > MAX_BYTES:
        raise DataError(path, f"its {name!r} of shape {found.shape} is larger than {MAX_BYTES:,} bytes", "split it")
    return np.asarray(found[()])

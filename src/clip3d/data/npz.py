"""Npz files: read from strangers, without pickled objects or surprise in size; written whole or not at all."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.errors import DataError

MAX_BYTES = 8 * 2**30
# NumPy tokenizes and evaluates the header of an array, with the errors of either.
DAMAGED = (
    *(ValueError, TypeError, EOFError, OverflowError, MemoryError),
    *(SyntaxError, TokenError, RuntimeError),
)


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write the named arrays, whole or not at all; the folder must exist."""
    with replacing(path) as temporary, temporary.open("xb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def read_npz(
    path: str | PathLike[str], *, required: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, NDArray[Any]]:
    """The named arrays of an npz file; others are not read.

    Raises:
        DataError: if the file is missing, is no npz, holds more than 8 GiB, lacks a required array, or an
            array is damaged or made of Python objects.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
        return _read(path, sizes, required, optional)
    except FileNotFoundError as error:
        raise DataError(path, "there is no such file", "check the spelling of the path") from error
    except (*DAMAGED, zipfile.BadZipFile) as error:
        raise DataError(path, f"it is not an npz file: {error}", "write it with numpy.savez") from error
    except OSError as error:
        raise DataError(path, f"it cannot be read: {error.strerror or error}") from error


def _read(path: Path, sizes: dict[str, int], required: Sequence[str], optional: Sequence[str]) -> dict[str, Any]:
    missing = [name for name in required if f"{name}.npy" not in sizes]
    if missing:
        known = ", ".join(sorted(name.removesuffix(".npy") for name in sizes)) or "none"
        raise DataError(path, f"it lacks the array {missing[0]!r}", f"it holds: {known[:200]}")
    names = [name for name in (*required, *optional) if f"{name}.npy" in sizes]
    total = sum(sizes[f"{name}.npy"] for name in names)
    if total > MAX_BYTES:
        raise DataError(path, f"its arrays hold {total:,} bytes, more than {MAX_BYTES:,}", "split it")
    arrays = {}
    with np.load(path, allow_pickle=False) as archive:
        for name in names:
            try:
                arrays[name] = archive[name]
            except (*DAMAGED, zipfile.BadZipFile, zlib.error) as error:
                raise DataError(path, f"its array {name!r} cannot be read: {error}") from error
    return arrays

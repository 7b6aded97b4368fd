"""NPY and NPZ: arrays of points, never objects, and never more than the file can hold."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection
from pathlib import Path
from threading import Lock
from typing import IO, Any, cast, get_args

import numpy as np

from clip3d.clouds.cloud import Axis, Unit
from clip3d.clouds.formats.columns import split_columns
from clip3d.clouds.formats.contents import (
    MAX_POINTS,
    Contents,
    Malformed,
    Numbers,
    inflation_limit,
    to_unit_range,
)
from clip3d.clouds.formats.neighbours import Neighbours

PARSING = Lock()


def read_npy(data: bytes, neighbours: Neighbours) -> Contents:
    """Read an array (n, 3 or more); the columns after x, y and z follow the rule of `split_columns`."""
    return split_columns(_points(read_array(data)))


def read_npz(data: bytes, neighbours: Neighbours) -> Contents:
    """Read `points` or `xyz` (n, 3), and where present `colors` or `rgb`, `normals`, `up` and `unit`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_inflation(archive.infolist(), inflation_limit(len(data)))
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        points = _member(archive, members, "points", "xyz")
        if points is None:
            names = ", ".join(sorted(name[:40] for name in members)[:8])
            raise Malformed(f"it has no array named points or xyz, only {names or 'nothing'}")
        points = _points(points)
        colors, normals = _member(archive, members, "colors", "rgb"), _member(archive, members, "normals")
        up, unit = _word(archive, members, "up", get_args(Axis)), _word(archive, members, "unit", get_args(Unit))
    if colors is None and normals is None and points.shape[1] > 3:
        return split_columns(points, cast(Axis | None, up), cast(Unit | None, unit))
    for name, array in (("colors", colors), ("normals", normals)):
        if array is not None and (array.ndim != 2 or len(array) != len(points) or array.shape[1] < 3):
            raise Malformed(f"its {name} have shape {array.shape}, but there are {len(points)} points")
    return Contents(
        points=points[:, :3],
        colors=None if colors is None else to_unit_range(colors[:, :3]),
        normals=None if normals is None else normals[:, :3],
        up=cast(Axis | None, up),
        unit=cast(Unit | None, unit),
    )


def read_arrays(data: bytes, names: Collection[str]) -> dict[str, Numbers]:
    """Those arrays of an npz that have one of the names; the others are not unpacked."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_inflation(archive.infolist(), inflation_limit(len(data)))
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        found = {name: _member(archive, members, name) for name in names}
    return {name: array for name, array in found.items() if array is not None}


def read_array(data: bytes) -> Numbers:
    """The array in an npy file."""
    return _array(io.BytesIO(data), len(data))


def names_points(path: Path) -> bool:
    """Whether an npz names an array of points; one that cannot be opened is left for the reader to refuse."""
    try:
        with zipfile.ZipFile(path) as archive:
            return not {"points.npy", "xyz.npy"}.isdisjoint(archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError):
        return True


def _member(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], *names: str) -> Numbers | None:
    info = next((members[name] for name in names if name in members), None)
    if info is None:
        return None
    with archive.open(info) as stream:
        return _array(stream, info.file_size)


def check_inflation(members: list[zipfile.ZipInfo], limit: int) -> None:
    """Raise Malformed if members of an archive claim to unpack to more than `limit` bytes, or are packed oddly.

    Python's reader stops at the declared size, and for these two methods inflates no more than asked for.
    """
    if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in members):
        raise Malformed("it is compressed in a way that clip3d does not read", "save it again with deflate")
    total = sum(info.file_size for info in members)
    if total > limit:
        raise Malformed(f"it would unpack to {total:,} bytes, more than {limit:,}", "save it without compression")


def _array(stream: IO[bytes], size: int) -> Numbers:
    """One array in NPY form, after its header is seen to fit into `size` bytes."""
    shape, by_columns, dtype = _header(stream)
    if dtype.kind not in "fiub" and not (dtype.kind in "US" and dtype.itemsize <= 256):
        raise Malformed(f"it holds {dtype} instead of numbers", "save a plain array of numbers")
    count = 1
    for side in shape:
        count *= int(side)
    if count < 0 or count * dtype.itemsize > size:
        raise Malformed(f"it declares an array of shape {shape} but ends before it", "it is cut short or damaged")
    data = bytearray(stream.read(count * dtype.itemsize))  # which can be written to, as arrays are
    if len(data) < count * dtype.itemsize:
        raise Malformed(f"it declares an array of shape {shape} but ends before it", "it is cut short or damaged")
    array: Numbers = np.frombuffer(data, dtype) if count else np.zeros(0, dtype)
    return array.reshape(shape, order="F" if by_columns else "C")


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and type of the array that follows."""
    version = np.lib.format.read_magic(stream)
    # NumPy parses the header as Python, which Python up to 3.12 cannot do in several threads at once.
    with PARSING:
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(stream)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(stream)
    raise Malformed(f"clip3d does not read version {version} of NPY", "save it again with numpy.save")


def _points(array: Numbers) -> Numbers:
    if array.ndim == 3:
        raise Malformed(
            f"it holds {array.shape[0]} clouds of {array.shape[1]} points, not one",
            "for a labelled set of clouds use `clip3d evaluate`, or save each cloud to a file of its own",
        )
    if array.ndim != 2 or array.shape[1] < 3 or array.dtype.kind not in "fiu":
        raise Malformed(f"its points have shape {array.shape}, expected (n, 3)")
    if len(array) > MAX_POINTS:
        raise Malformed(f"{len(array):,} points, more than {MAX_POINTS:,}", "thin the cloud out")
    return array


def _word(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str, allowed: tuple[str, ...]
) -> str | None:
    array = _member(archive, members, name)
    if array is None:
        return None
    word = str(array.reshape(-1)[0]) if array.size == 1 else ""
    if word not in allowed:
        raise Malformed(f"its {name} is {word[:40]!r}, expected one of {', '.join(allowed)}")
    return word

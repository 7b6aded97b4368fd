"""LAS and LAZ, the formats of surveys: whole coordinates with a scale and an offset, read in pieces."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import MAX_POINTS, Contents, Malformed
from clip3d.clouds.formats.las_units import unit_of
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.errors import MissingExtra

CHUNK = 1 << 20
# LAZ packs surveys five- to fifteenfold; a file that says more would cost time that its content is not worth.
MOST_PACKED = 60
SMALL_FILE = 64 * 1024**2
# float32 tells millimetres apart up to about here.
FAR = 10_000
VLR_HEADER = 54
CUT_SHORT = "the file is cut short or damaged: copy or export it again"


@dataclass(frozen=True)
class Header:
    """What must hold before a parser is let loose: where points begin, how many there are and of what size."""

    start: int
    records: int
    points: int
    point_bytes: int
    packed: bool


def read_las(data: bytes, neighbours: Neighbours) -> Contents:
    """Read the points of a LAS or LAZ file that are not withheld, and their colours.

    Of more than 50 million points every second (third, ...) is read, so that they are fewer. Along an axis on which
    the first point lies beyond 10,000, that point's coordinate, rounded down, is taken off all, because float32
    would blur maps' coordinates. Colours are 16 bit, or 8 bit where none exceeds 255; where all are 0 there are
    none.
    Up is z as the format states; the unit is what the coordinate reference system says, if it says one.

    Args:
        data: the file's first bytes; the rest is read from its path.
        neighbours: of the file.

    Raises:
        MissingExtra: without laspy, or lazrs where the points are packed.
        Malformed: if it is cut short, or declares more than it can hold.
    """
    header = _header(data)
    laspy = _parser(header.packed)
    _check(header, neighbours.path)
    # One thread: files of a folder are read by several processes already.
    backend = laspy.LazBackend.Lazrs if header.packed else None
    with laspy.open(neighbours.path, read_evlrs=False, laz_backend=backend) as reader:
        records = {record.record_id: record.record_data_bytes() for record in _projection(reader.header.vlrs)}
        points, colors = _points(reader, -(-header.points // MAX_POINTS))
    return Contents(points=points, colors=colors, up="z", unit=unit_of(records))


def _parser(packed: bool) -> Any:
    try:
        import laspy
    except ImportError as error:
        raise MissingExtra("reading LAS files", "laspy", "lidar") from error
    if packed:
        try:
            import lazrs  # noqa: F401 - laspy unpacks with it
        except ImportError as error:
            raise MissingExtra("reading LAZ files", "lazrs", "lidar") from error
    return laspy


def _header(data: bytes) -> Header:
    if data[:4] != b"LASF" or len(data) < 227:
        raise Malformed("it does not begin with the header of a LAS file", CUT_SHORT)
    minor, size = data[25], struct.unpack_from("<H", data, 94)[0]
    start, records, kind, point_bytes, points = struct.unpack_from("<IIBHI", data, 96)
    if minor >= 4 and size >= 375 and len(data) >= 255:
        points = struct.unpack_from("<Q", data, 247)[0]
    return Header(start, records, points, point_bytes, packed=bool(kind & 0xC0))


def _check(header: Header, path: Path) -> None:
    size = path.stat().st_size
    if header.start > size or header.records * VLR_HEADER > header.start:
        raise Malformed("its header declares more records than the file holds", CUT_SHORT)
    declared = header.points * header.point_bytes
    if not header.packed and declared > size - header.start:
        raise Malformed(f"it ends before its {header.points:,} points", CUT_SHORT)
    if declared > max(SMALL_FILE, MOST_PACKED * size):
        raise Malformed(f"its {header.points:,} points cannot be packed into {size:,} bytes", CUT_SHORT)
    if not header.points:
        raise Malformed("it holds no points", "check that the export included the points")
    if header.packed:
        _check_pieces(header, path)


def _check_pieces(header: Header, path: Path) -> None:
    """Count the pieces that the points are packed in; the parser takes memory for as many as the file says."""
    with path.open("rb") as stream:
        stream.seek(header.start)
        place = int.from_bytes(stream.read(8), "little", signed=True)
        end = stream.seek(0, 2)
        if place == -1:  # written by a program that could not go back
            stream.seek(end - 8)
            place = int.from_bytes(stream.read(8), "little", signed=True)
        if not header.start < place <= end - 8:
            raise Malformed("the table of its packed pieces is missing", CUT_SHORT)
        stream.seek(place + 4)
        pieces = int.from_bytes(stream.read(4), "little")
    # The first point of a piece is not packed.
    if pieces * header.point_bytes > end - header.start:
        raise Malformed(f"it declares {pieces:,} packed pieces, more than it can hold", CUT_SHORT)


def _projection(records: Any) -> list[Any]:
    return [record for record in records if record.user_id.strip("\x00 ") == "LASF_Projection"]


def _points(reader: Any, step: int) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Every step-th point that is not withheld, (p, 3), and the colours of these."""
    positions, colors = [], []
    anchor = None
    colored = {"red", "green", "blue"} <= set(reader.header.point_format.dimension_names)
    seen = 0
    for chunk in reader.chunk_iterator(CHUNK):
        keep = np.arange(-seen % step, len(chunk), step)
        keep = keep[~np.asarray(chunk.withheld, dtype=bool)[keep]]
        seen += len(chunk)
        exact = np.stack([np.asarray(chunk[axis], dtype=np.float64)[keep] for axis in "xyz"], axis=1)
        if anchor is None and len(exact):
            anchor = np.where(np.abs(exact[0]) > FAR, np.floor(exact[0]), 0)
        positions.append((exact - (0 if anchor is None else anchor)).astype(np.float32))
        if colored:
            colors.append(np.stack([np.asarray(chunk[band])[keep] for band in ("red", "green", "blue")], axis=1))
    if seen < reader.header.point_count:
        raise Malformed(f"it ends before its {reader.header.point_count:,} points", CUT_SHORT)
    return np.concatenate(positions), _colors(np.concatenate(colors)) if colored else None


def _colors(bands: NDArray[np.uint16]) -> NDArray[np.float32] | None:
    """Colours in [0, 1]; many writers put 8-bit values into the 16 bits."""
    brightest = int(bands.max(initial=0))
    return (bands / np.float32(255 if brightest <= 255 else 65535)).astype(np.float32) if brightest else None

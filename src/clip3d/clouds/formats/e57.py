"""E57 (ASTM E2807), the format of laser scanners on tripods: several scans, each with its pose."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import MAX_PARTS, MAX_POINTS, Contents, Malformed, rows_finite
from clip3d.clouds.formats.e57_vectors import CUT_SHORT, PAGE, Field, Pages, read_vector
from clip3d.clouds.formats.las import FAR
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.xml_guard import MAX_XML_BYTES, parse_xml

HEADER = struct.Struct("<8sIIQQQQ")
SPACE = "{http://www.astm.org/COMMIT/E57/2010-e57-v1.0}"
CARTESIAN = ("cartesianX", "cartesianY", "cartesianZ")
SPHERICAL = ("sphericalRange", "sphericalAzimuth", "sphericalElevation")
COLORS = ("colorRed", "colorGreen", "colorBlue")
STATES = {CARTESIAN: "cartesianInvalidState", SPHERICAL: "sphericalInvalidState"}
MAX_FIELDS = 256
GREY = 0.5
MAX_RANGE = 2**32
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Scan:
    """One scan: where its points are, how they are stored, and its pose.

    Attributes:
        offset: in the file.
        count: of points.
        fields: in their order.
        rotation, shift: (3, 3) and (3,), from the scanner to the file's frame.
        ranges: (3, 2), the lowest and highest of each colour.
    """

    offset: int
    count: int
    fields: tuple[Field, ...]
    rotation: Values
    shift: Values
    ranges: Values

    @property
    def axes(self) -> tuple[str, str, str] | None:
        """The names of its coordinates."""
        names = {field.name for field in self.fields}
        return next((axes for axes in (CARTESIAN, SPHERICAL) if names.issuperset(axes)), None)


def read_e57(data: bytes, neighbours: Neighbours) -> Contents:
    """Read the points of all scans, turned and shifted by their poses into one frame, and their colours.

    Points that are marked as invalid are left out; those of scans without colours are grey if others have some. Of
    more than 50 million points every second (third, ...) is read. Along an axis on which the first point lies
    beyond 10,000, that point's coordinate, rounded down, is taken off all. Lengths are in metres and z is up, as
    the standard has them.

    Raises:
        Malformed: if it is cut short, or declares more than it holds.
    """
    size = neighbours.path.stat().st_size
    with neighbours.path.open("rb") as stream:
        pages = Pages(stream, size)
        scans = [scan for scan in _scans(_description(data, pages)) if scan.count and scan.axes]
        if not scans:
            raise Malformed("it holds no scan with points", "check that the export included the points")
        _check(scans, size)
        points, colors = _merged(pages, scans)
    return Contents(points=points, colors=colors, up="z", unit="m")


def _description(data: bytes, pages: Pages) -> Element:
    """The XML that says what the file holds."""
    if len(data) < HEADER.size or data[:8] != b"ASTM-E57":
        raise Malformed("it does not begin with the header of an E57 file", CUT_SHORT)
    _, _, _, _, offset, length, page = HEADER.unpack_from(data)
    if page != PAGE:
        raise Malformed(f"its pages have {page:,} bytes, not {PAGE:,}", "export it again")
    if length > MAX_XML_BYTES:
        raise Malformed(f"its description has {length:,} bytes", CUT_SHORT)
    return parse_xml(pages.read(pages.place(offset), length).rstrip(b"\x00"))


def _scans(root: Element) -> list[Scan]:
    children = root.findall(f"{SPACE}data3D/{SPACE}vectorChild")
    if len(children) > MAX_PARTS:
        raise Malformed(f"it has {len(children):,} scans", "cut it into smaller files")
    return [_scan(child) for child in children]


def _scan(child: Element) -> Scan:
    points = child.find(f"{SPACE}points")
    prototype = None if points is None else points.find(f"{SPACE}prototype")
    if points is None or prototype is None or len(prototype) > MAX_FIELDS:
        return Scan(0, 0, (), np.eye(3), np.zeros(3), np.zeros((3, 2)))
    turn = [_number(child, f"{SPACE}pose/{SPACE}rotation/{SPACE}{part}", float(part == "w")) for part in "wxyz"]
    shift = [_number(child, f"{SPACE}pose/{SPACE}translation/{SPACE}{part}", 0) for part in "xyz"]
    return Scan(
        offset=int(points.get("fileOffset", "0")),
        count=int(points.get("recordCount", "0")),
        fields=tuple(_field(part) for part in prototype),
        rotation=_rotation(np.array(turn)),
        shift=np.array(shift),
        ranges=_color_ranges(child, prototype),
    )


def _color_ranges(child: Element, prototype: Element) -> Values:
    """The lowest and highest of each colour (3, 2): as the scan states, else as the fields do, else from 0 to 1."""
    names = [f"{SPACE}colorLimits/{SPACE}{color}{end}" for color in COLORS for end in ("Minimum", "Maximum")]
    stated = np.array([_number(child, name, math.nan) for name in names]).reshape(3, 2)
    if not np.isnan(stated).any():
        return stated
    parts = [prototype.find(f"{SPACE}{color}") for color in COLORS]
    return np.array([(0.0, 1.0) if part is None else _range_of(part) for part in parts])


def _range_of(part: Element) -> tuple[float, float]:
    """The range that a field states, of the values as they are once scaled."""
    scale, offset = float(part.get("scale", 1)), float(part.get("offset", 0))
    low = float(part.get("minimum", 0)) * scale + offset
    high = float(part.get("maximum", 1)) * scale + offset
    # Floats whose range is that of their type have none.
    return (low, high) if 0 <= high - low < MAX_RANGE else (0.0, 1.0)


def _number(node: Element, name: str, default: float) -> float:
    """The number of an element below; an element without text stands for 0."""
    found = node.find(name)
    return default if found is None else float(found.text or 0)


def _field(part: Element) -> Field:
    name, kind = part.tag.removeprefix(SPACE), part.get("type")
    if kind == "Float":
        return Field(name, bits=32 if part.get("precision") == "single" else 64)
    if kind not in ("Integer", "ScaledInteger"):
        raise Malformed(f"its field {name[:40]} is a {str(kind)[:40]}, which points do not have")
    low, high = int(part.get("minimum", -(2**63))), int(part.get("maximum", 2**63 - 1))
    if not -(2**63) <= low <= high < 2**63:
        raise Malformed(f"its field {name[:40]} has no range", CUT_SHORT)
    scale, offset = float(part.get("scale", 1)), float(part.get("offset", 0))
    return Field(name, (high - low).bit_length(), low, scale, offset)


def _rotation(turn: Values) -> Values:
    """The rotation (3, 3) of a quaternion w, x, y, z of any length but 0."""
    length = float(np.linalg.norm(turn))
    if not 1e-6 < length < 1e6:
        raise Malformed("a scan's pose is no rotation", CUT_SHORT)
    w, x, y, z = turn / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _check(scans: Sequence[Scan], size: int) -> None:
    """Refuse counts that the file cannot hold, before anything is read."""
    declared = 0
    for scan in scans:
        bits = sum(field.bits for field in scan.fields if field.name in (scan.axes or ()))
        if scan.count < 0 or scan.offset < 0 or not bits:
            raise Malformed(f"a scan declares {scan.count:,} points without coordinates", CUT_SHORT)
        declared += scan.count * bits // 8
    if declared > size:
        raise Malformed("its scans declare more points than it holds", CUT_SHORT)


def _merged(pages: Pages, scans: Sequence[Scan]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    step = -(-sum(scan.count for scan in scans) // MAX_POINTS)
    positions, colors = [np.zeros((0, 3), np.float32)], [np.zeros((0, 3), np.float32)]
    colored = any(_colored(scan) for scan in scans)
    anchor = None
    seen = 0
    for scan in scans:
        axes = scan.axes or CARTESIAN
        wanted = frozenset({*axes, STATES[axes], *(COLORS if _colored(scan) else ())})
        for block in read_vector(pages, scan.offset, scan.count, scan.fields, wanted):
            count = len(block[axes[0]])
            keep = np.arange(-seen % step, count, step)
            seen += count
            if STATES[axes] in block:
                keep = keep[block[STATES[axes]][keep] == 0]
            exact = _cartesian(block, axes, keep) @ scan.rotation.T + scan.shift
            finite = rows_finite(exact)
            exact, keep = exact[finite], keep[finite]
            if anchor is None and len(exact):
                anchor = np.where(np.abs(exact[0]) > FAR, np.floor(exact[0]), 0)
            positions.append((exact - (0 if anchor is None else anchor)).astype(np.float32))
            if colored:
                colors.append(_colors(block, scan, keep))
    return np.concatenate(positions), np.concatenate(colors) if colored else None


def _cartesian(block: dict[str, Values], axes: tuple[str, str, str], keep: NDArray[np.intp]) -> Values:
    """Points (p, 3) in the scanner's frame. Azimuth goes from x to y, elevation from there to z, in radians."""
    first, second, third = (block[axis][keep] for axis in axes)
    if axes == CARTESIAN:
        return np.stack([first, second, third], axis=1)
    flat = first * np.cos(third)
    return np.stack([flat * np.cos(second), flat * np.sin(second), first * np.sin(third)], axis=1)


def _colored(scan: Scan) -> bool:
    return {field.name for field in scan.fields}.issuperset(COLORS)


def _colors(block: dict[str, Values], scan: Scan, keep: NDArray[np.intp]) -> NDArray[np.float32]:
    """Colours (p, 3) in [0, 1], from the range that the scan states, else from that of the field."""
    if not _colored(scan):
        return np.full((len(keep), 3), GREY, np.float32)
    low, high = scan.ranges.T
    bands = np.stack([block[name][keep] for name in COLORS], axis=1)
    return np.asarray(np.clip((bands - low) / np.maximum(high - low, 1e-12), 0, 1), dtype=np.float32)

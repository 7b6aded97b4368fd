"""The unit that a LAS file's coordinate reference system states, in WKT or in GeoTIFF keys."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from clip3d.clouds.cloud import Unit

WKT, GEO_KEYS = 2112, 34735
PROJECTED, LINEAR_UNIT, VERTICAL_UNIT = 3072, 3076, 4099
# EPSG's codes of units; 9003 is the US survey foot, 2 millionths longer than the foot.
UNITS: dict[int, Unit] = {9001: "m", 9002: "ft", 9003: "ft"}
# EPSG's codes of UTM zones, which are all in metres: WGS 84, ETRS89, NAD83 and NAD83(2011).
UTM = (range(32601, 32661), range(32701, 32761), range(25828, 25839), range(26901, 26924), range(6328, 6349))
FACTORS: dict[float, Unit] = {1.0: "m", 0.3048: "ft", 0.3048006: "ft"}
# A name is tried at its beginning only: from every letter of a long one, its end would be sought again.
TOKEN = re.compile(r'"(?:[^"]|"")*"|(?<!\w)([A-Za-z_0-9]+)\s*[\[(]|[\])]|[-+.\dEe]+')
# What is real goes about six deep.
MAX_DEPTH = 50
PROJECTIONS = {"PROJCS", "PROJCRS", "PROJECTEDCRS"}
WHOLES = {"COMPD_CS", "COMPOUNDCRS", "BOUNDCRS", "SOURCECRS", "VERT_CS", "VERTCRS", "VERTICALCRS", "AXIS"}


def unit_of(records: Mapping[int, bytes]) -> Unit | None:
    """The unit of x, y and z that the projection records (by their ids) state.

    None where they state none that is a metre or foot, state degrees, or state one for x and y and another for z.
    """
    if WKT in records:
        return _of_wkt(records[WKT].decode("utf-8", "replace"))
    return _of_keys(records.get(GEO_KEYS, b""))


def _of_wkt(text: str) -> Unit | None:
    """The one unit of the projected and the vertical system; angles, parameters and ellipsoids have others."""
    stack: list[str] = []
    found: set[Unit | None] = set()
    projected = False
    for match in TOKEN.finditer(text):
        token, name = match.group(), match.group(1)
        if name:
            stack.append(name.upper())
            if len(stack) > MAX_DEPTH:
                return None
        elif token in ("]", ")"):
            if not stack:
                return None
            stack.pop()
        elif stack and stack[-1] in ("UNIT", "LENGTHUNIT") and not token.startswith('"'):
            around = set(stack[:-1])
            if around and around <= PROJECTIONS | WHOLES:
                found.add(_of_factor(token))
                projected = projected or bool(around & PROJECTIONS)
    return found.pop() if projected and len(found) == 1 else None


def _of_factor(token: str) -> Unit | None:
    try:
        return FACTORS.get(round(float(token), 7))
    except ValueError:
        return None


def _of_keys(data: bytes) -> Unit | None:
    rows = struct.iter_unpack("<4H", data[8 : len(data) // 8 * 8])
    values = {key: value for key, place, _, value in rows if place == 0}
    unit = UNITS.get(values.get(LINEAR_UNIT, 0))
    if LINEAR_UNIT not in values and any(values.get(PROJECTED, 0) in codes for codes in UTM):
        unit = "m"
    if VERTICAL_UNIT in values and UNITS.get(values[VERTICAL_UNIT]) != unit:
        return None
    return unit

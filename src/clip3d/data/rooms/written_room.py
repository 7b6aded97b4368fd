"""A simulated room as files: `scan.ply`, whose vertices name their thing, and `truth.json`, which tells of things.

`truth.json` holds "format": "clip3d-room-1", the room's "name", "use", "height", "outline" (corners of its floor,
metres), "scanner", "shapes", "seed", "number", "options", and "things": for each the "class", the "names" (most
specific first), the "box" (center, size along its own axes, yaw about z in radians), "points" (how many the scan
has of it) and "kind". A vertex' property `instance` is its thing's place in that list, -1 for none.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from clip3d.atomic import replacing
from clip3d.clouds.cloud import PointCloud
from clip3d.data.rooms.files import AGAIN, read_object, read_vertices
from clip3d.data.rooms.labelled_scene import LabelledScene, SceneThing
from clip3d.errors import DataError
from clip3d.simulation.interiors.room import Room
from clip3d.simulation.interiors.scan import Scan

FORMAT = "clip3d-room-1"
SCAN, TRUTH = "scan.ply", "truth.json"
MOST_THINGS = 100_000


def is_room(path: Path) -> bool:
    """Whether a folder is a simulated room that is whole: its truth is written last."""
    return (path / TRUTH).is_file() and (path / SCAN).is_file()


def write_room(folder: Path, room: Room, scan: Scan, facts: dict[str, Any]) -> None:
    """Write a room's scan and truth into a folder that is there; the truth last."""
    with replacing(folder / SCAN) as temporary:
        temporary.write_bytes(ply_bytes(scan))
    with replacing(folder / TRUTH) as temporary:
        temporary.write_text(json.dumps(truth_of(room, scan, facts), indent=1) + "\n", encoding="utf-8")


def ply_bytes(scan: Scan) -> bytes:
    """A scan as a binary PLY file with colours and the property `instance`."""
    rows = np.zeros(len(scan), dtype=[(a, "<f4") for a in "xyz"] + [(c, "u1") for c in ("red", "green", "blue")]
                    + [("instance", "<i4")])  # fmt: skip
    for index, axis in enumerate("xyz"):
        rows[axis] = scan.points[:, index]
    for index, color in enumerate(("red", "green", "blue")):
        rows[color] = scan.colors[:, index]
    rows["instance"] = scan.instances
    header = ["ply", "format binary_little_endian 1.0", "comment clip3d up z unit m", f"element vertex {len(scan)}"]
    header += [f"property float {axis}" for axis in "xyz"]
    header += [f"property uchar {color}" for color in ("red", "green", "blue")]
    return "\n".join([*header, "property int instance", "end_header\n"]).encode("ascii") + rows.tobytes()


def truth_of(room: Room, scan: Scan, facts: dict[str, Any]) -> dict[str, Any]:
    """What `truth.json` holds."""
    counts = np.bincount(scan.instances[scan.instances >= 0], minlength=len(room.things))
    things = [
        {
            "class": thing.label,
            "names": list(thing.words),
            "kind": thing.kind,
            "box": {
                "center": [round(v, 4) for v in thing.center],
                "size": [round(v, 4) for v in thing.size],
                "yaw": round(thing.yaw, 5),
            },
            "points": int(count),
        }
        for thing, count in zip(room.things, counts, strict=True)
    ]
    outline = [[round(float(x), 4), round(float(y), 4)] for x, y in room.outline]
    return {"format": FORMAT, "up": "z", "unit": "m", "use": room.use, "height": round(room.height, 4),
            "outline": outline, **facts, "things": things}  # fmt: skip


def read_room(path: Path) -> LabelledScene:
    """A simulated room from its folder.

    Raises:
        DataError: if a file is missing, damaged, or does not fit the other.
    """
    truth = read_object(path / TRUTH)
    if truth.get("format") != FORMAT:
        raise DataError(path / TRUTH, f"its format is {str(truth.get('format'))[:40]!r}, not {FORMAT!r}",
                        "it was written by another version of clip3d")  # fmt: skip
    things = _things(truth.get("things"), path / TRUTH)
    points, colors, columns = read_vertices(path / SCAN)
    owner = columns.get("instance")
    if owner is None or owner.dtype.kind not in "iu" or owner.min() < -1 or owner.max() >= len(things):
        raise DataError(path / SCAN, "its vertices have no property instance that fits the things", AGAIN)
    cloud = PointCloud(points, colors, up="z", unit="m", frame_source="file", path=path / SCAN)
    kept = ("use", "scanner", "shapes", "seed", "number")
    facts: dict[str, Any] = {key: truth[key] for key in kept if key in truth}
    return LabelledScene(path.name, cloud, owner.astype(np.int32), things, path, facts)


def _things(found: Any, path: Path) -> tuple[SceneThing, ...]:
    try:
        if len(found) > MOST_THINGS:
            raise ValueError(f"{len(found)} things")
        return tuple(SceneThing(str(t["class"]), tuple(str(name) for name in t["names"])) for t in found)
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(path, f"its things cannot be used: {error!r}", AGAIN) from error

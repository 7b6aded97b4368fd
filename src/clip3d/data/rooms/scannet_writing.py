"""Simulated rooms in ScanNet's own layout, so that what reads ScanNet reads them too.

The vertices of the mesh are the fused points; there are no faces. Each thing's points are one segment.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from clip3d.atomic import replacing
from clip3d.data.rooms.scannet import AGGREGATIONS, LABELS, LISTS, MESH, SEGMENTS
from clip3d.data.rooms.scannet_classes import NYU40, NYU40_ID, nyu40_of
from clip3d.data.rooms.written_room import TRUTH, truth_of
from clip3d.simulation.interiors.furnishings import ROOM_CLASSES
from clip3d.simulation.interiors.room import Room
from clip3d.simulation.interiors.scan import Scan

_COLUMNS = ("id", "raw_category", "category", "count", "nyu40id", "nyu40class")


def write_scannet(folder: Path, room: Room, scan: Scan, facts: dict[str, Any]) -> None:
    """Write a room into a folder that is there and is named as ScanNet's are; `truth.json` beside it, last."""
    name = folder.name
    things = [i for i in range(len(room.things)) if (scan.instances == i).any()]
    groups = [
        {"id": number, "objectId": number, "segments": [number + 1], "label": room.things[thing].label}
        for number, thing in enumerate(things)
    ]
    number_of = np.zeros(len(room.things) + 1, np.int64)
    number_of[things] = np.arange(1, len(things) + 1)
    texts = {
        f"{name}{SEGMENTS}": json.dumps({"sceneId": name, "segIndices": number_of[scan.instances].tolist()}),
        f"{name}{AGGREGATIONS[0]}": json.dumps({
            "sceneId": f"scannet.{name}", "appId": "clip3d", "segGroups": groups,
            "segmentsFile": f"scannet.{name}{SEGMENTS}",
        }),
        f"{name}.txt": "axisAlignment = " + " ".join("1.0" if i % 5 == 0 else "0.0" for i in range(16))
                       + f"\nsceneType = {room.use.title()}\n",
    }  # fmt: skip
    with replacing(folder / f"{name}{MESH}") as temporary:
        temporary.write_bytes(_mesh(scan))
    texts[TRUTH] = json.dumps(truth_of(room, scan, facts), indent=1) + "\n"
    for file, text in texts.items():
        with replacing(folder / file) as temporary:
            temporary.write_text(text, encoding="utf-8")


def enrol(out: Path, split: str, names: list[str]) -> None:
    """List scenes in ScanNet's file of a split, and write its table of words; both in the set's folder."""
    with FileLock(out / ".lists.lock"):
        path = out / LISTS[split]
        listed = path.read_text(encoding="utf-8").split() if path.is_file() else []
        with replacing(path) as temporary:
            temporary.write_text("\n".join(sorted({*listed, *names})) + "\n", encoding="utf-8")
        with replacing(out / LABELS) as temporary:
            temporary.write_text(_words(), encoding="utf-8")


def _words() -> str:
    rows = ["\t".join(_COLUMNS)]
    for number, label in enumerate(ROOM_CLASSES, 1):
        nyu = nyu40_of(label)
        rows.append("\t".join((str(number), label, label, "1", str(NYU40_ID[nyu]), NYU40[NYU40_ID[nyu] - 1])))
    return "\n".join(rows) + "\n"


def _mesh(scan: Scan) -> bytes:
    colors = ("red", "green", "blue", "alpha")
    rows = np.zeros(len(scan), dtype=[(a, "<f4") for a in "xyz"] + [(c, "u1") for c in colors])
    for index, axis in enumerate("xyz"):
        rows[axis] = scan.points[:, index]
        rows[colors[index]] = scan.colors[:, index]
    rows["alpha"] = 255
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(scan)}"]
    header += [f"property float {axis}" for axis in "xyz"] + [f"property uchar {color}" for color in colors]
    header += ["element face 0", "property list uchar int vertex_indices", "end_header\n"]
    return "\n".join(header).encode("ascii") + rows.tobytes()

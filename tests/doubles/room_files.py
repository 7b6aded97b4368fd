"""Miniatures of labelled scenes in the true formats of ScanNet and S3DIS."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

# Four things of 20 points each: a chair, two tables (one in two segments) and a word of ScanNet's own.
LABELS = ("chair", "table", "table", "coffee table")


def write_scannet(root: Path, name: str = "scene0007_00", turn: float = 90.0) -> Path:
    """One scene as the download script lays it out, with its table of words and lists of splits above."""
    folder = root / "scans" / name
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    points = (rng.uniform(0, 1, (100, 3)) + np.repeat(np.arange(5), 20)[:, None] * [2, 0, 0]).astype("<f4")
    rows = np.zeros(100, [("xyz", "<f4", 3), ("rgba", "u1", 4)])
    rows["xyz"], rows["rgba"] = points, [10, 20, 30, 255]
    header = ["ply", "format binary_little_endian 1.0", "comment MLIB generated", "element vertex 100"]
    header += [f"property float {axis}" for axis in "xyz"]
    header += [f"property uchar {color}" for color in ("red", "green", "blue", "alpha")]
    header += ["element face 1", "property list uchar int vertex_indices", "end_header\n"]
    face = np.array([3], "u1").tobytes() + np.array([0, 1, 2], "<i4").tobytes()
    (folder / f"{name}_vh_clean_2.ply").write_bytes("\n".join(header).encode() + rows.tobytes() + face)
    segments = np.repeat([4, 9, 11, 30, 2], 20)
    segments[30:40] = 12  # the first table has two segments
    text = json.dumps({"params": {}, "sceneId": name, "segIndices": segments.tolist()})
    (folder / f"{name}_vh_clean_2.0.010000.segs.json").write_text(text)
    held = ([4], [9, 12], [11], [30])
    groups = [{"id": i, "objectId": i, "segments": s, "label": w}
              for i, (s, w) in enumerate(zip(held, LABELS, strict=True))]  # fmt: skip
    text = json.dumps({"sceneId": f"scannet.{name}", "segGroups": groups})
    (folder / f"{name}.aggregation.json").write_text(text)
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    matrix = np.array([[c, -s, 0, 1], [s, c, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]])
    numbers = " ".join(f"{value:.6f}" for value in matrix.ravel())
    (folder / f"{name}.txt").write_text(f"axisAlignment = {numbers}\ncolorHeight = 968\n")
    table = ["id\traw_category\tcategory\tcount\tnyu40id\tnyu40class", "1\tchair\tchair\t8357\t5\tchair",
             "2\ttable\ttable\t2\t7\ttable", "3\tcoffee table\tcoffee table\t3\t7\ttable"]  # fmt: skip
    (root / "scannetv2-labels.combined.tsv").write_text("\n".join(table) + "\n")
    (root / "scannetv2_val.txt").write_text(f"{name}\nscene0999_00\n")
    (root / "scannetv2_train.txt").write_text("scene0999_00\n")
    return folder


def write_s3dis(root: Path) -> Path:
    """Two rooms in Area 1 and one in Area 5; one file has the byte that stands in the published ones."""
    for area, room in ((1, "office_1"), (1, "hallway_2"), (5, "office_3")):
        notes = root / f"Area_{area}" / room / "Annotations"
        notes.mkdir(parents=True)
        for number, word in enumerate(("chair_1", "chair_2", "bookcase_1", "stairs_1")):
            rows = [f"{number}.{i} {area}.5 0.25 {i * 10} 128 255" for i in range(8)]
            (notes / f"{word}.txt").write_text("\n".join(rows) + "\n")
        (notes / "ceiling_1.txt").write_bytes(b"0.1 0.2 3.0 185\x10187 182\n0.3 0.2 3.0 185 187 182\n")
        (notes / ".DS_Store").write_bytes(b"\0")
    return root

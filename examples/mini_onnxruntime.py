"""Name a 3D object with onnxruntime and NumPy alone: neither clip3d nor torch is needed where this runs.

Where clip3d is installed, once:

    clip3d export --tower cloud -o mini/cloud.onnx
    clip3d export --tower text -o mini/text.onnx

Then, anywhere, with the folder `mini` and this file:

    python mini_onnxruntime.py mini/ chair.ply --labels "chair,table,lamp"

It prints what `clip3d classify --no-refuse` gives for a .npy array of points (p, 3), or (p, 6) with red, green and
blue from 0 to 255, and for a binary .ply file of points; z points up.
"""

from __future__ import annotations

import argparse
import json
import unicodedata
from pathlib import Path

import numpy as np
import onnxruntime

PLY_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip
LONGEST_WORD = 100


def main() -> None:
    parser = argparse.ArgumentParser(description="Rank labels for a cloud with exported towers.")
    parser.add_argument("towers", type=Path, help="folder of cloud.onnx and text.onnx with their notes")
    parser.add_argument("cloud", type=Path, help=".npy or .ply")
    parser.add_argument("--labels", required=True, help="with commas between them")
    asked = parser.parse_args()
    labels = [label.strip() for label in asked.labels.split(",")]
    for label, probability in classify(asked.towers, asked.cloud, labels):
        print(f"{probability:.4f}  {label}")


def classify(towers: Path, cloud: Path, labels: list[str]) -> list[tuple[str, float]]:
    """Labels with their probabilities, best first."""
    see, read = Tower(towers / "cloud.onnx"), Tower(towers / "text.onnx")
    if see.notes["model"] != read.notes["model"]:
        raise SystemExit(f"{towers}: the two towers are of different models: export both again")
    points, colors = prepare(*read_cloud(cloud), see.notes["preparation"])
    seen = see.run(points=points[None], colors=colors[None])
    named = np.concatenate([embed_label(read, label) for label in labels])
    space = see.notes["space"]
    similarity = (centre(seen, space["mean"]) @ centre(named, space["mean"]).T)[0]
    odds = np.exp(space["scale"] * (similarity.astype(np.float64) - similarity.max()))
    order = np.argsort(-similarity, kind="stable")
    return [(labels[i], float(odds[i] / odds.sum())) for i in order]


class Tower:
    """An exported tower: its session, and the notes beside it."""

    def __init__(self, path: Path) -> None:
        self.notes = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
        onnxruntime.disable_telemetry_events()
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        tokenizer = self.notes["files"].get("tokenizer")
        if tokenizer:
            form = json.loads(path.with_name(tokenizer).read_text(encoding="utf-8"))
            self.vocabulary = form["model"]["vocab"]

    def run(self, **inputs: np.ndarray) -> np.ndarray:
        return self.session.run(["vectors"], inputs)[0]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def centre(vectors: np.ndarray, mean: list[float]) -> np.ndarray:
    """Vectors as the space compares them."""
    return unit(unit(vectors) - np.asarray(mean, dtype=np.float32))


# Clouds


def read_cloud(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Points (p, 3), and colors (p, 3) in [0, 1] if there are any."""
    if path.suffix == ".ply":
        return read_ply(path)
    table = np.load(path, allow_pickle=False)
    if table.ndim != 2 or table.shape[1] not in (3, 6):
        raise SystemExit(f"{path}: expected an array (p, 3) or (p, 6), got {table.shape}")
    colors = (table[:, 3:] / 255).astype(np.float32) if table.shape[1] == 6 else None
    return table[:, :3].astype(np.float32), colors


def read_ply(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    data = path.read_bytes()
    end = data.find(b"\nend_header\n")
    lines = [line.split() for line in data[: max(end, 0)].decode("latin-1").splitlines()]
    elements = [line[1] for line in lines if line[:1] == ["element"]]
    if ["format", "binary_little_endian", "1.0"] not in lines or elements != ["vertex"]:
        raise SystemExit(f"{path}: this example reads binary PLY files of points only")
    count = next(int(line[2]) for line in lines if line[:2] == ["element", "vertex"])
    row = np.dtype([(line[2], "<" + PLY_TYPES[line[1]]) for line in lines if line[:1] == ["property"]])
    vertex = np.frombuffer(data, row, count, offset=end + len(b"\nend_header\n"))
    points = np.stack([vertex[name] for name in "xyz"], axis=1).astype(np.float32)
    if "red" not in vertex.dtype.names:
        return points, None
    return points, np.stack([vertex[name] for name in ("red", "green", "blue")], axis=1) / np.float32(255)


def prepare(points: np.ndarray, colors: np.ndarray | None, how: dict) -> tuple[np.ndarray, np.ndarray]:
    """Points in the unit sphere and colors (n, 3), as the steps in the notes say."""
    kept = np.arange(len(points))
    if len(points) > how["max_candidates"]:
        kept = np.random.default_rng(0).permutation(len(points))[: how["max_candidates"]]
    if how["outliers"]:
        kept = kept[near_others(points[kept], how["outliers"])]
    kept = kept[spread(points[kept], min(how["points"], max(len(kept), how["min_points"])))]
    exact = points[kept].astype(np.float64)
    exact -= exact.mean(axis=0)
    inside = (exact / max(np.sqrt((exact**2).sum(axis=1).max()), 1e-12)).astype(np.float32)
    shades = np.full_like(inside, how["color_fill"]) if colors is None else colors[kept].astype(np.float32)
    return inside, shades


def near_others(points: np.ndarray, factor: float, k: int = 4) -> np.ndarray:
    """Points whose mean distance to their k nearest neighbours is not far above what is usual in the cloud."""
    if len(points) <= 4 * k:
        return np.arange(len(points))
    apart = np.zeros(len(points))
    wide = points.astype(np.float64)
    for i in range(0, len(points), 256):
        square = ((wide[i : i + 256, None] - wide[None]) ** 2).sum(-1)
        apart[i : i + 256] = np.sqrt(np.partition(square, k, axis=1)[:, : k + 1]).sum(1) / k
    usual = np.median(apart)
    return np.flatnonzero(apart <= factor * usual) if usual > 0 else np.arange(len(points))


def spread(points: np.ndarray, n: int) -> np.ndarray:
    """n points: each the farthest from those before it; all of them, and some again, where there are fewer."""
    times, rest = divmod(n, len(points))
    parts = [np.arange(len(points))] * times
    if rest:
        chosen, nearest = [0], np.full(len(points), np.inf, np.float32)
        while len(chosen) < rest:
            square = (points - points[chosen[-1]]) ** 2
            nearest = np.minimum(nearest, square[:, 0] + square[:, 1] + square[:, 2])
            chosen.append(int(nearest.argmax()))
        parts.append(np.array(chosen))
    return np.concatenate(parts)


# Text


def embed_label(tower: Tower, label: str) -> np.ndarray:
    """The vector (1, d) of a label, from the model's prompts."""
    how = tower.notes["preparation"]
    vectors = []
    for template in how["templates"]:
        text = template.replace("{}", label.replace("_", " "))
        ids = np.array([word_pieces(text, tower.vocabulary, how["longest"])], dtype=np.int64)
        vectors.append(unit(tower.run(ids=ids, mask=np.ones(ids.shape, bool)))[0])
    return unit(np.mean(vectors, axis=0, keepdims=True, dtype=np.float32))


def word_pieces(text: str, vocabulary: dict[str, int], most: int) -> list[int]:
    """Ids of a text: in each word the longest pieces from the left that the vocabulary has."""
    ids = []
    for word in words(text):
        ids += pieces_of(word, vocabulary)
    return [vocabulary["[CLS]"], *ids[: most - 2], vocabulary["[SEP]"]]


def words(text: str) -> list[str]:
    """Small letters without accents, cut at spaces and around every mark and Chinese character."""
    spaced = []
    for letter in unicodedata.normalize("NFD", text.lower()):
        kind = unicodedata.category(letter)
        if kind == "Mn" or (kind.startswith("C") and not letter.isspace()):
            continue
        alone = kind.startswith("P") or letter in "$+<=>^`|~" or "\u4e00" <= letter <= "\u9fff"
        spaced.append(f" {letter} " if alone else letter)
    return "".join(spaced).split()


def pieces_of(word: str, vocabulary: dict[str, int]) -> list[int]:
    if len(word) > LONGEST_WORD:
        return [vocabulary["[UNK]"]]
    ids, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                break
        else:
            return [vocabulary["[UNK]"]]
        ids.append(vocabulary[piece])
        start = end
    return ids


if __name__ == "__main__":
    main()

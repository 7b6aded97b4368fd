"""Beds."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.bedsteads import odd_bed
from clip3d.simulation.chance import Rng, bright, fabric, maybe, metal, near, pick, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import chair_back, four_legs, stretchers
from clip3d.simulation.moving import copies, merge, move, rotate
from clip3d.simulation.shapes import Color, box, cushion, extrude, ribbon


def bed(rng: Rng) -> Drawn:
    """Beds: single, double, bunk, four-poster, canopy, platform, sleigh beds; more in `bedsteads`."""
    if maybe(rng, 0.35):
        return odd_bed(rng)
    wide = maybe(rng, 0.55)
    width = rng.uniform(1.35, 1.95) if wide else rng.uniform(0.8, 1.1)
    length, height = rng.uniform(1.85, 2.15), rng.uniform(0.25, 0.5)
    frame, sheet_color, cover = (
        pick(rng, wood(rng), metal(rng), fabric(rng)),
        white(rng),
        pick(rng, fabric(rng), bright(rng)),
    )
    size_name = "double bed" if wide else "single bed"
    kind = pick(
        rng, "plain", "plain", "plain", "platform", "poster", "canopy", "bunk", "divan", "sleigh", "storage"
    )
    if kind == "bunk":
        return _bunk_bed(rng, rng.uniform(0.8, 1.0), length, frame, sheet_color, cover)
    parts = _bedding(rng, width, length, height, sheet_color, cover)
    x = length / 2
    if kind in ("platform", "divan", "storage"):
        over = rng.uniform(0.05, 0.25) if kind == "platform" else 0.02
        parts.append(
            box(
                (length + over, width + over, height * 0.9),
                (0, 0, 0.0 if kind != "platform" else 0.08),
                frame,
                0.01,
            )
        )
        if kind == "storage":
            front = box((length * 0.42, 0.03, height * 0.6), color=near(rng, frame))
            parts.append(
                copies(front, [(s * length * 0.24, t * width / 2, height * 0.15) for s in (-1, 1) for t in (-1, 1)])
            )
        if maybe(rng, 0.6):
            parts.append(_headboard(rng, width + 0.1, rng.uniform(0.7, 1.3), -x, frame))
        return parts, [
            {"platform": "platform bed", "divan": "divan bed", "storage": "bed with drawers"}[kind],
            size_name,
        ]
    parts += [
        copies(box((length, 0.035, 0.15), color=frame), [(0, s * width / 2, height - 0.13) for s in (-1, 1)]),
        *four_legs(rng, length, width, height, frame, 0.07, pick(rng, "straight", "round", "turned")),
    ]
    if kind in ("poster", "canopy"):
        top = rng.uniform(1.8, 2.2)
        parts += four_legs(
            rng, length, width, top, frame, rng.uniform(0.05, 0.1), pick(rng, "straight", "round", "turned")
        )
        parts += [
            move(m, (0, 0, -top * 0.02)) for m in stretchers(length, width, top / 1.3, 0.05, frame, "box")[1:]
        ]
        parts.append(
            copies(box((length, 0.05, 0.05), color=frame), [(0, s * width / 2, top - 0.05) for s in (-1, 1)])
        )
        if kind == "canopy":
            parts.append(box((length + 0.05, width + 0.05, 0.04), (0, 0, top), cover))
        parts.append(_headboard(rng, width, rng.uniform(0.8, 1.2), -x, frame))
        return parts, ["canopy bed" if kind == "canopy" else "four-poster bed", size_name]
    if kind == "sleigh":
        for sign, high in ((-1, 1.1), (1, 0.75)):
            z = np.linspace(0.1, high, 8)
            bow = sign * (x + 0.02 + 0.22 * ((z - 0.1) / high) ** 3)
            edge = np.stack([bow, 0 * z, z], axis=1)
            parts.append(ribbon(edge, width, frame))
        return parts, ["sleigh bed", size_name]
    parts.append(_headboard(rng, width + 0.05, rng.uniform(0.75, 1.25), -x, frame))
    if maybe(rng, 0.55):
        parts.append(_headboard(rng, width + 0.05, rng.uniform(0.5, 0.8), x, frame))
    return parts, [size_name]


def _bedding(rng: Rng, width: float, length: float, height: float, sheet_color: Color, cover: Color) -> list[Mesh]:
    thick = rng.uniform(0.14, 0.28)
    parts = [box((length * 0.98, width * 0.97, thick), (0, 0, height - 0.05), sheet_color, rng.uniform(0.02, 0.06))]
    top = height - 0.05 + thick
    if maybe(rng, 0.75):
        share = rng.uniform(0.5, 0.8)
        hang = rng.uniform(0.05, 0.3)
        parts.append(
            box(
                (length * share, width + 0.06, hang),
                (length * (1 - share) / 2 + 0.02, 0, top - hang + 0.03),
                cover,
                0.03,
            )
        )
    if maybe(rng, 0.85):
        n = (2 if maybe(rng, 0.85) else 3) if width > 1.3 else 1
        pillow = cushion(
            (rng.uniform(0.32, 0.45), width / n * 0.85, rng.uniform(0.1, 0.18)), color=sheet_color, softness=0.5
        )
        y = (np.arange(n) - (n - 1) / 2) * width / n
        parts.append(copies(pillow, [(-length / 2 + 0.28, v, top - 0.02) for v in y]))
    return parts


def _headboard(rng: Rng, width: float, height: float, x: float, color: Color) -> Mesh:
    kind = pick(rng, "board", "padded", "slats", "arched", "rails")
    if kind == "padded":
        return cushion((0.12, width, height - 0.15), (x, 0, 0.15), fabric(rng), 0.15)
    if kind == "arched":
        t = np.linspace(0, np.pi, 11)
        outline = [
            (width / 2, 0.1),
            *zip(width / 2 * np.cos(t), height * 0.7 + height * 0.3 * np.sin(t), strict=True),
        ]
        plate = extrude([*outline, (-width / 2, 0.1)], 0.05, color=color)
        return move(rotate(rotate(plate, "x", 90), "z", 90), (x - 0.025, 0, 0))
    if kind in ("slats", "rails"):
        bars = chair_back(rng, width, height, color, color, "spindles" if kind == "slats" else "ladder")
        return move(merge(bars), (x, 0, 0))
    return box((0.05, width, height - 0.1), (x, 0, 0.1), color, 0.01)


def _bunk_bed(rng: Rng, width: float, length: float, frame: Color, sheet_color: Color, cover: Color) -> Drawn:
    low, high = rng.uniform(0.25, 0.4), rng.uniform(1.2, 1.5)
    top = high + 0.45
    parts = four_legs(rng, length, width, top, frame, rng.uniform(0.05, 0.09), pick(rng, "straight", "round"))
    for level in (low, high):
        parts += _bedding(rng, width, length, level, sheet_color, cover)
        parts.append(
            copies(box((length, 0.03, 0.14), color=frame), [(0, s * width / 2, level - 0.12) for s in (-1, 1)])
        )
        parts.append(
            copies(box((0.03, width, 0.3), color=frame), [(s * length / 2, 0, level + 0.05) for s in (-1, 1)])
        )
    parts.append(
        copies(box((length * 0.6, 0.03, 0.06), color=frame), [(0, s * width / 2, high + 0.33) for s in (-1, 1)])
    )
    x = length * 0.35
    parts.append(
        copies(box((0.04, 0.04, top), color=frame), [(x, width / 2 + 0.05, 0), (x + 0.35, width / 2 + 0.05, 0)])
    )
    rungs = [(x + 0.175, width / 2 + 0.05, z) for z in np.linspace(0.3, high, 5)]
    parts.append(copies(box((0.35, 0.04, 0.03), color=frame), rungs))
    return parts, ["bunk bed"]

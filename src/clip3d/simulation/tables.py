"""Tables, and the drawer fronts that other furniture shares."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, count, dark, maybe, metal, near, pick, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs, stretchers
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, scale
from clip3d.simulation.odd_tables import odd_table
from clip3d.simulation.shapes import Color, beam, box, cylinder, dome, lathe, rod, sphere, tube


def table(rng: Rng) -> Drawn:
    """Tables: dining, side, coffee, console, picnic; round, oval or cornered; more in `odd_tables`."""
    if maybe(rng, 0.35):
        return odd_table(rng)
    size = pick(rng, "dining", "dining", "coffee", "side", "console", "picnic")
    if size == "picnic":
        return _picnic_table(rng)
    depth, width, height = {
        "dining": (rng.uniform(0.7, 1.1), rng.uniform(1.0, 2.4), rng.uniform(0.7, 0.78)),
        "coffee": (rng.uniform(0.5, 0.8), rng.uniform(0.8, 1.4), rng.uniform(0.3, 0.48)),
        "side": (rng.uniform(0.35, 0.6), rng.uniform(0.35, 0.6), rng.uniform(0.45, 0.75)),
        "console": (rng.uniform(0.28, 0.42), rng.uniform(0.9, 1.5), rng.uniform(0.72, 0.9)),
    }[size]
    shape = pick(rng, "rectangular", "rectangular", "round", "oval", "square", "hexagonal")
    if shape in ("round", "square", "hexagonal"):
        width = depth = (depth + width) / 2 if size != "console" else 0.7
    color, frame, thick = wood(rng), pick(rng, wood(rng), metal(rng), white(rng)), rng.uniform(0.02, 0.06)
    top_color = near(rng, (0.75, 0.85, 0.85)) if maybe(rng, 0.1) else color
    parts = [_top(shape, depth, width, height, thick, top_color)]
    parts += _table_legs(rng, shape, depth, width, height - thick, frame)
    if maybe(rng, 0.25) and size != "dining":
        parts.append(_top(shape, depth * 0.8, width * 0.8, height * rng.uniform(0.25, 0.5), 0.02, color))
    return parts, [f"{shape} {size} table", f"{size} table", f"{shape} table"]


def _top(shape: str, depth: float, width: float, height: float, thick: float, color: Color) -> Mesh:
    if shape in ("rectangular", "square"):
        return box((depth, width, thick), (0, 0, height - thick), color, thick * 0.2)
    sides = 6 if shape == "hexagonal" else 28
    return move(scale(cylinder(0.5, 1, color=color, sides=sides), (depth, width, thick)), (0, 0, height - thick))


def _table_legs(rng: Rng, shape: str, depth: float, width: float, height: float, color: Color) -> list[Mesh]:
    inset = 0.68 if shape in ("round", "oval", "hexagonal") else rng.uniform(0.8, 0.94)
    x, y = depth * inset, width * inset
    kind = pick(
        rng,
        "legs",
        "legs",
        "legs",
        "apron",
        "pedestal",
        "star",
        "trestle",
        "cross",
        "panels",
        "drum",
        "hairpin",
        "frame",
    )
    if kind in ("legs", "apron"):
        parts = four_legs(rng, x, y, height, color, rng.uniform(0.035, 0.09))
        if kind == "apron":
            deep = rng.uniform(0.06, 0.14)
            parts.append(
                copies(box((x, 0.02, deep), color=color), [(0, s * y / 2, height - deep) for s in (-1, 1)])
            )
            parts.append(
                copies(box((0.02, y, deep), color=color), [(s * x / 2, 0, height - deep) for s in (-1, 1)])
            )
        if maybe(rng, 0.2):
            parts += stretchers(x, y, 0.12, 0.03, color, pick(rng, "box", "h"))
        return parts
    small = min(depth, width)
    if kind == "pedestal":
        r = small * rng.uniform(0.22, 0.36)
        column = lathe(
            [(r, 0), (r, 0.03), (r * 0.3, 0.08), (0.05, height * 0.4), (0.045, height * 0.8), (r * 0.5, height)],
            color=color,
        )
        return [column] if width < 1.7 * depth else [copies(column, [(0, s * y * 0.28, 0) for s in (-1, 1)])]
    if kind == "star":
        foot = rod((0, 0, height * 0.2), (small * 0.4, 0, 0.02), 0.035, color, 0.025)
        return [
            cylinder(0.045, height * 0.85, (0, 0, height * 0.15), color),
            ring(foot, count(rng, 3, 4), start=45),
        ]
    if kind == "trestle":
        a = beam((-x / 2, 0, 0), (-x * 0.1, 0, height), 0.06, 0.05, color)
        pair = both_sides(a, "x")
        return [
            copies(pair, [(0, s * y * 0.4, 0) for s in (-1, 1)]),
            box((0.04, y * 0.8, 0.06), (0, 0, height * 0.4), color),
        ]
    if kind == "cross":
        pair = both_sides(beam((-x / 2, 0, 0), (x / 2, 0, height), 0.05, 0.06, color), "x")
        return [copies(pair, [(0, s * y * 0.42, 0) for s in (-1, 1)])]
    if kind == "panels":
        return [copies(box((x, 0.04, height), color=color), [(0, s * y / 2, 0) for s in (-1, 1)])]
    if kind == "drum":
        return [cylinder(small * 0.3, height, color=color, top=small * rng.uniform(0.15, 0.35), sides=20)]
    if kind == "frame":
        loop = tube(
            [(-x / 2, y / 2, 0.02), (x / 2, y / 2, 0.02), (x / 2, y / 2, height), (-x / 2, y / 2, height)],
            0.02,
            color,
            closed=True,
        )
        return [both_sides(loop)]
    pin = tube([(0.05, 0.05, height), (0, 0, 0.01), (0.01, 0, 0.01), (0.1, -0.03, height)], 0.008, color, 5)
    return [both_sides(both_sides(move(pin, (x / 2 - 0.08, y / 2 - 0.06, 0))), "x")]


def _picnic_table(rng: Rng) -> Drawn:
    color, length = wood(rng), rng.uniform(1.4, 2.0)
    plank = box((0.14, length, 0.04), color=color)
    tops = copies(plank, [(x, 0, 0.72) for x in np.linspace(-0.3, 0.3, 5)])
    seats = copies(plank, [(s * d, 0, 0.43) for s in (-1, 1) for d in (0.6, 0.74)])
    legs = both_sides(beam((-0.65, 0, 0), (-0.25, 0, 0.72), 0.05, 0.09, color), "x")
    bar = box((1.5, 0.05, 0.08), (0, 0, 0.36), color)
    return [tops, seats, *(copies(m, [(0, s * length * 0.35, 0) for s in (-1, 1)]) for m in (legs, bar))], [
        "picnic table"
    ]


def drawers(
    rng: Rng, depth: float, width: float, height: float, rows: int, columns: int, color: Color
) -> list[Mesh]:
    """Drawer fronts with handles on the face x = depth / 2 of a box that stands on z = 0."""
    gap = 0.02
    w, h = (width - gap) / columns - gap, (height - gap) / rows - gap
    spots = [
        (depth / 2, (c - (columns - 1) / 2) * (w + gap), gap + r * (h + gap))
        for c in range(columns)
        for r in range(rows)
    ]
    front = box((0.03, w, h), color=near(rng, color, 0.05), bevel=pick(rng, 0.0, 0.008))
    handle_color, kind = (
        pick(rng, metal(rng), dark(rng), wood(rng)),
        pick(rng, "knob", "bar", "two knobs", "cup", "none"),
    )
    x, z = 0.03, h * 0.5
    handles = {
        "knob": [sphere(0.018, (x, 0, z), handle_color, 8)],
        "bar": [box((0.02, min(0.14, w * 0.5), 0.015), (x, 0, z), handle_color)],
        "two knobs": [sphere(0.015, (x, s * w * 0.25, z), handle_color, 8) for s in (-1, 1)],
        "cup": [dome((0.025, 0.045, 0.02), (x, 0, z), handle_color, 10)],
        "none": [],
    }[kind]
    return [copies(merge([front, *handles]), spots)]

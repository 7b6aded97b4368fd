"""What belongs to rooms rather than to the furniture trade: counters, boards, shelves on walls, towels, lights."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, fabric, maybe, metal, near, pick, steel, stone, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import both_sides, copies, merge
from clip3d.simulation.shapes import Color, box, cylinder, extrude, lathe, rod, sheet, tube

MODULE = 0.6  # metres of a kitchen's units
WORKTOP = 0.9  # of its height


def conference_table(rng: Rng) -> Drawn:
    """Meeting tables: boards on panels, columns or frames, square or boat-shaped."""
    depth, width, color = rng.uniform(1.0, 1.4), rng.uniform(2.0, 3.6), pick(rng, wood(rng), white(rng))
    boat = maybe(rng, 0.4)
    top: Mesh
    if boat:
        t = np.linspace(-1, 1, 13)
        edge = np.column_stack([depth / 2 * (1 - 0.25 * t**2), t * width / 2])
        top = extrude(np.concatenate([edge, edge[::-1] * [-1, 1]]), 0.04, (0, 0, 0.71), color)
    else:
        top = box((depth, width, 0.04), (0, 0, 0.71), color, 0.008)
    if maybe(rng, 0.5):
        panel = box((depth * 0.6, 0.05, 0.71), color=near(rng, color))
        legs = [copies(panel, [(0, s * width * 0.32, 0) for s in (-1, 1)])]
    else:
        legs = four_legs(rng, depth * 0.8, width * 0.85, 0.71, metal(rng), 0.06)
    return [top, *legs], ["boat-shaped meeting table" if boat else "conference table", "conference table"]


def _front(rng: Rng, width: float, height: float, z: float, x: float, color: Color) -> list[Mesh]:
    """A door or drawers with handles, on the plane at x."""
    rows = pick(rng, 1, 1, 3)
    step = height / rows
    grip = steel(rng)
    leaf = box((0.02, width - 0.008, step - 0.008), color=color)
    leaves = [copies(leaf, [(x + 0.01, 0, z + i * step + 0.004) for i in range(rows)])]
    grips = [
        rod((x + 0.045, -0.06, z + (i + 0.88) * step), (x + 0.045, 0.06, z + (i + 0.88) * step), 0.006, grip)
        for i in range(rows)
    ]
    return [*leaves, *grips]


def base_cabinet(rng: Rng) -> Drawn:
    """A kitchen's lower unit, 0.6 m wide, without its worktop."""
    color = pick(rng, white(rng), wood(rng), bright(rng))
    body = box((0.54, MODULE, WORKTOP - 0.14), (0, 0, 0.1), near(rng, color, 0.02))
    foot = box((0.48, MODULE, 0.1), (-0.03, 0, 0), (0.2, 0.2, 0.2))
    return [body, foot, *_front(rng, MODULE, WORKTOP - 0.14, 0.1, 0.27, color)], ["kitchen cabinet"]


def wall_cabinet(rng: Rng) -> Drawn:
    """A kitchen's upper unit, 0.6 m wide."""
    color, height = pick(rng, white(rng), wood(rng), bright(rng)), rng.uniform(0.6, 0.75)
    return [
        box((0.32, MODULE, height), color=near(rng, color, 0.02)),
        *_front(rng, MODULE, height, 0.0, 0.16, color),
    ], ["wall cabinet"]


def counter(rng: Rng) -> Drawn:
    """A metre of worktop, 4 cm thick; rooms stretch it to the length of their run of units."""
    return [box((0.62, 1.0, 0.04), color=pick(rng, stone(rng), wood(rng), (0.25, 0.25, 0.27)))], ["kitchen counter"]


def inset_sink(rng: Rng) -> Drawn:
    """A sink that lies in a worktop: rim, one or two bowls, perhaps a drainer, and a tap; its rim is at z = 0.2."""
    color, bowls = pick(rng, steel(rng), steel(rng), white(rng)), count(rng, 1, 2)
    wide, deep = 0.36, rng.uniform(0.14, 0.19)
    width = bowls * (wide + 0.04) + 0.06 + (0.3 if maybe(rng, 0.5) else 0.0)
    y0 = -width / 2 + 0.05
    parts = [box((0.05, width, 0.012), (s * 0.225, 0, 0.19), color) for s in (-1, 1)]
    edges = [y0 - 0.025, *(y0 + (i + 1) * (wide + 0.04) - 0.02 for i in range(bowls))]
    parts += [box((0.4, 0.05, 0.012), (0, y, 0.19), color) for y in edges]
    for i in range(bowls):
        y, low = y0 + wide / 2 + i * (wide + 0.04), 0.2 - deep
        parts.append(box((0.4, wide, 0.01), (0, y, low), near(rng, color, 0.03)))
        parts.append(copies(box((0.4, 0.01, deep), color=color), [(0, y + s * wide / 2, low) for s in (-1, 1)]))
        parts.append(copies(box((0.01, wide, deep), color=color), [(s * 0.2, y, low) for s in (-1, 1)]))
    left = width / 2 - edges[-1] - 0.025
    if left > 0.1:
        parts.append(box((0.4, left, 0.012), (0, width / 2 - left / 2, 0.188), color))
    path = [(-0.2, 0, 0.2), (-0.2, 0, 0.42), (-0.14, 0, 0.47), (-0.04, 0, 0.44)]
    return [*parts, tube(path, 0.013, steel(rng))], ["double kitchen sink" if bowls == 2 else "kitchen sink"]


def ceiling_light(rng: Rng) -> Drawn:
    """Lights under the ceiling: square panels, tubes in a trough, round bowls."""
    kind = pick(rng, "panel", "trough", "bowl")
    if kind == "panel":
        return [box((0.6, 0.6, 0.03), color=(0.97, 0.97, 0.95))], ["light panel"]
    if kind == "trough":
        return [box((0.16, 1.25, 0.03), (0, 0, 0.05), white(rng)),
                copies(cylinder(0.02, 0.04, color=(0.97, 0.97, 0.95)), [(0, 0, 0.02)]),
                both_sides(rod((0.045, -0.58, 0.04), (0.045, 0.58, 0.04), 0.015, (0.97, 0.97, 0.95)), "x")], [
            "fluorescent light"
        ]  # fmt: skip
    r = rng.uniform(0.15, 0.24)
    return [lathe([(0.02, 0), (r * 0.8, 0.03), (r, 0.09)], color=(0.95, 0.94, 0.9))], ["round ceiling light"]


def towel(rng: Rng) -> Drawn:
    """A towel over a rail on the wall."""
    width, drop = rng.uniform(0.35, 0.6), rng.uniform(0.45, 0.7)
    color = pick(rng, bright(rng), white(rng), fabric(rng))
    y = np.linspace(-width / 2, width / 2, 9)
    wave = 0.008 * np.sin(y * rng.uniform(15, 30))
    rows = [(0.02, 0.15 * drop), (0.02, drop), (0.05, drop + 0.02), (0.085, drop), (0.09, 0.0)]
    grid = np.stack([np.column_stack([x + wave, y, np.full(9, z)]) for x, z in rows])
    rail = rod((0.052, -width / 2 - 0.06, drop), (0.052, width / 2 + 0.06, drop), 0.009, metal(rng))
    ends = both_sides(rod((0, width / 2 + 0.05, drop), (0.052, width / 2 + 0.05, drop), 0.009, metal(rng)))
    return [sheet(grid, color), rail, ends], ["towel on a rail"]


def whiteboard(rng: Rng) -> Drawn:
    """A whiteboard with a frame and a ledge, sometimes with writing."""
    width, height = rng.uniform(1.2, 2.6), rng.uniform(0.9, 1.2)
    frame, face = metal(rng), pick(rng, (0.96, 0.96, 0.96), (0.96, 0.96, 0.96), (0.16, 0.3, 0.24))
    bars = [
        copies(box((0.03, width, 0.03), color=frame), [(0, 0, 0), (0, 0, height - 0.03)]),
        copies(box((0.03, 0.03, height), color=frame), [(0, s * (width / 2 - 0.015), 0) for s in (-1, 1)]),
        box((0.08, width * 0.6, 0.015), (0.04, 0, 0), frame),
    ]
    ink = bright(rng) if face[0] > 0.5 else (0.9, 0.9, 0.9)
    lines = [
        box((0.004, rng.uniform(0.2, 0.5) * width, 0.015), (0.012, rng.uniform(-0.2, 0.2) * width, z * height), ink)
        for z in rng.uniform(0.2, 0.85, count(rng, 0, 5))
    ]
    name = "whiteboard" if face[0] > 0.5 else "blackboard"
    return [box((0.02, width, height), color=face), *bars, *lines], [name]


def wall_television(rng: Rng) -> Drawn:
    """A flat television on a bracket."""
    width = rng.uniform(0.9, 1.5)
    height = width * 0.57
    case = near(rng, (0.1, 0.1, 0.11), 0.02)
    return [
        box((0.05, width, height), (0.04, 0, 0), case, 0.008),
        box((0.004, width * 0.97, height * 0.95), (0.066, 0, height * 0.025), (0.05, 0.05, 0.06)),
        box((0.05, 0.3, 0.2), (-0.005, 0, height * 0.4), (0.2, 0.2, 0.2)),
    ], ["wall-mounted television", "flat screen television"]


def column(rng: Rng) -> Drawn:
    """A square or round column of a metre; rooms stretch it to their height."""
    wide, color = rng.uniform(0.3, 0.5), near(rng, (0.85, 0.84, 0.8))
    if maybe(rng, 0.25):
        return [cylinder(wide / 2, 1.0, color=color, sides=24)], ["round column"]
    return [box((wide, wide * rng.uniform(0.8, 1.3), 1.0), color=color)], ["square column"]


def wall_shelf(rng: Rng) -> Drawn:
    """Boards on brackets with books and jars on them."""
    width, rows, color = rng.uniform(0.6, 1.2), count(rng, 1, 3), wood(rng)
    parts: list[Mesh] = []
    for row in range(rows):
        z = row * 0.32
        parts.append(box((0.22, width, 0.025), (0, 0, z), color))
        parts += [box((0.2, 0.02, 0.12), (-0.01, s * width * 0.4, z - 0.12), metal(rng)) for s in (-1, 1)]
        y = -width / 2 + 0.05
        while y < width / 2 - 0.08:
            if maybe(rng, 0.7):
                thick, high = rng.uniform(0.015, 0.05), rng.uniform(0.16, 0.26)
                parts.append(box((rng.uniform(0.12, 0.18), thick, high), (0, y, z + 0.025), bright(rng)))
                y += thick + 0.004
            else:
                y += rng.uniform(0.05, 0.25)
    return [merge(parts)], ["wall shelf with books" if rows > 1 else "wall shelf"]

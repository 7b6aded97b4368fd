"""Parts of rooms: doors, windows, stairs, hangings."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, fabric, maybe, metal, near, pick, stone, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import both_sides, copies, merge, move, rotate, taper
from clip3d.simulation.shapes import beam, box, cylinder, extrude, rod, sheet, sphere, torus, tube


def door(rng: Rng) -> Drawn:
    """Doors: panelled, glazed, flush, double; in a frame, shut or open."""
    w, h, color, n = (
        rng.uniform(0.75, 0.95),
        rng.uniform(1.95, 2.15),
        pick(rng, wood(rng), bright(rng), white(rng)),
        pick(rng, 1, 1, 1, 2),
    )
    kind, shade = pick(rng, "panel", "panel", "flush", "glass"), near(rng, color)
    leaf_ = [
        box((0.045, w, h), (0, w / 2, 0), color),
        copies(
            sphere(0.03, (0.07, 0, 0), metal(rng), 8)
            if maybe(rng)
            else box((0.03, 0.13, 0.02), (0.06, -0.04, 0), metal(rng)),
            [(0, w * 0.91, h * 0.48)],
        ),
    ]
    if kind == "panel":
        rows, columns = count(rng, 2, 4), count(rng, 1, 2)
        leaf_.append(
            copies(
                box((0.065, w / columns * 0.7, h / rows * 0.75), color=shade, bevel=0.008),
                [(0, w * (c + 0.5) / columns, h * (r + 0.12) / rows) for c in range(columns) for r in range(rows)],
            )
        )
    if kind == "glass":
        leaf_.append(
            box((0.05, w * 0.65, h * rng.uniform(0.4, 0.8)), (0, w / 2, h * 0.15), near(rng, (0.7, 0.82, 0.85)))
        )
    swing = pick(rng, 0.0, 0.0, rng.uniform(20, 85))
    wing_ = move(rotate(merge(leaf_), "z", -swing), (0, -w / 2 if n == 1 else -w, 0))
    wide = w * n
    frame = [
        copies(box((0.12, 0.08, h + 0.08), color=shade), [(0, s * (wide / 2 + 0.04), 0) for s in (-1, 1)]),
        box((0.12, wide, 0.08), (0, 0, h), shade),
    ]
    return [*([both_sides(wing_)] if n == 2 else [wing_]), *(frame if maybe(rng, 0.85) or n == 2 else [])], [
        "double door" if n == 2 else ("open door" if swing else "closed door")
    ]


def window(rng: Rng) -> Drawn:
    """Windows: one or more lights with bars, arched, round, with shutters, sills or an open sash."""
    w, h, color, glass = (
        rng.uniform(0.6, 1.6),
        rng.uniform(0.8, 1.6),
        pick(rng, white(rng), white(rng), wood(rng)),
        near(rng, (0.68, 0.82, 0.88)),
    )
    if maybe(rng, 0.12):
        r = w / 2
        return [
            rotate(torus(r, 0.05, color=color, sides=28), "y", 90),
            rotate(cylinder(r, 0.01, color=glass, sides=28), "y", 90),
            box((0.03, 2 * r, 0.04), (0, 0, -0.02), color),
            box((0.03, 0.04, 2 * r), (0, 0, -r), color),
        ], ["round window"]
    columns, rows = count(rng, 1, 3), count(rng, 1, 3)
    parts = [
        copies(box((0.09, 0.07, h), color=color), [(0, s * w / 2, 0) for s in (-1, 1)]),
        copies(box((0.09, w, 0.07), color=color), [(0, 0, 0), (0, 0, h - 0.07)]),
        box((0.012, w, h), color=glass),
    ]
    if columns > 1:
        parts.append(
            copies(
                box((0.05, 0.035, h), color=color),
                [(0, y, 0) for y in np.linspace(-0.5, 0.5, columns + 1)[1:-1] * w],
            )
        )
    if rows > 1:
        parts.append(
            copies(box((0.05, w, 0.03), color=color), [(0, 0, z) for z in np.linspace(0, h, rows + 1)[1:-1]])
        )
    if maybe(rng, 0.5):
        parts.append(box((0.22, w + 0.16, 0.04), (0.06, 0, -0.04), color))
    if maybe(rng, 0.25):
        slats = merge(
            [
                box((0.03, w / 2, h), color=near(rng, (0.25, 0.4, 0.3))),
                copies(
                    box((0.045, w / 2 - 0.08, 0.02), color=near(rng, (0.25, 0.4, 0.3))),
                    [(0, 0, z) for z in np.linspace(0.08, h - 0.08, 12)],
                ),
            ]
        )
        parts.append(both_sides(move(slats, (0.04, w * 0.77, 0))))
        return parts, ["window with shutters"]
    if maybe(rng, 0.2):
        arch = np.radians(np.linspace(0, 180, 13))
        parts += [
            tube(np.column_stack([0 * arch, w / 2 * np.cos(arch), h + w / 2 * np.sin(arch)]), 0.045, color),
            rotate(
                rotate(
                    extrude(np.column_stack([w / 2 * np.cos(arch), w / 2 * np.sin(arch)]), 0.012, color=glass),
                    "x",
                    90,
                ),
                "z",
                90,
            ),
        ]
        parts[-1] = move(parts[-1], (0, 0, h))
        return parts, ["arched window"]
    return parts, ["house window"]


def curtain(rng: Rng, kind: str = "curtain") -> Drawn:
    """Curtains in folds on a rod, drawn or parted and tied, blinds."""
    w, h, color = rng.uniform(1.2, 2.2), rng.uniform(1.3, 2.4), pick(rng, bright(rng), fabric(rng))
    rail = [
        rod((0, -w / 2 - 0.1, h), (0, w / 2 + 0.1, h), 0.018, metal(rng)),
        copies(sphere(0.035, color=metal(rng), sides=8), [(0, s * (w / 2 + 0.12), h) for s in (-1, 1)]),
    ]
    if kind == "blind":
        return [
            copies(
                rotate(box((0.03, w, 0.004), color=white(rng)), "y", 30),
                [(0, 0, z) for z in np.linspace(0.05, h, 24)],
            ),
            box((0.05, w, 0.05), (0, 0, h), white(rng)),
        ], ["venetian blind"]

    def cloth(y0: float, y1: float, tied: float) -> Mesh:
        y, z = np.linspace(0, 1, 40), np.linspace(0, 1, 9)
        pinch = 1 - tied * np.exp(-(((z - 0.45) / 0.2) ** 2))
        grid = np.zeros((9, 40, 3))
        grid[:, :, 0] = 0.05 * np.sin(2 * np.pi * y * abs(y1 - y0) / 0.14)
        grid[:, :, 1] = y0 + (y1 - y0) * y * pinch[:, None]
        grid[:, :, 2] = h * z[:, None]
        return sheet(grid, color)

    if maybe(rng, 0.35):
        return [cloth(-w / 2, w / 2, 0.0), *rail], ["closed curtain", "drape"]
    return [both_sides(cloth(w / 2, w * rng.uniform(0.1, 0.3), rng.uniform(0, 0.55))), *rail], [
        "pair of curtains",
        "drapes",
    ]


def stairs(rng: Rng) -> Drawn:
    """Stairs: solid or open flights, with rails, turning or spiral."""
    n, rise, run, w, color = (
        count(rng, 5, 14),
        0.18,
        rng.uniform(0.24, 0.3),
        rng.uniform(0.8, 1.4),
        pick(rng, wood(rng), stone(rng), metal(rng)),
    )
    kind = pick(rng, "solid", "open", "spiral", "solid")
    if kind == "spiral":
        n = n + 5
        steps = [
            rotate(
                merge(
                    [
                        extrude([(0.08, -0.04), (w, -0.2), (w, 0.2), (0.08, 0.04)], 0.05, (0, 0, rise * i), color),
                        rod((w * 0.95, 0, rise * i), (w * 0.95, 0, rise * i + 0.9), 0.012, metal(rng)),
                    ]
                ),
                "z",
                27 * i,
            )
            for i in range(1, n)
        ]
        rail = np.array(
            [
                (w * 0.95 * np.cos(np.radians(27 * i)), w * 0.95 * np.sin(np.radians(27 * i)), rise * i + 0.9)
                for i in range(1, n)
            ]
        )
        return [cylinder(0.07, rise * n + 0.9, color=metal(rng)), *steps, tube(rail, 0.025, color)], [
            "spiral staircase",
            "staircase",
        ]
    steps = [
        box(
            (run * 1.05, w, rise * (i + 1) if kind == "solid" else 0.05),
            (-run * i, 0, 0 if kind == "solid" else rise * (i + 1) - 0.05),
            color,
        )
        for i in range(n)
    ]
    parts = list(steps)
    if kind == "open":
        parts.append(
            both_sides(beam((run / 2, w / 2, 0.0), (-run * (n - 0.5), w / 2, rise * n), 0.05, 0.22, color))
        )
    if maybe(rng, 0.65):
        y, c = w / 2 - 0.03, pick(rng, wood(rng), metal(rng))
        rails = [
            rod((0, y, rise + 0.9), (-run * (n - 1), y, rise * n + 0.9), 0.025, c),
            *(rod((-run * i, y, rise * (i + 1)), (-run * i, y, rise * (i + 1) + 0.9), 0.013, c) for i in range(n)),
        ]
        parts.append(both_sides(merge(rails)) if maybe(rng) else merge(rails))
    return parts, ["staircase", "flight of stairs"]


def fireplace(rng: Rng, kind: str = "fireplace") -> Drawn:
    """Fireplaces: a mantel over a hearth with logs and fire, a chimney breast; iron stoves."""
    color, w, h = stone(rng), rng.uniform(1.1, 1.7), rng.uniform(1.0, 1.3)
    flames = [
        cylinder(0.06, rng.uniform(0.15, 0.35), (0, y, 0.12), (0.95, rng.uniform(0.4, 0.7), 0.1), 0.005, 6)
        for y in (-0.1, 0.0, 0.1)
    ]
    logs = [
        rod((-0.05 + 0.1 * i, -0.22, 0.07), (0.05 - 0.05 * i, 0.22, 0.09), 0.05, (0.35, 0.22, 0.13))
        for i in range(2)
    ]
    if kind == "wood stove":
        c = dark(rng)
        return [
            box((0.45, 0.5, 0.6), (0, 0, 0.2), c, 0.02),
            box((0.02, 0.36, 0.35), (0.23, 0, 0.32), (0.85, 0.4, 0.1)),
            cylinder(0.08, 1.4, (0, 0, 0.8), c),
            *four_legs(rng, 0.35, 0.4, 0.22, c, 0.05),
        ], ["iron stove"]
    parts = [
        copies(box((0.35, w * 0.2, h), color=color), [(0, s * w * 0.4, 0) for s in (-1, 1)]),
        box((0.35, w * 0.62, h * 0.3), (0, 0, h * 0.7), color),
        box((0.05, w * 0.62, h * 0.72), (-0.15, 0, 0), (0.12, 0.1, 0.1)),
        box((0.5, w * 1.12, 0.08), (0.03, 0, h), pick(rng, wood(rng), color)),
        box((0.7, w * 1.1, 0.06), (0.15, 0, -0.06), color),
    ]
    if maybe(rng, 0.45):
        parts.append(
            taper(box((0.33, w * 0.8, rng.uniform(0.8, 1.4)), (0, 0, h + 0.08), color), rng.uniform(0.5, 1.0))
        )
    return [*parts, *logs, *(flames if maybe(rng, 0.7) else [])], ["hearth", "chimney"]

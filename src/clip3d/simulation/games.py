"""Gym and game things: weights, treadmills, pool and table tennis tables, hoops, skittles, gloves, darts."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate
from clip3d.simulation.shapes import beam, box, capsule, cylinder, lathe, rod, sheet, sphere, torus, tube


def weight(rng: Rng, *kinds: str) -> Drawn:
    """Dumbbells, barbells, kettlebells."""
    kind, color = pick(rng, *kinds), dark(rng) if maybe(rng, 0.7) else bright(rng)
    if kind == "kettlebell":
        t = np.linspace(-0.25, np.pi + 0.25, 11)
        grip = tube(np.column_stack([0 * t, 0.07 * np.cos(t), 0.17 + 0.08 * np.sin(t)]), 0.016, color)
        return [sphere(0.1, (0, 0, 0.09), color, 18), grip, cylinder(0.06, 0.02, (0, 0, -0.02), color)], [
            "gym weight",
            "exercise equipment",
        ]
    long, r, plates = (
        (0.15, rng.uniform(0.05, 0.09), count(rng, 1, 3))
        if kind == "dumbbell"
        else (0.8, rng.uniform(0.16, 0.23), count(rng, 1, 3))
    )
    parts = [rod((0, -long, 0), (0, long, 0), 0.014, steel(rng))]
    hexagon = maybe(rng, 0.4) and kind == "dumbbell"
    for i in range(plates):
        disc = rotate(
            cylinder(r * (1 - 0.18 * i), 0.03 if not hexagon else 0.05, color=color, sides=6 if hexagon else 22),
            "x",
            -90,
        )
        parts.append(both_sides(move(disc, (0, long * 0.62 + i * (0.032 if not hexagon else 0.05), 0))))
    return parts, ["gym weight", "exercise equipment"]


def treadmill(rng: Rng, *kinds: str) -> Drawn:
    """Treadmills and exercise bikes."""
    kind, color, frame = pick(rng, *kinds), dark(rng), steel(rng)
    if kind == "treadmill":
        deck = rotate(
            merge(
                [
                    box((1.5, 0.7, 0.14), color=color, bevel=0.02),
                    box((1.4, 0.5, 0.01), (0, 0, 0.14), near(rng, (0.2, 0.2, 0.2))),
                ]
            ),
            "y",
            -rng.uniform(0, 6),
        )
        posts = both_sides(
            merge(
                [
                    rod((0.55, 0.33, 0.1), (0.4, 0.33, 1.15), 0.03, frame),
                    rod((0.4, 0.33, 1.05), (-0.1, 0.33, 0.95), 0.022, frame),
                ]
            )
        )
        return [deck, posts, rotate(box((0.06, 0.75, 0.3), (0.4, 0, 1.1), color, 0.01), "y", -20, (0.4, 0, 1.1))], [
            "running machine",
            "exercise equipment",
        ]
    disc = rotate(cylinder(0.24, 0.06, (0, 0, -0.03), color, sides=26), "x", 90)
    parts = [
        move(disc, (0.35, 0, 0.32)),
        *(box((0.06, 0.5, 0.05), (x, 0, 0), frame) for x in (-0.45, 0.5)),
        beam((-0.45, 0, 0.06), (0.5, 0, 0.06), 0.06, 0.06, frame),
    ]
    parts += [
        beam((-0.3, 0, 0.06), (-0.22, 0, 0.85), 0.05, 0.06, frame),
        beam((0.25, 0, 0.3), (0.3, 0, 1.1), 0.05, 0.06, frame),
        beam((-0.25, 0, 0.35), (0.3, 0, 0.32), 0.05, 0.06, frame),
        box((0.26, 0.17, 0.06), (-0.22, 0, 0.85), color, 0.02),
    ]
    parts += [
        tube([(0.45, 0.22, 1.15), (0.3, 0.2, 1.12), (0.3, -0.2, 1.12), (0.45, -0.22, 1.15)], 0.016, color),
        box((0.03, 0.18, 0.14), (0.33, 0, 1.15), color),
    ]
    pedal = [rod((0.05, 0, 0.3), (0.05 + s * 0.12, s * 0.1, 0.3 + s * 0.1), 0.014, frame) for s in (-1, 1)]
    return [
        *parts,
        *pedal,
        *(box((0.1, 0.09, 0.02), (0.05 + s * 0.12, s * 0.14, 0.3 + s * 0.1), color) for s in (-1, 1)),
    ], ["stationary bike", "exercise equipment"]


def game_table(rng: Rng, *kinds: str) -> Drawn:
    """Pool tables, table tennis tables and table football."""
    kind, color = pick(rng, *kinds), wood(rng)
    if kind == "table tennis table":
        top = pick(rng, (0.1, 0.25, 0.5), (0.1, 0.4, 0.25))
        net = box((1.52 + 0.3, 0.012, 0.15), (0, 0, 0.76), (0.85, 0.85, 0.85))
        legs = copies(
            tube([(-0.6, 0.1, 0.74), (-0.6, 0, 0.02), (0.6, 0, 0.02), (0.6, 0.1, 0.74)], 0.025, steel(rng)),
            [(0, y, 0) for y in (-1.0, -0.3, 0.3, 1.0)],
        )
        return [
            box((1.52, 2.74, 0.03), (0, 0, 0.73), near(rng, top)),
            box((0.02, 2.74, 0.004), (0, 0, 0.76), white(rng)),
            net,
            legs,
        ], ["ping pong table", "table tennis"]
    if kind == "foosball table":
        parts = [
            box((0.75, 1.4, 0.06), (0, 0, 0.65), near(rng, (0.15, 0.45, 0.2))),
            both_sides(box((0.03, 1.4, 0.3), (0.37, 0, 0.6), color), "x"),
            both_sides(box((0.75, 0.03, 0.3), (0, 0.7, 0.6), color)),
            *four_legs(rng, 0.7, 1.3, 0.62, color, 0.08),
        ]
        for i, y in enumerate(np.linspace(-0.55, 0.55, 8)):
            shade = bright(rng) if i % 2 else white(rng)
            s = 1 if i % 2 else -1
            figures = copies(
                merge([box((0.03, 0.02, 0.1), color=shade), sphere(0.016, (0, 0, 0.11), shade, 6)]),
                [(x, float(y), 0.72) for x in np.linspace(-0.22, 0.22, count(rng, 2, 4))],
            )
            parts += [
                rod((-0.5 * s - 0.03 * s, float(y), 0.8), (0.42 * s, float(y), 0.8), 0.008, steel(rng)),
                rod((-0.62 * s, float(y), 0.8), (-0.5 * s, float(y), 0.8), 0.018, dark(rng)),
                figures,
            ]
        return parts, ["table football", "table soccer"]
    w, h = rng.uniform(1.1, 1.3), 0.78
    cloth = near(rng, pick(rng, (0.1, 0.4, 0.2), (0.1, 0.25, 0.5), (0.5, 0.1, 0.12)))
    parts = [
        box((w, 2 * w, 0.2), (0, 0, h - 0.25), color, 0.01),
        box((w, 2 * w, 0.02), (0, 0, h - 0.05), cloth),
        both_sides(box((0.12, 2 * w + 0.24, 0.09), (w / 2 + 0.06, 0, h - 0.06), color, 0.01), "x"),
        both_sides(box((w + 0.24, 0.12, 0.09), (0, w + 0.06, h - 0.06), color, 0.01)),
    ]
    parts += [
        copies(
            cylinder(0.06, 0.01, color=dark(rng)),
            [(s * w / 2, t * w, h + 0.025) for s in (-1, 1) for t in (-1, 0, 1)],
        ),
        *four_legs(rng, w * 0.85, w * 1.7, h - 0.25, color, 0.13, pick(rng, "turned", "straight", "tapered")),
    ]
    balls = [
        sphere(0.03, (float(rng.uniform(-0.4, 0.4)) * w, float(rng.uniform(-0.8, 0.8)) * w, h), bright(rng), 8)
        for _ in range(count(rng, 0, 10))
    ]
    cue = [rod((-0.2, -0.6, h + 0.06), (0.3, 0.7, h + 0.02), 0.014, wood(rng), 0.006)] if maybe(rng, 0.4) else []
    return [*parts, *balls, *cue], ["billiard table", "snooker table"]


def hoop(rng: Rng, *kinds: str) -> Drawn:
    """Basketball hoops on posts, goals with nets."""
    kind = pick(rng, *kinds)
    frame = steel(rng)
    if kind == "goal":
        w, h, d = rng.uniform(1.2, 3.6), rng.uniform(1.2, 2.4), rng.uniform(0.8, 1.2)
        bars = tube([(0, -w, 0), (0, -w, h), (0, w, h), (0, w, 0)], 0.06, white(rng))
        base = tube([(0, -w, 0.04), (-d, -w, 0.04), (-d, w, 0.04), (0, w, 0.04)], 0.04, white(rng))
        y, z = np.linspace(-w, w, 13), np.linspace(0, h, 7)
        net = [
            rod((-d * (1 - v / h), -w, v), (-d * (1 - v / h), w, v), 0.012, (0.9, 0.9, 0.9), sides=4)
            for v in z[1:-1]
        ]
        net += [rod((-d, v, 0), (0, v, h), 0.012, (0.9, 0.9, 0.9), sides=4) for v in y]
        return [bars, base, *net], ["soccer goal", "football goal"]
    h = rng.uniform(2.6, 3.1)
    board = [
        box((0.04, 1.5, 1.0), (0.6, 0, h - 0.1), white(rng)),
        box((0.01, 0.5, 0.04), (0.625, 0, h + 0.3), (0.8, 0.2, 0.1)),
    ]
    rim = torus(0.23, 0.014, (0.87, 0, h), (0.9, 0.4, 0.1), 22)
    cords = ring(rod((0.22, 0, 0), (0.13, 0.04, -0.42), 0.006, (0.92, 0.92, 0.92), sides=4), 12)
    post = tube([(-0.5, 0, 0), (-0.5, 0, h - 0.8), (0.1, 0, h + 0.3), (0.6, 0, h + 0.35)], 0.07, frame)
    return [*board, rim, move(cords, (0.87, 0, h)), post, box((0.9, 0.8, 0.2), (-0.5, 0, 0), dark(rng), 0.03)], [
        "basketball basket",
        "basketball backboard",
    ]


def skittle(rng: Rng, *kinds: str) -> Drawn:
    """Bowling pins, boxing gloves, punching bags, dart boards, darts, shuttlecocks."""
    kind = pick(rng, *kinds)
    if kind == "bowling pin":
        profile = [
            (0.025, 0),
            (0.05, 0.09),
            (0.06, 0.13),
            (0.045, 0.22),
            (0.024, 0.28),
            (0.024, 0.3),
            (0.032, 0.34),
            (0.024, 0.375),
            (0, 0.385),
        ]
        one = merge(
            [
                lathe(profile, color=white(rng)),
                *(torus(0.025, 0.004, (0, 0, z), (0.8, 0.1, 0.1), 16) for z in (0.28, 0.3)),
            ]
        )
        rows = pick(rng, 1, 1, 3, 4)
        return [copies(one, [(-i * 0.26, (j - i / 2) * 0.3, 0) for i in range(rows) for j in range(i + 1)])], [
            "bowling pins" if rows > 1 else "skittle",
            kind,
        ] if rows == 1 else ["bowling pins", "skittles"]
    color = pick(rng, (0.75, 0.1, 0.1), bright(rng), dark(rng))
    if kind == "boxing glove":
        parts = [
            sphere((0.1, 0.075, 0.075), (0.05, 0, 0.02), color),
            capsule((0.0, 0.055, 0.02), (0.07, 0.075, 0.02), 0.03, near(rng, color)),
            rotate(lathe([(0.055, 0), (0.05, 0.11)], color=near(rng, color)), "y", -90),
            rotate(lathe([(0.058, 0.07), (0.056, 0.13)], color=white(rng)), "y", -90),
        ]
        return [copies(merge(parts), [(0, 0, 0)] if maybe(rng) else [(0, -0.1, 0), (0, 0.12, 0.0)])], [
            "boxing gloves",
            "sports equipment",
        ]
    if kind == "punching bag":
        h = rng.uniform(0.9, 1.3)
        bag = lathe([(0.15, 0), (0.17, 0.05), (0.17, h - 0.05), (0.15, h)], color=color, sides=22)
        chains = ring(rod((0.14, 0, h), (0, 0, h + 0.35), 0.008, steel(rng)), 4)
        return [bag, chains, rod((0, 0, h + 0.34), (0, 0, h + 0.6), 0.012, steel(rng))], ["boxing bag", "punch bag"]
    rings = [
        rotate(
            cylinder(
                0.23 - 0.045 * i,
                0.03 + 0.003 * i,
                color=(dark(rng), (0.9, 0.88, 0.8), (0.7, 0.12, 0.1), (0.1, 0.4, 0.2), (0.9, 0.2, 0.15))[i],
                sides=28,
            ),
            "y",
            90,
        )
        for i in range(5)
    ]
    wedge = ring(rod((0.042, 0, 0.034), (0.22, 0, 0.034), 0.002, steel(rng), sides=4), 20, "z")
    darts = [
        rod((0.03, y, z), (0.16, y, z + 0.02), 0.006, bright(rng))
        for y, z in rng.uniform(-0.13, 0.13, (count(rng, 0, 3), 2))
    ]
    return [*rings, rotate(wedge, "y", 90), *darts], ["dartboard", "dart board"]


def kite(rng: Rng) -> Drawn:
    """Kites: a bowed diamond with a tail of ribbons."""
    color, w, h = bright(rng), rng.uniform(0.35, 0.5), rng.uniform(0.5, 0.7)
    grid = np.array(
        [
            [(0.06, -w, 0), (0.0, 0, h * 0.8), (0.0, 0, h * 0.8)],
            [(0.06, -w, 0), (0.12, 0, 0), (0.06, w, 0)],
            [(0.0, 0, -h * 1.2), (0.0, 0, -h * 1.2), (0.06, w, 0)],
        ]
    )
    t = np.linspace(0, 1, 18)
    tail = np.column_stack([0.1 * np.sin(t * 8), 0.08 * np.sin(t * 11), -h * 1.2 - 1.0 * t])
    bows = [box((0.02, 0.14, 0.04), tail[i], bright(rng)) for i in range(3, 18, 4)]
    return [
        sheet(grid, color),
        move(sheet(grid[:, ::-1], near(rng, color)), (-0.006, 0, 0)),
        rod((0, 0, -h * 1.2), (0, 0, h * 0.8), 0.008, wood(rng)),
        rod((0.05, -w, 0), (0.05, w, 0), 0.008, wood(rng)),
        tube(tail, 0.006, dark(rng), 5),
        *bows,
    ], ["flying kite", "toy"]

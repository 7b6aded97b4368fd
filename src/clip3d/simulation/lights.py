"""Lamps and candles."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, fabric, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, merge, move, ring, rotate
from clip3d.simulation.shapes import Color, cylinder, lathe, rod, sphere, torus, tube


def _shade(rng: Rng, r: float, color: Color) -> Mesh:
    """A lamp shade open at both ends, its rim on z = 0."""
    h = r * rng.uniform(0.8, 1.6)
    kind = pick(rng, "cone", "drum", "bell", "globe", "pleated")
    if kind == "globe":
        return move(sphere(r * 0.75, color=near(rng, (0.95, 0.92, 0.8))), (0, 0, r * 0.7))
    top = {"cone": 0.45, "drum": 0.95, "bell": 0.4, "pleated": 0.6}[kind]
    t = np.linspace(0, 1, 6)
    radii = r * (1 + (top - 1) * (t**0.5 if kind == "bell" else t))
    wall = np.column_stack([radii, h * t])
    return lathe(np.concatenate([wall, wall[::-1] * [0.96, 1]]), color=color, sides=8 if kind == "pleated" else 22)


def lamp(rng: Rng) -> Drawn:
    """Lamps: table, floor, desk, arc, pendant, wall lamps and chandeliers."""
    kind = pick(
        rng, "table", "table", "table", "floor", "floor", "desk", "arc", "pendant", "wall", "chandelier", "tripod"
    )
    frame, cloth = (
        pick(rng, metal(rng), dark(rng), wood(rng), bright(rng)),
        pick(rng, white(rng), fabric(rng), bright(rng)),
    )
    if kind == "table":
        h, r = rng.uniform(0.22, 0.42), rng.uniform(0.1, 0.2)
        z = np.linspace(0, 1, 10)
        wave = pick(rng, 0.3 + 0 * z, 0.35 + 0.25 * np.sin(6 * z), 0.25 + 0.5 * np.sin(np.pi * z), 0.7 - 0.5 * z)
        stem = lathe(
            [
                (r * 0.7, 0),
                (r * 0.7, 0.02),
                *zip(r * wave, 0.03 + h * z, strict=True),
                (0.012, h + 0.04),
                (0.012, h + 0.1),
            ],
            color=frame,
        )
        return [stem, move(_shade(rng, r * rng.uniform(0.9, 1.3), cloth), (0, 0, h + rng.uniform(-0.02, 0.06)))], [
            "table lamp",
            "bedside lamp",
        ]
    if kind in ("floor", "tripod"):
        h, r = rng.uniform(1.2, 1.6), rng.uniform(0.15, 0.26)
        foot = (
            [ring(rod((0, 0, h), (0.3, 0, 0), 0.018, frame), 3)]
            if kind == "tripod"
            else [lathe([(0.15, 0), (0.15, 0.02), (0.014, 0.05), (0.012, h)], color=frame)]
        )
        top = (
            lathe([(0.02, 0), (r, 0.12), (r * 0.95, 0.12), (0.02, 0.02)], color=cloth)
            if maybe(rng, 0.25)
            else _shade(rng, r, cloth)
        )
        return [*foot, move(top, (0, 0, h - 0.03))], ["floor lamp", "standing lamp"]
    if kind == "desk":
        a, b = (-0.12, 0, rng.uniform(0.28, 0.4)), (rng.uniform(0.12, 0.25), 0, rng.uniform(0.35, 0.5))
        head = rotate(
            lathe(
                [(0.02, 0.08), (0.03, 0.06), (0.075, -0.04), (0.068, -0.04), (0.025, 0.05)], color=near(rng, frame)
            ),
            "y",
            -25,
        )
        return [
            cylinder(0.09, 0.025, color=frame, sides=22),
            rod((0, 0, 0.02), a, 0.009, frame),
            rod(a, b, 0.009, frame),
            sphere(0.016, a, frame, 8),
            move(head, b),
        ], ["desk lamp", "reading lamp"]
    if kind == "arc":
        t = np.linspace(0, np.pi * 0.85, 14)
        bow = np.column_stack([-0.6 * np.cos(t), 0 * t, 0.9 + 0.7 * np.sin(t)])
        path = np.concatenate([[(-0.6, 0, 0.02)], bow])
        return [
            tube(path, 0.014, frame),
            cylinder(0.17, 0.05, (-0.6, 0, 0), frame, sides=22),
            move(_shade(rng, 0.17, cloth), (bow[-1][0], 0, bow[-1][2] - 0.2)),
        ], ["arc lamp", "floor lamp"]
    if kind == "pendant":
        r, drop = rng.uniform(0.12, 0.3), rng.uniform(0.4, 0.9)
        return [
            _shade(rng, r, cloth),
            rod((0, 0, r * 0.8), (0, 0, drop), 0.005, dark(rng)),
            cylinder(0.05, 0.03, (0, 0, drop), frame),
        ], ["pendant lamp", "hanging lamp", "ceiling lamp"]
    if kind == "wall":
        arm = tube([(0, 0, 0), (0.12, 0, -0.03), (0.16, 0, 0.04)], 0.009, frame)
        plate = rotate(cylinder(0.06, 0.02, (0, 0, -0.01), frame), "y", 90)
        return [plate, arm, move(_shade(rng, 0.09, cloth), (0.16, 0, 0.03))], ["wall lamp", "sconce"]
    arm = tube([(0, 0, 0), (0.15, 0, -0.08), (0.3, 0, -0.04), (0.32, 0, 0.03)], 0.01, frame)
    bulb = merge(
        [
            arm,
            cylinder(0.03, 0.01, (0.32, 0, 0.03), frame),
            cylinder(0.012, 0.08, (0.32, 0, 0.04), white(rng)),
            sphere((0.016, 0.016, 0.03), (0.32, 0, 0.14), (1.0, 0.9, 0.6), 8),
        ]
    )
    column = lathe(
        [
            (0, -0.1),
            (0.04, -0.06),
            (0.015, 0),
            (0.05, 0.08),
            (0.012, 0.15),
            (0.012, 0.6),
            (0.06, 0.6),
            (0.06, 0.63),
        ],
        color=frame,
    )
    return [column, ring(bulb, count(rng, 5, 10))], ["chandelier", "ceiling lamp"]


def candle(rng: Rng) -> Drawn:
    """Candles: thick ones, slim ones on a holder, a candlestick with several arms."""
    wax, frame, kind = pick(rng, white(rng), bright(rng)), metal(rng), pick(rng, "thick", "holder", "branched")
    flame = sphere((0.007, 0.007, 0.018), (0, 0, 0.02), (1.0, 0.75, 0.2), 8)

    def taper_candle(r: float, h: float) -> Mesh:
        return merge(
            [
                cylinder(r, h, color=wax),
                cylinder(0.002, 0.012, (0, 0, h), (0.1, 0.1, 0.1), sides=5),
                move(flame, (0, 0, h)),
            ]
        )

    if kind == "thick":
        r, h = rng.uniform(0.025, 0.05), rng.uniform(0.06, 0.18)
        return [taper_candle(r, h)] + ([cylinder(r * 1.6, 0.01, (0, 0, -0.01), frame)] if maybe(rng) else []), [
            "burning candle"
        ]
    high = rng.uniform(0.08, 0.25)
    stick = lathe(
        [
            (0.06, 0),
            (0.055, 0.01),
            (0.015, 0.03),
            (0.02, high * 0.5),
            (0.01, high * 0.7),
            (0.03, high),
            (0.02, high),
        ],
        color=frame,
    )
    if kind == "holder":
        return [stick, move(taper_candle(0.011, rng.uniform(0.12, 0.25)), (0, 0, high))], [
            "candle in a candlestick",
            "candlestick",
        ]
    arms = count(rng, 1, 3)
    parts = [stick, move(taper_candle(0.011, 0.15), (0, 0, high))]
    for i in range(1, arms + 1):
        arm = tube(
            [(0, 0, high * 0.5), (0, 0.04 * i, high * 0.45), (0, 0.07 * i, high * 0.7), (0, 0.07 * i, high)],
            0.006,
            frame,
        )
        parts += [both_sides(arm), both_sides(move(taper_candle(0.011, 0.15), (0, 0.07 * i, high)))]
    return parts, ["candelabra", "candlestick"]


def light_bulb(rng: Rng) -> Drawn:
    """Light bulbs: pear-shaped, round or candle-shaped glass on a screw base."""
    glass = pick(
        rng,
        [(0.013, 0.027), (0.017, 0.04), (0.03, 0.065), (0.028, 0.085), (0.014, 0.1), (0, 0.103)],
        [(0.013, 0.027), (0.04, 0.05), (0.048, 0.08), (0.035, 0.115), (0, 0.13)],
        [(0.013, 0.027), (0.018, 0.05), (0.012, 0.08), (0, 0.1)],
    )
    thread = [(0.013 + 0.001 * (i % 2), 0.005 + 0.0028 * i) for i in range(9)]
    return [lathe(glass, color=near(rng, (0.95, 0.93, 0.8))), lathe([(0.005, 0), *thread], color=steel(rng))], [
        "light bulb"
    ]


def lantern(rng: Rng) -> Drawn:
    """Lanterns: a glass between foot and roof, bars around and a ring to hold."""
    frame, r, h, sides = metal(rng), rng.uniform(0.06, 0.1), rng.uniform(0.15, 0.25), pick(rng, 4, 6, 16)
    bar = rod((r, 0, 0.03), (r, 0, h), 0.005, frame)
    roof = lathe([(r * 1.2, h), (r * 0.4, h + 0.06), (r * 0.4, h + 0.08), (0, h + 0.1)], color=frame, sides=sides)
    grip = move(rotate(torus(0.04, 0.005, color=frame), "x", 90), (0, 0, h + 0.13))
    return [
        cylinder(r * 1.15, 0.03, color=frame, sides=sides),
        ring(bar, min(sides, 6)),
        cylinder(r * 0.8, h - 0.03, (0, 0, 0.03), near(rng, (0.95, 0.85, 0.55)), sides=sides),
        roof,
        grip,
    ], ["old lantern"]

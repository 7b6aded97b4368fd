"""Reptiles, insects and other small animals."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.aircraft import wing
from clip3d.simulation.chance import Rng, bright, maybe, near, pick
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, rotate
from clip3d.simulation.shapes import Color, box, capsule, cylinder, dome, extrude, rod, sphere, tube


def snake(rng: Rng) -> Drawn:
    """Snakes: coiled, gliding in waves, or a cobra that rears."""
    color, kind, r = (
        near(rng, pick(rng, (0.3, 0.45, 0.2), (0.5, 0.4, 0.2), bright(rng))),
        pick(rng, "coiled snake", "crawling snake", "cobra"),
        rng.uniform(0.03, 0.05),
    )
    t = np.linspace(0, 1, 50)
    if kind == "crawling snake":
        waves = rng.uniform(1.5, 3.5)
        path = np.column_stack([2 * t - 1, 0.25 * np.sin(2 * np.pi * waves * t), 0 * t + r])
    else:
        turns = rng.uniform(2, 3.5)
        a, rad = 2 * np.pi * turns * t, 0.45 - 0.33 * t
        path = np.column_stack([rad * np.cos(a), rad * np.sin(a), r + 0.2 * t])
        rear = np.linspace(0, 1, 10)[1:, None]
        high = 0.6 if kind == "cobra" else 0.2
        path = np.concatenate([path, path[-1] + rear * np.array([0.15, 0.0, high])])
    n = len(path)
    radius = r * np.interp(np.linspace(0, 1, n), [0, 0.2, 0.9, 0.97, 1], [0.1, 0.8, 1, 1.3, 0.6])
    parts = [tube(path, radius, color, 8)]
    end = path[-1]
    if kind == "cobra":
        parts.append(sphere((0.025, 0.13, 0.2), np.subtract(end, (0, 0, 0.12)), color))
    head = sphere((r * 2.2, r * 1.4, r), np.add(end, (r * 1.4, 0, 0)), color)
    return [
        *parts,
        head,
        rod(np.add(end, (r * 3, 0, 0)), np.add(end, (r * 4.5, 0, 0.01)), 0.005, (0.8, 0.1, 0.1)),
    ], [kind, "serpent"]


def turtle(rng: Rng) -> Drawn:
    """Turtles: a domed shell, head, tail, legs or flippers."""
    shell, skin, sea = near(rng, (0.4, 0.35, 0.18)), near(rng, (0.4, 0.5, 0.25)), maybe(rng, 0.4)
    high = rng.uniform(0.16, 0.3) if not sea else 0.15
    parts = [
        dome((0.4, 0.33, high), (0, 0, 0.12), shell),
        sphere((0.38, 0.31, 0.06), (0, 0, 0.12), (0.75, 0.68, 0.4)),
    ]
    parts += [
        capsule((0.33, 0, 0.14), (0.52, 0, 0.2), 0.065, skin, 0.085),
        rod((-0.36, 0, 0.1), (-0.52, 0, 0.06), 0.04, skin, 0.005),
    ]
    if sea:
        return [
            *parts,
            both_sides(move(wing(0.18, 0.08, 0.5, 0.2, 0.05, skin, -0.05), (0.25, 0.22, 0.1))),
            both_sides(move(wing(0.12, 0.08, 0.25, 0.15, 0.04, skin), (-0.28, 0.2, 0.1))),
        ], ["sea turtle"]
    return [
        *parts,
        both_sides(copies(rod((0, 0.22, 0.13), (0, 0.32, 0.0), 0.07, skin, 0.075), [(0.24, 0, 0), (-0.24, 0, 0)])),
    ], ["tortoise", "land turtle"]


def crocodile(rng: Rng) -> Drawn:
    """Crocodiles and lizards: a long low body, a long snout perhaps open, ridges, sprawling legs."""
    color, gape, bow = near(rng, (0.3, 0.38, 0.2)), rng.uniform(0, 22), rng.uniform(-0.3, 0.3)
    s = np.linspace(0, 1, 14)
    path = np.column_stack([0.6 - 2.4 * s, bow * s**2, 0.22 - 0.12 * s])
    body = tube(
        path, np.interp(s, [0, 0.1, 0.3, 0.5, 1], [0.12, 0.17, 0.22, 0.17, 0.02]), color, 10, section=(1.2, 0.75)
    )
    jaw = [(0.0, 0.13), (0.3, 0.09), (0.68, 0.055), (0.7, -0.055), (0.3, -0.09), (0.0, -0.13)]
    upper = rotate(extrude(jaw, 0.07, color=color), "y", -gape)
    lower = extrude(jaw, 0.05, (0, 0, -0.05), near(rng, color))
    legs = both_sides(
        merge(
            [
                tube(
                    [(x, 0.15, 0.2), (x + 0.05, 0.36, 0.2), (x + 0.08, 0.38, 0.02), (x + 0.2, 0.4, 0.015)],
                    (0.07, 0.06, 0.05, 0.03),
                    color,
                )
                for x in (0.35, -0.5)
            ]
        )
    )
    ridge = merge(
        [
            rod(
                (x, bow * ((0.6 - x) / 2.4) ** 2, 0.3),
                (x - 0.04, bow * ((0.6 - x) / 2.4) ** 2, 0.4 - 0.1 * abs(x)),
                0.03,
                color,
                0.004,
                4,
            )
            for x in np.linspace(0.3, -1.2, 12)
        ]
    )
    return [
        body,
        move(upper, (0.58, 0, 0.22)),
        move(lower, (0.58, 0, 0.21)),
        both_sides(sphere(0.04, (0.66, 0.08, 0.32), (0.8, 0.7, 0.2), 8)),
        legs,
        ridge,
    ], ["alligator", "reptile"]


def frog(rng: Rng) -> Drawn:
    """Frogs: a squat body, bulging eyes, folded hind legs."""
    color = near(rng, pick(rng, (0.25, 0.55, 0.2), (0.45, 0.4, 0.2), (0.75, 0.3, 0.1)))
    body = tube(
        [(-0.3, 0, 0.1), (-0.15, 0, 0.2), (0.1, 0, 0.3), (0.3, 0, 0.33), (0.38, 0, 0.32)],
        (0.08, 0.18, 0.23, 0.16, 0.06),
        color,
        12,
        section=(1.15, 0.8),
    )
    hind = both_sides(
        tube(
            [(-0.25, 0.12, 0.15), (0.02, 0.3, 0.22), (-0.28, 0.32, 0.05), (0.05, 0.36, 0.02), (0.15, 0.42, 0.015)],
            (0.1, 0.09, 0.05, 0.035, 0.03),
            color,
        )
    )
    fore = both_sides(
        tube(
            [(0.15, 0.16, 0.22), (0.22, 0.24, 0.12), (0.22, 0.22, 0.02), (0.32, 0.26, 0.015)],
            (0.05, 0.045, 0.035, 0.025),
            color,
        )
    )
    return [body, hind, fore, both_sides(sphere(0.06, (0.26, 0.12, 0.45), (0.85, 0.8, 0.3), 10))], [
        "sitting frog",
        "toad",
    ]


def _insect_legs(color: Color, xs: list[float], reach: float, high: float, r: float) -> Mesh:
    return both_sides(
        merge(
            [
                tube([(x, 0.05, high), (x * 1.6, reach * 0.5, high * 1.7), (x * 2.4, reach, 0)], r, color, 5)
                for x in xs
            ]
        )
    )


def ant(rng: Rng) -> Drawn:
    """Ants: three beads, six legs, two feelers."""
    color = near(rng, pick(rng, (0.1, 0.08, 0.07), (0.45, 0.15, 0.08)))
    beads = [
        sphere((0.26, 0.19, 0.18), (-0.45, 0, 0.3), color),
        sphere((0.18, 0.11, 0.11), (-0.05, 0, 0.28), color),
        sphere((0.15, 0.15, 0.13), (0.28, 0, 0.3), color),
    ]
    feelers = both_sides(tube([(0.38, 0.06, 0.38), (0.55, 0.15, 0.55), (0.75, 0.2, 0.45)], 0.015, color, 5))
    return [
        *beads,
        feelers,
        _insect_legs(color, [-0.16, -0.02, 0.14], 0.5, 0.26, 0.02),
        both_sides(rod((0.4, 0.05, 0.26), (0.5, 0.02, 0.22), 0.02, color, 0.005)),
    ], ["insect"]


def spider(rng: Rng) -> Drawn:
    """Spiders: two beads and eight arched legs."""
    color, long = near(rng, pick(rng, (0.1, 0.09, 0.09), (0.35, 0.22, 0.12))), rng.uniform(0.6, 0.95)
    legs = [
        tube(
            [
                (0.1, 0.05, 0.25),
                (0.1 + long * 0.5 * np.cos(a), long * 0.5 * np.sin(a), 0.55),
                (0.1 + long * np.cos(a), long * np.sin(a), 0),
            ],
            (0.03, 0.025, 0.012),
            color,
            6,
        )
        for a in np.radians([35, 70, 110, 145])
    ]
    return [
        sphere((0.32, 0.27, 0.24), (-0.35, 0, 0.3), color),
        sphere((0.2, 0.17, 0.13), (0.1, 0, 0.26), color),
        both_sides(merge(legs)),
        both_sides(rod((0.28, 0.05, 0.25), (0.4, 0.05, 0.12), 0.03, color, 0.005)),
    ], ["arachnid", "big spider"]


def beetle(rng: Rng) -> Drawn:
    """Beetles and ladybirds: wing cases with a seam, six legs, feelers or horns."""
    lady = maybe(rng, 0.5)
    color, black = (
        ((0.8, 0.1, 0.08) if lady else near(rng, pick(rng, (0.1, 0.2, 0.12), (0.2, 0.12, 0.08)))),
        (0.07, 0.07, 0.07),
    )
    high = 0.32 if lady else 0.24
    parts = [
        dome((0.42, 0.34 if lady else 0.27, high), (-0.05, 0, 0.12), color),
        sphere((0.14, 0.19, 0.13), (0.38, 0, 0.17), black),
        box((0.8, 0.012, 0.02), (-0.05, 0, high + 0.1), black),
    ]
    parts.append(_insect_legs(black, [-0.16, 0.02, 0.16], 0.5, 0.16, 0.022))
    if lady:
        spots = [
            (x, y, 0.12 + high * np.sqrt(max(1 - (x / 0.42) ** 2 - (y / 0.34) ** 2, 0)))
            for x, y in ((0.1, 0.14), (-0.2, 0.15), (-0.05, 0.26))
        ]
        parts.append(
            both_sides(
                copies(sphere((0.06, 0.06, 0.03), color=black, sides=8), [(x - 0.05, y, z) for x, y, z in spots])
            )
        )
    else:
        parts.append(
            both_sides(tube([(0.48, 0.08, 0.2), (0.75, 0.18, 0.25), (0.85, 0.05, 0.3)], (0.04, 0.03, 0.01), black))
        )
    return parts, ["ladybug" if lady else "stag beetle", "insect"]


def butterfly(rng: Rng) -> Drawn:
    """Butterflies: four wings spread or raised, a thin body, feelers."""
    color, second = bright(rng), bright(rng)
    lift = rng.uniform(-5, 65)
    upper = [(0.15, 0.02), (0.5, 0.45), (0.45, 0.75), (0.2, 0.7), (0.0, 0.3), (0.0, 0.02)]
    lower = [(0.0, 0.02), (-0.02, 0.35), (-0.2, 0.55), (-0.45, 0.45), (-0.4, 0.2), (-0.12, 0.02)]
    spots = copies(cylinder(0.06, 0.02, (0, 0, -0.005), second, sides=10), [(0.32, 0.5, 0), (-0.2, 0.34, 0)])
    side = rotate(
        merge([extrude(upper, 0.012, color=color), extrude(lower, 0.012, color=near(rng, color)), spots]), "x", lift
    )
    body = tube(
        [(0.3, 0, 0), (0.15, 0, 0), (0, 0, 0), (-0.35, 0, -0.02)], (0.04, 0.05, 0.045, 0.015), (0.12, 0.1, 0.08)
    )
    feelers = both_sides(tube([(0.3, 0.02, 0.02), (0.45, 0.1, 0.1), (0.5, 0.14, 0.1)], 0.008, (0.1, 0.1, 0.1), 5))
    return [both_sides(side), body, feelers], ["insect", "moth" if lift > 55 else "butterfly with open wings"]


def bee(rng: Rng) -> Drawn:
    """Bees: a striped body, four wings, feelers, six legs."""
    yellow, black = near(rng, (0.92, 0.72, 0.12)), (0.08, 0.07, 0.06)
    s = np.linspace(0.12, -0.5, 6)
    r = [0.12, 0.18, 0.19, 0.17, 0.11, 0.03]
    rings = [
        rod((s[i], 0, 0.3), (s[i + 1], 0, 0.3), r[i], black if i % 2 else yellow, r[i + 1], 12) for i in range(5)
    ]
    wings_ = both_sides(
        merge(
            [
                rotate(sphere((0.11, 0.32, 0.01), (0, 0.36, 0), (0.85, 0.9, 0.92)), "x", 25),
                rotate(sphere((0.08, 0.2, 0.01), (-0.15, 0.24, 0), (0.85, 0.9, 0.92)), "x", 20),
            ]
        )
    )
    return [
        *rings,
        sphere(0.16, (0.2, 0, 0.3), yellow),
        sphere((0.11, 0.13, 0.12), (0.4, 0, 0.3), black),
        move(wings_, (0.15, 0, 0.42)),
        _insect_legs(black, [0.02, 0.12, 0.2], 0.3, 0.2, 0.018),
        both_sides(tube([(0.48, 0.05, 0.38), (0.6, 0.12, 0.48)], 0.012, black, 5)),
    ], ["insect", "honey bee"]


def snail(rng: Rng) -> Drawn:
    """Snails: a spiral shell on a creeping foot, feelers up."""
    shell, skin = (
        near(rng, pick(rng, (0.6, 0.42, 0.22), (0.8, 0.65, 0.4), bright(rng))),
        near(rng, (0.7, 0.6, 0.45)),
    )
    t = np.linspace(0, 1, 40)
    turns = rng.uniform(2.2, 3.2)
    a, r = 2 * np.pi * turns * t, 0.26 * (1 - t) ** 0.8 + 0.005
    path = np.column_stack([r * np.cos(a) - 0.05, 0.12 * t - 0.06, 0.36 + r * np.sin(a)])
    spiral = tube(path, 0.15 * (1 - t) + 0.02, shell, 10)
    foot = tube(
        [(-0.55, 0, 0.03), (-0.2, 0, 0.07), (0.25, 0, 0.08), (0.42, 0, 0.2), (0.48, 0, 0.32)],
        (0.02, 0.1, 0.11, 0.09, 0.08),
        skin,
        10,
    )
    return [
        spiral,
        foot,
        sphere(0.09, (0.5, 0, 0.35), skin),
        both_sides(
            merge(
                [rod((0.52, 0.04, 0.4), (0.62, 0.1, 0.58), 0.016, skin), sphere(0.026, (0.62, 0.1, 0.59), skin, 8)]
            )
        ),
    ], ["garden snail"]

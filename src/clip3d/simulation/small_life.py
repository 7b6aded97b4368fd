"""Small things that fly or drift, and shells."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, maybe, near, pick
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, scale
from clip3d.simulation.shapes import capsule, extrude, lathe, rod, sphere, torus, tube


def jellyfish(rng: Rng) -> Drawn:
    """Jellyfish: a bell over frilly arms and thin threads."""
    color, r, n = (
        near(rng, pick(rng, (0.85, 0.6, 0.75), (0.6, 0.75, 0.9), (0.9, 0.85, 0.8), (0.9, 0.6, 0.4))),
        rng.uniform(0.2, 0.3),
        count(rng, 8, 16),
    )
    bell = lathe(
        [
            (0, 0.02),
            (r * 0.7, 0.0),
            (r * 0.95, -0.02),
            (r, 0.02),
            (r * 0.85, r * 0.5),
            (r * 0.5, r * 0.8),
            (0, r * 0.9),
        ],
        color=color,
        sides=24,
    )
    t = np.linspace(0, 1, 10)
    long = rng.uniform(0.5, 0.9)
    thread = tube(
        np.column_stack([r * 0.85 + 0.04 * np.sin(t * 8), 0.03 * np.sin(t * 6 + 1), -long * t]),
        0.006,
        near(rng, color),
        5,
    )
    arm = tube(
        np.column_stack([0.06 + 0.05 * np.sin(t * 9), 0.04 * np.cos(t * 7), -long * 0.7 * t]),
        0.035 * (1 - t) + 0.006,
        near(rng, color),
        6,
    )
    return [bell, ring(thread, n), ring(arm, 4)], ["medusa", "sea creature"]


def flyer(rng: Rng, *kinds: str) -> Drawn:
    """Dragonflies, bats, and grasshoppers."""
    kind = pick(rng, *kinds)
    if kind == "dragonfly":
        color = bright(rng)
        wing = scale(sphere(1, color=near(rng, (0.8, 0.88, 0.92)), sides=12), (0.035, 0.2, 0.004))
        pairs = [both_sides(move(rotate(wing, "z", a), (x, 0.21, 0.12))) for x, a in ((0.05, -8), (-0.03, 10))]
        body = tube(
            [(-0.4, 0, 0.09), (-0.1, 0, 0.1), (0, 0, 0.105), (0.07, 0, 0.1)], (0.01, 0.013, 0.032, 0.028), color
        )
        legs = both_sides(
            copies(
                rod((0, 0.015, 0.09), (0.03, 0.07, 0.0), 0.004, (0.1, 0.1, 0.1)),
                [(x, 0, 0) for x in (-0.02, 0.02, 0.05)],
            )
        )
        return [body, *pairs, both_sides(sphere(0.026, (0.1, 0.022, 0.11), near(rng, color), 10)), legs], [
            "insect",
            kind,
        ]
    if kind == "bat":
        color, up = near(rng, (0.2, 0.16, 0.15)), rng.uniform(-20, 35)
        outline = [
            (0.1, 0),
            (0.2, 0.18),
            (0.17, 0.5),
            (0.02, 0.8),
            (-0.08, 0.55),
            (0.0, 0.45),
            (-0.12, 0.32),
            (-0.02, 0.22),
            (-0.12, 0.05),
        ]
        wing = rotate(extrude(outline, 0.012, color=near(rng, color)), "x", up)
        return [
            sphere((0.17, 0.09, 0.09), color=color, sides=12),
            sphere(0.075, (0.18, 0, 0.04), color, 12),
            both_sides(wing),
            both_sides(rod((0.18, 0.04, 0.08), (0.17, 0.075, 0.19), 0.035, color, 0.004)),
        ], ["flying bat", "animal"]
    color = near(rng, (0.4, 0.6, 0.2))
    leg = merge(
        [
            capsule((-0.02, 0.04, 0.1), (-0.22, 0.07, 0.24), 0.022, color, 0.012),
            rod((-0.22, 0.07, 0.24), (-0.3, 0.07, 0.01), 0.007, color),
        ]
    )
    small = [rod((x, 0.03, 0.09), (x + 0.03, 0.09, 0.0), 0.006, color) for x in (0.05, 0.12)]
    body = tube(
        [(-0.3, 0, 0.1), (-0.1, 0, 0.11), (0.08, 0, 0.13), (0.16, 0, 0.14)], (0.015, 0.04, 0.05, 0.035), color
    )
    feelers = both_sides(rod((0.2, 0.015, 0.16), (0.36, 0.06, 0.24), 0.003, color))
    return [
        body,
        sphere((0.04, 0.035, 0.05), (0.19, 0, 0.13), color, 10),
        both_sides(merge([leg, *small])),
        feelers,
        sphere((0.19, 0.03, 0.025), (-0.14, 0, 0.15), near(rng, color), 10),
    ], ["grasshopper", "cricket", "insect"]


def seashell(rng: Rng) -> Drawn:
    """Shells: spirals and scallops; pearls."""
    color = near(rng, pick(rng, (0.92, 0.85, 0.75), (0.9, 0.7, 0.6), (0.75, 0.6, 0.5)))
    if maybe(rng):
        t = np.linspace(0, 1, 40)
        r = 0.02 + 0.12 * t**1.4
        path = np.column_stack([r * np.cos(t * 20), r * np.sin(t * 20), 0.32 * (1 - t)])
        return [rotate(tube(path, 0.012 + 0.075 * t**1.3, color, 8), "x", pick(rng, 0, 90))], [
            "spiral seashell",
            "sea snail shell",
        ]
    n, a = 33, np.linspace(-1.15, 1.15, 33)
    edge = 0.2 * (1 + 0.05 * np.cos(np.arange(n) * np.pi / 2))
    outline = [(-0.03, 0.0), *zip(edge * np.cos(a), edge * np.sin(a), strict=True)]
    plate = extrude(outline, 0.012, color=color)
    ribs = [
        rod((0, 0, 0.015), (0.19 * np.cos(v), 0.19 * np.sin(v), 0.018), 0.009, near(rng, color), 0.013)
        for v in np.linspace(-1.05, 1.05, 9)
    ]
    return [plate, *ribs, torus(0.02, 0.012, (-0.01, 0, 0.01), color, 12)], ["scallop shell", "clam shell"]

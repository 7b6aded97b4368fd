"""Animals of the sea."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.aircraft import wing
from clip3d.simulation.chance import Rng, bright, maybe, near, pick
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate
from clip3d.simulation.running_gear import side_profile
from clip3d.simulation.shapes import Color, cushion, cylinder, dome, extrude, rod, sphere, tube


def _swimmer(rng: Rng, color: Color, long: float, tall: float, wide: float, belly: float = 0.35) -> Mesh:
    s = np.linspace(0, 1, 12)
    radius = np.interp(s, [0, 0.08, belly, 0.75, 0.92, 1], [0.15, 0.5, 1, 0.45, 0.16, 0.12])
    wave = rng.uniform(-0.1, 0.1) * long
    path = np.column_stack([long * (0.5 - s), wave * np.sin(2.5 * s) * s, 0 * s])
    return tube(path, radius, color, 12, section=(wide, tall))


def fish(rng: Rng) -> Drawn:
    """Fish: slim or high, with forked or round tails, back and belly fins, stripes."""
    color, fin = bright(rng), bright(rng)
    tall, wide = rng.uniform(0.14, 0.36), rng.uniform(0.06, 0.13)
    body = _swimmer(rng, color, 1.0, tall, wide)
    tail = pick(
        rng,
        [(-0.4, 0), (-0.72, 0.26), (-0.6, 0), (-0.72, -0.26)],
        [(-0.4, 0.04), (-0.7, 0.2), (-0.7, -0.2), (-0.4, -0.04)],
        [(-0.4, 0), (-0.85, 0.34), (-0.62, 0), (-0.78, -0.2)],
    )
    back = pick(
        rng,
        [(0.2, tall * 0.8), (0.0, tall * 1.45), (-0.3, tall * 0.5)],
        [(0.25, tall * 0.7), (0.2, tall * 1.35), (-0.25, tall * 1.1), (-0.35, tall * 0.3)],
    )
    plates = [
        side_profile(p, 0.02, fin)
        for p in (tail, back, [(-0.05, -tall * 0.8), (-0.3, -tall * 1.3), (-0.3, -tall * 0.5)])
    ]
    side = both_sides(
        move(rotate(sphere((0.13, 0.012, 0.06), (-0.1, 0, 0), fin), "z", -30), (0.2, wide * 0.9, -tall * 0.2))
    )
    eyes = both_sides(sphere(0.03, (0.36, wide * 0.62, tall * 0.25), (0.05, 0.05, 0.05), 8))
    return [body, *plates, side, eyes], ["tropical fish" if tall > 0.25 else "swimming fish"]


def shark(rng: Rng) -> Drawn:
    """Sharks: a torpedo body, a triangular back fin, a sickle tail."""
    color = near(rng, (0.45, 0.5, 0.55))
    body = _swimmer(rng, color, 3.0, 0.34, 0.3, 0.4)
    fins = [
        side_profile([(0.35, 0.25), (-0.1, 0.75), (-0.2, 0.25)], 0.05, color),
        side_profile([(-1.3, 0), (-1.95, 0.65), (-1.65, 0.0), (-1.8, -0.35)], 0.05, color),
    ]
    pectoral = both_sides(move(wing(0.45, 0.12, 0.75, 0.4, 0.05, color, -0.25), (0.5, 0.2, -0.15)))
    if maybe(rng, 0.2):
        fins.append(sphere((0.18, 0.55, 0.08), (1.45, 0, 0), color))
    return [
        body,
        *fins,
        pectoral,
        rod((1.4, 0, 0.02), (1.62, 0, 0.05), 0.14, color, 0.03),
        side_profile([(-0.8, 0.1), (-1.05, 0.3), (-1.1, 0.1)], 0.04, color),
    ], ["great shark", "predatory fish"]


def dolphin(rng: Rng) -> Drawn:
    """Dolphins: a beak, a back fin, level flukes, a leap."""
    return _cetacean(rng, "dolphin"), ["jumping dolphin", "sea mammal"]


def whale(rng: Rng) -> Drawn:
    """Whales: blue whales, sperm whales with square heads, orcas with white marks."""
    kind = pick(rng, "blue whale", "sperm whale", "orca")
    return _cetacean(rng, kind), [kind, "sea mammal"]


def _cetacean(rng: Rng, kind: str) -> list[Mesh]:
    color = {"orca": (0.08, 0.08, 0.1)}.get(kind, near(rng, (0.4, 0.47, 0.55)))
    fat = {"dolphin": 0.3, "orca": 0.36}.get(kind, 0.42)
    s = np.linspace(0, 1, 12)
    front = 0.9 if kind == "sperm whale" else 0.35
    radius = fat * np.interp(s, [0, 0.06, 0.35, 0.75, 0.95, 1], [front * 0.7, front, 1, 0.5, 0.18, 0.15])
    arch = rng.uniform(-0.1, 0.5) if kind == "dolphin" else rng.uniform(0, 0.2)
    body = tube(np.column_stack([1.5 - 3 * s, 0 * s, arch * np.sin(np.pi * s)]), radius, color, 12)
    fluke = both_sides(move(wing(0.45, 0.15, 0.7, 0.35, 0.06, color), (-1.5, 0.03, 0)))
    flipper = both_sides(
        move(wing(0.35, 0.12, 0.6, 0.35, 0.06, color, -0.25), (0.6, fat * 0.8, -fat * 0.3 + arch * 0.7))
    )
    parts = [body, fluke, flipper]
    if kind in ("dolphin", "orca"):
        h = 0.35 if kind == "dolphin" else 0.6
        parts.append(move(side_profile([(0.2, 0), (-0.15, h), (-0.2, 0)], 0.05, color), (0, 0, arch + fat * 0.85)))
    if kind == "dolphin":
        parts.append(rod((1.42, 0, -0.02), (1.8, 0, -0.06), 0.1, color, 0.04))
    if kind == "orca":
        parts += [
            sphere((0.9, 0.25, 0.2), (0.3, 0, -0.22 + arch * 0.8), (0.95, 0.95, 0.95)),
            both_sides(sphere((0.14, 0.03, 0.07), (1.1, 0.26, 0.12 + arch * 0.4), (0.95, 0.95, 0.95))),
        ]
    return parts


def octopus(rng: Rng) -> Drawn:
    """Octopuses: a bulb of a head and eight curling arms."""
    color = near(rng, pick(rng, (0.75, 0.3, 0.25), (0.6, 0.35, 0.5), bright(rng)))
    t = np.linspace(0, 1, 12)
    arms = []
    for a in np.arange(8) * 45 + 22:
        curl, reach = rng.uniform(-1, 1), rng.uniform(0.7, 1.0)
        path = np.column_stack(
            [
                0.15 + reach * t,
                0.25 * curl * np.sin(2.5 * t),
                0.3 - 0.55 * np.sin(np.pi * t * 0.5) * (1 - 0.5 * t**3) + 0.12 * np.sin(6 * t) * t,
            ]
        )
        arms.append(rotate(tube(path, 0.09 * (1 - t) + 0.012, color, 8), "z", float(a)))
    high = rng.uniform(0.35, 0.5)
    return [
        *arms,
        sphere((0.3, 0.28, high), (-0.05, 0, 0.3 + high * 0.75), color),
        both_sides(sphere(0.07, (0.2, 0.18, 0.42), (0.95, 0.93, 0.85), 10)),
    ], ["sea creature", "octopus with eight arms"]


def crab(rng: Rng, kind: str = "crab") -> Drawn:
    """Crabs and lobsters: claws, legs, eyes on stalks; a long tail for the lobster."""
    color, lobster = near(rng, pick(rng, (0.8, 0.25, 0.12), (0.65, 0.4, 0.2), (0.25, 0.35, 0.5))), kind == "lobster"
    wide = 0.2 if lobster else 0.42
    body = [cushion((0.5, wide * 2, 0.22), (0, 0, 0.15), color, 0.7)]
    legs = merge(
        [
            tube(
                [(x, wide * 0.8, 0.22), (x * 1.2, wide + 0.25, 0.38), (x * 1.5, wide + 0.42, 0.0)],
                (0.04, 0.035, 0.012),
                color,
                6,
            )
            for x in (-0.18, -0.06, 0.06)
        ]
    )
    arm = tube(
        [(0.15, wide * 0.8, 0.24), (0.35, wide + 0.2, 0.3), (0.58, wide + 0.05, 0.3)], (0.06, 0.055, 0.05), color
    )
    claw = [
        rod((0.55, wide + 0.05, 0.3), (0.85, wide - 0.12, 0.34), 0.1, color, 0.01),
        rod((0.55, wide + 0.05, 0.3), (0.82, wide + 0.1, 0.3), 0.08, color, 0.01),
    ]
    parts = [
        *body,
        both_sides(merge([legs, arm, *claw])),
        both_sides(
            merge(
                [
                    rod((0.2, 0.09, 0.3), (0.27, 0.1, 0.45), 0.015, color),
                    sphere(0.03, (0.27, 0.1, 0.46), (0.05, 0.05, 0.05), 8),
                ]
            )
        ),
    ]
    if lobster:
        parts += [cylinder(0.17 - 0.02 * i, 0.08, (-0.25 - 0.12 * i, 0, 0.16), color, sides=10) for i in range(5)]
        parts += [
            extrude(
                [(-0.8, 0.05), (-1.05, 0.22), (-1.1, 0), (-1.05, -0.22), (-0.8, -0.05)], 0.03, (0, 0, 0.15), color
            ),
            both_sides(rod((0.25, 0.05, 0.3), (1.0, 0.35, 0.6), 0.012, color, 0.004)),
        ]
        return parts, ["lobster", "crustacean"]
    return parts, ["crustacean", "sea crab"]


def starfish(rng: Rng) -> Drawn:
    """Starfish with five or more arms."""
    color, n = near(rng, pick(rng, (0.85, 0.45, 0.2), bright(rng))), pick(rng, 5, 5, 5, 6, 7)
    arm = tube(
        [(0, 0, 0.08), (0.25, 0, 0.08), (0.5, 0, 0.05), (0.62, 0, 0.02)],
        (0.17, 0.12, 0.06, 0.015),
        color,
        8,
        section=(1, 0.6),
    )
    return [
        ring(arm, n),
        dome((0.2, 0.2, 0.15), (0, 0, 0.02), color),
        ring(copies(sphere(0.018, color=near(rng, color), sides=6), [(x, 0, 0.15) for x in (0.15, 0.25, 0.35)]), n),
    ], ["sea star", "sea creature"]

"""Large structures: towers, bridges, lighthouses, windmills, pyramids."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.buildings import gable, hip
from clip3d.simulation.chance import Rng, bright, count, dark, maybe, near, pick, steel, stone, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs, stretchers
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate
from clip3d.simulation.running_gear import side_profile
from clip3d.simulation.shapes import box, cylinder, dome, lathe, loft, rod, sphere, torus, tube


def tower(rng: Rng) -> Drawn:
    """Towers: lattice towers, leaning round ones, watch towers, television towers, water towers, clock towers."""
    kind, h = (
        pick(rng, "lattice tower", "television tower", "water tower", "clock tower", "watchtower", "round tower"),
        rng.uniform(15, 40),
    )
    color = stone(rng)
    if kind == "lattice tower":
        c, t = steel(rng), np.linspace(0, 1, 9)
        half = h * 0.17 * (1 - t) ** 1.6 + 0.3
        leg = both_sides(both_sides(tube(np.column_stack([half, half, h * t]), 0.25, c, 5)), "x")
        rungs = [
            tube([(a, a, z), (-a, a, z), (-a, -a, z), (a, -a, z)], 0.15, c, 4, closed=True)
            for a, z in zip(half[1:-1], h * t[1:-1], strict=True)
        ]
        cross = [
            rod((half[i], half[i], h * t[i]), (half[i + 1], -half[i + 1], h * t[i + 1]), 0.12, c, sides=4)
            for i in range(7)
        ]
        return [leg, *rungs, ring(merge(cross), 4)], [kind, "steel tower", "transmission tower"]
    if kind == "television tower":
        pod = h * rng.uniform(0.6, 0.75)
        return [
            cylinder(h * 0.05, pod, color=color, top=h * 0.025),
            sphere((h * 0.1, h * 0.1, h * 0.05), (0, 0, pod), color)
            if maybe(rng)
            else lathe(
                [(h * 0.03, -h * 0.05), (h * 0.1, 0), (h * 0.1, h * 0.04), (h * 0.04, h * 0.07)], (0, 0, pod), color
            ),
            cylinder(h * 0.015, h - pod, (0, 0, pod), (0.8, 0.15, 0.1), 0.05),
        ], [kind]
    if kind == "water tower":
        legs = ring(rod((h * 0.16, 0, 0), (h * 0.13, 0, h * 0.62), 0.3, steel(rng)), count(rng, 4, 8))
        drum = lathe(
            [(0, h * 0.55), (h * 0.17, h * 0.66), (h * 0.17, h * 0.88), (0, h)], color=near(rng, (0.6, 0.65, 0.7))
        )
        return [legs, drum, cylinder(h * 0.03, h * 0.6, color=steel(rng))], [kind]
    if kind == "clock tower":
        w = h * 0.16
        faces = ring(rotate(cylinder(w * 0.38, 0.4, (0, 0, w / 2 - 0.1), white(rng)), "y", 90), 4)
        return [
            box((w, w, h * 0.8), color=color),
            box((w * 1.15, w * 1.15, h * 0.03), (0, 0, h * 0.8), color),
            move(faces, (0, 0, h * 0.7)),
            hip(w, w, h * 0.3, (0, 0, h * 0.83), near(rng, (0.3, 0.4, 0.35))),
        ], [kind]
    if kind == "watchtower":
        h = h * 0.3
        stilts = four_legs(rng, 2.6, 2.6, h, wood(rng), 0.35, "splayed")
        return [
            *stilts,
            box((3.2, 3.2, 0.2), (0, 0, h), wood(rng)),
            *(box((0.1, 3.2, 1.0), (s * 1.55, 0, h), wood(rng)) for s in (-1, 1)),
            copies(
                box((0.2, 0.2, 2.2), color=wood(rng)), [(s * 1.4, t * 1.4, h) for s in (-1, 1) for t in (-1, 1)]
            ),
            hip(3, 3, 1.5, (0, 0, h + 2.2), wood(rng), 0.5),
        ], [kind, "lookout tower"]
    floors = count(rng, 4, 7)
    parts = [cylinder(h * 0.1, h, color=color, top=h * 0.095, sides=20)] + [
        cylinder(h * 0.12, h * 0.02, (0, 0, h * i / floors), color, sides=20) for i in range(1, floors + 1)
    ]
    return [rotate(m, "x", pick(rng, 0.0, 5.0)) for m in parts], [kind]


def bridge(rng: Rng) -> Drawn:
    """Bridges: stone arches, suspension bridges, girders, wooden bows."""
    kind, long, w = (
        pick(rng, "arch bridge", "suspension bridge", "truss bridge", "wooden footbridge"),
        rng.uniform(20, 40),
        rng.uniform(3, 5),
    )
    x = long / 2
    if kind == "arch bridge":
        n, h, color = count(rng, 1, 4), long * 0.16, stone(rng)
        span = long / n
        points = [(x, h * 1.1), (-x, h * 1.1), (-x, 0.0)]
        for i in range(n):
            a = np.linspace(np.pi, 0, 9)
            points += [(-x + span * (i + 0.5) + span * 0.42 * np.cos(v), h * 0.9 * np.sin(v)) for v in a]
        return [
            side_profile([*points, (x, 0.0)], w, color),
            both_sides(box((long, 0.3, 1.0), (0, w / 2, h * 1.1), color)),
        ], [kind, "stone bridge"]
    if kind == "suspension bridge":
        c, tall = pick(rng, (0.75, 0.22, 0.15), steel(rng)), long * 0.28
        t = np.linspace(-1, 1, 17)
        main = np.column_stack([t * x * 0.55, 0 * t + w / 2, 3 + (tall - 1) * t**2])
        hangers = merge([rod((p[0], w / 2, 3), tuple(p), 0.06, c, sides=4) for p in main[1:-1]])
        side = both_sides(rod((x * 0.55, w / 2, tall + 2), (x, w / 2, 3), 0.15, c), "x")
        pylon = merge(
            [
                copies(box((0.7, 0.7, tall + 2.5), color=c), [(0, s * w / 2, 0) for s in (-1, 1)]),
                box((0.6, w, 0.6), (0, 0, tall + 1), c),
                box((0.6, w, 0.6), (0, 0, tall * 0.65), c),
            ]
        )
        return [
            box((long, w, 0.5), (0, 0, 2.7), dark(rng)),
            both_sides(merge([tube(main, 0.15, c, 6), hangers, side])),
            copies(pylon, [(s * x * 0.55, 0, 0) for s in (-1, 1)]),
        ], [kind]
    if kind == "truss bridge":
        c, h, n = steel(rng), long * 0.14, 8
        xs = np.linspace(-x, x, n + 1)
        girder = [
            rod((-x, w / 2, 0.3), (x, w / 2, 0.3), 0.2, c),
            rod((xs[1], w / 2, h), (xs[-2], w / 2, h), 0.2, c),
        ]
        girder += [
            rod((xs[i], w / 2, 0.3 if i % 2 == 0 else h), (xs[i + 1], w / 2, h if i % 2 == 0 else 0.3), 0.15, c)
            for i in range(n)
        ]
        girder += [rod((v, w / 2, 0.3), (v, w / 2, h), 0.1, c) for v in xs[1:-1]]
        return [box((long, w, 0.4), color=dark(rng)), both_sides(merge(girder))], [kind, "railway bridge"]
    c, t = wood(rng), np.linspace(-1, 1, 15)
    z = 1.2 * (1 - t**2)
    long = 8.0
    deck = [box((long / 15, 2, 0.12), (v * long / 2, 0, h), c) for v, h in zip(t, z, strict=True)]
    rail = both_sides(
        merge(
            [
                tube(np.column_stack([t * long / 2, 0 * t + 1, z + 1]), 0.07, c, 6),
                *(
                    rod((v * long / 2, 1, h), (v * long / 2, 1, h + 1), 0.05, c)
                    for v, h in zip(t[::2], z[::2], strict=True)
                ),
            ]
        )
    )
    return [*deck, rail], [kind, "garden bridge"]


def lighthouse(rng: Rng) -> Drawn:
    """Lighthouses: a tapering striped tower, a gallery, a lantern room, a cottage at its foot."""
    color, h, n = bright(rng), rng.uniform(14, 22), count(rng, 3, 7)
    r = np.linspace(2.6, 1.5, n + 1) * rng.uniform(0.8, 1.1)
    bands = [
        cylinder(r[i], h / n, (0, 0, h * i / n), color if i % 2 == 0 else (0.94, 0.94, 0.92), r[i + 1], 18)
        for i in range(n)
    ]
    lantern = [
        cylinder(r[-1] * 1.35, 0.3, (0, 0, h), dark(rng), sides=18),
        cylinder(r[-1] * 0.7, 2.0, (0, 0, h + 0.3), (0.8, 0.85, 0.7), sides=12),
        torus(r[-1] * 1.3, 0.06, (0, 0, h + 1.2), dark(rng)),
        dome(r[-1] * 0.85, (0, 0, h + 2.3), color),
    ]
    hut = (
        [box((3, 4, 2.6), (0, 3.5, 0), white(rng)), gable(3, 4, 1.6, (0, 3.5, 2.6), color)]
        if maybe(rng, 0.4)
        else []
    )
    return [*bands, *lantern, *hut, box((0.5, 1.0, 2.0), (r[0] - 0.2, 0, 0), (0.35, 0.2, 0.12))], [
        "striped lighthouse",
        "tower",
    ]


def windmill(rng: Rng) -> Drawn:
    """Windmills: Dutch mills with sails, wind turbines, farm wind pumps."""
    kind = pick(rng, "dutch windmill", "dutch windmill", "wind turbine", "wind pump")
    if kind == "wind turbine":
        blade = loft(
            np.stack(
                [
                    np.array([(0, -a, z), (0.25, 0, z), (0, a * 0.4, z)])
                    for z, a in ((0.5, 0.5), (4, 1.0), (12, 0.2))
                ]
            ),
            white(rng),
        )
        rotor = ring(blade, 3, "x", rng.uniform(0, 120))
        return [
            cylinder(0.9, 25, color=white(rng), top=0.5),
            box((2.6, 1.0, 1.0), (-0.3, 0, 24.8), white(rng), 0.2),
            move(rotor, (1.3, 0, 25.3)),
            sphere(0.6, (1.2, 0, 25.3), white(rng), 10),
        ], [kind]
    if kind == "wind pump":
        vane = ring(rotate(box((0.03, 0.35, 0.9), (0, 0, 0.5), steel(rng)), "z", 30), 14, "x")
        return [
            *four_legs(rng, 0.5, 0.5, 8, steel(rng), 0.1, "splayed"),
            *stretchers(1.5, 1.5, 2.5, 0.06, steel(rng), "box"),
            move(vane, (0.5, 0, 8)),
            rod((0.5, 0, 8), (-1.5, 0, 8), 0.04, steel(rng)),
            side_profile([(-1.5, 7.6), (-2.3, 7.4), (-2.3, 8.6), (-1.5, 8.4)], 0.04, bright(rng)),
        ], [kind, "farm windmill"]
    color = pick(rng, stone(rng), wood(rng))
    arm = merge(
        [
            rod((0, 0, 0), (0, 0, 7), 0.12, wood(rng)),
            *(rod((0, 0, z), (0, 1.2, z), 0.05, wood(rng), sides=4) for z in np.linspace(1.5, 6.9, 9)),
            rod((0, 1.2, 1.5), (0, 1.2, 6.9), 0.05, wood(rng)),
            box((0.03, 1.1, 5.2), (-0.05, 0.6, 1.6), white(rng)),
        ]
    )
    return [
        cylinder(3.0, 9, color=color, top=2.0, sides=pick(rng, 8, 18)),
        dome((2.1, 2.1, 1.8), (0, 0, 9), near(rng, (0.35, 0.22, 0.15)), 12),
        move(ring(arm, 4, "x", rng.uniform(0, 90)), (2.6, 0, 9.3)),
        rod((1.0, 0, 9.3), (2.8, 0, 9.3), 0.25, wood(rng)),
        box((0.3, 1.1, 2), (2.8, 0, 0), (0.3, 0.18, 0.1)),
    ], [kind, "mill"]


def pyramid(rng: Rng) -> Drawn:
    """Pyramids: smooth, stepped, or blunt with a temple on top."""
    color, n, half = near(rng, (0.8, 0.68, 0.45)), count(rng, 5, 9), rng.uniform(8, 14)
    if maybe(rng, 0.4):
        return [hip(2 * half, 2 * half, half * rng.uniform(1.0, 1.4), (0, 0, 0), color, 0)], [
            "egyptian pyramid",
            "monument",
        ]
    parts = [
        box(
            (2 * half * (1 - i / n * 0.85), 2 * half * (1 - i / n * 0.85), half * 0.9 / n),
            (0, 0, half * 0.9 * i / n),
            near(rng, color, 0.03),
        )
        for i in range(n)
    ]
    stairs_ = side_profile(
        [(half * 0.2, half * 0.9), (half * 1.05, 0), (half * 0.2, 0)], half * 0.35, near(rng, color)
    )
    return [*parts, stairs_, box((half * 0.3, half * 0.3, half * 0.2), (0, 0, half * 0.9), color)], [
        "step pyramid",
        "temple",
    ]

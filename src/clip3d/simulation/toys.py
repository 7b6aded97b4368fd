"""Toys, games, gifts and other small things."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, mirror, move, ring, rotate, scale
from clip3d.simulation.shapes import box, capsule, cylinder, dome, lathe, rod, sphere, torus, tube


def dice(rng: Rng) -> Drawn:
    """Dice: cubes with pips, one or a pair."""
    color, pip = pick(rng, white(rng), bright(rng)), dark(rng)
    a, e = 0.26, 0.5
    faces: dict[int, list[tuple[float, float]]] = {
        1: [(0, 0)],
        2: [(-a, a), (a, -a)],
        3: [(-a, a), (0, 0), (a, -a)],
        4: [(s * a, t * a) for s in (-1, 1) for t in (-1, 1)],
        5: [(0, 0)] + [(s * a, t * a) for s in (-1, 1) for t in (-1, 1)],
        6: [(s * a, t * a) for s in (-1, 1) for t in (-1, 0, 1)],
    }
    # Which axis a face looks along, and on which side; opposite faces add to seven.
    sides = {1: (2, 1), 6: (2, -1), 2: (0, 1), 5: (0, -1), 3: (1, 1), 4: (1, -1)}
    spots = [np.insert((u, v), sides[n][0], e * sides[n][1]) for n, pairs in faces.items() for u, v in pairs]
    pips = copies(sphere(0.085, color=pip, sides=8), spots)
    one = merge([box((1, 1, 1), (0, 0, -0.5), color, rng.uniform(0.05, 0.14)), pips])
    cube = scale(rotate(rotate(one, "x", 90 * count(rng, 0, 3)), "z", rng.uniform(0, 90)), 0.016)
    if maybe(rng, 0.35):
        return [cube, move(rotate(cube, "z", 40), (0.024, 0.012, 0))], ["pair of dice"]
    return [cube], ["die", "gaming die"]


def teddy_bear(rng: Rng) -> Drawn:
    """Teddy bears: sitting, with round ears and a snout; or a toy rabbit."""
    color = near(rng, pick(rng, (0.6, 0.42, 0.24), (0.8, 0.65, 0.45), bright(rng)))
    pale, bunny = near(rng, (0.9, 0.8, 0.65)), maybe(rng, 0.2)
    ear = (
        sphere((0.02, 0.045, 0.045), (0, 0.085, 0.47), color, 12)
        if not bunny
        else sphere((0.02, 0.035, 0.13), (0, 0.05, 0.55), color, 12)
    )
    leg, arm = (
        both_sides(capsule((0.03, 0.09, 0.06), (0.2, 0.13, 0.055), 0.055, color)),
        both_sides(
            capsule((0.02, 0.12, 0.25), (rng.uniform(0.03, 0.12), 0.2, rng.uniform(0.12, 0.34)), 0.042, color)
        ),
    )
    pads = both_sides(sphere((0.012, 0.04, 0.04), (0.248, 0.135, 0.055), pale, 10))
    face = [
        sphere((0.055, 0.055, 0.045), (0.1, 0, 0.365), pale),
        sphere(0.014, (0.15, 0, 0.38), dark(rng), 8),
        both_sides(sphere(0.013, (0.105, 0.045, 0.43), dark(rng), 8)),
    ]
    bow = [both_sides(sphere((0.015, 0.04, 0.025), (0.12, 0.035, 0.28), bright(rng), 8))] if maybe(rng) else []
    return [
        sphere((0.12, 0.13, 0.16), (0, 0, 0.16), color),
        sphere((0.115, 0.12, 0.11), (0, 0, 0.39), color),
        both_sides(ear),
        leg,
        arm,
        pads,
        *face,
        *bow,
    ], ["toy rabbit" if bunny else "stuffed bear", "soft toy", "plush toy"]


def snowman(rng: Rng) -> Drawn:
    """Snowmen: two or three balls, carrot nose, hat, stick arms, scarf, broom."""
    snow, n = near(rng, (0.95, 0.96, 0.98), 0.02), pick(rng, 2, 3, 3)
    sizes = [0.42, 0.3, 0.22] if n == 3 else [0.42, 0.28]
    z, parts, centres = 0.0, [], []
    for r in sizes:
        z += r * 0.9
        centres.append(z)
        parts.append(sphere(r * rng.uniform(0.95, 1.05), (0, 0, z), snow, 18))
        z += r * 0.75
    head, r = centres[-1], sizes[-1]
    parts += [
        rod((r * 0.9, 0, head), (r + 0.2, 0, head - 0.01), 0.04, (0.92, 0.48, 0.1), 0.005),
        both_sides(sphere(0.025, (r * 0.9, 0.08, head + 0.08), dark(rng), 8)),
        copies(
            sphere(0.025, color=dark(rng), sides=8),
            [(sizes[-2] * 0.98, 0, centres[-2] + v) for v in (-0.1, 0.03, 0.14)],
        ),
    ]
    parts += [
        rod(
            (0, s * sizes[-2] * 0.9, centres[-2] + 0.05),
            (0.05, s * (sizes[-2] + 0.45), centres[-2] + rng.uniform(-0.1, 0.4)),
            0.018,
            (0.35, 0.22, 0.12),
            0.01,
        )
        for s in (-1, 1)
    ]
    if maybe(rng, 0.75):
        parts += [
            cylinder(r * 1.05, 0.02, (0, 0, head + r * 0.7), dark(rng)),
            cylinder(r * 0.7, 0.25, (0, 0, head + r * 0.7), dark(rng)),
        ]
    if maybe(rng, 0.5):
        parts.append(torus(r * 0.85, 0.05, (0, 0, head - r * 0.85), bright(rng)))
    return parts, ["snow man"]


def barrel(rng: Rng) -> Drawn:
    """Barrels: wooden with hoops, steel drums; standing or lying."""
    r, h, wooden = rng.uniform(0.25, 0.34), rng.uniform(0.7, 1.0), maybe(rng, 0.7)
    if wooden:
        t = np.linspace(0, 1, 9)
        bulge = r * (0.8 + 0.2 * np.sin(np.pi * t))
        parts = [
            lathe(np.column_stack([bulge, h * t]), color=wood(rng), sides=20),
            *(
                torus(float(np.interp(v, t, bulge)), 0.014, (0, 0, h * v), dark(rng), 24)
                for v in (0.04, 0.28, 0.72, 0.96)
            ),
        ]
        if maybe(rng, 0.3):
            parts.append(rod((r * 0.9, 0, 0.15), (r + 0.14, 0, 0.15), 0.02, metal(rng)))
    else:
        parts = [
            cylinder(r, h, color=bright(rng), sides=24),
            *(torus(r, 0.015, (0, 0, h * v), steel(rng), 24) for v in (0.0, 0.33, 0.67, 1.0)),
        ]
    return [rotate(merge(parts), "y", pick(rng, 0.0, 0.0, 0.0, 90.0))], [
        "wooden barrel" if wooden else "oil drum",
        "cask" if wooden else "steel barrel",
    ]


def gift(rng: Rng) -> Drawn:
    """Gifts: a box, a crossed ribbon, a bow; round boxes too."""
    color, band = bright(rng), bright(rng)
    d, w, h = rng.uniform(0.1, 0.3), rng.uniform(0.1, 0.3), rng.uniform(0.06, 0.25)
    loop = tube(
        [(0, 0, 0), (0.02, 0.03, 0.05), (0.0, 0.08, 0.06), (-0.02, 0.06, 0.02), (0, 0, 0)],
        0.012,
        band,
        6,
        section=(1.6, 0.4),
    )
    bow = move(ring(loop, pick(rng, 2, 4, 6), start=45), (0, 0, h * 1.02))
    if maybe(rng, 0.25):
        return [
            cylinder(d / 2, h, color=color, sides=24),
            cylinder(d / 2 * 1.06, h * 0.25, (0, 0, h * 0.77), near(rng, color), sides=24),
            box((d * 1.08, 0.02, h * 1.03), color=band),
            bow,
        ], ["gift box", "present"]
    lid = [box((d * 1.06, w * 1.06, h * 0.22), (0, 0, h * 0.8), near(rng, color))] if maybe(rng) else []
    return [
        box((d, w, h), color=color),
        *lid,
        box((d * 1.08, w * 0.12, h * 1.03), color=band),
        box((d * 0.12, w * 1.08, h * 1.03), color=band),
        bow,
    ], ["wrapped gift", "present", "gift box"]


def robot(rng: Rng) -> Drawn:
    """Robots: boxy limbs, antennae, buttons."""
    color, trim = pick(rng, steel(rng), bright(rng)), bright(rng)
    w, h = rng.uniform(0.2, 0.32), rng.uniform(0.26, 0.4)
    legs = both_sides(
        merge(
            [
                cylinder(0.035, 0.25, (0, w * 0.28, 0.04), near(rng, color)),
                box((0.14, 0.1, 0.05), (0.02, w * 0.28, 0), trim, 0.01),
            ]
        )
    )
    z = 0.29
    swing = rng.uniform(-60, 20)
    arm = rotate(
        merge(
            [
                capsule((0, w / 2 + 0.05, z + h * 0.85), (0, w / 2 + 0.07, z + h * 0.3), 0.03, near(rng, color)),
                box((0.06, 0.05, 0.06), (0, w / 2 + 0.07, z + h * 0.15), trim, 0.01),
            ]
        ),
        "y",
        swing,
        (0, 0, z + h * 0.85),
    )
    head = pick(
        rng,
        box((0.15, 0.18, 0.14), (0, 0, z + h + 0.03), color, 0.01),
        dome((0.1, 0.1, 0.13), (0, 0, z + h + 0.02), color),
        cylinder(0.09, 0.14, (0, 0, z + h + 0.03), color),
    )
    eyes = both_sides(sphere(0.022, (0.085, 0.04, z + h + 0.11), (0.95, 0.85, 0.3), 8))
    aerial = [
        rod((0, 0, z + h + 0.15), (0, 0, z + h + 0.27), 0.006, steel(rng)),
        sphere(0.016, (0, 0, z + h + 0.28), trim, 8),
    ]
    chest = copies(
        box((0.01, 0.03, 0.03), color=trim),
        [(0.083, y, z + h * v) for y in (-0.05, 0.0, 0.05) for v in (0.35, 0.6)],
    )
    return [
        box((0.16, w, h), (0, 0, z), color, 0.015),
        legs,
        arm,
        mirror(rotate(arm, "y", rng.uniform(-40, 40), (0, 0, z + h * 0.85))),
        head,
        eyes,
        *aerial,
        chest,
        cylinder(0.03, 0.05, (0, 0, z + h - 0.01), dark(rng)),
    ], ["toy robot", "humanoid robot"]

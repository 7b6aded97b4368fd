"""Tools, weapons and hardware; most lie along x."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, maybe, near, pick, steel, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, mirror, move, rotate, scale, taper, upright
from clip3d.simulation.running_gear import side_profile
from clip3d.simulation.shapes import Color, beam, box, cylinder, extrude, lathe, rod, torus, tube


def _grip(rng: Rng) -> Color:
    return pick(rng, wood(rng), dark(rng), bright(rng))


def hammer(rng: Rng) -> Drawn:
    """Hammers: claw, sledge, mallet, ball; lying or standing on the head."""
    kind, long, color = (
        pick(rng, "claw hammer", "claw hammer", "sledgehammer", "wooden mallet"),
        rng.uniform(0.26, 0.36),
        dark(rng),
    )
    shaft = scale(rod((0, 0, 0), (0, 0, long), 0.014, _grip(rng), 0.011), (1.3, 1, 1))
    top = long
    if kind == "wooden mallet":
        head = [box((0.14, 0.07, 0.09), (0, 0, top - 0.04), wood(rng), 0.008)]
    elif kind == "sledgehammer":
        head = [box((0.16, 0.055, 0.055), (0, 0, top - 0.03), color, 0.008)]
    else:
        face = rod((0, 0, top), (0.055, 0, top), 0.012, color, 0.013)
        claw = both_sides(
            tube([(0, 0.006, top), (-0.04, 0.01, top), (-0.08, 0.014, top - 0.03)], (0.011, 0.009, 0.003), color, 6)
        )
        head = [face, rod((0.05, 0, top), (0.07, 0, top), 0.018, color), claw]
    return [rotate(merge([shaft, *head]), "y", pick(rng, 0.0, 90.0, -90.0))], [kind, "hand tool"]


def screwdriver(rng: Rng) -> Drawn:
    """Screwdrivers: ribbed handle, thin shaft, flat or pointed tip."""
    long, r = rng.uniform(0.07, 0.18), rng.uniform(0.012, 0.018)
    handle = lathe(
        [(r * 0.6, 0), (r, 0.015), (r, 0.07), (r * 0.65, 0.085), (r * 0.8, 0.1)], color=bright(rng), sides=8
    )
    tip = (
        box((0.009, 0.0015, 0.012), (0, 0, 0.1 + long), steel(rng))
        if maybe(rng)
        else cylinder(0.0035, 0.008, (0, 0, 0.1 + long), steel(rng), 0.0005)
    )
    return [
        rotate(
            merge([handle, cylinder(0.0035, long, (0, 0, 0.1), steel(rng), sides=8), tip]),
            "y",
            pick(rng, 0.0, 90.0),
        )
    ], ["hand tool"]


def wrench(rng: Rng) -> Drawn:
    """Wrenches: open jaws, rings, adjustable ones."""
    long, color, t = rng.uniform(0.15, 0.25), steel(rng), np.radians(np.linspace(35, 325, 13))
    jaw = extrude(
        np.concatenate(
            [
                np.column_stack([0.026 * np.cos(t), 0.026 * np.sin(t)]),
                [(0.012, -0.011), (-0.006, -0.011), (-0.006, 0.011), (0.012, 0.011)],
            ]
        ),
        0.009,
        color=color,
    )
    other = (
        move(scale(torus(0.015, 0.007, color=color), (1, 1, 0.7)), (-long, 0, 0.0045))
        if maybe(rng)
        else move(rotate(jaw, "z", 180), (-long, 0, 0))
    )
    return [jaw, box((long - 0.02, 0.018, 0.007), (-long / 2, 0, 0.001), color, 0.002), other], [
        "spanner",
        "hand tool",
    ]


def pliers(rng: Rng) -> Drawn:
    """Pliers and pincers."""
    color, gape = _grip(rng), rng.uniform(4, 16)
    half = merge(
        [
            rod((0.0, 0, 0), (0.055, -0.004, 0), 0.009, steel(rng), 0.004),
            tube([(0, 0, 0), (-0.04, 0.018, 0), (-0.12, 0.016, 0)], (0.008, 0.009, 0.008), color),
        ]
    )
    half = rotate(half, "z", -gape)
    return [half, mirror(half), cylinder(0.011, 0.018, (0, 0, -0.009), steel(rng))], ["pair of pliers", "hand tool"]


def saw(rng: Rng) -> Drawn:
    """Saws: hand saws with teeth and a grip, hacksaws in a bow."""
    long, color = rng.uniform(0.35, 0.5), _grip(rng)
    if maybe(rng, 0.4):
        bow = tube([(0, 0, 0), (0, 0, 0.1), (long, 0, 0.1), (long, 0, 0)], 0.006, bright(rng))
        return [
            bow,
            box((long, 0.002, 0.016), (long / 2, 0, -0.006), steel(rng)),
            tube([(0, 0, 0.09), (-0.05, 0, 0.08), (-0.06, 0, -0.01), (0, 0, 0.0)], 0.014, color),
        ], ["hacksaw", "hand tool"]
    x = np.linspace(0, long, 25)
    teeth = np.column_stack([x, -0.01 * (np.arange(25) % 2)])
    blade = [*map(tuple, teeth.tolist()), (long, 0.035), (0.0, 0.11)]
    loop = tube(
        [(0.01, 0, 0.015), (-0.09, 0, 0.0), (-0.1, 0, 0.09), (0.0, 0, 0.105)],
        0.014,
        color,
        closed=True,
        section=(0.8, 1.3),
    )
    return [side_profile(blade, 0.003, steel(rng)), loop], ["hand saw", "hand tool"]


def axe(rng: Rng) -> Drawn:
    """Axes: hatchets, felling and double-bladed axes."""
    long, edge = rng.uniform(0.4, 0.85), rng.uniform(0.05, 0.09)
    shaft = tube(
        [(0, 0, 0), (0.015, 0, long * 0.3), (0, 0, long * 0.7), (0, 0, long)],
        (0.019, 0.014, 0.015, 0.016),
        _grip(rng),
        section=(0.75, 1.1),
    )
    z = long - 0.06
    blade = side_profile(
        [
            (-0.03, z - 0.03),
            (-0.03, z + 0.03),
            (0.03, z + 0.03),
            (0.13, z + edge),
            (0.145, z),
            (0.13, z - edge),
            (0.03, z - 0.03),
        ],
        0.022,
        steel(rng),
    )
    parts = [shaft, blade]
    if maybe(rng, 0.25):
        parts.append(mirror(blade, "x"))
    return [rotate(merge(parts), "y", pick(rng, 0.0, 90.0, 180.0))], [
        "double-bladed axe" if len(parts) > 2 else "hatchet",
        "hand tool",
    ]


def shovel(rng: Rng) -> Drawn:
    """Spades, shovels, rakes, brooms, pitchforks, hoes: a long shaft with different heads."""
    return _garden(rng, pick(rng, "shovel", "spade"))


def rake(rng: Rng) -> Drawn:
    """Rakes and garden forks."""
    return _garden(rng, pick(rng, "rake", "rake", "pitchfork"))


def broom(rng: Rng) -> Drawn:
    """Brooms, besoms and brushes on a stick."""
    return _garden(rng, pick(rng, "push broom", "besom", "straw broom"))


def _garden(rng: Rng, kind: str) -> Drawn:
    long, color = rng.uniform(0.9, 1.4), steel(rng)
    parts = [rod((0, 0, 0), (0, 0, long), 0.016, wood(rng))]
    if kind in ("shovel", "spade") and maybe(rng, 0.6):
        parts.append(
            tube(
                [
                    (0, 0, long),
                    (0, 0.05, long + 0.05),
                    (0, 0.05, long + 0.1),
                    (0, -0.05, long + 0.1),
                    (0, -0.05, long + 0.05),
                ],
                0.014,
                wood(rng),
                closed=True,
            )
        )
    if kind in ("shovel", "spade"):
        w = rng.uniform(0.09, 0.13)
        outline = [
            (0.03, 0.05),
            (w, 0.0),
            (w, -0.18),
            (0.0, -0.32) if kind == "shovel" else (w, -0.27),
            (-w, -0.18) if kind == "shovel" else (-w, -0.27),
            (-w, 0.0),
            (-0.03, 0.05),
        ]
        blade = rotate(upright(extrude(outline, 0.006, color=color)), "z", 90)
        curve = 3.5 * blade.vertices[:, 1] ** 2
        parts.append(Mesh(blade.vertices + np.outer(curve, [1, 0, 0]), blade.faces, face_colors=blade.face_colors))
    elif kind == "rake":
        parts += [
            box((0.03, 0.4, 0.025), (0, 0, -0.02), color),
            copies(
                rod((0, 0, 0), (0.07, 0, -0.04), 0.006, color, 0.003),
                [(0, y, -0.01) for y in np.linspace(-0.19, 0.19, count(rng, 8, 14))],
            ),
        ]
    elif kind == "pitchfork":
        parts += [
            tube([(0, s * 0.02, 0), (0, s * w, -0.06), (0.03, s * w, -0.32)], (0.01, 0.009, 0.003), color)
            for s in (-1, 1)
            for w in (0.03, 0.1)
        ]
    elif kind == "push broom":
        parts += [
            box((0.06, 0.4, 0.04), (0, 0, -0.03), wood(rng)),
            taper(rotate(box((0.09, 0.42, 0.09), color=bright(rng)), "x", 180), 0.6),
        ]
        parts[-1] = move(parts[-1], (0, 0, -0.03))
    else:
        straw = near(rng, (0.75, 0.6, 0.3))
        parts.append(
            cylinder(0.13, 0.34, (0, 0, -0.32), straw, 0.03)
            if kind == "besom"
            else scale(cylinder(0.16, 0.34, (0, 0, -0.32), straw, 0.05, 8), (0.35, 1, 1))
        )
    return parts, [kind, "garden tool" if "broom" not in kind and kind != "besom" else "cleaning tool"]


def drill(rng: Rng) -> Drawn:
    """Power drills: body, pistol grip, battery, chuck and bit."""
    color = bright(rng)
    grip = rotate(box((0.045, 0.035, 0.12), (0, 0, -0.12), dark(rng), 0.01), "y", rng.uniform(-4, 15))
    parts = [
        rod((-0.08, 0, 0.03), (0.08, 0, 0.03), 0.032, color),
        rod((0.08, 0, 0.03), (0.13, 0, 0.03), 0.02, dark(rng), 0.012),
        rod((0.13, 0, 0.03), (0.13 + rng.uniform(0.05, 0.12), 0, 0.03), 0.004, steel(rng)),
        grip,
        box((0.012, 0.012, 0.03), (0.03, 0, -0.03), dark(rng)),
    ]
    return parts + ([box((0.1, 0.06, 0.05), (0.01, 0, -0.17), dark(rng), 0.008)] if maybe(rng, 0.7) else []), [
        "power drill",
        "cordless drill",
    ]


def scissors(rng: Rng) -> Drawn:
    """Scissors: open or shut, round or long finger loops."""
    color, gape, long = bright(rng), rng.uniform(2, 28), rng.uniform(0.08, 0.13)
    blade = extrude(
        [(-0.015, 0.006), (0.0, -0.008), (long, 0.004), (long * 0.7, 0.009), (0, 0.009)], 0.0025, color=steel(rng)
    )
    loop = move(scale(torus(0.019, 0.0055, color=color), (rng.uniform(1.0, 1.6), 1, 0.8)), (-0.068, -0.02, 0.001))
    half = merge([blade, loop, rod((-0.01, 0, 0.001), (-0.045, -0.01, 0.001), 0.006, color)])
    return [
        rotate(half, "z", gape),
        move(mirror(rotate(half, "z", gape)), (0, 0, 0.003)),
        cylinder(0.004, 0.009, (0, 0, -0.001), steel(rng)),
    ], ["pair of scissors"]


def ladder(rng: Rng) -> Drawn:
    """Ladders: leaning ones, stepladders, rope ladders."""
    color, n, w = pick(rng, wood(rng), steel(rng), bright(rng)), count(rng, 4, 11), rng.uniform(0.32, 0.48)
    h = 0.28 * (n + 1)
    z = np.arange(1, n + 1) * 0.28
    if maybe(rng, 0.5):
        flight = merge(
            [
                both_sides(beam((0, w / 2, 0), (0, w / 2, h), 0.03, 0.05, color)),
                copies(rod((0, -w / 2, 0), (0, w / 2, 0), 0.015, color), [(0, 0, v) for v in z]),
            ]
        )
        return [rotate(flight, "y", -rng.uniform(0, 25))], ["leaning ladder"]
    n = min(n, 7)
    h, spread = 0.26 * (n + 0.5), 0.1 * n
    front = [
        both_sides(beam((spread, w / 2, 0), (0, w / 2 * 0.8, h), 0.03, 0.05, color)),
        *(box((0.1, w * 0.9, 0.025), (spread * (1 - i / n), 0, 0.26 * i), color) for i in range(1, n + 1)),
    ]
    back = [
        both_sides(rod((-spread, w / 2, 0), (0, w / 2 * 0.8, h), 0.014, color)),
        rod((-spread * 0.6, -w / 2, h * 0.4), (-spread * 0.6, w / 2, h * 0.4), 0.012, color),
    ]
    return [*front, *back, box((0.2, w * 0.85, 0.03), (0, 0, h), color)], ["stepladder", "step ladder"]

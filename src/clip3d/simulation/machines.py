"""Forklifts, bulldozers, cranes, caravans, carriages and kick scooters."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate
from clip3d.simulation.running_gear import side_profile, spoked, wheels
from clip3d.simulation.shapes import beam, box, cylinder, extrude, rod

YELLOW = (0.92, 0.68, 0.12)


def forklift(rng: Rng) -> Drawn:
    """Forklifts: a mast with forks, a seat under a guard, a heavy tail; some carry a crate."""
    color, frame = near(rng, pick(rng, YELLOW, (0.85, 0.4, 0.1), (0.75, 0.12, 0.1))), dark(rng)
    high, lift = rng.uniform(2.0, 2.6), rng.uniform(0.08, 1.0)
    parts = [
        side_profile([(-1.0, 0.25), (0.75, 0.25), (0.75, 0.6), (-0.2, 0.7), (-0.3, 1.0), (-1.0, 0.95)], 1.0, color)
    ]
    parts += [wheels(0.28, 0.2, [0.5], 1.0), wheels(0.24, 0.2, [-0.7], 0.9)]
    parts.append(
        both_sides(
            merge(
                [
                    rod((0.55, 0.45, 0.6), (0.35, 0.42, 2.0), 0.03, frame),
                    rod((-0.75, 0.45, 0.95), (-0.6, 0.42, 2.0), 0.03, frame),
                ]
            )
        )
    )
    parts += [
        box((1.1, 0.9, 0.06), (-0.1, 0, 2.0), frame),
        box((0.45, 0.5, 0.12), (-0.15, 0, 0.72), frame),
        box((0.1, 0.5, 0.4), (-0.38, 0, 0.8), frame),
    ]
    parts.append(both_sides(box((0.08, 0.09, high), (0.88, 0.28, 0.1), frame)))
    parts += [
        box((0.06, 0.64, 0.08), (0.88, 0, high), frame),
        both_sides(box((1.0, 0.11, 0.04), (1.45, 0.22, lift), frame)),
        box((0.05, 0.8, 0.4), (0.95, 0, lift), frame),
    ]
    if maybe(rng, 0.4):
        parts.append(box((0.8, 0.8, 0.7), (1.45, 0, lift + 0.04), wood(rng)))
    return parts, ["fork lift truck", "industrial vehicle"]


def bulldozer(rng: Rng) -> Drawn:
    """Bulldozers on tracks and wheel loaders with a bucket."""
    color, black = near(rng, YELLOW), dark(rng)
    t = np.linspace(0, np.pi, 7)
    blade_ = [(0.35 * np.sin(v) * -0.4, 0.9 * i / 6) for i, v in enumerate(t)]
    if maybe(rng, 0.6):
        oval = np.concatenate(
            [
                np.column_stack([1.0 + 0.4 * np.sin(t), 0.4 - 0.4 * np.cos(t)]),
                np.column_stack([-1.0 - 0.4 * np.sin(t), 0.4 + 0.4 * np.cos(t)]),
            ]
        )
        track = side_profile([(float(a), float(b)) for a, b in oval], 0.4, black)
        parts = [
            copies(track, [(0, s * 0.75, 0) for s in (-1, 1)]),
            box((2.2, 1.1, 0.7), (0.1, 0, 0.45), color, 0.05),
            box((0.9, 1.1, 1.2), (-0.6, 0, 1.1), near(rng, (0.25, 0.3, 0.35)), 0.03),
            box((1.0, 1.2, 0.08), (-0.6, 0, 2.3), color),
            cylinder(0.06, 0.6, (0.6, 0, 1.15), black),
        ]
        outline = blade_ + [(a - 0.08, b) for a, b in blade_[::-1]]
        parts += [
            move(side_profile(outline, 2.3, color), (1.9, 0, rng.uniform(0.05, 0.3))),
            both_sides(beam((0.2, 1.0, 0.45), (1.85, 1.0, 0.4), 0.12, 0.15, color)),
        ]
        return parts, ["bulldozer", "construction machine", "crawler"]
    rise = rng.uniform(0.3, 1.6)
    parts = [
        wheels(0.6, 0.45, [0.9, -0.9], 1.5),
        box((1.3, 1.1, 0.9), (-1.0, 0, 0.7), color, 0.06),
        box((0.9, 1.1, 1.4), (-0.1, 0, 0.9), near(rng, (0.3, 0.35, 0.4))),
        box((1.0, 1.2, 0.08), (-0.1, 0, 2.3), color),
        box((1.0, 0.7, 0.5), (0.8, 0, 0.6), color),
    ]
    parts.append(both_sides(beam((0.5, 0.35, 1.2), (2.0, 0.35, rise), 0.12, 0.2, color)))
    scoop = side_profile([(0, 0), (0.9, 0.05), (0.9, 0.1), (0.1, 0.1), (0.1, 0.7), (0.0, 0.7)], 2.0, color)
    return [*parts, move(rotate(scoop, "y", rng.uniform(-25, 10)), (1.95, 0, rise - 0.25))], [
        "wheel loader",
        "front loader",
        "construction machine",
    ]


def crane(rng: Rng) -> Drawn:
    """Cranes: tower cranes of lattice, mobile cranes on a truck."""
    color = near(rng, pick(rng, YELLOW, (0.8, 0.2, 0.12), (0.9, 0.9, 0.88)))
    if maybe(rng, 0.7):
        h, reach, n = rng.uniform(12, 20), rng.uniform(8, 14), count(rng, 7, 11)
        z = np.linspace(0, h, n + 1)
        post = [box((0.14, 0.14, h), (s * 0.6, t * 0.6, 0), color) for s in (-1, 1) for t in (-1, 1)]
        brace = merge(
            [rod((-0.6, 0.6, a), (0.6, 0.6, b), 0.06, color, sides=5) for a, b in np.column_stack([z[:-1], z[1:]])]
        )
        x = np.linspace(-reach * 0.35, reach, 9)
        jib = [
            both_sides(beam((-reach * 0.35, 0.5, h), (reach, 0.5, h), 0.14, 0.14, color)),
            beam((-reach * 0.35, 0, h + 1.0), (reach * 0.97, 0, h + 0.9), 0.14, 0.14, color),
        ]
        jib += [
            both_sides(
                merge(
                    [
                        rod((a, 0.5, h), (b, 0, h + 0.95), 0.06, color, sides=5)
                        for a, b in np.column_stack([x[:-1], x[1:]])
                    ]
                )
            )
        ]
        hook = float(rng.uniform(0.4, 0.9)) * reach
        drop = rng.uniform(0.2, 0.7) * h
        jib += [
            rod((0, 0, h), (0, 0, h + 3), 0.12, color),
            rod((0, 0, h + 3), (reach * 0.8, 0, h + 0.9), 0.04, color),
            rod((0, 0, h + 3), (-reach * 0.33, 0, h + 1), 0.04, color),
        ]
        jib += [
            rod((hook, 0, h), (hook, 0, h - drop), 0.04, dark(rng)),
            box((0.5, 0.5, 0.5), (hook, 0, h - drop - 0.5), dark(rng)),
            box((1.2, 1.2, 1.6), (-reach * 0.32, 0, h - 1.2), (0.6, 0.6, 0.58)),
            box((1.0, 1.0, 1.3), (0.9, 0.9, h - 0.4), white(rng)),
        ]
        return [
            *post,
            ring(brace, 4),
            rotate(merge(jib), "z", rng.uniform(0, 90)),
            box((3, 3, 0.5), color=(0.6, 0.6, 0.58)),
        ], ["tower crane", "construction crane"]
    parts = [
        wheels(0.55, 0.4, [2.6, 1.2, -1.2, -2.6], 2.0),
        box((7.0, 2.2, 0.5), (0, 0, 0.7), dark(rng)),
        box((1.6, 2.2, 1.5), (2.9, 0, 1.2), color, 0.08),
        box((2.2, 1.9, 1.3), (-1.2, 0, 1.2), color, 0.05),
    ]
    a, long = np.radians(rng.uniform(15, 65)), rng.uniform(7, 11)
    tip = (-1.5 + long * np.cos(a), 0, 2.6 + long * np.sin(a))
    half = (-1.5 + long * 0.5 * np.cos(a), 0, 2.6 + long * 0.5 * np.sin(a))
    return [
        *parts,
        beam((-1.5, 0, 2.6), half, 0.6, 0.6, color),
        beam(half, tip, 0.4, 0.4, color),
        rod(tip, (tip[0], 0, max(tip[2] - 3, 1.0)), 0.04, dark(rng)),
        box((0.3, 0.3, 0.4), (tip[0], 0, max(tip[2] - 3.3, 0.8)), dark(rng)),
    ], ["mobile crane", "crane truck"]


def caravan(rng: Rng) -> Drawn:
    """Caravans: a rounded box on two wheels with a drawbar, door and windows."""
    color, long, h = white(rng) if maybe(rng, 0.6) else bright(rng), rng.uniform(3.2, 4.8), rng.uniform(1.7, 2.1)
    r = rng.uniform(0.25, 0.7)
    t = np.linspace(0, np.pi / 2, 5)
    top = [(long / 2 - r + r * np.cos(a), 0.45 + h - r + r * np.sin(a)) for a in t] + [
        (-long / 2 + r - r * np.sin(a), 0.45 + h - r + r * np.cos(a)) for a in t
    ]
    body = side_profile([(-long / 2, 0.45), (long / 2, 0.45), *top], 2.0, color)
    glass = near(rng, (0.2, 0.25, 0.3))
    side = copies(box((0.7, 0.03, 0.5), color=glass), [(x * long, 1.0, 0.45 + h * 0.5) for x in (-0.28, 0.02)])
    door = box((0.6, 0.04, h * 0.8), (long * 0.3, 1.0, 0.5), near(rng, color, 0.1))
    parts = [
        body,
        side,
        move(side, (0, -2.0, 0)),
        door,
        box((long * 0.9, 0.03, 0.12), (0, 1.01, 0.7), bright(rng)),
        wheels(0.33, 0.2, [-0.1] if long < 4 else [-0.4, 0.35], 1.85),
    ]
    bar = both_sides(beam((long / 2 - 0.2, 0.5, 0.45), (long / 2 + 1.1, 0.03, 0.45), 0.08, 0.08, dark(rng)))
    return [*parts, bar, rod((long / 2 + 1.0, 0, 0.02), (long / 2 + 1.0, 0, 0.6), 0.04, steel(rng))], [
        "camping trailer",
        "travel trailer",
        "trailer",
    ]


def carriage(rng: Rng, *kinds: str) -> Drawn:
    """Carts and carriages with spoked wheels: open farm carts, covered wagons, stagecoaches."""
    color, kind, r = wood(rng), pick(rng, *kinds), rng.uniform(0.5, 0.65)
    rim = near(rng, color)
    track = 1.5
    axles = [0.0] if kind == "farm cart" else [-0.9, 0.9]
    parts = [copies(spoked(r, rim, 0.045), [(x, s * track / 2, r) for x in axles for s in (-1, 1)])]
    parts += [rod((x, -track / 2, r), (x, track / 2, r), 0.04, rim) for x in axles]
    long, floor = (1.9 if kind == "farm cart" else 2.9), r + 0.12
    if kind == "stagecoach":
        shade = bright(rng)
        parts += [
            side_profile(
                [
                    (-0.7, floor + 0.15),
                    (0.7, floor + 0.15),
                    (0.95, floor + 0.8),
                    (0.85, floor + 1.5),
                    (-0.85, floor + 1.5),
                    (-0.95, floor + 0.8),
                ],
                1.2,
                shade,
            ),
            box((0.5, 1.0, 0.1), (1.25, 0, floor + 0.7), dark(rng)),
            both_sides(box((0.5, 0.03, 0.5), (0, 0.61, floor + 0.85), near(rng, (0.2, 0.25, 0.3)))),
            box((2.9, 0.3, 0.1), (0, 0, floor), rim),
        ]
    else:
        parts += [
            box((long, 1.15, 0.07), (0, 0, floor), color),
            both_sides(box((long, 0.05, 0.4), (0, 0.57, floor), color)),
            *(box((0.05, 1.15, 0.4), (s * long / 2, 0, floor), color) for s in (-1, 1)),
        ]
    if kind == "covered wagon":
        t = np.linspace(0, np.pi, 9)
        arch = [(0.62 * np.cos(a), floor + 0.4 + 0.95 * np.sin(a)) for a in t]
        cloth = extrude(
            arch + [(0.93 * a, b - 0.04 if b > floor + 0.5 else b) for a, b in arch[::-1]],
            long,
            color=near(rng, (0.9, 0.87, 0.8)),
        )
        parts.append(move(rotate(rotate(cloth, "x", 90), "z", 90), (-long / 2, 0, 0)))
    shaft = both_sides(rod((long * 0.45, 0.35, floor), (long * 0.5 + 1.5, 0.3, 0.7), 0.035, color))
    name = "horse-drawn carriage" if kind == "stagecoach" else "wooden cart"
    return [*parts, shaft], [kind, name, "horse-drawn vehicle"]


def kick_scooter(rng: Rng) -> Drawn:
    """Kick scooters: a deck between two small wheels, a steering column; electric ones with a thick deck."""
    color, h, long = pick(rng, bright(rng), dark(rng), steel(rng)), rng.uniform(0.75, 1.05), rng.uniform(0.55, 0.75)
    r = rng.uniform(0.05, 0.1)
    parts = [
        box((long, 0.14, rng.uniform(0.02, 0.06)), (0, 0, r), color, 0.008),
        wheels(r, 0.035, [-long / 2 - r * 0.6, long / 2 + r * 0.9], 0.0),
    ]
    parts += [
        rod((long / 2 - 0.02, 0, r + 0.02), (long / 2 + r * 0.5, 0, r * 2.5), 0.022, color),
        rod((long / 2 + r * 0.9, 0, r), (long / 2 - 0.06, 0, h), 0.019, color),
        rod((long / 2 - 0.06, -0.22, h), (long / 2 - 0.06, 0.22, h), 0.013, color),
    ]
    parts.append(both_sides(rod((long / 2 - 0.06, 0.12, h), (long / 2 - 0.06, 0.23, h), 0.018, dark(rng))))
    return parts, ["scooter", "push scooter"]

"""Trains, trams and working machines."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, steel
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import both_sides, copies, merge, move, rotate, taper
from clip3d.simulation.running_gear import side_profile, wheels
from clip3d.simulation.shapes import beam, box, cylinder, dome, rod, torus, tube


def train(rng: Rng) -> Drawn:
    """Trains: steam locomotives, diesel locomotives, high-speed trains, wagons behind."""
    color, kind = bright(rng), pick(rng, "steam locomotive", "diesel locomotive", "high-speed train")
    if kind == "steam locomotive":
        black = near(rng, pick(rng, dark(rng), color), 0.03)
        parts = [
            rod((-1.6, 0, 1.5), (2.2, 0, 1.5), 0.62, black, sides=18),
            cylinder(0.16, 0.8, (1.8, 0, 2.0), black, 0.24),
            dome(0.3, (0.6, 0, 2.05), metal(rng)),
            dome(0.25, (-0.4, 0, 2.05), metal(rng)),
        ]
        parts += [
            box((1.5, 1.8, 1.7), (-2.3, 0, 0.9), color),
            box((1.8, 2.1, 0.1), (-2.3, 0, 2.6), black),
            box((5.5, 1.3, 0.3), (-0.4, 0, 0.7), (0.5, 0.1, 0.1)),
            side_profile([(2.2, 0.15), (2.9, 0.15), (2.2, 0.8)], 1.5, (0.5, 0.1, 0.1)),
        ]
        parts += [
            wheels(0.55, 0.14, [-1.5, -0.3, 0.9], 1.3, (0.6, 0.1, 0.1)),
            wheels(0.3, 0.14, [1.9, 2.4], 1.3),
            both_sides(rod((-1.5, 0.75, 0.5), (0.9, 0.75, 0.5), 0.05, steel(rng))),
        ]
        if maybe(rng, 0.5):
            parts += [box((2.0, 1.7, 1.2), (-4.3, 0, 0.8), black), wheels(0.35, 0.14, [-3.8, -4.8], 1.3)]
        return parts, [kind, "steam train", "locomotive"]
    n, long = count(rng, 1, 3), rng.uniform(5, 7)
    slope = 0.6 if kind == "diesel locomotive" else 2.2
    outline = [(-long / 2, 0.6), (long / 2, 0.6), (long / 2, 1.3), (long / 2 - slope, 2.9), (-long / 2, 2.9)]
    window = (0.15, 0.18, 0.22)
    coach = [
        box((long * 0.98, 2.2, 2.3), (0, 0, 0.6), color, 0.1),
        both_sides(
            copies(box((0.7, 0.03, 0.6), color=window), [(v, 1.1, 1.8) for v in np.linspace(-0.4, 0.4, 6) * long])
        ),
    ]
    bogies = wheels(0.4, 0.14, [-long * 0.38, -long * 0.25, long * 0.25, long * 0.38], 1.6)
    head = [
        side_profile(outline, 2.2, color),
        beam((long / 2 - slope * 0.35, 0, 1.95), (long / 2 - slope * 0.9, 0, 2.75), 1.8, 0.08, window),
    ]
    parts = [*head, bogies, both_sides(box((long * 0.6, 0.03, 0.5), (-0.5, 1.1, 1.8), window))]
    parts += [move(merge([*coach, bogies]), (-long * i, 0, 0)) for i in range(1, n)]
    return parts, [kind, "locomotive" if n == 1 else "passenger train"]


def tram(rng: Rng) -> Drawn:
    """Trams: one or two cars, with a current collector on the roof."""
    color, long, n = bright(rng), rng.uniform(6, 9), count(rng, 1, 2)
    car_ = [
        box((long, 2.2, 2.6), (0, 0, 0.4), color, 0.2),
        both_sides(
            copies(
                box((long / 8, 0.03, 1.0), color=(0.16, 0.2, 0.24)),
                [(v, 1.1, 1.6) for v in np.linspace(-0.4, 0.4, 6) * long],
            )
        ),
        wheels(0.33, 0.14, [-long * 0.25, -long * 0.12, long * 0.12, long * 0.25], 1.4),
    ]
    mast = tube([(-0.6, 0, 3.0), (0.3, 0, 3.6), (-0.4, 0, 4.2)], 0.05, dark(rng))
    return [
        *(move(merge(car_), (-i * (long + 0.3), 0, 0)) for i in range(n)),
        mast,
        box((0.08, 1.4, 0.06), (-0.4, 0, 4.2), dark(rng)),
    ], ["streetcar", "tramway car"]


def tractor(rng: Rng) -> Drawn:
    """Tractors: great wheels behind, small ones before, a bonnet, a chimney, a cab or a bare seat."""
    color, big, small = bright(rng), rng.uniform(0.65, 0.85), rng.uniform(0.35, 0.48)
    parts = [
        box((1.6, 0.7, 0.75), (0.75, 0, 0.65), color, 0.06),
        box((1.0, 0.7, 0.4), (-0.5, 0, 0.6), color),
        wheels(big, 0.42, [-0.6], 1.5, (0.9, 0.75, 0.1)),
        wheels(small, 0.25, [1.2], 1.2, (0.9, 0.75, 0.1)),
    ]
    parts += [
        cylinder(0.05, 0.7, (0.8, 0.2, 1.4), dark(rng)),
        both_sides(
            tube(
                [(-1.35, 0.75, big), (-1.1, 0.75, big * 2), (-0.3, 0.75, big * 2.05), (0.05, 0.75, big * 1.5)],
                0.12,
                color,
                6,
                section=(2, 0.4),
            )
        ),
    ]
    if maybe(rng, 0.6):
        parts += [move(m, (-0.5, 0, 0)) for m in four_legs(rng, 1.0, 1.1, 2.4, color, 0.08, "straight")]
        parts += [
            box((1.2, 1.3, 0.1), (-0.5, 0, 2.4), color, 0.03),
            box((0.03, 1.0, 0.9), (0.0, 0, 1.45), (0.6, 0.7, 0.75)),
        ]
    else:
        parts += [
            box((0.45, 0.5, 0.12), (-0.6, 0, 1.15), dark(rng)),
            box((0.1, 0.5, 0.4), (-0.85, 0, 1.2), dark(rng)),
            rotate(move(torus(0.2, 0.02, color=dark(rng)), (0, 0, 1.5)), "y", 25),
        ]
    return parts, ["farm tractor"]


def tank(rng: Rng) -> Drawn:
    """Battle tanks: tracks, hull, turret and gun."""
    color, long = near(rng, pick(rng, (0.3, 0.35, 0.2), (0.6, 0.52, 0.35), (0.4, 0.42, 0.4))), rng.uniform(5, 6.5)
    x = long / 2
    loop = [(-x, 0.5), (-x + 0.5, 0.0), (x - 0.5, 0.0), (x, 0.5), (x - 0.3, 0.95), (-x + 0.3, 0.95)]
    track = move(side_profile(loop, 0.55, dark(rng)), (0, 1.2, 0))
    rollers = copies(
        rotate(cylinder(0.35, 0.1, color=near(rng, color)), "x", -90),
        [(v, 1.45, 0.42) for v in np.linspace(-0.36, 0.36, 5) * long],
    )
    hull = side_profile(
        [(-x * 0.95, 0.5), (x * 0.8, 0.5), (x, 0.8), (x * 0.6, 1.25), (-x * 0.95, 1.25)], 2.0, color
    )
    turret = (
        taper(box((long * 0.4, 1.7, 0.65), (-0.2, 0, 1.25), color, 0.1), rng.uniform(0.6, 0.85))
        if maybe(rng)
        else dome((1.1, 0.95, 0.7), (-0.2, 0, 1.25), color)
    )
    lift = rng.uniform(0, 0.5)
    gun = rod((0.5, 0, 1.55), (x + rng.uniform(0.3, 2.0), 0, 1.55 + lift), 0.09, color)
    hatch = cylinder(0.3, 0.12, (-0.4, 0.35, 1.85), color)
    head = rotate(merge([turret, gun, hatch]), "z", pick(rng, 0.0, 0.0, rng.uniform(-60, 60)))
    return [both_sides(track), both_sides(rollers), hull, head], [
        "military tank",
        "battle tank",
        "armoured vehicle",
    ]


def excavator(rng: Rng) -> Drawn:
    """Excavators: tracks, a turning cab and a jointed arm with a bucket."""
    color = near(rng, (0.92, 0.68, 0.1))
    loop = [(-1.5, 0.35), (-1.2, 0), (1.2, 0), (1.5, 0.35), (1.2, 0.75), (-1.2, 0.75)]
    elbow = (rng.uniform(1.8, 2.6), 0, rng.uniform(3.2, 4.2))
    hand = (rng.uniform(3.4, 4.4), 0, rng.uniform(1.0, 2.4))
    arm = [
        beam((0.8, -0.3, 1.2), (elbow[0], -0.3, elbow[2]), 0.3, 0.4, color),
        beam((elbow[0], -0.3, elbow[2]), (hand[0], -0.3, hand[2]), 0.25, 0.3, color),
    ]
    bucket = move(
        side_profile([(0, 0), (-0.5, -0.2), (-0.7, -0.7), (-0.1, -0.8), (0.2, -0.4)], 0.9, dark(rng)),
        (hand[0], -0.3, hand[2]),
    )
    return [
        both_sides(move(side_profile(loop, 0.5, dark(rng)), (0, 0.9, 0))),
        box((2.6, 2.2, 0.8), (-0.4, 0, 0.85), color, 0.08),
        box((1.2, 0.9, 1.3), (0.4, 0.6, 1.3), (0.25, 0.3, 0.35), 0.05),
        *arm,
        bucket,
    ], ["digger", "construction machine"]

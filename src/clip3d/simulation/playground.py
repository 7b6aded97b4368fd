"""Gardens and playgrounds."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.buildings import gable
from clip3d.simulation.chance import Rng, bright, count, dark, near, pick, steel, stone, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, upright
from clip3d.simulation.running_gear import side_profile
from clip3d.simulation.shapes import box, cylinder, extrude, lathe, ribbon, rod, tube


def fence(rng: Rng) -> Drawn:
    """Fences: pickets, rails, panels, iron bars, wire, a gate in the middle."""
    kind, n, long = (
        pick(rng, "picket fence", "picket fence", "rail fence", "iron fence", "board fence", "wire fence"),
        count(rng, 9, 18),
        rng.uniform(2, 3.5),
    )
    color, h = pick(rng, white(rng), wood(rng)), rng.uniform(0.8, 1.4)
    y = np.linspace(-0.5, 0.5, n) * long
    if kind == "iron fence":
        c = dark(rng)
        bar = merge([cylinder(0.012, h, color=c, sides=6), cylinder(0.025, 0.08, (0, 0, h), c, 0.002, 6)])
        return [
            copies(bar, [(0, v, 0) for v in y]),
            copies(box((0.03, long, 0.03), color=c), [(0, 0, 0.12), (0, 0, h - 0.12)]),
        ], [kind, "metal fence"]
    posts = copies(
        box((0.09, 0.09, h * 1.05), color=color), [(-0.05, v, 0) for v in np.linspace(-0.5, 0.5, 3) * long]
    )
    rails = [(-0.03, 0, z) for z in np.linspace(0.2, 0.85, 2 if kind != "rail fence" else 3) * h]
    if kind == "rail fence":
        return [posts, copies(box((0.04, long * 1.05, 0.12), color=color), rails)], [kind, "wooden fence"]
    if kind == "wire fence":
        wires = [
            rod((0, -long / 2, z), (0, long / 2, z), 0.006, steel(rng), sides=4)
            for z in np.linspace(0.1, 0.95, 6) * h
        ]
        cross = [
            rod((0, v, 0.1 * h), (0, v, 0.95 * h), 0.005, steel(rng), sides=4)
            for v in np.linspace(-0.5, 0.5, 22) * long
        ]
        return [posts, *wires, *cross], [kind]
    w = long / n * (0.65 if kind == "picket fence" else 1.0)
    top = (h + 0.1) if kind == "picket fence" else h
    board = rotate(
        upright(extrude([(-w / 2, 0.05), (w / 2, 0.05), (w / 2, h), (0, top), (-w / 2, h)], 0.025, color=color)),
        "z",
        90,
    )
    return [posts, copies(box((0.03, long, 0.07), color=color), rails), copies(board, [(0, v, 0) for v in y])], [
        kind,
        "wooden fence",
    ]


def fountain(rng: Rng) -> Drawn:
    """Fountains: a basin, tiers of bowls, water."""
    color, n = stone(rng), count(rng, 1, 3)
    parts = [
        lathe([(1.5, 0), (1.5, 0.5), (1.35, 0.5), (1.3, 0.1)], color=color, sides=pick(rng, 8, 24)),
        cylinder(1.34, 0.02, (0, 0, 0.38), (0.4, 0.6, 0.75), sides=24),
    ]
    z = 0.1
    for i in range(n):
        r, h = 0.8 - 0.22 * i, 0.8 - 0.12 * i
        parts.append(
            lathe(
                [
                    (0.15, z),
                    (0.1, z + h * 0.5),
                    (0.12, z + h * 0.8),
                    (r * 0.6, z + h),
                    (r, z + h + 0.15),
                    (r * 0.93, z + h + 0.15),
                    (r * 0.5, z + h + 0.05),
                    (0.05, z + h + 0.05),
                ],
                color=color,
            )
        )
        z += h
    jet = tube(
        [(0.05, 0, z + 0.1), (0.12, 0, z + 0.5), (0.3, 0, z + 0.45), (0.42, 0, z + 0.1)], 0.025, (0.7, 0.82, 0.9)
    )
    return [*parts, ring(jet, 7)], ["water fountain"]


def well(rng: Rng) -> Drawn:
    """Wells: a stone ring, posts, a little roof, a crank with a bucket."""
    stone_, beam_ = stone(rng), wood(rng)
    return [
        lathe([(0.6, 0), (0.6, 0.7), (0.45, 0.7), (0.45, 0)], color=stone_, sides=18),
        both_sides(box((0.09, 0.09, 1.5), (0, 0.52, 0.5), beam_)),
        gable(1.0, 1.1, 0.5, (0, 0, 2.0), near(rng, (0.5, 0.25, 0.18)), 0.15),
        rod((0, -0.6, 1.5), (0, 0.75, 1.5), 0.06, beam_),
        tube([(0, 0.75, 1.5), (0.2, 0.75, 1.5), (0.2, 0.9, 1.5)], 0.02, steel(rng)),
        rod((0, 0, 1.5), (0, 0, 1.0), 0.01, beam_),
        lathe([(0.1, 0.75), (0.13, 1.0)], color=beam_),
    ], ["water well", "stone well"]


def swing(rng: Rng, *kinds: str) -> Drawn:
    """Playgrounds: swings in an A-frame, slides, seesaws."""
    color, kind = bright(rng), pick(rng, *(kinds or ("swing", "playground slide", "seesaw")))
    if kind == "seesaw":
        t = rng.uniform(-14, 14)
        plank = merge(
            [
                box((2.6, 0.25, 0.05), color=color),
                both_sides(
                    tube(
                        [(1.0, -0.12, 0.05), (1.0, -0.12, 0.3), (1.0, 0.12, 0.3), (1.0, 0.12, 0.05)],
                        0.02,
                        steel(rng),
                    ),
                    "x",
                ),
            ]
        )
        return [
            move(rotate(plank, "y", t), (0, 0, 0.5)),
            side_profile([(-0.25, 0), (0.25, 0), (0.0, 0.5)], 0.3, bright(rng)),
        ], [kind, "playground equipment"]
    if kind == "playground slide":
        path = np.array([(-0.6, 0, 1.6), (-0.3, 0, 1.58), (0.9, 0, 0.4), (1.3, 0, 0.22), (1.7, 0, 0.2)])
        rails = both_sides(tube(path + np.array([0, 0.25, 0.08]), 0.035, bright(rng)))
        steps = copies(
            box((0.15, 0.45, 0.03), color=steel(rng)), [(-1.1 + 0.085 * i, 0, 0.28 * i) for i in range(1, 6)]
        )
        return [
            ribbon(path, 0.5, color),
            rails,
            both_sides(rod((-1.15, 0.22, 0), (-0.6, 0.22, 1.9), 0.03, steel(rng))),
            steps,
            both_sides(rod((-0.4, 0.22, 0), (-0.45, 0.22, 1.58), 0.03, steel(rng))),
        ], ["slide", kind, "playground equipment"]
    n = count(rng, 1, 2)
    frame = both_sides(merge([rod((s * 0.7, 1.3, 0), (0, 1.2, 2.1), 0.04, color) for s in (-1, 1)]))
    seat = merge(
        [
            box((0.2, 0.45, 0.03), (0, 0, 0.5), dark(rng)),
            both_sides(rod((0, 0.2, 0.5), (0, 0.2, 2.1), 0.012, steel(rng))),
        ]
    )
    seats = [
        rotate(move(seat, (0, y, 0)), "y", rng.uniform(-25, 25), (0, 0, 2.1))
        for y in ((0.0,) if n == 1 else (-0.6, 0.6))
    ]
    return [frame, rod((0, -1.25, 2.1), (0, 1.25, 2.1), 0.045, color), *seats], [
        "swing set",
        "playground equipment",
    ]

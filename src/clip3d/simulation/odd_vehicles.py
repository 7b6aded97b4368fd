"""Spacecraft and airships, skates, sleds and boards, small carts."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate
from clip3d.simulation.running_gear import side_profile, wheel, wheels
from clip3d.simulation.shapes import box, cylinder, dome, extrude, lathe, rod, sphere, torus, tube


def spacecraft(rng: Rng, *kinds: str) -> Drawn:
    """Space shuttles, satellites with solar wings, flying saucers."""
    kind = pick(rng, *kinds)
    if kind == "satellite":
        gold, n = near(rng, (0.8, 0.65, 0.3)), count(rng, 1, 3)
        wing = merge(
            [
                copies(
                    box((0.7, 0.75, 0.03), color=near(rng, (0.1, 0.15, 0.4))),
                    [(0, 0.9 + 0.8 * i, 0) for i in range(n)],
                ),
                rod((0, 0.3, 0.015), (0, 0.9, 0.015), 0.03, steel(rng)),
            ]
        )
        dish = lathe(
            [(0, 0), (0.25, 0.04), (0.4, 0.14), (0.39, 0.15), (0.24, 0.06), (0, 0.02)], (0, 0, 0.5), white(rng)
        )
        body = (
            box((0.7, 0.7, 1.0), (0, 0, -0.5), gold)
            if maybe(rng)
            else cylinder(0.4, 1.0, (0, 0, -0.5), gold, sides=8)
        )
        return [
            body,
            both_sides(rotate(wing, "y", rng.uniform(-40, 40))),
            dish,
            rod((0, 0, 0.5), (0, 0, 0.85), 0.02, steel(rng)),
            rod((0.2, 0.2, -0.5), (0.5, 0.5, -0.9), 0.015, steel(rng)),
        ], ["space satellite", "communication satellite"]
    if kind == "ufo":
        color, r, n = pick(rng, steel(rng), bright(rng)), rng.uniform(0.9, 1.3), count(rng, 6, 12)
        disc = lathe(
            [(0, 0), (r * 0.45, 0.03), (r, 0.3), (r, 0.36), (r * 0.5, 0.55), (0, 0.6)], color=color, sides=28
        )
        parts = [
            disc,
            dome((r * 0.42, r * 0.42, 0.4), (0, 0, 0.5), near(rng, (0.5, 0.75, 0.85)), 18),
            ring(sphere(0.07, (r * 0.72, 0, 0.47), (0.95, 0.9, 0.4), 8), n),
        ]
        legs = [ring(rod((r * 0.5, 0, 0.1), (r * 0.75, 0, -0.5), 0.04, steel(rng)), 3)] if maybe(rng) else []
        return [*parts, *legs], ["flying saucer", "ufo", "alien spaceship", "spacecraft"]
    color = white(rng)
    body = rotate(
        lathe(
            [(0.0, -0.05), (0.55, 0.0), (0.6, 0.5), (0.6, 3.4), (0.5, 4.1), (0.28, 4.6), (0, 4.8)],
            color=color,
            sides=20,
        ),
        "y",
        90,
    )
    plan = [(-0.1, 0.0), (3.6, 0.0), (2.6, 0.75), (1.4, 1.1), (0.4, 2.1), (-0.1, 2.1)]
    wings = both_sides(extrude(plan, 0.12, (0, 0, -0.45), color))
    fin = side_profile([(-0.1, 0.5), (1.3, 0.5), (0.1, 1.9), (-0.5, 1.9)], 0.14, color)
    jets = copies(
        rotate(lathe([(0.3, -0.45), (0.15, 0.05)], color=dark(rng)), "y", 90),
        [(-0.05, y, z) for y, z in ((0, 0.3), (0.28, -0.1), (-0.28, -0.1))],
    )
    whole = [
        body,
        wings,
        fin,
        jets,
        both_sides(sphere((0.5, 0.16, 0.18), (-0.0, 0.4, 0.45), color)),
        both_sides(box((0.3, 0.02, 0.15), (4.05, 0.38, 0.22), dark(rng))),
    ]
    return [rotate(merge(whole), "y", pick(rng, 0.0, -90.0))], ["space shuttle", "spacecraft", "spaceship"]


def airship(rng: Rng) -> Drawn:
    """Airships: a long hull with fins and a gondola."""
    color, long, r = pick(rng, steel(rng), bright(rng), white(rng)), rng.uniform(4, 6), rng.uniform(0.8, 1.1)
    t = np.linspace(0, np.pi, 11)
    hull = rotate(
        lathe(np.column_stack([r * np.sin(t) ** 0.7, -long / 2 * np.cos(t)]), color=color, sides=24), "y", 90
    )
    fin = side_profile(
        [(-long * 0.48, 0), (-long * 0.3, 0), (-long * 0.38, r * 1.1), (-long * 0.5, r * 1.1)],
        0.08,
        near(rng, color, 0.1),
    )
    return [
        hull,
        ring(fin, 4, "x"),
        box((long * 0.2, r * 0.5, r * 0.35), (long * 0.08, 0, -r * 1.25), near(rng, (0.5, 0.5, 0.5)), 0.05),
        both_sides(move(rotate(cylinder(0.12, 0.3, color=dark(rng)), "y", 90), (0, r * 0.5, -r * 1.1))),
    ], ["blimp", "zeppelin", "aircraft"]


def roller(rng: Rng, *kinds: str) -> Drawn:
    """Roller skates, sledges and snow sledges, skis and snowboards, surfboards."""
    kind, color = pick(rng, *kinds), bright(rng)
    if kind == "roller skate":
        boot = [
            box((0.26, 0.09, 0.07), (0.01, 0, 0.1), color, 0.03),
            cylinder(0.05, 0.13, (-0.07, 0, 0.15), color, 0.055),
            box((0.27, 0.09, 0.015), (0.01, 0, 0.085), dark(rng)),
        ]
        inline = maybe(rng)
        rolls = wheels(
            0.035,
            0.022,
            [-0.1, -0.033, 0.033, 0.1] if inline else [-0.08, 0.08],
            0.0 if inline else 0.07,
            bright(rng),
        )
        return [*boot, rolls, box((0.22, 0.025, 0.05), (0, 0, 0.04), steel(rng))], [
            "inline skate" if inline else "roller skate",
            "skate",
        ]
    if kind == "sled":
        frame = wood(rng)
        runner = tube(
            [(-0.5, 0.17, 0.02), (0.3, 0.17, 0.02), (0.48, 0.17, 0.08), (0.5, 0.17, 0.22), (0.42, 0.17, 0.24)],
            0.018,
            frame,
        )
        slats = copies(
            box((0.8, 0.07, 0.018), color=frame),
            [(-0.05, y, 0.24) for y in np.linspace(-0.15, 0.15, count(rng, 3, 4))],
        )
        posts = both_sides(
            copies(box((0.03, 0.03, 0.22), color=frame), [(x, 0.17, 0.02) for x in (-0.35, 0.0, 0.25)])
        )
        return [both_sides(runner), slats, posts], ["sledge", "wooden sled"]
    t = np.linspace(-1, 1, 17)
    if kind == "skis":
        path = np.column_stack([0.85 * t, 0 * t, 0.16 * np.clip(t - 0.8, 0, 1) ** 2 * 12 + 0.01])
        ski = tube(path, 0.045 - 0.01 * np.cos(t * np.pi / 2), color, 4, section=(1, 0.15), turn=np.pi / 4)
        pair = copies(
            merge([ski, box((0.24, 0.06, 0.04), (-0.05, 0, 0.015), dark(rng), 0.01)]),
            [(0, s * 0.07, 0) for s in (-1, 1)],
        )
        poles = copies(
            merge(
                [rod((-0.6, 0, 0), (0.6, 0, 0), 0.008, steel(rng)), torus(0.04, 0.006, (-0.5, 0, 0), dark(rng), 12)]
            ),
            [(0, s * 0.2, 0.02) for s in (-1, 1)],
        )
        return [rotate(merge([pair, *([poles] if maybe(rng) else [])]), "y", pick(rng, 0, -80))], [
            "pair of skis",
            "ski",
        ]
    long, wide = (0.75, 0.13) if kind == "snowboard" else (rng.uniform(0.9, 1.4), rng.uniform(0.24, 0.29))
    nose = 8 if kind == "snowboard" else 2.5
    outline = np.column_stack([long * t, wide * (1 - np.abs(t) ** nose) ** (0.5 if kind == "snowboard" else 0.75)])
    plate = extrude(
        np.concatenate([outline, outline[-2:0:-1] * [1, -1]]), 0.012 if kind == "snowboard" else 0.05, color=color
    )
    parts = [plate]
    if kind == "snowboard":
        parts += [box((0.1, 0.22, 0.05), (s * 0.2, 0, 0.012), dark(rng), 0.015) for s in (-1, 1)]
    else:
        parts += [
            box((long * 1.9, 0.008, 0.004), (0, 0, 0.05), white(rng)),
            side_profile([(-long * 0.9, 0), (-long * 0.75, 0), (-long * 0.92, -0.2)], 0.012, dark(rng)),
        ]
    return [rotate(merge(parts), "y", pick(rng, 0, -85))], [kind, "board"]


def small_cart(rng: Rng, *kinds: str) -> Drawn:
    """Golf carts and quad bikes, go-karts."""
    kind, color, black = pick(rng, *kinds), bright(rng), dark(rng)
    if kind == "golf cart":
        parts = [
            wheels(0.22, 0.18, [0.8, -0.75], 1.0),
            side_profile(
                [
                    (-1.1, 0.3),
                    (1.1, 0.3),
                    (1.15, 0.75),
                    (0.7, 0.9),
                    (0.5, 0.42),
                    (-0.25, 0.42),
                    (-0.3, 0.75),
                    (-1.1, 0.75),
                ],
                1.1,
                color,
            ),
        ]
        seat = [
            box((0.45, 1.0, 0.12), (-0.45, 0, 0.75), black, 0.03),
            box((0.12, 1.0, 0.4), (-0.7, 0, 0.85), black, 0.03),
        ]
        posts = both_sides(
            merge(
                [
                    rod((0.65, 0.5, 0.9), (0.35, 0.5, 1.85), 0.025, black),
                    rod((-0.95, 0.5, 0.75), (-0.85, 0.5, 1.85), 0.025, black),
                ]
            )
        )
        return [
            *parts,
            *seat,
            posts,
            box((1.5, 1.15, 0.06), (-0.25, 0, 1.85), white(rng), 0.02),
            rotate(torus(0.16, 0.015, (0.25, 0.25, 1.1), black, 16), "y", -20, (0.25, 0.25, 1.1)),
        ], ["golf buggy", kind]
    if kind == "quad bike":
        parts = [
            wheels(0.28, 0.24, [0.6, -0.6], 0.9),
            box((1.1, 0.35, 0.3), (0, 0, 0.35), black),
            box((0.7, 0.32, 0.14), (-0.2, 0, 0.65), black, 0.04),
        ]
        parts += [both_sides(box((0.5, 0.28, 0.04), (x, 0.42, 0.6), color, 0.01)) for x in (0.6, -0.6)]
        return [
            *parts,
            box((0.5, 0.4, 0.25), (0.45, 0, 0.5), color, 0.05),
            rod((0.35, -0.35, 0.95), (0.35, 0.35, 0.95), 0.018, black),
            rod((0.35, 0, 0.95), (0.5, 0, 0.6), 0.025, black),
        ], ["quad bike", "atv", "all-terrain vehicle"]
    parts = [
        copies(wheel(0.13, 0.14), [(x, s * 0.5, 0.13) for x in (0.55, -0.55) for s in (-1, 1)]),
        box((1.2, 0.5, 0.05), (0, 0, 0.08), black),
        box((0.4, 0.4, 0.06), (-0.2, 0, 0.13), black, 0.02),
        box((0.08, 0.4, 0.4), (-0.42, 0, 0.15), black, 0.02),
    ]
    return [
        *parts,
        box((0.4, 0.9, 0.14), (0.65, 0, 0.08), color, 0.05),
        both_sides(box((0.6, 0.12, 0.14), (0, 0.42, 0.08), color, 0.04)),
        torus(0.13, 0.014, (0.18, 0, 0.42), black, 16),
        rod((0.18, 0, 0.42), (0.45, 0, 0.15), 0.014, metal(rng)),
    ], ["go-kart", "kart", "racing kart"]

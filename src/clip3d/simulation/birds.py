"""Birds."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.aircraft import wing
from clip3d.simulation.chance import Rng, bright, maybe, near, pick
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, rotate
from clip3d.simulation.shapes import extrude, lathe, rod, sphere, tube


def bird(rng: Rng) -> Drawn:
    """Birds: standing on thin or long legs, upright like a parrot, or flying with spread wings."""
    color, beak = (
        near(rng, pick(rng, bright(rng), (0.3, 0.25, 0.2), (0.9, 0.9, 0.9), (0.15, 0.15, 0.17))),
        near(rng, (0.9, 0.6, 0.15)),
    )
    kind = pick(rng, "flying bird", "flying bird", "small bird", "stork", "eagle", "parrot", "pigeon")
    flies = kind in ("flying bird", "eagle")
    body = [
        tube(
            [(-0.55, 0, 0), (-0.25, 0, 0), (0.1, 0, 0.02), (0.35, 0, 0.06), (0.45, 0, 0.1)],
            (0.04, 0.17, 0.22, 0.15, 0.09),
            color,
            12,
        ),
        sphere(0.13, (0.5, 0, 0.16), near(rng, color)),
    ]
    long = {"stork": 0.5, "parrot": 0.14}.get(kind, 0.2)
    body += [
        rod((0.6, 0, 0.16), (0.6 + long, 0, 0.12), 0.04, beak, 0.005),
        both_sides(sphere(0.018, (0.57, 0.09, 0.2), (0.05, 0.05, 0.05), 6)),
    ]
    tail = extrude([(-0.45, 0.06), (-0.95, 0.16), (-0.95, -0.16), (-0.45, -0.06)], 0.025, (0, 0, -0.01), color)
    if flies:
        span, raise_ = rng.uniform(0.9, 1.4), rng.uniform(-0.25, 0.6)
        plate = wing(0.5, 0.15, span, rng.uniform(0.1, 0.4), 0.06, color, raise_)
        return [*body, tail, both_sides(move(plate, (0.1, 0.08, 0.08)))], [kind, "bird in flight"]
    lean = {"stork": -25, "parrot": -50, "pigeon": -15}.get(kind, -25)
    folded = both_sides(sphere((0.42, 0.04, 0.15), (-0.15, 0.19, 0.03), near(rng, color)))
    trunk = rotate(merge([body[0], tail, folded]), "y", lean)
    neck = 0.45 if kind == "stork" else 0.06
    top = np.array([0.38, 0, 0.32 - lean * 0.003])
    head = move(merge(body[1:]), np.add(top, (-0.5, 0, neck - 0.1)))
    leg = {"stork": 0.75, "small bird": 0.2}.get(kind, 0.22)
    legs = both_sides(
        merge(
            [
                rod((0, 0.08, -0.1), (0.02, 0.08, -0.2 - leg), 0.016, beak),
                *(
                    rod(
                        (0.02, 0.08, -0.2 - leg),
                        (0.02 + 0.13 * np.cos(a), 0.08 + 0.13 * np.sin(a), -0.21 - leg),
                        0.012,
                        beak,
                    )
                    for a in (-0.5, 0, 0.5, np.pi)
                ),
            ]
        )
    )
    return [
        trunk,
        rod(
            (0.25, 0, 0.12),
            np.add(top, (0.0, 0, neck + 0.05)),
            0.1 if neck < 0.2 else 0.06,
            color,
            0.08 if neck < 0.2 else 0.05,
        ),
        head,
        legs,
    ], [kind, "standing bird"]


def penguin(rng: Rng) -> Drawn:
    """Penguins: upright, white belly, flippers, webbed feet."""
    black, beak = near(rng, (0.1, 0.1, 0.12), 0.02), (0.9, 0.6, 0.15)
    body = lathe(
        [
            (0.05, 0.03),
            (0.16, 0.08),
            (0.2, 0.25),
            (0.17, 0.45),
            (0.1, 0.58),
            (0.09, 0.62),
            (0.11, 0.7),
            (0.07, 0.79),
            (0, 0.81),
        ],
        color=black,
    )
    flap = rng.uniform(8, 55)
    flipper = both_sides(move(rotate(sphere((0.05, 0.02, 0.2), (0, 0, -0.18), black), "x", flap), (0, 0.17, 0.5)))
    feet = both_sides(sphere((0.1, 0.06, 0.025), (0.08, 0.08, 0.025), beak))
    return [
        body,
        sphere((0.13, 0.15, 0.23), (0.085, 0, 0.29), (0.95, 0.95, 0.93)),
        flipper,
        feet,
        rod((0.09, 0, 0.7), (0.22, 0, 0.68), 0.03, beak, 0.005),
        sphere((0.08, 0.08, 0.03), (-0.18, 0, 0.06), black),
    ], ["standing penguin", "sea bird"]


def duck(rng: Rng, *kinds: str) -> Drawn:
    """Ducks, swans and rubber ducks: a boat-shaped body, a neck, a flat bill."""
    kind = pick(rng, *(kinds or ("rubber duck", "duck", "swan")))
    color = {"rubber duck": (0.95, 0.8, 0.1), "swan": (0.95, 0.95, 0.93)}.get(kind, (0.45, 0.35, 0.25))
    neck = 0.42 if kind == "swan" else 0.12
    bill = near(rng, (0.92, 0.5, 0.1))
    body = tube(
        [(-0.48, 0, 0.32), (-0.3, 0, 0.2), (0, 0, 0.15), (0.25, 0, 0.18), (0.34, 0, 0.2)],
        (0.02, 0.15, 0.22, 0.17, 0.1),
        color,
        12,
        section=(1.1, 0.85),
    )
    path = np.array([(0.25, 0, 0.25), (0.36, 0, 0.3 + neck * 0.5), (0.27, 0, 0.34 + neck), (0.33, 0, 0.42 + neck)])
    head = np.array([0.33, 0, 0.42 + neck])
    wings = both_sides(sphere((0.25, 0.06, 0.13), (-0.05, 0.19, 0.22), near(rng, color)))
    legs = (
        [
            both_sides(
                merge(
                    [
                        rod((0.03, 0.08, 0.05), (0.03, 0.08, -0.15), 0.02, bill),
                        sphere((0.09, 0.06, 0.015), (0.07, 0.08, -0.15), bill),
                    ]
                )
            )
        ]
        if kind == "duck"
        else []
    )
    return [
        body,
        tube(path, (0.12, 0.075, 0.06, 0.07), color),
        sphere((0.11, 0.09, 0.09), tuple(head), color if kind != "duck" or maybe(rng) else (0.1, 0.35, 0.2)),
        sphere((0.1, 0.055, 0.022), np.add(head, (0.15, 0, -0.02)), bill),
        wings,
        *legs,
    ], [kind, "water bird"] if kind != "duck" else ["wild duck", "water bird"]


def chicken(rng: Rng) -> Drawn:
    """Hens and roosters: a high tail, comb and wattle."""
    color, red = near(rng, pick(rng, (0.9, 0.88, 0.84), (0.55, 0.28, 0.12), (0.15, 0.12, 0.1))), (0.8, 0.08, 0.08)
    rooster = maybe(rng)
    body = tube(
        [(-0.35, 0, 0.5), (-0.2, 0, 0.38), (0.05, 0, 0.33), (0.25, 0, 0.42), (0.3, 0, 0.6), (0.3, 0, 0.66)],
        (0.06, 0.17, 0.21, 0.16, 0.08, 0.06),
        color,
        12,
    )
    n = 6 if rooster else 3
    plumes = [
        tube(
            [(-0.28, y, 0.45), (-0.42, y * 2, 0.72), (-0.6 - 0.1 * rooster, y * 3, 0.62 + 0.12 * rooster)],
            (0.05, 0.05, 0.01),
            near(rng, (0.12, 0.25, 0.18) if rooster else color),
            6,
            section=(0.4, 1.2),
        )
        for y in np.linspace(-0.06, 0.06, n)
    ]
    comb = copies(sphere((0.03, 0.012, 0.045), color=red, sides=8), [(0.26 + 0.04 * i, 0, 0.77) for i in range(3)])
    legs = both_sides(
        merge(
            [
                rod((0, 0.08, 0.2), (0.02, 0.08, 0.02), 0.016, (0.9, 0.65, 0.2)),
                *(
                    rod(
                        (0.02, 0.08, 0.015),
                        (0.02 + 0.1 * np.cos(a), 0.08 + 0.1 * np.sin(a), 0.01),
                        0.01,
                        (0.9, 0.65, 0.2),
                    )
                    for a in (-0.6, 0, 0.6, np.pi)
                ),
            ]
        )
    )
    return [
        body,
        *plumes,
        sphere(0.08, (0.31, 0, 0.7), color),
        comb,
        rod((0.37, 0, 0.7), (0.46, 0, 0.68), 0.03, (0.9, 0.65, 0.2), 0.004),
        sphere((0.02, 0.02, 0.05), (0.38, 0, 0.62), red, 8),
        both_sides(sphere((0.18, 0.04, 0.1), (0, 0.19, 0.38), near(rng, color))),
        legs,
    ], ["rooster" if rooster else "hen", "poultry"]

"""Fruit and vegetables."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, maybe, near, pick
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, deform, move, ring, rotate
from clip3d.simulation.shapes import Color, cylinder, extrude, lathe, leaf, rod, sphere, tube

GREEN: Color = (0.25, 0.5, 0.18)


def apple(rng: Rng) -> Drawn:
    """Apples: round with hollows, stalk, a leaf; perhaps bitten or halved."""
    color = near(rng, pick(rng, (0.78, 0.12, 0.1), (0.5, 0.7, 0.2), (0.9, 0.7, 0.2)))
    body = lathe(
        np.array(
            [
                (0, 0.008),
                (0.015, 0),
                (0.032, 0.012),
                (0.041, 0.036),
                (0.036, 0.058),
                (0.02, 0.068),
                (0.008, 0.064),
                (0, 0.056),
            ]
        ),
        color=color,
        sides=20,
    )
    parts = [body, tube([(0, 0, 0.056), (0.002, 0, 0.07), (0.008, 0, 0.08)], 0.0018, (0.35, 0.22, 0.12), 5)]
    if maybe(rng, 0.6):
        parts.append(move(leaf(0.03, 0.016, 0.006, GREEN), (0.003, 0, 0.074)))
    return parts, [
        f"{'red' if color[0] > 0.6 and color[1] < 0.35 else 'green' if color[0] < 0.65 else 'yellow'} apple",
        "fruit",
    ]


def banana(rng: Rng) -> Drawn:
    """Bananas: one or a bunch."""
    color, n = near(rng, (0.93, 0.8, 0.2)), pick(rng, 1, 1, 3, 4, 5)
    t = np.linspace(0, 1, 12)
    turn = np.radians(rng.uniform(90, 130)) * (t - 0.5)
    one = tube(
        np.column_stack([0.1 * np.sin(turn), 0 * t, 0.1 - 0.1 * np.cos(turn)]),
        0.018 * np.interp(t, [0, 0.06, 0.2, 0.5, 0.85, 0.95, 1], [0.25, 0.4, 0.85, 1, 0.8, 0.4, 0.3]),
        color,
        6,
    )
    if n == 1:
        return [one], ["fruit", "yellow banana"]
    low = one.vertices[np.argmin(one.vertices[:, 0])]
    return [rotate(move(one, (-low).tolist()), "z", 18 * (i - (n - 1) / 2)) for i in range(n)] + [
        cylinder(0.01, 0.025, (0, 0, -0.01), (0.4, 0.35, 0.15))
    ], ["bunch of bananas", "fruit"]


def pear(rng: Rng) -> Drawn:
    """Pears."""
    s = rng.uniform(0.85, 1.2)
    body = lathe(
        np.array(
            [
                (0, 0.004),
                (0.02, 0),
                (0.037, 0.02),
                (0.038, 0.04),
                (0.025, 0.068),
                (0.016, 0.085 * s),
                (0.008, 0.094 * s),
                (0, 0.095 * s),
            ]
        ),
        color=near(rng, pick(rng, (0.72, 0.75, 0.25), (0.75, 0.6, 0.25))),
        sides=18,
    )
    return [
        body,
        tube([(0, 0, 0.093 * s), (0.003, 0, 0.11 * s)], 0.002, (0.35, 0.22, 0.12), 5),
        *([move(leaf(0.035, 0.018, 0.005, GREEN), (0, 0, 0.1 * s))] if maybe(rng) else []),
    ], ["fruit"]


def orange(rng: Rng, *kinds: str) -> Drawn:
    """Oranges and lemons, cherries and grapes: round fruit."""
    kind = pick(rng, *(kinds or ("orange", "lemon", "cherries", "grapes", "strawberry", "watermelon")))
    if kind == "cherries":
        balls = [sphere(0.012, (0, s * 0.016, 0), (0.7, 0.05, 0.1), 12) for s in (-1, 1)]
        return [
            *balls,
            *(tube([(0, s * 0.016, 0.01), (0, s * 0.01, 0.03), (0, 0, 0.05)], 0.0012, GREEN, 5) for s in (-1, 1)),
            move(leaf(0.03, 0.015, 0.0, GREEN), (0, 0, 0.05)),
        ], ["cherry", kind]
    if kind == "grapes":
        color = near(rng, pick(rng, (0.35, 0.12, 0.35), (0.6, 0.72, 0.3)))
        spots = [
            (r * np.cos(a), r * np.sin(a), -0.013 * i)
            for i, (r, n) in enumerate(((0.018, 5), (0.024, 7), (0.02, 6), (0.015, 4), (0.008, 3), (0.001, 1)))
            for a in np.arange(n) * 2 * np.pi / n + i
        ]
        return [
            copies(sphere(0.0095, color=color, sides=8), spots),
            rod((0, 0, 0), (0, 0, 0.03), 0.002, (0.4, 0.3, 0.15)),
        ], ["bunch of grapes", kind]
    if kind == "strawberry":
        return [
            lathe(
                np.array([(0, 0), (0.01, 0.008), (0.017, 0.025), (0.013, 0.034), (0, 0.035)]),
                color=(0.85, 0.1, 0.12),
            ),
            ring(move(leaf(0.016, 0.008, 0.004, GREEN), (0.002, 0, 0.036)), 6),
        ], [kind, "berry"]
    if kind == "watermelon":
        if maybe(rng):
            return [
                rotate(
                    extrude(
                        [(0.1 * np.cos(a), 0.1 * np.sin(a)) for a in np.linspace(np.pi, 2 * np.pi, 13)],
                        0.03,
                        color=(0.2, 0.5, 0.2),
                    ),
                    "x",
                    90,
                ),
                rotate(
                    extrude(
                        [(0.09 * np.cos(a), 0.09 * np.sin(a)) for a in np.linspace(np.pi, 2 * np.pi, 13)],
                        0.032,
                        (0, 0, -0.001),
                        (0.88, 0.25, 0.25),
                    ),
                    "x",
                    90,
                ),
            ], ["slice of watermelon", kind]
        return [sphere((0.15, 0.12, 0.12), color=(0.18, 0.42, 0.18), sides=20)], [kind, "melon"]
    shape = (0.037, 0.037, 0.036) if kind == "orange" else (0.042, 0.029, 0.029)
    parts = [sphere(shape, color=near(rng, (0.93, 0.55, 0.1) if kind == "orange" else (0.93, 0.85, 0.2)), sides=18)]
    if kind == "lemon":
        parts.append(both_sides(rod((0.036, 0, 0), (0.05, 0, 0), 0.012, (0.93, 0.85, 0.2), 0.003), "x"))
    return parts, [kind]


def carrot(rng: Rng) -> Drawn:
    """Carrots with their leaves."""
    long, r = rng.uniform(0.12, 0.2), rng.uniform(0.014, 0.022)
    root = rotate(
        lathe(
            np.array(
                [
                    (0, 0),
                    (r * 0.15, 0.01),
                    (r * 0.6, long * 0.4),
                    (r * 0.95, long * 0.85),
                    (r * 0.8, long),
                    (0, long),
                ]
            ),
            color=near(rng, (0.92, 0.48, 0.12)),
            sides=14,
        ),
        "y",
        -pick(rng, 0.0, 90.0),
    )
    tip = root.vertices[-1]
    way = tip / max(float(np.linalg.norm(tip)), 1e-9)
    greens = [
        rod(tip.tolist(), (tip + way * 0.09 + rng.normal(0, 0.018, 3)).tolist(), 0.003, near(rng, GREEN), 0.006, 5)
        for _ in range(count(rng, 4, 8))
    ]
    return [root, *greens], ["vegetable"]


def vegetable(rng: Rng, *kinds: str) -> Drawn:
    """Pumpkins, aubergines, peppers, corn cobs, onions."""
    kind = pick(rng, *(kinds or ("pumpkin", "pumpkin", "eggplant", "bell pepper", "corn cob", "onion")))
    t = np.linspace(-1, 1, 9) * np.pi / 2
    if kind in ("pumpkin", "bell pepper"):
        n, r = (10, 0.14) if kind == "pumpkin" else (4, 0.04)
        squash = rng.uniform(0.6, 0.9) if kind == "pumpkin" else 1.3
        body = lathe(
            np.column_stack([r * np.cos(t) ** 0.7, r * squash * (1 + np.sin(t))]),
            color=near(rng, (0.9, 0.48, 0.1)) if kind == "pumpkin" else bright(rng),
            sides=n * 5,
        )
        a = np.arctan2(body.vertices[:, 1], body.vertices[:, 0])
        return [
            deform(body, 1 + 0.09 * np.abs(np.cos(a * n / 2))),
            tube(
                [
                    (0, 0, 2 * r * squash - 0.01),
                    (0, 0, 2 * r * squash + r * 0.2),
                    (r * 0.15, 0, 2 * r * squash + r * 0.35),
                ],
                r * 0.1,
                GREEN,
            ),
        ], [kind]
    if kind == "eggplant":
        return [
            tube(
                [(0, 0, 0), (0.02, 0, 0), (0.07, 0, 0.0), (0.12, 0, 0.01), (0.16, 0, 0.02)],
                (0.012, 0.033, 0.038, 0.027, 0.014),
                (0.25, 0.1, 0.3),
                12,
            ),
            rod((0.15, 0, 0.018), (0.19, 0, 0.03), 0.016, GREEN, 0.005),
        ], [kind, "aubergine"]
    if kind == "corn cob":
        return [
            lathe(
                np.array([(0, 0), (0.018, 0.01), (0.022, 0.06), (0.016, 0.14), (0, 0.16)]),
                color=(0.93, 0.78, 0.25),
                sides=14,
            ),
            ring(rotate(leaf(0.14, 0.05, 0.03, GREEN), "y", -75), 4),
        ], [kind, "maize"]
    return [
        lathe(
            np.array(
                [(0, 0), (0.02, 0.003), (0.036, 0.025), (0.025, 0.05), (0.006, 0.062), (0.004, 0.085), (0, 0.085)]
            ),
            color=near(rng, (0.75, 0.5, 0.25)),
        )
    ], [kind]


def pineapple(rng: Rng) -> Drawn:
    """Pineapples: a scaly barrel under a tuft."""
    r, h = rng.uniform(0.05, 0.065), rng.uniform(0.13, 0.18)
    z = np.linspace(0.02, 0.98, 9)
    rows = [(r * np.sqrt(1 - (2 * v - 1) ** 2 * 0.75), h * v) for v in z]
    scales = [
        ring(
            sphere((0.008, 0.011, 0.011), (q, 0, v), near(rng, (0.75, 0.55, 0.2), 0.04), 6), 11, start=16 * (i % 2)
        )
        for i, (q, v) in enumerate(rows)
    ]
    tuft = [
        ring(rotate(leaf(rng.uniform(0.08, 0.12), 0.024, 0.03, near(rng, GREEN)), "y", -a), 6, start=3 * a)
        for a in (45, 65, 82)
    ]
    return [
        lathe(np.array([(q, v) for q, v in rows]), color=(0.7, 0.5, 0.18)),
        *scales,
        *(move(m, (0, 0, h * 0.95)) for m in tuft),
    ], ["tropical fruit", "fruit"]

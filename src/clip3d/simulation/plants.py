"""Trees, flowers and other plants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, leafy, maybe, near, pick, white
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import copies, deform, merge, move, ring, rotate, scale
from clip3d.simulation.shapes import Color, Vector, box, cylinder, dome, lathe, leaf, rod, sphere, tube

BARK: Color = (0.36, 0.25, 0.16)


def _crown(rng: Rng, middle: tuple[float, float, float], radius: float, color: Color) -> list[Mesh]:
    """A leafy crown of overlapping balls."""
    n = count(rng, 4, 9)
    away = rng.normal(0, 0.45, (n, 3)) * radius * np.array([1, 1, 0.7])
    sizes = rng.uniform(0.4, 0.75, n) * radius
    return [
        sphere(float(r), np.add(middle, shift).tolist(), near(rng, color), 10)
        for r, shift in zip(sizes, away, strict=True)
    ]


def tree(rng: Rng) -> Drawn:
    """Trees: leafy, conifers in tiers or one cone, palms, poplars, bare branches, bonsai-like umbrellas."""
    kind = pick(rng, "deciduous", "deciduous", "conifer", "conifer", "palm", "palm", "bare", "poplar", "umbrella")
    h, green, bark = rng.uniform(3, 8), leafy(rng), near(rng, BARK)
    r = h * rng.uniform(0.02, 0.04)
    if kind == "conifer":
        tiers, wide = pick(rng, 1, 3, 4, 5, 6), h * rng.uniform(0.16, 0.28)
        z = np.linspace(0.15, 0.8, tiers) * h if tiers > 1 else np.array([0.15 * h])
        skirt = h * 0.85 if tiers == 1 else h * 0.9 / tiers
        parts = [cylinder(r, h * 0.3, color=bark)]
        for i, low in enumerate(z):
            parts.append(
                cylinder(
                    wide * (1 - 0.8 * i / max(tiers, 2)), skirt, (0, 0, float(low)), near(rng, green), 0.02, 12
                )
            )
        if maybe(rng, 0.15):
            balls = [
                sphere(
                    h * 0.02,
                    (wide * (1 - z_) * 0.95 * np.cos(a), wide * (1 - z_) * 0.95 * np.sin(a), h * (0.17 + 0.8 * z_)),
                    bright(rng),
                    6,
                )
                for z_, a in zip(rng.uniform(0, 0.8, 14), rng.uniform(0, 6.3, 14), strict=True)
            ]
            return [*parts, *balls, sphere(h * 0.03, (0, 0, h), (0.95, 0.8, 0.2), 6)], ["christmas tree", "conifer"]
        return parts, [pick(rng, "fir tree", "pine tree", "spruce"), "conifer"]
    if kind == "palm":
        lean = rng.uniform(-0.25, 0.25) * h
        t = np.linspace(0, 1, 7)
        trunk = tube(np.column_stack([lean * t**2, 0 * t, h * t]), r * 0.8 * (1.2 - 0.4 * t), bark)
        n = count(rng, 7, 12)
        frond = merge(
            [
                leaf(h * rng.uniform(0.3, 0.4), h * 0.09, h * rng.uniform(0.12, 0.3), near(rng, green)),
                leaf(h * 0.2, h * 0.06, -h * 0.04, near(rng, green)),
            ]
        )
        nuts = (
            [
                sphere(
                    h * 0.025, (lean + h * 0.03 * np.cos(a), h * 0.03 * np.sin(a), h * 0.97), (0.4, 0.28, 0.15), 8
                )
                for a in (0, 2, 4)
            ]
            if maybe(rng)
            else []
        )
        return [trunk, move(ring(frond, n), (lean, 0, h)), *nuts], ["palm tree", "palm"]
    if kind == "bare":
        return _branches(rng, (0.0, 0.0, 0.0), np.array([0.0, 0.0, 1.0]), h * 0.4, r * 1.3, 4, bark), [
            "bare tree",
            "dead tree",
        ]
    if kind == "poplar":
        return [cylinder(r, h * 0.3, color=bark), sphere((h * 0.1, h * 0.1, h * 0.42), (0, 0, h * 0.58), green)], [
            "poplar",
            "cypress tree",
        ]
    split = h * rng.uniform(0.35, 0.5)
    parts = [tube([(0, 0, 0), (0, 0, split * 0.5), (0, 0, split * 1.1)], (r * 1.5, r, r * 0.8), bark)]
    if kind == "umbrella":
        parts += [
            rod((0, 0, split), (h * 0.22 * np.cos(a), h * 0.22 * np.sin(a), h * 0.82), r * 0.5, bark)
            for a in rng.uniform(0, 6.3, 5)
        ]
        return [*parts, sphere((h * 0.45, h * 0.45, h * 0.1), (0, 0, h * 0.87), green)], ["acacia", "umbrella tree"]
    parts += [
        rod((0, 0, split), (h * 0.18 * np.cos(a), h * 0.18 * np.sin(a), h * 0.65), r * 0.6, bark)
        for a in rng.uniform(0, 6.3, 3)
    ]
    parts += _crown(rng, (0, 0, h * 0.72), h * rng.uniform(0.25, 0.36), green)
    if maybe(rng, 0.2):
        spots = rng.normal(0, 1, (14, 3))
        spots *= h * 0.33 / np.linalg.norm(spots, axis=1, keepdims=True)
        return [
            *parts,
            copies(sphere(h * 0.025, color=bright(rng), sides=6), spots + np.array([0, 0, h * 0.72])),
        ], ["fruit tree", "apple tree"]
    return parts, [pick(rng, "oak tree", "leafy tree", "deciduous tree")]


def _branches(
    rng: Rng, start: Vector, way: NDArray[np.float64], length: float, r: float, depth: int, color: Color
) -> list[Mesh]:
    end = np.add(start, way * length).tolist()
    parts = [rod(start, end, r, color, r * 0.65, 6)]
    if depth > 0:
        for _ in range(count(rng, 2, 3)):
            turn = way + rng.normal(0, 0.45, 3)
            turn[2] = max(turn[2], 0.05)
            parts += _branches(
                rng,
                end,
                turn / np.linalg.norm(turn),
                length * rng.uniform(0.55, 0.8),
                r * 0.62,
                depth - 1,
                color,
            )
    return parts


def _blossom(rng: Rng, kind: str, petal: Color) -> Mesh:
    """A blossom that looks up, about 0.1 m across, on the origin."""
    middle = near(rng, (0.85, 0.65, 0.15))
    if kind == "tulip":
        bell = lathe([(0.008, 0), (0.032, 0.015), (0.038, 0.045), (0.028, 0.075)], color=petal, sides=12)
        return merge([bell, ring(rotate(leaf(0.085, 0.045, -0.02, petal), "y", -70), 6)])
    if kind == "rose":
        return merge(
            [ring(rotate(leaf(0.05, 0.05, -0.02, near(rng, petal)), "y", -t), 5, start=t) for t in (25, 50, 70)]
            + [sphere((0.018, 0.018, 0.03), (0, 0, 0.03), petal, 8)]
        )
    n, long = {"daisy": (12, 0.055), "sunflower": (18, 0.07)}.get(kind, (5, 0.06))
    seeds = dome(
        (0.045, 0.045, 0.015) if kind == "sunflower" else (0.018, 0.018, 0.01),
        color=(0.25, 0.15, 0.08) if kind == "sunflower" else middle,
    )
    blade = rotate(
        move(leaf(long, 0.03 if n > 6 else 0.05, 0.005, petal), (0.03 if kind == "sunflower" else 0.01, 0, 0)),
        "y",
        -rng.uniform(0, 25),
    )
    return merge([ring(blade, n), seeds])


def flower(rng: Rng) -> Drawn:
    """Flowers: tulips, roses, daisies, sunflowers, five-petalled ones; single or a bunch, perhaps in a vase."""
    kind = pick(rng, "tulip", "rose", "daisy", "sunflower", "flower")
    petal = {"daisy": (0.95, 0.95, 0.93), "sunflower": (0.95, 0.75, 0.1)}.get(kind) or bright(rng)
    green, stems = leafy(rng), pick(rng, 1, 1, 3, 5, 7)
    parts = []
    for i in range(stems):
        h, a = rng.uniform(0.25, 0.4), 2 * np.pi * i / stems
        spread = 0.0 if stems == 1 else rng.uniform(0.06, 0.14)
        top = (spread * np.cos(a), spread * np.sin(a), h)
        parts.append(
            tube([(top[0] * 0.15, top[1] * 0.15, 0), (top[0] * 0.5, top[1] * 0.5, h * 0.6), top], 0.004, green, 5)
        )
        tilt = rng.uniform(-10, 70 if kind in ("sunflower", "daisy") else 15)
        parts.append(move(rotate(_blossom(rng, kind, petal), "y", tilt), top))
        parts.append(
            move(
                rotate(leaf(0.12, 0.035, 0.02, green), "z", rng.uniform(0, 360)),
                (top[0] * 0.4, top[1] * 0.4, h * 0.4),
            )
        )
    if stems > 1 and maybe(rng, 0.6):
        vase_ = lathe(
            [(0.035, -0.02), (0.05, 0.05), (0.03, 0.13), (0.04, 0.16), (0.035, 0.16), (0.025, 0.13)],
            color=bright(rng),
        )
        return [*parts, vase_], [
            "vase of flowers",
            f"bunch of {'flower' if kind == 'flower' else kind}s".replace("daisys", "daisies"),
        ]
    return parts, ["blossom"] if kind == "flower" else [kind] + (["bouquet"] if stems > 1 else [])


def cactus(rng: Rng) -> Drawn:
    """Cacti: a column with arms, a ribbed ball, a prickly pear; in the ground or a pot."""
    green, kind = near(rng, (0.25, 0.48, 0.25)), pick(rng, "column", "column", "ball", "pear")
    ribs = 12

    def ribbed(profile: list[tuple[float, float]]) -> Mesh:
        body = lathe(profile, color=green, sides=ribs * 2)
        angle = np.arctan2(body.vertices[:, 1], body.vertices[:, 0])
        return deform(body, 1 + 0.08 * np.cos(ribs * angle))

    parts = []
    if kind == "column":
        parts = [ribbed([(0.09, 0), (0.1, 0.5), (0.09, 0.8), (0.05, 0.88), (0, 0.9)])]
        for i in range(count(rng, 1, 3)):
            low, out, up = rng.uniform(0.25, 0.5), rng.uniform(0.18, 0.26), rng.uniform(0.15, 0.35)
            arm = tube(
                [
                    (0, 0, low),
                    (out * 0.7, 0, low),
                    (out, 0, low + 0.08),
                    (out, 0, low + up),
                    (out, 0, low + up + 0.05),
                ],
                (0.06, 0.06, 0.06, 0.055, 0.02),
                green,
            )
            parts.append(rotate(arm, "z", 180 * i + rng.uniform(-40, 40)))
    elif kind == "ball":
        parts = [
            ribbed([(0.1, 0), (0.19, 0.1), (0.2, 0.18), (0.13, 0.31), (0, 0.34)]),
            dome(0.04, (0, 0, 0.33), (0.9, 0.4, 0.55)),
        ]
    else:
        pads = [
            (0, 0, 0.15, 0),
            (0.0, 0.1, 0.38, -25),
            (0.0, -0.09, 0.4, 25),
            (0.0, 0.16, 0.58, -15),
            (0, -0.03, 0.62, 5),
        ]
        parts = [
            move(rotate(sphere((0.035, 0.1, 0.15), color=green), "x", t), (x, y, z))
            for x, y, z, t in pads[: count(rng, 3, 5)]
        ]
    if maybe(rng, 0.6):
        return [*parts, flower_pot(rng, 0.2)], ["potted cactus"]
    return parts, ["desert cactus"]


def flower_pot(rng: Rng, r: float) -> Mesh:
    """A pot whose soil lies at z = 0."""
    color, h = pick(rng, near(rng, (0.72, 0.38, 0.25)), white(rng), bright(rng)), r * rng.uniform(1.2, 1.8)
    sides = pick(rng, 20, 20, 4, 6)
    return lathe(
        [
            (r * 0.68, -h),
            (r * 0.95, -h * 0.15),
            (r * 1.08, -h * 0.15),
            (r * 1.08, 0.03),
            (r * 0.97, 0.03),
            (r * 0.95, 0),
            (0, 0),
        ],
        color=color,
        sides=sides,
    )


def potted_plant(rng: Rng) -> Drawn:
    """Plants in pots: broad leaves, upright blades, a little tree, a fern, a trailing one."""
    kind, green, r = (
        pick(rng, "leaves", "leaves", "blades", "tree", "fern", "bush"),
        leafy(rng),
        rng.uniform(0.12, 0.2),
    )
    pot = flower_pot(rng, r)
    if kind == "tree":
        h = rng.uniform(0.5, 1.1)
        return [pot, cylinder(0.018, h, color=BARK), *_crown(rng, (0, 0, h), rng.uniform(0.2, 0.35), green)], [
            "potted tree",
            "houseplant",
        ]
    if kind == "bush":
        return [pot, *_crown(rng, (0, 0, r * 1.3), r * 1.7, green)], ["potted bush", "houseplant"]
    n = count(rng, 8, 18)
    parts = [pot]
    for i in range(n):
        long = rng.uniform(0.35, 0.7)
        if kind == "blades":
            blade = rotate(
                leaf(long * 1.3, 0.06, rng.uniform(0, 0.15), near(rng, green)), "y", -rng.uniform(60, 88)
            )
        elif kind == "fern":
            blade = rotate(
                leaf(long, 0.1, long * rng.uniform(0.5, 1.0), near(rng, green)), "y", -rng.uniform(35, 65)
            )
        else:
            high = rng.uniform(0.15, 0.5)
            tip = (0.12 * long, 0.0, high)
            blade = merge(
                [
                    rod((0, 0, 0), tip, 0.006, green, sides=5),
                    move(
                        rotate(leaf(long * 0.6, long * 0.35, 0.08, near(rng, green)), "y", -rng.uniform(0, 40)), tip
                    ),
                ]
            )
        parts.append(rotate(blade, "z", 137.5 * i))
    return parts, [
        {"leaves": "leafy houseplant", "blades": "snake plant", "fern": "potted fern"}[kind],
        "houseplant",
    ]


def mushroom(rng: Rng) -> Drawn:
    """Mushrooms: flat, bell-shaped or round caps, spotted, alone or in a group."""
    cap, foot = (
        near(rng, pick(rng, (0.8, 0.1, 0.08), (0.55, 0.36, 0.2), (0.88, 0.82, 0.7))),
        near(rng, (0.92, 0.88, 0.78)),
    )
    shape = pick(
        rng,
        [(0.02, 0.02), (0.11, 0.0), (0.12, 0.02), (0.08, 0.08), (0, 0.1)],
        [(0.02, 0.02), (0.08, -0.02), (0.08, 0.03), (0.04, 0.11), (0, 0.13)],
        [(0.02, 0.03), (0.15, 0.02), (0.15, 0.035), (0.08, 0.06), (0, 0.07)],
    )
    h = rng.uniform(0.08, 0.18)
    one = [
        lathe([(0.035, 0), (0.025, h * 0.5), (0.022, h + 0.03)], color=foot, sides=12),
        lathe(np.add(shape, (0, h)), color=cap, sides=20),
    ]
    if cap[0] > 0.65 and cap[1] < 0.3:
        one.append(
            copies(
                sphere((0.016, 0.016, 0.008), color=(0.95, 0.93, 0.9), sides=8),
                [
                    (0.07 * np.cos(a), 0.07 * np.sin(a), h + 0.075 if shape[1][0] < 0.14 else h + 0.06)
                    for a in np.arange(6)
                ],
            )
        )
    whole = merge(one)
    if maybe(rng, 0.3):
        return [
            whole,
            *(
                move(scale(whole, rng.uniform(0.4, 0.7)), (0.17 * np.cos(a), 0.17 * np.sin(a), 0))
                for a in rng.uniform(0, 6.3, 2)
            ),
        ], ["group of mushrooms", "fungus"]
    return [whole], ["toadstool", "fungus"]


def bush(rng: Rng, *kinds: str) -> Drawn:
    """Bushes, hedges and tufts of grass."""
    green, kind = leafy(rng), pick(rng, *(kinds or ("bush", "grass", "hedge")))
    if kind == "grass":
        blades = [
            rotate(
                rotate(
                    leaf(rng.uniform(0.3, 0.6), 0.03, rng.uniform(0.02, 0.2), near(rng, green)),
                    "y",
                    -rng.uniform(45, 85),
                ),
                "z",
                rng.uniform(0, 360),
            )
            for _ in range(30)
        ]
        return [move(b, (rng.normal(0, 0.05), rng.normal(0, 0.05), 0)) for b in blades], ["tuft of grass", "grass"]
    if kind == "hedge":
        return [box((rng.uniform(0.4, 0.7), rng.uniform(1.5, 3), rng.uniform(0.7, 1.4)), color=green, bevel=0.1)], [
            "hedge"
        ]
    balls = [
        dome(float(r), (float(x), float(y), 0), near(rng, green), 12)
        for r, x, y in zip(rng.uniform(0.3, 0.6, 7), rng.normal(0, 0.25, 7), rng.normal(0, 0.25, 7), strict=True)
    ]
    return balls, ["shrub", "garden bush"]

"""Food."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, maybe, near, pick, white
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, scale, upright
from clip3d.simulation.shapes import box, capsule, cylinder, dome, extrude, lathe, sphere, torus, tube


def cake(rng: Rng) -> Drawn:
    """Cakes: tiers with icing, candles, cherries; a slice; a cupcake."""
    kind, base, icing = (
        pick(rng, "birthday cake", "wedding cake", "slice of cake", "cupcake", "layer cake"),
        near(rng, (0.6, 0.38, 0.2)),
        pick(rng, white(rng), bright(rng)),
    )
    if kind == "cupcake":
        paper = lathe([(0.025, 0), (0.035, 0.035)], color=bright(rng), sides=16)
        swirl = lathe(
            np.array(
                [
                    (0.038, 0.035),
                    (0.042, 0.042),
                    (0.03, 0.05),
                    (0.033, 0.055),
                    (0.018, 0.065),
                    (0.02, 0.07),
                    (0, 0.085),
                ]
            ),
            color=icing,
        )
        return [paper, swirl, sphere(0.008, (0, 0, 0.088), (0.8, 0.1, 0.12), 8)], [kind, "muffin"]
    if kind == "slice of cake":
        a = np.radians(np.linspace(-22, 22, 6))
        wedge = [(0, 0), *zip(0.12 * np.cos(a), 0.12 * np.sin(a), strict=True)]
        return [
            extrude(wedge, 0.025, color=base),
            extrude(wedge, 0.008, (0, 0, 0.025), icing),
            extrude(wedge, 0.025, (0, 0, 0.033), base),
            extrude(wedge, 0.01, (0, 0, 0.058), icing),
            sphere(0.01, (0.09, 0, 0.074), (0.8, 0.1, 0.12), 8),
        ], [kind, "piece of cake"]
    tiers = {"wedding cake": count(rng, 3, 4), "layer cake": 1}.get(kind, count(rng, 1, 2))
    parts, z = [cylinder(0.17, 0.008, (0, 0, -0.008), white(rng), sides=26)], 0.0
    for i in range(tiers):
        r, h = 0.14 - 0.035 * i, rng.uniform(0.06, 0.08)
        parts += [
            cylinder(r, h, (0, 0, z), icing, sides=26),
            ring(sphere(0.01, (r, 0, z + h), bright(rng), 6), int(r * 120)),
            torus(r, 0.008, (0, 0, z + 0.006), white(rng), 26),
        ]
        z += h
    if kind == "birthday cake":
        stick = merge(
            [
                cylinder(0.004, 0.05, (r * 0.65, 0, z), bright(rng), sides=6),
                sphere((0.004, 0.004, 0.01), (r * 0.65, 0, z + 0.06), (0.98, 0.75, 0.2), 6),
            ]
        )
        parts.append(ring(stick, count(rng, 3, 9)))
    else:
        parts.append(sphere(0.018, (0, 0, z + 0.01), (0.8, 0.1, 0.12), 8))
    return parts, [kind, "dessert"]


def bread(rng: Rng, *kinds: str) -> Drawn:
    """Bread: loaves, baguettes, toast slices, rolls, croissants, pretzels."""
    crust, kind = (
        near(rng, (0.72, 0.48, 0.24)),
        pick(
            rng,
            *(
                kinds
                or ("loaf of bread", "baguette", "slice of bread", "bread roll", "croissant", "pretzel", "doughnut")
            ),
        ),
    )
    if kind == "doughnut":
        return [
            torus(0.03, 0.016, color=crust),
            move(scale(torus(0.03, 0.0155, color=bright(rng)), (1, 1, 0.8)), (0, 0, 0.006)),
        ], [kind, "donut"]
    if kind == "pretzel":
        half = [
            (-0.034, 0.03),
            (0.0, 0.0),
            (0.03, -0.025),
            (0.047, -0.05),
            (0.02, -0.076),
            (-0.03, -0.058),
            (-0.05, 0.0),
        ]
        rope = np.array(half + [(x, -y) for x, y in half[-2::-1]])
        fine = np.stack([np.interp(np.linspace(0, 12, 49), np.arange(13), column) for column in rope.T], axis=1)
        lift = 0.008 * np.sin(np.linspace(0, np.pi * 3, 49))
        return [tube(np.column_stack([fine, lift]), rng.uniform(0.008, 0.012), crust)], [kind]
    if kind == "croissant":
        t = np.radians(np.linspace(-115, 115, 25))
        bulge = 0.032 * np.cos(t / 2.4) * (1 + 0.12 * np.sin(np.linspace(0, 14 * np.pi, 25)))
        return [
            tube(
                np.column_stack([0.06 * np.cos(t), 0.06 * np.sin(t), 0 * t]),
                np.maximum(bulge - 0.008, 0.004),
                crust,
                10,
                section=(1, 0.85),
            )
        ], [kind, "pastry"]
    if kind == "slice of bread":
        t = np.radians(np.linspace(0, 180, 11))
        outline = [(0.045, 0), *zip(0.055 * np.cos(t), 0.075 + 0.025 * np.sin(t), strict=True), (-0.045, 0)]
        return [
            upright(extrude(outline, 0.014, color=crust)),
            upright(
                extrude(
                    np.array(outline) * np.array([0.92, 0.94]) + np.array([0, 0.003]),
                    0.016,
                    color=(0.92, 0.85, 0.7),
                )
            ),
        ], [kind, "toast"]
    long = {"baguette": 0.5, "bread roll": 0.1}.get(kind, 0.26)
    s = np.linspace(-1, 1, 15)
    r = {"baguette": 0.03, "bread roll": 0.04}.get(kind, 0.06) * np.clip(1 - np.abs(s) ** 3, 0.05, 1) ** 0.5
    n = 0 if kind == "bread roll" else count(rng, 2, 5)
    cut = rotate(box((0.012, r[7] * 1.3, 0.006), color=(0.9, 0.78, 0.55)), "z", 35)
    return [
        tube(np.column_stack([s * long / 2, 0 * s, 0 * s]), r, crust, 12, section=(1, 0.75)),
        copies(cut, [(x, 0, r[7] * 0.68) for x in np.linspace(-0.25, 0.25, n) * long]),
    ], [kind]


def hamburger(rng: Rng, *kinds: str) -> Drawn:
    """Hamburgers: bun, patty, cheese, lettuce, tomato; hot dogs and sandwiches."""
    bun, kind = (
        near(rng, (0.8, 0.55, 0.28)),
        pick(rng, *(kinds or ("hamburger", "hamburger", "double hamburger", "hot dog", "sandwich"))),
    )
    if kind == "hot dog":
        return [
            both_sides(capsule((-0.06, 0.018, 0), (0.06, 0.018, 0), 0.02, bun)),
            capsule((-0.08, 0, 0.012), (0.08, 0, 0.012), 0.014, (0.6, 0.22, 0.15)),
            tube(
                [(x, 0.006 * np.sin(90 * x), 0.027) for x in np.linspace(-0.07, 0.07, 20)],
                0.003,
                (0.92, 0.75, 0.15),
                5,
            ),
        ], [kind]
    if kind == "sandwich":
        tri = [(0.06, -0.06), (0.06, 0.06), (-0.06, 0.06)]
        layers = [
            ((0.92, 0.85, 0.7), 0.014),
            ((0.3, 0.6, 0.2), 0.004),
            ((0.85, 0.55, 0.5), 0.006),
            ((0.95, 0.8, 0.3), 0.004),
            ((0.92, 0.85, 0.7), 0.014),
        ]
        levels = np.cumsum([0, *(h for _, h in layers)])
        return [
            extrude(np.array(tri) * (1.05 if 0 < i < 4 else 1), h, (0, 0, float(levels[i])), c)
            for i, (c, h) in enumerate(layers)
        ], [kind]
    parts, z = [lathe(np.array([(0.03, 0), (0.05, 0.006), (0.052, 0.018), (0, 0.018)]), color=bun)], 0.018
    for _ in range(2 if kind == "double hamburger" else 1):
        parts += [
            cylinder(0.053, 0.014, (0, 0, z), (0.3, 0.16, 0.1)),
            box((0.085, 0.085, 0.003), (0, 0, z + 0.014), (0.95, 0.72, 0.15)),
        ]
        z += 0.017
    wave = lathe([(0.02, 0), (0.057, 0), (0.057, 0.003), (0.02, 0.003)], (0, 0, z), (0.35, 0.65, 0.2), 40)
    wobble = 0.005 * np.sin(9 * np.arctan2(wave.vertices[:, 1], wave.vertices[:, 0]))
    parts += [
        Mesh(wave.vertices + np.outer(wobble, [0, 0, 1]), wave.faces, face_colors=wave.face_colors),
        cylinder(0.045, 0.005, (0, 0, z + 0.004), (0.8, 0.15, 0.1)),
        dome((0.054, 0.054, 0.036), (0, 0, z + 0.009), bun),
    ]
    return parts, ["burger", "fast food"] if kind == "hamburger" else [kind, "burger"]


def ice_cream(rng: Rng) -> Drawn:
    """Ice cream: scoops in a cone, soft swirls, lollies on a stick, sundaes."""
    kind, waffle = (
        pick(rng, "ice cream cone", "ice cream cone", "soft ice cream", "popsicle", "sundae"),
        near(rng, (0.82, 0.6, 0.32)),
    )
    if kind == "popsicle":
        return [
            box((0.016, 0.045, 0.1), (0, 0, 0.05), bright(rng), 0.007),
            box((0.003, 0.012, 0.06), color=(0.85, 0.7, 0.5)),
        ], [kind, "ice lolly"]
    n = count(rng, 1, 3)
    scoops = [sphere(0.03, (0, 0, 0.125 + 0.04 * i), bright(rng), 14) for i in range(n)]
    if kind == "soft ice cream":
        t = np.linspace(0, 1, 60)
        r = 0.03 * (1 - t)
        scoops = [
            tube(
                np.column_stack([r * np.cos(25 * t), r * np.sin(25 * t), 0.11 + 0.08 * t]),
                0.013 * (1 - 0.75 * t),
                pick(rng, white(rng), bright(rng)),
                8,
            )
        ]
    if kind == "sundae":
        return [
            lathe(
                [(0.03, 0), (0.028, 0.004), (0.006, 0.02), (0.006, 0.05), (0.03, 0.075), (0.045, 0.12)],
                color=(0.8, 0.88, 0.9),
            ),
            *scoops,
            sphere(0.009, (0, 0, 0.165 + 0.04 * (n - 1)), (0.8, 0.1, 0.12), 8),
        ], [kind, "dessert"]
    return [
        cylinder(0.003, 0.11, color=waffle, top=0.028, sides=14),
        torus(0.028, 0.004, (0, 0, 0.108), waffle),
        *scoops,
    ], [kind]


def pizza(rng: Rng) -> Drawn:
    """Pizzas: whole with toppings, with a slice gone, a single slice."""
    crust, one = near(rng, (0.82, 0.6, 0.32)), maybe(rng, 0.35)
    arc = rng.uniform(38, 50) if one else pick(rng, 360.0, rng.uniform(290, 330))
    a = np.radians(np.linspace(0, arc, 26 if not one else 7))
    rim = np.column_stack([0.15 * np.cos(a), 0.15 * np.sin(a)])
    outline = rim if arc == 360 else np.concatenate([[(0, 0)], rim])
    n = 6 if one else 22
    q, b = 0.13 * np.sqrt(rng.random(n)), np.radians(arc) * rng.random(n)
    salami = copies(
        cylinder(0.016, 0.004, color=(0.7, 0.2, 0.15), sides=10),
        np.column_stack([q * np.cos(b), q * np.sin(b), np.full(n, 0.013)]),
    )
    return [
        extrude(outline if arc < 360 else rim[:-1], 0.01, color=crust),
        extrude((outline if arc < 360 else rim[:-1]) * 0.93, 0.004, (0, 0, 0.01), (0.92, 0.72, 0.3)),
        salami,
        tube(np.column_stack([rim, np.full(len(rim), 0.012)]), 0.011, crust),
    ], ["slice of pizza" if one else "whole pizza"]

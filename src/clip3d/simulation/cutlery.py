"""Cutlery and cooking vessels."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, steel, wood
from clip3d.simulation.crockery import hollow_profile
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, move
from clip3d.simulation.shapes import box, cylinder, dome, extrude, lathe, sheet, tube


def pot(rng: Rng) -> Drawn:
    """Cooking pots: two ears, with or without a lid, wide or tall."""
    r, h, color = rng.uniform(0.09, 0.15), rng.uniform(0.08, 0.2), pick(rng, steel(rng), dark(rng), bright(rng))
    parts = [lathe(hollow_profile([(r, 0), (r, h), (r * 1.03, h)], 0.006), color=color, sides=24)]
    ear = tube(
        [(0, r, h * 0.75), (0.03, r + 0.035, h * 0.78), (-0.03, r + 0.035, h * 0.78), (0, r, h * 0.75)],
        0.007,
        dark(rng),
    )
    parts.append(both_sides(ear))
    if maybe(rng, 0.6):
        parts.append(
            lathe(
                [
                    (r * 1.02, h),
                    (r * 0.9, h + 0.015),
                    (0.01, h + 0.03),
                    (0.01, h + 0.04),
                    (0.022, h + 0.045),
                    (0.022, h + 0.055),
                    (0, h + 0.06),
                ],
                color=near(rng, color),
            )
        )
    return parts, ["cooking pot", "pot with a lid" if len(parts) > 2 else "saucepot"]


def pan(rng: Rng) -> Drawn:
    """Frying pans, saucepans, woks: a long handle."""
    kind = pick(rng, "frying pan", "frying pan", "saucepan", "wok")
    r, color, h = (
        rng.uniform(0.1, 0.15),
        pick(rng, dark(rng), steel(rng)),
        {"frying pan": 0.04, "saucepan": 0.11, "wok": 0.08}[kind],
    )
    shape = [(r * 0.85, 0), (r, h)] if kind != "wok" else [(r * 0.3, 0), (r * 0.75, h * 0.4), (r * 1.15, h)]
    handle = tube(
        [(r * 0.95, 0, h * 0.8), (r + 0.06, 0, h + 0.015), (r + 0.2, 0, h + 0.02)],
        (0.01, 0.012, 0.014),
        pick(rng, dark(rng), wood(rng)),
        section=(1.3, 0.7),
    )
    egg = (
        [
            cylinder(0.045, 0.004, (0.02, 0.01, 0.01), (0.97, 0.97, 0.95)),
            dome(0.016, (0.02, 0.01, 0.013), (0.95, 0.7, 0.1)),
        ]
        if kind == "frying pan" and maybe(rng, 0.25)
        else []
    )
    return [lathe(hollow_profile(shape, 0.005), color=color, sides=24), handle, *egg], [
        kind,
        "skillet",
    ] if kind == "frying pan" else [kind]


def spoon(rng: Rng) -> Drawn:
    """Spoons, ladles and wooden spoons."""
    color, ladle = pick(rng, steel(rng), wood(rng), metal(rng)), maybe(rng, 0.25)
    long, r = rng.uniform(0.1, 0.16), rng.uniform(0.02, 0.028)
    t, a = np.linspace(0.05, 1, 5), np.linspace(0, 2 * np.pi, 17)
    deep = 0.035 if ladle else 0.009
    wide = r if ladle else r * 0.72
    grid = np.stack(
        [np.outer(t, r * np.cos(a)) + r, np.outer(t, wide * np.sin(a)), np.outer(t**2, deep + 0 * a)], axis=2
    )
    shaft = tube(
        [
            (0.003 if not ladle else 0.0, 0, deep),
            (-0.03, 0, deep + (0.012 if not ladle else 0.06)),
            (-long, 0, deep + (0.0 if not ladle else 0.15)),
            (-long * 1.25, 0, deep + (0.004 if not ladle else 0.18)),
        ],
        (0.0035, 0.003, 0.005, 0.008),
        color,
        6,
        section=(1.2, 0.5),
    )
    return [sheet(grid, color), move(sheet(grid, color), (0, 0, -0.0015)), shaft], [
        "ladle" if ladle else pick(rng, "tablespoon", "cutlery")
    ]


def fork(rng: Rng) -> Drawn:
    """Forks with two to four tines."""
    color, n = steel(rng), count(rng, 2, 4)
    y = np.linspace(-0.011, 0.011, n)
    tines = [tube([(0, v, 0.004), (0.02, v, 0.0), (0.05, v, 0.006)], (0.0022, 0.002, 0.0008), color, 5) for v in y]
    neck = extrude(
        [(0.002, 0.0135), (-0.02, 0.012), (-0.035, 0.003), (-0.035, -0.003), (-0.02, -0.012), (0.002, -0.0135)],
        0.002,
        (0, 0, 0.003),
        color,
    )
    return [
        *tines,
        neck,
        tube(
            [(-0.033, 0, 0.004), (-0.07, 0, 0.012), (-0.14, 0, 0.004)],
            (0.003, 0.004, rng.uniform(0.006, 0.009)),
            pick(rng, color, wood(rng)),
            6,
            section=(1.2, 0.5),
        ),
    ], ["cutlery", "dinner fork"]


def knife(rng: Rng) -> Drawn:
    """Knives: chef's, table, bread, cleavers, daggers."""
    kind, grip = (
        pick(rng, "kitchen knife", "kitchen knife", "table knife", "cleaver", "dagger"),
        pick(rng, dark(rng), wood(rng), steel(rng)),
    )
    long = rng.uniform(0.12, 0.22)
    blades = {
        "kitchen knife": [(0, 0.015), (0, -0.02), (long * 0.6, -0.017), (long, 0.013), (long * 0.9, 0.015)],
        "table knife": [(0, 0.008), (0, -0.008), (long * 0.75, -0.01), (long * 0.85, 0.0), (long * 0.8, 0.008)],
        "cleaver": [(0, 0.02), (0, -0.06), (long * 0.9, -0.06), (long * 0.9, 0.02)],
        "dagger": [(0, 0.014), (0, -0.014), (long * 0.7, -0.01), (long, 0), (long * 0.7, 0.01)],
    }
    parts = [
        extrude(blades[kind], 0.0025, (0, 0, -0.00125), steel(rng)),
        box((0.11, 0.022, 0.016), (-0.055, 0, -0.008), grip, 0.005),
    ]
    if kind == "dagger":
        parts.append(box((0.012, 0.07, 0.014), (0, 0, -0.007), metal(rng), 0.003))
    return parts, [kind]

"""Weapons and small hardware."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, pick, steel, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, merge, move, ring, rotate
from clip3d.simulation.running_gear import side_profile
from clip3d.simulation.shapes import box, cylinder, dome, extrude, lathe, loft, rod, sphere, torus, tube


def gun(rng: Rng) -> Drawn:
    """Guns: pistols, revolvers, rifles, water pistols."""
    kind, color = (
        pick(rng, "pistol", "revolver", "rifle", "shotgun"),
        pick(rng, dark(rng), dark(rng), steel(rng), bright(rng)),
    )
    if kind in ("pistol", "revolver"):
        grip = rotate(
            box((0.04, 0.025, 0.1), (-0.06, 0, -0.1), pick(rng, wood(rng), dark(rng)), 0.006),
            "y",
            14,
            (-0.06, 0, 0),
        )
        guard = tube([(-0.03, 0, 0), (-0.03, 0, -0.03), (0.0, 0, -0.035), (0.02, 0, 0)], 0.004, color, 6)
        if kind == "pistol":
            return [
                box((0.18, 0.026, 0.035), (0, 0, 0), color, 0.003),
                grip,
                guard,
                box((0.004, 0.004, 0.008), (0.08, 0, 0.035), color),
            ], [kind, "handgun"]
        return [
            rod((0.0, 0, 0.02), (0.15, 0, 0.02), 0.011, color),
            rod((-0.04, 0, 0.014), (0.01, 0, 0.014), 0.024, steel(rng)),
            box((0.07, 0.02, 0.04), (-0.05, 0, -0.01), color, 0.004),
            grip,
            guard,
            rod((-0.08, 0, 0.02), (-0.095, 0, 0.045), 0.005, color),
        ], [kind, "handgun"]
    stock = side_profile(
        [(-0.15, 0.03), (-0.15, -0.03), (-0.3, -0.06), (-0.55, -0.12), (-0.55, 0.01), (-0.3, 0.02)],
        0.035,
        wood(rng),
    )
    barrels = [
        rod((0.1, y, 0.015), (0.62, y, 0.015), 0.01, color)
        for y in ((0.0,) if kind == "rifle" else (-0.011, 0.011))
    ]
    scope = (
        [rod((-0.12, 0, 0.07), (0.08, 0, 0.07), 0.016, color), box((0.02, 0.012, 0.04), (0, 0, 0.03), color)]
        if kind == "rifle" and maybe(rng, 0.6)
        else []
    )
    clip = (
        [rotate(box((0.04, 0.022, 0.12), (0.02, 0, -0.14), color), "y", -12)]
        if kind == "rifle" and maybe(rng, 0.5)
        else []
    )
    return [
        stock,
        *barrels,
        *scope,
        *clip,
        box((0.3, 0.032, 0.05), (-0.03, 0, -0.02), color, 0.005),
        box((0.25, 0.035, 0.03), (0.22, 0, -0.02), wood(rng), 0.006),
    ], [kind, "firearm"]


def sword(rng: Rng) -> Drawn:
    """Swords: straight, curved sabres, broad; a guard and a pommel."""
    long, w, curve = rng.uniform(0.6, 0.95), rng.uniform(0.018, 0.03), pick(rng, 0.0, 0.0, rng.uniform(0.05, 0.14))
    t = np.linspace(0, 1, 9)
    half = w * np.where(t < 0.85, 1 - 0.25 * t, (1 - t) / 0.15 * 0.8)
    lift = curve * t**2
    blade = extrude(
        np.concatenate([np.column_stack([long * t, lift + half]), np.column_stack([long * t, lift - half])[::-1]]),
        0.005,
        (0, 0, -0.0025),
        steel(rng),
    )
    parts = [
        blade,
        rod((-0.14, 0, 0), (0, 0, 0), 0.013, pick(rng, dark(rng), wood(rng))),
        sphere(0.021, (-0.15, 0, 0), metal(rng), 10),
    ]
    parts.append(
        cylinder(0.04, 0.006, color=metal(rng))
        if curve
        else box((0.02, rng.uniform(0.12, 0.2), 0.02), (0, 0, -0.01), metal(rng), 0.004)
    )
    if curve:
        parts[-1] = rotate(parts[-1], "y", 90)
    return [rotate(merge(parts), "y", pick(rng, 0.0, 90.0, -90.0))], ["sabre" if curve else "long sword", "weapon"]


def gear(rng: Rng) -> Drawn:
    """Gear wheels: any number of teeth, a bore, spokes or holes."""
    n, r, thick = count(rng, 8, 24), 0.05, rng.uniform(0.008, 0.03)
    a = np.linspace(0, 2 * np.pi, 4 * n, endpoint=False)
    tall = r * rng.uniform(0.12, 0.25)
    teeth = r + tall * np.tile([0, 1, 1, 0], n)
    bore = r * rng.uniform(0.15, 0.7)
    outline = np.column_stack([teeth * np.cos(a), teeth * np.sin(a)])
    inner = np.column_stack([bore * np.cos(a), bore * np.sin(a)])
    rings = [
        np.column_stack([p, np.full(4 * n, z)])
        for p, z in ((outline, 0.0), (outline, thick), (inner, thick), (inner, 0.0))
    ]
    parts = [loft(np.stack(rings), metal(rng), closed=True)]
    if bore > r * 0.4:
        parts += [
            ring(
                box((bore * 1.02, bore * 0.2, thick * 0.6), (bore / 2, 0, thick * 0.2), metal(rng)),
                count(rng, 3, 6),
            ),
            lathe([(bore * 0.1, 0), (bore * 0.3, 0), (bore * 0.3, thick), (bore * 0.1, thick)], color=metal(rng)),
        ]
    return [rotate(merge(parts), "y", pick(rng, 0.0, 90.0))], ["cog wheel", "gear wheel", "cog"]


def screw(rng: Rng) -> Drawn:
    """Screws, bolts with nuts: a thread, a head with a slot or six sides."""
    long, r, color, t = rng.uniform(0.03, 0.07), 0.005, metal(rng), np.linspace(0, 1, 90)
    turns = long / 0.004
    thread = tube(
        np.column_stack([r * np.cos(2 * np.pi * turns * t), r * np.sin(2 * np.pi * turns * t), -long * t]),
        0.0012,
        color,
        4,
    )
    if maybe(rng, 0.5):
        nut = (
            [lathe([(0.006, 0), (0.011, 0), (0.011, 0.007), (0.006, 0.007)], (0, 0, -long * 0.7), metal(rng), 6)]
            if maybe(rng)
            else []
        )
        return [
            thread,
            cylinder(r, long, (0, 0, -long), color),
            cylinder(0.011, 0.007, color=color, sides=6),
            *nut,
        ], ["bolt", "hex bolt"]
    head = pick(rng, dome((0.01, 0.01, 0.006), color=color), cylinder(0.005, 0.006, (0, 0, -0.001), color, 0.011))
    return [thread, cylinder(0.0005, long, (0, 0, -long), color, r), head], ["wood screw"]


def key(rng: Rng) -> Drawn:
    """Keys: old bow keys with a bit, flat door keys with a toothed edge."""
    color, long = metal(rng), rng.uniform(0.05, 0.09)
    if maybe(rng, 0.5):
        bows = pick(
            rng,
            [torus(0.014, 0.003, (-0.014, 0, 0), color)],
            [
                torus(0.009, 0.0025, (-0.02, 0, 0), color),
                torus(0.009, 0.0025, (-0.008, 0.01, 0), color),
                torus(0.009, 0.0025, (-0.008, -0.01, 0), color),
            ],
        )
        bits = [
            box((0.004, 0.016, 0.003), (long - 0.004 - 0.007 * i, -0.009, -0.0015), color)
            for i in range(count(rng, 2, 3))
        ]
        return [*bows, rod((0, 0, 0), (long, 0, 0), 0.003, color), *bits], ["old key"]
    x = np.linspace(0.005, 0.045, 11)
    edge = np.column_stack([x, -0.001 - 0.003 * rng.random(11)])
    blade = extrude([(0, 0.004), *map(tuple, edge.tolist()), (0.05, 0.001), (0.046, 0.004)], 0.002, color=color)
    a = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    bow = loft(
        np.stack(
            [
                np.column_stack([s * 0.013 * np.cos(a) - 0.012, s * 0.013 * np.sin(a), np.full(16, z)])
                for s, z in ((1, 0.0), (1, 0.002), (0.35, 0.002), (0.35, 0.0))
            ]
        ),
        color,
        closed=True,
    )
    return [blade, bow], ["door key"]


def anchor(rng: Rng) -> Drawn:
    """Anchors: shank, stock, ring and two flukes."""
    color, h, t = pick(rng, dark(rng), metal(rng)), rng.uniform(0.9, 1.3), np.radians(np.linspace(200, 340, 13))
    arms = np.column_stack([0 * t, 0.5 * np.cos(t), 0.45 + 0.5 * np.sin(t)])
    fluke = rotate(box((0.05, 0.16, 0.16), color=color), "x", 45)
    return [
        rod((0, 0, 0), (0, 0, h), 0.05, color, 0.04),
        tube(arms, 0.05, color),
        rod((0, -0.35, h * 0.85), (0, 0.35, h * 0.85), 0.035, color),
        move(rotate(torus(0.09, 0.02, color=color), "y", 90), (0, 0, h + 0.09)),
        both_sides(move(fluke, (0, 0.49, 0.2))),
    ], ["ship anchor"]


def lock(rng: Rng) -> Drawn:
    """Padlocks: a body and a shackle, open or shut."""
    color, up = metal(rng), pick(rng, 0.0, 0.012)
    t = np.radians(np.linspace(0, 180, 11))
    arch = tube(
        np.concatenate(
            [
                [(0, 0.016, 0.02)],
                np.column_stack([0 * t, 0.016 * np.cos(t), 0.055 + 0.016 * np.sin(t)]),
                [(0, -0.016, 0.045 if up else 0.02)],
            ]
        ),
        0.004,
        steel(rng),
    )
    body = pick(
        rng,
        box((0.02, 0.05, 0.042), color=color, bevel=0.004),
        move(rotate(cylinder(0.026, 0.02, (0, 0, -0.01), color, sides=24), "y", 90), (0, 0, 0.024)),
    )
    return [body, move(arch, (0, 0, up)), box((0.002, 0.004, 0.012), (0.0105, 0, 0.012), dark(rng))], ["padlock"]

"""Small things of the kitchen: machines, jars and jugs, boards, tools, taps."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, dark, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.fixtures import tap
from clip3d.simulation.moving import copies, merge, move, ring, rotate, scale
from clip3d.simulation.shapes import (
    Color,
    box,
    capsule,
    cushion,
    cylinder,
    extrude,
    lathe,
    rod,
    sphere,
    torus,
    tube,
)


def _clear(rng: Rng) -> Color:
    return near(rng, (0.75, 0.85, 0.88), 0.03)


def blender(rng: Rng) -> Drawn:
    """Blenders: a jug on a motor block; hand blenders."""
    color, h = pick(rng, dark(rng), white(rng), bright(rng), steel(rng)), rng.uniform(0.2, 0.28)
    if maybe(rng, 0.25):
        parts = [
            capsule((0, 0, 0.18), (0, 0, 0.34), 0.03, color, 0.026),
            rod((0, 0, 0.03), (0, 0, 0.18), 0.014, steel(rng)),
        ]
        return [*parts, lathe([(0.035, 0), (0.035, 0.02), (0.014, 0.05)], color=steel(rng))], [
            "hand blender",
            "stick blender",
        ]
    base = lathe([(0.09, 0), (0.085, 0.06), (0.06, 0.14), (0.055, 0.15)], color=color, sides=pick(rng, 4, 18))
    jug = lathe([(0.05, 0.15), (0.08, 0.15 + h), (0.075, 0.15 + h), (0.045, 0.16)], color=_clear(rng))
    lid = lathe(
        [(0.08, 0.15 + h), (0.08, 0.17 + h), (0.03, 0.175 + h), (0.03, 0.2 + h), (0, 0.2 + h)], color=dark(rng)
    )
    grip = tube([(0.075, 0, 0.13 + h), (0.13, 0, 0.12 + h), (0.125, 0, 0.19), (0.055, 0, 0.18)], 0.011, dark(rng))
    dial = move(rotate(cylinder(0.022, 0.015, color=steel(rng)), "y", 90), (0.075, 0, 0.06))
    return [base, jug, lid, grip, dial], ["kitchen blender", "food mixer"]


def stand_mixer(rng: Rng) -> Drawn:
    """Stand mixers: a head on a column over a bowl."""
    color, r = bright(rng) if maybe(rng, 0.6) else white(rng), rng.uniform(0.1, 0.12)
    bowl = lathe(
        [(r * 0.5, 0.03), (r, 0.1), (r * 1.05, 0.18), (r, 0.18), (r * 0.5, 0.05), (0, 0.045)],
        (0.07, 0, 0),
        steel(rng),
    )
    head = rotate(capsule((-0.12, 0, 0), (0.12, 0, 0), 0.07, color, 0.055), "y", pick(rng, 0.0, 0.0, -30.0))
    foot = [box((0.34, 0.2, 0.03), (0.0, 0, 0), color, 0.01), box((0.1, 0.11, 0.3), (-0.12, 0, 0.02), color, 0.03)]
    return [bowl, move(head, (0, 0, 0.34)), *foot, rod((0.09, 0, 0.12), (0.09, 0, 0.3), 0.012, steel(rng))], [
        "kitchen mixer",
        "food mixer",
        "mixer",
    ]


def jar(rng: Rng) -> Drawn:
    """Jars: glass with a lid, clay, cookie jars, jam."""
    r, h, fill = rng.uniform(0.035, 0.07), rng.uniform(0.09, 0.2), bright(rng)
    kind, lid = pick(rng, "jam", "storage", "cookie"), metal(rng)
    if kind == "cookie":
        body = lathe(
            [(r * 0.7, 0), (r * 1.1, h * 0.4), (r * 0.9, h * 0.8), (r * 0.7, h * 0.85)],
            color=pick(rng, white(rng), fill),
        )
        top = lathe(
            [(r * 0.8, h * 0.85), (r * 0.7, h * 0.95), (r * 0.1, h), (r * 0.16, h * 1.06), (0, h * 1.1)],
            color=near(rng, fill),
        )
        return [body, top], ["cookie jar", "biscuit jar"]
    glass = lathe(
        [(r, 0), (r, h * 0.8), (r * 0.8, h * 0.9), (r * 0.8, h)],
        color=near(rng, fill) if kind == "jam" else _clear(rng),
    )
    top = (
        cylinder(r * 0.86, h * 0.12, (0, 0, h * 0.95), lid, sides=22)
        if kind == "jam"
        else lathe([(r * 0.86, h), (r * 0.86, h * 1.05), (r * 0.3, h * 1.1), (0, h * 1.1)], color=wood(rng))
    )
    return [glass, top], ["jam jar", "glass jar"] if kind == "jam" else ["storage jar", "glass jar"]


def can(rng: Rng) -> Drawn:
    """Cans: drink cans with a tapered neck, food tins."""
    color, metal_ = bright(rng), steel(rng)
    if maybe(rng):
        h = rng.uniform(0.115, 0.165)
        body = lathe(
            [(0.027, 0), (0.033, 0.008), (0.033, h - 0.012), (0.027, h), (0.025, h - 0.003), (0, h - 0.003)],
            color=color,
            sides=24,
        )
        return [body, move(scale(cylinder(0.01, 0.002, color=metal_), (1.3, 0.8, 1)), (0.008, 0, h - 0.002))], [
            "soda can",
            "drink can",
            "beer can",
        ]
    r, h = rng.uniform(0.034, 0.05), rng.uniform(0.05, 0.13)
    rims = copies(torus(r, 0.0025, color=metal_, sides=24), [(0, 0, 0.003), (0, 0, h)])
    return [
        cylinder(r, h, color=metal_, sides=24),
        rims,
        cylinder(r * 1.005, h * 0.84, (0, 0, h * 0.08), color, sides=24),
    ], ["tin can", "food can", "tin"]


def pitcher(rng: Rng) -> Drawn:
    """Jugs and pitchers, watering cans."""
    color, r, h = pick(rng, white(rng), bright(rng), _clear(rng)), rng.uniform(0.05, 0.075), rng.uniform(0.17, 0.26)
    body = lathe(
        [
            (r * 0.8, 0),
            (r * rng.uniform(1.0, 1.3), h * 0.35),
            (r * 0.75, h * 0.8),
            (r * 0.9, h),
            (r * 0.85, h),
            (r * 0.7, h * 0.8),
            (0, h * 0.1),
        ],
        color=color,
    )
    pull = 1 + 0.35 * np.clip(body.vertices[:, 0] / r, 0, 1) ** 3 * (body.vertices[:, 2] > h * 0.9)
    lip = Mesh(
        body.vertices * np.column_stack([pull, np.ones_like(pull), np.ones_like(pull)]),
        body.faces,
        face_colors=body.face_colors,
    )
    t = np.linspace(0, np.pi, 9)
    grip = tube(
        np.column_stack([-r * 0.8 - 0.05 * np.sin(t), 0 * t, h * 0.57 + h * 0.33 * np.cos(t)]), 0.009, color
    )
    return [lip, grip], ["water jug", "pitcher", "jug"]


def watering_can(rng: Rng) -> Drawn:
    """Watering cans: a tub, a long spout with a rose, a handle over the top."""
    color, r, h = pick(rng, steel(rng), bright(rng), bright(rng)), rng.uniform(0.09, 0.13), rng.uniform(0.18, 0.26)
    body = lathe(
        [(r, 0), (r * rng.uniform(0.8, 1), h), (r * 0.7, h), (r * 0.7, h - 0.01), (0, h - 0.01)], color=color
    )
    spout = rod((r * 0.8, 0, h * 0.2), (r * 2.6, 0, h * 1.15), 0.025, color, 0.013)
    rose = rotate(cylinder(0.015, 0.04, color=color, top=0.04), "y", 55)
    t = np.linspace(0, np.pi, 11)
    grip = tube(np.column_stack([r * 0.9 * np.cos(t) - r * 0.3, 0 * t, h + r * 0.9 * np.sin(t)]), 0.01, color)
    return [body, spout, grip, *([move(rose, (r * 2.6, 0, h * 1.15))] if maybe(rng, 0.7) else [])], [
        "garden watering can",
        "garden tool",
    ]


def cutting_board(rng: Rng) -> Drawn:
    """Cutting boards with a hole or a handle, some with a loaf or a knife."""
    w, d, color = rng.uniform(0.2, 0.3), rng.uniform(0.3, 0.42), wood(rng)
    parts = [box((d, w, 0.02), color=color, bevel=0.005)]
    if maybe(rng):
        parts += [
            box((0.12, 0.05, 0.02), (d / 2 + 0.05, 0, 0), color, 0.005),
            torus(0.02, 0.008, (d / 2 + 0.11, 0, 0.01), color, 12),
        ]
    if maybe(rng, 0.4):
        parts.append(cushion((0.2, 0.1, 0.09), (0, 0, 0.02), near(rng, (0.7, 0.45, 0.2)), 0.6))
        return parts, ["cutting board with bread", "chopping board"]
    if maybe(rng, 0.4):
        blade = extrude([(0, 0), (0.18, 0.0), (0.15, 0.03), (0, 0.035)], 0.003, (-0.05, 0, 0.02), steel(rng))
        return [*parts, blade, box((0.11, 0.025, 0.015), (-0.1, 0.018, 0.02), dark(rng))], [
            "cutting board with a knife",
            "chopping board",
        ]
    return parts, ["chopping board", "wooden board"]


def kitchen_tool(rng: Rng, *kinds: str) -> Drawn:
    """Rolling pins, whisks, spatulas, graters, corkscrews, pepper mills."""
    kind = pick(rng, *(kinds or ("rolling pin", "whisk", "spatula", "grater", "pepper mill")))
    color = wood(rng)
    if kind == "rolling pin":
        w = rng.uniform(0.2, 0.28)
        profile = [
            (0.012, -w * 0.85),
            (0.014, -w * 0.6),
            (0.008, -w * 0.52),
            (0.028, -w * 0.5),
            (0.03, 0),
            (0.028, w * 0.5),
            (0.008, w * 0.52),
            (0.014, w * 0.6),
            (0.012, w * 0.85),
        ]
        return [rotate(lathe(profile, color=color), "x", 90)], [kind, "kitchen tool"]
    if kind == "whisk":
        t2 = np.linspace(0, 2 * np.pi, 19)
        loop = tube(np.column_stack([0.035 * np.sin(t2), 0 * t2, 0.09 - 0.09 * np.cos(t2)]), 0.002, steel(rng), 5)
        return [
            rotate(
                merge(
                    [
                        ring(loop, 4, arc=135),
                        rod((0, 0, -0.12), (0, 0, 0.01), 0.012, pick(rng, steel(rng), dark(rng), color)),
                    ]
                ),
                "y",
                rng.uniform(60, 120),
            )
        ], [kind, "kitchen tool"]
    if kind == "spatula":
        blade = extrude(
            [(0, -0.03), (0.1, -0.045), (0.1, 0.045), (0, 0.03)],
            0.004,
            color=pick(rng, steel(rng), dark(rng), bright(rng)),
        )
        slots = copies(box((0.06, 0.006, 0.003), color=dark(rng)), [(0.055, y, 0.003) for y in (-0.02, 0, 0.02)])
        return [
            blade,
            slots,
            rod((0.01, 0, 0.002), (-0.1, 0, 0.03), 0.005, steel(rng)),
            capsule((-0.1, 0, 0.03), (-0.22, 0, 0.04), 0.011, dark(rng)),
        ], [kind, "turner", "kitchen tool"]
    if kind == "grater":
        body = cylinder(0.07, 0.22, color=steel(rng), top=0.045, sides=4)
        z, y = np.meshgrid(np.linspace(0.04, 0.18, 8), np.linspace(-0.02, 0.02, 4))
        bumps = copies(
            sphere(0.004, color=dark(rng), sides=6), np.column_stack([np.full(z.size, 0.043), y.ravel(), z.ravel()])
        )
        grip = tube([(0, -0.025, 0.22), (0, -0.025, 0.25), (0, 0.025, 0.25), (0, 0.025, 0.22)], 0.006, dark(rng))
        return [rotate(body, "z", 45), bumps, grip], ["cheese grater", kind, "kitchen tool"]
    h = rng.uniform(0.12, 0.25)
    z = np.array([0, 0.05, 0.3, 0.5, 0.62, 0.7, 0.75, 0.85, 0.93, 0.97, 1.0])
    r = np.array([0.03, 0.031, 0.024, 0.018, 0.026, 0.018, 0.026, 0.028, 0.015, 0.008, 0.0])
    return [lathe(np.column_stack([r, z * h]), color=pick(rng, color, dark(rng)))], [
        kind,
        "pepper grinder",
        "spice mill",
    ]


def faucet(rng: Rng) -> Drawn:
    """Taps: bowed, angular, with one lever or two grips."""
    color = pick(rng, steel(rng), near(rng, (0.78, 0.62, 0.3)), dark(rng))
    h, reach = rng.uniform(0.12, 0.35), rng.uniform(0.1, 0.22)
    kind = pick(rng, "two", "bow", "lever")
    if kind == "two":
        return [tap(rng, (0, 0, 0.02), rng.uniform(1.0, 1.4)), box((0.06, 0.22, 0.02), color=color, bevel=0.008)], [
            "tap",
            "water tap",
        ]
    t = np.linspace(0, np.pi, 11)
    if kind == "bow":
        path = np.concatenate(
            [
                [(0, 0, 0)],
                np.column_stack([reach / 2 * (1 - np.cos(t)), 0 * t, h + reach / 2 * np.sin(t)]),
                [(reach, 0, h - 0.04)],
            ]
        )
        neck = tube(path, 0.013, color)
    else:
        neck = tube(
            [(0, 0, 0), (0, 0, h * 0.5), (0.01, 0, h * 0.55), (reach, 0, h * 0.5)],
            (0.022, 0.022, 0.02, 0.014),
            color,
            10,
        )
    lever = (
        rod((0, 0, h * 0.55), (-0.02, 0.07, h * 0.7), 0.007, color)
        if kind == "bow"
        else rod((0, 0, h * 0.55), (-0.03, 0, h * 0.8), 0.009, color)
    )
    return [neck, cylinder(0.03, 0.012, color=color, sides=18), lever], ["tap", "water tap", "mixer tap"]

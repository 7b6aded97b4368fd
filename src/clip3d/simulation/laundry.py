"""Things of the bathroom and the laundry, hangers, scales."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, scale
from clip3d.simulation.shapes import (
    box,
    capsule,
    cushion,
    cylinder,
    dome,
    extrude,
    lathe,
    rod,
    sphere,
    torus,
    tube,
)


def toilet_paper(rng: Rng) -> Drawn:
    """Paper rolls: alone, stacked, or on a holder."""
    r, w, color = rng.uniform(0.05, 0.065), 0.1, white(rng)
    roll = lathe([(r, 0), (r, w), (0.02, w), (0.02, 0)], color=color, sides=24)
    tube_ = lathe([(0.02, 0), (0.02, w)], color=near(rng, (0.6, 0.48, 0.35)))
    one = merge([roll, tube_])
    if maybe(rng, 0.3):
        return [copies(one, [(0, 0, i * w) for i in range(count(rng, 2, 4))])], [
            "stack of toilet paper",
            "toilet rolls",
        ]
    if maybe(rng, 0.4):
        bar = tube([(0, -0.07, 0.06), (0, -0.07, 0), (0, 0.08, 0)], 0.006, steel(rng))
        return [
            move(rotate(one, "x", 90), (0, 0.05, 0)),
            bar,
            box((0.01, 0.2, 0.08), (-0.06, 0, 0.04), steel(rng)),
        ], ["toilet paper holder", "toilet paper"]
    flap = box((0.002, 0.1, 0.08), (r, 0, -0.08), color)
    return [move(rotate(one, "x", 90), (0, 0.05, 0)), flap], ["roll of toilet paper", "toilet roll"]


def toothbrush(rng: Rng) -> Drawn:
    """Toothbrushes: plain, electric, in a cup."""
    color = bright(rng)
    bristles = box((0.024, 0.01, 0.012), (0.085, 0, 0.004), white(rng), 0.002)
    if maybe(rng, 0.3):
        return [
            capsule((-0.11, 0, 0), (0.0, 0, 0), 0.015, white(rng), 0.012),
            rod((0, 0, 0), (0.08, 0, 0), 0.006, color, 0.004),
            bristles,
        ], ["electric toothbrush"]
    bar = tube(
        [(-0.09, 0, 0), (-0.03, 0, 0.003), (0.03, 0, 0), (0.07, 0, 0.0), (0.1, 0, 0)],
        (0.006, 0.007, 0.005, 0.004, 0.006),
        color,
        section=(1.1, 0.7),
    )
    if maybe(rng, 0.3):
        mug = lathe([(0.035, 0), (0.04, 0.1), (0.037, 0.1), (0.033, 0.005), (0, 0.005)], color=white(rng))
        return [mug, move(rotate(merge([bar, bristles]), "y", -75), (0.01, 0, 0.1))], ["toothbrush in a cup"]
    return [bar, bristles], ["tooth brush"]


def hair_tool(rng: Rng, *kinds: str) -> Drawn:
    """Hair dryers, brushes and combs."""
    kind, color = (
        pick(rng, *(kinds or ("hair dryer", "hairbrush", "comb"))),
        pick(rng, bright(rng), dark(rng), white(rng)),
    )
    if kind == "hair dryer":
        body = rotate(
            lathe(
                [(0.03, -0.07), (0.042, -0.06), (0.042, 0.02), (0.03, 0.1), (0.03, 0.13), (0.025, 0.13), (0, 0.1)],
                color=color,
            ),
            "y",
            90,
        )
        return [
            body,
            capsule((-0.02, 0, -0.02), (-0.04, 0, -0.14), 0.018, near(rng, color)),
            tube([(-0.04, 0, -0.15), (-0.05, 0, -0.19), (-0.12, 0, -0.2)], 0.004, dark(rng)),
        ], ["hairdryer", "blow dryer", kind]
    if kind == "comb":
        n = count(rng, 14, 24)
        teeth = box((0.003, 0.03, 0.003), (0, -0.015, 0), color)
        return [
            box((0.17, 0.014, 0.004), (0, 0.007, 0), color, 0.001),
            copies(teeth, [(x, 0, 0) for x in np.linspace(-0.08, 0.08, n)]),
        ], ["hair comb", kind]
    x, y = np.meshgrid(np.linspace(-0.04, 0.04, 7), np.linspace(-0.02, 0.02, 4))
    pins = copies(
        rod((0, 0, 0), (0, 0, 0.018), 0.0015, dark(rng), sides=4),
        np.column_stack([x.ravel() + 0.04, y.ravel(), np.full(x.size, 0.01)]),
    )
    head = move(scale(sphere(1.0, color=color, sides=14), (0.06, 0.035, 0.012)), (0.04, 0, 0.004))
    return [head, pins, capsule((-0.02, 0, 0), (-0.13, 0, 0), 0.011, color, 0.013)], ["hair brush", kind]


def ironing_board(rng: Rng) -> Drawn:
    """Ironing boards: a long pointed board on crossed legs."""
    t, color, h = np.linspace(-np.pi / 2, np.pi / 2, 9), bright(rng), rng.uniform(0.75, 0.92)
    outline = [(-0.6, 0.19), (-0.6, -0.19), *((0.3 + 0.4 * np.cos(a), 0.19 * np.sin(a)) for a in t)]
    frame = steel(rng)
    legs = [
        rod((-0.45, 0.03, 0.03), (0.35, 0.03, h), 0.014, frame),
        rod((0.4, -0.03, 0.03), (-0.4, -0.03, h), 0.014, frame),
    ]
    feet = [rod((x, -0.2, 0.015), (x, 0.2, 0.015), 0.014, frame) for x in (-0.45, 0.4)]
    return [extrude(outline, 0.03, (0, 0, h), color), *legs, *feet], ["ironing table"]


def drying_rack(rng: Rng) -> Drawn:
    """Clothes airers: wings of thin bars on crossed legs, some with towels."""
    frame, w, h = pick(rng, steel(rng), white(rng)), rng.uniform(0.5, 0.6), rng.uniform(0.8, 1.0)
    bar = rod((0, -w / 2, 0), (0, w / 2, 0), 0.006, frame, sides=6)
    x = np.linspace(-0.75, 0.75, count(rng, 10, 16))
    z = h + 0.25 * np.clip(np.abs(x) - 0.3, 0, 1)
    rails = both_sides(
        tube([(-0.75, w / 2, h + 0.11), (-0.3, w / 2, h), (0.3, w / 2, h), (0.75, w / 2, h + 0.11)], 0.009, frame)
    )
    legs = both_sides(merge([rod((s * 0.35, w / 2, 0), (-s * 0.3, w / 2, h), 0.01, frame) for s in (-1, 1)]))
    cloths = [
        box((0.012, w * rng.uniform(0.4, 0.9), 0.4), (float(x[i]), 0, float(z[i]) - 0.38), bright(rng))
        for i in range(1, len(x) - 1)
        if maybe(rng, 0.3)
    ]
    return [copies(bar, np.column_stack([x, 0 * x, z])), rails, legs, *cloths], [
        "clothes airer",
        "clothes drying rack",
        "clothes horse",
    ]


def hanger(rng: Rng) -> Drawn:
    """Clothes hangers with a hook."""
    color, w, drop = pick(rng, wood(rng), dark(rng), steel(rng)), rng.uniform(0.19, 0.23), rng.uniform(0.06, 0.11)
    t = np.radians(np.linspace(-90, 150, 11))
    hook = tube(np.column_stack([0 * t, 0.022 * np.cos(t), 0.055 + 0.022 * np.sin(t)]), 0.003, steel(rng))
    shoulders = tube(
        [(0.02, -w, -drop), (0, -w * 0.4, -0.02), (0, 0, 0), (0, w * 0.4, -0.02), (0.02, w, -drop)],
        rng.uniform(0.005, 0.013),
        color,
    )
    parts = [shoulders, hook, rod((0, 0, 0), (0, 0, 0.034), 0.003, steel(rng))]
    return [*parts, *([rod((0.02, -w, -drop), (0.02, w, -drop), 0.005, color)] if maybe(rng, 0.7) else [])], [
        "coat hanger",
        "clothes hanger",
    ]


def coat_rack(rng: Rng) -> Drawn:
    """Coat stands: a pole with arms on three or four feet, or a rail on wheels; some with coats."""
    frame, h, n = pick(rng, wood(rng), dark(rng), metal(rng)), rng.uniform(1.6, 1.85), count(rng, 3, 6)
    foot = tube([(0.02, 0, 0.3), (0.14, 0, 0.14), (0.26, 0, 0.015)], 0.018, frame)
    arm = tube([(0.02, 0, h - 0.12), (0.13, 0, h - 0.08), (0.18, 0, h + 0.03)], 0.013, frame)
    parts = [
        cylinder(0.024, h, color=frame),
        ring(foot, count(rng, 3, 4)),
        ring(arm, n),
        sphere(0.035, (0, 0, h), frame, 10),
    ]
    if maybe(rng, 0.35):
        parts.append(ring(arm, n, start=30))
    coats = [
        move(
            rotate(cushion((0.16, 0.36, rng.uniform(0.6, 0.9)), color=bright(rng), softness=0.4), "z", i * 90),
            (0.16 * np.cos(i * np.pi / 2), 0.16 * np.sin(i * np.pi / 2), h - 0.95),
        )
        for i in range(4)
        if maybe(rng, 0.2)
    ]
    return [*parts, *coats], ["coat stand", "hat stand", "coat tree"]


def scales(rng: Rng) -> Drawn:
    """Scales: bathroom plates, kitchen scales with a bowl, balances with two pans."""
    kind, color = (
        pick(rng, "bathroom scale", "kitchen scale", "balance"),
        pick(rng, white(rng), bright(rng), steel(rng)),
    )
    if kind == "bathroom scale":
        return [
            box((0.3, 0.3, 0.03), color=color, bevel=0.01),
            box((0.05, 0.1, 0.006), (-0.1, 0, 0.028), dark(rng)),
            box((0.18, 0.26, 0.005), (0.04, 0, 0.028), near(rng, color)),
        ], [kind, "weighing scale"]
    if kind == "kitchen scale":
        dial = move(rotate(cylinder(0.06, 0.01, color=white(rng), sides=24), "y", 90), (0.07, 0, 0.09))
        bowl = lathe([(0.05, 0.17), (0.12, 0.22), (0.115, 0.22), (0, 0.175)], color=steel(rng))
        return [cylinder(0.1, 0.16, color=color, top=0.06, sides=4), dial, bowl], [kind, "weighing scale"]
    h, tilt, gold = 0.4, rng.uniform(-0.04, 0.04), near(rng, (0.8, 0.62, 0.25))
    pan = lathe([(0, 0), (0.09, 0.02), (0.1, 0.035), (0.095, 0.035), (0, 0.006)], color=gold)
    parts = [
        lathe([(0.1, 0), (0.09, 0.02), (0.015, 0.05), (0.012, h)], color=gold),
        rod((0, -0.22, h + tilt), (0, 0.22, h - tilt), 0.009, gold),
    ]
    for s in (-1, 1):
        z = h - s * tilt - 0.22
        parts.append(
            move(
                merge(
                    [
                        pan,
                        *(
                            rod((0.09 * np.cos(a), 0.09 * np.sin(a), 0.03), (0, 0, 0.22), 0.002, gold, sides=4)
                            for a in (0, 2.1, 4.2)
                        ),
                    ]
                ),
                (0, s * 0.22, z),
            )
        )
    return parts, ["balance scale", "scales of justice", "weighing scale"]


def sewing_machine(rng: Rng) -> Drawn:
    """Sewing machines: a column, an arm over a bed, a hand wheel."""
    color = pick(rng, white(rng), dark(rng), bright(rng))
    wheel = move(rotate(torus(0.06, 0.012, color=steel(rng), sides=20), "x", 90), (0, 0.2, 0.22))
    parts = [
        box((0.16, 0.4, 0.05), color=color, bevel=0.01),
        box((0.1, 0.09, 0.27), (0, 0.13, 0.03), color, 0.02),
        box((0.09, 0.32, 0.08), (0, 0.0, 0.22), color, 0.02),
        box((0.08, 0.07, 0.13), (0, -0.14, 0.15), color, 0.01),
    ]
    return [
        *parts,
        wheel,
        rod((0.01, -0.14, 0.06), (0.01, -0.14, 0.15), 0.004, steel(rng)),
        cylinder(0.012, 0.05, (0, 0.05, 0.3), bright(rng)),
        dome((0.03, 0.03, 0.01), (0.03, 0.1, 0.05), steel(rng)),
    ], ["sewing machine"]

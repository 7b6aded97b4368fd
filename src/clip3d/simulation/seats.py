"""The rarer chairs: thrones, egg chairs, director's chairs, adirondacks, tub chairs, recliners, school chairs."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, fabric, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs, star_base
from clip3d.simulation.moving import both_sides, copies, deform, merge, move, ring, rotate
from clip3d.simulation.shapes import beam, box, cushion, cylinder, extrude, lathe, loft, rod, sphere, torus, tube


def odd_chair(rng: Rng) -> Drawn:
    """One of the rarer designs."""
    kinds = (
        _tub,
        _tub,
        _recliner,
        _director,
        _adirondack,
        _throne,
        _egg,
        _school,
        _lounge,
        _gaming,
        _stack,
        _x_back,
        _tulip,
    )
    return pick(rng, *kinds)(rng)


def _tub(rng: Rng) -> Drawn:
    r, seat, high, lift = (
        rng.uniform(0.32, 0.42),
        rng.uniform(0.38, 0.46),
        rng.uniform(0.65, 0.85),
        rng.uniform(0.05, 0.25),
    )
    cloth, open_ = fabric(rng) if maybe(rng, 0.7) else bright(rng), rng.uniform(60, 150)
    t = np.radians(np.linspace(open_ / 2, 360 - open_ / 2, 17))
    inner = r - rng.uniform(0.07, 0.12)
    outline = [(r * np.cos(a), r * np.sin(a)) for a in t] + [
        (inner * np.cos(a), inner * np.sin(a)) for a in t[::-1]
    ]
    shell = extrude(outline, high - lift, (0, 0, lift), cloth)
    slope = rng.uniform(0, 0.45)
    fall = slope * (high - seat) * np.clip((shell.vertices[:, 0] + r) / (2 * r), 0, 1)
    shell = deform(shell, 1 - fall * (shell.vertices[:, 2] > high - 0.01) / high, "z")
    base = cylinder(r * 0.97, seat - 0.12 - lift, (0, 0, lift), cloth, sides=24)
    pad = cushion((r * 1.85, r * 1.8, 0.16), (0.03, 0, seat - 0.13), near(rng, cloth, 0.04), 0.6)
    if maybe(rng, 0.3):
        foot = [cylinder(0.03, lift, color=steel(rng)), cylinder(r * 0.7, 0.02, color=steel(rng), sides=22)]
        return [shell, base, pad, *foot], ["tub chair", "swivel armchair", "armchair"]
    legs = four_legs(rng, r * 1.2, r * 1.2, lift + 0.02, pick(rng, wood(rng), metal(rng)), 0.045)
    return [shell, base, pad, *legs], ["tub chair", "barrel chair", "armchair"]


def _recliner(rng: Rng) -> Drawn:
    width, depth, seat = rng.uniform(0.52, 0.62), rng.uniform(0.55, 0.65), rng.uniform(0.4, 0.47)
    cloth, arm, out = fabric(rng), rng.uniform(0.12, 0.2), maybe(rng, 0.6)
    parts = [both_sides(cushion((depth + 0.25, arm, seat + 0.2), (0, (width + arm) / 2, 0.04), cloth, 0.2))]
    parts.append(box((depth + 0.1, width, seat - 0.15), (0, 0, 0.05), cloth, 0.02))
    parts.append(cushion((depth, width, 0.2), (0.04, 0, seat - 0.15), near(rng, cloth, 0.03), 0.3))
    n, tall = count(rng, 1, 3), rng.uniform(0.6, 0.75)
    rolls = [
        move(cushion((0.2, width, tall / n * 1.05), color=cloth, softness=0.4), (0, 0, i * tall / n))
        for i in range(n)
    ]
    lean = -rng.uniform(20, 55) if out else -14
    parts += [move(rotate(m, "y", lean), (-depth / 2, 0, seat - 0.05)) for m in rolls]
    if out:
        rest = rotate(cushion((0.42, width * 0.95, 0.12), (0.21, 0, -0.1), cloth, 0.3), "y", -rng.uniform(-20, 5))
        parts += [
            move(rest, (depth / 2 + 0.05, 0, seat - 0.03)),
            box((0.3, 0.05, 0.03), (depth / 2, 0, seat - 0.1), dark(rng)),
        ]
    return parts, ["reclining chair" if out else "recliner", "recliner", "armchair"]


def _director(rng: Rng) -> Drawn:
    width, seat, top = rng.uniform(0.48, 0.56), rng.uniform(0.42, 0.7), rng.uniform(0.38, 0.45)
    frame, cloth, x, y = wood(rng), bright(rng), 0.22, rng.uniform(0.24, 0.28)
    cross = merge([beam((s * x, -y, 0.03), (s * x, y, seat), 0.03, 0.03, frame) for s in (-1, 1)])
    parts = [both_sides(cross), both_sides(beam((-x - 0.03, y, 0.02), (x + 0.03, y, 0.02), 0.04, 0.035, frame))]
    parts.append(both_sides(beam((-x, y, seat), (x, y, seat), 0.035, 0.03, frame)))
    parts.append(both_sides(copies(box((0.03, 0.03, 0.2), color=frame), [(-x, y, seat), (x, y, seat)])))
    parts.append(both_sides(box((2 * x + 0.08, 0.06, 0.025), (0, y, seat + 0.2), frame)))
    parts.append(both_sides(box((0.03, 0.03, top), (-x, y, seat + 0.1), frame)))
    parts += [
        box((2 * x, width, 0.01), (0, 0, seat), cloth),
        box((0.012, width, 0.17), (-x, 0, seat + top - 0.08), cloth),
    ]
    return parts, ["director's chair", "folding chair", "canvas chair"]


def _adirondack(rng: Rng) -> Drawn:
    color, width, n = wood(rng) if maybe(rng, 0.7) else bright(rng), rng.uniform(0.5, 0.6), count(rng, 5, 7)
    seat = rotate(copies(box((0.09, width, 0.02), color=color), [(0.1 * i - 0.2, 0, 0) for i in range(5)]), "y", 12)
    pitch = width / n
    tall = rng.uniform(0.65, 0.85)
    slats = [
        box(
            (0.018, pitch * 0.85, tall - 0.25 * tall * ((i - (n - 1) / 2) / n * 2) ** 2),
            (0, (i - (n - 1) / 2) * pitch, 0),
            color,
        )
        for i in range(n)
    ]
    parts = [move(seat, (0.02, 0, 0.33)), *(move(rotate(m, "y", -24), (-0.22, 0, 0.28)) for m in slats)]
    parts.append(both_sides(box((0.66, 0.12, 0.022), (0.02, width / 2 + 0.05, 0.52), color, 0.008)))
    parts.append(both_sides(box((0.1, 0.025, 0.52), (0.26, width / 2 + 0.01, 0), color)))
    parts.append(both_sides(beam((0.3, width / 2 - 0.01, 0.34), (-0.5, width / 2 - 0.01, 0.03), 0.025, 0.1, color)))
    parts.append(
        both_sides(beam((-0.32, width / 2 + 0.03, 0.52), (-0.3, width / 2 + 0.01, 0.12), 0.025, 0.06, color))
    )
    return parts, ["adirondack chair", "garden chair", "lawn chair"]


def _throne(rng: Rng) -> Drawn:
    width, seat, top = rng.uniform(0.6, 0.75), rng.uniform(0.45, 0.52), rng.uniform(1.3, 1.8)
    color, cloth, depth = (
        pick(rng, wood(rng), near(rng, (0.85, 0.68, 0.22)), near(rng, (0.65, 0.64, 0.6))),
        bright(rng),
        0.6,
    )
    parts = [
        box((depth, width, seat - 0.06), color=color),
        cushion((depth * 0.9, width * 0.85, 0.14), (0.02, 0, seat - 0.08), cloth, 0.3),
    ]
    outline = [
        (-width / 2, 0),
        (width / 2, 0),
        (width / 2, top * 0.85),
        (width * 0.2, top * 0.92),
        (0, top),
        (-width * 0.2, top * 0.92),
        (-width / 2, top * 0.85),
    ]
    parts.append(move(rotate(rotate(extrude(outline, 0.08, color=color), "x", 90), "z", 90), (-depth / 2, 0, 0)))
    parts.append(box((0.05, width * 0.7, top * 0.45), (-depth / 2 + 0.08, 0, seat + 0.08), near(rng, cloth)))
    parts.append(both_sides(box((depth, 0.09, seat + 0.24), (0, width / 2, 0), color, 0.01)))
    knob = sphere(0.06, color=near(rng, color), sides=10)
    parts.append(
        both_sides(
            merge(
                [
                    move(knob, (depth / 2, width / 2, seat + 0.27)),
                    move(knob, (-depth / 2 + 0.02, width / 2, top * 0.88)),
                ]
            )
        )
    )
    if maybe(rng, 0.5):
        parts.append(box((0.35, width * 1.1, 0.14), (depth / 2 + 0.18, 0, 0), color))
    return parts, ["throne", "king's throne", "high-backed chair"]


def _egg(rng: Rng) -> Drawn:
    color, cloth, r = (
        pick(rng, bright(rng), white(rng), near(rng, (0.6, 0.45, 0.3))),
        fabric(rng),
        rng.uniform(0.4, 0.5),
    )
    tall, cut = r * rng.uniform(1.1, 1.5), rng.uniform(0.2, 0.5)
    turn, rise = np.linspace(0, 2 * np.pi, 24, endpoint=False), np.linspace(-0.98, 0.98, 11)
    flat = np.sqrt(1 - rise**2)
    outer = np.stack(
        [
            np.stack([r * f * np.minimum(np.cos(turn), cut), r * f * np.sin(turn), np.full(24, tall * z)], axis=1)
            for f, z in zip(flat, rise, strict=True)
        ]
    )
    lift = rng.uniform(0.25, 0.35)
    parts = [
        lathe([(0.25, 0), (0.25, 0.015), (0.03, 0.05), (0.025, lift)], color=steel(rng)),
        move(loft(outer, color), (0, 0, lift + tall * 0.95)),
    ]
    parts.append(cushion((r * 1.1, r * 1.5, 0.14), (r * 0.05, 0, lift + tall * 0.35), cloth, 0.6))
    if maybe(rng, 0.4):
        high = lift + 2 * tall + 0.4
        post = tube(
            [(-r - 0.35, 0, 0.02), (-r - 0.3, 0, high * 0.7), (-r * 0.6, 0, high), (0, 0, high - 0.05)],
            0.025,
            dark(rng),
        )
        rope = rod((0, 0, lift + tall * 1.9), (0, 0, high - 0.05), 0.01, dark(rng))
        return [*parts[1:], post, rope, cylinder(r * 0.9, 0.02, color=dark(rng), sides=22)], [
            "hanging chair",
            "egg chair",
            "swing chair",
        ]
    return parts, ["egg chair", "ball chair", "modern chair"]


def _school(rng: Rng) -> Drawn:
    seat, frame, board = (
        rng.uniform(0.42, 0.46),
        pick(rng, steel(rng), dark(rng)),
        pick(rng, wood(rng), bright(rng)),
    )
    parts = four_legs(rng, 0.36, 0.36, seat, frame, 0.03, pick(rng, "round", "splayed"))
    parts.append(box((0.4, 0.4, 0.02), (0, 0, seat), board, 0.008))
    parts.append(
        both_sides(tube([(-0.18, 0.16, seat), (-0.24, 0.16, seat + 0.2), (-0.26, 0.16, seat + 0.4)], 0.012, frame))
    )
    parts.append(rotate(box((0.015, 0.4, 0.2), (-0.25, 0, seat + 0.2), board, 0.005), "y", -4))
    side = pick(rng, -1, 1)
    parts.append(
        tube(
            [(0.16, side * 0.2, seat), (0.18, side * 0.26, seat + 0.24), (-0.05, side * 0.26, seat + 0.25)],
            0.012,
            frame,
        )
    )
    parts.append(box((0.5, 0.26, 0.018), (0.16, side * 0.2, seat + 0.25), wood(rng), 0.006))
    if maybe(rng, 0.5):
        parts.append(box((0.34, 0.34, 0.02), (0, 0, seat - 0.2), frame))
    return parts, ["school chair with a writing tablet", "school chair", "tablet arm chair"]


def _lounge(rng: Rng) -> Drawn:
    shell, cloth, width = wood(rng), pick(rng, dark(rng), fabric(rng)), rng.uniform(0.6, 0.75)
    seat = rotate(
        merge(
            [
                cushion((0.56, width, 0.13), color=cloth, softness=0.35),
                box((0.58, width, 0.02), (0, 0, -0.02), shell),
            ]
        ),
        "y",
        -14,
    )
    back = rotate(
        merge(
            [
                cushion((0.13, width, 0.42), color=cloth, softness=0.35),
                box((0.02, width, 0.42), (-0.08, 0, 0), shell),
            ]
        ),
        "y",
        -32,
    )
    head = rotate(
        merge(
            [
                cushion((0.12, width * 0.9, 0.24), color=cloth, softness=0.4),
                box((0.02, width * 0.9, 0.24), (-0.07, 0, 0), shell),
            ]
        ),
        "y",
        -26,
    )
    base = [move(m, (0.02, 0, 0)) for m in star_base(rng, 0.32, 0.3, dark(rng), False)]
    parts = [move(seat, (0.05, 0, 0.34)), move(back, (-0.27, 0, 0.4)), move(head, (-0.52, 0, 0.76)), *base]
    parts.append(both_sides(cushion((0.4, 0.1, 0.07), (-0.05, width / 2 + 0.04, 0.56), cloth, 0.4)))
    parts.append(both_sides(box((0.05, 0.03, 0.22), (-0.05, width / 2 + 0.05, 0.36), shell)))
    if maybe(rng, 0.5):
        stool = merge(
            [
                cushion((0.46, width * 0.85, 0.13), (0, 0, 0.32), cloth, 0.35),
                *star_base(rng, 0.26, 0.32, dark(rng), False),
            ]
        )
        return [*parts, move(stool, (0.75, 0, 0))], ["lounge chair with an ottoman", "lounge chair", "easy chair"]
    return parts, ["lounge chair", "easy chair", "swivel chair"]


def _gaming(rng: Rng) -> Drawn:
    shade, stripe, seat = dark(rng), bright(rng), rng.uniform(0.44, 0.52)
    parts = star_base(rng, 0.32, seat - 0.05, dark(rng), True)
    parts.append(cushion((0.5, 0.52, 0.12), (0.02, 0, seat - 0.06), shade, 0.3))
    parts.append(both_sides(cushion((0.5, 0.1, 0.13), (0.03, 0.24, seat - 0.03), stripe, 0.5)))
    outline = [
        (-0.22, 0),
        (0.22, 0),
        (0.27, 0.3),
        (0.24, 0.5),
        (0.27, 0.62),
        (0.15, 0.84),
        (-0.15, 0.84),
        (-0.27, 0.62),
        (-0.24, 0.5),
        (-0.27, 0.3),
    ]
    back = rotate(rotate(extrude(outline, 0.1, color=shade), "x", 90), "z", 90)
    band = both_sides(box((0.03, 0.06, 0.6), (0.1, 0.2, 0.06), stripe, 0.01))
    pads = [
        cushion((0.08, 0.26, 0.14), (0.1, 0, 0.62), stripe, 0.5),
        cushion((0.08, 0.34, 0.18), (0.1, 0, 0.08), stripe, 0.5),
    ]
    parts += [
        move(rotate(m, "y", -rng.uniform(6, 16)), (-0.24, 0, seat))
        for m in [merge([back, band, *pads[: count(rng, 0, 2)]])]
    ]
    parts.append(
        both_sides(
            merge(
                [
                    box((0.26, 0.08, 0.03), (0, 0.32, seat + 0.22), shade, 0.01),
                    box((0.06, 0.03, 0.28), (0, 0.32, seat - 0.05), shade),
                ]
            )
        )
    )
    return parts, ["gaming chair", "racing style office chair", "office chair", "swivel chair"]


def _stack(rng: Rng) -> Drawn:
    color, width, seat = (
        bright(rng) if maybe(rng, 0.6) else white(rng),
        rng.uniform(0.44, 0.54),
        rng.uniform(0.4, 0.45),
    )
    leg = rod((0.25, width / 2 + 0.02, 0), (0.18, width / 2 - 0.02, seat), 0.025, color, 0.03)
    rear = rod((-0.28, width / 2, 0), (-0.2, width / 2 - 0.02, seat), 0.025, color, 0.03)
    parts = [both_sides(leg), both_sides(rear), box((0.44, width, 0.03), (0, 0, seat), color, 0.01)]
    t, n = np.linspace(0, np.pi, 11), count(rng, 3, 6)
    hoop = np.column_stack([-0.22 - 0.1 * np.sin(t), width / 2 * np.cos(t), seat + 0.42 * np.sin(t) ** 0.5])
    parts.append(tube(hoop, 0.022, color))
    slat = box((0.018, width / n * 0.6, 0.36), color=color)
    parts.append(
        move(
            rotate(copies(slat, [(0, (i - (n - 1) / 2) * width / n * 0.85, 0) for i in range(n)]), "y", -13),
            (-0.22, 0, seat + 0.02),
        )
    )
    if maybe(rng, 0.7):
        parts.append(
            both_sides(
                tube(
                    [
                        (0.22, width / 2, seat),
                        (0.2, width / 2 + 0.02, seat + 0.2),
                        (-0.27, width / 2 + 0.02, seat + 0.23),
                    ],
                    0.022,
                    color,
                )
            )
        )
    return parts, ["plastic garden chair", "garden chair", "plastic chair"]


def _x_back(rng: Rng) -> Drawn:
    width, seat, high, frame = rng.uniform(0.4, 0.48), rng.uniform(0.43, 0.47), rng.uniform(0.4, 0.5), wood(rng)
    pad = lathe(
        [(0, 0), (width / 2, 0), (width / 2, 0.03), (width * 0.46, 0.04), (0, 0.035)],
        (0, 0, seat),
        near(rng, frame),
        24,
    )
    leg = rod((width * 0.48, 0, 0), (width * 0.38, 0, seat), 0.014, frame, 0.018)
    t = np.linspace(0, np.pi, 15)
    hoop = np.column_stack(
        [-width * 0.38 - 0.12 * np.sin(t), width * 0.42 * np.cos(t), seat + high * np.sin(t) ** 0.7]
    )
    inner = np.column_stack(
        [-width * 0.38 - 0.09 * np.sin(t), width * 0.24 * np.cos(t), seat + high * 0.72 * np.sin(t) ** 0.7]
    )
    parts = [
        pad,
        ring(leg, 4, start=45),
        torus(width * 0.4, 0.011, (0, 0, seat * 0.5), frame, 22),
        tube(hoop, 0.014, frame),
        tube(inner, 0.011, frame),
    ]
    return parts, ["bentwood chair", "bistro chair", "cafe chair"]


def _tulip(rng: Rng) -> Drawn:
    color, cloth, seat = pick(rng, white(rng), dark(rng), bright(rng)), bright(rng), rng.uniform(0.4, 0.46)
    t = np.linspace(-2.3, 2.3, 13)
    low, top = 0.24, rng.uniform(0.32, 0.42)
    edge = np.interp(np.abs(t), [0, 1.1, 2.3], [top, top * 0.75, 0.08])
    rings = []
    for u in np.linspace(0, 1, 5):
        r = low * (0.75 + 0.35 * u)
        rings.append(np.column_stack([-r * np.cos(t), r * np.sin(t), seat + edge * u]))
    thick = [np.concatenate([ring_, (ring_ * [0.92, 0.92, 1])[::-1]]) for ring_ in rings]
    foot = lathe(
        [(0.25, 0), (0.22, 0.02), (0.05, 0.1), (0.03, seat * 0.6), (0.08, seat - 0.04), (0.22, seat)],
        color=color,
        sides=22,
    )
    return [foot, loft(np.stack(thick), color), cushion((0.42, 0.42, 0.07), (0, 0, seat - 0.01), cloth, 0.7)], [
        "tulip chair",
        "pedestal chair",
        "modern chair",
    ]

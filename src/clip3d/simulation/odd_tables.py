"""The rarer tables: drop-leaf, nested, glass, boat-shaped, tray, folding, work and card tables."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, scale
from clip3d.simulation.shapes import Color, box, cylinder, extrude, lathe, rod, sphere, torus, tube


def odd_table(rng: Rng) -> Drawn:
    """One of the rarer designs."""
    kinds = (_drop_leaf, _nested, _glass, _glass, _conference, _folding, _bench_table, _bistro, _bistro, _waterfall)
    more = (_pebble, _tulip, _tulip, _kids, _spool, _farm, _farm, _cluster, _trolley, _sculpture)
    return pick(rng, *kinds, *more)(rng)


def _clear(rng: Rng) -> Color:
    return near(rng, (0.72, 0.85, 0.86), 0.04)


def _oval(x: float, y: float, power: float, n: int = 28) -> list[tuple[float, float]]:
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    return list(
        zip(x * np.sign(c) * np.abs(c) ** (2 / power), y * np.sign(s) * np.abs(s) ** (2 / power), strict=True)
    )


def _drop_leaf(rng: Rng) -> Drawn:
    d, w, h, color = rng.uniform(0.3, 0.5), rng.uniform(0.8, 1.2), rng.uniform(0.7, 0.76), wood(rng)
    leaf, down = rng.uniform(0.3, 0.45), maybe(rng, 0.6)
    top = box((d, w, 0.025), (0, 0, h), color)
    flap = box((leaf, w, 0.025), (d / 2 + leaf / 2, 0, h), color)
    parts = [
        top,
        *four_legs(rng, d * 0.8, w * 0.85, h, color, 0.05),
        box((d * 0.75, w * 0.8, 0.1), (0, 0, h - 0.1), color),
    ]
    right = rotate(flap, "y", 88, (d / 2, 0, h + 0.02)) if down else flap
    left = rotate(move(flap, (-d - leaf, 0, 0)), "y", -88 if maybe(rng, 0.7) and down else 0, (-d / 2, 0, h + 0.02))
    return [*parts, right, left], ["drop-leaf table", "folding table", "dining table"]


def _nested(rng: Rng) -> Drawn:
    w, h, color, n = (
        rng.uniform(0.5, 0.65),
        rng.uniform(0.48, 0.6),
        pick(rng, wood(rng), white(rng)),
        count(rng, 2, 3),
    )
    parts = []
    for i in range(n):
        f = 1 - 0.2 * i
        legs = four_legs(rng, 0.38 * f, w * f - 0.06, h * f, color, 0.03, "straight")
        parts += [move(m, (0.18 * i, 0, 0)) for m in (box((0.42 * f, w * f, 0.025), (0, 0, h * f), color), *legs)]
    return parts, ["nesting tables", "set of side tables", "side table"]


def _glass(rng: Rng) -> Drawn:
    coffee = maybe(rng)
    x, y = (
        (rng.uniform(0.3, 0.4), rng.uniform(0.45, 0.7))
        if coffee
        else (rng.uniform(0.42, 0.55), rng.uniform(0.7, 1.1))
    )
    h, frame, power = (
        rng.uniform(0.35, 0.45) if coffee else 0.74,
        pick(rng, steel(rng), dark(rng), wood(rng)),
        pick(rng, 2.0, 4.0, 30.0),
    )
    parts = [extrude(_oval(x, y, power), 0.014, (0, 0, h), _clear(rng))]
    kind = pick(rng, "x", "cage", "cylinders", "shelf")
    if kind == "x":
        arch = [(-x * 0.7, 0, 0.02), (-x * 0.3, 0, h * 0.6), (x * 0.3, 0, h * 0.6), (x * 0.7, 0, 0.02)]
        parts += [tube([(a, b + s * y * 0.45, c) for a, b, c in arch], 0.02, frame) for s in (-1, 1)]
        parts += [
            rod((0, s * y * 0.45, h * 0.6), (s2 * x * 0.5, s * y * 0.5, h), 0.016, frame)
            for s in (-1, 1)
            for s2 in (-1, 1)
        ]
    elif kind == "cage":
        parts += [
            tube(
                [(a * x * 0.75, b * y * 0.75, z) for a, b in ((1, 1), (-1, 1), (-1, -1), (1, -1))],
                0.012,
                frame,
                closed=True,
            )
            for z in (0.02, h - 0.01)
        ]
        parts += four_legs(rng, x * 1.5, y * 1.5, h, frame, 0.022, "round")
    elif kind == "cylinders":
        parts.append(copies(cylinder(x * 0.22, h, color=frame, sides=18), [(0, s * y * 0.5, 0) for s in (-1, 1)]))
    else:
        parts += four_legs(rng, x * 1.4, y * 1.4, h, frame, 0.04)
        parts.append(
            extrude(
                _oval(x * 0.85, y * 0.85, power),
                0.014,
                (0, 0, h * 0.4),
                near(rng, frame) if maybe(rng) else _clear(rng),
            )
        )
    return parts, ["glass coffee table", "coffee table", "glass table"] if coffee else [
        "glass dining table",
        "glass table",
        "dining table",
    ]


def _conference(rng: Rng) -> Drawn:
    x, y, h, color = rng.uniform(0.55, 0.75), rng.uniform(1.4, 2.4), 0.74, wood(rng)
    shape = pick(rng, 1.6, 2.0, 3.0, 30.0)
    base = (
        lathe([(0.35, 0), (0.33, 0.04), (0.1, 0.08), (0.1, h)], color=pick(rng, metal(rng), dark(rng)))
        if maybe(rng)
        else box((x * 1.1, 0.12, h), color=color)
    )
    spots = [(0, v * y, 0) for v in np.linspace(-0.6, 0.6, 3 if y > 2 else 2)]
    return [extrude(_oval(x, y, shape), 0.045, (0, 0, h), color), copies(base, spots)], [
        "conference table",
        "meeting table",
        "long table",
    ]


def _folding(rng: Rng) -> Drawn:
    d, w, h = rng.uniform(0.6, 0.8), rng.uniform(1.2, 1.9), rng.uniform(0.7, 0.75)
    color, frame = pick(rng, white(rng), wood(rng), bright(rng)), pick(rng, metal(rng), dark(rng))
    side = merge(
        [
            tube([(-d * 0.4, 0, h), (-d * 0.42, 0, 0.015), (d * 0.42, 0, 0.015), (d * 0.4, 0, h)], 0.016, frame),
            rod((-d * 0.42, 0, h * 0.35), (d * 0.42, 0, h * 0.35), 0.012, frame),
        ]
    )
    parts = [box((d, w, 0.04), (0, 0, h), color, 0.012), copies(side, [(0, s * w * 0.38, 0) for s in (-1, 1)])]
    parts.append(both_sides(rod((0, w * 0.38, h * 0.35), (0, w * 0.1, h), 0.01, frame)))
    return parts, ["folding table", "camping table", "trestle table"]


def _bench_table(rng: Rng) -> Drawn:
    d, w, h, color = rng.uniform(0.55, 0.7), rng.uniform(1.2, 1.9), rng.uniform(0.82, 0.92), wood(rng)
    parts = [
        box((d, w, 0.07), (0, 0, h), color),
        *four_legs(rng, d * 0.85, w * 0.9, h, color, rng.uniform(0.08, 0.12), "straight"),
    ]
    parts.append(box((d * 0.85, w * 0.88, 0.03), (0, 0, h * 0.2), color))
    parts.append(box((d * 0.8, w * 0.85, 0.12), (0, 0, h - 0.12), color))
    if maybe(rng, 0.6):
        vise = merge(
            [
                box((0.09, 0.18, 0.12), color=steel(rng)),
                box((0.03, 0.18, 0.12), (0.09, 0, 0), steel(rng)),
                rod((0.05, 0, 0.06), (0.22, 0, 0.06), 0.014, steel(rng)),
                rod((0.21, -0.08, 0.06), (0.21, 0.08, 0.06), 0.008, steel(rng)),
            ]
        )
        parts.append(move(vise, (d / 2, -w * 0.35, h - 0.06)))
    if maybe(rng, 0.4):
        parts.append(box((0.02, w, rng.uniform(0.4, 0.7)), (-d / 2, 0, h), near(rng, color)))
    return parts, ["workbench", "work table"]


def _bistro(rng: Rng) -> Drawn:
    tall = maybe(rng, 0.4)
    r, h = rng.uniform(0.28, 0.42), rng.uniform(1.0, 1.1) if tall else rng.uniform(0.7, 0.76)
    top, frame = pick(rng, wood(rng), white(rng), metal(rng), (0.75, 0.75, 0.73)), pick(rng, dark(rng), metal(rng))
    plate = (
        cylinder(r, 0.025, (0, 0, h), top, sides=26)
        if maybe(rng, 0.7)
        else box((r * 1.7, r * 1.7, 0.025), (0, 0, h), top)
    )
    kind = pick(rng, "disc", "cross", "tripod", "twist")
    if kind == "disc":
        foot = [lathe([(r * 0.75, 0), (r * 0.7, 0.02), (0.05, 0.05), (0.03, h * 0.3), (0.03, h)], color=frame)]
    elif kind == "cross":
        foot = [
            box((r * 1.5, 0.06, 0.03), color=frame),
            box((0.06, r * 1.5, 0.03), color=frame),
            cylinder(0.035, h, color=frame),
        ]
    elif kind == "tripod":
        curve = [(0.02, 0, h * 0.4), (r * 0.25, 0, h * 0.3), (r * 0.55, 0, 0.08), (r * 0.8, 0, 0.01)]
        foot = [cylinder(0.025, h * 0.75, (0, 0, h * 0.25), frame), ring(tube(curve, 0.016, frame), 3)]
    else:
        foot = [ring(rod((r * 0.6, 0, 0), (-r * 0.3, r * 0.5, h), 0.014, frame), count(rng, 3, 4))]
    names = ["bar table", "high table", "round table"] if tall else ["bistro table", "cafe table", "small table"]
    return [plate, *foot], [n for n in names if n != "round table" or len(plate.vertices) > 30]


def _waterfall(rng: Rng) -> Drawn:
    d, w, h, t = rng.uniform(0.35, 0.7), rng.uniform(0.7, 1.4), rng.uniform(0.35, 0.75), rng.uniform(0.03, 0.08)
    color = pick(rng, wood(rng), white(rng), _clear(rng))
    parts = [box((d, w, t), (0, 0, h - t), color), both_sides(box((d, t, h), (0, w / 2 - t / 2, 0), color))]
    if maybe(rng):
        parts.append(box((d * 0.95, w - t, t * 0.6), (0, 0, h * rng.uniform(0.15, 0.4)), color))
    return parts, ["coffee table" if h < 0.5 else "console table", "modern table", "side table"]


def _pebble(rng: Rng) -> Drawn:
    t, h, color = np.linspace(0, 2 * np.pi, 30, endpoint=False), rng.uniform(0.32, 0.45), wood(rng)
    wobble = 1 + 0.16 * np.cos(2 * t + rng.uniform(0, 6)) + 0.08 * np.cos(3 * t + rng.uniform(0, 6))
    outline = np.column_stack([0.36 * wobble * np.cos(t), 0.55 * wobble * np.sin(t)])
    leg = rod((0.3, 0, 0), (0.2, 0, h), 0.018, pick(rng, wood(rng), dark(rng)), 0.026)
    legs = scale(ring(leg, count(rng, 3, 4), start=30), (1, 1.3, 1))
    return [extrude(outline, 0.03, (0, 0, h), color), legs], ["coffee table", "organic coffee table", "low table"]


def _tulip(rng: Rng) -> Drawn:
    r, h, stretch = rng.uniform(0.4, 0.7), rng.uniform(0.42, 0.76), pick(rng, 1.0, 1.0, 1.6)
    color, top = pick(rng, white(rng), dark(rng), steel(rng)), pick(rng, white(rng), wood(rng), (0.75, 0.74, 0.72))
    z = np.linspace(0, 1, 10)
    profile = np.column_stack([r * 0.62 * (0.12 + 0.88 * (1 - z) ** 4 + 0.45 * z**6), z * h])
    slab = lathe([(0, h), (r * 0.96, h), (r, h + 0.02), (r * 0.98, h + 0.03), (0, h + 0.03)], color=top, sides=30)
    shape = "round" if stretch == 1 else "oval"
    return [scale(slab, (1, stretch, 1)), lathe(profile, color=color, sides=24)], [
        "tulip table",
        f"{shape} table",
        "pedestal table",
    ]


def _kids(rng: Rng) -> Drawn:
    d, h, color = rng.uniform(0.45, 0.6), rng.uniform(0.42, 0.52), bright(rng)
    parts = [
        box((d, d * rng.uniform(1, 1.4), 0.03), (0, 0, h), color, 0.01),
        *four_legs(rng, d * 0.85, d * 0.85, h, bright(rng), 0.05, "round"),
    ]
    stool = merge(
        [
            cylinder(0.14, 0.025, (0, 0, 0.26), bright(rng)),
            *four_legs(rng, 0.18, 0.18, 0.26, bright(rng), 0.03, "round"),
        ]
    )
    spots = [(s * (d * 0.5 + 0.22), 0, 0) for s in ((-1, 1) if maybe(rng) else (1,))]
    return [*parts, copies(stool, spots)], ["children's table", "small table with stools", "play table"]


def _spool(rng: Rng) -> Drawn:
    r, h, color = rng.uniform(0.35, 0.5), rng.uniform(0.45, 0.7), wood(rng)
    core = lathe([(r * 0.5, 0), (r * 0.5, h)], color=color)
    return [copies(cylinder(r, 0.05, color=color, sides=26), [(0, 0, 0), (0, 0, h)]), core], [
        "cable spool table",
        "round table",
        "wooden table",
    ]


def _farm(rng: Rng) -> Drawn:
    d, w, h, color, frame = (
        rng.uniform(0.8, 1.0),
        rng.uniform(1.6, 2.4),
        0.74,
        wood(rng),
        pick(rng, wood(rng), white(rng)),
    )
    n = count(rng, 4, 7)
    plank = box((d / n * 0.97, w, 0.045), color=color)
    parts = [copies(plank, [((i - (n - 1) / 2) * d / n, 0, h) for i in range(n)])]
    parts += four_legs(
        rng, d * 0.8, w * 0.86, h, frame, rng.uniform(0.09, 0.13), pick(rng, "turned", "straight", "tapered")
    )
    parts += [
        both_sides(box((0.03, w * 0.85, 0.11), (d * 0.4, 0, h - 0.11), frame), "x"),
        both_sides(box((d * 0.8, 0.03, 0.11), (0, w * 0.43, h - 0.11), frame)),
    ]
    if maybe(rng, 0.6):
        seat = merge(
            [
                box((0.32, w * 0.85, 0.04), (0, 0, 0.42), color),
                *four_legs(rng, 0.26, w * 0.7, 0.42, frame, 0.06, "straight"),
            ]
        )
        parts.append(copies(seat, [(s * (d / 2 + 0.12), 0, 0) for s in ((-1, 1) if maybe(rng) else (1,))]))
        return parts, ["farmhouse table with benches", "table with benches", "dining table"]
    return parts, ["farmhouse table", "wooden dining table", "dining table"]


def _cluster(rng: Rng) -> Drawn:
    r, h, color, seats = rng.uniform(0.45, 0.6), 0.74, wood(rng), count(rng, 3, 6)
    top = cylinder(r, 0.03, (0, 0, h), color, sides=28)
    chair = merge(
        [
            box((0.4, 0.4, 0.04), (0, 0, 0.44), color),
            *four_legs(rng, 0.34, 0.34, 0.44, color, 0.04, "straight"),
            box((0.03, 0.4, 0.42), (0.19, 0, 0.46), color),
        ]
    )
    return [top, *four_legs(rng, r, r, h, color, 0.06), ring(move(chair, (r + 0.18, 0, 0)), seats)], [
        "table with chairs",
        "dining set",
        "round dining table",
    ]


def _trolley(rng: Rng) -> Drawn:
    d, w, h, frame = (
        rng.uniform(0.38, 0.5),
        rng.uniform(0.6, 0.85),
        rng.uniform(0.72, 0.85),
        pick(rng, metal(rng), wood(rng)),
    )
    shelf = pick(rng, _clear(rng), wood(rng), white(rng))
    parts = [copies(box((d, w, 0.02), color=shelf), [(0, 0, z) for z in np.linspace(0.15, h, count(rng, 2, 3))])]
    parts += [move(m, (0, 0, 0.08)) for m in four_legs(rng, d * 0.95, w * 0.95, h, frame, 0.022, "round")]
    wheel = rotate(cylinder(0.045, 0.02, (0, 0, -0.01), dark(rng)), "x", 90)
    parts.append(copies(wheel, [(s * d * 0.47, t * w * 0.47, 0.045) for s in (-1, 1) for t in (-1, 1)]))
    parts.append(rod((-d * 0.47, w * 0.5, h + 0.06), (d * 0.47, w * 0.5, h + 0.06), 0.012, frame))
    return parts, ["serving trolley", "tea trolley", "table on wheels"]


def _sculpture(rng: Rng) -> Drawn:
    r, h, frame = rng.uniform(0.35, 0.55), rng.uniform(0.4, 0.74), pick(rng, metal(rng), wood(rng), white(rng))
    top = cylinder(r, 0.02, (0, 0, h), pick(rng, _clear(rng), wood(rng)), sides=28)
    kind = pick(rng, "rings", "ball", "stack", "fins")
    if kind == "rings":
        hoop = rotate(torus(h / 2, 0.02, (0, 0, 0), frame, 24), "x", 90)
        return [top, move(ring(hoop, 2, arc=90), (0, 0, h / 2)), cylinder(r * 0.4, 0.015, color=frame)], [
            "side table",
            "round side table",
            "modern table",
        ]
    if kind == "ball":
        return [top, sphere((r * 0.6, r * 0.6, h / 2), (0, 0, h / 2), frame, 18)], [
            "side table",
            "round side table",
            "accent table",
        ]
    if kind == "stack":
        return [
            top,
            *(
                cylinder(r * (0.75 - 0.12 * i), h / 4, (0, 0, i * h / 4), near(rng, frame), sides=22)
                for i in range(4)
            ),
        ], ["side table", "round coffee table"]
    return [top, ring(box((r * 0.8, 0.025, h), (r * 0.4, 0, 0), frame), count(rng, 3, 7))], [
        "round table",
        "pedestal table",
    ]

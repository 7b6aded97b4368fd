"""The rarer sofas: chesterfields, curved and camel-backed ones, sofa beds, chaises, frames with loose cushions."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, fabric, maybe, metal, near, pick, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import chair_back, four_legs
from clip3d.simulation.moving import both_sides, copies, mirror, move, rotate
from clip3d.simulation.shapes import Color, box, capsule, cushion, cylinder, extrude, rod, sphere, tube


def odd_sofa(rng: Rng) -> Drawn:
    """One of the rarer designs."""
    kinds = (
        _chesterfield,
        _chesterfield,
        _curved,
        _camelback,
        _sofa_bed,
        _chaise,
        _framed,
        _framed,
        _u_shape,
        _low,
        _loveseat,
    )
    return pick(rng, *kinds)(rng)


def _chesterfield(rng: Rng) -> Drawn:
    seats, unit, depth = count(rng, 2, 3), rng.uniform(0.55, 0.7), rng.uniform(0.8, 0.95)
    color, high, lift = pick(rng, (0.35, 0.18, 0.1), (0.12, 0.25, 0.2), fabric(rng)), rng.uniform(0.66, 0.78), 0.08
    color, width, roll = near(rng, color), unit * seats, rng.uniform(0.08, 0.13)
    x, y = depth / 2, width / 2 + roll
    foot = cylinder(0.03, lift, color=wood(rng), top=0.045)
    parts = [copies(foot, [(s * (x - 0.08), t * (y - 0.05), 0) for s in (-1, 1) for t in (-1, 1)])]
    parts.append(box((depth, width + 2 * roll, 0.2), (0, 0, lift), color, 0.02))
    parts.append(box((0.16, width + 2 * roll, high - lift), (-x + 0.08, 0, lift), color, 0.03))
    parts.append(both_sides(box((depth - 0.06, 0.16, high - lift), (0, y - 0.05, lift), color, 0.03)))
    parts.append(rod((-x + 0.03, -y, high), (-x + 0.03, y, high), roll, color, sides=12))
    parts.append(both_sides(rod((-x, y, high), (x - 0.05, y, high), roll, color, sides=12)))
    cushions = cushion((depth - 0.25, unit * 0.99, 0.17), color=near(rng, color, 0.03), softness=0.3)
    spots = [(0.07, (i - (seats - 1) / 2) * unit, lift + 0.19) for i in range(seats)]
    parts.append(copies(cushions, spots))
    rows = [
        (v, z)
        for i, z in enumerate(np.linspace(lift + 0.4, high - 0.03, 2))
        for v in np.linspace(-0.45, 0.45, 7 - i) * width
    ]
    parts.append(
        copies(sphere(0.014, color=near(rng, color, 0.05), sides=6), [(-x + 0.165, v, z) for v, z in rows])
    )
    return parts, ["chesterfield sofa", "leather sofa", f"{('two', 'three')[seats - 2]}-seat sofa"]


def _arc(inner: float, outer: float, low: float, thick: float, degrees: float, color: Color) -> Mesh:
    t = np.radians(np.linspace(180 - degrees / 2, 180 + degrees / 2, 15))
    a, b = (np.column_stack([r * np.cos(t), r * np.sin(t)]) for r in (outer, inner))
    return extrude(np.concatenate([a, b[::-1]]), thick, (outer, 0, low), color)


def _curved(rng: Rng) -> Drawn:
    r, depth, arc = rng.uniform(1.4, 2.4), rng.uniform(0.7, 0.9), rng.uniform(60, 150)
    color, lift, seat = fabric(rng), rng.uniform(0.02, 0.14), rng.uniform(0.36, 0.44)
    parts = [
        _arc(r - depth, r, lift, seat - 0.14 - lift, arc, color),
        _arc(r - depth - 0.03, r - 0.1, seat - 0.14, 0.14, arc, near(rng, color, 0.04)),
    ]
    parts.append(_arc(r - 0.22, r, lift, rng.uniform(0.68, 0.85) - lift, arc, color))
    t = np.radians(np.linspace(180 - arc / 2 + 8, 180 + arc / 2 - 8, 4))
    legs = [(r + q * np.cos(a), q * np.sin(a), 0) for a in t for q in (r - depth + 0.08, r - 0.1)]
    parts.append(copies(cylinder(0.03, lift + 0.01, color=wood(rng), sides=8), legs))
    return parts, ["curved sofa", "round sofa"]


def _camelback(rng: Rng) -> Drawn:
    width, depth, seat = rng.uniform(1.4, 2.2), rng.uniform(0.7, 0.85), rng.uniform(0.4, 0.48)
    color, frame, lift = fabric(rng), wood(rng), rng.uniform(0.15, 0.22)
    u = np.linspace(-1, 1, 21)
    bumps = pick(rng, 1, 1, 2)
    rise = 0.68 + rng.uniform(0.15, 0.3) * (
        np.cos(u * np.pi * bumps / 2) ** 2 if bumps == 1 else np.sin(np.abs(u) * np.pi) ** 2
    )
    outline = [(-width / 2, lift), (width / 2, lift), *zip(u[::-1] * width / 2, rise[::-1], strict=True)]
    back = rotate(rotate(extrude(outline, 0.13, color=color), "x", 90), "z", 90)
    parts = [move(back, (-depth / 2, 0, 0)), box((depth, width, seat - lift - 0.1), (0, 0, lift), color, 0.02)]
    parts.append(cushion((depth - 0.1, width * 0.97, 0.14), (0.06, 0, seat - 0.12), near(rng, color, 0.03), 0.2))
    y, high = width / 2, seat + rng.uniform(0.18, 0.26)
    curl = [(-depth / 2, y, high), (depth * 0.3, y, high), (depth * 0.42, y + 0.02, high - 0.05)]
    parts.append(both_sides(tube(curl, 0.07, color, 10)))
    parts.append(both_sides(box((depth * 0.85, 0.09, high - lift), (-depth * 0.06, y, lift), color, 0.02)))
    style = pick(rng, "turned", "tapered", "splayed")
    parts += four_legs(rng, depth * 0.85, width * 0.92, lift + 0.01, frame, 0.06, style)
    return parts, ["camelback sofa", "antique sofa", "settee"]


def _sofa_bed(rng: Rng) -> Drawn:
    width, seat, color = rng.uniform(1.4, 2.0), rng.uniform(0.34, 0.42), fabric(rng)
    open_ = maybe(rng)
    if maybe(rng):
        depth, thick = rng.uniform(0.55, 0.7), rng.uniform(0.12, 0.2)
        frame = pick(rng, wood(rng), metal(rng), dark(rng))
        pad = cushion((depth, width, thick), (depth / 2, 0, 0), color, 0.15)
        back = rotate(pad, "y", -pick(rng, 100, 110) if not open_ else -176)
        parts = [
            move(pad, (-0.1, 0, seat - thick)),
            move(back, (-0.1, 0, seat - thick / 2 + (0.1 if open_ else 0))),
        ]
        parts += [
            move(m, (depth / 2 - 0.1, 0, 0))
            for m in four_legs(rng, depth * 0.8, width * 0.9, seat - thick, frame, 0.05)
        ]
        if open_:
            parts += [
                move(m, (-depth / 2 - 0.1, 0, 0))
                for m in four_legs(rng, depth * 0.7, width * 0.9, seat - thick, frame, 0.05)
            ]
        elif maybe(rng):
            parts.append(
                both_sides(box((depth, 0.06, seat + 0.15), (depth / 2 - 0.15, width / 2 + 0.03, 0), frame))
            )
        return parts, ["open sofa bed" if open_ else "futon sofa", "sofa bed", "futon"]
    depth, arm = rng.uniform(0.85, 1.0), rng.uniform(0.12, 0.2)
    parts = [box((0.22, width + 2 * arm, 0.8), (-depth / 2, 0, 0.04), color, 0.03)]
    parts.append(both_sides(box((depth, arm, 0.58), (0, (width + arm) / 2, 0.04), color, 0.03)))
    parts.append(box((depth, width, seat - 0.16), (0, 0, 0.04), color, 0.01))
    if open_:
        parts.append(
            box((1.3, width * 0.97, 0.16), (depth / 2 + 0.55, 0, seat - 0.18), near(rng, (0.9, 0.9, 0.88)), 0.03)
        )
        parts.append(box((depth, width * 0.97, 0.14), (0.1, 0, seat - 0.16), near(rng, (0.9, 0.9, 0.88)), 0.03))
        parts.append(
            copies(
                rod((depth / 2 + 1.1, 0, 0), (depth / 2 + 1.1, 0, seat - 0.18), 0.02, metal(rng)),
                [(0, s * width * 0.4, 0) for s in (-1, 1)],
            )
        )
        pillow = cushion((0.4, width * 0.4, 0.13), (-depth * 0.2, 0, seat - 0.03), near(rng, (0.9, 0.9, 0.88)), 0.5)
        parts.append(copies(pillow, [(0, s * width * 0.24, 0) for s in (-1, 1)]))
    else:
        parts.append(
            copies(
                cushion((depth - 0.2, width * 0.49, 0.18), color=near(rng, color, 0.04), softness=0.25),
                [(0.1, s * width * 0.245, seat - 0.12) for s in (-1, 1)],
            )
        )
    return parts, ["open sofa bed" if open_ else "closed sofa bed", "sofa bed", "convertible sofa"]


def _chaise(rng: Rng) -> Drawn:
    long, width, seat, color = rng.uniform(1.4, 1.9), rng.uniform(0.6, 0.75), rng.uniform(0.36, 0.45), fabric(rng)
    side, lift = pick(rng, -1, 1), rng.uniform(0.1, 0.2)
    parts = [cushion((width, long, seat - lift), (0, 0, lift), color, 0.18)]
    parts += four_legs(rng, width * 0.75, long * 0.85, lift + 0.03, wood(rng), 0.05)
    head = rotate(
        cushion((width, 0.16, rng.uniform(0.4, 0.55)), color=color, softness=0.3), "x", side * -rng.uniform(10, 35)
    )
    parts.append(move(head, (0, -side * (long / 2 - 0.08), seat - 0.08)))
    if maybe(rng, 0.6):
        y = np.linspace(0, long * rng.uniform(0.5, 0.9), 9)
        top = seat + np.linspace(0.42, 0.1, 9)
        outline = [*zip(y, top, strict=True), (float(y[-1]), lift + 0.05), (0.0, lift + 0.05)]
        rest = rotate(rotate(extrude(outline, 0.1, color=color), "x", 90), "z", 90)
        rest = move(rest, (-width / 2 - 0.05, -long / 2, 0))
        parts.append(rest if side > 0 else mirror(rest))
    if maybe(rng, 0.5):
        parts.append(
            capsule(
                (-width * 0.3, -side * long * 0.35, seat + 0.06),
                (width * 0.3, -side * long * 0.35, seat + 0.06),
                0.08,
                near(rng, color),
            )
        )
    return parts, ["chaise longue", "chaise lounge", "daybed"]


def _framed(rng: Rng) -> Drawn:
    seats, unit, depth = count(rng, 2, 3), rng.uniform(0.52, 0.68), rng.uniform(0.65, 0.85)
    width, seat, high = seats * unit, rng.uniform(0.38, 0.45), rng.uniform(0.72, 0.9)
    wooden, cloth, thick = maybe(rng, 0.7), fabric(rng), rng.uniform(0.035, 0.07)
    frame = wood(rng) if wooden else metal(rng)
    x, y = depth / 2, width / 2
    style = pick(rng, "straight", "round", "tapered", "splayed")
    parts = four_legs(rng, depth, width, seat - 0.14, frame, thick, style)
    parts.append(box((depth, width, 0.05), (0, 0, seat - 0.19), frame))
    pad = cushion((depth, unit * 0.98, 0.15), color=cloth, softness=rng.uniform(0.15, 0.4))
    parts.append(copies(pad, [(0, (i - (seats - 1) / 2) * unit, seat - 0.14) for i in range(seats)]))
    back = chair_back(
        rng, width, high - seat + 0.15, frame, cloth, pick(rng, "slats", "spindles", "ladder", "panel")
    )
    parts += [rotate(move(m, (-x, 0, seat - 0.15)), "y", -12, (-x, 0, seat)) for m in back]
    if maybe(rng, 0.75):
        rest = rotate(
            cushion((0.13, unit * 0.96, high - seat), color=near(rng, cloth, 0.04), softness=0.35), "y", -14
        )
        parts.append(copies(rest, [(-x + 0.1, (i - (seats - 1) / 2) * unit, seat) for i in range(seats)]))
    arm = seat + rng.uniform(0.16, 0.24)
    parts.append(both_sides(box((depth * 1.02, thick * 1.6, thick * 0.7), (0, y, arm), frame, 0.008)))
    parts.append(both_sides(box((thick, thick, arm), (x - 0.03, y, 0), frame)))
    if maybe(rng, 0.4):
        n = count(rng, 3, 8)
        bars = box((0.02, 0.02, arm - seat + 0.15), color=frame)
        parts += [both_sides(copies(bars, [(v, y, seat - 0.15) for v in np.linspace(-0.4, 0.4, n) * depth]))]
    return parts, [
        "wooden frame sofa" if wooden else "metal frame sofa",
        "sofa with loose cushions",
        f"{('two', 'three')[seats - 2]}-seat sofa",
    ]


def _u_shape(rng: Rng) -> Drawn:
    wide, depth, reach = rng.uniform(2.4, 3.4), rng.uniform(0.8, 0.95), rng.uniform(0.6, 1.3)
    seat, high, color, lift = rng.uniform(0.36, 0.44), rng.uniform(0.64, 0.82), fabric(rng), rng.uniform(0.02, 0.1)
    y, thick, bevel = wide / 2, rng.uniform(0.15, 0.24), rng.uniform(0.01, 0.05)
    base = seat - 0.15 - lift
    parts = [
        box((depth, wide, base), (0, 0, lift), color, 0.01),
        box((thick, wide, high - lift), (-depth / 2, 0, lift), color, bevel),
    ]
    wing = [box((reach, depth, base), (depth / 2 + reach / 2, y - depth / 2, lift), color, 0.01)]
    wing.append(box((reach + depth * 0.98, thick, high - lift), (reach / 2, y, lift), color, bevel))
    wing.append(
        cushion(
            (reach + depth * 0.4, depth - thick, 0.17),
            (depth / 2 + reach / 2 - 0.15, y - depth / 2 - 0.03, seat - 0.15),
            near(rng, color, 0.03),
            0.2,
        )
    )
    parts += [both_sides(m) for m in wing]
    n = count(rng, 2, 4)
    inner = wide - 2 * depth
    parts.append(
        copies(
            cushion((depth - thick, inner / n, 0.17), color=near(rng, color, 0.03), softness=0.22),
            [(thick / 2, (i - (n - 1) / 2) * inner / n, seat - 0.15) for i in range(n)],
        )
    )
    parts.append(
        copies(
            rotate(
                cushion((0.16, inner / n * 0.96, high - seat + 0.1), color=near(rng, color, 0.04), softness=0.35),
                "y",
                -10,
            ),
            [(-depth / 2 + thick * 0.8, (i - (n - 1) / 2) * inner / n, seat) for i in range(n)],
        )
    )
    return parts, ["U-shaped sofa", "sectional sofa", "large corner sofa"]


def _low(rng: Rng) -> Drawn:
    seats, unit, depth = count(rng, 2, 4), rng.uniform(0.7, 0.95), rng.uniform(0.85, 1.05)
    width, color, seat, softness = seats * unit, fabric(rng), rng.uniform(0.3, 0.38), rng.uniform(0.25, 0.6)
    block = cushion((depth, unit, seat), color=color, softness=softness * 0.6)
    rest = cushion((0.3, unit, rng.uniform(0.3, 0.42)), color=near(rng, color, 0.03), softness=softness)
    y = [(i - (seats - 1) / 2) * unit for i in range(seats)]
    parts = [
        copies(block, [(0, v, 0.03) for v in y]),
        copies(rest, [(-depth / 2 + 0.16, v, seat - 0.04) for v in y]),
    ]
    if maybe(rng, 0.5):
        end = cushion((depth, 0.28, rng.uniform(0.5, 0.65)), color=color, softness=softness * 0.7)
        parts.append(copies(end, [(0, s * (width / 2 + 0.1), 0.02) for s in ((-1, 1) if maybe(rng) else (1,))]))
    if maybe(rng, 0.35):
        parts.append(cushion((depth * 0.8, unit, seat), (depth + 0.1, y[0], 0.03), color, softness * 0.6))
    return parts, ["modular sofa", "low sofa", "modern sofa"]


def _loveseat(rng: Rng) -> Drawn:
    width, depth, seat = rng.uniform(1.05, 1.4), rng.uniform(0.7, 0.85), rng.uniform(0.38, 0.46)
    color, lift, high = (
        fabric(rng) if maybe(rng, 0.7) else bright(rng),
        rng.uniform(0.12, 0.22),
        rng.uniform(0.72, 0.85),
    )
    t = np.linspace(np.pi * 0.5, np.pi * 1.5, 15)
    power = rng.uniform(0.5, 0.9)

    def wall(shrink: float) -> list[tuple[float, float]]:
        c, s = -(np.abs(np.cos(t)) ** power), np.sign(np.sin(t)) * np.abs(np.sin(t)) ** power
        return [(depth / 2 + (depth - shrink) * a, (width / 2 - shrink) * b) for a, b in zip(c, s, strict=True)]

    shell = extrude(wall(0.0) + wall(rng.uniform(0.09, 0.15))[::-1], high - lift, (0, 0, lift), color)
    base = extrude(wall(0.02), seat - 0.14 - lift, (0, 0, lift), color)
    pad = extrude(wall(0.12), 0.15, (0.03, 0, seat - 0.14), near(rng, color, 0.04))
    legs = four_legs(rng, depth * 0.6, width * 0.7, lift + 0.02, pick(rng, wood(rng), metal(rng)), 0.045)
    return [shell, base, pad, *legs], ["loveseat", "tub sofa", "two-seat sofa"]

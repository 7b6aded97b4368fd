"""Stools, benches and sofas."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, fabric, maybe, metal, near, pick, wood
from clip3d.simulation.couches import odd_sofa
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import chair_arms, chair_back, four_legs, stretchers
from clip3d.simulation.moving import both_sides, copies, move, ring, rotate
from clip3d.simulation.shapes import Color, box, cushion, cylinder, extrude, lathe, rod, torus


def stool(rng: Rng) -> Drawn:
    """Stools: round or square, low or bar height, on legs or on a column."""
    tall = maybe(rng, 0.4)
    height = rng.uniform(0.62, 0.8) if tall else rng.uniform(0.25, 0.5)
    half, color, cloth = (
        rng.uniform(0.15, 0.22),
        pick(rng, wood(rng), metal(rng)),
        pick(rng, wood(rng), fabric(rng)),
    )
    thick = rng.uniform(0.03, 0.08)
    seat = pick(
        rng,
        cylinder(half, thick, (0, 0, height - thick), cloth, sides=22),
        box((half * 2, half * 2, thick), (0, 0, height - thick), cloth, 0.015),
        cushion((half * 2, half * 2, thick * 1.5), (0, 0, height - thick), cloth, 0.5),
        box((half * 1.4, half * 2.4, thick), (0, 0, height - thick), cloth, 0.01),
    )
    kind = pick(rng, "legs", "legs", "column", "three")
    if kind == "column":
        foot = lathe([(half * 1.1, 0), (half * 1.1, 0.02), (0.04, 0.05), (0.03, height - thick)], (0, 0, 0), color)
        extra = [torus(half * 0.8, 0.012, (0, 0, height * 0.35), color)] if tall else []
        return [seat, foot, *extra], ["bar stool" if tall else "round stool"]
    if kind == "three":
        leg = rod((half * 1.25, 0, 0), (half * 0.6, 0, height - thick), 0.016, color, 0.02)
        return [seat, ring(leg, 3)], ["three-legged stool"]
    legs = four_legs(rng, half * 1.5, half * 1.5, height - thick, color, rng.uniform(0.025, 0.05))
    bars = stretchers(half * 1.5, half * 1.5, height * 0.3, 0.02, color, "box") if maybe(rng, 0.6) else []
    return [seat, *legs, *bars], ["bar stool"] if tall else pick(rng, ["wooden stool"], ["footstool"], [])


def bench(rng: Rng) -> Drawn:
    """Benches: plain boards, garden benches with backs, park benches with side frames, padded ones."""
    length, depth, seat = rng.uniform(0.9, 2.2), rng.uniform(0.3, 0.5), rng.uniform(0.38, 0.48)
    color, frame = wood(rng), pick(rng, wood(rng), metal(rng), dark(rng))
    kind = pick(rng, "plain", "garden", "park", "padded", "backless slats", "stone")
    n = count(rng, 3, 6)
    x = (np.arange(n) - (n - 1) / 2) * depth / n
    slats = copies(box((depth / n * 0.8, length, 0.03), color=color), [(v, 0, seat) for v in x])
    if kind == "plain":
        leg = box((depth * 0.9, 0.05, seat), color=frame)
        return [
            box((depth, length, 0.05), (0, 0, seat), color),
            copies(leg, [(0, s * length * 0.42, 0) for s in (-1, 1)]),
        ], []
    if kind == "stone":
        leg = box((depth * 0.7, 0.15, seat), color=(0.6, 0.6, 0.58))
        slab = box((depth, length, 0.1), (0, 0, seat), (0.65, 0.65, 0.62), 0.01)
        return [slab, copies(leg, [(0, s * length * 0.35, 0) for s in (-1, 1)])], ["stone bench"]
    legs = four_legs(rng, depth - 0.06, length - 0.1, seat, frame, 0.05, pick(rng, "straight", "round", "turned"))
    if kind == "padded":
        return [cushion((depth, length, 0.12), (0, 0, seat), fabric(rng), 0.2), *legs], ["upholstered bench"]
    if kind == "backless slats":
        return [slats, *legs], ["wooden bench"]
    tall = rng.uniform(0.35, 0.5)
    if kind == "garden":
        back = chair_back(rng, length, tall, color, color, pick(rng, "slats", "ladder", "cross", "panel"))
    else:
        z = np.linspace(0.12, tall, 3)
        back = [copies(box((0.03, length, 0.08), color=color), [(0, 0, v) for v in z])]
        back.append(copies(box((0.04, 0.04, tall), color=frame), [(-0.03, s * length * 0.42, 0) for s in (-1, 1)]))
    leaned = [rotate(move(part, (-depth / 2, 0, seat)), "y", -12, (-depth / 2, 0, seat)) for part in back]
    arms = chair_arms(rng, depth, length, seat, frame) if maybe(rng, 0.6) else []
    return [slats, *legs, *leaned, *arms], ["park bench" if kind == "park" else "garden bench"]


def sofa(rng: Rng) -> Drawn:
    """Sofas: any number of seats, arms of several kinds or none, corners,
    chaises, skirts, loose cushions; more in `couches`."""
    if maybe(rng, 0.45):
        return odd_sofa(rng)
    seats = pick(rng, 2, 2, 3, 3, 3, 4)
    unit, depth = rng.uniform(0.55, 0.75), rng.uniform(0.75, 1.0)
    base, seat, back = rng.uniform(0.0, 0.18), rng.uniform(0.36, 0.46), rng.uniform(0.68, 0.95)
    cloth, bevel = fabric(rng), rng.uniform(0.01, 0.06)
    arm = pick(rng, "box", "box", "round", "thin", "low", "none", "sloped")
    width, thick = unit * seats, rng.uniform(0.14, 0.25)
    parts = four_legs(rng, depth - 0.12, width, base, wood(rng), 0.06) if base > 0.04 else []
    parts.append(box((depth, width, seat - 0.14 - base), (0, 0, base), cloth, bevel))
    parts += _sofa_cushions(rng, seats, unit, depth, thick, seat, back, cloth)
    spine = box((thick, width, back - base), (-depth / 2 + thick / 2, 0, base), cloth, bevel)
    parts.append(rotate(spine, "y", rng.uniform(-8, 0), (-depth / 2, 0, base)))
    parts += _sofa_arms(rng, arm, width, depth, base, seat, cloth, bevel)
    captions = [f"{('two', 'three', 'four')[seats - 2]}-seat sofa"]
    if maybe(rng, 0.28):
        parts += _sofa_wing(rng, width, depth, unit, base, seat, back, thick, cloth, bevel)
        captions = ["corner sofa", "L-shaped sofa", "sectional sofa"]
    if maybe(rng, 0.35):
        n, size = count(rng, 1, 3), rng.uniform(0.3, 0.42)
        for y in rng.uniform(-0.4, 0.4, n) * width:
            loose = rotate(cushion((0.14, size, size), color=bright(rng), softness=0.5), "y", -20)
            parts.append(move(loose, (-depth / 2 + thick + 0.2, y, seat)))
    return parts, captions


def _sofa_cushions(
    rng: Rng, seats: int, unit: float, depth: float, thick: float, seat: float, back: float, cloth: Color
) -> list[Mesh]:
    shade, soft = near(rng, cloth, 0.04), rng.uniform(0.12, 0.4)
    y = (np.arange(seats) - (seats - 1) / 2) * unit
    if maybe(rng, 0.2):
        return [cushion((depth - thick, unit * seats, 0.18), (thick / 2, 0, seat - 0.16), shade, soft)]
    pads = [
        copies(
            cushion((depth - thick, unit, 0.18), color=shade, softness=soft),
            [(thick / 2, v, seat - 0.16) for v in y],
        )
    ]
    if maybe(rng, 0.75):
        pillow = rotate(
            cushion((0.17, unit * 0.97, back - seat + rng.uniform(-0.08, 0.08)), color=shade, softness=soft),
            "y",
            -8,
        )
        pads.append(copies(pillow, [(-depth / 2 + thick + 0.08, v, seat - 0.02) for v in y]))
    return pads


def _sofa_arms(
    rng: Rng, kind: str, width: float, depth: float, base: float, seat: float, cloth: Color, bevel: float
) -> list[Mesh]:
    thick, high = rng.uniform(0.12, 0.26), seat + rng.uniform(0.12, 0.24)
    if kind == "none":
        return []
    if kind == "thin":
        thick = 0.06
    if kind == "low":
        high = seat + 0.06
    y = width / 2 + thick / 2
    if kind == "sloped":
        outline = [(-depth / 2, base), (depth / 2, base), (depth / 2, seat + 0.05), (-depth / 2, high + 0.15)]
        side = rotate(extrude(outline, thick, color=cloth), "x", 90)
        return [both_sides(move(side, (0, y + thick / 2, 0)))]
    parts = [both_sides(box((depth, thick, high - base), (0, y, base), cloth, bevel))]
    if kind == "round":
        roll = rod((-depth / 2, y, high), (depth / 2, y, high), thick * 0.65, cloth, sides=12)
        parts.append(both_sides(roll))
    return parts


def _sofa_wing(
    rng: Rng,
    width: float,
    depth: float,
    unit: float,
    base: float,
    seat: float,
    back: float,
    thick: float,
    cloth: Color,
    bevel: float,
) -> list[Mesh]:
    side, reach = pick(rng, -1, 1), rng.uniform(0.6, 1.5)
    x, y = depth / 2 + reach / 2, side * (width - unit) / 2
    parts = [
        box((reach, unit, seat - 0.14 - base), (x, y, base), cloth, bevel),
        cushion((reach, unit, 0.18), (x, y, seat - 0.16), near(rng, cloth, 0.04), 0.2),
    ]
    if maybe(rng, 0.6):
        parts.append(
            box((reach + depth, thick, back - base), (reach / 2, side * (width + thick) / 2, base), cloth, bevel)
        )
    return parts

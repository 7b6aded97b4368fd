"""Chairs, one maker for each kind."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, fabric, maybe, metal, near, pick, steel, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import chair_arms, chair_back, four_legs, star_base, stretchers
from clip3d.simulation.moving import both_sides, copies, move, rotate, scale
from clip3d.simulation.seats import odd_chair
from clip3d.simulation.shapes import Color, beam, box, cushion, cylinder, ribbon, rod, sheet, tube


def chair(rng: Rng) -> Drawn:
    """Chairs of many kinds; the kind is drawn first, then its shape."""
    kinds = (_plain_chair, _plain_chair, _plain_chair, _swivel_chair, _swivel_chair, _armchair, _sled_chair)
    more = (_folding_chair, _rocking_chair, _cantilever_chair, _shell_chair, _deck_chair, _wing_chair)
    return pick(rng, *kinds, *more, *[odd_chair] * 7)(rng)


def _seat(rng: Rng, depth: float, width: float, z: float, color: Color, cloth: Color) -> list[Mesh]:
    kind = pick(rng, "board", "pad", "both", "round", "slatted")
    thick = rng.uniform(0.025, 0.06)
    if kind == "board":
        return [box((depth, width, thick), (0, 0, z - thick), color, 0.01)]
    if kind == "pad":
        return [cushion((depth, width, thick * 2), (0, 0, z - thick), cloth, 0.3)]
    if kind == "round":
        return [move(scale(cylinder(0.52, 1, color=cloth, sides=20), (depth, width, thick)), (0, 0, z - thick))]
    if kind == "slatted":
        n = count(rng, 4, 7)
        y = (np.arange(n) - (n - 1) / 2) * width / n
        return [
            copies(box((depth, width / n * 0.75, thick * 0.7), color=color), [(0, v, z - thick * 0.7) for v in y])
        ]
    return [
        box((depth, width, thick), (0, 0, z - thick), color),
        cushion((depth * 0.95, width * 0.95, 0.06), (0, 0, z - 0.01), cloth, 0.3),
    ]


def _plain_chair(rng: Rng) -> Drawn:
    width, depth, seat = rng.uniform(0.36, 0.55), rng.uniform(0.36, 0.5), rng.uniform(0.4, 0.5)
    frame, cloth = (wood(rng), fabric(rng)) if maybe(rng, 0.7) else (metal(rng), bright(rng))
    thick = rng.uniform(0.025, 0.055)
    captions = []
    if maybe(rng, 0.12):
        seat, captions = rng.uniform(0.65, 0.8), ["bar chair", "tall chair", "chair with a high seat"]
    parts = four_legs(rng, depth - thick, width - thick, seat - 0.02, frame, thick)
    if maybe(rng, 0.4):
        parts += stretchers(depth - thick, width - thick, seat * 0.35, thick * 0.5, frame, pick(rng, "box", "h"))
    parts += _seat(rng, depth, width, seat, frame, cloth)
    lean = rng.uniform(-18, 0)
    back = chair_back(rng, width * rng.uniform(0.85, 1), rng.uniform(0.32, 0.65), frame, cloth)
    parts += [
        rotate(move(part, (-depth / 2 + 0.02, 0, seat - 0.02)), "y", lean, (-depth / 2, 0, seat)) for part in back
    ]
    if maybe(rng, 0.25):
        parts += chair_arms(rng, depth, width, seat, frame)
        captions += ["chair with armrests"]
    return parts, captions or pick(rng, ["dining chair"], ["kitchen chair"], ["four-legged chair"])


def _swivel_chair(rng: Rng) -> Drawn:
    width, depth, seat = rng.uniform(0.42, 0.55), rng.uniform(0.42, 0.52), rng.uniform(0.42, 0.55)
    frame, cloth = pick(rng, dark(rng), steel(rng)), pick(rng, dark(rng), fabric(rng), bright(rng))
    parts = star_base(rng, rng.uniform(0.25, 0.34), seat - 0.03, frame, maybe(rng, 0.85))
    parts.append(
        cushion((depth, width, rng.uniform(0.06, 0.12)), (0, 0, seat - 0.05), cloth, rng.uniform(0.2, 0.5))
    )
    tall = rng.uniform(0.3, 0.75)
    lift = rng.uniform(0.05, 0.2)
    back = cushion(
        (rng.uniform(0.05, 0.1), width * rng.uniform(0.75, 1), tall), (0, 0, lift), cloth, rng.uniform(0.2, 0.7)
    )
    spine = box((0.03, 0.07, lift + tall * 0.5), (-0.03, 0, -0.03), frame)
    head = cushion((0.07, 0.26, 0.14), (0, 0, lift + tall + 0.03), cloth, 0.4)
    chosen = [back, spine, head] if maybe(rng, 0.25) else [back, spine]
    place = (-depth / 2, 0, seat)
    parts += [rotate(move(part, place), "y", rng.uniform(-14, -2), place) for part in chosen]
    if maybe(rng, 0.65):
        y, high = width / 2 + 0.03, rng.uniform(0.17, 0.24)
        parts.append(both_sides(box((0.26, 0.06, 0.03), (0, y, seat + high), frame, 0.01)))
        parts.append(both_sides(tube([(0, y - 0.1, seat - 0.03), (0, y, seat), (0, y, seat + high)], 0.016, frame)))
    return parts, ["swivel chair", "office chair", "desk chair"]


def _armchair(rng: Rng) -> Drawn:
    width, depth, seat = rng.uniform(0.55, 0.75), rng.uniform(0.55, 0.75), rng.uniform(0.36, 0.44)
    cloth, arm, high = fabric(rng), rng.uniform(0.08, 0.2), rng.uniform(0.15, 0.26)
    leg = rng.uniform(0.04, 0.16)
    bevel = rng.uniform(0.01, 0.05)
    parts = four_legs(rng, depth, width, leg, wood(rng), 0.05)
    parts.append(box((depth, width, seat - leg - 0.08), (0, 0, leg), cloth, bevel))
    parts.append(cushion((depth, width, 0.16), (0.02, 0, seat - 0.1), near(rng, cloth), 0.25))
    parts.append(both_sides(box((depth, arm, seat + high - leg), (0, width / 2 + arm / 2, leg), cloth, bevel)))
    back = box(
        (rng.uniform(0.12, 0.22), width + 2 * arm, rng.uniform(0.4, 0.7) + seat - leg),
        (-depth / 2, 0, leg),
        cloth,
        bevel,
    )
    parts.append(rotate(back, "y", rng.uniform(-12, 0), (-depth / 2, 0, leg)))
    return parts, ["armchair", "easy chair", "upholstered chair"]


def _wing_chair(rng: Rng) -> Drawn:
    parts, captions = _armchair(rng)
    color = (0.0, 0.0, 0.0)
    if parts[-1].face_colors is not None:
        r, g, b = parts[-1].face_colors[0]
        color = (float(r), float(g), float(b))
    top, side = float(parts[-1].vertices[:, 2].max()), float(parts[-1].vertices[:, 1].max())
    left = float(parts[-1].vertices[:, 0].min())
    wing = box(
        (rng.uniform(0.2, 0.32), 0.07, rng.uniform(0.3, 0.45)), (left + 0.25, side - 0.04, top - 0.48), color, 0.02
    )
    return [*parts, both_sides(wing)], ["wing chair", *captions]


def _sled_chair(rng: Rng) -> Drawn:
    width, depth, seat = rng.uniform(0.4, 0.5), rng.uniform(0.4, 0.5), rng.uniform(0.42, 0.47)
    frame, shell = metal(rng), bright(rng)
    x, y = depth / 2, width / 2
    path = [(-x, y, seat), (-x * 1.1, y, 0.02), (x * 1.1, y, 0.02), (x, y, seat)]
    parts = [both_sides(tube(path, 0.012, frame)), *_seat(rng, depth, width, seat, shell, shell)]
    back = chair_back(rng, width, rng.uniform(0.35, 0.5), frame, shell, pick(rng, "panel", "padded", "open"))
    parts += [rotate(move(part, (-x, 0, seat)), "y", -10, (-x, 0, seat)) for part in back]
    return parts, ["sled base chair", "visitor chair"]


def _cantilever_chair(rng: Rng) -> Drawn:
    width, depth, seat = rng.uniform(0.42, 0.5), rng.uniform(0.42, 0.5), rng.uniform(0.43, 0.47)
    frame, cloth = steel(rng), pick(rng, dark(rng), fabric(rng), wood(rng))
    x, y, top = depth / 2, width / 2, seat + rng.uniform(0.35, 0.5)
    path = [
        (-x * 1.2, y, top),
        (-x, y, seat),
        (x * 0.9, y, seat),
        (x, y, seat - 0.05),
        (x, y, 0.04),
        (x * 0.8, y, 0.012),
    ]
    side = tube([*path, (-x, y, 0.012)], 0.013, frame)
    parts = [both_sides(side), rod((-x, -y, 0.012), (-x, y, 0.012), 0.013, frame)]
    parts.append(box((depth * 0.95, width, 0.03), (0, 0, seat - 0.01), cloth, 0.01))
    panel = box((0.02, width, (top - seat) * rng.uniform(0.5, 0.9)), (-x, 0, seat + 0.08), cloth, 0.005)
    parts.append(rotate(panel, "y", -9, (-x, 0, seat)))
    return parts, ["cantilever chair", "tubular steel chair"]


def _folding_chair(rng: Rng) -> Drawn:
    width, seat, top = rng.uniform(0.38, 0.46), rng.uniform(0.42, 0.47), rng.uniform(0.75, 0.9)
    frame, board = metal(rng) if maybe(rng) else wood(rng), pick(rng, wood(rng), bright(rng), dark(rng))
    y = width / 2
    front = beam((0.25, y, 0), (-0.28, y, top), 0.022, 0.025, frame)
    rear = beam((-0.25, y - 0.03, 0), (0.17, y - 0.03, seat), 0.022, 0.025, frame)
    slats = count(rng, 1, 4)
    heights = np.linspace(top - 0.06, top - 0.2, slats) if slats > 1 else [top - 0.15]
    tall = 0.18 if slats == 1 else 0.03
    backs = [box((0.018, width, tall), (-0.28 + (top - z) * 0.59, 0, z - tall / 2), board) for z in heights]
    return [both_sides(front), both_sides(rear), box((0.38, width - 0.05, 0.025), (0, 0, seat), board), *backs], [
        "folding chair"
    ]


def _rocking_chair(rng: Rng) -> Drawn:
    width, depth, seat = rng.uniform(0.45, 0.55), rng.uniform(0.42, 0.5), rng.uniform(0.38, 0.44)
    frame, cloth = wood(rng), fabric(rng)
    t = np.linspace(-1, 1, 11)
    reach = rng.uniform(0.42, 0.55)
    rocker = np.column_stack([reach * t - 0.08, 0 * t + width / 2 - 0.02, 0.015 + 0.1 * t**2])
    parts = [both_sides(tube(rocker, 0.02, frame, 6))]
    parts += [
        move(m, (0, 0, 0.03)) for m in four_legs(rng, depth - 0.06, width - 0.05, seat - 0.05, frame, 0.04, "round")
    ]
    parts += _seat(rng, depth, width, seat, frame, cloth)
    back = chair_back(
        rng, width, rng.uniform(0.5, 0.75), frame, cloth, pick(rng, "slats", "spindles", "ladder", "panel")
    )
    parts += [rotate(move(part, (-depth / 2, 0, seat)), "y", -16, (-depth / 2, 0, seat)) for part in back]
    return parts + chair_arms(rng, depth, width, seat, frame), ["rocking chair"]


def _shell_chair(rng: Rng) -> Drawn:
    width, seat = rng.uniform(0.42, 0.52), rng.uniform(0.4, 0.46)
    color, legs = bright(rng), pick(rng, wood(rng), metal(rng), dark(rng))
    s = np.linspace(0, 1, 9)
    x = np.interp(s, [0, 0.45, 0.6, 1], [0.24, -0.12, -0.2, -0.28])
    z = seat + np.interp(s, [0, 0.1, 0.45, 0.6, 1], [0.02, 0.03, 0, 0.08, rng.uniform(0.3, 0.45)])
    across = np.linspace(-1, 1, 7)
    curl = rng.uniform(0.03, 0.12)
    half = width / 2 * np.interp(s, [0, 0.4, 0.8, 1], [0.85, 1, 0.95, 0.7])
    grid = np.zeros((9, 7, 3))
    grid[:, :, 0] = x[:, None] + (curl * s)[:, None] * across**2
    grid[:, :, 1] = half[:, None] * across
    grid[:, :, 2] = z[:, None] + curl * (1 - 0.6 * s)[:, None] * across**2
    base = (
        four_legs(rng, 0.28, 0.28, seat, legs, 0.035, "splayed")
        if maybe(rng, 0.6)
        else star_base(rng, 0.25, seat, legs, False)
    )
    return [sheet(grid, color), *base], ["plastic shell chair", "modern chair"]


def _deck_chair(rng: Rng) -> Drawn:
    width, frame, cloth = rng.uniform(0.5, 0.6), wood(rng), bright(rng)
    y, t = width / 2, np.linspace(0, 1, 8)
    sag = np.stack([0.55 - 1.0 * t, 0 * t, 0.3 + 0.5 * t - rng.uniform(0.1, 0.2) * np.sin(np.pi * t)], axis=1)
    cloth_mesh = ribbon(sag, width * 0.9, cloth)
    long = beam((0.6, y, 0.28), (-0.55, y, 0.85), 0.03, 0.04, frame)
    rear = beam((-0.5, y - 0.04, 0.0), (0.55, y - 0.04, 0.3), 0.03, 0.04, frame)
    stay = beam((0.45, y + 0.03, 0.0), (-0.2, y + 0.03, 0.66), 0.03, 0.03, frame)
    bars = [
        rod((x, -y, z), (x, y, z), 0.016, frame)
        for x, z in ((0.58, 0.29), (-0.53, 0.84), (-0.48, 0.02), (0.44, 0.02))
    ]
    return [cloth_mesh, both_sides(long), both_sides(rear), both_sides(stay), *bars], ["deck chair", "beach chair"]

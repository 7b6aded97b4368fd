"""The rarer beds: hospital, loft, day, round and upholstered beds; cribs, mattresses, hammocks."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, fabric, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import both_sides, copies, merge, move, rotate
from clip3d.simulation.shapes import box, cushion, cylinder, extrude, rod, sheet, tube


def odd_bed(rng: Rng) -> Drawn:
    """One of the rarer designs."""
    return pick(rng, _hospital, _loft, _day, _day, _round, _upholstered, _upholstered, _iron, _iron, _low, _set)(
        rng
    )


def _covers(rng: Rng, width: float, length: float, top: float) -> list[Mesh]:
    """A wavy blanket that hangs over the sides of a mattress, and pillows at its head."""
    color, share, hang = pick(rng, fabric(rng), bright(rng)), rng.uniform(0.55, 0.85), rng.uniform(0.08, 0.3)
    x = np.linspace(length / 2 + 0.02, length / 2 - share * length, 9)
    across = np.array([-1.03, -1.02, -1, -0.6, -0.2, 0.2, 0.6, 1, 1.02, 1.03])
    grid = np.zeros((9, 10, 3))
    grid[:, :, 0], grid[:, :, 1] = x[:, None], across * width / 2
    grid[:, :, 2] = top + 0.03 + rng.normal(0, 0.008, (9, 10)) - hang * np.clip((np.abs(across) - 1) / 0.03, 0, 1)
    parts = [sheet(grid, color), move(sheet(grid[:, ::-1], near(rng, color)), (0, 0, -0.012))]
    if maybe(rng, 0.5):
        fold = box((0.22, width * 1.01, 0.05), (float(x[-1]), 0, top + 0.01), near(rng, (0.9, 0.9, 0.88)), 0.02)
        parts.append(fold)
    n = 2 if width > 1.2 else 1
    pillow = cushion((rng.uniform(0.35, 0.45), width / n * 0.85, 0.14), color=white(rng), softness=0.5)
    lean = -rng.uniform(0, 40) if maybe(rng, 0.5) else 0.0
    place = [(-length / 2 + 0.28, (i - (n - 1) / 2) * width / n, top) for i in range(n)]
    parts.append(copies(rotate(pillow, "y", lean), place))
    if maybe(rng, 0.3):
        loose = rotate(cushion((0.12, 0.36, 0.36), color=bright(rng), softness=0.5), "y", -25)
        parts.append(copies(loose, [(-length / 2 + 0.5, (i - (n - 1) / 2) * width / n, top) for i in range(n)]))
    return parts


def _size(rng: Rng) -> tuple[float, float, str]:
    wide = maybe(rng, 0.6)
    return (
        (rng.uniform(1.35, 1.95) if wide else rng.uniform(0.85, 1.1)),
        rng.uniform(1.9, 2.15),
        ("double bed" if wide else "single bed"),
    )


def _upholstered(rng: Rng) -> Drawn:
    width, length, name = _size(rng)
    cloth, low, high = fabric(rng), rng.uniform(0.28, 0.4), rng.uniform(0.9, 1.5)
    lift, thick = rng.uniform(0.03, 0.12), rng.uniform(0.2, 0.3)
    parts = [box((length, width + 0.1, low - lift), (0, 0, lift), cloth, 0.03)]
    parts += four_legs(rng, length * 0.9, width * 0.9, lift + 0.01, wood(rng), 0.06)
    parts.append(box((length * 0.97, width, thick), (0.02, 0, low - 0.05), white(rng), 0.05))
    kind, x = pick(rng, "columns", "rows", "plain", "wings"), -length / 2 - 0.05
    if kind in ("columns", "rows"):
        n = count(rng, 3, 8)
        each = (width + 0.15) / n
        pad = cushion(
            (0.12, each, high) if kind == "columns" else (0.12, width + 0.15, high / n), color=cloth, softness=0.25
        )
        spots = [(x, (i - (n - 1) / 2) * each, 0) if kind == "columns" else (x, 0, i * high / n) for i in range(n)]
        parts.append(copies(pad, spots))
    else:
        parts.append(box((0.12, width + 0.15, high), (x, 0, 0), cloth, 0.04))
        if kind == "wings":
            parts.append(both_sides(box((0.28, 0.08, high), (x + 0.12, width / 2 + 0.06, 0), cloth, 0.03)))
    return [*parts, *_covers(rng, width, length, low - 0.05 + thick)], ["upholstered bed", name]


def _iron(rng: Rng) -> Drawn:
    width, length, name = _size(rng)
    frame, level, high = (
        pick(rng, metal(rng), dark(rng), white(rng)),
        rng.uniform(0.3, 0.45),
        rng.uniform(0.85, 1.2),
    )
    parts = []
    for sign, top in ((-1, high), (1, high * rng.uniform(0.6, 0.9))):
        x, n = sign * length / 2, count(rng, 4, 9)
        t = np.linspace(0, np.pi, 11)
        arch = pick(rng, 0.0, 0.12, 0.25)
        bow = np.column_stack([0 * t + x, width / 2 * np.cos(t), top - arch + arch * np.sin(t)])
        ends = np.array([(x, width / 2, 0), *bow, (x, -width / 2, 0)])
        parts.append(tube(ends, 0.02, frame))
        parts.append(rod((x, -width / 2, level + 0.05), (x, width / 2, level + 0.05), 0.014, frame))
        y = np.linspace(-width / 2, width / 2, n + 2)[1:-1]
        parts += [
            rod((x, v, level), (x, v, top - arch + arch * np.sqrt(1 - (2 * v / width) ** 2)), 0.009, frame)
            for v in y
        ]
    parts.append(both_sides(box((length, 0.03, 0.05), (0, width / 2, level - 0.05), frame)))
    parts.append(box((length * 0.97, width * 0.97, 0.2), (0, 0, level - 0.03), white(rng), 0.05))
    return [*parts, *_covers(rng, width, length, level + 0.17)], ["iron bed", "metal bed", name]


def _hospital(rng: Rng) -> Drawn:
    width, length, level = rng.uniform(0.85, 1.0), rng.uniform(1.95, 2.15), rng.uniform(0.45, 0.65)
    frame, board = steel(rng), pick(rng, white(rng), wood(rng), near(rng, (0.5, 0.65, 0.8)))
    parts = [
        box((length, width, 0.06), (0, 0, level - 0.12), frame),
        box((length * 0.6, width * 0.5, 0.1), (0, 0, level * 0.4), frame),
    ]
    parts += [both_sides(rod((-0.4, width * 0.25, level * 0.4), (0.4, width * 0.25, level - 0.1), 0.025, frame))]
    wheel = rotate(cylinder(0.07, 0.03, (0, 0, -0.015), dark(rng)), "x", 90)
    parts.append(copies(wheel, [(s * length * 0.38, t * width * 0.35, 0.07) for s in (-1, 1) for t in (-1, 1)]))
    parts.append(
        copies(
            rod((0, 0, 0.08), (0, 0, level * 0.5), 0.02, frame),
            [(s * length * 0.38, t * width * 0.35, 0) for s in (-1, 1) for t in (-1, 1)],
        )
    )
    tilt = rng.uniform(0, 55)
    cover = white(rng)
    back = box((length * 0.4, width * 0.95, 0.14), (-length * 0.2, 0, 0), cover, 0.03)
    parts.append(move(rotate(back, "y", tilt), (-length * 0.1, 0, level - 0.06)))
    parts.append(box((length * 0.6, width * 0.95, 0.14), (length * 0.2, 0, level - 0.06), cover, 0.03))
    parts += [
        box((0.04, width, h), (s * length / 2, 0, level - 0.15), board, 0.01) for s, h in ((-1, 0.55), (1, 0.4))
    ]
    if maybe(rng, 0.75):
        rail = merge(
            [rod((-length * 0.3, 0, level + z), (length * 0.15, 0, level + z), 0.012, frame) for z in (0.18, 0.32)]
        )
        bars = copies(
            rod((0, 0, level - 0.1), (0, 0, level + 0.32), 0.01, frame),
            [(v * length, 0, 0) for v in (-0.3, -0.15, 0, 0.15)],
        )
        parts.append(both_sides(move(merge([rail, bars]), (0, width / 2 + 0.03, 0))))
    return parts, ["hospital bed", "adjustable bed"]


def _loft(rng: Rng) -> Drawn:
    width, length, level = rng.uniform(0.9, 1.4), rng.uniform(1.95, 2.1), rng.uniform(1.4, 1.75)
    frame = pick(rng, wood(rng), metal(rng), white(rng))
    parts = four_legs(
        rng, length, width, level + 0.35, frame, rng.uniform(0.05, 0.09), pick(rng, "straight", "round")
    )
    parts += [
        box((length, width, 0.05), (0, 0, level - 0.1), frame),
        box((length * 0.97, width * 0.95, 0.16), (0, 0, level - 0.05), white(rng), 0.03),
    ]
    parts.append(
        copies(
            box((length, 0.03, 0.07), color=frame),
            [(0, s * width / 2, level + z) for s in (-1, 1) for z in (0.12, 0.27)],
        )
    )
    rungs = copies(
        box((0.04, 0.38, 0.03), color=frame), [(length / 2 + 0.04, 0, z) for z in np.linspace(0.25, level, 6)]
    )
    parts += [rungs, both_sides(box((0.05, 0.03, level + 0.3), (length / 2 + 0.04, 0.2, 0), frame))]
    if maybe(rng, 0.6):
        parts.append(box((length * 0.9, width * 0.5, 0.03), (0, -width * 0.25, 0.72), near(rng, frame)))
        return [*parts, *_covers(rng, width, length, level + 0.1)], ["loft bed with a desk", "loft bed"]
    return [*parts, *_covers(rng, width, length, level + 0.1)], ["loft bed", "high bed"]


def _day(rng: Rng) -> Drawn:
    width, length, level = rng.uniform(0.85, 1.0), rng.uniform(1.9, 2.05), rng.uniform(0.32, 0.42)
    frame, high = pick(rng, wood(rng), metal(rng), fabric(rng)), rng.uniform(0.7, 0.95)
    parts = [
        box((width, length, 0.14), (0, 0, level - 0.14), frame),
        box((width * 0.95, length * 0.97, 0.18), (0, 0, level), white(rng), 0.04),
    ]
    parts += four_legs(
        rng, width * 0.92, length * 0.95, level, frame, 0.06, pick(rng, "straight", "turned", "round")
    )
    if maybe(rng):
        bar = box((0.03, 0.03, high - level), color=frame)
        y = np.linspace(-0.48, 0.48, count(rng, 8, 14)) * length
        parts += [
            copies(bar, [(-width / 2, v, level) for v in y]),
            box((0.05, length, 0.05), (-width / 2, 0, high), frame),
        ]
        x = np.linspace(-0.45, 0.45, 5) * width
        parts += [
            both_sides(copies(bar, [(v, length / 2, level) for v in x])),
            both_sides(box((width, 0.05, 0.05), (0, length / 2, high), frame)),
        ]
    else:
        parts += [
            box((0.08, length, high), (-width / 2, 0, 0), frame, 0.02),
            both_sides(box((width, 0.08, high), (0, length / 2, 0), frame, 0.02)),
        ]
    pad = rotate(cushion((0.16, length / 3 * 0.95, 0.4), color=bright(rng), softness=0.4), "y", -12)
    parts.append(copies(pad, [(-width / 2 + 0.14, (i - 1) * length / 3, level + 0.17) for i in range(3)]))
    return parts, ["day bed", "single bed"]


def _round(rng: Rng) -> Drawn:
    r, low = rng.uniform(0.95, 1.2), rng.uniform(0.25, 0.35)
    color, arc = fabric(rng), rng.uniform(90, 170)
    t = np.radians(np.linspace(180 - arc / 2, 180 + arc / 2, 13))
    ends = [np.column_stack([q * np.cos(t), q * np.sin(t)]) for q in (r + 0.15, r)]
    head = extrude(np.concatenate([ends[0], ends[1][::-1]]), rng.uniform(0.7, 1.0), color=color)
    parts = [
        cylinder(r + 0.05, low, color=color, sides=28),
        cushion((2 * r, 2 * r, 0.24), (0, 0, low - 0.03), white(rng), 0.3, 26),
        head,
    ]
    pillow = cushion((0.35, 0.6, 0.14), color=bright(rng), softness=0.5)
    return [*parts, copies(pillow, [(-r * 0.6, s * 0.36, low + 0.19) for s in (-1, 1)])], [
        "round bed",
        "double bed",
    ]


def _low(rng: Rng) -> Drawn:
    width, length, name = _size(rng)
    deck, over, level = wood(rng), rng.uniform(0.05, 0.3), rng.uniform(0.1, 0.22)
    parts = [
        box((length + over, width + 2 * over, 0.06), (0, 0, level - 0.06), deck),
        box((length * 0.8, width * 0.8, level - 0.06), color=deck),
    ]
    parts.append(box((length * 0.97, width, 0.2), (0, 0, level), white(rng), 0.05))
    if maybe(rng, 0.7):
        board = box(
            (0.05, width + 2 * over + rng.uniform(0, 1.0), rng.uniform(0.5, 0.8)),
            (-length / 2 - over / 2, 0, 0.05),
            deck,
        )
        parts.append(rotate(board, "y", -rng.uniform(0, 14), (-length / 2 - over / 2, 0, 0)))
    return [*parts, *_covers(rng, width, length, level + 0.2)], ["low platform bed", "japanese bed", name]


def _set(rng: Rng) -> Drawn:
    parts, captions = _upholstered(rng)
    points = np.concatenate([m.vertices for m in parts])
    y, x = float(points[:, 1].max()), float(points[:, 0].min())
    color, h = wood(rng), rng.uniform(0.4, 0.55)
    stand = merge(
        [
            box((0.4, 0.45, h), color=color),
            box((0.02, 0.4, h * 0.42), (0.2, 0, h * 0.05), near(rng, color)),
            box((0.02, 0.4, h * 0.42), (0.2, 0, h * 0.53), near(rng, color)),
        ]
    )
    sides = (-1, 1) if maybe(rng, 0.7) else (1,)
    return [*parts, copies(stand, [(x + 0.3, s * (y + 0.26), 0) for s in sides])], [
        "bed with night stands",
        *captions,
    ]


def crib(rng: Rng) -> Drawn:
    """Cribs: a small mattress between barred sides, on legs, rockers or castors."""
    width, length, high, frame = rng.uniform(0.6, 0.75), rng.uniform(1.1, 1.35), rng.uniform(0.85, 1.0), wood(rng)
    low, base = rng.uniform(0.3, 0.5), rng.uniform(0.1, 0.25)
    parts = [
        copies(
            box((0.05, 0.05, high), color=frame),
            [(s * length / 2, t * width / 2, 0) for s in (-1, 1) for t in (-1, 1)],
        )
    ]
    n = count(rng, 8, 14)
    bars = copies(
        rod((0, 0, base), (0, 0, high - 0.05), 0.009, frame, sides=6),
        [(v, 0, 0) for v in np.linspace(-0.45, 0.45, n) * length],
    )
    rails = merge([box((length, 0.03, 0.05), (0, 0, z), frame) for z in (base, high - 0.06)])
    parts.append(both_sides(move(merge([bars, rails]), (0, width / 2, 0))))
    if maybe(rng):
        parts += [
            box((0.03, width, h), (s * length / 2, 0, base), frame, 0.01)
            for s, h in ((-1, high - base + 0.1), (1, high - base))
        ]
    else:
        end = copies(
            rod((0, 0, base), (0, 0, high - 0.05), 0.009, frame, sides=6),
            [(0, v, 0) for v in np.linspace(-0.4, 0.4, 6) * width],
        )
        frame_ = merge([end, *(box((0.03, width, 0.05), (0, 0, z), frame) for z in (base, high - 0.06))])
        parts += [move(frame_, (s * length / 2, 0, 0)) for s in (-1, 1)]
    parts += [box((length * 0.97, width * 0.95, 0.1), (0, 0, low), white(rng), 0.02)]
    if maybe(rng, 0.6):
        parts.append(cushion((length * 0.5, width * 0.9, 0.06), (length * 0.2, 0, low + 0.08), bright(rng), 0.4))
    if maybe(rng, 0.3):
        t = np.linspace(-1, 1, 9)
        bow = np.column_stack([0 * t, t * width * 0.62, 0.02 + 0.09 * t**2])
        parts = [move(m, (0, 0, 0.06)) for m in parts] + [
            copies(tube(bow, 0.02, frame), [(s * length * 0.46, 0, 0) for s in (-1, 1)])
        ]
        return parts, ["cradle", "baby crib"]
    return parts, ["baby crib", "child's bed"]


def mattress(rng: Rng) -> Drawn:
    """Mattresses: with piping and buttons, alone, with a pillow, or leaning."""
    width, length, thick = rng.uniform(0.8, 1.9), rng.uniform(1.9, 2.1), rng.uniform(0.14, 0.32)
    color, trim = near(rng, (0.9, 0.9, 0.88)), near(rng, (0.55, 0.6, 0.7), 0.15)
    parts = [box((length, width, thick), color=color, bevel=rng.uniform(0.02, 0.07))]
    edge = [(length / 2, width / 2), (-length / 2, width / 2), (-length / 2, -width / 2), (length / 2, -width / 2)]
    parts += [
        tube([(x * 0.98, y * 0.98, z) for x, y in edge], 0.012, trim, 6, closed=True) for z in (0.03, thick - 0.03)
    ]
    x, y = np.meshgrid(np.linspace(-0.4, 0.4, 6) * length, np.linspace(-0.35, 0.35, 3) * width)
    parts.append(
        copies(
            cylinder(0.018, 0.008, color=trim, sides=8), np.column_stack([x.ravel(), y.ravel(), np.full(18, thick)])
        )
    )
    if maybe(rng, 0.4):
        parts.append(cushion((0.4, 0.6, 0.14), (-length * 0.36, 0, thick - 0.01), white(rng), 0.5))
        return parts, ["mattress with a pillow"]
    return parts, ["bed mattress"]


def hammock(rng: Rng) -> Drawn:
    """Hammocks: a sagging cloth between two posts or trees, or on a bow-shaped stand."""
    long, wide, color = rng.uniform(1.8, 2.3), rng.uniform(0.7, 1.0), bright(rng)
    u, v = np.linspace(-1, 1, 15), np.linspace(-1, 1, 9)
    narrow = (1 - np.abs(u) ** 3) * 0.9 + 0.1
    grid = np.zeros((15, 9, 3))
    grid[:, :, 0], grid[:, :, 1] = (u * long / 2)[:, None], narrow[:, None] * v * wide / 2
    grid[:, :, 2] = 0.5 + 0.45 * (u**2)[:, None] + 0.22 * narrow[:, None] * v**2
    parts = [sheet(grid, color), move(sheet(grid[:, ::-1], near(rng, color)), (0, 0, -0.01))]
    reach, frame = long / 2 + rng.uniform(0.4, 0.7), pick(rng, wood(rng), metal(rng))
    ropes = [
        rod((s * long / 2, t * wide * 0.05 * 0.9, 0.95), (s * reach, 0, 1.25), 0.008, (0.8, 0.75, 0.6))
        for s in (-1, 1)
        for t in (-1, 1)
    ]
    if maybe(rng, 0.6):
        t = np.linspace(-1, 1, 15)
        bow = np.column_stack([t * reach, 0 * t, 0.08 + 1.2 * np.abs(t) ** 2.5])
        feet = copies(box((0.08, wide * 1.2, 0.06), color=frame), [(s * reach * 0.5, 0, 0) for s in (-1, 1)])
        return [*parts, *ropes, tube(bow, 0.035, frame), feet], ["hammock on a stand", "hammock with a frame"]
    post = [cylinder(0.06, 1.5, (s * reach, 0, 0), frame) for s in (-1, 1)]
    return [*parts, *ropes, *post], ["hammock between two posts"]

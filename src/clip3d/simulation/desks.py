"""Desks, one maker for each kind."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import both_sides, copies, merge, mirror, move, rotate
from clip3d.simulation.shapes import Color, beam, box, cylinder, extrude, rod, tube
from clip3d.simulation.tables import drawers


def desk(rng: Rng) -> Drawn:
    """Desks of many kinds; the kind is drawn first, then its shape."""
    usual = (_office_desk, _office_desk, _office_desk, _office_desk, _corner_desk, _corner_desk, _computer_desk)
    more = (_executive_desk, _roll_top, _school_desk, _reception_desk, _trestle_desk, _frame_desk, _shelf_desk)
    return pick(rng, *usual, *more)(rng)


def _pedestal(rng: Rng, depth: float, block: float, under: float, color: Color) -> Mesh:
    """A block of drawers that carries a top at the height `under`."""
    lift = pick(rng, 0.0, 0.0, 0.06, 0.1)
    fronts = drawers(rng, depth, block, under - lift, count(rng, 1, 4), 1, color)
    feet = four_legs(rng, depth * 0.85, block * 0.85, lift + 0.01, color, 0.04, "straight") if lift else []
    return merge(
        [box((depth, block, under - lift), (0, 0, lift), color), *(move(m, (0, 0, lift)) for m in fronts), *feet]
    )


def _office_desk(rng: Rng) -> Drawn:
    """Desks: drawers on one or both sides, plain legs, L shapes, hutches, modesty panels, standing desks."""
    depth, width, height = rng.uniform(0.55, 0.85), rng.uniform(1.0, 1.8), rng.uniform(0.7, 0.78)
    color, frame = wood(rng), pick(rng, wood(rng), metal(rng), dark(rng))
    thick = rng.uniform(0.02, 0.05)
    parts, captions = [box((depth, width, thick), (0, 0, height - thick), color, 0.005)], []
    under, side = height - thick, pick(rng, -1, 1)
    kind = pick(rng, "one", "one", "both", "both", "legs", "panels", "standing", "secretary")
    block = rng.uniform(0.3, 0.45)
    if kind in ("one", "both"):
        lift = pick(rng, 0.0, 0.0, 0.08)
        rows = count(rng, 2, 4)
        body = [box((depth * 0.92, block, under - lift), (0, 0, lift), color)]
        body += [move(m, (0, 0, lift)) for m in drawers(rng, depth * 0.92, block, under - lift, rows, 1, color)]
        pedestal = merge(body)
        sides = (-1, 1) if kind == "both" else (side,)
        parts.append(copies(pedestal, [(0, s * (width - block) / 2, 0) for s in sides]))
        if kind == "one":
            y = -side * (width - 0.06) / 2
            ends = [box((depth * 0.92, 0.035, under), (0, y, 0), color)]
            ends = (
                ends
                if maybe(rng)
                else [box((0.05, 0.05, under), (s * (depth / 2 - 0.04), y, 0), frame) for s in (-1, 1)]
            )
            parts += ends
        captions.append("desk with drawers")
    elif kind == "panels":
        parts.append(
            copies(
                box((depth * 0.95, 0.035, under), color=color), [(0, s * (width / 2 - 0.03), 0) for s in (-1, 1)]
            )
        )
    elif kind == "standing":
        foot = merge([box((depth * 0.9, 0.07, 0.03), color=frame), box((0.07, 0.09, under), color=frame)])
        parts.append(copies(foot, [(0, s * width * 0.36, 0) for s in (-1, 1)]))
        captions.append("standing desk")
    else:
        parts += four_legs(rng, depth * 0.88, width * 0.92, under, frame, rng.uniform(0.03, 0.06))
        if maybe(rng, 0.6):
            tall = rng.uniform(0.08, 0.14)
            parts.append(box((depth * 0.9, width * 0.88, tall), (0, 0, under - tall), color))
            parts += [
                move(m, (0, 0, under - tall))
                for m in drawers(rng, depth * 0.9, width * 0.88, tall, 1, count(rng, 1, 3), color)
            ]
        captions.append("writing desk")
    if kind in ("one", "both", "panels") and maybe(rng, 0.65):
        tall = under * rng.uniform(0.4, 0.95)
        parts.append(box((0.02, width * 0.95, tall), (-depth * 0.4, 0, under - tall), color))
    if kind == "secretary" or maybe(rng, 0.25):
        parts += _hutch(rng, depth, width, height, color)
        captions.insert(0, "secretary desk" if kind == "secretary" else "desk with a hutch")
    if kind != "secretary" and maybe(rng, 0.25):
        reach = rng.uniform(0.5, 1.0)
        x, y = depth / 2 + reach / 2, side * (width / 2 - 0.25)
        parts.append(box((reach, 0.5, thick), (x, y, height - thick), color))
        parts.append(box((0.035, 0.46, under), (x + reach / 2 - 0.03, y, 0), color))
        captions.insert(0, pick(rng, "L-shaped desk", "corner desk"))
    elif maybe(rng, 0.25):
        parts.append(box((0.36, 0.6, 0.02), (0.1, 0, under * 0.86), color))
        captions.insert(0, "computer desk")
    return parts, [*captions, "office desk"]


def _hutch(rng: Rng, depth: float, width: float, height: float, color: Color) -> list[Mesh]:
    tall, deep = rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.3)
    x = -depth / 2 + deep / 2
    n = count(rng, 2, 5)
    uprights = copies(
        box((deep, 0.025, tall), color=color), [(x, y, height) for y in np.linspace(-0.49, 0.49, n) * width]
    )
    shelves = copies(
        box((deep, width, 0.025), color=color), [(x, 0, height + z) for z in (tall * rng.uniform(0.4, 0.7), tall)]
    )
    return [uprights, shelves] + (
        [box((0.02, width, tall), (x - deep / 2, 0, height), color)] if maybe(rng, 0.6) else []
    )


def _corner_desk(rng: Rng) -> Drawn:
    height, deep = rng.uniform(0.7, 0.78), rng.uniform(0.45, 0.7)
    wide, reach, r = rng.uniform(1.3, 2.0), rng.uniform(1.2, 1.9), rng.uniform(0.05, 0.45)
    color, frame, thick = wood(rng), pick(rng, wood(rng), metal(rng), dark(rng)), rng.uniform(0.02, 0.05)
    t = np.linspace(-np.pi / 2, -np.pi, pick(rng, 2, 7))
    inner = [(deep + r + r * np.cos(a), deep + r + r * np.sin(a)) for a in t]
    outline = [(0, 0), (reach, 0), (reach, deep), *inner, (deep, wide), (0, wide)]
    under = height - thick
    parts = [extrude(outline, thick, (0, 0, under), color)]
    if maybe(rng, 0.6):
        parts += [box((deep, 0.03, under), (deep / 2, wide - 0.03, 0), color)]
        parts += [
            box((0.03, deep, under), (reach - 0.03, deep / 2, 0), color),
            box((0.03, 0.03, under), (0.03, 0.03, 0), color),
        ]
        parts += [box((0.02, wide * 0.95, under * 0.6), (0.03, wide / 2, under * 0.4), color)]
    else:
        spots = [
            (0.05, 0.05),
            (reach - 0.05, 0.05),
            (reach - 0.05, deep - 0.05),
            (0.05, wide - 0.05),
            (deep - 0.05, wide - 0.05),
        ]
        leg = cylinder(0.025, under, color=frame) if maybe(rng) else box((0.05, 0.05, under), color=frame)
        parts.append(copies(leg, [(x, y, 0) for x, y in spots]))
    if maybe(rng, 0.6):
        parts.append(move(_pedestal(rng, deep * 0.9, 0.4, under, color), (deep * 0.47, wide - 0.25, 0)))
    if maybe(rng, 0.4):
        shelf = rng.uniform(0.25, 0.5)
        parts += [box((0.25, wide, 0.02), (0.13, wide / 2, height + shelf), color)]
        parts.append(
            copies(box((0.25, 0.02, shelf), color=color), [(0.13, v * wide, height) for v in (0.02, 0.5, 0.98)])
        )
    whole = move(merge(parts), (-reach / 2, -wide / 2, 0))
    return [mirror(whole) if maybe(rng) else whole], ["corner desk", "L-shaped desk", "office desk"]


def _computer_desk(rng: Rng) -> Drawn:
    deep, wide, height = rng.uniform(0.45, 0.65), rng.uniform(0.75, 1.3), rng.uniform(0.7, 0.78)
    color, frame = wood(rng), pick(rng, wood(rng), metal(rng), dark(rng))
    sides = box((deep, 0.025, height), color=color)
    parts = [box((deep, wide, 0.025), (0, 0, height), color)]
    if maybe(rng):
        parts.append(copies(sides, [(0, s * (wide / 2 - 0.02), 0) for s in (-1, 1)]))
    else:
        loop = [(deep / 2, wide / 2, 0.02), (-deep / 2, wide / 2, 0.02), (-deep / 2, wide / 2, height)]
        parts.append(both_sides(tube(loop, 0.018, frame)))
        parts.append(both_sides(rod((0.1, wide / 2, 0.02), (0.1, wide / 2, height), 0.018, frame)))
    side = pick(rng, -1, 1)
    tray = box((deep * 0.6, wide * 0.6, 0.02), (rng.uniform(0, 0.25), -side * wide * 0.15, height - 0.1), color)
    parts += [tray, box((deep * 0.9, 0.02, height), (0, side * wide * 0.2, 0), color)]
    parts.append(box((deep * 0.9, wide * 0.29, 0.02), (0, side * wide * 0.345, rng.uniform(0.08, 0.2)), color))
    if maybe(rng, 0.7):
        parts += _hutch(rng, deep, wide, height + 0.025, color)
    if maybe(rng, 0.35):
        parts.append(box((0.35, 0.17, 0.36), (0, side * wide * 0.345, 0.2), dark(rng)))
    return parts, ["computer desk with a keyboard tray", "computer desk", "computer table"]


def _executive_desk(rng: Rng) -> Drawn:
    deep, wide, height = rng.uniform(0.75, 1.0), rng.uniform(1.5, 2.1), rng.uniform(0.74, 0.8)
    color, block = wood(rng), rng.uniform(0.38, 0.5)
    over, under = rng.uniform(0.03, 0.15), height - 0.05
    pedestal = _pedestal(rng, deep - over, block, under, color)
    parts = [box((deep + over, wide + over, 0.05), (0, 0, under), near(rng, color), 0.012)]
    parts.append(copies(pedestal, [(0, s * (wide - block) / 2, 0) for s in (-1, 1)]))
    parts.append(box((0.03, wide - block, under - 0.1), (-deep * 0.3, 0, 0.1), color))
    if maybe(rng, 0.7):
        middle = [box((deep * 0.8, wide - 2 * block, 0.1), (0, 0, under - 0.1), color)]
        middle += [
            move(m, (0, 0, under - 0.1)) for m in drawers(rng, deep * 0.8, wide - 2 * block, 0.1, 1, 1, color)
        ]
        parts += middle
    if maybe(rng):
        panel = box(
            (0.02, block * 0.7, under * 0.6), (-(deep - over) / 2 - 0.01, 0, under * 0.2), near(rng, color), 0.006
        )
        parts.append(copies(panel, [(0, s * (wide - block) / 2, 0) for s in (-1, 1)]))
    if maybe(rng, 0.4):
        parts.append(
            box((deep * 0.7, wide * 0.6, 0.006), (0.02, 0, height), pick(rng, dark(rng), (0.1, 0.25, 0.15)))
        )
    return parts, ["pedestal desk", "executive desk", "desk with drawers"]


def _roll_top(rng: Rng) -> Drawn:
    parts, _ = _executive_desk(rng)
    top = parts[0]
    (x0, y0, _), (x1, y1, high) = top.vertices.min(axis=0), top.vertices.max(axis=0)
    color, tall, deep, wide = wood(rng), rng.uniform(0.3, 0.45), float(x1 - x0), float(y1 - y0)
    t = np.linspace(0, np.pi / 2, 7)
    bow = [(-deep * 0.5 + deep * 0.75 * np.sin(a), tall * np.cos(a)) for a in t]
    side = extrude([(-deep * 0.5, 0), *bow[::-1], (-deep * 0.5, tall)], 0.03, color=color)
    ends = copies(rotate(side, "x", 90), [(0, y, float(high)) for y in (float(y0) + 0.06, float(y1) - 0.03)])
    shown = count(rng, 3, 7)
    slats = [
        beam(
            (bow[i][0], float(y0) + 0.05, high + bow[i][1]),
            (bow[i][0], float(y1) - 0.05, high + bow[i][1]),
            0.05,
            0.05,
            color,
        )
        for i in range(shown)
    ]
    back = box((0.03, wide * 0.95, tall), (-deep * 0.48, 0, float(high)), color)
    return [*parts, ends, *slats, back], ["roll-top desk", "desk with drawers"]


def _school_desk(rng: Rng) -> Drawn:
    deep, wide, height = rng.uniform(0.4, 0.55), rng.uniform(0.5, 1.2), rng.uniform(0.6, 0.76)
    color, frame = wood(rng), pick(rng, metal(rng), dark(rng), wood(rng))
    top = rotate(box((deep, wide, 0.025), color=color, bevel=0.006), "y", pick(rng, 0.0, 0.0, 8.0))
    parts = [move(top, (0, 0, height))]
    if maybe(rng, 0.7):
        parts.append(box((deep * 0.85, wide * 0.85, 0.015), (-0.02, 0, height - 0.14), frame))
        parts.append(box((0.012, wide * 0.85, 0.14), (-deep * 0.45, 0, height - 0.14), frame))
    style = pick(rng, "round", "frame", "straight")
    if style == "frame":
        y = wide * 0.42
        leg = tube([(-deep * 0.4, y, 0.02), (deep * 0.4, y, 0.02), (0, y, 0.03), (0, y, height)], 0.02, frame)
        parts.append(both_sides(leg))
    else:
        parts += four_legs(rng, deep * 0.85, wide * 0.9, height, frame, 0.03, style)
    if maybe(rng, 0.4):
        seat, x = rng.uniform(0.36, 0.44), deep / 2 + 0.35
        parts += [
            box((0.3, wide * 0.8, 0.025), (x, 0, seat), color),
            box((0.02, wide * 0.8, 0.2), (x + 0.16, 0, seat + 0.15), color),
        ]
        parts.append(
            both_sides(
                tube(
                    [(0, wide * 0.35, 0.03), (x + 0.16, wide * 0.35, 0.03), (x + 0.16, wide * 0.35, seat + 0.3)],
                    0.018,
                    frame,
                )
            )
        )
        return parts, ["school desk with a seat", "school desk"]
    return parts, ["school desk", "student desk"]


def _reception_desk(rng: Rng) -> Drawn:
    r, deep, height = rng.uniform(1.0, 1.8), rng.uniform(0.5, 0.7), rng.uniform(0.7, 0.78)
    color, front, arc = wood(rng), pick(rng, white(rng), wood(rng), bright(rng)), rng.uniform(50, 150)
    t = np.radians(np.linspace(180 - arc / 2, 180 + arc / 2, 13))

    def band(inner: float, outer: float, low: float, thick: float, shade: Color) -> Mesh:
        ends = [np.column_stack([f * np.cos(t), f * np.sin(t)]) for f in (outer, inner)]
        return extrude(np.concatenate([ends[0], ends[1][::-1]]), thick, (r, 0, low), shade)

    parts = [band(r - deep, r, height - 0.03, 0.03, color), band(r - 0.03, r + 0.02, 0.0, height + 0.3, front)]
    if maybe(rng, 0.7):
        parts.append(band(r - 0.2, r + 0.12, height + 0.3, 0.035, color))
    return parts, ["reception desk", "curved counter"]


def _trestle_desk(rng: Rng) -> Drawn:
    deep, wide, height = rng.uniform(0.55, 0.8), rng.uniform(1.1, 1.8), rng.uniform(0.7, 0.77)
    color, frame = pick(rng, wood(rng), near(rng, (0.75, 0.85, 0.85))), pick(rng, wood(rng), metal(rng))
    spread = deep * rng.uniform(0.3, 0.45)
    leg = both_sides(beam((-spread, 0, 0), (-0.05, 0, height), 0.035, 0.045, frame), "x")
    bars = merge([leg, box((spread * 1.4, 0.03, 0.03), (0, 0, height * 0.35), frame)])
    horse = merge(
        [move(bars, (0, s * 0.25, 0)) for s in (-1, 1)] + [box((0.05, 0.6, 0.05), (0, 0, height - 0.05), frame)]
    )
    horse = horse if maybe(rng) else bars
    parts = [
        box((deep, wide, 0.03), (0, 0, height), color, 0.005),
        copies(horse, [(0, s * wide * 0.32, 0) for s in (-1, 1)]),
    ]
    return parts, ["trestle desk", "work desk", "writing desk"]


def _frame_desk(rng: Rng) -> Drawn:
    deep, wide, height = rng.uniform(0.5, 0.75), rng.uniform(0.9, 1.6), rng.uniform(0.71, 0.77)
    color, frame = pick(rng, near(rng, (0.72, 0.84, 0.86)), wood(rng), dark(rng)), pick(rng, metal(rng), dark(rng))
    x, y, kind = deep * 0.45, wide * 0.46, pick(rng, "cross", "loop", "z", "a")
    if kind == "cross":
        side = merge([rod((-x, y, 0), (x, y, height), 0.018, frame), rod((x, y, 0), (-x, y, height), 0.018, frame)])
    elif kind == "loop":
        side = tube(
            [(-x, y, 0.02), (x, y, 0.02), (x, y, height), (-x, y, height)],
            0.018,
            frame,
            4,
            closed=True,
            turn=np.pi / 4,
        )
    elif kind == "z":
        side = tube([(x, y, height - 0.02), (-x, y, height - 0.02), (x, y, 0.02), (-x, y, 0.02)], 0.022, frame)
    else:
        side = merge([rod((s * x, y, 0), (s * 0.06, y, height), 0.018, frame) for s in (-1, 1)])
    parts = [box((deep, wide, rng.uniform(0.01, 0.03)), (0, 0, height), color), both_sides(side)]
    parts.append(rod((-x * 0.7, -y, height * 0.3), (-x * 0.7, y, height * 0.3), 0.014, frame))
    if maybe(rng, 0.45):
        side_ = pick(rng, -1, 1)
        parts.append(
            copies(
                box((deep * 0.8, wide * 0.25, 0.02), color=color),
                [(0, side_ * wide * 0.33, z) for z in (0.15, 0.42)],
            )
        )
    return parts, [
        "glass desk" if color[0] > 0.65 and color[2] > 0.75 else "desk with a metal frame",
        "modern desk",
        "computer desk",
    ]


def _shelf_desk(rng: Rng) -> Drawn:
    deep, wide, height = rng.uniform(0.45, 0.65), rng.uniform(0.9, 1.5), rng.uniform(0.7, 0.77)
    color, side, tall = wood(rng), pick(rng, -1, 1), rng.uniform(1.1, 1.9)
    y, n, case = side * (wide / 2 + 0.17), count(rng, 3, 6), 0.34
    parts = [
        box((deep, wide, 0.03), (0, 0, height), color),
        box((deep * 0.9, 0.03, height), (0, -side * (wide / 2 - 0.02), 0), color),
    ]
    parts.append(
        copies(box((deep * 0.7, 0.025, tall), color=color), [(-deep * 0.1, y + s * case / 2, 0) for s in (-1, 1)])
    )
    parts.append(
        copies(
            box((deep * 0.7, case, 0.022), color=color),
            [(-deep * 0.1, y, z) for z in np.linspace(0.04, tall - 0.03, n)],
        )
    )
    if maybe(rng):
        parts.append(box((0.015, case, tall), (-deep * 0.44, y, 0), color))
    return parts, ["desk with shelves", "desk with a bookcase", "study desk"]

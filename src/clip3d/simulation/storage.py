"""Furniture that holds things: dressers, night stands, shelves, wardrobes, cabinets."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.bedroom import (
    bedside_things,
    bow_chest,
    changing_dresser,
    hutch_dresser,
    odd_night_stand,
    vanity,
)
from clip3d.simulation.chance import Rng, bright, count, maybe, metal, near, pick, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import both_sides, copies, merge, move, rotate
from clip3d.simulation.shapes import Color, beam, box, cylinder, extrude, rod, sphere
from clip3d.simulation.tables import drawers


def _feet(rng: Rng, depth: float, width: float, color: Color, most: float = 0.2) -> tuple[float, list[Mesh]]:
    """A base under a carcass: nothing, a plinth, or four legs; with its height."""
    kind = pick(rng, "none", "plinth", "legs", "legs")
    if kind == "none":
        return 0.0, []
    high = rng.uniform(0.04, 0.09) if kind == "plinth" else rng.uniform(0.05, most)
    if kind == "plinth":
        return high, [box((depth * 0.93, width * 0.96, high), color=color)]
    return high, four_legs(rng, depth * 0.85, width * 0.9, high + 0.01, color, rng.uniform(0.035, 0.06))


def dresser(rng: Rng) -> Drawn:
    """Chests of drawers: low and wide to tall and narrow, with or without legs, mirror, overhanging top, a door."""
    kind = pick(rng, "low", "low", "chest", "chest", "tallboy", "mirror", "combo", "bow", "vanity", "hutch", "open")
    if kind in ("vanity", "hutch", "open"):
        return {"vanity": vanity, "hutch": hutch_dresser, "open": changing_dresser}[kind](rng)
    depth = rng.uniform(0.4, 0.55)
    if kind == "bow":
        chest = bow_chest(rng, depth, rng.uniform(0.8, 1.4), rng.uniform(0.75, 1.1), count(rng, 3, 5))
        return chest, ["bow front dresser", "dresser with drawers"]
    width, height = {
        "low": (rng.uniform(1.1, 1.8), rng.uniform(0.6, 0.85)),
        "chest": (rng.uniform(0.7, 1.1), rng.uniform(0.75, 1.1)),
        "tallboy": (rng.uniform(0.45, 0.7), rng.uniform(1.0, 1.45)),
        "mirror": (rng.uniform(0.9, 1.6), rng.uniform(0.65, 0.9)),
        "combo": (rng.uniform(1.0, 1.6), rng.uniform(0.7, 1.0)),
    }[kind]
    color = wood(rng)
    lift, parts = _feet(rng, depth, width, color)
    parts.append(box((depth, width, height - lift), (0, 0, lift), color))
    over = rng.uniform(0, 0.05)
    parts.append(box((depth + over, width + over, 0.03), (0, 0, height), near(rng, color), 0.008))
    rows = count(rng, 4, 7) if kind == "tallboy" else count(rng, 2, 5)
    columns = 1 if kind == "tallboy" else max(1, round(width / rng.uniform(0.45, 0.8)))
    body = height - lift
    if kind == "combo":
        door = merge(
            [box((0.02, width * 0.3, body * 0.9)), sphere(0.016, (0.02, width * 0.11, body * 0.5), sides=8)]
        )
        parts.append(copies(door, [(depth / 2, s * width * 0.33, lift + body * 0.04) for s in (-1, 1)]))
        parts += [move(m, (0, 0, lift)) for m in drawers(rng, depth, width * 0.33, body, rows, 1, color)]
    elif maybe(rng, 0.3) and rows > 2:
        part = body / rows
        parts += [move(m, (0, 0, lift)) for m in drawers(rng, depth, width, body - part, rows - 1, columns, color)]
        parts += [move(m, (0, 0, height - part)) for m in drawers(rng, depth, width, part, 1, columns + 1, color)]
    else:
        parts += [move(m, (0, 0, lift)) for m in drawers(rng, depth, width, body, rows, columns, color)]
    captions = ["dresser with drawers"]
    if kind == "mirror":
        captions = ["dresser with a mirror", "vanity"]
        parts += [
            move(m, (-depth * 0.4, 0, height + 0.03))
            for m in _glass(rng, width * rng.uniform(0.5, 0.95), rng.uniform(0.5, 0.9), color)
        ]
    if kind == "tallboy":
        return parts, ["tall dresser", "tallboy", "dresser with drawers"]
    if kind == "combo":
        captions = ["dresser with doors", "dresser with drawers and doors"]
    return parts, captions


def _glass(rng: Rng, width: float, height: float, frame: Color) -> list[Mesh]:
    """A framed mirror that stands across x: square, arched or oval."""
    glass = near(rng, (0.78, 0.85, 0.88), 0.03)
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    kind = pick(rng, "square", "oval", "arch")
    outline = {
        "square": np.array([(-1, 0), (1, 0), (1, 2), (-1, 2)]),
        "oval": np.column_stack([np.cos(t), 1 + np.sin(t)]),
        "arch": np.array(
            [(1, 0), *((np.cos(a), 1.3 + 0.7 * np.sin(a)) for a in np.linspace(0, np.pi, 12)), (-1, 0)]
        ),
    }[kind] * [width / 2, height / 2]
    middle = np.array([0, height / 2])
    back = extrude(outline, 0.03, color=frame)
    front = extrude(middle + (outline - middle) * (1 - 0.1 / max(width, 0.3)), 0.012, (0, 0, 0.025), glass)
    return [rotate(rotate(m, "x", 90), "z", 90) for m in (back, front)]


def night_stand(rng: Rng) -> Drawn:
    """Night stands of many designs, some with a lamp or books on top."""
    parts, captions = odd_night_stand(rng) if maybe(rng, 0.45) else _plain_night_stand(rng)
    if maybe(rng, 0.15):
        things, words = bedside_things(rng, max(float(m.vertices[:, 2].max()) for m in parts))
        return [*parts, *things], words + captions
    return parts, captions


def _plain_night_stand(rng: Rng) -> Drawn:
    """One to three drawers, an open shelf, a door, a leggy table, a round one."""
    depth, width, height = rng.uniform(0.32, 0.48), rng.uniform(0.35, 0.6), rng.uniform(0.42, 0.72)
    color = wood(rng)
    kind = pick(rng, "drawers", "drawers", "drawer and shelf", "drawer and shelf", "door", "leggy", "round", "cube")
    if kind == "round":
        drum = cylinder(width / 2, height * 0.6, (0, 0, height * 0.4), color, sides=22)
        legs = four_legs(rng, width * 0.6, width * 0.6, height * 0.42, color, 0.035)
        return [drum, sphere(0.02, (width / 2, 0, height * 0.7), metal(rng), 8), *legs], ["round night stand"]
    lift, parts = _feet(rng, depth, width, color, 0.25)
    over = rng.uniform(0, 0.05)
    parts.append(box((depth + over, width + over, 0.025), (0, 0, height), near(rng, color), 0.006))
    if kind == "leggy":
        tall = rng.uniform(0.12, 0.2)
        parts = [parts[-1], *four_legs(rng, depth * 0.9, width * 0.9, height, color, 0.04)]
        parts.append(box((depth, width, tall), (0, 0, height - tall), color))
        parts += [move(m, (0, 0, height - tall)) for m in drawers(rng, depth, width, tall, 1, 1, color)]
        if maybe(rng, 0.6):
            parts.append(box((depth, width, 0.02), (0, 0, height * 0.25), color))
        return parts, ["night stand with one drawer"]
    body = height - lift
    if kind in ("drawers", "door"):
        rows = count(rng, 1, 3)
        parts.append(box((depth, width, body), (0, 0, lift), color))
        if kind == "door":
            knob = sphere(0.018, (depth / 2 + 0.03, width * 0.35, lift + body * 0.4), metal(rng), 8)
            parts += [box((0.02, width * 0.92, body * 0.6), (depth / 2, 0, lift + 0.02), near(rng, color)), knob]
            parts += [
                move(m, (0, 0, lift + body * 0.66)) for m in drawers(rng, depth, width, body * 0.34, 1, 1, color)
            ]
            return parts, ["night stand with a door"]
        parts += [move(m, (0, 0, lift)) for m in drawers(rng, depth, width, body, rows, 1, color)]
        return parts, [f"night stand with {('one drawer', 'two drawers', 'three drawers')[rows - 1]}"]
    parts += carcass(depth, width, body, lift, color, 0.022)
    if kind == "cube":
        return [*parts, box((depth, width, 0.02), (0, 0, lift + body * rng.uniform(0.4, 0.6)), color)], [
            "open night stand"
        ]
    share = rng.uniform(0.3, 0.55) * body
    parts.append(box((depth, width, share), (0, 0, height - share), color))
    parts += [move(m, (0, 0, height - share)) for m in drawers(rng, depth, width, share, 1, 1, color)]
    return parts, ["night stand with a drawer and a shelf"]


def carcass(depth: float, width: float, height: float, lift: float, color: Color, board: float) -> list[Mesh]:
    """An open box on its side: bottom, top, two sides and a back; it opens to positive x."""
    return [
        copies(box((depth, width, board), color=color), [(0, 0, lift), (0, 0, lift + height - board)]),
        copies(box((depth, board, height), color=color), [(0, s * (width - board) / 2, lift) for s in (-1, 1)]),
        box((board * 0.4, width, height), (-depth / 2, 0, lift), color),
    ]


def bookshelf(rng: Rng) -> Drawn:
    """Bookshelves: cases with or without books, cube grids, ladder shelves, metal racks."""
    depth, width, height = rng.uniform(0.25, 0.38), rng.uniform(0.6, 1.6), rng.uniform(0.8, 2.2)
    color, rows = wood(rng), count(rng, 3, 6)
    kind = pick(rng, "case", "case", "case", "grid", "ladder", "rack", "asymmetric")
    levels = np.linspace(0.05, height - 0.02, rows + 1)
    if kind == "ladder":
        side = beam((depth, width / 2, 0), (-depth, width / 2, height), 0.03, 0.05, color)
        shelves = [
            box(
                (depth * (1.8 - 1.3 * z / height), width, 0.025),
                (-depth * 0.1 - depth * 0.4 * z / height, 0, z),
                color,
            )
            for z in levels[:-1]
        ]
        return [both_sides(side), *shelves], ["ladder shelf"]
    if kind == "rack":
        posts = four_legs(rng, depth, width, height, metal(rng), 0.03, "straight")
        return [*posts, copies(box((depth, width, 0.02), color=color), [(0, 0, z) for z in levels[:-1]])], [
            "shelving rack",
            "metal shelf",
        ]
    parts = carcass(depth, width, height, 0, color, rng.uniform(0.018, 0.035))
    if kind != "case" or maybe(rng, 0.3):
        n = count(rng, 1, 3)
        parts.append(
            copies(
                box((depth, 0.02, height), color=color),
                [(0, y, 0) for y in np.linspace(-0.5, 0.5, n + 2)[1:-1] * width],
            )
        )
    parts.append(copies(box((depth, width, 0.02), color=color), [(0, 0, z) for z in levels[:-1]]))
    if maybe(rng, 0.55):
        parts += [
            _books(rng, depth, width * 0.92, z + 0.02, (levels[1] - levels[0]) * 0.85)
            for z in levels[:-1]
            if maybe(rng, 0.85)
        ]
        return parts, ["bookshelf full of books", "bookcase"]
    return parts, ["empty bookshelf", "bookcase"]


def _books(rng: Rng, depth: float, width: float, z: float, tall: float) -> Mesh:
    n = count(rng, 6, 14)
    thick = rng.uniform(0.02, 0.06, n)
    y = -width / 2 + np.cumsum(thick)
    rows = [(t, v) for t, v in zip(thick, y, strict=True) if v < width / 2]
    return merge(
        [box((depth * 0.7, t * 0.9, tall * rng.uniform(0.6, 1)), (0.02, v, z), bright(rng)) for t, v in rows]
    )


def _doors(rng: Rng, depth: float, width: float, height: float, lift: float, n: int, color: Color) -> list[Mesh]:
    w = width / n
    shade = near(rng, color)
    panel = [box((0.022, w * 0.96, height * 0.97), color=shade)]
    if maybe(rng, 0.5):
        panel.append(box((0.012, w * 0.65, height * 0.4), (0.016, 0, height * 0.08), near(rng, shade), 0.004))
        panel.append(box((0.012, w * 0.65, height * 0.36), (0.016, 0, height * 0.55), near(rng, shade), 0.004))
    grip = box((0.025, 0.015, min(0.2, height * 0.2)), (0.03, w * 0.4, height * 0.45), metal(rng))
    left, right = merge([*panel, grip]), merge([*panel, move(grip, (0, -w * 0.8, 0))])
    return [move((left, right)[i % 2], (depth / 2, (i - (n - 1) / 2) * w, lift + height * 0.015)) for i in range(n)]


def wardrobe(rng: Rng) -> Drawn:
    """Wardrobes with two to four doors, mirrors, drawers below, cornice, or open with a rail."""
    depth, width, height = rng.uniform(0.5, 0.65), rng.uniform(0.8, 2.0), rng.uniform(1.7, 2.3)
    color = wood(rng)
    lift, parts = _feet(rng, depth, width, color, 0.15)
    if maybe(rng, 0.2):
        rail = rod((0, -width / 2, height - 0.2), (0, width / 2, height - 0.2), 0.015, metal(rng))
        n = count(rng, 4, 9)
        shirts = [box((0.4, 0.05, rng.uniform(0.6, 1.0)), color=bright(rng), bevel=0.02) for _ in range(n)]
        y = np.linspace(-0.4, 0.4, n) * width
        hung = [
            move(m, (0, v, height - 0.22 - float(np.ptp(m.vertices[:, 2])))) for m, v in zip(shirts, y, strict=True)
        ]
        return [*parts, *carcass(depth, width, height - lift, lift, color, 0.03), rail, *hung], [
            "open wardrobe",
            "closet with clothes",
        ]
    parts.append(box((depth, width, height - lift), (0, 0, lift), color))
    below = rng.uniform(0.25, 0.45) if maybe(rng, 0.35) else 0.0
    if below:
        parts += [
            move(m, (0, 0, lift))
            for m in drawers(rng, depth, width, below, 1 + (below > 0.35), count(rng, 1, 2), color)
        ]
    doors = max(2, round(width / 0.5))
    parts += _doors(rng, depth, width, height - lift - below, lift + below, doors, color)
    if maybe(rng, 0.4):
        parts.append(box((depth + 0.1, width + 0.1, 0.07), (0, 0, height), color, 0.02))
    return parts, [f"wardrobe with {('two', 'three', 'four')[min(doors, 4) - 2]} doors"]


def cabinet(rng: Rng) -> Drawn:
    """Cabinets: sideboards, kitchen wall units, filing cabinets, glass display cabinets, television stands."""
    kind = pick(rng, "sideboard", "kitchen", "filing", "display", "tv")
    color = wood(rng)
    if kind == "filing":
        depth, width, rows = rng.uniform(0.5, 0.65), rng.uniform(0.4, 0.5), count(rng, 2, 5)
        shade = near(rng, (0.6, 0.62, 0.62))
        return [
            box((depth, width, rows * 0.32), color=shade),
            *drawers(rng, depth, width, rows * 0.32, rows, 1, shade),
        ], ["filing cabinet"]
    depth = rng.uniform(0.32, 0.55)
    width, height = (
        (rng.uniform(1.1, 2.0), rng.uniform(0.4, 0.9))
        if kind in ("sideboard", "tv")
        else (rng.uniform(0.5, 1.1), rng.uniform(0.7, 1.9))
    )
    lift, parts = _feet(rng, depth, width, color) if kind != "kitchen" else (0.0, [])
    doors = max(1, round(width / 0.5))
    if kind in ("display", "tv"):
        parts += carcass(depth, width, height - lift, lift, color, 0.025)
        parts.append(
            copies(
                box((depth, width, 0.02), color=color),
                [(0, 0, lift + v * (height - lift)) for v in np.linspace(0, 1, count(rng, 3, 5))[1:-1]],
            )
        )
        if kind == "tv":
            parts.append(
                copies(
                    box((depth, width * 0.3, height - lift), color=color),
                    [(0, s * width * 0.35, lift) for s in (-1, 1)],
                )
            )
            return parts, ["television stand", "media cabinet"]
        bar = box((0.02, 0.04, height - lift), color=color)
        return [*parts, copies(bar, [(depth / 2, y, lift) for y in np.linspace(-0.48, 0.48, doors + 1) * width])], [
            "display cabinet",
            "china cabinet",
        ]
    parts.append(box((depth, width, height - lift), (0, 0, lift), color))
    parts += _doors(rng, depth, width, height - lift, lift, doors, color)
    return parts, ["sideboard"] if kind == "sideboard" else ["kitchen cabinet", "cupboard"]

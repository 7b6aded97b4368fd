"""Dressers and night stands of the rarer designs: bow fronts, vanities, hutches, drums, half moons, trays."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, fabric, maybe, metal, near, pick, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs, stretchers
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate
from clip3d.simulation.shapes import Color, Floats, box, cushion, cylinder, extrude, lathe, rod, sphere, torus
from clip3d.simulation.tables import drawers


def bow_chest(rng: Rng, depth: float, width: float, height: float, rows: int) -> list[Mesh]:
    """A chest whose front swells or waves, on short legs or a plinth, under an overhanging top."""
    color, lift = wood(rng), rng.uniform(0.04, 0.2)
    parts = four_legs(rng, depth * 0.8, width * 0.9, lift + 0.01, color, 0.05)
    kind, swell = pick(rng, "bow", "serpentine", "corner"), rng.uniform(0.06, 0.14)
    front = _front(kind, depth, width, swell)
    body = height - lift
    parts.append(extrude(_plan(front, depth, width), body, (0, 0, lift), color))
    parts.append(extrude(_plan(front, depth, width) * 1.05, 0.03, (0, 0, height), near(rng, color)))
    shade, knob = near(rng, color), sphere(0.018, color=metal(rng), sides=8)
    tall, bar = body / rows, maybe(rng)
    for r in range(rows):
        inner = front * [1.0, 0.94]
        band = np.concatenate([np.add(inner, (0.022, 0)), inner[::-1]])
        parts.append(extrude(band, tall * 0.88, (0, 0, lift + (r + 0.06) * tall), shade))
        x = float(np.interp(0.25 * width, front[:, 1], front[:, 0])) + 0.03
        place = (x, width * 0.25, lift + (r + 0.5) * tall)
        handle = move(box((0.02, 0.1, 0.015), color=metal(rng)), place) if bar else move(knob, place)
        parts.append(both_sides(handle))
    return parts


def _front(kind: str, depth: float, width: float, swell: float) -> Floats:
    y = np.linspace(-width / 2, width / 2, 13)
    u = y / width * 2
    bulge = {
        "bow": swell * (1 - u**2),
        "serpentine": swell * np.cos(1.5 * np.pi * u) * 0.6,
        "corner": -swell * np.maximum(np.abs(u) - 0.7, 0) / 0.3,
    }[kind]
    return np.column_stack([depth / 2 + bulge, y])


def _plan(front: Floats, depth: float, width: float) -> Floats:
    return np.concatenate([front, [(-depth / 2, width / 2), (-depth / 2, -width / 2)]])


def vanity(rng: Rng) -> Drawn:
    """Dressing tables: a table with drawers, one or three mirrors, perhaps a stool."""
    depth, width, height = rng.uniform(0.38, 0.5), rng.uniform(0.8, 1.3), rng.uniform(0.7, 0.8)
    color, glass = wood(rng), near(rng, (0.78, 0.85, 0.88), 0.03)
    parts = [box((depth, width, 0.03), (0, 0, height), color, 0.006)]
    if maybe(rng):
        block, tall = width * 0.28, height * rng.uniform(0.5, 0.95)
        rows = count(rng, 2, 4)
        side = merge([box((depth * 0.95, block, tall)), *drawers(rng, depth * 0.95, block, tall, rows, 1, color)])
        parts.append(copies(_tinted(side, color), [(0, s * (width - block) / 2, height - tall) for s in (-1, 1)]))
        parts += four_legs(rng, depth * 0.85, width * 0.93, height - tall + 0.01, color, 0.045)
    else:
        parts += four_legs(rng, depth * 0.9, width * 0.93, height, color, 0.045)
        parts.append(box((depth * 0.9, width * 0.9, 0.13), (0, 0, height - 0.13), color))
        fronts = drawers(rng, depth * 0.9, width * 0.9, 0.13, 1, count(rng, 1, 3), color)
        parts += [move(m, (0, 0, height - 0.13)) for m in fronts]
    parts += _mirrors(rng, width, depth, height + 0.03, color, glass)
    if maybe(rng, 0.4):
        seat = cushion((0.32, 0.42, 0.1), (depth * 0.9, 0, 0.38), fabric(rng), 0.4)
        legs = [move(m, (depth * 0.9, 0, 0)) for m in four_legs(rng, 0.26, 0.34, 0.4, color, 0.035)]
        parts += [seat, *legs]
    return parts, ["vanity", "dressing table", "dresser with a mirror"]


def _tinted(mesh: Mesh, color: Color) -> Mesh:
    colors = np.tile(np.asarray(color, dtype=np.float32), (len(mesh.faces), 1))
    return Mesh(mesh.vertices, mesh.faces, face_colors=colors)


def _mirrors(rng: Rng, width: float, depth: float, base: float, color: Color, glass: Color) -> list[Mesh]:
    x, tall, kind = -depth * 0.4, rng.uniform(0.45, 0.8), pick(rng, "three", "round", "plain", "lights")
    if kind == "round":
        r = tall / 2
        disc = merge([cylinder(r * 0.93, 0.02, color=glass, sides=24), torus(r, 0.025, (0, 0, 0.01), color, 26)])
        posts = both_sides(rod((x, r, base), (x, r, base + r), 0.018, color))
        return [move(rotate(disc, "y", 90 - 6), (x, 0, base + r + 0.04)), posts]
    wide = width * rng.uniform(0.4, 0.6)
    panel = merge(
        [
            box((0.025, wide, tall), color=color),
            box((0.01, wide * 0.9, tall * 0.92), (0.013, 0, tall * 0.04), glass),
        ]
    )
    parts = [move(panel, (x, 0, base))]
    if kind == "three":
        wing = merge(
            [
                box((0.02, wide * 0.5, tall * 0.9), (0, wide * 0.25, 0), color),
                box((0.01, wide * 0.42, tall * 0.82), (0.011, wide * 0.25, tall * 0.04), glass),
            ]
        )
        parts.append(both_sides(move(rotate(wing, "z", -rng.uniform(25, 60)), (x, wide / 2, base))))
    if kind == "lights":
        bulbs = [(x + 0.04, s * wide * 0.47, base + v * tall) for s in (-1, 1) for v in (0.15, 0.4, 0.65, 0.9)]
        parts.append(copies(sphere(0.025, color=(0.98, 0.95, 0.8), sides=8), bulbs))
    return parts


def hutch_dresser(rng: Rng) -> Drawn:
    """Dressers with drawers and doors below and shelves above."""
    depth, width, height = rng.uniform(0.4, 0.5), rng.uniform(0.9, 1.6), rng.uniform(0.75, 0.95)
    color, tall = wood(rng), rng.uniform(0.7, 1.1)
    rows = count(rng, 1, 3)
    band = height * rng.uniform(0.25, 0.9)
    parts = [
        box((depth, width, height), color=color),
        box((depth + 0.04, width + 0.04, 0.03), (0, 0, height), color),
    ]
    parts += [
        move(m, (0, 0, height - band)) for m in drawers(rng, depth, width, band, rows, count(rng, 2, 3), color)
    ]
    if height - band > 0.3:
        door = box((0.02, width * 0.46, height - band - 0.06), color=near(rng, color))
        parts.append(copies(door, [(depth / 2, s * width * 0.24, 0.04) for s in (-1, 1)]))
    back, deep = -depth / 2, depth * 0.6
    parts.append(box((0.02, width, tall), (back + 0.01, 0, height), color))
    parts.append(
        copies(
            box((deep, 0.025, tall), color=color), [(back + deep / 2, s * width * 0.49, height) for s in (-1, 1)]
        )
    )
    levels = np.linspace(0.35, 1, count(rng, 2, 3)) * tall + height
    parts.append(copies(box((deep, width, 0.025), color=color), [(back + deep / 2, 0, z) for z in levels]))
    if maybe(rng):
        plate = rotate(cylinder(0.1, 0.012, color=white(rng), sides=16), "y", 78)
        parts.append(copies(plate, [(back + 0.1, y, height + 0.14) for y in np.linspace(-0.35, 0.35, 4) * width]))
    return parts, ["dresser with shelves", "dresser with a hutch", "welsh dresser"]


def changing_dresser(rng: Rng) -> Drawn:
    """Low chests with open bays beside the drawers, some with a raised rim for changing a baby."""
    depth, width, height = rng.uniform(0.42, 0.55), rng.uniform(0.9, 1.6), rng.uniform(0.7, 0.95)
    color, board, share = wood(rng), 0.025, rng.uniform(0.35, 0.7)
    lift, side = rng.uniform(0.05, 0.2), pick(rng, -1, 1)
    body = height - lift
    block = width * share
    parts = four_legs(rng, depth * 0.85, width * 0.9, lift + 0.01, color, 0.045)
    parts.append(copies(box((depth, width, board), color=color), [(0, 0, lift), (0, 0, height)]))
    parts.append(
        copies(box((depth, board, body), color=color), [(0, s * (width - board) / 2, lift) for s in (-1, 1)])
    )
    parts.append(box((0.015, width, body), (-depth / 2, 0, lift), color))
    y = side * (width - block) / 2
    parts.append(box((depth * 0.97, block, body), (0, y, lift), color))
    parts += [move(m, (0, y, lift)) for m in drawers(rng, depth, block, body, count(rng, 2, 5), 1, color)]
    shelves = [(0, -side * block / 2, lift + v * body) for v in np.linspace(0, 1, count(rng, 3, 4))[1:-1]]
    parts.append(copies(box((depth * 0.95, width - block, 0.02), color=color), shelves))
    if maybe(rng, 0.3):
        rail = both_sides(box((depth, 0.02, 0.12), (0, width * 0.45, height + board), color))
        pad = cushion((depth * 0.9, width * 0.8, 0.07), (0, 0, height + board), bright(rng), 0.3)
        return [*parts, rail, box((0.02, width * 0.9, 0.12), (-depth / 2, 0, height), color), pad], [
            "changing table",
            "baby changing table",
            "dresser with shelves",
        ]
    return parts, ["dresser with open shelves", "dresser with drawers"]


def odd_night_stand(rng: Rng) -> Drawn:
    """Night stands that are no box: drums, half moons, trays on legs, C shapes, floating ones, columns, trunks."""
    kinds = (_bow_stand, _drum_stand, _tray_stand, _c_stand, _floating_stand, _tier_stand, _shelf_stand)
    return pick(rng, *kinds)(rng)


def _bow_stand(rng: Rng) -> Drawn:
    rows = count(rng, 1, 3)
    parts = bow_chest(rng, rng.uniform(0.3, 0.42), rng.uniform(0.4, 0.6), rng.uniform(0.5, 0.72), rows)
    return parts, ["night stand with drawers", "bow front night stand"]


def _drum_stand(rng: Rng) -> Drawn:
    r, h, color = rng.uniform(0.18, 0.26), rng.uniform(0.45, 0.65), wood(rng)
    parts = [cylinder(r * 1.04, 0.02, (0, 0, h), color, sides=26)]
    if maybe(rng):
        parts.append(cylinder(r, h, color=color, top=r * rng.uniform(0.8, 1.05), sides=26))
        front = extrude(
            [
                ((r + d) * np.cos(a), (r + d) * np.sin(a))
                for d, turn in ((0.012, 1), (-0.02, -1))
                for a in np.linspace(-0.8, 0.8, 8)[::turn]
            ],
            h * 0.3,
            (0, 0, h * 0.6),
            near(rng, color),
        )
        return [*parts, front, sphere(0.018, (r + 0.03, 0, h * 0.75), metal(rng), 8)], [
            "round night stand",
            "drum night stand",
        ]
    z = rng.uniform(0.1, 0.3)
    post = box((0.03, 0.03, h), (r * 0.85, 0, 0), color)
    return [*parts, ring(post, count(rng, 3, 4), start=45), cylinder(r * 0.95, 0.02, (0, 0, z), color, sides=26)], [
        "round night stand",
        "round bedside table",
    ]


def _tray_stand(rng: Rng) -> Drawn:
    r, h, color = rng.uniform(0.18, 0.25), rng.uniform(0.45, 0.65), pick(rng, metal(rng), wood(rng), bright(rng))
    rim = 0.03
    top = lathe(
        [(0, h), (r, h), (r, h + rim), (r - 0.01, h + rim), (r - 0.01, h + 0.01), (0, h + 0.01)],
        color=color,
        sides=26,
    )
    if maybe(rng):
        leg = rod((r * rng.uniform(0.8, 1.2), 0, 0), (r * 0.5, 0, h), 0.014, wood(rng))
        return [top, ring(leg, count(rng, 3, 4))], ["tray night stand", "round bedside table"]
    return [top, cylinder(0.02, h, color=color), cylinder(r * 0.75, 0.02, color=color, sides=24)], [
        "pedestal night stand",
        "round bedside table",
    ]


def _c_stand(rng: Rng) -> Drawn:
    d, w, h = rng.uniform(0.3, 0.42), rng.uniform(0.38, 0.55), rng.uniform(0.5, 0.68)
    color, t = wood(rng), rng.uniform(0.02, 0.05)
    parts = [
        box((d, w, t), (0, 0, h - t), color),
        box((d, w, t), color=color),
        box((d, t, h), (0, -w / 2 + t / 2, 0), color),
    ]
    if maybe(rng, 0.6):
        z = h * rng.uniform(0.4, 0.7)
        parts.append(box((d * 0.95, w * 0.9, h - z), (0, 0, z), color))
        parts += [move(m, (0, 0, z)) for m in drawers(rng, d, w * 0.9, h - z, 1, 1, color)]
    elif maybe(rng, 0.6):
        parts.append(box((d, t, h), (0, w / 2 - t / 2, 0), color))
    return parts, ["modern night stand", "open night stand"]


def _floating_stand(rng: Rng) -> Drawn:
    d, w, h = rng.uniform(0.28, 0.38), rng.uniform(0.4, 0.6), rng.uniform(0.14, 0.28)
    color = wood(rng)
    parts = [box((d, w, h), color=color, bevel=0.004), *drawers(rng, d, w, h, 1 + (h > 0.22), 1, color)]
    if maybe(rng):
        parts.append(
            box((0.025, w * rng.uniform(1.0, 1.3), rng.uniform(0.4, 0.7)), (-d / 2, 0, -0.1), near(rng, color))
        )
    if maybe(rng, 0.4):
        parts.append(box((d, w, 0.02), (0, 0, -0.16), color))
        parts.append(both_sides(box((d, 0.02, 0.16), (0, w / 2 - 0.01, -0.16), color)))
    return parts, ["floating night stand", "wall-mounted night stand"]


def _tier_stand(rng: Rng) -> Drawn:
    d, w, h = rng.uniform(0.3, 0.42), rng.uniform(0.36, 0.5), rng.uniform(0.5, 0.75)
    color, frame = wood(rng), pick(rng, wood(rng), metal(rng), dark(rng))
    parts = four_legs(
        rng, d * 0.93, w * 0.93, h, frame, rng.uniform(0.02, 0.04), pick(rng, "straight", "round", "turned")
    )
    shelf = box((d, w, 0.02), color=color)
    parts.append(copies(shelf, [(0, 0, z) for z in (h, *np.linspace(0.1, h * 0.6, count(rng, 1, 2)))]))
    if maybe(rng, 0.4):
        parts += stretchers(d * 0.93, w * 0.93, h * 0.8, 0.02, frame, "box")
    if maybe(rng, 0.4):
        parts.append(box((d * 0.9, w * 0.9, 0.12), (0, 0, h - 0.12), color))
        parts += [move(m, (0, 0, h - 0.12)) for m in drawers(rng, d * 0.92, w * 0.9, 0.12, 1, 1, color)]
        return parts, ["night stand with one drawer", "bedside table with a shelf"]
    return parts, ["open night stand", "bedside table with shelves"]


def _shelf_stand(rng: Rng) -> Drawn:
    d, w, h = rng.uniform(0.32, 0.45), rng.uniform(0.4, 0.58), rng.uniform(0.5, 0.75)
    color, t, lift = wood(rng), 0.022, rng.uniform(0.06, 0.16)
    parts = four_legs(rng, d * 0.85, w * 0.85, lift + 0.01, color, 0.04)
    parts.append(
        copies(
            box((d, w, t), color=color), [(0, 0, z) for z in (lift, h, lift + (h - lift) * rng.uniform(0.35, 0.6))]
        )
    )
    parts.append(copies(box((d, t, h - lift), color=color), [(0, s * (w - t) / 2, lift) for s in (-1, 1)]))
    parts.append(box((0.012, w, h - lift), (-d / 2, 0, lift), color))
    tall = rng.uniform(0.1, 0.16)
    parts.append(box((d, w * 0.96, tall), (0, 0, h - tall), color))
    parts += [move(m, (0, 0, h - tall)) for m in drawers(rng, d, w * 0.96, tall, 1, 1, color)]
    n = count(rng, 1, 5)
    books = [
        box((d * 0.6, 0.03, rng.uniform(0.14, 0.2)), (0, -w * 0.4 + 0.035 * i, lift + t), bright(rng))
        for i in range(n)
    ]
    return [*parts, *books], ["night stand with a drawer and a shelf", "night stand with books"]


def bedside_things(rng: Rng, height: float) -> tuple[list[Mesh], list[str]]:
    """What lies on a night stand at the given height, and its caption: a lamp, a clock, books."""
    kind = pick(rng, "lamp", "lamp", "books", "clock")
    if kind == "lamp":
        h, r, color = rng.uniform(0.16, 0.26), rng.uniform(0.08, 0.13), bright(rng)
        foot = lathe([(0.05, 0), (0.06, h * 0.3), (0.02, h * 0.7), (0.012, h)], (0, 0, height), color)
        shade = cylinder(
            r, r * 1.3, (0, 0, height + h * 0.8), near(rng, (0.9, 0.85, 0.72)), r * rng.uniform(0.5, 0.95), 20
        )
        return [foot, shade], ["night stand with a lamp"]
    if kind == "books":
        stack = [
            box((0.15, 0.21, 0.025), (0, 0.02 * i, height + 0.025 * i), bright(rng))
            for i in range(count(rng, 1, 4))
        ]
        return stack, ["night stand with books"]
    face = rotate(cylinder(0.05, 0.03, color=white(rng), sides=18), "y", 90)
    return [move(face, (0.05, 0, height + 0.06)), box((0.04, 0.06, 0.02), (0.06, 0, height), dark(rng))], []

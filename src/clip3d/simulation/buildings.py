"""Buildings and other large structures."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, maybe, near, pick, steel, stone, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, turning
from clip3d.simulation.running_gear import side_profile
from clip3d.simulation.shapes import Color, Vector, beam, box, cylinder, dome, loft, rod

GLASS: Color = (0.3, 0.4, 0.48)


def gable(depth: float, width: float, height: float, at: Vector, color: Color, over: float = 0.3) -> Mesh:
    """A saddle roof standing on `at`, its ridge along y, its eaves `over` metres outside."""
    x = depth / 2 + over
    return move(side_profile([(-x, 0), (x, 0), (0, height)], width + 2 * over, color), at)


def hip(
    depth: float, width: float, height: float, at: Vector, color: Color, over: float = 0.2, ridge: float = 0.0
) -> Mesh:
    """A roof that slopes on all sides, to a point or a ridge."""
    corners = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
    low = np.column_stack([corners * [depth / 2 + over, width / 2 + over], np.zeros(4)])
    high = np.column_stack([corners * [0.02, max(ridge / 2, 0.02)], np.full(4, height)])
    return move(loft(np.stack([low, high]), color), at)


def windows(depth: float, width: float, levels: list[float], per_side: int, size: tuple[float, float]) -> Mesh:
    """Panes on the front and back of a block centred on the origin."""
    spots = [
        (s * depth / 2, y, z)
        for z in levels
        for y in np.linspace(-0.5, 0.5, per_side + 2)[1:-1] * width
        for s in (-1, 1)
    ]
    return copies(box((0.06, size[0], size[1]), color=GLASS), spots)


def house(rng: Rng) -> Drawn:
    """Houses: one to three floors, saddle, hip or flat roofs, chimneys, porches, garages, wings."""
    d, w, floors = rng.uniform(6, 9), rng.uniform(7, 12), count(rng, 1, 3)
    h, wall, tile = (
        2.8 * floors,
        stone(rng),
        near(rng, pick(rng, (0.55, 0.22, 0.15), (0.3, 0.3, 0.33), (0.4, 0.28, 0.2))),
    )
    kind = pick(rng, "gable", "gable", "gable side", "hip", "flat")
    parts = [
        box((d, w, h), color=wall),
        box((0.1, 1.1, 2.1), (d / 2, rng.uniform(-0.25, 0.25) * w, 0), (0.35, 0.2, 0.12)),
    ]
    parts.append(windows(d, w, [1.0 + 2.8 * i for i in range(floors)], count(rng, 2, 4), (1.1, 1.2)))
    rise = rng.uniform(1.8, 3.5)
    if kind == "gable":
        parts.append(gable(d, w, rise, (0, 0, h), tile))
    elif kind == "gable side":
        parts.append(rotate(gable(w, d, rise, (0, 0, h), tile), "z", 90))
    elif kind == "hip":
        parts.append(hip(d, w, rise, (0, 0, h), tile, 0.4, max(w - d, 0)))
    else:
        parts.append(box((d + 0.6, w + 0.6, 0.35), (0, 0, h), tile))
    if kind != "flat" and maybe(rng, 0.65):
        parts.append(
            box(
                (0.7, 0.7, rise + 0.8),
                (rng.uniform(-0.2, 0.2) * d, rng.uniform(-0.3, 0.3) * w, h),
                near(rng, (0.55, 0.3, 0.22)),
            )
        )
    if maybe(rng, 0.35):
        parts += [
            box((3, 3.5, 2.5), (0.5, w / 2 + 1.7, 0), wall),
            box((3.4, 3.9, 0.25), (0.5, w / 2 + 1.7, 2.5), tile),
            box((0.1, 2.4, 2.0), (2.0, w / 2 + 1.7, 0), white(rng)),
        ]
    if maybe(rng, 0.35):
        parts += [
            box((2, w * 0.6, 0.15), (d / 2 + 1, 0, 2.5), tile),
            copies(box((0.2, 0.2, 2.5), color=white(rng)), [(d / 2 + 1.8, s * w * 0.28, 0) for s in (-1, 1)]),
        ]
    return parts, [pick(rng, "family house", "country house"), "building", "home"]


def skyscraper(rng: Rng) -> Drawn:
    """Skyscrapers and blocks of flats: slabs, stepped towers, twisted or round ones, with masts."""
    kind, color = (
        pick(rng, "slab", "stepped", "twisted", "round", "pyramid", "flats"),
        pick(rng, near(rng, GLASS), stone(rng), steel(rng)),
    )
    d, h = rng.uniform(12, 20), rng.uniform(50, 110)
    if kind == "flats":
        h, w, floors = rng.uniform(15, 30), d * rng.uniform(1, 2), count(rng, 5, 9)
        rows = [h / floors * (i + 0.3) for i in range(floors)]
        balconies = copies(
            box((1.3, w * 0.16, 1.0), color=white(rng)),
            [(d / 2 + 0.5, y * w, z) for z in rows for y in (-0.3, 0.0, 0.3)],
        )
        return [box((d, w, h), color=color), windows(d, w, rows, 7, (1.6, 1.5)), balconies], [
            "apartment building",
            "block of flats",
            "building",
        ]
    if kind == "stepped":
        n = count(rng, 3, 5)
        parts = [
            box((d * (1 - 0.2 * i), d * (1 - 0.2 * i), h * 0.4), (0, 0, i * h * 0.8 / n), color) for i in range(n)
        ]
    elif kind == "twisted":
        z = np.linspace(0, h, 18)
        square = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * d / 2
        rings = [
            np.column_stack([square @ turning("z", float(a))[:2, :2].T, np.full(4, v)])
            for a, v in zip(np.linspace(0, rng.uniform(45, 120), 18), z, strict=True)
        ]
        parts = [loft(np.stack(rings), color)]
    elif kind in ("round", "pyramid"):
        parts = [
            cylinder(
                d * 0.6,
                h,
                color=color,
                top=d * (0.05 if kind == "pyramid" else 0.55),
                sides=24 if kind == "round" else 4,
            )
        ]
    else:
        parts = [box((d, d * rng.uniform(1, 1.8), h), color=color)]
    floors_ = (
        copies(
            box((d * 1.03, d * 1.03, 0.5), color=near(rng, color, 0.12)),
            [(0, 0, z) for z in np.linspace(3, h * 0.4, 10)],
        )
        if kind in ("slab", "stepped")
        else None
    )
    if maybe(rng, 0.5):
        parts.append(
            cylinder(0.6, h * 0.25, (0, 0, float(max(p.vertices[:, 2].max() for p in parts))), steel(rng), 0.1)
        )
    return parts + ([floors_] if floors_ is not None else []), ["high-rise building", "tower block", "building"]


def church(rng: Rng, kind: str = "church") -> Drawn:
    """Churches with a nave, a bell tower, a spire and a cross; mosques with a dome and minarets."""
    wall, roof, w = stone(rng), near(rng, pick(rng, (0.5, 0.22, 0.16), (0.3, 0.32, 0.35))), rng.uniform(6, 9)
    if kind == "mosque":
        minaret = merge(
            [
                cylinder(0.7, 16, color=wall, sides=12),
                cylinder(1.0, 0.5, (0, 0, 11), wall),
                cylinder(0.8, 3, (0, 0, 16), roof, 0.05),
            ]
        )
        n = pick(rng, 2, 4)
        spots = [(s * w * 0.7, t * w * 0.7, 0) for s in (-1, 1) for t in (-1, 1)][:n]
        return [
            box((w * 1.2, w * 1.2, 6), color=wall),
            cylinder(w * 0.47, 1.2, (0, 0, 6), wall, sides=24),
            dome((w * 0.48, w * 0.48, w * 0.5), (0, 0, 7.2), near(rng, (0.3, 0.5, 0.5)), 24),
            copies(minaret, spots),
        ], ["mosque", "place of worship", "building"]
    long, h, tall = w * rng.uniform(1.6, 2.2), rng.uniform(5, 7), rng.uniform(11, 16)
    nave = [
        box((long, w, h), color=wall),
        rotate(gable(w, long, w * rng.uniform(0.5, 0.8), (0, 0, h), roof), "z", 90),
    ]
    x = long / 2 + w * 0.2
    bell = [
        box((w * 0.45, w * 0.45, tall), (x, 0, 0), wall),
        hip(w * 0.45, w * 0.45, rng.uniform(3, 8), (x, 0, tall), roof, 0.1),
    ]
    top = float(bell[1].vertices[:, 2].max())
    cross = [box((0.15, 0.15, 1.8), (x, 0, top), dark(rng)), box((0.15, 1.0, 0.15), (x, 0, top + 1.1), dark(rng))]
    panes = both_sides(
        copies(
            box((0.9, 0.1, h * 0.5), color=GLASS), [(v, w / 2, h * 0.3) for v in np.linspace(-0.4, 0.35, 5) * long]
        )
    )
    return [*nave, *bell, *cross, panes, box((0.1, 1.4, 2.6), (x + w * 0.225, 0, 0), (0.35, 0.2, 0.12))], [
        "church with a steeple",
        "chapel",
        "building",
    ]


def castle(rng: Rng) -> Drawn:
    """Castles: curtain walls with battlements, round or square corner towers, a gate, a keep."""
    color, roof = near(rng, (0.62, 0.6, 0.56)), bright(rng)
    half, h, r, round_ = rng.uniform(9, 13), rng.uniform(4, 6), rng.uniform(1.6, 2.4), maybe(rng, 0.65)
    teeth = copies(box((0.5, 0.7, 0.8), color=color), [(half, y, h) for y in np.arange(-half, half, 1.5)])
    wall = merge([box((0.9, 2 * half, h), (half, 0, 0), color), teeth])
    tall, spire = h * rng.uniform(1.4, 1.9), maybe(rng)
    shaft = [cylinder(r, tall, color=color, sides=16) if round_ else box((2 * r, 2 * r, tall), color=color)]
    crown = (
        cylinder(r * 1.25, r * 2, (0, 0, tall), roof, 0.02)
        if spire
        else ring(box((0.5, 0.8, 0.8), (r * 0.9, 0, tall), color), 8)
    )
    corner = merge([*shaft, crown])
    keep = [
        box((half * 0.7, half * 0.7, h * 1.8), (-half * 0.3, 0, 0), color),
        hip(half * 0.7, half * 0.7, 3, (-half * 0.3, 0, h * 1.8), roof),
    ]
    gate = [
        box((1.6, 4.5, h * 1.25), (half, 0, 0), color),
        box((0.2, 2.4, 3), (half + 0.8, 0, 0), (0.3, 0.18, 0.1)),
    ]
    return [
        ring(wall, 4),
        copies(corner, [(s * half, t * half, 0) for s in (-1, 1) for t in (-1, 1)]),
        *(keep if maybe(rng, 0.75) else []),
        *gate,
    ], ["fortress", "medieval castle", "building"]


def tent(rng: Rng) -> Drawn:
    """Tents: ridge tents, domes, tipis, pavilions."""
    color, kind = bright(rng), pick(rng, "ridge tent", "dome tent", "teepee", "party tent")
    if kind == "ridge tent":
        lines = [rod((x, 0, 1.3), (x * 1.8, 0, 0), 0.01, dark(rng), sides=4) for x in (-1.1, 1.1)]
        return [
            rotate(gable(1.8, 2.2, 1.3, (0, 0, 0), color, 0), "z", 90),
            box((0.02, 0.7, 0.9), (1.11, 0, 0), dark(rng)),
            *lines,
        ], [kind, "camping tent"]
    if kind == "dome tent":
        sides = pick(rng, 6, 16)
        return [
            dome((1.4, 1.1, 1.1), color=color, sides=sides),
            side_profile([(0.9, 0), (1.9, 0), (1.2, 0.7)], 0.9, near(rng, color, 0.15)),
        ], [kind, "camping tent"]
    if kind == "teepee":
        poles = ring(rod((1.3, 0, 0), (-0.25, 0, 3.4), 0.03, wood(rng)), count(rng, 6, 9))
        return [
            cylinder(1.35, 2.8, color=near(rng, (0.85, 0.75, 0.58)), top=0.15, sides=12),
            poles,
            rotate(box((0.02, 0.6, 1.2), (1.1, 0, 0), dark(rng)), "y", -20, (1.1, 0, 0)),
        ], [kind, "wigwam"]
    return [
        *four_legs(rng, 2.8, 2.8, 2.1, white(rng), 0.06, "straight"),
        hip(2.8, 2.8, 1.0, (0, 0, 2.1), color),
        box((2.85, 2.85, 0.25), (0, 0, 1.95), color),
    ], [kind, "canopy", "gazebo"]


def barn(rng: Rng) -> Drawn:
    """Barns: broken-pitch or saddle roofs, a great door with a cross, perhaps a silo."""
    color, w, long, h = (
        near(rng, pick(rng, (0.6, 0.13, 0.1), (0.45, 0.3, 0.2), (0.85, 0.84, 0.8))),
        rng.uniform(7, 10),
        rng.uniform(9, 14),
        rng.uniform(3.5, 5),
    )
    x = w / 2
    gambrel = (
        [(-x, 0), (x, 0), (x, h), (x * 0.65, h + 2.2), (0, h + 3.4), (-x * 0.65, h + 2.2), (-x, h)]
        if maybe(rng, 0.7)
        else [(-x, 0), (x, 0), (x, h), (0, h + 3), (-x, h)]
    )
    body = rotate(side_profile(gambrel, long, color), "z", 90)
    roof_points = gambrel[2:]
    roofs = [
        rotate(
            merge(
                [
                    beam((a[0], 0, a[1] + 0.1), (b[0], 0, b[1] + 0.1), long + 0.8, 0.2, (0.35, 0.35, 0.37))
                    for a, b in pairwise(roof_points)
                ]
            ),
            "z",
            90,
        )
    ]
    front = long / 2 + 0.05
    door = [box((0.1, 3, 3), (front, 0, 0), white(rng)), box((0.12, 2.7, 2.7), (front, 0, 0.1), color)] + [
        beam((front + 0.1, s * -1.4, 0.1), (front + 0.1, s * 1.4, 2.8), 0.15, 0.15, (0.93, 0.93, 0.9))
        for s in (-1, 1)
    ]
    silo = (
        [
            cylinder(1.6, 9, (0, w * 0.5 + 2.2, 0), steel(rng), sides=18),
            dome(1.6, (0, w * 0.5 + 2.2, 9), steel(rng)),
        ]
        if maybe(rng, 0.5)
        else []
    )
    return [body, *roofs, *door, *silo], ["farm barn", "barn with a silo" if silo else "farmhouse", "building"]

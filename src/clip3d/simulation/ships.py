"""Things that float."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.aircraft import wing
from clip3d.simulation.chance import Rng, bright, count, dark, maybe, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, scale, taper
from clip3d.simulation.shapes import Color, box, cylinder, loft, ribbon, rod, sheet, tube


def hull(length: float, width: float, depth: float, color: Color, stern: float = 0.7, hollow: float = 0.0) -> Mesh:
    """A boat's hull with its bow at +x and its deck edge at z = 0; `hollow` is the thickness of an open boat."""
    s = np.linspace(-1, 1, 11)
    half = width / 2 * np.where(s < 0, 1 - (1 - stern) * s**2, 1 - np.clip(s, 0, 1) ** 2.2)
    half = np.maximum(half, 0.01)
    rise = depth * 0.35 * np.clip(s, 0, 1) ** 2
    keel = -depth + depth * 0.4 * np.clip(s, 0, 1) ** 2
    outer = [(half, rise), (half * 0.85, np.full(11, -depth * 0.5)), (half * 0.12, keel)]
    rings = [np.column_stack([s * length / 2, y, z]) for y, z in outer]
    rings += [np.column_stack([s * length / 2, -y, z]) for y, z in outer[::-1]]
    if hollow:
        inner = [(half * 0.9, rise - hollow / 2), (half * 0.6, np.full(11, -depth * 0.6))]
        rings += [
            np.column_stack([s * length * 0.47, sign * y, z])
            for sign in (-1, 1)
            for y, z in (inner if sign == -1 else inner[::-1])
        ]
    return loft(np.stack(rings, axis=1)[:, ::-1], color)


def ship(rng: Rng) -> Drawn:
    """Ships: liners, container ships, warships, tugs, ferries and fishing boats."""
    kind = pick(rng, "cruise ship", "container ship", "warship", "tugboat", "fishing boat", "ferry")
    color, top = bright(rng), white(rng)
    long = {"tugboat": 12, "fishing boat": 12}.get(kind, 40) * rng.uniform(0.9, 1.1)
    wide = long * (0.32 if long < 20 else rng.uniform(0.13, 0.18))
    parts = [hull(long, wide, wide * 0.6, color, 0.85)]
    deck = 0.05 * wide
    if kind in ("cruise ship", "ferry"):
        for i in range(count(rng, 3, 5)):
            parts.append(
                box(
                    (long * (0.72 - 0.07 * i), wide * (0.9 - 0.06 * i), wide * 0.18),
                    (-long * 0.04, 0, deck + i * wide * 0.18),
                    top,
                )
            )
        funnel = scale(cylinder(wide * 0.13, wide * 0.5, color=bright(rng)), (1.4, 1, 1))
        parts.append(copies(funnel, [(-long * (0.05 + 0.12 * i), 0, wide * 0.7) for i in range(count(rng, 1, 3))]))
    elif kind == "container ship":
        rows = count(rng, 4, 7)
        for x in np.linspace(-0.2, 0.32, rows) * long:
            for y in (-0.3, 0.0, 0.3):
                parts.append(
                    box((long * 0.07, wide * 0.28, wide * 0.2 * count(rng, 1, 3)), (x, y * wide, deck), bright(rng))
                )
        parts.append(box((long * 0.07, wide * 0.85, wide * 0.9), (-long * 0.36, 0, deck), top))
    elif kind == "warship":
        grey = near(rng, (0.5, 0.53, 0.55))
        parts = [
            hull(long, wide, wide * 0.6, grey, 0.8),
            taper(box((long * 0.35, wide * 0.7, wide * 0.5), color=grey), 0.7),
            cylinder(wide * 0.06, wide * 1.3, (0, 0, wide * 0.3), grey, wide * 0.02),
        ]
        gun = merge(
            [
                box((long * 0.05, wide * 0.3, wide * 0.18), color=grey, bevel=0.1),
                rod((0, 0, wide * 0.1), (long * 0.1, 0, wide * 0.16), wide * 0.025, grey),
            ]
        )
        parts += [
            copies(gun, [(long * 0.28, 0, deck)]),
            move(rotate(gun, "z", 180), (-long * 0.3, 0, deck)),
            box((long * 0.02, wide * 0.5, wide * 0.05), (0, 0, wide * 1.2), grey),
        ]
    else:
        parts += [
            box(
                (long * 0.25, wide * 0.55, wide * 0.45),
                (long * 0.08 if kind == "tugboat" else -long * 0.15, 0, deck),
                top,
            ),
            box(
                (long * 0.15, wide * 0.4, wide * 0.3),
                (long * 0.08 if kind == "tugboat" else -long * 0.15, 0, wide * 0.45),
                top,
            ),
        ]
        parts.append(cylinder(wide * 0.09, wide * 0.6, (-long * 0.1, 0, wide * 0.2), bright(rng)))
        if kind == "fishing boat":
            parts += [
                rod((long * 0.15, 0, 0), (long * 0.15, 0, wide * 1.5), 0.12, dark(rng)),
                rod((long * 0.15, 0, wide * 0.6), (-long * 0.3, 0, wide * 1.4), 0.08, dark(rng)),
            ]
    return parts, [kind, "boat" if long < 20 else "vessel", "watercraft"]


def sailboat(rng: Rng) -> Drawn:
    """Sailing boats: one to three masts, triangular or square sails, catamarans."""
    color, cloth, wooden = (
        pick(rng, white(rng), bright(rng), wood(rng)),
        pick(rng, white(rng), bright(rng)),
        wood(rng),
    )
    kind = pick(rng, "sloop", "sloop", "tall ship", "catamaran", "dinghy")
    if kind == "tall ship":
        parts = [
            hull(12, 3, 1.8, wooden, 0.7),
            box((2.5, 2.3, 0.9), (-4.6, 0, 0), wooden),
            rod((5.5, 0, 0.6), (8.0, 0, 1.6), 0.1, wooden),
        ]
        for x, h in ((3.2, 7.5), (0.2, 9.0), (-3.2, 7.0))[: count(rng, 2, 3)]:
            parts.append(rod((x, 0, 0), (x, 0, h), 0.12, wooden, 0.06))
            for low, high, w in ((0.15, 0.45, 4.6), (0.5, 0.72, 3.8), (0.76, 0.93, 2.8)):
                z = np.linspace(low, high, 5) * h
                belly = x + 0.5 * np.sin(np.linspace(0, np.pi, 5))
                parts += [
                    ribbon(np.column_stack([belly, 0 * z, z]), np.linspace(w, w * 0.85, 5), cloth),
                    rod((x, -w / 2, high * h), (x, w / 2, high * h), 0.06, wooden),
                ]
        return parts, ["tall ship", "sailing ship", "pirate ship"]
    long, tall = rng.uniform(5, 8), rng.uniform(7, 10)
    hulls = [hull(long, long * 0.3, long * 0.12, color, 0.7)]
    if kind == "catamaran":
        hulls = [
            copies(hull(long, long * 0.12, long * 0.12, color, 0.7), [(0, s * long * 0.25, 0) for s in (-1, 1)]),
            box((long * 0.4, long * 0.5, 0.12), (-0.3, 0, 0), dark(rng)),
        ]
    mast = rod((long * 0.1, 0, 0), (long * 0.1, 0, tall), 0.07, steel(rng))

    def sail(corners: list[tuple[float, float]], bulge: float) -> Mesh:
        foot, luff, t = np.array(corners[0]), np.array(corners[1]), np.linspace(0, 1, 6)
        peak = np.array(corners[2])
        grid = np.zeros((6, 4, 3))
        for j, v in enumerate(np.linspace(0, 1, 4)):
            base = foot + (luff - foot) * v
            line = base + (peak - base) * t[:, None] * 0.98
            grid[:, j, 0], grid[:, j, 2] = line[:, 0], line[:, 1]
            grid[:, j, 1] = bulge * np.sin(np.pi * v) * (1 - t)
        return sheet(grid, cloth)

    x = long * 0.1
    parts = [
        *hulls,
        mast,
        sail([(x - 0.1, 1.0), (-long * 0.42, 1.0), (x - 0.1, tall * 0.97)], 0.5),
        rod((x, 0, 0.95), (-long * 0.43, 0, 0.95), 0.05, steel(rng)),
    ]
    if kind != "dinghy":
        parts.append(sail([(long * 0.5, 0.4), (x + 0.2, 0.9), (x + 0.1, tall * 0.85)], 0.4))
    if kind == "sloop":
        parts += [
            box((long * 0.3, long * 0.16, 0.35), (-0.1, 0, 0), white(rng), 0.08),
            taper(box((0.8, 0.12, 1.0), (0, 0, -long * 0.12 - 0.9), dark(rng)), 1.4),
        ]
    return parts, [
        "catamaran" if kind == "catamaran" else "sailing boat",
        "yacht" if kind == "sloop" else "sailing boat",
    ]


def rowing_boat(rng: Rng) -> Drawn:
    """Rowing boats, canoes and dinghies: a hollow hull, benches, oars or a paddle, a motor."""
    color, wooden, long = pick(rng, wood(rng), bright(rng)), wood(rng), rng.uniform(3.0, 5.0)
    canoe = maybe(rng, 0.3)
    wide = long * (0.2 if canoe else 0.36)
    shell = hull(long, wide, wide * 0.38, color, 0.15 if canoe else 0.7, 0.05)
    bench = copies(
        box((0.22, wide * 0.85, 0.04), color=wooden),
        [(x * long, 0, -wide * 0.1) for x in np.linspace(-0.28, 0.2, count(rng, 2, 3))],
    )
    oar = merge(
        [
            rod((0, 0.1, 0.2), (0.2, wide * 1.4, -0.1), 0.025, wooden),
            move(box((0.4, 0.16, 0.02), color=wooden), (0.25, wide * 1.45, -0.12)),
        ]
    )
    if canoe:
        return [shell, bench, rotate(move(oar, (0, -0.3, 0.1)), "z", rng.uniform(40, 80))], ["canoe", "kayak"]
    if maybe(rng, 0.3):
        motor = merge(
            [
                box((0.25, 0.25, 0.4), (-long / 2 - 0.1, 0, 0.05), dark(rng), 0.05),
                rod((-long / 2 - 0.1, 0, 0.1), (-long / 2 - 0.15, 0, -0.6), 0.05, dark(rng)),
            ]
        )
        return [shell, bench, motor], ["motorboat", "dinghy"]
    return [shell, bench, both_sides(oar)], ["rowing boat", "rowboat", "boat with oars"]


def submarine(rng: Rng) -> Drawn:
    """Submarines: a long round hull, a tower, fins and a screw."""
    color, long = pick(rng, dark(rng), bright(rng), steel(rng)), rng.uniform(8, 14)
    x, r = long / 2, rng.uniform(0.8, 1.1)
    s = np.linspace(-1, 1, 13)
    body = tube(
        np.column_stack([s * x, 0 * s, 0 * s]),
        r * np.interp(s, [-1, -0.6, -0.2, 0.8, 0.93, 1], [0.12, 0.7, 1, 1, 0.75, 0.2]),
        color,
        14,
    )
    tower = scale(cylinder(0.5, 1.0, (0, 0, r * 0.85), color, 0.42), (1.8, 0.8, 1))
    scope = [
        rod((0.2, 0, r + 0.5), (0.2, 0, r + rng.uniform(1.2, 1.8)), 0.05, dark(rng)),
        rod((0.2, 0, r + 1.2), (0.5, 0, r + 1.2), 0.05, dark(rng)),
    ]
    fins = ring(move(wing(0.9, 0.6, 1.1, 0.3, 0.1, color), (-x * 0.85, 0, 0)), 4, "x")
    screw = move(
        rotate(
            ring(rotate(box((0.6, 0.25, 0.04), (0.35, 0, 0), (0.7, 0.55, 0.25)), "x", 35), count(rng, 3, 5)),
            "y",
            90,
        ),
        (-x - 0.1, 0, 0),
    )
    planes = both_sides(move(wing(0.6, 0.4, 0.8, 0.1, 0.08, color), (x * 0.55, r * 0.8, 0)))
    return [
        body,
        move(tower, (x * 0.15, 0, 0)),
        *(move(m, (x * 0.15, 0, 0)) for m in scope),
        fins,
        screw,
        planes,
    ], ["military submarine", "underwater vessel"]

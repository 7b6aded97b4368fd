"""Bathroom fittings: bathtubs, toilets, basins, taps."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, count, dark, maybe, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.fixtures import hollow, rounded, tap
from clip3d.simulation.moving import both_sides, move, rotate
from clip3d.simulation.shapes import Color, box, cylinder, lathe, loft, rod, tube
from clip3d.simulation.tables import drawers
from clip3d.simulation.washrooms import odd_bathtub, odd_toilet


def bathtub(rng: Rng) -> Drawn:
    """Bathtubs: blocks, ovals, clawfoot tubs with a raised end, corner and round tubs; more in `washrooms`."""
    if maybe(rng, 0.45):
        return odd_bathtub(rng)
    length, width, height = rng.uniform(1.4, 1.9), rng.uniform(0.68, 0.9), rng.uniform(0.42, 0.65)
    color, rim = white(rng), rng.uniform(0.03, 0.1)
    kind = pick(rng, "block", "block", "oval", "claw", "corner", "slipper", "round")
    x, y, deep = length / 2, width / 2, height * rng.uniform(0.6, 0.85)
    fitted = [tap(rng, (-x + rim / 2, 0, height), 1.3)] if maybe(rng, 0.5) else []
    if maybe(rng, 0.4):
        fitted.append(cylinder(0.03, 0.01, (-x * 0.4, 0, height - deep + 0.002), steel(rng)))
    if maybe(rng, 0.2):
        fitted.append(box((x * rng.uniform(0.2, 0.4), width + 0.06, 0.02), (x * 0.2, 0, height), wood(rng)))
    if kind == "block":
        return [*_tub_block(rng, x, y, height, deep, rim, color), *fitted], [
            "built-in bathtub",
            "rectangular bathtub",
        ]
    if kind == "corner":
        r = rng.uniform(1.2, 1.5)
        edge = np.array(
            [(r * np.cos(t), r * np.sin(t)) for t in np.linspace(0.15, np.pi / 2 - 0.15, 22)] + [(0, r), (0, 0)]
        )[::1]
        centre = edge.mean(axis=0)
        rings = [(1, 0), (1, height), (1 - 2 * rim / r, height), (0.6, height - deep)]
        sections = [np.column_stack([(edge - centre) * f, np.full(len(edge), z)]) for f, z in rings]
        return [loft(np.stack(sections), color)], ["corner bathtub"]
    if kind == "round":
        outside = [(x * 0.7, x * 0.7, 0.0, 0.0), (x * 0.8, x * 0.8, height, 0.0), (x * 0.72, x * 0.72, height, 0.0)]
        return [hollow([*outside, (x * 0.55, x * 0.55, height - deep, 0.0)], near(rng, color, 0.1))], [
            "round bathtub",
            "hot tub",
        ]
    power = rng.uniform(2.0, 3.2)
    foot = rng.uniform(0.55, 0.8)
    lift = rng.uniform(0.08, 0.16) if kind == "claw" else 0.0
    levels = [
        (x * foot, y * foot, lift, 0.0),
        (x * 0.93, y * 0.93, lift + height * 0.5, 0.0),
        (x, y, height + lift, 0.0),
    ]
    inner = [
        (x - rim * 0.6, y - rim * 0.6, height + lift, 0.0),
        (x * foot * 0.9, y * foot * 0.85, height + lift - deep, 0.0),
    ]
    tub = hollow(levels + inner, color, power)
    if kind == "slipper" or maybe(rng, 0.3):
        raised = np.clip(tub.vertices[:, 0] / x, 0, 1) ** 2 * (tub.vertices[:, 2] > lift + height * 0.7)
        tub = Mesh(
            tub.vertices + np.outer(raised, [0.06, 0, rng.uniform(0.1, 0.25)]),
            tub.faces,
            face_colors=tub.face_colors,
        )
    parts = [tub]
    if kind == "claw":
        outer = near(rng, pick(rng, color, (0.15, 0.15, 0.2), (0.4, 0.1, 0.1)))
        claw = tube(
            [(x * 0.55, y * 0.6, lift + 0.12), (x * 0.66, y * 0.75, lift * 0.6), (x * 0.6, y * 0.7, 0.02)],
            (0.035, 0.03, 0.045),
            outer,
        )
        parts.append(both_sides(both_sides(claw), "x"))
        return [*parts, *fitted], ["clawfoot bathtub", "freestanding bathtub"]
    return [*parts, *fitted], ["freestanding bathtub", "oval bathtub"]


def _tub_block(rng: Rng, x: float, y: float, height: float, deep: float, rim: float, color: Color) -> list[Mesh]:
    power = rng.uniform(2.5, 8)
    shrink = rng.uniform(0.7, 0.9)
    outline = rounded(x, y, 40)
    mouth, floor = rounded(x - rim, y - rim, power), rounded((x - rim) * shrink, (y - rim) * shrink, power)
    low = height - deep
    heights = [0.0, height, height, low + deep * 0.3, low]
    rings = [outline, outline, mouth, floor * 1.07, floor]
    skin = loft(
        np.stack([np.column_stack([r, np.full(24, z)]) for r, z in zip(rings, heights, strict=True)]), color
    )
    return [skin]


def toilet(rng: Rng) -> Drawn:
    """Toilets: a tank behind, high up or none, bowls on a foot, a block or the wall, lid up, down or missing."""
    if maybe(rng, 0.55):
        return odd_toilet(rng)
    color = white(rng)
    half, wide, height = rng.uniform(0.22, 0.29), rng.uniform(0.17, 0.21), rng.uniform(0.37, 0.45)
    kind = pick(rng, "tank", "tank", "tank", "wall", "high", "block", "tankless")
    foot = rng.uniform(0.5, 0.85)
    power = rng.uniform(2.0, 2.8)
    back = -half * rng.uniform(0.1, 0.35)
    low = height * 0.45 if kind == "wall" else 0.0
    outside = [
        (half * foot, wide * foot, low, back),
        (half * foot * 0.9, wide * foot * 0.9, low + (height - low) * 0.35, back),
    ]
    if kind == "block":
        outside = [(half * 0.95, wide * 0.95, 0.0, 0.0)]
    brim = [
        (half * 0.95, wide * 0.92, height * 0.85, 0.0),
        (half, wide, height, 0.0),
        (half * 0.74, wide * 0.7, height, 0.02),
    ]
    bowl = hollow([*outside, *brim, (half * 0.4, wide * 0.4, height * 0.55, 0.0)], color, power)
    parts = [bowl]
    seat = pick(rng, color, wood(rng), dark(rng)) if maybe(rng, 0.3) else color
    lid = pick(rng, "down", "up", "up", "ring")
    if lid != "down":
        ring_levels = [(half * 1.03, wide * 1.03, height + z, 0.0) for z in (0.005, 0.025)]
        parts.append(
            hollow(
                [
                    *ring_levels,
                    (half * 0.7, wide * 0.66, height + 0.025, 0.02),
                    (half * 0.7, wide * 0.66, height, 0.02),
                ],
                seat,
                power,
            )
        )
    cover = hollow([(half * 1.03, wide * 1.03, z, 0.0) for z in (0.0, 0.025)], seat, power)
    if lid == "down":
        parts.append(move(cover, (0, 0, height + 0.01)))
    elif lid == "up":
        raised = rotate(move(cover, (half, 0, 0)), "y", -rng.uniform(92, 104))
        parts.append(move(raised, (-half, 0, height + 0.03)))
    behind = -half - 0.08
    if kind in ("tank", "block"):
        tall, width = rng.uniform(0.3, 0.45), rng.uniform(0.36, 0.48)
        parts.append(box((0.18, width, tall), (behind - 0.02, 0, height - 0.03), color, 0.02))
        parts.append(box((0.2, width + 0.02, 0.035), (behind - 0.02, 0, height - 0.03 + tall), color, 0.01))
        parts.append(box((0.2, wide * 1.2, height * rng.uniform(0.3, 1)), (behind + 0.02, 0, 0), color, 0.02))
        if maybe(rng, 0.5):
            parts.append(
                rod(
                    (behind + 0.07, width * 0.3, height + tall * 0.75),
                    (behind + 0.1, width * 0.2, height + tall * 0.75),
                    0.012,
                    steel(rng),
                )
            )
    elif kind == "high":
        parts += [
            box((0.18, 0.4, 0.3), (behind, 0, 1.7), color, 0.03),
            rod((behind, 0, height - 0.05), (behind, 0, 1.75), 0.025, steel(rng)),
        ]
        parts.append(rod((behind + 0.08, 0.18, 1.75), (behind + 0.08, 0.18, 1.1), 0.005, dark(rng)))
    else:
        parts.append(
            box(
                (0.22 if kind == "tankless" else 0.04, 0.4, 0.5),
                (behind + (0.0 if kind == "tankless" else 0.06), 0, max(low - 0.05, 0.0)),
                color,
                0.01,
            )
        )
    names = {"wall": "wall-hung toilet", "high": "toilet with a high cistern", "tankless": "toilet"}
    return parts, [
        names.get(kind, "toilet with a tank"),
        "toilet with its lid up" if lid == "up" else "toilet bowl",
    ]


def wash_basin(rng: Rng) -> Drawn:
    """Wash basins: on a pedestal, on the wall, on a vanity cabinet, or a bowl on a board."""
    color, kind = white(rng), pick(rng, "pedestal", "pedestal", "wall", "vanity", "bowl")
    x, y, height = rng.uniform(0.2, 0.26), rng.uniform(0.24, 0.36), rng.uniform(0.8, 0.88)
    power = rng.uniform(2, 6)
    basin = hollow(
        [
            (x * 0.5, y * 0.5, height - 0.17, 0.0),
            (x, y, height - 0.05, 0.0),
            (x, y, height, 0.0),
            (x * 0.85, y * 0.85, height, 0.03),
            (x * 0.5, y * 0.5, height - 0.13, 0.03),
        ],
        color,
        power,
    )
    parts = [basin, tap(rng, (-x * 0.85, 0, height))]
    if kind == "pedestal":
        parts.append(lathe([(0.13, 0), (0.12, 0.05), (0.075, 0.25), (0.085, height - 0.1)], (-0.04, 0, 0), color))
    elif kind == "wall":
        parts.append(
            tube(
                [(0, 0, height - 0.16), (0, 0, height - 0.4), (-0.05, 0, height - 0.44), (-x, 0, height - 0.4)],
                0.02,
                steel(rng),
            )
        )
    else:
        top = height - (0.05 if kind == "vanity" else 0.17)
        parts.append(box((2.3 * x, 2.4 * y, top), (0, 0, 0), wood(rng)))
        parts += drawers(rng, 2.3 * x, 2.4 * y, top, count(rng, 1, 3), count(rng, 1, 2), wood(rng))
    return parts, ["pedestal sink" if kind == "pedestal" else "bathroom sink"]


def shower(rng: Rng) -> Drawn:
    """Shower cabins: tray, glass walls in a metal frame, a head on a pipe."""
    size, height, frame = rng.uniform(0.8, 1.1), rng.uniform(1.9, 2.2), steel(rng)
    glass = near(rng, (0.75, 0.86, 0.88), 0.03)
    walls = [
        box((0.01, size, height), (s * size / 2, 0, 0.1), glass) for s in ((-1,) if maybe(rng, 0.4) else (-1, 1))
    ]
    pipe = tube(
        [(0, size / 2 - 0.06, 0.9), (0, size / 2 - 0.06, height), (0, size / 2 - 0.3, height)], 0.015, frame
    )
    head = cylinder(0.1, 0.03, (0, size / 2 - 0.3, height - 0.04), frame)
    tray = box((size, size, 0.12), (0, 0, 0), white(rng), 0.02)
    return [tray, *walls, box((size, 0.01, height), (0, size / 2, 0.1), white(rng)), pipe, head], ["shower cabin"]

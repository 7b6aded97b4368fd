"""Things that stand in towns: booths, pumps, machines, columns, gates, gravestones, wheels, stones."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, maybe, near, pick, steel, stone, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate
from clip3d.simulation.running_gear import side_profile
from clip3d.simulation.shapes import (
    box,
    cushion,
    cylinder,
    dome,
    extrude,
    lathe,
    rod,
    sheet,
    sphere,
    torus,
    tube,
)

GLASS = (0.7, 0.82, 0.86)


def phone_booth(rng: Rng) -> Drawn:
    """Phone booths: a red box with small panes, or a glass cabin."""
    color, w, h = pick(rng, (0.75, 0.1, 0.1), (0.75, 0.1, 0.1), steel(rng), bright(rng)), 0.9, rng.uniform(2.2, 2.5)
    parts = [
        box((w, w, 0.1), color=color),
        box((w, w, 0.25), (0, 0, h - 0.25), color, 0.02),
        copies(box((0.09, 0.09, h), color=color), [(s * 0.41, t * 0.41, 0) for s in (-1, 1) for t in (-1, 1)]),
    ]
    side = [box((0.012, w, h - 0.35), (0.41, 0, 0.1), near(rng, GLASS))]
    side += [box((0.03, w, 0.035), (0.42, 0, z), color) for z in np.linspace(0.4, h - 0.5, count(rng, 3, 7))] + [
        box((0.03, 0.035, h - 0.3), (0.42, y, 0.1), color) for y in (-0.2, 0.2)
    ]
    parts += [ring(merge(side), 4), box((0.15, 0.3, 0.4), (-0.3, 0, 1.1), dark(rng))]
    return [*parts, *([dome((0.48, 0.48, 0.16), (0, 0, h), color)] if maybe(rng) else [])], [
        "telephone box",
        "phone box",
        "telephone booth",
    ]


def bus_stop(rng: Rng) -> Drawn:
    """Bus shelters: a roof on posts over glass walls and a bench."""
    w, d, h, frame = (
        rng.uniform(2.4, 4.0),
        rng.uniform(1.2, 1.6),
        rng.uniform(2.2, 2.6),
        pick(rng, dark(rng), steel(rng)),
    )
    parts = [
        box((d + 0.3, w + 0.3, 0.1), (0.1, 0, h), frame, 0.02),
        copies(box((0.07, 0.07, h), color=frame), [(s * d / 2, t * w / 2, 0) for s in (-1, 1) for t in (-1, 1)]),
        box((0.02, w, h * 0.8), (-d / 2, 0, 0.2), near(rng, GLASS)),
        box((d * 0.8, 0.02, h * 0.8), (0, -w / 2, 0.2), near(rng, GLASS)),
    ]
    parts += [
        box((0.35, w * 0.6, 0.06), (-d * 0.25, 0, 0.45), wood(rng)),
        copies(box((0.3, 0.05, 0.45), color=frame), [(-d * 0.25, s * w * 0.25, 0) for s in (-1, 1)]),
    ]
    return [*parts, box((d * 0.7, 0.1, h * 0.75), (0, w / 2, 0.25), bright(rng))], [
        "bus shelter",
        "street furniture",
    ]


def pump(rng: Rng, *kinds: str) -> Drawn:
    """Petrol pumps, vending machines, cash machines, parking meters."""
    kind, color = pick(rng, *kinds), bright(rng)
    if kind == "vending machine":
        w, h = rng.uniform(0.8, 1.1), rng.uniform(1.7, 1.9)
        parts = [
            box((0.75, w, h), color=color, bevel=0.02),
            box((0.02, w * 0.65, h * 0.65), (0.375, -w * 0.12, h * 0.28), near(rng, GLASS)),
            box((0.02, w * 0.6, 0.18), (0.375, -w * 0.12, 0.15), dark(rng)),
            box((0.03, w * 0.18, 0.3), (0.375, w * 0.36, h * 0.55), dark(rng)),
        ]
        rows = [(0.39, y, z) for z in np.linspace(0.34, 0.82, 5) * h for y in np.linspace(-0.4, 0.15, 6) * w]
        return [*parts, copies(cylinder(0.03, 0.1, color=bright(rng), sides=8), rows)], [
            "snack machine",
            "drinks machine",
        ]
    if kind == "parking meter":
        return [
            cylinder(0.03, 1.1, color=steel(rng)),
            cushion((0.12, 0.18, 0.3), (0, 0, 1.05), color, 0.5),
            box((0.02, 0.1, 0.08), (0.06, 0, 1.22), dark(rng)),
            cylinder(0.12, 0.03, color=steel(rng)),
        ], ["street furniture"]
    if kind == "cash machine":
        return [
            box((0.6, 0.7, 1.5), color=color, bevel=0.02),
            rotate(box((0.02, 0.4, 0.3), (0.3, 0, 1.05), near(rng, (0.3, 0.5, 0.7))), "y", -10, (0.3, 0, 1.05)),
            box((0.25, 0.5, 0.05), (0.38, 0, 0.92), steel(rng)),
            copies(
                box((0.03, 0.03, 0.015), color=dark(rng)),
                [(0.36 + 0.045 * i, -0.05 + 0.045 * j, 0.97) for i in range(3) for j in range(4)],
            ),
            box((0.02, 0.3, 0.03), (0.3, 0, 0.7), dark(rng)),
        ], ["atm", "atm machine"]
    h = rng.uniform(1.6, 2.0)
    hose = tube(
        [(0.05, 0.35, h * 0.6), (0.1, 0.55, h * 0.3), (0.1, 0.5, 0.15), (0.15, 0.42, h * 0.45)], 0.022, dark(rng)
    )
    gun = merge(
        [
            box((0.2, 0.05, 0.06), (0.12, 0.38, h * 0.5), dark(rng), 0.01),
            rod((0.2, 0.38, h * 0.53), (0.32, 0.38, h * 0.42), 0.015, steel(rng)),
        ]
    )
    top = (
        box((0.5, 0.7, 0.25), (0, 0, h), near(rng, (0.9, 0.9, 0.88)), 0.03)
        if maybe(rng, 0.6)
        else sphere(0.25, (0, 0, h + 0.2), white(rng))
    )
    return [
        box((0.45, 0.65, h), color=color, bevel=0.02),
        box((0.02, 0.45, 0.35), (0.225, 0, h * 0.62), near(rng, (0.2, 0.25, 0.25))),
        hose,
        gun,
        top,
        box((0.7, 0.9, 0.1), color=(0.6, 0.6, 0.6)),
    ], ["petrol pump", "fuel pump", "gas pump"]


def bollard(rng: Rng) -> Drawn:
    """Bollards: posts of steel or stone, with rings, chains, or round heads."""
    color, h, r = (
        pick(rng, dark(rng), steel(rng), stone(rng), (0.9, 0.75, 0.1)),
        rng.uniform(0.7, 1.1),
        rng.uniform(0.06, 0.13),
    )
    profile = pick(
        rng,
        [(r, 0), (r, h * 0.95), (r * 0.6, h), (0, h)],
        [
            (r * 1.4, 0),
            (r * 1.3, h * 0.1),
            (r, h * 0.12),
            (r * 0.75, h * 0.8),
            (r * 0.5, h * 0.82),
            (r, h * 0.9),
            (r * 0.8, h * 0.98),
            (0, h),
        ],
        [(r * 1.3, 0), (r * 0.9, h), (0, h)],
    )
    one = merge(
        [
            lathe(profile, color=color),
            *(
                lathe([(r * 1.02, h * z), (r * 1.02, h * z + 0.06)], color=(0.92, 0.92, 0.9))
                for z in ((0.7, 0.82) if maybe(rng, 0.4) else ())
            ),
        ]
    )
    if maybe(rng, 0.35):
        t = np.linspace(-1, 1, 9)
        chain = tube(np.column_stack([0 * t, t * 0.7, h * 0.85 - 0.2 * (1 - t**2)]), 0.02, dark(rng))
        return [copies(one, [(0, s * 0.75, 0) for s in (-1, 1)]), chain], [
            "bollards with a chain",
            "street furniture",
        ]
    return [one], ["street post", "street furniture"]


def column(rng: Rng, *kinds: str) -> Drawn:
    """Columns, obelisks, triumphal arches, gravestones."""
    kind, color = pick(rng, *kinds), near(rng, pick(rng, (0.82, 0.79, 0.72), (0.6, 0.6, 0.58), (0.75, 0.72, 0.66)))
    if kind == "column":
        h, r, n = rng.uniform(3, 6), rng.uniform(0.28, 0.45), 20
        shaft = lathe([(r, 0.4), (r * 1.02, h * 0.4), (r * 0.84, h - 0.4)], color=color, sides=n)
        flutes = (
            ring(rod((r * 0.98, 0, 0.5), (r * 0.84, 0, h - 0.45), 0.03, near(rng, color)), n)
            if maybe(rng)
            else None
        )
        cap = [
            lathe([(r * 0.85, h - 0.4), (r * 1.3, h - 0.15)], color=color),
            box((r * 2.7, r * 2.7, 0.15), (0, 0, h - 0.15), color),
        ]
        curl = (
            [
                both_sides(
                    move(rotate(cylinder(r * 0.35, r * 2, (0, 0, -r), color), "y", 90), (0, r * 1.15, h - 0.3))
                )
            ]
            if maybe(rng, 0.4)
            else []
        )
        return [
            shaft,
            *cap,
            *curl,
            *([flutes] if flutes else []),
            box((r * 2.8, r * 2.8, 0.2), color=color),
            torus(r * 1.1, 0.12, (0, 0, 0.3), color),
        ], ["pillar", "stone column", "greek column"]
    if kind == "obelisk":
        h, w = rng.uniform(5, 10), rng.uniform(0.4, 0.7)
        return [
            cylinder(w, h, (0, 0, 1), color, w * 0.7, 4),
            cylinder(w * 0.7, w, (0, 0, 1 + h), color, 0, 4),
            box((2.2 * w, 2.2 * w, 1), color=near(rng, color)),
            box((3.2 * w, 3.2 * w, 0.3), color=near(rng, color)),
        ], ["monument", "stone monument"]
    t = np.linspace(0, np.pi, 11)
    if kind == "arch":
        w, h, d = rng.uniform(3, 5), rng.uniform(4, 6), rng.uniform(0.8, 2)
        r = w * rng.uniform(0.22, 0.32)
        hole = [(r, 0), *zip(r * np.cos(t), h * 0.45 + r * np.sin(t), strict=True), (-r, 0)]
        body = side_profile(
            [(-w / 2, 0), (-w / 2, h), (w / 2, h), (w / 2, 0), *((float(a), float(b)) for a, b in hole)], d, color
        )
        top = box((w * 1.08, d * 1.15, h * 0.08), (0, 0, h), near(rng, color))
        posts = copies(
            cylinder(0.18, h * 0.75, color=near(rng, color)),
            [(s * w * 0.4, q * d * 0.58, 0) for s in (-1, 1) for q in (-1, 1)],
        )
        return [rotate(merge([body, top, posts, box((w, d, h * 0.15), (0, 0, h * 1.08), color)]), "z", 90)], [
            "triumphal arch",
            "stone gate",
            "monument",
        ]
    w, h, shape = rng.uniform(0.5, 0.75), rng.uniform(0.7, 1.1), pick(rng, "round", "cross", "flat")
    base = box((0.3, w * 1.3, 0.12), color=near(rng, color))
    if shape == "cross":
        return [
            base,
            box((0.14, 0.18, h * 1.2), (0, 0, 0.1), color),
            box((0.14, 0.6, 0.18), (0, 0, h * 0.85), color),
        ], ["grave cross", "tombstone", "headstone"]
    outline = [
        (w / 2, 0),
        *zip(w / 2 * np.cos(t), h * 0.7 + h * (0.3 if shape == "round" else 0.05) * np.sin(t), strict=True),
        (-w / 2, 0),
    ]
    plate = rotate(rotate(extrude(outline, 0.14, color=color), "x", 90), "z", 90)
    return [base, move(plate, (-0.07, 0, 0.1)), box((0.01, w * 0.6, h * 0.25), (0.075, 0, h * 0.45), dark(rng))], [
        "tombstone",
        "headstone",
    ]


def ferris_wheel(rng: Rng) -> Drawn:
    """Ferris wheels with cabins on a stand."""
    r, n, color = rng.uniform(5, 7), count(rng, 8, 14), pick(rng, white(rng), bright(rng), steel(rng))
    rims = [rotate(torus(r * f, 0.1, (0, 0, s * 0.5), color, 30), "x", 90) for f in (1, 0.85) for s in (-1, 1)]
    spokes = ring(
        copies(rod((0, 0, 0), (r, 0, 0), 0.06, color, sides=5), [(0, s * 0.5, 0) for s in (-1, 1)]), n, "y"
    )
    a = np.arange(n) * 2 * np.pi / n
    cabin = merge(
        [
            box((0.9, 0.8, 0.7), (0, 0, -1.1), bright(rng), 0.1),
            dome((0.55, 0.5, 0.25), (0, 0, -0.3), bright(rng), 10),
            rod((0, 0, -0.4), (0, 0, 0), 0.05, color),
        ]
    )
    cabins = copies(cabin, np.column_stack([r * np.cos(a), 0 * a, r * np.sin(a)]))
    legs = both_sides(merge([rod((s * r * 0.55, 1.0, -r - 1.6), (0, 0.8, 0), 0.18, color) for s in (-1, 1)]))
    return [rotate(merge([*rims, spokes, cabins, legs, rod((0, -1, 0), (0, 1, 0), 0.3, color)]), "z", 90)], [
        "big wheel",
        "fairground ride",
    ]


def rock(rng: Rng, *kinds: str) -> Drawn:
    """Rocks and boulders, one or several; cut gems."""
    kind = pick(rng, *kinds)
    if kind == "gem":
        color, r, n = (
            near(rng, pick(rng, (0.8, 0.92, 0.96), (0.8, 0.15, 0.25), (0.2, 0.6, 0.35), (0.2, 0.35, 0.8))),
            0.5,
            pick(rng, 6, 8, 8, 12),
        )
        return [
            lathe(
                [(0, 0), (r, rng.uniform(0.4, 0.6)), (r * 0.95, 0.66), (r * 0.6, 0.82), (0, 0.82)],
                color=color,
                sides=n,
            )
        ], ["diamond" if min(color) > 0.6 else "coloured gemstone", "gemstone", "jewel"]
    color, many = near(rng, (0.5, 0.49, 0.47), 0.08), count(rng, 1, 4)
    stones = []
    for i in range(many):
        ball = sphere(1.0, color=near(rng, color, 0.03), sides=14)
        v = ball.vertices
        bump = 1 + sum(0.12 * np.sin(v @ rng.normal(0, 2.2, 3) + rng.uniform(0, 6)) for _ in range(4))
        size = rng.uniform(0.4, 1.0) * np.array([1, rng.uniform(0.6, 1.1), rng.uniform(0.45, 0.9)])
        rough = Mesh(v * np.clip(bump, 0.5, 1.4)[:, None] * size, ball.faces, face_colors=ball.face_colors)
        stones.append(move(rough, (i * 0.9, rng.uniform(-0.5, 0.5), -float(rough.vertices[:, 2].min()))))
    return stones, ["boulder", "stone"] if many == 1 else ["pile of rocks", "stones", "boulders"]


def flag(rng: Rng) -> Drawn:
    """Flags on poles."""
    color, h = bright(rng), rng.uniform(2.5, 4)
    x, z = np.meshgrid(np.linspace(0, 1.5, 12), np.linspace(h - 1.0, h - 0.05, 6), indexing="ij")
    grid = np.stack([0.12 * x * np.sin(x * rng.uniform(3, 6)), x, z - 0.05 * x], axis=2)
    half = count(rng, 1, 4)
    plates = [sheet(grid[:, : half + 1], color), sheet(grid[:, half:], bright(rng))]
    return [
        *plates,
        cylinder(0.035, h, color=pick(rng, steel(rng), wood(rng))),
        sphere(0.07, (0, 0, h), near(rng, (0.85, 0.7, 0.25)), 8),
        cylinder(0.2, 0.06, color=steel(rng)),
    ], ["flag on a pole", "flagpole"]

"""Things about the house: boxes, books, bins, umbrellas, games."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, metal, near, pick, steel, stone, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, taper
from clip3d.simulation.running_gear import side_profile
from clip3d.simulation.shapes import box, cylinder, dome, lathe, rod, sheet, sphere, torus, tube


def container(rng: Rng) -> Drawn:
    """Boxes: cartons with flaps, wooden crates, chests with lids, tins."""
    kind = pick(rng, "cardboard box", "cardboard box", "wooden crate", "treasure chest", "closed box")
    d, w, h = rng.uniform(0.25, 0.5), rng.uniform(0.3, 0.6), rng.uniform(0.2, 0.45)
    color = near(rng, (0.72, 0.55, 0.36))
    if kind == "closed box":
        return [
            box((d, w, h), color=pick(rng, color, bright(rng))),
            box((d * 1.01, w * 0.12, h * 1.005), color=near(rng, (0.8, 0.7, 0.5))),
        ], [kind, "package"]
    walls = [
        copies(box((0.012, w, h), color=color), [(s * d / 2, 0, 0) for s in (-1, 1)]),
        copies(box((d, 0.012, h), color=color), [(0, s * w / 2, 0) for s in (-1, 1)]),
        box((d, w, 0.012), color=color),
    ]
    if kind == "cardboard box":
        flap = move(
            rotate(box((d * 0.48, w, 0.008), (d * 0.24, 0, 0), near(rng, color)), "y", rng.uniform(-60, 50)),
            (d / 2, 0, h),
        )
        side = move(
            rotate(box((d, w * 0.4, 0.008), (0, w * 0.2, 0), near(rng, color)), "x", rng.uniform(-50, 60)),
            (0, w / 2, h),
        )
        return [*walls, both_sides(flap, "x"), both_sides(side)], [kind, "open box", "carton"]
    if kind == "wooden crate":
        n, c = count(rng, 3, 5), wood(rng)
        z = (np.arange(n) + 0.1) * h / n
        slats = [
            copies(box((0.015, w, h / n * 0.75), color=c), [(s * d / 2, 0, v) for s in (-1, 1) for v in z]),
            copies(box((d, 0.015, h / n * 0.75), color=c), [(0, s * w / 2, v) for s in (-1, 1) for v in z]),
        ]
        return [
            *slats,
            copies(
                box((0.03, 0.03, h), color=c),
                [(s * (d / 2 - 0.02), t * (w / 2 - 0.02), 0) for s in (-1, 1) for t in (-1, 1)],
            ),
            box((d, w, 0.012), color=c),
        ], [kind, "crate"]
    c, m = wood(rng), metal(rng)
    lid = rotate(cylinder(d / 2, w, (0, 0, -w / 2), c, sides=20), "x", 90)
    half = Mesh(
        np.column_stack([lid.vertices[:, 0], lid.vertices[:, 1], np.maximum(lid.vertices[:, 2], 0)]),
        lid.faces,
        face_colors=lid.face_colors,
    )
    gape = pick(rng, 0.0, rng.uniform(30, 75))
    top = move(rotate(move(half, (d / 2, 0, 0)), "y", -gape), (-d / 2, 0, h))
    bands = copies(box((d * 1.03, 0.04, h * 1.01), color=m), [(0, s * w * 0.35, 0) for s in (-1, 1)])
    gold = (
        [
            sphere(0.03, (x, y, h * 0.95), (0.9, 0.75, 0.2), 6)
            for x, y in zip(rng.uniform(-0.4, 0.4, 12) * d, rng.uniform(-0.4, 0.4, 12) * w, strict=True)
        ]
        if gape
        else []
    )
    return [*walls, top, bands, *gold, box((0.02, 0.06, 0.08), (d / 2, 0, h - 0.04), m)], [kind, "chest"]


def book(rng: Rng) -> Drawn:
    """Books: shut, standing, open, or a stack."""
    color, kind = bright(rng), pick(rng, "closed book", "open book", "stack of books", "standing book")

    def shut(h: float) -> Mesh:
        d, w = rng.uniform(0.2, 0.28), rng.uniform(0.14, 0.2)
        c = bright(rng)
        return merge(
            [
                box((d, w, 0.004), color=c),
                box((d, w, 0.004), (0, 0, h), c),
                box((d, 0.005, h), (0, -w / 2, 0), c),
                box((d * 0.96, w * 0.95, h - 0.004), (0, 0.002, 0.004), (0.93, 0.91, 0.85)),
            ]
        )

    thick = rng.uniform(0.015, 0.06)
    if kind == "open book":
        y = np.linspace(0, 0.16, 8)
        page = 0.035 * np.sin(np.pi * (y / 0.16) ** 0.6) + 0.004
        top = sheet(
            np.stack([np.column_stack([np.full(8, x), y, page]) for x in (-0.11, 0.11)]), (0.95, 0.93, 0.88)
        )
        return [
            both_sides(top),
            box((0.23, 0.34, 0.004), color=color),
            both_sides(box((0.22, 0.158, 0.012), (0, 0.08, 0.002), (0.95, 0.93, 0.88))),
        ], [kind]
    if kind == "stack of books":
        z, parts = 0.0, []
        for _ in range(count(rng, 3, 6)):
            h = rng.uniform(0.02, 0.05)
            parts.append(rotate(move(shut(h), (0, 0, z)), "z", rng.uniform(-20, 20)))
            z += h + 0.005
        return parts, [kind, "pile of books", "books"]
    return [
        rotate(
            rotate(shut(thick), "x", 90 if kind == "standing book" else 0),
            "y",
            90 if kind == "standing book" else 0,
        )
    ], [kind]


def trash_can(rng: Rng) -> Drawn:
    """Bins: pedal bins, wire baskets, wheelie bins, dented dustbins with lids."""
    kind, color = (
        pick(rng, "wheelie bin", "dustbin", "pedal bin", "waste basket"),
        pick(rng, steel(rng), bright(rng), near(rng, (0.2, 0.4, 0.25))),
    )
    if kind == "wheelie bin":
        body = rotate(taper(rotate(box((0.5, 0.48, 0.85), color=color, bevel=0.02), "y", 180), 0.8), "y", 180)
        return [
            move(body, (0, 0, 0.1)),
            rotate(box((0.6, 0.54, 0.05), (0.02, 0, 0.95), near(rng, color), 0.015), "y", 4),
            rod((-0.3, -0.2, 0.92), (-0.3, 0.2, 0.92), 0.018, dark(rng)),
            both_sides(move(rotate(cylinder(0.1, 0.05, color=dark(rng)), "x", 90), (-0.2, 0.25, 0.1))),
        ], [kind, "garbage bin"]
    r, h = rng.uniform(0.13, 0.25), rng.uniform(0.35, 0.7)
    if kind == "waste basket":
        return [
            lathe([(r * 0.75, 0), (r, h * 0.7), (r * 0.96, h * 0.7), (r * 0.72, 0.02)], color=color),
            *(
                sphere(r * 0.35, (r * 0.3 * np.cos(a), r * 0.3 * np.sin(a), h * 0.65), (0.93, 0.93, 0.9), 6)
                for a in (0, 2, 4)
            ),
        ], [kind]
    parts = [
        cylinder(r, h, color=color, top=r * (1.1 if kind == "dustbin" else 1.0), sides=20),
        dome((r * 1.12, r * 1.12, r * 0.4), (0, 0, h), near(rng, color), 20),
    ]
    if kind == "dustbin":
        return [
            *parts,
            *(torus(r * (1 + 0.1 * z), 0.012, (0, 0, h * z), color) for z in (0.3, 0.6, 1.0)),
            tube([(-0.06, 0, h + r * 0.38), (0, 0, h + r * 0.6), (0.06, 0, h + r * 0.38)], 0.012, dark(rng)),
        ], [kind, "garbage can"]
    return [*parts, box((0.1, 0.08, 0.02), (r + 0.02, 0, 0.02), dark(rng))], [kind, "garbage can"]


def umbrella(rng: Rng) -> Drawn:
    """Umbrellas: open with ribs and a hooked handle, shut, or a parasol on a foot."""
    color, kind, n = (
        bright(rng),
        pick(rng, "open umbrella", "open umbrella", "closed umbrella", "beach umbrella"),
        count(rng, 6, 10),
    )
    r = rng.uniform(0.45, 0.6) if kind != "beach umbrella" else rng.uniform(1.0, 1.5)
    hook = tube([(0, 0, 0.12), (0, 0, 0.0), (0.03, 0, -0.05), (0.07, 0, -0.05), (0.09, 0, 0.0)], 0.012, wood(rng))
    if kind == "closed umbrella":
        return [
            lathe([(0.012, 0.12), (0.05, 0.25), (0.035, 0.55), (0.012, 0.75)], color=color, sides=n),
            hook,
            cylinder(0.006, 0.9, color=steel(rng), sides=8),
        ], [kind]
    h = 0.8 if kind == "open umbrella" else 2.0
    t = np.linspace(1, 0.04, 7)
    outside = np.column_stack([r * t, h - r * 0.55 * t**1.8])
    canopy = lathe(np.concatenate([outside, outside[::-1] - np.array([0, 0.006])]), color=color, sides=n)
    ribs = ring(rod((0, 0, h - r * 0.5), (r * 0.6, 0, h - r * 0.22), 0.005, steel(rng), sides=4), n)
    parts = [canopy, ribs, cylinder(0.009 if h < 1 else 0.025, h + 0.06, color=steel(rng), sides=8)]
    if kind == "open umbrella":
        return [rotate(merge([*parts, hook]), "y", pick(rng, 0.0, 0.0, rng.uniform(20, 110)))], [kind]
    return [*parts, cylinder(0.3, 0.08, color=stone(rng), sides=20)], [kind, "parasol", "patio umbrella"]


def globe(rng: Rng) -> Drawn:
    """Globes on a stand."""
    r, frame = rng.uniform(0.12, 0.2), pick(rng, metal(rng), wood(rng))
    ball = sphere(r, color=(0.2, 0.4, 0.7), sides=20)
    lands = [
        sphere((r * 0.5, r * 0.35, r * 0.3), (v / np.linalg.norm(v) * r * 0.75).tolist(), (0.35, 0.55, 0.25), 10)
        for v in rng.normal(0, 1, (5, 3))
    ]
    t = np.radians(np.linspace(-90, 90, 15))
    meridian = tube(np.column_stack([0 * t, -1.12 * r * np.cos(t), 1.12 * r * np.sin(t)]), 0.008, frame)
    head = rotate(merge([ball, *lands, meridian]), "x", 23)
    return [
        move(head, (0, 0, r * 1.6)),
        lathe([(r * 0.65, 0), (r * 0.6, 0.02), (0.015, 0.05), (0.012, r * 0.5)], color=frame),
    ], ["world globe", "earth globe"]


def chess_piece(rng: Rng) -> Drawn:
    """Chess pieces: pawn, rook, bishop, queen, king, knight."""
    color, kind = (
        pick(rng, white(rng), dark(rng), wood(rng)),
        pick(rng, "pawn", "rook", "bishop", "queen", "king", "knight"),
    )
    foot = [(0.02, 0), (0.02, 0.006), (0.016, 0.01), (0.017, 0.014), (0.01, 0.02)]
    if kind == "knight":
        head = side_profile(
            [
                (-0.01, 0.02),
                (0.012, 0.02),
                (0.008, 0.035),
                (0.018, 0.042),
                (0.02, 0.05),
                (0.004, 0.062),
                (0.0, 0.07),
                (-0.006, 0.062),
                (-0.015, 0.045),
            ],
            0.013,
            color,
        )
        return [lathe(foot, color=color), head], ["chess knight", "chessman"]
    tops = {
        "pawn": [(0.007, 0.035), (0.011, 0.037), (0.006, 0.039), (0.01, 0.046), (0.007, 0.054), (0, 0.056)],
        "rook": [(0.01, 0.045), (0.014, 0.048), (0.014, 0.06), (0.009, 0.06), (0.009, 0.053), (0, 0.053)],
        "bishop": [
            (0.007, 0.045),
            (0.012, 0.047),
            (0.006, 0.049),
            (0.011, 0.058),
            (0.003, 0.072),
            (0.004, 0.076),
            (0, 0.079),
        ],
        "queen": [
            (0.007, 0.06),
            (0.013, 0.062),
            (0.007, 0.065),
            (0.015, 0.084),
            (0.008, 0.086),
            (0.003, 0.09),
            (0, 0.094),
        ],
        "king": [(0.008, 0.065), (0.014, 0.067), (0.008, 0.07), (0.013, 0.088), (0.005, 0.092), (0, 0.092)],
    }
    parts = [lathe([*foot, *tops[kind]], color=color, sides=20)]
    if kind == "king":
        parts += [
            box((0.003, 0.004, 0.016), (0, 0, 0.091), color),
            box((0.003, 0.012, 0.004), (0, 0, 0.098), color),
        ]
    if kind == "rook":
        parts.append(ring(box((0.006, 0.005, 0.006), (0.0115, 0, 0.06), color), 6))
    return parts, [f"chess {kind}", "chessman"]

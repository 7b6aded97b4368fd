"""Musical instruments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, scale
from clip3d.simulation.shapes import beam, box, cylinder, extrude, lathe, rod, torus, tube


def _figure(half: float, waist: float, long: float, n: int = 15) -> NDArray[np.float64]:
    """The outline of a guitar's or violin's body along x from 0 (bottom) to `long`: (2n, 2)."""
    t = np.linspace(0, np.pi, n)
    s = (1 - np.cos(t)) / 2
    width = half * np.sqrt(np.clip(1 - (2 * s - 1) ** 2, 0, 1)) ** 0.8
    width *= np.where(s < 0.5, 1.0, 0.8) * (1 - (1 - waist) * np.exp(-(((s - 0.55) / 0.14) ** 2)))
    width[[0, -1]] = half * 0.1
    return np.concatenate([np.column_stack([s * long, width]), np.column_stack([s * long, -width])[::-1]])


def guitar(rng: Rng, *kinds: str) -> Drawn:
    """Guitars: acoustic with a hole, electric with horns, flying V, ukulele, banjo."""
    kind = pick(rng, *(kinds or ("acoustic guitar", "acoustic guitar", "electric guitar", "ukulele", "banjo")))
    color, neck_color, long = pick(rng, wood(rng), wood(rng), bright(rng)), wood(rng), 0.48
    neck = 0.42 if kind != "ukulele" else 0.28
    thick = {"electric guitar": 0.045, "banjo": 0.06}.get(kind, 0.1)
    parts = [
        box((neck, 0.05, 0.022), (long + neck / 2 - 0.05, 0, thick), neck_color),
        box((0.12, 0.065, 0.018), (long + neck, 0, thick - 0.005), neck_color, 0.004),
    ]
    parts.append(
        both_sides(
            copies(
                rod((0, 0.03, thick), (0, 0.055, thick), 0.006, steel(rng)),
                [(long + neck - 0.035 + 0.035 * i, 0, 0.004) for i in range(3)],
            )
        )
    )
    strings = copies(
        rod((0.12, 0, thick + 0.03), (long + neck, 0, thick + 0.026), 0.0012, steel(rng), sides=4),
        [(0, y, 0) for y in np.linspace(-0.018, 0.018, 6)],
    )
    parts += [strings, box((0.02, 0.12, 0.015), (0.12, 0, thick), dark(rng))]
    if kind == "banjo":
        return [
            move(cylinder(0.16, thick, color=(0.93, 0.92, 0.88), sides=26), (0.25, 0, 0)),
            torus(0.16, 0.012, (0.25, 0, thick), steel(rng)),
            *parts,
        ], [kind]
    if kind == "electric guitar":
        outline = pick(
            rng,
            [
                (0, 0.1),
                (0.06, 0.17),
                (0.2, 0.14),
                (0.32, 0.14),
                (0.44, 0.17),
                (0.42, 0.07),
                (0.36, 0.03),
                (0.36, -0.03),
                (0.4, -0.08),
                (0.38, -0.15),
                (0.28, -0.13),
                (0.2, -0.13),
                (0.06, -0.17),
                (0, -0.1),
            ],
            [
                (0.0, 0.24),
                (0.06, 0.25),
                (0.42, 0.05),
                (0.42, -0.05),
                (0.06, -0.25),
                (0.0, -0.24),
                (0.2, -0.02),
                (0.2, 0.02),
            ],
        )
        pickups = copies(box((0.03, 0.08, 0.01), color=dark(rng)), [(0.2, 0, thick), (0.3, 0, thick)])
        return [extrude(outline, thick, color=bright(rng)), pickups, *parts], [kind]
    body = extrude(_figure(0.19, 0.72, long), thick, color=color)
    hole = cylinder(0.05, 0.004, (0.3, 0, thick), dark(rng))
    return [body, hole, *parts], [kind]


def violin(rng: Rng, kind: str = "violin") -> Drawn:
    """Violins and cellos, with or without a bow; a cello stands on its spike."""
    color, dark_ = near(rng, (0.5, 0.22, 0.1)), dark(rng)
    cello = kind == "cello"
    body = extrude(_figure(0.105, 0.62, 0.36), 0.04 if not cello else 0.07, color=color)
    z = 0.04 if not cello else 0.07
    parts = [
        body,
        box((0.27, 0.03, 0.014), (0.46, 0, z), dark_),
        tube([(0.6, 0, z), (0.66, 0, z), (0.69, 0, z - 0.02), (0.67, 0, z - 0.03)], 0.011, color),
        box((0.1, 0.04, 0.008), (0.08, 0, z + 0.01), dark_),
    ]
    parts += [
        box((0.005, 0.05, 0.03), (0.17, 0, z), wood(rng)),
        both_sides(rod((0.63, 0.01, z), (0.63, 0.045, z), 0.006, dark_)),
        copies(
            rod((0.1, 0, z + 0.025), (0.61, 0, z + 0.018), 0.001, steel(rng), sides=4),
            [(0, y, 0) for y in (-0.01, -0.003, 0.003, 0.01)],
        ),
    ]
    parts.append(both_sides(tube([(0.12, 0.05, z), (0.16, 0.06, z), (0.2, 0.05, z)], 0.003, dark_)))
    if not cello and maybe(rng):
        parts += [
            tube([(-0.02, 0.17, 0.02), (0.3, 0.17, 0.03), (0.65, 0.17, 0.02)], 0.004, wood(rng)),
            box((0.66, 0.006, 0.002), (0.31, 0.17, 0.004), white(rng)),
        ]
    if cello:
        whole = move(
            rotate(merge([*parts, rod((-0.12, 0, 0.035), (0, 0, 0.035), 0.005, steel(rng))]), "y", -80),
            (0, 0, 0.12),
        )
        return [scale(whole, 2.0)], ["cello", "string instrument"]
    return parts, ["fiddle", "string instrument"]


def drum(rng: Rng) -> Drawn:
    """Drums: side drums with sticks, bass drums on edge, bongos, djembes, a whole kit."""
    color, skin, rim = bright(rng), near(rng, (0.93, 0.91, 0.85)), steel(rng)

    def shell(r: float, h: float) -> Mesh:
        lugs = ring(box((0.012, 0.02, h * 0.7), (r, 0, h * 0.15), rim), 8)
        return merge(
            [
                cylinder(r, h, color=color, sides=24),
                cylinder(r * 0.97, 0.006, (0, 0, h), skin, sides=24),
                torus(r, 0.009, (0, 0, h), rim),
                torus(r, 0.009, color=rim),
                lugs,
            ]
        )

    kind = pick(rng, "snare drum", "bass drum", "bongo drums", "djembe", "drum kit", "drum kit")
    if kind == "snare drum":
        sticks = [
            rotate(rod((-0.2, y, 0), (0.16, y * 0.3, 0), 0.007, wood(rng), 0.004), "z", y * 200)
            for y in (-0.06, 0.06)
        ]
        return [shell(0.18, rng.uniform(0.12, 0.2)), *(move(s, (0, 0, 0.22)) for s in sticks)], [kind]
    if kind == "bass drum":
        return [move(rotate(shell(0.3, 0.4), "y", 90), (-0.2, 0, 0.3))], [kind]
    if kind == "bongo drums":
        return [
            copies(cylinder(0.08, 0.18, color=wood(rng), top=0.1, sides=20), [(0, s * 0.11, 0) for s in (-1, 1)]),
            copies(cylinder(0.098, 0.008, (0, 0, 0.18), skin), [(0, s * 0.11, 0) for s in (-1, 1)]),
            box((0.05, 0.06, 0.06), (0, 0, 0.08), dark(rng)),
        ], [kind]
    if kind == "djembe":
        return [
            lathe([(0.12, 0), (0.07, 0.2), (0.08, 0.32), (0.16, 0.48), (0.17, 0.6)], color=wood(rng)),
            cylinder(0.165, 0.008, (0, 0, 0.6), skin),
            torus(0.17, 0.01, (0, 0, 0.58), dark(rng)),
        ], [kind]

    def cymbal(x: float, y: float, z: float) -> Mesh:
        return merge(
            [
                rotate(lathe([(0.2, 0), (0.04, 0.02), (0, 0.04)], color=(0.8, 0.65, 0.25)), "y", 12),
                cylinder(0.01, z, (0, 0, -z), rim),
                ring(rod((0, 0, -z + 0.25), (0.18, 0, -z), 0.008, rim), 3),
            ]
        )

    parts = [
        move(rotate(shell(0.28, 0.38), "y", 90), (0, 0, 0.28)),
        move(rotate(shell(0.14, 0.16), "y", -15), (0.05, 0.17, 0.62)),
        move(rotate(shell(0.14, 0.16), "y", -15), (0.05, -0.17, 0.62)),
        move(shell(0.2, 0.3), (-0.35, -0.45, 0.15)),
        move(shell(0.17, 0.13), (-0.35, 0.4, 0.45)),
        cylinder(0.01, 0.45, (-0.35, 0.4, 0), rim),
    ]
    parts += [
        move(cymbal(x, y, z), (x, y, z)) for x, y, z in ((0.15, 0.6, 1.05), (0.15, -0.6, 1.0), (-0.2, 0.75, 0.8))
    ]
    return parts, ["drum kit", "drum set"]


def trumpet(rng: Rng, kind: str = "trumpet") -> Drawn:
    """Trumpets, trombones and horns: bell, tube, valves or slide."""
    brass = near(rng, (0.85, 0.66, 0.25))
    bell = rotate(
        lathe(
            [(0.006, 0), (0.007, 0.28), (0.012, 0.38), (0.025, 0.44), (0.062, 0.48), (0.057, 0.48), (0.01, 0.38)],
            color=brass,
        ),
        "y",
        90,
    )
    if kind == "trombone":
        slide = tube(
            [(-0.1, 0, 0), (0.5, 0, 0), (0.55, 0.0, -0.04), (0.5, 0, -0.08), (-0.1, 0, -0.08)], 0.006, brass, 8
        )
        back = tube(
            [(-0.1, 0, -0.08), (-0.3, 0.03, -0.08), (-0.38, 0.06, -0.03), (-0.3, 0.09, 0.03), (-0.1, 0.09, 0.03)],
            0.008,
            brass,
        )
        return [
            move(bell, (-0.12, 0.09, 0.03)),
            slide,
            back,
            lathe([(0.005, 0), (0.012, 0.02)], (0, 0, 0), brass, 8),
        ], ["trombone", "brass instrument"]
    loop = tube(
        [
            (0.0, 0, 0),
            (-0.06, 0, -0.02),
            (-0.08, 0, -0.05),
            (-0.05, 0, -0.09),
            (0.25, 0, -0.09),
            (0.29, 0, -0.06),
            (0.25, 0, -0.02),
            (-0.12, 0, -0.02),
        ],
        0.006,
        brass,
    )
    valves = copies(
        merge(
            [
                cylinder(0.012, 0.13, (0, 0, -0.1), brass),
                cylinder(0.004, 0.03, (0, 0, 0.03), steel(rng)),
                cylinder(0.01, 0.004, (0, 0, 0.06), white(rng)),
            ]
        ),
        [(0.06 + 0.03 * i, 0, 0) for i in range(3)],
    )
    mouth = move(rotate(cylinder(0.006, 0.05, color=brass, top=0.014), "y", -90), (-0.12, 0, -0.02))
    return [bell, loop, valves, mouth], ["brass instrument"]


def flute(rng: Rng, *kinds: str) -> Drawn:
    """Flutes, recorders, clarinets: a pipe with keys or holes."""
    kind = pick(rng, *(kinds or ("concert flute", "recorder", "clarinet")))
    color = {"concert flute": steel(rng), "recorder": wood(rng), "clarinet": dark(rng)}[kind]
    long, r = rng.uniform(0.5, 0.66), 0.011
    profile = (
        [(r, 0), (r, long)]
        if kind == "concert flute"
        else [
            (r * (2.2 if kind == "clarinet" else 1.4), 0),
            (r, long * 0.15),
            (r, long * 0.75),
            (r * 1.3, long * 0.78),
            (r * 0.9, long * 0.85),
            (r * 0.5, long),
        ]
    )
    pipe = rotate(lathe(profile, color=color, sides=12), "y", 90)
    keys = copies(
        cylinder(0.008, 0.008, (0, 0, r), steel(rng) if kind != "recorder" else dark(rng), sides=10),
        [(x, 0, 0) for x in np.linspace(0.12, 0.7, count(rng, 7, 12)) * long],
    )
    extra = (
        [move(scale(cylinder(0.012, 0.006, (0, 0, r), color), (1, 1.6, 1)), (long * 0.88, 0, 0))]
        if kind == "concert flute"
        else []
    )
    return [pipe, keys, *extra], [kind, "wind instrument"]


def piano(rng: Rng) -> Drawn:
    """Pianos: grand ones with an open lid, uprights, electric keyboards on a stand."""
    color, kind = (
        pick(rng, dark(rng), dark(rng), wood(rng), white(rng)),
        pick(rng, "grand piano", "upright piano", "upright piano", "electric piano"),
    )

    def keys(x: float, w: float, z: float) -> list[Mesh]:
        black = [
            (x - 0.02, y, z + 0.02) for i, y in enumerate(np.linspace(-0.48, 0.48, 50) * w) if i % 7 not in (2, 6)
        ]
        return [
            box((0.15, w, 0.02), (x, 0, z), (0.95, 0.95, 0.93)),
            copies(box((0.09, w * 0.01, 0.012), color=(0.05, 0.05, 0.05)), black),
        ]

    if kind == "grand piano":
        t = np.linspace(0, 1, 10)
        curve = [(-1.5 * v, 0.7 - 0.95 * v**1.7 if v < 0.95 else -0.3) for v in t]
        outline = [(0.0, -0.7), (0.0, 0.7), *curve[1:], (-1.5, -0.7)]
        lid = rotate(extrude(outline, 0.03, color=color), "x", 35, (0, -0.7, 0))
        legs = copies(
            cylinder(0.05, 0.68, color=color, top=0.07, sides=8),
            [(-0.1, 0.6, 0), (-0.1, -0.6, 0), (-1.35, -0.45, 0)],
        )
        return [
            extrude(outline, 0.3, (0, 0, 0.68), color),
            move(lid, (0, 0, 1.0)),
            rod((-0.4, 0.4, 0.98), (-0.4, 0.2, 1.55), 0.015, color),
            *keys(0.09, 1.3, 0.75),
            box((0.2, 1.4, 0.07), (0.08, 0, 0.68), color),
            legs,
        ], [kind]
    if kind == "electric piano":
        cross = both_sides(
            merge(
                [
                    beam((-0.3, 0.4, 0), (0.3, 0.4, 0.72), 0.03, 0.03, dark(rng)),
                    beam((0.3, 0.4, 0), (-0.3, 0.4, 0.72), 0.03, 0.03, dark(rng)),
                ]
            )
        )
        return [box((0.32, 1.25, 0.09), (0, 0, 0.72), color, 0.01), *keys(0.07, 1.15, 0.81), cross], [
            kind,
            "synthesizer",
            "music keyboard",
        ]
    h = rng.uniform(1.05, 1.3)
    stool_ = (
        [
            box((0.32, 0.5, 0.06), (0.6, 0, 0.46), dark(rng)),
            copies(
                box((0.04, 0.04, 0.46), color=color),
                [(0.6 + s * 0.12, t * 0.2, 0) for s in (-1, 1) for t in (-1, 1)],
            ),
        ]
        if maybe(rng, 0.4)
        else []
    )
    return [
        box((0.35, 1.45, h), (-0.2, 0, 0), color, 0.01),
        box((0.3, 1.45, 0.12), (0.1, 0, 0.6), color),
        *keys(0.14, 1.3, 0.72),
        both_sides(box((0.08, 0.08, 0.6), (0.2, 0.66, 0), color)),
        box((0.02, 0.6, 0.22), (0.0, 0, 0.95), color),
        *stool_,
    ], [kind]


def harp(rng: Rng) -> Drawn:
    """Harps: pillar, curved neck, sound box, strings."""
    color = pick(rng, metal(rng), wood(rng))
    h = 1.6
    t = np.linspace(0, 1, 9)
    neck = np.column_stack([0.42 - 0.85 * t, 0 * t, h - 0.35 * np.sin(np.pi * t) * (1 - t) - 0.25 * t])
    foot = np.column_stack([0.36 - 0.75 * t, 0 * t, 0.1 + 1.2 * t])
    strings = [
        rod(
            tuple(foot[i] * (1 - f) + foot[i + 1] * f),
            tuple(neck[i] * (1 - f) + neck[i + 1] * f),
            0.003,
            steel(rng),
            sides=4,
        )
        for i in range(8)
        for f in (0.0, 0.33, 0.66)
    ]
    return [
        tube(neck, 0.045, color),
        tube(foot, np.linspace(0.06, 0.11, 9), color),
        rod((0.42, 0, 0.05), (0.42, 0, h), 0.035, color),
        box((0.3, 0.35, 0.07), (0.35, 0, 0), color),
        *strings,
    ], ["string instrument"]

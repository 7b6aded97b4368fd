"""Balls, rackets, trophies and optical instruments."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, upright
from clip3d.simulation.shapes import box, cylinder, extrude, lathe, ribbon, rod, sphere, torus, tube


def ball(rng: Rng) -> Drawn:
    """Balls: plain, football with patches, basketball with seams, beach ball in segments, rugby, tennis."""
    kind, color = (
        pick(rng, "soccer ball", "basketball", "beach ball", "rugby ball", "tennis ball", "bowling ball"),
        bright(rng),
    )
    if kind == "rugby ball":
        return [
            sphere((0.15, 0.095, 0.095), color=near(rng, (0.55, 0.3, 0.15)), sides=22),
            box((0.08, 0.012, 0.004), (0, 0, 0.094), white(rng)),
        ], [kind, "american football"]
    if kind == "soccer ball":
        phi = (1 + 5**0.5) / 2
        spots = np.array([(0, s, t * phi) for s in (-1, 1) for t in (-1, 1)])
        spots = np.concatenate([spots, spots[:, [1, 2, 0]], spots[:, [2, 0, 1]]])
        spots *= 0.088 / np.linalg.norm(spots[0])
        return [sphere(0.11, color=white(rng), sides=22), copies(sphere(0.03, color=dark(rng), sides=10), spots)], [
            kind,
            "football",
        ]
    seam = dark(rng) if kind == "basketball" else white(rng)
    base = {
        "basketball": (0.85, 0.42, 0.12),
        "tennis ball": (0.8, 0.88, 0.2),
        "bowling ball": (0.12, 0.12, 0.25),
    }.get(kind, color)
    sphere_ = sphere(0.11, color=near(rng, base), sides=24)
    if kind == "bowling ball":
        return [
            sphere_,
            *(
                sphere(0.014, v, (0.02, 0.02, 0.02), 8)
                for v in ((0.035, 0, 0.103), (0.02, 0.03, 0.103), (0.02, -0.03, 0.103))
            ),
        ], [kind]
    if kind == "beach ball" and sphere_.face_colors is not None:
        angle = np.arctan2(*sphere_.corners().mean(axis=1)[:, [1, 0]].T)
        pal = np.array([bright(rng), (0.95, 0.95, 0.95), bright(rng)], dtype=np.float32)
        return [
            Mesh(
                sphere_.vertices,
                sphere_.faces,
                face_colors=pal[np.floor((angle + np.pi) / (2 * np.pi) * 6).astype(int) % 3],
            )
        ], [kind]
    rings_ = [
        torus(0.11, 0.0025, color=seam, sides=30),
        rotate(torus(0.11, 0.0025, color=seam, sides=30), "x", 90),
        rotate(torus(0.11, 0.0025, color=seam, sides=30), "y", 90),
    ]
    return [sphere_, *rings_], [kind]


def trophy(rng: Rng) -> Drawn:
    """Trophies: a cup with two ears on a foot and plinth, a star or a figure; medals."""
    gold, kind = (
        near(rng, pick(rng, (0.88, 0.7, 0.22), (0.75, 0.76, 0.78), (0.7, 0.45, 0.25))),
        pick(rng, "trophy cup", "trophy cup", "trophy cup", "star trophy", "medal"),
    )
    plinth = box((0.1, 0.1, rng.uniform(0.04, 0.1)), color=pick(rng, wood(rng), dark(rng)))
    top = float(plinth.vertices[:, 2].max())
    a = np.linspace(0, 2 * np.pi, 10, endpoint=False) + np.pi / 2
    star = np.column_stack([np.tile([0.08, 0.035], 5) * np.cos(a), np.tile([0.08, 0.035], 5) * np.sin(a)])
    if kind == "medal":
        return [
            rotate(cylinder(0.035, 0.004, color=gold, sides=26), "y", 90),
            *(ribbon([(0, s * 0.004, 0.035), (0, s * 0.03, 0.13)], 0.02, bright(rng)) for s in (-1, 1)),
            rotate(upright(extrude(star * 0.3, 0.008, color=near(rng, gold))), "z", 90),
        ], [kind, "gold medal"]
    if kind == "star trophy":
        return [
            plinth,
            lathe([(0.04, top), (0.012, top + 0.03), (0.012, top + 0.12)], color=gold),
            move(rotate(upright(extrude(star, 0.02, color=gold)), "z", 90), (0, 0, top + 0.18)),
        ], [kind, "award"]
    h = rng.uniform(0.1, 0.18)
    body = lathe(
        [
            (0.045, top),
            (0.04, top + 0.01),
            (0.01, top + 0.03),
            (0.012, top + 0.06),
            (0.04, top + 0.08),
            (0.06, top + 0.06 + h * 0.6),
            (0.065, top + 0.06 + h),
            (0.06, top + 0.06 + h),
            (0.03, top + 0.09),
        ],
        color=gold,
    )
    ear = tube(
        [(0, 0.06, top + h), (0, 0.11, top + h * 0.95), (0, 0.1, top + h * 0.6), (0, 0.045, top + 0.085)],
        0.006,
        gold,
    )
    return [plinth, body, both_sides(ear)], [kind, "award", "winner's cup"]


def tire(rng: Rng) -> Drawn:
    """Tyres: bare or on a rim, lying or upright, with tread blocks."""
    r, w, black = rng.uniform(0.28, 0.4), rng.uniform(0.16, 0.26), near(rng, (0.1, 0.1, 0.1), 0.02)
    body = lathe(
        [
            (r * 0.58, -w * 0.4),
            (r * 0.72, -w * 0.5),
            (r * 0.95, -w * 0.48),
            (r, -w * 0.35),
            (r, w * 0.35),
            (r * 0.95, w * 0.48),
            (r * 0.72, w * 0.5),
            (r * 0.58, w * 0.4),
            (r * 0.62, 0.0),
        ],
        color=black,
        sides=28,
    )
    tread = ring(
        copies(box((0.02, r * 0.08, w * 0.3), (r, 0, -w * 0.15), black), [(0, 0, s * w * 0.2) for s in (-1, 1)]), 26
    )
    parts = [body, tread]
    if maybe(rng, 0.5):
        c = steel(rng)
        parts += [
            ring(box((r * 0.55, r * 0.12, w * 0.15), (r * 0.3, 0, 0), c), count(rng, 5, 10)),
            torus(r * 0.58, w * 0.12, color=c),
            cylinder(r * 0.12, w * 0.3, (0, 0, -w * 0.1), c),
        ]
    return [rotate(merge(parts), "x", pick(rng, 0.0, 90.0, 90.0))], [
        "car tire" if len(parts) == 2 else "car wheel",
        "tyre",
        "wheel",
    ]


def racket(rng: Rng, *kinds: str) -> Drawn:
    """Rackets and bats: tennis, table tennis, baseball, hockey, golf."""
    kind, color = (
        pick(
            rng,
            *(
                kinds
                or (
                    "tennis racket",
                    "tennis racket",
                    "table tennis bat",
                    "baseball bat",
                    "hockey stick",
                    "golf club",
                )
            ),
        ),
        bright(rng),
    )
    if kind == "baseball bat":
        return [
            rotate(
                lathe(
                    [(0.017, 0), (0.011, 0.012), (0.012, 0.2), (0.03, 0.5), (0.033, 0.75), (0.02, 0.8), (0, 0.805)],
                    color=wood(rng),
                ),
                "y",
                pick(rng, 0.0, 90.0),
            )
        ], [kind, "bat"]
    if kind in ("hockey stick", "golf club"):
        head = (
            box((0.3, 0.02, 0.08), (0.13, 0, 0), wood(rng))
            if kind == "hockey stick"
            else sphere((0.06, 0.04, 0.025), (0.03, 0, 0.025), metal(rng))
        )
        return [
            rod((0, 0, 0.02), (-0.35, 0, 1.1), 0.014, color),
            head,
            rod((-0.28, 0, 0.9), (-0.35, 0, 1.1), 0.017, dark(rng)),
        ], [kind]
    if kind == "table tennis bat":
        return [
            cylinder(0.075, 0.012, color=(0.75, 0.12, 0.1), sides=26),
            box((0.1, 0.026, 0.02), (-0.11, 0, -0.004), wood(rng), 0.005),
        ], [kind, "paddle"]
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    head = tube(np.column_stack([0.16 * np.cos(t), 0.12 * np.sin(t), 0 * t]), 0.008, color, closed=True)
    lines = np.linspace(-0.85, 0.85, 9)
    net = [
        rod(
            (0.16 * v, -0.12 * np.sqrt(1 - v * v), 0),
            (0.16 * v, 0.12 * np.sqrt(1 - v * v), 0),
            0.0012,
            white(rng),
            sides=4,
        )
        for v in lines
    ]
    net += [
        rod(
            (-0.16 * np.sqrt(1 - v * v), 0.12 * v, 0),
            (0.16 * np.sqrt(1 - v * v), 0.12 * v, 0),
            0.0012,
            white(rng),
            sides=4,
        )
        for v in lines
    ]
    throat = both_sides(rod((-0.14, 0.05, 0), (-0.28, 0.0, 0), 0.008, color))
    return [head, *net, throat, rod((-0.27, 0, 0), (-0.5, 0, 0), 0.014, dark(rng))], [kind, "racquet"]


def telescope(rng: Rng, *kinds: str) -> Drawn:
    """Telescopes on tripods, binoculars, microscopes."""
    kind, color = (
        pick(rng, *(kinds or ("telescope", "telescope", "microscope", "binoculars"))),
        pick(rng, white(rng), dark(rng), metal(rng)),
    )
    if kind == "binoculars":
        one = rotate(
            lathe([(0.02, 0), (0.018, 0.03), (0.022, 0.05), (0.035, 0.1), (0.035, 0.16)], color=dark(rng)), "y", 90
        )
        return [
            both_sides(move(one, (0, 0.038, 0))),
            box((0.06, 0.05, 0.02), (0.06, 0, -0.01), dark(rng)),
            rotate(cylinder(0.008, 0.06, (0, 0, 0.04), steel(rng)), "y", 90),
        ], [kind, "field glasses"]
    if kind == "microscope":
        arm = tube(
            [(-0.08, 0, 0.02), (-0.1, 0, 0.15), (-0.06, 0, 0.27), (0.0, 0, 0.27)], 0.022, color, section=(1, 0.8)
        )
        barrel_ = rotate(
            merge(
                [
                    cylinder(0.022, 0.14, (0, 0, 0.18), dark(rng)),
                    cylinder(0.012, 0.05, (0, 0, 0.13), steel(rng)),
                    cylinder(0.016, 0.06, (0, 0, 0.32), dark(rng)),
                ]
            ),
            "y",
            -12,
        )
        return [
            box((0.2, 0.13, 0.03), (-0.02, 0, 0), color, 0.01),
            arm,
            barrel_,
            box((0.11, 0.11, 0.01), (0.01, 0, 0.1), dark(rng)),
            both_sides(move(rotate(cylinder(0.025, 0.02, color=dark(rng)), "x", -90), (-0.09, 0.02, 0.12))),
        ], [kind, "scientific instrument"]
    pipe = merge(
        [
            rod((-0.35, 0, 0), (0.4, 0, 0), 0.05, color),
            rod((0.38, 0, 0), (0.5, 0, 0), 0.062, color),
            rod((-0.45, 0, 0), (-0.35, 0, 0), 0.02, dark(rng)),
            rod((-0.2, 0, 0.07), (0.05, 0, 0.07), 0.014, dark(rng)),
        ]
    )
    return [
        move(rotate(pipe, "y", -rng.uniform(5, 45)), (0, 0, 1.1)),
        ring(rod((0, 0, 1.05), (0.42, 0, 0), 0.022, wood(rng), 0.014), 3, start=30),
        sphere(0.05, (0, 0, 1.07), dark(rng), 10),
    ], [kind]

"""What hangs on walls and lies about."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, fabric, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, deform, merge, move, ring, rotate, scale, upright
from clip3d.simulation.shapes import (
    beam,
    box,
    capsule,
    cushion,
    cylinder,
    dome,
    extrude,
    ribbon,
    rod,
    sphere,
    torus,
    tube,
)


def looking_glass(rng: Rng) -> Drawn:
    """Mirrors: wall, standing on a frame, hand mirrors; oval, round or square."""
    kind, frame = pick(rng, "wall mirror", "standing mirror", "hand mirror"), pick(rng, metal(rng), wood(rng))
    glass, t = near(rng, (0.78, 0.86, 0.9), 0.03), np.linspace(0, 2 * np.pi, 28, endpoint=False)
    w, h = (0.45, 1.4) if kind == "standing mirror" else (rng.uniform(0.4, 0.8), rng.uniform(0.5, 1.0))
    power = pick(rng, 1.0, 1.0, 0.1)

    def disc(f: float, thick: float) -> Mesh:
        c, s = np.cos(t), np.sin(t)
        outline = np.column_stack(
            [f * w / 2 * np.sign(c) * np.abs(c) ** power, f * h / 2 * np.sign(s) * np.abs(s) ** power]
        )
        return rotate(upright(extrude(outline, thick, color=frame if f == 1 else glass)), "z", 90)

    plate = merge([disc(1.0, 0.04), move(disc(0.86, 0.02), (0.015, 0, 0))])
    if kind == "standing mirror":
        posts = both_sides(
            merge(
                [
                    rod((0, w / 2 + 0.06, 0), (0, w / 2 + 0.06, h * 0.75), 0.02, frame),
                    rod((-0.2, w / 2 + 0.06, 0.02), (0.2, w / 2 + 0.06, 0.02), 0.02, frame),
                ]
            )
        )
        return [
            move(rotate(plate, "y", -rng.uniform(0, 12)), (0, 0, h / 2 + 0.12)),
            posts,
            rod((0, -w / 2 - 0.06, h / 2 + 0.1), (0, w / 2 + 0.06, h / 2 + 0.1), 0.012, frame),
        ], [kind]
    if kind == "hand mirror":
        return [scale(plate, 0.25), rod((0, 0, -h * 0.12), (0, 0, -h * 0.12 - 0.13), 0.011, frame, 0.014)], [kind]
    return [plate], [kind]


def picture_frame(rng: Rng) -> Drawn:
    """Pictures: a frame with a painting of patches, on the wall or propped on a strut."""
    w, h, bar = rng.uniform(0.3, 1.2), rng.uniform(0.3, 0.9), rng.uniform(0.02, 0.08)
    frame = pick(rng, wood(rng), metal(rng), dark(rng))
    parts = [
        copies(box((0.04, w, bar), color=frame), [(0, 0, 0), (0, 0, h - bar)]),
        copies(box((0.04, bar, h), color=frame), [(0, s * (w - bar) / 2, 0) for s in (-1, 1)]),
    ]
    nx, nz = count(rng, 1, 5), count(rng, 1, 4)
    cells = [
        box((0.012, w / nx, h / nz), (0.0, (i - (nx - 1) / 2) * w / nx, j * h / nz), bright(rng))
        for i in range(nx)
        for j in range(nz)
    ]
    strut = [beam((-0.02, 0, h * 0.7), (-0.25 * h - 0.05, 0, 0), 0.05, 0.01, frame)] if maybe(rng, 0.3) else []
    return [*parts, *cells, *strut], ["photo frame" if strut else "painting", "picture"]


def clock(rng: Rng) -> Drawn:
    """Clocks: wall, alarm with bells, grandfather, mantel; hands and twelve marks."""
    kind, frame = (
        pick(rng, "wall clock", "wall clock", "alarm clock", "grandfather clock", "mantel clock"),
        pick(rng, wood(rng), metal(rng), bright(rng)),
    )
    r = {"alarm clock": 0.06, "grandfather clock": 0.17, "mantel clock": 0.1}.get(kind, rng.uniform(0.12, 0.2))
    face = [
        cylinder(r, 0.015, color=white(rng), sides=26),
        ring(box((r * 0.12, r * 0.035, 0.004), (r * 0.82, 0, 0.015), dark(rng)), 12),
    ]
    face += [
        rotate(box((r * long, r * 0.06, 0.004), (r * long / 2, 0, 0.019), dark(rng)), "z", rng.uniform(0, 360))
        for long in (0.5, 0.75)
    ]
    square = kind == "wall clock" and maybe(rng, 0.3)
    rim = (
        box((2.2 * r, 2.2 * r, 0.03), (0, 0, -0.02), frame)
        if square
        else torus(r, r * 0.09, (0, 0, 0.01), frame, 26)
    )
    dial = rotate(merge([*face, rim]), "y", 90)
    if kind == "alarm clock":
        bells = both_sides(
            rotate(
                merge([dome(0.03, (0, 0, r + 0.02), frame), cylinder(0.004, 0.03, (0, 0, r - 0.005), steel(rng))]),
                "x",
                -32,
            )
        )
        feet = both_sides(rod((0, r * 0.5, -r * 0.8), (0, r * 0.8, -r * 1.35), 0.007, steel(rng)))
        drum = rotate(cylinder(r, 0.045, (0, 0, -0.04), frame, sides=26), "y", 90)
        return [
            dial,
            drum,
            bells,
            feet,
            tube([(0, 0.03, r + 0.04), (0, 0.0, r + 0.075), (0, -0.03, r + 0.04)], 0.004, steel(rng)),
        ], [kind]
    if kind == "grandfather clock":
        swing = [
            rod((0.09, 0, 1.35), (0.09, 0.02, 0.85), 0.006, metal(rng)),
            rotate(cylinder(0.06, 0.01, color=metal(rng)), "y", 90),
        ]
        return [
            box((0.25, 0.42, 0.4), color=frame, bevel=0.01),
            box((0.2, 0.3, 1.1), (0, 0, 0.4), frame),
            box((0.26, 0.44, 0.48), (0, 0, 1.4), frame, 0.01),
            dome((0.13, 0.22, 0.14), (0, 0, 1.88), frame),
            move(dial, (0.13, 0, 1.65)),
            swing[0],
            move(swing[1], (0.11, 0.02, 0.85)),
        ], [kind, "pendulum clock"]
    if kind == "mantel clock":
        drum = rotate(cylinder(0.13, 0.09, (0, 0, -0.045), frame, sides=26), "y", 90)
        return [box((0.1, 0.3, 0.04), color=frame), move(drum, (0, 0, 0.15)), move(dial, (0.045, 0, 0.15))], [kind]
    return [dial], [kind]


def rug(rng: Rng) -> Drawn:
    """Rugs and carpets: flat, fringed, round or rolled."""
    color, kind = bright(rng), pick(rng, "carpet", "round rug", "rolled carpet", "carpet")
    if kind == "round rug":
        r = rng.uniform(0.6, 1.2)
        return [
            cylinder(r * (1 - 0.2 * i), 0.012 + 0.004 * i, color=bright(rng), sides=28)
            for i in range(count(rng, 2, 4))
        ], [kind]
    w, long = rng.uniform(0.8, 1.6), rng.uniform(1.3, 2.4)
    if kind == "rolled carpet":
        t = np.linspace(0, 6 * np.pi, 60)
        spiral = np.column_stack([(0.03 + 0.006 * t) * np.cos(t), 0 * t, (0.03 + 0.006 * t) * np.sin(t) + 0.15])
        return [ribbon(spiral, w, color)], [kind]
    tassels = copies(
        box((0.06, 0.015, 0.008), color=white(rng)),
        [(s * (long / 2 + 0.03), y, 0) for s in (-1, 1) for y in np.linspace(-0.48, 0.48, 22) * w],
    )
    rings_ = [
        box((long * (1 - 0.15 * i), w * (1 - 0.2 * i), 0.012 + 0.003 * i), color=bright(rng))
        for i in range(count(rng, 1, 4))
    ]
    return [*rings_, *([tassels] if maybe(rng, 0.6) else [])], [kind]


def pillow(rng: Rng) -> Drawn:
    """Pillows: square, long, round, rolls."""
    color, kind = pick(rng, fabric(rng), bright(rng), white(rng)), pick(rng, "square", "bed", "round", "bolster")
    a = rng.uniform(0.38, 0.5)
    if kind == "bolster":
        return [capsule((0, -a / 2, 0), (0, a / 2, 0), 0.09, color)], ["bolster", "cushion"]
    if kind == "round":
        return [
            sphere((a / 2, a / 2, 0.09), color=color, sides=22),
            sphere(0.02, (0, 0, 0.085), near(rng, color)),
        ], ["round cushion", "cushion"]
    size = (a, a, 0.16) if kind == "square" else (a * 0.9, a * 1.5, 0.15)
    body = cushion(size, color=color, softness=0.5, sides=24)
    corner = np.abs(body.vertices[:, 0] / size[0] * 2) * np.abs(body.vertices[:, 1] / size[1] * 2)
    body = deform(body, 1 + 0.15 * corner)
    return [rotate(body, "y", pick(rng, 0.0, 0.0, -70.0))], [
        "bed pillow" if kind == "bed" else "sofa cushion",
        "cushion",
    ]

"""Seats with names of their own: wheelchairs, high chairs, ottomans, bean bags."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, fabric, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import chair_back, four_legs, stretchers
from clip3d.simulation.moving import both_sides, deform, merge, move, ring, rotate
from clip3d.simulation.shapes import box, cushion, cylinder, lathe, rod, sphere, torus, tube


def wheelchair(rng: Rng) -> Drawn:
    """Wheelchairs: a cloth seat between two large wheels, small wheels in front, foot rests, push handles."""
    frame, cloth, w, seat = (
        steel(rng) if maybe(rng, 0.6) else bright(rng),
        dark(rng),
        rng.uniform(0.42, 0.5),
        rng.uniform(0.46, 0.52),
    )
    r = rng.uniform(0.27, 0.32)
    spokes = ring(rod((0, 0, 0), (r * 0.95, 0, 0), 0.003, frame, sides=4), count(rng, 8, 16))
    wheel = merge(
        [
            torus(r, 0.014, color=dark(rng), sides=26),
            torus(r * 0.88, 0.007, (0, 0, 0.03), frame, 24),
            spokes,
            cylinder(0.03, 0.05, (0, 0, -0.02), frame),
        ]
    )
    y = w / 2 + 0.05
    parts = [both_sides(move(rotate(wheel, "x", -90), (-0.14, y, r + 0.014)))]
    small = rotate(
        merge([torus(0.07, 0.014, color=dark(rng), sides=16), cylinder(0.05, 0.02, (0, 0, -0.01), frame)]), "x", 90
    )
    parts.append(both_sides(move(small, (0.3, w / 2, 0.084))))
    parts += [
        box((0.42, w, 0.03), (0.02, 0, seat), cloth, 0.01),
        rotate(box((0.025, w, 0.42), (-0.22, 0, seat + 0.04), cloth), "y", -6, (-0.22, 0, seat)),
    ]
    side = [
        tube(
            [(-0.22, w / 2, 0.2), (-0.22, w / 2, seat), (-0.26, w / 2, seat + 0.5), (-0.38, w / 2, seat + 0.5)],
            0.013,
            frame,
        )
    ]
    side.append(
        tube(
            [(-0.22, w / 2, seat + 0.22), (0.18, w / 2, seat + 0.22), (0.22, w / 2, seat), (0.3, w / 2, 0.16)],
            0.013,
            frame,
        )
    )
    side.append(
        tube([(-0.22, w / 2, seat), (0.24, w / 2, seat), (0.36, w / 2, 0.12), (0.42, w / 2, 0.1)], 0.013, frame)
    )
    side += [
        box((0.3, 0.05, 0.03), (-0.02, w / 2, seat + 0.22), cloth, 0.008),
        box((0.15, w * 0.4, 0.015), (0.44, w * 0.26, 0.09), cloth),
    ]
    return [*parts, both_sides(merge(side))], ["wheelchair", "wheel chair", "mobility aid"]


def high_chair(rng: Rng) -> Drawn:
    """High chairs for babies: a small seat with arms and a tray on long splayed legs."""
    frame, cloth, seat = pick(rng, wood(rng), white(rng), metal(rng)), bright(rng), rng.uniform(0.5, 0.62)
    parts = four_legs(rng, 0.34, 0.36, seat, frame, 0.035, pick(rng, "splayed", "splayed", "straight"))
    parts += [box((0.32, 0.34, 0.04), (0, 0, seat), cloth, 0.01)]
    back = chair_back(rng, 0.34, rng.uniform(0.3, 0.4), frame, cloth, pick(rng, "padded", "slats", "panel"))
    parts += [move(m, (-0.16, 0, seat)) for m in back]
    parts.append(
        both_sides(tube([(-0.16, 0.18, seat + 0.2), (0.16, 0.19, seat + 0.2), (0.17, 0.18, seat)], 0.014, frame))
    )
    tray = lathe(
        [(0, 0), (0.22, 0), (0.23, 0.03), (0.215, 0.03), (0.205, 0.012), (0, 0.012)],
        color=pick(rng, frame, white(rng)),
        sides=22,
    )
    parts.append(move(tray, (0.2, 0, seat + 0.2)))
    parts.append(box((0.12, 0.36, 0.02), (0.2, 0, seat * 0.42), frame))
    if maybe(rng):
        parts += stretchers(0.36, 0.38, seat * 0.3, 0.02, frame, "h")
    return parts, ["baby high chair", "high chair", "child seat"]


def ottoman(rng: Rng) -> Drawn:
    """Ottomans and poufs: soft blocks and drums, some on feet, some buttoned or knitted in lobes."""
    color, high, r = (
        fabric(rng) if maybe(rng, 0.6) else bright(rng),
        rng.uniform(0.32, 0.48),
        rng.uniform(0.24, 0.4),
    )
    kind = pick(rng, "block", "round", "lobes", "storage")
    if kind == "lobes":
        lobe = sphere((r * 0.62, r * 0.34, high / 2), (r * 0.42, 0, high / 2), color, 12)
        return [ring(lobe, count(rng, 7, 11)), sphere(0.03, (0, 0, high * 0.97), near(rng, color), 8)], [
            "pouf",
            "round pouf",
        ]
    lift = rng.uniform(0.04, 0.14)
    legs = four_legs(rng, r * 1.3, r * 1.3, lift + 0.02, wood(rng), 0.045)
    if kind == "round":
        return [cushion((2 * r, 2 * r, high - lift), (0, 0, lift), color, 0.35, 24), *legs], [
            "round ottoman",
            "pouf",
        ]
    if kind == "storage":
        body = box((r * 1.6, r * 2.6, high - 0.08), color=color, bevel=0.015)
        lid = move(
            rotate(
                cushion((r * 1.64, r * 2.64, 0.09), (r * 0.8, 0, 0), near(rng, color, 0.03), 0.2),
                "y",
                -pick(rng, 0, 0, 60),
            ),
            (-r * 0.8, 0, high - 0.08),
        )
        return [body, lid], ["storage ottoman", "footstool"]
    return [cushion((2 * r, 2 * r * rng.uniform(1, 1.5), high - lift), (0, 0, lift), color, 0.2), *legs], [
        "footstool",
        "footrest",
    ]


def bean_bag(rng: Rng) -> Drawn:
    """Bean bags: a slumped sack with a dent and perhaps a back."""
    color, r = bright(rng) if maybe(rng, 0.6) else fabric(rng), rng.uniform(0.38, 0.5)
    z = np.linspace(0, 1, 9)
    width = np.interp(z, [0, 0.15, 0.4, 0.8, 1], [0.75, 1.0, 0.95, 0.5, 0.1])
    body = lathe(np.column_stack([r * width, z * r * rng.uniform(1.3, 1.9)]), color=color, sides=18)
    lean = 1 - 0.35 * np.clip(body.vertices[:, 0] / r, 0, 1) * (body.vertices[:, 2] > r * 0.4)
    shifted = move(deform(body, lean, "z"), (0, 0, 0))
    return [shifted, sphere(0.035, (0, 0, float(body.vertices[:, 2].max())), near(rng, color), 8)], [
        "bean bag chair",
        "beanbag",
    ]

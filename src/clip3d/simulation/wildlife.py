"""Dinosaurs, apes, owls and long-legged birds, lizards and seals."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, maybe, near, pick
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, rotate, scale
from clip3d.simulation.shapes import capsule, cylinder, dome, extrude, lathe, rod, sphere, tube


def dinosaur(rng: Rng) -> Drawn:
    """Dinosaurs: a hunter on two legs, a long neck, one with plates on its back, one with three horns."""
    color = near(rng, pick(rng, (0.35, 0.45, 0.25), (0.45, 0.4, 0.3), (0.5, 0.35, 0.2), (0.4, 0.45, 0.5)))
    kind, claw = (
        pick(rng, "tyrannosaurus", "brachiosaurus", "stegosaurus", "triceratops"),
        near(rng, (0.85, 0.82, 0.7)),
    )
    eyes = both_sides(sphere(0.03, (0, 0.1, 0.05), (0.05, 0.05, 0.05), 6))
    if kind == "tyrannosaurus":
        spine = [(-1.7, 0, 0.9), (-1.0, 0, 0.95), (-0.4, 0, 1.05), (0.1, 0, 1.15), (0.5, 0, 1.45), (0.75, 0, 1.75)]
        parts = [tube(spine, (0.02, 0.12, 0.28, 0.33, 0.22, 0.15), color, 12)]
        gape = rng.uniform(0, 25)
        parts += [move(rotate(capsule((0, 0, 0), (0.42, 0, -0.02), 0.14, color, 0.09), "y", 6), (0.8, 0, 1.85))]
        parts += [
            move(rotate(capsule((0, 0, 0), (0.36, 0, 0), 0.07, color, 0.05), "y", gape), (0.82, 0, 1.72)),
            move(eyes, (0.88, 0.03, 1.9)),
        ]
        leg = [
            capsule((-0.1, 0.22, 1.0), (0.15, 0.26, 0.6), 0.2, color, 0.12),
            capsule((0.15, 0.26, 0.6), (-0.1, 0.26, 0.2), 0.11, color, 0.06),
        ]
        leg += [
            capsule((-0.1, 0.26, 0.2), (0.02, 0.26, 0.05), 0.06, color),
            *(rod((0.0, 0.26, 0.05), (0.22, 0.26 + v, 0.02), 0.04, color, 0.02) for v in (-0.09, 0, 0.09)),
        ]
        arm = [
            rod((0.42, 0.2, 1.25), (0.58, 0.24, 1.08), 0.05, color, 0.03),
            rod((0.58, 0.24, 1.08), (0.7, 0.24, 1.12), 0.03, color, 0.015),
        ]
        return [*parts, both_sides(merge([*leg, *arm]))], [kind, "t-rex", "meat-eating dinosaur"]
    limb = capsule((0, 0.3, 0.7), (0, 0.32, 0.1), 0.16, color, 0.13)
    if kind == "brachiosaurus":
        rise = rng.uniform(1.2, 2.4)
        spine = [
            (-2.4, 0, 0.4),
            (-1.5, 0, 0.75),
            (-0.8, 0, 1.0),
            (0, 0, 1.1),
            (0.6, 0, 1.15),
            (1.1, 0, 1.15 + rise * 0.4),
            (1.5, 0, 1.15 + rise),
        ]
        parts = [tube(spine, (0.03, 0.15, 0.36, 0.48, 0.36, 0.17, 0.1), color, 12)]
        parts += [
            capsule((1.5, 0, 1.18 + rise), (1.75, 0, 1.12 + rise), 0.12, color, 0.08),
            move(scale(eyes, 0.8), (1.58, 0.03, 1.18 + rise)),
        ]
        legs = copies(capsule((0, 0.28, 0.85), (0, 0.3, 0.1), 0.17, color, 0.13), [(x, 0, 0) for x in (-0.6, 0.5)])
        return [*parts, both_sides(legs)], [kind, "long-necked dinosaur", "sauropod"]
    legs = both_sides(copies(limb, [(x, 0, 0) for x in (-0.5, 0.5)]))
    if kind == "stegosaurus":
        spine = [
            (-1.8, 0, 0.5),
            (-1.0, 0, 0.8),
            (-0.4, 0, 1.1),
            (0.1, 0, 1.1),
            (0.6, 0, 0.8),
            (0.95, 0, 0.62),
            (1.2, 0, 0.55),
        ]
        parts = [tube(spine, (0.03, 0.2, 0.42, 0.42, 0.28, 0.14, 0.08), color, 12)]
        x = np.linspace(-1.1, 0.7, 9)
        top = np.interp(x, [-1.8, -1.0, -0.4, 0.1, 0.6], [0.53, 1.0, 1.5, 1.5, 1.08])
        size = np.interp(x, [-1.1, -0.2, 0.7], [0.12, 0.34, 0.14])
        plates = [
            move(
                rotate(
                    extrude(
                        [(-s / 2, -0.05), (s / 2, -0.05), (s * 0.6, s * 0.6), (0, s * 1.2), (-s * 0.6, s * 0.6)],
                        0.03,
                        color=near(rng, (0.6, 0.35, 0.2)),
                    ),
                    "x",
                    90,
                ),
                (v, 0.05 * (-1) ** i, t),
            )
            for i, (v, s, t) in enumerate(zip(x, size, top, strict=True))
        ]
        spikes = both_sides(
            merge([rod((-1.6 + d, 0, 0.6), (-1.75 + d, 0.3, 0.85), 0.035, claw, 0.005) for d in (0, 0.2)])
        )
        return [*parts, *plates, spikes, legs, move(scale(eyes, 0.7), (1.1, 0.0, 0.58))], [kind, "plated dinosaur"]
    spine = [(-1.5, 0, 0.5), (-0.9, 0, 0.8), (-0.3, 0, 0.95), (0.3, 0, 0.95), (0.7, 0, 0.9), (1.1, 0, 0.75)]
    parts = [
        tube(spine, (0.03, 0.2, 0.42, 0.42, 0.3, 0.2), color, 12),
        capsule((0.95, 0, 0.8), (1.35, 0, 0.6), 0.22, color, 0.1),
    ]
    frill = rotate(dome((0.5, 0.5, 0.12), color=near(rng, color), sides=18), "y", 60)
    horns = [
        both_sides(rod((1.05, 0.16, 0.95), (1.5, 0.2, 1.25), 0.06, claw, 0.005)),
        rod((1.4, 0, 0.68), (1.5, 0, 0.9), 0.05, claw, 0.005),
    ]
    return [*parts, move(frill, (0.72, 0, 0.98)), *horns, legs, move(eyes, (1.15, 0.12, 0.82))], [
        kind,
        "horned dinosaur",
    ]


def monkey(rng: Rng, *kinds: str) -> Drawn:
    """Monkeys and gorillas: sitting, standing on all fours, or with an arm raised."""
    gorilla = pick(rng, *kinds) == "gorilla"
    color = near(
        rng, (0.13, 0.12, 0.12) if gorilla else pick(rng, (0.45, 0.3, 0.18), (0.6, 0.45, 0.3), (0.3, 0.22, 0.16))
    )
    face, f = near(rng, (0.3, 0.28, 0.28) if gorilla else (0.8, 0.62, 0.48)), 1.35 if gorilla else 1.0
    head = [
        sphere((0.13, 0.13, 0.14), color=color),
        sphere((0.08, 0.1, 0.08), (0.08, 0, -0.04), face, 12),
        both_sides(sphere((0.02, 0.05, 0.06), (0, 0.14, 0.01), face, 8)),
    ]
    head += [both_sides(sphere(0.018, (0.125, 0.045, 0.03), (0.05, 0.05, 0.05), 6))]
    t = np.linspace(0, 1, 9)
    tail = tube(np.column_stack([-0.15 - 0.45 * t, 0 * t, 0.12 + 0.5 * t**2 + 0.1 * np.sin(6 * t)]), 0.022, color)
    if maybe(rng, 0.55):
        body = capsule((-0.03, 0, 0.2), (0.02, 0, 0.45), 0.17 * f, color, 0.13 * f)
        legs = both_sides(
            merge(
                [
                    capsule((0, 0.12, 0.15), (0.25, 0.2, 0.25), 0.07 * f, color, 0.055 * f),
                    capsule((0.25, 0.2, 0.25), (0.28, 0.18, 0.04), 0.05 * f, color, 0.045),
                ]
            )
        )
        up = maybe(rng, 0.4)
        left = [
            capsule((0.02, 0.16 * f, 0.5), (0.18, 0.28, 0.32), 0.06 * f, color),
            capsule((0.18, 0.28, 0.32), (0.3, 0.22, 0.16), 0.05 * f, color, 0.04),
        ]
        right = [
            capsule((0.02, -0.16 * f, 0.5), (0.1, -0.3, 0.66), 0.06 * f, color),
            capsule((0.1, -0.3, 0.66), (0.12, -0.26, 0.92), 0.05 * f, color),
        ]
        arms = [*left, *right] if up else [both_sides(merge(left))]
        return [body, legs, *arms, *(move(m, (0.05, 0, 0.7)) for m in head), *([] if gorilla else [tail])], [
            *(["sitting gorilla", "ape"] if gorilla else ["sitting monkey"]),
            "primate",
        ]
    body = capsule((-0.25, 0, 0.42), (0.2, 0, 0.55 + 0.1 * gorilla), 0.15 * f, color, 0.17 * f)
    front = both_sides(capsule((0.2, 0.14 * f, 0.5), (0.26, 0.16 * f, 0.05), 0.065 * f, color, 0.05 * f))
    legs = both_sides(capsule((-0.25, 0.12, 0.4), (-0.22, 0.14, 0.05), 0.075 * f, color, 0.05 * f))
    return [
        body,
        front,
        legs,
        *(move(m, (0.42, 0, 0.68 + 0.12 * gorilla)) for m in head),
        *([] if gorilla else [move(tail, (-0.15, 0, 0.3))]),
    ], [*(["gorilla on all fours", "ape"] if gorilla else ["walking monkey", "monkey on all fours"]), "primate"]


def owl(rng: Rng) -> Drawn:
    """Owls: an upright body, a round face with large eyes, ear tufts, on a branch or a block."""
    color, pale = (
        near(rng, pick(rng, (0.45, 0.33, 0.2), (0.55, 0.5, 0.45), (0.9, 0.9, 0.88))),
        near(rng, (0.85, 0.78, 0.65)),
    )
    body = lathe(
        [(0, 0.0), (0.1, 0.03), (0.16, 0.15), (0.15, 0.3), (0.13, 0.38), (0.15, 0.45), (0.11, 0.54), (0, 0.57)],
        color=color,
    )
    eye = [
        rotate(cylinder(0.055, 0.012, color=near(rng, (0.95, 0.9, 0.75))), "y", 90),
        sphere(0.028, (0.02, 0, 0), pick(rng, (0.9, 0.65, 0.1), (0.1, 0.1, 0.1)), 10),
        sphere(0.014, (0.042, 0, 0), (0.03, 0.03, 0.03), 8),
    ]
    face = both_sides(move(merge(eye), (0.125, 0.055, 0.46)))
    parts = [
        body,
        face,
        rod((0.14, 0, 0.44), (0.18, 0, 0.38), 0.018, near(rng, (0.85, 0.6, 0.2)), 0.003),
        sphere((0.1, 0.11, 0.14), (0.07, 0, 0.2), pale),
    ]
    parts.append(both_sides(sphere((0.1, 0.035, 0.18), (-0.02, 0.15, 0.24), near(rng, color))))
    if maybe(rng, 0.7):
        parts.append(both_sides(rod((0.02, 0.08, 0.53), (0.0, 0.12, 0.64), 0.035, color, 0.004)))
    feet = both_sides(
        merge(
            [rod((0.06, 0.06, 0.02), (0.12, 0.06 + v, -0.01), 0.012, (0.85, 0.65, 0.25)) for v in (-0.03, 0, 0.03)]
        )
    )
    perch = [rod((0.03, -0.35, -0.03), (0.05, 0.35, -0.02), 0.035, (0.4, 0.28, 0.18))] if maybe(rng, 0.5) else []
    return [*parts, feet, *perch], ["sitting owl", "owl on a branch"] if perch else ["sitting owl"]


def wading_bird(rng: Rng, *kinds: str) -> Drawn:
    """Ostriches and flamingos: a body on long legs, a long neck."""
    kind = pick(rng, *kinds)
    pink = kind == "flamingo"
    color = near(rng, (0.95, 0.55, 0.6) if pink else (0.13, 0.12, 0.12))
    skin, leg, neck = (
        near(rng, (0.95, 0.6, 0.6) if pink else (0.75, 0.6, 0.5)),
        rng.uniform(0.75, 0.95),
        rng.uniform(0.65, 0.9),
    )
    body = [
        sphere((0.34, 0.2, 0.2), (0, 0, leg + 0.12), color),
        sphere((0.2, 0.1, 0.12), (-0.32, 0, leg + 0.18), near(rng, color)),
    ]
    t = np.linspace(0, 1, 11)
    sway = 0.16 if pink else 0.04
    path = np.column_stack([0.28 + 0.12 * t + sway * np.sin(t * 6.3), 0 * t, leg + 0.15 + neck * t])
    tip = path[-1]
    head = [tube(path, 0.07 - 0.035 * t, skin if not pink else color), sphere((0.08, 0.055, 0.055), tip, skin, 12)]
    beak = tube(
        [
            np.add(tip, (0.05, 0, 0)),
            np.add(tip, (0.14, 0, -0.01)),
            np.add(tip, (0.17, 0, -0.09 if pink else -0.02)),
        ],
        (0.03, 0.025, 0.006),
        (0.15, 0.13, 0.12) if pink else (0.85, 0.7, 0.4),
    )
    first = [
        rod((-0.02, 0.09, leg + 0.05), (0.03, 0.09, leg * 0.5), 0.045 if not pink else 0.018, skin, 0.02),
        rod((0.03, 0.09, leg * 0.5), (0.0, 0.09, 0.02), 0.018, skin),
    ]
    first += [rod((0.0, 0.09, 0.02), (0.13, 0.09 + v, 0.01), 0.014, skin) for v in (-0.05, 0.05)]
    raised = pink and maybe(rng, 0.5)
    legs = (
        [
            merge(first),
            rod((0, -0.07, leg + 0.05), (0.2, -0.03, leg * 0.62), 0.018, skin),
            rod((0.2, -0.03, leg * 0.62), (-0.12, 0.0, leg * 0.6), 0.016, skin),
        ]
        if raised
        else [both_sides(merge(first))]
    )
    return [*body, *head, beak, *legs], [f"standing {kind}" if not raised else "flamingo on one leg", kind]


def lizard(rng: Rng) -> Drawn:
    """Lizards: a flat body on bent legs, a long winding tail."""
    color = near(rng, pick(rng, (0.3, 0.5, 0.2), (0.5, 0.42, 0.25), (0.25, 0.4, 0.35)))
    t = np.linspace(0, 1, 16)
    bow = rng.uniform(-0.12, 0.12)
    path = np.column_stack([-0.75 + 1.15 * t, bow * np.sin(t * 6.3), 0.09 + 0 * t])
    radius = np.interp(t, [0, 0.4, 0.62, 0.8, 0.9, 1], [0.006, 0.05, 0.085, 0.07, 0.05, 0.035])
    parts = [
        tube(path, radius, color, 10, section=(1.15, 0.8)),
        capsule((0.4, 0, 0.1), (0.54, 0, 0.095), 0.06, color, 0.035),
    ]
    leg = merge(
        [
            capsule((0, 0.05, 0.09), (0.03, 0.17, 0.11), 0.026, color, 0.02),
            capsule((0.03, 0.17, 0.11), (0.07, 0.19, 0.02), 0.02, color, 0.014),
            *(rod((0.07, 0.19, 0.012), (0.13, 0.19 + v, 0.008), 0.008, color) for v in (-0.04, 0, 0.04)),
        ]
    )
    parts += [both_sides(move(leg, (x, 0, 0))) for x in (0.26, -0.08)]
    parts.append(both_sides(sphere(0.016, (0.44, 0.045, 0.135), (0.05, 0.05, 0.05), 6)))
    if maybe(rng, 0.4):
        x = np.linspace(-0.3, 0.35, 12)
        parts.append(
            copies(
                rod((0, 0, 0.13), (-0.02, 0, 0.21), 0.014, near(rng, color), 0.002),
                [(v, bow * np.sin((v + 0.75) / 1.15 * 6.3), 0) for v in x],
            )
        )
        return parts, ["iguana", "reptile"]
    return parts, ["gecko", "reptile"]


def seal(rng: Rng) -> Drawn:
    """Seals: a thick body that tapers to hind flippers, the head raised; some carry a ball."""
    color = near(rng, pick(rng, (0.3, 0.3, 0.33), (0.5, 0.47, 0.42), (0.85, 0.85, 0.83)))
    lift = rng.uniform(0.05, 0.5)
    path = [(-0.9, 0, 0.08), (-0.5, 0, 0.14), (0, 0, 0.22), (0.35, 0, 0.25 + lift * 0.4), (0.5, 0, 0.3 + lift)]
    parts = [
        tube(path, (0.06, 0.15, 0.24, 0.19, 0.13), color, 12),
        sphere((0.16, 0.13, 0.13), (0.56, 0, 0.34 + lift), color),
        sphere((0.07, 0.08, 0.06), (0.68, 0, 0.31 + lift), near(rng, color), 10),
    ]
    parts += [
        both_sides(move(rotate(sphere((0.24, 0.09, 0.03), color=color, sides=12), "z", 55), (0.3, 0.26, 0.06))),
        both_sides(move(rotate(sphere((0.16, 0.07, 0.025), color=color, sides=12), "z", -25), (-1.0, 0.06, 0.08))),
    ]
    parts.append(both_sides(sphere(0.02, (0.65, 0.08, 0.39 + lift), (0.03, 0.03, 0.03), 6)))
    if maybe(rng, 0.25):
        return [*parts, sphere(0.14, (0.74, 0, 0.52 + lift), bright(rng))], ["seal with a ball", "sea lion"]
    return parts, ["sea lion", "sea animal"]

"""People, and parts of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, dark, fabric, maybe, near, pick, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, mirror, move, rotate, scale, turning
from clip3d.simulation.shapes import Color, box, capsule, cushion, cylinder, dome, lathe, rod, sphere, tube

SKINS: tuple[Color, ...] = ((0.93, 0.76, 0.65), (0.8, 0.6, 0.45), (0.55, 0.38, 0.26), (0.35, 0.23, 0.16))
HAIRS: tuple[Color, ...] = ((0.1, 0.08, 0.06), (0.35, 0.2, 0.1), (0.8, 0.65, 0.35), (0.6, 0.6, 0.6))
# Joint angles in degrees: thigh forwards, knee bend, arm forwards, arm sideways, elbow bend; left then right.
POSES: dict[str, tuple[tuple[float, float, float, float, float], tuple[float, float, float, float, float]]] = {
    "standing": ((0, 0, 0, 10, 8), (0, 0, 0, 10, 8)),
    "walking": ((25, 8, -22, 8, 20), (-20, 20, 25, 8, 25)),
    "running": ((60, 50, -45, 8, 90), (-30, 70, 45, 8, 90)),
    "sitting": ((88, 88, 25, 8, 35), (88, 88, 25, 8, 35)),
    "arms up": ((5, 0, 0, 150, 10), (0, 0, 0, 150, 10)),
    "arms spread": ((0, 0, 0, 88, 4), (0, 0, 0, 88, 4)),
    "waving": ((0, 0, 0, 140, 30), (0, 0, 0, 10, 8)),
    "kneeling": ((88, 90, 20, 8, 30), (5, 95, 10, 8, 30)),
    "kicking": ((75, 10, -30, 40, 20), (-8, 5, 30, 40, 20)),
}


def person(rng: Rng) -> Drawn:
    """People in poses: men, women in skirts, children, workers in helmets; perhaps lying or bearing something."""
    pose = pick(rng, *POSES, "standing", "walking", "sitting", "lying")
    who = pick(rng, "man", "man", "woman", "woman", "child")
    skin, hair = near(rng, pick(rng, *SKINS), 0.03), near(rng, pick(rng, *HAIRS), 0.03)
    shirt, legs_color = bright(rng), pick(rng, dark(rng), fabric(rng), bright(rng))
    broad = {"man": 1.0, "woman": 0.87, "child": 0.85}[who] * rng.uniform(0.9, 1.15)
    left, right = POSES.get(pose, POSES["standing"])
    jitter = rng.normal(0, 5, (2, 5))
    parts = [torso(broad, shirt), *face(rng, who, skin, hair)]
    for sign, angles in ((1, np.array(left) + jitter[0]), (-1, np.array(right) + jitter[1])):
        parts += leg(sign, angles, broad, legs_color, skin) + arm(sign, angles, broad, shirt, skin)
    if who == "woman" and pose in ("standing", "walking", "waving", "arms up") and maybe(rng, 0.6):
        parts.append(lathe([(0.33, -0.55 * rng.uniform(0.6, 1.1)), (0.15, 0.08)], (0, 0, 0), shirt, 14))
    body = merge(parts)
    if who == "child":
        body = scale(body, 0.62)
    if pose == "lying":
        body = rotate(body, "y", -90)
    body = move(body, (0, 0, -float(body.vertices[:, 2].min())))
    extra = []
    if pose == "sitting" and maybe(rng, 0.4):
        extra = [box((0.4, 0.45, float(body.vertices[:, 2].max()) * 0.33), (-0.03, 0, 0), wood(rng))]
    name = f"person with {pose}" if pose.startswith("arms") else f"{pose} person"
    adult = {"man": "man", "woman": "woman", "child": "child"}[who]
    return [body, *extra], [name, f"{adult} with {pose}" if pose.startswith("arms") else f"{pose} {adult}", adult]


def torso(broad: float, shirt: Color) -> Mesh:
    """The trunk above the hips, whose middle is the origin."""
    z = [-0.08, 0.0, 0.15, 0.35, 0.48, 0.54]
    return tube(
        [(0.0, 0, v) for v in z],
        np.array([0.15, 0.165, 0.145, 0.185, 0.17, 0.07]),
        shirt,
        12,
        section=(broad, 0.62),
    )


def face(rng: Rng, who: str, skin: Color, hair: Color) -> list[Mesh]:
    """Neck and head with hair, or a helmet, of a "man", "woman" or "child", above hips at the origin."""
    size = 1.3 if who == "child" else 1.0
    z = 0.54 + 0.16 * size
    parts = [
        cylinder(0.055, 0.12, (0, 0, 0.5), skin, sides=10),
        sphere((0.095 * size, 0.08 * size, 0.125 * size), (0.015, 0, z), skin),
        sphere((0.03, 0.018, 0.02), (0.11 * size, 0, z - 0.01), skin, 8),
    ]
    cap = dome((0.105 * size, 0.092 * size, 0.11 * size), (-0.005, 0, z + 0.03), hair)
    if maybe(rng, 0.2):
        return [
            *parts,
            dome((0.13 * size, 0.11 * size, 0.12 * size), (0.01, 0, z + 0.04), bright(rng)),
            cylinder(0.15 * size, 0.012, (0.03, 0, z + 0.04), bright(rng)),
        ]
    if who == "woman":
        parts.append(sphere((0.06, 0.1, rng.uniform(0.13, 0.24)), (-0.07, 0, z - 0.06), hair))
    return [*parts, cap]


def limb(
    start: NDArray[np.float64], turns: list[NDArray[np.float64]], lengths: list[float]
) -> list[NDArray[np.float64]]:
    """Joints of a chain that hangs down from `start` and is turned at each joint in order."""
    points, frame = [start], np.eye(3)
    for turn, length in zip(turns, lengths, strict=True):
        frame = frame @ turn
        points.append(points[-1] + frame @ np.array([0, 0, -length]))
    return points


def leg(sign: int, angles: NDArray[np.float64], broad: float, cloth: Color, skin: Color) -> list[Mesh]:
    """The left (+1) or right (-1) leg below hips at the origin, with angles (5,) as in POSES."""
    hip = np.array([0, sign * 0.09 * broad, 0.0])
    bend = turning("y", -angles[0]) @ turning("x", sign * 3.0)
    _, knee, foot = limb(hip, [bend, turning("y", max(angles[1], 0))], [0.43, 0.43])
    toes = turning("y", -angles[0] + max(angles[1], 0)) @ np.array([0.17, 0, 0])
    return [
        tube([np.add(hip, (0, 0, 0.03)), knee, foot], (0.09, 0.065, 0.045), cloth, 8),
        capsule(tuple(foot), tuple(foot + toes), 0.045, (0.12, 0.1, 0.09), 0.035),
    ]


def arm(sign: int, angles: NDArray[np.float64], broad: float, cloth: Color, skin: Color) -> list[Mesh]:
    """The left (+1) or right (-1) arm above hips at the origin, with angles (5,) as in POSES."""
    shoulder = np.array([0, sign * 0.2 * broad, 0.46])
    lift = turning("y", -angles[2]) @ turning("x", sign * angles[3])
    _, elbow, wrist = limb(shoulder, [lift, turning("y", -angles[4])], [0.29, 0.26])
    hand = wrist + (wrist - elbow) * 0.3
    return [
        tube([shoulder, elbow, wrist], (0.06, 0.048, 0.034), cloth, 8),
        capsule(tuple(wrist), tuple(hand), 0.036, skin),
    ]


def bust(rng: Rng) -> Drawn:
    """Busts and heads: a head with face and hair on shoulders, perhaps on a pedestal, in stone, bronze or flesh."""
    stone_ = pick(rng, (0.88, 0.86, 0.82), (0.4, 0.28, 0.16), (0.6, 0.6, 0.6), pick(rng, *SKINS))
    color = near(rng, stone_, 0.03)
    hair = color if maybe(rng, 0.7) else near(rng, pick(rng, *HAIRS), 0.03)
    head = [
        sphere((0.1, 0.08, 0.13), (0, 0, 0.42), color),
        sphere((0.075, 0.062, 0.08), (0.035, 0, 0.34), color),
        rod((0.085, 0, 0.44), (0.125, 0, 0.395), 0.012, color, 0.024),
    ]
    head += [
        both_sides(sphere((0.02, 0.012, 0.035), (0, 0.083, 0.41), color, 8)),
        both_sides(sphere((0.02, 0.022, 0.014), (0.085, 0.035, 0.445), color, 8)),
        box((0.02, 0.05, 0.012), (0.098, 0, 0.355), color, 0.004),
    ]
    if maybe(rng, 0.8):
        head.append(dome((0.11, 0.09, 0.12), (-0.012, 0, 0.455), hair))
    if maybe(rng, 0.35):
        head.append(sphere((0.05, 0.06, 0.09), (0.05, 0, 0.29), hair))
    if maybe(rng, 0.3):
        head.append(sphere((0.07, 0.1, 0.16), (-0.07, 0, 0.38), hair))
    neck = tube([(-0.01, 0, 0.18), (0, 0, 0.34)], (0.075, 0.055), color)
    parts = [rotate(merge(head), "z", rng.uniform(-25, 25)), neck]
    if maybe(rng, 0.2):
        return parts, ["human head", "head"]
    parts.append(
        tube(
            [(0, 0, 0.0), (0, 0, 0.08), (0, 0, 0.16), (0, 0, 0.22)],
            np.array([0.11, 0.2, 0.19, 0.06]),
            color,
            14,
            section=(1.1, 0.55),
        )
    )
    if maybe(rng, 0.7):
        parts.append(
            pick(
                rng,
                lathe([(0.12, -0.2), (0.12, -0.17), (0.05, -0.13), (0.06, 0.0)], color=color),
                box((0.2, 0.2, 0.25), (0, 0, -0.25), color),
            )
        )
    return parts, ["bust of a person", "sculpture", "statue"]


def hand(rng: Rng) -> Drawn:
    """Hands: open, pointing, thumb up, the sign of victory, a fist."""
    color, kind = (
        near(rng, pick(rng, *SKINS), 0.03),
        pick(rng, "open hand", "open hand", "pointing hand", "victory sign", "thumbs up", "fist"),
    )
    open_ = {"open hand": (1, 1, 1, 1), "pointing hand": (1, 0, 0, 0), "victory sign": (1, 1, 0, 0)}.get(
        kind, (0, 0, 0, 0)
    )
    parts = [
        cushion((0.035, 0.085, 0.1), (0, 0, 0), color, 0.5),
        tube([(0, 0, -0.1), (0, 0, 0.03)], (0.03, 0.034), color, section=(1, 0.75)),
    ]
    spread = rng.uniform(2, 9)
    for i, (stretched, long) in enumerate(zip(open_, (0.075, 0.085, 0.078, 0.06), strict=True)):
        y, tilt = 0.032 - 0.021 * i, (1.5 - i) * spread
        finger = (
            capsule((0, 0, 0), (0, 0, long), 0.0105, color, 0.008)
            if stretched
            else tube([(0, 0, 0), (0.03, 0, 0.02), (0.04, 0, -0.01), (0.02, 0, -0.03)], 0.0115, color)
        )
        parts.append(move(rotate(finger, "x", -tilt if stretched else 0), (0, y, 0.095)))
    thumb = capsule((0, 0.03, 0.03), (0.01, 0.085 if kind != "fist" else 0.04, 0.085), 0.014, color, 0.011)
    if kind in ("fist", "victory sign", "pointing hand"):
        thumb = tube([(0.01, 0.035, 0.03), (0.03, 0.03, 0.06), (0.035, 0.0, 0.07)], 0.012, color)
    whole = merge([*parts, thumb])
    if kind == "thumbs up":
        whole = rotate(merge([*parts, capsule((0, 0.035, 0.05), (0, 0.11, 0.06), 0.014, color, 0.012)]), "x", 90)
    return [mirror(whole) if maybe(rng) else whole], [kind, "human hand"]


def skull(rng: Rng) -> Drawn:
    """Skulls: a round brain case, dark eye sockets, cheekbones, teeth, jaw."""
    bone, hole = near(rng, (0.88, 0.84, 0.74)), (0.1, 0.09, 0.08)
    parts = [
        sphere((0.1, 0.078, 0.085), (-0.01, 0, 0.14), bone),
        box((0.05, 0.09, 0.06), (0.06, 0, 0.05), bone, 0.015),
        both_sides(sphere((0.03, 0.022, 0.022), (0.073, 0.033, 0.115), hole, 10)),
        sphere((0.02, 0.013, 0.018), (0.085, 0, 0.085), hole, 8),
    ]
    parts += [
        copies(
            box((0.01, 0.009, 0.016), color=(0.95, 0.93, 0.85)),
            [(0.085, y, z) for y in np.linspace(-0.03, 0.03, 7) for z in (0.037, 0.02)],
        ),
        both_sides(tube([(0.07, 0.045, 0.09), (0.03, 0.075, 0.09), (-0.02, 0.07, 0.1)], 0.01, bone)),
    ]
    gape = rng.uniform(0, 20)
    jaw = tube(
        [
            (-0.02, 0.062, 0.09),
            (-0.005, 0.06, 0.02),
            (0.07, 0.035, 0.008),
            (0.09, 0, 0.006),
            (0.07, -0.035, 0.008),
            (-0.005, -0.06, 0.02),
            (-0.02, -0.062, 0.09),
        ],
        0.012,
        bone,
    )
    return [*parts, rotate(jaw, "y", gape * 0.5, (-0.02, 0, 0.09))], ["human skull"]

"""Animals on four legs, all from one plan with different measures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, count, maybe, near, pick
from clip3d.simulation.family import Drawn, Maker
from clip3d.simulation.moving import both_sides, merge, move, rotate, scale
from clip3d.simulation.shapes import Color, capsule, rod, sphere, tube


@dataclass(frozen=True)
class Build:
    """Measures of a four-legged animal, in parts of the trunk's length.

    Attributes:
        leg: length of the legs; neck: length and `reach` its angle above the horizontal in degrees.
        girth: radius of the trunk; head, muzzle: half-length of the skull and length of the snout.
        thick: radius of the legs; ears, tail, crown: their styles.
        coats: colours; length: of the trunk in metres.
    """

    leg: float
    girth: float
    neck: float
    reach: float
    head: float
    muzzle: float
    thick: float
    ears: str
    tail: str
    coats: tuple[Color, ...]
    length: float
    crown: str = "none"


BROWNS: tuple[Color, ...] = (
    (0.45, 0.3, 0.18),
    (0.25, 0.16, 0.1),
    (0.7, 0.5, 0.3),
    (0.15, 0.13, 0.12),
    (0.85, 0.82, 0.78),
)
GREYS: tuple[Color, ...] = ((0.5, 0.5, 0.5), (0.38, 0.36, 0.36), (0.6, 0.58, 0.55))
BUILDS: dict[str, Build] = {
    "dog": Build(0.5, 0.24, 0.4, 45, 0.17, 0.24, 0.06, "flop", "curl", BROWNS, 0.55),
    "cat": Build(0.4, 0.2, 0.25, 40, 0.19, 0.06, 0.05, "pointed", "long", (*BROWNS, (0.8, 0.5, 0.2), *GREYS), 0.35),
    "horse": Build(0.66, 0.24, 0.65, 52, 0.16, 0.3, 0.055, "small", "hair", BROWNS, 1.4, "mane"),
    "cow": Build(0.5, 0.28, 0.3, 22, 0.15, 0.22, 0.06, "side", "thin", BROWNS, 1.5, "horns"),
    "elephant": Build(0.48, 0.38, 0.15, 20, 0.25, 0.1, 0.13, "huge", "thin", GREYS, 2.4, "trunk"),
    "giraffe": Build(
        1.25, 0.28, 1.75, 68, 0.16, 0.25, 0.065, "side", "thin",
        ((0.85, 0.65, 0.3), (0.75, 0.5, 0.25)), 1.3, "knobs"
    ),
    "pig": Build(
        0.32,
        0.33,
        0.12,
        10,
        0.2,
        0.16,
        0.07,
        "pointed",
        "twist",
        ((0.93, 0.68, 0.65), (0.85, 0.6, 0.55), (0.3, 0.25, 0.23)),
        0.9,
    ),
    "sheep": Build(
        0.4, 0.4, 0.22, 30, 0.15, 0.18, 0.05, "side", "stub", ((0.92, 0.9, 0.85), (0.85, 0.82, 0.75)), 0.8, "wool"
    ),
    "goat": Build(
        0.52, 0.28, 0.35, 45, 0.14, 0.2, 0.045, "side", "stub", (*BROWNS, (0.9, 0.88, 0.85)), 0.7, "goat"
    ),
    "deer": Build(
        0.75,
        0.22,
        0.6,
        58,
        0.13,
        0.22,
        0.04,
        "side",
        "stub",
        ((0.55, 0.36, 0.2), (0.45, 0.3, 0.18)),
        1.1,
        "antlers",
    ),
    "rabbit": Build(0.35, 0.34, 0.12, 55, 0.24, 0.1, 0.07, "tall", "ball", (*BROWNS, *GREYS), 0.25),
    "bear": Build(
        0.5,
        0.36,
        0.2,
        20,
        0.22,
        0.18,
        0.12,
        "round",
        "stub",
        ((0.3, 0.2, 0.12), (0.12, 0.1, 0.1), (0.93, 0.92, 0.88)),
        1.4,
    ),
    "lion": Build(
        0.5, 0.25, 0.3, 30, 0.2, 0.17, 0.085, "round", "tuft", ((0.78, 0.58, 0.32), (0.7, 0.5, 0.28)), 1.4, "lion"
    ),
    "camel": Build(
        0.8,
        0.27,
        0.85,
        48,
        0.15,
        0.25,
        0.055,
        "small",
        "thin",
        ((0.75, 0.58, 0.38), (0.65, 0.5, 0.32)),
        1.5,
        "humps",
    ),
    "rhinoceros": Build(0.42, 0.38, 0.2, 8, 0.22, 0.28, 0.12, "pointed", "thin", GREYS, 2.4, "rhino"),
    "fox": Build(
        0.42, 0.2, 0.3, 35, 0.17, 0.24, 0.045, "pointed", "brush", ((0.8, 0.4, 0.15), (0.7, 0.35, 0.12)), 0.5
    ),
    "mouse": Build(0.2, 0.32, 0.08, 20, 0.2, 0.2, 0.05, "round", "long", (*GREYS, (0.85, 0.82, 0.8)), 0.1),
    "squirrel": Build(
        0.35, 0.28, 0.2, 50, 0.22, 0.12, 0.07, "pointed", "bushy", ((0.55, 0.28, 0.12), (0.4, 0.38, 0.36)), 0.2
    ),
    "wolf": Build(0.55, 0.22, 0.38, 32, 0.17, 0.26, 0.06, "pointed", "brush", GREYS, 0.9),
    "tiger": Build(0.48, 0.25, 0.26, 25, 0.2, 0.14, 0.085, "round", "long", ((0.85, 0.5, 0.18),), 1.4),
    "zebra": Build(0.62, 0.26, 0.55, 50, 0.16, 0.27, 0.055, "small", "tuft", ((0.88, 0.87, 0.84),), 1.3, "mane"),
    "donkey": Build(0.58, 0.25, 0.48, 46, 0.17, 0.28, 0.05, "tall", "tuft", GREYS, 1.1, "mane"),
    "hippopotamus": Build(0.3, 0.42, 0.14, 6, 0.24, 0.3, 0.13, "round", "stub", GREYS, 2.2),
    "panda": Build(0.42, 0.4, 0.16, 22, 0.25, 0.12, 0.13, "round", "stub", ((0.93, 0.92, 0.9),), 1.2),
    "llama": Build(
        0.68, 0.27, 0.8, 72, 0.14, 0.18, 0.05, "tall", "stub", ((0.85, 0.78, 0.65), (0.5, 0.35, 0.22)), 1.0
    ),
    "moose": Build(0.85, 0.27, 0.42, 30, 0.17, 0.34, 0.05, "side", "stub", ((0.3, 0.2, 0.13),), 1.7, "antlers"),
}

MARKED = ("zebra", "tiger", "panda")
NEVER_GRAZING = ("wolf", "tiger", "panda", "dog", "cat", "bear", "lion", "fox", "mouse", "squirrel", "pig")


def quadruped(name: str) -> Maker:
    """The maker of one kind of four-legged animal: standing, walking, running, grazing, or sitting if it does."""

    def make(rng: Rng) -> Drawn:
        parts, captions = _animal(rng, name, BUILDS[name])
        return [_marked(name, merge(parts))] if name in MARKED else parts, captions

    return make


def _marked(name: str, mesh: Mesh) -> Mesh:
    """Stripes around the trunk, or the dark limbs and ears of a panda."""
    middle = mesh.corners().mean(axis=1)
    x, z = (middle[:, i] / max(float(np.ptp(middle[:, i])), 1e-9) for i in (0, 2))
    dark = (z - z.min() < 0.42) | (z - z.min() > 0.94) if name == "panda" else np.sin(x * 60) > 0.35
    colors = np.asarray(mesh.face_colors).copy()
    colors[dark] = (0.08, 0.08, 0.08)
    return replace(mesh, face_colors=colors)


def _animal(rng: Rng, name: str, build: Build) -> Drawn:
    coat = near(rng, pick(rng, *build.coats), 0.04)
    leg, girth = build.leg * rng.uniform(0.9, 1.1), build.girth * rng.uniform(0.9, 1.12)
    grazes = name not in NEVER_GRAZING
    pose = pick(rng, "standing", "standing", "walking", "running", "grazing" if grazes else "standing")
    sits = name in ("panda", "wolf", "dog", "cat", "bear", "rabbit", "fox", "squirrel", "mouse") and maybe(rng, 0.3)
    high = leg + girth * 0.75
    spine = np.column_stack(
        [np.linspace(-0.5, 0.5, 8), np.zeros(8), high + 0.03 * np.sin(np.linspace(0, np.pi, 8))]
    )
    shape = girth * np.array([0.45, 0.85, 1, 0.97, 0.97, 1.03, 0.9, 0.4])
    trunk = [tube(spine, shape, coat, 12, section=(0.85, 1.05))]
    front = merge(_legs(rng, build, leg, girth, 0.36, pose, coat))
    rear = merge(_legs(rng, build, leg, girth, -0.38, pose, coat))
    reach = np.radians(build.reach + rng.uniform(-10, 12) - (60 if pose == "grazing" and not sits else 0))
    root = np.array([0.42, 0.0, high + girth * 0.3])
    nape = root + build.neck * np.array([np.cos(reach), 0, np.sin(reach)])
    neck = tube(
        [np.subtract(root, (0.12, 0, girth * 0.3)), root + (nape - root) * 0.5, nape],
        np.array([0.75, 0.55, 0.42]) * girth * (0.8 if build.neck > 0.6 else 1),
        coat,
    )
    droop = -65.0 if pose == "grazing" and not sits else rng.uniform(-25, 0)
    head = rotate(merge(_head(rng, build, coat)), "y", -droop)
    fore = [neck, move(head, nape.tolist())]
    tail = move(merge(_tail(rng, build.tail, coat)), (-0.5, 0, high + girth * 0.2))
    extra = []
    if build.crown == "humps":
        n = count(rng, 1, 2)
        extra = [
            sphere((0.17, 0.12, 0.26), (x, 0, high + girth), coat) for x in ((0.0,) if n == 1 else (-0.22, 0.2))
        ]
    if build.crown == "wool":
        extra = [sphere((0.56, girth * 1.1, girth * 1.15), (0, 0, high), coat)]
    if build.crown == "mane":
        extra = [
            tube(
                [np.add(root, (0.0, 0, 0.08)), np.add(nape, (-0.06, 0, 0.1))],
                0.05,
                near(rng, (0.15, 0.1, 0.08)),
                section=(0.5, 1.8),
            )
        ]
    if sits:
        upper = merge([*trunk, *fore, *extra])
        upper = rotate(upper, "y", -50, (-0.4, 0, high))
        sat = merge([upper, sphere((0.26, girth * 1.15, girth * 0.9), (-0.38, 0, high - girth * 0.1), coat)])
        paws = both_sides(
            rod((-0.02, girth * 0.5, high + 0.22), (0.12, girth * 0.45, high - girth * 0.9), build.thick, coat)
        )
        feet = both_sides(
            capsule(
                (-0.35, girth * 0.8, high - girth * 0.8), (0.0, girth * 0.8, high - girth * 0.85), build.thick, coat
            )
        )
        parts, pose = [sat, paws, feet, move(tail, (0, 0, -girth * 0.8))], "sitting"
    else:
        parts = [*trunk, *fore, *extra, front, rear, tail]
    return [scale(merge(parts), build.length)], [f"{pose} {name}"]


def _legs(rng: Rng, build: Build, leg: float, girth: float, x: float, pose: str, coat: Color) -> list[Mesh]:
    swing = {"standing": 0.03, "grazing": 0.06, "walking": 0.22, "running": 0.5}[pose] * leg
    hoof = near(rng, (0.15, 0.12, 0.1)) if build.neck > 0.28 else coat
    parts = []
    for side in (-1, 1):
        stride = swing * side * (1 if x > 0 else -1) * (1 if pose != "running" else np.sign(x) * side)
        y, bend = side * girth * 0.55, 0.06 * leg * (-1 if x < 0 else 1)
        path = [(x, y, leg + girth * 0.6), (x + stride * 0.4 + bend, y, leg * 0.5), (x + stride, y, 0.03)]
        parts.append(tube(path, np.array([1.7, 1.0, 0.8]) * build.thick, coat))
        parts.append(
            capsule(
                (x + stride, y, build.thick * 0.5),
                (x + stride + build.thick * 0.9, y, build.thick * 0.5),
                build.thick * 0.75,
                hoof,
            )
        )
    return parts


def _head(rng: Rng, build: Build, coat: Color) -> list[Mesh]:
    """A head that looks along x, the nape at the origin."""
    h, m = build.head, build.muzzle
    parts = [sphere((h, h * 0.8, h * 0.8), (h * 0.5, 0, 0), coat)]
    parts.append(
        tube(
            [(h * 0.6, 0, -h * 0.1), (h * 1.1 + m * 0.5, 0, -h * 0.25), (h * 1.1 + m, 0, -h * 0.3)],
            np.array([0.68, 0.5, 0.38]) * h,
            coat,
        )
    )
    parts.append(both_sides(sphere(h * 0.1, (h * 1.05, h * 0.5, h * 0.3), (0.05, 0.05, 0.05), 8)))
    parts += _ears(build.ears, h, near(rng, coat))
    crown = build.crown
    horn: Color = (0.85, 0.8, 0.68)
    if crown in ("horns", "goat") and maybe(rng, 0.8):
        curve = (
            [(0.3, 0.4, 0.6), (0.2, 1.1, 0.9), (0.4, 1.3, 1.6)]
            if crown == "horns"
            else [(0.3, 0.3, 0.7), (0.0, 0.5, 1.9), (-1.1, 0.9, 2.2)]
        )
        parts.append(both_sides(tube(np.array(curve) * h, np.array([0.22, 0.16, 0.03]) * h, horn)))
    if crown == "antlers" and maybe(rng, 0.8):
        main = np.array([(0.2, 0.3, 0.7), (-0.3, 1.3, 2.0), (0.3, 2.0, 3.4)]) * h
        tines = [
            tube([main[1] * f, main[1] * f + np.array([1.0, 0.2, 0.9]) * h], (0.1 * h, 0.03 * h), horn)
            for f in (0.8, 1.0, 1.25)
        ]
        parts.append(both_sides(merge([tube(main, np.array([0.16, 0.13, 0.04]) * h, horn), *tines])))
    if crown == "knobs":
        parts.append(
            both_sides(rod((0.3 * h, 0.3 * h, 0.7 * h), (0.2 * h, 0.4 * h, 1.5 * h), 0.1 * h, coat, 0.14 * h))
        )
    if crown == "rhino":
        parts += [
            rod((h + m * 0.8, 0, 0), (h + m * 1.2, 0, h * 1.4), 0.28 * h, horn, 0.03 * h),
            rod((h + m * 0.3, 0, h * 0.2), (h + m * 0.4, 0, h * 0.9), 0.2 * h, horn, 0.03 * h),
        ]
    if crown == "trunk":
        curl = rng.uniform(-0.5, 1.6)
        path = (
            np.array(
                [
                    (1.2, 0, -0.1),
                    (2.0, 0, -0.8),
                    (2.2, 0, -2.0),
                    (2.3 + curl * 0.3, 0, -2.9),
                    (2.6 + curl, 0, -3.1 + curl * 0.5),
                ]
            )
            * h
            * 0.8
        )
        parts.append(tube(path, np.array([0.5, 0.4, 0.3, 0.22, 0.15]) * h, coat))
        parts.append(
            both_sides(
                tube(
                    np.array([(1.1, 0.4, -0.5), (1.9, 0.5, -1.0), (2.5, 0.45, -0.6)]) * h,
                    np.array([0.13, 0.1, 0.02]) * h,
                    (0.95, 0.93, 0.85),
                )
            )
        )
    if crown == "lion" and maybe(rng, 0.75):
        parts.append(sphere((h * 0.7, h * 1.55, h * 1.6), (-h * 0.1, 0, -h * 0.1), (0.4, 0.24, 0.1)))
    return parts


def _ears(style: str, h: float, color: Color) -> list[Mesh]:
    if style == "round":
        return [both_sides(sphere((h * 0.15, h * 0.35, h * 0.35), (h * 0.3, h * 0.6, h * 0.75), color, 10))]
    if style == "huge":
        return [both_sides(rotate(sphere((h * 0.12, h * 1.1, h * 1.25), (0, h * 1.3, -h * 0.2), color), "z", 25))]
    size = {
        "flop": (0.8, 0.35),
        "pointed": (0.75, 0.35),
        "small": (0.6, 0.2),
        "side": (0.8, 0.28),
        "tall": (2.1, 0.32),
    }[style]
    start = np.array([0.25, 0.45, 0.6]) * h
    way = {"flop": (0.1, 0.5, -0.85), "side": (-0.1, 0.95, 0.15), "tall": (-0.25, 0.15, 0.95)}.get(
        style, (-0.1, 0.3, 0.95)
    )
    tip = start + np.array(way) * size[0] * h
    return [
        both_sides(
            tube(
                [start, (start + tip) / 2, tip],
                np.array([0.6, 1.0, 0.15]) * size[1] * h,
                color,
                8,
                section=(1, 0.6),
            )
        )
    ]


def _tail(rng: Rng, style: str, color: Color) -> list[Mesh]:
    """A tail rooted at the origin, behind along -x."""
    lift = rng.uniform(-0.1, 0.3)
    if style in ("stub", "ball"):
        return [sphere(0.09 if style == "ball" else 0.06, (-0.03, 0, 0), color, 8)]
    if style == "twist":
        t = np.linspace(0, 4 * np.pi, 14)
        return [tube(np.column_stack([-0.02 - 0.012 * t, 0.04 * np.cos(t), 0.04 * np.sin(t)]), 0.018, color, 6)]
    if style == "bushy":
        return [
            tube(
                [(0, 0, -0.1), (-0.3, 0, 0.1), (-0.3, 0, 0.6), (-0.5, 0, 0.75)], (0.07, 0.16, 0.18, 0.06), color, 10
            )
        ]
    if style == "brush":
        return [
            tube(
                [(0, 0, 0), (-0.3, 0, -0.1 + lift), (-0.65, 0, lift - 0.15), (-0.8, 0, lift - 0.15)],
                (0.05, 0.11, 0.1, 0.01),
                color,
            )
        ]
    if style == "hair":
        return [
            tube(
                [(0, 0, 0), (-0.12, 0, -0.05), (-0.16, 0, -0.35), (-0.14, 0, -0.6)],
                (0.03, 0.06, 0.07, 0.02),
                near(rng, (0.15, 0.1, 0.08)),
            )
        ]
    if style == "curl":
        return [
            tube(
                [(0, 0, 0), (-0.15, 0, 0.1), (-0.2, 0, 0.15 + lift), (-0.12, 0, 0.3 + lift)],
                (0.05, 0.045, 0.035, 0.01),
                color,
            )
        ]
    drop = lift if style == "long" else -0.45
    reach = 0.7 if style == "long" else 0.15
    parts = [
        tube(
            [(0, 0, 0), (-reach * 0.5, 0, -0.05), (-reach, 0, drop), (-reach * 1.1, 0, drop * 1.3)], 0.025, color, 6
        )
    ]
    return (
        [*parts, sphere(0.06, (-reach * 1.1, 0, drop * 1.35), (0.3, 0.2, 0.1), 8)]
        if style in ("tuft", "thin")
        else parts
    )

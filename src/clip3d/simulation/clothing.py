"""Things to wear and to carry."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import (
    Rng,
    bright,
    count,
    dark,
    fabric,
    maybe,
    metal,
    near,
    pick,
    steel,
    white,
    wood,
)
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, scale, taper, upright
from clip3d.simulation.shapes import (
    Color,
    box,
    cushion,
    cylinder,
    dome,
    extrude,
    lathe,
    loft,
    ribbon,
    rod,
    sphere,
    torus,
    tube,
)


def hat(rng: Rng) -> Drawn:
    """Hats: fedora, top hat, cap, straw, cowboy, beanie, cone, helmet."""
    color, kind = (
        pick(rng, bright(rng), fabric(rng), dark(rng)),
        pick(
            rng, "top hat", "fedora", "baseball cap", "sun hat", "cowboy hat", "woolly hat", "party hat", "helmet"
        ),
    )
    band = near(rng, color, 0.2)
    if kind == "party hat":
        return [
            cylinder(0.09, 0.2, color=color, top=0.003),
            sphere(0.02, (0, 0, 0.2), bright(rng), 8),
            torus(0.09, 0.006, color=band),
        ], [kind, "cone hat"]
    if kind == "woolly hat":
        return [
            dome((0.11, 0.1, 0.17), color=color),
            torus(0.105, 0.022, (0, 0, 0.015), band),
            sphere(0.035, (0, 0, 0.18), bright(rng), 10),
        ], [kind, "beanie"]
    if kind == "helmet":
        return [
            dome((0.14, 0.115, 0.13), color=color),
            cylinder(0.135, 0.012, color=color, sides=20),
            sphere((0.07, 0.09, 0.01), (0.12, 0, 0.012), color),
            box((0.24, 0.02, 0.02), (0, 0, 0.118), color, 0.006),
        ], ["hard hat", kind]
    if kind == "baseball cap":
        t = np.radians(np.linspace(-75, 75, 11))
        brim = np.concatenate(
            [
                np.column_stack([0.08 + 0.11 * np.cos(t), 0.085 * np.sin(t)]),
                [(0.07, 0.08), (0.09, 0.0), (0.07, -0.08)],
            ]
        )
        return [
            dome((0.105, 0.09, 0.11), color=color),
            extrude(brim, 0.006, color=band),
            sphere(0.009, (0, 0, 0.11), band, 6),
        ], [kind, "cap"]
    r, h, brim_r = (
        0.09,
        {"top hat": 0.17, "sun hat": 0.09}.get(kind, 0.12),
        {"top hat": 0.14, "sun hat": 0.23, "cowboy hat": 0.2}.get(kind, 0.16),
    )
    crown = {
        "top hat": [(r, 0), (r * 0.95, h * 0.5), (r * 1.05, h), (0, h)],
        "sun hat": [(r, 0), (r * 0.95, h * 0.5), (r * 0.6, h * 0.9), (0, h)],
    }.get(kind, [(r, 0), (r * 0.85, h * 0.85), (r * 0.5, h), (0, h * 0.88)])
    flat = lathe([(r * 0.9, 0.002), (brim_r, 0.0), (brim_r, 0.006), (r * 0.9, 0.006)], color=color, sides=28)
    if kind in ("cowboy hat", "fedora"):
        curl = (0.09 if kind == "cowboy hat" else 0.03) * (np.abs(flat.vertices[:, 1]) / brim_r) ** 3
        flat = Mesh(flat.vertices + np.outer(curl, [0, 0, 1]), flat.faces, face_colors=flat.face_colors)
    return [
        scale(
            merge([lathe(crown, color=color, sides=24), flat, torus(r, 0.008, (0, 0, 0.018), band)]), (1.12, 1, 1)
        )
    ], [kind]


def shoe(rng: Rng) -> Drawn:
    """Shoes: sneakers, boots, high heels, sandals; single or a pair."""
    color, sole, kind = (
        pick(rng, bright(rng), dark(rng), wood(rng)),
        pick(rng, white(rng), dark(rng)),
        pick(rng, "sneaker", "boot", "high-heeled shoe", "sandal", "rubber boot"),
    )
    s = np.linspace(0, 1, 9)
    half = 0.04 * np.interp(s, [0, 0.12, 0.4, 0.75, 0.95, 1], [0.5, 0.8, 0.75, 1.1, 0.7, 0.3])
    outline = np.concatenate([np.column_stack([0.26 * s, half]), np.column_stack([0.26 * s, -half])[::-1]])
    if kind == "high-heeled shoe":
        path = np.column_stack([0.2 * s, 0 * s, np.interp(s, [0, 0.25, 0.65, 1], [0.09, 0.085, 0.015, 0.01])])
        parts = [
            tube(path, half * 0.85, color, 10, section=(1, 0.3)),
            rod((0.015, 0, 0.085), (0.01, 0, 0), 0.012, color, 0.005),
            dome((0.06, 0.036, 0.03), (0.16, 0, 0.02), color),
            tube(
                [(0.03, 0.025, 0.09), (-0.01, 0, 0.13), (0.03, -0.025, 0.09)], 0.012, color, 6, section=(0.5, 1.6)
            ),
        ]
    elif kind == "sandal":
        strap = [
            tube(
                [(x, 0.038, 0.02), (x + 0.01, 0.02, z), (x + 0.01, -0.02, z), (x, -0.038, 0.02)],
                0.008,
                color,
                6,
                section=(2, 0.5),
            )
            for x, z in ((0.17, 0.06), (0.08, 0.075))
        ]
        parts = [
            extrude(outline, 0.022, color=sole),
            *strap,
            tube([(0.08, 0.03, 0.05), (-0.005, 0, 0.06), (0.08, -0.03, 0.05)], 0.006, color),
        ]
    else:
        tall = {"sneaker": 0.09, "boot": 0.2, "rubber boot": 0.32}[kind] * rng.uniform(0.9, 1.15)
        body = tube(
            np.column_stack([0.01 + 0.235 * s, 0 * s, 0.02 + np.interp(s, [0, 0.5, 1], [0.035, 0.035, 0.022])]),
            half * 0.92,
            color,
            10,
            section=(1, 0.95),
        )
        shaft = tube(
            [(0.06, 0, 0.03), (0.055, 0, tall * 0.55), (0.055, 0, tall)],
            (0.04, 0.038, 0.045),
            color,
            12,
            section=(0.85, 1.15),
        )
        laces = (
            [
                copies(
                    rod((0, -0.016, 0), (0, 0.016, 0), 0.003, white(rng), sides=5),
                    [(0.1 + 0.018 * i, 0, 0.088 - 0.007 * i) for i in range(4)],
                )
            ]
            if kind != "rubber boot"
            else []
        )
        parts = [
            extrude(outline, 0.022, color=sole),
            body,
            shaft,
            cylinder(0.03, 0.003, (0.055, 0, tall), dark(rng)),
            *laces,
            *([box((0.06, 0.06, 0.03), (0.035, 0, -0.012), sole)] if kind == "boot" else []),
        ]
    whole = merge(parts)
    if maybe(rng, 0.3):
        return [both_sides(move(whole, (0, 0.06, 0)))], [f"pair of {kind}s", "shoes", "footwear"]
    return [whole], [kind, "footwear"]


def glasses(rng: Rng) -> Drawn:
    """Spectacles and sunglasses: round or square lenses, temples."""
    frame, sun = pick(rng, dark(rng), bright(rng), metal(rng)), maybe(rng, 0.5)
    r, square = rng.uniform(0.02, 0.027), pick(rng, 1.0, 1.0, 0.5)
    t = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    path = np.column_stack(
        [0 * t, 0.033 + r * 1.1 * np.sign(c) * np.abs(c) ** square, r * np.sign(s) * np.abs(s) ** square]
    )
    lens = rotate(upright(extrude(path[:, 1:], 0.002, color=dark(rng) if sun else (0.85, 0.9, 0.93))), "z", 90)
    temple = tube([(0, 0.033 + r * 1.1, 0.008), (-0.1, 0.066, 0.008), (-0.13, 0.066, -0.02)], 0.0025, frame, 6)
    return [
        both_sides(merge([tube(path, 0.0025, frame, 6, closed=True), lens, temple])),
        tube([(0, 0.011, 0.006), (0.004, 0, 0.01), (0, -0.011, 0.006)], 0.0025, frame),
    ], ["sunglasses" if sun else "eyeglasses", "spectacles"]


def backpack(rng: Rng) -> Drawn:
    """Backpacks: a soft body, a front pocket, a lid, straps, a mat rolled on top."""
    color, w, h = bright(rng), rng.uniform(0.28, 0.36), rng.uniform(0.4, 0.6)
    pocket = near(rng, color, 0.12)
    straps = both_sides(
        tube(
            [(-0.08, 0.08, h * 0.92), (-0.17, 0.09, h * 0.75), (-0.17, 0.11, h * 0.35), (-0.08, 0.12, h * 0.1)],
            0.025,
            dark(rng),
            6,
            section=(1, 0.4),
        )
    )
    parts = [
        cushion((0.2, w, h), color=color, softness=0.35),
        cushion((0.1, w * 0.75, h * 0.42), (0.1, 0, h * 0.07), pocket, 0.35),
        cushion((0.22, w * 0.95, h * 0.16), (0.01, 0, h * 0.87), pocket, 0.5),
        straps,
        tube([(-0.04, 0.04, h), (-0.04, 0, h + 0.06), (-0.04, -0.04, h)], 0.01, dark(rng)),
    ]
    if maybe(rng, 0.35):
        parts.append(rod((0, -w * 0.6, h + 0.09), (0, w * 0.6, h + 0.09), 0.06, bright(rng), sides=12))
    if maybe(rng, 0.5):
        parts.append(both_sides(cushion((0.12, 0.08, h * 0.35), (0, w / 2 + 0.02, h * 0.07), pocket, 0.4)))
    return parts, ["rucksack", "school bag"]


def suitcase(rng: Rng) -> Drawn:
    """Suitcases: trolleys on wheels, old cases with corners, briefcases."""
    color, kind = (
        pick(rng, bright(rng), dark(rng), wood(rng)),
        pick(rng, "trolley case", "trolley case", "old suitcase", "briefcase"),
    )
    if kind == "trolley case":
        h, w, d = rng.uniform(0.5, 0.75), rng.uniform(0.36, 0.5), rng.uniform(0.2, 0.28)
        ribs = copies(
            box((d * 1.03, 0.02, h * 0.85), color=near(rng, color), bevel=0.004),
            [(0, y, h * 0.1) for y in np.linspace(-0.35, 0.35, 6) * w],
        )
        pull = tube(
            [(-d * 0.35, -0.1, h), (-d * 0.35, -0.1, h + 0.3), (-d * 0.35, 0.1, h + 0.3), (-d * 0.35, 0.1, h)],
            0.01,
            steel(rng),
        )
        return [
            box((d, w, h), (0, 0, 0.05), color, 0.03),
            ribs,
            pull,
            copies(
                rotate(cylinder(0.03, 0.025, color=dark(rng), sides=12), "x", 90),
                [(s * d * 0.35, t * w * 0.4, 0.03) for s in (-1, 1) for t in (-1, 1)],
            ),
        ], [kind, "luggage", "travel bag"]
    w, h, d = rng.uniform(0.4, 0.65), rng.uniform(0.28, 0.42), rng.uniform(0.1, 0.18)
    grip = tube([(0, 0.08, h), (0, 0.07, h + 0.05), (0, -0.07, h + 0.05), (0, -0.08, h)], 0.012, dark(rng))
    corners = copies(
        sphere(0.03, color=metal(rng), sides=8),
        [(s * d / 2, t * w / 2, z) for s in (-1, 1) for t in (-1, 1) for z in (0.01, h - 0.01)],
    )
    locks = copies(box((0.01, 0.03, 0.03), color=metal(rng)), [(d / 2, s * w * 0.3, h * 0.7) for s in (-1, 1)])
    return [
        box((d, w, h), color=color, bevel=0.012),
        box((d * 0.1, w * 1.01, h * 1.01), color=dark(rng)),
        grip,
        locks,
        *([corners] if kind == "old suitcase" else []),
    ], [kind, "luggage"]


def handbag(rng: Rng) -> Drawn:
    """Handbags, shopping bags, purses."""
    color, kind = (
        pick(rng, bright(rng), wood(rng), dark(rng)),
        pick(rng, "handbag", "shopping bag", "tote bag", "purse"),
    )
    w, h, d = rng.uniform(0.22, 0.36), rng.uniform(0.18, 0.32), rng.uniform(0.07, 0.14)
    t = np.radians(np.linspace(0, 180, 13))
    loop = tube(
        np.column_stack([0 * t, w * 0.28 * np.cos(t), h + rng.uniform(0.08, 0.2) * np.sin(t)]),
        0.007,
        near(rng, color, 0.15),
    )
    if kind in ("shopping bag", "tote bag"):
        corners = np.array([(d / 2, w / 2), (-d / 2, w / 2), (-d / 2, -w / 2), (d / 2, -w / 2)])
        rings = [
            np.column_stack([corners * f, np.full(4, z)])
            for f, z in ((0.9, 0.0), (1.0, h), (0.98, h), (0.88, 0.01))
        ]
        return [loft(np.stack(rings), color), copies(loop, [(s * d / 2, 0, 0) for s in (-1, 1)])], [kind, "bag"]
    body = taper(cushion((d, w, h), color=color, softness=0.3), rng.uniform(0.6, 1.0))
    flap = box((0.012, w * 0.7, h * 0.45), (d * 0.42, 0, h * 0.5), near(rng, color, 0.12), 0.004)
    return [body, flap, box((0.012, 0.03, 0.03), (d * 0.47, 0, h * 0.5), metal(rng)), loop], [
        "leather handbag" if kind == "handbag" else kind,
        "bag",
    ]


def shirt(rng: Rng) -> Drawn:
    """T-shirts, dresses, trousers, as if laid out and filled."""
    color, kind = bright(rng), pick(rng, "t-shirt", "long-sleeved shirt", "dress", "trousers", "shorts")
    if kind in ("trousers", "shorts"):
        long = 0.85 if kind == "trousers" else 0.3
        half = [(0.17, 1.0), (0.18, 0.75), (0.17, 0.72 - long), (0.05, 0.72 - long), (0.0, 0.72)]
        return [upright_shirt(half, color), box((0.07, 0.35, 0.03), (0, 0, 0.97), dark(rng))], [
            kind,
            "pants",
            "clothing",
        ]
    arm = 0.2 if kind != "long-sleeved shirt" else 0.5
    hem = [(0.2, 0.0)] if kind != "dress" else [(0.18, 0.15), (0.34, -0.4)]
    half = [
        (0.07, 0.62),
        (0.2, 0.58),
        (0.2 + arm * 0.8, 0.58 - arm * 0.75),
        (0.2 + arm * 0.8 - 0.1, 0.5 - arm * 0.8),
        (0.19, 0.4),
        *hem,
        (0.0, hem[-1][1]),
    ]
    return [upright_shirt([*half, (0.0, 0.56)], color)], [kind, "shirt" if kind != "dress" else "gown", "clothing"]


def upright_shirt(half: list[tuple[float, float]], color: Color) -> Mesh:
    """A garment that stands in the plane x = 0, from the outline of its left half in y and z."""
    plate = rotate(upright(extrude(half, 0.06, color=color)), "z", 90)
    return both_sides(plate)


def crown(rng: Rng) -> Drawn:
    """Crowns: spikes with balls or jewels on a ring, perhaps with arches."""
    gold, n = near(rng, (0.88, 0.7, 0.22)), count(rng, 5, 10)
    r, h = 0.09, rng.uniform(0.04, 0.09)
    a = np.linspace(0, 2 * np.pi, 4 * n, endpoint=False)
    top = 0.04 + h * np.tile([0, 0.5, 1, 0.5], n)
    flare = 1 + 0.15 * (top - 0.04) / h
    low, high = (
        np.column_stack([r * np.cos(a), r * np.sin(a), 0 * a]),
        np.column_stack([flare * r * np.cos(a), flare * r * np.sin(a), top]),
    )
    band = loft(
        np.stack([low, high, high * np.array([0.96, 0.96, 1]), low * np.array([0.95, 0.95, 1])]), gold, closed=True
    )
    jewels = ring(sphere(0.009, (r * 1.15, 0, 0.045 + h), bright(rng), 8), n, start=180 / n)
    stones = ring(sphere(0.008, (r * 1.02, 0, 0.02), bright(rng), 8), n)
    arches = (
        [
            tube([(r, 0, 0.04), (r * 0.9, 0, 0.12), (0, 0, 0.14), (-r * 0.9, 0, 0.12), (-r, 0, 0.04)], 0.007, gold),
            sphere(0.016, (0, 0, 0.155), gold, 8),
        ]
        if maybe(rng, 0.35)
        else []
    )
    if arches:
        arches.append(rotate(arches[0], "z", 90))
    return [band, jewels, stones, *arches], ["royal crown", "golden crown"]


def ring_jewel(rng: Rng, kind: str = "ring") -> Drawn:
    """Rings with a stone, bracelets of beads."""
    gold = pick(rng, near(rng, (0.88, 0.7, 0.22)), steel(rng))
    if kind == "bracelet":
        return [ring(sphere(0.007, (0.035, 0, 0), bright(rng), 8), 16), torus(0.035, 0.0015, color=gold)], [
            "bracelet",
            "bead bracelet",
        ]
    gem = lathe(
        [(0, 0), (0.005, 0.005), (0.005, 0.006), (0.003, 0.008)],
        (0, 0, 0.0115),
        near(rng, pick(rng, (0.8, 0.9, 0.95), bright(rng))),
        8,
    )
    return [
        rotate(torus(0.01, 0.0015, color=gold, sides=26), "x", 90),
        gem,
        ring(rod((0.003, 0, 0.011), (0.0045, 0, 0.017), 0.0006, gold), 4),
    ], ["diamond ring", "finger ring", "jewellery"]


def watch(rng: Rng) -> Drawn:
    """Wrist watches: a dial on a closed or open strap."""
    strap, frame = pick(rng, dark(rng), wood(rng), steel(rng)), metal(rng)
    t = np.radians(np.linspace(20, 340, 21))
    if maybe(rng):
        band = scale(
            ribbon(np.column_stack([0.03 * np.sin(t), 0 * t, 0.03 * np.cos(t)]), 0.02, strap), (1.1, 1, 0.9)
        )
    else:
        band = box((0.2, 0.02, 0.003), (0, 0, 0.02), strap)
    top = 0.026
    face = [
        cylinder(0.018, 0.007, (0, 0, top - 0.003), frame, sides=22),
        cylinder(0.0155, 0.001, (0, 0, top + 0.004), white(rng), sides=22),
        box((0.011, 0.001, 0.001), (0.004, 0, top + 0.005), dark(rng)),
        box((0.001, 0.009, 0.001), (0, 0.004, top + 0.005), dark(rng)),
        rod((0, 0.018, top), (0, 0.022, top), 0.002, frame),
    ]
    return [band, *face], ["wristwatch"]

"""Electronics: input devices, phones, cameras, sound."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, taper
from clip3d.simulation.screens import casing_color
from clip3d.simulation.shapes import box, capsule, cushion, cylinder, dome, lathe, rod, sphere, torus, tube


def keyboard(rng: Rng) -> Drawn:
    """Keyboards with rows of keys, perhaps a number block or a bent middle."""
    rows, columns = 5, count(rng, 12, 20)
    casing, key = casing_color(rng), near(rng, pick(rng, (0.9, 0.9, 0.88), (0.15, 0.15, 0.16)))
    spots = [
        (-r * 0.02 + 0.04, (c - columns / 2) * 0.02 + 0.01, 0.018 + 0.003 * r)
        for r in range(rows)
        for c in range(columns)
        if not (r == 0 and 3 < c < 9)
    ]
    caps = copies(box((0.016, 0.016, 0.008), color=key), spots)
    space = box((0.016, 0.1, 0.008), (0.04, (6.5 - columns / 2) * 0.02, 0.018), key)
    return [rotate(box((0.13, columns * 0.02 + 0.03, 0.018), color=casing, bevel=0.004), "y", 4), caps, space], [
        "computer keyboard"
    ]


def mouse(rng: Rng) -> Drawn:
    """Computer mice with a wheel, two buttons, perhaps a cord."""
    color = casing_color(rng)
    long, wide, high = rng.uniform(0.09, 0.125), rng.uniform(0.055, 0.07), rng.uniform(0.03, 0.045)
    parts = [
        dome((long / 2, wide / 2, high), color=color),
        box((0.045, 0.002, 0.006), (long * 0.26, 0, high * 0.75), dark(rng)),
    ]
    parts.append(rotate(cylinder(0.009, 0.008, (0, 0, -0.004), dark(rng), sides=10), "x", 90))
    parts[-1] = move(parts[-1], (long * 0.27, 0, high * 0.78))
    if maybe(rng, 0.7):
        t = np.linspace(0, 1, 10)
        parts.append(
            tube(np.column_stack([long / 2 + 0.12 * t, 0.03 * np.sin(5 * t), 0.006 + 0 * t]), 0.003, dark(rng), 5)
        )
    return parts, ["mouse with a cord" if len(parts) > 3 else "wireless mouse"]


def computer_tower(rng: Rng) -> Drawn:
    """Desktop towers: drives, buttons, vents, feet; upright or lying under a monitor."""
    casing, deep, wide, high = (
        casing_color(rng),
        rng.uniform(0.38, 0.5),
        rng.uniform(0.15, 0.22),
        rng.uniform(0.35, 0.5),
    )
    x, trim = deep / 2, near(rng, (0.3, 0.3, 0.32))
    parts = [
        box((deep, wide, high), (0, 0, 0.015), casing, 0.006),
        box((0.02, wide * 0.96, high * 0.96), (x, 0, 0.02), trim, 0.006),
    ]
    parts.append(
        copies(
            box((0.015, wide * 0.75, 0.04), color=casing),
            [(x + 0.01, 0, high * v) for v in np.linspace(0.9, 0.9 - 0.13 * count(rng, 1, 3), count(rng, 1, 4))],
        )
    )
    parts.append(rotate(cylinder(0.012, 0.012, color=steel(rng)), "y", 90))
    parts[-1] = move(parts[-1], (x + 0.01, 0, high * 0.4))
    parts.append(
        copies(
            box((0.01, wide * 0.6, 0.006), color=dark(rng)), [(x + 0.008, 0, 0.05 + 0.015 * i) for i in range(6)]
        )
    )
    parts.append(
        copies(
            box((0.05, 0.03, 0.016), color=dark(rng)),
            [(s * x * 0.8, t * wide * 0.4, 0) for s in (-1, 1) for t in (-1, 1)],
        )
    )
    return parts, ["computer tower", "desktop computer"]


def printer(rng: Rng) -> Drawn:
    """Printers with a paper tray in front and paper standing behind."""
    casing, w, d, h = casing_color(rng), rng.uniform(0.38, 0.5), rng.uniform(0.3, 0.45), rng.uniform(0.15, 0.32)
    body = box((d, w, h), color=casing, bevel=0.02)
    slot = box((0.02, w * 0.7, 0.05), (d / 2, 0, h * 0.4), dark(rng))
    tray = rotate(box((0.2, w * 0.6, 0.012), (0.1, 0, 0), near(rng, casing)), "y", 5)
    paper = box((0.22, w * 0.52, 0.01), (d / 2 + 0.08, 0, h * 0.36 + 0.01), (0.95, 0.95, 0.95))
    feed = rotate(box((0.015, w * 0.55, 0.22), color=(0.95, 0.95, 0.95)), "y", -20)
    keys = box((0.06, 0.12, 0.01), (d * 0.3, w * 0.25, h), dark(rng))
    parts = [body, slot, move(tray, (d / 2, 0, h * 0.36)), paper, keys]
    return parts + ([move(feed, (-d * 0.35, 0, h - 0.03))] if maybe(rng, 0.7) else []), ["office printer"]


def phone(rng: Rng) -> Drawn:
    """Smartphones, old button phones, desk phones with a handset, dial phones."""
    kind, color = pick(rng, "smart", "button", "desk", "dial"), pick(rng, dark(rng), bright(rng), casing_color(rng))
    if kind == "smart":
        slab = box((0.008, 0.072, 0.15), color=color, bevel=0.003)
        glass = box((0.002, 0.066, 0.14), (0.004, 0, 0.005), near(rng, (0.2, 0.25, 0.35)))
        lens = copies(
            rotate(cylinder(0.007, 0.003, color=dark(rng)), "y", -90), [(-0.004, 0.02, 0.13), (-0.004, 0.02, 0.11)]
        )
        return [slab, glass, lens], ["smartphone", "mobile phone"]
    if kind == "button":
        keys = copies(
            box((0.004, 0.009, 0.006), color=white(rng)),
            [(0.009, y, z) for y in (-0.014, 0, 0.014) for z in (0.015, 0.027, 0.039, 0.051)],
        )
        aerial = rod((0, 0.015, 0.11), (0, 0.015, 0.15), 0.004, color)
        return [
            box((0.018, 0.048, 0.115), color=color, bevel=0.005),
            keys,
            box((0.003, 0.038, 0.035), (0.009, 0, 0.07), near(rng, (0.5, 0.6, 0.5))),
            aerial,
        ], ["old mobile phone", "feature phone"]
    bar = tube([(0, -0.1, 0.1), (0, -0.07, 0.115), (0, 0.07, 0.115), (0, 0.1, 0.1)], 0.014, color)
    ends = copies(cylinder(0.03, 0.03, color=color), [(0, s * 0.09, 0.075) for s in (-1, 1)])
    base = taper(box((0.2, 0.2, 0.075), color=color, bevel=0.01), 0.75)
    if kind == "dial":
        dial = rotate(
            merge(
                [
                    cylinder(0.045, 0.01, color=white(rng)),
                    ring(cylinder(0.007, 0.004, (0.033, 0, 0.01), dark(rng), sides=8), 10),
                ]
            ),
            "y",
            40,
        )
        return [base, bar, ends, move(dial, (0.07, 0, 0.045))], ["old dial telephone", "telephone"]
    keys = copies(
        box((0.015, 0.018, 0.008), color=white(rng)),
        [(0.05 + 0.02 * i, y, 0.05) for i in range(3) for y in (-0.03, 0, 0.03)],
    )
    low = rotate(box((0.2, 0.2, 0.05), color=color, bevel=0.008), "y", 8)
    return [low, keys, *(move(m, (-0.05, 0, -0.02)) for m in (bar, ends))], ["desk telephone", "telephone"]


def camera(rng: Rng) -> Drawn:
    """Cameras: lens in front, finder hump, shutter button, perhaps a tripod or a flash."""
    color, w, h = dark(rng), rng.uniform(0.12, 0.15), rng.uniform(0.075, 0.1)
    r = rng.uniform(0.025, 0.04)
    long = rng.uniform(0.03, 0.14)
    lens = rotate(
        lathe(
            [
                (r, 0),
                (r, long * 0.7),
                (r * 1.15, long * 0.75),
                (r * 1.15, long),
                (r * 0.8, long),
                (r * 0.7, long * 0.9),
            ],
            color=near(rng, color),
        ),
        "y",
        90,
    )
    parts = [
        box((0.06, w, h), color=near(rng, color) if maybe(rng, 0.7) else steel(rng), bevel=0.006),
        move(lens, (0.03, 0, h / 2)),
    ]
    parts.append(taper(box((0.05, 0.05, 0.03), (0, 0, h), color), 0.6))
    parts += [
        cylinder(0.012, 0.008, (0.01, w * 0.35, h), steel(rng)),
        cylinder(0.015, 0.012, (0, -w * 0.35, h), color),
    ]
    if maybe(rng, 0.25):
        leg = rod((0, 0, 0.02), (0.22, 0, -0.5), 0.012, dark(rng))
        return [*parts, ring(leg, 3)], ["camera on a tripod"]
    return parts, ["photo camera"]


def headphones(rng: Rng) -> Drawn:
    """Headphones: a band over two padded shells."""
    color, r = pick(rng, dark(rng), bright(rng), white(rng)), rng.uniform(0.075, 0.09)
    t = np.radians(np.linspace(-15, 195, 19))
    band = tube(
        np.column_stack([0 * t, r * np.cos(t), r * 1.1 * np.sin(t) + 0.1]),
        rng.uniform(0.005, 0.012),
        color,
        section=(1.8, 0.6),
    )
    size = rng.uniform(0.028, 0.045)
    cup = rotate(
        lathe([(size * 0.7, 0), (size, 0.008), (size, 0.025), (size * 0.8, 0.03)], color=near(rng, color)), "x", -90
    )
    pad = rotate(torus(size * 0.75, 0.012, color=dark(rng)), "x", 90)
    side = move(merge([cup, pad]), (0, r * 0.93, 0.07))
    return [band, both_sides(side)], ["pair of headphones"]


def loudspeaker(rng: Rng) -> Drawn:
    """Loudspeakers: a box with two or three round cones, low or tall, perhaps on spikes."""
    w, deep = rng.uniform(0.16, 0.3), rng.uniform(0.18, 0.32)
    n = count(rng, 2, 4)
    h = w * rng.uniform(0.75, 1.0) * n
    color, x = pick(rng, wood(rng), dark(rng)), deep / 2
    parts = [box((deep, w, h), (0, 0, 0.02), color, 0.004)]
    for i in range(n):
        r = w * (0.38 if i < n - 1 else 0.2)
        cone = rotate(
            lathe(
                [(r, 0), (r, 0.012), (r * 0.85, 0.012), (r * 0.3, -0.02), (r * 0.25, 0.0), (0, 0.005)],
                color=dark(rng),
            ),
            "y",
            90,
        )
        parts.append(move(cone, (x, 0, h * (i + 0.5) / n + 0.02)))
    feet = copies(
        cylinder(0.012, 0.02, color=dark(rng), sides=8),
        [(s * x * 0.8, t * w * 0.4, 0) for s in (-1, 1) for t in (-1, 1)],
    )
    return [*parts, feet], ["speaker", "tall speaker" if h > 0.7 else "speaker box"]


def microphone(rng: Rng) -> Drawn:
    """Microphones: in the hand, on a stand, or on a table foot."""
    color = dark(rng)
    mic = merge(
        [
            cylinder(0.013, 0.15, color=color, top=0.02),
            sphere((0.028, 0.028, 0.032), (0, 0, 0.17), steel(rng)),
            torus(0.027, 0.003, (0, 0, 0.165), color),
        ]
    )
    kind = pick(rng, "hand", "stand", "table")
    if kind == "hand":
        return [rotate(mic, "y", rng.uniform(-30, 90))], ["handheld microphone"]
    high = rng.uniform(1.1, 1.5) if kind == "stand" else rng.uniform(0.12, 0.25)
    foot = (
        cylinder(0.13, 0.02, color=color, sides=24)
        if maybe(rng) or kind == "table"
        else ring(rod((0, 0, 0.2), (0.3, 0, 0.01), 0.012, color), 3)
    )
    return [foot, cylinder(0.01, high, color=steel(rng)), move(rotate(mic, "y", 40), (0, 0, high))], [
        "microphone on a stand"
    ]


def radio(rng: Rng) -> Drawn:
    """Radios: a case with a grille, dial, knobs, an aerial and a handle."""
    w, h, d = rng.uniform(0.22, 0.4), rng.uniform(0.13, 0.24), rng.uniform(0.07, 0.13)
    color, x = pick(rng, wood(rng), bright(rng), dark(rng)), d / 2
    grille = rotate(cylinder(h * 0.36, 0.012, color=dark(rng), sides=20), "y", 90)
    parts = [box((d, w, h), color=color, bevel=0.012), move(grille, (x, -w * 0.22, h * 0.48))]
    parts.append(box((0.01, w * 0.38, h * 0.25), (x, w * 0.22, h * 0.55), near(rng, (0.85, 0.8, 0.6))))
    parts.append(
        copies(
            rotate(cylinder(h * 0.1, 0.02, color=steel(rng)), "y", 90), [(x, w * v, h * 0.25) for v in (0.12, 0.32)]
        )
    )
    if maybe(rng, 0.75):
        parts.append(
            rod((0, w * 0.42, h), (0, w * rng.uniform(0.45, 0.9), h + rng.uniform(0.2, 0.4)), 0.004, steel(rng))
        )
    if maybe(rng, 0.6):
        parts.append(
            tube(
                [(0, -w * 0.4, h), (0, -w * 0.38, h + 0.05), (0, w * 0.38, h + 0.05), (0, w * 0.4, h)],
                0.009,
                dark(rng),
            )
        )
    return parts, ["portable radio"]


def game_controller(rng: Rng) -> Drawn:
    """Game pads: two grips, sticks, a cross and buttons."""
    color = pick(rng, dark(rng), white(rng), bright(rng))
    grip = capsule((0.02, 0.045, 0.02), (0.06, 0.062, 0.012), 0.022, color, 0.016)
    stick = merge(
        [
            cylinder(0.006, 0.014, (0.03, 0.03, 0.03), dark(rng)),
            cylinder(0.01, 0.005, (0.03, 0.03, 0.044), dark(rng)),
        ]
    )
    buttons = ring(cylinder(0.006, 0.006, (0.012, 0, 0), bright(rng), sides=8), 4)
    cross = merge([box((0.03, 0.01, 0.006), color=dark(rng)), box((0.01, 0.03, 0.006), color=dark(rng))])
    body = cushion((0.06, 0.12, 0.04), (0.01, 0, 0), color, 0.5)
    return [
        body,
        both_sides(grip),
        both_sides(stick),
        move(buttons, (0, -0.045, 0.033)),
        move(cross, (0, 0.045, 0.033)),
    ], ["gamepad", "game controller"]

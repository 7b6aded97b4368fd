"""Electronic things of every day: tablets, remotes, projectors, consoles, routers, sockets, batteries and more."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate
from clip3d.simulation.shapes import (
    Color,
    box,
    capsule,
    cushion,
    cylinder,
    dome,
    lathe,
    rod,
    sphere,
    torus,
    tube,
)


def _case(rng: Rng) -> Color:
    return pick(rng, dark(rng), dark(rng), white(rng), steel(rng), bright(rng))


def tablet(rng: Rng) -> Drawn:
    """Tablet computers: flat, or leaning on a stand or a cover."""
    w, h, color = rng.uniform(0.16, 0.22), rng.uniform(0.23, 0.3), _case(rng)
    plate = merge(
        [
            box((h, w, 0.008), color=color, bevel=0.003),
            box((h * 0.88, w * 0.88, 0.002), (0, 0, 0.007), near(rng, (0.2, 0.35, 0.6), 0.15)),
        ]
    )
    if maybe(rng, 0.4):
        return [plate, cylinder(0.006, 0.002, (h * 0.46, 0, 0.008), steel(rng))], ["tablet", "tablet computer"]
    raised = move(rotate(plate, "y", rng.uniform(50, 75)), (0, 0, 0.12))
    back = rotate(box((0.16, w * 0.5, 0.006), color=near(rng, color)), "y", -60)
    return [raised, move(back, (-0.06, 0, 0.06)), box((0.2, w, 0.006), (0.02, 0, 0), near(rng, color))], [
        "tablet on a stand",
        "tablet computer",
    ]


def remote(rng: Rng) -> Drawn:
    """Remote controls: a long case with rows of buttons."""
    w, long, color = (
        rng.uniform(0.035, 0.055),
        rng.uniform(0.14, 0.22),
        dark(rng) if maybe(rng, 0.7) else white(rng),
    )
    rows, columns = count(rng, 4, 9), count(rng, 2, 4)
    x, y = np.meshgrid(np.linspace(-0.42, 0.25, rows) * long, np.linspace(-0.32, 0.32, columns) * w)
    knob = cylinder(w * 0.09, 0.004, color=bright(rng) if maybe(rng) else near(rng, (0.7, 0.7, 0.7)), sides=8)
    parts = [
        box((long, w, 0.02), color=color, bevel=rng.uniform(0.003, 0.009)),
        copies(knob, np.column_stack([x.ravel(), y.ravel(), np.full(x.size, 0.02)])),
    ]
    return [*parts, torus(w * 0.28, 0.003, (long * 0.37, 0, 0.021), steel(rng), 14)], [
        "tv remote control",
        "remote",
    ]


def projector(rng: Rng) -> Drawn:
    """Projectors: a flat case with a lens in front; old film and slide projectors."""
    color, w, d, h = _case(rng), rng.uniform(0.26, 0.4), rng.uniform(0.2, 0.3), rng.uniform(0.08, 0.13)
    lens = rotate(
        lathe([(0, 0), (0.032, 0), (0.04, 0.05), (0.034, 0.05), (0.03, 0.03), (0, 0.03)], color=dark(rng)), "y", 90
    )
    if maybe(rng, 0.25):
        reel = rotate(
            merge(
                [
                    torus(0.12, 0.01, color=metal(rng), sides=24),
                    ring(box((0.11, 0.02, 0.01), (0.055, 0, 0), metal(rng)), 4),
                ]
            ),
            "x",
            90,
        )
        body = box((d, 0.1, 0.25), (0, 0, 0.02), color, 0.01)
        return [
            body,
            move(lens, (d / 2, 0, 0.15)),
            move(reel, (0.12, 0, 0.4)),
            move(reel, (-0.12, 0, 0.36)),
            box((0.06, 0.02, 0.2), (0.1, 0, 0.22), color),
        ], ["film projector", "movie projector"]
    slots = copies(box((d * 0.5, 0.004, 0.004), color=dark(rng)), [(0, y, h) for y in np.linspace(0.2, 0.4, 5) * w])
    return [
        box((d, w, h), (0, 0, 0.01), color, 0.012),
        move(lens, (d / 2 - 0.01, -w * 0.2, h * 0.55)),
        slots,
        *four_legs(rng, d * 0.8, w * 0.8, 0.015, dark(rng), 0.02, "round"),
    ], ["video projector", "beamer"]


def game_console(rng: Rng) -> Drawn:
    """Game consoles: a flat or standing box with a slot, or one held in the hands."""
    color = _case(rng)
    if maybe(rng, 0.4):
        w, h = rng.uniform(0.13, 0.24), rng.uniform(0.08, 0.1)
        parts = [
            box((h, w, 0.018), color=color, bevel=0.006),
            box((h * 0.75, w * 0.58, 0.003), (0, 0, 0.017), dark(rng)),
        ]
        cross = merge([box((0.022, 0.008, 0.005)), box((0.008, 0.022, 0.005))])
        pad = copies(
            cylinder(0.005, 0.005, color=bright(rng), sides=8),
            [(x, y + w * 0.4, 0.018) for x, y in ((0.012, 0), (-0.012, 0), (0, 0.01), (0, -0.01))],
        )
        return [*parts, move(cross, (0.01, -w * 0.4, 0.018)), pad], ["handheld game console", "game console"]
    d, w, h = rng.uniform(0.22, 0.3), rng.uniform(0.25, 0.34), rng.uniform(0.05, 0.09)
    body = merge(
        [
            box((d, w, h), color=color, bevel=0.006),
            box((0.004, w * 0.4, 0.008), (d / 2, -w * 0.1, h * 0.6), dark(rng)),
            box((d, w * 1.0, 0.008), (0, 0, h * 0.45), dark(rng)),
        ]
    )
    pad = merge(
        [
            cushion((0.08, 0.13, 0.035), color=color, softness=0.5),
            both_sides(capsule((0, 0.05, 0.02), (0.06, 0.062, 0.012), 0.02, color, 0.014)),
        ]
    )
    if maybe(rng, 0.4):
        body = rotate(body, "x", 90)
    return [body, *([move(pad, (d * 0.9, 0, 0))] if maybe(rng) else [])], ["video game console", "game console"]


def router(rng: Rng) -> Drawn:
    """Routers: a flat box with one to six aerials."""
    color, n, w = _case(rng), count(rng, 1, 6), rng.uniform(0.16, 0.28)
    parts = [
        box((w * 0.65, w, 0.03), color=color, bevel=0.006),
        copies(
            sphere(0.003, color=(0.2, 0.9, 0.3), sides=6),
            [(w * 0.3, y, 0.03) for y in np.linspace(-0.3, 0.3, 5) * w],
        ),
    ]
    mast = rod((0, 0, 0), (0, 0, rng.uniform(0.12, 0.2)), 0.006, color)
    for y in np.linspace(-0.42, 0.42, n) * w if n > 1 else [0.0]:
        parts.append(move(rotate(mast, "x", -y / w * rng.uniform(0, 60)), (-w * 0.3, float(y), 0.02)))
    return parts, ["wifi router", "wireless router", "modem"]


def server_rack(rng: Rng) -> Drawn:
    """Server racks: a tall frame full of flat boxes with lights."""
    w, d, h, n = 0.6, rng.uniform(0.7, 1.0), rng.uniform(1.2, 2.1), count(rng, 6, 16)
    frame, color = dark(rng), pick(rng, dark(rng), steel(rng))
    parts = [
        copies(box((0.05, 0.05, h), color=frame), [(s * d / 2, t * w / 2, 0) for s in (-1, 1) for t in (-1, 1)])
    ]
    parts += [copies(box((d + 0.05, w + 0.05, 0.05), color=frame), [(0, 0, 0), (0, 0, h)])]
    unit = merge(
        [
            box((d * 0.9, w * 0.88, h / n * 0.8), color=color),
            *(box((0.01, 0.02, 0.012), (d * 0.45, w * v, h / n * 0.3), bright(rng)) for v in (-0.38, -0.32, 0.3)),
        ]
    )
    parts.append(
        copies(unit, [(0, 0, 0.07 + i * (h - 0.08) / n) for i in range(n) if maybe(rng, 0.9)] or [(0, 0, 0.1)])
    )
    if maybe(rng):
        parts.append(both_sides(box((d, 0.01, h), (0, w / 2 + 0.02, 0), frame)))
    return parts, ["server rack", "computer server", "server"]


def calculator(rng: Rng) -> Drawn:
    """Pocket calculators: a display over a field of keys."""
    w, h, color = rng.uniform(0.07, 0.1), rng.uniform(0.12, 0.17), _case(rng)
    rows, columns = count(rng, 4, 6), count(rng, 4, 5)
    x, y = np.meshgrid(np.linspace(0.42, -0.1, rows) * h, np.linspace(-0.38, 0.38, columns) * w)
    key = box((h * 0.07, w * 0.13, 0.005), color=near(rng, (0.75, 0.75, 0.75), 0.2), bevel=0.001)
    screen = box((h * 0.2, w * 0.85, 0.004), (-h * 0.33, 0, 0.011), near(rng, (0.6, 0.7, 0.55)))
    return [
        box((h, w, 0.012), color=color, bevel=0.003),
        screen,
        copies(key, np.column_stack([x.ravel(), y.ravel(), np.full(x.size, 0.011)])),
    ], ["pocket calculator"]


def battery(rng: Rng) -> Drawn:
    """Batteries: round cells, a block with two studs, a car battery."""
    kind, color, cap = pick(rng, "cell", "cell", "block", "car"), dark(rng), steel(rng)
    if kind == "cell":
        r, h = rng.uniform(0.006, 0.017), rng.uniform(0.045, 0.06)
        one = merge(
            [
                cylinder(r, h * 0.7, color=color, sides=18),
                cylinder(r, h * 0.3, (0, 0, h * 0.7), near(rng, (0.8, 0.55, 0.2))),
                cylinder(r * 0.35, h * 0.05, (0, 0, h), cap),
            ]
        )
        n = pick(rng, 1, 1, 2, 4)
        return [copies(one, [(0, i * 2.1 * r, 0) for i in range(n)])], ["battery cell", "aa battery"]
    if kind == "block":
        studs = copies(
            lathe([(0.003, 0), (0.003, 0.002), (0.004, 0.003)], color=cap), [(0, s * 0.006, 0.046) for s in (-1, 1)]
        )
        return [box((0.017, 0.026, 0.046), color=color, bevel=0.001), studs], ["nine volt battery", "block battery"]
    poles = copies(cylinder(0.012, 0.02, color=cap), [(0.04, s * 0.09, 0.2) for s in (-1, 1)])
    return [
        box((0.17, 0.26, 0.17), color=color, bevel=0.004),
        box((0.17, 0.26, 0.03), (0, 0, 0.17), near(rng, (0.5, 0.1, 0.1), 0.1)),
        poles,
    ], ["car battery"]


def surveillance_camera(rng: Rng) -> Drawn:
    """Surveillance cameras: a case on a wall arm, or a dome."""
    color = white(rng) if maybe(rng, 0.7) else dark(rng)
    if maybe(rng, 0.35):
        return [
            cylinder(0.07, 0.03, (0, 0, 0.05), color, sides=24),
            move(rotate(dome(0.055, color=dark(rng)), "x", 180), (0, 0, 0.055)),
        ], ["dome camera", "security camera"]
    body = [
        box((0.2, 0.08, 0.075), color=color, bevel=0.008),
        box((0.24, 0.09, 0.008), (0.015, 0, 0.075), color),
        rotate(cylinder(0.028, 0.03, color=dark(rng)), "y", 90),
    ]
    body[2] = move(body[2], (0.09, 0, 0.037))
    tilted = [move(rotate(m, "y", rng.uniform(5, 30)), (0.1, 0, 0.1)) for m in body]
    arm = tube([(-0.08, 0, 0), (0.0, 0, 0.0), (0.06, 0, 0.09)], 0.012, color)
    plate = rotate(cylinder(0.045, 0.015, color=color), "y", 90)
    return [*tilted, arm, move(plate, (-0.09, 0, 0))], ["security camera", "cctv camera"]


def satellite_dish(rng: Rng) -> Drawn:
    """Dish aerials: a bowl that looks up on a mast or a wall arm, with a receiver before it."""
    r, color, tilt = rng.uniform(0.3, 0.6), pick(rng, white(rng), steel(rng)), rng.uniform(30, 70)
    t = np.linspace(0, 1, 7)
    bowl = lathe(
        [*zip(r * t, r * 0.3 * t**2, strict=True), *zip(r * t[::-1], r * 0.3 * t[::-1] ** 2 + 0.012, strict=True)],
        color=color,
        sides=28,
    )
    feed = [
        rod((r * 0.95, 0, r * 0.27), (r * 0.1, 0, r * 0.75), 0.012, dark(rng)),
        capsule((0.02, 0, r * 0.7), (-0.02, 0, r * 0.62), 0.035, dark(rng)),
    ]
    head = rotate(merge([bowl, *feed]), "y", tilt)
    high = rng.uniform(0.4, 1.4)
    foot = (
        ring(rod((0, 0, high * 0.4), (0.35, 0, 0), 0.018, steel(rng)), 3)
        if maybe(rng)
        else box((0.3, 0.3, 0.03), color=steel(rng))
    )
    return [move(head, (0.08, 0, high + r * 0.2)), cylinder(0.03, high + r * 0.25, color=steel(rng)), foot], [
        "dish antenna",
        "satellite antenna",
    ]


def solar_panel(rng: Rng) -> Drawn:
    """Solar panels: one or a row of dark plates with bright lines, leaning on a frame."""
    w, h, n = rng.uniform(0.9, 1.1), rng.uniform(1.4, 1.8), count(rng, 1, 3)
    plate = [
        box((h, w, 0.03), color=steel(rng)),
        box((h * 0.96, w * 0.95, 0.006), (0, 0, 0.028), near(rng, (0.08, 0.12, 0.32), 0.03)),
    ]
    plate += [
        copies(
            box((h * 0.96, 0.008, 0.004), color=(0.75, 0.78, 0.8)),
            [(0, v * w, 0.034) for v in np.linspace(-0.4, 0.4, 5)],
        )
    ]
    plate += [
        copies(
            box((0.008, w * 0.95, 0.004), color=(0.75, 0.78, 0.8)),
            [(v * h, 0, 0.034) for v in np.linspace(-0.4, 0.4, 7)],
        )
    ]
    tilt = rng.uniform(20, 50)
    row = rotate(copies(merge(plate), [(0, (i - (n - 1) / 2) * w * 1.02, 0) for i in range(n)]), "y", tilt)
    rise = float(np.sin(np.radians(tilt))) * h / 2
    x = float(np.cos(np.radians(tilt))) * h / 2
    if maybe(rng, 0.3) and n == 1:
        return [
            move(row, (0, 0, 1.6)),
            cylinder(0.06, 1.65, color=steel(rng)),
            cylinder(0.2, 0.03, color=steel(rng)),
        ], ["solar panel on a pole", "photovoltaic panel"]
    leg = both_sides(
        merge(
            [
                rod((-x * 0.8, w * n * 0.4, 0), (-x * 0.8, w * n * 0.4, 2 * rise * 0.9), 0.02, steel(rng)),
                rod((-x * 0.8, w * n * 0.4, 0), (x, w * n * 0.4, 0.02), 0.02, steel(rng)),
            ]
        )
    )
    return [move(row, (0, 0, rise + 0.03)), leg], ["photovoltaic panel", "solar panels"]


def record_player(rng: Rng) -> Drawn:
    """Record players: a deck with a disc and an arm, some under a lid; gramophones with a horn."""
    color, disc = pick(rng, wood(rng), dark(rng), bright(rng)), near(rng, (0.06, 0.06, 0.06), 0.02)
    deck = [
        box((0.36, 0.44, 0.09), color=color, bevel=0.006),
        cylinder(0.15, 0.012, (0.01, -0.04, 0.09), disc, sides=30),
        cylinder(0.05, 0.002, (0.01, -0.04, 0.102), bright(rng), sides=20),
    ]
    arm = merge(
        [
            cylinder(0.025, 0.03, (-0.11, 0.16, 0.09), steel(rng)),
            rod((-0.11, 0.16, 0.12), (0.08, 0.09, 0.11), 0.005, steel(rng)),
            box((0.03, 0.02, 0.012), (0.09, 0.085, 0.102), dark(rng)),
        ]
    )
    if maybe(rng, 0.35):
        t = np.linspace(0, 1, 9)
        path = np.column_stack([-0.13 + 0.32 * t**1.5, 0.15 - 0.15 * t, 0.12 + 0.42 * np.sin(t * 2.0)])
        return [*deck, tube(path, 0.015 + 0.2 * t**3, near(rng, (0.8, 0.6, 0.25)), 14)], [
            "gramophone",
            "phonograph",
        ]
    lid = rotate(box((0.36, 0.44, 0.06), (0.18, 0, 0), near(rng, (0.75, 0.8, 0.82))), "y", -pick(rng, 60, 75))
    return [*deck, arm, *([move(lid, (-0.18, 0, 0.1))] if maybe(rng) else [])], ["turntable", "vinyl record player"]


def vr_headset(rng: Rng) -> Drawn:
    """Virtual reality goggles: a visor with a strap."""
    color = pick(rng, white(rng), dark(rng))
    t = np.radians(np.linspace(70, 290, 19))
    strap = tube(
        np.column_stack([-0.02 + 0.1 * np.cos(t), 0.085 * np.sin(t), 0.06 + 0 * t]),
        0.012,
        dark(rng),
        section=(0.35, 1.3),
    )
    over = tube([(0.05, 0, 0.11), (-0.02, 0, 0.17), (-0.12, 0, 0.07)], 0.012, dark(rng), section=(1.4, 0.4))
    visor = [
        cushion((0.085, 0.19, 0.1), (0.07, 0, 0.01), color, 0.4),
        cushion((0.04, 0.15, 0.08), (0.03, 0, 0.02), dark(rng), 0.3),
    ]
    return [*visor, strap, *([over] if maybe(rng, 0.7) else [])], ["virtual reality headset", "vr goggles"]


def socket(rng: Rng, *kinds: str) -> Drawn:
    """Wall sockets and light switches: a plate with holes, a rocker or two, or a dial."""
    n, color, w = count(rng, 1, 3), white(rng), 0.082
    plate = box((0.01, w * n, w), color=color, bevel=0.003)
    kind = pick(rng, *(kinds or ("socket", "switch")))
    if kind == "socket":
        well = rotate(
            lathe([(0.02, 0), (0.021, 0.008), (0.018, 0.008), (0.017, 0.002), (0, 0.002)], color=near(rng, color)),
            "y",
            90,
        )
        holes = rotate(both_sides(cylinder(0.003, 0.006, (0, 0.008, 0), dark(rng), sides=8)), "y", 90)
        unit = move(merge([well, holes]), (0.005, 0, w / 2))
        return [plate, copies(unit, [(0, (i - (n - 1) / 2) * w, 0) for i in range(n)])], [
            "electrical outlet",
            "wall socket",
            "power outlet",
        ]
    rocker = rotate(box((0.008, w * 0.6, w * 0.6), color=near(rng, color), bevel=0.002), "y", pick(rng, -6, 6))
    return [plate, copies(move(rocker, (0.008, 0, w * 0.2)), [(0, (i - (n - 1) / 2) * w, 0) for i in range(n)])], [
        "light switch",
        "wall switch",
    ]


def plug(rng: Rng) -> Drawn:
    """Plugs on a winding cable."""
    color = dark(rng) if maybe(rng) else white(rng)
    pins = both_sides(rod((0.02, 0.009, 0), (0.042, 0.009, 0), 0.0022, steel(rng)))
    body = lathe([(0.018, 0), (0.019, 0.012), (0.014, 0.03), (0.006, 0.045), (0.005, 0.05)], color=color)
    t = np.linspace(0, 1, 16)
    cable = tube(np.column_stack([-0.03 - 0.16 * t, 0.03 * np.sin(t * rng.uniform(4, 9)), 0 * t]), 0.0035, color)
    return [move(rotate(body, "y", -90), (0.02, 0, 0)), pins, cable], [
        "power plug",
        "electric plug",
        "plug with a cable",
    ]

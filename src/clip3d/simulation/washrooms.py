"""The rarer bathtubs and toilets, bidets and urinals."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, count, dark, maybe, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.fixtures import hollow, rounded, tap
from clip3d.simulation.moving import both_sides, copies, move, rotate
from clip3d.simulation.shapes import Color, Floats, box, cylinder, lathe, loft, rod, torus, tube


def odd_bathtub(rng: Rng) -> Drawn:
    """Bathtubs with a surround, steps, a shower screen or curtain, legs of wood; hexagonal, egg-shaped, barrels."""
    return pick(rng, _surround, _surround, _shower_bath, _shower_bath, _cradle, _egg, _barrel_tub, _corner_tub)(rng)


def _basin(
    x: float, y: float, rim: float, height: float, deep: float, power: float, color: Color, rise: float = 0.0
) -> Mesh:
    """A tub in a flat slab of half-axes x and y: outside, top, and the way down to the floor of the basin."""
    outline = rounded(x, y, 40)
    mouth, floor = rounded(x - rim, y - rim, power), rounded((x - rim) * 0.82, (y - rim) * 0.75, power)
    low = height - deep
    rings = [(outline, rise), (outline, height), (mouth, height), (floor * 1.07, low + deep * 0.25), (floor, low)]
    return loft(np.stack([np.column_stack([r, np.full(24, z)]) for r, z in rings]), color)


def _surround(rng: Rng) -> Drawn:
    x, y, rim = rng.uniform(0.75, 1.05), rng.uniform(0.4, 0.65), rng.uniform(0.1, 0.28)
    height, color, tile = (
        rng.uniform(0.45, 0.6),
        white(rng),
        pick(rng, white(rng), wood(rng), near(rng, (0.6, 0.6, 0.58))),
    )
    parts = [_basin(x, y, rim, height, height * rng.uniform(0.6, 0.85), rng.uniform(2.0, 5.0), color)]
    panel = box((2 * x + 0.02, 0.02, height * 0.95), (0, y, 0), tile)
    parts.append(both_sides(panel))
    if maybe(rng, 0.5):
        n = count(rng, 1, 2)
        steps = [
            box((x * 1.2, 0.28 * (i + 1), height * 0.3 * (n - i)), (0, y + 0.14 * (i + 1), 0), tile)
            for i in range(n)
        ]
        parts += steps
    if maybe(rng, 0.6):
        tall = rng.uniform(0.3, 1.4)
        parts.append(box((2 * x, 0.04, tall), (0, -y, height), tile))
        parts.append(box((0.04, 2 * y, tall), (-x, 0, height), tile))
    parts.append(move(tap(rng, (0, 0, height), 1.3), (-x + rim * 0.5, 0, 0)))
    if maybe(rng, 0.4):
        jet = cylinder(0.03, 0.02, color=steel(rng), sides=10)
        parts.append(
            copies(jet, [(s * x * 0.4, t * (y - rim) * 0.7, height * 0.45) for s in (-1, 1) for t in (-1, 1)])
        )
        return parts, ["whirlpool bathtub", "jacuzzi", "built-in bathtub"]
    return parts, ["built-in bathtub", "bathtub with a surround"]


def _shower_bath(rng: Rng) -> Drawn:
    x, y, rim, height = (
        rng.uniform(0.75, 0.9),
        rng.uniform(0.35, 0.42),
        rng.uniform(0.04, 0.08),
        rng.uniform(0.45, 0.6),
    )
    color, frame, top = white(rng), steel(rng), rng.uniform(1.8, 2.1)
    parts = [_basin(x, y, rim, height, height * 0.8, rng.uniform(2.5, 8), color)]
    pipe = [(-x + 0.03, 0, height), (-x + 0.03, 0, top), (-x + 0.25, 0, top + 0.03), (-x + 0.3, 0, top - 0.03)]
    parts += [tube(pipe, 0.012, frame), cylinder(0.09, 0.025, (-x + 0.3, 0, top - 0.06), frame)]
    if maybe(rng):
        parts.append(
            box(
                (x * rng.uniform(0.7, 1.1), 0.012, top - height),
                (-x * 0.5, y - rim / 2, height),
                near(rng, (0.75, 0.86, 0.88)),
            )
        )
        return parts, ["bathtub with a shower screen", "shower bath", "built-in bathtub"]
    t = np.linspace(0, 1, 25)
    share = rng.uniform(0.3, 0.9)
    wave = np.column_stack([-x + 2 * x * share * t, y + 0.03 * np.sin(t * 40), 0 * t])
    cloth = np.stack([wave + np.array([0, 0, z]) for z in (height * 0.4, top)])
    parts.append(rod((-x, y, top + 0.02), (x, y, top + 0.02), 0.012, frame))
    return [*parts, _cloth(cloth, near(rng, (0.85, 0.85, 0.9), 0.1))], [
        "bathtub with a shower curtain",
        "built-in bathtub",
    ]


def _cloth(grid: Floats, color: Color) -> Mesh:
    back = grid[::-1] + np.array([0, 0.008, 0])
    return loft(np.stack([np.concatenate([a, b[::-1]]) for a, b in zip(grid, back[::-1], strict=True)]), color)


def _cradle(rng: Rng) -> Drawn:
    x, y, deep, lift = (
        rng.uniform(0.75, 0.95),
        rng.uniform(0.36, 0.45),
        rng.uniform(0.38, 0.48),
        rng.uniform(0.1, 0.2),
    )
    color, frame, power = white(rng), pick(rng, wood(rng), dark(rng), steel(rng)), rng.uniform(2.0, 4.0)
    top = lift + deep
    tub = hollow(
        [
            (x * 0.7, y * 0.65, lift, 0.0),
            (x * 0.95, y * 0.92, lift + deep * 0.5, 0.0),
            (x, y, top, 0.0),
            (x - 0.03, y - 0.03, top, 0.0),
            (x * 0.65, y * 0.6, lift + 0.04, 0.0),
        ],
        color,
        power,
    )
    if maybe(rng):
        bar = copies(box((x * 1.6, 0.05, 0.06), color=frame), [(0, s * y * 0.5, lift - 0.06) for s in (-1, 1)])
        legs = copies(box((0.06, y * 1.6, lift), color=frame), [(s * x * 0.6, 0, 0) for s in (-1, 1)])
        return [tub, bar, legs], ["freestanding bathtub", "bathtub on a wooden stand"]
    ball = lathe([(0.05, 0), (0.055, 0.02), (0.03, lift * 0.6), (0.05, lift + 0.05)], color=frame)
    legs = copies(ball, [(s * x * 0.52, t * y * 0.5, 0) for s in (-1, 1) for t in (-1, 1)])
    return [tub, legs], ["bathtub on feet", "freestanding bathtub"]


def _egg(rng: Rng) -> Drawn:
    x, y, height = rng.uniform(0.75, 0.95), rng.uniform(0.38, 0.5), rng.uniform(0.5, 0.65)
    color, lean, power = white(rng), rng.uniform(-0.12, 0.12), rng.uniform(2.0, 3.5)
    base = rng.uniform(0.75, 1.0)
    levels = [(x * base, y * base, 0.0, 0.0), (x, y, height, lean), (x * 0.95, y * 0.92, height, lean)]
    tub = hollow(
        [*levels, (x * 0.8, y * 0.7, height * 0.35, lean / 2), (x * 0.6, y * 0.5, height * 0.25, 0.0)], color, power
    )
    high = rng.uniform(0.9, 1.1)
    pipe = tube(
        [(0, -y - 0.12, 0), (0, -y - 0.12, high), (0, -y + 0.0, high + 0.03), (0, -y + 0.1, high - 0.03)],
        0.02,
        steel(rng),
    )
    return [tub, *([pipe] if maybe(rng) else [])], ["freestanding bathtub", "modern bathtub"]


def _barrel_tub(rng: Rng) -> Drawn:
    r, h, color = rng.uniform(0.6, 0.95), rng.uniform(0.65, 1.0), wood(rng)
    shell = lathe([(r, 0), (r, h), (r - 0.05, h), (r - 0.05, 0.15), (0, 0.15)], color=color, sides=28)
    hoops = copies(torus(r, 0.012, color=dark(rng), sides=28), [(0, 0, v * h) for v in (0.2, 0.8)])
    bench = torus(r - 0.15, 0.1, (0, 0, h * 0.4), near(rng, color), 24)
    steps = (
        [box((0.3, 0.5, 0.25 * (2 - i)), (r + 0.15 + 0.3 * i, 0, 0), color) for i in range(2)] if maybe(rng) else []
    )
    return [shell, hoops, bench, *steps], ["wooden hot tub", "hot tub", "round bathtub"]


def _corner_tub(rng: Rng) -> Drawn:
    size, height, cut = rng.uniform(1.2, 1.5), rng.uniform(0.45, 0.6), rng.uniform(0.35, 0.6)
    color = white(rng)
    t = np.linspace(0, np.pi / 2, 8)
    bow = np.column_stack([size * (1 - cut) + size * cut * np.cos(t), size * (1 - cut) + size * cut * np.sin(t)])
    edge = np.concatenate([[(0, 0), (size * 0.5, 0), (size, 0)], bow, [(0, size), (0, size * 0.5)]])
    middle = np.array([size * 0.5, size * 0.5])
    angle = np.linspace(0, 2 * np.pi, len(edge), endpoint=False) - 3 * np.pi / 4
    a, b = size * 0.42, size * rng.uniform(0.3, 0.4)
    oval = np.column_stack([a * np.cos(angle) + b * 0, b * np.sin(angle)])
    turn = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    oval = middle + np.column_stack([b * np.cos(angle), a * np.sin(angle)]) @ turn if maybe(rng) else middle + oval
    oval = oval if _winding(oval) * _winding(edge) > 0 else oval[::-1]
    start = int(np.argmin(np.linalg.norm(oval - edge[0], axis=1)))
    oval = np.roll(oval, -start, axis=0)
    inner = middle + (oval - middle) * 0.78
    rings = [
        (edge, 0.0),
        (edge, height),
        (oval, height),
        (inner, height * 0.3),
        (inner * 0.98 + middle * 0.02, height * 0.25),
    ]
    tub = loft(np.stack([np.column_stack([r - middle, np.full(len(edge), z)]) for r, z in rings]), color)
    return [tub, tap(rng, (-size * 0.38, -size * 0.38, height), 1.3)], ["corner bathtub", "whirlpool bathtub"]


def _winding(outline: Floats) -> float:
    x, y = outline.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def odd_toilet(rng: Rng) -> Drawn:
    """One-piece toilets, angular ones, smart ones, corner cisterns, squat and portable toilets, long-drop boxes."""
    return pick(rng, _one_piece, _one_piece, _angular, _angular, _two_piece, _two_piece, _squat, _commode)(rng)


def _lid(
    rng: Rng, half: float, wide: float, height: float, color: Color, power: float
) -> tuple[list[Mesh], list[str]]:
    """A seat with its lid down, half up or up, over a bowl centred on the origin."""
    cover = hollow([(half, wide, 0.0, 0.0), (half * 0.98, wide * 0.97, 0.03, 0.0)], color, power)
    if maybe(rng, 0.4):
        return [move(cover, (0, 0, height))], ["toilet with its lid down"]
    seat = hollow(
        [
            (half, wide, 0.0, 0.0),
            (half, wide, 0.02, 0.0),
            (half * 0.68, wide * 0.62, 0.02, 0.02),
            (half * 0.68, wide * 0.62, 0.0, 0.02),
        ],
        color,
        power,
    )
    angle = -rng.uniform(70, 105)
    raised = move(rotate(move(cover, (half, 0, 0)), "y", angle), (-half, 0, height + 0.02))
    if maybe(rng, 0.2):
        seat = move(rotate(move(seat, (half, 0, 0)), "y", angle), (-half + 0.03, 0, height + 0.02))
        return [seat, raised], ["toilet with its lid up"]
    return [move(seat, (0, 0, height)), raised], ["toilet with its lid up"]


def _bowl(rng: Rng, half: float, wide: float, height: float, color: Color, power: float) -> Mesh:
    foot, waist = rng.uniform(0.6, 0.9), rng.uniform(0.55, 0.85)
    back = -half * rng.uniform(0.1, 0.3)
    levels = [
        (half * foot, wide * foot, 0.0, back),
        (half * waist, wide * waist * 0.85, height * 0.3, back),
        (half * 0.92, wide * 0.9, height * 0.8, 0.0),
        (half, wide, height, 0.0),
        (half * 0.74, wide * 0.7, height, 0.02),
        (half * 0.35, wide * 0.35, height * 0.5, 0.0),
    ]
    return hollow(levels, color, power)


def _one_piece(rng: Rng) -> Drawn:
    half, wide, height, color = rng.uniform(0.24, 0.3), rng.uniform(0.18, 0.21), rng.uniform(0.36, 0.42), white(rng)
    power = rng.uniform(2.0, 3.0)
    lid, words = _lid(rng, half, wide, height, color, power)
    tall, width = rng.uniform(0.15, 0.3), wide * rng.uniform(0.9, 1.15)
    x = -half - 0.06
    levels = [
        (0.2, wide * 0.7, 0.0),
        (0.2, wide * 0.85, height * 0.7),
        (0.17, width, height),
        (0.12, width, height + tall),
    ]
    tank = loft(
        np.stack(
            [
                np.column_stack([np.add(rounded(a, b, 4), (x - (0.2 - a) / 2, 0)), np.full(24, z)])
                for a, b, z in levels
            ]
        ),
        color,
    )
    button = cylinder(0.022, 0.01, (x - 0.04, 0, height + tall), steel(rng))
    return [_bowl(rng, half, wide, height, color, power), *lid, tank, button], [
        "one-piece toilet",
        *words,
        "toilet with a tank",
    ]


def _angular(rng: Rng) -> Drawn:
    half, wide, height, color = rng.uniform(0.22, 0.28), rng.uniform(0.17, 0.2), rng.uniform(0.36, 0.43), white(rng)
    power = rng.uniform(3.5, 8.0)
    lid, words = _lid(rng, half, wide, height, color, power)
    low, cut = pick(rng, 0.0, 0.0, height * 0.35), rng.uniform(0.65, 1.0)
    body = hollow(
        [
            (half * cut, wide * cut, low, -half * (1 - cut)),
            (half, wide, height, 0.0),
            (half * 0.72, wide * 0.68, height, 0.02),
            (half * 0.4, wide * 0.4, height * 0.6, 0.0),
        ],
        color,
        power,
    )
    x = -half - 0.07
    if low:
        plate = box(
            (0.03, 0.5, 1.1), (-half - 0.02, 0, 0), pick(rng, color, near(rng, (0.7, 0.7, 0.68)), wood(rng))
        )
        button = box((0.015, 0.2, 0.12), (-half, 0, 0.9), steel(rng))
        return [body, *lid, plate, button], ["wall-hung toilet", *words]
    tank = box((0.16, wide * 2.0, rng.uniform(0.3, 0.42)), (x, 0, height), color, 0.012)
    return [body, *lid, box((0.16, wide * 1.6, height), (x, 0, 0), color), tank], [
        "square toilet",
        *words,
        "toilet with a tank",
    ]


def _two_piece(rng: Rng) -> Drawn:
    half, wide, height, color = rng.uniform(0.22, 0.3), rng.uniform(0.17, 0.21), rng.uniform(0.36, 0.44), white(rng)
    power = rng.uniform(2.0, 2.6)
    lid, words = _lid(rng, half, wide, height, pick(rng, color, color, wood(rng), dark(rng)), power)
    tall, width, x = rng.uniform(0.28, 0.4), rng.uniform(0.19, 0.25), -half - 0.08
    levels = [
        (0.075, width * 0.85, height),
        (0.1, width, height + tall),
        (0.115, width * 1.05, height + tall),
        (0.115, width * 1.05, height + tall + 0.03),
    ]
    tank = loft(
        np.stack([np.column_stack([np.add(rounded(a, b, 6), (x, 0)), np.full(24, z)]) for a, b, z in levels]), color
    )
    parts = [
        _bowl(rng, half, wide, height, color, power),
        *lid,
        tank,
        box((0.2, wide * 1.1, 0.06), (x + 0.03, 0, height - 0.06), color),
    ]
    parts.append(
        rod(
            (x + 0.1, width * 0.7, height + tall * 0.85),
            (x + 0.12, width * 0.4, height + tall * 0.82),
            0.01,
            steel(rng),
        )
    )
    neck = tube([(x, 0, height - 0.05), (x + 0.08, 0, height * 0.4), (x + 0.18, 0, 0.1)], 0.07, color)
    return [*parts, neck], ["toilet with a tank", *words, "toilet bowl"]


def _squat(rng: Rng) -> Drawn:
    x, y, color = rng.uniform(0.3, 0.36), rng.uniform(0.22, 0.26), white(rng)
    pan = _basin(x, y, 0.07, 0.12, 0.1, 2.5, color)
    pads = copies(box((0.28, 0.09, 0.015), color=near(rng, color)), [(0, s * y * 0.72, 0.12) for s in (-1, 1)])
    hood = hollow([(0.07, 0.1, 0.12, 0.0), (0.05, 0.07, 0.22, 0.02)], color)
    tank = [
        box((0.15, 0.4, 0.3), (-x - 0.05, 0, 0.9), color, 0.02),
        rod((-x, 0, 0.1), (-x, 0, 0.9), 0.02, steel(rng)),
    ]
    return [pan, pads, move(hood, (x - 0.1, 0, 0)), *(tank if maybe(rng, 0.4) else [])], ["squat toilet"]


def _commode(rng: Rng) -> Drawn:
    half, wide, height, color = (
        0.22,
        rng.uniform(0.2, 0.24),
        rng.uniform(0.38, 0.45),
        pick(rng, white(rng), near(rng, (0.6, 0.6, 0.6)), wood(rng)),
    )
    base = box((half * 2, wide * 2, height), color=color, bevel=0.03)
    seat, words = _lid(rng, half * 0.95, wide * 0.9, height, near(rng, color), 3.0)
    pit = cylinder(0.12, 0.006, (0.02, 0, height), dark(rng), sides=20)
    return [base, pit, *seat], ["portable toilet", *words]


def bidet(rng: Rng) -> Drawn:
    """Bidets: a low bowl with a tap behind, on a foot or on the wall."""
    half, wide, height, color = rng.uniform(0.24, 0.3), rng.uniform(0.16, 0.2), rng.uniform(0.36, 0.42), white(rng)
    power, low = rng.uniform(2.0, 4.0), pick(rng, 0.0, 0.0, 0.14)
    levels = [
        (half * 0.75, wide * 0.7, low, -0.05),
        (half * 0.8, wide * 0.75, (low + height) / 2, -0.04),
        (half, wide, height, 0.0),
    ]
    inner = [(half * 0.8, wide * 0.78, height, 0.03), (half * 0.5, wide * 0.45, height - 0.12, 0.03)]
    return [hollow([*levels, *inner], color, power), tap(rng, (-half * 0.85, 0, height))], [
        "bidet",
        "bathroom fixture",
    ]


def urinal(rng: Rng) -> Drawn:
    """Urinals: a bowl on a wall under a hood, with a pipe above; or one that reaches the floor."""
    wide, color = rng.uniform(0.15, 0.2), white(rng)
    tall = rng.uniform(0.55, 0.8) if maybe(rng, 0.75) else 1.1
    z = np.linspace(0, tall, 9)
    u = z / tall
    deep = np.interp(u, [0, 0.15, 0.4, 0.55, 1], [0.1, rng.uniform(0.28, 0.36), 0.34, 0.14, 0.12])
    t = np.linspace(-np.pi / 2, np.pi / 2, 11)
    rings = []
    for d, h in zip(deep, z, strict=True):
        edge = np.column_stack([d * np.cos(t), wide * np.sin(t), np.full(11, h)])
        rings.append(edge)
    body = loft(np.stack(rings), color)
    hole = move(
        rotate(cylinder(wide * 0.6, 0.01, color=near(rng, (0.75, 0.75, 0.76)), sides=18), "y", 60),
        (0.2, 0, tall * 0.46),
    )
    pipe = tube([(0.06, 0, tall), (0.06, 0, tall + 0.15), (0.0, 0, tall + 0.2)], 0.016, steel(rng))
    return [body, hole, pipe], ["urinal", "bathroom fixture"]

"""What stands on a kitchen table: cups, bottles, bowls, pots, cutlery."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import merge, move, ring, rotate, scale
from clip3d.simulation.shapes import Color, box, cylinder, dome, lathe, rod, sphere, torus, tube


def hollow_profile(outline: list[tuple[float, float]], thick: float) -> NDArray[np.float64]:
    """A hollow profile: the outline upwards, then back down inside it by `thick`."""
    outside = np.array(outline)
    inside = outside[::-1] - np.array([thick, 0.0])
    inside[:, 0] = np.maximum(inside[:, 0], 0)
    inside[-1, 1] += thick
    return np.concatenate([outside, inside])


def _ear(r: float, low: float, high: float, reach: float, thick: float, color: Color) -> Mesh:
    """A handle like an ear on the side of a vessel, at positive x."""
    t = np.radians(np.linspace(-85, 85, 9))
    middle, half = (low + high) / 2, (high - low) / 2
    return tube(np.column_stack([r + reach * np.cos(t), 0 * t, middle + half * np.sin(t)]), thick, color, 6)


def cup(rng: Rng) -> Drawn:
    """Cups, mugs, beakers, beer steins; with and without saucers, lids, handles."""
    color, kind = (
        pick(rng, white(rng), bright(rng)),
        pick(rng, "mug", "mug", "mug", "tea cup", "paper cup", "beaker", "beer mug"),
    )
    r, h = rng.uniform(0.035, 0.05), rng.uniform(0.07, 0.12)
    if kind == "tea cup":
        body = lathe(
            hollow_profile([(r * 0.5, 0), (r * 0.5, 0.006), (r * 0.9, h * 0.3), (r * 1.15, h * 0.65)], 0.003),
            color=color,
        )
        saucer = lathe(hollow_profile([(r * 0.6, -0.004), (r * 1.8, 0.008)], 0.003), color=color)
        return [body, _ear(r, h * 0.15, h * 0.5, 0.02, 0.004, color), saucer], ["tea cup", "cup and saucer"]
    if kind == "paper cup":
        lid = [
            lathe(
                [(r * 1.1, h), (r * 1.1, h + 0.008), (r * 0.9, h + 0.015), (0, h + 0.015)],
                color=pick(rng, white(rng), dark(rng)),
            )
        ]
        return [
            lathe(hollow_profile([(r * 0.75, 0), (r * 1.05, h)], 0.002), color=color),
            *(lid if maybe(rng) else []),
        ], [
            "paper cup",
            "coffee cup",
        ]
    shape = [(r, 0), (r, h)] if kind != "beaker" else [(r * 0.8, 0), (r * 0.7, h * 0.3), (r, h)]
    parts = [lathe(hollow_profile(shape, 0.004), color=color, sides=24)]
    if kind == "beer mug":
        parts.append(dome((r * 0.95, r * 0.95, 0.025), (0, 0, h), (0.96, 0.95, 0.9)))
    if kind != "beaker":
        parts.append(_ear(r, h * 0.15, h * 0.85, rng.uniform(0.022, 0.035), rng.uniform(0.005, 0.008), color))
    return parts, ["coffee mug", "mug"] if kind == "mug" else [kind, "mug"]


def bottle(rng: Rng) -> Drawn:
    """Bottles: wine, beer, plastic, flask, spray, milk; with corks, caps or pumps."""
    kind = pick(
        rng,
        "wine bottle",
        "beer bottle",
        "water bottle",
        "spray bottle",
        "milk bottle",
        "perfume bottle",
        "soap dispenser",
    )
    color = pick(
        rng, near(rng, (0.12, 0.28, 0.15)), near(rng, (0.35, 0.2, 0.08)), near(rng, (0.7, 0.82, 0.88)), bright(rng)
    )
    r, h = rng.uniform(0.032, 0.042), rng.uniform(0.22, 0.32)
    label = cylinder(r * 1.01, h * 0.25, (0, 0, h * 0.2), pick(rng, white(rng), bright(rng)), sides=20)
    if kind == "wine bottle":
        return [
            lathe([(r, 0), (r, h * 0.58), (r * 0.8, h * 0.66), (r * 0.33, h * 0.73), (r * 0.33, h)], color=color),
            label,
        ], [kind]
    if kind == "beer bottle":
        return [
            lathe(
                [
                    (r, 0),
                    (r, h * 0.5),
                    (r * 0.45, h * 0.75),
                    (r * 0.38, h * 0.95),
                    (r * 0.42, h * 0.97),
                    (r * 0.42, h),
                ],
                color=color,
            ),
            label,
        ], [kind]
    if kind == "water bottle":
        z = np.linspace(0.02, 0.7, 10) * h
        ribs = [(r * (1 - 0.06 * (i % 2)), float(v)) for i, v in enumerate(z)]
        return [
            lathe(
                [(r * 0.9, 0), *ribs, (r * 0.5, h * 0.86), (r * 0.35, h * 0.9), (r * 0.35, h * 0.93)], color=color
            ),
            cylinder(r * 0.42, h * 0.07, (0, 0, h * 0.92), bright(rng)),
            label,
        ], [kind, "plastic bottle"]
    if kind == "milk bottle":
        return [
            lathe(
                [(r * 1.2, 0), (r * 1.2, h * 0.5), (r * 0.65, h * 0.72), (r * 0.75, h * 0.8)],
                color=(0.95, 0.95, 0.93),
            )
        ], [kind]
    if kind == "perfume bottle":
        return [
            box((r * 1.4, r * 2.2, h * 0.35), color=color, bevel=0.006),
            cylinder(r * 0.3, h * 0.05, (0, 0, h * 0.35), metal(rng)),
            cylinder(r * 0.45, h * 0.12, (0, 0, h * 0.4), metal(rng)),
        ], [kind]
    neck = lathe([(r * 1.1, 0), (r * 1.1, h * 0.45), (r * 0.4, h * 0.6), (r * 0.35, h * 0.68)], color=color)
    if kind == "soap dispenser":
        return [
            neck,
            cylinder(0.006, h * 0.15, (0, 0, h * 0.68), white(rng)),
            box((0.07, 0.02, 0.012), (0.025, 0, h * 0.82), white(rng)),
        ], [kind, "pump bottle"]
    head = [
        box((0.075, 0.024, 0.03), (0.012, 0, h * 0.74), white(rng), 0.005),
        cylinder(r * 0.45, h * 0.08, (0, 0, h * 0.67), white(rng)),
        rod((0.03, 0, h * 0.74), (0.04, 0, h * 0.58), 0.006, white(rng)),
    ]
    return [neck, *head], [kind]


def bowl(rng: Rng) -> Drawn:
    """Bowls: shallow or deep, footed, with fruit or soup."""
    r, h, color = (
        rng.uniform(0.07, 0.14),
        rng.uniform(0.05, 0.1),
        pick(rng, white(rng), bright(rng), wood(rng), steel(rng)),
    )
    t = np.linspace(0.1, 1, 7)
    body = lathe(
        hollow_profile(
            [
                (r * 0.45, 0),
                *((float(r * np.sin(v * np.pi / 2)), float(0.01 + h * (1 - np.cos(v * np.pi / 2)))) for v in t),
            ],
            0.006,
        ),
        color=color,
        sides=24,
    )
    fill = pick(rng, "empty", "empty", "fruit", "soup")
    if fill == "fruit":
        fruit = [
            sphere(r * 0.32, (r * 0.4 * np.cos(a), r * 0.4 * np.sin(a), h), bright(rng), 10)
            for a in np.arange(4) * 1.57
        ]
        return [body, *fruit, sphere(r * 0.33, (0, 0, h * 1.35), bright(rng), 10)], ["fruit bowl", "bowl of fruit"]
    if fill == "soup":
        return [body, cylinder(r * 0.88, 0.004, (0, 0, h * 0.75), near(rng, (0.75, 0.4, 0.15)), sides=24)], [
            "bowl of soup",
            "soup bowl",
        ]
    return [body], ["salad bowl" if r > 0.11 else "cereal bowl"]


def plate(rng: Rng) -> Drawn:
    """Plates: dinner plates, dishes, square ones, with a meal."""
    r, color = rng.uniform(0.09, 0.15), pick(rng, white(rng), bright(rng))
    sides = pick(rng, 28, 28, 28, 4, 8)
    parts = [
        lathe(
            hollow_profile([(r * 0.6, 0), (r * 0.68, 0.006), (r, rng.uniform(0.012, 0.03))], 0.004),
            color=color,
            sides=sides,
        )
    ]
    if maybe(rng, 0.35):
        food = [
            sphere((0.03, 0.022, 0.014), (r * 0.3 * np.cos(a), r * 0.3 * np.sin(a), 0.016), bright(rng), 8)
            for a in np.arange(5) * 1.25
        ]
        return [*parts, *food], ["plate of food", "dish"]
    return parts, ["dinner plate", "dish"]


def drinking_glass(rng: Rng) -> Drawn:
    """Glasses: wine, cocktail, champagne, tumbler; perhaps filled."""
    kind, color = (
        pick(rng, "wine glass", "wine glass", "martini glass", "champagne glass", "tumbler"),
        near(rng, (0.8, 0.87, 0.9), 0.03),
    )
    if kind == "tumbler":
        r, h = rng.uniform(0.032, 0.042), rng.uniform(0.08, 0.14)
        return [lathe(hollow_profile([(r * 0.85, 0), (r, h)], 0.003), color=color)], ["water glass", kind]
    h, r = rng.uniform(0.08, 0.12), rng.uniform(0.032, 0.045)
    cups = {
        "wine glass": [(0.006, 0), (r * 0.7, 0.02), (r, 0.05), (r * 0.8, 0.1)],
        "martini glass": [(0.005, 0), (r * 1.3, 0.065)],
        "champagne glass": [(0.005, 0), (r * 0.55, 0.03), (r * 0.6, 0.13)],
    }
    stem = [(0.035, 0), (0.034, 0.003), (0.005, 0.012), (0.0045, h)]
    return [lathe([*stem, *hollow_profile([(a, h + b) for a, b in cups[kind]], 0.002)], color=color, sides=22)], [
        kind
    ]


def teapot(rng: Rng) -> Drawn:
    """Teapots: round or tall, with lid, spout and handle."""
    color, r, squash = (
        pick(rng, white(rng), bright(rng), steel(rng)),
        rng.uniform(0.07, 0.095),
        rng.uniform(0.75, 1.25),
    )
    t = np.linspace(-0.85, 0.9, 10) * np.pi / 2
    body = lathe(np.column_stack([r * np.cos(t), r * squash * (1 + np.sin(t))]), color=color, sides=20)
    top = r * squash * 1.98
    lid = lathe(
        [
            (r * 0.4, top - 0.008),
            (r * 0.25, top + 0.008),
            (0.005, top + 0.012),
            (0.011, top + 0.022),
            (0, top + 0.03),
        ],
        color=color,
    )
    spout = tube(
        [
            (r * 0.8, 0, r * squash * 0.7),
            (r * 1.3, 0, r * squash * 0.9),
            (r * 1.45, 0, r * squash * 1.4),
            (r * 1.75, 0, r * squash * 1.8),
        ],
        (0.024, 0.016, 0.011, 0.01),
        color,
    )
    handle = rotate(_ear(r * 0.85, r * squash * 0.45, r * squash * 1.6, r * 0.65, 0.008, color), "z", 180)
    return [body, lid, spout, handle], ["tea pot"]


def vase(rng: Rng) -> Drawn:
    """Vases and jugs: any waist, belly and neck; two ears for an amphora."""
    h, r, color = (
        rng.uniform(0.18, 0.45),
        rng.uniform(0.06, 0.12),
        pick(rng, white(rng), bright(rng), near(rng, (0.7, 0.4, 0.25))),
    )
    z = np.linspace(0, 1, 6)
    kind = pick(rng, "vase", "vase", "vase", "amphora", "jug", "urn")
    shapes_ = {
        "amphora": [0.3, 0.8, 1.0, 0.85, 0.35, 0.42],
        "urn": [0.5, 0.75, 1, 1, 0.6, 0.7],
        "jug": [0.7, 0.9, 1, 0.8, 0.55, 0.65],
    }
    radii = (
        np.array(
            shapes_.get(kind)
            or np.array([rng.uniform(0.45, 0.8), *rng.uniform(0.35, 1.1, 4), rng.uniform(0.3, 0.9)])
        )
        * r
    )
    fine = np.linspace(0, 1, 14)
    smooth = np.interp(fine, z, radii)
    smooth = np.convolve(np.pad(smooth, 2, mode="edge"), np.ones(3) / 3, mode="same")[2:-2]
    sides = pick(rng, 24, 24, 24, 6, 4) if kind == "vase" else 24
    parts = [
        lathe(
            hollow_profile(list(zip(smooth.tolist(), (h * fine).tolist(), strict=True)), r * 0.08),
            color=color,
            sides=sides,
        )
    ]
    ear = _ear(float(smooth[-4]), h * 0.55, h * 0.92, r * 0.55, r * 0.09, color)
    if kind == "amphora":
        parts += [ear, rotate(ear, "z", 180)]
    if kind == "jug":
        parts += [
            move(ear, (0, 0, -h * 0.1)),
            rod(
                (-float(smooth[-1]) * 0.6, 0, h * 0.93),
                (-float(smooth[-1]) * 1.6, 0, h * 1.02),
                r * 0.25,
                color,
                r * 0.1,
            ),
        ]
    return parts, ["flower vase"] if kind == "vase" else [kind, "pottery"]


def bucket(rng: Rng) -> Drawn:
    """Buckets: a tapering pail with a bail."""
    r, h, color = rng.uniform(0.11, 0.16), rng.uniform(0.2, 0.32), pick(rng, bright(rng), steel(rng), wood(rng))
    t = np.radians(np.linspace(0, 180, 13))
    down = rng.uniform(-80, 60)
    bail = rotate(
        tube(np.column_stack([0 * t, r * np.cos(t), r * 1.05 * np.sin(t)]), 0.005, steel(rng), 6), "y", down
    )
    hoops = (
        [torus(r * f, 0.006, (0, 0, h * z), dark(rng)) for f, z in ((0.78, 0.15), (0.96, 0.85))]
        if maybe(rng, 0.4)
        else []
    )
    return [
        lathe(hollow_profile([(r * 0.72, 0), (r, h), (r * 1.03, h)], 0.006), color=color, sides=22),
        move(bail, (0, 0, h)),
        *hoops,
    ], ["pail"]


def basket(rng: Rng) -> Drawn:
    """Baskets: woven rings and stakes, a hoop handle, round or oval; laundry baskets."""
    color, r, h, n = (
        near(rng, pick(rng, (0.7, 0.52, 0.3), (0.5, 0.34, 0.2))),
        rng.uniform(0.13, 0.22),
        rng.uniform(0.12, 0.3),
        count(rng, 5, 9),
    )
    rows = [
        torus(r * (0.75 + 0.25 * i / n), h / n * 0.45, (0, 0, h * (i + 0.5) / n), near(rng, color, 0.04))
        for i in range(n)
    ]
    stakes = ring(rod((r * 0.76, 0, 0), (r * 1.02, 0, h), 0.006, color, sides=5), 14)
    t = np.radians(np.linspace(0, 180, 13))
    hoop = (
        [tube(np.column_stack([0 * t, r * np.cos(t), h * 0.95 + r * 1.1 * np.sin(t)]), 0.011, color)]
        if maybe(rng, 0.65)
        else []
    )
    whole = merge([*rows, stakes, cylinder(r * 0.77, 0.008, color=color), *hoop])
    fruit = (
        [
            sphere(r * 0.3, (r * 0.45 * np.cos(a), r * 0.45 * np.sin(a), h * 0.95), bright(rng), 10)
            for a in np.arange(5) * 1.26
        ]
        if maybe(rng, 0.3)
        else []
    )
    return [scale(whole, (1, rng.uniform(1, 1.5), 1)), *fruit], ["wicker basket"]

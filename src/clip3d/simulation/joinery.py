"""Parts that furniture shares: legs, stretchers, swivel feet, backs and arms."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, count, dark, maybe, pick
from clip3d.simulation.moving import both_sides, copies, move, ring, rotate
from clip3d.simulation.shapes import Color, beam, box, cushion, cylinder, lathe, rod, tube


def four_legs(
    rng: Rng, x: float, y: float, height: float, color: Color, thick: float, style: str = ""
) -> list[Mesh]:
    """Legs under the corners of an x by y rectangle, from the floor up to `height`: one style for all four.

    Styles: straight, round, splayed, turned, tapered; drawn by chance when empty.
    """
    style = style or pick(rng, "straight", "round", "splayed", "turned", "tapered")
    spots = [(sx * x / 2, sy * y / 2, 0.0) for sx in (-1, 1) for sy in (-1, 1)]
    if style == "straight":
        return [copies(box((thick, thick, height), color=color), spots)]
    if style == "round":
        return [copies(cylinder(thick / 2, height, color=color, sides=10), spots)]
    if style == "tapered":
        return [copies(cylinder(thick * 0.3, height, color=color, top=thick * 0.7, sides=4), spots)]
    if style == "turned":
        z = np.linspace(0, height, 12)
        r = thick * (0.45 + 0.2 * np.sin(z / height * pick(rng, 9.0, 14.0, 20.0)))
        return [copies(lathe(np.column_stack([r, z]), color=color, sides=10), spots)]
    spread = rng.uniform(0.05, 0.18) * height
    return [
        rod(
            (px + np.sign(px) * spread, py + np.sign(py) * spread, 0),
            (px, py, height),
            thick * 0.3,
            color,
            thick * 0.5,
        )
        for px, py, _ in spots
    ]


def stretchers(x: float, y: float, height: float, thick: float, color: Color, style: str) -> list[Mesh]:
    """Bars between legs: a frame of four ("box") or two sides and a middle ("h")."""
    if style == "box":
        return [
            copies(box((x, thick, thick), color=color), [(0, s * y / 2, height) for s in (-1, 1)]),
            copies(box((thick, y, thick), color=color), [(s * x / 2, 0, height * 1.3) for s in (-1, 1)]),
        ]
    sides = copies(box((x, thick, thick), color=color), [(0, s * y / 2, height) for s in (-1, 1)])
    return [sides, box((thick, y, thick), (0, 0, height), color)]


def star_base(rng: Rng, radius: float, height: float, color: Color, castors: bool) -> list[Mesh]:
    """The foot of a swivel chair: a column on four or five arms, perhaps on castors."""
    lift = 0.06 if castors else 0.02
    arm = rod((0, 0, lift + 0.06), (radius, 0, lift), 0.025, color, 0.015)
    arms = count(rng, 4, 6)
    parts = [cylinder(0.03, height - lift, (0, 0, lift), color, sides=10), ring(arm, arms)]
    if castors:
        wheel = rotate(cylinder(0.03, 0.03, (0, 0, -0.015), dark(rng), sides=10), "x", 90)
        parts.append(ring(move(wheel, (radius, 0, 0.03)), arms))
    return parts


def chair_back(rng: Rng, width: float, height: float, color: Color, cloth: Color, style: str = "") -> list[Mesh]:
    """A back in the plane x = 0, standing on z = 0; the sitter is at positive x."""
    style = style or pick(rng, "panel", "slats", "spindles", "ladder", "padded", "open", "cross", "hoop", "splat")
    post = rng.uniform(0.025, 0.05)
    posts = copies(box((post, post, height), color=color), [(0, s * (width - post) / 2, 0) for s in (-1, 1)])
    rail = box((post * 0.8, width, rng.uniform(0.04, 0.1)), (0, 0, height - 0.06), color, 0.01)
    if style == "panel":
        gap = rng.uniform(0, 0.4) * height
        return [posts, box((post * 0.6, width - post, height - gap), (0, 0, gap), color, 0.008)]
    if style == "padded":
        thick = rng.uniform(0.05, 0.12)
        lift = rng.uniform(0, 0.25) * height
        return [cushion((thick, width, height - lift), (0, 0, lift), cloth, rng.uniform(0.15, 0.5)), posts]
    if style in ("slats", "spindles"):
        n = count(rng, 3, 8)
        y = np.linspace(-width / 2, width / 2, n + 2)[1:-1]
        slat = box((0.012, min(0.06, width / n * 0.6), height - 0.05), color=color)
        spindle = cylinder(0.009, height - 0.05, color=color, sides=6)
        return [posts, rail, copies(slat if style == "slats" else spindle, [(0, v, 0.02) for v in y])]
    if style == "ladder":
        z = np.linspace(0.2 * height, height - 0.07, count(rng, 2, 6))
        return [posts, copies(box((0.016, width, rng.uniform(0.03, 0.07)), color=color), [(0, 0, v) for v in z])]
    if style == "cross":
        h = width / 2 - post
        return [
            posts,
            rail,
            *(beam((0, -s * h, 0.05), (0, s * h, height - 0.05), 0.02, 0.03, color) for s in (-1, 1)),
        ]
    if style == "hoop":
        t = np.linspace(0, np.pi, 13)
        hoop = np.column_stack([0 * t, width / 2 * np.cos(t), height * np.sin(t) ** 0.6])
        y = np.linspace(-0.3, 0.3, count(rng, 3, 7)) * width
        tall = height * np.sqrt(1 - (y / width * 2) ** 2) ** 0.6
        return [
            tube(hoop, 0.016, color),
            *(rod((0, v, 0), (0, v, h), 0.008, color) for v, h in zip(y, tall, strict=True)),
        ]
    if style == "splat":
        return [posts, rail, box((0.015, width * rng.uniform(0.25, 0.5), height - 0.05), (0, 0, 0), color)]
    return [posts, rail]


def chair_arms(rng: Rng, depth: float, width: float, seat: float, color: Color) -> list[Mesh]:
    """Armrests on posts or as loops, on both sides of a seat at height `seat`."""
    height, thick = rng.uniform(0.17, 0.27), rng.uniform(0.02, 0.05)
    y = width / 2
    rest = box((depth * rng.uniform(0.7, 1), thick * 1.6, thick), (0, y, seat + height), color, 0.008)
    post = box((thick, thick, height + 0.03), (depth * 0.35, y, seat - 0.03), color)
    if maybe(rng, 0.3):
        t = np.linspace(0, np.pi, 9)
        loop = np.column_stack([depth / 2 * np.cos(t), 0 * t + y, seat + height * np.sin(t)])
        return [both_sides(tube(loop, thick / 2, color))]
    return [both_sides(rest), both_sides(post)]

"""Things of the street and the garden."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate, upright
from clip3d.simulation.running_gear import side_profile
from clip3d.simulation.shapes import Color, box, cylinder, extrude, lathe, rod, sphere, torus, tube


def street_lamp(rng: Rng) -> Drawn:
    """Street lamps: curved arms, two arms, old lanterns, garden posts."""
    color, h, kind = (
        pick(rng, dark(rng), steel(rng), near(rng, (0.2, 0.3, 0.25))),
        rng.uniform(3, 6),
        pick(rng, "arm", "two arms", "lantern", "globes"),
    )
    glow = near(rng, (0.97, 0.93, 0.75))
    pole = lathe([(0.16, 0), (0.16, 0.1), (0.08, 0.3), (0.05, h)], color=color)
    if kind in ("arm", "two arms"):
        arm = tube(
            [(0, 0, h - 0.1), (0, 0, h + 0.3), (0.3, 0, h + 0.6), (rng.uniform(0.8, 1.4), 0, h + 0.65)], 0.04, color
        )
        end = float(arm.vertices[:, 0].max())
        side = merge(
            [
                arm,
                box((0.5, 0.2, 0.1), (end + 0.1, 0, h + 0.57), color, 0.03),
                box((0.4, 0.15, 0.03), (end + 0.1, 0, h + 0.54), glow),
            ]
        )
        return [pole, side if kind == "arm" else both_sides(side, "x")], ["street light", "lamp post"]
    if kind == "lantern":
        h = h * 0.7
        pole = lathe([(0.16, 0), (0.16, 0.1), (0.07, 0.4), (0.04, h)], color=color)
        return [
            pole,
            lathe([(0.08, h), (0.17, h + 0.4)], color=glow, sides=6),
            lathe([(0.22, h + 0.4), (0.05, h + 0.6), (0, h + 0.68)], color=color, sides=6),
            ring(rod((0.08, 0, h), (0.17, 0, h + 0.4), 0.014, color), 6),
        ], ["old street lamp", "lamp post", "lantern"]
    n = count(rng, 1, 4)
    balls = [sphere(0.2, (0, 0, h + 0.15), glow)]
    if n > 1:
        balls.append(
            ring(
                merge(
                    [
                        sphere(0.17, (0.45, 0, h - 0.3), glow),
                        tube([(0, 0, h - 0.6), (0.3, 0, h - 0.65), (0.45, 0, h - 0.45)], 0.03, color),
                    ]
                ),
                n,
            )
        )
    return [pole, *balls], ["lamp post", "street light"]


def traffic_light(rng: Rng) -> Drawn:
    """Traffic lights: three lamps in a case, on a post or a boom, for one or more directions."""
    box_color, post = pick(rng, dark(rng), near(rng, (0.85, 0.7, 0.1))), steel(rng)
    lamp_ = [
        move(rotate(cylinder(0.1, 0.03, color=c, sides=16), "y", 90), (0.13, 0, z))
        for c, z in (((0.85, 0.1, 0.1), 0.8), ((0.95, 0.7, 0.1), 0.5), ((0.15, 0.7, 0.25), 0.2))
    ]
    hoods = [
        move(rotate(torus(0.11, 0.02, color=box_color, arc=200, sides=10), "y", 90), (0.17, 0, z))
        for z in (0.2, 0.5, 0.8)
    ]
    head = merge([box((0.25, 0.32, 1.0), color=box_color, bevel=0.03), *lamp_, *hoods])
    h = rng.uniform(2.0, 3.0)
    kind = pick(rng, "post", "post", "four", "boom", "hanging")
    if kind == "hanging":
        return [head, rod((0, 0, 1.0), (0, 0, 1.4), 0.02, post)], ["stop light"]
    if kind == "boom":
        return [
            rod((0, 3, 0), (0, 3, 4.6), 0.1, post),
            rod((0, 3, 4.5), (0, 0, 4.7), 0.07, post),
            move(head, (0, 0, 3.7)),
            move(head, (0, 2.95, 1.9)),
        ], ["stop light"]
    heads = ring(move(head, (0.22, 0, h)), count(rng, 2, 4)) if kind == "four" else move(head, (0.1, 0, h))
    return [cylinder(0.06, h + 0.9, color=post), heads, cylinder(0.15, 0.1, color=dark(rng))], [
        "traffic signal",
        "stop light",
    ]


def traffic_cone(rng: Rng) -> Drawn:
    """Traffic cones with white bands."""
    color, h, r = near(rng, (0.95, 0.4, 0.1)), rng.uniform(0.4, 0.8), rng.uniform(0.13, 0.19)
    levels = np.linspace(0, 1, 6)
    edge = r + (0.03 - r) * levels
    bands = [
        cylinder(edge[i], h / 5, (0, 0, 0.03 + h * levels[i]), white(rng) if i in (1, 3) else color, edge[i + 1])
        for i in range(5)
    ]
    return [box((2.3 * r, 2.3 * r, 0.03), color=pick(rng, color, dark(rng)), bevel=0.01), *bands], [
        "road cone",
        "safety cone",
    ]


def hydrant(rng: Rng) -> Drawn:
    """Fire hydrants: a barrel, a bonnet, side caps."""
    color, h = (
        pick(rng, near(rng, (0.8, 0.1, 0.08)), near(rng, (0.92, 0.75, 0.1)), bright(rng)),
        rng.uniform(0.6, 0.85),
    )
    nut = both_sides(
        move(
            rotate(
                merge(
                    [
                        cylinder(0.07, 0.1, color=color),
                        cylinder(0.085, 0.03, (0, 0, 0.07), near(rng, color)),
                        cylinder(0.03, 0.04, (0, 0, 0.1), near(rng, color), sides=5),
                    ]
                ),
                "x",
                -90,
            ),
            (0, 0.1, h * 0.62),
        )
    )
    front = move(
        rotate(
            merge([cylinder(0.09, 0.1, color=color), cylinder(0.11, 0.04, (0, 0, 0.07), near(rng, color))]), "y", 90
        ),
        (0.1, 0, h * 0.5),
    )
    return [
        lathe(
            [
                (0.18, 0),
                (0.18, 0.05),
                (0.12, 0.07),
                (0.12, h * 0.75),
                (0.16, h * 0.76),
                (0.16, h * 0.8),
                (0.13, h * 0.82),
                (0.1, h * 0.95),
                (0.04, h),
                (0.03, h + 0.05),
                (0, h + 0.05),
            ],
            color=color,
        ),
        nut,
        front,
    ], ["fire hydrant"]


def mailbox(rng: Rng) -> Drawn:
    """Mailboxes: a tunnel on a post with a flag, a pillar box, a wall box, a blue street box on legs."""
    color, kind = bright(rng), pick(rng, "post", "post", "pillar", "street")
    t = np.radians(np.linspace(0, 180, 11))

    def tunnel(w: float, h: float, d: float) -> Mesh:
        outline = [(w / 2, 0), *zip(w / 2 * np.cos(t), h + w / 2 * np.sin(t), strict=True), (-w / 2, 0)]
        return rotate(side_profile(outline, d, color), "z", 90)

    if kind == "post":
        flag = [
            box((0.02, 0.012, 0.14), (0.05, 0.115, 0.08), (0.8, 0.1, 0.1)),
            box((0.09, 0.012, 0.05), (0.08, 0.115, 0.2), (0.8, 0.1, 0.1)),
        ]
        return [
            move(merge([tunnel(0.2, 0.12, 0.46), *flag]), (0, 0, 1.05)),
            box((0.09, 0.09, 1.05), color=wood(rng)),
            box((0.4, 0.09, 0.05), (0, 0, 1.0), wood(rng)),
        ], ["letter box on a post", "letter box"]
    if kind == "pillar":
        red = near(rng, (0.75, 0.1, 0.08))
        return [
            lathe(
                [
                    (0.25, 0),
                    (0.25, 0.15),
                    (0.22, 0.17),
                    (0.22, 1.3),
                    (0.27, 1.32),
                    (0.26, 1.4),
                    (0.15, 1.5),
                    (0, 1.53),
                ],
                color=red,
            ),
            box((0.05, 0.22, 0.03), (0.21, 0, 1.15), dark(rng)),
            box((0.05, 0.15, 0.15), (0.205, 0, 0.85), white(rng)),
        ], ["pillar box", "post box"]
    return [
        move(rotate(tunnel(0.5, 0.7, 0.5), "z", 90), (0, 0, 0.25)),
        *four_legs(rng, 0.4, 0.4, 0.26, dark(rng), 0.05, "straight"),
        box((0.04, 0.38, 0.06), (0.24, 0, 0.85), dark(rng)),
    ], ["street mailbox", "post box"]


def street_sign(rng: Rng) -> Drawn:
    """Road signs: stop, triangle, round, square, arrows pointing ways."""
    h, post, kind = (
        rng.uniform(1.8, 2.5),
        steel(rng),
        pick(rng, "stop sign", "warning sign", "speed limit sign", "direction sign", "billboard"),
    )
    r = rng.uniform(0.28, 0.4)

    def disc(n: int, f: float, color: Color, x: float) -> Mesh:
        turn = 180 / n if n != 3 else 0
        a = np.radians(np.arange(n) * 360 / n + turn + (90 if n == 3 else 0))
        return move(
            rotate(
                upright(extrude(np.column_stack([f * r * np.cos(a), f * r * np.sin(a)]), 0.02, color=color)),
                "z",
                90,
            ),
            (x, 0, h),
        )

    pole = rod((0, 0, 0), (0, 0, h + r * 0.7), 0.03, post)
    red = (0.8, 0.08, 0.08)
    if kind == "stop sign":
        return [
            pole,
            disc(8, 1, white(rng), 0.04),
            disc(8, 0.92, red, 0.05),
            box((0.01, r * 1.2, r * 0.4), (0.063, 0, h - r * 0.2), white(rng)),
        ], [kind, "road sign"]
    if kind == "warning sign":
        return [
            pole,
            disc(3, 1.1, red, 0.04),
            disc(3, 0.8, white(rng), 0.05),
            box((0.01, 0.05, r * 0.5), (0.063, 0, h - r * 0.25), dark(rng)),
        ], [kind, "road sign", "traffic sign"]
    if kind == "speed limit sign":
        return [
            pole,
            disc(26, 1, red, 0.04),
            disc(26, 0.8, white(rng), 0.05),
            both_sides(box((0.01, r * 0.3, r * 0.6), (0.063, r * 0.25, h - r * 0.3), dark(rng))),
        ], [kind, "road sign", "traffic sign"]
    if kind == "billboard":
        return [
            box((0.1, 3.0, 1.6), (0, 0, 2.0), white(rng)),
            box((0.04, 2.7, 1.3), (0.05, 0, 2.15), bright(rng)),
            copies(cylinder(0.08, 2.0, color=post), [(0, s * 1.0, 0) for s in (-1, 1)]),
        ], [kind, "advertising board"]
    parts = [pole]
    for i in range(count(rng, 2, 4)):
        arrow = [(-0.1, -0.08), (0.5, -0.08), (0.65, 0), (0.5, 0.08), (-0.1, 0.08)]
        parts.append(
            move(
                rotate(
                    upright(extrude(arrow, 0.03, color=pick(rng, wood(rng), bright(rng)))), "z", rng.uniform(0, 360)
                ),
                (0, 0, h - 0.22 * i + 0.1),
            )
        )
    return parts, ["signpost", kind]

"""Small buildings: sheds, greenhouses, igloos, pagodas, stalls, kennels, bird houses."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, metal, near, pick, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, rotate
from clip3d.simulation.running_gear import side_profile
from clip3d.simulation.shapes import (
    beam,
    box,
    cylinder,
    dome,
    extrude,
    lathe,
    rod,
    sphere,
    torus,
)

GLASS = (0.7, 0.82, 0.86)


def shed(rng: Rng, *kinds: str) -> Drawn:
    """Greenhouses, sheds, igloos, pagodas, dog houses, market stalls, bird houses."""
    kind = pick(rng, *kinds)
    color = wood(rng)
    if kind == "igloo":
        snow, r = near(rng, (0.93, 0.95, 0.98), 0.02), rng.uniform(1.3, 1.8)
        t = np.linspace(0, np.pi, 11)
        ring_ = [(0.7 * np.cos(a), 0.85 * np.sin(a)) for a in t] + [
            (0.5 * np.cos(a), 0.65 * np.sin(a)) for a in t[::-1]
        ]
        door = move(rotate(rotate(extrude(ring_, 0.9, color=snow), "x", 90), "z", 90), (r * 0.7, 0, 0))
        blocks = [
            torus(r * np.cos(a), 0.02, (0, 0, r * np.sin(a)), near(rng, (0.8, 0.85, 0.9)), 24)
            for a in (0.25, 0.5, 0.75, 1.0)
        ]
        return [dome(r, color=snow, sides=24), door, *blocks], ["snow house"]
    if kind == "pagoda":
        n, shade, parts = count(rng, 3, 6), near(rng, pick(rng, (0.7, 0.15, 0.1), (0.25, 0.3, 0.28))), []
        for i in range(n):
            w = 3.2 * (1 - 0.13 * i)
            parts += [
                box((w, w, 1.2), (0, 0, 1.9 * i), near(rng, (0.75, 0.55, 0.35))),
                lathe(
                    [
                        (w * 0.95, 1.9 * i + 1.25),
                        (w * 1.02, 1.9 * i + 1.3),
                        (w * 0.55, 1.9 * i + 1.6),
                        (w * 0.4, 1.9 * i + 1.95),
                    ],
                    color=shade,
                    sides=4,
                ),
            ]
        return [rotate(parts[j], "z", 45.0 * (j % 2)) for j in range(len(parts))] + [
            cylinder(0.12, 1.5, (0, 0, 1.9 * n), metal(rng), 0.02)
        ], ["temple", "asian temple", "building"]
    if kind == "market stall":
        w, h = rng.uniform(1.8, 2.6), rng.uniform(2.0, 2.4)
        posts = copies(
            box((0.06, 0.06, h), color=color), [(s * 0.6, t * w / 2, 0) for s in (-1, 1) for t in (-1, 1)]
        )
        stripes = [
            rotate(
                box((1.6, w / 8, 0.03), (0, (i - 3.5) * w / 8, 0), bright(rng) if i % 2 else white(rng)), "y", 14
            )
            for i in range(8)
        ]
        fruit = [
            sphere(0.06, (rng.uniform(-0.4, 0.4), rng.uniform(-0.45, 0.45) * w, 0.97), bright(rng), 8)
            for _ in range(20)
        ]
        return [posts, box((1.1, w, 0.9), color=color), *(move(m, (0.1, 0, h)) for m in stripes), *fruit], [
            "market booth",
            "stand with an awning",
            "kiosk",
        ]
    small = kind in ("dog house", "bird house")
    f = {"dog house": 0.45, "bird house": 0.1}.get(kind, 1.0)
    w, d, h, rise = (
        rng.uniform(2.0, 2.8) * f,
        rng.uniform(2.2, 3.6) * f,
        rng.uniform(1.8, 2.1) * f,
        rng.uniform(0.5, 0.9) * f,
    )
    glass = kind == "greenhouse"
    shade = near(rng, GLASS) if glass else color
    outline = [(-w / 2, 0), (w / 2, 0), (w / 2, h), (0, h + rise), (-w / 2, h)]
    body = rotate(side_profile(outline, d, shade), "z", 90)
    slope = float(np.degrees(np.arctan2(rise, w / 2)))
    long = float(np.hypot(rise, w / 2)) * 1.15
    roof_color = shade if glass else near(rng, (0.4, 0.25, 0.2), 0.1)
    roof = both_sides(
        move(rotate(box((d * 1.1, long, 0.05 * f), (0, long / 2, 0), roof_color), "x", -slope), (0, 0, h + rise))
    )
    parts = [body, roof]
    if glass:
        bars = merge(
            [
                both_sides(box((0.05, 0.04, h), (0, w / 2, 0), white(rng))),
                both_sides(beam((0, w / 2, h), (0, 0, h + rise), 0.05, 0.05, white(rng))),
            ]
        )
        parts += [
            copies(bars, [(x, 0, 0) for x in np.linspace(-0.5, 0.5, 6) * d]),
            box((0.04, 0.8, 1.8), (d / 2, 0, 0), white(rng)),
        ]
        return parts, ["glasshouse", "glass house for plants"]
    hole = move(
        rotate(
            cylinder(w * (0.13 if kind == "bird house" else 0.25), 0.02 * f, color=dark(rng), sides=18), "y", 90
        ),
        (d / 2, 0, h * 0.5),
    )
    if small:
        parts.append(hole)
        if kind == "bird house":
            parts += [
                rod((d / 2, 0, h * 0.25), (d / 2 + 0.07, 0, h * 0.25), 0.006, color),
                *([cylinder(0.03, 1.2, (0, 0, -1.2), color)] if maybe(rng) else []),
            ]
        else:
            parts.append(box((0.02, w * 0.5, h * 0.5), (d / 2 + 0.005, 0, 0), dark(rng)))
        return parts, ["nesting box" if kind == "bird house" else "kennel", kind.replace(" ", "")]
    parts += [
        box((0.05, 0.85, 1.7), (d / 2, 0.2, 0), near(rng, color, 0.1)),
        both_sides(box((0.6, 0.04, 0.5), (0, w / 2, 1.0), near(rng, GLASS))),
    ]
    return parts, ["garden shed", "wooden hut", "hut"]

"""Screens, computers and other electronics."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, dark, maybe, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.joinery import four_legs
from clip3d.simulation.moving import copies, merge, move, rotate, scale
from clip3d.simulation.shapes import (
    Color,
    box,
    cushion,
    cylinder,
    dome,
    extrude,
    lathe,
    loft,
    rod,
    sphere,
    torus,
    tube,
)


def casing_color(rng: Rng) -> Color:
    """Black, grey, silver or the beige of old."""
    return pick(rng, dark(rng), dark(rng), steel(rng), near(rng, (0.85, 0.83, 0.76)))


def _panel(rng: Rng, width: float, height: float, thick: float, casing: Color) -> list[Mesh]:
    """A flat screen that faces positive x and stands on z = 0."""
    rim = rng.uniform(0.008, 0.035)
    lit = pick(rng, dark(rng), near(rng, (0.15, 0.3, 0.55)), near(rng, (0.4, 0.5, 0.6)))
    parts = [box((thick, width, height), color=casing, bevel=pick(rng, 0.0, 0.01))]
    parts.append(box((0.006, width - 2 * rim, height - 2 * rim), (thick / 2, 0, rim), lit))
    if maybe(rng, 0.4):
        parts.append(box((thick, width * 0.5, height * 0.5), (-thick * 0.8, 0, height * 0.2), casing, thick * 0.3))
    return parts


def _stand(rng: Rng, kind: str, width: float, lift: float, casing: Color) -> list[Mesh]:
    neck = box((0.03, width * rng.uniform(0.06, 0.15), lift + 0.12), (-0.035, 0, 0.01), casing)
    if kind == "plate":
        return [
            neck,
            box((rng.uniform(0.15, 0.24), width * rng.uniform(0.3, 0.6), 0.015), color=casing, bevel=0.004),
        ]
    if kind == "disc":
        return [neck, move(scale(cylinder(0.5, 0.02, color=casing, sides=24), (0.22, width * 0.5, 1)), (0, 0, 0))]
    if kind == "arch":
        bow = tube(
            [
                (0.1, width * 0.3, 0.01),
                (-0.08, width * 0.1, 0.01),
                (-0.08, -width * 0.1, 0.01),
                (0.1, -width * 0.3, 0.01),
            ],
            0.012,
            casing,
        )
        return [neck, bow]
    if kind == "ring":
        return [neck, torus(0.11, 0.012, (0, 0, 0.012), casing)]
    foot = merge([rod((-0.02, 0, lift), (s * 0.12, 0, 0.008), 0.01, casing) for s in (-1, 1)])
    return [copies(foot, [(0, s * width * rng.uniform(0.3, 0.42), 0) for s in (-1, 1)])]


def monitor(rng: Rng) -> Drawn:
    """Computer monitors: flat on many stands, on two legs, on an arm, curved, upright, double, and tubes of old."""
    if maybe(rng, 0.35):
        return pick(rng, _all_in_one, _all_in_one, _speaker_screen, _ultrawide, _clamp_arm, _workplace)(rng)
    kind = pick(rng, "flat", "flat", "flat", "crt", "crt", "curved", "portrait", "double", "arm")
    casing, width = casing_color(rng), rng.uniform(0.35, 0.75)
    height, lift = width / pick(rng, 1.25, 1.33, 1.6, 1.78, 2.2), rng.uniform(0.04, 0.16)
    if kind == "crt":
        return _crt(rng, casing, rng.uniform(0.3, 0.45)), ["old CRT monitor", "computer monitor"]
    if kind == "portrait":
        width, height = height, width
    screen = _panel(rng, width, height, rng.uniform(0.015, 0.06), casing)
    if kind == "curved":
        screen = [_curve(rng, width, height, casing)]
    if kind == "double":
        screen = [copies(part, [(0, s * width * 0.51, 0) for s in (-1, 1)]) for part in screen]
    tilted = [move(rotate(part, "y", -rng.uniform(0, 12)), (0, 0, lift)) for part in screen]
    if kind == "arm":
        pole = [
            rod((-0.15, 0, 0), (-0.15, 0, height), 0.018, casing),
            rod((-0.15, 0, lift + height / 2), (-0.02, 0, lift + height / 2), 0.018, casing),
        ]
        return [*tilted, *pole, box((0.1, 0.14, 0.03), (-0.15, 0, 0), casing)], [
            "monitor on an arm",
            "computer monitor",
        ]
    stand = _stand(rng, pick(rng, "plate", "plate", "disc", "arch", "ring", "feet"), width, lift, casing)
    names = {"curved": "curved monitor", "double": "two monitors", "portrait": "upright monitor"}
    return [*tilted, *stand], [names.get(kind, "flat screen monitor"), "computer monitor"]


def _all_in_one(rng: Rng) -> Drawn:
    """A wide screen with a chin on a bent foot, or a half dome with a screen on an arm."""
    casing, width = pick(rng, steel(rng), casing_color(rng), white(rng)), rng.uniform(0.45, 0.62)
    height, thick, lift = width * rng.uniform(0.6, 0.72), rng.uniform(0.012, 0.05), rng.uniform(0.06, 0.14)
    glass = box((0.006, width * 0.94, height * 0.76), (thick / 2, 0, height * 0.2), dark(rng))
    screen = [box((thick, width, height), color=casing, bevel=0.006), glass]
    if maybe(rng, 0.25):
        dome_ = dome((0.13, 0.13, 0.1), (0, 0, 0), casing, 20)
        arm = tube([(0, 0, 0.09), (-0.03, 0, 0.2), (-0.01, 0, 0.28)], 0.012, steel(rng))
        raised = [move(rotate(part, "y", -8), (0.01, 0, 0.14)) for part in screen]
        return [dome_, arm, *raised], ["desktop computer", "all-in-one computer"]
    spread = width * rng.uniform(0.18, 0.3)
    path = np.array([(0.11, 0.004), (-0.09, 0.004), (-0.075, lift), (-0.012, lift + 0.12)])
    outline = np.concatenate([path, np.add(path[::-1], (-0.012, 0.008))])
    bent = move(rotate(extrude(outline, spread, color=casing), "x", 90), (0, spread / 2, 0))
    raised = [move(rotate(part, "y", -rng.uniform(0, 10)), (0, 0, lift)) for part in screen]
    return [bent, *raised], ["all-in-one computer", "computer monitor"]


def _speaker_screen(rng: Rng) -> Drawn:
    casing, width = casing_color(rng), rng.uniform(0.36, 0.5)
    height, lift = width * rng.uniform(0.62, 0.8), rng.uniform(0.05, 0.12)
    parts = [move(m, (0, 0, lift)) for m in _panel(rng, width, height, rng.uniform(0.03, 0.07), casing)]
    speaker = merge(
        [
            box((0.05, 0.06, height), color=casing, bevel=0.01),
            box((0.01, 0.045, height * 0.8), (0.025, 0, height * 0.1), dark(rng)),
        ]
    )
    parts.append(copies(speaker, [(0, s * (width / 2 + 0.03), lift) for s in (-1, 1)]))
    return [*parts, *_stand(rng, pick(rng, "plate", "disc"), width, lift, casing)], [
        "monitor with speakers",
        "computer monitor",
    ]


def _ultrawide(rng: Rng) -> Drawn:
    casing, width = dark(rng), rng.uniform(0.8, 1.2)
    height, lift = width * rng.uniform(0.34, 0.45), rng.uniform(0.08, 0.16)
    shell = move(_curve(rng, width, height, casing), (0, 0, lift))
    feet = merge([rod((-0.06, 0, 0.02), (0.14, s * 0.2, 0.008), 0.012, casing) for s in (-1, 1)])
    neck = box((0.04, 0.06, lift + height * 0.5), (-0.06, 0, 0), casing)
    return [shell, feet, neck, box((0.04, 0.16, 0.16), (-0.04, 0, lift + height * 0.35), casing)], [
        "ultrawide monitor",
        "curved monitor",
        "computer monitor",
    ]


def _clamp_arm(rng: Rng) -> Drawn:
    casing, width, n = dark(rng), rng.uniform(0.45, 0.6), pick(rng, 1, 2, 2, 3)
    height, pole = width * 0.58, rng.uniform(0.35, 0.5)
    parts = [cylinder(0.02, pole, (-0.2, 0, 0), casing), box((0.12, 0.1, 0.04), (-0.2, 0, 0), casing)]
    for i in range(n):
        angle = (i - (n - 1) / 2) * rng.uniform(12, 22)
        screen = merge(_panel(rng, width, height, 0.025, casing))
        y = (i - (n - 1) / 2) * width * 1.02
        parts.append(move(rotate(screen, "z", -angle), (abs(i - (n - 1) / 2) * 0.08, y, pole - height * 0.5)))
        parts.append(
            rod((-0.2, 0, pole * 0.95), (abs(i - (n - 1) / 2) * 0.08 - 0.02, y, pole * 0.95), 0.014, casing)
        )
    return parts, [("monitor on an arm", "two monitors on an arm", "three monitors")[n - 1], "computer monitor"]


def _workplace(rng: Rng) -> Drawn:
    parts, captions = (
        _flat(rng) if maybe(rng) else (_crt(rng, casing_color(rng), rng.uniform(0.34, 0.45)), ["old CRT monitor"])
    )
    shade = casing_color(rng)
    board = merge(
        [
            box((0.14, 0.42, 0.02), color=shade, bevel=0.004),
            box((0.11, 0.39, 0.008), (0, 0, 0.02), near(rng, shade, 0.12)),
        ]
    )
    mouse = sphere((0.05, 0.03, 0.025), (0.3, -0.32, 0.015), shade, 12)
    return [*parts, move(board, (0.3, 0, 0)), *([mouse] if maybe(rng) else [])], [
        "monitor with a keyboard",
        *captions,
        "desktop computer",
    ]


def _flat(rng: Rng) -> Drawn:
    casing, width, lift = casing_color(rng), rng.uniform(0.4, 0.6), rng.uniform(0.05, 0.15)
    screen = [
        move(m, (0, 0, lift))
        for m in _panel(rng, width, width / pick(rng, 1.3, 1.6, 1.8), rng.uniform(0.02, 0.05), casing)
    ]
    return [*screen, *_stand(rng, pick(rng, "plate", "disc", "arch"), width, lift, casing)], [
        "flat screen monitor",
        "computer monitor",
    ]


def _curve(rng: Rng, width: float, height: float, casing: Color) -> Mesh:
    y = np.linspace(-width / 2, width / 2, 11)
    x = rng.uniform(0.3, 0.8) * y**2
    outline = np.concatenate([np.column_stack([x, y]), np.column_stack([x - 0.03, y])[::-1]])
    return extrude(outline, height, color=casing)


def _crt(rng: Rng, casing: Color, width: float) -> list[Mesh]:
    height, deep, lift = width * rng.uniform(0.78, 0.95), width * rng.uniform(0.7, 1.05), rng.uniform(0.03, 0.08)
    z = lift + height / 2
    frame = rotate(box((height, width, deep * 0.35), color=casing, bevel=0.015), "y", 90)
    sections = [(deep * 0.0, 0.96, 0.94), (-deep * 0.45, 0.75, 0.72), (-deep * 0.65, 0.6, 0.55)]
    corners = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) / 2
    back = loft(
        np.stack(
            [
                np.column_stack([np.full(4, x), corners[:, 0] * width * a, corners[:, 1] * height * b + z])
                for x, a, b in sections
            ]
        )[:, ::-1],
        casing,
    )
    glass = cushion(
        (0.05, width * 0.84, height * 0.8),
        (deep * 0.33, 0, z - height * 0.4 + 0.01),
        near(rng, (0.2, 0.25, 0.25)),
        0.3,
    )
    foot = lathe(
        [(width * 0.32, 0), (width * 0.32, 0.015), (width * 0.15, lift + 0.02)], (-deep * 0.1, 0, 0), casing
    )
    return [move(frame, (0, 0, z)), back, glass, foot]


def television(rng: Rng) -> Drawn:
    """Televisions: wide flat ones on feet, on a board or bare, and old sets with aerials and legs."""
    casing = dark(rng)
    if maybe(rng, 0.35):
        set_ = [
            move(m, (0, 0, 0.25)) for m in _crt(rng, wood(rng) if maybe(rng) else casing, rng.uniform(0.5, 0.7))[:3]
        ]
        top = max(float(m.vertices[:, 2].max()) for m in set_)
        ears = (
            [rod((0, 0, top), (0, s * 0.22, top + 0.35), 0.006, steel(rng)) for s in (-1, 1)]
            if maybe(rng, 0.7)
            else []
        )
        return [*set_, *ears, *four_legs(rng, 0.35, 0.4, 0.3, casing, 0.03, "splayed")], ["old television"]
    width = rng.uniform(0.9, 1.6)
    lift = rng.uniform(0.04, 0.1)
    screen = [move(m, (0, 0, lift)) for m in _panel(rng, width, width * 0.58, rng.uniform(0.03, 0.07), casing)]
    stand = _stand(rng, pick(rng, "feet", "plate", "disc"), width, lift, casing) if maybe(rng, 0.85) else []
    return [*screen, *stand], ["flat screen television", "wide television"]


def laptop(rng: Rng) -> Drawn:
    """Open laptops at any angle."""
    casing, width = casing_color(rng), rng.uniform(0.3, 0.4)
    depth, thick = width * rng.uniform(0.62, 0.72), rng.uniform(0.012, 0.03)
    keys = box((depth * 0.45, width * 0.86, 0.004), (-depth * 0.12, 0, thick), dark(rng))
    pad = box((depth * 0.25, width * 0.3, 0.003), (depth * 0.32, 0, thick), near(rng, casing))
    screen = merge(_panel(rng, width, depth * 0.95, 0.01, casing))
    lid = move(rotate(screen, "y", -rng.uniform(5, 35)), (-depth / 2, 0, thick))
    return [box((depth, width, thick), color=casing, bevel=0.004), keys, pad, lid], ["open laptop"]

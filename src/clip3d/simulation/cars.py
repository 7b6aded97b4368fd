"""Road vehicles with an engine and a cab: cars, vans, buses, trucks."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, maybe, near, paint, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, deform, merge, move, rotate, scale
from clip3d.simulation.running_gear import side_profile, wheel, wheels
from clip3d.simulation.shapes import Color, beam, box, lathe, rod, sphere, tube


def _body(
    low: list[tuple[float, float]], high: list[tuple[float, float]], width: float, color: Color
) -> list[Mesh]:
    """A car's body from its lower outline and its glasshouse, which leans inwards."""
    glass = side_profile(high, width * 0.92, (0.15, 0.18, 0.22))
    z = glass.vertices[:, 2]
    lean = 1 - 0.18 * (z - z.min()) / np.ptp(z)
    roof = [p for p in high if p[1] > max(q[1] for q in high) - 0.02]
    left, right = min(p[0] for p in roof), max(p[0] for p in roof)
    cap = box((right - left, width * 0.76, 0.03), ((left + right) / 2, 0, roof[0][1]), color, 0.01)
    return [side_profile(low, width, color), deform(glass, lean, "y"), cap]


CARS = (
    *("sedan", "sedan", "hatchback", "estate", "sports", "suv", "small", "cabriolet"),
    *("racing", "taxi", "police"),
)
VANS = ("delivery van", "minibus", "camper van", "ambulance")
BUSES = ("city bus", "coach", "double-decker bus", "school bus")
TRUCKS = (
    *("box truck", "dump truck", "tank truck", "flatbed truck", "fire truck", "semi-trailer truck"),
    *("cement mixer", "container truck"),
)


def car(rng: Rng, *kinds: str) -> Drawn:
    """Cars: saloons, hatchbacks, estates, sports cars, jeeps, beetles, cabriolets, racing cars."""
    name, color = paint(rng)
    kind = pick(rng, *(kinds or CARS))
    if kind == "racing":
        return _racing_car(rng, color), ["racing car", "formula one car", f"{name} car"]
    long, wide = (
        {"small": 3.3, "hatchback": 3.9, "sports": 4.3, "suv": 4.6}.get(kind, 4.6) * rng.uniform(0.95, 1.06),
        rng.uniform(1.65, 1.9),
    )
    tall = {"sports": 1.2, "suv": 1.8, "small": 1.5, "cabriolet": 1.35}.get(kind, 1.45) * rng.uniform(0.96, 1.05)
    r, x, belt = (0.38 if kind == "suv" else 0.31), long / 2, tall * rng.uniform(0.58, 0.64)
    hood, tail = (
        long * rng.uniform(0.16, 0.26),
        {"sedan": 0.16, "taxi": 0.16, "police": 0.16, "sports": 0.12, "cabriolet": 0.2}.get(kind, 0.0) * long,
    )
    low = [
        (-x, 0.25),
        (x, 0.25),
        (x + 0.03, belt * 0.75),
        (x - 0.15, belt * 0.88),
        (x - hood, belt),
        (-x + tail, belt),
        (-x + 0.05, belt * 0.96),
    ]
    slant = {"hatchback": 0.35, "small": 0.35, "suv": 0.2, "estate": 0.25}.get(kind, 0.65)
    back = -x + tail + 0.04
    high = [(back, belt), (x - hood, belt), (x - hood - tall * 0.5, tall), (back + slant, tall)]
    parts = _body(low, high, wide, color)
    if kind == "cabriolet":
        screen = beam((x - hood, 0, belt), (x - hood - 0.35, 0, tall), wide * 0.85, 0.03, (0.2, 0.25, 0.3))
        parts = [
            parts[0],
            screen,
            copies(
                box((0.15, 0.5, 0.5), color=dark(rng), bevel=0.05),
                [(v, s * 0.4, belt - 0.15) for v in (0.0, -0.7) for s in (-1, 1)],
            ),
        ]
    parts.append(wheels(r, 0.2, [x - long * 0.19, -x + long * 0.2], wide - 0.15))
    parts.append(
        copies(
            sphere((0.06, 0.14, 0.08), color=(0.95, 0.95, 0.85), sides=8),
            [(x, s * wide * 0.36, belt * 0.75) for s in (-1, 1)],
        )
    )
    parts.append(
        copies(
            box((0.04, 0.25, 0.1), color=(0.7, 0.05, 0.05)), [(-x, s * wide * 0.38, belt * 0.75) for s in (-1, 1)]
        )
    )
    parts.append(
        copies(
            box((0.12, 0.2, 0.35 * 0.3), color=color),
            [(x - hood - 0.2, s * (wide / 2 + 0.08), belt) for s in (-1, 1)],
        )
    )
    if kind in ("taxi", "police"):
        parts.append(
            box(
                (0.15, 0.6 if kind == "police" else 0.35, 0.12),
                (0, 0, tall + 0.02),
                (0.1, 0.2, 0.9) if kind == "police" else (0.95, 0.8, 0.1),
            )
        )
    if kind == "suv" and maybe(rng):
        parts.append(rotate(move(wheel(0.33, 0.2), (0, 0, 0)), "z", 90))
        parts[-1] = move(parts[-1], (-x - 0.1, 0, belt * 0.8))
    names = {
        "sedan": "sedan",
        "hatchback": "hatchback",
        "estate": "station wagon",
        "sports": "sports car",
        "suv": "suv",
        "small": "small car",
        "cabriolet": "convertible",
        "taxi": "taxi",
        "police": "police car",
    }
    return parts, [names[kind], f"{name} car"]


def _racing_car(rng: Rng, color: Color) -> list[Mesh]:
    nose = tube(
        [(2.4, 0, 0.25), (1.2, 0, 0.38), (0.2, 0, 0.45), (-0.6, 0, 0.6), (-2.0, 0, 0.4)],
        (0.08, 0.2, 0.3, 0.3, 0.12),
        color,
        10,
    )
    pods = both_sides(box((1.7, 0.4, 0.35), (-0.5, 0.5, 0.15), color, 0.08))
    wings = [
        box((0.45, 1.8, 0.04), (2.3, 0, 0.18), color),
        box((0.35, 1.0, 0.05), (-2.1, 0, 0.85), color),
        both_sides(box((0.45, 0.03, 0.4), (-2.1, 0.5, 0.5), color)),
    ]
    axles = both_sides(rod((1.5, 0.1, 0.35), (1.5, 0.8, 0.35), 0.03, dark(rng)))
    return [
        nose,
        pods,
        *wings,
        axles,
        wheels(0.34, 0.35, [1.5, -1.6], 1.6),
        sphere(0.14, (0.1, 0, 0.78), bright(rng)),
    ]


def pickup_truck(rng: Rng) -> Drawn:
    """Pickup trucks: single or double cab, open bed, perhaps loaded."""
    name, color = paint(rng)
    cab, bed, wide, belt, tall, r = (
        rng.uniform(1.3, 2.1),
        rng.uniform(1.5, 2.1),
        rng.uniform(1.75, 2.0),
        1.05,
        rng.uniform(1.7, 1.9),
        0.39,
    )
    hood = rng.uniform(1.0, 1.3)
    x = (cab + bed + hood) / 2
    low = [(-x + bed, 0.4), (x, 0.4), (x, 0.85), (x - 0.15, 1.0), (x - hood, belt), (-x + bed, belt)]
    high = [(-x + bed + 0.03, belt), (x - hood, belt), (x - hood - 0.5, tall), (-x + bed + 0.12, tall)]
    sides = both_sides(box((bed, 0.07, 0.5), (-x + bed / 2, wide / 2 - 0.04, 0.55), color))
    parts = [
        *_body(low, high, wide, color),
        sides,
        box((0.07, wide, 0.5), (-x, 0, 0.55), color),
        box((bed, wide, 0.12), (-x + bed / 2, 0, 0.48), color),
    ]
    if maybe(rng, 0.3):
        parts.append(box((bed * 0.6, wide * 0.6, rng.uniform(0.4, 0.8)), (-x + bed / 2, 0, 0.6), wood(rng)))
    return [*parts, wheels(r, 0.25, [x - 0.75, -x + 0.8], wide - 0.2)], [
        "pickup truck",
        "pickup",
        f"{name} pickup truck",
    ]


def van(rng: Rng, *kinds: str) -> Drawn:
    """Vans: delivery vans, minibuses, camper vans, ambulances."""
    name, color = paint(rng)
    kind = pick(rng, *(kinds or VANS))
    long, wide, tall, r = rng.uniform(4.3, 5.8), rng.uniform(1.8, 2.0), rng.uniform(1.9, 2.5), 0.34
    x, nose = long / 2, rng.uniform(0.2, 0.8)
    outline = [
        (-x, 0.3),
        (x, 0.3),
        (x, 0.85),
        (x - nose * 0.4, 1.05),
        (x - nose - 0.5, tall - 0.05),
        (x - nose - 0.7, tall),
        (-x, tall),
    ]
    color = (0.93, 0.93, 0.92) if kind == "ambulance" else color
    parts = [side_profile(outline, wide, color)]
    window = (0.15, 0.18, 0.22)
    screen = beam((x - nose * 0.4 - 0.02, 0, 1.12), (x - nose - 0.46, 0, tall - 0.15), wide * 0.86, 0.04, window)
    windows = box((0.7, 0.02, 0.5), (x - nose - 0.9, wide / 2, tall - 0.95), window)
    if kind in ("minibus", "camper van"):
        windows = copies(
            box((0.75, 0.02, 0.5), color=window),
            [(v, wide / 2, tall - 0.95) for v in np.arange(x - nose - 1.0, -x + 0.4, -0.9)],
        )
    parts += [screen, both_sides(windows), wheels(r, 0.22, [x - 0.85, -x + 0.95], wide - 0.16)]
    if kind == "ambulance":
        parts += [
            box((0.25, 1.2, 0.14), (x - nose - 1.0, 0, tall), (0.1, 0.2, 0.9)),
            both_sides(box((long * 0.5, 0.02, 0.25), (-0.3, wide / 2, 0.95), (0.85, 0.1, 0.1))),
        ]
    return parts, [kind, f"{name} van"] if kind != "ambulance" else [kind]


def bus(rng: Rng, *kinds: str) -> Drawn:
    """Buses: city buses, coaches, double-deckers, school buses."""
    name, color = paint(rng)
    kind = pick(rng, *(kinds or BUSES))
    long, wide, tall = rng.uniform(8, 12), 2.5, {"double-decker bus": 4.2, "coach": 3.4}.get(kind, 3.0)
    x, window = long / 2, (0.16, 0.2, 0.24)
    parts = [
        box((long, wide, tall - 0.35), (0, 0, 0.35), (0.95, 0.7, 0.1) if kind == "school bus" else color, 0.12)
    ]
    decks = (1.4, 2.9) if kind == "double-decker bus" else (tall * 0.5,)
    step = rng.uniform(1.0, 1.6)
    panes = [(v, wide / 2, z) for z in decks for v in np.arange(-x + 0.9, x - 0.6, step)]
    parts.append(both_sides(copies(box((step * 0.85, 0.03, 0.85), color=window), panes)))
    parts += [box((0.03, wide * 0.88, 1.1), (x, 0, z - 0.1), window) for z in decks]
    if kind == "school bus":
        parts.append(box((1.3, 2.0, 1.1), (x + 0.6, 0, 0.4), (0.95, 0.7, 0.1), 0.1))
    front = x - 1.6 if kind != "school bus" else x + 0.4
    parts.append(wheels(0.48, 0.3, [front, -x + 2.2], wide - 0.25))
    return parts, [kind, f"{name} bus"] if kind != "school bus" else [kind, "yellow bus"]


def truck(rng: Rng, *kinds: str) -> Drawn:
    """Trucks: box, tipper, tanker, flatbed, fire engine, articulated lorry, cement mixer, garbage truck."""
    name, color = paint(rng)
    kind = pick(rng, *(kinds or TRUCKS))
    color = (0.78, 0.08, 0.06) if kind == "fire truck" else color
    long = (
        rng.uniform(8, 11)
        if kind in ("semi-trailer truck", "container truck", "tank truck")
        else rng.uniform(4.5, 6.0)
    )
    wide, nose = 2.4, pick(rng, 0.0, 0.0, 1.2)
    cab = [
        (0.0, 0.6),
        (1.7 + nose, 0.6),
        (1.7 + nose, 1.5),
        (1.75, 1.65) if nose else (1.7, 1.65),
        (1.45, 2.7),
        (0.0, 2.75),
    ]
    parts = [
        side_profile(cab, wide * 0.95, color),
        beam((1.74, 0, 1.75), (1.5, 0, 2.6), wide * 0.8, 0.06, (0.15, 0.18, 0.22)),
    ]
    parts += [
        both_sides(box((0.7, 0.03, 0.7), (0.95, wide * 0.48, 1.75), (0.15, 0.18, 0.22))),
        box((long + 1.5, 0.9, 0.25), (-long / 2 + 0.6, 0, 0.6), dark(rng)),
    ]
    load, mid = pick(rng, white(rng), bright(rng), steel(rng)), -long / 2 - 0.1
    if kind in ("box truck", "semi-trailer truck", "container truck"):
        parts.append(box((long, wide, rng.uniform(2.2, 2.7)), (mid, 0, 0.9), load, 0.02))
        if kind == "container truck":
            parts.append(
                both_sides(
                    copies(
                        box((0.08, 0.05, 2.0), color=near(rng, load)),
                        [(mid + v, wide / 2, 1.0) for v in np.linspace(-0.48, 0.48, 16) * long],
                    )
                )
            )
    elif kind == "dump truck":
        bed = side_profile([(-long, 0.95), (-0.2, 0.95), (-0.1, 2.3), (-long - 0.3, 2.0)], wide, load)
        tip = rng.uniform(0, 35) if maybe(rng) else 0.0
        parts.append(rotate(bed, "y", tip, (-long, 0, 0.95)))
    elif kind == "tank truck":
        parts.append(scale(rod((0.2 - long, 0, 0), (-0.2, 0, 0), 1.0, load, sides=18), (1, 1.15, 0.9)))
        parts[-1] = move(parts[-1], (0, 0, 1.9))
    elif kind == "flatbed truck":
        parts += [
            box((long, wide, 0.15), (mid, 0, 0.9), wood(rng)),
            copies(
                box((0.8, 0.8, 0.8), color=wood(rng)),
                [(mid + v, 0, 1.05) for v in np.arange(-long / 2 + 0.6, long / 2 - 0.5, 1.3)[: count(rng, 1, 4)]],
            ),
        ]
    elif kind == "fire truck":
        ladder = merge(
            [
                both_sides(box((long, 0.06, 0.08), (mid, 0.3, 0), steel(rng))),
                copies(
                    box((0.05, 0.6, 0.05), color=steel(rng)),
                    [(mid + v, 0, 0.02) for v in np.linspace(-0.48, 0.48, 14) * long],
                ),
            ]
        )
        parts += [
            box((long, wide, 1.5), (mid, 0, 0.9), color),
            move(rotate(ladder, "y", rng.uniform(0, 12)), (0, 0, 2.6)),
            box((0.3, 1.6, 0.15), (0.8, 0, 2.75), (0.1, 0.2, 0.9)),
        ]
    else:
        drum = lathe([(0.3, 0), (1.1, 1.0), (1.15, 2.2), (0.8, 3.4), (0.4, 4.0)], color=load)
        parts.append(move(rotate(drum, "y", -72), (-0.3, 0, 1.7)))
    axles = [
        1.1 + nose * 0.5,
        *np.linspace(-long + 0.8, -long + 0.8 + 1.1 * (2 if long > 7 else 1), 3 if long > 7 else 2),
    ]
    if long > 7:
        axles.append(-0.6)
    return [*parts, wheels(0.5, 0.35, axles, wide - 0.3)], [
        kind,
        "lorry",
        f"{name} truck",
    ] if kind != "fire truck" else [kind, "fire engine"]

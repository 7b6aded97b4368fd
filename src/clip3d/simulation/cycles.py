"""Cycles and things that are pushed."""

from __future__ import annotations

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, dark, maybe, pick, steel, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate
from clip3d.simulation.running_gear import spoked, wheel
from clip3d.simulation.shapes import box, cushion, cylinder, extrude, lathe, loft, ribbon, rod, sphere, torus, tube

MOTORCYCLES = ("motorbike", "sport motorcycle", "chopper", "scooter")


def motorcycle(rng: Rng, *kinds: str) -> Drawn:
    """Motorcycles: choppers, sports machines, tourers and scooters."""
    color, r, base = bright(rng), rng.uniform(0.28, 0.33), rng.uniform(1.25, 1.6)
    kind = pick(rng, *(kinds or MOTORCYCLES))
    r, base = (0.22, 1.2) if kind == "scooter" else (r, base)
    x, rake = base / 2, 0.55 if kind == "chopper" else 0.3
    fat = rotate(
        merge(
            [
                torus(r - 0.06, 0.065, color=(0.08, 0.08, 0.08)),
                ring(rod((0, 0, 0), (r - 0.06, 0, 0), 0.01, steel(rng)), 8),
                cylinder(0.06, 0.12, (0, 0, -0.06), steel(rng)),
            ]
        ),
        "x",
        90,
    )
    bar = (x - rake, 0, r + rng.uniform(0.6, 0.8))
    fork = both_sides(rod((x, 0.07, r), (bar[0], 0.07, bar[2]), 0.022, steel(rng)))
    handle = tube(
        [
            (bar[0] - 0.2, -0.36, bar[2] + 0.03),
            (bar[0], -0.2, bar[2] + 0.08),
            (bar[0], 0.2, bar[2] + 0.08),
            (bar[0] - 0.2, 0.36, bar[2] + 0.03),
        ],
        0.016,
        dark(rng),
    )
    parts = [
        copies(fat, [(x, 0, r), (-x, 0, r)]),
        fork,
        handle,
        rotate(cylinder(0.1, 0.08, color=(0.95, 0.95, 0.85)), "y", 90),
    ]
    parts[-1] = move(parts[-1], (bar[0] + 0.03, 0, bar[2] - 0.05))
    if kind == "scooter":
        path = [(bar[0] + 0.03, 0, bar[2] - 0.05), (bar[0] + 0.08, 0, 0.35), (0.1, 0, 0.25), (-0.2, 0, 0.3)]
        return [
            *parts,
            tube(path, 0.09, color, 8, section=(2.2, 0.5)),
            cushion((0.75, 0.36, 0.42), (-0.45, 0, 0.28), color, 0.6),
            cushion((0.65, 0.3, 0.1), (-0.4, 0, 0.68), dark(rng), 0.4),
        ], ["motor scooter", "moped"]
    parts += [
        cushion((0.55, 0.28, 0.24), (0.12, 0, r + 0.35), color, 0.7),
        cushion((0.6, 0.28, 0.1), (-0.4, 0, r + 0.38), dark(rng), 0.4),
        box((0.5, 0.3, 0.35), (0.02, 0, 0.22), steel(rng), 0.05),
    ]
    parts += [
        rod((-0.1, 0.17, 0.25), (-x - 0.2, 0.17, 0.32), 0.04, steel(rng)),
        rod((-x, 0, r), (-0.1, 0, 0.4), 0.05, dark(rng)),
        box((0.35, 0.16, 0.03), (-x, 0, 2 * r + 0.02), color),
    ]
    if kind == "sport motorcycle":
        parts.append(sphere((0.34, 0.2, 0.26), (bar[0] - 0.02, 0, bar[2] - 0.12), color))
    return parts, [kind, "motorbike"]


def bicycle(rng: Rng) -> Drawn:
    """Bicycles: men's and women's frames, racing bars, baskets, mudguards, children's and penny-farthings."""
    color, r, x = bright(rng), rng.uniform(0.3, 0.35), rng.uniform(0.48, 0.55)
    if maybe(rng, 0.08):
        big, small = move(spoked(0.65, steel(rng)), (0, 0, 0.65)), move(spoked(0.2, steel(rng)), (-0.85, 0, 0.2))
        spine = tube([(0.02, 0, 1.36), (-0.5, 0, 1.15), (-0.8, 0, 0.6), (-0.85, 0, 0.2)], 0.02, color)
        return [
            big,
            small,
            spine,
            rod((0, -0.3, 1.38), (0, 0.3, 1.38), 0.012, color),
            rod((0, 0, 0.65), (0.02, 0, 1.38), 0.02, color),
            cushion((0.25, 0.15, 0.06), (-0.15, 0, 1.38), dark(rng), 0.5),
        ], ["penny-farthing", "old bicycle"]
    seat, head, crank = (-0.2, 0, rng.uniform(0.85, 0.98)), (x - 0.2, 0, rng.uniform(0.85, 1.0)), (-0.05, 0, 0.28)
    rear, front = (-x, 0, r), (x, 0, r)
    pairs = [
        (crank, seat),
        (crank, (head[0] + 0.03, 0, head[2] - 0.2)),
        (rear, crank),
        (rear, (-0.19, 0, 0.75)),
        (front, head),
    ]
    ladies = maybe(rng, 0.35)
    pairs.append(
        ((-0.15, 0, 0.55), (head[0], 0, head[2] - 0.15))
        if ladies
        else ((-0.18, 0, 0.75), (head[0], 0, head[2] - 0.08))
    )
    parts = [
        copies(spoked(r, steel(rng), rng.uniform(0.012, 0.028)), [rear, front]),
        *(rod(a, b, 0.016, color) for a, b in pairs),
    ]
    drop = maybe(rng, 0.3)
    bar = (
        [(0.1, 0.2, -0.12), (0.15, 0.2, 0.0), (0.02, 0.2, 0.03), (0, 0, 0.03)]
        if drop
        else [(-0.15, 0.3, 0.06), (0, 0.15, 0.06), (0, 0, 0.03)]
    )
    parts.append(both_sides(tube(np.array(bar) + head, 0.012, dark(rng))))
    parts += [
        cushion((0.26, 0.15, 0.06), (seat[0], 0, seat[2]), dark(rng), 0.6),
        rotate(cylinder(0.09, 0.015, color=steel(rng)), "x", 90),
    ]
    parts[-1] = move(parts[-1], (crank[0], 0.03, crank[2]))
    parts += [rod(crank, (crank[0] + s * 0.15, s * 0.07, crank[2] - s * 0.06), 0.01, steel(rng)) for s in (-1, 1)]
    parts += [
        box((0.08, 0.09, 0.02), (crank[0] + s * 0.15, s * 0.12, crank[2] - s * 0.06), dark(rng)) for s in (-1, 1)
    ]
    if maybe(rng, 0.25):
        parts.append(
            lathe(
                [(0.12, 0), (0.17, 0.2), (0.16, 0.2), (0.11, 0.02)],
                (head[0] + 0.25, 0, head[2] - 0.15),
                wood(rng),
                4,
            )
        )
    return parts, ["racing bicycle" if drop else pick(rng, "city bike", "bike"), "bike"]


def wheelbarrow(rng: Rng) -> Drawn:
    """Wheelbarrows: a tray on one wheel, two handles, two legs."""
    color, frame = bright(rng), steel(rng)
    corners = np.array([(0.35, 0.28), (-0.35, 0.28), (-0.35, -0.28), (0.35, -0.28)])
    tray = loft(
        np.stack(
            [
                np.column_stack([corners * f, np.full(4, z)])
                for f, z in ((0.6, 0.35), (1.05, 0.62), (1.0, 0.62), (0.55, 0.38))
            ]
        ),
        color,
    )
    shaft = both_sides(
        tube([(0.62, 0.07, 0.2), (0.1, 0.2, 0.36), (-0.4, 0.26, 0.45), (-0.95, 0.28, 0.6)], 0.018, frame)
    )
    leg = both_sides(tube([(-0.15, 0.23, 0.42), (-0.35, 0.26, 0.01), (-0.5, 0.26, 0.46)], 0.014, frame))
    return [tray, shaft, leg, move(wheel(0.2, 0.09, color), (0.62, 0, 0.2))], ["garden wheelbarrow", "barrow"]


def stroller(rng: Rng) -> Drawn:
    """Prams and strollers: a carriage with a hood or an open seat, a push bar and four wheels."""
    color, frame, r = bright(rng), steel(rng), rng.uniform(0.1, 0.18)
    parts = [
        both_sides(rod((0.35, 0.22, r), (-0.45, 0.22, 1.0), 0.012, frame)),
        both_sides(rod((-0.3, 0.22, r), (0.2, 0.22, 0.55), 0.012, frame)),
        rod((-0.45, -0.22, 1.0), (-0.45, 0.22, 1.0), 0.016, dark(rng)),
    ]
    parts.append(copies(spoked(r, frame, 0.02), [(x, s * 0.25, r) for x in (0.35, -0.32) for s in (-1, 1)]))
    hood = ribbon(
        [(0.32 * np.cos(t), 0, 0.32 * np.sin(t)) for t in np.radians(np.linspace(80, 200, 9))], 0.44, color
    )
    if maybe(rng):
        tub = cushion((0.75, 0.42, 0.32), (0, 0, 0.48), color, 0.4)
        return [*parts, tub, move(hood, (-0.02, 0, 0.72))], ["baby carriage", "pram"]
    seat = ribbon([(0.3, 0, 0.3), (0.25, 0, 0.5), (-0.05, 0, 0.48), (-0.3, 0, 0.9)], 0.38, color)
    return [*parts, seat, move(hood, (-0.05, 0, 0.75))], ["baby stroller", "pushchair"]


def skateboard(rng: Rng) -> Drawn:
    """Skateboards and kick scooters."""
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    deck = extrude(
        np.column_stack(
            [
                0.4 * np.sign(np.cos(t)) * np.abs(np.cos(t)) ** 0.6,
                0.1 * np.sign(np.sin(t)) * np.abs(np.sin(t)) ** 0.5,
            ]
        ),
        0.012,
        (0, 0, 0.09),
        bright(rng),
    )
    lift = np.maximum(np.abs(deck.vertices[:, 0]) - 0.28, 0) * 0.45
    deck = Mesh(deck.vertices + np.outer(lift, [0, 0, 1]), deck.faces, face_colors=deck.face_colors)
    axle = copies(rod((0, -0.1, 0.05), (0, 0.1, 0.05), 0.015, steel(rng)), [(s * 0.22, 0, 0) for s in (-1, 1)])
    roll = copies(
        wheel(rng.uniform(0.026, 0.035), 0.035, bright(rng)),
        [(s * 0.22, k * 0.09, 0.035) for s in (-1, 1) for k in (-1, 1)],
    )
    return [
        deck,
        axle,
        roll,
        copies(box((0.06, 0.06, 0.04), (0, 0, 0.05), steel(rng)), [(s * 0.22, 0, 0) for s in (-1, 1)]),
    ], ["skate board"]


def shopping_cart(rng: Rng) -> Drawn:
    """Shopping trolleys: a wire basket on castors."""
    frame, wires = steel(rng), []
    for z, f in ((0.45, 0.75), (0.6, 0.83), (0.75, 0.9), (0.95, 1.0)):
        wires.append(
            tube(
                [(0.42 * f, 0.2 * f, z), (0.42 * f, -0.2 * f, z), (-0.35, -0.26 * f, z), (-0.35, 0.26 * f, z)],
                0.007,
                frame,
                4,
                closed=True,
            )
        )
    ribs = [
        rod((x * 0.75, s * 0.17, 0.45), (x, s * 0.23, 0.95), 0.005, frame, sides=4)
        for x in np.linspace(-0.35, 0.42, 9)
        for s in (-1, 1)
    ]
    floor = copies(
        rod((-0.3, 0, 0.45), (0.31, 0, 0.45), 0.005, frame, sides=4),
        [(0, y, 0) for y in np.linspace(-0.16, 0.16, 6)],
    )
    legs = both_sides(
        tube([(0.4, 0.2, 0.1), (-0.35, 0.22, 0.15), (-0.4, 0.22, 0.95), (-0.5, 0.22, 1.02)], 0.012, frame)
    )
    castors = copies(wheel(0.05, 0.03), [(x, s * 0.21, 0.05) for x in (0.38, -0.35) for s in (-1, 1)])
    return [
        *wires,
        *ribs,
        floor,
        legs,
        rod((-0.5, -0.23, 1.02), (-0.5, 0.23, 1.02), 0.018, bright(rng)),
        castors,
    ], ["shopping trolley", "cart"]

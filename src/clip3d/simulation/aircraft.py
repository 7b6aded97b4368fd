"""Things that fly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, count, dark, maybe, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import both_sides, copies, merge, move, ring, rotate
from clip3d.simulation.shapes import (
    Color,
    beam,
    box,
    cushion,
    cylinder,
    extrude,
    lathe,
    loft,
    rod,
    sphere,
    torus,
    tube,
)


def wing(root: float, tip: float, span: float, sweep: float, thick: float, color: Color, lift: float = 0.0) -> Mesh:
    """The left wing from the origin along y: chords at root and tip, swept back and raised by so many metres."""
    shape = np.array([(0.5, 0.0), (0.2, 0.5), (-0.5, 0.05), (-0.5, -0.05), (0.2, -0.5)])

    def section(chord: float, y: float, back: float, z: float) -> NDArray[np.float64]:
        return np.column_stack([shape[:, 0] * chord - back, np.full(5, y), shape[:, 1] * thick * chord / root + z])

    return loft(np.stack([section(root, 0.0, 0.0, 0.0), section(tip, span, sweep, lift)]), color)


def _fin(root: float, tip: float, height: float, sweep: float, color: Color) -> Mesh:
    return rotate(wing(root, tip, height, sweep, root * 0.08, color), "x", 90)


def _propeller(radius: float, blades: int, color: Color) -> Mesh:
    """A propeller that turns about x."""
    blade = box((radius * 0.16, radius * 0.04, radius), color=color)
    return merge(
        [
            rotate(ring(rotate(rotate(blade, "z", 60), "y", 90), blades), "y", 90),
            rotate(cylinder(radius * 0.12, radius * 0.3, color=color, top=0.01), "y", 90),
        ]
    )


def airplane(rng: Rng) -> Drawn:
    """Aeroplanes: airliners, light aircraft, biplanes, gliders, fighters, jumbo jets, seaplanes."""
    color, mark = pick(rng, white(rng), bright(rng), steel(rng)), bright(rng)
    kind = pick(rng, "airliner", "airliner", "propeller", "biplane", "glider", "fighter", "fighter", "transport")
    long = rng.uniform(9, 11)
    x, r = long / 2, {"glider": 0.4, "fighter": 0.55, "airliner": 0.62}.get(kind, 0.7) * rng.uniform(0.85, 1.1)
    s = np.array([-1.0, -0.75, -0.3, 0.3, 0.75, 0.92, 1.0])
    width = (
        np.array([0.12, 0.5, 1, 1, 0.9, 0.55, 0.1])
        if kind not in ("fighter", "glider")
        else np.array([0.5, 0.8, 1, 0.95, 0.6, 0.3, 0.05])
    )
    if kind == "glider":
        width = np.array([0.1, 0.15, 0.3, 0.9, 0.9, 0.5, 0.1])
    body = tube(np.column_stack([s * x, 0 * s, 0.25 * r * (1 - width) * (s < 0)]), r * width, color, 14)
    glass = sphere((0.9, r * 0.5, r * 0.45), (x * 0.6, 0, r * 0.7), (0.2, 0.25, 0.32))
    if kind == "fighter":
        delta = maybe(rng)
        main = wing(long * (0.5 if delta else 0.3), 0.6, rng.uniform(2.6, 3.6), rng.uniform(1.5, 2.8), 0.2, color)
        tails = (
            both_sides(
                move(rotate(_fin(1.8, 0.8, 1.8, 1.0, color), "x", -rng.uniform(0, 20)), (-x * 0.75, 0.45, 0.3))
            )
            if maybe(rng)
            else move(_fin(2.2, 0.9, 2.0, 1.2, color), (-x * 0.75, 0, 0.3))
        )
        stab = both_sides(move(wing(1.4, 0.6, 1.6, 0.9, 0.12, color), (-x * 0.85, 0.2, 0)))
        store = both_sides(move(rod((-0.8, 0, 0), (1.0, 0, 0), 0.12, mark, 0.03), (-0.5, 2.0, -0.35)))
        parts = [body, glass, both_sides(move(main, (-0.8, 0.2, -0.1))), tails, stab]
        return parts + ([store] if maybe(rng, 0.6) else []), ["fighter jet", "jet plane", "military aircraft"]
    span = {"glider": 7.5, "airliner": 5.0}.get(kind, 4.8) * rng.uniform(0.9, 1.15)
    root, sweep = {"glider": 0.9, "airliner": 2.0}.get(kind, 1.5), {"airliner": 2.2, "glider": 0.1}.get(kind, 0.15)
    high = pick(rng, r * 0.8, -r * 0.5) if kind != "airliner" else -r * 0.5
    main = both_sides(
        move(wing(root, root * rng.uniform(0.35, 0.8), span, sweep, 0.25, color, span * 0.06), (0.5, 0, high))
    )
    tail = [
        move(_fin(1.6, 0.8, 1.9, 1.0, mark), (-x * 0.86, 0, r * 0.2)),
        both_sides(move(wing(1.1, 0.6, 2.0, 0.7, 0.12, color), (-x * 0.88, 0, pick(rng, 0.1, 1.9)))),
    ]
    parts = [body, main, *tail]
    if kind == "airliner":
        n = pick(rng, 1, 1, 2)
        engine = lathe([(0.3, 0), (0.38, 0.6), (0.36, 1.3), (0.28, 1.3), (0.2, 0.2)], color=mark)
        spots = [
            (0.3 + 0.9 - 0.45 * span * f, span * f * 1.1, -r * 0.5 - 0.35)
            for f in ((0.3,) if n == 1 else (0.27, 0.52))
        ]
        parts += [
            both_sides(copies(rotate(engine, "y", 90), [(a - 0.6, b, c) for a, b, c in spots])),
            beam((x * 0.9, 0, r * 0.35), (x * 0.8, 0, r * 0.7), r, 0.05, (0.2, 0.25, 0.32)),
        ]
        parts.append(
            both_sides(
                copies(
                    box((0.12, 0.02, 0.14), color=(0.2, 0.25, 0.32)),
                    [(v, r * 0.97, 0.1) for v in np.linspace(-0.55, 0.6, 16) * x],
                )
            )
        )
        return parts, ["passenger airplane", "airliner", "jet airliner"]
    parts.append(glass)
    if kind == "glider":
        return parts, ["glider", "sailplane"]
    props = (
        [(x, 0.0, 0.0)]
        if kind != "transport"
        else [(1.4, k * span * f, high) for f in (0.35, 0.65) for k in (-1, 1)]
    )
    parts.append(copies(_propeller(1.0, count(rng, 2, 4), dark(rng)), props))
    if kind == "transport":
        parts += [rod((0.2, y, z), (1.4, y, z), 0.25, mark, 0.15) for _, y, z in props]
        return parts, ["transport plane", "propeller plane"]
    if kind == "biplane":
        low = -r * 0.6 if high > 0 else r * 1.9
        parts.append(move(main, (0.1, 0, low - high)))
        struts = [
            rod((0.5 + a, b, min(high, low) + 0.1), (0.5 + a, b, max(high, low) + 0.1), 0.04, dark(rng))
            for a in (-0.3, 0.3)
            for b in (span * 0.4, span * 0.75)
        ]
        parts += [both_sides(m) for m in struts]
    gear = both_sides(
        merge(
            [
                rod((1.2, 0.3, -r * 0.7), (1.3, 0.9, -r - 0.7), 0.05, dark(rng)),
                move(rotate(cylinder(0.3, 0.15, color=dark(rng)), "x", 90), (1.3, 1.0, -r - 0.7)),
            ]
        )
    )
    return [*parts, gear], ["biplane" if kind == "biplane" else "propeller plane", "light aircraft"]


def helicopter(rng: Rng) -> Drawn:
    """Helicopters: rotor, cabin, tail boom with its own rotor, skids or wheels; tandem rotors."""
    color, dark_ = pick(rng, bright(rng), steel(rng), (0.3, 0.35, 0.22)), dark(rng)
    blades = count(rng, 2, 5)
    reach = rng.uniform(4.0, 5.2)
    rotor = merge(
        [
            ring(box((reach, 0.22, 0.05), (reach / 2, 0, 0), dark_), blades, start=rng.uniform(0, 90)),
            cylinder(0.12, 0.5, (0, 0, -0.4), dark_),
        ]
    )
    skid = both_sides(
        merge(
            [
                tube([(-1.4, 1.0, 0.05), (1.4, 1.0, 0.05), (1.8, 1.0, 0.25)], 0.06, dark_),
                rod((0.8, 1.0, 0.05), (0.8, 0.5, 0.9), 0.05, dark_),
                rod((-0.8, 1.0, 0.05), (-0.8, 0.5, 0.9), 0.05, dark_),
            ]
        )
    )
    if maybe(rng, 0.15):
        hull = rotate(box((2.2, 2.0, 8.0), color=color, bevel=0.4), "y", 90)
        return [
            move(hull, (-4, 0, 2)),
            copies(rotor, [(-3.2, 0, 3.9), (3.2, 0, 3.5)]),
            box((1.2, 0.8, 0.8), (-3.2, 0, 3.0), color),
            skid,
        ], ["tandem helicopter"]
    cabin = sphere((rng.uniform(1.6, 2.1), 1.0, rng.uniform(0.95, 1.15)), (0, 0, 1.7), color)
    glass = sphere((1.1, 0.9, 0.85), (0.85, 0, 1.75), (0.2, 0.26, 0.33))
    boom = rod((-1.2, 0, 2.0), (-5.2, 0, 2.3), 0.4, color, 0.15)
    tail = [
        move(_fin(0.9, 0.5, 1.2, 0.6, color), (-5.1, 0, 2.2)),
        both_sides(move(wing(0.6, 0.4, 0.9, 0.2, 0.08, color), (-4.4, 0, 2.25))),
    ]
    back = move(
        rotate(ring(box((0.9, 0.12, 0.04), (0.45, 0, 0), dark_), count(rng, 2, 4)), "x", 90), (-5.3, 0.25, 2.7)
    )
    return [
        cabin,
        glass,
        boom,
        *tail,
        back,
        move(rotor, (0, 0, 3.2)),
        box((1.4, 0.7, 0.5), (-0.3, 0, 2.5), color, 0.1),
        skid,
    ], ["rescue helicopter", "chopper"]


def rocket(rng: Rng) -> Drawn:
    """Rockets: a slender body with a nose, fins or boosters, and nozzles; toy rockets; a shuttle stack."""
    color, mark, r, h = pick(rng, white(rng), bright(rng)), bright(rng), rng.uniform(0.5, 1.0), rng.uniform(5, 9)
    belly = rng.uniform(0, 0.5) if maybe(rng, 0.5) else 0.0
    z = np.linspace(0, 1, 12)
    radius = r * np.interp(
        z, [0, 0.1, 0.5, 0.72, 1], [0.75 if belly else 1, 0.85 if belly else 1, 1 + belly, 1 + belly * 0.6, 0]
    )
    radius[-4:] = radius[-4] * np.sqrt(np.clip(1 - np.linspace(0, 1, 4) ** 1.6, 0, 1))
    parts = [
        lathe(np.column_stack([radius, 0.8 + h * z]), color=color),
        lathe([(r * 0.7, 0.2), (r * 0.35, 0.8)], color=dark(rng)),
    ]
    if maybe(rng, 0.35):
        booster = lathe([(r * 0.5, 0.3), (r * 0.5, h * 0.5), (0, h * 0.62)], (r * 1.55, 0, 0), mark)
        parts.append(ring(booster, pick(rng, 2, 4)))
    else:
        fin = rotate(
            extrude(
                [(r * 0.8, 0.8 + h * 0.3), (r * 2.0, 0.8), (r * 2.1, 0.0), (r * 0.8, 0.9)],
                0.12,
                (0, 0, -0.06),
                mark,
            ),
            "x",
            90,
        )
        parts.append(ring(fin, count(rng, 3, 4)))
    parts.append(torus(r * 1.02 + belly * r * 0.5, 0.08, (0, 0, 0.8 + h * 0.6), mark))
    if belly:
        parts.append(
            copies(
                rotate(cylinder(0.25, 0.1, color=(0.3, 0.5, 0.7)), "y", 90),
                [(r * (1 + belly) - 0.05, 0, 0.8 + h * 0.55)],
            )
        )
    return parts, ["space rocket", "missile" if not belly else "toy rocket"]


def hot_air_balloon(rng: Rng) -> Drawn:
    """Hot air balloons: a pear-shaped envelope in stripes, ropes and a basket."""
    r = rng.uniform(4, 5)
    t = np.linspace(0.0, np.pi, 14)
    radius = r * np.sin(t)
    z = 10 - r * 1.15 * np.cos(t) * np.where(t < np.pi / 2, rng.uniform(1.2, 1.5), 1.0)
    keep = radius > 0.12 * r
    outline = np.column_stack([np.append(radius[keep], 0.0), np.append(z[keep], z[-1])])
    envelope = lathe(outline, color=bright(rng), sides=24)
    stripes = np.array([bright(rng), bright(rng)], dtype=np.float32)
    if envelope.face_colors is not None:
        column = np.arctan2(*envelope.corners().mean(axis=1)[:, [1, 0]].T) / (np.pi / 6)
        envelope = Mesh(envelope.vertices, envelope.faces, face_colors=stripes[np.floor(column).astype(int) % 2])
    low = float(z[keep][0])
    ropes = ring(rod((0.5, 0, 1.0), (float(radius[keep][0]), 0, low), 0.03, dark(rng), sides=4), 8)
    return [envelope, ropes, box((1.1, 1.1, 0.9), (0, 0, 0), wood(rng), 0.08)], ["balloon"]


def drone(rng: Rng) -> Drawn:
    """Drones: four to eight arms with rotors, a body, legs, a camera."""
    color, n, reach = pick(rng, white(rng), dark(rng), bright(rng)), pick(rng, 4, 4, 4, 6), rng.uniform(0.18, 0.26)
    prop = merge([box((reach * 0.95, 0.02, 0.004), color=dark(rng)), cylinder(0.02, 0.04, (0, 0, -0.04), color)])
    arm = merge(
        [
            rod((0, 0, 0.06), (reach, 0, 0.08), 0.014, color),
            move(rotate(prop, "z", rng.uniform(0, 90)), (reach, 0, 0.12)),
        ]
    )
    if maybe(rng, 0.3):
        arm = merge([arm, torus(reach * 0.5, 0.008, (reach, 0, 0.11), dark(rng))])
    leg = both_sides(
        tube([(-0.1, 0.08, 0.0), (0, 0.08, 0.0), (0.0, 0.05, 0.06), (0, 0.08, 0.0), (0.1, 0.08, 0.0)], 0.007, color)
    )
    return [
        ring(arm, n, start=45),
        cushion((0.2, 0.12, 0.07), (0, 0, 0.03), color, 0.5),
        leg,
        sphere(0.025, (0.1, 0, 0.03), dark(rng)),
    ], ["quadcopter" if n == 4 else "hexacopter"]

"""Kitchen machines and large household appliances."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import Rng, bright, count, dark, maybe, near, pick, steel, white, wood
from clip3d.simulation.family import Drawn
from clip3d.simulation.fixtures import hollow, tap
from clip3d.simulation.moving import both_sides, copies, deform, merge, move, ring, rotate, scale
from clip3d.simulation.shapes import Color, box, capsule, cushion, cylinder, dome, extrude, lathe, rod, torus, tube
from clip3d.simulation.storage import carcass


def _white_goods(rng: Rng) -> Color:
    return pick(rng, white(rng), white(rng), steel(rng), dark(rng))


def kitchen_sink(rng: Rng) -> Drawn:
    """Kitchen sinks: one or two bowls in a counter or on a cabinet, with a tap and a drainer."""
    bowls, steel_color, board = count(rng, 1, 2), steel(rng), wood(rng)
    width, depth, high, deep = 0.45 * bowls + rng.uniform(0.1, 0.6), 0.55, 0.0, rng.uniform(0.15, 0.2)
    if maybe(rng, 0.7):
        high = 0.85
    y0 = -width / 2 + 0.05
    parts = []
    for i in range(bowls):
        y = y0 + 0.22 + 0.43 * i
        rings = [(0.2, 0.2, high), (0.19, 0.19, high - deep + 0.03), (0.15, 0.15, high - deep)]
        skin = hollow([(a, b, z, 0.02) for a, b, z in rings], near(rng, steel_color), 5)
        parts.append(move(skin, (0, y, 0)))
    start = y0 + 0.43 * bowls + 0.03
    rims = [
        box((0.06, width, 0.03), (-depth / 2 + 0.03, 0, high - 0.02), steel_color),
        box((0.06, width, 0.03), (depth / 2 - 0.03, 0, high - 0.02), steel_color),
    ]
    rims += [box((depth, 0.05, 0.03), (0, v, high - 0.02), steel_color) for v in (y0 - 0.02, start - 0.03)]
    if width / 2 - start > 0.08:
        rims.append(box((depth, width / 2 - start, 0.02), (0, (start + width / 2) / 2, high - 0.02), steel_color))
        n = np.linspace(start + 0.04, width / 2 - 0.02, 5)
        rims.append(copies(box((depth * 0.7, 0.012, 0.012), color=steel_color), [(0, v, high) for v in n]))
    if high:
        rims.append(merge(carcass(depth, width, high - 0.02, 0, board, 0.02)[1:]))
        rims.append(box((0.02, width * 0.98, (high - 0.05)), (depth / 2, 0, 0.02), board))
    return [*parts, *rims, tap(rng, (-depth / 2 + 0.04, y0 + 0.22 * bowls, high), 1.6)], [
        "kitchen sink",
        f"sink with {'one bowl' if bowls == 1 else 'two bowls'}",
    ]


def stove(rng: Rng) -> Drawn:
    """Stoves: an oven door with a window, knobs, four or more burners, perhaps a back panel or a hood."""
    color, w, d, h = _white_goods(rng), rng.uniform(0.5, 0.9), 0.6, rng.uniform(0.82, 0.92)
    x, n = d / 2, 4 if maybe(rng, 0.8) else 6
    parts = [box((d, w, h), color=color), box((0.03, w * 0.92, h * 0.55), (x, 0, h * 0.15), near(rng, color))]
    parts += [
        box((0.01, w * 0.6, h * 0.28), (x + 0.015, 0, h * 0.25), dark(rng)),
        rod((x + 0.06, -w * 0.38, h * 0.67), (x + 0.06, w * 0.38, h * 0.67), 0.012, steel(rng)),
    ]
    parts.append(
        copies(
            rotate(cylinder(0.022, 0.03, color=dark(rng), sides=10), "y", 90),
            [(x, y, h * 0.88) for y in np.linspace(-0.38, 0.38, 5) * w],
        )
    )
    burner = merge([cylinder(0.08, 0.012, color=dark(rng)), torus(0.075, 0.008, (0, 0, 0.02), dark(rng), 14)])
    spots = [(s * d * 0.23, y, h) for s in (-1, 1) for y in np.linspace(-0.27, 0.27, n // 2) * w]
    parts.append(copies(burner, spots))
    if maybe(rng, 0.5):
        parts.append(box((0.05, w, rng.uniform(0.1, 0.25)), (-x, 0, h), color))
    return parts, ["stove with an oven", "cooker", "oven"]


def refrigerator(rng: Rng) -> Drawn:
    """Refrigerators: one door, freezer above or below, side by side, rounded old ones, open ones with shelves."""
    color, w, d, h = _white_goods(rng), rng.uniform(0.55, 0.95), rng.uniform(0.55, 0.75), rng.uniform(1.2, 2.0)
    kind = pick(rng, "top", "bottom", "side", "one", "open")
    x, grip = d / 2, box((0.03, 0.02, 0.35), color=steel(rng))
    split = {"top": 0.7, "bottom": 0.35, "side": 0.5, "one": 0.0, "open": 0.0}[kind]
    bevel = rng.uniform(0.004, 0.05)
    if kind == "open":
        door = rotate(box((0.06, w, h), (0, w / 2, 0), color, 0.01), "z", rng.uniform(50, 100))
        shelves = copies(
            box((d * 0.9, w * 0.95, 0.012), color=near(rng, (0.8, 0.88, 0.9))),
            [(0, 0, z) for z in np.linspace(0.3, h - 0.3, 4)],
        )
        food = [
            box((0.12, 0.1, rng.uniform(0.08, 0.2)), (rng.uniform(-0.1, 0.1), y, z + 0.012), bright(rng))
            for y in (-0.15, 0.1)
            for z in np.linspace(0.3, h - 0.3, 4)[:3]
        ]
        return [*carcass(d, w, h, 0, color, 0.05), move(door, (x, -w / 2, 0)), shelves, *food], [
            "open refrigerator",
            "fridge",
        ]
    body = box((d - 0.06, w, h), (-0.03, 0, 0), color, bevel)
    if kind == "side":
        doors = copies(
            box((0.06, w / 2 - 0.008, h - 0.06), color=near(rng, color), bevel=bevel),
            [(x, s * w / 4, 0.05) for s in (-1, 1)],
        )
        return [body, doors, copies(scale(grip, (1, 1, 2)), [(x + 0.05, s * 0.05, h * 0.35) for s in (-1, 1)])], [
            "side-by-side refrigerator",
            "fridge",
        ]
    levels = [(0.05, h * split), (h * split, h)] if split else [(0.05, h)]
    doors = merge([box((0.06, w, b - a - 0.015), (x, 0, a), near(rng, color), bevel) for a, b in levels])
    grips = [
        move(scale(grip, (1, 1, min(1.0, (b - a)))), (x + 0.05, w * 0.42, a + (b - a) * (0.15 if i else 0.5)))
        for i, (a, b) in enumerate(levels)
    ]
    return [body, doors, *grips], ["fridge" if kind == "one" else "fridge with a freezer", "fridge"]


def washing_machine(rng: Rng) -> Drawn:
    """Washing machines: a round window in front, a soap drawer, dials; or a lid on top."""
    color, w, h = _white_goods(rng), rng.uniform(0.55, 0.65), rng.uniform(0.8, 0.95)
    x, r = w / 2, rng.uniform(0.15, 0.21)
    parts = [box((w, w, h), color=color, bevel=0.01)]
    if maybe(rng, 0.2):
        lid = rotate(box((w * 0.7, w * 0.8, 0.02), (w * 0.35, 0, 0), near(rng, color)), "y", -pick(rng, 3, 70))
        return [*parts, box((0.12, w, 0.15), (-x + 0.06, 0, h), color, 0.01), move(lid, (-x * 0.6, 0, h))], [
            "top-loading washing machine"
        ]
    door = rotate(
        merge(
            [torus(r, 0.03, (0, 0, 0.01), steel(rng)), dome((r, r, r * 0.35), color=near(rng, (0.25, 0.3, 0.35)))]
        ),
        "y",
        90,
    )
    panel = box((0.012, w * 0.96, h * 0.14), (x, 0, h * 0.83), near(rng, color))
    dial = rotate(cylinder(0.035, 0.03, color=steel(rng)), "y", 90)
    drawer = box((0.02, w * 0.3, h * 0.1), (x + 0.004, -w * 0.3, h * 0.85), near(rng, color))
    return [
        *parts,
        move(door, (x, 0, h * 0.45)),
        panel,
        drawer,
        move(dial, (x + 0.01, w * rng.uniform(0.05, 0.3), h * 0.9)),
    ], ["front-loading washing machine", "washer"]


def dishwasher(rng: Rng) -> Drawn:
    """Dishwashers: shut, or with the door let down and racks of plates."""
    color, w, h = _white_goods(rng), 0.6, 0.85
    x = w / 2
    plate = rotate(cylinder(0.1, 0.012, color=white(rng), sides=14), "x", 80)
    if maybe(rng, 0.55):
        door = box((h * 0.85, w * 0.97, 0.05), (x + h * 0.42, 0, 0.08), near(rng, color))
        racks = [box((0.5, 0.52, 0.02), (0, 0, z), steel(rng)) for z in (0.2, 0.52)]
        dishes = copies(plate, [(a, y, 0.32) for a in (-0.12, 0.1) for y in np.linspace(-0.2, 0.2, 7)])
        cups = copies(
            cylinder(0.035, 0.09, color=bright(rng)),
            [(a, y, 0.54) for a in (-0.15, 0.0, 0.15) for y in (-0.18, -0.06, 0.06, 0.18)],
        )
        return [*carcass(w, w, h, 0, color, 0.03), door, *racks, dishes, cups], ["open dishwasher"]
    parts = [
        box((w, w, h), color=color),
        box((0.025, w * 0.97, h * 0.7), (x, 0, 0.1), near(rng, color)),
        box((0.02, w * 0.97, 0.1), (x, 0, h * 0.86), dark(rng)),
    ]
    return [*parts, rod((x + 0.05, -w * 0.35, h * 0.8), (x + 0.05, w * 0.35, h * 0.8), 0.012, steel(rng))], [
        "dishwasher"
    ]


def microwave(rng: Rng) -> Drawn:
    """Microwave ovens: window, handle, key field; the door shut or open."""
    color, w, d, h = _white_goods(rng), rng.uniform(0.45, 0.55), rng.uniform(0.32, 0.42), rng.uniform(0.26, 0.32)
    door = merge(
        [
            box((0.025, w * 0.7, h * 0.92), (0, w * 0.35, 0), near(rng, color)),
            box((0.01, w * 0.5, h * 0.6), (0.015, w * 0.35, h * 0.16), dark(rng)),
            box((0.03, 0.015, h * 0.7), (0.03, w * 0.67, h * 0.1), steel(rng)),
        ]
    )
    keys = copies(
        box((0.01, 0.02, 0.015), color=steel(rng)),
        [(d / 2, w * 0.32 + 0.028 * i, h * 0.2 + 0.028 * j) for i in range(3) for j in range(4)],
    )
    door = rotate(door, "z", -pick(rng, 0.0, 0.0, 70.0))
    shell = box((d, w, h), color=color, bevel=0.006)
    return [
        shell,
        move(door, (d / 2 + 0.01, -w * 0.48, h * 0.04)),
        keys,
        box((0.008, w * 0.2, 0.04), (d / 2, w * 0.38, h * 0.72), dark(rng)),
    ], ["microwave oven"]


def toaster(rng: Rng) -> Drawn:
    """Toasters with two or four slots, a lever and perhaps bread."""
    color, slots = pick(rng, steel(rng), bright(rng), dark(rng)), pick(rng, 2, 2, 4)
    w, d, h = rng.uniform(0.24, 0.3), 0.075 * slots, rng.uniform(0.17, 0.21)
    body = rotate(
        extrude(
            [(-d / 2, 0), (d / 2, 0), (d / 2, h * 0.75), (d * 0.33, h), (-d * 0.33, h), (-d / 2, h * 0.75)],
            w,
            color=color,
        ),
        "x",
        90,
    )
    x = (np.arange(slots) - (slots - 1) / 2) * d / slots * 0.8
    gaps = copies(box((0.025, w * 0.75, 0.006), color=dark(rng)), [(v, 0, h) for v in x])
    parts = [move(body, (0, w / 2, 0.01)), gaps, box((0.04, 0.03, 0.02), (0, w / 2 + 0.015, h * 0.6), dark(rng))]
    if maybe(rng, 0.6):
        parts.append(
            copies(
                box((0.016, w * 0.5, 0.12), color=near(rng, (0.75, 0.52, 0.28)), bevel=0.006),
                [(v, 0, h - 0.06) for v in x],
            )
        )
    return parts, ["toaster with bread" if len(parts) > 3 else "toaster"]


def kettle(rng: Rng) -> Drawn:
    """Kettles: electric jugs and stove-top kettles with a bail handle."""
    color, r = pick(rng, steel(rng), bright(rng), dark(rng), white(rng)), rng.uniform(0.075, 0.1)
    grip = dark(rng)
    if maybe(rng):
        h = rng.uniform(0.2, 0.26)
        body = lathe(
            [(r, 0.02), (r, 0.04), (r * 0.75, h), (0.02, h + 0.02), (0.015, h + 0.04), (0, h + 0.04)], color=color
        )
        handle = tube(
            [(-r * 0.7, 0, h), (-r * 1.6, 0, h * 0.95), (-r * 1.7, 0, h * 0.4), (-r * 0.9, 0, h * 0.25)],
            0.014,
            grip,
        )
        spout = rod((r * 0.6, 0, h * 0.75), (r * 1.15, 0, h), 0.03, color, 0.012)
        return [body, handle, spout, cylinder(r * 1.1, 0.02, color=grip)], ["electric kettle"]
    h = r * rng.uniform(1.2, 1.6)
    body = lathe(
        [
            (r, 0),
            (r * 1.15, h * 0.25),
            (r, h * 0.7),
            (r * 0.5, h),
            (r * 0.1, h * 1.1),
            (0.014, h * 1.12),
            (0.014, h * 1.25),
            (0, h * 1.25),
        ],
        color=color,
    )
    t = np.radians(np.linspace(20, 160, 11))
    handle = tube(np.column_stack([r * np.cos(t), 0 * t, h * 0.7 + r * 1.2 * np.sin(t)]), 0.011, grip)
    return [
        body,
        handle,
        tube([(r * 0.8, 0, h * 0.4), (r * 1.5, 0, h * 0.8), (r * 1.7, 0, h)], (0.03, 0.02, 0.013), color),
    ], ["tea kettle", "stovetop kettle"]


def coffee_maker(rng: Rng) -> Drawn:
    """Coffee machines: a foot, a column, a hood, and a glass pot between."""
    color, w, h = (
        pick(rng, dark(rng), white(rng), bright(rng), steel(rng)),
        rng.uniform(0.18, 0.24),
        rng.uniform(0.3, 0.38),
    )
    pot = merge(
        [
            lathe([(0.06, 0), (0.075, 0.05), (0.05, 0.12), (0.055, 0.13)], color=near(rng, (0.35, 0.25, 0.2))),
            tube([(0.06, 0, 0.11), (0.12, 0, 0.1), (0.12, 0, 0.04), (0.075, 0, 0.03)], 0.01, dark(rng)),
        ]
    )
    parts = [
        box((0.26, w, 0.035), color=color, bevel=0.008),
        box((0.1, w, h), (-0.09, 0, 0), color, 0.008),
        box((0.24, w, h * 0.32), (-0.01, 0, h * 0.68), color, 0.01),
    ]
    return [*parts, move(pot, (0.05, 0, 0.036))], ["coffee machine"]


def fan(rng: Rng) -> Drawn:
    """Fans: on a table or floor stand behind a wire cage, or hanging from the ceiling."""
    color, blades = pick(rng, white(rng), dark(rng), steel(rng)), count(rng, 3, 5)
    if maybe(rng, 0.3):
        blade = move(box((0.5, 0.13, 0.012), color=wood(rng), bevel=0.004), (0.37, 0, 0))
        return [
            ring(rotate(blade, "x", 10), blades),
            cylinder(0.12, 0.1, (0, 0, -0.04), color),
            cylinder(0.02, 0.35, color=color),
            cylinder(0.07, 0.05, (0, 0, 0.33), color),
        ], ["ceiling fan"]
    r, high = rng.uniform(0.15, 0.24), pick(rng, rng.uniform(0.22, 0.32), rng.uniform(1.0, 1.3))
    t = np.linspace(0, np.pi, 8)
    wire = ring(
        tube(np.column_stack([r * np.cos(t / 2 + np.pi / 2) * -1, 0 * t, 0.07 * np.cos(t)]), 0.003, color, 4), 18
    )
    blade = move(
        rotate(scale(cylinder(0.5, 0.006, color=near(rng, color)), (r * 0.8, r * 0.45, 1)), "x", 25),
        (r * 0.5, 0, 0),
    )
    head = merge(
        [
            wire,
            torus(r, 0.006, color=color),
            ring(blade, blades),
            cylinder(r * 0.2, 0.05, (0, 0, 0.05), color),
            cylinder(r * 0.28, 0.12, (0, 0, -0.18), color),
        ]
    )
    foot = (
        cylinder(r * 0.8, 0.025, color=color, sides=22)
        if maybe(rng, 0.7)
        else ring(box((r, 0.04, 0.03), (r / 2, 0, 0), color), 4)
    )
    return [move(rotate(head, "y", 90), (0.12, 0, high)), cylinder(0.018, high, color=color), foot], [
        "standing fan" if high > 0.9 else "table fan",
        "electric fan",
    ]


def iron(rng: Rng) -> Drawn:
    """Clothes irons: a pointed sole, a body and a handle."""
    color, long = bright(rng), rng.uniform(0.22, 0.27)
    t = np.linspace(0, 1, 9)
    half = 0.06 * (1 - t**2.2)
    sole = extrude(
        np.concatenate([np.column_stack([long * t, half]), np.column_stack([long * t, -half])[-2::-1]]),
        0.012,
        color=steel(rng),
    )
    body = deform(
        extrude(
            np.concatenate(
                [
                    np.column_stack([long * t * 0.92, half * 0.9]),
                    np.column_stack([long * t * 0.92, -half * 0.9])[-2::-1],
                ]
            ),
            0.05,
            (0.005, 0, 0.012),
            color,
        ),
        1.0,
    )
    handle = tube(
        [(0.02, 0, 0.05), (0.0, 0, 0.11), (0.05, 0, 0.135), (long * 0.6, 0, 0.12), (long * 0.68, 0, 0.06)],
        0.015,
        dark(rng),
    )
    return [sole, body, handle, cylinder(0.012, 0.015, (long * 0.5, 0, 0.062), dark(rng))], ["clothes iron"]


def vacuum_cleaner(rng: Rng) -> Drawn:
    """Vacuum cleaners: a body on wheels, a hose, a long pipe and a floor nozzle; or upright."""
    color, trim = bright(rng), dark(rng)
    if maybe(rng, 0.4):
        parts = [
            box((0.25, 0.3, 0.09), (0.06, 0, 0), trim, 0.02),
            rotate(capsule((0, 0, 0.15), (0, 0, 0.6), 0.09, color), "y", -15),
        ]
        return [*parts, rotate(rod((0, 0, 0.6), (0, 0, 1.1), 0.015, trim), "y", -15)], ["upright vacuum cleaner"]
    wheel = both_sides(move(rotate(cylinder(0.08, 0.04, color=trim), "x", 90), (-0.12, 0.14, 0.08)))
    hose = tube([(0.2, 0, 0.15), (0.4, 0, 0.3), (0.55, 0.1, 0.6), (0.6, 0.1, 0.85)], 0.02, trim)
    pipe = rod((0.6, 0.1, 0.85), (1.15, 0.1, 0.06), 0.016, steel(rng))
    return [
        cushion((0.42, 0.27, 0.24), (0, 0, 0.02), color, 0.5),
        wheel,
        hose,
        pipe,
        box((0.1, 0.28, 0.04), (1.17, 0.1, 0), trim, 0.01),
    ], ["vacuum cleaner"]


def radiator(rng: Rng) -> Drawn:
    """Radiators: rows of ribs or a flat panel with pipes."""
    color, n, h = white(rng), count(rng, 6, 16), rng.uniform(0.45, 0.8)
    deep, step = rng.uniform(0.08, 0.16), rng.uniform(0.06, 0.09)
    y = (np.arange(n) - (n - 1) / 2) * step
    rib = box((deep, step * 0.6, h), color=color, bevel=step * 0.2)
    bars = [rod((0, y[0], z), (0, y[-1], z), deep * 0.2, color) for z in (0.12, h)]
    feet = copies(box((deep * 0.6, step * 0.5, 0.09), color=color), [(0, v, 0) for v in (y[0], y[-1])])
    return [
        copies(rib, [(0, v, 0.08) for v in y]),
        *bars,
        feet,
        rod((0, y[-1], 0.12), (0, y[-1] + 0.1, 0.12), 0.012, steel(rng)),
    ], ["heater", "ribbed radiator"]

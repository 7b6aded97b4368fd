"""Things that go together: chairs at tables, screens on desks, lamps on night stands, pictures on walls."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import count, maybe, pick
from clip3d.simulation.interiors.footprints import LOW, Footprint
from clip3d.simulation.interiors.furnishings import Furnishing
from clip3d.simulation.interiors.placing import Placed, Placer
from clip3d.simulation.shapes import Floats


def put_small_things(
    p: Placer, base: Placed, kinds: tuple[str, ...], least: int, most: int, below: float = 1.5
) -> None:
    """A few things of some kinds on top of another, no higher than `below` metres."""
    for _ in range(count(p.rng, least, most)):
        p.on_top(pick(p.rng, *kinds), base, below=below)


def hang_lights(p: Placer, office: bool = False) -> None:
    """Lights under the ceiling: one in the middle, or panels in rows."""
    width, depth = p.shell.bounds
    rows, columns = (max(1, round(depth / 2.6)), max(1, round(width / 2.6))) if office else (1, 1)
    if not office and maybe(p.rng, 0.4):
        p.from_ceiling("pendant lamp", np.array([width / 2, depth / 2]))
        return
    light = p.get("ceiling light")
    for i in range(rows):
        for j in range(columns):
            at = np.array([width * (j + 0.5) / columns, depth * (i + 0.5) / rows])
            z = p.shell.height - light.size[2] - 0.002
            spot = Footprint(at, np.array(light.size[:2]) / 2, 0.0, z, p.shell.height)
            if p.free(spot, walkway=False):
                p.put(light, at, 0.0, z)


def hang_pictures(p: Placer, pictures: int, clock: float = 0.15) -> None:
    """Pictures, by chance a clock, and a radiator under a window."""
    for _ in range(pictures):
        p.on_wall("picture", 1.2, 1.6)
    if maybe(p.rng, clock):
        p.on_wall("wall clock", 1.7, 2.1)
    if maybe(p.rng, 0.6):
        windows = [o for o in p.shell.openings if o.kind == "window"]
        if windows:
            opening = pick(p.rng, *windows)
            wall, radiator = p.shell.walls[opening.wall], p.get("radiator")
            at = wall.at((opening.start + opening.end) / 2, radiator.size[0] / 2 + 0.04)
            spot = Footprint(at, np.array(radiator.size[:2]) / 2, wall.facing, 0.1, 0.1 + radiator.size[2])
            if radiator.size[2] + 0.1 < opening.low and p.free(spot, walkway=False):
                p.put(radiator, at, wall.facing, 0.1)


def scatter(p: Placer, least: int, most: int) -> None:
    """What lies about: boxes, bags, bins, baskets, books."""
    for _ in range(count(p.rng, least, most)):
        kind = pick(p.rng, "box", "box", "backpack", "trash can", "basket", "suitcase", "plant", "handbag", "stool")
        put = p.against_wall(kind, front=0.1) if maybe(p.rng, 0.7) else p.on_floor(kind)
        if put and put.what.label == "box" and maybe(p.rng, 0.35):
            p.on_top("box", put, forward=(-0.2, 0.2), left=(-0.2, 0.2), turn=0.5)


def tv_corner(p: Placer, seat: Placed | None) -> None:
    """A television on its stand, opposite the seat if there is space there."""
    stand = None
    if seat is not None:
        away = [w for w in p.shell.walls if np.cos(w.facing - seat.yaw) < -0.9]
        stand = p.against_wall("tv stand", front=0.4, walls=away) if away else None
    stand = stand or p.against_wall("tv stand", front=0.4)
    if stand:
        p.on_top("television", stand, forward=(-0.4, 0.4), left=(-0.4, 0.4), turn=0.05)
        put_small_things(p, stand, ("small plant", "vase", "books"), 0, 1)


def seats_around(p: Placer, table: Placed, kind: str, most: int, gap: float = 0.05) -> list[Placed]:
    """Chairs at the sides of a table, turned to it, some pulled back."""
    depth, width, _ = table.size
    chair = p.get(kind)
    d, w, _ = chair.size
    places = []
    along = max(1, int(width // (w + 0.14)))
    for s in (-1, 1):
        places += [(s * (depth / 2), (i + 0.5) / along * width - width / 2, s) for i in range(along)]
    ends = [(0.0, s * width / 2, s) for s in (-1, 1)] if width > 0.7 else []
    found = []
    order = p.rng.permutation(len(places))
    spots = [(*places[i], False) for i in order] + [(*end, True) for end in ends]
    for f, left, s, at_end in spots[:most]:
        tucked = p.rng.uniform(-0.12, 0.15) + gap
        reach = d / 2 + tucked
        at = table.beside(f, left + s * reach) if at_end else table.beside(f + s * reach, left)
        turned = -s * np.pi / 2 if at_end else (np.pi if s > 0 else 0.0)
        turn = table.yaw + turned
        seat = seat_at(p, chair, at, turn + p.rng.normal(0, 0.12), table)
        if seat:
            found.append(seat)
        if maybe(p.rng, 0.1):
            chair = p.get(kind)
    return found


def seat_at(p: Placer, chair: Furnishing, at: Floats, yaw: float, table: Placed) -> Placed | None:
    """A chair that may reach under its table, but has its place to itself otherwise."""
    seat = Placed(chair, (float(at[0]), float(at[1]), 0.0), float(yaw))
    others = [o for o in p.placed if o is not table and o.size[2] > LOW]
    if not p.inside(seat.footprint()) or any(seat.footprint().meets(o.footprint()) for o in others):
        return None
    p.placed.append(seat)
    return seat


def desk_place(p: Placer, kind: str = "desk", chair: str = "office chair") -> Placed | None:
    """A desk at a wall, with a chair before it and what people work with."""
    desk = p.against_wall(kind, front=0.75)
    if desk is None:
        return None
    seat = p.get(chair)
    for _ in range(8):
        place = desk.beside(desk.size[0] / 2 + seat.size[0] / 2 + p.rng.uniform(-0.15, 0.25),
                            p.rng.uniform(-0.2, 0.2) * desk.size[1])  # fmt: skip
        if seat_at(p, seat, place, desk.yaw + np.pi + p.rng.normal(0, 0.4), desk):
            break
    if chair == "office chair" or maybe(p.rng, 0.5):
        for left in pick(p.rng, ((-0.25, 0.25),), ((-0.25, 0.25),), ((-0.6, -0.3), (0.3, 0.6))):
            p.on_top("monitor", desk, forward=(-0.9, -0.1), left=left, turn=0.1, below=1.1)
        p.on_top("keyboard", desk, forward=(0.3, 0.8), left=(-0.3, 0.3), turn=0.05, below=1.0)
    elif maybe(p.rng, 0.6):
        p.on_top("laptop", desk, forward=(-0.2, 0.6), left=(-0.4, 0.4), below=1.0)
    if maybe(p.rng, 0.4):
        p.on_top("desk lamp", desk, forward=(-1, -0.3), turn=1.0, below=1.0)
    put_small_things(p, desk, ("books", "cup", "small plant", "standing book", "bottle", "laptop"), 0, 3, 1.0)
    if maybe(p.rng, 0.4):
        p.on_floor("computer", near=np.array(desk.at[:2]), within=1.0)
    return desk


def turn_towards(p: Placer, seat: Placed, target: Placed | None) -> None:
    """Turn a seat that was just placed towards another thing, if it has space to."""
    if target is None:
        return
    p.placed.remove(seat)
    x, y = np.array(target.at[:2]) - np.array(seat.at[:2])
    turned = Placed(seat.what, seat.at, float(np.arctan2(y, x) + p.rng.normal(0, 0.3)))
    p.placed.append(turned if p.free(turned.footprint()) else seat)


def rug_under(p: Placer, base: Placed) -> None:
    """A rug that reaches out from under a thing."""
    rug = p.get("rug")
    spot = Placed(rug, (*base.at[:2], 0.0), base.yaw + np.pi / 2)
    if p.inside(spot.footprint()):
        p.put(rug, base.at[:2], base.yaw + np.pi / 2, 0.001)


def dining_place(p: Placer, table_kind: str | None = None) -> None:
    """A table with chairs, with what stands on it and perhaps a lamp above."""
    kind = table_kind or pick(p.rng, "dining table", "dining table", "round table")
    for _ in range(12):
        table = p.get(kind)
        at = p.rng.uniform((0, 0), p.shell.bounds)
        yaw = pick(p.rng, 0.0, np.pi / 2) + p.rng.normal(0, 0.03)
        placed = p.try_put(table, at, yaw, room=0.45)
        if placed is None and maybe(p.rng, 0.3):
            placed = p.against_wall(table, front=0.6)
        if placed:
            seats_around(p, placed, "dining chair", count(p.rng, 2, 8))
            put_small_things(p, placed, ("plate", "cup", "bowl", "vase", "bottle", "small plant"), 0, 5, 1.0)
            if maybe(p.rng, 0.4):
                p.from_ceiling("pendant lamp", np.array(placed.at[:2]))
            return


def stand_column(p: Placer) -> None:
    """A column from floor to ceiling."""
    what = p.get("column")
    stretch = (1.0, 1.0, (p.shell.height - 0.002) / what.size[2])
    for _ in range(10):
        wall = pick(p.rng, *p.shell.walls)
        at = wall.at(p.rng.uniform(0.5, max(0.6, wall.length - 0.5)), p.rng.choice([what.size[0] / 2 + 0.01, 1.5]))
        spot = Footprint(at, np.array(what.size[:2]) / 2, wall.facing)
        if p.free(spot) and not any(o.kind == "window" and p.shell.walls[o.wall].start is wall.start
                                    for o in p.shell.openings):  # fmt: skip
            p.put(what, at, wall.facing, 0.0, stretch)
            return

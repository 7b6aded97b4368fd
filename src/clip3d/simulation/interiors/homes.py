"""How rooms to live in are furnished, the most important things first."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import count, maybe, pick
from clip3d.simulation.interiors.groupings import (
    desk_place,
    dining_place,
    hang_pictures,
    put_small_things,
    rug_under,
    scatter,
    turn_towards,
    tv_corner,
)
from clip3d.simulation.interiors.kitchen_runs import kitchen_run
from clip3d.simulation.interiors.placing import Placed, Placer


def living_room(p: Placer) -> None:
    """A sofa with its table, a television, shelves and easy chairs."""
    sofa = p.against_wall(pick(p.rng, "sofa", "sofa", "sofa", "corner sofa"), front=1.1)
    if sofa:
        d, w, _ = sofa.size
        is_corner = sofa.what.kind == "corner sofa"
        if maybe(p.rng, 0.85):
            table = p.get("coffee table")
            reach = d / 2 + table.size[0] / 2 + p.rng.uniform(0.25, 0.45)
            left = 0.2 * w if is_corner else 0.0
            placed = p.try_put(table, sofa.beside(reach, p.rng.normal(left, 0.08)), sofa.yaw)
            if placed:
                put_small_things(p, placed, ("books", "vase", "bowl", "cup", "standing book", "small plant"), 0, 3)
                if maybe(p.rng, 0.5):
                    rug_under(p, placed)
        for _ in range(count(p.rng, 0, 3)):
            p.on_top("pillow", sofa, forward=(-0.55, 0.1), below=0.62, level=0.12, turn=0.3)
        side = p.get("side table")
        for s in (-1, 1):
            if maybe(p.rng, 0.4):
                stood = p.try_put(side, sofa.beside(-0.1, s * (w / 2 + side.size[1] / 2 + 0.06)), sofa.yaw)
                if stood:
                    p.on_top("table lamp", stood)
    tv_corner(p, sofa)
    for _ in range(count(p.rng, 0, 2)):
        near = None if sofa is None else sofa.beside(1.6, 0)
        chair = p.on_floor("armchair", near=near, within=1.6, room=0.1)
        if chair and near is not None:
            turn_towards(p, chair, sofa)
    for kind, chance in (("bookshelf", 0.7), ("bookshelf", 0.3), ("sideboard", 0.4), ("floor lamp", 0.6),
                         ("plant", 0.7), ("plant", 0.3), ("display cabinet", 0.25), ("piano", 0.15),
                         ("ottoman", 0.3)):  # fmt: skip
        if maybe(p.rng, chance):
            base = p.against_wall(kind, front=0.3, corner=kind in ("floor lamp", "plant"))
            if base and kind in ("sideboard", "bookshelf"):
                put_small_things(p, base, ("vase", "small plant", "books", "table lamp", "bowl"), 0, 2, 2.3)
    if p.shell.bounds[0] * p.shell.bounds[1] > 22 and maybe(p.rng, 0.7):
        dining_place(p)
    if maybe(p.rng, 0.2):
        p.against_wall("guitar", front=0.1)
    hang_pictures(p, count(p.rng, 0, 3))
    scatter(p, 0, 3)


def bedroom(p: Placer) -> None:
    """A bed with night stands, cupboards, often a desk."""
    kind = pick(p.rng, "double bed", "double bed", "single bed")
    bed = p.against_wall(kind, front=0.6, side=0.55 if kind == "double bed" else 0.05, corner=kind == "single bed")
    bed = bed or p.against_wall("single bed", front=0.3)
    if bed:
        stand = p.get("night stand")
        for s in (-1, 1):
            left = s * (bed.size[1] / 2 + stand.size[1] / 2 + 0.03)
            stood = p.try_put(stand, bed.beside(-bed.size[0] / 2 + stand.size[0] / 2, left), bed.yaw)
            if stood and maybe(p.rng, 0.7):
                p.on_top("table lamp", stood, below=0.9)
            elif stood:
                put_small_things(p, stood, ("books", "cup", "small plant"), 0, 1)
        for _ in range(count(p.rng, 0, 2)):
            p.on_top("pillow", bed, forward=(-0.7, -0.3), below=0.95, level=0.12)
        if maybe(p.rng, 0.35):
            rug_under(p, bed)
        if maybe(p.rng, 0.25):
            bench = p.get("bench")
            p.try_put(bench, bed.beside(bed.size[0] / 2 + bench.size[0] / 2 + 0.05, 0), bed.yaw)
    if kind == "single bed" and maybe(p.rng, 0.3):
        p.against_wall("single bed", front=0.4)
    for other, chance in (("wardrobe", 0.85), ("wardrobe", 0.15), ("dresser", 0.7), ("bookshelf", 0.4)):
        if maybe(p.rng, chance):
            base = p.against_wall(other, front=0.5)
            if base and other == "dresser":
                put_small_things(p, base, ("vase", "table lamp", "books", "television", "small plant"), 0, 3, 1.25)
                if maybe(p.rng, 0.35) and base.size[2] < 1.2:
                    p.on_wall("wall mirror", base.size[2] + 0.1, base.size[2] + 0.3, above=base)
    if maybe(p.rng, 0.55):
        desk_place(p, chair=pick(p.rng, "office chair", "dining chair"))
    for other, chance in (("standing mirror", 0.25), ("floor lamp", 0.25), ("armchair", 0.25), ("plant", 0.35)):
        if maybe(p.rng, chance):
            p.against_wall(other, front=0.2, corner=True)
    hang_pictures(p, count(p.rng, 0, 2))
    scatter(p, 1, 4)


def kitchen(p: Placer) -> None:
    """A run of units along the best wall, and a place to eat."""
    kitchen_run(p)
    if maybe(p.rng, 0.8):
        dining_place(p)
    for kind, chance in (("display cabinet", 0.3), ("sideboard", 0.25), ("shelf", 0.0)):
        if maybe(p.rng, chance):
            p.against_wall(kind)
    p.against_wall("trash can", front=0.05)
    if maybe(p.rng, 0.3):
        p.on_wall("shelf", 1.3, 1.6)
    if maybe(p.rng, 0.3):
        p.on_wall("towel", 0.9, 1.2)
    hang_pictures(p, count(p.rng, 0, 1), 0.4)
    scatter(p, 0, 2)


def bathroom(p: Placer) -> None:
    """A bathtub or shower, a toilet, a basin under a mirror."""
    for kind in p.rng.permutation(["bathtub", "shower"])[: pick(p.rng, 1, 1, 2)]:
        tub = p.against_wall(str(kind), front=0.5, corner=True, side=0.005)
        if tub and kind == "bathtub" and tub.size[2] < 1.2 and maybe(p.rng, 0.3):
            curtain = p.get("shower curtain")
            stretch = (1.0, min(1.0, tub.size[1] / curtain.size[1]), 1.0)
            p.put(curtain, tub.beside(tub.size[0] / 2 + curtain.size[0] / 2 + 0.01, 0), tub.yaw, 0.2, stretch)
    p.against_wall("toilet", front=0.5, side=0.15)
    for _ in range(pick(p.rng, 1, 1, 2)):
        basin = p.against_wall("wash basin", front=0.5, side=0.08)
        if basin and maybe(p.rng, 0.85):
            p.on_wall("wall mirror", max(1.1, basin.size[2] + 0.05), 1.35, above=basin)
    for kind, chance in (("washing machine", 0.35), ("trash can", 0.7), ("basket", 0.35), ("dresser", 0.15),
                         ("stool", 0.25), ("plant", 0.15)):  # fmt: skip
        if maybe(p.rng, chance):
            p.against_wall(kind, front=0.1)
    for _ in range(count(p.rng, 0, 2)):
        p.on_wall("towel", 0.8, 1.3)
    if maybe(p.rng, 0.35):
        p.on_wall("toilet paper", 0.6, 0.8)
    if maybe(p.rng, 0.5):
        mat = p.get("bath mat")
        spot = Placed(mat, (*(p.rng.uniform(0.7, 1.3, 2) * np.array(p.shell.bounds) / 2), 0.0), 0.0)
        if p.inside(spot.footprint()):
            p.put(mat, spot.at[:2], pick(p.rng, 0.0, np.pi / 2), 0.001)


def storage_room(p: Placer) -> None:
    """Cupboards, shelves, boxes and bags."""
    for kind, chance in (("wardrobe", 0.7), ("wardrobe", 0.4), ("bookshelf", 0.7), ("bookshelf", 0.4),
                         ("coat rack", 0.5), ("bench", 0.5), ("dresser", 0.4), ("washing machine", 0.4),
                         ("refrigerator", 0.3), ("standing mirror", 0.4)):  # fmt: skip
        if maybe(p.rng, chance):
            base = p.against_wall(kind, front=0.4)
            if base and kind == "bookshelf":
                put_small_things(p, base, ("box", "basket"), 0, 2, 2.3)
    for _ in range(count(p.rng, 2, 6)):
        box = p.against_wall(pick(p.rng, "box", "box", "suitcase", "basket", "backpack"), front=0.1)
        if box and box.what.label == "box" and maybe(p.rng, 0.5):
            p.on_top("box", box, forward=(-0.2, 0.2), left=(-0.2, 0.2), turn=0.4)
    hang_pictures(p, count(p.rng, 0, 1))


def studio(p: Placer) -> None:
    """One room to live in: bed, kitchen and sofa."""
    kitchen_run(p, most=5)
    bedroom(p)
    living_room(p)

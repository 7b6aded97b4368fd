"""How rooms to work, meet, learn and wait in are furnished, the most important things first."""

from __future__ import annotations

import numpy as np

from clip3d.simulation.chance import count, maybe, pick
from clip3d.simulation.interiors.groupings import (
    desk_place,
    dining_place,
    hang_pictures,
    put_small_things,
    scatter,
    seat_at,
    seats_around,
    stand_column,
)
from clip3d.simulation.interiors.placing import Placer


def office(p: Placer) -> None:
    """Desks along the walls, cabinets, shelves, a whiteboard."""
    width, depth = p.shell.bounds
    for _ in range(max(1, round(width * depth / 7))):
        desk_place(p, "office desk")
    for kind, chance in (("filing cabinet", 0.8), ("filing cabinet", 0.5), ("bookshelf", 0.8), ("bookshelf", 0.5),
                         ("plant", 0.6), ("sofa", 0.15)):  # fmt: skip
        if maybe(p.rng, chance):
            base = p.against_wall(kind, front=0.4)
            if base and kind == "filing cabinet":
                put_small_things(p, base, ("printer", "box", "small plant", "books"), 0, 1)
    if maybe(p.rng, 0.6):
        p.on_wall("whiteboard", 0.9, 1.05)
    if maybe(p.rng, 0.35):
        dining_place(p, "round table")
    if maybe(p.rng, 0.25):
        stand_column(p)
    for _ in range(count(p.rng, 0, 2)):
        p.on_floor(pick(p.rng, "office chair", "trash can", "dining chair"))
    p.against_wall("trash can", front=0.05)
    if maybe(p.rng, 0.4):
        p.against_wall("coat rack", front=0.1, corner=True)
    hang_pictures(p, count(p.rng, 0, 1), 0.4)
    scatter(p, 0, 4)


def meeting_room(p: Placer) -> None:
    """A long table with chairs, a whiteboard and a screen."""
    width, depth = p.shell.bounds
    middle = np.array([width, depth]) / 2 + p.rng.normal(0, 0.15, 2)
    if p.shell.notch is not None:
        middle = np.array([p.shell.notch[0], depth]) / 2
    yaw = np.pi / 2 if width > depth else 0.0
    for _ in range(6):
        table = p.try_put(p.get("conference table"), middle, yaw, room=0.55)
        if table:
            chairs = pick(p.rng, "office chair", "dining chair")
            seats_around(p, table, chairs, count(p.rng, 4, 14))
            put_small_things(p, table, ("laptop", "cup", "bottle", "books", "projector"), 0, 5)
            break
    else:
        dining_place(p, "dining table")
    p.on_wall("whiteboard", 0.85, 1.0)
    if maybe(p.rng, 0.6):
        p.on_wall("wall television", 1.1, 1.4)
    for kind, chance in (("sideboard", 0.5), ("plant", 0.7), ("trash can", 0.6), ("coat rack", 0.3),
                         ("bookshelf", 0.2)):  # fmt: skip
        if maybe(p.rng, chance):
            base = p.against_wall(kind, front=0.2, corner=kind in ("plant", "coat rack"))
            if base and kind == "sideboard":
                put_small_things(p, base, ("coffee maker", "cup", "bottle", "vase"), 0, 3)
    if maybe(p.rng, 0.25):
        stand_column(p)
    hang_pictures(p, count(p.rng, 0, 2), 0.4)
    scatter(p, 0, 2)


def classroom(p: Placer) -> None:
    """Rows of desks towards a board, and the teacher's."""
    width, depth = p.shell.bounds
    front = max(p.shell.walls, key=lambda wall: wall.length)
    p.on_wall("whiteboard", 0.85, 1.0, walls=[front])
    desk, chair = p.get("school desk"), p.get("dining chair")
    across = desk.size[1] + p.rng.uniform(0.1, 0.5)
    step = desk.size[0] + chair.size[0] + p.rng.uniform(0.2, 0.4)
    away = p.rng.uniform(1.9, 2.4)
    while away < (depth if width >= depth else width) + 2:
        for t in np.arange(0.6 + across / 2, front.length - 0.4 - across / 2, across):
            at, yaw = front.at(float(t), float(away)), front.facing
            placed = p.try_put(desk, at + p.rng.normal(0, 0.03, 2), yaw + p.rng.normal(0, 0.04))
            if not placed:
                continue
            reach = desk.size[0] / 2 + chair.size[0] / 2 + p.rng.uniform(-0.15, 0.1)
            seat = placed.beside(reach, p.rng.normal(0, 0.05))
            seat_at(p, chair, seat, yaw + np.pi + p.rng.normal(0, 0.2), placed)
            if maybe(p.rng, 0.2):
                p.on_top(pick(p.rng, "books", "standing book", "laptop", "bottle"), placed)
            if maybe(p.rng, 0.06):
                p.on_floor("backpack", near=np.array(placed.at[:2]), within=0.8)
        away += step
    teacher = p.try_put(p.get("office desk"), front.at(front.length * p.rng.uniform(0.25, 0.75), 1.1),
                        front.facing + np.pi)  # fmt: skip
    if teacher:
        put_small_things(p, teacher, ("laptop", "books", "globe", "monitor"), 0, 2)
        chair_behind = p.get(pick(p.rng, "office chair", "dining chair"))
        p.try_put(chair_behind, teacher.beside(-teacher.size[0] / 2 - chair_behind.size[0] / 2, 0), teacher.yaw)
    for kind, chance in (("bookshelf", 0.6), ("display cabinet", 0.4), ("trash can", 0.8), ("filing cabinet", 0.3),
                         ("plant", 0.3)):  # fmt: skip
        if maybe(p.rng, chance):
            p.against_wall(kind, front=0.2)
    hang_pictures(p, count(p.rng, 0, 3), 0.7)
    scatter(p, 0, 2)


def lounge(p: Placer) -> None:
    """Libraries and waiting rooms: shelves along the walls, easy chairs, low tables."""
    for _ in range(count(p.rng, 2, 6)):
        p.against_wall("bookshelf", front=0.6)
    for _ in range(count(p.rng, 1, 3)):
        table = p.on_floor(pick(p.rng, "coffee table", "side table", "round table"), room=0.9)
        if table:
            seats_around(p, table, pick(p.rng, "armchair", "armchair", "dining chair"), count(p.rng, 1, 4), 0.3)
            put_small_things(p, table, ("books", "cup", "small plant", "standing book"), 0, 2)
    for kind, chance in (("sofa", 0.6), ("bench", 0.5), ("plant", 0.8), ("floor lamp", 0.6), ("sideboard", 0.3)):
        if maybe(p.rng, chance):
            p.against_wall(kind, front=0.5)
    if maybe(p.rng, 0.4):
        stand_column(p)
    hang_pictures(p, count(p.rng, 1, 4), 0.4)
    scatter(p, 0, 3)

"""A kitchen's run of units along a wall: cabinets under a worktop, with sink, stove and refrigerator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from clip3d.simulation.chance import maybe, pick
from clip3d.simulation.driving.solids import Solid
from clip3d.simulation.interiors.fittings import MODULE, WORKTOP
from clip3d.simulation.interiors.footprints import Footprint
from clip3d.simulation.interiors.furnishings import Furnishing
from clip3d.simulation.interiors.placing import Placed, Placer
from clip3d.simulation.interiors.shell import Wall

DEEP = 0.62
_ON_TOP = ("kettle", "toaster", "coffee maker", "microwave", "bowl", "bottle", "small plant", "vase")
BOWLS = 0.2  # metres by which a sink's rim lies above its lowest point


def kitchen_run(p: Placer, most: int = 9) -> None:
    """Put units along the wall with the most space, of one look.

    Args:
        p: of the room.
        most: units of 0.6 m.
    """
    best: tuple[float, Wall, float] | None = None
    for wall in p.shell.walls:
        for start, end in _stretches(p, wall):
            if best is None or end - start > best[0]:
                best = (end - start, wall, start)
    if best is None or best[0] < 3 * MODULE:
        return
    length, wall, start = best
    fridge = p.get("refrigerator")
    units = min(most, int((length - fridge.size[1] - 0.06) // MODULE))
    if units < 2:
        return
    start += 0.01
    first = maybe(p.rng)
    cold = start if first else start + units * MODULE + 0.02
    _stand(p, wall, fridge, cold + fridge.size[1] / 2)
    begin = start + fridge.size[1] + 0.02 if first else start
    _units(p, wall, begin, units)


def _stretches(p: Placer, wall: Wall) -> list[tuple[float, float]]:
    """Pieces of a wall (start, end) before which nothing stands and no door opens."""
    steps = np.arange(0.0, wall.length + 1e-9, 0.1)
    number = next(i for i, w in enumerate(p.shell.walls) if np.array_equal(w.start, wall.start))
    doors = [o for o in p.shell.openings if o.wall == number and o.kind == "door"]
    free = []
    for a in steps[:-1]:
        spot = Footprint(wall.at(a + 0.05, DEEP / 2 + 0.02), np.array([DEEP / 2, 0.05]), wall.facing, 0, 1.8)
        blocked = any(o.start - 0.1 < a + 0.1 and a < o.end + 0.1 for o in doors)
        free.append(not blocked and p.free(spot))
    found, begin = [], None
    for i, is_free in enumerate([*free, False]):
        if is_free and begin is None:
            begin = float(steps[i])
        elif not is_free and begin is not None:
            found.append((begin, float(steps[i])))
            begin = None
    return found


def _stand(p: Placer, wall: Wall, what: Furnishing, middle: float, z: float = 0.0, away: float = 0.005,
           stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Placed:  # fmt: skip
    return p.put(what, wall.at(middle, away + what.size[0] * stretch[0] / 2), wall.facing, z, stretch)


def _units(p: Placer, wall: Wall, begin: float, units: int) -> None:
    """Cabinets, stove and sink in one row, the worktop over them, cabinets on the wall above."""
    look, upper = p.get("base cabinet"), p.get("wall cabinet")
    order = p.rng.permutation(units)
    stove_at, sink_at = int(order[0]), int(order[1])
    other = int(order[2]) if units > 3 and maybe(p.rng, 0.6) else -1
    number = next(i for i, w in enumerate(p.shell.walls) if np.array_equal(w.start, wall.start))
    windows = [o for o in p.shell.openings if o.wall == number and o.kind == "window"]
    for i in range(units):
        middle = begin + (i + 0.5) * MODULE
        if i == stove_at:
            stove = p.get("stove")
            _stand(p, wall, stove, middle, stretch=(1.0, 0.59 / stove.size[1], (WORKTOP + 0.01) / stove.size[2]))
        elif i == other:
            machine = p.get(pick(p.rng, "dishwasher", "washing machine"))
            _stand(p, wall, machine, middle, stretch=(0.58 / machine.size[0], 0.59 / machine.size[1],
                                                      (WORKTOP - 0.05) / machine.size[2]))  # fmt: skip
        else:
            fit = (0.58 / look.size[0], MODULE / look.size[1], (WORKTOP - 0.04) / look.size[2])
            _stand(p, wall, look, middle, stretch=fit)
        hidden = any(o.start < middle + 0.3 and o.end > middle - 0.3 for o in windows)
        if not hidden and i != stove_at and p.shell.height > 2.25:
            _stand(p, wall, upper, middle, 1.42, stretch=(1.0, MODULE / upper.size[1], 1.0))
    sink_middle = begin + (sink_at + 0.5) * MODULE
    worktops = _worktop(p, wall, begin, begin + units * MODULE, begin + stove_at * MODULE, sink_middle)
    for base in worktops:
        for _ in range(2):
            p.on_top(pick(p.rng, *_ON_TOP), base, below=1.0)


def _worktop(p: Placer, wall: Wall, begin: float, end: float, stove: float, sink_middle: float) -> list[Placed]:
    """The worktop, left and right of the stove, with a hole for the sink; the pieces that things can stand on."""
    top, sink = p.get("counter"), p.get("inset sink")
    width = min(sink.size[1], 2 * (end - sink_middle), 2 * (sink_middle - begin))
    for edge in (stove, stove + MODULE):
        width = min(width, 2 * abs(edge - sink_middle))
    fit = (0.47 / sink.size[0], (width - 0.02) / sink.size[1], 1.0)
    p.put(sink, wall.at(sink_middle, 0.32), wall.facing, WORKTOP - BOWLS + 0.008, fit)
    left, right = sink_middle - width / 2 + 0.02, sink_middle + width / 2 - 0.02
    pieces = []
    for a, b in ((begin, stove), (stove + MODULE, end)):
        holes = [(left, right)] if a < sink_middle < b else []
        cuts = [a, *(c for hole in holes for c in hole), b]
        pieces += [(c, d, 0.005, DEEP) for c, d in zip(cuts[::2], cuts[1::2], strict=True) if d - c > 0.02]
        pieces += [(c, d, lo, hi) for c, d in holes for lo, hi in ((0.005, 0.1), (0.54, DEEP))]
    placed = _one_counter(p, wall, top, pieces)
    return [placed] if placed else []


def _one_counter(
    p: Placer, wall: Wall, top: Furnishing, pieces: list[tuple[float, float, float, float]]
) -> Placed | None:
    """All pieces of the worktop as one thing."""
    if not pieces:
        return None
    a, b = min(x[0] for x in pieces), max(x[1] for x in pieces)
    corners, colors, materials = [], [], []
    d, w, h = top.size
    for c, e, lo, hi in pieces:
        part = top.solid.scaled(((hi - lo) / d, (e - c) / w, 1.0))
        # In the frame of the whole: x from the wall into the room, y from the wall's end to its start.
        moved = part.placed(((lo + hi) / 2 - DEEP / 2, (a + b) / 2 - (c + e) / 2, 0.0))
        corners.append(moved.corners)
        colors.append(moved.colors)
        materials.append(moved.materials)
    solid = Solid(np.concatenate(corners), np.concatenate(colors), np.concatenate(materials))
    whole = replace(top, solid=solid, size=(DEEP, b - a, h))
    return p.put(whole, wall.at((a + b) / 2, DEEP / 2), wall.facing, WORKTOP - 0.04)

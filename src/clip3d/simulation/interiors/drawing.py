"""A room drawn from a number: shell, furniture, doors and windows, as triangles with their owners."""

from __future__ import annotations

import numpy as np

from clip3d.errors import ShapeError
from clip3d.simulation.chance import Rng, maybe
from clip3d.simulation.driving.solids import Solid, join
from clip3d.simulation.interiors.footprints import Footprint
from clip3d.simulation.interiors.furnishings import Furnishing, Shapes, Stock
from clip3d.simulation.interiors.placing import Placed, Placer
from clip3d.simulation.interiors.room import Room, Thing
from clip3d.simulation.interiors.shell import Opening, Shell, draw_openings, draw_shell, structure
from clip3d.simulation.interiors.uses import USES, finish

CLEAR = 0.85  # metres before a door in which nothing stands


def draw_room(seed: int | list[int], *, use: str | None = None, shapes: Shapes = "train",
              stock: Stock | None = None) -> Room:  # fmt: skip
    """Draw a furnished room; equal arguments give equal rooms.

    Args:
        seed: one number or several.
        use: of `USES`, or None for any.
        shapes: "held-out" shows things, and varieties of things, that "train" never does.
        stock: models of others by kind of furnishing.

    Raises:
        ShapeError: if there is no such use.
    """
    if use is not None and use not in USES:
        raise ShapeError(f"rooms have no use {use!r}: choose one of {', '.join(USES)}")
    rng = np.random.default_rng(seed)
    names = list(USES)
    shares = np.array([USES[name].share for name in names])
    drawn = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    use = use or drawn
    what = USES[use]
    height = float(rng.uniform(2.35, 2.9)) + (0.4 if use in ("classroom", "lounge") and maybe(rng) else 0.0)
    shell = draw_shell(rng, what.area, height, what.l_shaped)
    openings = draw_openings(rng, shell, int(rng.integers(what.doors[0], what.doors[1] + 1)),
                             int(rng.integers(what.windows[0], what.windows[1] + 1)))  # fmt: skip
    shell = Shell(shell.outline, shell.bounds, shell.notch, shell.height, openings)
    placer = Placer(rng, shell, shapes, stock or {})
    _open(placer)
    what.furnish(placer)
    finish(placer, use)
    return _assembled(rng, shell, use, placer.placed, what.wet)


def _open(p: Placer) -> None:
    """Doors and windows in their holes, and before some windows curtains or blinds."""
    for opening in p.shell.openings:
        wall = p.shell.walls[opening.wall]
        middle, wide = (opening.start + opening.end) / 2, opening.end - opening.start
        tall = opening.high - opening.low
        if opening.kind == "door":
            at = wall.at(middle, CLEAR / 2)
            p.kept_free.append(Footprint(at, np.array([CLEAR / 2, wide / 2]), wall.facing))
            _leaf(p, opening)
            continue
        window = p.get("window")
        fit = (1.0, wide / window.size[1], tall / window.size[2])
        p.put(window, wall.at(middle, -0.03), wall.facing, opening.low, fit)
        if maybe(p.rng, 0.55):
            _dressed(p, opening)


def _leaf(p: Placer, opening: Opening) -> None:
    """A door that fills its hole, shut or swung open."""
    wall = p.shell.walls[opening.wall]
    middle, wide = (opening.start + opening.end) / 2, opening.end - opening.start
    door = p.get("door")
    while not 0.6 < wide / door.size[1] < 1.3:  # one without a frame that stands open would be drawn out
        door = p.get("door")
    fit = (1.0, wide / door.size[1], (opening.high - opening.low) / door.size[2])
    p.put(door, wall.at(middle, -0.04 - _plane(door)), wall.facing, opening.low, fit)


def _plane(door: Furnishing) -> float:
    """Where along x a door's frame stands: in the middle if it is shut, else where most of it is."""
    if door.size[0] < 0.3:
        return 0.0
    counts, edges = np.histogram(door.solid.corners[:, :, 0].ravel(), bins=12)
    best = int(counts.argmax())
    return float((edges[best] + edges[best + 1]) / 2)


def _dressed(p: Placer, opening: Opening) -> None:
    wall = p.shell.walls[opening.wall]
    kind = "blind" if maybe(p.rng, 0.3) else "curtain"
    what = p.get(kind)
    middle, wide = (opening.start + opening.end) / 2, opening.end - opening.start
    if kind == "blind":
        drop = (opening.high - opening.low) * p.rng.uniform(0.3, 1.0)
        low, broad = opening.high - drop, wide
    else:
        low = 0.05 if maybe(p.rng, 0.5) else max(0.1, opening.low - 0.15)
        broad = min(wide + 0.4, 2 * middle - 0.02, 2 * (wall.length - middle) - 0.02)
        drop = min(opening.high + 0.12, p.shell.height - 0.03) - low
    fit = (1.0, broad / what.size[1], drop / what.size[2])
    at = wall.at(middle, what.size[0] / 2 + 0.01)
    spot = Footprint(at, np.array([what.size[0] / 2, broad / 2]), wall.facing, low, low + drop)
    if p.inside(spot) and p.free(spot, walkway=False):
        p.put(what, at, wall.facing, low, fit)


def _assembled(rng: Rng, shell: Shell, use: str, placed: list[Placed], wet: bool) -> Room:
    solids: list[Solid] = []
    things: list[Thing] = []
    for label, solid in structure(rng, shell, wet):
        low, high = solid.low_high()
        x, y, z = (float(v) for v in (low + high) / 2)
        a, b, c = (float(v) for v in high - low)
        things.append(Thing(label, (label,), (x, y, z), (a, b, c), 0.0, label))
        solids.append(solid)
    for item in placed:
        things.append(item.thing)
        solids.append(item.solid)
    owners = np.repeat(np.arange(len(solids), dtype=np.int32), [len(s) for s in solids])
    return Room(use, shell.outline, shell.height, join(solids), owners, tuple(things))

"""Buildings, walls, fences and hedges along a road."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, count, leafy, maybe, near, pick, stone, wood
from clip3d.simulation.driving.solids import Solid, join, plain, quads
from clip3d.simulation.moving import merge
from clip3d.simulation.running_gear import side_profile
from clip3d.simulation.shapes import Color, box, cylinder, rod

Floats = NDArray[np.float64]
PANE: Color = (0.2, 0.24, 0.29)
LIT: Color = (0.98, 0.86, 0.6)


def building(rng: Rng, width: float, depth: float, storeys: int, *, shop: bool, gable: bool, lit: float) -> Solid:
    """A building whose front looks along +x and stands on x = 0, `width` across y.

    Args:
        rng: chance.
        width: of the front in metres.
        depth: behind it.
        storeys: of about three metres.
        shop: whether the lowest is a shop front.
        gable: whether it has a pitched roof.
        lit: share of the windows in which there is light.
    """
    rise = rng.uniform(2.8, 3.4)
    foot = 0.9 if shop else 0.0
    height = foot + storeys * rise
    material = pick(rng, "brick", "plaster", "plaster", "concrete")
    wall = {"brick": near(rng, (0.5, 0.28, 0.2), 0.06), "concrete": near(rng, (0.58, 0.57, 0.55), 0.05)}.get(
        material, near(rng, stone(rng), 0.05)
    )
    parts = [plain(box((depth, width, height + 1.5), (-depth / 2, 0, -1.5), wall), material)]
    parts.append(_windows(rng, width, depth, storeys, rise, foot, shop, lit))
    parts.append(_door(rng, width))
    if gable:
        slope = rng.uniform(1.5, 3.2)
        over = 0.35
        outline = [(-depth - over, 0), (over, 0), (-depth / 2, slope)]
        roof = side_profile(outline, width + 0.5, near(rng, pick(rng, (0.45, 0.2, 0.14), (0.25, 0.25, 0.27)), 0.04))
        parts.append(plain(roof, "brick").placed((0, 0, height)))
    else:
        parts.append(
            plain(
                box((depth + 0.3, width + 0.1, 0.35), (-depth / 2 + 0.1, 0, height), near(rng, wall, 0.08)),
                "concrete",
            )
        )
        if maybe(rng, 0.3):
            rows = list(foot + rise * np.arange(1, storeys))
            parts += [
                plain(box((1.1, 2.2, 1.0), (0.55, y, float(z)), near(rng, (0.6, 0.6, 0.6))), "metal")
                for z in rows[:4]
                for y in (-width * 0.25, width * 0.25)
            ]
    return join(parts)


def _windows(
    rng: Rng, width: float, depth: float, storeys: int, rise: float, foot: float, shop: bool, lit: float
) -> Solid:
    """Panes on the front and on both sides."""
    wide, tall = rng.uniform(0.9, 1.7), rng.uniform(1.1, 1.8)
    panes: list[Floats] = []
    for floor in range(storeys):
        z = foot + floor * rise + 0.9
        if shop and floor == 0:
            panes.append(_pane(0.03, -width / 2 + 0.5, width / 2 - 0.5, 0.5, 0.5 + 2.3))
            continue
        bays = max(int((width - 0.8) // (wide + rng.uniform(0.8, 1.6))), 1)
        middles = (np.arange(bays) + 0.5) / bays * (width - 0.8) - (width - 0.8) / 2
        panes += [_pane(0.03, y - wide / 2, y + wide / 2, z, z + tall) for y in middles]
        for side in (-1, 1):
            for x in np.arange(-depth + 1.8, -1.0, 3.4):
                face = _pane(0.0, -wide / 2, wide / 2, z, z + tall)
                across = np.full(4, side * (width / 2 + 0.03))
                panes.append(np.stack([x - side * face[:, 1], across, face[:, 2]], axis=1))
    corners = np.stack(panes)
    light = rng.random(len(corners)) < lit
    shade = np.clip(np.asarray(PANE) + rng.normal(0, 0.04, (len(corners), 1)), 0, 1).astype(np.float32)
    parts = [quads(corners[~light], shade[~light], "glass")]
    if light.any():
        parts.append(quads(corners[light], near(rng, LIT, 0.04), "lamp"))
    return join(parts)


def _pane(x: float, y0: float, y1: float, z0: float, z1: float) -> Floats:
    return np.array([(x, y0, z0), (x, y1, z0), (x, y1, z1), (x, y0, z1)])


def _door(rng: Rng, width: float) -> Solid:
    y = rng.uniform(-0.3, 0.3) * width
    return plain(box((0.12, 1.1, 2.15), (0.02, y, 0), near(rng, wood(rng), 0.05)), "wood")


def enclosure(rng: Rng, length: float, kind: str) -> Solid:
    """A "wall", "fence", "railing" or "hedge" along y through the origin, `length` metres."""
    if kind == "hedge":
        n = max(int(length / 0.9), 1)
        height, thick, green = rng.uniform(0.7, 2.0), rng.uniform(0.5, 0.9), leafy(rng)
        parts = [
            box(
                (thick * rng.uniform(0.8, 1.2), length / n * 1.1, height * rng.uniform(0.88, 1.08)),
                (rng.normal(0, 0.05), (i + 0.5) * length / n - length / 2, -0.3),
                near(rng, green, 0.04),
            )
            for i in range(n)
        ]
        return plain(merge(parts), "foliage")
    if kind == "wall":
        height = rng.uniform(0.5, 1.9)
        parts = [
            box((0.24, length, height + 0.4), (0, 0, -0.4), stone(rng)),
            box((0.32, length, 0.08), (0, 0, height), stone(rng)),
        ]
        return plain(merge(parts), "brick")
    height, color = rng.uniform(0.8, 1.7), wood(rng) if kind == "fence" else near(rng, (0.2, 0.22, 0.22), 0.05)
    gap = rng.uniform(0.13, 0.2) if kind == "fence" else 0.14
    wide = 0.1 if kind == "fence" else 0.025
    y = np.arange(-length / 2, length / 2, gap)
    # Slats are seen from both sides and have no thickness: there are very many.
    front = np.stack([_pane(0.0, float(v), float(v) + wide, -0.05, height) for v in y])
    slats = quads(np.concatenate([front, front[:, ::-1]]), color, "wood" if kind == "fence" else "metal")
    rails = [box((0.05, length, 0.07), (-0.03, 0, z), color) for z in (0.25, height - 0.2)]
    return join([slats, plain(merge(rails), "wood" if kind == "fence" else "metal")])


def guard_rail(length: float) -> Solid:
    """A steel guard rail along x, on posts, its face towards +y."""
    steel: Color = (0.66, 0.67, 0.69)
    posts = [
        box((0.1, 0.1, 0.95), (float(x), -0.12, -0.3), steel) for x in np.arange(-length / 2 + 1, length / 2, 2.0)
    ]
    wave = side_profile(
        [(-0.04, 0.45), (0.02, 0.52), (-0.02, 0.6), (0.02, 0.68), (-0.04, 0.75), (-0.07, 0.6)], length, steel
    )
    return plain(merge([*posts, _turned(wave)]), "metal")


def concrete_barrier(length: float, color: Color = (0.62, 0.61, 0.59)) -> Solid:
    """A concrete barrier of New Jersey shape along x."""
    outline = [
        (-0.3, -0.2),
        (0.3, -0.2),
        (0.3, 0.08),
        (0.14, 0.33),
        (0.08, 0.82),
        (-0.08, 0.82),
        (-0.14, 0.33),
        (-0.3, 0.08),
    ]
    wall = side_profile(outline, length, color)
    return plain(_turned(wall), "concrete")


def _turned(mesh: Mesh) -> Mesh:
    """x and y changed for each other, the outside kept outside."""
    return Mesh(mesh.vertices[:, [1, 0, 2]], mesh.faces[:, ::-1], face_colors=mesh.face_colors)


def noise_wall(rng: Rng, length: float) -> Solid:
    """A noise barrier along x, 3 to 5 m tall."""
    height, color = (
        rng.uniform(3, 5),
        near(rng, pick(rng, (0.5, 0.42, 0.32), (0.45, 0.5, 0.45), (0.6, 0.6, 0.58)), 0.04),
    )
    posts = [
        box((0.2, 0.22, height + 0.8), (float(x), 0, -0.8), (0.45, 0.45, 0.45))
        for x in np.arange(-length / 2, length / 2, 4.0)
    ]
    return plain(merge([box((length, 0.12, height + 0.7), (0, 0, -0.8), color), *posts]), "wood")


def utility_pole(rng: Rng) -> Solid:
    """A wooden pole with cross-arms."""
    height = rng.uniform(7, 9)
    return join(
        [
            plain(cylinder(0.13, height, (0, 0, -0.3), wood(rng), sides=8), "wood"),
            plain(box((0.1, 1.8, 0.12), (0, 0, height - 1.0), wood(rng)), "wood"),
        ]
    )


def gantry(rng: Rng, half: float) -> Solid:
    """A motorway gantry with signs, across y, its signs seen by who drives along x."""
    steel: Color = (0.6, 0.61, 0.62)
    frame = [rod((0, s * half, -0.5), (0, s * half, 7.0), 0.18, steel) for s in (-1, 1)]
    frame.append(box((0.4, 2 * half, 0.5), (0, 0, 6.6), steel))
    n = count(rng, 1, 3)
    boards = [
        box((0.08, 3.6, 2.2), (-0.3, -half * (i + 0.6) / (n + 0.2), 5.6), (0.05, 0.2, 0.55)) for i in range(n)
    ]
    return join([plain(merge(frame), "metal"), plain(merge(boards), "retroreflector")])

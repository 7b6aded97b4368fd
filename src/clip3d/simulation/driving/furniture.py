"""Street furniture and plants: a few of each kind, to be set up many times along one road."""

from __future__ import annotations

from collections.abc import Callable

from clip3d.clouds.mesh import Mesh
from clip3d.simulation import plants, street, townscape
from clip3d.simulation.chance import Rng, maybe, near, pick
from clip3d.simulation.driving.solids import (
    Guess,
    Solid,
    furniture_materials,
    made_of,
    plain,
    plant_materials,
    sign_materials,
    solid_of,
)
from clip3d.simulation.family import Drawn
from clip3d.simulation.moving import merge
from clip3d.simulation.shapes import box, cylinder, dome

Pool = dict[str, list[Solid]]


def _made(rng: Rng, maker: Callable[[Rng], Drawn], guess: Guess, n: int, scale: tuple[float, float]) -> list[Solid]:
    return [solid_of(maker(rng)[0], guess).scaled(rng.uniform(*scale)) for _ in range(n)]


def furniture_pool(rng: Rng) -> Pool:
    """A few of each kind of street furniture and plants, to be set up many times."""
    return {
        "tree": [_tree(rng) for _ in range(6)],
        "bush": _made(rng, lambda r: plants.bush(r, "bush"), made_of("foliage"), 4, (0.8, 1.8)),
        "lamp": _made(rng, street.street_lamp, furniture_materials, 1, (1.2, 1.5)),
        "sign": _made(rng, _sign, sign_materials, 4, (1.0, 1.15)),
        "board": _made(rng, lambda r: street.street_sign(r), sign_materials, 1, (1.0, 1.2)),
        "bin": [_bin(rng) for _ in range(2)],
        "bench": [_bench(rng)],
        "hydrant": _made(rng, street.hydrant, made_of("metal"), 1, (1.0, 1.1)),
        "mailbox": _made(rng, street.mailbox, furniture_materials, 1, (1.0, 1.1)),
        "bollard": _made(rng, townscape.bollard, made_of("metal"), 1, (1.0, 1.0)),
        "cabinet": [plain(box((0.4, 1.1, 1.3), color=near(rng, (0.55, 0.57, 0.52))), "metal")],
        "stop": _made(rng, townscape.bus_stop, furniture_materials, 1, (1.0, 1.1)),
    }


def _tree(rng: Rng) -> Solid:
    while True:
        parts, words = plants.tree(rng)
        if words[0] not in ("palm tree", "christmas tree", "acacia"):
            tall = rng.uniform(0.9, 1.6)
            wide = min(tall, 1.0) * rng.uniform(0.75, 1.0)
            return solid_of(parts, plant_materials).scaled((wide, wide, tall))


def _sign(rng: Rng) -> Drawn:
    while True:
        parts, words = street.street_sign(rng)
        if words[0] in ("stop sign", "warning sign", "speed limit sign"):
            return parts, words


def _bin(rng: Rng) -> Solid:
    if maybe(rng):
        color = pick(rng, (0.2, 0.25, 0.2), (0.15, 0.3, 0.5), (0.4, 0.28, 0.15), (0.3, 0.3, 0.32))
        tall = rng.uniform(0.95, 1.15)
        return plain(
            merge(
                [
                    box((0.65, 0.55, tall), color=near(rng, color)),
                    box((0.72, 0.6, 0.08), (0.03, 0, tall), near(rng, color)),
                ]
            ),
            "plastic",
        )
    return plain(
        merge([cylinder(0.25, 0.85, color=near(rng, (0.25, 0.3, 0.27)), sides=10), dome(0.26, (0, 0, 0.85))]),
        "metal",
    )


def _bench(rng: Rng) -> Solid:
    brown = near(rng, (0.4, 0.28, 0.17))
    parts: list[Mesh] = [
        box((0.45, 1.7, 0.06), (0, 0, 0.42), brown),
        box((0.05, 1.7, 0.35), (-0.22, 0, 0.5), brown),
    ]
    parts += [box((0.4, 0.06, 0.42), (0, s * 0.7, 0), (0.25, 0.25, 0.25)) for s in (-1, 1)]
    return plain(merge(parts), "wood")


def road_barrier() -> Solid:
    """A red and white barrier of road works, across y."""
    boards = [
        box((0.06, 0.4, 0.25), (0, -0.8 + 0.4 * i, 0.75), (0.85, 0.1, 0.1) if i % 2 else (0.93, 0.93, 0.9))
        for i in range(5)
    ]
    posts = [box((0.5, 0.06, 0.08), (0, s * 0.7, 0), (0.3, 0.3, 0.3)) for s in (-1, 1)]
    posts += [box((0.05, 0.05, 0.95), (0, s * 0.7, 0), (0.3, 0.3, 0.3)) for s in (-1, 1)]
    return plain(merge([*boards, *posts]), "retroreflector")

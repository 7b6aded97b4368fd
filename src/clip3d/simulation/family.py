"""What a maker draws, and what a family of objects is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.errors import ShapeError

# The parts of one object, and captions that this draw earned ("round table"), most specific first.
Drawn = tuple[list[Mesh], list[str]]
Maker = Callable[[np.random.Generator], Drawn]


def only(make: Callable[..., Drawn], *kinds: str) -> Maker:
    """A maker of several kinds, confined to some of them."""

    def confined(rng: np.random.Generator) -> Drawn:
        return make(rng, *kinds)

    return confined


@dataclass(frozen=True)
class Family:
    """A kind of object that can be made at will.

    Attributes:
        name: the plain noun.
        captions: words that fit every member, the plain noun first.
        make: draws the parts of one member and its own captions.
    """

    name: str
    captions: tuple[str, ...]
    make: Maker

    def __post_init__(self) -> None:
        if not self.captions or self.captions[0] != self.name:
            raise ShapeError(f"the first caption of a family is its name, got {self.captions} for {self.name!r}")


@dataclass(frozen=True, eq=False)
class ProceduralObject:
    """One made object: z-up, x forward, roughly metres.

    Attributes:
        meshes: coloured by face.
        captions: most specific first; the family's plain noun is always among them.
        family: the family's name.
    """

    meshes: tuple[Mesh, ...]
    captions: tuple[str, ...]
    family: str

"""Models of 0 A.D.: an actor's meshes with their skins, what is hung on them included, as clouds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.mesh import Mesh
from clip3d.data.actors import Actor, Variant, choices, read_actor, read_variant
from clip3d.data.archives import read_member
from clip3d.data.cutouts import Skin, read_skin, sample_opaque, skinned, tinted
from clip3d.data.pmd import Pmd, read_pmd

Read = TypeVar("Read")

MAX_DEPTH = 4  # of props on props
MAX_PARTS = 200
# The game tints the clear parts of some skins with the player's colour.
PLAYER_COLORS = ((46, 46, 200), (150, 20, 20), (86, 180, 31), (231, 200, 5), (220, 115, 16), (64, 64, 64))
NOT_SOLID = ("water", "aura", "terrain")  # materials
NOT_HUNG = ("projectile", "ammo", "loaded", "garrison", "decal", "particle", "fire", "smoke", "flame")


@dataclass(frozen=True, eq=False)
class Part:
    """One mesh of a model with its pose (4x4, model from mesh), its skin's name and its material."""

    mesh: Pmd
    pose: NDArray[np.float64]
    skin: str
    material: str


class Models:
    """The art of the game's archive, read on demand; the paths are as the game's files write them."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self._actor = lru_cache(maxsize=None)(lambda name: self._read(f"art/actors/{name}", read_actor))
        self._variant = lru_cache(maxsize=None)(lambda name: self._read(f"art/variants/{name}", read_variant))
        self._mesh = lru_cache(maxsize=256)(lambda name: self._read(f"art/meshes/{name}.cached.pmd", read_pmd))
        self._skin = lru_cache(maxsize=32)(self._read_skin)

    def names(self) -> list[str]:
        """Paths of all actors below `art/actors`, without the suffix."""
        return sorted(
            name.removeprefix("art/actors/").removesuffix(".xml")
            for name in self.archive.namelist()
            if name.startswith("art/actors/") and name.endswith(".xml")
        )

    def look(self, actor: str, choice: int) -> tuple[str, str]:
        """The main mesh and skin of one appearance of an actor, without what hangs on it; "" for none.

        Raises:
            Malformed: if the actor cannot be read.
        """
        mesh, skin, _ = self._chosen(self._actor(f"{actor}.xml"), choice)
        return mesh, skin

    def parts(self, actor: str, choice: int = 0) -> list[Part]:
        """The meshes of one appearance of an actor; props that cannot be read are left out.

        Args:
            actor: as `names` gives it.
            choice: number of the appearance; each group of variants goes round by itself.

        Raises:
            Malformed: if the actor itself or its main mesh cannot be read.
        """
        found: list[Part] = []
        self._hang(f"{actor}.xml", choice, np.eye(4), 0, found)
        return found

    def cloud(self, parts: Sequence[Part], points: int, seed: int) -> PointCloud:
        """Points drawn on the parts, z up, metres; the seed chooses the player's colour too.

        Raises:
            ShapeError: if the parts have no area.
        """
        player = PLAYER_COLORS[seed % len(PLAYER_COLORS)]
        pairs = [self._painted(part, player) for part in parts]
        return replace(sample_opaque(pairs, points, up="z", seed=seed), normals=None, unit="m")

    def _hang(self, path: str, choice: int, pose: NDArray[np.float64], depth: int, found: list[Part]) -> None:
        actor = self._actor(path)
        name, skin, props = self._chosen(actor, choice)
        solid = not any(word in actor.material for word in NOT_SOLID)
        if not name or not solid or len(found) >= MAX_PARTS:
            return
        mesh = self._mesh(name)
        found.append(Part(mesh, pose, skin, actor.material))
        if depth == MAX_DEPTH:
            return
        for point, actors in props.items():
            where = np.eye(4) if point == "root" else mesh.prop_points.get(point)
            for hung in actors:
                if where is None or any(word in f"{point}/{hung}" for word in NOT_HUNG):
                    continue
                try:
                    self._hang(hung, choice, pose @ where, depth + 1, found)
                except Malformed:
                    continue  # a model without one of its props is still a model

    def _chosen(self, actor: Actor, choice: int) -> tuple[str, str, dict[str, tuple[str, ...]]]:
        mesh, skin, props = "", "", {}
        for group in actor.groups:
            drawn = choices(group)
            for variant in self._lineage(drawn[choice % len(drawn)]):
                mesh, skin = variant.mesh or mesh, variant.skin or skin
                props.update(variant.props)
        return mesh, skin, props

    def _lineage(self, variant: Variant) -> list[Variant]:
        """A variant after those that it refines, the most general first."""
        line = [variant]
        while line[0].file and len(line) <= MAX_DEPTH:
            line.insert(0, self._variant(line[0].file))
        return line

    def _read(self, path: str, read: Callable[[bytes], Read]) -> Read:
        content = read_member(self.archive, path)
        try:
            return read(content)
        except Malformed as problem:
            raise Malformed(f"{path}: {problem.reason}") from problem

    def _read_skin(self, name: str) -> Skin | None:
        try:
            return self._read(f"art/textures/skins/{name}.cached.dds", read_skin)
        except Malformed:
            return None

    def _painted(self, part: Part, player: tuple[int, int, int]) -> tuple[Mesh, Mesh]:
        """A part in the model's frame with its colours, and with its opacity."""
        posed = part.mesh.vertices @ part.pose[:3, :3].T + part.pose[:3, 3]
        # The game's frame is left-handed with y up: swapping y and z makes it right-handed with z up.
        mesh = Mesh(posed[:, [0, 2, 1]].astype(np.float32), part.mesh.faces)
        skin = self._skin(part.skin) if part.skin else None
        if skin is not None and part.material.startswith("player"):
            skin = tinted(skin, player)
        elif skin is not None and ("trans" not in part.material or part.material.startswith("no_")):
            skin = Skin(skin.image, None)
        return skinned(mesh, part.mesh.uv, skin)

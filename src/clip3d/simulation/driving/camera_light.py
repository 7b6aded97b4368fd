"""The light that leaves surfaces towards a camera: sun, sky, lamps, shadows and mirrors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.driving.camera_lamps import FAINTEST, Lamps
from clip3d.simulation.driving.camera_scene import Scene, Seen
from clip3d.simulation.driving.camera_sky import Sky
from clip3d.simulation.driving.camera_surfaces import albedo
from clip3d.simulation.driving.snapshot import MATERIAL, MATERIALS

Array = NDArray[np.float32]

# How much a surface mirrors straight on (F0 of Schlick's approximation, 1994), and how rough that mirror is.
_MIRRORS = {"glass": (0.05, 0.0), "car paint": (0.045, 0.0), "metal": (0.25, 0.05)}
_F0 = np.zeros(len(MATERIALS), np.float32)
_ROUGH = np.zeros(len(MATERIALS), np.float32)
for _name, (_f0, _rough) in _MIRRORS.items():
    _F0[MATERIAL[_name]], _ROUGH[MATERIAL[_name]] = _f0, _rough
_GROUND = np.array([MATERIAL[name] for name in ("asphalt", "concrete", "road paint")], np.uint8)
_LEAVES = MATERIAL["foliage"]
DIMMED = 0.03  # radiance up to which lamps are mirrored by rays; their highlights are reckoned without any
MIRRORED = 0.03  # share of light that is mirrored below which no ray looks for it
SHIFT = 0.006  # metres off a surface where a ray from it begins


@dataclass(frozen=True, eq=False)
class Lighting:
    """All that lights one picture.

    Attributes:
        scene: what can be seen.
        sky: above it.
        lamps: in it.
        rng: for the sun's width and rough mirrors.
    """

    scene: Scene
    sky: Sky
    lamps: Lamps
    rng: np.random.Generator

    def radiance(self, seen: Seen, open_sky: Array, footprint: Array) -> Array:
        """Radiance (n, 3) of surfaces towards where they are seen from, air and all.

        Args:
            seen: n places, those with `face` -1 being sky.
            open_sky: (n,) share of the sky and its light that reaches a place.
            footprint: (n,) metres of the surface across that one pixel covers.
        """
        found = np.zeros((len(seen.face), 3), np.float32)
        hit = np.flatnonzero(seen.face >= 0)
        away = np.flatnonzero(seen.face < 0)
        found[away] = self.sky.radiance(seen.direction.take(away, axis=0))
        if len(hit):
            light = self._surface(seen.pick(hit), open_sky[hit], footprint[hit], True)
            found[hit] = self._through_air(light, seen, hit)
        return found

    def _through_air(self, light: Array, seen: Seen, hit: NDArray[np.intp]) -> Array:
        left = np.exp(-np.minimum(seen.distance[hit] * self.sky.extinction, 30))[:, None]
        haze = self.sky.haze(seen.direction.take(hit, axis=0) @ self.sky.to_sun)
        return np.asarray(light * left + haze * (1 - left), dtype=np.float32)

    def _surface(self, at: Seen, open_sky: Array, footprint: Array, mirrors: bool) -> Array:
        scene, sky = self.scene, self.sky
        material = scene.materials[at.face]
        wet = self._wetness(at, material)
        bare = albedo(scene.colors.take(at.face, axis=0), material, at.position, at.normal, footprint)
        bare *= 1 - 0.5 * wet[:, None]
        mirrored = _F0[material]
        # Glass lets light through to a dark inside; it shows what it mirrors.
        bare[material == MATERIAL["glass"]] *= 0.35
        up = 0.5 + 0.5 * at.normal[:, 2:]
        open_sky = open_sky[:, None]
        light = sky.from_below * (1 - up) * (0.4 + 0.6 * open_sky) + sky.from_above * up * open_sky
        sunned = self._sun(at, material)
        light += sunned[:, None] * sky.sun
        glint = np.zeros_like(light)
        if len(self.lamps):
            lamplight, glint = self.lamps.light(scene, at, wet, material, 8 if mirrors else 2)
            light += lamplight
        out = bare * light * np.float32(1 / np.pi)
        out += self.lamps.glow(at.face, np.inf if mirrors else DIMMED) + glint
        out += self.lamps.sent_back(at, material, scene.colors.take(at.face, axis=0))
        facing = np.clip(-np.einsum("nd,nd->n", at.normal, at.direction), 0, 1)
        grazing = 1 - facing
        schlick = grazing * (grazing * grazing) ** 2
        reflected = np.where(mirrored > 0, mirrored + (1 - mirrored) * schlick, 0)
        reflected += wet * (0.02 + 0.75 * schlick)
        if mirrors:
            self._mirror(out, at, material, reflected, wet, sunned)
        return np.asarray(out, dtype=np.float32)

    def _wetness(self, at: Seen, material: NDArray[np.uint8]) -> Array:
        wet = np.zeros(len(at.face), np.float32)
        if self.scene.conditions.wet > 0:
            ground = np.isin(material, _GROUND) & (at.normal[:, 2] > 0.8)
            x, y = at.position[ground, 0], at.position[ground, 1]
            wet[ground] = self.scene.conditions.wet * self.scene.puddles(x, y)
        return wet

    def _sun(self, at: Seen, material: NDArray[np.uint8]) -> Array:
        """Cosine of the sun's light on each place (n,), 0 in shadow."""
        facing = at.normal @ self.sky.to_sun
        leaves = material == _LEAVES
        facing = np.where(leaves, 0.55 * facing + 0.3, facing)
        # As with lamps, shadows of what is too faint are left out: those of the moon.
        lit = np.flatnonzero(facing > 0) if self.sky.sun.max() > FAINTEST else np.zeros(0, np.intp)
        if len(lit):
            blur = 0.003 if self.sky.sharp else 0.01
            towards = self.sky.to_sun + self.rng.standard_normal((len(lit), 3), dtype=np.float32) * np.float32(blur)
            off = np.where(leaves[lit], np.float32(0.12), np.float32(SHIFT))[:, None]
            start = at.position.take(lit, axis=0) + at.normal.take(lit, axis=0) * off
            dark = self.scene.caster.blocked(start, towards)
            facing[lit[dark]] = np.where(leaves[lit[dark]], 0.25 * facing[lit[dark]], 0)
        return np.asarray(np.maximum(facing, 0), dtype=np.float32)

    def _mirror(
        self, out: Array, at: Seen, material: NDArray[np.uint8], share: Array, wet: Array, sunned: Array
    ) -> None:
        """Add to radiance `out` what surfaces mirror; `share` (n,) of light is mirrored."""
        chosen = np.flatnonzero(share > MIRRORED)
        if not len(chosen):
            return
        direction, normal = at.direction.take(chosen, axis=0), at.normal.take(chosen, axis=0)
        shaken = self.rng.standard_normal((2, len(chosen), 1), dtype=np.float32)
        rough = _ROUGH[material[chosen], None]
        # Water over rough ground draws mirror images out towards whoever looks.
        level = direction * np.array([1, 1, 0], np.float32)
        across = level[:, [1, 0, 2]] * np.array([1, -1, 0], np.float32)
        normal = normal + (rough + 0.012 * wet[chosen, None]) * shaken[0] * level
        normal += (rough + 0.002 * wet[chosen, None]) * shaken[1] * across
        normal /= np.sqrt(np.einsum("nd,nd->n", normal, normal))[:, None]
        back = direction - 2 * np.einsum("nd,nd->n", direction, normal)[:, None] * normal
        share = share[chosen, None]
        start = at.position.take(chosen, axis=0) + at.normal.take(chosen, axis=0) * np.float32(SHIFT)
        mirrored = self.scene.look(start, back)
        light = np.zeros_like(back)
        away, hit = np.flatnonzero(mirrored.face < 0), np.flatnonzero(mirrored.face >= 0)
        light[away] = self.sky.radiance(back.take(away, axis=0), disc=False)
        if len(hit):
            full = np.full(len(hit), 0.7, np.float32)
            light[hit] = self._surface(mirrored.pick(hit), full, np.full(len(hit), 0.5, np.float32), False)
        paint = material[chosen] == MATERIAL["metal"]
        light[paint] *= 0.4 + 0.6 * self.scene.colors[at.face[chosen[paint]]]
        out[chosen] = out.take(chosen, axis=0) * (1 - np.minimum(share, 1)) + light * share
        if self.sky.sharp:
            shine = np.exp(400 * np.log(np.maximum(back @ self.sky.to_sun, 0.1))) * (sunned[chosen] > 0)
            out[chosen] += (shine * 6)[:, None] * share * self.sky.sun

"""Lamps as a camera meets them: their light on the street, their own glow, and what retroreflectors send back."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.driving.camera_scene import Scene, Seen
from clip3d.simulation.driving.snapshot import MATERIAL, Lamp, Snapshot

Array = NDArray[np.float32]

CELL = 5.0  # metres of the cells of space whose places count with the same lamps
OWN_REACH, OWN_SIDE = 3.5, 1.2  # metres ahead of and beside a vehicle's middle, within which a beam is its own
HOUSING = 0.35  # metres around a lamp that do not stand in its light
FAINTEST = 2e-4  # irradiance below which a lamp's light is left out
SHADOWED = 5e-4  # irradiance from which a lamp throws shadows
# Candela a lux and square metre of used retroreflective sheeting (new of class RA1: 70, EN 12899-1), and of paint.
SENT_BACK = 15.0
PAINT_BACK = 0.25
# Radiance of lamps of which nobody says how strong they are.
TRAFFIC_LIGHT, WHITE_LAMP, WINDOW, TAIL_LAMP = 4.0, 1.0, 0.012, 0.6


@dataclass(frozen=True, eq=False)
class Lamps:
    """Lamps of one picture.

    Attributes:
        position: (m, 3) float32.
        color: (m, 3) float32.
        direction: (m, 3) float32; zeros where a lamp shines all around.
        cosine: (m,) float32.
        own: (m,) bool, the recording vehicle's headlights.
        glowing: (f, 3) float32 radiance of each face itself, or None where none glows.
        lights: whether the lamps' light counts beside that of the day.
    """

    position: Array
    color: Array
    direction: Array
    cosine: Array
    own: NDArray[np.bool_]
    glowing: Array | None
    lights: bool

    def __len__(self) -> int:
        return len(self.position) if self.lights else 0

    @functools.cached_property
    def brightest(self) -> Array:
        """(m,) the strongest of each lamp's colours."""
        return np.asarray(self.color.max(axis=1, initial=0))

    @functools.cached_property
    def beam(self) -> NDArray[np.bool_]:
        """(m,) which lamps shine one way only."""
        return np.asarray(self.direction.any(axis=1))

    @functools.cached_property
    def dipped(self) -> NDArray[np.bool_]:
        """(m,) which lamps are dipped headlights: narrow beams that go ahead."""
        return np.asarray((self.cosine > 0.7) & (np.abs(self.direction[:, 2]) < 0.3))

    @classmethod
    def of(cls, snapshot: Snapshot, scene: Scene) -> Lamps:
        """Lamps of a snapshot; at dusk and at night the recording vehicle's own headlights are lit."""
        given = list(snapshot.lamps)
        close = [_own(lamp, snapshot.world_from_vehicle) for lamp in given]
        glowing = _glowing(snapshot, scene)
        if snapshot.conditions.period != "day" and not any(close):
            given += headlights(snapshot.world_from_vehicle)
            close += [True, True]
        position = np.array([lamp.position for lamp in given], np.float32).reshape(-1, 3)
        color = np.array([lamp.color for lamp in given], np.float32).reshape(-1, 3)
        beams = [np.zeros(3) if lamp.direction is None else lamp.direction for lamp in given]
        cosine = np.array([lamp.cosine for lamp in given], np.float32)
        own = np.array(close, np.bool_)
        lights = snapshot.conditions.period != "day" and bool(given)
        return cls(position, color, np.array(beams, np.float32).reshape(-1, 3), cosine, own, glowing, lights)

    def light(
        self, scene: Scene, at: Seen, wet: Array, material: NDArray[np.uint8], counted: int
    ) -> tuple[Array, Array]:
        """Irradiance (n, 3) of lamps on places, and radiance (n, 3) of their highlights on wet or shiny ones.

        Each cell of space counts with the `counted` lamps that matter most to it, so that a street of hundreds
        costs no more than one of ten.
        """
        irradiance = np.zeros((len(at.face), 3), np.float32)
        glint = np.zeros_like(irradiance)
        polish = np.maximum(wet * 0.5, np.isin(material, _SHINY) * np.float32(0.3))
        cell, ranked = self._ranked(at.position, counted)
        for rank in ranked.T:
            lamp = rank[cell]
            places = np.flatnonzero(lamp >= 0)
            places, lamp, strength, towards = self._reach(lamp[places], places, at)
            if not len(places):
                continue
            bright = strength * self.brightest[lamp]
            cast = np.flatnonzero(bright > SHADOWED)
            there = places[cast]
            start = at.position.take(there, axis=0) + at.normal.take(there, axis=0) * np.float32(0.01)
            ray = self.position.take(lamp[cast], axis=0) - start
            short = np.maximum(1 - HOUSING / np.maximum(_length(ray), HOUSING), 0.01)
            dark = scene.caster.blocked(start, ray, short)
            strength[cast[dark]] = 0
            color = strength[:, None] * self.color.take(lamp, axis=0)
            irradiance[places] = irradiance.take(places, axis=0) + color
            shiny = np.flatnonzero((polish[places] > 0) & (strength > 0))
            if len(shiny):
                lobe = _lobe(at, places[shiny], towards.take(shiny, axis=0), polish)
                glint[places[shiny]] += color.take(shiny, axis=0) * lobe[:, None]
        return irradiance, glint

    def _ranked(self, position: Array, counted: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The cell of each place (n,), and each cell's lamps (c, k), those that light it most first, else -1."""
        # Cells' borders stand off the ground, where rounding would scatter its places over two of them.
        grid = np.floor(position * np.float32(1 / CELL) + np.float32(0.4)).astype(np.int64)
        key = (grid[:, 0] * 8192 + grid[:, 1]) * 8192 + grid[:, 2]
        _, first, cell = np.unique(key, return_index=True, return_inverse=True)
        middle = (grid[first] + 0.1) * CELL
        reach = CELL * 0.87
        lamps, beams = self.position.astype(np.float64), self.direction.astype(np.float64)
        square = (middle**2).sum(axis=1)[:, None] + (lamps**2).sum(axis=1) - 2 * middle @ lamps.T
        distance = np.sqrt(np.maximum(square, 0.01))
        strength = self.brightest / np.maximum(distance - reach, 0.7) ** 2
        # Of a cell the place nearest to the beam counts.
        angle = np.arccos(np.clip((middle @ beams.T - (lamps * beams).sum(axis=1)) / distance, -1, 1))
        nearest = np.cos(np.maximum(angle - np.arcsin(np.minimum(reach / distance, 1)), 0))
        strength *= np.where(self.beam, _beam(nearest, self.cosine), 1)
        strength = np.where(strength > FAINTEST, strength * np.where(self.own, 1e4, 1), 0)
        order = np.argsort(-strength, axis=1, kind="stable")[:, :counted]
        ranked = np.where(np.take_along_axis(strength, order, axis=1) > 0, order, -1)
        return cell.ravel(), ranked

    def _reach(
        self, lamp: NDArray[np.intp], places: NDArray[np.intp], at: Seen
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], Array, Array]:
        """Of places with a lamp each those that it lights: which, their lamp, its irradiance there if its strength
        were 1, and unit vectors to it."""
        away = self.position.take(lamp, axis=0) - at.position.take(places, axis=0)
        # Most lamps are behind a place or too far: what their beams do is asked of the others alone.
        square = np.maximum(np.einsum("nd,nd->n", away, away), 0.04)
        strength = np.einsum("nd,nd->n", away, at.normal.take(places, axis=0)) / (square * np.sqrt(square))
        kept = np.flatnonzero(strength * self.brightest[lamp] > FAINTEST / 4)
        places, lamp, strength = places[kept], lamp[kept], strength[kept]
        away = away.take(kept, axis=0) / np.sqrt(square[kept])[:, None]
        beams = np.flatnonzero(self.beam[lamp])
        if len(beams):
            which, towards = lamp[beams], away.take(beams, axis=0)
            share = _beam(-np.einsum("nd,nd->n", towards, self.direction.take(which, axis=0)), self.cosine[which])
            # Dipped headlights spare the road just before them, so that it is lit evenly.
            dipped = self.dipped[which] / np.float32(0.06**2)
            strength[beams] *= share / (1 + dipped * np.maximum(towards[:, 2], 0) ** 2)
            kept = np.flatnonzero(strength * self.brightest[lamp] > FAINTEST / 4)
            places, lamp, strength, away = places[kept], lamp[kept], strength[kept], away.take(kept, axis=0)
        return places, lamp, strength, away

    def glow(self, face: NDArray[np.int32], brightest: float) -> Array | np.float32:
        """Radiance (n, 3) of faces that are lamps themselves, `brightest` at most."""
        return np.float32(0) if self.glowing is None else np.minimum(self.glowing[face], np.float32(brightest))

    def sent_back(self, at: Seen, material: NDArray[np.uint8], colors: Array) -> Array | np.float32:
        """Radiance (n, 3) that reflectors and road paint send back into the vehicle's own headlights."""
        if not self.lights or not self.own.any():
            return np.float32(0)
        back = (material == MATERIAL["retroreflector"]) * np.float32(SENT_BACK)
        back += (material == MATERIAL["road paint"]) * np.float32(PAINT_BACK)
        chosen = np.flatnonzero(back > 0)
        found = np.zeros((len(at.face), 3), np.float32)
        some = at.pick(chosen)
        for number in np.flatnonzero(self.own):
            every = np.arange(len(chosen))
            near, _, strength, towards = self._reach(np.full(len(chosen), number), every, some)
            facing = np.maximum(np.einsum("nd,nd->n", towards, some.normal[near]), 0.05)
            found[chosen[near]] += (strength / facing)[:, None] * self.color[number]
        return np.asarray(found * back[:, None] * colors)


_SHINY = np.array([MATERIAL["car paint"], MATERIAL["glass"]], np.uint8)


def _beam(inside: NDArray[np.floating], edge: Array) -> NDArray[np.floating]:
    """How bright a beam is at a cosine `inside` to its axis, if at the cosine `edge` it ends.

    Narrow ones, as of headlights, are brightest in the middle by far; wide ones, as of street lamps, are even.
    """
    off = (1 - inside) / np.maximum(1 - edge, 1e-4)
    peaked = 7 * np.clip((edge - 0.5) / 0.4, 0, 1)
    return np.asarray(np.exp(-peaked * off) * np.clip(3 * (1 - off), 0, 1))


def _own(lamp: Lamp, world_from_vehicle: NDArray[np.float64]) -> bool:
    """Whether a lamp is a headlight of the vehicle that stands so."""
    if lamp.direction is None:
        return False
    rotation = world_from_vehicle[:3, :3]
    x, y, _ = rotation.T @ (lamp.position - world_from_vehicle[:3, 3])
    return bool(0 < x < OWN_REACH and abs(y) < OWN_SIDE and lamp.direction @ rotation[:, 0] > 0.8)


def _length(vectors: Array) -> Array:
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", vectors, vectors)))


def _lobe(at: Seen, places: NDArray[np.intp], towards: Array, polish: Array) -> Array:
    """How strongly (n,) a lamp that lies `towards` (n, 3) glints at places that polish makes mirrors."""
    normal, direction = at.normal.take(places, axis=0), at.direction.take(places, axis=0)
    half = towards - direction
    half /= np.maximum(_length(half), 1e-6)[:, None]
    facing = np.clip(-np.einsum("nd,nd->n", direction, normal), 0, 1)
    # A power by way of the logarithm: many times as fast.
    lobe = np.exp(180 * np.log(np.maximum(np.einsum("nd,nd->n", half, normal), 0.1))) * 8
    return np.asarray(lobe * polish[places] * (0.06 + 0.94 * (1 - facing) ** 5))


def headlights(world_from_vehicle: NDArray[np.float64]) -> list[Lamp]:
    """Two dipped headlights (about 8,000 candela each) of a vehicle that stands so."""
    rotation, place = world_from_vehicle[:3, :3], world_from_vehicle[:3, 3]
    ahead = rotation @ np.array([0.9998, 0, -0.02])
    return [
        Lamp(
            position=(place + rotation @ np.array([2.0, side, 0.65])).astype(np.float32),
            color=np.array([6.0, 5.7, 5.1], np.float32),
            direction=ahead.astype(np.float32),
            cosine=float(np.cos(np.radians(30))),
        )
        for side in (-0.65, 0.65)
    ]


def _glowing(snapshot: Snapshot, scene: Scene) -> Array | None:
    """Radiance (f, 3) of faces that are lit lamps themselves; None where there is none.

    A face of the material "lamp" glows with the strength of a lit `Lamp` that stands at it. In the dark so do those
    without one, by their colour: windows faintly, traffic lights more; those of things only where the thing has
    another lamp lit, and then its red reflectors are tail lamps.
    """
    faces = np.flatnonzero(scene.materials == MATERIAL["lamp"])
    found = np.zeros((len(scene.materials), 3), np.float32)
    corners = scene.corners[faces]
    middle = corners.mean(axis=1)
    reach = np.clip(np.linalg.norm(corners - middle[:, None], axis=2).max(axis=1, initial=0), 0.5, 1.0)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    for lamp in snapshot.lamps:
        near = np.flatnonzero(np.linalg.norm(middle - lamp.position, axis=1) < reach)
        if len(near):
            shown = lamp.color / max(float(area[near].sum()) / 2, 0.02)
            found[faces[near]] = np.maximum(found[faces[near]], shown)
    vivid = np.ptp(scene.colors, axis=1) > 0.4
    if snapshot.conditions.period == "day":
        # By day street lamps and windows are out; traffic lights are not.
        default = np.where(vivid[faces], TRAFFIC_LIGHT, 0)
    else:
        default = np.where(area > 0.08, WINDOW, np.where(vivid[faces], TRAFFIC_LIGHT, WHITE_LAMP))
    on = _switched_on(snapshot)
    default = np.where(on[scene.owners[faces]], default, 0)
    dark = ~found[faces].any(axis=1)
    found[faces[dark]] = scene.colors[faces[dark]] * default[dark, None]
    if snapshot.conditions.period != "day":
        red = vivid & (scene.colors[:, 0] > 0.3) & (scene.materials == MATERIAL["retroreflector"])
        tail = np.flatnonzero(red & (scene.owners >= 0) & on[scene.owners])
        found[tail] = scene.colors[tail] * np.float32(TAIL_LAMP)
    return found if found.any() else None


def _switched_on(snapshot: Snapshot) -> NDArray[np.bool_]:
    """Of each thing (t + 1,) whether a lamp of its own is lit; what has no owner (-1, the last) counts as so."""
    on = np.zeros(len(snapshot.things) + 1, np.bool_)
    on[-1] = True
    beams = [lamp.position for lamp in snapshot.lamps if lamp.direction is not None]
    if beams:
        for number, thing in enumerate(snapshot.things):
            away = np.asarray(beams)[:, :2] - thing.center[:2]
            cosine, sine = np.cos(thing.yaw), np.sin(thing.yaw)
            ahead, aside = away @ np.array([cosine, sine]), away @ np.array([-sine, cosine])
            inside = (np.abs(ahead) < thing.size[0] / 2 + 0.3) & (np.abs(aside) < thing.size[1] / 2 + 0.1)
            on[number] = inside.any()
    return on

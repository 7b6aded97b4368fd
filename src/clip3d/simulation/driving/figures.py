"""People in the street: on foot, pushing and carrying, and riding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, bright, dark, fabric, maybe, near, pick
from clip3d.simulation.cycles import bicycle, motorcycle, stroller
from clip3d.simulation.driving.solids import (
    Solid,
    cycle_materials,
    join,
    made_of,
    person_materials,
    plain,
    solid_of,
)
from clip3d.simulation.machines import kick_scooter
from clip3d.simulation.moving import merge, rotate, scale
from clip3d.simulation.people import HAIRS, POSES, SKINS, arm, face, leg, torso
from clip3d.simulation.quadrupeds import quadruped
from clip3d.simulation.shapes import Color, box, lathe, rod, sphere

HIPS = 0.86  # metres above the ground of the middle of the hips of a figure that stands, before it is scaled
STANDING = 1.72  # its height
COATS: tuple[Color, ...] = (
    (0.12, 0.12, 0.14),
    (0.2, 0.22, 0.3),
    (0.35, 0.33, 0.3),
    (0.55, 0.5, 0.42),
    (0.8, 0.78, 0.74),
)


@dataclass(frozen=True)
class Look:
    """How a person looks, whatever they do.

    Attributes:
        who: "man", "woman" or "child".
        skin: its colour.
        hair: its colour.
        shirt: of what is worn above.
        trousers: of what is worn below.
        broad: a factor of the shoulders.
        skirt: its length in metres, 0 without one.
        seed: of the rest of the face.
    """

    who: str
    skin: Color
    hair: Color
    shirt: Color
    trousers: Color
    broad: float
    skirt: float
    seed: int


def a_look(rng: Rng, who: str) -> Look:
    """Draw how a person looks."""
    shirt = near(rng, pick(rng, *COATS), 0.05) if maybe(rng, 0.55) else bright(rng)
    broad = {"man": 1.0, "woman": 0.88, "child": 0.85}[who] * rng.uniform(0.9, 1.2)
    skirt = float(rng.uniform(0.3, 0.6)) if who == "woman" and maybe(rng, 0.3) else 0.0
    skin, hair = near(rng, pick(rng, *SKINS), 0.03), near(rng, pick(rng, *HAIRS), 0.03)
    trousers = pick(rng, dark(rng), fabric(rng), near(rng, (0.15, 0.2, 0.35)))
    return Look(who, skin, hair, shirt, trousers, float(broad), skirt, int(rng.integers(1 << 30)))


def _posed(look: Look, left: tuple[float, ...], right: tuple[float, ...], lean: float = 0.0) -> list[Mesh]:
    """The parts of a person about hips at the origin; legs turn from upright, arms from the leaning trunk."""
    upper: list[Mesh] = [torso(look.broad, look.shirt)]
    upper += face(np.random.default_rng(look.seed), look.who, look.skin, look.hair)
    lower: list[Mesh] = []
    for sign, angles in ((1, np.array(left)), (-1, np.array(right))):
        upper += arm(sign, angles, look.broad, look.shirt, look.skin)
        lower += leg(sign, angles, look.broad, look.trousers, look.skin)
    if look.skirt:
        lower.append(lathe([(0.3, -look.skirt), (0.15, 0.08)], (0, 0, 0), look.shirt, 12))
    return [rotate(merge(upper), "y", lean), merge(lower)]


def _figure(
    look: Look, height: float, left: tuple[float, ...], right: tuple[float, ...], lean: float = 0.0
) -> Solid:
    """A person about hips at the origin, in true size."""
    return solid_of(_posed(look, left, right, lean), person_materials).scaled(height / STANDING)


def walker(look: Look, height: float, phase: float, stride: float = 1.0) -> Solid:
    """A person walking, at `phase` in [0, 1) of two steps; with `stride` 0 standing."""
    swing = float(np.sin(2 * np.pi * phase)) * stride
    left = (27 * swing, 8 + 25 * max(-swing, 0.0), -24 * swing, 8.0, 15 + 10 * stride)
    right = (-27 * swing, 8 + 25 * max(swing, 0.0), 24 * swing, 8.0, 15 + 10 * stride)
    return _figure(look, height, left, right, 2 * stride).standing()


def poser(look: Look, height: float, pose: str) -> Solid:
    """A person in one of the poses that have names."""
    return _figure(look, height, *POSES[pose]).standing()


def with_pram(rng: Rng, look: Look, height: float, phase: float) -> Solid:
    """Pushing a pram or a stroller."""
    swing = 22 * float(np.sin(2 * np.pi * phase))
    left, right = (swing, 10 + max(-swing, 0), 38, 6, 35), (-swing, 10 + max(swing, 0), 38, 6, 35)
    person = _figure(look, height, left, right, 6)
    pram = solid_of(stroller(rng)[0], cycle_materials).standing()
    return join([person.placed((-0.75, 0, HIPS * height / STANDING)), pram]).standing()


def with_load(rng: Rng, look: Look, height: float, phase: float, load: str) -> Solid:
    """With an umbrella up, a suitcase behind, a rucksack, or a bag."""
    swing = 25 * float(np.sin(2 * np.pi * phase))
    left, right = (swing, 8 + max(-swing, 0), 0, 8, 12), (-swing, 8 + max(swing, 0), swing, 8, 20)
    k, color = height / STANDING, bright(rng) if maybe(rng) else dark(rng)
    extra: list[Solid]
    if load == "umbrella":
        left = (*left[:2], 25, 10, 115)
        high = 2.05 * k
        cloth = lathe([(0.58, 0.0), (0.45, 0.13), (0.22, 0.22), (0.0, 0.25)], (0.12, 0.15, high - 0.2), color, 8)
        extra = [
            plain(cloth, "cloth"),
            plain(rod((0.12, 0.15, high - 0.9), (0.12, 0.15, high), 0.012, dark(rng)), "metal"),
        ]
    elif load == "suitcase":
        left = (*left[:2], -25, 10, 5)
        case = [
            box((0.28, 0.42, 0.62), (-0.55, 0.22, 0.06), color, 0.04),
            rod((-0.5, 0.22, 0.66), (-0.3, 0.24, 0.95), 0.012),
        ]
        extra = [plain(merge(case), "plastic")]
    elif load == "rucksack":
        extra = [plain(box((0.2, 0.32, 0.48), (-0.22, 0, 1.0 * k), color, 0.05), "cloth")]
    else:
        extra = [plain(box((0.28, 0.12, 0.36), (0.0, 0.3, 0.45 * k), color, 0.02), "cloth")]
    person = _figure(look, height, left, right, 2)
    return join([person.placed((0, 0, HIPS * k)), *extra]).standing()


def a_dog(rng: Rng) -> Solid:
    """A dog of .3 to .75 m at the shoulder."""
    return solid_of(quadruped("dog")(rng)[0], made_of("cloth")).scaled(rng.uniform(0.5, 1.0)).standing()


def cyclist(rng: Rng, look: Look, height: float, phase: float, helmet: bool) -> tuple[Solid, list[str]]:
    """A person riding a bicycle, and what kind of bicycle it is."""
    machine, words = _bicycle(rng)
    crank, k = 2 * np.pi * phase, height / STANDING
    left, right = _pedalling(crank), _pedalling(crank + np.pi)
    lean = 42.0 if "racing bicycle" in words else 25.0
    reach = 52 + lean * 0.45
    rider = _figure(look, height, (*left, reach, 6, 18), (*right, reach, 6, 18), lean)
    seat = (-0.22, 0, 1.02 - 0.1 * (1 - k))
    parts = [machine, rider.placed(seat)]
    if helmet:
        lifted = np.array([np.sin(np.radians(lean)), 0, np.cos(np.radians(lean))]) * 0.76 * k + seat
        hat = sphere((0.13 * k, 0.11 * k, 0.08), lifted.tolist(), bright(rng), 10)
        parts.append(plain(hat, "plastic"))
    return join(parts).standing(), words


def _pedalling(crank: float) -> tuple[float, float]:
    """Degrees of thigh and knee with the pedal at an angle of the crank."""
    up = (1 + float(np.sin(crank))) / 2
    return 22 + 48 * up, 22 + 62 * up


def _bicycle(rng: Rng) -> tuple[Solid, list[str]]:
    parts, words = bicycle(rng)
    while "penny-farthing" in words:
        parts, words = bicycle(rng)
    return solid_of(parts, cycle_materials).standing(), words


def parked_bicycle(rng: Rng) -> Solid:
    """A bicycle by itself."""
    return _bicycle(rng)[0]


def motorcyclist(rng: Rng, look: Look, height: float, kinds: tuple[str, ...]) -> tuple[Solid, list[str]]:
    """A person with a helmet on a motorcycle or a scooter."""
    machine, words = parked_motorcycle(rng, kinds)
    top = float(machine.low_high()[1][2])
    lean = 32.0 if "sport motorcycle" in words else 10.0
    rider = _figure(look, height, (62, 82, 42 + lean, 12, 22), (62, 82, 42 + lean, 12, 22), lean)
    seat = np.array([-0.28, 0, 0.82 if top > 0.9 else 0.75])
    k = height / STANDING
    head = np.array([np.sin(np.radians(lean)), 0, np.cos(np.radians(lean))]) * 0.72 * k + seat
    helmet = plain(
        sphere((0.15, 0.13, 0.15), head.tolist(), bright(rng) if maybe(rng) else dark(rng), 10), "plastic"
    )
    return join([machine, rider.placed(seat.tolist()), helmet]).standing(), words


def parked_motorcycle(rng: Rng, kinds: tuple[str, ...]) -> tuple[Solid, list[str]]:
    """A motorcycle by itself, of one of the kinds."""
    parts, words = motorcycle(rng, *kinds)
    return solid_of(parts, cycle_materials).standing(), words


def scooter_rider(rng: Rng, look: Look, height: float) -> Solid:
    """A person standing on an electric kick scooter."""
    deck = solid_of([scale(merge(kick_scooter(rng)[0]), (1.35, 1.0, 1.1))], cycle_materials).standing()
    rider = _figure(look, height, (6, 8, 38, 8, 42), (-8, 12, 38, 8, 42), 3)
    feet = float(rider.low_high()[0][2])
    return join([deck, rider.placed((-0.12, 0, 0.13 - feet))]).standing()

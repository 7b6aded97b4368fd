"""Simulated logs: a street drawn from a number, recorded, and written in the plain layout or in ONCE's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from clip3d.errors import ShapeError
from clip3d.lidar.motion import inverse
from clip3d.lidar.once_writing import OnceWriter
from clip3d.lidar.writing import LogWriter
from clip3d.simulation.chance import Rng
from clip3d.simulation.driving import telling
from clip3d.simulation.driving.camera import render
from clip3d.simulation.driving.lidar_layouts import LIDARS, TRAINING_LIDARS, lidar_named
from clip3d.simulation.driving.lidar_sensor import scan
from clip3d.simulation.driving.models import Shapes
from clip3d.simulation.driving.places import PLACES
from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.rig import CAMERAS, Rig, draw_rig
from clip3d.simulation.driving.snapshot import Mix, Period, Snapshot, Weather
from clip3d.simulation.driving.streets import Street, draw_street
from clip3d.simulation.driving.truth import true_boxes

if TYPE_CHECKING:
    from PIL.Image import Image

Layout = Literal["plain", "once"]
LAYOUTS: tuple[Layout, ...] = ("plain", "once")
# Names that ONCE gives to cameras that look so.
ONCE_CAMERAS = {
    "front": "cam01",
    "back_left": "cam05",
    "front_left": "cam06",
    "left": "cam06",
    "front_right": "cam07",
    "right": "cam07",
    "back_right": "cam08",
    "back": "cam09",
}
ONCE_EPOCH = 1_600_000_000_000  # milliseconds at which the first log begins; others follow hour by hour
FASTEST, SLOWEST = 20.0, 0.1  # sweeps a second
MOST_SECONDS = 300.0  # of a log


@dataclass(frozen=True)
class Drive:
    """What is recorded, and how; a log depends on this and its number alone.

    Attributes:
        frames: of a log.
        seed: of all logs.
        rate: sweeps a second.
        sensor: of `LIDARS`, or "any" for one of those for training by chance in each log.
        cameras: 0 to CAMERAS.
        picture: pixels of a picture's width.
        shapes: "held-out" shows other things than "train".
        place: of PLACES, or None for any.
        period: of the day, or None for any.
        weather: or None for any.
        mix: "usual" for streets as they are; "balanced" for training: vans, trucks and buses nearly as common as
            cars, many cyclists and people, some close by; night, rain, fog, a low sun, drops and blur more often.
    """

    frames: int = 20
    seed: int = 0
    rate: float = 2.0
    sensor: str = "any"
    cameras: int = 1
    picture: int = 400
    shapes: Shapes = "train"
    place: str | None = None
    period: Period | None = None
    weather: Weather | None = None
    mix: Mix = "usual"

    def __post_init__(self) -> None:
        if self.frames < 1 or self.seed < 0:
            raise ShapeError(f"a log has at least one frame and a seed from 0, got {self.frames} and {self.seed}")
        if not SLOWEST <= self.rate <= FASTEST:
            raise ShapeError(f"there are {SLOWEST} to {FASTEST:.0f} sweeps a second, got {self.rate}")
        if self.duration > MOST_SECONDS:
            raise ShapeError(
                f"{self.frames} frames at {self.rate:g} a second last {self.duration:.0f} s: "
                f"logs last {MOST_SECONDS:.0f} s at most"
            )
        if self.sensor not in (*LIDARS, "any"):
            raise ShapeError(f"no lidar {self.sensor!r}: choose one of {', '.join(LIDARS)}, any")
        named = {"shapes": Shapes, "period": Period, "weather": Weather, "mix": Mix}
        choices = {"place": PLACES, **{name: get_args(names) for name, names in named.items()}}
        for name, known in choices.items():
            value = getattr(self, name)
            if value not in known and not (value is None and name in ("place", "period", "weather")):
                raise ShapeError(f"no {name} {value!r}: choose one of {', '.join(known)}")
        if not 0 <= self.cameras <= CAMERAS:
            raise ShapeError(f"a recording vehicle has 0 to {CAMERAS} cameras, got {self.cameras}")

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return (self.frames - 1) / self.rate


def log_name(drive: Drive, number: int) -> str:
    """Of the folder of a log."""
    return f"{'held-out' if drive.shapes == 'held-out' else 'street'}-{drive.seed:04d}-{number:05d}"


def make_log(
    drive: Drive, number: int, out: Path, step: Callable[[], None] | None = None, layout: Layout = "plain"
) -> int:
    """Record and write one log into a folder below `out`; frames that stand already are passed over.

    Args:
        drive: what is recorded.
        number: of the log, from 0.
        out: is made if need be.
        step: called after each frame.
        layout: "plain", or "once" for ONCE's below `out`/data.

    Returns:
        How many frames were written.

    Raises:
        FrameError: if it cannot be written, or another log stands there.
    """
    street, rig = _drawn(drive, number)
    name, metadata = log_name(drive, number), _of_log(drive, number, street, rig)
    writer: LogWriter | OnceWriter
    if layout == "once":
        named = tuple(replace(camera, name=ONCE_CAMERAS[camera.name]) for camera in rig.cameras)
        rig = replace(rig, cameras=named)
        writer = OnceWriter(out, name, rig.cameras, metadata=metadata)
    else:
        writer = LogWriter(out / name, rig.cameras, name=name, metadata=metadata, sensor=rig.lidar.name)
    written = 0
    for index in range(drive.frames):
        key = f"{index:06d}"
        if layout == "once":
            key = str(ONCE_EPOCH + 3_600_000 * number + round(1000 * index / drive.rate))
        if key not in writer.done:
            _record(
                writer, key, street, rig, index / drive.rate, np.random.default_rng([drive.seed, number, index, 3])
            )
            written += 1
        if step:
            step()
    return written


def _drawn(drive: Drive, number: int) -> tuple[Street, Rig]:
    rng = np.random.default_rng([drive.seed, number, 2])
    name = TRAINING_LIDARS[int(rng.integers(len(TRAINING_LIDARS)))]
    lidar = lidar_named(name if drive.sensor == "any" else drive.sensor)
    seed = int(rng.integers(1 << 40))
    street = draw_street(
        seed,
        drive.duration,
        shapes=drive.shapes,
        place=drive.place,
        period=drive.period,
        weather=drive.weather,
        mix=drive.mix,
    )
    return street, draw_rig(rng, lidar, drive.cameras, drive.picture)


def _of_log(drive: Drive, number: int, street: Street, rig: Rig) -> dict[str, Any]:
    conditions = street.conditions
    return {
        "simulated": True,
        "drive": _told(drive),
        "number": number,
        "sensor": rig.lidar.name,
        "place": street.place,
        "period": conditions.period,
        "weather": conditions.weather,
        "density": {0: "empty", 1: "usual", 2: "busy"}[round(street.density)],
    }


def _told(drive: Drive) -> dict[str, Any]:
    """A drive's settings; the usual mix goes without saying, so that logs made before there was another go on."""
    told = asdict(drive)
    if drive.mix == "usual":
        del told["mix"]
    return told


def _record(
    writer: LogWriter | OnceWriter, key: str, street: Street, rig: Rig, time: float, rng: Rng
) -> None:
    """Take one frame and write it."""
    snapshot = street.at(time)
    caster = street.caster(snapshot)
    world_from_lidar = snapshot.world_from_vehicle @ rig.vehicle_from_lidar
    scanned = scan(snapshot, caster, rig.lidar, world_from_lidar, rng, time)
    boxes = true_boxes(snapshot, caster, scanned, world_from_lidar, rig.cameras, rng)
    pictures = {
        camera.name: _picture(snapshot, caster, rig, camera.name, world_from_lidar, rng) for camera in rig.cameras
    }
    words = _words(street, rig, boxes, world_from_lidar, rng)
    writer.append(key, scanned.sweep, pictures, boxes=boxes, world_from_lidar=world_from_lidar, metadata=words)


def _picture(
    snapshot: Snapshot, caster: RayCaster, rig: Rig, name: str, world_from_lidar: np.ndarray[Any, Any], rng: Rng
) -> Image:
    from PIL import Image

    camera = next(camera for camera in rig.cameras if camera.name == name)
    world_from_camera = world_from_lidar @ inverse(camera.camera_from_lidar)
    return Image.fromarray(render(snapshot, caster, camera, world_from_camera, rng))


def _words(
    street: Street, rig: Rig, boxes: Any, world_from_lidar: np.ndarray[Any, Any], rng: Rng
) -> dict[str, Any]:
    """Metadata of a frame: what is true of the sweep and of each picture, in words."""
    conditions, place = street.conditions, street.place
    also = street.side.words
    heading = float(np.arctan2(world_from_lidar[1, 0], world_from_lidar[0, 0]))
    seen = telling.seen_by_lidar(boxes)
    found: dict[str, Any] = {
        "period": conditions.period,
        "weather": conditions.weather,
        "place": place,
        "caption": telling.caption(rng, seen, conditions, place, heading, also),
        "terms": telling.terms(seen, conditions, place, heading, also),
        "captions": {},
        "terms_by_camera": {},
    }
    for camera in rig.cameras:
        ahead = world_from_lidar[:3, :3] @ inverse(camera.camera_from_lidar)[:3, 2]
        looks = float(np.arctan2(ahead[1], ahead[0]))
        shown = telling.seen_by_camera(boxes, camera.name)
        found["captions"][camera.name] = telling.caption(rng, shown, conditions, place, looks, also)
        found["terms_by_camera"][camera.name] = telling.terms(shown, conditions, place, looks, also)
    return found

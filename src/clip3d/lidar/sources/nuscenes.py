"""nuScenes: tables in v1.0-…/, files in samples/ and sweeps/.

The lidar's axes are x right, y forward, z up; sweeps, boxes, poses and cameras are brought into ours. Sweep and
picture are taken at different times: points are carried from the lidar to the vehicle then, to the world, to the
vehicle at the picture's time, to the camera. Intensity is 0 to 255, pictures are rectified.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from clip3d.errors import Clip3dError, FrameError
from clip3d.lidar.camera import Camera
from clip3d.lidar.frame import Box, Frame, Frames, Log, Picture
from clip3d.lidar.images import opener
from clip3d.lidar.motion import from_axes, inverse, rigid
from clip3d.lidar.pairing import TOLERANCE, pair
from clip3d.lidar.sources.nuscenes_boxes import Annotations, read_annotations
from clip3d.lidar.sources.nuscenes_tables import Datum, Scene, Tables, read_tables
from clip3d.lidar.sweep_files import FORMS, load_sweep

SOURCE = "nuscenes"
TO_SENSOR = inverse(rigid(from_axes(FORMS["nuscenes"].axes)))


def recognises(path: Path) -> bool:
    """Whether a folder holds v1.0-…/ with tables, or is such a folder."""
    return bool(_versions(path))


def read(path: Path, *, keyframes: bool = True) -> Log:
    """The frames of all scenes, scene after scene, in the order of time.

    Args:
        path: the set's folder, or that of the tables of one version in it.
        keyframes: the annotated sweeps, two a second, with the pictures of their sample; otherwise every picture,
            with the sweep nearest in time within the tolerance, frames being the sweeps that got one.

    Raises:
        FrameError: if a table cannot be used, or the folder holds several versions.
    """
    versions = _versions(path)
    if len(versions) != 1:
        names = ", ".join(folder.name for folder in versions) or "none"
        raise FrameError(path, f"its versions of tables are {names}, not one", "name the folder of one of them")
    folder = versions[0]
    tables = read_tables(folder, keyframes=keyframes)
    problems: list[str] = []
    places: list[tuple[Scene, Datum, dict[str, Datum]]] = []
    for scene in tables.scenes:
        places += _by_sample(scene) if keyframes else _by_time(scene, problems)
    log = _Set(folder.parent, folder, tables)
    keys = [f"{scene.name}/{round(sweep.time * 1e6)}" for scene, sweep, _ in places]

    def make(index: int) -> Frame:
        return log.frame(keys[index], *places[index])

    return Log(folder.name, path, SOURCE, Frames(keys, make), tuple(problems))


def _versions(path: Path) -> list[Path]:
    candidates = [path] if path.name.startswith("v1.0-") else sorted(path.glob("v1.0-*"))
    return [folder for folder in candidates if (folder / "sample_data.json").is_file()]


def _by_sample(scene: Scene) -> list[tuple[Scene, Datum, dict[str, Datum]]]:
    pictures: dict[str, dict[str, Datum]] = {}
    for channel, found in scene.pictures.items():
        for datum in found:
            pictures.setdefault(datum.sample, {})[channel] = datum
    return [(scene, sweep, pictures.get(sweep.sample, {})) for sweep in scene.sweeps]


def _by_time(scene: Scene, problems: list[str]) -> list[tuple[Scene, Datum, dict[str, Datum]]]:
    times = [sweep.time for sweep in scene.sweeps]
    taken: list[dict[str, Datum]] = [{} for _ in scene.sweeps]
    for channel, found in sorted(scene.pictures.items()):
        pairs = pair(times, [datum.time for datum in found], TOLERANCE)
        if len(pairs.unpaired):
            count = f"{len(pairs.unpaired)} pictures of {channel}"
            problems.append(f"{scene.name}: {count} have no sweep of their own within {TOLERANCE:g} s")
        for at, picture in enumerate(pairs.picture.tolist()):
            if picture >= 0:
                taken[at][channel] = found[picture]
    return [(scene, sweep, seen) for sweep, seen in zip(scene.sweeps, taken, strict=True) if seen]


@dataclass(eq=False)
class _Set:
    """The set, from which frames are made."""

    root: Path
    folder: Path
    tables: Tables

    @cached_property
    def _annotations(self) -> tuple[Annotations | None, tuple[str, ...]]:
        """Read when the first frame is asked for."""
        try:
            return read_annotations(self.folder), ()
        except FrameError as error:
            return None, (f"{error}; so no frame has boxes",)

    def frame(self, key: str, scene: Scene, sweep: Datum, pictures: dict[str, Datum]) -> Frame:
        """One frame."""
        at_sweep = self.tables.ego(sweep)
        world_from_lidar = at_sweep @ self.tables.sensors[sweep.sensor].ego_from_sensor @ TO_SENSOR
        found, problems = self._annotations
        boxes: tuple[Box, ...] | None = None
        # Annotations are of the key frame, whose sweep is in samples/.
        if found is not None and sweep.filename.startswith("samples/"):
            boxes = tuple(found.boxes(sweep.sample, inverse(world_from_lidar)))
        seen: dict[str, Picture] = {}
        told = list(problems)
        for channel, datum in sorted(pictures.items()):
            sensor = self.tables.sensors[datum.sensor]
            camera_from_world = inverse(self.tables.ego(datum) @ sensor.ego_from_sensor)
            try:
                assert sensor.intrinsics is not None
                camera = Camera(channel, *datum.size, sensor.intrinsics, camera_from_world @ world_from_lidar)
                file = self.root / datum.filename
                seen[channel] = Picture(camera, datum.time, opener(file, datum.size), file)
            except Clip3dError as error:
                told.append(f"{key}: the picture of {channel} cannot be used: {error}")
        file = self.root / sweep.filename
        load = partial(load_sweep, file, FORMS["nuscenes"], sweep.time)
        return Frame(key, sweep.time, load, seen, boxes, world_from_lidar, scene.metadata, file, tuple(told))

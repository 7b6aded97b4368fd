"""Views of driving logs, each one camera's share of a sweep, kept compactly: read once, and mapped from then on.

A log becomes a pack of two files: points, ten bytes each, on a grid of two millimetres; and a table of all else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.data.driving_truth import frame_terms, words_of
from clip3d.errors import DataError, FileProblem, FrameError, ShapeError
from clip3d.lidar.augmenting import beams_of
from clip3d.lidar.boxes import counts_of, owners, to_sweep
from clip3d.lidar.camera import Camera
from clip3d.lidar.distortion import undistorted_camera, undistorted_picture
from clip3d.lidar.frame import Frame, Log
from clip3d.lidar.frustum import Frustum, frustum
from clip3d.lidar.sweep import Sweep
from clip3d.training.run_log import Progress
from clip3d.training.sweep_regions import Region, RegionRecipe, pixels_of, regions_of, within

if TYPE_CHECKING:
    from PIL.Image import Image

FORM = 4
GRID = 0.002  # metres; whole numbers of it reach 65 m
POINT = np.dtype([("place", "<i2", 3), ("light", "u1"), ("ring", "u1"), ("owner", "<i2")])
# Points kept about a tower's range, so that a turned or moved frustum finds them.
MARGIN = 3.0
BOX_MARGIN = 0.05
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ViewRecipe:
    """Which frames of a log are seen.

    Attributes:
        every: one frame in so many, since frames follow each other closely.
        cameras: their names; all if empty.
        ahead: metres along the optical axis, and to each side half as many, within which points are kept.
        least: points of a view; one with fewer is left out.
    """

    every: int = 1
    cameras: tuple[str, ...] = ()
    ahead: float = 40.0
    least: int = 50

    def __post_init__(self) -> None:
        if self.every < 1 or self.least < 1 or not 0 < self.ahead <= 60:
            raise ValueError("every and least must be at least 1, and ahead between 0 and 60 metres")


@dataclass(frozen=True, eq=False)
class View:
    """What one camera sees of a sweep.

    Attributes:
        key: of frame and camera.
        rows: (n,) of type `POINT`, in the frustum's frame.
        intrinsics: (3, 3) of the undistorted picture.
        regions: squares first.
        words: by box, most specific first.
        terms: of each square.
    """

    key: str
    frame: str
    camera: str
    rows: NDArray[Any]
    intrinsics: Floats
    regions: tuple[Region, ...]
    words: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]
    terms: tuple[Mapping[str, bool], ...]

    @property
    def points(self) -> NDArray[np.float32]:
        """(n, 4) float32: x, y, z in metres, intensity."""
        place = self.rows["place"].astype(np.float32) * np.float32(GRID)
        return np.concatenate([place, self.rows["light"][:, None] / np.float32(255)], 1)

    @property
    def squares(self) -> int:
        """How many regions are squares."""
        return len(self.terms)


@dataclass(frozen=True, eq=False)
class Pack:
    """The views of one log.

    Attributes:
        log: its name.
        digest: names the content and the settings.
        views: in order of time.
        problems: of frames that were left out.
    """

    log: str
    digest: str
    views: tuple[View, ...]
    problems: tuple[str, ...] = field(default=())

    @property
    def regions(self) -> int:
        """Of all views together."""
        return sum(len(view.regions) for view in self.views)


def pack_of(log: Log, views: ViewRecipe, regions: RegionRecipe, folder: Path, progress: Progress) -> Pack:
    """The pack of a log, from `folder` if it was made before, and else made and kept there.

    A frame that cannot be read is told, and left out.
    """
    digest = _digest(log, views, regions)
    table, points = folder / f"{digest}.json", folder / f"{digest}.npy"
    if not (table.exists() and points.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        _make(log, digest, views, regions, table, points, progress)
    return _read(table, points)


def frames_of(log: Log, recipe: ViewRecipe) -> Iterator[Frame]:
    """The frames that a recipe looks at; those that cannot be made are left out here and told by `pack_of`."""
    yield from (log.frames[i] for i in range(0, len(log.frames), recipe.every))


def whole_frustum(sweep: Sweep, beams: NDArray[np.integer], seen: Camera) -> tuple[Frustum, NDArray[np.int16]]:
    """All that an undistorted camera sees of a sweep, and the beam of each of its points."""
    whole = frustum(sweep, seen, (0.0, 0.0, float(seen.width), float(seen.height)))
    assert whole.index is not None
    return whole, beams[whole.index].astype(np.int16)


def _make(
    log: Log, digest: str, views: ViewRecipe, regions: RegionRecipe, table: Path, points: Path, progress: Progress
) -> None:
    rows, entries, problems, first = [], [], [], 0
    for frame in frames_of(log, views):
        read = cache(partial(_sweep_of, frame))  # of a sweep that cannot be read each camera tells
        for camera in views.cameras or tuple(frame.pictures):
            if camera not in frame.pictures:
                continue
            try:
                made = _view(log.name, frame, camera, read, views, regions)
            except (FileProblem, ShapeError) as error:  # a lens or labels that cannot be used are no file's
                problem = error if isinstance(error, FileProblem) else FrameError(log.path, f"{frame.key}: {error}")
                problems.append(str(problem))
                progress(f"{problem}; the frame is left out")
                continue
            if made is not None:
                rows.append(made[0])
                entries.append({**made[1], "first": first, "count": len(made[0])})
                first += len(made[0])
    with replacing(points) as temporary, temporary.open("xb") as stream:
        np.save(stream, np.concatenate(rows) if rows else np.zeros(0, POINT), allow_pickle=False)
    said = {"form": FORM, "log": log.name, "digest": digest, "views": entries, "problems": problems}
    with replacing(table) as temporary:
        temporary.write_text(json.dumps(said), encoding="utf-8")


def _sweep_of(frame: Frame) -> tuple[Sweep, NDArray[np.integer]]:
    """The sweep of a frame, and the beam of each of its points."""
    sweep = frame.sweep
    return sweep, beams_of(sweep.points) if sweep.ring is None else sweep.ring


def _view(
    log: str,
    frame: Frame,
    camera: str,
    read: Callable[[], tuple[Sweep, NDArray[np.integer]]],
    recipe: ViewRecipe,
    wanted: RegionRecipe,
) -> tuple[NDArray[Any], dict[str, Any]] | None:
    """Points and facts of one view; None where too little is seen."""
    sweep, beams = read()
    seen = undistorted_camera(frame.pictures[camera].camera)
    intrinsics, size = seen.intrinsics, (seen.width, seen.height)
    whole, ring = whole_frustum(sweep, beams, seen)
    far, aside = recipe.ahead + MARGIN, recipe.ahead / 2 + MARGIN
    near = (whole.points[:, 0] < far) & (np.abs(whole.points[:, 1]) < aside) & (np.abs(whole.points[:, 2]) < 20)
    if near.sum() < recipe.least:
        return None
    assert whole.index is not None
    crop = Frustum(whole.points[near], whole.frustum_from_lidar, whole.region, whole.index[near])
    boxes = frame.boxes or ()
    own = owners(to_sweep(crop), boxes, BOX_MARGIN)
    key = f"{log}/{frame.key}/{camera}"
    found = regions_of(crop, intrinsics, size, own, boxes, wanted, key)
    pixels = pixels_of(crop.points, intrinsics)
    terms = [
        frame_terms(
            frame.boxes, counts_of(own[within(pixels, region.rectangle)], boxes).tolist(), frame.metadata, camera
        )
        for region in found
        if region.kind == "square"
    ]
    rows = np.zeros(len(crop), POINT)
    rows["place"] = np.round(crop.points[:, :3] / GRID)
    rows["light"] = np.round(crop.points[:, 3] * 255)
    rows["ring"], rows["owner"] = ring[near].clip(0, 255), own
    facts = {
        "key": key,
        "frame": frame.key,
        "camera": camera,
        "intrinsics": intrinsics.tolist(),
        "regions": [_written(region) for region in found],
        "words": [words_of(box) for box in boxes],
        "labels": [box.label for box in boxes],
        "terms": terms,
    }
    return rows, facts


def _written(region: Region) -> dict[str, Any]:
    facts = asdict(region)
    if not np.isfinite(region.reach):
        facts.pop("reach")
    return facts


def _read(table: Path, points: Path) -> Pack:
    try:
        said = json.loads(table.read_text(encoding="utf-8"))
        rows = np.load(points, mmap_mode="r", allow_pickle=False)
        if said["form"] != FORM or rows.dtype != POINT:
            raise ValueError("of another version")
        views = tuple(_view_of(entry, rows) for entry in said["views"])
        return Pack(said["log"], said["digest"], views, tuple(said["problems"]))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(table, f"cannot be used: {error}", "delete it, and it is made anew") from error


def _view_of(entry: Mapping[str, Any], rows: NDArray[Any]) -> View:
    first, count = entry["first"], entry["count"]
    if not 0 <= first <= first + count <= len(rows):
        raise ValueError("its points are cut short")
    return View(
        key=entry["key"],
        frame=entry["frame"],
        camera=entry["camera"],
        rows=rows[first : first + count],
        intrinsics=np.array(entry["intrinsics"], np.float64),
        regions=tuple(_region_of(facts) for facts in entry["regions"]),
        words=tuple(tuple(words) for words in entry["words"]),
        labels=tuple(entry["labels"]),
        terms=tuple(entry["terms"]),
    )


def _region_of(facts: Mapping[str, Any]) -> Region:
    left, top, right, bottom = facts["rectangle"]
    x, y = facts["middle"]
    reach = facts.get("reach", float("inf"))
    return Region(facts["kind"], (left, top, right, bottom), (x, y), reach, facts["box"])


def _digest(log: Log, views: ViewRecipe, regions: RegionRecipe) -> str:
    """Names a log as it lies there, its calibration and labels, and the settings."""
    facts = json.dumps([FORM, log.name, str(log.path.absolute()), asdict(views), asdict(regions)])
    digest = hashlib.sha256(facts.encode())
    for frame in frames_of(log, views):
        digest.update(f"{frame.key} {frame.timestamp} {_stamp(frame.path)}".encode())
        for name, picture in sorted(frame.pictures.items()):
            camera = picture.camera
            lens = [camera.intrinsics.tolist(), camera.camera_from_lidar.tolist(), camera.distortion]
            digest.update(f"{name} {_stamp(picture.path)} {camera.width} {camera.height} {lens}".encode())
        for box in frame.boxes or ():
            where = [box.label, box.center.tolist(), box.size, box.yaw, dict(box.rectangles), dict(box.attributes)]
            digest.update(json.dumps(where, sort_keys=True, default=str).encode())
        digest.update(json.dumps(dict(frame.metadata), sort_keys=True, default=str).encode())
    return digest.hexdigest()[:24]


def _stamp(path: Path | None) -> str:
    try:
        return "" if path is None else f"{path.stat().st_size} {path.stat().st_mtime_ns}"
    except OSError:
        return "missing"


def digest_of(packs: Sequence[Pack]) -> str:
    """Names the data of a run."""
    return hashlib.sha256(" ".join(pack.digest for pack in packs).encode()).hexdigest()


def seen_picture(frame: Frame, camera: str) -> Image:
    """The undistorted picture of a camera; ImageError if it cannot be read."""
    picture = frame.pictures[camera]
    return undistorted_picture(picture.load(), picture.camera)

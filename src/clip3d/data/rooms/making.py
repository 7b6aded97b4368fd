"""Making many simulated rooms: by several processes, going on where a run stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from clip3d.atomic import clear_parts, replacing
from clip3d.data.rooms.files import read_object
from clip3d.data.rooms.scannet_writing import enrol, write_scannet
from clip3d.data.rooms.stock import read_stock
from clip3d.data.rooms.written_room import TRUTH, write_room
from clip3d.errors import DataError, FileProblem, ShapeError
from clip3d.simulation.interiors.depth_camera import View, scan_by_camera
from clip3d.simulation.interiors.drawing import draw_room
from clip3d.simulation.interiors.furnishings import Shapes
from clip3d.simulation.interiors.lighting import Light, draw_light
from clip3d.simulation.interiors.room import Room
from clip3d.simulation.interiors.stations import scan_by_stations
from clip3d.simulation.interiors.uses import USES
from clip3d.simulation.processes import together

Scanner = Literal["camera", "terrestrial", "any"]
Layout = Literal["plain", "scannet"]
MAKING = "making.json"
MOST_PICTURE = 1296  # pixels of a picture's width, as ScanNet's


@dataclass(frozen=True)
class Rooms:
    """What rooms are made; a room depends on this and its number alone.

    Attributes:
        seed: of all rooms.
        shapes: "held-out" shows things, and varieties of things, that "train" never does.
        use: of `USES`, or None for any.
        scanner: "camera" for a depth camera that is carried about, "terrestrial" for a laser scanner on its tripod,
            "any" for either by chance.
        views: of the camera, 0 for what the room's size asks for.
        stations: of the terrestrial scanner, 0 for what the room's size asks for.
        cell: metres of the cells in which points are fused; 0 for the scanner's own: 0.02, or 0.01 on a tripod.
        pictures: width in pixels of the posed pictures and depth maps that are kept, 0 for none. Camera only.
        library: file of `clip3d data build` whose models are used beside procedural shapes; "" for none.
    """

    seed: int = 0
    shapes: Shapes = "train"
    use: str | None = None
    scanner: Scanner = "camera"
    views: int = 0
    stations: int = 0
    cell: float = 0.0
    pictures: int = 0
    library: str = ""

    def __post_init__(self) -> None:
        if self.seed < 0 or not 0 <= self.views <= 2000 or not 0 <= self.stations <= 20:
            raise ShapeError("seed is from 0, views are 0 to 2000, stations 0 to 20")
        if self.use is not None and self.use not in USES:
            raise ShapeError(f"rooms have no use {self.use!r}: choose one of {', '.join(USES)}")
        if self.scanner not in get_args(Scanner):
            raise ShapeError(f"no scanner {self.scanner!r}: choose one of {', '.join(get_args(Scanner))}")
        if self.cell and not 0.002 <= self.cell <= 0.2:
            raise ShapeError(f"cells are 0.002 to 0.2 m, got {self.cell}")
        if self.pictures and (self.scanner != "camera" or not 32 <= self.pictures <= MOST_PICTURE):
            raise ShapeError(f"pictures are 32 to {MOST_PICTURE} pixels wide and need the scanner camera")


@dataclass
class Made:
    """What a run did: rooms that are whole, how many of them it made, what was wrong, and their names."""

    rooms: int = 0
    written: int = 0
    problems: list[FileProblem] = field(default_factory=list)
    made: list[str] = field(default_factory=list)


def room_name(rooms: Rooms, number: int, layout: Layout = "plain") -> str:
    """Of the folder of a room."""
    if layout == "scannet":
        return f"scene{number:04d}_{rooms.seed % 100:02d}"
    return f"{'held-out' if rooms.shapes == 'held-out' else 'room'}-{rooms.seed:04d}-{number:05d}"


def make_rooms(rooms: Rooms, count: int, out: Path, *, workers: int = 1, layout: Layout = "plain",
               progress: Callable[[int, int], None] | None = None) -> Made:  # fmt: skip
    """Make rooms 0 to `count` - 1 in folders below `out`, whatever the number of workers the same.

    Args:
        rooms: what is made.
        count: how many.
        out: is made if need be.
        workers: processes; 1 works in this one.
        layout: "plain", or "scannet" for ScanNet's: scenes below `out`/scans, lists of splits, table of words.
        progress: called with the number of rooms done and of all.

    Raises:
        DataError: if `out` cannot be made, holds other rooms of these names, or the library cannot be used.
        MissingExtra: if the package embreex is not installed.
    """
    try:
        (out / "scans" if layout == "scannet" else out).mkdir(parents=True, exist_ok=True)
        _begin(out, rooms, layout)
    except OSError as error:
        raise DataError(out, f"it cannot be written: {error.strerror or error}") from error
    if rooms.library:
        read_stock(Path(rooms.library), rooms.shapes)  # said before any work is done
    result = Made()
    one = partial(make_room, rooms, out, layout)
    outcomes = (
        ((n, partial(one, n)) for n in range(count)) if workers == 1 or count == 1
        else together(one, range(count), min(workers, count))
    )  # fmt: skip
    try:
        for number, outcome in outcomes:
            _count(result, room_name(rooms, number, layout), outcome)
            if progress:
                progress(result.rooms + len(result.problems), count)
    finally:
        if layout == "scannet" and result.made:
            enrol(out, "train" if rooms.shapes == "train" else "val", result.made)
    return result


def _begin(out: Path, rooms: Rooms, layout: Layout) -> None:
    """Note with what options rooms of these names are made here, so that another run does not mix in others."""
    path = out / MAKING
    # ScanNet's names tell neither training's shapes from held-out ones nor seeds a hundred apart.
    key = room_name(rooms, 0, layout)
    known = read_object(path) if path.is_file() else {}
    if known.setdefault(key, asdict(rooms)) != asdict(rooms):
        raise DataError(path, "rooms of these names were made here with other options",
                        "choose another folder or seed, or remove this one")  # fmt: skip
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def _count(result: Made, name: str, outcome: Callable[[], bool]) -> None:
    try:
        result.written += outcome()
    except FileProblem as problem:
        result.problems.append(problem)
    except BrokenProcessPool:
        remedy = "run the command again"
        result.problems.append(DataError(name, "the process that made it was ended", remedy))
    else:
        result.rooms += 1
        result.made.append(name)


def make_room(rooms: Rooms, out: Path, layout: Layout, number: int) -> bool:
    """Draw, scan and write one room; whether it was not there yet.

    Raises:
        DataError: if it cannot be written.
    """
    folder = (out / "scans" if layout == "scannet" else out) / room_name(rooms, number, layout)
    if (folder / TRUTH).is_file():
        return False
    room, light, rng = draw(rooms, number)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear_parts(folder)
        scanner = rooms.scanner if rooms.scanner != "any" else ("camera", "terrestrial")[int(rng.integers(2))]
        facts = {"name": folder.name, "scanner": scanner, "shapes": rooms.shapes, "seed": rooms.seed,
                 "number": number, "options": asdict(rooms)}  # fmt: skip
        if scanner == "camera":
            width = max(rooms.pictures, 200)
            size = (width, width * 3 // 4)
            scan, views = scan_by_camera(room, light, rng, views=rooms.views, size=size, cell=rooms.cell or 0.02)
            if rooms.pictures:
                _pictures(folder, room, light, views)
        else:
            scan, stations = scan_by_stations(room, light, rng, stations=rooms.stations, cell=rooms.cell or 0.01)
            facts["stations"] = [[round(float(v), 4) for v in station.place] for station in stations]
        (write_scannet if layout == "scannet" else write_room)(folder, room, scan, facts)
    except OSError as error:
        raise DataError(folder, f"it cannot be written: {error.strerror or error}") from error
    return True


def draw(rooms: Rooms, number: int) -> tuple[Room, Light, np.random.Generator]:
    """A room with its light, and the chance by which it is to be scanned."""
    stock = read_stock(Path(rooms.library), rooms.shapes) if rooms.library else None
    held_out = int(rooms.shapes == "held-out")
    room = draw_room([rooms.seed, number, held_out, 11], use=rooms.use, shapes=rooms.shapes, stock=stock)
    rng = np.random.default_rng([rooms.seed, number, held_out, 12])
    return room, draw_light(rng, room), rng


def _pictures(folder: Path, room: Room, light: Light, views: list[View]) -> None:
    """Posed colour pictures and depth maps, as ScanNet's exporter names them: color, depth, pose, intrinsic."""
    from PIL import Image

    for name in ("color", "depth", "pose", "intrinsic"):
        (folder / name).mkdir(exist_ok=True)
        clear_parts(folder / name)
    whole = np.eye(4)
    whole[:3, :3] = views[0].intrinsics
    for name in ("intrinsic_color", "intrinsic_depth"):
        _matrix(folder / "intrinsic" / f"{name}.txt", whole)
    for number, view in enumerate(views):
        with replacing(folder / "color" / f"{number}.jpg") as temporary:
            Image.fromarray(view.picture(room, light)).save(temporary, format="JPEG", quality=90)
        with replacing(folder / "depth" / f"{number}.png") as temporary:
            Image.fromarray(np.rint(view.depth * 1000).astype(np.uint16)).save(temporary, format="PNG")
        _matrix(folder / "pose" / f"{number}.txt", view.room_from_camera)


def _matrix(path: Path, matrix: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    text = "\n".join(" ".join(f"{value:.6f}" for value in row) for row in matrix)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")

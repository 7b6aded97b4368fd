"""The sets of labelled scenes that experiments ask: simulated rooms, ScanNet, S3DIS; and what rooms teach."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from clip3d.data.drawing import Rendering
from clip3d.data.rooms.labelled_scene import LabelledScene
from clip3d.data.rooms.making import Rooms, make_rooms
from clip3d.data.rooms.reading import list_scenes, read_scene
from clip3d.data.rooms.s3dis import list_s3dis
from clip3d.data.rooms.scannet import LISTS, list_scannet
from clip3d.data.rooms.scannet_classes import ROOM_QUERIES, S3DIS_QUERIES, SCANNET_QUERIES
from clip3d.data.rooms.segments import make_segments
from clip3d.data.triplet_sources import TripletSource, open_triplets
from clip3d.errors import DataError
from clip3d.experiments.experiment import Bench
from clip3d.experiments.library_pieces import draw_shapes

TEST_ROOMS, TRAIN_ROOMS = 100, 60
HELD_OUT = Rooms(seed=1, shapes="held-out")
TRAINING = Rooms(seed=0)
SEGMENTS = "segments.npz"
VIEWS, SIZE = 4, 96


@dataclass(frozen=True)
class SceneSet:
    """A set of labelled scenes.

    Attributes:
        name: in names of rows.
        title: in tables.
        need: in the table `NEEDS`; simulated rooms are drawn where nobody brought any.
        queries: the classes that are asked for.
        drawn: whether it can be drawn.
    """

    name: str
    title: str
    need: str
    queries: tuple[str, ...]
    drawn: bool = False

    def paths(self, bench: Bench) -> list[Path]:
        """Where its scenes lie: of ScanNet those of its validation list where it is there, of S3DIS Area 5.

        Raises:
            DataError: if there is none, or rooms could not be drawn.
        """
        found = bench.find(self.need)
        if found is None and self.drawn:
            return bench.once("rooms:test", lambda: drawn_rooms(bench, "test-rooms", HELD_OUT, TEST_ROOMS))
        path = found or bench.path(self.need)
        if self.need == "s3dis":
            return list_s3dis(path, (5,))
        if self.need == "scannet" and (path / LISTS["val"]).is_file():
            return list_scannet(path, "val")
        return list_scenes(path)

    def scenes(self, bench: Bench) -> Iterator[LabelledScene]:
        """Its scenes, read one after another; those that cannot be read are told and passed over."""
        for path in self.paths(bench):
            try:
                yield read_scene(path)
            except DataError as problem:
                bench.tell(str(problem))


SETS = (
    SceneSet("simulated", "simulated rooms", "test-rooms", ROOM_QUERIES, drawn=True),
    SceneSet("scannet", "ScanNet", "scannet", SCANNET_QUERIES),
    SceneSet("s3dis", "S3DIS Area 5", "s3dis", S3DIS_QUERIES),
)


def drawn_rooms(bench: Bench, name: str, rooms: Rooms, count: int) -> list[Path]:
    """Rooms that are simulated into the experiment's folder, unless they stand there already.

    Raises:
        DataError: if some could not be made.
        MissingExtra: if the package embreex is not installed.
    """
    out = bench.out / name
    bench.tell(f"{out}: {count} simulated rooms")
    made = make_rooms(rooms, count, out, workers=os.cpu_count() or 1)
    for problem in made.problems:
        bench.tell(str(problem))
    if made.problems:
        raise DataError(out, f"{len(made.problems)} of {count} rooms could not be made", "run the command again")
    return [out / one for one in sorted(made.made)]


def room_things(bench: Bench) -> tuple[Path, TripletSource]:
    """A folder, and in it the things of rooms as scans see them, with depth maps: brought, or drawn."""

    def get() -> tuple[Path, TripletSource]:
        brought = bench.find("room-segments")
        folder = brought.parent if brought else (bench.out / "training-rooms").resolve()
        if not brought and not (folder / SEGMENTS).is_file():
            make_segments(drawn_rooms(bench, folder.name, TRAINING, TRAIN_ROOMS), folder / SEGMENTS)
        source = TripletSource("library", brought.name if brought else SEGMENTS, "all")
        depth = (bench.out / "pictures" / "room-things-depth").resolve()
        draw_shapes(bench, open_triplets(source, folder), depth, Rendering("depth", views=VIEWS, size=SIZE))
        return folder, replace(source, pictures=str(depth))

    return bench.once("room-things", get)

"""What posed pictures beside a scan are worth: labelled rooms are asked, with more and more weight of pictures.

    clip3d data simulate-rooms rooms/ --rooms 12 --seed 107 --pictures 480
    python benchmarks/scene_pictures.py rooms/
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import clip3d
from clip3d.data.rooms.reading import list_scenes, read_scene
from clip3d.data.rooms.scannet_classes import ROOM_QUERIES
from clip3d.evaluation.scene_queries import LOOSE, Asked, SceneReport, measure_scenes
from clip3d.experiments.cg3d_scenes import replies
from clip3d.scenes.parted import part_scan
from clip3d.scenes.pictures import join_pictures, list_views, picture_vectors
from clip3d.scenes.scene import Scene

WEIGHTS = (0.0, 0.1, 0.2, 0.4, 0.6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", type=Path)
    parser.add_argument("--model", default="mini")
    parser.add_argument("--weights", type=float, nargs="+", default=WEIGHTS)
    arguments = parser.parse_args()
    model = clip3d.load(arguments.model)
    asked: dict[float, list[Asked]] = {weight: [] for weight in arguments.weights}
    paths = list_scenes(arguments.rooms)
    parts = shown = 0
    for path in paths:
        room = read_scene(path)
        parted = part_scan(room.cloud, model)
        own = parted.grid.to_scan(parted.points @ parted.structure.rotation) * parted.grid.metres
        seen = picture_vectors(model, list_views(path), own, parted.spacing, parted.parts)
        parts, shown = parts + len(seen), shown + int(seen.any(axis=1).sum())
        for weight in asked:
            joined = replace(parted, vectors=join_pictures(parted.vectors, seen, weight))
            scene = Scene(joined, model, room.cloud, room.name)
            asked[weight] += measure_scenes([room], lambda _, scene=scene: replies(scene), ROOM_QUERIES).asked
    print(f"{len(paths)} rooms, model {model.id}; {shown} of {parts} parts are shown by pictures; in %")
    print("weight  precision at 1  on class at 1  found  false answers")
    for weight, some in asked.items():
        told = SceneReport(tuple(some), len(paths))
        found = (told.precision_at_1, told.on_class_at_1, told.found(LOOSE), told.false_answers)
        print(f"{weight:6.2f}  " + "  ".join(f"{100 * value:6.1f}" for value in found))
    some = SceneReport(tuple(asked[arguments.weights[0]]), len(paths))
    print(f"of {some.queries} questions, {some.things} things")


if __name__ == "__main__":
    main()

"""Labelled scenes of ScanNet and S3DIS, and simulated ones that are written, read back and gone on with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from room_files import write_s3dis, write_scannet

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.mesh import sample_surface
from clip3d.clouds.reading import read
from clip3d.data.library import Entry, make_library, read_library
from clip3d.data.rooms import scannet
from clip3d.data.rooms.labelled_scene import LabelledScene, SceneThing
from clip3d.data.rooms.making import Rooms, make_room, make_rooms, room_name
from clip3d.data.rooms.reading import list_scenes, read_scene
from clip3d.data.rooms.s3dis import folds, list_s3dis
from clip3d.data.rooms.scannet import list_scannet
from clip3d.data.rooms.scannet_classes import NYU40, ROOM_QUERIES, S3DIS13, SCANNET20, nyu40_of
from clip3d.data.rooms.segments import LEAST, make_segments, segments_of
from clip3d.data.rooms.stock import read_stock
from clip3d.data.triplet_sources import TripletSource, open_triplets
from clip3d.errors import DataError, ShapeError
from clip3d.simulation.interiors.furnishings import ROOM_CLASSES
from clip3d.simulation.objects import make

SMALL = Rooms(seed=3, use="bathroom", views=8)


def damaged(path: Path, find: str, put: str) -> None:
    text = path.read_text()
    assert find in text
    path.write_text(text.replace(find, put, 1))


def test_classes_are_those_of_the_benchmarks():
    assert len(NYU40) == 40
    assert len(SCANNET20) == 20
    assert len(S3DIS13) == 13
    assert SCANNET20[-4:] == ("toilet", "sink", "bathtub", "otherfurniture")
    assert NYU40.index("otherprop") == 39
    assert len(ROOM_QUERIES) == 20
    assert set(ROOM_QUERIES) <= set(ROOM_CLASSES)
    assert {nyu40_of(label) for label in ROOM_CLASSES} <= set(NYU40)


def test_flat_things_are_cut_roughly_too_and_never_away():
    rng = np.random.default_rng(0)
    rug, floor = rng.uniform(0, [2, 1, 0.01], (400, 3)), rng.uniform([-1, -1, -0.01], [3, 2, 0], (4000, 3))
    cloud = PointCloud(np.concatenate([rug, floor]).astype(np.float32), up="z", unit="m")
    instances = np.where(np.arange(len(cloud)) < len(rug), 0, -1).astype(np.int32)
    scene = LabelledScene("flat", cloud, instances, (SceneThing("rug", ("rug",)),))
    for seed in range(20):
        (entry,) = segments_of(scene, np.random.default_rng(seed))
        assert len(entry.cloud) >= LEAST
        assert entry.cloud.points[:, 2].min() >= -1e-3


def test_a_scene_of_scannet(tmp_path: Path):
    folder = write_scannet(tmp_path)
    assert list_scenes(tmp_path) == [folder]
    scene = read_scene(folder)
    assert [thing.label for thing in scene.things] == ["chair", "table", "table", "table"]
    assert scene.things[3].words == ("coffee table", "table")
    assert scene.counts.tolist() == [20, 20, 20, 20]
    assert (scene.instances[80:] == -1).all()
    assert (scene.instances[20:40] == 1).all()
    # The file's rotation by 90 degrees and its shift are applied.
    assert scene.cloud.points.mean(0)[2] == pytest.approx(3.5, abs=0.2)
    assert np.ptp(scene.cloud.points[:, 1]) > 8
    low, high = scene.bounds(0)
    assert ((high - low) < 1).all()


def test_splits_of_scannet(tmp_path: Path):
    folder = write_scannet(tmp_path)
    assert list_scannet(tmp_path, "val") == [folder]
    with pytest.raises(DataError, match="no scene of ScanNet"):
        list_scannet(tmp_path, "train")
    with pytest.raises(DataError, match=r"there is no list scannetv2_test\.txt"):
        list_scannet(tmp_path, "test")


@pytest.mark.parametrize(
    ("file", "find", "put", "told"),
    [
        ("_vh_clean_2.0.010000.segs.json", "[4,", "[4, 4,", "it has 101 vertices, the mesh 100"),
        ("_vh_clean_2.0.010000.segs.json", "[4,", '["4",', "its segments cannot be used"),
        ("_vh_clean_2.0.010000.segs.json", "[4,", "[-4,", "its segments cannot be used"),
        (".aggregation.json", '"segGroups"', '"groups"', "no list of segGroups"),
        (".aggregation.json", '"label": "chair"', '"label": 3', "group 0 has no label"),
        (".txt", "= ", "= x ", "no matrix of 16 numbers"),
        (".txt", "= ", "= 7 ", "no matrix of 16 numbers"),
    ],
)
def test_damage_to_scannet_is_told(tmp_path: Path, file: str, find: str, put: str, told: str):
    folder = write_scannet(tmp_path)
    path = folder / f"{folder.name}{file}"
    damaged(path, find, put)
    with pytest.raises(DataError, match=told) as caught:
        read_scene(folder)
    assert caught.value.path == str(path)


def test_a_scene_without_its_annotations_is_told(tmp_path: Path):
    folder = write_scannet(tmp_path)
    (folder / f"{folder.name}.aggregation.json").unlink()
    with pytest.raises(DataError, match="there is no such file"):
        read_scene(folder)


def test_rooms_of_s3dis(tmp_path: Path):
    write_s3dis(tmp_path)
    rooms = list_scenes(tmp_path)
    assert [room.name for room in rooms] == ["hallway_2", "office_1", "office_3"]
    assert [room.name for room in list_scenes(tmp_path, "area-5")] == ["office_3"]
    scene = read_scene(rooms[1])
    assert scene.name == "Area_1/office_1"
    assert scene.facts["use"] == "office"
    labels = [thing.label for thing in scene.things]
    assert labels == ["bookcase", "ceiling", "chair", "chair", "clutter"]
    assert scene.things[4].words == ("stairs", "clutter", "thing")
    assert scene.counts.tolist() == [8, 2, 8, 8, 8]
    ceiling = scene.points_of(1)
    assert scene.cloud.colors is not None
    assert scene.cloud.colors[ceiling] * 255 == pytest.approx(np.array([[185, 187, 182]] * 2))
    pairs = folds(list_s3dis(tmp_path))
    assert len(pairs) == 6
    assert [(len(train), len(test)) for train, test in pairs] == [(1, 2), (3, 0), (3, 0), (3, 0), (2, 1), (3, 0)]
    assert [room.name for room in folds(rooms, 5)[0][1]] == ["office_3"]


def test_damage_to_s3dis_is_told(tmp_path: Path):
    write_s3dis(tmp_path)
    room = tmp_path / "Area_1" / "office_1"
    (room / "Annotations" / "chair_1.txt").write_text("1 2 3 4 5\n")
    with pytest.raises(DataError, match="no rows of x y z r g b"):
        read_scene(room)
    (room / "Annotations" / "chair_1.txt").write_text("1 2 3 4 5 six\n")
    with pytest.raises(DataError, match="words where numbers should stand"):
        read_scene(room)
    with pytest.raises(DataError, match="no labelled scene of a known layout"):
        read_scene(tmp_path)


def test_a_scene_as_detection_models_keep_it(tmp_path: Path):
    path = tmp_path / "scene0000_00.npz"
    owner = np.repeat([0, 1, 5], 4).astype(np.uint16)
    nyu = np.repeat([1, 5, 7], 4).astype(np.uint8)
    np.savez(path, xyz=np.ones((12, 3), np.float32), rgb=np.zeros((12, 3), np.uint8), semantic_nyu40=nyu,
             instance=owner)  # fmt: skip
    scene = read_scene(path)
    assert list_scenes(tmp_path) == [path]
    assert [thing.label for thing in scene.things] == ["chair", "table"]
    assert scene.instances.tolist() == [-1] * 4 + [0] * 4 + [1] * 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rooms")
    result = make_rooms(SMALL, 2, out)
    assert (result.rooms, result.written, result.problems) == (2, 2, [])
    return out


def test_a_simulated_room_is_read_back(made: Path):
    paths = list_scenes(made)
    assert [path.name for path in paths] == [room_name(SMALL, 0), room_name(SMALL, 1)]
    scene = read_scene(paths[0])
    truth = json.loads((paths[0] / "truth.json").read_text())
    assert [thing.label for thing in scene.things] == [thing["class"] for thing in truth["things"]]
    assert scene.counts.tolist() == [thing["points"] for thing in truth["things"]]
    assert scene.facts == {"use": "bathroom", "scanner": "camera", "shapes": "train", "seed": 3, "number": 0}
    assert {"toilet", "sink"} & {thing.label for thing in scene.things}
    assert all(thing.label in thing.words for thing in scene.things)
    # The scan opens as any other cloud does.
    cloud = read(paths[0] / "scan.ply")
    assert (len(cloud), cloud.up, cloud.unit) == (len(scene.cloud), "z", "m")


def test_rooms_are_gone_on_with_and_do_not_depend_on_the_run(made: Path, tmp_path: Path):
    out = tmp_path / "again"
    shutil.copytree(made, out)
    second = out / room_name(SMALL, 1)
    before = (second / "scan.ply").read_bytes()
    (second / "truth.json").unlink()
    result = make_rooms(SMALL, 2, out)
    assert (result.rooms, result.written) == (2, 1)
    assert (second / "scan.ply").read_bytes() == before
    with pytest.raises(DataError, match="made here with other options"):
        make_rooms(Rooms(seed=3, use="bathroom", views=9), 2, out)


def test_a_room_that_fails_does_not_stop_the_others(made: Path, tmp_path: Path):
    out = tmp_path / "blocked"
    shutil.copytree(made, out)
    (out / room_name(SMALL, 0) / "truth.json").unlink()
    shutil.rmtree(out / room_name(SMALL, 0))
    (out / room_name(SMALL, 0)).write_text("a file where the folder should be")
    result = make_rooms(SMALL, 2, out)
    assert (result.rooms, len(result.problems)) == (1, 1)
    assert room_name(SMALL, 0) in str(result.problems[0])


def test_damage_to_a_simulated_room_is_told(made: Path, tmp_path: Path):
    room = tmp_path / "room"
    shutil.copytree(list_scenes(made)[0], room)
    truth = json.loads((room / "truth.json").read_text())
    (room / "truth.json").write_text(json.dumps({**truth, "things": truth["things"][:2]}))
    with pytest.raises(DataError, match="no property instance that fits"):
        read_scene(room)
    (room / "truth.json").write_text(json.dumps({**truth, "things": [{"class": "chair"}]}))
    with pytest.raises(DataError, match="its things cannot be used"):
        read_scene(room)
    (room / "truth.json").write_text(json.dumps({**truth, "format": "other"}))
    with pytest.raises(DataError, match="written by another version"):
        read_scene(room)


def test_rooms_in_scannets_layout_with_pictures(tmp_path: Path):
    rooms = Rooms(seed=3, use="bathroom", views=3, pictures=64)
    result = make_rooms(rooms, 1, tmp_path, layout="scannet")
    assert result.rooms == 1
    (folder,) = list_scannet(tmp_path, "train")
    assert folder == tmp_path / "scans" / "scene0000_03"
    scene = read_scene(folder)
    truth = json.loads((folder / "truth.json").read_text())
    seen = [thing for thing in truth["things"] if thing["points"]]
    assert [thing.words[0] for thing in scene.things] == [thing["class"] for thing in seen]
    assert scene.counts.tolist() == [thing["points"] for thing in seen]
    assert all(thing.label in NYU40 for thing in scene.things)
    from PIL import Image

    with Image.open(folder / "depth" / "1.png") as depth, Image.open(folder / "color" / "1.jpg") as color:
        # Views for the cloud are never coarser than 200 pixels.
        assert depth.size == color.size == (200, 150)
        metres = np.asarray(depth, np.float64) / 1000
    pose = np.loadtxt(folder / "pose" / "1.txt")
    k = np.loadtxt(folder / "intrinsic" / "intrinsic_depth.txt")[:3, :3]
    v, u = np.nonzero(metres)
    z = metres[v, u]
    own = np.stack([(u - k[0, 2]) / k[0, 0] * z, (v - k[1, 2]) / k[1, 1] * z, z], 1)
    there = own @ pose[:3, :3].T + pose[:3, 3]
    low, high = scene.cloud.points.min(0) - 0.2, scene.cloud.points.max(0) + 0.2
    assert ((there > low) & (there < high)).all(1).mean() > 0.98


def test_workers_make_the_same_rooms(made: Path, tmp_path: Path):
    result = make_rooms(SMALL, 2, tmp_path, workers=2)
    assert (result.rooms, result.problems) == (2, [])
    for name in result.made:
        assert (tmp_path / name / "scan.ply").read_bytes() == (made / name / "scan.ply").read_bytes()


def test_things_of_rooms_are_a_library_to_train_on(made: Path, tmp_path: Path):
    library, problems = make_segments(list_scenes(made), tmp_path / "segments.npz", seed=1)
    assert problems == []
    assert len(read_library(tmp_path / "segments.npz")) == len(library) > 3
    names = {phrase for row in range(len(library)) for phrase in library.phrases(row)}
    assert names & {"toilet", "sink", "bathtub", "shower"}
    assert not names & {"wall", "floor", "ceiling"}
    triplets = open_triplets(TripletSource("library", "segments.npz"), tmp_path)
    assert len(triplets) == len(library)
    again, _ = make_segments(list_scenes(made), tmp_path / "again.npz", seed=1)
    assert np.array_equal(again.points, library.points)


def test_models_of_a_library_stand_in_rooms(tmp_path: Path):
    entries = []
    for number in range(6):
        made = make("toilet", number)
        sample = sample_surface(made.meshes, 8192, seed=number)
        cloud = PointCloud(sample.points, sample.colors, up="z", unit="m")
        entries.append(Entry(cloud, ("my own toilet", "toilet"), f"own/{number}", "own", "CC0-1.0"))
    make_library(entries, held_out_share=0.0).save(tmp_path / "own.npz")
    stock = read_stock(tmp_path / "own.npz", "train")
    assert list(stock) == ["toilet"]
    toilet = stock["toilet"][0]
    assert 0.5 < toilet.size[2] < 1.2
    rooms = Rooms(seed=1, use="bathroom", views=4, library=str(tmp_path / "own.npz"))
    for number in range(4):
        make_room(rooms, tmp_path, "plain", number)
    words = [t.words[0] for path in list_scenes(tmp_path) if path.is_dir() for t in read_scene(path).things]
    assert "my own toilet" in words
    with pytest.raises(DataError, match="held out and a thing of rooms"):
        read_stock(tmp_path / "own.npz", "held-out")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"use": "attic"}, "no use 'attic'"),
        ({"cell": 0.5}, "cells are"),
        ({"pictures": 64, "scanner": "terrestrial"}, "need the scanner camera"),
        ({"scanner": "phone"}, "no scanner 'phone'"),
        ({"views": -1}, "views are 0"),
    ],
)
def test_options_that_cannot_be_are_told(options, told):
    with pytest.raises(ShapeError, match=told):
        Rooms(**options)




def test_a_scene_of_scannet_whose_files_are_damaged_is_told_and_costs_no_memory(tmp_path: Path):
    folder = write_scannet(tmp_path)
    segments = folder / "scene0007_00_vh_clean_2.0.010000.segs.json"
    damaged(segments, "[4, 4", f"[{2**31 - 1}, 4")  # a number to count up to would take eight gigabytes
    scene = read_scene(folder)
    assert (scene.instances[0], scene.counts.tolist()) == (-1, [19, 20, 20, 20])
    info = folder / "scene0007_00.txt"
    mirrored = " ".join(str(value) for value in np.diag([1, 1, -1, 1]).ravel())
    info.write_text(f"axisAlignment = {mirrored}\n")
    with pytest.raises(DataError, match="no rotation"):
        read_scene(folder)
    info.unlink()
    table = tmp_path / "scannetv2-labels.combined.tsv"
    table.write_text("raw_category\tnyu40id\nchair\t" + "9" * 5000 + "\n")
    assert scannet._table.__wrapped__(table) == {}
    table.write_text("raw_category\tnyu40id\n" + "c" * 200_000 + "\t5\n")
    with pytest.raises(DataError, match="no table"):
        scannet._table.__wrapped__(table)


@pytest.mark.parametrize(
    "wrong",
    [
        {"semantic_nyu40": np.full(4, -1)},
        {"semantic_nyu40": np.full(4, 0.5)},
        {"instance": np.full(4, np.nan)},
        {"xyz": np.full((4, 3), np.inf)},
        {"xyz": np.full((4, 3), "a")},
    ],
)
def test_an_exported_scene_that_cannot_be_one_is_told(tmp_path: Path, wrong: dict[str, np.ndarray]):
    whole = {"xyz": np.eye(4)[:, :3], "rgb": np.zeros((4, 3), np.uint8), "semantic_nyu40": np.full(4, 5),
             "instance": np.ones(4, int)}  # fmt: skip
    np.savez(tmp_path / "scene.npz", **whole)
    assert read_scene(tmp_path / "scene.npz").counts.tolist() == [4]
    np.savez(tmp_path / "scene.npz", **whole | wrong)
    with pytest.raises(DataError, match="write it anew"):
        read_scene(tmp_path / "scene.npz")


def test_a_split_that_scenes_do_not_have_is_told(tmp_path: Path):
    write_s3dis(tmp_path)
    assert [room.name for room in list_scenes(tmp_path, "area-5")] == ["office_3"]
    for split in ("val", "area-7"):
        with pytest.raises(DataError, match="no split"):
            list_scenes(tmp_path, split)
    (tmp_path / "npz").mkdir()
    np.savez(tmp_path / "npz" / "a.npz", xyz=np.eye(3))
    with pytest.raises(DataError, match="of no split"):
        list_scenes(tmp_path / "npz", "val")


def test_rooms_of_other_shapes_or_seeds_are_not_taken_for_those_of_the_same_name(tmp_path: Path):
    make_rooms(Rooms(seed=1), 0, tmp_path, layout="scannet")
    make_rooms(Rooms(seed=1), 0, tmp_path, layout="scannet")
    for other in (Rooms(seed=1, shapes="held-out"), Rooms(seed=101)):
        assert room_name(other, 0, "scannet") == room_name(Rooms(seed=1), 0, "scannet")
        with pytest.raises(DataError, match="made here with other options"):
            make_rooms(other, 0, tmp_path, layout="scannet")
    make_rooms(Rooms(seed=2, shapes="held-out"), 0, tmp_path, layout="scannet")
    (tmp_path / "making.json").write_text("{")
    with pytest.raises(DataError, match="no valid JSON"):
        make_rooms(Rooms(seed=1), 0, tmp_path, layout="scannet")

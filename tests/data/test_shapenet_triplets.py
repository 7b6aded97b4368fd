"""ShapeNet55 in the layouts of Point-BERT, CG3D and ULIP."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from triplet_checks import check_form
from triplet_sets import SHAPENET_TEST, SHAPENET_TRAIN, write_shapenet

from clip3d.data.triplet_sources import TripletSource, format_of, open_triplets
from clip3d.errors import DataError

LAYOUTS = ("point-bert", "cg3d", "ulip")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_lists_clouds_and_names_are_found_in_every_layout(tmp_path: Path, layout: str) -> None:
    write_shapenet(tmp_path / "data", layout)
    assert format_of(tmp_path / "data") == "shapenet55"
    train = open_triplets(TripletSource("shapenet55", "data"), tmp_path)
    check_form(train)
    assert tuple(train.key(i) for i in range(len(train))) == SHAPENET_TRAIN
    assert train.phrases(0) == ("airplane", "aeroplane", "plane")
    cloud = train.cloud(0)
    assert cloud.up == "y"
    assert cloud.points.shape == (8192, 3)
    whole = open_triplets(TripletSource("shapenet55", "data", split="all"), tmp_path)
    assert tuple(whole.key(i) for i in range(len(whole))) == (*SHAPENET_TRAIN, *SHAPENET_TEST)
    assert train.protocol()["data_sha256"] != whole.protocol()["data_sha256"]


def test_classes_are_renamed_as_in_the_paper(tmp_path: Path) -> None:
    write_shapenet(tmp_path, "point-bert")
    whole = open_triplets(TripletSource("shapenet55", ".", split="all"), tmp_path)
    assert [whole.classes[c] for c in whole.labels] == ["airplane", "monitor", "trashcan"]
    assert whole.phrases(1) == ("monitor", "display", "video display")
    assert whole.phrases(2)[0] == "trashcan"


@pytest.mark.parametrize(("layout", "views"), [("point-bert", 0), ("cg3d", 2), ("ulip", 2)])
def test_pictures_in_colour_are_found(tmp_path: Path, layout: str, views: int) -> None:
    write_shapenet(tmp_path, layout)
    train = open_triplets(TripletSource("shapenet55", "."), tmp_path)
    assert [train.views(0), train.views(1)] == [views, views]
    if views:
        assert train.picture(1, 1)[0, 0].tolist() == [1, 0, 0]


def test_any_list_beside_the_clouds_is_a_split(tmp_path: Path) -> None:
    write_shapenet(tmp_path, "cg3d")
    (tmp_path / "shapenet_render" / "train_img.txt").write_text(f"{SHAPENET_TEST[0]}.npy\n")
    triplets = open_triplets(TripletSource("shapenet55", ".", split="train_img"), tmp_path)
    assert [triplets.key(i) for i in range(len(triplets))] == list(SHAPENET_TEST)


def test_captions_by_picture_go_to_their_objects(tmp_path: Path) -> None:
    write_shapenet(tmp_path, "ulip")
    key = SHAPENET_TRAIN[0]
    said = {
        f"/export/views/{key}/{key}_r_000.png": ["a jet in the air", "a plane"],
        f"/export/views/{key}/{key}_r_012.png": ["a jet in the air", "a white jet"],
    }
    (tmp_path / "captions.json").write_text(json.dumps(said))
    triplets = open_triplets(TripletSource("shapenet55", ".", captions="captions.json"), tmp_path)
    wanted = ("a jet in the air", "a plane", "a white jet", "airplane", "aeroplane", "plane")
    assert triplets.phrases(0) == wanted
    assert triplets.classes[triplets.labels[0]] == "airplane"
    assert triplets.phrases(1)[0] == "monitor"


def test_clouds_that_are_missing_are_left_out(tmp_path: Path) -> None:
    write_shapenet(tmp_path, "ulip")
    (tmp_path / "shapenet_pc" / f"{SHAPENET_TRAIN[0]}.npy").unlink()
    triplets = open_triplets(TripletSource("shapenet55", "."), tmp_path)
    assert [triplets.key(i) for i in range(len(triplets))] == [SHAPENET_TRAIN[1]]


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("train.txt", "../../etc/passwd\n", "line 1 is no SYNSET-ID"),
        ("train.txt", "02691156-../../x.npy\n", "line 1 is no SYNSET-ID"),
        ("train.txt", "09999999-abc.npy\n", "none of the 1 clouds"),
        ("taxonomy.json", "{", "no list of synsets"),
        ("taxonomy.json", '[{"synsetId": "02691156"}]', "no list of synsets"),
        ("taxonomy.json", "[]", "lacks the synset 02691156"),
    ],
)
def test_layouts_of_another_form_are_refused(tmp_path: Path, file: str, content: str, reason: str) -> None:
    write_shapenet(tmp_path, "ulip")
    (tmp_path / file).write_text(content)
    with pytest.raises(DataError, match=reason):
        open_triplets(TripletSource("shapenet55", "."), tmp_path)


@pytest.mark.parametrize("split", ["val", "../train", ""])
def test_a_split_without_a_list_is_told(tmp_path: Path, split: str) -> None:
    write_shapenet(tmp_path, "ulip")
    with pytest.raises(DataError, match="there is no list"):
        open_triplets(TripletSource("shapenet55", ".", split=split), tmp_path)


def test_pictures_are_drawn_from_meshes_where_shapenetcore_is_there(tmp_path: Path, run_cli) -> None:
    from small_files import box, write_obj

    write_shapenet(tmp_path / "data", "point-bert")
    model = tmp_path / "data" / "ShapeNetCore.v2" / SHAPENET_TRAIN[0].replace("-", "/", 1) / "models"
    model.mkdir(parents=True)
    write_obj(model / "model_normalized.obj", box(1, 2, 3), (0.9, 0.1, 0.1))
    command = ["data", "render", str(tmp_path / "data"), str(tmp_path / "views"), "--split", "train"]
    result = run_cli(*command, "--views", "1", "--size", "32", "--processes", "1")
    assert result.returncode == 0, result.stderr
    triplets = open_triplets(TripletSource("shapenet55", "data", pictures="views"), tmp_path)
    red, clay = (triplets.picture(i, 0).astype(int).reshape(-1, 3) for i in range(2))
    assert (red[:, 0] - red[:, 1]).max() > 100
    assert np.abs(clay[:, 0] - clay[:, 1]).max() < 40

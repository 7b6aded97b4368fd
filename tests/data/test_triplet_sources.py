"""Sources of triplets: the door, libraries and folders of meshes, and the form that all have."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from triplet_checks import check_form
from triplet_sets import write_library, write_meshes

from clip3d.data.picture_folders import folder_of
from clip3d.data.triplet_sources import TripletSource, open_triplets
from clip3d.data.triplets import Subset
from clip3d.errors import CloudError, DataError, ImageError


def write_pictures(folder: Path, key: str, count: int = 2) -> None:
    place = folder / folder_of(key)
    place.mkdir(parents=True)
    for view in range(count):
        Image.new("RGB", (8, 6), (view, 100, 200)).save(place / f"{view:03d}.png")


def test_a_library_is_split_at_the_held_out_line(tmp_path: Path) -> None:
    library = write_library(tmp_path / "some.npz")
    train = open_triplets(TripletSource("library", "some.npz"), tmp_path)
    test = open_triplets(TripletSource("library", "some.npz", split="test"), tmp_path)
    check_form(train)
    check_form(test)
    assert [train.key(i) for i in range(len(train))] == ["made/0", "made/1", "made/2", "made/3"]
    assert [test.key(i) for i in range(len(test))] == ["made/4", "made/5"]
    assert train.phrases(1) == ("crate", "thing")
    assert [train.classes[c] for c in train.labels] == ["box", "crate", "box", "crate"]
    assert train.cloud(0).colors is None
    np.testing.assert_array_equal(test.cloud(1).points, library.cloud(5).points)


def test_pictures_of_a_library_are_found_by_its_names(tmp_path: Path) -> None:
    write_library(tmp_path / "some.npz")
    write_pictures(tmp_path / "views", "made/1")
    triplets = open_triplets(TripletSource("library", "some.npz", pictures="views"), tmp_path)
    assert [triplets.views(i) for i in range(4)] == [0, 2, 0, 0]
    picture = triplets.picture(1, 1)
    assert picture.shape == (6, 8, 3)
    assert picture[0, 0].tolist() == [1, 100, 200]
    with pytest.raises(ImageError, match="none of number 2"):
        triplets.picture(1, 2)


def test_objects_of_one_name_are_told_apart(tmp_path: Path) -> None:
    library = write_library(tmp_path / "some.npz")
    library.name[1:4] = "made/0"
    library.save(tmp_path / "some.npz")
    triplets = open_triplets(TripletSource("library", "some.npz"), tmp_path)
    assert [triplets.key(i) for i in range(4)] == ["made/0", "made/0#2", "made/0#3", "made/0#4"]


def test_a_folder_of_meshes_is_read_as_its_table_says(tmp_path: Path) -> None:
    write_meshes(tmp_path / "things")
    train = open_triplets(TripletSource("meshes", "things"), tmp_path)
    check_form(train)
    assert {train.key(i): train.phrases(i) for i in range(len(train))} == {
        "block.off": ("a plain block", "a cube"),
        "plank.obj": ("a red plank", "a board"),
        "dots.npy": ("dots",),
    }
    assert train.classes == ("block", "dots", "plank")
    plank = train.cloud(1)
    assert plank.up == "y"
    assert len(plank) == 8192
    np.testing.assert_allclose(plank.colors[0], (0.8, 0.1, 0.1), atol=1e-6)
    test = open_triplets(TripletSource("meshes", "things", split="test"), tmp_path)
    assert [test.key(i) for i in range(len(test))] == ["deep/er/tower.off", "dots.npy"]


def test_pictures_of_meshes_may_lie_in_folders_of_their_names(tmp_path: Path) -> None:
    write_meshes(tmp_path / "things")
    folder = tmp_path / "views" / "deep" / "er" / "tower"
    folder.mkdir(parents=True)
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(folder / "a.png")
    triplets = open_triplets(TripletSource("meshes", "things", "test", "views"), tmp_path)
    assert triplets.views(0) == 1
    assert triplets.picture(0, 0).tolist() == np.full((4, 4, 3), 255).tolist()  # what is transparent is white


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("objaverse.csv", "0af,a lamp\nb1c,\"a chair, red\"\nd00,not here\n"),
        ("objaverse.json", json.dumps({"0af": "a lamp", "b1c": ["a chair, red"], "d00": "not here"})),
        ("list.json", '[{"uid": "0af", "caption": "a lamp"}, {"uid": "b1c", "captions": "a chair, red"}]'),
    ],
)
def test_captions_by_uid_find_files_anywhere_in_the_folder(tmp_path: Path, name: str, text: str) -> None:
    write_meshes(tmp_path / "glbs")
    (tmp_path / "glbs" / "block.off").rename(tmp_path / "glbs" / "0af.off")
    (tmp_path / "glbs" / "deep" / "er" / "tower.off").rename(tmp_path / "glbs" / "deep" / "b1c.off")
    (tmp_path / name).write_text(text)
    triplets = open_triplets(TripletSource("meshes", "glbs", captions=name), tmp_path)
    found = {triplets.key(i): triplets.phrases(i) for i in range(len(triplets))}
    assert found == {"0af.off": ("a lamp",), "deep/b1c.off": ("a chair, red",)}
    assert triplets.protocol()["missing"] == ("d00" in text)


def test_rows_of_one_object_are_joined(tmp_path: Path) -> None:
    write_meshes(tmp_path)
    (tmp_path / "captions.csv").write_text("path,caption\nblock.off,a block\nblock.off,a cube\n")
    triplets = open_triplets(TripletSource("meshes", "."), tmp_path)
    assert len(triplets) == 1
    assert triplets.phrases(0) == ("a block", "a cube")


@pytest.mark.parametrize("name", ["../secret.off", "deep/../../secret.off", "link.off"])
def test_no_row_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    write_meshes(tmp_path / "things")
    (tmp_path / "secret.off").write_text("OFF\n")
    (tmp_path / "things" / "link.off").symlink_to(tmp_path / "secret.off")
    (tmp_path / "things" / "captions.csv").write_text(f"path,caption\n{name},a secret\n")
    with pytest.raises(DataError, match="leads out of the folder"):
        open_triplets(TripletSource("meshes", "things"), tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no captions"),
        ("a,b,c\n1,2,3\n", "names no column path"),
        ("path,caption\nblock.off\n", "row 2 has 1 cells"),
        ("path,caption\n,a\n", "row 2 names no file"),
        ("path,caption\nblock.off,\n", "row 2 has no caption"),
        ("path,caption\nnothing.off,a\n", "none of its 1 files"),
        ("path,caption,split\nblock.off,a,val\n", "no row is in the split 'train'"),
    ],
)
def test_tables_of_another_form_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    write_meshes(tmp_path)
    (tmp_path / "captions.csv").write_text(text)
    with pytest.raises(DataError, match=reason):
        open_triplets(TripletSource("meshes", "."), tmp_path)


def test_a_damaged_file_is_an_error_of_its_object_alone(tmp_path: Path) -> None:
    write_meshes(tmp_path)
    (tmp_path / "block.off").write_bytes(b"OFF\n1 1")
    triplets = open_triplets(TripletSource("meshes", "."), tmp_path)
    with pytest.raises(CloudError, match=r"block\.off"):
        triplets.cloud(0)
    assert len(triplets.cloud(1)) == 8192


def test_unknown_formats_and_places_are_told(tmp_path: Path) -> None:
    write_library(tmp_path / "some.npz")
    with pytest.raises(DataError, match="no format of triplets is named 'shapenet'"):
        open_triplets(TripletSource("shapenet", "some.npz"), tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        open_triplets(TripletSource("library", "other.npz"), tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        open_triplets(TripletSource("library", "some.npz", pictures="views"), tmp_path)
    with pytest.raises(DataError, match="no split 'val'"):
        open_triplets(TripletSource("library", "some.npz", split="val"), tmp_path)


def test_a_subset_keeps_the_order_of_the_whole(tmp_path: Path) -> None:
    write_library(tmp_path / "some.npz")
    whole = open_triplets(TripletSource("library", "some.npz", split="all"), tmp_path)
    part = Subset(whole, np.array([4, 1, 3]))
    check_form(part)
    assert [part.key(i) for i in range(3)] == ["made/4", "made/1", "made/3"]
    kept = [i for i in whole.order(np.random.default_rng(0)) if i in (4, 1, 3)]
    assert [[4, 1, 3][i] for i in part.order(np.random.default_rng(0))] == kept


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"%!PS-Adobe"])
def test_damaged_pictures_are_told(tmp_path: Path, content: bytes) -> None:
    write_library(tmp_path / "some.npz")
    write_pictures(tmp_path / "views", "made/1")
    (tmp_path / "views" / folder_of("made/1") / "000.png").write_bytes(content)
    triplets = open_triplets(TripletSource("library", "some.npz", pictures="views"), tmp_path)
    with pytest.raises(ImageError, match="cannot be read"):
        triplets.picture(1, 0)

"""`clip3d data render`: pictures of libraries and of folders, resumed, and told of what fails."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from triplet_sets import write_library, write_meshes

from clip3d.data.picture_folders import folder_of
from clip3d.data.triplet_sources import TripletSource, open_triplets


def pictures(folder: Path) -> dict[str, bytes]:
    return {f"{p.parent.name}/{p.name}": p.read_bytes() for p in sorted(folder.rglob("*.png"))}


def test_pictures_of_a_library_are_what_its_triplets_read(run_cli, tmp_path: Path) -> None:
    write_library(tmp_path / "some.npz")
    command = ["data", "render", str(tmp_path / "some.npz"), str(tmp_path / "views")]
    result = run_cli(*command, "--views", "2", "--size", "32", "--processes", "1", "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout) == {"path": str(tmp_path / "views"), "n": 6, "drawn": 6, "failed": 0}
    triplets = open_triplets(TripletSource("library", "some.npz", pictures="views"), tmp_path)
    assert [triplets.views(i) for i in range(len(triplets))] == [2, 2, 2, 2]
    picture = triplets.picture(0, 1)
    assert picture.shape == (32, 32, 3)
    assert 0.05 < (picture < 250).any(axis=2).mean() < 0.95
    settings = json.loads((tmp_path / "views" / "renders.json").read_text())
    assert settings["rendering"] == {"kind": "color", "views": 2, "size": 32, "seed": 0, "elevation": [0.0, 30.0]}
    assert settings["objects"] == 6
    assert "renders_sha256" in triplets.protocol()["pictures"]


def test_what_is_there_is_kept_and_what_is_damaged_drawn_again(run_cli, tmp_path: Path) -> None:
    write_library(tmp_path / "some.npz")
    command = ["data", "render", str(tmp_path / "some.npz"), str(tmp_path / "views")]
    command += ["--views", "2", "--size", "32"]
    assert run_cli(*command, "--processes", "1").returncode == 0
    before = pictures(tmp_path / "views")
    shutil.rmtree(tmp_path / "views" / folder_of("made/0"))
    cut = tmp_path / "views" / folder_of("made/3") / "001.png"
    cut.write_bytes(cut.read_bytes()[:-20])
    result = run_cli(*command, "--processes", "1", "--json")
    assert json.loads(result.stdout)["drawn"] == 2
    assert pictures(tmp_path / "views") == before
    other = run_cli(*command[:-4], "--views", "3", "--size", "32", "--processes", "1")
    assert other.returncode == 1
    assert "drawn with views 2, not 3" in other.stderr


def test_two_processes_draw_the_same_and_one_bad_file_never_ends_it(run_cli, tmp_path: Path) -> None:
    write_meshes(tmp_path / "things")
    (tmp_path / "things" / "captions.csv").unlink()
    (tmp_path / "things" / "broken.off").write_text("OFF\n9 9")
    options = ["--views", "2", "--size", "24"]
    one = run_cli("data", "render", str(tmp_path / "things"), str(tmp_path / "one"), *options, "--processes", "1")
    two = run_cli("data", "render", str(tmp_path / "things"), str(tmp_path / "two"), *options, "--processes", "2")
    assert one.returncode == two.returncode == 1
    assert "broken.off" in two.stderr
    assert "1 failed, 4 done" in two.stderr
    assert len(pictures(tmp_path / "one")) == 8
    assert pictures(tmp_path / "one") == pictures(tmp_path / "two")
    failed = json.loads((tmp_path / "two" / "renders.json").read_text())["failed"]
    assert [Path(path).name for path in failed] == ["broken.off"]


def test_only_what_a_table_names_is_drawn_with_its_colours(run_cli, tmp_path: Path) -> None:
    write_meshes(tmp_path / "things")
    (tmp_path / "things" / "captions.csv").write_text("path,caption\nplank.obj,a red plank\n")
    result = run_cli("data", "render", str(tmp_path / "things"), str(tmp_path / "views"), "--processes", "1")
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "views" / folder_of("plank.obj")
    picture = np.asarray(Image.open(folder / "000.png")).astype(int)
    assert picture.shape == (224, 224, 3)
    seen = picture[(picture < 250).any(axis=2)]
    assert np.median(seen[:, 0] - seen[:, 1]) > 80


def test_depth_pictures_are_grey(run_cli, tmp_path: Path) -> None:
    write_library(tmp_path / "some.npz")
    command = ["data", "render", str(tmp_path / "some.npz"), str(tmp_path / "depth"), "--depth", "--views", "4"]
    assert run_cli(*command, "--split", "test", "--size", "32", "--processes", "1").returncode == 0
    assert len(pictures(tmp_path / "depth")) == 8
    triplets = open_triplets(TripletSource("library", "some.npz", "test", "depth"), tmp_path)
    picture = triplets.picture(0, 3)
    assert (picture == picture[..., :1]).all()
    assert picture[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("extra", [["--elevation", "40", "30"], ["--views", "0"], ["--format", "nothing"]])
def test_wrong_options_are_told(run_cli, tmp_path: Path, extra: list[str]) -> None:
    write_library(tmp_path / "some.npz")
    result = run_cli("data", "render", str(tmp_path / "some.npz"), str(tmp_path / "views"), *extra)
    assert result.returncode in (1, 2)
    assert not (tmp_path / "views").exists()


def test_a_single_mesh_is_no_set(tmp_path: Path, command_line) -> None:
    (tmp_path / "chair.ply").write_text("ply")
    done = command_line("data", "render", tmp_path / "chair.ply", tmp_path / "views")
    assert done.returncode == 1
    assert "name the folder that it lies in" in done.stderr

"""Tables 3, 4 and 5, the unfrozen teacher and the maps on miniatures of the published sets in their own layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from experiment_files import slip_checkpoint
from PIL import Image
from published_sets import write_normal_resampled, write_scan_object_nn
from small_files import json_lines
from triplet_sets import write_shapenet

from clip3d.data.drawing import Rendering, draw
from clip3d.data.labelled_clouds import read_labelled
from clip3d.experiments import cg3d_maps
from clip3d.models.clip_converting import convert_clip

pytest.importorskip("sklearn")
pytest.importorskip("h5py")

RECIPE = """
kind = "cg3d"
teacher = "set by the experiment"
architecture = "set-abstraction"
points = 64
batch = 2
epochs = 2
[tower]
width = 16
layers = 1
heads = 2
stem = [8, 16]
centers = [16, 8]
neighbors = [4, 4]
[[data]]
format = "shapenet55"
path = "elsewhere"
split = "train"
[[validation]]
format = "shapenet55"
path = "elsewhere"
split = "test"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    (folder / "data" / "ShapeNet55").mkdir(parents=True)
    write_shapenet(folder / "data" / "ShapeNet55", "ulip")
    write_scan_object_nn(folder / "data" / "ScanObjectNN")
    write_normal_resampled(folder / "data" / "modelnet40_normal_resampled", per_split=4)
    for i, name in enumerate(("chair", "red room")):
        (folder / "data" / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (40, 40), (90 * i, 90, 20)).save(folder / "data" / "photos" / name / "a.png")
    slip_checkpoint(folder / "weights" / "slip")
    slip_checkpoint(folder / "weights" / "clip")
    (folder / "recipes").mkdir()
    (folder / "recipes" / "cg3d-point-transformer.toml").write_text(RECIPE)
    return folder


def words(place: Path, name: str, *more: object) -> list[object]:
    where = ["--data", place / "data", "--weights", place / "weights", "--recipes", place / "recipes"]
    return ["experiment", name, *where, "--out", place / name, "--json", *more]


def test_table_3_pre_trains_on_shapenet_and_names_scans(place: Path, command_line) -> None:
    done = command_line(*words(place, "cg3d-table3"))
    assert done.returncode == 0, done.stderr
    rows = json_lines(done.stdout)
    assert [row["published"]["value"] for row in rows] == [19.1, 19.7, 23.9, 25.6]
    told = [row["runs"][0]["protocol"] for row in rows]
    assert [each["visual prompts"] for each in told] == [0, 0, 0, 5]
    for each, row in zip(told, rows, strict=True):
        assert (each["variant"], row["runs"][0]["n"]) == ("PB_T50_RS", 5)
    assert told[3]["pre-trained on"] == ["shapenet55:ShapeNet55:train"]


def test_an_unfrozen_teacher_is_another_and_a_prompted_one_is_kept(place: Path, command_line) -> None:
    done = command_line(*words(place, "cg3d-unfreeze"))
    assert done.returncode == 0, done.stderr
    rows = {row["row"]: row for row in json_lines(done.stdout)}
    assert rows["teacher"]["runs"][0]["n"] == 2
    assert rows["unfrozen"]["runs"][0]["protocol"]["image tower"] == "trained whole"
    assert "pictures named" in rows["prompts"]["runs"][0]["also"]


def test_tables_4_and_5_look_at_renders_and_depth_maps(place: Path, command_line) -> None:
    zero_shot = command_line(*words(place, "cg3d-table4", "--only", "clip/*"))
    assert zero_shot.returncode == 0, zero_shot.stderr
    renders, depth = json_lines(zero_shot.stdout)
    assert (renders["published"]["value"], depth["published"]["value"]) == (33.6, 10.1)
    assert renders["measured"] == 100.0, "the test list has one class"
    assert depth["measured"] == pytest.approx(_depth_accuracy(place))
    probed = command_line(*words(place, "cg3d-table5", "--only", "clip/*"))
    assert probed.returncode == 0, probed.stderr
    renders, depth = json_lines(probed.stdout)
    assert renders["runs"][0]["protocol"]["of a class that is not learned"] == 1
    assert depth["measured"] >= 50, "tall and flat boxes look unlike each other"


def _depth_accuracy(place: Path) -> float:
    """Of the tiny CLIP on the depth maps of the test clouds, by hand."""
    if not (place / "own-clip").exists():
        convert_clip(place / "weights" / "clip", place / "own-clip")
    import clip3d

    model = clip3d.load(place / "own-clip")
    data = read_labelled(place / "data" / "modelnet40_normal_resampled", "test")
    maps = [draw(cloud, "any", Rendering("depth", views=1))[0] for cloud in data.clouds()]
    seen = model.encode_images(np.repeat(each[:, :, None], 3, axis=2) for each in maps)
    names = model.encode_texts([f"This is a {name}" for name in data.classes])
    return float(100 * ((seen @ names.T).argmax(1) == data.labels).mean())


def test_maps_have_measures_and_two_files(place: Path, bundle: Path, command_line, monkeypatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(cg3d_maps, "laid_out", lambda centred, seed: np.zeros((len(centred), 2), np.float32))
    done = command_line(*words(place, "cg3d-fig7", "--model", f"mine={bundle}", "--only", "clouds/mine"))
    assert done.returncode == 0, done.stderr
    (row,) = json_lines(done.stdout)
    assert row["measured"] >= 75
    assert row["runs"][0]["protocol"]["variant"] == "ModelNet10"
    assert {path.name for path in (place / "cg3d-fig7").glob("clouds-mine.*")} == {
        "clouds-mine.png", "clouds-mine.html"
    }  # fmt: skip
    assert "![clouds-mine.png](clouds-mine.png)" in (place / "cg3d-fig7" / "report.md").read_text()

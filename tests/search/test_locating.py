"""Hits of frames are located: which cells of the sweep and which part of the picture answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_drives import front_camera
from PIL import Image, ImageDraw
from small_files import json_lines
from sweep_bundles import TINY, sweep_bundle

from clip3d.lidar.bev_grid import BevGrid
from clip3d.lidar.box_pooling import points_in_box
from clip3d.lidar.cell_features import CellFeatures, SweepFeatures
from clip3d.lidar.frame import Box
from clip3d.lidar.frustum import FROM_CAMERA, Frustum
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.writing import LogWriter
from clip3d.models.model import Model
from clip3d.models.picture_cells import SIDE, picture_cells
from clip3d.models.vector_cache import VectorCache
from clip3d.render.bird_eye import MARK, bird_eye
from clip3d.search.collection import Collection
from clip3d.search.questions.located_pictures import draw_located, write_located
from clip3d.search.questions.locating import locate
from clip3d.search.questions.regions import regions_of, steadied

RED = (225, 30, 30)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return sweep_bundle(tmp_path_factory.mktemp("model"), **TINY)


@pytest.fixture
def seeing(model: Model, monkeypatch: pytest.MonkeyPatch) -> Model:
    """The same model, but for cells that are tall where points are high, and flat elsewhere."""
    tall, flat = model.encode_texts(["tall", "flat"])

    def encode(crops: list[Frustum], *, dense: bool = False, **_: Any) -> Any:
        grid, found = BevGrid(), []
        for crop in crops:
            cell = grid.cell_of(crop.points[:, :3])
            cells = np.unique(cell[cell >= 0])
            highest = np.array([crop.points[cell == one, 2].max() for one in cells])
            features = np.where((highest > 0)[:, None], tall, flat).astype(np.float32)
            found.append(CellFeatures(features.reshape(-1, 8), cells, grid))
        return SweepFeatures(np.zeros((len(crops), 8), np.float32), tuple(found))

    monkeypatch.setattr(model, "encode_sweeps", encode)
    return model


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """Flat ground with a tall post 12 m ahead and 3 m left; a red square in the picture, above on the right."""
    rng = np.random.default_rng(0)
    ground = np.stack([rng.uniform(2, 38, 3000), rng.uniform(-15, 15, 3000), np.full(3000, -1.7)], 1)
    post = np.array([12.2, 3.2, 0]) + rng.uniform(-1, 1, (80, 3)) * [0.2, 0.2, 1]
    image = Image.new("RGB", (96, 48), (20, 20, 220))
    ImageDraw.Draw(image).rectangle((56, 4, 66, 14), fill=RED)
    camera = front_camera()
    camera.camera_from_lidar[:3, 3] = FROM_CAMERA.T @ np.array([-0.5, 0.2, 0])
    writer = LogWriter(tmp_path / "drive", [camera])
    writer.append("000000", Sweep(np.concatenate([ground, post]), timestamp=1.0), {"front": image})
    return tmp_path / "drive"


@pytest.fixture
def kept(seeing: Model, drive: Path, tmp_path: Path) -> Collection:
    collection = Collection(tmp_path / "drive.db", seeing)
    collection.index(drive, cache=VectorCache(tmp_path / "vectors.db"))
    return collection


def test_the_cells_of_the_sweep_that_answer_are_boxed_in_its_frame(kept: Collection, seeing: Model) -> None:
    answers = kept.search(lidar="tall", camera="red")
    found, problems = locate(answers, seeing)
    assert problems == []
    (located,) = found.values()
    box = located.sweep[0].box
    np.testing.assert_allclose(box.center[:2], (12.2, 3.2), atol=0.4)
    assert box.size[2] == pytest.approx(1.9, abs=0.4)
    assert points_in_box(np.array([[12.2, 3.2, 0.0]]), box).all()
    assert located.sweep[0].score > 0.9
    told = located.record()["sweep"][0]
    assert told["distance"] == pytest.approx(12.6, abs=0.5)
    assert told["bearing"] == pytest.approx(14.7, abs=2)


def test_the_part_of_the_picture_that_answers_is_boxed_in_its_pixels(kept: Collection, seeing: Model) -> None:
    found, _ = locate(kept.search(lidar="flat", camera="red"), seeing)
    spot = next(iter(found.values())).picture[0]
    left, top, right, bottom = spot.rectangle
    assert (spot.camera, spot.how) == ("front", "crops")
    assert left < 61 < right
    assert top < 9 < bottom
    assert right - left <= 33
    assert bottom - top <= 33


def test_only_what_was_asked_of_a_sensor_is_located_and_a_sweep_alone_on_all_sides(
    kept: Collection, seeing: Model
) -> None:
    lidar = next(iter(locate(kept.search(lidar="tall"), seeing)[0].values()))
    assert (len(lidar.sweep) > 0, lidar.picture) == (True, ())
    both = next(iter(locate(kept.search("tall"), seeing)[0].values()))
    assert both.sweep[0].box.center[0] == pytest.approx(12.2, abs=0.4)
    assert len(both.picture) > 0
    for over in ("cameras", "quarter", "sweep"):
        for hit_id, located in locate(kept.search("tall", over=over, fold=0, k=1), seeing)[0].items():
            assert hit_id
            assert (located.crop is None) == (over in ("quarter", "sweep"))
    whole = next(iter(locate(kept.search("tall", over="sweep"), seeing)[0].values()))
    np.testing.assert_allclose(whole.sweep[0].box.center[:2], (12.2, 3.2), atol=0.4)


def test_what_cannot_be_read_again_is_told(kept: Collection, seeing: Model, drive: Path) -> None:
    answers = kept.search("tall")
    (drive / "clouds" / "000000.npz").unlink(missing_ok=True)
    for file in (drive / "clouds").iterdir():
        file.unlink()
    found, problems = locate(answers, seeing)
    assert (found, len(problems)) == ({}, 1)
    drive.rename(drive.with_name("elsewhere"))
    assert "no longer there" in str(locate(answers, seeing)[1][0])


def test_hits_are_drawn_side_by_side(kept: Collection, seeing: Model, tmp_path: Path) -> None:
    answers = kept.search(lidar="tall", camera="red")
    found, _ = locate(answers, seeing)
    picture = np.asarray(draw_located(next(iter(found.values())), size=100))
    assert picture.shape == (100, 206, 3)
    assert (picture[:, :100] == MARK).all(-1).any()
    assert (picture[:, 106:] == MARK).all(-1).any()
    (written,) = write_located(tmp_path / "pictures", answers, found)
    assert written.name == "01-drive-000000#front.jpg"
    assert Image.open(written).size == (726, 360)


def test_from_above_x_points_up_and_y_to_the_left() -> None:
    points = np.array([[20.0, 10, 2.5], [0.5, -30, -2]])
    pixels = np.asarray(bird_eye(points, [], size=80, reach=40)).astype(int)
    assert pixels[20, 30].tolist() == [250, 240, 120]
    assert pixels[39, 70].tolist() == [70, 120, 220]
    assert np.asarray(bird_eye(points, [], seen=np.array([1]), size=80))[20, 30].tolist() == [70, 76, 88]
    boxed = np.asarray(bird_eye(points, [Box("", np.array([20.0, 10, 0]), (8, 4, 2), 0.0)], size=80))
    rows, columns = np.nonzero((boxed == MARK).all(-1))
    assert (rows.min(), rows.max()) == pytest.approx((16, 24), abs=1.5)
    assert (columns.min(), columns.max()) == pytest.approx((28, 32), abs=1.5)


def test_regions_are_connected_and_above_the_rest() -> None:
    scores = np.zeros((6, 6))
    scores[1, 1], scores[2, 2], scores[4, 5], scores[5, 0] = 0.9, 1.0, 0.8, 0.3
    scores[0, 0] = np.nan
    first, second = regions_of(scores)
    assert sorted(zip(first.rows.tolist(), first.columns.tolist(), strict=True)) == [(1, 1), (2, 2)]
    assert (first.score, second.score) == pytest.approx((0.95, 0.8))
    assert regions_of(np.full((2, 2), np.nan)) == []
    assert len(regions_of(np.ones((2, 2)))[0].rows) == 4


def test_a_stray_far_away_does_not_drown_cells_that_agree() -> None:
    scores = np.full((9, 9), np.nan)
    scores[:5] = 0.0
    scores[2, 2:4], scores[3, 2:4], scores[8, 8] = 0.8, 0.8, 1.0
    assert regions_of(scores)[0].rows.tolist() == [8]
    assert set(regions_of(steadied(scores))[0].rows.tolist()) == {2, 3}
    assert np.isnan(steadied(scores)[6, 6])


def test_the_cells_of_a_tower_of_its_own_are_what_it_says_of_the_place() -> None:
    torch = pytest.importorskip("torch")
    from clip3d.towers.clip_vit import ClipViT
    from clip3d.towers.image import ImageTower

    torch.manual_seed(0)
    tower = ImageTower(dim=6, classes=5, hidden=4).eval()
    with torch.inference_mode():
        flat = torch.zeros(1, 3, 64, 64)
        assert tower.dense(flat).shape == (1, 2, 2, 6)
        pixels = torch.rand(2, 3, 32, 32)
        np.testing.assert_allclose(tower.dense(pixels)[:, 0, 0], tower(pixels), atol=1e-6)
        vit = ClipViT(width=8, layers=2, heads=2, patch=8, size=32, dim=6).eval()
        cells = vit.dense(pixels)
        assert cells.shape == (2, 4, 4, 6)
        alone = vit.blocks[1].without_mixing(torch.ones(1, 5, 8))
        np.testing.assert_allclose(alone, vit.blocks[1](torch.ones(1, 5, 8)), atol=1e-5)


def test_crops_stand_in_where_a_tower_has_no_cells(model: Model) -> None:
    image = Image.new("RGB", (60, 60), (20, 20, 220))
    ImageDraw.Draw(image).rectangle((40, 0, 60, 20), fill=RED)
    (cells,) = picture_cells(model, [image])
    assert (cells.how, cells.features.shape) == ("crops", (SIDE, SIDE, model.space.dim))
    red = model.space.query(model.encode_texts(["red"]))
    scores = model.space.scores(red, cells.features.reshape(-1, model.space.dim)).reshape(SIDE, SIDE)
    assert np.unravel_index(scores.argmax(), scores.shape) == (0, SIDE - 1)


def test_the_command_locates_shows_and_writes(
    run_cli: Any, model: Model, drive: Path, tmp_path: Path
) -> None:
    db, folder = tmp_path / "d.db", model.folder
    done = run_cli("index", drive, "--db", db, "--model", folder, "--no-cache", "--json")
    assert done.returncode == 0, done.stderr
    assert json_lines(done.stdout)[-1]["items"] == 7
    asked = ("search", "--lidar", "tall", "--camera", "red", "--db", db, "--model", folder)
    done = run_cli(*asked, "--locate", "--json")
    (hit,) = json_lines(done.stdout)
    assert set(hit["located"]) == {"sweep", "picture"}
    assert set(hit["located"]["sweep"][0]) == {"center", "size", "yaw", "score", "distance", "bearing"}
    assert hit["metadata"]["camera"] == "front"
    assert "located" not in json_lines(run_cli(*asked, "--json").stdout)[0]
    page, pictures = tmp_path / "page.html", tmp_path / "pictures"
    done = run_cli(*asked, "--page", page, "--pictures", pictures, "--rule", "ranks", "--fold", "3")
    assert done.returncode == 0, done.stderr
    assert "° " in done.stdout
    text = page.read_text()
    assert "data:image/jpeg;base64," in text
    assert "000000" in text
    assert "http" not in text.replace("http-equiv", "")
    assert len(list(pictures.iterdir())) == 1
    done = run_cli("search", "red", "--templates", "objects", "--over", "cameras", "--db", db, "--model", folder)
    assert "000000@cameras" in done.stdout
    done = run_cli("search", "red", "--rule", "best", "--db", db, "--model", folder)
    assert (done.returncode, "there is no joint rule 'best'" in done.stderr) == (2, True)
    assert json.loads(json.dumps(hit["scores"])).keys() == {"lidar", "camera"}

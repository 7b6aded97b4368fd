"""LidarCLIP's training, and its extension by labels."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from labelled_drives import KINDS, write_log

from clip3d.errors import DataError, ShapeError
from clip3d.lidar.augmenting import SensorChange
from clip3d.lidar.frustum import Frustum
from clip3d.lidar.reading import read_log
from clip3d.models.vector_cache import VectorCache
from clip3d.towers.sweep_cells import SweepCells
from clip3d.training.parts import Run
from clip3d.training.recipe import read_recipe
from clip3d.training.sweep import prepare, train_sweep
from clip3d.training.sweep_losses import NamingLoss, apart, pooled, tell_terms, to_teacher
from clip3d.training.sweep_recipe import LabelRecipe, SweepRecipe
from clip3d.training.sweep_regions import RegionRecipe, members, pixels_of, regions_of, squares
from clip3d.training.sweep_rehearsal import rehearse_sweep
from clip3d.training.sweep_views import ViewRecipe, pack_of

TINY = {"widths": (8, 8), "blocks": (1,), "hidden": 8, "heads": 2, "cell": 1.0}
STILL = SensorChange(*[0.0] * 11)
LABELS = LabelRecipe(weight=1.0, withheld=("big",))
RECIPES = Path(__file__).parents[2] / "recipes"


def quiet(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with three logs of four frames, and one of pedestrians alone."""
    folder = tmp_path_factory.mktemp("drives")
    for seed in range(3):
        write_log(folder / "logs" / f"{seed}", seed)
    write_log(folder / "walkers" / "0", 7, kinds=("pedestrian",))
    return folder


@pytest.fixture
def recipe(bundle: Path, cache_file: Path) -> SweepRecipe:
    run = Run(average=0.0, checkpoint_every=2, log_every=2)
    return SweepRecipe({"logs": 1.0}, str(bundle), tower=dict(TINY), batch=4, steps=6, run=run, seed=3)


def weights(folder: Path) -> bytes:
    return (folder / "sweep.safetensors").read_bytes()


@pytest.mark.parametrize("labels", [LabelRecipe(), LABELS], ids=["pure", "labels"])
def test_a_stopped_run_goes_on_to_the_same_weights(drives, recipe, tmp_path, labels, monkeypatch):
    recipe = replace(recipe, labels=labels)
    found = train_sweep(recipe, tmp_path / "whole", data=drives, progress=quiet)
    assert found["views"] == 12
    steps = []

    def stop(line: str) -> None:
        steps.append(line)
        if line.startswith("step 4"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_sweep(recipe, tmp_path / "stopped", data=drives, progress=stop)
    train_sweep(recipe, tmp_path / "stopped", data=drives, progress=steps.append)
    assert "resumed at step 4 of 6" in steps
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


KILLED = """
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
sys.path[:0] = {path!r}
import tower_doubles
from clip3d.towers import catalogue
from clip3d.training.parts import Run
from clip3d.training.sweep import train_sweep
from clip3d.training.sweep_recipe import SweepRecipe
catalogue.ARCHITECTURES.update(tower_doubles.ARCHITECTURES)
run = Run(average=0.0, checkpoint_every=2, log_every=1)
recipe = SweepRecipe({{"logs": 1.0}}, {teacher!r}, tower={tower!r}, batch=4, steps={steps}, run=run, seed=3)
train_sweep(recipe, Path({out!r}), data=Path({data!r}), progress=lambda line: print(line, flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_run_goes_on_to_the_same_weights(drives, recipe, tmp_path, bundle):
    recipe = replace(recipe, steps=40, run=Run(average=0.0, checkpoint_every=2, log_every=1))
    train_sweep(recipe, tmp_path / "whole", data=drives, progress=quiet)
    doubles = str(Path(__file__).parents[1] / "doubles")
    script = KILLED.format(
        path=[doubles], teacher=str(bundle), tower=TINY, steps=40, out=str(tmp_path / "killed"), data=str(drives)
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith("step 5/"):
                os.kill(child.pid, signal.SIGKILL)
                break
    lines: list[str] = []
    train_sweep(recipe, tmp_path / "killed", data=drives, progress=lines.append)
    assert any(line.startswith("resumed at step") for line in lines)
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")


def test_another_recipe_does_not_take_up_the_run(drives, recipe, tmp_path):
    train_sweep(recipe, tmp_path, data=drives, progress=quiet)
    with pytest.raises(DataError, match="another recipe"):
        train_sweep(replace(recipe, loss="cosine"), tmp_path, data=drives, progress=quiet)


def test_the_loss_on_the_teacher_is_the_published_one():
    given = torch.tensor([[1.0, 0.0], [0.0, 2.0], [5.0, 5.0]])
    wanted = torch.tensor([[1.0, 1.0], [0.0, 1.0], [float("nan"), 0.0]])
    # (0 + 1 + 0 + 1) / 4, and -(1 / sqrt 2 + 1) / 2; the row without a teacher's vector does not count
    assert float(to_teacher(given, wanted, "mse")) == pytest.approx(0.5)
    assert float(to_teacher(given, wanted, "cosine")) == pytest.approx(-(2**-0.5 + 1) / 2)
    assert float(to_teacher(given[2:], wanted[2:], "mse")) == 0
    assert float(to_teacher(given[2:], wanted[2:], "contrastive")) == 0
    own = torch.eye(2)
    apart = float(np.log(1 + np.exp(-1 / 0.07)))
    assert float(to_teacher(3 * own, own, "contrastive")) == pytest.approx(apart, abs=1e-6), "lengths do not count"
    assert float(to_teacher(own.flip(0), own, "contrastive")) == pytest.approx(1 / 0.07, abs=1e-3)


CELLS = SweepCells(
    vectors=torch.eye(2),
    cells=torch.tensor([[1.0, 0.0], [0.0, 1.0], [4.0, 4.0]]),
    sample=torch.tensor([0, 0, 1]),
    cell=torch.tensor([3, 7, 3]),
)


def test_cells_are_pooled_by_the_points_of_a_group():
    cell, group = torch.tensor([3, 3, 7, 10 + 3]), torch.tensor([0, 0, 0, 1])
    found = pooled(CELLS, cell, group, 2, cells=10)
    np.testing.assert_allclose(found.numpy(), [[2 / 3, 1 / 3], [4, 4]], rtol=1e-6)


def test_terms_are_told_by_binary_cross_entropy_over_what_is_known():
    cosines = torch.tensor([[0.5, 0.0], [-0.5, 0.2]])
    truths = torch.tensor([[1.0, float("nan")], [0.0, 1.0]])
    logits = np.array([2 * 0.5 - 1, 2 * -0.5 - 1, 2 * 0.2 + 0.5])
    hand = np.mean(np.log1p(np.exp([-logits[0], logits[1], -logits[2]])))
    assert float(tell_terms(cosines, truths, 2.0, torch.tensor([-1.0, 0.5]))) == pytest.approx(hand, rel=1e-5)
    nothing = torch.full((2, 2), float("nan"))
    assert float(tell_terms(cosines, nothing, 2.0, torch.zeros(2))) == 0


def test_a_term_is_told_in_each_way_that_it_is_asked_for():
    recipe = LabelRecipe(weight=1.0, objects=0.0, cells=0.0, scenes=1.0, scale=4.0)
    ways = torch.eye(3)[torch.tensor([[0, 1], [2, 2]])]  # of the first term two, of the second one twice
    odds = torch.tensor([0.5, -1.0])
    loss = NamingLoss(recipe, torch.eye(3)[:1], torch.ones(1, 1), ways, odds, torch.zeros(3))
    nothing = torch.zeros(0, dtype=torch.long)
    batch = SimpleNamespace(words=nothing, truths=torch.tensor([[1.0, 0.0], [float("nan"), 1.0]]))
    found = SweepCells(torch.eye(3)[[0, 2]], torch.zeros(0, 3), nothing, nothing)
    logits = np.array([4 + 0.5, 0.5, -1, -1, 4 - 1, 4 - 1])
    right = np.array([1, 1, 0, 0, 1, 1])
    hand = np.mean(np.log1p(np.exp(np.where(right, -logits, logits))))
    assert float(loss(found, batch, 10).detach()) == pytest.approx(hand, rel=1e-5)


def test_words_that_are_withheld_are_never_heard(drives, recipe):
    withheld = replace(recipe, labels=replace(LABELS, withheld=("big", "pedestrian")))
    with VectorCache() as cache:
        job = prepare(withheld, drives / "v", data=drives, progress=quiet, cache=cache)
    assert job.vocabulary is not None
    assert job.vocabulary.words == ("car", "truck")
    assert not any("pedestrian" in term for term in job.vocabulary.terms)
    taught = [job.batches[number] for number in range(6)]
    rows = torch.cat([batch.words for batch in taught])
    assert len(rows)
    assert set(rows.tolist()) <= {job.vocabulary.row((f"big {kind}", kind)) for kind in ("car", "truck")}
    assert job.vocabulary.row(("big pedestrian", "pedestrian")) == -1


def test_a_mirrored_frustum_is_taught_by_the_mirrored_picture(drives, recipe):
    always = replace(recipe, mirror=1.0, change=STILL, zoom=0.0, regions=RegionRecipe(tiled=False))
    never = replace(always, mirror=0.0)
    with VectorCache() as cache:
        jobs = [prepare(one, drives / "v", data=drives, progress=quiet, cache=cache) for one in (always, never)]
    flipped, plain = (job.batches[0] for job in jobs)
    np.testing.assert_array_equal(flipped.points[:, 1], -plain.points[:, 1])
    np.testing.assert_array_equal(flipped.points[:, [0, 2, 3]], plain.points[:, [0, 2, 3]])
    # the double's vectors are mean colours, which a mirror image shares
    np.testing.assert_allclose(flipped.wanted, plain.wanted, atol=0.02)
    assert jobs[0].batches.sources[0].vectors.shape[1] == 2
    assert jobs[1].batches.sources[0].vectors.shape[1] == 1


def test_spots_and_objects_name_cells_that_hold_their_points(drives, recipe):
    with VectorCache() as cache:
        job = prepare(replace(recipe, labels=LABELS), drives / "v", data=drives, progress=quiet, cache=cache)
    batch, grid = job.batches[1], job.batches.grid
    found = job.learner.tower.dense(batch.points, batch.counts)
    occupied = set((found.sample * grid.cells + found.cell).tolist())
    assert set(batch.object_cell.tolist()) <= occupied
    assert set(batch.spot_cell.tolist()) <= occupied
    assert len(batch.spot_wanted) == int(batch.spot.max()) + 1
    assert torch.isfinite(batch.spot_wanted).all()
    assert torch.isfinite(job.learner.loss(batch, job.recipe))


def test_sources_are_drawn_by_their_shares(drives, recipe):
    mixed = replace(recipe, logs={"logs": 0.0, "walkers": 1.0}, labels=LABELS)
    with VectorCache() as cache:
        job = prepare(mixed, drives / "v", data=drives, progress=quiet, cache=cache)
    assert job.views == 4
    assert job.vocabulary is not None
    assert job.vocabulary.words == ("pedestrian",)


def test_pictures_are_encoded_once(drives, recipe):
    with VectorCache() as cache:
        first = prepare(recipe, drives / "v", data=drives, progress=quiet, cache=cache)
        again = prepare(recipe, drives / "v", data=drives, progress=quiet, cache=cache)
    assert first.encoded == 2 * first.regions
    assert again.encoded == 0
    np.testing.assert_array_equal(first.batches.sources[0].vectors, again.batches.sources[0].vectors)


def test_a_spot_s_vector_is_that_of_its_picture(drives, recipe, model):
    regions = RegionRecipe(tiled=False, spots=6)
    with VectorCache() as cache:
        job = prepare(replace(recipe, regions=regions), drives / "v", data=drives, progress=quiet, cache=cache)
    source, frame = job.batches.sources[0], read_log(drives / "logs" / "0")[0]
    view = source.views[0]
    image = frame.pictures["front"].load()
    for number, region in enumerate(view.regions):
        left, top, right, bottom = (round(edge) for edge in region.rectangle)
        wanted = model.encode_images([image.crop((left, top, right, bottom))], normalize=False)[0]
        np.testing.assert_allclose(source.vectors[source.first[0] + number, 0], wanted, atol=1e-5)


def test_packs_keep_points_owners_and_terms(drives, tmp_path):
    log = read_log(drives / "logs" / "0")
    pack = pack_of(log, ViewRecipe(least=10), RegionRecipe(crops=4), tmp_path, quiet)
    view, frame = pack.views[0], log[0]
    assert [view.key for view in pack.views] == [f"0/{i:06d}/front" for i in range(4)]
    assert view.terms[0]["day"]
    assert not view.terms[0]["night"]
    for place, box in enumerate(frame.boxes):
        own = view.points[view.rows["owner"] == place]
        if len(own) > 20:  # the camera looks ahead from half a metre before the sensor
            np.testing.assert_allclose(own[:, 0].mean() + 0.5, box.center[0], atol=max(box.size))
            np.testing.assert_allclose(own[:, 1].mean(), box.center[1], atol=max(box.size))
    crops = [region for region in view.regions if region.kind == "crop"]
    assert crops
    for region in crops:
        colour = KINDS[view.labels[region.box]][3]
        left, top, right, bottom = (round(edge) for edge in region.rectangle)
        shown = np.asarray(frame.pictures["front"].load().crop((left, top, right, bottom)), int)
        assert (np.abs(shown - colour).sum(-1) < 60).mean() > 0.02
    again = pack_of(log, ViewRecipe(least=10), RegionRecipe(crops=4), tmp_path, quiet)
    assert again.digest == pack.digest
    np.testing.assert_array_equal(again.views[3].rows, pack.views[3].rows)


def test_a_label_or_a_lens_that_was_mended_is_seen(tmp_path):
    path = write_log(tmp_path / "log", 0, frames=2)
    first = pack_of(read_log(path), ViewRecipe(least=10), RegionRecipe(), tmp_path / "views", quiet).digest
    labels = sorted((path / "annotations").iterdir())[0]
    labels.write_text(labels.read_text().replace('"car"', '"bus"'))
    second = pack_of(read_log(path), ViewRecipe(least=10), RegionRecipe(), tmp_path / "views", quiet).digest
    calibration = path / "calibration.toml"
    calibration.write_text(calibration.read_text().replace("distortion = []", "distortion = [-0.1, 0.0, 0.0, 0.0]"))
    third = pack_of(read_log(path), ViewRecipe(least=10), RegionRecipe(), tmp_path / "views", quiet).digest
    assert len({first, second, third}) == 3


def test_a_frame_without_its_sweep_is_told_and_left_out(tmp_path):
    path = write_log(tmp_path / "log", 0)
    next(iter(sorted((path / "clouds").iterdir()))).write_bytes(b"no cloud")
    told: list[str] = []
    pack = pack_of(read_log(path), ViewRecipe(least=10), RegionRecipe(), tmp_path / "views", told.append)
    assert len(pack.views) == 3
    assert len(pack.problems) == 1
    assert any("left out" in line for line in told)


def test_a_log_whose_pictures_cannot_be_read_teaches_nothing_and_the_rest_goes_on(recipe, tmp_path):
    for seed in range(2):
        write_log(tmp_path / "logs" / f"{seed}", seed)
    for picture in (tmp_path / "logs" / "0" / "images" / "front").iterdir():
        picture.write_bytes(b"no picture")
    told: list[str] = []
    with VectorCache.disabled() as cache:
        job = prepare(recipe, tmp_path / "views", data=tmp_path, progress=told.append, cache=cache)
    (source,) = job.batches.sources
    known = np.isfinite(source.vectors).all((1, 2))
    regions = [len(view.regions) for view in source.views]
    assert known.tolist() == [False] * sum(regions[:4]) + [True] * sum(regions[4:])
    assert sum("teach nothing" in line for line in told) == 4


def test_a_frame_with_a_lens_that_cannot_be_undone_is_told_and_left_out(tmp_path):
    calibration = write_log(tmp_path / "log", 0, frames=2) / "calibration.toml"
    text = calibration.read_text()
    calibration.write_text(text.replace("distortion = []", "distortion = [-30.0, 0.0, 0.0, 0.0]"))
    told: list[str] = []
    log = read_log(tmp_path / "log")
    pack = pack_of(log, ViewRecipe(), RegionRecipe(), tmp_path / "views", told.append)
    assert (len(pack.views), len(told)) == (0, 2)
    assert "no rectangle" in told[0]


def test_squares_cover_a_picture_and_spots_lie_within_it(drives, tmp_path):
    assert squares(96, 48, tiled=True) == [(24.0, 0.0, 72.0, 48.0), (0.0, 0.0, 48.0, 48.0), (48.0, 0.0, 96.0, 48.0)]
    assert squares(50, 48, tiled=True) == [(1.0, 0.0, 49.0, 48.0)]
    view = pack_of(read_log(drives / "logs/1"), ViewRecipe(least=10), RegionRecipe(), tmp_path, quiet).views[0]
    for region in view.regions:
        left, top, right, bottom = region.rectangle
        assert 0 <= left < right <= 96
        assert 0 <= top < bottom <= 48
        assert right - left == pytest.approx(bottom - top)
        own = members(view.points, pixels_of(view.points, view.intrinsics), region)
        assert own.any()


def test_a_rehearsal_says_what_a_run_needs(drives, recipe):
    found = rehearse_sweep(recipe, data=drives, progress=quiet)
    assert found["steps"] == 6
    assert found["views"] == 12
    assert found["pictures"] > 2 * 3 * 12
    assert found["seconds for the run"] > 0


def test_a_folder_without_logs_is_refused(recipe, tmp_path):
    with pytest.raises(DataError, match="no driving log"):
        train_sweep(recipe, tmp_path / "out", data=tmp_path, progress=quiet)


def test_labels_are_asked_for_where_there_are_none(drives, recipe, tmp_path):
    nothing = replace(recipe, labels=replace(LABELS, withheld=("car", "truck", "pedestrian")))
    with pytest.raises(DataError, match="not withheld"):
        train_sweep(nothing, tmp_path / "out", data=drives, progress=quiet)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"loss": "l1"}, "loss"), ({"mirror": 2.0}, "mirror"), ({"teacher_weight": 0.0}, "nothing to learn"),
     ({"regions": RegionRecipe(spots=0)}, "spots"), ({"logs": {}}, "logs")],
)  # fmt: skip
def test_settings_out_of_range_are_refused(recipe, wrong, message):
    with pytest.raises(ShapeError, match=message):
        replace(recipe, **wrong)


def test_the_recipes_that_come_with_the_package_can_be_read():
    for name in ("mini-sweep", "mini-sweep-labels", "lidarclip"):
        kind, recipe = read_recipe(RECIPES / f"{name}.toml")
        assert kind == "sweep"
        assert recipe.named == (name == "mini-sweep-labels")


def test_training_learns_what_the_teacher_says(drives, recipe, tmp_path):
    longer = replace(recipe, steps=60, change=STILL, batch=8)
    lines: list[str] = []
    train_sweep(longer, tmp_path / "out", data=drives, progress=lines.append)
    losses = [float(line.split("loss ")[1].split()[0]) for line in lines if line.startswith("step ")]
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_naming_draws_cells_to_their_words():
    recipe = LabelRecipe(weight=1.0, cells=0.0, scenes=0.0, regression=1.0, scale=5.0)
    phrases, positives = torch.eye(3)[:2], torch.eye(2)
    loss = NamingLoss(recipe, phrases, positives, torch.zeros(0, 1, 3), torch.zeros(0), torch.zeros(3))
    batch = type("Batch", (), {})()
    batch.words, batch.shares, batch.truths = torch.tensor([0]), torch.ones(1), torch.zeros(1, 0)
    batch.object_cell, batch.object = torch.tensor([2]), torch.tensor([0])
    found = [SweepCells(torch.zeros(1, 3), row[None], torch.tensor([0]), torch.tensor([2])) for row in torch.eye(3)]
    values = [float(loss(one, batch, 10).detach()) for one in found]
    spread = torch.softmax(recipe.sharpness * torch.eye(2), 1)[0]
    hand = -(spread * torch.log_softmax(5 * torch.tensor([1.0, 0.0]), 0)).sum()
    assert values[0] == pytest.approx(float(hand), rel=1e-5)
    assert values[0] < values[2] < values[1]


def test_workers_change_nothing_but_time(drives, recipe, tmp_path):
    train_sweep(replace(recipe, workers=1), tmp_path / "ahead", data=drives, progress=quiet)
    train_sweep(recipe, tmp_path / "none", data=drives, progress=quiet)
    assert weights(tmp_path / "ahead") == weights(tmp_path / "none")


def test_spots_stand_on_the_ground_also_where_it_slopes():
    rng = np.random.default_rng(0)
    ground = rng.uniform([4, -12, 0], [36, 12, 0], (6000, 3))
    ground[:, 2] = -2 + 0.08 * ground[:, 0]
    post = rng.uniform([19.6, 2.6, -0.4], [20.4, 3.4, 1.6], (60, 3))
    points = np.concatenate([ground, post])
    whole = Frustum(np.c_[points, np.zeros(len(points))])
    intrinsics = np.array([[40.0, 0, 47.5], [0, 40.0, 23.5], [0, 0, 1]])
    recipe, nobody = RegionRecipe(tiled=False, spots=3), np.full(len(points), -1, np.int16)
    found = regions_of(whole, intrinsics, (96, 48), nobody, (), recipe, "a frame")
    spots = [region for region in found if region.kind == "spot"]
    assert spots
    for spot in spots:
        np.testing.assert_allclose(spot.middle, [20, 3], atol=1.0)
    assert found == regions_of(whole, intrinsics, (96, 48), nobody, (), recipe, "a frame")


def test_the_contrast_teaches_without_the_squared_error_too(drives, recipe, tmp_path) -> None:
    with VectorCache() as cache:
        alone = replace(recipe, teacher_weight=0.0, contrast=1.0)
        job = prepare(alone, tmp_path, data=drives, progress=quiet, cache=cache)
    batch = job.batches[0]
    assert batch.wanted.isfinite().all()
    assert job.learner.loss(batch, alone).item() > 0


def test_the_contrast_sees_differences_that_a_shared_mean_hides() -> None:
    torch.manual_seed(0)
    mean = torch.zeros(16)
    mean[0] = 0.95
    wanted = torch.nn.functional.normalize(mean + torch.randn(12, 16) * 0.1)
    shuffled = wanted[torch.randperm(12)]
    assert float(apart(wanted, wanted, mean)) < 0.1 < 2 < float(apart(shuffled, wanted, mean))
    # rows of which the teacher says nothing do not count
    wanted[3] = float("nan")
    kept = torch.arange(12) != 3
    assert float(apart(shuffled, wanted, mean)) == pytest.approx(float(apart(shuffled[kept], wanted[kept], mean)))

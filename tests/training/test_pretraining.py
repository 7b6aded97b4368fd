"""Pre-training after "CLIP goes 3D": what moves, what stays, what is cached, and what comes out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchrun_pretraining
from torchrun_pretraining import recipe
from triplet_doubles import MemoryTriplets, write_teacher

import clip3d
from clip3d.clouds.augmenting import Augmentation
from clip3d.data.triplet_sources import TripletSource
from clip3d.errors import DataError, ModelError, ShapeError
from clip3d.models.checking import check_model
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.models.weights import read_state
from clip3d.training import pretraining, teacher_features
from clip3d.training.checkpoints import read_facts, trained_state
from clip3d.training.pretraining import Pretraining, prepare, pretrain
from clip3d.training.pretraining_batches import Batches
from clip3d.training.pretraining_recipe import PartRecipe
from clip3d.training.rehearsal import rehearse
from clip3d.training.teacher_features import FrozenTexts

ADAMW = PartRecipe("adamw", 3e-3)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_teacher(tmp_path_factory.mktemp("teacher"))


@pytest.fixture(autouse=True)
def _own_cache(cache_file: Path) -> None:
    pass


def quiet(line: str) -> None:
    pass


def job(teacher: Path, triplets: MemoryTriplets | None = None, **changes: object) -> Pretraining:
    return prepare(recipe(teacher, **changes), Path(), quiet, triplets=triplets or MemoryTriplets())


def run(teacher: Path, out: Path, triplets: MemoryTriplets | None = None, progress=quiet, **changes: object):
    given = recipe(teacher, **changes)
    return pretrain(given, out, data=out, progress=progress, triplets=triplets or MemoryTriplets())


def result(out: Path, tower: str = "cloud") -> dict[str, torch.Tensor]:
    return read_state(out / "model" / f"{tower}.safetensors")


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_learns_and_its_model_names_what_it_was_shown(teacher: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    told = run(
        teacher,
        tmp_path,
        progress=lines.append,
        epochs=80,
        clouds=ADAMW,
        visual=ADAMW,
        held_out=0.25,
        templates=("a photo of a {}",),
        augmentation=Augmentation(),
    )
    # of three classes; rounding differs between processors, and with it one object of six
    assert told["clouds named"] >= 5 / 6
    assert told["pictures named"] >= 5 / 6
    model = clip3d.load(tmp_path / "model")
    assert sorted(model.card.towers) == ["cloud", "image", "text"]
    assert model.tower_card("image").config["prompts"] == 2
    assert all(check.passed for check in check_model(model))
    triplets = MemoryTriplets(6, seed=9)
    named = [model.classify(triplets.cloud(i), triplets.classes)[0].label for i in range(6)]
    assert sum(name == triplets.phrases(i)[0] for i, name in enumerate(named)) >= 5
    entry = model.card.data[-1]
    assert entry["teacher"]["weights"] == Model(teacher).card.weights_hash
    assert entry["protocol"]["n"] == 24
    assert [one["n"] for one in model.card.measured] == [6, 6, 6]


@pytest.mark.parametrize("unfrozen", [False, True])
def test_only_what_is_to_move_moves(teacher: Path, tmp_path: Path, unfrozen: bool) -> None:
    work = job(teacher, unfreeze_teacher=unfrozen)
    moving = {name for name, p in work.learner.named_parameters() if p.requires_grad and name.startswith("image.")}
    assert (moving == {"image.prompts.tokens"}) == (not unfrozen)
    before = {path.name: path.read_bytes() for path in teacher.iterdir()}
    run(teacher, tmp_path, unfreeze_teacher=unfrozen)
    assert {path.name: path.read_bytes() for path in teacher.iterdir()} == before
    own, trained = read_state(teacher / "image.safetensors"), result(tmp_path, "image")
    assert all(torch.equal(own[name], trained[name]) for name in own) == (not unfrozen)
    assert (teacher / "text.safetensors").read_bytes() == (tmp_path / "model" / "text.safetensors").read_bytes()


def test_without_its_prompts_the_image_tower_is_the_teachers(teacher: Path, tmp_path: Path) -> None:
    run(teacher, tmp_path)
    tower, pixels = clip3d.load(tmp_path / "model").tower("image"), torch.randn(2, 3, 32, 32)
    plain = Model(teacher).tower("image")(pixels)
    assert not torch.allclose(tower(pixels), plain)
    tower.remove_prompts()
    assert torch.equal(tower(pixels), plain)


@pytest.mark.parametrize("part", [0, 1])
def test_a_loss_moves_its_own_part_alone(teacher: Path, part: int) -> None:
    work = job(teacher)
    parts = work.parts()
    parts[part].loss_of(work.learner.train(), work.batches[part]).backward()
    touched = {name for name, p in work.learner.named_parameters() if p.grad is not None}
    assert touched
    assert all(parts[part].owns(name) for name in touched)
    assert (work.batches[part].points is None) == bool(part)


def test_a_learned_temperature_moves_where_clip_has_its_own(teacher: Path) -> None:
    work = job(teacher, scale=100.0)
    work.parts()[0].loss_of(work.learner.train(), work.batches[0]).backward()
    assert work.learner.log_scale.grad.abs() > 0
    with torch.no_grad():
        work.learner.log_scale += 1
    assert work.learner.scale.item() == pytest.approx(100)
    assert work.learner.log_scale.item() == pytest.approx(np.log(100))


def test_prompts_decay_and_a_cloud_towers_token_does_not(teacher: Path) -> None:
    work = job(teacher, visual=PartRecipe("sgd", weight_decay=1e-4), clouds=PartRecipe(weight_decay=0.05))
    clouds, prompts = work.parts()
    tokens = {"image.prompts.tokens": work.learner.image.prompts.tokens}
    assert [group["weight_decay"] for group in prompts.optimiser.over(tokens).param_groups] == [1e-4]
    token = {"clouds.cls_token": work.learner.clouds.cls_token}
    assert [group["weight_decay"] for group in clouds.optimiser.over(token).param_groups] == [0]


def test_positives_of_one_class_are_the_diagonal_where_all_classes_differ(teacher: Path) -> None:
    triplets = MemoryTriplets(3)
    losses = {}
    for positives in ("class", "diagonal"):
        work = job(teacher, triplets, positives=positives, batch=3)
        losses[positives] = work.parts()[0].loss_of(work.learner.eval(), work.batches[0]).item()
    assert losses["class"] == losses["diagonal"]
    alike = {}
    for positives in ("class", "diagonal"):
        work = job(teacher, positives=positives)
        alike[positives] = work.parts()[0].loss_of(work.learner.eval(), work.batches[0]).item()
    assert alike["class"] != alike["diagonal"]


def test_the_losses_are_those_of_the_paper(teacher: Path) -> None:
    work = job(teacher, positives="diagonal", temperature="fixed", scale=7.0)
    batch, learner = work.batches[0], work.learner.eval()

    def unit(rows: torch.Tensor) -> np.ndarray:
        vectors = rows.detach().double().numpy()
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def nce(a: np.ndarray, b: np.ndarray) -> float:
        total = 0.0
        for i in range(len(a)):
            total -= np.log(np.exp(7 * a[i] @ b[i]) / sum(np.exp(7 * a[i] @ b[j]) for j in range(len(b))))
        return total / len(a)

    clouds, images = unit(learner.clouds(batch.points, batch.colors)), unit(learner.image(batch.pixels))
    texts = unit(torch.from_numpy(Model(teacher).encode_texts(batch.texts)))
    expected = sum(0.5 * (nce(clouds, other) + nce(other, clouds)) for other in (images, texts))
    assert work.parts()[0].loss_of(learner, batch).item() == pytest.approx(expected, rel=1e-4)
    expected = 0.5 * (nce(images, texts) + nce(texts, images))
    assert work.parts()[1].loss_of(learner, batch).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_run_that_is_stopped_goes_on_to_the_same_weights(teacher: Path, tmp_path: Path, workers: int) -> None:
    class Stop(Exception):
        pass

    def stop(line: str) -> None:
        if line.startswith("step 6"):
            raise Stop

    changes = {"tower": {**torchrun_pretraining.TOWER, "skip": 0.2}, "average": 0.9, "workers": workers}
    run(teacher, tmp_path / "whole", **changes)
    with pytest.raises(Stop):
        run(teacher, tmp_path / "stopped", progress=stop, **changes)
    run(teacher, tmp_path / "stopped", **changes)
    assert same(result(tmp_path / "whole"), result(tmp_path / "stopped"))
    assert same(result(tmp_path / "whole", "image"), result(tmp_path / "stopped", "image"))


def test_two_processes_end_with_the_weights_of_one(teacher: Path, tmp_path: Path) -> None:
    command = [sys.executable, torchrun_pretraining.__file__, str(teacher), str(tmp_path / "two")]
    done = subprocess.run(command, env=os.environ.copy(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    run(teacher, tmp_path / "one", epochs=1)
    fresh = trained_state(job(teacher).learner)
    for tower, name in (("cloud", "project.weight"), ("image", "prompts.tokens")):
        alone, together = result(tmp_path / "one", tower), result(tmp_path / "two", tower)
        for key, tensor in alone.items():
            torch.testing.assert_close(together[key], tensor, atol=2e-5, rtol=1e-4, msg=key)
        prefix = {"cloud": "clouds.", "image": "image."}[tower]
        assert not torch.allclose(alone[name], fresh[prefix + name], atol=1e-4)


def test_frozen_vectors_are_made_once(teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    plain = Model.encode_images

    def counting(model: Model, images, **options):
        images = list(images)
        encoded.append(len(images))
        return plain(model, images, **options)

    monkeypatch.setattr(Model, "encode_images", counting)
    triplets = MemoryTriplets()
    run(teacher, tmp_path / "first", triplets, prompts=0)
    golden = 2  # of the finished model
    assert (sum(encoded), triplets.pictures_read) == (48 + golden, 48)
    run(teacher, tmp_path / "second", triplets, prompts=0, seed=1)
    assert sum(encoded) == 48 + 2 * golden
    assert clip3d.load(tmp_path / "first" / "model").tower_card("image").id == Model(teacher).tower_card("image").id


def test_a_cached_vector_is_the_towers_own(teacher: Path) -> None:
    work = job(teacher, prompts=0)
    assert work.pictures is not None
    batch = work.batches[0]
    found = work.pictures(batch.objects, batch.views).numpy()
    drawn = [work.triplets.picture(int(i), int(v)) for i, v in zip(batch.objects, batch.views, strict=True)]
    np.testing.assert_allclose(found, Model(teacher).encode_images(drawn), atol=1e-6)
    np.testing.assert_allclose(work.texts(batch.texts), Model(teacher).encode_texts(batch.texts), atol=1e-6)


def test_captions_that_no_longer_fit_into_memory_are_found_again(
    teacher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teacher_features, "MOST_TEXTS", 3)
    texts = FrozenTexts(Model(teacher), VectorCache())
    first = texts(["a chair", "a table"])
    both = texts(["a chair", "red room", "a thing"])
    assert torch.equal(both[0], first[0])
    assert set(texts.known) == {"a chair", "red room", "a thing"}


def test_text_alone_needs_no_picture(teacher: Path, tmp_path: Path) -> None:
    triplets = MemoryTriplets(views=0)
    with pytest.raises(DataError, match="no object has a picture"):
        run(teacher, tmp_path / "no", triplets)
    run(teacher, tmp_path, triplets, prompts=0, image_weight=0.0, held_out=0.25)
    assert triplets.pictures_read == 0
    assert (tmp_path / "model" / "card.json").is_file()


def test_validation_without_pictures_is_told_before_the_first_step(
    teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretraining, "open_joined", lambda sources, data: MemoryTriplets(views=0))
    with pytest.raises(DataError, match="the validation data: no object has a picture"):
        run(teacher, tmp_path / "out", validation=(TripletSource("library", "other"),))
    assert not (tmp_path / "out").exists()


def test_damaged_objects_are_told_once_and_replaced(teacher: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    told = run(teacher, tmp_path, MemoryTriplets(damaged=(2, 5)), progress=lines.append, epochs=4)
    assert told["damaged"] == 2
    assert sum("object 5: is damaged" in line for line in lines) == 1
    assert any("2 objects could not be read" in line for line in lines)
    work = job(teacher, MemoryTriplets(damaged=(2, 5)))
    shown = [work.batches[number] for number in range(0, 4, 2)]
    assert not {2, 5} & {int(i) for batch in shown for i in batch.objects}
    assert all(len(set(batch.objects.tolist())) == 6 for batch in shown)


def test_damaged_held_out_objects_are_told(teacher: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines: list[str] = []
    held_out = MemoryTriplets(8, damaged=(3,), seed=5)
    monkeypatch.setattr(pretraining, "open_joined", lambda sources, data: held_out)
    run(teacher, tmp_path, progress=lines.append, validation=(TripletSource("library", "other"),), epochs=1)
    assert sum("object 3: is damaged" in line and "held-out" in line for line in lines) == 1


def test_data_that_are_all_damaged_end_the_run(teacher: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="in a row cannot be read"):
        run(teacher, tmp_path, MemoryTriplets(damaged=tuple(range(24))))


def test_an_epoch_shows_each_object_once_and_views_change(teacher: Path) -> None:
    work = job(teacher)
    epochs = [[work.batches[e * 4 + number] for number in range(4)] for e in range(3)]
    for epoch in epochs:
        assert sorted(int(i) for batch in epoch for i in batch.objects) == list(range(24))
    views = [
        {int(i): int(v) for b in epoch for i, v in zip(b.objects, b.views, strict=True)} for epoch in epochs
    ]
    assert len({tuple(sorted(one.items())) for one in views}) == 3
    texts = [text for epoch in epochs for batch in epoch for text in batch.texts]
    assert len(set(texts)) > len(texts) / 2
    assert all(any(kind in text for kind in work.triplets.classes) for text in texts)


def test_processes_share_the_very_batch_of_one(teacher: Path) -> None:
    work = job(teacher)
    options = {"parts": 2, "prepare": work.batches.prepare, "processes": 2}
    halves = [Batches(work.triplets, work.recipe, work.batches.templates, place=i, **options) for i in range(2)]
    for number in (0, 5):
        whole, (one, other) = work.batches[number], [half[number] for half in halves]
        assert one.texts + other.texts == whole.texts
        assert torch.equal(torch.cat([one.objects, other.objects]), whole.objects)
        if whole.points is not None:
            assert torch.equal(torch.cat([one.points, other.points]), whole.points)
    with pytest.raises(DataError, match="do not divide"):
        Batches(work.triplets, work.recipe, ("a {}",), parts=2, prepare=None, processes=4)


def test_a_space_with_a_mean_is_centred_unless_told_otherwise(tmp_path: Path, teacher: Path) -> None:
    assert not job(teacher).mean.any()
    centred = write_teacher(tmp_path / "centred", mean="text")
    assert job(centred).mean.any()
    assert not job(centred, centred=False).mean.any()
    run(centred, tmp_path / "run")


def test_a_tower_without_prompts_is_refused_before_anything_is_written(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes no visual prompts"):
        run(bundle, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_of_any_image_tower_teaches_without_prompts(bundle: Path, tmp_path: Path) -> None:
    run(bundle, tmp_path, prompts=0, held_out=0.25)
    assert clip3d.load(tmp_path / "model").tower_card("image").architecture == "double-image"


def test_checkpoints_carry_recipe_data_and_versions(teacher: Path, tmp_path: Path) -> None:
    text = 'kind = "cg3d"'
    pretrain(recipe(teacher), tmp_path, data=tmp_path, progress=quiet, source=text, triplets=MemoryTriplets())
    facts = read_facts(tmp_path / "checkpoint.safetensors")
    assert facts["recipe"] == text
    assert json.loads(facts["data"])["data_sha256"] == "24 0"
    assert "torch" in json.loads(facts["environment"])
    assert (tmp_path / "learning_rate.svg").is_file()


def test_a_rehearsal_says_what_a_run_needs_and_writes_nothing(
    teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for prompts in (0, 2):
        given = recipe(teacher, prompts=prompts, epochs=7)
        told = rehearse(given, data=tmp_path, progress=quiet, triplets=MemoryTriplets())
        assert told["steps"] == 28
        assert told["memory, MiB"] > 50
        assert told["seconds for the run"] >= told["seconds an epoch"] > 0
        assert ("parameters of prompts" in told) == bool(prompts)
    assert told["parameters of prompts"] == 2 * 2 * 128
    assert [path.name for path in tmp_path.iterdir()] in ([], ["cache"])


def test_what_a_recipe_cannot_mean_is_refused(teacher: Path, tmp_path: Path) -> None:
    for changes in ({"positives": "all"}, {"batch": 1}, {"image_weight": 0.0, "text_weight": 0.0}, {"data": ()}):
        with pytest.raises(ShapeError):
            recipe(teacher, **changes)
    with pytest.raises(DataError, match="fewer than a batch"):
        run(teacher, tmp_path, batch=30)
    with pytest.raises(DataError, match="too few for its 2 parts"):
        run(teacher, tmp_path, epochs=1, accumulate=4)
    for changes in ({"log_every": 0}, {"average": 1.0}):
        with pytest.raises(ValueError, match="must be at least"):
            recipe(teacher, **changes)
    with pytest.raises(DataError, match="states the cloud tower"):
        run(teacher, tmp_path, tower={"widht": 3})
    with pytest.raises(DataError, match="for the caption"):
        run(teacher, tmp_path, templates=("a photo",))


def test_a_tower_goes_on_from_given_weights(teacher: Path, tmp_path: Path) -> None:
    run(teacher, tmp_path / "first")
    again = job(teacher)
    plain = replace(again.recipe, initial="first/model/cloud.safetensors")
    started = prepare(plain, tmp_path, quiet, triplets=MemoryTriplets()).learner.clouds.state_dict()
    assert same(dict(started), result(tmp_path / "first"))

"""Fine-tuning: clouds with classes become a model; what is chosen is chosen without the test clouds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_classifier import make_classifier, make_encoder, write_shapes
from torch import nn

import clip3d
from clip3d.data.labelled_clouds import LabelledClouds, read_labelled
from clip3d.errors import DataError, ModelError, ShapeError
from clip3d.models.checking import check_model
from clip3d.models.model import Model
from clip3d.models.weights import read_arrays
from clip3d.training import finetune as finetuning
from clip3d.training.finetune import choose_clouds, classifier_config, finetune, start_tower
from clip3d.training.finetune_recipe import FinetuneRecipe
from clip3d.training.labelled_batches import batches, draw, pool_clouds, rows_of
from clip3d.training.optimisers import Optimiser
from clip3d.training.parts import Run, Watch
from clip3d.training.recipe import read_recipe
from clip3d.training.schedules import Schedule

RECIPE = FinetuneRecipe(
    points=64,
    pool=72,
    batch=12,
    validation=0.25,
    watch=Watch("accuracy"),
    drop=0.1,
    optimiser=Optimiser(lr=5e-3, weight_decay=0.0),
    schedule=Schedule(warmup=3),
    run=Run(steps=12, average=0.8, checkpoint_every=5, validate_every=6, log_every=6),
)


def judge(scores: np.ndarray, labels: np.ndarray, classes: list[str]) -> dict[str, float]:
    right = scores.argmax(1) == labels
    return {"accuracy": float(right.mean()), "class_mean": float(right.mean())}


@pytest.fixture
def encoder(tmp_path: Path) -> Model:
    return make_encoder(tmp_path / "encoder", seed=7)


def read(tmp_path: Path, split: str, **options: object) -> LabelledClouds:
    return read_labelled(write_shapes(tmp_path / "shapes.npz", **options), split)  # type: ignore[arg-type]


def run(tmp_path: Path, encoder: Model, out: str, recipe: FinetuneRecipe = RECIPE, **options: object) -> dict:
    options = {"judge": judge, "progress": lambda line: None, **options}
    train = options.pop("train", None) or read(tmp_path, "train")
    return finetune(replace(recipe, model=str(encoder.folder)), train, tmp_path / out, **options)  # type: ignore[arg-type]


class TestRuns:
    def test_a_run_becomes_a_model_that_knows_its_classes(self, tmp_path: Path, encoder: Model):
        test = read(tmp_path, "test")
        longer = replace(RECIPE, votes=3, run=replace(RECIPE.run, steps=50))
        report = run(tmp_path, encoder, "tuned", longer, test=test)
        model = clip3d.load(tmp_path / "tuned")
        assert all(check.passed for check in check_model(model))
        assert model.card.labels == ("ball", "flat plate", "rod")
        assert report["test"]["accuracy"] > 0.9
        assert report["test"]["voted"]["votes"] == 3
        answers = [model.classify(cloud)[0].label for cloud in test.clouds()]
        right = [a == test.classes[i].replace("_", " ") for a, i in zip(answers, test.labels, strict=True)]
        assert np.mean(right) == pytest.approx(report["test"]["accuracy"])
        assert model.card.measured[0]["value"] == pytest.approx(report["test"]["accuracy"], abs=1e-4)
        assert json.loads((tmp_path / "tuned/run/result.json").read_text()) == json.loads(json.dumps(report))

    def test_a_killed_run_goes_on_to_the_weights_of_one_that_was_not(
        self, tmp_path: Path, encoder: Model, monkeypatch: pytest.MonkeyPatch
    ):
        run(tmp_path, encoder, "whole")
        calls = 0
        loss = nn.functional.cross_entropy

        def killing(*arguments: object, **options: object) -> torch.Tensor:
            nonlocal calls
            calls += 1
            if calls == 11:
                raise MemoryError
            return loss(*arguments, **options)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(finetuning.F, "cross_entropy", killing)
            with pytest.raises(MemoryError):
                run(tmp_path, encoder, "killed")
        assert not (tmp_path / "killed/card.json").exists()
        run(tmp_path, encoder, "killed")
        one, two = (read_arrays(tmp_path / name / "cloud.safetensors") for name in ("whole", "killed"))
        assert all(np.array_equal(one[name], two[name]) for name in one)

    def test_a_finished_run_is_told_again_and_another_is_refused(self, tmp_path: Path, encoder: Model):
        short = replace(RECIPE, run=replace(RECIPE.run, steps=2))
        first = run(tmp_path, encoder, "tuned", short)
        lines: list[str] = []
        again = run(tmp_path, encoder, "tuned", short, progress=lines.append)
        assert again == json.loads(json.dumps(first))
        assert "finished" in lines[0]
        with pytest.raises(DataError, match="other settings"):
            run(tmp_path, encoder, "tuned", replace(short, seed=1))

    def test_a_folder_of_something_else_is_left_alone(self, tmp_path: Path, encoder: Model):
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine/letter.txt").write_text("dear")
        with pytest.raises(DataError, match="something else"):
            run(tmp_path, encoder, "mine")

    def test_the_order_of_classes_in_the_data_changes_nothing(self, tmp_path: Path, encoder: Model):
        test = read(tmp_path, "test")
        report = run(tmp_path, encoder, "one", test=test)
        turned = read(tmp_path, "train", order=(2, 0, 1))
        assert turned.classes != test.classes
        other = run(tmp_path, encoder, "two", train=turned, test=test)
        one, two = (read_arrays(tmp_path / name / "cloud.safetensors") for name in ("one", "two"))
        assert all(np.array_equal(one[name], two[name]) for name in one)
        assert report["test"]["accuracy"] == other["test"]["accuracy"]

    def test_a_classifier_is_tuned_further(self, tmp_path: Path):
        base, _ = make_classifier(tmp_path / "classifier")
        run(tmp_path, base, "tuned", replace(RECIPE, run=replace(RECIPE.run, steps=2)))
        assert clip3d.load(tmp_path / "tuned").card.towers["cloud"].config["architecture"] == "set-abstraction"

    def test_near_duplicates_are_counted_apart(self, tmp_path: Path, encoder: Model):
        short = replace(RECIPE, run=replace(RECIPE.run, steps=2))
        test = read(tmp_path, "test")
        report = run(tmp_path, encoder, "tuned", short, test=test, near={test.names[0], test.names[5], "other"})
        assert report["test"]["n"] == 12
        assert report["test"]["without_near_duplicates"]["n"] == 10

    def test_a_test_class_that_was_not_learned_is_told_before_training(self, tmp_path: Path, encoder: Model):
        train = read(tmp_path, "train")
        few, test = train.select(np.flatnonzero(train.labels)), read(tmp_path, "test")
        with pytest.raises(DataError, match=r"'rod'.*ball, flat plate"):
            run(tmp_path, encoder, "t", train=few, test=test)
        assert not (tmp_path / "t").exists()

    def test_a_tower_without_a_feature_is_refused(self, tmp_path: Path, model: Model):
        with pytest.raises(ModelError, match=r"double-cloud.*set-abstraction"):
            run(tmp_path, model, "t")


class TestChoosing:
    def test_weights_are_chosen_without_a_look_at_the_test(
        self, tmp_path: Path, encoder: Model, monkeypatch: pytest.MonkeyPatch
    ):
        """The test is first prepared when all steps are done, and the best validation decides."""
        test, seen = read(tmp_path, "test"), []
        measure, prepare = finetuning.measure, finetuning.prepared
        monkeypatch.setattr(finetuning, "measure", lambda *a: seen.append("test") or measure(*a))
        monkeypatch.setattr(finetuning, "prepared", lambda data, *a: seen.append(data.split) or prepare(data, *a))
        numbers = iter([0.1, 0.9, 0.5, 0.4, 0.9, 0.9])

        def planned(scores: np.ndarray, labels: np.ndarray, classes: list[str]) -> dict[str, float]:
            seen.append(len(labels))
            return {"accuracy": next(numbers), "class_mean": 0.0}

        stopping = replace(RECIPE, run=replace(RECIPE.run, validate_every=2), watch=Watch("accuracy", 2))
        run(tmp_path, encoder, "tuned", stopping, judge=planned, test=test)
        # four validations: the second is the best, two worse ones end the run; then the best again, then the test
        assert seen == ["train", 9, 9, 9, 9, 9, "test", 12]

    def test_the_parts_are_stratified_and_disjoint(self, tmp_path: Path):
        train = read(tmp_path, "train", train=20)
        task = choose_clouds(replace(RECIPE, fraction=0.5, validation=0.2), train)
        assert np.bincount(task.targets[task.learned]).tolist() == [8, 8, 8]
        assert np.bincount(task.targets[task.held]).tolist() == [2, 2, 2]
        assert not set(task.learned) & set(task.held)

    def test_shots_take_so_many_of_each_and_hold_none_out(self, tmp_path: Path):
        task = choose_clouds(replace(RECIPE, shots=4), read(tmp_path, "train"))
        assert np.bincount(task.targets[task.learned]).tolist() == [4, 4, 4]
        assert len(task.held) == 0


class TestStarts:
    def test_scratch_and_pre_trained_share_the_head_and_nothing_else(self, encoder: Model):
        recipe = replace(RECIPE, model=str(encoder.folder))
        config = classifier_config(recipe, encoder, 3)
        given = start_tower(recipe, encoder, config).state_dict()
        random = start_tower(replace(recipe, from_scratch=True), encoder, config).state_dict()
        same = {name for name in given if torch.equal(given[name], random[name])}
        weights = {name for name in given if name.endswith("weight") and "norm" not in name}
        assert same & weights == {name for name in weights if name.startswith("head.")}
        own = encoder.tower("cloud").state_dict()
        assert all(torch.equal(given[f"backbone.{n}"], own[n]) for n in own if not n.startswith("head."))

    @pytest.mark.parametrize(
        ("architecture", "config"),
        [
            ("point-transformer", {"width": 12, "layers": 1, "heads": 2, "centers": 8, "neighbors": 4}),
            ("point-mlp", {"stem": 4, "channels": [4, 8], "anchors": [16, 8], "neighbors": 4, "head": [6]}),
        ],
    )
    def test_the_encoders_of_the_paper_begin_with_their_own_weights(
        self, tmp_path: Path, architecture: str, config: dict
    ):
        base = make_encoder(tmp_path / "paper", 7, architecture, config)
        config = classifier_config(replace(RECIPE, probe_first=False, hidden=(5,), norm=True), base, 3)
        tower = start_tower(RECIPE, base, config)
        own = base.tower("cloud").state_dict()
        assert all(torch.equal(tensor, own[name]) for name, tensor in tower.backbone.state_dict().items())
        short = replace(RECIPE, probe_first=False, hidden=(5,), norm=True, run=replace(RECIPE.run, steps=1))
        run(tmp_path, base, "tuned", short)
        assert len(clip3d.load(tmp_path / "tuned").classify(read(tmp_path, "test").cloud(0))) == 3

    def test_the_head_alone_leaves_weights_and_statistics_of_the_backbone(self, tmp_path: Path, encoder: Model):
        run(tmp_path, encoder, "head", replace(RECIPE, head_only=True))
        tuned, own = read_arrays(tmp_path / "head/cloud.safetensors"), encoder.tower("cloud").state_dict()
        shared = [name for name in own if not name.startswith("head.")]
        assert all(np.array_equal(tuned[f"backbone.{name}"], own[name].numpy()) for name in shared)

    def test_fixed_norms_keep_their_statistics_alone(self, tmp_path: Path, encoder: Model):
        run(tmp_path, encoder, "fixed", replace(RECIPE, fixed_norms=True))
        tuned, own = read_arrays(tmp_path / "fixed/cloud.safetensors"), encoder.tower("cloud").state_dict()
        shared = [name for name in own if not name.startswith("head.")]
        kept = {name for name in shared if np.array_equal(tuned[f"backbone.{name}"], own[name].numpy())}
        assert {n for n in own if "running" in n} <= kept
        assert "fine.mix.weight" not in kept


class TestBatches:
    def test_each_cloud_comes_once_an_epoch(self):
        rows = np.concatenate([rows_of(10, 4, 0, number) for number in range(5)])
        assert [sorted(rows[:10]), sorted(rows[10:])] == [list(range(10))] * 2
        assert not np.array_equal(rows[:10], rows[10:])
        assert np.bincount(rows_of(3, 32, 0, 0)).tolist() in ([11, 11, 10], [11, 10, 11], [10, 11, 11])

    def test_batches_from_a_later_step_are_those_of_the_whole_run(self, tmp_path: Path, encoder: Model):
        train = read(tmp_path, "train")
        pools = pool_clouds(train, np.arange(12), train.labels[:12], encoder.cloud_preparation(), 70)
        whole, later = batches(pools, RECIPE, 0), batches(pools, RECIPE, 2)
        second = [next(whole) for _ in range(3)][2]
        for one, two in zip(second, next(later), strict=True):
            torch.testing.assert_close(one, two, rtol=0, atol=0)

    def test_points_are_drawn_from_the_pool_and_small_clouds_are_filled(self):
        rng = np.random.default_rng(0)
        cloud = np.arange(30, dtype=np.float32).reshape(10, 3), np.full((10, 3), 0.5, np.float32)
        still = replace(RECIPE, points=6, pool=10, augmentation=replace(RECIPE.augmentation, turn=0.0))
        xyz, rgb = draw(cloud, still, still.augmentation, rng)
        assert xyz.shape == rgb.shape == (6, 3)
        assert len({tuple(row) for row in xyz}) == 6
        filled = draw(cloud, replace(still, points=64, pool=64), still.augmentation, rng)[0]
        assert filled.shape == (64, 3)

    def test_a_shorter_run_warms_up_for_the_same_share(self):
        paper = replace(RECIPE, epochs=300, schedule=Schedule(warmup=10))
        short = paper.lasting(steps=60)
        assert (short.epochs, short.run.steps, short.schedule.warmup) == (0, 60, 2)
        assert RECIPE.lasting(epochs=4).schedule.warmup == 1
        assert paper.lasting(epochs=30).schedule.warmup == 1
        assert replace(RECIPE, points=1024, pool=1200).seeing(2048).pool == 2400

    def test_epochs_become_steps(self):
        assert replace(RECIPE, epochs=300, batch=32).steps(9843) == 92279
        assert RECIPE.steps(9843) == 12


@pytest.mark.parametrize("wrong", [{"fraction": 0.0}, {"pool": 10}, {"validation": 1.0}, {"votes": 0}])
def test_numbers_out_of_range_are_refused(wrong: dict):
    with pytest.raises(ShapeError, match=next(iter(wrong))):
        replace(RECIPE, **wrong)


def test_a_head_on_random_weights_is_refused():
    with pytest.raises(ShapeError, match="learns nothing"):
        replace(RECIPE, head_only=True, from_scratch=True)


class TestRecipes:
    folder = Path(__file__).parents[2] / "recipes"

    def test_the_recipe_of_mini_is_the_default(self):
        assert read_recipe(self.folder / "finetune-mini.toml") == ("finetune", FinetuneRecipe())

    def test_the_recipes_of_the_paper_have_its_numbers(self):
        transformer = read_recipe(self.folder / "finetune-point-transformer.toml")[1]
        mlp = read_recipe(self.folder / "finetune-pointmlp.toml")[1]
        assert (transformer.optimiser.lr, transformer.optimiser.weight_decay) == (2e-4, 0.05)
        assert (mlp.optimiser.method, mlp.optimiser.lr, mlp.optimiser.nesterov) == ("sgd", 0.02, True)
        assert transformer.schedule.floor * transformer.optimiser.lr == pytest.approx(1e-6)
        assert mlp.schedule.floor * mlp.optimiser.lr == pytest.approx(5e-3)
        for recipe in (transformer, mlp):
            assert (recipe.points, recipe.pool, recipe.epochs, recipe.votes) == (1024, 1200, 300, 10)
            assert recipe.augmentation.shift == 0.2
            assert recipe.augmentation.turn == 0
            assert recipe.schedule.warmup == 10


def test_epochs_count_every_batch_of_a_step():
    recipe = FinetuneRecipe(epochs=3, batch=8, run=Run(steps=1, accumulate=2))
    assert recipe.steps(32) == 6
    assert replace(recipe, run=Run(steps=1)).steps(32) == 12


def test_random_weights_do_without_what_spares_learned_ones() -> None:
    spared = FinetuneRecipe()
    assert spared.settled() is spared
    assert spared.fixed_norms
    assert spared.optimiser.rates
    random = FinetuneRecipe(from_scratch=True).settled()
    assert (random.fixed_norms, random.optimiser.rates) == (False, None)
    kept = replace(random, optimiser=replace(random.optimiser, rates={"tower.head.": 0.1}))
    assert kept.settled().optimiser.rates == {"tower.head.": 0.1}

"""A copy of an image tower learns to see depth maps: the loss, what it is shown, and the model that comes of it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from converted_clip import converted_clip
from triplet_sets import write_library

import clip3d
from clip3d.data.drawing import Rendering, color_sides
from clip3d.data.triplet_sources import TripletSource, open_triplets
from clip3d.data.triplets import Joined
from clip3d.errors import CloudError, DataError, ShapeError
from clip3d.render.clip2point_depth import DIRECTIONS
from clip3d.render.splat import splat
from clip3d.training import depth_pairs
from clip3d.training.clip2point import Clip2PointRecipe, Student, showing, train_clip2point, train_student
from clip3d.training.depth_pairs import DepthPairs, known_sides
from clip3d.training.objectives import nt_xent
from clip3d.training.optimisers import Optimiser
from clip3d.training.parts import Run
from clip3d.training.recipe import read_recipe

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    write_library(folder / "things.npz", 10, held_out=2)
    converted_clip(folder)
    return folder


@pytest.fixture
def recipe(place):
    return Clip2PointRecipe(
        teacher=str(place / "clip"),
        data=(TripletSource("library", "things.npz"),),
        batch=4,
        epochs=2,
        optimiser=Optimiser("lamb", 1e-2, 1e-4, (0.9, 0.999), decay_all=True),
        run=Run(average=0, checkpoint_every=2, log_every=1),
    )


def pairs_of(recipe, place, triplets=None, sides=lambda key: (), progress=print):
    triplets = triplets or open_triplets(recipe.data[0], place)
    return DepthPairs(triplets, showing(recipe, clip3d.load(recipe.teacher), sides), progress)


def test_the_loss_is_the_published_one():
    torch.manual_seed(0)
    student = Student(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 6)))
    student.balance.data.fill_(1.7)
    depths, wanted = torch.randn(2, 5, 3, 2, 2), torch.randn(5, 6)
    first, second = student.image(depths[0]), student.image(depths[1])
    parts = [nt_xent((first + second) / 2, wanted, 0.07).item(), nt_xent(first, second, 0.07).item()]
    expected = parts[0] + parts[1] / 1.7**2 + math.log(2.7)
    assert student.loss(depths, wanted, 0.07).item() == pytest.approx(expected, rel=1e-5)


def test_a_step_sees_the_same_wherever_a_run_began(recipe, place):
    whole = list(pairs_of(recipe, place).from_step(0))
    assert len(whole) == 4  # two epochs of eight objects in batches of four
    for first in (1, 3):
        late = next(pairs_of(recipe, place).from_step(first))
        assert torch.equal(late.depths, whole[first].depths)
        assert torch.equal(late.pictures, whole[first].pictures)
    assert whole[0].depths.shape == (2, 4, 3, 32, 32)
    assert not torch.equal(whole[0].depths[0], whole[0].depths[1])  # seen from two distances


def test_the_picture_and_both_depth_maps_are_drawn_from_one_side_and_all_sides_come_up(recipe, place, monkeypatch):
    asked = []

    def noting(draw, views_of):
        def drawn(points, *args, **settings):
            asked.append(views_of(args, settings))
            return draw(points, *args, **settings)

        return drawn

    maps = noting(depth_pairs.disc_depth_maps, lambda args, settings: args[0][0])
    monkeypatch.setattr(depth_pairs, "disc_depth_maps", maps)
    monkeypatch.setattr(depth_pairs, "splat", noting(depth_pairs.splat, lambda args, settings: settings["view"]))
    pairs = pairs_of(recipe, place)
    for seed in range(40):
        pairs.draw(0, np.random.default_rng(seed))
    assert asked[::3] == asked[1::3] == asked[2::3]
    assert set(asked) == set(DIRECTIONS[10])


def test_the_student_learns_and_the_model_has_both_towers(recipe, place, tmp_path):
    lines = []
    result = train_clip2point(replace(recipe, epochs=12), tmp_path / "run", data=place, progress=lines.append)
    losses = [float(line.split("loss ")[1].split()[0]) for line in lines if line.startswith("step")]
    assert np.mean(losses[-6:]) < np.mean(losses[:6])
    assert (result["objects"], result["unreadable"]) == (8, 0)
    model, teacher = clip3d.load(tmp_path / "run" / "model"), clip3d.load(place / "clip")
    own, first = model.tower("image").state_dict(), teacher.tower("image").state_dict()
    assert all(torch.equal(own[name], first[name]) for name in first)
    assert any(not torch.equal(value, first[name]) for name, value in model.tower("cloud").state_dict().items())
    cloud = open_triplets(recipe.data[0], place).cloud(0)
    assert len(model.classify(cloud, ["chair", "table"])) == 2
    assert model.card.templates == ("image of a {}",)


def test_a_run_that_was_stopped_ends_with_the_same_weights(recipe, place, tmp_path):
    train_clip2point(recipe, tmp_path / "whole", data=place, progress=lambda line: None)

    class Stopped(Exception):
        pass

    def stop(line):
        if line.startswith("step 3"):
            raise Stopped

    with pytest.raises(Stopped):
        train_clip2point(recipe, tmp_path / "stopped", data=place, progress=stop)
    train_clip2point(recipe, tmp_path / "stopped", data=place, progress=lambda line: None)
    whole, stopped = (clip3d.load(tmp_path / n / "model").tower("cloud").state_dict() for n in ("whole", "stopped"))
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)


def test_pictures_rendered_before_are_shown_with_depth_maps_from_their_sides(recipe, place, run_cli, tmp_path):
    for name in ("things.npz", "more.npz"):
        (tmp_path / name).write_bytes((place / "things.npz").read_bytes())
    drawn = run_cli("data", "render", tmp_path / "more.npz", tmp_path / "renders", "--views", 3, "--size", 40)
    assert drawn.returncode == 0, drawn.stderr
    sources = [TripletSource("library", "things.npz"), TripletSource("library", "more.npz", pictures="renders")]
    joined = Joined([open_triplets(source, tmp_path) for source in sources])
    pairs = pairs_of(recipe, place, joined, known_sides(sources, tmp_path))
    rng = np.random.default_rng(0)
    depths, picture = pairs.draw(9, np.random.default_rng(0))
    number = int(rng.integers(3))
    np.testing.assert_array_equal(picture, pairs.how.picture(joined.picture(9, number)))
    side = color_sides(joined.parts[1].key(1), Rendering(views=3, size=40))[number]
    cloud = joined.cloud(9).z_up()
    again = splat(cloud.points, cloud.colors, cloud.normals, view=side, size=40)
    assert np.abs(again.astype(int) - joined.picture(9, number)).mean() < 3
    assert depths.shape == (2, 3, 32, 32)
    assert known_sides(sources[:1], tmp_path)("made/1") == ()
    with pytest.raises(DataError, match="does not say from which sides"):
        known_sides([TripletSource("library", "more.npz", pictures=".")], tmp_path)


class Damaged:
    """A set of which some objects cannot be read."""

    def __init__(self, whole, bad):
        self.whole, self.bad = whole, bad

    def __getattr__(self, name):
        return getattr(self.whole, name)

    def __len__(self):
        return len(self.whole)

    def cloud(self, index):
        if index in self.bad:
            raise CloudError(self.whole.key(index), "it is damaged")
        return self.whole.cloud(index)


def test_an_object_that_cannot_be_read_is_told_once_and_another_takes_its_place(recipe, place, tmp_path):
    triplets, lines = open_triplets(recipe.data[0], place), []
    damaged = Damaged(triplets, {2, 5})
    teacher = clip3d.load(recipe.teacher)
    result = train_student(recipe, damaged, teacher, tmp_path / "run", progress=lines.append)
    assert result["unreadable"] == 2
    assert sum("left out" in line for line in lines) == 2
    pairs = pairs_of(recipe, place, triplets=damaged)
    assert all(drawn.pictures.shape[0] == 4 for drawn in pairs.from_step(0))
    with pytest.raises(DataError, match="only 3 objects can be read"):
        next(pairs_of(recipe, place, triplets=Damaged(triplets, set(range(5)))).from_step(0))


def test_what_cannot_be_is_refused(recipe, place, tmp_path):
    with pytest.raises(DataError, match="names no data"):
        train_clip2point(replace(recipe, data=()), tmp_path / "run", data=place, progress=print)
    for wrong in ({"views": 4}, {"batch": 1}, {"jitter": 1.0}, {"temperature": 0.0}, {"epochs": 0}):
        with pytest.raises(ShapeError, match="is out of range"):
            replace(recipe, **wrong)


def test_the_recipe_states_the_published_numbers():
    kind, recipe = read_recipe(RECIPES / "clip2point.toml")
    assert kind == "clip2point"
    assert (recipe.batch, recipe.epochs, recipe.points, recipe.jitter) == (256, 100, 1024, 0.1)
    assert (recipe.optimiser.method, recipe.optimiser.lr, recipe.optimiser.weight_decay) == ("lamb", 6e-3, 1e-4)
    assert recipe.schedule.period == 2
    assert recipe.schedule.floor * recipe.optimiser.lr == pytest.approx(1e-5, rel=1e-3)


def test_batches_are_not_accumulated():
    with pytest.raises(ShapeError, match="make the batch larger"):
        Clip2PointRecipe(run=Run(accumulate=2))

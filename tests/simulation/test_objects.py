from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from clip3d.clouds.mesh import sample_surface
from clip3d.errors import ShapeError
from clip3d.simulation import FAMILIES, generate, make

SEEDS = range(4)
LYING_FLAT = 0.02


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_makes_sound_coloured_objects_with_words(family):
    made = [make(family, seed) for seed in SEEDS]
    for thing in made:
        faces = sum(len(mesh.faces) for mesh in thing.meshes)
        points = np.concatenate([mesh.vertices for mesh in thing.meshes])
        extent = np.ptp(points, axis=0)
        assert 8 <= faces <= 20_000
        assert extent.max() < 200
        assert points[:, 2].min() == pytest.approx(0, abs=1e-4), "it stands on the ground"
        assert sorted(extent)[1] > LYING_FLAT * extent.max(), "a thing is more than a line"
        for mesh in thing.meshes:
            assert mesh.face_colors is not None
            assert mesh.face_colors.min() >= 0
            assert mesh.face_colors.max() <= 1
            assert _areas(mesh).max() > 0
            assert (_areas(mesh) > 0).mean() > 0.95
        assert family in thing.captions
        assert all(caption.strip() == caption != "" for caption in thing.captions)
        assert len(set(thing.captions)) == len(thing.captions)
    assert len({mesh.vertices.tobytes() for thing in made for mesh in thing.meshes}) == len(SEEDS)


def _areas(mesh):
    a, b, c = mesh.corners().transpose(1, 0, 2)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1)


@pytest.mark.parametrize("family", ["chair", "sofa", "toilet"])
def test_equal_seeds_make_equal_objects(family):
    first, second = make(family, 7), make(family, 7)
    assert np.array_equal(first.meshes[0].vertices, second.meshes[0].vertices)
    assert np.array_equal(first.meshes[0].face_colors, second.meshes[0].face_colors)
    assert first.captions == second.captions


def test_the_same_seed_means_different_chance_in_different_families():
    assert not np.array_equal(
        make("chair", 0).meshes[0].face_colors[:1], make("table", 0).meshes[0].face_colors[:1]
    )


def _heights(family: str, seed: int) -> np.ndarray:
    z = sample_surface(make(family, seed).meshes, 2000, seed=seed).points[:, 2]
    return (z - z.min()) / np.ptp(z)


def test_z_is_up_tables_carry_their_area_on_top_and_beds_low():
    tables = np.mean([(_heights("table", seed) > 0.8).mean() for seed in range(20)])
    assert tables > 0.4
    assert np.mean([(_heights("bed", seed) < 0.6).mean() for seed in range(20)]) > 0.6


def test_x_is_forward_backs_of_seats_are_behind():
    for family in ("chair", "sofa", "toilet"):
        behind = 0
        for seed in range(20):
            points = sample_surface(make(family, seed).meshes, 2000, seed=seed).points
            high = points[:, 2] > np.quantile(points[:, 2], 0.9)
            behind += points[high, 0].mean() < points[:, 0].mean()
        assert behind >= 18


def test_members_of_a_family_differ_in_build_and_not_in_scale_alone():
    for family in ("chair", "sofa", "bed", "table", "desk", "dresser", "bathtub", "toilet", "night stand"):
        counts = {len(make(family, seed).meshes[0].faces) for seed in range(30)}
        assert len(counts) >= 8, family


def test_makers_of_several_kinds_keep_to_the_kind_that_the_family_names():
    for seed in range(10):
        assert "swan" not in make("duck", seed).captions
        assert "lobster" not in make("crab", seed).captions
        assert "violin" not in make("cello", seed).captions
        assert not {"croissant", "pretzel", "doughnut"} & set(make("bread", seed).captions)


def test_captions_name_what_was_drawn_before_the_plain_noun():
    named = [make("table", seed).captions for seed in range(20)]
    assert all(captions.index("table") > 0 for captions in named)
    assert len({captions[0] for captions in named}) >= 5


def test_generate_takes_turns_and_seeds_do_not_overlap():
    first = list(generate(["chair", "bed"], per_family=2, seed=0))
    assert [thing.family for thing in first] == ["chair", "bed", "chair", "bed"]
    other = next(generate(["chair"], per_family=1, seed=1))
    assert not any(np.array_equal(other.meshes[0].vertices, thing.meshes[0].vertices) for thing in first)
    assert len({thing.family for thing in islice(generate(per_family=1), len(FAMILIES))}) == len(FAMILIES)


def test_an_unknown_family_is_refused_with_the_nearest_name():
    with pytest.raises(ShapeError, match="'chair'"):
        make("chiar", 0)

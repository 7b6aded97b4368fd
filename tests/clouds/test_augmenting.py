import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clip3d.clouds import augmenting
from clip3d.clouds.augmenting import Augmentation
from clip3d.errors import ShapeError


def rng(seed=0):
    return np.random.default_rng(seed)


def sphere(p, seed=0):
    points = rng(seed).normal(size=(p, 3))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(("axis", "moved", "to"), [("z", "x", "y"), ("x", "y", "z"), ("y", "z", "x")])
def test_convention_rotations_are_right_handed(axis, moved, to):
    basis = dict(zip("xyz", np.eye(3), strict=True))
    rotation = augmenting.rotation_about(axis, np.pi / 2)
    np.testing.assert_allclose(rotation @ basis[moved], basis[to], atol=1e-12)
    np.testing.assert_allclose(augmenting.rotate(basis[moved][None], rotation)[0], basis[to], atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_every_random_rotation_is_proper(seed):
    for rotation in (
        augmenting.random_rotation(rng(seed)),
        augmenting.small_rotation(rng(seed)),
        augmenting.random_tilt(rng(seed), 30),
    ):
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(np.linalg.det(rotation), 1)


def test_random_rotations_are_even_over_all_rotations():
    generator = rng()
    rotations = np.stack([augmenting.random_rotation(generator) for _ in range(4000)])
    np.testing.assert_allclose(rotations.mean(axis=0), 0, atol=0.05)
    # The angle of an evenly drawn rotation has density (1 - cos a) / pi, so that its cosine has mean -1/2.
    np.testing.assert_allclose((np.trace(rotations, axis1=1, axis2=2) / 2 - 0.5).mean(), -0.5, atol=0.05)


def test_a_tilt_leans_the_vertical_by_no_more_than_asked():
    generator = rng()
    leans = [np.degrees(np.arccos(augmenting.random_tilt(generator, 20)[2, 2])) for _ in range(500)]
    assert 15 < max(leans) <= 20
    assert min(leans) < 3


def test_movements_stay_within_their_limits():
    points = sphere(2000)
    noise = augmenting.jitter(points, rng(), 0.05, 0.06) - points
    assert np.abs(noise).max() <= 0.06 + 1e-6
    assert 0.035 < noise.std() < 0.05
    factors = augmenting.scale_axes(points, rng(), 0.5, 2) / points
    np.testing.assert_allclose(factors, np.broadcast_to(factors[0], factors.shape), rtol=1e-4)
    assert ((factors > 0.5) & (factors < 2)).all()
    steps = augmenting.shift(points, rng(), 0.2) - points
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=1e-6)
    np.testing.assert_array_equal(augmenting.mirror(points), points * [-1, 1, 1])


def test_dropout_removes_the_fraction_and_never_everything():
    assert len(augmenting.dropout(200, 0.25, rng())) == 150
    assert 900 < len(augmenting.dropout(1000, 0.1, rng(), replace=True)) < 920
    assert len(augmenting.dropout(5, 1.0, rng())) == 1


def test_outliers_are_few_and_near_and_leave_the_input_alone():
    points = sphere(1000)
    before = points.copy()
    moved = augmenting.throw_outliers(points, 0.05, rng())
    np.testing.assert_array_equal(points, before)
    assert (moved != points).any(axis=1).sum() == 50
    assert np.abs(moved).max() <= 1.21


@pytest.mark.parametrize("direction", [[0, 0, 1], [1, 2, -1], [-5, 0, 0]])
def test_only_the_near_side_of_a_sphere_is_visible(direction):
    points = sphere(2000)
    visible = augmenting.visible_from(points, np.array(direction), distance=3)
    # The eye at three radii sees what is above the plane at a third of the radius.
    near = points @ (np.array(direction) / np.linalg.norm(direction)) > 1 / 3
    assert near[visible].mean() > 0.85
    assert np.isin(np.flatnonzero(near), visible).mean() > 0.95


def test_a_wall_hides_what_stands_behind_it():
    side = np.linspace(-1, 1, 30)
    wall = np.stack([*np.meshgrid(side, side), np.zeros((30, 30))], axis=-1).reshape(-1, 3)
    behind = wall[::7] * 0.5 - [0, 0, 0.5]
    visible = augmenting.visible_from(np.concatenate([wall, behind]), np.array([0, 0, 1.0]))
    assert (visible < len(wall)).mean() > 0.97


@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.zeros((20, 3)), np.arange(60.0).reshape(20, 3)])
def test_views_of_degenerate_clouds_keep_every_point(points):
    np.testing.assert_array_equal(augmenting.visible_from(points, np.array([1, 0, 0])), np.arange(len(points)))


def test_an_eye_inside_the_cloud_is_refused():
    with pytest.raises(ShapeError, match="outside"):
        augmenting.visible_from(sphere(10), np.array([1, 0, 0]), distance=0.5)


def test_a_partial_view_keeps_at_most_the_fraction_nearest_to_the_eye():
    points = sphere(1000)
    kept = augmenting.partial_view(points, rng(), most=0.2)
    assert len(kept) == 200
    toward = rng().normal(size=3)
    dropped = np.setdiff1d(augmenting.visible_from(points, toward), kept)
    centred = points - points.mean(axis=0)
    eye = augmenting.EYE * np.linalg.norm(centred, axis=1).max() * toward / np.linalg.norm(toward)
    away = np.linalg.norm(centred - eye, axis=1)
    assert away[kept].max() < away[dropped].min() + 1e-6


def test_colors_stay_in_range_and_change_together():
    colors = rng().random((500, 3)).astype(np.float32)
    changed = augmenting.jitter_colors(colors, rng(), 0.4)
    assert changed.min() >= 0
    assert changed.max() <= 1
    np.testing.assert_allclose(augmenting.jitter_colors(colors, rng(), 0.0), colors, atol=1e-6)
    filled = Augmentation(drop_colors=1, color_fill=0.5)(sphere(500), colors, rng())[1]
    assert (filled == 0.5).all()


def test_colors_stay_with_their_points():
    points = sphere(800)
    chain = Augmentation(partial=1, dropout=1, turn=0)
    moved, colors = chain(points, points * 0.5 + 0.5, rng())
    np.testing.assert_allclose(moved * 0.5 + 0.5, colors, atol=1e-5)
    assert 1 <= len(moved) < 500


def test_the_default_chain_only_turns_about_the_vertical():
    points = sphere(300)
    moved, colors = Augmentation()(points, None, rng())
    assert colors is None
    np.testing.assert_allclose(moved[:, 2], points[:, 2], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    assert np.abs(moved - points).max() > 0.05


FULL = Augmentation(
    partial=0.5, dropout=0.5, outliers=0.5, mirror=0.5, scale=(0.8, 1.2), tilt=0.5, tumble=0.2, shift=0.1,
    jitter=0.5, drop_colors=0.3, color_jitter=0.2,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60))
def test_any_chain_is_repeatable_finite_and_leaves_its_input_alone(seed, p):
    points, colors = sphere(p, seed), rng(seed).random((p, 3)).astype(np.float32)
    before = points.copy(), colors.copy()
    first, second = (FULL(points, colors, rng(seed)) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == np.float32
        assert np.isfinite(a).all()
    assert 1 <= len(first[0]) == len(first[1]) <= p
    np.testing.assert_array_equal(points, before[0])
    np.testing.assert_array_equal(colors, before[1])


@pytest.mark.parametrize("up", ["y", "z"])
def test_cg3d_without_its_random_steps_scales_and_shifts_upright(up):
    points = sphere(300)
    for seed in range(5):
        moved = augmenting.augment_cg3d(points, 300, rng(seed), up=up, probability=0)
        factor = np.ptp(moved, axis=0) / np.ptp(points, axis=0)
        assert ((factor > 2 / 3 - 1e-4) & (factor < 3 / 2 + 1e-4)).all()
        assert (np.abs(moved - points * factor) < 0.2 + 1e-4).all()


def test_cg3d_gives_the_number_of_points_asked_for_and_makes_no_heap_at_the_origin():
    for seed in range(20):
        moved = augmenting.augment_cg3d(sphere(500), 400, rng(seed), up="y", probability=1)
        assert moved.shape == (400, 3)
        assert moved.dtype == np.float32
        assert len(np.unique(moved, axis=0)) >= 399

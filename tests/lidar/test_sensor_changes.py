"""Changes to frusta such as other sensors bring."""

import numpy as np
import pytest

from clip3d.lidar.augmenting import SensorChange, beams_of, mirrored

NOTHING = dict.fromkeys(
    ("beams", "dropout", "range_noise", "remap", "dark", "turn", "tilt", "shift", "height"), 0.0
)
RNG = np.random.default_rng


@pytest.fixture
def points() -> np.ndarray:
    xyz = RNG(0).uniform([1, -10, -2], [40, 10, 3], (800, 3))
    return np.concatenate([xyz, RNG(1).uniform(0, 1, (800, 1))], 1).astype(np.float32)


RINGS = np.arange(800) % 32


def test_no_change_leaves_points_as_they_are(points):
    changed, kept = SensorChange(**NOTHING)(points, RINGS, RNG(0))
    np.testing.assert_array_equal(changed, points)
    np.testing.assert_array_equal(kept, np.arange(800))


def test_the_seed_decides_everything(points):
    change = SensorChange()
    one, other = (change(points, RINGS, RNG(5)) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_dropped_beams_are_dropped_whole_and_not_too_many(points):
    change = SensorChange(**{**NOTHING, "beams": 1.0, "fewest_beams": 0.3})
    shares = []
    for seed in range(30):
        _, kept = change(points, RINGS, RNG(seed))
        left = np.bincount(RINGS[kept], minlength=32)
        assert set(left.tolist()) <= {0, 25}
        shares.append((left > 0).mean())
    assert min(shares) > 0.05
    assert max(shares) <= 1
    assert np.mean(shares) < 0.9


def test_noise_moves_points_along_their_rays_alone(points):
    changed, _ = SensorChange(**{**NOTHING, "range_noise": 0.1})(points, RINGS, RNG(3))
    before, after = points[:, :3], changed[:, :3]
    np.testing.assert_allclose(np.cross(before, after), 0, atol=1e-3)
    far = np.abs(np.linalg.norm(after, axis=1) - np.linalg.norm(before, axis=1))
    assert 0 < far.std() < 0.1


def test_turns_tilts_and_shifts_keep_distances_between_points(points):
    change = SensorChange(**{**NOTHING, "turn": 10.0, "tilt": 3.0, "shift": 2.0, "height": 1.0})
    changed, _ = change(points, RINGS, RNG(2))
    assert np.abs(changed - points).max() > 0.5
    apart = [np.linalg.norm(p[:100, None, :3] - p[None, :100, :3], axis=-1) for p in (points, changed)]
    np.testing.assert_allclose(*apart, atol=1e-3)


def test_intensity_stays_in_range_and_may_be_gone(points):
    dark, _ = SensorChange(**{**NOTHING, "dark": 1.0})(points, RINGS, RNG(0))
    assert (dark[:, 3] == 0).all()
    bent, _ = SensorChange(**{**NOTHING, "remap": 1.0})(points, RINGS, RNG(0))
    assert 0 <= bent[:, 3].min() < bent[:, 3].max() <= 1
    order = np.argsort(points[:, 3])
    assert (np.diff(bent[order, 3]) >= 0).all()


def test_mirroring_twice_gives_the_points_back(points):
    np.testing.assert_array_equal(mirrored(mirrored(points)), points)
    np.testing.assert_array_equal(mirrored(points)[:, 1], -points[:, 1])


def test_beams_are_bins_of_elevation(points):
    beams = beams_of(points[:, :3], 8)
    elevation = np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1]))
    assert np.bincount(beams).tolist() == [100] * 8
    assert (np.diff(beams[np.argsort(elevation)]) >= 0).all()
    assert beams_of(np.zeros((0, 3))).shape == (0,)


@pytest.mark.parametrize("wrong", [{"beams": 1.5}, {"dark": -0.1}, {"turn": -1.0}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SensorChange(**wrong)


def test_an_empty_frustum_stays_empty():
    changed, kept = SensorChange()(np.zeros((0, 4), np.float32), np.zeros(0, int), RNG(0))
    assert changed.shape == (0, 4)
    assert not len(kept)

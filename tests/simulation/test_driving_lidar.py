"""A lidar in a street of a few triangles, where every answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.simulation.driving.lidar_layouts import LIDARS, Lidar, lidar_named
from clip3d.simulation.driving.lidar_sensor import scan
from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.snapshot import MATERIAL, Conditions, Snapshot, Thing

WALL_AT = 10.0
POSE = np.eye(4)
POSE[2, 3] = 1.8


def wall(x: float, material: str, half: float = 40.0, color: float = 0.5) -> Snapshot:
    """A wall across x, seen from the origin, that belongs to a thing."""
    a, b, c, d = (x, -half, -5), (x, half, -5), (x, half, 30), (x, -half, 30)
    return Snapshot(
        corners=np.array([(a, b, c), (a, c, d)], np.float32),
        colors=np.full((2, 3), color, np.float32),
        materials=np.full(2, MATERIAL[material], np.uint8),
        owners=np.zeros(2, np.int32),
        things=(Thing("wall", ("wall",), np.array([x, 0, 12.5]), (0.1, 2 * half, 35.0), 0.0, "w"),),
        world_from_vehicle=np.eye(4),
    )


def scanned(snapshot: Snapshot, lidar: Lidar, seed: int = 0):
    return scan(snapshot, RayCaster(snapshot.corners), lidar, POSE, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("name", "rings", "lowest", "highest"),
    [
        ("vlp-16", 16, -15, 15),
        ("hdl-32e", 32, -30.67, 10.67),
        ("pandar40p", 40, -25, 15),
        ("generic-48", 48, -25, 7),
        ("hdl-64e", 64, -24.33, 2),
        ("pandar64", 64, -25, 15),
    ],
)
def test_layouts_have_the_beams_of_their_sensors(name: str, rings: int, lowest: float, highest: float):
    directions, ring = lidar_named(name).directions()
    elevation = np.degrees(np.arcsin(directions[:, 2]))
    assert len(np.unique(ring)) == rings
    assert elevation.min() == pytest.approx(lowest, abs=0.01)
    assert elevation.max() == pytest.approx(highest, abs=0.01)
    assert np.allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-6)
    assert (np.diff([elevation[ring == r].mean() for r in range(rings)]) > 0).all()


def test_an_unknown_sensor_names_those_there_are():
    with pytest.raises(ShapeError, match="vlp-16"):
        lidar_named("vlp-17")


@pytest.mark.parametrize("name", sorted(LIDARS))
def test_points_lie_on_a_wall_within_the_noise_of_the_range(name: str):
    lidar = lidar_named(name)
    found = scanned(wall(WALL_AT, "plaster", half=12), lidar)
    points = found.sweep.points
    assert len(points) > 1000
    cosine = points[:, 0] / np.linalg.norm(points, axis=1)
    off = (points[:, 0] - WALL_AT) / cosine  # along the ray
    assert abs(off.mean()) < 0.002
    assert off.std() == pytest.approx(lidar.noise, rel=0.1)
    assert (found.owners == 0).all()


def test_every_beam_that_meets_a_near_wall_comes_back():
    found = scanned(wall(WALL_AT, "plaster", half=5), lidar_named("pandar40p"))
    directions, _ = lidar_named("pandar40p").directions()
    at = directions * (WALL_AT / np.where(directions[:, 0] > 0.1, directions[:, 0], np.nan))[:, None]
    expected = (np.abs(at[:, 1]) < 5).sum()
    assert len(found.sweep) == pytest.approx(expected, rel=0.02)


def test_materials_differ_in_what_comes_back():
    def mean(material: str, color: float = 0.5) -> float:
        return float(
            scanned(wall(WALL_AT, material, half=4, color=color), lidar_named("vlp-16")).sweep.intensity.mean()
        )

    assert mean("asphalt") < mean("concrete") < mean("plaster") < mean("retroreflector")
    assert mean("retroreflector") > 0.95
    assert mean("car paint", 0.05) < 0.5 * mean("car paint", 0.9)


def test_dark_surfaces_are_lost_first_with_range():
    lidar = lidar_named("vlp-16")

    def share(material: str, away: float) -> float:
        size = away / 5
        return len(scanned(wall(away, material, half=size), lidar).sweep) / len(
            scanned(wall(WALL_AT, "plaster", half=WALL_AT / 5), lidar).sweep
        )

    assert share("rubber", 60) < 0.35
    assert share("plaster", 60) > 0.6  # five of sixteen beams meet the near wall alone
    assert len(scanned(wall(lidar.farthest + 1, "retroreflector"), lidar).sweep) == 0


def test_most_light_goes_through_glass():
    pane, behind = wall(8.0, "glass", half=4), wall(12.0, "plaster", half=40)
    both = Snapshot(
        corners=np.concatenate([pane.corners, behind.corners]),
        colors=np.concatenate([pane.colors, behind.colors]),
        materials=np.concatenate([pane.materials, behind.materials]),
        owners=np.array([0, 0, 1, 1], np.int32),
        things=(*pane.things, *behind.things),
        world_from_vehicle=np.eye(4),
    )
    found = scanned(both, lidar_named("hdl-32e"))
    inside = np.abs(found.sweep.points[:, 1] / found.sweep.points[:, 0]) < 0.4
    through = (found.owners[inside] == 1).mean()
    assert 0.75 < through < 0.99
    off = np.abs(found.sweep.points[inside & (found.owners == 1), 0] - 12)
    assert np.quantile(off, 0.98) < 0.2  # a few beams mix what they meet on the pane and behind it


def test_fog_hides_what_is_far_and_shines_back_near():
    clear = wall(40.0, "plaster")
    fog = Snapshot(**{**vars(clear), "conditions": Conditions(weather="foggy", visibility=60.0)})
    found, without = scanned(fog, lidar_named("hdl-32e")), scanned(clear, lidar_named("hdl-32e"))
    assert (found.owners == 0).sum() < 0.5 * (without.owners == 0).sum()
    mist = found.sweep.points[found.owners == -2]
    assert len(mist) > 100
    assert np.median(np.linalg.norm(mist, axis=1)) < 8


def test_equal_seeds_give_equal_sweeps_and_others_do_not():
    one, same, other = (scanned(wall(WALL_AT, "brick"), lidar_named("vlp-16"), seed).sweep for seed in (1, 1, 2))
    assert np.array_equal(one.points, same.points)
    assert np.array_equal(one.intensity, same.intensity)
    assert not np.array_equal(one.points[:100], other.points[:100])


def test_nothing_in_view_is_an_empty_sweep():
    empty = Snapshot(
        np.zeros((0, 3, 3), np.float32),
        np.zeros((0, 3), np.float32),
        np.zeros(0, np.uint8),
        np.zeros(0, np.int32),
        (),
        np.eye(4),
    )
    assert len(scanned(empty, lidar_named("vlp-16")).sweep) == 0

"""Furnished rooms: what is drawn, and what scanners see of it."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.simulation.interiors.depth_camera import NOISE, intrinsics, look, scan_by_camera, walk
from clip3d.simulation.interiors.drawing import draw_room
from clip3d.simulation.interiors.footprints import Footprint, top_of
from clip3d.simulation.interiors.furnishings import KINDS, ROOM_CLASSES, furnishing
from clip3d.simulation.interiors.lighting import draw_light
from clip3d.simulation.interiors.room import Room
from clip3d.simulation.interiors.scan import NOBODY, fuse, mixed
from clip3d.simulation.interiors.stations import BELOW, scan_by_stations
from clip3d.simulation.interiors.uses import USES


@pytest.fixture(scope="module")
def room() -> Room:
    return draw_room(3, use="bedroom")


@pytest.mark.parametrize("use", USES)
def test_each_use_gives_a_room_with_walls_a_door_and_things_inside(use):
    room = draw_room([1, 2], use=use)
    labels = [thing.label for thing in room.things]
    assert {"wall", "floor", "ceiling", "door"} <= set(labels) <= set(ROOM_CLASSES)
    assert len(labels) > 10
    low, high = room.outline.min(0) - 0.75, room.outline.max(0) + 0.75  # doors may swing out
    corners = room.solid.corners.reshape(-1, 3)
    assert (corners[:, :2] > low).all()
    assert (corners[:, :2] < high).all()
    assert -0.05 < corners[:, 2].min() <= corners[:, 2].max() < room.height + 0.01


def test_equal_seeds_give_equal_rooms_and_others_do_not():
    a, b, c = draw_room(7), draw_room(7), draw_room(8)
    assert np.array_equal(a.solid.corners, b.solid.corners)
    assert a.things == b.things
    assert a.things != c.things


def test_a_use_that_is_none_is_told():
    with pytest.raises(ShapeError, match="rooms have no use 'attic'"):
        draw_room(0, use="attic")


def test_a_thing_lies_in_its_box(room):
    for number, thing in enumerate(room.things):
        corners = room.solid.corners[room.owners == number].reshape(-1, 3) - thing.center
        c, s = np.cos(-thing.yaw), np.sin(-thing.yaw)
        own = corners @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
        assert (np.abs(own) <= np.array(thing.size) / 2 + 0.01).all(), thing


def test_training_never_shows_a_variety_that_is_held_out():
    for name, kind in KINDS.items():
        if kind.held_out:
            assert not {furnishing(name, "train", n).words[0] for n in range(12)} & set(kind.held_out), name


def test_held_out_things_are_other_things():
    trained = furnishing("sofa", "train", 3)
    assert trained is furnishing("sofa", "train", 3)
    held_out = furnishing("sofa", "held-out", 3)
    assert not np.array_equal(trained.solid.corners[:50], held_out.solid.corners[:50])


def test_sizes_are_those_of_such_things():
    for name, kind in KINDS.items():
        if kind.low is None or kind.high is None:
            continue
        size = np.array(furnishing(name, "train", 1).size)
        assert (size > np.array(kind.low) - 1e-3).all(), name
        assert (size < np.array(kind.high) + 1e-3).all(), name


def test_footprints_meet_where_they_overlap():
    square = Footprint(np.zeros(2), np.array([0.5, 0.5]), 0.0, 0.0, 1.0)
    assert square.meets(Footprint(np.array([0.9, 0.0]), np.array([0.5, 0.5]), 0.3, 0.5, 2.0))
    assert not square.meets(Footprint(np.array([0.9, 0.0]), np.array([0.5, 0.5]), 0.3, 1.0, 2.0))
    assert not square.meets(Footprint(np.array([1.3, 0.0]), np.array([0.5, 0.5]), 0.0))
    # A turned square's corner reaches farther than its side, but not beyond where its axis says.
    assert square.meets(Footprint(np.array([1.15, 0.0]), np.array([0.5, 0.5]), np.pi / 4))
    assert not square.meets(Footprint(np.array([1.25, 0.0]), np.array([0.5, 0.5]), np.pi / 4))


def test_the_top_of_a_table_is_found_and_the_floor_beside_it_is_not():
    table = furnishing("dining table", "train", 2)
    heights = top_of(table.solid, np.array([[0.0, 0.0], [5.0, 5.0]]), below=1.5)
    assert heights[0] == pytest.approx(table.size[2], abs=0.05)
    assert heights[1] == -np.inf


def test_a_view_measures_depth_with_noise_that_grows(room):
    rng = np.random.default_rng(0)
    pose = walk(room, 4, rng)[1]
    view = look(room, pose, (80, 60), rng)
    assert view.depth.shape == view.instances.shape == (60, 80)
    there = view.depth.ravel() > 0
    assert there.mean() > 0.3
    error = np.linalg.norm(view.points - view.true_points, axis=1)
    on_surface = there & (view.instances.ravel() != NOBODY)
    depth = view.depth.ravel()[on_surface]
    sigma = NOISE[0] + NOISE[1] * (depth - NOISE[2]) ** 2
    # Along the ray it is the sensor's, across it half a pixel's.
    pixel = depth / intrinsics(80, 60)[0, 0]
    assert np.median(error[on_surface] / np.hypot(sigma, pixel)) < 1.5


def test_poses_are_rotations_within_the_walls(room):
    for pose in walk(room, 12, np.random.default_rng(1)):
        assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
        assert (pose[:2, 3] > room.outline.min(0)).all()
        assert (pose[:2, 3] < room.outline.max(0)).all()


def test_a_carried_camera_gives_points_on_the_things_that_own_them(room):
    rng = np.random.default_rng(2)
    scan, views = scan_by_camera(room, draw_light(rng, room), rng, views=30, size=(80, 60))
    assert len(views) == 30
    assert len(scan) > 10_000
    again = np.random.default_rng(2)
    other, _ = scan_by_camera(room, draw_light(again, room), again, views=30, size=(80, 60))
    assert np.array_equal(scan.points, other.points)
    away = []
    for number, thing in enumerate(room.things):
        points = scan.points[scan.instances == number] - np.array(thing.center, np.float32)
        c, s = np.cos(-thing.yaw), np.sin(-thing.yaw)
        own = np.abs(points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])) - np.array(thing.size) / 2
        away.append(np.maximum(own, 0).max(1))
    assert np.quantile(np.concatenate(away), 0.99) < 0.06


def test_a_tripod_sees_nothing_below_itself_and_leaves_shadows(room):
    rng = np.random.default_rng(3)
    scan, stations = scan_by_stations(room, draw_light(rng, room), rng, stations=1, step=1.0)
    eye = stations[0].place
    way = scan.points - eye
    down = np.degrees(np.arcsin(way[:, 2] / np.linalg.norm(way, axis=1)))
    assert down.min() > BELOW - 1
    floor = next(i for i, thing in enumerate(room.things) if thing.label == "floor")
    points = scan.points[scan.instances == floor]
    blocked = room.caster.blocked(np.tile(eye, (len(points), 1)), points - eye, np.full(len(points), 0.98))
    assert blocked.mean() < 0.02


def test_fusing_gives_one_point_a_cell_and_thing():
    points = np.array([[0, 0, 0], [0.005, 0, 0], [0.004, 0, 0], [0.5, 0, 0]], np.float32)
    facts = np.array([[0.0], [1.0], [7.0], [2.0]], np.float32)
    weights = np.array([3, 1, 1, 1], np.float32)
    owners = np.array([0, 0, 1, 0], np.int32)
    at, known, whose = fuse(points, facts, owners, 0.02, weights=weights)
    assert whose.tolist() == [0, 1, 0]
    assert at[0, 0] == pytest.approx(0.005 / 4)
    assert known[:, 0].tolist() == pytest.approx([0.25, 7, 2])
    assert len(fuse(points, facts, owners, 0.02, least=2)[0]) == 1


def test_mixed_pixels_lie_between_two_surfaces():
    grid = np.full((20, 20), 1.0, np.float32)
    grid[:, 10:] = 3.0
    distance, between = mixed(grid.ravel(), (20, 20), np.random.default_rng(0), 1.0, 0.05)
    assert between.reshape(20, 20).any(1).sum() > 5
    assert not between.reshape(20, 20)[:, [*range(9), *range(10, 20)]].any()
    assert ((distance[between] > 1) & (distance[between] < 3)).all()
    assert np.array_equal(distance[~between], grid.ravel()[~between])

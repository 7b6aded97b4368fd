"""Streets, their traffic and what is true of them."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.lidar.motion import inverse
from clip3d.simulation.driving import models
from clip3d.simulation.driving.conditions import draw_conditions, is_glaring
from clip3d.simulation.driving.lidar_layouts import lidar_named
from clip3d.simulation.driving.lidar_sensor import Scan, scan
from clip3d.simulation.driving.places import PLACES
from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.rig import Rig, draw_rig
from clip3d.simulation.driving.snapshot import Snapshot
from clip3d.simulation.driving.streets import Street, draw_street
from clip3d.simulation.driving.telling import caption, seen_by_lidar, terms
from clip3d.simulation.driving.traffic import populate
from clip3d.simulation.driving.truth import true_boxes

# Length, width and height in metres between which real ones lie, by class.
TRUE_SIZES = {
    "car": ((3.0, 1.5, 1.1), (5.3, 2.1, 2.0)),
    "van": ((4.0, 1.6, 1.6), (7.4, 2.3, 3.0)),
    "truck": ((4.8, 1.7, 1.6), (16.6, 2.7, 4.2)),
    "bus": ((5.3, 1.9, 2.2), (14.1, 2.7, 4.5)),
    "pedestrian": ((0.2, 0.3, 0.85), (1.8, 1.3, 2.4)),
    "cyclist": ((1.5, 0.35, 1.3), (2.1, 1.0, 2.1)),
    "motorcycle": ((1.5, 0.5, 0.9), (2.5, 1.0, 2.1)),
}


@lru_cache(maxsize=4)
def street(place: str, seed: int = 3) -> Street:
    return draw_street(seed, 4.0, place=place, weather="sunny", density=1)


@lru_cache(maxsize=2)
def recorded(place: str) -> tuple[Snapshot, RayCaster, Rig, np.ndarray, Scan]:
    snapshot = street(place).at(1.0)
    rig = draw_rig(np.random.default_rng(0), lidar_named("hdl-64e"), 2, 320)
    pose = snapshot.world_from_vehicle @ rig.vehicle_from_lidar
    caster = RayCaster(snapshot.corners)
    return snapshot, caster, rig, pose, scan(snapshot, caster, rig.lidar, pose, np.random.default_rng(1))


def in_box(points: np.ndarray, box, margin: float) -> np.ndarray:
    """Which points (n, 3) lie in a box that is larger by a margin."""
    c, s = np.cos(box.yaw), np.sin(box.yaw)
    own = (points - box.center) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return (np.abs(own) < np.array(box.size) / 2 + margin).all(1)


@pytest.mark.parametrize("place", PLACES)
def test_every_place_has_ground_under_the_vehicle_and_things_on_the_ground(place: str):
    there = street(place)
    snapshot = there.at(2.0)
    x, y, z = snapshot.world_from_vehicle[:3, 3]
    down = np.array([0, 0, -1], np.float32)
    fall = RayCaster(snapshot.corners).cast(np.array([[x, y, z + 1]], np.float32), down[None]).distance[0]
    assert fall == pytest.approx(1, abs=0.1)
    grounds = RayCaster(snapshot.corners[snapshot.owners < 0])
    for thing in snapshot.things:
        above = thing.center + np.array([0, 0, 0.1 - thing.size[2] / 2])
        assert grounds.cast(above[None].astype(np.float32), down[None]).distance[0] == pytest.approx(0.1, abs=0.2)


def test_a_street_is_the_same_for_the_same_seed_and_another_for_another():
    a, b, c = (draw_street(seed, 2.0, place="crossing").at(1.0) for seed in (7, 7, 8))
    assert np.array_equal(a.corners, b.corners)
    assert [t.track for t in a.things] == [t.track for t in b.things]
    assert a.corners.shape != c.corners.shape or not np.array_equal(a.corners, c.corners)


def test_what_stands_still_is_worked_out_for_parts_of_the_way_in_any_order():
    drawn, again = (draw_street(3, 8.0, place="motorway", period="night") for _ in range(2))
    late = again.at(8.0)
    for time in (0.0, 8.0):
        one, other = drawn.at(time), again.at(time)
        assert np.array_equal(one.corners, other.corners)
        assert np.array_equal(one.owners, other.owners)
        rays = np.random.default_rng(0).normal(0, 1, (2000, 3)).astype(np.float32)
        eye = (one.world_from_vehicle[:3, 3] + [0, 0, 1.8]).astype(np.float32)
        split, whole = drawn.caster(one).cast(eye, rays), RayCaster(one.corners).cast(eye, rays)
        assert np.array_equal(split.face, whole.face)
        assert np.array_equal(split.distance, whole.distance)
    assert np.array_equal(late.corners, drawn.at(8.0).corners)


def test_an_unknown_place_names_those_there_are():
    with pytest.raises(ShapeError, match="motorway"):
        draw_street(0, 1.0, place="moon")


def test_things_move_as_their_velocities_say_and_keep_their_tracks():
    there = street("city street")
    before = {t.track: t for t in there.at(1.0).things}
    after = {t.track: t for t in there.at(1.1).things}
    moved = [track for track in before if track in after and before[track].moving]
    assert moved
    for track in moved:
        way = (after[track].center - before[track].center)[:2]
        assert np.allclose(way, np.array(before[track].velocity) * 0.1, atol=0.06)


def test_no_two_things_stand_in_one_another():
    for time in (0.0, 2.0, 4.0):
        things = street("crossing").at(time).things
        for i, a in enumerate(things):
            for b in things[:i]:
                apart = np.linalg.norm((a.center - b.center)[:2])
                assert apart > (min(a.size[:2]) + min(b.size[:2])) / 2 * 0.9, (a.track, b.track)


@pytest.mark.parametrize("kind", sorted(models.VEHICLES))
def test_vehicles_have_true_sizes_and_say_so_exactly(kind: str):
    for variety in range(2):
        model = models.vehicle(kind, "train", variety)
        low, high = model.solid.low_high()
        assert np.allclose(high - low, model.size, atol=1e-4)
        assert low[2] == pytest.approx(0, abs=1e-4)
        assert model.label in model.words
        if model.label in TRUE_SIZES:
            least, most = TRUE_SIZES[model.label]
            assert ((np.array(model.size) >= least) & (np.array(model.size) <= most)).all(), (
                kind,
                model.size,
            )


def test_people_and_riders_have_true_sizes():
    drawn = [models.pedestrian(d, "woman", "train", 1, 2) for d in models.PEDESTRIANS if d != "waving"]
    drawn += [models.cyclist("train", v, 1) for v in range(3)] + [models.motorcycle("train", 0, True)]
    for model in drawn:
        least, most = TRUE_SIZES[model.label]
        assert ((np.array(model.size) >= least) & (np.array(model.size) <= most)).all(), (
            model.words,
            model.size,
        )


def test_sizes_of_classes_overlap():
    sizes = {}
    for kind in models.VEHICLES:
        for variety in range(3):
            model = models.vehicle(kind, "train", variety)
            sizes.setdefault(model.label, []).append(model.size[0])
    assert max(sizes["car"]) > min(sizes["van"])
    assert max(sizes["van"]) > min(sizes["truck"])
    assert max(sizes["truck"]) > min(sizes["bus"])


def test_held_out_shapes_are_others_and_training_never_shows_held_out_kinds():
    one, other = (models.vehicle("saloon", shapes, 5) for shapes in ("train", "held-out"))
    assert one.size != other.size
    held_out = {kind for kind, what in models.VEHICLES.items() if what.held_out}
    assert held_out
    for seed in range(4):
        shown = {actor.track.split("-", 1)[1] for actor in draw_street(seed, 1.0).crowd.actors}
        assert not shown & {kind.replace(" ", "-") for kind in held_out}


def test_a_balanced_mix_makes_scarce_classes_common_and_brings_people_close():
    place = "city street"

    def drawn(mix):
        rngs = map(np.random.default_rng, range(6))
        crowds = [populate(rng, street(place).side, place, "train", 3.0, 1.0, mix) for rng in rngs]
        return crowds, Counter(actor.looks(0).label for crowd in crowds for actor in crowd.actors)

    (_, usual), (crowds, balanced) = drawn("usual"), drawn("balanced")
    assert balanced["cyclist"] > 2 * usual["cyclist"]
    scarce = [counts["bus"] + counts["van"] + counts["truck"] for counts in (usual, balanced)]
    assert scarce[1] / balanced["car"] > 2 * scarce[0] / usual["car"]
    for crowd in crowds:
        people = [actor for actor in crowd.actors if actor.looks(0).label == "pedestrian"]
        passed = np.array([crowd.ego.pace.at(time)[0] for time in np.linspace(0, 3, 31)])
        assert any(np.abs(passed - actor.start[0]).min() < 15 for actor in people)


def test_a_balanced_mix_makes_hard_conditions_common():
    def glaring(mix):
        drawn = [draw_conditions(np.random.default_rng(seed), mix=mix) for seed in range(400)]
        return sum(is_glaring(one, 0.0) for one in drawn)

    assert glaring("balanced") > 1.4 * glaring("usual")


def test_a_balanced_mix_shows_no_held_out_kind():
    held_out = {kind.replace(" ", "-") for kind, what in models.VEHICLES.items() if what.held_out}
    for seed in range(4):
        shown = {actor.track.split("-", 1)[1] for actor in draw_street(seed, 1.0, mix="balanced").crowd.actors}
        assert not shown & held_out


def test_points_on_things_lie_in_their_boxes_and_are_counted():
    snapshot, caster, rig, pose, scanned = recorded("city street")
    boxes = true_boxes(snapshot, caster, scanned, pose, rig.cameras, np.random.default_rng(2))
    tracks = [thing.track for thing in snapshot.things]
    assert sum(box.attributes["points"] for box in boxes) == (scanned.owners >= 0).sum()
    looked_at = 0
    for box in boxes:
        own = scanned.sweep.points[scanned.owners == tracks.index(box.track)]
        assert box.attributes["points"] == len(own)
        if len(own) >= 20:
            looked_at += 1
            # Boxes stand upright on a sensor that leans a little; edges may mix with what is behind.
            assert in_box(own, box, 0.25).mean() > 0.97, box.track
    assert looked_at >= 3


def test_rectangles_hold_the_projections_and_hidden_things_have_none():
    snapshot, caster, rig, pose, scanned = recorded("city street")
    boxes = true_boxes(snapshot, caster, scanned, pose, rig.cameras, np.random.default_rng(2))
    camera = rig.cameras[0]
    tracks = [thing.track for thing in snapshot.things]
    shown = [box for box in boxes if camera.name in box.rectangles]
    assert shown
    lidar_from_world = inverse(pose)
    for box in shown:
        left, top, right, bottom = box.rectangles[camera.name]
        assert -0.5 <= left < right <= camera.width - 0.5
        assert -0.5 <= top < bottom <= camera.height - 0.5
        corners = snapshot.corners[snapshot.owners == tracks.index(box.track)].reshape(-1, 3)
        there = camera.to_camera(corners @ lidar_from_world[:3, :3].T + lidar_from_world[:3, 3])
        pixels = camera.project(there[there[:, 2] > 0.1])
        inside = (pixels > -0.5).all(1) & (pixels < np.array([camera.width, camera.height]) - 0.5).all(1)
        assert (
            (pixels[inside] >= [left - 1e-6, top - 1e-6]) & (pixels[inside] <= [right + 1e-6, bottom + 1e-6])
        ).all()
    for box in boxes:
        for name, seen in box.attributes["cameras"].items():
            assert (name in box.rectangles) == (seen["visible"] > 0)


def test_a_thing_behind_a_wall_is_not_visible():
    snapshot, *_ = recorded("city street")
    thing = snapshot.things[0]
    eye = np.array([*thing.center[:2], thing.center[2] + 40.0])
    pose = np.eye(4)
    pose[:3, 3] = eye
    roof = thing.center + np.array([0, 0, 20])
    square = roof + np.array([(-60, -60, 0), (60, -60, 0), (0, 90, 0)])
    covered = Snapshot(
        **{
            **vars(snapshot),
            "corners": np.concatenate([snapshot.corners, square[None]]).astype(np.float32),
            "colors": np.concatenate([snapshot.colors, snapshot.colors[:1]]),
            "materials": np.concatenate([snapshot.materials, snapshot.materials[:1]]),
            "owners": np.concatenate([snapshot.owners, [-1]]).astype(np.int32),
        }
    )
    for world, visible in ((snapshot, 0.3), (covered, 0.0)):
        caster = RayCaster(world.corners)
        found = scan(world, caster, lidar_named("vlp-16"), pose, np.random.default_rng(0))
        boxes = true_boxes(world, caster, found, pose, (), np.random.default_rng(0))
        share = next(box for box in boxes if box.track == thing.track).attributes["visible"]
        assert (share > visible) if visible else share == 0


def test_captions_and_terms_say_what_is_there():
    snapshot, caster, _rig, pose, scanned = recorded("city street")
    boxes = true_boxes(snapshot, caster, scanned, pose, (), np.random.default_rng(2))
    seen = seen_by_lidar(boxes)
    words = terms(seen, snapshot.conditions, snapshot.place, 0.0, ["roadworks"])
    counts = Counter(box.label for box in seen)
    assert set(counts) <= set(words)
    assert {"city street", snapshot.conditions.period, "roadworks"} <= set(words)
    assert "empty" not in words
    text = caption(np.random.default_rng(0), seen, snapshot.conditions, snapshot.place, 0.0)
    assert "city street" in text
    assert "with" in text
    assert caption(np.random.default_rng(0), [], snapshot.conditions, "motorway", 0.0).startswith(
        "an empty motorway"
    )


def test_cameras_look_where_their_names_say():
    rig = draw_rig(np.random.default_rng(4), lidar_named("vlp-16"), 6, 320)
    ways = {"front": (1, 0), "front_left": (0.5, 0.87), "back": (-1, 0), "back_right": (-0.5, -0.87)}
    for camera in rig.cameras:
        if camera.name in ways:
            x, y = ways[camera.name]
            (there,) = camera.to_camera(np.array([[20 * x, 20 * y, -0.5]]))
            assert there[2] > 15
            u, v = camera.project(there[None])[0]
            assert 0.25 < u / camera.width < 0.75
            assert 0.25 < v / camera.height < 0.75

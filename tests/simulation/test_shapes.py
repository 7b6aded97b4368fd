from __future__ import annotations

import numpy as np
import pytest

from clip3d.simulation import moving, shapes

SOLIDS = {
    "box": (shapes.box((1, 2, 3)), 6.0),
    "bevelled box": (shapes.box((1, 1, 1), bevel=0.001), 1.0),
    "cylinder": (shapes.cylinder(1, 2, sides=64), 2 * np.pi),
    "cone": (shapes.cylinder(1, 3, top=0, sides=64), np.pi),
    "sphere": (shapes.sphere(1, sides=64), 4 / 3 * np.pi),
    "ellipsoid": (shapes.sphere((1, 2, 3), sides=64), 8 * np.pi),
    "dome": (shapes.dome(1, sides=64), 2 / 3 * np.pi),
    "beam": (shapes.beam((0, 0, 0), (3, 0, 4), 0.2, 0.3), 0.3),
    "concave plate": (shapes.extrude([(0, 0), (2, 0), (2, 2), (1, 0.5), (0, 2)], 0.5), 1.25),
    "capsule": (shapes.capsule((0, 0, 0), (0, 1, 1), 0.3), None),
    "cushion": (shapes.cushion((1, 1, 0.3)), None),
    "torus": (shapes.torus(1, 0.2), None),
    "half torus": (shapes.torus(1, 0.2, arc=180), None),
    "mirrored": (moving.mirror(shapes.cylinder(1, 1, top=0.5)), None),
    "turned upright": (moving.upright(shapes.extrude([(0, 0), (2, 0), (2, 1)], 0.1)), 0.1),
}


def _volume(mesh):
    a, b, c = mesh.corners().transpose(1, 0, 2).astype(np.float64)
    return np.einsum("fi,fi->", a, np.cross(b, c)) / 6


@pytest.mark.parametrize("name", SOLIDS)
def test_solids_are_closed_face_outwards_and_have_their_volume(name):
    mesh, expected = SOLIDS[name]
    edges = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    directed = {tuple(edge) for edge in edges.tolist()}
    assert len(directed) == len(edges)
    assert all((b, a) in directed for a, b in directed)
    volume = _volume(mesh)
    assert volume > 0
    if expected is not None:
        assert volume == pytest.approx(expected, rel=0.02)


def test_convention_boxes_and_cylinders_stand_on_their_place_and_balls_surround_it():
    assert shapes.box((1, 1, 2), (0, 0, 3)).vertices[:, 2].min() == pytest.approx(3)
    assert shapes.cylinder(1, 2, (0, 0, 3)).vertices[:, 2].max() == pytest.approx(5)
    assert shapes.sphere(1, (0, 0, 3)).vertices[:, 2].mean() == pytest.approx(3, abs=1e-5)


def test_convention_turning_is_counter_clockwise_seen_from_the_tip():
    start = shapes.rod((1, 0, 0), (2, 0, 0), 0.1)
    assert moving.rotate(start, "z", 90).vertices[:, 1].mean() == pytest.approx(1.5, abs=1e-5)
    assert moving.rotate(start, "y", 90).vertices[:, 2].mean() == pytest.approx(-1.5, abs=1e-5)


def test_copies_rings_and_mirror_images_keep_colour_and_count():
    leg = shapes.box((0.1, 0.1, 1), (1, 0.5, 0), (0.9, 0.1, 0.1))
    assert len(moving.copies(leg, np.zeros((4, 3))).faces) == 4 * len(leg.faces)
    around = moving.ring(leg, 6)
    assert around.vertices[:, :2].mean(axis=0) == pytest.approx([0, 0], abs=1e-5)
    pair = moving.both_sides(leg)
    assert pair.vertices[:, 1].min() == pytest.approx(-0.55)
    assert (pair.face_colors == np.float32([0.9, 0.1, 0.1])).all()


def test_taper_twist_and_bend_change_what_they_say():
    column = shapes.box((1, 1, 2))
    top = moving.taper(column, 0.5).vertices
    assert np.ptp(top[top[:, 2] > 1, 0]) == pytest.approx(0.5)
    assert np.ptp(moving.twist(column, 45).vertices[4:, 0]) == pytest.approx(np.sqrt(2), rel=1e-3)
    bow = moving.bend(shapes.tube(np.column_stack([np.linspace(-1, 1, 20), np.zeros(20), np.zeros(20)]), 0.01), 90)
    assert np.ptp(bow.vertices[:, 2]) > 0.3

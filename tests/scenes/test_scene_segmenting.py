"""Parts of rooms by every segmenter."""

from __future__ import annotations

import numpy as np
import pytest
from box_rooms import furnished_room, overlap

from clip3d.errors import ShapeError
from clip3d.scenes.boxes import upright_box
from clip3d.scenes.parts import choose_parts, points_of
from clip3d.scenes.segmenting import segment_cloud, segment_voxels
from clip3d.scenes.voxels import voxelise

ROOM = furnished_room(60_000)


def best_overlap(labels: np.ndarray, true: np.ndarray) -> float:
    return max(overlap(np.flatnonzero(scale == part), true) for scale in labels for part in np.unique(scale[true]))


@pytest.fixture(scope="module")
def by_graph() -> np.ndarray:
    return segment_cloud(ROOM.cloud)


@pytest.mark.parametrize(("name", "least"), [("crate", 0.7), ("wardrobe", 0.5), ("table", 0.6), ("parcel", 0.6)])
def test_the_graph_finds_what_stands_in_a_room(by_graph: np.ndarray, name: str, least: float):
    assert best_overlap(by_graph, ROOM.of(name)) > least


def test_clusters_find_what_stands_free():
    labels = segment_cloud(ROOM.cloud, "clusters")
    assert best_overlap(labels, ROOM.of("crate")) > 0.7
    assert best_overlap(labels, np.concatenate([ROOM.of("table"), ROOM.of("parcel")])) > 0.7


def test_kmeans_gives_one_scale_of_at_most_sixteen_parts():
    labels = segment_cloud(ROOM.cloud, "kmeans")
    assert labels.shape == (1, len(ROOM.cloud))
    assert 1 < labels.max() + 1 <= 16


def test_segmenting_is_the_same_each_time(by_graph: np.ndarray):
    assert (by_graph == segment_cloud(ROOM.cloud)).all()


def test_an_unknown_segmenter_is_answered_with_the_known_ones():
    with pytest.raises(ShapeError, match="graph, clusters, kmeans"):
        segment_cloud(ROOM.cloud, "best")  # type: ignore[arg-type]


def test_parts_are_distinct_and_bounded_in_number():
    voxels = voxelise(ROOM.cloud)
    surface, structure, scales = segment_voxels(voxels, "graph")
    parts = choose_parts(surface, structure.labels == 0, scales, most=12)
    assert 4 <= len(parts) <= 12
    for i, a in enumerate(parts):
        assert (np.diff(a.voxels) > 0).all()
        for b in parts[:i]:
            assert overlap(a.voxels, b.voxels) < 0.85


def test_points_of_overlapping_sets_of_voxels():
    owner = np.array([2, 0, 1, 2, 0, 3], np.int32)
    found = points_of(owner, 4, [np.array([0, 2], np.int32), np.array([2], np.int32), np.zeros(0, np.int32)])
    assert [rows.tolist() for rows in found] == [[0, 1, 3, 4], [0, 3], []]


@pytest.mark.parametrize("yaw", [0.0, 0.4, 1.3, 2.9])
def test_a_box_that_is_turned_is_found_as_it_stands(yaw: float):
    rng = np.random.default_rng(0)
    own = (rng.random((400, 3)) - 0.5) * [2.0, 0.5, 1.0]
    own[:8] = [[x, y, z] for x in (-1, 1) for y in (-0.25, 0.25) for z in (-0.5, 0.5)]
    turn = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    box = upright_box(own @ turn + [1, 2, 3])
    assert np.allclose(box.size, [2.0, 0.5, 1.0], atol=1e-6)
    assert np.allclose(box.center, [1, 2, 3], atol=1e-6)
    assert abs(box.axes[0] @ turn[0]) == pytest.approx(1)
    assert np.linalg.det(box.axes) == pytest.approx(1)


def test_points_on_a_line_and_one_point_have_boxes():
    line = np.linspace(0, 1, 20)[:, None] * [1.0, 1.0, 0.0]
    assert np.allclose(upright_box(line).size, [np.sqrt(2), 0, 0], atol=1e-6)
    assert np.allclose(upright_box(line[:1]).size, 0)

"""Libraries: their form, the held-out line, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clip3d.clouds.cloud import PointCloud
from clip3d.data.library import Entry, join, make_library, near_copies, read_library
from clip3d.errors import DataError


def entry(number: int, *, caption: str = "box", stretch: float = 1.0, colored: bool = True) -> Entry:
    rng = np.random.default_rng(number)
    points = rng.uniform(-1, 1, size=(400, 3)) * [1, 1, stretch]
    cloud = PointCloud(points, rng.uniform(size=(400, 3)) if colored else None, up="z")
    return Entry(cloud, (caption, "thing"), f"{caption}/{number}", "made here", "CC0-1.0")


def test_a_library_survives_the_disk(tmp_path: Path) -> None:
    library = make_library([entry(1), entry(2, colored=False)], held_out_share=0.5, points=64)
    library.save(tmp_path / "library.npz")
    again = read_library(tmp_path / "library.npz")
    assert again.phrases(0) == ["box", "thing"]
    assert again.colored.tolist() == [True, False]
    np.testing.assert_array_equal(again.points, library.points)
    assert [p.name for p in tmp_path.iterdir()] == ["library.npz"]


def test_points_are_in_the_unit_sphere_and_even_from_the_start() -> None:
    library = make_library([entry(1)], held_out_share=0, points=128)
    points = library.points[0].astype(np.float32)
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1, abs=2e-3)

    def widest_gap(chosen: np.ndarray) -> float:
        return float(np.linalg.norm(points[:, None] - chosen[None], axis=-1).min(1).max())

    rng = np.random.default_rng(0)
    assert widest_gap(points[:32]) < min(widest_gap(points[rng.permutation(128)[:32]]) for _ in range(20))


def test_near_copies_are_grouped_by_shape_and_caption() -> None:
    entries = [entry(1), entry(1), entry(1, stretch=0.1), entry(1)]
    points = make_library(entries, held_out_share=0.3, points=256).points
    points[1] += np.random.default_rng(0).normal(0, 0.002, size=points[1].shape).astype(np.float16)
    group = near_copies(points, ["box", "box", "box", "crate"])
    assert group[0] == group[1]
    assert len({group[0], group[2], group[3]}) == 3


def test_the_held_out_choice_does_not_depend_on_the_rest() -> None:
    entries = [entry(i, caption=f"box {i}") for i in range(40)]
    whole = make_library(entries, held_out_share=0.3, points=32)
    half = make_library(entries[20:], held_out_share=0.3, points=32)
    assert whole.held_out[20:].tolist() == half.held_out.tolist()
    assert 3 <= whole.held_out.sum() <= 22


def test_groups_of_joined_libraries_stay_apart() -> None:
    library = make_library([entry(1), entry(2, stretch=0.1)], held_out_share=0, points=64)
    both = join([library, library])
    assert len(both) == 4
    assert not set(both.group[:2].tolist()) & set(both.group[2:].tolist())


def test_a_file_that_is_no_library_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", points=np.zeros(3))
    with pytest.raises(DataError):
        read_library(tmp_path / "other.npz")
    with pytest.raises(DataError, match="no such file"):
        read_library(tmp_path / "none.npz")


def test_a_cloud_of_a_library_has_its_colours_where_it_has_some() -> None:
    rng = np.random.default_rng(0)
    painted = PointCloud(rng.normal(size=(200, 3)), np.full((200, 3), 0.2, np.float32))
    plain = PointCloud(rng.normal(size=(200, 3)))
    entries = [Entry(c, ("thing",), str(i), "made here", "CC0-1.0") for i, c in enumerate((painted, plain))]
    library = make_library(entries, held_out_share=0, points=64)
    assert library.cloud(0).up == "z"
    np.testing.assert_allclose(library.cloud(0).colors, 0.2, atol=1e-6)
    assert library.cloud(1).colors is None
    np.testing.assert_array_equal(library.cloud(1, 10).points, library.points[1, :10].astype(np.float32))

"""Drawing many objects: the same whatever the order, and to the end whatever a file does."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from triplet_sets import cloud

import clip3d
from clip3d.data.drawing import Rendering, draw
from clip3d.data.picture_folders import folder_of
from clip3d.data.renderings import Shape, render_shapes
from clip3d.errors import DataError, ShapeError

SMALL = Rendering(views=2, size=16)


class Deadly:
    """Ends the process that receives it."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (3,)


def test_a_shape_that_ends_its_process_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    shapes = [Shape("good/0", cloud(0)), Shape("bad", Deadly()), Shape("good/1", cloud(1))]  # type: ignore[arg-type]
    result = render_shapes(shapes, tmp_path, SMALL, count=3, protocol={}, processes=2)
    assert [problem.path for problem in result.problems] == ["bad"]
    assert "was ended" in result.problems[0].reason
    assert result.drawn == 2
    assert len(list(tmp_path.glob("*/*.png"))) == 4


def test_sides_depend_on_name_and_seed_alone() -> None:
    one = draw(cloud(3), "a", SMALL)
    assert np.array_equal(one, draw(cloud(3), "a", SMALL))
    assert not np.array_equal(one, draw(cloud(3), "b", SMALL))
    assert not np.array_equal(one, draw(cloud(3), "a", Rendering(views=2, size=16, seed=1)))
    more = draw(cloud(3), "a", Rendering(views=4, size=16))
    assert np.array_equal(one, more[:2])


def test_what_a_killed_run_left_is_swept_away(tmp_path: Path) -> None:
    old = tmp_path / ".half-1234.abcd.part"
    old.mkdir()
    os.utime(old, (1, 1))
    render_shapes([Shape("a", cloud(1))], tmp_path, SMALL, count=1, protocol={})
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([folder_of("a"), "renders.json"])


def test_a_changed_file_is_drawn_again(tmp_path: Path) -> None:
    mesh = tmp_path / "one.ply"
    clip3d.write(cloud(1), mesh)
    os.utime(mesh, (1, 1))
    out, shape = tmp_path / "views", Shape("one", mesh)
    assert render_shapes([shape], out, SMALL, count=1, protocol={}).drawn == 1
    assert render_shapes([shape], out, SMALL, count=1, protocol={}).there == 1
    clip3d.write(cloud(2), mesh)
    os.utime(mesh, (2**31, 2**31))
    before = (out / folder_of("one") / "000.png").read_bytes()
    assert render_shapes([shape], out, SMALL, count=1, protocol={}).drawn == 1
    assert (out / folder_of("one") / "000.png").read_bytes() != before


@pytest.mark.parametrize(
    ("name", "value"), [("file", "lamps"), ("format", "shapenet55"), ("data_sha256", "another library")]
)
def test_pictures_of_another_source_are_not_taken(tmp_path: Path, name: str, value: str) -> None:
    source = {"format": "library", "file": "chairs", "data_sha256": "one"}
    render_shapes([Shape("a", cloud(1))], tmp_path, SMALL, count=1, protocol=source)
    render_shapes([Shape("b", cloud(2))], tmp_path, SMALL, count=1, protocol={**source, "split": "test"})
    with pytest.raises(DataError, match=f"pictures are of the {name}"):
        render_shapes([Shape("a", cloud(3))], tmp_path, SMALL, count=1, protocol={**source, name: value})


def test_damaged_settings_are_told(tmp_path: Path) -> None:
    (tmp_path / "renders.json").write_text("[1]")
    with pytest.raises(DataError, match="does not say how"):
        render_shapes([], tmp_path, SMALL, count=0, protocol={})


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    shapes = [Shape(str(i), cloud(i)) for i in range(3)]
    render_shapes(shapes, tmp_path, SMALL, count=3, protocol={}, progress=lambda *step: seen.append(step))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_depth_pictures_begin_with_the_published_three() -> None:
    from clip3d.render.depth_discs import PUBLISHED, disc_depth_map

    pictures = draw(cloud(2).z_up(), "x", Rendering("depth", views=4, size=500))
    for picture, turn in zip(pictures, PUBLISHED, strict=False):
        wanted = (disc_depth_map(cloud(2).points, turn) * 255).astype(np.uint8)
        np.testing.assert_array_equal(picture, wanted)
    assert not any(np.array_equal(pictures[3], picture) for picture in pictures[:3])


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "x"}, {"views": 0}, {"size": 4}, {"seed": -1}, {"elevation": (30, 20)}, {"elevation": (0, 91)}],
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ShapeError):
        Rendering(**wrong)  # type: ignore[arg-type]


def test_folders_of_keys_are_safe_and_differ() -> None:
    keys = ["a", "A", "a b", "a/b", "../a", "a" * 500, "ä", "", "con", "a\\b", "x\n"]
    names = [folder_of(key) for key in keys]
    assert len({name.lower() for name in names}) == len(keys)
    assert all(name.isascii() and len(name) < 80 and not set(name) & set("/\\.\n ") for name in names)


def test_pictures_on_disk_are_those_drawn(tmp_path: Path) -> None:
    render_shapes([Shape("a", cloud(1))], tmp_path, SMALL, count=1, protocol={})
    for view, picture in enumerate(draw(cloud(1), "a", SMALL)):
        stored = Image.open(tmp_path / folder_of("a") / f"{view:03d}.png")
        np.testing.assert_array_equal(np.asarray(stored), picture)

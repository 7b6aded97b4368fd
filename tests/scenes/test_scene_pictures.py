"""Posed pictures beside a scan: which parts they show, and what they add to their vectors."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from box_rooms import furnished_room
from PIL import Image
from small_files import settle

import clip3d
from clip3d.errors import DataError
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.scenes import opening
from clip3d.scenes.boxes import upright_box
from clip3d.scenes.parts import Part
from clip3d.scenes.pictures import View, join_pictures, list_views, picture_vectors, sights

SIZE = (160, 120)
INTRINSICS = np.array([[100.0, 0, 80], [0, 100.0, 60], [0, 0, 1]])
# Looking along the scan's x: the camera's x is -y of the scan, its y is -z.
POSE = np.array([[0, 0, 1.0, 0], [-1.0, 0, 0, 0], [0, -1.0, 0, 1.0], [0, 0, 0, 1]])


def sheet(x: float, y: float, z: float, side: float = 0.5) -> np.ndarray:
    """Points 2 cm apart on an upright square across x about a place."""
    a, b = np.meshgrid(np.arange(-side / 2, side / 2, 0.02), np.arange(-side / 2, side / 2, 0.02))
    return np.column_stack([np.full(a.size, x), y + a.ravel(), z + b.ravel()])


def parts_of(*sheets: np.ndarray) -> tuple[np.ndarray, list[Part]]:
    starts = np.cumsum([0, *map(len, sheets)])
    spans = [np.arange(a, b, dtype=np.int32) for a, b in pairwise(starts)]
    return np.concatenate(sheets), [Part(i, 0, 1, 0.0, upright_box(s)) for i, s in zip(spans, sheets, strict=True)]


def posed(folder: Path, picture: Image.Image, count: int = 1) -> Path:
    for name in ("color", "pose", "intrinsic"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        picture.save(folder / "color" / f"{number}.png")
        np.savetxt(folder / "pose" / f"{number}.txt", POSE)
    np.savetxt(folder / "intrinsic" / "intrinsic_color.txt", INTRINSICS)
    return folder


def test_a_part_is_where_the_camera_sees_it_and_one_behind_it_is_not():
    points, parts = parts_of(sheet(2, 0.5, 1.0), sheet(3, 0.75, 1.0), sheet(-2, 0, 1), sheet(2, -0.5, 1.2))
    found = {sight.part: sight for sight in sights(View(Path(), POSE, INTRINSICS), SIZE, points, 0.02, parts)}
    assert set(found) == {0, 3}  # the second is hidden, the third behind the camera
    left, upper, right, lower = found[0].rectangle
    assert ((left + right) / 2, (upper + lower) / 2) == pytest.approx((80 - 25, 60), abs=1.5)
    assert 25 <= right - left <= 36
    assert (found[3].rectangle[1] + found[3].rectangle[3]) / 2 == pytest.approx(60 - 10, abs=1.5)


def test_the_picture_s_vector_is_joined_where_there_is_one(bundle: Path, tmp_path: Path):
    model = Model(bundle)
    pixels = np.zeros((120, 160, 3), np.uint8)
    pixels[:, :80], pixels[:, 80:] = (0, 255, 0), (0, 0, 255)
    folder = posed(tmp_path / "pictures", Image.fromarray(pixels))
    points, parts = parts_of(sheet(2, 0.7, 1.0), sheet(2, -0.7, 1.0), sheet(-2, 0, 1))
    seen = picture_vectors(model, list_views(folder), points, 0.02, parts)
    green, blue = model.encode_images([pixels[20:100, 5:75], pixels[20:100, 85:155]])
    assert seen[0] @ green > seen[0] @ blue
    assert seen[1] @ blue > seen[1] @ green
    assert not seen[2].any()
    vectors = np.eye(3, model.space.dim, dtype=np.float32)
    joined = join_pictures(vectors, seen)
    assert np.allclose(joined[2], vectors[2])
    assert joined[0] @ seen[0] / np.linalg.norm(seen[0]) > vectors[0] @ seen[0] / np.linalg.norm(seen[0])
    assert np.allclose(join_pictures(vectors, seen, 0.0), vectors)
    assert np.allclose(join_pictures(vectors, seen, 1.0)[:2], seen[:2] / np.linalg.norm(seen[:2], axis=1)[:, None])


def test_views_are_those_with_a_pose_and_evenly_spread(tmp_path: Path):
    folder = posed(tmp_path / "pictures", Image.new("RGB", SIZE), 12)
    (folder / "pose" / "3.txt").unlink()
    (folder / "pose" / "5.txt").write_text("\n".join(["-inf -inf -inf -inf"] * 4))
    (folder / "pose" / "7.txt").write_text("\n".join(["0 0 0 0"] * 4))
    names = [int(view.path.stem) for view in list_views(folder)]
    assert names == [0, 1, 2, 4, 6, 8, 9, 10, 11]
    assert [int(view.path.stem) for view in list_views(folder, 3)] == [0, 6, 11]


def test_a_folder_without_posed_pictures_is_told(bundle: Path, tmp_path: Path):
    with pytest.raises(DataError, match="no picture with a pose"):
        list_views(tmp_path)
    folder = posed(tmp_path / "pictures", Image.new("RGB", SIZE))
    (folder / "pose" / "0.txt").write_text("one two")
    with pytest.raises(DataError, match=r"0\.txt.*matrix"):
        list_views(folder)
    (folder / "color" / "0.png").write_bytes(b"no picture")
    view = View(folder / "color" / "0.png", POSE, INTRINSICS)
    with pytest.raises(DataError, match="as a picture"):
        picture_vectors(Model(bundle), [view], np.zeros((0, 3)), 0.02, [])


def test_a_scan_is_parted_anew_when_its_pictures_change(
    bundle: Path, tmp_path: Path, cache_file: Path, monkeypatch: pytest.MonkeyPatch
):
    model, path = Model(bundle), tmp_path / "room.ply"
    clip3d.write(furnished_room(8000).cloud, path)
    folder = posed(tmp_path / "pictures", Image.new("RGB", SIZE, (0, 255, 0)))
    settle()
    calls, real = [], opening.part_scan
    monkeypatch.setattr(opening, "part_scan", lambda *a, **k: calls.append(1) or real(*a, **k))
    with VectorCache() as cache:
        first = opening.open_scene(path, model, pictures=folder, cache=cache)
        assert any("pictures" in note for note in first.parted.notes)
        again = opening.open_scene(path, model, pictures=folder, cache=cache)
        assert len(calls) == 1
        assert np.array_equal(again.parted.vectors, first.parted.vectors)
        Image.new("RGB", (80, 60)).save(folder / "color" / "0.png")
        opening.open_scene(path, model, pictures=folder, cache=cache)
        opening.open_scene(path, model, cache=cache)
        assert len(calls) == 3

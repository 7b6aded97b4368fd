from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import sample_files

from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.reading import SUFFIXES


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_folders_are_searched_in_order_and_only_clouds_are_listed(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    for name in ("b.obj", "a.PLY", "b.mtl", "b.png", "notes.md", ".c.stl", "deep/er/z.glb", ".hidden/x.ply", "no"):
        (tmp_path / name).write_bytes(b"x")
    found = find_clouds([tmp_path])
    assert names(found.files) == ["a.PLY", "b.obj", "z.glb"]
    assert found.problems == []


def test_text_files_in_folders_count_when_they_begin_with_points(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("Hello world, these are chairs\n")
    (tmp_path / "labels.csv").write_text("path,label,count\na.ply,chair,3\n")
    (tmp_path / "points.txt").write_bytes(sample_files.xyz())
    (tmp_path / "named.csv").write_bytes(sample_files.csv())
    assert names(find_clouds([tmp_path]).files) == ["named.csv", "points.txt"]


def test_a_named_file_of_unknown_suffix_is_a_problem_with_the_formats(tmp_path: Path) -> None:
    for name in ("a.mtl", "b.png", "c"):
        (tmp_path / name).write_bytes(b"x")
    found = find_clouds([tmp_path / "a.mtl", tmp_path / "b.png", tmp_path / "c"])
    assert found.files == []
    assert len(found.problems) == 3
    assert all(suffix in str(found.problems[0]) for suffix in SUFFIXES)


def test_missing_paths_and_empty_folders_are_problems(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = find_clouds([tmp_path / "none.ply", tmp_path / "empty", "a\x00b"])
    assert len(found.problems) == 3
    assert "no such file" in found.problems[0].reason
    assert "no cloud file" in found.problems[1].reason
    assert ".glb" in found.problems[1].remedy


def test_files_named_twice_are_listed_once(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    path.write_bytes(b"x")
    assert find_clouds([path, tmp_path, str(tmp_path / "." / "a.ply")]).files == [path]


def test_links_out_of_the_folder_and_rings_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.ply").write_bytes(b"x")
    (inside / "own.ply").write_bytes(b"x")
    (inside / "link.ply").symlink_to(outside / "secret.ply")
    (inside / "folder").symlink_to(outside)
    (inside / "ring").symlink_to(inside)
    (inside / "gone.ply").symlink_to(inside / "nothing.ply")
    assert names(find_clouds([inside]).files) == ["own.ply"]


def test_one_path_will_do_in_place_of_a_list(tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_bytes(b"x")
    assert names(find_clouds(tmp_path).files) == ["a.ply"]
    assert names(find_clouds(str(tmp_path)).files) == ["a.ply"]


def test_a_folder_that_cannot_be_listed_is_a_problem(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "shut").mkdir()
    (tmp_path / "open" / "a.ply").write_bytes(b"x")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_clouds([tmp_path])
    assert names(found.files) == ["a.ply"]
    assert [problem.path for problem in found.problems] == [str(tmp_path / "shut")]
    alone = find_clouds([tmp_path / "shut"])
    assert len(alone.problems) == 1
    assert "Permission denied" in alone.problems[0].reason


def test_npz_files_in_folders_count_when_they_name_points(tmp_path: Path) -> None:
    np.savez(tmp_path / "vectors.npz", paths=np.array(["a.ply"]), vectors=np.zeros((1, 4)))
    np.savez(tmp_path / "cloud.npz", points=np.eye(3))
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04")
    assert names(find_clouds([tmp_path]).files) == ["cloud.npz", "torn.npz"]

"""A file is replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from clip3d.atomic import making_folder, replacing


def test_the_new_content_takes_the_old_ones_place(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file.txt", "new")]


def write_half(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write_half(path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file.txt", "old")]


def test_a_folder_appears_whole_also_where_an_empty_one_was(tmp_path: Path) -> None:
    for path in (tmp_path / "above" / "new", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with making_folder(path) as temporary:
            (temporary / "file.txt").write_text("new")
            assert not (path / "file.txt").exists()
        assert [p.name for p in path.iterdir()] == ["file.txt"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["above", "empty"]


def fill_half(path: Path) -> None:
    with making_folder(path) as temporary:
        (temporary / "file.txt").write_text("half")
        raise RuntimeError


def test_a_folder_half_filled_goes_away_and_a_full_one_is_kept(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        fill_half(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "old.txt").write_text("old")
    with pytest.raises(OSError, match="full"), making_folder(tmp_path / "full"):
        pass
    assert [p.name for p in tmp_path.rglob("*")] == ["full", "old.txt"]

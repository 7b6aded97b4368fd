"""`clip3d data simulate-rooms`: rooms, their things as a library, and what is refused."""

from __future__ import annotations

from pathlib import Path

from small_files import json_lines

from clip3d.data.library import read_library
from clip3d.data.rooms.reading import list_scenes, read_scene


def test_rooms_and_their_things_are_written(tmp_path: Path, command_line):
    words = ["data", "simulate-rooms", tmp_path / "rooms", "--rooms", "1", "--use", "bathroom", "--views", "8"]
    words += ["--seed", "2", "--workers", "1", "--segments", "--json"]
    done = command_line(*words)
    assert done.returncode == 0, done.stderr
    (record,) = json_lines(done.stdout)
    assert (record["rooms"], record["written"]) == (1, 1)
    (path,) = list_scenes(tmp_path / "rooms")
    assert read_scene(path).facts["use"] == "bathroom"
    assert len(read_library(tmp_path / "rooms" / "segments.npz")) == record["segments"] > 0
    again = command_line(*words)
    assert json_lines(again.stdout)[0]["written"] == 0


def test_what_cannot_be_is_refused(tmp_path: Path, command_line):
    for options, told in (
        (["--use", "attic"], "no use 'attic'"),
        (["--pictures", "64", "--scanner", "terrestrial"], "need the scanner camera"),
        (["--cell", "0.15", "--scanner", "phone"], "'phone' is not one of"),
    ):
        done = command_line("data", "simulate-rooms", tmp_path / "rooms", *options)
        assert done.returncode == 2
        assert told in " ".join(done.stderr.split())
    missing = tmp_path / "library.npz"
    done = command_line("data", "simulate-rooms", tmp_path / "rooms", "--rooms", "1", "--library", missing)
    assert done.returncode != 0
    assert "there is no such file" in " ".join(done.stderr.split())

"""Simulated logs in ONCE's layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from clip3d.lidar.reading import read_log
from clip3d.simulation.driving.logs import ONCE_CAMERAS, Drive, log_name, make_log
from clip3d.simulation.driving.making import make_logs

pytest.importorskip("embreex")

DRIVE = Drive(frames=2, seed=5, sensor="vlp-16", cameras=2, picture=48, place="residential street")


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_both_layouts_hold_the_same(tmp_path: Path) -> None:
    make_log(DRIVE, 1, tmp_path / "plain")
    made = make_logs(DRIVE, 2, tmp_path / "once", layout="once")
    assert (made.logs, made.frames, made.written, made.problems) == (2, 4, 4, [])
    name = log_name(DRIVE, 1)
    plain = read_log(tmp_path / "plain" / name)
    once = read_log(tmp_path / "once" / "data" / name)
    assert (once.source, len(once), once.problems) == ("once", 2, ())
    assert once[1].timestamp - once[0].timestamp == pytest.approx(0.5)
    for mine, other in zip(plain, once, strict=True):
        assert other.problems == ()
        assert np.allclose(other.sweep.points, mine.sweep.points, atol=0.002)
        assert np.array_equal(other.sweep.intensity, mine.sweep.intensity)
        assert mine.world_from_lidar is not None
        assert other.world_from_lidar is not None
        assert np.allclose(other.world_from_lidar, mine.world_from_lidar)
        assert mine.boxes
        assert other.boxes is not None
        for box, same in zip(mine.boxes, other.boxes, strict=True):
            assert (same.label, same.size, same.track) == (box.label, box.size, box.track)
            assert np.allclose(same.center, box.center)
            assert np.cos(same.yaw - box.yaw) == pytest.approx(1)
            assert same.rectangles == {ONCE_CAMERAS[camera]: at for camera, at in box.rectangles.items()}
            assert same.attributes["words"] == box.attributes["words"]
        for camera, shown in mine.pictures.items():
            again = other.pictures[ONCE_CAMERAS[camera]]
            assert np.allclose(again.camera.camera_from_lidar, shown.camera.camera_from_lidar)
            assert np.array_equal(again.camera.intrinsics, shown.camera.intrinsics)
            assert np.array_equal(np.asarray(again.load()), np.asarray(shown.load()))
        assert other.metadata["caption"] == mine.metadata["caption"]
        assert other.metadata["captions"]["cam01"] == mine.metadata["captions"]["front"]
        assert other.metadata["split"] == "train"
    assert len(read_log(tmp_path / "once")) == 4


def test_a_run_that_was_cut_short_goes_on_to_equal_files(tmp_path: Path) -> None:
    make_logs(DRIVE, 2, tmp_path / "whole", layout="once")
    make_logs(DRIVE, 2, tmp_path / "cut", layout="once", workers=2)
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")
    sequence = tmp_path / "cut" / "data" / log_name(DRIVE, 1)
    path = sequence / f"{sequence.name}.json"
    path.write_bytes(path.read_bytes()[:-300])  # as if the process had been killed while it wrote
    (sequence / "lidar_roof" / ".1600003600500.bin.0123abcd.part").write_bytes(b"half")
    (sequence / ".hidden").write_text("of somebody else")
    assert make_logs(DRIVE, 2, tmp_path / "cut", layout="once").written == 1
    assert (sequence / ".hidden").is_file()
    (sequence / ".hidden").unlink()
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")
    assert make_logs(DRIVE, 2, tmp_path / "cut", layout="once").written == 0
    frames = json.loads(path.read_text())["frames"]
    assert [frame["frame_id"] for frame in frames] == ["1600003600000", "1600003600500"]


def test_another_log_is_not_written_over_and_splits_add_up(tmp_path: Path) -> None:
    small = Drive(frames=1, seed=5, sensor="vlp-16", cameras=0, place="rural road")
    make_logs(small, 1, tmp_path, layout="once")
    held_out = Drive(frames=1, seed=5, sensor="vlp-16", cameras=0, place="rural road", shapes="held-out")
    make_logs(held_out, 1, tmp_path, layout="once")
    make_logs(Drive(frames=1, seed=6, sensor="vlp-16", cameras=0, place="rural road"), 1, tmp_path, layout="once")
    other = Drive(frames=1, seed=5, sensor="hdl-32e", cameras=0, place="rural road")
    result = make_logs(other, 1, tmp_path, layout="once")
    assert result.logs == 0
    assert "another log stands here" in str(result.problems[0])
    lists = tmp_path / "ImageSets"
    assert (lists / "train.txt").read_text().split() == ["street-0005-00000", "street-0006-00000"]
    assert (lists / "val.txt").read_text().split() == ["held-out-0005-00000"]

"""Logs that are made, read back, cut short and gone on with."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clip3d.errors import FrameError, ShapeError
from clip3d.lidar.reading import read_log
from clip3d.simulation import processes
from clip3d.simulation.driving.logs import Drive, log_name, make_log
from clip3d.simulation.driving.making import make_logs

TINY = Drive(frames=2, seed=5, sensor="vlp-16", cameras=0, place="rural road")


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_log_is_read_back_with_boxes_poses_and_words(tmp_path: Path):
    assert make_log(TINY, 0, tmp_path) == 2
    log = read_log(tmp_path / log_name(TINY, 0))
    assert len(log) == 2
    assert not log.problems
    frame = log[1]
    assert frame.timestamp == pytest.approx(0.5)
    assert len(frame.sweep) > 3000
    assert frame.sweep.ring is not None
    assert frame.world_from_lidar is not None
    assert frame.boxes is not None
    assert frame.metadata["place"] == "rural road"
    assert "rural road" in frame.metadata["caption"]
    assert "rural road" in frame.metadata["terms"]
    for box in frame.boxes:
        assert box.track
        assert box.attributes["words"]


def test_a_run_that_was_cut_short_goes_on_to_equal_files(tmp_path: Path):
    make_logs(TINY, 2, tmp_path / "whole")
    make_logs(TINY, 2, tmp_path / "cut")
    log = tmp_path / "cut" / log_name(TINY, 1)
    lines = (log / "poses.csv").read_text().splitlines(keepends=True)
    (log / "poses.csv").write_text("".join(lines[:-1]) + lines[-1][:9])  # as if the process had been killed there
    (log / "clouds" / "000001.npz").unlink()
    (log / "clouds" / ".000001.npz.89abcdef.part").write_bytes(b"half")
    shutil.rmtree(tmp_path / "cut" / log_name(TINY, 0))
    result = make_logs(TINY, 2, tmp_path / "cut")
    assert result.written == 3
    assert result.logs == 2
    assert not result.problems
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")
    assert make_logs(TINY, 2, tmp_path / "cut").written == 0


def test_workers_change_nothing(tmp_path: Path):
    make_logs(TINY, 2, tmp_path / "one")
    seen: list[tuple[int, int]] = []
    make_logs(TINY, 2, tmp_path / "two", workers=2, progress=lambda done, total: seen.append((done, total)))
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert seen[-1] == (4, 4)


def test_a_log_that_cannot_be_written_does_not_stop_the_others(tmp_path: Path):
    (tmp_path / log_name(TINY, 0)).write_text("in the way")
    result = make_logs(TINY, 2, tmp_path)
    assert result.logs == 1
    assert len(result.problems) == 1
    assert log_name(TINY, 0) in str(result.problems[0])


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": 0},
        {"rate": 0.0},
        {"frames": 6000, "rate": 2.0},
        {"sensor": "none"},
        {"place": "moon"},
        {"cameras": 9},
        {"shapes": "heldout"},
        {"period": "noon"},
        {"weather": "windy"},
        {"mix": "even"},
        {"mix": None},
    ],
)
def test_drives_that_make_no_sense_are_refused(wrong: dict):
    with pytest.raises(ShapeError):
        Drive(**wrong)


def test_logs_of_another_mix_do_not_take_up_those_that_stand_there(tmp_path: Path):
    make_log(TINY, 0, tmp_path)
    # logs from before there was a choice of mixes, which say nothing of it, are gone on with
    assert "mix" not in json.loads((tmp_path / log_name(TINY, 0) / "metadata.json").read_text())["drive"]
    with pytest.raises(FrameError, match="another log"):
        make_log(replace(TINY, mix="balanced"), 0, tmp_path)
    assert make_log(TINY, 0, tmp_path) == 0


def test_conditions_that_are_asked_for_are_those_of_the_log(tmp_path: Path):
    drive = Drive(1, seed=1, sensor="vlp-16", cameras=0, period="night", weather="foggy", place="motorway")
    make_log(drive, 0, tmp_path)
    frame = read_log(tmp_path / log_name(drive, 0))[0]
    assert (frame.metadata["period"], frame.metadata["weather"]) == ("night", "foggy")
    assert np.linalg.norm(frame.sweep.points, axis=1).max() < 100


def test_workers_that_are_ended_are_told_log_by_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Ended:
        """A pool whose workers the system ended: a log that was begun fails, and no other can be begun."""

        def __init__(self, *arguments, **named):
            self.begun = 0

        def submit(self, *arguments):
            self.begun += 1
            if self.begun > 1:
                raise BrokenProcessPool("ended")
            future = Future()
            future.set_exception(BrokenProcessPool("ended"))
            return future

        def shutdown(self, *, cancel_futures):
            assert cancel_futures

    monkeypatch.setattr(processes, "ProcessPoolExecutor", Ended)
    made = make_logs(TINY, 6, tmp_path, workers=2)
    assert (made.logs, len(made.problems)) == (0, 6)
    assert all("was ended" in problem.reason for problem in made.problems)

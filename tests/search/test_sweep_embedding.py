"""Logs and sweeps become vectors: one for each camera of each frame, kept by the cache, bad frames passed over."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driving_logs import sweep
from kitti_files import sweep_bytes, write_object
from small_files import settle
from sweep_bundles import TINY, sweep_bundle

import clip3d
from clip3d.lidar.frame import Frames
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.views import views
from clip3d.lidar.wedge import wedge
from clip3d.lidar.writing import LogWriter
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.sweep_embedding import FRAMES, embed_sweeps
from clip3d.search.sweep_sources import find_sweeps


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return sweep_bundle(tmp_path_factory.mktemp("model"), **TINY)


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    write_object(tmp_path / "drive", frames=3)
    return tmp_path / "drive"


@pytest.fixture
def cache(tmp_path: Path) -> VectorCache:
    return VectorCache(tmp_path / "vectors.db")


def test_each_camera_of_each_frame_has_the_vector_of_what_it_sees(
    model: Model, drive: Path, cache: VectorCache
) -> None:
    told: list[tuple[int, int]] = []
    done = embed_sweeps(model, find_sweeps([drive]).logs, cache=cache, progress=lambda *now: told.append(now))
    assert done.names == [f"{drive / 'velodyne' / f'{at:06d}.bin'}#image_2" for at in range(3)]
    frusta = [view.frustum for frame in clip3d.read_log(drive) for view in views(frame)]
    np.testing.assert_allclose(done.vectors, model.encode_sweeps(frusta), atol=1e-5)
    assert (done.problems, done.computed, told) == ([], 3, [(0, 3), (3, 3)])


def test_a_second_run_reads_nothing_and_another_calibration_is_another_view(
    model: Model, drive: Path, cache: VectorCache
) -> None:
    settle()
    first = embed_sweeps(model, find_sweeps([drive]).logs, cache=cache)
    second = embed_sweeps(model, find_sweeps([drive]).logs, cache=cache)
    assert (first.computed, second.computed) == (3, 0)
    np.testing.assert_array_equal(first.vectors, second.vectors)
    moved = drive.rename(drive.with_name("elsewhere"))  # read again, and known by its content
    assert embed_sweeps(model, find_sweeps([moved]).logs, cache=cache).computed == 0
    lines = (moved / "calib" / "000001.txt").read_text().splitlines()
    tilted = [line.replace("R0_rect: 1", "R0_rect: 0.99995") for line in lines]
    shifted = [f"{line[:-1]}9" if line.startswith("Tr_velo_to_cam") else line for line in tilted]
    (moved / "calib" / "000001.txt").write_text("\n".join(shifted) + "\n")
    assert embed_sweeps(model, find_sweeps([moved]).logs, cache=cache).computed == 1


def test_sweeps_are_read_while_the_tower_encodes(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_object(tmp_path / "drive", frames=FRAMES + 1)
    log = clip3d.read_log(tmp_path / "drive")
    last_is_read, encode, seen = threading.Event(), model.encode_prepared_sweeps, []

    def load(at: int) -> Sweep:
        if at == FRAMES:
            last_is_read.set()
        return log[at].sweep

    def encode_late(prepared: Iterable[np.ndarray], **options: Any) -> np.ndarray:
        seen.append(last_is_read.wait(30))
        return encode(prepared, **options)

    frames = Frames([str(at) for at in range(len(log))], lambda at: replace(log[at], load_sweep=partial(load, at)))
    monkeypatch.setattr(model, "encode_prepared_sweeps", encode_late)
    done = embed_sweeps(model, [replace(log, frames=frames)], cache=VectorCache.disabled())
    assert (done.computed, seen) == (FRAMES + 1, [True, True])


def test_bad_frames_are_told_and_the_rest_goes_on(model: Model, drive: Path, cache: VectorCache) -> None:
    (drive / "velodyne" / "000000.bin").write_bytes(b"abc")
    (drive / "calib" / "000002.txt").write_text("nonsense")
    done = embed_sweeps(model, find_sweeps([drive]).logs, cache=cache)
    assert [Path(name).name for name in done.names] == ["000001.bin#image_2"]
    assert sorted(Path(problem.path).name for problem in done.problems) == ["000000.bin", "000002.bin"]


def test_a_log_that_cannot_be_opened_hides_none_beside_it(drive: Path, tmp_path: Path) -> None:
    write_object(tmp_path / "also", frames=1)
    (tmp_path / "bad" / "clouds").mkdir(parents=True)
    (tmp_path / "bad" / "calibration.toml").write_text("no [toml")
    found = find_sweeps([tmp_path])
    assert sorted(log.path.name for log in found.logs) == ["also", "drive"]
    assert [Path(problem.path).name for problem in found.problems] == ["calibration.toml"]
    assert found.others == []


def test_a_sweep_without_cameras_is_seen_in_quarters(model: Model, tmp_path: Path, cache: VectorCache) -> None:
    path = tmp_path / "000008.bin"
    path.write_bytes(sweep_bytes(sweep(4)))
    done = embed_sweeps(model, find_sweeps([path]).logs, cache=cache)
    assert [name.partition("#")[2] for name in done.names] == ["ahead", "left", "behind", "right"]
    quarters = [wedge(clip3d.read_sweep(path), heading) for heading in (0, np.pi / 2, np.pi, -np.pi / 2)]
    np.testing.assert_allclose(done.vectors, model.encode_sweeps(quarters), atol=1e-5)


def test_a_sweep_of_a_written_log_is_told_by_what_it_holds(tmp_path: Path) -> None:
    LogWriter(tmp_path / "log").append("a", sweep(1))
    np.savez(tmp_path / "chair.npz", points=np.zeros((4, 3), np.float32))
    (tmp_path / "broken.npz").write_bytes(b"PK")
    others = [tmp_path / "chair.npz", tmp_path / "broken.npz"]
    found = find_sweeps([tmp_path / "log" / "clouds" / "a.npz", *others])
    assert [len(log[0].sweep) for log in found.logs] == [400]
    assert found.others == others


def test_a_folder_of_clouds_is_no_log_unless_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "clouds").mkdir()
    np.savez(tmp_path / "clouds" / "chair.npz", points=np.ones((4, 3), np.float32))
    assert find_sweeps([tmp_path]).others == [tmp_path]
    assert [log.source for log in find_sweeps([tmp_path], every=True).logs] == ["plain"]
    (tmp_path / "poses.csv").write_text("key,timestamp\nchair,1.0\n")
    assert [log.source for log in find_sweeps([tmp_path]).logs] == ["plain"]


def test_logs_are_told_from_other_things(drive: Path, tmp_path: Path) -> None:
    chair = tmp_path / "chair.off"
    chair.write_text("OFF\n")
    folder = tmp_path / "assets"
    folder.mkdir()
    found = find_sweeps([tmp_path, chair, folder])
    assert [log.path for log in found.logs] == [drive]
    assert found.others == [chair, folder]
    assert found.frames == 3
    unknown = find_sweeps([chair, folder], every=True)
    assert (unknown.logs, unknown.others) == ([], [])
    assert len(unknown.problems) == 2

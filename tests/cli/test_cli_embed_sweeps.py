"""`clip3d embed` on driving logs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kitti_files import write_object
from small_files import box, json_lines, make_bundle, write_off
from sweep_bundles import TINY, sweep_bundle


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweep_bundle(tmp_path_factory.mktemp("model"), **TINY).folder


def test_a_log_and_an_object_lie_in_one_file(run_cli, model: Path, tmp_path: Path) -> None:
    write_object(tmp_path / "drive", frames=2)
    shape = write_off(tmp_path / "box.off", box(1, 2, 3))
    out = tmp_path / "vectors.npz"
    done = run_cli("embed", tmp_path / "drive", shape, "-o", out, "--model", model, "--json")
    assert done.returncode == 0, done.stderr
    assert json_lines(done.stdout)[0]["n"] == 3
    paths = np.load(out)["paths"].tolist()
    sweeps = [f"{tmp_path / 'drive' / 'velodyne' / f'{at:06d}.bin'}#image_2" for at in (0, 1)]
    assert paths == [str(shape), *sweeps]


def test_a_damaged_sweep_is_named_and_fails_the_run(run_cli, model: Path, tmp_path: Path) -> None:
    write_object(tmp_path / "drive", frames=2)
    (tmp_path / "drive" / "velodyne" / "000001.bin").write_bytes(b"abc")
    done = run_cli("embed", tmp_path / "drive", "-o", tmp_path / "v.npz", "--model", model)
    assert done.returncode == 1
    assert "000001.bin: " in done.stderr
    assert "1 failed, 1 done" in done.stderr


def test_sweeps_may_be_taken_for_objects_and_objects_not_for_sweeps(run_cli, model: Path, tmp_path: Path) -> None:
    write_object(tmp_path / "drive", frames=1)
    out = tmp_path / "v.npz"
    done = run_cli("embed", tmp_path / "drive", "-o", out, "--model", model, "--as", "clouds")
    assert done.returncode == 0, done.stderr
    assert np.load(out)["paths"].tolist() == [str(tmp_path / "drive" / "velodyne" / "000000.bin")]
    without = make_bundle(tmp_path / "without")
    done = run_cli("embed", tmp_path / "drive", "-o", out, "--model", without, "--as", "sweeps")
    assert done.returncode == 2
    assert "has no sweep tower" in done.stderr


def test_a_log_is_refused_by_a_model_without_a_sweep_tower_and_objects_beside_it_are_not(
    run_cli, tmp_path: Path
) -> None:
    write_object(tmp_path / "things" / "drive", frames=1)
    shape = write_off(tmp_path / "things" / "box.off", box(1, 2, 3))
    out, without = tmp_path / "v.npz", make_bundle(tmp_path / "without")
    done = run_cli("embed", tmp_path / "things", "-o", out, "--model", without)
    assert done.returncode == 1
    assert "is a driving log, and the model" in done.stderr
    assert "--as clouds" in done.stderr
    assert np.load(out)["paths"].tolist() == [str(shape)]

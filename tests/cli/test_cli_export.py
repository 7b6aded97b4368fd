"""`export`: what is told of the file, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_files import json_lines


@pytest.mark.skipif(
    tuple(map(int, torch.__version__.split(".")[:2])) < (2, 13), reason="older versions of torch export less"
)
def test_export_tells_what_it_wrote(run_cli, bundle: Path, tmp_path: Path):
    path = tmp_path / "a folder" / "cloud.pt2"
    done = run_cli("export", "-o", path, "--model", bundle, "--json")
    assert done.returncode == 0, done.stderr
    (record,) = json_lines(done.stdout)
    assert (record["path"], record["tower"], record["opset"]) == (str(path), "cloud", None)
    assert (record["inputs"][0]["name"], record["inputs"][0]["shape"]) == ("points", ["batch", "points", 3])
    assert record["difference"] <= 1e-4
    assert record["bytes"] == path.stat().st_size


def test_export_refuses_points_of_a_picture(run_cli, bundle: Path, tmp_path: Path):
    done = run_cli("export", "--tower", "image", "--points", 64, "-o", tmp_path / "a.pt2", "--model", bundle)
    assert done.returncode == 2
    assert "only clouds have points" in done.stderr


def test_a_file_that_ends_as_another_format_does_is_refused(run_cli, bundle: Path, tmp_path: Path):
    done = run_cli("export", "--format", "torch", "-o", tmp_path / "a.onnx", "--model", bundle)
    assert done.returncode == 2
    assert "ends as a file of --format onnx does" in done.stderr
    assert not list(tmp_path.glob("*.onnx*"))

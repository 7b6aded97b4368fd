"""`clip3d data build`: sources chosen by name, failures told, what is there kept."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from clip3d.clouds.cloud import PointCloud
from clip3d.data.library import Entry, read_library
from clip3d.data.sources import SOURCES, Source
from clip3d.errors import DataError


def fetch(package: str, folder: Path) -> Path:
    if package == "unreachable":
        raise DataError(folder / package, "is not there", "bring it by hand")
    return folder / package


def spheres(package: Path, /, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    generator = np.random.default_rng(0)
    if package.name == "empty":
        return
    progress("two spheres")
    for number in range(2):
        xyz = generator.normal(size=(points, 3))
        cloud = PointCloud(xyz / np.linalg.norm(xyz, axis=1, keepdims=True))
        yield Entry(cloud, ("sphere",), f"sphere {number}", "test", "CC0-1.0")


@pytest.fixture(autouse=True)
def two_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    named = [("good", "here"), ("bad", "unreachable"), ("void", "empty")]
    sources = tuple(Source(name, package, fetch, spheres, 0.1, "CC0-1.0") for name, package in named)
    monkeypatch.setattr("clip3d.data.sources.SOURCES", sources)


def test_a_source_that_fails_is_told_and_the_others_go_on(run_cli, tmp_path: Path) -> None:
    done = run_cli("data", "build", tmp_path, "--only", "bad,void,good", "--json")
    assert done.returncode == 1
    record = json.loads(done.stdout)
    assert (record["path"], record["n"]) == (str(tmp_path / "good.npz"), 2)
    assert "is not there (bring it by hand)" in done.stderr
    assert "no model in it could be read" in done.stderr
    assert "2 failed, 1 done" in done.stderr


def test_what_is_there_is_kept(run_cli, tmp_path: Path) -> None:
    assert run_cli("data", "build", tmp_path, "--only", "good").returncode == 0
    before = (tmp_path / "good.npz").stat().st_mtime_ns
    done = run_cli("data", "build", tmp_path, "--only", "good")
    assert "is there already" in done.stderr
    assert (tmp_path / "good.npz").stat().st_mtime_ns == before
    assert read_library(tmp_path / "good.npz").captions.tolist() == ["sphere", "sphere"]


def test_an_unknown_source_is_a_wrong_command(run_cli, tmp_path: Path) -> None:
    done = run_cli("data", "build", tmp_path, "--only", "good,furnitur")
    assert done.returncode == 2
    known = "good, bad, void, procedural-home, procedural-things, procedural-outdoors, procedural-rooms"
    assert f"'furnitur' is none of {known}" in " ".join(done.stderr.split())


def test_sources_have_names_of_their_own_and_a_licence() -> None:
    assert len({source.name for source in SOURCES}) == len(SOURCES)
    assert {"furniture", "0ad", "megaglest"} <= {source.name for source in SOURCES}
    assert all(source.licence and 0 < source.held_out_share < 0.5 for source in SOURCES)

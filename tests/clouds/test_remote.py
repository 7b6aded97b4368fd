"""Clouds by URI, in fsspec's memory and a ZIP file: read, listed, embedded, and what is said where that fails."""

from __future__ import annotations

import copy
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clip3d.clouds import remote
from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.reading import read
from clip3d.clouds.remote import RemotePath, as_path
from clip3d.clouds.writing import write
from clip3d.errors import CloudError, ImageError, MissingExtra
from clip3d.search.pictures import open_image

fsspec = pytest.importorskip("fsspec")
POINTS = np.random.default_rng(0).uniform(-1, 1, (40, 3)).astype(np.float32)


@pytest.fixture
def memory(tmp_path: Path) -> Any:
    """fsspec's memory with three clouds, among other files."""
    write(PointCloud(POINTS, unit="cm"), tmp_path / "a.ply")
    data = (tmp_path / "a.ply").read_bytes()
    system = fsspec.filesystem("memory")
    names = ["a.ply", "deep/b c.PLY", "deep/er/d.xyz", "readme.md", "table.csv", ".hidden.ply", ".git/e.ply"]
    for name in names:
        system.pipe(f"/store/{name}", b"0 0 1\n1 0 0\n0 1 0\n" if name.endswith("xyz") else data)
    yield system
    system.rm("/store", recursive=True)


@pytest.fixture
def packed(tmp_path: Path, memory: Any) -> Path:
    path = tmp_path / "shapes.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "a.ply", "a.ply")
        archive.write(tmp_path / "a.ply", "deep/b.ply")
    return path


def refused(uri: str) -> CloudError:
    with pytest.raises(CloudError) as caught:
        read(uri)
    assert caught.value.path == uri
    assert caught.value.remedy or isinstance(caught.value.__cause__, MissingExtra)
    return caught.value


def test_a_cloud_is_read_by_its_uri(memory: Any) -> None:
    cloud = read("memory://store/a.ply")
    assert np.array_equal(cloud.points, POINTS)
    assert cloud.unit == "cm"
    assert [str(path) for path in (cloud.path, *cloud.sources)] == ["memory://store/a.ply"] * 2
    assert len(read("memory://store/deep/b c.PLY")) == 40


def test_options_of_reading_hold_for_uris(memory: Any) -> None:
    cloud = read("memory://store/a.ply", up="y", unit="m")
    assert (cloud.up, cloud.unit, cloud.frame_source) == ("y", "m", "user")


def test_a_cloud_in_a_zip_file_and_one_whose_archive_is_remote(packed: Path, memory: Any) -> None:
    assert np.array_equal(read(f"zip://deep/b.ply::{packed}").points, POINTS)
    memory.pipe("/store/shapes.zip", packed.read_bytes())
    assert np.array_equal(read("zip://a.ply::memory://store/shapes.zip").points, POINTS)


@pytest.mark.parametrize("uri", ["memory://store", "memory://store/"])
def test_folders_are_listed_without_hidden_and_ambiguous_files(memory: Any, uri: str) -> None:
    found = find_clouds([uri, "memory://store/a.ply"])
    assert [str(file) for file in found.files] == [
        "memory://store/a.ply",
        "memory://store/deep/b c.PLY",
        "memory://store/deep/er/d.xyz",
    ]
    assert not found.problems
    assert [len(read(file)) for file in found.files] == [40, 40, 3]


def test_zip_files_are_listed(packed: Path) -> None:
    files = find_clouds(f"zip://::{packed}").files
    assert [str(file) for file in files] == [f"zip://a.ply::{packed}", f"zip://deep/b.ply::{packed}"]
    assert [str(file) for file in find_clouds(f"zip://deep::{packed}").files] == [f"zip://deep/b.ply::{packed}"]
    assert len(read(files[1])) == 40


def test_places_that_are_missing_or_hold_no_cloud(memory: Any) -> None:
    assert "no such file" in refused("memory://store/none.ply").reason
    for uri, reason in (
        ("memory://nowhere", "no such file or folder"),
        ("memory://store/readme.md", "does not read files named readme.md"),
        ("memory://store/deep/none", "no such file or folder"),
    ):
        (problem,) = find_clouds(uri).problems
        assert problem.path == uri
        assert reason in problem.reason
    memory.pipe("/store/words/readme.md", b"words")
    assert "no cloud file" in find_clouds("memory://store/words").problems[0].reason


def test_what_is_wrong_with_a_file_is_told_of_its_uri(memory: Any) -> None:
    memory.pipe("/store/bad.ply", b"ply\nformat ascii 1.0\n")
    assert "clip3d-" not in str(refused("memory://store/bad.ply"))
    assert "does not read" in refused("memory://store/readme.md").reason


def test_unknown_protocols_and_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nosuch" in refused("nosuch://bucket/a.ply").reason
    for package in ("s3fs", "fsspec.core"):
        monkeypatch.setitem(sys.modules, package, None)
        error = refused("s3://bucket/a.ply")
        assert package.split(".")[0] in error.reason
    assert isinstance(error.__cause__, MissingExtra)
    assert "clip3d[remote]" in str(error)


def test_what_a_store_raises_becomes_an_error_with_the_uri(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the key is not valid")

    monkeypatch.setattr(type(memory), "_open", broken)
    assert "RuntimeError: the key is not valid" in refused("memory://store/a.ply").reason
    monkeypatch.setattr(type(memory), "walk", broken)
    assert "the key is not valid" in find_clouds("memory://store").problems[0].reason


def test_large_files_and_long_lists_are_refused(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_COPIED_BYTES", 100)
    assert "more than 4 GiB" in refused("memory://store/a.ply").reason
    monkeypatch.setattr(remote, "MAX_LISTED", 2)
    assert "more than 2 files" in find_clouds("memory://store").problems[0].reason


def test_copies_do_not_stay(memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "copies").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "copies"))
    read("memory://store/a.ply")
    refused("memory://store/none.ply")
    assert not list((tmp_path / "copies").iterdir())


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("s3://bucket/a b/c.tar.ply", "c.tar.ply"),
        ("https://host/c.ply?key=a/b.txt#d", "c.ply"),
        ("zip://a/c.ply::s3://bucket/d.zip", "c.ply"),
        ("simplecache::zip://c.ply::s3://bucket/d.zip", "c.ply"),
        ("zip://::/home/d.zip", ""),
    ],
)
def test_a_uri_has_a_name_and_stays_as_it_is(uri: str, name: str) -> None:
    path = as_path(uri)
    assert isinstance(path, RemotePath)
    assert (str(path), path.name, path.suffix) == (uri, name, ".ply" if name else "")
    assert str(copy.deepcopy(path)) == uri
    assert path == as_path(uri)


def test_keys_of_a_bucket_that_differ_by_a_slash_are_two(memory: Any) -> None:
    uris = ["s3://b/x//a.ply", "s3://b/x/a.ply", "s3://b/x/A.ply"]
    assert [str(file) for file in find_clouds([*uris, uris[0]]).files] == uris
    assert len({as_path(uri) for uri in uris}) == 3


@pytest.mark.parametrize("name", ["..\\..\\b.pcd.bin", "C:\\b.pcd.bin", "a" * 300 + "b.pcd.bin", "C:b.pcd.bin"])
def test_a_name_leads_out_of_the_folder_of_copies_on_no_system(memory: Any, name: str) -> None:
    memory.pipe(f"/store/{name}", b"x")
    with remote.local_copy(as_path(f"memory://store/{name}")) as copied:
        assert copied.name.endswith("b.pcd.bin")
        assert not set(copied.name) & set("\\:/")
        assert copied.parent.name.startswith("clip3d-")


def test_problems_with_pictures_name_their_uri(memory: Any) -> None:
    memory.pipe("/store/bad.png", b"no picture")
    uri = as_path("memory://store/bad.png")
    with pytest.raises(ImageError) as caught, remote.local_copy(uri) as copied:
        open_image(copied)
    assert caught.value.path == str(uri)


@pytest.mark.parametrize("name", ["a/b.ply", "C:\\a.ply", "c:/a.ply", "./zip:/a"])
def test_paths_stay_paths(name: str) -> None:
    assert not isinstance(as_path(name), RemotePath)

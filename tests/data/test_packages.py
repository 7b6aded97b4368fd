"""Packages: those that lie there are taken, others are asked of their clients, and failures say what to do."""

import os
import zipfile
from pathlib import Path

import pytest
from package_files import write_deb

from clip3d.data.packages import deb_files, fetch_npm, fetch_pypi, read_deb, unpack_deb_file
from clip3d.errors import DataError


def test_a_package_that_lies_there_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    wheel = tmp_path / "two_words-1.2-py3-none-any.whl"
    tgz = tmp_path / "scope-name-1.0.0.tgz"
    wheel.touch()
    tgz.touch()
    assert fetch_pypi("two-words==1.2", tmp_path) == wheel
    assert fetch_npm("@scope/name@1.0.0", tmp_path) == tgz


def test_pip_brings_a_wheel_into_a_folder_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    with zipfile.ZipFile(shelf / "two_words-1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr("two_words-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: two-words\nVersion: 1.2\n")
        wheel.writestr("two_words-1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("two_words-1.2.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.chdir(tmp_path)
    assert fetch_pypi("two-words==1.2", Path("new/packages")).is_file()


def test_npm_packs_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text('#!/bin/sh\necho "$@" > scope-name-1.0.0.tgz\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}{os.pathsep}{os.environ['PATH']}")
    assert fetch_npm("@scope/name@1.0.0", tmp_path / "new").read_text() == "pack --silent @scope/name@1.0.0\n"


def test_without_a_client_the_remedy_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(DataError, match="nothing_here-1-"):
        fetch_pypi("nothing-here==1", tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match=r"bring name-1\.tgz into"):
        fetch_npm("name@1", tmp_path)


def test_files_of_a_deb_can_be_chosen_by_name(tmp_path: Path) -> None:
    deb = write_deb(tmp_path / "p.deb", {"usr/a": b"1", "usr/b": b"2"})
    assert {name: content.read() for name, content in deb_files(deb)} == {"usr/a": b"1", "usr/b": b"2"}
    assert [name for name, _ in deb_files(deb, keep=lambda name: name.endswith("b"))] == ["usr/b"]


def test_links_between_chosen_files_count_as_files(tmp_path: Path) -> None:
    links = {"usr/b/two": "../a/one", "usr/b/lost": "../a/none", "usr/b/out": "/etc/passwd"}
    deb = write_deb(tmp_path / "p.deb", {"usr/a/one": b"1", "etc/passwd": b"2"}, links)
    assert read_deb(deb, keep=lambda name: name.startswith("usr/")) == {"usr/a/one": b"1", "usr/b/two": b"1"}


def test_one_file_of_a_deb_goes_to_disk(tmp_path: Path) -> None:
    deb = write_deb(tmp_path / "p.deb", {"usr/a": b"1" * 5000, "usr/b": b"2"})
    unpack_deb_file(deb, "usr/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"1" * 5000
    with pytest.raises(DataError, match="holds no usr/c"):
        unpack_deb_file(deb, "usr/c", tmp_path / "c")


@pytest.mark.parametrize("content", [b"", b"!<arch>\n", b"no archive", b"!<arch>\n" + b"x" * 60])
def test_what_is_no_deb_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.deb").write_bytes(content)
    with pytest.raises(DataError):
        read_deb(tmp_path / "p.deb", keep=lambda name: True)


def test_a_damaged_deb_is_refused(tmp_path: Path) -> None:
    deb = write_deb(tmp_path / "p.deb", {"usr/a": b"1" * 5000})
    deb.write_bytes(deb.read_bytes()[:3000])
    with pytest.raises(DataError, match="cannot be read"):
        read_deb(deb, keep=lambda name: True)

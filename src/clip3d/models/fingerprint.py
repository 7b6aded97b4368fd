"""What a file holds, told by its content: the file and all that it names (materials, textures)."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# What the file system says of a file: size, time of last change of its bytes, and of its entry, in nanoseconds.
# None where there is no such file.
Stamp = tuple[int, int, int] | None

# The clocks of file systems lag behind the system's by up to this many nanoseconds (Linux: one tick).
CLOCK_LAG = 20_000_000


@dataclass(frozen=True)
class Fingerprint:
    """Content of one object on disk.

    Attributes:
        content: hex digest over the bytes of all sources, in order, and the suffix of the first;
            it does not depend on names or places, so a moved file keeps it.
        sources: absolute paths of the files that make up the object.
        stamps: what the file system said of each just before it was hashed.
        taken_ns: when that was, in nanoseconds since the epoch.
    """

    content: str
    sources: tuple[str, ...]
    stamps: tuple[Stamp, ...]
    taken_ns: int

    def is_current(self) -> bool:
        """Whether the file system shows that nothing changed since; reads no file.

        A source written at the very moment of hashing may have changed again under the same time: not current.
        """
        same = all(stamp_of(path) == stamp for path, stamp in zip(self.sources, self.stamps, strict=True))
        return same and not self.written_since(self.taken_ns)

    def written_since(self, moment_ns: int) -> bool:
        """Whether a source may have been written between a moment and the hashing."""
        times = [moment for stamp in self.stamps if stamp is not None for moment in stamp[1:]]
        return any(moment_ns - CLOCK_LAG <= moment <= self.taken_ns for moment in times)


def fingerprint(sources: Sequence[str | os.PathLike[str]]) -> Fingerprint:
    """Read and hash all sources; one that is missing or shut counts as missing, so that its coming is a change.

    Args:
        sources: the object's own file first, then those it names.
    """
    paths = tuple(os.path.abspath(source) for source in sources)  # noqa: PTH100 - must not resolve links
    taken_ns = time.time_ns()
    stamps = tuple(stamp_of(path) for path in paths)
    hashes = [_sha256(path) for path in paths]
    suffix = Path(paths[0]).suffix.lower()
    content = hashlib.sha256(json.dumps([suffix, hashes]).encode()).hexdigest()
    return Fingerprint(content, paths, stamps, taken_ns)


def stamp_of(path: str) -> Stamp:
    """Size and times of a file, or None if there is no such file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path for each of many files costs more than the call
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _sha256(path: str) -> str | None:
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()

"""Files beside a collection that hold its centred vectors ready for use, mapped into memory.

They can be deleted at any time. Nothing in them is believed before it was compared: the manifest names the state of
the collection it was made from, and the sums of all bytes of its files. Files are written under new names and never
changed, and the manifest last, so that a crash leaves the earlier state, and readers keep what they have mapped.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.search.stores.matrix import Array, Ids, Matrix, Part

FORMAT = 1
FILE = re.compile(r"[a-z0-9_-]{1,64}-[0-9a-f]{16}\.rows")
SUM_BYTES = 1 << 22
MOST_PARTS = 8
MOST_DEAD = 0.25
LARGEST_MANIFEST = 1 << 26
IN_USE_SECONDS = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
    """What a matrix was made from.

    Attributes:
        generation: number of the last change of the collection's vectors.
        token: drawn at that change, so that a restored copy that went on in another way is told apart.
        header: digest of what decides how vectors are centred.
    """

    generation: int
    token: str
    header: str


class MatrixCache:
    """Matrices in the files of one folder, by the name of their vectors; never a reason to fail.

    Attributes:
        folder: where the files are; made when something is kept.
        writable: whether anything is kept.
    """

    def __init__(self, folder: Path, *, writable: bool) -> None:
        self.folder = folder
        self.writable = writable

    def load(self, name: str, dim: int) -> tuple[State, Matrix] | None:
        """What was kept, if its files are whole; None if there is nothing that can be used."""
        try:
            manifest = _read_manifest(self._manifest(name))
            parts = [_map_part(self.folder, entry, dim) for entry in manifest["parts"]]
            state = State(int(manifest["generation"]), str(manifest["token"]), str(manifest["header"]))
            return state, Matrix(parts, np.array(manifest["removed"], np.int64).reshape(-1))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            log.warning("%s is damaged (%s): it is made anew", self._manifest(name), error)
            return None

    def keep(self, name: str, state: State, matrix: Matrix) -> Matrix:
        """Keep a matrix, and give it with its rows mapped from the files; as it is where it cannot be kept.

        Parts that are mapped from this folder already are not written again, unless many are small or many of
        their rows are dead.
        """
        matrix = _tidied(matrix)
        if not self.writable:
            return matrix
        try:
            self.folder.mkdir(exist_ok=True)
            entries = [self._kept(name, part) for part in matrix.parts]
            self._write_manifest(name, state, entries, matrix.removed)
            self._sweep(name, {entry["file"] for entry in entries})
            dim = matrix.parts[0].vectors.shape[1] if matrix.parts else 0
            parts = [_map_part(self.folder, entry, dim, check=False) for entry in entries]
            return Matrix(parts, matrix.removed)
        except (OSError, ValueError) as error:
            log.info("the vectors are kept in memory alone, %s cannot be written: %s", self.folder, error)
            self.writable = False
            return matrix

    def size(self) -> int:
        """Bytes of all files."""
        try:
            return sum(file.stat().st_size for file in self.folder.iterdir() if file.is_file())
        except OSError:
            return 0

    def _manifest(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _kept(self, name: str, part: Part) -> dict[str, object]:
        if isinstance(part, MappedPart) and (self.folder / part.file).exists():
            return part.entry
        file = f"{name}-{secrets.token_hex(8)}.rows"
        with replacing(self.folder / file) as temporary, temporary.open("xb") as stream:
            np.ascontiguousarray(part.vectors, "<f4").tofile(stream)
            stream.write(b"\x00" * (part.vectors.nbytes % 8))
            np.ascontiguousarray(part.ids, "<i8").tofile(stream)
        return {"file": file, "rows": len(part.ids), "sums": _sums(self.folder / file)}

    def _write_manifest(
        self, name: str, state: State, entries: Sequence[dict[str, object]], removed: Ids
    ) -> None:
        facts = {
            "format": FORMAT,
            "generation": state.generation,
            "token": state.token,
            "header": state.header,
            "parts": entries,
            "removed": removed.tolist(),
        }
        with replacing(self._manifest(name)) as temporary:
            temporary.write_text(json.dumps({**facts, "check": _digest(facts)}), encoding="utf-8")

    def _sweep(self, name: str, used: set[object]) -> None:
        """Delete files of this name that the manifest does not name; a new one may be another process's at work."""
        for file in self.folder.iterdir():
            if FILE.fullmatch(file.name) and file.name.startswith(f"{name}-") and file.name not in used:
                with suppress(OSError):  # where a mapped file cannot be deleted it goes the next time
                    if time.time() - file.stat().st_mtime > IN_USE_SECONDS:
                        file.unlink()


@dataclass(frozen=True, eq=False)
class MappedPart(Part):
    """A part whose rows are mapped from a file.

    Attributes:
        file: its name.
        entry: what the manifest says of it.
    """

    file: str
    entry: dict[str, object]


def _read_manifest(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LARGEST_MANIFEST:
        raise ValueError("the manifest is too long")
    facts = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(facts, dict) or facts.pop("check", None) != _digest(facts) or facts.get("format") != FORMAT:
        raise ValueError("the manifest is not whole")
    return facts


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _map_part(folder: Path, entry: object, dim: int, *, check: bool = True) -> MappedPart:
    """Map a file that the manifest names, if its size and the sums of its bytes are as the manifest says."""
    if not isinstance(entry, dict) or not FILE.fullmatch(str(entry["file"])):
        raise ValueError("the manifest names no file of a cache")
    file, n = folder / entry["file"], int(entry["rows"])
    length = 4 * n * dim
    start = length + length % 8
    if n < 1 or dim < 1 or file.stat().st_size != start + 8 * n:
        raise ValueError(f"{file.name} has another size than the manifest says")
    if check and _sums(file) != entry["sums"]:
        raise ValueError(f"{file.name} holds other bytes than the manifest says")
    vectors = np.memmap(file, "<f4", "r", 0, (n, dim))
    ids = np.fromfile(file, "<i8", n, offset=start)
    return MappedPart(ids, vectors.view(np.ndarray), file.name, entry)


def _sums(file: Path) -> list[int]:
    """Sums of the bytes, as numbers of 64 bits, of one stretch after the other: as fast as memory is read."""
    words: NDArray[np.uint64] = np.memmap(file, "<u8", "r")
    at = range(0, len(words), SUM_BYTES // 8)
    return [int(np.add.reduce(words[i : i + SUM_BYTES // 8], dtype=np.uint64)) for i in at]


def _tidied(matrix: Matrix) -> Matrix:
    """The same vectors in fewer parts, where many are small, or many rows are dead."""
    if not matrix.parts:
        return matrix
    if len(matrix.live) < (1 - MOST_DEAD) * len(matrix.ids):
        parts = _joined(matrix.blocks())
        return Matrix(parts, np.zeros(0, np.int64))
    if len(matrix.parts) > MOST_PARTS:
        return Matrix([matrix.parts[0], *_joined(iter(matrix.parts[1:]))], matrix.removed)
    return matrix


def _joined(parts: Iterator[Part]) -> list[Part]:
    found = list(parts)
    if not found:
        return []
    ids: Ids = np.concatenate([part.ids for part in found])
    vectors: Array = np.concatenate([part.vectors for part in found])
    return [Part(ids, vectors)]

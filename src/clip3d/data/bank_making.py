"""Making a bank of phrases with a text encoder, in batches that are kept, so that a stopped run goes on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.data.bank_file import write_bank_file
from clip3d.errors import DataError

Array = NDArray[np.float32]
# phrases that are kept at a time, of some batches each
PART = 1024


def make_bank(
    rows: Sequence[tuple[str, str]],
    encode: Callable[[Sequence[str]], Array],
    path: Path,
    *,
    space: str,
    encoder: str,
    batch: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[int, int]:
    """Write the bank of some phrases; what an interrupted run did is taken up from the folder `<path>.parts`.

    Args:
        rows: n phrases, each with the name it speaks of or an empty text.
        encode: phrases to vectors (n, d) float32.
        path: of the npz, see `clip3d.data.bank_file`.
        space: id of the space.
        encoder: names the encoder with its weights: parts of another encoder or other phrases are not taken up.
        batch: phrases encoded at a time.
        progress: is told how many phrases of how many are done.

    Returns:
        How many phrases the bank holds, and the dimension d.

    Raises:
        DataError: if the encoder gives a vector that is zero or not finite, or `<path>.parts` is another folder.
    """
    parts = path.with_name(path.name + ".parts")
    _open_parts(parts, hashlib.sha256(json.dumps([encoder, list(rows)]).encode()).hexdigest())
    vectors = []
    for begin in range(0, len(rows), PART):
        file = parts / f"{begin:09d}.npy"
        if not file.is_file():
            _encode_part([phrase for phrase, _ in rows[begin : begin + PART]], encode, batch, file)
        vectors.append(np.load(file, allow_pickle=False))
        if progress:
            progress(min(begin + PART, len(rows)), len(rows))
    whole = np.concatenate(vectors)
    write_bank_file(path, [phrase for phrase, _ in rows], [name for _, name in rows], whole, space)
    shutil.rmtree(parts)
    return len(whole), int(whole.shape[1])


def _open_parts(parts: Path, key: str) -> None:
    """An empty folder of parts, or the one of a run with the same key."""
    stamp = parts / "key"
    if parts.is_dir() and not stamp.is_file() and any(parts.iterdir()):
        raise DataError(parts, "is no folder of an interrupted run", "move it, or choose another name for the bank")
    if stamp.is_file() and stamp.read_text(encoding="ascii") != key:
        shutil.rmtree(parts)
    parts.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key, encoding="ascii")


def _encode_part(phrases: Sequence[str], encode: Callable[[Sequence[str]], Array], batch: int, file: Path) -> None:
    found = [encode(phrases[i : i + batch]) for i in range(0, len(phrases), batch)]
    vectors = np.concatenate(found).astype(np.float16)
    bad = ~np.isfinite(vectors).all(1) | (np.abs(vectors).max(1) == 0)
    if bad.any():
        phrase = phrases[int(np.flatnonzero(bad)[0])]
        raise DataError(file.parent, f"the encoder gives no usable vector for {phrase!r}", "check its weights")
    with replacing(file) as temporary, temporary.open("wb") as stream:
        np.save(stream, vectors)

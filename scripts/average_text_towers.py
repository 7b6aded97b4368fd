"""Average the weights of two text towers that were tuned from one sentence model (Wortsman et al. 2022, section 2).

    python scripts/average_text_towers.py runs/a/text.safetensors runs/b/text.safetensors out/text.safetensors

Both files must come from recipes with the same word pieces and the same space.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.models.weights import read_arrays, write_arrays

Arrays = dict[str, NDArray[Any]]
# Word and position vectors are not tuned, so both towers have the same.
UNTUNED = ("words", "words.scale", "positions", "mean")


def average(a: Arrays, b: Arrays) -> Arrays:
    """The mean of two packed towers, packed again: bytes with a scale a row, vectors in half precision."""
    if a.keys() != b.keys() or any(not np.array_equal(a[name], b[name]) for name in UNTUNED):
        raise SystemExit("the two towers have other layers, word pieces or spaces")
    mean = {name: b[name] for name in UNTUNED}
    for name in b.keys() - mean.keys():
        layer = name.removesuffix(".weight")
        if b[name].dtype == np.int8:
            whole = (_unpacked(a, layer) + _unpacked(b, layer)) / 2
            scale = np.maximum(np.abs(whole).max(1) / 127, 1e-7).astype(np.float16)
            numbers = np.rint(whole / scale[:, None].astype(np.float32))
            mean[name], mean[f"{layer}.scale"] = numbers.clip(-127, 127).astype(np.int8), scale
        elif not name.endswith(".scale"):
            mean[name] = ((a[name].astype(np.float32) + b[name].astype(np.float32)) / 2).astype(b[name].dtype)
    return mean


def _unpacked(arrays: Arrays, layer: str) -> NDArray[np.float32]:
    scale = arrays[f"{layer}.scale"].astype(np.float32)
    return np.asarray(arrays[f"{layer}.weight"].astype(np.float32) * scale[:, None], dtype=np.float32)


if __name__ == "__main__":
    first, second, out = map(Path, sys.argv[1:])
    write_arrays(average(read_arrays(first), read_arrays(second)), out)

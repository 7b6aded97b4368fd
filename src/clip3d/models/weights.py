"""Weights are data: reading, hashing and writing them without ever running what a file holds."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ModelError

if TYPE_CHECKING:
    import torch

MAX_WEIGHT_BYTES = 64 * 2**30


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise ModelError(path, f"cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def check_hash(path: Path, expected: str) -> None:
    """Raise ModelError unless the file's SHA-256 is `expected`."""
    actual = sha256_of(path)
    if actual != expected:
        raise ModelError(
            path,
            f"its SHA-256 is {actual[:16]}…, the card says {expected[:16]}…",
            "the file is damaged or was replaced: install the model again",
        )


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All tensors of a safetensors file as NumPy arrays; loads no torch."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(path, f"is not a readable safetensors file: {error}") from error


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file as float32 (integers stay integers) torch tensors."""
    import torch

    state = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in read_arrays(path).items()}
    return {name: t.float() if t.is_floating_point() else t for name, t in state.items()}


def write_arrays(arrays: Mapping[str, NDArray[Any]], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file whole or not at all."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        save_file({n: np.ascontiguousarray(a) for n, a in arrays.items()}, temporary, dict(metadata or {}))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(value: object, path: Path) -> None:
    """Write indented JSON whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load_strict(module: torch.nn.Module, state: Mapping[str, torch.Tensor], path: Path) -> torch.nn.Module:
    """Load `state` into `module` with every key and shape accounted for, and return it in eval mode."""
    own = module.state_dict()
    missing, extra = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    wrong = [name for name in own.keys() & state.keys() if own[name].shape != state[name].shape]
    if missing or extra or wrong:
        example = next(iter(missing or extra or wrong))
        raise ModelError(
            path,
            f"does not fit {type(module).__name__}: {len(missing)} keys missing, {len(extra)} unknown, "
            f"{len(wrong)} of another shape, such as {example!r}",
        )
    module.load_state_dict(dict(state), strict=True)
    return module.eval().requires_grad_(False)

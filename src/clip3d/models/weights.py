"""Weights are data: reading, hashing and writing them without ever running what a file holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.errors import ModelError

if TYPE_CHECKING:
    import torch

SCALE_SUFFIX = ":scale"


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


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file as torch tensors of the types that are stored, bfloat16 among them."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(path, f"is not a readable safetensors file: {error}") from error


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file as torch tensors: float32, but integers stay integers.

    A tensor that `quantize_rows` stored is multiplied out again.
    """
    import torch

    arrays = dequantize_rows(read_arrays(path))
    state = {name: torch.from_numpy(np.asarray(array, order="C")) for name, array in arrays.items()}
    return {name: t.float() if t.is_floating_point() else t for name, t in state.items()}


def dequantize_rows(stored: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Arrays as `quantize_rows` stored them, multiplied out again; all others are left as they are."""
    arrays = dict(stored)
    for name in [name for name in arrays if name.endswith(SCALE_SUFFIX)]:
        whole, scale = name.removesuffix(SCALE_SUFFIX), arrays.pop(name).astype(np.float32)
        arrays[whole] = arrays[whole] * scale.reshape(-1, *[1] * (arrays[whole].ndim - 1))
    return arrays


def quantize_rows(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Matrices and kernels as int8 with one float16 scale a row (an output channel), vectors as float32.

    The scale of `name` is stored as `name` + ":scale"; the error of a weight is at most half its row's scale.
    """
    stored: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.ndim < 2:
            stored[name] = array.astype(np.float32)
            continue
        peak = np.abs(array.reshape(len(array), -1)).max(1)
        # Rounded up, so that the largest weight still fits in 127 steps; no further, so that weights which were
        # stored before are stored the same again.
        scale = (peak / 127).astype(np.float16)
        short = (scale.astype(np.float32) * 127 < peak) | (scale == 0)
        scale[short] = np.nextafter(scale[short], np.float16(np.inf))
        steps = array / scale.astype(np.float32).reshape(-1, *[1] * (array.ndim - 1))
        stored[name], stored[name + SCALE_SUFFIX] = np.rint(steps).astype(np.int8), scale
    return stored


def write_quantized(module: torch.nn.Module, path: Path) -> None:
    """Write a module's weights as `quantize_rows` stores them."""
    write_arrays(quantize_rows({k: v.detach().cpu().numpy() for k, v in module.state_dict().items()}), path)


def write_arrays(arrays: Mapping[str, NDArray[Any]], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file whole or not at all."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        # safetensors makes files that only their owner can read; models on shared disks are for others too
        temporary.touch()
        mode = temporary.stat().st_mode
        save_file({n: np.asarray(a, order="C") for n, a in arrays.items()}, temporary, dict(metadata or {}))
        temporary.chmod(mode)


def write_json(value: object, path: Path) -> None:
    """Write indented JSON whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


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


def read_torch(path: Path) -> dict[str, torch.Tensor]:
    """The state dict of a PyTorch checkpoint, read with `weights_only`, so that nothing in it is run."""
    from pickle import UnpicklingError  # noqa: TID251, the error only

    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251
    except (OSError, RuntimeError, UnpicklingError) as error:
        raise ModelError(path, f"is not a readable checkpoint: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise ModelError(path, "is no table of tensors")
    return state

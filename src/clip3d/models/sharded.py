"""Checkpoints in several safetensors files, with an index that says which tensor lies in which.

The form is that of Hugging Face's `model.safetensors.index.json`: a table `weight_map` from tensors to file names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from clip3d.errors import ModelError
from clip3d.models.weights import read_tensors

if TYPE_CHECKING:
    import torch

INDEX_SUFFIX = ".safetensors.index.json"
MAX_INDEX_BYTES = 2**24
MAX_SHARDS = 1000


def is_index(file: Path) -> bool:
    """Whether a file is named as an index of shards."""
    return file.name.endswith(INDEX_SUFFIX)


def shards_of(index: Path) -> list[Path]:
    """The files that an index names, sorted; all of them lie beside it.

    Raises:
        ModelError: if the index is damaged, names what is not a .safetensors file in its own folder, or a file that
            is missing.
    """
    names = sorted(set(_read(index).values()))
    if len(names) > MAX_SHARDS:
        raise ModelError(index, f"names {len(names)} files, more than {MAX_SHARDS}")
    for name in names:
        # "\\" parts names on Windows alone, but no published shard has one
        if Path(name).name != name or "\\" in name or not name.endswith(".safetensors"):
            raise ModelError(index, f"names {name!r}, which is no .safetensors file in its own folder")
        if not index.with_name(name).is_file():
            raise ModelError(index.with_name(name), "there is no such file", f"{index.name} names it: fetch it too")
    return [index.with_name(name) for name in names]


def read_shards(index: Path) -> dict[str, torch.Tensor]:
    """All tensors of an index, each from the file that it names.

    Raises:
        ModelError: as `shards_of`; or if a file is damaged, or holds other tensors than the index says.
    """
    places = _read(index)
    state: dict[str, torch.Tensor] = {}
    for shard in shards_of(index):
        found = read_tensors(shard)
        listed = {key for key, name in places.items() if name == shard.name}
        if apart := sorted(listed ^ found.keys()):
            reason = f"lacks {apart[0]!r}" if apart[0] in listed else f"holds {apart[0]!r}"
            raise ModelError(shard, f"{reason}, against what {index.name} says")
        state |= found
    return state


def _read(index: Path) -> dict[str, str]:
    """Tensor to file name."""
    try:
        if index.stat().st_size > MAX_INDEX_BYTES:
            raise ModelError(index, "is too large for an index")
        places = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    except OSError as error:
        raise ModelError(index, f"cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(index, f"is no index of tensors: {error}") from error
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise ModelError(index, "is no index of tensors: its weight_map is no table of file names")
    return places

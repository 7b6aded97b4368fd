"""Published checkpoints of 3D encoders become towers of this package.

What a checkpoint is, is read from its keys; `clip3d.models.encoder_layouts` says what becomes of every one of them.
A key that is not named there, or one that is lacking, is an error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from clip3d.errors import ModelError
from clip3d.models.encoder_layouts import LAYOUTS, TEXT_PROJECTIONS, ULIP_PROJECTION, Layout, layout_of
from clip3d.models.weights import load_strict

if TYPE_CHECKING:
    import torch

# Tensors that hold for every point or cloud; checkpoints give them axes of length 1 before the channels.
SHARED = ("cls_token", "cls_place", "scale", "shift")
# Trainers before 1.6 keep the notes of their callbacks under the callbacks' classes.
CALLBACKS = tuple(
    f"pytorch_lightning.callbacks.{name}"
    for name in ("model_checkpoint.ModelCheckpoint", "lr_monitor.LearningRateMonitor")
)
# Whose published clouds have y up; sweeps have z up everywhere.
TURNED = ("point-transformer", "point-mlp")
# Maps that read coordinates.
READS_COORDINATES = ("group.lift.weight", "place.0.weight", "embed.weight")


@dataclass(frozen=True)
class LoadedEncoder:
    """An encoder out of a checkpoint, and what was done with the checkpoint.

    Attributes:
        tower: in eval mode, without gradients.
        architecture: its name in the catalogue of towers.
        config: its keyword arguments, as a card states them.
        layout: name of the checkpoint's kind.
        dropped: keys that were left out.
        fresh: parts of the tower that the checkpoint lacks and that have their first values.
        text_projection: (width, dim) of the teacher's text tower, where the checkpoint holds its teacher.
    """

    tower: torch.nn.Module
    architecture: str
    config: dict[str, Any]
    layout: str
    dropped: tuple[str, ...]
    fresh: tuple[str, ...]
    text_projection: torch.Tensor | None = None

    @property
    def modality(self) -> Literal["cloud", "sweep"]:
        """What the tower encodes."""
        return "cloud" if self.architecture in TURNED else "sweep"


def load_encoder(
    path: Path, *, up: Literal["y", "z"] = "y", fresh: Collection[str] = (), **settings: Any
) -> LoadedEncoder:
    """Load a published checkpoint of CG3D, ULIP, ULIP-2, Point-BERT, Point-MAE, PointMLP or LidarCLIP.

    The file is read as data; nothing in it is run. Width, depth, channels and the length of a vector are those of
    its tensors. Heads of clouds' towers are 64 channels wide, LidarCLIP's are 8; its grid is the published one.
    Groups are as many as the published configurations have, 512 for ULIP and 64 otherwise.

    Args:
        path: of the file, as `torch.save` wrote it.
        up: axis that points up in the clouds of the checkpoint, y in all that are published. The tower takes clouds
            with z up: its first maps are turned.
        fresh: parts of the tower that may keep their first values because this kind of checkpoint lacks them:
            "project" where `dim` is given for Point-BERT, Point-MAE or a classifier, "cls_token" and "cls_place"
            for a pre-trained Point-MAE.
        settings: keyword arguments of the architecture that replace what was found, such as centers or dim.

    Raises:
        ModelError: if the file cannot be read, is of no known kind, or lacks a tensor, holds one more, or one of
            another shape; the message names its key.
    """
    import torch

    from clip3d.towers.catalogue import resolve

    state = _read(path)
    layout = _known_layout(state, path)
    found, dropped = _renamed(state, layout, path)
    config = {**_config(found, layout, path), **layout.settings, **settings}
    with torch.device("meta"):  # a damaged file may ask for more than the memory holds
        wanted = resolve(layout.architecture)(**config).state_dict()
    missing = _missing(wanted, found, layout, fresh, path)
    _check_shapes(wanted, found, layout, path)
    if up == "y" and layout.architecture in TURNED:
        found.update({name: _turned(found[name]) for name in READS_COORDINATES if name in found})
    tower = resolve(layout.architecture)(**config)
    load_strict(tower, {**{name: tower.state_dict()[name] for name in missing}, **found}, path)
    teacher = next((state[key] for key in TEXT_PROJECTIONS if key in dropped), None)
    return LoadedEncoder(tower, layout.architecture, config, layout.name, dropped, tuple(fresh), teacher)


def _read(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of the model in a checkpoint, without the prefix of a distributed run."""
    from pickle import UnpicklingError  # noqa: TID251, the error only

    import torch

    try:
        with _inert_types():
            contents = torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251
    except (OSError, EOFError, RuntimeError, UnpicklingError) as error:
        raise ModelError(path, f"is not a readable checkpoint: {error}") from error
    if not isinstance(contents, dict):
        raise ModelError(path, "is no table of tensors")
    for table in ("base_model", "state_dict", "net"):
        if isinstance(contents.get(table), dict):
            contents = contents[table]
            break
    for name, tensor in contents.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise ModelError(path, f"holds {name!r}, which is no tensor")
    plain = {name.removeprefix("module."): tensor for name, tensor in contents.items()}
    return {name: t.float() if t.is_floating_point() else t for name, t in plain.items()}


def _inert_types() -> AbstractContextManager[object]:
    """Lets the notes beside the tensors be read, which run nothing.

    They are the options of a run, NumPy's numbers, and the names of a trainer's callbacks, here empty classes.
    """
    from argparse import Namespace

    from torch.serialization import safe_globals

    scalar: Any = np.float64().__reduce__()[0]
    places = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    kinds: list[Any] = [type(np.dtype(kind)) for kind in ("f8", "f4", "i8", "i4", "?")]
    named: list[Any] = [(type(place.rpartition(".")[2], (), {}), place) for place in CALLBACKS]
    return safe_globals([Namespace, np.dtype, *kinds, *[(scalar, place) for place in places], *named])


def _known_layout(state: Mapping[str, torch.Tensor], path: Path) -> Layout:
    layout = layout_of(state)
    if layout is None:
        holds = f"holds keys such as {next(iter(state))!r}" if state else "is empty"
        known = "; ".join(layout.name for layout in LAYOUTS)
        raise ModelError(path, f"is no checkpoint of a known encoder: it {holds}", f"known: {known}")
    return layout


def _renamed(
    state: Mapping[str, torch.Tensor], layout: Layout, path: Path
) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    """Tensors under our names and in our shapes, and the keys that were dropped."""
    found: dict[str, torch.Tensor] = {}
    for key, tensor in state.items():
        if layout.drops(key):
            continue
        if key == ULIP_PROJECTION and key in layout.marks:
            found["project.weight"] = tensor.t() if tensor.dim() == 2 else tensor
            found["project.bias"] = tensor.new_zeros(tensor.shape[-1:])
            continue
        name = layout.ours(key)
        if name is None:
            raise ModelError(path, f"holds {key!r}, which is no part of {layout.name}")
        found[name] = _in_our_shape(name, tensor)
    return found, tuple(key for key in state if layout.drops(key))


def _in_our_shape(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """Convolutions over one point are matrices here."""
    if name.rpartition(".")[2] in SHARED:
        return tensor.flatten() if tensor.numel() == tensor.shape[-1:].numel() else tensor
    return tensor[..., 0] if tensor.dim() == 3 and tensor.shape[-1] == 1 else tensor


def _config(found: Mapping[str, torch.Tensor], layout: Layout, path: Path) -> dict[str, Any]:
    """Keyword arguments of the architecture as far as the tensors tell them."""

    def size(name: str, axis: int = 0) -> int:
        if name not in found:
            raise ModelError(path, f"lacks {layout.theirs(name)!r}")
        if found[name].dim() <= axis:
            raise ModelError(path, f"holds {layout.theirs(name)!r} of shape {tuple(found[name].shape)}")
        return found[name].shape[axis]

    if layout.architecture == "sparse-transformer":
        return {
            "dim": size("pool.out.weight"),
            "width": size("features.layers.1.linear.weight"),
            "point_width": size("features.layers.0.linear.weight"),
            "blocks": _count(found, r"blocks\.(\d+)\."),
            "hidden": size("blocks.0.0.expand.weight"),
        }
    dim = size("project.weight") if "project.weight" in found else None
    if layout.architecture == "point-mlp":
        stages = _count(found, r"stages\.(\d+)\.")
        hidden = (_count(found, r"head\.(\d+)\.") + 1) // 2  # a linear map and a batch norm each
        return {
            "dim": dim,
            "stem": size("embed.weight"),
            "channels": [size(f"stages.{i}.transfer.weight") for i in range(stages)],
            "anchors": [max(512 >> i, 1) for i in range(stages)],
            "blocks": _count(found, r"stages\.0\.local\.(\d+)\."),
            "head": [size(f"head.{4 * i}.weight") for i in range(hidden)],
        }
    width, group_width = size("norm.weight"), size("group.summary.weight")
    reduced = group_width != width or any(name.startswith("token.") for name in found)
    return {
        "dim": dim,
        "width": width,
        "layers": _count(found, r"blocks\.(\d+)\."),
        "heads": max(width // 64, 1),
        "group_width": group_width if reduced else None,
        "colored": size("group.lift.weight", 1) == 6,
    }


def _count(names: Iterable[str], pattern: str) -> int:
    """How many different numbers the names have at the pattern's group."""
    matches = (re.match(pattern, name) for name in names)
    return len({match[1] for match in matches if match})


def _missing(
    wanted: Iterable[str],
    found: Mapping[str, torch.Tensor],
    layout: Layout,
    fresh: Collection[str],
    path: Path,
) -> list[str]:
    """Names of our tensors that may stay as they are; ModelError for any other that was not found."""
    missing = [name for name in wanted if name not in found]
    for part in fresh:
        if part not in layout.lacks or all(_part(name) != part for name in missing):
            raise ModelError(path, f"{part!r} cannot be fresh: {layout.name} holds it, or the tower has none")
    for name in missing:
        if _part(name) not in fresh:
            lacking = _part(name) in layout.lacks
            remedy = f'in Python fresh=("{_part(name)}",) lets it keep its first values' if lacking else ""
            raise ModelError(path, f"lacks {layout.theirs(name)!r}", remedy)
    return missing


def _part(name: str) -> str:
    return name.partition(".")[0]


def _check_shapes(
    wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor], layout: Layout, path: Path
) -> None:
    for name, tensor in found.items():
        if name not in wanted:
            raise ModelError(path, f"holds {layout.theirs(name)!r}, for which the encoder has no place")
        if tensor.shape != wanted[name].shape:
            shapes = f"{tuple(tensor.shape)}, expected {tuple(wanted[name].shape)}"
            raise ModelError(path, f"holds {layout.theirs(name)!r} of shape {shapes}")


def _turned(weight: torch.Tensor) -> torch.Tensor:
    """A map (c, 3 or more) of points with y up as one of points with z up: their (x, y, z) is our (x, z, -y)."""
    turned = weight.clone()
    turned[:, 1], turned[:, 2] = -weight[:, 2], weight[:, 1]
    return turned

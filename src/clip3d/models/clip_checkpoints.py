"""CLIP checkpoints of the four known layouts as towers of this package. Nothing in a file is ever run.

A checkpoint is a file or the folder that holds it. `clip3d.models.clip_layouts` has the names of the tensors,
`clip3d.models.clip_settings` what the tensors do not tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from clip3d.errors import ModelError
from clip3d.models.clip_layouts import Layout, Name, detect, rename
from clip3d.models.clip_settings import Settings, TowerSettings, read_settings
from clip3d.models.script_archive import is_script_archive, read_script_archive
from clip3d.models.sharded import INDEX_SUFFIX, is_index, read_shards, shards_of
from clip3d.models.weights import load_strict, read_tensors

if TYPE_CHECKING:
    import torch

    from clip3d.towers.clip_text import ClipTextTransformer
    from clip3d.towers.clip_vit import ClipViT

    State = Mapping[str, torch.Tensor]

M = TypeVar("M")
# In a folder these are looked for, in this order, before any other file of weights.
USUAL = (
    # first, since beside it model.safetensors may hold an image tower alone
    "open_clip_model.safetensors",
    f"open_clip_model{INDEX_SUFFIX}",
    "model.safetensors",
    f"model{INDEX_SUFFIX}",
    "open_clip_pytorch_model.bin",
    "pytorch_model.bin",
)
SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
TOKENIZERS = ("tokenizer.json", "bpe_simple_vocab_16e6.txt.gz")
# What SLIP's checkpoints hold beside tensors and numbers: the options of its training, and its rates of learning.
BESIDE_WEIGHTS = (
    "argparse.Namespace",
    "numpy.dtype",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
)
# exp(logit_scale) is held below this while CLIP and SLIP are trained.
MAX_SCALE = 100.0
# Heads are so wide but in SLIP's small tower, which is that of MoCo v3, and open_clip's towers H, g, bigG and e.
HEAD_WIDTH = 64
SLIP_HEADS = {384: 12}
LARGE_HEADS = {1280: 16, 1408: 16, 1664: 16, 1792: 16}


@dataclass(frozen=True)
class ClipFacts:
    """What a checkpoint turned out to be.

    Attributes:
        layout: whose names it uses.
        dim: d of the space.
        scale: that cosines are multiplied with before a softmax.
        image: keyword arguments of `ClipViT`.
        text: keyword arguments of `ClipTextTransformer`.
        preprocess: of pictures, in the form of `ImagePreprocess`.
        tokenizer: file beside the weights that `ClipTokenizer.read` takes, or None.
    """

    layout: Name
    dim: int
    scale: float
    image: dict[str, Any]
    text: dict[str, Any]
    preprocess: dict[str, Any]
    tokenizer: Path | None


@dataclass(frozen=True, eq=False)
class Clip:
    """The towers of a checkpoint, in eval mode and without gradients, and the facts about them."""

    image: ClipViT
    text: ClipTextTransformer
    facts: ClipFacts


def load_clip(path: str | PathLike[str], *, activation: str | None = None) -> Clip:
    """Load a CLIP of OpenAI, open_clip, Hugging Face or SLIP whose image tower is a vision transformer.

    Args:
        path: a file .safetensors, .pt, .pth or .bin with a state dict, or a TorchScript archive, of which the
            tensors alone are read and no program is run; an index of shards .safetensors.index.json; or the folder
            that holds one of these. A config.json (Hugging Face) or open_clip_config.json (open_clip) beside the
            weights is read.
        activation: "gelu" or "quick_gelu", in both towers, for weights whose config is lost.

    Returns:
        Towers in float32 and facts. Pictures are prepared as their publishers do: short side to the tower's size by
        bicubic interpolation (SLIP: bilinear), centre square, channels scaled.

    Raises:
        ModelError: if the file is no such checkpoint, with the key that is missing, unknown or of another shape.
    """
    file = find_weights(Path(path))
    state = read_checkpoint(file)
    layout = detect(file, state)
    tensors = rename(file, state, layout)
    _check_axes(file, layout, tensors)
    settings = read_settings(file, layout, len(tensors["text.words.weight"]), activation)
    image, text = _image_config(file, layout, tensors, settings.image), _text_config(tensors, settings.text)
    if image["dim"] != text["dim"]:
        keys = " and ".join(repr(layout.tensors[f"{side}.projection.weight"]) for side in ("image", "text"))
        raise ModelError(file, f"its {keys} answer in {image['dim']} and {text['dim']} dimensions")
    if others := sorted(settings.sizes - {image["size"]}):
        reason = f"its image tower sees {image['size']} pixels a side, its config prepares pictures of {others[0]}"
        raise ModelError(file, reason)
    facts = ClipFacts(
        layout=layout.name,
        dim=image["dim"],
        scale=_scale(file, state),
        image=image,
        text=text,
        preprocess=_preprocess(settings, image["size"]),
        tokenizer=next((p for p in map(file.with_name, TOKENIZERS) if p.is_file()), None),
    )
    return _build(file, layout.expected(state), tensors, facts)


def find_weights(path: Path) -> Path:
    """The file of weights that a path means: itself, or the only or usual one in a folder."""
    if not path.is_dir():
        if not path.is_file():
            raise ModelError(path, "there is no such file or folder", "check the spelling of the path")
        if not _holds_weights(path):
            raise ModelError(path, f"is none of {', '.join((*SUFFIXES, INDEX_SUFFIX))}")
        return path
    found = sorted(p for p in path.iterdir() if _holds_weights(p))
    for usual in map(path.joinpath, USUAL):
        if usual in found:
            return usual
    if len(found) != 1:
        names = ", ".join(p.name for p in found) or "none"
        raise ModelError(path, f"holds not one file of weights but these: {names}", "name the file itself")
    return found[0]


def source_files(file: Path) -> list[Path]:
    """The files that a checkpoint consists of: the one that `find_weights` found, and its shards if it has some."""
    return [file, *shards_of(file)] if is_index(file) else [file]


def _holds_weights(path: Path) -> bool:
    return path.suffix in SUFFIXES or is_index(path)


def read_checkpoint(file: Path) -> dict[str, torch.Tensor]:
    """The state dict in a file of weights, without the wrappings of training: `state_dict`, `module.`."""
    if is_index(file):
        state = read_shards(file)
    else:
        state = read_tensors(file) if file.suffix == ".safetensors" else _read_torch(file)
    if state and all(key.startswith("module.") for key in state):
        return {key.removeprefix("module."): tensor for key, tensor in state.items()}
    return state


class _Unused:
    """Stands for an object that training left beside the weights: whatever it was, nothing is made of it."""

    def __init__(self, *arguments: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def _read_torch(file: Path) -> dict[str, torch.Tensor]:
    import torch

    if is_script_archive(file):
        return read_script_archive(file)
    try:
        with torch.serialization.safe_globals([(_Unused, name) for name in BESIDE_WEIGHTS]):
            state = torch.load(file, map_location="cpu", weights_only=True)  # noqa: TID251
    except Exception as error:  # a damaged archive raises errors that share no base
        raise ModelError(file, f"is not a readable checkpoint: {str(error)[:300]}") from error
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    ):
        raise ModelError(file, "is no table of tensors")
    return dict(state)


def _check_axes(file: Path, layout: Layout, tensors: State) -> None:
    """Refuse tensors from which no sizes can be read."""
    axes = {"image.patches.weight": 4, "image.positions": 2, "text.positions": 2, "text.words.weight": 2}
    axes |= {f"{side}.projection.weight": 2 for side in ("image", "text")}
    for name, count in axes.items():
        shape = tuple(tensors[name].shape)
        if len(shape) != count or not all(shape):
            raise ModelError(file, f"its {layout.tensors[name]!r} has the shape {shape}, not {count} axes")


def _image_config(file: Path, layout: Layout, tensors: State, settings: TowerSettings) -> dict[str, Any]:
    width, channels, patch, other = tensors["image.patches.weight"].shape
    rows = len(tensors["image.positions"])
    grid = math.isqrt(rows - 1)
    if channels != 3 or patch != other:
        key, form = layout.tensors["image.patches.weight"], f"{channels} x {patch} x {other}"
        raise ModelError(file, f"its {key!r} takes patches of {form}, not square ones in three colours")
    if grid < 1 or grid**2 + 1 != rows:
        key = layout.tensors["image.positions"]
        raise ModelError(file, f"its {key!r} has {rows} rows, which is not one more than a square of patches")
    heads = SLIP_HEADS if layout.name == "slip" else LARGE_HEADS
    return {
        **_common(tensors, "image", width, settings, heads.get(width, width // HEAD_WIDTH)),
        "patch": patch,
        "size": grid * patch,
        "pre_norm": "image.pre_norm.weight" in tensors,
        "patch_bias": "image.patches.bias" in tensors,
    }


def _text_config(tensors: State, settings: TowerSettings) -> dict[str, Any]:
    vocabulary, width = tensors["text.words.weight"].shape
    context = len(tensors["text.positions"])
    common = _common(tensors, "text", width, settings, width // HEAD_WIDTH)
    return {**common, "vocabulary": vocabulary, "context": context}


def _common(tensors: State, side: str, width: int, settings: TowerSettings, heads: int) -> dict[str, Any]:
    return {
        "width": width,
        "layers": sum(key.startswith(f"{side}.blocks.") and key.endswith(".up.weight") for key in tensors),
        "heads": settings.heads or max(heads, 1),
        "dim": len(tensors[f"{side}.projection.weight"]),
        "hidden": len(tensors[f"{side}.blocks.0.up.bias"]),
        "activation": settings.activation,
        "epsilon": settings.epsilon,
    }


def _preprocess(settings: Settings, size: int) -> dict[str, Any]:
    mean, std = settings.channels
    taken = {"interpolation": settings.interpolation, "rounding": "torchvision"}
    return {"size": size, "mean": list(mean), "std": list(std), **taken}


def _scale(file: Path, state: State) -> float:
    logarithm = state.get("logit_scale")
    if logarithm is None or logarithm.numel() != 1 or not math.isfinite(float(logarithm)):
        raise ModelError(file, "lacks the number 'logit_scale'")
    return math.exp(min(float(logarithm), math.log(MAX_SCALE)))


def _build(file: Path, names: Mapping[str, str], tensors: State, facts: ClipFacts) -> Clip:
    from clip3d.towers.clip_text import ClipTextTransformer
    from clip3d.towers.clip_vit import ClipViT

    image = _filled(file, names, tensors, "image", ClipViT, facts.image)
    text = _filled(file, names, tensors, "text", ClipTextTransformer, facts.text)
    return Clip(image, text, facts)


def _filled(
    file: Path, names: Mapping[str, str], tensors: State, side: str, kind: type[M], config: Mapping[str, Any]
) -> M:
    import torch

    try:
        # on the meta device nothing is drawn at random only to be overwritten
        with torch.device("meta"):
            module = cast(torch.nn.Module, kind(**config))
    except ValueError as error:
        raise ModelError(file, f"its {side} tower cannot be built: {error}") from error
    state = {key.removeprefix(f"{side}."): t.float() for key, t in tensors.items() if key.startswith(f"{side}.")}
    for key, own in module.state_dict().items():
        if state[key].shape != own.shape:
            there = names.get(f"{side}.{key}") or names[f"{side}.{key}".replace(".qkv.", ".q.")]
            reason = f"has the shape {tuple(state[key].shape)}, where {tuple(own.shape)} would fit the others"
            raise ModelError(file, f"its {there!r} {reason}")
    return cast(M, load_strict(module.to_empty(device="cpu"), state, file))

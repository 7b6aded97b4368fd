"""What the tensors of a CLIP checkpoint do not tell: activations, heads, and how pictures are prepared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clip3d.errors import ModelError
from clip3d.models.clip_layouts import Layout
from clip3d.models.preprocess import Interpolation

MAX_CONFIG_BYTES = 2**20
Channels = tuple[tuple[float, ...], tuple[float, ...]]
# Mean and standard deviation of the channels, of OpenAI's training pictures and of ImageNet.
CLIP_CHANNELS = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
IMAGENET_CHANNELS = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# Pillow's numbers of its filters.
FILTERS: dict[int, Interpolation] = {2: "bilinear", 3: "bicubic"}


@dataclass(frozen=True)
class TowerSettings:
    """Of one tower.

    Attributes:
        activation: "gelu" or "quick_gelu".
        epsilon: of the layer norms.
        heads: attention heads a block, if the config tells.
    """

    activation: str
    epsilon: float = 1e-5
    heads: int | None = None


@dataclass(frozen=True)
class Settings:
    """Of both towers, and how pictures are prepared.

    Attributes:
        image: of the image tower.
        text: of the text tower.
        channels: mean and standard deviation that pictures are scaled with, in [0, 1].
        interpolation: that pictures are resized with.
        sizes: in pixels, of the sides that the config tells: of the short one as resized, and of the square.
    """

    image: TowerSettings
    text: TowerSettings
    channels: Channels = CLIP_CHANNELS
    interpolation: Interpolation = "bicubic"
    sizes: frozenset[int] = frozenset()


def read_settings(weights: Path, layout: Layout, vocabulary: int, activation: str | None = None) -> Settings:
    """The settings of a checkpoint, from its layout or the config that lies beside it.

    Args:
        weights: the checkpoint's file.
        layout: of the checkpoint.
        vocabulary: number of tokens.
        activation: of both towers, whatever layout or config say.

    Raises:
        ModelError: if there is no config where one is needed, or it asks for what is not done here.
    """
    plain = TowerSettings("quick_gelu")
    if layout.name == "openai":
        settings = Settings(plain, plain)
    elif layout.name == "slip":
        settings = Settings(TowerSettings("gelu", epsilon=1e-6), plain, IMAGENET_CHANNELS, "bilinear")
    else:
        name = "open_clip_config.json" if layout.name == "open_clip" else "config.json"
        path = weights.with_name(name)
        if path.is_file():
            settings = _open_clip(path) if layout.name == "open_clip" else _hugging_face(path, vocabulary)
        elif activation is None:
            remedy = f"put the model's {name} beside it, or say whether it uses gelu or quick_gelu"
            raise ModelError(weights, f"comes without the {name} that tells its activation", remedy)
        else:
            settings = Settings(plain, plain)
    if activation is None:
        return settings
    image, text = (replace(tower, activation=activation) for tower in (settings.image, settings.text))
    return replace(settings, image=image, text=text)


# What open_clip's config may say without a change to what is computed from the tensors; None stands for any value.
_OPEN_CLIP_TOP: dict[str, Any] = {
    "embed_dim": None, "vision_cfg": None, "text_cfg": None, "quick_gelu": None, "init_logit_scale": None,
    "custom_text": False, "output_dict": None,
}  # fmt: skip
_OPEN_CLIP_IMAGE: dict[str, Any] = {
    "image_size": None, "layers": None, "width": None, "patch_size": None, "head_width": None, "mlp_ratio": None,
    "patch_dropout": None, "output_tokens": False, "norm_kwargs": None, "pool_type": "tok", "no_ln_pre": False,
    "attentional_pool": False, "final_ln_after_pool": False, "pos_embed_type": "learnable",
}  # fmt: skip
_OPEN_CLIP_TEXT: dict[str, Any] = {
    "context_length": None, "vocab_size": None, "width": None, "heads": None, "layers": None, "mlp_ratio": None,
    "pad_id": None, "output_tokens": False, "norm_kwargs": None, "pool_type": "argmax", "embed_cls": False,
    "no_causal_mask": False, "final_ln_after_pool": False, "proj_type": "linear", "proj_bias": False,
}  # fmt: skip
_OPEN_CLIP_PICTURE: dict[str, Any] = {
    "size": None, "mode": "RGB", "mean": None, "std": None, "interpolation": None, "resize_mode": "shortest",
    "fill_color": None,
}  # fmt: skip


def _open_clip(path: Path) -> Settings:
    config = _read(path)
    try:
        model, picture = config["model_cfg"], config.get("preprocess_cfg") or {}
        image, text = model["vision_cfg"], model["text_cfg"]
        tables = ((model, _OPEN_CLIP_TOP), (image, _OPEN_CLIP_IMAGE), (text, _OPEN_CLIP_TEXT))
        for table, known in (*tables, (picture, _OPEN_CLIP_PICTURE)):
            _refuse_others(path, table, known)
        activation = "quick_gelu" if model.get("quick_gelu") else "gelu"
        heads = int(image["width"]) // int(image.get("head_width", 64))
        return Settings(
            TowerSettings(activation, _epsilon(image), heads),
            TowerSettings(activation, _epsilon(text), int(text["heads"])),
            _channels(picture.get("mean", CLIP_CHANNELS[0]), picture.get("std", CLIP_CHANNELS[1])),
            _interpolation(picture.get("interpolation") or "bicubic"),
            _sides(path, "size", picture.get("size"), ()),
        )
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise ModelError(path, f"lacks or misstates {error}") from error


def _refuse_others(path: Path, table: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for key, value in table.items():
        # null is open_clip's way to leave a setting out
        if value is not None and (key not in known or known[key] not in (None, value)):
            raise ModelError(path, f"asks for {key!r}: {value!r}, which is not done here")


def _epsilon(table: Mapping[str, Any]) -> float:
    return float((table.get("norm_kwargs") or {}).get("eps", 1e-5))


def _hugging_face(path: Path, vocabulary: int) -> Settings:
    config, picture = _read(path), path.with_name("preprocessor_config.json")
    try:
        # older configs repeat the towers' tables under these names, which then count
        image = {**(config.get("vision_config") or {}), **(config.get("vision_config_dict") or {})}
        text = {**(config.get("text_config") or {}), **(config.get("text_config_dict") or {})}
        end = text.get("eos_token_id", vocabulary - 1)
        # 2 is what configs said before the library read this number; the end mark is then the largest id
        if end not in (2, vocabulary - 1):
            raise ModelError(path, f"ends texts with the token {end!r}, which is not the last of {vocabulary}")
        return Settings(
            _hugging_face_tower(image, heads=12),
            _hugging_face_tower(text, heads=8),
            *(_hugging_face_picture(picture) if picture.is_file() else ()),
        )
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise ModelError(path, f"lacks or misstates {error}") from error


def _hugging_face_tower(table: Mapping[str, Any], heads: int) -> TowerSettings:
    """A tower's settings; what its table does not say is as in CLIP ViT-B/32."""
    return TowerSettings(
        str(table.get("hidden_act", "quick_gelu")),
        float(table.get("layer_norm_eps", 1e-5)),
        int(table.get("num_attention_heads", heads)),
    )


def _hugging_face_picture(path: Path) -> tuple[Channels, Interpolation, frozenset[int]]:
    """Channels, interpolation and sizes from the config of the pictures' preparation, if its steps are CLIP's."""
    table = _read(path)
    for step in ("do_resize", "do_center_crop", "do_rescale", "do_normalize"):
        if table.get(step, True) is not True:
            raise ModelError(path, f"asks for {step!r}: {table[step]!r}, which is not done here")
    if table.get("resample", 3) not in FILTERS:
        raise ModelError(path, f"asks for 'resample': {table['resample']!r}, which is not done here")
    channels = _channels(table.get("image_mean", CLIP_CHANNELS[0]), table.get("image_std", CLIP_CHANNELS[1]))
    sizes = _sides(path, "size", table.get("size"), ("shortest_edge",))
    sizes |= _sides(path, "crop_size", table.get("crop_size"), ("height", "width"))
    return channels, FILTERS[table.get("resample", 3)], sizes


def _sides(path: Path, key: str, told: Any, names: tuple[str, ...]) -> frozenset[int]:
    """Sides in pixels that a config tells: a number, two in a list, or those of these names in a table."""
    if isinstance(told, dict):
        if set(told) != set(names):
            raise ModelError(path, f"asks for {key!r}: {told!r}, which is not done here")
        told = list(told.values())
    if told is None:
        return frozenset()
    return frozenset(int(side) for side in (told if isinstance(told, list) else [told]))


def _interpolation(name: Any) -> Interpolation:
    found: dict[str, Interpolation] = {each: each for each in FILTERS.values()}
    if name not in found:
        raise ValueError(f"an interpolation that is done here: {name!r}")
    return found[name]


def _channels(mean: Any, std: Any) -> Channels:
    found = tuple(float(v) for v in mean), tuple(float(v) for v in std)
    if [len(values) for values in found] != [3, 3] or min(found[1]) <= 0:
        raise ValueError(f"mean and deviation of three channels: {mean}, {std}")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ModelError(path, "is too large for a config")
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(path, f"is not JSON: {error}") from error
    if not isinstance(table, dict):
        raise ModelError(path, "is no table of settings")
    return table

"""Under which names the published CLIP checkpoints keep their tensors, and what those are here.

Four layouts are known: OpenAI's, open_clip's (OpenAI's without three numbers), Hugging Face's `CLIPModel`, and that
of SLIP, whose image tower is timm's vision transformer. Only vision transformers are read, no ResNets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Literal

from clip3d.errors import ModelError

if TYPE_CHECKING:
    import torch

    State = Mapping[str, torch.Tensor]

Name = Literal["openai", "open_clip", "huggingface", "slip"]
SIDES = ("image", "text")


@dataclass(frozen=True)
class Stack:
    """A tower's blocks: the name before a block's number, and its layers' names here and there, up to `weight`."""

    prefix: str
    layers: Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    """Names of one kind of checkpoint.

    Attributes:
        name: of the layout.
        blocks: of each tower.
        tensors: name here, such as `image.positions`, to name in the checkpoint, for all outside the blocks.
        turned: names here of matrices that the checkpoint holds as (in, out); here they are (out, in).
        left_out: pattern of what the checkpoint may hold beside the towers' tensors.
    """

    name: Name
    blocks: Mapping[str, Stack]
    tensors: Mapping[str, str]
    turned: frozenset[str] = field(default=frozenset({"image.projection.weight", "text.projection.weight"}))
    left_out: str = r"logit_scale"

    def expected(self, state: State) -> dict[str, str]:
        """Name here to name in the checkpoint of every tensor that checkpoints of this depth hold."""
        names = dict(self.tensors)
        for side, stack in self.blocks.items():
            for block in range(max(self.depth(state, side), 1)):
                for here, there in stack.layers.items():
                    for part in ("weight", "bias"):
                        names[f"{side}.blocks.{block}.{here}{part}"] = f"{stack.prefix}.{block}.{there}{part}"
        return names

    def depth(self, state: State, side: str) -> int:
        """Number of blocks of a tower: one more than the largest, of those numbered without a gap."""
        prefix = self.blocks[side].prefix + "."
        found = {key.removeprefix(prefix).split(".")[0] for key in state if key.startswith(prefix)}
        return next(i for i in range(len(found) + 1) if str(i) not in found)


_CLIP_LAYERS = {
    "norm1.": "ln_1.", "qkv.": "attn.in_proj_", "out.": "attn.out_proj.",
    "norm2.": "ln_2.", "up.": "mlp.c_fc.", "down.": "mlp.c_proj.",
}  # fmt: skip
_TIMM_LAYERS = {
    "norm1.": "norm1.", "qkv.": "attn.qkv.", "out.": "attn.proj.",
    "norm2.": "norm2.", "up.": "mlp.fc1.", "down.": "mlp.fc2.",
}  # fmt: skip
_HUGGING_FACE_LAYERS = {
    "norm1.": "layer_norm1.", "q.": "self_attn.q_proj.", "k.": "self_attn.k_proj.", "v.": "self_attn.v_proj.",
    "out.": "self_attn.out_proj.", "norm2.": "layer_norm2.", "up.": "mlp.fc1.", "down.": "mlp.fc2.",
}  # fmt: skip
_CLIP_TEXT = {
    "text.words.weight": "token_embedding.weight",
    "text.positions": "positional_embedding",
    "text.norm.weight": "ln_final.weight",
    "text.norm.bias": "ln_final.bias",
    "text.projection.weight": "text_projection",
}
_CLIP_IMAGE = {
    "image.class_token": "visual.class_embedding",
    "image.positions": "visual.positional_embedding",
    "image.patches.weight": "visual.conv1.weight",
    "image.pre_norm.weight": "visual.ln_pre.weight",
    "image.pre_norm.bias": "visual.ln_pre.bias",
    "image.post_norm.weight": "visual.ln_post.weight",
    "image.post_norm.bias": "visual.ln_post.bias",
    "image.projection.weight": "visual.proj",
}
_TIMM_IMAGE = {
    "image.class_token": "visual.cls_token",
    "image.positions": "visual.pos_embed",
    "image.patches.weight": "visual.patch_embed.proj.weight",
    "image.patches.bias": "visual.patch_embed.proj.bias",
    "image.post_norm.weight": "visual.norm.weight",
    "image.post_norm.bias": "visual.norm.bias",
    "image.projection.weight": "image_projection",
}
_HUGGING_FACE = {
    "image.class_token": "vision_model.embeddings.class_embedding",
    "image.positions": "vision_model.embeddings.position_embedding.weight",
    "image.patches.weight": "vision_model.embeddings.patch_embedding.weight",
    "image.pre_norm.weight": "vision_model.pre_layrnorm.weight",
    "image.pre_norm.bias": "vision_model.pre_layrnorm.bias",
    "image.post_norm.weight": "vision_model.post_layernorm.weight",
    "image.post_norm.bias": "vision_model.post_layernorm.bias",
    "image.projection.weight": "visual_projection.weight",
    "text.words.weight": "text_model.embeddings.token_embedding.weight",
    "text.positions": "text_model.embeddings.position_embedding.weight",
    "text.norm.weight": "text_model.final_layer_norm.weight",
    "text.norm.bias": "text_model.final_layer_norm.bias",
    "text.projection.weight": "text_projection.weight",
}
_CLIP_BLOCKS = {
    "image": Stack("visual.transformer.resblocks", _CLIP_LAYERS),
    "text": Stack("transformer.resblocks", _CLIP_LAYERS),
}
_OPENAI_NUMBERS = ("input_resolution", "context_length", "vocab_size")

OPENAI = Layout(
    "openai", _CLIP_BLOCKS, _CLIP_IMAGE | _CLIP_TEXT, left_out="|".join(("logit_scale", *_OPENAI_NUMBERS))
)
OPEN_CLIP = Layout("open_clip", _CLIP_BLOCKS, _CLIP_IMAGE | _CLIP_TEXT, left_out=r"logit_scale|attn_mask")
HUGGING_FACE = Layout(
    "huggingface",
    {
        "image": Stack("vision_model.encoder.layers", _HUGGING_FACE_LAYERS),
        "text": Stack("text_model.encoder.layers", _HUGGING_FACE_LAYERS),
    },
    _HUGGING_FACE,
    turned=frozenset(),
    left_out=r"logit_scale|(vision|text)_model\.embeddings\.position_ids",
)
# `image_mlp` is the head of SLIP's self-supervised loss, which no vector of the space passes through.
SLIP = Layout(
    "slip",
    {"image": Stack("visual.blocks", _TIMM_LAYERS), "text": _CLIP_BLOCKS["text"]},
    _TIMM_IMAGE | _CLIP_TEXT,
    left_out=r"logit_scale|image_mlp\..*",
)


def detect(path: str | PathLike[str], keys: Iterable[str]) -> Layout:
    """The layout that a checkpoint's names belong to; ModelError if it is none that is known."""
    keys = set(keys)
    if "vision_model.embeddings.class_embedding" in keys:
        return HUGGING_FACE
    if "visual.cls_token" in keys and "image_projection" in keys:
        return SLIP
    if "visual.class_embedding" in keys:
        return OPENAI if keys.intersection(_OPENAI_NUMBERS) else OPEN_CLIP
    remedy = "CLIP of OpenAI, open_clip, Hugging Face or SLIP with a vision transformer is read; others may be "
    remedy += "used by way of the package open_clip, without a conversion: --model open_clip:ARCHITECTURE/FILE"
    if "visual.layer1.0.conv1.weight" in keys:
        raise ModelError(path, "holds a ResNet, as its key 'visual.layer1.0.conv1.weight' says", remedy)
    first = f"its first key is {min(keys)!r}" if keys else "it holds no tensors"
    raise ModelError(path, f"is no CLIP checkpoint of a known layout: {first}", remedy)


def rename(path: str | PathLike[str], state: State, layout: Layout) -> dict[str, torch.Tensor]:
    """A checkpoint's tensors under the names of `ClipViT` and `ClipTextTransformer`, after `image.` and `text.`.

    Raises:
        ModelError: if a tensor is missing, or there is one that is not known; the first such key is named.
    """
    names = layout.expected(state)
    missing = sorted(set(names.values()) - state.keys())
    extra = sorted(k for k in state.keys() - set(names.values()) if not re.fullmatch(layout.left_out, k))
    if missing or extra:
        example = f"lacks {missing[0]!r}" if missing else f"does not know {extra[0]!r}"
        counts = f"{len(missing)} keys missing, {len(extra)} unknown"
        reason = f"is no whole checkpoint of the layout {layout.name}: {counts}; "
        raise ModelError(path, reason + ("it " if missing else "that layout ") + example)
    found = {here: state[there] for here, there in names.items()}
    for here in layout.turned:
        if found[here].ndim != 2:
            raise ModelError(path, f"its {names[here]!r} is no matrix")
        found[here] = found[here].T
    # timm gives these a batch axis
    found["image.class_token"] = found["image.class_token"].squeeze()
    found["image.positions"] = found["image.positions"].squeeze(0)
    return _joined(path, found, names) if layout is HUGGING_FACE else found


def _joined(
    path: str | PathLike[str], found: dict[str, torch.Tensor], names: Mapping[str, str]
) -> dict[str, torch.Tensor]:
    """With the queries', keys' and values' layers in one."""
    import torch

    for name in [name for name in found if name.endswith((".q.weight", ".q.bias"))]:
        stem, part = name.rsplit(".q.", 1)
        try:
            found[f"{stem}.qkv.{part}"] = torch.cat([found.pop(f"{stem}.{letter}.{part}") for letter in "qkv"])
        except (RuntimeError, IndexError) as error:
            raise ModelError(path, f"has keys or values of another shape than {names[name]!r}") from error
    return found

"""What published checkpoints of 3D encoders hold, and under which keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Theirs, ours; {i} and {j} are numbers. Each line stands for all tensors of a module, or for a parameter.
TRANSFORMER_KEYS = (
    ("encoder.first_conv.0", "group.lift"),
    ("encoder.first_conv.1", "group.lift_norm"),
    ("encoder.first_conv.3", "group.widen"),
    ("encoder.second_conv.0", "group.mix"),
    ("encoder.second_conv.1", "group.mix_norm"),
    ("encoder.second_conv.3", "group.summary"),
    ("reduce_dim", "token"),
    ("cls_token", "cls_token"),
    ("cls_pos", "cls_place"),
    ("pos_embed.{i}", "place.{i}"),
    ("blocks.blocks.{i}.norm1", "blocks.{i}.attention_norm"),
    ("blocks.blocks.{i}.attn.qkv", "blocks.{i}.qkv"),
    ("blocks.blocks.{i}.attn.proj", "blocks.{i}.project"),
    ("blocks.blocks.{i}.norm2", "blocks.{i}.perceptron_norm"),
    ("blocks.blocks.{i}.mlp.fc1", "blocks.{i}.expand"),
    ("blocks.blocks.{i}.mlp.fc2", "blocks.{i}.contract"),
    ("norm", "norm"),
    ("projection", "project"),
)
MLP_KEYS = (
    ("embedding.net.0", "embed"),
    ("embedding.net.1", "embed_norm"),
    ("local_grouper_list.{i}.affine_alpha", "stages.{i}.scale"),
    ("local_grouper_list.{i}.affine_beta", "stages.{i}.shift"),
    ("pre_blocks_list.{i}.transfer.net.0", "stages.{i}.transfer"),
    ("pre_blocks_list.{i}.transfer.net.1", "stages.{i}.transfer_norm"),
    ("pre_blocks_list.{i}.operation.{j}.net1.0", "stages.{i}.local.{j}.first"),
    ("pre_blocks_list.{i}.operation.{j}.net1.1", "stages.{i}.local.{j}.first_norm"),
    ("pre_blocks_list.{i}.operation.{j}.net2.0", "stages.{i}.local.{j}.second"),
    ("pre_blocks_list.{i}.operation.{j}.net2.1", "stages.{i}.local.{j}.second_norm"),
    ("pos_blocks_list.{i}.operation.{j}.net1.0", "stages.{i}.regional.{j}.first"),
    ("pos_blocks_list.{i}.operation.{j}.net1.1", "stages.{i}.regional.{j}.first_norm"),
    ("pos_blocks_list.{i}.operation.{j}.net2.0", "stages.{i}.regional.{j}.second"),
    ("pos_blocks_list.{i}.operation.{j}.net2.1", "stages.{i}.regional.{j}.second_norm"),
    ("classifier.{i}", "head.{i}"),
    ("projection", "project"),
)
SWEEP_LAYER = "_sst.backbone.block_list.{i}.encoder_list.{j}"
SWEEP_KEYS = (
    ("_sst.voxel_encoder.vfe_layers.{i}.linear", "features.layers.{i}.linear"),
    ("_sst.voxel_encoder.vfe_layers.{i}.norm", "features.layers.{i}.norm"),
    (f"{SWEEP_LAYER}.win_attn.self_attn.in_proj_weight", "blocks.{i}.{j}.qkv.weight"),
    (f"{SWEEP_LAYER}.win_attn.self_attn.in_proj_bias", "blocks.{i}.{j}.qkv.bias"),
    (f"{SWEEP_LAYER}.win_attn.self_attn.out_proj", "blocks.{i}.{j}.project"),
    (f"{SWEEP_LAYER}.norm1", "blocks.{i}.{j}.attention_norm"),
    (f"{SWEEP_LAYER}.linear1", "blocks.{i}.{j}.expand"),
    (f"{SWEEP_LAYER}.linear2", "blocks.{i}.{j}.contract"),
    (f"{SWEEP_LAYER}.norm2", "blocks.{i}.{j}.perceptron_norm"),
    ("_pooler.positional_embedding", "pool.positions"),
    ("_pooler.in_proj", "pool.lift"),
    ("_pooler.q_proj", "pool.query"),
    ("_pooler.k_proj", "pool.key"),
    ("_pooler.v_proj", "pool.value"),
    ("_pooler.c_proj", "pool.out"),
)
KEYS = {"point-transformer": TRANSFORMER_KEYS, "point-mlp": MLP_KEYS, "sparse-transformer": SWEEP_KEYS}

# ULIP's projection is a bare matrix (features, dim) beside the encoder.
ULIP_PROJECTION = "pc_projection"
# Its frozen teachers: SLIP in ULIP, a model of open_clip in ULIP-2.
ULIP_TEACHERS = (
    "visual.", "transformer.", "token_embedding.", "positional_embedding", "ln_final.",
    "image_projection", "text_projection", "logit_scale", "open_clip_model.",
)  # fmt: skip
# The last map of a teacher's text tower, SLIP's and open_clip's, by which the teacher can be known again.
TEXT_PROJECTIONS = ("text_projection", "open_clip_model.text_projection")


@dataclass(frozen=True)
class Layout:
    """What a kind of checkpoint holds.

    Attributes:
        name: of the kind.
        architecture: in the catalogue of towers.
        marks: keys that tell it from the kinds after it.
        prefix: of the encoder's keys.
        dropped: keys, or beginnings of keys that end in a dot, of heads, decoders and teachers that are left out.
        lacks: parts of our tower that this kind does not have.
        settings: of the architecture, which no key tells.
    """

    name: str
    architecture: str
    marks: tuple[str, ...]
    prefix: str = ""
    dropped: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def drops(self, key: str) -> bool:
        """Whether a key belongs to a head, decoder or teacher."""
        return any(key.startswith(part) if part.endswith(".") else key == part for part in self.dropped)

    def ours(self, key: str) -> str | None:
        """Name of the tower's tensor that a checkpoint of this kind holds as `key`; None if it is none of them."""
        if not key.startswith(self.prefix):
            return None
        return _translate(key.removeprefix(self.prefix), KEYS[self.architecture])

    def theirs(self, name: str) -> str:
        """The key under which a checkpoint of this kind holds the tower's tensor `name`."""
        if name.startswith("project.") and ULIP_PROJECTION in self.marks:
            return ULIP_PROJECTION
        back = [(ours, theirs) for theirs, ours in KEYS[self.architecture]]
        return self.prefix + (_translate(name, back) or name)


# In the order in which they are tried.
LAYOUTS = (
    Layout(
        "Point-BERT, pre-trained", "point-transformer", ("transformer_q.encoder.first_conv.0.weight",),
        "transformer_q.",
        ("transformer_q.mask_token", "transformer_q.lm_head.", "transformer_q.cls_head.", "transformer_k.", "dvae.",
         "queue", "queue_ptr"),
        ("project",),
    ),
    Layout(
        "Point-MAE, pre-trained", "point-transformer", ("MAE_encoder.encoder.first_conv.0.weight",), "MAE_encoder.",
        ("MAE_decoder.", "decoder_pos_embed.", "increase_dim.", "mask_token"),
        ("cls_token", "cls_place", "project"),
    ),
    Layout(
        "ULIP PointBERT", "point-transformer", (ULIP_PROJECTION, "point_encoder.encoder.first_conv.0.weight"),
        "point_encoder.", ULIP_TEACHERS, settings={"centers": 512},
    ),
    Layout(
        "ULIP PointMLP", "point-mlp", (ULIP_PROJECTION, "point_encoder.embedding.net.0.weight"),
        "point_encoder.", ULIP_TEACHERS,
    ),
    Layout(
        "CG3D PointTransformer", "point-transformer", ("encoder.first_conv.0.weight", "projection.weight"),
        dropped=("cls_head_finetune.",),
    ),
    Layout("CG3D PointMLP", "point-mlp", ("embedding.net.0.weight", "projection.weight")),
    Layout(
        "Point-BERT or Point-MAE, fine-tuned", "point-transformer", ("encoder.first_conv.0.weight", "cls_token"),
        dropped=("cls_head_finetune.",), lacks=("project",),
    ),
    Layout(
        "PointMLP classifier", "point-mlp", ("embedding.net.0.weight", "classifier.0.weight"),
        dropped=("classifier.",), lacks=("project",),
    ),
    Layout(
        "LidarCLIP SST", "sparse-transformer", ("lidar_encoder._sst.voxel_encoder.vfe_layers.0.linear.weight",),
        "lidar_encoder.", ("clip.", "lidar_encoder._sst.bbox_head."),
        settings={"query": "all"},
    ),
)  # fmt: skip


def layout_of(keys: Collection[str]) -> Layout | None:
    """The first of `LAYOUTS` whose marks are all among the keys."""
    return next((layout for layout in LAYOUTS if all(mark in keys for mark in layout.marks)), None)


def _translate(name: str, table: Sequence[tuple[str, str]]) -> str | None:
    for source, target in table:
        pattern = re.escape(source).replace(r"\{i\}", r"(?P<i>\d+)").replace(r"\{j\}", r"(?P<j>\d+)")
        match = re.fullmatch(pattern + r"(?P<tensor>(\.[a-z_]+)?)", name)
        if match:
            return target.format(**match.groupdict()) + match["tensor"]
    return None

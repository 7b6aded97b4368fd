"""A checkpoint as LidarCLIP's training writes it, with random weights, and a slow forward pass over it.

The names are those of its modules and of the detection library that they are built with. The pass is written from
the paper and the configuration: a point, a pillar and a window at a time, over dense maps, and knows nothing of the
package.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from published_encoders import State, batch_norm, layer_norm, linear, under
from torch import Tensor
from torch.nn import functional as F

SIDE, CELL, WINDOW = 80, 0.5, 12
LOW = (0.0, -20.0, -2.0)


def checkpoint(dim: int = 32, width: int = 16, point_width: int = 8, hidden: int = 24, blocks: int = 2) -> State:
    """The encoder's keys, those of the head that its builder adds, and of the frozen CLIP."""
    features = under("_sst.voxel_encoder.vfe_layers.", {
        **linear("0.linear", point_width, 10, bias=False),
        **batch_norm("0.norm", point_width),
        **linear("1.linear", width, 2 * point_width, bias=False),
        **batch_norm("1.norm", width),
    })  # fmt: skip
    layers: State = {}
    for i in range(blocks):
        for j in (0, 1):
            layer = f"_sst.backbone.block_list.{i}.encoder_list.{j}"
            packed = linear(f"{layer}.win_attn.self_attn.in_proj", 3 * width, width)
            layers |= {key.replace("in_proj.", "in_proj_"): tensor for key, tensor in packed.items()}
            layers |= linear(f"{layer}.win_attn.self_attn.out_proj", width, width)
            layers |= linear(f"{layer}.linear1", hidden, width) | linear(f"{layer}.linear2", width, hidden)
            layers |= layer_norm(f"{layer}.norm1", width) | layer_norm(f"{layer}.norm2", width)
    generator = torch.Generator().manual_seed(5)
    pooler = {"positional_embedding": torch.randn(SIDE * SIDE + 1, dim, generator=generator)}
    for name in ("q_proj", "k_proj", "v_proj", "c_proj"):
        pooler |= linear(name, dim, dim)
    pooler |= linear("in_proj", dim, width)
    head = linear("_sst.bbox_head.conv_cls", 18, 384, 1, 1)
    encoder = features | layers | under("_pooler.", pooler) | head
    teacher = linear("clip.visual.proj", 4, 4) | {"clip.logit_scale": torch.ones(())}
    return under("lidar_encoder.", encoder) | teacher


def vectors(state: State, sweeps: list[np.ndarray], heads: int = 8) -> tuple[Tensor, Tensor, Tensor]:
    """Vectors (n, dim) of sweeps (p, 4), dense ones (n, 6400, dim), and which of those are of non-empty cells."""
    encoder = {key.removeprefix("lidar_encoder."): t.double() for key, t in state.items()}
    found = [_one(encoder, torch.from_numpy(sweep).double(), heads) for sweep in sweeps]
    first, second, third = zip(*found, strict=True)
    return torch.stack(first), torch.stack(second), torch.stack(third)


def _one(state: State, points: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    view = torch.zeros(SIDE, SIDE, state["_pooler.in_proj.weight"].shape[1], dtype=torch.float64)
    full = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    for (row, column), inside in _pillars(points).items():
        view[row, column], full[row, column] = _pillar(state, inside, row, column), True
    blocks = len({key.split(".")[3] for key in state if ".block_list." in key})
    for i in range(blocks):
        for j, shift in ((0, 0), (1, WINDOW // 2)):
            view = _layer(state, f"_sst.backbone.block_list.{i}.encoder_list.{j}", view, full, shift, heads)
    flat = view.reshape(SIDE * SIDE, -1)
    return *_pool(state, flat, full.flatten(), heads), full.flatten()


def _pillars(points: Tensor) -> dict[tuple[int, int], Tensor]:
    found: dict[tuple[int, int], list[Tensor]] = {}
    for point in points:
        column, row = math.floor((point[0] - LOW[0]) / CELL), math.floor((point[1] - LOW[1]) / CELL)
        if 0 <= column < SIDE and 0 <= row < SIDE and -2 <= point[2] < 4:
            found.setdefault((row, column), []).append(point)
    return {place: torch.stack(inside) for place, inside in found.items()}


def _pillar(state: State, points: Tensor, row: int, column: int) -> Tensor:
    middle = points.new_tensor([LOW[0] + (column + 0.5) * CELL, LOW[1] + (row + 0.5) * CELL, 1.0])
    mean = points[:, :3].mean(0)
    told = torch.cat([points, points[:, :3] - mean, points[:, :3] - middle], dim=1)
    first = _point_layer(state, "_sst.voxel_encoder.vfe_layers.0", told)
    both = torch.cat([first, first.amax(0).expand_as(first)], dim=1)
    return _point_layer(state, "_sst.voxel_encoder.vfe_layers.1", both).amax(0)


def _point_layer(state: State, name: str, values: Tensor) -> Tensor:
    values = values @ state[f"{name}.linear.weight"].T
    mean, variance = state[f"{name}.norm.running_mean"], state[f"{name}.norm.running_var"]
    values = (values - mean) / (variance + 1e-3).sqrt()
    return (values * state[f"{name}.norm.weight"] + state[f"{name}.norm.bias"]).clamp(min=0)


def _layer(state: State, name: str, view: Tensor, full: Tensor, shift: int, heads: int) -> Tensor:
    out = view.clone()
    for top in range(-shift, SIDE, WINDOW):
        for left in range(-shift, SIDE, WINDOW):
            cells = [
                (r, c)
                for r in range(max(top, 0), min(top + WINDOW, SIDE))
                for c in range(max(left, 0), min(left + WINDOW, SIDE))
                if full[r, c]
            ]
            if cells:
                rows, columns = torch.tensor(cells).T
                tokens = view[rows, columns]
                places = torch.stack([_waves(r - top, c - left, view.shape[-1]) for r, c in cells])
                out[rows, columns] = _encoded(state, name, tokens, places.double(), heads)
    return out


def _waves(row: int, column: int, width: int) -> Tensor:
    def axis(step: float) -> list[float]:
        channels = width // 2
        angles = [step / 10_000 ** (2 * (i // 2) / channels) for i in range(channels)]
        return [math.cos(a) if i % 2 else math.sin(a) for i, a in enumerate(angles)]

    return torch.tensor(axis(column - WINDOW / 2) + axis(row - WINDOW / 2))


def _encoded(state: State, name: str, tokens: Tensor, places: Tensor, heads: int) -> Tensor:
    attention = f"{name}.win_attn.self_attn"
    width = tokens.shape[1]
    wq, wk, wv = state[f"{attention}.in_proj_weight"].split(width)
    bq, bk, bv = state[f"{attention}.in_proj_bias"].split(width)
    q, k, v = (tokens + places) @ wq.T + bq, (tokens + places) @ wk.T + bk, tokens @ wv.T + bv
    mixed = _attend(q, k, v, heads)
    mixed = mixed @ state[f"{attention}.out_proj.weight"].T + state[f"{attention}.out_proj.bias"]
    tokens = _layer_norm(state, f"{name}.norm1", tokens + mixed)
    hidden = F.gelu(tokens @ state[f"{name}.linear1.weight"].T + state[f"{name}.linear1.bias"])
    hidden = hidden @ state[f"{name}.linear2.weight"].T + state[f"{name}.linear2.bias"]
    return _layer_norm(state, f"{name}.norm2", tokens + hidden)


def _attend(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    parts = []
    for a, b, c in zip(q.chunk(heads, 1), k.chunk(heads, 1), v.chunk(heads, 1), strict=True):
        parts.append(torch.softmax(a @ b.T / a.shape[1] ** 0.5, dim=1) @ c)
    return torch.cat(parts, dim=1)


def _layer_norm(state: State, name: str, values: Tensor) -> Tensor:
    return F.layer_norm(values, values.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"])


def _pool(state: State, cells: Tensor, full: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """The query is the mean over all 6,400 lifted cells; keys and values are those that are not empty."""

    def project(name: str, values: Tensor) -> Tensor:
        return values @ state[f"_pooler.{name}.weight"].T + state[f"_pooler.{name}.bias"]

    lifted = project("in_proj", cells)
    tokens = torch.cat([lifted.mean(0, keepdim=True), lifted]) + state["_pooler.positional_embedding"]
    seen = tokens[1:][full]
    mixed = _attend(project("q_proj", tokens[:1]), project("k_proj", seen), project("v_proj", seen), heads)
    return project("c_proj", mixed)[0], project("c_proj", project("v_proj", tokens[1:]))

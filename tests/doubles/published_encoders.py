"""Checkpoints in the layouts of the published repositories, with random weights, and slow forward passes over them.

The names and shapes are those of the repositories' own modules; the passes are written from the papers, a cloud, a
group and a head at a time, and know nothing of the package.
"""

from __future__ import annotations

import torch
from torch import Tensor

State = dict[str, Tensor]


def linear(name: str, outputs: int, *inputs: int, bias: bool = True) -> State:
    generator = torch.Generator().manual_seed(sum(map(ord, name)) + 7 * outputs)
    weight = torch.randn(outputs, *inputs, generator=generator) / inputs[0] ** 0.5
    state = {f"{name}.weight": weight}
    return {**state, f"{name}.bias": 0.3 * torch.randn(outputs, generator=generator)} if bias else state


def layer_norm(name: str, width: int) -> State:
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    weight, bias = torch.rand(2, width, generator=generator)
    return {f"{name}.weight": 0.5 + weight, f"{name}.bias": bias - 0.5}


def batch_norm(name: str, width: int) -> State:
    generator = torch.Generator().manual_seed(sum(map(ord, name)) + 1)
    mean, variance = torch.rand(2, width, generator=generator)
    running = {f"{name}.running_mean": mean - 0.5, f"{name}.running_var": 0.5 + variance}
    return {**layer_norm(name, width), **running, f"{name}.num_batches_tracked": torch.tensor(3)}


def transformer_blocks(name: str, layers: int, width: int) -> State:
    state: State = {}
    for i in range(layers):
        block = f"{name}.blocks.{i}"
        state |= layer_norm(f"{block}.norm1", width) | layer_norm(f"{block}.norm2", width)
        state |= linear(f"{block}.mlp.fc1", 4 * width, width) | linear(f"{block}.mlp.fc2", width, 4 * width)
        state |= linear(f"{block}.attn.qkv", 3 * width, width, bias=False)
        state |= linear(f"{block}.attn.proj", width, width)
    return state


def group_encoder(inputs: int, outputs: int) -> State:
    return {
        **linear("encoder.first_conv.0", 128, inputs, 1),
        **batch_norm("encoder.first_conv.1", 128),
        **linear("encoder.first_conv.3", 256, 128, 1),
        **linear("encoder.second_conv.0", 512, 512, 1),
        **batch_norm("encoder.second_conv.1", 512),
        **linear("encoder.second_conv.3", outputs, 512, 1),
    }


def positions(name: str, width: int) -> State:
    return {**linear(f"{name}.0", 128, 3), **linear(f"{name}.2", width, 128)}


def transformer(
    width: int = 24, layers: int = 2, group_width: int | None = 20, inputs: int = 3, tokens: bool = True
) -> State:
    """The encoder's own tensors; without `group_width` groups come out in the transformer's width."""
    state = group_encoder(inputs, group_width or width) | positions("pos_embed", width)
    state |= transformer_blocks("blocks", layers, width) | layer_norm("norm", width)
    if group_width:
        state |= linear("reduce_dim", width, group_width)
    if tokens:
        state |= {"cls_token": torch.full((1, 1, width), 0.1)}
        state |= {"cls_pos": torch.linspace(-1, 1, width).view(1, 1, -1)}
    return state


def mlp(stem: int = 6, channels: tuple[int, ...] = (8, 12, 16, 20), blocks: int = 2) -> State:
    """The encoder's own tensors."""
    state = linear("embedding.net.0", stem, 3, 1, bias=False) | batch_norm("embedding.net.1", stem)
    inner = stem
    for i, outer in enumerate(channels):
        affine = layer_norm(f"affine{i}", inner).values()
        for name, value in zip(("affine_alpha", "affine_beta"), affine, strict=True):
            state[f"local_grouper_list.{i}.{name}"] = value.view(1, 1, 1, inner)
        state |= linear(f"pre_blocks_list.{i}.transfer.net.0", outer, 2 * inner, 1, bias=False)
        state |= batch_norm(f"pre_blocks_list.{i}.transfer.net.1", outer)
        for part in ("pre", "pos"):
            for j in range(blocks):
                for net in ("net1", "net2"):
                    name = f"{part}_blocks_list.{i}.operation.{j}.{net}"
                    state |= linear(f"{name}.0", outer, outer, 1, bias=False) | batch_norm(f"{name}.1", outer)
        inner = outer
    return state


def classifier(width: int, *hidden: int, classes: int | None = None) -> State:
    """PointMLP's: linear, batch norm, ReLU and dropout for each hidden width, then the classes."""
    state: State = {}
    for i, outer in enumerate(hidden):
        state |= linear(f"classifier.{4 * i}", outer, width) | batch_norm(f"classifier.{4 * i + 1}", outer)
        width = outer
    return state | linear(f"classifier.{4 * len(hidden)}", classes, width) if classes else state


def under(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def teachers() -> State:
    """Some of ULIP's frozen SLIP."""
    return {
        "visual.cls_token": torch.zeros(1, 1, 8),
        **linear("visual.blocks.0.attn.qkv", 24, 8),
        **linear("transformer.resblocks.0.mlp.c_fc", 32, 8),
        "token_embedding.weight": torch.zeros(10, 8),
        "positional_embedding": torch.zeros(7, 8),
        **layer_norm("ln_final", 8),
        "image_projection": torch.zeros(8, 5),
        "text_projection": torch.zeros(8, 5),
        "logit_scale": torch.tensor(2.6),
    }


def transformer_feature(state: State, clouds: Tensor, centers: int, neighbors: int, heads: int) -> Tensor:
    """Features (b, 2 * width) of clouds (b, p, 3 or 6)."""
    return torch.stack([_transformer_feature(state, cloud, centers, neighbors, heads) for cloud in clouds])


def _transformer_feature(state: State, cloud: Tensor, centers: int, neighbors: int, heads: int) -> Tensor:
    chosen = _farthest(cloud[:, :3], centers)
    tokens, places = [state["cls_token"].flatten()], [state["cls_pos"].flatten()]
    for center in chosen:
        group = cloud[_nearest(cloud[:, :3], cloud[center, :3], neighbors)].clone()
        group[:, :3] -= cloud[center, :3]
        token = _group_vector(state, group)
        tokens.append(_map(state, "reduce_dim", token) if "reduce_dim.weight" in state else token)
        hidden = torch.nn.functional.gelu(_map(state, "pos_embed.0", cloud[center, :3]))
        places.append(_map(state, "pos_embed.2", hidden))
    x, place = torch.stack(tokens), torch.stack(places)
    layers = sum(name.endswith("norm1.weight") for name in state)
    for i in range(layers):
        x = _block(state, f"blocks.blocks.{i}", x + place, heads)
    x = _layer_norm(state, "norm", x)
    return torch.cat([x[0], x[1:].max(0).values])


def _group_vector(state: State, group: Tensor) -> Tensor:
    hidden = torch.relu(_batch_norm(state, "encoder.first_conv.1", _map(state, "encoder.first_conv.0", group)))
    local = _map(state, "encoder.first_conv.3", hidden)
    both = torch.stack([torch.cat([local.max(0).values, one]) for one in local])
    hidden = torch.relu(_batch_norm(state, "encoder.second_conv.1", _map(state, "encoder.second_conv.0", both)))
    return _map(state, "encoder.second_conv.3", hidden).max(0).values


def _block(state: State, name: str, x: Tensor, heads: int) -> Tensor:
    width = x.shape[1]
    queries, keys, values = _map(state, f"{name}.attn.qkv", _layer_norm(state, f"{name}.norm1", x)).split(width, 1)
    mixed = []
    for head in range(heads):
        part = slice(head * width // heads, (head + 1) * width // heads)
        logits = queries[:, part] @ keys[:, part].T / (width // heads) ** 0.5
        mixed.append(logits.softmax(1) @ values[:, part])
    x = x + _map(state, f"{name}.attn.proj", torch.cat(mixed, 1))
    hidden = torch.nn.functional.gelu(_map(state, f"{name}.mlp.fc1", _layer_norm(state, f"{name}.norm2", x)))
    return x + _map(state, f"{name}.mlp.fc2", hidden)


def mlp_feature(state: State, clouds: Tensor, anchors: tuple[int, ...], neighbors: int) -> Tensor:
    """Features (b, c) of clouds (b, p, 3)."""
    return torch.stack([_mlp_feature(state, cloud, anchors, neighbors) for cloud in clouds])


def _mlp_feature(state: State, cloud: Tensor, anchors: tuple[int, ...], neighbors: int) -> Tensor:
    xyz = cloud
    x = torch.relu(_batch_norm(state, "embedding.net.1", _map(state, "embedding.net.0", cloud)))
    for i, count in enumerate(anchors):
        chosen = _farthest(xyz, count)
        groups = [_nearest(xyz, xyz[anchor], neighbors) for anchor in chosen]
        residuals = torch.stack([x[group] - x[anchor] for anchor, group in zip(chosen, groups, strict=True)])
        n = residuals.numel()
        sigma = ((residuals - residuals.mean()).square().sum() / (n - 1)).sqrt()
        alpha, beta = (state[f"local_grouper_list.{i}.affine_{name}"].flatten() for name in ("alpha", "beta"))
        alike = alpha * residuals / (sigma + 1e-5) + beta
        summaries = []
        for anchor, neighbourhood in zip(chosen, alike, strict=True):
            both = torch.cat([neighbourhood, x[anchor].expand(len(neighbourhood), -1)], 1)
            moved = _map(state, f"pre_blocks_list.{i}.transfer.net.0", both)
            moved = torch.relu(_batch_norm(state, f"pre_blocks_list.{i}.transfer.net.1", moved))
            summaries.append(_residuals(state, f"pre_blocks_list.{i}", moved).max(0).values)
        xyz, x = xyz[chosen], _residuals(state, f"pos_blocks_list.{i}", torch.stack(summaries))
    return x.max(0).values


def _residuals(state: State, name: str, x: Tensor) -> Tensor:
    j = 0
    while f"{name}.operation.{j}.net1.0.weight" in state:
        block = f"{name}.operation.{j}"
        hidden = torch.relu(_batch_norm(state, f"{block}.net1.1", _map(state, f"{block}.net1.0", x)))
        x = torch.relu(_batch_norm(state, f"{block}.net2.1", _map(state, f"{block}.net2.0", hidden)) + x)
        j += 1
    return x


def classifier_hidden(state: State, feature: Tensor) -> Tensor:
    """Output of the classifier's hidden layers, from features (b, c)."""
    i = 0
    while f"classifier.{4 * i + 1}.running_mean" in state:
        feature = torch.relu(
            _batch_norm(state, f"classifier.{4 * i + 1}", _map(state, f"classifier.{4 * i}", feature))
        )
        i += 1
    return feature


def _map(state: State, name: str, x: Tensor) -> Tensor:
    weight = state[f"{name}.weight"]
    product = x @ (weight[:, :, 0] if weight.dim() == 3 else weight).T
    return product + state[f"{name}.bias"] if f"{name}.bias" in state else product


def _batch_norm(state: State, name: str, x: Tensor) -> Tensor:
    spread = (state[f"{name}.running_var"] + 1e-5).sqrt()
    return (x - state[f"{name}.running_mean"]) / spread * state[f"{name}.weight"] + state[f"{name}.bias"]


def _layer_norm(state: State, name: str, x: Tensor) -> Tensor:
    centred = x - x.mean(1, keepdim=True)
    spread = (centred.square().mean(1, keepdim=True) + 1e-5).sqrt()
    return centred / spread * state[f"{name}.weight"] + state[f"{name}.bias"]


def _farthest(xyz: Tensor, n: int) -> list[int]:
    chosen = [0]
    while len(chosen) < n:
        gaps = [min(float((point - xyz[c]).norm()) for c in chosen) for point in xyz]
        chosen.append(gaps.index(max(gaps)))
    return chosen


def _nearest(xyz: Tensor, center: Tensor, k: int) -> list[int]:
    return sorted(range(len(xyz)), key=lambda i: float((xyz[i] - center).norm()))[:k]

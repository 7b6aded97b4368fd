"""The cloud encoders as others write them, with the weights of ours: in plain PyTorch, and torch-pointcloud's.

torch-pointcloud is Python, but finds farthest points and nearest neighbours with pyg-lib, which is compiled and has
no wheel on PyPI. Where it is missing, `grouping_with` puts functions in its place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from unittest.mock import patch

import torch
from speed import farthest_plain
from torch import Tensor, nn

from clip3d.towers.grouping import farthest_points, nearest
from clip3d.towers.point_mlp import PointMLPTower
from clip3d.towers.point_transformer import PointTransformerTower

Names = tuple[tuple[str, str], ...]
Choose = Callable[[Tensor, int], Tensor]  # (b, p, 3) to indices (b, n)
Find = Callable[[Tensor, Tensor, int], Tensor]  # (b, p, 3) and centres (b, m, 3) to indices (b, m, k)

PLAIN_NAMES: Names = (
    (r"^group\.lift_norm", "first.1"), (r"^group\.lift", "first.0"), (r"^group\.widen", "first.3"),
    (r"^group\.mix_norm", "second.1"), (r"^group\.mix", "second.0"), (r"^group\.summary", "second.3"),
    (r"\.attention_norm", ".norm1"), (r"\.perceptron_norm", ".norm2"), (r"\.qkv\.", ".self_attn.in_proj_"),
    (r"\.project", ".self_attn.out_proj"), (r"\.expand", ".linear1"), (r"\.contract", ".linear2"),
)  # fmt: skip
BERT_NAMES: Names = (
    (r"^group\.lift_norm", "encoder.encoder.local_mlp.norms.0.module"),
    (r"^group\.lift", "encoder.encoder.local_mlp.lins.0"),
    (r"^group\.widen", "encoder.encoder.local_mlp.lins.1"),
    (r"^group\.mix_norm", "encoder.encoder.global_mlp.norms.0.module"),
    (r"^group\.mix", "encoder.encoder.global_mlp.lins.0"),
    (r"^group\.summary", "encoder.encoder.global_mlp.lins.1"),
    (r"^token", "encoder.reduce_dim"), (r"^cls_place", "encoder.cls_pos"), (r"^cls_token", "encoder.cls_token"),
    (r"^place\.0", "encoder.pos_embed.lins.0"), (r"^place\.2", "encoder.pos_embed.lins.1"),
    (r"^blocks\.(\d+)\.attention_norm", r"encoder.blocks.\1.norm1"),
    (r"^blocks\.(\d+)\.perceptron_norm", r"encoder.blocks.\1.norm2"),
    (r"^blocks\.(\d+)\.qkv", r"encoder.blocks.\1.attn.qkv"),
    (r"^blocks\.(\d+)\.project", r"encoder.blocks.\1.attn.proj"),
    (r"^blocks\.(\d+)\.expand", r"encoder.blocks.\1.mlp.lins.0"),
    (r"^blocks\.(\d+)\.contract", r"encoder.blocks.\1.mlp.lins.1"),
    (r"^norm", "encoder.norm"),
)  # fmt: skip
MLP_NAMES: Names = (
    (r"^embed_norm", "stem.norms.0.module"), (r"^embed", "stem.lins.0"), (r"^project", "head"),
    (r"^stages\.(\d+)\.scale", r"encoder.blocks.\1.conv.alpha"),
    (r"^stages\.(\d+)\.shift", r"encoder.blocks.\1.conv.beta"),
    (r"^stages\.(\d+)\.transfer_norm", r"encoder.blocks.\1.conv.local_nn.0.norm.module"),
    (r"^stages\.(\d+)\.transfer", r"encoder.blocks.\1.conv.local_nn.0.stem"),
    *(
        (rf"^stages\.(\d+)\.{ours}\.{i}\.{layer}{norm}\.", rf"encoder.blocks.\1.{theirs}.{i + first}.{new}.")
        for ours, theirs, first in (("local", "conv.local_nn", 1), ("regional", "pos_mlp", 0))
        for i in range(2)
        for layer, number in (("first", 1), ("second", 2))
        for norm, new in (("", f"lin{number}"), ("_norm", f"norm{number}.module"))
    ),
)  # fmt: skip


class PlainPointBert(nn.Module):
    """Point-BERT's encoder from its paper, section 3 and supplement: (b, p, 3) to (b, dim).

    Farthest points in a loop, all distances for the neighbours, convolutions of width 1 over groups, and PyTorch's
    own transformer layers, each of which sees the places added to its input.
    """

    def __init__(self, ours: PointTransformerTower) -> None:
        super().__init__()
        width, heads = ours.norm.normalized_shape[0], ours.blocks[0].heads
        self.centers, self.neighbors = ours.centers, ours.neighbors
        self.first = nn.Sequential(nn.Conv1d(3, 128, 1), nn.BatchNorm1d(128), nn.ReLU(), nn.Conv1d(128, 256, 1))
        self.second = nn.Sequential(nn.Conv1d(512, 512, 1), nn.BatchNorm1d(512), nn.ReLU(), nn.Conv1d(512, 256, 1))
        self.token = nn.Linear(256, width)
        self.cls_token, self.cls_place = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))
        self.place = nn.Sequential(nn.Linear(3, 128), nn.GELU(), nn.Linear(128, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True)
            for _ in ours.blocks
        )
        self.norm, self.project = nn.LayerNorm(width), nn.Linear(2 * width, ours.project.out_features)
        for block in self.blocks:
            nn.init.zeros_(block.self_attn.in_proj_bias)
        fill(self, ours, PLAIN_NAMES)

    def forward(self, points: Tensor) -> Tensor:
        b = len(points)
        rows = torch.arange(b)[:, None]
        centers = points[rows, farthest_plain(points, self.centers)]
        near = nearest_plain(points, centers, self.neighbors)
        groups = points[rows[:, :, None], near] - centers[:, :, None]
        local = self.first(groups.flatten(0, 1).transpose(1, 2))  # (b m, 256, k)
        whole = local.amax(2, keepdim=True).expand_as(local)
        tokens = self.token(self.second(torch.cat([whole, local], 1)).amax(2)).view(b, self.centers, -1)
        x = torch.cat([self.cls_token.expand(b, 1, -1), tokens], 1)
        places = torch.cat([self.cls_place.expand(b, 1, -1), self.place(centers)], 1)
        for block in self.blocks:
            x = block(x + places)
        x = self.norm(x)
        return self.project(torch.cat([x[:, 0], x[:, 1:].amax(1)], -1))


class PublishedPointBert(nn.Module):
    """torch-pointcloud's encoder and the linear map that CG3D puts behind it: (b, p, 3) to (b, dim)."""

    def __init__(self, ours: PointTransformerTower) -> None:
        super().__init__()
        from torch_pointcloud.models.point_bert import PointBERTEncoder

        self.encoder = PointBERTEncoder(num_groups=ours.centers, group_size=ours.neighbors)
        self.project = nn.Linear(ours.project.in_features, ours.project.out_features)
        fill(self, ours, BERT_NAMES)

    def forward(self, points: Tensor) -> Tensor:
        x = self.encoder(None, *packed(points))
        return self.project(torch.cat([x[:, 0], x[:, 1:].amax(1)], -1))


def published_point_mlp(ours: PointMLPTower, points: int) -> nn.Module:
    """torch-pointcloud's, for clouds of one size; it takes what `packed` gives.

    Neighbourhoods are made alike over the whole batch, as in the first release, so that only a cloud alone has our
    vector: there the standard deviation is each cloud's own.
    """
    from torch_pointcloud.models.pointmlp import PointMLPClassification

    counts = [points, *(stage.anchors for stage in ours.stages)]
    theirs = PointMLPClassification(
        3,
        ours.project.out_features,
        encoder_channels=[ours.embed.out_features, *(stage.transfer.out_features for stage in ours.stages)],
        num_neighbors=[stage.neighbors for stage in ours.stages],
        ratios=[after / before for before, after in pairwise(counts)],
        normalize="anchor",
        std_mode="batch",
        use_pos=False,
        bias=False,
    )
    fill(theirs, ours, MLP_NAMES)
    return theirs


def packed(points: Tensor) -> tuple[Tensor, Tensor]:
    """Clouds (b, p, 3) as torch-pointcloud takes them: rows (b p, 3) and the cloud of each."""
    return points.flatten(0, 1), torch.arange(len(points)).repeat_interleave(points.shape[1])


def fill(theirs: nn.Module, ours: nn.Module, names: Names) -> None:
    """Load our weights under their names; each of ours must have a place."""
    wanted = theirs.state_dict()
    state = {renamed(name, names): tensor for name, tensor in ours.state_dict().items()}
    shaped = {name: tensor.view_as(wanted[name]) for name, tensor in state.items()}
    theirs.load_state_dict({**wanted, **shaped})
    theirs.eval()


def renamed(name: str, names: Names) -> str:
    for ours, theirs in names:
        new, found = re.subn(ours, theirs, name, count=1)
        if found:
            return new
    return name


def nearest_plain(xyz: Tensor, centers: Tensor, k: int) -> Tensor:
    return torch.cdist(centers, xyz).topk(k, largest=False).indices


GROUPINGS: dict[str, tuple[Choose, Find]] = {
    "plain": (farthest_plain, nearest_plain),
    "clip3d's": (farthest_points, nearest),
}


def has_pyg_lib() -> bool:
    import torch_geometric.typing as found

    return bool(found.WITH_FPS and found.WITH_KNN)


@contextmanager
def grouping_with(choose: Choose, find: Find) -> Iterator[None]:
    """Farthest points and neighbours of torch-geometric's pools by these functions; clouds must be of one size."""

    def fps(x: Tensor, batch: Tensor, ratio: float, **_: object) -> Tensor:
        xyz = unpacked(x, batch)
        chosen = choose(xyz, math.ceil(ratio * xyz.shape[1] - 1e-6))
        return (chosen + xyz.shape[1] * torch.arange(len(xyz))[:, None]).flatten()

    def knn(x: Tensor, y: Tensor, k: int, batch_x: Tensor, batch_y: Tensor, **_: object) -> Tensor:
        xyz, centers = unpacked(x, batch_x), unpacked(y, batch_y)
        found = find(xyz, centers, k) + xyz.shape[1] * torch.arange(len(xyz))[:, None, None]
        return torch.stack([torch.arange(len(y)).repeat_interleave(k), found.flatten()])

    with patch("torch_geometric.nn.pool.fps", fps), patch("torch_geometric.nn.pool.knn", knn):
        yield


def unpacked(x: Tensor, batch: Tensor) -> Tensor:
    return x.view(int(batch[-1]) + 1, -1, 3)

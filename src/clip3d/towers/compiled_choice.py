"""Farthest points as one step of a compiled graph.

A compiler would unroll the choice into a few instructions for every point that is chosen, thousands for a PointMLP.
"""

from __future__ import annotations

import torch
from torch import Tensor

from clip3d.towers.grouping import farthest_points, is_exporting


def choose_points(xyz: Tensor, n: int) -> Tensor:
    """`farthest_points`, which `torch.compile` does not look into: (b, p, 3) float to (b, n) long.

    What `torch.export` records has a loop instead, so that the graph needs nothing of clip3d.
    """
    if torch.compiler.is_compiling() and not is_exporting():
        chosen: Tensor = _opaque(xyz, n)
        return chosen
    return farthest_points(xyz, n)


@torch.library.custom_op("clip3d::farthest_points", mutates_args=(), schema="(Tensor xyz, int n) -> Tensor")
def _opaque(xyz: Tensor, n: int) -> Tensor:
    return farthest_points(xyz, n)


@_opaque.register_fake
def _shape_of_choice(xyz: Tensor, n: int) -> Tensor:
    return xyz.new_zeros((xyz.shape[0], n), dtype=torch.long)

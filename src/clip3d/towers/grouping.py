"""Neighbourhoods for cloud towers: farthest points, nearest neighbours, and features gathered at indices.

Indices carry no gradient; `gather` passes gradients to the features. On the CPU the geometry runs in NumPy and
SciPy, whose calls cost less than PyTorch's for small clouds; elsewhere, and while a graph is being recorded for
export, it runs in PyTorch. A recorded graph holds for any number of points, and there the towers never ask for more
points than there are.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from clip3d.clouds.sampling import farthest_point_samples
from clip3d.errors import ShapeError

# Up to here comparing all pairs is faster than building a tree.
ALL_PAIRS_POINTS = 256


@torch.no_grad()
def farthest_points(xyz: Tensor, n: int) -> Tensor:
    """Exact farthest-point samples from index 0, ties going to the lower index.

    Args:
        xyz: (b, p, 3) float.
        n: number of points; where n > p all points come in farthest-point order, again and again.

    Returns:
        (b, n) long on the device of xyz.
    """
    _check(xyz, "xyz")
    if _in_numpy(xyz):
        return torch.from_numpy(farthest_point_samples(_array(xyz), n))
    if is_exporting():
        return _farthest_by_scan(xyz.float(), n)
    distinct = min(n, xyz.shape[1])
    coordinates = xyz.float().transpose(1, 2).contiguous()  # (b, 3, p)
    nearest = torch.full_like(coordinates[:, 0], float("inf"))
    chosen = [torch.zeros(len(xyz), dtype=torch.long, device=xyz.device)]
    while len(chosen) < distinct:
        newest = coordinates.gather(2, chosen[-1].view(-1, 1, 1).expand(-1, 3, 1))
        square = (coordinates - newest).square_()
        nearest = torch.minimum(nearest, (square[:, 0] + square[:, 1]).add_(square[:, 2]))
        # max() may return any of several equal maxima, the lowest index is wanted
        chosen.append((nearest == nearest.amax(1, keepdim=True)).byte().argmax(1))
    order = torch.stack(chosen, dim=1)
    return order[:, torch.arange(n, device=xyz.device) % distinct]


@torch.no_grad()
def nearest(xyz: Tensor, centers: Tensor, k: int) -> Tensor:
    """The k nearest points of each centre, nearest first; the order among equal distances is not defined.

    Args:
        xyz: (b, p, 3) float.
        centers: (b, m, 3) float.
        k: number of neighbours; where k > p the p points are repeated in the same order.

    Returns:
        (b, m, k) long on the device of xyz.
    """
    _check(xyz, "xyz")
    _check(centers, "centers")
    distinct = smaller(k, xyz.shape[1])
    if _in_numpy(xyz) and xyz.shape[1] > ALL_PAIRS_POINTS:
        index = torch.from_numpy(_nearest_by_tree(_array(xyz), _array(centers), distinct))
    else:
        index = _distances(centers.float(), xyz.float()).topk(distinct, dim=-1, largest=False).indices
    return index if is_exporting() or distinct == k else index[..., torch.arange(k, device=xyz.device) % distinct]


def gather(features: Tensor, index: Tensor) -> Tensor:
    """Features at indices: (b, p, c) at (b, …) long gives (b, …, c), differentiable in the features."""
    b, p, c = features.shape
    offset = p * torch.arange(b, device=index.device).view(-1, *[1] * (index.dim() - 1))
    # An embedding look-up has the fastest backward pass of the ways to gather rows.
    return torch.nn.functional.embedding(index + offset, features.reshape(b * p, c))


def is_exporting() -> bool:
    """Whether `torch.export` records what runs now; PyTorch 2.6 cannot tell."""
    return torch.compiler.is_compiling() and getattr(torch.compiler, "is_exporting", bool)()


def smaller(a: int, b: int) -> int:
    """The smaller of two numbers, which a recorded graph can hold too: `min` would decide while it is recorded."""
    if is_exporting():
        least: int = torch.sym_min(a, b)  # type: ignore[no-untyped-call]
        return least
    return min(a, b)


def _farthest_by_scan(xyz: Tensor, n: int) -> Tensor:
    """Farthest points for n <= p as one loop of a recorded graph, which would else have all its steps."""
    from torch._higher_order_ops.scan import scan

    coordinates = xyz.transpose(1, 2).contiguous()  # (b, 3, p)

    def step(state: tuple[Tensor, Tensor], _: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        nearest, newest = state
        square = (coordinates - coordinates.gather(2, newest.view(-1, 1, 1).expand(-1, 3, 1))).square()
        nearest = torch.minimum(nearest, square[:, 0] + square[:, 1] + square[:, 2])
        farthest = (nearest == nearest.amax(1, keepdim=True)).to(torch.uint8).argmax(1)
        return (nearest, farthest), farthest.clone()

    first = torch.zeros_like(coordinates[:, 0, 0], dtype=torch.long)
    start = (torch.full_like(coordinates[:, 0], float("inf")), first)
    _, others = scan(step, start, torch.zeros(n - 1, 1, device=xyz.device))
    return torch.cat([first[None], others]).transpose(0, 1)


def _distances(centers: Tensor, xyz: Tensor) -> Tensor:
    """What orders the points (b, p, 3) by how near they lie to each centre (b, m, 3): (b, m, p)."""
    if is_exporting():
        # Exchange formats know no cdist.
        return (centers[:, :, None] - xyz[:, None]).square().sum(-1)
    # The matrix-product form of cdist loses digits for clouds far from the origin.
    return torch.cdist(centers, xyz, compute_mode="donot_use_mm_for_euclid_dist")


def _nearest_by_tree(clouds: np.ndarray, centers: np.ndarray, k: int) -> np.ndarray:
    from scipy.spatial import cKDTree

    # Trees that live for one query are not worth balancing.
    trees = (cKDTree(cloud, balanced_tree=False, compact_nodes=False) for cloud in clouds)
    found = [tree.query(queries, k=k)[1].reshape(-1, k) for tree, queries in zip(trees, centers, strict=True)]
    return np.stack(found).astype(np.int64, copy=False)


def _in_numpy(xyz: Tensor) -> bool:
    recorded = torch.jit.is_tracing() or torch.compiler.is_compiling()  # type: ignore[attr-defined, no-untyped-call]
    return xyz.device.type == "cpu" and not recorded


def _array(xyz: Tensor) -> np.ndarray:
    return xyz.detach().float().numpy()


def _check(xyz: Tensor, name: str) -> None:
    if xyz.dim() != 3 or xyz.shape[1] < 1 or xyz.shape[2] != 3:
        raise ShapeError(f"{name} must have shape (b, p, 3) with at least one point, got {tuple(xyz.shape)}")

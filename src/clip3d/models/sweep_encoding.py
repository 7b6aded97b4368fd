"""Vectors of sweeps and of their cells, from a sweep tower."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clip3d.lidar.cell_features import CellFeatures, SweepFeatures
from clip3d.models.batching import in_batches
from clip3d.spaces import unit

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float32]


def sweep_vectors(
    tower: Any,
    prepared: Iterable[Array],
    *,
    device: str,
    dim: int,
    normalize: bool,
    batch_size: int,
) -> Array:
    """Vectors (n, d) float32 of n sweeps, prepared: see `Model.encode_sweeps`."""
    import torch

    found = [np.zeros((0, dim), np.float32)]
    with torch.inference_mode():
        for points, counts in _batches(prepared, batch_size, device):
            found.append(tower(points, counts).float().cpu().numpy())
    together = np.concatenate(found)
    return unit(together) if normalize else together


def sweep_cells(
    tower: Any,
    prepared: Iterable[Array],
    *,
    device: str,
    dim: int,
    normalize: bool,
    batch_size: int,
) -> SweepFeatures:
    """The same, with the vectors of the cells."""
    import torch

    vectors, cells = [np.zeros((0, dim), np.float32)], []
    with torch.inference_mode():
        for points, counts in _batches(prepared, batch_size, device):
            dense = tower.dense(points, counts)
            vectors.append(dense.vectors.float().cpu().numpy())
            each, cell = dense.cells.float().cpu().numpy(), dense.cell.cpu().numpy()
            ends = np.searchsorted(dense.sample.cpu().numpy(), np.arange(len(counts) + 1))
            for start, end in pairwise(ends):
                part = unit(each[start:end]) if normalize else each[start:end]
                cells.append(CellFeatures(part, cell[start:end].astype(np.intp), tower.grid))
    together = np.concatenate(vectors)
    return SweepFeatures(unit(together) if normalize else together, tuple(cells))


def _batches(prepared: Iterable[Array], size: int, device: str) -> Iterator[tuple[Tensor, Tensor]]:
    """Points (p, 4) of up to `size` sweeps one after the other, and how many each has, on a device."""
    import torch

    for batch in in_batches(prepared, size):
        counts = torch.tensor([len(points) for points in batch])
        yield torch.from_numpy(np.concatenate(batch)).to(device), counts.to(device)

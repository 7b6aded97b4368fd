"""A training of a contrastive loss on a share of every batch: run by `torchrun`, or alone on the whole batch.

    torchrun --nproc-per-node 2 torchrun_training.py FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from clip3d.towers.channel_norm import ChannelNorm
from clip3d.training import distributed
from clip3d.training.loop import Part, Run, train_parts
from clip3d.training.objectives import contrastive
from clip3d.training.optimisers import Optimiser

STEPS, BATCH = 6, 12


class Pair(nn.Module):
    """Two towers with batch norms over points, and a learned temperature."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.one = nn.Sequential(nn.Linear(3, 16), ChannelNorm(16), nn.ReLU(), nn.Linear(16, 8))
        self.other = nn.Linear(5, 8)
        self.log_scale = nn.Parameter(torch.tensor(1.0))


def loss_of(pair: Pair, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    points, pictures, classes = batch
    clouds = distributed.gather(nn.functional.normalize(pair.one(points).amax(1), dim=-1))
    seen = distributed.gather(nn.functional.normalize(pair.other(pictures), dim=-1))
    return contrastive(clouds, seen, distributed.gather(classes), pair.log_scale.exp())


def batches(first: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    mine = slice(distributed.place() * BATCH // distributed.processes(), None)
    share = BATCH // distributed.processes()
    for step in range(first, STEPS):
        rng = np.random.default_rng(step)
        points = torch.from_numpy(rng.normal(size=(BATCH, 20, 3)).astype(np.float32))
        pictures = torch.from_numpy(rng.normal(size=(BATCH, 5)).astype(np.float32))
        classes = torch.from_numpy(rng.integers(4, size=BATCH))
        yield points[mine][:share], pictures[mine][:share], classes[mine][:share]


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    with distributed.together("cpu"):
        # the same size of step whatever the gradient's would hide a gradient that is too large
        part = Part(loss_of, Optimiser("sgd", 0.1, 0.0), clip=0.0)
        run = Run(STEPS, average=0.5, checkpoint_every=2, log_every=2)
        pair = train_parts(
            Pair(), [part], run, folder, seed=0, identity="x", progress=lambda line: None, batches=batches
        )
        save_file(pair.state_dict(), folder / f"result-{distributed.place()}-{distributed.processes()}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A pre-training with visual prompts on triplets in memory: run by `torchrun`, or alone.

    torchrun --nproc-per-node 2 torchrun_pretraining.py TEACHER OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from triplet_doubles import MemoryTriplets

from clip3d.data.triplet_sources import TripletSource
from clip3d.training.distributed import together
from clip3d.training.pretraining import pretrain
from clip3d.training.pretraining_recipe import PartRecipe, PretrainingRecipe

# without stochastic depth, whose chances are drawn apart in each process
TOWER = {"width": 32, "layers": 2, "heads": 2, "centers": 8, "neighbors": 8, "group_width": None, "skip": 0.0}


def recipe(teacher: Path, **changes: object) -> PretrainingRecipe:
    settings = {
        "teacher": str(teacher),
        "data": (TripletSource("library", "in memory"),),
        "tower": TOWER,
        "prompts": 2,
        "points": 64,
        "batch": 6,
        "epochs": 2,
        "clouds": PartRecipe("sgd", 1e-2, clip=0.0),
        "visual": PartRecipe("sgd", 1e-2, clip=0.0),
        "scale": 5.0,
        "temperature": "learned",
        "checkpoint_every": 4,
        "log_every": 2,
    }
    return PretrainingRecipe(**{**settings, **changes})


def main(teacher: Path, out: Path) -> None:
    torch.set_num_threads(1)
    with together("cpu") as device:
        pretrain(
            recipe(teacher), out, data=out, progress=lambda line: None, device=device, triplets=MemoryTriplets()
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

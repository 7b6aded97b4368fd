"""A pre-training with visual prompts on triplets in memory, in two processes as `torchrun` starts them.

    torchrun_pretraining.py TEACHER OUT

They are forks of one process that has imported everything once, which takes longer than the training does.
"""

from __future__ import annotations

import os
import socket
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
        short = recipe(teacher, epochs=1)
        pretrain(short, out, data=out, progress=lambda line: None, device=device, triplets=MemoryTriplets())


def fork(place: int, processes: int, port: int) -> int:
    """The number of a new process that trains and ends."""
    if child := os.fork():
        return child
    told = {"RANK": place, "LOCAL_RANK": place, "WORLD_SIZE": processes, "MASTER_PORT": port}
    os.environ.update({"MASTER_ADDR": "127.0.0.1", **{name: str(value) for name, value in told.items()}})
    main(Path(sys.argv[1]), Path(sys.argv[2]))
    os._exit(0)


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


if __name__ == "__main__":
    port = free_port()
    children = [fork(place, 2, port) for place in range(2)]
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0 for child in children))

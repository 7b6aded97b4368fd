"""Where a run stands, as a file: everything that decides the weights to come, and what the run is made of.

A checkpoint is a safetensors file, written whole or not at all. It holds what is trained and every buffer, not the
frozen weights; its metadata say which step it is, what was trained on what, and with which versions.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import clip3d
from clip3d.atomic import replacing
from clip3d.errors import DataError, ModelError
from clip3d.models.weights import read_arrays, write_arrays

FILE, BEST = "checkpoint.safetensors", "best.safetensors"
OTHER_RECIPE = ("belongs to another recipe", "choose another --out folder or delete it")


@dataclass
class State:
    """Everything of a run that changes with its steps.

    Attributes:
        module: what is trained.
        optimisers: of each part.
        scalers: of the gradients of each part, where half precision needs them.
        averaged: running averages of what is trained; None where the last weights are the result.
        keep_draws: keep the state of torch's random numbers too, for a run that draws from one stream.
        step: steps that are done.
        best: best number of the watched validations so far; None before the first.
        since: validations since then.
        ended: whether the run ended before its last step.
        record: what checkpoints say of the run beside where it stands.
    """

    module: nn.Module
    optimisers: Mapping[str, torch.optim.Optimizer]
    scalers: Mapping[str, torch.amp.GradScaler]
    averaged: dict[str, Tensor] | None
    keep_draws: bool = False
    step: int = 0
    best: float | None = None
    since: int = 0
    ended: bool = False
    record: Mapping[str, str] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the checkpoint in place of the one before."""
        tensors = {f"module/{name}": tensor for name, tensor in trained_state(self.module).items()}
        tensors |= {f"averaged/{name}": tensor for name, tensor in (self.averaged or {}).items()}
        for part, optimiser in self.optimisers.items():
            for index, moments in optimiser.state_dict()["state"].items():
                found = {key: value for key, value in moments.items() if isinstance(value, Tensor)}
                tensors |= {f"optimiser/{part}/{index}/{key}": value for key, value in found.items()}
        if self.keep_draws:
            tensors["draws"] = torch.get_rng_state()
        write_arrays({n: _array(t) for n, t in tensors.items()}, path, {**self._facts(), **self.record})

    def restore(self, path: Path) -> bool:
        """Go on from a checkpoint, if there is one.

        Raises:
            DataError: if it is of another model, or is damaged.
        """
        if not path.exists():
            return False
        try:
            facts, arrays = read_facts(path), read_arrays(path)
        except ModelError as error:
            raise DataError(path, error.reason, "delete it to begin anew") from error
        try:
            self._take(json.loads(facts["progress"]), arrays)
        except (KeyError, ValueError) as error:
            raise DataError(path, *OTHER_RECIPE) from error
        return True

    def _facts(self) -> dict[str, str]:
        scalers = {part: scaler.state_dict() for part, scaler in self.scalers.items()}
        progress = {"step": self.step, "best": self.best, "since": self.since, "ended": self.ended}
        return {"progress": json.dumps({**progress, "scalers": scalers}), "environment": json.dumps(environment())}

    def _take(self, progress: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        put_trained(self.module, _under(arrays, "module/"))
        if self.averaged is not None:
            _copy_all(self.averaged, _under(arrays, "averaged/"))
        for part, optimiser in self.optimisers.items():
            moments: dict[int, dict[str, Tensor]] = {}
            for name, tensor in _under(arrays, f"optimiser/{part}/").items():
                index, key = name.split("/")
                moments.setdefault(int(index), {})[key] = tensor
            optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
        for part, scaler in self.scalers.items():
            scaler.load_state_dict(progress["scalers"][part])
        if self.keep_draws:
            torch.set_rng_state(torch.from_numpy(arrays["draws"]))
        self.step, self.best = int(progress["step"]), progress["best"]
        self.since, self.ended = int(progress["since"]), bool(progress["ended"])


def claim(path: Path, identity: str) -> None:
    """Note whose folder this is, or refuse it if it is another run's."""
    if not path.exists():
        with replacing(path) as temporary:
            temporary.write_text(identity, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != identity:
        raise DataError(path, *OTHER_RECIPE)


def trained_state(module: nn.Module) -> dict[str, Tensor]:
    """What of a module's state can change: its trained parameters and its buffers, by name, not copied."""
    frozen = {name for name, parameter in module.named_parameters() if not parameter.requires_grad}
    return {name: tensor.detach() for name, tensor in module.state_dict().items() if name not in frozen}


def put_trained(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Copy into a module what `trained_state` gave; KeyError or ValueError if it is of another module."""
    _copy_all(trained_state(module), state)


def write_best(path: Path, state: State) -> None:
    """Keep the result as it is now: averaged, or else the module's own weights."""
    weights = trained_state(state.module) if state.averaged is None else state.averaged
    write_arrays({name: _array(tensor) for name, tensor in weights.items()}, path)


def read_best(path: Path) -> dict[str, Tensor]:
    """What `write_best` wrote."""
    return {name: torch.from_numpy(array) for name, array in read_arrays(path).items()}


def read_facts(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file.

    Raises:
        ModelError: if it is none.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise ModelError(path, f"is not a readable safetensors file: {error}") from error


def environment() -> dict[str, str]:
    """Versions and machine that a run depends on."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    versions = {"clip3d": clip3d.__version__, "torch": torch.__version__, "numpy": np.__version__}
    return {**versions, "python": platform.python_version(), "system": platform.system(), "device": device}


def _copy_all(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    if own.keys() != given.keys():
        raise KeyError(next(iter(own.keys() ^ given.keys())))
    if wrong := [name for name in own if own[name].shape != given[name].shape]:
        raise ValueError(wrong[0])
    for name, tensor in own.items():
        tensor.copy_(given[name])


def _under(arrays: Mapping[str, np.ndarray], start: str) -> dict[str, Tensor]:
    return {n.removeprefix(start): torch.from_numpy(a) for n, a in arrays.items() if n.startswith(start)}


def _array(tensor: Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().cpu().numpy())

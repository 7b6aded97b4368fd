"""The training loop: seeded steps, a warm-up and cosine schedule, averaged weights, checkpoints and resume.

A step draws everything random from a generator seeded by (seed, step), so a run that was stopped and resumed goes
through the very batches that an uninterrupted one would.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from clip3d.atomic import replacing
from clip3d.errors import DataError
from clip3d.models.weights import read_arrays, write_arrays

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Optimisation:
    """How weights are moved.

    Attributes:
        steps: optimiser steps of the whole run.
        lr: highest learning rate.
        weight_decay: AdamW's, on matrices only.
        warmup: steps of linear rise before the cosine fall to a hundredth.
        clip: largest norm of the gradient.
        average: decay of the exponential moving average of the weights that is the result.
        checkpoint_every: steps between checkpoints.
        validate_every: steps between validations.
        log_every: steps between lines of progress.
    """

    steps: int = 1500
    lr: float = 1e-3
    weight_decay: float = 0.05
    warmup: int = 50
    clip: float = 5.0
    average: float = 0.995
    checkpoint_every: int = 100
    validate_every: int = 300
    log_every: int = 20


def train(
    module: nn.Module,
    loss_of: Callable[[nn.Module, np.random.Generator], Tensor],
    how: Optimisation,
    folder: Path,
    *,
    seed: int,
    identity: str,
    progress: Progress,
    validate: Callable[[nn.Module], dict[str, float]] | None = None,
) -> nn.Module:
    """Train `module` in place and return it in eval mode with its averaged weights.

    Args:
        module: what is trained; parameters that are to stay fixed have requires_grad False.
        loss_of: the loss of one step, from the module and the step's own generator.
        how: the optimiser's settings.
        folder: for the checkpoint, `metrics.jsonl`; a checkpoint found there is resumed.
        seed: of every step's generator.
        identity: all settings of the run in words; a folder that another run began is refused.
        progress: called with lines for the user.
        validate: called with the averaged module now and then; its numbers go to `metrics.jsonl`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder / "settings.txt", identity)
    optimiser = torch.optim.AdamW(_parameter_groups(module, how.weight_decay), lr=how.lr, betas=(0.9, 0.98))
    averaged = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    first = _resume(folder / "checkpoint.safetensors", module, optimiser, averaged)
    if first:
        progress(f"resumed at step {first} of {how.steps}")
    _forget(folder / "metrics.jsonl", first)
    started, recent = time.monotonic(), []
    for step in range(first, how.steps):
        for group in optimiser.param_groups:
            group["lr"] = how.lr * schedule(step, how)
        torch.manual_seed(seed * 1_000_003 + step)
        loss = loss_of(module.train(), np.random.default_rng([seed, step]))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(module.parameters(), how.clip)
        optimiser.step()
        _average(averaged, module, min(how.average, (step + 1) / (step + 10)))
        recent.append(float(loss.detach()))
        done = step + 1
        if done % how.log_every == 0 or done == how.steps:
            rate = (done - first) / (time.monotonic() - started)
            left = f"{(how.steps - done) / rate / 60:.0f} min left"
            progress(f"step {done}/{how.steps}  loss {np.mean(recent):.3f}  {rate:.2f} steps/s  {left}")
            _record(folder, {"step": done, "loss": float(np.mean(recent))})
            recent = []
        if done % how.checkpoint_every == 0 or done == how.steps:
            _save(folder / "checkpoint.safetensors", module, optimiser, averaged, done)
        if validate and (done % how.validate_every == 0 or done == how.steps):
            numbers = _with_weights(module, averaged, validate)
            progress("  ".join(f"{name} {value:.3f}" for name, value in numbers.items()))
            _record(folder, {"step": done, **numbers})
    module.load_state_dict(averaged)
    return module.eval()


def schedule(step: int, how: Optimisation) -> float:
    """Factor of the learning rate at a step: linear rise, then cosine fall to a hundredth."""
    if step < how.warmup:
        return (step + 1) / how.warmup
    share = (step - how.warmup) / max(how.steps - how.warmup, 1)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share))


def _parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    trained = [p for p in module.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]


def _average(averaged: dict[str, Tensor], module: nn.Module, decay: float) -> None:
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            averaged[name].lerp_(tensor.detach(), 1 - decay)
        else:
            averaged[name].copy_(tensor)


def _with_weights(
    module: nn.Module, weights: dict[str, Tensor], call: Callable[[nn.Module], dict[str, float]]
) -> dict[str, float]:
    own = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    module.load_state_dict(weights)
    try:
        with torch.inference_mode():
            return call(module.eval())
    finally:
        module.load_state_dict(own)


def _save(
    path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, averaged: dict[str, Tensor], step: int
) -> None:
    tensors = {f"module/{n}": t for n, t in module.state_dict().items()}
    tensors |= {f"averaged/{n}": t for n, t in averaged.items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{index}/{key}": value for key, value in state.items()}
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
    write_arrays({**arrays, "step": np.array([step])}, path)


def _resume(path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, averaged: dict[str, Tensor]) -> int:
    if not path.exists():
        return 0
    arrays = read_arrays(path)
    own = {n.removeprefix("module/"): torch.from_numpy(a) for n, a in arrays.items() if n.startswith("module/")}
    try:
        module.load_state_dict(own)
        for name, tensor in averaged.items():
            tensor.copy_(torch.from_numpy(arrays[f"averaged/{name}"]))
    except (RuntimeError, KeyError) as error:
        raise DataError(path, "belongs to another recipe", "choose another --out folder or delete it") from error
    state: dict[int, dict[str, Tensor]] = {}
    for name, array in arrays.items():
        if name.startswith("optimiser/"):
            _, index, key = name.split("/")
            state.setdefault(int(index), {})[key] = torch.from_numpy(array)
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return int(arrays["step"][0])


def _claim(path: Path, identity: str) -> None:
    """Note whose folder this is, or refuse it if it is another run's."""
    if path.exists() and path.read_text(encoding="utf-8") != identity:
        raise DataError(path, "belongs to another recipe", "choose another --out folder or delete it")
    path.write_text(identity, encoding="utf-8")


def _forget(path: Path, step: int) -> None:
    """Drop what was recorded after the step that a run goes on from: it will be recorded again."""
    if path.exists():
        rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        with replacing(path) as temporary:
            temporary.write_text("".join(r for r in rows if json.loads(r)["step"] <= step), encoding="utf-8")


def _record(folder: Path, row: dict[str, float]) -> None:
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row) + "\n")

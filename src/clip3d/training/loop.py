"""The training loop: every training of the package is one or more parts of a module that are stepped in turn.

A step draws everything random from generators seeded by (seed, step), so a run that was stopped or killed and is
resumed goes through the very batches that an uninterrupted one would, to the same weights bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from clip3d.errors import DataError, ShapeError
from clip3d.training import distributed
from clip3d.training.averaging import average, start_average, with_weights
from clip3d.training.checkpoints import (
    BEST,
    FILE,
    State,
    claim,
    put_trained,
    read_best,
    trained_state,
    write_best,
)
from clip3d.training.interrupting import ctrl_c_noted
from clip3d.training.learning_rate_plot import write_plot
from clip3d.training.optimisers import Optimiser
from clip3d.training.parts import Batches, LossOf, Optimisation, Part, Run, Validate, Watch
from clip3d.training.run_log import Progress, RunLog
from clip3d.training.schedules import Schedule, own_steps

__all__ = ["Batches", "Optimisation", "Part", "Progress", "Run", "Validate", "Watch", "train", "train_parts"]

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}
SLOWER = "lower the learning rate; the last checkpoint is from before"


def train(
    module: nn.Module,
    loss_of: LossOf,
    how: Optimisation,
    folder: Path,
    *,
    seed: int,
    identity: str,
    progress: Progress,
    validate: Validate | None = None,
    watch: Watch | None = None,
    record: Mapping[str, str] | None = None,
) -> nn.Module:
    """Train all of a module on one loss; as `train_parts`, with AdamW and a cosine schedule."""
    optimiser = Optimiser(lr=how.lr, weight_decay=how.weight_decay)
    part = Part(loss_of, optimiser, Schedule(warmup=how.warmup, floor=0.01), how.clip)
    if how.compile:
        module.compile()
    return train_parts(
        module,
        [part],
        how,
        folder,
        seed=seed,
        identity=identity,
        progress=progress,
        validate=validate,
        watch=watch,
        record=record,
    )


def train_parts(
    module: nn.Module,
    parts: Sequence[Part],
    run: Run,
    folder: Path,
    *,
    seed: int,
    identity: str,
    progress: Progress,
    batches: Batches | None = None,
    validate: Validate | None = None,
    watch: Watch | None = None,
    record: Mapping[str, str] | None = None,
    one_stream: bool = False,
) -> nn.Module:
    """Train `module` in place and return it in eval mode with its averaged, or best, or last weights.

    Step 0 is the first part's, step 1 the second's, and so on in turn; only the loss of the part whose step it is
    gets computed. Ctrl-C saves a checkpoint at the step it reached before KeyboardInterrupt is raised.

    Args:
        module: what is trained; parameters that are to stay fixed have requires_grad False.
        parts: which together own every parameter with a gradient, none twice.
        run: what the parts share.
        folder: for the checkpoint, the metrics and the drawing of the learning rates; a checkpoint found there is
            resumed.
        seed: of every step's random numbers.
        identity: all settings of the run in words; a folder that another run began is refused.
        progress: called with lines for the user.
        batches: from a step, what the losses of that step and all later ones are given, `run.accumulate` for each.
        validate: called with the averaged module now and then; its numbers are recorded.
        watch: keeps the weights of the best validation, and may end the run early.
        record: what checkpoints say of the run in their metadata, beside versions and identity.
        one_stream: let torch's random numbers run on from step to step, as they are on entry. Otherwise each step
            is seeded anew.

    Raises:
        DataError: if the folder belongs to another run, or a loss or a weight is no longer a number.
        ShapeError: if the parts do not divide the trained parameters among them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    distributed.share_statistics(module)
    members = divide(module, parts)
    device = _device(module)
    half = run.precision == "fp16"
    state = State(
        module=module,
        optimisers={part.name: part.optimiser.over(members[part.name]) for part in parts},
        scalers={part.name: torch.amp.GradScaler(device.type) for part in parts} if half else {},
        averaged=start_average(module) if run.average else None,
        keep_draws=one_stream,
        record={"identity": identity, **(record or {})},
    )
    begin = 0
    if distributed.place() == 0:
        claim(folder / "settings.txt", identity)
    distributed.wait_for_all()
    if state.restore(folder / FILE):
        begin = state.step
    job = _Job(state, parts, members, run, folder, seed, device, one_stream)
    with _log(folder, begin, run, progress) as log:
        if log is not None:
            write_plot(folder / "learning_rate.svg", rates_over(parts, run.steps), run.steps)
        _go(job, batches, validate, watch, log)
    distributed.wait_for_all()
    # read by every process, though one alone knows how good it is
    chosen = read_best(folder / BEST) if watch and (folder / BEST).exists() else state.averaged
    if chosen is not None:
        put_trained(module, chosen)
    return module.eval()


def rates_over(parts: Sequence[Part], steps: int) -> dict[str, list[tuple[int, float]]]:
    """For each part the steps at which it moves, and its highest learning rate there."""
    curves = {}
    for place, part in enumerate(parts):
        own = own_steps(steps, place, len(parts))
        peak = max([part.optimiser.lr, *(part.optimiser.rates or {}).values()])
        at = [place + len(parts) * i for i in range(own)]
        curves[part.name] = [(step, peak * part.schedule.factor(i, own)) for i, step in enumerate(at)]
    return curves


def divide(module: nn.Module, parts: Sequence[Part]) -> dict[str, dict[str, nn.Parameter]]:
    """The trained parameters of each part, by its name; ShapeError unless each parameter has one owner."""
    members: dict[str, dict[str, nn.Parameter]] = {part.name: {} for part in parts}
    for name, parameter in module.named_parameters():
        owners = [part.name for part in parts if part.owns(name)] if parameter.requires_grad else []
        if parameter.requires_grad and len(owners) != 1:
            raise ShapeError(f"the parameter {name} belongs to {len(owners)} parts, it must be one")
        for owner in owners:
            members[owner][name] = parameter
    if empty := [part for part, own in members.items() if not own]:
        raise ShapeError(f"the part {empty[0]} has no parameter to train")
    return members


@dataclass(frozen=True, eq=False)
class _Job:
    """A run and where it stands."""

    state: State
    parts: Sequence[Part]
    members: Mapping[str, Mapping[str, nn.Parameter]]
    run: Run
    folder: Path
    seed: int
    device: torch.device
    one_stream: bool

    def generators(self, first: int) -> Iterator[np.random.Generator]:
        """The random numbers of every step from `first`, for losses that draw their own batches."""
        for step in range(first, self.run.steps):
            for number in range(self.run.accumulate):
                yield np.random.default_rng([self.seed, step, number] if number else [self.seed, step])

    def part_of(self, step: int) -> tuple[Part, float]:
        """The part whose step it is, and the share of its highest learning rate."""
        place = step % len(self.parts)
        part = self.parts[place]
        own = own_steps(self.run.steps, place, len(self.parts))
        return part, part.schedule.factor(step // len(self.parts), own)


def _go(
    job: _Job, batches: Batches | None, validate: Validate | None, watch: Watch | None, log: RunLog | None
) -> None:
    """All steps that are left, with what is told, measured and kept on the way."""
    state, run = job.state, job.run
    if state.ended or state.step >= run.steps:
        return
    recent: dict[str, list[torch.Tensor]] = {}
    source = (batches or job.generators)(state.step)
    with ctrl_c_noted() as interruption:
        while state.step < run.steps and not state.ended:
            name, loss = _step(job, source, log)
            state.step += 1
            recent.setdefault(name, []).append(loss)
            last, line = state.step == run.steps, ""
            if last or state.step % run.log_every == 0:
                line, recent = _tell(job, recent, log, batches is not None), {}
            if validate is not None and (last or state.step % run.validate_every == 0):
                line = _judge(job, validate, watch, log, line)
            leave = distributed.any_says(interruption.asked, job.device)
            if leave or last or state.ended or state.step % run.checkpoint_every == 0:
                _keep(job, recent, log)
            if log is not None:
                for text in line.splitlines():
                    log.progress(text)
            if leave:
                if log is not None:
                    log.progress(f"interrupted; step {state.step} is kept, and the same command goes on from there")
                raise KeyboardInterrupt


def _step(job: _Job, source: Iterator[Any], log: RunLog | None) -> tuple[str, torch.Tensor]:
    """One step of the part whose turn it is: its name and its loss."""
    state, run = job.state, job.run
    part, factor = job.part_of(state.step)
    optimiser, scaler = state.optimisers[part.name], state.scalers.get(part.name)
    own = list(job.members[part.name].values())
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    if not job.one_stream:
        # a process of several draws apart from the others
        torch.manual_seed(job.seed * 1_000_003 + state.step + distributed.place() * 1_000_000_007)
    optimiser.zero_grad(set_to_none=True)
    total = torch.zeros((), device=job.device)
    for _ in range(run.accumulate):
        began = time.monotonic()
        batch = next(source)
        if log is not None:
            log.waited += time.monotonic() - began
        with torch.autocast(job.device.type, PRECISIONS.get(run.precision), enabled=run.precision != "none"):
            loss = part.loss_of(state.module.train(), batch)
        share = loss / run.accumulate if run.accumulate > 1 else loss
        (scaler.scale(share) if scaler else share).backward()  # type: ignore[no-untyped-call]
        total += share.detach()
    distributed.average_gradients(own)
    if scaler:
        scaler.unscale_(optimiser)
    if part.clip:
        nn.utils.clip_grad_norm_(own, part.clip)
    if scaler:
        scaler.step(optimiser)
        scaler.update()
    else:
        optimiser.step()
    if state.averaged is not None:
        average(state.averaged, state.module, min(run.average, (state.step + 1) / (state.step + 10)))
    return part.name, total


def _tell(job: _Job, recent: Mapping[str, list[torch.Tensor]], log: RunLog | None, waits: bool) -> str:
    """Record the mean losses since the last line; gives the line for the user."""
    losses = _means(job, recent)
    if log is None:
        return ""
    rates = {name: float(o.param_groups[0]["lr"]) for name, o in job.state.optimisers.items()}
    return log.losses(job.state.step, losses, rates, waits)


def _means(job: _Job, recent: Mapping[str, list[torch.Tensor]]) -> dict[str, float]:
    """Mean losses of the parts.

    Raises:
        DataError: if one is not a number.
    """
    losses = {name: float(torch.stack(values).mean()) for name, values in recent.items()}
    if wrong := [name for name, loss in losses.items() if not math.isfinite(loss)]:
        reason = f"the loss of {wrong[0]} is {losses[wrong[0]]} at step {job.state.step}"
        raise DataError(job.folder, reason, SLOWER)
    return losses


def _judge(job: _Job, validate: Validate, watch: Watch | None, log: RunLog | None, line: str) -> str:
    """Validate, and keep the weights if they are the best; gives the line for the user with the numbers."""
    state, better, ends = job.state, False, False
    if log is not None:
        numbers = with_weights(state.module, state.averaged, validate)
        log.record(state.step, numbers)
        told = "  ".join(f"{name} {value:.3f}" for name, value in numbers.items())
        line = f"{line}\n{told}" if line else told
        best = -math.inf if state.best is None else state.best
        better = watch is not None and watch.of(numbers) > best  # which nothing is that is no number
        if watch is not None and better:
            state.best = watch.of(numbers)
            write_best(job.folder / BEST, state)
        ends = watch is not None and not better and 0 < watch.patience <= state.since + 1
    state.since = 0 if distributed.any_says(better, job.device) else state.since + 1
    state.ended = distributed.any_says(ends, job.device)
    return line


def _keep(job: _Job, recent: Mapping[str, list[torch.Tensor]], log: RunLog | None) -> None:
    """Write a checkpoint, but none that a run could not go on from.

    Raises:
        DataError: if a loss since the last line, or a weight, is not a number.
    """
    _means(job, recent)
    state = trained_state(job.state.module)
    if wrong := [name for name, tensor in state.items() if not bool(tensor.isfinite().all())]:
        raise DataError(job.folder, f"{wrong[0]} is not all numbers after step {job.state.step}", SLOWER)
    if log is not None:
        job.state.save(job.folder / FILE)


@contextmanager
def _log(folder: Path, first: int, run: Run, progress: Progress) -> Iterator[RunLog | None]:
    """The log of the process that writes; None in the others."""
    if distributed.place():
        yield None
        return
    log = RunLog(folder, first, run.steps, progress, board=run.tensorboard)
    try:
        if first:
            progress(f"resumed at step {first} of {run.steps}")
        yield log
    finally:
        log.close()


def _device(module: nn.Module) -> torch.device:
    return next(module.parameters()).device

"""The loop: a run that is stopped and resumed ends with the weights of one that was not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from clip3d.errors import DataError
from clip3d.training.loop import Optimisation, schedule, train

HOW = Optimisation(steps=20, warmup=4, checkpoint_every=6, validate_every=10, log_every=5)


class Stop(Exception):
    """Stands for whatever ends a run."""


def module() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))


def loss_of(net: nn.Module, rng: np.random.Generator) -> Tensor:
    x = torch.from_numpy(rng.normal(size=(16, 4)).astype(np.float32))
    return (net(x)[:, 0] - x.sum(1)).square().mean()


def run(folder: Path, steps_before_stop: int | None = None) -> nn.Module:
    net, taken = module(), 0

    def counted(net: nn.Module, rng: np.random.Generator) -> Tensor:
        nonlocal taken
        taken += 1
        if steps_before_stop is not None and taken > steps_before_stop:
            raise Stop
        return loss_of(net, rng)

    settings = {"seed": 5, "identity": "a run", "progress": lambda line: None}
    return train(net, counted, HOW, folder, validate=lambda m: {"x": 1.0}, **settings)


@pytest.mark.parametrize("stop", [1, 6, 13])
def test_a_stopped_run_resumes_to_the_same_weights(tmp_path: Path, stop: int) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(Stop):
        run(tmp_path / "stopped", stop)
    resumed = run(tmp_path / "stopped")
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], tensor, msg=name)


def test_training_lowers_the_loss_and_records_it(tmp_path: Path) -> None:
    how = Optimisation(steps=200, lr=1e-2, warmup=10, average=0.9, log_every=10)
    train(module(), loss_of, how, tmp_path, seed=5, identity="a run", progress=lambda line: None)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.5 * losses[0]


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    other = nn.Linear(4, 1)
    with pytest.raises(DataError, match="another recipe"):
        train(other, loss_of, HOW, tmp_path, seed=5, identity="a run", progress=lambda line: None)


def test_schedule_rises_then_falls_to_a_hundredth() -> None:
    rates = [schedule(step, HOW) for step in range(HOW.steps)]
    assert rates[0] == pytest.approx(1 / 4)
    assert rates[4] == max(rates) == pytest.approx(1.0)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert schedule(HOW.steps, HOW) == pytest.approx(0.01)


def test_a_folder_of_other_settings_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(DataError, match="another recipe"):
        train(module(), loss_of, HOW, tmp_path, seed=5, identity="another", progress=lambda line: None)


def test_a_resumed_run_records_each_step_once(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(tmp_path, 16)
    run(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    steps = [row["step"] for row in rows if "loss" in row]
    assert steps == sorted(set(steps))

"""The loop: a run that is stopped and resumed ends with the weights of one that was not."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from clip3d.errors import DataError, ShapeError
from clip3d.training.checkpoints import read_facts
from clip3d.training.loop import Optimisation, Part, Run, Watch, rates_over, train, train_parts
from clip3d.training.optimisers import Optimiser, decays
from clip3d.training.schedules import Schedule, own_steps

HOW = Optimisation(steps=20, warmup=4, checkpoint_every=6, validate_every=10, log_every=5)
SETTINGS = {"seed": 5, "identity": "a run"}


class Stop(Exception):
    """Stands for whatever ends a run."""


def quiet(line: str) -> None:
    pass


def module() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))


def loss_of(net: nn.Module, rng: np.random.Generator) -> Tensor:
    x = torch.from_numpy(rng.normal(size=(16, 4)).astype(np.float32))
    return (net(x)[:, 0].float() - x.sum(1)).square().mean()


def run(folder: Path, steps_before_stop: int | None = None, how: Optimisation = HOW) -> nn.Module:
    net, taken = module(), 0

    def counted(net: nn.Module, rng: np.random.Generator) -> Tensor:
        nonlocal taken
        taken += 1
        if steps_before_stop is not None and taken > steps_before_stop:
            raise Stop
        return loss_of(net, rng)

    return train(net, counted, how, folder, validate=lambda m: {"x": 1.0}, progress=quiet, **SETTINGS)


def assert_same(one: nn.Module, other: nn.Module) -> None:
    mine, theirs = one.state_dict(), other.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.parametrize("stop", [1, 6, 13])
def test_a_stopped_run_resumes_to_the_same_weights(tmp_path: Path, stop: int) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(Stop):
        run(tmp_path / "stopped", stop)
    assert_same(run(tmp_path / "stopped"), whole)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_learns_and_resumes_with_its_scaler(tmp_path: Path, precision: str) -> None:
    how = replace(HOW, precision=precision, steps=30)
    whole = run(tmp_path / "whole", how=how)
    with pytest.raises(Stop):
        run(tmp_path / "stopped", 13, how)
    assert_same(run(tmp_path / "stopped", how=how), whole)
    plain = run(tmp_path / "plain", how=replace(how, precision="none"))
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(whole.state_dict()[name], tensor, atol=0.05, rtol=0.1, msg=name)


TWO_PARTS = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_loop as t
t.two_parts(Path({folder!r}), pause={pause})
"""


class Towers(nn.Module):
    """Two parts that are stepped in turn, and a frozen third."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.clouds = module()
        self.prompts = nn.Linear(4, 1)
        self.frozen = nn.Linear(4, 4).requires_grad_(False)


def parts() -> list[Part]:
    def clouds(net: nn.Module, x: Tensor) -> Tensor:
        return (net.clouds(x) - net.prompts(net.frozen(x)).detach()).square().mean()

    def prompts(net: nn.Module, x: Tensor) -> Tensor:
        return (net.prompts(net.frozen(x))[:, 0] - x.sum(1)).square().mean()

    return [
        Part(clouds, Optimiser(lr=1e-2), Schedule(warmup=3, floor=0.1), 10.0, "clouds", lambda n: n[0] == "c"),
        Part(
            prompts,
            Optimiser("sgd", 1e-2, 1e-4, nesterov=True),
            Schedule("constant"),
            10.0,
            "prompts",
            lambda n: n[0] == "p",
        ),
    ]


def batches(first: int, steps: int = 40, accumulate: int = 2, pause: float = 0.0) -> Iterator[Tensor]:
    for step in range(first, steps):
        for number in range(accumulate):
            time.sleep(pause)
            draws = np.random.default_rng([step, number])
            yield torch.from_numpy(draws.normal(size=(16, 4)).astype(np.float32))


def two_parts(folder: Path, pause: float = 0.0, progress=quiet) -> Towers:
    torch.set_num_threads(1)
    how = Run(40, average=0.9, checkpoint_every=3, log_every=7, accumulate=2)
    net = Towers()
    source = lambda first: batches(first, pause=pause)  # noqa: E731
    train_parts(net, parts(), how, folder, batches=source, progress=progress, **SETTINGS)
    return net


def started(folder: Path) -> subprocess.Popen[str]:
    """A run in a process of its own, which has written its first checkpoint."""
    code = TWO_PARTS.format(tests=str(Path(__file__).parent), folder=str(folder), pause=0.01)
    child = subprocess.Popen([sys.executable, "-c", code], env=os.environ.copy(), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (folder / "checkpoint.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return child


def test_a_run_that_is_killed_at_any_moment_resumes_to_the_same_weights(tmp_path: Path) -> None:
    child = started(tmp_path / "killed")
    time.sleep(float(np.random.default_rng().uniform(0, 0.3)))
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert child.returncode != 0
    lines: list[str] = []
    resumed = two_parts(tmp_path / "killed", progress=lines.append)
    assert lines[0].startswith("resumed at step")
    assert_same(resumed, two_parts(tmp_path / "whole"))


def test_ctrl_c_keeps_the_step_that_was_reached(tmp_path: Path) -> None:
    child = started(tmp_path / "stopped")
    time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in child.communicate()[1]
    facts = json.loads(read_facts(tmp_path / "stopped" / "checkpoint.safetensors")["progress"])
    assert 3 <= facts["step"] < 40
    assert_same(two_parts(tmp_path / "stopped"), two_parts(tmp_path / "whole"))


def test_parts_take_turns_and_leave_each_other_and_what_is_frozen_alone(tmp_path: Path) -> None:
    seen: list[tuple[str, bool, bool]] = []
    before = Towers().state_dict()

    def spying(part: Part) -> Part:
        def spied(net: nn.Module, x: Tensor) -> Tensor:
            state = net.state_dict()
            moved = [any(not torch.equal(state[n], before[n]) for n in state if n[0] == first) for first in "cp"]
            seen.append((part.name, *moved))
            return part.loss_of(net, x)

        return replace(part, loss_of=spied)

    net = Towers()
    how = Run(3, average=0.0)
    source = lambda first: batches(first, accumulate=1)  # noqa: E731
    spied = [spying(part) for part in parts()]
    train_parts(net, spied, how, tmp_path, batches=source, progress=quiet, **SETTINGS)
    assert [name for name, *_ in seen] == ["clouds", "prompts", "clouds"]
    assert seen[1][1:] == (True, False)
    assert all(torch.equal(net.state_dict()[n], before[n]) for n in before if n.startswith("frozen"))


def test_accumulated_gradients_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    def trained(name: str, accumulate: int) -> nn.Module:
        def source(first: int) -> Iterator[Tensor]:
            for step in range(first, 10):
                x = torch.from_numpy(np.random.default_rng(step).normal(size=(8, 4)).astype(np.float32))
                yield from x.chunk(accumulate)

        torch.manual_seed(0)
        net = nn.Linear(4, 1)
        part = Part(lambda net, x: (net(x)[:, 0] - x.sum(1)).square().mean(), Optimiser("sgd", 0.1))
        how = Run(10, average=0.0, accumulate=accumulate)
        return train_parts(net, [part], how, tmp_path / name, batches=source, progress=quiet, **SETTINGS)

    torch.testing.assert_close(trained("one", 1).weight, trained("four", 4).weight)


def test_parts_must_share_out_the_parameters(tmp_path: Path) -> None:
    first, second = parts()
    for wrong in ([first], [first, replace(second, owns=lambda name: True)]):
        with pytest.raises(ShapeError, match="parts, it must be one"):
            train_parts(Towers(), wrong, Run(1), tmp_path, progress=quiet, **SETTINGS)
    nobody = replace(first, name="nobody", owns=lambda name: False)
    with pytest.raises(ShapeError, match="no parameter"):
        train_parts(Towers(), [first, second, nobody], Run(1), tmp_path, progress=quiet, **SETTINGS)


@pytest.mark.parametrize("steps", [10, 11, 14, 15])
def test_each_part_goes_through_its_whole_schedule_whatever_the_number_of_batches(steps: int) -> None:
    curves = rates_over(parts(), steps)
    assert [step for step, _ in curves["clouds"]] == list(range(0, steps, 2))
    assert [step for step, _ in curves["prompts"]] == list(range(1, steps, 2))
    assert {rate for _, rate in curves["prompts"]} == {1e-2}
    own, rates = own_steps(steps, 0, 2), [rate for _, rate in curves["clouds"]]
    assert len(rates) == own == (steps + 1) // 2
    assert rates[2] == pytest.approx(1e-2)
    assert rates[:3] == sorted(rates[:3])
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] >= 1e-3


def test_the_rates_that_are_drawn_are_those_that_are_used(tmp_path: Path) -> None:
    two_parts(tmp_path)
    drawn = {name: dict(curve) for name, curve in rates_over(parts(), 40).items()}
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    for row in rows:
        last = row["step"] - 1 - (row["step"] - 1) % 2
        assert row["rate clouds"] == pytest.approx(drawn["clouds"][last])
    drawing = ElementTree.parse(tmp_path / "learning_rate.svg").getroot()
    lines = drawing.findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [20, 20]


def test_training_lowers_the_loss_and_records_it(tmp_path: Path) -> None:
    how = Optimisation(steps=200, lr=1e-2, warmup=10, average=0.9, log_every=10)
    train(module(), loss_of, how, tmp_path, progress=quiet, **SETTINGS)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.5 * losses[0]
    with (tmp_path / "metrics.csv").open(newline="") as stream:
        assert [float(row["loss"]) for row in csv.DictReader(stream)] == losses


def test_waiting_for_data_is_told(tmp_path: Path) -> None:
    lines: list[str] = []
    two_parts(tmp_path, pause=0.005, progress=lines.append)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert 0.2 < rows[-1]["waiting"] <= 1
    assert "waiting for data" in lines[-1]


def test_tensorboard_is_written_when_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run(tmp_path, how=replace(HOW, tensorboard=True))
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_a_checkpoint_says_what_the_run_is(tmp_path: Path) -> None:
    told = {"recipe": 'kind = "cloud"', "data": '{"data_sha256": "ab"}'}
    train(module(), loss_of, HOW, tmp_path, progress=quiet, record=told, **SETTINGS)
    facts = read_facts(tmp_path / "checkpoint.safetensors")
    assert {key: facts[key] for key in told} == told
    assert json.loads(facts["environment"])["torch"] == torch.__version__
    assert json.loads(facts["progress"])["step"] == HOW.steps


@pytest.mark.parametrize("number", ["good", "-bad"])
def test_the_best_weights_are_the_result_and_a_run_may_end_early(tmp_path: Path, number: str) -> None:
    scores = iter([0.1, 0.5, 0.3, 0.4, 0.9])
    kept: list[Tensor] = []

    def validate(net: nn.Module) -> dict[str, float]:
        kept.append(net[0].weight.detach().clone())
        score = next(scores)
        return {"good": score, "bad": -score}

    how = replace(HOW, steps=100, validate_every=2)
    watch = Watch(number, patience=2)
    net = train(module(), loss_of, how, tmp_path, progress=quiet, validate=validate, watch=watch, **SETTINGS)
    assert len(kept) == 4
    assert torch.equal(net[0].weight, kept[1])
    again = train(module(), loss_of, how, tmp_path, progress=quiet, validate=validate, watch=watch, **SETTINGS)
    assert_same(again, net)


def test_a_number_that_validation_does_not_give_cannot_be_watched(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="validation gives x"):
        train(
            module(),
            loss_of,
            HOW,
            tmp_path,
            progress=quiet,
            validate=lambda m: {"x": 1.0},
            watch=Watch("y"),
            **SETTINGS,
        )


def test_a_loss_that_is_no_number_ends_the_run_before_it_is_kept(tmp_path: Path) -> None:
    def bad(net: nn.Module, rng: np.random.Generator) -> Tensor:
        return loss_of(net, rng) * torch.nan

    with pytest.raises(DataError, match="lower the learning rate"):
        train(module(), bad, HOW, tmp_path, progress=quiet, **SETTINGS)
    assert not (tmp_path / "checkpoint.safetensors").exists()


@pytest.mark.parametrize("spoilt", ["loss", "weight"])
def test_nothing_that_is_no_number_is_kept_between_two_lines(tmp_path: Path, spoilt: str) -> None:
    taken = 0

    def bad(net: nn.Module, rng: np.random.Generator) -> Tensor:
        nonlocal taken
        taken += 1
        loss = loss_of(net, rng)
        if taken == 6 and spoilt == "weight":
            net[0].weight.register_hook(lambda gradient: gradient * torch.nan)
        return loss * torch.nan if taken == 5 and spoilt == "loss" else loss

    how = replace(HOW, log_every=20, checkpoint_every=3)
    with pytest.raises(DataError, match="lower the learning rate"):
        train(module(), bad, how, tmp_path, progress=quiet, **SETTINGS)
    facts = json.loads(read_facts(tmp_path / "checkpoint.safetensors")["progress"])
    assert facts["step"] == 3


def test_a_validation_that_is_no_number_is_never_the_best(tmp_path: Path) -> None:
    scores = iter([np.nan, 0.5, np.nan])
    kept: list[Tensor] = []

    def validate(net: nn.Module) -> dict[str, float]:
        kept.append(net[0].weight.detach().clone())
        return {"good": next(scores)}

    how = replace(HOW, steps=6, validate_every=2)
    watch = Watch("good")
    net = train(module(), loss_of, how, tmp_path, progress=quiet, validate=validate, watch=watch, **SETTINGS)
    assert torch.equal(net[0].weight, kept[1])


@pytest.mark.parametrize("warmup", [1.5, 2.25, 10.5])
def test_a_rise_over_part_of_a_step_stays_below_the_highest_rate(warmup: float) -> None:
    factors = [Schedule(warmup=warmup).factor(step, 20) for step in range(20)]
    assert max(factors) <= 1
    assert factors[0] == pytest.approx(1 / warmup)


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(DataError, match="another recipe"):
        train(nn.Linear(4, 1), loss_of, HOW, tmp_path, progress=quiet, **SETTINGS)


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="delete it to begin anew"):
        run(tmp_path)


def test_a_schedule_rises_then_falls_to_its_floor() -> None:
    rates = [Schedule(warmup=4, floor=0.01).factor(step, 20) for step in range(21)]
    assert rates[0] == pytest.approx(1 / 4)
    assert rates[4] == max(rates) == pytest.approx(1.0)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[20] == pytest.approx(0.01)


def test_what_decays() -> None:
    matrix, vector = nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(2))
    assert decays("a.weight", matrix)
    assert decays("token.weight", matrix)
    assert not any([decays("a.weight", vector), decays("a.bias", matrix), decays("prompts.tokens", matrix)])


def test_a_folder_of_other_settings_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(DataError, match="another recipe"):
        train(module(), loss_of, HOW, tmp_path, seed=5, identity="another", progress=quiet)


def test_a_resumed_run_records_each_step_once(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(tmp_path, 16)
    with (tmp_path / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 1')  # a kill cuts a line short
    run(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    steps = [row["step"] for row in rows if "loss" in row]
    assert steps == sorted(set(steps))

"""Learning rates over steps, and optimisers, beside PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from clip3d.training.optimisers import Optimiser
from clip3d.training.schedules import Schedule


@pytest.mark.parametrize("steps", [20, 37, 500])
def test_one_cycle_is_that_of_pytorch(steps: int) -> None:
    parameter = nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.Adam([parameter], lr=1e-3)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=1e-3, total_steps=steps, pct_start=0.1, div_factor=25, anneal_strategy="cos"
    )
    schedule = Schedule("one-cycle")
    for step in range(steps):
        assert 1e-3 * schedule.factor(step, steps) == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)
        optimiser.step()
        if step + 1 < steps:
            cycle.step()


@pytest.mark.parametrize("wrong", [{"start": 0.0}, {"rise": 1.0}, {"shape": "steps"}])
def test_a_cycle_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)).replace("shape", "schedule")):
        Schedule(**wrong)  # type: ignore[arg-type]


def test_adam_is_that_of_pytorch() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(3, 2), nn.Linear(3, 2)
    theirs.load_state_dict(ours.state_dict())
    mine = Optimiser("adam", 1e-2, 0.1, (0.9, 0.999), decay_all=True).over(dict(ours.named_parameters()))
    other = torch.optim.Adam(theirs.parameters(), lr=1e-2, betas=(0.9, 0.999), weight_decay=0.1)
    for _ in range(5):
        x = torch.randn(4, 3)
        for module, optimiser in ((ours, mine), (theirs, other)):
            optimiser.zero_grad()
            module(x).square().sum().backward()
            optimiser.step()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())

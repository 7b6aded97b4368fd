"""The optimiser against a plain loop over numbers."""

from __future__ import annotations

import math

import pytest
import torch

from clip3d.training.lamb import Lamb
from clip3d.training.optimisers import Optimiser
from clip3d.training.schedules import Schedule


def plain_steps(weights, gradients, lr, betas, epsilon, decay):
    """Weights and gradients as lists of numbers."""
    mean, squared = [0.0] * len(weights), [0.0] * len(weights)
    for gradient in gradients:
        for i, g in enumerate(gradient):
            mean[i] = betas[0] * mean[i] + (1 - betas[0]) * g
            squared[i] = betas[1] * squared[i] + (1 - betas[1]) * g * g
        step = [m / (math.sqrt(s) + epsilon) + decay * w for m, s, w in zip(mean, squared, weights, strict=True)]
        size, length = (math.sqrt(sum(x * x for x in vector)) for vector in (weights, step))
        ratio = min(size, 10) / length if size and length else 1
        weights = [w - lr * ratio * s for w, s in zip(weights, step, strict=True)]
    return weights


@pytest.mark.parametrize("size", [1.0, 100.0, 0.0])
def test_steps_are_those_of_a_plain_loop(size):
    torch.manual_seed(0)
    layers = {shape: size * torch.randn(shape) for shape in [(3, 4), (5,), ()]}
    trained = [torch.nn.Parameter(layer.clone()) for layer in layers.values()]
    optimiser = Lamb(trained, lr=0.02, betas=(0.8, 0.95), epsilon=1e-5, weight_decay=0.1)
    pushes = [[torch.randn(shape) for shape in layers] for _ in range(6)]
    for push in pushes:
        for parameter, gradient in zip(trained, push, strict=True):
            parameter.grad = gradient.clone()
        optimiser.step()
    for i, (start, parameter) in enumerate(zip(layers.values(), trained, strict=True)):
        gradients = [push[i].flatten().tolist() for push in pushes]
        expected = plain_steps(start.flatten().tolist(), gradients, 0.02, (0.8, 0.95), 1e-5, 0.1)
        torch.testing.assert_close(parameter.flatten(), torch.tensor(expected), atol=1e-5, rtol=1e-5)


def test_a_step_is_as_long_as_the_rate_says_whatever_the_gradient():
    for factor in (1e-3, 1.0, 1e3):
        parameter = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
        parameter.grad = factor * torch.tensor([1.0, -2.0])
        Lamb([parameter], lr=0.1).step()
        assert (parameter.detach() - torch.tensor([3.0, 4.0])).norm() == pytest.approx(0.5, rel=1e-3)


def test_parameters_without_a_gradient_stay_and_a_closure_gives_the_loss():
    moved, still = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    optimiser = Lamb([moved, still], lr=0.1)

    def closure():
        optimiser.zero_grad()
        loss = moved.square().sum()
        loss.backward()
        return loss

    assert float(optimiser.step(closure).detach()) == 2.0
    assert torch.equal(still, torch.ones(2))
    assert bool((moved < 1).all())


def test_a_saved_state_goes_on_as_if_nothing_had_been():
    def run(parameter, optimiser, steps):
        for step in steps:
            parameter.grad = torch.tensor([1.0, -2.0]) * (step + 1)
            optimiser.step()

    whole = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    run(whole, Lamb([whole], lr=0.1), range(5))
    first = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    before = Lamb([first], lr=0.1)
    run(first, before, range(2))
    after = Lamb([first], lr=0.1)
    after.load_state_dict(before.state_dict())
    run(first, after, range(2, 5))
    assert torch.equal(first, whole)


def test_a_recipe_names_it_and_its_cosine_that_starts_again():
    how = Optimiser("lamb", lr=6e-3, weight_decay=1e-4, betas=(0.9, 0.999), decay_all=True)
    optimiser = how.over({"w": torch.nn.Parameter(torch.ones(2, 2)), "b": torch.nn.Parameter(torch.ones(2))})
    assert isinstance(optimiser, Lamb)
    (group,) = optimiser.param_groups
    assert (group["peak"], group["weight_decay"], group["betas"]) == (6e-3, 1e-4, (0.9, 0.999))
    schedule = Schedule(period=5, floor=0.1)
    rates = [schedule.factor(step, 100) for step in range(12)]
    assert rates[:5] == rates[5:10]
    assert rates[10] == 1.0
    expected = [0.1 + 0.45 * (1 + math.cos(math.pi * step / 5)) for step in range(5)]
    assert rates[:5] == pytest.approx(expected)

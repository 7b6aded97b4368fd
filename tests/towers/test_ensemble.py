"""Several cloud towers as one."""

from __future__ import annotations

import pytest
import torch

from clip3d.errors import ShapeError
from clip3d.towers.classifier import ClassifierTower
from clip3d.towers.ensemble import EnsembleTower, ensemble_state, member_state
from clip3d.towers.set_abstraction import SetAbstractionTower

TINY = {"width": 16, "layers": 1, "heads": 2, "stem": (8, 16), "centers": (16, 8), "neighbors": (4, 4)}
MEMBERS = [{**TINY, "pose_free": True}, {**TINY, "pose_free": True, "width": 24, "density": 64}]


def towers() -> list[SetAbstractionTower]:
    torch.manual_seed(0)
    return [SetAbstractionTower(8, **member).eval() for member in MEMBERS]


def joined(members: list[SetAbstractionTower]) -> EnsembleTower:
    tower = EnsembleTower(MEMBERS, 8).eval()
    tower.load_state_dict(ensemble_state([member.state_dict() for member in members]))
    return tower


def clouds() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    points, colors = (torch.rand(3, 60, 3, generator=generator) for _ in range(2))
    return points, colors, torch.tensor([True, False, True])


@torch.no_grad()
def test_its_vectors_are_the_mean_of_its_members_unit_vectors() -> None:
    members, inputs = towers(), clouds()
    units = [torch.nn.functional.normalize(member(*inputs), dim=1) for member in members]
    torch.testing.assert_close(joined(members)(*inputs), (units[0] + units[1]) / 2)


@torch.no_grad()
def test_how_a_cloud_stands_is_told_by_the_mean_of_logits() -> None:
    members, inputs = towers(), clouds()
    vectors, logits = joined(members).with_stance(*inputs)
    torch.testing.assert_close(vectors, joined(members)(*inputs))
    told = [member.with_stance(*inputs)[1] for member in members]
    torch.testing.assert_close(logits, (told[0] + told[1]) / 2)


@torch.no_grad()
def test_without_a_head_it_gives_all_features_side_by_side() -> None:
    members, inputs = towers(), clouds()
    tower = EnsembleTower(MEMBERS, None).eval()
    state = ensemble_state([member.state_dict() for member in members])
    tower.load_state_dict({name: value for name, value in state.items() if not name.startswith("head")})
    features = tower(*inputs)
    assert features.shape == (3, tower.feature_width)
    torch.testing.assert_close(features, torch.cat([member.summary(*inputs) for member in members], dim=1))


def test_states_come_apart_as_they_went_together() -> None:
    members = [member.state_dict() for member in towers()]
    state = ensemble_state(members)
    for number, member in enumerate(members):
        found = member_state(state, number)
        assert found.keys() == member.keys()
        assert all(found[name] is member[name] for name in member)


def test_it_serves_as_a_backbone_with_gradients_everywhere() -> None:
    tower = ClassifierTower("ensemble", {"members": [dict(TINY), dict(TINY)]}, 3, drop=0.0)
    points, colors, _ = clouds()
    tower.logits(points, colors).square().sum().backward()
    assert all(parameter.grad is not None for parameter in tower.parameters())


def test_without_members_or_pose_free_mode_it_says_so() -> None:
    with pytest.raises(ValueError, match="at least one member"):
        EnsembleTower([], 8)
    with pytest.raises(ShapeError, match="pose-free"):
        EnsembleTower([dict(TINY)], 8).eval().with_stance(*clouds())

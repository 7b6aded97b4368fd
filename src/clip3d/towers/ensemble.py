"""Several cloud towers as one: the mean of their unit vectors, which errs less than each of them alone.

Towers that were trained from different random weights go wrong in different places (Lakshminarayanan et al. 2017,
"Simple and scalable predictive uncertainty estimation using deep ensembles", section 2.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from clip3d.towers.set_abstraction import SetAbstractionTower


class MeanHead(nn.Module):
    """The mean of the unit vectors that heads make, each of its own part of a feature.

    Args:
        heads: from features (b, widths[i]) to vectors (b, dim).
        widths: of the parts, in the order of the heads.
    """

    def __init__(self, heads: Sequence[nn.Module], widths: Sequence[int]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)
        self.widths = list(widths)

    def forward(self, features: Tensor) -> Tensor:
        """Vectors (b, dim), no longer than 1, of features (b, sum of widths)."""
        parts = torch.split(features, self.widths, dim=-1)
        units = [
            nn.functional.normalize(head(part), dim=-1) for head, part in zip(self.heads, parts, strict=True)
        ]
        return torch.stack(units).mean(0)


class EnsembleTower(nn.Module):
    """Coloured clouds to the mean of what set abstraction towers make of them.

    Args:
        members: keyword arguments of each `SetAbstractionTower`, at least one.
        dim: length of a vector; None gives the members' features beside each other, without the heads.

    Attributes:
        feature_width: length of what the head sees: of all members' features together.
        levels: of all members, in their order.
        level_widths: how long what each of them gives is.

    Raises:
        ValueError: if there are no members.
    """

    def __init__(self, members: Sequence[Mapping[str, Any]], dim: int | None = 512) -> None:
        super().__init__()
        if not members:
            raise ValueError("an ensemble needs at least one member")
        towers = [SetAbstractionTower(**{**member, "dim": dim}) for member in members]
        widths = [tower.feature_width for tower in towers]
        heads = [tower.head for tower in towers]
        for tower in towers:
            tower.head = nn.Identity()  # its own head stands below, so that all parameters have one name
        self.members = nn.ModuleList(towers)
        self.feature_width = sum(widths)
        self.level_widths = tuple(width for tower in towers for width in tower.level_widths)
        self.head: nn.Module = nn.Identity() if dim is None else MeanHead(heads, widths)

    @property
    def levels(self) -> tuple[nn.Module, ...]:  # noqa: D102
        return tuple(level for tower in self._towers() for level in tower.levels)

    def forward(self, points: Tensor, colors: Tensor, upright: Tensor | None = None) -> Tensor:
        """Vectors (b, dim) of clouds, no longer than 1; arguments and errors as for `SetAbstractionTower`."""
        vectors: Tensor = self.head(self.summary(points, colors, upright))
        return vectors

    def with_stance(self, points: Tensor, colors: Tensor, upright: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (b, dim) as `forward` gives them, and the members' mean logit (b,) that each stands upright."""
        summaries = [tower.summary(points, colors, upright) for tower in self._towers()]
        logits = [tower.stance_logit(part) for tower, part in zip(self._towers(), summaries, strict=True)]
        return self.head(torch.cat(summaries, dim=-1)), torch.stack(logits).mean(0)

    def summary(self, points: Tensor, colors: Tensor, upright: Tensor | None) -> Tensor:
        """What the head sees of clouds: (b, feature_width), the members' summaries beside each other."""
        return torch.cat([tower.summary(points, colors, upright) for tower in self._towers()], dim=-1)

    def _towers(self) -> list[SetAbstractionTower]:
        return [tower for tower in self.members if isinstance(tower, SetAbstractionTower)]


def ensemble_state(members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The state of an `EnsembleTower` from its members' own states: names to arrays or tensors."""
    state: dict[str, Any] = {}
    for number, member in enumerate(members):
        for name, value in member.items():
            part, _, rest = name.partition(".")
            state[f"head.heads.{number}.{rest}" if part == "head" else f"members.{number}.{name}"] = value
    return state


def member_state(state: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The own state of one member, from that of an `EnsembleTower`: what `ensemble_state` was given of it."""
    head, body = f"head.heads.{number}.", f"members.{number}."
    found = {f"head.{name.removeprefix(head)}": value for name, value in state.items() if name.startswith(head)}
    return found | {name.removeprefix(body): value for name, value in state.items() if name.startswith(body)}

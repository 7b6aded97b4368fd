"""What a cloud tower's head sees, taken while the tower runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def head_of(tower: Any) -> Any:
    """The module that makes vectors of what the tower's body gives; None if there is none."""
    modules = dict(tower.named_children()) if hasattr(tower, "named_children") else {}
    return modules.get("head", modules.get("project"))


def before_head(head: Any, parts: Sequence[Any]) -> Callable[..., Any]:
    """A run of a tower that gives the maximum and mean over what each of `parts` gives, and what its head sees."""

    def run(tower: Any, *inputs: Any) -> Any:
        import torch

        from clip3d.towers.levels import pooled_levels

        # hooks run in the order of the modules, so that what the head is given comes last
        with pooled_levels(parts) as seen:
            handle = head.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
            try:
                tower(*inputs)
            finally:
                handle.remove()
        return torch.cat(seen, dim=-1)

    return run

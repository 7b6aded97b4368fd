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

        seen: list[Any] = []
        handles = [part.register_forward_hook(lambda m, a, out: seen.extend(_pooled(out))) for part in parts]
        handles.append(head.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0])))
        try:
            tower(*inputs)
        finally:
            for handle in handles:
                handle.remove()
        return torch.cat(seen, dim=-1)

    return run


def _pooled(given: Any) -> tuple[Any, Any]:
    """Maximum and mean (b, w) over the parts of clouds (b, m, w), which may stand behind the parts' places."""
    features = given[-1] if isinstance(given, tuple) else given
    return features.amax(1), features.mean(1)

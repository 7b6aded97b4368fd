"""What towers have in common that see clouds with an image tower and have no weights of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn


class ImageWeights(nn.Module):
    """Weights of a module that are its image tower's, name for name, so that one file serves both."""

    image: nn.Module

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """The image tower's."""
        state: dict[str, Any] = self.image.state_dict(*args, **kwargs)
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Load the image tower's weights."""
        return self.image.load_state_dict(state_dict, strict=strict, assign=assign)

"""A tower whose process is killed as the kernel or an operator kills one: at once, with nothing told."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from torch import Tensor, nn


class DyingTower(nn.Module):
    """An image tower that kills its process once when a file appears, or each time it sees a white picture."""

    def __init__(self, tower: nn.Module, order: Path | None = None) -> None:
        super().__init__()
        self.tower = tower
        self.order = order

    def forward(self, pixels: Tensor) -> Any:
        if self.order is None:
            if (pixels.flatten(1).std(1) == 0).any():
                os.kill(os.getpid(), signal.SIGKILL)
        elif self.order.exists():
            self.order.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.tower(pixels)

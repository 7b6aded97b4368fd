"""Tiny towers whose vectors can be told by hand, so that a test knows what a search must find.

Numbers 0 and 1 of a vector say how tall and how flat a thing is, 2 to 4 how red, green and blue.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

DIM = 8
WORDS = {
    "tall": [1, -1, 0, 0, 0],
    "flat": [-1, 1, 0, 0, 0],
    "red": [0, 0, 1, -0.5, -0.5],
    "green": [0, 0, -0.5, 1, -0.5],
    "blue": [0, 0, -0.5, -0.5, 1],
}
ARCHITECTURES = {
    "double-text": "tower_doubles:TextDouble",
    "double-image": "tower_doubles:ImageDouble",
    "double-cloud": "tower_doubles:CloudDouble",
}


class TextDouble:
    """The sum of the vectors of the words it knows."""

    @classmethod
    def load(cls, folder: Path, weights_name: str, **config: object) -> TextDouble:
        return cls()

    def encode(self, texts: list[str]) -> np.ndarray:
        rows = np.full((len(texts), DIM), 0.01, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[:5] += WORDS.get(word, [0] * 5)
        return rows


def __getattr__(name: str) -> object:
    """The modules of torch, defined when asked for, so that this module loads without torch."""
    if name not in ("ImageDouble", "CloudDouble"):
        raise AttributeError(name)
    import torch
    from torch import nn

    class ImageDouble(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.ones(DIM))

        def forward(self, pixels):  # (b, 3, h, w)
            return _features(torch.zeros(pixels.shape[0]), pixels.mean((2, 3)) / 2 + 0.5) * self.gain

    class CloudDouble(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.ones(DIM))
            self.head = nn.Identity()

        def forward(self, xyz, colors, upright=None):  # (b, p, 3) each; a pose-free tower takes a third
            spread = xyz.std(1)
            seen = _features(2 * (spread[:, 2] - spread[:, :2].mean(1)), colors.mean(1))
            return self.head(seen) * self.gain

        def with_stance(self, xyz, colors, upright):  # any stance is as likely
            return self(xyz, colors, upright), torch.zeros(len(xyz))

    def _features(tallness, color):
        shade = color - color.mean(1, keepdim=True)
        rest = torch.full((color.shape[0], DIM - 5), 0.01)
        return torch.cat([tallness[:, None], -tallness[:, None], shade, rest], 1)

    return {"ImageDouble": ImageDouble, "CloudDouble": CloudDouble}[name]


def main() -> None:
    """The command line with these towers in the catalogue."""
    from clip3d.cli.main import main as run
    from clip3d.towers import catalogue

    catalogue.ARCHITECTURES.update(ARCHITECTURES)
    try:
        run()
    finally:
        report_modules()


def report_modules() -> None:
    """Write the names of all loaded modules to the file that the environment names, if it does."""
    import os

    if target := os.environ.get("MODULES_TO"):
        Path(target).write_text("\n".join(sys.modules), encoding="utf-8")


if __name__ == "__main__":
    sys.modules["tower_doubles"] = sys.modules["__main__"]
    main()

"""What goes with an exported tower: how inputs are prepared, what comes out, and how vectors are compared.

Written as JSON beside the file, for programs that have neither clip3d nor its models.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clip3d.models.card import Modality
from clip3d.models.model import Model
from clip3d.models.preprocess import MIN_POINTS

FORMAT = 1
CLOUD_STEPS = (
    "turn the cloud so that z points up",
    "if it has more than max_candidates points, choose as many at random: NumPy's default_rng(0).permutation(p)",
    "if outliers is not 0, leave out points whose mean distance to their 4 nearest neighbours is more than outliers"
    " times the median of that over the cloud",
    "choose `points` points by farthest point sampling from the first point, squared distances in float32; keep all"
    " of a cloud that has fewer, and repeat points up to min_points",
    "subtract the mean of the points and divide by the largest distance from it",
    "colors are red, green and blue from 0 to 1; color_fill in all of them where there is no color",
)
IMAGE_STEPS = (
    "lay transparent pictures on grey of level background",
    "resize with the interpolation, smoothing what is made smaller, so that the short side is size, and cut out"
    " the middle square; rounding \"torchvision\" takes the long side down and half a pixel of margin to the even"
    " pixel, \"nearest\" the long side to the nearest pixel and half a pixel of margin down",
    "divide by 255, subtract mean and divide by std for red, green and blue; channels come first",
)
TEXT_STEPS = (
    "fill the phrase into each of templates, in place of {}",
    "cut it into tokens with the tokenizer in files, which stays outside of the network; of a text of more than"
    " longest tokens, marks counted, the last before the end mark are left out",
    "with several templates, take the mean of the vectors at unit length",
)
COMPARISON = (
    "bring vectors to unit length, subtract mean, bring them to unit length again: dot products are similarities;"
    " the softmax of scale times those with several labels gives probabilities"
)


@dataclass(frozen=True)
class Port:
    """An input or output of the file: sizes that may vary are names."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    meaning: str


@dataclass(frozen=True)
class Written:
    """What was written, and how near it is to the tower.

    Attributes:
        path: of the file.
        format: "onnx" or "torch".
        model: id of the model.
        tower: the modality.
        opset: of ONNX; None for the other format.
        inputs: in their order.
        outputs: in their order.
        longest: tokens in a text, marks counted; None for other towers.
        compared: shapes of the first input with which file and tower were compared.
        difference: largest absolute difference that was found.
        size: of the file in bytes.
    """

    path: Path
    format: str
    model: str
    tower: Modality
    opset: int | None
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    longest: int | None
    compared: tuple[tuple[int, ...], ...]
    difference: float
    size: int


def notes_path(path: Path) -> Path:
    """Where the notes on an exported file stand: its name and .json."""
    return path.with_name(f"{path.name}.json")


def tokenizer_path(path: Path, tokenizer: Path) -> Path:
    """Where the tokenizer's file of an exported text tower stands: beside it, its name before the tokenizer's."""
    return path.with_name(f"{path.name}.{tokenizer.name}")


def notes(model: Model, written: Written, tokenizer: Path | None) -> dict[str, Any]:
    """What a program needs beside the file, ready for JSON."""
    steps, values = _preparation(model, written)
    space = model.space
    return {
        "format": FORMAT,
        "model": written.model,
        "licence": model.card.licence,
        "tower": written.tower,
        "file": {"name": written.path.name, "format": written.format, "opset": written.opset},
        "inputs": [asdict(port) for port in written.inputs],
        "outputs": [asdict(port) for port in written.outputs],
        "files": {} if tokenizer is None else {"tokenizer": tokenizer_path(written.path, tokenizer).name},
        "preparation": {"steps": list(steps), **values},
        "space": {"id": space.id, "scale": space.scale, "comparison": COMPARISON, "mean": space.mean.tolist()},
        "checked": {"shapes": written.compared, "largest_difference": written.difference},
    }


def _preparation(model: Model, written: Written) -> tuple[tuple[str, ...], dict[str, Any]]:
    if written.tower == "cloud":
        prepared, taken = model.cloud_preparation(), written.inputs[0].shape[1]
        # a file of a fixed number of points takes no other
        most, least = (taken, taken) if isinstance(taken, int) else (prepared.points, MIN_POINTS)
        shown = {"points": most, "color_fill": prepared.color_fill, "outliers": prepared.outliers}
        return CLOUD_STEPS, {**shown, "min_points": least, "max_candidates": prepared.candidates(most)}
    if written.tower == "image":
        return IMAGE_STEPS, asdict(model.image_preparation())
    return TEXT_STEPS, {"templates": list(model.card.templates), "longest": written.longest}

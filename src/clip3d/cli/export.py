"""`clip3d export`: a tower as a file that other programs run."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import print_json, print_table, start_logging
from clip3d.cli.session import load_model

if TYPE_CHECKING:
    from clip3d.models.export_notes import Port, Written

EXAMPLES = o.examples(
    "clip3d export --tower cloud -o cloud.onnx",
    "clip3d export --tower text -o text.onnx",
    "clip3d export --tower image --format torch -o image.pt2 --json",
)


class FileFormat(str, Enum):
    """What a tower is written as."""

    onnx = "onnx"
    torch = "torch"


ENDINGS = {".onnx": FileFormat.onnx, ".pt2": FileFormat.torch}


class Tower(str, Enum):
    """Towers of a model."""

    cloud = "cloud"
    image = "image"
    text = "text"


def export(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write the tower.")],
    tower: Annotated[Tower, typer.Option("--tower", help="Which tower.")] = Tower.cloud,
    file_format: Annotated[
        FileFormat | None, typer.Option("--format", help="ONNX, or a .pt2 file of torch.export; else as FILE ends.")
    ] = None,
    points: Annotated[
        int | None, typer.Option("--points", min=32, help="A fixed number of points of a cloud, not any number.")
    ] = None,
    model: o.ModelName = "mini",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Write a tower of a model as ONNX or torch.export, and check it against the tower.

    The file takes any number of prepared inputs in a batch, clouds of 32 points or more, and gives raw vectors. It
    is put in its place only if its vectors are the tower's, to 0.0001, on several sizes of batch and numbers of
    points. FILE.json beside it says how inputs are prepared and vectors compared. What is written of a text tower
    begins at token ids: cutting text into tokens stays outside, and the tokenizer is put beside the file.
    """
    start_logging(quiet=quiet, verbose=verbose)
    if points and tower is not Tower.cloud:
        raise typer.BadParameter("only clouds have points", param_hint="--points")
    chosen = _format_of(output, file_format)
    from clip3d.models.exporting import export_tower

    loaded = load_model(model, "cpu")
    done = export_tower(loaded, tower.value, output, file_format=chosen.value, points=points)
    if as_json:
        print_json(_record(done))
    else:
        print_table(("what", "value"), [(name, _told(value)) for name, value in _record(done).items()])


def _format_of(output: Path, asked: FileFormat | None) -> FileFormat:
    """What was asked for, else what the file's ending says, else ONNX; the two must agree."""
    ending = ENDINGS.get(output.suffix.lower())
    if asked and ending and asked is not ending:
        told = f"{output.name} ends as a file of --format {ending.value} does"
        raise typer.BadParameter(told, param_hint="--format")
    return asked or ending or FileFormat.onnx


def _record(done: Written) -> dict[str, object]:
    return {
        "path": str(done.path),
        "format": done.format,
        "opset": done.opset,
        "model": done.model,
        "tower": done.tower,
        "inputs": [_port(port) for port in done.inputs],
        "outputs": [_port(port) for port in done.outputs],
        "bytes": done.size,
        "compared": ["x".join(map(str, shape)) for shape in done.compared],
        "difference": done.difference,
    }


def _port(port: Port) -> dict[str, object]:
    return {"name": port.name, "dtype": port.dtype, "shape": list(port.shape), "meaning": port.meaning}


def _told(value: object) -> str:
    """A cell of the table; ports as name dtype (sizes)."""
    if isinstance(value, list):
        return "; ".join(_told(part) for part in value)
    if isinstance(value, dict):
        sizes = ", ".join(str(size) for size in value["shape"])
        return f"{value['name']} {value['dtype']} ({sizes})"
    if isinstance(value, float):
        return f"{value:.2g}"
    return "-" if value is None else str(value)

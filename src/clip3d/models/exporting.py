"""Towers as files that other programs run: ONNX, and the graphs of `torch.export`.

A file takes inputs that are already prepared as the model's card says, in batches of any size, and gives raw
vectors. Before it is put in its place it is run on several batch sizes and, for clouds, numbers of points, and
compared with the tower.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.errors import MissingExtra, ModelError
from clip3d.models.card import Modality
from clip3d.models.model import Model

Format = Literal["onnx", "torch"]
Arrays = dict[str, NDArray[Any]]

OPSET = 18
# Largest absolute difference between a number of the tower's vectors and of the file's.
TOLERANCE = 1e-4
BATCHES = (1, 3, 2, 5)


@dataclass(frozen=True)
class Port:
    """An input or output of the file: sizes that may vary are names."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Exported:
    """What was written, and how near it is to the tower.

    Attributes:
        path: of the file.
        format: "onnx" or "torch".
        model: id of the model.
        tower: the modality.
        opset: of ONNX; None for the other format.
        inputs: in their order.
        outputs: in their order.
        least_points: of a cloud, where the number of points may vary; None elsewhere.
        compared: shapes of the first input with which file and tower were compared.
        difference: largest absolute difference that was found.
    """

    path: Path
    format: Format
    model: str
    tower: Modality
    opset: int | None
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    least_points: int | None
    compared: tuple[tuple[int, ...], ...]
    difference: float


@dataclass(frozen=True)
class _Plan:
    """A module, its inputs, and inputs to record and to compare with: `make` draws them from sizes of the axes."""

    module: Any
    inputs: tuple[Port, ...]
    make: Callable[[Mapping[str, int]], Arrays]
    sizes: tuple[dict[str, int], ...]
    least: dict[str, int]


def export_tower(
    model: Model, modality: Modality, path: Path, *, file_format: Format = "onnx", points: int | None = None
) -> Exported:
    """Write one tower of a model to a file, whole or not at all.

    Args:
        model: on the CPU.
        modality: of the tower.
        path: of the file; its folder must exist.
        file_format: "onnx", or "torch" for a file of `torch.export`.
        points: a fixed number of points of a cloud. If left out, any number from `least_points` on is taken
            where the tower can be recorded so, else the number of the card.

    Raises:
        MissingExtra: if ONNX is asked for and its packages are not installed.
        ModelError: if the tower cannot be recorded, or the file gives other vectors than the tower.
    """
    if file_format == "onnx":
        _need_onnx()
    plan = _plan(model, modality, points)
    with replacing(path) as temporary, _quietly():
        run = _write(model, modality, plan, temporary, file_format)
        shapes, difference, dim = _compare(plan, run)
        if not difference <= TOLERANCE:
            reason = f"was not written: its vectors differ from the tower's by {difference:.2g}, over {TOLERANCE:g}"
            raise ModelError(path, reason)
    return Exported(
        path=path,
        format=file_format,
        model=model.id,
        tower=modality,
        opset=OPSET if file_format == "onnx" else None,
        inputs=plan.inputs,
        outputs=(Port("vectors", "float32", ("batch", dim)),),
        least_points=plan.least.get("points"),
        compared=shapes,
        difference=difference,
    )


def _need_onnx() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401, what PyTorch writes ONNX with
    except ImportError as error:
        raise MissingExtra("the ONNX format", error.name or "onnx", "export") from error


def _plan(model: Model, modality: Modality, points: int | None) -> _Plan:
    tower = model.tower(modality)
    if modality == "cloud":
        return _plan_cloud(model, tower, points)
    if modality == "image":
        side = int(model.tower_card("image").preprocess.get("size", 224))
        port = Port("pixels", "float32", ("batch", 3, side, side))
        return _Plan(tower, (port,), _drawn_pixels(side), tuple({"batch": b} for b in BATCHES), {})
    return _plan_text(model, tower)


def _plan_cloud(model: Model, tower: Any, points: int | None) -> _Plan:
    usual = model.cloud_preparation().points
    least = getattr(tower, "recorded_from", None)
    if points or least is None:
        count: int | str = points or usual
        sizes = tuple({"batch": b, "points": points or usual} for b in BATCHES)
        bounds = {}
    else:
        count = "points"
        counts = (least, usual + least, 2 * usual + 16, least + 48)
        sizes = tuple({"batch": b, "points": p} for b, p in zip(BATCHES, counts, strict=True))
        bounds = {"points": int(least)}
    ports = tuple(Port(name, "float32", ("batch", count, 3)) for name in ("points", "colors"))
    return _Plan(tower, ports, _drawn_clouds, sizes, bounds)


def _plan_text(model: Model, tower: Any) -> _Plan:
    module = getattr(tower, "transformer", None)
    if module is None:
        remedy = "it needs NumPy alone; only text towers made of torch modules, such as CLIP's, are exported"
        raise ModelError(model.folder, f"the text tower of {model.name} is no torch module", remedy)
    context, rows = len(module.positions), module.words.num_embeddings
    port = Port("ids", "int64", ("batch", context))

    def draw(sizes: Mapping[str, int]) -> Arrays:
        ids = np.random.default_rng(sizes["batch"]).integers(0, rows - 1, (sizes["batch"], context))
        ids[:, context // 2 :] = 0
        ids[:, context // 2] = rows - 1  # the end of the text
        return {"ids": ids}

    return _Plan(module, (port,), draw, tuple({"batch": b} for b in BATCHES), {})


def _drawn_clouds(sizes: Mapping[str, int]) -> Arrays:
    """Coloured ellipsoids in the unit sphere."""
    rng = np.random.default_rng(sizes["points"])
    shape = (sizes["batch"], sizes["points"], 3)
    directions = rng.normal(size=shape)
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    points = directions * rng.uniform(0.2, 1, (shape[0], 1, 3))
    return {"points": points.astype(np.float32), "colors": rng.uniform(size=shape).astype(np.float32)}


def _drawn_pixels(side: int) -> Callable[[Mapping[str, int]], Arrays]:
    def draw(sizes: Mapping[str, int]) -> Arrays:
        rng = np.random.default_rng(sizes["batch"])
        return {"pixels": rng.uniform(-1, 1, (sizes["batch"], 3, side, side)).astype(np.float32)}

    return draw


def _write(
    model: Model, modality: Modality, plan: _Plan, path: Path, file_format: Format
) -> Callable[[Arrays], NDArray[Any]]:
    """Write the file and give a function that runs it."""
    try:
        program = _record(plan)
        return _write_onnx(program, path) if file_format == "onnx" else _write_torch(program, path)
    except OSError:
        raise
    except Exception as error:  # the recorders document no narrower type
        logging.getLogger("clip3d").debug("recording failed", exc_info=True)
        reason = f"the {modality} tower cannot be written as {file_format}: {str(error).strip().splitlines()[0]}"
        raise ModelError(model.folder, reason) from error


def _record(plan: _Plan) -> Any:
    import torch

    # two in a batch: a recorder takes one for a constant
    arrays = plan.make({**plan.sizes[1], "batch": 2})
    names = {axis for port in plan.inputs for axis in port.shape if isinstance(axis, str)}
    axes = {name: torch.export.Dim(name, min=plan.least.get(name, 1)) for name in names}
    shapes = tuple({i: axes[a] for i, a in enumerate(p.shape) if isinstance(a, str)} for p in plan.inputs)
    # of a varying number of points the recorder cannot prove what the tower makes sure of: k of p points, k <= p
    options: dict[str, Any] = {"prefer_deferred_runtime_asserts_over_guards": True} if plan.least else {}
    with torch.no_grad():
        tensors = tuple(torch.from_numpy(arrays[port.name]) for port in plan.inputs)
        return torch.export.export(plan.module, tensors, dynamic_shapes=shapes, strict=False, **options)


def _write_onnx(program: Any, path: Path) -> Callable[[Arrays], NDArray[Any]]:
    import onnx
    import onnxruntime
    import torch

    written = torch.onnx.export(program, dynamo=True, opset_version=OPSET, output_names=["vectors"], optimize=False)
    if written is None:
        raise RuntimeError("PyTorch wrote nothing")
    written.save(str(path), external_data=False)
    onnx.checker.check_model(str(path))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda arrays: np.asarray(session.run(["vectors"], arrays)[0])


def _write_torch(program: Any, path: Path) -> Callable[[Arrays], NDArray[Any]]:
    import torch

    with path.open("wb") as file:
        torch.export.save(program, file)
    with path.open("rb") as written:
        module = torch.export.load(written).module()

    def run(arrays: Arrays) -> NDArray[Any]:
        with torch.no_grad():
            return np.asarray(module(*(torch.from_numpy(array) for array in arrays.values())).numpy())

    return run


def _compare(
    plan: _Plan, run: Callable[[Arrays], NDArray[Any]]
) -> tuple[tuple[tuple[int, ...], ...], float, int]:
    """Shapes of the first input, the largest difference from the tower (nan counts), and d."""
    import torch

    shapes: list[tuple[int, ...]] = []
    differences: list[float] = []
    for sizes in plan.sizes:
        arrays = plan.make(sizes)
        with torch.no_grad():
            wanted = plan.module(*(torch.from_numpy(array) for array in arrays.values())).numpy()
        differences.append(_difference(run(arrays), wanted))
        shapes.append(arrays[plan.inputs[0].name].shape)
    return tuple(shapes), float(np.max(differences)), int(wanted.shape[1])


def _difference(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    return float(np.abs(found - wanted).max()) if found.shape == wanted.shape else float("inf")


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the recorders' remarks on packages that are not installed and on their own future."""
    loggers: Sequence[logging.Logger] = [logging.getLogger(name) for name in ("torch.onnx", "torch.export")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)

"""Towers as files that other programs run: ONNX, and the graphs of `torch.export`.

A file takes inputs that are already prepared, in batches of any size, and gives raw vectors. Before it is put in
its place it is run on several batch sizes and numbers of points or tokens, and compared with the tower. Beside it
comes what a program needs to prepare inputs and to compare vectors: `clip3d.models.export_notes`.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.errors import DataError, MissingExtra, ModelError
from clip3d.models.card import Modality
from clip3d.models.export_notes import Port, Written, notes, notes_path, tokenizer_path
from clip3d.models.model import Model
from clip3d.models.preprocess import MIN_POINTS
from clip3d.models.weights import write_json

Format = Literal["onnx", "torch"]
Arrays = dict[str, NDArray[Any]]

OPSET = 18
# Largest absolute difference between a number of the tower's vectors and of the file's.
TOLERANCE = 1e-4
BATCHES = (1, 3, 2, 5)


@dataclass(frozen=True)
class _Plan:
    """A module, its ports, and the tower that it is to equal: `make` draws inputs from sizes of the axes."""

    module: Any
    inputs: tuple[Port, ...]
    output: Port
    make: Callable[[Mapping[str, int]], Arrays]
    sizes: tuple[dict[str, int], ...]
    bounds: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    tower: Callable[..., NDArray[Any]] | None = None
    longest: int | None = None


def export_tower(
    model: Model, modality: Modality, path: Path, *, file_format: Format = "onnx", points: int | None = None
) -> Written:
    """Write one tower of a model to a file, and what belongs to it beside it, whole or not at all.

    Args:
        model: on the CPU.
        modality: of the tower.
        path: of the file; folders above it are made.
        file_format: "onnx", or "torch" for a file of `torch.export`.
        points: a fixed number of points of a cloud; any number from 32 on if left out.

    Raises:
        DataError: if the path is a folder.
        MissingExtra: if ONNX is asked for and its packages are not installed.
        ModelError: if the tower cannot be recorded, or the file gives other vectors than the tower.
    """
    if path.is_dir():
        raise DataError(path, "is a folder, and one file is written", "give the name of a file in it")
    if file_format == "onnx":
        _need_onnx()
    path.parent.mkdir(parents=True, exist_ok=True)
    plan = _plan(model, modality, points)
    tokenizer = _tokenizer_of(model) if modality == "text" else None
    with ExitStack() as files, _quietly():
        # the last to be entered is the first in place: the file itself comes last
        temporary = files.enter_context(replacing(path))
        run = _write(model, modality, plan, temporary, file_format)
        shapes, difference = _compare(plan, run)
        if not difference <= TOLERANCE:
            reason = f"was not written: its vectors differ from the tower's by {difference:.2g}, over {TOLERANCE:g}"
            raise ModelError(path, reason)
        written = Written(
            path=path,
            format=file_format,
            model=model.id,
            tower=modality,
            opset=OPSET if file_format == "onnx" else None,
            inputs=plan.inputs,
            outputs=(plan.output,),
            longest=plan.longest,
            compared=shapes,
            difference=difference,
            size=temporary.stat().st_size,
        )
        write_json(notes(model, written, tokenizer), files.enter_context(replacing(notes_path(path))))
        if tokenizer:
            copyfile(tokenizer, files.enter_context(replacing(tokenizer_path(path, tokenizer))))
    return written


def _need_onnx() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401, what PyTorch writes ONNX with
    except ImportError as error:
        raise MissingExtra("the ONNX format", error.name or "onnx", "onnx") from error


def _tokenizer_of(model: Model) -> Path | None:
    card = model.tower_card("text")
    name = str(card.config.get("tokenizer", "tokenizer.json"))
    return model.folder / name if name in card.files else None


def _plan(model: Model, modality: Modality, points: int | None) -> _Plan:
    if modality == "sweep":
        reason = f"the sweep tower of {model.name} works on the cells that have points, and no exported file can"
        raise ModelError(model.folder, reason, "run it in Python: Model.encode_sweeps")
    tower = model.tower(modality)
    output = Port("vectors", "float32", ("batch", model.space.dim), "raw vectors: bring them to unit length")
    if modality == "cloud":
        return _plan_cloud(model, tower, output, points)
    if modality == "image":
        side = model.image_preparation().size
        port = Port("pixels", "float32", ("batch", 3, side, side), "pictures, prepared")
        return _Plan(tower, (port,), output, _drawn_pixels(side), tuple({"batch": b} for b in BATCHES))
    return _plan_text(model, tower, output)


def _plan_cloud(model: Model, tower: Any, output: Port, points: int | None) -> _Plan:
    from clip3d.towers.adapted_views import AdaptedViewsTower
    from clip3d.towers.depth_views import DepthViewsTower
    from clip3d.towers.rendered_views import RenderedViewsTower

    if isinstance(tower, (RenderedViewsTower, DepthViewsTower, AdaptedViewsTower)):
        reason = f"the cloud tower of {model.name} draws pictures of a cloud, which no exported file can"
        raise ModelError(model.folder, reason, "export the image tower, and draw the pictures outside")
    usual = model.cloud_preparation().points
    counts = [points] * len(BATCHES) if points else [MIN_POINTS, usual, usual // 2 + 33, 2 * usual + 16]
    ports = (
        Port("points", "float32", ("batch", points or "points", 3), "x, y and z in the unit sphere, z up"),
        Port("colors", "float32", ("batch", points or "points", 3), "red, green and blue from 0 to 1"),
    )
    sizes = tuple({"batch": b, "points": p} for b, p in zip(BATCHES, counts, strict=True))
    return _Plan(tower, ports, output, _drawn_clouds, sizes, {} if points else {"points": (MIN_POINTS, None)})


def _plan_text(model: Model, tower: Any, output: Port) -> _Plan:
    from clip3d.towers.clip_text import ClipTextTower
    from clip3d.towers.sentence_model import SentenceVectors
    from clip3d.towers.text import TextTower

    if isinstance(tower, ClipTextTower):
        context, end = len(tower.transformer.positions), tower.transformer.words.num_embeddings - 1
        port = Port("ids", "int64", ("batch", context), "token ids: start, text, end, then zeros")
        sizes = tuple({"batch": b} for b in BATCHES)
        return _Plan(tower.transformer, (port,), output, _drawn_texts(context, end), sizes, longest=context)
    if isinstance(tower, TextTower):
        twin = SentenceVectors(tower)
        words, most = twin.model.words.num_embeddings, len(twin.model.positions)
        ports = (
            Port("ids", "int64", ("batch", "pieces"), "ids of word pieces, begin and end marks among them"),
            Port("mask", "bool", ("batch", "pieces"), "true for pieces, false for what fills up a shorter phrase"),
        )
        lengths = (2, 9, most, most // 2)
        sizes = tuple({"batch": b, "pieces": n} for b, n in zip(BATCHES, lengths, strict=True))
        bounds: dict[str, tuple[int, int | None]] = {"pieces": (2, most)}
        return _Plan(twin, ports, output, _drawn_pieces(words), sizes, bounds, tower.vectors, most)
    reason = f"the text tower of {model.name} is of a kind that cannot be exported"
    raise ModelError(model.folder, reason, "cloud and image towers can")


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


def _drawn_texts(context: int, end: int) -> Callable[[Mapping[str, int]], Arrays]:
    def draw(sizes: Mapping[str, int]) -> Arrays:
        rng = np.random.default_rng(sizes["batch"])
        ids = rng.integers(0, end, (sizes["batch"], context))
        for row in ids:
            length = rng.integers(1, context)
            row[length], row[length + 1 :] = end, 0
        return {"ids": ids}

    return draw


def _drawn_pieces(words: int) -> Callable[[Mapping[str, int]], Arrays]:
    def draw(sizes: Mapping[str, int]) -> Arrays:
        rng = np.random.default_rng(sizes["pieces"])
        shape = (sizes["batch"], sizes["pieces"])
        lengths = rng.integers(2, shape[1] + 1, (shape[0], 1))
        mask = np.arange(shape[1]) < lengths
        return {"ids": np.where(mask, rng.integers(0, words, shape), 0), "mask": mask}

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
        told = (str(error).strip() or type(error).__name__).splitlines()[0]
        reason = f"the {modality} tower cannot be written as {file_format}: {told}"
        raise ModelError(model.folder, reason, "PyTorch 2.13 is known to write all built-in towers") from error


def _record(plan: _Plan) -> Any:
    import torch

    # two in a batch: a recorder takes one for a constant
    arrays = plan.make({**plan.sizes[1], "batch": 2})
    names = {axis for port in plan.inputs for axis in port.shape if isinstance(axis, str)}
    least, most = ({name: plan.bounds.get(name, (1, None))[i] for name in names} for i in (0, 1))
    axes = {name: torch.export.Dim(name, min=least[name], max=most[name]) for name in names}
    shapes = tuple({i: axes[a] for i, a in enumerate(p.shape) if isinstance(a, str)} for p in plan.inputs)
    # of a varying number of points the recorder cannot prove what the tower makes sure of: k of p points, k <= p
    options: dict[str, Any] = {"prefer_deferred_runtime_asserts_over_guards": True} if plan.bounds else {}
    with torch.no_grad():
        tensors = tuple(torch.from_numpy(arrays[port.name]) for port in plan.inputs)
        return torch.export.export(plan.module, tensors, dynamic_shapes=shapes, strict=False, **options)


def _write_onnx(program: Any, path: Path) -> Callable[[Arrays], NDArray[Any]]:
    import onnx
    import onnxruntime
    import torch

    written = torch.onnx.export(
        program, dynamo=True, opset_version=OPSET, output_names=["vectors"], optimize=False, verbose=False
    )
    if written is None:
        raise RuntimeError("PyTorch wrote nothing")
    written.save(str(path), external_data=False)
    onnx.checker.check_model(str(path))
    onnxruntime.disable_telemetry_events()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda arrays: np.asarray(session.run(["vectors"], arrays)[0])


def _write_torch(program: Any, path: Path) -> Callable[[Arrays], NDArray[Any]]:
    import torch

    with path.open("wb") as file:
        torch.export.save(program, file)
    with path.open("rb") as written:
        module = _in_numpy(torch.export.load(written).module())
    return lambda arrays: module(*arrays.values())


def _compare(plan: _Plan, run: Callable[[Arrays], NDArray[Any]]) -> tuple[tuple[tuple[int, ...], ...], float]:
    """Shapes of the first input, and the largest difference from the tower, which may be nan."""
    tower = plan.tower or _in_numpy(plan.module)
    shapes: list[tuple[int, ...]] = []
    differences: list[float] = []
    for sizes in plan.sizes:
        arrays = plan.make(sizes)
        differences.append(_difference(run(arrays), tower(*arrays.values())))
        shapes.append(arrays[plan.inputs[0].name].shape)
    return tuple(shapes), float(np.max(differences))


def _in_numpy(module: Any) -> Callable[..., NDArray[Any]]:
    import torch

    def run(*arrays: NDArray[Any]) -> NDArray[Any]:
        with torch.no_grad():
            return np.asarray(module(*(torch.from_numpy(array) for array in arrays)).numpy())

    return run


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

"""LidarCLIP's table 1: labelled objects named by words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clip3d.data.driving_prompts import OBJECTS
from clip3d.data.driving_truth import CLASSES
from clip3d.errors import DataError
from clip3d.evaluation.driving_facets import WITHIN, Named, counting
from clip3d.evaluation.driving_objects import TYPICAL, nearest_sizes
from clip3d.evaluation.metrics import class_accuracies, confusion_matrix, mean_of_classes
from clip3d.experiments.driving_models import (
    CLIP2POINT,
    CLIP_B32,
    LIDARCLIP_B32,
    LIDARCLIP_L14,
    POINTCLIP,
    SHAPENET,
    TUNED,
    Baseline,
    for_pictures,
    seen_through,
    tuning_row,
)
from clip3d.experiments.driving_retrieval import facet_vectors
from clip3d.experiments.driving_sets import ON_ONCE, ON_SIMULATOR, DrivingSet
from clip3d.experiments.experiment import Bench, Experiment, Measured, Published, Row
from clip3d.experiments.given_models import Candidate, own_candidates
from clip3d.models.drawn_towers import TEMPLATES
from clip3d.models.model import Model
from clip3d.spaces import unit

Array = NDArray[np.float32]
SETS = (ON_ONCE, ON_SIMULATOR)


@dataclass(frozen=True)
class Way:
    """How an object gets a vector.

    Attributes:
        name: in names of rows.
        title: in tables.
        parts: facet and name of vectors, which are averaged.
        published: class mean and instance mean in %, of L/14.
        at_unit_length: they are brought to it before; the published code averages them raw.
    """

    name: str
    title: str
    parts: tuple[tuple[str, str], ...]
    published: tuple[float, float] | None = None
    at_unit_length: bool = False


CROPS = Way("image-crops", "the picture in its rectangle", (("crops", "crop"),), (58.6, 67.1))
CELLS = Way("cells", "mean of the cells under its box", (("lidar", "under"),), (43.6, 62.1))
JOINT = Way("joint", "cells and picture", (("lidar", "under"), ("crops", "crop")), (60.8, 73.3))
BY_POINTS = Way("cells-by-points", "cells by its points in them", (("lidar", "points"),))
BOTH = Way(
    "joint-by-points",
    "cells by points and picture, unit vectors",
    (("lidar", "points"), ("crops", "crop")),
    at_unit_length=True,
)
BOXES = Way("boxes", "points in its box as a cloud", (("boxes", "box"),))
WAYS = (CROPS, CELLS, JOINT, BY_POINTS, BOTH)
BASELINES: dict[str, tuple[float, float]] = {
    "pointclip": (29.1, 25.0),
    "clip2point": (31.1, 26.2),
    "clip2point-shapenet": (29.8, 28.2),
    "clip2point-tuned": (21.4, 3.2),
}


def _rows(bench: Bench) -> list[Row]:
    return [row for on in SETS for row in _of_set(bench, on)]


def _of_set(bench: Bench, on: DrivingSet) -> list[Row]:
    rows = []
    for base in (CLIP_B32, *own_candidates(bench)):
        for baseline in (POINTCLIP, CLIP2POINT, SHAPENET, TUNED):
            if baseline is not SHAPENET or not base.own:
                rows.append(_baseline(on, baseline, base))
    for candidate in (LIDARCLIP_L14, LIDARCLIP_B32, *own_candidates(bench)):
        for way in WAYS:
            known = way.published if on is ON_ONCE and candidate is LIDARCLIP_L14 else None
            rows.append(_row(on, for_pictures(candidate) if way is CROPS else candidate, way, OBJECTS, known))
    rows.append(_plain(on, "size", "box size alone", _by_size))
    return [*rows, _plain(on, "chance", "commonest kind", _commonest)]


def _baseline(on: DrivingSet, baseline: Baseline, base: Candidate) -> Row:
    known = BASELINES[baseline.name] if on is ON_ONCE and not base.own else None
    row = _row(on, seen_through(baseline, base, on), BOXES, (TEMPLATES[baseline.drawing],), known)
    row = replace(row, model=base.name if base.own else None)
    return tuning_row(on, row) if baseline.tuned else row


def _row(
    on: DrivingSet, candidate: Candidate, way: Way, templates: tuple[str, ...], known: tuple[float, float] | None
) -> Row:
    def answers(bench: Bench) -> tuple[NDArray[np.intp], dict[str, object]]:
        model = candidate.load(bench)
        parts = [_vectors(bench, on, candidate, *part) for part in way.parts]
        vectors = np.mean([unit(part) for part in parts] if way.at_unit_length else parts, axis=0)
        told: dict[str, object] = {"model": model.id, "weights": model.card.weights_hash}
        told |= {"prompts": list(templates), "vector": way.title}
        return _nearest(model, vectors, on, templates), told

    return _counted_row(on, f"{candidate.name}/{way.name}", (candidate.title, way.title), answers, known, candidate)


def _plain(on: DrivingSet, name: str, title: str, answer: Callable[[Bench, DrivingSet], NDArray[np.intp]]) -> Row:
    return _counted_row(on, name, (title, "no vector"), lambda bench: (answer(bench, on), {}), None, None)


def _counted_row(
    on: DrivingSet,
    name: str,
    cells: tuple[str, str],
    answers: Callable[[Bench], tuple[NDArray[np.intp], dict[str, object]]],
    known: tuple[float, float] | None,
    candidate: Candidate | None,
) -> Row:
    def measure(bench: Bench, seed: int) -> Measured:
        given, told = answers(bench)
        return _counted(bench, on, given, told)

    place = on.row()
    needs = (*(candidate.needs if candidate else ()), *place.pop("needs", ()))
    return Row(
        name=f"{on.name}/{name}",
        cells=(on.title, *cells),
        needs=needs,
        measure=measure,
        published=None if known is None else Published(known[0]),
        also_published={} if known is None else {"instance mean": Published(known[1])},
        model=candidate.name if candidate and candidate.own else None,
        **place,
    )


def objects_of(bench: Bench, on: DrivingSet) -> list[tuple[int, int, str]]:
    """The objects that count: the place of their shot, their own in it, and their kind.

    Raises:
        DataError: if there is none.
    """
    found = [
        (at, place, str(thing.kind))
        for at, shot in enumerate(on.shots(bench))
        for place, thing in counting(shot)
    ]
    if not found:
        raise DataError(bench.path(on.need), "holds no labelled object that counts", "bring labelled logs")
    return found


def _vectors(bench: Bench, on: DrivingSet, candidate: Candidate, facet: str, name: str) -> Array:
    """Vectors (n, d) of the objects; zeros where there is none."""
    seen: list[Named] = facet_vectors(bench, on, candidate, facet)
    none = np.zeros(candidate.load(bench).space.dim, np.float32)
    return np.stack([seen[at].get(f"{name}:{place}", none) for at, place, _ in objects_of(bench, on)])


def _nearest(model: Model, vectors: Array, on: DrivingSet, templates: tuple[str, ...]) -> NDArray[np.intp]:
    """The kind (n,) of each vector; -1 for zeros, which is wrong."""
    classes = []
    for kind in on.definition.kinds:
        prompts = [template.replace("{}", kind) for template in templates]
        classes.append(model.space.ensemble(model.encode_texts(prompts)))
    best = model.space.similarity(vectors, np.stack(classes)).argmax(1)
    return np.where((vectors != 0).any(1), best, -1).astype(np.intp)


def _by_size(bench: Bench, on: DrivingSet) -> NDArray[np.intp]:
    shots, kinds = on.shots(bench), on.definition.kinds
    boxes = [shots[at].things[place].box for at, place, _ in objects_of(bench, on)]
    found = nearest_sizes(boxes, {kind: TYPICAL[kind] for kind in kinds if kind in TYPICAL})
    return np.array([kinds.index(CLASSES[one]) for one in found], np.intp)


def _commonest(bench: Bench, on: DrivingSet) -> NDArray[np.intp]:
    truth = [on.definition.kinds.index(kind) for _, _, kind in objects_of(bench, on)]
    return np.full(len(truth), int(np.bincount(truth).argmax()), np.intp)


def _counted(bench: Bench, on: DrivingSet, given: NDArray[np.intp], told: dict[str, object]) -> Measured:
    kinds = on.definition.kinds
    truth = np.array([kinds.index(kind) for _, _, kind in objects_of(bench, on)], np.intp)
    confusion = confusion_matrix(truth, np.where(given < 0, len(kinds), given), len(kinds) + 1)[: len(kinds)]
    each = class_accuracies(confusion)
    also = {"instance mean": 100 * float((given == truth).mean())}
    also |= {kind: 100 * value for kind, value in zip(kinds, each, strict=True) if value is not None}
    protocol = {
        **on.protocol(bench),
        "measured": "top-1 accuracy, mean over the kinds",
        "objects": {kind: int((truth == place).sum()) for place, kind in enumerate(kinds)},
        "counts": f"seen by the camera, middle in the central square and within {WITHIN:g} m of the camera",
        "without a vector": int((given < 0).sum()) or None,
        "confusion, rows the right kind, the last column none": confusion.tolist(),
        **told,
    }
    return Measured(100 * mean_of_classes(each), len(truth), protocol, also=also)


TABLE_1 = Experiment(
    name="lidarclip-table1",
    title="labelled objects named by words",
    source="LidarCLIP (Hess et al. 2024), table 1",
    shows="Whether objects are named from the cells of a whole frustum, which is encoded once, beside crops of the "
    "picture and clouds of the points in their boxes; mean over the kinds, and over the objects beside it.",
    columns=("data", "model", "vector"),
    rows=_rows,
    notes=(
        "The printed numbers are taken to be L/14's, which the paper calls LidarCLIP where it says no more.",
        "Cells are the non-empty ones with their middle under the box; where there is none the nearest within 1 m. "
        "The published code averages empty cells too, and counts boxes without any as wrong.",
        "Clouds of boxes are centred and turned to their heading; depth maps are drawn of them as of any object. "
        "A CLIP2Point that was tuned on scenes meets them here for the first time: the paper's came to 3.2 %.",
    ),
)

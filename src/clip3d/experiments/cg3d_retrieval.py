"""CG3D's figure of retrieval: test clouds found by words and by photographs, with the measures that it lacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.errors import FileProblem
from clip3d.evaluation.class_retrieval import pictures_of_classes
from clip3d.evaluation.labelled_images import contents_hash, find_labelled_images
from clip3d.evaluation.metrics import mean_average_precision, precision_at_k
from clip3d.evaluation.scoring import points_seen
from clip3d.experiments.experiment import Bench, Experiment, Measured, Row
from clip3d.experiments.given_models import POINT_MLP, POINT_TRANSFORMER, Candidate, own_candidates
from clip3d.experiments.labelled_sets import MODELNET10, MODELNET40, PREFIX, LabelledSet, cloud_vectors
from clip3d.models.model import Model

Array = NDArray[np.float32]

KS = (1, 4, 10)  # the paper shows the first 4
SIDE, MOST_SHOWN = 112, 12
RIGHT, WRONG = (1.0, 1.0, 1.0), (1.0, 0.85, 0.85)


@dataclass(frozen=True, eq=False)
class Queries:
    """What is asked for.

    Attributes:
        titles: q names, in the picture's order.
        vectors: (q, d), as the model gives them.
        labels: (q,) the right class of each.
        told: of them in the protocol.
    """

    titles: list[str]
    vectors: Array
    labels: NDArray[np.intp]
    told: dict[str, Any]


def words(bench: Bench, model: Model, data: LabelledClouds) -> Queries:
    """The name of each class that has a cloud, in CG3D's prompt."""
    present = np.unique(data.labels)
    names = [data.classes[label].replace("_", " ") for label in present]
    return Queries(names, model.label_vectors(names, [PREFIX]), present, {"prompt": PREFIX})


def photographs(bench: Bench, model: Model, data: LabelledClouds) -> Queries:
    """Photographs in folders that are named as classes of the clouds; those that cannot be read are told.

    Raises:
        DataError: if no folder is named so, or none of its pictures can be read.
    """
    found = find_labelled_images(bench.path("photos"))
    problems: list[FileProblem] = []
    files, vectors, labels = pictures_of_classes(model, data, found, problems)
    for problem in problems:
        bench.tell(str(problem))
    told = {
        "photographs": len(files),
        "photographs that cannot be read": len(problems),
        "photographs_sha256": contents_hash(found),
    }
    return Queries([file.name for file in files], vectors, labels, told)


Ask = Callable[[Bench, Model, LabelledClouds], Queries]
KINDS: tuple[tuple[str, Ask, tuple[str, ...]], ...] = (("text", words, ()), ("photos", photographs, ("photos",)))


def _rows(bench: Bench) -> list[Row]:
    candidates = (POINT_TRANSFORMER, POINT_MLP, *own_candidates(bench))
    return [
        _row(candidate, tests, kind, ask, extra)
        for tests in (MODELNET40, MODELNET10)
        for candidate in candidates
        for kind, ask, extra in KINDS
    ]


def _row(candidate: Candidate, tests: LabelledSet, kind: str, ask: Ask, extra: tuple[str, ...]) -> Row:
    name = f"{candidate.name}/{tests.name}/{kind}"

    def measure(bench: Bench, seed: int) -> Measured:
        model, data = candidate.load(bench), tests.read(bench)
        queries = ask(bench, model, data)
        scores = model.space.similarity(queries.vectors, cloud_vectors(bench, candidate, tests))
        right = queries.labels[:, None] == data.labels
        file = f"{name.replace('/', '-')}.png"
        draw_answers(bench.out / file, data, scores[:MOST_SHOWN], right[:MOST_SHOWN])
        told = {
            "task": f"clouds of the same class found by {kind}",
            **data.protocol(),
            **points_seen(model, data.points.shape[1]),
            **queries.told,
            "queries": len(queries.titles),
            "score": "cosine after the mean of the space is subtracted",
            "model": model.id,
            "weights": model.card.weights_hash,
            "picture": f"a line for each of {', '.join(queries.titles[:MOST_SHOWN])}: the first 4 answers",
        }
        answered = right.any(1)
        also = {f"P@{k}": 100 * _precision(scores[answered], right[answered], k) for k in KS}
        return Measured(100 * mean_average_precision(scores, right), len(data), told, also=also, files=(file,))

    cells, needs = (candidate.title, tests.title, kind), (*candidate.needs, tests.need, *extra)
    return Row(name, cells, needs, measure, model=candidate.name if candidate.own else None)


def _precision(scores: Array, right: NDArray[np.bool_], k: int) -> float:
    return float(np.mean([precision_at_k(s, r, k) for s, r in zip(scores, right, strict=True)]))


def draw_answers(path: Path, data: LabelledClouds, scores: Array, right: NDArray[np.bool_]) -> None:
    """A picture with a line a query, its first answers drawn from the front; wrong ones on a red ground.

    Args:
        path: of the PNG.
        data: n clouds.
        scores: (q, n), higher is better.
        right: (q, n) whether an answer is right.
    """
    from PIL import Image

    lines = [
        np.concatenate([_drawn(data, int(i), bool(truth[i])) for i in np.argsort(-line, kind="stable")[:4]], axis=1)
        for line, truth in zip(scores, right, strict=True)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(lines)).save(path)


def _drawn(data: LabelledClouds, index: int, right: bool) -> NDArray[np.uint8]:
    from clip3d.render.splat import splat

    cloud = data.cloud(index).z_up()
    ground = RIGHT if right else WRONG
    return splat(cloud.points, cloud.colors, view=(35.0, 20.0), size=SIDE, background=ground)


RETRIEVAL = Experiment(
    name="cg3d-fig4",
    title="retrieval of clouds by words and photographs",
    source="CLIP goes 3D (Hegde et al. 2023), figure of retrieval; its number, 4, is taken from the text's order",
    shows="Whether words and photographs find clouds of their class. The paper shows the first four answers and no "
    "measure; here stand mean average precision and precision at 1, 4 and 10 too.",
    columns=("model", "clouds", "asked by"),
    rows=_rows,
)

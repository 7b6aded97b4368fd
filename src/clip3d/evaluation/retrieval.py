"""Finding held-out objects by words and by pictures, and pictures by objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.galleries import draw_galleries
from clip3d.errors import ShapeError
from clip3d.evaluation.library_part import LibraryPart
from clip3d.evaluation.metrics import average_precision, precision_at_k, recall_at_k
from clip3d.evaluation.scoring import points_seen
from clip3d.models.model import Model
from clip3d.spaces import rank

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]

KS = (1, 5, 10)
GALLERY = 100
GALLERIES = 20
PICTURE = 224  # pixels
ELEVATION = (5.0, 35.0)  # degrees above the horizon between which an object is drawn


@dataclass(frozen=True)
class RetrievalRow:
    """One way of asking.

    Attributes:
        task: "text to cloud", "drawn view to cloud", "cloud to drawn view", "icon to cloud" or "cloud to icon"; by
            class also "image to cloud" and "cloud to cloud".
        queries: how many were asked; for galleries, how many objects they were drawn from.
        gallery: how many things each query was compared with.
        recall: by k, share of queries with a right answer among the first k; for galleries their mean.
        precision: by k, mean over queries of the right answers among the first k over those that could be there;
            None where one thing alone is right.
        mean_average_precision: None where one thing alone is right.
        deviation: by k, standard deviation of the recall over the galleries; None for words.
    """

    task: str
    queries: int
    gallery: int
    recall: dict[int, float]
    precision: dict[int, float] | None = None
    mean_average_precision: float | None = None
    deviation: dict[int, float] | None = None


@dataclass(frozen=True)
class RetrievalReport:
    """Result of `retrieval`.

    Attributes:
        rows: one for each way of asking.
        n: number of objects.
        protocol: everything needed to recompute the numbers.
        model: id of the model.
    """

    rows: tuple[RetrievalRow, ...]
    n: int
    protocol: dict[str, Any]
    model: str

    def as_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return {**vars(self), "rows": [dict(vars(row)) for row in self.rows]}


def retrieval(
    model: Model,
    part: LibraryPart,
    *,
    icons: Mapping[str, Picture] | None = None,
    templates: Sequence[str] | None = None,
    gallery: int = GALLERY,
    galleries: int = GALLERIES,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> RetrievalReport:
    """Ask for objects by their captions and by their pictures, and for pictures by objects.

    Args:
        model: with a cloud and a text tower; pictures are asked with if it has an image tower too.
        part: objects to find.
        icons: pictures (h, w, 3) or (h, w, 4) uint8 by the objects' names in the library.
        templates: prompts with {} for a caption; None for those of the model's card.
        gallery: how many objects a picture is compared with; fewer if there are not so many unlike ones.
        galleries: how many such sets are drawn.
        seed: of the galleries and of the sides from which objects are drawn.
        progress: called with a line about each step.

    Raises:
        ShapeError: if there are not two objects that are no near copies.
        ModelError: if there are icons and the model has no image tower.
    """
    if len(np.unique(part.library.group)) < 2:
        raise ShapeError("retrieval needs two objects at least that are no near copies")
    if icons:
        model.tower_card("image")
    tell = progress or (lambda line: None)
    prompts = list(templates or model.card.templates)
    tell(f"embedding {len(part)} clouds")
    clouds = model.encode_clouds(part.clouds())
    rows = [_by_text(model, part, clouds, prompts)]
    draw = _Galleries(part.library.group, gallery, galleries, seed)
    if "image" in model.card.towers:
        tell(f"drawing and embedding {len(part)} views")
        drawn = model.encode_images(_drawn(part, seed))
        rows += draw.rows(model.space.similarity(drawn, clouds), np.arange(len(part)), "drawn view")
        with_icon = np.flatnonzero([name in (icons or {}) for name in part.library.name.tolist()])
        if icons and len(np.unique(part.library.group[with_icon])) > 1:
            tell(f"embedding {len(with_icon)} icons")
            pictures = model.encode_images(_as_image(icons[str(part.library.name[i])]) for i in with_icon)
            rows += draw.rows(model.space.similarity(pictures, clouds[with_icon]), with_icon, "icon")
    return RetrievalReport(tuple(rows), len(part), _protocol(model, part, prompts, draw), model.id)


def _by_text(model: Model, part: LibraryPart, clouds: Array, prompts: Sequence[str]) -> RetrievalRow:
    own = [set(part.library.phrases(i)) for i in range(len(part))]
    queries = sorted(set().union(*own))
    scores = model.space.similarity(model.label_vectors(queries, prompts), clouds)
    positive = (np.array([query in phrases for phrases in own]) for query in queries)
    return row_over("text to cloud", zip(scores, positive, strict=True), len(part))


def row_over(task: str, pairs: Iterable[tuple[Array, NDArray[np.bool_]]], gallery: int) -> RetrievalRow:
    """What queries with several right answers give.

    Args:
        task: the way of asking.
        pairs: for each query, at least one, the scores (n,) and which things are right (n,), at least one.
        gallery: n.

    Raises:
        ShapeError: if there is no query, or one has no right answer.
    """
    hits: list[list[bool]] = []
    precision: list[list[float]] = []
    average: list[float] = []
    for scores, positive in pairs:
        truth = positive[rank(scores)]
        places = -np.arange(len(truth))  # ranked once; the metrics take scores
        hits.append([bool(truth[:k].any()) for k in KS])
        precision.append([precision_at_k(places, truth, k) for k in KS])
        average.append(average_precision(places, truth))
    if not average:
        raise ShapeError(f"{task}: there is nothing to ask")
    return RetrievalRow(
        task=task,
        queries=len(average),
        gallery=gallery,
        recall=dict(zip(KS, np.mean(hits, axis=0).tolist(), strict=True)),
        precision=dict(zip(KS, np.mean(precision, axis=0).tolist(), strict=True)),
        mean_average_precision=float(np.mean(average)),
    )


@dataclass(frozen=True, eq=False)
class _Galleries:
    """Sets of objects no two of which are near copies, drawn from a seed."""

    group: NDArray[np.int64]
    size: int
    count: int
    seed: int

    def rows(self, scores: Array, objects: NDArray[np.intp], what: str) -> list[RetrievalRow]:
        """Recalls both ways; scores (m, m) of pictures against clouds of m objects, given by their indices (m,)."""
        members = list(draw_galleries(self.group[objects], self.size, self.count, self.seed))
        squares = [scores[np.ix_(chosen, chosen)] for chosen in members]
        tables = {f"{what} to cloud": squares, f"cloud to {what}": [square.T for square in squares]}
        rows = []
        for task, table in tables.items():
            recalls = {k: [recall_at_k(square, k) for square in table] for k in KS}
            rows.append(
                RetrievalRow(
                    task=task,
                    queries=len(objects),
                    gallery=len(members[0]),
                    recall={k: float(np.mean(values)) for k, values in recalls.items()},
                    deviation={k: float(np.std(values)) for k, values in recalls.items()},
                )
            )
        return rows


def _drawn(part: LibraryPart, seed: int) -> Iterator[Picture]:
    """A picture (h, w, 3) of each object from a side that follows from the seed."""
    from clip3d.render.splat import splat

    for i, cloud in enumerate(part.clouds()):
        rng = np.random.default_rng([seed, i])
        view = (float(rng.uniform(0, 360)), float(rng.uniform(*ELEVATION)))
        yield splat(cloud.points, cloud.colors, view=view, size=PICTURE)


def _as_image(picture: Picture) -> Any:
    from PIL import Image

    return Image.fromarray(picture)


def _protocol(model: Model, part: LibraryPart, prompts: list[str], draw: _Galleries) -> dict[str, Any]:
    return {
        "task": "retrieval",
        **part.protocol(),
        **points_seen(model, part.library.points.shape[1]),
        "prompts": prompts,
        "queries": "every distinct caption of the objects; all objects that have it are right",
        "galleries": f"{draw.count} of at most {draw.size} objects, no two of them near copies",
        "drawn": f"{PICTURE} pixels, any azimuth, {ELEVATION[0]:g} to {ELEVATION[1]:g} degrees above the horizon",
        "seed": draw.seed,
        "weights": model.card.weights_hash,
    }

"""CG3D's figure of rooms that are asked for objects: parts by k-means, and the part that fits a phrase best."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.reading import read
from clip3d.clouds.sampling import random_sample
from clip3d.errors import CloudError
from clip3d.experiments.experiment import Bench, Experiment, Measured, Row
from clip3d.experiments.given_models import POINT_TRANSFORMER, Candidate, own_candidates
from clip3d.experiments.labelled_sets import PREFIX
from clip3d.models.weights import sha256_of
from clip3d.scenes.kmeans import CLUSTERS, SHARE_OF_HEIGHT, kmeans_labels

QUERIES = ("chair", "table", "sofa", "bookcase")
MOST_POINTS, MOST_ROOMS = 100_000, 12
FOUND, REST = (0.85, 0.1, 0.1), (0.75, 0.75, 0.75)


@dataclass(frozen=True, eq=False)
class Parts:
    """A room in parts.

    Attributes:
        room: its points, thinned, z up, floor and ceiling among them.
        labels: (p,) part of each point, -1 for floor, ceiling and parts that are too small.
        clouds: one for each part.
    """

    room: PointCloud
    labels: NDArray[np.int32]
    clouds: list[PointCloud]


def split_room(cloud: PointCloud, clusters: int = CLUSTERS, seed: int = 0) -> Parts:
    """Drop the lowest and highest layer of a room and part the rest by k-means over coordinates.

    Args:
        cloud: of a room, any unit.
        clusters: how many parts at most.
        seed: of the thinning and of the first centres.

    Raises:
        CloudError: if nothing stands between floor and ceiling.
    """
    room = cloud.z_up()
    if len(room) > MOST_POINTS:
        room = room.select(random_sample(room.points, MOST_POINTS, seed=seed))
    labels = kmeans_labels(room.points, clusters, seed)
    if labels.max() < 0:
        raise CloudError("room", f"too few of its {len(room)} points lie between floor and ceiling")
    return Parts(room, labels, [room.select(np.flatnonzero(labels == i)) for i in range(labels.max() + 1)])


def _rows(bench: Bench) -> list[Row]:
    folder = bench.find("rooms")
    rooms = find_clouds(folder).files[:MOST_ROOMS] if folder else []
    rows = []
    for candidate in (POINT_TRANSFORMER, *own_candidates(bench)):
        needs, model = (*candidate.needs, "rooms"), candidate.name if candidate.own else None
        for room in rooms:
            for query in QUERIES:
                place = room.relative_to(folder).as_posix() if folder else room.name
                measure = partial(_ask, candidate=candidate, room=room, name=place, query=query)
                name = f"{candidate.name}/{place}/{query}"
                cells = (candidate.title, place, query)
                rows.append(Row(name, cells, needs, measure, model=model))
        if not rooms:
            measure = partial(_ask, candidate=candidate, room=folder or Path(), name="", query="")
            rows.append(Row(f"{candidate.name}/rooms", (candidate.title, "", ""), needs, measure, model=model))
    return rows


def _ask(bench: Bench, seed: int, candidate: Candidate, room: Path, name: str, query: str) -> Measured:
    if not name:
        raise CloudError(room, "there is no cloud file in this folder or below it", "put rooms there, such as PLY")
    parts = bench.once(f"parts:{room}", lambda: split_room(read(room)))
    model = candidate.load(bench)
    vectors = bench.once(f"vectors:{candidate.name}:{room}", lambda: model.encode_clouds(parts.clouds))
    scores = model.space.similarity(model.label_vectors([query], [PREFIX]), vectors)[0]
    odds = model.space.probabilities(scores)
    best = int(odds.argmax())
    file = f"{candidate.name}-{name.replace('/', '-')}-{query}.png"
    _draw(parts, best, bench.out / file)
    second = float(np.sort(odds)[-2]) if len(odds) > 1 else 0.0
    told = {
        "task": "one part of a room for a phrase",
        "rooms_sha256": sha256_of(room),
        "dropped": f"lowest and highest {SHARE_OF_HEIGHT:.0%} of the height",
        "parts": f"k-means over coordinates, k = {CLUSTERS}, seed 0, not stated in the paper",
        "prompt": PREFIX.replace("{}", query),
        "score": "softmax over the parts of the model's similarity",
        "normalizing": "each part centred, largest radius 1",
        "points": model.cloud_preparation().points,
        "model": model.id,
    }
    return Measured(100 * float(odds[best]), len(odds), told, also={"next part": 100 * second}, files=(file,))


def _draw(parts: Parts, best: int, path: Path) -> None:
    """A picture of the room from above with the answer in red; the ceiling is left out."""
    from PIL import Image

    from clip3d.render.splat import splat

    shown = np.flatnonzero(parts.labels >= 0)
    colors = np.where((parts.labels[shown] == best)[:, None], FOUND, REST).astype(np.float32)
    picture = splat(parts.room.points[shown], colors, view=(30.0, 50.0), size=448)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


ROOMS = Experiment(
    name="cg3d-fig6",
    title="objects in rooms, by words",
    source="CLIP goes 3D (Hegde et al. 2023), figure of rooms; its number, 6, is taken from the order of the text",
    shows="Which part of a room a phrase finds; pictures only are published. Probability of the best of n parts.",
    columns=("model", "room", "query"),
    rows=_rows,
    notes=(
        "As published, parts are clusters of k-means, whatever the objects are: quality is bounded by them.",
        "The paper's rooms are S3DIS and ScanNet; every cloud in the folder of rooms is taken, 12 at most.",
    ),
)

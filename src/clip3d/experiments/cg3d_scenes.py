"""Rooms that are asked for things, measured: CG3D's way by k-means beside this project's, with the same model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.data.rooms.labelled_scene import LabelledScene
from clip3d.evaluation.markdown import table
from clip3d.evaluation.scene_queries import LOOSE, MOST_ANSWERS, STRICT, Replies, SceneReport, measure_scenes
from clip3d.experiments.experiment import Bench, Experiment, Measured, Row
from clip3d.experiments.given_models import POINT_TRANSFORMER, Candidate, own_candidates
from clip3d.experiments.pre_trained import PreTrained, PreTraining, pre_train
from clip3d.experiments.scene_sets import SETS, SceneSet, room_things
from clip3d.models.model import Model
from clip3d.scenes.labelling import label_scene
from clip3d.scenes.scene import Scene
from clip3d.scenes.segmenting import Method

RECIPE = "cg3d-rooms.toml"
LEARNED = "rooms-pretraining"
METHODS: dict[Method, str] = {"kmeans": "k-means, as CG3D", "graph": "default"}


def _rows(bench: Bench) -> list[Row]:
    rows = []
    for candidate in (POINT_TRANSFORMER, *own_candidates(bench)):
        for tests in SETS:
            rows += [_row(candidate, tests, method) for method in METHODS]
    learned = Candidate(LEARNED, "trained on rooms' things", (), _learned_model)
    return rows + [_row(learned, tests, method, RECIPE) for tests in SETS for method in METHODS]


def _row(candidate: Candidate, tests: SceneSet, method: Method, recipe: str | None = None) -> Row:
    needs = candidate.needs if tests.drawn else (*candidate.needs, tests.need)
    uses = ((tests.need,) if tests.drawn else ()) + (("room-segments",) if recipe else ())
    model = candidate.name if candidate.own else ("mini" if recipe else None)
    return Row(
        f"{candidate.name}/{tests.name}/{method}",
        (candidate.title, tests.title, METHODS[method]),
        needs,
        partial(_measure, candidate=candidate, tests=tests, method=method),
        model=model,
        recipe=recipe,
        uses=uses,
    )


def _learned_model(bench: Bench) -> Model:
    return _learned(bench).model


def _learned(bench: Bench) -> PreTrained:
    """The paper's extra pre-training: partial, noisy clouds of things in rooms, with depth maps for pictures."""
    folder, source = room_things(bench)
    from clip3d.models.loading import find_model

    what = PreTraining(LEARNED, RECIPE, find_model(bench.models["mini"]), {"data": (source,), "validation": ()})
    return pre_train(replace(bench, data=folder), 0, what)


def _measure(bench: Bench, seed: int, candidate: Candidate, tests: SceneSet, method: Method) -> Measured:
    model = candidate.load(bench)
    asked = Asked(model, method)
    report = measure_scenes(tests.scenes(bench), asked.ask, tests.queries, name=asked.name)
    file = f"{candidate.name}-{tests.name}-{method}.md"
    (bench.out / file).parent.mkdir(parents=True, exist_ok=True)
    with replacing(bench.out / file) as temporary:
        temporary.write_text(class_table(report) + "\n", encoding="utf-8")
    low, high = report.interval(lambda some: some.precision_at_1)
    told = {
        **report.protocol,
        "segmentation": METHODS[method],
        "threshold": "the model's own" if model.card.refusal else "none: the model cannot tell, all answers stand",
        "95 % over scenes": f"precision at 1 {100 * low:.1f} to {100 * high:.1f} %",
        "set": tests.title if bench.find(tests.need) else f"{tests.title}, drawn: seed 1, held-out shapes",
        "model": model.id,
    }
    if candidate.name == LEARNED:
        told |= _learned(bench).told
    also = {
        "on the class at 1": report.on_class_at_1,
        f"found at {LOOSE}": report.found(LOOSE),
        f"found at {STRICT}": report.found(STRICT),
        "mean IoU": report.mean_iou,
        "segments' mean IoU": report.mean_segment_iou,
        "false answers": report.false_answers,
    }
    shown = {name: 100 * value for name, value in also.items() if value == value}
    return Measured(100 * report.precision_at_1, report.queries, told, also=shown, files=(file,))


def replies(scene: Scene) -> Callable[[str], Replies]:
    """What answers phrases in a scene, in the form that is measured."""

    def reply(words: str) -> Replies:
        answer = scene.ask(words, k=MOST_ANSWERS)
        nearest = None if answer.nearest is None else answer.nearest.indices
        return Replies(tuple(instance.indices for instance in answer), nearest)

    return reply


class Asked:
    """Answers phrases in scenes and names their points, with the model's prompts and threshold."""

    def __init__(self, model: Model, method: Method) -> None:
        self.model = model
        self.method = method
        self._held: tuple[LabelledScene, Scene] | None = None

    def ask(self, scene: LabelledScene) -> Callable[[str], Replies]:
        """What answers phrases in a scene."""
        return replies(self._parted(scene))

    def name(self, scene: LabelledScene, labels: Sequence[str]) -> NDArray[np.int32]:
        """For each point (n,) of a scene which of some labels it bears, -1 for none."""
        return label_scene(self._parted(scene), labels).points()

    def _parted(self, scene: LabelledScene) -> Scene:
        if self._held is None or self._held[0] is not scene:
            self._held = scene, Scene.of(scene.cloud, self.model, segmenter=self.method)
        return self._held[1]


def class_table(report: SceneReport) -> str:
    """Each class in a row, in Markdown; shares in %."""
    found = (f"found at {LOOSE}", f"found at {STRICT}")
    headings = ("class", "things", "scenes", "mean IoU", *found, "precision at 1", "false answers where absent")
    keys = ("iou", "found", "found strictly", "precision at 1", "false answers")

    def shown(row: Mapping[str, float], key: str) -> str:
        return "" if row[key] != row[key] else f"{100 * row[key]:.1f}"

    rows = [
        (label, str(int(row["things"])), str(int(row["scenes"])), *(shown(row, key) for key in keys))
        for label, row in report.by_class().items()
    ]
    segments = [(label, f"{100 * iou:.1f}") for label, iou in report.segment_iou().items()]
    return table(headings, rows) + "\n\n" + table(("points named", "IoU"), segments)


def _conclude(values: Mapping[str, tuple[float, ...]]) -> list[str]:
    """How far the default segmentation is ahead of k-means, row by row."""
    said = []
    for name, found in values.items():
        other = values.get(f"{name.removesuffix('graph')}kmeans", ()) if name.endswith("/graph") else ()
        if found and other and other[0] > 0:
            said.append(f"{name}: precision at 1 is {found[0] / other[0]:.2f} times that of k-means.")
    return said


SCENES = Experiment(
    name="cg3d-scenes",
    title="things in labelled rooms, by words",
    source="this project; CLIP goes 3D (Hegde et al. 2023) shows pictures of its way and no numbers",
    shows="Precision at 1 of n questions whose class is in the room; what is found, and what is answered in vain.",
    columns=("model", "rooms", "segmentation"),
    rows=_rows,
    notes=(
        "Both segmentations answer by the same model, prompts and threshold.",
        "Simulated rooms are held out by seed and by shapes; a model that learned from the same generator's shapes "
        "knows their style.",
        "A file beside the report lists every class.",
    ),
    conclude=_conclude,
)

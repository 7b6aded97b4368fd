"""Fine-tunings over parts of the training clouds, seeds and starts: who learns most from little (CG3D, figure 5).

Each run has its own folder and is not done twice; the table is written anew after every run.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from clip3d.atomic import replacing
from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.errors import ShapeError
from clip3d.training.finetune import finetune
from clip3d.training.finetune_recipe import FinetuneRecipe
from clip3d.training.finetune_test import Judge
from clip3d.training.loop import Progress

Start = Literal["pre-trained", "random", "head only"]
ROWS, TABLE = "results.jsonl", "results.md"


@dataclass(frozen=True)
class Grid:
    """Which fine-tunings are run: every part with every seed from every start.

    Attributes:
        fractions: of the training clouds, stratified.
        shots: training clouds of each class.
        seeds: of subset, head and batches; runs of one seed learn from the same clouds, whatever their start.
        starts: weights that the backbone begins with: "pre-trained", "random", or "head only", where it stays as
            it is.

    Raises:
        ShapeError: if there is no run, or a start is none of these.
    """

    fractions: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5, 1.0)
    shots: tuple[int, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2)
    starts: tuple[Start, ...] = ("pre-trained", "random")

    def __post_init__(self) -> None:
        if wrong := [start for start in self.starts if start not in get_args(Start)]:
            raise ShapeError(f"a start must be one of {', '.join(get_args(Start))}, got {wrong[0]!r}")
        if not (self.fractions or self.shots) or not self.seeds or not self.starts:
            raise ShapeError("a grid needs a fraction or a number of shots, a seed and a start")

    def recipes(self, recipe: FinetuneRecipe) -> Iterator[tuple[str, Start, FinetuneRecipe]]:
        """The part's name, the start, and the recipe of each run."""
        parts = [(f"{100 * fraction:g} %", {"fraction": fraction, "shots": 0}) for fraction in self.fractions]
        parts += [(f"{shots} shot{'s' * (shots > 1)}", {"shots": shots, "fraction": 1.0}) for shots in self.shots]
        for name, part in parts:
            for seed in self.seeds:
                for start in self.starts:
                    begun = {"from_scratch": start == "random", "head_only": start == "head only"}
                    yield name, start, replace(recipe, seed=seed, **part, **begun)  # type: ignore[arg-type]


def finetune_runs(
    recipe: FinetuneRecipe,
    grid: Grid,
    train: LabelledClouds,
    test: LabelledClouds,
    folder: Path,
    *,
    judge: Judge,
    progress: Progress,
    near: Collection[str] = (),
    device: str = "cpu",
) -> list[dict[str, Any]]:
    """Run every fine-tuning of a grid that is not done yet, and write `results.jsonl` and `results.md`.

    Args:
        recipe: what the runs share.
        grid: in what they differ.
        train: clouds to learn from.
        test: clouds that each run is scored on once, at its end.
        folder: of all runs; what is finished there is not run again.
        judge: as for `finetune`.
        progress: called with lines for the user.
        near: names of test clouds that nearly equal a training cloud, for a second count without them.
        device: torch device to train on.

    Returns:
        A row for each run: part, start, seed, accuracy, class_mean, n, learned_from and the run's folder; with
        `without_near_duplicates` and `voted`, accuracies, where they were counted.
    """
    rows: list[dict[str, Any]] = []
    for part, start, settings in grid.recipes(recipe):
        place = f"{part.replace(' %', '-percent').replace(' ', '-')}/{start.replace(' ', '-')}-{settings.seed}"
        progress(f"{part}, {start}, seed {settings.seed}")
        report = finetune(
            settings,
            train,
            folder / place,
            judge=judge,
            progress=progress,
            test=test,
            near=near,
            device=device,
        )
        rows.append({"part": part, "start": start, "seed": settings.seed, **_numbers(report), "folder": place})
        _write(folder, rows)
    return rows


def table_of(rows: Sequence[dict[str, Any]], number: str = "accuracy") -> str:
    """A Markdown table in percent: a line a part, mean and deviation over the seeds for each start.

    Two starts have a last column with how far the first is ahead, seed by seed.
    """
    parts, starts = (list(dict.fromkeys(row[key] for row in rows)) for key in ("part", "start"))
    ahead = [f"{starts[0]} - {starts[1]}"] if len(starts) == 2 else []
    lines = [f"| clouds | {' | '.join([*starts, *ahead])} |", "|---|" + "---|" * len([*starts, *ahead])]
    for part in parts:
        found = {s: {r["seed"]: r[number] for r in rows if (r["part"], r["start"]) == (part, s)} for s in starts}
        cells = [_spread(list(found[start].values())) for start in starts]
        if ahead:
            both = found[starts[0]].keys() & found[starts[1]].keys()
            cells.append(_spread([found[starts[0]][seed] - found[starts[1]][seed] for seed in sorted(both)]))
        lines.append(f"| {part} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _numbers(report: dict[str, Any]) -> dict[str, Any]:
    test = report["test"]
    row = {key: test[key] for key in ("accuracy", "class_mean", "n")}
    row["learned_from"] = report["train"]["learned_from"]
    if "without_near_duplicates" in test:
        row["without_near_duplicates"] = test["without_near_duplicates"]["accuracy"]
    if "voted" in test:
        row["voted"] = test["voted"]["accuracy"]
    return row


def _write(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    titles = {
        "accuracy": "Accuracy on the test clouds, %",
        "without_near_duplicates": "Without near duplicates",
        "voted": "By votes",
    }
    sections = [f"## {title}\n\n{table_of(rows, key)}\n" for key, title in titles.items() if key in rows[0]]
    seeds = len({row["seed"] for row in rows})
    sections.append(f"Mean and standard deviation over {seeds} seeds; n {rows[0]['n']}.\n")
    for name, text in ((ROWS, "".join(json.dumps(row) + "\n" for row in rows)), (TABLE, "\n".join(sections))):
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    mean = f"{100 * np.mean(values):.1f}"
    return f"{mean} ± {100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else mean

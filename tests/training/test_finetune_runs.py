"""Grids of fine-tunings: what is done is not done again, and the table says who is ahead."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_classifier import make_encoder, write_shapes

from clip3d.data.labelled_clouds import read_labelled
from clip3d.errors import ShapeError
from clip3d.training import finetune_runs as running
from clip3d.training.finetune_recipe import FinetuneRecipe
from clip3d.training.finetune_runs import Grid, finetune_runs, table_of
from clip3d.training.parts import Run


def judge(scores: np.ndarray, labels: np.ndarray, classes: list[str]) -> dict[str, float]:
    right = float((scores.argmax(1) == labels).mean())
    return {"accuracy": right, "class_mean": right}


def test_a_grid_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    encoder, data = make_encoder(tmp_path / "encoder"), write_shapes(tmp_path / "shapes.npz")
    plain = FinetuneRecipe(model=str(encoder.folder), points=64, pool=64, batch=6)
    recipe = replace(plain, run=Run(steps=2, average=0.0))
    train, test = read_labelled(data, "train"), read_labelled(data, "test")
    trained: list[str] = []
    tune = running.finetune

    def counting(settings: FinetuneRecipe, *arguments: object, **options: object) -> dict:
        trained.append(settings.start)
        if len(trained) == 3:
            raise KeyboardInterrupt
        return tune(settings, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "finetune", counting)
    grid = Grid(fractions=(0.5,), shots=(2,), seeds=(0,), starts=("pre-trained", "head only"))
    lines: list[str] = []

    def run() -> list[dict]:
        return finetune_runs(recipe, grid, train, test, tmp_path / "runs", judge=judge, progress=lines.append)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert len((tmp_path / "runs/results.jsonl").read_text().splitlines()) == 2
    rows = run()
    assert sum("is finished" in line for line in lines) == 2
    assert [(row["part"], row["start"], row["learned_from"]) for row in rows] == [
        ("50 %", "pre-trained", 15),
        ("50 %", "head only", 15),
        ("2 shots", "pre-trained", 6),
        ("2 shots", "head only", 6),
    ]
    written = [json.loads(line) for line in (tmp_path / "runs/results.jsonl").read_text().splitlines()]
    assert written == rows
    assert "| 2 shots |" in (tmp_path / "runs/results.md").read_text()


def test_the_table_has_means_deviations_and_the_lead_of_each_seed():
    numbers = {("pre-trained", 0): 0.92, ("pre-trained", 1): 0.94, ("random", 0): 0.80, ("random", 1): 0.84}
    rows = [{"part": "10 %", "start": start, "seed": seed, "accuracy": a} for (start, seed), a in numbers.items()]
    assert table_of(rows).splitlines() == [
        "| clouds | pre-trained | random | pre-trained - random |",
        "|---|---|---|---|",
        "| 10 % | 93.0 ± 1.4 | 82.0 ± 2.8 | 11.0 ± 1.4 |",
    ]


@pytest.mark.parametrize("wrong", [{"starts": ("imagenet",)}, {"seeds": ()}, {"fractions": ()}])
def test_grids_without_runs_are_refused(wrong: dict):
    with pytest.raises(ShapeError):
        Grid(**wrong)

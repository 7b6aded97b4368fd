"""This project's own results on ModelNet10: little data, few shots, with mini's weights and with random ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clip3d.experiments.experiment import Bench, Experiment, Measured, Row
from clip3d.experiments.fine_tuned import FineTuning, fine_tune
from clip3d.experiments.labelled_sets import MODELNET10
from clip3d.models.loading import find_model

FRACTIONS = (0.1, 0.2, 0.3, 0.5, 1.0)
SHOTS = (1, 2, 4, 8, 16)
RECIPE = "finetune-mini.toml"
RANDOM = "random"


def _scarce(bench: Bench) -> list[Row]:
    return [
        _row(f"{100 * fraction:.0f} %", f"{100 * fraction:.0f}", start, {"fraction": fraction, "shots": 0})
        for fraction in FRACTIONS
        for start in (*bench.models, RANDOM)
    ]


def _few_shot(bench: Bench) -> list[Row]:
    return [
        _row(f"{shots} a class", str(shots), start, {"shots": shots})
        for shots in SHOTS
        for start in (*bench.models, RANDOM)
    ]


def _row(title: str, part: str, start: str, changes: Mapping[str, Any]) -> Row:
    name, random = f"{part}/{start}", start == RANDOM

    def measure(bench: Bench, seed: int) -> Measured:
        folder = find_model(bench.models["mini" if random else start])
        settings = {"from_scratch": random, **changes}
        return fine_tune(bench, seed, FineTuning(name, RECIPE, MODELNET10, folder, settings))

    return Row(
        name=name,
        cells=(title, "random, mini's architecture" if random else start),
        needs=(MODELNET10.need,),
        measure=measure,
        seeded=True,
        model="mini" if random else start,
        recipe=RECIPE,
        untrained=random,
    )


def gains(values: Mapping[str, tuple[float, ...]]) -> list[str]:
    """How far each start lies above random weights of the same part, over the seeds that both have."""
    lines = []
    for name, found in values.items():
        part, _, start = name.partition("/")
        base = values.get(f"{part}/{RANDOM}", ())
        if start != RANDOM and base and found:
            difference = np.subtract(*zip(*zip(found, base, strict=False), strict=True))
            spread = f" ± {np.std(difference, ddof=1):.2f}" if len(difference) > 1 else ""
            lines.append(f"{part}: {start} lies {np.mean(difference):+.2f}{spread} points from random weights")
    return lines


NOTES = (
    "Test clouds are scored once, when the weights are settled. 255 of the 908 nearly equal a training cloud: "
    "accuracy is given without them too, where the list lies beside the data.",
    "Random weights have the architecture, the recipe and the clouds of the pre-trained ones, seed by seed.",
)
OWN = "this project; nothing is published"
SCARCE_DATA = Experiment(
    name="modelnet10-scarce",
    title="ModelNet10 from part of its training clouds",
    source=OWN,
    shows="Whether mini is a better start for a classifier than random weights, most of all with little data.",
    columns=("training clouds", "first weights"),
    rows=_scarce,
    notes=NOTES,
    conclude=gains,
)
FEW_SHOTS = Experiment(
    name="modelnet10-fewshot",
    title="ModelNet10 from few shots",
    source=OWN,
    shows="The same with 1 to 16 clouds of each class; the last weights are taken, for lack of others.",
    columns=("training clouds", "first weights"),
    rows=_few_shot,
    notes=NOTES,
    conclude=gains,
)

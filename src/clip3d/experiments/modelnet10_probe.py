"""This project's linear probe on ModelNet10, with and without near duplicates."""

from __future__ import annotations

from functools import partial

import numpy as np

from clip3d.data.subsets import stratified_fraction
from clip3d.evaluation.features import KINDS, Kind, cloud_features
from clip3d.evaluation.features import protocol as of_features
from clip3d.evaluation.probing import STRENGTHS, VALIDATION, fit_and_predict
from clip3d.evaluation.scoring import count
from clip3d.experiments.experiment import Bench, Experiment, Measured, Row
from clip3d.experiments.given_models import Candidate, own_candidates
from clip3d.experiments.labelled_sets import MODELNET10, near_test_clouds

FRACTIONS = (0.1, 1.0)


def _rows(bench: Bench) -> list[Row]:
    return [
        Row(
            name=f"{candidate.name}/{kind}/{100 * fraction:.0f}",
            cells=(candidate.title, kind, f"{100 * fraction:.0f} %"),
            needs=(MODELNET10.need,),
            measure=partial(_measure, candidate=candidate, kind=kind, fraction=fraction),
            seeded=True,
            model=candidate.name,
        )
        for candidate in own_candidates(bench)
        for kind in KINDS
        for fraction in FRACTIONS
    ]


def _measure(bench: Bench, seed: int, candidate: Candidate, kind: Kind, fraction: float) -> Measured:
    model = candidate.load(bench)
    train, test = MODELNET10.read(bench, "train"), MODELNET10.read(bench, "test")
    known, asked = (
        bench.once(f"features:{candidate.name}:{kind}:{part.split}", partial(cloud_features, model, part, kind))
        for part in (train, test)
    )
    chosen = stratified_fraction(train.labels, fraction, seed)
    strength, answers = fit_and_predict(known[chosen], train.labels[chosen], asked, seed)
    right = answers == test.labels
    counts = count(np.eye(len(test.classes), dtype=np.float32)[answers], test.labels, test.classes)
    also = {"class mean": 100 * counts.class_mean}
    near = near_test_clouds(bench, MODELNET10, test)
    if near is not None and not near.all():
        also["without near duplicates"] = 100 * float(right[~near].mean())
    told = {
        "task": "linear probe",
        **test.protocol(),
        **of_features(model, test, 1, None),
        "features": KINDS[kind],
        "learned_from": f"{len(chosen)} clouds of the split train, stratified",
        "regression": f"logistic, L2, C = {strength:g} of {STRENGTHS[0]:g} to {STRENGTHS[-1]:g}, chosen on "
        f"{VALIDATION:.0%} of these, then fitted on all",
        "near duplicates": "not listed" if near is None else f"{int(near.sum())} test clouds",
        "model": model.id,
    }
    return Measured(100 * float(right.mean()), len(test), told, also=also)


PROBE = Experiment(
    name="modelnet10-probe",
    title="linear probe on ModelNet10",
    source="this project; nothing is published",
    shows="How well frozen features tell ModelNet10's classes apart: the vectors of the space, and what the "
    "tower's last layer sees.",
    columns=("model", "features", "training clouds"),
    rows=_rows,
    notes=("A seed draws the part that is learned from and the part that chooses the penalty.",),
)

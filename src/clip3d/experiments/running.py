"""Running an experiment: what is there is measured, what lacks is named, and what was measured before is kept."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

import clip3d
from clip3d.atomic import replacing
from clip3d.errors import Clip3dError, ModelError, ShapeError
from clip3d.experiments.experiment import Bench, Experiment, Measured, Row
from clip3d.experiments.needs import NEEDS, Need, fingerprint
from clip3d.models.weights import sha256_of

ROWS = "rows"
MOST_NAMED, NEAREST = 30, 5  # rows that a message names


@dataclass(frozen=True)
class RowResult:
    """What became of a row.

    Attributes:
        row: of the experiment.
        runs: one for each seed that was measured, in the order of the seeds.
        seeds: of the runs.
        lacking: what the row needs and is not there.
        problem: why it could not be measured, though everything is there; or empty.
        kept: how many of the runs are those of an earlier call.
        seconds: that the runs took, those of earlier calls among them.
    """

    row: Row
    runs: tuple[Measured, ...] = ()
    seeds: tuple[int, ...] = ()
    lacking: tuple[Need, ...] = ()
    problem: str = ""
    kept: int = 0
    seconds: float = 0.0

    @property
    def mean(self) -> float | None:
        """Mean over the runs; None where nothing was measured."""
        return float(np.mean([run.value for run in self.runs])) if self.runs else None

    @property
    def spread(self) -> float | None:
        """Standard deviation over the runs (n - 1); None for fewer than two."""
        return float(np.std([run.value for run in self.runs], ddof=1)) if len(self.runs) > 1 else None

    def also(self) -> dict[str, tuple[float, float | None]]:
        """Mean and standard deviation of each further number."""
        found = {}
        for name in self.runs[0].also if self.runs else ():
            values = [run.also[name] for run in self.runs if name in run.also]
            found[name] = (float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None)
        return found

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "row": self.row.name,
            "cells": list(self.row.cells),
            "measured": self.mean,
            "spread": self.spread,
            "published": None if self.row.published is None else asdict(self.row.published),
            "also_published": {name: asdict(value) for name, value in self.row.also_published.items()},
            "runs": [{"seed": seed, **asdict(run)} for seed, run in zip(self.seeds, self.runs, strict=True)],
            "lacking": [need.name for need in self.lacking],
            "problem": self.problem,
            "seconds": round(self.seconds, 1),
        }


def choose_rows(experiment: Experiment, bench: Bench, only: Sequence[str] | None = None) -> list[Row]:
    """The rows of an experiment, all or those whose names match one of the patterns.

    Raises:
        ShapeError: if a pattern matches none; the message has the nearest names, where there are many.
    """
    rows = experiment.rows(bench)
    for pattern in only or ():
        if not any(fnmatchcase(row.name, pattern) for row in rows):
            names = [row.name for row in rows]
            if len(names) > MOST_NAMED:
                near = ", ".join(get_close_matches(pattern, names, NEAREST, 0.0))
                told = f"of its {len(names)} the nearest are: {near}; --dry-run lists all"
            else:
                told = f"it has: {', '.join(names)}"
            raise ShapeError(f"{experiment.name} has no row {pattern!r}; {told}")
    return [row for row in rows if not only or any(fnmatchcase(row.name, pattern) for pattern in only)]


def run_rows(
    experiment: Experiment,
    bench: Bench,
    rows: Sequence[Row],
    *,
    seeds: int | None = None,
    after: Callable[[list[RowResult]], None] | None = None,
) -> list[RowResult]:
    """Measure the rows for which everything is there.

    A run whose inputs, seed and budget are those of an earlier one in the same folder is not repeated. A row that
    fails does not end the others.

    Args:
        experiment: that the rows are of.
        bench: where things are, and where results go.
        rows: as `choose_rows` gives them.
        seeds: how many runs a row takes where chance plays a part, if not the experiment's number.
        after: called after each row with all results so far, such as to write a report.
    """
    results: list[RowResult] = []
    seen: dict[str, list[str]] = {}
    for row in rows:
        lacking = row.lacks(bench)
        count = (seeds or experiment.seeds) if row.seeded else 1
        problem = "" if lacking else _prepared(bench, row)
        if lacking or problem:
            results.append(RowResult(row, lacking=tuple(lacking), problem=problem))
        else:
            results.append(_run(experiment, bench, row, count, seen))
        if after:
            after(results)
    return results


def kept_runs(experiment: Experiment, bench: Bench, row: Row, seeds: int | None = None) -> int:
    """How many runs of a row an earlier call has left, that would be taken as they are."""
    count = (seeds or experiment.seeds) if row.seeded else 1
    found = (_stored(_place(bench, row, s), _identity(experiment, bench, row, s)) for s in range(count))
    return sum(run is not None for run in found)


def _prepared(bench: Bench, row: Row) -> str:
    """Make what a row uses and nobody brought; why that failed, or nothing."""
    try:
        if row.before is not None:
            row.before(bench)
    except Clip3dError as error:
        bench.tell(f"{row.name}: {error}")
        return str(error)
    return ""


def _run(experiment: Experiment, bench: Bench, row: Row, count: int, seen: dict[str, list[str]]) -> RowResult:
    runs: list[Measured] = []
    kept, seconds, problem = 0, 0.0, ""
    for seed in range(count):
        place, identity = _place(bench, row, seed), _identity(experiment, bench, row, seed, seen)
        earlier = _stored(place, identity)
        if earlier is None:
            bench.tell(f"{row.name}" + (f", seed {seed}" if row.seeded else ""))
            started = time.monotonic()
            try:
                measured = row.measure(bench, seed)
            except Clip3dError as error:
                problem = str(error)
                bench.tell(f"{row.name}: {problem}")
                break
            took = time.monotonic() - started
            _store(place, {"identity": identity, "seconds": took, "measured": asdict(measured)})
        else:
            measured, took, kept = *earlier, kept + 1
        runs.append(measured)
        seconds += took
    return RowResult(row, tuple(runs), tuple(range(len(runs))), (), problem, kept, seconds)


def _place(bench: Bench, row: Row, seed: int) -> Path:
    return bench.out / ROWS / f"{row.name.replace('/', '--')}.{seed}.json"


def _identity(
    experiment: Experiment, bench: Bench, row: Row, seed: int, seen: dict[str, list[str]] | None = None
) -> str:
    """Digest over all that decides a run as far as it can be seen without running it.

    Rows of one call share what was `seen` of their needs: data sets may have millions of files.
    """
    known = {} if seen is None else seen
    inputs = {}
    for need in (*row.needs, *row.uses):
        path = bench.find(need)
        key = f"{need} {path}"
        if key not in known:
            known[key] = _seen(NEEDS[need], path)
        inputs[need] = known[key]
    steps = bench.steps if row.recipe else None
    recipes = [_recipe(bench, name) for name in (row.recipe, row.teacher_recipe)]
    parts = [experiment.name, row.name, seed, steps, bench.device, inputs, recipes, _model(bench, row)]
    return hashlib.sha256(json.dumps([*parts, clip3d.__version__], sort_keys=True).encode()).hexdigest()


def _seen(need: Need, path: Path | None) -> list[str]:
    files = [path, need.found_beside(path)] if path else []
    return [fingerprint(file) for file in files if file]


def _recipe(bench: Bench, name: str | None) -> str | None:
    path = bench.recipes / name if name else None
    return sha256_of(path) if path and path.is_file() else None


def _model(bench: Bench, row: Row) -> str | None:
    from clip3d.models.card import read_card
    from clip3d.models.loading import find_model

    name = bench.models.get(row.model or "")
    try:
        if name and row.untrained:
            tower = read_card(find_model(name)).towers["cloud"]
            return json.dumps([tower.architecture, tower.config, tower.preprocess], sort_keys=True)
        return name and fingerprint(find_model(name) / "card.json")
    except ModelError:
        return name  # one of another package, or none


def _stored(place: Path, identity: str) -> tuple[Measured, float] | None:
    try:
        record = json.loads(place.read_text(encoding="utf-8"))
        measured = Measured(**{**record["measured"], "files": tuple(record["measured"]["files"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None  # there is none, or one of another version: it is measured anew
    return (measured, float(record["seconds"])) if record["identity"] == identity else None


def _store(place: Path, record: dict[str, Any]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place) as new:
        new.write_text(json.dumps(record, indent=1, allow_nan=False), encoding="utf-8")


def lookings(bench: Bench, rows: Sequence[Row]) -> list[tuple[Need, Path | None, list[str]]]:
    """Everything that the rows need, or use and is there: what, where it was found, and where it was looked for."""
    names = dict.fromkeys(need for row in rows for need in row.needs)
    names |= dict.fromkeys(need for row in rows for need in row.uses if bench.find(need))
    return [
        (NEEDS[name], bench.find(name), [os.fspath(bench.folder(name) / p) for p in NEEDS[name].places])
        for name in names
    ]

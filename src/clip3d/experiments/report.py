"""The report of an experiment: measured beside published, with everything that is needed to get it again."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import clip3d
from clip3d.atomic import replacing
from clip3d.evaluation.markdown import table
from clip3d.experiments.experiment import Bench, Experiment, Published
from clip3d.experiments.needs import Need
from clip3d.experiments.running import RowResult, lookings

PICTURES = (".png", ".jpg", ".svg")


def write_report(experiment: Experiment, bench: Bench, results: Sequence[RowResult], command: str) -> None:
    """Write `report.md` and `report.json` into the bench's folder, each whole or not at all."""
    bench.out.mkdir(parents=True, exist_ok=True)
    _write(bench.out / "report.md", markdown(experiment, bench, results, command))
    record = {
        "experiment": experiment.name,
        "title": experiment.title,
        "source": experiment.source,
        "command": command,
        "environment": environment(),
        "rows": [result.as_dict() for result in results],
    }
    _write(bench.out / "report.json", json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def markdown(experiment: Experiment, bench: Bench, results: Sequence[RowResult], command: str) -> str:
    """The report as Markdown."""
    needs = lookings(bench, [result.row for result in results])
    parts = [
        f"# {experiment.name}: {experiment.title}",
        f"{experiment.source}. {experiment.shows}",
        "\n".join(f"- {note}" for note in experiment.notes),
        f"    {command}",
        "## Results",
        table(*result_table(experiment, results)),
        "\n".join(f"- {line}" for line in conclusions(experiment, results)),
        "\n".join(_shown(file) for file in _files(results)),
        "## What it needs",
        table(("what", "found", "where to get it"), [_need_line(*need) for need in needs]),
        "## Protocol",
        "\n".join(f"- {line}" for line in protocol_lines(results)),
        "## Environment",
        "\n".join(f"- {name}: {value}" for name, value in environment().items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def result_table(experiment: Experiment, results: Sequence[RowResult]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells: measured, published, their difference, number of objects."""
    also = list(dict.fromkeys(name for result in results for name in result.also()))
    rows = []
    for result in results:
        further_numbers = result.also()
        rows.append([
            *result.row.cells,
            _measured(result),
            published_text(result.row.published),
            _difference(result),
            *(_further(result, name, further_numbers) for name in also),
            f"{result.runs[0].n:,}" if result.runs else "",
        ])  # fmt: skip
    unit = next((result.runs[0].unit for result in results if result.runs), "%")
    return [*experiment.columns, f"measured, {unit}", "published", "difference", *also, "n"], rows


def _measured(result: RowResult) -> str:
    if result.lacking:
        return "lacks " + ", ".join(need.name for need in result.lacking)
    if result.mean is None:
        return "failed"
    return number(result.mean, result.spread, len(result.runs))


def _further(result: RowResult, name: str, measured: Mapping[str, tuple[float, float | None]]) -> str:
    """A further number, and in brackets the published one where there is one."""
    told = number(*measured[name]) if name in measured else ""
    published = result.row.also_published.get(name)
    return f"{told} [{published_text(published)}]" if told and published else told


def _difference(result: RowResult) -> str:
    if result.mean is None or result.row.published is None:
        return ""
    return f"{result.mean - result.row.published.value:+.1f}"


def number(value: float, spread: float | None = None, runs: int = 1) -> str:
    """A number with its standard deviation and how many runs it is of."""
    text = f"{value:.2f}" if spread is not None else f"{value:.1f}"
    return text + (f" ± {spread:.2f}" if spread is not None else "") + (f" ({runs} runs)" if runs > 1 else "")


def published_text(published: Published | None) -> str:
    """A published number, with what it is where the paper does not state it."""
    if published is None:
        return ""
    spread = "" if published.spread is None else f" ± {published.spread:g}"
    return f"{published.value:g}{spread}" + ("" if published.mark == "published" else f" ({published.mark})")


def conclusions(experiment: Experiment, results: Sequence[RowResult]) -> list[str]:
    """What follows from the rows, and why some failed."""
    values = {result.row.name: tuple(run.value for run in result.runs) for result in results if result.runs}
    failed = [f"{result.row.name} failed: {result.problem}" for result in results if result.problem]
    return [*experiment.conclude(values), *failed]


def protocol_lines(results: Sequence[RowResult]) -> list[str]:
    """What all rows have in common, then what is a row's own."""
    protocols = [(result.row.name, _protocol(result)) for result in results if result.runs]
    if not protocols:
        return ["nothing was measured"]
    first = protocols[0][1]
    common = {key for key in first if all(other.get(key, "") == first[key] for _, other in protocols)}
    lines = [f"{key}: {_plain(first[key])}" for key in first if key in common]
    for name, values in protocols:
        own = [f"{key} {_plain(value)}" for key, value in values.items() if key not in common]
        if own:
            lines.append(f"**{name}**: {'; '.join(own)}")
    return lines


def _protocol(result: RowResult) -> Mapping[str, Any]:
    seeds = {"seeds": ", ".join(map(str, result.seeds))} if result.row.seeded else {}
    told = {key: value for key, value in result.runs[0].protocol.items() if value is not None}
    return {**told, **seeds}


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(f"`{item}`" if isinstance(item, str) else _plain(item) for item in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return str(value)


def _need_line(need: Need, found: Path | None, looked: Sequence[str]) -> list[str]:
    place = f"`{found}`" if found else "no; looked for " + ", ".join(f"`{place}`" for place in looked)
    return [f"{need.name}: {need.what}", place, need.where]


def _shown(file: str) -> str:
    return f"{'!' if file.endswith(PICTURES) else ''}[{file}]({file})"


def _files(results: Sequence[RowResult]) -> list[str]:
    return [file for result in results for run in result.runs for file in run.files]


def environment() -> dict[str, str]:
    """Versions of what decides numbers."""
    found = {"clip3d": clip3d.__version__, "python": platform.python_version(), "system": platform.platform()}
    for package in ("torch", "numpy", "scikit-learn"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {**found, "machine": platform.machine() or sys.platform}


def _write(path: Path, text: str) -> None:
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8")

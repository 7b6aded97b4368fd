"""`clip3d experiment`: the papers' tables and figures, and this project's own, beside what was published."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import FAILED, note, print_json, print_line, print_table, start_logging

if TYPE_CHECKING:
    from clip3d.experiments.experiment import Bench, Experiment, Row
    from clip3d.experiments.running import RowResult

EXAMPLES = o.examples(
    "clip3d experiment",
    "clip3d experiment cg3d-table1 --dry-run",
    "clip3d experiment cg3d-table1 --data data/ --weights weights/ --out results/table1",
    "clip3d experiment cg3d-table1 --model mine=models/mine --only 'mine/*'",
)


def experiment(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="All are listed if it is left out.")] = None,
    data: Annotated[
        Path, typer.Option("--data", envvar="CLIP3D_DATA", help="Folder in which data sets are looked for.")
    ] = Path("data"),
    weights: Annotated[
        Path, typer.Option("--weights", envvar="CLIP3D_WEIGHTS", help="Folder of checkpoints and models.")
    ] = Path("weights"),
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the report; results/NAME if left out. A run goes on.")
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME=FOLDER", help="To measure beside mini; repeatable."),
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="ROW,...", help="These rows; * stands for anything.")
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", min=1, help="Runs of a row that chance enters.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Most steps of a training.")] = None,
    recipes: Annotated[Path, typer.Option("--recipes", help="Folder of the recipes.")] = Path("recipes"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "--needs", help="Say what is needed, what is there and what would be done.")
    ] = False,
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Run a table or figure of a paper, or a result of this project, with the data and weights that are there.

    Measured numbers stand beside published ones, with the protocol of each. What lacks is named with where it was
    looked for and where to get it; the exit code is then 1. report.md and report.json are written to --out, where
    rows that were measured are kept: the same command goes on where it stopped.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.experiments.catalogue import all_experiments, find_experiment

    if name is None:
        _list(all_experiments(), as_json)
        return
    from clip3d.experiments.experiment import Bench
    from clip3d.experiments.running import choose_rows

    wanted = find_experiment(name)
    tell = (lambda line: None) if quiet else note
    folder = out or Path("results") / name
    bench = Bench(data, weights, folder, recipes, _named(models or []), steps, device, tell)
    rows = choose_rows(wanted, bench, [part.strip() for part in only.split(",")] if only else None)
    if dry_run:
        _foresee(wanted, bench, rows, seeds, as_json)
        return
    _run(wanted, bench, rows, _command(wanted, bench, only, seeds), seeds, as_json, quiet)


def _list(experiments: Sequence[Experiment], as_json: bool) -> None:
    if as_json:
        for each in experiments:
            print_json({"experiment": each.name, "title": each.title, "source": each.source, "shows": each.shows})
        return
    print_table(("experiment", "what"), [(each.name, f"{each.title}: {each.source}") for each in experiments])


def _named(models: Sequence[str]) -> dict[str, str]:
    found = {"mini": "mini"}
    for each in models:
        name, sign, folder = each.partition("=")
        if not (sign and name and folder) or "/" in name:
            raise typer.BadParameter(f"write --model NAME=FOLDER, got {each!r}")
        found[name] = folder
    return found


def _run(
    wanted: Experiment,
    bench: Bench,
    rows: Sequence[Row],
    command: str,
    seeds: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    from clip3d.experiments.report import conclusions, protocol_lines, result_table, write_report
    from clip3d.experiments.running import run_rows

    def report(results: list[RowResult]) -> None:
        write_report(wanted, bench, results, command)

    results = run_rows(wanted, bench, rows, seeds=seeds, after=report)
    if as_json:
        for result in results:
            print_json({"experiment": wanted.name, **result.as_dict()})
    else:
        headings, cells = result_table(wanted, results)
        print_table(headings, cells, right=range(len(wanted.columns), len(headings)))
        for line in (*conclusions(wanted, results), *protocol_lines(results)):
            print_line(line)
    _name_lacks(bench, rows)
    failed = [result for result in results if not result.runs or result.problem]
    if not quiet:
        kept = sum(result.kept for result in results)
        note(f"{len(results) - len(failed)} rows measured, {kept} runs kept from before: {bench.out / 'report.md'}")
    if failed:
        note(f"{len(failed)} rows were not measured")
        raise typer.Exit(FAILED)


def _foresee(wanted: Experiment, bench: Bench, rows: Sequence[Row], seeds: int | None, as_json: bool) -> None:
    from clip3d.experiments.running import kept_runs, lookings

    table = []
    for row in rows:
        runs = (seeds or wanted.seeds) if row.seeded else 1
        lacking = [need.name for need in row.lacks(bench)]
        kept = 0 if lacking else kept_runs(wanted, bench, row, seeds)
        if as_json:
            print_json({"row": row.name, "lacking": lacking, "runs": runs, "kept": kept})
        state = f"lacks {', '.join(lacking)}" if lacking else f"{runs - kept} to run, {kept} kept"
        table.append((row.name, *row.cells, state))
    if as_json:
        return
    print_line(f"{wanted.name}: {wanted.title}. {wanted.source}")
    print_table(("row", *wanted.columns, "state"), table)
    for need, found, _ in lookings(bench, rows):
        if found:
            print_line(f"found {need.name}: {found}")
    _name_lacks(bench, rows)


def _name_lacks(bench: Bench, rows: Sequence[Row]) -> None:
    from clip3d.experiments.running import lookings

    for need, found, looked in lookings(bench, rows):
        if not found:
            note(f"lacks {need.name}, {need.what}: looked for {', '.join(looked)} ({need.where})")


def _command(wanted: Experiment, bench: Bench, only: str | None, seeds: int | None) -> str:
    """The command that gives this report again, with everything that decides it."""
    words = ["clip3d", "experiment", wanted.name, "--data", str(bench.data), "--weights", str(bench.weights)]
    words += [word for name, folder in bench.models.items() if name != folder
              for word in ("--model", f"{name}={folder}")]
    words += ["--only", only] if only else []
    words += ["--seeds", str(seeds)] if seeds else []
    words += ["--steps", str(bench.steps)] if bench.steps else []
    words += ["--recipes", str(bench.recipes)]
    return shlex.join([*words, "--device", bench.device, "--out", str(bench.out)])

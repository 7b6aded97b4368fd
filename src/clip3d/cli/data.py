"""`clip3d data`: the data that come with the package, and data to train on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from clip3d.cli import data_bank, data_render, data_rooms, data_shard, data_simulate
from clip3d.cli import options as o
from clip3d.cli.output import finish, name_problems, note, print_json, print_line, print_table, start_logging
from clip3d.errors import DataError

PROCEDURAL = "procedural-"

BUILD_EXAMPLES = o.examples("clip3d data build library/", "clip3d data build library/ --only furniture,0ad")
SAMPLES_EXAMPLES = o.examples("clip3d data samples", "clip3d data samples --json")

app = typer.Typer(
    help="Sample objects and training data.",
    epilog=SAMPLES_EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def _root() -> None:
    """Sample objects and training data."""


@app.command("samples", epilog=SAMPLES_EXAMPLES)
def samples(as_json: o.Json = False) -> None:
    """List the sample objects and their licences; sources with --json."""
    from clip3d.data.samples import FOLDER, list_samples

    objects = list_samples().objects
    if as_json:
        for item in objects:
            record = {"path": str(item.path), "name": item.name, "licence": item.licence, "source": item.source}
            print_json(record)
        return
    print_line(f"in {FOLDER}")
    print_table(("name", "licence", "file"), [(item.name, item.licence, item.path.name) for item in objects])


@app.command("build", epilog=BUILD_EXAMPLES)
def build(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the library files go.")],
    only: Annotated[str, typer.Option("--only", metavar="NAME,...", help="Build these libraries alone.")] = "",
    packages: Annotated[
        Path | None, typer.Option("--packages", help="Folder with packages brought by hand; else FOLDER/packages.")
    ] = None,
    per_family: Annotated[int, typer.Option("--per-family", min=1, help="Procedural objects a family.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the procedural objects.")] = 0,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Build the training library: licensed models from packages, and procedural objects.

    Writes NAME.npz for each source, and procedural-GROUP.npz for each group of families of the generator. Fetches
    the packages with their own clients unless their files are there. A source that fails is named at the end of its
    turn, and the others go on. Library files that exist are kept as they are.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.data.build import build_procedural, build_source
    from clip3d.data.library import read_library
    from clip3d.data.sources import SOURCES
    from clip3d.simulation.objects import GROUPS

    def progress(line: str) -> None:
        if not quiet:
            note(line)

    sources = {source.name: source for source in SOURCES}
    problems: list[DataError] = []
    groups = {PROCEDURAL + group: group for group in GROUPS}
    names = _chosen(only, (*sources, *groups))
    for name in names:
        path = out / f"{name}.npz"
        try:
            if path.exists():
                progress(f"{path} is there already")
                library = read_library(path)
            elif name in groups:
                library = build_procedural(path, groups[name], per_family, seed, progress=progress)
            else:
                library = build_source(sources[name], path, packages or out / "packages", progress=progress)
        except DataError as problem:
            name_problems([problem])
            problems.append(problem)
            continue
        held_out = int(library.held_out.sum())
        if as_json:
            print_json({"path": str(path), "n": len(library), "held_out": held_out})
        else:
            print_line(f"{path}: {len(library)} objects, {held_out} held out")
    finish(problems, len(names) - len(problems))


def _chosen(only: str, known: Sequence[str]) -> list[str]:
    """The names that `only` lists, separated by commas; all that are known if it is empty."""
    names = [name.strip() for name in only.split(",") if name.strip()] or list(known)
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}", param_hint="--only")
    return list(dict.fromkeys(names))


app.command("phrases", epilog=data_bank.PHRASES_EXAMPLES)(data_bank.phrases)
app.command("bank", epilog=data_bank.BANK_EXAMPLES)(data_bank.bank)
app.command("render", epilog=data_render.EXAMPLES)(data_render.render)
app.command("shard", epilog=data_shard.EXAMPLES)(data_shard.shard)
app.command("simulate", epilog=data_simulate.EXAMPLES)(data_simulate.simulate)
app.command("simulate-rooms", epilog=data_rooms.EXAMPLES)(data_rooms.simulate_rooms)

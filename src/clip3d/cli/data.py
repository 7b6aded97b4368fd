"""`clip3d data`: the data that come with the package, and data to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import note, print_json, print_line, print_table, start_logging

BUILD_EXAMPLES = o.examples("clip3d data build library/", "clip3d data build library/ --per-family 200")
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

    Fetches the Debian package sweethome3d-furniture with apt-get unless its file is there. Library files that
    exist are kept as they are.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.data.build import build_furniture, build_procedural
    from clip3d.data.library import read_library

    def progress(line: str) -> None:
        if not quiet:
            note(line)

    for name in ("furniture.npz", "procedural.npz"):
        path = out / name
        if path.exists():
            progress(f"{path} is there already")
            library = read_library(path)
        elif name == "furniture.npz":
            library = build_furniture(path, packages or out / "packages", progress=progress)
        else:
            library = build_procedural(path, per_family, seed, progress=progress)
        held_out = int(library.held_out.sum())
        if as_json:
            print_json({"path": str(path), "n": len(library), "held_out": held_out})
        else:
            print_line(f"{path}: {len(library)} objects, {held_out} held out")

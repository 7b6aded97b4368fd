"""`clip3d data`: the data that come with the package, and data to train on."""

from __future__ import annotations

import typer

from clip3d.cli import options as o
from clip3d.cli.output import print_json, print_table

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
    """List the sample objects of the package with their licences."""
    from clip3d.data.samples import list_samples

    objects = list_samples().objects
    if as_json:
        for item in objects:
            record = {"path": str(item.path), "name": item.name, "licence": item.licence, "source": item.source}
            print_json(record)
        return
    rows = [(item.name, item.licence, item.source, str(item.path)) for item in objects]
    print_table(("name", "licence", "source", "path"), rows)

"""The entry point: one command a module, one place where errors become messages and exit codes.

Exit codes: 0 all done; 1 some inputs failed, each named on stderr; 2 the command was wrong; 130 interrupted.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

import clip3d
from clip3d.cli import (
    classify,
    collection,
    data,
    demo,
    embed,
    evaluate,
    experiment,
    export,
    feature_map,
    finetune,
    index,
    models,
    probe,
    scene,
    search,
    stats,
    train,
)
from clip3d.cli.output import FAILED, WrongCommand, note
from clip3d.errors import Clip3dError, CloudError, DataError, ImageError

WRONG, INTERRUPTED = 2, 130

app = typer.Typer(
    name="clip3d",
    help="Talk to 3D: words, photos and shapes find 3D objects, offline.",
    epilog=search.HELP_EXAMPLES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo", epilog=demo.EXAMPLES)(demo.demo)
app.command("search", epilog=search.EXAMPLES)(search.search)
app.command("index", epilog=index.EXAMPLES)(index.index)
app.command("stats", epilog=stats.EXAMPLES)(stats.stats)
app.command("classify", epilog=classify.EXAMPLES)(classify.classify)
app.command("scene", epilog=scene.EXAMPLES)(scene.scene)
app.command("embed", epilog=embed.EXAMPLES)(embed.embed)
app.add_typer(collection.app, name="collection")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.command("map", epilog=feature_map.EXAMPLES)(feature_map.map_features)
app.command("probe", epilog=probe.EXAMPLES)(probe.probe)
app.command("export", epilog=export.EXAMPLES)(export.export)
app.command("train", epilog=train.EXAMPLES)(train.train)
app.command("experiment", epilog=experiment.EXAMPLES)(experiment.experiment)
app.command("finetune", epilog=finetune.EXAMPLES)(finetune.finetune)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clip3d {clip3d.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    # One phrase makes small matrices: NumPy's threads would spend three times the work on waiting for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone; nothing more may be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code; what goes wrong is told on stderr in one line."""
    try:
        code = app(list(arguments) or ["--help"], prog_name="clip3d", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except WrongCommand as error:
        error.show()  # type: ignore[attr-defined]
        return WRONG
    except Clip3dError as error:
        _trace()
        note(str(error))
        return FAILED if isinstance(error, (CloudError, ImageError, DataError)) else WRONG
    except BrokenPipeError:
        raise
    except OSError as error:
        _trace()
        note(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return FAILED
    if code == INTERRUPTED:
        note("interrupted")
    return int(code or 0) if arguments else WRONG


def _trace() -> None:
    """With -v, where the error came from."""
    if logging.getLogger("clip3d").isEnabledFor(logging.DEBUG):
        traceback.print_exc()

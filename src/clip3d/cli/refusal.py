"""`clip3d evaluate refusal`: does the model know when no label fits?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import (
    WrongCommand,
    library_objects,
    note,
    print_json,
    print_line,
    print_table,
    start_logging,
)
from clip3d.cli.session import load_model

if TYPE_CHECKING:
    from clip3d.evaluation.refusal import RefusalReport

EXAMPLES = o.examples(
    "clip3d evaluate refusal --library library/furniture.npz",
    "clip3d evaluate refusal --library library/ --model ./my-model --fit --write",
)


def refusal(
    libraries: o.Libraries,
    everything: o.AllObjects = False,
    labels: Annotated[int, typer.Option("--labels", min=2, help="Of a list.")] = 10,
    lists: Annotated[int, typer.Option("--lists", min=1, help="Of each kind, for each object.")] = 10,
    seed: o.DrawSeed = 0,
    fit: Annotated[bool, typer.Option("--fit", help="Fit the threshold anew and print the card's table.")] = False,
    write: Annotated[bool, typer.Option("--write", help="With --fit: put it into the model's folder.")] = False,
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Tell fitting labels from unrelated ones: AUROC, right answers kept, unrelated lists refused.

    For each held-out object lists of labels are drawn from the libraries' captions, with its name and without.
    """
    start_logging(quiet=quiet, verbose=verbose)
    if write and not fit:
        raise WrongCommand("--write writes what --fit found: give both")
    from clip3d.models.loading import embedded_models

    if write and model in embedded_models():
        raise WrongCommand(f"{model} comes with the package and is not written to: give --model a folder")
    from clip3d.evaluation import refusal as protocol
    from clip3d.evaluation.library_part import read_part

    part = read_part(libraries, everything=everything)
    loaded = load_model(model, device)
    if not fit:
        report = protocol.measure_refusal(loaded, part, labels=labels, lists=lists, seed=seed)
        print_json(report.as_dict()) if as_json else show(report)
        return
    fitted, report = protocol.fit_refusal(loaded, part, labels=labels, lists=lists, seed=seed)
    if write:
        table = protocol.write_refusal(loaded, fitted, report, folder=loaded.folder)
    else:
        table = protocol.card_table(fitted, report)
    if as_json:
        print_json(table)
    else:
        show(report)
        print_line(f"threshold for the card: {table['threshold']}")
    if write and not quiet:
        note(f"{loaded.folder / 'card.json'} and {table['background']} are written")


def show(report: RefusalReport) -> None:
    """Print the figures and how they were measured."""
    rows = [
        ("AUROC, fitting against unrelated lists", _figure(report.auroc)),
        ("AUROC, right answers against unrelated lists", _figure(report.auroc_right)),
        ("right answers kept", _figure(report.kept)),
        ("unrelated lists refused", _figure(report.refused)),
        ("wrong answers refused", _figure(report.wrong_refused)),
        ("fitting lists answered rightly", _figure(report.accuracy)),
    ]
    print_table(("measure", "value"), rows, right=(1,))
    protocol = report.protocol
    print_line(
        f"model {report.model}; {library_objects(protocol)}; {protocol['lists']} lists of "
        f"{protocol['labels']} labels of each kind, seed {protocol['seed']}; threshold {report.threshold:.3f}, "
        f"{protocol['rates']}"
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

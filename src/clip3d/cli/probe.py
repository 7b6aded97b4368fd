"""`clip3d probe`: how well frozen features tell classes apart."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from clip3d.cli import options as o
from clip3d.cli.output import (
    WrongCommand,
    finish,
    print_json,
    print_line,
    print_table,
    progress_bar,
    start_logging,
)
from clip3d.cli.session import load_model, read_clouds

if TYPE_CHECKING:
    from clip3d.evaluation.features import Kind
    from clip3d.evaluation.probing import ProbeReport, Spread

EXAMPLES = o.examples(
    "clip3d probe --clouds modelnet10.npz",
    "clip3d probe --clouds modelnet10.npz --fractions .1,.2,1 --near-duplicates near_duplicates.json --json",
    "clip3d probe --clouds scanobjectnn/ --variant PB_T50_RS --features levels",
)


class FeaturesOption(str, Enum):
    """Which features of the cloud tower."""

    vectors = "vectors"
    features = "features"
    levels = "levels"
    all = "all"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of features that are meant."""
        return ("vectors", "features", "levels") if self is FeaturesOption.all else (cast("Kind", self.value),)


FEATURES_HELP = "vectors: of the space; features: before the tower's head; levels: of its earlier levels too."


def probe(
    clouds: o.LabelledPath,
    train_split: Annotated[str, typer.Option("--train-split", help="The part that is learned from.")] = "train",
    test_split: Annotated[str, typer.Option("--test-split", help="The part that is counted.")] = "test",
    variant: o.Variant = None,
    features: Annotated[FeaturesOption, typer.Option("--features", help=FEATURES_HELP)] = FeaturesOption.vectors,
    fractions: Annotated[
        str, typer.Option("--fractions", metavar="A,B,...", help="Shares of each class to learn from.")
    ] = "1",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many draws of fractions and validation.")] = 3,
    votes: Annotated[int, typer.Option("--votes", min=1, help="Views about the up axis, averaged.")] = 1,
    points: Annotated[
        int | None, typer.Option("--points", min=1, help="Points the tower sees, if not its own number.")
    ] = None,
    near_duplicates: Annotated[
        Path | None,
        typer.Option("--near-duplicates", metavar="FILE.json", help="Test clouds to report without, too."),
    ] = None,
    limit: o.Limit = None,
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Fit a logistic regression to frozen features of training clouds and count right answers on test clouds.

    The regularisation is chosen on a part of the training clouds. Beside it: right answers of nearest neighbours.
    """
    start_logging(quiet=quiet, verbose=verbose)
    shares = _shares(fractions)
    from clip3d.data.near_duplicates import near_duplicates as listed
    from clip3d.evaluation import probing

    train = read_clouds(clouds, train_split, variant, limit, quiet=quiet)
    test = read_clouds(clouds, test_split, variant, limit, quiet=quiet)
    near = None if near_duplicates is None else listed(near_duplicates, test)
    with progress_bar("Encoding", quiet=quiet) as progress:
        report = probing.probe(
            load_model(model, device),
            train,
            test,
            kinds=features.kinds,
            fractions=shares,
            seeds=seeds,
            votes=votes,
            points=points,
            near_duplicates=near,
            progress=progress,
        )
    print_json(report.as_dict()) if as_json else show(report)
    finish([*train.problems, *test.problems], report.n)


def _shares(text: str) -> list[float]:
    try:
        shares = [float(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise WrongCommand(f"--fractions takes numbers, got {text!r}") from error
    if not shares or not all(0 < share <= 1 for share in shares):
        raise WrongCommand(f"--fractions takes numbers above 0 and at most 1, got {text!r}")
    return shares


def show(report: ProbeReport) -> None:
    """Print a line for each kind of features and fraction, and how it was measured."""
    apart = report.n_apart is not None
    headings = ["features", "of train", "clouds", "linear %", "class mean %", "neighbours %"]
    headings += ["linear, apart %", "neighbours, apart %"] if apart else []
    rows = []
    for row in report.rows:
        spreads = [row.linear, row.class_mean, row.neighbors]
        spreads += [s for s in (row.linear_apart, row.neighbors_apart) if s is not None]
        rows.append((row.features, f"{100 * row.fraction:g} %", str(row.n_train), *map(_spread, spreads)))
    print_table(headings, rows, right=range(1, len(headings)))
    protocol = report.protocol
    duplicates = f"; apart from near-duplicates n {report.n_apart}" if apart else ""
    variant = f" {protocol['variant']}" if protocol["variant"] else ""
    print_line(
        f"model {report.model}; {protocol['data']}{variant}, {protocol['train']['split']} to {protocol['split']}, "
        f"n {report.n}{duplicates}; {protocol['points']} points; votes {protocol['votes']}; "
        f"mean and deviation over {len(protocol['seeds'])} seeds"
    )
    print_line(f"regularisation chosen on {protocol['chosen_on']}; neighbours: {protocol['neighbors']}")


def _spread(value: Spread) -> str:
    return f"{100 * value.mean:.2f} ± {100 * value.deviation:.2f}"

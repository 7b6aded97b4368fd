"""`clip3d map`: a picture of how a model's features lie to each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import finish, note, print_json, print_line, print_table, progress_bar, start_logging
from clip3d.cli.probe import FEATURES_HELP, FeaturesOption
from clip3d.cli.session import load_model, read_clouds

if TYPE_CHECKING:
    from clip3d.evaluation.maps import FeatureMap

EXAMPLES = o.examples(
    "clip3d map --clouds modelnet10.npz --split test -o map.html",
    "clip3d map --clouds modelnet10.npz --split test --model mini --model ./finetuned -o before-after.png",
)


def map_features(
    clouds: o.LabelledPath,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="MAP.png|MAP.html", help="Where the map goes.")],
    split: o.Split = None,
    variant: o.Variant = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME|FOLDER", help="Whose features; repeatable, side by side; else mini."),
    ] = None,
    features: Annotated[FeaturesOption, typer.Option("--features", help=FEATURES_HELP)] = FeaturesOption.vectors,
    votes: Annotated[int, typer.Option("--votes", min=1, help="Views about the up axis, averaged.")] = 1,
    points: Annotated[
        int | None, typer.Option("--points", min=1, help="Points the tower sees, if not its own number.")
    ] = None,
    seed: o.DrawSeed = 0,
    limit: o.Limit = None,
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Lay out the features of labelled clouds in the plane (UMAP): a PNG, or a page to look into.

    Beside each map: the silhouette of the classes and how many clouds agree with their nearest neighbours, both
    measured on the features themselves.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.evaluation.features import cloud_features
    from clip3d.evaluation.map_pages import check_name, write_map
    from clip3d.evaluation.maps import feature_map

    check_name(output)
    data = read_clouds(clouds, split, variant, limit, quiet=quiet)
    maps = []
    for name in models or ["mini"]:
        loaded = load_model(name, device)
        for kind in features.kinds:
            with progress_bar("Encoding", quiet=quiet) as progress:
                tell = None if progress is None else lambda done, progress=progress: progress(done, len(data))
                found = cloud_features(loaded, data, kind, votes=votes, points=points, progress=tell)
            maps.append(feature_map(loaded, data, found, kind=kind, votes=votes, points=points, seed=seed))
    write_map(output, maps, data)
    if as_json:
        for found_map in maps:
            print_json(found_map.as_dict())
    else:
        show(maps)
    if not quiet:
        note(f"{output} is written")
    finish(data.problems, len(data))


def show(maps: list[FeatureMap]) -> None:
    """Print a line for each map, and how it was made."""
    rows = [(m.title, f"{m.silhouette:.3f}", f"{100 * m.neighbors:.2f}") for m in maps]
    print_table(("map", "silhouette", "neighbours %"), rows, right=(1, 2))
    protocol = maps[0].protocol
    print_line(
        f"{protocol['data']}, split {protocol['split']}, n {protocol['clouds']}; {protocol['points']} points; "
        f"votes {protocol['votes']}; {protocol['layout']}, seed {protocol['seed']}; "
        f"neighbours: {protocol['neighbors']}"
    )

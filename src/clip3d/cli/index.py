"""`clip3d index`: files into a collection, and a collection up to date with its files."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from clip3d.cli import options as o
from clip3d.cli.output import (
    WrongCommand,
    finish,
    flush,
    is_given,
    note,
    print_json,
    print_line,
    progress_bar,
    refuse_given,
    start_logging,
)
from clip3d.cli.session import load_model, open_cache, put_on_device, reading_of

if TYPE_CHECKING:
    from clip3d.search.keeping.reporting import Change, Report
    from clip3d.search.stores.frame_vectors import ViewKind

EXAMPLES = o.examples(
    "clip3d index assets/ --db assets.db",
    "clip3d index assets/ --db assets.db --prune",
    "clip3d index assets/ --db assets.db --meta split=test --metadata labels.csv",
    "clip3d index --db assets.db --model my-model/ --reindex",
    "clip3d index logs/ --db drive.db",
    "clip3d index logs/ --db drive.db --ray auto",
    "clip3d index scans/ --db building.db --only scenes",
)
QUIET = ("unchanged",)
# What parts of scans do not have, or cannot be made by.
NOT_OF_SCENES = ("reindex", "tables", "views", "ray", "no_thumbnails", "pose")


class Only(str, Enum):
    """Kinds of files."""

    clouds = "clouds"
    pictures = "pictures"
    frames = "frames"
    scenes = "scenes"


ONLY: dict[Only, Literal["cloud", "image", "sweep"]] = {
    Only.clouds: "cloud",
    Only.pictures: "image",
    Only.frames: "sweep",
}


def index(
    context: typer.Context,
    db: Annotated[
        str,
        typer.Option("--db", metavar="DB", help="The collection: a file, .lance folder or URI; made if need be."),
    ],
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Files, folders to search through, and URIs of either."),
    ] = None,
    meta: Annotated[
        list[str] | None,
        typer.Option("--meta", metavar="NAME=VALUE", help="What to say of each of these files; repeatable."),
    ] = None,
    tables: Annotated[
        list[Path] | None,
        typer.Option("--metadata", metavar="TABLE", help="CSV, JSON or JSON lines with a column path; repeatable."),
    ] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Remove the items whose files vanished.")] = False,
    reindex: Annotated[
        bool, typer.Option("--reindex", help="Make all vectors anew, as for another model; metadata stay.")
    ] = False,
    only: Annotated[Only | None, typer.Option("--only", help="These alone; scenes: scans in parts.")] = None,
    no_thumbnails: Annotated[bool, typer.Option("--no-thumbnails", help="Keep no small pictures.")] = False,
    views: Annotated[
        str | None,
        typer.Option(
            "--views",
            metavar="A,B,...",
            help="Of frames of driving logs: camera, cameras, quarter, sweep; all if left out.",
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray",
            metavar="ADDRESS",
            help="Encode driving logs on a Ray cluster: local for these cores, auto, or HOST:6379.",
        ),
    ] = None,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for another writer.")] = 5.0,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="NAME|FOLDER", help="As for search; the collection's own, or mini, if left out."
        ),
    ] = None,
    device: o.Device = "cpu",
    up: o.UpAxis = None,
    unit: o.UnitName = None,
    pose: o.PoseName = o.Stance.upright,
    topic: o.Topic = None,
    message: o.Message = 0,
    points: o.Points = 8192,
    seed: o.Seed = 0,
    no_cache: o.NoCache = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Put 3D objects, pictures and driving logs into a collection, and bring it up to date.

    A model with a sweep tower takes driving logs view by view: see --views.

    Files that did not change are not read. Changed files are replaced; moved ones are known by their content, and
    keep what was said of them. Vanished files are told, and removed with --prune alone. Work is kept as it is done:
    interrupt it at any moment and run it again to go on. --json prints a line a file that is not unchanged, once it
    is kept, and one of counts at the end.
    """
    start_logging(quiet=quiet, verbose=verbose)
    if not paths and not reindex:
        raise WrongCommand(f"name the files or folders to index: clip3d index FOLDER --db {db}")
    if only is Only.scenes:
        refuse_given(context, NOT_OF_SCENES, "--only scenes parts scans")
        from clip3d.scenes.opening import MESH_POINTS

        points = points if is_given(context, "points") else MESH_POINTS
    from clip3d.search.collection import Collection
    from clip3d.search.keeping.sidecar import read_assignments

    counted = 0

    def tell(change: Change) -> None:
        nonlocal counted
        counted += change.status not in ("vanished", "failed")
        _tell(change, as_json=as_json, verbose=verbose, quiet=quiet)

    metadata = read_assignments(meta or [])
    chosen = None if model is None else load_model(model, device)
    try:
        with (
            Collection(db, chosen, reindex=reindex, wait=wait) as collection,
            open_cache(disabled=no_cache) as cache,
            progress_bar("Indexing", quiet=quiet) as progress,
        ):
            put_on_device(collection, device)
            reading = reading_of(points, seed, up, unit, pose, topic, message)
            told: dict[str, Any] = {"cache": cache, "progress": progress, "tell": tell}
            if only is Only.scenes:
                from clip3d.scenes.collecting import index_scenes

                report = index_scenes(
                    collection, paths or [], metadata=metadata, prune=prune, reading=reading, **told
                )
            else:
                report = collection.index(
                    paths or [],
                    metadata=metadata,
                    tables=tables or [],
                    prune=prune,
                    only=None if only is None else ONLY[only],
                    thumbnails=not no_thumbnails,
                    views=None if views is None else _views(views),
                    reading=reading,
                    ray=ray,
                    **told,
                )
            items, used = len(collection), collection.model.id
    except KeyboardInterrupt:
        note(f"{counted} files are done and kept; run it again to go on")
        raise
    _sum_up(report, db, items, used, as_json=as_json)
    for line in report.notes if not quiet else ():
        note(line)
    finish(report.problems, report.done)


def _views(given: str) -> list[ViewKind]:
    """The views that --views names; WrongCommand for one that there is not."""
    from clip3d.search.stores.frame_vectors import VIEW_KINDS

    kinds: dict[str, ViewKind] = {kind: kind for kind in VIEW_KINDS}
    names = [name.strip() for name in given.split(",") if name.strip()]
    if not names or any(name not in kinds for name in names):
        raise WrongCommand(f"--views takes {', '.join(VIEW_KINDS)}; got {given!r}")
    return [kinds[name] for name in names]


def _tell(change: Change, *, as_json: bool, verbose: bool, quiet: bool) -> None:
    """A line of what was done with a file, at once: it is kept by now."""
    if change.problem is not None:
        note(str(change.problem))
    if change.status in QUIET and not verbose:
        return
    if as_json:
        said = {"source": change.source, "reason": None if change.problem is None else change.problem.reason}
        print_json(
            {"status": change.status, "path": change.path, **{k: v for k, v in said.items() if v is not None}}
        )
    elif verbose or (change.status == "vanished" and not quiet):
        print_line(f"{change.status:9}  {change.path}" + (f"  from {change.source}" if change.source else ""))
    flush()


def _sum_up(report: Report, db: str, items: int, model: str, *, as_json: bool) -> None:
    counts = {**report.counted(), "described": report.described, "computed": report.computed}
    if as_json:
        print_json({"status": "done", **counts, "items": items, "db": db, "model": model})
        return
    said = ", ".join(f"{n} {status}" for status, n in report.counted().items() if n or status == "added")
    if report.described:
        said += f", {report.described} described anew"
    print_line(f"{db}: {said}; {items} items, model {model}")
    if report.counts["vanished"]:
        note(f"{report.counts['vanished']} files vanished; --prune removes their items")

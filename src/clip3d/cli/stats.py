"""`clip3d stats`: what a collection holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clip3d.cli import options as o
from clip3d.cli.output import (
    WrongCommand,
    finish,
    near_path,
    note,
    print_json,
    print_line,
    print_table,
    progress_bar,
    start_logging,
)
from clip3d.cli.search_options import ModelOfCollection, Where
from clip3d.cli.session import load_model, put_on_device

if TYPE_CHECKING:
    from clip3d.models.model import Model
    from clip3d.search.collection import Collection
    from clip3d.search.coverage import Coverage
    from clip3d.search.overview import ColumnFacts, NearDuplicates, Overview, Progress

EXAMPLES = o.examples(
    "clip3d stats --db assets.db",
    "clip3d stats --db assets.db --vocabulary words.txt --json",
    "clip3d stats --db fleet.db --counts --where \"split = 'train'\"",
)
LINES = 12  # of a table; all is in the JSON


def stats(
    db: Annotated[str, typer.Option("--db", metavar="DB", help="The collection.")],
    where: Where = None,
    near: Annotated[
        float | None,
        typer.Option("--near", metavar="COSINE", min=0.5, max=1, help="Least cosine of near-duplicates; or 0.98"),
    ] = None,
    vocabulary: Annotated[
        Path | None,
        typer.Option("--vocabulary", metavar="FILE", help="Words to look for, one a line; else common nouns."),
    ] = None,
    counts: Annotated[
        bool, typer.Option("--counts", help="Counts alone: no near-duplicates and no vocabulary.")
    ] = False,
    model: ModelOfCollection = None,
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """What is in a collection: counts, metadata, near-duplicates, and what words fit.

    Each item is given the word of the vocabulary that fits it best, if the model finds that any does; of items with
    several vectors each is told apart. Of more than 100,000 items an even sample is compared, which is said.
    """
    start_logging(quiet=quiet, verbose=verbose)
    if counts and (near is not None or vocabulary is not None):
        raise WrongCommand(f"--counts leaves out what {'--near' if near is not None else '--vocabulary'} is for")
    from clip3d.search.collection import Collection
    from clip3d.search.conditions.where import Condition
    from clip3d.search.coverage import read_vocabulary
    from clip3d.search.overview import NEAR, look_over

    words = [] if counts else read_vocabulary(vocabulary)
    condition = None if where is None else Condition(where)
    loaded = None if model is None else load_model(model, device)
    with Collection(db, loaded, read_only=True) as collection, _stages(quiet=quiet) as progress:
        found = look_over(
            collection.store,
            condition,
            near=None if counts else near or NEAR,
            words=words,
            model=_model_of(collection, device, given=loaded is not None) if words else None,
            progress=progress,
        )
    if as_json:
        print_json(_record(found, db))
    else:
        _show(found, db)
    finish([], found.records)


def _model_of(collection: Collection, device: str, *, given: bool) -> Model | None:
    """The collection's model; None, with a note, where it is not at hand and was not named."""
    from clip3d.errors import ModelError

    if collection.store.header() is None:
        return None
    try:
        put_on_device(collection, device)
        return collection.model
    except ModelError as error:
        if given:
            raise
        note(f"what is in it cannot be told in words: {error}")
        return None


@contextmanager
def _stages(*, quiet: bool) -> Iterator[Progress | None]:
    """A progress function of several stages on one bar."""
    with progress_bar("Looking", quiet=quiet) as bar:
        yield None if bar is None else lambda stage, done, total: bar(done, total)


def _record(found: Overview, db: str) -> dict[str, object]:
    header = found.header
    return {
        "collection": db,
        "items": found.records,
        "contents": found.contents,
        "space": None if header is None else header.space,
        "model": None if header is None else header.model,
        "weights": None if header is None else header.weights,
        "store": dict(found.facts),
        "kinds": dict(found.kinds),
        "formats": dict(found.formats),
        "root": found.root,
        "folders": dict(found.folders),
        "metadata": [_column_record(column) for column in found.columns],
        "sampled": found.sampled,
        "near_duplicates": {name: _duplicates_record(d, found.paths) for name, d in found.duplicates.items()},
        "coverage": {name: _coverage_record(c, found.paths) for name, c in found.coverage.items()},
    }


def _column_record(column: ColumnFacts) -> dict[str, object]:
    return {
        "name": column.name,
        "type": column.type,
        "filled": column.filled,
        "different": None if column.more else len(column.counts),
        "low": column.low,
        "high": column.high,
        "frequent": [{"value": value, "count": count} for value, count in column.counts.most_common(LINES)],
    }


def _duplicates_record(found: NearDuplicates, paths: Mapping[int, str]) -> dict[str, object]:
    largest = [{"size": len(group), "examples": _paths(group[:3], paths)} for group in found.largest]
    return {
        "near": found.near,
        "compared": found.total,
        "groups": found.groups,
        "items": found.items,
        "largest": largest,
    }


def _coverage_record(found: Coverage, paths: Mapping[int, str]) -> dict[str, object]:
    labels = [{"label": c.label, "count": c.count, "examples": _paths(c.examples, paths)} for c in found.labels]
    none = {"count": found.none, "examples": _paths(found.unfit, paths)}
    return {"words": found.words, "looked_at": found.total, "labels": labels, "none": none}


def _paths(ids: Sequence[int], paths: Mapping[int, str]) -> list[str]:
    return [paths[i] for i in ids if i in paths]


def _near(ids: Sequence[int], paths: Mapping[int, str]) -> str:
    return ", ".join(near_path(path) for path in _paths(ids, paths))


def _show(found: Overview, db: str) -> None:
    header, facts = found.header, dict(found.facts)
    rows = [("collection", db), ("items", f"{found.records:,}"), ("different contents", f"{found.contents:,}")]
    if header is not None:
        rows += [("space", header.space), ("model", header.model)]
    rows += [("files below", near_path(found.root))] if found.root else []
    rows += [(name.replace("_", " "), _told(name, value)) for name, value in facts.items() if name != "records"]
    print_table(("what", "value"), rows)
    _counts("kind", found.kinds)
    _counts("format", found.formats)
    _counts("folder", found.folders)
    _columns(found.columns)
    if found.sampled is not None:
        print_line()
        print_line(f"of {found.records:,} items a sample of {found.sampled:,}, evenly spread, was compared")
    for name, duplicates in found.duplicates.items():
        _duplicates(name, duplicates, found.paths)
    for name, coverage in found.coverage.items():
        _coverage(name, coverage, found.paths)


def _told(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_told(key, one)}" for key, one in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("bytes") and isinstance(value, int):
        return f"{value / 1e6:,.1f} MB"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _counts(heading: str, counts: Mapping[str, int]) -> None:
    if not counts:
        return
    print_line()
    rows = [(name, f"{count:,}") for name, count in list(counts.items())[:LINES]]
    rest = list(counts.values())[LINES:]
    rows += [(f"{len(rest)} others", f"{sum(rest):,}")] if rest else []
    print_table((heading, "items"), rows, right=(1,))


def _columns(columns: Sequence[ColumnFacts]) -> None:
    if columns:
        print_line()
        rows = [(c.name, c.type, f"{c.filled:,}", _different(c), _values(c)) for c in columns]
        print_table(("metadata", "type", "items", "different", "values"), rows, right=(2, 3))


def _different(column: ColumnFacts) -> str:
    return f"over {len(column.counts):,}" if column.more else f"{len(column.counts):,}"


def _values(column: ColumnFacts) -> str:
    if column.type == "number" and column.low is not None:
        return f"{column.low:g} to {column.high:g}"
    from clip3d.search.questions.tables import plain_text

    return ", ".join(f"{plain_text(value)[:30]} {count:,}" for value, count in column.counts.most_common(3))


def _duplicates(name: str, found: NearDuplicates, paths: Mapping[int, str]) -> None:
    told = f"{found.groups:,} groups of {found.items:,}" if found.groups else "none"
    print_line()
    print_line(f"near-duplicates among {found.total:,} {name} vectors, cosine at least {found.near:g}: {told}")
    if found.largest:
        rows = [(f"{len(group):,}", _near(group[:2], paths)) for group in found.largest]
        print_table(("size", "such as"), rows, right=(0,))


def _coverage(name: str, found: Coverage, paths: Mapping[int, str]) -> None:
    print_line()
    print_line(f"what the {found.total:,} {name} vectors are, of {found.words:,} words")
    rows = [(c.label, f"{c.count:,}", _near(c.examples[:1], paths)) for c in found.labels[:LINES]]
    rest = found.labels[LINES:]
    rows += [(f"{len(rest)} other words", f"{sum(c.count for c in rest):,}", "")] if rest else []
    if found.none is not None:
        rows.append(("none of these", f"{found.none:,}", _near(found.unfit[:1], paths)))
    print_table(("word", "items", "such as"), rows, right=(1,))

"""`clip3d search --db`: a collection answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clip3d.cli.output import (
    WrongCommand,
    exists,
    finish,
    name_problems,
    near_path,
    note,
    print_json,
    print_line,
    print_table,
)

if TYPE_CHECKING:
    from clip3d.errors import FileProblem
    from clip3d.search.collection import Collection
    from clip3d.search.embedding import Reading
    from clip3d.search.questions.answers import Answers, Hit
    from clip3d.search.questions.locating import Located

WEIGHTED = re.compile(r"(?s)(.+)\^(\d+(?:\.\d+)?)")
STANDARD_OUTPUT = "-"


def query_parts(
    words: Sequence[str], parts: Mapping[str, Sequence[str] | None], sign: str = "--db"
) -> dict[str, list[tuple[str, float]]]:
    """The parts of a query with their weights, from the words of the command and the values of its options.

    Raises:
        WrongCommand: if there are words that cannot belong to a query.
    """
    if len(words) > 1:
        raise WrongCommand(f'with {sign} there are no paths: put all of the query in quotes: "{" ".join(words)}"')
    found = {name: [_weighed(value) for value in values] for name, values in parts.items() if values}
    if words:
        found["text"] = [_weighed(words[0]), *found.get("text", [])]
    return found


def _weighed(value: str) -> tuple[str, float]:
    """A value and its weight, which stands behind it as in `a chair^2`; a file's own name may have one."""
    match = WEIGHTED.fullmatch(value)
    if match is None or exists(value):
        return value, 1.0
    return match[1], float(match[2])


def ask_collection(
    collection: Collection,
    parts: Mapping[str, Any],
    choice: Mapping[str, Any],
    *,
    reading: Reading,
    outputs: Mapping[str, Any],
    show: Sequence[str],
    locate: bool | None,
    no_cache: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Ask a collection, print the answers, and write what else is wanted of them."""
    _refuse_contradictions(to_csv=outputs["csv"] == STANDARD_OUTPUT, as_json=as_json, shows=bool(show))
    from clip3d.models.vector_cache import VectorCache

    cache = VectorCache.disabled() if no_cache else None
    answers = collection.search(**parts, **choice, reading=reading, cache=cache)
    located, problems = _located(answers, collection, outputs, locate)
    if outputs["csv"] == STANDARD_OUTPUT:
        from clip3d.search.questions.answer_files import columns_of_answers
        from clip3d.search.questions.tables import csv_text

        for line in csv_text(columns_of_answers(answers, collection.store.columns())).rstrip("\n").split("\n"):
            print_line(line)
    elif as_json:
        _print_lines(answers, located)
    else:
        _print_table(answers, _columns(show, collection, answers), located)
    if not quiet:
        for text in answers.notes:
            note(text if not text.startswith("nothing here may") else f"{text}; --confident lists only what fits")
    unlinked = _write(answers, collection, outputs, reading, located, quiet=quiet)
    name_problems([*problems, *unlinked])
    if not quiet and not as_json and outputs["csv"] != STANDARD_OUTPUT:
        note(f"collection {answers.collection}; model {answers.model}")
    finish([*problems, *unlinked], max(len(answers) - len(unlinked), 0))


def _located(
    answers: Answers, collection: Collection, outputs: Mapping[str, Any], wanted: bool | None
) -> tuple[dict[int, Located], list[FileProblem]]:
    """Where frames answer, if that is asked for, or shown."""
    shown = outputs["html"] is not None or outputs["pictures"] is not None
    if wanted is False and outputs["pictures"] is not None:
        raise WrongCommand("--pictures show what answered: leave out --no-locate")
    if not (shown if wanted is None else wanted) or all(hit.record.kind != "frame" for hit in answers):
        return {}, []
    from clip3d.search.questions.locating import locate

    return locate(answers, collection.model)


def _refuse_contradictions(*, to_csv: bool, as_json: bool, shows: bool) -> None:
    """WrongCommand for two options of which one would do nothing."""
    if to_csv and as_json:
        raise WrongCommand("--csv - and --json both want stdout: choose one, or write CSV to a file")
    if shows and (to_csv or as_json):
        form = "--csv -" if to_csv else "--json"
        raise WrongCommand(f"--show adds columns to the table; {form} prints all metadata without it")


def _write(
    answers: Answers,
    collection: Collection,
    outputs: Mapping[str, Any],
    reading: Reading,
    located: Mapping[int, Located],
    *,
    quiet: bool,
) -> list[FileProblem]:
    from clip3d.search.questions.answer_files import link_hits, write_answers_page, write_table

    problems = []
    for name in ("csv", "parquet"):
        if outputs[name] is not None and outputs[name] != STANDARD_OUTPUT:
            _told(write_table(outputs[name], answers, collection.store.columns()), quiet)
    if outputs["html"] is not None:
        page = write_answers_page(outputs["html"], answers, collection.store, reading=reading, located=located)
        _told(page, quiet)
    if outputs["pictures"] is not None:
        from clip3d.search.questions.located_pictures import write_located

        write_located(outputs["pictures"], answers, located)
        _told(outputs["pictures"], quiet)
    if outputs["links"] is not None:
        problems = link_hits(outputs["links"], answers)
        _told(outputs["links"], quiet)
    return problems


def _told(path: Path, quiet: bool) -> None:
    if not quiet:
        note(f"wrote {path}")


def _print_lines(answers: Answers, located: Mapping[int, Located]) -> None:
    from clip3d.search.questions.answer_files import record_of_hit

    for hit in answers:
        print_json(record_of_hit(hit, answers, located.get(hit.id)))


def _columns(show: Sequence[str], collection: Collection, answers: Answers) -> list[str]:
    """The columns to show beside the usual ones; WrongCommand for one that no item has."""
    known = ["folder", *(collection.store.columns() if show else ())]
    for name in show:
        if name not in known:
            raise WrongCommand(f"there is no column {name!r} to show; there are: {', '.join(known)}")
    group = answers.query.group
    return list(dict.fromkeys([*([group] if group else []), *show]))


def _print_table(answers: Answers, columns: Sequence[str], located: Mapping[int, Located]) -> None:
    from clip3d.search.questions.answering import value_of

    if not answers.hits:
        print_line(f"nothing found for: {answers.query}")
        return
    headings = ["rank", "score"]
    headings += ["fits"] if answers.query.confident else []
    headings += ["copies"] if answers[0].copies is not None else []
    headings += ["folded"] if any(hit.folded for hit in answers) else []
    numbers = range(len(headings))
    rows = []
    for hit in answers:
        row = [str(hit.rank), f"{hit.score:.3f}"]
        row += [f"{hit.fit:.2f}"] if answers.query.confident and hit.fit is not None else []
        row += [str(hit.copies)] if hit.copies is not None else []
        row += ["" if hit.folded is None else str(hit.folded)] if "folded" in headings else []
        row += [_cell(name, value_of(hit.record, name)) for name in columns]
        row += [_spot(located.get(hit.id))] if located else []
        rows.append([*row, _place(hit)])
    print_table((*headings, *columns, *(["where"] if located else []), "path"), rows, right=tuple(numbers))


def _spot(located: Located | None) -> str:
    """The first box in words: metres away, degrees to the left or right of ahead."""
    if located is None or not located.sweep:
        return "-"
    spot = located.sweep[0].record()
    side = "left" if spot["bearing"] > 0 else "right"
    return f"{spot['distance']:.0f} m, {abs(spot['bearing']):.0f}° {side}"


def _place(hit: Hit) -> str:
    path = near_path(hit.path)
    return f"{path} {hit.part}" if hit.part else path


def _cell(name: str, value: object) -> str:
    if name in ("folder", "path"):
        return near_path(str(value))
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

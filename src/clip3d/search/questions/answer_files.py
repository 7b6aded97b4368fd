"""Answers of a collection as records, as a table, as a page with pictures and as a folder of links."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clip3d.clouds.remote import URI
from clip3d.errors import DataError, FileProblem, ShapeError
from clip3d.search.embedding import Reading
from clip3d.search.page import (
    LEAD,
    Pictures,
    hit_card,
    picture_bytes,
    query_images,
    query_pictures,
    write_html,
)
from clip3d.search.questions.answering import value_of
from clip3d.search.questions.answers import Answers, Hit
from clip3d.search.questions.tables import arrow_columns, metadata_columns, write_csv, write_parquet
from clip3d.search.stores.store import Store, Value

if TYPE_CHECKING:
    from clip3d.search.questions.locating import Located

LIST = ".clip3d-links.json"
UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]')
LONGEST = 150  # characters of a link's name


def record_of_hit(hit: Hit, answers: Answers, located: Located | None = None) -> dict[str, object]:
    """A hit as one JSON object, with where it answers if that was looked for."""
    where = {} if located is None else {"located": located.record()}
    return where | {
        "rank": hit.rank,
        "id": hit.id,
        "path": hit.path,
        "part": hit.part,
        "kind": hit.record.kind,
        "score": round(hit.score, 6),
        "scores": {name: round(score, 6) for name, score in hit.scores.items()},
        "fit": None if hit.fit is None else round(hit.fit, 4),
        "copies": hit.copies,
        "folded": hit.folded,
        "group": hit.group,
        "metadata": dict(hit.record.metadata),
        "model": answers.model,
        "query": str(answers.query),
    }


def columns_of_answers(answers: Answers, names: Iterable[str] = ()) -> dict[str, list[Value]]:
    """Hits as columns: what every hit has, then the metadata, of which `names` are there for all pages alike."""
    columns: dict[str, list[Value]] = {
        "rank": [hit.rank for hit in answers],
        "id": [hit.id for hit in answers],
        "path": [hit.path for hit in answers],
        "part": [hit.part for hit in answers],
        "kind": [hit.record.kind for hit in answers],
        "score": [hit.score for hit in answers],
        "fit": [hit.fit for hit in answers],
        "copies": [hit.copies for hit in answers],
        "group": [hit.group for hit in answers],
    }
    return columns | metadata_columns([hit.record.metadata for hit in answers], names, list(columns))


def write_table(path: str | PathLike[str], answers: Answers, names: Iterable[str] = ()) -> Path:
    """Write hits as CSV or Parquet, as the name of the file ends.

    Args:
        path: the file.
        answers: of a collection.
        names: columns of metadata that are there even if no hit has them, such as `Store.columns`.

    Raises:
        ShapeError: if it ends in neither .csv nor .parquet.
        DataError: if the file cannot be written.
        MissingExtra: for Parquet, if pyarrow is not installed.
    """
    columns, ending = columns_of_answers(answers, names), Path(path).suffix.lower()
    if ending == ".csv":
        return write_csv(path, columns)
    if ending == ".parquet":
        told = {"query": str(answers.query), "model": answers.model, "collection": answers.collection}
        return write_parquet(path, arrow_columns(columns), told)
    raise ShapeError(f"a table of answers is a .csv or a .parquet file, not {Path(path).name}")


def write_answers_page(
    path: str | PathLike[str],
    answers: Answers,
    store: Store,
    *,
    reading: Reading | None = None,
    located: Mapping[int, Located] | None = None,
) -> Path:
    """Write hits to an HTML file with the collection's thumbnails, which needs no other file and no network.

    Args:
        path: the HTML file.
        answers: of a collection.
        store: of the collection.
        reading: how clouds of the query are read for their pictures.
        located: by id where hits answer; these are shown with what camera and lidar saw side by side.

    Raises:
        DataError: if the file cannot be written.
        ImageError: if a picture of the query can no longer be read.
    """
    pictures = store.thumbnails([*(hit.id for hit in answers), *answers.itself])
    shown = located or {}
    cards = "\n".join(_card(hit, pictures, shown.get(hit.id)) for hit in answers)
    wide = " class='wide'" if shown else ""
    listing = f"<ol{wide}>\n{cards}\n</ol>" if answers.hits else "<p>Nothing found.</p>"
    of_query = _of_query(answers, pictures, Pictures(reading or Reading()))
    notes = "".join(f"<p>{escape(text)}</p>\n" for text in (_origin(answers), *answers.notes))
    heading = f"<div class='query'>{of_query}<div><h2>{escape(str(answers.query))}</h2>\n{notes}</div></div>"
    section = f"<section>\n{heading}\n{listing}\n</section>"
    return write_html(path, f"clip3d: {answers.query}", [LEAD], [section])


def _of_query(answers: Answers, thumbnails: Mapping[int, bytes], pictures: Pictures) -> str:
    """What was asked with, as HTML: files' pictures and items' thumbnails."""
    files = {
        kind: [str(wish.value) for wish in answers.query.wanted if wish.kind == kind] for kind in ("image", "cloud")
    }
    items = ((picture_bytes(thumbnails.get(i, b"")), f"Item {i} of the query") for i in answers.itself)
    return query_pictures(files["image"], files["cloud"], pictures) + query_images(items)


def _origin(answers: Answers) -> str:
    where = f"; where {answers.query.where.text}" if answers.query.where else ""
    return f"collection {answers.collection}{where}; model {answers.model}"


def _card(hit: Hit, pictures: Mapping[int, bytes], located: Located | None) -> str:
    if hit.record.kind == "frame":
        return _frame_card(hit, pictures, located)
    said = [f"{name} {value}" for name, value in hit.record.metadata.items()]
    said += [f"{hit.copies} copies"] if hit.copies else []
    name = f"{value_of(hit.record, 'name')} {hit.part}".strip()
    return hit_card(hit.rank, name, hit.path, hit.score, picture_bytes(pictures.get(hit.id, b"")), ", ".join(said))


def _frame_card(hit: Hit, pictures: Mapping[int, bytes], located: Located | None) -> str:
    """A view of a frame: its place in its log, its conditions and what is true of it, and what answered."""
    from clip3d.search.questions.located_pictures import located_jpeg

    facts = hit.record.metadata
    seen = {"camera", "frame", "log", "time", "view", "points", "pictures"}
    said = [name if value is True else f"{name} {value}" for name, value in facts.items()
            if name not in seen and value not in (False, None)]  # fmt: skip
    time = facts.get("time")
    place = [str(facts.get("camera") or facts.get("view") or hit.part)]
    place += [f"{time:.1f} s"] if isinstance(time, int | float) else []
    place += [f"{hit.folded} more views near it in time"] if hit.folded else []
    scores = [f"{name} {score:.3f}" for name, score in hit.scores.items()]
    near = [spot.record() for spot in (located.sweep[:1] if located else ())]
    where = [f"{spot['distance']:.0f} m away, {_aside(spot['bearing'])}" for spot in near]
    picture = picture_bytes(located_jpeg(located) if located else pictures.get(hit.id, b""))
    name = f"{facts.get('log', '')} {facts.get('frame', hit.part)}".strip()
    return hit_card(hit.rank, name, hit.path, hit.score, picture, "; ".join([*place, *where, *scores, *said]))


def _aside(bearing: float) -> str:
    return f"{abs(bearing):.0f}° {'left' if bearing > 0 else 'right'}"


def link_hits(folder: str | PathLike[str], answers: Answers) -> list[FileProblem]:
    """Fill a folder with symbolic links to the files of hits, their names beginning with the rank.

    The folder is made, or is empty, or was filled by this function before; what it wrote then, as a list in the
    folder says, is removed. Nothing else is ever removed or replaced.

    Returns:
        Hits that have no link, since they are remote or gone.

    Raises:
        DataError: if the folder holds other things, or links cannot be made.
    """
    target = Path(folder)
    problems: list[FileProblem] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        _clear(target)
        digits = len(str(max((hit.rank for hit in answers), default=1)))
        links: dict[str, str] = {}
        for hit in answers:
            problem = _problem_of(hit)
            if problem is None:
                links[_link_name(hit, digits)] = hit.path
            else:
                problems.append(problem)
        # said before it is done: a link that is not listed would never be removed
        (target / LIST).write_text(json.dumps([*links]), encoding="utf-8")
        for name, path in links.items():
            (target / name).symlink_to(path)
    except OSError as error:
        remedy = "the file system must know symbolic links"
        raise DataError(target, f"links cannot be made: {error.strerror or error}", remedy) from error
    return problems


def _problem_of(hit: Hit) -> FileProblem | None:
    if URI.match(hit.path):
        return DataError(hit.path, "it is remote and cannot be linked to")
    return None if Path(hit.path).exists() else DataError(hit.path, "the file is gone", "index its folder again")


def _link_name(hit: Hit, digits: int) -> str:
    name = UNSAFE.sub("_", str(value_of(hit.record, "name")))
    part = UNSAFE.sub("_", hit.part)
    stem, dot, suffix = name.rpartition(".")
    marked = f"{stem}-{part}{dot}{suffix}" if part and dot else f"{name}-{part}" if part else name
    return f"{hit.rank:0{digits}d}-{marked[-LONGEST:]}"


def _clear(target: Path) -> None:
    """Remove the links of an earlier run; DataError if there is anything else."""
    mine = _listed(target / LIST)
    others = [path for path in sorted(target.iterdir()) if path.name != LIST]
    foreign = [path.name for path in others if not (path.name in mine and path.is_symlink())]
    if foreign:
        remedy = "name a new or an empty folder"
        raise DataError(target, f"it holds {len(foreign)} other things, such as {foreign[0]}", remedy)
    for path in target.iterdir():
        path.unlink()


def _listed(path: Path) -> set[str]:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    return {name for name in found if isinstance(name, str)} if isinstance(found, list) else set()

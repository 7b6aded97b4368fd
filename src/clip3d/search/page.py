"""Answers as one HTML file: pictures inside, nothing fetched, readable in light and dark."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from clip3d.atomic import replacing
from clip3d.clouds.remote import as_path, local_copy
from clip3d.errors import DataError, FileProblem
from clip3d.search.adhoc import Hit, SearchResult
from clip3d.search.embedding import Reading, read_thinned
from clip3d.search.pictures import is_picture, open_image

PathName = str | PathLike[str]

PICTURE = 224  # pixels
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
MOST_BYTES = 2_000_000  # of a picture that is put into a page as it is

LEAD = (
    "The score is the cosine of query and object after the mean of the space is subtracted; it ranks, it is no "
    "probability."
)

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #57606a; --paper: #fff; --card: #f6f8fa; --line: #d0d7de;
  --bar: #0969da; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9198a1; --paper: #0d1117; --card: #161b22;
  --line: #30363d; --bar: #4493f8; } }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1em; font: 16px/1.5 system-ui, sans-serif; color:
  var(--ink); background: var(--paper); }
section { margin: 2.5rem 0; } h2 { margin-bottom: .2rem; } p { color: var(--dim); margin: .2rem 0 1rem; }
.query { display: flex; gap: 1rem; align-items: flex-end; margin-bottom: 1rem; }
.query img { width: 9rem; border-radius: 8px; border: 1px solid var(--line); }
ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1rem; list-style: none;
  padding: 0; }
ol.wide { grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)); } ol.wide li img { aspect-ratio: auto; }
li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .6rem; }
li img, .none { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 6px; display: block; }
.none { display: grid; place-items: center; color: var(--dim); }
.name { font-weight: 600; } .path { color: var(--dim); font-size: .8rem; } .name, .path { overflow-wrap: anywhere; }
.track, .bar { height: 6px; border-radius: 3px; background: var(--line); } .bar { background: var(--bar); }
.score { font-variant-numeric: tabular-nums; }
"""


@dataclass(frozen=True)
class Answer:
    """A result to show, with the files of its query, if any, and a heading if the query's own words will not do."""

    result: SearchResult
    image: str | PathLike[str] | None = None
    like: str | PathLike[str] | None = None
    heading: str = ""

    @property
    def title(self) -> str:
        """The heading, or the query in words."""
        return self.heading or self.result.query


def write_page(
    path: str | PathLike[str],
    title: str,
    answers: Sequence[Answer],
    *,
    reading: Reading | None = None,
    names: Mapping[Path, str] | None = None,
) -> Path:
    """Write answers to an HTML file that needs no other file and no network, whole or not at all.

    Args:
        path: the HTML file.
        title: of the page.
        answers: one section each, in order.
        reading: how the clouds are read for their pictures.
        names: what to call a file; its own name otherwise.

    Raises:
        DataError: if the file cannot be written.
    """
    pictures = Pictures(reading or Reading())
    sections = [_section(answer, pictures, names or {}) for answer in answers]
    return write_html(path, title, [LEAD], sections)


def write_html(
    path: str | PathLike[str], title: str, paragraphs: Sequence[str], sections: Sequence[str]
) -> Path:
    """Write a page in the style of this package that needs no other file and no network, whole or not at all.

    Args:
        path: the HTML file.
        title: of the page, as text.
        paragraphs: under the title, as text.
        sections: as HTML.

    Raises:
        DataError: if the file cannot be written.
    """
    target = Path(path)
    try:
        with replacing(target) as temporary:
            temporary.write_text(_page(title, paragraphs, sections), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise DataError(target, f"it cannot be written: {error.strerror or error}") from error
    return target


def picture_type(data: bytes | None) -> Literal["image/png", "image/jpeg"] | None:
    """What a small picture is, told by how it begins; None for anything but PNG and JPEG."""
    if data is None:
        return None
    return "image/png" if data.startswith(PNG) else "image/jpeg" if data.startswith(JPEG) else None


def picture_bytes(data: bytes) -> str | None:
    """A small PNG or JPEG as the address of an image element; None for anything else."""
    kind = picture_type(data)
    if kind is None or len(data) > MOST_BYTES:
        return None
    return f"data:{kind};base64," + base64.b64encode(data).decode("ascii")


def picture_data(picture: Any) -> str:
    """A PIL image as the address of an image element: a PNG in the page itself."""
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


class Pictures:
    """Pictures of the files of queries and answers as data, each drawn once."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.drawn: dict[Path, str | None] = {}

    def of_file(self, path: Path) -> str | None:
        """A picture of a cloud file, or a picture's own, or None if it can no longer be read."""
        if path not in self.drawn:
            self.drawn[path] = self._draw(path)
        return self.drawn[path]

    def _draw(self, path: Path) -> str | None:
        from PIL import Image

        from clip3d.render.splat import splat_cutout

        try:
            if is_picture(path):
                return _of_image(path)
            cloud = read_thinned(path, self.reading).z_up()
        except FileProblem:
            return None
        picture = splat_cutout(cloud.points, cloud.colors, cloud.normals, size=PICTURE)
        return picture_data(Image.fromarray(picture))


def _of_image(path: str | PathLike[str]) -> str:
    with local_copy(as_path(path)) as place:
        picture = open_image(place).convert("RGBA")
    picture.thumbnail((2 * PICTURE, 2 * PICTURE))
    return picture_data(picture)


def _section(answer: Answer, pictures: Pictures, names: Mapping[Path, str]) -> str:
    result = answer.result
    images, likes = ([] if file is None else [file] for file in (answer.image, answer.like))
    hits = "\n".join(_hit(hit, pictures.of_file(hit.path), names) for hit in result.hits)
    listing = f"<ol>\n{hits}\n</ol>" if result.hits else "<p>Nothing found.</p>"
    asked = query_pictures(images, likes, pictures)
    return (
        f"<section>\n<div class='query'>{asked}<div><h2>{_text(answer.title)}</h2>\n"
        f"<p>{result.searched} objects compared; model {_text(result.model)}</p></div></div>\n{listing}\n</section>"
    )


def query_pictures(images: Iterable[PathName], likes: Iterable[PathName], pictures: Pictures) -> str:
    """The pictures and shapes that a query was asked with, as HTML.

    Raises:
        ImageError: if a picture can no longer be read.
    """
    shown: list[tuple[str | None, str]] = [(_of_image(image), "The picture of the query") for image in images]
    shown += [(pictures.of_file(as_path(like)), "The shape of the query") for like in likes]
    return query_images(shown)


def query_images(shown: Iterable[tuple[str | None, str]]) -> str:
    """Addresses of image elements, with what they show, as HTML; None is left out."""
    return "".join(f"<img src='{source}' alt='{_text(alt)}'>" for source, alt in shown if source)


def _hit(hit: Hit, picture: str | None, names: Mapping[Path, str]) -> str:
    return hit_card(hit.rank, names.get(hit.path, hit.path.name), str(hit.path), hit.score, picture)


def hit_card(rank: int, name: str, path: str, score: float, picture: str | None, notes: str = "") -> str:
    """One hit of a list as HTML.

    Args:
        rank: its place from 1.
        name: what it is called.
        path: where it lies.
        score: in [-1, 1].
        picture: address of an image element, such as `picture_data` gives; None for none.
        notes: what else there is to say, as text.
    """
    image = "<div class='none'>no picture</div>"
    if picture:
        image = f"<img src='{picture}' alt='Answer {rank}: {_text(name)}'>"
    width = 100 * min(max(score, 0.0), 1.0)
    said = f"<div class='path'>{_text(notes)}</div>\n" if notes else ""
    return (
        f"<li>{image}\n<div class='name'>{rank}. {_text(name)}</div>\n<div class='path'>{_text(path)}</div>\n{said}"
        f"<div class='score'>{score:.3f}</div>"
        f"<div class='track' aria-hidden='true'><div class='bar' style='width:{width:.1f}%'></div></div></li>"
    )


def _page(title: str, paragraphs: Sequence[str], sections: Sequence[str]) -> str:
    lead = "".join(f"<p>{_text(paragraph)}</p>\n" for paragraph in paragraphs)
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        "<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{_text(title)}</h1>\n"
        + lead
        + "\n".join(sections)
        + "\n</body>\n</html>\n"
    )


def _text(value: object) -> str:
    return escape(str(value), quote=True)

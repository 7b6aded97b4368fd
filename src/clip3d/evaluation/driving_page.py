"""Labelled objects of driving logs, each with its picture and what it was taken for, as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from clip3d.evaluation.driving_frames import SeenObject
from clip3d.evaluation.driving_report import DrivingReport, protocol_line
from clip3d.search.page import picture_bytes, write_html

MOST = 2000  # objects of a page


def write_objects(path: str | PathLike[str], found: DrivingReport, objects: Sequence[SeenObject]) -> Path:
    """Write a page that needs no other file and no network, whole or not at all.

    Args:
        path: the HTML file.
        found: the report of these objects.
        objects: n that were seen, of which the first 2,000 are shown.

    Raises:
        DataError: if the file cannot be written.
    """
    shown = list(zip(found.listed, objects, strict=True))[:MOST]
    sections = []
    for kind in dict.fromkeys(told["class"] for told, _ in shown):
        items = "\n".join(_item(told, one.picture) for told, one in shown if told["class"] == kind)
        sections.append(f"<section>\n<h2>{escape(kind)}</h2>\n<ol>\n{items}\n</ol>\n</section>")
    reading = "Under each class its objects, each with the answers of every way to name it; right ones are in bold."
    if len(shown) < len(objects):
        reading += f" The first {len(shown):,} of {len(objects):,} objects are shown."
    facts = f"model {found.model}; {protocol_line(found.protocol)}"
    return write_html(path, "Objects of driving logs", [facts, reading], sections)


def _item(told: Mapping[str, Any], picture: bytes | None) -> str:
    address = None if picture is None else picture_bytes(picture)
    seen = f"<img src='{address}' alt=''>" if address else "<div class='none'>no picture</div>"
    place = f"{told['log']}, frame {told['frame']}, {told['camera']}"
    facts = f"{place}; {told['distance']:.1f} m, {told['points']} points"
    answers = "\n".join(_answer(way, answer, told["class"]) for way, answer in told["answers"].items())
    return (
        f"<li>{seen}\n<div class='name'>{escape(told['label'])}</div>\n"
        f"<div class='path'>{escape(facts)}</div>\n{answers}</li>"
    )


def _answer(way: str, answer: str, right: str) -> str:
    said = f"<b>{escape(answer)}</b>" if answer == right else escape(answer)
    return f"<div class='path'>{escape(way)}: {said}</div>"

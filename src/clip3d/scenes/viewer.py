"""Answers as one HTML file: the scene to be turned and walked about, with a list of what was found in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.errors import DataError
from clip3d.scenes.files import EDGES, shown_voxels
from clip3d.scenes.marks import Mark, marked_voxels, paint
from clip3d.scenes.scene import Scene

MOST_VOXELS = 250_000
STEPS = 65_535  # of a coordinate along the longest side


def write_viewer(
    path: str | PathLike[str], scene: Scene, marks: Sequence[Mark], title: str, notes: Sequence[str] = ()
) -> Path:
    """Write the scene with its answers to a page that needs no other file and no network, whole or not at all.

    The page draws points with WebGL: drag to turn, wheel to come near, right drag to shift, click an answer.

    Args:
        path: the HTML file.
        scene: of which at most 250,000 voxels are shown, without the ceiling.
        marks: what was found, each with a box and a line in the list.
        title: of the page.
        notes: lines above the list, such as which questions found nothing.

    Raises:
        DataError: if the file cannot be written.
    """
    target = Path(path)
    try:
        with replacing(target) as temporary:
            temporary.write_text(_page(scene, marks, title, notes), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise DataError(target, f"it cannot be written: {error.strerror or error}") from error
    return target


def _page(scene: Scene, marks: Sequence[Mark], title: str, notes: Sequence[str]) -> str:
    template = files("clip3d.scenes").joinpath("viewer.html").read_text(encoding="utf-8")
    said = "".join(f"<p>{escape(note)}</p>" for note in notes)
    data = json.dumps(_data(scene, marks)).replace("<", "\\u003c")
    head, middle, tail = template.replace("@TITLE@", escape(title)).partition("@NOTES@")
    return head + said + (middle and tail).replace("@DATA@", data)


def _data(scene: Scene, marks: Sequence[Mark]) -> dict[str, object]:
    parted = scene.parted
    marked = marked_voxels(scene, marks)
    index = shown_voxels(scene, MOST_VOXELS, marked)
    points = parted.points[index]
    low = points.min(axis=0) if len(points) else np.zeros(3, np.float32)
    longest = float(max(np.ptp(points, axis=0).max(), 1e-3)) if len(points) else 1.0
    whole = parted.colors if parted.colors is not None else None
    own = None if whole is None else whole[index]
    answers = []
    for mark in marks:
        box = parted.parts[mark.instance.part].box
        corners = box.corners()
        answers.append(
            {
                "title": mark.title,
                "score": round(mark.instance.score, 3),
                "color": [round(float(c), 3) for c in mark.color],
                "size": [round(float(side), 2) for side in box.size],
                "center": [round(float(c), 3) for c in box.center],
                "edges": np.round(corners[np.array(EDGES).ravel()], 3).ravel().tolist(),
            }
        )
    return {
        "count": len(index),
        "low": [float(v) for v in low],
        "scale": longest / STEPS,
        "spacing": float(parted.grid.size),
        "points": _text(np.rint((points - low) * (STEPS / longest)).astype("<u2")),
        "own": _text(_bytes(own if own is not None else np.full((len(index), 3), 0.8, np.float32))),
        "colors": _text(_bytes(paint(own, marked[index], list(marks)))),
        "answers": answers,
    }


def _bytes(colors: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(np.clip(colors, 0, 1) * 255).astype(np.uint8)


def _text(array: NDArray[np.generic]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")

"""The most confident wrong answers of a zero-shot classification, as one HTML file with pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from clip3d.clouds.cloud import PointCloud
from clip3d.evaluation.zero_shot import ZeroShotReport
from clip3d.search.page import PICTURE, picture_data, write_html
from clip3d.spaces import Space, rank

PER_CLASS = 4
SHOWN = 3  # labels of an answer


@dataclass(frozen=True)
class Failure:
    """One wrong answer.

    Attributes:
        index: of the object in its data.
        wanted: the right label.
        ranked: labels with their probabilities, best first: the first few, and the right one in any case.
    """

    index: int
    wanted: str
    ranked: tuple[tuple[str, float], ...]

    @property
    def given(self) -> str:
        """The label that the model gave."""
        return self.ranked[0][0]


def most_confident_failures(
    report: ZeroShotReport, labels: Sequence[int], space: Space, *, per_class: int = PER_CLASS
) -> list[Failure]:
    """For each class the wrong answers with the highest probability, classes in order.

    Args:
        report: of a zero-shot classification.
        labels: index of the right class of every object of the data.
        space: of the model, for its probabilities.
        per_class: how many at most.
    """
    classes = list(report.per_class)
    right = np.asarray(labels)[report.rows]
    probability = space.probabilities(report.scores)
    given, sure = report.scores.argmax(1), probability.max(1)
    found = []
    for c in range(len(classes)):
        wrong = np.flatnonzero((right == c) & (given != c))
        for i in wrong[rank(sure[wrong], per_class)]:
            best = [int(j) for j in rank(report.scores[i], SHOWN)]
            shown = best if c in best else [*best, c]
            ranked = tuple((classes[j], float(probability[i, j])) for j in shown)
            found.append(Failure(int(report.rows[i]), classes[c], ranked))
    return found


def write_failures(
    path: str | PathLike[str],
    report: ZeroShotReport,
    failures: Sequence[Failure],
    draw: Callable[[int], Any],
) -> Path:
    """Write a page of failures that needs no other file and no network, whole or not at all.

    Args:
        path: the HTML file.
        report: that they come from, for its heading.
        failures: in the order in which they are shown, those of a class together.
        draw: a PIL image of the object of an index.

    Raises:
        DataError: if the file cannot be written.
    """
    sections = []
    for name, value in report.per_class.items():
        own = [failure for failure in failures if failure.wanted == name]
        if own:
            items = "\n".join(_item(failure, draw(failure.index)) for failure in own)
            right = "" if value is None else f"<p>{100 * value:.0f} % right</p>\n"
            sections.append(f"<section>\n<h2>{escape(name)}</h2>\n{right}<ol>\n{items}\n</ol>\n</section>")
    title = f"Most confident wrong answers: {report.protocol['data']}"
    facts = (
        f"accuracy {100 * report.accuracy:.2f} %, class mean {100 * report.class_mean:.2f} %, n {report.n}; "
        f"model {report.model}; prompts: {'; '.join(report.protocol['prompts'])}"
    )
    reading = (
        "Under each class the wrong answers to it, the surest first, with probabilities among all labels; the "
        "right label is in bold."
    )
    return write_html(path, title, [facts, reading], sections)


def drawn(cloud: PointCloud) -> Any:
    """A picture of a cloud on clear ground, as a PIL image."""
    from PIL import Image

    from clip3d.render.splat import splat_cutout

    cloud = cloud.z_up()
    return Image.fromarray(splat_cutout(cloud.points, cloud.colors, size=PICTURE))


def _item(failure: Failure, picture: Any) -> str:
    shares = "\n".join(_share(label, value, failure.wanted) for label, value in failure.ranked)
    alt = f"{failure.wanted}, taken for {failure.given}"
    picture = picture.convert("RGBA")
    picture.thumbnail((PICTURE, PICTURE))
    return (
        f"<li><img src='{picture_data(picture)}' alt='{escape(alt, quote=True)}'>\n"
        f"<div class='name'>{escape(failure.given)}</div>\n"
        f"<div class='path'>wanted: {escape(failure.wanted)}; number {failure.index}</div>\n{shares}</li>"
    )


def _share(label: str, value: float, wanted: str) -> str:
    name = f"<b>{escape(label)}</b>" if label == wanted else escape(label)
    return (
        f"<div class='score'>{value:.3f} {name}</div>"
        f"<div class='track' aria-hidden='true'><div class='bar' style='width:{100 * value:.1f}%'></div></div>"
    )

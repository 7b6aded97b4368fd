"""A page of scenes: what a camera saw, and from above what the lidar saw of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clip3d.data.driving_shots import Shot
from clip3d.errors import Clip3dError
from clip3d.lidar.frustum import Frustum
from clip3d.lidar.views import views
from clip3d.search.page import hit_card, picture_data, write_html

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 160  # pixels of either picture
REACH = 40.0  # metres shown ahead, and half as many to either side


@dataclass(frozen=True, eq=False)
class Hits:
    """Scenes under a heading.

    Attributes:
        title: of them.
        shots: best first.
        scores: of each.
        notes: what else is said of each; nothing if empty.
    """

    title: str
    shots: Sequence[Shot]
    scores: Sequence[float]
    notes: Sequence[str] = ()


def write_hits(path: Path, title: str, lead: str, hits: Sequence[Hits], tell: Callable[[str], None]) -> Path:
    """Write the page, whole or not at all; a picture that cannot be read is told and left out.

    Raises:
        DataError: if the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    reading = "Beside each picture what the lidar saw of it, from above, the vehicle at the bottom, up to 40 m."
    return write_html(path, title, [lead, reading], [_section(one, tell) for one in hits])


def _section(hits: Hits, tell: Callable[[str], None]) -> str:
    notes = hits.notes or [""] * len(hits.shots)
    rows = zip(hits.shots, hits.scores, notes, strict=True)
    cards = [_card(rank, *row, tell) for rank, row in enumerate(rows, 1)]
    return f"<section>\n<h2>{escape(hits.title)}</h2>\n<ol>\n" + "\n".join(cards) + "\n</ol>\n</section>"


def _card(rank: int, shot: Shot, score: float, note: str, tell: Callable[[str], None]) -> str:
    picture = None
    try:
        (view,) = views(shot.load(), cameras=[shot.camera])
        picture = picture_data(side_by_side(view.image, view.frustum))
    except (Clip3dError, ValueError) as problem:
        tell(f"{shot.frame}: {problem}")
    return hit_card(rank, shot.frame, f"{shot.drive}, {shot.camera}", score, picture, note)


def side_by_side(picture: Image, seen: Frustum) -> Image:
    """A picture and beside it the points of its frustum from above, light on dark, brighter where higher."""
    from PIL import Image as Images

    above = np.full((SIDE, SIDE), 20, np.uint8)
    x, y, z = seen.points[:, :3].T
    order = np.argsort(z, kind="stable")
    row = SIDE - 1 - np.floor(x[order] / REACH * SIDE).astype(int)
    column = np.floor((0.5 - y[order] / REACH) * SIDE).astype(int)
    inside = (row >= 0) & (row < SIDE) & (column >= 0) & (column < SIDE)
    above[row[inside], column[inside]] = np.clip(120 + 45 * z[order][inside], 70, 255).astype(np.uint8)
    both = Images.new("RGB", (2 * SIDE, SIDE))
    both.paste(picture.resize((SIDE, SIDE)), (0, 0))
    both.paste(Images.fromarray(above).convert("RGB"), (SIDE, 0))
    return both

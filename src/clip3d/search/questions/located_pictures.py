"""Hits of frames as pictures: what the camera saw and the sweep from above, side by side, what answered boxed."""

from __future__ import annotations

import io
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from clip3d.atomic import replacing
from clip3d.errors import DataError
from clip3d.render.bird_eye import MARK, bird_eye
from clip3d.search.questions.answer_files import LONGEST, UNSAFE
from clip3d.search.questions.answers import Answers
from clip3d.search.questions.locating import Located

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE = 360
GAP = 6
QUALITY = 85


def draw_located(located: Located, size: int = SIZE) -> Image:
    """The camera's crop on the left, where there is one, the sweep on the right: `size` pixels high."""
    from PIL import Image as Images

    above = bird_eye(located.points, [spot.box for spot in located.sweep], seen=located.seen, size=size)
    if located.crop is None:
        return above
    both = Images.new("RGB", (2 * size + GAP, size), "white")
    both.paste(_marked(located, located.crop, size), (0, 0))
    both.paste(above, (size + GAP, 0))
    return both


def located_jpeg(located: Located) -> bytes:
    """The same as JPEG."""
    stream = io.BytesIO()
    draw_located(located).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def write_located(folder: str | PathLike[str], answers: Answers, located: Mapping[int, Located]) -> list[Path]:
    """Write a picture of each hit that was located, named by its rank, log and part: `01-drive-000012#front.jpg`.

    Raises:
        DataError: if the folder cannot be made, or a picture not be written.
    """
    place, written = Path(folder), []
    digits = max(2, len(str(max((hit.rank for hit in answers), default=1))))
    try:
        place.mkdir(parents=True, exist_ok=True)
        for hit in answers:
            if hit.id in located:
                name = UNSAFE.sub("_", f"{hit.rank:0{digits}d}-{Path(hit.path).name}-{hit.part}")[:LONGEST]
                with replacing(place / f"{name}.jpg") as temporary:
                    temporary.write_bytes(located_jpeg(located[hit.id]))
                written.append(place / f"{name}.jpg")
    except OSError as error:
        raise DataError(place, f"pictures cannot be written there: {error.strerror or error}") from error
    return written


def _marked(located: Located, crop: Image, size: int) -> Image:
    from PIL import ImageDraw

    picture = crop.convert("RGB").resize((size, size))
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = located.region
    own = [spot for spot in located.picture if spot.camera == located.camera]
    for place in range(len(own) - 1, -1, -1):
        x0, y0, x1, y1 = own[place].rectangle
        across, down = size / (right - left), size / (bottom - top)
        edges = ((x0 - left) * across, (y0 - top) * down, (x1 - left) * across - 1, (y1 - top) * down - 1)
        draw.rectangle(edges, outline=MARK, width=3 if place == 0 else 1)
    return picture

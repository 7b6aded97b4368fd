"""Pictures on meshes, decoded within a budget, since a small file can hold a huge picture."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 64 * 1024**2
MAX_TOTAL_PIXELS = 160 * 1024**2
KEPT_SIDE = 2048
# Only decoders that work on pixels: Pillow's EPS reader, for one, would start another program.
FORMATS = ("PNG", "JPEG", "BMP", "TGA", "WEBP", "GIF")


class PictureDecoder:
    """Decodes the pictures of one model file; a picture that is broken or beyond the budget is None."""

    def __init__(self) -> None:
        self._pixels_left = MAX_TOTAL_PIXELS

    def decode(self, data: bytes) -> NDArray[np.uint8] | None:
        """The picture as (h, w, 3) uint8 sRGB, its sides at most 2048 pixels, row 0 on top."""
        from PIL import Image

        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                if not 0 < width * height <= min(MAX_PIXELS, self._pixels_left):
                    return None
                self._pixels_left -= width * height
                small = (min(width, KEPT_SIDE), min(height, KEPT_SIDE))
                image.draft("RGB", small)
                if image.size != small:
                    return np.asarray(image.resize(small, Image.Resampling.NEAREST).convert("RGB"), dtype=np.uint8)
                return np.asarray(image.convert("RGB"), dtype=np.uint8)
        except Exception:  # noqa: BLE001 - a decoder can raise anything on hostile bytes; the material's colour remains
            return None

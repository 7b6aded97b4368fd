"""Pictures in files: read for a query, or searched among by a model that has no cloud tower."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from clip3d.clouds.discovery import Found, Kind, find_files
from clip3d.errors import ImageError

PathName = str | PathLike[str]

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tga", ".tif", ".tiff", ".webp")
HINT = "; a model without a cloud tower, as this is, looks at pictures alone"
PICTURES = Kind("picture", SUFFIXES, ImageError, HINT)


def find_pictures(paths: PathName | Iterable[PathName]) -> Found:
    """List the pictures among paths, or of one path, by their suffixes, as `find_clouds` does clouds."""
    return find_files(paths, PICTURES)


def is_picture(path: PathName) -> bool:
    """Whether a file is named as a picture."""
    return Path(path).suffix.lower() in SUFFIXES


def open_image(path: PathName) -> Any:
    """A picture (PNG, JPEG, WebP, GIF, BMP, TGA, TIFF, PPM) as a PIL image, turned as its orientation tag says.

    Grey in 16 bits becomes grey in 8, which Pillow's own conversion would make white.

    Raises:
        ImageError: if it is missing, no picture, damaged, or larger than Pillow takes for safe, or its numbers are
            no brightness of 8 or 16 bits.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    from clip3d.clouds.formats.pictures import FORMATS

    try:
        with Image.open(path, formats=(*FORMATS, "TIFF", "PPM")) as picture:
            picture.load()
            turned = ImageOps.exif_transpose(picture)
    except FileNotFoundError as error:
        raise ImageError(path, "there is no such file", "check the spelling of the path") from error
    except UnidentifiedImageError as error:
        raise ImageError(path, "it is not a picture of a known format", "use PNG, JPEG or WebP") from error
    except Exception as error:  # a decoder can raise anything on hostile bytes
        raise ImageError(path, f"it cannot be read: {error}", "save it again as PNG or JPEG") from error
    return _in_8_bits(path, turned) if turned.mode[0] in "IF" else turned


def _in_8_bits(path: PathName, picture: Any) -> Any:
    """Grey in 8 bits from one of Pillow's modes of longer numbers."""
    import numpy as np
    from PIL import Image

    grey = np.asarray(picture)
    if picture.mode == "F" or grey.min() < 0 or grey.max() >= 2**16:
        reason = "its numbers are no brightness of 8 or 16 bits"
        raise ImageError(path, reason, "save it again as PNG or JPEG")
    return Image.fromarray((grey // 2**8).astype(np.uint8))

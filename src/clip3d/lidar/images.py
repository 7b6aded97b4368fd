"""Pictures of cameras: opened within bounds, and measured without being decoded."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from clip3d.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
MAX_PIXELS = 128 * 1024**2
MAX_BYTES = 256 * 1024**2
REMEDY = "it may be damaged or cut short: copy it again"


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture file, from its first bytes.

    Raises:
        ImageError: if it is missing or no picture.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.size
    except FileNotFoundError as error:
        raise ImageError(path, "there is no such file") from error
    except Exception as error:  # a decoder can raise anything on hostile bytes
        raise ImageError(path, "it is no picture that can be read", REMEDY) from error


def open_picture(path: Path, size: tuple[int, int] | None = None) -> Image:
    """A picture file in RGB.

    Args:
        path: JPEG, PNG, WebP or BMP.
        size: width and height that its calibration is for.

    Raises:
        ImageError: if it is missing, damaged, too large or of another size.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(path, f"it holds more than {MAX_BYTES:,} bytes", "no camera's picture is as large")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(path, "there is no such file", "copy the log again with all its files") from error
    except OSError as error:
        reason = f"it cannot be opened: {error.strerror or error}"
        raise ImageError(path, reason, "check its permissions") from error
    return decode_picture(data, path, size)


def decode_picture(data: bytes, path: Path, size: tuple[int, int] | None = None) -> Image:
    """The picture, RGB, in the bytes of a file.

    Args:
        data: of a JPEG, PNG, WebP or BMP.
        path: what errors name.
        size: see `open_picture`, as for what it raises.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width * height <= MAX_PIXELS and (size is None or image.size == size):
                return image.convert("RGB")
    except Exception as error:  # a decoder can raise anything on hostile bytes
        detail = " ".join(str(error).split())[:120]
        raise ImageError(path, f"it is no picture that can be read: {detail}", REMEDY) from error
    if width * height > MAX_PIXELS:
        raise ImageError(path, f"it has {width:,} x {height:,} pixels, more than {MAX_PIXELS:,}", "scale it down")
    assert size is not None
    reason = f"it has {width} x {height} pixels, but its calibration is for {size[0]} x {size[1]}"
    raise ImageError(path, reason, "scale the intrinsics as the picture was scaled, and give its size")


def opener(path: Path, size: tuple[int, int] | None = None) -> Callable[[], Image]:
    """What opens a picture when it is asked for."""
    return partial(open_picture, path, size)

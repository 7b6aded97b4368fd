"""Pictures of objects on disk: where those of one object lie, how many there are, and reading one."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ImageError

Picture = NDArray[np.uint8]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
FORMATS = ("PNG", "JPEG", "WEBP")
REMEDY = "render or save it again"
MAX_PIXELS = 16 * 2**20
MAX_BYTES = 64 * 2**20
MAX_VIEWS = 1000  # pictures of one object that are looked at
NAME_LETTERS = 60
SETTINGS = "renders.json"
DEPTH_MARK = "_depth0"


def folder_of(key: str) -> str:
    """Name of the folder of an object's pictures: readable, safe on every system, and of no other key."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", key)[-NAME_LETTERS:].strip("-")
    return f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:12]}".lstrip("-")


def rendered_place(key: str) -> tuple[str, ...]:
    """Where `clip3d data render` puts the pictures of an object."""
    return (folder_of(key),)


class PictureFolders:
    """The pictures of a set of objects, a folder each; or none at all.

    Args:
        root: folder that all of them lie in, or None if there are no pictures; nothing outside it is opened.
        places: names of the folders below `root` in which the pictures of a key may lie; the first that is there
            counts.
    """

    def __init__(self, root: Path | None, places: Callable[[str], Sequence[str]] = rendered_place) -> None:
        self.root = root
        self._places = places
        self._found: dict[str, tuple[Path, ...]] = {}

    def files(self, key: str) -> tuple[Path, ...]:
        """The picture files of an object, in the order of their names; none if it has no folder."""
        if key not in self._found:
            self._found[key] = () if self.root is None else self._find(self.root.resolve(), key)
        return self._found[key]

    def read(self, key: str, view: int) -> Picture:
        """One picture (h, w, 3) sRGB.

        Raises:
            ImageError: if it is missing or damaged.
        """
        files = self.files(key)
        if not 0 <= view < len(files):
            remedy = "make some with `clip3d data render`"
            raise ImageError(self.root or key, f"{key} has {len(files)} pictures, so none of number {view}", remedy)
        return read_picture(files[view])

    def protocol(self) -> dict[str, Any]:
        """How the pictures were made, where their folder says so, and a digest of that; empty without pictures."""
        if self.root is None:
            return {}
        settings = self.root / SETTINGS
        made = {"renders_sha256": hashlib.sha256(settings.read_bytes()).hexdigest()} if settings.is_file() else {}
        return {"pictures": {"folder": self.root.name, **made}}

    def _find(self, root: Path, key: str) -> tuple[Path, ...]:
        for place in self._places(key):
            folder = (root / place).resolve()
            if folder.is_relative_to(root) and folder != root and folder.is_dir():
                names = sorted(entry.name for entry in os.scandir(folder) if _is_picture(entry))
                return tuple(folder / name for name in names[:MAX_VIEWS])
        return ()


def read_picture(path: Path) -> Picture:
    """A PNG, JPEG or WebP file as (h, w, 3) sRGB; what is transparent shows white.

    Raises:
        ImageError: if it is missing, damaged, or larger than 16 megapixels or 64 MiB.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise ImageError(path, "there is no such picture", "render it again") from error
    except OSError as error:
        reason = f"it cannot be opened: {error.strerror or error}"
        raise ImageError(path, reason, "check its permissions") from error
    return decode_picture(data, path)


def decode_picture(data: bytes, path: Path) -> Picture:
    """As `read_picture`, from a file's content; `path` names it in errors."""
    from PIL import Image, UnidentifiedImageError

    from clip3d.models.preprocess import as_rgb

    if len(data) > MAX_BYTES:
        raise ImageError(path, f"it holds more than {MAX_BYTES:,} bytes", "make it smaller")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height <= MAX_PIXELS:
                return np.asarray(as_rgb(image, 1.0), dtype=np.uint8)
            size = f"{image.width} x {image.height}"
    except UnidentifiedImageError as error:
        reason = f"it cannot be read: it is none of {', '.join(FORMATS)}, or is cut short"
        raise ImageError(path, reason, REMEDY) from error
    except Exception as error:  # a decoder can raise anything on hostile bytes
        raise ImageError(path, f"it cannot be read: {error}", REMEDY) from error
    raise ImageError(path, f"it has {size} pixels, more than {MAX_PIXELS:,}", "make it smaller")


def _is_picture(entry: os.DirEntry[str]) -> bool:
    """Whether it is a picture in colour: ULIP's depth pictures lie beside them."""
    name = entry.name.lower()
    if not name.endswith(SUFFIXES) or name.startswith(".") or DEPTH_MARK in name:
        return False
    return entry.is_file(follow_symlinks=False)

"""The files that a model file names: opened only when they lie inside its own folder."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.pictures import PictureDecoder

MAX_NEIGHBOUR_BYTES = 512 * 1024**2
MAX_NAMES = 2000


class Neighbours:
    """Materials, pictures and buffers beside one model file.

    Attributes:
        path: the model file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._located: dict[str, Path | None] = {}
        self._named: dict[Path, None] = {path: None}
        self._folder = path.parent.resolve()
        self._decoder = PictureDecoder()
        self._pictures: dict[str, NDArray[np.uint8] | None] = {}

    @property
    def sources(self) -> tuple[Path, ...]:
        """The model file and every neighbour that it names: those that were read and those that are missing."""
        return tuple(self._named)

    def exists(self, name: str) -> bool:
        """Whether a neighbour of that name could be read."""
        found = self._locate(name)
        return found is not None and found.is_file()

    def read(self, name: str, limit: int = MAX_NEIGHBOUR_BYTES) -> bytes | None:
        """The bytes of a neighbour; None if it is missing, too large, or would lie outside the folder."""
        found = self._locate(name)
        if found is None:
            return None
        self._named[found] = None
        try:
            if not found.is_file() or found.stat().st_size > limit:
                return None
            return found.read_bytes()
        except OSError:
            return None

    def picture(self, name: str) -> NDArray[np.uint8] | None:
        """A neighbouring picture (h, w, 3), or None if it cannot be used."""
        if name not in self._pictures:
            data = self.read(name)
            self._pictures[name] = None if data is None else self.decode(data)
        return self._pictures[name]

    def decode(self, data: bytes) -> NDArray[np.uint8] | None:
        """The picture (h, w, 3) in bytes that the file itself holds, or None if it cannot be used."""
        return self._decoder.decode(data)

    def _locate(self, name: str) -> Path | None:
        if name not in self._located:
            if len(self._located) >= MAX_NAMES:
                raise Malformed(f"it names more than {MAX_NAMES:,} other files", "cut it into smaller scenes")
            self._located[name] = self._inside(name)
        return self._located[name]

    def _inside(self, name: str) -> Path | None:
        """Where a name leads, links followed, or None when that is not inside the folder.

        Absolute names, as many exporters write them, stand for their last part.
        """
        name = name.strip().strip('"').replace("\\", "/")
        if "\x00" in name or len(name) > 4096:
            return None
        if name.startswith("/") or name[1:2] == ":" or "://" in name:
            name = name.rsplit("/", 1)[-1]
        for candidate in (name, unquote(name)):
            try:
                found = (self._folder / candidate).resolve()
            except (OSError, RuntimeError, ValueError):
                return None
            if found == self._folder or not found.is_relative_to(self._folder):
                return None
            if found.exists():
                return found
        return found

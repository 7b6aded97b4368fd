"""Which items' files are gone, and which may only be out of reach."""

from __future__ import annotations

import os
from collections.abc import Iterable, Set
from functools import lru_cache
from pathlib import Path
from typing import Literal

from clip3d.clouds.remote import URI

# Where systems put disks: a folder that is missing here was not deleted, its disk is away.
MOUNT_PLACES = {Path(place) for place in ("/media", "/mnt", "/net", "/run/media", "/Volumes")}

State = Literal["there", "gone", "emptied", "away"]


class Places:
    """Tells what became of files, looking at each folder once.

    Attributes:
        closed: folders that could not be listed, absolute.
        doubtful: folders that are missing or empty as if a disk were not mounted, with how many files were there.
    """

    def __init__(self, closed: Iterable[str] = ()) -> None:
        self.closed = tuple(folder.rstrip("/" + os.sep) + os.sep for folder in closed)
        self.doubtful: dict[str, int] = {}
        self._look = lru_cache(maxsize=None)(_state_of_folder)

    def state(self, path: str) -> State:
        """What became of a file.

        "there": it is. "gone": its folder, or the one above that, can be listed, and does not have it. "emptied":
        the same, but that folder has nothing at all, as where a disk is mounted that is not there now. "away":
        it cannot be told, or a folder on the way is a link to nowhere or missing where disks are mounted.
        """
        if URI.match(path) or path.startswith(self.closed):
            return "away"
        try:
            os.stat(path)  # noqa: PTH116 - a Path for each of many files costs more than the call
            return "there"
        except (FileNotFoundError, NotADirectoryError):
            if Path(path).is_symlink():
                return "away"
            return self._look(str(Path(path).parent))[0]
        except (OSError, ValueError):
            return "away"

    def doubt(self, path: str) -> None:
        """Note that a file counts neither as there nor as gone; of folders that were told it is known."""
        if path.startswith(self.closed):
            return
        folder = self._look(str(Path(path).parent))[1]
        self.doubtful[folder] = self.doubtful.get(folder, 0) + 1


def _state_of_folder(folder: str) -> tuple[State, str]:
    """State of the files that are missing in a folder, and the folder that tells it."""
    place, child = Path(folder), None
    while not place.is_dir():
        if place.is_symlink() or place.parent == place:
            return "away", str(place)
        place, child = place.parent, place
    try:
        with os.scandir(place) as entries:
            if next(entries, None) is None:
                return "emptied", str(place)
    except OSError:
        return "away", str(place)
    # /media/NAME holds the disks of one user, but /mnt/DISK is one
    among_disks = place in MOUNT_PLACES or (place.parent in MOUNT_PLACES and not os.path.ismount(place))
    if child is not None and among_disks:
        return "away", str(child)
    return "gone", str(place)


def absolute(path: str | os.PathLike[str]) -> str:
    """How records name a file: its absolute path, links left as they are, or its URI."""
    return str(path) if URI.match(str(path)) else os.path.abspath(path)  # noqa: PTH100


def below(path: str, roots: Set[str]) -> bool:
    """Whether a path is one of the roots or lies in one of them; all as `absolute` gives them."""
    while path not in roots:
        folder = os.path.dirname(path)  # noqa: PTH120 - a Path for each of many files costs more
        if folder == path:
            return False
        path = folder
    return True

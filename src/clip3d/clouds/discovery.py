"""Which files of the named paths are clouds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from clip3d.clouds.formats.npy import names_points
from clip3d.clouds.formats.recordings import is_recording
from clip3d.clouds.formats.sweep_bin import is_sweep
from clip3d.clouds.formats.xyz import is_table
from clip3d.clouds.reading import SUFFIXES
from clip3d.clouds.remote import RemotePath, as_path, list_files
from clip3d.errors import CloudError

# Suffixes that mostly belong to other things; in a folder such a file counts when it begins as clouds do.
LOOSE_SUFFIXES = {
    ".bag": is_recording,
    ".bin": is_sweep,
    ".csv": is_table,
    ".db3": is_recording,
    ".npz": names_points,
    ".txt": is_table,
}


@dataclass(frozen=True)
class Found:
    """Cloud files in the order in which they were named, each folder's sorted, and what was wrong with the rest."""

    files: list[Path] = field(default_factory=list)
    problems: list[CloudError] = field(default_factory=list)


def find_clouds(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Found:
    """List the cloud files among paths, or of one path; folders are searched through.

    In folders, hidden names are skipped, links that lead out of the folder are not followed, and other files are
    passed over (among them .txt and .csv files that do not begin with a table of numbers, .npz files without
    points, .bin files that are not named and filled as lidar sweeps are, and .bag and .db3 files that are no
    recordings). A file named twice is listed once. A URI, given as text, stands for a file if it has the suffix of
    one, else for a folder that fsspec lists; of its files those with such ambiguous suffixes are passed over.
    Nothing is raised: a path that is missing, is of an unknown format, or is a folder without a cloud is a problem.
    """
    found = Found()
    seen: set[Path] = set()
    for path in map(as_path, [paths] if isinstance(paths, str | os.PathLike) else paths):
        try:
            for file in _expand(path, found.problems):
                real = file if isinstance(file, RemotePath) else file.resolve()
                if real not in seen:
                    seen.add(real)
                    found.files.append(file)
        except CloudError as error:
            found.problems.append(error)
        except (OSError, RuntimeError, ValueError) as error:
            found.problems.append(CloudError(path, f"it cannot be searched: {error}"))
    return found


def _expand(path: Path, problems: list[CloudError]) -> list[Path]:
    formats = ", ".join(sorted(SUFFIXES))
    if isinstance(path, RemotePath):
        return _expand_remote(path)
    if path.is_dir():
        known = len(problems)
        files = sorted(_walk(path, path.resolve(), problems))
        if not files and len(problems) == known:
            raise CloudError(path, "no cloud file in this folder or below it", f"looked for {formats}")
        return files
    if not path.exists():
        raise CloudError(path, "there is no such file or folder", "check the spelling of the path")
    if path.suffix.lower() not in SUFFIXES:
        named = f"files named {path.suffix}" if path.suffix else "files without a suffix"
        raise CloudError(path, f"clip3d does not read {named}", f"it reads {formats}")
    return [path]


def _expand_remote(path: RemotePath) -> list[Path]:
    # A name with a suffix that is read is taken for a file: to ask would cost a connection for each.
    if path.suffix.lower() in SUFFIXES:
        return [path]
    listed = list_files(path)
    sure = SUFFIXES - LOOSE_SUFFIXES.keys()
    formats = ", ".join(sorted(sure))
    if listed is None:
        raise CloudError(path, f"clip3d does not read files named {path.name}", f"it reads {formats}")
    files = [file for file in listed if file.suffix.lower() in sure]
    if not files:
        raise CloudError(path, "no cloud file in this folder or below it", f"looked for {formats}")
    return list(files)


def _walk(folder: Path, root: Path, problems: list[CloudError]) -> Iterator[Path]:
    def closed(error: OSError) -> None:
        reason = f"this folder cannot be listed: {error.strerror or error}"
        problems.append(CloudError(error.filename, reason, "check its permissions"))

    entered = {root}
    for place, folders, names in os.walk(folder, onerror=closed, followlinks=True):
        here = Path(place)
        kept = []
        for name in sorted(folders):
            real = (here / name).resolve()
            if not name.startswith(".") and real not in entered and real.is_relative_to(root):
                entered.add(real)
                kept.append(name)
        folders[:] = kept
        for name in names:
            if not name.startswith(".") and _is_cloud(here / name, root):
                yield here / name


def _is_cloud(path: Path, root: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES or not path.is_file() or not path.resolve().is_relative_to(root):
        return False
    return suffix not in LOOSE_SUFFIXES or LOOSE_SUFFIXES[suffix](path)

"""Which files of the named paths are clouds."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clip3d.clouds.formats.npy import names_points
from clip3d.clouds.formats.recordings import is_recording
from clip3d.clouds.formats.sweep_bin import is_sweep
from clip3d.clouds.formats.xyz import is_table
from clip3d.clouds.reading import SUFFIXES
from clip3d.clouds.remote import RemotePath, as_path, list_files
from clip3d.errors import CloudError, FileProblem

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
    """Files in the order in which they were named, each folder's sorted, and what was wrong with the rest."""

    files: list[Path] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """What is looked for.

    Attributes:
        noun: its name.
        suffixes: small, with their dots.
        error: kind of the problems.
        hint: more words for what to do where there is none.
        loose: suffixes whose files count in a folder only when this function of the path says so.
    """

    noun: str
    suffixes: Collection[str]
    error: type[FileProblem]
    hint: str = ""
    loose: Mapping[str, Callable[[Path], bool]] = field(default_factory=dict)

    def none_below(self, folder: Path, suffixes: Collection[str]) -> FileProblem:
        """The problem of a folder without any, and which suffixes were looked for."""
        formats = ", ".join(sorted(suffixes))
        reason = f"no {self.noun} file in this folder or below it"
        return self.error(folder, reason, f"looked for {formats}{self.hint}")

    def not_read(self, path: Path, named: str, suffixes: Collection[str]) -> FileProblem:
        """The problem of a file that is named as none, and which suffixes are read."""
        formats = ", ".join(sorted(suffixes))
        return self.error(path, f"clip3d does not read {named} as {self.noun}s", f"it reads {formats}{self.hint}")


CLOUDS = Kind("cloud", SUFFIXES, CloudError, loose=LOOSE_SUFFIXES)


def find_clouds(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Found:
    """List the cloud files among paths, or of one path; folders are searched through.

    In folders, hidden names are skipped, links that lead out of the folder are not followed, and other files are
    passed over (among them .txt and .csv files that do not begin with a table of numbers, .npz files without
    points, .bin files that are not named and filled as lidar sweeps are, and .bag and .db3 files that are no
    recordings). A file named twice is listed once. A URI, given as text, stands for a file if it has the suffix of
    one, else for a folder that fsspec lists; of its files those with such ambiguous suffixes are passed over.
    Nothing is raised: a path that is missing, is of an unknown format, or is a folder without a cloud is a problem.
    """
    return find_files(paths, CLOUDS)


def find_files(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], kind: Kind) -> Found:
    """List the files of a kind among paths, as `find_clouds` does clouds."""
    found = Found()
    seen: set[str] = set()
    for path in map(as_path, [paths] if isinstance(paths, str | os.PathLike) else paths):
        try:
            for file, real in _expand(path, kind, found.problems):
                if real not in seen:
                    seen.add(real)
                    found.files.append(file)
        except FileProblem as error:
            found.problems.append(error)
        except (OSError, RuntimeError, ValueError) as error:
            found.problems.append(kind.error(path, f"it cannot be searched: {error}"))
    return found


def _expand(path: Path, kind: Kind, problems: list[FileProblem]) -> list[tuple[Path, str]]:
    """The files that a path stands for, each with the name that tells two names of one file."""
    if isinstance(path, RemotePath):
        return [(file, str(file)) for file in _expand_remote(path, kind)]
    if path.is_dir():
        known = len(problems)
        files = list(_walk(path, path.resolve(), kind, problems))
        if not files and len(problems) == known:
            raise kind.none_below(path, kind.suffixes)
        return files
    if not path.exists():
        raise kind.error(path, "there is no such file or folder", "check the spelling of the path")
    if path.suffix.lower() not in kind.suffixes:
        named = f"files named {path.suffix}" if path.suffix else "files without a suffix"
        raise kind.not_read(path, named, kind.suffixes)
    return [(path, str(path.resolve()))]


def _expand_remote(path: RemotePath, kind: Kind) -> list[Path]:
    # A name with a suffix that is read is taken for a file: to ask would cost a connection for each.
    if path.suffix.lower() in kind.suffixes:
        return [path]
    listed = list_files(path)
    sure = set(kind.suffixes) - kind.loose.keys()
    if listed is None:
        raise kind.not_read(path, f"files named {path.name}", sure)
    files = [file for file in listed if file.suffix.lower() in sure]
    if not files:
        raise kind.none_below(path, sure)
    return list(files)


def _walk(folder: Path, root: Path, kind: Kind, problems: list[FileProblem]) -> Iterator[tuple[Path, str]]:
    """Files below a folder in the order of their paths; links are resolved only where there are some."""
    entered = {str(root)}
    waiting = [_entries(folder, str(root), kind, problems)]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            continue
        found, place = entry
        real = place if not found.is_symlink() else os.path.realpath(found.path)
        if real != place and not Path(real).is_relative_to(root):
            continue
        if _is_dir(found):
            if real not in entered:
                entered.add(real)
                waiting.append(_entries(Path(found.path), real, kind, problems))
        elif _counts(found, kind):
            yield Path(found.path), real


def _entries(
    folder: Path, real: str, kind: Kind, problems: list[FileProblem]
) -> Iterator[tuple[os.DirEntry[str], str]]:
    """What is in a folder, without what is hidden, and the real names of what is no link."""
    try:
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        reason = f"this folder cannot be listed: {error.strerror or error}"
        problems.append(kind.error(folder, reason, "check its permissions"))
        return
    for entry in sorted(shown, key=lambda entry: entry.name):
        yield entry, os.path.join(real, entry.name)  # noqa: PTH118 - a Path for each of many files is slow


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _counts(entry: os.DirEntry[str], kind: Kind) -> bool:
    suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 - as above
    try:
        if suffix not in kind.suffixes or not entry.is_file():
            return False
    except OSError:
        return False
    return suffix not in kind.loose or kind.loose[suffix](Path(entry.path))

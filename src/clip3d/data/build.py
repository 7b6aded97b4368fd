"""Builds the training library from installable packages and the procedural generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.mesh import sample_surface
from clip3d.data import furniture
from clip3d.data.captions import with_synonyms
from clip3d.data.library import Entry, Library, make_library
from clip3d.data.packages import fetch_debian

DENSE = 8192


@dataclass(frozen=True)
class Built:
    """One library file that was made or was there: its path, its number of objects, and whether it is new."""

    path: Path
    objects: int
    new: bool


def build_furniture(out: Path, packages: Path, *, progress: Callable[[str], None]) -> Library:
    """The licensed furniture library as `out`, from the Debian package in `packages` (fetched if absent)."""
    deb = fetch_debian(furniture.PACKAGE, packages)
    entries = list(furniture.read_furniture(deb, points=DENSE, progress=progress))
    library = make_library(entries, held_out_share=0.15)
    library.save(out)
    return library


def build_procedural(
    out: Path, per_family: int, seed: int, *, progress: Callable[[str], None]
) -> Library:
    """Procedural objects as `out`: `per_family` of each family, sampled as the CAD models are.

    Nothing is held out: an object of another seed is unseen by construction.
    """
    from clip3d.simulation.objects import FAMILIES, make

    entries = []
    for count, family in enumerate(FAMILIES, 1):
        for index in range(per_family):
            number = seed * 1_000_000 + index
            made = make(family, number)
            sample = sample_surface(made.meshes, DENSE, seed=number)
            entries.append(
                Entry(
                    cloud=PointCloud(sample.points, sample.colors, up="z", unit="m"),
                    captions=with_synonyms(made.captions),
                    name=f"procedural/{family}/{number}",
                    source="clip3d procedural generator",
                    licence="Apache-2.0",
                )
            )
        progress(f"{family}: {per_family} objects, family {count} of {len(FAMILIES)}")
    library = make_library(entries, held_out_share=0.0)
    library.save(out)
    return library

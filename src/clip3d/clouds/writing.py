"""PointCloud → file: PLY or NPZ, with the frame stated, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from clip3d.atomic import replacing
from clip3d.clouds.cloud import PointCloud
from clip3d.errors import CloudError


def write(cloud: PointCloud, path: str | Path) -> Path:
    """Write a cloud to a .ply or .npz file; `clip3d.clouds.reading.read` gives it back with its frame.

    PLY is binary little endian with float32 positions and normals and 8-bit colours; its frame stands in a header
    comment. NPZ holds points, colors, normals, up and unit. An existing file is replaced in one step.

    Raises:
        CloudError: if the suffix is another one, or the file cannot be written.
    """
    path = Path(path)
    writers = {".ply": _ply, ".npz": _npz}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise CloudError(path, "clip3d does not write files of this name", f"name it {' or '.join(writers)}")
    try:
        with replacing(path) as temporary, temporary.open("xb") as stream:
            writer(cloud, stream)
    except OSError as error:
        raise CloudError(path, f"it cannot be written: {error.strerror or error}") from error
    return path


def _ply(cloud: PointCloud, stream: BinaryIO) -> None:
    columns: list[tuple[str, str]] = [(axis, "<f4") for axis in "xyz"]
    if cloud.normals is not None:
        columns += [(f"n{axis}", "<f4") for axis in "xyz"]
    if cloud.colors is not None:
        columns += [(color, "u1") for color in ("red", "green", "blue")]
    rows = np.zeros(len(cloud), dtype=columns)
    for index, axis in enumerate("xyz"):
        rows[axis] = cloud.points[:, index]
        if cloud.normals is not None:
            rows[f"n{axis}"] = cloud.normals[:, index]
    if cloud.colors is not None:
        for index, color in enumerate(("red", "green", "blue")):
            rows[color] = np.rint(cloud.colors[:, index] * 255)
    kinds = {"<f4": "float", "u1": "uchar"}
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment clip3d up {cloud.up} unit {cloud.unit}",
        f"element vertex {len(cloud)}",
        *(f"property {kinds[kind]} {name}" for name, kind in columns),
        "end_header\n",
    ]
    stream.write("\n".join(header).encode("ascii"))
    stream.write(rows.tobytes())


def _npz(cloud: PointCloud, stream: BinaryIO) -> None:
    arrays = {"points": cloud.points, "up": np.array(cloud.up), "unit": np.array(cloud.unit)}
    if cloud.colors is not None:
        arrays["colors"] = cloud.colors
    if cloud.normals is not None:
        arrays["normals"] = cloud.normals
    np.savez(stream, **arrays)  # type: ignore[arg-type]

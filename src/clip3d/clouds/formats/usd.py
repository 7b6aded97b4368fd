"""USD, read by usd-core in a process of its own: on damaged files that library may crash or go on for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from clip3d.clouds.cloud import METRES_PER_UNIT, Axis, Unit
from clip3d.clouds.formats.contents import Contents, Malformed, Numbers, make_mesh
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.mesh import Mesh
from clip3d.errors import MissingExtra

MAX_SECONDS = 120
REMEDY = "export it again, or as GLB"
WORKER = "import sys; from clip3d.clouds.formats.usd_worker import main; main(*sys.argv[1:])"


def read_usd(data: bytes, neighbours: Neighbours) -> Contents:
    """Read the meshes of a stage at its earliest time, or its points where it has no meshes.

    Transforms, instances, visibility, purposes (proxies and guides are left out) and `displayColor` or the
    material's constant `diffuseColor` are kept; subdivision, textures and PointInstancers are not. Up axis and unit
    are the stage's. Layers are opened only inside of the file's folder.

    Raises:
        MissingExtra: without usd-core.
        Malformed: if it cannot be read within two minutes and 8 GiB, or refers to files outside of its folder.
    """
    if find_spec("pxr") is None:
        raise MissingExtra("reading USD files", "usd-core", "usd")
    with tempfile.TemporaryDirectory(prefix="clip3d-") as folder:
        facts = _run(neighbours.path.resolve(), Path(folder))
        for name in facts["layers"]:
            neighbours.read(name)
        with np.load(Path(folder) / "arrays.npz", allow_pickle=False) as arrays:
            found = dict(arrays)
    if not 0 < facts["metres"] < 1e15:
        raise Malformed(f"its metersPerUnit is {facts['metres']}, which is no length", REMEDY)
    scale, unit = _unit(float(facts["metres"]))
    up: Axis = "y" if facts["up"] == "Y" else "z"
    meshes = _meshes(found, scale)
    if meshes or not len(found["points"]):
        return Contents(meshes=meshes, up=up, unit=unit)
    colors = None if np.isnan(found["point_colors"]).any() else found["point_colors"]
    return Contents(points=found["points"] * scale, colors=colors, up=up, unit=unit)


def _run(path: Path, folder: Path) -> dict[str, Any]:
    places = [str(Path(place).resolve()) for place in sys.path if place]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PXR_")}
    command = [sys.executable, "-c", WORKER, str(path), str(folder)]
    try:
        subprocess.run(
            command,
            env={**environment, "PYTHONPATH": os.pathsep.join(places)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=MAX_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Malformed(f"usd-core does not end within {MAX_SECONDS} seconds on it", REMEDY) from error
    try:
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Malformed("usd-core fails on it", REMEDY) from error
    if "reason" in facts:
        raise Malformed(facts["reason"], REMEDY)
    return dict(facts)


def _unit(metres: float) -> tuple[float, Unit]:
    """What to multiply lengths by, and the unit that they then have."""
    for unit, length in METRES_PER_UNIT.items():
        if abs(metres - length) <= 1e-5 * length:
            return 1.0, unit  # type: ignore[return-value]
    return metres, "m"


def _meshes(found: dict[str, Numbers], scale: float) -> list[Mesh]:
    corners = np.cumsum(found["corner_counts"])[:-1]
    faces = np.cumsum(found["face_counts"])[:-1]
    parts = zip(
        np.split(found["corners"] * scale, corners),
        np.split(found["corner_colors"], corners),
        np.split(found["faces"], faces),
        np.split(found["face_colors"], faces),
        strict=True,
    )
    return [
        make_mesh(
            vertices,
            triangles,
            vertex_colors=None if np.isnan(vertex_colors).any() else vertex_colors,
            face_colors=None if np.isnan(face_colors).any() else face_colors,
        )
        for vertices, vertex_colors, triangles, face_colors in parts
        if len(triangles)
    ]

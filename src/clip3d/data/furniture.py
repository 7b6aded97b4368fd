"""The furniture library of Sweet Home 3D (Debian sweethome3d-furniture): 820 named models, CC0 and CC-BY."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from clip3d.clouds.cloud import Z_UP_FROM, PointCloud
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.reading import read
from clip3d.data.archives import opened, read_member
from clip3d.data.captions import phrases_for
from clip3d.data.library import Entry
from clip3d.data.packages import deb_files
from clip3d.errors import CloudError

PACKAGE = "sweethome3d-furniture"
CATALOGUE = "PluginFurnitureCatalog.properties"
MAX_MODEL_BYTES = 256 * 2**20
# From the package's own copyright file.
LICENCES = {
    "BlendSwap-CC-0": "CC0-1.0",
    "BlendSwap-CC-BY": "CC-BY-3.0",
    "KatorLegaz": "CC-BY-3.0-US",
    "Reallusion": "CC-BY-3.0-US",
    "Scopia": "CC-BY-3.0",
}


@dataclass(frozen=True)
class CatalogueModel:
    """One model of a catalogue.

    Attributes:
        name: English name as the catalogue prints it.
        model: path of the model file inside the archive.
        size: width, height, depth in centimetres, of the model as displayed; y is up.
        rotation: 3x3 that the application applies to the model's axes first.
        creator: author's name, if stated.
    """

    name: str
    model: str
    size: tuple[float, float, float]
    rotation: tuple[float, ...]
    creator: str


def read_furniture(deb: Path, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    """Every readable model of the package as a dense cloud with its captions.

    Args:
        deb: the package file.
        points: sampled on each surface.
        progress: called with a line for each archive and for each model that cannot be read.

    Raises:
        DataError: if the package, or an archive or catalogue in it, is damaged.
    """
    for name, stream in deb_files(deb):
        if not name.endswith(".sh3f"):
            continue
        collection = PurePosixPath(name).stem
        if collection not in LICENCES:
            progress(f"{collection}: its licence is not known here, passed over")
            continue
        with opened(deb, name, stream) as archive:
            models = read_catalogue(read_member(archive, CATALOGUE).decode("latin-1"))
            progress(f"{collection}: {len(models)} models, {LICENCES[collection]}")
            for model in models:
                try:
                    cloud = _cloud(archive, model, points)
                except (CloudError, Malformed) as error:
                    progress(f"{collection}: {model.name} passed over: {error}")
                    continue
                yield Entry(
                    cloud=cloud,
                    captions=phrases_for(model.name),
                    name=f"{collection}/{PurePosixPath(model.model).stem}",
                    source=f"{PACKAGE}/{collection}" + (f" by {model.creator}" if model.creator else ""),
                    licence=LICENCES[collection],
                )


def read_catalogue(text: str) -> list[CatalogueModel]:
    """Models of a catalogue in Java properties form, in its order; entries without a model are left out."""
    fields: dict[int, dict[str, str]] = {}
    for line in text.splitlines():
        if match := re.match(r"(\w+)#(\d+)=(.*)", line):
            fields.setdefault(int(match[2]), {})[match[1]] = match[3].strip()
    return [
        CatalogueModel(
            name=re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), f["name"]),
            model=f["model"].lstrip("/"),
            size=(float(f["width"]), float(f["height"]), float(f["depth"])),
            rotation=tuple(float(v) for v in f.get("modelRotation", "1 0 0 0 1 0 0 0 1").split()),
            creator=f.get("creator", ""),
        )
        for _, f in sorted(fields.items())
        if {"name", "model", "width", "height", "depth"} <= f.keys() and f["model"].lower().endswith(".obj")
    ]


def extract_model(archive: zipfile.ZipFile, model: str, folder: Path) -> Path:
    """Write a model and the files beside it in the archive into `folder`; returns the model's path.

    Only plain names are written, so nothing can land outside the folder.

    Raises:
        Malformed: if one of them is larger than is believable, or cannot be unpacked.
    """
    inside = PurePosixPath(model).parent
    for member in archive.infolist():
        path = PurePosixPath(member.filename)
        if path.parent == inside and not member.is_dir():
            (folder / path.name).write_bytes(read_member(archive, member.filename, most=MAX_MODEL_BYTES))
    return folder / PurePosixPath(model).name


def _cloud(archive: zipfile.ZipFile, model: CatalogueModel, points: int) -> PointCloud:
    with tempfile.TemporaryDirectory() as folder:
        cloud = read(extract_model(archive, model.model, Path(folder)), points=points, up="y", unit="cm")
    return replace(as_displayed(cloud, model), path=None, sources=())


def as_displayed(cloud: PointCloud, model: CatalogueModel) -> PointCloud:
    """The cloud (y up) as the application shows it: turned by the catalogue's rotation, stretched to its size."""
    rotation = np.array(model.rotation, np.float32).reshape(3, 3)
    xyz = cloud.points @ rotation.T
    extent = np.ptp(xyz, axis=0)
    size = np.array(model.size, np.float32)
    # A flat model keeps its thickness: there is nothing to stretch.
    stretch = np.where(extent > 1e-6 * extent.max(), size / np.maximum(extent, 1e-12), 1.0)
    displayed = np.asarray((xyz * stretch) @ Z_UP_FROM["y"].T, np.float32)
    return replace(cloud, points=displayed, normals=None, up="z", unit="cm")

"""The icons that the furniture library carries beside its models: small shaded renders on a clear ground."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.pictures import FORMATS
from clip3d.data.furniture import CATALOGUE, LICENCES, MAX_MODEL_BYTES
from clip3d.data.packages import deb_files
from clip3d.errors import DataError


def read_icons(deb: Path) -> dict[str, NDArray[np.uint8]]:
    """Icons (h, w, 4) uint8, straight alpha, of the package's models, by the models' names in a library.

    Args:
        deb: the package sweethome3d-furniture.

    Raises:
        DataError: if the package holds no catalogue with icons.
    """
    icons: dict[str, NDArray[np.uint8]] = {}
    for name, stream in deb_files(deb):
        collection = PurePosixPath(name).stem
        if name.endswith(".sh3f") and collection in LICENCES:
            with zipfile.ZipFile(stream) as archive:
                icons |= {f"{collection}/{model}": icon for model, icon in _icons(archive).items()}
    if not icons:
        raise DataError(deb, "holds no furniture catalogue with icons")
    return icons


def _icons(archive: zipfile.ZipFile) -> dict[str, NDArray[np.uint8]]:
    text = archive.read(CATALOGUE).decode("latin-1")
    model, icon = (dict(re.findall(rf"(?m)^{key}#(\d+)=/?(.*?)\s*$", text)) for key in ("model", "icon"))
    return {
        PurePosixPath(model[number]).stem: _picture(archive, icon[number])
        for number in model.keys() & icon.keys()
    }


def _picture(archive: zipfile.ZipFile, name: str) -> NDArray[np.uint8]:
    from PIL import Image

    if archive.getinfo(name).file_size > MAX_MODEL_BYTES:
        raise DataError(name, f"is larger than {MAX_MODEL_BYTES} bytes")
    with Image.open(io.BytesIO(archive.read(name)), formats=FORMATS) as image:
        return np.asarray(image.convert("RGBA"), np.uint8)

"""The icons that the furniture library carries beside its models: small shaded renders on a clear ground."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.pictures import FORMATS
from clip3d.data.archives import opened, read_member
from clip3d.data.furniture import CATALOGUE, LICENCES
from clip3d.data.packages import deb_files
from clip3d.errors import DataError


def read_icons(deb: Path) -> dict[str, NDArray[np.uint8]]:
    """Icons (h, w, 4) uint8, straight alpha, of the package's models, by the models' names in a library.

    Args:
        deb: the package sweethome3d-furniture.

    Raises:
        DataError: if the package is damaged or holds no catalogue with icons.
    """
    icons: dict[str, NDArray[np.uint8]] = {}
    for name, stream in deb_files(deb):
        collection = PurePosixPath(name).stem
        if name.endswith(".sh3f") and collection in LICENCES:
            with opened(deb, name, stream) as archive:
                icons |= {f"{collection}/{model}": icon for model, icon in _icons(archive).items()}
    if not icons:
        raise DataError(deb, "holds no furniture catalogue with icons")
    return icons


def _icons(archive: zipfile.ZipFile) -> dict[str, NDArray[np.uint8]]:
    text = read_member(archive, CATALOGUE).decode("latin-1")
    model, icon = (dict(re.findall(rf"(?m)^{key}#(\d+)=/?(.*?)\s*$", text)) for key in ("model", "icon"))
    return {
        PurePosixPath(model[number]).stem: _picture(archive, icon[number])
        for number in model.keys() & icon.keys()
    }


def _picture(archive: zipfile.ZipFile, name: str) -> NDArray[np.uint8]:
    from PIL import Image

    content = read_member(archive, name)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return np.asarray(image.convert("RGBA"), np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Malformed(f"{name} is no readable picture: {error}") from error

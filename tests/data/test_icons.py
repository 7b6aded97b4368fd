"""Icons of the furniture library, read from a package made here."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from clip3d.data.icons import read_icons
from clip3d.errors import DataError

CATALOGUE = "name#1=Chair\nicon#1=/a/chair.png\nmodel#1=/a/chair/chair01.obj\nname#2=Bed\nmodel#2=/a/bed.obj\n"


def package(catalogue: str, collection: str = "Scopia") -> bytes:
    """A Debian package with one furniture archive."""
    icon, furniture, data = io.BytesIO(), io.BytesIO(), io.BytesIO()
    Image.new("RGBA", (6, 4), (255, 0, 0, 128)).save(icon, "PNG")
    with zipfile.ZipFile(furniture, "w") as archive:
        archive.writestr("PluginFurnitureCatalog.properties", catalogue)
        archive.writestr("a/chair.png", icon.getvalue())
    with tarfile.open(fileobj=data, mode="w") as archive:
        member = tarfile.TarInfo(f"./usr/share/{collection}.sh3f")
        member.size = len(furniture.getvalue())
        archive.addfile(member, io.BytesIO(furniture.getvalue()))
    body = data.getvalue()
    header = f"{'data.tar':<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(body):<10}`\n".encode()
    return b"!<arch>\n" + header + body


def test_icons_come_by_the_names_that_a_library_gives_the_models(tmp_path):
    (tmp_path / "f.deb").write_bytes(package(CATALOGUE))
    icons = read_icons(tmp_path / "f.deb")
    assert list(icons) == ["Scopia/chair01"]
    assert icons["Scopia/chair01"].shape == (4, 6, 4)
    np.testing.assert_array_equal(icons["Scopia/chair01"][0, 0], [255, 0, 0, 128])


def test_collections_of_unknown_licence_are_passed_over(tmp_path):
    (tmp_path / "f.deb").write_bytes(package(CATALOGUE, collection="Elsewhere"))
    with pytest.raises(DataError, match="no furniture catalogue"):
        read_icons(tmp_path / "f.deb")

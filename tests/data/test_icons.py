"""Models and icons of the furniture library, read from a package made here."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from clip3d.data.furniture import read_furniture
from clip3d.data.icons import read_icons
from clip3d.errors import DataError

CATALOGUE = "name#1=Chair\nicon#1=/a/chair.png\nmodel#1=/a/chair/chair01.obj\nname#2=Bed\nmodel#2=/a/bed.obj\n"


def package(
    catalogue: str, collection: str = "Scopia", *, more: dict[str, bytes] | None = None, damage: bytes = b""
) -> bytes:
    """A Debian package with one furniture archive, in which the bytes `damage` are turned over."""
    icon, furniture, data = io.BytesIO(), io.BytesIO(), io.BytesIO()
    Image.new("RGBA", (6, 4), (255, 0, 0, 128)).save(icon, "PNG")
    with zipfile.ZipFile(furniture, "w") as archive:
        archive.writestr("PluginFurnitureCatalog.properties", catalogue)
        for path, content in {"a/chair.png": icon.getvalue(), **(more or {})}.items():
            archive.writestr(path, content)
    furniture = io.BytesIO(furniture.getvalue().replace(damage, damage[::-1])) if damage else furniture
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


SIZED = CATALOGUE + "".join(f"{key}#{n}=100\n" for key in ("width", "height", "depth") for n in (1, 2))
TETRAHEDRON = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n"


def test_a_model_that_cannot_be_unpacked_is_passed_over(tmp_path):
    more = {"a/bed.obj": TETRAHEDRON + b"# whole", "a/chair/chair01.obj": TETRAHEDRON + b"# torn"}
    (tmp_path / "f.deb").write_bytes(package(SIZED, more=more, damage=b"# torn"))
    lines = []
    (entry,) = read_furniture(tmp_path / "f.deb", points=64, progress=lines.append)
    assert entry.name == "Scopia/bed"
    assert any("Chair passed over: a/chair/chair01.obj cannot be unpacked" in line for line in lines)


@pytest.mark.parametrize(
    ("damage", "reason"), [(b"PK\5\6", "not a zip file"), (b"name#1=", "Catalog.properties cannot be unpacked")]
)
def test_a_damaged_archive_is_a_data_error(tmp_path, damage, reason):
    (tmp_path / "f.deb").write_bytes(package(SIZED, damage=damage))
    with pytest.raises(DataError, match=reason):
        list(read_furniture(tmp_path / "f.deb", points=64, progress=lambda line: None))
    with pytest.raises(DataError, match=reason):
        read_icons(tmp_path / "f.deb")


def test_an_icon_that_is_no_picture_is_a_data_error(tmp_path):
    (tmp_path / "f.deb").write_bytes(package(CATALOGUE.replace("/a/chair.png", "/a/none.png")))
    with pytest.raises(DataError, match=r"a/none\.png is not in the archive"):
        read_icons(tmp_path / "f.deb")
    more = {"a/none.png": b"nothing"}
    (tmp_path / "f.deb").write_bytes(package(CATALOGUE.replace("/a/chair.png", "/a/none.png"), more=more))
    with pytest.raises(DataError, match=r"a/none\.png is no readable picture"):
        read_icons(tmp_path / "f.deb")

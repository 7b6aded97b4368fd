"""Sources of models by package: only what is openly licensed and has a name comes out, z up or as declared."""

import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from model_files import md2, stl, wrl
from package_files import write_deb
from PIL import Image

from clip3d.data import kicad, robot_tasks, ufoai, webxr
from clip3d.data.library import Entry
from clip3d.errors import DataError

Lines = list[str]


def ufoai_package(path: Path, *, skin_licence: str = "CC-BY-3.0") -> Path:
    models, picture = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (4, 8), (255, 0, 0)).save(picture, "PNG")
    with zipfile.ZipFile(models, "w") as archive:
        for name in ("cup", "fork"):
            archive.writestr(f"models/objects/furniture/dishes/{name}.md2", md2())
        archive.writestr("models/objects/furniture/dishes/skin.png", picture.getvalue())
    folder = "base/models/objects/furniture/dishes"
    terms = f"""Files: *
Copyright: Team
License: GPL-2+

Files:
 {folder}/cup.md2
Copyright: Ann Author
License: CC-BY-SA-3.0

Files:
 {folder}/skin.png
Copyright: Bob
License: {skin_licence}
"""
    return write_deb(path, {ufoai.COPYRIGHT: terms.encode(), ufoai.ARCHIVE: models.getvalue()})


def test_ufoai_gives_only_models_whose_own_entry_is_open(tmp_path: Path) -> None:
    lines: Lines = []
    (cup,) = ufoai.read_ufoai(ufoai_package(tmp_path / "u.deb"), points=64, progress=lines.append)
    assert cup.captions[:2] == ("mug", "cup")
    assert (cup.licence, cup.cloud.up) == ("CC-BY-SA-3.0, CC-BY-3.0", "z")
    assert cup.source.endswith("by Ann Author; Bob")
    np.testing.assert_allclose(cup.cloud.colors, np.tile([1, 0, 0], (64, 1)))
    assert any("fork" in line and "GPL-2+" in line for line in lines)


def test_ufoai_leaves_a_model_uncoloured_if_its_skin_is_not_open(tmp_path: Path) -> None:
    deb = ufoai_package(tmp_path / "u.deb", skin_licence="GPL-2")
    (cup,) = ufoai.read_ufoai(deb, points=64, progress=lambda line: None)
    assert cup.cloud.colors is None
    assert (cup.licence, "Bob" in cup.source) == ("CC-BY-SA-3.0", False)


def test_ufoai_with_damaged_models_is_refused(tmp_path: Path) -> None:
    deb = write_deb(tmp_path / "u.deb", {ufoai.COPYRIGHT: b"", ufoai.ARCHIVE: b"no zip"})
    with pytest.raises(DataError, match="damaged"):
        drain(ufoai.read_ufoai(deb, points=64, progress=lambda line: None))


def test_kicad_takes_a_few_of_a_family_and_none_under_another_licence(tmp_path: Path) -> None:
    terms = """Files: *
Copyright: KiCad Community
License: CC-BY-SA-4.0-with-exception

Files: Relay_THT.3dshapes/Relay_SPDT_Finder_1.wrl
Copyright: Someone
License: GPL-3+
"""
    names = [f"Relay_THT.3dshapes/Relay_SPDT_Finder_{n}" for n in range(9)] + ["Odd.3dshapes/Thing"]
    files = {f"{kicad.FOLDER}{name}.wrl": wrl() for name in names}
    files[f"{kicad.FOLDER}Relay_THT.3dshapes/Relay_SPDT_Finder_0.wrl"] = b"damaged"
    lines: Lines = []
    deb = write_deb(tmp_path / "k.deb", {**files, kicad.COPYRIGHT: terms.encode()})
    entries = list(kicad.read_kicad(deb, points=64, progress=lines.append))
    # Of 0, 3 and 6, which lie evenly among the open ones, 0 is damaged.
    assert {e.name.rpartition("_")[2] for e in entries} == {"3", "6"}
    assert {e.captions[0] for e in entries} == {"relay"}
    assert any("Finder_0" in line for line in lines)


def test_every_kicad_family_has_captions_in_plain_words() -> None:
    for _, count, captions in kicad.FAMILIES:
        assert 0 < count <= 6
        assert all(phrase and phrase == phrase.strip() and "_" not in phrase for phrase in captions.split("|"))


def wheel(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_metaworld_joins_parts_and_passes_over_what_is_missing(tmp_path: Path) -> None:
    folder = "metaworld/assets/objects"
    body = '<mujoco><body><geom mesh="mug"/><geom type="sphere" size="0.1" rgba="1 0 0 1"/></body></mujoco>'
    assets = '<mujoco><asset><mesh name="mug" file="../objects/meshes/mug.stl"/></asset></mujoco>'
    files = {
        f"{folder}/assets/mug.xml": body.encode(),
        f"{folder}/assets/coffeemachine_dependencies.xml": assets.encode(),
        f"{folder}/meshes/mug.stl": stl("part.stl"),
    }
    lines: Lines = []
    package = wheel(tmp_path / "m.whl", files)
    (mug,) = robot_tasks.read_metaworld(package, points=64, progress=lines.append)
    assert mug.captions[0] == "coffee mug"
    assert mug.cloud.colors is not None
    assert sum("passed over" in line for line in lines) == len(robot_tasks.METAWORLD_THINGS) - 1


def test_robosuite_models_find_their_pictures(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (4, 4), (0, 0, 255)).save(picture, "PNG")
    folder = "robosuite/models/assets/objects/meshes"
    obj = b"mtllib milk.mtl\nusemtl a\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n"
    files = {
        f"{folder}/milk.obj": obj,
        f"{folder}/milk.mtl": b"newmtl a\nmap_Kd ../../textures/ceramic.png\n",
        "robosuite/models/assets/textures/ceramic.png": picture.getvalue(),
    }
    (milk,) = robot_tasks.read_robosuite(wheel(tmp_path / "r.whl", files), points=64, progress=lambda line: None)
    assert (milk.captions[0], milk.cloud.up) == ("milk carton", "z")
    np.testing.assert_allclose(milk.cloud.colors, np.tile([0, 0, 1], (64, 1)))


def glb() -> bytes:
    """One triangle as binary glTF."""
    body = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)
    document = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteLength": len(body)}],
        "buffers": [{"byteLength": len(body)}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(body), 0x004E4942) + body
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def test_webxr_takes_one_of_a_pair_and_one_of_the_generic_devices(tmp_path: Path) -> None:
    package = tmp_path / "w.tgz"
    with tarfile.open(package, "w:gz") as archive:
        for profile in ("generic-button", webxr.GENERIC, "generic-hand", "some-device"):
            for side in ("left", "right"):
                member = tarfile.TarInfo(f"{webxr.FOLDER}{profile}/{side}.glb")
                member.size = len(glb())
                archive.addfile(member, io.BytesIO(glb()))
    entries = list(webxr.read_webxr(package, points=64, progress=lambda line: None))
    captions = {e.name: e.captions[0] for e in entries}
    assert captions == {
        "webxr/generic-hand": "open hand",
        f"webxr/{webxr.GENERIC}": "VR controller",
        "webxr/some-device": "VR controller",
    }
    assert {e.cloud.up for e in entries} == {"y"}


def test_webxr_passes_over_links(tmp_path: Path) -> None:
    package = tmp_path / "w.tgz"
    with tarfile.open(package, "w:gz") as archive:
        link = tarfile.TarInfo(f"{webxr.FOLDER}some-device/right.glb")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    with pytest.raises(DataError, match="holds no models"):
        drain(webxr.read_webxr(package, points=64, progress=lambda line: None))


@pytest.mark.parametrize(
    "read",
    [ufoai.read_ufoai, kicad.read_kicad, robot_tasks.read_metaworld, robot_tasks.read_robosuite, webxr.read_webxr],
)
@pytest.mark.parametrize("content", ["nothing", "empty"])
def test_another_file_is_refused_by_name(read: object, content: str, tmp_path: Path) -> None:
    path = tmp_path / "package"
    if content == "empty":
        path.write_bytes(b"what is this")
    else:
        write_deb(path, {"usr/share/doc/readme": b"hello"})
    with pytest.raises(DataError, match="package"):
        drain(read(path, points=64, progress=lambda line: None))  # type: ignore[operator]


def drain(entries: object) -> list[Entry]:
    return list(entries)  # type: ignore[call-overload,no-any-return]

"""The household pack: its own licence by file, surfaces painted in their order, turned models set upright."""

import io
from pathlib import Path

import numpy as np
import pytest
from package_files import write_deb
from PIL import Image

from clip3d.data.homedecor import COPYRIGHT, FOLDER, PAINTS, THINGS, TURNED, read_homedecor
from clip3d.data.library import Entry
from clip3d.errors import DataError

TERMS = """Files: *
Copyright: Code Author
License: LGPL-3

Files: */models/* */textures/*
Copyright: Ann Artist
License: CC-BY-SA-4.0

Files: b/models/homedecor_toilet_open.obj
Copyright: Someone
License: WTFPL
"""
# Two equal triangles in two groups; the first group comes again at the end.
OBJ = b"""mtllib old.mtl
v 0 0 0
v 0 2 0
v 0 0 1
v 1 0 0
v 1 2 0
v 1 0 1
vt 0 0
g one
usemtl None
f 1/1 2/1 3/1
g two
f 4/1 5/1 6/1
g one
f 1/1 3/1 2/1
"""


def package(path: Path, names: dict[str, bytes]) -> Path:
    picture = io.BytesIO()
    Image.new("RGB", (2, 2), (0, 0, 255)).save(picture, "PNG")
    files = {f"{FOLDER}{name}": content for name, content in names.items()}
    files[f"{FOLDER}b/textures/homedecor_dartboard.png"] = picture.getvalue()
    return write_deb(path, {**files, COPYRIGHT: TERMS.encode()})


def entries(deb: Path, lines: list[str] | None = None) -> dict[str, Entry]:
    progress = (lambda line: None) if lines is None else lines.append
    return {e.name: e for e in read_homedecor(deb, points=300, progress=progress)}


def test_surfaces_are_painted_in_the_order_in_which_they_begin(tmp_path: Path) -> None:
    deb = package(tmp_path / "h.deb", {"a/models/homedecor_trophy.obj": OBJ})
    trophy = entries(deb)["homedecor/trophy"]
    wood, gold = (np.array(PAINTS[paint].split(), float) for paint in ("wood", "gold"))
    x = trophy.cloud.points[:, 0]
    np.testing.assert_allclose(trophy.cloud.colors[x < 0.5], np.tile(wood, ((x < 0.5).sum(), 1)), atol=2e-3)
    np.testing.assert_allclose(trophy.cloud.colors[x > 0.5], np.tile(gold, ((x > 0.5).sum(), 1)), atol=2e-3)
    assert (trophy.licence, trophy.cloud.up, trophy.cloud.path) == ("CC-BY-SA-4.0", "y", None)
    assert "Ann Artist" in trophy.source


def test_a_picture_of_the_pack_is_used_and_a_turned_model_has_z_up(tmp_path: Path) -> None:
    deb = package(tmp_path / "h.deb", {"a/models/homedecor_dartboard.obj": OBJ})
    board = entries(deb)["homedecor/dartboard"]
    assert board.cloud.up == "z"
    np.testing.assert_allclose(board.cloud.colors, np.tile([0, 0, 1], (300, 1)))


def test_models_under_another_licence_or_damaged_are_passed_over(tmp_path: Path) -> None:
    names = {"b/models/homedecor_toilet_open.obj": OBJ, "b/models/homedecor_desk.obj": b"f 1 2 3", "x.obj": OBJ}
    lines: list[str] = []
    assert entries(package(tmp_path / "h.deb", names), lines) == {}
    assert any("toilet_open" in line and "WTFPL" in line for line in lines)
    assert any("desk passed over" in line for line in lines)


def test_another_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no models"):
        entries(write_deb(tmp_path / "h.deb", {"usr/readme": b""}))


def test_every_thing_has_plain_captions_and_known_paints() -> None:
    assert set(THINGS) >= TURNED
    for captions, paints in THINGS.values():
        assert all(phrase == phrase.strip() and "_" not in phrase for phrase in captions.split("|"))
        assert all(paint in PAINTS or paint.endswith(".png") for paint in paints.split(", "))

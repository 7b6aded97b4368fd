"""MegaGlest: a package that is written here."""

import io
from pathlib import Path

import numpy as np
import pytest
from model_files import g3d
from package_files import write_deb
from PIL import Image

from clip3d.data import megaglest
from clip3d.data.library import Entry
from clip3d.data.megaglest_names import captions_of
from clip3d.errors import DataError

FACTIONS = f"{megaglest.ROOT}techs/megapack/factions"
TILES = f"{megaglest.ROOT}tilesets"


def png(color: tuple[int, int, int, int], clear: int = 0) -> bytes:
    """A picture of one colour, the left `clear` of its 8 columns transparent."""
    image = Image.new("RGBA", (8, 8), color)
    image.paste((0, 0, 0, 0), (0, 0, clear, 8))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def read(path: Path, lines: list[str] | None = None) -> dict[str, Entry]:
    progress = (lines if lines is not None else []).append
    return {e.name: e for e in megaglest.read_megaglest(path, points=300, progress=progress)}


def test_named_models_come_out_z_up_with_their_pictures(tmp_path: Path) -> None:
    folder = f"{FACTIONS}/tech/units/pig/models"
    files = {
        f"{folder}/pig_standing.g3d": g3d(),
        f"{folder}/pig_dying.g3d": g3d(),
        f"{folder}/skin.png": png((0, 255, 0, 255)),
        f"{FACTIONS}/tech/units/cow/models/cow_standing.g3d": b"broken",
    }
    lines: list[str] = []
    (pig,) = read(write_deb(tmp_path / "p.deb", files), lines).values()
    assert (pig.name, pig.captions, pig.licence) == ("tech/pig/pig_standing", ("pig", "animal"), "CC-BY-SA-3.0")
    assert pig.cloud.points[:, 2].max() == pytest.approx(2, abs=0.2)
    np.testing.assert_allclose(pig.cloud.points[:, 1], 0, atol=1e-6)
    np.testing.assert_allclose(pig.cloud.colors, np.tile([0, 1, 0], (300, 1)))
    assert any("tech/cow/cow_standing passed over" in line for line in lines)


def test_what_is_clear_is_a_hole_in_scenery_and_the_teams_colour_on_units(tmp_path: Path) -> None:
    picture = png((0, 255, 0, 255), clear=4)
    files = {
        f"{TILES}/forest/models/tree1.g3d": g3d(team=True),
        f"{TILES}/forest/models/skin.png": picture,
        f"{FACTIONS}/tech/units/pig/models/pig_standing.g3d": g3d(team=True),
        f"{FACTIONS}/tech/units/pig/models/skin.png": picture,
    }
    entries = read(write_deb(tmp_path / "p.deb", files))
    tree, pig = entries["forest/tree1"].cloud, entries["tech/pig/pig_standing"].cloud
    assert tree.points[:, 0].min() >= 0.45
    assert {tuple(c) for c in tree.colors.tolist()} == {(0, 1, 0)}
    assert pig.points[:, 0].min() < 0.1
    assert len(np.unique(pig.colors, axis=0)) == 2


def test_equal_files_that_the_package_links_are_read(tmp_path: Path) -> None:
    white = png((255, 255, 255, 255))
    files = {f"{TILES}/autumn/models/birke.g3d": g3d(), f"{TILES}/winter/models/skin.png": white}
    links = {f"{TILES}/winter/models/birke.g3d": "../../autumn/models/birke.g3d"}
    entries = read(write_deb(tmp_path / "p.deb", files, links))
    assert entries["winter/birke"].captions[:2] == ("snowy birch tree", "birch tree")
    np.testing.assert_allclose(entries["winter/birke"].cloud.colors, 1)
    assert entries["autumn/birke"].captions[0] == "autumn birch tree"


def test_few_of_one_kind_are_taken(tmp_path: Path) -> None:
    files = {f"{TILES}/forest/models/tree{n}.g3d": g3d(picture=b"") for n in range(10)}
    assert len(read(write_deb(tmp_path / "p.deb", files))) == megaglest.MOST


def test_a_package_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no known models"):
        read(write_deb(tmp_path / "p.deb", {"usr/other": b""}))


@pytest.mark.parametrize("name", ["egypt/mummy/mummy_dying", "tech/archer/archer_attack", "forest/hanged", "x/y"])
def test_poses_and_horrors_are_left_out(name: str) -> None:
    assert captions_of(name) == ()

"""0 A.D.: an archive that is written here, and the names of the real one's actors."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from model_files import pmd
from package_files import write_deb
from PIL import Image

from clip3d.data import zero_ad
from clip3d.data.library import Entry
from clip3d.data.zero_ad_names import captions_of
from clip3d.errors import DataError

WALL = ((0, 0, 0), (4, 0, 0), (0, 8, 0))  # y up


def actor(mesh: str, skin: str, material: str, props: str = "") -> str:
    look = f'<mesh>{mesh}</mesh><textures><texture file="{skin}" name="baseTex"/></textures><props>{props}</props>'
    return f'<actor><group><variant frequency="1">{look}</variant></group><material>{material}</material></actor>'


def dds(color: tuple[int, int, int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (4, 4), color).save(out, "DDS")
    return out.getvalue()


def art(**extra: str) -> dict[str, bytes]:
    """A lion with a crown in its hand, a sheep in the player's colour, and a deer without a mesh."""
    crown = '<prop actor="crown.xml" attachpoint="hand"/><prop actor="lost.xml" attachpoint="hand"/>'
    actors = {
        "fauna/lion": actor("lion.dae", "red.png", "no_trans_spec.xml", crown),
        "fauna/sheep1": actor("lion.dae", "clear.png", "player_trans.xml"),
        "fauna/deer": actor("missing.dae", "red.png", "default.xml"),
        "crown": actor("lion.dae", "red.png", "default.xml"),
        "temp/lion": actor("lion.dae", "red.png", "default.xml"),
        **extra,
    }
    files = {f"art/actors/{name}.xml": text.encode() for name, text in actors.items()}
    files["art/meshes/lion.dae.cached.pmd"] = pmd(corners=WALL)
    files["art/textures/skins/red.png.cached.dds"] = dds((255, 0, 0, 0))
    files["art/textures/skins/clear.png.cached.dds"] = dds((255, 0, 0, 0))
    return files


def package(path: Path, files: dict[str, bytes]) -> Path:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return write_deb(path, {zero_ad.ART: content.getvalue()})


def read(path: Path, lines: list[str]) -> dict[str, Entry]:
    return {e.name: e for e in zero_ad.read_zero_ad(path, points=300, progress=lines.append)}


def test_named_actors_come_out_with_captions_and_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    lines: list[str] = []
    entries = read(package(tmp_path / "p.deb", art()), lines)
    assert set(entries) == {"fauna/lion#0", "fauna/sheep1#0"}
    assert entries["fauna/lion#0"].captions == ("lion", "animal")
    assert (entries["fauna/lion#0"].licence, entries["fauna/lion#0"].cloud.unit) == ("CC-BY-SA-3.0", "m")
    assert any("fauna/deer#0 passed over" in line and "missing.dae" in line for line in lines)
    assert [p.name for p in tmp_path.iterdir()] == ["p.deb"]


def test_convention_y_becomes_z_and_the_left_handed_frame_a_right_handed_one(tmp_path: Path) -> None:
    sheep = read(package(tmp_path / "p.deb", art()), [])["fauna/sheep1#0"].cloud
    assert sheep.up == "z"
    assert sheep.points[:, 2].max() == pytest.approx(8, abs=1)
    np.testing.assert_allclose(sheep.points[:, 1], 0, atol=1e-6)


def test_props_hang_where_the_mesh_says(tmp_path: Path) -> None:
    lion = read(package(tmp_path / "p.deb", art()), [])["fauna/lion#0"].cloud.points
    # The hand is at x -1, 5 up, turned by half about the vertical: the crown reaches from there to x -5.
    assert lion[:, 0].min() == pytest.approx(-5, abs=0.8)
    assert lion[:, 2].max() == pytest.approx(13, abs=1.2)


def test_a_clear_skin_shows_the_players_colour_only_on_materials_that_say_so(tmp_path: Path) -> None:
    entries = read(package(tmp_path / "p.deb", art()), [])
    np.testing.assert_allclose(entries["fauna/lion#0"].cloud.colors, np.tile([1, 0, 0], (300, 1)), atol=0.02)
    assert len(np.unique(entries["fauna/sheep1#0"].cloud.colors, axis=0)) == 1
    assert not np.allclose(entries["fauna/sheep1#0"].cloud.colors[0], [1, 0, 0], atol=0.02)


def test_a_damaged_skin_leaves_its_model_and_all_others(tmp_path: Path) -> None:
    files = {**art(), "art/textures/skins/red.png.cached.dds": b"DDS |" + bytes(150)}
    lion = read(package(tmp_path / "p.deb", files), [])["fauna/lion#0"].cloud
    assert lion.colors is None


def test_few_of_one_kind_are_taken(tmp_path: Path) -> None:
    many = {f"fauna/deer{n}": actor("lion.dae", f"skin{n}.png", "default.xml") for n in range(20)}
    entries = read(package(tmp_path / "p.deb", art(**many)), [])
    assert sum(e.captions[0] == "deer" for e in entries.values()) == zero_ad.MOST_SKINS - 1  # one has no mesh


def test_a_package_without_art_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"public\.zip"):
        read(write_deb(tmp_path / "p.deb", {"usr/other": b""}), [])
    with pytest.raises(DataError, match="damaged"):
        read(write_deb(tmp_path / "q.deb", {zero_ad.ART: b"no zip"}), [])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("fauna/elephant_asian", ("indian elephant", "elephant", "animal")),
        ("structures/romans/house", ("roman house", "house", "building")),
        ("structures/carthaginians/house", ("house", "building")),
        ("props/units/weapons/gladius", ("gladius", "short sword", "sword", "weapon")),
        ("flora/trees/oak_dead", ()),
        ("structures/fndn_3x3", ()),
        ("props/units/shields/props/shield_boss_f", ()),
        ("nothing/known", ()),
    ],
)
def test_paths_become_plain_english(path: str, expected: tuple[str, ...]) -> None:
    assert captions_of(path) == expected

"""Actors: what they name, and what is refused."""

import pytest

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.actors import choices, read_actor, read_variant

ACTOR = b"""\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>
<actor version="1">
  <group>
    <variant frequency="3" name="a"><mesh>gaia/a.dae</mesh>
      <textures>
        <texture file="gaia/a_norm.png" name="normTex"/><texture file="gaia/a.png" name="baseTex"/>
      </textures>
      <props>
        <prop actor="props/leaves.xml" attachpoint="top"/><prop actor="props/nest.xml" attachpoint="top"/>
      </props>
    </variant>
    <variant name="dying"/>
  </group>
  <group><variant file="shared.xml"><props><prop actor="" attachpoint="top"/></props></variant></group>
  <material>basic_trans.xml</material>
</actor>"""


def test_an_actor_names_meshes_skins_and_what_is_hung_where() -> None:
    actor = read_actor(ACTOR)
    (tree, dying), (shared,) = actor.groups
    assert (tree.mesh, tree.skin, tree.frequency) == ("gaia/a.dae", "gaia/a.png", 3)
    assert tree.props == {"top": ("props/leaves.xml", "props/nest.xml")}
    assert (shared.file, shared.props) == ("shared.xml", {"top": ()})
    assert actor.material == "basic_trans.xml"
    assert choices((tree, dying)) == [tree]
    assert choices((dying,)) == [dying]


def test_a_variant_has_a_file_of_its_own() -> None:
    assert read_variant(b"<variant frequency='x'><mesh> m.dae </mesh></variant>").mesh == "m.dae"


def test_a_frequency_of_thousands_of_digits_is_a_frequency() -> None:
    assert read_variant(b"<variant frequency='" + b"9" * 9999 + b"'/>").frequency > 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<actor>",
        b"\xff\xfe<\x00a\x00",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><actor>&b;</actor>",
        b"<actor>" + b" " * 2**20 + b"</actor>",
        b"<?xml version='1.0' encoding='nonsense'?><actor/>",
    ],
)
def test_a_hostile_file_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_actor(data)

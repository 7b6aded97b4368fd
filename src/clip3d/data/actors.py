"""Actors of the Pyrogenesis engine (0 A.D.): XML that names a mesh, its skin, and what is hung on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree import ElementTree

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.xml_guard import parse_xml

MAX_XML_BYTES = 2**20
MAX_DIGITS = 9  # of a frequency


@dataclass(frozen=True)
class Variant:
    """One choice of a group; what it leaves out is decided by the other groups.

    Attributes:
        file: of a shared variant that this one refines, below `art/variants`, or "".
        frequency: its share of the draws; 0 means that the game chooses it by a unit's state.
        mesh: below `art/meshes`, or "".
        skin: the base texture below `art/textures/skins`, or "".
        props: for each prop point the actors hung there; an empty tuple takes away what an earlier group hung.
    """

    file: str = ""
    frequency: int = 0
    mesh: str = ""
    skin: str = ""
    props: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Actor:
    """The groups of an actor, one variant of each being drawn, and the name of its material."""

    groups: tuple[tuple[Variant, ...], ...]
    material: str


def read_actor(data: bytes) -> Actor:
    """An actor; of one with several quality levels, the first that is written out.

    Raises:
        Malformed: if it is no such XML.
    """
    root = _root(data)
    if root.tag == "qualitylevels":
        inside = root.find("inline") if root.find("inline") is not None else root.find("actor")
        root = root if inside is None else inside
    groups = [tuple(_variant(v) for v in group.findall("variant")) for group in root.findall("group")]
    return Actor(tuple(g for g in groups if g), (root.findtext("material") or "").strip())


def read_variant(data: bytes) -> Variant:
    """A variant in a file of its own.

    Raises:
        Malformed: if it is no XML of this kind.
    """
    return _variant(_root(data))


def choices(group: tuple[Variant, ...]) -> list[Variant]:
    """The variants of a group that chance may draw."""
    return [v for v in group if v.frequency > 0] or list(group)


def _root(data: bytes) -> ElementTree.Element:
    if len(data) > MAX_XML_BYTES:
        raise Malformed(f"it is larger than {MAX_XML_BYTES} bytes")
    return parse_xml(data)


def _variant(element: ElementTree.Element) -> Variant:
    props: dict[str, tuple[str, ...]] = {}
    for prop in element.findall("props/prop"):
        point, actor = prop.get("attachpoint", ""), prop.get("actor", "")
        props[point] = props.get(point, ()) + ((actor,) if actor else ())
    skins = [t.get("file", "") for t in element.findall("textures/texture") if t.get("name") == "baseTex"]
    frequency = element.get("frequency", "0")
    return Variant(
        file=element.get("file", ""),
        frequency=int(frequency[:MAX_DIGITS]) if frequency.isdecimal() else 0,
        mesh=(element.findtext("mesh") or "").strip(),
        skin=skins[-1] if skins else "",
        props=props,
    )

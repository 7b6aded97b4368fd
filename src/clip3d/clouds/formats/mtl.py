"""MTL: the diffuse colour and the diffuse picture of each material that an OBJ file uses."""

from __future__ import annotations

from dataclasses import dataclass

from clip3d.clouds.formats.neighbours import Neighbours

MAX_MTL_BYTES = 16 * 1024**2


@dataclass
class Material:
    """A diffuse colour, red, green and blue in [0, 1], and the name of a picture that takes its place."""

    color: tuple[float, float, float] | None = None
    picture: str = ""


def read_materials(names: list[str], neighbours: Neighbours) -> dict[str, Material]:
    """The materials of all libraries that `mtllib` lines name; one that is missing gives none."""
    materials: dict[str, Material] = {}
    for line in names:
        # A name may hold spaces, and a line may hold several names.
        for name in [line] if neighbours.exists(line) else line.split() or [line]:
            data = neighbours.read(name, MAX_MTL_BYTES)
            if data is not None:
                _parse(data.decode("utf-8", "replace"), materials)
    return materials


def _parse(text: str, materials: dict[str, Material]) -> None:
    current = Material()
    for line in text.splitlines():
        word, _, rest = line.strip().replace("\t", " ").partition(" ")
        rest = rest.strip()
        if word == "newmtl":
            current = materials.setdefault(rest, Material())
        elif word == "Kd":
            current.color = _color(rest) or current.color
        elif word.lower() == "map_kd":
            current.picture = _picture_name(rest)


def _color(text: str) -> tuple[float, float, float] | None:
    try:
        values = [float(word) for word in text.split()[:3]]
    except ValueError:
        return None
    if len(values) == 1:
        values *= 3
    if len(values) != 3 or not all(0 <= v < float("inf") for v in values):
        return None
    red, green, blue = (min(v, 1.0) for v in values)
    return red, green, blue


def _picture_name(text: str) -> str:
    """The file name at the end of a map statement, after options such as `-s 1 1 1`."""
    words = text.split(" ")
    while words and (words[0].startswith("-") or not words[0]):
        words.pop(0)
        while len(words) > 1 and (words[0] in ("on", "off", "") or _is_number(words[0])):
            words.pop(0)
    return " ".join(words).strip()


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True

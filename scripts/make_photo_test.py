"""Make a folder of labelled photographs from the Debian package gcompris-qt-data, for `clip3d evaluate zero-shot`.

    apt-get download gcompris-qt-data
    python scripts/make_photo_test.py gcompris-qt-data_*.deb photos/
    clip3d evaluate zero-shot --images photos/

Only pictures are taken whose own paragraph in the package's copyright file names an open licence: CC0, CC-BY,
CC-BY-SA or public domain. `photos/licences.csv` names licence and holder of each.
"""

from __future__ import annotations

import argparse
import csv
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from clip3d.data.licences import Copyright, Terms
from clip3d.data.packages import deb_files
from clip3d.errors import DataError

COPYRIGHT = "usr/share/doc/gcompris-qt-data/copyright"
ARCHIVES = tuple(f"usr/share/gcompris-qt/rcc/{name}.rcc" for name in ("categorization", "explore_world_animals"))
# What the file names mean; pictures of other names in FOLDERS are called what their file is called.
FOLDERS = ("fishes", "others", "renewable", "tools", "animals")
NAMES = {
    "blackslate": "blackboard",
    "bulb": "light bulb",
    "claw hammer": "hammer",
    "dragon": "komodo dragon",
    "erasers": "eraser",
    "estwing hammer": "hammer",
    "framing hammer": "hammer",
    "nail cutter": "nail clipper",
    "nose plier": "pliers",
    "pan": "frying pan",
    "plier": "pliers",
    "scarlet macaw": "parrot",
    "scissor": "scissors",
    "screw driver": "screwdriver",
    "side cutter": "pliers",
    "solar": "solar panel",
    "spoons": "spoon",
    "stripper": "wire stripper",
    "tweezer": "tweezers",
    "weighing machine": "weighing scale",
    "windmill": "wind turbine",
}
UNCLEAR = {"buffetset", "cuting tool", "geothermal"}
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
DIRECTORY, ZLIB, ZSTD = 2, 1, 4


def main() -> None:
    """Read the package, write the folder, say how many pictures there are."""
    parser = argparse.ArgumentParser(description="Labelled photographs of open licence from gcompris-qt-data.")
    parser.add_argument("package", type=Path, metavar="FILE.deb")
    parser.add_argument("out", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    written = write_pictures(arguments.package, arguments.out)
    print(f"{arguments.out}: {len(written)} pictures of {len({row[1] for row in written})} labels")


def write_pictures(package: Path, out: Path) -> list[tuple[str, str, str, str]]:
    """Write the pictures into a folder a label, and licences.csv; returns its rows."""
    files = dict(deb_files(package, lambda name: name == COPYRIGHT or name in ARCHIVES))
    missing = [name for name in (COPYRIGHT, *ARCHIVES) if name not in files]
    if missing:
        raise DataError(package, f"holds no {missing[0]}", "take gcompris-qt-data")
    terms = Copyright(files[COPYRIGHT].read().decode("utf-8", "replace"))
    rows = []
    for archive in ARCHIVES:
        for name, content in rcc_files(files[archive].read()):
            path = PurePosixPath(name)
            label, found = label_of(path), open_terms(terms, path)
            if label is None or found is None:
                continue
            target = out / label.replace(" ", "_") / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            rows.append((target.relative_to(out).as_posix(), label, found.licence, found.holders))
    out.mkdir(parents=True, exist_ok=True)
    with (out / "licences.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("path", "label", "licence", "holders"), *rows])
    return rows


def label_of(path: PurePosixPath) -> str | None:
    """What a picture shows, by its name; None where that is not clear, or it is no picture of an object."""
    if path.suffix not in SUFFIXES or path.parent.name not in FOLDERS:
        return None
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", path.stem.rstrip("0123456789")).replace("_", " ").lower()
    return None if words in UNCLEAR else NAMES.get(words, words)


def open_terms(terms: Copyright, path: PurePosixPath) -> Terms | None:
    """Terms of a picture if they are open.

    The package holds other suffixes than its source, whose files the copyright file names; where several files
    differ in the suffix alone, all of them must be open.
    """
    inside = path.as_posix().split("/src/")[-1].lstrip("/")
    others = terms.of("no such file")
    found = [terms.of(f"src/{PurePosixPath(inside).with_suffix(suffix)}") for suffix in SUFFIXES]
    named = [each for each in found if each is not None and each != others]
    return named[0] if named and all(each.is_open for each in named) else None


def rcc_files(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Paths and contents of a compiled Qt resource file, format 1 to 3.

    After "qres" come version and the places of tree, contents and names, big-endian. A node of the tree holds the
    place of its name, flags, and either count and number of its first child, or language and place of its content.
    """
    if data[:4] != b"qres":
        raise DataError("resource file", "is no compiled Qt resource")
    version, tree, contents, names = struct.unpack(">4i", data[4:20])
    size = 14 if version == 1 else 22

    def walk(number: int, parent: str) -> Iterator[tuple[str, bytes]]:
        name_at, flags, first, second = struct.unpack_from(">iHii", data, tree + number * size)
        path = f"{parent}/{_name(data, names + name_at)}" if number else parent
        if flags & DIRECTORY:
            for child in range(second, second + first):
                yield from walk(child, path)
        else:
            yield path, _content(data, contents + second, flags)

    yield from walk(0, "")


def _name(data: bytes, at: int) -> str:
    (length,) = struct.unpack_from(">H", data, at)
    return data[at + 6 : at + 6 + 2 * length].decode("utf-16-be")


def _content(data: bytes, at: int, flags: int) -> bytes:
    (length,) = struct.unpack_from(">I", data, at)
    content = data[at + 4 : at + 4 + length]
    if flags & ZSTD:
        raise DataError("resource file", "is compressed with Zstandard", "take the package of Debian 12")
    return zlib.decompress(content[4:]) if flags & ZLIB else content


if __name__ == "__main__":
    main()

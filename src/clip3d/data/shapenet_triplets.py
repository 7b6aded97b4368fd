"""Triplets of ShapeNet55 as the field keeps it: Point-BERT's clouds and lists, with CG3D's or ULIP's pictures.

Below the folder, or folders of it named as those projects name them, lie `shapenet_pc/SYNSET-ID.npy` (8,192
points, y up), the lists `train.txt` and `test.txt`, ShapeNet's `taxonomy.json`, and pictures:
`img/SYNSET/ID/000.png` as the scripts of GET3D render them for CG3D, or
`rendered_images/SYNSET-ID/SYNSET-ID_r_000.png` as ULIP hands them out.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.reading import read
from clip3d.data.caption_tables import read_captions
from clip3d.data.foldered_triplets import FolderedTriplets
from clip3d.data.library_triplets import label
from clip3d.data.picture_folders import PictureFolders, folder_of
from clip3d.errors import DataError

log = logging.getLogger(__name__)

CLOUDS = "shapenet_pc"
INSIDE = ("", "ShapeNet55", "ShapeNet-55", "shapenet-55", "ShapeNet55-34", "shapenet_render")
PICTURES = ("img", "rendered_images", "rgb_depth_rendered_images")
MODELS = ("ShapeNetCore.v2", "ShapeNetCore.v1", "ShapeNetCore")
MODEL_FILES = ("models/model_normalized.obj", "model.obj")
# Names that CLIP goes 3D gives classes instead of the taxonomy's first.
RENAMES = {"display": "monitor", "vessel": "ship", "ashcan": "trashcan"}

ENTRY = re.compile(r"(\d{8})-([A-Za-z0-9_-]+)(?:\.npy)?")
SPLIT = re.compile(r"[A-Za-z0-9_-]+")
MAX_BYTES = 64 * 2**20


def is_shapenet(path: Path) -> bool:
    """Whether a folder is laid out as ShapeNet55 is."""
    return any((path / inside / CLOUDS).is_dir() for inside in INSIDE)


def open_shapenet(path: Path, split: str, pictures: Path | None, captions: Path | None) -> ShapeNetTriplets:
    """The objects that the list of the split names and whose clouds are there; of train and test for "all".

    Any other list serves too: the split "train_img" is that of `train_img.txt`. Captions are a table by
    SYNSET-ID or by the name of a picture, as ULIP-2's are; objects that it lacks keep the taxonomy's words.

    Raises:
        DataError: if a part of the layout is missing or of another form, or nothing is left.
    """
    clouds = _first(path, (CLOUDS,), is_folder=True)
    if clouds is None:
        raise DataError(path, f"there is no folder {CLOUDS} in it", "name the folder that holds Point-BERT's files")
    names = _synonyms(path)
    there = {entry.name for entry in os.scandir(clouds)}
    listed = [key for name in (("train", "test") if split == "all" else (split,)) for key in _listed(path, name)]
    keys = [key for key in dict.fromkeys(listed) if f"{key}.npy" in there]
    if not keys:
        raise DataError(clouds, f"none of the {len(listed)} clouds of the list is there", "unpack the clouds")
    if len(keys) < len(set(listed)):
        log.warning("%s: %d of %d clouds are missing", clouds, len(set(listed)) - len(keys), len(set(listed)))
    unknown = next((key for key in keys if key[:8] not in names), None)
    if unknown:
        raise DataError(path, f"taxonomy.json lacks the synset {unknown[:8]}", "use ShapeNet's own")
    said = _captions(captions) if captions else {}
    phrases = [(*said.get(key, ()), *names[key[:8]]) for key in keys]
    classes = [names[key[:8]][0] for key in keys]
    root = pictures or _first(path, PICTURES, is_folder=True)
    return ShapeNetTriplets(path, split, clouds, keys, phrases, classes, root)


class ShapeNetTriplets(FolderedTriplets):
    """ShapeNet's objects as `clip3d.data.triplets.Triplets`; each is read when it is asked for.

    Args:
        path: folder of the whole layout.
        split: name of the part.
        clouds: folder of the point files.
        keys: n names SYNSET-ID.
        phrases: what each is called.
        classes: name of each one's class.
        pictures: folder of the pictures, of which ULIP's depth pictures are left out, or None.
    """

    def __init__(
        self,
        path: Path,
        split: str,
        clouds: Path,
        keys: Sequence[str],
        phrases: Sequence[tuple[str, ...]],
        classes: Sequence[str],
        pictures: Path | None,
    ) -> None:
        self.path, self.split = path, split
        self._clouds, self._keys, self._phrases = clouds, keys, phrases
        self._pictures = PictureFolders(pictures, _picture_places)
        self._models = _first(path, MODELS, is_folder=True)
        self.classes, self.labels = label(classes)

    def __len__(self) -> int:
        return len(self._keys)

    def key(self, index: int) -> str:
        """SYNSET-ID."""
        return self._keys[index]

    def phrases(self, index: int) -> tuple[str, ...]:
        """Captions of the object's own if a table has some, the class as CG3D names it, and the other synonyms."""
        return self._phrases[index]

    def cloud(self, index: int) -> PointCloud:
        """The stored points, y up."""
        return read(self._clouds / f"{self._keys[index]}.npy", up="y")

    def drawn_file(self, index: int, kind: str) -> Path | None:
        """The object's mesh for pictures in colour, where ShapeNetCore lies beside the clouds."""
        if kind != "color" or self._models is None:
            return None
        synset, _, name = self._keys[index].partition("-")
        places = (self._models / synset / name / file for file in MODEL_FILES)
        return next((place for place in places if place.is_file()), None)

    def protocol(self) -> dict[str, Any]:
        """Format, folder, split, counts, and a digest of the list and the phrases."""
        return {
            "format": "shapenet55",
            "file": self.path.name,
            "split": self.split,
            "n": len(self),
            "classes": len(self.classes),
            "data_sha256": self._sha256,
            **self._pictures.protocol(),
        }

    @cached_property
    def _sha256(self) -> str:
        return hashlib.sha256(repr((list(self._keys), list(self._phrases))).encode()).hexdigest()


def _first(path: Path, names: Iterable[str], *, is_folder: bool = False) -> Path | None:
    """The first of the files or folders that is there, in the folder or one of those that projects put it in."""
    places = [path / inside / name for name in names for inside in INSIDE]
    return next((place for place in places if (place.is_dir() if is_folder else place.is_file())), None)


def _picture_places(key: str) -> tuple[str, ...]:
    synset, _, name = key.partition("-")
    return f"img/{synset}/{name}", f"{synset}/{name}", key, folder_of(key)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(path, f"it holds more than {MAX_BYTES:,} bytes", "use ShapeNet's own")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, f"it cannot be read: {error}") from error


def _listed(path: Path, split: str) -> list[str]:
    """The names SYNSET-ID in the list of a split."""
    found = _first(path, (f"{split}.txt",)) if SPLIT.fullmatch(split) else None
    if found is None:
        raise DataError(path, f"there is no list {split}.txt", "put the lists of the splits beside the clouds")
    keys = []
    for number, line in enumerate(_text(found).split("\n"), 1):
        entry = ENTRY.fullmatch(line.strip())
        if entry:
            keys.append(f"{entry[1]}-{entry[2]}")
        elif line.strip():
            reason = f"line {number} is no SYNSET-ID.npy: {line.strip()[:60]!r}"
            raise DataError(found, reason, "use the published list")
    return keys


def _synonyms(path: Path) -> dict[str, tuple[str, ...]]:
    """The words for each synset, the class's name first."""
    found = _first(path, ("taxonomy.json",))
    if found is None:
        raise DataError(path, "there is no taxonomy.json", "take it from ShapeNetCore and put it beside the lists")
    try:
        content = json.loads(_text(found))
        rows = [(str(row["synsetId"]), str(row["name"]).split(",")) for row in content]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataError(found, f"it is no list of synsets with names: {error}", "use ShapeNetCore's own") from error
    words: dict[str, tuple[str, ...]] = {}
    for synset, names in rows:
        plain = [" ".join(name.replace("_", " ").split()) for name in names]
        known = [name for name in plain if name]
        if known:
            words.setdefault(synset, tuple(dict.fromkeys((RENAMES.get(known[0], known[0]), *known))))
    return words


def _captions(path: Path) -> dict[str, tuple[str, ...]]:
    """Captions by SYNSET-ID; names of pictures, as in ULIP-2's file, stand for their objects."""
    found: dict[str, list[str]] = {}
    for row in read_captions(path):
        name = PurePosixPath(row.name.replace("\\", "/")).name
        key = name.partition("_r_")[0].removesuffix(".npy")
        found.setdefault(key, []).extend(row.captions)
    return {key: tuple(dict.fromkeys(captions)) for key, captions in found.items()}

"""A collection as a dataset of FiftyOne, with its thumbnails to look at and its vectors as embeddings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from clip3d.clouds.remote import URI
from clip3d.errors import DataError, MissingExtra
from clip3d.search.conditions.columns import FIXED, as_utf8
from clip3d.search.exports.exporting import Block, Progress, Selection
from clip3d.search.page import picture_type
from clip3d.search.questions.answering import value_of
from clip3d.search.stores.store import Record, Value

NO_WORD = re.compile(r"\W")
OWN = ("id", "filepath", "tags", "metadata", "media_type", "created_at", "last_modified_at")
ADDED = ("item", "source", "part")
NOTHING = bytes.fromhex(  # a grey pixel as PNG, for what has no thumbnail
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63680000008200"
    "8177cd72b60000000049454e44ae426082"
)


def export_fiftyone(
    folder: str | PathLike[str], name: str, selection: Selection, progress: Progress | None = None
) -> int:
    """Make a persistent dataset of FiftyOne; gives the number of its samples.

    A sample shows the picture itself, or the thumbnail of what is no picture, which is written into the folder. Its
    tags hold the kind, `item` the id, `source` and `part` where the item lies, `vector_NAME` each vector, and
    fields of their own the metadata. The dataset's `info` says space, model and weights.

    Args:
        folder: for the thumbnails; new or empty, and to be kept where it is.
        name: of the dataset.
        selection: what is exported.
        progress: called with the number of records done and of all.

    Raises:
        MissingExtra: if fiftyone is not installed.
        DataError: if the folder holds something or cannot be written, or there is a dataset of that name.
    """
    try:
        import fiftyone
    except ImportError as error:
        raise MissingExtra("a dataset of FiftyOne", "fiftyone", "fiftyone") from error
    media = _new_folder(Path(folder))
    if fiftyone.dataset_exists(name):
        raise DataError(folder, f"FiftyOne has a dataset {name!r} already", "choose another with --name")
    dataset = fiftyone.Dataset(name)
    fields = _fields(selection)
    try:
        for block in selection.blocks(progress):
            dataset.add_samples(list(_samples(fiftyone, block, selection, media, fields)), progress=False)
    except BaseException:
        dataset.delete()
        raise
    dataset.info = {**selection.origin(), "collection": selection.store.address}
    dataset.persistent = True
    return len(dataset)


def _new_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DataError(folder, "it holds other things", "name a new or an empty folder for the thumbnails")
    except OSError as error:
        raise DataError(folder, f"it cannot be made: {error.strerror or error}") from error
    return folder.absolute()


def _fields(selection: Selection) -> dict[str, tuple[str, type]]:
    """For each name of metadata the name and the type of a field."""
    types: dict[str, type] = {"number": float, "boolean": bool}
    fields: dict[str, tuple[str, type]] = {}
    taken = {*OWN, *ADDED, *(f"vector_{name}" for name in selection.names)}
    for name, kind in selection.store.columns().items():
        if name in FIXED:
            continue
        field = NO_WORD.sub("_", name).lstrip("_") or "field"
        while field in taken:
            field = f"meta_{field}"
        taken.add(field)
        fields[name] = field, types.get(kind, str)
    return fields


def _samples(
    fiftyone: Any, block: Block, selection: Selection, media: Path, fields: Mapping[str, tuple[str, type]]
) -> Iterator[Any]:
    pictures = selection.store.thumbnails([record.id for record in block.records])
    for place, record in enumerate(block.records):
        sample = fiftyone.Sample(
            filepath=_picture(record, pictures.get(record.id), media),
            tags=[record.kind],
            item=record.id,
            source=as_utf8(record.trace.path),
            part=as_utf8(record.trace.part),
        )
        for name, vectors in block.vectors.items():
            if np.isfinite(vectors[place]).all():
                sample[f"vector_{name}"] = vectors[place]
        for name, value in record.metadata.items():
            field, kind = fields.get(name, ("", str))
            fitting = _as(kind, value)
            if field and fitting is not None:
                sample[field] = fitting
        yield sample


def _as(kind: type, value: Value) -> Value:
    if value is None:
        return None
    if kind is str:
        return str(value).lower() if isinstance(value, bool) else str(value)
    # what came since the fields were told may be of another type
    return None if isinstance(value, str) else kind(value)


def _picture(record: Record, thumbnail: bytes | None, media: Path) -> str:
    """The file to show: the item's own, if it is a picture here, else its thumbnail."""
    from clip3d.search.pictures import is_picture

    path = record.trace.path
    if record.kind == "image" and not URI.match(path) and is_picture(path):
        return path
    kind = picture_type(thumbnail)
    data = NOTHING if kind is None or thumbnail is None else thumbnail
    stem = NO_WORD.sub("_", str(value_of(record, "name")))[:80]
    file = media / f"{record.id:08d}-{stem}{'.jpg' if kind == 'image/jpeg' else '.png'}"
    file.write_bytes(data)
    return str(file)

"""The index of a set of shards: where in which tar file an object's cloud and pictures lie, and what it is called.

A shard is a tar file in the convention of WebDataset: files of one name up to the first full stop are one object's:
`NAME.cloud.npz` (or any `.npz` or `.npy`), `NAME.000.png`, `NAME.001.png`, ... (PNG, JPEG or WebP), and `NAME.json`
with `key`, `captions`, `class`. Nothing is ever unpacked: the index says at which bytes a file lies.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from clip3d.data.npz import read_npz, write_npz
from clip3d.data.picture_folders import SUFFIXES
from clip3d.errors import DataError

INDEX = "index.npz"
CLOUD_SUFFIXES = (".npz", ".npy")
MAX_CLOUD_BYTES = 512 * 2**20
MAX_PICTURE_BYTES = 64 * 2**20
MAX_JSON_BYTES = 1 << 20
BLOCK = tarfile.BLOCKSIZE
MAX_MEMBERS = 5_000_000  # of one shard
PLACES = ("sizes", "shard", "cloud", "first", "pictures", "ends")
KEYS = ("shards", "sizes", "shard", "cloud", "npy", "first", "pictures", "words", "ends")


@dataclass
class Record:
    """One object of a shard: offsets and sizes in bytes of its files, and what its JSON says."""

    key: str = ""
    captions: tuple[str, ...] = ()
    label: str = ""
    split: str = ""
    cloud: tuple[int, int] | None = None
    is_npy: bool = False
    pictures: list[tuple[str, int, int]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class ShardIndex:
    """Where n objects lie in shards.

    Attributes:
        shards: names of the tar files.
        sizes: their bytes.
        shard: (n,) number of each object's shard; ascending.
        cloud: (n, 2) offset and size of the clouds.
        npy: (n,) whether a cloud is an NPY, else an NPZ.
        first: (n + 1,) rows of `pictures` that are an object's.
        pictures: (m, 2) offset and size.
        words: key, class, split, and captions of all objects, in UTF-8, one after another.
        ends: (n, 4) where in `words` each of these ends.
    """

    shards: NDArray[np.str_]
    sizes: NDArray[np.int64]
    shard: NDArray[np.int64]
    cloud: NDArray[np.int64]
    npy: NDArray[np.bool_]
    first: NDArray[np.int64]
    pictures: NDArray[np.int64]
    words: NDArray[np.uint8]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.shard)

    def text(self, index: int, part: int) -> str:
        """The key (0), class (1), split (2) or captions (3, with "|" between them) of an object."""
        ends = self.ends.reshape(-1)
        place = 4 * index + part
        start = int(ends[place - 1]) if place else 0
        return bytes(self.words[start : int(ends[place])]).decode("utf-8", "replace")

    def save(self, path: Path) -> None:
        """Write the index whole or not at all."""
        write_npz(path, {key: getattr(self, key) for key in KEYS})


def read_index(path: Path) -> ShardIndex:
    """Read an index and see that it holds together.

    Raises:
        DataError: if it is missing or damaged, or speaks of what cannot be in its shards.
    """
    index = ShardIndex(**read_npz(path, required=KEYS))
    n, shards = index.shard.size, index.shards.size
    whole = (
        index.shards.dtype.kind == "U"
        and index.words.dtype == np.uint8
        and index.npy.dtype == np.bool_
        and all(getattr(index, key).dtype == np.int64 for key in PLACES)
        and index.shards.shape == index.sizes.shape == (shards,)
        and index.shard.shape == (n,)
        and index.words.ndim == 1
        and index.cloud.shape == (n, 2)
        and index.npy.shape == (n,)
        and index.first.shape == (n + 1,)
        and index.ends.shape == (n, 4)
        and index.pictures.ndim == 2
        and index.pictures.shape[1:] == (2,)
    )
    if not whole or not _fits(index):
        raise DataError(path, "it does not hold together", "write it again with `clip3d data shard`")
    names = [str(name) for name in index.shards]
    if any(PurePosixPath(name).name != name or name in ("", "..") or "\\" in name for name in names):
        raise DataError(path, "it names shards outside its folder", "write it again with `clip3d data shard`")
    return index


def _fits(index: ShardIndex) -> bool:
    """Whether every place lies inside what it is a place of."""
    ends, first = index.ends.reshape(-1), index.first
    if len(index) == 0 or index.shard.min() < 0 or index.shard.max() >= len(index.shards):
        return False
    if (np.diff(index.shard) < 0).any() or (np.diff(ends) < 0).any() or ends[0] < 0 or ends[-1] != len(index.words):
        return False
    if (np.diff(first) < 0).any() or first[0] != 0 or first[-1] != len(index.pictures):
        return False
    owner = np.repeat(np.arange(len(index)), np.diff(first))
    size = index.sizes[index.shard]
    return _inside(index.cloud, size, MAX_CLOUD_BYTES) and _inside(index.pictures, size[owner], MAX_PICTURE_BYTES)


def _inside(places: NDArray[np.int64], size: NDArray[np.int64], most: int) -> bool:
    offset, length = places.T
    return bool(((offset >= 0) & (length > 0) & (length <= most) & (offset <= size - length)).all())


def index_of(shards: Iterable[tuple[str, int, Iterable[Record]]]) -> ShardIndex:
    """The index of shards, each given by its name, its bytes and its records."""
    names, sizes, rows, words = [], [], [], bytearray()
    ends: list[int] = []
    for number, (name, size, records) in enumerate(shards):
        names.append(name)
        sizes.append(size)
        for record in records:
            rows.append((number, record))
            for text in (record.key, record.label, record.split, "|".join(record.captions)):
                words += text.encode()
                ends.append(len(words))
    pictures = [picture[1:] for _, record in rows for picture in record.pictures]
    counts = [len(record.pictures) for _, record in rows]
    return ShardIndex(
        shards=np.array(names, dtype=np.str_),
        sizes=np.array(sizes, dtype=np.int64),
        shard=np.array([number for number, _ in rows], dtype=np.int64),
        cloud=np.array([record.cloud for _, record in rows], dtype=np.int64).reshape(-1, 2),
        npy=np.array([record.is_npy for _, record in rows], dtype=np.bool_),
        first=np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64),
        pictures=np.array(pictures, dtype=np.int64).reshape(-1, 2),
        words=np.frombuffer(bytes(words), np.uint8),
        ends=np.array(ends, dtype=np.int64).reshape(-1, 4),
    )


def scan(path: Path) -> list[Record]:
    """The objects of a tar file, from its own directory of files; those without a cloud or captions are left out.

    Raises:
        DataError: if it is damaged, packed, holds anything but plain files and folders, names that lead out of a
            folder, a file larger than may be, or more than 5 million files.
    """
    records: dict[str, Record] = {}
    try:
        with tarfile.open(path, mode="r:") as archive, path.open("rb") as stream:
            end = 0
            for count, member in enumerate(archive):
                if count > MAX_MEMBERS:
                    raise DataError(path, f"it holds more than {MAX_MEMBERS:,} files", "split it")
                end = member.offset_data + (0 if member.isdir() else -(-member.size // BLOCK) * BLOCK)
                if not member.isdir():
                    _check_member(path, member)
                    _take(path, records, member, stream)
            _check_end(path, stream, end)
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, RecursionError) as error:
        reason = f"it is not a plain tar file, or is damaged: {error}"
        raise DataError(path, reason, "unpacked tar files as WebDataset writes them are read") from error
    for record in records.values():
        record.pictures.sort()
    return [record for record in records.values() if record.cloud and record.captions]


def _check_end(path: Path, stream: BinaryIO, end: int) -> None:
    """See that nothing but the end comes behind the last file: `tarfile` takes half a header for the end."""
    stream.seek(end)
    behind = stream.read(BLOCK)
    if behind and behind != bytes(BLOCK):
        raise DataError(path, "it ends in the middle, or is damaged there", "copy it again")


def _check_member(path: Path, member: tarfile.TarInfo) -> None:
    place = PurePosixPath(member.name)
    if not member.isreg() or member.sparse is not None:
        raise DataError(path, f"{member.name[:80]!r} in it is no plain file", "shards hold files alone")
    if place.is_absolute() or ".." in place.parts or "\\" in member.name:
        raise DataError(path, f"the name {member.name[:80]!r} in it leads out of a folder", "do not unpack it")
    if member.offset_data + member.size > path.stat().st_size:
        raise DataError(path, f"it ends inside of {member.name[:80]!r}", "it is cut short: copy it again")


def _take(path: Path, records: dict[str, Record], member: tarfile.TarInfo, stream: BinaryIO) -> None:
    """Let a file of the shard join the record of its object."""
    folder, _, name = member.name.rpartition("/")
    stem, _, field_name = name.partition(".")
    suffix = "." + field_name.rpartition(".")[2].lower()
    most = {**dict.fromkeys(CLOUD_SUFFIXES, MAX_CLOUD_BYTES), **dict.fromkeys(SUFFIXES, MAX_PICTURE_BYTES)}
    most |= dict.fromkeys((".json", ".txt"), MAX_JSON_BYTES)
    if not stem or suffix not in most:
        return
    if not 0 < member.size <= most[suffix]:
        reason = f"{member.name[:80]!r} in it holds {member.size:,} bytes"
        raise DataError(path, reason, f"1 to {most[suffix]:,} may be")
    record = records.setdefault(f"{folder}/{stem}", Record(key=f"{folder}/{stem}".strip("/")))
    if suffix in CLOUD_SUFFIXES:
        record.cloud, record.is_npy = (member.offset_data, member.size), suffix == ".npy"
    elif suffix in SUFFIXES:
        record.pictures.append((field_name, member.offset_data, member.size))
    else:
        stream.seek(member.offset_data)
        _say(path, record, member.name, suffix, stream.read(member.size))


def _say(path: Path, record: Record, name: str, suffix: str, data: bytes) -> None:
    """Take an object's words from its JSON, or its one caption from its text."""
    try:
        text = data.decode("utf-8")
        said: Any = json.loads(text) if suffix == ".json" else {"caption": text.strip()}
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"{name[:80]!r} in it cannot be read: {error}", "write the shards again") from error
    if not isinstance(said, dict):
        raise DataError(path, f"{name[:80]!r} in it is no JSON object", "it needs captions")
    record.captions = record.captions or tuple(_phrases(said))
    record.key = _text(said, "key") or record.key
    record.label = _text(said, "class") or _text(said, "label") or record.label
    record.split = _text(said, "split") or record.split


def _phrases(said: Mapping[str, Any]) -> Iterator[str]:
    for name in ("captions", "caption", "text"):
        value = said.get(name)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and text.strip():
                yield from (phrase.strip() for phrase in text.split("|") if phrase.strip())


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value.strip() if isinstance(value, str) else ""

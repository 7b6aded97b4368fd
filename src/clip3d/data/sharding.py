"""Writing shards: the objects of any set of triplets in tar files of bounded size, and the index of all."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from clip3d.atomic import replacing
from clip3d.clouds.cloud import PointCloud
from clip3d.data.picture_folders import MAX_BYTES as MAX_PICTURE_BYTES
from clip3d.data.shard_index import INDEX, index_of, scan
from clip3d.data.triplets import Joined, Subset, Triplets
from clip3d.errors import DataError, FileProblem, ImageError
from clip3d.models.weights import sha256_of

SETTINGS = "shards.json"
FORMAT = 1

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Sharding:
    """How objects are put into shards.

    Attributes:
        objects: of a shard at most.
        size: bytes of a shard at about which it is closed.
        seed: of the order in which the objects come.
    """

    objects: int = 1000
    size: int = 256 * 2**20
    seed: int = 0


@dataclass
class Sharded:
    """What a run did: shards and objects in all, shards that were there before, and what was left out."""

    shards: int = 0
    objects: int = 0
    there: int = 0
    problems: list[FileProblem] = field(default_factory=list)


def write_shards(triplets: Triplets, out: Path, how: Sharding, *, progress: Progress | None = None) -> Sharded:
    """Write `shard-000000.tar`, ... and their index into a folder; a run that was interrupted goes on.

    Objects whose cloud cannot be read are left out, pictures that cannot be read too, and told. Clouds are stored
    as NPZ, in float16 where that loses nothing, else in float32; pictures as they are.

    Args:
        triplets: any set.
        out: is made if need be.
        how: sizes and order.
        progress: called with the number of objects done and of all.

    Raises:
        DataError: if the folder holds shards of other data or settings.
    """
    out.mkdir(parents=True, exist_ok=True)
    settings = _settings(triplets, how)
    _check(out, settings)
    order = np.random.default_rng(how.seed).permutation(len(triplets))
    result, done, shards = Sharded(), 0, []
    while done < len(order):
        file = out / f"shard-{result.shards:06d}.tar"
        part = file.with_suffix(".json")
        known = _known(file, part)
        if known is None:
            known = _write_shard(triplets, order[done:], file, how)
            _write_json(part, known)
        else:
            result.there += 1
        result.problems += [DataError(*problem) for problem in known["problems"]]
        done += known["taken"]
        result.objects += known["objects"]
        result.shards += 1
        shards.append(file)
        if progress:
            progress(done, len(order))
    _finish(out, settings, shards, result)
    return result


def _settings(triplets: Triplets, how: Sharding) -> dict[str, Any]:
    return {"format": FORMAT, **asdict(how), "source": triplets.protocol()}


def _check(out: Path, settings: dict[str, Any]) -> None:
    """See that a folder with shards holds those of this run."""
    path = out / SETTINGS
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        _write_json(path, settings)
        return
    except (OSError, ValueError) as error:
        raise DataError(path, f"it cannot be read: {error}", "name another folder") from error
    for name, value in json.loads(json.dumps(settings)).items():
        if not isinstance(known, dict) or known.get(name) != value:
            raise DataError(path, f"the folder holds shards of another {name}", "name another folder")


def _known(file: Path, part: Path) -> dict[str, Any] | None:
    """What an earlier run says of a shard that it finished."""
    try:
        known = json.loads(part.read_text(encoding="utf-8"))
        return known if known["bytes"] == file.stat().st_size else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write_shard(triplets: Triplets, order: Any, file: Path, how: Sharding) -> dict[str, Any]:
    """Fill one shard with the next objects; what was done."""
    problems: list[FileProblem] = []
    objects = taken = 0
    with replacing(file) as temporary, tarfile.open(temporary, "x", format=tarfile.PAX_FORMAT) as archive:
        for index in map(int, order):
            if objects == how.objects or archive.offset >= how.size:
                break
            taken += 1
            try:
                cloud = _npz(triplets.cloud(index))
            except FileProblem as problem:
                problems.append(problem)
                continue
            name = f"{objects:06d}"
            _add(archive, f"{name}.cloud.npz", cloud)
            for view in range(triplets.views(index)):
                try:
                    suffix, data = _picture(triplets, index, view)
                    _add(archive, f"{name}.{view:03d}{suffix}", data)
                except FileProblem as problem:
                    problems.append(problem)
            _add(archive, f"{name}.json", json.dumps(_words(triplets, index), ensure_ascii=False).encode())
            objects += 1
    told = [(problem.path, problem.reason, problem.remedy) for problem in problems]
    return {"bytes": file.stat().st_size, "taken": taken, "objects": objects, "problems": told}


def _words(triplets: Triplets, index: int) -> dict[str, Any]:
    label = triplets.classes[int(triplets.labels[index])]
    return {"key": triplets.key(index), "class": label, "captions": list(triplets.phrases(index))}


def _npz(cloud: PointCloud) -> bytes:
    """A cloud as the bytes of an NPZ, colours in 8 bits; a frame that its reader would take anyway is not said."""
    with np.errstate(over="ignore"):  # what float16 cannot hold differs and stays float32
        short = cloud.points.astype(np.float16)
    points = short if (short == cloud.points).all() else cloud.points
    arrays: dict[str, Any] = {"points": points}
    if cloud.up != "z":
        arrays["up"] = np.array(cloud.up)
    if cloud.unit != "unknown":
        arrays["unit"] = np.array(cloud.unit)
    if cloud.colors is not None:
        arrays["colors"] = np.rint(cloud.colors * 255).astype(np.uint8)
    if cloud.normals is not None:
        arrays["normals"] = cloud.normals.astype(np.float16)
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def _picture(triplets: Triplets, index: int, view: int) -> tuple[str, bytes]:
    """Suffix and content of a picture's file; a PNG where the source has no files."""
    while isinstance(triplets, Joined | Subset):
        triplets, index = _owner(triplets, index)
    if hasattr(triplets, "picture_files"):
        file: Path = triplets.picture_files(index)[view]
        try:
            if file.stat().st_size <= MAX_PICTURE_BYTES:
                return file.suffix.lower(), file.read_bytes()
        except OSError as error:
            raise ImageError(file, f"it cannot be read: {error.strerror or error}") from error
        raise ImageError(file, f"it holds more than {MAX_PICTURE_BYTES:,} bytes", "make it smaller")
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(triplets.picture(index, view)).save(stream, "PNG")
    return ".png", stream.getvalue()


def _owner(triplets: Joined | Subset, index: int) -> tuple[Triplets, int]:
    """The set that an object of a part or a union comes from, and its number there."""
    if isinstance(triplets, Subset):
        return triplets.whole, int(triplets.indices[index])
    number = int(np.searchsorted(triplets.starts, index, side="right")) - 1
    return triplets.parts[number], index - int(triplets.starts[number])


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def _finish(out: Path, settings: dict[str, Any], shards: list[Path], result: Sharded) -> None:
    """Write the index of all shards, and how they came about."""
    index_of((file.name, file.stat().st_size, scan(file)) for file in shards).save(out / INDEX)
    digests = {file.name: sha256_of(file) for file in shards}
    failed = {problem.path: problem.reason for problem in result.problems}
    _write_json(out / SETTINGS, {**settings, "n": result.objects, "failed": failed, "sha256": digests})


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

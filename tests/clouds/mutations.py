"""Damage done to valid files by a seeded generator, and a run that reads many of them and says what it cost.

As a program, `python mutations.py SEED COUNT FOLDER` prints a summary as one JSON object.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import resource
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import sample_files

from clip3d.clouds.reading import SUFFIXES, read
from clip3d.errors import CloudError

NUMBERS = [
    b"nan", b"inf", b"-inf", b"-1", b"-7", b"0", b"1e38", b"1e308", b"4294967295", b"2147483647", b"9" * 18,
    b"1000000", b"30000000", b"0.5", b"1e-300", b"9" * 38, b"", b"x", b"true", b"[]", b"{}",
]  # fmt: skip
BYTES = [b"\x00", b"\xff" * 4, b"\x00" * 4, b"\xff\xff\xff\x7f", b"\n", b"{", b"<", b"\x00\x00\xc0\x7f", b"&lol;"]
VALUES: list[object] = [
    -1, 0, 1, 3, 6, 255, 10**9, 2**31, 2**63, 1e308, float("nan"), float("inf"), None, True, "", "x", [], {}, [[]],
    [0] * 16, [1e38] * 3, [0, 0, 0, 0], [0, 1, 2], "MAT4", "data:,", "../x", 5120, 5125, 5126, 1.5, [1] * 1000,
]  # fmt: skip
ZIPS = (".3mf", ".npz")

Mutation = Callable[[bytes, random.Random], bytes]


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def flip_early(data: bytes, rng: random.Random) -> bytes:
    return flip_bits(data[:200], rng) + data[200:]


def insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(BYTES) * rng.choice((1, 1, 100)) + data[at:]


def delete(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice((1, 2, 4, 13, 200)) :]


def overwrite(data: bytes, rng: random.Random) -> bytes:
    at, new = rng.randrange(len(data)), rng.choice(BYTES)
    return data[:at] + new + data[at + len(new) :]


def repeat_block(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    end = min(len(data), start + rng.choice((1, 10, 100, 1000)))
    return data[:end] + data[start:end] * rng.choice((1, 3, 1000)) + data[end:]


def replace_number(data: bytes, rng: random.Random) -> bytes:
    found = list(re.finditer(rb"-?\d+(\.\d+)?", data))
    for match in sorted(rng.sample(found, min(len(found), rng.choice((1, 1, 3)))), key=lambda m: -m.start()):
        data = data[: match.start()] + rng.choice(NUMBERS) + data[match.end() :]
    return data


def replace_early_number(data: bytes, rng: random.Random) -> bytes:
    return replace_number(data[:300], rng) + data[300:]


def swap_words(data: bytes, rng: random.Random) -> bytes:
    words = sorted(set(re.findall(rb"[A-Za-z_]{2,}", data[:8000])))
    if len(words) < 2:
        return flip_bits(data, rng)
    old, new = rng.sample(words, 2)
    return data.replace(old, new, rng.choice((1, 1, -1)))


def change_json(data: bytes, rng: random.Random) -> bytes:
    """Replace or remove one value deep inside a glTF document, which stays valid JSON; other files lose a bit."""
    binary = data.startswith(b"glTF")
    end = 20 + int.from_bytes(data[12:16], "little") if binary else len(data)
    try:
        document = json.loads(data[20 if binary else 0 : end])
    except ValueError:
        return flip_bits(data, rng)
    places: list[tuple[object, object]] = []
    todo = [document]
    while todo:
        item = todo.pop()
        keys = list(item) if isinstance(item, dict) else list(range(len(item))) if isinstance(item, list) else []
        places += [(item, key) for key in keys]
        todo += [item[key] for key in keys]
    if not places:
        return flip_bits(data, rng)
    holder, key = rng.choice(places)
    if rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = rng.choice(VALUES + [other[k] for other, k in rng.sample(places, min(3, len(places)))])
    try:
        text = json.dumps(document).encode()
    except (RecursionError, ValueError):
        return flip_bits(data, rng)
    if not binary:
        return text
    text += b" " * (-len(text) % 4)
    body = len(text).to_bytes(4, "little") + b"JSON" + text + data[end:]
    return data[:8] + (12 + len(body)).to_bytes(4, "little") + body


MUTATIONS: tuple[Mutation, ...] = (
    truncate, flip_bits, flip_early, insert, delete, overwrite, repeat_block, replace_number, replace_early_number,
    swap_words, change_json, change_json,
)  # fmt: skip


def mutate(name: str, data: bytes, rng: random.Random) -> tuple[str, bytes, str]:
    """A damaged copy: its name (the suffix may be wrong), its bytes, and what was done."""
    done = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not data:
            break
        mutation = rng.choice(MUTATIONS)
        done.append(mutation.__name__)
        inside = Path(name).suffix in ZIPS and rng.random() < 0.7
        data = _inside_zip(data, mutation, rng) if inside else mutation(data, rng)
    if rng.random() < 0.05:
        name = Path(name).with_suffix(rng.choice(sorted(SUFFIXES))).name
        done.append(f"renamed to {name}")
    return name, data, ", ".join(done)


def _inside_zip(data: bytes, mutation: Mutation, rng: random.Random) -> bytes:
    """Damage one member and pack again, so that the checksums hold."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # noqa: BLE001 - an earlier mutation may have broken the archive
        return mutation(data, rng)
    chosen = rng.choice(sorted(members))
    members[chosen] = mutation(members[chosen] or b" ", rng)
    return sample_files.zipped(members)


def outcomes(seed: int, count: int, folder: Path) -> Iterator[dict[str, object]]:
    """Read `count` damaged files; for each: what happened, how long it took, and by how much the memory grew."""
    sample_files.write_companions(folder)
    good = {name: build() for name, build in sample_files.BUILDERS.items()}
    rng = random.Random(seed)
    for number in range(count):
        name, data, done = mutate(*rng.choice(sorted(good.items())), rng)
        path = folder / f"m-{name}"
        path.write_bytes(data)
        before, start = _peak(), time.perf_counter()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                read(path, points=256)
                outcome = "read"
            except CloudError as error:
                outcome = "refused"
                if not error.reason or error.path != str(path):
                    outcome = f"unhelpful: {error}"
            except BaseException as error:  # noqa: BLE001 - the point of the exercise is that nothing else comes out
                outcome = f"escaped: {type(error).__name__}: {error}"
        if printed.getvalue():
            outcome = f"printed: {printed.getvalue()[:200]}"
        seconds, grown = time.perf_counter() - start, _peak() - before
        yield {"number": number, "name": name, "done": done, "outcome": outcome, "seconds": seconds, "grown": grown}
        path.unlink()


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def is_bad(outcome: dict[str, object]) -> bool:
    return (
        outcome["outcome"] not in ("read", "refused")
        or float(str(outcome["seconds"])) > 10
        or int(str(outcome["grown"])) > 1024**3
    )


def main() -> None:
    seed, count, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    found = list(outcomes(seed, count, folder))
    summary = {
        "files": len(found),
        "read": sum(o["outcome"] == "read" for o in found),
        "slowest": max(float(str(o["seconds"])) for o in found),
        "most_grown": max(int(str(o["grown"])) for o in found),
        "bad": [o for o in found if is_bad(o)],
    }
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()

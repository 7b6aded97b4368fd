"""Which test clouds nearly equal a training cloud, as a list beside a data set says."""

from __future__ import annotations

import json
from pathlib import Path

from clip3d.errors import DataError

MAX_BYTES = 64 * 2**20


def read_near_duplicates(path: Path) -> frozenset[str]:
    """Names of the test clouds in a JSON file with `pairs`: each begins with a test and a training cloud's name.

    Raises:
        DataError: if the file cannot be read or is not as described.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(path, "is too large for a list of pairs")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(path, f"is not JSON: {error}") from error
    pairs = content.get("pairs") if isinstance(content, dict) else None
    if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        raise DataError(path, "holds no list of pairs", 'write {"pairs": [["test cloud", "training cloud"]]}')
    return frozenset(pair[0] for pair in pairs)


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) >= 2 and all(isinstance(name, str) for name in value[:2])

"""What every refusal of a cloud's file must have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clip3d.clouds.reading import read
from clip3d.errors import CloudError


def refused(path: Path, data: bytes | None = None, **choice: Any) -> CloudError:
    """The error that reading a file gives, perhaps with `data` written into it before; it names file and remedy."""
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(CloudError) as caught:
        read(path, **choice)
    assert caught.value.path == str(path)
    assert caught.value.remedy
    return caught.value

"""Files of image vectors of library objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clip3d.data.pictures import Pictures, read_pictures
from clip3d.errors import DataError


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    vectors = np.arange(12, dtype=np.float16).reshape(2, 3, 2)
    Pictures(np.array(["chair", "lamp"]), vectors).save(tmp_path / "pictures.npz")
    pictures = read_pictures(tmp_path / "pictures.npz")
    rng = np.random.default_rng(0)
    drawn = {tuple(pictures.draw("lamp", rng)) for _ in range(40)}
    assert drawn == {(6, 7), (8, 9), (10, 11)}
    assert not pictures.draw("unknown", rng).any()


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "flat.npz", name=np.array(["chair"]), vectors=np.zeros((1, 3), np.float16))
    with pytest.raises(DataError, match="not \\(n, v, d\\)"):
        read_pictures(tmp_path / "flat.npz")

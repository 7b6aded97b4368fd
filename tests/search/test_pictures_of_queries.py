"""Pictures that are asked with."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clip3d.errors import ImageError
from clip3d.search.pictures import open_image

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp", "tga", "tiff", "ppm"])
def test_the_usual_formats_are_read_whatever_the_file_is_called(tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (5, 4), (250, 0, 0)).save(tmp_path / f"a.{suffix}")
    (tmp_path / f"a.{suffix}").rename(tmp_path / "a")
    picture = open_image(tmp_path / "a").convert("RGB")
    assert picture.size == (5, 4)
    assert picture.getpixel((2, 2))[0] > 200


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_no_picture_starts_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "a.png").write_bytes(EPS)
    with pytest.raises(ImageError, match="known format"):
        open_image(tmp_path / "a.png")
    assert not (tmp_path / "ran").exists()


def test_a_missing_and_a_damaged_picture_are_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file"):
        open_image(tmp_path / "none.png")
    Image.effect_noise((50, 40), 90).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:900])
    with pytest.raises(ImageError, match="cannot be read"):
        open_image(tmp_path / "cut.png")


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_grey_in_16_bits_is_grey_in_8(tmp_path: Path, name: str):
    levels = np.linspace(0, 2**16 - 1, 600).reshape(20, 30).astype(np.uint16)
    Image.fromarray(levels).save(tmp_path / name)
    seen = np.asarray(open_image(tmp_path / name).convert("RGB"))
    np.testing.assert_array_equal(seen, np.repeat((levels // 256).astype(np.uint8)[..., None], 3, 2))


def test_a_table_of_numbers_is_no_picture(tmp_path: Path):
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match="no brightness of 8 or 16 bits"):
        open_image(tmp_path / "a.tif")

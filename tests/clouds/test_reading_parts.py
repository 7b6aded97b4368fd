"""The other doors for files: meshes as they are, to be drawn, and clouds that lie inside of other files."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
import pytest
from small_files import BOX_FACES, box, write_obj, write_off

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.npy import read_array
from clip3d.clouds.reading import read, read_bytes, read_meshes
from clip3d.errors import CloudError


def content(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def test_meshes_come_with_their_faces_colours_and_axis(tmp_path: Path) -> None:
    meshes, up = read_meshes(write_obj(tmp_path / "a.obj", box(1, 2, 3), (0.9, 0.1, 0.2)))
    assert up == "y"
    assert sum(len(mesh.faces) for mesh in meshes) == len(BOX_FACES)
    colors = meshes[0].colors_at(np.array([0]), np.float32([[1, 0, 0]]))
    np.testing.assert_allclose(colors, [[0.9, 0.1, 0.2]], atol=1e-6)
    assert read_meshes(write_off(tmp_path / "b.off", box(1, 1, 1)), up="x")[1] == "x"


def test_a_file_of_points_has_no_meshes(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.eye(3))
    assert tuple(read_meshes(tmp_path / "a.npy")[0]) == ()


@pytest.mark.parametrize("data", [b"", b"OFF\n9 9 0\n", b"\x89PNG\r\n\x1a\n"])
def test_damaged_meshes_are_told_as_read_tells_them(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.off").write_bytes(data)
    with pytest.raises(CloudError) as mine:
        read_meshes(tmp_path / "a.off")
    with pytest.raises(CloudError) as theirs:
        read(tmp_path / "a.off")
    assert str(mine.value) == str(theirs.value)


def test_meshes_too_large_for_any_unit_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.off").write_text("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1e30 0\n3 0 1 2\n")
    with pytest.raises(CloudError, match="too large for any unit"):
        read_meshes(tmp_path / "a.off")


def test_clouds_inside_of_other_files_are_read_with_their_frame() -> None:
    points = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float16)
    colors = np.full((40, 3), 255, np.uint8)
    cloud = read_bytes(content(points=points, colors=colors, up=np.array("y")), Path("shard.tar: a.npz"))
    np.testing.assert_array_equal(cloud.points, points.astype(np.float32))
    assert (cloud.colors == 1).all()
    assert (cloud.up, cloud.path, cloud.sources) == ("y", None, ())


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"PK\x03\x04", "a.npz"),
        (content(other=np.eye(3)), "a.npz"),
        (content(points=np.array([{"a": 1}], dtype=object)), "a.npz"),
        (b"\x93NUMPY", "a.npy"),
        (b"OFF\n", "a.off"),
    ],
)
def test_what_is_no_cloud_inside_is_told(data: bytes, name: str) -> None:
    with pytest.raises(CloudError, match=name):
        read_bytes(data, Path(name))


def test_headers_of_arrays_are_parsed_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    parse, busy, together = np.lib.format.read_array_header_1_0, Lock(), []

    def slowly(stream):
        together.append(not busy.acquire(blocking=False))
        time.sleep(0.005)
        found = parse(stream)
        if busy.locked():
            busy.release()
        return found

    monkeypatch.setattr("numpy.lib.format.read_array_header_1_0", slowly)
    stream = io.BytesIO()
    np.save(stream, np.asfortranarray(np.arange(12.0).reshape(4, 3)))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read_array, [stream.getvalue()] * 8))
    assert not any(together)
    for array in found:
        np.testing.assert_array_equal(array, np.arange(12.0).reshape(4, 3))
        assert array.flags.writeable
    with pytest.raises(Malformed, match="ends before it"):
        read_array(stream.getvalue()[:-8])
    np.save(empty := io.BytesIO(), np.zeros((0, 3), np.float32))
    assert read_array(empty.getvalue()).shape == (0, 3)

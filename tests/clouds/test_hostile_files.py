"""Whatever a file holds: a cloud or a CloudError that names it, soon, in little memory, and nothing printed."""

from __future__ import annotations

import copy
import io
import json
import os
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutations
import numpy as np
import pytest
import sample_files as files

from clip3d.clouds.reading import read
from clip3d.errors import CloudError


def refused(path: Path, data: bytes | None = None) -> CloudError:
    """The error that reading gives, checked for what every error must have; it must come at once."""
    if data is not None:
        path.write_bytes(data)
    start = time.process_time()
    with pytest.raises(CloudError) as caught:
        read(path)
    assert time.process_time() - start < 10
    assert caught.value.path == str(path)
    assert caught.value.reason
    return caught.value


def test_150_damaged_files(tmp_path: Path) -> None:
    found = list(mutations.outcomes(7, 150, tmp_path))
    assert [outcome for outcome in found if mutations.is_bad(outcome)] == []
    assert {outcome["outcome"] for outcome in found} == {"read", "refused"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_1000_damaged_files_in_bounded_time_and_memory(tmp_path: Path, seed: int) -> None:
    command = [sys.executable, mutations.__file__, str(seed), "1000", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["bad"] == []
    assert summary["files"] == 1000
    assert summary["read"] > 100


# Names


@pytest.mark.parametrize("name", sorted(files.BUILDERS))
def test_empty_and_short_files(tmp_path: Path, name: str) -> None:
    files.write_companions(tmp_path)
    assert "empty" in refused(tmp_path / name, b"").reason
    refused(tmp_path / name, files.BUILDERS[name]()[:20])


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.stl", files.ply_ascii(), "PLY"),
        ("a.ply", files.stl_ascii(), "STL"),
        ("a.obj", files.off().replace(b"OFF8", b"OFF\n8"), "OFF"),
        ("a.gltf", files.glb(), "binary glTF"),
        ("a.glb", files.gltf(), "glTF"),
        ("a.npz", files.threemf(), "3MF"),
        ("a.3mf", files.npz(), "NPZ"),
        ("a.xyz", files.dae(), "COLLADA"),
        ("a.ply", files.png(), "picture"),
        ("a.txt", files.pcd_binary(), "PCD"),
    ],
)
def test_wrongly_named_files_hear_what_they_look_like(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    error = refused(tmp_path / name, data)
    assert f"looks like a {says}" in error.reason
    assert says == "picture" or "rename it to a." in error.remedy


def test_a_ply_that_is_none_is_not_taken_for_one_that_is_cut_short(tmp_path: Path) -> None:
    assert "does not begin as PLY files do" in refused(tmp_path / "a.ply", b"a chair, as I remember it").reason


def test_what_is_not_a_file(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.ply").reason
    (tmp_path / "folder.ply").mkdir()
    assert "not a file" in refused(tmp_path / "folder.ply").reason
    assert ".glb" in refused(tmp_path / "a.blend").remedy
    os.mkfifo(tmp_path / "pipe.ply")
    assert "not a file" in refused(tmp_path / "pipe.ply").reason
    with pytest.raises(CloudError):
        read("a\x00b.ply")


# Counts that the file cannot hold


@pytest.mark.parametrize("count", [b"99999999", b"4000000000", b"99999999999999999999", b"-8", b"nan"])
def test_huge_and_negative_counts(tmp_path: Path, count: bytes) -> None:
    refused(tmp_path / "a.ply", files.ply_ascii().replace(b"vertex 8", b"vertex " + count))
    refused(tmp_path / "b.ply", files.ply_binary().replace(b"vertex 8", b"vertex " + count))
    refused(tmp_path / "a.off", files.coff().replace(b"8 12 0", count + b" 12 0"))
    refused(tmp_path / "a.pcd", files.pcd_binary().replace(b"POINTS 60", b"POINTS " + count))
    refused(tmp_path / "a.npy", files.npy().replace(b"(60, 3), }", b"(" + count + b", 3), }"))
    refused(tmp_path / "a.glb", files.glb().replace(b'"count": 36', b'"count": ' + count[:2], 1))


def test_binary_stl_that_is_cut_short(tmp_path: Path) -> None:
    assert "declares 12 triangles but holds 11" in refused(tmp_path / "a.stl", files.stl_binary(b"x")[:-1]).reason


def test_faces_that_name_missing_vertices(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n")
    assert "names vertex 3, but there are 3" in refused(tmp_path / "a.obj").reason
    refused(tmp_path / "a.off", files.coff().replace(b"\n3 0 1 3", b"\n3 0 1 8"))
    refused(tmp_path / "b.off", files.coff().replace(b"\n3 0 1 3", b"\n3 0 1 -1"))


@pytest.mark.parametrize("value", ["1e38", "1e300", "-1e30"])
def test_coordinates_beyond_all_units(tmp_path: Path, value: str) -> None:
    (tmp_path / "a.obj").write_text(f"v 0 0 0\nv {value} 0 0\nv 0 {value} 0\nf 1 2 3\n")
    refused(tmp_path / "a.obj")
    (tmp_path / "a.xyz").write_text(f"0 0 0\n1 {value} 2\n1 1 1\n")
    if value != "1e300":  # which is infinite as float32, and dropped
        assert "too large" in refused(tmp_path / "a.xyz").reason


def test_surfaces_without_area(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\nf 1 1 1\nf 1 2\n")
    assert "no area" in refused(tmp_path / "a.obj").reason


def test_faces_with_corners_that_are_not_finite_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv nan 0 0\nf 1 2 3\nf 1 2 4\n")
    assert np.isfinite(read(tmp_path / "a.obj").points).all()
    (tmp_path / "b.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv nan 0 0\nf 1 2 3\nf 1 2 4\nf 2 3 4\n")
    assert "2 of 3 faces" in refused(tmp_path / "b.obj").reason


# Packed and nested bombs


def test_npz_that_unpacks_to_far_more(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", points=np.zeros((7_000_000, 3), np.float32))
    assert (tmp_path / "a.npz").stat().st_size < 100_000
    assert "would unpack to" in refused(tmp_path / "a.npz").reason


def test_npz_whose_member_lies_about_its_size(tmp_path: Path) -> None:
    packed = bytearray(files.zipped({"points.npy": files.npy() + bytes(50_000_000)}))
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        where = packed.index(signature) + at
        packed[where : where + 4] = struct.pack("<I", len(files.npy()))
    refused(tmp_path / "a.npz", bytes(packed))


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[print, 1, 2]], dtype=object), allow_pickle=True)
    assert "instead of numbers" in refused(tmp_path / "a.npy").reason


def test_rare_compression_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("points.npy", files.npy())
    assert "compressed in a way" in refused(tmp_path / "a.npz", stream.getvalue()).reason


ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c SYSTEM "file:///etc/passwd">]>'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(tmp_path: Path, encoding: str) -> None:
    for name, model in (("a.dae", files.dae()), ("a.3mf", files.threemf_model())):
        head, _, rest = model.partition(b"?>")
        head = head.lower().replace(b"utf-8", encoding.encode())
        text = head + b"?>" + ENTITIES + rest
        data = text.decode().encode(encoding)
        refused(tmp_path / name, data if name == "a.dae" else files.threemf(data))


def test_scenes_that_unfold_without_end(tmp_path: Path) -> None:
    doubling = "".join(
        f'<object id="{i}"><components>' + f'<component objectid="{i - 1}"/>' * 2 + "</components></object>"
        for i in range(4, 60)
    )
    model = files.threemf_model().decode().replace("</resources>", doubling + "</resources>")
    model = model.replace('<item objectid="3"', '<item objectid="59"')
    assert "unfolds to more" in refused(tmp_path / "a.3mf", files.threemf(model.encode())).reason
    nodes = '<node id="n0"><instance_geometry url="#g"/></node>' + "".join(
        f'<node id="n{i}">' + f'<instance_node url="#n{i - 1}"/>' * 2 + "</node>" for i in range(1, 40)
    )
    scene = files.dae().replace(b"<library_nodes>", b"<library_nodes>" + nodes.encode()).replace(b"#twice", b"#n39")
    assert "unfolds to more" in refused(tmp_path / "a.dae", scene).reason


def test_a_component_of_itself(tmp_path: Path) -> None:
    model = files.threemf_model().replace(b'<component objectid="2"/>', b'<component objectid="3"/>')
    refused(tmp_path / "a.3mf", files.threemf(model))


def _set(document: dict[str, Any], **changes: object) -> None:
    document.update(changes)


BLANK = {"componentType": 5126, "count": 60_000_000, "type": "VEC3"}
GLTF_BOMBS: dict[str, Callable[[dict[str, Any]], None]] = {
    "cycle": lambda d: d["nodes"][1].update(children=[0]),
    "itself": lambda d: d["nodes"][0].update(children=[0]),
    "two parents": lambda d: d["nodes"][1].update(children=[2]),
    "missing child": lambda d: d["nodes"][1].update(children=[77]),
    "negative child": lambda d: d["nodes"][1].update(children=[-1]),
    "zeros from nothing": lambda d: d["accessors"][0].update(bufferView=None, count=10**9),
    "no view, many rows": lambda d: d["accessors"].__setitem__(0, BLANK),
    "offset beyond": lambda d: d["bufferViews"][0].update(byteOffset=10**9),
    "length beyond": lambda d: d["bufferViews"][0].update(byteLength=10**9),
    "many primitives": lambda d: d["meshes"][0].update(primitives=d["meshes"][0]["primitives"] * 30_000),
    "many uses": lambda d: _set(d, nodes=[{"mesh": 0}] * 30_000, scenes=[{"nodes": list(range(30_000))}]),
    "long chain": lambda d: _set(d, nodes=[{"children": [i + 1]} for i in range(100_000)] + [{"mesh": 0}]),
    "index beyond": lambda d: d["accessors"][0].update(count=30),
    "nan transform": lambda d: d["nodes"][0].update(scale=[float("nan")] * 3),
    "huge transform": lambda d: d["nodes"][0].update(scale=[1e38, 1e38, 1e38]),
    "buffer in the parent folder": lambda d: d["buffers"][0].update(uri="../beside.bin"),
    "buffer elsewhere": lambda d: d["buffers"][0].update(uri="/etc/passwd"),
    "buffer on the net": lambda d: d["buffers"][0].update(uri="https://example.org/beside.bin"),
}


@pytest.mark.parametrize("bomb", GLTF_BOMBS)
def test_gltf_bombs(tmp_path: Path, bomb: str) -> None:
    document, blob = copy.deepcopy(files.gltf_document())
    GLTF_BOMBS[bomb](document)
    (tmp_path / "beside.bin").write_bytes(blob)
    (tmp_path / "deep").mkdir()
    refused(tmp_path / "deep" / "a.glb", files.glb(document, blob))


def test_deep_nesting(tmp_path: Path) -> None:
    refused(tmp_path / "a.gltf", b'{"asset":' + b'{"a":' * 100_000)
    refused(tmp_path / "a.dae", files.dae().replace(b"<scene>", b"<a>" * 100_000 + b"<scene>"))


def test_lines_without_end(tmp_path: Path) -> None:
    refused(tmp_path / "a.obj", files.obj() + b"f" + b" 1" * 2_000_000)
    refused(tmp_path / "a.xyz", b"1 " * 2_000_000)


# Pictures


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "picture",
    [png_header(60000, 60000), png_header(2**31 - 1, 2**31 - 1), files.png()[:60], b"", b"%!PS-Adobe-3.0 EPSF"],
)
def test_a_bad_picture_leaves_the_colour_of_its_material(tmp_path: Path, picture: bytes) -> None:
    files.write_companions(tmp_path)
    (tmp_path / "checks.png").write_bytes(picture)
    (tmp_path / "cube.obj").write_bytes(files.obj())
    cloud = read(tmp_path / "cube.obj")
    assert cloud.colors is not None
    assert (cloud.colors == 1).all(1).mean() == pytest.approx(4 / 6, abs=0.02)


# Files that a file names


OUTSIDE = ["../secret.mtl", "{outside}/secret.mtl", "link.mtl", "folder/secret.mtl", "a/../../secret.mtl"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_outside_the_folder_is_opened(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    (inside / "a").mkdir(parents=True)
    (tmp_path / "secret.mtl").write_text("newmtl red\nKd 0 1 0\nnewmtl blue\nKd 0 1 0\n")
    (inside / "link.mtl").symlink_to(tmp_path / "secret.mtl")
    (inside / "folder").symlink_to(tmp_path)
    text = files.obj().replace(b"cube.mtl", name.format(outside=tmp_path).encode())
    (inside / "cube.obj").write_bytes(text)
    cloud = read(inside / "cube.obj")
    assert cloud.colors is None
    assert tmp_path / "secret.mtl" not in cloud.sources


def test_absolute_names_stand_for_files_of_that_name_in_the_folder(tmp_path: Path) -> None:
    files.write_companions(tmp_path)
    (tmp_path / "cube.obj").write_bytes(files.obj().replace(b"cube.mtl", rb"C:\Users\someone\cube.mtl"))
    assert tmp_path / "cube.mtl" in read(tmp_path / "cube.obj").sources


def test_more_names_than_any_scene_has(tmp_path: Path) -> None:
    names = b"".join(b"mtllib %d.mtl\n" % i for i in range(100_000))
    assert "other files" in refused(tmp_path / "a.obj", names + files.obj()).reason


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for path in files.write_all(tmp_path):
        read(path, points=10)
    refused(tmp_path / "bad.dae", files.dae().replace(b"XYZ", b"").replace(b"<float_array", b"<int_array"))
    assert capfd.readouterr() == ("", "")


def test_reading_from_several_threads(tmp_path: Path) -> None:
    paths = files.write_all(tmp_path)
    problems: list[Exception] = []

    def work() -> None:
        for path in paths:
            try:
                read(path, points=10)
            except Exception as error:  # noqa: BLE001 - handed to the main thread
                problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []

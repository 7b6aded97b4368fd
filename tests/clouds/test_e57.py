"""E57 laid out here, and as libE57 writes it: poses, colours, forms of numbers, and files that lie."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from refusing import refused

from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.formats import e57
from clip3d.clouds.reading import read
from clip3d.errors import CloudError

POINTS = np.random.default_rng(0).uniform(-20, 20, (300, 3))
COLORS = np.random.default_rng(1).integers(0, 256, (300, 3))
# A turn by 90 degrees about z.
TURN = np.array([np.sqrt(0.5), 0, 0, np.sqrt(0.5)])
TURNED = POINTS[:, [1, 0, 2]] * (-1, 1, 1)
SHIFT = np.array([1.0, 2.0, 3.0])

Packed = tuple[str, bytes, bytes]


def floats(name: str, values: np.ndarray, form: str = "<f8") -> Packed:
    precision = "single" if form == "<f4" else "double"
    data = values.astype(form).tobytes()
    # Two packets, cut in the middle of a number.
    cut = len(data) // 2 + 1
    return f'<{name} type="Float" precision="{precision}"/>', data[:cut], data[cut:]


def whole(
    name: str, values: Sequence[int] | np.ndarray, low: int, high: int, kind: str = "Integer", more: str = ""
) -> Packed:
    bits = (high - low).bit_length()
    rows = [[int(value) - low >> bit & 1 for bit in range(bits)] for value in values]
    data = np.packbits(np.array(rows, np.uint8).ravel(), bitorder="little").tobytes()
    cut = len(data) // 3
    return f'<{name} type="{kind}" minimum="{low}" maximum="{high}" {more}/>', data[:cut], data[cut:]


def scaled(name: str, values: np.ndarray, step: float = 0.001) -> Packed:
    steps = np.round(values / step).astype(int)
    return whole(name, steps, -40_000, 40_001, "ScaledInteger", f'scale="{step}" offset="0"')


def packet(streams: list[bytes]) -> bytes:
    body = struct.pack(f"<H{len(streams)}H", len(streams), *map(len, streams)) + b"".join(streams)
    body += bytes(-len(body) % 4)
    return struct.pack("<BBH", 1, 0, len(body) + 3) + body


def place(logical: int) -> int:
    return logical // 1020 * 1024 + logical % 1020


def pose(turn: np.ndarray = TURN, shift: np.ndarray = SHIFT) -> str:
    rotation = "".join(f"<{name}>{value}</{name}>" for name, value in zip("wxyz", turn, strict=True))
    translation = "".join(f"<{name}>{value}</{name}>" for name, value in zip("xyz", shift, strict=True))
    return f"<pose><rotation>{rotation}</rotation><translation>{translation}</translation></pose>"


def e57_bytes(*scans: tuple[list[Packed], str], count: int = 300, offset: int | None = None) -> bytes:
    """A file with these scans, each with its fields and its other XML."""
    content, described = bytes(48), ""
    for fields, more in scans:
        start = len(content)
        # Packets of an index and of nothing may lie between those of points.
        idle = struct.pack("<BBH", 2, 0, 3) + struct.pack("<BBH12x", 0, 0, 15)
        body = packet([first for _, first, _ in fields]) + idle + packet([second for *_, second in fields])
        content += struct.pack("<B7xQQQ", 1, 32 + len(body), place(start + 32), 0) + body
        described += (
            f'<vectorChild type="Structure">{more}<points type="CompressedVector" recordCount="{count}" '
            f'fileOffset="{place(start) if offset is None else offset}"><prototype type="Structure">'
            + "".join(field for field, *_ in fields)
            + "</prototype></points></vectorChild>"
        )
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?><e57Root type="Structure" '
        'xmlns="http://www.astm.org/COMMIT/E57/2010-e57-v1.0">'
        f'<data3D type="Vector" allowHeterogeneousChildren="1">{described}</data3D></e57Root>'
    ).encode()
    at = len(content)
    content += xml
    content += bytes(-len(content) % 1020)
    pages = len(content) // 1020
    head = struct.pack("<8sIIQQQQ", b"ASTM-E57", 1, 0, pages * 1024, place(at), len(xml), 1024)
    content = head + content[48:]
    return b"".join(content[i * 1020 : (i + 1) * 1020] + bytes(4) for i in range(pages))


def cartesian(points: np.ndarray = POINTS, form: str = "<f8") -> list[Packed]:
    return [floats(f"cartesian{axis}", points[:, i], form) for i, axis in enumerate("XYZ")]


def colors(high: int = 255) -> list[Packed]:
    return [whole(f"color{band}", COLORS[:, i], 0, high) for i, band in enumerate(("Red", "Green", "Blue"))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scans.e57"


@pytest.mark.parametrize("form", ["<f4", "<f8"])
def test_points_and_colours_come_back(path: Path, form: str) -> None:
    path.write_bytes(e57_bytes((cartesian(form=form) + colors(), "")))
    cloud = read(path)
    assert np.allclose(cloud.points, POINTS, atol=1e-5)
    assert cloud.colors is not None
    assert np.allclose(cloud.colors, COLORS / 255, atol=1e-6)
    assert (cloud.up, cloud.unit, cloud.frame_source) == ("z", "m", "file")
    assert find_clouds(path.parent).files == [path]


def test_numbers_of_17_bits_and_of_none(path: Path) -> None:
    flat = POINTS * (1, 1, 0)
    fields = [scaled("cartesianX", flat[:, 0]), whole("rowIndex", np.arange(300), 0, 511),
              scaled("cartesianY", flat[:, 1]), whole("cartesianZ", flat[:, 2] + 7, 7, 7)]  # fmt: skip
    path.write_bytes(e57_bytes((fields, "")))
    assert np.allclose(read(path).points, np.add(flat, (0, 0, 7)), atol=6e-4)


@pytest.mark.parametrize("bits", [1, 8, 31, 57, 58, 63, 64])
def test_whole_numbers_of_any_width(path: Path, bits: int) -> None:
    values = [int(value) >> 64 - bits for value in np.random.default_rng(bits).integers(0, 2**64, 300, np.uint64)]
    low = -(2**63) if bits == 64 else -7
    column = whole("cartesianX", [value + low for value in values], low, low + 2**bits - 1, "ScaledInteger",
                   f'scale="{100 / 2**bits}"')  # fmt: skip
    path.write_bytes(e57_bytes(([column, *cartesian()[1:]], "")))
    expected = (np.array(values, np.float64) + low) * (100 / 2**bits)
    assert np.allclose(read(path).points[:, 0], expected, atol=1e-5)


def test_scans_are_merged_by_their_poses_and_grey_where_others_have_colours(path: Path) -> None:
    path.write_bytes(e57_bytes((cartesian() + colors(), ""), (cartesian(), pose())))
    cloud = read(path)
    assert np.allclose(cloud.points, np.concatenate([POINTS, TURNED + SHIFT]), atol=1e-5)
    assert cloud.colors is not None
    assert np.allclose(cloud.colors[300:], 0.5)


def test_spherical_coordinates(path: Path) -> None:
    length = np.linalg.norm(POINTS, axis=1)
    fields = [floats("sphericalElevation", np.arcsin(POINTS[:, 2] / length)), floats("sphericalRange", length),
              floats("sphericalAzimuth", np.arctan2(POINTS[:, 1], POINTS[:, 0]))]  # fmt: skip
    path.write_bytes(e57_bytes((fields, pose())))
    assert np.allclose(read(path).points, TURNED + SHIFT, atol=1e-5)


def test_points_marked_as_invalid_are_left_out(path: Path) -> None:
    states = np.arange(300) % 3
    path.write_bytes(e57_bytes(([*cartesian(), whole("cartesianInvalidState", states, 0, 2), *colors()], "")))
    cloud = read(path)
    assert np.allclose(cloud.points, POINTS[::3], atol=1e-5)
    assert np.allclose(cloud.colors, COLORS[::3] / 255, atol=1e-6)


def test_the_range_of_colours_is_the_one_that_is_stated(path: Path) -> None:
    limits = "".join(f"<color{b}{e}>{v}</color{b}{e}>" for b in ("Red", "Green", "Blue")
                     for e, v in (("Minimum", 0), ("Maximum", 510)))  # fmt: skip
    path.write_bytes(e57_bytes((cartesian() + colors(1023), f"<colorLimits>{limits}</colorLimits>")))
    assert np.allclose(read(path).colors, COLORS / 510, atol=1e-6)


@pytest.mark.parametrize("form", ["scaled", "<f4"])
def test_without_a_statement_colours_lie_in_the_range_of_their_fields(path: Path, form: str) -> None:
    bands = []
    for i, band in enumerate(("colorRed", "colorGreen", "colorBlue")):
        if form == "scaled":
            bands.append(whole(band, COLORS[:, i], 0, 255, "ScaledInteger", 'scale="0.5" offset="3"'))
        else:
            field, *data = floats(band, COLORS[:, i].astype(float), form)
            bands.append((field.replace("/>", ' minimum="0" maximum="255"/>'), *data))
    path.write_bytes(e57_bytes((cartesian() + bands, "")))
    assert np.allclose(read(path).colors, COLORS / 255, atol=1e-6)


def test_coordinates_of_maps_keep_their_millimetres(path: Path) -> None:
    shift = np.array([500_000.0, 5_400_000.0, 300.0])
    path.write_bytes(e57_bytes((cartesian(), pose(np.array([1, 0, 0, 0]), shift))))
    exact = POINTS + shift
    assert np.abs(read(path).points - (exact - (*np.floor(exact[0, :2]), 0))).max() < 1e-4


def test_of_too_many_points_every_nth_is_read_across_scans(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e57, "MAX_POINTS", 250)
    path.write_bytes(e57_bytes((cartesian(), ""), (cartesian(-POINTS), "")))
    assert np.allclose(read(path).points, np.concatenate([POINTS, -POINTS])[::3], atol=1e-5)


def test_a_scan_as_pye57_writes_it(path: Path) -> None:
    pye57 = pytest.importorskip("pye57")
    data = {f"cartesian{axis}": POINTS[:, i].copy() for i, axis in enumerate("XYZ")}
    data |= {f"color{band}": COLORS[:, i].astype(np.uint8) for i, band in enumerate(("Red", "Green", "Blue"))}
    file = pye57.E57(str(path), mode="w")
    file.write_scan_raw(data)
    file.write_scan_raw(data, rotation=TURN, translation=SHIFT)
    file.close()
    cloud = read(path)
    assert np.allclose(cloud.points, np.concatenate([POINTS, TURNED + SHIFT]), atol=1e-5)
    assert np.allclose(cloud.colors, np.tile(COLORS, (2, 1)) / 255, atol=1e-6)


def test_scaled_numbers_over_many_packets_as_libe57_writes_them(path: Path) -> None:
    libe57 = pytest.importorskip("pye57.libe57")
    steps = np.random.default_rng(2).integers(-40_000, 40_001, (200_000, 3))
    file = libe57.ImageFile(str(path), "w")
    scan, form = libe57.StructureNode(file), libe57.StructureNode(file)
    file.root().set("data3D", libe57.VectorNode(file, True))
    for axis in "XYZ":
        form.set(f"cartesian{axis}", libe57.ScaledIntegerNode(file, 0, -40_000, 40_001, 0.001, 5.0))
    points = libe57.CompressedVectorNode(file, form, libe57.VectorNode(file, True))
    scan.set("points", points)
    file.root()["data3D"].append(scan)
    buffers, held = libe57.VectorSourceDestBuffer(), []
    for i, axis in enumerate("XYZ"):
        held.append(steps[:, i] * 0.001 + 5)
        buffers.append(libe57.SourceDestBuffer(file, f"cartesian{axis}", held[-1], len(steps), True, True))
    writer = points.writer(buffers)
    writer.write(len(steps))
    writer.close()
    file.close()
    assert np.allclose(read(path).points, steps * 0.001 + 5, atol=1e-5)


def test_files_that_lie(path: Path) -> None:
    good = (cartesian(), "")
    assert "more points" in refused(path, e57_bytes(good, count=2**62)).reason
    assert "ends before" in refused(path, e57_bytes(good, count=301)).reason
    assert "no points where" in refused(path, e57_bytes(good, offset=0)).reason
    assert "does not hold" in refused(path, e57_bytes(good, offset=2**60)).reason
    assert "no scan with points" in refused(path, e57_bytes(good, count=0)).reason
    assert "no scan with points" in refused(path, e57_bytes((cartesian()[:2], ""))).reason
    flat = [whole(f"cartesian{axis}", np.zeros(300), 0, 0) for axis in "XYZ"]
    assert "without coordinates" in refused(path, e57_bytes((flat, ""), count=2**62)).reason
    assert "no rotation" in refused(path, e57_bytes((cartesian(), pose(np.zeros(4))))).reason
    assert "document type" in refused(path, e57_bytes(good).replace(b"<data3D ", b"<!ENTITY")).reason
    entity = e57_bytes(good)
    refused(path, entity[:30])
    refused(path, entity[:40] + struct.pack("<Q", 512) + entity[48:])
    refused(path, entity[:32] + struct.pack("<Q", 2**62) + entity[40:])


def test_scans_that_lie_over_one_another_are_refused(path: Path) -> None:
    again = (cartesian(np.zeros((1, 3))), "")
    assert "one another" in refused(path, e57_bytes((cartesian(), ""), *[again] * 900, count=1, offset=48)).reason
    path.write_bytes(e57_bytes(*[(cartesian(), "")] * 3))
    assert len(read(path)) == 900


def test_damage_ends_in_a_cloud_or_an_error(path: Path) -> None:
    good = e57_bytes((cartesian() + colors(), pose()))
    rng = np.random.default_rng(0)
    for _ in range(150):
        data: Any = np.frombuffer(good, np.uint8).copy()
        data[rng.integers(0, len(data), 4)] = rng.integers(0, 256, 4).astype(np.uint8)
        path.write_bytes(data.tobytes()[: len(data) - int(rng.integers(0, 2000))])
        with contextlib.suppress(CloudError):
            read(path)


def test_another_name_hears_what_it_looks_like(tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_bytes(e57_bytes((cartesian(), "")))
    with pytest.raises(CloudError, match="looks like a E57"):
        read(tmp_path / "a.ply")

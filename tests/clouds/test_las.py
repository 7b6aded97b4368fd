"""LAS written here byte by byte, LAZ by laspy: points, colours, units, and files that lie."""

from __future__ import annotations

import contextlib
import io
import struct
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from refusing import refused

from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.formats import las
from clip3d.clouds.reading import read
from clip3d.errors import CloudError, MissingExtra

WHOLE = np.random.default_rng(0).integers(-5000, 5000, (300, 3))
COLORS = np.random.default_rng(1).integers(0, 65536, (300, 3))
UTM_WKT = (
    'PROJCS["WGS 84 / UTM zone 32N",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.25]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
    'PARAMETER["false_easting",500000],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST]]'
)
FEET_WKT = UTM_WKT.replace('UNIT["metre",1', 'UNIT["US survey foot",0.304800609601219')
HEIGHT = 'VERT_CS["height",VERT_DATUM["sea",2005],UNIT["{}",{}],AXIS["Up",UP]]'
WKT2 = (
    'PROJCRS["ETRS89 / UTM zone 32N",BASEGEOGCRS["ETRS89",DATUM["ETRS",ELLIPSOID["GRS",6378137,298,'
    'LENGTHUNIT["metre",1]]],PRIMEM["G",0,ANGLEUNIT["degree",0.0174]]],CONVERSION["UTM",METHOD["TM"],'
    'PARAMETER["False easting",500000,LENGTHUNIT["foot",0.3048]]],CS[Cartesian,2],'
    'AXIS["easting",east,LENGTHUNIT["metre",1]],AXIS["northing",north,LENGTHUNIT["metre",1]]]'
)


def record(number: int, data: bytes) -> bytes:
    return struct.pack("<H16sHH32s", 0, b"LASF_Projection", number, len(data), b"") + data


def keys(**values: int) -> bytes:
    numbers = {"projected": 3072, "linear": 3076, "vertical": 4099}
    rows = b"".join(struct.pack("<4H", numbers[name], 0, 1, value) for name, value in values.items())
    return record(34735, struct.pack("<4H", 1, 1, 0, len(values)) + rows)


def wkt(text: str) -> bytes:
    return record(2112, text.encode() + b"\x00")


def las_bytes(
    *records: bytes,
    colors: np.ndarray | None = COLORS,
    offset: tuple[float, float, float] = (0, 0, 0),
    withheld: int = 0,
    points: int | None = None,
) -> bytes:
    """LAS 1.2 in point format 0 or 2, as the specification has it, with coordinates in hundredths."""
    row = np.dtype(
        [("xyz", "<i4", 3), ("intensity", "<u2"), ("flags", "u1"), ("kind", "u1"), ("rest", "u1", 4)]
        + ([] if colors is None else [("rgb", "<u2", 3)])
    )
    rows = np.zeros(len(WHOLE), row)
    rows["xyz"] = WHOLE
    rows["kind"][:withheld] = 0x80
    if colors is not None:
        rows["rgb"] = colors
    count = len(rows) if points is None else points
    body = b"".join(records)
    head = struct.pack("<4sHH16sBB32s32sHHH", b"LASF", 0, 0, b"", 1, 2, b"", b"", 1, 2026, 227)
    head += struct.pack("<IIBHI5I", 227 + len(body), len(records), 0 if colors is None else 2, row.itemsize, count,
                        count, 0, 0, 0, 0)  # fmt: skip
    head += struct.pack("<12d", 0.01, 0.01, 0.01, *offset, 50, -50, 50, -50, 50, -50)
    return head + body + rows.tobytes()


def laz_bytes(points: int = 300) -> bytes:
    laspy = pytest.importorskip("laspy")
    pytest.importorskip("lazrs")
    header = laspy.LasHeader(version="1.4", point_format=7)
    header.scales = [0.01] * 3
    content = laspy.LasData(header)
    content.X, content.Y, content.Z = np.resize(WHOLE, (points, 3)).T
    content.red, content.green, content.blue = np.resize(COLORS, (points, 3)).astype(np.uint16).T
    stream = io.BytesIO()
    content.write(stream, do_compress=True)
    return stream.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    pytest.importorskip("laspy")
    return tmp_path / "survey.las"


def test_points_and_16_bit_colours_come_back(path: Path) -> None:
    path.write_bytes(las_bytes())
    cloud = read(path)
    assert np.allclose(cloud.points, WHOLE / 100, atol=1e-5)
    assert cloud.colors is not None
    assert np.allclose(cloud.colors, COLORS / 65535, atol=1e-6)
    assert (cloud.up, cloud.unit, cloud.frame_source) == ("z", "unknown", "file")


def test_laz_holds_the_same(path: Path) -> None:
    packed = path.with_suffix(".laz")
    packed.write_bytes(laz_bytes())
    cloud = read(packed)
    assert np.allclose(cloud.points, WHOLE / 100, atol=1e-5)
    assert cloud.colors is not None
    assert np.allclose(cloud.colors, COLORS / 65535, atol=1e-6)


def test_colours_of_8_bit_values_and_none(path: Path) -> None:
    path.write_bytes(las_bytes(colors=COLORS // 257))
    colors = read(path).colors
    assert colors is not None
    assert np.allclose(colors, (COLORS // 257) / 255, atol=1e-6)
    for without in (None, COLORS * 0):
        path.write_bytes(las_bytes(colors=without))
        assert read(path).colors is None


@pytest.mark.parametrize(
    ("records", "unit"),
    [
        ([wkt(UTM_WKT)], "m"),
        ([wkt(WKT2)], "m"),
        ([wkt(FEET_WKT)], "ft"),
        ([wkt(f"COMPD_CS[\"both\",{UTM_WKT},{HEIGHT.format('metre', 1)}]")], "m"),
        ([wkt(f"COMPD_CS[\"both\",{UTM_WKT},{HEIGHT.format('foot', 0.3048)}]")], "unknown"),
        ([wkt(UTM_WKT[UTM_WKT.index("GEOGCS") : UTM_WKT.index(",PROJECTION")])], "unknown"),
        ([wkt("]]]" + UTM_WKT)], "unknown"),
        ([keys(linear=9001)], "m"),
        ([keys(linear=9003, vertical=9003)], "ft"),
        ([keys(linear=9001, vertical=9002)], "unknown"),
        ([keys(projected=32632)], "m"),
        ([keys(projected=2263)], "unknown"),
        ([record(34735, b"\x01\x00\x01")], "unknown"),
    ],
)
def test_the_unit_is_what_the_reference_system_says(path: Path, records: list[bytes], unit: str) -> None:
    path.write_bytes(las_bytes(*records))
    assert read(path).unit == unit


@pytest.mark.parametrize("text", ["A" * 65_000, "A(" * 20_000 + "UNIT(" + "1," * 12_000])
def test_reference_systems_that_are_no_text_cost_no_time(path: Path, text: str) -> None:
    path.write_bytes(las_bytes(wkt(text)))
    begun = time.monotonic()
    assert read(path).unit == "unknown"
    assert time.monotonic() - begun < 2


def test_coordinates_of_maps_keep_their_centimetres(path: Path) -> None:
    path.write_bytes(las_bytes(offset=(500_000.0, 5_400_000.0, 300.0)))
    exact = WHOLE / 100 + (500_000.0, 5_400_000.0, 300.0)
    anchor = (*np.floor(exact[0, :2]), 0)
    assert np.abs(read(path).points - (exact - anchor)).max() < 1e-4


def test_withheld_points_are_left_out(path: Path) -> None:
    path.write_bytes(las_bytes(withheld=100))
    cloud = read(path)
    assert np.allclose(cloud.points, WHOLE[100:] / 100, atol=1e-5)
    assert len(cloud.colors) == 200
    assert "no points" in refused(path, las_bytes(withheld=300)).reason


def test_of_too_many_points_every_nth_is_read_across_pieces(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(las, "MAX_POINTS", 120)
    monkeypatch.setattr(las, "CHUNK", 47)
    path.write_bytes(las_bytes())
    assert np.allclose(read(path).points, WHOLE[::3] / 100, atol=1e-5)


@pytest.mark.parametrize("points", [0, 301, 2**31])
def test_counts_that_do_not_fit(path: Path, points: int) -> None:
    assert "points" in refused(path, las_bytes(points=points)).reason


def test_laz_that_declares_more_than_it_can_hold(path: Path) -> None:
    data = bytearray(laz_bytes())
    for count in (301, 400_000_000, 2**63):
        data[247:255] = struct.pack("<Q", count)
        refused(path.with_suffix(".laz"), bytes(data))


def test_laz_that_declares_more_pieces_than_it_can_hold(path: Path) -> None:
    data = bytearray(laz_bytes())
    start = struct.unpack_from("<I", data, 96)[0]
    table = struct.unpack_from("<q", data, start)[0]
    data[table + 4 : table + 8] = b"\xff" * 4
    assert "packed pieces" in refused(path.with_suffix(".laz"), bytes(data)).reason
    for place in (-1, 0, 2**40):
        data[start : start + 8] = struct.pack("<q", place)
        refused(path.with_suffix(".laz"), bytes(data))


def test_damaged_headers(path: Path) -> None:
    data = las_bytes(wkt(UTM_WKT))
    refused(path, data[:100])
    refused(path, data[:-1])
    for at, value in ((96, 2**32 - 1), (100, 2**31), (96, 0), (94, 60000)):
        refused(path, data[:at] + struct.pack("<I", value) + data[at + 4 :])


@pytest.mark.parametrize("seed", range(3))
def test_bits_flipped_in_packed_points_end_in_a_cloud_or_an_error(
    path: Path, seed: int, capfd: pytest.CaptureFixture[str]
) -> None:
    rng, good = np.random.default_rng(seed), laz_bytes(3000)
    for _ in range(20):
        data = np.frombuffer(good, np.uint8).copy()
        at = rng.integers(200, len(data), 4)
        data[at] ^= rng.integers(1, 256, 4).astype(np.uint8)
        path.with_suffix(".laz").write_bytes(data.tobytes()[: len(data) - int(rng.integers(0, 50))])
        with contextlib.suppress(CloudError):
            read(path.with_suffix(".laz"))
    assert capfd.readouterr() == ("", "")


def test_another_name_hears_what_it_looks_like(tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_bytes(las_bytes())
    with pytest.raises(CloudError, match="looks like a LAS"):
        read(tmp_path / "a.ply")


def test_folders_list_surveys(tmp_path: Path) -> None:
    for name in ("a.las", "b.LAZ"):
        (tmp_path / name).write_bytes(las_bytes())
    assert [file.name for file in find_clouds(tmp_path).files] == ["a.las", "b.LAZ"]


def test_without_laspy_the_extra_is_named_with_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "laspy", None)
    (tmp_path / "a.las").write_bytes(las_bytes())
    with pytest.raises(CloudError, match=r"laspy.*clip3d\[lidar\]") as caught:
        read(tmp_path / "a.las")
    assert isinstance(caught.value.__cause__, MissingExtra)
    assert caught.value.path == str(tmp_path / "a.las")

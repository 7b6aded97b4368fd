"""ROS 1 .bag and MCAP, in records laid out here and as other programs write them, packed and damaged."""

from __future__ import annotations

import bz2
import contextlib
import itertools
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recording_files import COLORS, KIND, POINTS, message
from test_rosbags import refused

from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.formats import inflating, rosbag1, rosbag_mcap
from clip3d.clouds.reading import read
from clip3d.errors import CloudError, MissingExtra

ROS1 = "sensor_msgs/PointCloud2"


def record(data: bytes, **fields: bytes) -> bytes:
    head = b"".join(struct.pack("<I", len(name) + 1 + len(value)) + name.encode() + b"=" + value
                    for name, value in fields.items())  # fmt: skip
    return struct.pack("<I", len(head)) + head + struct.pack("<I", len(data)) + data


def connection(number: int, topic: str, kind: str) -> bytes:
    inner = record(b"", topic=topic.encode(), type=kind.encode())[4:-4]
    return record(inner, op=b"\x07", conn=struct.pack("<I", number), topic=topic.encode())


def sent(number: int, data: bytes) -> bytes:
    return record(data, op=b"\x02", conn=struct.pack("<I", number), time=bytes(8))


def chunk(records: bytes, packing: str = "none", size: int | None = None) -> bytes:
    data = bz2.compress(records) if packing == "bz2" else records
    size = len(records) if size is None else size
    return record(data, op=b"\x05", compression=packing.encode(), size=struct.pack("<I", size))


def bag(*records: bytes) -> bytes:
    head = record(bytes(4027), op=b"\x03", index_pos=bytes(8), conn_count=bytes(4), chunk_count=bytes(4))
    return b"#ROSBAG V2.0\n" + head + b"".join(records)


WORDS = connection(0, "/words", "std_msgs/String") + sent(0, b"words")
CLOUD = connection(1, "/lidar", ROS1) + sent(1, message(cdr=False))


def piece(code: int, content: bytes) -> bytes:
    return struct.pack("<BQ", code, len(content)) + content


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode()


def mcap_records(encoding: str = "cdr", kind: str = KIND, data: bytes | None = None) -> bytes:
    data = message() if data is None else data
    return (
        piece(3, struct.pack("<H", 1) + text(kind) + text("ros2msg") + text(""))
        + piece(4, struct.pack("<HH", 5, 1) + text("/lidar") + text(encoding) + struct.pack("<I", 0))
        + piece(5, struct.pack("<HIQQ", 5, 0, 1, 1) + data)
    )


def mcap_chunk(records: bytes, packing: str = "", packed: bytes | None = None, size: int | None = None) -> bytes:
    packed = records if packed is None else packed
    head = struct.pack("<QQQI", 0, 0, len(records) if size is None else size, zlib.crc32(records))
    return piece(6, head + text(packing) + struct.pack("<Q", len(packed)) + packed)


def mcap(*records: bytes) -> bytes:
    return b"\x89MCAP0\r\n" + piece(1, text("ros2") + text("")) + b"".join(records) + piece(15, bytes(4))


def assert_cloud(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    cloud = read(path)
    assert np.array_equal(cloud.points, POINTS)
    assert cloud.colors is not None
    assert np.allclose(cloud.colors, COLORS / 255)
    assert (cloud.up, cloud.unit, cloud.frame_source) == ("z", "m", "file")


@pytest.mark.parametrize("packing", ["none", "bz2"])
def test_a_bag_gives_the_cloud_of_its_chunks(tmp_path: Path, packing: str) -> None:
    assert_cloud(tmp_path / "a.bag", bag(chunk(WORDS, packing), chunk(CLOUD, packing), WORDS))
    assert find_clouds(tmp_path).files == [tmp_path / "a.bag"]


def test_a_bag_without_chunks_or_cut_short_after_its_cloud(tmp_path: Path) -> None:
    assert_cloud(tmp_path / "a.bag", bag(WORDS, CLOUD))
    assert_cloud(tmp_path / "a.bag", bag(chunk(CLOUD), chunk(WORDS))[:-5])


@pytest.mark.parametrize("packing", ["lz4", "zstd"])
def test_mcap_gives_the_cloud_of_packed_chunks(tmp_path: Path, packing: str) -> None:
    records = mcap_records()
    if packing == "lz4":
        packed = pytest.importorskip("lz4.frame").compress(records)
    else:
        packed = pytest.importorskip("zstandard").ZstdCompressor().compress(records)
    assert_cloud(tmp_path / "a.mcap", mcap(mcap_chunk(records, packing, packed)))


def test_mcap_without_packing_and_with_messages_of_ros_1(tmp_path: Path) -> None:
    assert_cloud(tmp_path / "a.mcap", mcap(mcap_records()))
    assert_cloud(tmp_path / "a.mcap", mcap(mcap_chunk(mcap_records())))
    assert_cloud(tmp_path / "a.mcap", mcap(mcap_records("ros1", ROS1, message(cdr=False))))
    (tmp_path / "b.mcap").write_bytes(mcap(mcap_records("json", data=b"{}")))
    assert "json" in refused(tmp_path / "b.mcap").reason


@pytest.mark.parametrize("packing", ["NONE", "BZ2", "LZ4"])
def test_bags_of_rosbags(tmp_path: Path, packing: str) -> None:
    writing = pytest.importorskip("rosbags.rosbag1")
    store, kind, content = _of_rosbags("ROS1_NOETIC")
    writer = writing.Writer(tmp_path / "a.bag")
    if packing != "NONE":
        writer.set_compression(writing.Writer.CompressionFormat[packing])
    with writer:
        lidar = writer.add_connection("/lidar", kind, typestore=store)
        for time in range(3):
            writer.write(lidar, time, store.serialize_ros1(content(POINTS + time), kind))
    assert np.array_equal(read(tmp_path / "a.bag").points, POINTS)
    assert np.array_equal(read(tmp_path / "a.bag", topic="/lidar", message=2).points, POINTS + 2)


@pytest.mark.parametrize("plugin", ["SQLITE3", "MCAP"])
def test_folders_of_rosbags(tmp_path: Path, plugin: str) -> None:
    writing = pytest.importorskip("rosbags.rosbag2")
    store, kind, content = _of_rosbags("ROS2_HUMBLE")
    folder = tmp_path / "drive"
    with writing.Writer(folder, version=9, storage_plugin=writing.StoragePlugin[plugin]) as writer:
        lidar = writer.add_connection("/lidar", kind, typestore=store)
        for time in range(3):
            writer.write(lidar, time, store.serialize_cdr(content(POINTS + time), kind))
    (file,) = find_clouds(tmp_path).files
    assert np.array_equal(read(file).points, POINTS)
    assert np.array_equal(read(folder, message=1).points, POINTS + 1)


@pytest.mark.parametrize("packing", ["NONE", "LZ4", "ZSTD"])
def test_files_of_the_mcap_package(tmp_path: Path, packing: str) -> None:
    writing = pytest.importorskip("mcap.writer")
    with (tmp_path / "a.mcap").open("wb") as stream:
        writer = writing.Writer(stream, compression=writing.CompressionType[packing], chunk_size=1000)
        writer.start("ros2")
        schema = writer.register_schema(KIND, "ros2msg", b"")
        channel = writer.register_channel("/lidar", "cdr", schema)
        for time in range(3):
            writer.add_message(channel, time, message(POINTS + time), time)
        writer.finish()
    assert np.array_equal(read(tmp_path / "a.mcap").points, POINTS)
    assert np.array_equal(read(tmp_path / "a.mcap", message=2).points, POINTS + 2)


def _of_rosbags(name: str) -> tuple[Any, str, Any]:
    typesys = pytest.importorskip("rosbags.typesys")
    store = typesys.get_typestore(typesys.Stores[name])
    make = {kind.rsplit("/", 1)[-1]: made for kind, made in store.types.items()}

    def content(points: np.ndarray) -> Any:
        stamp = store.types["builtin_interfaces/msg/Time"](1, 2)
        number = (7,) if "seq" in make["Header"].__dataclass_fields__ else ()
        fields = [make["PointField"](axis, 4 * i, 7, 1) for i, axis in enumerate("xyz")]
        body = np.frombuffer(points.astype("<f4").tobytes(), np.uint8)
        header = make["Header"](*number, stamp, "lidar")
        return make["PointCloud2"](header, 1, len(points), fields, False, 12, 12 * len(points), body, True)

    return store, KIND, content


def test_recordings_without_clouds(tmp_path: Path) -> None:
    for name, data in (("a.bag", bag(WORDS)), ("a.mcap", mcap(mcap_records(kind="std_msgs/msg/String")))):
        (tmp_path / name).write_bytes(data)
        assert "no message PointCloud2" in refused(tmp_path / name).reason
    (tmp_path / "b.bag").write_bytes(b"#ROSBAG V1.2\n" + bytes(100))
    assert "version 2.0" in refused(tmp_path / "b.bag").reason


BOMB = bz2.compress(bytes(70 * 1024**2))


@pytest.mark.parametrize(
    "records",
    [
        chunk(CLOUD, size=2**32 - 1, packing="bz2"),
        chunk(CLOUD, size=1000, packing="bz2"),
        chunk(CLOUD, size=60 * 1024**2, packing="bz2"),
        chunk(CLOUD, packing="snappy"),
        record(BOMB, op=b"\x05", compression=b"bz2", size=struct.pack("<I", 70 * 1024**2)),
        record(BOMB, op=b"\x05", compression=b"bz2", size=struct.pack("<I", 5000)),
        record(b"no bz2", op=b"\x05", compression=b"bz2", size=struct.pack("<I", 5000)),
        record(b"", op=b"\x05", compression=b"bz2"),
        chunk(CLOUD[:-4]),
        struct.pack("<I", 2**32 - 1),
        struct.pack("<II", 0, 2**32 - 1),
        struct.pack("<II", 10, 2**31) + bytes(10),
    ],
)
def test_bags_that_lie(tmp_path: Path, records: bytes) -> None:
    (tmp_path / "a.bag").write_bytes(bag(records))
    refused(tmp_path / "a.bag")


@pytest.mark.parametrize(
    "records",
    [
        mcap_chunk(mcap_records(), "zstd", b"\x28\xb5\x2f\xfd\xff\xff"),
        mcap_chunk(mcap_records(), "zstd", size=2**63),
        mcap_chunk(mcap_records(), "lz4"),
        mcap_chunk(mcap_records(), "rar"),
        mcap_chunk(mcap_records()[:-1]),
        mcap_chunk(struct.pack("<BQ", 5, 2**64 - 1)),
        struct.pack("<BQ", 6, 2**64 - 1),
        struct.pack("<BQ", 9, 2**63),
        piece(3, struct.pack("<HI", 1, 2**32 - 1)),
    ],
)
def test_mcap_that_lies(tmp_path: Path, records: bytes) -> None:
    pytest.importorskip("lz4")
    pytest.importorskip("zstandard")
    (tmp_path / "a.mcap").write_bytes(mcap(records)[:-13])
    refused(tmp_path / "a.mcap")


def test_a_chunk_that_does_not_fit_its_checksum(tmp_path: Path) -> None:
    data = bytearray(mcap(mcap_chunk(mcap_records())))
    data[-40] ^= 1
    (tmp_path / "a.mcap").write_bytes(data)
    assert "checksum" in refused(tmp_path / "a.mcap").reason


@pytest.mark.parametrize("name", ["a.bag", "a.mcap"])
def test_a_cloud_that_lies_too_far_is_not_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store = rosbag1 if name == "a.bag" else rosbag_mcap
    early = chunk(CLOUD) if name == "a.bag" else mcap_chunk(mcap_records())
    assert_cloud(tmp_path / name, bag(early, early) if name == "a.bag" else mcap(early, early))
    assert len(read(tmp_path / name, message=1)) == len(POINTS)
    monkeypatch.setattr(store, "MAX_SCANNED_BYTES", 5000 if name == "a.bag" else 200)
    assert len(read(tmp_path / name)) == len(POINTS)
    assert "first 4 GiB" in refused(tmp_path / name, message=1).reason


def test_records_without_end_are_not_gone_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflating, "MAX_RECORDS", 500)
    empty, nothing = bytes(8 * 600), piece(9, b"") * 600
    bags = {"a.bag": bag(empty), "b.bag": bag(chunk(empty))}
    files = bags | {"a.mcap": mcap(nothing), "b.mcap": mcap(mcap_chunk(nothing))}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert "more than 500 records" in refused(tmp_path / name).reason


@pytest.mark.parametrize("name", ["a.bag", "a.mcap"])
def test_damage_ends_in_a_cloud_or_an_error(tmp_path: Path, name: str) -> None:
    good = bag(chunk(WORDS), chunk(CLOUD, "bz2")) if name == "a.bag" else mcap(mcap_records())
    rng = np.random.default_rng(0)
    cuts = (good[:length] for length in range(0, len(good), 97))
    flips = (_flipped(good, rng) for _ in range(100))
    for data in itertools.chain(cuts, flips):
        (tmp_path / name).write_bytes(data)
        with contextlib.suppress(CloudError):
            read(tmp_path / name)


def _flipped(good: bytes, rng: np.random.Generator) -> bytes:
    data = np.frombuffer(good, np.uint8).copy()
    data[rng.integers(0, len(data), 3)] = rng.integers(0, 256, 3).astype(np.uint8)
    return data.tobytes()


@pytest.mark.parametrize(("package", "packing"), [("lz4", "lz4"), ("zstandard", "zstd")])
def test_without_the_package_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, packing: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / "a.mcap").write_bytes(mcap(mcap_chunk(mcap_records(), packing)))
    with pytest.raises(CloudError, match=rf"{package}.*clip3d\[ros\]") as caught:
        read(tmp_path / "a.mcap")
    assert isinstance(caught.value.__cause__, MissingExtra)

"""Recordings of a drive, written by the package rosbags: clouds, pictures, calibration and transforms."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driving_logs import CAMERA_POSE, HEIGHT, INTRINSICS, WIDTH, picture, sweep
from PIL import Image

from clip3d.lidar.motion import quaternion
from clip3d.lidar.sweep import Sweep

START = 1_700_000_000_000_000_000  # nanoseconds
LENS = (-0.1, 0.01, 0.0005, -0.0003, 0.0)
# The vehicle's frame lies 1.7 m below the lidar's and is turned.
BASE_FROM_LIDAR = np.array([[0.0, -1, 0, 0.5], [1, 0, 0, 0], [0, 0, 1, 1.7], [0, 0, 0, 1]])


class Messages:
    """Messages of one version of ROS."""

    def __init__(self, *, cdr: bool) -> None:
        typesys = pytest.importorskip("rosbags.typesys")
        self.cdr = cdr
        self.store = typesys.get_typestore(typesys.Stores.ROS2_HUMBLE if cdr else typesys.Stores.ROS1_NOETIC)
        if "tf2_msgs/msg/TFMessage" not in self.store.types:
            text = "geometry_msgs/TransformStamped[] transforms"
            self.store.register(typesys.get_types_from_msg(text, "tf2_msgs/msg/TFMessage"))
        self.make = {kind.rsplit("/", 1)[-1]: made for kind, made in self.store.types.items()}
        self.make["Time"] = self.store.types["builtin_interfaces/msg/Time"]

    def header(self, time: int, frame: str) -> Any:
        stamp = self.make["Time"](time // 1_000_000_000, time % 1_000_000_000)
        number = (7,) if "seq" in self.make["Header"].__dataclass_fields__ else ()
        return self.make["Header"](*number, stamp, frame)

    def cloud(self, time: int, points: Sweep) -> Any:
        row = np.dtype([("p", "<f4", 3), ("intensity", "<f4"), ("ring", "<u2"), ("time", "<f4")])
        rows = np.zeros(len(points), row)
        rows["p"], rows["intensity"], rows["ring"] = points.points, np.rint(points.intensity * 255), points.ring
        kinds = (("x", 0, 7), ("y", 4, 7), ("z", 8, 7), ("intensity", 12, 7), ("ring", 16, 4), ("time", 18, 7))
        fields = [self.make["PointField"](name, offset, kind, 1) for name, offset, kind in kinds]
        body = np.frombuffer(rows.tobytes(), np.uint8)
        step = row.itemsize
        head = self.header(time, "velodyne")
        return self.make["PointCloud2"](head, 1, len(points), fields, False, step, step * len(points), body, True)

    def image(self, time: int, image: Image.Image, encoding: str = "bgr8", frame: str = "front_optical") -> Any:
        pixels = np.asarray(image)
        pixels = pixels[..., ::-1] if encoding == "bgr8" else pixels
        rows = np.pad(pixels.reshape(len(pixels), -1), ((0, 0), (0, 4)))  # filled up, as some drivers do
        body = np.ascontiguousarray(rows).reshape(-1)
        height, width = pixels.shape[:2]
        return self.make["Image"](self.header(time, frame), height, width, encoding, 0, rows.shape[1], body)

    def packed(self, time: int, image: Image.Image, frame: str = "front_optical") -> Any:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=95)
        body = np.frombuffer(stream.getvalue(), np.uint8)
        return self.make["CompressedImage"](self.header(time, frame), "bgr8; jpeg compressed bgr8", body)

    def info(self, time: int, model: str = "plumb_bob", lens: tuple[float, ...] = LENS) -> Any:
        flat = INTRINSICS.reshape(-1)
        projection = np.concatenate([INTRINSICS, np.zeros((3, 1))], axis=1).reshape(-1)
        region = self.make["RegionOfInterest"](0, 0, 0, 0, False)
        head = self.header(time, "front_optical")
        return self.make["CameraInfo"](
            head, HEIGHT, WIDTH, model, np.array(lens), flat, np.eye(3).reshape(-1), projection, 0, 0, region
        )

    def transforms(self, time: int, found: dict[tuple[str, str], np.ndarray]) -> Any:
        made = []
        for (parent, child), motion in found.items():
            w, x, y, z = quaternion(motion[:3, :3]).tolist()
            place = self.make["Vector3"](*motion[:3, 3].tolist())
            turned = self.make["Transform"](place, self.make["Quaternion"](x, y, z, w))
            made.append(self.make["TransformStamped"](self.header(time, parent), child, turned))
        return self.make["TFMessage"](made)

    def bytes_of(self, message: Any) -> tuple[str, bytes]:
        kind = message.__msgtype__
        serialize = self.store.serialize_cdr if self.cdr else self.store.serialize_ros1
        return kind, bytes(serialize(message, kind))


def drive(
    messages: Messages, *, tf: str = "/tf_static", late: int = 10_000_000, rear: str = "rear_optical"
) -> list[tuple[str, int, Any]]:
    """Topic, time of recording and message: three sweeps, and pictures of a camera 10 ms after each, out of order.

    They are recorded later than taken, pictures much later. Of a camera at the rear nothing tells where it is.
    """
    chain = {
        ("base_link", "velodyne"): BASE_FROM_LIDAR,
        ("base_link", "front"): BASE_FROM_LIDAR @ CAMERA_POSE @ np.linalg.inv(FRONT_OPTICAL),
        ("front", "front_optical"): FRONT_OPTICAL,
    }
    found = [(tf, START, messages.transforms(START, chain)), ("/front/camera_info", START, messages.info(START))]
    for at in (1, 0, 2):
        time = START + at * 100_000_000
        found.append(("/velodyne_points", time + 20_000_000, messages.cloud(time, sweep(at))))
        image = messages.image(time + late, picture(at))
        found.append(("/front/image_raw", time + 90_000_000, image))
        found.append(("/rear/image_raw/compressed", time, messages.packed(time, picture(at), rear)))
    return found


FRONT_OPTICAL = np.array([[0.0, 0, 1, 0.02], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


def write(path: Path, messages: Messages, found: list[tuple[str, int, Any]], packing: str = "") -> Path:
    """A .bag, a .mcap, or a folder of .db3 where the path has no suffix."""
    if path.suffix == ".bag":
        writing = pytest.importorskip("rosbags.rosbag1")
        writer = writing.Writer(path)
        if packing:
            writer.set_compression(writing.Writer.CompressionFormat[packing])
        return _write(path, writer, messages, found)
    if path.suffix == ".mcap":
        writing = pytest.importorskip("mcap.writer")
        with path.open("wb") as stream:
            mcap = writing.Writer(stream, compression=writing.CompressionType[packing or "NONE"], chunk_size=20_000)
            mcap.start("ros2")
            channels: dict[str, int] = {}
            for topic, time, message in found:
                kind, data = messages.bytes_of(message)
                if topic not in channels:
                    schema = mcap.register_schema(kind, "ros2msg", b"")
                    channels[topic] = mcap.register_channel(topic, "cdr", schema)
                mcap.add_message(channels[topic], time, data, time)
            mcap.finish()
        return path
    writing = pytest.importorskip("rosbags.rosbag2")
    return _write(path, writing.Writer(path, version=9), messages, found)


def _write(path: Path, writer: Any, messages: Messages, found: list[tuple[str, int, Any]]) -> Path:
    with writer:
        connections: dict[str, Any] = {}
        for topic, time, message in found:
            kind, data = messages.bytes_of(message)
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=messages.store)
            writer.write(connections[topic], time, data)
    return path

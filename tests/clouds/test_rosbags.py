"""Recordings of ROS with PointCloud2 messages, their bytes laid out here as ROS writes them."""

from __future__ import annotations

import sqlite3
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from recording_files import COLORS, KIND, POINTS, message, write_db3
from refusing import refused

from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.pointcloud2 import read_message
from clip3d.clouds.reading import read
from clip3d.errors import ShapeError


@pytest.mark.parametrize("cdr", [True, False])
@pytest.mark.parametrize("big", [True, False])
@pytest.mark.parametrize("height", [1, 6])
def test_a_message_gives_points_colours_and_its_frame(cdr: bool, big: bool, height: int) -> None:
    contents = read_message(message(cdr=cdr, big=big, height=height), cdr=cdr)
    assert np.array_equal(contents.points, POINTS)
    assert np.allclose(contents.colors, COLORS / 255)
    assert (contents.up, contents.unit) == ("z", "m")


@pytest.mark.parametrize("cdr", [True, False])
def test_points_that_are_nan_are_left_out_however_many(cdr: bool) -> None:
    holes = POINTS.copy()
    holes[:50, 1] = np.nan
    contents = read_message(message(holes, cdr=cdr), cdr=cdr)
    assert np.array_equal(contents.points, POINTS[50:])
    assert np.allclose(contents.colors, COLORS[50:] / 255)


def test_fields_that_are_not_used_cost_no_memory_and_may_be_of_any_type() -> None:
    plain = message(cdr=False)
    at = plain.index(struct.pack("<I4s", 4, b"ring"))
    count = plain.index(struct.pack("<I1s", 1, b"x")) - 4
    points = np.zeros((500_000, 4), "<f4")
    fields = b"".join(struct.pack("<I4sIBI", 4, f"f{i:03}".encode(), 0, 8 if i else 99, 1) for i in range(250))
    head = plain[:count - 8] + struct.pack("<III", 1, len(points), 254) + plain[count + 4 : at] + fields
    data = head + struct.pack("<BIII", 0, 16, points.nbytes, points.nbytes) + points.tobytes() + b"\1"
    tracemalloc.start()
    contents = read_message(data, cdr=False)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(contents.points, points[:, :3])
    assert most < 15 * points.nbytes


def test_the_frame_of_a_camera_states_no_up_axis() -> None:
    assert read_message(message(frame="camera_depth_optical_frame"), cdr=True).up is None


def test_a_ros_2_recording_gives_its_earliest_cloud(tmp_path: Path) -> None:
    path = tmp_path / "drive#1 a?_0.db3"
    rows = [(1, 5, b"words"), (2, 30, message(POINTS * 2)), (2, 20, message()), (3, 25, message(POINTS * 3))]
    write_db3(path, rows, ("std_msgs/msg/String", KIND, KIND))
    cloud = read(path)
    assert np.array_equal(cloud.points, POINTS)
    assert cloud.colors is not None
    assert (cloud.up, cloud.unit, cloud.frame_source) == ("z", "m", "file")
    assert find_clouds(tmp_path).files == [path]
    assert list(tmp_path.iterdir()) == [path]


def test_a_topic_and_a_message_of_it_are_chosen(tmp_path: Path) -> None:
    path = tmp_path / "a.db3"
    write_db3(path, [(2, 10 + i, message(POINTS + i)) for i in range(3)] + [(1, 15, message())], (KIND, KIND))
    assert np.array_equal(read(path, message=2).points, POINTS + 2)
    assert np.array_equal(read(path, topic="/topic1").points, POINTS)
    assert "/topic1, /topic2" in refused(path, topic="/other").remedy
    assert "from 0 to 2" in refused(path, topic="/topic2", message=3).remedy
    with pytest.raises(ShapeError):
        read(path, message=-1)


def test_topics_are_chosen_of_recordings_only(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("0 0 1\n" * 50)
    assert "no recording" in refused(tmp_path / "a.xyz", topic="/lidar").reason


def test_a_folder_of_ros_2_is_one_recording(tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text("rosbag2_bagfile_information:")
    for part in (10, 2, 0):
        write_db3(tmp_path / f"drive_{part}.db3", [(1, part, message(POINTS + part))])
    assert np.array_equal(read(tmp_path).points, POINTS)
    assert np.array_equal(read(tmp_path, message=2).points, POINTS + 10)


def test_of_databases_in_folders_only_recordings_count(tmp_path: Path) -> None:
    write_db3(tmp_path / "a.db3", [(1, 5, message())])
    sqlite3.connect(tmp_path / "b.db3").execute("CREATE TABLE other(id)").connection.close()
    (tmp_path / "c.bag").write_bytes(b"BagIt-Version: 1.0")
    assert find_clouds(tmp_path).files == [tmp_path / "a.db3"]


def test_topics_without_messages_are_passed_over(tmp_path: Path) -> None:
    write_db3(tmp_path / "a.db3", [(2, 20, message())], (KIND, KIND))
    assert len(read(tmp_path / "a.db3")) == 60


def test_recordings_without_a_cloud(tmp_path: Path) -> None:
    write_db3(tmp_path / "a.db3", [(1, 5, b"words")], ("std_msgs/msg/String",))
    assert "no message PointCloud2" in refused(tmp_path / "a.db3").reason
    write_db3(tmp_path / "b.db3", [(1, 5, b"\x28\xb5\x2f\xfd" + bytes(40))])
    assert "packed" in refused(tmp_path / "b.db3").reason
    sqlite3.connect(tmp_path / "c.db3").execute("CREATE TABLE other(id)").connection.close()
    assert "no tables" in refused(tmp_path / "c.db3").reason
    (tmp_path / "d.db3").write_bytes((tmp_path / "a.db3").read_bytes()[:5000])
    refused(tmp_path / "d.db3")


def test_a_view_that_never_ends_is_not_run(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db3") as connection:
        connection.execute("CREATE TABLE topics(id, type, serialization_format)")
        connection.execute(
            "CREATE VIEW messages AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) "
            "SELECT id, 1 AS topic_id, 1 AS timestamp, x'00' AS data FROM n"
        )
    connection.close()
    assert "no tables" in refused(tmp_path / "a.db3").reason


@pytest.mark.parametrize("count", [0, 61, 2**31])
def test_messages_that_declare_more_than_they_hold(tmp_path: Path, count: int) -> None:
    write_db3(tmp_path / "a.db3", [(1, 5, message(count=count))])
    assert "points" in refused(tmp_path / "a.db3").reason


@pytest.mark.parametrize("cdr", [True, False])
def test_messages_cut_short_anywhere(tmp_path: Path, cdr: bool) -> None:
    whole = message(cdr=cdr)
    for length in range(len(whole) - 20):
        with pytest.raises(Malformed):
            read_message(whole[:length], cdr=cdr)
    write_db3(tmp_path / "a.db3", [(1, 5, message()[:100])])
    assert "ends inside" in refused(tmp_path / "a.db3").reason


def test_names_too_long_for_a_file_are_problems_of_the_file(tmp_path: Path) -> None:
    assert "cannot be opened" in refused(tmp_path / ("a" * 300 + ".ply")).reason

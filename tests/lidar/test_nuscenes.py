"""Logs of nuScenes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from driving_logs import CAMERA_POSE, INTRINSICS, sweep
from nuscenes_files import ego, write_small

from clip3d.errors import FrameError
from clip3d.lidar.frame import Box
from clip3d.lidar.reading import read_log
from clip3d.lidar.sources import nuscenes_tables

LIDAR = np.eye(4)
LIDAR[:3, 3] = 0.9, 0.0, 1.84
CAMERA = LIDAR @ CAMERA_POSE
BOX = Box("vehicle.car", np.array([12.0, 3, -0.6]), (4.2, 1.7, 1.5), 0.4)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_small(tmp_path / "nuscenes", LIDAR, CAMERA, INTRINSICS, BOX)


def test_key_frames_come_back_in_our_axes(root: Path) -> None:
    log = read_log(root)
    assert (log.name, log.source, log.problems) == ("v1.0-mini", "nuscenes", ())
    assert [frame.key for frame in log] == ["scene-0061/100000000", "scene-0062/200000000"]
    frame = log[1]
    assert (frame.timestamp, frame.problems) == (200.0, ())
    assert np.allclose(frame.sweep.points, sweep(1).points, atol=1e-5)
    assert np.allclose(frame.sweep.intensity, sweep(1).intensity, atol=1e-6)
    assert np.array_equal(frame.sweep.ring, sweep(1).ring)
    assert np.allclose(frame.world_from_lidar, ego(200) @ LIDAR, atol=1e-6)
    assert list(frame.pictures) == ["CAM_FRONT"]
    assert frame.pictures["CAM_FRONT"].load().size == (96, 64)


def test_points_reach_the_camera_by_way_of_the_world(root: Path) -> None:
    camera = read_log(root)[0].pictures["CAM_FRONT"].camera
    standing = np.array([20.0, 1, 0, 1])  # in our lidar frame at the sweep's time
    in_world = ego(100) @ LIDAR @ standing
    in_camera = np.linalg.inv(ego(100.03) @ CAMERA) @ in_world
    assert np.allclose(camera.to_camera(standing[None, :3]), in_camera[:3], atol=1e-6)
    # Without the motion it would lie elsewhere.
    assert np.abs(np.linalg.inv(CAMERA_POSE) @ standing - in_camera).max() > 0.1


def test_boxes_and_what_scenes_say_of_themselves(root: Path) -> None:
    first, second = read_log(root)
    (box,) = first.boxes
    assert np.allclose(box.center, BOX.center, atol=1e-6)
    assert (box.label, box.size) == (BOX.label, BOX.size)
    assert box.yaw == pytest.approx(BOX.yaw)
    assert box.attributes == {"attributes": ["vehicle.moving"], "visibility": "v80-100", "lidar_points": 7}
    assert second.boxes == ()
    assert (first.metadata["period"], first.metadata["weather"]) == ("night", "rainy")
    assert (second.metadata["period"], "weather" in second.metadata) == ("day", False)
    assert second.metadata["location"] == "singapore-onenorth"


def test_every_picture_goes_to_the_sweep_nearest_in_time(root: Path) -> None:
    log = read_log(root, source="nuscenes-sweeps")
    assert log.source == "nuscenes-sweeps"
    assert [frame.key for frame in log] == ["scene-0061/100050000", "scene-0062/200050000"]
    frame = log[0]
    # Of the pictures at .03, .09 and .11 s the first is nearest to the sweep at .05; the last is too late for any.
    assert frame.pictures["CAM_FRONT"].timestamp == pytest.approx(100.03)
    assert frame.boxes is None
    assert "2 pictures of CAM_FRONT have no sweep of their own within 0.05 s" in log.problems[0]


def test_rows_are_read_whatever_the_size_of_the_pieces(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / "v1.0-mini" / "sample_data.json"
    expected = json.loads(path.read_text())
    for size in (1, 7, 100, 1 << 20):
        monkeypatch.setattr(nuscenes_tables, "CHUNK", size)
        assert list(nuscenes_tables.rows(path)) == expected


@pytest.mark.parametrize(
    ("table", "change", "reason"),
    [
        ("sample_data", lambda text: text[: len(text) // 2], "ends inside a row"),
        ("sample_data", lambda text: text.replace("samples/", "../"), "outside"),
        ("sample_data", lambda text: text.replace("ego_pose_token", "ego"), "row 1 cannot be used"),
        ("ego_pose", lambda text: "[]", "lacks"),
        ("ego_pose", lambda text: text.replace("rotation", "turn"), "row 1 cannot be used"),
        ("calibrated_sensor", lambda text: '{"a": 1}', "no table"),
        ("sample", lambda text: "[1, 2]", "no names with values"),
        ("sample", lambda text: text.replace('"token": ', '"token": [], "was": '), "row 1 cannot be used"),
        ("sample_data", lambda text: text.replace('"timestamp": ', '"timestamp": 1e999, "was": '), "row 1 cannot"),
    ],
)
def test_tables_that_cannot_be_used_are_named(root: Path, table: str, change, reason: str) -> None:
    path = root / "v1.0-mini" / f"{table}.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(FrameError, match=rf"{table}\.json.*{reason}"):
        read_log(root)


def test_without_annotations_the_frames_remain(root: Path) -> None:
    path = root / "v1.0-mini" / "sample_annotation.json"
    path.write_text(path.read_text().replace("translation", "place"))
    frame = read_log(root)[0]
    assert frame.boxes is None
    assert "no frame has boxes" in frame.problems[0]
    path.write_text("[]")
    assert read_log(root)[0].boxes is None
    path.unlink()
    frame = read_log(root)[0]
    assert (frame.boxes, frame.problems) == (None, ())
    assert len(frame.sweep) == 400


def test_of_several_versions_one_must_be_named(root: Path) -> None:
    (root / "v1.0-test").mkdir()
    (root / "v1.0-test" / "sample_data.json").write_text("[]")
    with pytest.raises(FrameError, match=r"v1\.0-mini, v1\.0-test, not one"):
        read_log(root)
    assert len(read_log(root / "v1.0-mini")) == 2

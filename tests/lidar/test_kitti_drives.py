"""KITTI's raw drives and odometry sequences."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from driving_logs import CAMERA_FROM_LIDAR, INTRINSICS, sweep
from kitti_files import (
    LIDAR_FROM_IMU,
    RECTIFIED_FROM_LIDAR,
    camera_pose,
    write_calibration,
    write_drive,
    write_sequence,
    write_tracklets,
)

from clip3d.errors import FrameError
from clip3d.lidar.frame import Box
from clip3d.lidar.reading import find_logs, read_log

FIRST = datetime(2011, 9, 26, 13, 2, 25, tzinfo=timezone.utc).timestamp()


def drive(root: Path, **options) -> Path:
    folder = root / "2011_09_26" / "2011_09_26_drive_0001_sync"
    write_calibration(folder.parent)
    write_drive(folder, **options)
    return folder


def test_a_drive_gives_its_sweeps_with_pictures_of_their_number(tmp_path: Path) -> None:
    log = read_log(drive(tmp_path))
    assert (log.source, [frame.key for frame in log]) == ("kitti-raw", [f"{at:010d}" for at in (0, 1, 3)])
    frame = log[2]
    assert frame.timestamp == pytest.approx(FIRST + 0.3, abs=1e-6)
    assert np.array_equal(frame.sweep.points, sweep(3).points)
    seen = frame.pictures["image_02"]
    assert seen.path.name == "0000000003.png"
    assert seen.timestamp == pytest.approx(FIRST + 0.313, abs=1e-6)
    assert seen.load().size == (96, 64)
    assert np.allclose(seen.camera.camera_from_lidar, CAMERA_FROM_LIDAR, atol=1e-9)
    assert np.allclose(seen.camera.intrinsics, INTRINSICS)
    assert any("2 pictures have no sweep of their number" in problem for problem in log.problems)


def test_poses_are_those_of_the_lidar(tmp_path: Path) -> None:
    first, second, fourth = read_log(drive(tmp_path))
    assert np.allclose(first.world_from_lidar, np.linalg.inv(LIDAR_FROM_IMU), atol=1e-6)
    moved = fourth.world_from_lidar[:3, 3] - first.world_from_lidar[:3, 3]
    assert np.allclose(moved, [3, 0, 0], atol=1e-3)
    assert np.allclose(second.world_from_lidar[:3, :3], np.eye(3))


def test_pictures_that_were_taken_at_another_time_are_left_out(tmp_path: Path) -> None:
    log = read_log(drive(tmp_path, lag=0.2))
    assert any("3 pictures were taken more than 0.05 s" in problem for problem in log.problems)
    assert log[0].pictures == {}


def test_tracklets_become_boxes_of_the_frames_they_span(tmp_path: Path) -> None:
    folder = drive(tmp_path)
    write_tracklets(folder / "tracklet_labels.xml", Box("Van", np.array([9.0, 1, -0.5]), (5, 2, 2.2), 0.7), 1, 3)
    first, second, fourth = read_log(folder)
    assert first.boxes == ()
    assert np.allclose(second.boxes[0].center, [9, 1, -0.5])
    box = fourth.boxes[0]
    assert np.allclose(box.center, [11, 1, -0.5])
    assert (box.label, box.size, box.yaw, box.track) == ("Van", (5, 2, 2.2), 0.7, "0")
    assert box.attributes["occlusion"] == 1


def test_what_a_drive_lacks_is_told(tmp_path: Path) -> None:
    folder = drive(tmp_path)
    (folder / "oxts" / "data" / "0000000001.txt").write_text("49 8 x")
    (folder / "velodyne_points" / "timestamps.txt").write_text("2011-09-26 13:02:25.1\nnoon\n")
    (folder / "tracklet_labels.xml").write_text("<!DOCTYPE x [<!ENTITY a 'b'>]><boost_serialization/>")
    log = read_log(folder)
    told = " ".join(log.problems)
    assert "line 2 is no time" in told
    assert "document type or entities" in told
    frame = log[0]
    assert "so the drive has no poses" in frame.problems[0]
    assert len(frame.sweep) == 400
    assert frame.pictures
    (folder.parent / "calib_cam_to_cam.txt").unlink()
    log = read_log(folder)
    assert any("its pictures" in problem or "pictures are left out" in problem for problem in log.problems)
    assert log[0].pictures == {}


def test_a_calibration_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = drive(tmp_path)
    (folder.parent / "calib_velo_to_cam.txt").write_text("R: 1 0 0 0 1 0 0 0\nT: 0 0 0\n")
    with pytest.raises(FrameError, match=r"calib_velo_to_cam\.txt.*no rotation R"):
        read_log(folder)
    (folder.parent / "calib_velo_to_cam.txt").write_text("R: 1 0 0 0 1 0 0 0 5\nT: 0 0 0\n")
    with pytest.raises(FrameError, match="rotation that is none"):
        read_log(folder)


def test_a_sequence_gives_sweeps_pictures_times_and_poses(tmp_path: Path) -> None:
    log = read_log(write_sequence(tmp_path))
    assert (log.name, log.source, len(log), log.problems) == ("07", "kitti-odometry", 3, ())
    frame = log[2]
    assert (frame.key, frame.timestamp) == ("000002", pytest.approx(0.2074))
    assert np.array_equal(frame.sweep.points, sweep(2).points)
    assert np.allclose(frame.pictures["image_2"].camera.camera_from_lidar, CAMERA_FROM_LIDAR, atol=1e-9)
    # Camera 0's place at the frame, told by the lidar's pose, is that of the file.
    from_lidar = RECTIFIED_FROM_LIDAR @ frame.world_from_lidar @ np.linalg.inv(RECTIFIED_FROM_LIDAR)
    assert np.allclose(from_lidar, camera_pose(2), atol=1e-9)
    assert np.allclose(log[0].world_from_lidar, np.eye(4), atol=1e-9)


def test_a_sequence_without_its_smaller_files_keeps_its_sweeps(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path)
    (folder / "times.txt").unlink()
    (tmp_path / "poses" / "07.txt").write_text("1 2 3\n")
    log = read_log(folder)
    assert "times.txt" in log.problems[0]
    assert "line 1 is no pose" in log.problems[1]
    assert [frame.timestamp for frame in log] == [0, 0.1, 0.2]
    assert log[1].world_from_lidar is None
    assert log[1].pictures
    (folder / "calib.txt").write_text("nothing\n")
    log = read_log(folder)
    assert any("pictures and poses are left out" in problem for problem in log.problems)
    assert len(log[1].sweep) == 400


def test_drives_and_sequences_are_found_in_a_tree(tmp_path: Path) -> None:
    drive(tmp_path / "raw")
    write_sequence(tmp_path / "odometry")
    found = [path.name for path in find_logs(tmp_path)]
    assert found == ["07", "2011_09_26_drive_0001_sync"]

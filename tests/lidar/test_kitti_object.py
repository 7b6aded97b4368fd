"""Logs of KITTI's object detection set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driving_logs import CAMERA_FROM_LIDAR, INTRINSICS, sweep
from kitti_files import write_object

from clip3d.errors import FrameError
from clip3d.lidar.frame import Box
from clip3d.lidar.reading import read_log

# The made-up camera is upright, so that boxes turned about the lidar's z are turned about the camera's y.
BOXES = (
    Box("Car", np.array([12.0, 3, -0.6]), (4.2, 1.7, 1.5), 0.4, rectangles={"image_2": (5.0, 6.0, 50.0, 40.0)}),
    Box("Pedestrian", np.array([8.0, -2, -0.7]), (0.6, 0.7, 1.8), -2.5),
)


def test_sweeps_pictures_and_calibration_come_back(tmp_path: Path) -> None:
    write_object(tmp_path)
    log = read_log(tmp_path)
    assert (log.source, len(log), log.problems) == ("kitti-object", 3, ())
    frame = log[1]
    assert (frame.key, frame.boxes, frame.problems) == ("000001", None, ())
    assert np.array_equal(frame.sweep.points, sweep(1).points)
    assert np.allclose(frame.sweep.intensity, sweep(1).intensity)
    camera = frame.pictures["image_2"].camera
    assert np.allclose(camera.intrinsics, INTRINSICS)
    assert np.allclose(camera.camera_from_lidar, CAMERA_FROM_LIDAR, atol=1e-9)
    assert frame.pictures["image_2"].load().size == (96, 64)


def test_boxes_are_those_of_the_lidars_frame_with_their_middle_not_their_bottom(tmp_path: Path) -> None:
    # Upright in the camera's frame means upright in the lidar's only for cameras that are not rolled.
    write_object(tmp_path, 1, BOXES)
    found = read_log(tmp_path)[0].boxes
    assert found is not None
    assert [box.label for box in found] == ["Car", "Pedestrian"]
    for box, expected in zip(found, BOXES, strict=True):
        assert np.allclose(box.center, expected.center, atol=1e-6)
        assert np.allclose(box.size, expected.size)
        assert box.yaw == pytest.approx(expected.yaw, abs=1e-6)
        assert (box.attributes["truncated"], box.attributes["occluded"]) == (0.25, 1)
    assert found[0].rectangles == BOXES[0].rectangles


def test_training_and_testing_are_read_together(tmp_path: Path) -> None:
    write_object(tmp_path / "training", 2, BOXES)
    write_object(tmp_path / "testing", 1, suffix=".jpg")
    log = read_log(tmp_path)
    assert [frame.key for frame in log] == ["training/000000", "training/000001", "testing/000000"]
    assert [frame.boxes is not None for frame in log] == [True, True, False]
    assert all(frame.pictures for frame in log)


def test_what_one_frame_lacks_is_told_and_the_others_are_whole(tmp_path: Path) -> None:
    write_object(tmp_path, 4, BOXES)
    (tmp_path / "calib" / "000000.txt").write_text("P2: 1 2 3\n")
    (tmp_path / "image_2" / "000001.png").unlink()
    (tmp_path / "label_2" / "000002.txt").write_text("Car 0 0\n")
    data = (tmp_path / "velodyne" / "000003.bin").read_bytes()
    (tmp_path / "velodyne" / "000003.bin").write_bytes(data[:-7])
    calibration, image, labels, cut = read_log(tmp_path)
    assert "no line R0_rect" in calibration.problems[0]
    assert len(calibration.sweep) == 400
    assert "picture is missing" in image.problems[0]
    assert image.boxes is not None
    assert "line 1 is no label" in labels.problems[0]
    assert labels.boxes is None
    assert labels.pictures
    with pytest.raises(FrameError, match=r"000003\.bin.*no whole number of rows"):
        _ = cut.sweep


def test_points_that_are_not_finite_or_have_no_range_are_left_out(tmp_path: Path) -> None:
    write_object(tmp_path, 1)
    rows = np.array([[1, 2, 3, 0.5], [np.nan, 0, 0, 0.5], [0, 0, 0, 0.5], [5, 6, np.inf, 0.5], [7, 8, 9, np.nan]])
    (tmp_path / "velodyne" / "000000.bin").write_bytes(rows.astype("<f4").tobytes())
    found = read_log(tmp_path)[0].sweep
    assert np.array_equal(found.points, [[1, 2, 3], [7, 8, 9]])
    assert np.array_equal(found.intensity, [0.5, 0])
    assert found.dropped == 3

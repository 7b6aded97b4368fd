"""Logs of ONCE."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from driving_logs import CAMERA_FROM_LIDAR, INTRINSICS, pose, sweep
from once_files import LENS, write_once

from clip3d.lidar.frame import Box
from clip3d.lidar.reading import read_log
from clip3d.lidar.views import views

RECTANGLE = (5.0, 6.0, 50.0, 40.0)
BOXES = (
    Box("Car", np.array([12.0, 3, -0.6]), (4.2, 1.7, 1.5), 0.4, rectangles={"cam01": RECTANGLE}),
    Box("Cyclist", np.array([-8.0, -2, -0.7]), (1.7, 0.6, 1.8), -2.5),
)


def test_all_comes_back_in_our_axes(tmp_path: Path) -> None:
    log = read_log(write_once(tmp_path, boxes=BOXES))
    assert (log.name, log.source, len(log), log.problems) == ("000076", "once", 3, ())
    frame = log[1]
    assert (frame.key, frame.timestamp, frame.problems) == ("1616343528700", 1616343528.7, ())
    assert np.allclose(frame.sweep.points, sweep(1).points, atol=1e-5)
    assert np.allclose(frame.sweep.intensity, sweep(1).intensity, atol=1e-6)
    assert np.allclose(frame.world_from_lidar, pose(1, 2, 0, 0.1), atol=1e-9)
    assert list(frame.pictures) == ["cam01", "cam03"]
    camera = frame.pictures["cam01"].camera
    assert np.allclose(camera.camera_from_lidar, CAMERA_FROM_LIDAR)
    assert np.allclose(camera.intrinsics, INTRINSICS)
    assert camera.distortion == tuple(LENS)
    assert (frame.metadata["weather"], frame.metadata["period"]) == ("cloudy", "morning")


def test_boxes_are_turned_with_their_sweep_and_only_annotated_frames_have_any(tmp_path: Path) -> None:
    first, second, _ = read_log(write_once(tmp_path, boxes=BOXES))
    assert second.boxes is None
    for box, expected in zip(first.boxes, BOXES, strict=True):
        assert np.allclose(box.center, expected.center)
        assert box.size == expected.size
        assert np.cos(box.yaw - expected.yaw) == pytest.approx(1)
        assert box.rectangles == expected.rectangles


def test_the_whole_set_is_one_log_and_tells_splits(tmp_path: Path) -> None:
    write_once(tmp_path, "000076", 2)
    write_once(tmp_path, "000080", 1)
    (tmp_path / "ImageSets").mkdir()
    (tmp_path / "ImageSets" / "val.txt").write_text("000076\n000092\n")
    log = read_log(tmp_path)
    assert [frame.key for frame in log] == [
        "000076/1616343528200", "000076/1616343528700", "000080/1616343528200"
    ]  # fmt: skip
    assert [frame.metadata.get("split") for frame in log] == ["val", "val", None]
    assert [len(frame.sweep) for frame in log] == [400, 400, 400]


def test_views_are_of_the_undistorted_pictures(tmp_path: Path) -> None:
    found = list(views(read_log(write_once(tmp_path))[0]))
    assert [view.camera.name for view in found] == ["cam01", "cam03"]
    assert all(not view.camera.distortion and view.image.size == (64, 64) for view in found)


def test_damage_is_told_frame_by_frame(tmp_path: Path) -> None:
    folder = write_once(tmp_path, frames=4, boxes=BOXES)
    path = folder / "000076.json"
    content = json.loads(path.read_text())
    content["frames"][0]["annos"]["names"].append("Bus")
    content["frames"][1]["pose"] = [0, 0, 0, 0, 0, 0, 0]
    del content["frames"][2]
    content["calib"]["cam03"]["cam_to_velo"] = [[1, 0], [0, 1]]
    path.write_text(json.dumps(content))
    (folder / "cam01" / "1616343529700.jpg").unlink()
    first, second, third, fourth = read_log(folder)
    assert first.boxes is None
    assert "differ in length" in first.problems[-1]
    assert second.world_from_lidar is None
    assert "does not name the frame" in third.problems[-1]
    assert "picture is missing" in fourth.problems[-1]
    assert all("camera cam03 cannot be used" in frame.problems[0] for frame in (first, second, third, fourth))
    assert all(len(frame.sweep) == 400 for frame in (first, second, third, fourth))


def test_a_sequence_whose_table_is_broken_keeps_its_sweeps(tmp_path: Path) -> None:
    folder = write_once(tmp_path)
    (folder / "000076.json").write_text('{"frames": [')
    frame = read_log(folder)[0]
    assert "no valid JSON" in frame.problems[0]
    assert frame.pictures == {}
    assert len(frame.sweep) == 400

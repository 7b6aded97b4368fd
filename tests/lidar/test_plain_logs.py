"""Logs in the plain layout: written, read back, gone on with, and damaged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from driving_logs import CAMERA_FROM_LIDAR, camera, picture, pose, sweep

import clip3d
from clip3d.errors import FrameError, ImageError, ShapeError
from clip3d.lidar.frame import Box
from clip3d.lidar.reading import find_logs, read_log
from clip3d.lidar.writing import LogWriter, Recorded

MIDDLE, SIZE, RECTANGLE = np.array([10.0, 2, -0.5]), (4.2, 1.8, 1.5), (1.0, 2.0, 30.0, 40.0)
BOX = Box("Car", MIDDLE, SIZE, 0.3, "car 7", {"front": RECTANGLE}, {"hidden": 0.25})


def write(path: Path, frames: int = 3) -> LogWriter:
    writer = LogWriter(path, [camera()], name="corner", metadata={"weather": "rainy"})
    for at in range(frames):
        writer.append(
            f"{at:06d}",
            sweep(at, timestamp=at / 10),
            {"front": picture(at)},
            boxes=[BOX] if at else [],
            world_from_lidar=pose(at, 0.5 * at, 0, 0.1 * at),
            metadata={"place": "crossing", "weather": "sunny"} if at == 2 else None,
        )
    return writer


def test_a_log_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "log")
    log = clip3d.read_log(tmp_path / "log")
    assert (log.name, log.source, len(log), log.problems) == ("corner", "plain", 3, ())
    frame = log[2]
    assert (frame.key, frame.timestamp, frame.problems) == ("000002", 0.2, ())
    expected = sweep(2)
    assert np.allclose(frame.sweep.points, expected.points, atol=1e-3)
    assert np.allclose(frame.sweep.intensity, expected.intensity, atol=1e-6)
    assert np.array_equal(frame.sweep.ring, expected.ring)
    assert frame.sweep.timestamp == 0.2
    assert np.allclose(frame.world_from_lidar, pose(2, 1, 0, 0.2))
    assert frame.metadata == {"weather": "sunny", "place": "crossing"}
    assert log[1].metadata == {"weather": "rainy"}
    seen = frame.pictures["front"]
    assert np.allclose(seen.camera.camera_from_lidar, CAMERA_FROM_LIDAR)
    difference = np.asarray(seen.load(), float) - np.asarray(picture(2), float)
    assert np.abs(difference).mean() < 3


def test_boxes_come_back_and_no_labels_differ_from_no_objects(tmp_path: Path) -> None:
    writer = write(tmp_path / "log", 2)
    writer.append("unlabelled", sweep(9, timestamp=9))
    nothing, one, unlabelled = (frame.boxes for frame in read_log(tmp_path / "log"))
    assert nothing == ()
    assert unlabelled is None
    assert one is not None
    (box,) = one
    assert (box.label, box.size, box.track, box.rectangles, box.attributes) == (
        BOX.label, BOX.size, BOX.track, BOX.rectangles, BOX.attributes
    )  # fmt: skip
    assert np.allclose(box.center, BOX.center)
    assert box.yaw == pytest.approx(BOX.yaw)


def test_writing_goes_on_where_it_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path, 2)
    with (path / "poses.csv").open("a") as stream:
        stream.write("000002,0.2,1.0,")  # a line that a kill cut off
    (path / "clouds" / "000002.npz").write_bytes(b"half")
    assert len(read_log(path)) == 2
    assert write(path, 4).done == {"000000", "000001", "000002", "000003"}
    log = read_log(path)
    assert len(log) == 4
    assert len(log[2].sweep) == 400
    assert log.problems == ()


def test_a_time_that_was_cut_off_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for count in (1, 3):
        writer = LogWriter(path, [camera()])
        for at in range(count):
            shown = Recorded(picture(at), at / 10 + 0.01)
            writer.append(f"{at:06d}", sweep(at, at / 10), {"front": shown})
        if count == 1:
            with (path / "timestamps.csv").open("a") as stream:
                stream.write("front,000001,0.1")
    log = read_log(path)
    assert log.problems == ()
    assert [frame.pictures["front"].timestamp for frame in log] == pytest.approx([0.01, 0.11, 0.21])


def test_a_folder_with_another_log_is_not_written_over(tmp_path: Path) -> None:
    write(tmp_path / "log")
    with pytest.raises(FrameError, match="another log stands here"):
        LogWriter(tmp_path / "log", [camera("rear")])


def test_what_does_not_fit_the_log_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "log", [camera()])
    with pytest.raises(ShapeError, match="no camera named 'rear'; it has front"):
        writer.append("a", sweep(), {"rear": picture()})
    with pytest.raises(ShapeError, match="10 x 10 pixels, not 96 x 64"):
        writer.append("a", sweep(), {"front": picture(size=(10, 10))})
    with pytest.raises(ShapeError, match="key"):
        writer.append("../a", sweep())
    assert list((tmp_path / "log" / "clouds").iterdir()) == []


def test_a_sweep_that_reaches_far_keeps_its_points_within_a_step(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "log")
    far = clip3d.lidar.sweep.Sweep(np.array([[200.0, -3, 1], [5, 5, 5]]))
    writer.append("far", far)
    back = read_log(tmp_path / "log")[0].sweep
    assert np.allclose(back.points, far.points, atol=200 / 32_767)
    assert back.ring is None


def test_pictures_with_times_of_their_own_are_paired_and_the_motion_is_made_good(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "log", [camera()], tolerance=0.04)
    for at in range(3):
        late = 0.02 if at < 2 else 0.05
        writer.append(
            f"{at}",
            sweep(at, timestamp=at / 10),
            {"front": Recorded(picture(at), at / 10 + late)},
            world_from_lidar=pose(10 * at / 10, 0, 0, 0),  # 10 m/s straight ahead
        )
    log = read_log(tmp_path / "log")
    assert any("1 pictures have no sweep of their own within 0.04 s" in problem for problem in log.problems)
    assert "front" not in log[2].pictures
    seen = log[1].pictures["front"]
    assert seen.timestamp == pytest.approx(0.12)
    # 0.02 s later the vehicle is 0.2 m further, so the points are 0.2 m nearer.
    nearer = np.eye(4)
    nearer[0, 3] = -0.2
    assert np.allclose(seen.camera.camera_from_lidar, CAMERA_FROM_LIDAR @ nearer, atol=1e-9)


def test_clouds_in_other_axes_bring_calibration_poses_and_boxes_along(tmp_path: Path) -> None:
    write(tmp_path / "ours")
    path = tmp_path / "theirs"
    write(path)
    # The same log in nuScenes' axes: x right, y forward.
    theirs = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    back = np.eye(4)
    back[:3, :3] = theirs.T
    for file in (path / "clouds").iterdir():
        points = read_log(tmp_path / "ours")[int(file.stem)].sweep
        np.savez(file, points=points.points @ theirs.T, intensity=(points.intensity * 255).round().astype(np.uint8))
    text = (path / "calibration.toml").read_text().replace("forward-left-up", "right-forward-up")
    motion = json.dumps((CAMERA_FROM_LIDAR @ back).tolist())
    (path / "calibration.toml").write_text(text.replace(json.dumps(CAMERA_FROM_LIDAR.tolist()), motion))
    note = path / "annotations" / "000001.json"
    content = json.loads(note.read_text())
    x, y, z = theirs @ BOX.center
    content["annos"]["boxes_3d"] = [[x, y, z, *BOX.size, BOX.yaw + np.pi / 2]]
    note.write_text(json.dumps(content))
    ours, other = read_log(tmp_path / "ours")[1], read_log(path)[1]
    assert np.allclose(ours.sweep.points, other.sweep.points, atol=1e-5)
    mine, their = (frame.pictures["front"].camera.camera_from_lidar for frame in (ours, other))
    assert np.allclose(mine, their)
    assert np.allclose(ours.boxes[0].center, other.boxes[0].center)
    assert ours.boxes[0].yaw == pytest.approx(other.boxes[0].yaw)


def test_one_file_of_boxes_serves_for_all_frames(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path)
    frames = [json.loads(file.read_text()) for file in sorted((path / "annotations").iterdir())]
    for file in (path / "annotations").iterdir():
        file.unlink()
    (path / "boxes.json").write_text(json.dumps({"frames": frames}))
    log = read_log(path)
    assert [len(frame.boxes or ()) for frame in log] == [0, 1, 1]
    assert log[2].metadata["place"] == "crossing"


def test_one_bad_frame_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path)
    (path / "clouds" / "000000.npz").write_bytes(b"PK\x03\x04 cut")
    (path / "images" / "front" / "000001.jpg").write_bytes(b"no picture")
    (path / "annotations" / "000002.json").write_text('{"annos": {"names": ["Car"], "boxes_3d": []}}')
    first, second, third = read_log(path)
    with pytest.raises(FrameError, match=r"000000\.npz"):
        _ = first.sweep
    with pytest.raises(ImageError, match=r"000001\.jpg"):
        second.pictures["front"].load()
    assert len(second.sweep) == 400
    assert third.boxes is None
    assert "differ in length" in third.problems[0]
    assert len(third.sweep) == 400


def test_without_calibration_the_sweeps_remain(tmp_path: Path) -> None:
    write(tmp_path / "log")
    (tmp_path / "log" / "calibration.toml").unlink()
    log = read_log(tmp_path / "log")
    assert "its pictures are left out" in log.problems[0]
    assert log[0].pictures == {}
    assert len(log[0].sweep) == 400


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("width = 96", "width = 0", "needs pixels"),
        ("width = 96", "width = inf", "camera front cannot be used"),
        ("intrinsics = [[60.0", "intrinsics = [[0.0", "focal lengths above 0"),
        ("intrinsics", "intrinsic", "no 'intrinsics'"),
        ("[lidar]", "[lidar", "no valid TOML"),
        ("forward-left-up", "forward-right-up", "right-handed"),
        ("tolerance = 0.05", "tolerance = -1.0", "below 0"),
    ],
)
def test_a_calibration_that_cannot_be_used_names_its_entry(tmp_path: Path, old: str, new: str, reason: str) -> None:
    write(tmp_path / "log")
    path = tmp_path / "log" / "calibration.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(FrameError, match=reason):
        read_log(tmp_path / "log")


def test_a_picture_of_another_size_than_its_calibration_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "log")
    picture(size=(48, 32)).save(tmp_path / "log" / "images" / "front" / "000000.jpg")
    with pytest.raises(ImageError, match="48 x 32 pixels, but its calibration is for 96 x 64"):
        read_log(tmp_path / "log")[0].pictures["front"].load()


def test_logs_are_found_below_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "fleet" / "monday")
    write(tmp_path / "fleet" / "tuesday" / "morning")
    (tmp_path / "fleet" / "other").mkdir()
    found = [str(path.relative_to(tmp_path)) for path in find_logs(tmp_path / "fleet")]
    assert found == ["fleet/monday", "fleet/tuesday/morning"]


def test_recordings_are_found_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "rides").mkdir()
    for name in ("b.MCAP", "a.bag", "notes.txt", "sweep.bin", ".hidden.bag"):
        (tmp_path / "rides" / name).touch()
    found = [path.name for path in find_logs(tmp_path)]
    assert found == ["a.bag", "b.MCAP"]
    assert list(find_logs(tmp_path / "rides" / "a.bag")) == [tmp_path / "rides" / "a.bag"]
    assert list(find_logs(tmp_path / "rides" / "notes.txt")) == []


def test_a_folder_of_no_known_layout_is_answered_with_the_layouts(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match=r"kitti-object.*plain: clouds/"):
        read_log(tmp_path)
    with pytest.raises(FrameError, match="no layout is named 'kiti'"):
        read_log(tmp_path, source="kiti")
    with pytest.raises(FrameError, match="no such file or folder"):
        read_log(tmp_path / "none")

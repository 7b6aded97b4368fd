"""Recordings of ROS as logs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driving_logs import CAMERA_FROM_LIDAR, INTRINSICS, picture, sweep
from PIL import Image
from ros_logs import LENS, START, Messages, drive, write

from clip3d.errors import FrameError, ImageError
from clip3d.lidar.reading import read_log
from clip3d.lidar.views import views


@pytest.mark.parametrize(
    ("name", "cdr", "packing"),
    [("a.bag", False, ""), ("b.bag", False, "LZ4"), ("c.mcap", True, "ZSTD"), ("d.mcap", True, ""), ("e", True, "")]
)  # fmt: skip
def test_a_recording_is_a_log(tmp_path: Path, name: str, cdr: bool, packing: str) -> None:
    messages = Messages(cdr=cdr)
    log = read_log(write(tmp_path / name, messages, drive(messages), packing))
    assert (log.source, [frame.key for frame in log]) == ("ros", [str(START + at * 100_000_000) for at in range(3)])
    frame = log[1]
    assert frame.timestamp == pytest.approx(START / 1e9 + 0.1, abs=1e-6)
    assert np.array_equal(frame.sweep.points, sweep(1).points)
    assert np.allclose(frame.sweep.intensity, sweep(1).intensity, atol=1e-6)
    assert np.array_equal(frame.sweep.ring, sweep(1).ring)
    seen = frame.pictures["/front/image_raw"]
    assert seen.timestamp == pytest.approx(START / 1e9 + 0.11, abs=1e-6)
    assert np.array_equal(np.asarray(seen.load()), np.asarray(picture(1)))
    assert np.allclose(seen.camera.camera_from_lidar, CAMERA_FROM_LIDAR, atol=1e-9)
    assert np.allclose(seen.camera.intrinsics, INTRINSICS)
    assert seen.camera.distortion == LENS
    assert next(iter(views(frame))).image.size == (64, 64)
    (problem,) = log.problems
    assert "/rear/image_raw/compressed are left out: there is no CameraInfo on /rear/camera_info" in problem


def test_packed_pictures_and_transforms_that_are_sent_again_and_again(tmp_path: Path) -> None:
    messages = Messages(cdr=False)
    found = [
        (topic.replace("/rear", "/front"), time, message)
        for topic, time, message in drive(messages, tf="/tf", rear="front_optical")
        if topic != "/front/image_raw"
    ]
    frame = read_log(write(tmp_path / "a.bag", messages, found))[2]
    seen = frame.pictures["/front/image_raw/compressed"]
    assert np.allclose(seen.camera.camera_from_lidar, CAMERA_FROM_LIDAR, atol=1e-9)
    assert np.abs(np.asarray(seen.load(), float) - np.asarray(picture(2), float)).mean() < 3


def test_pictures_too_far_in_time_are_told_and_left_out(tmp_path: Path) -> None:
    messages = Messages(cdr=True)
    log = read_log(write(tmp_path / "a.mcap", messages, drive(messages, late=60_000_000)))
    # Each is nearer to the next sweep, 40 ms on; the last has none.
    assert [len(frame.pictures) for frame in log] == [0, 1, 1]
    assert any("1 pictures on /front/image_raw have no sweep of their own" in problem for problem in log.problems)


def test_a_camera_whose_place_or_lens_is_not_told_is_left_out(tmp_path: Path) -> None:
    messages = Messages(cdr=True)
    found = [entry for entry in drive(messages) if entry[0] != "/tf_static"]
    log = read_log(write(tmp_path / "a.mcap", messages, found))
    assert any("no transforms lead from the frame 'velodyne' to 'front_optical'" in told for told in log.problems)
    assert log[0].pictures == {}
    fisheye = [
        ("/front/camera_info", START, messages.info(START, "equidistant", (0.1, 0.2, 0.3, 0.4))) if "info" in topic
        else (topic, time, message)
        for topic, time, message in drive(messages)
    ]  # fmt: skip
    log = read_log(write(tmp_path / "b.mcap", messages, fisheye))
    assert any("'equidistant', which is not undistorted" in told for told in log.problems)


def test_a_recording_that_was_cut_short_gives_what_comes_before(tmp_path: Path) -> None:
    messages = Messages(cdr=True)
    path = write(tmp_path / "a.mcap", messages, drive(messages))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    log = read_log(path)
    assert 1 <= len(log) < 3
    assert any("what comes after it is left out" in problem for problem in log.problems)
    assert len(log[0].sweep) == 400


def test_a_topic_is_chosen_and_unknown_ones_are_answered(tmp_path: Path) -> None:
    messages = Messages(cdr=True)
    found = [*drive(messages), ("/roof", START, messages.cloud(START, sweep(7, n=50)))]
    path = write(tmp_path / "a.mcap", messages, found)
    assert len(read_log(path)) == 3
    assert any("clouds on /roof are left out" in problem for problem in read_log(path).problems)
    assert [len(frame.sweep) for frame in read_log(path, topic="/roof")] == [50]
    with pytest.raises(FrameError, match="no clouds on the topic /none"):
        read_log(path, topic="/none")
    with pytest.raises(FrameError, match="no recording of ROS"):
        read_log(tmp_path, source="plain", topic="/roof")


def test_a_recording_is_read_from_inside_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = Messages(cdr=True)
    path = write(tmp_path / "ride", messages, drive(messages))
    monkeypatch.chdir(path)
    plain, chosen = read_log("."), read_log(".", topic="/velodyne_points")
    assert [(log.name, log.path, len(log)) for log in (plain, chosen)] == [("ride", path, 3)] * 2


def test_a_recording_without_clouds_is_refused(tmp_path: Path) -> None:
    messages = Messages(cdr=True)
    found = [entry for entry in drive(messages) if entry[0] != "/velodyne_points"]
    with pytest.raises(FrameError, match="no message PointCloud2"):
        read_log(write(tmp_path / "a.mcap", messages, found))


@pytest.mark.parametrize("encoding", ["mono8", "rgba8", "mono16", "bayer_rggb8", "h264"])
def test_encodings_of_pictures(tmp_path: Path, encoding: str) -> None:
    messages = Messages(cdr=True)
    image = picture(0)
    plain = np.asarray(image)
    pixels = {
        "mono8": plain[..., :1],
        "rgba8": np.dstack([plain, plain[..., :1]]),
        "mono16": np.dstack([plain[..., 1], plain[..., 0]]),  # little endian: the upper byte comes last
    }.get(encoding, plain[..., :1])
    if encoding == "bayer_rggb8":
        mosaic = plain[..., 1].copy()
        mosaic[::2, ::2], mosaic[1::2, 1::2] = plain[::2, ::2, 0], plain[1::2, 1::2, 2]
        pixels = mosaic[..., None]
    found = [
        (topic, time, messages.image(START, _Pixels(pixels), encoding) if topic == "/front/image_raw" else message)
        for topic, time, message in drive(messages)
        if topic != "/rear/image_raw/compressed"
    ]
    frame = read_log(write(tmp_path / "a.mcap", messages, found))[0]
    load = frame.pictures["/front/image_raw"].load
    if encoding == "h264":
        with pytest.raises(ImageError, match="encoding 'h264'"):
            load()
        return
    shown = np.asarray(load(), float)
    expected = {"rgba8": plain, "bayer_rggb8": plain}.get(encoding, np.repeat(plain[..., :1], 3, 2)).astype(float)
    assert shown.shape == (64, 96, 3)
    assert np.abs(shown - expected).mean() < (6 if encoding == "bayer_rggb8" else 1e-6)


class _Pixels:
    """Stands for a picture of any number of channels."""

    def __init__(self, pixels: np.ndarray) -> None:
        self._pixels = np.ascontiguousarray(pixels)

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        return self._pixels


def test_only_places_of_messages_are_kept(tmp_path: Path) -> None:
    """What a log holds in memory does not grow with the size of what it holds on disk."""
    import tracemalloc

    messages = Messages(cdr=False)
    times = [START + at * 1000 for at in range(40)]
    found = [("/velodyne_points", time, messages.cloud(time, sweep(n=5000))) for time in times]
    path = write(tmp_path / "a.bag", messages, found)
    tracemalloc.start()
    log = read_log(path)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(log) == 40
    assert held < path.stat().st_size / 20
    assert isinstance(picture(), Image.Image)

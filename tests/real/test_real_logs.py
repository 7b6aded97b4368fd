"""Real frames written back as their makers' files, and read as logs, in the folder that CLIP3D_DATA names."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import real_logs
from PIL import Image

from clip3d.lidar.frame import Box, Frame
from clip3d.lidar.frustum import frustum
from clip3d.lidar.reading import read_log
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.views import views
from clip3d.lidar.writing import LogWriter

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("CLIP3D_DATA")
    if not folder:
        pytest.skip("CLIP3D_DATA is not set: it names the folder with the real data sets")
    return Path(folder)


def inside(sweep: Sweep, box: Box) -> int:
    """How many points a box holds."""
    cosine, sine = np.cos(box.yaw), np.sin(box.yaw)
    local = (sweep.points - box.center) @ np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    return int((np.abs(local) <= np.array(box.size) / 2).all(1).sum())


def outline(box: Box, frame: Frame, camera: str) -> np.ndarray:
    """Left, top, right, bottom of a box's corners in a picture, as far as they lie within it."""
    signs = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1]), -1).reshape(-1, 3)
    cosine, sine = np.cos(box.yaw), np.sin(box.yaw)
    corners = signs * np.array(box.size) / 2 @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
    seen = frame.pictures[camera].camera
    pixels = seen.project(seen.to_camera(corners + box.center))
    most = [seen.width - 1, seen.height - 1]
    return np.concatenate([pixels.min(0).clip(0, most), pixels.max(0).clip(0, most)])


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two rectangles."""
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    both = sides.prod()
    return float(both / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - both))


def test_boxes_of_kitti_hold_points_and_cover_their_rectangles(data: Path, tmp_path: Path) -> None:
    log = read_log(real_logs.write_kitti_object(data, tmp_path))
    assert (log.source, len(log), log.problems) == ("kitti-object", 13, ())
    boxes = [(frame, box) for frame in log for box in frame.boxes or ()]
    assert len(boxes) == 10
    for frame, box in boxes:
        assert frame.problems == ()
        assert inside(frame.sweep, box) >= 9
        assert overlap(outline(box, frame, "image_2"), np.array(box.rectangles["image_2"])) > 0.8
    assert [frame.boxes is None for frame in log] == [False] * 6 + [True] * 7


def test_the_points_in_a_drives_pictures_are_those_that_its_makers_saw_there(data: Path, tmp_path: Path) -> None:
    log = read_log(real_logs.write_kitti_drive(data, tmp_path))
    assert (log.source, len(log), log.problems) == ("kitti-raw", 4, ())
    for frame in log:
        with np.load(data / "kitti_raw_pairs" / f"{int(frame.key):04d}.npz") as found:
            expected = np.unpackbits(found["in_image_02"])[: len(found["xyz_i16"])].astype(bool)
        sweep, camera = frame.sweep, frame.pictures["image_02"].camera
        assert sweep.dropped == 0
        kept = np.zeros(len(sweep), bool)
        kept[frustum(sweep, camera, (0, 0, camera.width, camera.height)).index] = True
        assert (kept != expected).mean() < 1e-3
        tiles = list(views(frame, sweep, tiling="tiles"))
        assert len(tiles) == 4
        assert all(tile.image.size == (375, 375) and len(tile.frustum) > 2000 for tile in tiles)


def test_nuscenes_has_its_points_in_its_boxes_and_cameras(data: Path, tmp_path: Path) -> None:
    (frame,) = read_log(real_logs.write_nuscenes(data, tmp_path))
    assert (frame.problems, len(frame.pictures), len(frame.boxes)) == ((), 6, 69)
    sweep, _, info = real_logs.nuscenes_frame(data)
    assert np.allclose(frame.sweep.points, sweep.points, atol=1e-4)
    for name, picture in frame.pictures.items():
        assert np.allclose(picture.camera.camera_from_lidar, real_logs.our_motion(info, name), atol=1e-4)
        whole = (0.0, 0.0, 1600.0, 900.0)
        assert 3000 < len(frustum(frame.sweep, picture.camera, whole, nearest=0.5)) < 4900
    counted = np.array([inside(frame.sweep, box) for box in frame.boxes])
    told = np.array([instance["num_lidar_pts"] for instance in info["instances"]])
    assert (np.abs(counted - told) <= 3).mean() > 0.95


def test_the_same_frame_in_onces_form_is_the_same(data: Path, tmp_path: Path) -> None:
    (frame,) = read_log(real_logs.write_as_once(data, tmp_path))
    (expected,) = read_log(real_logs.write_nuscenes(data, tmp_path / "nuscenes"))
    assert frame.problems == ()
    assert np.allclose(frame.sweep.points, expected.sweep.points, atol=1e-4)
    for box, other in zip(frame.boxes, expected.boxes, strict=True):
        assert np.allclose(box.center, other.center, atol=1e-3)
    seen, other = next(iter(views(frame))), next(iter(views(expected, cameras=["CAM_FRONT"])))
    assert np.array_equal(seen.frustum.index, other.frustum.index)
    assert np.allclose(seen.frustum.points, other.frustum.points, atol=1e-3)


def test_a_real_frame_goes_through_the_plain_layout(data: Path, tmp_path: Path) -> None:
    (frame,) = read_log(real_logs.write_nuscenes(data, tmp_path / "nuscenes"))
    cameras = [picture.camera for picture in frame.pictures.values()]
    images: dict[str, Image.Image] = {name: picture.load() for name, picture in frame.pictures.items()}
    writer = LogWriter(tmp_path / "plain", cameras)
    writer.append("0", frame.sweep, images, boxes=frame.boxes, world_from_lidar=frame.world_from_lidar)
    (back,) = read_log(tmp_path / "plain")
    step = np.abs(frame.sweep.points).max() / 32_767
    kept = (np.rint(frame.sweep.points / step) != 0).any(1)  # the others are no echo, at the stored step
    assert np.allclose(back.sweep.points, frame.sweep.points[kept], atol=2e-3)
    assert np.array_equal(back.sweep.ring, frame.sweep.ring[kept])
    assert np.allclose(back.world_from_lidar, frame.world_from_lidar)
    assert [box.label for box in back.boxes] == [box.label for box in frame.boxes]
    for view, other in zip(views(frame), views(back), strict=True):
        assert abs(len(view.frustum) - len(other.frustum)) < 20
        difference = np.asarray(view.image, float) - np.asarray(other.image, float)
        assert np.abs(difference).mean() < 2

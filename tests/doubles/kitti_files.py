"""KITTI's files, laid out here as KITTI writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from driving_logs import CAMERA_FROM_LIDAR, HEIGHT, INTRINSICS, WIDTH, picture, sweep
from PIL import Image

from clip3d.lidar.frame import Box
from clip3d.lidar.sweep import Sweep

# Camera 2 lies 6 cm beside camera 0, and camera 0 is rectified by a small turn.
SHIFT = np.array([0.06, 0.001, 0.003])
RECTIFY = np.eye(4)
RECTIFY[:2, :2] = [[np.cos(0.01), -np.sin(0.01)], [np.sin(0.01), np.cos(0.01)]]


def _shifted() -> np.ndarray:
    motion = np.eye(4)
    motion[:3, 3] = SHIFT
    return motion


# What makes `CAMERA_FROM_LIDAR` the motion to camera 2.
RECTIFIED_FROM_LIDAR = np.linalg.inv(_shifted()) @ CAMERA_FROM_LIDAR
VELO_TO_CAM = np.linalg.inv(RECTIFY) @ RECTIFIED_FROM_LIDAR
PROJECTION = np.concatenate([INTRINSICS, (INTRINSICS @ SHIFT)[:, None]], axis=1)


def numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.12e}" for value in np.asarray(values).reshape(-1))


def sweep_bytes(points: Sweep) -> bytes:
    return np.concatenate([points.points, points.intensity[:, None]], axis=1).astype("<f4").tobytes()


def label(box: Box, rectified_from_lidar: np.ndarray = RECTIFIED_FROM_LIDAR) -> str:
    """A label's line of an upright box: height, width, length, middle of the bottom, turn about the camera's y."""
    length, width, height = box.size
    middle = rectified_from_lidar @ np.array([*box.center, 1])
    heading = rectified_from_lidar[:3, :3] @ np.array([np.cos(box.yaw), np.sin(box.yaw), 0])
    turn = np.arctan2(-heading[2], heading[0])
    rectangle = box.rectangles.get("image_2", (1, 2, 3, 4))
    words = (*rectangle, height, width, length, middle[0], middle[1] + height / 2, middle[2], turn)
    return f"{box.label} 0.25 1 -1.5 " + " ".join(f"{word:.9f}" for word in words)


def write_object(
    root: Path, frames: int = 3, boxes: tuple[Box, ...] | None = None, suffix: str = ".png"
) -> None:
    """velodyne/, image_2/, calib/ and, with boxes, label_2/."""
    for folder in ("velodyne", "image_2", "calib", *(["label_2"] if boxes is not None else [])):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for at in range(frames):
        write_object_frame(root, f"{at:06d}", sweep(at), picture(at), PROJECTION, RECTIFY, VELO_TO_CAM, suffix)
        if boxes is not None:
            ignored = "DontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10"
            (root / "label_2" / f"{at:06d}.txt").write_text("\n".join([*map(label, boxes), ignored]) + "\n")


def write_object_frame(
    root: Path,
    key: str,
    points: Sweep,
    image: Image.Image,
    projection: np.ndarray,
    rectify: np.ndarray,
    velo_to_cam: np.ndarray,
    suffix: str = ".png",
) -> None:
    (root / "velodyne" / f"{key}.bin").write_bytes(sweep_bytes(points))
    image.save(root / "image_2" / f"{key}{suffix}")
    lines = [f"P{camera}: {numbers(projection)}" for camera in range(4)]
    lines += [f"R0_rect: {numbers(rectify[:3, :3])}", f"Tr_velo_to_cam: {numbers(velo_to_cam[:3])}"]
    lines += [f"Tr_imu_to_velo: {numbers(np.eye(4)[:3])}", ""]
    (root / "calib" / f"{key}.txt").write_text("\n".join(lines))




def write_calibration(folder: Path) -> None:
    """The three files of a day, for camera 2 alone."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "calib_time: 09-Jan-2012 13:57:47",
        "corner_dist: 9.950000e-02",
        f"S_02: {WIDTH + 20:.6e} {HEIGHT + 30:.6e}",
        f"R_rect_00: {numbers(RECTIFY[:3, :3])}",
        f"S_rect_02: {WIDTH:.6e} {HEIGHT:.6e}",
        f"P_rect_02: {numbers(PROJECTION)}",
    ]
    (folder / "calib_cam_to_cam.txt").write_text("\n".join(lines) + "\n")
    for name, motion in (("calib_velo_to_cam.txt", VELO_TO_CAM), ("calib_imu_to_velo.txt", LIDAR_FROM_IMU)):
        turn, shift = numbers(motion[:3, :3]), numbers(motion[:3, 3])
        (folder / name).write_text(f"calib_time: 25-May-2012 16:47:16\nR: {turn}\nT: {shift}\n")


LIDAR_FROM_IMU = np.eye(4)
LIDAR_FROM_IMU[:3, 3] = -0.8, 0.32, -0.8
START = "2011-09-26 13:02:"
EARTH = 6_378_137.0


def write_drive(folder: Path, numbers_of: tuple[int, ...] = (0, 1, 3), lag: float = 0.013) -> None:
    """A drive that goes east at 10 m/s, whose sweeps have these numbers of five, with oxts."""
    velodyne, image, oxts = folder / "velodyne_points", folder / "image_02", folder / "oxts"
    for place in (velodyne, image, oxts):
        (place / "data").mkdir(parents=True)
    for place, late in ((velodyne, 0.0), (image, lag), (oxts, 0.0)):
        stamps = [f"{START}{25 + at / 10 + late:012.9f}" for at in range(5)]
        (place / "timestamps.txt").write_text("\n".join(stamps) + "\n")
    for at in numbers_of:
        (velodyne / "data" / f"{at:010d}.bin").write_bytes(sweep_bytes(sweep(at)))
    for at in range(5):
        picture(at).save(image / "data" / f"{at:010d}.png")
        longitude = 8.4 + np.degrees(at / (EARTH * np.cos(np.radians(49.0))))
        words = [49.0, longitude, 112.0, 0.0, 0.0, 0.0, *[0.0] * 24]
        (oxts / "data" / f"{at:010d}.txt").write_text(" ".join(f"{word:.15g}" for word in words) + "\n")


def write_tracklets(path: Path, box: Box, first: int, count: int) -> None:
    length, width, height = box.size
    x, y, z = box.center
    poses = "".join(
        f"<item><tx>{x + step}</tx><ty>{y}</ty><tz>{z - height / 2}</tz><rx>0</rx><ry>0</ry><rz>{box.yaw}</rz>"
        "<state>2</state><occlusion>1</occlusion><truncation>0</truncation></item>"
        for step in range(count)
    )
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>\n<boost_serialization><tracklets>'
        f"<count>1</count><item_version>1</item_version><item><objectType>{box.label}</objectType><h>{height}</h>"
        f"<w>{width}</w><l>{length}</l><first_frame>{first}</first_frame><poses><count>{count}</count>"
        f"<item_version>2</item_version>{poses}</poses><finished>1</finished></item></tracklets></boost_serialization>"
    )


def write_sequence(root: Path, frames: int = 3) -> Path:
    """sequences/07 and poses/07.txt: camera 0 goes a metre ahead in each frame and turns a little."""
    folder = root / "sequences" / "07"
    for place in (folder / "velodyne", folder / "image_2", root / "poses"):
        place.mkdir(parents=True)
    lines = [f"P{at}: {numbers(PROJECTION)}" for at in range(4)] + [f"Tr: {numbers(RECTIFIED_FROM_LIDAR[:3])}"]
    (folder / "calib.txt").write_text("\n".join(lines) + "\n")
    (folder / "times.txt").write_text("".join(f"{at * 0.1037:.6e}\n" for at in range(frames)))
    poses = []
    for at in range(frames):
        (folder / "velodyne" / f"{at:06d}.bin").write_bytes(sweep_bytes(sweep(at)))
        picture(at).save(folder / "image_2" / f"{at:06d}.png")
        poses.append(numbers(camera_pose(at)[:3]))
    (root / "poses" / "07.txt").write_text("\n".join(poses) + "\n")
    return folder


def camera_pose(at: int) -> np.ndarray:
    motion = np.eye(4)
    turn = 0.05 * at
    motion[:3, :3] = [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    motion[:3, 3] = 0, 0, at
    return motion

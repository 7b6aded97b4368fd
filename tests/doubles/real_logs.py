"""The real frames of the folder that CLIP3D_DATA names, written back as their makers' files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from kitti_files import sweep_bytes
from nuscenes_files import TO_NUSCENES, Tables
from once_files import TO_ONCE, write_once
from PIL import Image

from clip3d.lidar.frame import Box
from clip3d.lidar.sweep import Sweep

CHANNELS = ("CAM_BACK", "CAM_BACK_LEFT", "CAM_BACK_RIGHT", "CAM_FRONT", "CAM_FRONT_LEFT", "CAM_FRONT_RIGHT")


def kitti_sweep(path: Path) -> Sweep:
    with np.load(path) as found:
        points = found["xyz_i16"].astype(np.float32) * np.float32(found["scale_m"])
        return Sweep.of_rows(points, found["reflectance_u8"].astype(np.float32) / 100)


def write_kitti_object(data: Path, root: Path) -> Path:
    """training/ and testing/ of KITTI's object set."""
    for half, folder in (("labelled", "training"), ("unlabelled", "testing")):
        for name in ("velodyne", "image_2", "calib", "label_2"):
            (root / folder / name).mkdir(parents=True, exist_ok=True)
        for file in sorted((data / "kitti_object" / half).glob("*.npz")):
            place = file.with_suffix("")
            (root / folder / "velodyne" / f"{file.stem}.bin").write_bytes(sweep_bytes(kitti_sweep(file)))
            (root / folder / "image_2" / f"{file.stem}.jpg").write_bytes(file.with_suffix(".jpg").read_bytes())
            text = Path(f"{place}_calib.txt").read_text()
            (root / folder / "calib" / f"{file.stem}.txt").write_text(text)
            labels = Path(f"{place}_label.txt")
            if labels.is_file():
                (root / folder / "label_2" / f"{file.stem}.txt").write_text(labels.read_text())
    (root / "testing" / "label_2").rmdir()
    return root


def write_kitti_drive(data: Path, root: Path, numbers: range = range(0, 58, 19)) -> Path:
    """A raw drive of a few of the frames, at ten a second."""
    found = json.loads((data / "kitti_raw_pairs" / "calib.json").read_text())
    day = root / "2011_09_26"
    drive = day / "2011_09_26_drive_0000_sync"
    for place in ("velodyne_points", "image_02"):
        (drive / place / "data").mkdir(parents=True)
        stamps = [f"2011-09-26 13:{at // 600:02d}:{at / 10 % 60:012.9f}" for at in range(58)]
        (drive / place / "timestamps.txt").write_text("\n".join(stamps) + "\n")
    for at in numbers:
        place = data / "kitti_raw_pairs" / f"{at:04d}"
        (drive / "velodyne_points" / "data" / f"{at:010d}.bin").write_bytes(
            sweep_bytes(kitti_sweep(place.with_suffix(".npz")))
        )
        (drive / "image_02" / "data" / f"{at:010d}.jpg").write_bytes(place.with_suffix(".jpg").read_bytes())

    def numbers_of(values: list) -> str:
        return " ".join(f"{value:.6e}" for value in np.ravel(values))

    motion = np.array(found["Tr_velo_to_cam"])
    (day / "calib_velo_to_cam.txt").write_text(f"R: {numbers_of(motion[:, :3])}\nT: {numbers_of(motion[:, 3])}\n")
    (day / "calib_cam_to_cam.txt").write_text(
        f"R_rect_00: {numbers_of(found['R_rect_00'])}\nS_rect_02: 1.242000e+03 3.750000e+02\n"
        f"P_rect_02: {numbers_of(found['P_rect_02'])}\n"
    )
    return drive


def nuscenes_frame(data: Path) -> tuple[Sweep, dict[str, Image.Image], dict]:
    """The sweep in our axes, pictures, and what its makers' file says."""
    folder = data / "mmdet3d_samples" / "nuscenes"
    info = json.loads((folder / "info.json").read_text())["data_list"][0]
    with np.load(folder / "lidar.npz") as found:
        points = found["xyz"] @ TO_NUSCENES[:3, :3]
        sweep = Sweep.of_rows(points, found["intensity"] / np.float32(255), found["ring"])
    return sweep, {name: Image.open(folder / f"{name}.jpg") for name in CHANNELS}, info


def our_motion(info: dict, channel: str) -> np.ndarray:
    """Camera from lidar, in our axes."""
    return np.array(info["images"][channel]["lidar2cam"]) @ TO_NUSCENES


def nuscenes_boxes(data: Path) -> tuple[Box, ...]:
    folder = data / "mmdet3d_samples" / "nuscenes"
    content = json.loads((folder / "info.json").read_text())
    names = {number: name for name, number in content["metainfo"]["categories"].items()}
    boxes = []
    for instance in content["data_list"][0]["instances"]:
        x, y, z, length, width, height, yaw = instance["bbox_3d"]
        center = TO_NUSCENES[:3, :3].T @ [x, y, z]
        label = names.get(instance["bbox_label_3d"], "other")
        boxes.append(Box(label, center, (length, width, height), yaw - np.pi / 2,
                         attributes={"lidar_points": instance["num_lidar_pts"]}))  # fmt: skip
    return tuple(boxes)


def write_nuscenes(data: Path, root: Path) -> Path:
    """A set of one sample, with the vehicle's true places at the times of the sweep and of each picture."""
    sweep, pictures, info = nuscenes_frame(data)
    tables = Tables(root)
    ego = np.array(info["ego2global"])
    lidar = np.array(info["lidar_points"]["lidar2ego"])
    top = tables.sensor("LIDAR_TOP", lidar)
    scene = tables.scene("scene-0061", "")
    sample = tables.sample(scene, info["timestamp"])
    tables.datum(sample, top, "LIDAR_TOP", info["timestamp"], ego, sweep)
    for channel, image in pictures.items():
        told = info["images"][channel]
        camera = tables.sensor(channel, np.array(told["cam2ego"]), np.array(told["cam2img"]))
        # The makers' motion from lidar to camera has that of the vehicle in it, which is taken out of it here.
        then = ego @ lidar @ np.linalg.inv(told["lidar2cam"]) @ np.linalg.inv(told["cam2ego"])
        tables.datum(sample, camera, channel, told["timestamp"], then, image)
    for box in nuscenes_boxes(data):
        tables.box(sample, box, ego @ lidar @ TO_NUSCENES)
    return tables.write()


def write_as_once(data: Path, root: Path) -> Path:
    """The nuScenes sample in ONCE's form, its front camera's picture said to be of a lens without distortion."""
    sweep, pictures, info = nuscenes_frame(data)
    front = np.linalg.inv(our_motion(info, "CAM_FRONT"))
    matrix = np.array(info["images"]["CAM_FRONT"]["cam2img"]).tolist()
    camera = {"cam_to_velo": (TO_ONCE @ front).tolist(), "cam_intrinsic": matrix, "distortion": [0] * 8}
    image = pictures["CAM_FRONT"]
    return write_once(root, "000001", 1, nuscenes_boxes(data), [image], [sweep], {"cam01": camera})



"""nuScenes' files, laid out here as nuScenes has them: lidar with x right, y forward, z up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from driving_logs import picture, sweep
from PIL import Image

from clip3d.lidar.frame import Box
from clip3d.lidar.motion import quaternion
from clip3d.lidar.sweep import Sweep

# Brings our points into nuScenes' axes.
TO_NUSCENES = np.eye(4)
TO_NUSCENES[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]


def sweep_bytes(points: Sweep) -> bytes:
    ring = np.zeros(len(points)) if points.ring is None else points.ring
    rows = np.column_stack([points.points @ TO_NUSCENES[:3, :3].T, np.rint(points.intensity * 255), ring])
    return rows.astype("<f4").tobytes()


class Tables:
    """Builds a small set; motions are (4, 4)."""

    def __init__(self, root: Path, version: str = "v1.0-mini") -> None:
        self.root, self.folder = root, root / version
        names = ("scene", "log", "sample", "sample_data", "ego_pose", "calibrated_sensor", "sensor",
                 "sample_annotation", "instance", "category", "attribute", "visibility")  # fmt: skip
        self.tables: dict[str, list[dict]] = {name: [] for name in names}

    def add(self, table: str, **row: object) -> str:
        token = f"{table}{len(self.tables[table]):05d}"
        self.tables[table].append({"token": token, **row})
        return token

    def _motion(self, motion: np.ndarray) -> dict[str, list[float]]:
        return {"translation": motion[:3, 3].tolist(), "rotation": quaternion(motion[:3, :3]).tolist()}

    def sensor(self, channel: str, ego_from_sensor: np.ndarray, intrinsics: np.ndarray | None = None) -> str:
        modality = "lidar" if intrinsics is None else "camera"
        sensor = self.add("sensor", channel=channel, modality=modality)
        matrix = [] if intrinsics is None else np.asarray(intrinsics).tolist()
        return self.add(
            "calibrated_sensor", sensor_token=sensor, camera_intrinsic=matrix, **self._motion(ego_from_sensor)
        )

    def scene(self, name: str, description: str) -> str:
        log = self.add("log", location="singapore-onenorth", date_captured="2018-11-21", vehicle="n015")
        return self.add("scene", name=name, description=description, log_token=log)

    def sample(self, scene: str, time: float) -> str:
        return self.add("sample", scene_token=scene, timestamp=round(time * 1e6))

    def datum(
        self, sample: str, sensor: str, channel: str, time: float, ego: np.ndarray, content: Sweep | Image.Image,
        *, key: bool = True,
    ) -> str:  # fmt: skip
        suffix = ".pcd.bin" if isinstance(content, Sweep) else ".jpg"
        name = f"{'samples' if key else 'sweeps'}/{channel}/n015__{channel}__{round(time * 1e6)}{suffix}"
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        size = {"width": 0, "height": 0}
        if isinstance(content, Sweep):
            path.write_bytes(sweep_bytes(content))
        else:
            content.save(path, quality=95)
            size = dict(zip(("width", "height"), content.size, strict=True))
        pose = self.add("ego_pose", timestamp=round(time * 1e6), **self._motion(ego))
        return self.add(
            "sample_data", sample_token=sample, ego_pose_token=pose, calibrated_sensor_token=sensor, filename=name,
            timestamp=round(time * 1e6), is_key_frame=key, **size,
        )  # fmt: skip

    def box(self, sample: str, box: Box, global_from_lidar: np.ndarray) -> None:
        """A box given in our lidar frame."""
        category = self.add("category", name=box.label)
        instance = self.add("instance", category_token=category)
        motion = np.eye(4)
        motion[:2, :2] = [[np.cos(box.yaw), -np.sin(box.yaw)], [np.sin(box.yaw), np.cos(box.yaw)]]
        motion[:3, 3] = box.center
        length, width, height = box.size
        attribute = self.add("attribute", name="vehicle.moving")
        visibility = self.add("visibility", level="v80-100")
        self.add(
            "sample_annotation", sample_token=sample, instance_token=instance, attribute_tokens=[attribute],
            visibility_token=visibility, size=[width, length, height], num_lidar_pts=7,
            **self._motion(global_from_lidar @ motion),
        )  # fmt: skip

    def write(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.tables.items():
            (self.folder / f"{name}.json").write_text(json.dumps(rows, indent=0))
        return self.root


def ego(time: float) -> np.ndarray:
    """A vehicle that goes 10 m/s along y of the world from somewhere far off, and turns a little."""
    turn = np.pi / 2 + 0.2 * time
    motion = np.eye(4)
    motion[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    motion[:3, 3] = 600, 1600 + 10 * time, 0
    return motion


def write_small(root: Path, lidar: np.ndarray, camera: np.ndarray, intrinsics: np.ndarray, box: Box) -> Path:
    """Two scenes, each of one key frame and a second sweep and picture; the picture comes .03 s after its sweep.

    Args:
        root: where to write.
        lidar: vehicle from lidar, in our axes.
        camera: vehicle from camera.
        intrinsics: of the camera.
        box: in the first key frame, in our lidar axes.
    """
    tables = Tables(root)
    top = tables.sensor("LIDAR_TOP", lidar @ np.linalg.inv(TO_NUSCENES))
    front = tables.sensor("CAM_FRONT", camera, intrinsics)
    radar = tables.sensor("RADAR_FRONT", np.eye(4))
    for number, description in enumerate(("Night, after rain, parked cars", "Turn left, many pedestrians")):
        start = 100.0 * (number + 1)
        scene = tables.scene(f"scene-{number + 61:04d}", description)
        sample = tables.sample(scene, start)
        tables.datum(sample, top, "LIDAR_TOP", start, ego(start), sweep(number))
        tables.datum(sample, top, "LIDAR_TOP", start + 0.05, ego(start + 0.05), sweep(number + 10), key=False)
        tables.datum(sample, front, "CAM_FRONT", start + 0.03, ego(start + 0.03), picture(number))
        tables.datum(sample, front, "CAM_FRONT", start + 0.11, ego(start + 0.11), picture(9), key=False)
        tables.datum(sample, front, "CAM_FRONT", start + 0.09, ego(start + 0.09), picture(8), key=False)
        tables.datum(sample, radar, "RADAR_FRONT", start, ego(start), sweep(5))
        if number == 0:
            tables.box(sample, box, ego(start) @ lidar)
    return tables.write()

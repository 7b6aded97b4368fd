"""What a recording vehicle carries: a lidar on its roof and cameras around it, with their true calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.lidar.camera import Camera
from clip3d.lidar.motion import inverse, rigid
from clip3d.simulation.chance import Rng
from clip3d.simulation.driving.lidar_layouts import Lidar

Floats = NDArray[np.float64]
# Degrees from ahead, to the left, by how many cameras there are.
_LOOKS: dict[int, tuple[tuple[str, float], ...]] = {
    1: (("front", 0),),
    2: (("front", 0), ("back", 180)),
    3: (("front", 0), ("front_left", 60), ("front_right", -60)),
    4: (("front", 0), ("left", 90), ("right", -90), ("back", 180)),
    5: (("front", 0), ("front_left", 60), ("front_right", -60), ("back_left", 135), ("back_right", -135)),
    6: (
        ("front", 0),
        ("front_left", 60),
        ("front_right", -60),
        ("back_left", 120),
        ("back_right", -120),
        ("back", 180),
    ),
}
CAMERAS = max(_LOOKS)
# x right, y down, z ahead, from x ahead, y left, z up.
_OPTICAL = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])


@dataclass(frozen=True, eq=False)
class Rig:
    """Sensors and where they stand.

    Attributes:
        lidar: the sensor.
        vehicle_from_lidar: (4, 4); the vehicle's origin is on the ground below its middle.
        cameras: with their true `camera_from_lidar`.
    """

    lidar: Lidar
    vehicle_from_lidar: Floats
    cameras: tuple[Camera, ...]


def draw_rig(rng: Rng, lidar: Lidar, cameras: int = 1, picture: int = 400) -> Rig:
    """Draw how sensors are mounted.

    Args:
        rng: chance: heights, fields of view, small errors of mounting.
        lidar: the sensor.
        cameras: how many, 0 to CAMERAS; the first looks ahead.
        picture: pixels of a picture's width; its height is three quarters of it.

    Raises:
        ShapeError: if the numbers are out of range.
    """
    if not 0 <= cameras <= CAMERAS:
        raise ShapeError(f"a recording vehicle has 0 to {CAMERAS} cameras, got {cameras}")
    if not 16 <= picture <= 4096:
        raise ShapeError(f"pictures must be 16 to 4096 pixels wide, got {picture}")
    small = np.radians(rng.normal(0, 0.4, 3))
    at = (float(rng.uniform(-0.4, 0.3)), 0.0, float(rng.uniform(1.5, 2.2)))
    vehicle_from_lidar = rigid(_turned(*small), at)
    height = float(rng.uniform(1.25, 1.75))
    wide = (float(rng.uniform(60, 90)), float(rng.uniform(65, 90)))
    found = []
    for name, degrees in _LOOKS.get(cameras, ()):
        view = wide[0] if name == "front" else wide[1]
        focal = picture / 2 / np.tan(np.radians(view / 2)) * float(rng.uniform(0.99, 1.01))
        high = picture * 3 // 4
        middle = np.array([picture / 2 - 0.5, high / 2 - 0.5]) + rng.normal(0, 0.008, 2) * picture
        intrinsics = np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1.0]])
        roll, pitch, yaw = np.radians(rng.normal(0, (0.6, 1.0, 1.0)))
        turn = _turned(roll, pitch, yaw + np.radians(degrees))
        reach = (1.1, 0.7)  # metres from the vehicle's middle to where cameras stand, ahead and aside
        place = (reach[0] * np.cos(np.radians(degrees)), reach[1] * np.sin(np.radians(degrees)), height)
        vehicle_from_camera = rigid(turn @ _OPTICAL.T, place)
        camera_from_lidar = inverse(vehicle_from_camera) @ vehicle_from_lidar
        found.append(Camera(name, picture, high, intrinsics, camera_from_lidar))
    return Rig(lidar, vehicle_from_lidar, tuple(found))


def _turned(roll: float, pitch: float, yaw: float) -> Floats:
    """Rotation (3, 3) about x, then y, then z."""
    cr, sr, cp, sp, cy, sy = (f(a) for a in (roll, pitch, yaw) for f in (np.cos, np.sin))
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    turn: Floats = about_z @ about_y @ about_x
    return turn

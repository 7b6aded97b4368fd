"""Names of the vectors of frames: by the kind of view, and by what of it they are.

Views of different kinds have vectors of different names, so that a search through one kind meets no other.
"""

from __future__ import annotations

from typing import Literal, get_args

ViewKind = Literal["camera", "cameras", "quarter", "sweep"]
VIEW_KINDS: tuple[ViewKind, ...] = get_args(ViewKind)
Sensor = Literal["lidar", "camera", "joint"]
# What one camera and the lidar behind it saw has the plain names.
LIDAR, CAMERA, JOINT = "lidar", "camera", "joint"
WITHOUT_CAMERA: tuple[ViewKind, ...] = ("quarter", "sweep")


def vector_name(kind: ViewKind, sensor: Sensor) -> str:
    """Name of a view's vector, such as "lidar", "cameras-joint" or "sweep-lidar"."""
    return sensor if kind == "camera" else f"{kind}-{sensor}"


def names_of(kind: ViewKind, *, lidar: bool, camera: bool) -> dict[Sensor, str]:
    """Names of the vectors of a kind of view, for a model that has towers for one sensor or both."""
    wanted: list[Sensor] = ["lidar"] if lidar else []
    if camera and kind not in WITHOUT_CAMERA:
        wanted += ["camera", "joint"] if lidar else ["camera"]
    return {sensor: vector_name(kind, sensor) for sensor in wanted}


FRAME_NAMES = frozenset(
    name for kind in VIEW_KINDS for name in names_of(kind, lidar=True, camera=True).values()
)

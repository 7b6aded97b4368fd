"""Which vectors of a collection stand for what the lidar and the camera saw of a kind of view."""

from __future__ import annotations

from dataclasses import dataclass

from clip3d.errors import ShapeError
from clip3d.search.stores.frame_vectors import Sensor, ViewKind, names_of
from clip3d.search.stores.store import Header

PICTURES = "image"
SAID: dict[ViewKind, str] = {
    "camera": "single cameras",
    "cameras": "all cameras together",
    "quarter": "quarters of sweeps",
    "sweep": "sweeps alone",
}


@dataclass(frozen=True)
class FrameNames:
    """Names of the vectors of one kind of view that a collection has.

    Attributes:
        kind: of view.
        names: by sensor.
    """

    kind: ViewKind
    names: dict[Sensor, str]

    @classmethod
    def of(cls, over: ViewKind | None, header: Header) -> FrameNames:
        """Those of a kind of view; of one camera's if none is said."""
        kind = over or "camera"
        every = names_of(kind, lidar=True, camera=True)
        found = {sensor: name for sensor, name in every.items() if name in header.towers}
        # where nothing is a camera's own, what it saw is a picture as any other
        if kind == "camera" and "camera" not in found and PICTURES in header.towers:
            found["camera"] = PICTURES
        return cls(kind, found)

    @property
    def said(self) -> str:
        """The kind of view in words."""
        return SAID[self.kind]

    @property
    def alone(self) -> tuple[str, ...]:
        """Names of single sensors, pictures of any kind aside: those of views answer one by one without a joint."""
        return tuple(self.names[s] for s in ("lidar", "camera") if s in self.names and self.names[s] != PICTURES)

    def of_sensor(self, sensor: str) -> str:
        """The name of the vectors that a wish is put to, by the sensor that it names: "lidar" or "image",
        or any other name of vectors.

        Raises:
            ShapeError: if views of this kind have none.
        """
        if sensor not in ("lidar", PICTURES):
            return sensor
        wanted: Sensor = "lidar" if sensor == "lidar" else "camera"
        if wanted not in self.names:
            if self.kind == "camera":
                return sensor  # the header says that there is none
            raise ShapeError(f"the collection has no {wanted} vectors of {self.said}")
        return self.names[wanted]

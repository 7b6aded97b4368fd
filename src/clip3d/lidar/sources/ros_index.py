"""Where in a recording of ROS the messages of a driving log lie: a few numbers for each, whatever their size."""

from __future__ import annotations

from array import array
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.pointcloud2 import Cursor, read_head
from clip3d.clouds.formats.recordings import STORES, Message, parts_of
from clip3d.errors import FrameError, MissingExtra
from clip3d.lidar.sources.ros_messages import Info, read_info, read_transforms

HEAD_BYTES = 1024
MAX_TOPICS = 1000
# Of messages that may be sent again and again, how many of a topic are looked at.
MAX_TRANSFORM_MESSAGES = 2000
CLOUD, IMAGE, PACKED, INFO, TRANSFORMS = "PointCloud2", "Image", "CompressedImage", "CameraInfo", "TFMessage"
KINDS = frozenset(
    f"{package}/{middle}{name}"
    for package, names in (
        ("sensor_msgs", (CLOUD, IMAGE, PACKED, INFO)),
        ("tf2_msgs", (TRANSFORMS,)),
        ("tf", ("tfMessage",)),
    )
    for name in names
    for middle in ("", "msg/")
)


@dataclass(eq=False)
class Topic:
    """Messages of one topic.

    Attributes:
        name: of the topic.
        kind: of its messages, without their package.
        cdr: as ROS 2 writes them.
        frame: in which the first of them was taken.
    """

    name: str
    kind: str
    cdr: bool
    frame: str = ""
    _times: array[int] = field(default_factory=lambda: array("q"))
    _places: array[int] = field(default_factory=lambda: array("q"))

    def add(self, time: int, part: int, place: tuple[int, int, int]) -> None:
        """Note a message."""
        self._times.append(time)
        self._places.extend((part, *place))

    def __len__(self) -> int:
        return len(self._times)

    @property
    def times(self) -> NDArray[np.int64]:
        """Nanoseconds (n,) at which they were taken, or where that is not told, recorded."""
        return np.array(self._times, dtype=np.int64)

    def place(self, at: int) -> tuple[int, tuple[int, int, int]]:
        """In which part of the recording a message lies, and where."""
        part, first, second, third = self._places[4 * at : 4 * at + 4]
        return part, (first, second, third)


@dataclass(eq=False)
class Index:
    """What a recording holds.

    Attributes:
        parts: its files.
        topics: of clouds and pictures, by name.
        infos: calibrations by topic, the first of each.
        transforms: by child's frame, its parent's and the (4, 4) motion from child to parent; static ones first.
        problems: why not all of it could be gone through.
    """

    parts: list[Path]
    topics: dict[str, Topic] = field(default_factory=dict)
    infos: dict[str, Info] = field(default_factory=dict)
    transforms: dict[str, tuple[str, NDArray[np.float64]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _moving: dict[str, tuple[str, NDArray[np.float64]]] = field(default_factory=dict)
    _looked_at: dict[str, int] = field(default_factory=dict)

    def load(self, topic: Topic, at: int) -> bytes:
        """The bytes of a message.

        Raises:
            FrameError: if the file has changed or can no longer be read.
        """
        part, place = topic.place(at)
        path = self.parts[part]
        try:
            found: bytes = _store(path).reread(path, place)
        except Malformed as error:
            raise FrameError(path, error.reason, error.remedy) from error
        except (OSError, ValueError, TypeError, MissingExtra) as error:
            raise FrameError(path, f"a message can no longer be read: {error}") from error
        return found

    def note(self, message: Message, part: int) -> None:
        """Take in one message."""
        kind = message.kind.rsplit("/", 1)[-1]
        if kind in (TRANSFORMS, "tfMessage"):
            self._note_transforms(message)
        elif kind == INFO:
            if message.topic not in self.infos and len(self.infos) < MAX_TOPICS:
                self.infos[message.topic] = read_info(message.load(), cdr=message.cdr)
        else:
            cursor = Cursor(message.load(HEAD_BYTES), cdr=message.cdr)
            taken, frame = read_head(cursor)
            if message.topic not in self.topics:
                if len(self.topics) >= MAX_TOPICS:
                    raise Malformed(f"it has more than {MAX_TOPICS:,} topics with clouds and pictures")
                self.topics[message.topic] = Topic(message.topic, kind, message.cdr, frame.lstrip("/"))
            self.topics[message.topic].add(taken or message.time, part, message.place)

    def _note_transforms(self, message: Message) -> None:
        seen = self._looked_at.get(message.topic, 0)
        self._looked_at[message.topic] = seen + 1
        if seen >= MAX_TRANSFORM_MESSAGES:
            return
        into = self.transforms if message.topic.endswith("tf_static") else self._moving
        for parent, child, motion in read_transforms(message.load(), cdr=message.cdr):
            into.setdefault(child, (parent, motion))

    def settle(self) -> None:
        """Let what was sent as moving stand where nothing is static: ROS 1 often sends all that way."""
        for child, found in self._moving.items():
            self.transforms.setdefault(child, found)


def read_index(path: Path) -> Index:
    """Go through a recording once; of a part that is damaged, what comes before the damage counts.

    Raises:
        FrameError: if a package is missing that unpacks it.
    """
    index = Index(parts_of(path))
    for number, part in enumerate(index.parts):
        try:
            with closing(_store(part).messages(part, KINDS, whole=True)) as found:
                for message in found:
                    _note(index, message, number)
        except MissingExtra as error:
            raise FrameError(part, str(error)) from error
        except Malformed as error:
            index.problems.append(f"{part}: {error.reason}; what comes after it is left out")
        except Exception as error:  # noqa: BLE001 - databases and bytes from strangers raise all kinds of things
            index.problems.append(f"{part}: it cannot be read to its end: {error}")
    index.settle()
    return index


def _note(index: Index, message: Message, part: int) -> None:
    """Take in a message; one that is damaged is told, and the next one is taken."""
    try:
        index.note(message, part)
    except (Malformed, ValueError) as error:
        if len(index.problems) < 20:
            index.problems.append(f"{index.parts[part]}: a message on {message.topic} cannot be used: {error}")


def _store(path: Path) -> Any:
    return import_module(STORES[path.suffix.lower()])

"""KITTI's tracklets: boxes of objects over the frames of a raw drive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.xml_guard import parse_xml
from clip3d.errors import FrameError
from clip3d.lidar.files import DAMAGED, floats, read_bytes
from clip3d.lidar.frame import Box

MAX_BYTES = 128 * 1024**2
MAX_FRAME = 10_000_000


def read_tracklets(path: Path) -> Mapping[int, tuple[Box, ...]]:
    """Boxes by frame's number, in the lidar's frame.

    A tracklet has a type, height, width and length; each of its poses the middle of the box's *bottom* and
    rotations, of which only that about z is ever set.

    Raises:
        FrameError: if the file is another.
    """
    try:
        root = parse_xml(read_bytes(path, MAX_BYTES))
        boxes: defaultdict[int, list[Box]] = defaultdict(list)
        tracklets = root.find("tracklets")
        for number, item in enumerate(tracklets.findall("item") if tracklets is not None else ()):
            _add(item, str(number), boxes)
    except Malformed as error:
        raise FrameError(path, error.reason, error.remedy or DAMAGED) from error
    except ValueError as error:
        raise FrameError(path, f"a tracklet cannot be used: {error}", DAMAGED) from error
    return {frame: tuple(found) for frame, found in boxes.items()}


def _add(item: Element, track: str, boxes: defaultdict[int, list[Box]]) -> None:
    height, width, length = floats([_text(item, "h"), _text(item, "w"), _text(item, "l")], 3)
    label = _text(item, "objectType")
    first = int(_text(item, "first_frame"))
    poses = item.find("poses")
    for step, pose in enumerate(poses.findall("item") if poses is not None else ()):
        if not 0 <= first + step <= MAX_FRAME:
            raise ValueError(f"its frame {first + step} is none")
        x, y, z, turn = floats([_text(pose, name) for name in ("tx", "ty", "tz", "rz")], 4)
        attributes = {name: int(found) for name in ("occlusion", "truncation") if (found := pose.findtext(name))}
        middle = np.array([x, y, z + height / 2])
        boxes[first + step].append(Box(label, middle, (length, width, height), turn, track, attributes=attributes))


def _text(element: Element, name: str) -> str:
    text = element.findtext(name)
    if text is None:
        raise ValueError(f"it has no {name}")
    return text.strip()

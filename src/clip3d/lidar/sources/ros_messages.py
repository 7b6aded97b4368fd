"""Messages of ROS that a log is made of, besides clouds: pictures, their calibration, and where frames lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.pointcloud2 import CUT_SHORT, Cursor, read_head
from clip3d.errors import ImageError
from clip3d.lidar.images import MAX_PIXELS, decode_picture
from clip3d.lidar.motion import of_quaternion

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_TRANSFORMS = 10_000
# Channels of a pixel, in the order in which they make red, green and blue; one channel makes grey.
COLOURS = {
    "rgb8": (3, (0, 1, 2)),
    "bgr8": (3, (2, 1, 0)),
    "8UC3": (3, (2, 1, 0)),
    "rgba8": (4, (0, 1, 2)),
    "bgra8": (4, (2, 1, 0)),
    "8UC4": (4, (2, 1, 0)),
    "mono8": (1, (0, 0, 0)),
    "8UC1": (1, (0, 0, 0)),
}
DEEP = ("mono16", "16UC1")
# Where in each square of four pixels red and blue lie: row, column.
MOSAICS = {
    "bayer_rggb8": ((0, 0), (1, 1)),
    "bayer_bggr8": ((1, 1), (0, 0)),
    "bayer_gbrg8": ((1, 0), (0, 1)),
    "bayer_grbg8": ((0, 1), (1, 0)),
}
ENCODINGS = (*COLOURS, *DEEP, *MOSAICS)
REMEDY = "record compressed pictures, or convert them to rgb8"


@dataclass(frozen=True, eq=False)
class Info:
    """A camera's calibration (sensor_msgs/CameraInfo).

    Attributes:
        frame: in which the camera looks along z.
        width: of the picture.
        height: of the picture.
        model: of the distortion, "plumb_bob" for Brown's.
        distortion: its coefficients.
        intrinsics: (3, 3) of the picture as taken.
        projection: (3, 4) of the rectified picture.
    """

    frame: str
    width: int
    height: int
    model: str
    distortion: tuple[float, ...]
    intrinsics: NDArray[np.float64]
    projection: NDArray[np.float64]


def read_info(data: bytes, *, cdr: bool) -> Info:
    """One message sensor_msgs/CameraInfo."""
    cursor = Cursor(data, cdr=cdr)
    _, frame = read_head(cursor)
    height, width = cursor.whole(), cursor.whole()
    model = cursor.text()
    count = cursor.whole()
    if count > 100:
        raise Malformed(f"a camera's calibration declares {count:,} coefficients", CUT_SHORT)
    lens = cursor.doubles(count)
    matrix, _, projection = (np.array(cursor.doubles(many)).reshape(3, -1) for many in (9, 9, 12))
    return Info(frame, width, height, model, lens, matrix, projection)


def read_transforms(data: bytes, *, cdr: bool) -> list[tuple[str, str, NDArray[np.float64]]]:
    """Parent, child, and the (4, 4) motion from child to parent, of one message tf2_msgs/TFMessage."""
    cursor = Cursor(data, cdr=cdr)
    count = cursor.whole()
    if count > MAX_TRANSFORMS:
        raise Malformed(f"a message declares {count:,} transforms", CUT_SHORT)
    found = []
    for _ in range(count):
        _, parent = read_head(cursor)
        child = cursor.text()
        place = cursor.doubles(3)
        x, y, z, w = cursor.doubles(4)
        found.append((parent.lstrip("/"), child.lstrip("/"), of_quaternion((w, x, y, z), place)))
    return found


def read_image(data: bytes, path: Path, *, cdr: bool, packed: bool) -> Image:
    """The picture, RGB, of one message sensor_msgs/Image, or sensor_msgs/CompressedImage where it is packed.

    Raises:
        ImageError: if it is cut short, too large, or of an encoding that is not read.
    """
    try:
        cursor = Cursor(data, cdr=cdr)
        read_head(cursor)
        if packed:
            cursor.text()
            return decode_picture(cursor.take(cursor.whole()), path)
        height, width = cursor.whole(), cursor.whole()
        encoding = cursor.text()
        big, step = cursor.byte(), cursor.whole()
        body = cursor.take(cursor.whole())
    except Malformed as error:
        raise ImageError(path, f"a picture in it cannot be read: {error.reason}", error.remedy) from error
    return _picture(body, (width, height), encoding, step, bool(big), path)


def _picture(body: bytes, size: tuple[int, int], encoding: str, step: int, big: bool, path: Path) -> Image:
    from PIL import Image as Images

    if encoding not in ENCODINGS:
        known = ", ".join(ENCODINGS)
        raise ImageError(path, f"a picture in it has the encoding {encoding[:30]!r}, not one of {known}", REMEDY)
    width, height = size
    bytes_a_pixel = COLOURS[encoding][0] if encoding in COLOURS else 2 if encoding in DEEP else 1
    needed = width * bytes_a_pixel
    least = 2 if encoding in MOSAICS else 1
    if not least <= min(size) or width * height > MAX_PIXELS or step < needed or step * height > len(body):
        reason = f"a picture in it declares {width} x {height} pixels but does not hold them"
        raise ImageError(path, reason, CUT_SHORT)
    rows = np.frombuffer(body, np.uint8, step * height).reshape(height, step)[:, :needed]
    if encoding in DEEP:
        # The upper byte of each number, as displays show them.
        grey = rows.reshape(height, width, 2)[..., 0 if big else 1]
        return Images.fromarray(np.ascontiguousarray(grey)).convert("RGB")
    if encoding in MOSAICS:
        return Images.fromarray(_demosaiced(rows, *MOSAICS[encoding])).resize(size, Images.Resampling.BILINEAR)
    channels, order = COLOURS[encoding]
    pixels = rows.reshape(height, width, channels)[..., list(order)]
    return Images.fromarray(np.ascontiguousarray(pixels))


def _demosaiced(rows: NDArray[np.uint8], red: tuple[int, int], blue: tuple[int, int]) -> NDArray[np.uint8]:
    """One colour for each square of four pixels: half of the size, which is as much as its red and blue know."""
    even = rows[: len(rows) // 2 * 2, : rows.shape[1] // 2 * 2]
    greens = [even[1 - red[0] :: 2, red[1] :: 2], even[red[0] :: 2, 1 - red[1] :: 2]]
    green = (greens[0].astype(np.uint16) + greens[1]) // 2
    planes = [even[red[0] :: 2, red[1] :: 2], green.astype(np.uint8), even[blue[0] :: 2, blue[1] :: 2]]
    return np.stack(planes, axis=2)

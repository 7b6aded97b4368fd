"""CLIP2Point on driving scenes: a camera's picture, and a depth map of the points that it sees, through its lens.

The way in which LidarCLIP's authors tune it (Hess et al. 2024, section 4.1, and their code): one view, its two
depth maps with depths shifted by up to so many metres, the loss as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clip3d.data.driving_logs import read_logs
from clip3d.errors import DataError, FileProblem, FrameError, ImageError, ShapeError
from clip3d.lidar.frame import Frame, Log
from clip3d.lidar.views import View, views
from clip3d.render.scene_depth import scene_depth
from clip3d.training.depth_pairs import DepthPairs, Pair, Showing
from clip3d.training.loop import Progress


class DrivingViews:
    """The pictures of all logs at or below some folders; those whose frames have no picture are left out.

    Args:
        folders: of logs.
        progress: called with lines for the user.

    Raises:
        DataError: if there is no picture.
    """

    def __init__(self, folders: Sequence[Path], progress: Progress) -> None:
        self._places: list[tuple[Log, int, str]] = []
        digest = hashlib.sha256()

        def told(problem: FileProblem) -> None:
            progress(str(problem))

        for log in (log for folder in folders for log in read_logs(folder, told)):
            for number in range(len(log)):
                frame = log.frames[number]
                digest.update(f"{log.name}/{frame.key} {sorted(frame.pictures)} {_size(frame)}\n".encode())
                self._places += [(log, number, camera) for camera in frame.pictures]
        if not self._places:
            raise DataError(folders[0], "holds no frame with a picture", "name folders of driving logs")
        self._digest = digest.hexdigest()

    def __len__(self) -> int:
        return len(self._places)

    def key(self, index: int) -> str:
        """A name that no other picture has."""
        log, number, camera = self._places[index]
        return f"{log.path}#{log.keys[number]}#{camera}"

    def order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """All n indices once, in the order of one epoch."""
        return rng.permutation(len(self))

    def protocol(self) -> dict[str, Any]:
        """What a report says of the data."""
        return {"pictures": len(self), "data_sha256": self._digest}

    def view(self, index: int) -> View:
        """The central square of a picture with the points behind it.

        Raises:
            FrameError: if the sweep cannot be read or the lens leaves nothing of the picture.
        """
        log, number, camera = self._places[index]
        try:
            return next(views(log.frames[number], cameras=[camera]))
        except (ShapeError, StopIteration) as error:
            raise FrameError(log.path, f"{log.keys[number]}: {error}") from error


class DrivingPairs(DepthPairs):
    """`DepthPairs` of driving scenes.

    Args:
        scenes: pictures with the points behind them.
        how: how they are shown.
        progress: called with lines for the user.
        shift: largest shift of depths, in metres.
    """

    troubles = (FrameError, ImageError)

    def __init__(self, scenes: DrivingViews, how: Showing, progress: Progress, shift: float) -> None:
        super().__init__(scenes, how, progress)
        self.scenes, self.shift = scenes, shift

    def draw(self, index: int, rng: np.random.Generator) -> Pair:
        """Two depth maps (2, 3, s, s) of a scene and its picture (3, s, s).

        Raises:
            FrameError: if its sweep cannot be read.
            ImageError: if its picture cannot.
        """
        view = self.scenes.view(index)
        size = self.how.drawing.size
        maps = np.stack([scene_depth(view, size, float(s)) for s in self.shift * rng.uniform(-1, 1, size=2)])
        return self.how.drawing.prepare(torch.from_numpy(maps)), self.how.picture(view.image)


def _size(frame: Frame) -> int:
    return frame.path.stat().st_size if frame.path is not None and frame.path.is_file() else 0

"""nuScenes with every picture, not those of key frames alone: each with the sweep nearest in time.

This is what LidarCLIP's nuScenes tower was trained on: six times as many pairs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clip3d.lidar.frame import Log
from clip3d.lidar.sources import nuscenes

SOURCE = "nuscenes-sweeps"


def recognises(path: Path) -> bool:
    """Never: a folder of nuScenes is read by its key frames unless this is asked for by name."""
    return False


def read(path: Path) -> Log:
    """As `nuscenes.read` without `keyframes`."""
    return replace(nuscenes.read(path, keyframes=False), source=SOURCE)

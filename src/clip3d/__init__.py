"""clip3d: words, photos and shapes find 3D objects.

The public names are resolved on first use, so that `import clip3d` loads neither torch nor a model.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "PointCloud": "clip3d.clouds.cloud",
    "read": "clip3d.clouds.reading",
    "write": "clip3d.clouds.writing",
    "read_sweep": "clip3d.lidar.reading",
    "read_log": "clip3d.lidar.reading",
    "Space": "clip3d.spaces",
    "Model": "clip3d.models.model",
    "load": "clip3d.models.loading",
    "search_files": "clip3d.search.adhoc",
    "Collection": "clip3d.search.collection",
    "query_scene": "clip3d.scenes.scene",
}

__all__ = [*_HOME, "__version__"]

if TYPE_CHECKING:
    from clip3d.clouds.cloud import PointCloud as PointCloud
    from clip3d.clouds.reading import read as read
    from clip3d.clouds.writing import write as write
    from clip3d.lidar.reading import read_log as read_log
    from clip3d.lidar.reading import read_sweep as read_sweep
    from clip3d.models.loading import load as load
    from clip3d.models.model import Model as Model
    from clip3d.scenes.scene import query_scene as query_scene
    from clip3d.search.adhoc import search_files as search_files
    from clip3d.search.collection import Collection as Collection
    from clip3d.spaces import Space as Space


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'clip3d' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

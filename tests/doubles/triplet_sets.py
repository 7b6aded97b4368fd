"""Small sets of triplets in their true formats: a library, a folder of meshes with a table, and so on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from small_files import box, write_obj, write_off

from clip3d.clouds.cloud import PointCloud
from clip3d.data.library import Entry, Library, make_library


def cloud(number: int, *, colored: bool = True, points: int = 400) -> PointCloud:
    rng = np.random.default_rng(number)
    xyz = rng.uniform(-1, 1, size=(points, 3)) * rng.uniform(0.3, 1, 3)
    return PointCloud(xyz, rng.uniform(size=(points, 3)) if colored else None, up="z")


def write_library(path: Path, count: int = 6, *, held_out: int = 2) -> Library:
    """Objects of two classes, the last `held_out` of them held out; the first without colours."""
    entries = [
        Entry(cloud(n, colored=n > 0), (("box", "crate")[n % 2], "thing"), f"made/{n}", "made here", "CC0-1.0")
        for n in range(count)
    ]
    library = make_library(entries, held_out_share=0, points=64)
    library.held_out[count - held_out :] = True
    library.save(path)
    return library


def write_meshes(folder: Path) -> Path:
    """Four objects in three formats, one of them two folders deep, with a table of captions."""
    (folder / "deep" / "er").mkdir(parents=True)
    write_off(folder / "block.off", box(1, 1, 1))
    write_obj(folder / "plank.obj", box(4, 1, 0.2), (0.8, 0.1, 0.1))
    write_off(folder / "deep" / "er" / "tower.off", box(1, 1, 5))
    np.save(folder / "dots.npy", cloud(7).points)
    (folder / "captions.csv").write_text(
        "path,caption,caption2,class,split\n"
        "block.off,a plain block,a cube,block,train\n"
        "plank.obj,a red plank|a board,,plank,train\n"
        'deep/er/tower.off,"a tower, tall",,block,test\n'
        "dots.npy,,,dots,\n"
    )
    return folder

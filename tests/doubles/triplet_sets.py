"""Small sets of triplets in their true formats: a library, a folder of meshes with a table, and so on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
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


TAXONOMY = [
    {"synsetId": "02691156", "name": "airplane,aeroplane,plane", "children": ["02690373"], "numInstances": 4045},
    {"synsetId": "03211117", "name": "display,video display", "children": [], "numInstances": 1093},
    {"synsetId": "02747177", "name": "ashcan,trash can,garbage can", "children": [], "numInstances": 343},
    {"synsetId": "02690373", "name": "airliner", "children": [], "numInstances": 1490},
]
SHAPENET_TRAIN = ("02691156-1a04e3eab45ca15dd86060f189eb133", "03211117-62ac1e4559205e24f9702e673573a443")
SHAPENET_TEST = ("02747177-1b7d468a27208ee3dad910e221d16b18",)


def write_shapenet(folder: Path, layout: str) -> Path:
    """Three objects as Point-BERT, CG3D or ULIP lay them out, with pictures in the latter two."""
    lists = {"point-bert": "ShapeNet-55", "cg3d": "ShapeNet55", "ulip": ""}[layout]
    render = {"point-bert": "ShapeNet-55", "cg3d": "shapenet_render", "ulip": ""}[layout]
    clouds = folder / ("" if layout != "cg3d" else "ShapeNet55") / "shapenet_pc"
    for place in (clouds, folder / lists, folder / render):
        place.mkdir(parents=True, exist_ok=True)
    (folder / render / "taxonomy.json").write_text(json.dumps(TAXONOMY))
    for name, keys in (("train", SHAPENET_TRAIN), ("test", SHAPENET_TEST)):
        (folder / lists / f"{name}.txt").write_text("".join(f"{key}.npy\n" for key in keys))
    for number, key in enumerate((*SHAPENET_TRAIN, *SHAPENET_TEST)):
        np.save(clouds / f"{key}.npy", cloud(number, points=8192).points)
        if layout == "cg3d":
            place = folder / "shapenet_render" / "img" / key.replace("-", "/", 1)
            names = ["000.png", "001.png"]
        else:
            place = folder / "rendered_images" / key
            names = [f"{key}_r_000.png", f"{key}_r_000_depth0001.png", f"{key}_r_012.png"]
        if layout != "point-bert":
            place.mkdir(parents=True)
            for name in names:
                Image.new("RGBA", (8, 8), (number, 0, 0, 255)).save(place / name)
    return folder

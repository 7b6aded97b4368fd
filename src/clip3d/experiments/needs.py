"""Data sets and weights that experiments need: what each is, where to get it, how it may be named."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Need:
    """Something that has to be brought.

    Attributes:
        name: short, as rows name it.
        what: it is.
        where: to get it, in words.
        under: whether it belongs into the folder of data or that of weights.
        places: names or patterns that are looked for in that folder, the first found is taken.
        beside: file that may lie beside it, or in it if it is a folder, and then counts.
    """

    name: str
    what: str
    where: str
    under: Literal["data", "weights"]
    places: tuple[str, ...]
    beside: str = ""

    def find(self, folder: Path) -> Path | None:
        """The first thing of one of the names in a folder."""
        for place in self.places:
            found = sorted(folder.glob(place)) if folder.is_dir() else []
            if found:
                return found[0]
        return None

    def found_beside(self, path: Path) -> Path | None:
        """The file beside what was found, if there is one."""
        file = (path if path.is_dir() else path.parent) / self.beside
        return file if self.beside and file.is_file() else None


_TABLE = (
    Need("modelnet10", "ModelNet10 (908 test shapes of 10 classes)",
         "the meshes from Princeton's ModelNet page, or an npz with points, labels, classes, up and split", "data",
         ("modelnet10/modelnet10.npz", "modelnet10.npz", "ModelNet10", "modelnet10", "modelnet40_normal_resampled"),
         "near_duplicates.json"),
    Need("modelnet40", "ModelNet40 (2,468 test shapes of 40 classes)",
         "the meshes from Princeton's ModelNet page, or the resampled clouds that PointNet++'s page links", "data",
         ("modelnet40/modelnet40.npz", "modelnet40.npz", "modelnet40_normal_resampled", "modelnet40_ply_hdf5_2048",
          "ModelNet40", "modelnet40")),
    Need("scanobjectnn", "ScanObjectNN, its hardest variant PB_T50_RS (2,882 test scans of 15 classes)",
         "its project page hands the h5 files out after the terms of use are accepted", "data",
         ("ScanObjectNN", "scanobjectnn", "h5_files")),
    Need("shapenet55", "ShapeNet55 (52,460 clouds; views in it, or in ShapeNet55-pictures beside it)",
         "the data page of Point-BERT's repository, after ShapeNet's terms of use are accepted", "data",
         ("ShapeNet55", "ShapeNet55-34", "shapenet55")),
    Need("shapenet55-pictures", "colour views of ShapeNetCore v2's models",
         "clip3d data render writes them from the models, which shapenet.org hands out", "data",
         ("ShapeNet55-pictures", "shapenet55-pictures", "ShapeNet55/pictures")),
    Need("shapenet55-depth", "depth maps of ShapeNet55's clouds",
         "clip3d data render --depth writes them from the clouds", "data",
         ("ShapeNet55-depth", "shapenet55-depth")),
    Need("rooms", "rooms as point clouds, such as those of S3DIS or ScanNet",
         "their project pages, after the terms of use are accepted; any PLY of a room with z up serves", "data",
         ("rooms",)),
    Need("test-rooms", "labelled rooms to ask: simulated ones, or any that clip3d reads with labels",
         "clip3d data simulate-rooms test-rooms/ --shapes held-out --rooms 100 --seed 1", "data",
         ("test-rooms",)),
    Need("room-segments", "the things of rooms as scans see them, a library",
         "clip3d data simulate-rooms rooms/ --rooms 200 --segments", "data",
         ("rooms/segments.npz", "training-rooms/segments.npz")),
    Need("scannet", "ScanNet's scenes with annotations (312 in its validation list)",
         "its project page hands out a download script after the terms of use are accepted", "data",
         ("scannet", "ScanNet", "scannet_scene*")),
    Need("s3dis", "S3DIS, the rooms with Annotations (Area_1 to Area_6)",
         "its project page, after the terms of use are accepted", "data",
         ("s3dis", "S3DIS", "Stanford3dDataset_v1.2*", "Stanford3dDataset*")),
    Need("photos", "photographs in a folder for each class, named as the classes are",
         "your own; the paper's were found in the web and are not published", "data", ("photos",)),
    Need("library", "the library of captioned objects", "clip3d data build library/", "data",
         ("library",)),
    Need("small-vit", "the small teacher of the library's experiments",
         "clip3d train recipes/small-vit.toml writes it; where it is not there it is trained first", "weights",
         ("small-vit",)),
    Need("slip", "SLIP ViT-B/16, 100 epochs: the teacher of CG3D",
         "the model table of SLIP's repository (slip_base_100ep.pt), with OpenAI's bpe_simple_vocab_16e6.txt.gz "
         "beside it; or the folder that clip3d models convert made of them", "weights",
         ("slip", "slip_base_100ep.pt", "slip/slip_base_100ep.pt")),
    Need("clip", "any CLIP with a vision transformer, ViT-B/16 in the paper",
         "OpenAI's or open_clip's weights, as the folder that clip3d models convert makes of them", "weights",
         ("clip", "clip-vit-b-16", "clip-vit-b-32")),
    Need("cg3d-point-transformer", "CG3D's PointTransformer",
         "the links in the README of CG3D's repository", "weights",
         ("cg3d-point-transformer*", "cg3d_pointtransformer*", "cg3d/*[tT]ransformer*.pth")),
    Need("cg3d-point-mlp", "CG3D's PointMLP",
         "the links in the README of CG3D's repository", "weights",
         ("cg3d-point-mlp*", "cg3d_pointmlp*", "cg3d/*[mM][lL][pP]*.pth")),
    Need("cg3d-render", "an image tower with visual prompts that were trained on colour renders",
         "the model that clip3d train writes of recipes/cg3d-point-transformer.toml", "weights",
         ("cg3d-render",)),
    Need("cg3d-depth", "an image tower with visual prompts that were trained on depth maps",
         "the same recipe with pictures = the folder of depth maps", "weights",
         ("cg3d-depth",)),
    Need("once", "ONCE: data/ with its sequences and ImageSets/ beside it",
         "the project's page hands it out after its terms of use are accepted", "data",
         ("ONCE", "once")),
    Need("nuscenes", "nuScenes: the tables of v1.0-trainval or v1.0-mini, samples/ and sweeps/",
         "the project's page hands it out after its terms of use are accepted", "data",
         ("nuScenes", "nuscenes")),
    Need("driving-held-out", "driving logs to search, whose truth is known: the simulator's",
         "clip3d data simulate driving/held-out --shapes held-out --sensor generic-48; where it is not there a "
         "small one is drawn", "data", ("driving/held-out", "driving-held-out")),
    Need("driving-train", "driving logs to learn from: the simulator's",
         "clip3d data simulate driving/train; where it is not there a small one is drawn", "data",
         ("driving/train", "driving-train")),
    Need("driving-beams", "the same drives by lidars of several beam layouts, a folder each",
         "clip3d data simulate driving/beams/SENSOR --sensor SENSOR, each with one seed; where it is not there a "
         "small one is drawn", "data", ("driving/beams", "driving-beams")),
    Need("clip-vit-b-32", "OpenAI's CLIP ViT-B/32",
         "its weights, as the folder that clip3d models convert makes of them", "weights",
         ("clip-vit-b-32", "ViT-B-32.pt")),
    Need("clip-vit-l-14", "OpenAI's CLIP ViT-L/14",
         "its weights, as the folder that clip3d models convert makes of them", "weights",
         ("clip-vit-l-14", "ViT-L-14.pt")),
    Need("lidarclip-b32", "LidarCLIP's tower into the space of ViT-B/32, trained on ONCE",
         "the links in the README of LidarCLIP's repository", "weights",
         ("lidarclip-b32*", "lidarclip*[bB]*32*")),
    Need("lidarclip-l14", "LidarCLIP's tower into the space of ViT-L/14, trained on ONCE",
         "the links in the README of LidarCLIP's repository", "weights",
         ("lidarclip-l14*", "lidarclip*[lL]*14*")),
    Need("lidarclip-nuscenes", "LidarCLIP's tower into the space of ViT-L/14, trained on nuScenes",
         "not published: clip3d train recipes/lidarclip.toml with nuScenes' logs, then the tower beside ViT-L/14",
         "weights", ("lidarclip-nuscenes*", "nuscenes-lidarclip*")),
    Need("clip2point", "CLIP2Point, pre-trained on ShapeNet's renders",
         "the model that clip3d train writes of recipes/clip2point.toml with ViT-B/32", "weights", ("clip2point",)),
)  # fmt: skip
NEEDS: dict[str, Need] = {need.name: need for need in _TABLE}


def fingerprint(path: Path) -> str:
    """Digest over names, sizes and times of a file or of all files in a folder: whether anything was changed."""
    digest = hashlib.sha256()
    for file in [path] if path.is_file() else _files(path):
        facts = file.stat()
        name = file.relative_to(path.parent).as_posix()
        digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place) / name for name in sorted(names))

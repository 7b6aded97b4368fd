"""Make the package's sample objects from the CC0 models of the Debian package sweethome3d-furniture.

Every object, the one in the query picture too, is one that the default model never saw in training (see `held_out`
in `clip3d.data.library`).

    python scripts/make_samples.py --packages packages/ --out src/clip3d/data/sample_files
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import trimesh

from clip3d.clouds.cloud import Z_UP_FROM, PointCloud
from clip3d.clouds.reading import read
from clip3d.clouds.writing import write
from clip3d.data import furniture
from clip3d.data.packages import deb_files, fetch_debian

COLLECTION = "BlendSwap-CC-0"
POINTS = 3000

# Catalogue model -> name of the thing, name of the sample file. The suffix says how it is written.
SAMPLES = {
    "bedsideTable2": ("bedside table", "bedside_table.obj"),
    "bookcase": ("bookcase", "bookcase.glb"),
    "foldingChair": ("folding chair", "folding_chair.off"),
    "sillaBlanca": ("chair", "white_chair.stl"),
    "designChair": ("chair", "design_chair.dae"),
    "sofa2": ("sofa", "sofa.3mf"),
    "bed1": ("bed", "double_bed.ply"),
    "bed2": ("bed", "bed.pcd"),
    "cartoon_biplane": ("biplane", "biplane.npz"),
    "mofx_mailbox": ("mailbox", "mailbox.gltf"),
    "table_football": ("foosball table", "foosball_table.xyz"),
    "washbasin": ("wash basin", "wash_basin.csv"),
    "basketball": ("basketball", "basketball.glb"),
    "mamadeira": ("baby bottle", "baby_bottle.ply"),
    "knifeStandSwap": ("knife stand", "knife_stand.npy"),
    "bootie": ("ankle boot", "ankle_boot.stl"),
    "augalas": ("plant", "plant.npz"),
    "highCabinet": ("high cabinet", "high_cabinet.pcd"),
    "lbDesk": ("desk", "desk.txt"),
    "coffeeBrewer": ("coffee brewer", "coffee_brewer.ply"),
}
QUERIES: dict[str, Any] = {
    "texts": ["a chair", "a place to sleep", "where you wash your hands"],
    "image": {"file": "query_sofa.png", "model": "sofa2"},
    "like": "folding_chair.off",
}


def main() -> None:
    """Parse the command line and write the samples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True, help="folder with the .deb, or for it")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    shutil.rmtree(arguments.out, ignore_errors=True)
    arguments.out.mkdir(parents=True)
    with zipfile.ZipFile(collection(fetch_debian(furniture.PACKAGE, arguments.packages))) as archive:
        models = furniture.read_catalogue(archive.read(furniture.CATALOGUE).decode("latin-1"))
        by_stem = {PurePosixPath(m.model).stem: m for m in models}
        objects = [make(archive, by_stem[stem], *facts, arguments.out) for stem, facts in SAMPLES.items()]
        icon = f"blendswap-cc-0/{QUERIES['image']['model']}.png"
        (arguments.out / QUERIES["image"]["file"]).write_bytes(archive.read(icon))
    record = {
        "licence": "CC0-1.0",
        "source": f"{furniture.PACKAGE}, collection {COLLECTION}, https://www.sweethome3d.com/importModels.jsp",
        "objects": objects,
        "queries": {**QUERIES, "image": QUERIES["image"]["file"]},
    }
    (arguments.out / "samples.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    total = sum(path.stat().st_size for path in arguments.out.iterdir())
    print(f"{len(objects)} objects, {total / 2**20:.1f} MiB")


def collection(deb: Path) -> io.BytesIO:
    """The archive of the collection inside the package."""
    for name, stream in deb_files(deb):
        if PurePosixPath(name).stem == COLLECTION:
            return io.BytesIO(stream.read())
    raise SystemExit(f"{deb} holds no {COLLECTION}")


def make(
    archive: zipfile.ZipFile, model: furniture.CatalogueModel, name: str, file: str, out: Path
) -> dict[str, str]:
    """Write one sample and return its record."""
    target = out / file
    with tempfile.TemporaryDirectory() as folder:
        source = furniture.extract_model(archive, model.model, Path(folder))
        if target.suffix == ".obj":
            copy_obj(source, target)
        elif target.suffix in (".glb", ".gltf", ".stl", ".off", ".dae", ".3mf") or file == "baby_bottle.ply":
            export_mesh(source, target)
        else:
            write_points(furniture.as_displayed(read(source, points=POINTS, up="y", unit="cm"), model), target)
    creator = model.creator or "unnamed author"
    return {
        "file": file,
        "name": name,
        "licence": "CC0-1.0",
        "source": f"{furniture.PACKAGE}/{COLLECTION}/{PurePosixPath(model.model).stem} by {creator}",
    }


def copy_obj(source: Path, target: Path) -> None:
    """Copy an OBJ with its materials and textures, renamed."""
    text = source.read_text(encoding="latin-1").replace(f"mtllib {source.stem}.mtl", f"mtllib {target.stem}.mtl")
    target.write_text(text, encoding="latin-1")
    shutil.copy(source.with_suffix(".mtl"), target.with_suffix(".mtl"))
    for picture in source.parent.glob("*.jpg"):
        shutil.copy(picture, target.parent / picture.name)


def export_mesh(source: Path, target: Path) -> None:
    """Write the mesh in the target's format, y up in metres for glTF, else z up (DAE: y up)."""
    scene = trimesh.load_scene(source)
    if target.suffix in (".glb", ".gltf"):
        scene.apply_scale(0.01)
    elif target.suffix != ".dae":
        turn = np.eye(4)
        turn[:3, :3] = Z_UP_FROM["y"]
        scene.apply_transform(turn)
    if target.suffix == ".gltf":
        for file, content in trimesh.exchange.gltf.export_gltf(scene, merge_buffers=True).items():
            path = target.with_name(file.replace("model.gltf", target.name))
            path.write_bytes(content)
    elif target.suffix in (".glb", ".3mf"):
        scene.export(target)
    else:
        scene.to_mesh().export(target)


def write_points(cloud: PointCloud, target: Path) -> None:
    """Write a sampled cloud in the target's format."""
    cloud = replace(cloud, path=None, sources=())
    rgb = np.round((cloud.colors if cloud.colors is not None else np.full_like(cloud.points, 0.5)) * 255)
    if target.suffix in (".ply", ".npz"):
        write(cloud, target)
    elif target.suffix == ".npy":
        np.save(target, cloud.points.astype(np.float32))
    elif target.suffix == ".pcd":
        target.write_bytes(pcd(cloud.points, rgb.astype(np.uint32)))
    else:
        comma = target.suffix == ".csv"
        rows = np.hstack([cloud.points, rgb])
        form = ["%.2f"] * 3 + ["%d"] * 3
        head = "x,y,z,r,g,b" if comma else ""
        np.savetxt(target, rows, fmt=form, delimiter="," if comma else " ", header=head, comments="")


def pcd(points: np.ndarray, rgb: np.ndarray) -> bytes:
    """A binary PCD with packed colour."""
    packed = ((rgb[:, 0] << 16) | (rgb[:, 1] << 8) | rgb[:, 2]).astype(np.uint32).view(np.float32)
    body = np.hstack([points.astype(np.float32), packed[:, None]])
    head = (
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z rgb\nSIZE 4 4 4 4\nTYPE F F F F\nCOUNT 1 1 1 1\n"
        f"WIDTH {len(points)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(points)}\nDATA binary\n"
    )
    return head.encode() + body.tobytes()


if __name__ == "__main__":
    main()

"""Published sets of labelled clouds in their true formats, a few shapes each, tall or flat along their up axis."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

TALL, FLAT = (0.2, 1.0, 0.2), (1.0, 0.1, 1.0)  # y is up in all of these sets


def shape(kind: tuple[float, float, float], seed: int, points: int) -> np.ndarray:
    """Points (p, 3) float32 that fill a box, y up."""
    return (np.random.default_rng(seed).random((points, 3)) * kind).astype(np.float32)


def write_normal_resampled(root: Path, *, points: int = 60, per_split: int = 2) -> Path:
    """`modelnet40_normal_resampled`: ModelNet40 has door, night_stand and table, ModelNet10 the last two."""
    kinds = {"door": TALL, "night_stand": TALL, "table": FLAT}
    root.mkdir(parents=True)
    lists: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        (root / name).mkdir()
        for i in range(2 * per_split):
            stem = f"{name}_{i + 1:04d}"
            xyz = shape(kind, i, points)
            normals = np.tile(np.float32([0, 0, 1]), (points, 1))
            np.savetxt(root / name / f"{stem}.txt", np.hstack([xyz, normals]), fmt="%.6f", delimiter=",")
            split = "train" if i < per_split else "test"
            for variant in ("modelnet40", *(["modelnet10"] if name != "door" else [])):
                lists.setdefault(f"{variant}_{split}.txt", []).append(stem)
    lists["modelnet40_shape_names.txt"] = list(kinds)
    lists["modelnet10_shape_names.txt"] = list(kinds)[1:]
    lists["filelist.txt"] = [f"{name}/{name}_0001.txt" for name in kinds]
    for name, lines in lists.items():
        (root / name).write_text("\n".join(lines) + "\n")
    return root


def write_ply_hdf5(root: Path, *, points: int = 60) -> Path:
    """`modelnet40_ply_hdf5_2048`: two training files, one test file, two classes."""
    import h5py

    root.mkdir(parents=True)
    (root / "shape_names.txt").write_text("night_stand\ntable\n")
    files = {"train0": 3, "train1": 2, "test0": 4}
    for split in ("train", "test"):
        names = [f"data/modelnet40_ply_hdf5_2048/ply_data_{part}.h5" for part in files if part.startswith(split)]
        (root / f"{split}_files.txt").write_text("\n".join(names) + "\n")
    for part, n in files.items():
        labels = np.arange(n) % 2
        with h5py.File(root / f"ply_data_{part}.h5", "w") as file:
            clouds = [shape(FLAT if label else TALL, i, points) for i, label in enumerate(labels)]
            file.create_dataset("data", data=np.stack(clouds), compression="gzip")
            file.create_dataset("label", data=labels.astype(np.uint8)[:, None], compression="gzip")
            file.create_dataset("normal", data=np.zeros((n, points, 3), np.float32))
        listed = [f"{('night_stand', 'table')[label]}/shape_{i:04d}.ply" for i, label in enumerate(labels)]
        (root / f"ply_data_{part[:-1]}_{part[-1]}_id2file.json").write_text(json.dumps(listed))
    return root


def write_scan_object_nn(root: Path, *, points: int = 60) -> Path:
    """`h5_files` of ScanObjectNN: OBJ_ONLY, OBJ_BG and PB_T50_RS; each version has other numbers of test shapes."""
    import h5py

    versions = {
        ("main_split_nobg", "objectdataset"): 3,
        ("main_split", "objectdataset"): 4,
        ("main_split", "objectdataset_augmentedrot_scale75"): 5,
    }
    for (folder, stem), n in versions.items():
        place = root / "h5_files" / folder
        place.mkdir(parents=True, exist_ok=True)
        for split, count in (("training", 2 * n), ("test", n)):
            labels = np.where(np.arange(count) % 2, 9, 7)  # tables and doors
            with h5py.File(place / f"{split}_{stem}.h5", "w") as file:
                clouds = [shape(FLAT if label == 9 else TALL, i, points) for i, label in enumerate(labels)]
                file["data"] = np.stack(clouds)
                file["label"] = labels.astype(np.int32)
                file["mask"] = np.full((count, points), -1, np.int32)
    return root


def write_openshape_lvis(root: Path, *, points: int = 60) -> Path:
    """OpenShape's Objaverse-LVIS: `split/lvis.json`, and the clouds as NumPy pickles a table of many things."""
    entries = []
    for i, (category, kind) in enumerate([("Band_Aid", FLAT), ("bat_(animal)", TALL), ("Band_Aid", FLAT)]):
        uid, group = f"{i:032x}", f"000-{i:03d}"
        file = root / "objaverse-processed" / "merged_for_training_final" / "Objaverse" / group / f"{uid}.npy"
        file.parent.mkdir(parents=True)
        table = {
            "dataset": "Objaverse",
            "group": group,
            "id": uid,
            "xyz": shape(kind, i, points),
            "rgb": np.full((points, 3), [1.0, 0.5, 0.0], np.float32),
            "image_feat": np.zeros((12, 16), np.float16),
            "thumbnail_feat": np.zeros((1, 16), np.float32),
            "text": ["a thing", category],
            "text_feat": [{"original": np.zeros((1, 16), np.float32), "prompt_avg": np.ones(16)}],
            "retrieval_text": [],
            "score": np.float64(0.5),
            "missing": None,
        }
        np.save(file, table, allow_pickle=True)
        place = f"/mnt/data/{file.relative_to(root).as_posix()}"
        entries.append({"uid": uid, "category": category, "group": group, "data_path": place})
    (root / "split").mkdir()
    (root / "split" / "lvis.json").write_text(json.dumps(entries))
    return root

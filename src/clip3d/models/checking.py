"""Is a model what its card says? Hashes of all files, and vectors that are computed again.

The golden file is a safetensors file of the bundle with inputs and the vectors they gave when the model was made:
`text.phrases` (UTF-8 JSON list as uint8), `image.pixels` (n, h, w, 3) uint8, `cloud.points` and `cloud.colors`
(n, p, 3) float32 with z up, `sweep.points` (n, p, 4) float32 as in `Frustum`, with `sweep.counts` (n,) int64, how
many of them are meant, and for each modality `<modality>.vectors` (n, d) float32 at unit length.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ModelError
from clip3d.lidar.frustum import Frustum
from clip3d.models.card import Modality
from clip3d.models.model import Model
from clip3d.models.weights import check_hash, read_arrays, write_arrays
from clip3d.spaces import unit

Array = NDArray[np.float32]
Inputs = Mapping[str, NDArray[Any]]

# Below this cosine a tower no longer gives the vectors it was measured with; rounding stays above .99999.
LEAST_COSINE = 0.9999


@dataclass(frozen=True)
class Check:
    """One thing that was checked, whether it holds, and the figure or the reason."""

    name: str
    passed: bool
    detail: str


def check_model(model: Model) -> list[Check]:
    """Recompute the hash of every file of a model, and its golden vectors where the card names some.

    Raises:
        ModelError: if the model has no folder, as those of open_clip.
    """
    check_has_folder(model)
    checks = [_check_file(model.folder / name, expected) for name, expected in sorted(_hashes(model).items())]
    if all(check.passed for check in checks):
        for name in model.card.golden:
            checks += _check_vectors(model, model.folder / name)
    return checks


def check_has_folder(model: Model) -> None:
    """Raise ModelError if a model is no folder with a card, but one that another package keeps."""
    if not (model.folder / "card.json").is_file():
        raise ModelError(model.folder, "is no folder with a card, but a model of another package")


def record_golden(model: Model, inputs: Inputs, path: Path) -> Path:
    """Write the golden file of a model: the inputs, as this module's head describes, and the vectors they give."""
    vectors = {f"{m}.vectors": encode_golden(model, m, inputs) for m in _modalities(model, inputs)}
    write_arrays({**inputs, **vectors}, path)
    return path


def phrases_as_bytes(phrases: list[str]) -> NDArray[np.uint8]:
    """Phrases in the form of the golden file."""
    return np.frombuffer(json.dumps(phrases).encode(), dtype=np.uint8)


def encode_golden(model: Model, modality: Modality, inputs: Inputs) -> Array:
    """Unit vectors (n, d) of one modality's golden inputs."""
    if modality == "text":
        return model.encode_texts(json.loads(inputs["text.phrases"].tobytes()))
    if modality == "image":
        return model.encode_images(list(inputs["image.pixels"]))
    if modality == "sweep":
        filled = zip(inputs["sweep.points"], inputs["sweep.counts"], strict=True)
        return model.encode_sweeps(Frustum(points[:count]) for points, count in filled)
    pairs = zip(inputs["cloud.points"], inputs["cloud.colors"], strict=True)
    return model.encode_clouds(PointCloud(points, colors) for points, colors in pairs)


def _hashes(model: Model) -> dict[str, str]:
    facts = model.card.space
    hashes = {str(facts["weights"]): str(facts["sha256"]), **model.card.golden}
    if model.card.refusal:
        hashes[str(model.card.refusal["background"])] = str(model.card.refusal["sha256"])
    for tower in model.card.towers.values():
        hashes.update({tower.weights: tower.sha256, **tower.files})
    return hashes


def _check_file(path: Path, expected: str) -> Check:
    try:
        check_hash(path, expected)
    except ModelError as error:
        return Check(path.name, False, error.reason)
    return Check(path.name, True, f"SHA-256 {expected[:16]}…")


def _check_vectors(model: Model, path: Path) -> list[Check]:
    arrays = read_arrays(path)
    return [_check_tower(model, modality, arrays) for modality in _modalities(model, arrays)]


def _check_tower(model: Model, modality: Modality, arrays: Inputs) -> Check:
    now = encode_golden(model, modality, arrays)
    cosine = float((unit(now) * unit(arrays[f"{modality}.vectors"])).sum(1).min())
    detail = f"least cosine with the recorded vectors {cosine:.6f} of {len(now)}"
    return Check(f"{modality} vectors", cosine >= LEAST_COSINE, detail)


def _modalities(model: Model, inputs: Inputs) -> list[Modality]:
    prefixes = {name.split(".")[0] for name in inputs}
    return [modality for modality in model.card.towers if modality in prefixes]

"""A published 3D encoder put beside the towers of the CLIP that it was trained against."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np

from clip3d.errors import ModelError
from clip3d.models.checking import check_has_folder
from clip3d.models.clip_converting import NOT_STATED, check_empty
from clip3d.models.encoder_checkpoints import LoadedEncoder, load_encoder
from clip3d.models.joining import SPACE_FILE, join_models
from clip3d.models.model import Model
from clip3d.models.packing import TowerFacts, golden_clouds, golden_sweeps, pack
from clip3d.models.weights import check_hash, sha256_of, write_arrays

# As the encoders' publishers show them clouds; those that read colours see more points, and grey for no colour.
POINTS, COLORED_POINTS, GREY = 1024, 10_000, 0.4
# LidarCLIP bounds no sweep, and was trained on intensities as ONCE stores them.
SWEEP_POINTS, BRIGHTEST = 200_000, 255.0
# Two files of one teacher may differ by the rounding of half precision.
TOLERANCE = 2e-3

BELONGS = "The checkpoint holds its teacher's text projection, and the text tower's is the same."
BRIGHTNESS = (
    "Which numbers the encoder was trained on for intensities is not published: it is given them from 0 to {:g}."
)
UNCHECKED = (
    "That the encoder was trained into this space was not checked: its file holds nothing of its teacher, and the "
    "length of vectors is all that agrees. With another teacher's text tower its answers mean nothing."
)


@dataclass(frozen=True)
class Attached:
    """A model with a published encoder as its cloud or sweep tower.

    Attributes:
        model: loaded from its new folder.
        encoder: what the checkpoint turned out to be.
        belongs: whether the checkpoint itself shows that it was trained against this text tower; False where that
            cannot be told.
    """

    model: Model
    encoder: LoadedEncoder
    belongs: bool


def attach_encoder(
    checkpoint: str | PathLike[str],
    model: Model,
    out: str | PathLike[str],
    *,
    points: int | None = None,
    up: Literal["y", "z"] = "y",
    intensity: float = BRIGHTEST,
    name: str | None = None,
    licence: str | None = None,
) -> Attached:
    """Make a model's folder of a checkpoint's tower and a model's other towers; it is written whole or not.

    Args:
        checkpoint: as `load_encoder` takes it, of a kind that was trained into a CLIP's space.
        model: with the towers of that CLIP, such as SLIP's for CG3D and ULIP; it has no tower of that kind yet.
        out: folder that does not exist yet or is empty.
        points: that the tower is shown of a cloud; None for 1,024, or 10,000 where it reads colours; of a sweep at
            most so many, None for 200,000.
        up: axis that points up in the clouds that the checkpoint saw.
        intensity: the number that a sweep tower is shown for the brightest echo.
        name: of the model, if not the folder's.
        licence: of the checkpoint, as its publisher states it.

    Raises:
        ModelError: if the checkpoint cannot be read, has no projection into a CLIP's space, or one of another
            length; if it holds a teacher that is another than the model; if the model has such a tower already; or
            if `out` is not empty.
    """
    path = Path(checkpoint)
    check_empty(Path(out).resolve())
    check_has_folder(model)
    encoder = load_encoder(path, up=up)
    modality = encoder.modality
    if modality in model.card.towers:
        remedy = "convert the CLIP without --views" if modality == "cloud" else "attach it to a CLIP that has none"
        raise ModelError(model.folder, f"has a {modality} tower already", remedy)
    dim = encoder.config["dim"]
    if dim is None:
        raise ModelError(path, f"is of the layout of {encoder.layout}, which was trained into no CLIP's space")
    if dim != model.space.dim:
        reason = f"gives vectors of length {dim}, the space of {model.name} has {model.space.dim}"
        raise ModelError(path, reason, "attach it to the CLIP that it was trained against")
    belongs = _is_teacher(model, encoder, path)
    with tempfile.TemporaryDirectory() as place:
        limits = [BELONGS if belongs else UNCHECKED]
        if modality == "sweep":
            preprocess: dict[str, Any] = {"points": points or SWEEP_POINTS, "intensity": intensity}
            limits.append(BRIGHTNESS.format(intensity))
        else:
            preprocess = _cloud_preparation(encoder, points)
        alone = _pack_alone(encoder, model, Path(place), path, preprocess, limits, licence)
        return Attached(join_models([model, alone], out, name=name), encoder, belongs)


def _cloud_preparation(encoder: LoadedEncoder, points: int | None) -> dict[str, Any]:
    if encoder.config.get("colored"):
        return {"points": points or COLORED_POINTS, "color_fill": GREY}
    return {"points": points or POINTS}


def _is_teacher(model: Model, encoder: LoadedEncoder, path: Path) -> bool:
    """Whether the checkpoint's teacher is the model; ModelError if it is another."""
    theirs = encoder.text_projection
    if theirs is None or "text" not in model.card.towers:
        return False
    projection = getattr(getattr(model.tower("text"), "transformer", None), "projection", None)
    if projection is None:
        return False
    ours, theirs_t = projection.weight.detach().float().cpu().numpy(), theirs.float().numpy().T
    if ours.shape != theirs_t.shape or not np.allclose(ours, theirs_t, atol=TOLERANCE):
        reason = f"holds another teacher than {model.name}: their text projections differ"
        raise ModelError(path, reason, "attach it to the CLIP that it was trained against")
    return True


def _pack_alone(
    encoder: LoadedEncoder,
    model: Model,
    folder: Path,
    path: Path,
    preprocess: dict[str, Any],
    limits: list[str],
    licence: str | None,
) -> Model:
    """A model that has the encoder alone, in the space of the other."""
    state = {name: tensor.detach().numpy() for name, tensor in encoder.tower.state_dict().items()}
    weights = f"{encoder.modality}.safetensors"
    write_arrays(state, folder / weights)
    space = model.card.space
    check_hash(model.folder / space["weights"], space["sha256"])
    shutil.copyfile(model.folder / space["weights"], folder / SPACE_FILE)
    facts = {
        "name": path.stem,
        "version": "1",
        "licence": licence or NOT_STATED,
        "templates": list(model.card.templates),
        "data": [{
            "name": f"checkpoint {path.name}, layout of {encoder.layout}",
            "sha256": sha256_of(path),
            "use": f"{encoder.modality} tower, by clip3d models attach without a change but to float32 and z up",
        }],
        "measured": [],
        "limits": limits,
    }  # fmt: skip
    told = {**{key: space[key] for key in ("id", "dim", "scale", "stored")}, "weights": SPACE_FILE}
    tower = TowerFacts(encoder.architecture, weights, encoder.config, preprocess)
    golden = golden_sweeps() if encoder.modality == "sweep" else golden_clouds(2)
    return pack(folder, facts, told, {encoder.modality: tower}, golden)

"""Towers of several models of one space put into one, such as a CLIP and a cloud tower trained into its space."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import making_folder
from clip3d.errors import ModelError, ShapeError
from clip3d.models.card import Modality, TowerCard
from clip3d.models.checking import check_has_folder
from clip3d.models.clip_converting import NO_CLOUD_TOWER, check_empty
from clip3d.models.model import Model
from clip3d.models.packing import TowerFacts, pack
from clip3d.models.weights import check_hash, read_arrays

SPACE_FILE = "space.safetensors"


def join_models(models: Sequence[Model], out: str | PathLike[str], *, name: str | None = None) -> Model:
    """Make one model's folder of the towers of several; it is written whole or not at all.

    Data, measurements and limits of all cards are kept, each measurement with the model it was made on. Prompts
    and the scale of probabilities are the first model's. The threshold below which no label fits is kept where
    texts and clouds come from one model.

    Args:
        models: two or more of one space, no two with a tower of the same kind unless it is the same tower.
        out: folder that does not exist yet or is empty.
        name: of the model, if not the folder's.

    Raises:
        ModelError: if two models have different towers of a kind, a file is damaged, or `out` is not empty.
        SpaceMismatch: if the spaces differ.
        ShapeError: if there are not two models.
    """
    folder = Path(out).resolve()
    check_empty(folder)
    if len(models) < 2:
        raise ShapeError(f"joining takes two models or more, got {len(models)}")
    for model in models:
        check_has_folder(model)
    _check_spaces(models)
    owners = _owners(models)
    with making_folder(folder) as temporary:
        towers = {modality: copy_tower(model, modality, temporary) for modality, model in owners.items()}
        space = copy_space(models[0], temporary)
        facts = _facts(models, owners, name or folder.name) | _refusal(owners, temporary)
        pack(temporary, facts, space, towers, golden_inputs(owners))
    return Model(folder, device=models[0].device)


def _check_spaces(models: Sequence[Model]) -> None:
    first = models[0].space
    for model in models[1:]:
        first.check(model.space.id, f"the model {model.name}")
        if model.space.stored != first.stored or not np.array_equal(model.space.mean, first.mean):
            raise ModelError(model.folder, f"states the space {first.id!r} otherwise than {models[0].name} does")


def _owners(models: Sequence[Model]) -> dict[Modality, Model]:
    """The model that each tower comes from."""
    owners: dict[Modality, Model] = {}
    for model in models:
        for modality, tower in model.card.towers.items():
            other = owners.setdefault(modality, model)
            if _same(other.card.towers[modality]) != _same(tower):
                reason = f"its {modality} tower is another than that of {other.name}"
                raise ModelError(model.folder, reason, "join models that lack what the others have")
    return owners


def _same(tower: TowerCard) -> list[Any]:
    """What two equal towers share; a tokenizer's file has many forms."""
    config = {key: value for key, value in tower.config.items() if key != "tokenizer"}
    return [tower.architecture, config, tower.sha256, tower.preprocess]


def copy_tower(model: Model, modality: Modality, folder: Path) -> TowerFacts:
    """Copy the files of a model's tower, checked, into a folder; the weights come to be called as the modality."""
    tower, weights = model.card.towers[modality], f"{modality}.safetensors"
    _copy(model.folder / tower.weights, tower.sha256, folder / weights)
    for file, sha256 in tower.files.items():
        _copy(model.folder / file, sha256, folder / file)
    return TowerFacts(tower.architecture, weights, tower.config, tower.preprocess, tuple(tower.files))


def copy_space(model: Model, folder: Path) -> dict[str, Any]:
    """Copy a model's space, checked, into a folder: what `clip3d.models.packing.pack` takes."""
    facts = model.card.space
    _copy(model.folder / facts["weights"], facts["sha256"], folder / SPACE_FILE)
    return {**{key: facts[key] for key in ("id", "dim", "scale", "stored")}, "weights": SPACE_FILE}


def _copy(source: Path, sha256: str, target: Path) -> None:
    check_hash(source, sha256)
    if target.exists():
        raise ModelError(source, f"has the name of another tower's file, {target.name}")
    shutil.copyfile(source, target)


def _facts(models: Sequence[Model], owners: Mapping[Modality, Model], name: str) -> dict[str, Any]:
    cards = [model.card for model in models]
    limits = dict.fromkeys(limit for card in cards for limit in card.limits)
    return {
        "name": name,
        "version": "1",
        "licence": "; ".join(dict.fromkeys(card.licence for card in cards)),
        "templates": list(cards[0].templates),
        "data": [entry for card in cards for entry in card.data],
        "measured": [{"model": model.id, **entry} for model in models for entry in model.card.measured],
        "limits": [limit for limit in limits if limit != NO_CLOUD_TOWER or "cloud" not in owners],
    }


def _refusal(owners: Mapping[Modality, Model], folder: Path) -> dict[str, Any]:
    """What a card says of refusing, if the towers that it was fitted on stay together."""
    text, cloud = owners.get("text"), owners.get("cloud")
    if text is None or cloud is None or text is not cloud or not cloud.card.refusal:
        return {}
    facts = cloud.card.refusal
    _copy(cloud.folder / facts["background"], facts["sha256"], folder / facts["background"])
    return {"refusal": facts}


def golden_inputs(owners: Mapping[Modality, Model]) -> dict[str, NDArray[Any]]:
    """The recorded golden inputs of each tower, from its own model."""
    found: dict[str, NDArray[Any]] = {}
    for modality, model in owners.items():
        for file, sha256 in model.card.golden.items():
            check_hash(model.folder / file, sha256)
            arrays = read_arrays(model.folder / file)
            wanted = (key for key in arrays if key.startswith(f"{modality}.") and key != f"{modality}.vectors")
            found |= {key: arrays[key] for key in wanted}
    return found

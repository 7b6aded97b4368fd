"""A model with towers that were trained into its space, beside those it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import making_folder
from clip3d.errors import ModelError
from clip3d.models.card import Modality
from clip3d.models.checking import Inputs, check_has_folder
from clip3d.models.clip_converting import NO_CLOUD_TOWER, check_empty
from clip3d.models.joining import copy_space, copy_tower, golden_inputs
from clip3d.models.model import Model
from clip3d.models.packing import TowerFacts, pack
from clip3d.models.weights import write_arrays


@dataclass(frozen=True)
class NewTower:
    """A tower that was trained.

    Attributes:
        architecture: a name in `clip3d.towers.catalogue`.
        state: its weights.
        golden: inputs that `clip3d models check` encodes again, as `clip3d.models.packing` makes them.
        config: keyword arguments of the architecture.
        preprocess: how its inputs are prepared, as in `TowerCard`.
    """

    architecture: str
    state: Mapping[str, NDArray[Any]]
    golden: Inputs
    config: dict[str, Any] = field(default_factory=dict)
    preprocess: dict[str, Any] = field(default_factory=dict)


def with_towers(
    model: Model,
    towers: Mapping[Modality, NewTower],
    out: str | PathLike[str],
    *,
    name: str | None = None,
    scale: float | None = None,
    templates: Sequence[str] | None = None,
    data: Sequence[Mapping[str, Any]] = (),
    measured: Sequence[Mapping[str, Any]] = (),
    limits: Sequence[str] = (),
) -> Model:
    """Write a model of `model`'s space: these towers, and of its own those whose kind is not among them.

    What was measured of it is left out, as is its threshold for refusing: both are of the towers
    together.

    Args:
        model: the one whose space the towers were trained into.
        towers: by modality.
        out: folder that does not exist yet or is empty; it is written whole or not at all.
        name: of the new model, if not the folder's.
        scale: inverse temperature of probabilities, if not the model's.
        templates: prompts, if not the model's.
        data: entries of the card on what the new towers learned from.
        measured: entries of the card on what was measured.
        limits: sentences of the card on where the model fails.

    Raises:
        ModelError: if the model has no folder, a file of it is damaged, or `out` is not empty.
    """
    folder = Path(out).resolve()
    check_empty(folder)
    check_has_folder(model)
    kept: list[Modality] = [modality for modality in model.card.towers if modality not in towers]
    with making_folder(folder) as temporary:
        facts: dict[Modality, TowerFacts] = {kind: copy_tower(model, kind, temporary) for kind in kept}
        space = copy_space(model, temporary)
        if scale is not None:
            space["scale"] = scale
        golden: dict[str, NDArray[Any]] = dict(golden_inputs(dict.fromkeys(kept, model)))
        for modality, tower in towers.items():
            facts[modality] = _write(modality, tower, temporary)
            golden |= tower.golden
        card = {
            "name": name or folder.name,
            "version": "1",
            "licence": model.card.licence,
            "templates": list(model.card.templates if templates is None else templates),
            "data": [*model.card.data, *data],
            "measured": list(measured),
            "limits": [*(t for t in model.card.limits if t != NO_CLOUD_TOWER or "cloud" not in facts), *limits],
        }
        pack(temporary, card, space, facts, golden)
    return Model(folder, device=model.device)


def _write(modality: Modality, tower: NewTower, folder: Path) -> TowerFacts:
    path = folder / f"{modality}.safetensors"
    if path.exists():
        raise ModelError(path, "has the name of another tower's file")
    write_arrays({key: np.asarray(value) for key, value in tower.state.items()}, path)
    return TowerFacts(tower.architecture, path.name, tower.config, tower.preprocess)

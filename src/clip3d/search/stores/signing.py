"""Whose vectors a collection has: the model's space, id and weights, in its header."""

from __future__ import annotations

import hashlib

from clip3d.errors import SpaceMismatch
from clip3d.models.model import Model
from clip3d.search.stores.frame_vectors import VIEW_KINDS, Sensor, names_of
from clip3d.search.stores.store import Header


def header_of(model: Model) -> Header:
    """What all vectors of a model have in common."""
    space, card = model.space, model.card
    towers: dict[str, str] = {m: tower.id for m, tower in card.towers.items() if m not in ("text", "sweep")}
    if "sweep" in card.towers:
        lidar, camera = card.towers["sweep"].id, towers.get("image", "")
        together = hashlib.sha256(f"{lidar}+{camera}".encode()).hexdigest()
        ids: dict[Sensor, str] = {"lidar": lidar, "camera": camera, "joint": together}
        for kind in VIEW_KINDS:
            named = names_of(kind, lidar=True, camera=bool(camera))
            towers |= {name: ids[sensor] for sensor, name in named.items()}
    return Header(space.id, space.dim, space.mean, space.stored, model.id, card.weights_hash, towers)


def made_by(header: Header, model: Model) -> bool:
    """Whether vectors are of a model."""
    return header.space == model.space.id and header.weights == model.card.weights_hash


def check_model(address: str, header: Header, model: Model) -> None:
    """Raise SpaceMismatch, with how to re-index, unless a collection's vectors are of a model."""
    if made_by(header, model):
        return
    raise SpaceMismatch(
        f"{address}: its vectors are of the model {header.model} in the space {header.space!r}, this model is "
        f"{model.id} in {model.space.id!r}: give the model that made it with --model, or make all vectors anew: "
        f"clip3d index --db {address} --model {model.folder} --reindex"
    )

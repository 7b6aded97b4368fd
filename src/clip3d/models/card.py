"""The executable card of a model: what it is made of, how inputs are prepared, and what was measured."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clip3d.errors import ModelError

FORMAT = 1
MAX_CARD_BYTES = 4 * 2**20
Modality = Literal["text", "image", "cloud", "sweep"]


@dataclass(frozen=True)
class TowerCard:
    """One tower of a bundle.

    Attributes:
        modality: what it encodes.
        architecture: name in `clip3d.towers.catalogue`.
        config: keyword arguments of the architecture.
        weights: file name of its safetensors weights, inside the bundle's folder.
        sha256: of that file.
        preprocess: how an input is prepared; its keys depend on the modality.
        files: further files the tower reads, name to SHA-256.
    """

    modality: Modality
    architecture: str
    config: dict[str, Any]
    weights: str
    sha256: str
    preprocess: dict[str, Any]
    files: dict[str, str]

    @property
    def id(self) -> str:
        """Hex identity of everything that decides the tower's vectors."""
        parts = [self.modality, self.architecture, self.config, self.sha256, self.preprocess, self.files]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Card:
    """A model's card.

    Attributes:
        name: of the model, such as "mini".
        version: of these weights.
        licence: of the weights.
        space: keys id, dim, scale, stored, weights (file with the tensor `mean`) and its sha256.
        templates: prompts that a label is put into for classification.
        towers: by modality.
        golden: name and SHA-256 of the file with the recorded vectors that `clip3d models check` recomputes.
        data: what it was trained on: name, licence, use.
        measured: results: test, value, unit, protocol, n, command.
        limits: where it fails, in plain words.
        refusal: how it tells that no label fits, as `clip3d evaluate refusal --fit` prints it; or empty.
    """

    name: str
    version: str
    licence: str
    space: dict[str, Any]
    templates: tuple[str, ...]
    towers: dict[Modality, TowerCard]
    golden: dict[str, str]
    data: tuple[dict[str, Any], ...]
    measured: tuple[dict[str, Any], ...]
    limits: tuple[str, ...]
    refusal: dict[str, Any]
    raw: dict[str, Any]

    @property
    def weights_hash(self) -> str:
        """Hex SHA-256 over the towers' and the space's hashes: names these weights."""
        parts = sorted([tower.sha256 for tower in self.towers.values()] + [self.space["sha256"]])
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    @property
    def labels(self) -> tuple[str, ...]:
        """The only phrases that the text tower knows, as that of a classifier; empty where any phrase will do."""
        text = self.towers.get("text")
        return tuple(map(str, text.config.get("labels", ()))) if text else ()


def read_card(path: Path) -> Card:
    """Read a card.json.

    Raises:
        ModelError: if the file is missing, no card, of another format, or names files outside its folder.
    """
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ModelError(path, "is too large for a model card")
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise ModelError(path, reason, "a model is a folder with a card.json") from error
    except ValueError as error:
        raise ModelError(path, f"is not JSON: {error}") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ModelError(path, f"is no model card of format {FORMAT}", "use a clip3d version that knows it")
    try:
        card = _parse(raw)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(path, f"lacks or misstates {error}") from error
    for name in _files(card):
        if Path(name).name != name or name in ("", ".", ".."):
            raise ModelError(path, f"names the file {name!r}, which is not inside the model's folder")
    return card


def _parse(raw: dict[str, Any]) -> Card:
    towers: dict[Modality, TowerCard] = {
        modality: TowerCard(
            modality=modality,
            architecture=str(tower["architecture"]),
            config=dict(tower["config"]),
            weights=str(tower["weights"]),
            sha256=str(tower["sha256"]),
            preprocess=dict(tower.get("preprocess", {})),
            files=dict(tower.get("files", {})),
        )
        for modality, tower in raw["towers"].items()
    }
    space = dict(raw["space"])
    for key in ("id", "dim", "scale", "stored", "weights", "sha256"):
        space[key]
    refusal = dict(raw.get("refusal", {}))
    for key in ("background", "sha256", "threshold") if refusal else ():
        refusal[key]
    return Card(
        name=str(raw["name"]),
        version=str(raw["version"]),
        licence=str(raw["licence"]),
        space=space,
        templates=tuple(raw["templates"]),
        towers=towers,
        golden=dict(raw.get("golden", {})),
        data=tuple(raw.get("data", ())),
        measured=tuple(raw.get("measured", ())),
        limits=tuple(raw.get("limits", ())),
        refusal=refusal,
        raw=raw,
    )


def _files(card: Card) -> list[str]:
    names = [card.space["weights"], *card.golden]
    if card.refusal:
        names.append(card.refusal["background"])
    for tower in card.towers.values():
        names += [tower.weights, *tower.files]
    return [str(name) for name in names]

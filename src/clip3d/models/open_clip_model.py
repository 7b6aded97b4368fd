"""A model of the package open_clip, used as a model of this package is: ResNets, SigLIP, ConvNeXt and others.

Nothing is written: the card is made when the model is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ModelError
from clip3d.models.batching import in_batches
from clip3d.models.card import Card, Modality, TowerCard
from clip3d.models.clip_converting import TEMPLATES, UNMEASURED
from clip3d.models.clip_text import encode_phrases
from clip3d.models.model import Model, put_on
from clip3d.models.open_clip_loading import Opened, open_checkpoint
from clip3d.models.preprocess import ImagePreprocess, as_rgb
from clip3d.spaces import Space

Array = NDArray[np.float32]

TEXT_BATCH = 64
BACKGROUND = 1.0
LIMITS = (
    "It has no cloud tower: it finds and names pictures, but no 3D object.",
    UNMEASURED,
    "Probabilities are a softmax over the labels, also where it was trained with a sigmoid, as SigLIP was.",
)


def load_open_clip(name: str, device: str = "cpu") -> Model:
    """Load a model by way of open_clip, with its own preparation of pictures and its own tokenizer.

    Args:
        name: as `clip3d.models.open_clip_loading.open_checkpoint` takes it.
        device: torch device of both towers.

    Raises:
        MissingExtra: if open_clip is not installed.
        ModelError: if there is no such model, its weights cannot be loaded, or it cannot run on the device.
    """
    opened = open_checkpoint(name)
    if not opened.settled:
        reason = "the published weights of this architecture prepare pictures in different ways"
        raise ModelError(name, reason, "name them by their tag, or a folder with open_clip_config.json")
    put_on(device, opened.model, name)
    return _OpenClipModel(opened, device)


class _OpenClipModel(Model):
    """Towers that are open_clip's, with a card made for them."""

    def __init__(self, opened: Opened, device: str) -> None:
        self.folder = Path(opened.name)
        self.device = device
        texts = _Texts(opened, device)
        self._towers: dict[Modality, Any] = {"text": texts, "image": opened.model.encode_image}
        self._prepare = opened.prepare
        self.card = _card(opened, dim=texts.encode([""]).shape[1])

    @property
    def space(self) -> Space:
        """The space of both towers; nothing is subtracted, as its publisher compares vectors."""
        facts = self.card.space
        return Space(facts["id"], facts["dim"], np.zeros(facts["dim"], np.float32), facts["scale"], "unit")

    def image_preparation(self) -> ImagePreprocess:
        """Raise ModelError: it is open_clip's own, `prepare_image`."""
        raise ModelError(self.folder, "its pictures are prepared by open_clip, not by this package")

    def prepare_image(self, image: Any) -> Array:
        """open_clip's own pixels (3, s, s); what is transparent is made white first."""
        return np.asarray(self._prepare(as_rgb(image, BACKGROUND)).numpy(), dtype=np.float32)


class _Texts:
    """open_clip's tokenizer and text tower."""

    def __init__(self, opened: Opened, device: str) -> None:
        self._opened = opened
        self._device = device

    def encode(self, phrases: Sequence[str]) -> Array:
        """Vectors (n, d) float32 of n phrases, not brought to unit length."""
        model, tokenizer = self._opened.model, self._opened.tokenizer
        parts = [encode_phrases(model, tokenizer, some, self._device) for some in in_batches(phrases, TEXT_BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.encode([""])[0])), np.float32)


def _card(opened: Opened, dim: int) -> Card:
    digest = _digest(opened)
    scale = float(opened.model.logit_scale.detach().exp())
    space = {"id": f"open_clip:{digest[:12]}", "dim": dim, "scale": scale, "stored": "unit"}
    made = {"name": opened.name, "package": f"open_clip_torch {_version()}"}
    preparation = {key: str(value) for key, value in _preparation(opened).items()}
    prepared = {**preparation, "background": BACKGROUND}
    towers: dict[Modality, TowerCard] = {
        "text": TowerCard("text", "open_clip", made, "", digest, {}, {}),
        "image": TowerCard("image", "open_clip", made, "", digest, prepared, {}),
    }
    raw = {"name": opened.name, "space": space, "towers": {m: vars(t) for m, t in towers.items()}, "limits": LIMITS}
    space = {**space, "weights": "", "sha256": digest}
    return Card(opened.name, "1", "not stated", space, TEMPLATES, towers, {}, (), (), LIMITS, {}, raw)


def _digest(opened: Opened) -> str:
    """Hex SHA-256 of the weights and of what makes other vectors of them, whatever file they came in."""
    import torch

    settings = [opened.settings, sorted(map(str, _preparation(opened).items()))]
    digest = hashlib.sha256(repr(settings).encode())
    for key, tensor in sorted(opened.model.state_dict().items()):
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def _preparation(opened: Opened) -> dict[str, Any]:
    return dict(opened.model.visual.preprocess_cfg)


def _version() -> str:
    try:
        return version("open_clip_torch")
    except PackageNotFoundError:
        return "of unknown version"

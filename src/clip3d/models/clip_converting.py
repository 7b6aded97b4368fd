"""A CLIP checkpoint made into a model's folder, once, so that it is used as any model is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import making_folder
from clip3d.errors import ModelError, ShapeError
from clip3d.models.card import Modality
from clip3d.models.checking import phrases_as_bytes
from clip3d.models.clip_checkpoints import Clip, ClipFacts, find_weights, load_clip, source_files
from clip3d.models.clip_hub import Fetched, fetch_checkpoint, is_hub_name
from clip3d.models.clip_packing import write_clip_towers
from clip3d.models.clip_phrases import PHRASES_VERSION, mean_phrases
from clip3d.models.drawn_towers import DRAWN_CLOUDS, drawing_tower
from clip3d.models.model import Model
from clip3d.models.packing import TowerFacts, golden_clouds, golden_images, pack
from clip3d.models.weights import sha256_of, write_arrays
from clip3d.spaces import unit

Array = NDArray[np.float32]
Mean = Literal["none", "text"]

TEMPLATES = ("a photo of a {}",)
GOLDEN_PHRASES = ["a chair", "something to sit on", "a round wooden table", "red car", "an aeroplane", ""]
SPACE_FILE = "space.safetensors"
NOT_STATED = "not stated"
NO_CLOUD_TOWER = (
    "It has no cloud tower: it finds and names pictures, but no 3D object until one is trained into its space."
)
UNMEASURED = "It was not measured here. What its publisher says of its data, accuracy and faults holds."
NO_MEAN = (
    "Nothing is subtracted before vectors are compared: similarity is CLIP's own cosine, as its scale expects. "
    "Vectors of one kind share a large direction, so that cosines among phrases are all high; compare ranks."
)
TEXT_MEAN = (
    "The mean text vector is subtracted before vectors are compared. Pictures lie in another cone than texts and "
    "keep what they share: labels of pictures are ranked otherwise than by CLIP, and probabilities are sharper."
)


@dataclass(frozen=True)
class Converted:
    """A finished conversion.

    Attributes:
        model: loaded from its new folder.
        source: file of weights that was read.
        facts: what the checkpoint turned out to be.
    """

    model: Model
    source: Path
    facts: ClipFacts


def convert_clip(
    path: str | PathLike[str],
    out: str | PathLike[str],
    *,
    tokenizer: str | PathLike[str] | None = None,
    activation: str | None = None,
    name: str | None = None,
    licence: str | None = None,
    mean: Mean = "none",
    views: bool = False,
) -> Converted:
    """Make a model's folder from a CLIP checkpoint; it is written whole or not at all.

    CLIP's pictures and texts lie in two different cones. By default nothing is subtracted in the space, which makes
    its similarity CLIP's own cosine, and its probabilities those of the checkpoint's scale. With `mean="text"` the
    mean vector of the phrases in `clip3d.models.clip_phrases` is subtracted, as in `mini`: phrases are told apart
    better, and a cloud tower trained into the texts' cone; pictures keep what they share. The two are different
    spaces. A space's id comes from the weights and all that decides the vectors, not from the file they came in.

    Args:
        path: as `load_clip` takes it; or a model on Hugging Face's hub, which is then fetched by the package
            huggingface_hub: `hf-hub:OWNER/NAME`, or `OWNER/NAME` where no such folder exists.
        out: folder that does not exist yet or is empty.
        tokenizer: tokenizer.json or bpe_simple_vocab_16e6.txt.gz, if none lies beside the checkpoint.
        activation: as `load_clip` takes it.
        name: of the model, if not the folder's.
        licence: of the weights, as their publisher states it; None for what the hub's page says, if it is there.
        mean: what the space subtracts, "none" or "text".
        views: also give it a cloud tower, which draws pictures of a cloud and encodes them with the image tower.

    Raises:
        ModelError: if the checkpoint or tokenizer cannot be used or fetched, or `out` is not empty.
        MissingExtra: if a model on the hub is named, and huggingface_hub is not installed.
        ShapeError: if `mean` is neither.
    """
    folder = Path(out).resolve()
    check_empty(folder)
    if mean not in get_args(Mean):
        raise ShapeError(f"the mean must be one of {', '.join(get_args(Mean))}, got {mean!r}")
    fetched = fetch_checkpoint(str(path)) if is_hub_name(str(path)) else None
    source = find_weights(fetched.folder if fetched else Path(path))
    clip = load_clip(source, activation=activation)
    vocabulary = Path(tokenizer) if tokenizer is not None else clip.facts.tokenizer
    if vocabulary is None or not vocabulary.is_file():
        remedy = "give tokenizer.json, or OpenAI's bpe_simple_vocab_16e6.txt.gz, with --tokenizer"
        found = "no tokenizer lies beside it" if vocabulary is None else "there is no such tokenizer"
        raise ModelError(vocabulary or source, found, remedy)
    facts = {
        "name": name or folder.name,
        "version": "1",
        "licence": licence or (fetched and fetched.licence) or NOT_STATED,
        "templates": list(TEMPLATES),
        "data": [_provenance(source, clip, fetched)],
        "measured": [],
        "limits": [DRAWN_CLOUDS if views else NO_CLOUD_TOWER, UNMEASURED, NO_MEAN if mean == "none" else TEXT_MEAN],
    }
    with making_folder(folder) as temporary:
        towers = write_clip_towers(clip, temporary, vocabulary)
        space = _write_space(clip, temporary, towers, mean)
        if views:
            towers["cloud"] = drawing_tower(towers["image"])
        pack(temporary, facts, space, towers, _golden() | (golden_clouds() if views else {}))
    return Converted(Model(folder), source, clip.facts)


def check_empty(folder: Path) -> None:
    """Raise ModelError unless a model may be written to a folder: a new or empty one that is not the one in use."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        remedy = "choose another, or delete it first"
        raise ModelError(folder, "is no empty folder, and nothing in it is written over", remedy)
    if folder == Path.cwd():
        raise ModelError(folder, "is the folder that you are in", "name one inside it")


def _provenance(source: Path, clip: Clip, fetched: Fetched | None) -> dict[str, Any]:
    first, *others = source_files(source)
    return {
        "name": f"CLIP checkpoint {source.name}, layout of {clip.facts.layout}",
        "sha256": sha256_of(first),
        **({"files": {shard.name: sha256_of(shard) for shard in others}} if others else {}),
        **({"source": fetched.source} if fetched else {}),
        "use": "image and text tower, converted by clip3d models convert without a change but to float32",
    }


def _write_space(
    clip: Clip, folder: Path, towers: Mapping[Modality, TowerFacts], mean: Mean
) -> dict[str, Any]:
    """Write the space's mean; returns what a card says of the space, less the file's hash."""
    vector, identity = np.zeros(clip.facts.dim, np.float32), _identity(folder, towers)
    if mean == "text":
        vector, identity = _text_mean(folder, towers["text"]), f"{identity}:text-mean-{PHRASES_VERSION}"
    write_arrays({"mean": vector}, folder / SPACE_FILE)
    scale = clip.facts.scale
    return {"id": identity, "dim": clip.facts.dim, "scale": scale, "stored": "unit", "weights": SPACE_FILE}


def _identity(folder: Path, towers: Mapping[Modality, TowerFacts]) -> str:
    """Id of a space, from its towers' weights, settings and preparation; the tokenizer's file has many forms."""
    parts = [
        [modality, tower.architecture, sha256_of(folder / tower.weights), sorted(tower.preprocess.items())]
        + [[key, value] for key, value in sorted(tower.config.items()) if key != "tokenizer"]
        for modality, tower in sorted(towers.items())
    ]
    return f"clip:{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]}"


def _text_mean(folder: Path, text: TowerFacts) -> Array:
    """Mean (d,) of the unit vectors of the fixed phrases."""
    from clip3d.towers.clip_text import ClipTextTower

    tower = ClipTextTower.load(folder, text.weights, **text.config)
    return np.asarray(unit(tower.encode(mean_phrases())).mean(0), dtype=np.float32)


def _golden() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    pictures = golden_images(list(rng.integers(0, 256, size=(2, 64, 80, 3), dtype=np.uint8)))
    return {"text.phrases": phrases_as_bytes(GOLDEN_PHRASES), **pictures}

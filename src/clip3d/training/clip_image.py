"""Training of CLIP's image tower from nothing against a frozen text tower: a small teacher of one's own pictures.

What CLIP learns from captioned photographs (Radford et al. 2021, section 2.3) this learns from captioned pictures
of objects, with two changes: the negatives of a step are the whole vocabulary of the data, and near-equal captions
are positives, as in the training of cloud towers (`clip3d.training.cloud`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from clip3d.data.subsets import drawing_chances
from clip3d.data.triplet_sources import TripletSource, open_joined
from clip3d.data.triplets import Triplets
from clip3d.errors import DataError, FileProblem
from clip3d.models.loading import load
from clip3d.models.model import Model
from clip3d.models.packing import golden_images
from clip3d.models.preprocess import ImagePreprocess
from clip3d.models.replacing import NewTower, with_towers
from clip3d.towers.clip_vit import ClipViT
from clip3d.training.loop import Optimisation, Progress, train
from clip3d.training.objectives import caption_spread, centre, inverse_temperature, naming

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]

# The levels that pictures are scaled by: those of OpenAI's CLIP, which a tower of the same kind may as well share.
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
LEAST_CROP = 0.75  # of a picture's side
MOST_DRAWS = 4  # so many times the batch is drawn for, where pictures are damaged


@dataclass(frozen=True)
class ClipImageRecipe:
    """One training set-up of an image tower.

    Attributes:
        seed: of weights and batches.
        teacher: model whose text tower says where captions lie.
        data: triplets whose pictures and captions are learned from.
        template: prompt that captions are put into.
        size: pixels of a side.
        tower: keyword arguments of `ClipViT`, less size and dim.
        batch: pictures in a step.
        sharpness: inverse temperature by which a caption's share is spread over its likes.
        regression: weight of 1 - cosine to the mean of the object's captions.
        scale: inverse temperature of the logits at the start; it is learned.
        optimisation: the optimiser's settings.
    """

    data: tuple[TripletSource, ...]
    seed: int = 0
    teacher: str = "mini"
    template: str = "a {}"
    size: int = 96
    tower: dict[str, object] = field(default_factory=dict)
    batch: int = 64
    sharpness: float = 25.0
    regression: float = 0.5
    scale: float = 15.0
    optimisation: Optimisation = field(default_factory=Optimisation)


class Learner(nn.Module):
    """The tower with its learned inverse temperature."""

    def __init__(self, tower: ClipViT, scale: float) -> None:
        super().__init__()
        self.tower = tower
        self.log_scale = nn.Parameter(torch.tensor(float(np.log(scale))))

    @property
    def scale(self) -> Tensor:
        """Inverse temperature, at most 100 as in CLIP."""
        return inverse_temperature(self.log_scale)


def train_clip_image(recipe: ClipImageRecipe, out: Path, *, data: Path, progress: Progress) -> dict[str, Any]:
    """Train an image tower and write `out/model`: it beside the teacher's text tower.

    Args:
        recipe: the set-up.
        out: folder for checkpoint, metrics and result; a run found there is resumed.
        data: folder that the recipe's paths are relative to.
        progress: called with lines for the user.

    Returns:
        `scale`, the learned inverse temperature; `pictures` (objects with some) and `captions` that were learned
        from; `damaged`, how many pictures could not be read, if any.

    Raises:
        DataError: if the data hold no picture, or hardly one that can be read.
    """
    teacher = load(recipe.teacher)
    triplets = open_joined(recipe.data, data)
    pictured = np.flatnonzero([triplets.views(i) > 0 for i in range(len(triplets))])
    if not len(pictured):
        raise DataError(data, "the recipe's data hold no picture", "make some with clip3d data render")
    captions = [triplets.phrases(int(i)) for i in pictured]
    vocabulary = sorted({phrase for phrases in captions for phrase in phrases})
    positives = _positives(captions, vocabulary)
    progress(f"{len(pictured)} objects with pictures, {len(vocabulary)} captions")
    mean = torch.from_numpy(teacher.space.mean)
    phrases = torch.from_numpy(teacher.space.centre(teacher.encode_texts(vocabulary, [recipe.template])))
    spread = caption_spread(phrases, recipe.sharpness)
    chance = drawing_chances(triplets.labels[pictured])
    torch.manual_seed(recipe.seed)
    tower = ClipViT(size=recipe.size, dim=teacher.space.dim, **recipe.tower)  # type: ignore[arg-type]
    _randomize(tower)
    learner, prepare = Learner(tower, recipe.scale), ImagePreprocess(recipe.size, MEAN, STD)

    shown = _Shown(triplets, pictured, chance, recipe.batch, prepare, progress)

    def loss_of(module: nn.Module, rng: np.random.Generator) -> Tensor:
        rows, pixels = shown(rng)
        wanted = torch.from_numpy(positives[rows])
        vectors = centre(learner.tower(pixels), mean)
        return naming(vectors, wanted, phrases, spread, learner.scale, recipe.regression)

    digest = triplets.protocol()["data_sha256"]
    identity = f"{recipe}\n{teacher.card.weights_hash}\n{digest}"
    train(learner, loss_of, recipe.optimisation, out, seed=recipe.seed, identity=identity, progress=progress)
    found = {"scale": float(learner.scale.detach()), "pictures": len(pictured), "captions": len(vocabulary)}
    found |= {"damaged": len(shown.damaged)} if shown.damaged else {}
    _write(recipe, teacher, tower, out / "model", {"data_sha256": digest, **found})
    return found


def augmented(picture: Picture, size: int, rng: np.random.Generator) -> Picture:
    """A square part of a picture (h, w, 3), perhaps mirrored, its light changed: (size, size, 3) uint8."""
    height, width = picture.shape[:2]
    side = min(height, width) * rng.uniform(LEAST_CROP, 1)
    left, top = rng.uniform(0, width - side), rng.uniform(0, height - side)
    box = (left, top, left + side, top + side)
    image = Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC, box=box)
    values: Array = np.asarray(image, np.float32)
    if rng.random() < 0.5:
        values = values[:, ::-1]
    lit = (values - 127.5) * rng.uniform(0.7, 1.3) + 127.5 + rng.uniform(-25, 25, 3)
    return np.asarray(lit.clip(0, 255).round(), np.uint8)


class _Shown:
    """The pictures of each step. One that cannot be read is told once, and another is drawn in its place."""

    def __init__(
        self,
        triplets: Triplets,
        pictured: NDArray[np.intp],
        chance: NDArray[np.float64],
        batch: int,
        prepare: ImagePreprocess,
        progress: Progress,
    ) -> None:
        self.triplets, self.pictured, self.chance = triplets, pictured, chance
        self.batch, self.prepare, self.progress = batch, prepare, progress
        self.damaged: set[str] = set()

    def __call__(self, rng: np.random.Generator) -> tuple[list[int], Tensor]:
        """Rows of the objects with pictures, and their pictures (b, 3, size, size), augmented.

        Raises:
            DataError: if hardly any picture can be read.
        """
        rows: list[int] = []
        pixels: list[Tensor] = []
        for _ in range(MOST_DRAWS * self.batch):
            row = int(rng.choice(len(self.pictured), p=self.chance))
            picture = self._drawn(int(self.pictured[row]), rng)
            if picture is not None:
                rows.append(row)
                pixels.append(picture)
            if len(rows) == self.batch:
                return rows, torch.stack(pixels)
        reason, remedy = f"{len(self.damaged)} of their pictures cannot be read", "draw them anew"
        raise DataError("the recipe's data", reason, remedy)

    def _drawn(self, index: int, rng: np.random.Generator) -> Tensor | None:
        view = int(rng.integers(self.triplets.views(index)))
        try:
            picture = self.triplets.picture(index, view)
        except FileProblem as problem:
            if str(problem) not in self.damaged:
                self.progress(f"{problem}; another picture takes its place")
            self.damaged.add(str(problem))
            return None
        return torch.from_numpy(self.prepare(augmented(picture, self.prepare.size, rng)))


def _positives(captions: Sequence[tuple[str, ...]], vocabulary: Sequence[str]) -> Array:
    place = {phrase: i for i, phrase in enumerate(vocabulary)}
    positives = np.zeros((len(captions), len(vocabulary)), np.float32)
    for row, phrases in enumerate(captions):
        positives[row, [place[phrase] for phrase in phrases]] = 1 / len(set(phrases))
    return positives


def _randomize(tower: ClipViT) -> None:
    """Weights of a new tower as CLIP's: small normal ones, where the architecture leaves zeros."""
    width = tower.class_token.shape[0]
    nn.init.normal_(tower.class_token, std=width**-0.5)
    nn.init.normal_(tower.positions, std=width**-0.5)
    nn.init.normal_(tower.projection.weight, std=width**-0.5)


def _write(recipe: ClipImageRecipe, teacher: Model, tower: ClipViT, folder: Path, learned: dict[str, Any]) -> None:
    state = {name: tensor.detach().numpy() for name, tensor in tower.state_dict().items()}
    config = {**recipe.tower, "size": recipe.size, "dim": teacher.space.dim}
    preprocess = {"size": recipe.size, "mean": list(MEAN), "std": list(STD)}
    shown = golden_images([np.full((recipe.size, recipe.size, 3), level, np.uint8) for level in (0, 100, 255)])
    new = NewTower("clip-vit", state, shown, config, preprocess)
    with_towers(teacher, {"image": new}, folder, data=[{"source": "pictures of the recipe's triplets", **learned}])

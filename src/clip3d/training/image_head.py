"""Training of the head of an image tower on features of pictures that were made once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.data.galleries import draw_galleries
from clip3d.data.library import Library
from clip3d.spaces import Space, fill_templates
from clip3d.towers.image import ImageTower
from clip3d.training.loop import Part, Progress, Run, train_parts
from clip3d.training.objectives import contrastive
from clip3d.training.optimisers import Optimiser

Array = NDArray[np.float32]
GALLERIES = 20
TextEncoder = Callable[[list[str]], Array]


@dataclass(frozen=True)
class HeadRecipe:
    """How the small network of the head is trained.

    Attributes:
        hidden: width of the network.
        steps: of the optimiser.
        batch: pictures in a step; as many pseudo-photographs beside them.
        learning_rate: at the start; it falls to nothing along a half cosine.
        weight_decay: of the network.
        dropout: share of the features hidden from the network in training.
        scale: of cosines in the contrastive losses.
        softness: of the targets: captions count as right in proportion to exp(softness x cosine to the true one).
        photograph_weight: of the loss that keeps pseudo-photographs at their classes' names.
        cloud_weight: of the loss that draws pictures to their objects' clouds; 0 for a teacher without clouds.
        own_cloud: share of a picture's target that goes to its own object's cloud alone; the rest is spread evenly
            over the equally captioned objects of the batch.
        caption_power: objects are drawn with probability proportional to (objects of their caption) ** -power.
    """

    hidden: int = 256
    steps: int = 1000
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    dropout: float = 0.2
    scale: float = 20.0
    softness: float = 15.0
    photograph_weight: float = 1.0
    cloud_weight: float = 0.0
    own_cloud: float = 0.3
    caption_power: float = 0.5


class Beside(Protocol):
    """What else is taught in every step, such as `clip3d.training.driving_pictures.DrivingLoss`."""

    @property
    def settings(self) -> str:
        """All settings that decide it."""

    @property
    def tensors(self) -> list[Tensor]:
        """All data that decide it."""

    def __call__(self) -> Tensor:
        """Its loss (), drawn by torch's random numbers."""


@dataclass(frozen=True)
class Texts:
    """Phrases to centred unit directions of the text space."""

    encode: TextEncoder
    space: Space
    template: str

    def __call__(self, phrases: Sequence[str]) -> Array:
        """Directions (n, d) of n phrases."""
        return self.plain(fill_templates(phrases, [self.template]))

    def plain(self, phrases: Sequence[str]) -> Array:
        """Directions (n, d) of n phrases as they are."""
        return self.space.centre(self.encode(list(phrases)))

    def mixed(self, groups: Sequence[Sequence[str]]) -> Array:
        """Mean direction (n, d), less the mean of all, of each of n groups of synonyms.

        Without the mean of all, an undecided classifier gives no direction rather than that of the average class.
        """
        flat = self([name for names in groups for name in names])
        ends = np.cumsum([len(names) for names in groups])
        means = np.stack([part.mean(0) for part in np.split(flat, ends[:-1])])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        return np.asarray(means - means.mean(0), np.float32)


def train_head(
    tower: ImageTower,
    library: Library,
    features: NDArray[np.float16],
    texts: TextEncoder,
    clouds: Array | None,
    recipe: HeadRecipe,
    seed: int,
    folder: Path,
    progress: Progress,
    beside: Beside | None = None,
) -> None:
    """Train the small network of the head, in place, on the objects that are not held out.

    The loss is a cross-entropy over all captions with soft targets, so that near-synonyms do not repel each other;
    CG3D's L(3D,2D) (Hegde et al. 2023, section 3.2) against the objects' clouds, where there are some; and one
    minus the cosine between each pseudo-photograph's direction and what the classifier alone says.

    Args:
        tower: whose head is trained.
        library: n objects.
        features: (n, v, 1280) of v pictures of each.
        texts: phrases to directions.
        clouds: centred directions (n, w, d) of w clouds of each object, or None.
        recipe: the settings.
        seed: of weights and batches.
        folder: gets a folder of its own for each training, from which one that was stopped goes on.
        progress: called with a line now and then.
        beside: a loss that is added.
    """
    torch.manual_seed(seed)
    head, rows = tower.head, np.flatnonzero(~library.held_out)
    phrases, targets = soft_targets(library.select(rows), texts, recipe.softness)
    pictures = torch.from_numpy(features[rows].astype(np.float32))
    with torch.no_grad():
        known = torch.stack([head.by_classes(part) for part in pictures])
    shapes = None if clouds is None else torch.from_numpy(clouds[rows])
    alike = torch.from_numpy(first_captions(library.select(rows)))
    chance = torch.from_numpy(object_weights(library.select(rows), recipe.caption_power))
    tower.requires_grad_(False)
    for layer in (head.narrow, head.widen):
        layer.requires_grad_(True)

    def loss_of(_: nn.Module, __: object) -> Tensor:
        index = torch.multinomial(chance, recipe.batch, replacement=True)
        view = torch.randint(pictures.shape[1], (recipe.batch,))
        drawn = pictures[index, view]
        direction = F.normalize(known[index, view] + head.addition(F.dropout(drawn, recipe.dropout)), dim=1)
        naming = -(targets[index] * (recipe.scale * direction @ phrases.T).log_softmax(1)).sum(1).mean()
        if shapes is not None:
            shape = shapes[index, torch.randint(shapes.shape[1], (recipe.batch,))]
            matching = contrastive(direction, shape, alike[index], recipe.scale, recipe.own_cloud)
            naming = naming + recipe.cloud_weight * matching
        photographs = pseudo_photographs(tower, drawn)
        said = head.by_classes(photographs)
        kept = said + head.addition(F.dropout(photographs, recipe.dropout))
        keeping = 1 - F.cosine_similarity(kept, said, dim=1).mean()
        loss: Tensor = naming + recipe.photograph_weight * keeping
        return loss if beside is None else loss + beside()

    optimiser = Optimiser(
        lr=recipe.learning_rate, weight_decay=recipe.weight_decay, betas=(0.9, 0.999), decay_all=True
    )
    run = Run(recipe.steps, average=0.0, checkpoint_every=500, log_every=500)
    data = [pictures, known, targets, phrases, chance] + ([] if shapes is None else [shapes])
    data += [] if beside is None else beside.tensors
    data += [weight for layer in (head.narrow, head.widen) for weight in layer.parameters()]
    identity = _digest(f"{recipe} {seed}" + ("" if beside is None else f" {beside.settings}"), data)
    train_parts(
        tower,
        [Part(loss_of, optimiser)],
        run,
        folder / identity[:16],
        seed=seed,
        identity=identity,
        progress=progress,
        one_stream=True,
    )
    tower.eval().requires_grad_(False)


def _digest(settings: str, tensors: Sequence[Tensor]) -> str:
    """Names a training by all that decides it."""
    digest = hashlib.sha256(settings.encode())
    for tensor in tensors:
        digest.update(tensor.detach().numpy().tobytes())
    return digest.hexdigest()


def soft_targets(library: Library, texts: TextEncoder, softness: float) -> tuple[Tensor, Tensor]:
    """Directions (m, d) of all phrases of a library, and for each of n objects the phrases' shares (n, m)."""
    names = sorted({phrase for i in range(len(library)) for phrase in library.phrases(i)})
    column = {name: k for k, name in enumerate(names)}
    phrases = torch.from_numpy(texts(names))
    own = torch.zeros(len(library), len(names))
    for i in range(len(library)):
        own[i, [column[phrase] for phrase in library.phrases(i)]] = 1 / len(library.phrases(i))
    return phrases, own @ (softness * phrases @ phrases.T).softmax(1)


def first_captions(library: Library) -> NDArray[np.int64]:
    """Number (n,) of each object's most specific caption, equal where the captions are."""
    first = np.array([library.phrases(i)[0] for i in range(len(library))])
    return np.asarray(np.unique(first, return_inverse=True)[1], np.int64)


def object_weights(library: Library, power: float) -> NDArray[np.float64]:
    """How often each object is drawn: rarer captions more often."""
    place = first_captions(library)
    return np.asarray(np.bincount(place)[place] ** -power, np.float64)


def pseudo_photographs(tower: ImageTower, features: Tensor) -> Tensor:
    """Features (n, 1280) such as photographs of the classifier's classes might have.

    Each channel takes its value from some picture, which keeps how often a channel is silent but not what the
    pictures show; then the features are moved along the weights of one or two random classes.
    """
    n = len(features)
    mixed = torch.gather(features, 0, torch.randint(n, features.shape))
    weight = F.normalize(tower.head.classifier.weight.detach(), dim=1)
    one, other = (weight[torch.randint(len(weight), (n,))] for _ in range(2))
    share = torch.rand(n, 1).clamp(0, 0.5) * (torch.rand(n, 1) < 0.5)
    length = torch.empty(n, 1).uniform_(3, 11)
    return (mixed + length * ((1 - share) * one + share * other)).clamp(0, 6)


def measure(
    tower: ImageTower, library: Library, features: NDArray[np.float16], texts: TextEncoder
) -> dict[str, Any]:
    """Recall of the first caption of held-out objects, by each picture, among the held-out captions."""
    rows = np.flatnonzero(library.held_out)
    held = library.select(rows)
    first = [held.phrases(i)[0] for i in range(len(held))]
    names = sorted(set(first))
    truth = np.array([names.index(name) for name in first]).repeat(features.shape[1])
    with torch.inference_mode():
        pictures = torch.from_numpy(features[rows].astype(np.float32)).flatten(0, 1)
        direction = F.normalize(tower.head.direction(pictures), dim=1).numpy()
    score = direction @ texts(names).T
    place = (score > score[np.arange(len(score)), truth][:, None]).sum(1)
    return {
        "recall@1": float((place < 1).mean()),
        "recall@5": float((place < 5).mean()),
        "pictures": len(place),
        "objects": len(held),
        "captions": len(names),
    }


def measure_against_clouds(
    tower: ImageTower, library: Library, features: NDArray[np.float16], clouds: Array, seed: int, gallery: int = 100
) -> dict[str, Any]:
    """Recall of a held-out object's own cloud, given a picture of it, among the clouds of `gallery` such objects.

    Args:
        tower: the image tower.
        library: n objects.
        features: (n, v, 1280) of v pictures of each.
        clouds: (n, d) centred directions.
        seed: of the galleries, over which the recall is averaged.
        gallery: objects in a gallery; fewer if fewer are held out.
    """
    rows = np.flatnonzero(library.held_out)
    with torch.inference_mode():
        drawn = torch.from_numpy(features[rows].astype(np.float32))
        seen = F.normalize(tower.head.direction(drawn.flatten(0, 1)), dim=1).numpy()
    seen, places = seen.reshape(len(rows), -1, seen.shape[1]), []
    for chosen in draw_galleries(library.group[rows], gallery, GALLERIES, seed):
        score = np.einsum("nvd,md->nvm", seen[chosen], clouds[rows[chosen]])
        places.append((score > np.einsum("nvn->nv", score)[..., None]).sum(-1))
    return {f"cloud recall@{k}": float((np.stack(places) < k).mean()) for k in (1, 5)}

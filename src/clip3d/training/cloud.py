"""Training of a cloud tower against a text tower: every object is pulled to what it may be called.

CG3D's L(3D,text) (Hegde et al. 2023, section 3.2) with two changes: equal and near-equal captions are positives,
and the negatives of a step are the whole vocabulary of the libraries instead of the other captions of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clip3d.clouds.augmenting import Augmentation
from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.data.library import Library, join, read_library
from clip3d.errors import DataError
from clip3d.models.loading import load
from clip3d.models.model import Model
from clip3d.models.preprocess import CloudPreprocess
from clip3d.models.weights import load_strict, read_state, write_arrays
from clip3d.towers.set_abstraction import SetAbstractionTower
from clip3d.training.loop import Optimisation, Progress, train
from clip3d.training.objectives import caption_targets, centre, soft_cross_entropy

Array = NDArray[np.float32]


@dataclass(frozen=True)
class CloudRecipe:
    """One training set-up of a cloud tower.

    Attributes:
        seed: of weights and batches.
        teacher: model whose text tower says where captions lie.
        libraries: files of captioned clouds, relative to the data folder, each with its share of a batch.
        template: prompt that captions are put into.
        withhold: captions that are never shown; an object left without captions is left out.
        batch: objects in a step.
        counts: numbers of points, one drawn for each step.
        even_share: share of the steps that see points in farthest-point order, as a dense cloud is prepared for
            use; the others see points drawn at random.
        sharpness: inverse temperature by which a caption's share is spread over its likes.
        regression: weight of 1 - cosine to the mean of the object's captions.
        scale: inverse temperature of the logits at the start; it is learned.
        tower: keyword arguments of the architecture.
        initial: weights of the same architecture to start from, relative to the data folder; random if empty.
        augmentation: changes to a cloud before it is shown.
        optimisation: the optimiser's settings.
    """

    seed: int = 0
    teacher: str = "mini"
    libraries: dict[str, float] = field(default_factory=dict)
    template: str = "a {}"
    withhold: tuple[str, ...] = ()
    batch: int = 64
    counts: tuple[int, ...] = (256, 512, 1024, 1024)
    even_share: float = 0.5
    sharpness: float = 25.0
    regression: float = 0.5
    scale: float = 15.0
    tower: dict[str, object] = field(default_factory=dict)
    initial: str = ""
    augmentation: Augmentation = field(default_factory=Augmentation)
    optimisation: Optimisation = field(default_factory=Optimisation)


@dataclass(frozen=True, eq=False)
class Captioned:
    """Training objects of one library with their phrases as indices into a vocabulary.

    Attributes:
        library: the objects.
        positives: (n, v) float32, rows that add up to 1.
        chance: (n,) probability of being drawn: objects of a rare caption come up more often than their count says.
    """

    library: Library
    positives: Array
    chance: NDArray[np.float64]


class Learner(nn.Module):
    """The tower with its learned inverse temperature."""

    def __init__(self, tower: nn.Module, scale: float) -> None:
        super().__init__()
        self.tower = tower
        self.log_scale = nn.Parameter(torch.tensor(float(np.log(scale))))

    def forward(self, points: Tensor, colors: Tensor) -> Tensor:
        """Raw vectors (b, d)."""
        vectors: Tensor = self.tower(points, colors)
        return vectors

    @property
    def scale(self) -> Tensor:
        """Inverse temperature, at most 100 as in CLIP."""
        return self.log_scale.exp().clamp(max=100)


def train_cloud(
    recipe: CloudRecipe,
    out: Path,
    *,
    data: Path,
    progress: Progress,
    validate: Callable[[nn.Module, Model], dict[str, float]] | None = None,
) -> dict[str, float]:
    """Train a tower and write `cloud.safetensors` (half precision) into `out`.

    Args:
        recipe: the set-up.
        out: folder for checkpoint, metrics and result; a run found there is resumed.
        data: folder in which the recipe's libraries lie.
        progress: called with lines for the user.
        validate: numbers from the tower and the teacher, taken now and then.

    Returns:
        `scale`: the learned inverse temperature.
    """
    teacher = load(recipe.teacher)
    parts = read_training_libraries(recipe, data)
    vocabulary = sorted({phrase for part in parts for i in range(len(part)) for phrase in part.phrases(i)})
    kept = [phrase for phrase in vocabulary if phrase not in recipe.withhold]
    sets = [_captioned(part, kept) for part in parts]
    progress(f"{sum(len(s.library) for s in sets)} objects, {len(kept)} captions, {len(sets)} libraries")
    mean = torch.from_numpy(teacher.space.mean)
    phrases = torch.from_numpy(teacher.space.centre(teacher.encode_texts(kept, [recipe.template])))
    shares = np.array(list(recipe.libraries.values()), float)

    torch.manual_seed(recipe.seed)
    learner = Learner(_start(recipe, data, teacher.space.mean), recipe.scale)

    def loss_of(module: nn.Module, rng: np.random.Generator) -> Tensor:
        points, colors, positives = _batch(recipe, sets, shares / shares.sum(), rng)
        vectors = centre(module(points, colors), mean)
        target = caption_targets(phrases, positives, recipe.sharpness)
        wanted = torch.nn.functional.normalize(positives @ phrases, dim=-1)
        distance = 1 - (vectors * wanted).sum(-1).mean()
        return soft_cross_entropy(learner.scale * vectors @ phrases.T, target) + recipe.regression * distance

    train(
        learner,
        loss_of,
        recipe.optimisation,
        out,
        seed=recipe.seed,
        identity=repr(recipe),
        progress=progress,
        validate=None if validate is None else lambda m: validate(m.tower, teacher),  # type: ignore[arg-type]
    )
    state = {n: t.half() if t.is_floating_point() else t for n, t in learner.tower.state_dict().items()}
    write_arrays({name: tensor.numpy() for name, tensor in state.items()}, out / "cloud.safetensors")
    return {"scale": float(learner.scale.detach())}


def read_training_libraries(recipe: CloudRecipe, data: Path) -> list[Library]:
    """The objects of each library that are not held out."""
    if not recipe.libraries:
        raise DataError(data, "the recipe names no library", "list files under [libraries] in the recipe")
    libraries = [read_library(data / name) for name in recipe.libraries]
    return [library.select(~library.held_out) for library in libraries]


def held_out_objects(recipe: CloudRecipe, data: Path) -> Library:
    """The objects of all libraries that are held out from training."""
    libraries = [read_library(data / name) for name in recipe.libraries]
    return join([library.select(library.held_out) for library in libraries])


def _captioned(library: Library, vocabulary: Sequence[str]) -> Captioned:
    index = {phrase: i for i, phrase in enumerate(vocabulary)}
    own = [[index[p] for p in library.phrases(i) if p in index] for i in range(len(library))]
    stays = np.array([bool(p) for p in own])
    own = [p for p in own if p]
    positives = np.zeros((len(own), len(vocabulary)), np.float32)
    for row, columns in enumerate(own):
        positives[row, columns] = 1 / len(columns)
    first = np.array([p[0] for p in own])
    count = np.bincount(first, minlength=len(vocabulary))
    chance = 1 / np.sqrt(count[first])
    return Captioned(library.select(stays), positives, chance / chance.sum())


def _batch(
    recipe: CloudRecipe, sets: Sequence[Captioned], shares: NDArray[np.float64], rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    count = int(rng.choice(recipe.counts))
    even = rng.random() < recipe.even_share
    which = rng.choice(len(sets), size=recipe.batch, p=shares)
    points, colors, positives = [], [], []
    for source in which:
        chosen = sets[source]
        item = int(rng.choice(len(chosen.chance), p=chosen.chance))
        xyz, rgb = view(chosen.library, item, count, even, recipe.augmentation, rng)
        points.append(xyz)
        colors.append(rgb)
        positives.append(chosen.positives[item])
    stacked = (torch.from_numpy(np.stack(column)) for column in (points, colors, positives))
    return tuple(stacked)  # type: ignore[return-value]


def view(
    library: Library, item: int, count: int, even: bool, augmentation: Augmentation, rng: np.random.Generator
) -> tuple[Array, Array]:
    """One object as a step sees it: augmented, `count` points, in the unit sphere.

    Args:
        library: where the object lies.
        item: its index.
        count: number of points; where the augmentation leaves fewer, some are repeated.
        even: take the first points in farthest-point order instead of any.
        augmentation: changes to the cloud.
        rng: source of all randomness.

    Returns:
        points (count, 3) and colours (count, 3), float32.
    """
    total = library.points.shape[1]
    # Twice the count is enough for what an augmentation removes.
    pool = np.arange(min(total, 2 * count)) if even else rng.permutation(total)[: 2 * count]
    xyz = library.points[item][pool].astype(np.float32)
    fill = CloudPreprocess().color_fill
    rgb = library.colors[item][pool].astype(np.float32) / 255 if library.colored[item] else np.full_like(xyz, fill)
    xyz, changed = augmentation(xyz, rgb, rng)
    assert changed is not None
    kept = np.resize(np.arange(len(xyz)) if even else rng.permutation(len(xyz)), count)
    return normalize_unit_sphere(xyz[kept])[0], changed[kept]


def _start(recipe: CloudRecipe, data: Path, mean: Array) -> nn.Module:
    tower = SetAbstractionTower(**recipe.tower)  # type: ignore[arg-type]
    if recipe.initial:
        path = data / recipe.initial
        return load_strict(tower, read_state(path), path).requires_grad_(True)
    # Vectors start at the mean of the space, where every direction is as near as any other.
    head = tower.get_submodule("head.2")
    with torch.no_grad():
        head.bias.copy_(torch.from_numpy(mean))  # type: ignore[operator]
        head.weight.mul_(0.5)  # type: ignore[operator]
    return tower

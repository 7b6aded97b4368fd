"""Training of a cloud tower against a text tower: every object is pulled to what it may be called.

CG3D's objective (Hegde et al. 2023, section 3.2), L(3D,text) + L(3D,2D), with two changes to the first part:
equal and near-equal captions are positives, and the negatives of a step are the whole vocabulary of the libraries
instead of the other captions of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clip3d.clouds.augmenting import Augmentation, random_tilt, rotate, rotation_about
from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.clouds.posing import SIDES
from clip3d.data.library import Library, join, read_library
from clip3d.data.pictures import Pictures, read_pictures
from clip3d.data.subsets import drawing_chances
from clip3d.errors import DataError
from clip3d.models.loading import load
from clip3d.models.model import Model
from clip3d.models.preprocess import CloudPreprocess
from clip3d.models.weights import load_strict, read_state, sha256_of, write_arrays
from clip3d.simulation.objects import GENERAL
from clip3d.towers.set_abstraction import SetAbstractionTower
from clip3d.training.loop import Optimisation, Progress, train
from clip3d.training.objectives import caption_spread, centre, contrastive, inverse_temperature, naming

Array = NDArray[np.float32]

# Partial views are taken of at least so many points, if a cloud has them.
VIEWED_POINTS = 1024
# Of the objects that may lie on any side this share stands upright, so that both answers are frequent.
UPRIGHT_SHARE = 1 / 3


@dataclass(frozen=True)
class CloudRecipe:
    """One training set-up of a cloud tower.

    Attributes:
        seed: of weights and batches.
        teacher: model whose text tower says where captions lie.
        libraries: files of captioned clouds, relative to the data folder, each with its share of a batch.
        template: prompt that captions are put into.
        withhold: captions that are never shown; an object left without captions is left out.
        general: weight of a caption for many kinds of things, such as "animal"
            (`clip3d.simulation.objects.GENERAL`), beside 1 for an object's other captions.
        batch: objects in a step.
        counts: numbers of points, one drawn for each step.
        even_share: share of the steps that see points in farthest-point order, as a dense cloud is prepared for
            use; the others see points drawn at random.
        pose_free: share of the objects of which the tower is told that they may lie on any side: a third of them
            stand upright, the others lie on one of the other five sides of their boxes.
        pictures: file of image vectors of the objects' pictures, as the training of an image tower writes it,
            relative to the data folder; none if empty.
        picture_weight: weight of the contrastive loss against them.
        own_picture: share of a cloud's target that goes to its own picture alone; the rest is spread evenly over
            the pictures of equally captioned objects.
        sharpness: inverse temperature by which a caption's share is spread over its likes.
        prior: how much of the log frequency of a phrase is added to its logit in training (logit adjustment, Menon
            et al. 2021, equation 10), so that frequent things are not answered more often in use; 0 for plain
            logits.
        regression: weight of 1 - cosine to the mean of the object's captions.
        stance: weight of the cross entropy of telling whether an object of the pose-free share stands upright.
        scale: inverse temperature of the logits at the start; it is learned.
        tower: keyword arguments of the architecture.
        initial: weights of the same architecture to start from, relative to the data folder; random if empty. Their
            statistics of normalisation stay: the clouds of a batch are of one size, so that its statistics are not
            those that the finished tower uses.
        augmentation: changes to a cloud before it is shown.
        optimisation: the optimiser's settings.
    """

    seed: int = 0
    teacher: str = "mini"
    libraries: dict[str, float] = field(default_factory=dict)
    template: str = "a {}"
    withhold: tuple[str, ...] = ()
    general: float = 1.0
    batch: int = 64
    counts: tuple[int, ...] = (256, 512, 1024, 1024)
    even_share: float = 0.5
    pose_free: float = 0.0
    pictures: str = ""
    picture_weight: float = 0.5
    own_picture: float = 0.5
    sharpness: float = 25.0
    prior: float = 0.0
    regression: float = 0.5
    stance: float = 0.0
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
        first: (n,) index of each object's most specific phrase.
        chance: (n,) probability of being drawn: objects of a rare caption come up more often than their count says.
    """

    library: Library
    positives: Array
    first: NDArray[np.int64]
    chance: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step sees.

    Attributes:
        points: (b, p, 3) float32.
        colors: (b, p, 3) float32.
        upright: (b,) bool, False where the object may lie on any side.
        stands: (b,) float32, 1 where the object stands upright.
        positives: (b, v) float32, each object's phrases.
        first: (b,) long, the phrase that decides which objects are captioned alike.
        pictures: (b, d) float32 image vector of a picture of each object; zeros where there is none.
    """

    points: Tensor
    colors: Tensor
    upright: Tensor
    stands: Tensor
    positives: Tensor
    first: Tensor
    pictures: Tensor


class Learner(nn.Module):
    """The tower with its learned inverse temperature, and perhaps with fixed statistics of normalisation."""

    def __init__(self, tower: nn.Module, scale: float, *, fixed_norms: bool = False) -> None:
        super().__init__()
        self.tower = tower
        self.fixed_norms = fixed_norms
        self.log_scale = nn.Parameter(torch.tensor(float(np.log(scale))))

    def forward(self, points: Tensor, colors: Tensor, upright: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Raw vectors (b, d), and the logit (b,) that each stands upright, if that is not given."""
        if upright is None:
            return self.tower(points, colors), None
        vectors, stance = self.tower.with_stance(points, colors, upright)  # type: ignore[operator]
        return vectors, stance

    def train(self, mode: bool = True) -> Learner:
        """As every module's, but fixed norms stay in use."""
        super().train(mode)
        if self.fixed_norms:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm1d):
                    module.eval()
        return self

    @property
    def scale(self) -> Tensor:
        """Inverse temperature, at most 100 as in CLIP."""
        return inverse_temperature(self.log_scale)


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
    sets = [_captioned(part, kept, recipe.general) for part in parts]
    progress(f"{sum(len(s.library) for s in sets)} objects, {len(kept)} captions, {len(sets)} libraries")
    mean = torch.from_numpy(teacher.space.mean)
    phrases = torch.from_numpy(teacher.space.centre(teacher.encode_texts(kept, [recipe.template])))
    spread = caption_spread(phrases, recipe.sharpness)
    shares = np.array(list(recipe.libraries.values()), float)
    shares /= shares.sum()
    frequency = sum(share * (s.chance @ s.positives) for share, s in zip(shares, sets, strict=True))
    bias = recipe.prior * torch.log(torch.from_numpy(np.asarray(frequency, np.float32)) @ spread)
    pictures = read_pictures(data / recipe.pictures) if recipe.pictures else None
    torch.manual_seed(recipe.seed)
    learner = Learner(_start(recipe, data, teacher.space.mean), recipe.scale, fixed_norms=bool(recipe.initial))

    def loss_of(module: nn.Module, rng: np.random.Generator) -> Tensor:
        batch = draw(recipe, sets, shares, pictures, rng)
        raw, stance = module(batch.points, batch.colors, batch.upright if recipe.pose_free else None)
        vectors = centre(raw, mean)
        loss = naming(vectors, batch.positives, phrases, spread, learner.scale, recipe.regression, bias)
        if stance is not None:
            loss = loss + recipe.stance * _stance_loss(stance, batch)
        return loss + recipe.picture_weight * _picturing(recipe, vectors, batch, mean, learner.scale)

    train(
        learner,
        loss_of,
        recipe.optimisation,
        out,
        seed=recipe.seed,
        identity=_identity(recipe, data, teacher),
        progress=progress,
        validate=None if validate is None else lambda m: validate(m.tower, teacher),  # type: ignore[arg-type]
    )
    state = {n: t.half() if t.is_floating_point() else t for n, t in learner.tower.state_dict().items()}
    write_arrays({name: tensor.numpy() for name, tensor in state.items()}, out / "cloud.safetensors")
    return {"scale": float(learner.scale.detach())}


def _identity(recipe: CloudRecipe, data: Path, teacher: Model) -> str:
    """What decides a run: settings that are not the default, the teacher's weights, and the files learned from."""
    settings = [f"{f.name}={getattr(recipe, f.name)!r}" for f in fields(recipe) if _is_set(recipe, f)]
    files = [data / name for name in (*recipe.libraries, recipe.pictures, recipe.initial) if name]
    return "\n".join([*settings, teacher.card.weights_hash, *(f"{path.name} {sha256_of(path)}" for path in files)])


def _is_set(recipe: CloudRecipe, setting: Field[Any]) -> bool:
    default = setting.default if setting.default_factory is MISSING else setting.default_factory()
    return bool(getattr(recipe, setting.name) != default)


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


def _stance_loss(stance: Tensor, batch: Batch) -> Tensor:
    """Cross entropy over the objects that may lie on any side, divided by the size of the batch."""
    losses = torch.nn.functional.binary_cross_entropy_with_logits(stance, batch.stands, reduction="none")
    return (~batch.upright * losses).mean()


def _picturing(recipe: CloudRecipe, vectors: Tensor, batch: Batch, mean: Tensor, scale: Tensor) -> Tensor:
    pictured = batch.pictures.any(1)
    if pictured.sum() < 2:
        return vectors.new_zeros(())
    seen = centre(batch.pictures[pictured], mean)
    return contrastive(vectors[pictured], seen, batch.first[pictured], scale, recipe.own_picture)


def _captioned(library: Library, vocabulary: Sequence[str], general: float) -> Captioned:
    index = {phrase: i for i, phrase in enumerate(vocabulary)}
    own = [[index[p] for p in library.phrases(i) if p in index] for i in range(len(library))]
    stays = np.array([bool(p) for p in own])
    own = [p for p in own if p]
    positives = np.zeros((len(own), len(vocabulary)), np.float32)
    weight = np.array([general if phrase in GENERAL else 1.0 for phrase in vocabulary])
    for row, columns in enumerate(own):
        # An object of which only general things are said is still to be called that.
        weights = weight[columns] if weight[columns].any() else np.ones(len(columns))
        positives[row, columns] = weights / weights.sum()
    first = np.array([p[0] for p in own])
    return Captioned(library.select(stays), positives, first, drawing_chances(first))


def draw(
    recipe: CloudRecipe,
    sets: Sequence[Captioned],
    shares: NDArray[np.float64],
    pictures: Pictures | None,
    rng: np.random.Generator,
) -> Batch:
    """The objects of one step, all with the same number of points, and what they are to be compared with."""
    count = int(rng.choice(recipe.counts))
    even = rng.random() < recipe.even_share
    square = replace(recipe.augmentation, turn=0.0, tilt=0.0)
    rows = []
    for source in rng.choice(len(sets), size=recipe.batch, p=shares):
        chosen = sets[source]
        item = int(rng.choice(len(chosen.chance), p=chosen.chance))
        upright = bool(rng.random() >= recipe.pose_free)
        xyz, rgb = view(chosen.library, item, count, even, recipe.augmentation if upright else square, rng)
        side = 0 if upright or rng.random() < UPRIGHT_SHARE else int(rng.integers(1, len(SIDES)))
        if not upright:
            xyz = rotate(xyz, _lying(side, recipe.augmentation, rng))
        seen = pictures.draw(str(chosen.library.name[item]), rng) if pictures else np.zeros(1, np.float32)
        shown = xyz, rgb, np.array(upright), np.array(side == 0, np.float32)
        rows.append((*shown, chosen.positives[item], chosen.first[item], seen))
    return Batch(*(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)))


def _lying(side: int, augmentation: Augmentation, rng: np.random.Generator) -> NDArray[np.float64]:
    """A rotation that turns a side of an upright cloud up and the whole in any direction, and may lean it over."""
    leaning = random_tilt(rng, augmentation.tilt_degrees if rng.random() < augmentation.tilt else 0.0)
    return np.asarray(leaning @ rotation_about("z", rng.uniform(0, 2 * np.pi)) @ SIDES[side])


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
    # Twice the count is enough for what an augmentation removes; of too few points none would hide another.
    pooled = min(total, max(2 * count, VIEWED_POINTS))
    pool = np.arange(pooled) if even else rng.permutation(total)[:pooled]
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

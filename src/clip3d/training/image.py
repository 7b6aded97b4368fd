"""Training of the image tower's head: pictures drawn of captioned objects, and a classifier's class names.

The trunk stays as published; what is learned maps its features into the text space. No photograph is used: what
the classifier knows of photographs enters through its weights and the names of its classes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from clip3d.atomic import replacing
from clip3d.data.icons import read_icons
from clip3d.data.library import Library, join, read_library
from clip3d.errors import DataError
from clip3d.models.loading import load
from clip3d.models.preprocess import ImagePreprocess
from clip3d.models.weights import quantize_rows, read_torch, write_arrays
from clip3d.render.splat import splat_cutout
from clip3d.spaces import Space, fill_templates
from clip3d.towers.image import FEATURES, EfficientNetLite0, ImageTower, rename_published
from clip3d.training.pictures import Picture, random_picture

Array = NDArray[np.float32]
Progress = Callable[[str], None]
TextEncoder = Callable[[list[str]], Array]
Icons = Mapping[str, Picture]

# Objects whose pictures are drawn between two writes of the cache.
_CHUNK = 50


@dataclass(frozen=True)
class ImageRecipe:
    """Every constant of the training.

    Attributes:
        libraries: library files, relative to the data folder.
        classifier: the published EfficientNet-Lite0 checkpoint, relative to the data folder.
        class_ids: WordNet ids of its classes, one a line in the classifier's order, relative to the data folder.
        class_names: a line for each WordNet id: the id, a tab, its names joined by ", "; likewise relative.
        teacher: model whose text tower gives the targets.
        template: prompt that names and captions are put into.
        icons: the package whose icons are used beside drawn views, relative to the data folder; none where empty.
        views: pictures of views drawn of each object.
        icon_pictures: pictures made of each icon.
        hidden: width of the head's small network.
        steps: of the optimiser.
        batch: pictures in a step; as many pseudo-photographs beside them.
        learning_rate: at the start; it falls to nothing along a half cosine.
        weight_decay: of the small network.
        dropout: share of the features hidden from the small network in training.
        scale: of cosines in the contrastive loss.
        softness: of the targets: captions count as right in proportion to exp(softness x cosine to the true one).
        photograph_weight: of the loss that keeps pseudo-photographs at their classes' names.
        caption_power: objects are drawn with probability proportional to (objects of their caption) ** -power.
        seed: of all chance.
    """

    libraries: tuple[str, ...]
    classifier: str
    class_ids: str
    class_names: str
    teacher: str = "mini"
    template: str = "a {}"
    icons: str = ""
    views: int = 2
    icon_pictures: int = 4
    hidden: int = 256
    steps: int = 1000
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    dropout: float = 0.2
    scale: float = 20.0
    softness: float = 15.0
    photograph_weight: float = 1.0
    caption_power: float = 0.5
    seed: int = 0


def train_image(recipe: ImageRecipe, out: Path, *, data: Path, progress: Progress) -> dict[str, Any]:
    """Train an image tower and write its weights.

    Run again with the same recipe and folder, it goes on with the pictures' features that were written.

    Args:
        recipe: every constant.
        out: folder for `image.safetensors` and, under `features/`, the cache of features.
        data: folder that the recipe's paths are relative to.
        progress: called with a line now and then.

    Returns:
        What was measured on held-out objects: name of the measure to value, with counts.
    """
    model = load(recipe.teacher)
    library = join([read_library(data / name) for name in recipe.libraries])
    trunk, classifier = read_classifier(data / recipe.classifier)
    names = read_class_names(data / recipe.class_ids, data / recipe.class_names)
    icons = read_icons(data / recipe.icons) if recipe.icons else {}
    features = picture_features(library, icons, trunk, recipe, out / "features", progress)
    texts = Texts(model.encode_texts, model.space, recipe.template)
    tower = new_tower(trunk, classifier, texts.mixed(names), model.space.mean, recipe.hidden)
    train_head(tower, library, features, texts, recipe, progress)
    save_tower(tower, out / "image.safetensors")
    return measure(tower, library, features, texts)


@dataclass(frozen=True)
class Texts:
    """Phrases to centred unit directions of the text space."""

    encode: TextEncoder
    space: Space
    template: str

    def __call__(self, phrases: Sequence[str]) -> Array:
        """Directions (n, d) of n phrases."""
        return self.space.centre(self.encode(fill_templates(phrases, [self.template])))

    def mixed(self, groups: Sequence[Sequence[str]]) -> Array:
        """Mean direction (n, d), less the mean of all, of each of n groups of synonyms.

        Without the mean of all, an undecided classifier gives no direction rather than that of the average class.
        """
        flat = self([name for names in groups for name in names])
        ends = np.cumsum([len(names) for names in groups])
        means = np.stack([part.mean(0) for part in np.split(flat, ends[:-1])])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        return np.asarray(means - means.mean(0), np.float32)


def read_classifier(path: Path) -> tuple[EfficientNetLite0, torch.nn.Linear]:
    """The published trunk with batch norms merged, in eval mode, and its classifier."""
    state, weight, bias = rename_published(read_torch(path))
    trunk = EfficientNetLite0()
    trunk.load_state_dict(state, strict=True)
    trunk.eval().requires_grad_(False).fold()
    classifier = torch.nn.Linear(FEATURES, len(weight))
    classifier.load_state_dict({"weight": weight, "bias": bias})
    return trunk, classifier


def read_class_names(ids: Path, names: Path) -> list[list[str]]:
    """Synonyms of each class, the usual name first."""
    table = dict(line.split("\t", 1) for line in names.read_text(encoding="utf-8").splitlines())
    wanted = ids.read_text(encoding="utf-8").split()
    if missing := [one for one in wanted if one not in table]:
        raise DataError(names, f"has no name for {len(missing)} classes, such as {missing[0]}")
    return [table[one].split(", ") for one in wanted]


def new_tower(
    trunk: EfficientNetLite0, classifier: torch.nn.Linear, directions: Array, mean: Array, hidden: int
) -> ImageTower:
    """A tower that answers by the classifier alone, its small network still silent."""
    tower = ImageTower(dim=directions.shape[1], classes=len(directions), hidden=hidden)
    tower.trunk.load_state_dict(trunk.state_dict(), strict=True)
    tower.head.classifier.load_state_dict(classifier.state_dict())
    tower.head.directions.data = torch.from_numpy(directions)
    tower.head.mean.data = torch.from_numpy(mean)
    torch.nn.init.zeros_(tower.head.widen.weight)
    torch.nn.init.zeros_(tower.head.widen.bias)
    return tower.eval()


def save_tower(tower: ImageTower, path: Path) -> None:
    """Write the tower's weights, int8 by rows."""
    write_arrays(quantize_rows({k: v.detach().numpy() for k, v in tower.state_dict().items()}), path)


def picture_features(
    library: Library,
    icons: Icons,
    trunk: Callable[[Tensor], Tensor],
    recipe: ImageRecipe,
    cache: Path,
    progress: Progress,
) -> NDArray[np.float16]:
    """Trunk features (n, views + icon_pictures, 1280) of pictures of n objects, written in parts into `cache`.

    An object without an icon has its drawn views' features repeated in the icon's place.
    """
    chunks = []
    for start in range(0, len(library), _CHUNK):
        part = library.select(np.arange(start, min(start + _CHUNK, len(library))))
        path = cache / f"{_key(part, icons, recipe)}.npy"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary, temporary.open("xb") as stream:
                np.save(stream, _encoded(part, icons, trunk, recipe), allow_pickle=False)
            progress(f"pictures of {start + len(part)} of {len(library)} objects")
        chunks.append(np.load(path, allow_pickle=False))
    return np.concatenate(chunks)


def _key(part: Library, icons: Icons, recipe: ImageRecipe) -> str:
    known = [str(name) in icons for name in part.name]
    facts = json.dumps(
        [recipe.views, recipe.icon_pictures, recipe.seed, recipe.classifier, part.name.tolist(), known]
    )
    return hashlib.sha256(facts.encode() + part.points.tobytes()).hexdigest()[:24]


def _encoded(
    part: Library, icons: Icons, trunk: Callable[[Tensor], Tensor], recipe: ImageRecipe
) -> NDArray[np.float16]:
    total = recipe.views + recipe.icon_pictures
    rows = []
    for i in range(len(part)):
        pictures = _pictures(part, i, icons.get(str(part.name[i])), recipe)
        with torch.inference_mode():
            features = trunk(torch.from_numpy(np.stack(pictures)))
        rows.append(features.numpy().astype(np.float16)[np.arange(total) % len(features)])
    return np.stack(rows)


def _pictures(part: Library, index: int, icon: Picture | None, recipe: ImageRecipe) -> list[Array]:
    """Prepared pictures of one object, from chance that depends on the seed and the object's name alone."""
    named = int.from_bytes(hashlib.sha256(str(part.name[index]).encode()).digest()[:8], "big")
    rng = np.random.default_rng([recipe.seed, named])
    points = part.points[index].astype(np.float32)
    colors = part.colors[index] / np.float32(255) if part.colored[index] else None
    views = [(rng.uniform(0, 360), rng.triangular(-5, 20, 70)) for _ in range(recipe.views)]
    cutouts = [splat_cutout(points, colors, view=view) for view in views]
    if icon is not None:
        cutouts += [icon] * recipe.icon_pictures
    prepare = ImagePreprocess()
    return [prepare(random_picture(cutout, rng, prepare.size)) for cutout in cutouts]


def train_head(
    tower: ImageTower,
    library: Library,
    features: NDArray[np.float16],
    texts: TextEncoder,
    recipe: ImageRecipe,
    progress: Progress,
) -> None:
    """Train the small network of the head, in place, on the objects that are not held out.

    The loss is a cross-entropy over all captions with soft targets, so that near-synonyms do not repel each other,
    plus one minus the cosine between each pseudo-photograph's direction and what the classifier alone says.
    """
    torch.manual_seed(recipe.seed)
    head, rows = tower.head, np.flatnonzero(~library.held_out)
    phrases, targets = soft_targets(library.select(rows), texts, recipe.softness)
    pictures = torch.from_numpy(features[rows].astype(np.float32))
    with torch.no_grad():
        known = torch.stack([head.by_classes(part) for part in pictures])
    chance = torch.from_numpy(object_weights(library.select(rows), recipe.caption_power))
    learned = [*head.narrow.parameters(), *head.widen.parameters()]
    optimiser = torch.optim.AdamW(learned, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.steps)
    tower.requires_grad_(False)
    for parameter in learned:
        parameter.requires_grad_(True)
    for step in range(1, recipe.steps + 1):
        index = torch.multinomial(chance, recipe.batch, replacement=True)
        view = torch.randint(pictures.shape[1], (recipe.batch,))
        drawn = pictures[index, view]
        direction = F.normalize(known[index, view] + head.addition(F.dropout(drawn, recipe.dropout)), dim=1)
        naming = -(targets[index] * (recipe.scale * direction @ phrases.T).log_softmax(1)).sum(1).mean()
        photographs = pseudo_photographs(tower, drawn)
        said = head.by_classes(photographs)
        kept = said + head.addition(F.dropout(photographs, recipe.dropout))
        keeping = 1 - F.cosine_similarity(kept, said, dim=1).mean()
        optimiser.zero_grad()
        (naming + recipe.photograph_weight * keeping).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % 500 == 0:
            progress(f"step {step} of {recipe.steps}: naming {naming.item():.3f}, keeping {keeping.item():.3f}")
    tower.eval().requires_grad_(False)


def soft_targets(library: Library, texts: TextEncoder, softness: float) -> tuple[Tensor, Tensor]:
    """Directions (m, d) of all phrases of a library, and for each of n objects the phrases' shares (n, m)."""
    names = sorted({phrase for i in range(len(library)) for phrase in library.phrases(i)})
    column = {name: k for k, name in enumerate(names)}
    phrases = torch.from_numpy(texts(names))
    own = torch.zeros(len(library), len(names))
    for i in range(len(library)):
        own[i, [column[phrase] for phrase in library.phrases(i)]] = 1 / len(library.phrases(i))
    return phrases, own @ (softness * phrases @ phrases.T).softmax(1)


def object_weights(library: Library, power: float) -> NDArray[np.float64]:
    """How often each object is drawn: rarer captions more often."""
    first = np.array([library.phrases(i)[0] for i in range(len(library))])
    _, place, count = np.unique(first, return_inverse=True, return_counts=True)
    return np.asarray(count[place] ** -power, np.float64)


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

"""Training of an image tower: pictures drawn of captioned objects, their clouds, and a classifier's class names.

The trunk stays as published; what is learned maps its features into the text space. No photograph is used: what
the classifier knows of photographs enters through its weights and the names of its classes.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clip3d.clouds.augmenting import Augmentation
from clip3d.clouds.cloud import PointCloud
from clip3d.data.icons import read_icons
from clip3d.data.library import Library, join, read_library
from clip3d.data.pictures import Pictures
from clip3d.errors import DataError
from clip3d.models.loading import load
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.models.weights import load_strict, read_state, read_torch, sha256_of, write_quantized
from clip3d.towers.image import FEATURES, EfficientNetLite0, ImageTower, rename_published
from clip3d.training.driving_pictures import (
    DrivingLessons,
    DrivingLoss,
    DrivingRecipe,
    measure_driving,
    read_lessons,
)
from clip3d.training.image_head import (
    HeadRecipe,
    Texts,
    measure,
    measure_against_clouds,
    pseudo_photographs,
    train_head,
)
from clip3d.training.loop import Progress
from clip3d.training.picture_features import PictureRecipe, picture_features
from clip3d.training.street_gate import fit_gate, told_apart, with_streets

Array = NDArray[np.float32]


@dataclass(frozen=True)
class ImageRecipe:
    """Every constant of the training.

    Attributes:
        libraries: library files, relative to the data folder, each with the number of its objects that is taken,
            drawn at random; 0 for all. Held-out objects are always taken, for measuring alone.
        classifier: the published EfficientNet-Lite0 checkpoint, relative to the data folder.
        class_ids: WordNet ids of its classes, one a line in the classifier's order, relative to the data folder.
        class_names: a line for each WordNet id: the id, a tab, its names joined by ", "; likewise relative.
        teacher: model whose text tower, and whose cloud tower where the head is also drawn to the objects' clouds,
            gives the targets.
        template: prompt that names and captions are put into.
        icons: the package whose icons are used beside drawn views, relative to the data folder; none where empty.
        pictures: what is drawn of each object.
        head: how the head is trained.
        cloud_views: augmented clouds of each object that the head is drawn to, if `head.cloud_weight` is not 0.
        cloud_points: points of each of them.
        augmentation: changes to those clouds.
        initial: weights of an image tower to start from, relative to the data folder; none if empty. Then a part of
            the objects is enough to keep what it knows of them while driving pictures are learned.
        driving: labelled driving logs whose pictures are learned from beside those of objects; none by default.
            With initial weights the tower answers as before for pictures of objects, and by what it learned for
            streets.
        seed: of all chance.
    """

    libraries: dict[str, int]
    classifier: str
    class_ids: str
    class_names: str
    teacher: str = "mini"
    template: str = "a {}"
    icons: str = ""
    pictures: PictureRecipe = field(default_factory=PictureRecipe)
    head: HeadRecipe = field(default_factory=HeadRecipe)
    cloud_views: int = 3
    cloud_points: int = 512
    augmentation: Augmentation = field(default_factory=Augmentation)
    initial: str = ""
    driving: DrivingRecipe = field(default_factory=DrivingRecipe)
    seed: int = 0

    @property
    def streets_apart(self) -> bool:
        """Whether what driving pictures teach is kept beside what the initial tower knows, behind a gate."""
        return bool(self.initial and self.driving.logs)


def train_image(recipe: ImageRecipe, out: Path, *, data: Path, progress: Progress) -> dict[str, Any]:
    """Train an image tower; write its weights and the vectors of the objects' pictures.

    Run again with the same recipe and folder, it goes on with the pictures' features that were written.

    Args:
        recipe: every constant.
        out: folder for `image.safetensors`, `pictures.npz` (`clip3d.data.pictures`) and, under `features/`, the
            cache of features, which serves every recipe that draws the same pictures; `head/` holds checkpoints.
        data: folder that the recipe's paths are relative to.
        progress: called with a line now and then.

    Returns:
        What was measured on held-out objects: name of the measure to value, with counts.
    """
    model = load(recipe.teacher)
    if recipe.head.cloud_weight:
        model.tower_card("cloud")
    library = join([choose(read_library(data / n), most, recipe.seed) for n, most in recipe.libraries.items()])
    trunk, classifier = read_classifier(data / recipe.classifier)
    names = read_class_names(data / recipe.class_ids, data / recipe.class_names)
    icons = read_icons(data / recipe.icons) if recipe.icons else {}
    trunk_id = sha256_of(data / recipe.classifier)
    features = picture_features(
        library, icons, trunk, trunk_id, recipe.pictures, recipe.seed, out / "features", progress
    )
    texts = Texts(model.encode_texts, model.space, recipe.template)
    clouds = cloud_directions(library, model, recipe) if recipe.head.cloud_weight else None
    tower = new_tower(trunk, classifier, texts.mixed(names), model.space.mean, recipe.head.hidden)
    if recipe.initial:
        load_strict(tower, _for_objects(read_state(data / recipe.initial)), data / recipe.initial)
    before = deepcopy(tower)
    lessons = driving_lessons(recipe, tower.trunk, texts, out / "views", data=data, progress=progress)
    beside = None if lessons is None else DrivingLoss(lessons, tower.head, recipe.head.dropout, recipe.head.scale)
    train_head(
        tower, library, features, texts, clouds, recipe.head, recipe.seed, out / "head", progress, beside
    )
    if lessons is not None and recipe.streets_apart:
        shown = features[~library.held_out].reshape(-1, FEATURES).astype(np.float32)
        others = np.concatenate([shown, pseudo_photographs(before, torch.from_numpy(shown)).numpy()])
        tower = with_streets(before, tower, *fit_gate(lessons.taught.all, others))
    write_quantized(tower, out / "image.safetensors")
    picture_vectors(tower, library, features).save(out / "pictures.npz")
    found = measure(tower, library, features, texts)
    if clouds is not None:
        found |= measure_against_clouds(tower, library, features, clouds[:, 0], recipe.seed)
    if lessons is not None:
        found |= measure_driving(lessons, tower.head, texts)
        if recipe.streets_apart and len(lessons.held_out.all):
            held = features[library.held_out].reshape(-1, FEATURES).astype(np.float32)
            found["streets told apart"] = told_apart(tower, lessons.held_out.all, held)
    return found


def driving_lessons(
    recipe: ImageRecipe,
    trunk: EfficientNetLite0,
    texts: Texts,
    folder: Path,
    *,
    data: Path,
    progress: Progress,
) -> DrivingLessons | None:
    """What a recipe's driving logs teach; None where it names none."""
    if not recipe.driving.logs:
        return None
    with VectorCache() as cache:
        return read_lessons(recipe.driving, trunk, texts, folder, data=data, progress=progress, cache=cache)


def choose(library: Library, most: int, seed: int) -> Library:
    """The held-out objects and `most` of the others drawn at random, all if 0, in the library's order."""
    others = np.flatnonzero(~library.held_out)
    if 0 < most < len(others):
        others = np.random.default_rng(seed).permutation(others)[:most]
    return library.select(np.sort(np.concatenate([others, np.flatnonzero(library.held_out)])))


def cloud_directions(library: Library, model: Model, recipe: ImageRecipe) -> Array:
    """Centred directions (n, v, d) of v clouds of each of n objects: as it is, then changed at random."""
    rng = np.random.default_rng(recipe.seed)
    views = []
    for view in range(recipe.cloud_views):
        change = recipe.augmentation if view else Augmentation(turn=0.0)
        prepared = (_cloud(library, i, recipe.cloud_points, change, rng) for i in range(len(library)))
        views.append(model.space.centre(model.encode_clouds(prepared, batch_size=32)))
    return np.stack(views, axis=1)


def _cloud(library: Library, index: int, count: int, change: Augmentation, rng: np.random.Generator) -> PointCloud:
    cloud = library.cloud(index, 2 * count)
    points, colors = change(cloud.points, cloud.colors, rng)
    return PointCloud(points[:count], None if colors is None else colors[:count], up="z")


def _for_objects(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A tower's weights without those for streets."""
    return {name: value for name, value in state.items() if not name.startswith(("head.street_", "head.gate."))}


def picture_vectors(tower: ImageTower, library: Library, features: NDArray[np.float16]) -> Pictures:
    """Raw vectors of all pictures of a library's objects."""
    with torch.inference_mode():
        rows = [tower.head(torch.from_numpy(f.astype(np.float32))).numpy().astype(np.float16) for f in features]
    return Pictures(library.name, np.stack(rows))


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

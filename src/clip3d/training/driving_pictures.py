"""Driving pictures as lessons for the head of an image tower: objects with their words, scenes with terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from clip3d.data.driving_logs import read_logs
from clip3d.data.driving_prompts import phrasings_of
from clip3d.data.driving_truth import CLASSES
from clip3d.errors import DataError
from clip3d.models.preprocess import ImagePreprocess
from clip3d.models.vector_cache import VectorCache
from clip3d.models.weights import dequantize_rows, quantize_rows
from clip3d.spaces import unit
from clip3d.towers.image import EfficientNetLite0, SemanticHead
from clip3d.training.image_head import Texts
from clip3d.training.objectives import caption_spread, naming
from clip3d.training.region_vectors import RegionVectors, trunk_encoder
from clip3d.training.run_log import Progress
from clip3d.training.sweep_recipe import LabelRecipe
from clip3d.training.sweep_regions import RegionRecipe
from clip3d.training.sweep_views import View, ViewRecipe, pack_of
from clip3d.training.sweep_words import Vocabulary, kind_of, vocabulary_of

Array = NDArray[np.float32]

# How long an addition may grow at no cost: the loss sees directions alone, and one of great length would drown all
# that is known as soon as a gate opens a little.
LONGEST = 2.5


@dataclass(frozen=True)
class DrivingRecipe:
    """Driving pictures beside those of objects.

    Attributes:
        logs: folders of labelled driving logs, relative to the data folder; none for a training without.
        weight: of their loss beside that of objects' pictures.
        scenes: weight, within that, of the terms of scenes beside the words of objects.
        batch: pictures of objects in a step, and as many scenes.
        held_out: share of the logs that is kept for measuring, by their names.
        views: which frames are seen.
        regions: squares are scenes; crops and spots that show a labelled object are pictures of objects.
        labels: words; its weights `objects`, `cells` and `scenes`, `scale` and `least` are not used here.
    """

    logs: tuple[str, ...] = ()
    weight: float = 1.0
    scenes: float = 1.0
    batch: int = 128
    held_out: float = 0.1
    views: ViewRecipe = field(default_factory=ViewRecipe)
    regions: RegionRecipe = field(default_factory=lambda: RegionRecipe(crops=3))
    labels: LabelRecipe = field(default_factory=LabelRecipe)

    def __post_init__(self) -> None:
        if min(self.weight, self.scenes) < 0 or self.batch < 2 or not 0 <= self.held_out < 1:
            raise ValueError("weight and scenes must not be negative, batch at least 2, held_out in [0, 1)")


@dataclass(frozen=True, eq=False)
class Lessons:
    """Features of pictures with what they show.

    Attributes:
        features: (m, c) of pictures of objects.
        words: (m,) the row of each object's words in `Vocabulary.positives`; -1 where all are withheld.
        kinds: (m,) its class or, outside of these, its label.
        scenes: (n, c) of squares.
        truths: (n, t) 1 or 0, NaN where it is not known whether a term is true.
    """

    features: Array
    words: NDArray[np.intp]
    kinds: NDArray[np.str_]
    scenes: Array
    truths: Array

    @property
    def all(self) -> Array:
        """(m + n, c) features of both."""
        return np.concatenate([self.features, self.scenes])


@dataclass(frozen=True, eq=False)
class DrivingLessons:
    """What driving pictures teach a head, and what they measure it by.

    Attributes:
        taught: lessons.
        held_out: the same of logs that teach nothing.
        vocabulary: of both.
        recipe: the settings.
        phrases: (v, d) centred directions of the words.
        terms: (t, w, d) centred directions of the terms, each asked for in w ways.
    """

    taught: Lessons
    held_out: Lessons
    vocabulary: Vocabulary
    recipe: DrivingRecipe
    phrases: Array
    terms: Array


def read_lessons(
    recipe: DrivingRecipe,
    trunk: EfficientNetLite0,
    texts: Texts,
    folder: Path,
    *,
    data: Path,
    progress: Progress,
    cache: VectorCache,
) -> DrivingLessons:
    """Read the logs, and work out the features of their pictures.

    Args:
        recipe: which logs.
        trunk: of the tower.
        texts: phrases to directions.
        folder: for the views of the logs.
        data: folder in which the logs lie.
        progress: called with a line now and then.
        cache: of features.

    Raises:
        DataError: if there are no logs, or they have no labels.
    """
    # the features are those of the trunk as it is stored, so that a finished tower's are the same
    vectors = RegionVectors(trunk_encoder(as_stored(trunk), ImagePreprocess()), cache, progress)
    read: list[tuple[bool, Sequence[View], Array]] = []
    for name in recipe.logs:
        for log in read_logs(data / name, lambda problem: progress(str(problem))):
            pack = pack_of(log, recipe.views, recipe.regions, folder, progress)
            if pack.views:
                rows = vectors.of(pack, log, twins=False)[:, 0]
                if not np.isfinite(rows).any():  # none of its pictures can be read
                    continue
                read.append((crc32(log.name.encode()) % 1000 < 1000 * recipe.held_out, pack.views, rows))
    vocabulary = vocabulary_of([view for held, views, _ in read if not held for view in views], recipe.labels)
    if not vocabulary.words:
        reason = "its frames have no labels to learn from"
        raise DataError(data / (recipe.logs or ("",))[0], reason, "name labelled logs under driving.logs")
    ways = [phrasings_of(term) for term in vocabulary.terms]
    spoken = [[np.mean(texts.plain(way), axis=0) for way in each] for each in ways]
    terms = unit(np.array(spoken, np.float32)) if spoken else np.zeros((0, 1, texts.space.dim), np.float32)
    parts = [[(views, rows) for held, views, rows in read if held == wanted] for wanted in (False, True)]
    taught, held_out = (_lessons(part, vocabulary) for part in parts)
    progress(f"driving pictures: {len(taught.words)} of objects, {len(taught.scenes)} of scenes")
    return DrivingLessons(taught, held_out, vocabulary, recipe, texts(list(vocabulary.words)), terms)


def as_stored(trunk: EfficientNetLite0) -> EfficientNetLite0:
    """A trunk with the weights that a finished tower has: rounded to eight bits."""
    state = {name: tensor.detach().numpy() for name, tensor in trunk.state_dict().items()}
    rounded = EfficientNetLite0(folded=True)
    stored = dequantize_rows(quantize_rows(state))
    rounded.load_state_dict({name: torch.from_numpy(np.asarray(array)) for name, array in stored.items()})
    return rounded.eval().requires_grad_(False)


class DrivingLoss:
    """The loss of driving pictures on a head: objects' words, scenes' terms, and what additions are too long by.

    Args:
        lessons: what is taught.
        head: of the tower; its trained addition is what moves.
        dropout: share of the features hidden from it.
        scale: of cosines.
    """

    def __init__(self, lessons: DrivingLessons, head: SemanticHead, dropout: float, scale: float) -> None:
        self.lessons, self.head, self.dropout, self.scale = lessons, head, dropout, scale
        taught, labels = lessons.taught, lessons.recipe.labels
        told = taught.words >= 0
        self.features = torch.from_numpy(taught.features[told])
        self.words = torch.from_numpy(taught.words[told])
        counts = lessons.vocabulary.counts
        shares = [float(counts[kind]) ** -labels.power for kind in taught.kinds[told]]
        self.chance = torch.tensor(shares, dtype=torch.float64)
        self.scenes, self.truths = torch.from_numpy(taught.scenes), torch.from_numpy(taught.truths)
        self.phrases, self.terms = torch.from_numpy(lessons.phrases), torch.from_numpy(lessons.terms)
        self.spread = caption_spread(self.phrases, labels.sharpness)
        self.positives = torch.from_numpy(lessons.vocabulary.positives)
        with torch.no_grad():
            self.known = _by_classes(head, self.features)
            self.known_scenes = _by_classes(head, self.scenes)

    @property
    def settings(self) -> str:
        """All settings."""
        return f"{self.lessons.recipe} {self.dropout} {self.scale}"

    @property
    def tensors(self) -> list[Tensor]:
        """All that decides the loss, beside the settings."""
        return [self.features, self.words, self.scenes, self.truths, self.phrases, self.terms, self.positives]

    def __call__(self) -> Tensor:
        """The loss () of pictures drawn by torch's random numbers."""
        recipe = self.lessons.recipe
        loss = torch.zeros(())
        if len(self.features):
            rows = torch.multinomial(self.chance, recipe.batch, replacement=True)
            directions, too_long = self._directions(self.known, self.features, rows)
            loss = loss + too_long
            positives, labels = self.positives[self.words[rows]], recipe.labels
            loss = loss + naming(directions, positives, self.phrases, self.spread, self.scale, labels.regression)
        if len(self.scenes) and len(self.terms) and recipe.scenes:
            rows = torch.randint(len(self.scenes), (recipe.batch,))
            directions, too_long = self._directions(self.known_scenes, self.scenes, rows)
            loss = loss + too_long
            cosines = directions @ self.terms.flatten(0, 1).T
            truths = self.truths[rows].repeat_interleave(self.terms.shape[1], dim=1)
            loss = loss + recipe.scenes * ranking(cosines, truths, self.scale)
        return recipe.weight * loss

    def _directions(self, known: Tensor, features: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Directions (b, d), and the mean square () of what additions are too long by."""
        added = self.head.addition(F.dropout(features[rows], self.dropout))
        too_long = (added.norm(dim=1) - LONGEST).relu().square().mean()
        return F.normalize(known[rows] + added, dim=1), too_long


def ranking(cosines: Tensor, truths: Tensor, scale: float) -> Tensor:
    """Cross-entropy () from each term to the pictures that it is true of, among those of which it is known.

    Args:
        cosines: (n, t).
        truths: (n, t) 1 or 0, NaN where it is not known; terms that are true of none or of all say nothing.
        scale: inverse temperature.
    """
    known = truths.isfinite()
    right = truths.nan_to_num() * known
    tells = (right.sum(0) > 0) & (right.sum(0) < known.sum(0))
    if not tells.any():
        return cosines.sum() * 0
    logits = (scale * cosines).masked_fill(~known, float("-inf"))[:, tells]
    each = -(right[:, tells] * logits.log_softmax(0).masked_fill(~known[:, tells], 0)).sum(0)
    return (each / right[:, tells].sum(0)).mean()


def measure_driving(lessons: DrivingLessons, head: SemanticHead, texts: Texts) -> dict[str, float]:
    """How well objects and scenes are told on logs that taught nothing.

    Returns:
        "driving class mean": of the six classes' pictures, named among these; "driving terms": the chance that
        a scene of which a term is true is nearer to it than one of which it is not, mean over terms and ways to
        ask. What cannot be measured is left out.
    """
    found, held = {}, lessons.held_out
    told = np.flatnonzero(np.isin(held.kinds, CLASSES))
    if len(told):
        said = _directions(head, held.features[told]) @ texts(list(CLASSES)).T
        truth = np.array([CLASSES.index(kind) for kind in held.kinds[told]])
        right = said.argmax(1) == truth
        each = [right[truth == kind].mean() for kind in np.unique(truth)]
        found["driving class mean"] = float(np.mean(each))
        found["driving objects"] = len(told)
    if len(held.scenes) and len(lessons.terms):
        cosines = np.einsum("nd,twd->ntw", _directions(head, held.scenes), lessons.terms)
        many, ways = lessons.terms.shape[:2]
        chances = [_above(cosines[:, t, w], held.truths[:, t]) for t in range(many) for w in range(ways)]
        if known := [chance for chance in chances if np.isfinite(chance)]:
            found["driving terms"] = float(np.mean(known))
            found["driving scenes"] = len(held.scenes)
    return found


def _above(scores: Array, truths: Array) -> float:
    """The chance that a positive's score is above a negative's, a tie counting half; NaN without both."""
    positive, negative = scores[truths == 1], scores[truths == 0]
    if not len(positive) or not len(negative):
        return float("nan")
    apart = positive[:, None] - negative[None]
    return float((apart > 0).mean() + (apart == 0).mean() / 2)


def _directions(head: SemanticHead, features: Array) -> Array:
    with torch.inference_mode():
        parts = [head.direction(part) for part in torch.split(torch.from_numpy(features), 4096)]
        return np.asarray(F.normalize(torch.cat(parts), dim=1).numpy(), np.float32)


def _by_classes(head: SemanticHead, features: Tensor) -> Tensor:
    return torch.cat([head.by_classes(part) for part in torch.split(features, 4096)]) if len(features) else features


def _lessons(parts: Sequence[tuple[Sequence[View], Array]], vocabulary: Vocabulary) -> Lessons:
    width = next((rows.shape[1] for _, rows in parts), 1)
    features, words, kinds, scenes, truths = [], [], [], [], []
    for views, rows in parts:
        place = 0
        for view in views:
            for number, region in enumerate(view.regions):
                row = rows[place + number]
                if not np.isfinite(row[0]):
                    continue
                if region.kind == "square":
                    scenes.append(row)
                    truths.append(vocabulary.truths(dict(view.terms[number])))
                elif region.box >= 0:
                    features.append(row)
                    words.append(vocabulary.row(view.words[region.box]))
                    kinds.append(kind_of(view.labels[region.box]))
            place += len(view.regions)
    return Lessons(
        features=np.array(features, np.float32).reshape(-1, width),
        words=np.array(words, np.intp),
        kinds=np.array(kinds, np.str_),
        scenes=np.array(scenes, np.float32).reshape(-1, width),
        truths=np.array(truths, np.float32).reshape(-1, len(vocabulary.terms)),
    )

"""A model: towers of one space, used through one object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.posing import Pose, check_pose
from clip3d.errors import ModelError, ShapeError
from clip3d.lidar.cell_features import SweepFeatures
from clip3d.lidar.frustum import Frustum
from clip3d.lidar.sweep import Sweep
from clip3d.models.any_pose import mean_of_stances, stood, with_stance
from clip3d.models.batching import in_batches
from clip3d.models.card import Card, Modality, TowerCard, read_card
from clip3d.models.preprocess import CloudPreprocess, ImagePreprocess, SweepPreprocess
from clip3d.models.refusal import Fits, Refusal, read_refusal
from clip3d.models.sweep_encoding import sweep_cells, sweep_vectors
from clip3d.models.tower_features import before_head, head_of
from clip3d.models.weights import check_hash, load_strict, read_arrays, read_state
from clip3d.spaces import Space, fill_templates, rank, unit

Array = NDArray[np.float32]
T = TypeVar("T")
P = TypeVar("P", CloudPreprocess, ImagePreprocess, SweepPreprocess)


@dataclass(frozen=True)
class Label:
    """One answer of a classification: the label, its probability among the labels given, its centred cosine."""

    label: str
    probability: float
    similarity: float


class Model:
    """Towers of one space with their card.

    Towers are loaded when first used, each file checked against its hash. The text tower of `mini` needs no torch.

    Attributes:
        folder: where card and weights lie.
        card: what the model is, how inputs are prepared, what was measured.
        device: torch device of the towers; a text tower that needs no torch ignores it.
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        self.folder = folder
        self.device = device
        self.card: Card = read_card(folder / "card.json")
        self._towers: dict[Modality, Any] = {}

    def __repr__(self) -> str:
        return f"Model({self.card.name!r}, towers={sorted(self.card.towers)}, space={self.card.space['id']!r})"

    @property
    def name(self) -> str:
        """Name of the model, such as "mini"."""
        return self.card.name

    @property
    def id(self) -> str:
        """Name and first digits of the weights' hash: what answers and stored vectors are signed with."""
        return f"{self.card.name}@{self.card.weights_hash[:12]}"

    @cached_property
    def space(self) -> Space:
        """The space all towers share."""
        facts = self.card.space
        path = self.folder / facts["weights"]
        check_hash(path, facts["sha256"])
        try:
            mean = read_arrays(path)["mean"].astype(np.float32)
            return Space(facts["id"], int(facts["dim"]), mean, float(facts["scale"]), facts["stored"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(self.folder / "card.json", f"states the space wrongly: {error}") from error

    def on(self, device: str) -> Model:
        """The same model on another device; towers that are loaded are copied there.

        Raises:
            ModelError: if they cannot run there.
        """
        if device == self.device:
            return self
        other = copy(self)
        other.device = device
        other._towers = {name: other._placed(deepcopy(tower)) for name, tower in self._towers.items()}
        return other

    def tower_card(self, modality: Modality) -> TowerCard:
        """The card of one tower; ModelError if the model has none for that modality."""
        if modality not in self.card.towers:
            known = ", ".join(sorted(self.card.towers))
            others = "" if modality == "sweep" else "; mini has all"
            raise ModelError(
                self.folder, f"the model {self.name} has no {modality} tower", f"it has: {known}{others}"
            )
        return self.card.towers[modality]

    def encode_texts(
        self, texts: Sequence[str], templates: Sequence[str] | None = None, *, normalize: bool = True
    ) -> Array:
        """Vectors (n, d) float32 of n phrases, unit length unless `normalize` is False.

        Args:
            texts: phrases; taken as they are if no templates are given.
            templates: prompts with {} where the phrase goes; the unit vectors of a phrase's prompts are averaged.
            normalize: give unit length; what several templates give has unit length in any case.
        """
        _check_texts(texts)
        if not templates:
            vectors = self.tower("text").encode(list(texts))
            return unit(vectors) if normalize else vectors
        raw = self.tower("text").encode(fill_templates(texts, templates))
        if len(templates) == 1 or not len(raw):
            return unit(raw) if normalize else raw
        groups = raw.reshape(len(texts), len(templates), -1)
        return np.stack([self.space.ensemble(g) for g in groups])

    def encode_images(self, images: Iterable[Any], *, normalize: bool = True, batch_size: int = 16) -> Array:
        """Vectors (n, d) float32 of n images (PIL images or (h, w, 3) uint8 arrays)."""
        return self.encode_pixels(map(self.prepare_image, images), normalize=normalize, batch_size=batch_size)

    def encode_pixels(self, pixels: Iterable[Array], *, normalize: bool = True, batch_size: int = 16) -> Array:
        """Vectors (n, d) float32 of n pictures (3, s, s) float32, as `prepare_image` makes them."""
        return self._encode("image", pixels, lambda picture: (picture,), normalize, batch_size)

    def encode_clouds(
        self,
        clouds: Iterable[PointCloud],
        *,
        normalize: bool = True,
        batch_size: int = 16,
        points: int | None = None,
        pose: Pose = "upright",
    ) -> Array:
        """Vectors (n, d) float32 of n clouds.

        Args:
            clouds: any valid clouds; colour is used where there is some.
            normalize: give unit length; vectors of clouds in any pose have unit length in any case.
            batch_size: clouds in one forward pass; it does not change the vectors beyond rounding.
            points: points the tower sees, if not the card's number.
            pose: "upright" for clouds that stand upright in their declared frames; "any" for clouds that may be
                turned in any way: slower and less sure, each is stood on every side of its box, and the vectors are
                averaged by how likely it is to stand upright there.

        Raises:
            ModelError: for clouds in any pose, if the model has no pose-free mode.
        """
        prepare = self.cloud_preparation()
        if check_pose(pose) == "any":
            return self._encode_in_any_pose(clouds, prepare, points, batch_size)
        return self._encode("cloud", clouds, lambda c: prepare(c, points=points), normalize, batch_size)

    def cloud_features(
        self,
        clouds: Iterable[PointCloud],
        *,
        levels: bool = False,
        batch_size: int = 16,
        points: int | None = None,
    ) -> Array:
        """What the head or projection of the cloud tower sees of n clouds: (n, w) float32.

        Args:
            clouds: any valid clouds.
            levels: put before it the maximum and mean over its parts of what each of the tower's `levels` gives.
            batch_size: clouds in one forward pass.
            points: points the tower sees, if not the card's number.

        Raises:
            ModelError: if the tower has no head or projection, or no levels where they are asked for.
        """
        prepare = self.cloud_preparation()
        tower = self.tower("cloud")
        head, parts = head_of(tower), getattr(tower, "levels", ()) if levels else ()
        if head is None or (levels and not parts):
            lacking = "head or projection to take features before" if head is None else "levels to take features of"
            raise ModelError(self.folder, f"its cloud tower has no {lacking}")

        run = before_head(head, parts)
        return self._encode("cloud", clouds, lambda c: prepare(c, points=points), False, batch_size, run)

    def _encode_in_any_pose(
        self, clouds: Iterable[PointCloud], prepare: CloudPreprocess, points: int | None, batch_size: int
    ) -> Array:
        if not prepare.turns:
            remedy = "declare the axis that points up, or load a model that has one"
            raise ModelError(self.folder, f"the model {self.name} has no pose-free mode", remedy)
        views = stood(clouds, prepare, points)
        found = self._encode("cloud", views, lambda arrays: arrays, False, batch_size, with_stance)
        return mean_of_stances(found, prepare.turns) if len(found) else found

    @overload
    def encode_sweeps(
        self,
        sweeps: Iterable[Frustum | Sweep],
        *,
        normalize: bool = True,
        dense: Literal[False] = False,
        batch_size: int = 16,
    ) -> Array: ...
    @overload
    def encode_sweeps(
        self, sweeps: Iterable[Frustum | Sweep], *, normalize: bool = True, dense: bool, batch_size: int = 16
    ) -> Array | SweepFeatures: ...
    def encode_sweeps(
        self,
        sweeps: Iterable[Frustum | Sweep],
        *,
        normalize: bool = True,
        dense: bool = False,
        batch_size: int = 16,
    ) -> Array | SweepFeatures:
        """Vectors (n, d) float32 of n sweeps.

        Args:
            sweeps: what cameras see, as `clip3d.lidar.frustum.frustum` cuts it out; or whole sweeps, of which the
                quarter ahead is seen from the sensor.
            normalize: give unit length.
            dense: give the vectors of the non-empty cells too, in the same space.
            batch_size: sweeps in one forward pass; it does not change the vectors beyond rounding.

        Raises:
            ModelError: if the model has no sweep tower, or one without vectors of cells where they are asked for.
        """
        tower = self.tower("sweep")
        if dense and not hasattr(tower, "dense"):
            raise ModelError(self.folder, "its sweep tower gives no vectors of cells")
        prepared = map(self.sweep_preparation(), sweeps)
        if not dense:
            return self.encode_prepared_sweeps(prepared, normalize=normalize, batch_size=batch_size)
        dim = self.space.dim
        return sweep_cells(
            tower, prepared, device=self.device, dim=dim, normalize=normalize, batch_size=batch_size
        )

    def encode_prepared_sweeps(
        self, prepared: Iterable[Array], *, normalize: bool = True, batch_size: int = 16
    ) -> Array:
        """Vectors (n, d) float32 of n sweeps (p, 4) float32, as `sweep_preparation` makes them."""
        tower, dim = self.tower("sweep"), self.space.dim
        return sweep_vectors(
            tower, prepared, device=self.device, dim=dim, normalize=normalize, batch_size=batch_size
        )

    def label_vectors(self, labels: Sequence[str], templates: Sequence[str] | None = None) -> Array:
        """One vector (n, d) a label, from the card's prompt templates or those given."""
        return self.encode_texts(labels, templates or self.card.templates)

    def classify(
        self, cloud: PointCloud, labels: Sequence[str] | None = None, templates: Sequence[str] | None = None
    ) -> list[Label]:
        """The labels ranked by how well they name the cloud, with probabilities that add up to 1.

        Args:
            cloud: any valid cloud.
            labels: names to choose between; None for a classifier's own.
            templates: prompts with {} for the label; None for those of the card.

        Raises:
            ShapeError: if no labels are given and the model is no classifier.
        """
        labels = self.own_labels() if labels is None else labels
        return self.rank_labels(self.encode_clouds([cloud]), labels, self.label_vectors(labels, templates))[0]

    def own_labels(self) -> list[str]:
        """The labels of a classifier; ShapeError for a model that takes any."""
        if not self.card.labels:
            raise ShapeError(f"the model {self.name} has no labels of its own: give those to choose between")
        return list(self.card.labels)

    def rank_labels(self, vectors: Array, labels: Sequence[str], label_vectors: Array) -> list[list[Label]]:
        """For each vector (n, d) the labels, best first, given the labels' vectors (m, d)."""
        similarity = self.space.similarity(vectors, label_vectors)
        probability = self.space.probabilities(similarity)
        return [
            [Label(labels[j], float(p[j]), float(s[j])) for j in rank(s)]
            for s, p in zip(similarity, probability, strict=True)
        ]

    @cached_property
    def refusal(self) -> Refusal:
        """How the model tells that none of some labels fits; ModelError if its card has no `refusal`."""
        if not self.card.refusal:
            remedy = "fit one with clip3d evaluate refusal --fit, or give a model that has one"
            raise ModelError(self.folder, f"the model {self.name} cannot tell that no label fits", remedy)
        return read_refusal(self.folder, self.card.refusal)

    def fits(self, vectors: Array, label_vectors: Array, threshold: float | None = None) -> Fits:
        """Whether the best of the labels (m, d) fits each of the vectors (n, d), or none does.

        Args:
            vectors: of clouds; the threshold of the card was fitted on those.
            label_vectors: as `label_vectors` gives them.
            threshold: least score that fits, if not the card's.
        """
        score = self.refusal.scores(self.space, vectors, label_vectors)
        least = self.refusal.threshold if threshold is None else threshold
        return Fits(score, score >= least, least)

    def cloud_preparation(self) -> CloudPreprocess:
        """How clouds are made ready for the cloud tower; ModelError if the card states it wrongly."""
        return self._preparation("cloud", CloudPreprocess)

    def prepare_image(self, image: Any) -> Array:
        """The pixels (3, s, s) that the image tower takes of a PIL image or an (h, w, 3) uint8 array.

        Raises:
            ModelError: if the card states the preparation wrongly.
        """
        return self.image_preparation()(image)

    def image_preparation(self) -> ImagePreprocess:
        """How pictures are made ready for the image tower; ModelError if the card states it wrongly."""
        return self._preparation("image", ImagePreprocess)

    def sweep_preparation(self) -> SweepPreprocess:
        """How sweeps are made ready for the sweep tower; ModelError if the card states it wrongly."""
        return self._preparation("sweep", SweepPreprocess)

    def _preparation(self, modality: Modality, kind: type[P]) -> P:
        try:
            return kind.from_card(self.tower_card(modality).preprocess)
        except (TypeError, ValueError) as error:
            reason = f"states the preparation of the {modality} tower wrongly: {error}"
            raise ModelError(self.folder / "card.json", reason) from error

    def tower(self, modality: Modality) -> Any:
        """The tower itself, loaded: a torch module of images or clouds; for text an object with `encode`."""
        if modality not in self._towers:
            self._towers[modality] = self._load(self.tower_card(modality))
        return self._towers[modality]

    def _load(self, tower: TowerCard) -> Any:
        from clip3d.towers.catalogue import resolve

        for name, expected in {tower.weights: tower.sha256, **tower.files}.items():
            check_hash(self.folder / name, expected)
        try:
            architecture = resolve(tower.architecture)
        except KeyError as error:
            raise ModelError(self.folder / "card.json", str(error.args[0])) from error
        path = self.folder / tower.weights
        try:
            if tower.modality == "text":
                return self._placed(architecture.load(self.folder, tower.weights, **tower.config))
            module = architecture(**tower.config)
        except (TypeError, ValueError) as error:
            reason = f"states the {tower.modality} tower's configuration wrongly: {error}"
            raise ModelError(self.folder / "card.json", reason) from error
        return self._placed(load_strict(module, read_state(path), path))

    def _placed(self, tower: Any) -> Any:
        """The tower on the model's device; one that is no torch module stays where it is."""
        return put_on(self.device, tower, self.folder) if hasattr(tower, "to") else tower

    def _encode(
        self,
        modality: Modality,
        items: Iterable[T],
        prepare: Callable[[T], tuple[Array, ...]],
        normalize: bool,
        batch_size: int,
        run: Callable[..., Any] | None = None,
    ) -> Array:
        import torch

        tower = self.tower(modality)
        rows: dict[int, Array] = {}
        with torch.inference_mode():
            for batch in in_batches(enumerate(prepare(item) for item in items), batch_size):
                for alike in _by_shape(batch):
                    columns = zip(*(arrays for _, arrays in alike), strict=True)
                    inputs = [torch.from_numpy(np.stack(column)).to(self.device) for column in columns]
                    vectors = (run(tower, *inputs) if run else tower(*inputs)).float().cpu().numpy()
                    rows |= {index: vector for (index, _), vector in zip(alike, vectors, strict=True)}
        found = np.stack([rows[i] for i in range(len(rows))]) if rows else np.zeros((0, self.space.dim), np.float32)
        return unit(found) if normalize else found


def put_on(device: str, tower: Any, model: str | Path) -> Any:
    """A torch module on a device; ModelError, naming the model, if it cannot run there."""
    try:
        return tower.to(device)
    except (RuntimeError, AssertionError) as error:
        reason = f"cannot run on the device {device!r}: {str(error).splitlines()[0]}"
        raise ModelError(model, reason, "cpu always works") from error


def _check_texts(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise ShapeError("texts must be a list of phrases, got one string: write [text]")


def _by_shape(batch: list[tuple[int, tuple[Array, ...]]]) -> list[list[tuple[int, tuple[Array, ...]]]]:
    groups: dict[tuple[int, ...], list[tuple[int, tuple[Array, ...]]]] = {}
    for index, arrays in batch:
        groups.setdefault(arrays[0].shape, []).append((index, arrays))
    return list(groups.values())

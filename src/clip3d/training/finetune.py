"""Fine-tuning: the backbone of a model and a new head learn to classify, and the result is a model again.

D. Hegde et al., "CLIP goes 3D", ICCV workshops 2023, section 4.2. Weights are chosen on a part of the training
clouds; test clouds are looked at once, when the weights are settled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.data.subsets import few_shot, stratified_fraction, stratified_split
from clip3d.errors import ModelError
from clip3d.models.classifiers import Classifier, ordered_labels, pack_classifier, scale_for
from clip3d.models.loading import load
from clip3d.models.model import Model
from clip3d.models.weights import write_json
from clip3d.towers.classifier import BACKBONES, ClassifierTower
from clip3d.training.checkpoints import BEST, FILE
from clip3d.training.finetune_recipe import FinetuneRecipe
from clip3d.training.finetune_report import RESULT, RUN, card_facts, finished_report, identity_of, protocol
from clip3d.training.finetune_test import Judge, cross_entropy, logits_of, measure, prepared
from clip3d.training.labelled_batches import Batch, Pools, batches, labels_in, pool_clouds
from clip3d.training.loop import Progress, train_parts
from clip3d.training.parts import Part
from clip3d.training.probe_start import start_head

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Task:
    """What is learned from what.

    Attributes:
        labels: c names in the order of the logits.
        targets: (n,) classes of all training clouds, as indices into labels.
        learned: rows of the clouds that are learned from, ascending.
        held: rows of those that choose the weights; empty for none.
    """

    labels: list[str]
    targets: Index
    learned: Index
    held: Index


class Learner(nn.Module):
    """A classifier of which some parts stay as they are while it is trained."""

    def __init__(self, tower: ClassifierTower, *, head_only: bool = False, fixed_norms: bool = False) -> None:
        super().__init__()
        self.tower = tower
        self.head_only = head_only
        self.fixed_norms = fixed_norms
        tower.backbone.requires_grad_(not head_only)

    def train(self, mode: bool = True) -> Learner:
        """As every module's, but what is fixed stays in use."""
        super().train(mode)
        if self.head_only:
            self.tower.backbone.eval()
        for module in self.tower.backbone.modules() if self.fixed_norms else ():
            if isinstance(module, nn.BatchNorm1d):
                module.eval()
        return self


def finetune(
    recipe: FinetuneRecipe,
    train: LabelledClouds,
    out: Path,
    *,
    judge: Judge,
    progress: Progress,
    test: LabelledClouds | None = None,
    near: Collection[str] = (),
    device: str = "cpu",
) -> dict[str, Any]:
    """Train a classifier and make `out` a model of it; a run found there goes on, a finished one is told again.

    Args:
        recipe: the set-up.
        train: clouds to learn from; a part of them chooses the weights.
        out: folder of the model; what the run needs lies in its folder `run`.
        judge: accuracy and class_mean of scores (n, c), labels (n,) and names of classes.
        progress: called with lines for the user.
        test: clouds to be scored once, at the end.
        near: names of test clouds that nearly equal a training cloud; they are left out of a second count.
        device: torch device to train on.

    Returns:
        The report: what was learned from what, and the numbers.

    Raises:
        DataError: if `out` holds something else, or the test clouds are of other classes.
        ModelError: if the model's cloud tower is of a kind that gives no feature to classify by.
    """
    recipe, base = recipe.settled(), load(recipe.model)
    task = choose_clouds(recipe, train)
    identity = identity_of(recipe, base, [train] if test is None else [train, test], near)
    if report := finished_report(out, identity):
        progress(f"{out} is finished")
        return report
    config = classifier_config(recipe, base, len(task.labels))
    tower = start_tower(recipe, base, config)
    prepare = replace(base.cloud_preparation(), points=recipe.points, turns=0)
    if test is not None:
        labels_in(test, task.labels)  # a class that is not learned is told before hours of training
    held = prepared(train, task.held, task.targets[task.held], prepare) if len(task.held) else None
    pools = pool_clouds(train, task.learned, task.targets[task.learned], prepare, recipe.pool)
    progress(
        f"{len(pools)} clouds of {len(task.labels)} classes, {len(task.held)} more choose the weights; "
        f"{recipe.start} backbone of {base.name}; {recipe.steps(len(pools))} steps"
    )

    if recipe.probe_first and not _under_way(out / RUN):
        penalty = start_head(tower, pools, held, recipe)
        progress(f"the head begins as a logistic regression (C {penalty:g})")

    def validate(tower: ClassifierTower) -> dict[str, float]:
        assert held is not None
        scores = logits_of(tower, held.clouds)
        return {**judge(scores, held.labels, task.labels), "loss": cross_entropy(scores, held.labels)}

    _train(recipe, tower, pools, out / RUN, identity, progress, validate if held else None, device)
    report = protocol(recipe, base, train, task.labels, len(task.learned), len(task.held))
    if held:
        report["validation"] |= validate(tower)
    if test is not None:
        report["test"] = measure(tower, test, task.labels, recipe, prepare, judge, near)
    state = {name: tensor.numpy() for name, tensor in tower.state_dict().items()}
    classifier = Classifier(task.labels, config, state, asdict(prepare))
    pack_classifier(out, classifier, card_facts(recipe, base, report, out.resolve().name))
    write_json(report, out / RUN / RESULT)
    for name in (FILE, BEST):
        (out / RUN / name).unlink(missing_ok=True)
    return report


def choose_clouds(recipe: FinetuneRecipe, train: LabelledClouds) -> Task:
    """Which clouds are learned from and which choose the weights: stratified, from the recipe's seed alone."""
    labels = ordered_labels([train.classes[i] for i in np.unique(train.labels)], train.path)
    targets = labels_in(train, labels)
    if recipe.shots:
        chosen = few_shot(targets, recipe.shots, recipe.seed)
    else:
        chosen = stratified_fraction(targets, recipe.fraction, recipe.seed)
    held = np.zeros(0, np.intp)
    if recipe.validation and not recipe.shots:
        first, second = stratified_split(targets[chosen], recipe.validation, recipe.seed)
        chosen, held = chosen[first], chosen[second]
    return Task(labels, targets, chosen, held)


def classifier_config(recipe: FinetuneRecipe, base: Model, classes: int) -> dict[str, Any]:
    """Keyword arguments of a classifier on the backbone of a model's cloud tower, itself a classifier or not.

    Raises:
        ModelError: if the tower is of a kind that gives no feature.
    """
    card = base.tower_card("cloud")
    architecture, backbone = card.architecture, card.config
    if architecture == "classifier":
        architecture, backbone = card.config["architecture"], card.config["backbone"]
    if architecture not in BACKBONES:
        reason = f"its cloud tower, {architecture}, gives no feature to classify by"
        raise ModelError(base.folder, reason, f"these do: {', '.join(BACKBONES)}")
    return {
        "architecture": architecture,
        "backbone": {**backbone, **BACKBONES[architecture]},
        "classes": classes,
        "hidden": list(recipe.hidden),
        "norm": recipe.norm,
        "drop": recipe.drop,
        "levels": recipe.levels,
        "scale": scale_for(classes),
    }


def start_tower(recipe: FinetuneRecipe, base: Model, config: Mapping[str, Any]) -> ClassifierTower:
    """The classifier before its first step: a new head on the model's backbone, or on one of random weights."""
    torch.manual_seed(recipe.seed)
    tower = ClassifierTower(**config)
    if not recipe.from_scratch:
        given = base.tower("cloud")
        state = getattr(given, "backbone", given).state_dict()
        tower.backbone.load_state_dict({name: state[name] for name in tower.backbone.state_dict()})
    return tower


def _under_way(folder: Path) -> bool:
    """Whether a checkpoint lies in the folder, that holds a head already."""
    return (folder / FILE).exists()


def _train(
    recipe: FinetuneRecipe,
    tower: ClassifierTower,
    pools: Pools,
    folder: Path,
    identity: str,
    progress: Progress,
    validate: Callable[[ClassifierTower], dict[str, float]] | None,
    device: str,
) -> None:
    """Train the tower in place; it is on the processor and in eval mode afterwards."""
    learner = Learner(tower, head_only=recipe.head_only, fixed_norms=recipe.fixed_norms).to(device)

    def loss_of(module: nn.Module, batch: Batch) -> Tensor:
        points, colors, labels = (part.to(device) for part in batch)
        return F.cross_entropy(tower.logits(points, colors), labels, label_smoothing=recipe.smoothing)

    warmup = recipe.schedule.warmup * (len(pools) / recipe.shown if recipe.epochs else 1)
    train_parts(
        learner,
        [Part(loss_of, recipe.optimiser, replace(recipe.schedule, warmup=warmup), recipe.clip)],
        replace(recipe.run, steps=recipe.steps(len(pools))),
        folder,
        seed=recipe.seed,
        identity=identity,
        progress=progress,
        batches=lambda first: batches(pools, recipe, first),
        validate=None if validate is None else lambda module: validate(tower),
        watch=None if validate is None else recipe.watch,
    )
    tower.cpu().eval()

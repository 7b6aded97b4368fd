"""How well a model tells that none of some labels fits, and the fit of the threshold by which it does.

For every object there are lists of labels, ten in each by default, drawn from the captions of the libraries: those
that fit hold the object's first caption, and the unrelated ones nothing like any of its captions.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.errors import ModelError, ShapeError
from clip3d.evaluation.library_part import LibraryPart
from clip3d.evaluation.metrics import auroc
from clip3d.models.loading import is_embedded
from clip3d.models.model import Model
from clip3d.models.refusal import NEAR, Refusal, evidence
from clip3d.models.weights import write_json

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]
Booleans = NDArray[np.bool_]

NOUNS = Path(__file__).with_name("background.txt")
OWN_NAME = re.compile(r"background(-[0-9a-f]{12})?\.safetensors")  # of files that a refusal wrote
LABELS = 10
RELATED = 0.6  # centred cosine of two captions above which they are too alike to be unrelated
KEPT = 0.85  # of right answers, on the objects that the threshold is fitted to
FOLDS = 5


@dataclass(frozen=True)
class RefusalReport:
    """How well fitting lists are told from unrelated ones.

    Attributes:
        auroc: chance that a fitting list scores above an unrelated one, misnamed objects included.
        auroc_right: the same where the best label of the fitting list is the right one; None if there is none.
        accuracy: share of fitting lists whose best label is the right one.
        kept: share of right answers that are not refused; None if there is none.
        refused: share of unrelated lists that are refused.
        wrong_refused: share of wrong answers to fitting lists that are refused; None if there is none.
        threshold: least score that is not refused.
        n: number of objects.
        protocol: everything needed to recompute the numbers.
        model: id of the model.
    """

    auroc: float
    auroc_right: float | None
    accuracy: float
    kept: float | None
    refused: float
    wrong_refused: float | None
    threshold: float
    n: int
    protocol: dict[str, Any]
    model: str

    def as_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return dict(vars(self))


@dataclass(frozen=True, eq=False)
class Trials:
    """Evidence for the best label of l lists of each kind, for n objects; see `clip3d.models.refusal.evidence`.

    Attributes:
        fitting: (n, l) of fitting lists.
        right: (n, l) whether the best label of the fitting list is the right one.
        unrelated: (n, l) of unrelated lists.
        fold: (n,) fold of each object; near copies share one.
    """

    fitting: Doubles
    right: Booleans
    unrelated: Doubles
    fold: NDArray[np.intp]

    def least(self, rows: Booleans) -> float:
        """The evidence that `KEPT` of the right answers to some rows (n,) reach."""
        right = self.fitting[rows][self.right[rows]]
        if not len(right):
            raise ShapeError("no object was named rightly: there is nothing to fit a threshold to")
        return float(np.quantile(right, 1 - KEPT))


def measure_refusal(
    model: Model, part: LibraryPart, *, labels: int = LABELS, lists: int = 10, seed: int = 0
) -> RefusalReport:
    """Measure the refusal of a model's card.

    Args:
        model: with a cloud and a text tower and a `refusal` in its card.
        part: objects to label; those held out from training.
        labels: of a list, at least two.
        lists: of each kind for each object.
        seed: of the lists.

    Raises:
        ModelError: if the card has no refusal.
    """
    refusal = model.refusal
    trials = run_trials(model, part, refusal.background, labels=labels, lists=lists, seed=seed)
    fits = [refusal.score_of(x) >= refusal.threshold for x in (trials.fitting, trials.unrelated)]
    protocol = {**_protocol(model, part, labels, lists, seed), "rates": "at the card's threshold"}
    return _report(trials, fits[0], fits[1], refusal.threshold, protocol, model.id)


def fit_refusal(
    model: Model, part: LibraryPart, *, labels: int = LABELS, lists: int = 10, seed: int = 0
) -> tuple[Refusal, RefusalReport]:
    """Fit background, threshold and scores for a model; the report's rates are cross-validated over objects.

    Arguments as for `measure_refusal`; the card's own refusal, if any, takes no part.

    Raises:
        ShapeError: if no object is named rightly.
    """
    # What the file will hold: half precision.
    background = model.label_vectors(background_nouns()).astype(np.float16).astype(np.float32)
    trials = run_trials(model, part, background, labels=labels, lists=lists, seed=seed)
    folds = np.unique(trials.fold)
    least = np.zeros((len(part), 1))
    for fold in folds:
        least[trials.fold == fold] = trials.least((trials.fold != fold) | (len(folds) == 1))
    slope, offset = _logistic(trials)
    everyone = np.ones(len(part), dtype=bool)
    fitted = Refusal(background, 0.0, slope, offset)
    fitted = replace(fitted, threshold=float(fitted.score_of(np.array(trials.least(everyone)))))
    rates = f"cross-validated in {len(folds)} folds of objects"
    protocol = {**_protocol(model, part, labels, lists, seed), "rates": rates}
    fits = trials.fitting >= least, trials.unrelated >= least
    return fitted, _report(trials, fits[0], fits[1], fitted.threshold, protocol, model.id)


def write_refusal(
    model: Model, refusal: Refusal, report: RefusalReport, *, folder: Path | None = None
) -> dict[str, Any]:
    """Put a fitted refusal into a model's folder: the background's vectors, and the table in its card.

    The vectors are written under a name of their own before the card names them, and those of earlier refusals are
    removed after, so that the model is whole whenever this is stopped.

    Args:
        model: that the refusal was fitted for.
        refusal, report: as `fit_refusal` gives them.
        folder: the model's; must be named for a model that comes with the package, so that it is not changed
            by oversight.

    Returns:
        The table.

    Raises:
        ModelError: if the model comes with the package and its folder is not named.
    """
    if folder is None and is_embedded(model.folder):
        remedy = "name its folder if that is meant, or give a model of your own"
        raise ModelError(model.folder, "comes with the package and is not written to", remedy)
    from safetensors.numpy import save

    folder = folder or model.folder
    content = save({"background": refusal.background.astype(np.float16)})
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder / f"background-{sha256[:12]}.safetensors"
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    table = {**card_table(refusal, report), "background": path.name, "sha256": sha256}
    write_json({**model.card.raw, "refusal": table}, folder / "card.json")
    for other in folder.iterdir():
        if other.name != path.name and OWN_NAME.fullmatch(other.name):
            other.unlink()
    return table


def card_table(refusal: Refusal, report: RefusalReport) -> dict[str, Any]:
    """What a card says of a fitted refusal, less the background's file and its hash."""
    rates = ("auroc", "auroc_right", "accuracy", "kept", "refused", "wrong_refused")
    return {
        "method": "log-odds of the best label against a background of nouns, less the log of the number of labels",
        "nouns": len(refusal.background),
        "near": NEAR,
        **{key: round(getattr(refusal, key), 4) for key in ("threshold", "slope", "offset")},
        **{key: None if (rate := getattr(report, key)) is None else round(rate, 4) for key in rates},
        "n": report.n,
        "protocol": report.protocol,
    }


def background_nouns() -> list[str]:
    """Five hundred names of things of all kinds that come with the package."""
    return NOUNS.read_text(encoding="utf-8").splitlines()


def run_trials(
    model: Model, part: LibraryPart, background: Array, *, labels: int, lists: int, seed: int
) -> Trials:
    """Weigh fitting and unrelated lists of labels for every object; arguments as for `measure_refusal`.

    Raises:
        ShapeError: if there are too few captions for a list that is unrelated to some object.
    """
    vectors = model.encode_clouds(part.clouds())
    label_vectors = model.label_vectors(part.captions)
    fitting = np.zeros((len(part), lists))
    right, unrelated = np.zeros((len(part), lists), dtype=bool), np.zeros((len(part), lists))
    for i, candidates in enumerate(_unrelated(model, part, label_vectors, labels)):
        rng = np.random.default_rng([seed, i])
        own = part.captions.index(part.library.phrases(i)[0])
        vector = vectors[i : i + 1]
        for j in range(lists):
            with_own = label_vectors[[own, *rng.choice(candidates, labels - 1, replace=False)]]
            without = label_vectors[rng.choice(candidates, labels, replace=False)]
            fitting[i, j] = evidence(model.space, vector, with_own, background)[0]
            right[i, j] = model.space.similarity(vector, with_own)[0].argmax() == 0
            unrelated[i, j] = evidence(model.space, vector, without, background)[0]
    return Trials(fitting, right, unrelated, part.library.group.astype(np.intp) % FOLDS)


def _unrelated(model: Model, part: LibraryPart, label_vectors: Array, labels: int) -> list[NDArray[np.intp]]:
    """For every object the captions that are like none of its own."""
    alike = model.space.similarity(label_vectors, label_vectors) > RELATED
    place = {caption: c for c, caption in enumerate(part.captions)}
    rows = []
    for i in range(len(part)):
        own = [place[phrase] for phrase in part.library.phrases(i)]
        rows.append(np.flatnonzero(~alike[own].any(0)))
        if len(rows[-1]) < labels:
            raise ShapeError(f"the libraries have too few captions for lists of {labels} unrelated labels")
    return rows


def _logistic(trials: Trials) -> tuple[float, float]:
    """Slope and offset of the chance that the best label is right, by maximum likelihood (Platt 1999)."""
    from scipy.optimize import minimize

    x = np.concatenate([trials.fitting.ravel(), trials.unrelated.ravel()])
    sign = np.where(np.concatenate([trials.right.ravel(), np.zeros(trials.unrelated.size, bool)]), 1.0, -1.0)

    def loss(weights: Doubles) -> float:
        # A trace of decay keeps the slope finite where the two kinds do not overlap.
        return float(np.logaddexp(0, -sign * (weights[0] * x + weights[1])).mean() + 1e-4 * (weights**2).sum())

    slope, offset = minimize(loss, np.array([1.0, 0.0])).x
    return float(slope), float(offset)


def _report(
    trials: Trials, fits: Booleans, unrelated_fits: Booleans, threshold: float, protocol: dict[str, Any], model: str
) -> RefusalReport:
    """Figures of trials, given which of their best labels (n, l) fit."""
    right, unrelated = trials.right, trials.unrelated.ravel()
    return RefusalReport(
        auroc=auroc(trials.fitting.ravel(), unrelated),
        auroc_right=auroc(trials.fitting[right], unrelated) if right.any() else None,
        accuracy=float(right.mean()),
        kept=float(fits[right].mean()) if right.any() else None,
        refused=float((~unrelated_fits).mean()),
        wrong_refused=float((~fits[~right]).mean()) if not right.all() else None,
        threshold=threshold,
        n=len(right),
        protocol=protocol,
        model=model,
    )


def _protocol(model: Model, part: LibraryPart, labels: int, lists: int, seed: int) -> dict[str, Any]:
    return {
        "task": "refusal of unrelated labels",
        **part.protocol(),
        "lists": lists,
        "labels": labels,
        "captions": len(part.captions),
        "unrelated": f"centred text cosine with the object's captions at most {RELATED}",
        "seed": seed,
        "prompts": list(model.card.templates),
        "weights": model.card.weights_hash,
    }

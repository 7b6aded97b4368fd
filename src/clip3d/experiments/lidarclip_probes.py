"""What a lidar knows of colour and of light (LidarCLIP, the study of sensing capabilities)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clip3d.data.driving_prompts import OBJECTS, PERIOD
from clip3d.data.driving_queries import HIDDEN
from clip3d.data.driving_shots import Shot, Thing
from clip3d.errors import DataError
from clip3d.evaluation.driving_ranking import Found, fold, judge
from clip3d.evaluation.metrics import auroc
from clip3d.experiments.driving_models import candidates
from clip3d.experiments.driving_pages import Hits, write_hits
from clip3d.experiments.driving_retrieval import By, Scenes, direction, protocol_of, scenes, scores_of
from clip3d.experiments.driving_sets import ON_NUSCENES, ON_ONCE, ON_SIMULATOR, DrivingSet
from clip3d.experiments.experiment import Bench, Experiment, Measured, Row
from clip3d.experiments.given_models import Candidate
from clip3d.experiments.lidarclip_retrieval import BYS, SOURCE, term_row

Array = NDArray[np.float32]
COLOURS = ("white", "black", "grey", "silver", "blue", "red", "green", "brown", "yellow", "orange")
BRIGHT, DARK = ("white", "silver", "yellow"), ("black", "grey", "brown")
ONCOMING = 2  # vehicles that come towards the camera at night make many headlights
TOWARDS = 1.0  # metres a second towards the sensor from which one comes
HEADLIGHTS = (
    "many oncoming headlights", "a photo of many headlights at night", "headlights of oncoming cars at night",
)  # fmt: skip
BEST = 5


@dataclass(frozen=True)
class Asked:
    """Something to look for.

    Attributes:
        prompts: for it.
        counts: which scenes are ranked.
        holds: of which of these it is true.
    """

    prompts: tuple[str, ...]
    counts: Callable[[Shot], bool]
    holds: Callable[[Shot], bool]


def car_colours(shot: Shot) -> set[str]:
    """Colours of the cars that a camera shows in its square, as a simulated log names them."""
    cars = (thing for thing in shot.things if thing.kind == "car" and thing.touches)
    shown = [thing for thing in cars if thing.shown(shot.camera) >= HIDDEN]
    return {colour for thing in shown for word in thing.words for colour in COLOURS if colour in word.split()}


def oncoming(shot: Shot) -> bool:
    """Whether several vehicles come towards the camera at night."""
    vehicles = [thing for thing in shot.things if thing.touches and thing.kind in ("car", "truck", "bus")]
    return _at(shot, "night") and sum(_comes(thing) for thing in vehicles) >= ONCOMING


def _comes(thing: Thing) -> bool:
    """Whether a thing moves towards the sensor, whichever way a camera looks."""
    velocity, place = thing.box.attributes.get("velocity"), thing.box.center[:2]
    if not isinstance(velocity, (list, tuple)) or len(velocity) < 2:
        return False
    away = max(float(np.hypot(*place)), 1e-6)
    return float(-np.dot(np.asarray(velocity[:2], np.float64), place)) / away > TOWARDS


def _at(shot: Shot, period: str) -> bool:
    told = str(shot.metadata.get("period", "")).lower()
    return (told == "night") == (period == "night")


def _colour(colour: str) -> Asked:
    prompts = tuple(template.replace("{}", f"{colour} car") for template in OBJECTS)
    return Asked(prompts, lambda shot: bool(car_colours(shot)), lambda shot: colour in car_colours(shot))


def _light(on: DrivingSet) -> dict[str, Asked]:
    def known(shot: Shot) -> bool:
        return bool(shot.metadata.get("period"))

    def of(period: str) -> Asked:
        prompts = tuple(template.replace("{}", period) for template in PERIOD)
        return Asked(prompts, known, lambda shot: _at(shot, period))

    found = {period: of(period) for period in ("day", "night")}
    return found | ({"many oncoming headlights": Asked(HEADLIGHTS, known, oncoming)} if on.simulated else {})


def _rows(bench: Bench) -> list[Row]:
    rows = []
    for on in (ON_ONCE, ON_NUSCENES, ON_SIMULATOR):
        for candidate in candidates(bench):
            for by in BYS:
                if on.simulated:
                    rows.append(_row(on, candidate, by, "colours", {colour: _colour(colour) for colour in COLOURS}))
                    rows.append(_brightness_row(on, candidate, by))
                rows.append(_row(on, candidate, by, "light", _light(on)))
    return rows


def _row(on: DrivingSet, candidate: Candidate, by: By, name: str, asked: Mapping[str, Asked]) -> Row:
    def measure(bench: Bench, seed: int) -> Measured:
        seen = scenes(bench, on, candidate, by)
        found, hits = {}, []
        for title, one in asked.items():
            scores = scores_of(candidate.load(bench), seen, by, direction(bench, candidate, one.prompts))
            rows = np.flatnonzero([one.counts(shot) for shot in seen.shots])
            truth = np.array([one.holds(seen.shots[row]) for row in rows], bool)
            if truth.any() and not truth.all():
                found[title] = judge(title, scores[rows], truth, seen.when.some(rows))
            best = fold(np.argsort(-scores, kind="stable"), seen.when, BEST).tolist()
            hits.append(Hits(title, [seen.shots[i] for i in best], [float(scores[i]) for i in best]))
        if not found:
            raise DataError(bench.path(on.need), f"the truth of {name} is not told, or everywhere the same")
        file = f"{on.name}-{candidate.name}-{name}-{by}.html"
        lead = f"The {BEST} best scenes of {on.title} by {by}, near frames folded."
        write_hits(bench.out / file, f"{name} by {candidate.title}", lead, hits, bench.tell)
        return _measured(bench, on, candidate, by, found, file)

    row = term_row(on, candidate, by, name=f"{on.name}/{candidate.name}/{name}/{by}")
    return replace(row, cells=(on.title, candidate.title, name, by), measure=measure)


def _measured(
    bench: Bench, on: DrivingSet, candidate: Candidate, by: By, found: Mapping[str, Found], file: str
) -> Measured:
    told = {
        **protocol_of(bench, on, candidate, by),
        "measured": "P@10, positives among the 10 best over min(10, positives), mean over what is asked for",
        "true of": {title: f"{one.positives} of {one.n}" for title, one in found.items()},
    }
    also = {
        "AP": 100 * float(np.mean([one.average_precision for one in found.values()])),
        "chance": 100 * float(np.mean([one.chance for one in found.values()])),
        **{title: 100 * one.precision[10] for title, one in found.items()},
    }
    value = 100 * float(np.mean([one.precision[10] for one in found.values()]))
    return Measured(value, max(one.n for one in found.values()), told, also=also, files=(file,))


def _brightness_row(on: DrivingSet, candidate: Candidate, by: By) -> Row:
    def measure(bench: Bench, seed: int) -> Measured:
        seen = scenes(bench, on, candidate, by)
        colours = [car_colours(shot) for shot in seen.shots]
        bright = np.array([bool(own & set(BRIGHT)) and not own & set(DARK) for own in colours])
        dark = np.array([bool(own & set(DARK)) and not own & set(BRIGHT) for own in colours])
        if not (bright.any() and dark.any()):
            raise DataError(bench.path(on.need), "holds no scene of bright cars alone, or none of dark ones alone")
        scores = _of(bench, candidate, seen, by, "white") - _of(bench, candidate, seen, by, "black")
        told = {
            **protocol_of(bench, on, candidate, by),
            "measured": "area under the ROC curve of a white car's score less a black car's; chance is 50",
            "bright": f"{int(bright.sum())} scenes whose cars are {', '.join(BRIGHT)} and none of the others",
            "dark": f"{int(dark.sum())} scenes whose cars are {', '.join(DARK)} and none of the others",
        }
        value = 100 * auroc(scores[bright], scores[dark])
        return Measured(value, int(bright.sum() + dark.sum()), told, also={"chance": 50.0})

    row = term_row(on, candidate, by, name=f"{on.name}/{candidate.name}/bright-or-dark/{by}")
    return replace(row, cells=(on.title, candidate.title, "bright or dark cars", by), measure=measure)


def _of(bench: Bench, candidate: Candidate, seen: Scenes, by: By, colour: str) -> Array:
    return scores_of(candidate.load(bench), seen, by, direction(bench, candidate, _colour(colour).prompts))


FIGURE_5 = Experiment(
    name="lidarclip-fig5",
    title="colour and light",
    source=f"{SOURCE}, the figures of colours and of light; the number, 5, is taken from the order of the text",
    shows="Whether a lidar finds cars of a colour, bright from dark ones, day, night and headlights. The paper "
    "shows pictures and says that brightness is told apart but not hues; the simulator's logs know the colours.",
    columns=("data", "model", "asked", "by"),
    rows=_rows,
    notes=(
        "A car counts whose rectangle touches the central square and of which at least a quarter shows.",
        "The lidar of the simulator sees dark paint worse, as real ones do; it knows nothing of hues.",
    ),
)

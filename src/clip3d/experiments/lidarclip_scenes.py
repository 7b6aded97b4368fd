"""Whole frusta named by words (LidarCLIP's figure of scenes), and whole sweeps asked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clip3d.data.driving_prompts import OBJECTS, published_prompts
from clip3d.data.driving_shots import Shot, terms_of_shot
from clip3d.data.driving_truth import SEEN
from clip3d.errors import DataError
from clip3d.evaluation.driving_facets import HEADINGS, QUARTER, WITHIN
from clip3d.evaluation.driving_ranking import Found, When, fold, in_time, judge
from clip3d.evaluation.driving_vectors import stacked
from clip3d.experiments.driving_models import candidates
from clip3d.experiments.driving_pages import Hits, write_hits
from clip3d.experiments.driving_retrieval import (
    By,
    direction,
    facet_vectors,
    measured,
    protocol_of,
    scenes,
    scores_of,
)
from clip3d.experiments.driving_sets import ON_NUSCENES, ON_ONCE, ON_SIMULATOR, DrivingSet
from clip3d.experiments.experiment import Bench, Experiment, Measured, Row
from clip3d.experiments.given_models import Candidate
from clip3d.experiments.lidarclip_retrieval import BYS, SOURCE, term_row

Array = NDArray[np.float32]
SETS = (ON_ONCE, ON_NUSCENES, ON_SIMULATOR)
# The free list of the published demonstration; of these the kinds of the data set have labels.
LABELS = ("vegetation", "building", "animal", "pedestrian", "cyclist", "bus", "truck", "car", "three-wheeler")
SHOWN = 40  # scenes of a page
QUARTERS = "four quarters around the sensor, by the sweep tower"


def _figure_3(bench: Bench) -> list[Row]:
    return [_naming_row(on, candidate, by) for on in SETS for candidate in candidates(bench) for by in BYS]


def _naming_row(on: DrivingSet, candidate: Candidate, by: By) -> Row:
    def measure(bench: Bench, seed: int) -> Measured:
        seen = scenes(bench, on, candidate, by)
        kinds = on.definition.kinds
        words = tuple(dict.fromkeys([*LABELS, *kinds]))
        queries = [direction(bench, candidate, [one.replace("{}", word) for one in OBJECTS]) for word in words]
        model = candidate.load(bench)
        table = np.stack([scores_of(model, seen, by, query) for query in queries], axis=1)
        truths = [terms_of_shot(shot, on.definition) for shot in seen.shots]
        rows = [i for i, truth in enumerate(truths) if any(truth.get(kind) for kind in kinds)]
        if not rows:
            raise DataError(bench.path(on.need), "holds no labelled frame with anything that can be named")
        own = [words.index(kind) for kind in kinds]
        answers = np.asarray(table[rows][:, own].argmax(1))
        there = np.array([[truths[i][kind] for kind in kinds] for i in rows])
        right = there[np.arange(len(rows)), answers]
        file = _page(bench, on, candidate, by, seen.shots, table, words)
        also = {
            "chance": 100 * float(there.mean()),
            "always the commonest": 100 * float(there.mean(0).max()),
            **{f"named {kind}": 100 * float((answers == place).mean()) for place, kind in enumerate(kinds)},
        }
        told = {
            **protocol_of(bench, on, candidate, by),
            "measured": "share of frusta with at least one labelled kind whose best kind is one of those in it",
            "kinds": list(kinds),
            "labels of the page": list(words),
            "prompts": list(OBJECTS),
        }
        return Measured(100 * float(right.mean()), len(rows), told, also=also, files=(file,))

    return replace(term_row(on, candidate, by), measure=measure)


def _page(
    bench: Bench,
    on: DrivingSet,
    candidate: Candidate,
    by: By,
    shots: Sequence[Shot],
    table: Array,
    words: Sequence[str],
) -> str:
    """A page of scenes, near frames folded, with the three best labels of each; its name."""
    when = When([shot.drive for shot in shots], np.array([shot.time for shot in shots]))
    chosen = fold(in_time(np.arange(len(shots)), when), when, SHOWN).tolist()
    notes = [", ".join(words[i] for i in np.argsort(-table[row], kind="stable")[:3]) for row in chosen]
    hits = Hits("scenes", [shots[row] for row in chosen], [float(table[row].max()) for row in chosen], notes)
    file = f"{on.name}-{candidate.name}-{by}.html"
    lead = f"What {candidate.title} calls scenes of {on.title}, by {by}: the three best of {', '.join(words)}."
    write_hits(bench.out / file, f"{candidate.title} on {on.title}", lead, [hits], bench.tell)
    return file


FIGURE_3 = Experiment(
    name="lidarclip-fig3",
    title="whole frusta named by words",
    source=f"{SOURCE}, the figure of scenes; the number, 3, is taken from the order of the text",
    shows="What a frustum's one vector is called, of a free list of labels. The paper shows examples; here stands "
    "how often the best of the labelled kinds is there.",
    columns=("data", "model", "by"),
    rows=_figure_3,
)


def _whole(bench: Bench) -> list[Row]:
    rows = []
    for on in SETS:
        for candidate in candidates(bench):
            rows += [_sweep_row(on, candidate, by) for by in BYS]
            rows.append(_quarters_row(on, candidate))
    return rows


def frames_of(shots: Sequence[Shot]) -> list[list[int]]:
    """The places of the shots of each frame."""
    frames: dict[tuple[str, str], list[int]] = {}
    for place, shot in enumerate(shots):
        frames.setdefault((shot.drive, shot.frame), []).append(place)
    return list(frames.values())


def _sweep_row(on: DrivingSet, candidate: Candidate, by: By) -> Row:
    def measure(bench: Bench, seed: int) -> Measured:
        seen = scenes(bench, on, candidate, by)
        truths = [terms_of_shot(shot, on.definition) for shot in seen.shots]
        frames = frames_of(seen.shots)
        found = []
        for term in on.definition.terms():
            known = [frame for frame in frames if any(term in truths[place] for place in frame)]
            # an empty street is empty in every camera; all else is there if one camera has it
            agree = all if term == "empty street" else any
            truth = np.array([agree(truths[place].get(term, False) for place in frame) for frame in known], bool)
            if truth.any():
                scores = scores_of(
                    candidate.load(bench), seen, by, direction(bench, candidate, published_prompts(term))
                )
                best = np.array([scores[frame].max() for frame in known], np.float32)
                found.append(_judged(term, best, truth, [seen.shots[frame[0]] for frame in known]))
        asked = "every camera of a sweep; its score is that of its best camera, and a term holds that holds for one"
        return measured(bench, on, candidate, by, found, asked=asked, cameras=max(map(len, frames)))

    row = term_row(on, candidate, by, name=f"{on.name}/{candidate.name}/cameras-{by}")
    return replace(row, cells=(on.title, candidate.title, f"all cameras, {by}"), measure=measure)


def _quarters_row(on: DrivingSet, candidate: Candidate) -> Row:
    def measure(bench: Bench, seed: int) -> Measured:
        shots = on.shots(bench)
        first = [frame[0] for frame in frames_of(shots)]
        found_by_shot = facet_vectors(bench, on, candidate, "quarters")
        quarters = [stacked(found_by_shot, f"{QUARTER}:{place}")[first] for place in range(len(HEADINGS))]
        seen = np.asarray(np.isfinite(np.stack(quarters)).all((0, 2)), bool)
        if not seen.any():
            raise DataError(bench.path(on.need), "none of its sweeps can be read")
        own = [shots[first[row]] for row in np.flatnonzero(seen)]
        model, found = candidate.load(bench), []
        kinds = on.definition.kinds
        terms = (*kinds, *(f"nearby {kind}" for kind in kinds))
        for term in terms:
            rows = [row for row, shot in enumerate(own) if shot.labelled]
            truth = np.array([_around(own[row], term, on) for row in rows], bool)
            if truth.any():
                query = direction(bench, candidate, published_prompts(term))
                scores = np.max([model.space.scores(query, part[seen]) for part in quarters], axis=0)
                found.append(_judged(term, scores[rows], truth, [own[row] for row in rows]))
        asked = f"four quarters of each sweep, no camera; things count within {WITHIN:g} m all around with " + (
            f"at least {SEEN} points, where they are told"
        )
        return measured(bench, on, candidate, "lidar", found, terms, seen=QUARTERS, asked=asked)

    row = term_row(on, candidate, "lidar", name=f"{on.name}/{candidate.name}/quarters")
    return replace(row, cells=(on.title, candidate.title, "four quarters, lidar alone"), measure=measure)


def _around(shot: Shot, term: str, on: DrivingSet) -> bool:
    """Whether a thing stands anywhere around the sensor."""
    reach = on.definition.near if term.startswith("nearby ") else WITHIN
    kind = term.removeprefix("nearby ")
    return any(
        thing.kind == kind and thing.distance < reach and (thing.points >= SEEN or not thing.counted)
        for thing in shot.things
    )


def _judged(term: str, scores: Array, truth: NDArray[np.bool_], shots: Sequence[Shot]) -> Found:
    return judge(term, scores, truth, When([shot.drive for shot in shots], np.array([shot.time for shot in shots])))


WHOLE_SWEEPS = Experiment(
    name="lidarclip-whole-sweep",
    title="whole sweeps asked at once",
    source=f"this project; terms and measure of {SOURCE}, section 4.2",
    shows="Whether sweeps are found whose surroundings hold a thing: over all cameras of the vehicle, and from the "
    "sweep alone without any camera.",
    columns=("data", "model", "over"),
    rows=_whole,
)

"""Lidar and camera asked apart: this project's measure of what LidarCLIP shows in a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clip3d.data.driving_prompts import published_prompts
from clip3d.data.driving_queries import FIGURE, HIDDEN, QUERIES, TwoSided, hidden, reached
from clip3d.data.driving_shots import Shot
from clip3d.data.driving_truth import SEEN
from clip3d.errors import DataError
from clip3d.evaluation.driving_ranking import Found, fold, judge, overall
from clip3d.experiments.driving_models import candidates
from clip3d.experiments.driving_pages import Hits, write_hits
from clip3d.experiments.driving_retrieval import By, Scenes, direction, protocol_of, scenes, scores_of
from clip3d.experiments.driving_sets import ON_NUSCENES, ON_ONCE, ON_SIMULATOR, DrivingSet
from clip3d.experiments.experiment import Bench, Experiment, Measured, Row
from clip3d.experiments.given_models import Candidate
from clip3d.experiments.lidarclip_retrieval import BYS, SOURCE, term_row
from clip3d.joint_rules import OF_FEATURES, RULES, TWO_QUERIES, Rule, joint_scores

Array = NDArray[np.float32]
Truth = Callable[[Shot], bool]
APART: tuple[Rule, ...] = tuple(rule for rule in RULES if rule not in OF_FEATURES)
GROUPS = ("hidden", "dark")
ALONE = ("lidar", "camera", "one-prompt")
BEST = 5  # hits of a query on a page
KINDS = ("car", "truck", "bus", "pedestrian", "cyclist")


def query_scores(bench: Bench, candidate: Candidate, seen: Scenes, query: TwoSided, how: str) -> Array:
    """Scores (n,) of scenes by "lidar", "camera", "one-prompt", or both prompts apart by a rule's name."""
    space = candidate.load(bench).space
    assert seen.lidar is not None
    assert seen.image is not None
    if how == "one-prompt":
        both = direction(bench, candidate, query.one_prompt)
        return joint_scores("features", space, seen.lidar, seen.image, both)
    thing = direction(bench, candidate, query.lidar_prompts)
    condition = direction(bench, candidate, query.camera_prompts)
    if how == "lidar":
        return space.scores(thing, seen.lidar)
    if how == "camera":
        return space.scores(condition, seen.image)
    rule = next(rule for rule in APART if rule == how)
    return joint_scores(rule, space, seen.lidar, seen.image, thing, condition)


def _rows(bench: Bench) -> list[Row]:
    rows = []
    for candidate in candidates(bench):
        for how in (TWO_QUERIES, "lidar", "camera", "one-prompt", *(r for r in APART if r != TWO_QUERIES)):
            rows.append(_row(candidate, how))
        rows += [_group_row(candidate, group, by) for group in GROUPS for by in BYS]
    return rows


TITLES = {
    "lidar": "the lidar's prompt alone",
    "camera": "the camera's prompt alone",
    "one-prompt": "one prompt of both, for both sensors",
    "hidden": "things that the camera cannot see",
    "dark": "things at night",
}


def _row(candidate: Candidate, how: str) -> Row:
    def measure(bench: Bench, seed: int) -> Measured:
        seen = scenes(bench, ON_SIMULATOR, candidate, "joint")
        found = _judged(bench, candidate, seen, how)
        return _summed(bench, candidate, "joint", found, {"asked": TITLES.get(how, f"apart, rule {how}")})

    row = term_row(ON_SIMULATOR, candidate, "joint", name=f"{candidate.name}/{how}")
    return replace(row, cells=(candidate.title, TITLES.get(how, f"two prompts apart, {how}")), measure=measure)


def _judged(bench: Bench, candidate: Candidate, seen: Scenes, how: str) -> dict[str, Found]:
    found = {}
    for query in QUERIES:
        truth = np.array([query.holds(shot) for shot in seen.shots])
        if truth.any():
            scores = query_scores(bench, candidate, seen, query, how)
            found[query.title] = judge(query.kind, scores, truth, seen.when)
    if not found:
        raise DataError(
            bench.path(ON_SIMULATOR.need),
            "none of the ten queries is true of any of its frames",
            "bring simulated logs, more of them",
        )
    return found


def _summed(
    bench: Bench, candidate: Candidate, by: By, found: Mapping[str, Found], told: Mapping[str, object]
) -> Measured:
    whole = overall(found.values())
    also = {name: 100 * whole[name] for name in ("P@100", "P@10 folded", "AP", "chance")}
    also |= {title: 100 * one.precision[10] for title, one in found.items()}
    protocol = {
        **protocol_of(bench, ON_SIMULATOR, candidate, by),
        "measured": "P@10, positives among the 10 best over min(10, positives), mean over the queries",
        "true of": {title: one.positives for title, one in found.items()},
        "lidar's truth": f"such a thing stands in the square with at least {SEEN} points on it, hidden from the "
        "camera or not",
        "camera's truth": "what the simulator says of the picture: glare, drops, fog, night, rain",
        **told,
    }
    return Measured(100 * whole["P@10"], max(one.n for one in found.values()), protocol, also=also)


def _group_row(candidate: Candidate, group: str, by: By) -> Row:
    def measure(bench: Bench, seed: int) -> Measured:
        seen = scenes(bench, ON_SIMULATOR, candidate, by)
        found = {}
        for kind in KINDS:
            rows, truth = _of_group(seen.shots, group, kind)
            if truth.any() and not truth.all():
                query = direction(bench, candidate, published_prompts(kind))
                scores = scores_of(candidate.load(bench), seen, by, query)[rows]
                found[kind] = judge(kind, scores, truth, seen.when.some(rows))
        if not found:
            raise DataError(bench.path(ON_SIMULATOR.need), f"holds no {TITLES[group]} that the lidar reaches")
        told = {
            "positives": f"the lidar has at least {SEEN} points on such a thing, and the picture shows less than "
            f"{HIDDEN:.0%} of every one" if group == "hidden" else "at night the lidar has such a thing",
            "against": "scenes without such a thing" + ("" if group == "hidden" else " at night"),
        }  # fmt: skip
        return _summed(bench, candidate, by, found, told)

    row = term_row(ON_SIMULATOR, candidate, by, name=f"{candidate.name}/{group}/{by}")
    return replace(row, cells=(candidate.title, f"{TITLES[group]}, by {by}"), measure=measure)


def _of_group(shots: Sequence[Shot], group: str, kind: str) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Places of the scenes that count, and of which the lidar alone has such a thing."""
    rows, truth = [], []
    for row, shot in enumerate(shots):
        if group == "dark" and "night" not in shot.told:
            continue
        there = [thing for thing in shot.things if reached(thing, kind)]
        seen = [thing for thing in there if not hidden(thing, shot.camera)]
        if group == "hidden" and seen:
            continue
        rows.append(row)
        truth.append(bool(there))
    return np.array(rows, np.intp), np.array(truth, bool)


def _better(values: Mapping[str, tuple[float, ...]]) -> list[str]:
    """How far two prompts apart are ahead of one."""
    lines = []
    for name, (both, *_) in values.items():
        model, _, how = name.rpartition("/")
        others = {other: values[f"{model}/{other}"][0] for other in ALONE if f"{model}/{other}" in values}
        if how == TWO_QUERIES and others:
            best = max(others, key=lambda other: others[other])
            lines.append(f"{model}: two prompts apart are {both - others[best]:+.1f} points from {TITLES[best]}")
    return lines


PROMPTS = Experiment(
    name="lidarclip-prompts",
    title="lidar and camera asked apart",
    source="this project; LidarCLIP shows such queries in a figure",
    shows="Whether ten queries of two sides, a thing for the lidar and light, weather or lens for the camera, find "
    "what is true of both, beside either prompt alone and both in one sentence; and what the lidar finds that the "
    "camera does not show.",
    columns=("model", "asked"),
    rows=_rows,
    conclude=_better,
    notes=("The queries: " + "; ".join(query.title for query in QUERIES) + ". Close by is within 15 m.",),
)


def _figure_4(bench: Bench) -> list[Row]:
    sets = (ON_ONCE, ON_NUSCENES, ON_SIMULATOR)
    return [_page_row(on, candidate) for on in sets for candidate in candidates(bench)]


def _page_row(on: DrivingSet, candidate: Candidate) -> Row:
    def measure(bench: Bench, seed: int) -> Measured:
        seen = scenes(bench, on, candidate, "joint")
        hits, right, both = [], [], []
        for query in FIGURE:
            scores = query_scores(bench, candidate, seen, query, TWO_QUERIES)
            truth = np.array([_close_by(shot, query) for shot in seen.shots])
            best = fold(np.argsort(-scores, kind="stable"), seen.when, BEST).tolist()
            hits.append(Hits(query.title, [seen.shots[i] for i in best], [float(scores[i]) for i in best]))
            right += [bool(truth[i]) for i in best]
            both += [bool(truth[i] and query.holds_for_camera(seen.shots[i])) for i in best]
        file = f"{on.name}-{candidate.name}.html"
        lead = "Five best scenes of each query, lidar | camera, near frames folded."
        write_hits(bench.out / file, f"{candidate.title} on {on.title}", lead, hits, bench.tell)
        told = {
            **protocol_of(bench, on, candidate, "joint"),
            "measured": "share of the five best in which such a thing is labelled within 15 m in the square",
            "rule": TWO_QUERIES,
            "queries": [query.title for query in FIGURE],
        }
        also = {"both sides true": 100 * float(np.mean(both))} if on.simulated else {}
        return Measured(100 * float(np.mean(right)), len(right), told, also=also, files=(file,))

    row = term_row(on, candidate, "joint", name=f"{on.name}/{candidate.name}")
    return replace(row, cells=(on.title, candidate.title), measure=measure)


def _close_by(shot: Shot, query: TwoSided) -> bool:
    near = query.near or float("inf")
    return any(thing.kind == query.kind and thing.inside and thing.distance < near for thing in shot.things)


FIGURE_4 = Experiment(
    name="lidarclip-fig4",
    title="what a camera misses, a page of hits",
    source=f"{SOURCE}, the figure of separate prompts; the number, 4, is taken from the order of the text",
    shows="What is found where the camera is asked for a picture that went wrong and the lidar for a thing close "
    "by. The paper shows pictures alone. Beside the page stands how often such a thing is labelled there, and on "
    "simulated logs how often both sides are true.",
    columns=("data", "model"),
    rows=_figure_4,
)

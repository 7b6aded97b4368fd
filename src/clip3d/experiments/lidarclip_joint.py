"""LidarCLIP's table 4, rules by which lidar and image rank together; and table 5, other sensors and data sets."""

from __future__ import annotations

from dataclasses import replace

from clip3d.experiments.driving_models import LIDARCLIP_L14, LIDARCLIP_NUSCENES, candidates
from clip3d.experiments.driving_retrieval import By, find_terms, measured
from clip3d.experiments.driving_sets import ON_BEAMS, ON_NUSCENES, ON_ONCE, ON_SIMULATOR, DrivingSet
from clip3d.experiments.experiment import Bench, Experiment, Measured, Published, Row
from clip3d.experiments.given_models import Candidate, own_candidates
from clip3d.experiments.lidarclip_retrieval import BYS, SETS, SOURCE, term_row
from clip3d.joint_rules import RULES, Rule, proposals

# P@10 and P@100 of L/14 on ONCE, in %.
SINGLE: dict[By, tuple[float, float]] = {"image": (85.6, 81.0), "lidar": (81.3, 80.3)}
PUBLISHED: dict[Rule, tuple[float, float]] = {
    "features": (94.4, 87.6),
    "unit-features": (94.4, 87.5),
    "scores": (91.9, 87.4),
    "ranks": (88.8, 85.4),
    "camera-first": (92.5, 86.7),
    "lidar-first": (87.5, 86.0),
}
# P@10 and P@100 on nuScenes, in %: trained on ONCE, and on nuScenes.
TRANSFER: dict[str, dict[By, tuple[float, float]]] = {
    "lidarclip-l14": {"image": (69, 65), "lidar": (46, 40), "joint": (74, 69)},
    "lidarclip-nuscenes": {"image": (69, 65), "lidar": (79, 64), "joint": (81, 70)},
}


def _table_4(bench: Bench) -> list[Row]:
    rows = []
    for on in SETS:
        for candidate in candidates(bench):
            printed = on is ON_ONCE and candidate is LIDARCLIP_L14
            rows += [_with(term_row(on, candidate, by), SINGLE[by] if printed else None) for by in SINGLE]
            rows += [_ruled(on, candidate, rule, PUBLISHED.get(rule) if printed else None) for rule in RULES]
    return rows


def _ruled(on: DrivingSet, candidate: Candidate, rule: Rule, known: tuple[float, float] | None) -> Row:
    def measure(bench: Bench, seed: int) -> Measured:
        found = find_terms(bench, on, candidate, "joint", rule)
        # each term is ranked among the scenes of which it is known
        proposed = sorted({proposals(one.n) for one in found}) if rule.endswith("-first") else None
        return measured(bench, on, candidate, "joint", found, rule=rule, proposed=proposed)

    row = term_row(on, candidate, "joint", name=f"{on.name}/{candidate.name}/{rule}")
    return _with(replace(row, cells=(on.title, candidate.title, rule), measure=measure), known)


def _with(row: Row, known: tuple[float, float] | None) -> Row:
    if known is None:
        return row
    return replace(row, published=Published(known[0]), also_published={"P@100": Published(known[1])})


TABLE_4 = Experiment(
    name="lidarclip-table4",
    title="rules by which lidar and image rank together",
    source=f"{SOURCE}, table 4",
    shows="Which way of joining what both sensors say finds most: sums of raw and of unit vectors, of scores, of "
    "scores over their spread, of ranks, or one sensor proposing and the other ordering.",
    columns=("data", "model", "rule"),
    rows=_table_4,
    notes=(
        "How many scenes the first sensor proposes is not published; here it is a twentieth, between 20 and 500.",
        "Scores over their spread (standard-scores) are this project's; the other rules are the paper's.",
    ),
)


def _table_5(bench: Bench) -> list[Row]:
    rows = []
    for candidate in (LIDARCLIP_L14, LIDARCLIP_NUSCENES):
        rows += [_with(term_row(ON_NUSCENES, candidate, by), TRANSFER[candidate.name][by]) for by in BYS]
    for candidate in own_candidates(bench):
        for on in (ON_NUSCENES, ON_ONCE, ON_SIMULATOR, *ON_BEAMS):
            rows += [term_row(on, candidate, by) for by in BYS]
    return rows


TABLE_5 = Experiment(
    name="lidarclip-table5",
    title="other sensors and data sets",
    source=f"{SOURCE}, table 5",
    shows="What is left of retrieval with a lidar, or on a data set, that the tower did not learn from. Simulated "
    "rows show the same drives as lidars of several beam layouts see them, so that the sensor alone differs.",
    columns=("data", "model", "by"),
    rows=_table_5,
    notes=(
        "nuScenes has 14 terms: six objects, the same nearby (20 m), busy (from 3 vehicles) and empty streets "
        "(none within 30 m); the validation scenes, keyframes.",
        "The tower that learned on nuScenes is not published.",
    ),
)

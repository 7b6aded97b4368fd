"""What was measured on driving logs, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from clip3d.data.driving_truth import CLASSES
from clip3d.evaluation.driving_frames import Looking, Seen, SeenObject
from clip3d.evaluation.driving_match import Match, match
from clip3d.evaluation.driving_objects import HEARD, TEMPLATES, TYPICAL, UNHEARD, Answers, Sizes, name_objects
from clip3d.evaluation.driving_terms import TermRow, find_terms, means
from clip3d.evaluation.markdown import table
from clip3d.models.model import Model

PARTS = ("objects", "match", "terms")


@dataclass(frozen=True, eq=False)
class DrivingReport:
    """All that was measured.

    Attributes:
        model: its id.
        objects: ways to name labelled objects; empty where none was asked for or counts.
        match: from frusta to pictures and back, or None.
        terms: scenes found by terms.
        listed: each object with its answers.
        protocol: everything needed to recompute the numbers.
    """

    model: str
    objects: list[Answers]
    match: Match | None
    terms: list[TermRow]
    listed: list[dict[str, Any]]
    protocol: dict[str, Any] = field(default_factory=dict)

    def as_dict(self, *, listed: bool = False) -> dict[str, Any]:
        """All of it, ready for JSON; the single objects only if asked."""
        return {
            "model": self.model,
            "objects": [one.as_dict() for one in self.objects],
            "match": None if self.match is None else self.match.as_dict(),
            "terms": [row.as_dict() for row in self.terms],
            "terms_means": {by: means(self.terms, by) for by in dict.fromkeys(row.by for row in self.terms)},
            **({"listed": self.listed} if listed else {}),
            "protocol": self.protocol,
        }

    def markdown(self, *, listed: bool = False) -> str:
        """The same as tables."""
        parts = [f"# Driving logs, {self.model}", protocol_line(self.protocol)]
        if self.objects:
            parts += ["## Objects", table(*object_rows(self.objects))]
        if self.match is not None:
            parts += ["## Frustum and picture", table(*match_rows(self.match))]
        if self.terms:
            parts += ["## Terms", table(*term_rows(self.terms))]
        if listed and self.listed:
            parts += ["## Each object", table(*listed_rows(self.listed))]
        return "\n\n".join(parts) + "\n"


def report(
    model: Model,
    seen: Seen,
    how: Looking,
    paths: Sequence[Path],
    *,
    parts: Sequence[str] = PARTS,
    sizes: Sizes = TYPICAL,
    gallery: int = 200,
    templates: Sequence[str] = TEMPLATES,
    seed: int = 0,
) -> DrivingReport:
    """Measure what was seen.

    Args:
        model: that it was seen with.
        seen: as `look` gives it.
        how: as it was looked at.
        paths: of the logs.
        parts: of `PARTS`.
        sizes: typical sizes, for the answer by box size alone.
        gallery: pairs among which partners are searched.
        templates: prompts of classes.
        seed: of draws.
    """
    named = "objects" in parts and bool(seen.objects)
    objects = name_objects(model, seen, sizes=sizes, templates=templates, seed=seed) if named else []
    paired = sum(scene.picture is not None for scene in seen.scenes)
    return DrivingReport(
        model=model.id,
        objects=objects,
        match=match(model, seen, gallery=gallery, seed=seed) if "match" in parts and paired > 1 else None,
        terms=find_terms(model, seen) if "terms" in parts else [],
        listed=[_listed(one, objects, i) for i, one in enumerate(seen.objects)] if objects else [],
        protocol={
            "logs": [path.name for path in paths],
            "logs_read": seen.logs,
            "frames_read": seen.frames,
            "scenes": len(seen.scenes),
            "objects": len(seen.objects),
            "left_out": dict(sorted(seen.left_out.items())),
            "unreadable": len(seen.problems),
            "data_sha256": seen.digest,
            "looking": asdict(how),
            "classes": list(CLASSES),
            "prompts": list(templates),
            "words": {"heard": HEARD, "unheard": UNHEARD},
            "sizes": {kind: list(size) for kind, size in sizes.items()},
            "seed": seed,
            "weights_hash": model.card.weights_hash,
        },
    )


def _listed(one: SeenObject, ways: Sequence[Answers], place: int) -> dict[str, Any]:
    answers = {
        way.way: CLASSES[way.answers[place]] if way.answers[place] >= 0 else "none"
        for way in ways
        if way.way != "commonest class"
    }
    return {
        "log": one.log,
        "frame": one.frame,
        "camera": one.camera,
        "tile": one.tile,
        "label": one.label,
        "class": one.kind,
        "distance": round(one.distance, 1),
        "points": one.points,
        "size": [round(side, 2) for side in one.size],
        "pooled": list(one.found),
        "answers": answers,
    }


def object_rows(ways: Sequence[Answers]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: a way a row."""
    headings = ["way", "class mean %", "95 %, logs", "right", "of", "accuracy %", "Wilson 95 %", *CLASSES]
    rows = []
    for one in ways:
        n = sum(map(sum, one.confusion))
        each = ["-" if value is None else f"{100 * value:.0f}" for value in one.per_class.values()]
        right = round(one.accuracy * n)
        rows.append(
            [
                one.way, f"{100 * one.class_mean:.1f}", _range(one.class_mean_interval), str(right), str(n),
                f"{100 * one.accuracy:.1f}", _range(one.interval), *each,
            ]
        )  # fmt: skip
    return headings, rows


def match_rows(found: Match) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: a direction a row, chance last."""
    headings = ["direction", *(f"recall@{k} %" for k in found.chance), "among", "pairs"]
    sides = [*found.recall.items(), ("chance", found.chance)]
    size = [str(found.gallery), str(found.pairs)]
    return headings, [[name, *(f"{100 * share[k]:.1f}" for k in found.chance), *size] for name, share in sides]


def term_rows(rows: Sequence[TermRow]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: a term a row, with what lidar, image and both together find, and means below."""
    kinds = list(dict.fromkeys(row.by for row in rows))
    headings = ["term", "positives", "of", "chance %"]
    headings += [f"{by} {what}" for by in kinds for what in ("P@10", "P@100", "AP")] + [""]
    table_rows = []
    for term in dict.fromkeys(row.term for row in rows):
        own = {row.by: row for row in rows if row.term == term}
        first = next(iter(own.values()))
        told = [term, str(first.positives), str(first.n), f"{100 * first.prevalence:.1f}"]
        for by in kinds:
            row = own.get(by)
            told += ["-"] * 3 if row is None else [
                f"{row.precision[10]:.2f}", f"{row.precision[100]:.2f}", f"{row.average_precision:.2f}",
            ]  # fmt: skip
        table_rows.append([*told, "" if first.usual else "rare or common"])
    overall = {by: means([row for row in rows if row.usual], by) for by in kinds}
    if all(overall.values()):
        told = ["mean over families, 2 to 30 %", "", "", f"{100 * overall[kinds[0]]['chance']:.1f}"]
        told += [f"{overall[by][what]:.2f}" for by in kinds for what in ("P@10", "P@100", "AP")]
        table_rows.append([*told, ""])
    return headings, table_rows


def listed_rows(listed: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: an object a row."""
    ways = list(listed[0]["answers"]) if listed else []
    headings = ["log", "frame", "camera", "label", "class", "distance m", "points", *ways]
    rows = []
    for one in listed:
        place = one["camera"] + (f" tile {one['tile']}" if one["tile"] else "")
        told = [one["log"], one["frame"], place, one["label"], one["class"], f"{one['distance']:.1f}"]
        rows.append([*told, str(one["points"]), *(one["answers"][way] for way in ways)])
    return headings, rows


def protocol_line(protocol: Mapping[str, Any]) -> str:
    """How it was measured, in a sentence."""
    looking = protocol["looking"]
    left_out = ", ".join(f"{count} {reason}" for reason, count in protocol["left_out"].items()) or "none"
    return (
        f"{protocol['logs_read']} logs, {protocol['frames_read']} frames; pictures: {looking['tiling']}; "
        f"scenes {looking['apart']:g} s apart: {protocol['scenes']}; objects of one frame in {looking['every']}, "
        f"of at least {looking['least']} points, within {looking['within']:g} m: {protocol['objects']}; "
        f"left out: {left_out}; weights {protocol['weights_hash'][:12]}; data {protocol['data_sha256'][:12]}."
    )


def _range(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.0f}-{100 * interval[1]:.0f}"


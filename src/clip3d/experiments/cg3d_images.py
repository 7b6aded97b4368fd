"""CG3D's tables 4 and 5: the image tower alone; without prompts, with those of renders, with those of depths."""

from __future__ import annotations

from functools import partial

from clip3d.data.triplet_sources import TripletSource, open_triplets
from clip3d.experiments.experiment import Bench, Experiment, Measured, Published, Row
from clip3d.experiments.given_models import Candidate, clip_model, own_candidates
from clip3d.experiments.labelled_sets import MODELNET40
from clip3d.experiments.picture_sets import (
    Pictures,
    PictureSet,
    depth_maps_of,
    name_pictures,
    probe_pictures,
    views_of,
)

PLAIN, RENDER, DEPTH = (
    Candidate(need, title, (need,), partial(clip_model, need=need))
    for need, title in (
        ("clip", "PointCLIP ViT-B: no prompts"),
        ("cg3d-render", "CG3D-render: prompts of colour renders"),
        ("cg3d-depth", "CG3D-depth: prompts of depth maps"),
    )
)


def _renders(bench: Bench, split: str) -> Pictures:
    path, pictures = bench.path("shapenet55"), bench.find("shapenet55-pictures")
    places = [place.relative_to(bench.data).as_posix() if place else "" for place in (path, pictures)]
    source = TripletSource("shapenet55", places[0], split, pictures=places[1])
    return views_of(open_triplets(source, bench.data))


def _depth_maps(bench: Bench, split: str) -> Pictures:
    return depth_maps_of(MODELNET40.read(bench, split))


RENDERS = PictureSet("shapenet-renders", "ShapeNet renders", ("shapenet55",), _renders, ("shapenet55-pictures",))
DEPTH_MAPS = PictureSet("modelnet40-depth", "ModelNet40 depth maps", (MODELNET40.need,), _depth_maps)
# By image tower: of renders, of depth maps.
TABLE_4_VALUES = ((PLAIN, 33.6, 10.1), (RENDER, 77.8, 24.8), (DEPTH, 37.0, 34.4))
TABLE_5_VALUES = ((PLAIN, 70.31, 43.31), (RENDER, 82.47, 46.15), (DEPTH, 70.38, 68.80))


def _rows(bench: Bench, probed: bool) -> list[Row]:
    values = TABLE_5_VALUES if probed else TABLE_4_VALUES
    rows = []
    for candidate, of_renders, of_depth in values:
        rows.append(_row(candidate, RENDERS, probed, of_renders))
        rows.append(_row(candidate, DEPTH_MAPS, probed, of_depth))
    for candidate in own_candidates(bench):
        rows += [_row(candidate, pictures, probed, None) for pictures in (RENDERS, DEPTH_MAPS)]
    return rows


def _row(candidate: Candidate, pictures: PictureSet, probed: bool, value: float | None) -> Row:
    def zero_shot(bench: Bench, seed: int) -> Measured:
        return name_pictures(bench, candidate, pictures)

    def probe(bench: Bench, seed: int) -> Measured:
        return probe_pictures(bench, candidate, pictures, seed)

    return Row(
        name=f"{candidate.name}/{pictures.name}",
        cells=(candidate.title, pictures.title),
        needs=(*candidate.needs, *pictures.needs),
        measure=probe if probed else zero_shot,
        published=None if value is None else Published(value),
        model=candidate.name if candidate.own else None,
        uses=pictures.uses,
    )


COLUMNS = ("image tower", "pictures")
NOTES = (
    "One picture an object. ModelNet40's depth maps are drawn from the clouds as CG3D draws them, its first view.",
    "CG3D's prompts are in no published checkpoint that is read here: models of your own pre-training are taken.",
)
TABLE_4 = Experiment(
    name="cg3d-table4",
    title="the image tower alone, zero-shot",
    source="CLIP goes 3D (Hegde et al. 2023), table 4",
    shows="What visual prompts do for pictures like those they were trained on, and for others; top-1 accuracy.",
    columns=COLUMNS,
    rows=partial(_rows, probed=False),
    notes=(*NOTES, "Prompt of a class: This is a NAME; the paper does not say which these tables have."),
)
TABLE_5 = Experiment(
    name="cg3d-table5",
    title="the image tower alone, linear probe",
    source="CLIP goes 3D (Hegde et al. 2023), table 5",
    shows="The same by a logistic regression on the vectors of pictures, learned from the training split.",
    columns=COLUMNS,
    rows=partial(_rows, probed=True),
    notes=NOTES,
)

"""`clip3d scene`: where in a scanned room is what words name."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clip3d.cli import options as o
from clip3d.cli.classify import read_labels
from clip3d.cli.output import (
    WrongCommand,
    near_path,
    note,
    print_json,
    print_line,
    print_table,
    refuse_given,
    start_logging,
)
from clip3d.cli.session import load_model, open_cache, put_on_device, reading_of

if TYPE_CHECKING:
    from clip3d.scenes.collecting import Place
    from clip3d.scenes.labelling import Inventory, LabelledScene
    from clip3d.scenes.marks import Mark
    from clip3d.scenes.scene import Answer, Instance, Scene

EXAMPLES = o.examples(
    'clip3d scene room.ply "bookshelf" "office chair"',
    'clip3d scene room.ply "bookshelf" --ply answer.ply --html answer.html',
    'clip3d scene room.ply --labels "chair,table,sofa,floor,wall" --ply labelled.ply',
    "clip3d scene room.ply --describe",
    'clip3d scene --db building.db "fire extinguisher"',
    'clip3d scene scene0000_00/scene0000_00_vh_clean_2.ply "desk" --pictures scene0000_00/exported',
    'clip3d scene scan.e57 "fire extinguisher" --segmenter clusters --json',
)
# How a scan is read, parted and kept, and nothing of how it answers.
OF_SCANS = ("segmenter", "voxel", "up", "unit", "topic", "message", "points", "seed", "no_cache")


class Segmenter(str, Enum):
    """How a scan is parted."""

    graph = "graph"
    clusters = "clusters"
    kmeans = "kmeans"


def scene(
    context: typer.Context,
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="SCAN [WORDS]...",
            help="A cloud or mesh of a room, and what to look for, in quotes; with --db the words alone.",
        ),
    ],
    db: Annotated[
        str | None,
        typer.Option("--db", metavar="DB", help="Ask all scans of a collection: clip3d index --only scenes."),
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="With --db: of these records alone.")
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option("--labels", metavar="A,B,...|@FILE", help="Name every part with one of these, or none."),
    ] = None,
    describe: Annotated[bool, typer.Option("--describe", help="Count what there is, with sizes.")] = False,
    k: Annotated[int, typer.Option("-k", min=1, help="At most so many places a phrase.")] = 20,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, max=1, help="Least score of a place; 0.3 if left out.")
    ] = None,
    templates: o.Templates = None,
    segmenter: Annotated[
        Segmenter, typer.Option("--segmenter", help="How the scan is parted; kmeans as CLIP goes 3D does.")
    ] = Segmenter.graph,
    voxel: Annotated[
        float | None, typer.Option("--voxel", min=0.001, max=1, help="Edge in metres of what is worked on.")
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", metavar="FOLDER", help="Posed pictures of the room: color/, pose/, intrinsic/."),
    ] = None,
    ply: Annotated[
        Path | None, typer.Option("--ply", metavar="FILE", help="Write the scan, coloured by the answers.")
    ] = None,
    glb: Annotated[
        Path | None, typer.Option("--glb", metavar="FILE", help="Write the scene with boxes as binary glTF.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Write a picture as PNG.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page to walk about the scene in.")
    ] = None,
    indices: Annotated[
        Path | None, typer.Option("--indices", metavar="FILE", help="Write the points of each answer as npz.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME|FOLDER", help="Mini, or the collection's own, if left out."),
    ] = None,
    device: o.Device = "cpu",
    up: o.UpAxis = None,
    unit: o.UnitName = None,
    topic: o.Topic = None,
    message: o.Message = 0,
    points: o.Points = 1_000_000,
    seed: o.Seed = 0,
    no_cache: o.NoCache = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Ask a scanned room where something is; or name all that stands in it, or count it.

    Floor, ceiling and walls are found without labels; the rest is parted at several scales, and each part compared
    with the words. An answer is a box, a score and the points, or "nothing like that". A scan is parted once: the
    next question takes a moment. --json prints one line an answer, with the box in the scan's own axes and unit.
    """
    start_logging(quiet=quiet, verbose=verbose)
    if db is not None:
        if labels is not None or describe or any((ply, glb, picture, html, indices, pictures)):
            raise WrongCommand("a collection is asked in words, and answers as a table or --json")
        refuse_given(context, OF_SCANS, "a collection's scans were read and parted when they were indexed")
        _ask_collection(db, model, given, k, threshold, templates, where, device, as_json=as_json)
        return
    if where is not None:
        raise WrongCommand("--where chooses among the records of a collection: name it with --db")
    scan, asked = given[0], [phrase for phrase in given[1:] if phrase.strip()]
    if sum((bool(asked), labels is not None, describe)) != 1:
        raise WrongCommand(f'say what to look for: clip3d scene {scan} "chair"; or give --labels, or --describe')
    if not asked:
        refuse_given(context, ["k"], "all that stands in the room is named or counted")
    names = None if labels is None else read_labels(labels)
    from clip3d.scenes.opening import open_scene
    from clip3d.scenes.segmenting import check_method

    with open_cache(disabled=no_cache) as cache:
        room = open_scene(
            scan,
            load_model(model or "mini", device),
            segmenter=check_method(segmenter.value),
            voxel=voxel,
            pictures=pictures,
            reading=reading_of(points, seed, up, unit, o.Stance.upright, topic, message),
            cache=cache,
        )
        choice: dict[str, Any] = {"templates": templates}
        if threshold is not None:
            choice["threshold"] = threshold
        if asked:
            marks, nothing = _ask(room, asked, k, choice, as_json=as_json)
        else:
            marks, nothing = _name(room, names, choice, as_json=as_json), []
    outputs = {"ply": ply, "glb": glb, "picture": picture, "html": html, "indices": indices}
    title = ", ".join(asked) if asked else "What there is"
    for path in _write(room, marks, outputs, f"{title} in {room.name}", nothing):
        if not quiet:
            note(f"wrote {path}")
    if not quiet:
        _tell(room)


def _ask(
    room: Scene, words: Sequence[str], k: int, choice: dict[str, Any], *, as_json: bool
) -> tuple[list[Mark], list[str]]:
    """Answer phrases, print the answers; what is shown of them, and lines about those without any."""
    from clip3d.scenes.marks import marks_of_answers

    answers = [room.ask(phrase, k=k, **choice) for phrase in words]
    if as_json:
        for answer in answers:
            _print_answer(answer)
    else:
        rows = [row for answer in answers for row in _rows(answer)]
        if rows:
            print_table(("words", "rank", "score", "size (m)", "center"), rows, right=(1, 2))
    nothing = [_nothing(answer) for answer in answers if not answer]
    if not as_json:
        for line in nothing:
            print_line(line)
    return marks_of_answers(answers), nothing


def _rows(answer: Answer) -> list[tuple[str, ...]]:
    return [
        (answer.words, str(rank), f"{instance.score:.2f}", _size(instance), _center(instance))
        for rank, instance in enumerate(answer, start=1)
    ]


def _size(instance: Instance) -> str:
    metres = instance.scene.parted.grid.metres
    return " x ".join(f"{side * metres:.2f}" for side in instance.box.size)


def _center(instance: Instance) -> str:
    return ", ".join(f"{value:.2f}" for value in instance.box.center)


def _nothing(answer: Answer) -> str:
    near = answer.nearest
    told = f" (nearest: {near.score:.2f} at {_center(near)})" if near is not None else ""
    return f"{answer.words}: nothing like that{told}"


def _print_answer(answer: Answer) -> None:
    if not answer:
        near = None if answer.nearest is None else _record(answer.nearest)
        print_json({"words": answer.words, "found": False, "threshold": answer.threshold, "nearest": near})
    for rank, instance in enumerate(answer, start=1):
        print_json({"words": answer.words, "found": True, "rank": rank, **_record(instance)})


def _record(instance: Instance) -> dict[str, Any]:
    """An instance as JSON tells it."""
    box, room = instance.box, instance.scene
    low, high = box.bounds()
    return {
        "score": round(instance.score, 6),
        "center": _numbers(box.center),
        "size": _numbers(box.size),
        "axes": [_numbers(axis) for axis in box.axes],
        "low": _numbers(low),
        "high": _numbers(high),
        "unit": room.parted.unit,
        "up": room.parted.up,
        "part": instance.part,
        "voxels": len(room.parted.parts[instance.part].voxels),
        "scene": room.name,
        "model": room.model.id,
    }


def _numbers(values: Any) -> list[float]:
    return [round(float(value), 4) for value in values]


def _name(room: Scene, names: list[str] | None, choice: dict[str, Any], *, as_json: bool) -> list[Mark]:
    """Label a scene, or count what it holds; print it; and what is shown of it."""
    from clip3d.scenes.labelling import describe_scene, label_scene
    from clip3d.scenes.marks import marks_of_labels

    if names is None:
        inventory = describe_scene(room, **choice)
        _print_inventory(inventory, as_json=as_json)
        return marks_of_labels(inventory.labelled)
    labelled = label_scene(room, names, **choice)
    _print_labelled(labelled, as_json=as_json)
    return marks_of_labels(labelled)


def _print_labelled(labelled: LabelledScene, *, as_json: bool) -> None:
    if as_json:
        for item in labelled.instances:
            print_json({"label": item.label, **_record(item.instance)})
        return
    rows = [
        (item.label, f"{item.instance.score:.2f}", _size(item.instance), _center(item.instance))
        for item in labelled.instances
    ]
    if rows:
        print_table(("label", "score", "size (m)", "center"), rows, right=(1,))
    else:
        print_line("none of these labels fits a part of the scene")


def _print_inventory(inventory: Inventory, *, as_json: bool) -> None:
    height = inventory.height
    if as_json:
        print_json(
            {
                "floor_area": round(inventory.floor_area, 2),
                "height": None if height is None else round(height, 2),
                "walls": inventory.walls,
                "things": [
                    {
                        "label": kind.label,
                        "count": kind.count,
                        "size": _numbers(kind.size),
                        "score": round(kind.score, 6),
                    }
                    for kind in inventory.kinds
                ],
                "model": inventory.labelled.scene.model.id,
            }
        )
        return
    ceiling = "no ceiling was scanned" if height is None else f"{height:.2f} m high"
    print_line(f"about {inventory.floor_area:.0f} square metres of floor, {ceiling}, {inventory.walls} walls")
    rows = [
        (kind.label, str(kind.count), " x ".join(f"{side:.2f}" for side in kind.size), f"{kind.score:.2f}")
        for kind in inventory.kinds
    ]
    if rows:
        print_table(("thing", "count", "usual size (m)", "best score"), rows, right=(1, 3))


def _ask_collection(
    db: str,
    model: str | None,
    words: Sequence[str],
    k: int,
    threshold: float | None,
    templates: Sequence[str] | None,
    where: str | None,
    device: str,
    *,
    as_json: bool,
) -> None:
    """Ask all rooms of a collection, and print the answers."""
    from clip3d.scenes.answering import THRESHOLD
    from clip3d.scenes.collecting import ask_scenes
    from clip3d.search.collection import Collection

    least, rows = THRESHOLD if threshold is None else threshold, []
    chosen = None if model is None else load_model(model, device)
    with Collection(db, chosen, read_only=True) as collection:
        put_on_device(collection, device)
        for phrase in words:
            places = ask_scenes(collection, phrase, k=k, threshold=least, templates=templates, where=where)
            if as_json and not places:
                print_json({"words": phrase, "found": False, "threshold": least})
            for rank, place in enumerate(places, start=1):
                if as_json:
                    print_json(_place(phrase, rank, place))
                size = " x ".join(f"{side:.2f}" for side in place.size)
                center = ", ".join(f"{value:.2f}" for value in place.center)
                path = near_path(place.record.trace.path)
                rows.append((phrase, str(rank), f"{place.score:.2f}", size, center, path))
            if not places and not as_json:
                print_line(f"{phrase}: nothing like that")
        if rows and not as_json:
            print_table(("words", "rank", "score", "size (m)", "center", "scan"), rows, right=(1, 2))


def _place(words: str, rank: int, place: Place) -> dict[str, Any]:
    record = place.record
    return {
        "words": words,
        "found": True,
        "rank": rank,
        "score": round(place.score, 6),
        "path": record.trace.path,
        "part": record.trace.part,
        **record.metadata,
    }


def _write(
    room: Scene, marks: Sequence[Mark], outputs: dict[str, Path | None], title: str, nothing: Sequence[str]
) -> list[Path]:
    """Write the files that are wanted."""
    from clip3d.scenes import files
    from clip3d.scenes.viewer import write_viewer

    writers = {
        "ply": files.write_ply,
        "glb": files.write_gltf,
        "picture": files.write_picture,
        "indices": files.write_indices,
    }
    written = [writers[name](path, room, marks) for name, path in outputs.items() if path and name in writers]
    page = outputs["html"]
    return [*written, write_viewer(page, room, marks, title, nothing)] if page else written


def _tell(room: Scene) -> None:
    parted = room.parted
    for line in parted.notes:
        note(line)
    if parted.structure.tilt > 1:
        note(f"the scan leans by {parted.structure.tilt:.1f} degrees, which was put straight")
    note(f"{parted.n:,} points in {len(parted.parts)} parts ({parted.method}); model {room.model.id}")

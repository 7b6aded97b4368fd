"""Any model that sees pictures made into one that sees clouds through pictures drawn of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from clip3d.atomic import making_folder
from clip3d.models.card import Modality
from clip3d.models.checking import check_has_folder
from clip3d.models.clip_converting import NO_CLOUD_TOWER, check_empty
from clip3d.models.drawn_towers import DRAWN_CLOUDS, Drawing, drawing_tower, prompts_for
from clip3d.models.joining import copy_space, copy_tower, golden_inputs
from clip3d.models.model import Model
from clip3d.models.packing import TowerFacts, golden_clouds, pack

IMAGE_FILE = "image.safetensors"  # as `clip3d.models.joining.copy_tower` calls it


def view_clouds(
    model: Model,
    out: str | PathLike[str],
    drawing: Drawing = "pointclip",
    *,
    views: int = 6,
    scaled: bool | None = None,
    weights: Sequence[float] = (),
    name: str | None = None,
) -> Model:
    """Make a model's folder whose cloud tower is the image tower of `model`, looking at drawings of a cloud.

    Texts and pictures are encoded as before, in the same space. A cloud tower that the model has is replaced, and
    what its card measured and says of refusing is left out. PointCLIP is `drawing="pointclip"`, CLIP2Point
    before its pre-training "clip2point". Prompts become those of the paper. The folder is
    written whole or not at all.

    Args:
        model: with an image and a text tower.
        out: folder that does not exist yet or is empty.
        drawing: this and the next two as for `clip3d.models.drawn_towers.drawing_tower`.
        views: of depth maps, 6 or 10.
        scaled: whether depth maps are scaled as photographs are; None for what was published.
        weights: of the views of depth maps: their share in the answer; all 1 if empty.
        name: of the model, if not the folder's.

    Raises:
        ModelError: if the model has no image or text tower, a file is damaged, or `out` is not empty.
        ShapeError: if there is no such drawing, or the weights do not fit its views.
    """
    folder = Path(out).resolve()
    check_empty(folder)
    check_has_folder(model)
    tower = drawing_tower(image_facts(model), drawing, views, scaled, weights)
    with making_folder(folder) as temporary:
        facts = _facts(model, drawing, name or folder.name)
        put_cloud_tower(model, temporary, tower, facts)
    return Model(folder, device=model.device)


def image_facts(model: Model) -> TowerFacts:
    """What a card says of a model's image tower, once `put_cloud_tower` has copied it."""
    image = model.tower_card("image")
    return TowerFacts(image.architecture, IMAGE_FILE, image.config, image.preprocess)


def put_cloud_tower(model: Model, folder: Path, tower: TowerFacts, facts: Mapping[str, Any]) -> None:
    """Fill a folder with a model's text and image tower, its space, and another cloud tower than its own.

    Args:
        model: with an image and a text tower.
        folder: in which the cloud tower's weights lie, unless they are those of the image tower, `IMAGE_FILE`.
        tower: the cloud tower.
        facts: name, version, licence and so on, as `clip3d.models.packing.pack` takes them.

    Raises:
        ModelError: if the model has no image or text tower, or a file is damaged.
    """
    kept: tuple[Modality, ...] = ("text", "image")
    towers = {modality: copy_tower(model, modality, folder) for modality in kept}
    space = copy_space(model, folder)
    golden = golden_inputs(dict.fromkeys(kept, model)) | golden_clouds()
    pack(folder, facts, space, {**towers, "cloud": tower}, golden)


def _facts(model: Model, drawing: Drawing, name: str) -> dict[str, Any]:
    card = model.card
    limits = [limit for limit in card.limits if limit != NO_CLOUD_TOWER]
    return {
        "name": name,
        "version": card.version,
        "licence": card.licence,
        "templates": prompts_for(drawing, card.templates),
        "data": list(card.data),
        "measured": [],
        "limits": [f"Clouds are seen otherwise than by {model.id}. {DRAWN_CLOUDS}", *limits],
    }

"""Cloud towers that draw a cloud and look at the pictures with an image tower: what a card says of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

from clip3d.errors import ShapeError
from clip3d.models.packing import TowerFacts
from clip3d.models.preprocess import MAX_CANDIDATES

Drawing = Literal["shaded", "pointclip", "clip2point"]

# Points that the published depth maps are made of.
DEPTH_POINTS = 1024
# Prompts of the papers' zero-shot classification.
TEMPLATES: dict[str, str] = {"pointclip": "point cloud depth map of a {}.", "clip2point": "image of a {}"}
DRAWN_CLOUDS = (
    "Clouds are seen by the image tower through pictures drawn of them from several sides: that needs no training, "
    "but is slow, and a drawing shows less than a photograph."
)


def drawing_tower(
    image: TowerFacts,
    drawing: Drawing = "shaded",
    views: int = 6,
    scaled: bool | None = None,
    weights: Sequence[float] = (),
) -> TowerFacts:
    """A cloud tower of an image tower's own weights.

    Args:
        image: what the card says of the image tower.
        drawing: "shaded" for pictures in colour from four sides; "pointclip" or "clip2point" for depth maps.
        views: of depth maps, 6 or 10.
        scaled: whether the image tower's mean and deviation of photographs are applied to depth maps; None for what
            was published: not to PointCLIP's, but to CLIP2Point's.
        weights: of the views of depth maps, in the order of `clip3d.render`'s directions; all 1 if empty.

    Raises:
        ShapeError: if there is no such drawing, or there are neither 6 nor 10 views, or not as many weights.
    """
    if drawing not in get_args(Drawing):
        raise ShapeError(f"the drawing must be one of {', '.join(get_args(Drawing))}, got {drawing!r}")
    shared = {"architecture": image.architecture, "image": image.config}
    photographs = {key: list(image.preprocess[key]) for key in ("mean", "std")}
    size = image.preprocess["size"]
    if drawing == "shaded":
        # drawn pictures need more points than a network for clouds does
        config = {**shared, "size": size, **photographs}
        return TowerFacts("rendered-views", image.weights, config, {"points": MAX_CANDIDATES})
    if views not in (6, 10):
        raise ShapeError(f"depth maps show a cloud from 6 or 10 sides, got {views}")
    scaled = drawing == "clip2point" if scaled is None else scaled
    style = {"style": drawing, "views": views, "size": size, **(photographs if scaled else {})}
    config = {**shared, "drawing": style}
    if weights:
        check_weights(weights, views)
        config["weights"] = [float(weight) for weight in weights]
    return TowerFacts("depth-views", image.weights, config, {"points": DEPTH_POINTS})


def check_weights(weights: Sequence[float], views: int) -> None:
    """Raise ShapeError unless there is a weight for each view, none below 0 and not all 0."""
    if len(weights) != views or not all(0 <= weight < math.inf for weight in weights) or not sum(weights):
        raise ShapeError(f"weights must be {views} numbers, none below 0 and not all 0, got {list(weights)}")


def prompts_for(drawing: str, templates: tuple[str, ...]) -> list[Any]:
    """The prompts that belong to a drawing; a model's own for shaded pictures, which look like photographs."""
    return [TEMPLATES[drawing]] if drawing in TEMPLATES else list(templates)

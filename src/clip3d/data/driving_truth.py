"""What is true of a frame of a driving log: classes of its objects, their words, and terms of the whole scene.

Names of classes differ from data set to data set; here they are brought to one list. Terms and their definitions
are those of LidarCLIP (Hess et al. 2024, section 4.2 and its published code), with a lidar's view in place of a
camera's: an object counts where enough points lie in its box.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from clip3d.lidar.frame import Box

CLASSES = ("car", "van", "truck", "bus", "pedestrian", "cyclist")
VEHICLES = ("car", "van", "truck", "bus")
SEEN = 5  # points in its box with which an object counts as seen
NEARBY = 15.0  # metres; LidarCLIP's
PERIODS = ("day", "dusk", "night")
WEATHERS = ("sunny", "cloudy", "rainy", "foggy")
LENS = ("sun glare", "drops on the lens", "blurred")  # what befalls a picture and no sweep

# Names of KITTI, nuScenes, ONCE and others in lower case, the last part of dotted names by itself.
_NAMES = {
    "car": ("car", "automobile", "sedan"),
    "van": ("van", "minivan"),
    "truck": ("truck", "lorry", "construction"),
    "bus": ("bus", "bendy", "rigid"),
    "pedestrian": (
        "pedestrian", "person sitting", "person", "adult", "child", "police officer", "construction worker",
    ),
    # nuScenes draws no line between a bicycle and who rides it; a plain "bicycle" elsewhere has nobody on it
    "cyclist": ("cyclist", "bicyclist", "vehicle.bicycle"),
}  # fmt: skip
_CLASS_OF = {name: kind for kind, names in _NAMES.items() for name in names}


@dataclass(frozen=True)
class Seen:
    """An object as one frustum shows it.

    Attributes:
        label: as the data set names it.
        distance: metres from the sensor's origin to the box's middle, on the ground.
        points: in its box.
    """

    label: str
    distance: float
    points: int


def class_of(label: str) -> str | None:
    """One of `CLASSES`, or None for an object of another kind."""
    plain = re.sub(r"[_\-]+", " ", label.lower()).strip()
    if plain in _CLASS_OF:
        return _CLASS_OF[plain]
    return _CLASS_OF.get(plain.rsplit(".", 1)[-1])


def words_of(box: Box) -> tuple[str, ...]:
    """What an object may rightly be called: words that came with it, most specific first, its class, its label."""
    given = box.attributes.get("words", ())
    own = [given] if isinstance(given, str) else [str(word) for word in given] if _listed(given) else []
    kind = class_of(box.label)
    plain = re.sub(r"[_\-]+", " ", box.label.lower()).rsplit(".", 1)[-1].strip()
    named = [word.strip().lower() for word in own] + ([kind] if kind else []) + [plain]
    return tuple(dict.fromkeys(word for word in named if word))


def frame_terms(
    boxes: Sequence[Box] | None, counts: Sequence[int], metadata: Mapping[str, Any], camera: str | None = None
) -> dict[str, bool]:
    """Terms of a frustum that holds so many points of each box; those of the metadata alone where nobody labelled.

    Args:
        boxes: of the frame, as `Frame.boxes`.
        counts: points in each.
        metadata: as for `terms_of`, and `terms_by_camera` where a log tells what befalls its pictures.
        camera: whose picture is meant; None leaves `LENS` out.
    """
    told = conditions_of(metadata) if boxes is None else terms_of(seen_of(boxes, counts), metadata)
    return {**told, **({} if camera is None else lens_terms(metadata, camera))}


def lens_terms(metadata: Mapping[str, Any], camera: str) -> dict[str, bool]:
    """Whether each of `LENS` is true of a camera's picture; nothing where a log lists no terms of that camera."""
    told = listed_terms(metadata, camera)
    return {} if told is None else {term: term in told for term in LENS}


def listed_terms(metadata: Mapping[str, Any], camera: str) -> frozenset[str] | None:
    """What `terms_by_camera` of a simulated log's frame says of a camera's picture; None where it says nothing."""
    by_camera = metadata.get("terms_by_camera")
    told = by_camera.get(camera) if isinstance(by_camera, Mapping) else None
    return frozenset(map(str, told)) if _listed(told) else None


def seen_of(boxes: Sequence[Box], counts: Sequence[int]) -> list[Seen]:
    """The objects of a frame with the numbers of their points."""
    pairs = zip(boxes, counts, strict=True)
    return [Seen(box.label, float(np.hypot(*box.center[:2])), int(count)) for box, count in pairs]


def terms_of(objects: Sequence[Seen], metadata: Mapping[str, Any]) -> dict[str, bool]:
    """Terms of a scene, and whether each is true; what the data set does not say is left out.

    "car", … for at least one seen; "nearby car", … within 15 m; "busy street" for five cars, trucks, vans and buses
    within 60 m, "empty street" for a weighted count of vehicles below 1 (1 within 15 m, a half within 40 m); the
    period of the day and the weather, of which "cloudy" is neither sunny nor rainy.

    Args:
        objects: that lie in the frustum; those with fewer than 5 points do not count.
        metadata: of the frame: `period` and `weather`, where they are known.
    """
    seen = [(class_of(one.label), one.distance) for one in objects if one.points >= SEEN]
    found: dict[str, bool] = {}
    for kind in CLASSES:
        found[kind] = any(k == kind for k, _ in seen)
        found[f"nearby {kind}"] = any(k == kind and distance < NEARBY for k, distance in seen)
    traffic = [distance for kind, distance in seen if kind in VEHICLES]
    found["busy street"] = sum(distance < 60 for distance in traffic) >= 5
    found["empty street"] = sum(1.0 if d < NEARBY else 0.5 for d in traffic if d < 40) < 1
    for key, values in (("period", PERIODS), ("weather", WEATHERS)):
        value = str(metadata.get(key, "")).lower()
        if value in values:
            found |= {one: one == value for one in values}
    return found


def conditions_of(metadata: Mapping[str, Any]) -> dict[str, bool]:
    """The terms that need no labelled object: period and weather."""
    without = terms_of((), {})
    return {term: true for term, true in terms_of((), metadata).items() if term not in without}


# A few prompts of each family that LidarCLIP asks with; {} is the term.
PROMPTS: dict[str, tuple[str, ...]] = {
    "object": ("a photo of a {}", "a photo of a {} in the scene", "a photo of a street with a {}"),
    "nearby": ("a photo of a nearby {}", "a {} close by", "a photo of a street with a {} close by"),
    "period": ("a photo taken at {}", "a photo of a street at {}", "a photo of many things in a place at {}"),
    "weather": ("a photo taken on a {} day", "a photo of a {} place", "a photo of a {} street"),
    "busy": ("a photo of a busy street", "a photo of a crowded street", "a photo of a street full of vehicles"),
    "empty": ("a photo of an empty street", "a photo of a deserted road", "a photo of an empty scene"),
    "lens": ("{}", "a photo with {}", "a photo of a street with {}"),
    "blur": ("a blurred photo", "a photo with motion blur", "a blurry photo of a street"),
}


def family_of(term: str) -> str:
    """The family of prompts of a term that `frame_terms` names."""
    if term.startswith("nearby "):
        return "nearby"
    named = {"busy street": "busy", "empty street": "empty", "blurred": "blur"}
    if term in LENS and term not in named:
        return "lens"
    return named.get(term) or ("period" if term in PERIODS else "weather" if term in WEATHERS else "object")


def prompts_of(term: str) -> list[str]:
    """Phrases that ask for a term."""
    family = family_of(term)
    word = term.removeprefix("nearby ")
    return [prompt.replace("{}", word) for prompt in PROMPTS[family]]


def _listed(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))

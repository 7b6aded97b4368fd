"""What a moment may be called: terms that hold, and a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from clip3d.lidar.frame import Box
from clip3d.simulation.chance import Rng, maybe, pick
from clip3d.simulation.driving.conditions import is_glaring
from clip3d.simulation.driving.snapshot import Conditions

SEEN = 5  # points from which a sweep shows a thing
CLOSE = 12.0  # metres
CROWD = 7  # people that make a crowd
HEAVY = 14  # vehicles that make heavy traffic
AROUND = 35.0  # metres within which nothing makes a place empty
VEHICLES = ("car", "van", "truck", "bus", "motorcycle", "tram", "trailer", "tractor", "construction vehicle")
PLURALS = {"bus": "buses", "person": "people"}
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def seen_by_lidar(boxes: Sequence[Box]) -> list[Box]:
    """Things of which a sweep has enough points."""
    return [box for box in boxes if box.attributes["points"] >= SEEN]


def is_empty(seen: Sequence[Box]) -> bool:
    """Whether nothing with a label is anywhere near."""
    return all(box.attributes["distance"] > AROUND for box in seen)


def seen_by_camera(boxes: Sequence[Box], camera: str, height: float = 12.0) -> list[Box]:
    """Things of which a picture shows enough: a quarter, and so many pixels of height."""
    found = []
    for box in boxes:
        if camera in box.rectangles and box.attributes["cameras"][camera]["visible"] >= 0.25:
            _, top, _, bottom = box.rectangles[camera]
            if bottom - top >= height:
                found.append(box)
    return found


def terms(
    seen: Sequence[Box], conditions: Conditions, place: str, heading: float, also: Sequence[str] = ()
) -> list[str]:
    """Words that hold of a moment: classes, those close by, light, weather, place, density.

    Args:
        seen: things that are seen.
        conditions: light and weather.
        place: in plain words.
        heading: radians from world x where one looks.
        also: what else holds.
    """
    found = [
        place,
        conditions.period,
        {"sunny": "clear sky", "cloudy": "cloudy", "rainy": "rain", "foggy": "fog"}[conditions.weather],
    ]
    if is_glaring(conditions, heading):
        found.append("sun glare")
    if conditions.lens_drops:
        found.append("drops on the lens")
    if conditions.blur:
        found.append("blurred")
    counts = Counter(box.label for box in seen)
    found += sorted(counts)
    found += sorted({f"{box.label} close by" for box in seen if box.attributes["distance"] < CLOSE})
    if counts["pedestrian"] >= CROWD:
        found.append("crowded")
    vehicles = sum(counts[label] for label in VEHICLES)
    if vehicles >= HEAVY and place != "car park":
        found.append("heavy traffic")
    if is_empty(seen):
        found.append("empty")
    found += sorted({word for box in seen for word in box.attributes["words"][:3]} - set(found))
    return list(dict.fromkeys([*found, *also]))


def caption(
    rng: Rng, seen: Sequence[Box], conditions: Conditions, place: str, heading: float, also: Sequence[str] = ()
) -> str:
    """One sentence of what is seen; of many kinds of things the close and the rare are told."""
    sky = {"sunny": "", "cloudy": "under a cloudy sky", "rainy": "in the rain", "foggy": "in fog"}[
        conditions.weather
    ]
    time = {"day": pick(rng, "", "by day"), "dusk": "at dusk", "night": "at night"}[conditions.period]
    counts = Counter(box.label for box in seen)
    how = ""
    if counts["pedestrian"] >= CROWD:
        how = "crowded "
    elif is_empty(seen):
        how = "empty "
    elif sum(counts[label] for label in VEHICLES) >= HEAVY:
        how = "busy " if place != "car park" else "full "
    article = "an" if (how or place)[0] in "aeiou" else "a"
    words = [f"{article} {how}{place}", time, sky]
    if is_glaring(conditions, heading):
        words.append("against the sun")
    text = " ".join(word for word in words if word)
    things = _told(rng, seen)
    if things:
        text += f", with {_listed(things)}"
    if also:
        text += f", {' and '.join(also)}"
    return text


def _told(rng: Rng, seen: Sequence[Box]) -> list[str]:
    """Up to four phrases about things, close and rare ones first."""
    groups: dict[str, list[Box]] = {}
    for box in seen:
        groups.setdefault(box.label, []).append(box)
    rare = {"car": 5, "pedestrian": 3, "van": 3}
    order = sorted(
        groups.items(),
        key=lambda item: (min(b.attributes["distance"] for b in item[1]) > CLOSE, rare.get(item[0], 1)),
    )
    phrases = []
    for label, boxes in order[:4]:
        nearest = min(boxes, key=lambda box: float(box.attributes["distance"]))
        close = float(nearest.attributes["distance"]) < CLOSE
        if len(boxes) == 1:
            word = str(pick(rng, *nearest.attributes["words"][:2])) if maybe(rng, 0.6) else label
            phrase = f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
        else:
            phrase = f"{_NUMBERS.get(len(boxes), 'many')} {PLURALS.get(label, label + 's')}"
        phrases.append(phrase + _where(nearest, close, len(boxes)))
    return phrases


def _where(box: Box, close: bool, many: int) -> str:
    if close:
        return " close by"
    if many > 1:
        return ""
    angle = np.degrees(np.arctan2(box.center[1], box.center[0]))
    if abs(angle) < 20:
        return " ahead" if box.attributes["distance"] < 35 else " far ahead"
    return ""


def _listed(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"

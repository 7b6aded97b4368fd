"""The prompts that LidarCLIP finds driving scenes with, made from their parts (section 4.2, published code).

Objects are asked with 85 templates: the 80 that CLIP's authors give for ImageNet and five that place a thing in a
scene. Period, weather and traffic are asked with every combination of a few words. The paper adds the vectors of
all prompts of a term; `Space.ensemble` adds them at unit length, so that none counts more for being long.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from clip3d.data.caption_templates import ARTICLES, ARTS, DRAWN, PHOTOS, STUFFS
from clip3d.data.driving_truth import PROMPTS, family_of, prompts_of
from clip3d.errors import ShapeError

# As published, also where English asks for another article.
_KINDS = (*ARTS, "rendering", "doodle", "rendition")
_WORKS = (*(f"a {kind}" for kind in _KINDS), "graffiti", "art")
OBJECTS: tuple[str, ...] = (
    *(f"{photo}." for photo in PHOTOS),
    *(f"{article} {stuff} {{}}." for stuff in (*STUFFS, *DRAWN) for article in ARTICLES),
    *(f"{work} of {article} {{}}." for work in _WORKS for article in ARTICLES),
    *(f"{article} {{}} in a video game." for article in ARTICLES),
    *(f"there is {article} {{}} in the scene." for article in ARTICLES),
    *(f"this is {article} {{}} in the scene." for article in (*ARTICLES, "one")),
)

QUALITIES = ("bad", "good", "clean", "dirty", "cropped", "close-up")
PLACES = ("environment", "scene", "road", "street", "intersection")
VERBS = ("taken", "captured")
BUSY = ("busy", "crowded", "full")
EMPTY = ("empty", "deserted", "abandoned")
_SHOTS = tuple(f"a {quality} photo" for quality in QUALITIES)

WEATHER: tuple[str, ...] = (
    *(f"{shot} of a {{}} {place}." for shot, place in product(_SHOTS, PLACES)),
    *(f"{shot} {verb} on a {{}} day." for shot, verb in product(_SHOTS, VERBS)),
    *(f"{shot} {verb} in a {{}} {place}." for shot, verb, place in product(_SHOTS, VERBS, PLACES)),
    *(f"{shot} of many things in a {{}} {place}." for shot, place in product(_SHOTS, PLACES)),
)
PERIOD: tuple[str, ...] = (
    *(f"{shot} {verb} at {{}}." for shot, verb in product(_SHOTS, VERBS)),
    *(
        f"{shot} of {which} {place} {verb} at {{}}."
        for shot, which, place, verb in product(_SHOTS, ("a", "the", "many things in a"), PLACES, VERBS)
    ),
)
BUSY_STREETS: tuple[str, ...] = tuple(
    f"{shot} of extremely {busy} traffic during rush hour with a large number of nearby vehicles."
    for shot, busy in product(_SHOTS, BUSY)
)
EMPTY_STREETS: tuple[str, ...] = tuple(
    f"{shot} of a completely {empty} {place} with no vehicles in sight."
    for shot, empty, place in product(_SHOTS, EMPTY, PLACES)
)
# What befalls a picture: this project's, since the paper measures none of it.
LENS_PROMPTS: dict[str, tuple[str, ...]] = {
    "sun glare": ("sun glare", "a photo with sun glare", "a photo taken against the sun", "a low sun that blinds"),
    "drops on the lens": (
        "water drops on the lens", "a photo with water on the lens", "rain drops on the camera", "a wet lens",
    ),
    "blurred": PROMPTS["blur"],
}  # fmt: skip
# The words by themselves, as users type them.
_TYPED: dict[str, tuple[str, ...]] = {
    "object": ("{}", "a {}"),
    "nearby": ("{} close by", "a {} close by", "nearby {}"),
    "period": ("{}", "at {}"),
    "weather": ("{}", "{} weather"),
    "busy": ("busy street", "a busy street", "heavy traffic"),
    "empty": ("empty street", "an empty street", "no traffic"),
    "lens": ("{}",),
    "blur": ("blurred", "blurry", "motion blur"),
}
_ALSO_TYPED = {"rainy": ("rain", "in the rain"), "foggy": ("fog", "in fog")}
# {} is the term; what has none asks for one thing alone. Nearby objects are asked as "nearby car" and so on.
FAMILIES: dict[str, tuple[str, ...]] = {
    "object": OBJECTS,
    "nearby": OBJECTS,
    "period": PERIOD,
    "weather": WEATHER,
    "busy": BUSY_STREETS,
    "empty": EMPTY_STREETS,
}
# The families that ask for any words, under the names that users give.
ENSEMBLES: dict[str, tuple[str, ...]] = {"objects": OBJECTS, "weather": WEATHER, "period": PERIOD}


def published_prompts(term: str) -> list[str]:
    """The paper's prompts for a term as `clip3d.data.driving_truth.terms_of` names it, such as "nearby car"."""
    return [template.replace("{}", term) for template in FAMILIES[family_of(term)]]


def phrasings_of(term: str) -> list[list[str]]:
    """Three ways to ask for a term, each of several phrases whose vectors are to be averaged.

    Args:
        term: as `clip3d.data.driving_truth.frame_terms` names it.

    Returns:
        Short prompts, the paper's (this project's where the paper has none), and the words as they are typed.
    """
    word = term.removeprefix("nearby ")
    typed = [text.replace("{}", word) for text in _TYPED[family_of(term)]]
    longer = list(LENS_PROMPTS[term]) if term in LENS_PROMPTS else published_prompts(term)
    return [prompts_of(term), longer, [*typed, *_ALSO_TYPED.get(term, ())]]


def templates_named(given: Sequence[str]) -> tuple[str, ...]:
    """Templates of the names of ensembles ("objects", "weather", "period") and of texts that hold {}.

    Raises:
        ShapeError: for what is neither.
    """
    found: list[str] = []
    for text in given:
        if text not in ENSEMBLES and "{}" not in text:
            names = ", ".join(ENSEMBLES)
            raise ShapeError(f"templates are one of {names}, or a text with {{}} where the words go, not {text!r}")
        found += ENSEMBLES.get(text, (text,))
    return tuple(dict.fromkeys(found))

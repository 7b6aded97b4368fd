"""Prompts that captions are put into while a model is trained: the families that the field uses, and some for 3D.

CLIP's own prompts for photographs and CG3D's 63 for renders (SLIP's, plus five of scenes) are combinations of a few
parts: an article, a word for the picture, a word for its or the thing's quality. They are put together here from
such parts, and so are those that speak of 3D. Every template has {} once, for the caption.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

# The prompt that the paper asks with, and trains nothing with.
PREFIX = "This is a {}"

ARTICLES = ("a", "the")
OWNERS = ("a", "my", "the")
COUNTS = ("one", "many")
SHOTS = ("good", "bad", "bright", "dark", "cropped", "close-up", "blurry", "pixelated", "black and white")
DAMAGES = ("low resolution", "jpeg corrupted")
QUALITIES = ("nice", "cool", "weird", "small", "large", "clean", "dirty", "hard to see")
STUFFS = ("plastic", "toy", "plushie", "embroidered")
ARTS = ("painting", "drawing", "sketch", "sculpture", "tattoo")
DRAWN = ("cartoon", "origami")
# What a 3D file or a sensor shows, and from where.
FORMS = ("3d model", "CAD model", "mesh", "point cloud", "3d scan", "laser scan", "depth map", "rendering")
FINISHES = ("textured", "untextured", "low poly", "detailed")
SIDES = ("from above", "from the side", "from behind", "without its surroundings")


def _an(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


PHOTOS: tuple[str, ...] = (
    *(f"a photo of {word} {{}}" for word in (*OWNERS, *COUNTS)),
    *(f"itap of {word} {{}}" for word in OWNERS),
    *(f"{_an(shot)} photo of {article} {{}}" for shot in (*SHOTS, *DAMAGES) for article in ARTICLES),
    *(f"a photo of {article} {quality} {{}}" for quality in QUALITIES for article in ARTICLES),
)
MATERIALS: tuple[str, ...] = tuple(text for stuff in STUFFS for text in (f"{_an(stuff)} {{}}", f"the {stuff} {{}}"))
DRAWINGS: tuple[str, ...] = (
    *(f"{_an(art)} of {article} {{}}" for art in ARTS for article in ARTICLES),
    *(text for style in DRAWN for text in (f"{_an(style)} {{}}", f"the {style} {{}}")),
)
SCENES: tuple[str, ...] = (
    *(f"there is {article} {{}} in the scene" for article in ARTICLES),
    *(f"a photo of {word} {{}} in the scene" for word in (*ARTICLES, "one")),
)
SHAPES: tuple[str, ...] = (
    *(f"{_an(form)} of {article} {{}}" for form in FORMS for article in ARTICLES),
    *(f"{_an(finish)} 3d model of a {{}}" for finish in FINISHES),
    *(f"a rendering of a {{}} {side}" for side in SIDES),
)
FAMILIES: dict[str, tuple[str, ...]] = {
    "photos": PHOTOS,
    "materials": MATERIALS,
    "drawings": DRAWINGS,
    "scenes": SCENES,
    "shapes": SHAPES,
    "prefix": (PREFIX,),
}
# What pre-training draws from if a recipe names nothing else.
TEMPLATES: tuple[str, ...] = (*PHOTOS, *MATERIALS, *DRAWINGS, *SCENES, *SHAPES)


def templates_of(families: Iterable[str]) -> tuple[str, ...]:
    """The templates of some families: "photos", "materials", "drawings", "scenes", "shapes" or "prefix".

    Raises:
        KeyError: if there is no family of a name.
    """
    return tuple(template for family in families for template in FAMILIES[family])


def draw_caption(caption: str, rng: np.random.Generator, templates: tuple[str, ...] = TEMPLATES) -> str:
    """The caption in a template that is drawn evenly; "a" before a vowel becomes "an"."""
    return fill(templates[int(rng.integers(len(templates)))], caption)


def fill(template: str, caption: str) -> str:
    """The caption in a template; "a" right before it becomes "an" where the caption begins with a vowel."""
    before, _, after = template.partition("{}")
    if caption and caption[0].lower() in "aeiou":
        before = re.sub(r"\b([Aa]) $", r"\1n ", before)
    return f"{before}{caption}{after}"

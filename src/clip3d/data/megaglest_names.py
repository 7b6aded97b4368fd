"""What the models of MegaGlest are in plain English, by `names/megaglest.txt`.

Poses, projectiles, parts, and what nobody would recognise have no captions.
"""

from __future__ import annotations

from clip3d.data.captions import first_match, rules

WINTER = ("winter/", "winter_forest/")
AUTUMN = "autumn/"
TURNING = ("leafy tree", "birch tree")


def captions_of(name: str) -> tuple[str, ...]:
    """Captions of the model at a short path, the most specific first; none if it is left out."""
    text = first_match(name, rules("megaglest"))
    captions = tuple(text.split("|")) if text else ()
    if name.startswith(WINTER) and "tree" in captions:
        return (f"snowy {captions[0]}", *captions)
    if name.startswith(AUTUMN) and captions[:1] and captions[0] in TURNING:
        return (f"autumn {captions[0]}", *captions)
    return captions

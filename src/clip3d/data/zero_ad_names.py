"""What the actors of 0 A.D. are in plain English, by `names/0ad.txt`.

A caption that begins with "* " there is said with the nation of the actor's folder too: for some things, a nation
shows in the shape.
"""

from __future__ import annotations

from clip3d.data.captions import first_match, rules, with_synonyms

NATIONS = {
    "romans": "roman", "rome": "roman", "athenians": "greek", "hellenes": "greek", "spartans": "greek",
    "macedonians": "greek", "thebans": "greek", "hele": "greek", "athen": "greek", "spart": "greek",
    "celts": "celtic", "britons": "celtic", "gauls": "celtic", "celt": "celtic", "brit": "celtic", "gaul": "celtic",
    "persians": "persian", "pers": "persian", "mauryas": "indian", "maur": "indian",
    "ptolemies": "egyptian", "ptol": "egyptian", "kushites": "nubian", "kush": "nubian", "han": "chinese",
}  # fmt: skip


def captions_of(actor: str) -> tuple[str, ...]:
    """Captions of the actor at a path below `art/actors`, the most specific first; none if it is left out."""
    text = first_match(actor, rules("0ad"))
    return with_synonyms(_with_nation(text.split("|"), actor)) if text else ()


def noun_of(actor: str) -> str:
    """The first caption without a nation: what counts as one kind of thing when kinds are limited in number."""
    return first_match(actor, rules("0ad")).split("|")[0].removeprefix("* ")


def _with_nation(captions: list[str], actor: str) -> list[str]:
    nation = next((NATIONS[word] for word in actor.replace("_", "/").split("/") if word in NATIONS), None)
    plain = []
    for caption in captions:
        if caption.startswith("* "):
            plain += [f"{nation} {caption[2:]}"] if nation else []
            plain.append(caption[2:])
        else:
            plain.append(caption)
    return list(dict.fromkeys(plain))

"""A model's card as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clip3d.models.model import Model

WIDTH = 110


def card_lines(model: Model) -> Iterator[str]:
    """The card in sections, a line at a time; everything that it says of data, measurements and limits is there."""
    card = model.card
    yield f"{model.id}, version {card.version}, licence {card.licence}, in {model.folder}"
    space = card.space
    yield f"space {space['id']}, {space['dim']} dimensions; prompts: {'; '.join(card.templates)}"
    if card.labels:
        yield from _wrapped(f"a classifier of {len(card.labels)} labels: {', '.join(card.labels)}", "")
    yield from _section("Towers", (_tower(kind, tower) for kind, tower in card.raw["towers"].items()))
    yield from _section("Learned from", map(_source, card.data))
    yield from _section("Measured", map(_measurement, card.measured))
    yield from _section("Limits", card.limits)


def _section(title: str, entries: Iterable[str]) -> Iterator[str]:
    lines = [line for entry in entries for line in _wrapped(entry)]
    if lines:
        yield from ("", title, *lines)


def _wrapped(entry: str, mark: str = "- ") -> list[str]:
    return textwrap.wrap(entry, WIDTH, initial_indent=mark, subsequent_indent="  ", break_long_words=False)


def _tower(kind: str, tower: Mapping[str, Any]) -> str:
    prepared = _listed(tower.get("preprocess", {}))
    return f"{kind}: {tower['architecture']}{f'; {prepared}' if prepared else ''}; sha256 {tower['sha256'][:12]}"


def _source(entry: Mapping[str, Any]) -> str:
    entry = dict(entry)
    name = entry.pop("name", None) or entry.pop("source", "unnamed")
    return f"{name}: {_listed(entry)}" if entry else str(name)


def _measurement(entry: Mapping[str, Any]) -> str:
    entry = dict(entry)
    test, value, unit = entry.pop("test", "unnamed"), entry.pop("value", None), entry.pop("unit", "")
    head = f"{test}: {_value(value)} {unit}".rstrip()
    return f"{head} ({_listed(entry)})" if entry else head


def _listed(entry: Mapping[str, Any]) -> str:
    return "; ".join(f"{key} {_value(value)}" for key, value in entry.items())


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(each) for each in value)
    if isinstance(value, Mapping):
        return _listed(value)
    return "-" if value is None else str(value)

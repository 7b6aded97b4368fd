"""Items for collections, whose vectors the words of the tiny model give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from clip3d.models.model import Model
from clip3d.models.refusal import Refusal
from clip3d.search.stores.store import Entry, Header, Kind, Store, Trace
from clip3d.spaces import unit


def header_of(model: Model, names: Sequence[str] = ("cloud",)) -> Header:
    space = model.space
    towers = {name: f"the tower of {name}" for name in names}
    return Header(space.id, space.dim, space.mean, space.stored, model.id, model.card.weights_hash, towers)


def item(
    path: str,
    vectors: dict[str, np.ndarray],
    *,
    kind: Kind = "object",
    content: str | None = None,
    part: str = "",
    **said: Any,
) -> Entry:
    digest = f"content of {path}" if content is None else content
    trace = Trace(path, part, digest, "reading", (path,), ((1, 2, 3),), 4)
    return Entry(kind, trace, vectors, said)


def described(model: Model, path: str, words: str, seed: int = 0, **facts: Any) -> Entry:
    """An object that is what the words say, give or take a little."""
    vector = model.encode_texts([words])[0]
    noise = np.random.default_rng([seed, len(path)]).normal(0, 0.02, vector.shape)
    return item(path, {"cloud": unit((vector + noise).astype(np.float32)[None])[0]}, **facts)


def keep(store: Store, model: Model, entries: Iterable[Entry], names: Sequence[str] = ("cloud",)) -> Store:
    with store.writing():
        if store.header() is None:
            store.begin(header_of(model, names))
        store.put(list(entries))
    return store


def teach_refusal(model: Model) -> Model:
    """A model that can tell that its five words do not fit."""
    model.card.refusal["threshold"] = 0.5
    model.__dict__["refusal"] = Refusal(model.encode_texts(["tall", "flat", "red", "green", "blue"]), 0.5, 1.0, 2.0)
    return model

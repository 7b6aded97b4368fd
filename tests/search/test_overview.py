"""What a collection holds: counts, near-duplicates against a plain loop, and words that fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kept_items import described, item, keep, teach_refusal
from memory_store import MemoryStore

from clip3d.errors import ConditionError, DataError
from clip3d.models.model import Model
from clip3d.search import near_groups as groups
from clip3d.search import overview
from clip3d.search.conditions.where import Condition
from clip3d.search.coverage import cover, read_vocabulary
from clip3d.search.near_groups import near_groups
from clip3d.search.overview import look_over
from clip3d.spaces import unit


def drawn(n: int, d: int, clusters: int, noise: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(clusters, d)) / np.sqrt(np.arange(1, d + 1))
    return unit((centres[rng.integers(0, clusters, n)] + rng.normal(0, noise, (n, d))).astype(np.float32))


def by_hand(vectors: np.ndarray, near: float) -> list[int]:
    leaders: list[int] = []
    found = []
    for i, vector in enumerate(vectors):
        alike = [j for j in leaders if vectors[j] @ vector >= near]
        leaders += [] if alike else [i]
        found.append(alike[0] if alike else i)
    return found


@pytest.mark.parametrize("near", [0.5, 0.9, 0.97, 0.999])
def test_groups_are_those_of_a_plain_loop(near: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(groups, "BLOCK", 100)
    monkeypatch.setattr(groups, "LEADERS_A_TIME", 70)
    vectors = drawn(700, 90, 40, 0.05)
    told: list[int] = []
    assert near_groups(vectors, near, lambda done, total: told.append(done)).tolist() == by_hand(vectors, near)
    assert told[-1] == 700


def test_equal_vectors_are_one_group_however_many():
    vectors = np.repeat(drawn(2, 100, 2, 0.0), 3000, axis=0)
    assert len(np.unique(near_groups(vectors, 0.99))) in (1, 2)
    assert near_groups(np.zeros((0, 8), np.float32), 0.9).tolist() == []


@pytest.fixture
def kept(model: Model) -> MemoryStore:
    store = MemoryStore()
    keep(
        store,
        model,
        [
            described(model, "/data/a/one.off", "tall red", split="train", size=1, night=True),
            described(model, "/data/a/two.OBJ", "tall red", split="test", size=2.5),
            described(model, "/data/b/c/three", "blue", split="test", content="same"),
            described(model, "/data/b/four.obj", "blue", content="same"),
            item("/data/b/log", {"image": model.encode_texts(["green"])[0]}, kind="frame", part="7"),
        ],
        names=("cloud", "image"),
    )
    return store


def test_counts(kept: MemoryStore):
    found = look_over(kept, near=None)
    assert (found.records, found.contents) == (5, 4)
    assert found.kinds == {"object": 4, "frame": 1}
    assert found.formats == {"obj": 2, "none": 2, "off": 1}
    assert (found.root, found.folders) == ("/data", {"b": 3, "a": 2})
    split, size = (next(c for c in found.columns if c.name == name) for name in ("split", "size"))
    assert (split.filled, split.counts.most_common(1), split.more) == (3, [("test", 2)], False)
    assert (size.low, size.high) == (1, 2.5)
    assert (found.duplicates, found.coverage) == ({}, {})
    assert look_over(kept, Condition("split = 'test'"), near=None).records == 2
    with pytest.raises(ConditionError, match="did you mean split"):
        look_over(kept, Condition("splat = 'test'"))


def test_contents_that_are_not_known_are_different(model: Model):
    entries = [described(model, f"/new/{i}.off", "red", content="") for i in range(3)]
    assert look_over(keep(MemoryStore(), model, entries), near=None).contents == 3


def test_near_duplicates_and_words(kept: MemoryStore, model: Model):
    teach_refusal(model)
    found = look_over(kept, near=0.9, words=["red", "blue", "tall"], model=model)
    duplicates = found.duplicates["cloud"]
    assert (duplicates.total, duplicates.groups, duplicates.items) == (4, 2, 4)
    assert set(duplicates.largest) == {(1, 2), (3, 4)}
    assert found.paths[5] == "/data/b/log 7"
    blue = next(c for c in found.coverage["cloud"].labels if c.label == "blue")
    assert (blue.count, set(blue.examples)) == (2, {3, 4})
    green = found.coverage["image"]
    assert (green.labels, green.none, green.unfit, green.total) == ((), 1, (5,), 1)


def test_without_a_refusal_every_vector_has_a_word(kept: MemoryStore, model: Model):
    vectors = model.encode_texts(["tall red", "blue"])
    found = cover(model, ["blue", "flat"], vectors, np.array([7, 9]))
    assert (found.none, found.unfit, sum(c.count for c in found.labels)) == (None, (), 2)


def test_of_many_records_an_even_sample_is_compared(model: Model, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(overview, "MOST_VECTORS", 10)
    monkeypatch.setattr(overview, "RECORDS_A_TIME", 4)
    store = keep(MemoryStore(), model, [described(model, f"/{i}.off", "red") for i in range(35)])
    found = look_over(store, near=0.5)
    assert (found.records, found.sampled, found.duplicates["cloud"].total) == (35, 10, 10)
    assert found.duplicates["cloud"].largest[0][0] == 1
    assert found.duplicates["cloud"].largest[0][-1] == 35


def test_an_empty_collection_is_counted():
    found = look_over(MemoryStore(), words=["red"])
    assert (found.records, found.header, found.duplicates, found.root) == (0, None, {}, "")


def test_vocabularies(tmp_path: Path):
    nouns = read_vocabulary()
    assert len(nouns) > 200
    assert "chair" in nouns
    path = tmp_path / "words.txt"
    path.write_text("red\n\n blue \nred\n", encoding="utf-8")
    assert read_vocabulary(path) == ["red", "blue"]
    for data in (b"", b"\xff\xfe", b"a\n" * 600_000):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"words\.txt"):
            read_vocabulary(path)
    with pytest.raises(DataError, match=r"none\.txt"):
        read_vocabulary(tmp_path / "none.txt")

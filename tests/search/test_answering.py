"""Questions to a collection, asked of a store that forgets and of one that keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kept_items import described, item, keep, teach_refusal
from memory_store import MemoryStore
from PIL import Image

from clip3d.errors import ConditionError, DataError, ModelError, ShapeError, SpaceMismatch
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.collection import Collection
from clip3d.search.exports.export_fiftyone import NOTHING
from clip3d.search.questions.answer_files import write_answers_page
from clip3d.search.questions.answering import answer
from clip3d.search.questions.answers import Answers
from clip3d.search.questions.choosing import diversify, gather_copies
from clip3d.search.questions.query import Query, Wish, make_query
from clip3d.search.stores.opening import open_store
from clip3d.search.stores.sqlite_store import SqliteStore
from clip3d.search.stores.store import Store
from clip3d.spaces import Space, unit

Ask = Callable[..., Answers]


@pytest.fixture(params=["memory", "sqlite", "lance"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        kept: Store = MemoryStore()
    else:
        if request.param == "lance":
            pytest.importorskip("lancedb")
        address = tmp_path / {"sqlite": "items.db", "lance": "items.lance"}[request.param]
        kept = open_store(address, create=True)
    yield kept
    kept.close()


@pytest.fixture
def ask(store: Store, model: Model) -> Ask:
    def call(text: Any = None, **parts: Any) -> Answers:
        return answer(store, model, make_query(text, **parts), cache=VectorCache.disabled())

    return call


@pytest.fixture
def shelf(store: Store, model: Model) -> Store:
    """Six objects in three folders."""
    return keep(
        store,
        model,
        [
            described(model, "/a/tall-red.off", "tall red", split="train", size=3),
            described(model, "/a/tall-green.off", "tall green", split="test", size=1),
            described(model, "/b/flat-red.off", "flat red", split="test"),
            described(model, "/b/flat-blue.off", "flat blue", split="train", night=True),
            described(model, "/c/tall-blue.off", "tall blue", split="test", night=False),
            described(model, "/c/red.off", "red", split="val"),
        ],
    )


@pytest.fixture
def crowd(store: Store, model: Model) -> tuple[Store, np.ndarray]:
    """Three hundred objects in clusters, some of one content, and their vectors."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(40, 8))
    vectors = unit((centres[rng.integers(0, 40, 300)] + rng.normal(0, 0.08, (300, 8))).astype(np.float32))
    vectors[200:220] = vectors[100:120]
    contents = [f"content {i if i < 200 or i >= 220 else i - 100}" for i in range(300)]
    entries = [
        item(f"/all/{i}.off", {"cloud": v}, content=contents[i], room=f"room {i % 7}", number=i)
        for i, v in enumerate(vectors)
    ]
    return keep(store, model, entries), vectors


def names(answers: Answers) -> list[str]:
    return [Path(hit.path).stem for hit in answers]


def test_words_rank_by_centred_cosine(crowd, ask: Ask, model: Model):
    _, vectors = crowd
    scores = model.space.scores(model.space.query(model.encode_texts(["a tall thing"])), vectors)
    answers = ask("a tall thing", k=20)
    assert [hit.id - 1 for hit in answers] == np.argsort(-scores, kind="stable")[:20].tolist()
    np.testing.assert_allclose([hit.score for hit in answers], np.sort(scores)[::-1][:20], atol=1e-6)
    assert [hit.rank for hit in answers] == list(range(1, 21))
    assert answers[0].scores == {"cloud": pytest.approx(answers[0].score, abs=1e-6)}
    assert (str(answers.query), answers.model) == ("a tall thing", model.id)


def test_a_heavier_wish_counts_more_and_a_negative_turns_away(shelf, ask: Ask):
    assert names(ask([("flat", 3.0), "red"], k=2)) == ["flat-red", "flat-blue"]
    assert names(ask([("red", 30.0), "flat"], k=1)) == ["red"]
    assert names(ask("tall", negative=["red", "green"], k=1)) == ["tall-blue"]
    assert str(make_query([("flat", 3), "red"], negative="blue").wishes[0]) == "flat (weight 3)"


def test_more_like_a_hit_leaves_out_the_hit_and_its_copies(shelf, ask: Ask, store, model: Model):
    keep(store, model, [described(model, "/d/copy.off", "tall red", content="content of /a/tall-red.off")])
    assert set(names(ask(hit="/a/tall-red.off", k=2))) <= {"tall-green", "tall-blue", "red"}
    assert names(ask(hit=1)) == names(ask(hit="1")) == names(ask(hit="/a/tall-red.off"))
    assert "copy" not in names(ask(hit=1))
    assert names(ask("blue", hit=2, k=1)) == ["tall-blue"]
    with pytest.raises(ShapeError, match="no item 99"):
        ask(hit=99)
    with pytest.raises(DataError, match=r"/a/none\.off: it is no item of the collection"):
        ask(hit="/a/none.off")


def test_items_whose_content_is_not_known_are_no_copies_of_each_other(store, ask: Ask, model: Model):
    words = ["tall red", "tall", "red"]
    keep(store, model, [described(model, f"/new/{word}.off", word, content="") for word in words])
    assert [hit.copies for hit in ask("tall", unique=True)] == [0, 0, 0]
    assert set(names(ask(hit=1))) == {"tall", "red"}
    assert set(names(ask(hit="/new/red.off"))) == {"tall", "tall red"}


def test_an_item_is_found_by_any_path(store, ask: Ask, model: Model, tmp_path: Path, monkeypatch):
    strange = ["it's.off", "10\N{NARROW NO-BREAK SPACE}cm.off", "two\nlines.off", "old-\udce9.off", "tab\t.off"]
    if isinstance(store, MemoryStore):
        strange.remove("old-\udce9.off")  # it asks sqlite3 for whole texts
    paths = [str(tmp_path / "files" / name) for name in strange]
    keep(store, model, [described(model, path, "tall", content=f"{i}") for i, path in enumerate(paths)])
    for number, path in enumerate(paths, start=1):
        assert number not in [hit.id for hit in ask(hit=path)]
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert 1 not in [hit.id for hit in ask(hit="../files/it's.off")]
    with pytest.raises(DataError, match="no item"):
        ask(hit="it's.off")


@pytest.mark.parametrize("number", [0, -1, 2**63, "99999999999999999999", "9" * 5000])
def test_an_id_that_none_can_have_is_told(shelf, ask: Ask, number: int | str):
    with pytest.raises(ShapeError, match="has no item"):
        ask(hit=number)


def test_a_page_shows_what_was_asked_with(shelf, store, model: Model, assets: Path, tmp_path: Path):
    object.__setattr__(item_of := described(model, "/e/shown.off", "red"), "thumbnail", NOTHING)
    keep(store, model, [item_of])
    Image.new("RGB", (4, 4), (255, 0, 0)).save(tmp_path / "red.png")
    asked = make_query(hit=["/e/shown.off", 1], image=str(tmp_path / "red.png"), like=str(assets / "tall.off"))
    answers = answer(store, model, asked, cache=VectorCache.disabled())
    assert answers.itself == (1, 7)
    page = write_answers_page(tmp_path / "page.html", answers, store).read_text(encoding="utf-8")
    query = page[page.index("<div class='query'>") : page.index("<h2>")]
    assert query.count("<img src='data:image/png;base64,") == 3
    for alt in ("Item 7 of the query", "The picture of the query", "The shape of the query"):
        assert f"alt='{alt}'" in query


def test_a_file_of_several_parts_is_asked_for_by_id(store, ask: Ask, model: Model):
    vector = model.encode_texts(["red"])[0]
    keep(store, model, [item("/log", {"cloud": vector}, part=str(i), kind="segment") for i in range(4)])
    with pytest.raises(DataError, match=r"4 parts.*id of one: 1 \(0\), 2 \(1\)"):
        ask(hit="/log")


def test_pictures_and_clouds_are_wishes_too(shelf, ask: Ask, assets: Path, tmp_path: Path):
    picture = tmp_path / "photo.png"
    Image.fromarray(np.full((9, 9, 3), (20, 20, 220), np.uint8)).save(picture)
    assert "blue" in names(ask(image=picture, k=1))[0]
    assert "tall" in names(ask(like=assets / "tall.off", k=1))[0]
    assert names(ask("tall", image=(picture, 2.0), k=1)) == ["tall-blue"]


def test_a_condition_and_a_threshold_choose(shelf, ask: Ask):
    assert names(ask("red", where="split = 'test' AND NOT night")) == ["tall-blue"]
    assert set(names(ask("red", where="split = 'test'"))) == {"tall-green", "flat-red", "tall-blue"}
    assert names(ask("red", where="size > 1")) == ["tall-red"]
    every = ask("red", k=9)
    assert names(ask("red", threshold=every[2].score)) == names(every)[:3]
    with pytest.raises(ConditionError, match="did you mean split"):
        ask("red", where="splat = 'test'")


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"unique": True},
        {"near": 0.97},
        {"diversity": 0.5},
        {"diversity": 0.3, "near": 0.97},
        {"group": "room", "per_group": 3},
        {"group": "room", "near": 0.97, "per_group": 4, "diversity": 0.2},
        {"where": "number % 3 = 1", "unique": True},
    ],
)
def test_pages_fit_together(crowd, ask: Ask, choice: dict[str, Any]):
    whole = ask("a tall red thing", k=15, **choice)
    paged = [hit for start in (0, 4, 8, 12) for hit in ask("a tall red thing", k=4, offset=start, **choice)][:15]
    assert [(hit.rank, hit.id, hit.copies) for hit in paged] == [(hit.rank, hit.id, hit.copies) for hit in whole]
    assert whole.hits == ask("a tall red thing", k=15, **choice).hits


def test_copies_are_listed_once_and_counted(crowd, ask: Ask):
    plain, unique = ask("red", k=300), ask("red", k=300, unique=True)
    assert len(unique) == 280
    contents = [hit.record.trace.content for hit in plain]
    assert [hit.record.trace.content for hit in unique] == list(dict.fromkeys(contents))
    assert [hit.copies for hit in unique] == [contents.count(hit.record.trace.content) - 1 for hit in unique]
    few = ask("red", k=5, unique=True)
    assert [(hit.id, hit.copies) for hit in few] == [(hit.id, hit.copies) for hit in unique[:5]]


def test_near_copies_collapse_to_the_best_hit(crowd, ask: Ask, model: Model):
    _, vectors = crowd
    centred = model.space.centre(vectors)
    order = [hit.id - 1 for hit in ask("red", k=300)]
    leaders: dict[int, int] = {}
    for i in order:
        for leader in leaders:
            if centred[i] @ centred[leader] >= 0.97:
                leaders[leader] += 1
                break
        else:
            leaders[i] = 0
    found = ask("red", k=12, near=0.97)
    assert [(hit.id - 1, hit.copies) for hit in found] == list(leaders.items())[:12]


def test_leaders_are_those_of_a_plain_loop_whatever_the_block():
    rng = np.random.default_rng(0)
    vectors = unit(rng.normal(size=(700, 4)).astype(np.float32))
    keys = rng.integers(0, 600, 700).tolist()
    leaders: list[int] = []
    of_key: dict[int, int] = {}
    for place, key in enumerate(keys):
        alike = [n for n, leader in enumerate(leaders) if vectors[leader] @ vectors[place] >= 0.98]
        mine = of_key.get(key, alike[0] if alike else len(leaders))
        if mine == len(leaders):
            leaders.append(place)
        of_key.setdefault(key, mine)
    places, copies = gather_copies(keys, vectors, 0.98)
    assert places.tolist() == leaders
    assert copies.sum() == 700 - len(leaders)
    few, counted = gather_copies(keys, vectors, 0.98, most=20)
    assert (few.tolist(), counted.tolist()) == (leaders[:20], copies[:20].tolist())


def test_diversity_is_maximal_marginal_relevance():
    rng = np.random.default_rng(1)
    vectors, scores = unit(rng.normal(size=(60, 5)).astype(np.float32)), np.sort(rng.random(60))[::-1]
    order, left = [], list(range(60))
    while left:
        nearest = {i: max((float(vectors[i] @ vectors[j]) for j in order), default=0.0) for i in left}
        best = max(left, key=lambda i: 0.6 * scores[i] - 0.4 * nearest[i]) if order else 0
        order.append(best)
        left.remove(best)
    assert diversify(scores.astype(np.float32), vectors, 0.4).tolist() == order


def test_a_diverse_answer_shows_less_of_the_same(crowd, ask: Ask, model: Model):
    _, vectors = crowd
    centred = model.space.centre(vectors)

    def likeness(answers: Answers) -> float:
        rows = centred[[hit.id - 1 for hit in answers]]
        return float((rows @ rows.T).mean())

    plain, diverse = ask("red", k=10), ask("red", k=10, diversity=0.5)
    assert diverse[0].id == plain[0].id
    assert likeness(diverse) < likeness(plain) - 0.1
    assert ask("red", k=10, diversity=0.0).hits == plain.hits


def test_groups_hold_their_best(crowd, shelf, ask: Ask):
    found = ask("a tall red thing", k=14, group="room", per_group=2, where="path LIKE '/all/%'")
    best: dict[Any, list[int]] = {}
    for hit in ask("a tall red thing", k=300, where="path LIKE '/all/%'"):
        best.setdefault(hit.record.metadata["room"], []).append(hit.id)
    assert {hit.id for hit in found} == {i for ids in best.values() for i in ids[:2]}
    assert all(hit.group == hit.record.metadata["room"] for hit in found)
    folders = ask("red", group="folder")
    assert sorted(str(hit.group) for hit in folders) == ["/a", "/all", "/b", "/c"]
    with pytest.raises(ShapeError, match=r"did you mean room\?"):
        ask("red", group="rooms")


def test_what_does_not_fit_is_told_or_left_out(shelf, ask: Ask, model: Model):
    teach_refusal(model)
    sure = ask("red", confident=True)
    assert sure.hits
    assert all("red" in name for name in names(sure))
    assert all(hit.fit is not None and hit.fit >= 0.5 for hit in sure)
    assert ask("red").notes == ()
    (doubt,) = ask("green", where="path LIKE '/b/%'", k=2).notes
    assert doubt.startswith("nothing here may fit these words: the best chance is 0.")
    none = ask("green", where="path LIKE '/b/%'", confident=True)
    assert (none.hits, none.notes) == ((), ("nothing here fits these words",))


def test_only_words_and_a_model_that_can_tell_what_fits(shelf, ask: Ask):
    with pytest.raises(ShapeError, match="in words alone"):
        ask("red", hit=1, confident=True)
    with pytest.raises(ModelError, match="cannot tell"):
        ask("red", confident=True)
    assert ask("red")[0].fit is None


@pytest.fixture
def frames(store: Store, model: Model) -> Store:
    """Frames whose sensors see different things, a picture and an object."""
    of = {word: model.encode_texts([word])[0] for word in ("tall", "flat", "red", "blue")}
    seen = [("tall", "red"), ("tall", "blue"), ("flat", "red"), ("flat", "blue")]
    entries = [
        item("/log", {"lidar": of[shape], "image": of[colour]}, kind="frame", part=f"{shape} {colour}")
        for shape, colour in seen
    ]
    entries.append(item("/red.png", {"image": of["red"]}, kind="image"))
    entries.append(item("/tall.off", {"cloud": of["tall"]}))
    return keep(store, model, entries, names=("lidar", "image", "cloud"))


def test_sensors_are_asked_apart(frames, ask: Ask):
    both = ask(lidar="tall", camera="red", k=9)
    assert (both[0].part, both[-1].part) == ("tall red", "flat blue")
    assert len(both) == 4, "what lacks a sensor's vector is no answer"
    assert both[0].scores.keys() == {"lidar", "image"}
    assert both[0].score == pytest.approx(1.0, abs=1e-5)
    heavy = ask(lidar=("tall", 5.0), camera="red", k=9)
    assert [hit.part for hit in heavy] == ["tall red", "tall blue", "flat red", "flat blue"]
    assert [hit.path for hit in ask(camera="red", k=3)].count("/red.png") == 1
    assert {hit.part for hit in ask(lidar="flat", k=2)} == {"flat red", "flat blue"}
    assert str(both.query) == "lidar: tall, camera: red"


def test_a_sensor_of_wide_scores_does_not_drown_the_other(store, ask: Ask, model: Model):
    rng = np.random.default_rng(0)
    tall = model.encode_texts(["tall"])[0]
    other = unit(rng.normal(size=(50, 8)).astype(np.float32))
    entries = [
        item(
            "/log",
            {"lidar": unit((tall + 0.02 * i * other[i])[None])[0], "image": other[i]},
            kind="frame",
            part=str(i),
        )
        for i in range(50)
    ]
    keep(store, model, entries, names=("lidar", "image"))
    hits = ask(lidar="tall", camera="red", k=50)
    in_order = sorted(hits, key=lambda hit: hit.id)
    parts = [np.array([hit.scores[name] for hit in in_order]) for name in ("lidar", "image")]
    standard = sum((scores - scores.mean()) / scores.std() for scores in parts)
    assert [hit.id - 1 for hit in hits] == np.argsort(-standard, kind="stable").tolist()


def test_without_sensors_a_record_answers_with_its_best_vector(frames, ask: Ask):
    hits = ask("red", k=9)
    assert len(hits) == 6
    assert {hit.part or hit.path for hit in hits[:3]} == {"tall red", "flat red", "/red.png"}
    assert all(a.score >= b.score for a, b in pairwise(hits))


def test_vectors_of_an_unknown_sensor_are_answered_with_the_known(frames, model: Model):
    with pytest.raises(ShapeError, match="no radar vectors; it has: cloud, image, lidar"):
        answer(frames, model, Query((Wish("text", "red", sensor="radar"),)))


def test_more_candidates_are_asked_for_in_growing_steps(model: Model):
    store = MemoryStore()
    vector = model.encode_texts(["red"])[0]
    same = [item(f"/{i}.off", {"cloud": vector}, content="same") for i in range(400)]
    keep(store, model, [*same, described(model, "/other.off", "tall red")])
    found = answer(store, model, make_query("red", k=2, unique=True))
    assert [hit.copies for hit in found] == [399, 0]
    assert store.asked == sorted(store.asked)
    assert len(store.asked) > 2


def test_a_record_that_is_removed_meanwhile_is_no_answer(model: Model, monkeypatch: pytest.MonkeyPatch):
    store = MemoryStore()
    keep(store, model, [described(model, f"/{word}.off", word) for word in ("red", "blue", "green")])
    nearest = MemoryStore.nearest

    def and_remove(self: MemoryStore, *arguments: Any) -> Any:
        found = nearest(self, *arguments)
        self.remove([1])
        return found

    monkeypatch.setattr(MemoryStore, "nearest", and_remove)
    assert [hit.id for hit in answer(store, model, make_query("red", k=2))] == [3, 2]


def test_a_collection_of_another_space_or_of_nothing_is_refused(store, ask: Ask, model: Model):
    with pytest.raises(DataError, match="is empty"):
        ask("red")
    other = Space("other", 8, np.zeros(8, np.float32))
    keep(store, model, [described(model, "/a.off", "red")])
    model.__dict__["space"] = other
    with pytest.raises(SpaceMismatch, match=r"'other'.*--reindex"):
        ask("red")


def test_vectors_of_other_weights_are_not_compared(model: Model):
    store = keep(MemoryStore(), model, [described(model, "/a.off", "red")])
    header = store.header()
    assert header is not None
    answer(store, model, make_query("red"))
    other = MemoryStore(replace(header, weights="of a later version"))
    with pytest.raises(SpaceMismatch, match="--reindex"):
        answer(other, model, make_query("red"))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"text": " "},
        {"negative": "red"},
        {"text": "red", "k": 0},
        {"text": "red", "offset": -1},
        {"text": "red", "k": 20_000},
        {"text": "red", "near": 0.0},
        {"text": "red", "diversity": 1.0},
        {"text": "red", "per_group": 0},
        {"text": ("red", 0.0)},
        {"text": ("red", float("nan"))},
    ],
)
def test_questions_that_make_no_sense(wrong: dict[str, Any]):
    with pytest.raises(ShapeError):
        make_query(**wrong)


def test_a_collection_answers_from_python(tmp_path: Path, model: Model):
    store = SqliteStore(tmp_path / "items.db", create=True)
    keep(store, model, [described(model, "/a.off", "red", split="test"), described(model, "/b.off", "tall")])
    store.close()
    with Collection(tmp_path / "items.db", model) as collection:
        hits = collection.search("red", k=10, where="split = 'test'")
        assert [(hit.path, hit.record.metadata) for hit in hits] == [("/a.off", {"split": "test"})]
        assert (len(hits), hits[:1][0].rank) == (1, 1)

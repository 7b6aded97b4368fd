"""Frames answer by joint rules, folded by log and time, each kind of view by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kept_items import item, keep, teach_refusal
from memory_store import MemoryStore

from clip3d.errors import ShapeError
from clip3d.joint_rules import RULES, Rule, joint_scores
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.questions.answer_files import record_of_hit
from clip3d.search.questions.answering import answer
from clip3d.search.questions.answers import Answers
from clip3d.search.questions.choosing import fold_neighbours
from clip3d.search.questions.query import make_query
from clip3d.search.stores.frame_vectors import FRAME_NAMES, VIEW_KINDS, names_of
from clip3d.search.stores.opening import open_store
from clip3d.search.stores.store import Entry, Store
from clip3d.spaces import rank, unit

Ask = Callable[..., Answers]
rng = np.random.default_rng(3)
LIDAR, CAMERA = (unit(rng.normal(size=(40, 8)).astype(np.float32)) for _ in range(2))
JOINT = unit(LIDAR * rng.uniform(0.2, 2, (40, 1)).astype(np.float32) + CAMERA)


def frame(number: int, log: str = "/log", time: float | None = None, **vectors: np.ndarray) -> Entry:
    vectors = vectors or {"lidar": LIDAR[number], "camera": CAMERA[number], "joint": JOINT[number]}
    said = {} if time is None else {"time": time}
    return item(log, vectors, kind="frame", part=f"{number:06d}#front", content=f"{log} {number}", **said)


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
def drive(store: Store, model: Model) -> Store:
    """Forty views, a picture and an object."""
    red = model.encode_texts(["red"])[0]
    entries = [*(frame(i) for i in range(40)), item("/red.png", {"image": red}, kind="image")]
    return keep(store, model, [*entries, item("/red.off", {"cloud": red})], names=("cloud", "image", *FRAME_NAMES))


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_ranks_as_it_does_by_itself(drive: Store, ask: Ask, model: Model, rule: Rule) -> None:
    words = model.space.query(model.encode_texts(["tall red"]))
    found = ask("tall red", rule=rule, k=99)
    if rule == "features":
        wanted = model.space.scores(words, JOINT)
    else:
        wanted = joint_scores(rule, model.space, LIDAR, CAMERA, words)
    assert [hit.id - 1 for hit in found] == rank(wanted).tolist()
    np.testing.assert_allclose([hit.score for hit in found], np.sort(wanted)[::-1], atol=1e-5)
    assert [hit.id for hit in ask("tall red", rule=rule, k=5, offset=5)] == [hit.id for hit in found[5:10]]


@pytest.mark.parametrize("rule", [rule for rule in RULES if "features" not in rule])
def test_sensors_that_are_asked_apart_take_a_rule_too(drive: Store, ask: Ask, model: Model, rule: Rule) -> None:
    tall, red = (model.space.query(model.encode_texts([word])) for word in ("tall", "red"))
    wanted = joint_scores(rule, model.space, LIDAR, CAMERA, tall, red)
    assert [hit.id - 1 for hit in ask(lidar="tall", camera="red", rule=rule, k=99)] == rank(wanted).tolist()


def test_plain_words_find_frames_by_both_sensors_beside_pictures_and_objects(drive: Store, ask: Ask) -> None:
    found = ask("red", k=99)
    assert len(found) == 42
    assert {hit.path for hit in found[:2]} == {"/red.png", "/red.off"}
    assert found[5].scores.keys() == {"lidar", "camera", "joint"}
    assert len(ask(camera="red", k=99)) == 40
    turned = ask("red", negative="tall", rule="scores", k=99)
    assert [hit.id for hit in turned] != [hit.id for hit in ask("red", rule="scores", k=99)]
    few = ask("red", rule="ranks", where="part < '000005'", k=99)
    assert {hit.part[:6] for hit in few} == {f"{i:06d}" for i in range(5)}
    assert [hit.score for hit in ask("red", rule="scores", threshold=0.2, k=99)][-1] >= 0.2


def test_views_of_each_kind_answer_by_themselves(store: Store, ask: Ask, model: Model) -> None:
    entries = []
    for at, kind in enumerate(VIEW_KINDS):
        names = names_of(kind, lidar=True, camera=True).values()
        entries.append(frame(at, **dict.fromkeys(names, LIDAR[at])))
    keep(store, model, entries, names=("cloud", "image", *FRAME_NAMES))
    assert [hit.id for hit in ask("red")] == [1]
    for at, kind in enumerate(VIEW_KINDS):
        assert [hit.id for hit in ask("red", over=kind)] == [at + 1]
        assert [hit.id for hit in ask(lidar="red", over=kind)] == [at + 1]
    with pytest.raises(ShapeError, match="no camera vectors of sweeps alone"):
        ask(camera="red", over="sweep")
    with pytest.raises(ShapeError, match="needs lidar and camera"):
        ask("red", over="quarter", rule="scores")


def test_neighbours_in_a_log_are_one_answer_of_the_best(store: Store, ask: Ask, model: Model) -> None:
    entries = [frame(i, f"/{'ab'[i % 2]}", time=i / 2) for i in range(40)]
    keep(store, model, entries, names=("cloud", "image", *FRAME_NAMES))
    every = ask("red", k=99, fold=0)
    assert len(every) == 40
    found = ask("red", k=99, fold=4)
    assert found[0].id == every[0].id
    times = {log: sorted(float(h.record.metadata["time"]) for h in found if h.path == log) for log in ("/a", "/b")}
    assert all((np.diff(each) > 4).all() for each in times.values())
    assert len(found) + sum(hit.folded or 0 for hit in found) == 40
    assert [hit.id for hit in ask("red", k=2, offset=2, fold=4)] == [hit.id for hit in found[2:4]]
    assert record_of_hit(found[0], found)["folded"] == found[0].folded
    assert len(ask("red", k=99)) < len(every), "folding is the default"


def test_folding_is_by_the_nearest_leader_and_leaves_the_rest_alone() -> None:
    places = [("a", 10.0), ("a", 11.0), None, ("b", 10.0), ("a", 14.0), ("a", 12.0), None]
    leaders, folded = fold_neighbours(places, 2.0)
    assert (leaders.tolist(), folded.tolist()) == ([0, 2, 3, 4, 6], [2, 0, 0, 0, 0])
    assert fold_neighbours([], 1.0)[0].tolist() == []


def test_words_are_put_into_templates(drive: Store, ask: Ask, model: Model) -> None:
    templates = ("a tall {}", "{} and flat", "{}")
    words = model.space.query(model.encode_texts(["red"], templates))
    found = ask("red", templates=templates, k=99, rule="features")
    assert [hit.id - 1 for hit in found] == rank(model.space.scores(words, JOINT)).tolist()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"text": "red", "rule": "sum"}, "no joint rule 'sum'"),
        ({"lidar": "red", "camera": "tall", "rule": "features"}, "takes one query"),
        ({"lidar": "red", "rule": "scores"}, "words for both sensors"),
        ({"text": "red", "over": "roof"}, "over is one of camera"),
        ({"text": "red", "fold": -1.0}, "fold is a number of seconds"),
        ({"text": "red", "templates": ("a",)}, "needs {} where"),
    ],
)
def test_what_cannot_be_asked_is_said(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        make_query(**asked)


def test_a_collection_without_frames_says_so(store: Store, ask: Ask, model: Model) -> None:
    keep(store, model, [item("/red.off", {"cloud": LIDAR[0]})])
    with pytest.raises(ShapeError, match="needs lidar and camera"):
        ask("red", rule="ranks")
    with pytest.raises(ShapeError, match="no vectors of sweeps alone; it has: cloud"):
        ask("red", over="sweep")


def test_what_is_turned_away_from_takes_no_weight_from_either_sensor(drive: Store, ask: Ask) -> None:
    plain = ask(lidar="tall", camera="red", k=99)
    turned = ask(lidar="tall", camera="red", negative="green", k=99)
    assert len(turned) == len(plain) == 40
    assert np.isfinite([hit.score for hit in turned]).all()
    assert [hit.id for hit in turned] != [hit.id for hit in plain]


def test_the_spread_of_a_sensor_is_that_of_its_own_views_however_many_others_stand_between(
    store: Store, ask: Ask, monkeypatch: pytest.MonkeyPatch, model: Model
) -> None:
    monkeypatch.setattr("clip3d.search.questions.aims.SPREAD_SAMPLE", 40)
    narrow = unit(CAMERA + 20 * CAMERA[:1])  # what this sensor says of all views is much alike
    views = [frame(i, lidar=LIDAR[i], camera=narrow[i]) for i in range(40)]
    pictures = [item(f"/{i}.png", {"image": LIDAR[0]}, kind="image") for i in range(400)]
    between = [entry for i in range(40) for entry in (*pictures[10 * i : 10 * i + 10], views[i])]
    keep(store, model, between, names=("cloud", "image", *FRAME_NAMES))
    tall, red = (model.space.query(model.encode_texts([word])) for word in ("tall", "red"))
    wanted = joint_scores("standard-scores", model.space, LIDAR, narrow, tall, red)
    found = ask(lidar="tall", camera="red", k=99)
    assert [int(hit.part[:6]) for hit in found] == rank(wanted).tolist()


def test_of_frames_it_is_said_that_what_fits_is_measured_on_objects(
    drive: Store, ask: Ask, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach_refusal(model)
    doubt = "not on frames"
    assert any(doubt in note for note in ask("tall", over="camera", confident=True, k=50).notes)
    assert any(doubt in note for note in ask("tall", over="camera", where="part = 'none'", confident=True).notes)
    assert not any(doubt in note for note in ask("red", where="path LIKE '/red%'", confident=True).notes)
    assert not any(doubt in note for note in ask("tall", k=50).notes)


def test_more_like_a_frame_are_none_of_its_neighbours(store: Store, ask: Ask, model: Model) -> None:
    entries = [frame(i, "/a", time=float(i)) for i in range(40)]
    keep(store, model, entries, names=("cloud", "image", *FRAME_NAMES))
    asked = store.select(None).tolist()[20]
    found = ask(hit=asked, fold=5.0, k=40)
    assert all(abs(float(hit.record.metadata["time"]) - 20) > 5 for hit in found)
    assert {hit.rank for hit in found} == set(range(1, len(found) + 1))
    assert len(ask(hit=asked, fold=0, k=40)) == 39

"""None of these: evidence against a background of nouns, and what a card says of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_files import make_bundle

from clip3d.errors import ModelError
from clip3d.models.model import Model
from clip3d.models.refusal import MOST, NEAR, Refusal, evidence
from clip3d.models.weights import sha256_of, write_arrays, write_json
from clip3d.spaces import Space

RNG = np.random.default_rng(0)
SPACE = Space("test", 6, RNG.normal(0, 0.05, 6).astype(np.float32), scale=5.0)


def vectors(n: int) -> np.ndarray:
    return RNG.normal(size=(n, 6)).astype(np.float32)


def test_evidence_is_the_log_odds_of_a_softmax_without_nouns_that_say_the_same():
    things, labels, background = vectors(7), vectors(3), vectors(40)
    found = evidence(SPACE, things, labels, background)
    for i in range(7):
        own = SPACE.similarity(things[i : i + 1], labels)[0]
        best = int(own.argmax())
        against = 0.0
        for b in range(40):
            if SPACE.similarity(labels[best : best + 1], background[b : b + 1])[0, 0] <= NEAR:
                against += np.exp(5 * SPACE.similarity(things[i : i + 1], background[b : b + 1])[0, 0])
        assert found[i] == pytest.approx(5 * own[best] - np.log(against) - np.log(3), abs=1e-4)


def test_of_the_other_labels_their_number_alone_counts():
    things, labels, background = vectors(5), vectors(4), vectors(30)
    best = SPACE.similarity(things, labels).argmax(1)
    alone = [evidence(SPACE, things[i : i + 1], labels[best[i] : best[i] + 1], background)[0] for i in range(5)]
    together = evidence(SPACE, things, labels, background)
    np.testing.assert_allclose(together, np.array(alone) - np.log(4), atol=1e-5)


def test_nouns_that_say_the_same_as_the_label_do_not_count_against_it():
    things, label = vectors(2), vectors(1)
    np.testing.assert_allclose(evidence(SPACE, things, label, label), MOST)


def test_scores_rise_with_the_evidence_and_are_chances():
    refusal = Refusal(vectors(20), 0.5, slope=0.7, offset=2.0)
    weights = np.linspace(-60, 30, 50)
    scores = refusal.score_of(weights)
    assert (np.diff(scores) >= 0).all()
    assert ((scores >= 0) & (scores <= 1)).all()
    assert float(refusal.score_of(np.array(-2 / 0.7))) == pytest.approx(0.5)


def bundle_with_refusal(folder: Path, **changes: object) -> Path:
    """The tiny model, taught that nouns are neither tall nor coloured."""
    make_bundle(folder)
    path = folder / "background.safetensors"
    nouns = Model(folder).label_vectors([f"noun {i}" for i in range(9)])
    write_arrays({"background": nouns.astype(np.float16)}, path)
    table = {"background": path.name, "sha256": sha256_of(path), "threshold": 0.5, "slope": 1.0, "offset": -2.0}
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    write_json({**card, "refusal": {**table, **changes}}, folder / "card.json")
    return folder


def test_a_model_tells_whether_a_label_fits(tmp_path: Path):
    model = Model(bundle_with_refusal(tmp_path / "m"))
    things = model.encode_texts(["tall", "red", "blue"])
    fits = model.fits(things, model.label_vectors(["tall", "red"]))
    assert fits.fits.tolist() == [True, True, False]
    assert fits.threshold == 0.5
    assert not model.fits(things, model.label_vectors(["tall", "red"]), threshold=1.0).fits.any()


def test_a_model_without_refusal_says_how_to_get_one(model: Model):
    with pytest.raises(ModelError, match="evaluate refusal --fit"):
        model.fits(model.encode_texts(["tall"]), model.label_vectors(["tall"]))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "background"),
        ({"threshold": None}, "refusal"),
        ({"slope": "steep"}, "refusal"),
        ({"background": "../elsewhere"}, "not inside"),
    ],
)
def test_cards_that_misstate_it_are_refused(tmp_path: Path, changes: dict, reason: str):
    folder = bundle_with_refusal(tmp_path / "m", **changes)
    with pytest.raises(ModelError, match=reason):
        _ = Model(folder).refusal


def test_what_comes_near_by_chance_among_many_does_not_fit():
    odds = np.array([-30, 0, np.log(0.96 / 0.04), np.log(0.9985 / 0.0015), 30])
    many = Refusal(np.zeros((1, 4), np.float32), 0.5).score_of(odds, meant=0.01)
    assert np.isfinite(many).all()
    assert (np.diff(many) > 0).all()
    np.testing.assert_allclose(many[1:4], [0.01, 0.195, 0.87], atol=0.01)

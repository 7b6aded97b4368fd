"""`evaluate text`: the protocol on a model whose vectors can be told by hand, and the command."""

import json

import numpy as np
import pytest
from tower_doubles import DIM, WORDS

from clip3d.data.bank_file import write_bank_file
from clip3d.data.phrases import read_bank
from clip3d.errors import DataError, SpaceMismatch
from clip3d.evaluation import text as protocol
from clip3d.evaluation.text import evaluate_text

NAMES = [f"{a} {b}" for a in WORDS for b in WORDS if a != b] + list(WORDS)


@pytest.fixture
def bank(model, tmp_path):
    """What the model itself says, so that its own answers are perfect."""
    vectors = model.encode_texts([f"a {name}" for name in NAMES], normalize=False)
    write_bank_file(tmp_path / "bank.npz", [f"a {n}" for n in NAMES], NAMES, vectors * 3, "test-space")
    return tmp_path / "bank.npz"


def test_a_perfect_tower_is_perfect_and_the_mean_vector_is_not(model, bank):
    names = read_bank(bank)
    report = evaluate_text(model, names, folds=3)
    rows = {row.answer: row for row in report.rows}
    assert rows["model"].cosine == pytest.approx(1, abs=1e-3)
    # "red tall" and "tall red" have one vector, so the right one is among the first five, not always the first
    assert rows["model"].recall_at_5 == 1
    assert rows["mean vector"].cosine == 0
    assert rows["mean vector"].recall_at_1 == pytest.approx(1 / report.n)
    assert rows["nearest name by the model"].cosine < 1
    held = names.held_out(3, 0)
    assert report.n == held.sum() == len(names) - report.protocol["learned"]
    assert set(report.templates) == {"{}", "a photo of a {}", "a point cloud of a {}", "a 3d model of a {}"}


def test_the_mean_vector_is_as_good_as_chance_where_a_concept_has_several_forms(model, tmp_path):
    names = [form for word in NAMES for form in (word, f"{word}s")]
    vectors = model.encode_texts([f"a {name}" for name in names], normalize=False)
    write_bank_file(tmp_path / "bank.npz", [f"a {n}" for n in names], names, vectors, "test-space")
    bank = read_bank(tmp_path / "bank.npz")
    report = evaluate_text(model, bank, folds=3)
    held = bank.select(bank.held_out(3, 0))
    rows = {row.answer: row for row in report.rows}
    assert len(set(held.concepts)) < report.n
    expected = np.mean([held.concepts.count(c) for c in held.concepts]) / report.n
    assert rows["mean vector"].recall_at_1 == pytest.approx(expected)


def test_another_space_and_too_small_a_bank_are_refused(model, bank, tmp_path):
    other = tmp_path / "other.npz"
    write_bank_file(other, ["a red"], ["red"], np.ones((1, DIM)), "elsewhere")
    with pytest.raises(SpaceMismatch, match="elsewhere"):
        evaluate_text(model, read_bank(other))
    write_bank_file(other, ["a red"], ["red"], np.ones((1, DIM)), "")
    with pytest.raises(DataError, match="too few"):
        evaluate_text(model, read_bank(other))


def test_trivial_answers_by_a_sentence_model(model, bank, monkeypatch, tmp_path):
    def features(folder, phrases):
        found = model.space.centre(model.encode_texts(phrases))
        return np.concatenate([found, found], axis=1)

    monkeypatch.setattr(protocol, "sentence_features", features)
    rows = {row.answer: row for row in evaluate_text(model, read_bank(bank), sentence_model=tmp_path).rows}
    assert rows["linear ridge"].cosine > rows["nearest name by the sentence model"].cosine > 0
    monkeypatch.undo()
    with pytest.raises(DataError, match="sentence model"):
        evaluate_text(model, read_bank(bank), sentence_model=tmp_path)


def test_the_command_prints_the_table_or_json(run_cli, bank, bundle):
    done = run_cli("evaluate", "text", "--bank", bank, "--model", bundle, "--folds", "3")
    assert done.returncode == 0, done.stderr
    assert "mean vector" in done.stdout
    assert "scenes, weather and adjectives" in done.stdout
    record = json.loads(run_cli("evaluate", "text", "--bank", bank, "--model", bundle, "--json").stdout)
    assert {"rows", "n", "descriptions", "unanchored", "templates", "protocol", "model"} == set(record)
    assert run_cli("evaluate", "text", "--bank", bank.with_name("none.npz"), "--model", bundle).returncode == 1

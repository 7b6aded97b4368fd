import json

import numpy as np
import pytest

from clip3d.data.bank_file import read_phrases, write_bank_file
from clip3d.data.phrases import concept, plural, read_bank, read_nouns, read_sayings
from clip3d.data.wording import wide_phrases
from clip3d.errors import DataError


def write_set(folder, name, names, prompts, vectors):
    np.save(folder / f"{name}.npy", np.asarray(vectors, np.float16))
    words = {"names": names, "prompt_names": prompts}
    (folder / f"names_{name}.json").write_text(json.dumps(words), encoding="utf-8")


def test_a_shared_name_keeps_the_row_embedded_with_spaces(tmp_path):
    write_set(tmp_path, "lvis", ["Baseball  bat", "sofa bed"], ["baseball_bat", "sofa_bed"], [[1, 0], [0, 1]])
    write_set(tmp_path, "coco", ["baseball bat"], ["baseball bat"], [[2, 2]])
    bank = read_bank(tmp_path)
    assert bank.names == ("baseball bat", "sofa bed")
    np.testing.assert_array_equal(bank.vectors, [[2, 2], [0, 1]])
    np.testing.assert_array_equal(bank.weights, [1.0, 0.5])


def test_an_npz_of_phrases_is_a_bank(tmp_path):
    path = tmp_path / "bank.npz"
    np.savez(path, phrases=np.array(["a chair", "an Armchair"]), vectors=np.eye(2, 4))
    bank = read_bank(path)
    assert bank.names == ("chair", "armchair")
    assert bank.vectors.shape == (2, 4)


def test_phrases_that_say_more_are_kept_apart_under_their_concept(tmp_path):
    path = tmp_path / "bank.npz"
    phrases = ["a chair", "chair", "a photo of a chair", "an owl", "a foggy road"]
    names = ["chair", "chair", "chair", "owl", ""]
    write_bank_file(path, phrases, names, np.random.default_rng(0).normal(size=(5, 4)), "a-space")
    bank, sayings = read_bank(path), read_sayings(path)
    assert bank.names == ("chair", "owl")
    assert bank.space == sayings.space == "a-space"
    assert sayings.names == ("chair", "a photo of a chair", "a foggy road")
    assert sayings.concepts == ("chair", "chair", "a foggy road")
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["vectors"].dtype == np.float16


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"phrases": np.array(["a"], dtype=object), "vectors": np.ones((1, 2))}, "phrases"),
        ({"phrases": np.array([1, 2]), "vectors": np.ones((2, 2))}, "phrases"),
        ({"phrases": np.array(["a", "b"]), "vectors": np.ones((1, 2))}, "vectors"),
        ({"phrases": np.array(["a"]), "vectors": np.ones(1)}, "vectors"),
        ({"phrases": np.array(["a"]), "vectors": np.ones((1, 2)), "names": np.array(["a", "b"])}, "names"),
        ({"phrases": np.array(["a"])}, "vectors"),
    ],
)
def test_a_bank_of_another_form_is_refused(tmp_path, arrays, reason):
    np.savez(tmp_path / "bank.npz", **arrays)
    with pytest.raises(DataError, match=reason):
        read_bank(tmp_path / "bank.npz")


def test_phrases_are_read_with_the_names_they_speak_of(tmp_path):
    path = tmp_path / "phrases.txt"
    path.write_text("# mine\na chair\n\na photo of an owl\towl\nfog\na mist\t\na chair\n", encoding="utf-8")
    assert read_phrases(path) == [("a chair", "chair"), ("a photo of an owl", "owl"), ("fog", ""), ("a mist", "")]
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="no phrases"):
        read_phrases(path)


def test_the_wide_list_has_names_in_all_templates_and_scenes():
    rows = dict(wide_phrases(["chair", "owl"], ["owl", "gnu"]))
    assert rows["a point cloud of a owl"] == "owl"
    assert rows["a wooden chair"] == "chair"
    assert rows["a gnu"] == "gnu"
    assert rows["a street at night"] == ""


def test_a_name_that_reads_like_another_with_an_adjective_keeps_its_own_row():
    rows = dict(wide_phrases(["spoon", "wooden spoon"], []))
    assert rows["a wooden spoon"] == "wooden spoon"
    assert rows["a red spoon"] == "spoon"


def test_variants_of_a_name_stay_in_one_fold(tmp_path):
    path = tmp_path / "bank.npz"
    names = ["bat (animal)", "bat", "bats", "hot-air balloon", "hot air balloons", "glass", "berries", "berry"]
    np.savez(path, phrases=np.array([f"a {n}" for n in names]), vectors=np.ones((8, 3)))
    bank = read_bank(path)
    folds = dict(zip(bank.names, bank.folds(1000, "seed"), strict=True))
    assert folds["bat (animal)"] == folds["bat"] == folds["bats"]
    assert folds["hot-air balloon"] == folds["hot air balloons"]
    assert folds["berries"] == folds["berry"]
    assert len(set(folds.values())) == 4
    np.testing.assert_array_equal(bank.folds(1000, "seed")[:3], bank.select(np.arange(8) < 3).folds(1000, "seed"))


def test_the_mean_counts_each_concept_once(tmp_path):
    path = tmp_path / "bank.npz"
    np.savez(path, phrases=np.array(["a bat", "a bats", "a cup"]), vectors=np.array([[5, 0], [3, 0], [0, 2]]))
    np.testing.assert_allclose(read_bank(path).mean(), [0.5, 0.5])


@pytest.mark.parametrize("vectors", [np.zeros((1, 2)), np.full((1, 2), np.nan)])
def test_a_vector_without_direction_is_refused(tmp_path, vectors):
    np.savez(tmp_path / "bank.npz", phrases=np.array(["a bat"]), vectors=vectors)
    with pytest.raises(DataError, match=r"bank\.npz"):
        read_bank(tmp_path / "bank.npz")


def test_a_missing_or_foreign_bank_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        read_bank(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no phrases"):
        read_bank(tmp_path)


def test_concept_and_plural():
    assert concept("Bow_(decorative_ribbons)") == "bow"
    assert concept("Glasses") == concept("glasses") != concept("glass")
    assert [plural(n) for n in ("chair", "box", "berry", "toy", "couch")] == [
        "chairs",
        "boxes",
        "berries",
        "toys",
        "couches",
    ]


def test_nouns_come_with_the_definition_of_their_first_meaning(tmp_path):
    (tmp_path / "data.noun").write_text(
        "  1 a line of the licence\n"
        "00000100 06 n 02 chair 0 Chair_of_State 0 000 | a seat for one person; \"he sat\"  \n"
        "00000200 18 n 01 chair 0 000 | the officer who presides  \n",
        encoding="utf-8",
    )
    (tmp_path / "index.noun").write_text(
        "  1 a line of the licence\nchair n 2 0 2 1 00000100 00000200  \nchair_of_state n 1 0 1 0 00000100  \n",
        encoding="utf-8",
    )
    (noun,) = read_nouns(tmp_path)
    assert (noun.word, noun.definition, noun.topic) == ("chair", "a seat for one person", 6)
    with pytest.raises(DataError, match="elsewhere"):
        read_nouns(tmp_path / "elsewhere")

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clip3d.data.descriptions import DESCRIPTIONS
from clip3d.errors import ModelError
from clip3d.models.weights import read_arrays
from clip3d.spaces import Space, unit
from clip3d.towers.text import GROUP, TextTower, around_mean, gelu, unpack_words
from clip3d.training.text_report import describing

FOLDER = Path(__file__).parents[2] / "src/clip3d/models/weights/mini"
GOLDEN = Path(__file__).parent / "golden_text.npz"


@pytest.fixture(scope="module")
def tower():
    return TextTower.load(FOLDER, "text.safetensors", layers=6, heads=12)


@pytest.fixture(scope="module")
def space():
    return Space("clip-vit-b32-text", 512, read_arrays(FOLDER / "space.safetensors")["mean"])


@pytest.fixture(scope="module")
def like(tower, space):
    def likeness(a, b):
        return float(space.similarity(tower.encode([a]), tower.encode([b]))[0, 0])

    return likeness


def test_golden_vectors_of_the_model_before_it_was_packed(tower, space):
    golden = np.load(GOLDEN)
    found = space.centre(tower.encode([str(phrase) for phrase in golden["phrases"]]))
    assert (found * unit(golden["directions"].astype(np.float32))).sum(1).min() > 0.999


def test_a_phrase_has_one_vector_whatever_stands_beside_it(tower):
    long = "a very long row of small red chairs in front of a wall of books, seen from above"
    phrases = ["a chair", long, "lamp", "", "a chair"]
    together = tower.encode(phrases)
    alone = np.concatenate([tower.encode([phrase]) for phrase in phrases])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_more_phrases_than_fit_a_batch(tower):
    phrases = [f"a chair number {i}" for i in range(400)]
    np.testing.assert_allclose(tower.encode(phrases)[[0, 399]], tower.encode([phrases[0], phrases[399]]), atol=1e-5)


ODD = ("", "   ", "椅子", "стул", "🪑", "\ud800", "x" * 500, "chair\x00", "word " * 5000)


@pytest.mark.parametrize("phrase", ODD, ids=range(len(ODD)))
def test_every_string_has_a_vector(tower, phrase):
    (vector,) = tower.encode([phrase])
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)


def test_text_beyond_the_limit_is_left_out(tower):
    np.testing.assert_allclose(tower.encode(["word " * 100]), tower.encode(["word " * 1000]), atol=1e-6)


def test_no_phrases_give_no_vectors(tower):
    assert tower.encode([]).shape == (0, 512)


def test_case_and_accents_do_not_matter(tower):
    np.testing.assert_allclose(tower.encode(["A Café TABLE"]), tower.encode(["a cafe table"]), atol=1e-6)


@pytest.mark.parametrize("name", ["chair", "wine glass", "dog", "airplane", "sword"])
@pytest.mark.parametrize("wording", ["{}", "{}s", "a photo of a {}", "a point cloud of a {}", "{}, 3d scan"])
def test_a_wording_stays_with_its_noun(like, name, wording):
    assert like(wording.format(name), f"a {name}") > 0.7


def test_an_adjective_moves_a_noun_but_not_far(like):
    assert 0.6 < like("a round wooden table", "a table") < 0.995
    assert like("a red car", "a car") > like("a red car", "a red apple")


def test_descriptions_find_their_nouns(tower, space):
    numbers = describing(lambda phrases: space.centre(tower.encode(phrases)), DESCRIPTIONS)
    assert numbers["recall@1"] > 0.6
    assert numbers["recall@5"] > 0.85


def test_a_cold_query_loads_no_torch():
    code = (
        "import sys, pathlib; from clip3d.towers.text import TextTower; "
        f"tower = TextTower.load(pathlib.Path({str(FOLDER)!r}), 'text.safetensors', layers=6, heads=12); "
        "tower.encode(['a chair']); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "text.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"text\.safetensors"):
        TextTower.load(tmp_path, "text.safetensors", layers=6, heads=12)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    (tmp_path / "text.safetensors").write_bytes((FOLDER / "space.safetensors").read_bytes())
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        TextTower.load(tmp_path, "text.safetensors", layers=6, heads=12)


def test_subtracting_the_mean_gives_the_direction_back():
    rng = np.random.default_rng(0)
    mean = (0.9 * unit(rng.normal(size=(1, 16)).astype(np.float32)))[0]
    directions = rng.normal(size=(5, 16)).astype(np.float32)
    vectors = around_mean(directions, mean)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(Space("s", 16, mean).centre(vectors), unit(directions), atol=1e-5)


def test_gelu_at_known_points():
    np.testing.assert_allclose(gelu(np.array([-10, 0, 1, 10], np.float32)), [0, 0, 0.8412, 10], atol=1e-3)


def test_word_vectors_unpack_low_half_first():
    packed = np.full((1, GROUP // 2), (15 << 4) | 9, np.uint8)
    np.testing.assert_array_equal(unpack_words(packed, np.array([[0.5]], np.float16))[0, :4], [0.5, 3.5, 0.5, 3.5])

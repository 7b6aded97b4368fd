import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from clip3d.data.bank_file import write_bank_file
from clip3d.data.phrases import read_bank, read_nouns, read_sayings
from clip3d.errors import DataError
from clip3d.spaces import unit
from clip3d.towers.sentence_model import SentenceModel
from clip3d.towers.text import TextTower
from clip3d.training.text import split, train_text
from clip3d.training.text_examples import Examples, Pool, describe, set_scene, spellings, tellings, wordings
from clip3d.training.text_lessons import prepare, synonyms
from clip3d.training.text_model import pack, prune_tokenizer, start_model
from clip3d.training.text_recipe import TextRecipe
from clip3d.training.text_report import agreeing
from clip3d.training.text_teacher import Kernel, Reading, Teacher, find_noun, moved

WORDS = ["chair", "table", "lamp", "car", "dog", "cup", "boat", "tree", "seat", "light", "animal", "vessel"]
WIDTH, HIDDEN, DIM = 32, 64, 16


@pytest.fixture
def data(tmp_path):
    """A sentence model, a bank and a WordNet of a dozen words."""
    rng = np.random.default_rng(0)
    _write_sentence_model(tmp_path / "sentence", rng)
    vectors = rng.normal(size=(8, DIM)) + 3
    np.savez(tmp_path / "bank.npz", phrases=np.array([f"a {w}" for w in WORDS[:8]]), vectors=vectors)
    wordnet = tmp_path / "wordnet"
    wordnet.mkdir()
    rows = [f"{i:08d} 06 n 01 {w} 0 000 | a small {WORDS[-1 - i]} thing  \n" for i, w in enumerate(WORDS)]
    (wordnet / "data.noun").write_text("".join(rows), encoding="utf-8")
    index = [f"{w} n 1 0 1 0 {i:08d}  \n" for i, w in enumerate(WORDS)]
    (wordnet / "index.noun").write_text("".join(index), encoding="utf-8")
    return tmp_path


def _write_sentence_model(folder, rng):
    folder.mkdir()
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    pieces = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{x}" for x in letters)]
    pieces += [*WORDS, "##s", "1234", "é", "photo", "of"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    special = {s: {"id": s, "ids": [vocabulary[s]], "tokens": [s]} for s in ("[CLS]", "[SEP]")}
    form = {
        "version": "1.0",
        "truncation": None,
        "padding": {
            "strategy": {"Fixed": 16},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [
            {
                "id": vocabulary[piece],
                "special": True,
                "content": piece,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
            }
            for piece in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
        ],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": special,
        },
        "decoder": None,
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(form), encoding="utf-8")
    config = {"hidden_size": WIDTH, "intermediate_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 4}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(_bert_state(len(vocabulary), rng), folder / "model.safetensors")


def _bert_state(words, rng):
    def random(*shape):
        return torch.from_numpy(rng.normal(0, 0.3, shape).astype(np.float32))

    state = {
        "embeddings.word_embeddings.weight": random(words, WIDTH),
        "embeddings.position_embeddings.weight": random(40, WIDTH),
        "embeddings.token_type_embeddings.weight": random(2, WIDTH),
        "embeddings.LayerNorm.weight": 1 + random(WIDTH),
        "embeddings.LayerNorm.bias": random(WIDTH),
    }
    shapes = {
        "attention.self.query": (WIDTH, WIDTH),
        "attention.self.key": (WIDTH, WIDTH),
        "attention.self.value": (WIDTH, WIDTH),
        "attention.output.dense": (WIDTH, WIDTH),
        "attention.output.LayerNorm": (WIDTH,),
        "intermediate.dense": (HIDDEN, WIDTH),
        "output.dense": (WIDTH, HIDDEN),
        "output.LayerNorm": (WIDTH,),
    }
    for layer in range(2):
        for name, shape in shapes.items():
            state[f"encoder.layer.{layer}.{name}.weight"] = random(*shape)
            state[f"encoder.layer.{layer}.{name}.bias"] = random(shape[0])
    return state


def small_recipe(**changes):
    values = {
        "bank": "bank.npz",
        "sentence_model": "sentence",
        "wordnet": "wordnet",
        "seed": 1,
        "folds": 2,
        "choosing": False,
        "positions": 24,
        "common_pieces": 1000,
        "topics": (6,),
        "nouns": 12,
        "described": 6,
        "scenes": 3,
        "pull": 0.7,
        "synonyms": 5,
        "teacher_layers": (0, 2),
        "teacher_shares": (0.7, 0.15, 0.15),
        "teacher_width": 1.0,
        "teacher_ridge": 0.1,
        "head_ridge": 0.3,
        "frozen": 0,
        "steps": 6,
        "batch": (4, 4, 2, 4),
        "rate": 1e-3,
        "head_rate": 1e-3,
        "decay": 0.01,
        "warmup": 0.1,
        "contrast": 0.3,
        "sharpness": 15.0,
        "checkpoint": 3,
    }
    return TextRecipe(**{**values, **changes})


def train(data, out, **changes):
    return train_text(small_recipe(**changes), out, data=data, progress=lambda line: None)


def test_training_writes_a_tower_that_answers(data, tmp_path):
    out = tmp_path / "out"
    figures = train(data, out)
    tower = TextTower.load(out, "text.safetensors", layers=2, heads=4)
    vectors = tower.encode(["a chair", "an unheard-of thing"])
    assert vectors.shape == (2, DIM)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    report = json.loads((out / "text_report.json").read_text(encoding="utf-8"))
    assert report["measured"]["held_out"]["n"] == figures["held-out n"] > 0
    assert report["measured"]["twin_cosine_min"] > 0.999
    assert str(data) not in json.dumps(report)


def test_learning_brings_the_learned_words_nearer(data, tmp_path):
    def learned(out):
        return json.loads((out / "text_report.json").read_text(encoding="utf-8"))["measured"]["learned"]["cosine"]

    # so strong a ridge that the head begins knowing nothing
    train(data, tmp_path / "short", steps=1, head_ridge=1e6)
    train(data, tmp_path / "long", steps=60, checkpoint=60, head_ridge=1e6)
    assert learned(tmp_path / "long") > learned(tmp_path / "short")


def test_a_bank_too_small_to_hold_anything_out_is_refused(data, tmp_path):
    np.savez(data / "bank.npz", phrases=np.array(["a chair"]), vectors=np.ones((1, DIM)))
    with pytest.raises(DataError, match="too few"):
        train(data, tmp_path / "out")


def test_a_bank_of_whole_phrases_is_taught_but_for_what_is_held_out(data, tmp_path):
    phrases = [f"a {w}" for w in WORDS[:8]] + [f"a photo of a {w}" for w in WORDS[:8]] + ["a boat at night"]
    vectors = np.random.default_rng(0).normal(size=(17, DIM)) + 3
    write_bank_file(data / "bank.npz", phrases, [*WORDS[:8], *WORDS[:8], ""], vectors, "some-space")
    recipe = small_recipe().under(data)
    known, held_out = split(read_bank(recipe.bank), recipe)
    nouns = read_nouns(recipe.wordnet)
    lessons = prepare(known, held_out, read_sayings(recipe.bank), nouns, nouns, recipe)
    assert set(lessons.sayings.names) == {f"a photo of a {w}" for w in known.names} | {"a boat at night"}
    train(data, tmp_path / "out")
    report = json.loads((tmp_path / "out/text_report.json").read_text(encoding="utf-8"))
    assert report["measured"]["held_out"]["n"] == len(held_out)
    assert report["bank_space"] == "some-space"


def test_the_same_seed_gives_the_same_file(data, tmp_path):
    train(data, tmp_path / "one")
    train(data, tmp_path / "two")
    assert (tmp_path / "one/text.safetensors").read_bytes() == (tmp_path / "two/text.safetensors").read_bytes()


class StopError(Exception):
    pass


def train_until_step_3(data, out):
    """A training that is stopped."""

    def stop(line):
        if line.startswith("step 3"):
            raise StopError

    with pytest.raises(StopError):
        train_text(small_recipe(), out, data=data, progress=stop)


def test_a_stopped_training_goes_on_to_the_same_result(data, tmp_path):
    train(data, tmp_path / "whole")

    train_until_step_3(data, tmp_path / "parts")
    lines = []
    train_text(small_recipe(), tmp_path / "parts", data=data, progress=lines.append)
    assert not any(line.startswith(("step 3", "the teacher")) for line in lines)
    assert (tmp_path / "whole/text.safetensors").read_bytes() == (tmp_path / "parts/text.safetensors").read_bytes()


def test_random_draws_inside_the_model_go_on_where_they_were(data, tmp_path, monkeypatch):
    plain = SentenceModel.forward

    def forgetful(model, ids, real):
        return torch.nn.functional.dropout(plain(model, ids, real), 0.5, training=model.training)

    monkeypatch.setattr(SentenceModel, "forward", forgetful)
    train(data, tmp_path / "whole")

    train_until_step_3(data, tmp_path / "parts")
    train(data, tmp_path / "parts")
    assert (tmp_path / "whole/text.safetensors").read_bytes() == (tmp_path / "parts/text.safetensors").read_bytes()


def _another_bank(data):
    vectors = np.random.default_rng(7).normal(size=(8, DIM)) + 3
    np.savez(data / "bank.npz", phrases=np.array([f"a {w}" for w in WORDS[:8]]), vectors=vectors)


def _another_sentence_model(data):
    words = len(json.loads((data / "sentence/tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
    save_file(_bert_state(words, np.random.default_rng(7)), data / "sentence/model.safetensors")


def _another_wordnet(data):
    path = data / "wordnet/data.noun"
    path.write_text(path.read_text(encoding="utf-8").replace("a small", "a large"), encoding="utf-8")


@pytest.mark.parametrize("change", [_another_bank, _another_sentence_model, _another_wordnet])
def test_stages_made_from_other_files_are_not_taken_up(data, tmp_path, change):
    train(data, tmp_path / "again")
    change(data)
    lines = []
    train_text(small_recipe(), tmp_path / "again", data=data, progress=lines.append)
    assert any(line.startswith("the teacher") for line in lines)
    train(data, tmp_path / "fresh")
    assert (tmp_path / "again/text.safetensors").read_bytes() == (tmp_path / "fresh/text.safetensors").read_bytes()


def test_a_recipe_is_named_by_what_its_files_hold_not_by_where_they_lie(data, tmp_path):
    (tmp_path / "moved").mkdir()
    for name in ("bank.npz", "sentence", "wordnet"):
        (data / name).rename(tmp_path / "moved" / name)
    named = small_recipe().under(tmp_path / "moved").digest()
    for name in ("bank.npz", "sentence", "wordnet"):
        (tmp_path / "moved" / name).rename(data / name)
    assert small_recipe().under(data).digest() == named
    assert small_recipe(seed=2).under(data).digest() != named
    folder = data / "sets"
    folder.mkdir()
    np.save(folder / "coco.npy", np.ones((1, DIM)))
    (folder / "names_coco.json").write_text('{"names": ["chair"], "prompt_names": ["chair"]}', encoding="utf-8")
    (folder / "notes.txt").write_text("nothing", encoding="utf-8")
    first = small_recipe(bank="sets").under(data).digest()
    (folder / "notes.txt").write_text("something", encoding="utf-8")
    assert small_recipe(bank="sets").under(data).digest() == first
    np.save(folder / "coco.npy", np.zeros((1, DIM)))
    assert small_recipe(bank="sets").under(data).digest() != first


def test_the_twin_agrees_with_the_packed_tower(data, tmp_path):
    form, kept = prune_tokenizer(data / "sentence/tokenizer.json", WORDS, 1000)
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(form), encoding="utf-8")
    torch.manual_seed(0)
    model = start_model(data / "sentence", kept, positions=24, dim=DIM).eval()
    mean = unit(np.ones((1, DIM), np.float32))[0] * np.float32(0.9)
    tower = TextTower(pack(model, mean), Tokenizer.from_file(str(path)), layers=2, heads=4)
    phrases = ["a chair", "lamp", "a small dog and a boat", ""]
    with torch.no_grad():
        twin = model(*Examples(path, 24).tokens(phrases)).numpy()
    assert ((unit(tower.encode(phrases) - mean)) * twin).sum(1).min() > 0.999


def test_padding_changes_nothing_in_the_twin(data):
    _, kept = prune_tokenizer(data / "sentence/tokenizer.json", WORDS, 1000)
    model = start_model(data / "sentence", kept, positions=24, dim=DIM).eval()
    ids = torch.tensor([[2, 7, 9, 3], [2, 8, 3, 0]])
    real = torch.tensor([[True] * 4, [True] * 3 + [False]])
    with torch.no_grad():
        together = model.pooled(ids, real)[-1]
        alone = model.pooled(ids[1:, :3], real[1:, :3])[-1]
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)


def test_a_pruned_tokenizer_spells_what_it_dropped(data):
    form, kept = prune_tokenizer(data / "sentence/tokenizer.json", ["chair"], 0)
    vocabulary = form["model"]["vocab"]
    assert len(kept) == len(vocabulary)
    assert "chair" in vocabulary
    assert not {"table", "[unused0]", "[MASK]", "1234", "é"} & set(vocabulary)
    assert Tokenizer.from_str(json.dumps(form)).encode("table").tokens == [
        "[CLS]",
        "t",
        "##a",
        "##b",
        "##l",
        "##e",
        "[SEP]",
    ]


def test_a_pool_draws_each_thing_once_with_its_own_direction():
    pool = Pool([["a", "b", "c"], ["d"]], np.eye(2, dtype=np.float32), np.array([1, 0.5], np.float32))
    phrases, directions, weights = pool.draw(5, np.random.default_rng(0))
    assert len(phrases) == 2
    rows = [0 if phrase in "abc" else 1 for phrase in phrases]
    np.testing.assert_array_equal(directions, np.eye(2)[rows])
    np.testing.assert_array_equal(weights, np.array([1, 0.5])[rows])


def test_wordings_speak_of_the_name():
    assert {"a chair", "chair", "chairs", "a point cloud of a chair"} <= set(wordings("chair"))
    assert {"a arm chair", "arm-chair"} <= set(wordings("armchair", ["arm chair", "arm-chair"]))
    described = describe("chair", np.random.default_rng(0))
    assert described.name == "chair"
    assert described.phrase == f"a {' '.join(described.additions)} chair"
    scene = set_scene(np.random.default_rng(0))
    assert scene.phrase == f"a {scene.name} {scene.additions[0]}"


def test_names_are_spelled_in_one_word_or_two():
    assert spellings("coffee table", set()) == ["coffeetable", "coffee-table"]
    assert spellings("nightstand", {"night", "stand"}) == ["night stand", "night-stand"]
    assert spellings("carpet", {"car", "pet"}) == []
    assert spellings("bow (weapon)", set()) == []


def test_definitions_are_told_by_what_a_thing_is_for():
    told = tellings("a tool for driving in nails")
    assert told[0] == "a tool for driving in nails"
    assert "something for driving in nails" in told
    assert tellings("a seat with four legs and a back, and a place for the arms of the one who sits")[1] == (
        "a seat with four legs and a back"
    )


def test_wider_meanings_are_read(tmp_path):
    lines = ["00000001 03 n 01 thing 0 000 | what there is  "]
    lines += ["00000002 06 n 01 seat 0 001 @ 00000001 n 0000 | to sit on  "]
    lines += ["00000003 06 n 02 chair 0 arm_chair 0 001 @ 00000002 n 0000 | a seat for one  "]
    (tmp_path / "data.noun").write_text("\n".join(lines), encoding="utf-8")
    index = [f"{w} n 1 0 1 0 0000000{i}  " for w, i in (("thing", 1), ("seat", 2), ("chair", 3), ("arm_chair", 3))]
    (tmp_path / "index.noun").write_text("\n".join(index), encoding="utf-8")
    nouns = read_nouns(tmp_path)
    assert {n.word: n.meanings for n in nouns}["arm chair"] == ("00000003", "00000002", "00000001")
    groups = [[nouns[row].word for row in rows] for rows in synonyms(nouns, frozenset())]
    assert groups == [["arm chair", "chair"]]
    assert synonyms(nouns, frozenset({"chair"})) == []
    by_word = {noun.word: noun for noun in nouns}
    assert find_noun("red arm-chairs", by_word) == by_word["arm chair"]
    assert find_noun("lamp", by_word) is None


def test_the_teacher_returns_what_it_learned_and_guesses_by_likeness():
    rng = np.random.default_rng(0)
    layers, directions = rng.normal(size=(20, 3, 8)).astype(np.float32), unit(rng.normal(size=(20, 6)))
    meanings = [(str(i % 4), "all") for i in range(20)]
    known = Reading(layers, layers[::-1].copy(), meanings)
    kernel = Kernel((0, 1, 2), (0.6, 0.2, 0.2), 1.0, 1e-4)
    for full in (False, True):
        teacher = Teacher(known, directions.astype(np.float32), np.ones(20, np.float32), kernel, full=full)
        assert (teacher(known) * directions).sum(1).min() > 0.999
        near = Reading(layers[:1] + np.float32(0.01), layers[::-1][:1].copy(), meanings[:1])
        assert float(teacher(near)[0] @ directions[0]) > 0.99


def test_an_addition_moves_every_name_alike_and_not_far():
    rng = np.random.default_rng(0)
    names, red, old = unit(rng.normal(size=(40, 64))), *rng.normal(size=(2, 64))
    additions = [("red",) if i % 2 else ("old",) for i in range(40)]
    whole = names + np.where(np.arange(40)[:, None] % 2, red, old) / 8
    found = moved(names, whole, additions, names, 0.7)
    assert (found * names).sum(1).min() > 0.6
    moves = unit(found - names)
    assert (moves[1::2] @ moves[1::2].T).mean() > 0.7
    assert (moves[1::2] @ moves[0::2].T).mean() < 0


def test_reports_on_pairs():
    codes = {}

    def encode(phrases):
        return np.stack([np.eye(400, dtype=np.float32)[codes.setdefault(p, len(codes))] for p in phrases])

    assert agreeing(encode, [("sofa", "sofa"), ("cup", "cup")]) == {"n": 2, "cosine": 1.0, "recall@1": 1.0}
    assert agreeing(encode, []) == {"n": 0}

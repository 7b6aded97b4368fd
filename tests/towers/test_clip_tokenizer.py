from __future__ import annotations

import builtins
import gzip
import json
import re
from itertools import pairwise

import numpy as np
import pytest
from tiny_vocabulary import byte_characters, join, learn_merges, vocabulary, write_gz, write_json

from clip3d.errors import ModelError
from clip3d.towers import clip_tokenizer
from clip3d.towers.clip_tokenizer import ClipTokenizer, byte_symbols, clean

MERGES = learn_merges()
START, END = len(vocabulary(MERGES)) - 2, len(vocabulary(MERGES)) - 1
PHRASES = [
    "a photo of a chair",
    "A Photo of the RED   chairs!!",
    "don't they'll we're I'd",
    "table2 42 3d-scan (wooden)",
    "café müller 椅子 стул 🪑🪑",
    "...'s ''  $%&/",
    "",
    "chairtablechair",
]


@pytest.fixture(scope="module")
def tokenizer():
    return ClipTokenizer(vocabulary(MERGES), MERGES)


def slow_ids(text: str) -> list[int]:
    """The published algorithm, for texts in Latin letters: of all neighbours the pair learned first is joined."""
    table, symbols, ids = vocabulary(MERGES), dict(zip(byte_order(), byte_characters(), strict=True)), []
    for word in re.findall(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\w\s]|_)+", clean(text)):
        characters = [symbols[byte] for byte in word.encode()]
        pieces = [*characters[:-1], characters[-1] + "</w>"]
        while True:
            pairs = set(pairwise(pieces)) & set(MERGES)
            if not pairs:
                break
            pieces = join(pieces, min(pairs, key=MERGES.index))
        ids += [table[piece] for piece in pieces]
    return [START, *ids, END]


def byte_order() -> list[int]:
    visible = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174]
    return visible + [b for b in range(256) if b not in visible]


def test_ids_against_a_slow_twin(tokenizer):
    assert tokenizer.ids(PHRASES) == [slow_ids(phrase) for phrase in PHRASES]
    assert len(tokenizer.ids(["a photo of the red chairs"])[0]) < 12


def test_ids_are_those_of_transformers():
    transformers = pytest.importorskip("transformers")
    theirs = transformers.CLIPTokenizer(vocab=vocabulary(MERGES), merges=MERGES)
    ours = ClipTokenizer(vocabulary(MERGES), MERGES)
    phrases = [*PHRASES, "word " * 100, "x" * 400, "a  b\tc\n d", "Ünïcode İstanbul ẞ", "1st", "<|endoftext|> a"]
    expected = [theirs(phrase, truncation=True, max_length=77)["input_ids"] for phrase in phrases]
    assert ours.ids(phrases) == expected


def test_ids_are_those_of_open_clip(tmp_path):
    open_clip = pytest.importorskip("open_clip")
    path = write_gz(tmp_path / "bpe.txt.gz", MERGES)
    theirs = open_clip.tokenizer.SimpleTokenizer(bpe_path=str(path))
    phrases = [*PHRASES, "word " * 100, "salt &amp;amp; pepper", "x" * 400]
    np.testing.assert_array_equal(ClipTokenizer.read(path)(phrases), theirs(phrases).numpy())


def test_both_kinds_of_file_give_the_same_ids(tokenizer, tmp_path):
    expected = tokenizer.ids(PHRASES)
    pairs = write_json(tmp_path / "pairs.json", MERGES, merges=[list(m) for m in MERGES])
    for path in (
        write_gz(tmp_path / "bpe.txt.gz", MERGES),
        write_json(tmp_path / "tokenizer.json", MERGES),
        pairs,
    ):
        found = ClipTokenizer.read(path)
        assert found.ids(PHRASES) == expected
        assert found.size == END + 1


def test_what_transformers_saves_is_read(tokenizer, tmp_path):
    transformers = pytest.importorskip("transformers")
    transformers.CLIPTokenizer(vocab=vocabulary(MERGES), merges=MERGES).save_pretrained(tmp_path)
    assert ClipTokenizer.read(tmp_path / "tokenizer.json").ids(PHRASES) == tokenizer.ids(PHRASES)


def test_the_list_of_openai_is_cut_where_clip_cuts_it(tmp_path):
    symbols = byte_characters()
    merges = [(a, b) for a in symbols for b in symbols][:50_000]
    assert ClipTokenizer.read(write_gz(tmp_path / "bpe.txt.gz", merges)).size == 49_408


def test_a_long_text_keeps_its_end_mark(tokenizer):
    table = tokenizer(["photo " * 200, "a"])
    assert table.shape == (2, 77)
    assert table.dtype == np.int64
    assert (table[0, 0], table[0, -1]) == (START, END)
    assert (table[0, 1:-1] == table[0, 1]).all()
    assert list(table[1, :4]) == [START, vocabulary(MERGES)["a</w>"], END, 0]
    assert len(tokenizer.ids(["photo " * 200], context=8)[0]) == 8


def test_texts_are_cleaned_as_those_of_clip():
    assert clean("  A &lt;b&gt;\n\tSalt &amp;amp; Pepper ") == "a <b> salt & pepper"
    assert clean("Cafe\u0301") == "café"
    assert clean("\ud800") == "?"


def test_without_ftfy_texts_are_only_composed(monkeypatch):
    found = builtins.__import__

    def no_ftfy(name, *rest):
        if name == "ftfy":
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", no_ftfy)
    clip_tokenizer._mending.cache_clear()
    try:
        assert clean("cafe\u0301 d\u2019or") == "café d\u2019or"
    finally:
        clip_tokenizer._mending.cache_clear()


def test_every_byte_has_a_symbol_of_its_own():
    symbols = byte_symbols()
    assert list(symbols) == byte_order()
    assert list(symbols.values()) == byte_characters()
    assert not any(symbol.isspace() for symbol in symbols.values())


WRONG = {
    "type": ({"type": "WordPiece"}, "WordPiece"),
    "suffix": ({"end_of_word_suffix": None}, "end of words"),
    "merge": ({"merges": ["a b c"]}, "too many values"),
    "foreign merge": ({"merges": ["chair zebra"]}, "out of vocabulary"),
    "vocabulary": ({"vocab": {"a": 0}}, "lacks the token|two ids"),
    "gap": ({"vocab": vocabulary(MERGES) | {"extra": 10_000}}, "ids of its"),
    "last": ({"vocab": vocabulary(MERGES) | {"extra": END + 1}}, "last token"),
    "no table": ({"vocab": 3}, "CLIP's kind"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_vocabulary_of_another_kind_is_refused(name, tmp_path):
    changes, words = WRONG[name]
    with pytest.raises(ModelError, match=words):
        ClipTokenizer.read(write_json(tmp_path / "tokenizer.json", MERGES, **changes))


def test_damaged_and_missing_files_are_refused(tmp_path):
    whole = write_gz(tmp_path / "whole.gz", MERGES).read_bytes()
    contents = {
        "cut.gz": whole[: len(whole) // 2], "plain.gz": b"a b\n", "one.gz": gzip.compress(b"#\nab\n"),
        "latin.gz": gzip.compress(b"#\n\xff \xfe\n"), "a.json": b"[]", "b.json": b"{", "c.json": b"[" * 10**5,
        "d.json": json.dumps({"model": []}).encode(),
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for name in [*contents, "missing.json", "missing.gz"]:
        with pytest.raises(ModelError, match=name):
            ClipTokenizer.read(tmp_path / name)


def test_a_file_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(clip_tokenizer, "MAX_BYTES", 10**5)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"\n" * 10**7))
    write_json(tmp_path / "large.json", MERGES, padding="x" * 10**5)
    for name in ("bomb.gz", "large.json"):
        with pytest.raises(ModelError, match="larger than"):
            ClipTokenizer.read(tmp_path / name)

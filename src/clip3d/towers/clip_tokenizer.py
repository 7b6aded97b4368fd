"""CLIP's byte-pair tokenizer, from the vocabulary that comes with a model.

R. Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", ACL 2016, section 3.2, over the
bytes of UTF-8 (A. Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.2), with
`</w>` at the end of a word. Merging is done by the package tokenizers.
"""

from __future__ import annotations

import gzip
import html
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ModelError

START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"
CONTEXT = 77
# What a text is cut into before merging: endings of English words, runs of letters, digits, runs of anything else.
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
# OpenAI's file lists more merges than CLIP uses: with 512 bytes and 2 marks these make its 49,408 tokens.
MERGES = 48894
MAX_BYTES = 32 * 2**20

Vocabulary = tuple[dict[str, int], list[tuple[str, str]]]


class ClipTokenizer:
    """Texts to token ids.

    Args:
        vocabulary: token to id, the ids 0 to n - 1; the end mark has the last, and every byte is a token, both
            inside a word and at its end.
        merges: pairs of tokens that become one, the first merged first.

    Attributes:
        size: number of tokens n.

    Raises:
        ValueError: if the vocabulary is none of CLIP's kind.
    """

    def __init__(self, vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> None:
        _check(vocabulary)
        self.size = len(vocabulary)
        self._start, self._end = vocabulary[START], vocabulary[END]
        self._tokenizer = _merging(dict(vocabulary), list(merges))

    @classmethod
    def read(cls, path: Path) -> ClipTokenizer:
        """From Hugging Face's `tokenizer.json`, or OpenAI's list of merges `bpe_simple_vocab_16e6.txt.gz`.

        Raises:
            ModelError: if the file is missing, damaged, over 32 MiB unpacked, or no tokenizer of CLIP's kind.
        """
        try:
            return cls(*(_from_merges(path) if path.suffix == ".gz" else _from_json(path)))
        except OSError as error:
            raise ModelError(path, f"cannot be read: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, EOFError, zlib.error) as error:
            raise ModelError(path, f"is no tokenizer of CLIP's kind: {error}") from error

    def ids(self, texts: Sequence[str], context: int = CONTEXT) -> list[list[int]]:
        """Token ids of each text between the start and the end mark, `context` of them at most.

        What is left out of a long text is its end; the end mark stays. A text is cleaned first, as CLIP's is:
        broken characters are mended by the package ftfy if it is installed (it comes with `clip3d[clip]`), and
        otherwise only composed (Unicode's NFC), so that curly quotes and the like may get other tokens; HTML
        entities are resolved, white space is made single, and letters small. The marks' own names in a text mean
        the marks.
        """
        encodings = self._tokenizer.encode_batch([clean(text) for text in texts], add_special_tokens=False)
        return [[self._start, *encoding.ids[: context - 2], self._end] for encoding in encodings]

    def __call__(self, texts: Sequence[str], context: int = CONTEXT) -> NDArray[np.int64]:
        """Token ids (n, context) int64 of n texts, as `ids` gives them, filled up with 0."""
        padded = np.zeros((len(texts), context), np.int64)
        for row, tokens in zip(padded, self.ids(texts, context), strict=True):
            row[: len(tokens)] = tokens
        return padded


def clean(text: str) -> str:
    """A text as CLIP's tokenizer wants it: see `ClipTokenizer.ids`."""
    # a lone surrogate, as a file name may hold, is no character that the tokenizer takes
    text = _mending()(text.encode("utf-8", "replace").decode("utf-8"))
    return " ".join(html.unescape(html.unescape(text)).split()).lower()


@cache
def _mending() -> Callable[[str], str]:
    try:
        from ftfy import fix_text
    except ImportError:
        return partial(normalize, "NFC")
    mend: Callable[[str], str] = fix_text
    return mend


def byte_symbols() -> dict[int, str]:
    """One visible character for each byte: itself if it is one, or else the next of those from U+0100 on."""
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + i) for i, byte in enumerate(hidden)}


def _from_merges(path: Path) -> Vocabulary:
    """The vocabulary is the bytes, the bytes at a word's end, the merges' results in order, and the two marks."""
    with gzip.open(path) as stream:
        lines = _bounded(stream.read(MAX_BYTES + 1)).decode("utf-8").split("\n")[1 : MERGES + 1]
    merges = [_pair(line) for line in lines if line.strip()]
    symbols = list(byte_symbols().values())
    tokens = [*symbols, *(s + WORD_END for s in symbols), *("".join(pair) for pair in merges), START, END]
    return {token: i for i, token in enumerate(tokens)}, merges


def _from_json(path: Path) -> Vocabulary:
    with path.open("rb") as stream:
        raw = json.loads(_bounded(stream.read(MAX_BYTES + 1)))
    model = raw["model"]
    if model.get("type", "BPE") != "BPE" or model.get("end_of_word_suffix") != WORD_END:
        kind, suffix = model.get("type"), model.get("end_of_word_suffix")
        raise ValueError(f"it is of the type {kind!r} with {suffix!r} at the end of words")
    vocabulary = dict(model["vocab"])
    for token in raw.get("added_tokens", ()):
        if vocabulary.setdefault(token["content"], token["id"]) != token["id"]:
            raise ValueError(f"the token {token['content']!r} has two ids")
    return vocabulary, [_pair(merge) for merge in model["merges"]]


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    return content


def _pair(merge: str | Sequence[str]) -> tuple[str, str]:
    first, second = merge.split() if isinstance(merge, str) else merge
    return str(first), str(second)


def _check(vocabulary: Mapping[str, int]) -> None:
    for token in (START, END, *(s + end for s in byte_symbols().values() for end in ("", WORD_END))):
        if token not in vocabulary:
            raise ValueError(f"it lacks the token {token!r}")
    if sorted(vocabulary.values()) != list(range(len(vocabulary))):
        raise ValueError(f"the ids of its {len(vocabulary)} tokens are not 0 to {len(vocabulary) - 1}")
    if vocabulary[END] != len(vocabulary) - 1:
        raise ValueError(f"the last token is not {END!r}")


def _merging(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Any:
    from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers

    try:
        model = models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=WORD_END)
    except Exception as error:  # the package raises no narrower type for a merge that is not in the vocabulary
        raise ValueError(str(error)) from error
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.add_special_tokens([AddedToken(mark, normalized=False, special=True) for mark in (START, END)])
    return tokenizer

"""A small vocabulary of CLIP's kind, learned by joining the most frequent neighbours of a few sentences."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

TEXT = "a photo of a chair a photo of the red chairs a point cloud of a table in the small room wooden tables don't"


def byte_characters() -> list[str]:
    """Characters of the bytes in the order of OpenAI's vocabulary: the visible ones first."""
    visible = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174]
    return [chr(b) for b in visible] + [chr(256 + i) for i in range(256 - len(visible))]


def learn_merges(count: int = 60) -> list[tuple[str, str]]:
    words = [[*word[:-1], word[-1] + "</w>"] for word in TEXT.split()]
    merges: list[tuple[str, str]] = []
    while len(merges) < count:
        pairs = Counter(pair for word in words for pair in pairwise(word))
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = [join(word, best) for word in words]
    return merges


def join(word: list[str], pair: tuple[str, str]) -> list[str]:
    """A word with every occurrence of a pair made one, from the left."""
    joined: list[str] = []
    for piece in word:
        if joined and (joined[-1], piece) == pair and not joined[-1].endswith("</w>"):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def vocabulary(merges: list[tuple[str, str]]) -> dict[str, int]:
    symbols = byte_characters()
    tokens = [*symbols, *(s + "</w>" for s in symbols), *("".join(m) for m in merges)]
    return {token: i for i, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}


def write_gz(path: Path, merges: list[tuple[str, str]]) -> Path:
    lines = ["#version: 0.2", *(" ".join(merge) for merge in merges)]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def write_json(path: Path, learned: list[tuple[str, str]], **changes: object) -> Path:
    table = vocabulary(learned)
    marks = ("<|startoftext|>", "<|endoftext|>")
    merges = [" ".join(merge) for merge in learned]
    model = {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": table, "merges": merges}
    added = [{"id": table[mark], "content": mark, "special": True} for mark in marks]
    path.write_text(json.dumps({"added_tokens": added, "model": model | changes}), encoding="utf-8")
    return path

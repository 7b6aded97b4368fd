"""Phrases with known vectors (a bank), and the nouns of WordNet with their definitions."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.data.bank_file import read_bank_file, read_phrases, without_article
from clip3d.errors import DataError

Array = NDArray[np.float32]

# The sets of a bank folder, the most trusted first: a name that two sets share keeps the row of the first.
SETS = ("coco", "objects365", "openimages", "lvis")
# A row embedded as "a baseball_bat" lies near, but not at, the vector of "a baseball bat".
UNDERSCORE_WEIGHT = 0.5
# WordNet's files of animals, artefacts, the body, food, natural objects, people and plants.
THINGS = (5, 6, 8, 13, 17, 18, 20)


@dataclass(frozen=True, eq=False)
class Bank:
    """Names whose text vectors are known.

    Attributes:
        names: n distinct names in lower case, without an article.
        vectors: (n, d) float32 vectors of "a <name>", of any length but zero.
        weights: (n,) float32 in (0, 1], how far each row is to be trusted.
        concepts: n concepts: names that differ only in number, hyphens or a remark in brackets share one.
        space: id of the space that the vectors lie in; empty if the file does not say.
    """

    names: tuple[str, ...]
    vectors: Array
    weights: Array
    concepts: tuple[str, ...]
    space: str = ""

    def __len__(self) -> int:
        return len(self.names)

    def select(self, keep: NDArray[np.bool_]) -> Bank:
        """The rows where keep (n,) is true."""
        rows = np.flatnonzero(keep)
        names, concepts = ([values[i] for i in rows] for values in (self.names, self.concepts))
        return Bank(tuple(names), self.vectors[rows], self.weights[rows], tuple(concepts), self.space)

    @property
    def phrases(self) -> list[str]:
        """The names as the phrases of a bank are written, "a <name>"."""
        return [with_article(name) for name in self.names]

    def folds(self, n: int, seed: str) -> NDArray[np.intp]:
        """A fold 0 to n-1 for each row (n,), from a hash of its concept, so that it never depends on other rows."""
        digests = [hashlib.sha256(f"{seed}:{concept}".encode()).digest() for concept in self.concepts]
        return np.array([int.from_bytes(digest[:8], "big") % n for digest in digests], dtype=np.intp)

    def held_out(self, folds: int, seed: int) -> NDArray[np.bool_]:
        """Which rows (n,) a training with this seed never sees: one concept in `folds`."""
        return np.asarray(self.folds(folds, f"held out {seed}") == 0)

    def mean(self) -> Array:
        """Mean (d,) of the unit vectors, each concept counted once."""
        units = self.vectors / np.linalg.norm(self.vectors, axis=1, keepdims=True)
        concepts = np.array(self.concepts)
        middles = np.stack([units[concepts == c].mean(0) for c in sorted(set(self.concepts))])
        return np.asarray(middles.mean(0), dtype=np.float32)


@dataclass(frozen=True)
class Noun:
    """One meaning of a noun.

    Attributes:
        word: a word or words in lower case.
        definition: what it is, without examples.
        topic: WordNet's lexicographer file.
        meanings: the meaning's own number, which its synonyms share, then those of all wider meanings.
    """

    word: str
    definition: str
    topic: int
    meanings: tuple[str, ...] = ()


def read_bank(path: Path) -> Bank:
    """Read the names of a bank: an npz, or a folder of `<set>.npy` with `names_<set>.json`.

    An npz is what `clip3d.data.bank_file` writes. A folder holds, for some of the sets coco, objects365, openimages
    and lvis, the vectors and a JSON object with `names` and `prompt_names`.

    Raises:
        DataError: if it cannot be read, or names and vectors do not fit together.
    """
    if path.is_dir():
        try:
            parts, space = _folder_parts(path), ""
        except (OSError, ValueError, KeyError) as error:
            raise DataError(path, f"is not a readable bank of phrases: {error}") from error
    else:
        file = read_bank_file(path)
        rows = [row for row in range(len(file.phrases)) if file.is_plain(row)]
        vectors = file.vectors.astype(np.float32)
        parts = [(without_article(file.phrases[row]), file.phrases[row], vectors[row]) for row in rows]
        space = file.space
    return _bank(parts, space, path)


def bank_files(path: Path) -> list[Path]:
    """The files that decide what `read_bank` and `read_sayings` give: the npz, or those of a folder's sets."""
    if not path.is_dir():
        return [path]
    sets = [name for name in SETS if (path / f"{name}.npy").is_file()]
    return [path / file for name in sets for file in (f"{name}.npy", f"names_{name}.json")]


def read_sayings(path: Path) -> Bank:
    """The phrases of a bank that are more or other than "a <name>", each under the concept that it speaks of.

    `names` are then the whole phrases; a phrase that speaks of no name is its own concept. Folders have none.

    Raises:
        DataError: if it cannot be read.
    """
    if path.is_dir():
        return Bank((), np.zeros((0, 1), np.float32), np.zeros(0, np.float32), ())
    file = read_bank_file(path)
    rows = [row for row in range(len(file.phrases)) if not file.is_plain(row)]
    phrases = tuple(file.phrases[row] for row in rows)
    concepts = tuple(concept(file.names[row] or file.phrases[row]) for row in rows)
    vectors, weights = file.vectors[rows].astype(np.float32), np.ones(len(rows), np.float32)
    return Bank(phrases, vectors, weights, concepts, file.space)


def read_names(path: Path) -> list[str]:
    """Names from a bank, or from a text file with one a line.

    Raises:
        DataError: if it cannot be read or holds none.
    """
    if path.is_dir() or path.suffix == ".npz":
        return list(read_bank(path).names)
    return list(dict.fromkeys(without_article(phrase) for phrase, _ in read_phrases(path)))


def some_nouns(folder: Path, count: int) -> list[str]:
    """At most `count` nouns of WordNet's things, evenly spread over the alphabet."""
    words = list(dict.fromkeys(noun.word for noun in read_nouns(folder) if noun.topic in THINGS))
    return words[:: max(-(-len(words) // count), 1)]


def _bank(parts: list[tuple[str, str, Array]], space: str, path: Path) -> Bank:
    rows: dict[str, tuple[Array, float]] = {}
    for name, prompt, vector in parts:
        clean = " ".join(name.replace("_", " ").split()).casefold()
        rows.setdefault(clean, (vector, UNDERSCORE_WEIGHT if "_" in prompt else 1.0))
    if not rows:
        raise DataError(path, "holds no phrases")
    vectors = np.stack([vector for vector, _ in rows.values()])
    if not np.isfinite(vectors).all() or (np.linalg.norm(vectors, axis=1) == 0).any():
        raise DataError(path, "holds a vector that is zero or not finite")
    weights = np.array([weight for _, weight in rows.values()], dtype=np.float32)
    return Bank(tuple(rows), vectors, weights, tuple(concept(name) for name in rows), space)


def concept(name: str) -> str:
    """What names of one thing share: lower case, no brackets, no hyphens, each word in the singular."""
    bare = re.sub(r"\(.*?\)", "", name.casefold().replace("_", " ").replace("-", " "))
    return " ".join(_singular(word) for word in re.findall(r"[^\W_]+", bare))


def plural(name: str) -> str:
    """The regular English plural of a name."""
    if re.search(r"(s|x|z|ch|sh)$", name):
        return name + "es"
    return name[:-1] + "ies" if re.search(r"[^aeiou]y$", name) else name + "s"


def with_article(name: str) -> str:
    """A name after "a", as the phrases of a bank are written, also before a vowel."""
    return f"a {name}"


def read_nouns(folder: Path) -> list[Noun]:
    """The nouns of WordNet's `data.noun` and `index.noun` (format: wndb(5WN)), each in its most frequent meaning.

    Words with capitals (names and Latin species) are left out.

    Raises:
        DataError: if a file is missing or has another form.
    """
    try:
        first = _first_meanings(folder / "index.noun")
        lines = (folder / "data.noun").read_text(encoding="utf-8").splitlines()
        lines = [line for line in lines if not line.startswith(" ")]
        wider = dict(map(_wider, lines))
        meanings = [noun for line in lines for noun in _meanings(line, first, wider)]
    except (OSError, ValueError, IndexError) as error:
        raise DataError(folder, f"is not a readable WordNet folder: {error}") from error
    return sorted(set(meanings), key=lambda noun: (noun.word, noun.definition))


def _folder_parts(path: Path) -> list[tuple[str, str, Array]]:
    parts: list[tuple[str, str, Array]] = []
    for name in SETS:
        if not (path / f"{name}.npy").is_file():
            continue
        words = json.loads((path / f"names_{name}.json").read_text(encoding="utf-8"))
        vectors = np.load(path / f"{name}.npy", allow_pickle=False).astype(np.float32)
        parts += zip(words["names"], words["prompt_names"], vectors, strict=True)
    return parts


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    plain = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plain else word


def _first_meanings(path: Path) -> dict[str, str]:
    """Word to the offset of its most frequent meaning: the first of the offsets that end an index line."""
    first = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith(" "):
            fields = line.split()
            first[fields[0]] = fields[-int(fields[2])]
    return first


def _wider(line: str) -> tuple[str, list[str]]:
    """A meaning's number and those of the meanings that it is a kind or an instance of."""
    fields = line.split(" | ", 1)[0].split()
    begin = 4 + 2 * int(fields[3], 16)
    pointers = fields[begin + 1 : begin + 1 + 4 * int(fields[begin])]
    return fields[0], [pointers[i + 1] for i in range(0, len(pointers), 4) if pointers[i] in ("@", "@i")]


def _meanings(line: str, first: dict[str, str], wider: dict[str, list[str]]) -> list[Noun]:
    data, gloss = line.split(" | ", 1)
    fields = data.split()
    words = [fields[4 + 2 * i] for i in range(int(fields[3], 16))]
    kept = [word for word in words if word == word.lower() and first.get(word) == fields[0]]
    definition = gloss.split(";")[0].strip()
    chain = [fields[0]]
    for number in chain:
        chain += [other for other in wider.get(number, []) if other not in chain]
    return [Noun(word.replace("_", " "), definition, int(fields[1]), tuple(chain)) for word in kept]

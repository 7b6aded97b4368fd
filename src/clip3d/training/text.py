"""Training of the text tower: a sentence model learns to speak a space of which only some words are known.

A kernel ridge over the sentence model's layers first guesses the vectors of many nouns (the teacher). Then the
sentence model itself is tuned: on the known vectors, on the guesses, and on WordNet's definitions, which shall lie
where their noun does, so that descriptions stay understood.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from clip3d.data.phrases import Bank, Noun, plural, read_bank, read_nouns, with_article
from clip3d.errors import DataError
from clip3d.models.weights import read_arrays, read_state, sha256_of, write_arrays, write_json
from clip3d.spaces import Space, unit
from clip3d.training.text_examples import Examples, Pool, dressed, wordings
from clip3d.training.text_model import SentenceModel, pack, prune_tokenizer, start_model
from clip3d.training.text_report import headline, measure

Array = NDArray[np.float32]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class TextRecipe:
    """Every constant of a text tower's training.

    Attributes:
        bank: phrases with known vectors, see `clip3d.data.phrases.read_bank`.
        sentence_model: folder with config.json, model.safetensors and tokenizer.json of a BERT sentence model.
        wordnet: folder with data.noun and index.noun.
        seed: of the split, the choice of nouns, and the order of examples.
        folds: one fold in this many, by concept, is held out for the report.
        choosing: leave the held-out fold alone, and hold out one in four of the other concepts in its place.
        positions: longest phrase in word pieces.
        common_pieces: how many of the most common word pieces are kept beside those that the data need.
        topics: WordNet's lexicographer files whose nouns are used.
        nouns: how many of them.
        described: how many phrases of a noun with an adjective are taught.
        teacher_layers: pooled layers that the teacher sees, 0 being the embedding.
        teacher_width: factor of the squared distance in the teacher's Gaussian kernel.
        teacher_ridge: the teacher's ridge.
        head_ridge: ridge of the linear head that tuning begins with.
        frozen: encoder layers, from the first, that are not tuned; word and position vectors never are.
        steps: of tuning.
        batch: examples a step from the bank, the nouns, the described nouns and the definitions.
        rate: peak learning rate of the encoder.
        head_rate: peak learning rate of the head.
        decay: weight decay.
        warmup: share of the steps in which the rate rises.
        contrast: weight of the contrastive loss beside the cosine loss.
        sharpness: factor of the cosines in the contrastive loss.
        checkpoint: steps between checkpoints.
    """

    bank: Path
    sentence_model: Path
    wordnet: Path
    seed: int
    folds: int
    choosing: bool
    positions: int
    common_pieces: int
    topics: tuple[int, ...]
    nouns: int
    described: int
    teacher_layers: tuple[int, ...]
    teacher_width: float
    teacher_ridge: float
    head_ridge: float
    frozen: int
    steps: int
    batch: tuple[int, int, int, int]
    rate: float
    head_rate: float
    decay: float
    warmup: float
    contrast: float
    sharpness: float
    checkpoint: int

    def under(self, folder: Path) -> TextRecipe:
        """The same recipe with its three paths taken relative to a folder."""
        return replace(
            self,
            bank=folder / self.bank,
            sentence_model=folder / self.sentence_model,
            wordnet=folder / self.wordnet,
        )

    @property
    def digest(self) -> str:
        """Names the recipe's numbers, so that the checkpoints of another one are not taken up."""
        paths = ("bank", "sentence_model", "wordnet")
        numbers = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in paths}
        return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:16]


def train_text(recipe: TextRecipe, out: Path, *, data: Path, progress: Progress) -> dict[str, float]:
    """Train a text tower; begun again with the same recipe and folder, it goes on where it was.

    Args:
        recipe: every constant.
        out: gets text.safetensors, tokenizer.json, space.safetensors, text_report.json, and a folder of stages.
        data: folder that the recipe's paths are relative to.
        progress: is told of each stage and some steps.

    Returns:
        The main figures of text_report.json: name of the measure to value.
    """
    recipe = recipe.under(data)
    stages = out / "stages" / recipe.digest
    bank = read_bank(recipe.bank)
    known, held_out = split(bank, recipe)
    if not len(known) or not len(held_out):
        raise DataError(recipe.bank, "holds too few phrases to learn some and hold out others")
    mean = bank.mean()
    space = Space("bank", len(mean), mean)
    nouns = choose_nouns(read_nouns(recipe.wordnet), bank, recipe)
    progress(f"{len(known)} phrases to learn, {len(held_out)} held out, {len(nouns)} nouns of WordNet")

    pieces = recipe.sentence_model / "tokenizer.json"
    form, kept = prune_tokenizer(pieces, _texts(bank, nouns), recipe.common_pieces)
    out.mkdir(parents=True, exist_ok=True)
    (out / "tokenizer.json").write_text(json.dumps(form, separators=(",", ":")), encoding="utf-8")
    torch.manual_seed(recipe.seed)
    model = start_model(recipe.sentence_model, kept, positions=recipe.positions, dim=len(mean))
    examples = Examples(out / "tokenizer.json", recipe.positions)

    pools = teach(model, examples, known, nouns, space, recipe, stages / "teacher.safetensors", progress)
    tune(model, examples, pools, space.centre(known.vectors), recipe, stages / "tuning.safetensors", progress)

    write_arrays(pack(model, mean), out / "text.safetensors")
    write_arrays({"mean": mean}, out / "space.safetensors")
    report = _report(model, out, known, held_out, space, recipe)
    write_json(report, out / "text_report.json")
    return headline(report["measured"])


def split(bank: Bank, recipe: TextRecipe) -> tuple[Bank, Bank]:
    """The bank's rows to learn and to hold out, no concept in both."""
    last = bank.folds(recipe.folds, f"held out {recipe.seed}") == 0
    if not recipe.choosing:
        return bank.select(~last), bank.select(last)
    rest = bank.select(~last)
    inner = rest.folds(4, f"choosing {recipe.seed}") == 0
    return rest.select(~inner), rest.select(inner)


def choose_nouns(nouns: Sequence[Noun], bank: Bank, recipe: TextRecipe) -> list[Noun]:
    """Nouns of the recipe's topics: those that the bank knows, and others by chance, up to the recipe's number."""
    fitting = [noun for noun in nouns if noun.topic in recipe.topics]
    names = set(bank.names)
    named = [noun for noun in fitting if noun.word in names]
    others = [noun for noun in fitting if noun.word not in names]
    order = np.random.default_rng(recipe.seed).permutation(len(others))
    return named + [others[i] for i in order[: max(recipe.nouns - len(named), 0)]]


def teach(
    model: SentenceModel,
    examples: Examples,
    known: Bank,
    nouns: Sequence[Noun],
    space: Space,
    recipe: TextRecipe,
    stage: Path,
    progress: Progress,
) -> list[Pool]:
    """Pools of examples with their directions: bank, nouns, described nouns, definitions.

    Also gives the model's head its start, a ridge from the pooled layers to the bank's directions.
    """
    rng = np.random.default_rng(recipe.seed)
    described = [dressed(nouns[i].word, rng) for i in rng.integers(0, len(nouns), recipe.described)]
    plain = [with_article(name) for name in known.names]
    if not stage.is_file():
        progress("the teacher reads the bank and the nouns")
        layers = examples.layers(model, plain)
        guess = _Teacher(layers, space.centre(known.vectors), known.weights, recipe)
        words = guess(examples.layers(model, [with_article(noun.word) for noun in nouns]))
        pairs = guess(examples.layers(model, [phrase for _, phrase in described]))
        bare = guess(examples.layers(model, [with_article(word) for word, _ in described]))
        ends = np.concatenate([layers[:, 0], layers[:, -1]], axis=1)
        head = _ridge(ends, space.centre(known.vectors), recipe.head_ridge)
        write_arrays({"nouns": words, "pairs": pairs, "bare": bare, "head": head[0], "bias": head[1]}, stage)
    read = read_arrays(stage)
    with torch.no_grad():
        model.head.weight.copy_(torch.from_numpy(read["head"]))
        model.head.bias.copy_(torch.from_numpy(read["bias"]))
    truth = dict(zip(known.names, space.centre(known.vectors), strict=True))
    word_targets = np.stack([truth.get(n.word, guess) for n, guess in zip(nouns, read["nouns"], strict=True)])
    bare = np.stack([truth.get(w, guess) for (w, _), guess in zip(described, read["bare"], strict=True)])
    return [
        Pool([wordings(name) for name in known.names], space.centre(known.vectors), known.weights),
        Pool([wordings(noun.word) for noun in nouns], word_targets),
        Pool([[phrase] for _, phrase in described], unit(bare + read["pairs"])),
        Pool([[noun.definition] for noun in nouns], word_targets),
    ]


def tune(
    model: SentenceModel,
    examples: Examples,
    pools: Sequence[Pool],
    directions: Array,
    recipe: TextRecipe,
    stage: Path,
    progress: Progress,
) -> None:
    """Tune the model in place, AdamW with a rate that rises and falls along a cosine."""
    optimizer = _optimizer(model, recipe)
    anchors = torch.from_numpy(directions)
    begin = _resume(model, optimizer, stage)
    model.train()
    total = 0.0
    for step in range(begin, recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * _schedule(step, recipe)
        loss = _step_loss(model, examples, pools, anchors, recipe, step)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
        done = step + 1
        if done % recipe.checkpoint == 0 or done == recipe.steps:
            _save(model, optimizer, done, stage)
            progress(f"step {done} of {recipe.steps}: loss {total / ((done - 1) % recipe.checkpoint + 1):.4f}")
            total = 0.0
    model.eval()


def _step_loss(
    model: SentenceModel,
    examples: Examples,
    pools: Sequence[Pool],
    anchors: torch.Tensor,
    recipe: TextRecipe,
    step: int,
) -> torch.Tensor:
    """Mean over the pools' examples of 1 - cosine, and of how unlike the likenesses to the anchors are."""
    rng = np.random.default_rng([recipe.seed, step])
    losses = []
    for pool, count in zip(pools, recipe.batch, strict=True):
        phrases, targets, weights = pool.draw(count, rng)
        found, aim = model(*examples.tokens(phrases)), torch.from_numpy(targets)
        cosine = 1 - (found * aim).sum(1)
        wanted = F.softmax(recipe.sharpness * aim @ anchors.T, dim=1)
        contrast = F.cross_entropy(recipe.sharpness * found @ anchors.T, wanted, reduction="none")
        losses.append(torch.from_numpy(weights) * (cosine + recipe.contrast * contrast))
    return torch.cat(losses).mean()


def _optimizer(model: SentenceModel, recipe: TextRecipe) -> torch.optim.AdamW:
    model.requires_grad_(False)
    tuned = [p for layer in model.layers[recipe.frozen :] for p in layer.requires_grad_(True).parameters()]
    head = list(model.head.requires_grad_(True).parameters())
    groups = [{"params": tuned, "peak": recipe.rate}, {"params": head, "peak": recipe.head_rate}]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=recipe.rate, weight_decay=recipe.decay)


def _schedule(step: int, recipe: TextRecipe) -> float:
    rise = max(recipe.warmup * recipe.steps, 1)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + float(np.cos(np.pi * (step - rise) / max(recipe.steps - rise, 1))))


def _save(model: SentenceModel, optimizer: torch.optim.AdamW, done: int, stage: Path) -> None:
    arrays = {f"model.{name}": value.numpy() for name, value in model.state_dict().items()}
    for i, state in optimizer.state_dict()["state"].items():
        arrays |= {f"optimizer.{i}.{name}": value.numpy() for name, value in state.items()}
    write_arrays(arrays | {"done": np.array([done])}, stage)


def _resume(model: SentenceModel, optimizer: torch.optim.AdamW, stage: Path) -> int:
    if not stage.is_file():
        return 0
    state = read_state(stage)
    model.load_state_dict({k.removeprefix("model."): v for k, v in state.items() if k.startswith("model.")})
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in state.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".")
            moments.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return int(state["done"])


class _Teacher:
    """Kernel ridge from pooled layers (n, layers, width) to directions, with a Gaussian kernel.

    Every layer is brought to unit length, centred and scaled to count alike.
    """

    def __init__(self, layers: Array, directions: Array, weights: Array, recipe: TextRecipe) -> None:
        self._chosen, self._width = list(recipe.teacher_layers), recipe.teacher_width
        lengths = unit(layers[:, self._chosen])
        self._middle = lengths.mean(0)
        self._scale = np.sqrt(np.square(lengths - self._middle).sum(2).mean(0) * len(self._chosen))[:, None]
        self._support = self._prepare(layers)
        ridge = recipe.teacher_ridge * np.diag(1 / weights)
        self._factors = np.linalg.solve(self._kernel(self._support) + ridge, directions)

    def __call__(self, layers: Array) -> Array:
        return unit(self._kernel(self._prepare(layers)) @ self._factors)

    def _prepare(self, layers: Array) -> Array:
        scaled = (unit(layers[:, self._chosen]) - self._middle) / self._scale
        return np.asarray(scaled.reshape(len(layers), -1), dtype=np.float32)

    def _kernel(self, x: Array) -> Array:
        squared = np.square(x).sum(1)[:, None] + np.square(self._support).sum(1) - 2 * x @ self._support.T
        return np.asarray(np.exp(-self._width / 2 * np.maximum(squared, 0)), dtype=np.float32)


def _ridge(x: Array, y: Array, ridge: float) -> tuple[Array, Array]:
    """Weights (d, w) and bias (d,) of a ridge whose penalty is relative to the mean variance of x (n, w)."""
    middle, aim = x.mean(0), y.mean(0)
    gram = (x - middle).T @ (x - middle)
    penalty = ridge * np.trace(gram) / len(gram) * np.eye(len(gram))
    weights = np.linalg.solve(gram + penalty, (x - middle).T @ (y - aim)).T
    return weights.astype(np.float32), (aim - weights @ middle).astype(np.float32)


def _texts(bank: Bank, nouns: Sequence[Noun]) -> list[str]:
    described = [noun.definition for noun in nouns]
    return [*bank.names, *map(plural, bank.names), *(n.word for n in nouns), *described, *wordings("thing")]


def _report(
    model: SentenceModel, out: Path, known: Bank, held_out: Bank, space: Space, recipe: TextRecipe
) -> dict[str, Any]:
    names = ("text.safetensors", "tokenizer.json", "space.safetensors")
    settings = {k: v for k, v in asdict(recipe).items() if not isinstance(v, Path)}
    return {
        "measured": measure(model, out, known, held_out, space),
        "files": {name: {"sha256": sha256_of(out / name), "bytes": (out / name).stat().st_size} for name in names},
        "sentence_model": sha256_of(recipe.sentence_model / "model.safetensors"),
        "recipe": settings,
    }

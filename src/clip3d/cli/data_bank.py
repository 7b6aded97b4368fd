"""`clip3d data phrases` and `clip3d data bank`: a wide list of phrases, and their vectors from any CLIP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import note, print_json, print_line, progress_bar, start_logging

PHRASES_EXAMPLES = o.examples(
    "clip3d data phrases library/clip_text_bank -o phrases.txt --wordnet library/wordnet",
    "clip3d data phrases names.txt -o phrases.txt",
)
BANK_EXAMPLES = o.examples(
    "clip3d data bank phrases.txt --clip open_clip:ViT-B-32/ViT-B-32.safetensors -o bank.npz",
    "clip3d data bank phrases.txt --clip CLIP-ViT-L-14/ -o bank.npz --batch 256 --device cuda",
)


def phrases(
    names: Annotated[Path, typer.Argument(metavar="NAMES", help="Text file, a name a line; or a bank.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Text file to write.")],
    wordnet: Annotated[
        Path | None, typer.Option("--wordnet", metavar="FOLDER", help="data.noun and index.noun: its nouns too.")
    ] = None,
    nouns: Annotated[int, typer.Option("--nouns", min=1, help="How many of WordNet's nouns.")] = 5000,
    as_json: o.Json = False,
) -> None:
    """Write a wide list of phrases: names in prompt templates, nouns, colours, materials, adjectives and scenes.

    A line holds a phrase, a tab, and the name that it speaks of; scenes speak of none.
    """
    from clip3d.atomic import replacing
    from clip3d.data.phrases import read_names, some_nouns
    from clip3d.data.wording import wide_phrases

    known = read_names(names)
    rows = wide_phrases(known, some_nouns(wordnet, nouns) if wordnet else [])
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as temporary:
        temporary.write_text("".join(f"{phrase}\t{name}\n" for phrase, name in rows), encoding="utf-8")
    if as_json:
        print_json({"path": str(out), "n": len(rows), "names": len(known)})
    else:
        print_line(f"{out}: {len(rows)} phrases of {len(known)} names")


def bank(
    file: Annotated[Path, typer.Argument(metavar="PHRASES", help="Text file, as `data phrases` writes it.")],
    clip: Annotated[
        str,
        typer.Option("--clip", metavar="CHECKPOINT", help="open_clip:ARCHITECTURE/FILE, or an open_clip folder."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE.npz", help="The bank to write.")],
    batch: Annotated[int, typer.Option("--batch", min=1, help="Phrases encoded at a time.")] = 64,
    space: Annotated[
        str | None, typer.Option("--space", metavar="ID", help="Of the space, if not the checkpoint's own.")
    ] = None,
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Embed phrases with a CLIP checkpoint into a bank that a text tower can be trained on.

    PHRASES holds a phrase a line, and perhaps a tab and the name that it speaks of. Needs the extra clip3d[clip].
    Weights are read as data, and nothing is fetched unless CHECKPOINT names a hub: open_clip:ARCHITECTURE/TAG or
    hf-hub:OWNER/NAME. A run that was interrupted goes on where it stopped.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.data.bank_file import read_phrases
    from clip3d.data.bank_making import make_bank
    from clip3d.models.clip_text import load_clip_text

    rows = read_phrases(file)
    encoder = load_clip_text(clip, device)
    if not quiet:
        note(f"{len(rows)} phrases")
    with progress_bar("Embedding", quiet=quiet) as progress:
        count, dim = make_bank(
            rows,
            encoder.encode,
            out,
            space=space or encoder.space,
            encoder=encoder.space,
            batch=batch,
            progress=progress,
        )
    if as_json:
        print_json({"path": str(out), "n": count, "dim": dim, "space": space or encoder.space})
    else:
        print_line(f"{out}: {count} phrases, {dim} dimensions, space {space or encoder.space}")

"""`clip3d demo`: the sample objects, asked for by words, a picture and a shape."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import (
    finish,
    name_problems,
    print_json,
    print_line,
    print_table,
    progress_bar,
    start_logging,
)
from clip3d.cli.session import load_model, open_cache

if TYPE_CHECKING:
    from clip3d.data.samples import Samples
    from clip3d.search.page import Answer

EXAMPLES = o.examples("clip3d demo", "clip3d demo --out /tmp/demo.html")


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.html", help="The page to write.")] = Path(
        "clip3d-demo.html"
    ),
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Search the package's sample objects; write a page.

    Three queries by words, one by a picture, one by a shape. Nothing is fetched.
    """
    start_logging(quiet=quiet, verbose=verbose)
    started = time.monotonic()
    from clip3d.data.samples import list_samples
    from clip3d.search.demonstration import ask_samples
    from clip3d.search.page import write_page

    samples = list_samples()
    with open_cache(disabled=False) as cache, progress_bar("Embedding", quiet=quiet) as progress:
        answers = ask_samples(load_model(model, device), samples, cache=cache, progress=progress)
    names = {sample.path: sample.name for sample in samples.objects}
    write_page(out, "clip3d: words, a photo and a shape find 3D objects", answers, names=names)
    show(answers, samples, as_json=as_json)
    if not as_json:
        print_line(f"page with pictures: {out.resolve()} ({time.monotonic() - started:.1f} s)")
    problems = answers[0].result.problems
    name_problems(problems)
    finish(problems, answers[0].result.searched)


def show(answers: list[Answer], samples: Samples, *, as_json: bool) -> None:
    """Print every query with its ranked answers."""
    names = {sample.path: sample.name for sample in samples.objects}
    for answer in answers:
        result = answer.result
        rows = []
        for hit in result.hits:
            name = names.get(hit.path, hit.path.name)
            rows.append((str(hit.rank), f"{hit.score:.3f}", name))
            if as_json:
                record = {"query": result.query, "rank": hit.rank, "path": str(hit.path), "name": name}
                print_json({**record, "score": round(hit.score, 6), "model": result.model})
        if not as_json:
            print_line(f"query: {answer.title}")
            print_table(("rank", "score", "object"), rows, right=(0, 1))
            print_line()

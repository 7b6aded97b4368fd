"""What commands print: answers on stdout, everything else on stderr."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import typer

from clip3d.errors import FileProblem

FAILED = 1

# Typer carries its own copy of this class or takes it from click, depending on its version.
WrongCommand: type[Exception] = typer.BadParameter.__mro__[1]
GIVEN = ("COMMANDLINE", "ENVIRONMENT")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def start_logging(*, quiet: bool, verbose: bool) -> None:
    """Send the package's log to stderr: warnings, or everything, or errors alone."""
    logger = logging.getLogger("clip3d")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("clip3d: %(message)s"))
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING)


def is_given(context: typer.Context, parameter: str) -> bool:
    """Whether the user gave a parameter, be it the default."""
    source = context.get_parameter_source(parameter)
    return source is not None and source.name in GIVEN


def refuse_given(context: typer.Context, parameters: Iterable[str], why: str) -> None:
    """WrongCommand that names the options among some parameters that were given, since they would do nothing."""
    given = [name for name in parameters if is_given(context, name)]
    if given:
        options = {parameter.name: max(parameter.opts, key=len) for parameter in context.command.params}
        raise WrongCommand(f"{why}: leave out {' and '.join(options[name] for name in given)}")


def print_json(record: Mapping[str, object]) -> None:
    """One JSON object on one line of stdout; ASCII alone where the terminal or a name allows nothing else."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(record, allow_nan=False)
    sys.stdout.write(text + "\n")


def print_line(text: str = "") -> None:
    """A line of an answer on stdout."""
    sys.stdout.write(_showable(text, sys.stdout) + "\n")


def flush() -> None:
    """Let what was printed on stdout be seen now, also in a pipe."""
    sys.stdout.flush()


def note(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(_showable(text, sys.stderr) + "\n")


def _showable(text: str, stream: TextIO) -> str:
    """The text with everything escaped that the stream cannot show, or that would steer a terminal."""
    encoding = stream.encoding or "utf-8"
    text = CONTROL.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def exists(word: str) -> bool:
    """Whether a word of a command is the path of something, rather than part of a query."""
    try:
        return Path(word).exists()
    except (OSError, ValueError):  # a query may be longer than names of files, or hold what these cannot
        return False


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """A table on stdout: drawn by rich on a terminal, aligned text in a pipe.

    Args:
        headings: of the columns.
        rows: cells as text.
        right: indices of the columns that are aligned to the right.
    """
    if sys.stdout.isatty():
        _draw_table(headings, rows, right)
        return
    lines = [[_showable(cell, sys.stdout) for cell in line] for line in (headings, *rows)]
    widths = [max(len(line[c]) for line in lines) for c in range(len(headings))]
    for line in lines:
        cells = [
            cell.rjust(width) if c in right else cell.ljust(width)
            for c, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print_line("  ".join(cells).rstrip())


def _draw_table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for c, heading in enumerate(headings):
        table.add_column(heading, justify="right" if c in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_showable(cell, sys.stdout)) for cell in row))
    Console(file=sys.stdout).print(table)


def near_path(path: str) -> str:
    """A path as one would write it here: from the current folder if it lies below, else as it is."""
    here = str(Path.cwd())
    below = here if here.endswith(os.sep) else here + os.sep
    return path[len(below) :] if path.startswith(below) else path


def name_problems(problems: Sequence[FileProblem]) -> None:
    """Name each failed input on stderr as `path: reason (remedy)`."""
    for problem in problems:
        note(str(problem))


def finish(problems: Sequence[FileProblem], done: int) -> None:
    """End the command: with exit code 1 and a count if some inputs failed."""
    if problems:
        note(f"{len(problems)} failed, {done} done")
        raise typer.Exit(FAILED)


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A progress function that draws a bar with rate and time left on stderr, or None where none is wanted."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(label, total=None, rate="")
        started = time.monotonic()
        first: list[int] = []

        def report(done: int, total: int) -> None:
            first.append(done)
            rate = (done - first[0]) / max(time.monotonic() - started, 1e-9)
            bar.update(task, completed=done, total=total, rate=f"{rate:.1f}/s")

        yield report


def library_objects(protocol: Mapping[str, Any]) -> str:
    """Which objects of which libraries a report looked at, from its protocol."""
    files = ", ".join(f"{file['file']} {file['n']}" for file in protocol["libraries"])
    return f"{files} objects ({protocol['part']})"

"""Commands and Python in the documents: found, parsed, run, compared, and written anew.

A `console` block holds commands after "$ ", each with what it prints on stdout. Run this file with the names of
documents to write those outputs again:

    python tests/doubles/document_examples.py README.md docs/guide.md
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from clip3d.data.samples import FOLDER, list_samples

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")
PASSING = re.compile(r"\(\d+\.\d s\)|(?<=mini@)[0-9a-f]{12}")  # times, and the hash of the weights


@dataclass(frozen=True)
class Example:
    """A command and the lines that it is said to print."""

    command: str
    output: str


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of one language, without their fences."""
    return [body for name, body in FENCE.findall(text) if name == language]


def console_examples(text: str) -> list[Example]:
    """The commands of all console blocks with their outputs."""
    found = []
    for body in blocks(text, "console"):
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Example(command, output))
    return found


def shell_commands(text: str) -> list[list[str]]:
    """The arguments of every clip3d command in bash and console blocks."""
    lines = [line for body in blocks(text, "bash") for line in body.replace("\\\n", " ").splitlines()]
    lines += [example.command for example in console_examples(text)]
    commands = []
    for line in lines:
        for part in re.split(r"&&|\||;(?=\s)", line.split("  #")[0]):
            words = shlex.split(part)
            if words[:1] == ["clip3d"]:
                commands.append(words[1:])
    return commands


def make_assets(folder: Path) -> None:
    """The files that the documents speak of: the samples in assets/, and a picture beside them and among them."""
    shutil.copytree(FOLDER, folder / "assets", ignore=shutil.ignore_patterns("samples.json"))
    shutil.copy(list_samples().image, folder / "sofa.png")


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a clip3d command in a folder, as from a pipe, with a cache of its own."""
    words = shlex.split(command)
    assert words[0] == "clip3d", f"only clip3d is run, got {command}"
    environment = {**os.environ, "CLIP3D_CACHE": str(folder / "vectors.db"), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-m", "clip3d", *words[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )


def differences(said: str, printed: str, tolerance: float = 0.02) -> list[str]:
    """Lines in which two outputs differ by more than the rounding of numbers, times and the weights' hash."""
    pairs = list(zip(_plain(said), _plain(printed), strict=False))
    apart = [f"said {a!r}, printed {b!r}" for a, b in pairs if not _alike(a, b, tolerance)]
    if len(_plain(said)) != len(_plain(printed)):
        apart.append(f"said {len(_plain(said))} lines, printed {len(_plain(printed))}: {printed}")
    return apart


def _plain(text: str) -> list[str]:
    return [" ".join(PASSING.sub("", line).split()) for line in text.strip().splitlines()]


def _alike(a: str, b: str, tolerance: float) -> bool:
    mine, theirs = ([float(n) for n in NUMBER.findall(line)] for line in (a, b))
    near = len(mine) == len(theirs) and all(abs(x - y) <= tolerance for x, y in zip(mine, theirs, strict=True))
    return near and NUMBER.sub("", a) == NUMBER.sub("", b)


def _rewrite(path: Path, folder: Path) -> None:
    text = path.read_text(encoding="utf-8")

    def renew(match: re.Match[str]) -> str:
        language, body = match.groups()
        if language != "console":
            return match[0]
        commands = re.findall(r"^\$ (.*)$", body, re.MULTILINE)
        return "```console\n" + "".join(f"$ {c}\n{run(c, folder).stdout}" for c in commands) + "```"

    path.write_text(FENCE.sub(renew, text), encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        make_assets(Path(temporary))
        for name in sys.argv[1:]:
            _rewrite(Path(name), Path(temporary))

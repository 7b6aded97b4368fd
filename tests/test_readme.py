"""The documents are true: their commands parse and print what they say, their Python runs, their links lead on."""

from __future__ import annotations

import re
import shlex
import warnings
from pathlib import Path
from typing import Any

import pytest
import typer.main
from document_examples import (
    Example,
    blocks,
    console_examples,
    differences,
    make_assets,
    shell_commands,
)

from clip3d.cli.main import app
from clip3d.models.loading import embedded_models

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in DOCUMENTS}
COMMANDS = [(name, words) for name, text in TEXTS.items() for words in shell_commands(text)]
PAGES = [name for name, text in TEXTS.items() if console_examples(text) or blocks(text, "python")]
LINK = re.compile(r"(?:\]\(|src=\")([^)\s\"]+)")

needs_mini = pytest.mark.skipif("mini" not in embedded_models(), reason="this checkout holds no weights of mini")


@pytest.fixture
def desk(tmp_path: Path, command_line, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reader's folder as the current one, with a cache that lasts from one example to the next."""
    make_assets(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIP3D_CACHE", str(tmp_path / "vectors.db"))
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def parse(words: list[str]) -> None:
    """Parse a command line as the program would, without running it."""
    command: Any = typer.main.get_command(app)
    path = ["clip3d"]
    while getattr(command, "commands", None) and words and words[0] in command.commands:
        path.append(words[0])
        command, words = command.commands[words[0]], words[1:]
    if not getattr(command, "commands", None):
        command.make_context(" ".join(path), list(words))
    else:
        assert not words or words[0].startswith("-"), f"{' '.join(path)} has no command {words[0]!r}"


@pytest.mark.parametrize(("name", "words"), COMMANDS, ids=[" ".join([n, *w])[:60] for n, w in COMMANDS])
def test_every_command_parses(name: str, words: list[str]):
    if "--help" not in words and "--version" not in words:
        parse(words)


def test_a_command_with_an_unknown_option_would_be_noticed():
    with pytest.raises(Exception, match="No such option"):
        parse(["search", "a chair", "assets/", "--no-such-option"])
    with pytest.raises(AssertionError, match="no command 'sarch'"):
        parse(["sarch", "a chair", "assets/"])


@needs_mini
@pytest.mark.parametrize("name", PAGES)
def test_every_example_of_a_page_does_what_is_said(name: str, desk: Path, command_line):
    """In the order of the page, since a reader has what the examples before have made; then its Python."""
    wrong = [line for example in console_examples(TEXTS[name]) for line in run_example(example, command_line)]
    assert wrong == []
    for body in blocks(TEXTS[name], "python"):
        with warnings.catch_warnings():
            warnings.filterwarnings("error", category=DeprecationWarning, module=r"clip3d\b")
            exec(compile(body, name, "exec"), {"__name__": "__main__"})


def run_example(example: Example, command_line) -> list[str]:
    """What a command prints other than is said, with the command."""
    program, *words = shlex.split(example.command)
    assert program == "clip3d"
    done = command_line(*words)
    assert done.returncode == 0, f"{example.command}: {done.stderr}"
    return [f"{example.command}: {line}" for line in differences(example.output, done.stdout)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=list(TEXTS))
def test_every_link_within_the_project_leads_somewhere(path: Path):
    targets = [link.split("#")[0] for link in LINK.findall(path.read_text(encoding="utf-8"))]
    inside = [target for target in targets if target and "://" not in target]
    assert [target for target in inside if not (path.parent / target).exists()] == []


def test_readme_is_one_screen_and_shows_what_it_promises():
    text = TEXTS["README.md"]
    assert len(text.splitlines()) <= 130
    assert len(console_examples(text)) >= 3
    assert blocks(text, "python")

"""A tiny model in the true format, small real files, and the command line as a subprocess."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# The matrices here are small: threads of torch and NumPy would spend more time on waiting for each other than they
# save, the more so on a busy machine. Set before either is loaded; commands in processes of their own inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

DOUBLES = Path(__file__).parent / "doubles"
sys.path.insert(0, str(DOUBLES))

from small_files import box, make_bundle, settle, write_obj, write_off  # noqa: E402
from tower_doubles import ARCHITECTURES  # noqa: E402

from clip3d.models.model import Model  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _doubles_in_catalogue() -> None:
    from clip3d.towers import catalogue

    for name, target in ARCHITECTURES.items():
        catalogue.ARCHITECTURES.setdefault(name, target)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny model in the true format."""
    return make_bundle(tmp_path_factory.mktemp("model") / "double")


@pytest.fixture
def model(bundle: Path) -> Model:
    return Model(bundle)


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A folder of four good objects: tall.off, flat.off, red.obj, deep/blue.obj."""
    folder = tmp_path / "assets"
    (folder / "deep").mkdir(parents=True)
    write_off(folder / "tall.off", box(1, 1, 6))
    write_off(folder / "flat.off", box(4, 4, 0.3))
    write_obj(folder / "red.obj", box(1, 1, 1), (0.9, 0.1, 0.1))
    write_obj(folder / "deep" / "blue.obj", box(1, 1, 1), (0.1, 0.1, 0.9))
    settle()
    return folder


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Outcome]


@pytest.fixture
def cache_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of vectors, in the test's own folder; what the machine's user has is not touched."""
    path = tmp_path / "cache" / "vectors.db"
    monkeypatch.setenv("CLIP3D_CACHE", str(path))
    return path


@pytest.fixture
def command_line(cache_file: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the command line in this process."""
    from clip3d.cli.main import run

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    yield call
    logger = logging.getLogger("clip3d")
    logger.handlers = []
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def run_cli(bundle: Path, command_line: Run) -> Run:
    """Run the command line in this process, with the tiny model."""
    return lambda *arguments: command_line(*_words(arguments, bundle))


@pytest.fixture
def run_process(bundle: Path, cache_file: Path, tmp_path: Path) -> Run:
    """Run the command line as a process of its own, with the tiny model."""

    def call(*arguments: object, **environment: str) -> Outcome:
        command = [sys.executable, str(DOUBLES / "tower_doubles.py"), *_words(arguments, bundle)]
        env = {**os.environ, **environment}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, cwd=tmp_path)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return call


def _words(arguments: tuple[object, ...], bundle: Path) -> list[str]:
    words = [str(argument) for argument in arguments]
    takes_model = words and words[0] in ("search", "classify", "embed", "evaluate", "demo", "index", "scene")
    return [*words, "--model", str(bundle)] if takes_model and not {"--help", "--model"} & set(words) else words

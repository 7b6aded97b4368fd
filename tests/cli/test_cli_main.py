"""What holds for every command: help, cold start, errors, interruption, pipes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import clip3d
from clip3d.errors import MissingExtra

HELPS = """
import sys
import typer
from clip3d.cli.main import app, run

def commands(command, words=()):
    yield words
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*words, name))

for words in commands(typer.main.get_command(app)):
    print(f"=== {' '.join(words)}")
    sys.stdout.flush()
    assert run([*words, "--help"]) == 0
heavy = {"torch", "numpy", "scipy", "trimesh", "PIL"}
print("heavy:", sorted({module.split(".")[0] for module in sys.modules} & heavy))
"""


def test_help_of_every_command_has_an_example_and_loads_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", HELPS], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    *pages, last = done.stdout.split("=== ")[1:]
    assert "heavy: []" in last
    names = {page.splitlines()[0] for page in pages}
    assert {"", "demo", "search", "classify", "embed", "evaluate zero-shot", "models check"} <= names
    for page in [*pages, last]:
        assert "Examples:\n    clip3d " in page, page


def test_version_and_a_bare_command(run_cli):
    assert run_cli("--version").stdout == f"clip3d {clip3d.__version__}\n"
    bare = run_cli()
    assert bare.returncode == 2
    assert "classify" in bare.stdout, "the help is shown"
    wrong = run_cli("serach")
    assert wrong.returncode == 2
    assert "serach" in wrong.stderr


def test_python_dash_m(tmp_path: Path):
    command = [sys.executable, "-m", "clip3d", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"clip3d {clip3d.__version__}\n")


def test_errors_are_one_line_and_a_traceback_only_when_asked(run_cli, assets: Path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise MissingExtra("this", "that", "extra")

    monkeypatch.setattr("clip3d.search.adhoc.embed_files", fail)
    done = run_cli("search", "a tall thing", assets)
    assert done.returncode == 2
    assert done.stderr == 'this needs the package that: pip install "clip3d[extra]"\n'
    assert "Traceback" in run_cli("search", "a tall thing", assets, "-v").stderr


def test_a_place_that_cannot_be_written_is_one_line(run_cli, tmp_path: Path):
    file, recipe = tmp_path / "file", tmp_path / "recipe.toml"
    file.write_text("")
    recipe.write_text('kind = "cloud"\n')
    for words in (("train", recipe, "--data", tmp_path, "--out", file), ("data", "build", file)):
        done = run_cli(*words)
        assert done.returncode == 1
        assert done.stderr.startswith(str(file))
        assert len(done.stderr.splitlines()) == 1


def test_interruption_is_one_line_and_code_130(run_cli, assets: Path, monkeypatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("clip3d.search.adhoc.embed_files", interrupt)
    done = run_cli("search", "a tall thing", assets)
    assert done.returncode == 130
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_closed_pipe_is_silent(run_cli, assets: Path, bundle: Path):
    run_cli("search", "a tall thing", assets)
    doubles = Path(__file__).parents[1] / "doubles" / "tower_doubles.py"
    words = ["search", "a tall thing", str(assets), "--model", str(bundle), "-q"]
    process = subprocess.Popen(
        [sys.executable, str(doubles), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait(timeout=120)
    assert process.returncode != 2


def test_quiet_names_failures_and_nothing_else(run_cli, assets: Path):
    done = run_cli("search", "a tall thing", assets / "tall.off", "gone.ply", "-q")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "gone.ply: there is no such file or folder (check the spelling of the path)",
        "1 failed, 1 done",
    ]


def test_unusable_cache_is_one_warning_and_no_failure(run_cli, assets: Path, tmp_path: Path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CLIP3D_CACHE", str(tmp_path / "file" / "c.db"))
    done = run_cli("search", "a tall thing", assets)
    assert done.returncode == 0
    assert done.stderr.count("working without the vector cache") == 1


def test_names_cannot_steer_the_terminal_and_a_missing_device_is_explained(run_cli, assets: Path):
    (assets / "tall.off").rename(assets / "a\x1b[31m\nb.off")
    done = run_cli("search", "a tall thing", assets, "-k", "1")
    assert done.stdout.splitlines()[1].endswith("a\\x1b[31m\\x0ab.off")
    done = run_cli("search", "a tall thing", assets, "--no-cache", "--device", "nonsense")
    assert done.returncode == 2
    assert "cannot run on the device 'nonsense'" in done.stderr
    assert "Traceback" not in done.stderr

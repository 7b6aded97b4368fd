"""The embedded model from end to end, as after an installation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from small_files import json_lines

from clip3d.data.samples import FOLDER
from clip3d.models.loading import embedded_models

pytestmark = pytest.mark.skipif("mini" not in embedded_models(), reason="this checkout holds no weights of mini")

HEAVY_LOADED = """
import sys
from clip3d.cli.main import run
code = run(sys.argv[1:])
heavy = {"torch", "trimesh", "scipy", "PIL"} & {module.split(".")[0] for module in sys.modules}
print("loaded:", sorted(heavy), file=sys.stderr)
sys.exit(code)
"""


def process(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", HEAVY_LOADED, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder)


def test_demo_then_a_search_that_needs_no_torch(command_line, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command_line("demo", "--json")
    assert done.returncode == 0, done.stderr
    records = json_lines(done.stdout)
    assert len({record["query"] for record in records}) == 5
    assert (tmp_path / "clip3d-demo.html").stat().st_size > 50_000

    done = process("search", "a bed", FOLDER, "--json", "-k", 5, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "loaded: []" in done.stderr
    assert any("bed" in Path(hit["path"]).name for hit in json_lines(done.stdout))


def test_the_embedded_model_is_what_its_card_says(run_cli):
    checks = json_lines(run_cli("models", "check", "mini", "--json").stdout)
    assert all(check["passed"] for check in checks), checks
    assert {"text vectors", "cloud vectors"} <= {check["check"] for check in checks}

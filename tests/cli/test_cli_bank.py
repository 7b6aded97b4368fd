"""`data phrases` and `data bank`: from names to a list and a bank, and what is said of a missing checkpoint."""

import json

import numpy as np
import pytest

from clip3d.cli import main
from clip3d.models import clip_text


def test_names_become_a_wide_list_of_phrases(run_cli, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("chair\na lamp\n", encoding="utf-8")
    done = run_cli("data", "phrases", names, "-o", tmp_path / "phrases.txt", "--json")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "phrases.txt").read_text(encoding="utf-8").splitlines()
    assert json.loads(done.stdout)["n"] == len(lines)
    assert {"a chair\tchair", "a photo of a lamp\tlamp", "a wooden chair\tchair", "a street in fog\t"} <= set(lines)
    assert run_cli("data", "phrases", tmp_path / "none.txt", "-o", tmp_path / "x.txt").returncode == 1


def test_a_bank_is_made_and_told(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(
        clip_text,
        "load_clip_text",
        lambda name, device: clip_text.ClipText("tiny", lambda rows: np.ones((len(rows), 4), np.float32)),
    )
    (tmp_path / "phrases.txt").write_text("a chair\nfog\t\n", encoding="utf-8")
    arguments = ["data", "bank", str(tmp_path / "phrases.txt"), "--clip", "x", "-o", str(tmp_path / "bank.npz")]
    assert main.run([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "path": str(tmp_path / "bank.npz"),
        "n": 2,
        "dim": 4,
        "space": "tiny",
    }
    assert main.run([*arguments, "--space", "mine"]) == 0
    assert "2 phrases, 4 dimensions, space mine" in capsys.readouterr().out


@pytest.mark.parametrize(("clip", "reason"), [("open_clip:ViT-B-32", "names no weights"), ("nowhere", "open_clip")])
def test_a_checkpoint_that_is_not_there_is_told(run_cli, tmp_path, clip, reason):
    (tmp_path / "phrases.txt").write_text("a chair\n", encoding="utf-8")
    done = run_cli("data", "bank", tmp_path / "phrases.txt", "--clip", clip, "-o", tmp_path / "bank.npz")
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr

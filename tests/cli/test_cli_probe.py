"""`probe` and `map`: exit codes, JSON, files, and what is said of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_files import box, json_lines, write_off

pytest.importorskip("sklearn")


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Class folders with splits; one damaged file to learn from."""
    root = tmp_path / "set"
    for name in ("tall", "flat"):
        for split, n in (("train", 8), ("test", 4)):
            (root / name / split).mkdir(parents=True)
            for i in range(n):
                size = (1, 1, 6 + i / 9) if name == "tall" else (6 + i / 9, 6, 1)
                write_off(root / name / split / f"{name}_{i}.off", box(*size))
    (root / "flat" / "train" / "flat_9.off").write_text("OFF\n")
    return root


def test_probe_prints_a_table_and_json_with_its_protocol(run_cli, labelled: Path, tmp_path: Path):
    near = tmp_path / "near.json"
    near.write_text(json.dumps(["tall_0", "flat_3"]))
    options = ("probe", "--clouds", labelled, "--near-duplicates", near, "--fractions", ".5,1")
    options += ("--features", "all")
    done = run_cli(*options, "--json")
    assert done.returncode == 1, done.stderr
    assert "flat_9.off" in done.stderr
    assert "1 failed, 8 done" in done.stderr
    (report,) = json_lines(done.stdout)
    assert (report["n"], report["n_apart"]) == (8, 6)
    assert [(row["features"], row["n_train"]) for row in report["rows"]] == [
        ("vectors", 8),
        ("vectors", 16),
        ("features", 8),
        ("features", 16),
        ("levels", 8),
        ("levels", 16),
    ]
    assert report["rows"][1]["linear"] == {"mean": 1, "deviation": 0, "values": [1, 1, 1]}
    assert report["protocol"]["train"]["unreadable"] == 1
    table = run_cli(*options)
    assert "100.00 ± 0.00" in table.stdout
    assert "apart from near-duplicates n 6" in table.stdout


def test_probe_refuses_what_cannot_be(run_cli, labelled: Path, tmp_path: Path):
    for shares in ("0", "a"):
        done = run_cli("probe", "--clouds", labelled, "--fractions", shares)
        assert (done.returncode, done.stdout) == (2, "")
        assert "--fractions" in done.stderr
    done = run_cli("probe", "--clouds", labelled, "--test-split", "val")
    assert done.returncode == 1
    assert "splits of the set: test, train" in done.stderr
    assert run_cli("probe", "--clouds", labelled, "--near-duplicates", tmp_path / "no.json").returncode == 1


def test_map_writes_a_page_and_prints_its_figures(run_cli, labelled: Path, tmp_path: Path):
    pytest.importorskip("umap")
    page = tmp_path / "map.html"
    done = run_cli("map", "--clouds", labelled, "--split", "train", "-o", page, "--json", "--quiet")
    assert done.returncode == 1, done.stderr
    (found,) = json_lines(done.stdout)
    assert found["neighbors"] == 1
    assert found["protocol"]["clouds"] == 16
    assert "tall_0.off" in page.read_text(encoding="utf-8")
    refused = run_cli("map", "--clouds", labelled, "-o", tmp_path / "map.svg")
    assert refused.returncode == 2
    assert ".png or .html" in refused.stderr

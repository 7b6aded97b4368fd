"""The page of failures: which answers are on it, what it says of them, and that it needs nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clip3d.data.labelled_clouds import read_labelled
from clip3d.errors import DataError
from clip3d.evaluation.failures import drawn, most_confident_failures, write_failures
from clip3d.evaluation.zero_shot import zero_shot


@pytest.fixture
def clouds(tmp_path: Path) -> Path:
    """Ten clouds, tall and flat by turns; those from the fifth on are labelled the other way, one as <b>."""
    rng = np.random.default_rng(1)
    points = rng.random((10, 200, 3)).astype(np.float32)
    points[::2] *= np.float32([0.3, 0.3, 4])
    points[1::2] *= np.float32([3, 3, 0.2])
    labels = np.arange(10) % 2
    labels[4:] = 1 - labels[4:]
    labels[9] = 2
    path = tmp_path / "clouds.npz"
    np.savez(path, points=points, labels=labels, classes=["tall", "flat", "<b>"], up="z")
    return path


def test_the_surest_wrong_answers_of_each_class_are_found(model, clouds: Path):
    data = read_labelled(clouds)
    report = zero_shot(model, data)
    found = most_confident_failures(report, data.labels.tolist(), model.space, per_class=2)
    pairs = [("tall", "flat")] * 2 + [("flat", "tall")] * 2 + [("<b>", "flat")]
    assert [(f.wanted, f.given) for f in found] == pairs
    assert found[-1].index == 9
    assert {"tall", "flat", "<b>"} == {label for label, _ in found[-1].ranked}
    sure = [f.ranked[0][1] for f in found if f.wanted == "flat"]
    every = most_confident_failures(report, data.labels.tolist(), model.space, per_class=99)
    assert sure == sorted((f.ranked[0][1] for f in every if f.wanted == "flat"), reverse=True)[:2]
    assert sum(p for _, p in found[0].ranked) == pytest.approx(1)


def test_the_page_needs_nothing_else_and_escapes_names(model, clouds: Path, tmp_path: Path):
    data = read_labelled(clouds)
    report = zero_shot(model, data)
    found = most_confident_failures(report, data.labels.tolist(), model.space)
    path = write_failures(tmp_path / "page.html", report, found, lambda i: drawn(next(data.clouds([i]))))
    text = path.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == len(found) == 6
    assert "&lt;b&gt;, taken for flat" in text
    assert "taken for tall" in text
    assert "http://" not in text
    assert "https://" not in text
    assert "<script" not in text
    with pytest.raises(DataError, match="written"):
        write_failures(tmp_path / "no" / "page.html", report, found, lambda i: drawn(next(data.clouds([i]))))


def test_the_command_writes_the_page_beside_its_answer(run_cli, clouds: Path, tmp_path: Path):
    page = tmp_path / "wrong.html"
    done = run_cli("evaluate", "zero-shot", "--clouds", clouds, "--failures", page)
    assert done.returncode == 0, done.stderr
    assert "accuracy 40.00 %" in done.stdout
    assert page.stat().st_size > 5000

"""`clip3d demo` and `clip3d data samples`, on samples made here."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_files import json_lines

from clip3d.errors import DataError
from clip3d.models.weights import write_json


@pytest.fixture
def samples(assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "sample_files"
    shutil.copytree(assets, folder)
    Image.fromarray(np.full((30, 30, 3), (220, 20, 20), np.uint8)).save(folder / "photo.png")
    named = {"tall.off": "pillar & post", "flat.off": "slab", "red.obj": "red box", "deep/blue.obj": "blue box"}
    objects = [{"file": f, "name": n, "licence": "CC0-1.0", "source": "made here"} for f, n in named.items()]
    queries = {"texts": ["a tall thing", "a flat thing", "a blue thing"], "image": "photo.png", "like": "red.obj"}
    write_json({"objects": objects, "queries": queries}, folder / "samples.json")
    monkeypatch.setattr("clip3d.data.samples.FOLDER", folder)
    return folder


def test_demo_answers_five_queries_and_writes_a_page(run_cli, samples: Path, tmp_path: Path):
    page = tmp_path / "demo.html"
    done = run_cli("demo", "--out", page)
    assert done.returncode == 0, done.stderr
    blocks = done.stdout.split("query: ")[1:]
    assert [block.splitlines()[0] for block in blocks[:3]] == ["a tall thing", "a flat thing", "a blue thing"]
    assert [block.splitlines()[2].split(maxsplit=2)[2] for block in blocks[:4]] == [
        "pillar & post",
        "slab",
        "blue box",
        "red box",
    ]
    assert len(blocks) == 5
    assert f"page with pictures: {page}" in done.stdout
    text = page.read_text(encoding="utf-8")
    assert "pillar &amp; post" in text
    assert "The picture of the query" in text
    assert "The shape of the query" in text
    assert "http" not in text.replace("http-equiv", "")

    records = json_lines(run_cli("demo", "--out", page, "--json").stdout)
    assert records[0]["name"] == "pillar & post"


def test_samples_are_listed_with_their_licences(run_cli, samples: Path):
    records = json_lines(run_cli("data", "samples", "--json").stdout)
    assert [Path(r["path"]).is_file() for r in records] == [True] * 4
    assert records[0]["licence"] == "CC0-1.0"
    (samples / "samples.json").write_text("{}")
    assert run_cli("data", "samples").returncode == 1


def test_missing_samples_are_a_data_error(monkeypatch, tmp_path: Path):
    from clip3d.data.samples import list_samples

    monkeypatch.setattr("clip3d.data.samples.FOLDER", tmp_path)
    with pytest.raises(DataError, match="install clip3d again"):
        list_samples()

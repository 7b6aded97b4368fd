"""Retrieval by class: words, pictures and clouds ask for clouds of their class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_files import json_lines

from clip3d.data.labelled_clouds import LabelledClouds, read_labelled
from clip3d.errors import DataError, ShapeError
from clip3d.evaluation.class_retrieval import class_retrieval
from clip3d.evaluation.labelled_images import find_labelled_images
from clip3d.evaluation.retrieval import row_over

COLORS = {"red": (230, 20, 20), "blue": (20, 20, 230)}


@pytest.fixture
def clouds(tmp_path: Path) -> Path:
    """Six red and six blue clouds, one of each labelled as the other, a green one, and a class of none."""
    rng = np.random.default_rng(1)
    labels = np.array([0, 1] * 6 + [3])
    shown = np.array([COLORS["red"], COLORS["blue"]] * 6 + [(20, 230, 20)], np.uint8)
    labels[:2] = 1, 0
    np.savez(
        tmp_path / "c.npz",
        points=rng.random((13, 60, 3)).astype(np.float32),
        colors=np.repeat(shown[:, None], 60, axis=1),
        labels=labels,
        classes=np.array(["red", "blue", "flat", "green"]),
        up="z",
    )
    return tmp_path / "c.npz"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name, color in {**COLORS, "unknown": (9, 9, 9)}.items():
        (tmp_path / "pictures" / name).mkdir(parents=True)
        Image.new("RGB", (20, 20), color).save(tmp_path / "pictures" / name / "1.png")
    (tmp_path / "pictures" / "red" / "2.png").write_bytes(b"no picture")
    return tmp_path / "pictures"


@pytest.fixture
def data(clouds: Path) -> LabelledClouds:
    return read_labelled(clouds)


def test_words_pictures_and_clouds_find_their_class(model, data, pictures: Path):
    report, problems = class_retrieval(model, data, images=find_labelled_images(pictures))
    text, image, cloud = report.rows
    assert [row.task for row in report.rows] == ["text to cloud", "image to cloud", "cloud to cloud"]
    assert (text.queries, text.gallery) == (3, 13), "a class without clouds is not asked for"
    assert (image.queries, image.gallery) == (2, 13), "pictures of other classes do not ask"
    assert (cloud.queries, cloud.gallery) == (12, 12), "the only one of its class does not ask"
    assert [Path(p.path).name for p in problems] == ["2.png"]
    assert report.protocol["unreadable_images"] == 1
    for row in (text, image):
        assert row.recall[10] == 1
        assert row.precision is not None
        assert 0.6 < row.precision[5] <= 1
        assert 0.6 < row.mean_average_precision < 1
    assert report.n == 13
    assert len(report.protocol["images_sha256"]) == 64


def test_cloud_to_cloud_is_that_of_a_plain_loop(model, data):
    report, _ = class_retrieval(model, data)
    (_, row) = report.rows
    vectors = model.encode_clouds(data.clouds())
    scores = model.space.similarity(vectors, vectors)
    average, first = [], []
    for i in range(12):
        order = [j for j in np.argsort(-scores[i], kind="stable") if j != i]
        right = [data.labels[j] == data.labels[i] for j in order]
        first.append(right[0])
        found = [sum(right[: place + 1]) / (place + 1) for place, hit in enumerate(right) if hit]
        average.append(np.mean(found))
    assert row.mean_average_precision == pytest.approx(np.mean(average))
    assert row.recall[1] == pytest.approx(np.mean(first))


def test_pictures_of_no_known_class_are_refused(model, data, tmp_path: Path):
    (tmp_path / "other" / "sofa").mkdir(parents=True)
    Image.new("RGB", (20, 20)).save(tmp_path / "other" / "sofa" / "1.png")
    with pytest.raises(DataError, match="blue, green, red"):
        class_retrieval(model, data, images=find_labelled_images(tmp_path / "other"))
    with pytest.raises(ShapeError, match="nothing to ask"):
        row_over("cloud to cloud", [], 3)


def test_the_command_takes_clouds_or_a_library(run_cli, clouds: Path, pictures: Path):
    done = run_cli("evaluate", "retrieval", "--clouds", clouds, "--images", pictures, "--json", "--quiet")
    assert done.returncode == 1, done.stderr
    assert "2.png" in done.stderr
    (report,) = json_lines(done.stdout)
    assert [row["task"] for row in report["rows"]] == ["text to cloud", "image to cloud", "cloud to cloud"]
    assert report["protocol"]["task"] == "retrieval by class"
    table = run_cli("evaluate", "retrieval", "--clouds", clouds, "--quiet")
    assert (table.returncode, table.stdout.count("to cloud")) == (0, 2)
    for options in ((), ("--clouds", clouds, "--library", clouds), ("--clouds", clouds, "--all")):
        assert run_cli("evaluate", "retrieval", *options).returncode == 2
    assert run_cli("evaluate", "retrieval", "--library", clouds, "--votes", 2).returncode == 2

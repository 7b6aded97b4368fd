"""Pictures with labels: folders, tables, what cannot be read, and the script that makes a test of photographs."""

from __future__ import annotations

import importlib.util
import shutil
import struct
import zlib
from pathlib import Path
from types import ModuleType

import pytest
from package_files import write_deb
from PIL import Image
from small_files import json_lines

from clip3d.errors import DataError
from clip3d.evaluation.labelled_images import find_labelled_images, zero_shot_images

COLORS = {"red": (250, 20, 20), "green": (20, 250, 20), "blue": (20, 20, 250)}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder a colour with two pictures each, and a blue one that is called red."""
    folder = tmp_path / "pictures"
    for color, rgb in COLORS.items():
        (folder / color).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (30, 20), rgb).save(folder / color / f"{number}.png")
    Image.new("RGB", (20, 30), COLORS["blue"]).save(folder / "red" / "wrong.jpg")
    (folder / "red" / "notes.txt").write_text("no picture")
    (folder / "licences.csv").write_text("neither")
    return folder


def test_a_folder_a_label(model, pictures: Path):
    data = find_labelled_images(pictures)
    assert (len(data), data.classes) == (7, ["blue", "green", "red"])
    report, problems = zero_shot_images(model, data)
    assert problems == []
    assert report.accuracy == pytest.approx(6 / 7)
    assert report.per_class == {"blue": 1.0, "green": 1.0, "red": pytest.approx(2 / 3)}
    assert (report.n, report.top5) == (7, 1.0)
    assert report.protocol["task"] == "zero-shot classification of pictures"


def test_a_table_of_paths_and_labels(model, pictures: Path):
    table = pictures / "table.csv"
    table.write_text('path,label\nred/0.png, red\n"blue/1.png",blue\n\nblue/0.png,green\n', encoding="utf-8-sig")
    report, _ = zero_shot_images(model, find_labelled_images(table))
    assert (report.n, report.accuracy) == (3, pytest.approx(2 / 3))


def test_the_protocol_names_the_very_pictures_and_labels(model, pictures: Path, tmp_path: Path):
    def named(path: Path) -> str:
        return zero_shot_images(model, find_labelled_images(path))[0].protocol["data_sha256"]

    first = named(pictures)
    shutil.copytree(pictures, tmp_path / "moved")
    assert named(tmp_path / "moved") == first
    table = tmp_path / "table.csv"
    rows = ["pictures/red/0.png,red", "pictures/blue/0.png,blue", "pictures/red/wrong.jpg,red"]
    names = set()
    for lines in (rows, rows[::-1], rows[:2], [*rows[:2], "pictures/red/wrong.jpg,blue"], [*rows, "none.png,red"]):
        table.write_text("\n".join(lines), encoding="utf-8")
        names.add(named(table))
    assert len(names) == 4, "the order alone does not matter"
    Image.new("RGB", (30, 20), (249, 20, 20)).save(pictures / "red" / "0.png")
    assert named(pictures) != first


def test_pictures_that_cannot_be_read_are_told_and_not_counted(model, pictures: Path):
    (pictures / "red" / "0.png").write_bytes(b"torn")
    report, problems = zero_shot_images(model, find_labelled_images(pictures))
    assert [Path(problem.path).name for problem in problems] == ["0.png"]
    assert (report.n, report.protocol["unreadable"]) == (6, 1)
    assert report.rows.tolist() == [0, 1, 2, 3, 5, 6]
    for file in pictures.rglob("*.*g"):
        file.write_bytes(b"torn")
    with pytest.raises(DataError, match="none of its 7"):
        zero_shot_images(model, find_labelled_images(pictures))


def test_what_is_no_folder_and_no_table_is_refused(tmp_path: Path):
    (tmp_path / "bad.csv").write_text("one,two\nthree\n")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "empty").mkdir()
    for name, reason in (
        ("bad.csv", "row 2"),
        ("binary.csv", "no table"),
        ("empty", "no pictures"),
        ("none", "cannot be read"),
    ):
        with pytest.raises(DataError, match=reason):
            find_labelled_images(tmp_path / name)


def test_the_command_counts_pictures_and_names_bad_ones(run_cli, pictures: Path, tmp_path: Path):
    (pictures / "green" / "bad.png").write_bytes(b"torn")
    done = run_cli("evaluate", "zero-shot", "--images", pictures, "--json", "--failures", tmp_path / "page.html")
    assert done.returncode == 1
    assert "bad.png: " in done.stderr
    (report,) = json_lines(done.stdout)
    assert (report["n"], report["accuracy"]) == (7, pytest.approx(6 / 7))
    assert "red, taken for blue" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "top-5 100.00 %" in run_cli("evaluate", "zero-shot", "--images", pictures).stdout
    for option in ("--votes", "--seed"):
        assert run_cli("evaluate", "zero-shot", "--images", pictures, option, 2).returncode == 2
    assert run_cli("evaluate", "zero-shot").returncode == 2


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / "scripts" / "make_photo_test.py"
    spec = importlib.util.spec_from_file_location("make_photo_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rcc(folder: str, files: dict[str, bytes]) -> bytes:
    """A compiled Qt resource of format 1: one folder of compressed files."""
    names, contents, offsets = b"", b"", []
    for name in ("", folder, *files):
        offsets.append(len(names))
        names += struct.pack(">Hi", len(name), 0) + name.encode("utf-16-be")
    nodes = struct.pack(">iHii", 0, 2, 1, 1) + struct.pack(">iHii", offsets[1], 2, len(files), 2)
    for offset, content in zip(offsets[2:], files.values(), strict=True):
        packed = struct.pack(">I", len(content)) + zlib.compress(content)
        nodes += struct.pack(">iHii", offset, 1, 0, len(contents))
        contents += struct.pack(">I", len(packed)) + packed
    places = 20, 20 + len(nodes), 20 + len(nodes) + len(contents)
    return b"qres" + struct.pack(">4i", 1, *places) + nodes + contents + names


def test_the_script_takes_pictures_of_open_licence_and_names_them(script: ModuleType, tmp_path: Path):
    terms = "Files: *\nCopyright: A\nLicense: GPL-3+\n"
    licences = {"hammer1.jpg": "CC-BY-2.0", "bulb.jpg": "GPL-2+", "screwDriver2.png": "public-domain"}
    for name, licence in licences.items():
        terms += f"\nFiles: src/tools/{name}\nCopyright: B\nLicense: {licence}\n"
    pictures = {name: name.encode() for name in ("hammer1.webp", "bulb.webp", "screwDriver2.webp", "saw.webp")}
    inside = {script.COPYRIGHT: terms.encode(), script.ARCHIVES[0]: rcc("tools", pictures)}
    inside[script.ARCHIVES[1]] = rcc("animals", {"readme.txt": b""})
    write_deb(tmp_path / "p.deb", inside)
    rows = script.write_pictures(tmp_path / "p.deb", tmp_path / "out")
    assert rows == [
        ("hammer/hammer1.webp", "hammer", "CC-BY-2.0", "B"),
        ("screwdriver/screwDriver2.webp", "screwdriver", "public-domain", "B"),
    ]
    assert (tmp_path / "out" / "hammer" / "hammer1.webp").read_bytes() == b"hammer1.webp"
    assert (tmp_path / "out" / "licences.csv").read_text(encoding="utf-8").count("\n") == 3
    write_deb(tmp_path / "q.deb", {"other": b""})
    with pytest.raises(DataError, match="holds no"):
        script.write_pictures(tmp_path / "q.deb", tmp_path / "out")

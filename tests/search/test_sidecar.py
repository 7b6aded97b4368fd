"""Tables of metadata: types are told, hostile ones are refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from clip3d.errors import DataError, ShapeError
from clip3d.search.keeping import sidecar
from clip3d.search.keeping.sidecar import read_assignments, read_table, read_tables


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_types_of_single_phrases():
    phrases = ["a=test", "b=3", "c=-2.5e3", "d=true", "e=007", 'f="3"', "g=nan", "h=1=2", "i=", "j=1_0", "k=False"]
    assert read_assignments(phrases) == {
        "a": "test", "b": 3, "c": -2500.0, "d": True, "e": "007", "f": "3", "g": "nan", "h": "1=2", "i": "",
        "j": "1_0", "k": False,
    }
    assert read_assignments(["n=12345678901234567890"]) == {"n": "12345678901234567890"}


@pytest.mark.parametrize("phrase", ["split", "=x", "path=x", 'a"b=1', "a=" + "x" * 20_000])
def test_phrases_that_cannot_be_metadata(phrase: str):
    with pytest.raises(ShapeError):
        read_assignments([phrase])


def test_a_column_of_a_csv_table_has_one_type(tmp_path: Path):
    text = "path,n,x,flag,mixed,empty,note\na.off,1,1,true,1,,\"two, words\"\n/b/../c.off,2,0.5,FALSE,x,,\n\n"
    assert read_table(write(tmp_path, "t.csv", "\ufeff" + text)) == {
        str(tmp_path / "a.off"): {"n": 1, "x": 1, "flag": True, "mixed": "1", "note": "two, words"},
        "/c.off": {"n": 2, "x": 0.5, "flag": False, "mixed": "x"},
    }


def test_json_and_json_lines_say_their_types(tmp_path: Path):
    listed = write(tmp_path, "t.json", '\n [{"path": "a.off", "n": 1, "s": "1", "no": null}]')
    lines = write(tmp_path, "t.jsonl", '{"path": "a.off", "s": "2"}\n\n{"path": "s3://b/c.off", "flag": true}\n')
    assert read_table(listed) == {str(tmp_path / "a.off"): {"n": 1, "s": "1"}}
    assert read_tables([listed, lines]) == {
        str(tmp_path / "a.off"): {"n": 1, "s": "2"},
        "s3://b/c.off": {"flag": True},
    }
    assert read_tables(lines) == read_table(lines)


HOSTILE = {
    "no path.csv": "file,n\na,1\n",
    "empty path.csv": "path,n\n,1\n",
    "one name twice.csv": "path,n,n\na,1,2\n",
    "ragged.csv": "path,n\na,1,2\n",
    "no text.csv": b"path,n\n\xff\xfe,1\n",
    "zero bytes.csv": b"path,n\na,\x00\n",
    "open quote.csv": 'path,n\n"a,1\n',
    "long cell.csv": "path,n\na," + "x" * 20_000 + "\n",
    "huge cell.csv": "path,n\na," + "x" * 200_000 + "\n",
    "many columns.csv": "path," + ",".join(f"c{i}" for i in range(300)) + "\na" + ",1" * 300 + "\n",
    "bad name.csv": 'path,"a""b"\na,1\n',
    "fixed name.csv": "path,kind\na,1\n",
    "infinite.json": '[{"path": "a", "n": Infinity}]',
    "overflow.json": '[{"path": "a", "n": 1e999}]',
    "long number.json": '[{"path": "a", "n": 123456789012345678901234567890}]',
    "longer number.json": '[{"path": "a", "n": ' + "1" * 5000 + "}]",
    "nested.json": '[{"path": "a", "n": {"b": 1}}]',
    "deep.json": "[" * 100_000,
    "cut short.json": '[{"path": "a"',
    "no object.jsonl": "3\n",
    "number for path.jsonl": '{"path": 3}\n',
    "half a letter.jsonl": '{"path": "a", "n": "\\ud800"}\n',
    "half a letter in a name.jsonl": '{"path": "a", "\\ud800": 1}\n',
    "unknown.xlsx": "PK",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tables_are_refused_with_their_name(name: str, tmp_path: Path):
    table = write(tmp_path, name, HOSTILE[name])
    with pytest.raises(DataError, match=name.split(".")[0]) as caught:
        read_table(table)
    assert len(str(caught.value)) < 600


def test_tables_have_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    table = write(tmp_path, "t.csv", "path,n\n" + "a,1\n" * 20)
    with monkeypatch.context() as patch:
        patch.setattr(sidecar, "MAX_ROWS", 10)
        with pytest.raises(DataError, match="more than 10 rows"):
            read_table(table)
    with monkeypatch.context() as patch:
        patch.setattr(sidecar, "MAX_BYTES", 10)
        with pytest.raises(DataError, match="larger than"):
            read_table(table)


def test_a_missing_table_is_told(tmp_path: Path):
    with pytest.raises(DataError, match="No such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(DataError):
        read_table(tmp_path)

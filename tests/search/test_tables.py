"""Columns as CSV: any reader finds the same rows, and a spreadsheet finds no formula."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from clip3d.search.questions.tables import csv_text, write_csv


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\r\nb", 'a"b', "a,b", "größe", "it's", " a ", ""])
def test_any_text_stays_in_its_row(text: str, tmp_path: Path):
    path = write_csv(tmp_path / "a.csv", {"note": [text, "x"], "n": [1, 2]})
    with path.open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream)) == [["note", "n"], [text, "1"], ["x", "2"]]


def test_rows_end_in_a_line_feed():
    assert csv_text({"a": [1, None], "b": [True, "x"]}) == "a,b\n1,true\n,x\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"])
def test_a_text_is_no_formula_and_a_number_stays_one(text: str):
    rows = list(csv.reader(csv_text({text: [text, -1.5, "a=b"]}).splitlines(keepends=True)))
    assert "".join(rows[0]) == f"'{text}"
    assert csv_text({"a": [text]}).split("\n", 1)[1].lstrip('"').startswith(f"'{text}")
    assert rows[-2:] == [["-1.5"], ["a=b"]]

from __future__ import annotations

import copy
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from conditions import conditions, rows, scraps
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clip3d.errors import ConditionError, ShapeError
from clip3d.search.conditions.columns import check_name
from clip3d.search.conditions.where import Condition
from clip3d.search.stores.store import Entry, Header, Trace

TABLE = "CREATE TABLE items (path TEXT, name TEXT, part TEXT, kind TEXT, content TEXT, indexed REAL, metadata TEXT)"
HARMLESS = {"json_extract", "lower", "upper", "length", "abs", "round", "coalesce", "like", "glob"}


def evaluate(condition: Condition, metadata: Mapping[str, Any]) -> Any:
    """What SQLite says of a condition for one row: True, False or None."""
    row = {"path": "/a/b.obj", "name": "b.obj", "part": "", "kind": "object", "content": "00", "indexed": 1.0}
    connection = sqlite3.connect(":memory:")
    connection.execute(TABLE)
    written = json.dumps(metadata, ensure_ascii=False)
    connection.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?)", (*row.values(), written))
    text, parameters = condition.sqlite()
    connection.set_authorizer(only_look)
    (value,) = connection.execute(f"SELECT {text} FROM items", parameters).fetchone()
    connection.set_authorizer(None)
    connection.close()
    return None if value is None else bool(value)


def only_look(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action == sqlite3.SQLITE_SELECT or (action == sqlite3.SQLITE_READ and first == "items"):
        return sqlite3.SQLITE_OK
    harmless = action == sqlite3.SQLITE_FUNCTION and second in HARMLESS
    return sqlite3.SQLITE_OK if harmless else sqlite3.SQLITE_DENY


def read(text: str) -> Condition | ConditionError:
    try:
        return Condition(text)
    except ConditionError as error:
        return error


@settings(max_examples=120, deadline=None)
@given(conditions, rows)
def test_sqlite_says_what_the_condition_means(pair, row):
    text, worth = pair
    assert evaluate(Condition(text), row) is worth(row)


@settings(max_examples=200, deadline=None)
@given(st.one_of(scraps, st.text(max_size=30)))
def test_whatever_passes_only_looks(text: str):
    found = read(text)
    if isinstance(found, ConditionError):
        assert 0 <= found.start <= found.end <= len(text)
    else:
        evaluate(found, {"a": 1, "night": True})


@pytest.mark.parametrize(
    ("text", "metadata", "worth"),
    [
        ("split = 'test' AND NOT night", {"split": "test", "night": False}, True),
        ("split = 'test' AND NOT night", {"split": "test"}, None),
        ("night", {"night": True}, True),
        ("night = FALSE OR size > 2", {"night": False, "size": 1}, True),
        ("name GLOB '*.obj' AND path LIKE '/a/%'", {}, True),
        ("path LIKE '/A/%'", {}, False),
        ("path ILIKE '/A/%'", {}, True),
        ("code LIKE '100!%' ESCAPE '!'", {"code": "100%"}, True),
        ("code LIKE '100!%' ESCAPE '!'", {"code": "1000"}, False),
        ("width / depth > 0.6", {"width": 2, "depth": 3}, True),
        ("width / 0 IS NULL", {"width": 2}, True),
        ("frame % 10 = 0", {"frame": 120}, True),
        ("round(size, 1) = 2.3 AND length(tag) = 3", {"size": 2.26, "tag": "abc"}, True),
        ("coalesce(size, 0) = 0", {}, True),
        ('"Camera model" = \'x\'', {"Camera model": "x"}, True),
        ("'b' < split", {"split": "c"}, True),
        ("Kind = 'object' AND PART = ''", {}, True),
        ("comment = 'x' and key = 1 and date > '2026' and class = 'a' and format = 'b' -- said", {}, None),
        ("indexed > '2026-01-01'", {}, False),
        ("indexed < '2026-01-01T00:00:00+01:00'", {}, True),
        ("indexed = '1970-01-01 00:00:01'", {}, True),
        ("TRUE", {}, True),
    ],
)
def test_conditions_that_users_write(text: str, metadata: dict[str, Any], worth: bool | None):
    assert evaluate(Condition(text), metadata) is worth


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", "", "empty"),
        ("a = 1; DROP TABLE items", "DROP", "not one SQL expression"),
        ("a = 1; SELECT 2", "SELECT", "not one SQL expression"),
        ("a = 1 ORDER BY b", "ORDER BY", "not one SQL expression"),
        ("a = = 1", "=", "not one SQL expression"),
        ("a = 'x", "a = 'x", "not closed"),
        ("b OR a IN (SELECT 1 FROM items)", "1 FROM items", "queries"),
        ("b AND EXISTS (SELECT x)", "x", "queries"),
        ("load_extension('x') = 1", "load_extension('x'", "the functions are lower"),
        ("count(*) > 3", "count(*", "the functions are lower"),
        ("a = ?", "a = ?", "not allowed"),
        ("a || b = 'x'", "a || b", "not allowed"),
        ("CASE WHEN a THEN b END", "a THEN b", "the functions are"),
        ("size", None, None),
        ("size + 1", "size + 1", "a condition compares"),
        ("a AND 'text'", "'text'", "a condition compares"),
        ("a > 1 > 2", "a > 1", "where a value should stand"),
        ("a = NULL", "a = NULL", "IS NULL"),
        ("a < TRUE", "a < TRUE", "by = alone"),
        ("a IN ()", "a", "one value or more"),
        ("a IN (b)", "b", "texts and numbers"),
        ("a LIKE b", "b", "in quotes"),
        ("a GLOB '[ab]'", "'[ab]'", "brackets"),
        ("a LIKE 'x' ESCAPE 'yy'", "'yy'", "one character"),
        ("'a' + 1 = 2", "'a'", "a number is computed with"),
        ("a.b = 1", "a.b", "double quotes"),
        ("indexed > 'yesterday'", "'yesterday'", "no date"),
        ("a = 1e999", "1e999", "too large"),
        ("(" * 60 + "a" + ")" * 60, "(", "nested deeper"),
        ("NOT " * 1000 + "a", None, "nested deeper"),
        ("- " * 4000 + "1 = a", None, "nested deeper"),
        ("1" + " + 1" * 2000 + " = a", None, "nested deeper"),
        ("a" * 20_000, "a" * 57 + "...", "longer than"),
        (" OR ".join(["a=1"] * 900), None, "more than 500"),
        ("a = '\x00'", "\x00", "not allowed"),
        ("a = '\ud800'", "\ud800", "not allowed"),
        ('"a`b" = 1', '"a`b"', "a name of metadata"),
        (f'"{"n" * 200}" = 1', None, "a name of metadata"),
    ],
)
def test_what_is_refused_is_pointed_at(text: str, place: str | None, reason: str | None):
    if reason is None:
        assert Condition(text).columns == {"size"}
        return
    with pytest.raises(ConditionError, match=reason) as caught:
        Condition(text)
    if place is not None:
        assert repr(place) in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_chain_of_many_terms_is_answered():
    condition = Condition(" OR ".join(f"size = {i}" for i in range(400)))
    assert evaluate(condition, {"size": 399}) is True
    assert evaluate(condition, {"size": 400}) is False


def test_columns_are_told():
    condition = Condition("lower(split) = 'x' OR \"a b\" > size + 1 OR NOT night OR path IS NULL")
    assert condition.columns == {"split", "a b", "size", "night", "path"}


def test_an_unknown_column_is_answered_with_the_nearest_and_all():
    with pytest.raises(ConditionError, match=r"character 12, 'splitt'.*did you mean split\?.*path, name") as caught:
        Condition("night AND (splitt = 'a')").check(["split", "night"])
    assert copy.copy(caught.value).reason == caught.value.reason
    Condition("night AND (split = 'a') AND kind = 'image'").check(["split", "night"])


def test_a_text_in_double_quotes_is_told_from_a_column():
    with pytest.raises(ConditionError, match="single quotes: 'test'"):
        Condition('split = "test"').check(["split"])


@pytest.mark.parametrize("name", ["", "a" * 101, ' a', 'a"b', "a\\b", "a`b", "a\nb", "Path", "indexed"])
def test_names_that_metadata_cannot_have(name: str):
    with pytest.raises(ShapeError, match="metadata"):
        check_name(name)


@pytest.mark.parametrize("name", ["split", "größe", "a b", "a.b[0]", "it's", "order", "$", "雨"])
def test_names_that_metadata_can_have_are_found_by_sqlite(name: str):
    assert evaluate(Condition(f'"{check_name(name)}" = 1'), {name: 1, "other": 2}) is True


def test_datafusion_takes_values_in_the_text():
    text = "a = 'it''s' AND NOT \"b c\" AND x LIKE '10!%%' ESCAPE '!' AND y GLOB '*_?' AND n / 2 > -1.5"
    assert Condition(text).datafusion() == (
        "((`a` = 'it''s') AND (NOT `b c`) AND (`x` LIKE '10\\%%') AND (`y` LIKE '%\\__')"
        " AND ((CAST(`n` AS DOUBLE) / NULLIF(CAST(2 AS DOUBLE) + 0, 0) + 0) > -1.5))"
    )
    assert Condition("a = TRUE").datafusion(lambda name: f"meta['{name}']") == "(meta['a'] = true)"


@settings(max_examples=3, deadline=None, database=None, phases=[Phase.generate])  # the first is all zeros
@given(st.lists(rows, min_size=20, max_size=30), st.lists(conditions, min_size=30, max_size=40))
def test_lancedb_finds_what_the_condition_means(table: list[dict[str, Any]], pairs: list[Any]):
    pytest.importorskip("lancedb")
    from clip3d.search.stores.lance_store import LanceStore

    header = Header("space", 2, np.zeros(2, np.float32), "unit", "model", "weights", {"cloud": "tower"})
    vector = {"cloud": np.array([1, 0], np.float32)}
    said = [{name: value for name, value in row.items() if value is not None} for row in table]
    with tempfile.TemporaryDirectory() as folder, closing(LanceStore(f"{folder}/a.lance", create=True)) as store:
        with store.writing():
            store.begin(header)
            store.put([Entry("object", Trace(f"/{i}", "", "c", "r"), vector, row) for i, row in enumerate(said)])
        known = set(store.columns())
        for text, worth in pairs:
            condition = Condition(text)
            # SQLite, and so the strategy, knows the case of ASCII letters alone
            if condition.columns <= known and not {"lower", "upper", "ILIKE"} & set(re.findall(r"\w+", text)):
                true = [place for place, row in enumerate(table, start=1) if worth(row) is True]
                assert store.select(condition).tolist() == true, text


def test_sqlglot_is_loaded_on_use():
    code = "import sys, clip3d.search.conditions.where; sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", "\u202f"])
def test_spaces_of_any_width_are_part_of_a_text(space: str):
    condition = Condition(f"name = 'a{space}b'")
    assert condition.sqlite()[1] == (f"a{space}b",)
    assert f"'a{space}b'" in condition.datafusion()

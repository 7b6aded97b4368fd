"""Conditions drawn at random, each with a plain function that says what it is worth for a row of metadata."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

Row = Mapping[str, Any]
Meaning = Callable[[Row], Any]
Pair = tuple[str, Meaning]

NUMBERS, TEXTS, FLAGS = ("size", "n o", "größe"), ("split", "tag.of'x"), ("night", "open")
SIGNS = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
words = st.text("abAB%_*?[]\\'\" é\n", max_size=6)
numbers = st.one_of(st.integers(-50, 50), st.floats(-50, 50).map(lambda x: round(x, 3) + 0.0))


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


rows = st.fixed_dictionaries(
    {
        **dict.fromkeys(NUMBERS, _maybe(numbers)),
        **dict.fromkeys(TEXTS, _maybe(words)),
        **dict.fromkeys(FLAGS, _maybe(st.booleans())),
    }
)


def _column(name: str) -> Pair:
    return name if name.isascii() and name.isalpha() else f'"{name}"', lambda row: row[name]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _lift(of: Callable[..., Any], *parts: Meaning) -> Meaning:
    """A function of values that is nothing where one of them is nothing."""

    def meaning(row: Row) -> Any:
        values = [part(row) for part in parts]
        return None if any(value is None for value in values) else of(*values)

    return meaning


def _constant(value: Any) -> Pair:
    return (_quoted(value) if isinstance(value, str) else repr(value)), lambda row: value


def _arithmetic(left: Pair, sign: str, right: Pair) -> Pair:
    def of(a: float, b: float) -> float | None:
        if sign == "/":
            return None if b == 0 else a / b
        return {"+": a + b, "-": a - b, "*": a * b}[sign]

    return f"({left[0]} {sign} {right[0]})", _lift(of, left[1], right[1])


number = st.recursive(
    st.one_of(st.sampled_from(NUMBERS).map(_column), numbers.map(_constant)),
    lambda inner: st.one_of(
        st.builds(_arithmetic, inner, st.sampled_from("+-*/"), inner),
        inner.map(lambda p: (f"abs({p[0]})", _lift(abs, p[1]))),
        inner.map(lambda p: (f"-({p[0]})", _lift(lambda x: -x, p[1]))),
    ),
    max_leaves=3,
)


def _folded(name: str, p: Pair) -> Pair:
    # SQLite's lower and upper know ASCII alone
    table = {"lower": str.lower, "upper": str.upper}[name]
    return f"{name}({p[0]})", _lift(lambda t: "".join(table(s) if s.isascii() else s for s in t), p[1])


text_column = st.sampled_from(TEXTS).map(_column)
text = st.one_of(
    text_column,
    words.map(_constant),
    st.builds(_folded, st.sampled_from(("lower", "upper")), text_column),
    text_column.map(lambda p: (f"coalesce({p[0]}, 'ab')", lambda row: "ab" if p[1](row) is None else p[1](row))),
)


def _compare(left: Pair, sign: str, right: Pair) -> Pair:
    return f"{left[0]} {sign} {right[0]}", _lift(SIGNS[sign], left[1], right[1])


def _like(value: Pair, word: str, pattern: str) -> Pair:
    wild = {"%": ".*", "_": "."}
    form = "".join(wild.get(sign, re.escape(sign)) for sign in pattern)
    compiled = re.compile(form, re.DOTALL | (re.IGNORECASE | re.ASCII if word.endswith("ILIKE") else 0))
    worth = _lift(lambda t: (compiled.fullmatch(t) is not None) != word.startswith("NOT"), value[1])
    return f"{value[0]} {word} {_quoted(pattern)}", worth


def _among(value: Pair, choices: list[Any], wanted: bool) -> Pair:
    listed = ", ".join(_constant(choice)[0] for choice in choices)
    worth = _lift(lambda x: (x in choices) == wanted, value[1])
    return f"{value[0]} {'' if wanted else 'NOT '}IN ({listed})", worth


def _is(value: Pair, wanted: bool) -> Pair:
    return f"{value[0]} IS {'' if wanted else 'NOT '}NULL", lambda row: (value[1](row) is None) == wanted


def _not(a: Any) -> Any:
    return None if a is None else not a


def _joined(left: Pair, word: str, right: Pair) -> Pair:
    def worth(row: Row) -> Any:
        a, b = left[1](row), right[1](row)
        decisive = word == "OR"
        if decisive in (a, b):
            return decisive
        return None if None in (a, b) else not decisive

    return f"({left[0]} {word} {right[0]})", worth


flag = st.sampled_from(FLAGS).map(_column)
simple = st.one_of(
    flag,
    st.builds(lambda p, v: (f"{p[0]} = {str(v).upper()}", _lift(lambda x: x == v, p[1])), flag, st.booleans()),
    st.builds(lambda p, v: (f"{p[0]} IS {str(v).upper()}", lambda row: p[1](row) is v), flag, st.booleans()),
    st.builds(_compare, number, st.sampled_from(sorted(SIGNS)), number),
    st.builds(_compare, text, st.sampled_from(sorted(SIGNS)), text),
    st.builds(_like, text, st.sampled_from(("LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE")), words),
    st.builds(_among, number, st.lists(numbers, min_size=1, max_size=3), st.booleans()),
    st.builds(_among, text, st.lists(words, min_size=1, max_size=3), st.booleans()),
    st.builds(_is, st.one_of(number, text, flag), st.booleans()),
    st.builds(
        lambda p, a, b: (f"{p[0]} BETWEEN {a[0]} AND {b[0]}", _lift(lambda x, y, z: y <= x <= z, p[1], a[1], b[1])),
        number,
        numbers.map(_constant),
        numbers.map(_constant),
    ),
)
conditions = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(_joined, inner, st.sampled_from(("AND", "OR")), inner),
        inner.map(lambda p: (f"NOT ({p[0]})", lambda row: _not(p[1](row)))),
    ),
    max_leaves=6,
)
"""Pairs of a condition's text and of its worth for a row: True, False, or None where SQL knows not."""

FRAGMENTS = (
    "a", "night", '"x y"', "1", "2.5", "'t'", "NULL", "TRUE", "=", "<", "AND", "OR", "NOT", "IN", "(", ")", ",",
    "+", "/", "LIKE", "GLOB", "IS", "BETWEEN", "SELECT", "FROM", "WHERE", "items", "sqlite_master", ";", "--", "/*",
    "*/", "PRAGMA", "ATTACH", "DELETE", "DROP TABLE items", "UNION", "load_extension", "writefile", "lower",
    "coalesce", "round", "randomblob", "CASE", "WHEN", "THEN", "END", "EXISTS", "CAST", "AS", "COLLATE", "||",
    "->", "?", ":a",
    "metadata", "path", "[b]", "`c`", "MATCH", "REGEXP", "OVER", "*", "x'00'", "ESCAPE", "RAISE", "VALUES",
)  # fmt: skip
scraps = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=12).map(" ".join)
"""Texts of SQL's words in any order."""

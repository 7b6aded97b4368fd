"""A condition's tree as SQL of two engines, so that both answer the same."""

from __future__ import annotations

import os
from collections.abc import Callable

from clip3d.search.conditions.columns import FIXED, as_utf8
from clip3d.search.conditions.tree import (
    Among,
    Arithmetic,
    Between,
    Call,
    Column,
    Comparison,
    Flag,
    IsNull,
    IsTruth,
    Logic,
    Match,
    Negative,
    Node,
    Not,
    Piece,
    Truth,
    Value,
)

Parameter = str | int | float | bytes


def for_sqlite(tree: Node) -> tuple[str, tuple[Parameter, ...]]:
    """The text, and the values of its question marks in order."""
    writer = _Sqlite()
    return writer.write(tree), tuple(writer.parameters)


def for_datafusion(tree: Node, column: Callable[[str], str] | None = None) -> str:
    """The text; `column` gives the SQL that stands for a column of a name."""
    return _DataFusion(column or _in_backticks).write(tree)


class _Writer:
    """What both engines have in common; every compound is put in brackets."""

    def write(self, node: Node) -> str:
        """The SQL of a node."""
        match node:
            case Value(value):
                return self.value(value)
            case Truth(value):
                return self.truth(value)
            case Column(name):
                return self.column(name)
            case Flag(column):
                return self.flag(self.column(column.name))
            case Comparison(sign, left, right):
                return f"({self.write(left)} {sign} {self.write(right)})"
            case Logic(word, terms):
                return "(" + f" {word} ".join(self.write(term) for term in terms) + ")"
            case Not(term):
                return f"(NOT {self.write(term)})"
            case Among(value, choices):
                return f"({self.write(value)} IN ({', '.join(self.write(choice) for choice in choices)}))"
            case Between(value, low, high):
                return f"({self.write(value)} BETWEEN {self.write(low)} AND {self.write(high)})"
            case Match(value, pattern, any_case):
                return self.match(value, pattern, any_case)
            case IsNull(value):
                return f"({self.write(value)} IS NULL)"
            case IsTruth(term, value):
                return f"({self.write(term)} IS {'TRUE' if value else 'FALSE'})"
            case Arithmetic(sign, left, right):
                return self.arithmetic(sign, left, right)
            case Negative(value):
                return self.negative(value)
            case Call(name, arguments):
                return f"{name}({', '.join(self.write(argument) for argument in arguments)})"

    def value(self, value: str | int | float) -> str:
        raise NotImplementedError

    def truth(self, value: bool) -> str:
        raise NotImplementedError

    def column(self, name: str) -> str:
        raise NotImplementedError

    def flag(self, column: str) -> str:
        raise NotImplementedError

    def match(self, value: Node, pattern: tuple[Piece, ...], any_case: bool) -> str:
        raise NotImplementedError

    def negative(self, value: Node) -> str:
        return f"(- {self.write(value)})"

    def arithmetic(self, sign: str, left: Node, right: Node) -> str:
        raise NotImplementedError


class _Sqlite(_Writer):
    """SQLite: metadata is JSON, truth values are 1 and 0, LIKE does not look at the case but GLOB does."""

    def __init__(self) -> None:
        self.parameters: list[Parameter] = []

    def value(self, value: str | int | float) -> str:
        if isinstance(value, str) and not _is_unicode(value):
            self.parameters.append(os.fsencode(value))  # as names of files in old encodings are kept
            return "CAST(? AS TEXT)"
        self.parameters.append(value)
        return "?"

    def truth(self, value: bool) -> str:
        return "1" if value else "0"

    def column(self, name: str) -> str:
        # in square brackets: what is in double quotes is taken for a text where there is no such column
        if name in FIXED:
            return f"[{name}]"
        path = _quoted('$."' + name + '"')
        return f"json_extract(metadata, {path})"

    def flag(self, column: str) -> str:
        return f"({column} = 1)"

    def match(self, value: Node, pattern: tuple[Piece, ...], any_case: bool) -> str:
        written = self.write(value)
        if any_case:
            return f"({written} LIKE {self.value(_like(pattern))} ESCAPE '\\')"
        return f"({written} GLOB {self.value(_glob(pattern))})"

    def arithmetic(self, sign: str, left: Node, right: Node) -> str:
        kind = {"/": "REAL", "%": "INTEGER"}.get(sign)
        first = f"CAST({self.write(left)} AS {kind})" if kind else self.write(left)
        return f"({first} {sign} {self.write(right)})"


class _DataFusion(_Writer):
    """DataFusion: values in the text, LIKE looks at the case, dividing whole numbers by nothing is an error.

    It takes -0.0 for another number than 0.0; adding 0 makes it 0.0.
    """

    def __init__(self, column: Callable[[str], str]) -> None:
        self.of_name = column

    def value(self, value: str | int | float) -> str:
        if not isinstance(value, str):
            return repr(value)
        return _quoted(as_utf8(value))  # as LanceDB's column of paths has it

    def truth(self, value: bool) -> str:
        return "true" if value else "false"

    def column(self, name: str) -> str:
        return self.of_name(name)

    def flag(self, column: str) -> str:
        return column

    def match(self, value: Node, pattern: tuple[Piece, ...], any_case: bool) -> str:
        # a backslash escapes without being named, as in PostgreSQL
        return f"({self.write(value)} {'ILIKE' if any_case else 'LIKE'} {_quoted(_like(pattern))})"

    def negative(self, value: Node) -> str:
        return f"(0 - {self.write(value)})"

    def arithmetic(self, sign: str, left: Node, right: Node) -> str:
        kind = {"/": "DOUBLE", "%": "BIGINT"}.get(sign)
        if kind is None:
            return f"({self.write(left)} {sign} {self.write(right)} + 0)"
        divisor = f"NULLIF(CAST({self.write(right)} AS {kind}) + 0, 0)"
        return f"(CAST({self.write(left)} AS {kind}) {sign} {divisor} + 0)"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _in_backticks(name: str) -> str:
    return f"`{name}`"


def _like(pattern: tuple[Piece, ...]) -> str:
    def escaped(text: str) -> str:
        return "".join("\\" + sign if sign in "\\%_" else sign for sign in text)

    return "".join({"any": "%", "one": "_"}[p.wild] if p.wild else escaped(p.text) for p in pattern)


def _glob(pattern: tuple[Piece, ...]) -> str:
    def escaped(text: str) -> str:
        return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in text)

    return "".join({"any": "*", "one": "?"}[p.wild] if p.wild else escaped(p.text) for p in pattern)

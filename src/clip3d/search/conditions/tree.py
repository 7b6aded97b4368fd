"""A condition that was found harmless: nothing can be said in these nodes that does more than look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Literal


@dataclass(frozen=True)
class Value:
    """A text or a number."""

    value: str | int | float


@dataclass(frozen=True)
class Truth:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True)
class Column:
    """A column by its name, with where it stands in the text."""

    name: str
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    quoted: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Flag:
    """A column that stands alone, as a truth value."""

    column: Column


@dataclass(frozen=True)
class Comparison:
    """Two values compared; with a truth value on the right only for equality."""

    sign: Literal["=", "<>", "<", "<=", ">", ">="]
    left: Node
    right: Node


@dataclass(frozen=True)
class Logic:
    """Two or more terms, joined."""

    word: Literal["AND", "OR"]
    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """The contrary."""

    term: Node


@dataclass(frozen=True)
class Among:
    """A value is one of a list."""

    value: Node
    choices: tuple[Value, ...]


@dataclass(frozen=True)
class Between:
    """A value is neither below nor above."""

    value: Node
    low: Node
    high: Node


Wild = Literal["any", "one"]


@dataclass(frozen=True)
class Piece:
    """Part of a pattern: characters that stand for themselves, or any number of characters, or one."""

    text: str = ""
    wild: Wild | None = None


@dataclass(frozen=True)
class Match:
    """A text has a form."""

    value: Node
    pattern: tuple[Piece, ...]
    any_case: bool


@dataclass(frozen=True)
class IsNull:
    """There is no value."""

    value: Node


@dataclass(frozen=True)
class IsTruth:
    """A truth value is there and is this one."""

    term: Node
    value: bool


@dataclass(frozen=True)
class Arithmetic:
    """Two numbers, computed with."""

    sign: Literal["+", "-", "*", "/", "%"]
    left: Node
    right: Node


@dataclass(frozen=True)
class Negative:
    """A number of the other sign."""

    value: Node


@dataclass(frozen=True)
class Call:
    """A function of values."""

    name: Literal["lower", "upper", "length", "abs", "round", "coalesce"]
    arguments: tuple[Node, ...]


Node = (
    Value | Truth | Column | Flag | Comparison | Logic | Not | Among | Between | Match | IsNull | IsTruth
    | Arithmetic | Negative | Call
)  # fmt: skip


def columns_of(node: object) -> Iterator[Column]:
    """The columns of a tree, from left to right."""
    if isinstance(node, Column):
        yield node
    elif isinstance(node, tuple):
        for part in node:
            yield from columns_of(part)
    elif hasattr(node, "__dataclass_fields__"):
        for part in fields(node):  # type: ignore[arg-type]
            yield from columns_of(getattr(node, part.name))

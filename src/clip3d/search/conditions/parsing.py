"""A condition's text becomes a tree: sqlglot reads it, and only what is listed here comes through."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any, Literal, cast
from unicodedata import category

from clip3d.errors import ConditionError, ShapeError
from clip3d.search.conditions.columns import FIXED, check_name
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

LONGEST = 10_000  # characters
DEEPEST = 40
MOST_TERMS = 500  # joined by AND and OR: SQLite's own limit on the depth of an expression is 1,000

SIGNS = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
OPERATIONS = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Mod": "%"}
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
FUNCTIONS = {
    "Lower": ("this",),
    "Upper": ("this",),
    "Length": ("this",),
    "Abs": ("this",),
    "Round": ("this", "decimals"),
    "Coalesce": ("this", "expressions"),
}
NAMES_OF_FUNCTIONS = ", ".join(name.lower() for name in FUNCTIONS)
# what sqlglot notes on a node that says nothing more than its class
NOTED = {"Div": ("typed", "safe")}


def parse(text: str) -> Node:
    """Read one boolean expression.

    Raises:
        ConditionError: if it is anything else, with the place.
    """
    _check_size(text)
    return _Parsing(text).truth(_parsed(text), 0)


def _check_size(text: str) -> None:
    if not text.strip():
        raise ConditionError(text, 0, 0, "it is empty; write for example split = 'test'")
    if len(text) > LONGEST:
        raise ConditionError(text, LONGEST, len(text), f"it is longer than {LONGEST} characters")
    for place, sign in enumerate(text):
        shown = sign.isprintable() or sign in "\t\n\r" or category(sign) == "Zs"  # a space of any width
        if not shown or sign == "\N{ZERO WIDTH NO-BREAK SPACE}":
            raise ConditionError(text, place, place + 1, f"the character {sign!r} is not allowed")


def _parsed(text: str) -> Any:
    """sqlglot's tree of the text."""
    from sqlglot import exp
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import ParseError, TokenError

    dialect = Dialect.get_or_raise("sqlite")
    try:
        _check_depth(text, dialect.tokenize(text))
        found = [tree for tree in dialect.parse_into(exp.Condition, text) if tree is not None]
    except ConditionError:
        raise
    except TokenError as error:
        raise ConditionError(text, 0, len(text), "a quote is not closed, or a character has no meaning") from error
    except ParseError as error:
        start, end = _place(error, text)
        raise ConditionError(text, start, end, "it is not one SQL expression; this was not expected") from error
    except RecursionError as error:
        raise ConditionError(text, 0, len(text), f"it is nested deeper than {DEEPEST}") from error
    except Exception as error:  # a text that sqlglot stumbles over is no condition
        raise ConditionError(text, 0, len(text), f"it cannot be read: {error}") from error
    if len(found) != 1:
        raise ConditionError(text, 0, len(text), "it must be one expression")
    return found[0]


def _check_depth(text: str, tokens: list[Any]) -> None:
    """Refuse deep nesting before it is parsed, which takes long."""
    depth = 0
    for token in tokens:
        depth += {"L_PAREN": 1, "R_PAREN": -1}.get(token.token_type.name, 0)
        if depth > DEEPEST:
            raise ConditionError(text, token.start, token.end + 1, f"it is nested deeper than {DEEPEST}")


def _place(error: Any, text: str) -> tuple[int, int]:
    facts = error.errors[0] if error.errors else {}
    line, column, length = facts.get("line", 1), facts.get("col", 0), len(facts.get("highlight") or "")
    before = sum(len(part) for part in text.splitlines(keepends=True)[: line - 1])
    end = min(before + column, len(text))
    return max(end - length, 0), end


class _Parsing:
    """From sqlglot's nodes to ours; whatever has no line here is refused."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.terms = 0

    def truth(self, node: Any, depth: int) -> Node:
        """A node that is true or false."""
        name = self._enter(node, depth)
        below = depth + 1
        match name:
            case "Paren":
                return self.truth(self._only(node, "this"), below)
            case "And" | "Or":
                return self._logic(node, name, below)
            case "Not":
                return Not(self.truth(self._only(node, "this"), below))
            case "Boolean":
                return Truth(bool(node.this))
            case "Column":
                return Flag(self._column(node))
            case "EQ" | "NEQ" | "LT" | "LTE" | "GT" | "GTE":
                return self._comparison(node, name, below)
            case "In":
                return self._among(node, below)
            case "Between":
                self._only(node, "this", "low", "high")
                value = self.value(node.this, below)
                low, high = (self._bound(value, node.args[end], below) for end in ("low", "high"))
                return Between(value, low, high)
            case "Like" | "ILike" | "Glob" | "Escape":
                return self._match(node, below)
            case "Is":
                return self._is(node, below)
        if name in (*OPERATIONS, *FUNCTIONS, "Neg", "Literal"):
            raise self._refusal(node, "this is a value; a condition compares it with another")
        raise self._strange(node)

    def value(self, node: Any, depth: int) -> Node:
        """A node that is a text or a number."""
        name = self._enter(node, depth)
        below = depth + 1
        if name == "Paren":
            return self.value(self._only(node, "this"), below)
        if name == "Column":
            return self._column(node)
        if name == "Literal":
            return self._literal(node)
        if name == "Neg":
            return self._negative(self.value(self._only(node, "this"), below), node)
        if name in OPERATIONS:
            self._only(node, "this", "expression")
            left, right = (self._number(part, below) for part in (node.this, node.expression))
            return Arithmetic(cast(Any, OPERATIONS[name]), left, right)
        if name in FUNCTIONS:
            return self._call(node, name, below)
        if name == "Null":
            raise self._refusal(node, "NULL equals nothing; write IS NULL")
        if name in (*SIGNS, "And", "Or", "Not", "In", "Between", "Like", "ILike", "Glob", "Escape", "Is"):
            raise self._refusal(node, "this is a condition where a value should stand")
        if name == "Boolean":
            raise self._refusal(node, "TRUE and FALSE can be compared by = alone, on the right")
        raise self._strange(node)

    def _logic(self, node: Any, name: str, depth: int) -> Node:
        # sqlglot makes a long chain a deep tree on the left
        terms = []
        while type(node).__name__ == name:
            self._only(node, "this", "expression")
            terms.append(node.expression)
            node = node.this
        self.terms += len(terms)
        if self.terms > MOST_TERMS:
            raise ConditionError(self.text, 0, len(self.text), f"it joins more than {MOST_TERMS} terms")
        word = cast(Literal["AND", "OR"], name.upper())
        return Logic(word, tuple(self.truth(term, depth) for term in (node, *reversed(terms))))

    def _comparison(self, node: Any, name: str, depth: int) -> Node:
        self._only(node, "this", "expression")
        sign, left, right = SIGNS[name], node.this, node.expression
        if type(left).__name__ == "Literal":  # a column first, for what is compared with it
            sign, left, right = TURNED[sign], right, left
        if type(right).__name__ == "Boolean" and sign in ("=", "<>"):
            return Comparison(cast(Any, sign), self.value(left, depth), Truth(bool(right.this)))
        value = self.value(left, depth)
        return Comparison(cast(Any, sign), value, self._bound(value, right, depth))

    def _bound(self, value: Node, node: Any, depth: int) -> Node:
        """What a value is compared with; a date as seconds where the value is a time."""
        bound = self.value(node, depth)
        is_time = isinstance(value, Column) and value.name == "indexed"
        if is_time and isinstance(bound, Value) and isinstance(bound.value, str):
            return Value(self._seconds(bound.value, node))
        return bound

    def _seconds(self, date: str, node: Any) -> float:
        try:
            moment = datetime.fromisoformat(date)
        except ValueError as error:
            raise self._refusal(node, "this is no date; write it as 2026-03-28 or 2026-03-28T14:30") from error
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()

    def _among(self, node: Any, depth: int) -> Node:
        if node.args.get("query"):
            raise self._refusal(node.args["query"], "queries inside a condition are not allowed")
        self._only(node, "this", "expressions")
        value, choices = self.value(node.this, depth), []
        if not node.expressions:
            raise self._refusal(node, "IN needs a list of one value or more")
        for choice in node.expressions:
            bound = self._bound(value, choice, depth)
            if not isinstance(bound, Value):
                raise self._refusal(choice, "the list of IN holds texts and numbers alone")
            choices.append(bound)
        return Among(value, tuple(choices))

    def _match(self, node: Any, depth: int) -> Node:
        escape = ""
        if type(node).__name__ == "Escape":
            self._only(node, "this", "expression")
            escape = self._text(node.expression, "ESCAPE takes one character in quotes")
            if len(escape) != 1:
                raise self._refusal(node.expression, "ESCAPE takes one character in quotes")
            node = node.this
        name = type(node).__name__
        if name not in ("Like", "ILike", "Glob") or (name == "Glob" and escape):
            raise self._strange(node)
        self._only(node, "this", "expression", "negate")
        pattern = self._text(node.expression, f"the pattern of {name.upper()} is a text in quotes")
        pieces = tuple(self._pieces(pattern, node.expression, "*?" if name == "Glob" else "%_", escape))
        found = Match(self.value(node.this, depth), pieces, any_case=name == "ILike")
        return Not(found) if node.args.get("negate") else found

    def _pieces(self, pattern: str, node: Any, wild: str, escape: str) -> Iterator[Piece]:
        signs = iter(pattern)
        for sign in signs:
            if sign == escape:
                following = next(signs, None)
                if following is None:
                    raise self._refusal(node, "nothing follows the character of ESCAPE")
                yield Piece(following)
            elif wild == "*?" and sign == "[":
                raise self._refusal(node, "brackets in GLOB are not supported")
            elif sign in wild:
                yield Piece(wild="any" if sign == wild[0] else "one")
            else:
                yield Piece(sign)

    def _is(self, node: Any, depth: int) -> Node:
        self._only(node, "this", "expression")
        kind = type(node.expression).__name__
        if kind == "Null":
            return IsNull(self.value(node.this, depth))
        if kind == "Boolean":
            return IsTruth(self.truth(node.this, depth), bool(node.expression.this))
        raise self._refusal(node.expression, "IS takes NULL, TRUE or FALSE")

    def _call(self, node: Any, name: str, depth: int) -> Node:
        allowed = FUNCTIONS[name]
        self._only(node, *allowed)
        given = [node.args.get(part) for part in allowed]
        flat = [one for part in given for one in (part if isinstance(part, list) else [part]) if one is not None]
        reads: Callable[[Any, int], Node] = self._number if name in ("Abs", "Round") else self.value
        return Call(cast(Any, name.lower()), tuple(reads(argument, depth) for argument in flat))

    def _number(self, node: Any, depth: int) -> Node:
        """A value that is not plainly a text."""
        value = self.value(node, depth)
        text = isinstance(value, Value) and isinstance(value.value, str)
        if text or (isinstance(value, Call) and value.name in ("lower", "upper")):
            raise self._refusal(node, "this is a text; a number is computed with")
        return value

    def _negative(self, value: Node, node: Any) -> Node:
        if isinstance(value, Value):
            if isinstance(value.value, str):
                raise self._refusal(node, "this is a text; a number is computed with")
            return Value(-value.value)
        return Negative(value)

    def _column(self, node: Any) -> Column:
        if any(node.args.get(part) for part in ("table", "db", "catalog")):
            raise self._refusal(node, "a name with a dot is written in double quotes")
        self._only(node, "this")
        if type(node.this).__name__ != "Identifier":
            raise self._strange(node)
        start, end = self._span(node)
        name, quoted = str(node.this.this), bool(node.this.args.get("quoted"))
        if name.lower() in FIXED:
            return Column(name.lower(), start, end, quoted)
        try:
            return Column(check_name(name), start, end, quoted)
        except ShapeError as error:
            raise self._refusal(node, str(error)) from error

    def _literal(self, node: Any) -> Value:
        if node.args.get("is_string"):
            return Value(str(node.this))
        try:
            number: int | float = float(node.this)
            if str(node.this).isdecimal() and int(node.this) < 2**63:
                number = int(node.this)
        except ValueError as error:
            raise self._refusal(node, "this is no number") from error
        if not math.isfinite(number):
            raise self._refusal(node, "this number is too large")
        return Value(number)

    def _text(self, node: Any, otherwise: str) -> str:
        if type(node).__name__ != "Literal" or not node.args.get("is_string"):
            raise self._refusal(node, otherwise)
        return str(node.this)

    def _enter(self, node: Any, depth: int) -> str:
        if depth > DEEPEST:
            raise self._refusal(node, f"it is nested deeper than {DEEPEST}")
        return type(node).__name__

    def _only(self, node: Any, *parts: str) -> Any:
        """Refuse a node that says more than in these parts; gives the first."""
        allowed = (*parts, *NOTED.get(type(node).__name__, ()))
        if any(said not in allowed for said, value in node.args.items() if value):
            raise self._strange(node)
        return node.args.get(parts[0])

    def _strange(self, node: Any) -> ConditionError:
        name = type(node).__name__
        if name in ("Select", "Subquery", "Exists", "Union"):
            return self._refusal(node, "queries inside a condition are not allowed")
        if hasattr(node, "sql_names") or name == "Anonymous":
            return self._refusal(node, f"the functions are {NAMES_OF_FUNCTIONS}")
        return self._refusal(node, "this kind of expression is not allowed in a condition")

    def _refusal(self, node: Any, reason: str) -> ConditionError:
        return ConditionError(self.text, *self._span(node), reason)

    def _span(self, node: Any) -> tuple[int, int]:
        """Where a node and what is below it stands; the whole text where sqlglot does not tell."""
        found = [part.meta for part in node.walk() if "start" in part.meta]
        if not found:
            return 0, len(self.text)
        return min(meta["start"] for meta in found), max(meta["end"] for meta in found) + 1

"""Conditions on what a collection says of its items: one SQL expression, parsed, never run as it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clip3d.errors import ConditionError
from clip3d.search.conditions.columns import FIXED, nearest_name

if TYPE_CHECKING:
    from clip3d.search.conditions.tree import Column, Node

Parameter = str | int | float | bytes


@dataclass(frozen=True)
class Condition:
    """A condition such as `split = 'test' AND height > 2`, read and found harmless.

    Columns are those of `FIXED`; any other name is one of the metadata, in double quotes where it is no plain word.
    There are comparisons, AND, OR, NOT, IN with a list, BETWEEN, LIKE (case counts), ILIKE, GLOB without brackets,
    IS NULL, IS TRUE, + - * / % and the functions lower, upper, length, abs, round and coalesce. A flag may
    stand alone (`NOT night`). `/` never cuts off fractions; dividing by nothing gives NULL; `indexed` is compared
    with seconds since the epoch, or with a date in quotes, taken as UTC.

    Attributes:
        text: as it was written.

    Raises:
        ConditionError: if it is anything but one expression of these, with the place.
    """

    text: str
    tree: Node = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        from clip3d.search.conditions.parsing import parse

        object.__setattr__(self, "tree", parse(self.text))

    @classmethod
    def equal(cls, column: str, value: str | int | float) -> Condition:
        """The condition that a column has a value, which may be any text: it is never read as SQL."""
        from clip3d.search.conditions.tree import Column, Comparison, Value

        made = object.__new__(cls)
        object.__setattr__(made, "text", f"{column} = {value!r}")
        object.__setattr__(made, "tree", Comparison("=", Column(column), Value(value)))
        return made

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that it looks at."""
        return frozenset(column.name for column in self._columns())

    def sqlite(self) -> tuple[str, tuple[Parameter, ...]]:
        """The condition for SQLite, and the values of its question marks in order.

        The columns of `FIXED` are columns of the table; other names are keys of the JSON object in its column
        `metadata`, which must be written with `ensure_ascii=False` for names beyond ASCII to be found.
        """
        from clip3d.search.conditions.sql import for_sqlite

        return for_sqlite(self.tree)

    def datafusion(self, column: Callable[[str], str] | None = None) -> str:
        """The condition for DataFusion, the SQL of LanceDB, with its values quoted in the text.

        Args:
            column: gives the SQL that stands for a column; None takes each as a column of its name.
        """
        from clip3d.search.conditions.sql import for_datafusion

        return for_datafusion(self.tree, column)

    def check(self, known: Iterable[str]) -> None:
        """Raise ConditionError, with the nearest known column and all of them, unless all are among them."""
        names = list(dict.fromkeys([*FIXED, *known]))
        for column in self._columns():
            if column.name not in names:
                raise ConditionError(self.text, column.start, column.end, _unknown(column, names))

    def _columns(self) -> Iterator[Column]:
        from clip3d.search.conditions.tree import columns_of

        return columns_of(self.tree)


def _unknown(column: Column, known: list[str]) -> str:
    near = nearest_name(column.name, known)
    guess = f"did you mean {near}? " if near else ""
    if column.quoted and not near:
        guess = f"text is written in single quotes: '{column.name}'; "
    return f"there is no such column; {guess}there are: {', '.join(known)}"

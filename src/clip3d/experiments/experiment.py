"""What an experiment is: rows, each measured from data and weights that may be there, beside what was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from clip3d.errors import DataError
from clip3d.experiments.needs import NEEDS, Need

T = TypeVar("T")
Mark = Literal["published", "derived", "unverified"]


@dataclass(frozen=True)
class Published:
    """A number to compare with.

    Attributes:
        value: in the unit of what is measured.
        spread: standard deviation over runs, where it was told.
        mark: whether the paper states it, it follows by arithmetic, or nobody checked it.
    """

    value: float
    spread: float | None = None
    mark: Mark = "published"


@dataclass(frozen=True)
class Measured:
    """What one run of one row gave.

    Attributes:
        value: the number that stands beside the published one.
        unit: of the value and of `also`.
        n: how many objects it was counted over.
        protocol: everything that is needed to get it again.
        also: further numbers of the same unit, by name, summarised over seeds as the value is.
        files: pictures and pages, as paths relative to the experiment's folder.
    """

    value: float
    n: int
    protocol: Mapping[str, Any]
    unit: str = "%"
    also: Mapping[str, float] = field(default_factory=dict)
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bench:
    """Where an experiment finds its things and leaves what it makes.

    Attributes:
        data: folder of data sets.
        weights: folder of published checkpoints and of models.
        out: folder for reports, and for models that are made on the way.
        recipes: folder of recipe files.
        models: further models to measure, folder or name by the name that rows give them.
        steps: most steps that a training may take, whatever its recipe says; None for the recipe's number.
        device: torch device.
        tell: takes a line of progress.
        memory: what rows share; see `once`.
    """

    data: Path
    weights: Path
    out: Path
    recipes: Path = Path("recipes")
    models: Mapping[str, str] = field(default_factory=dict)
    steps: int | None = None
    device: str = "cpu"
    tell: Callable[[str], None] = lambda line: None
    memory: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def find(self, need: str) -> Path | None:
        """Where a thing of the table `NEEDS` lies; None if it is not there."""
        return NEEDS[need].find(self.folder(need))

    def path(self, need: str) -> Path:
        """Where a thing of the table `NEEDS` lies.

        Raises:
            DataError: if it is not there.
        """
        found = self.find(need)
        if found is None:
            looked = " or ".join(NEEDS[need].places)
            raise DataError(self.folder(need), f"lacks {NEEDS[need].what}", f"it was looked for as {looked}")
        return found

    def folder(self, need: str) -> Path:
        """The folder in which a thing is looked for."""
        return self.data if NEEDS[need].under == "data" else self.weights

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What `make` gives, made once for all rows that ask with this key."""
        if key not in self.memory:
            self.memory[key] = make()
        return self.memory[key]  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        name: by which it can be chosen; parts are set apart by slashes.
        cells: what stands in the experiment's columns.
        needs: names in the table `NEEDS`.
        measure: takes the bench and a seed.
        published: the number to compare with, if there is one.
        seeded: whether chance plays a part, so that it is measured for several seeds.
        model: key in `Bench.models` of a model of the user's that it measures.
        recipe: file name of the recipe that it trains by, if it trains.
        uses: names in the table `NEEDS` of what it takes where it is there and does without where it is not.
        teacher_recipe: file name of the recipe of a teacher that is trained first, if there is one.
        untrained: of the model its cloud tower's architecture and preparation alone are used, not its weights.
        also_published: published numbers that stand beside those of `Measured.also`, by their names.
        before: makes what it uses and nobody brought, such as simulated logs, before anything is measured.
    """

    name: str
    cells: tuple[str, ...]
    needs: tuple[str, ...]
    measure: Callable[[Bench, int], Measured]
    published: Published | None = None
    seeded: bool = False
    model: str | None = None
    recipe: str | None = None
    uses: tuple[str, ...] = ()
    teacher_recipe: str | None = None
    untrained: bool = False
    also_published: Mapping[str, Published] = field(default_factory=dict)
    before: Callable[[Bench], None] | None = None

    def lacks(self, bench: Bench) -> list[Need]:
        """What it needs and is not there."""
        return [NEEDS[need] for need in self.needs if bench.find(need) is None]


@dataclass(frozen=True)
class Experiment:
    """A table or figure, and how to get it.

    Attributes:
        name: by which the command line knows it.
        title: in a line.
        source: the paper with its table or figure, or this project.
        shows: what it shows, and how the published numbers came about as far as that is known.
        columns: headings of the rows' cells.
        rows: all rows for a bench; nothing is read or measured yet.
        notes: caveats that belong beside the numbers.
        seeds: how many runs a row takes where chance plays a part.
        conclude: what follows from the values of all rows, by name and in the order of the seeds, in sentences.
    """

    name: str
    title: str
    source: str
    shows: str
    columns: tuple[str, ...]
    rows: Callable[[Bench], list[Row]]
    notes: tuple[str, ...] = ()
    seeds: int = 3
    conclude: Callable[[Mapping[str, tuple[float, ...]]], list[str]] = lambda values: []

"""What is asked of a collection: wishes with weights, and how the answers are to be chosen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

from clip3d.errors import ShapeError
from clip3d.joint_rules import Rule, check_rule
from clip3d.search.conditions.where import Condition
from clip3d.search.stores.frame_vectors import VIEW_KINDS, ViewKind

PathName = str | PathLike[str]
Texts = str | tuple[str, float] | Sequence[str | tuple[str, float]] | None
Files = PathName | tuple[PathName, float] | Sequence[PathName | tuple[PathName, float]] | None
Items = str | int | tuple[str | int, float] | Sequence[str | int | tuple[str | int, float]] | None

MOST_ANSWERS = 10_000
# Frames of a drive are near copies of their neighbours: at 50 km/h, so many seconds are 70 m.
FOLD_SECONDS = 5.0


@dataclass(frozen=True)
class Wish:
    """One part of a query.

    Attributes:
        kind: words, a picture's file, a cloud's file, or an item of the collection, by its id or its path.
        value: the words, the path or the id.
        weight: what it counts beside the others; below 0 it is turned away from.
        sensor: name of the vectors that it is put to, such as "lidar" or "image"; None for all.
    """

    kind: Literal["text", "image", "cloud", "hit"]
    value: str | int
    weight: float = 1.0
    sensor: str | None = None

    def __post_init__(self) -> None:
        if self.kind == "text" and not str(self.value).strip():
            raise ShapeError("a phrase of the query is empty")
        if not math.isfinite(self.weight) or self.weight == 0:
            raise ShapeError(f"the weight of a part of a query is a number other than 0, got {self.weight}")

    def __str__(self) -> str:
        """In words, such as `a chair`, `image photo.jpg (weight 2)`, `lidar: a pedestrian` or `camera: fog`."""
        named = {"text": "", "image": "image ", "cloud": "like ", "hit": "more like "}[self.kind] + str(self.value)
        weighed = named if abs(self.weight) == 1 else f"{named} (weight {abs(self.weight):g})"
        turned = f"not {weighed}" if self.weight < 0 else weighed
        asked = "camera" if self.sensor == "image" else self.sensor  # as users name what sees pictures
        return turned if asked is None else f"{asked}: {turned}"


@dataclass(frozen=True)
class Query:
    """A question to a collection.

    Wishes are averaged by weight after centring, and half the mean of those turned away from is subtracted
    (`Space.query`). A wish that names a sensor is put to its vectors alone; where one does, only records with
    vectors of all sensors that are named answer. Without a rule their score is `standard-scores`, which is none of
    LidarCLIP's: a weighted mean of the sensors' cosines, each sensor weighed by its wishes over the spread of its
    cosines in the collection, so that none drowns the other. Where no sensor is named, a record answers with the
    best of its vectors, and views of frames that have a vector of each sensor by a joint rule
    (`clip3d.joint_rules`): their sum of features, unless another is given.

    Attributes:
        wishes: one or more that are not turned away from.
        k: at most so many answers.
        offset: answers to pass over, for the pages after the first.
        where: a condition on the records.
        threshold: least score.
        confident: list only what fits the words, as the model's refusal tells.
        unique: list each content once, at its best place, and count the copies.
        near: count as copies what is as near as this centred cosine, too; implies `unique`.
        diversity: weight w in [0, 1) of maximal marginal relevance (Carbonell and Goldstein 1998): each next
            answer has the largest (1 - w) score - w (largest cosine with those before), among the 500 best.
        group: a column, or "folder", of whose values at most `per_group` answers each are listed.
        per_group: see `group`.
        rule: a joint rule, by which views with vectors of both sensors alone answer; None for the usual ones.
        over: kind of view of frames that answers: one camera's, all cameras' together, quarters of the sweep, or
            the sweep by itself; None for one camera's, beside whatever is no frame.
        fold: seconds within which views of one log are one answer, that of the best; 0 for each by itself.
        templates: prompts with {} that words are put into; their vectors are averaged. None for words as they are.
    """

    wishes: tuple[Wish, ...]
    k: int = 10
    offset: int = 0
    where: Condition | None = None
    threshold: float | None = None
    confident: bool = False
    unique: bool = False
    near: float | None = None
    diversity: float = 0.0
    group: str | None = None
    per_group: int = 1
    rule: Rule | None = None
    over: ViewKind | None = None
    fold: float = FOLD_SECONDS
    templates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.wanted:
            raise ShapeError("a search needs a query: words, an image, a cloud or an item to find more like")
        if self.k < 1 or self.offset < 0 or self.per_group < 1:
            raise ShapeError(f"k and per_group are at least 1, offset 0: {self.k, self.per_group, self.offset}")
        if self.k + self.offset > MOST_ANSWERS:
            raise ShapeError(f"at most the {MOST_ANSWERS} best answers are listed; ask with a condition for fewer")
        if self.near is not None and not 0 < self.near <= 1:
            raise ShapeError(f"near is a cosine above 0, at most 1, got {self.near}")
        if not 0 <= self.diversity < 1:
            raise ShapeError(f"diversity is at least 0 and below 1, got {self.diversity}")
        if not 0 <= self.fold < math.inf:
            raise ShapeError(f"fold is a number of seconds, at least 0, got {self.fold}")
        if self.rule is not None:
            check_rule(self.rule, two=len(self.sensors) > 1)
            if len(self.sensors) == 1:
                raise ShapeError("a joint rule needs words for both sensors, or words that are put to none")
        if self.over is not None and self.over not in VIEW_KINDS:
            raise ShapeError(f"over is one of {', '.join(VIEW_KINDS)}, got {self.over!r}")
        if any("{}" not in template for template in self.templates):
            raise ShapeError("a template needs {} where the words go")
        if self.confident and not self.in_words:
            raise ShapeError("only of a query in words alone can be told what fits")

    @property
    def wanted(self) -> tuple[Wish, ...]:
        """The wishes that are not turned away from."""
        return tuple(wish for wish in self.wishes if wish.weight > 0)

    @property
    def sensors(self) -> tuple[str, ...]:
        """Names of the vectors that wishes are put to, each once; empty where none is named."""
        return tuple(dict.fromkeys(wish.sensor for wish in self.wishes if wish.sensor is not None))

    @property
    def in_words(self) -> bool:
        """Whether all that is wanted is in words and put to no sensor."""
        return all(wish.kind == "text" and wish.sensor is None for wish in self.wanted)

    @property
    def prompts(self) -> list[str]:
        """Phrases given to the text tower, as they are."""
        return [str(wish.value) for wish in self.wishes if wish.kind == "text"]

    def __str__(self) -> str:
        """In words, such as `a chair, not an armchair`."""
        return ", ".join(str(wish) for wish in self.wishes)


def make_query(
    text: Texts = None,
    *,
    image: Files = None,
    like: Files = None,
    hit: Items = None,
    negative: Texts = None,
    lidar: Texts = None,
    camera: Texts = None,
    where: str | Condition | None = None,
    **choice: Any,
) -> Query:
    """A query from the parts that users name; each is one value or a list, a value alone or (value, weight).

    Args:
        text: words to find, such as "a chair", or [("a chair", 2.0), "red"].
        image: pictures' files.
        like: clouds' files.
        hit: ids or paths of items of the collection, to find more like them.
        negative: words to turn away from.
        lidar: words put to the lidar's vectors of frames alone.
        camera: words put to the vectors of pictures alone.
        where: a condition on the records, as SQL.
        choice: the other attributes of `Query`.

    Raises:
        ShapeError: if something is out of its range, or nothing is asked.
        ConditionError: if the condition is wrong.
    """
    wishes = [
        *_wishes("text", text),
        *_wishes("image", image),
        *_wishes("cloud", like),
        *_wishes("hit", hit),
        *_wishes("text", lidar, sensor="lidar"),
        *_wishes("text", camera, sensor="image"),
        *_wishes("text", negative, sign=-1.0),
    ]
    condition = Condition(where) if isinstance(where, str) else where
    return Query(tuple(wishes), where=condition, **choice)


def _wishes(kind: Any, given: Any, sensor: str | None = None, sign: float = 1.0) -> Iterable[Wish]:
    for value, weight in map(_weighed, _several(given)):
        if weight <= 0:
            raise ShapeError(f"a weight is above 0, got {weight}; turn away from words with a negative")
        yield Wish(kind, value if isinstance(value, int) else str(value), sign * weight, sensor)


def _several(given: Any) -> Sequence[Any]:
    if given is None:
        return ()
    alone = isinstance(given, (str, int, PathLike)) or (isinstance(given, tuple) and _is_weighed(given))
    return (given,) if alone else tuple(given)


def _weighed(value: Any) -> tuple[Any, float]:
    return (value[0], float(value[1])) if isinstance(value, tuple) and _is_weighed(value) else (value, 1.0)


def _is_weighed(pair: tuple[Any, ...]) -> bool:
    return len(pair) == 2 and isinstance(pair[1], (int, float)) and not isinstance(pair[0], (tuple, list))

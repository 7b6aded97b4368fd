"""One XML part of a 3MF file, parsed as a stream, so that no tree of it is ever built."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.text import integers, numbers

MAX_ELEMENTS = 2_000_000


@dataclass(frozen=True, eq=False)
class Use:
    """An object to build, or a component: its id, its part ("" for the same), its transform (4, 3) for rows."""

    id: str
    part: str
    matrix: NDArray[np.float64]


@dataclass(eq=False)
class Shape:
    """An object: a mesh or components.

    `marks` numbers the pairs of colour group and index that faces state; `marked` (f,) holds each face's, or -1.
    """

    group: str = ""
    index: str = "0"
    vertices: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    triangles: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int64))
    marks: dict[tuple[str, str], int] = field(default_factory=dict)
    marked: array[int] = field(default_factory=lambda: array("i"))
    components: list[Use] = field(default_factory=list)


@dataclass(eq=False)
class Model:
    """A part: its unit, its objects by id, what it builds, and colours (n, 3) by group id."""

    unit: str = "millimeter"
    shapes: dict[str, Shape] = field(default_factory=dict)
    items: list[Use] = field(default_factory=list)
    colors: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)

    def color(self, group: str, index: str) -> NDArray[np.float32] | None:
        """The colour (3,) of an entry of a group, or None if there is no such entry."""
        colors = self.colors.get(group, [])
        return colors[int(index)] if index.isdecimal() and len(index) < 9 and int(index) < len(colors) else None


def parse_model(data: bytes) -> Model:
    """Parse a model part.

    Raises:
        Malformed: if it declares entities or a document type, is too large, or a number in it is not one.
    """
    handler = _Handler()
    parser = expat.ParserCreate()
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Malformed(f"its model is not valid XML: {error}", "it is damaged: export it again") from error
    except KeyError as error:
        raise Malformed(f"an element of its model lacks {error}", "it is damaged: export it again") from error
    return handler.model


def _refuse(*_: object) -> None:
    raise Malformed("it declares a document type or entities, which model files do not need", "export it again")


class _Handler:
    """Gathers a Model from the start and end of elements."""

    def __init__(self) -> None:
        self.model = Model()
        self._elements = 0
        self._shape = Shape()
        self._group = ""
        self._vertices: list[str] = []
        self._triangles: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise Malformed(f"its model has more than {MAX_ELEMENTS:,} elements", "simplify it")
        tag = name.rpartition(":")[2]
        if tag == "vertex":
            self._vertices += (attributes["x"], attributes["y"], attributes["z"])
        elif tag == "triangle":
            if "p1" in attributes or "pid" in attributes:
                pair = attributes.get("pid", self._shape.group), attributes.get("p1", self._shape.index)
                self._shape.marked.append(self._shape.marks.setdefault(pair, len(self._shape.marks)))
            else:
                self._shape.marked.append(-1)
            self._triangles += (attributes["v1"], attributes["v2"], attributes["v3"])
        else:
            self._start_rare(tag, attributes)

    def _start_rare(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "model":
            self.model.unit = attributes.get("unit", "millimeter")
        elif tag == "object":
            self._shape = Shape(attributes.get("pid", ""), attributes.get("pindex", "0"))
            self.model.shapes[attributes["id"]] = self._shape
        elif tag in ("basematerials", "colorgroup"):
            self._group = attributes["id"]
        elif tag in ("base", "color"):
            color = _color(attributes.get("displaycolor", attributes.get("color", "")))
            self.model.colors.setdefault(self._group, []).append(color)
        elif tag == "item":
            self.model.items.append(_use(attributes))
        elif tag == "component":
            self._shape.components.append(_use(attributes))

    def end(self, name: str) -> None:
        if name.rpartition(":")[2] == "mesh":
            self._shape.vertices = _three(self._vertices)
            self._shape.triangles = integers(_three(self._triangles), "a triangle names a vertex")
            self._vertices, self._triangles = [], []


def _three(words: list[str]) -> NDArray[np.float64]:
    try:
        return np.frombuffer(array("d", map(float, words)), dtype=np.float64).reshape(-1, 3)
    except ValueError as error:
        raise Malformed("it holds words where numbers should stand", "export it again") from error


def _use(attributes: dict[str, str]) -> Use:
    part = next((value for name, value in attributes.items() if name.rpartition(":")[2] == "path"), "")
    matrix = np.vstack([np.eye(3), np.zeros(3)])
    if "transform" in attributes:
        values = numbers(attributes["transform"].encode())
        if len(values) != 12 or not np.isfinite(values).all():
            raise Malformed("a transform does not have 12 numbers", "it is damaged: export it again")
        matrix = values.reshape(4, 3)
    return Use(attributes["objectid"], part, matrix)


def _color(text: str) -> NDArray[np.float32]:
    """A colour (3,) from #RRGGBB or #RRGGBBAA; grey where the text is neither."""
    try:
        return np.array([int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)], dtype=np.float32)
    except ValueError:
        return np.full(3, 0.5, dtype=np.float32)

"""Arrays of a table that NumPy saved as one pickled object, such as OpenShape's clouds, read without unpickling.

Python's unpickler calls what a file names; here the few opcodes that such a file needs are followed by hand, and
nothing that a file names is looked up or called. What is no array of numbers stays a name with its arguments.
"""

from __future__ import annotations

import io
import math
import pickletools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.npz import DAMAGED

VALUES = frozenset(
    {
        *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
        *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    }
)
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
PASSED = ("PROTO", "FRAME", "STOP")
ENCODED = "_codecs encode"
NUMBERS = frozenset({"f2", "f4", "f8", "u1", "u2", "i4", "i8"})


def is_pickled(data: bytes) -> bool:
    """Whether this is an NPY file of one Python object."""
    try:
        shape, dtype = _header(io.BytesIO(data))
    except DAMAGED:
        return False
    return dtype.hasobject and shape == ()


def read_pickled(data: bytes, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The named arrays of numbers of the table, those that it has.

    Args:
        data: an NPY file, as `numpy.save` writes a dict.
        names: of the arrays.

    Raises:
        ValueError: if the file is damaged, or holds anything but a table.
    """
    stream = io.BytesIO(data)
    _header(stream)
    reader = _Reader()
    for opcode, argument, _ in pickletools.genops(stream):
        reader.follow(opcode.name, argument)
    (whole,) = reader.stack
    table = _state(whole)[4]
    if not isinstance(table, list) or len(table) != 1 or not isinstance(table[0], dict):
        raise ValueError("it holds no table")
    return {name: _array(table[0][name]) for name in names if name in table[0]}


@dataclass(eq=False)
class _Called:
    """What the file asks to make: a name, arguments and the state that it is to have. It stays that."""

    name: str
    arguments: Any = ()
    state: Any = None


class _Mark:
    """Where the items of a tuple, a list or a table begin on the stack."""


class _Reader:
    """Follows opcodes with a stack and a memo."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def follow(self, opcode: str, argument: Any) -> None:
        """Do what one opcode says to the stack."""
        push, pop = self.stack.append, self.stack.pop
        if opcode in VALUES:
            push(argument)
        elif opcode in CONSTANTS:
            push(CONSTANTS[opcode])
        elif opcode in ("EMPTY_DICT", "EMPTY_LIST"):
            push({} if opcode == "EMPTY_DICT" else [])
        elif opcode == "MARK":
            push(_Mark())
        elif opcode == "TUPLE":
            push(tuple(self._to_mark()))
        elif opcode in TUPLES:
            push(tuple(reversed([pop() for _ in range(TUPLES[opcode])])))
        elif opcode in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self.memo[len(self.memo) if opcode == "MEMOIZE" else argument] = self.stack[-1]
        elif opcode in ("BINGET", "LONG_BINGET"):
            push(self.memo[argument])
        elif opcode == "GLOBAL":
            push(_Called(argument))
        elif opcode not in PASSED:
            self._compose(opcode)

    def _compose(self, opcode: str) -> None:
        push, pop = self.stack.append, self.stack.pop
        if opcode in ("SETITEM", "SETITEMS"):
            items = self._to_mark() if opcode == "SETITEMS" else [pop(), pop()][::-1]
            # names alone: tuples of tuples may take without end to hash
            pairs = zip(items[::2], items[1::2], strict=True)
            _of(self.stack[-1], dict).update({key: value for key, value in pairs if type(key) is str})
        elif opcode in ("APPEND", "APPENDS"):
            items = self._to_mark() if opcode == "APPENDS" else [pop()]
            _of(self.stack[-1], list).extend(items)
        elif opcode == "STACK_GLOBAL":
            name, module = _of(pop(), str), _of(pop(), str)
            push(_Called(f"{module} {name}"))
        elif opcode in ("REDUCE", "NEWOBJ"):
            arguments, kind = _of(pop(), tuple), _of(pop(), _Called)
            push(_made(kind.name, arguments))
        elif opcode == "BUILD":
            state = pop()
            _of(self.stack[-1], _Called).state = state
        else:
            raise ValueError(f"it uses the opcode {opcode}")

    def _to_mark(self) -> list[Any]:
        items = []
        while not isinstance(item := self.stack.pop(), _Mark):
            items.append(item)
        return items[::-1]


def _header(stream: io.BytesIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"version {version} of NPY")
    return shape, dtype


def _made(name: str, arguments: tuple[Any, ...]) -> Any:
    if name == ENCODED and len(arguments) == 2 and arguments[1] == "latin1":
        return _of(arguments[0], str).encode("latin1")  # how older protocols keep bytes
    return _Called(name, arguments)


def _state(value: Any) -> tuple[Any, ...]:
    """Version, shape, type, order and content of an array."""
    state = value.state if isinstance(value, _Called) and value.name.endswith("multiarray _reconstruct") else None
    if not isinstance(state, tuple) or len(state) != 5:
        raise ValueError("it holds something else where an array belongs")
    return state


def _array(value: Any) -> NDArray[Any]:
    _, shape, kind, fortran, content = _state(value)
    dtype = _dtype(kind)
    sides = tuple(_of(side, int) for side in _of(shape, tuple))
    if min(sides, default=0) < 0 or math.prod(sides) * dtype.itemsize != len(_of(content, bytes)):
        raise ValueError(f"it holds {len(content)} bytes for an array of the shape {sides}")
    return np.frombuffer(content, dtype).reshape(sides, order="F" if fortran else "C").copy()


def _dtype(value: Any) -> np.dtype[Any]:
    if not isinstance(value, _Called) or value.name != "numpy dtype" or not isinstance(value.state, tuple):
        raise ValueError("it holds an array of an unknown type")
    code, order = _of(value.arguments[0], str), _of(value.state[1], str)
    if code not in NUMBERS or order not in "<>|":
        raise ValueError(f"it holds an array of {code!r}, not numbers")
    dtype: np.dtype[Any] = np.dtype(order + code)
    return dtype


def _of(value: Any, kind: type[Any]) -> Any:
    """The value, if it is exactly of a kind."""
    if type(value) is not kind:
        raise TypeError(f"it has a {type(value).__name__} where a {kind.__name__} belongs")
    return value

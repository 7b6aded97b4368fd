"""The tensors in a TorchScript archive, such as OpenAI's CLIP files, read without running anything of it.

An archive is a zip file: `data.pkl` describes a tree of modules in the language of pickle, `data/<key>` holds the
numbers of a tensor, `code/` a program. `torch.jit.load` would take the program; here it is never opened. Python's
unpickler calls what a file names; here the few opcodes that an archive needs are followed by hand, and nothing
that a file names is looked up or called. Format: PyTorch's `torch/csrc/jit/docs/serialization.md`.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from clip3d.errors import ModelError

if TYPE_CHECKING:
    import torch

MAX_TREE_BYTES = 2**26
MAX_DEPTH = 50
MAX_AXES = 8
DTYPES = {
    "torch HalfStorage": "float16",
    "torch BFloat16Storage": "bfloat16",
    "torch FloatStorage": "float32",
    "torch DoubleStorage": "float64",
    "torch IntStorage": "int32",
    "torch LongStorage": "int64",
}
TENSOR, TABLE, MODULE = "torch._utils _rebuild_tensor_v2", "collections OrderedDict", "__torch__"
# Calls that only say of which type a list or a table is.
TAGS = tuple(
    f"torch.jit._pickle {tag}"
    for tag in ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist", "restore_type_tag")
)
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
VALUES = ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE")
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def is_script_archive(file: Path) -> bool:
    """Whether a file is an archive of TorchScript, which alone has a table of constants."""
    try:
        with ZipFile(file) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (OSError, BadZipFile, ValueError, NotImplementedError):
        return False


def read_script_archive(file: Path) -> dict[str, torch.Tensor]:
    """Parameters and buffers of an archive by their dotted names, as its module's `state_dict` has them.

    Raises:
        ModelError: if the archive is damaged, or holds anything but a tree of modules with tensors and numbers.
    """
    try:
        with ZipFile(file) as archive:
            (root,) = {name.partition("/")[0] for name in archive.namelist() if name.endswith("/constants.pkl")}
            reader = _Reader(archive, root)
            return dict(_tensors(reader.tree(), "", set(), 0))
    except ModelError:
        raise
    except Exception as error:  # a hostile archive can break any of the steps, each in its own way
        reason = f"is not a readable TorchScript archive: {str(error)[:300] or type(error).__name__}"
        raise ModelError(file, reason) from error


class _Named(NamedTuple):
    """What the file calls by a name; it stays a name."""

    name: str


class _Numbers(NamedTuple):
    """A stored run of numbers."""

    key: str
    dtype: str


@dataclass(eq=False)
class _Module:
    attributes: dict[str, Any] = field(default_factory=dict)


class _Mark:
    """Where the items of a tuple, a list or a table begin on the stack."""


class _Reader:
    """Follows the opcodes of `data.pkl` with a stack and a memo."""

    def __init__(self, archive: ZipFile, root: str) -> None:
        self.archive = archive
        self.root = root
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.buffers: dict[_Numbers, torch.Tensor] = {}

    def tree(self) -> _Module:
        """The outermost module."""
        if f"{self.root}/byteorder" in self.archive.namelist() and self._bytes("byteorder") != b"little":
            raise ValueError("its numbers are not stored little-endian")
        data = self._bytes("data.pkl")
        if len(data) > MAX_TREE_BYTES:
            raise ValueError("its description is too large")
        for opcode, argument, _ in pickletools.genops(data):
            self._follow(opcode.name, argument)
        (module,) = self.stack
        if not isinstance(module, _Module):
            raise TypeError("it describes no module")
        return module

    def _follow(self, opcode: str, argument: Any) -> None:
        push, pop = self.stack.append, self.stack.pop
        if opcode in VALUES:
            push(argument)
        elif opcode in CONSTANTS:
            push(CONSTANTS[opcode])
        elif opcode in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"):
            push({"EMPTY_DICT": {}, "EMPTY_LIST": [], "EMPTY_TUPLE": ()}[opcode])
        elif opcode == "MARK":
            push(_Mark())
        elif opcode == "TUPLE":
            push(tuple(self._to_mark()))
        elif opcode in TUPLES:
            push(tuple(reversed([pop() for _ in range(TUPLES[opcode])])))
        elif opcode in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif opcode in ("BINGET", "LONG_BINGET"):
            push(self.memo[argument])
        elif opcode == "GLOBAL":
            push(_Named(argument))
        elif opcode not in ("PROTO", "STOP"):
            self._compose(opcode)

    def _compose(self, opcode: str) -> None:
        push, pop = self.stack.append, self.stack.pop
        if opcode in ("SETITEMS", "SETITEM"):
            items = self._to_mark() if opcode == "SETITEMS" else [pop(), pop()][::-1]
            # names alone: tuples of tuples may take without end to hash, as they may to print or to compare
            names = [_of(name, str) for name in items[::2]]
            _of(self.stack[-1], dict).update(zip(names, items[1::2], strict=True))
        elif opcode in ("APPENDS", "APPEND"):
            items = self._to_mark() if opcode == "APPENDS" else [pop()]
            _of(self.stack[-1], list).extend(items)
        elif opcode == "BINPERSID":
            push(self._numbers(pop()))
        elif opcode == "NEWOBJ":
            arguments, kind = pop(), _of(pop(), _Named)
            if arguments != () or not kind.name.startswith(MODULE):
                raise ValueError(f"it asks to make {kind.name!r}")
            push(_Module())
        elif opcode == "BUILD":
            attributes = _of(pop(), dict)
            _of(self.stack[-1], _Module).attributes = attributes
        elif opcode == "REDUCE":
            arguments, kind = _of(pop(), tuple), _of(pop(), _Named)
            push(self._made(kind.name, arguments))
        else:
            raise ValueError(f"it uses the opcode {opcode}")

    def _made(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if name == TENSOR:
            return self._tensor(*arguments[:4])
        if name == TABLE and not arguments:
            return {}
        if name in TAGS:
            return arguments[0]
        raise ValueError(f"it asks to call {name!r}")

    def _to_mark(self) -> list[Any]:
        items = []
        while not isinstance(item := self.stack.pop(), _Mark):
            items.append(item)
        return items[::-1]

    def _numbers(self, identity: Any) -> _Numbers:
        word, kind, key, *_ = _of(identity, tuple)  # then where it lay, and how many they are
        if word != "storage" or _of(kind, _Named).name not in DTYPES:
            raise ValueError(f"it stores numbers of the kind {_of(kind, _Named).name!r}")
        return _Numbers(_of(key, str), DTYPES[kind.name])

    def _tensor(self, numbers: Any, offset: Any, size: Any, stride: Any) -> torch.Tensor:
        import torch

        numbers = _of(numbers, _Numbers)
        if numbers not in self.buffers:
            stored = bytearray(self._bytes(f"data/{numbers.key}"))
            self.buffers[numbers] = torch.frombuffer(stored, dtype=getattr(torch, numbers.dtype))
        buffer = self.buffers[numbers]
        size, stride, offset = _axes(size), _axes(stride), _of(offset, int)
        # strides may let a small buffer pass for a huge tensor
        if min((*size, *stride, offset), default=0) < 0 or math.prod(size) > buffer.numel():
            raise ValueError(f"it stretches {buffer.numel()} numbers to the shape {size}")
        return buffer.as_strided(size, stride, offset)

    def _bytes(self, name: str) -> bytes:
        record = self.archive.getinfo(f"{self.root}/{name}")
        # nothing is packed in such archives, so that no record is larger than the file
        if record.compress_type != ZIP_STORED:
            raise ValueError(f"its record {name!r} is compressed")
        return self.archive.read(record)


def _of(value: Any, kind: type[Any]) -> Any:
    """The value, if it is exactly of a kind."""
    if type(value) is not kind:
        raise TypeError(f"it has a {type(value).__name__} where a {kind.__name__} belongs")
    return value


def _axes(numbers: Any) -> tuple[int, ...]:
    """Sizes or strides, few enough to be those of a tensor."""
    found = tuple(_of(number, int) for number in _of(numbers, tuple)[: MAX_AXES + 1])
    if len(found) > MAX_AXES:
        raise ValueError(f"it has a tensor of more than {MAX_AXES} axes")
    return found


def _tensors(module: _Module, prefix: str, met: set[int], depth: int) -> Iterator[tuple[str, torch.Tensor]]:
    """Dotted names and tensors; a module met twice is an error, or a few would unfold without end."""
    import torch

    if id(module) in met or depth > MAX_DEPTH:
        raise ValueError("its modules hold each other")
    met.add(id(module))
    for name, value in module.attributes.items():
        if isinstance(value, torch.Tensor):
            yield f"{prefix}{name}", value
        elif isinstance(value, _Module):
            yield from _tensors(value, f"{prefix}{name}.", met, depth + 1)

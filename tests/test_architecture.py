"""The rooms of the package and the one way in which imports may point: towards what comes earlier."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import clip3d
from clip3d.towers import catalogue

SOURCE = Path(clip3d.__file__).parent

ROOMS = (
    "errors",
    "atomic",
    "clouds",
    "lidar",
    "render",
    "simulation",
    "spaces",
    "joint_rules",
    "towers",
    "models",
    "data",
    "search",
    "scenes",
    "generate",
    "training",
    "evaluation",
    "experiments",
    "cli",
    "server",
)
STRANGERS = ({"training", "evaluation"},)

# Loaded only when a function needs them, so that a search answered from the cache starts in a fraction of a second.
ON_USE = {
    "torch", "scipy", "trimesh", "PIL", "rich", "tokenizers", "collada", "fpsample", "safetensors", "sqlglot"
}  # fmt: skip
# Rooms that are imported on use themselves.
HEAVY_ROOMS = {
    "towers": "its modules are torch modules; `towers.catalogue` imports them on use",
    "training": "nothing but `clip3d train` imports it, on use",
}
LOADED_LATE = """
import sys
{statement}
heavy = {names!r} & {{module.split(".")[0] for module in sys.modules}}
sys.exit(f"loaded: {{sorted(heavy)}}" if heavy else 0)
"""


@dataclass(frozen=True)
class Import:
    """One imported module: where it is written, its full name, and whether it runs when its file is imported."""

    file: str
    line: int
    module: str
    level: int
    at_import: bool

    @property
    def room(self) -> str:
        return self.file.split("/")[0].removesuffix(".py")

    @property
    def target(self) -> str:
        """Room that is imported; "" for what is outside the package, and for the package's own version."""
        parts = self.module.split(".")
        return parts[1] if parts[0] == "clip3d" and len(parts) > 1 else ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def imports_of(text: str, file: str) -> Iterator[Import]:
    """Every import of a source text, those inside functions and under TYPE_CHECKING among them."""

    def walk(node: ast.AST, at_import: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            runs = at_import and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(file, child.lineno, alias.name, 0, at_import)
            elif isinstance(child, ast.ImportFrom):
                whole_package = child.module == "clip3d"
                for alias in child.names if whole_package else child.names[:1]:
                    name = f"clip3d.{alias.name}" if whole_package else child.module or ""
                    yield Import(file, child.lineno, name, child.level, at_import)
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                for part in child.body:
                    yield from walk(ast.Module([part], []), False)
                for part in child.orelse:
                    yield from walk(ast.Module([part], []), runs)
            else:
                yield from walk(child, runs)

    yield from walk(ast.parse(text), True)


@functools.cache
def all_imports() -> tuple[Import, ...]:
    found: list[Import] = []
    for path in sorted(SOURCE.rglob("*.py")):
        found += imports_of(path.read_text(encoding="utf-8"), path.relative_to(SOURCE).as_posix())
    return tuple(found)


def downward(imports: Iterable[Import]) -> list[str]:
    """Imports between rooms that do not point to an earlier one."""
    inside = [i for i in imports if i.room in ROOMS and i.target in ROOMS and i.room != i.target]
    return [str(i) for i in inside if ROOMS.index(i.target) > ROOMS.index(i.room)]


def test_every_folder_and_file_is_a_room():
    names = {path.name.removesuffix(".py") for path in SOURCE.iterdir() if path.suffix in ("", ".py")}
    assert names - {"__init__", "__main__", "__pycache__"} <= set(ROOMS)


def test_imports_point_to_earlier_rooms():
    assert downward(all_imports()) == []


def test_training_and_evaluation_do_not_know_each_other():
    assert [str(i) for i in all_imports() for pair in STRANGERS if {i.room, i.target} == pair] == []


def test_no_import_is_relative():
    assert [str(i) for i in all_imports() if i.level] == []


def test_heavy_packages_are_imported_on_use():
    light = [i for i in all_imports() if i.at_import and i.room not in HEAVY_ROOMS]
    assert [str(i) for i in light if i.module.split(".")[0] in ON_USE] == []


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("from clip3d.models.model import Model", "clouds/a.py"),
        ("def f():\n    import clip3d.search.adhoc", "models/a.py"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from clip3d.cli import main", "errors.py"),
        ("from clip3d import evaluation", "training/a.py"),
    ],
)
def test_an_arrow_that_points_down_is_seen(text: str, file: str):
    assert downward(imports_of(text, file))


def test_what_runs_at_import_is_told_from_what_runs_later():
    text = (
        "import typing\nimport torch\nif typing.TYPE_CHECKING:\n    import scipy\nelse:\n    import rich\n"
        "try:\n    import PIL\nexcept ImportError:\n    pass\ndef f():\n    import trimesh\n"
    )
    runs = {i.module for i in imports_of(text, "clouds/a.py") if i.at_import}
    assert runs == {"typing", "torch", "rich", "PIL"}


@pytest.mark.parametrize("name", sorted(catalogue.ARCHITECTURES))
def test_every_architecture_of_the_catalogue_resolves(name: str):
    tower = catalogue.resolve(name)
    assert callable(tower)


def test_an_unknown_architecture_is_answered_with_the_known_ones():
    with pytest.raises(KeyError, match="set-abstraction"):
        catalogue.resolve("no such tower")


@pytest.mark.parametrize(
    "statement",
    [
        "import clip3d",
        "import clip3d; clip3d.read, clip3d.load, clip3d.Model, clip3d.search_files, clip3d.Space",
        "from clip3d.cli.main import run; run(['--help'])",
        "from clip3d.cli.main import run; run(['search', '--help'])",
    ],
)
def test_a_start_loads_no_heavy_package(statement: str):
    code = LOADED_LATE.format(statement=statement, names={"torch", "scipy", "trimesh", "PIL", "tokenizers"})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr

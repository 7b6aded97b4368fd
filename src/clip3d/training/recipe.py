"""Recipes: a TOML file becomes one frozen dataclass; unknown keys and wrong types are errors that say where."""

from __future__ import annotations

import difflib
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from clip3d.errors import DataError

T = TypeVar("T")

KINDS: dict[str, str] = {
    "cloud": "clip3d.training.cloud:CloudRecipe",
    "text": "clip3d.training.text_recipe:TextRecipe",
    "image": "clip3d.training.image:ImageRecipe",
    "adapter": "clip3d.training.adapter_recipe:AdapterRecipe",
    "clip2point": "clip3d.training.clip2point:Clip2PointRecipe",
    "cg3d": "clip3d.training.pretraining_recipe:PretrainingRecipe",
    "finetune": "clip3d.training.finetune_recipe:FinetuneRecipe",
    "sweep": "clip3d.training.sweep_recipe:SweepRecipe",
    "clip-image": "clip3d.training.clip_image:ClipImageRecipe",
}


def read_recipe(path: Path) -> tuple[str, Any]:
    """The kind of a recipe file and its dataclass.

    Raises:
        DataError: if the file is missing or no TOML, its `kind` is unknown, or a key is unknown or of a wrong type.
    """
    table = _read_toml(path)
    kind = table.pop("kind", None)
    if kind not in KINDS:
        raise DataError(path, f"kind = {kind!r} is none of {', '.join(KINDS)}", 'begin with kind = "cloud", say')
    module, name = KINDS[kind].split(":")
    return kind, from_table(getattr(import_module(module), name), table, path)


def read_recipe_of(kind: str, path: Path) -> Any:
    """The dataclass of a recipe file that has to be of one kind; DataError if it is of another, or as above."""
    found, recipe = read_recipe(path)
    if found != kind:
        raise DataError(path, f'is of the kind "{found}"', f'what was asked for takes the kind "{kind}"')
    return recipe


def tower_config(recipe: Any) -> dict[str, Any]:
    """Keyword arguments of the architecture that a recipe trains, as a model's card states them."""
    if hasattr(recipe, "tower"):
        return dict(recipe.tower)
    if not hasattr(recipe, "head"):
        return {}
    hidden = {"hidden": recipe.head.hidden}
    return hidden | {"streets": recipe.head.hidden} if recipe.streets_apart else hidden


def from_table(kind: type[T], table: dict[str, Any], path: Path, where: str = "") -> T:
    """A dataclass from a table of the same keys; tables become nested dataclasses, arrays become tuples."""
    hints = typing.get_type_hints(kind)
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    values = {}
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise DataError(path, f"has an unknown key {where}{key}", f"do you mean {near[0]}?" if near else "")
        values[key] = _convert(hints[key], value, path, f"{where}{key}")
    required = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]  # type: ignore[arg-type]
    missing = [f"{where}{name}" for name in required if name not in values]
    if missing:
        raise DataError(path, f"lacks the key {missing[0]}")
    try:
        return kind(**values)
    except ValueError as error:
        raise DataError(path, f"{where.rstrip('.')}: {error}" if where else str(error)) from error


def _convert(hint: Any, value: Any, path: Path, where: str) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise DataError(path, f"{where} must be a table")
        return from_table(hint, value, path, f"{where}.")
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _convert(next(a for a in typing.get_args(hint) if a is not type(None)), value, path, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise DataError(path, f"{where} must be an array")
        inner, *rest = typing.get_args(hint)
        if rest != [...] and len(value) != 1 + len(rest):
            raise DataError(path, f"{where} must have {1 + len(rest)} entries, got {len(value)}")
        return tuple(_convert(inner, item, path, where) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if origin is dict or hint is Any or hint is object:
        return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()} if origin is dict else value
    if hint is Path:
        return Path(value)
    if isinstance(hint, type) and (not isinstance(value, hint) or (hint is not bool and isinstance(value, bool))):
        raise DataError(path, f"{where} must be of type {hint.__name__}, got {value!r}")
    return value


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib  # type: ignore[import-not-found, no-redef, unused-ignore]
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        remedy = "recipes lie in recipes/ of the repository; experiments look where --recipes says"
        raise DataError(path, f"cannot be read: {error.strerror}", remedy) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(path, f"is not TOML: {error}") from error

"""The public names. Taking one away is a decision: change tests/api_surface.json and say so in CHANGELOG.md."""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from pathlib import Path

import pytest

import clip3d

SURFACE: dict[str, list[str]] = json.loads(Path(__file__).with_name("api_surface.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", sorted(SURFACE))
def test_no_public_name_is_gone(module: str):
    home = import_module(module)
    assert [name for name in SURFACE[module] if not hasattr(home, name)] == []


@pytest.mark.parametrize("module", sorted(SURFACE))
def test_public_functions_and_classes_say_what_they_do(module: str):
    home = import_module(module)
    objects = {name: getattr(home, name) for name in SURFACE[module]}
    spoken = [name for name, o in objects.items() if inspect.isroutine(o) or inspect.isclass(o)]
    assert [name for name in spoken if not inspect.getdoc(objects[name])] == []


def test_the_front_door_has_these_names_and_no_others():
    assert sorted(clip3d.__all__) == SURFACE["clip3d"]
    assert set(SURFACE["clip3d"]) <= set(dir(clip3d))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = clip3d.lode


def test_the_list_is_sorted_so_that_changes_can_be_read():
    assert list(SURFACE) == sorted(SURFACE)
    assert {module: sorted(names) for module, names in SURFACE.items()} == SURFACE

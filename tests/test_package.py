"""What is shipped: versions that agree, dependencies that are declared and tested, files that are there."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import metadata, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import clip3d
from clip3d.data.samples import FOLDER, list_samples

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
SOURCE = Path(clip3d.__file__).parent
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
DISTRIBUTION_OF = {
    "PIL": "pillow",
    "collada": "pycollada",
    "huggingface_hub": "huggingface-hub",
    "open_clip": "open-clip-torch",
    "pxr": "usd-core",
    "rerun": "rerun-sdk",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
}
NOT_IMPORTED = {
    "lxml": "the XML parser of pycollada, which would take another one where it is missing",
    "rich": "comes with typer",
    "tensorboard": "torch.utils.tensorboard writes with it",
}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def constraints() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def holds(requirement: Requirement, python: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"python_version": python})


def test_versions_agree(project: dict[str, Any]):
    assert clip3d.__version__ == project["version"] == version("clip3d")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{clip3d.__version__}]" in changes


def test_every_import_is_declared_and_every_dependency_is_imported(project: dict[str, Any]):
    modules: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module.split(".")[0])
    foreign = {DISTRIBUTION_OF.get(m, m) for m in modules - set(sys.stdlib_module_names) - {"clip3d", "tomllib"}}
    declared = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    extras = {n: lines for n, lines in project["optional-dependencies"].items() if n != "dev"}
    optional = {canonicalize_name(Requirement(line).name) for lines in extras.values() for line in lines}
    assert foreign - declared - optional <= NOT_IMPORTED.keys()
    assert optional - foreign <= NOT_IMPORTED.keys()
    assert declared - foreign <= NOT_IMPORTED.keys()


@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_has_one_tested_version(
    project: dict[str, Any], constraints: list[Requirement], python: str
):
    wanted = [Requirement(r) for r in [*project["dependencies"], *project["optional-dependencies"]["dev"]]]
    for requirement in (r for r in wanted if holds(r, python)):
        name = canonicalize_name(requirement.name)
        tested = [c for c in constraints if canonicalize_name(c.name) == name and holds(c, python)]
        assert len(tested) == 1, f"{name} on Python {python}: {len(tested)} lines in constraints.txt"
        (exact,) = tested[0].specifier
        assert exact.operator == "=="
        assert requirement.specifier.contains(exact.version), f"{tested[0]} is outside of {requirement}"


def test_declared_pythons_agree(project: dict[str, Any]):
    named = [c.rsplit(" ", 1)[1] for c in project["classifiers"] if re.search(r"Python :: 3\.\d+$", c)]
    assert tuple(named) == PYTHONS
    assert project["requires-python"] == f">={PYTHONS[0]}"


def test_licence_and_notice_go_with_the_package():
    facts = metadata("clip3d")
    assert facts["License-Expression"] == "Apache-2.0"
    assert set(facts.get_all("License-File") or ()) == {"LICENSE", "NOTICE"}


def test_samples_are_complete_and_free():
    samples = list_samples()
    files = [*(sample.path for sample in samples.objects), samples.image, samples.like]
    assert [path.name for path in files if not path.is_file()] == []
    assert {sample.licence for sample in samples.objects} == {"CC0-1.0"}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 5e6


def test_the_default_model_is_there_with_its_four_towers():
    assert sorted(clip3d.load().card.towers) == ["cloud", "image", "sweep", "text"]


def test_types_are_published():
    assert (SOURCE / "py.typed").is_file()


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_the_run_that_checks_everything_can_be_started():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=60)

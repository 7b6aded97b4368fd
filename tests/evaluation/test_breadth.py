"""The test of breadth, built from a package made here."""

import io
from pathlib import Path

import numpy as np
import pytest
from model_files import spm
from package_files import write_deb
from PIL import Image

from clip3d.data.labelled_clouds import read_labelled
from clip3d.data.sources import SOURCES
from clip3d.errors import DataError
from clip3d.evaluation.breadth import PACKAGE, PURPOSE, ROOT, build_breadth_test
from clip3d.evaluation.breadth_things import JOINED, THINGS

TREE = "library/stklib_accacia_a/stklib_accacia_a_high"
COCK = "library/stklib_weatherCock_a/stklib_weatherCock_a"


def package(path: Path, *models: str, broken: str = "") -> Path:
    picture = io.BytesIO()
    Image.new("RGB", (2, 2), (0, 0, 255)).save(picture, "PNG")
    files = {f"{ROOT}{name}.spm": spm() for name in (*models, "library/other")}
    files[f"{ROOT}textures/a.png"] = picture.getvalue()
    if broken:
        files[f"{ROOT}{broken}.spm"] = b"SP"
    return write_deb(path, files)


def test_the_file_is_what_zero_shot_reads(tmp_path: Path) -> None:
    deb = package(tmp_path / "p.deb", "models/anchor", TREE)
    built = build_breadth_test(deb, tmp_path / "b.npz", points=64)
    data = read_labelled(tmp_path / "b.npz")
    assert (built.objects, built.classes, len(data)) == (2, 2, 2)
    assert [data.classes[i] for i in data.labels] == ["anchor", "tree"]
    assert (data.up, data.points.shape) == ("y", (2, 64, 3))
    assert np.linalg.norm(data.points, axis=2).max() <= 1.0001
    assert data.colors is not None
    np.testing.assert_allclose(data.colors[0], np.tile([0, 0, 1], (64, 1)))
    assert str(np.load(tmp_path / "b.npz")["purpose"]) == PURPOSE


def test_building_again_gives_the_same_points(tmp_path: Path) -> None:
    deb = package(tmp_path / "p.deb", "models/anchor")
    for name in ("a.npz", "b.npz"):
        build_breadth_test(deb, tmp_path / name, points=64)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["points"], np.load(tmp_path / "b.npz")["points"])


def test_an_object_of_several_files_needs_all_of_them(tmp_path: Path) -> None:
    deb = package(tmp_path / "p.deb", "models/anchor", f"{COCK}_main")
    assert build_breadth_test(deb, tmp_path / "b.npz", points=64).objects == 1
    deb = package(tmp_path / "p.deb", f"{COCK}_main", f"{COCK}_structure")
    assert build_breadth_test(deb, tmp_path / "b.npz", points=64).objects == 1


def test_a_broken_model_is_named_and_the_rest_is_built(tmp_path: Path) -> None:
    lines: list[str] = []
    deb = package(tmp_path / "p.deb", TREE, broken="models/anchor")
    built = build_breadth_test(deb, tmp_path / "b.npz", points=64, progress=lines.append)
    assert built.objects == 1
    assert any(name == "models/anchor" and "do not fit" in reason for name, reason in built.passed_over)
    assert any(line.startswith("models/anchor passed over") for line in lines)


def test_another_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of the objects"):
        build_breadth_test(package(tmp_path / "p.deb"), tmp_path / "b.npz")
    assert not (tmp_path / "b.npz").exists()


def test_no_source_of_training_models_is_this_package() -> None:
    assert PACKAGE not in {source.package.split("==")[0] for source in SOURCES}


def test_every_class_is_a_plain_name_with_objects_of_its_own() -> None:
    names = [name for names in THINGS.values() for name in names]
    assert len(names) == len(set(names))
    assert len(THINGS) >= 60
    assert all(kind == kind.strip().lower() and "_" not in kind for kind in THINGS)
    assert set(JOINED) <= set(names)

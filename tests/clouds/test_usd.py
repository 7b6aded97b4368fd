"""USD as text written here and as usd-core packs it: meshes in place, points, colours, references, damage."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from refusing import refused

from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.formats import usd, usd_worker
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.reading import read
from clip3d.errors import CloudError, MissingExtra

needs_usd = pytest.mark.skipif(__import__("importlib.util").util.find_spec("pxr") is None, reason="needs usd-core")
SQUARE = """
    int[] faceVertexCounts = [4]
    int[] faceVertexIndices = [0, 1, 2, 3]
    point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
"""


def stage(body: str, facts: str = 'upAxis = "Y" metersPerUnit = 0.01') -> str:
    return f"#usda 1.0\n({facts.replace(' meters', chr(10) + 'meters')}\n)\n{body}"


def mesh(name: str = "m", more: str = "", square: str = SQUARE) -> str:
    return f'def Mesh "{name}"\n{{{square}{more}\n}}\n'


def shifted(*by: float) -> str:
    return f'double3 xformOp:translate = {by}\nuniform token[] xformOpOrder = ["xformOp:translate"]\n'


def spread(kind: str, colors: list[tuple[float, float, float]]) -> str:
    return f'color3f[] primvars:displayColor = {colors} (interpolation = "{kind}")'


def save(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@needs_usd
def test_meshes_are_placed_by_their_transforms_and_hidden_ones_left_out(tmp_path: Path) -> None:
    more = shifted(0, 0, 5)
    hidden = mesh("h", 'token visibility = "invisible"') + mesh("g", 'uniform token purpose = "guide"')
    scale = 'double3 xformOp:scale = (2, 3, 1)\nuniform token[] xformOpOrder = ["xformOp:scale"]'
    body = f'def Xform "x"\n{{\n{scale}\n{mesh()}}}\n'
    path = save(tmp_path / "a.usda", stage(body + mesh("n", more) + hidden.replace("(0, 0, 0)", "(0, 0, 90)")))
    cloud = read(path, points=4000)
    assert np.allclose(cloud.points.max(axis=0), (2, 3, 5), atol=0.1)
    assert np.isin(cloud.points[:, 2].round(4), (0, 5)).all()
    assert 0.8 < (cloud.points[:, 2] < 1).mean() < 0.9
    assert (cloud.up, cloud.unit, cloud.frame_source) == ("y", "cm", "file")
    assert np.allclose(cloud.normals, (0, 0, 1))
    assert find_clouds(tmp_path).files == [path]


@needs_usd
def test_up_axes_units_and_left_hands(tmp_path: Path) -> None:
    left = mesh(more='uniform token orientation = "leftHanded"')
    cloud = read(save(tmp_path / "a.usda", stage(left, 'upAxis = "Z" metersPerUnit = 1')))
    assert (cloud.up, cloud.unit) == ("z", "m")
    assert np.allclose(cloud.normals, (0, 0, -1))
    odd = read(save(tmp_path / "b.usda", stage(mesh(), 'upAxis = "Z" metersPerUnit = 10')))
    assert odd.unit == "m"
    assert odd.points.max() == pytest.approx(10, abs=0.2)


@needs_usd
@pytest.mark.parametrize("metres", ["0", "-1", "nan", "inf"])
def test_units_that_are_no_lengths(tmp_path: Path, metres: str) -> None:
    path = save(tmp_path / "a.usda", stage(mesh(), f'upAxis = "Z" metersPerUnit = {metres}'))
    assert "metersPerUnit" in refused(path).reason


@needs_usd
@pytest.mark.parametrize(
    ("color", "expected"),
    [
        (spread("constant", [(1, 0, 0)]), (1, 0, 0)),
        (spread("uniform", [(0.2140411, 0, 0)]), (0.5, 0, 0)),
        (spread("vertex", [(0, 1, 0)] * 4), (0, 1, 0)),
        (spread("faceVarying", [(0, 1, 0)] * 4), (0, 1, 0)),
        ("prepend rel material:binding = </look>", (0, 0, 1)),
    ],
)
def test_colours(tmp_path: Path, color: str, expected: tuple[float, float, float]) -> None:
    look = """def Material "look"
{
    token outputs:surface.connect = </look/s.outputs:surface>
    def Shader "s"
    {
        uniform token info:id = "UsdPreviewSurface"
        color3f inputs:diffuseColor = (0, 0, 1)
        token outputs:surface
    }
}
"""
    bound = mesh(more=color).replace('"m"', '"m" (prepend apiSchemas = ["MaterialBindingAPI"])')
    cloud = read(save(tmp_path / "a.usda", stage(look + bound)))
    assert cloud.colors is not None
    assert np.allclose(cloud.colors, expected, atol=2e-3)


@needs_usd
def test_parts_of_a_mesh_have_the_colours_of_their_materials(tmp_path: Path) -> None:
    looks = "".join(
        f"""def Material "{name}"
{{
    token outputs:surface.connect = </{name}/s.outputs:surface>
    def Shader "s"
    {{
        uniform token info:id = "UsdPreviewSurface"
        color3f inputs:diffuseColor = {color}
        token outputs:surface
    }}
}}
"""
        for name, color in (("red", (1, 0, 0)), ("blue", (0, 0, 1)))
    )
    subsets = "".join(
        f"""def GeomSubset "{name}" (prepend apiSchemas = ["MaterialBindingAPI"])
{{
    uniform token elementType = "face"
    uniform token familyName = "materialBind"
    int[] indices = {faces}
    rel material:binding = </{name}>
}}
"""
        for name, faces in (("red", [0, 7, -1]), ("blue", [1]))
    )
    square = SQUARE.replace("[4]", "[4, 4, 4]").replace("3]", "3, 4, 5, 6, 7, 8, 9, 10, 11]")
    rows = ", ".join(f"({x}, {y}, 0)" for x in (0, 2, 4) for x, y in ((x, 0), (x + 1, 0), (x + 1, 1), (x, 1)))
    square = square[: square.index("point3f")] + f"point3f[] points = [{rows}]\n"
    cloud = read(save(tmp_path / "a.usda", stage(looks + mesh(more=subsets, square=square))))
    assert cloud.colors is not None
    for left, color in ((0, (1, 0, 0)), (2, (0, 0, 1)), (4, (0.5, 0.5, 0.5))):
        inside = (cloud.points[:, 0] >= left) & (cloud.points[:, 0] <= left + 1)
        assert inside.sum() > 2000
        assert np.allclose(cloud.colors[inside], color, atol=2e-3)


@needs_usd
def test_points_come_back_where_there_are_no_meshes(tmp_path: Path) -> None:
    points = """def Points "p"
{
    point3f[] points = [(0, 0, 1), (0, 2, 0), (3, 0, 0)]
    color3f[] primvars:displayColor = [(1, 0, 0), (0, 1, 0), (0, 0, 1)] (interpolation = "vertex")
}
"""
    cloud = read(save(tmp_path / "a.usda", stage(points)))
    assert np.array_equal(cloud.points, [(0, 0, 1), (0, 2, 0), (3, 0, 0)])
    assert np.allclose(cloud.colors, np.eye(3))


@needs_usd
def test_packed_stages_and_instances_of_a_layer_in_the_folder(tmp_path: Path) -> None:
    from pxr import Usd, UsdUtils

    (tmp_path / "parts").mkdir()
    part = save(tmp_path / "parts/part.usda", stage(mesh()).replace(")\n", ')\ndef Xform "root"\n{\n', 1) + "}\n")
    uses = "".join(
        f'def Xform "u{i}" (instanceable = true\nreferences = @./parts/part.usda@</root>)\n'
        f"{{\n{shifted(3 * i, 0, 0)}}}\n"
        for i in range(3)
    )
    whole = save(tmp_path / "whole.usda", stage(uses))
    cloud = read(whole)
    assert cloud.points[:, 0].max() == pytest.approx(7, abs=0.1)
    assert set(cloud.sources) == {whole, part}
    Usd.Stage.Open(str(whole)).Export(str(tmp_path / "b.usdc"))
    Usd.Stage.Open(str(whole)).Export(str(tmp_path / "c.usd"))
    assert UsdUtils.CreateNewUsdzPackage(str(whole), str(tmp_path / "d.usdz"))
    for name in ("b.usdc", "c.usd", "d.usdz"):
        assert read(tmp_path / name).points[:, 0].max() == pytest.approx(7, abs=0.1)


@needs_usd
def test_references_out_of_the_folder_are_refused_and_missing_ones_noted(tmp_path: Path) -> None:
    save(tmp_path / "secret.usda", stage(mesh()))
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "a.usda"
    for arc in (f"references = @{tmp_path}/secret.usda@</m>", "payload = @../secret.usda@</m>"):
        save(path, stage(f'def Xform "x" ({arc})\n{{\n}}\n' + mesh()))
        assert "outside of its folder" in refused(path).reason
    save(path, stage(mesh(), "subLayers = [@../secret.usda@]"))
    assert "outside of its folder" in refused(path).reason
    (tmp_path / "in" / "link.usda").symlink_to(tmp_path / "secret.usda")
    save(path, stage(mesh(), "subLayers = [@./link.usda@]"))
    assert "outside of its folder" in refused(path).reason
    save(path, stage(mesh(), "subLayers = [@./none.usda@]"))
    assert [source.name for source in read(path).sources] == ["a.usda", "none.usda"]


@needs_usd
def test_corners_that_no_face_names_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usd_worker, "MAX_FACES", 3)
    whole = save(tmp_path / "a.usda", stage(mesh()))
    assert len(usd_worker.read_stage(whole)[1]["corners"]) == 4
    many = SQUARE.replace("(0, 1, 0)]", "(0, 1, 0)" + ", (0, 0, 0)" * 6 + "]")
    with pytest.raises(Malformed, match="corners"):
        usd_worker.read_stage(save(tmp_path / "b.usda", stage(mesh(square=many))))


@needs_usd
def test_stages_that_are_damaged_or_empty(tmp_path: Path) -> None:
    assert refused(save(tmp_path / "a.usda", '#usda 1.0\ndef Mesh "m" {')).reason == "usd-core does not open it"
    assert "no surface" in refused(save(tmp_path / "b.usda", stage('def Xform "x" {\n}\n'))).reason
    bad = SQUARE.replace("2, 3]", "2, 9]")
    assert "names a vertex" in refused(save(tmp_path / "c.usda", stage(mesh(square=bad)))).reason
    bad = SQUARE.replace("[4]", "[5]")
    assert "do not fit" in refused(save(tmp_path / "d.usda", stage(mesh(square=bad)))).reason
    (tmp_path / "e.usdc").write_bytes(b"PXR-USDC" + bytes(range(256)) * 4)
    refused(tmp_path / "e.usdc")


@needs_usd
def test_a_library_that_crashes_or_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.usda", stage(mesh()))
    monkeypatch.setattr(usd, "WORKER", "import os; os.abort()")
    assert refused(path).reason == "usd-core fails on it"
    monkeypatch.setattr(usd, "MAX_SECONDS", 0.5)
    monkeypatch.setattr(usd, "WORKER", "import time; time.sleep(60)")
    assert "does not end" in refused(path).reason


def test_without_usd_core_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pxr", None)
    monkeypatch.setattr(usd, "find_spec", lambda name: None)
    with pytest.raises(CloudError, match=r"usd-core.*clip3d\[usd\]") as caught:
        read(save(tmp_path / "a.usda", stage(mesh())))
    assert isinstance(caught.value.__cause__, MissingExtra)

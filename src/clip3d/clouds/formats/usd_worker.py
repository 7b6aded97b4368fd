"""The process that usd-core runs in: a stage becomes arrays in an npz file, and facts or a reason in JSON."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import MAX_FACES, MAX_PARTS, MAX_POINTS, Malformed, fan, srgb_of_linear

MAX_LAYERS = 2000
MAX_MEMORY_BYTES = 8 * 1024**3
SHOWN = ("default", "render")
GREY = 0.5
Values = NDArray[np.float64]


def main(source: str, target: str) -> None:
    """Write arrays.npz and facts.json into the folder `target` for the USD file `source`."""
    from pxr import Tf

    _limit_memory()
    folder = Path(target)
    try:
        facts, arrays = read_stage(Path(source))
        np.savez(folder / "arrays.npz", allow_pickle=False, **arrays)
    except Malformed as error:
        facts = {"reason": error.reason}
    except Tf.ErrorException:
        facts = {"reason": "usd-core does not open it"}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # only Unix has limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))


def read_stage(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The stage's frame and the layers beside it, and its geometry in the stage's frame.

    Returns:
        facts: `up`, `metres` of its unit, `layers` (names relative to the file's folder, missing ones too).
        arrays: `corners` (v, 3), `corner_colors` (v, 3), `faces` (f, 3) counted within a part, `face_colors`
            (f, 3), `corner_counts` and `face_counts` of the parts, `points` (p, 3), `point_colors` (p, 3); colours
            are sRGB, NaN where there is none.

    Raises:
        Malformed: if it does not open, is too large, or refers to files outside of its folder.
    """
    from pxr import Sdf, Usd, UsdGeom

    root = Sdf.Layer.FindOrOpen(str(path))
    if root is None:
        raise Malformed("usd-core does not open it")
    layers = _layers(root, path.parent)
    stage = Usd.Stage.Open(root)
    for layer in stage.GetUsedLayers():
        if layer.realPath:
            _inside(layer.realPath, path.parent)
    facts = {
        "up": str(UsdGeom.GetStageUpAxis(stage)),
        "metres": float(UsdGeom.GetStageMetersPerUnit(stage)),
        "layers": layers,
    }
    return facts, _geometry(stage)


def _layers(root: Any, folder: Path) -> list[str]:
    """Names of all layers that are referred to, once all of them are known to lie in the folder."""
    from pxr import Sdf

    names: dict[str, None] = {}
    waiting = [root]
    while waiting:
        layer = waiting.pop()
        for name in filter(None, layer.GetCompositionAssetDependencies()):
            place = layer.ComputeAbsolutePath(name)
            relative = _inside(_file_of(place), folder)
            if place in names:
                continue
            names[place] = None
            if len(names) > MAX_LAYERS:
                raise Malformed(f"it refers to more than {MAX_LAYERS:,} layers")
            if (folder / relative).exists() and (below := Sdf.Layer.FindOrOpen(place)) is not None:
                waiting.append(below)
    return list(dict.fromkeys(_inside(_file_of(name), folder) for name in names))


def _file_of(name: str) -> str:
    """The file of a layer: of a.usdz[b.usda] it is a.usdz."""
    from pxr import Ar

    return str(Ar.SplitPackageRelativePathOuter(name)[0]) if Ar.IsPackageRelativePath(name) else name


def _inside(name: str, folder: Path) -> str:
    """The name relative to the folder, links followed."""
    place = (folder / name).resolve()
    if "://" in name or not place.is_relative_to(folder):
        raise Malformed(f"it refers to {name[:200]} outside of its folder")
    return place.relative_to(folder).as_posix()


def _geometry(stage: Any) -> dict[str, NDArray[Any]]:
    from pxr import Usd, UsdGeom

    time = Usd.TimeCode.EarliestTime()
    transforms = UsdGeom.XformCache(time)
    parts, points, point_colors = [], [np.zeros((0, 3))], [np.zeros((0, 3))]
    triangles = corners = 0
    for prim in _shown(stage, time):
        matrix = np.array(transforms.GetLocalToWorldTransform(prim))
        if prim.IsA(UsdGeom.Mesh):
            parts.append(_mesh(UsdGeom.Mesh(prim), matrix, time))
            triangles, corners = triangles + len(parts[-1][2]), corners + len(parts[-1][0])
        elif prim.IsA(UsdGeom.Points):
            placed = _placed(UsdGeom.Points(prim), matrix, time)
            points.append(placed)
            color = _color(prim, time, {"vertex": len(placed), "varying": len(placed)})[1]
            point_colors.append(np.broadcast_to(color, placed.shape))
        if triangles > MAX_FACES or corners > 3 * MAX_FACES:
            raise Malformed(f"its scene has more than {MAX_FACES:,} triangles or {3 * MAX_FACES:,} corners")
        if len(parts) > MAX_PARTS or sum(map(len, points)) > MAX_POINTS:
            raise Malformed(f"its scene has more than {MAX_PARTS:,} parts or {MAX_POINTS:,} points")
    columns = list(zip(*parts, strict=True)) if parts else [(np.zeros((0, 3)),)] * 4
    names = ("corners", "corner_colors", "faces", "face_colors")
    arrays = {name: np.concatenate(column) for name, column in zip(names, columns, strict=True)}
    arrays["corner_counts"] = np.array([len(column) for column in columns[0]])
    arrays["face_counts"] = np.array([len(column) for column in columns[2]])
    return {**arrays, "points": np.concatenate(points), "point_colors": np.concatenate(point_colors)}


def _shown(stage: Any, time: Any) -> Iterator[Any]:
    """What is seen of the stage, instances unfolded."""
    from pxr import Usd, UsdGeom

    for prim in stage.Traverse(Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)):
        geometry = UsdGeom.Imageable(prim)
        if not (prim.IsA(UsdGeom.Mesh) or prim.IsA(UsdGeom.Points)):
            continue
        if geometry.ComputeVisibility(time) != "invisible" and geometry.ComputePurpose() in SHOWN:
            yield prim


def _placed(geometry: Any, matrix: Values, time: Any) -> Values:
    """Points (n, 3) in the stage's frame; USD's matrices stand to the right of rows."""
    points = np.array(geometry.GetPointsAttr().Get(time) or np.zeros((0, 3)), dtype=np.float64).reshape(-1, 3)
    return np.asarray(points @ matrix[:3, :3] + matrix[3, :3])


def _mesh(mesh: Any, matrix: Values, time: Any) -> tuple[Values, Values, NDArray[np.intp], Values]:
    """Corners, their colours, triangles and their colours."""
    corners = _placed(mesh, matrix, time)
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get(time) or (), dtype=np.intp)
    indices = np.array(mesh.GetFaceVertexIndicesAttr().Get(time) or (), dtype=np.intp)
    if (counts < 0).any() or counts.sum() != len(indices):
        raise Malformed("a mesh has faces that do not fit its list of corners")
    if len(indices) and not 0 <= indices.min() <= indices.max() < len(corners):
        raise Malformed(f"a face names a vertex that is not among {len(corners)}")
    places, owner = fan(counts)
    faces = indices[places]
    turned = (mesh.GetOrientationAttr().Get(time) == "leftHanded") != (np.linalg.det(matrix[:3, :3]) < 0)
    sizes = {"vertex": len(corners), "varying": len(corners), "uniform": len(counts), "faceVarying": len(indices)}
    kind, color = _color(mesh.GetPrim(), time, sizes)
    of_corners, of_faces = np.full(corners.shape, np.nan), np.full(faces.shape, np.nan)
    if kind in ("vertex", "varying"):
        of_corners = color
    elif kind == "uniform":
        of_faces = color[owner]
    elif kind == "faceVarying":
        of_faces = color[places].mean(axis=1)
    else:
        of_faces = _of_subsets(mesh.GetPrim(), len(counts), color, time)[owner]
    return corners, of_corners, faces[:, ::-1] if turned else faces, of_faces


def _color(prim: Any, time: Any, sizes: dict[str, int]) -> tuple[str, Values]:
    """How `displayColor` is spread over a prim, and its values in sRGB; a material's colour is constant."""
    from pxr import UsdGeom

    primvar = UsdGeom.Gprim(prim).GetDisplayColorPrimvar()
    values = primvar.ComputeFlattened(time) if primvar and primvar.HasValue() else None
    if values is not None and len(values):
        color, kind = _srgb(values).reshape(-1, 3), str(primvar.GetInterpolation())
        if len(color) == sizes.get(kind):
            return kind, color
        return "constant", color[0]
    return "constant", _diffuse(prim, time)


def _of_subsets(prim: Any, faces: int, color: Values, time: Any) -> Values:
    """The colour of each face (n, 3): of the material of its subset, else that of the whole, else grey."""
    from pxr import UsdGeom, UsdShade

    primvar = UsdGeom.Gprim(prim).GetDisplayColorPrimvar()
    own = bool(primvar and primvar.HasValue())
    colors = np.tile(color, (faces, 1))
    for subset in () if own else UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
        members = np.array(subset.GetIndicesAttr().Get(time) or (), dtype=np.intp)
        colors[members[(members >= 0) & (members < faces)]] = _diffuse(subset.GetPrim(), time)
    missing = np.isnan(colors).any(axis=1)
    if not missing.all():
        colors[missing] = GREY
    return colors


def _diffuse(prim: Any, time: Any) -> Values:
    """The constant colour (3,) in sRGB of the material that is bound to a prim, or NaN."""
    from pxr import UsdShade

    material = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()[0]
    shader = material.ComputeSurfaceSource()[0] if material else None
    diffuse = shader.GetInput("diffuseColor") if shader else None
    value = diffuse.Get(time) if diffuse and not diffuse.HasConnectedSource() else None
    return np.full(3, np.nan) if value is None else _srgb(value)


def _srgb(values: Any) -> Values:
    return srgb_of_linear(np.array(values)).astype(np.float64)

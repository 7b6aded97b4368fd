"""What a reader promises for each format: geometry, colour, frame, and the files it used."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import sample_files as files

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.reading import FORMATS, SUFFIXES, read
from clip3d.errors import CloudError, ShapeError

CUBES = [
    "ascii.ply", "little.ply", "big.ply", "modelnet.off", "colors.off", "ascii.stl", "binary.stl", "cube.obj",
]  # fmt: skip
CLOUDS = ["ascii.pcd", "binary.pcd", "packed.pcd", "colors.xyz", "plain.txt", "named.csv", "plain.npy", "named.npz"]
# Read as a stream or with optional packages, and tested in files of their own.
OPTIONAL = {".bag", ".db3", ".e57", ".las", ".laz", ".mcap", ".usd", ".usda", ".usdc", ".usdz"}
RED, BLUE = (1, 0, 0), (0, 0, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    files.write_all(folder)
    return folder


def on_cube(points: np.ndarray) -> bool:
    return bool(np.allclose(np.abs(points).max(1), 1, atol=1e-5))


@pytest.mark.parametrize("name", CUBES)
def test_a_cube_is_sampled_evenly_over_its_six_sides(folder: Path, name: str) -> None:
    cloud = read(folder / name, points=6000)
    assert len(cloud) == 6000
    assert on_cube(cloud.points)
    sides = np.abs(cloud.points).argmax(1) * 2 + (cloud.points[np.arange(6000), np.abs(cloud.points).argmax(1)] > 0)
    assert np.all(np.abs(np.bincount(sides, minlength=6) - 1000) < 60)
    assert cloud.normals is not None
    assert np.allclose(np.abs((cloud.normals * cloud.points).sum(1)), 1, atol=1e-4)


def test_every_suffix_has_a_file_here_and_a_reader(folder: Path) -> None:
    assert {Path(name).suffix for name in files.BUILDERS} | OPTIONAL == SUFFIXES == set(FORMATS)


@pytest.mark.parametrize("name", CLOUDS)
def test_point_files_come_back_whole_and_in_order(folder: Path, name: str) -> None:
    cloud = read(folder / name, points=10)
    assert np.allclose(cloud.points, files.CLOUD, atol=1e-6)
    if name != "plain.npy":
        assert cloud.colors is not None
        assert np.allclose(cloud.colors, np.where(files.CLOUD[:, :1] > 0, RED, BLUE))


@pytest.mark.parametrize("name", ["ascii.pcd", "binary.pcd", "packed.pcd"])
def test_pcd_normals_are_kept(folder: Path, name: str) -> None:
    normals = read(folder / name).normals
    assert normals is not None
    assert np.allclose(normals, files.CLOUD / np.linalg.norm(files.CLOUD, axis=1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("name", ["ascii.ply", "colors.off"])
def test_vertex_colours_run_from_blue_to_red(folder: Path, name: str) -> None:
    cloud = read(folder / name)
    assert cloud.colors is not None
    expected = (cloud.points[:, :1] + 1) / 2
    assert np.allclose(cloud.colors, expected * RED + (1 - expected) * BLUE, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("cube.obj", ("y", "unknown", "default")),
        ("ascii.ply", ("z", "unknown", "default")),
        ("scene.glb", ("y", "m", "file")),
        ("inside.gltf", ("y", "m", "file")),
        ("scene.dae", ("z", "cm", "file")),
        ("parts.3mf", ("z", "in", "file")),
        ("binary.pcd", ("z", "unknown", "default")),
        ("named.npz", ("y", "cm", "file")),
    ],
)
def test_convention_frame_of_each_format(folder: Path, name: str, frame: tuple[str, str, str]) -> None:
    cloud = read(folder / name)
    assert (cloud.up, cloud.unit, cloud.frame_source) == frame


def test_the_user_overrides_the_frame(folder: Path) -> None:
    cloud = read(folder / "scene.glb", up="x", unit="mm")
    assert (cloud.up, cloud.unit, cloud.frame_source) == ("x", "mm", "user")


def test_equal_seeds_give_equal_points(folder: Path) -> None:
    first, second, other = (read(folder / "cube.obj", points=50, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.points, second.points)
    assert not np.array_equal(first.points, other.points)


def test_the_number_of_points_is_checked(folder: Path) -> None:
    for points in (0, -1, 10**9):
        with pytest.raises(ShapeError, match="points must lie between"):
            read(folder / "cube.obj", points=points)


# OBJ


def near(cloud: PointCloud, place: tuple[float, float, float], within: float = 0.3) -> np.ndarray:
    """Mean colour of the points near a place."""
    assert cloud.colors is not None
    mine = np.abs(cloud.points - place).max(1) < within
    assert mine.any()
    return cloud.colors[mine].mean(0)


def test_obj_materials_and_the_picture_the_right_way_up(folder: Path) -> None:
    cloud = read(folder / "cube.obj", points=20000)
    assert np.allclose(near(cloud, (-1, 0, 0), 0.5), BLUE, atol=0.02)
    assert np.allclose(near(cloud, (1, 0, 0), 0.5), RED, atol=0.02)
    # On the side y < 0 the corners have u, v = 0 0, 1 0, 1 1, 0 1; the picture is red at its top left.
    corners = files.VERTICES[files.QUADS[2]]
    expected = {0: BLUE, 1: (1, 1, 1), 2: (0, 1, 0), 3: RED}
    for index, color in expected.items():
        inward = corners[index] * (0.85, 1, 0.85)
        assert np.allclose(near(cloud, tuple(inward), 0.1), color, atol=0.02), index


def test_obj_names_all_its_files_and_those_that_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "cube.obj"
    path.write_bytes(files.obj())
    (tmp_path / "cube.mtl").write_bytes(files.mtl())
    cloud = read(path)
    assert {source.name for source in cloud.sources} == {"cube.obj", "cube.mtl", "checks.png"}
    assert np.allclose(near(cloud, (0, -1, 0), 0.5), (1, 1, 1), atol=0.02)  # the material's colour instead


FORMS = ["-4/-1 -3/-1 -2/-1 -1/-1", "1 2 3 4", "1//1 2//1 3//1 4//1", "1/1/1 2/1/1 3/1/1 4/1/1"]


@pytest.mark.parametrize("corners", FORMS)
def test_obj_face_forms(tmp_path: Path, corners: str) -> None:
    path = tmp_path / "square.obj"
    path.write_text(f"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\nf {corners} # face\nv 9 9 9\n")
    cloud = read(path, points=2000)
    assert np.allclose(cloud.points.mean(0), (0.5, 0.5, 0), atol=0.03)
    assert cloud.normals is not None
    assert np.allclose(cloud.normals, (0, 0, 1))


def test_obj_negative_indices_count_back_from_their_own_line(tmp_path: Path) -> None:
    triangle = "v {0} 0 0\nv {0} 1 0\nv {0} 0 1\nf -3 -2 -1\n"
    path = tmp_path / "three.obj"
    path.write_text("".join(triangle.format(x) for x in (0, 1, 2)))
    assert set(np.unique(read(path).points[:, 0].round(5))) == {0, 1, 2}


def test_obj_vertex_colours(tmp_path: Path) -> None:
    path = tmp_path / "colors.obj"
    path.write_text("v 0 0 0 1 0 0\nv 1 0 0 1 0 0\nv 0 1 0 1 0 0\nf 1 2 3\n")
    assert np.allclose(read(path).colors, RED)


def test_obj_without_faces_is_a_cloud(tmp_path: Path) -> None:
    path = tmp_path / "points.obj"
    path.write_text("v 0 0 0\nv 1 2 3\n")
    assert read(path).points.tolist() == [[0, 0, 0], [1, 2, 3]]


def test_line_ends_and_continued_lines_do_not_matter(tmp_path: Path) -> None:
    text = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 \\\n3 4\n"
    path = tmp_path / "square.obj"
    found = []
    for end in ("\n", "\r\n"):
        path.write_bytes(text.replace("\n", end).encode())
        found.append(read(path, points=100).points)
    assert np.array_equal(*found)


# PLY, OFF, STL


def test_ply_points_with_float_colours_and_normals(tmp_path: Path) -> None:
    path = tmp_path / "p.ply"
    names = [*"xyz", "nx", "ny", "nz", "red", "green", "blue"]
    header = "ply\nformat ascii 1.0\nelement vertex 2\n" + "".join(f"property float {n}\n" for n in names)
    path.write_text(header + "end_header\n0 0 0 0 0 2 0.5 0 1\n1 1 1 0 3 0 0 0.25 0\n")
    cloud = read(path)
    assert np.allclose(cloud.colors, [[0.5, 0, 1], [0, 0.25, 0]])
    assert np.allclose(cloud.normals, [[0, 0, 1], [0, 1, 0]])


def test_ply_mixed_polygons_keep_their_area(folder: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    from clip3d.clouds.formats.neighbours import Neighbours
    from clip3d.clouds.formats.ply import read_ply

    mesh = read_ply((folder / "little.ply").read_bytes(), Neighbours(folder / "little.ply")).meshes[0]
    assert trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).area == pytest.approx(24)
    assert trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).is_watertight


def test_points_that_are_not_finite_are_dropped_up_to_half(tmp_path: Path) -> None:
    points = np.arange(12, dtype=np.float32).reshape(4, 3)
    points[1, 2], points[3, 0] = np.nan, np.inf
    np.save(tmp_path / "half.npy", points)
    assert read(tmp_path / "half.npy").points.tolist() == points[[0, 2]].tolist()
    points[0, 0] = np.nan
    np.save(tmp_path / "most.npy", points)
    with pytest.raises(CloudError, match="3 of its 4 points"):
        read(tmp_path / "most.npy")


SQUARE = "\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n3 0 1 2 255 0 0\n3 0 2 3 0 0 255\n"


@pytest.mark.parametrize("first", ["OFF 4 2 0", "OFF4 2 0", "OFF\n4 2 0", "off\n# a comment\n4 2 0", "4 2 0"])
def test_off_headers(tmp_path: Path, first: str) -> None:
    path = tmp_path / "square.off"
    path.write_text(first.replace("off", "OFF") + SQUARE)
    cloud = read(path, points=1000)
    assert np.allclose(cloud.points.mean(0), (0.5, 0.5, 0), atol=0.03)
    lower = cloud.points[:, 0] > cloud.points[:, 1] + 1e-4
    assert cloud.colors is not None
    assert np.allclose(cloud.colors[lower], RED)


def test_stl_binary_that_begins_with_solid_is_binary(folder: Path) -> None:
    assert (folder / "binary.stl").read_bytes().startswith(b"solid")
    assert on_cube(read(folder / "binary.stl").points)


# Scenes


def test_gltf_nested_transforms_and_instances(folder: Path) -> None:
    for name in ("scene.glb", "inside.gltf", "beside.gltf"):
        cloud = read(folder / name, points=20000)
        right, left = cloud.points[cloud.points[:, 0] > 2], cloud.points[cloud.points[:, 0] < 2]
        assert on_cube(right - (5, 0, 0))
        assert on_cube((left - (-5, 0, 0)) / 2)
        assert len(left) / len(right) == pytest.approx(4, rel=0.03)  # twice as large: four times the area


def test_gltf_vertex_colours_turn_with_their_node(folder: Path) -> None:
    cloud = read(folder / "scene.glb", points=20000)
    # The node turns x onto y, so the red side now faces y > 0.
    assert np.allclose(near(cloud, (5, 1, 0), 0.3), RED, atol=0.02)
    assert np.allclose(near(cloud, (5, -1, 0), 0.3), BLUE, atol=0.02)


def test_gltf_picture_is_the_right_way_up(folder: Path) -> None:
    cloud = read(folder / "scene.glb", points=60000)
    # glTF's v grows downwards: (0, 0) is the top left, red; (1, 0) green; (1, 1) white.
    corners = files.VERTICES[files.TRIANGLES[0]] * 2 + (-5, 0, 0)
    centre = corners.mean(0)
    for corner, color in zip(corners, (RED, (0, 1, 0), (1, 1, 1)), strict=True):
        assert np.allclose(near(cloud, tuple(corner * 0.9 + centre * 0.1), 0.07), color, atol=0.1)


def test_gltf_factors_are_linear_light(tmp_path: Path) -> None:
    document, blob = files.gltf_document()
    document["materials"] = [{"pbrMetallicRoughness": {"baseColorFactor": [0.2140411, 1, 0, 1]}}]
    (tmp_path / "g.glb").write_bytes(files.glb(document, blob))
    cloud = read(tmp_path / "g.glb")
    assert np.allclose(near(cloud, (-5, 2, 0), 1), (0.5, 1, 0), atol=0.01)


def test_y_up_glb_and_z_up_ply_of_one_shape_agree(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    cone = trimesh.creation.cone(radius=1, height=3)  # its tip points to z
    cone.export(tmp_path / "z.ply")
    lying = cone.copy()
    lying.apply_transform(trimesh.transformations.rotation_matrix(-np.pi / 2, (1, 0, 0)))
    lying.export(tmp_path / "y.glb")
    z, y = read(tmp_path / "z.ply"), read(tmp_path / "y.glb")
    assert (z.up, y.up) == ("z", "y")
    assert np.allclose(z.z_up().points, y.z_up().points, atol=1e-4)


def test_gltf_matches_trimesh_on_a_nested_scene(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    scene = trimesh.Scene()
    turn = trimesh.transformations.rotation_matrix(0.7, (1, 2, 3), (1, 0, 0))
    scene.add_geometry(trimesh.creation.icosphere(subdivisions=2), transform=turn, node_name="a")
    shift = trimesh.transformations.translation_matrix((4, 0, 0))
    scene.add_geometry(trimesh.creation.box((1, 2, 3)), parent_node_name="a", transform=shift)
    scene.export(tmp_path / "s.glb")
    cloud = read(tmp_path / "s.glb", points=20000)
    expected = trimesh.load_scene(tmp_path / "s.glb").to_mesh()
    distance = trimesh.proximity.closest_point_naive(expected, cloud.points[::400])[1]
    assert distance.max() < 1e-4
    centre = expected.triangles_center.T @ expected.area_faces / expected.area
    assert np.allclose(cloud.points.mean(0), centre, atol=0.03)


def test_gltf_compressed_meshes_are_refused_by_name(tmp_path: Path) -> None:
    document, blob = files.gltf_document()
    document["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    (tmp_path / "d.glb").write_bytes(files.glb(document, blob))
    with pytest.raises(CloudError, match="Draco"):
        read(tmp_path / "d.glb")


def test_gltf_sparse_accessors_move_vertices(tmp_path: Path) -> None:
    document, blob = files.gltf_document()
    at = len(blob)
    blob += struct.pack("<H2x3f", 0, 1, 1, 7)
    document["bufferViews"] += [
        {"buffer": 0, "byteOffset": at, "byteLength": 2}, {"buffer": 0, "byteOffset": at + 4, "byteLength": 12},
    ]  # fmt: skip
    document["buffers"][0]["byteLength"] = len(blob)
    document["accessors"][0]["sparse"] = {
        "count": 1, "indices": {"bufferView": 5, "componentType": 5123}, "values": {"bufferView": 6},
    }  # fmt: skip
    document["scenes"][0]["nodes"] = [1]
    (tmp_path / "s.glb").write_bytes(files.glb(document, blob))
    assert 6 < read(tmp_path / "s.glb").points[:, 2].max() <= 7


def test_dae_transforms_instances_materials_and_pictures(folder: Path) -> None:
    cloud = read(folder / "scene.dae", points=40000)
    first, second = cloud.points[:, 2] > 15, cloud.points[:, 0] > 8
    assert (first | second).all()
    assert on_cube((cloud.points[first] - (0, 0, 20)) / 2)  # moved by 10, then doubled
    assert on_cube(cloud.points[second] - (10, 0, 0))  # moved by 10 along z, which then turns onto x
    assert np.allclose(near(cloud, (2, 0, 20)), RED, atol=0.02)
    corner = files.VERTICES[files.QUADS[2, 0]] * (1.7, 2, 1.7) + (0, 0, 20)
    assert np.allclose(near(cloud, tuple(corner), 0.15), BLUE, atol=0.05)  # v = 0 is the foot of the picture
    assert {source.name for source in cloud.sources} == {"scene.dae", "checks.png"}


def test_dae_other_units_become_metres(tmp_path: Path) -> None:
    (tmp_path / "d.dae").write_bytes(files.dae(up="Y_UP", meter="0.5"))
    cloud = read(tmp_path / "d.dae")
    assert (cloud.up, cloud.unit) == ("y", "m")
    assert cloud.points[:, 2].max() == pytest.approx(11, abs=0.01)


def test_3mf_components_and_colours(folder: Path) -> None:
    cloud = read(folder / "parts.3mf", points=20000)
    first, second = cloud.points[:, 0] < 10, cloud.points[:, 0] > 10
    assert on_cube((cloud.points[first] - (0, 0, 5)) / 2)
    assert on_cube((cloud.points[second] - (20, 0, 5)) / 2)
    assert cloud.colors is not None
    share_of_red = (cloud.colors == RED).all(1).mean()
    assert share_of_red == pytest.approx(2 / 12, abs=0.02)
    assert ((cloud.colors == RED).all(1) | (cloud.colors == BLUE).all(1)).all()


# Tables and arrays


@pytest.mark.parametrize(
    ("text", "points", "colors"),
    [
        ("1,2,3\n4,5,6\n", [[1, 2, 3], [4, 5, 6]], None),
        ("1;2;3\n", [[1, 2, 3]], None),
        ("1,5;2,5;3,5\n", [[1.5, 2.5, 3.5]], None),
        ("2\n1 2 3\n4 5 6\n", [[1, 2, 3], [4, 5, 6]], None),
        ("# x y z r g b\n1 2 3 255 0 0\n", [[1, 2, 3]], [[1, 0, 0]]),
        ("z y x\n1 2 3\n", [[3, 2, 1]], None),
        ("1 2 3 0 0 1\n", [[1, 2, 3]], None),  # of length 1: a normal
        ("1 2 3 0.5 0.5 0\n", [[1, 2, 3]], [[0.5, 0.5, 0]]),
        ("1 2 3 0 0 1 0 255 0\n", [[1, 2, 3]], [[0, 1, 0]]),
        ("1 2 3 -7 0 300\n", [[1, 2, 3]], None),
        ("1 2 3 0.5\n", [[1, 2, 3]], None),
    ],
)
def test_tables(tmp_path: Path, text: str, points: list, colors: list | None) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    cloud = read(path)
    assert np.allclose(cloud.points, points)
    assert (cloud.colors is None) == (colors is None)
    if colors is not None:
        assert np.allclose(cloud.colors, colors)


def test_a_set_of_clouds_is_refused_with_the_command_that_takes_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", points=np.zeros((5, 100, 3), np.float32))
    with pytest.raises(CloudError, match="clip3d evaluate"):
        read(tmp_path / "set.npz")


def test_npz_of_other_things_says_what_it_holds(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", vectors=np.zeros((2, 3)))
    with pytest.raises(CloudError, match="only vectors"):
        read(tmp_path / "v.npz")


def test_lzf_copies_that_run_into_themselves() -> None:
    from clip3d.clouds.formats.lzf import inflate

    assert inflate(b"\x00a\xe0\x03\x00", 13) == b"a" * 13
    assert inflate(b"\x02abc\x20\x02\x00d", 7) == b"abcabcd"

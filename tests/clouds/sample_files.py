"""Small valid files of every format, written by hand, so that tests share no code with the readers.

All hold a cube with sides of 2 about the origin; where a format has colours, the cube is red on the side x > 0 and
blue on the other.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

VERTICES = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float32)
QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
TRIANGLES = np.concatenate([QUADS[:, [0, 1, 2]], QUADS[:, [0, 2, 3]]])
RED, BLUE = (255, 0, 0), (0, 0, 255)
VERTEX_COLORS = np.array([BLUE] * 4 + [RED] * 4, dtype=np.uint8)
CLOUD = np.random.default_rng(0).uniform(-1, 1, (60, 3)).astype(np.float32)


def ply_ascii() -> bytes:
    lines = ["ply", "format ascii 1.0", "comment made by hand", "element vertex 8"]
    lines += [f"property float {c}" for c in "xyz"] + [f"property uchar {c}" for c in ("red", "green", "blue")]
    lines += ["element face 6", "property list uchar int vertex_indices", "end_header"]
    lines += [" ".join(map(str, [*v, *c])) for v, c in zip(VERTICES, VERTEX_COLORS, strict=True)]
    lines += [" ".join(map(str, [4, *quad])) for quad in QUADS]
    return "\n".join(lines).encode() + b"\n"


def ply_binary(order: str = "<", *, mixed: bool = True, count: str = "B") -> bytes:
    polygons = [*TRIANGLES[1:6], QUADS[0], *TRIANGLES[7:]] if mixed else list(TRIANGLES)
    name = {"<": "little", ">": "big"}[order]
    kind = {"B": "uchar", "i": "int"}[count]
    header = f"ply\nformat binary_{name}_endian 1.0\nelement vertex 8\n"
    header += "".join(f"property float {c}\n" for c in ("x", "y", "z", "nx", "ny", "nz"))
    header += f"element face {len(polygons)}\nproperty list {kind} int vertex_index\n"
    header += "property uchar quality\nend_header\n"
    body = b"".join(struct.pack(order + "6f", *v, *v) for v in VERTICES)
    body += b"".join(struct.pack(f"{order}{count}{len(p)}iB", len(p), *map(int, p), 7) for p in polygons)
    return header.encode() + body


def off() -> bytes:
    lines = ["OFF8 6 0  # a cube", *[" ".join(map(str, v)) for v in VERTICES]]
    return "\n".join(lines + [" ".join(map(str, [4, *q])) for q in QUADS]).encode() + b"\n"


def coff() -> bytes:
    lines = ["COFF", "# colours of vertices", "8 12 0"]
    lines += [" ".join(map(str, [*v, *c, 255])) for v, c in zip(VERTICES, VERTEX_COLORS, strict=True)]
    return "\n".join(lines + [" ".join(map(str, [3, *t])) for t in TRIANGLES]).encode() + b"\n"


def stl_ascii() -> bytes:
    lines = ["solid cube"]
    for triangle in VERTICES[TRIANGLES]:
        lines += [" facet normal 0 0 0", "  outer loop", *[f"   vertex {x:e} {y:e} {z:e}" for x, y, z in triangle]]
        lines += ["  endloop", " endfacet"]
    return "\n".join([*lines, "endsolid cube"]).encode() + b"\n"


def stl_binary(header: bytes = b"solid but binary") -> bytes:
    rows = b"".join(struct.pack("<12fH", 0, 0, 0, *t.reshape(-1), 0) for t in VERTICES[TRIANGLES])
    return header.ljust(80, b" ") + struct.pack("<I", len(TRIANGLES)) + rows


def obj() -> bytes:
    lines = ["# a cube", "mtllib cube.mtl", "o cube"]
    lines += [f"v {x} {y} {z}" for x, y, z in VERTICES] + ["vt 0 0", "vt 1 0", "vt 1 1", "vt 0 1", "vn 0 0 1"]
    for name, quads in (("blue", QUADS[:1]), ("red", QUADS[1:2]), ("checked", QUADS[2:])):
        lines += [f"g {name}", f"usemtl {name}"]
        lines += ["f " + " ".join(f"{v + 1}/{t + 1}/1" for t, v in enumerate(q)) for q in quads]
    return "\n".join(lines).encode() + b"\n"


def mtl() -> bytes:
    plain = b"newmtl red\nKd 1 0 0\nnewmtl blue\nKd 0.0 0.0 1.0\n"
    return plain + b"newmtl checked\nKd 1 1 1\nmap_Kd -s 1 1 1 checks.png\n"


def picture() -> Image.Image:
    """Red at the top left, green at the top right, blue at the bottom left, white at the bottom right."""
    pixels = np.array([[RED, (0, 255, 0)], [BLUE, (255, 255, 255)]], dtype=np.uint8)
    return Image.fromarray(pixels.repeat(4, 0).repeat(4, 1))


def png() -> bytes:
    stream = io.BytesIO()
    picture().save(stream, "PNG")
    return stream.getvalue()


def gltf_document() -> tuple[dict, bytes]:
    corners = VERTICES[TRIANGLES.reshape(-1)]
    uv = np.tile(np.array([[0, 0], [1, 0], [1, 1]], dtype=np.float32), (12, 1))
    index = np.arange(36, dtype=np.uint16)
    colors = VERTEX_COLORS[TRIANGLES.reshape(-1)]
    parts = [
        corners.astype("<f4").tobytes(), uv.astype("<f4").tobytes(), index.astype("<u2").tobytes(),
        np.column_stack([colors, np.full(36, 255, np.uint8)]).tobytes(), png(),
    ]  # fmt: skip
    views, blob = [], b""
    for part in parts:
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(part)})
        blob += part + b"\x00" * (-len(part) % 4)
    document = {
        "asset": {"version": "2.0", "generator": "by hand"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"children": [1, 2], "scale": [1, 1, 1]},
            {"mesh": 0, "translation": [5, 0, 0], "rotation": [0, 0, 0.7071067811865476, 0.7071067811865476]},
            {"mesh": 1, "matrix": [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, -5, 0, 0, 1]},
        ],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "COLOR_0": 3}, "indices": 2}]},
            {"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2, "material": 0}]},
        ],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "textures": [{"source": 0}],
        "images": [{"bufferView": 4, "mimeType": "image/png"}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 36, "type": "VEC3", "min": [-1] * 3, "max": [1] * 3},
            {"bufferView": 1, "componentType": 5126, "count": 36, "type": "VEC2"},
            {"bufferView": 2, "componentType": 5123, "count": 36, "type": "SCALAR"},
            {"bufferView": 3, "componentType": 5121, "normalized": True, "count": 36, "type": "VEC4"},
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": len(blob)}],
    }
    return document, blob


def glb(document: dict | None = None, blob: bytes | None = None) -> bytes:
    default, default_blob = gltf_document()
    text = json.dumps(default if document is None else document).encode()
    text += b" " * (-len(text) % 4)
    blob = default_blob if blob is None else blob
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(blob), b"BIN\x00") + blob
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


def gltf(uri: str | None = None) -> bytes:
    document, blob = gltf_document()
    document["buffers"][0]["uri"] = uri or "data:application/octet-stream;base64," + base64.b64encode(blob).decode()
    return json.dumps(document).encode()


def dae(up: str = "Z_UP", meter: str = "0.01", image: str = "checks.png") -> bytes:
    def source(name: str, rows: np.ndarray, params: str) -> str:
        values = " ".join(map(str, rows.reshape(-1)))
        names = "".join(f'<param name="{p}" type="float"/>' for p in params)
        return (
            f'<source id="{name}"><float_array id="{name}-a" count="{rows.size}">{values}</float_array>'
            f'<technique_common><accessor source="#{name}-a" count="{len(rows)}" stride="{len(params)}">{names}'
            "</accessor></technique_common></source>"
        )

    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    plain = " ".join(f"{v} {t}" for quad in QUADS[:2] for t, v in enumerate(quad))
    checked = " ".join(f"{v} {t}" for quad in QUADS[2:] for t, v in ((0, quad[0]), (1, quad[1]), (2, quad[2])))
    inputs = '<input semantic="VERTEX" source="#v" offset="0"/>'
    inputs += '<input semantic="TEXCOORD" source="#t" offset="1" set="0"/>'
    return f"""<?xml version="1.0" encoding="utf-8"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
<asset><created>2020-01-01T00:00:00Z</created><modified>2020-01-01T00:00:00Z</modified>
<unit name="u" meter="{meter}"/><up_axis>{up}</up_axis></asset>
<library_images><image id="i"><init_from>{image}</init_from></image></library_images>
<library_effects>
<effect id="e1"><profile_COMMON><technique sid="c">
<lambert><diffuse><color>1 0 0 1</color></diffuse></lambert></technique>
</profile_COMMON></effect>
<effect id="e2"><profile_COMMON>
<newparam sid="s1"><surface type="2D"><init_from>i</init_from></surface></newparam>
<newparam sid="s2"><sampler2D><source>s1</source></sampler2D></newparam>
<technique sid="c"><lambert><diffuse><texture texture="s2" texcoord="UV"/></diffuse></lambert></technique>
</profile_COMMON></effect></library_effects>
<library_materials><material id="red"><instance_effect url="#e1"/></material>
<material id="checked"><instance_effect url="#e2"/></material></library_materials>
<library_geometries><geometry id="g"><mesh>
{source("p", VERTICES, "XYZ")}{source("t", uv, "ST")}
<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
<polylist material="M1" count="2">{inputs}<vcount>4 4</vcount><p>{plain}</p></polylist>
<triangles material="M2" count="4">{inputs}<p>{checked}</p></triangles>
</mesh></geometry></library_geometries>
<library_nodes><node id="twice"><translate>0 0 10</translate>
<instance_geometry url="#g"><bind_material><technique_common>
<instance_material symbol="M1" target="#red"/><instance_material symbol="M2" target="#checked"/>
</technique_common></bind_material></instance_geometry></node></library_nodes>
<library_visual_scenes><visual_scene id="scene">
<node id="a"><matrix>2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1</matrix><instance_node url="#twice"/></node>
<node id="b"><rotate>0 1 0 90</rotate><instance_node url="#twice"/></node>
</visual_scene></library_visual_scenes>
<scene><instance_visual_scene url="#scene"/></scene></COLLADA>
""".encode()


def threemf_model(unit: str = "inch") -> bytes:
    vertices = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in VERTICES)
    triangles = "".join(
        f'<triangle v1="{a}" v2="{b}" v3="{c}"' + (' pid="1" p1="1"/>' if a >= 4 else "/>") for a, b, c in TRIANGLES
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<model unit="{unit}" xml:lang="en-US" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"><resources>
<basematerials id="1"><base name="blue" displaycolor="#0000FF"/>
<base name="red" displaycolor="#FF0000FF"/></basematerials>
<object id="2" type="model" pid="1" pindex="0"><mesh><vertices>{vertices}</vertices>
<triangles>{triangles}</triangles></mesh>
</object>
<object id="3" type="model"><components><component objectid="2"/>
<component objectid="2" transform="0 1 0 -1 0 0 0 0 1 10 0 0"/></components></object></resources>
<build><item objectid="3" transform="2 0 0 0 2 0 0 0 2 0 0 5"/></build></model>""".encode()


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def threemf(model: bytes | None = None) -> bytes:
    relations = (
        b'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        b'relationships"><Relationship Target="/3D/3dmodel.model" Id="rel0" '
        b'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
    )
    return zipped(
        {"[Content_Types].xml": b"<Types/>", "_rels/.rels": relations, "3D/3dmodel.model": model or threemf_model()}
    )


def pcd_header(storage: str) -> bytes:
    return (
        "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS rgb z y x normal_x normal_y normal_z\n"
        "SIZE 4 4 4 4 4 4 4\nTYPE F F F F F F F\nCOUNT 1 1 1 1 1 1 1\n"
        f"WIDTH {len(CLOUD)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(CLOUD)}\nDATA {storage}\n"
    ).encode()


def pcd_rows() -> np.ndarray:
    packed = np.where(CLOUD[:, 0] > 0, 0xFF0000, 0x0000FF).astype(np.uint32).view(np.float32)
    normals = CLOUD / np.linalg.norm(CLOUD, axis=1, keepdims=True)
    return np.column_stack([packed, CLOUD[:, 2], CLOUD[:, 1], CLOUD[:, 0], normals]).astype("<f4")


def pcd_ascii() -> bytes:
    rows = pcd_rows()
    return pcd_header("ascii") + "\n".join(" ".join(f"{v:.9g}" for v in row) for row in rows).encode() + b"\n"


def pcd_binary() -> bytes:
    return pcd_header("binary") + pcd_rows().tobytes()


def pcd_compressed() -> bytes:
    raw = pcd_rows().T.tobytes()
    packed = lzf_literals(raw[:-12]) + lzf_literals(raw[-12:])
    return pcd_header("binary_compressed") + struct.pack("<II", len(packed), len(raw)) + packed


def lzf_literals(raw: bytes) -> bytes:
    return b"".join(bytes([len(raw[i : i + 32]) - 1]) + raw[i : i + 32] for i in range(0, len(raw), 32))


def xyz() -> bytes:
    rows = (f"{x} {y} {z} {255 if x > 0 else 0} 0 {0 if x > 0 else 255}" for x, y, z in CLOUD)
    return "\n".join(rows).encode() + b"\n"


def csv() -> bytes:
    rows = "\n".join(f"{i},{x},{y},{z},{r},0,{1 - r}" for i, (x, y, z) in enumerate(CLOUD) for r in (int(x > 0),))
    return b"id,X,Y,Z,Red,Green,Blue\n" + rows.encode() + b"\n"


def npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, CLOUD)
    return stream.getvalue()


def npz() -> bytes:
    stream = io.BytesIO()
    colors = np.where(CLOUD[:, :1] > 0, RED, BLUE).astype(np.uint8)
    np.savez_compressed(stream, points=CLOUD, colors=colors, up=np.array("y"), unit=np.array("cm"))
    return stream.getvalue()


def kitti_bin() -> bytes:
    return np.hstack([CLOUD, np.linspace(0, 1, 60)[:, None]]).astype("<f4").tobytes()


def nuscenes_bin() -> bytes:
    return np.hstack([CLOUD, np.arange(60)[:, None] * 4, np.arange(60)[:, None] % 32]).astype("<f4").tobytes()


# Every file by name; each can be read where `companions` have been written beside it.
BUILDERS = {
    "ascii.ply": ply_ascii, "little.ply": ply_binary, "big.ply": lambda: ply_binary(">", mixed=False),
    "modelnet.off": off, "colors.off": coff, "ascii.stl": stl_ascii, "binary.stl": stl_binary, "cube.obj": obj,
    "scene.glb": glb, "inside.gltf": gltf, "beside.gltf": lambda: gltf("beside.bin"), "scene.dae": dae,
    "parts.3mf": threemf, "ascii.pcd": pcd_ascii, "binary.pcd": pcd_binary, "packed.pcd": pcd_compressed,
    "colors.xyz": xyz, "plain.txt": xyz, "named.csv": csv, "plain.npy": npy, "named.npz": npz,
    "000000.bin": kitti_bin, "sweep.pcd.bin": nuscenes_bin,
}  # fmt: skip


def write_companions(folder: Path) -> None:
    (folder / "cube.mtl").write_bytes(mtl())
    (folder / "checks.png").write_bytes(png())
    (folder / "beside.bin").write_bytes(gltf_document()[1])


def write_all(folder: Path) -> list[Path]:
    write_companions(folder)
    for name, build in BUILDERS.items():
        (folder / name).write_bytes(build())
    return [folder / name for name in BUILDERS]

"""What a file's first bytes say that it is, whatever its name."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A format: its name for people, and the suffixes that fit it, the usual one first."""

    name: str
    suffixes: tuple[str, ...] = ()


# Each pattern is matched where the file begins. Only marks that no other format can begin with stand here.
MARKS: tuple[tuple[re.Pattern[bytes], Kind], ...] = (
    (re.compile(rb"ply\s"), Kind("PLY", (".ply",))),
    (re.compile(rb"glTF"), Kind("binary glTF", (".glb",))),
    (re.compile(rb"PXR-USDC"), Kind("binary USD", (".usdc", ".usd"))),
    (re.compile(rb"#usda "), Kind("USD", (".usda", ".usd"))),
    (re.compile(rb"ASTM-E57"), Kind("E57", (".e57",))),
    (re.compile(rb"LASF"), Kind("LAS", (".las", ".laz"))),
    (re.compile(rb"#ROSBAG V"), Kind("ROS 1 recording", (".bag",))),
    (re.compile(rb"\x89MCAP"), Kind("MCAP", (".mcap",))),
    (re.compile(rb"SQLite format 3\x00"), Kind("SQLite", (".db3",))),
    (re.compile(rb"\x93NUMPY"), Kind("NumPy", (".npy",))),
    (re.compile(rb"(ST)?C?N?4?n?OFF\s"), Kind("OFF", (".off",))),
    (re.compile(rb"# \.PCD|VERSION (0?\.7)\s+FIELDS"), Kind("PCD", (".pcd",))),
    (re.compile(rb"solid[ \t\r\n][^\x00]{0,500}?facet\s"), Kind("STL", (".stl",))),
    (re.compile(rb"(\xef\xbb\xbf)?\s*<[?!C][^\x00]{0,2000}?<?COLLADA\s"), Kind("COLLADA", (".dae",))),
    (re.compile(rb'\s*\{[^\x00]{0,500}?"asset"\s*:'), Kind("glTF", (".gltf",))),
    (re.compile(rb"(?s)\x89PNG\r\n|\xff\xd8\xff|GIF8|BM.{12}[\x28\x6c\x7c]\x00|RIFF....WEBP"), Kind("picture")),
    (re.compile(rb"%PDF|\x7fELF|\x1f\x8b\x08|BZh|7z\xbc\xaf|Rar!"), Kind("document, program or packed")),
)
ZIP = b"PK\x03\x04"


def looks_like(data: bytes) -> Kind | None:
    """The format that the first bytes of a file belong to, or None where they do not tell."""
    if data.startswith(ZIP):
        return _zip_kind(data)
    return next((kind for mark, kind in MARKS if mark.match(data[:4096])), None)


def _zip_kind(data: bytes) -> Kind:
    tail = data[-(1 << 20) :]
    if b"3dmodel.model" in tail or b"[Content_Types].xml" in tail:
        return Kind("3MF", (".3mf",))
    if b".usd" in data[:1024]:
        return Kind("USDZ", (".usdz",))
    return Kind("NPZ", (".npz",)) if b".npy" in tail else Kind("ZIP")

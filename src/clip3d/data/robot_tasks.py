"""The things that robot benchmarks have their robots handle: Meta-World and robosuite (PyPI, both MIT)."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.mesh import Mesh, sample_surface
from clip3d.clouds.reading import read
from clip3d.data.archives import read_member
from clip3d.data.captions import with_synonyms
from clip3d.data.library import Entry
from clip3d.data.mjcf import Definitions, read_mjcf
from clip3d.errors import CloudError, DataError, ShapeError

METAWORLD = "metaworld==3.1.1"
ROBOSUITE = "robosuite==1.5.2"
LICENCE = "MIT"

# Body files below metaworld/assets/objects/assets (+ joins those of one thing), the file of what they refer to,
# and the captions.
METAWORLD_THINGS = (
    ("basketball", "basketball", "basketball|ball"),
    ("basketballhoop", "basketball", "basketball hoop|basketball backboard"),
    ("binA", "bin", "bin|open box|storage bin"),
    ("box + boxtop", "box", "wooden box with a lid|wooden box|box"),
    ("buttonbox", "buttonbox", "emergency stop button|push button|button"),
    ("coffeemachine", "coffeemachine", "coffee machine|coffee maker"),
    ("mug", "coffeemachine", "coffee mug|mug|cup"),
    ("dial", "dial", "dial|control knob|knob"),
    ("doorlockA", "doorlock", "safe|strongbox"),
    ("drawer", "drawer", "drawer unit|drawer|small cabinet"),
    ("faucet", "faucet", "faucet|tap"),
    ("hammer", "hammer", "hammer|mallet|tool"),
    ("laptop", "laptop", "open laptop|laptop|notebook computer|computer"),
    ("lever", "lever", "lever|lever arm"),
    ("plug", "plug", "power plug|electric plug|plug"),
    ("puck", "puck_goal", "hockey puck|puck|disc"),
    ("puck_goal", "puck_goal", "hockey goal|goal"),
    ("shelfb", "shelfb", "two-tier shelf|shelf|rack"),
    ("soccer_ball", "soccer", "soccer ball|football|ball"),
    ("soccer_goal", "soccer", "soccer goal|football goal|goal"),
    ("thermos", "thermos", "thermos flask|thermos|vacuum flask|flask"),
    ("window", "window", "sash window|window"),
    ("window_horiz", "window", "sliding window|window"),
)
# Meshes below robosuite/models/assets/objects/meshes.
ROBOSUITE_THINGS = {
    "bottle": "glass bottle|bottle",
    "bread": "loaf of bread|bread|food",
    "can": "soda can|drink can|can",
    "cereal": "cereal box|box of cereal|box",
    "lemon": "lemon|citrus fruit|fruit",
    "milk": "milk carton|carton",
}


def read_metaworld(package: Path, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    """The nameable things of Meta-World, joined from their parts, as dense clouds with their captions.

    Args:
        package: the wheel.
        points: sampled on each surface.
        progress: called with a line at the start and for each thing that cannot be used.

    Raises:
        DataError: if the file is not that wheel.
    """
    folder = "metaworld/assets/objects"
    with _open(package, f"{folder}/assets/mug.xml") as archive:
        progress(f"{METAWORLD}: {len(METAWORLD_THINGS)} things")
        for names, definitions, captions in METAWORLD_THINGS:
            try:
                cloud = _joined(archive, folder, names.split(" + "), definitions, points)
            except (Malformed, ShapeError) as error:
                progress(f"{METAWORLD}: {names} passed over: {error}")
                continue
            yield Entry(
                cloud=cloud,
                captions=with_synonyms(captions.split("|")),
                name=f"metaworld/{names}",
                source=f"{METAWORLD} by the Meta-World Team",
                licence=LICENCE,
            )


def read_robosuite(package: Path, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    """The six groceries of robosuite as dense clouds with their captions; arguments as for `read_metaworld`."""
    folder = "robosuite/models/assets/objects/meshes"
    with _open(package, f"{folder}/milk.obj") as archive, tempfile.TemporaryDirectory() as unpacked:
        progress(f"{ROBOSUITE}: {len(ROBOSUITE_THINGS)} things")
        _unpack(archive, (f"{folder}/", "robosuite/models/assets/textures/"), Path(unpacked))
        for name, captions in ROBOSUITE_THINGS.items():
            try:
                cloud = read(Path(unpacked, f"{name}.obj"), points=points, up="z", unit="m")
            except CloudError as error:
                progress(f"{ROBOSUITE}: {name} passed over: {error}")
                continue
            yield Entry(
                cloud=cloud,
                captions=with_synonyms(captions.split("|")),
                name=f"robosuite/{name}",
                source=f"{ROBOSUITE} by the robosuite team",
                licence=LICENCE,
            )


def _open(package: Path, member: str) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(package)
    except zipfile.BadZipFile as error:
        raise DataError(package, f"is no wheel: {error}", "fetch it again") from error
    if member not in archive.namelist():
        archive.close()
        raise DataError(package, f"holds no {member}", f"bring {METAWORLD} or {ROBOSUITE}")
    return archive


def _joined(archive: zipfile.ZipFile, folder: str, names: list[str], definitions: str, points: int) -> PointCloud:
    def load(path: str) -> bytes:
        # MuJoCo resolves names against the folder of the scene, which lies beside these.
        return read_member(archive, normpath(f"{folder}/{path}"))

    known = Definitions(read_member(archive, f"{folder}/assets/{definitions}_dependencies.xml"), load)
    meshes: list[Mesh] = []
    for name in names:
        meshes += read_mjcf(read_member(archive, f"{folder}/assets/{name}.xml"), known)
    sample = sample_surface(meshes, points)
    return PointCloud(sample.points, sample.colors, sample.normals, up="z", unit="m")


def _unpack(archive: zipfile.ZipFile, folders: tuple[str, ...], target: Path) -> None:
    """Write the OBJ models, their materials and pictures into one folder by their last names."""
    for info in archive.infolist():
        path = PurePosixPath(info.filename)
        if info.filename.startswith(folders) and path.suffix in (".obj", ".mtl", ".png"):
            try:
                content = read_member(archive, info.filename)
            except Malformed:
                continue  # the model that needs it will lack it
            if path.suffix == ".mtl":
                # The pictures lie in another folder, where the reader does not look.
                content = content.replace(b"../../textures/", b"")
            (target / path.name).write_bytes(content)

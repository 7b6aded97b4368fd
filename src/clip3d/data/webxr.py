"""Hand controllers of virtual reality sets (npm @webxr-input-profiles/assets, MIT), and hands."""

from __future__ import annotations

import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from clip3d.clouds.reading import read
from clip3d.data.captions import with_synonyms
from clip3d.data.library import Entry
from clip3d.errors import CloudError, DataError

PACKAGE = "@webxr-input-profiles/assets@1.0.20"
LICENCE = "MIT"
FOLDER = "package/dist/profiles/"
MAX_MODEL_BYTES = 64 * 2**20

CONTROLLER = "VR controller|game controller|controller"
REMOTE = "VR remote|remote control|game controller|controller"
CAPTIONS = {
    "generic-hand": "open hand|human hand|hand",
    "generic-fixed-hand": "pointing hand|human hand|hand",
    "logitech-mx-ink": "stylus pen|stylus|pen",
    "google-daydream": REMOTE,
    "oculus-go": REMOTE,
    "pico-g2": REMOTE,
    "samsung-gearvr": REMOTE,
    "htc-vive-focus": REMOTE,
}
# Of the generic devices, which differ by a knob, only one is taken; of a pair, only one side.
GENERIC = "generic-trigger-squeeze-touchpad-thumbstick"
SIDES = ("right", "none")


def read_webxr(package: Path, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    """One model of each device as a dense cloud with its captions.

    Args:
        package: the .tgz that npm packs.
        points: sampled on each surface.
        progress: called with a line at the start and for each model that cannot be read.

    Raises:
        DataError: if the file is not that package.
    """
    with tempfile.TemporaryDirectory() as folder:
        models = _unpack(package, Path(folder))
        progress(f"{PACKAGE}: {len(models)} models")
        for profile, path in models.items():
            try:
                cloud = replace(read(path, points=points), path=None, sources=())
            except CloudError as error:
                progress(f"{PACKAGE}: {profile} passed over: {error.reason}")
                continue
            yield Entry(
                cloud=cloud,
                captions=with_synonyms(CAPTIONS.get(profile, CONTROLLER).split("|")),
                name=f"webxr/{profile}",
                source=f"{PACKAGE} by Amazon and the WebXR community",
                licence=LICENCE,
            )


def _unpack(package: Path, folder: Path) -> dict[str, Path]:
    """Write one GLB a profile into the folder; paths by profile, in the order of their names."""
    found: dict[str, Path] = {}
    try:
        with tarfile.open(package) as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                content = archive.extractfile(member) if _wanted(member, path) else None
                profile = path.parent.name
                copy = profile.startswith("generic-") and profile not in (GENERIC, *CAPTIONS)
                if content is None or copy or profile in found:
                    continue
                found[profile] = folder / f"{profile}.glb"
                found[profile].write_bytes(content.read())
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise DataError(package, f"cannot be unpacked: {error}", "fetch it again") from error
    if not found:
        raise DataError(package, f"holds no models below {FOLDER}", f"bring {PACKAGE}")
    return dict(sorted(found.items()))


def _wanted(member: tarfile.TarInfo, path: PurePosixPath) -> bool:
    one_side = member.name.startswith(FOLDER) and path.suffix == ".glb" and path.stem in SIDES
    return one_side and member.isfile() and member.size <= MAX_MODEL_BYTES

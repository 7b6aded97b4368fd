"""What an image tower says of regions of driving pictures, each worked out once and kept in the cache of vectors.

Of a tower with a trunk and a head the trunk's features are kept: they are by far the larger part of the work, and
serve every head that is trained on the same trunk.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import clip3d
from clip3d.errors import FileProblem
from clip3d.lidar.frame import Frame, Log
from clip3d.models.batching import in_batches
from clip3d.models.fingerprint import fingerprint
from clip3d.models.model import Model
from clip3d.models.preprocess import ImagePreprocess
from clip3d.models.vector_cache import VectorCache, vector_key
from clip3d.training.run_log import Progress
from clip3d.training.sweep_regions import Region
from clip3d.training.sweep_views import Pack, View, seen_picture

if TYPE_CHECKING:
    from PIL.Image import Image

Array = NDArray[np.float32]
AT_ONCE, TOLD_EVERY = 32, 10.0
Wanted = Callable[[Region], bool]


@dataclass(frozen=True)
class Encoder:
    """What turns prepared pictures into rows that are kept.

    Attributes:
        module: pixels (n, 3, s, s) to rows (n, c).
        id: of everything that decides the rows.
        prepare: a picture to pixels (3, s, s).
        finish: rows to vectors; None where they are those.
        device: of the module.
    """

    module: nn.Module
    id: str
    prepare: Callable[[Any], Array]
    finish: nn.Module | None = None
    device: str = "cpu"


def encoder_of(teacher: Model) -> Encoder:
    """The image tower of a model, as an encoder of raw vectors; ModelError if it has none."""
    tower, prepare = teacher.tower("image"), teacher.image_preparation()
    trunk, head = getattr(tower, "trunk", None), getattr(tower, "head", None)
    if isinstance(trunk, nn.Module) and isinstance(head, nn.Module):
        return trunk_encoder(trunk, prepare, head, teacher.device)
    return Encoder(tower, teacher.tower_card("image").id, prepare, None, teacher.device)


def trunk_encoder(
    trunk: nn.Module, prepare: ImagePreprocess, head: nn.Module | None = None, device: str = "cpu"
) -> Encoder:
    """The trunk of an image tower, whose features a head may finish."""
    return Encoder(trunk, f"{state_digest(trunk)} {prepare}", prepare, head, device)


def state_digest(module: nn.Module) -> str:
    """Hex digest over the weights of a module, as they are in memory."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode() + np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
    return digest.hexdigest()


class RegionVectors:
    """Rows of regions, from the cache or made.

    Args:
        encoder: what makes them.
        cache: where they are kept.
        progress: called with lines for the user.

    Attributes:
        seconds: that one picture took that was not in the cache; 0 if all were.
        made: how many were not.
    """

    def __init__(self, encoder: Encoder, cache: VectorCache, progress: Progress) -> None:
        self.encoder, self.cache, self.progress = encoder, cache, progress
        self.made, self._spent, self._told = 0, 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        """See the class."""
        return self._spent / self.made if self.made else 0.0

    def of(self, pack: Pack, log: Log, *, twins: bool, wanted: Wanted = lambda region: True) -> Array:
        """Rows (r, 1 or 2, c) of all r regions of a log's views, in order; the second is of its mirror image.

        Regions that are not wanted, and those of pictures that cannot be read, have NaN.
        """
        frames = {key: i for i, key in enumerate(log.keys)}
        found: list[Array | None] = []
        for view in pack.views:
            frame = log.frames[frames[view.frame]]
            try:
                found += self._view(view, frame, twins, wanted)
            except FileProblem as problem:
                self.progress(f"{problem}; its regions teach nothing")
                found += [None] * (len(view.regions) * (2 if twins else 1))
            self._tell(pack, view)
        width = next((len(row) for row in found if row is not None), 1)
        table = np.stack([np.full(width, np.nan, np.float32) if row is None else row for row in found])
        return table.reshape(len(found) // (2 if twins else 1), 2 if twins else 1, width)

    def finished(self, rows: Array) -> Array:
        """Raw vectors (…, d) of rows (…, c)."""
        if self.encoder.finish is None:
            return rows
        flat = torch.from_numpy(rows.reshape(-1, rows.shape[-1]))
        with torch.inference_mode():
            parts = [self.encoder.finish(p.to(self.encoder.device)).float().cpu() for p in torch.split(flat, 4096)]
        return np.asarray(torch.cat(parts).numpy().reshape(*rows.shape[:-1], -1), np.float32)

    def _view(self, view: View, frame: Frame, twins: bool, wanted: Wanted) -> list[Array | None]:
        content = self._content(frame, view.camera)
        asked = [(region, flip) for region in view.regions for flip in ((False, True) if twins else (False,))]
        keys = [self._key(content, region, flip) for region, flip in asked]
        known = self.cache.get_many(keys)
        missing = [i for i, key in enumerate(keys) if key not in known and wanted(asked[i][0])]
        if missing:
            began = time.monotonic()
            image = seen_picture(frame, view.camera)
            made = self._encoded(image, [asked[i] for i in missing])
            fresh = dict(zip((keys[i] for i in missing), made, strict=True))
            self.cache.put_many(fresh, space="features of regions", model=self.encoder.id[:64])
            self._spent += time.monotonic() - began
            self.made += len(missing)
            known |= fresh
        return [known.get(key) if wanted(region) else None for key, (region, _) in zip(keys, asked, strict=True)]

    def _encoded(self, image: Image, asked: Sequence[tuple[Region, bool]]) -> list[Array]:
        rows: list[Array] = []
        with torch.inference_mode():
            for part in in_batches(asked, AT_ONCE):
                pixels = torch.from_numpy(np.stack([self.encoder.prepare(cut(image, *one)) for one in part]))
                rows += list(self.encoder.module(pixels.to(self.encoder.device)).float().cpu().numpy())
        return rows

    def _key(self, content: str, region: Region, flip: bool) -> str:
        options = {"region": list(region.rectangle), "mirrored": flip, "version": clip3d.__version__}
        return vector_key(content, self.encoder.id, options)

    def _content(self, frame: Frame, camera: str) -> str:
        """Digest of what a picture is made of: its file, or its pixels, and how it is undistorted."""
        picture = frame.pictures[camera]
        seen = picture.camera
        lens = repr((seen.intrinsics.tolist(), seen.distortion)) if seen.distortion else ""
        if picture.path is None or not picture.path.is_file():
            return hashlib.sha256(picture.load().tobytes() + lens.encode()).hexdigest()
        (content,) = self.cache.contents([picture.path])
        if content is None:
            taken = fingerprint([picture.path])
            self.cache.remember([taken])
            content = taken.content
        return hashlib.sha256((content + lens).encode()).hexdigest()

    def _tell(self, pack: Pack, view: View) -> None:
        if time.monotonic() - self._told > TOLD_EVERY:
            self.progress(f"pictures of {view.key}: {self.made} regions encoded, {self.seconds:.3f} s each")
            self._told = time.monotonic()


def cut(image: Image, region: Region, flip: bool) -> Image:
    """A region of a picture, mirrored if asked."""
    from PIL.Image import Transpose

    left, top, right, bottom = (round(edge) for edge in region.rectangle)
    part = image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    return part.transpose(Transpose.FLIP_LEFT_RIGHT) if flip else part



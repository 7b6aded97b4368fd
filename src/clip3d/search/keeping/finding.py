"""The files that a model can put into a collection: clouds, and pictures where it has a tower for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from clip3d.clouds.discovery import CLOUDS, LOOSE_SUFFIXES, Found, Kind, find_files
from clip3d.clouds.reading import SUFFIXES
from clip3d.errors import CloudError, ImageError, ModelError
from clip3d.models.card import Modality
from clip3d.models.model import Model
from clip3d.search.pictures import PICTURES, is_picture

PathName = str | PathLike[str]

BOTH = Kind("cloud or picture", (*SUFFIXES, *PICTURES.suffixes), CloudError, loose=LOOSE_SUFFIXES)
PICTURES_ALONE = Kind("picture", PICTURES.suffixes, ImageError)


@dataclass(frozen=True)
class Findable:
    """What files are looked for: the modalities of a model's towers that take files.

    Attributes:
        modalities: "cloud", "image" or both.
    """

    modalities: Sequence[Modality]

    @classmethod
    def of(cls, model: Model, wanted: Modality | None = None) -> Findable:
        """What a model can embed, or of that one modality alone.

        Raises:
            ModelError: if it has no tower for that.
        """
        there: list[Modality] = [m for m in ("cloud", "image") if m in model.card.towers]
        if wanted is not None:
            return cls([model.tower_card(wanted).modality])
        if not there:
            raise ModelError(model.folder, f"the model {model.name} has no tower for files", "mini has")
        return cls(there)

    def find(self, paths: PathName | Iterable[PathName]) -> Found:
        """List the files among paths, as `find_clouds` does clouds."""
        if len(self.modalities) > 1:
            return find_files(paths, BOTH)
        return find_files(paths, CLOUDS if self.modalities[0] == "cloud" else PICTURES_ALONE)

    def modality(self, path: Path) -> Modality:
        """Of a file that was found."""
        if len(self.modalities) == 1:
            return self.modalities[0]
        return "image" if is_picture(path) else "cloud"

    def takes(self, path: Path) -> bool:
        """Whether a file is named as one of these."""
        suffixes = {"cloud": CLOUDS.suffixes, "image": PICTURES_ALONE.suffixes}
        return any(path.suffix.lower() in suffixes[modality] for modality in self.modalities)

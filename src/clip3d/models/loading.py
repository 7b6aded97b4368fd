"""Finding a model by name or path. Nothing is fetched but what open_clip is asked for by name."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from clip3d.errors import ModelError
from clip3d.models.model import Model

EMBEDDED = Path(__file__).parent / "weights"
DEFAULT = "mini"
OPEN_CLIP = ("open_clip:", "hf-hub:")


def load(name: str | PathLike[str] = DEFAULT, *, device: str = "cpu") -> Model:
    """Load a model.

    Args:
        name: an embedded model ("mini"); the path of a folder that holds a card.json; or a model of the package
            open_clip, as `clip3d.models.open_clip_loading.open_checkpoint` takes it, with `open_clip:` or `hf-hub:`
            before it.
        device: torch device of the towers, such as "cpu", "cuda" or "cuda:1"; that of `mini` for texts is NumPy.

    Raises:
        ModelError: if there is no such model, or its files are damaged.
        MissingExtra: if a model of open_clip is named, and the package is not installed.
    """
    if str(name).startswith(OPEN_CLIP):
        from clip3d.models.open_clip_model import load_open_clip

        return load_open_clip(str(name), device)
    return Model(find_model(name), device=device)


def find_model(name: str | PathLike[str]) -> Path:
    """The folder of an embedded model's name, or of a path."""
    if str(name) in embedded_models():
        return EMBEDDED / str(name)
    folder = Path(name)
    if (folder / "card.json").is_file():
        return folder
    reason = "has no card.json" if folder.is_dir() else "there is no such model"
    known = ", ".join(embedded_models())
    raise ModelError(folder, reason, f"embedded models: {known}; or give a folder that holds a card.json")


def is_embedded(folder: Path) -> bool:
    """Whether a model's folder is one that comes with the package."""
    return folder.resolve().parent == EMBEDDED.resolve()


def embedded_models() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(path.parent.name for path in EMBEDDED.glob("*/card.json"))

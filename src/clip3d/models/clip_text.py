"""The text half of a CLIP checkpoint, by way of the package open_clip, to make banks of phrases with."""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import MissingExtra, ModelError
from clip3d.models.weights import sha256_of

Array = NDArray[np.float32]
PREFIX = "open_clip:"
# Variables, each of a module, that keep huggingface_hub and transformers off the network.
SWITCHES = (("huggingface_hub.constants", "HF_HUB_OFFLINE"), ("transformers.utils.hub", "_is_offline_mode"))
SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")


@dataclass(frozen=True, eq=False)
class ClipText:
    """Phrases to CLIP's own text vectors.

    Attributes:
        space: id of the space, from the architecture's name and the weights.
        encode: n phrases to vectors (n, d) float32, not brought to unit length.
    """

    space: str
    encode: Callable[[Sequence[str]], Array]


def load_clip_text(name: str, device: str = "cpu") -> ClipText:
    """Load a CLIP model's text tower.

    Args:
        name: `open_clip:ARCHITECTURE/FILE` with a .safetensors, .pt, .pth or .bin file; a folder with
            open_clip_config.json and weights; or, fetched from the network because it is named,
            `open_clip:ARCHITECTURE/TAG` and `hf-hub:OWNER/NAME`.
        device: where it runs.

    Raises:
        MissingExtra: if open_clip is not installed.
        ModelError: if the name is not understood, or the weights are missing, damaged or of another architecture.
            Weights are read as safetensors or with torch's `weights_only`; nothing in a file is run.
    """
    architecture, weights = _parse(name)
    hub = name.startswith("hf-hub:") or not (weights.is_file() or weights.is_dir())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import open_clip
    except ImportError as error:
        raise MissingExtra("reading CLIP checkpoints", "open_clip_torch", "clip") from error
    try:
        # A local file may belong to a model whose tokenizer open_clip would fetch.
        with nullcontext() if hub else _off_line():
            model, tokenizer = _open(open_clip, architecture, weights, hub)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(name, f"open_clip cannot load it: {reason[0][:300]}") from error
    except Exception as error:  # unpickling and safetensors errors share no base with the above
        raise ModelError(name, f"is not a readable checkpoint: {str(error)[:300]}") from error
    model = model.eval().to(device)
    return ClipText(_space(architecture, weights, hub), lambda phrases: _encode(model, tokenizer, phrases, device))


def _parse(name: str) -> tuple[str, Path]:
    """Architecture and weights; the weights' path is a tag where no such file exists."""
    if name.startswith("hf-hub:"):
        return name, Path(name)
    if not name.startswith(PREFIX):
        folder = Path(name)
        if not (folder / "open_clip_config.json").is_file():
            remedy = f"name a folder with open_clip_config.json, or {PREFIX}ViT-B-32/path/to/weights.safetensors"
            raise ModelError(name, "is no CLIP checkpoint that open_clip reads", remedy)
        _check_folder(folder)
        return f"local-dir:{folder}", folder
    architecture, slash, rest = name.removeprefix(PREFIX).partition("/")
    if not slash or not rest:
        raise ModelError(name, "names no weights", f"write {PREFIX}{architecture}/path/to/weights.safetensors")
    path = Path(rest)
    if path.is_file() and path.suffix not in SUFFIXES:
        raise ModelError(path, f"is none of {', '.join(SUFFIXES)}")
    if not path.is_file() and (path.suffix in SUFFIXES or len(path.parts) > 1):
        raise ModelError(path, "there is no such file", "check the spelling of the path")
    return architecture, path


@contextmanager
def _off_line() -> Iterator[None]:
    """Keep the packages that open_clip fetches with off the network in this block; what they have cached is read.

    They read the environment once, when imported: from then on the variables below decide, and the environment
    is left alone, so that a later load by a name of the hub still reaches it.
    """
    switches = [(sys.modules[module], name) for module, name in SWITCHES if hasattr(sys.modules.get(module), name)]
    before = [getattr(module, name) for module, name in switches]
    try:
        for module, name in switches:
            setattr(module, name, True)
        _drop_connections()
        yield
    finally:
        for (module, name), value in zip(switches, before, strict=True):
            setattr(module, name, value)
        _drop_connections()


def _drop_connections() -> None:
    """Let huggingface_hub before version 1, which binds the switch into its open connections, look at it again."""
    reset = getattr(sys.modules.get("huggingface_hub.utils"), "reset_sessions", None)
    if reset is not None:
        reset()


def _check_folder(folder: Path) -> None:
    if not any(path.suffix in SUFFIXES for path in folder.iterdir()):
        raise ModelError(folder, "holds no weights", f"open_clip reads {', '.join(SUFFIXES)}")


def _open(open_clip: Any, architecture: str, weights: Path, hub: bool) -> tuple[Any, Any]:
    plain = not architecture.startswith(("local-dir:", "hf-hub:"))
    if plain and open_clip.get_model_config(architecture) is None:
        raise ValueError(f"{architecture!r} is none of its architectures, such as ViT-B-32")
    if plain and hub and str(weights) not in open_clip.list_pretrained_tags_by_model(architecture):
        known = ", ".join(open_clip.list_pretrained_tags_by_model(architecture)[:8])
        raise ValueError(f"{str(weights)!r} is neither a file nor a tag of {architecture}; tags: {known or 'none'}")
    model = open_clip.create_model(
        architecture,
        pretrained=str(weights) if plain and hub else None,
        pretrained_image=False,
        pretrained_hf=False,
        weights_only=True,
    )
    if plain and not hub:
        open_clip.load_checkpoint(model, str(weights), strict=True, weights_only=True)
    return model, open_clip.get_tokenizer(architecture)


def _space(architecture: str, weights: Path, hub: bool) -> str:
    if hub:
        parts = (architecture,) if architecture == str(weights) else ("open_clip", architecture, str(weights))
        return ":".join((*parts, "text"))
    files = [weights] if weights.is_file() else sorted(p for p in weights.iterdir() if p.suffix in SUFFIXES)
    digest = hashlib.sha256("".join(sha256_of(path) for path in files).encode()).hexdigest()[:12]
    return f"open_clip:{'folder' if weights.is_dir() else architecture}:{digest}:text"


def _encode(model: Any, tokenizer: Any, phrases: Sequence[str], device: str) -> Array:
    import torch

    with torch.inference_mode():
        vectors = model.encode_text(tokenizer(list(phrases)).to(device))
    return np.asarray(vectors.float().cpu().numpy(), dtype=np.float32)

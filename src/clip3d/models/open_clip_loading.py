"""Models of the package open_clip: which one a name means, loaded with its own preparation and tokenizer.

Weights are read as safetensors or with torch's `weights_only`; nothing in a file is run.
"""

from __future__ import annotations

import hashlib
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clip3d.errors import MissingExtra, ModelError
from clip3d.models.script_archive import is_script_archive, read_script_archive
from clip3d.models.weights import sha256_of

log = logging.getLogger(__name__)

PREFIX, HUB_PREFIX = "open_clip:", "hf-hub:"
# Variables, each of a module, that keep huggingface_hub and transformers off the network.
SWITCHES = (("huggingface_hub.constants", "HF_HUB_OFFLINE"), ("transformers.utils.hub", "_is_offline_mode"))
SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
CONFIG = "open_clip_config.json"
# Numbers beside the tensors of OpenAI's archives.
OPENAI_NUMBERS = ("input_resolution", "context_length", "vocab_size")
PREPARATION = ("mean", "std", "interpolation", "resize_mode")


@dataclass(frozen=True, eq=False)
class Opened:
    """A model of open_clip.

    Attributes:
        name: architecture and tag or file; a folder's name; or the hub's name.
        model: in eval mode, on the CPU.
        prepare: a PIL image to pixels (3, s, s), a torch tensor.
        tokenizer: phrases to token ids.
        identity: of the architecture and the weights: a hub's name, or from the files' hashes.
        settings: what besides the weights makes vectors: the architecture and its activation.
        settled: whether its pictures are surely prepared as its publisher does; a file of weights does not tell.
    """

    name: str
    model: Any
    prepare: Callable[[Any], Any]
    tokenizer: Callable[[list[str]], Any]
    identity: str
    settings: str
    settled: bool


@dataclass(frozen=True)
class _Meant:
    """What a name means: an architecture or a scheme of open_clip, and weights: a file, a folder or a tag."""

    architecture: str
    weights: Path

    @property
    def local(self) -> bool:
        return self.weights.is_file() or self.weights.is_dir()

    @property
    def plain(self) -> bool:
        """Whether the architecture is one of open_clip's own list."""
        return not self.architecture.startswith(("local-dir:", HUB_PREFIX))


def open_checkpoint(name: str) -> Opened:
    """Load a model by way of open_clip.

    Args:
        name: `open_clip:ARCHITECTURE/FILE` with a .safetensors, .pt, .pth or .bin file; a folder with
            open_clip_config.json and weights, with or without `open_clip:`; or, fetched from the network because it
            is named, `open_clip:ARCHITECTURE/TAG` and `hf-hub:OWNER/NAME`.

    Raises:
        MissingExtra: if open_clip is not installed.
        ModelError: if the name is not understood, or the weights are missing, damaged or of another architecture.
    """
    meant = _parse(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import open_clip
    except ImportError as error:
        raise MissingExtra("reading CLIP checkpoints", "open_clip_torch", "clip") from error
    try:
        # A local file may belong to a model whose tokenizer open_clip would fetch.
        with _quiet_root(), _off_line() if meant.local else nullcontext():
            return _open(open_clip, meant)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(name, f"open_clip cannot load it: {reason[0][:300]}") from error
    except ModelError:
        raise
    except Exception as error:  # unpickling and safetensors errors share no base with the above
        raise ModelError(name, f"is not a readable checkpoint: {str(error)[:300]}") from error


def _parse(name: str) -> _Meant:
    """Architecture and weights; the weights' path is a tag where no such file exists."""
    if name.startswith(HUB_PREFIX):
        return _Meant(name, Path(name))
    folder = Path(name.removeprefix(PREFIX))
    if (folder / CONFIG).is_file():
        _check_folder(folder)
        return _Meant(f"local-dir:{folder}", folder)
    if not name.startswith(PREFIX):
        remedy = f"name a folder with {CONFIG}, or {PREFIX}ViT-B-32/path/to/weights.safetensors"
        raise ModelError(name, "is no CLIP checkpoint that open_clip reads", remedy)
    architecture, slash, rest = name.removeprefix(PREFIX).partition("/")
    if not slash or not rest:
        raise ModelError(name, "names no weights", f"write {PREFIX}{architecture}/path/to/weights.safetensors")
    path = Path(rest)
    if path.is_file() and path.suffix not in SUFFIXES:
        raise ModelError(path, f"is none of {', '.join(SUFFIXES)}")
    if not path.is_file() and (path.suffix in SUFFIXES or len(path.parts) > 1):
        raise ModelError(path, "there is no such file", "check the spelling of the path")
    return _Meant(architecture, path)


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


@contextmanager
def _quiet_root() -> Iterator[None]:
    """Take what open_clip tells the root logger, such as that it begins with random weights, for details.

    Without a handler there, its first message would also set up one that prints everything of this package again.
    """
    handler, root = _Details(), logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


class _Details(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "root":  # this package's own messages come by here too
            log.info("open_clip: %s", record.getMessage())


def _drop_connections() -> None:
    """Let huggingface_hub before version 1, which binds the switch into its open connections, look at it again."""
    reset = getattr(sys.modules.get("huggingface_hub.utils"), "reset_sessions", None)
    if reset is not None:
        reset()


def _check_folder(folder: Path) -> None:
    if not any(path.suffix in SUFFIXES for path in folder.iterdir()):
        raise ModelError(folder, "holds no weights", f"open_clip reads {', '.join(SUFFIXES)}")


def _open(open_clip: Any, meant: _Meant) -> Opened:
    architecture, tag = meant.architecture, str(meant.weights)
    if meant.plain and open_clip.get_model_config(architecture) is None:
        raise ValueError(f"{architecture!r} is none of its architectures, such as ViT-B-32")
    tags = open_clip.list_pretrained_tags_by_model(architecture) if meant.plain else []
    if meant.plain and not meant.local and tag not in tags:
        known = ", ".join(tags[:8]) or "none"
        raise ValueError(f"{tag!r} is neither a file nor a tag of {architecture}; tags: {known}")
    separate = meant.plain and meant.local
    published = [open_clip.get_pretrained_cfg(architecture, each) for each in tags] if separate else []
    told, quick = _agreed(published), _quick_gelu(open_clip, meant)
    model, _, prepare = open_clip.create_model_and_transforms(
        architecture,
        pretrained=tag if meant.plain and not meant.local else None,
        pretrained_image=False,
        pretrained_hf=False,
        weights_only=True,
        # or open_clip would go on with random weights when it finds none
        require_pretrained=not separate,
        force_quick_gelu=quick,
        **{f"image_{key}": value for key, value in (told or {}).items()},
    )
    if separate:
        _load(open_clip, model, meant.weights, quick)
    tokenizer = open_clip.get_tokenizer(architecture)
    settings = f"{architecture} {quick}" if meant.plain else architecture
    if meant.weights.is_dir():
        settings = sha256_of(meant.weights / CONFIG)
    return Opened(_short(meant), model.eval(), prepare, tokenizer, _identity(meant), settings, told is not None)


def _agreed(known: list[dict[str, Any]]) -> dict[str, Any] | None:
    """How pictures are prepared, if all published weights of an architecture agree; None if they do not."""
    ways = [{key: cfg[key] for key in PREPARATION if cfg.get(key) is not None} for cfg in known]
    return None if any(way != ways[0] for way in ways) else (ways[0] if ways else {})


def _quick_gelu(open_clip: Any, meant: _Meant) -> bool:
    """Whether to use the activation of OpenAI's weights; where a tag's differ, open_clip itself would only warn."""
    if not meant.plain:
        return False  # their own config tells
    built = bool(open_clip.get_model_config(meant.architecture).get("quick_gelu"))
    if meant.local:
        return built
    trained = bool(open_clip.get_pretrained_cfg(meant.architecture, str(meant.weights)).get("quick_gelu"))
    if built and not trained:
        raise ValueError(f"{meant.weights} was not trained with the activation of {meant.architecture}")
    return trained


def _load(open_clip: Any, model: Any, weights: Path, quick: bool) -> None:
    """Load a file into a model; of a TorchScript archive the tensors, by way of a file of safetensors."""
    if not is_script_archive(weights):
        open_clip.load_checkpoint(model, str(weights), strict=True, weights_only=True)
        return
    from safetensors.torch import save_file

    found = read_script_archive(weights)
    if not quick and any(key in found for key in OPENAI_NUMBERS):
        raise ValueError("it holds OpenAI's weights: name an architecture that ends in -quickgelu")
    state = {key: t.contiguous() for key, t in found.items() if key not in OPENAI_NUMBERS}
    with tempfile.TemporaryDirectory() as folder:
        save_file(state, Path(folder) / "state.safetensors")
        open_clip.load_checkpoint(model, str(Path(folder) / "state.safetensors"), strict=True, weights_only=True)


def _short(meant: _Meant) -> str:
    if meant.plain:
        return f"{meant.architecture}/{meant.weights.name}"
    return meant.weights.resolve().name if meant.local else meant.architecture


def _identity(meant: _Meant) -> str:
    architecture, weights = meant.architecture, meant.weights
    if not meant.local:
        return architecture if architecture == str(weights) else f"{PREFIX}{architecture}:{weights}"
    files = [weights] if weights.is_file() else sorted(p for p in weights.iterdir() if p.suffix in SUFFIXES)
    digest = hashlib.sha256("".join(sha256_of(path) for path in files).encode()).hexdigest()[:12]
    return f"{PREFIX}{'folder' if weights.is_dir() else architecture}:{digest}"

"""CLIP checkpoints fetched from Hugging Face's hub, because the user names one there.

Fetching is done by the package huggingface_hub, with its cache and its settings (HF_HUB_OFFLINE, HF_HOME). Only the
weights and the few small files that `clip3d.models.clip_checkpoints` reads are fetched, never a program.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clip3d.errors import MissingExtra, ModelError
from clip3d.models.clip_checkpoints import SUFFIXES, TOKENIZERS, USUAL
from clip3d.models.sharded import INDEX_SUFFIX

PREFIX = "hf-hub:"
NAME = re.compile(r"(?P<name>\w[\w.-]*/\w[\w.-]*)(@(?P<revision>\w[\w.-]*))?")
BESIDE_WEIGHTS = ("config.json", "preprocessor_config.json", "open_clip_config.json", *TOKENIZERS)
# Answers of the hub that no copy in the cache may stand in for.
REFUSALS = ("RepositoryNotFoundError", "RevisionNotFoundError", "GatedRepoError", "HFValidationError")
LOGIN = "check the spelling; a model with conditions needs the login of huggingface_hub"


@dataclass(frozen=True)
class Fetched:
    """A checkpoint in the cache of the hub's package.

    Attributes:
        folder: that holds weights and configs.
        source: `hf-hub:OWNER/NAME@COMMIT`.
        licence: as the hub's page states it, or None.
    """

    folder: Path
    source: str
    licence: str | None


def is_hub_name(name: str) -> bool:
    """Whether a name means a model on the hub: `hf-hub:OWNER/NAME`, or `OWNER/NAME` where no such file exists."""
    if name.startswith(PREFIX):
        return True
    return bool(NAME.fullmatch(name)) and not Path(name).exists() and not name.endswith((*SUFFIXES, ".json"))


def fetch_checkpoint(name: str) -> Fetched:
    """Fetch a checkpoint, or find it in the cache if the hub cannot be reached.

    Args:
        name: `OWNER/NAME` or `hf-hub:OWNER/NAME`, perhaps with `@REVISION` behind it.

    Raises:
        MissingExtra: if huggingface_hub is not installed.
        ModelError: if there is no such model, it holds no weights that are read here, or it cannot be reached and
            is not in the cache.
    """
    match = NAME.fullmatch(name.removeprefix(PREFIX))
    if match is None:
        raise ModelError(name, "is no name of a model on the hub", f"write {PREFIX}OWNER/NAME")
    try:
        import huggingface_hub as hub
    except ImportError as error:
        feature = f"{_absent(name)}fetching {name} from the hub"
        raise MissingExtra(feature, "huggingface_hub", "clip") from error
    repository, revision = match["name"], match["revision"]
    try:
        facts = hub.HfApi().model_info(repository, revision=revision)
    except Exception as error:  # noqa: BLE001 - the package and its network libraries' errors share no base
        return _from_cache(hub, name, repository, revision, error)
    wanted = wanted_files(name, [sibling.rfilename for sibling in facts.siblings or ()])
    try:
        # by the revision's own name: the cache notes which commit it was, and off line finds the copy again
        folder = hub.snapshot_download(repository, revision=revision, allow_patterns=wanted)
    except Exception as error:
        remedy = LOGIN if _is_refusal(error) else "try again"
        raise ModelError(name, f"could not be fetched from the hub: {_reason(error)}", remedy) from error
    licence = getattr(facts.card_data, "license", None)
    return _fetched(repository, Path(folder), licence if isinstance(licence, str) else None)


def wanted_files(name: str, files: Sequence[str]) -> list[str]:
    """Of the names of a repository's files those to fetch: one checkpoint, and what is read beside it.

    Raises:
        ModelError: if there is no file of weights, or it cannot be told which is meant.
    """
    usual = [file for file in USUAL if file in files]
    weights = usual[:1] or [file for file in files if file.endswith(SUFFIXES) and "/" not in file]
    if len(weights) != 1:
        found = ", ".join(weights) or "none"
        remedy = "download it, and name the file"
        raise ModelError(name, f"holds not one file of weights but these: {found}", remedy)
    if weights[0].endswith(INDEX_SUFFIX):
        weights.append(weights[0].removesuffix(INDEX_SUFFIX) + "-*.safetensors")
    return [*weights, *(file for file in BESIDE_WEIGHTS if file in files)]


def _from_cache(hub: Any, name: str, repository: str, revision: str | None, error: Exception) -> Fetched:
    """The copy in the cache, if what went wrong may be that there is no network."""
    if _is_refusal(error):
        raise ModelError(name, f"{_absent(name)}it is not open on the hub: {_reason(error)}", LOGIN) from error
    cached = (hub.try_to_load_from_cache(repository, file, revision=revision) for file in (*USUAL, *BESIDE_WEIGHTS))
    folder = next((Path(path).parent for path in cached if isinstance(path, str)), None)
    if folder is None:
        reason = f"the hub cannot be reached ({_reason(error)}), and no copy is cached"
        raise ModelError(name, _absent(name) + reason, "go on line, or name a folder with a copy") from error
    return _fetched(repository, folder, None)


def _is_refusal(error: Exception) -> bool:
    return any(kind.__name__ in REFUSALS for kind in type(error).__mro__)


def _absent(name: str) -> str:
    """The other thing that may be wrong with a name that may have meant a folder."""
    return "" if name.startswith(PREFIX) else "there is no such file or folder here; "


def _fetched(repository: str, folder: Path, licence: str | None) -> Fetched:
    # a snapshot's folder is named by its commit
    return Fetched(folder, f"{PREFIX}{repository}@{folder.name}", licence)


def _reason(error: Exception) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]

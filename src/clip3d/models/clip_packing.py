"""A CLIP checkpoint's towers as files of a bundle."""

from __future__ import annotations

from pathlib import Path

from clip3d.errors import ModelError
from clip3d.models.card import Modality
from clip3d.models.clip_checkpoints import Clip
from clip3d.models.packing import TowerFacts
from clip3d.models.weights import write_arrays


def write_clip_towers(clip: Clip, folder: Path, tokenizer: Path | None = None) -> dict[Modality, TowerFacts]:
    """Write both towers' weights and the tokenizer into a bundle's folder.

    Args:
        clip: as `load_clip` gives it, with or without visual prompts.
        folder: of the bundle; it is made if need be.
        tokenizer: vocabulary that `ClipTokenizer.read` takes, if none lies beside the checkpoint.

    Returns:
        The towers' facts in the form that `clip3d.models.packing.pack` takes.

    Raises:
        ModelError: if there is no tokenizer, or it is not the text tower's.
    """
    source = _checked_tokenizer(clip, folder, tokenizer or clip.facts.tokenizer)
    # checked before, so that a refusal leaves no half bundle
    for modality, tower in (("image", clip.image), ("text", clip.text)):
        state = {name: tensor.detach().cpu().numpy() for name, tensor in tower.state_dict().items()}
        write_arrays(state, folder / f"{modality}.safetensors")
    if source.resolve() != (folder / source.name).resolve():
        (folder / source.name).write_bytes(source.read_bytes())
    prompts = clip.image.prompts
    image = clip.facts.image | ({"prompts": prompts.tokens.shape[1]} if prompts is not None else {})
    text = clip.facts.text | {"tokenizer": source.name}
    return {
        "image": TowerFacts("clip-vit", "image.safetensors", image, clip.facts.preprocess),
        "text": TowerFacts("clip-text", "text.safetensors", text, files=(source.name,)),
    }


def _checked_tokenizer(clip: Clip, folder: Path, path: Path | None) -> Path:
    from clip3d.towers.clip_text import ClipTextTower
    from clip3d.towers.clip_tokenizer import ClipTokenizer

    if path is None:
        remedy = "give tokenizer.json, or OpenAI's bpe_simple_vocab_16e6.txt.gz"
        raise ModelError(folder, "no tokenizer lies beside the checkpoint", remedy)
    try:
        ClipTextTower(clip.text, ClipTokenizer.read(path))
    except ValueError as error:
        raise ModelError(path, f"is not the tokenizer of this checkpoint: {error}") from error
    return path

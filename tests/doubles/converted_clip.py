"""A tiny CLIP, converted: a model with image and text tower."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_clip
from tiny_vocabulary import learn_merges, vocabulary, write_json

from clip3d.models.clip_converting import convert_clip
from clip3d.models.model import Model


def converted_clip(folder: Path) -> Model:
    merges = learn_merges()
    (folder / "published").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_clip, "VOCABULARY", len(vocabulary(merges)))
        tiny_clip.write_hugging_face(tiny_clip.TinyClip(), folder / "published")
        write_json(folder / "published" / "tokenizer.json", merges)
        return convert_clip(folder / "published", folder / "clip").model

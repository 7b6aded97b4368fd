"""Put the towers of `mini` together: card, hashes and golden vectors.

The weights of the towers must lie in the bundle's folder already (see docs/training.md). What the card says of data
and limits is in `scripts/mini_card.json`; figures measured later are added there and the script is run again.

    python scripts/assemble_mini.py --scale 25
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from clip3d.models.card import Modality
from clip3d.models.checking import phrases_as_bytes
from clip3d.models.loading import EMBEDDED
from clip3d.models.packing import TowerFacts, golden_clouds, golden_images, pack

PHRASES = ["a chair", "something to sit on", "a round wooden table", "red car", "an aeroplane", "", "Ein Stuhl"]

TOWERS: dict[Modality, TowerFacts] = {
    "text": TowerFacts(
        "sentence-text", "text.safetensors", {"layers": 6, "heads": 12}, files=("tokenizer.json",)
    ),
    "image": TowerFacts(
        "efficientnet-lite",
        "image.safetensors",
        {"dim": 512, "classes": 1000, "hidden": 256},
        {"size": 224, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
    ),
    "cloud": TowerFacts("set-abstraction", "cloud.safetensors", {}, {"points": 1024, "color_fill": 0.5}),
}


def main() -> None:
    """Parse the command line and write the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=EMBEDDED / "mini")
    parser.add_argument("--scale", type=float, required=True, help="inverse temperature that training learned")
    arguments = parser.parse_args()
    folder = arguments.folder
    facts = json.loads(Path(__file__).with_name("mini_card.json").read_text(encoding="utf-8"))
    present = {modality: tower for modality, tower in TOWERS.items() if (folder / tower.weights).exists()}
    space = {
        "id": "clip-vit-b32-text",
        "dim": 512,
        "scale": arguments.scale,
        "stored": "unit",
        "weights": "space.safetensors",
    }
    model = pack(folder, facts, space, present, golden(present))
    print(model.id, sorted(model.card.towers))


def golden(present: dict[Modality, TowerFacts]) -> dict[str, Any]:
    """Inputs whose vectors the card records: phrases, noise pictures, coloured ellipsoids."""
    inputs: dict[str, Any] = {"text.phrases": phrases_as_bytes(PHRASES)}
    if "image" in present:
        rng = np.random.default_rng(0)
        inputs |= golden_images(list(rng.integers(0, 256, size=(2, 64, 80, 3), dtype=np.uint8)))
    if "cloud" in present:
        inputs |= golden_clouds()
    return inputs


if __name__ == "__main__":
    main()

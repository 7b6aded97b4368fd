"""Put the towers of `mini` together: weights, card, hashes and golden vectors.

Each tower comes from the folder of its training (`clip3d train … --out RUN`); a tower that is not named stays as it
is in the bundle. What the card says of data and limits is in `scripts/mini_card.json`.

    python scripts/assemble_mini.py --text runs/text --cloud runs/cloud --image runs/image
    python scripts/assemble_mini.py --cloud runs/cloud-0 runs/cloud-1 runs/cloud-2    # the mean of three
    python scripts/assemble_mini.py          # after a change of scripts/mini_card.json
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clip3d.models.card import Modality
from clip3d.models.checking import phrases_as_bytes
from clip3d.models.loading import EMBEDDED
from clip3d.models.packing import TowerFacts, golden_clouds, golden_images, pack
from clip3d.models.weights import read_arrays, write_arrays, write_json

PHRASES = ["a chair", "something to sit on", "a round wooden table", "red car", "an aeroplane", "", "Ein Stuhl"]
# Inverse temperature of a bundle without a cloud tower: probabilities mean little then.
NO_SCALE = 20.0
TURNS = 2
SPACE = "clip-vit-b32-text"

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
    "cloud": TowerFacts(
        "set-abstraction", "cloud.safetensors", {}, {"points": 512, "color_fill": 0.5, "outliers": 3.0}
    ),
}
BESIDE: dict[Modality, tuple[str, ...]] = {"text": ("tokenizer.json", "space.safetensors")}


def main() -> None:
    """Parse the command line and write the bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=EMBEDDED / "mini", help="of the bundle, if not mini's own")
    parser.add_argument("--text", type=Path, metavar="RUN", help="training of the text tower")
    parser.add_argument("--image", type=Path, metavar="RUN", help="training of the image tower")
    parser.add_argument(
        "--cloud", type=Path, nargs="+", metavar="RUN", help="trainings of the cloud tower from the same weights"
    )
    arguments = parser.parse_args()
    if arguments.cloud:
        arguments.cloud = average(arguments.cloud, arguments.cloud[0].with_name("cloud-mean"))
    runs = {modality: getattr(arguments, modality) for modality in TOWERS if getattr(arguments, modality)}
    model_id = assemble(arguments.folder, runs)
    print(model_id, sorted(m for m, tower in TOWERS.items() if (arguments.folder / tower.weights).exists()))


def average(runs: Sequence[Path], out: Path) -> Path:
    """The folder of a cloud tower whose weights are the mean of several trainings'; one training's own folder.

    All must have gone on from the same weights: only then does their mean name what each of them names (Wortsman
    et al. 2022, "Model soups", section 2).

    Raises:
        SystemExit: if the towers differ in their configuration.
    """
    if len(runs) == 1:
        return runs[0]
    results = [_result(run) for run in runs]
    if any(result["tower"] != results[0]["tower"] for result in results):
        raise SystemExit(f"the towers of {', '.join(map(str, runs))} are not configured alike")
    states = [read_arrays(run / TOWERS["cloud"].weights) for run in runs]
    mean = {
        name: np.mean([state[name] for state in states], axis=0, dtype=np.float64).astype(first.dtype)
        for name, first in states[0].items()
    }
    write_arrays(mean, out / TOWERS["cloud"].weights)
    scale = float(np.mean([result["scale"] for result in results]))
    # what else the trainings found out is true of each of them alone
    facts = {"kind": "cloud", "tower": results[0]["tower"], "scale": scale, "mean of": [run.name for run in runs]}
    write_json(facts, out / "result.json")
    return out


def assemble(folder: Path, runs: dict[Modality, Path]) -> str:
    """Write a bundle into `folder` from trainings and from what lies there already; returns the model's id."""
    old = _old_card(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for modality, run in runs.items():
        for name in (TOWERS[modality].weights, *BESIDE.get(modality, ())):
            if run.resolve() != folder.resolve():
                shutil.copyfile(run / name, folder / name)
    present: dict[Modality, TowerFacts] = {}
    scale = old.get("space", {}).get("scale", NO_SCALE)
    for modality, tower in TOWERS.items():
        if modality in runs:
            present[modality] = _trained(tower, runs[modality])
            scale = _result(runs[modality]).get("scale", scale)
        elif (folder / tower.weights).exists():
            kept = old.get("towers", {}).get(modality, {})
            config, preprocess = kept.get("config", tower.config), kept.get("preprocess", tower.preprocess)
            present[modality] = TowerFacts(tower.architecture, tower.weights, config, preprocess, tower.files)
    facts = json.loads(Path(__file__).with_name("mini_card.json").read_text(encoding="utf-8"))
    space = {"id": SPACE, "dim": 512, "scale": scale, "stored": "unit", "weights": "space.safetensors"}
    # A refusal is fitted to one set of weights: it does not outlive them.
    if "refusal" in old and not runs:
        facts["refusal"] = old["refusal"]
    return pack(folder, facts, space, present, golden(present)).id


def _trained(tower: TowerFacts, run: Path) -> TowerFacts:
    config = {**tower.config, **_result(run).get("tower", {})}
    preprocess = {**tower.preprocess, "turns": TURNS} if config.get("pose_free") else tower.preprocess
    return TowerFacts(tower.architecture, tower.weights, config, preprocess, tower.files)


def _result(run: Path) -> dict[str, Any]:
    path = run / "result.json"
    # The text tower of a finished bundle serves too; its configuration is always the same.
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return result


def _old_card(folder: Path) -> dict[str, Any]:
    path = folder / "card.json"
    old: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return old


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

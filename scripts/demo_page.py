"""Write the demonstration's page with short paths, for the picture in the README.

    python scripts/demo_page.py /tmp/picture/demo.html
    cd /tmp/picture && chromium --headless --disable-gpu --hide-scrollbars --window-size=960,2480 \\
        --screenshot=demo.png file:///tmp/picture/demo.html
"""

from __future__ import annotations

import argparse
import os
import shutil
from dataclasses import replace
from pathlib import Path

import clip3d
from clip3d.data.samples import FOLDER, Samples, list_samples
from clip3d.models.vector_cache import VectorCache
from clip3d.search.demonstration import ask_samples
from clip3d.search.page import write_page


def main() -> None:
    """Copy the samples beside the page, ask, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    page = parser.parse_args().page.resolve()
    page.parent.mkdir(parents=True, exist_ok=True)
    os.chdir(page.parent)
    shutil.copytree(FOLDER, "assets", dirs_exist_ok=True)
    samples = moved(list_samples(), Path("assets"))
    with VectorCache.disabled() as cache:
        answers = ask_samples(clip3d.load(), samples, cache=cache)
    names = {sample.path: sample.name for sample in samples.objects}
    write_page(page, "clip3d: words, a photo and a shape find 3D objects", answers, names=names)


def moved(samples: Samples, folder: Path) -> Samples:
    """The same samples in another folder."""
    objects = [replace(sample, path=folder / sample.path.name) for sample in samples.objects]
    return Samples(objects, samples.texts, folder / samples.image.name, folder / samples.like.name)


if __name__ == "__main__":
    main()

"""Build the test of breadth from the Debian package supertuxkart-data: for evaluation only, never for training.

    python scripts/make_breadth_test.py breadth.npz --packages FOLDER
    clip3d evaluate zero-shot --clouds breadth.npz

The package (GPL-3+) is fetched with apt-get unless it lies in FOLDER; the built file is not for handing on with
this project.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from clip3d.data.packages import fetch_debian
from clip3d.errors import Clip3dError
from clip3d.evaluation.breadth import PACKAGE, build_breadth_test


def main() -> int:
    """Build the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the npz file to write")
    parser.add_argument("--packages", type=Path, required=True, help="folder of the package; fetched to")
    parser.add_argument("--points", type=int, default=2048, help="of each cloud")
    arguments = parser.parse_args()
    try:
        package = fetch_debian(PACKAGE, arguments.packages)
        built = build_breadth_test(package, arguments.out, points=arguments.points, progress=_note)
    except Clip3dError as error:
        _note(str(error))
        return 1
    print(f"{arguments.out}: {built.objects} objects of {built.classes} classes, for evaluation only")
    return 1 if built.passed_over else 0


def _note(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())

"""Sets of driving logs that LidarCLIP's experiments measure on: ONCE, nuScenes, and the simulator's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from clip3d.data.driving_logs import read_logs
from clip3d.data.driving_shots import NUSCENES, ONCE, Definition, Shot, shots_of
from clip3d.errors import DataError, FileProblem
from clip3d.experiments.experiment import Bench
from clip3d.experiments.needs import NEEDS
from clip3d.lidar.frame import Log
from clip3d.lidar.reading import read_log

# Scenes of nuScenes' official validation split, first and last of each run of numbers.
_VAL_RUNS = (
    (3, 3), (12, 18), (35, 36), (38, 39), (92, 110), (221, 221), (268, 278), (329, 332), (344, 346), (519, 524),
    (552, 565), (625, 627), (629, 630), (632, 638), (770, 771), (775, 775), (777, 778), (780, 784), (794, 800),
    (802, 802), (904, 917), (919, 931), (962, 963), (966, 969), (971, 972), (1059, 1073),
)  # fmt: skip
NUSCENES_VAL = frozenset(f"scene-{n:04d}" for first, last in _VAL_RUNS for n in range(first, last + 1))
BEAMS = ("vlp-16", "hdl-32e", "hdl-64e", "generic-48")
SPLITS = ("val", "test")  # of ONCE: objects are labelled in the first, light and weather are told of both


@dataclass(frozen=True)
class Drawing:
    """What the simulator draws where nothing is brought.

    Attributes:
        logs: how many.
        frames: of each, one a second.
        seed: of all.
        shapes: "train" or "held-out".
        sensors: lidars; a folder each if there are several.
    """

    logs: int
    frames: int
    seed: int
    shapes: Any
    sensors: tuple[str, ...]


DRAWINGS = {
    "driving-held-out": Drawing(80, 5, 71, "held-out", ("generic-48",)),
    "driving-train": Drawing(60, 5, 72, "train", ("any",)),
    "driving-beams": Drawing(20, 4, 73, "held-out", BEAMS),
}


@dataclass(frozen=True)
class DrivingSet:
    """Logs that are searched.

    Attributes:
        name: in names of rows.
        title: in tables.
        need: in the table `NEEDS`.
        definition: of terms and kinds.
        logs: opens them.
        train: the need of what may be learned from.
        keeps: which shots count.
        simulated: whether conditions and hidden things are known.
    """

    name: str
    title: str
    need: str
    definition: Definition
    logs: Callable[[Path, Callable[[str], None]], Iterator[Log]]
    train: str
    keeps: Callable[[Shot], bool] = field(default=lambda shot: True)
    simulated: bool = False

    def row(self) -> dict[str, Any]:
        """What a row that measures on it needs, uses and makes beforehand."""
        return drawn_row(self.need) if self.need in DRAWINGS else {"needs": (self.need,)}

    def shots(self, bench: Bench) -> list[Shot]:
        """All shots, read once for all rows.

        Raises:
            DataError: if there is none.
        """
        return bench.once(f"shots:{self.name}", lambda: self._shots(bench))

    def _shots(self, bench: Bench) -> list[Shot]:
        path = bench.path(self.need)
        shots = [shot for log in self.logs(path, bench.tell) for shot in shots_of(log, self.definition)]
        kept = [shot for shot in shots if self.keeps(shot)]
        if not kept:
            raise DataError(path, "holds no frame with a picture that counts", "docs/experiments.md says which do")
        return kept

    def protocol(self, bench: Bench) -> dict[str, Any]:
        """What was looked at."""
        shots = self.shots(bench)
        digest = hashlib.sha256()
        for shot in shots:
            middles = [[round(float(v), 3) for v in thing.box.center] for thing in shot.things]
            digest.update(repr((shot.drive, shot.frame, shot.camera, shot.told, middles)).encode())
        return {
            "data": f"{self.title}: {len({shot.drive for shot in shots})} drives, {len(shots)} frames and cameras, "
            f"{sum(shot.labelled for shot in shots)} of them labelled",
            "truth_sha256": digest.hexdigest(),
            "definitions": self.defined(self.definition.near),
        }

    def defined(self, near: float) -> str:
        """Its terms in words, objects being nearby within so many metres."""
        return (
            f"{self.definition.name}'s: nearby within {near:g} m, busy from {self.definition.busy} vehicles within "
            "60 m; things count whose rectangle touches the central square"
        )


def drawn_row(*needs: str) -> dict[str, Any]:
    """What a row of simulated logs uses, and what it draws where they are not there."""
    return {"uses": needs, "before": lambda bench: [draw(bench, need) for need in needs] and None}


def draw(bench: Bench, need: str) -> Path:
    """The simulated logs of a need: brought, drawn earlier, or drawn now into the folder of data.

    Raises:
        DataError: if they cannot be drawn.
        MissingExtra: if the simulator's package is not installed.
    """
    found = bench.find(need)
    if found is not None:
        return found
    drawing, target = DRAWINGS[need], bench.data / NEEDS[need].places[0]
    part = target.with_name(f"{target.name}.drawing")
    for sensor in drawing.sensors:
        _simulate(bench, drawing, sensor, part / sensor if len(drawing.sensors) > 1 else part)
    try:
        part.rename(target)
    except OSError as error:
        raise DataError(target, f"cannot be written: {error.strerror or error}") from error
    return target


def _simulate(bench: Bench, drawing: Drawing, sensor: str, out: Path) -> None:
    from clip3d.simulation.driving.logs import Drive
    from clip3d.simulation.driving.making import make_logs

    drive = Drive(drawing.frames, drawing.seed, 1.0, sensor, shapes=drawing.shapes)
    total = drawing.logs * drawing.frames
    bench.tell(f"{out}: {drawing.logs} logs of {drawing.frames} frames are simulated, {sensor}")

    def told(done: int, of: int) -> None:
        if done % 50 == 0 or done == total:
            bench.tell(f"{done} of {of} frames simulated")

    made = make_logs(drive, drawing.logs, out, progress=told)
    if made.problems:
        raise DataError(out, f"{len(made.problems)} logs could not be simulated: {made.problems[0]}")


def _any(path: Path, tell: Callable[[str], None]) -> Iterator[Log]:
    def told(problem: FileProblem) -> None:
        tell(str(problem))

    return read_logs(path, told)


def learned_from(bench: Bench, on: DrivingSet) -> tuple[Path, tuple[str, ...]]:
    """The folder that a training for a data set learns from, and the logs in it: of ONCE those not held out.

    Raises:
        DataError: if nothing is left, or it is not told what is held out.
    """
    path = bench.path(on.train)
    if on.train != "once":
        return path.parent, (path.name,)
    split_of = list(_sequences(path, bench.tell))
    if all(split is None for _, split in split_of):
        remedy = "put ImageSets/ of the data set beside data/"
        raise DataError(path, "it is not told which of its sequences are held out", remedy)
    logs = [log for log, split in split_of if split is not None and split not in SPLITS]
    if not logs:
        raise DataError(path, "has no sequence that is not of the splits val and test", "bring those of train")
    return path, tuple(f"data/{log.name}" for log in logs)


def _once(path: Path, tell: Callable[[str], None]) -> Iterator[Log]:
    """ONCE's sequences of the splits that count; all where ImageSets tells none."""
    yield from (log for log, split in _sequences(path, tell) if split is None or split in SPLITS)


def _sequences(path: Path, tell: Callable[[str], None]) -> Iterator[tuple[Log, str | None]]:
    """ONCE's sequences with their splits, as ImageSets tells them."""
    for folder in sorted((path / "data").iterdir() if (path / "data").is_dir() else ()):
        try:
            log = read_log(folder, "once")
        except FileProblem as problem:
            tell(str(problem))
            continue
        split = log.frames[0].metadata.get("split") if len(log) else None
        yield log, None if split is None else str(split)


def _nuscenes(path: Path, tell: Callable[[str], None]) -> Iterator[Log]:
    versions = [path / name for name in ("v1.0-trainval", "v1.0-mini") if (path / name).is_dir()]
    yield read_log(versions[0] if versions else path, "nuscenes")


def _beam(path: Path, tell: Callable[[str], None], sensor: str) -> Iterator[Log]:
    return _any(path / sensor, tell)


def _is_val(shot: Shot) -> bool:
    return shot.drive.rpartition("/")[2] in NUSCENES_VAL


ON_ONCE = DrivingSet("once", "ONCE", "once", ONCE, _once, "once")
ON_NUSCENES = DrivingSet("nuscenes", "nuScenes", "nuscenes", NUSCENES, _nuscenes, "nuscenes", _is_val)
ON_SIMULATOR = DrivingSet(
    "simulator", "simulator, held-out", "driving-held-out", ONCE, _any, "driving-train", simulated=True
)
ON_BEAMS: Sequence[DrivingSet] = tuple(
    DrivingSet(
        f"beams-{sensor}",
        f"simulator, {sensor}",
        "driving-beams",
        ONCE,
        partial(_beam, sensor=sensor),
        "driving-train",
        simulated=True,
    )
    for sensor in BEAMS
)

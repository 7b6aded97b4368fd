"""Making many logs: by several processes, going on where a run stopped, one that fails not stopping the others."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from clip3d.errors import FileProblem, FrameError
from clip3d.lidar.once_writing import enrol
from clip3d.simulation.driving.logs import Drive, Layout, log_name, make_log
from clip3d.simulation.processes import together

Progress = Callable[[int, int], None]


@dataclass
class Made:
    """What a run did: logs that are whole, their frames, how many of these it wrote, what was wrong, and the names
    of the logs."""

    logs: int = 0
    frames: int = 0
    written: int = 0
    problems: list[FileProblem] = field(default_factory=list)
    made: list[str] = field(default_factory=list)


def make_logs(
    drive: Drive,
    logs: int,
    out: Path,
    *,
    workers: int = 1,
    layout: Layout = "plain",
    progress: Progress | None = None,
) -> Made:
    """Record logs 0 to `logs` - 1 into folders below `out`, whatever the number of workers the same.

    Args:
        drive: what is recorded.
        logs: how many.
        out: is made if need be.
        workers: processes; 1 works in this one.
        layout: "plain", or "once" for one data set in ONCE's layout, whose logs ImageSets lists as "train", and
            those of held-out shapes as "val".
        progress: called with the number of frames done and of all; with several workers log by log.

    Raises:
        FrameError: if `out` cannot be made.
        MissingExtra: if the package embreex is not installed.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FrameError(out, f"it cannot be made: {error.strerror or error}") from error
    result = Made()
    try:
        _make(result, drive, logs, out, workers, layout, progress)
    finally:
        if layout == "once" and result.made:
            try:
                enrol(out, "train" if drive.shapes == "train" else "val", result.made)
            except FrameError as problem:
                result.problems.append(problem)
    return result


def _make(
    result: Made, drive: Drive, logs: int, out: Path, workers: int, layout: Layout, progress: Progress | None
) -> None:
    total = logs * drive.frames
    if workers == 1 or logs == 1:
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            if progress:
                progress(done, total)

        for number in range(logs):
            _count(result, drive, number, lambda n=number: make_log(drive, n, out, step, layout))  # type: ignore[misc]
        return
    for number, outcome in together(partial(_one, drive, out, layout), range(logs), min(workers, logs)):
        _count(result, drive, number, outcome)
        if progress:
            progress((result.logs + len(result.problems)) * drive.frames, total)


def _count(result: Made, drive: Drive, number: int, outcome: Callable[[], int]) -> None:
    try:
        result.written += outcome()
    except FileProblem as problem:
        result.problems.append(problem)
    except BrokenProcessPool:
        name = log_name(drive, number)
        result.problems.append(FrameError(name, "the process that made it was ended", "run the command again"))
    else:
        result.logs += 1
        result.made.append(log_name(drive, number))
        result.frames += drive.frames


def _one(drive: Drive, out: Path, layout: Layout, number: int) -> int:
    return make_log(drive, number, out, None, layout)

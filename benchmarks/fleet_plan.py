"""What it takes to make a fleet's driving logs searchable: frames, records, sizes, cores, writers, queries, cost.

The plan multiplies what was measured for a frame. With --measure logs are indexed here, one thread, to measure it
anew: mini's image tower and an untrained sweep tower of the small kind, unless --model names one.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import clip3d
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.collection import Collection
from clip3d.search.keeping.frame_encoding import EncodedBatch, FrameEncoder
from clip3d.search.keeping.frame_reading import FrameReader
from clip3d.search.keeping.frames import FrameIndexing
from clip3d.search.keeping.reporting import Plan
from clip3d.search.stores.frame_vectors import VIEW_KINDS
from clip3d.search.stores.store import Store
from clip3d.search.sweep_sources import find_sweeps

EXAMPLE = """examples:
  python benchmarks/fleet_plan.py
  python benchmarks/fleet_plan.py --hours 2e4 --hertz 10 2 --cameras 1 --core-hour 0.04 --tb-month 20
  python benchmarks/fleet_plan.py --measure logs/drive_0001"""
VECTOR_BYTES = 4
DIM = 512
QUARTERS = 4


@dataclass(frozen=True)
class Measured:
    """Of one frame with one camera: seconds of one core's CPU, and bytes.

    Attributes:
        read: reading sweep and picture, preparing all views, small pictures.
        encode: both towers over all views.
        keep: what the one process that writes to a database does; time that passes, as it waits for the disk.
        stored: of a collection, vectors that are ready for search included.
        sent: of a task's result, from worker to writer.
    """

    read: float
    encode: float
    keep: float
    stored: float
    sent: float


# KITTI: 115,000 points, one picture of 1,224 x 370, seven views; medians of three runs over 19 frames, on a machine
# that was busy with other work, one thread.
MEASURED = Measured(read=0.0316, encode=0.156, keep=0.0065, stored=56_400, sent=30_000)
# Milliseconds of a query in words over a million records of LanceDB (collection_speed.py, docs/design.md).
QUERY_MS = 11.4
QUERIED = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=1e6, help="of driving (1,000,000)")
    parser.add_argument("--hertz", type=float, nargs="+", default=[10, 2, 0.5], help="frames a second (10 2 0.5)")
    parser.add_argument("--cameras", type=int, default=1, help="of a vehicle (1)")
    parser.add_argument("--cores", type=int, default=1000, help="of the cluster (1,000)")
    parser.add_argument("--shard", type=float, default=1e7, help="records a database (10,000,000)")
    parser.add_argument("--core-hour", type=float, help="price of a core for an hour")
    parser.add_argument("--tb-month", type=float, help="price of a terabyte for a month")
    parser.add_argument("--measure", type=Path, nargs="+", metavar="LOG", help="measure with these logs first")
    parser.add_argument("--model", help="what to measure with, instead of an untrained sweep tower")
    options = parser.parse_args()
    measured = measure(options.measure, options.model) if options.measure else MEASURED
    if options.measure:
        print(", ".join(f"{name}={value:.4g}" for name, value in asdict(measured).items()) + "\n")
    rows = [plan(measured, hertz, options) for hertz in options.hertz]
    print("| | " + " | ".join(f"{hertz:g} frames a second" for hertz in options.hertz) + " |")
    print("|---|" + "---|" * len(rows))
    for name in rows[0]:
        print(f"| {name} | " + " | ".join(row[name] for row in rows) + " |")


def plan(measured: Measured, hertz: float, options: argparse.Namespace) -> dict[str, str]:
    """What it takes at one rate, by name."""
    # a camera more is a picture, a crop and a record more; the sweep, its quarters and means are there once
    views = options.cameras + 1 + QUARTERS + 1
    of_cameras = views / (1 + 1 + QUARTERS + 1)
    frames = options.hours * 3600 * hertz
    records, vectors = frames * views, frames * (3 * options.cameras + 3 + QUARTERS + 1)
    read, encode = (frames * seconds * of_cameras / 3600 for seconds in (measured.read, measured.encode))
    keep = frames * measured.keep * of_cameras / 3600
    stored = frames * measured.stored * of_cameras
    databases = max(1, -(-records // options.shard))
    busy = (measured.read + measured.encode) / measured.keep
    query = QUERY_MS * records / QUERIED / 1000
    days = (read + encode) / options.cores / 24
    found = {
        "frames: sweeps, and pictures a camera": si(frames),
        "records: views": si(records),
        f"vectors of {DIM} numbers": si(vectors),
        "of these on disk, once": si(vectors * DIM * VECTOR_BYTES, "B"),
        "collections of SQLite, whole": si(stored, "B"),
        f"databases of {si(options.shard)} records": f"{databases:,.0f}",
        "core-hours of reading": si(read),
        "core-hours of encoding": si(encode),
        "core-hours of keeping, in the writers": si(keep),
        f"days on {options.cores:,} cores": f"{days:,.1f}",
        "cores that one writer keeps busy": f"{busy:,.0f}",
        "writers at a time for these cores": f"{-(-options.cores // busy):,.0f}",
        "results over the network": si(frames * measured.sent * of_cameras, "B"),
        "seconds of two cores for a query over all": f"{query:,.0f}",
    }
    if options.core_hour is not None:
        found["cost of computing, once"] = f"{(read + encode + keep) * options.core_hour:,.0f}"
    if options.tb_month is not None:
        found["cost of keeping, a month"] = f"{stored / 1e12 * options.tb_month:,.0f}"
    return found


def si(number: float, unit: str = "") -> str:
    """Three figures with a prefix that people read."""
    names = ("", "k", "M", "G", "T", "P") if unit else ("", " thousand", " million", " billion", " trillion")
    place = 0
    while abs(number) >= 1000 and place < len(names) - 1:
        number, place = number / 1000, place + 1
    return f"{number:.3g}{' ' if unit else ''}{names[place]}{unit}"


def measure(paths: list[Path], name: str | None) -> Measured:
    """Index logs on one thread, stage by stage."""
    import ray.cloudpickle
    import torch

    torch.set_num_threads(1)
    logs = find_sweeps([path.absolute() for path in paths], every=True).logs
    frames = sum(len(log) for log in logs)
    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        model = clip3d.load(name) if name else untrained(Path(folder))
        reader = FrameReader(model)
        with spending(spent, "read"):
            for log in logs:
                for frame in log:
                    reader.read(log, frame)
        encoder = FrameEncoder(model, VIEW_KINDS, VectorCache.disabled(), thumbnails=True, readers=1)
        list(encoder.over(encoder.jobs(logs[0], range(1), {})))  # the towers are loaded
        with spending(spent, "both"):
            batches = [b for log in logs for b in encoder.over(encoder.jobs(log, range(len(log)), {}))]
        sent = len(ray.cloudpickle.dumps(batches))
        with Collection(Path(folder) / "fleet.db", model) as kept:
            kept.index((), cache=VectorCache.disabled())  # begun, with nothing in it
            with kept.store.writing(), spending(spent, "keep", time.perf_counter):
                Replayed(kept.store, model, batches).over(logs, ())
            kept.search("a car", k=1)  # makes what searches map into memory
        stored = sum(file.stat().st_size for file in Path(folder).glob("fleet.*/**/*") if file.is_file())
        stored += (Path(folder) / "fleet.db").stat().st_size
    one = {name: seconds / frames for name, seconds in spent.items()}
    return Measured(one["read"], one["both"] - one["read"], one["keep"], stored / frames, sent / frames)


class Replayed(FrameIndexing):
    """What a writer does with what workers send it."""

    def __init__(self, store: Store, model: Model, batches: list[EncodedBatch]) -> None:
        super().__init__(store, model, Plan(), VectorCache.disabled())
        self.batches = batches

    def _encoded(self, *_: object) -> Generator[EncodedBatch, None, None]:
        yield from self.batches


def untrained(folder: Path) -> Model:
    """Mini with a small sweep tower of random weights."""
    from clip3d.models.packing import golden_sweeps
    from clip3d.models.replacing import NewTower, with_towers
    from clip3d.towers.pillar_pyramid import PillarPyramidTower

    config = {"dim": DIM}
    state = {name: tensor.numpy() for name, tensor in PillarPyramidTower(**config).state_dict().items()}
    tower = NewTower("pillar-pyramid", state, golden_sweeps(), config, {})
    return with_towers(clip3d.load(), {"sweep": tower}, folder / "model")


@contextmanager
def spending(
    spent: dict[str, float], name: str, clock: Callable[[], float] = time.process_time
) -> Iterator[None]:
    """Count seconds under a name: of all threads' CPU, or of another clock."""
    start = clock()
    yield
    spent[name] = clock() - start


if __name__ == "__main__":
    main()

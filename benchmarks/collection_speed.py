"""How fast collections are: exact search, LanceDB beside FAISS, incremental runs, ingest, and a search from cold.

Vectors are those of `collection_vectors.py`: of procedural objects by `mini`, and as many as are asked for like
them. Queries are words, as `mini` puts them into the space, and vectors drawn like the others. What takes long to
make is kept in the folder and used again: the stores, an index of FAISS, and the files of the incremental run.
FAISS is measured where it is installed (`pip install faiss-cpu`; 1.15.1 is known to work).

    python benchmarks/collection_speed.py --parts exact lance --rows 100000
    python benchmarks/collection_speed.py      # everything, with a million rows: an hour the first time
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from cold_search import heavy_imports, make_objects, seconds
from collection_vectors import FOLDER, drawn_vectors, print_spectra, real_vectors, uncentred

import clip3d
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.conditions.where import Condition
from clip3d.search.stores.opening import open_store
from clip3d.search.stores.store import Entry, Header, Store, Trace
from clip3d.simulation import FAMILIES

PARTS = ("spectrum", "exact", "lance", "files", "ingest", "cold")
EXACT_ROWS = 100_000
A_BATCH = 5000
K = 10
SHARES = (100, 50, 10, 1)  # of all records that meet a condition, in percent
Array = np.ndarray
Ask = Callable[[Array, int], Array]  # a direction (d,) and the share in percent to the ids of the k best


def main() -> int:
    args = parse_arguments()
    args.folder.mkdir(parents=True, exist_ok=True)
    print(f"clip3d {clip3d.__version__}, Python {sys.version.split()[0]}, NumPy {np.__version__}, "
          f"{len(os.sched_getaffinity(0))} cores")
    parts = {
        "spectrum": print_spectrum, "exact": print_exact, "lance": print_lance,
        "files": print_files, "ingest": print_ingest, "cold": print_cold,
    }  # fmt: skip
    for part in args.parts:
        print(f"\n{part}, load before {os.getloadavg()[0]:.1f}")
        parts[part](args)
        print(f"load after {os.getloadavg()[0]:.1f}", flush=True)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    parser.add_argument("--rows", type=int, default=1_000_000, help="vectors in LanceDB (default 1000000)")
    parser.add_argument("--files", type=int, default=100_000, help="of the incremental run (default 100000)")
    parser.add_argument("--objects", type=int, default=320, help="of the ingest (default 320)")
    parser.add_argument("--queries", type=int, default=100, help="of each kind (default 100)")
    parser.add_argument("--runs", type=int, default=5, help="of whole processes (default 5)")
    parser.add_argument("--per-family", type=int, default=12, help="real objects of each family (default 12)")
    parser.add_argument("--peers", nargs="*", choices=("flat", "hnsw"), default=("flat", "hnsw"),
                        help="indexes of FAISS beside LanceDB (default both)")  # fmt: skip
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where things are kept (default {FOLDER})")
    return parser.parse_args()


def print_spectrum(args: argparse.Namespace) -> None:
    real = real_vectors(args.folder, args.per_family)
    print_spectra(real, drawn_vectors(real, EXACT_ROWS))


def print_exact(args: argparse.Namespace) -> None:
    """The default store: every vector is compared."""
    vectors, queries = data(args, EXACT_ROWS)
    address = args.folder / f"exact-{EXACT_ROWS}.db"
    fill(address, vectors)
    started = time.perf_counter()
    store = open_store(address, read_only=True)
    store.nearest({"cloud": queries["words"][0]}, K)
    print(f"{EXACT_ROWS} vectors in SQLite, {megabytes(store):.0f} MB; opened and the first query "
          f"{time.perf_counter() - started:.2f} s")
    print_heads()
    truth = partial(exact_best, vectors)
    print_queries("SQLite, exact", partial(ask_store, store), queries, truth)
    store.close()


def print_lance(args: argparse.Namespace) -> None:
    """LanceDB with its index, and FAISS with the same vectors."""
    vectors, queries = data(args, args.rows)
    address = args.folder / f"index-{args.rows}.lance"
    fill(address, vectors)
    store = open_store(address, read_only=True)
    facts = store.facts()
    print(f"{args.rows} vectors in LanceDB, {megabytes(store):.0f} MB, index {facts['index']}")
    asks: dict[str, Ask] = {"LanceDB": partial(ask_store, store)}
    if find_spec("faiss"):
        from collection_peers import make_peers

        asks |= make_peers(args.peers, vectors, condition_values(len(vectors)), args.folder)
    elif args.peers:
        print("FAISS is not installed and not measured: pip install faiss-cpu")
    known = {}

    def truth(direction: Array, share: int) -> Array:
        key = direction.tobytes(), share
        if key not in known:
            known[key] = exact_best(vectors, direction, share)
        return known[key]

    print_heads()
    for name, ask in asks.items():
        print_queries(name, ask, queries, truth)
    store.close()


def data(args: argparse.Namespace, rows: int) -> tuple[Array, dict[str, Array]]:
    """Centred vectors (rows, d), and queries of each kind (n, d), which are not among them."""
    drawn = drawn_vectors(real_vectors(args.folder, args.per_family), rows + args.queries)
    model = clip3d.load("mini")
    step = max(1, len(FAMILIES) // args.queries)
    words = model.space.centre(model.encode_texts(list(FAMILIES)[::step][: args.queries]))
    return drawn[:rows], {"words": words, "like": drawn[rows:]}


@cache
def condition_values(rows: int) -> Array:
    """A number from 0 to 99 for each row, by which conditions choose shares of them."""
    return np.random.default_rng(1).integers(0, 100, rows)


def exact_best(vectors: Array, direction: Array, share: int) -> Array:
    """Ids of the k best, which count from one, by comparing with all."""
    scores = vectors @ direction
    scores[condition_values(len(vectors)) >= share] = -np.inf
    best = np.argpartition(-scores, K)[:K]
    return best[np.argsort(-scores[best])] + 1


def fill(address: Path, vectors: Array) -> None:
    """Put vectors into a new collection, as clip3d index would; one that is there is used, or completed."""
    model = clip3d.load("mini")
    store = open_store(address, create=True)
    there = len(store.select())
    values = condition_values(len(vectors))
    started = time.perf_counter()
    with store.writing():
        if store.header() is None:
            store.begin(header_of(model))
        for start in range(there, len(vectors), A_BATCH):
            store.put(list(entries(model, vectors[start : start + A_BATCH], values, start)))
        written = time.perf_counter() - started
    if there < len(vectors):
        rate = (len(vectors) - there) / written
        print(f"{address.name}: {len(vectors) - there} vectors written in {written:.0f} s, {rate:.0f} a second; "
              f"indexes and tidying {time.perf_counter() - started - written:.0f} s")
    store.close()


def header_of(model: Model) -> Header:
    space, card = model.space, model.card
    towers = {"cloud": model.tower_card("cloud").id}
    return Header(space.id, space.dim, space.mean, space.stored, model.id, card.weights_hash, towers)


def entries(model: Model, centred: Array, values: Array, start: int) -> Iterator[Entry]:
    for number, vector in enumerate(uncentred(centred, model.space), start):
        path = f"/assets/{number % 1000:03d}/{number:07d}.glb"
        trace = Trace(path, "", f"{number:064x}", "measured", (path,), ((1, 1, 1),), 1)
        half = "even" if values[number] % 2 == 0 else "odd"
        yield Entry("object", trace, {"cloud": vector}, {"share": int(values[number]), "half": half})


def ask_store(store: Store, direction: Array, share: int) -> Array:
    where = None if share == 100 else Condition(f"share < {share}")
    return store.nearest({"cloud": direction}, K, where)[0]


def megabytes(store: Store) -> float:
    return store.facts()["bytes"] / 1e6


def print_heads() -> None:
    print(f"{'':<20}{'queries':>9}{'filter':>8}{'median':>11}{'p95':>11}  recall@{K}")


def print_queries(name: str, ask: Ask, queries: dict[str, Array], truth: Ask) -> None:
    """A row for each kind of query and share."""
    for kind, directions in queries.items():
        for share in SHARES:
            taken, found = [], []
            best = [truth(direction, share) for direction in directions]  # before, so that nothing comes between
            ask(directions[0], share)  # warm
            for direction, expected in zip(directions, best, strict=True):
                started = time.perf_counter()
                ids = ask(direction, share)
                taken.append(1e3 * (time.perf_counter() - started))
                found.append(len(set(ids.tolist()) & set(expected.tolist())) / K)
            tail = np.quantile(taken, 0.95)
            print(f"{name:<20}{kind:>9}{share:>7}%{statistics.median(taken):>8.1f} ms{tail:>8.1f} ms"
                  f"  {statistics.mean(found):.3f}", flush=True)  # fmt: skip


def print_files(args: argparse.Namespace) -> None:
    """A run over files that did not change."""
    folder, address = args.folder / f"files-{args.files}", args.folder / f"files-{args.files}.db"
    make_files(folder, args.files)
    command = [sys.executable, "-m", "clip3d", "index", str(folder), "--db", str(address), "--no-thumbnails", "-q"]
    with own_cache(args.folder):
        first = seconds(command)
        later = [seconds(command) for _ in range(min(args.runs, 3))]
    print(f"{args.files} small files; the first run, or what was left of it, {first:.1f} s")
    print(f"runs over unchanged files, median of {len(later)}: {statistics.median(later):.1f} s")


def make_files(folder: Path, count: int) -> None:
    """Small meshes of a hundred forms, so that embedding them does not take hours."""
    for number in range(count):
        path = folder / f"{number // 1000:03d}" / f"{number:06d}.off"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            height = 1 + number % 100
            path.write_text(f"OFF\n4 4 0\n0 0 0\n9 0 0\n0 9 0\n0 0 {height}\n3 0 1 2\n3 0 1 3\n3 0 2 3\n3 1 2 3\n")


@contextmanager
def own_cache(folder: Path) -> Iterator[None]:
    """Let commands keep vectors in the folder; what the machine's user has is not touched."""
    before = os.environ.get("CLIP3D_CACHE")
    os.environ["CLIP3D_CACHE"] = str(folder / "cache" / "vectors.db")
    try:
        yield
    finally:
        os.environ.pop("CLIP3D_CACHE")
        if before is not None:
            os.environ["CLIP3D_CACHE"] = before


def print_ingest(args: argparse.Namespace) -> None:
    """Files into a collection, beside the sum of what it consists of, one after the other on one thread."""
    from clip3d.search.collection import Collection

    model = clip3d.load("mini")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "objects"
        make_objects(folder, args.objects)
        files = sorted(folder.iterdir())
        model.encode_clouds([clip3d.read(file) for file in files[:16]])  # warm
        stages = {}
        with timed(stages, "read"):
            clouds = [clip3d.read(file) for file in files]
        with timed(stages, "prepare"):
            preparation = model.cloud_preparation()
            for cloud in clouds:
                preparation(cloud)
        with timed(stages, "prepare and encode"):
            vectors = model.encode_clouds(clouds)
        store = open_store(Path(place) / "stages.db", create=True)
        with timed(stages, "write"), store.writing():
            store.begin(header_of(model))
            for start in range(0, len(files), 16):
                values = np.zeros(len(files), int)
                store.put(list(entries(model, model.space.centre(vectors[start : start + 16]), values, start)))
        store.close()
        with timed(stages, "end to end"), Collection(Path(place) / "whole.db", model) as collection:
            collection.index([folder], thumbnails=False, cache=VectorCache.disabled())
    stages["encode"] = stages.pop("prepare and encode") - stages["prepare"]
    parts = [stages[name] for name in ("read", "prepare", "encode", "write")]
    print(f"{args.objects} objects, a second of each stage alone")
    for name in ("read", "prepare", "encode", "write"):
        print(f"  {name:<12}{args.objects / stages[name]:>9.1f}")
    whole = args.objects / stages["end to end"]
    print(f"  {'their sum':<12}{args.objects / sum(parts):>9.1f}\n  {'end to end':<12}{whole:>9.1f}"
          f"   {sum(parts) / stages['end to end']:.2f} of the sum's rate")


@contextmanager
def timed(into: dict[str, float], name: str) -> Iterator[None]:
    """Seconds of a block, noted under a name."""
    started = time.perf_counter()
    yield
    into[name] = time.perf_counter() - started


def print_cold(args: argparse.Namespace) -> None:
    """`clip3d search --db` as a whole process."""
    addresses = [args.folder / f"exact-{EXACT_ROWS}.db", args.folder / f"index-{args.rows}.lance"]
    for address in addresses:
        if not address.exists():
            print(f"{address.name} is not made yet: run the parts exact and lance first")
            continue
        for more in ([], ["--where", "share < 10"]):
            print_process(address, more, args.runs)


def print_process(address: Path, more: list[str], runs: int) -> None:
    command = [sys.executable, "-m", "clip3d", "search", "a chair", "--db", str(address), "-q", *more]
    seconds(command)  # makes what is made once, such as the vectors ready for use beside the file
    taken = [seconds(command) for _ in range(runs)]
    heavy = ", ".join(heavy_imports(command)) or "none"
    print(f"{address.name} {' '.join(more)}: median {statistics.median(taken):.2f} s, least {min(taken):.2f}, "
          f"most {max(taken):.2f}; heavy packages imported: {heavy}")


if __name__ == "__main__":
    sys.exit(main())

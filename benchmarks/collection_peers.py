"""FAISS beside LanceDB: flat, and a graph of 32 links (HNSW), with the same vectors and conditions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import faiss
import numpy as np

K = 10
LINKS, BUILD, SEARCH = 32, 80, 128
Array = np.ndarray
Ask = Callable[[Array, int], Array]


def make_peers(names: Sequence[str], vectors: Array, values: Array, folder: Path) -> dict[str, Ask]:
    """For each index a function of a direction (d,) and a share in percent to ids, which count from one."""
    makers = {"flat": flat, "hnsw": hnsw}
    return {f"FAISS {name}": asking(*makers[name](vectors, folder), values) for name in names}


def flat(vectors: Array, _: Path) -> tuple[faiss.Index, Callable[[faiss.IDSelector | None], object]]:
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index, lambda chosen: faiss.SearchParameters(sel=chosen)


def hnsw(vectors: Array, folder: Path) -> tuple[faiss.Index, Callable[[faiss.IDSelector | None], object]]:
    kept = folder / f"hnsw{LINKS}-{len(vectors)}.faiss"
    if kept.exists():
        index = faiss.read_index(str(kept))
    else:
        index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = BUILD
        started = time.perf_counter()
        index.add(vectors)
        print(f"made {kept.name} in {time.perf_counter() - started:.0f} s")
        faiss.write_index(index, str(kept))
    return index, lambda chosen: faiss.SearchParametersHNSW(efSearch=SEARCH, sel=chosen)


def asking(index: faiss.Index, parameters: Callable[[faiss.IDSelector | None], object], values: Array) -> Ask:
    chosen = {share: np.packbits(values < share, bitorder="little") for share in range(1, 100)}

    def ask(direction: Array, share: int) -> Array:
        selector = None if share == 100 else faiss.IDSelectorBitmap(chosen[share])
        return index.search(direction[None], K, params=parameters(selector))[1][0] + 1

    return ask

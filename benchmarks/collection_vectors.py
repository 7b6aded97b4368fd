"""Vectors for the measurements of collections: real ones of made objects, and as many as one likes like them.

Real vectors come from `mini` and the procedural objects of `clip3d.simulation`, and are kept in a file. More are
drawn between neighbours: a point on the line between a real vector and one of its nearest, with noise of the
covariance that such a point lacks. The spectrum of both is printed, since an index's recall and speed depend on it:

    python benchmarks/collection_vectors.py --rows 100000
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import clip3d
from clip3d.atomic import replacing
from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.mesh import sample_surface
from clip3d.simulation import FAMILIES, generate
from clip3d.spaces import Space, unit

Array = np.ndarray
POINTS = 2048
NEIGHBOURS = 8
BLOCK = 50_000
FOLDER = Path(os.environ.get("CLIP3D_BENCHMARKS", Path.home() / ".cache" / "clip3d" / "benchmarks"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="vectors drawn (default 100000)")
    parser.add_argument("--per-family", type=int, default=12, help="objects embedded of each family (default 12)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where files are kept (default {FOLDER})")
    arguments = parser.parse_args()
    real = real_vectors(arguments.folder, arguments.per_family)
    print_spectra(real, drawn_vectors(real, arguments.rows))


def real_vectors(folder: Path, per_family: int = 12) -> Array:
    """Centred unit vectors (n, d) float32 of procedural objects, made once and kept in the folder."""
    kept = folder / f"library-vectors-{clip3d.__version__}-{per_family}.npz"
    model = clip3d.load("mini")
    if kept.exists():
        with np.load(kept) as arrays:
            if str(arrays["model"]) == model.id:
                return arrays["vectors"]
    folder.mkdir(parents=True, exist_ok=True)
    print(f"embedding {per_family * len(FAMILIES)} objects with {model.id}, once")
    vectors = model.space.centre(model.encode_clouds(made_clouds(per_family)))
    with replacing(kept) as temporary, temporary.open("xb") as stream:
        np.savez(stream, vectors=vectors, model=np.array(model.id))
    return vectors


def made_clouds(per_family: int) -> Iterator[PointCloud]:
    for number, made in enumerate(generate(per_family=per_family, seed=7)):
        sample = sample_surface(made.meshes, POINTS, seed=number)
        yield PointCloud(sample.points, sample.colors)


def drawn_vectors(real: Array, rows: int, seed: int = 0) -> Array:
    """Centred unit vectors (rows, d) float32, drawn around lines between real ones and their neighbours.

    A point that lies at a share t of the way between two draws of a distribution has (1 - t)^2 + t^2 of its
    variance, two thirds in the mean over t. The noise brings the third that lacks: with the covariance of the
    differences between neighbours, which is twice that of the neighbourhood, divided by six.
    """
    rng = np.random.default_rng(seed)
    near = neighbours(real)
    differences = (real[:, None] - real[near]).reshape(-1, real.shape[1])
    root = matrix_root(differences.T @ differences / len(differences) / 6)
    drawn = np.zeros((rows, real.shape[1]), np.float32)
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        one = rng.integers(len(real), size=count)
        other = near[one, rng.integers(NEIGHBOURS, size=count)]
        share = rng.random((count, 1), dtype=np.float32)
        noise = rng.standard_normal((count, real.shape[1]), dtype=np.float32) @ root
        drawn[start : start + count] = unit(real[one] * (1 - share) + real[other] * share + noise)
    return drawn


def neighbours(real: Array) -> Array:
    """The nearest of each vector (n, d), itself left out: (n, NEIGHBOURS)."""
    found = np.zeros((len(real), NEIGHBOURS), np.int64)
    for start in range(0, len(real), 1000):
        close = real[start : start + 1000] @ real.T
        close[np.arange(len(close)), np.arange(start, start + len(close))] = -np.inf
        found[start : start + 1000] = np.argpartition(-close, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return found


def matrix_root(covariance: Array) -> Array:
    """Symmetric root (d, d) of a covariance (d, d)."""
    values, vectors = np.linalg.eigh(covariance.astype(np.float64))
    return ((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T).astype(np.float32)


def uncentred(centred: Array, space: Space) -> Array:
    """Vectors at unit length (n, d) whose centred ones are these: the other way of `Space.centre`.

    Of mean + a x the length is to be one: a quadratic in a, with one root above zero, the mean being shorter.
    """
    along = centred @ space.mean
    reach = -along + np.sqrt(along**2 + 1 - space.mean @ space.mean)
    return (space.mean + reach[:, None] * centred).astype(np.float32)


def spectrum(vectors: Array) -> Array:
    """Shares of the variance by principal component, falling."""
    values = np.linalg.eigvalsh(np.cov(vectors.T))[::-1].clip(0)
    return values / values.sum()


def effective_dimension(shares: Array) -> float:
    """The participation ratio, 1 / sum of squared shares: d if all components are alike, 1 if one has all."""
    return float(1 / (shares**2).sum())


def print_spectra(real: Array, drawn: Array) -> None:
    print(f"{len(real)} real vectors, {len(drawn)} drawn; share of the variance in the first components")
    print(f"{'':<8}{'1':>7}{'2':>7}{'4':>7}{'8':>7}{'16':>7}{'32':>7}{'64':>7}{'128':>7}  effective dimension")
    for name, vectors in (("real", real), ("drawn", drawn)):
        shares = spectrum(vectors)
        sums = "".join(f"{shares[:n].sum():>7.3f}" for n in (1, 2, 4, 8, 16, 32, 64, 128))
        print(f"{name:<8}{sums}  {effective_dimension(shares):.1f}")


if __name__ == "__main__":
    main()

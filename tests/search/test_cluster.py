"""Driving logs over a real Ray cluster of two workers: the same is kept as by one machine, also when one dies."""

from __future__ import annotations

import importlib
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dying_towers import DyingTower
from labelled_drives import write_log
from PIL import Image
from small_files import box, settle, write_off
from sweep_bundles import TINY, sweep_bundle

from clip3d.errors import DataError, MissingExtra
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.collection import Collection
from clip3d.search.keeping.reporting import Change, Report

NO_CACHE = VectorCache.disabled()
ROUNDING = 1e-5  # of vectors that were computed in other company


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Two workers, with a token of their own."""
    ray = pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # workers are to find the doubles
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        yield
        ray.shutdown()


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return sweep_bundle(tmp_path / "model", **TINY)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Two logs of eight frames, of one of which the sweep is damaged, and a log of one."""
    for name, frames in (("a", 8), ("b", 8), ("c", 1)):
        write_log(tmp_path / "logs" / name, seed=ord(name), frames=frames)
    next((tmp_path / "logs" / "b" / "clouds").glob("000003.*")).write_bytes(b"abc")
    settle()
    return tmp_path / "logs"


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clip3d.search.keeping.cluster.STRETCH", 2)


def index(
    db: Path, model: Model, logs: Path, ray: str | None = None, **options: Any
) -> tuple[Report, dict[tuple[str, str], Any]]:
    """The report, and for each record what is kept of it but its id and times."""
    with Collection(db, model) as kept:
        report = kept.index(logs, cache=NO_CACHE, ray=ray, metadata={"vehicle": "no. 7"}, **options)
        store, found = kept.store, {}
        records = store.records(store.select().tolist())
        ids = [record.id for record in records]
        pictures = store.thumbnails(ids)
        vectors = {name: store.vectors(name, ids) for name in sorted(kept.header.towers)}
        for at, record in enumerate(records):
            t = record.trace
            key = t.path, t.part
            assert key not in found
            said = (t.content, t.reading, t.sources, t.stamps, dict(record.metadata), pictures.get(record.id))
            found[key] = said, np.stack([rows[at] for rows in vectors.values()])
        return report, found


def assert_same(found: dict[tuple[str, str], Any], expected: dict[tuple[str, str], Any]) -> None:
    assert set(found) == set(expected)
    for key, (said, vectors) in expected.items():
        assert found[key][0] == said, key
        np.testing.assert_allclose(found[key][1], vectors, atol=ROUNDING, err_msg=str(key))


def told(report: Report) -> tuple[dict[str, int], list[str], int]:
    return report.counted(), sorted(problem.path for problem in report.problems), report.computed


def test_an_address_where_nothing_listens_is_told_at_once(model: Model, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(DataError, match=r"no Ray cluster.*ray start --head"):
            index(tmp_path / "cluster.db", model, write_log(tmp_path / "drive", frames=1), address)


def test_a_client_server_is_refused_with_the_remedy(model: Model, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with pytest.raises(DataError, match=r"client server.*HOST:PORT"):
        index(tmp_path / "cluster.db", model, write_log(tmp_path / "drive", frames=1), "ray://127.0.0.1:10001")


def test_without_ray_the_remedy_is_told(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"clip3d\[ray\]"):
        index(tmp_path / "cluster.db", model, write_log(tmp_path / "drive", frames=1), "local")


@pytest.mark.usefixtures("cluster", "short_stretches")
def test_a_killed_worker_loses_and_doubles_nothing(model: Model, logs: Path, tmp_path: Path) -> None:
    alone, expected = index(tmp_path / "alone.db", model, logs)
    damaged = next((logs / "b" / "clouds").glob("000003.*"))
    assert (len(expected), told(alone)[1]) == (16 * 7, [str(damaged)])
    order, changes = tmp_path / "die", []

    def tell(change: Change) -> None:
        if not changes:
            order.touch()  # while the others are under way, the next that encodes is killed
        changes.append(change)

    model._towers["image"] = DyingTower(model.tower("image"), order)
    report, found = index(tmp_path / "cluster.db", model, logs, "auto", tell=tell)
    assert not order.exists()
    assert len(changes) == 17
    assert len({change.path for change in changes}) == 17
    assert told(report) == told(alone)
    assert_same(found, expected)

    again, same = index(tmp_path / "cluster.db", model, logs, "auto")
    assert (again.counts["unchanged"], again.counts["failed"], again.computed) == (16, 1, 0)
    assert_same(same, expected)


@pytest.mark.slow
@pytest.mark.usefixtures("cluster", "short_stretches")
def test_an_interrupted_run_is_gone_on_with(model: Model, logs: Path, tmp_path: Path) -> None:
    def interrupt(change: Change) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index(tmp_path / "cluster.db", model, logs, "auto", tell=interrupt)
    with Collection(tmp_path / "cluster.db", model) as kept:
        kept_before = len(kept) // 7
    assert 1 <= kept_before < 16
    report, found = index(tmp_path / "cluster.db", model, logs, "auto")
    assert (report.counts["unchanged"], report.counts["added"]) == (kept_before, 16 - kept_before)
    assert_same(found, index(tmp_path / "alone.db", model, logs)[1])


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_a_frame_that_kills_each_worker_is_told_and_the_others_are_kept(
    model: Model, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clip3d.search.keeping.cluster.STRETCH", 4)
    monkeypatch.setattr("clip3d.search.keeping.cluster.RETRIES", 0)
    picture = next((logs / "a" / "images" / "front").glob("000001.*"))
    with Image.open(picture) as image:
        size = image.size
    Image.new("RGB", size, "white").save(picture)
    model._towers["image"] = DyingTower(model.tower("image"))
    report, found = index(tmp_path / "cluster.db", model, logs / "a", "auto")
    assert [problem.path for problem in report.problems] == [f"{logs}/a#000001"]
    assert "died" in report.problems[0].reason
    assert {part[:6] for _, part in found} == {f"{at:06d}" for at in range(8)} - {"000001"}


@pytest.mark.usefixtures("cluster")
def test_what_a_cluster_does_not_take_is_said(model: Model, tmp_path: Path) -> None:
    shape = write_off(tmp_path / "box.off", box(1, 2, 3))
    with pytest.raises(DataError, match=r"box\.off.*driving logs alone.*without --ray"):
        index(tmp_path / "cluster.db", model, shape, "auto")
    model.device = "cuda"
    with pytest.raises(DataError, match="GPU"):
        index(tmp_path / "gpu.db", model, write_log(tmp_path / "drive", frames=1), "auto")


@pytest.mark.usefixtures("cluster")
def test_workers_without_what_the_model_needs_end_the_run_with_the_remedy(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("from torch import nn\n\n\nclass Tower(nn.Identity):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    model._towers["image"] = importlib.import_module("only_here").Tower()
    with pytest.raises(DataError, match=r"cannot load the model.*only_here.*on every machine"):
        index(tmp_path / "cluster.db", model, write_log(tmp_path / "drive", frames=1), "auto")

"""Frames of driving logs are put into a collection, view by view, and brought up to date with their logs.

A view is a record: its lidar's and its camera's vector apart, and their sum, which search compares by default. What
a frame's files, calibration and labels left unchanged is not read again; a batch of frames is kept at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from clip3d.errors import FileProblem
from clip3d.lidar.frame import Log
from clip3d.models.batching import in_batches
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.conditions.where import Condition
from clip3d.search.embedding import Progress
from clip3d.search.keeping.frame_encoding import EncodedBatch, EncodedFrame, FrameEncoder
from clip3d.search.keeping.frame_reading import by_frame
from clip3d.search.keeping.known import Known
from clip3d.search.keeping.reporting import Change, Plan, Report, Status
from clip3d.search.keeping.vanished import Places, below
from clip3d.search.stores.store import Entry, Store, Value
from clip3d.search.sweep_sources import find_sweeps

REMOVED_AT_A_TIME = 500


class FrameIndexing:
    """A run over driving logs; the caller holds the store's lock."""

    def __init__(
        self,
        store: Store,
        model: Model,
        plan: Plan,
        cache: VectorCache,
        progress: Progress | None = None,
        tell: Callable[[Change], None] | None = None,
    ) -> None:
        self.store = store
        self.model = model
        self.plan = plan
        self.cache = cache
        self.progress = progress or (lambda done, total: None)
        self.tell = tell or (lambda change: None)
        self.report = Report()
        self._lost: dict[str, list[int]] = {}  # views of frames that are there, but the views are not

    def over(self, logs: Sequence[Log], roots: Iterable[str]) -> Report:
        """Bring the collection up to date with logs, and tell what vanished of and among them.

        Args:
            logs: all that were found.
            roots: absolute paths that they were found in.
        """
        known = _by_log(self.store)
        every = [*logs, *self._forgotten(known, {str(log.path) for log in logs})]
        total, done = sum(len(log) for log in every), 0
        self.progress(0, total)
        with closing(self._encoded(every, known)) as batches:  # a cluster is told when no more is wanted
            for batch in batches:
                self._keep(batch)
                done += batch.looked
                self.progress(done, total)
        self._settle_vanished(every, set(roots), known)
        return self.report

    # What changed

    def _encoded(
        self, logs: Sequence[Log], known: Mapping[str, dict[str, Known]]
    ) -> Generator[EncodedBatch, None, None]:
        """All frames of logs, looked at on this machine, or on those of a cluster."""
        if self.plan.ray is not None:
            from clip3d.search.keeping.cluster import encode_on_cluster

            yield from encode_on_cluster(
                self.plan.ray, self.model, self.plan, logs, known, cached=self.cache.path is not None
            )
            return
        encoder = FrameEncoder(
            self.model, self.plan.views, self.cache, thumbnails=self.plan.thumbnails, readers=_readers()
        )
        yield from encoder.over(
            job
            for log in logs
            for job in encoder.jobs(log, range(len(log)), by_frame(known.get(str(log.path), {}), set(log.keys)))
        )

    def _forgotten(self, known: Mapping[str, dict[str, Known]], named: set[str]) -> list[Log]:
        """Logs of records whose vectors are to be made anew, beside those that were named."""
        found: list[Log] = []
        for path, parts in known.items():
            lost = sum(not one.trace.reading for one in parts.values())
            if not lost or path in named:
                continue
            sources = find_sweeps([Path(path)], every=True) if Path(path).exists() else None
            if sources is None or not sources.logs:
                self.report.notes.append(f"{lost} views of {path} are still to be embedded: the log is not there")
            else:
                found += sources.logs
        return found

    # Keeping

    def _keep(self, batch: EncodedBatch) -> None:
        """Put frames that were encoded into the collection, and tell it."""
        problems = [seen for seen in batch.frames if isinstance(seen, FileProblem)]
        changes = [Change("failed", problem.path, problem=problem) for problem in problems]
        looked = [seen for seen in batch.frames if not isinstance(seen, FileProblem)]
        unchanged = [frame for frame in looked if frame.entries is None]
        self._describe(unchanged)
        changes += [Change("unchanged", frame.name) for frame in unchanged]
        entries: list[Entry] = []
        for frame in looked:
            made = self._described(frame)
            entries += made
            changes += [Change("failed", problem.path, problem=problem) for problem in frame.problems]
            status: Status = "replaced" if frame.known else "added"
            changes += [Change(status, frame.name)] if made else []
        if entries:
            self.store.put(entries)
        self.report.computed += batch.computed
        self._lost |= {name: [item] for name, item in batch.lost.items()}
        self.report.take(changes, self.tell)

    # Metadata

    def _described(self, frame: EncodedFrame) -> list[Entry]:
        """A frame's entries with what users said, then what the log says: it may have been labelled anew."""
        if not frame.entries:
            return []
        records = self.store.records(list(frame.known.values()))
        earlier = {record.trace.part: record.metadata for record in records}
        described = []
        for entry in frame.entries:
            table = self.plan.table.get(entry.trace.path, {})
            said = {**earlier.get(entry.trace.part, {}), **self.plan.metadata, **table}
            described.append(replace(entry, metadata={**said, **entry.metadata, "log": frame.log}))
        return described

    def _describe(self, frames: Sequence[EncodedFrame]) -> None:
        """Give views that are not made anew what the plan says of them, where that is new."""
        if not (self.plan.metadata or self.plan.table):
            return
        names = {item: frame.facts for frame in frames for item in frame.known.values()}
        told: dict[int, dict[str, Value]] = {}
        for record in self.store.records(list(names)):
            own = {name: record.metadata[name] for name in names[record.id] if name in record.metadata}
            table = self.plan.table.get(record.trace.path, {})
            said = {**record.metadata, **self.plan.metadata, **table, **own}
            if said != record.metadata:
                told[record.id] = said
        if told:
            self.store.describe(told)
            self.report.described += len(told)

    # What vanished

    def _settle_vanished(
        self, logs: Sequence[Log], roots: set[str], known: Mapping[str, dict[str, Known]]
    ) -> None:
        """Views of frames, and of logs below the roots, that are no longer there."""
        places, there = Places(), {str(log.path): set(log.keys) for log in logs}
        vanished = dict(self._lost)
        for path, parts in known.items():
            if path in there:
                for key, of_frame in by_frame(parts, there[path]).items():
                    if key not in there[path]:
                        vanished[f"{path}#{key}"] = [one.id for one in of_frame.values()]
            elif below(path, roots) and places.state(path) == "gone":
                vanished[path] = [one.id for one in parts.values()]
        if self.plan.prune:
            for some in in_batches([i for ids in vanished.values() for i in ids], REMOVED_AT_A_TIME):
                self.store.remove(some)
        status: Status = "pruned" if self.plan.prune else "vanished"
        self.report.take([Change(status, name) for name in vanished], self.tell)


def _by_log(store: Store) -> dict[str, dict[str, Known]]:
    """Records of frames by the path of their log and their part."""
    frames = set(store.select(Condition.equal("kind", "frame")).tolist())
    found: dict[str, dict[str, Known]] = {}
    for item, trace in store.traces() if frames else ():
        if item in frames:
            found.setdefault(trace.path, {})[trace.part] = Known(item, trace)
    return found


def _readers() -> int:
    return max(2, os.cpu_count() or 1)

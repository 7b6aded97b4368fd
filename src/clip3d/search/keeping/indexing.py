"""Files are put into a collection, and the collection is brought up to date with them.

What did not change is told by the sizes and times of files, as git's index does, and is not read. The rest is read
by threads a little ahead of the encoder, and kept batch by batch: what was reported is in the collection.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from os import PathLike
from pathlib import Path

from clip3d.clouds.remote import RemotePath, as_path
from clip3d.errors import DataError, FileProblem, FrameError, ModelError
from clip3d.models.batching import in_batches
from clip3d.models.card import Modality
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.conditions.where import Condition
from clip3d.search.embedding import BATCH, Encoder, Progress, ReadFile, read_ahead
from clip3d.search.keeping.finding import Findable
from clip3d.search.keeping.frames import FrameIndexing
from clip3d.search.keeping.known import Known, Ledger, reading_digest
from clip3d.search.keeping.reporting import Change, Plan, Report
from clip3d.search.keeping.thumbnails import draw_cloud, shrink_picture
from clip3d.search.keeping.vanished import Places, absolute, below
from clip3d.search.stores.signing import check_model, header_of, made_by
from clip3d.search.stores.store import Array, Entry, Kind, Store, Trace, Value
from clip3d.search.sweep_sources import Sources, find_sweeps, logs_at

PathName = str | PathLike[str]
KINDS: dict[Modality, Kind] = {"cloud": "object", "image": "image"}
NAMES: dict[Modality, str] = {"cloud": "clouds", "image": "pictures"}
FRAME_TOWERS = {"sweep", "image"}
EVERYTHING = "all"
REMOVED_AT_A_TIME = 500
MOVED_AT_A_TIME = 5000
AHEAD = 2 * BATCH


def index_files(
    store: Store,
    model: Model,
    paths: PathName | Iterable[PathName],
    plan: Plan | None = None,
    *,
    cache: VectorCache,
    progress: Progress | None = None,
    tell: Callable[[Change], None] | None = None,
) -> Report:
    """Bring a collection up to date with files, and with folders that are searched through.

    Files whose records are up to date are not read. A file that vanished, and a new one of its content, are one
    that moved: its record stays, with its id and metadata. A file counts as vanished only where its folder can
    be listed and has other things in it. Records of a model that was replaced are made anew wherever they are.

    Args:
        store: of the collection; this call is its only writer while it runs.
        model: that made the collection's vectors, unless the plan says `reindex`.
        paths: files and folders, and URIs of either.
        plan: how; None for the defaults.
        cache: of vectors.
        progress: called with the number of files done and of all files.
        tell: called for each file once what was done is kept.

    Raises:
        DataError: if another process is writing, the collection cannot be written, or a cluster is to encode what
            is no driving log, or cannot be reached.
        SpaceMismatch: if the collection's vectors are another model's.
        ModelError: if the model has no tower for files.
        MissingExtra: if a cluster is to encode, and Ray is not installed.
    """
    named = [paths] if isinstance(paths, str | PathLike) else paths
    given = [as_path(absolute(as_path(path))) for path in named]  # so that what is found in them is absolute
    plan = plan or Plan()
    sources = _logs_among(model, given, plan)
    # of files, too, where none are named: those whose vectors were forgotten are made anew
    findable = Findable.of(model, plan.only) if _takes_files(sources, given, plan) else None
    if plan.ray is not None and findable is not None:
        raise _no_logs(store, sources)
    with store.writing():
        _begin(store, model, plan)
        report = Report()
        report.take([Change("failed", p.path, problem=p) for p in sources.problems], tell or (lambda change: None))
        report.notes += _logs_taken_apart(model, sources, plan)
        if sources.logs or (plan.only in (None, "sweep") and not given and takes_frames(model)):
            roots = {str(path) for path in given} - {str(path) for path in sources.others}
            report.add(FrameIndexing(store, model, plan, cache, progress, tell).over(sources.logs, roots))
        if findable is not None:
            report.add(_Run(store, model, findable, plan, cache, progress, tell).over(sources.others))
        if store.remaking():
            store.note_remaking("")
        return report


def takes_frames(model: Model) -> bool:
    """Whether frames of driving logs are told from other files without being asked for."""
    return "sweep" in model.card.towers


def _logs_among(model: Model, given: Sequence[Path], plan: Plan) -> Sources:
    """The driving logs among paths; none where clouds or pictures are asked for, or one cloud of a recording."""
    chosen = plan.reading.topic is not None or plan.reading.message > 0
    if plan.only != "sweep" and (plan.only is not None or chosen or not takes_frames(model)):
        return Sources(others=list(given))
    remote = [path for path in given if isinstance(path, RemotePath)]
    found = find_sweeps([path for path in given if not isinstance(path, RemotePath)], every=plan.only == "sweep")
    if plan.only == "sweep":
        if not FRAME_TOWERS & set(model.card.towers):
            reason = f"the model {model.name} has no tower for frames"
            raise ModelError(model.folder, reason, "attach a sweep tower")
        reason = "driving logs are read from this machine alone"
        return replace(found, problems=[*found.problems, *(FrameError(path, reason, "copy it") for path in remote)])
    return Sources(found.logs, [*found.others, *remote], found.problems)


def _logs_taken_apart(model: Model, sources: Sources, plan: Plan) -> list[str]:
    """A note where a driving log is taken for any other folder, since the model has no sweep tower."""
    if plan.only is not None or takes_frames(model):
        return []
    logs = (log for path in sources.others if not isinstance(path, RemotePath) for log in logs_at(path))
    remedy = "--only frames keeps what the cameras of frames saw" if FRAME_TOWERS & set(model.card.towers) else ""
    said = f"is a driving log, and the model {model.name} has no sweep tower: its files are taken one by one"
    return [f"{log} {said}{remedy and '; ' + remedy}" for log in islice(logs, 1)]


def _takes_files(sources: Sources, given: Sequence[Path], plan: Plan) -> bool:
    return plan.only != "sweep" and (bool(sources.others) or not given)


def _no_logs(store: Store, sources: Sources) -> DataError:
    """Why a cluster cannot do what was asked for."""
    place = str(sources.others[0]) if sources.others else store.address
    remedy = "index these without --ray, or add --only frames to take all that is named for driving logs"
    return DataError(place, "a Ray cluster encodes driving logs alone, and this is told for other files", remedy)


def _begin(store: Store, model: Model, plan: Plan) -> None:
    """Make sure that the vectors are the model's; a run of re-indexing that was cut short goes on."""
    header = store.header()
    if header is None:
        store.begin(header_of(model))
        return
    if not plan.reindex:
        check_model(store.address, header, model)
        return
    wanted = plan.only or EVERYTHING
    ours = made_by(header, model)
    if ours and store.remaking() in (wanted, EVERYTHING):
        return
    if ours and plan.only is not None:
        _mistrust(store, plan.only)
    else:
        store.void()
        store.begin(header_of(model))
    # After what it is about: if this ends between the two, it begins again, and no vector is made yet.
    store.note_remaking(wanted)


def _mistrust(store: Store, only: Modality) -> None:
    """Mark the records of one modality as out of date; their vectors stay until there are others."""
    if only == "sweep":
        frames = store.select(Condition.equal("kind", "frame")).tolist()
        for ids in in_batches(frames, MOVED_AT_A_TIME):
            store.move({record.id: replace(record.trace, reading="") for record in store.records(ids)})
        return
    suffixes = Findable([only])
    whole = ((item, trace) for item, trace in store.traces() if not trace.part)
    traces = [(item, trace) for item, trace in whole if suffixes.takes(as_path(trace.path))]
    for some in in_batches(traces, MOVED_AT_A_TIME):
        store.move({item: replace(trace, reading="") for item, trace in some})


@dataclass(frozen=True)
class _Touched:
    """A file with other times but the same content."""

    known: Known
    trace: Trace


@dataclass(frozen=True)
class _Job:
    """A file to look at, and its record if there is one."""

    path: Path
    name: str
    modality: Modality
    known: Known | None


@dataclass(frozen=True)
class _Fresh:
    """A file that was read and is to be embedded, and the record whose place it takes if there is one."""

    name: str
    read: ReadFile
    trace: Trace
    known: Known | None


_Seen = tuple[_Job, ReadFile | _Touched | FileProblem]


class _Run:
    """The state of one run."""

    def __init__(
        self,
        store: Store,
        model: Model,
        findable: Findable,
        plan: Plan,
        cache: VectorCache,
        progress: Progress | None,
        tell: Callable[[Change], None] | None,
    ) -> None:
        self.store = store
        self.findable = findable
        self.plan = plan
        draw: dict[Modality, Callable[..., bytes | None]] = {"cloud": draw_cloud, "image": shrink_picture}
        self.encoders = {
            m: Encoder(model, m, cache, plan.reading, draw[m] if plan.thumbnails else None)
            for m in findable.modalities
        }
        self.progress = progress or (lambda done, total: None)
        self.tell = tell or (lambda change: None)
        self.report = Report()
        self.done = self.total = 0
        self._digests: dict[tuple[str, str], str] = {}

    def over(self, given: Sequence[Path]) -> Report:
        """Find, compare, embed, and tell what vanished."""
        self.ledger = Ledger(self.store.traces())
        found = self.findable.find(given)
        self.places = Places(problem.path for problem in found.problems)
        jobs, unchanged = self._compare(found.files)
        self.total = len(jobs) + len(unchanged)
        self._describe(unchanged)
        self._finish([Change("unchanged", known.trace.path) for known in unchanged])
        taken = {known.trace.path for known in unchanged}
        for modality, encoder in self.encoders.items():
            alike = [job for job in jobs if job.modality == modality]
            alike = self._without_textures(alike, given) if modality == "image" else alike
            taken.update(job.name for job in alike)
            self._embed(encoder, alike)
        self._settle_vanished(given, {str(path) for path in found.files}, found.problems)
        self._note_strays(taken)
        return self.report

    # What changed

    def _compare(self, files: Sequence[Path]) -> tuple[list[_Job], list[Known]]:
        """The files to look at, those of records whose vectors were forgotten among them, and those unchanged."""
        jobs, unchanged, listed = [], [], set()
        for path in files:
            name, modality = str(path), self.findable.modality(path)
            listed.add(name)
            known = self.ledger.by_path.get(name)
            if known is not None and self._is_current(known, path, modality):
                unchanged.append(known)
            else:
                jobs.append(_Job(path, name, modality, known))
        left: Counter[str] = Counter()
        for known in self.ledger.forgotten():
            if known.trace.path in listed:
                continue
            path = as_path(known.trace.path)
            if why := self._why_left(path):
                left[why] += 1
            else:
                jobs.append(_Job(path, known.trace.path, self.findable.modality(path), known))
        self.report.notes += [f"{n} items are still to be embedded: {why}" for why, n in sorted(left.items())]
        return jobs, unchanged

    def _why_left(self, path: Path) -> str:
        """Why a record whose vectors were forgotten is not made anew; empty if it is."""
        if not self.findable.takes(path):
            return f"this run takes no files but {' and '.join(NAMES[m] for m in self.findable.modalities)}"
        if isinstance(path, RemotePath):
            # nothing is fetched because a collection says so, unless that was asked for
            return "" if self.plan.reindex else "their files are remote, and fetched if they are named alone"
        there = self.places.state(str(path)) == "there"
        return "" if there else "their files are not where they were last seen"

    def _is_current(self, known: Known, path: Path, modality: Modality) -> bool:
        return known.trace.reading == self._digest(self.encoders[modality], path) and known.is_current()

    def _digest(self, encoder: Encoder, path: Path) -> str:
        """Of how a file is read: of it, only the suffix counts."""
        key = encoder.modality, path.suffix
        if key not in self._digests:
            self._digests[key] = reading_digest(encoder, path)
        return self._digests[key]

    def _without_textures(self, jobs: Sequence[_Job], given: Sequence[Path]) -> list[_Job]:
        """Pictures that are no part of an object of the collection, unless they are named."""
        named = {str(path) for path in given}
        kept = [job for job in jobs if job.known or job.name in named or job.name not in self.ledger.textures]
        self.total -= len(jobs) - len(kept)
        return kept

    # Reading and embedding

    def _embed(self, encoder: Encoder, jobs: Iterable[_Job]) -> None:
        def look(job: _Job) -> _Seen:
            return job, self._look(encoder, job)

        for batch in in_batches(read_ahead(jobs, look, max(2, os.cpu_count() or 1), AHEAD), BATCH):
            self._keep(encoder, batch)

    def _look(self, encoder: Encoder, job: _Job) -> ReadFile | _Touched | FileProblem:
        """Read a file, on any thread, unless its bytes are those that its record was made of."""
        known = job.known
        if known is not None and known.trace.reading == self._digest(encoder, job.path):
            again = known.taken_again()
            if again is not None:
                return _Touched(known, again)
        return encoder.read(job.path)

    def _keep(self, encoder: Encoder, batch: Sequence[_Seen]) -> None:
        """Bring what was read into the collection, and tell it."""
        changes = [Change("failed", job.name, problem=seen) for job, seen in batch if isinstance(seen, FileProblem)]
        moved: dict[int, Trace] = {}
        fresh: list[_Fresh] = []
        for job, seen in batch:
            if isinstance(seen, _Touched):
                moved[seen.known.id] = seen.trace
                changes.append(Change("unchanged", job.name))
            elif isinstance(seen, ReadFile):
                trace = self._trace(encoder, job, seen)
                known = job.known or self.ledger.moved(trace, self.places)
                anew = known is None or (known.trace.content, known.trace.reading) != (trace.content, trace.reading)
                if known is not None and job.known is None:
                    # if its vector is another's, the next run is to see that, should this one end here
                    moved[known.id] = replace(trace, reading="") if anew else trace
                    self.ledger.replace(known, trace)
                if anew:
                    fresh.append(_Fresh(job.name, seen, trace, known))
                elif known is not None and job.known is None:
                    changes.append(Change("moved", job.name, known.trace.path))
                elif known is not None:
                    moved |= {known.id: trace} if trace != known.trace else {}
                    changes.append(Change("unchanged", job.name))
        if moved:
            self.store.move(moved)
        self._describe([Known(item, trace) for item, trace in moved.items()])
        changes += self._put(encoder, fresh)
        self._finish(changes)

    def _put(self, encoder: Encoder, fresh: Sequence[_Fresh]) -> list[Change]:
        """Embed and keep files."""
        encoded = encoder.encode([item.read for item in fresh])
        self.report.computed += encoded.computed
        kept = [item for item in fresh if item.read.path in encoded.vectors]
        earlier = self._metadata_of([item.known for item in kept if item.known is not None])
        entries = []
        for item in kept:
            vectors: dict[str, Array] = {encoder.modality: encoded.vectors[item.read.path]}
            said = self._said(item.name, earlier.get(item.known.id, {}) if item.known else {})
            entries.append(Entry(KINDS[encoder.modality], item.trace, vectors, said, item.read.drawn))
            self.ledger.note(item.trace)
        if entries:
            self.store.put(entries)
        return [
            *(Change("replaced" if item.known else "added", item.name) for item in kept),
            *(Change("failed", p.path, problem=p) for p in encoded.problems),
        ]

    def _trace(self, encoder: Encoder, job: _Job, seen: ReadFile) -> Trace:
        taken, reading = seen.print, self._digest(encoder, job.path)
        if seen.remote:
            return Trace(job.name, "", taken.content, reading)
        # What may have changed while it was read is looked at again the next time.
        content = taken.content if seen.settled else ""
        return Trace(job.name, "", content, reading, taken.sources, taken.stamps, taken.taken_ns)

    # Metadata

    def _said(self, name: str, earlier: Mapping[str, Value]) -> dict[str, Value]:
        return {**earlier, **self.plan.metadata, **self.plan.table.get(name, {})}

    def _metadata_of(self, known: Sequence[Known]) -> dict[int, Mapping[str, Value]]:
        return {record.id: record.metadata for record in self.store.records([k.id for k in known])}

    def _describe(self, known: Sequence[Known]) -> None:
        """Give records that are not made anew what the plan says of them, where that is new."""
        if not self.plan.metadata and not self.plan.table:
            return
        for some in in_batches(known, REMOVED_AT_A_TIME):
            earlier = self._metadata_of(some)
            told = {k.id: self._said(k.trace.path, earlier[k.id]) for k in some if k.id in earlier}
            other = {item: said for item, said in told.items() if said != earlier[item]}
            if other:
                self.store.describe(other)
                self.report.described += len(other)

    def _note_strays(self, taken: set[str]) -> None:
        """Say which rows of tables are of no file."""
        strays = [name for name in self.plan.table if name not in taken]
        if strays:
            more = ", …" if len(strays) > 1 else ""
            self.report.notes.append(
                f"{len(strays)} rows of the tables of metadata name no file of this run: {strays[0]}{more}"
            )

    # What vanished

    def _settle_vanished(self, given: Sequence[Path], listed: set[str], problems: Sequence[FileProblem]) -> None:
        roots = {str(path) for path in given if not isinstance(path, RemotePath)}
        vanished, told = [], set()
        for known in chain.from_iterable(self.ledger.parts.values()):
            path = known.trace.path
            if path in listed or not below(path, roots):
                continue
            state = self.places.state(path)
            if state == "gone":
                vanished.append(known)
                told.add(path)
            elif state != "there":
                self.places.doubt(path)
        if self.plan.prune:
            for some in in_batches(vanished, REMOVED_AT_A_TIME):
                self.store.remove([known.id for known in some])
                self._finish(Change("pruned", known.trace.path) for known in some)
        else:
            self._finish(Change("vanished", known.trace.path) for known in vanished)
        self._finish(
            Change("failed", problem.path, problem=problem)
            for problem in problems
            if problem.path not in told
        )
        for folder, n in sorted(self.places.doubtful.items()):
            self.report.notes.append(
                f"{folder}: it is empty or out of reach; {n} items in it are kept, since its disk may only be away"
            )

    def _finish(self, changes: Iterable[Change]) -> None:
        told = list(changes)
        self.report.take(told, self.tell)
        self.done += sum(change.status not in ("vanished", "pruned") for change in told)
        self.progress(min(self.done, self.total), self.total)

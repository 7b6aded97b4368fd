"""Driving logs are read and encoded by the machines of a Ray cluster; this process alone writes to the collection.

A log is cut into stretches of frames, each a task of Ray. A task writes nothing, and what it gives is kept by path
and part: one that is run again, because its worker or its machine died, can neither lose nor double a record.
"""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import clip3d
from clip3d.errors import DataError, FileProblem, FrameError, MissingExtra, ModelError
from clip3d.lidar.frame import Log
from clip3d.models.card import Modality
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.keeping.frame_encoding import EncodedBatch, FrameEncoder
from clip3d.search.keeping.frame_reading import by_frame
from clip3d.search.keeping.known import Known
from clip3d.search.keeping.reporting import Plan
from clip3d.search.stores.frame_vectors import ViewKind
from clip3d.search.sweep_sources import open_log

STRETCH = 64  # frames of a task: what is done again when its worker dies
RETRIES = 3  # of a task whose worker died, before it is cut in two
TASKS_A_CORE = 2  # given out ahead, so that no core waits for the next
TOWERS: tuple[Modality, ...] = ("sweep", "image")
KNOCK_SECONDS = 10
NOT_INSTALLED = "failed to import on the worker"  # what Ray says where it cannot load a task
READERS = 2  # threads beside a worker's one core: they wait for disks more than they compute

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Order:
    """What is the same for all tasks of a run, and is sent to a worker once."""

    model: Model
    device: str
    views: tuple[ViewKind, ...]
    thumbnails: bool
    cached: bool


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Some frames of a log that follow each other, and their records by frame and part.

    Attributes:
        start: number of the first, from 0.
        keys: of the frames, in order.
    """

    path: str
    source: str
    start: int
    keys: tuple[str, ...]
    known: Mapping[str, Mapping[str, Known]]

    @property
    def name(self) -> str:
        """The log's path with the key of the frame, or of the first and the last."""
        last = f" to {self.keys[-1]}" if len(self.keys) > 1 else ""
        return f"{self.path}#{self.keys[0]}{last}"

    def halves(self) -> tuple[_Stretch, _Stretch]:
        """Two of half as many frames."""
        middle = len(self.keys) // 2
        return self._part(0, middle), self._part(middle, len(self.keys))

    def _part(self, start: int, stop: int) -> _Stretch:
        return _stretch(self.path, self.source, self.start + start, self.keys[start:stop], self.known)


def encode_on_cluster(
    address: str,
    model: Model,
    plan: Plan,
    logs: Sequence[Log],
    known: Mapping[str, Mapping[str, Known]],
    *,
    cached: bool,
) -> Iterator[EncodedBatch]:
    """What comes of all frames of logs, in the order in which the workers are done.

    Each worker gets the model once. Logs have to be at the same paths on every machine, and clip3d installed in
    the same version. Where the calling program has connected to Ray already, that cluster is used.

    Args:
        address: "local" for the cores of this machine, "auto" for the cluster that it belongs to, or HOST:PORT of
            that cluster's head.
        model: whose towers encode, on the workers' GPUs if its device is one.
        plan: which views are kept, and whether with small pictures.
        logs: to be encoded.
        known: of each log, by its path, the records by part.
        cached: whether workers use the cache of vectors of their machine.

    Raises:
        MissingExtra: if Ray is not installed.
        DataError: if the cluster cannot be reached, has not what the model's device needs, or its workers have
            another version of clip3d.
    """
    with _connected(address) as ray:
        yield from _Mapping(ray, address, model, plan, cached=cached).over(_stretches(logs, known))


class _Mapping:
    """Tasks that are given out and waited for."""

    def __init__(self, ray: Any, address: str, model: Model, plan: Plan, *, cached: bool) -> None:
        self.ray = ray
        self.address = address
        self.resource = "CPU" if model.device == "cpu" else "GPU"
        needs = {"num_cpus": 1} | ({"num_gpus": 1} if self.resource == "GPU" else {})
        self.encode = ray.remote(_encode_stretch).options(name="clip3d", max_retries=RETRIES, **needs)
        self.run = uuid.uuid4().hex
        device = model.device.partition(":")[0]  # which of its GPUs a worker has is Ray's choice
        self.order = ray.put(_Order(_loaded(model.on("cpu")), device, plan.views, plan.thumbnails, cached))

    def over(self, stretches: Iterator[_Stretch]) -> Iterator[EncodedBatch]:
        """All batches of all stretches."""
        again: deque[_Stretch] = deque()
        waiting: dict[Any, _Stretch] = {}
        try:
            while _refilled(again, stretches) or waiting:
                room = self._room(len(waiting)) if again else 0
                while room > 0 and again:
                    stretch = again.popleft()
                    waiting[self._give_out(stretch)] = stretch
                    room -= 1
                    _refilled(again, stretches)
                done, _ = self.ray.wait(list(waiting), num_returns=1)
                stretch = waiting.pop(done[0])
                batches = self._result(done[0], stretch)
                if batches is None:
                    again.extend(stretch.halves())
                else:
                    yield from batches
        finally:
            for task in waiting:
                with suppress(Exception):  # the cluster may be gone, and what ended the run is to be told
                    self.ray.cancel(task, force=True)

    def _give_out(self, stretch: _Stretch) -> Any:
        # in a list, so that it is not fetched for each task, but for each worker
        return self.encode.remote(self.run, clip3d.__version__, [self.order], stretch)

    def _room(self, waiting: int) -> int:
        """How many more tasks are given out: the cluster may grow and shrink meanwhile."""
        cores = self.ray.cluster_resources().get(self.resource, 0)
        if cores < 1 and not waiting:
            remedy = "start machines that have some, or choose another --device"
            raise DataError(self.address, f"no machine of the Ray cluster offers a {self.resource}", remedy)
        return TASKS_A_CORE * int(cores) - waiting

    def _result(self, task: Any, stretch: _Stretch) -> list[EncodedBatch] | None:
        """What a task gave; None if its frames are to be tried in two parts."""
        from ray.exceptions import RayError, RayTaskError

        try:
            batches: list[EncodedBatch] = self.ray.get(task)
        except RayTaskError as error:
            cause = getattr(error, "cause", None) or error
            if isinstance(cause, ModelError | ImportError) or NOT_INSTALLED in str(error):
                remedy = f"install clip3d {clip3d.__version__} and what its model needs on every machine"
                raise DataError(self.address, _last_line(cause), remedy) from error
            if len(stretch.keys) > 1:
                return None
            reason = f"it could not be encoded: {_last_line(cause)}"
        except RayError as error:
            # Ray has tried it again; one frame may be what kills each worker, and the others are spared
            log.info("%s: %s", stretch.name, _last_line(error))
            if len(stretch.keys) > 1:
                return None
            reason = f"each worker that read it died: {_last_line(error)}"
        else:
            return batches
        problem = FrameError(stretch.name, reason, "index this log alone, without --ray, to see more")
        return [EncodedBatch([problem], len(stretch.keys))]


def _refilled(again: deque[_Stretch], stretches: Iterator[_Stretch]) -> bool:
    """Whether something is left to give out; what was tried before comes first."""
    if not again and (fresh := next(stretches, None)) is not None:
        again.append(fresh)
    return bool(again)


def _loaded(model: Model) -> Model:
    """The model with all in memory that workers need: they may not see its folder."""
    for tower in TOWERS:
        if tower in model.card.towers:
            model.tower(tower)
    _ = model.space
    return model


def _stretches(logs: Sequence[Log], known: Mapping[str, Mapping[str, Known]]) -> Iterator[_Stretch]:
    for one in logs:
        path, keys = str(one.path), tuple(one.keys)
        of_log = by_frame(known.get(path, {}), set(keys))
        for start in range(0, len(keys), STRETCH):
            yield _stretch(path, one.source, start, keys[start : start + STRETCH], of_log)


def _stretch(
    path: str, source: str, start: int, keys: tuple[str, ...], known: Mapping[str, Mapping[str, Known]]
) -> _Stretch:
    return _Stretch(path, source, start, keys, {key: known[key] for key in keys if key in known})


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Ray, connected to a cluster; what was connected before stays so."""
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("indexing over a cluster", "ray", "ray") from error
    if "://" in address:
        remedy = "give HOST:PORT of the cluster's head, such as 10.0.0.5:6379, from one of its machines"
        raise DataError(address, "runs do not go through a Ray client server", remedy)
    if ray.is_initialized():
        yield ray
        return
    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address == "local":
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere unasked
        options["include_dashboard"] = False
    try:
        _knock(address)
        ray.init(address, **options)
    except (OSError, RuntimeError, ValueError, AssertionError, ray.exceptions.RayError) as error:
        remedy = "start one with ray start --head, or give --ray local for the cores of this machine"
        raise DataError(address, f"no Ray cluster can be reached there: {_last_line(error)}", remedy) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """OSError if nothing listens at a HOST:PORT: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_SECONDS).close()


def _last_line(error: BaseException) -> str:
    """What an error says in its last line: Ray's tell of a worker's with all that led to it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


# On the workers

# What a worker keeps from task to task of a run: loaded once, however many stretches it encodes.
_encoders: dict[str, FrameEncoder] = {}
_logs: dict[tuple[str, str], Log] = {}


def _encode_stretch(run: str, version: str, order: Sequence[Any], stretch: _Stretch) -> list[EncodedBatch]:
    """The task: read and encode some frames."""
    if version != clip3d.__version__:
        raise ModelError("clip3d", f"a worker has version {clip3d.__version__}, not {version}")
    encoder = _encoder(run, order)
    try:
        opened = _log(run, stretch)
    except FileProblem as problem:
        return [EncodedBatch([problem], len(stretch.keys))]
    numbers = range(stretch.start, stretch.start + len(stretch.keys))
    if tuple(opened.keys[numbers.start : numbers.stop]) != stretch.keys:
        other = FrameError(stretch.name, "a worker found other frames there", "run it again once all is in place")
        return [EncodedBatch([other], len(stretch.keys))]
    return list(encoder.over(encoder.jobs(opened, numbers, stretch.known)))


def _encoder(run: str, order: Sequence[Any]) -> FrameEncoder:
    if run not in _encoders:
        import ray

        try:
            told: _Order = ray.get(order[0])
        except ray.exceptions.RayError as error:
            raise ModelError("clip3d", f"a worker cannot load the model: {_last_line(error)}") from error
        cache = VectorCache() if told.cached else VectorCache.disabled()
        _encoders.clear()
        model = told.model.on(told.device)
        _encoders[run] = FrameEncoder(model, told.views, cache, thumbnails=told.thumbnails, readers=READERS)
    return _encoders[run]


def _log(run: str, stretch: _Stretch) -> Log:
    key = run, stretch.path
    if key not in _logs:
        opened = open_log(stretch.path, stretch.source)
        _logs.clear()
        _logs[key] = opened
    return _logs[key]

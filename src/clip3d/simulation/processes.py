"""The same work on many numbers, in several processes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import TypeVar

T = TypeVar("T")


def fresh_processes(workers: int) -> ProcessPoolExecutor:
    """Processes that leave interrupting to the one that started them, and end when that one is killed."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed process tells its own nothing: they would go on writing beside whatever is started next."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def together(
    work: Callable[[int], T], numbers: Iterable[int], workers: int
) -> Iterator[tuple[int, Callable[[], T]]]:
    """Numbers with what gives, or raises, their outcome, as they are done.

    Args:
        work: done on each number in a process of its own; must be one that can be pickled.
        numbers: in the order in which they are begun.
        workers: processes.
    """
    pool = fresh_processes(workers)
    waiting = iter(numbers)
    running: dict[Future[T], int] = {}
    try:
        while True:
            for number in islice(waiting, workers + 2 - len(running)):
                running[_begun(pool, work, number)] = number
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result
    finally:
        pool.shutdown(cancel_futures=True)


def _begun(pool: ProcessPoolExecutor, work: Callable[[int], T], number: int) -> Future[T]:
    """Work that a process is to do; one that has failed already where the processes were ended."""
    try:
        return pool.submit(work, number)
    except BrokenProcessPool as broken:
        failed: Future[T] = Future()
        failed.set_exception(broken)
        return failed

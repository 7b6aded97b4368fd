"""Batches that are made ready by processes of their own while the steps before are taken."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any, TypeVar

from torch.utils.data import DataLoader, Dataset

T = TypeVar("T")


def loaded_ahead(batches: Dataset[T], numbers: range, workers: int) -> Iterator[T]:
    """The batches of these numbers, in order.

    Args:
        batches: gives a batch by its number.
        numbers: of the batches.
        workers: processes that make them; 0 to make each when it is asked for.
    """
    loader: DataLoader[T] = DataLoader(
        batches,
        batch_size=None,
        sampler=numbers,
        num_workers=workers,
        worker_init_fn=leave_ctrl_c_to_the_run,
        collate_fn=_as_it_is,
        prefetch_factor=4 if workers else None,
    )
    return iter(loader)


def leave_ctrl_c_to_the_run(worker: int) -> None:
    """Let a worker finish what it makes: the run keeps its step first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _as_it_is(batch: Any) -> Any:
    return batch

"""One thread for many small products."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch work in this thread alone for a while.

    The products of a part are small. Shared out among threads they gain little on processors that are free; where
    another program wants one too, each waits for the others at every product, and all take many times as long.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)

"""Ctrl-C while training: the step is finished and kept first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Interruption:
    """Whether the user pressed Ctrl-C."""

    asked: bool = False


@contextmanager
def ctrl_c_noted() -> Iterator[Interruption]:
    """Note the first Ctrl-C instead of raising KeyboardInterrupt; the second raises it.

    Outside the main thread, where Python takes no signals, nothing changes.
    """
    note = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield note
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if note.asked:
            raise KeyboardInterrupt
        note.asked = True

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield note
    finally:
        signal.signal(signal.SIGINT, before)

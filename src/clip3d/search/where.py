"""Conditions on metadata: one SQL expression, parsed, never run as it was written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """A condition that was parsed.

    Attributes:
        text: as it was written.
    """

    text: str

"""What a collection knows of files: by path to tell what is unchanged, by content to tell what moved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from clip3d.models.fingerprint import Fingerprint, fingerprint
from clip3d.search.embedding import Encoder
from clip3d.search.keeping.vanished import Places
from clip3d.search.stores.store import Trace

DIGITS = 32


@dataclass(frozen=True)
class Known:
    """A record, by its id, and where it came from."""

    id: int
    trace: Trace

    def is_current(self) -> bool:
        """Whether the file system shows that no file of it changed; reads none."""
        whole = self.trace.content and 0 < len(self.trace.sources) == len(self.trace.stamps)
        return bool(whole) and _fingerprint(self.trace).is_current()

    def taken_again(self) -> Trace | None:
        """The trace with the times of now, if the content is still the same; reads the files."""
        # What a stranger's collection names may be no file, and without end.
        if not self.trace.content or not all(map(_is_file_or_missing, self.trace.sources or [""])):
            return None
        again = fingerprint(self.trace.sources)
        if again.content != self.trace.content:
            return None
        t = self.trace
        return Trace(t.path, t.part, t.content, t.reading, again.sources, again.stamps, again.taken_ns)


class Ledger:
    """All records of a collection, kept up to date through a run.

    Attributes:
        by_path: those that are whole files.
        parts: all, also of parts of files, by path.
        textures: paths of pictures that objects are made of besides their own files.
    """

    def __init__(self, traces: Iterable[tuple[int, Trace]]) -> None:
        self.by_path: dict[str, Known] = {}
        self.parts: dict[str, list[Known]] = {}
        self.textures: set[str] = set()
        self._by_content: dict[str, list[Known]] = {}
        for item, trace in traces:
            known = Known(item, trace)
            self.parts.setdefault(trace.path, []).append(known)
            if not trace.part:
                self.by_path[trace.path] = known
                self._by_content.setdefault(trace.content, []).append(known)
            self.note(trace)

    def note(self, trace: Trace) -> None:
        """Note what files an item is made of."""
        self.textures.update(trace.sources[1:])

    def forgotten(self) -> list[Known]:
        """Records whose vectors are to be made anew."""
        return [known for known in self.by_path.values() if not known.trace.reading]

    def moved(self, trace: Trace, places: Places) -> Known | None:
        """The record of a file that is gone and had a new file's content; one of its name before others."""
        same = [known for known in self._by_content.get(trace.content, ()) if trace.content]
        name = PurePath(trace.path).name
        for known in sorted(same, key=lambda k: (PurePath(k.trace.path).name != name, k.id)):
            if places.state(known.trace.path) in ("gone", "emptied"):
                return known
        return None

    def replace(self, known: Known, trace: Trace) -> None:
        """A record is at another place now."""
        self._by_content[known.trace.content].remove(known)
        self.by_path.pop(known.trace.path, None)
        self.parts[known.trace.path].remove(known)
        moved = Known(known.id, trace)
        self.by_path[trace.path] = moved
        self.parts.setdefault(trace.path, []).append(moved)
        self._by_content.setdefault(trace.content, []).append(moved)
        self.note(trace)


def reading_digest(encoder: Encoder, path: Path) -> str:
    """Digest of what decides a file's vector besides its content."""
    said = json.dumps([encoder.tower, encoder.options(path)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:DIGITS]


def _is_file_or_missing(path: str) -> bool:
    return bool(path) and (Path(path).is_file() or not Path(path).exists())


def _fingerprint(trace: Trace) -> Fingerprint:
    return Fingerprint(trace.content, trace.sources, trace.stamps, trace.taken_ns)

"""Which licence a file of a Debian package has, by the package's machine-readable copyright file (DEP-5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

OPEN = re.compile(r"(CC0|CC-BY|CC-BY-SA|public-domain|MIT|Expat|BSD|Apache)\b", re.IGNORECASE)
CLOSED = re.compile(r"GPL|-NC|-ND|NonCommercial|NoDeriv", re.IGNORECASE)


@dataclass(frozen=True)
class Terms:
    """Licence of a file by its short name, and whose it is."""

    licence: str
    holders: str

    @property
    def is_open(self) -> bool:
        """Whether the licence is CC0, CC-BY, CC-BY-SA, MIT, BSD, Apache or public domain, and none besides."""
        return bool(OPEN.match(self.licence)) and not CLOSED.search(self.licence)


class Copyright:
    """The Files paragraphs of a copyright file; where several match a file, the last one counts (DEP-5)."""

    def __init__(self, text: str) -> None:
        self._exact: dict[str, tuple[int, Terms]] = {}
        self._globs: list[tuple[int, re.Pattern[str], Terms]] = []
        for number, paragraph in enumerate(re.split(r"\n(?=Files:)", text)):
            fields = _fields(paragraph)
            if "Files" not in fields or "License" not in fields:
                continue
            holders = "; ".join(" ".join(line.split()) for line in fields.get("Copyright", "").strip().splitlines())
            terms = Terms(fields["License"].strip().splitlines()[0].strip(), holders)
            for pattern in fields["Files"].split():
                self._add(number, pattern, terms)

    def of(self, path: str) -> Terms | None:
        """Terms of a file, by its path in the source package; None where no paragraph names it."""
        found = [(number, terms) for number, glob, terms in self._globs if glob.fullmatch(path)]
        if path in self._exact:
            found.append(self._exact[path])
        return max(found, key=lambda item: item[0])[1] if found else None

    def _add(self, number: int, pattern: str, terms: Terms) -> None:
        if "*" in pattern or "?" in pattern:
            glob = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
            self._globs.append((number, re.compile(glob, re.DOTALL), terms))
        else:
            self._exact[pattern] = (number, terms)


def _fields(paragraph: str) -> dict[str, str]:
    """Fields of the first stanza of a paragraph, continuation lines included."""
    stanza = re.split(r"\n\s*\n", paragraph.strip())[0]
    found = re.findall(r"^([A-Za-z-]+):(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE)
    return dict(found)

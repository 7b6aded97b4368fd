"""Which licence a file of a Debian package has, by the package's machine-readable copyright file (DEP-5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from clip3d.errors import DataError

OPEN = re.compile(r"(CC0|CC-BY|CC-BY-SA|public-domain|MIT|Expat|BSD|Apache)\b", re.IGNORECASE)
JOINED = re.compile(r"\s+(?:and|or)\s+|,", re.IGNORECASE)
CLOSED = re.compile(r"GPL|-NC|-ND|NonCommercial|NoDeriv", re.IGNORECASE)


@dataclass(frozen=True)
class Terms:
    """Licence of a file by its short name, and whose it is."""

    licence: str
    holders: str

    @property
    def is_open(self) -> bool:
        """Whether the licence is CC0, CC-BY, CC-BY-SA, MIT, BSD, Apache or public domain, and none besides."""
        parts = [part.strip() for part in JOINED.split(self.licence)]
        return all(OPEN.match(part) for part in parts) and not CLOSED.search(self.licence)


def together(terms: Iterable[Terms]) -> Terms:
    """Licences and holders of what is made of several files, each named once."""
    known = list(dict.fromkeys(terms))
    licences, holders = ([getattr(t, key) for t in known] for key in ("licence", "holders"))
    return Terms(", ".join(dict.fromkeys(licences)), "; ".join(dict.fromkeys(holders)))


class Copyright:
    """The Files paragraphs of a copyright file; where several match a file, the last one counts (DEP-5)."""

    def __init__(self, text: str) -> None:
        self._exact: dict[str, tuple[int, Terms]] = {}
        self._globs: list[tuple[int, re.Pattern[str], Terms]] = []
        for number, paragraph in enumerate(re.split(r"\n(?=Files:)", text)):
            fields = _fields(paragraph)
            licence = fields.get("License", "").strip()
            if "Files" not in fields or not licence:
                continue
            holders = "; ".join(" ".join(line.split()) for line in fields.get("Copyright", "").strip().splitlines())
            terms = Terms(licence.splitlines()[0].strip(), holders)
            for pattern in fields["Files"].split():
                self._add(number, pattern, terms)

    def of(self, path: str) -> Terms | None:
        """Terms of a file, by its path in the source package; None where no paragraph names it."""
        found = [(number, terms) for number, glob, terms in self._globs if glob.fullmatch(path)]
        if path in self._exact:
            found.append(self._exact[path])
        return max(found, key=lambda item: item[0])[1] if found else None

    def open_terms(self, path: str) -> Terms:
        """Terms of a file that is openly licensed.

        Raises:
            DataError: if it is not, or no paragraph names it.
        """
        found = self.of(path)
        if found is None or not found.is_open:
            raise DataError(path, f"its licence is {found.licence if found else 'not stated'}")
        return found

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

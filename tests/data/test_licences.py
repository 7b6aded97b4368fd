"""Licences by file, from a Debian copyright file."""

import pytest

from clip3d.data.licences import Copyright
from clip3d.errors import DataError

TEXT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2002-2014, The Team
License: GPL-2+


Files:
 base/a.md2
 base/b dir.md2
Copyright:
 Ann Author
 2010, Bob Builder
License: CC-BY-SA-3.0

Files: parts/*/models/* parts/old?.wrl
Copyright: Carol
License: CC-BY-SA-4.0-with-exception

Files: parts/x/models/closed.wrl
Copyright: Dave
License: GPL-3+

License: GPL-2+
 Long text: with colons
Files: this is no paragraph's start
"""


def test_the_last_paragraph_that_names_a_file_counts() -> None:
    terms = Copyright(TEXT)
    assert terms.of("base/a.md2").licence == "CC-BY-SA-3.0"
    assert terms.of("base/a.md2").holders == "Ann Author; 2010, Bob Builder"
    assert terms.of("base/other.md2").licence == "GPL-2+"
    assert terms.of("parts/x/models/deep/open.wrl").holders == "Carol"
    assert terms.of("parts/old1.wrl").is_open
    assert terms.of("parts/x/models/closed.wrl").licence == "GPL-3+"


def test_nothing_is_said_about_a_file_that_no_paragraph_names() -> None:
    assert Copyright("Files: a\nCopyright: B\nLicense: CC0-1.0\n").of("b") is None


def test_a_paragraph_without_a_licence_says_nothing() -> None:
    terms = Copyright("Files: a\nCopyright: B\nLicense:\n\nFiles: c\nCopyright: D\nLicense: MIT\n")
    assert (terms.of("a"), terms.of("c").licence) == (None, "MIT")
    with pytest.raises(DataError, match="not stated"):
        terms.open_terms("a")


def test_only_licences_that_allow_training_are_open() -> None:
    def is_open(licence: str) -> bool:
        return Copyright(f"Files: a\nCopyright: B\nLicense: {licence}\n").of("a").is_open

    assert all(map(is_open, ("CC0-1.0", "CC-BY-3.0", "CC-BY-SA-4.0", "public-domain", "Expat", "BSD-3-clause")))
    assert is_open("CC-BY-3.0 and Apache-2.0")
    closed = ("GPL-2", "LGPL-3", "CC-BY-NC-SA-3.0", "CC-BY-ND-4.0", "CC-BY-SA-3.0 or GPL-2+", "WTFPL", "other")
    closed += ("MIT and Proprietary", "CC-BY-4.0, MPL-2.0", "Apache-2.0 or Artistic")
    assert not any(map(is_open, closed))

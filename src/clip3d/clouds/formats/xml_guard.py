"""What XML from strangers may not hold."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from clip3d.clouds.formats.contents import Malformed

MAX_XML_BYTES = 128 * 1024**2
MAX_NUMBERS = 16_000_000
MAX_ELEMENTS = 1_000_000
PLAIN_ENCODINGS = {b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1", b"iso-8859-15", b"windows-1252", b"latin1"}


def check_xml(data: bytes) -> None:
    """Refuse entities, document types, encodings that could hide them, and trees that would fill the memory.

    Raises:
        Malformed: with what was found.
    """
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith(b"<"):
        raise Malformed("it is not XML", "export it again")
    if b"\x00" in data or b"PK\x05\x06" in data:
        raise Malformed("it is XML with other data inside", "export it again, in UTF-8")
    encoding = re.match(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"']{1,40})[\"']", start)
    if encoding and encoding[1].lower() not in PLAIN_ENCODINGS:
        raise Malformed("it is XML in an unusual encoding", "export it again, in UTF-8")
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", data, re.IGNORECASE):
        raise Malformed("it declares a document type or entities, which model files do not need", "export it again")
    if len(data) > MAX_XML_BYTES or data.count(b" ") + data.count(b"\n") + data.count(b"\t") > MAX_NUMBERS:
        raise Malformed(f"it holds more than 128 MiB or {MAX_NUMBERS:,} numbers", "export it as GLB")
    if data.count(b"<") > 2 * MAX_ELEMENTS or data.count(b"=") > 4 * MAX_ELEMENTS:
        raise Malformed(f"it holds more than {MAX_ELEMENTS:,} XML elements", "simplify it or cut it")


def parse_xml(data: bytes) -> ElementTree.Element:
    """The root of an XML file that `check_xml` takes.

    Raises:
        Malformed: for anything else.
    """
    check_xml(data)
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError) as error:
        raise Malformed(f"it is not well-formed XML: {error}", "export it again") from error

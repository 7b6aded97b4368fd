"""Members of archives: what is refused, and that every refusal says why."""

import io
import zipfile

import pytest

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.archives import read_member


def archive(*, damage: bool = False, method: int = 8, encrypted: bool = False) -> zipfile.ZipFile:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a", bytes(1000) + b"end")
    data = bytearray(out.getvalue())
    if damage:
        data[35] ^= 255
    central = data.index(b"PK\1\2")
    data[central + 8] |= encrypted
    data[central + 10] = data[8] = method
    return zipfile.ZipFile(io.BytesIO(bytes(data)))


def test_a_member_is_read_up_to_the_size_that_is_asked_for() -> None:
    assert read_member(archive(), "a", most=1003).endswith(b"end")
    with pytest.raises(Malformed, match="larger than 1002 bytes"):
        read_member(archive(), "a", most=1002)


@pytest.mark.parametrize("bad", [archive(damage=True), archive(method=99), archive(encrypted=True)])
def test_damage_encryption_and_unknown_packing_are_refused(bad: zipfile.ZipFile) -> None:
    with pytest.raises(Malformed, match="cannot be unpacked"):
        read_member(bad, "a")


def test_a_missing_member_is_named() -> None:
    with pytest.raises(Malformed, match="b is not in the archive"):
        read_member(archive(), "b")

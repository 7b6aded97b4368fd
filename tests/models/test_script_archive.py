"""Archives of TorchScript: their tensors are read, and nothing that is in them is run, named or unfolded."""

from __future__ import annotations

import random
import time
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
import tiny_clip
import torch
from tiny_clip import TinyClip

from clip3d.errors import ModelError
from clip3d.models.clip_checkpoints import load_clip
from clip3d.models.script_archive import is_script_archive, read_script_archive

# "storage", a kind, key "0", on the CPU: four numbers
STORED = b"(X\x07\x00\x00\x00storagec%sX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
NUMBERS = STORED % b"torch\nHalfStorage\n"
OPEN = b"\x80\x02c__torch__\nNet\n)\x81}(X\x01\x00\x00\x00a"
CLOSE = b"ub."


def tensor(size: bytes, stride: bytes, offset: bytes = b"K\x00") -> bytes:
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + NUMBERS + offset + size + stride + b"\x89}tR"


def archive(path, tree, numbers=bytes(8), compression=ZIP_STORED):
    with ZipFile(path, "w", compression) as made:
        for name, data in {"data.pkl": tree, "data/0": numbers, "constants.pkl": b"", "version": b"3\n"}.items():
            made.writestr(f"net/{name}", data)
    return path


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_the_tensors_are_those_of_the_program(tmp_path):
    path = tiny_clip.write_archive(TinyClip(), tmp_path)
    assert is_script_archive(path)
    found, truth = read_script_archive(path), torch.jit.load(path).state_dict()
    assert found.keys() == truth.keys()
    assert all(torch.equal(found[key], truth[key]) for key in truth)
    assert all(found[key].dtype == truth[key].dtype for key in truth)


def test_a_clip_in_an_archive_is_the_clip(tmp_path):
    clip = TinyClip()
    pixels, ids = tiny_clip.inputs()
    found = load_clip(tiny_clip.write_archive(clip, tmp_path))
    assert found.facts.layout == "openai"
    with torch.no_grad():
        torch.testing.assert_close(found.image(pixels), clip.image(pixels), atol=2e-2, rtol=2e-2)
        torch.testing.assert_close(found.text(ids), clip.text(ids), atol=2e-2, rtol=2e-2)


def test_views_of_one_run_of_numbers_are_read(tmp_path):
    numbers = torch.tensor([1, 2, 3, 4]).half().numpy().tobytes()
    turned = tensor(b"K\x02K\x02\x86", b"K\x01K\x02\x86")
    found = read_script_archive(archive(tmp_path / "a.pt", OPEN + turned + CLOSE, numbers))
    assert found["a"].tolist() == [[1, 3], [2, 4]]
    last = tensor(b"K\x01\x85", b"K\x01\x85", b"K\x03")
    assert read_script_archive(archive(tmp_path / "b.pt", OPEN + last + CLOSE, numbers))["a"].tolist() == [4]


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("deep", [False, True])
def test_what_a_hostile_archive_asks_to_call_is_not_called(deep, tmp_path):
    evil = Evil(open, str(tmp_path / "ran"), "w")
    torch.save({"visual": evil} if deep else evil, tmp_path / "saved.pt")
    with ZipFile(tmp_path / "saved.pt") as saved:
        tree = saved.read("saved/data.pkl")
    with pytest.raises(ModelError, match="asks to call"):
        load_clip(archive(tmp_path / "evil.pt", tree))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        (b"\x80\x02cos\nsystem\n)\x81.", "asks to make 'os system'"),
        (b"\x80\x02c__torch__\nNet\n(K\x01t\x81.", "asks to make"),
        (b"\x80\x02c__torch__\nNet\n)R.", "asks to call '__torch__ Net'"),
        (b"(cos\nsystem\nX\x01\x00\x00\x00ao.", "opcode OBJ"),
        (b"(X\x01\x00\x00\x00aios\nsystem\n.", "opcode INST"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "opcode STACK_GLOBAL"),
        (b"\x80\x02\x82\x01.", "opcode EXT1"),
        (b"\x80\x02ccollections\nOrderedDict\n}b.", "a _Named where a _Module"),
        (b"\x80\x02}.", "describes no module"),
        (OPEN + STORED % b"os\nsystem\n" + CLOSE, "stores numbers of the kind"),
        (OPEN + tensor(b"K\xffK\xff\x86", b"K\x00K\x00\x86") + CLOSE, "stretches"),
        (OPEN + tensor(b"K\x04\x85", b"K\x02\x85") + CLOSE, "out of bounds"),
        (OPEN + tensor(b"K\x01\x85", b"K\x01\x85", b"J\xff\xff\xff\xff") + CLOSE, "stretches"),
        (b"\x80\x02c__torch__\nNet\n)\x81q\x00}(X\x01\x00\x00\x00ah\x00ub.", "hold each other"),
        (OPEN, "ends before|pickle exhausted|unpack"),
        (b"", "pickle"),
    ],
)
def test_a_tree_of_anything_else_is_refused(tree, reason, tmp_path):
    with pytest.raises(ModelError, match=reason):
        read_script_archive(archive(tmp_path / "a.pt", tree))


def unfolding(depth: int) -> bytes:
    """A pair of one pair twice, and so on: 2 ** depth pairs if anything goes through them."""
    return b")q\x00" + b"h\x00h\x00\x86q\x00" * depth


@pytest.mark.parametrize(
    "tree",
    [
        b"\x80\x02((" + unfolding(60) + b"th\x00K\x01tQ.",
        b"\x80\x02(" + unfolding(60) + b"t}h\x00K\x01s.",
        OPEN + tensor(b"(" + unfolding(60) + b"t", b"K\x01\x85") + CLOSE,
        OPEN + tensor(b"(" + b"K\x01" * 9 + b"t", b"(" + b"K\x01" * 9 + b"t") + CLOSE,
    ],
    ids=["printed", "hashed", "compared", "many axes"],
)
def test_a_small_tree_that_unfolds_without_end_is_refused_at_once(tree, tmp_path):
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"where a|more than 8 axes"):
        read_script_archive(archive(tmp_path / "a.pt", tree))
    assert time.monotonic() - started < 5


def test_packed_records_and_other_byte_orders_are_refused(tmp_path):
    tree = OPEN + tensor(b"K\x04\x85", b"K\x01\x85") + CLOSE
    assert read_script_archive(archive(tmp_path / "good.pt", tree))["a"].shape == (4,)
    with pytest.raises(ModelError, match="compressed"):
        read_script_archive(archive(tmp_path / "packed.pt", tree, compression=ZIP_DEFLATED))
    with pytest.raises(ModelError, match=r"out of bounds|stretches"):
        read_script_archive(archive(tmp_path / "short.pt", tree, numbers=bytes(6)))
    with ZipFile(tmp_path / "good.pt", "a") as made:
        made.writestr("net/byteorder", "big")
    with pytest.raises(ModelError, match="little-endian"):
        read_script_archive(tmp_path / "good.pt")


def test_damage_anywhere_is_an_error_of_ours_or_does_no_harm(tmp_path):
    with ZipFile(tiny_clip.write_archive(TinyClip(), tmp_path)) as made:
        records = {name.removeprefix("ViT-tiny/"): made.read(name) for name in made.namelist()}
    tree, chance, read = records["data.pkl"], random.Random(0), 0
    for _ in range(100):
        damaged = bytearray(tree[: chance.randrange(1, len(tree))] if chance.random() < 0.2 else tree)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with ZipFile(tmp_path / "damaged.pt", "w") as made:
            for name, data in (records | {"data.pkl": bytes(damaged)}).items():
                made.writestr(f"net/{name}", data)
        try:
            read += bool(read_script_archive(tmp_path / "damaged.pt"))
        except ModelError:
            continue
    assert read < 90

import numpy as np
import pytest

from clip3d.data.bank_file import read_bank_file
from clip3d.data.bank_making import PART, make_bank
from clip3d.errors import DataError

ROWS = [(f"a thing {i}", f"thing {i}") for i in range(PART + 70)]


class Encoder:
    """Counts its calls and may stop like an interrupted run."""

    def __init__(self, stop_after=10**9):
        self.left, self.sizes = stop_after, []

    def __call__(self, phrases):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        self.sizes.append(len(phrases))
        return np.array([[float(p.split()[-1]) + 1, 1] for p in phrases], np.float32)


def test_a_stopped_run_goes_on_and_gives_the_same_file(tmp_path):
    whole, told = tmp_path / "whole.npz", []
    count, dim = make_bank(
        ROWS, Encoder(), whole, space="s", encoder="e", progress=lambda done, total: told.append((done, total))
    )
    assert (count, dim, told) == (len(ROWS), 2, [(PART, len(ROWS)), (len(ROWS), len(ROWS))])
    path = tmp_path / "bank.npz"
    with pytest.raises(KeyboardInterrupt):
        make_bank(ROWS, Encoder(stop_after=17), path, space="s", encoder="e")
    assert not path.exists()
    again = Encoder()
    make_bank(ROWS, again, path, space="s", encoder="e")
    assert sum(again.sizes) == 70
    assert max(again.sizes) == 64
    assert path.read_bytes() == whole.read_bytes()
    assert not path.with_name("bank.npz.parts").exists()
    file = read_bank_file(path)
    assert file.phrases[3] == "a thing 3"
    np.testing.assert_array_equal(file.vectors[3], [4, 1])


def test_parts_of_another_encoder_are_not_taken_up(tmp_path):
    path = tmp_path / "bank.npz"
    with pytest.raises(KeyboardInterrupt):
        make_bank(ROWS, Encoder(stop_after=17), path, space="s", encoder="one")
    other = Encoder()
    make_bank(ROWS, other, path, space="s", encoder="two")
    assert sum(other.sizes) == len(ROWS)


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    theirs = tmp_path / "b.npz.parts" / "letter.txt"
    theirs.parent.mkdir()
    theirs.write_text("dear")
    with pytest.raises(DataError, match="interrupted run"):
        make_bank(ROWS[:2], Encoder(), tmp_path / "b.npz", space="s", encoder="e")
    assert theirs.read_text() == "dear"


def test_a_vector_without_direction_is_named(tmp_path):
    with pytest.raises(DataError, match="'a thing 0'"):
        make_bank(ROWS[:2], lambda p: np.zeros((len(p), 2), np.float32), tmp_path / "b.npz", space="s", encoder="e")
    assert not (tmp_path / "b.npz").exists()

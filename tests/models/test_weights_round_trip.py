from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from clip3d.models.weights import dequantize_rows, load_strict, quantize_rows, read_state, write_arrays


def test_a_module_with_counters_comes_back_whole(tmp_path: Path):
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    module(torch.randn(8, 3))
    state = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    assert state["1.num_batches_tracked"].shape == (), "a number without dimensions"
    path = tmp_path / "w.safetensors"
    write_arrays(state, path)
    twin = load_strict(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)), read_state(path), path)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, twin.state_dict()[name])
    assert not twin.training


def test_written_weights_can_be_read_by_whoever_can_read_other_new_files(tmp_path: Path):
    (tmp_path / "plain").touch()
    write_arrays({"a": np.ones(3, np.float32)}, tmp_path / "w.safetensors")
    assert (tmp_path / "w.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_weights_that_were_stored_in_eight_bits_are_stored_the_same_again() -> None:
    rng = np.random.default_rng(0)
    spread = np.float32(10.0) ** rng.uniform(-1, 2, (512, 1)).astype(np.float32)
    once = quantize_rows({"w": rng.standard_normal((512, 40)).astype(np.float32) * spread, "b": spread[:, 0]})
    read = dequantize_rows(once)
    again = quantize_rows({name: np.asarray(array) for name, array in read.items()})
    for name, array in dequantize_rows(again).items():
        assert np.array_equal(array, read[name]), name

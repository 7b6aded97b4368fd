"""Two processes on one batch train as one process does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import torch
import torchrun_training
from safetensors.torch import load_file

from clip3d.towers.channel_norm import ChannelNorm
from clip3d.training import distributed

SCRIPT = Path(torchrun_training.__file__)
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def test_two_processes_end_with_the_weights_of_one(tmp_path: Path) -> None:
    command = [*TORCHRUN, str(SCRIPT), str(tmp_path / "two")]
    done = subprocess.run(command, env=os.environ.copy(), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    torchrun_training.main(tmp_path / "one")
    alone = load_file(tmp_path / "one" / "result-0-1.safetensors")
    first, second = (load_file(tmp_path / "two" / f"result-{i}-2.safetensors") for i in range(2))
    fresh = torchrun_training.Pair().state_dict()
    for name, tensor in alone.items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], tensor, atol=1e-6, rtol=1e-5, msg=name)
    assert not torch.allclose(alone["one.0.weight"], fresh["one.0.weight"], atol=1e-3)
    steps = [json.loads(line)["step"] for line in (tmp_path / "two" / "metrics.jsonl").read_text().splitlines()]
    assert steps == [2, 4, 6]


def test_a_shared_norm_of_one_process_is_the_plain_one() -> None:
    plain, shared = ChannelNorm(4), distributed._SharedNorm(4)
    values = torch.randn(6, 5, 4)
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        torch.testing.assert_close(shared(values), plain(values))
    finally:
        torch.distributed.destroy_process_group()
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(shared.state_dict()[name], tensor, msg=name)
    torch.testing.assert_close(shared.eval()(values), plain.eval()(values))


def test_alone_nothing_is_gathered_or_averaged() -> None:
    rows = torch.randn(3, 2, requires_grad=True)
    assert distributed.gather(rows) is rows
    assert (distributed.processes(), distributed.place()) == (1, 0)
    assert distributed.any_says(True, rows.device)

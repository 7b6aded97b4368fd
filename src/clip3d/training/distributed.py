"""Several processes, started by `torchrun`, that train one model together: each sees its share of every batch.

Whatever passes between processes passes here, with gradients: rows of all processes put together, and statistics of
batch norms over the whole batch. A process works out the loss of the whole batch from the gathered rows; gradients
are summed over the processes on the way back and averaged at the parameters, so that they are those of one process
that sees the whole batch, to rounding.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn


def started_by_torchrun() -> bool:
    """Whether this process is one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def together(device: str) -> Iterator[str]:
    """Join the other processes that `torchrun` started, if any, until the block ends.

    Gives the device of this process: of several GPUs its own.
    """
    if not started_by_torchrun():
        yield device
        return
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield device
        wait_for_all()  # gloo may abort a process whose peer has left
    finally:
        dist.destroy_process_group()


def processes() -> int:
    """How many processes train together; 1 outside `together`."""
    return dist.get_world_size() if dist.is_initialized() else 1


def place() -> int:
    """This process's number, from 0. Number 0 alone writes files and speaks."""
    return dist.get_rank() if dist.is_initialized() else 0


def wait_for_all() -> None:
    """Go on when every process has come here."""
    if processes() > 1:
        dist.barrier()


def any_says(mine: bool, device: torch.device) -> bool:
    """Whether any process says yes; all must ask."""
    if processes() == 1:
        return mine
    answer = torch.tensor(int(mine), device=device)
    dist.all_reduce(answer, dist.ReduceOp.MAX)
    return bool(answer)


def gather(rows: Tensor) -> Tensor:
    """Rows (n, …) of every process, in the order of the processes: (processes * n, …); gradients flow back.

    Every process must give as many rows.
    """
    return rows if processes() == 1 else cast(Tensor, _Gather.apply(rows))  # type: ignore[no-untyped-call]


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace gradients by their means over all processes; a parameter has a gradient in all of them or in none."""
    if processes() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    flat /= processes()
    means = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))


def share_statistics(module: nn.Module) -> None:
    """Let every batch norm of a module see the whole batch; names, weights and evaluation stay as they are."""
    if processes() == 1:
        return
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm1d):
                setattr(parent, name, _SharedNorm.like(child))


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.zeros_like(rows) for _ in range(processes())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total.chunk(processes())[place()]


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total


class _SharedNorm(nn.BatchNorm1d):
    """Batch norm over every axis but the last, and over all processes. PyTorch's own knows GPUs alone."""

    @classmethod
    def like(cls, norm: nn.BatchNorm1d) -> _SharedNorm:
        made = cls(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        made._parameters, made._buffers = norm._parameters, norm._buffers
        return made.train(norm.training)

    def forward(self, values: Tensor) -> Tensor:
        flat = values.reshape(-1, values.shape[-1])
        if not self.training:
            return super().forward(flat).reshape(values.shape)
        count = torch.tensor(float(len(flat)), device=values.device)
        count = cast(Tensor, _Sum.apply(count))  # type: ignore[no-untyped-call]
        exact = flat.float()
        mean = cast(Tensor, _Sum.apply(exact.sum(0))) / count  # type: ignore[no-untyped-call]
        variance = cast(Tensor, _Sum.apply((exact - mean).square().sum(0))) / count  # type: ignore[no-untyped-call]
        self._remember(mean, variance * count / (count - 1).clamp_min(1))
        scaled = (exact - mean) * torch.rsqrt(variance + self.eps) * self.weight + self.bias
        return scaled.to(values.dtype).reshape(values.shape)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)

"""What a run tells while it goes: lines for the user; the same numbers as JSON lines, as CSV, for TensorBoard."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clip3d.atomic import replacing
from clip3d.errors import MissingExtra

Progress = Callable[[str], None]
JSON_LINES, TABLE, BOARD = "metrics.jsonl", "metrics.csv", "tensorboard"


class RunLog:
    """Numbers of one run in its folder; those after the step that a run goes on from are dropped, and come again.

    Args:
        folder: of the run.
        first: the step that the run goes on from.
        steps: of the whole run.
        progress: called with lines for the user.
        board: write for TensorBoard too.

    Raises:
        MissingExtra: if TensorBoard is asked for and not installed.
    """

    def __init__(self, folder: Path, first: int, steps: int, progress: Progress, *, board: bool = False) -> None:
        self.folder, self.first, self.steps = folder, first, steps
        self.progress = progress
        self.rows = _kept_rows(folder / JSON_LINES, first)
        self.columns = _columns(self.rows)
        self._write_whole()
        self.board = _open_board(folder / BOARD, first) if board else None
        self.started, self.waited = time.monotonic(), 0.0

    def losses(self, step: int, losses: Mapping[str, float], rates: Mapping[str, float], waits: bool) -> str:
        """Record mean losses and learning rates of the parts since the last line; gives the line for the user.

        Args:
            step: steps done.
            losses: by part.
            rates: learning rates, by part.
            waits: whether the time spent on waiting for data, in `waited`, is known.
        """
        passed = max(time.monotonic() - self.started, 1e-9)
        rate = (step - self.first) / passed
        alone = len(losses) == 1 and len(rates) == 1
        row = {"loss" if alone else f"loss {part}": loss for part, loss in losses.items()}
        row |= {"rate" if alone else f"rate {part}": rate for part, rate in rates.items()}
        told = "  ".join(f"loss {loss:.3f}" if alone else f"{part} {loss:.3f}" for part, loss in losses.items())
        left = f"{(self.steps - step) / rate / 60:.0f} min left"
        line = f"step {step}/{self.steps}  {told}  {rate:.2f} steps/s  {left}"
        if waits:
            row["waiting"] = self.waited / passed
            line += f"  waiting for data {100 * self.waited / passed:.0f} %"
        self.record(step, row)
        return line

    def record(self, step: int, numbers: Mapping[str, float]) -> None:
        """Write numbers of one step to every file."""
        row = {"step": step, **numbers}
        self.rows.append(row)
        with (self.folder / JSON_LINES).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
        if new := [name for name in row if name not in self.columns]:
            self.columns += new
            self._write_table()
        else:
            with (self.folder / TABLE).open("a", encoding="utf-8", newline="") as stream:
                csv.DictWriter(stream, self.columns).writerow(row)
        if self.board is not None:
            for name, value in numbers.items():
                self.board.add_scalar(name.replace(" ", "/"), value, step)

    def close(self) -> None:
        """Write what TensorBoard's writer still holds."""
        if self.board is not None:
            self.board.close()

    def _write_whole(self) -> None:
        with replacing(self.folder / JSON_LINES) as temporary:
            temporary.write_text("".join(json.dumps(row) + "\n" for row in self.rows), encoding="utf-8")
        self._write_table()

    def _write_table(self) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self.columns)
        writer.writeheader()
        writer.writerows(self.rows)
        with replacing(self.folder / TABLE) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8", newline="")


def _kept_rows(path: Path, step: int) -> list[dict[str, Any]]:
    """What was recorded up to a step; a line that a kill cut short is dropped."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.get("step", step + 1) <= step:
            rows.append(row)
    return rows


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(["step", *(name for row in rows for name in row)]))


def _open_board(folder: Path, first: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtra("writing for TensorBoard", "tensorboard", "research") from error
    return SummaryWriter(str(folder), purge_step=first + 1)

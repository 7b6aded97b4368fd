"""What docs/logs.md says runs, and names what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from clip3d.lidar.reading import LAYOUTS, read_log
from clip3d.lidar.sources.folder_tables import read_layout
from clip3d.lidar.views import TILINGS

DOCUMENT = Path(__file__).parents[2] / "docs" / "logs.md"


@pytest.fixture(scope="module")
def text() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def test_layouts_and_tilings_are_those_that_are_described(text: str) -> None:
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) - {"tiling"} == {*LAYOUTS, *TILINGS}


def test_the_calibration_that_it_shows_is_read(text: str, tmp_path: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "calibration.toml").write_text(shown)
    layout = read_layout(tmp_path / "calibration.toml")
    assert (layout.name, layout.form.sensor, layout.form.columns) == ("Monday morning", "roof", 4)
    assert layout.cameras["front"].distortion == (-0.3, 0.1, 0, 0, 0)


def test_the_log_that_it_writes_is_read(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    writing, pairing = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(writing, {})
    (frame,) = log = read_log("drive")
    assert (log.problems, frame.problems, frame.timestamp, len(frame.sweep)) == ((), (), 12.5, 1000)
    assert [box.label for box in frame.boxes or ()] == ["Car"]
    names: dict[str, Any] = {}
    exec(pairing, names)
    view = names["view"]
    assert view.image.size == (480, 480)
    assert len(view.frustum) > 20

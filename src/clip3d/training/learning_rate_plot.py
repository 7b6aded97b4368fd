"""A drawing of every part's learning rate over a run, as SVG; schedules are known before the first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from clip3d.atomic import replacing

Curve = Sequence[tuple[int, float]]  # steps and the rates at them
WIDTH, PANEL, LEFT, TOP = 640, 150, 90, 34
COLORS = ("#1f6fb4", "#c2561a", "#2e8b57", "#7a4ea3")
POINTS = 1000


def write_plot(path: Path, curves: Mapping[str, Curve], steps: int) -> None:
    """Draw each part's rate in a panel of its own: rates of parts may lie orders of magnitude apart.

    Args:
        path: of the SVG.
        curves: by part, the steps of the run at which it moves, and its rate there.
        steps: of the whole run.
    """
    titles = [f"learning rate of {escape(name)}, {len(curve)} steps" for name, curve in curves.items()]
    thin = [thinned(curve) for curve in curves.values()]
    panels = [_panel(i, *titled, steps) for i, titled in enumerate(zip(titles, thin, strict=True))]
    height = len(panels) * (PANEL + TOP) + 30
    label = f'<text x="{WIDTH / 2:.0f}" y="{height - 8}" text-anchor="middle">step</text>'
    body = "\n".join([*panels, label])
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif"'
    with replacing(path) as temporary:
        temporary.write_text(f'{head} font-size="12">\n{body}\n</svg>\n', encoding="utf-8")


def thinned(curve: Curve) -> Curve:
    """At most about a thousand points of a curve, evenly spread, with the first, the highest and the last."""
    if len(curve) <= POINTS:
        return curve
    peak = max(range(len(curve)), key=lambda i: curve[i][1])
    kept = {round(i * (len(curve) - 1) / (POINTS - 1)) for i in range(POINTS)} | {peak}
    return [curve[i] for i in sorted(kept)]


def _panel(number: int, title: str, curve: Curve, steps: int) -> str:
    top, bottom = TOP + number * (PANEL + TOP), TOP + number * (PANEL + TOP) + PANEL
    right, most = WIDTH - 20, max((rate for _, rate in curve), default=0.0) or 1.0
    across = [LEFT + (right - LEFT) * step / max(steps - 1, 1) for step, _ in curve]
    up = [bottom - PANEL * 0.95 * rate / most for _, rate in curve]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, up, strict=True))
    color = COLORS[number % len(COLORS)]
    return "\n".join(
        [
            f'<rect x="{LEFT}" y="{top}" width="{right - LEFT}" height="{PANEL}" fill="none" stroke="#999"/>',
            f'<text x="{LEFT}" y="{top - 6}">{title}</text>',
            f'<text x="{LEFT - 6}" y="{bottom - PANEL * 0.95 + 4:.0f}" text-anchor="end">{most:.3g}</text>',
            f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">0</text>',
            f'<text x="{LEFT}" y="{bottom + 14}" text-anchor="middle">1</text>',
            f'<text x="{right}" y="{bottom + 14}" text-anchor="end">{steps}</text>',
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>',
        ]
    )

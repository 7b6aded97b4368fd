"""Maps of features drawn: a PNG, and a page that can be looked into, with nothing fetched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from clip3d.atomic import replacing
from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.errors import MissingExtra, ShapeError
from clip3d.evaluation.maps import FeatureMap, colors_of, present

INCHES, DPI = 6.0, 150
MOST_NAMED = 40  # classes in a PNG's legend

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1b1f24; --dim: #57606a; --paper: #fff; --line: #d0d7de; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e6edf3; --dim: #9198a1; --paper: #0d1117;
  --line: #30363d; }} }}
body {{ margin: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }}
h1 {{ font-size: 1.3rem; margin: 0; }} h2 {{ font-size: 1rem; margin: 0; }} p {{ color: var(--dim); margin: 0; }}
#maps {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.5rem; margin: 1rem 0; }}
canvas {{ width: 100%; aspect-ratio: 1; border: 1px solid var(--line); border-radius: 8px; }}
#classes {{ display: flex; flex-wrap: wrap; gap: .3rem .9rem; }} label {{ cursor: pointer; white-space: nowrap; }}
i {{ display: inline-block; width: .8em; height: .8em; border-radius: 50%; margin: 0 .3em; }}
#tip {{ position: fixed; pointer-events: none; padding: .15rem .5rem; border-radius: 6px; display: none;
  background: var(--ink); color: var(--paper); }}
button {{ font: inherit; margin-right: .5rem; }}
</style>
<h1>{title}</h1><p>{subtitle}</p>
<div id="maps"></div>
<p><button id="all">All</button><button id="none">None</button></p>
<div id="classes"></div><div id="tip"></div>
<script id="data" type="application/json">{data}</script>
<script>
{script}
</script></html>
"""

SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip"), shown = new Set(data.classes.map(c => c.index));
const color = Object.fromEntries(data.classes.map(c => [c.index, c.color])), panels = [];
for (const map of data.maps) {
  const box = document.createElement("section"), canvas = document.createElement("canvas");
  const heading = document.createElement("h2"), figures = document.createElement("p");
  heading.textContent = map.title; figures.textContent = map.figures;
  box.append(heading, figures, canvas); document.getElementById("maps").append(box);
  const panel = {canvas, places: map.places}; panels.push(panel);
  canvas.onmousemove = event => point(panel, event);
  canvas.onmouseleave = () => { tip.style.display = "none"; draw(null); };
}
const spot = (panel, i) => [0, 1].map(k => (0.04 + 0.92 * (k ? 1 - panel.places[i][k] : panel.places[i][k]))
  * panel.canvas.width);
function draw(chosen) {
  for (const panel of panels) {
    const canvas = panel.canvas, pen = canvas.getContext("2d");
    canvas.width = canvas.height = canvas.clientWidth * devicePixelRatio;
    const radius = 2.5 * devicePixelRatio;
    data.labels.forEach((label, i) => {
      if (!shown.has(label)) return;
      const [x, y] = spot(panel, i);
      pen.fillStyle = color[label]; pen.globalAlpha = 0.75;
      pen.beginPath(); pen.arc(x, y, radius, 0, 7); pen.fill();
    });
    if (chosen === null) continue;
    const [x, y] = spot(panel, chosen);
    pen.globalAlpha = 1; pen.strokeStyle = getComputedStyle(document.body).color; pen.lineWidth = radius / 1.5;
    pen.beginPath(); pen.arc(x, y, 2.5 * radius, 0, 7); pen.stroke();
  }
}
function point(panel, event) {
  const rim = panel.canvas.getBoundingClientRect(), scale = panel.canvas.width / rim.width;
  const at = [(event.clientX - rim.left) * scale, (event.clientY - rim.top) * scale];
  let best = null, least = (12 * scale) ** 2;
  data.labels.forEach((label, i) => {
    if (!shown.has(label)) return;
    const [x, y] = spot(panel, i), far = (x - at[0]) ** 2 + (y - at[1]) ** 2;
    if (far < least) { least = far; best = i; }
  });
  draw(best);
  tip.style.display = best === null ? "none" : "block";
  if (best === null) return;
  tip.textContent = data.names[best] + " · " + data.classes.find(c => c.index === data.labels[best]).name;
  tip.style.left = event.clientX + 14 + "px"; tip.style.top = event.clientY + 10 + "px";
}
const boxes = data.classes.map(c => {
  const label = document.createElement("label"), box = document.createElement("input");
  const dot = document.createElement("i");
  box.type = "checkbox"; box.checked = true; dot.style.background = c.color;
  box.onchange = () => { box.checked ? shown.add(c.index) : shown.delete(c.index); draw(null); };
  label.append(box, dot, c.name + " (" + c.n + ")"); document.getElementById("classes").append(label);
  return box;
});
const set = on => boxes.forEach(box => { box.checked = on; box.onchange(); });
document.getElementById("all").onclick = () => set(true);
document.getElementById("none").onclick = () => set(false);
addEventListener("resize", () => draw(null)); draw(null);
"""


def write_map(path: Path, maps: Sequence[FeatureMap], data: LabelledClouds) -> None:
    """Write maps of the same clouds side by side: a PNG, or an HTML page with names and classes to switch.

    Raises:
        ShapeError: if the path ends in neither .png nor .html, or a map is of other clouds.
        MissingExtra: for a PNG without matplotlib.
    """
    writers = {".png": _write_png, ".html": _write_page}
    check_name(path)
    if not maps or any(len(m.places) != len(data) for m in maps):
        raise ShapeError(f"maps of these {len(data)} clouds are needed")
    with replacing(path) as temporary:
        writers[path.suffix.lower()](temporary, maps, data)


def check_name(path: Path) -> None:
    """Refuse a file that `write_map` cannot write.

    Raises:
        ShapeError: if the path ends in neither .png nor .html.
    """
    if path.suffix.lower() not in (".png", ".html"):
        raise ShapeError(f"a map is written to a .png or .html file, got {path.name!r}")


def _write_png(path: Path, maps: Sequence[FeatureMap], data: LabelledClouds) -> None:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("a map as PNG", "matplotlib", "research") from error
    figure = Figure(figsize=(INCHES * len(maps), INCHES + 1), layout="constrained")
    FigureCanvasAgg(figure)
    colors, classes = colors_of(len(data.classes)), present(data.labels, data.classes)
    for axes, found in zip(figure.subplots(1, len(maps), squeeze=False)[0], maps, strict=True):
        for c, name in classes:
            x, y = found.places[data.labels == c].T
            axes.scatter(x, y, s=8, color=[colors[c]], alpha=0.75, linewidths=0, label=name)
        axes.set_title(f"{found.title}\n{_figures(found)}", fontsize=10)
        axes.set(xticks=[], yticks=[], aspect="equal")
    if len(classes) <= MOST_NAMED:
        handles, names = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=5 * len(maps), fontsize=8, markerscale=2)
    # No date and no version: equal maps make equal files.
    figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})


def _write_page(path: Path, maps: Sequence[FeatureMap], data: LabelledClouds) -> None:
    colors, counts = colors_of(len(data.classes)), np.bincount(data.labels, minlength=len(data.classes))
    table = {
        "labels": data.labels.tolist(),
        "names": list(data.names),
        "classes": [
            {"index": c, "name": name, "color": _hex(colors[c]), "n": int(counts[c])}
            for c, name in present(data.labels, data.classes)
        ],
        "maps": [{"title": m.title, "figures": _figures(m), "places": _rounded(m)} for m in maps],
    }
    # In a script element only "</" can end it, and "<!--" can change how it is read.
    text = json.dumps(table, ensure_ascii=False).replace("<", "\\u003c")
    protocol = maps[0].protocol
    title = f"{data.path.name}, {data.split}"
    subtitle = f"{len(data)} clouds, {protocol['points']} points; {protocol['layout']}, seed {protocol['seed']}"
    page = PAGE.format(title=escape(title), subtitle=escape(subtitle), data=text, script=SCRIPT)
    path.write_text(page, encoding="utf-8", errors="replace")


def _figures(found: FeatureMap) -> str:
    return f"silhouette {found.silhouette:.3f}, nearest neighbours {100 * found.neighbors:.1f} %"


def _rounded(found: FeatureMap) -> list[list[float]]:
    return [[round(float(x), 4), round(float(y), 4)] for x, y in found.places]


def _hex(color: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * level):02x}" for level in color)

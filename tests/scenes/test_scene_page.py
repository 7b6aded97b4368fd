"""The script of a scene's page, run with a document and a WebGL that only note what is done to them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from box_rooms import furnished_room

from clip3d.models.model import Model
from clip3d.scenes.marks import marks_of_answers
from clip3d.scenes.scene import Scene
from clip3d.scenes.viewer import write_viewer

quickjs = pytest.importorskip("quickjs")

BROWSER = """
let done = [], made = 0;
const SIGNS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
function atob(text) {
  let out = '', held = 0, bits = 0;
  for (const sign of text.replace(/=+$/, '')) {
    held = (held << 6 | SIGNS.indexOf(sign)) & 0xffffff; bits += 6;
    if (bits >= 8) { bits -= 8; out += String.fromCharCode(held >> bits & 255); }
  }
  return out;
}
const webgl = new Proxy({}, { get: (_, name) => /^[A-Z_]+$/.test(name) ? name : (...given) => {
  if (name.startsWith('create')) return { number: made++ };
  if (name === 'bufferData') done.push([name, given[1].length]);
  else done.push([name, ...given.map(value => value instanceof Float32Array ? Array.from(value) : value)]);
  return name.startsWith('get') ? given[1] : undefined;
} });
function element(kind) {
  const held = { kind, checked: kind === 'boxes', value: '1.4', textContent: '', children: [], listeners: {} };
  held.style = { setProperty: (name, value) => { held[name] = value; } };
  held.append = child => held.children.push(child);
  held.addEventListener = (name, what) => { held.listeners[name] = what; };
  held.setPointerCapture = () => {};
  Object.assign(held, { clientWidth: 600, clientHeight: 400, width: 300, height: 150, getContext: () => webgl });
  return held;
}
const elements = {};
const document = { getElementById: name => elements[name] ??= element(name), createElement: element };
const window = { devicePixelRatio: 1 }, matchMedia = () => ({ matches: false }), addEventListener = () => {};
const buttons = () => elements.answers.children.map(item => item.children[0]);
function seen() { const told = JSON.stringify(done); done = []; return told; }
function click(number) { buttons()[number].onclick(); return seen(); }
function set(name, value) { Object.assign(elements[name], value); elements[name].oninput(); return seen(); }
function drag(x, y, buttons) {
  const at = (x, y) => ({ pointerId: 1, clientX: x, clientY: y, buttons, shiftKey: false });
  elements.view.onpointerdown(at(0, 0)); elements.view.onpointermove(at(x, y)); elements.view.onpointerup(at(x, y));
  return seen();
}
function wheel(delta) {
  elements.view.listeners.wheel({ deltaY: delta, preventDefault: () => {} });
  return seen();
}
"""


class Page:
    """A page whose script ran."""

    def __init__(self, text: str) -> None:
        script = text.split("<script>")[1].split("</script>")[0]
        self.data = json.loads(script.split("const scene = ")[1].split(";\nconst canvas")[0])
        self.context = quickjs.Context()
        self.context.eval(BROWSER)
        self.context.eval(script)
        self.first = Drawn(self.context.eval("seen()"))

    def do(self, call: str) -> Drawn:
        return Drawn(self.context.eval(call))


class Drawn:
    """What one drawing did."""

    def __init__(self, told: str) -> None:
        calls = json.loads(told)
        self.sizes = [call[1] for call in calls if call[0] == "bufferData"]
        self.drawn = [tuple(call[1:]) for call in calls if call[0] == "drawArrays"]
        self.view = np.array(next(call[3] for call in calls if call[0] == "uniformMatrix4fv")).reshape(4, 4).T
        self.line_colors = [call[2] for call in calls if call[0] == "uniform3fv"]
        last, self.point_colors = None, None
        for call in calls:
            last = call[2]["number"] if call[0] == "bindBuffer" else last
            if call[0] == "vertexAttribPointer" and call[1] == "color":
                self.point_colors = last

    def shown_at(self, place: list[float]) -> np.ndarray:
        """Where a place of the scene comes to lie, each of the three from -1 to 1 if it is in sight."""
        x = self.view @ [*place, 1.0]
        return x[:3] / x[3]


@pytest.fixture
def page(bundle: Path, tmp_path: Path) -> Page:
    scene = Scene.of(furnished_room(8000).cloud, Model(bundle))
    answers = [scene.ask(words, threshold=0.0, k=2) for words in ("green", "blue")]
    text = write_viewer(tmp_path / "a.html", scene, marks_of_answers(answers), "rooms").read_text()
    return Page(text)


def test_the_whole_scene_is_in_sight_with_all_boxes(page: Page):
    count = page.data["count"]
    assert count > 1000
    assert page.first.sizes[:3] == [3 * count] * 3
    boxes = len(page.data["answers"])
    assert page.first.drawn == [("POINTS", 0, count)] + [("LINES", 0, 24)] * boxes
    places = np.frombuffer(base64.b64decode(page.data["points"]), "<u2").reshape(-1, 3) * page.data["scale"]
    shown = np.array([page.first.shown_at(place) for place in (places + page.data["low"])[::50]])
    assert (abs(shown) < 1).all()


def test_the_scan_s_own_colours_take_the_place_of_the_answers(page: Page):
    own = page.do("set('own', { checked: true })")
    assert own.point_colors != page.first.point_colors
    assert page.do("set('own', { checked: false })").point_colors == page.first.point_colors
    assert page.do("set('boxes', { checked: false })").drawn == page.first.drawn[:1]


def test_an_answer_that_is_clicked_is_in_the_middle_alone_and_before_nothing(page: Page):
    answer, whole = page.data["answers"][1], page.first
    chosen = page.do("click(1)")
    assert chosen.drawn[1:] == [("LINES", 0, 24)]
    assert chosen.line_colors == [answer["color"]]
    assert chosen.shown_at(answer["center"])[:2] == pytest.approx([0, 0], abs=1e-4)
    edges = np.array(answer["edges"]).reshape(-1, 3)
    assert (np.abs([chosen.shown_at(corner) for corner in edges]) < 1).all()
    # The eye is where x and y vanish; halfway to it something would hide the answer, were it not cut away.
    eye = np.linalg.solve(chosen.view[[0, 1, 3], :3], -chosen.view[[0, 1, 3], 3])
    assert chosen.shown_at(list((eye + answer["center"]) / 2))[2] < -1
    assert page.do("click(1)").drawn == whole.drawn


def test_the_eye_turns_shifts_and_comes_near(page: Page):
    before = page.first.view
    center = [(low + high) / 2 for low, high in zip(*_bounds(page), strict=True)]
    turned = page.do("drag(100, 20, 1)")
    assert not np.allclose(turned.view, before)
    assert turned.shown_at(center)[:2] == pytest.approx([0, 0], abs=1e-3)
    assert page.do("drag(50, 0, 2)").shown_at(center)[0] > 0.05
    near, far = page.do("wheel(-300)"), page.do("wheel(600)")
    assert (far.view[3] @ [*center, 1]) > (near.view[3] @ [*center, 1])


def _bounds(page: Page) -> tuple[np.ndarray, np.ndarray]:
    places = np.frombuffer(base64.b64decode(page.data["points"]), "<u2").reshape(-1, 3) * page.data["scale"]
    return places.min(axis=0) + page.data["low"], places.max(axis=0) + page.data["low"]

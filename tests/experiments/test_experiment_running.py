"""What is there is measured, what lacks is named, what was measured is kept, and the report says all of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from clip3d.errors import DataError, ShapeError
from clip3d.experiments.catalogue import EXPERIMENTS, all_experiments, find_experiment
from clip3d.experiments.experiment import Bench, Experiment, Measured, Published, Row
from clip3d.experiments.needs import NEEDS
from clip3d.experiments.report import write_report
from clip3d.experiments.running import choose_rows, kept_runs, lookings, run_rows


class Counting:
    """Measures 10, 12, 14, ... by seed, and counts how often it is asked."""

    def __init__(self, broken: bool = False) -> None:
        self.asked: list[int] = []
        self.broken = broken

    def __call__(self, bench: Bench, seed: int) -> Measured:
        self.asked.append(seed)
        if self.broken:
            raise DataError("file.npz", "is damaged")
        told = {"split": "test", "seed": seed, "where": str(bench.steps)}
        return Measured(10.0 + 2 * seed, 7, told, also={"class mean": 20.0})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "modelnet10.npz").write_bytes(b"one")
    return Bench(tmp_path / "data", tmp_path / "weights", tmp_path / "out")


def experiment(*rows: Row) -> Experiment:
    return Experiment("trial", "a trial", "this project", "Nothing.", ("what",), lambda bench: list(rows))


def row(name: str, measure: Counting, **settings: object) -> Row:
    facts = {"needs": ("modelnet10",), "published": Published(9.0, 0.5), **settings}
    return Row(name, (name,), measure=measure, **facts)  # type: ignore[arg-type]


def test_rows_are_measured_over_seeds_and_kept_until_something_changes(bench: Bench) -> None:
    once, thrice = Counting(), Counting()
    trial = experiment(row("a/once", once), row("a/thrice", thrice, seeded=True))
    rows = choose_rows(trial, bench)
    results = run_rows(trial, bench, rows)
    assert [r.mean for r in results] == [10.0, 12.0]
    assert results[1].spread == pytest.approx(2.0)
    assert (once.asked, thrice.asked) == ([0], [0, 1, 2])
    again = run_rows(trial, bench, rows, seeds=4)
    assert (once.asked, thrice.asked, [r.kept for r in again]) == ([0], [0, 1, 2, 3], [1, 3])
    assert kept_runs(trial, bench, rows[1], 5) == 4
    (bench.data / "modelnet10.npz").write_bytes(b"other")
    run_rows(trial, bench, rows[:1])
    assert once.asked == [0, 0], "another file is measured anew"
    place = next((bench.out / "rows").glob("*once*"))
    place.write_text(place.read_text()[:-9])
    run_rows(trial, bench, rows[:1])
    assert once.asked == [0, 0, 0], "a damaged record is none"


def test_what_a_row_uses_and_the_device_decide_what_is_kept(bench: Bench) -> None:
    counted = Counting()
    (bench.data / "ShapeNet55-pictures").mkdir()
    recipes = bench.out.parent / "recipes"
    recipes.mkdir()
    (recipes / "teacher.toml").write_text("steps = 1")
    bench = replace(bench, recipes=recipes)
    trial = experiment(row("a", counted, uses=("shapenet55-pictures", "photos"), teacher_recipe="teacher.toml"))
    rows = choose_rows(trial, bench)
    for _ in range(2):
        assert not run_rows(trial, bench, rows)[0].lacking
    assert len(counted.asked) == 1
    (bench.data / "ShapeNet55-pictures" / "0.png").write_bytes(b"new")
    run_rows(trial, bench, rows)
    assert len(counted.asked) == 2
    (recipes / "teacher.toml").write_text("steps = 2")
    run_rows(trial, bench, rows)
    assert len(counted.asked) == 3
    run_rows(trial, replace(bench, device="cuda"), rows)
    assert len(counted.asked) == 4
    assert [need.name for need, _, _ in lookings(bench, rows)] == ["modelnet10", "shapenet55-pictures"]


def test_what_lacks_and_what_fails_does_not_end_the_others(bench: Bench) -> None:
    good, broken, never = Counting(), Counting(broken=True), Counting()
    trial = experiment(
        row("broken", broken), row("lacking", never, needs=("modelnet10", "slip")), row("good", good)
    )
    results = run_rows(trial, bench, choose_rows(trial, bench))
    assert [(r.mean, r.problem, [n.name for n in r.lacking]) for r in results] == [
        (None, "file.npz: is damaged", []),
        (None, "", ["slip"]),
        (10.0, "", []),
    ]
    assert never.asked == []
    with pytest.raises(DataError, match=r"lacks SLIP.*looked for as slip or slip_base_100ep.pt"):
        bench.path("slip")


def test_the_report_says_what_was_measured_how_and_what_lacks(bench: Bench) -> None:
    trial = experiment(row("a/b", Counting(), seeded=True), row("c", Counting(), needs=("slip",)))
    results = run_rows(trial, bench, choose_rows(trial, bench))
    write_report(trial, bench, results, "clip3d experiment trial")
    text = (bench.out / "report.md").read_text()
    assert "| a/b | 12.00 ± 2.00 (3 runs) | 9 ± 0.5 | +3.0 | 20.00 ± 0.00 | 7 |" in text
    assert "| c | lacks slip | 9 ± 0.5 |" in text
    assert f"`{bench.data / 'modelnet10.npz'}`" in text
    assert f"no; looked for `{bench.weights / 'slip'}`" in text
    assert "- split: test" in text
    assert "- seeds: 0, 1, 2" in text
    record = json.loads((bench.out / "report.json").read_text())
    assert [run["seed"] for run in record["rows"][0]["runs"]] == [0, 1, 2]
    assert {"clip3d", "python", "torch"} <= set(record["environment"])


def test_rows_are_chosen_by_pattern(bench: Bench) -> None:
    trial = experiment(row("a/b", Counting()), row("a/c", Counting()), row("d", Counting()))
    assert [r.name for r in choose_rows(trial, bench, ["a/*"])] == ["a/b", "a/c"]
    with pytest.raises(ShapeError, match="has no row 'e'; it has: a/b, a/c, d"):
        choose_rows(trial, bench, ["e"])
    many = experiment(*(row(f"set-{n}/mini", Counting()) for n in range(100)))
    with pytest.raises(ShapeError, match=r"of its 100 the nearest are: set-42/mini, .*; --dry-run") as told:
        choose_rows(many, bench, ["set-42/min"])
    assert len(str(told.value)) < 200


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_rows_with_names_of_their_own_and_known_needs(name: str, bench: Bench) -> None:
    found = find_experiment(name)
    rows = found.rows(bench)
    assert found.name == name
    assert rows or not found.source.startswith("CLIP goes 3D")
    assert len({r.name for r in rows}) == len(rows)
    for each in rows:
        assert len(each.cells) == len(found.columns)
        assert {*each.needs, *each.uses} <= set(NEEDS)


def test_an_unknown_experiment_is_answered_with_near_ones() -> None:
    with pytest.raises(ShapeError, match="cg3d-table1"):
        find_experiment("cg3d-tabel1")
    assert [each.name for each in all_experiments()] == list(EXPERIMENTS)

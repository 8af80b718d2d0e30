"""The bench's own arithmetic: ratios and bounds, its verdict, and what it writes into its README. Nothing is measured here."""

from __future__ import annotations

import json
from contextlib import contextmanager
from itertools import pairwise
from types import SimpleNamespace

import pytest

import bench.__main__ as bench_main
from bench import tell
from bench.drawing import APART, spread
from bench.growth import slopes
from bench.measuring import Figure, in_turns, table, told

HELD = Figure("page", 15, "ms", "20 ms", 20, 1)
MISSED = Figure("delete", 4, "ms", "bare UPDATE", 1, 3, why="Round trips.")


def test_a_ratio_is_value_by_yardstick_and_of_rates_the_other_way_round():
    assert (HELD.ratio, HELD.held) == (0.75, True)
    assert (MISSED.ratio, MISSED.held) == (4, False)
    fast = Figure("writes", 400, "/s", "300", 300, 1, more=True)
    slow = Figure("writes", 200, "/s", "300", 300, 1, more=True)
    assert (fast.ratio, fast.held) == (0.75, True)
    assert (slow.ratio, slow.held) == (1.5, False)


def test_works_are_run_in_turns():
    done = []
    taken = in_turns({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, times=3)
    assert done == ["a", "b", "a", "b", "a", "b"]
    assert taken.keys() == {"a", "b"}


def test_the_table_names_what_missed_and_why():
    lines = table([HELD.as_json(), MISSED.as_json()]).splitlines()
    assert lines[1].startswith("page / 20 ms")
    assert "MISSED" not in lines[1]
    assert lines[2].endswith("MISSED")
    assert lines[3] == "MISSED delete: Round trips."


@pytest.mark.parametrize(("value", "words"), [(0.01234, "0.0123 s"), (12.345, "12.3 s"), (12345.6, "12,346 s")])
def test_figures_have_three_digits(value, words):
    assert told(value, "s") == words


@pytest.fixture
def parts(monkeypatch, tmp_path):
    """Parts that measure nothing, and a folder for what is kept."""

    @contextmanager
    def company(engine, customers, orders, *, revenue_index=False):
        yield "sqlite://"

    monkeypatch.setattr(bench_main, "company", company)
    engine = SimpleNamespace(dispose=lambda: None)
    monkeypatch.setattr(bench_main, "attach", lambda settings: SimpleNamespace(engine=engine))
    monkeypatch.setattr(bench_main, "RESULTS", tmp_path / "bench" / "results")
    (tmp_path / "bench").mkdir()
    found = {"good": lambda measured: [HELD], "bad": lambda measured: [MISSED]}
    monkeypatch.setattr(bench_main, "STOCK", {"good": found["good"]})
    monkeypatch.setattr(bench_main, "PARTS", {"bad": found["bad"]})
    for name, value in {"CUSTOMERS": "20", "ORDERS": "200", "ENGINE": "mariadb", "ONLY": ""}.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "bench" / "results"


def test_a_missed_bound_ends_with_1_and_all_is_kept(parts, capsys):
    assert bench_main.main() == 1
    kept = json.loads((parts / "mariadb-20-200.json").read_text())
    assert [(f["part"], f["name"], f["held"]) for f in kept["figures"]] == [
        ("good", "page", True),
        ("bad", "delete", False),
    ]
    assert "MISSED delete: Round trips." in capsys.readouterr().out


def test_a_part_that_fails_is_told_and_the_others_are_kept(parts, monkeypatch, capsys):
    def fails(measured):
        raise RuntimeError("no server")

    monkeypatch.setattr(bench_main, "STOCK", {"broken": fails})
    monkeypatch.setattr(bench_main, "PARTS", {"good": lambda measured: [HELD]})
    assert bench_main.main() == 1
    assert "Not measured, for an error above: broken." in capsys.readouterr().out
    kept = json.loads((parts / "mariadb-20-200.json").read_text())
    assert ([f["name"] for f in kept["figures"]], kept["failed"]) == (["page"], ["broken"])
    assert "Not measured, because they failed: broken." in tell.section(kept)


def test_parts_alone_are_judged_and_not_kept(parts, monkeypatch):
    monkeypatch.setenv("ONLY", "good")
    assert bench_main.main() == 0
    assert not parts.exists()


def test_an_unknown_part_is_told(parts, monkeypatch, capsys):
    monkeypatch.setenv("ONLY", "speed")
    assert bench_main.main() == 2
    assert capsys.readouterr().out == "There is no part speed. These are: good, bad.\n"


def test_results_are_written_between_the_marks_and_nothing_else_is(parts, monkeypatch, tmp_path):
    bench_main.main()
    readme = tmp_path / "README.md"
    readme.write_text("Before.\n<!-- figures -->\nwhat was told before\n<!-- end of figures -->\nAfter.\n")
    monkeypatch.setattr(tell, "README", readme)
    monkeypatch.setattr("sys.argv", ["tell", str(parts / "mariadb-20-200.json")])
    assert tell.main() == 0
    text = readme.read_text()
    assert text.startswith("Before.\n<!-- figures -->\n\n### 20 customers, 200 orders on MariaDB 10.11\n")
    assert text.endswith("\n<!-- end of figures -->\nAfter.\n")
    assert "told before" not in text
    assert "| good | page | 15 ms | 20 ms | 20 ms | 0.75 | 1 |" in text
    assert "| bad | delete | 4 ms | bare UPDATE | 1 ms | **4.00** | 3 |" in text
    assert "- **delete** (4.00, bound 3). Round trips." in text


def test_the_readme_has_its_marks():
    assert tell.MARKED.search(tell.README.read_text())


def test_slopes_are_those_of_the_last_decade():
    sizes = {10: {"flat": 1.0, "linear": 1.0}, 100: {"flat": 2.0, "linear": 5.0}, 1000: {"flat": 2.0, "linear": 50.0}}
    assert slopes(sizes) == pytest.approx({"flat": 0, "linear": 1})


def test_labels_are_kept_apart_in_their_order():
    placed = spread([0.0, 0.01, 0.02, 2.0])
    assert all(above - below >= APART - 0.001 for below, above in pairwise(placed))
    assert placed[3] == 2.0

"""The table of goals: every row has a figure that names it, and says what stands between it and its goal."""

import inspect
import re
from pathlib import Path

import pytest

from backends.kinds import kind_names
from bench.__main__ import GROUPS, OF_THE_GOALS
from bench.goals import GOALS, rows_of
from bench.report import Figure

BENCH = Path(__file__).parent.parent / "bench"


def test_every_row_is_measured_by_a_bench_that_names_it():
    code = "".join(path.read_text() for path in BENCH.glob("*_bench.py"))
    for key in GOALS:
        row = re.sub(r"line_\d+", "line_", key)
        assert re.search(rf'(row=f?|, )"{row}', code), key


@pytest.mark.parametrize("is_met", [True, False])
def test_a_row_says_was_floor_now_ratio_and_goal_and_the_limit_where_that_is_missed(is_met: bool):
    figure = Figure(group="g", row="start", name="n", value=1.2, unit="s", floor=0.5, is_met=is_met)
    (row,) = rows_of([figure, Figure(group="g", name="of no row", value=1, unit="")])
    assert (row.floor, row.now, row.ratio, row.was) == ("0.5 s", "1.2 s", 2.4, GOALS["start"].was)
    assert row.limit == ("" if is_met else GOALS["start"].limit)


def test_of_several_figures_the_one_that_missed_is_shown_and_the_slowest_of_those():
    figures = [
        Figure(group="g", row="history", name=f"n{value}", value=value, unit="ms", is_met=value < 100)
        for value in (9.0, 400.0, 120.0)
    ]
    (row,) = rows_of(figures)
    assert (row.now, row.is_met) == ("400 ms", False)


def test_the_groups_of_the_goals_are_those_whose_benches_name_a_row():
    named = {group for group in GROUPS if any("row=" in inspect.getsource(inspect.getmodule(b)) for b in GROUPS[group])}
    assert set(OF_THE_GOALS) == named


def test_a_kind_that_only_the_bench_has_is_unknown_until_it_runs():
    assert "timed" not in kind_names()

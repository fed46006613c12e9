"""The table of goals: what was measured before, the yardstick of this run, now, and what stands before the goal.

A figure names its row. What is not met names the limit that is left, as profiles show it; their figures are in the
decisions named.
"""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.report import Figure

UNKNOWN = "not profiled yet"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A row before it is measured. `was`: on main of 28 November 2026, on a busy machine, beside the same yardstick."""

    measure: str
    was: str
    goal: str
    limit: str = UNKNOWN  # what is left where it is not met


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measured row."""

    key: str  # in `GOALS`
    measure: str
    was: str
    floor: str
    now: str
    ratio: float | None
    goal: str
    is_met: bool
    limit: str


LIMIT_START = "modules, 1 ms each: 17% byte code, 8% classes, 7% `dataclass`, 4% pydantic; half is the floor's (112)"
LIMIT_BURST = (
    "20 ms on the loop: 22% requests to the engine, 17% queue, 16% aiohttp, 12% sending, 8% cards; 4 SQLite (098)"
)
GOALS: dict[str, Goal] = {
    "first": Goal(measure="first start, 5 command writes per 20 s", was="82 s", goal="as a later start"),
    "start": Goal(measure="start to commands", was="1.6 s", goal="< 2 x floor", limit=LIMIT_START),
    "start_cpu": Goal(measure="the same, time on a processor", was="", goal="< 2 x floor", limit=LIMIT_START),
    "backlog": Goal(
        measure="the same with 100,000 in line, more",
        was="43 s",
        goal="+ 0.5 s",
        limit="6.2 µs a job: 39% SQLite, 19% places, 42% who waits and the fair order (110)",
    ),
    "rest": Goal(
        measure="memory at rest, without the web",
        was="98 MB",
        goal="≤ 75 MB",
        limit="own code 18 MB, pydantic, Pillow and SQLite 13 MB over the floor (112)",
    ),
    "rest_web": Goal(
        measure="memory at rest, with the web",
        was="106 MB",
        goal="≤ 85 MB",
        limit="as without it, and FastAPI with its routes 19 MB (090)",
    ),
    "backlog_memory": Goal(measure="memory of a waiting job", was="47 kB", goal="≤ 5 kB"),
    "burst": Goal(
        measure="burst: 40 jobs, instant engine, 1.5 MB", was="13/s", goal="≥ 0.9 x floor", limit=LIMIT_BURST
    ),
    "burst_cpu": Goal(measure="the same, processor per picture", was="40-60 ms", goal="≤ 25 ms", limit=LIMIT_BURST),
    "requests": Goal(measure="the same, requests at Discord per picture", was="4.1", goal="≤ 2.5"),
    "line_80": Goal(measure="engine busy over 80 ms, 50 Mbit/s", was="80-83%", goal="≥ 98%"),
    "line_200": Goal(measure="engine busy over 200 ms, 20 Mbit/s", was="60%", goal="≥ 97%"),
    "overhead": Goal(
        measure="overhead per picture, one user",
        was="0.067 s",
        goal="≤ 1.4 x floor",
        limit="four synced commits, 12 hand-overs to SQLite, a message and a question; the rest as a burst (111)",
    ),
    "history": Goal(measure="1,000,000 finished jobs: slowest question, p95", was="11.3 s", goal="< 100 ms"),
    "history_submit": Goal(measure="a job taken in meanwhile", was="3 s", goal="unchanged"),
    "disk": Goal(
        measure="burst on a disk of 30 ms, to a fast one",
        was="4.9/s",
        goal="≥ 0.8",
        limit="a start is synced before its job leaves: its commit and the rest of the one before, 50 ms (108)",
    ),
    "healthz": Goal(
        measure="GET /healthz, processor each",
        was="2.3 x floor, 691/s",
        goal="a third: ≤ 0.75 x floor",
        limit="half uvicorn's answering, a fifth reading HTTP, a tenth own layers (107)",
    ),
    "post": Goal(
        measure="POST text2img, processor each",
        was="2.7 x floor, 281/s",
        goal="a third: ≤ 0.9 x floor",
        limit="43% the request: 16% choosing an engine, 8% line and row; 30% FastAPI; each in many small steps (107)",
    ),
    "listeners": Goal(measure="1,000 listeners: the last hears of a job", was="", goal="≤ 3 s"),
}


def rows_of(figures: list[Figure]) -> list[Row]:
    """Return the rows whose figures were measured; of several for one row, the worst."""
    rows = []
    for key, goal in GOALS.items():
        own = [figure for figure in figures if figure.row == key]
        if not own:
            continue
        worst = max(own, key=lambda figure: (figure.is_met is False, figure.value))
        is_met = all(figure.is_met is not False for figure in own)
        rows.append(
            Row(
                key=key,
                measure=goal.measure,
                was=goal.was,
                floor="" if worst.floor is None else _amount(worst.floor, worst.unit),
                now=_amount(worst.value, worst.unit),
                ratio=worst.value / worst.floor if worst.floor else None,
                goal=goal.goal,
                is_met=is_met,
                limit="" if is_met else goal.limit,
            )
        )
    return rows


def show_goals(rows: list[Row]) -> None:
    table = Table(title="The goals", show_lines=True)
    for column in ("measure", "was", "floor", "now", "ratio", "goal", "met, or the limit left"):
        table.add_column(column)
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f} x"
        left = "✓" if row.is_met else f"✗ {row.limit}"
        table.add_row(row.measure, row.was, row.floor, row.now, ratio, row.goal, left)
    Console(width=170).print(table)


def _amount(value: float, unit: str) -> str:
    return f"{value:,.3g} {unit}".strip()

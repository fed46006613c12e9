"""`python -m bench.pages`: the figures of the last bench for people, in README.md and docs/speed.md.

README shows the rows that people feel, the page all of them with what stands before a goal that is not met.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from bench.goals import Row
from bench.report import LATEST

ROOT: Final = Path(__file__).resolve().parents[1]
IN_README: Final = (
    "start", "rest_web", "burst", "line_80", "line_200", "overhead", "history",
)  # fmt: skip
BEGIN, END = "<!-- goals, by python -m bench.pages -->\n", "\n## More"
PAGE: Final = """# How fast it is

One run of `make bench` on {machine}, Python {python}, load {load}, at {measured_at}.
*Bare bot* is the yardstick of the same run: fifteen lines that draw and answer, without a queue, a store or buttons;
for HTTP it is FastAPI with two routes and SQLite. *Was* is the version of 28 November 2026. What is left where a goal
is not met comes from profiles: [decision 098](decisions/098-what-is-left-to-the-goals.md).

{table}
"""


def markdown(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    return "".join(f"| {' | '.join(line)} |\n" for line in (header, ["---"] * len(header), *lines))


def in_readme(rows: Iterable[Row]) -> str:
    """Return the table of the rows that README shows."""
    known = {row.key: row for row in rows}
    lines = [(row.measure, row.now, row.floor, row.goal) for key in IN_README if (row := known.get(key))]
    return markdown(("measure", "Easel", "bare bot", "goal"), lines)


def page(report: dict[str, Any], rows: Iterable[Row]) -> str:
    """Return docs/speed.md."""
    lines = [
        (row.measure, row.was, row.floor, row.now, f"{row.ratio:.2f}" if row.ratio else "", row.goal, _met(row))
        for row in rows
    ]
    header = ("measure", "was", "bare bot", "now", "ratio", "goal", "met, or what is left")
    names = ("machine", "python", "measured_at")
    load = ", ".join(map(str, report["load"]))
    return PAGE.format(table=markdown(header, lines).rstrip(), load=load, **{name: report[name] for name in names})


def _met(row: Row) -> str:
    return "yes" if row.is_met else f"no: {row.limit}"


def read() -> tuple[dict[str, Any], list[Row]]:
    """Return the last report and its rows."""
    report = json.loads(LATEST.read_text(encoding="utf-8"))
    return report, [Row(**row) for row in report["goals"]]


def main() -> int:
    """Write both."""
    report, rows = read()
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    readme.write_text(f"{before}{BEGIN}{in_readme(rows)}{END}{after}", encoding="utf-8")
    (ROOT / "docs" / "speed.md").write_text(page(report, rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A figure with its target, and the table and file they end up in."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from bench.goals import Row

LATEST = Path(__file__).parent / "latest.json"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured value. `target` is in words; `is_met` is None where there is no target, only a yardstick."""

    group: str
    name: str
    value: float
    unit: str
    target: str = ""
    is_met: bool | None = None
    beside: str = ""  # the yardstick, measured in the same run
    row: str = ""  # of the table of goals (`bench.goals`) that this is the figure of
    floor: float | None = None  # what a bot of fifteen lines needs for the same, in the same unit and run


def show(figures: list[Figure]) -> None:
    table = Table(title="Easel, measured")
    for column in ("what", "value", "target", "", "beside"):
        table.add_column(column)
    group = ""
    for figure in figures:
        if figure.group != group:
            group = figure.group
            table.add_section()
            table.add_row(f"[bold]{group}[/bold]")
        mark = {True: "✓", False: "✗", None: ""}[figure.is_met]
        table.add_row(figure.name, f"{figure.value:,.4g} {figure.unit}", figure.target, mark, figure.beside)
    Console(width=150).print(table)


def save(figures: list[Figure], rows: Sequence["Row"] = (), path: Path = LATEST) -> None:
    """Write all figures, replacing those of the groups that were measured now and keeping the others.

    The rows of the table of goals are those of this run alone: a ratio of two runs says nothing.
    """
    measured = {figure.group for figure in figures}
    kept = []
    if path.exists():
        kept = [old for old in json.loads(path.read_text())["figures"] if old["group"] not in measured]
    values = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load": [round(load, 1) for load in os.getloadavg()],  # at the end; ours is a part of it
        "goals": [asdict(row) for row in rows],
        "figures": kept + [asdict(figure) for figure in figures],
    }
    path.write_text(json.dumps(values, indent=1) + "\n")

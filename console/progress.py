"""Show the progress of a job: a bar on a terminal, a few plain lines elsewhere, nothing when that is wanted."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from console.text import tell
from generation.job import Job, JobStatus, JobView
from texts.text import _
from utils.text import duration, ordinal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

QUARTER: Final = 0.25  # plain lines come at most at each quarter


class Display(Protocol):
    """Shows one job after the other."""

    def begin(self, job: Job) -> None: ...

    def update(self, view: JobView) -> None: ...


@contextmanager
def display(*, is_quiet: bool) -> Iterator[Display]:
    """Choose what fits stderr, since stdout is for results."""
    if is_quiet:
        yield Silence()
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        with _progress() as progress:
            yield Bar(progress)


def _progress() -> "Progress":
    from rich.console import Console  # only here: it is for terminals, and takes a while to load
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)


class Silence:
    """Shows nothing."""

    def begin(self, job: Job) -> None:
        pass

    def update(self, view: JobView) -> None:
        pass


class Lines:
    """A line at each change of state and each quarter."""

    def __init__(self) -> None:
        self._said = ""
        self._next = QUARTER

    def begin(self, job: Job) -> None:
        self._said, self._next = "", QUARTER

    def update(self, view: JobView) -> None:
        fraction = view.progress.fraction if view.progress else 0.0
        state = _state(view, with_step=False)
        if view.job.is_terminal:
            return
        if fraction >= self._next:
            self._next = (fraction // QUARTER + 1) * QUARTER
            tell(f"{state} {fraction:.0%}")
        elif state != self._said:
            tell(state)
        self._said = state


class Bar:
    """A bar for each job."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._task: TaskID  # of the job that began last

    def begin(self, job: Job) -> None:
        self._task = self._progress.add_task("queued", total=1.0)

    def update(self, view: JobView) -> None:
        fraction = view.progress.fraction if view.progress else 0.0
        done = 1.0 if view.job.status is JobStatus.DONE else fraction
        self._progress.update(self._task, description=_state(view, with_step=True), completed=done)


def _state(view: JobView, *, with_step: bool) -> str:
    if view.away:
        return _(
            "engine not answering ({reason}); waiting up to {patience}",
            reason=view.away.reason,
            patience=duration(view.away.patience_s),
        )
    if view.job.status is JobStatus.QUEUED:
        place = _(", {ordinal} in line", ordinal=ordinal(view.position)) if view.position and view.position > 1 else ""
        wait = _(", about {eta}", eta=duration(view.eta_s)) if view.eta_s and view.eta_s >= 1 else ""
        return _("queued{place}{wait}", place=place, wait=wait) if with_step else _("queued")
    if view.job.status is not JobStatus.RUNNING:
        return view.job.status.value
    progress = view.progress
    if progress and progress.note:
        return progress.note
    step = (
        _(" step {step}/{steps}", step=progress.step, steps=progress.steps)
        if with_step and progress and progress.steps
        else ""
    )
    return _("drawing{step}", step=step)

"""Figures for the dashboard, `/cost` and `/metrics`, as plain values. They count private jobs too, without content.

dashboard(person, *, days=7) -> Dashboard                admins see everybody, others their own
hours(count=24) -> list[Hour]
costs(person, *, days=30, user_key=None) -> list[DailyCost]   newest day first; admins see everybody
spent_today(user_key=None) -> float                      metrics() -> Metrics
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from generation.errors import NotAllowed, RequestRejected
from generation.job import Job, JobStatus
from generation.person import Person
from generation.policy import whose_figures
from lazy import dataclass
from store.jobs import JobStore
from store.statistics import DailyCost as DailyCost
from store.statistics import Failures as Failures
from store.statistics import Figures as Figures
from store.statistics import Hour as Hour
from store.statistics import StatisticsStore
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

MAX_DAYS: Final = 3660
MAX_HOURS: Final = 24 * 7
MAX_COST_ROWS: Final = 5000
MAX_FAILURES: Final = 20
LOGGED_PROMPT_CHARS: Final = 100


@dataclass(frozen=True, kw_only=True)
class EngineFigures:
    """One engine's figures and its name as people know it."""

    lane: str
    label: str
    figures: Figures
    p95_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """The figures of some days for one reader: everybody's for an admin, else the reader's own."""

    totals: Figures
    hours: tuple[Hour, ...]  # of the same days, at most a week of them
    engines: tuple[EngineFigures, ...]
    costs: tuple[DailyCost, ...]
    failures: tuple[Failures, ...]
    names: Mapping[str, str]  # of people, by their keys
    users_today: int


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Sums since the beginning for counters, and present values for gauges."""

    engines: tuple[EngineFigures, ...]
    jobs: Mapping[JobStatus, int]
    generations_this_hour: int
    failed_this_hour: int
    cost_today_usd: float
    users_today: int


class StatisticsService:
    """Reads only. Days are UTC."""

    def __init__(
        self,
        *,
        store: StatisticsStore,
        jobs: JobStore,
        clock: Clock,
        label_of: Callable[[str], str] = lambda lane: lane,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._label_of = label_of

    async def dashboard(self, person: Person, *, days: int = 7) -> Dashboard:
        """Return the figures of the last days; `days` counts today."""
        since, user_key = self._day(days), whose_figures(person)
        midnight = datetime.fromisoformat(f"{since}T00:00:00+00:00")
        hours = min(days * 24, MAX_HOURS)
        costs = await self.costs(person, days=days)
        return Dashboard(
            totals=await self._store.totals(since, user_key=user_key),
            hours=tuple(await self._store.hours(self._clock.now(), hours, user_key=user_key)),
            engines=await self._engines(since, user_key, await self._store.p95(midnight, user_key=user_key)),
            costs=tuple(costs),
            failures=tuple(await self._store.failures(midnight, user_key=user_key, limit=MAX_FAILURES)),
            names=await self._store.names({cost.user_key for cost in costs}),
            users_today=await self._store.users(self._day(1)) if person.is_admin else 1,
        )

    async def hours(self, count: int = 24) -> list[Hour]:
        """Return the jobs that ended in each of the last hours, oldest first, the present hour last."""
        if not 1 <= count <= MAX_HOURS:
            raise RequestRejected(
                _("Ask for 1 to {most} hours, not {count}.", most=MAX_HOURS, count=count), field="hours"
            )
        return await self._store.hours(self._clock.now(), count)

    async def costs(self, person: Person, *, days: int = 30, user_key: str | None = None) -> list[DailyCost]:
        """Return what each person, day and engine cost, newest day first; of others only to admins.

        Raises:
            NotAllowed: somebody else's costs were asked for.
        """
        whose = whose_figures(person)
        if whose is not None:
            if user_key not in (None, whose):
                raise NotAllowed(_("Only admins may see what others spent."))
            user_key = whose
        return await self._store.costs(self._day(days), user_key=user_key, limit=MAX_COST_ROWS)

    async def spent_today(self, user_key: str | None = None) -> float:
        """Return the USD that ended jobs have cost today, of one person or of all."""
        return await self._store.spent(self._day(1), user_key=user_key)

    async def metrics(self) -> Metrics:
        """Return what `/metrics` shows."""
        hour = (await self.hours(1))[0]
        today = self._day(1)
        return Metrics(
            engines=await self._engines(""),
            jobs=await self._jobs.count_by_status(),
            generations_this_hour=hour.generations,
            failed_this_hour=hour.failed,
            cost_today_usd=await self._store.spent(today),
            users_today=await self._store.users(today),
        )

    async def _engines(
        self, since: str, user_key: str | None = None, p95: Mapping[str, float] | None = None
    ) -> tuple[EngineFigures, ...]:
        figures = await self._store.engines(since, user_key=user_key)
        return tuple(
            EngineFigures(lane=lane, label=self._label_of(lane), figures=item, p95_seconds=(p95 or {}).get(lane))
            for lane, item in figures.items()
        )

    def _day(self, days: int) -> str:
        if not 1 <= days <= MAX_DAYS:
            raise RequestRejected(_("Ask for 1 to {most} days, not {days}.", most=MAX_DAYS, days=days), field="days")
        return f"{self._clock.now() - timedelta(days=days - 1):%Y-%m-%d}"


def log_picture(job: Job) -> None:
    """Log one line for each picture job that is done, in the fields that log searches expect; hook into `on_change`.

    A private job's prompt is nobody's business.
    """
    if job.status is not JobStatus.DONE or job.result is None:
        return
    prompt = "(private)" if job.origin.private else job.request.prompt[:LOGGED_PROMPT_CHARS]
    fields = {
        "action": "image_generated",
        "job": job.id,
        "userId": job.user_key,
        "provider": job.lane,
        "prompt": prompt,
        "generationTime": round(job.result.seconds, 2),
        "cost": job.result.cost_usd,
    }
    log.info("Image generated successfully", extra=fields)

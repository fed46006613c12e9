"""Warnings to the owner: many errors, slow pictures, the day's budget, a key that an engine refuses, misuse.

Fed by the queue (`on_change`) and the registry; each kind fires once per engine and cooldown. The last hundred are kept
for the dashboard; `on_alert` takes them elsewhere. Engines that people brought themselves are their own affair.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Literal

from backends.registry import EASEL, BackendRegistry
from generation.errors import BackendAuthError, ContentBlocked, HouseRefusal, RequestRejected
from generation.house import HouseRule
from generation.job import Job, JobStatus, Origin
from generation.money import Budget, BudgetScope, dollars
from lazy import dataclass
from services.reports.statistics import StatisticsService
from settings.alerts import AlertSettings
from texts.text import _, _n
from utils.clock import Clock

log = logging.getLogger(__name__)

WINDOW_S: Final = 900.0
LEAST_JOBS: Final = 20  # fewer are no rate
KEPT_ALERTS: Final = 100
MOST_COUNTED: Final = 1000  # refusals of one person
PEOPLE_S_FAULTS: Final = (ContentBlocked.code, RequestRejected.code)  # the prompt was wrong, not an engine

AlertKind = Literal["error_rate", "slow", "budget", "key_refused", "advice", "misuse"]


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One warning. `lane` is the engine it is about, "" = all, for misuse the person; `value` went over `limit`."""

    kind: AlertKind
    lane: str
    message: str
    value: float = 0.0
    limit: float = 0.0
    at: datetime

    @property
    def engine(self) -> str:
        return "" if self.kind == "misuse" else self.lane


class AlertService:
    """Hook `on_change` into the queue and run `run` as one task."""

    def __init__(
        self,
        *,
        registry: BackendRegistry,
        statistics: StatisticsService,
        clock: Clock,
        limits: AlertSettings | None = None,
        budget_usd: float = 0.0,
    ) -> None:
        self._registry = registry
        self._statistics = statistics
        self._clock = clock
        self.limits = limits or AlertSettings()
        self.budget_usd = budget_usd  # of a day; 0: there is none
        self._ends: deque[tuple[float, bool]] = deque()  # when a job ended, and whether in an error
        self._fired: dict[tuple[AlertKind, str], float] = {}
        self._kept: deque[Alert] = deque(maxlen=KEPT_ALERTS)
        self._untold: deque[Alert] = deque()
        self._refused: dict[str, deque[float]] = {}  # when the house rules refused something, by person
        self.refusals: Counter[str] = Counter()  # since the start, by rule
        self._is_budget_due = False
        self._bell = asyncio.Event()
        self.on_alert: list[Callable[[Alert], Awaitable[None]]] = []
        registry.on_change.append(self._engine_changed)

    def recent(self) -> list[Alert]:
        """Return the last alerts of this process, newest first."""
        return [*reversed(self._kept)]

    def on_change(self, job: Job) -> None:
        """Look at a job that has changed."""
        if job.status not in (JobStatus.DONE, JobStatus.FAILED) or not self._is_ours(job.lane):
            return
        if job.status is JobStatus.FAILED:
            self._look_at_failure(job)
        elif job.result:
            self._look_at_result(job)

    async def run(self) -> None:
        """Pass alerts on until cancelled; a listener that fails does not keep them from the others."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            if self._is_budget_due:
                self._is_budget_due = False
                await self._check_budget()
            while self._untold:
                alert = self._untold.popleft()
                for tell in self.on_alert:
                    try:
                        await tell(alert)
                    except Exception:
                        log.exception("an alert could not be passed on", extra={"action": "alert", "kind": alert.kind})

    def _look_at_result(self, job: Job) -> None:
        assert job.result, "only done jobs come here"
        seconds, limit = job.result.seconds, self.limits.slow_s
        if 0 < limit < seconds:
            label = self._registry.label(job.lane)
            message = _(
                "{label} took {seconds:.0f} s for a picture; more than {limit:g} s is slow.",
                label=label,
                seconds=seconds,
                limit=limit,
            )
            self._fire("slow", job.lane, message, value=seconds, limit=limit)
        if job.result.cost_usd > 0 and self.budget_usd > 0:
            self._is_budget_due = True
            self._bell.set()
        self._count(is_error=False)

    def _look_at_failure(self, job: Job) -> None:
        code = job.error.code if job.error else ""
        if code == BackendAuthError.code:
            self._key_refused(job.lane)
        if job.error and job.error.owner_hint:  # what people read of the failure does not say it
            label, hint = self._registry.label(job.lane), job.error.owner_hint
            message = _("{label}: {error} {hint}", label=label, error=job.error.user_message, hint=hint)
            self._fire("advice", job.lane, message)
        if code not in PEOPLE_S_FAULTS:
            self._count(is_error=True)

    def _count(self, *, is_error: bool) -> None:
        now, limit = self._clock.monotonic(), self.limits.error_rate
        self._ends.append((now, is_error))
        while self._ends[0][0] <= now - WINDOW_S:
            self._ends.popleft()
        errors, ended = sum(is_bad for __, is_bad in self._ends), len(self._ends)
        if ended >= LEAST_JOBS and 0 < limit < errors / ended:
            message = _(
                "{errors} of the last {ended} pictures failed ({share:.0%}, in {window_s:.0f} min); "
                "more than {limit:.0%} is too many.",
                errors=errors,
                ended=ended,
                share=errors / ended,
                window_s=WINDOW_S / 60,
                limit=limit,
            )
            self._fire("error_rate", "", message, value=errors / ended, limit=limit)

    async def _check_budget(self) -> None:
        try:
            spent, limit = await self._statistics.spent_today(), self.budget_usd
        except Exception:  # the next picture that costs asks again
            log.exception("could not ask what was spent", extra={"action": "alert", "kind": "budget"})
            return
        if spent > limit:
            message = _(
                "Today's pictures cost ${spent:.2f}; the daily budget is ${limit:.2f}.", spent=spent, limit=limit
            )
            self._fire("budget", "", message, value=spent, limit=limit)

    def budget_refused(self, budget: Budget, usd: float) -> None:
        """Take in that something was not drawn because the money of the day does not suffice; hook into the budgets."""
        if budget.scope is BudgetScope.EVERYBODY:
            message = _(
                "The daily budget is used up: {used} of {most} are spent or reserved, and a request for about {usd} "
                "was refused.",
                used=dollars(budget.used_usd),
                most=dollars(budget.most_usd),
                usd=dollars(usd),
            )
            self._fire("budget", "", message, value=budget.used_usd, limit=budget.most_usd)

    def house_refused(self, origin: Origin, refusal: HouseRefusal) -> None:
        """Take in that a request was refused for what it would draw; hook into the gate.

        Once may be a slip. Many are somebody who tries what passes; sexual pictures of minors are told of at once.
        """
        self.refusals[refusal.rule] += 1
        now, limit = self._clock.monotonic(), self.limits.refusals
        if not limit:
            return
        self._refused = {key: times for key, times in self._refused.items() if times[-1] > now - WINDOW_S}
        times = self._refused.setdefault(origin.user_key, deque(maxlen=MOST_COUNTED))
        times.append(now)
        count = sum(at > now - WINDOW_S for at in times)
        if count >= limit or refusal.rule == HouseRule.MINORS:
            message = _n(
                "{who} ({key}) was refused a request by the house rules: {reason} `/ban` keeps somebody from asking.",
                "{who} ({key}) was refused {count} requests by the house rules in {minutes:.0f} minutes, the last one: "
                "{reason} `/ban` keeps somebody from asking.",
                count=count, who=origin.user_name or _("Somebody"), key=origin.user_key, minutes=WINDOW_S / 60,
                reason=refusal.user_message,
            )  # fmt: skip
            self._fire("misuse", origin.user_key, message, value=count, limit=limit)

    def _engine_changed(self, name: str) -> None:
        entry = self._registry.get(name)
        if entry and isinstance(entry.error, BackendAuthError) and self._is_ours(name):
            self._key_refused(name)

    def _key_refused(self, lane: str) -> None:
        label = self._registry.label(lane)
        self._fire("key_refused", lane, _("{label} refuses its key (401 or 403). Check the key in .env.", label=label))

    def _is_ours(self, lane: str) -> bool:
        entry = self._registry.get(lane)
        return entry is None or entry.owner == EASEL

    def _fire(self, kind: AlertKind, lane: str, message: str, *, value: float = 0.0, limit: float = 0.0) -> None:
        now = self._clock.monotonic()
        if now - self._fired.get((kind, lane), float("-inf")) < self.limits.cooldown_s:
            return
        self._fired[kind, lane] = now
        alert = Alert(kind=kind, lane=lane, message=message, value=value, limit=limit, at=self._clock.now())
        log.warning("alert: %s", message, extra={"action": "alert", "kind": kind, "backend": lane})
        self._kept.append(alert)
        self._untold.append(alert)
        self._bell.set()

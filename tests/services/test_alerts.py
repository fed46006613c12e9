"""Each kind of trouble is told once in its time, to everybody who listens, and to nobody when there is none."""

import asyncio
from dataclasses import replace

import pytest

from backends.base import BackendConfig
from backends.registry import BackendRegistry, Entry, Owner
from generation.errors import BackendAuthError, BackendUnavailable, HouseRefusal
from generation.house import HouseRule
from generation.job import JobError, JobStatus, Origin
from generation.money import Budget, BudgetScope
from generation.result import JobResult
from services.reports.alerts import WINDOW_S, AlertService
from settings.alerts import AlertSettings
from tests.fakes import FakeBackend, settle
from tests.jobs import make_job

LIMITS = AlertSettings()


class FakeStatistics:
    """The spending of today, as the test sets it."""

    def __init__(self):
        self.spent = 0.0
        self.error = None
        self.asked = 0

    async def spent_today(self, user_key=None):
        self.asked += 1
        if self.error:
            raise self.error
        return self.spent


@pytest.fixture
def statistics():
    return FakeStatistics()


@pytest.fixture
def registry(clock):
    registry = BackendRegistry(clock)
    for name, owner in (("gpu", Owner()), ("mine", Owner(kind="user", id="7"))):
        config = BackendConfig(name=name, kind="fake", label=f"The {name}")
        registry.add(Entry(config=config, backend=FakeBackend(name), owner=owner))
    return registry


@pytest.fixture
async def alerts(registry, statistics, clock):
    service = AlertService(registry=registry, statistics=statistics, clock=clock, limits=LIMITS, budget_usd=1.0)
    task = asyncio.create_task(service.run())
    yield service
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def done(lane="gpu", **values):
    result = JobResult(**({"images": (), "backend": lane, "seconds": 10.0} | values))
    return make_job(lane=lane, status=JobStatus.DONE, result=result)


def failed(lane="gpu", code="backend_unavailable"):
    return make_job(lane=lane, status=JobStatus.FAILED, error=JobError(code=code, user_message="No."))


def kinds(alerts):
    return [(alert.kind, alert.lane) for alert in alerts.recent()]


async def test_more_than_one_failure_in_twenty_is_told_once(alerts, clock):
    for _ in range(19):
        alerts.on_change(done())
    alerts.on_change(failed())
    assert kinds(alerts) == [], "one in twenty is 5 %, not more"
    alerts.on_change(failed())
    alerts.on_change(failed())
    (alert,) = alerts.recent()
    assert (alert.kind, alert.limit, alert.at) == ("error_rate", 0.05, clock.now())
    assert alert.message == "2 of the last 21 pictures failed (10%, in 15 min); more than 5% is too many."


async def test_a_few_failures_are_no_rate_and_old_ones_are_forgotten(alerts, clock):
    for _ in range(19):
        alerts.on_change(failed())
    assert kinds(alerts) == []
    await clock.advance(WINDOW_S)
    for _ in range(20):
        alerts.on_change(done())
    assert kinds(alerts) == []


async def test_prompts_that_cannot_be_drawn_are_no_failures_of_engines(alerts):
    for code in ("content_blocked", "request_rejected") * 15:
        alerts.on_change(failed(code=code))
    assert kinds(alerts) == []


@pytest.mark.parametrize(("seconds", "reported"), [(60.0, []), (61.0, [("slow", "gpu")])])
async def test_a_picture_of_more_than_a_minute_is_slow(alerts, seconds, reported):
    alerts.on_change(done(seconds=seconds))
    assert kinds(alerts) == reported


async def test_the_same_trouble_is_told_again_only_after_the_cooldown(alerts, clock):
    for wait_s in (0, LIMITS.cooldown_s - 1, 1):
        await clock.advance(wait_s)
        alerts.on_change(done(seconds=99))
        alerts.on_change(done(lane="other", seconds=99))
    assert kinds(alerts) == [("slow", "other"), ("slow", "gpu")] * 2


async def test_the_days_budget_is_asked_for_when_something_cost(alerts, statistics):
    alerts.on_change(done())
    await settle()
    assert statistics.asked == 0
    statistics.spent = 1.0
    alerts.on_change(done(cost_usd=0.5))
    await settle()
    assert kinds(alerts) == []
    statistics.spent = 1.25
    for _ in range(3):
        alerts.on_change(done(cost_usd=0.25))
        await settle()
    (alert,) = alerts.recent()
    assert (alert.kind, alert.value, alert.limit) == ("budget", 1.25, 1.0)
    assert alert.message == "Today's pictures cost $1.25; the daily budget is $1.00."


async def test_without_a_budget_nothing_is_asked(registry, statistics, clock):
    service = AlertService(registry=registry, statistics=statistics, clock=clock, limits=AlertSettings())
    service.on_change(done(cost_usd=500.0))
    assert not service._bell.is_set()


async def test_a_store_that_fails_does_not_end_the_watch(alerts, statistics, caplog):
    statistics.error = RuntimeError("disk")
    alerts.on_change(done(cost_usd=2.0))
    await settle()
    assert "could not ask what was spent" in caplog.text
    statistics.error, statistics.spent = None, 2.0
    alerts.on_change(done(cost_usd=2.0))
    await settle()
    assert kinds(alerts) == [("budget", "")]


async def test_a_refused_key_is_told_once_however_it_was_found(alerts, registry):
    registry.mark_down("gpu", BackendUnavailable())
    assert kinds(alerts) == []
    registry.mark_down("gpu", BackendAuthError(detail="401 key sk-123"))
    alerts.on_change(failed(code="backend_auth"))
    (alert,) = alerts.recent()
    assert (alert.kind, alert.message) == (
        "key_refused",
        "The gpu refuses its key (401 or 403). Check the key in .env.",
    )


async def test_engines_that_people_brought_are_their_own_affair(alerts, registry):
    registry.mark_down("mine", BackendAuthError())
    alerts.on_change(done(lane="mine", seconds=500))
    for _ in range(30):
        alerts.on_change(failed(lane="mine", code="backend_auth"))
    assert kinds(alerts) == []


async def test_what_has_not_ended_is_no_trouble(alerts):
    for status in (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELLED, JobStatus.EXPIRED):
        alerts.on_change(replace(failed(code="backend_auth"), status=status))
    assert kinds(alerts) == []


async def test_every_listener_is_told_although_one_fails(alerts, caplog):
    reported = []

    async def fail(alert):
        raise RuntimeError("the webhook is gone")

    async def listen(alert):
        reported.append(alert)

    alerts.on_alert += [fail, listen]
    alerts.on_change(done(seconds=99))
    alerts.on_change(done(lane="other", seconds=99))
    await settle()
    assert reported == [*reversed(alerts.recent())]
    assert "could not be passed on" in caplog.text


async def test_the_last_hundred_are_kept(alerts):
    for number in range(101):
        alerts.on_change(done(lane=f"gpu{number}", seconds=99))
    assert len(alerts.recent()) == 100
    assert alerts.recent()[0].lane == "gpu100"


@pytest.mark.parametrize("limits", [AlertSettings(error_percent=0, slow_s=0)])
async def test_zero_switches_a_warning_off(registry, statistics, clock, limits):
    service = AlertService(registry=registry, statistics=statistics, clock=clock, limits=limits)
    for job in [failed()] * 30 + [done(seconds=999)]:
        service.on_change(job)
    assert service.recent() == []


async def test_a_budget_that_refuses_is_told_once(alerts, clock):
    budget = Budget(scope=BudgetScope.EVERYBODY, most_usd=1.0, used_usd=0.98, resets_at=clock.now())
    for _ in range(3):
        alerts.budget_refused(budget, 0.04)
        alerts.budget_refused(replace(budget, scope=BudgetScope.PERSON), 0.04)
    (alert,) = alerts.recent()
    assert (alert.kind, alert.value, alert.limit) == ("budget", 0.98, 1.0)
    assert alert.message == (
        "The daily budget is used up: $0.98 of $1.00 are spent or reserved, and a request for about $0.04 was refused."
    )


MIA = Origin(door="discord", user_id="7", user_name="Mia", guild_id="1")
WORDS = HouseRefusal("“gore” is not drawn here.", rule=HouseRule.WORDS)


async def test_who_tries_again_and_again_what_is_not_drawn_is_told_once(alerts, clock):
    for _ in range(LIMITS.refusals - 1):
        alerts.house_refused(MIA, WORDS)
    alerts.house_refused(replace(MIA, user_id="8"), WORDS)
    assert kinds(alerts) == []
    for _ in range(5):
        alerts.house_refused(MIA, WORDS)
    (alert,) = alerts.recent()
    assert (alert.kind, alert.lane, alert.value) == ("misuse", "discord:7", LIMITS.refusals)
    assert alert.message == (
        "Mia (discord:7) was refused 10 requests by the house rules in 15 minutes, the last one: “gore” is not drawn "
        "here. `/ban` keeps somebody from asking."
    )
    assert alerts.refusals["words"] == LIMITS.refusals + 5


async def test_a_slip_now_and_then_is_no_misuse_but_pictures_of_minors_are_told_at_once(alerts, clock):
    for _ in range(3 * LIMITS.refusals):
        alerts.house_refused(MIA, WORDS)
        await clock.advance(WINDOW_S / (LIMITS.refusals - 1) + 1)
    assert kinds(alerts) == []
    alerts.house_refused(MIA, HouseRefusal("Sexual pictures of minors are never drawn.", rule=HouseRule.MINORS))
    assert kinds(alerts) == [("misuse", "discord:7")]

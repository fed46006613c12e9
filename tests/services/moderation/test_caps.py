"""No number of requests at the same moment is more than a cap allows; what fails is given back; days begin in UTC."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.caps import NAMES, Cap, CapKind, Limits, OverCap
from generation.errors import GenerationError, LimitReached, NotAllowed, RequestRejected
from generation.job import JobStatus, Origin
from generation.person import Person
from generation.request import Draft, Priority
from services.drawing.generation import GenerationService
from services.moderation.audit import AuditService
from services.moderation.caps import CapService
from services.moderation.homes import Homes
from services.moderation.rights import Rights
from store.audit import AuditStore
from store.caps import CapStore
from store.preferences import PreferenceStore
from tests.fakes import FakeBackend
from tests.queue_rig import Rig, queue_rig

MIA = Origin(door="discord", user_id="5", guild_id="1", places=("9",), roles=("2",))
CHIEF = Person(user_key="discord:1", guild_id="1", is_manager=True)


class Pictures:
    """No picture is read, kept or found here."""

    async def recall(self, *_: object) -> None:
        return None


@dataclass
class House:
    rig: Rig
    service: GenerationService
    caps: CapService

    async def limit(self, target: str = "1", **limits: float) -> None:
        await self.caps.change(CHIEF, CapKind.ROLE, target, "Fans", limits)

    async def ask(self, origin: Origin = MIA, **reply: object) -> str:
        return (await self.service.submit(Draft(prompt="a fox", **reply), origin)).job.id  # type: ignore[arg-type]

    async def used(self) -> int:
        return (await self.caps.quota(MIA)).used


@asynccontextmanager
async def opened(*, concurrency: int = 1, **limits: object) -> AsyncIterator[House]:
    values: dict[str, object] = {"max_waiting_per_user": 1000, "max_running_per_user": 1000} | limits
    async with queue_rig(FakeBackend("gpu", hold=True), concurrency=concurrency, cooldown_s=0, **values) as rig:
        rights, homes = Rights(["7"]), Homes(["1"])
        audit = AuditService(AuditStore(rig.database), rights, rig.clock, ttl_s=86400.0)
        caps = CapService(CapStore(rig.database), homes=homes, rights=rights, audit=audit, clock=rig.clock)
        service = GenerationService(
            queue=rig.queue, jobs=rig.jobs, registry=rig.registry, media=Pictures(),  # type: ignore[arg-type]
            preferences=PreferenceStore(rig.database), clock=rig.clock, caps=caps,  # type: ignore[arg-type]
        )  # fmt: skip
        yield House(rig, service, caps)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with opened() as made:
        yield made


@settings(max_examples=25, deadline=None)
@given(
    batches=st.lists(st.integers(1, 4), min_size=2, max_size=12), daily=st.integers(1, 10), waiting=st.integers(1, 6)
)
async def test_requests_at_the_same_moment_are_never_more_than_the_caps(batches, daily, waiting):
    async with opened() as house:
        await house.limit(daily=daily, waiting=waiting)
        asked = [house.ask(batch_size=batch) for batch in batches]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert not [answer for answer in answers if not isinstance(answer, str | GenerationError)]
        taken = [job for job in await house.rig.jobs.active()]
        drawn = sum(job.request.batch_size for job in taken)
        assert drawn == await house.used() <= daily
        assert len([job for job in taken if job.status is JobStatus.QUEUED]) <= waiting
        if min(batches) <= daily:
            assert taken, "not all are refused because others are"


async def test_what_fails_or_is_cancelled_in_time_is_given_back(house: House) -> None:
    await house.limit(daily=4)
    first, second = await house.ask(batch_size=2), await house.ask(batch_size=2)
    with pytest.raises(LimitReached, match="no pictures left today"):
        await house.ask()
    await house.rig.settle()
    assert await house.rig.queue.cancel(second)
    assert await house.used() == 2
    await house.rig.jobs.finish(first, JobStatus.FAILED, now=house.rig.clock.now())
    assert await house.used() == 0
    await house.ask(batch_size=4)
    assert await house.used() == 4


async def test_what_was_drawn_and_then_cancelled_still_counts(house: House) -> None:
    await house.limit(daily=4)
    job = await house.ask(batch_size=3)
    await house.rig.settle()
    assert (await house.rig.jobs.get(job)).status is JobStatus.RUNNING
    await house.rig.queue.cancel(job)
    assert await house.used() == 3


async def test_a_day_begins_at_midnight_utc_and_the_refusal_says_when(house: House) -> None:
    await house.limit(daily=1)
    await house.ask()
    with pytest.raises(LimitReached, match=r"may have 1 a day. It resets in .* \(00:00 UTC\)") as refused:
        await house.ask()
    now = house.rig.clock.now()
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    assert refused.value.retry_after == pytest.approx((midnight - now).total_seconds())
    assert (await house.caps.quota(MIA)).resets_at == midnight
    await house.rig.clock.advance((midnight - now).total_seconds())
    await house.ask()
    assert await house.used() == 1


async def test_fewer_pictures_are_offered_where_some_are_left(house: House) -> None:
    await house.limit(daily=5)
    await house.ask(batch_size=3)
    with pytest.raises(OverCap, match="more than the 2 you have left") as refused:
        await house.ask(batch_size=4)
    assert refused.value.remedy == Draft(batch_size=2)


async def test_what_nobody_said_is_bent_and_what_somebody_said_is_refused(house: House) -> None:
    await house.limit(pixels=256 * 256, steps=10)
    job = await house.rig.jobs.get(await house.ask())
    assert (job.request.width, job.request.height, job.request.steps) == (256, 256, 10)
    assert "bent to the limits here" in job.notes[0]
    with pytest.raises(OverCap, match="8000×8000 is too large"):
        await house.ask(width=8000, height=8000)


async def test_a_role_has_its_weight_and_its_number_of_running_jobs() -> None:
    async with opened(concurrency=4) as house:
        await house.limit(running=2)
        await house.limit("2", weight=3.0)
        for __ in range(4):
            await house.ask()
        other = Origin(door="discord", user_id="6", guild_id="2")
        await house.ask(other)
        await house.rig.settle()
        jobs = await house.rig.jobs.active()
        running = [job for job in jobs if job.status is JobStatus.RUNNING]
        assert {job.weight for job in jobs if job.user_key == MIA.user_key} == {3.0}
        assert sorted(job.user_key for job in running) == ["discord:5", "discord:5", "discord:6"]


async def test_a_direct_message_and_the_studio_count_in_the_server_at_home(house: House) -> None:
    await house.limit("2", daily=3)
    await house.ask(batch_size=2)
    studio = Origin(door="api", user_id="5", account="discord:5")
    await house.ask(studio)
    for origin in (studio, Origin(door="discord", user_id="5"), MIA):
        with pytest.raises(LimitReached, match="the role Fans may have 3 a day"):
            await house.ask(origin)
    await house.ask(Origin(door="api", user_id="local"), batch_size=9)


async def test_only_people_who_manage_the_server_set_caps_and_it_is_audited(house: House) -> None:
    member = Person(user_key="discord:5", guild_id="1", roles=("2",))
    with pytest.raises(NotAllowed, match="Manage Server"):
        await house.caps.change(member, CapKind.ROLE, "1", "", {"daily": 0})
    with pytest.raises(RequestRejected, match="no server"):
        await house.caps.change(Person(user_key="discord:7"), CapKind.ROLE, "1", "", {"daily": 0})
    await house.limit("2", daily=3, steps=20)
    assert await house.caps.caps(CHIEF) == [
        Cap(kind=CapKind.ROLE, target_id="2", name="Fans", limits=Limits(daily=3, steps=20))
    ]
    await house.caps.change(CHIEF, CapKind.ROLE, "2", "Fans", {"daily": None, "steps": None})
    assert await house.caps.caps(CHIEF) == []
    await house.caps.change(CHIEF, CapKind.ROLE, "1", "", {"pixels": 1_048_576})
    await house.caps.change(CHIEF, CapKind.ROLE, "1", "", dict.fromkeys(NAMES))
    rows = await house.rig.database.fetch("SELECT actor, action, subject, details FROM audit ORDER BY seq")
    assert [tuple(row) for row in rows] == [
        ("discord:1", "caps", "role Fans", "daily: 3; steps: 20"),
        ("discord:1", "caps", "role Fans", "daily: -; steps: -"),
        ("discord:1", "caps", "everybody", "pixels: 1,048,576"),
        ("discord:1", "caps", "everybody", "all dropped"),
    ]


async def test_the_counts_of_days_that_are_over_go(house: House) -> None:
    await house.ask()
    await house.rig.clock.advance(86400.0)
    await house.caps.prune()
    assert len(await house.rig.database.fetch("SELECT * FROM pictures_used")) == 1
    await house.rig.clock.advance(2 * 86400.0)
    await house.caps.prune()
    assert await house.rig.database.fetch("SELECT * FROM pictures_used") == []


@pytest.mark.parametrize(
    ("granted", "origin", "is_let"),
    [
        ({}, MIA, False),
        ({"2": 1}, MIA, True),
        ({"2": 1}, replace(MIA, roles=()), False),
        ({"2": 1}, Origin(door="discord", user_id="5"), True),  # in a direct message, with the roles of last time
        ({}, Origin(door="api", user_id="local"), True),
        ({"#9": 1}, replace(MIA, roles=()), True),
        ({"#8": 1}, replace(MIA, roles=()), False),
    ],
)
async def test_only_who_may_goes_before_what_waits(granted: dict[str, float], origin: Origin, is_let: bool) -> None:
    async with opened() as house:
        for target, number in granted.items():
            kind = CapKind.CHANNEL if target.startswith("#") else CapKind.ROLE
            await house.caps.change(CHIEF, kind, target.strip("#"), "art", {"priority": number})
        for number in range(4):
            await house.ask(replace(MIA, user_id=str(number)))
        await house.ask()
        high = Draft(prompt="an owl", priority=Priority.HIGH)
        if is_let:
            view = await house.service.submit(high, origin)
            assert view.position == 1
            assert (await house.service.again(view.job.id, MIA)).position != 1, "what is made of it waits its turn"
            return
        with pytest.raises(OverCap) as refused:
            await house.service.submit(high, origin)
        assert "people whom this server lets go first" in refused.value.user_message
        assert refused.value.remedy == Draft(priority=Priority.NORMAL)
        assert (await house.service.submit(refused.value.remedy.over(high), origin)).position != 1


async def test_everybody_may_let_others_go_first_and_what_is_made_of_it_waits_its_turn() -> None:
    async with opened() as house:
        for number in range(4):
            await house.ask(replace(MIA, user_id=str(number)))
        patient = await house.service.submit(Draft(prompt="an owl", priority=Priority.LOW), MIA)
        await house.ask(replace(MIA, user_id="9"))
        assert (await house.service.view(patient.job.id)).position == 5, "the one being drawn has none"
        assert (await house.service.again(patient.job.id, MIA)).position != 6

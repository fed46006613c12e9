"""Each engine x each fault, over real sockets and through the queue: right error, clear sentence, nothing twice."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from generation.job import Job, JobStatus
from tests.engines.fault_proxy import Fault
from tests.engines_faults.engines import ALL, KEYS, PAID, quick_timeouts
from tests.engines_faults.faults import (
    ALWAYS,
    AWAY,
    CASES,
    DONE,
    LIMITED,
    TOO_OFTEN,
    answers,
    at_job,
    page,
)
from tests.engines_faults.rig import Rig, fault_rig

SECRETS = "|".join(KEYS.values())
NOT_FOR_PEOPLE = re.compile(
    rf"https?:|127\.0\.0\.1|/sdapi|/v[12]/|Traceback|[a-z]Error\b|{SECRETS}|<|\{{|errno|HTTP \d|\bNone\b", re.IGNORECASE
)
LOUD = [name for name, case in CASES.items() if not case.is_silent]
SILENT = [name for name, case in CASES.items() if case.is_silent]
PARTS = 3  # the faults are shown one after another on the same engine, in so many tests
SILENCE_S = 0.8
EVERY_ENGINE = pytest.mark.parametrize("kind", ALL)


def is_for_people(job: Job) -> bool:
    assert job.error is not None
    reply = f"{job.error.user_message} {job.error.hint}"
    assert not NOT_FOR_PEOPLE.search(reply), reply
    assert job.error.user_message.startswith("The GPU") or "The GPU" in job.error.user_message
    assert job.error.user_message.endswith(".")
    return len(job.error.user_message) <= 140 and bool(job.error.hint or job.error.owner_hint)


@EVERY_ENGINE
@pytest.mark.parametrize("part", range(PARTS))
async def test_fault_is_the_right_error_in_one_clear_sentence(kind: str, part: int) -> None:
    async with fault_rig(ALL[kind]) as rig:
        for fault in LOUD[part::PARTS]:
            await ends_as_told(rig, fault)
            assert await is_as_good_as_before(rig, tries=1), fault


@pytest.mark.parametrize("fault", SILENT)
async def test_silence_is_the_right_error_in_one_clear_sentence(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with every_rig(monkeypatch) as rigs:
        await asyncio.gather(*(ends_as_told(rig, fault) for rig in rigs))
        for rig in rigs:  # a timeout as short as theirs may end a job on a busy machine, too
            assert await is_as_good_as_before(rig, tries=2), rig.engine.kind


@asynccontextmanager
async def every_rig(monkeypatch: pytest.MonkeyPatch, **options: Any) -> AsyncIterator[list[Rig]]:
    """All engines at once, so that they are silent together."""
    quick_timeouts(monkeypatch, SILENCE_S)
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(fault_rig(engine, **options)) for engine in ALL.values()]


async def ends_as_told(rig: Rig, fault: str) -> None:
    case, kind = CASES[fault], rig.engine.kind
    taken, flooded = rig.taken, rig.proxy.flooded
    case.arm(rig)
    job = await rig.run()
    code = case.code_of(kind)
    assert (fault, kind, job.error.code if job.error else DONE) == (fault, kind, code)
    assert job.status is (JobStatus.DONE if code == DONE else JobStatus.FAILED)
    assert code == DONE or is_for_people(job)
    assert rig.taken - taken <= 1, (fault, kind)
    assert rig.proxy.flooded - flooded < 100 * 1024 * 1024
    assert await rig.others_go_on()
    assert not rig.lane.is_broken
    rig.proxy.faults.clear()


async def is_as_good_as_before(rig: Rig, tries: int) -> bool:
    for _ in range(tries):
        if (await rig.run(seed=7)).status is JobStatus.DONE:
            return True
    return False


@EVERY_ENGINE
@pytest.mark.parametrize("seconds", ["7", None])
async def test_an_engine_that_asks_to_wait_pauses_its_lane_only(kind: str, seconds: str | None) -> None:
    async with fault_rig(ALL[kind]) as rig:
        how = {**TOO_OFTEN, "headers": {"Retry-After": seconds} if seconds else {}}
        rig.proxy.arm(Fault(kind="answer", where=rig.engine.job, **how))
        job = await rig.submit()
        behind = await rig.submit()
        await until_paused(rig)
        assert 6 < rig.lane.paused_s <= 7 if seconds else 0.5 < rig.lane.paused_s <= 60
        assert await rig.others_go_on()
        row = await rig.jobs.get(job.id)
        assert row
        if row.status is JobStatus.FAILED:
            assert row.error
            assert (row.error.code, is_for_people(row)) == (LIMITED, True)
        assert (await rig.jobs.get(behind.id)).status is JobStatus.QUEUED  # type: ignore[union-attr]
        assert rig.taken == 0


async def until_paused(rig: Rig) -> None:
    job = next(iter(await rig.jobs.active()), None)
    assert job
    async for view in rig.queue.watch(job.id):
        if rig.lane.paused_s or view.job.is_terminal:
            return


@EVERY_ENGINE
async def test_an_engine_that_stays_away_rests_and_others_go_on(kind: str) -> None:
    async with fault_rig(ALL[kind]) as rig:
        rig.proxy.arm(Fault(kind="answer", where=rig.engine.job, times=ALWAYS, **page(502)))
        for _ in range(3):
            job = await rig.run()
            assert job.error
            assert job.error.code == AWAY
        assert rig.lane.is_broken
        waits = await rig.submit()
        assert await rig.others_go_on()
        assert (await rig.jobs.get(waits.id)).status is JobStatus.QUEUED  # type: ignore[union-attr]
        assert rig.taken == 0


# The lost answer of a free engine that tells no job id means that it draws once more; the picture arrives once.
TWICE = {("a1111", "reset in the body"), ("a1111", "silence after the headers"), ("a1111", "end: reset"),
         ("a1111", "picture: reset"), ("ai_horde", "reset in the body"), ("ai_horde", "silence after the headers"),
         ("aipowergrid", "reset in the body"), ("aipowergrid", "silence after the headers"),
         ("aipowergrid", "end: reset"), ("gradio_flux", "end: reset"), ("gradio_flux", "end: cut JSON")}  # fmt: skip


@EVERY_ENGINE
async def test_nothing_is_delivered_twice_and_drawn_again_only_where_it_must(kind: str) -> None:
    async with fault_rig(ALL[kind], attempts=2) as rig:
        for fault in [name for name in LOUD if CASES[name].is_drawn]:
            await is_drawn_as_often_as_it_must(rig, fault)


@pytest.mark.parametrize("fault", [name for name in SILENT if CASES[name].is_drawn])
async def test_nothing_is_delivered_twice_after_silence(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with every_rig(monkeypatch, attempts=2) as rigs:
        await asyncio.gather(*(is_drawn_as_often_as_it_must(rig, fault) for rig in rigs))


async def is_drawn_as_often_as_it_must(rig: Rig, fault: str) -> None:
    kind, taken, kept = rig.engine.kind, rig.taken, len(rig.sink.kept)
    CASES[fault].arm(rig)
    for item in rig.proxy.faults:
        item.times = 1
    job = await rig.run()
    assert (fault, rig.taken - taken) == (fault, 2 if (kind, fault) in TWICE else 1)
    assert rig.sink.kept[kept:] == ([job.id] if job.status is JobStatus.DONE else [])
    rig.proxy.faults.clear()


@pytest.mark.parametrize("fault", [name for name, case in CASES.items() if case.is_drawn])
@pytest.mark.parametrize(
    ("kind", "server"), [("aipowergrid", {"charges": True}), *((kind, {}) for kind in sorted(PAID))]
)
async def test_what_is_paid_for_is_never_sent_again_here_or_elsewhere(
    kind: str, server: dict[str, Any], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if CASES[fault].is_silent:
        quick_timeouts(monkeypatch)
    async with fault_rig(ALL[kind], attempts=3, **server) as rig:
        CASES[fault].arm(rig)
        job = await rig.end_of(await rig.submit(candidates=("gpu", "other")))
        if CASES[fault].code_of(kind) == DONE:
            return
        assert job.status is JobStatus.FAILED
        assert (rig.taken, rig.other.requests) == (1, [])


@EVERY_ENGINE
@pytest.mark.parametrize("status", [502, 401, 404])
async def test_another_engine_takes_over_with_the_same_seed(kind: str, status: int) -> None:
    async with fault_rig(ALL[kind], attempts=3) as rig:
        at_job("answer", **answers(status))(rig)
        job = await rig.end_of(await rig.submit(candidates=("gpu", "other"), seed=812))
        if kind in PAID and status == 502:  # a proxy's: the engine behind it may be drawing, and charge
            assert (job.status, rig.other.requests) == (JobStatus.FAILED, [])
            return
        assert (job.status, job.lane) == (JobStatus.DONE, "other")
        assert [request.seed for request in rig.other.requests] == [812]
        assert rig.taken == 0
        assert any(note.startswith("moved to ") for note in job.notes)

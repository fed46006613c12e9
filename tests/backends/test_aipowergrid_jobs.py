"""Jobs over a real socket: faults on the way, price, rates, and what is never sent twice."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from backends.aipowergrid.backend import AiPowerGridBackend
from backends.base import BackendConfig
from generation.errors import (
    BackendError,
    BackendUnavailable,
    GenerationError,
    RateLimited,
    UnexpectedAnswer,
)
from generation.job import Progress
from generation.request import GenerationRequest
from net.rates import Rate
from tests.backends.test_aipowergrid_contract import connect
from tests.engines.a1111_engine import bomb
from tests.engines.grid_server import GridServer
from tests.engines.listener import Fault
from tests.fakes import FakeClock

DRAW = "POST /v1/images"


def request(**changes: Any) -> GenerationRequest:
    values: dict[str, Any] = {
        "prompt": "a red fox", "width": 512, "height": 512, "steps": 8, "cfg_scale": 1.0, "seed": 812,
    }  # fmt: skip
    return GenerationRequest(**(values | changes))


async def ignore(_: Progress) -> None:
    pass


@pytest.fixture
async def server() -> AsyncIterator[GridServer]:
    async with GridServer() as made:
        yield made


@pytest.fixture
async def grid(server: GridServer) -> AsyncIterator[AiPowerGridBackend]:
    backend = connect(server)
    yield backend
    await backend.aclose()


async def test_progress_is_the_workers_own(server: GridServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.aipowergrid.backend.PROGRESS_RATES", (Rate(1, 0.02),))
    server.seconds = 0.2
    seen: list[Progress] = []

    async def report(progress: Progress) -> None:
        seen.append(progress)

    grid = connect(server)
    await grid.generate(request(), report)
    await grid.aclose()
    fractions = {progress.fraction for progress in seen}
    assert {0.25, 0.5, 0.75} & fractions
    assert seen[-1].note == "being drawn"
    assert seen[-1].eta_s is not None


async def test_lost_progress_costs_no_picture(server: GridServer, grid: AiPowerGridBackend) -> None:
    server.seconds = 0.1
    for kind in ("reset", "html", "truncate"):
        server.faults.append(Fault(kind, "/v1/progress/", status=502))
    assert (await grid.generate(request(), ignore)).images


@pytest.mark.parametrize(
    ("fault", "kind", "may_have_run"),
    [
        (Fault("html", DRAW, status=524), BackendUnavailable, True),
        (Fault("html", DRAW, status=503), BackendUnavailable, False),
        (Fault("html", DRAW, status=200), UnexpectedAnswer, None),
        (Fault("reset", DRAW), BackendUnavailable, True),
        (Fault("truncate", DRAW), UnexpectedAnswer, True),
        (Fault("status", DRAW, status=500, body={"detail": "Internal error"}), BackendUnavailable, True),
        (Fault("status", DRAW, status=504, body={"detail": "Timed out"}), BackendUnavailable, False),
        (Fault("status", DRAW, status=502, body={"detail": "worker crashed"}), BackendError, False),
        (Fault("status", DRAW, status=402, body={"detail": "insufficient credits"}), BackendError, False),
    ],
)
async def test_faults_of_a_job(
    server: GridServer, grid: AiPowerGridBackend, fault: Fault, kind: type[GenerationError], may_have_run: bool | None
) -> None:
    await grid.capabilities()
    server.faults.append(fault)
    with pytest.raises(kind) as caught:
        await grid.generate(request(), ignore)
    text = f"{caught.value.user_message} {caught.value.hint}"
    assert not any(sign in text for sign in ("http:", "127.0.0.1", "Traceback"))
    if may_have_run is not None:
        assert getattr(caught.value, "may_have_run", None) is may_have_run
    assert server.count("POST", "/v1/images") == 1


@pytest.mark.parametrize("body", [b"no picture at all", bomb()], ids=["text", "bomb"])
async def test_a_file_that_is_no_picture_is_refused(server: GridServer, grid: AiPowerGridBackend, body: bytes) -> None:
    server.faults.append(Fault("status", "/pictures/", status=200, body=body))
    with pytest.raises(UnexpectedAnswer):
        await grid.generate(request(), ignore)


async def test_an_answer_without_a_picture_is_no_result(server: GridServer, grid: AiPowerGridBackend) -> None:
    server.plans.append("empty")
    with pytest.raises(UnexpectedAnswer, match="without a picture"):
        await grid.generate(request(), ignore)


async def test_pictures_inside_the_answer_are_read_too(server: GridServer, grid: AiPowerGridBackend) -> None:
    server.plans.append("inside")
    result = await grid.generate(request(batch_size=2), ignore)
    assert [image.seed for image in result.images] == [812, 813]


async def test_a_download_that_broke_is_begun_again_and_nothing_is_drawn_twice(
    server: GridServer, grid: AiPowerGridBackend
) -> None:
    server.faults.append(Fault("reset", "/pictures/"))
    assert (await grid.generate(request(), ignore)).images
    assert len(server.jobs) == 1


async def test_the_pictures_that_came_are_kept_when_one_did_not(server: GridServer, grid: AiPowerGridBackend) -> None:
    server.faults.append(Fault("status", "/pictures/", status=404))
    result = await grid.generate(request(batch_size=3), ignore)
    assert len(result.images) == 2
    assert "1 of 3 could not be fetched" in result.notes


async def test_price_is_told_before_and_after() -> None:
    async with GridServer(charges=True, credit_usd=0.5) as server:
        grid = connect(server)
        seen: list[str] = []

        async def report(progress: Progress) -> None:
            seen.append(progress.note)

        result = await grid.generate(request(batch_size=2), report)
        assert grid.is_paid
        assert seen[0] == "costs $0.01"
        assert result.cost_usd == 0.01
        assert result.notes == ("$0.01 of $0.50 credit",)
        await grid.aclose()


async def test_too_little_credit_is_told_before_a_job_is_sent() -> None:
    async with GridServer(charges=True, credit_usd=0.001) as server:
        grid = connect(server)
        with pytest.raises(BackendError, match="too little credit"):
            await grid.generate(request(), ignore)
        assert not server.jobs
        await grid.aclose()


async def test_a_price_that_could_not_be_asked_for_sends_no_job_and_may_be_tried_again() -> None:
    async with GridServer(charges=True) as server:
        grid = connect(server)
        await grid.capabilities()
        server.faults.append(Fault("reset", "/quote"))
        with pytest.raises(BackendUnavailable) as caught:
            await grid.generate(request(), ignore)
        assert not caught.value.may_have_run
        assert not server.jobs
        await grid.aclose()


async def test_more_than_four_at_once_wait_for_a_place(server: GridServer, grid: AiPowerGridBackend) -> None:
    server.seconds = 0.02
    results = await asyncio.gather(*(grid.generate(request(seed=seed), ignore) for seed in range(1, 8)))
    assert len(results) == 7


async def test_the_eleventh_call_of_a_minute_pauses_the_lane_and_is_not_sent(
    server: GridServer, grid: AiPowerGridBackend
) -> None:
    for seed in range(10):
        await grid.generate(request(seed=seed), ignore)
    with pytest.raises(RateLimited) as caught:
        await grid.generate(request(), ignore)
    assert caught.value.retry_after
    assert 5 < caught.value.retry_after <= 60.1
    assert (len(server.jobs), server.too_often) == (10, 0)


async def test_a_rate_limit_without_a_header_holds_the_next_jobs_back_for_a_guess() -> None:
    clock = FakeClock()
    config = BackendConfig(name="grid", kind="aipowergrid", url="http://grid.lan", key="grid_x")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/status/models":
            return httpx.Response(200, json=[{"name": "free", "count": 1}])
        if request.method == "GET":
            return httpx.Response(200, json={"charging_enabled": False})
        return httpx.Response(429, json={"error": {"message": "Rate limit exceeded.", "type": "rate_limit_error"}})

    grid = AiPowerGridBackend(config, transport=httpx.MockTransport(answer), clock=clock)
    with pytest.raises(RateLimited) as caught:
        await grid.generate(request(), ignore)
    assert caught.value.retry_after == 20
    await clock.advance(10.0)
    assert grid._submits.wait_s() == 10
    await grid.aclose()


async def test_an_ai_horde_is_explained_over_the_wire() -> None:
    async with GridServer(is_horde=True) as server:
        grid = connect(server)
        with pytest.raises(BackendError, match="AI Horde"):
            await grid.capabilities()
        await grid.aclose()


async def test_a_job_whose_caller_left_is_drawn_to_its_end_there(server: GridServer, grid: AiPowerGridBackend) -> None:
    await grid.capabilities()
    server.hold()
    task = asyncio.create_task(grid.generate(request(), ignore))
    async with asyncio.timeout(5):
        while not server.jobs:
            await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.release()
    async with asyncio.timeout(5):
        while server.jobs[0].is_running:
            await asyncio.sleep(0.005)


async def test_a_price_is_quoted_before_anything_is_sent_and_not_with_every_key() -> None:
    async with GridServer(charges=True) as server:
        grid = connect(server)
        assert await grid.quote(request(batch_size=2)) is None, "nothing is known of the Grid yet"
        await grid.capabilities()
        assert await grid.quote(request(batch_size=2)) == 0.01
        server.faults.append(Fault("reset", "/quote"))
        assert await grid.quote(request(batch_size=2)) == 0.01
        assert not server.jobs
        await grid.aclose()


async def test_a_grid_that_charges_nothing_quotes_nothing(grid: AiPowerGridBackend) -> None:
    await grid.capabilities()
    assert await grid.quote(request()) is None
    assert not grid.is_paid

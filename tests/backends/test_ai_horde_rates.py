"""The rates are kept by the clock, not by luck: a fixed window that begins anywhere never holds too many calls."""

import asyncio

import httpx
import pytest

from backends.ai_horde.backend import CHECK_RATES, STATUS_RATES, SUBMIT_RATES, AiHordeBackend
from backends.base import BackendConfig
from generation.errors import RateLimited
from generation.request import GenerationRequest
from net.rates import Rate, RateWindow
from tests.fakes import FakeClock

REQUEST = GenerationRequest(prompt="a red fox", width=64, height=64, steps=20, cfg_scale=7.0, seed=42)
JOB = "a94d43ec-6777-4fc0-b481-ff7b5973bbf2"
CHECK = {"finished": 0, "processing": 1, "waiting": 0, "done": False, "is_possible": True}


async def times_of(window: RateWindow, clock: FakeClock, calls: int, for_s: float, key: str = "") -> list[float]:
    """Return when `calls` callers who all want to go now may go."""
    times: list[float] = []

    async def call() -> None:
        await window.take(key)
        times.append(clock.monotonic())

    tasks = [asyncio.create_task(call()) for _ in range(calls)]
    await clock.advance(for_s)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return times


@pytest.mark.parametrize("rates", [SUBMIT_RATES, CHECK_RATES, STATUS_RATES, (Rate(10, 60.0),)])
async def test_no_window_ever_holds_more_calls_than_allowed(rates: tuple[Rate, ...]) -> None:
    clock = FakeClock()
    times = await times_of(RateWindow(clock, *rates), clock, 120, 150.0)
    assert len(times) > 20
    for rate in rates:
        for begin in times:  # the fullest windows are those that begin with a call
            inside = [at for at in times if begin <= at < begin + rate.seconds]
            assert len(inside) <= rate.calls


def test_the_rates_are_those_that_are_published() -> None:
    assert (Rate(2, 1.0), Rate(90, 60.0)) == SUBMIT_RATES


async def test_the_rate_is_used_nearly_in_full() -> None:
    clock = FakeClock()
    assert len(await times_of(RateWindow(clock, Rate(10, 60.0)), clock, 40, 125.0)) == 30


async def test_each_job_has_a_window_of_its_own() -> None:
    clock = FakeClock()
    window = RateWindow(clock, Rate(1, 60.0))
    await window.take("one")
    assert window.wait_s("one") > 59
    assert window.wait_s("other") == 0


async def test_the_server_may_hold_us_back_longer() -> None:
    clock = FakeClock()
    window = RateWindow(clock, Rate(10, 1.0))
    window.hold(7.0)
    assert await times_of(window, clock, 1, 20.0) == [1007.0]


async def test_windows_of_ended_jobs_are_forgotten() -> None:
    clock = FakeClock()
    window = RateWindow(clock, Rate(10, 60.0))
    for number in range(50):
        await window.take(str(number))
    await clock.advance(61.0)
    await window.take("new")
    assert list(window._calls) == ["new"]


class Server:
    """Answers through a transport; `busy` calls are answered 429 first."""

    def __init__(self, retry_after: str = "1") -> None:
        self.busy: list[str] = []
        self.retry_after = retry_after
        self.calls: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.calls.append(path)
        part = next((item for item in self.busy if item in path), None)
        if part:
            self.busy.remove(part)
            return httpx.Response(429, json={"message": "2 per 1 second"}, headers={"Retry-After": self.retry_after})
        if path.endswith("/async"):
            return httpx.Response(202, json={"id": JOB, "kudos": 5.0}, headers={"Retry-After": "1"})
        if "/check/" in path:
            return httpx.Response(200, json=CHECK, headers={"Retry-After": "1"})
        if "/status/models" in path:
            return httpx.Response(200, json=[{"name": "stable_diffusion", "count": 1}])
        if "/generate/status/" in path:
            return httpx.Response(200, json={"done": True, "generations": []})
        return httpx.Response(200, json={"maintenance_mode": False})


def connect(server: Server, clock: FakeClock) -> AiHordeBackend:
    config = BackendConfig(name="horde", kind="ai_horde", url="http://horde.lan")
    return AiHordeBackend(config, transport=httpx.MockTransport(server), clock=clock)


async def submit(backend: AiHordeBackend, clock: FakeClock, for_s: float) -> str:
    task = asyncio.create_task(backend.start(REQUEST))
    for _ in range(200):  # the payload is made in a real thread, which the fake clock does not wait for
        await clock.advance(for_s / 200)
        await asyncio.sleep(0.001)
        if task.done():
            break
    return await task


async def test_429_of_a_submit_is_a_rate_limit_with_its_time() -> None:
    clock, server = FakeClock(), Server(retry_after="3")
    backend = connect(server, clock)
    server.busy.append("/async")
    with pytest.raises(RateLimited) as caught:
        await submit(backend, clock, 1.0)
    assert caught.value.retry_after == 3.0
    await backend.aclose()


async def test_used_up_minute_pauses_the_lane_and_sends_nothing() -> None:
    clock, server = FakeClock(), Server()
    backend = connect(server, clock)
    await times_of(backend._submits, clock, 90, 55.0)
    with pytest.raises(RateLimited) as caught:
        await submit(backend, clock, 0.0)
    assert caught.value.retry_after
    assert 5 < caught.value.retry_after <= 60.1
    assert not any(path.endswith("/async") for path in server.calls)
    await backend.aclose()


async def test_429_of_a_check_waits_and_is_no_failure() -> None:
    clock, server = FakeClock(), Server(retry_after="2")
    backend = connect(server, clock)
    server.busy.append("/check/")
    state = await backend.poll(JOB)
    assert (state.is_finished, state.poll_after_s) == (False, 2.0)
    await clock.advance(2.0)
    assert (await backend.poll(JOB)).progress.note.startswith("being drawn")
    await backend.aclose()


async def test_429_of_a_fetch_is_asked_again_when_the_server_said() -> None:
    clock, server = FakeClock(), Server(retry_after="40")
    backend = connect(server, clock)
    server.busy.append("/generate/status/")
    fetching = asyncio.create_task(backend.fetch(JOB, REQUEST))
    await clock.advance(39.0)
    assert sum("/generate/status/" in path for path in server.calls) == 1
    await clock.advance(2.0)
    assert sum("/generate/status/" in path for path in server.calls) == 2
    await asyncio.gather(fetching, return_exceptions=True)
    await backend.aclose()


async def test_retry_after_on_a_success_is_no_order_to_wait() -> None:
    clock, server = FakeClock(), Server()
    backend = connect(server, clock)
    assert await submit(backend, clock, 0.0) == JOB
    assert backend._submits.wait_s() == 0
    await backend.aclose()


async def test_checks_do_not_use_up_the_rate_of_submits() -> None:
    clock, server = FakeClock(), Server()
    backend = connect(server, clock)
    for _ in range(10):
        await backend.poll(JOB)
    assert backend._submits.wait_s() == 0
    assert backend._statuses.wait_s(JOB) == 0
    assert backend._checks.wait_s() > 0
    await backend.aclose()

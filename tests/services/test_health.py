"""Engines that are down are asked again in growing steps, and are in use again by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from backends.base import BackendConfig
from backends.registry import BackendRegistry, Entry
from generation.capabilities import Capabilities
from generation.errors import BackendUnavailable
from services.engines.connections import Diagnosis
from services.engines.health import CHECKS, HEALTHY_S, HealthWatch, checks_for
from tests.fakes import FakeBackend, FakeClock
from tests.services.layers import failed_at


class Engine(FakeBackend):
    """Counts when it was asked."""

    def __init__(self, clock: FakeClock, name: str = "gpu") -> None:
        super().__init__(name)
        self.clock = clock
        self.asked: list[float] = []

    async def capabilities(self) -> Capabilities:
        self.asked.append(self.clock.monotonic())
        return await super().capabilities()

    def gaps(self) -> list[float]:
        return [round(after - before, 1) for before, after in zip(self.asked, self.asked[1:], strict=False)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def registry(clock: FakeClock) -> AsyncIterator[BackendRegistry]:
    registry = BackendRegistry(clock)
    yield registry
    await registry.aclose()


@pytest.fixture
async def watch(registry: BackendRegistry, clock: FakeClock) -> AsyncIterator[None]:
    task = asyncio.create_task(HealthWatch(registry, clock, chance=lambda: 0.0).run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def add(registry: BackendRegistry, engine: Engine) -> Entry:
    return registry.add(Entry(config=BackendConfig(name=engine.name, kind="fake"), backend=engine))


async def test_a_dead_engine_is_asked_with_growing_pauses_up_to_a_minute(
    registry: BackendRegistry, watch: None, clock: FakeClock
) -> None:
    engine = Engine(clock)
    engine.is_down = BackendUnavailable()
    add(registry, engine)
    await clock.advance(300)
    assert engine.gaps()[:6] == [6.0, 12.0, 24.0, 48.0, 60.0, 60.0]


async def test_jitter_never_asks_a_booting_server_within_five_seconds(
    registry: BackendRegistry, clock: FakeClock
) -> None:
    engine = Engine(clock)
    engine.is_down = BackendUnavailable()
    add(registry, engine)
    task = asyncio.create_task(HealthWatch(registry, clock, chance=lambda: 1.0).run())
    await clock.advance(300)
    assert min(engine.gaps()) == 5.0
    assert max(engine.gaps()) == 45.0
    task.cancel()


async def test_a_restarted_engine_is_noticed_within_a_minute(
    registry: BackendRegistry, watch: None, clock: FakeClock
) -> None:
    engine = Engine(clock)
    engine.is_down = BackendUnavailable()
    entry = add(registry, engine)
    await clock.advance(3600)
    reported: list[str] = []
    registry.on_change.append(reported.append)
    engine.is_down = None
    await clock.advance(60)
    assert entry.error is None
    assert reported


async def test_a_healthy_engine_is_left_in_peace(registry: BackendRegistry, watch: None, clock: FakeClock) -> None:
    engine = Engine(clock)
    add(registry, engine)
    await clock.advance(3600)
    assert min(engine.gaps()) >= HEALTHY_S


async def test_what_jobs_found_out_is_looked_into(registry: BackendRegistry, watch: None, clock: FakeClock) -> None:
    engine = Engine(clock)
    entry = add(registry, engine)
    await clock.advance(60)
    registry.mark_down("gpu", BackendUnavailable())
    await clock.advance(7)
    assert entry.error is None


async def test_one_that_answers_but_fails_its_jobs_is_asked_less_and_less(
    registry: BackendRegistry, watch: None, clock: FakeClock
) -> None:
    engine = Engine(clock)
    add(registry, engine)
    await clock.advance(60)
    engine.asked.clear()
    for _ in range(20):
        registry.mark_down("gpu", BackendUnavailable())
        await clock.advance(10)
    assert len(engine.asked) < 6


async def test_the_fallback_is_not_watched_and_one_that_left_is_forgotten(
    registry: BackendRegistry, watch: None, clock: FakeClock
) -> None:
    sketch, engine = Engine(clock, "sketch"), Engine(clock)
    registry.add(Entry(config=BackendConfig(name="sketch", kind="fake"), backend=sketch, is_fallback=True))
    add(registry, engine)
    await clock.advance(10)
    await registry.remove("gpu")
    asked = len(engine.asked)
    await clock.advance(3600)
    assert sketch.asked == []
    assert len(engine.asked) == asked


@pytest.mark.parametrize(
    ("layer", "first"),
    [("dns", "url"), ("connect", "running"), ("http", "running"), ("api", "api"), ("product", "url")],
)
def test_the_likeliest_check_comes_first_and_none_is_missing(layer: str, first: str) -> None:
    checks = checks_for(failed_at(layer))
    assert checks[0] == CHECKS[first]
    assert sorted(checks) == sorted(CHECKS.values())


def test_without_any_layer_all_checks_are_named() -> None:
    assert len(checks_for(Diagnosis(steps=(), is_ok=False, message=""))) == 5

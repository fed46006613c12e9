"""Engines that come, go, answer and fail; whose they are; who may use them."""

import asyncio

import pytest

from backends import registry as registry_module
from backends.base import BackendConfig
from backends.kind import EngineKind
from backends.kinds import kind_names, make_backend, register
from backends.registry import BackendRegistry, Entry, Owner
from generation.capabilities import Capabilities, Fit, Refused
from generation.errors import BackendAuthError, BackendError, BackendUnavailable, RequestRejected
from generation.request import Mode
from tests.fakes import FakeBackend, FakeClock, settle
from tests.jobs import make_request
from tests.kinds import install
from tests.people import person


class Engine(FakeBackend):
    """Counts probes; `hold_probe` keeps them waiting."""

    def __init__(self, name: str = "gpu", **how: object) -> None:
        super().__init__(name, **how)  # type: ignore[arg-type]
        self.probes = 0
        self.hold_probe: asyncio.Event | None = None
        self.is_closed = False

    async def capabilities(self) -> Capabilities:
        self.probes += 1
        if self.hold_probe:
            await self.hold_probe.wait()
        return await super().capabilities()

    async def aclose(self) -> None:
        self.is_closed = True


def _entry(backend: Engine, **how: object) -> Entry:
    return Entry(config=BackendConfig(name=backend.name, kind="fake"), backend=backend, **how)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def registry(clock: FakeClock) -> BackendRegistry:
    return BackendRegistry(clock)


def test_a_registered_kind_is_made_from_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    register(EngineKind(name="fake", title="Fake", noun="a fake", make=lambda config: FakeBackend(config.name)))
    assert kind_names() == ("fake",)
    assert make_backend(BackendConfig(name="gpu1", kind="fake")).name == "gpu1"
    with pytest.raises(ValueError, match="'a2222' is no kind of backend; known: fake"):
        make_backend(BackendConfig(name="x", kind="a2222"))


async def test_a_probe_fills_in_what_the_engine_can(registry: BackendRegistry) -> None:
    engine = Engine()
    registry.add(_entry(engine))
    refused = registry.fit("gpu", make_request())
    assert refused == Refused(reasons=("it has not answered yet",))
    entry = await registry.refresh("gpu")
    assert entry
    assert entry.capabilities
    assert isinstance(registry.fit("gpu", make_request()), Fit)
    assert await registry.refresh("nobody") is None


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (BackendUnavailable("It is away."), "It is away."),
        (RequestRejected("Odd."), "Odd."),
        (ValueError("a bug"), "gpu could not be asked what it can do."),
    ],
)
async def test_a_probe_never_raises_and_says_what_is_wrong(
    registry: BackendRegistry, failure: Exception, message: str
) -> None:
    engine = Engine()
    engine.is_down = failure  # type: ignore[assignment]
    entry = registry.add(_entry(engine))
    await registry.refresh("gpu")
    assert entry.error
    assert entry.error.user_message == message
    assert registry.fit("gpu", make_request()) == Refused(reasons=(message,))


async def test_an_engine_that_does_not_answer_is_given_up_on(
    registry: BackendRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "PROBE_TIMEOUT_S", 0.01)
    engine = Engine()
    engine.hold_probe = asyncio.Event()
    entry = registry.add(_entry(engine))
    await registry.refresh("gpu")
    assert isinstance(entry.error, BackendUnavailable)


async def test_an_engine_that_comes_back_loses_its_error_and_keeps_its_capabilities_while_down(
    registry: BackendRegistry,
) -> None:
    engine = Engine()
    entry = registry.add(_entry(engine))
    await registry.refresh("gpu")
    engine.is_down = BackendUnavailable()
    await registry.refresh("gpu")
    assert entry.error
    assert entry.capabilities
    engine.is_down = None
    await registry.refresh("gpu")
    assert entry.error is None


async def test_callers_at_the_same_time_share_one_probe(registry: BackendRegistry) -> None:
    engine = Engine()
    engine.hold_probe = asyncio.Event()
    registry.add(_entry(engine))
    callers = [asyncio.create_task(registry.refresh("gpu")) for _ in range(5)]
    await settle()
    callers[0].cancel()
    engine.hold_probe.set()
    await asyncio.gather(*callers, return_exceptions=True)
    assert engine.probes == 1
    assert all(task.result() for task in callers[1:])


async def test_a_new_engine_under_an_old_name_gets_its_own_probe(registry: BackendRegistry) -> None:
    old, new = Engine(), Engine()
    old.hold_probe = asyncio.Event()
    registry.add(_entry(old))
    waiting = asyncio.create_task(registry.refresh("gpu"))
    await settle()
    entry = registry.add(_entry(new))
    await registry.refresh("gpu")
    assert entry.capabilities
    old.hold_probe.set()
    await waiting
    assert old.is_closed


async def test_old_knowledge_is_refreshed_in_the_background(registry: BackendRegistry, clock: FakeClock) -> None:
    engine = Engine()
    entry = registry.add(_entry(engine))
    await registry.ready([entry])
    await registry.ready([entry])
    assert engine.probes == 1
    await clock.advance(61)
    engine.hold_probe = asyncio.Event()
    await registry.ready([entry])
    await registry.ready([entry])
    await settle()
    assert engine.probes == 2
    engine.hold_probe.set()
    await settle()


async def test_a_dead_engine_holds_up_nobody_who_has_another(registry: BackendRegistry, clock: FakeClock) -> None:
    dead, alive = Engine("dead"), Engine("alive")
    dead.is_down = BackendUnavailable()
    entries = [registry.add(_entry(dead)), registry.add(_entry(alive))]
    await registry.ready(entries)
    dead.hold_probe = asyncio.Event()
    await clock.advance(30)
    async with asyncio.timeout(1):
        await registry.ready(entries)
    await settle()
    assert dead.probes == 2
    dead.is_down = None
    dead.hold_probe.set()
    await settle()
    assert entries[0].error is None


async def test_a_dead_engine_that_is_the_only_one_is_asked_again(registry: BackendRegistry, clock: FakeClock) -> None:
    engine = Engine()
    engine.is_down = BackendUnavailable()
    entry = registry.add(_entry(engine))
    await registry.ready([entry])
    await registry.ready([entry])  # not for each of a burst
    assert engine.probes == 1
    engine.is_down = None
    await clock.advance(6)
    await registry.ready([entry])
    assert entry.capabilities


async def test_who_may_use_an_engine_and_in_which_order(registry: BackendRegistry) -> None:
    owners = {
        "sketch": Owner(),
        "shared": Owner(),
        "guild": Owner(kind="guild", id="g"),
        "mine": Owner(kind="user", id="u"),
        "theirs": Owner(kind="user", id="x"),
        "elsewhere": Owner(kind="guild", id="y"),
    }
    for name, owner in owners.items():
        registry.add(_entry(Engine(name), owner=owner, is_fallback=name == "sketch"))
    assert [entry.name for entry in registry.visible(person("u", "g"))] == ["mine", "guild", "shared", "sketch"]
    assert [entry.name for entry in registry.visible(person("u"))] == ["mine", "shared", "sketch"]
    assert [entry.name for entry in registry.visible(person("nobody"))] == ["shared", "sketch"]


async def test_a_removed_engine_is_closed_and_told_of(registry: BackendRegistry) -> None:
    reported: list[str] = []
    registry.on_change.append(reported.append)
    engine = Engine()
    registry.add(_entry(engine))
    await registry.remove("gpu")
    await registry.remove("gpu")
    assert engine.is_closed
    assert reported == ["gpu", "gpu"]
    assert registry.fit("gpu", make_request()) == Refused(reasons=("it is no longer connected",))


@pytest.mark.parametrize("is_replaced", [True, False])
async def test_an_engine_in_use_is_closed_after_its_last_job(registry: BackendRegistry, is_replaced: bool) -> None:
    engine = Engine()
    registry.add(_entry(engine))
    async with registry.borrow("gpu") as item:
        async with registry.borrow("gpu"):
            if is_replaced:
                registry.add(_entry(Engine()))
            else:
                await registry.remove("gpu")
        assert item is engine
        assert not engine.is_closed
    assert engine.is_closed


async def test_an_engine_that_is_gone_lends_nothing(registry: BackendRegistry) -> None:
    async with registry.borrow("nobody") as backend:
        assert backend is None


async def test_a_refused_key_is_remembered_until_the_next_probe(registry: BackendRegistry) -> None:
    entry = registry.add(_entry(Engine()))
    registry.mark_down("gpu", BackendAuthError())
    assert isinstance(entry.error, BackendError)
    await registry.refresh("gpu")
    assert entry.error is None
    registry.mark_down("nobody", BackendAuthError())


async def test_closing_ends_probes_and_closes_every_engine_though_one_fails(registry: BackendRegistry) -> None:
    class Broken(Engine):
        async def aclose(self) -> None:
            raise OSError("a bug")

    slow, replaced, fine = Engine("slow"), Engine("fine"), Engine("fine")
    slow.hold_probe = asyncio.Event()
    registry.add(_entry(Broken("broken")))
    registry.add(_entry(slow))
    registry.add(_entry(replaced))
    registry.add(_entry(fine))
    probing = asyncio.create_task(registry.refresh("slow"))
    await settle(1)
    await registry.aclose()
    await asyncio.gather(probing, return_exceptions=True)
    assert slow.is_closed
    assert replaced.is_closed
    assert fine.is_closed
    assert list(registry) == []


async def test_every_engine_is_asked(registry: BackendRegistry) -> None:
    upscaler = Engine("up", capabilities=Capabilities(modes=frozenset({Mode.UPSCALE})))
    registry.add(_entry(upscaler))
    registry.add(_entry(Engine()))
    await registry.refresh_all()
    assert [entry.capabilities is not None for entry in registry] == [True, True]
    assert registry.fit("up", make_request()) == Refused(reasons=("it cannot do txt2img",))

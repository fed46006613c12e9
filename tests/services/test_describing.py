"""Asking engines what a picture shows: who is asked, and why nobody could be."""

from __future__ import annotations

import asyncio

import pytest

from backends.base import BackendConfig
from backends.registry import BackendRegistry, Entry, Owner
from generation.capabilities import Capabilities
from generation.errors import BackendUnavailable, CapabilityError, LimitReached, RequestRejected
from generation.job import Origin
from generation.request import Mode, SourceImage
from services.engines.describing import DescribingService, Description
from tests.backends.test_a1111_contract import connect
from tests.engines.a1111_server import A1111Server
from tests.fakes import FakeBackend, FakeClock
from tests.utils.pictures import noise

ABLE = Capabilities(modes=frozenset(Mode), supports_describe=True)


class Teller(FakeBackend):
    def __init__(self, name: str) -> None:
        super().__init__(name, capabilities=ABLE)
        self.gate = asyncio.Event()
        self.gate.set()

    async def describe(self, image: SourceImage) -> str:
        await self.gate.wait()
        return f"  a fox\n seen by {self.name} "


def service_of(*engines: FakeBackend, owner: Owner | None = None) -> tuple[DescribingService, BackendRegistry]:
    registry = BackendRegistry(FakeClock())
    for engine in engines:
        entry = Entry(config=BackendConfig(name=engine.name, kind="fake", label=engine.name.upper()), backend=engine)
        registry.add(entry)
        if owner:
            entry.owner = owner
    return DescribingService(registry), registry


async def ask(service: DescribingService, user_id: str = "mia", backend: str | None = None) -> Description:
    return await service.describe(SourceImage.of(b"x"), Origin(door="discord", user_id=user_id), backend=backend)


async def test_the_first_engine_that_can_is_asked() -> None:
    service, _ = service_of(FakeBackend("plain"), Teller("one"), Teller("two"))
    assert await ask(service) == Description(text="a fox seen by one", engine="ONE")
    assert (await ask(service, backend="two")).engine == "TWO"


async def test_every_engine_that_cannot_is_named_with_its_reason() -> None:
    down = FakeBackend("down")
    down.is_down = BackendUnavailable("It is switched off.")
    service, _ = service_of(FakeBackend("plain"), down)
    with pytest.raises(CapabilityError) as refused:
        await ask(service)
    assert "PLAIN: it cannot describe pictures; DOWN: It is switched off." in refused.value.user_message


async def test_an_unknown_engine_is_told_with_those_there_are() -> None:
    service, _ = service_of(Teller("one"))
    with pytest.raises(RequestRejected, match="Available: ONE"):
        await ask(service, backend="nowhere")


async def test_engines_of_others_are_not_asked() -> None:
    service, _ = service_of(Teller("one"), owner=Owner(kind="user", id="ann"))
    with pytest.raises(BackendUnavailable, match="There is no engine here yet"):
        await ask(service)
    assert (await ask(service, "ann")).engine == "ONE"


async def test_one_at_a_time_for_each_person() -> None:
    teller = Teller("one")
    service, _ = service_of(teller)
    teller.gate.clear()
    first = asyncio.create_task(ask(service))
    await asyncio.sleep(0.01)
    with pytest.raises(LimitReached):
        await ask(service)
    other = asyncio.create_task(ask(service, "ann"))
    teller.gate.set()
    assert (await first).text == (await other).text
    assert await ask(service)


async def test_a_web_ui_describes_over_a_real_socket() -> None:
    async with A1111Server() as server:
        registry = BackendRegistry(FakeClock())
        backend = connect(server)
        registry.add(Entry(config=BackendConfig(name="gpu1", kind="a1111", label="The GPU"), backend=backend))
        source = SourceImage.of(noise((64, 64)))
        reply = await DescribingService(registry).describe(source, Origin(door="discord", user_id="mia"))
        assert reply == Description(text=server.extras.caption, engine="The GPU")
        await registry.aclose()

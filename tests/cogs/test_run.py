"""Discord is dialled again and again; only a refused token ends the bot, and nothing ends what stands beside it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import nextcord
import pytest

from cogs import run
from cogs.sharding import ShardsWanted
from services.reports.discord_link import DiscordLink, LinkState
from settings.discord import DiscordSettings
from tests.fakes import FakeClock, settle

Events = dict[str, Callable[[], Awaitable[None]]]
NO_NETWORK = aiohttp.ClientConnectionError("Cannot connect to host discord.com:443")


class Bot:
    """Stands for a bot whose connection goes as the script says: an error, or None to stay connected."""

    def __init__(self, fate: Exception | None, *, is_ready: bool) -> None:
        self.fate, self.is_ready = fate, is_ready
        self.events: Events = {}
        self.is_closed = False
        self.desk = self
        self.drained_for_s = 0.0

    def add_listener(self, function: Callable[[], Awaitable[None]], event: str) -> None:
        self.events[event] = function

    async def start(self, token: str) -> None:
        if self.is_ready:
            await self.events["on_ready"]()
        if self.fate:
            raise self.fate
        await asyncio.Event().wait()

    async def drain(self, timeout_s: float) -> None:
        assert not self.is_closed
        self.drained_for_s = timeout_s

    async def close(self) -> None:
        assert not self.is_closed, "closed twice"
        self.is_closed = True


class House:
    """One call of `serve` with a script of connections; the last one stays."""

    def __init__(self, *fates: Exception | None, is_only_door: bool = False, is_ready: bool = False) -> None:
        self.fates = [*fates]
        self.bots: list[tuple[Bot, bool]] = []
        self.clock, self.link, self.stop = FakeClock(), DiscordLink(), asyncio.Event()
        self.drained = 0
        self.shards: list[int] = []
        self.is_ready = is_ready
        self.task = asyncio.create_task(
            run.serve(
                self._make,
                DiscordSettings(token="x", api_url="http://127.0.0.1:9/api/v10"),  # type: ignore[arg-type]
                stop=self.stop,
                drain=self._drain,
                grace_s=5.0,
                link=self.link,
                clock=self.clock,
                is_only_door=is_only_door,
            )
        )

    def _make(self, message_content: bool, shards: int) -> Any:
        fate = self.fates.pop(0) if self.fates else None
        self.shards.append(shards)
        self.bots.append((Bot(fate, is_ready=self.is_ready or fate is None), message_content))
        return self.bots[-1][0]

    async def _drain(self) -> None:
        self.drained += 1

    async def end(self) -> int:
        self.stop.set()
        return await asyncio.wait_for(self.task, 5)


def closed(code: int) -> nextcord.ConnectionClosed:
    return nextcord.ConnectionClosed(SimpleNamespace(close_code=code), shard_id=None, code=code)  # type: ignore[arg-type]


def http_error(status: int) -> nextcord.HTTPException:
    return nextcord.HTTPException(SimpleNamespace(status=status, reason="no"), "no")  # type: ignore[arg-type]


def first_websocket_failed() -> Exception:
    """Return what nextcord raises when the very first websocket fails: it reaches for the one it does not have."""
    try:
        try:
            raise NO_NETWORK
        except aiohttp.ClientError:
            _ = None.sequence  # type: ignore[attr-defined]
    except AttributeError as error:
        return error
    raise AssertionError


@pytest.fixture(autouse=True)
def discord_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nextcord.http.Route, "BASE", nextcord.http.Route.BASE)


@pytest.mark.parametrize(
    "error",
    [NO_NETWORK, OSError("no route"), TimeoutError(), http_error(503), http_error(429), nextcord.GatewayNotFound(),
     closed(4011), closed(1006), first_websocket_failed(), RuntimeError("a fault of ours")],
    ids=repr,
)  # fmt: skip
async def test_whatever_ends_the_connection_is_dialled_again(error: Exception) -> None:
    house = House(error)
    await settle()
    assert not house.task.done()
    assert house.link.state is LinkState.WAITING
    assert house.link.message
    assert all(bot.is_closed for bot, _ in house.bots)
    await house.clock.advance(run.FIRST_WAIT_S)
    assert len(house.bots) == 2
    assert (house.link.state, house.link.message) == (LinkState.CONNECTED, "")
    assert await house.end() == 0
    assert house.drained == 1
    assert house.bots[-1][0].is_closed


async def test_the_pauses_grow_to_five_minutes_and_begin_anew_after_a_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(run, "JITTER", 0.0)
    house = House(*[NO_NETWORK] * 12)
    with caplog.at_level(logging.WARNING):
        await house.clock.advance(1 + 2 + 4 + 8 + 16 + 32 + 64 + 128 + 256 + 300 - 1)
        assert len(house.bots) == 10
        await house.clock.advance(1)
    assert len(house.bots) == 11
    assert "Discord cannot be reached." in caplog.records[0].getMessage()
    assert caplog.records[0].getMessage().endswith("Trying again in 1 s.")
    assert not any(record.exc_info for record in caplog.records)
    await house.end()
    house = House(NO_NETWORK, NO_NETWORK, closed(1006), is_ready=True)
    await house.clock.advance(3 * run.FIRST_WAIT_S)
    assert len(house.bots) == 4
    await house.end()


@pytest.mark.parametrize("error", [nextcord.LoginFailure("no"), closed(4004)], ids=repr)
async def test_a_refused_token_ends_the_bot_and_nothing_else(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(error)
    await house.clock.advance(10_000)
    assert len(house.bots) == 1
    assert not house.task.done()
    assert house.drained == 0
    assert (house.link.state, house.link.message) == (LinkState.REFUSED, run.REFUSED)
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [run.REFUSED]
    assert await house.end() == 0
    alone = House(error, is_only_door=True)
    assert await asyncio.wait_for(alone.task, 5) == run.FAILED
    assert alone.drained == 1


async def test_without_the_intent_every_later_connection_does_without(caplog: pytest.LogCaptureFixture) -> None:
    house = House(nextcord.PrivilegedIntentsRequired(None), NO_NETWORK)
    await settle()
    await house.clock.advance(run.FIRST_WAIT_S)
    assert [content for _, content in house.bots] == [True, False, False]
    assert caplog.text.count("Message Content") == 1
    await house.end()


async def test_a_stop_ends_a_pause_at_once() -> None:
    house = House(*[NO_NETWORK] * 5)
    await settle()
    assert await house.end() == 0
    assert len(house.bots) == 1


async def test_a_lost_connection_shows_until_it_is_back() -> None:
    house = House()
    await settle()
    bot = house.bots[0][0]
    await bot.events["on_disconnect"]()
    assert house.link.state is LinkState.CONNECTING
    assert "lost" in house.link.message
    await bot.events["on_resumed"]()
    assert (house.link.state, house.link.message) == (LinkState.CONNECTED, "")
    await house.end()


async def test_nextcords_own_reconnect_is_a_line_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    await settle()
    try:
        raise NO_NETWORK
    except aiohttp.ClientError:
        logging.getLogger("nextcord.client").exception("Attempting a reconnect in %.2fs", 1.5)
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    await house.end()


async def test_a_stop_waits_for_what_was_just_heard() -> None:
    house = House(None)
    await settle()
    assert await house.end() == 0
    assert house.bots[-1][0].drained_for_s == 5.0


async def test_a_fault_of_the_dialling_itself_is_logged_and_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    close, calls = Bot.close, 0

    async def fails_once(bot: Bot) -> None:
        nonlocal calls
        calls += 1
        await close(bot)
        if calls == 1:
            raise RuntimeError("could not be closed")

    monkeypatch.setattr(Bot, "close", fails_once)
    house = House(NO_NETWORK)
    await settle()
    assert [record.loop for record in caplog.records if record.message == "loop died"] == ["discord"]
    await house.clock.advance(1.0)
    assert len(house.bots) == 2
    assert house.link.state is LinkState.CONNECTED
    assert await house.end() == 0


async def test_a_stop_does_not_wait_for_a_dialling_that_died(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(message_content: bool) -> Any:
        raise RuntimeError("no bot can be made")

    house = House()
    house._make = fails  # type: ignore[method-assign]
    monkeypatch.setattr(run, "_dial", lambda *_: fails(True))
    await settle()
    assert await house.end() == 0


async def test_as_many_shards_are_made_as_discord_asks_for_and_after_a_failure_it_is_asked_anew() -> None:
    house = House(ShardsWanted(3), NO_NETWORK)
    await settle()
    assert house.shards == [0, 3]
    await house.clock.advance(run.FIRST_WAIT_S * 2)
    assert house.shards == [0, 3, 0]
    assert house.link.state is LinkState.CONNECTED
    await house.end()

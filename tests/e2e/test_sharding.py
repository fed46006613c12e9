"""A bot in so many servers that Discord wants several connections, in one process or in several."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from app.doors import make_bot
from cogs import run
from cogs.sharding import ShardedBot, SingleBot
from services.reports.discord_link import DiscordLink, LinkState
from store.folder import DATABASE_NAME
from tests.discord_server import Channel, DiscordServer
from tests.discord_server.user import User
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import COMMANDS, Easel, is_finished, own, reply_to
from tests.easel_process import processes
from tests.fakes import FakeBackend
from tests.waiting import until

TWO = pytest.mark.parametrize("discord", [{"shards": 2}], indirect=True)


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let shards follow each other at once: Discord wants five seconds between two."""

    async def at_once(*__: object, **___: object) -> None:
        pass

    monkeypatch.setattr(ShardedBot, "before_identify_hook", at_once)


def add_places(discord: DiscordServer) -> dict[int, tuple[User, Channel]]:
    """Return a person and a channel in a server of each shard."""
    places: dict[int, tuple[User, Channel]] = {}
    for number in range(200):
        guild = discord.add_guild(f"Server {number}")
        shard = (guild.id >> 22) % 2
        if shard not in places:
            places[shard] = discord.add_user(f"user{shard}", guild=guild), discord.add_channel("art", guild=guild)
        if len(places) == 2:
            return places
    raise AssertionError("ids carry their time, so that every other one belongs to the same shard")


async def draws_in(discord: DiscordServer, user: User, channel: Channel) -> None:
    """Check that a message and a command are answered there, once each."""
    asked = await user.say(channel, "!dream a red fox")
    answer = await discord.wait_for(lambda: reply_to(asked) if reply_to(asked) else None)
    await discord.wait_for(lambda: is_finished(answer))
    result = await user.slash(channel, "generate", prompt="a blue hare")
    await discord.wait_for(lambda: result.original and is_finished(result.original))
    assert len(own(channel)) == 2


@TWO
async def test_every_server_is_heard_over_its_shard(discord: DiscordServer, start: StartEasel) -> None:
    places = add_places(discord)
    await start(FakeBackend(), shards=2)
    await discord.wait_for(lambda: discord.gateway.identifies == 2)
    for user, channel in places.values():
        await draws_in(discord, user, channel)
    writes = [record.method for record in discord.requests if "/commands" in record.path and record.method != "GET"]
    assert len(writes) <= 1, "registered once for both"


@TWO
async def test_direct_messages_come_to_the_first_shard_and_are_answered(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend(), shards=2)
    mia = discord.user("mia")
    await mia.say(mia.dm_channel, "!dream a red fox")
    await discord.wait_for(lambda: [each for each in own(mia.dm_channel) if is_finished(each)])
    await easel.say("!dream a secret hare --private")
    await discord.wait_for(lambda: sum(map(is_finished, own(mia.dm_channel))) == 2)


@TWO
async def test_presence_is_shown_on_every_shard(discord: DiscordServer, start: StartEasel) -> None:
    await start(FakeBackend(), shards=2)
    await discord.wait_for(lambda: len(discord.gateway.presences) >= 2)


@TWO
async def test_a_result_that_is_due_is_delivered_once_whichever_shard_is_first(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    places = add_places(discord)
    easel = await start(engine, shards=2)
    asked = [await user.say(channel, "!dream a red fox") for user, channel in places.values()]
    await discord.wait_for(lambda: all(map(reply_to, asked)))
    await until(lambda: engine.running)
    await easel.kill()
    easel.backends = [FakeBackend()]
    await easel.start()
    for message in asked:
        await discord.wait_for(lambda message=message: is_finished(reply_to(message)))
        assert len(own(message.channel)) == 1


@TWO
async def test_what_is_due_is_taken_up_before_the_last_shard_is_there(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine, shards=2)
    asked = await easel.say("!dream a red fox")
    await discord.wait_for(lambda: reply_to(asked))
    await until(lambda: engine.running)
    await easel.kill()

    async def never(bot: ShardedBot, shard_id: int, *, initial: bool = False) -> None:
        await (asyncio.Event().wait() if not initial else asyncio.sleep(0))

    monkeypatch.setattr(ShardedBot, "before_identify_hook", never)
    easel.backends = [FakeBackend()]
    await easel.start(is_awaited=False)
    await discord.wait_for(lambda: is_finished(reply_to(asked)))


@TWO
async def test_one_that_is_cut_off_comes_back_while_the_other_goes_on(
    discord: DiscordServer, start: StartEasel
) -> None:
    places = add_places(discord)
    await start(FakeBackend(), shards=2)
    second = next(session for session in discord.gateway.sessions if session.shard == (1, 2))
    assert second.connection is not None
    second.connection.close(4000)
    user, channel = places[0]
    await draws_in(discord, user, channel)
    await discord.wait_for(lambda: discord.gateway.resumes == 1)
    user, channel = places[1]
    await draws_in(discord, user, channel)


# -- several processes


@pytest.mark.timeout(120)
@pytest.mark.xdist_group("processes")
@TWO
async def test_two_processes_share_the_servers_and_the_first_registers_the_commands(
    discord: DiscordServer, tmp_path: Path
) -> None:
    discord.commands.commands[None].clear()
    places = add_places(discord)
    async with processes(tmp_path) as begin:

        def begin_with(shard_id: int) -> None:
            settings = {"SHARD_COUNT": "2", "SHARD_IDS": str(shard_id), "DATA_DIR": str(tmp_path / f"data{shard_id}")}
            access = {"DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.api_url}
            (tmp_path / f"log{shard_id}").touch()
            begin(log=f"log{shard_id}", **settings, **access)

        begin_with(1)
        await until(lambda: "ready as" in (tmp_path / "log1").read_text(), 60)
        assert discord.commands.names() == set(), "that is for the other"
        begin_with(0)
        await discord.wait_commands(COMMANDS, 60)
        for user, channel in places.values():
            await draws_in(discord, user, channel)  # by commands too, whose ids only the first has seen
    drawn = [in_database(tmp_path / f"data{shard_id}") for shard_id in places]
    assert drawn == [{str(user.id)} for user, __ in places.values()], "each in its own"


def in_database(folder: Path) -> set[str]:
    """Return whose jobs lie in a data folder."""
    with closing(sqlite3.connect(f"file:{folder / DATABASE_NAME}?mode=ro", uri=True)) as database:
        return {user_key.partition(":")[2] for (user_key,) in database.execute("SELECT user_key FROM jobs")}


@TWO
async def test_without_the_first_shard_direct_messages_have_no_buttons_that_nobody_here_would_hear(
    discord: DiscordServer, start: StartEasel
) -> None:
    places = add_places(discord)
    await start(FakeBackend(), shards=2, shard_ids=(1,))
    user, channel = places[1]
    await user.say(channel, "!dream a secret fox --private")
    await discord.wait_for(lambda: [each for each in own(user.dm_channel) if each.attachments])
    [picture] = own(user.dm_channel)
    assert picture.components == []


# -- how many there are


@pytest.fixture
async def serve(
    discord: DiscordServer, start: StartEasel, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[DiscordLink]]]:
    """Dial as `main` does, with so many shards as are set (0: as many as Discord asks for)."""
    async with AsyncExitStack() as stack:

        async def begin(shards: int = 0) -> DiscordLink:
            easel = await Easel(discord, tmp_path, [FakeBackend()], shards=shards).built()
            stack.push_async_callback(easel.close)
            stop, link = asyncio.Event(), DiscordLink()
            settings = easel.settings.discord.changed(token=discord.token, api_url=discord.api_url)
            serving = asyncio.create_task(
                run.serve(
                    partial(make_bot, easel), settings, stop=stop, drain=easel.queue.stop, grace_s=0.0, link=link,
                    clock=easel.clock, is_only_door=False,
                )
            )  # fmt: skip
            stack.push_async_callback(asyncio.wait_for, serving, 10)
            stack.callback(stop.set)
            return link

        yield begin


@TWO
async def test_discord_is_given_as_many_as_it_asks_for(
    discord: DiscordServer, serve: Callable[..., Awaitable[DiscordLink]], caplog: pytest.LogCaptureFixture
) -> None:
    places = add_places(discord)
    with caplog.at_level(logging.INFO, "cogs.run"):
        link = await serve()
        await discord.wait_for(lambda: discord.gateway.identifies == 2)
    assert "Discord asks for 2 shards." in caplog.text
    await until(lambda: link.state is LinkState.CONNECTED)
    for user, channel in places.values():
        await draws_in(discord, user, channel)
    assert {session.shard for session in discord.gateway.sessions} == {(0, 2), (1, 2)}


async def test_where_one_is_enough_nothing_more_is_asked(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    assert isinstance(easel.bot, SingleBot)
    asked = [record.path for record in discord.requests if "/gateway" in record.path]
    assert len(asked) == 1
    assert discord.gateway.sessions[0].shard == (0, 1)


@TWO
async def test_too_few_are_told_as_that(
    discord: DiscordServer, serve: Callable[..., Awaitable[DiscordLink]], caplog: pytest.LogCaptureFixture
) -> None:
    link = await serve(shards=1)
    await until(lambda: link.state is LinkState.WAITING)
    assert "SHARD_COUNT" in link.message
    assert "SHARD_COUNT" in caplog.text

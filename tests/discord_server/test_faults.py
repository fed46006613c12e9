"""Everything that can go wrong between a bot and Discord, on order."""

from __future__ import annotations

import asyncio
import io

import aiohttp
import nextcord
import nextcord.http
import pytest

from tests.discord_server import DiscordServer
from tests.discord_server.conftest import Connect
from tests.discord_server.sample_bot import RunningBot, make_bot


async def test_wrong_token_is_refused(discord: DiscordServer) -> None:
    bot = make_bot(discord.changed)
    with pytest.raises(nextcord.LoginFailure):
        await bot.start("wrong")
    await bot.close()
    assert discord.requests[0].status == 401


async def test_message_content_intent_must_be_switched_on(discord: DiscordServer) -> None:
    discord.message_content = False
    bot = make_bot(discord.changed)
    with pytest.raises(nextcord.PrivilegedIntentsRequired):
        await bot.start(discord.token)
    await bot.close()


async def test_without_the_intent_content_arrives_only_where_the_bot_is_meant(
    discord: DiscordServer, connect: Connect
) -> None:
    discord.message_content = False
    bot = await connect(message_content=False)
    mia = discord.user("mia")
    await mia.say(discord.channel, "secret", attachments=[("a.png", b"1")])
    await mia.say(discord.channel, f"{discord.bot.mention} hello")
    await mia.say(mia.dm_channel, "in private")
    await discord.wait_for(lambda: len(bot.seen) == 3)
    assert [message.content for message in bot.seen] == ["", f"{discord.bot.mention} hello", "in private"]
    assert bot.seen[0].attachments == []


async def test_rate_limit_fault_is_waited_out(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    fault = discord.fail("POST", "/channels/*/messages", status=429, retry_after=0.02)
    await discord.user("mia").say(discord.channel, "!big 5")
    await discord.wait_for(lambda: len(discord.channel.messages) == 2)
    assert fault.hits == 1
    assert [item.status for item in discord.requests[-2:]] == [429, 200]


async def test_429_without_via_looks_like_a_ban(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    discord.fail("POST", "/channels/*/messages", status=429, via=False)
    with pytest.raises(nextcord.HTTPException) as raised:
        await bot.get_channel(discord.channel.id).send("a")
    assert raised.value.status == 429


@pytest.mark.parametrize(("status", "error"), [(503, nextcord.DiscordServerError), (403, nextcord.Forbidden)])
async def test_http_errors_reach_the_bot(
    discord: DiscordServer, connect: Connect, status: int, error: type[Exception]
) -> None:
    bot = await connect()
    discord.fail("POST", "/channels/*/messages", status=status)
    channel = bot.get_channel(discord.channel.id)
    with pytest.raises(error):
        await channel.send("a")
    await channel.send("b")
    assert [message.content for message in discord.channel.messages] == ["b"]


@pytest.mark.parametrize(("cut", "arrived"), [("before", 0), ("after", 1)])
async def test_connection_cut_before_or_after_the_work(
    discord: DiscordServer, connect: Connect, cut: str, arrived: int
) -> None:
    bot = await connect()
    discord.fail("POST", "/channels/*/messages", cut=cut)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await bot.get_channel(discord.channel.id).send("a")
    assert len(discord.channel.messages) == arrived


async def test_gateway_resumes_and_replays_what_was_missed(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    discord.close_gateway(4000, resumable=True)
    await discord.wait_for(lambda: discord.gateway.live is None)
    await discord.user("mia").say(discord.channel, "missed me?")
    await discord.wait_for(lambda: bot.seen)
    assert bot.seen[0].content == "missed me?"
    assert (discord.gateway.identifies, discord.gateway.resumes) == (1, 1)


async def test_cut_gateway_is_resumed(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    discord.gateway.cut()
    await discord.wait_for(lambda: discord.gateway.resumes == 1)


async def test_unanswered_heartbeats_make_the_bot_resume(discord: DiscordServer) -> None:
    discord.gateway.answers_heartbeats = False
    running = RunningBot(make_bot(discord.changed), discord.token)
    running.bot._connection.heartbeat_timeout = 0.5
    await discord.wait_for(lambda: discord.gateway.resumes, 8)
    await running.close()


async def test_reconnect_request_is_followed_by_a_resume(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    discord.gateway.ask_to_reconnect()
    await discord.wait_for(lambda: discord.gateway.resumes == 1)


async def test_lost_session_identifies_again(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()

    async def at_once(shard_id: int | None, *, initial: bool = False) -> None: ...

    bot.before_identify_hook = at_once  # nextcord waits five seconds here
    discord.close_gateway(4009, resumable=False)
    await discord.wait_for(lambda: discord.gateway.identifies == 2, 10)


async def test_unanswered_interaction_fails_for_the_user_and_late_answers_are_refused(
    discord: DiscordServer, connect: Connect
) -> None:
    bot = await connect()
    asked = asyncio.create_task(discord.user("mia").slash(discord.channel, "silent"))
    interaction = await discord.wait_for(lambda: bot.seen and bot.seen[0])
    discord.advance(3.1)
    with pytest.raises(nextcord.NotFound) as late:
        await interaction.response.send_message("late")
    assert late.value.code == 10062
    assert (await asked).failed
    assert discord.violations[-1].rule == "10062"


async def test_second_answer_and_expired_token_are_refused(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    asked = asyncio.create_task(discord.user("mia").slash(discord.channel, "silent"))
    interaction = await discord.wait_for(lambda: bot.seen and bot.seen[0])
    await interaction.response.send_message("one")
    await asked
    interaction.response._responded = False
    with pytest.raises(nextcord.HTTPException) as twice:
        await interaction.response.send_message("two")
    assert twice.value.code == 40060
    await interaction.edit_original_message(content="edited")
    discord.advance(901)
    with pytest.raises(nextcord.HTTPException) as expired:
        await interaction.edit_original_message(content="too late")
    assert (expired.value.status, expired.value.code) == (401, 50027)


async def test_tokens_expire_on_order(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    asked = asyncio.create_task(discord.user("mia").slash(discord.channel, "silent"))
    interaction = await discord.wait_for(lambda: bot.seen and bot.seen[0])
    await interaction.response.defer()
    await asked
    discord.expire_interaction_tokens()
    with pytest.raises(nextcord.HTTPException) as expired:
        await interaction.followup.send("too late")
    assert expired.value.code == 50027


async def test_deleted_messages_channels_and_lost_permissions(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    quiet = discord.add_channel("quiet", permissions={"SEND_MESSAGES": False})
    hidden = discord.add_channel("hidden", permissions={"VIEW_CHANNEL": False})
    gone = discord.add_channel("gone")
    await discord.wait_for(lambda: discord.gateway.live)
    http = bot.http
    sent = await http.send_message(discord.channel.id, "a")
    discord.delete_message(discord.channel.messages[0])
    discord.delete_channel(gone)
    discord.revoke("ATTACH_FILES", channel=discord.channel)
    expected = [
        (http.edit_message(discord.channel.id, sent["id"], content="b"), 10008),
        (http.send_message(quiet.id, "a"), 50013),
        (http.send_message(hidden.id, "a"), 50001),
        (http.send_message(gone.id, "a"), 10003),
        (http.send_files(discord.channel.id, files=[nextcord.File(io.BytesIO(b"1"), "a.png")]), 50013),
    ]
    for call, code in expected:
        with pytest.raises(nextcord.HTTPException) as raised:
            await call
        assert raised.value.code == code


async def test_embeds_vanish_silently_without_the_permission(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    discord.revoke("EMBED_LINKS")
    await bot.get_channel(discord.channel.id).send("a", embed=nextcord.Embed(title="gone"))
    assert discord.channel.messages[0].embeds == []


async def test_rate_limits_are_enforced_and_obeyed_by_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    async with DiscordServer(rate_limits={"message_create": (2, 0.2)}) as server:
        monkeypatch.setattr(nextcord.http.Route, "BASE", server.api_url)
        running = RunningBot(make_bot(server.changed), server.token)
        await server.wait_ready()
        started = server.now()
        for _ in range(5):
            await running.bot.http.send_message(server.channel.id, "a")
        assert server.now() - started > 0.3
        assert server.rate_limited == 0
        headers = {"Authorization": f"Bot {server.token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            statuses = []
            for _ in range(3):
                url = f"{server.api_url}/channels/{server.channel.id}/messages"
                async with session.post(url, json={"content": "a"}) as answer:
                    statuses.append(answer.status)
        assert 429 in statuses
        assert server.rate_limited >= 1
        await running.close()


async def test_expired_cdn_links_are_gone_until_the_message_is_fetched_again(
    discord: DiscordServer, connect: Connect
) -> None:
    bot = await connect()
    reply = await discord.user("mia").say(discord.channel, "look", attachments=[("a.png", b"123")])
    channel = bot.get_channel(discord.channel.id)
    old = await channel.fetch_message(reply.id)
    discord.expire_cdn_links()
    with pytest.raises(nextcord.NotFound):
        await old.attachments[0].read()
    fresh = await channel.fetch_message(reply.id)
    assert await fresh.attachments[0].read() == b"123"


async def test_slow_and_lasting_faults_until_removed(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    channel = bot.get_channel(discord.channel.id)
    discord.fail("POST", "/channels/*", delay_s=0.05)
    started = discord.now()
    await channel.send("slow")
    assert discord.now() - started >= 0.05
    own = {"message": "Maximum number of edits to messages older than 1 hour reached", "code": 30046}
    fault = discord.fail("PATCH", "/channels/*/messages/*", status=400, times=None, json=own)
    for _ in range(2):
        with pytest.raises(nextcord.HTTPException) as raised:
            await bot.http.edit_message(discord.channel.id, discord.channel.messages[0].id, content="b")
        assert raised.value.code == 30046
    fault.remove()
    await bot.http.edit_message(discord.channel.id, discord.channel.messages[0].id, content="b")
    assert discord.channel.messages[0].content == "b"

"""Lookups of a bot, and the command list it keeps."""

from __future__ import annotations

import nextcord
import pytest

from tests.discord_server import DiscordServer
from tests.discord_server.conftest import COMMANDS, Connect
from tests.discord_server.sample_bot import RunningBot, make_bot


async def test_guilds_members_users_and_history_can_be_fetched(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    mia = discord.user("mia")
    reply = [await mia.say(discord.channel, str(number)) for number in range(5)]
    guild = await bot.fetch_guild(discord.guild.id)
    assert (await guild.fetch_member(mia.id)).name == "mia"
    assert (await bot.fetch_user(mia.id)).name == "mia"
    assert (await bot.application_info()).id == discord.application_id
    channel = await bot.fetch_channel(discord.channel.id)
    before = nextcord.Object(reply[4].id)
    assert [message.content async for message in channel.history(limit=2, before=before)] == ["3", "2"]
    around = [message.content async for message in channel.history(limit=3, around=nextcord.Object(reply[2].id))]
    assert sorted(around) == ["1", "2", "3"]
    with pytest.raises(nextcord.NotFound):
        await bot.fetch_user(1)


async def test_bot_removes_reactions_only_with_the_permission(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    mia = discord.user("mia")
    reply = await mia.say(discord.channel, "a")
    await mia.react(reply, "👍")
    await discord.wait_for(lambda: len(reply.reactions["👍"]) == 2)
    message = await bot.get_channel(discord.channel.id).fetch_message(reply.id)
    with pytest.raises(nextcord.Forbidden):
        await message.remove_reaction("👍", nextcord.Object(mia.id))
    discord.grant("MANAGE_MESSAGES")
    await message.remove_reaction("👍", nextcord.Object(mia.id))
    assert reply.reactions == {"👍": [discord.bot]}
    with pytest.raises(nextcord.HTTPException) as not_mine:
        await bot.http.edit_message(discord.channel.id, reply.id, content="b")
    assert not_mine.value.code == 50005


async def test_unchanged_commands_are_not_registered_again(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    await bot.close()
    creates = discord.commands.creates
    again = RunningBot(make_bot(discord.changed), discord.token)
    await again.bot.wait_for("ready", timeout=10)
    await again.bot.sync_all_application_commands()
    assert creates == len(COMMANDS)
    assert discord.commands.creates == creates
    await again.close()


async def test_unknown_commands_are_deleted_and_bulk_writes_replace_all(
    discord: DiscordServer, connect: Connect
) -> None:
    bot = await connect()
    stale = {"name": "stale", "description": "d", "type": 1}
    await bot.http.upsert_global_command(bot.application_id, stale)
    await bot.sync_all_application_commands()
    assert discord.commands.names() == COMMANDS
    await bot.http.bulk_upsert_global_commands(bot.application_id, [stale])
    assert discord.commands.names() == {"stale"}
    guild_command = await bot.http.upsert_guild_command(bot.application_id, discord.guild.id, stale)
    assert guild_command["guild_id"] == str(discord.guild.id)
    assert len(discord.commands.offered(discord.guild.id)) == 2
    assert len(discord.commands.offered(None)) == 1


async def test_pings_follow_allowed_mentions(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    mia = discord.user("mia")
    channel = bot.get_channel(discord.channel.id)
    await channel.send(f"{mia.mention} @everyone")
    await channel.send(f"{mia.mention}", allowed_mentions=nextcord.AllowedMentions.none())
    loud, quiet = discord.channel.messages
    assert (loud.pings, loud.pings_everyone) == ([mia], False)
    assert quiet.pings == []
    assert quiet.mentions == [mia]


async def test_bot_sees_only_the_guilds_and_channels_there_are(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    other = discord.add_guild("Annex")
    added = discord.add_channel("annex", nsfw=True, guild=other)
    await discord.user("mia").say(added, "hello")
    await discord.wait_for(lambda: bot.seen)
    assert bot.seen[0].channel.is_nsfw()
    assert bot.seen[0].guild.name == "Annex"
    assert bot.get_channel(added.id).permissions_for(bot.seen[0].guild.me).attach_files

"""Actions of a user, and what they see, with the real library on the other side."""

from __future__ import annotations

import asyncio

import pytest

from tests.discord_server import DiscordServer, NotPossible
from tests.discord_server.conftest import Connect
from tests.discord_server.sample_bot import PNG_MAGIC


async def test_prefix_command_is_answered_edited_and_gets_its_picture(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    mia = discord.user("mia")
    asked = await mia.say(discord.channel, "!dream a red fox")
    await discord.wait_for(lambda: len(discord.channel.messages) == 2 and discord.channel.messages[1].files)
    answer = discord.channel.messages[1]
    assert answer.content == "done a red fox"
    assert answer.history == ["working on a red fox"]
    assert len(answer.edits) == 1
    assert answer.reference is asked
    assert answer.pings == []
    assert (answer.attachments[0].filename, answer.attachments[0].description) == ("fox.png", "a red fox")
    assert answer.attachments[0].data == PNG_MAGIC
    assert answer.buttons == ["Again", "Size", "Later"]
    assert discord.violations == []


async def test_bot_reads_an_uploaded_file_from_the_cdn(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    await discord.user("mia").say(discord.channel, "!echo", attachments=[("my cat.png", b"12345")])
    await discord.wait_for(lambda: len(discord.channel.messages) == 2)
    assert discord.channel.messages[1].content == "my cat.png 5"


async def test_slash_command_defers_and_finishes_with_an_embedded_picture(
    discord: DiscordServer, connect: Connect
) -> None:
    await connect()
    mia = discord.user("mia")
    result = await mia.slash(
        discord.channel, "generate", prompt="a fox", steps=30, style="Photo", image=("in.png", b"1")
    )
    assert result.callback_type == 5
    assert result.acknowledged_after_s is not None
    assert result.acknowledged_after_s < 1
    message = await discord.wait_for(lambda: result.message if not result.message.loading else None)
    assert message.embeds[0]["description"] == "a fox 30 dream photo in.png"
    assert message.embeds[0]["image"]["url"].startswith(discord.url)
    assert message.attachments == []
    assert message.files[0].data == PNG_MAGIC
    assert discord.violations == []


async def test_autocomplete_sees_the_other_options(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    choices = await discord.user("mia").autocomplete(discord.channel, "generate", "model", "dream", prompt="fox")
    assert [choice["value"] for choice in choices] == ["dreamshaper", "fox"]


async def test_ephemeral_answer_is_seen_by_its_user_only(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    root, mia = discord.user("root", admin=True), discord.user("mia")
    result = await root.slash(discord.channel, "secret")
    await discord.wait_for(lambda: result.followups)
    assert result.ephemeral
    assert [message.content for message in root.sees(discord.channel)] == ["hidden", "more"]
    assert mia.sees(discord.channel) == []
    with pytest.raises(NotPossible, match="not offered to mia"):
        await mia.slash(discord.channel, "secret")


async def test_subcommands_and_context_menus(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    mia = discord.user("mia")
    assert (await mia.slash(discord.channel, "styles add", name="noir")).message.content == "added noir"
    reply = await mia.say(discord.channel, "a fox")
    assert (await mia.context_menu("Reuse prompt", reply)).message.content == "reused a fox"


async def test_button_select_and_modal(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    mia = discord.user("mia")
    message = (await mia.slash(discord.channel, "generate", prompt="a fox")).message
    await discord.wait_for(lambda: message.components)
    pressed = await mia.click(message, "Again")
    assert (pressed.message.content, pressed.ephemeral) == ("again!", True)
    assert (await mia.select(message, "model", ["Flux"])).message is message
    assert message.content == "model flux"
    opened = await mia.click(message, "Size")
    assert opened.modal.title == "Picture size"
    assert opened.modal.fields["width"]["value"] == "512"
    assert (await mia.submit(opened.modal, {"Width": "768"})).message is message
    assert message.content == "width 768"
    assert (await mia.click(message, "later")).callback_type == 6
    await discord.wait_for(lambda: message.content == "later")
    assert message.files
    assert discord.violations == []


async def test_user_cannot_do_what_the_client_does_not_offer(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    mia, eve = discord.user("mia"), discord.user("eve")
    for options in ({}, {"prompt": "a", "steps": 51}, {"prompt": "a", "style": "Oil"}, {"prompt": "a", "nope": 1}):
        with pytest.raises(NotPossible):
            await mia.slash(discord.channel, "generate", **options)
    message = (await mia.slash(discord.channel, "generate", prompt="a")).message
    await discord.wait_for(lambda: message.components)
    with pytest.raises(NotPossible, match="greyed out"):
        await mia.click(message, "Off")
    hidden = (await mia.click(message, "Again")).message
    with pytest.raises(NotPossible, match="does not see"):
        await eve.click(hidden, "Again")


async def test_direct_messages_both_ways(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    mia = discord.user("mia")
    await mia.say(discord.channel, "!whisper")
    await discord.wait_for(lambda: mia.dms)
    assert [message.content for message in mia.dms] == ["psst"]
    await mia.say(mia.dm_channel, "!big 3")
    await discord.wait_for(lambda: len(mia.dms) == 3)
    assert mia.dms[-1].content == "xxx"


async def test_closed_direct_messages_are_refused(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    mia = discord.user("mia")
    mia.dms_open = False
    await mia.say(discord.channel, "!whisper")
    error = await discord.wait_for(lambda: next((item for item in bot.seen if isinstance(item, Exception)), None))
    assert error.original.code == 50007


async def test_reactions_reach_the_bot_and_back(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    mia = discord.user("mia")
    message = await mia.say(discord.channel, "nice")
    await mia.react(message, "⭐")
    await discord.wait_for(lambda: len(message.reactions["⭐"]) == 2)
    await mia.unreact(message, "⭐")
    assert message.reactions["⭐"] == [discord.bot]


async def test_user_edits_and_deletes_own_messages(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    mia = discord.user("mia")
    message = await mia.say(discord.channel, "helo")
    await mia.edit(message, "hello")
    edited = await bot.wait_for("raw_message_edit", timeout=2)
    assert edited.data["content"] == "hello"
    await mia.delete(message)
    assert (await bot.wait_for("raw_message_delete", timeout=2)).message_id == message.id
    assert message.deleted
    assert discord.channel.messages == []


async def test_slash_command_button_and_modal_in_a_direct_message(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    mia = discord.user("mia")
    result = await mia.slash(mia.dm_channel, "generate", prompt="a fox")
    message = await discord.wait_for(lambda: result.message if result.message.components else None)
    assert mia.dms == [message]
    opened = await mia.click(message, "Size")
    await mia.submit(opened.modal, {"width": "640"})
    assert message.content == "width 640"
    assert discord.violations == []


async def test_several_users_at_once_each_get_their_own_answer(discord: DiscordServer, connect: Connect) -> None:
    await connect()
    users = [discord.user(f"user{number}") for number in range(8)]
    results = await asyncio.gather(*(user.slash(discord.channel, "generate", prompt=user.name) for user in users))
    await discord.wait_for(lambda: all(result.message.files for result in results))
    shown = [result.message.embeds[0]["description"].split()[0] for result in results]
    assert shown == [user.name for user in users]

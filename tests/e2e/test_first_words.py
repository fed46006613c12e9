"""First tries of a newcomer: the bot's name, a direct message, a corrected slip, the button of the greeting."""

from __future__ import annotations

import pytest

from cogs import presence
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import own, reply_to
from tests.e2e.pictures import png
from tests.fakes import FakeBackend
from tests.waiting import until


@pytest.mark.parametrize("name", ["imagine", "draw", "IMAGINE"])
async def test_the_most_wanted_names_draw(start: StartEasel, name: str) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    await easel.dream(f"!{name} a red fox")
    if name.islower():
        answer = await easel.slash("a heron", command=name)
        await easel.server.wait_for(lambda: answer.original and answer.original.attachments)
    assert engine.requests[0].prompt == "a red fox"


async def test_the_bots_name_and_words_are_a_request(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    mention = f"<@{discord.bot.id}>"
    for text in (f"{mention} a red fox --steps 7", f"{mention} dream a heron", f"<@!{discord.bot.id}> list of foxes"):
        await easel.dream(text)
    assert [request.prompt for request in engine.requests] == ["a red fox", "a heron", "list of foxes"]
    assert engine.requests[0].steps == 7


@pytest.mark.parametrize("text", ["{}", "{} "])
async def test_the_bots_name_alone_is_answered_with_help(discord: DiscordServer, start: StartEasel, text: str) -> None:
    easel = await start(FakeBackend())
    reply = await easel.say(text.format(f"<@{discord.bot.id}>"))
    answer = await discord.wait_for(lambda: reply_to(reply))
    assert "Making pictures" in answer.content


async def test_talk_about_the_bot_and_between_others_is_left_alone(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    first = await easel.dream("!dream a red fox")
    await easel.say(f"I asked <@{discord.bot.id}> for a fox")
    await easel.say("so nice!", reply_to=first)
    await easel.say(f"<@{discord.user('ann').id}> look")
    await easel.say("!roll 2d6")
    await easel.dream("!dream the end")
    assert [request.prompt for request in engine.requests] == ["a red fox", "the end"]


async def test_words_in_a_direct_message_are_drawn(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    await start(engine)
    mia = discord.user("mia")
    await mia.say(mia.dm_channel, "a red fox --steps 9")
    await discord.wait_for(lambda: any(message.attachments for message in own(mia.dm_channel)))
    await mia.say(mia.dm_channel, "!dream a heron")
    await discord.wait_for(lambda: sum(bool(message.attachments) for message in own(mia.dm_channel)) == 2)
    await mia.say(mia.dm_channel, "like this", attachments=[("cat.png", png())])
    await discord.wait_for(lambda: sum(bool(message.attachments) for message in own(mia.dm_channel)) == 3)
    assert [request.prompt for request in engine.requests] == ["a red fox", "a heron", "like this"]
    assert engine.requests[2].init_image


async def test_a_slip_that_is_corrected_draws_once(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    reply = await easel.say("!dreem a red fox")
    await discord.user("mia").edit(reply, "!dream a red fox")
    await easel.finished(await easel.answer_to(reply))
    await discord.user("mia").edit(reply, "!dream a blue fox")
    await easel.dream("!dream the end")
    assert [request.prompt for request in engine.requests] == ["a red fox", "the end"]


async def test_a_server_that_lets_the_bot_in_is_greeted_and_a_press_draws(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeBackend()
    await start(engine)
    assert own(discord.channel) == [], "a server that was there before is not greeted"
    with monkeypatch.context() as unseen:
        unseen.setattr(discord.gateway, "dispatch", lambda *_: None)
        guild = discord.add_guild("Foxes")
        shut = discord.add_channel("shut", guild=guild, permissions={"SEND_MESSAGES": False})
        lobby = discord.add_channel("lobby", guild=guild)
    joined = guild.to_json([discord.bot])
    del joined["unavailable"]  # which tells a server that has come back from one that is new
    discord.gateway.dispatch("GUILD_CREATE", joined, 1)
    (greeting,) = await discord.wait_for(lambda: own(lobby))
    assert "/imagine" in greeting.content
    assert own(shut) == []
    newcomer = discord.add_user("zoe", guild=guild)
    await newcomer.click(greeting, "Try it")
    await discord.wait_for(lambda: any(message.attachments for message in own(lobby)))
    assert engine.requests[0].prompt == "a red fox in a snowy forest"
    assert greeting.buttons == ["Try it", "Set up"]


async def test_the_line_under_the_name_says_how_busy_it_is(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "EVERY_S", 0.02)
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    await until(lambda: discord.gateway.presences)
    assert discord.gateway.presences[-1]["activities"][0]["name"] == "/imagine"
    for prompt in ("a fox", "a heron", "a lynx"):
        await easel.say(f"!dream {prompt}")
    await discord.wait_for(lambda: discord.gateway.presences[-1]["activities"][0]["name"] == "1 being drawn, 2 waiting")
    engine.release(3)
    await discord.wait_for(lambda: discord.gateway.presences[-1]["activities"][0]["name"] == "/imagine")


@pytest.mark.parametrize("name", ["forget", "control", "export"])
async def test_a_command_that_is_slash_only_answers_behind_the_prefix(start: StartEasel, name: str) -> None:
    easel = await start(FakeBackend())
    answer = await easel.answer_to(await easel.say(f"!{name} x"))
    assert f"</{name}:" in answer.content


async def test_what_only_one_person_should_read_is_named_to_press_on(start: StartEasel) -> None:
    easel = await start()
    for name in ("gallery", "history"):
        answer = await easel.answer_to(await easel.say(f"!{name}"))
        assert answer.content.startswith(f"Press on </{name}:")
        assert answer.content.endswith("only you see it.")
    alone = await easel.answer_to(await easel.say("!compare a fox"))
    assert "`/status` lists them; sketch is always there when it is named." in alone.content


async def test_help_names_commands_to_press_and_a_picture_to_try(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    page = await easel.answer_to(await easel.say("!help"))
    assert "</imagine:" in page.content
    assert "</settings set:" in page.content
    await discord.user("mia").click(page, "Try it")
    await discord.wait_for(lambda: any(message.attachments for message in own(discord.channel)))
    assert engine.requests[0].prompt == "a red fox in a snowy forest"


async def test_no_command_is_offered_that_cannot_work_here(discord: DiscordServer, start: StartEasel) -> None:
    await start(FakeBackend())
    assert "studio" not in discord.commands.names()

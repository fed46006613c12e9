"""*Draw this chat*: nothing of anybody's is read before they agree, and the picture is that of who asked."""

from __future__ import annotations

import pytest

from tests.discord_server import DiscordServer, Interaction, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, job_id, own
from tests.fakes import FakeBackend
from tests.services.wording.rig import FakeTextEngine

SAYS = {"prompt": "a lighthouse in a storm, waves over the rocks"}
NAME = "Draw this chat"
WRITE = "Write prompt · $0.0003"


async def chat(discord: DiscordServer) -> Message:
    """Have three people talk; return the last message."""
    mia, ann, tom = (discord.user(name) for name in ("mia", "ann", "tom"))
    await ann.say(discord.channel, "the storm last night was wild")
    await tom.say(discord.channel, f"call me on 555-1234, {mia.mention}")
    await mia.say(discord.channel, "and the lighthouse!")
    return await ann.say(discord.channel, "waves over the rocks")


async def shown(discord: DiscordServer, asked: Interaction) -> Message:
    return await discord.wait_for(
        lambda: next((each for each in (asked.original, *asked.followups) if each and each.content), None)
    )


async def drawn(easel: Easel) -> Message:
    return await easel.server.wait_for(
        lambda: next((each for each in own(easel.server.channel) if is_finished(each)), None)
    )


async def test_those_who_are_quoted_are_asked_and_only_who_agrees_is_read(
    discord: DiscordServer, start: StartEasel
) -> None:
    text = FakeTextEngine(SAYS)
    easel = await start(FakeBackend("gpu"), text_engine=text)
    mia, ann, tom = (discord.user(name) for name in ("mia", "ann", "tom"))
    question = await shown(discord, await mia.context_menu(NAME, await chat(discord)))
    assert not question.ephemeral
    assert question.content.splitlines()[1:3] == [f"⏳ {ann.mention}", f"⏳ {tom.mention}"]
    assert question.buttons == ["I agree", "Leave me out", WRITE]
    assert "Nothing of yours is quoted" in (await shown(discord, await mia.click(question, "I agree"))).content
    await easel.stop()
    await easel.start()
    await ann.click(question, "I agree")
    await tom.click(question, "Leave me out")
    await discord.wait_for(lambda: f"✅ {ann.mention}\n✖ {tom.mention}" in question.content)
    assert "Only who asked" in (await shown(discord, await ann.click(question, WRITE))).content
    assert text.asked == []
    prompt = await shown(discord, await mia.click(question, WRITE))
    assert text.asked[0].words == "A: the storm last night was wild\nB: and the lighthouse!\nA: waves over the rocks"
    assert prompt.ephemeral
    assert prompt.content == (f"**What this chat shows**\n```\n{SAYS['prompt']}\n```\n-# written by claude-haiku-5-5")
    await mia.click(prompt, "Draw it")
    job = await easel.job(job_id(await drawn(easel)))
    assert (job.request.prompt, job.origin.user_id) == (SAYS["prompt"], str(mia.id))


async def test_ones_own_words_need_nobody_else_and_mentions_become_somebody(
    discord: DiscordServer, start: StartEasel
) -> None:
    text = FakeTextEngine(SAYS)
    await start(FakeBackend("gpu"), text_engine=text)
    mia = discord.user("mia")
    await mia.say(discord.channel, f"I saw {discord.user('tom').mention} at the lighthouse")
    prompt = await shown(discord, await mia.context_menu(NAME, await mia.say(discord.channel, "in a storm")))
    assert prompt.ephemeral
    assert text.asked[0].words == "A: I saw somebody at the lighthouse\nA: in a storm"


async def test_without_a_text_engine_it_is_refused_in_words(discord: DiscordServer, start: StartEasel) -> None:
    await start(FakeBackend("gpu"))
    answer = await shown(discord, await discord.user("mia").context_menu(NAME, await chat(discord)))
    assert answer.ephemeral
    assert "No text engine is connected to this Easel" in answer.content


async def test_consent_is_for_those_messages_and_can_be_taken_back(discord: DiscordServer, start: StartEasel) -> None:
    text = FakeTextEngine(SAYS)
    await start(FakeBackend("gpu"), text_engine=text)
    mia, ann = discord.user("mia"), discord.user("ann")
    secret = await ann.say(discord.channel, "a secret")
    last = await ann.say(discord.channel, "waves over the rocks")
    question = await shown(discord, await mia.context_menu(NAME, last))
    nobody = await shown(discord, await mia.click(question, WRITE))
    assert "Nobody who is quoted there has agreed yet" in nobody.content
    await ann.click(question, "I agree")
    await discord.wait_for(lambda: f"✅ {ann.mention}" in question.content)
    forged = await shown(discord, await mia.forge(question, f"e1:chat:{secret.id}:write"))
    assert "older version" in forged.content
    await ann.click(question, "Leave me out")
    await discord.wait_for(lambda: f"✖ {ann.mention}" in question.content)
    assert "has agreed" in (await shown(discord, await mia.click(question, WRITE))).content
    assert text.asked == []


@pytest.mark.parametrize("by", ["mia", "ann"])
async def test_where_others_cannot_be_read_only_ones_own_message_is_drawn(
    discord: DiscordServer, start: StartEasel, by: str
) -> None:
    discord.message_content = False
    text = FakeTextEngine(SAYS)
    await start(FakeBackend("gpu"), text_engine=text, message_content=False)
    last = await discord.user(by).say(discord.channel, "waves over the rocks")
    answer = await shown(discord, await discord.user("mia").context_menu(NAME, last))
    if by == "mia":
        assert text.asked[0].words == "A: waves over the rocks"
    else:
        assert "only your own message can be drawn" in answer.content

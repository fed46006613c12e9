"""Reactions under a picture: ⭐ keeps, ❌ cancels or deletes, ✉️ sends it; from others they are only opinions."""

from __future__ import annotations

import asyncio

import pytest

from generation.job import JobStatus
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, own
from tests.fakes import FakeBackend


async def favourites(easel: Easel, user: str = "mia") -> str:
    answer = await easel.server.user(user).slash(easel.server.channel, "gallery", favourites=True)
    await easel.server.wait_for(lambda: answer.original and not answer.original.loading)
    return str(answer.original.content)


async def favourites_hold(easel: Easel, is_there: bool) -> None:
    async with asyncio.timeout(20):
        while ("a red fox" in await favourites(easel)) is not is_there:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("star", ["⭐", "🌟"])
async def test_a_star_keeps_a_picture_and_taking_it_back_lets_go(
    discord: DiscordServer, start: StartEasel, star: str
) -> None:
    easel = await start()
    answer = await easel.dream("!dream a red fox --size 64x64")
    await discord.user("mia").react(answer, star)
    await discord.wait_for(lambda: ("GET", f"/channels/{answer.channel.id}/messages/{answer.id}") in asked(discord))
    await favourites_hold(easel, True)
    await discord.user("mia").unreact(answer, star)
    await favourites_hold(easel, False)


def asked(discord: DiscordServer) -> list[tuple[str, str]]:
    return [(record.method, record.path) for record in discord.requests]


async def test_a_cross_cancels_what_is_drawn_and_deletes_what_is_done(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    running = await easel.answer_to(await easel.say("!dream a red fox"))
    await discord.user("mia").react(running, "❌")
    await discord.wait_for(lambda: "cancelled" in running.content)
    engine.release(2)
    done = await easel.dream("!dream a heron")
    await discord.user("mia").react(done, "❌")
    await discord.wait_for(lambda: done.deleted)


async def test_a_cross_of_somebody_else_is_an_opinion_and_a_moderators_counts(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend())
    discord.user("mod", permissions=("MANAGE_MESSAGES",))
    first, second = await easel.dream("!dream a red fox"), await easel.dream("!dream a heron")
    await discord.user("ann").react(first, "❌")
    await discord.user("ann").react(first, "👍")
    await discord.user("mod").react(second, "❌")
    await discord.wait_for(lambda: second.deleted)
    assert not first.deleted
    assert (await easel.job(job_id(first))).status is JobStatus.DONE
    assert own(discord.user("ann").dm_channel) == []


async def test_a_letter_sends_the_originals_to_who_asked(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    answer = await easel.dream("!dream a red fox --size 64x64 --batch 2")
    await discord.user("ann").react(answer, "✉️")
    (letter,) = await discord.wait_for(lambda: own(discord.user("ann").dm_channel))
    assert len(letter.attachments) == 2
    assert letter.content.startswith("**a red fox**")
    assert letter.pings == []


async def test_reactions_under_other_messages_are_left_alone(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    talk = await easel.say("look at this")
    for sign in ("⭐", "❌", "✉️"):
        await discord.user("ann").react(talk, sign)
    await easel.dream("!dream the end")
    assert own(discord.user("ann").dm_channel) == []
    assert not talk.deleted


async def test_a_private_picture_reacts_to_nobody_else(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    await easel.say("!dream a red fox --private")
    mia = discord.user("mia")
    (letter,) = await discord.wait_for(lambda: [each for each in own(mia.dm_channel) if each.attachments])
    await mia.react(letter, "⭐")
    await favourites_hold(easel, True)

"""Spoilers by rule, and what becomes of finished pictures that seem not safe for work."""

from __future__ import annotations

import pytest

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import reply_to
from tests.e2e.test_setup import fill, panel
from tests.fakes import FakeBackend, FakeCheck


async def finish(discord: DiscordServer, **values: str) -> None:
    """Set what happens to finished pictures."""
    await fill(discord, await panel(discord), "Finished pictures", values)


async def test_every_picture_may_come_behind_a_spoiler(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    before = await easel.dream()
    await finish(discord, cover="Every picture")
    assert not before.attachments[0].filename.startswith("SPOILER_")
    covered = await easel.dream()
    assert covered.attachments[0].filename.startswith("SPOILER_")
    asked = await easel.slash("a heron")
    await discord.wait_for(lambda: asked.original and asked.original.attachments)
    assert asked.original.attachments[0].filename.startswith("SPOILER_")


async def test_or_only_those_of_age_restricted_channels(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    adult = discord.add_channel("adult", nsfw=True)
    await finish(discord, cover="Pictures in age-restricted channels")
    assert not (await easel.dream()).attachments[0].filename.startswith("SPOILER_")
    message = await discord.user("mia").say(adult, "!dream a fox")
    done = await discord.wait_for(lambda: (reply := reply_to(message)) and reply.attachments and reply)
    assert done.attachments[0].filename.startswith("SPOILER_")


async def test_a_picture_that_seems_not_safe_for_work_comes_behind_a_spoiler_with_the_reason(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend(), check=FakeCheck(0.9), checks_all=False)
    assert not (await easel.dream()).attachments[0].filename.startswith("SPOILER_"), "no rule, no check"
    await finish(discord, flagged="It comes behind a spoiler")
    covered = await easel.dream()
    assert covered.attachments[0].filename.startswith("SPOILER_")
    assert "behind a spoiler, since 1 picture seems not safe for work" in covered.content


async def test_or_a_blurred_copy_takes_its_place_or_it_is_held_back_in_words(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend(), check=FakeCheck(0.9, 0.9), checks_all=False)
    adult = discord.add_channel("adult", nsfw=True)
    await finish(discord, flagged="A blurred copy takes its place")
    blurred = await easel.dream()
    assert "1 picture is blurred, since it seems not safe for work" in blurred.content
    assert len(blurred.attachments) == 1
    await finish(discord, flagged="It is held back")
    held = await easel.answer_to(await easel.say("!dream a red fox"))
    await discord.wait_for(lambda: "1 picture was held back" in held.content)
    assert held.attachments == []
    message = await discord.user("mia").say(adult, "!dream a fox")
    assert await discord.wait_for(lambda: (reply := reply_to(message)) and reply.attachments), "not there"


async def test_a_picture_that_cannot_be_looked_at_is_held_back(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend(), check=FakeCheck(None), checks_all=False)
    await finish(discord, flagged="It comes behind a spoiler")
    held = await easel.answer_to(await easel.say("!dream a red fox"))
    await discord.wait_for(lambda: "the picture check could not look at it" in held.content)
    assert held.attachments == []


async def test_a_seed_that_was_drawn_before_is_drawn_and_looked_at_again(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine, check=FakeCheck(0.9), checks_all=False)
    await easel.dream("!dream a red fox --seed 5")
    await finish(discord, flagged="It comes behind a spoiler")
    assert (await easel.dream("!dream a red fox --seed 5")).attachments[0].filename.startswith("SPOILER_")
    assert len(engine.requests) == 2


@pytest.mark.parametrize("flagged", ["It comes behind a spoiler", "It is held back"])
async def test_without_a_picture_check_it_cannot_be_chosen_and_what_was_chosen_draws_nothing(
    discord: DiscordServer, start: StartEasel, flagged: str
) -> None:
    engine = FakeBackend()
    easel = await start(engine, check=FakeCheck(0.1), checks_all=False)
    await finish(discord, flagged=flagged)
    easel.now.easel.services.house.gate.has_picture_check = False  # its packages were taken away
    refused = await easel.answer_to(await easel.say("!dream a red fox"))
    assert "this Easel has no picture check" in refused.content
    assert "make run ART=1" in refused.content
    sent = await fill(discord, await panel(discord), "Finished pictures", {"flagged": flagged})
    assert "this Easel has no picture check" in sent.message.content
    await finish(discord, flagged="No picture is checked")
    assert await easel.dream()
    assert len(engine.requests) == 1

"""`/describe` goes through the house rules like every other door: bans, channels, roles, words."""

from __future__ import annotations

import pytest

from tests.discord_server import DiscordServer, Interaction
from tests.e2e.conftest import StartEasel
from tests.e2e.pictures import png
from tests.e2e.test_pictures import Teller
from tests.e2e.test_setup import fill, panel

FILE = ("cat.png", png())


async def reads(discord: DiscordServer, result: Interaction) -> str:
    """Return the answer, once it is more than "thinking…"."""

    def shown() -> str:
        messages = [*result.followups, result.original]
        return next((each.content for each in messages if each and not each.loading and not each.deleted), "")

    return str(await discord.wait_for(shown))


@pytest.mark.parametrize("by_menu", [False, True])
async def test_a_channel_without_drawing_has_no_descriptions(
    discord: DiscordServer, start: StartEasel, by_menu: bool
) -> None:
    engine = Teller()
    await start(engine)
    art = discord.add_channel("art")
    await fill(discord, await panel(discord), "Channels and roles", {"channels": [art]})
    mia = discord.user("mia")
    message = await mia.say(discord.channel, "look", attachments=[FILE])
    if by_menu:
        result = await mia.context_menu("Describe", message)
    else:
        result = await mia.slash(discord.channel, "describe", image=FILE)
    assert "not drawn in this channel" in await reads(discord, result)
    assert "#art" in await reads(discord, result)
    assert engine.seen == []
    allowed = await mia.slash(art, "describe", image=FILE)
    assert "a red fox in the snow" in await reads(discord, allowed)


async def test_who_is_banned_has_nothing_described(discord: DiscordServer, start: StartEasel) -> None:
    engine = Teller()
    await start(engine)
    mia, chief = discord.user("mia"), discord.user("chief", permissions=["MANAGE_GUILD"])
    await chief.slash(discord.channel, "ban", user=mia, reason="violence")
    result = await mia.slash(discord.channel, "describe", image=FILE)
    assert "violence" in await reads(discord, result)
    assert engine.seen == []


async def test_words_that_would_not_be_drawn_here_are_not_told(discord: DiscordServer, start: StartEasel) -> None:
    engine = Teller()
    engine.says = "an explicit photo of a nude woman"
    await start(engine)
    result = await discord.user("mia").slash(discord.channel, "describe", image=FILE)
    answer = await reads(discord, result)
    assert "not put into words here" in answer
    assert "nude" not in answer
    adult = discord.add_channel("adult", nsfw=True)
    there = await discord.user("mia").slash(adult, "describe", image=FILE)
    assert "nude woman" in await reads(discord, there)

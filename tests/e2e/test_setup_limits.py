"""Limits in the panel of `/setup`, and who goes first: managers set both, each holds at once."""

from __future__ import annotations

import pytest

from tests.discord_server import DiscordServer, Message
from tests.discord_server.user import User
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import job_id, reply_to
from tests.fakes import FakeBackend
from tests.waiting import until


def chief(discord: DiscordServer) -> User:
    return discord.user("chief", permissions=["MANAGE_GUILD"])


def role_of(discord: DiscordServer, user: User) -> int:
    return next(role for role in discord.guild.roles if role in discord.guild.members[user.id][1])


async def limits_page(discord: DiscordServer) -> Message:
    panel = (await chief(discord).slash(discord.channel, "setup start")).message
    await chief(discord).click(panel, "Limits")
    return panel


async def fill(discord: DiscordServer, page: Message, button: str, **values: object) -> None:
    opened = await chief(discord).click(page, button)
    await chief(discord).submit(opened.modal, values)


async def test_a_manager_edits_all_limits_in_the_panel(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    fan, art = discord.user("fan", permissions=["ADD_REACTIONS"]), discord.add_channel("art")
    fans = role_of(discord, fan)
    page = await limits_page(discord)
    assert page.buttons == ["Size and steps", "How many", "Priority", "Rules"]
    assert "No limits are set here" in page.content
    await fill(discord, page, "Size and steps", pixels="512x512", steps="20", batch="2")
    assert "everybody: pictures of 262,144 pixels, such as 512×512 · 20 steps · 2 pictures a request" in page.content
    await fill(discord, page, "Size and steps", role=[str(fans)], steps="0")
    assert f"<@&{fans}>: any number of steps" in page.content
    await fill(discord, page, "How many", channel=[art], daily="5", waiting="4", running="1")
    assert f"<#{art.id}>: 5 pictures a day · 4 requests waiting · 1 request drawn at a time" in page.content
    await easel.stop()
    await easel.start()
    await fill(discord, page, "Size and steps", steps="-")
    assert "262,144 pixels, such as 512×512 · 2 pictures" in page.content, "a dash drops one, what is empty stays"
    refused = await easel.answer_to(await easel.say("!dream a fox --size 1024x1024"))
    assert "1024×1024 is too large" in refused.content
    await chief(discord).click(page, "Rules")
    assert "**House rules**" in page.content


@pytest.mark.parametrize(
    ("button", "values", "words"),
    [
        ("Size and steps", {"steps": "many"}, "“many” is no number"),
        ("Size and steps", {"pixels": "huge"}, "write 1024x1024, 1.5MP, or 0 for any"),
        ("How many", {"daily": "2.5"}, "“2.5” is no number"),
        ("How many", {}, "Nothing was filled in"),
        ("Priority", {"weight": "1000"}, "weight may be 0.1 to 100"),
    ],
)
async def test_what_is_no_limit_is_refused_and_nothing_changes(
    discord: DiscordServer, start: StartEasel, button: str, values: dict[str, object], words: str
) -> None:
    await start(FakeBackend())
    page = await limits_page(discord)
    before = page.content
    opened = await chief(discord).click(page, button)
    sent = await chief(discord).submit(opened.modal, values)
    assert words in sent.message.content
    assert sent.ephemeral
    assert page.content == before


async def test_members_neither_see_nor_change_limits(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    mia = discord.user("mia")
    message = await easel.answer_to(await easel.say("!help"))
    for part in ("limits", "limits-drawing", "rules"):
        pressed = await mia.forge(message, f"e1:setup:{part}")
        assert "Only people with Manage Server" in pressed.message.content
    sent = await mia.forge(message, "e1:setup:limits-drawing", form={"steps": "5"})
    assert "Only people with Manage Server" in sent.message.content
    await chief(discord).forge(message, "e1:setup:limits")
    assert "Limits here" not in message.content, "a message that is no panel stays as it is"


async def test_a_role_that_may_goes_before_what_waits_and_others_read_who_may(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend("gpu", hold=True)
    easel = await start(engine)
    fan = discord.user("fan", permissions=["ADD_REACTIONS"])
    page = await limits_page(discord)
    await fill(discord, page, "Priority", role=[str(role_of(discord, fan))], weight="2", priority="They may")
    assert "2 times as many turns in the queue · may say `--priority high`" in page.content
    for number in range(3):
        await easel.say(f"!dream fox {number}")
    await until(lambda: len(engine.requests) == 1)
    hasty = await fan.say(discord.channel, "!dream an owl --priority high")
    waiting = await discord.wait_for(lambda: reply_to(hasty) if reply_to(hasty) and reply_to(hasty).controls else None)
    view = await easel.now.service.view(job_id(waiting))
    assert view is not None
    assert view.position == 1
    refused = await easel.answer_to(await easel.say("!dream a hen --priority high"))
    assert "`--priority high` is for people whom this server lets go first" in refused.content
    assert refused.buttons == ["Draw in turn"]
    await discord.user("mia").click(refused, "Draw in turn")
    await discord.wait_for(lambda: "is for people" not in refused.content)
    shown = (await fan.slash(discord.channel, "quota")).original
    assert "may say `--priority high`" in shown.content
    engine.release(9)

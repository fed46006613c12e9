"""Answers as mia always wants them: in private, hidden, without previews or pings, also by direct message."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cogs import posting
from generation.job import Progress
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, own, reply_to
from tests.e2e.pictures import png, rich_backend
from tests.fakes import FakeBackend
from tests.waiting import until


async def always(easel: Easel, user: str = "mia", **wanted: Any) -> str:
    answer = await easel.server.user(user).slash(easel.server.channel, "settings set", **wanted)
    await easel.server.wait_for(lambda: answer.message is not None or answer.followups)
    return str((answer.message or answer.followups[0]).content)


async def by_slash(easel: Easel, **options: Any) -> Message:
    answer = await easel.slash("a red fox", **options)
    await easel.server.wait_for(lambda: answer.original and answer.original.attachments)
    message: Message = answer.original
    return message


async def letters(discord: DiscordServer, count: int = 1) -> list[Message]:
    mia = discord.user("mia")

    def found() -> list[Message]:
        sent = [each for each in own(mia.dm_channel) if each.attachments]
        return sent if len(sent) >= count else []

    return list(await discord.wait_for(found))


async def test_they_are_shown_with_where_they_come_from(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    discord.user("boss", permissions=("MANAGE_GUILD",))
    assert "`--previews off` · this server’s" in await always(easel, "boss", scope="server", previews=False)
    shown = await always(easel, options="--steps 30", previews=True, dm=True)
    assert "`--steps 30` · yours\n`--previews on` · yours\n`--dm on` · yours" in shown
    assert "~~`--previews off` · this server’s~~" in shown
    assert "manage this server" in await always(easel, private=True, scope="server")


async def test_private_is_private_by_slash_and_by_button(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    public = await easel.dream("!dream a red fox")
    await always(easel, private=True)
    assert (await by_slash(easel)).ephemeral
    assert not (await by_slash(easel, private=False)).ephemeral, "what is said goes first"
    press = await discord.user("mia").click(public, "Re-roll")
    await discord.wait_for(lambda: press.original and press.original.attachments)
    assert press.original.ephemeral
    other = await discord.user("ann").click(public, "Re-roll")
    await discord.wait_for(lambda: other.original and other.original.attachments)
    assert not other.original.ephemeral


async def test_private_by_prefix_is_a_direct_message(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    await easel.say("!settings set --private")
    await discord.wait_for(lambda: [each for each in own(discord.channel) if "--private on" in each.content])
    await easel.say("!dream a red fox")
    await letters(discord)
    assert not [each for each in own(discord.channel) if each.attachments]


async def test_a_comparison_is_private_where_discord_can_answer_so(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend("a"), rich_backend("b"))
    await always(easel, private=True)
    answer = await discord.user("mia").slash(discord.channel, "compare", prompt="a red fox")
    await discord.wait_for(lambda: answer.original and answer.original.attachments)
    assert answer.original.ephemeral
    asked = await easel.say("!compare a red fox")
    await discord.wait_for(lambda: (reply := reply_to(asked)) and reply.attachments)


async def test_a_question_asked_in_private_is_answered_so(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    await always(easel, private=True)
    asked = await easel.slash("a {red|blue|green|grey|black|white|tall|small|old|young} fox")
    await discord.wait_for(lambda: asked.original and "Draw" in asked.original.content)
    assert asked.original.ephemeral


async def test_spoiler_hides_until_it_is_clicked(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    await always(easel, spoiler=True)
    [file] = (await easel.dream("!dream a red fox")).attachments
    assert file.filename.startswith("SPOILER_")
    [file] = (await by_slash(easel)).attachments
    assert file.filename.startswith("SPOILER_")
    [file] = (await by_slash(easel, spoiler=False)).attachments
    assert not file.filename.startswith("SPOILER_")


@pytest.mark.usefixtures("quick_edits")
async def test_without_previews_only_the_finished_picture_is_shown(discord: DiscordServer, start: StartEasel) -> None:
    class Previewing(FakeBackend):
        async def generate(self, request: Any, report: Any) -> Any:
            await report(Progress(fraction=0.2, preview=png(32)))
            await seen.wait()
            await report(Progress(fraction=0.8, preview=png(32)))
            return await super().generate(request, report)

    seen = asyncio.Event()
    engine = Previewing(hold=True)
    easel = await start(engine)
    await always(easel, previews=False)
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    await discord.wait_for(lambda: "20%" in answer.content)
    assert not answer.attachments
    seen.set()
    await discord.wait_for(lambda: "50%" in answer.content)
    assert not answer.attachments
    engine.release()
    await easel.finished(answer)


async def test_without_pings_a_long_wait_ends_quietly(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "PING_STAYS_S", 0.02)
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    await always(easel, pings=False)
    answers = []
    for user in ("mia", "ann"):
        answers.append(await easel.answer_to(await easel.say("!dream a red fox", user=user)))
        await until(lambda: engine.running)
        easel.clock.offset_s += 40
        engine.release()
        await easel.finished(answers[-1])
    await discord.wait_for(lambda: any(message.pings for message in discord.channel.messages))
    pinged = [person for message in discord.channel.messages for person in message.pings]
    assert pinged == [discord.user("ann")]


async def test_the_finished_picture_also_comes_by_direct_message(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    await always(easel, dm=True)
    picture = await easel.dream("!dream a red fox --batch 2")
    assert picture.attachments
    [letter] = await letters(discord)
    assert len(letter.attachments) == 2
    await by_slash(easel, private=True)
    await letters(discord, 2)


async def test_closed_direct_messages_are_told_once(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    mia = discord.user("mia")
    await always(easel, dm=True)
    mia.dms_open = False

    def told() -> list[Message]:
        return [each for each in own(discord.channel) if "as a direct message" in each.content]

    await easel.dream("!dream a red fox")
    await discord.wait_for(told)
    await easel.dream("!dream a blue fox")
    mia.dms_open = True
    await easel.dream("!dream a green fox")
    await letters(discord)
    assert len(told()) == 1


async def test_after_a_restart_a_waiting_picture_still_comes_as_it_was_wanted(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    await always(easel, dm=True)
    await easel.answer_to(await easel.say("!dream a red fox"))
    await until(lambda: engine.running)
    await easel.stop()
    engine.release(2)
    await easel.start()
    await letters(discord)

"""`CARD_STYLE=v2`: pictures as layouts, from every door and through a restart; what is there stays as it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backends.base import ProgressCallback
from cogs.posting import ASKING
from generation.job import Progress
from generation.request import GenerationRequest
from generation.result import GenerationResult
from services.drawing.intakes import IntakeService
from tests.discord_server import DiscordServer, Message
from tests.discord_server.layout_parts import galleries_in
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, job_id, more, own
from tests.e2e.test_intake import ASKS, Ask
from tests.fakes import FakeBackend

SEEDED = "!dream a red fox --seed 42"


def pictures(message: Message) -> list[tuple[bytes, str]]:
    """Return the pictures that a person sees in a layout, with what is said of each to those who do not see."""
    files = {file.filename: file.data for file in message.files}
    return [(files[name], alt_text) for name, alt_text in galleries_in(message.components)]


def check_finished(message: Message, words: str = "a red fox") -> None:
    assert message.is_layout
    assert message.content == ""
    assert message.text.startswith(f"**{words}** — <@")
    ((data, alt_text),) = pictures(message)
    assert data.startswith(b"\x89PNG")
    assert words in alt_text
    (container,) = message.components
    assert [part["type"] for part in container["components"]][:3] == [10, 12, 10]


async def test_a_prefix_command_is_answered_by_a_layout_whose_buttons_work(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine, card_style="v2")
    answer = await easel.dream(SEEDED)
    check_finished(answer)
    result = await discord.user("mia").click(answer, "Re-roll")
    again = await easel.finished(result.original)
    check_finished(again)
    assert engine.requests[1].seed != 42
    assert own(discord.channel) == [answer, again]
    info = await more(discord.user("tom"), again, "Info")
    assert info.ephemeral
    assert discord.violations == []


async def test_a_slash_command_is_answered_by_one_layout(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend(), card_style="v2")
    result = await easel.slash("a red fox")
    answer = await easel.finished(result.original)
    check_finished(answer)
    assert own(discord.channel) == [answer]
    assert result.followups == []
    assert discord.violations == []


async def test_a_private_answer_stays_private(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend(), card_style="v2")
    result = await easel.slash("a red fox", private=True)
    answer = await easel.finished(result.original)
    check_finished(answer)
    assert answer.ephemeral
    assert discord.user("tom").sees(discord.channel) == []


async def test_a_repeat_is_several_layouts(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend(), card_style="v2")
    await easel.slash("a red fox --repeat 3")
    await discord.wait_for(lambda: [is_finished(each) for each in own(discord.channel)] == [True] * 3)
    for message in own(discord.channel):
        check_finished(message)
    assert discord.violations == []


async def test_what_takes_longer_is_announced_by_what_becomes_the_picture(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cogs.desk.SOON_S", 0.0)
    easel = await start(FakeBackend(), card_style="v2")
    answer = await easel.dream()
    check_finished(answer)
    assert own(discord.channel) == [answer]
    refused = await easel.answer_to(await easel.say("!dream a fox --backend nowhere"))
    assert refused.is_layout
    assert "nowhere" in refused.text
    assert refused.controls == []


class Reporting(FakeBackend):
    """Lets the test report how far it is."""

    report: ProgressCallback

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        self.report = report
        return await super().generate(request, report)


@pytest.mark.usefixtures("quick_edits")
async def test_a_preview_stays_until_the_picture_is_there(discord: DiscordServer, start: StartEasel) -> None:
    preview = b"\x89PNG\r\n\x1a\npreview"
    engine = Reporting(hold=True, preview=preview)
    easel = await start(engine, card_style="v2")
    answer = await easel.answer_to(await easel.say(SEEDED))
    await discord.wait_for(lambda: pictures(answer) and "50%" in answer.text)
    await engine.report(Progress(fraction=0.8))
    await discord.wait_for(lambda: "80%" in answer.text)
    assert [data for data, __ in pictures(answer)] == [preview]
    engine.release()
    check_finished(await easel.finished(answer))
    assert len(answer.files) == 1, "the preview is gone"


def take_back_refusals(discord: DiscordServer, most: int) -> None:
    """Allow for one refused edit of each message whose style could not be known."""
    refused = [violation for violation in discord.violations if violation.rule == "50035"]
    assert len(refused) <= most, discord.violations
    discord.violations[:] = [violation for violation in discord.violations if violation not in refused]


async def test_messages_that_are_there_keep_their_style(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    old = await easel.answer_to(await easel.say("!dream a red fox"))
    assert not old.is_layout
    await easel.kill()
    engine = FakeBackend()
    easel = await start(engine, card_style="v2")
    old = await easel.finished(old)
    assert not old.is_layout
    assert "a red fox" in old.content
    new = await easel.finished((await discord.user("mia").click(old, "Re-roll")).original)
    check_finished(new)
    await easel.kill()
    easel = await start(FakeBackend(), card_style="classic")
    classic = await easel.finished((await discord.user("mia").click(new, "Re-roll")).original)
    assert not classic.is_layout
    assert own(discord.channel) == [old, new, classic]
    take_back_refusals(discord, 2)


async def test_a_layout_that_was_sent_before_a_crash_is_found_and_not_sent_again(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine, card_style="v2")
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    job = await easel.job(job_id(answer))
    await easel.now.database.write("UPDATE jobs SET message_id = NULL WHERE id = ?", (job.id,))
    await easel.kill()
    easel = await start(FakeBackend(), card_style="v2")
    check_finished(await easel.finished(answer))
    assert own(discord.channel) == [answer]


async def test_an_announcement_that_was_sent_before_a_crash_is_found(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("cogs.desk.SOON_S", 0.0)
        patch.setattr(IntakeService, "carry_out", lambda *_: asyncio.sleep(60))
        easel = await start(FakeBackend(), card_style="v2")
        await easel.say("!dream a red fox")
        announced = await discord.wait_for(lambda: next(iter(own(discord.channel)), None))
        assert announced.text == ASKING
        await easel.now.database.write("UPDATE intakes SET message_id = NULL")
        await easel.kill()
    await start(FakeBackend(), card_style="v2")
    await discord.wait_for(lambda: is_finished(announced))
    check_finished(announced)
    assert own(discord.channel) == [announced]


@pytest.mark.parametrize("ask", ASKS, ids=lambda ask: ask.__name__)
async def test_each_way_to_ask_is_answered_by_one_layout(discord: DiscordServer, start: StartEasel, ask: Ask) -> None:
    easel = await start(FakeBackend("one"), FakeBackend("two"), card_style="v2")
    shown = await easel.dream()
    earlier = {id(shown)}
    await ask(easel, shown)

    def answers() -> list[Message]:
        messages = [*own(discord.channel), *(each for each in discord.user("mia").dms if each.author.bot)]
        return [message for message in messages if id(message) not in earlier]

    await discord.wait_for(lambda: any(pictures(message) for message in answers()))
    (answer,) = answers()
    assert answer.is_layout
    assert answer.content == ""


async def enlarged(easel: Easel, how: str, answer: Message) -> Any:
    mia = easel.server.user("mia")
    if how == "menu":
        return await easel.finished((await mia.context_menu("Upscale 2×", answer)).original)
    if how == "button":
        return await easel.finished((await mia.click(answer, "⬆️")).original)
    words = {"command": "!upscale", "words": "2x", "link": f"!dream {link_to(answer)} --upscale 2"}[how]
    return await easel.dream(words, **({} if how == "link" else {"reply_to": answer}))


def link_to(message: Message) -> str:
    guild = message.channel.guild
    assert guild is not None
    return f"https://discord.com/channels/{guild.id}/{message.channel.id}/{message.id}"


@pytest.mark.parametrize("how", ["button", "menu", "command", "words", "link"])
async def test_a_picture_in_a_layout_is_gone_on_from(start: StartEasel, how: str) -> None:
    engine = FakeBackend()
    easel = await start(engine, card_style="v2")
    answer = await easel.dream()
    larger = await enlarged(easel, how, answer)
    assert larger.is_layout
    assert engine.requests[1].upscale_factor == 2


async def test_reactions_and_delete_reach_a_layout(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend(), card_style="v2")
    first, second = await easel.dream(), await easel.dream("!dream a hare")
    await discord.user("mia").react(first, "✉️")
    (letter,) = await discord.wait_for(lambda: discord.user("mia").dms)
    assert letter.content.startswith("**a red fox**")
    await discord.user("mia").react(first, "❌")
    await discord.wait_for(lambda: first.deleted)
    asked = await discord.user("mia").click(second, "🗑️")
    await discord.user("mia").click(asked.message, "Delete")
    await discord.wait_for(lambda: second.deleted)


async def test_a_comparison_is_a_layout_too(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("one"), FakeBackend("two"), card_style="v2")
    result = await discord.user("mia").slash(discord.channel, "compare", prompt="a red fox")
    message = result.original
    await discord.wait_for(lambda: len(pictures(message)) == 1)
    assert message.is_layout
    assert "a red fox" in message.text
    assert own(discord.channel) == [message]
    assert easel.running


async def test_the_longest_words_of_any_script_are_taken(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend(), card_style="v2")
    for words in ("狐" * 1900, "🦊" * 900, "*_`" * 600):
        answer = await easel.dream(f"!dream {words}")
        assert answer.is_layout
    assert discord.violations == []

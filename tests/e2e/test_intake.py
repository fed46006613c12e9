"""Requests are stored before anybody is told, and done by the next process where this one comes to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cogs import desk, posting
from cogs.cards import Card
from cogs.posting import ASKING
from services.drawing.intakes import MOST_STARTS, IntakeService
from services.people.uploads import UploadQuota
from settings.storage import StorageSettings
from store.uploads import UploadStore
from tests.cogs.samples import JOB, ORIGIN
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, own, reply_to
from tests.e2e.pictures import png, rich_backend
from tests.fakes import FakeBackend
from tests.waiting import until

Ask = Callable[[Easel, Message], Awaitable[Any]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "SOON_S", 0.05)
    monkeypatch.setattr(posting, "OPEN_RETRY_S", (0.05, 0.05))


@contextmanager
def nothing_done() -> Iterator[pytest.MonkeyPatch]:
    """Let nothing that is taken in become a job."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IntakeService, "carry_out", lambda *_: asyncio.sleep(60))
        yield patch


async def intakes(easel: Easel) -> list[Any]:
    return await easel.now.database.fetch("SELECT * FROM intakes WHERE ended_at IS NULL")


async def taken_in(easel: Easel, count: int = 1) -> None:
    async with asyncio.timeout(5):
        while len(await intakes(easel)) < count:
            await asyncio.sleep(0.01)


async def by_command(easel: Easel, _: Message) -> Any:
    return await easel.say("!dream a new fox --strength 0.5", attachments=[("cat.png", png())])


async def by_slash(easel: Easel, _: Message) -> Any:
    return await easel.slash("a new fox", image=("cat.png", png()))


async def by_private_slash(easel: Easel, _: Message) -> Any:
    return await easel.slash("a new fox", private=True)


async def by_private_command(easel: Easel, _: Message) -> Any:
    return await easel.say("!dream a new fox --private")


async def by_compare(easel: Easel, _: Message) -> Any:
    return await easel.slash("a new fox", command="compare")


async def by_compare_command(easel: Easel, _: Message) -> Any:
    return await easel.say("!compare a new fox")


async def by_reroll(easel: Easel, shown: Message) -> Any:
    return await easel.server.user("mia").click(shown, "Re-roll")


async def by_edit(easel: Easel, shown: Message) -> Any:
    mia = easel.server.user("mia")
    opened = await mia.click(shown, "Remix")
    return await mia.submit(opened.modal, {"Prompt": "a new fox"})


async def by_menu(easel: Easel, shown: Message) -> Any:
    return await easel.server.user("ann").context_menu("Zoom out 1.5×", shown)


async def by_inpaint(easel: Easel, _: Message) -> Any:
    files = {"image": ("cat.png", png()), "mask": ("m.png", png(64, "white"))}
    return await easel.slash("a new fox", command="inpaint", **files)


async def by_outpaint(easel: Easel, _: Message) -> Any:
    return await easel.slash("a new fox", command="outpaint", image=("cat.png", png()))


async def by_upscale(easel: Easel, _: Message) -> Any:
    return await easel.server.user("mia").slash(easel.server.channel, "upscale", image=("cat.png", png()))


ASKS: list[Ask] = [
    by_command, by_slash, by_private_slash, by_private_command, by_compare, by_compare_command, by_reroll, by_edit,
    by_menu, by_inpaint, by_outpaint, by_upscale,
]  # fmt: skip


def shown_for(asked: Any, easel: Easel) -> Message | None:
    """Return the answer to a command or a press, if it has one."""
    if not isinstance(asked, Message):
        return asked.message  # type: ignore[no-any-return]
    mia = easel.server.user("mia")
    return reply_to(asked) or (mia.dms[0] if mia.dms else None)


def is_over(message: Message | None) -> bool:
    return message is not None and bool(message.attachments) and "Cancel" not in message.buttons


@pytest.mark.parametrize("ask", ASKS)
async def test_what_was_taken_in_is_done_by_the_next_process_once(
    discord: DiscordServer, start: StartEasel, ask: Ask
) -> None:
    easel = await start(rich_backend(), FakeBackend("grid"))
    shown = await easel.dream()
    before = len(own(discord.channel))
    with nothing_done():
        asked = await ask(easel, shown)
        await taken_in(easel)
        await discord.wait_for(lambda: shown_for(asked, easel))  # "thinking", or that the engine is asked
        await easel.kill()
    await easel.start()
    await discord.wait_for(lambda: is_over(shown_for(asked, easel)), 8)
    assert await intakes(easel) == []
    public = [message for message in own(discord.channel) if not message.ephemeral]
    private = [message for message in own(discord.channel) if message.ephemeral] + discord.user("mia").dms
    assert len(public) + len(private) == before + 1
    assert all(is_over(message) for message in public + private)


@pytest.mark.parametrize("command", ["!dream a fox --repeat 4 --seed 7", "/generate"])
async def test_a_repeat_is_done_whole_wherever_it_was_cut_off(
    discord: DiscordServer, start: StartEasel, command: str
) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    fault = discord.fail("*", "/*messages*", delay_s=0.15, times=None)
    follow_up = discord.fail("POST", "/webhooks/*", delay_s=0.15, times=None)
    if command.startswith("!"):
        await easel.say(command)
    else:
        await easel.slash("a fox --repeat 4 --seed 7")
    await discord.wait_for(lambda: own(discord.channel) and own(discord.channel)[0].content)
    await easel.kill()
    fault.remove()
    follow_up.remove()
    await easel.start()
    await discord.wait_for(lambda: sum(map(is_finished, own(discord.channel))) == 4, 8)
    assert len(own(discord.channel)) == 4
    assert {request.seed for request in engine.requests} == {7, 8, 9, 10}


async def test_a_further_message_never_takes_the_place_of_an_answer_still_thinking(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend())
    with nothing_done():
        pressed = await easel.slash("a fox --repeat 2")
    origin = replace(
        ORIGIN,
        channel_id=str(discord.channel.id),
        reply_token=pressed.token,
        reply_token_until=easel.clock.now() + timedelta(minutes=15),
        answer_number=1,
        message_id=None,
    )
    await easel.bot.messages._poster.deliver(replace(JOB, origin=origin), Card(content="the second"))
    assert pressed.message.content == ASKING
    assert [item.content for item in pressed.followups] == ["the second"]


async def test_it_is_stored_when_the_press_is_acknowledged(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend(hold=True))
    discord.fail("POST", "/interactions/*", delay_s=0.3)
    asked = asyncio.ensure_future(easel.slash("a fox"))
    await discord.wait_for(lambda: any("/callback" in item.path for item in discord.requests))
    assert len(await easel.now.jobs.active()) + len(await intakes(easel)) >= 1
    await asked


async def test_an_event_that_comes_twice_makes_one_job(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    reply = await easel.say("!dream a fox")
    discord.gateway.dispatch_message("MESSAGE_CREATE", reply)
    answer = await easel.answer_to(reply)
    discord.gateway.dispatch_message("MESSAGE_CREATE", reply)
    await easel.finished(answer)
    last = await easel.dream("!dream an owl")
    assert own(discord.channel) == [answer, last]
    assert len(engine.requests) == 2


async def test_a_press_nobody_could_acknowledge_is_answered_in_the_channel(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend(hold=True))
    discord.fail("POST", "/interactions/*", status=404, json={"code": 10062, "message": "Unknown interaction"})
    asked = asyncio.ensure_future(easel.slash("a fox"))
    await until(lambda: easel.backends[0].running)
    easel.backends[0].release()
    await discord.wait_for(lambda: any(map(is_finished, own(discord.channel))), 8)
    assert len(own(discord.channel)) == 1
    asked.cancel()


async def test_a_refusal_after_a_restart_is_told_and_ends_it(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    with nothing_done():
        reply = await easel.say("!dream a fox --backend nowhere")
        pressed = await easel.slash("a fox --backend nowhere")
        await discord.wait_for(lambda: reply_to(reply) and pressed.message)
        await easel.kill()
    await easel.start()
    await discord.wait_for(lambda: "no engine “nowhere”" in reply_to(reply).content)
    await discord.wait_for(lambda: pressed.followups)
    assert "no engine “nowhere”" in pressed.followups[0].content
    assert pressed.message is None
    await until_closed(easel)
    assert len([item for item in own(discord.channel) if not item.ephemeral]) == 1


async def until_closed(easel: Easel) -> None:
    async with asyncio.timeout(5):
        while await intakes(easel):
            await asyncio.sleep(0.01)


async def begun(easel: Easel, starts: int) -> None:
    async with asyncio.timeout(5):
        while [row["starts"] for row in await intakes(easel)] not in ([starts], []):
            await asyncio.sleep(0.01)


async def test_what_stops_easel_again_and_again_is_given_up(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    with nothing_done():
        reply = await easel.say("!dream a fox")
        await discord.wait_for(lambda: reply_to(reply))
        for number in range(MOST_STARTS):
            await easel.kill()
            await easel.start()
            await begun(easel, number + 2)
        await discord.wait_for(lambda: "stopped each time" in reply_to(reply).content)
    await until_closed(easel)


async def test_a_day_later_it_is_told_instead(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    with nothing_done():
        reply = await easel.say("!dream a fox")
        pressed = await easel.slash("a fox")
        await discord.wait_for(lambda: reply_to(reply) and pressed.message)
        await easel.kill()
    easel.clock.offset_s = 25 * 3600
    discord.advance(25 * 3600)
    await easel.start()
    await discord.wait_for(lambda: "more than a day" in reply_to(reply).content)
    mia = discord.user("mia")
    await discord.wait_for(lambda: mia.dms)
    assert "more than a day" in mia.dms[0].content
    await until_closed(easel)
    assert engine.requests == []


async def test_an_expired_press_is_answered_in_the_channel(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    with nothing_done():
        await easel.slash("a fox")
        await taken_in(easel)
        await easel.kill()
    easel.clock.offset_s = 16 * 60
    discord.advance(16 * 60)
    await easel.start()
    await discord.wait_for(lambda: any(map(is_finished, own(discord.channel))), 8)
    assert sum(map(is_finished, own(discord.channel))) == 1


async def test_an_announcement_whose_place_was_not_noted_becomes_the_answer(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend())
    mia = discord.user("mia")
    with nothing_done() as patch:
        patch.setattr(IntakeService, "attach", lambda *_, **__: asyncio.sleep(60))
        reply = await easel.say("!dream a fox")
        for text in ("!dream a secret fox --private", "!dream another --private"):
            await easel.say(text)
        await discord.wait_for(lambda: reply_to(reply) and len(mia.dms) == 2)
        assert reply_to(reply).content == ASKING
        await easel.kill()
    await easel.start()
    await discord.wait_for(lambda: is_finished(reply_to(reply)) and all(map(is_finished, mia.dms)), 8)
    assert len(own(discord.channel)) == 1
    assert len(mia.dms) == 2


async def test_an_edit_that_was_cut_off_after_its_job_still_ends_the_old_one(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    shown = await easel.answer_to(await easel.say("!dream a fox"))
    await until(lambda: engine.running)
    await discord.wait_for(lambda: "Edit" in shown.buttons)
    mia = discord.user("mia")
    opened = await mia.click(shown, "Edit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IntakeService, "_replace", lambda *_: asyncio.sleep(60))
        await mia.submit(opened.modal, {"Prompt": "an owl"})
        await until(lambda: len(easel.now.queue._lanes._waiting) == 1)
        await taken_in(easel)
        await easel.kill()
    await easel.start()
    await discord.wait_for(lambda: "cancelled" in shown.content, 8)
    engine.release(3)
    await discord.wait_for(lambda: sum(bool(item.attachments) for item in own(discord.channel)) == 1, 8)
    assert await intakes(easel) == []


async def test_deleting_what_announces_an_answer_gives_the_request_up(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    with nothing_done():
        reply = await easel.say("!dream a fox")
        await discord.wait_for(lambda: reply_to(reply))
        await until(lambda: easel.bot.desk._announced)
        discord.delete_message(reply_to(reply))
        await until_closed(easel)
    await easel.dream("!dream an owl")
    assert len(own(discord.channel)) == 1
    assert len(engine.requests) == 1


async def test_a_picture_that_is_gone_is_told_after_a_restart(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    with nothing_done():
        reply = await easel.say("!dream a fox", attachments=[("cat.png", png())])
        await discord.wait_for(lambda: reply_to(reply))
        await easel.kill()
    discord.fail("GET", "/attachments/*", status=404, times=None)
    await easel.start()
    await discord.wait_for(lambda: "attach it again" in reply_to(reply).content)
    await until_closed(easel)


async def test_a_fault_of_ours_is_told_under_an_id_and_ends_the_request(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    easel = await start(FakeBackend())

    async def fail(*_: Any) -> Any:
        raise ValueError("boom")

    monkeypatch.setattr(IntakeService, "carry_out", fail)
    answer = await easel.answer_to(await easel.say("!dream a fox"))
    assert "Something went wrong (id " in answer.content
    await until_closed(easel)


async def test_a_stop_waits_for_a_picture_that_is_being_loaded(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend(hold=True))
    discord.fail("GET", "/attachments/*", delay_s=0.3)
    reply = await easel.say("!dream a fox", attachments=[("cat.png", png())])
    await taken_in(easel)
    await easel.bot.desk.drain(5)
    assert await intakes(easel) == []
    assert len(await easel.now.jobs.active()) == 1
    assert reply_to(reply)


async def test_attachments_count_as_what_a_person_has_brought(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(engine := FakeBackend())
    uploads = UploadQuota(UploadStore(easel.now.database), easel.clock, StorageSettings(max_upload_mb_per_user=1))
    easel.now.intakes.uploads = uploads
    await uploads.charge(f"discord:{discord.user('mia').id}", 1024**2 - 10)
    reply = await easel.say("!dream a cat", attachments=[("cat.png", png())])
    refused = await discord.wait_for(lambda: reply_to(reply))
    await discord.wait_for(lambda: "brought 1 MB" in refused.content)
    assert engine.requests == []
    await easel.dream("!dream a cat", user="ann", attachments=[("cat.png", png())])
    assert len(engine.requests) == 1

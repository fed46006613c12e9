"""Discord fails in every way it can; the result still arrives, once."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from cogs import delivery, posting
from generation.job import Job
from services.drawing.owed import OwedAnswers
from store.database import Database
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, job_id, own
from tests.fakes import FakeBackend
from tests.waiting import until


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "RETRY_S", (0.05,) * 300)
    monkeypatch.setattr(delivery, "CLOSE_WAIT_S", 0.05)
    monkeypatch.setattr(posting, "OPEN_RETRY_S", (0.05, 0.05))


async def held(easel: Easel, text: str = "!dream a red fox") -> Message:
    """Ask for a picture that is not done before `release`; return the status message."""
    answer = await easel.answer_to(await easel.say(text))
    engine = easel.backends[0]
    await until(lambda: job_id(answer) and engine.running)
    return answer


async def delivered(easel: Easel, message: Message) -> None:
    """Wait until the delivery is written down."""
    for _ in range(200):
        if (await easel.job(job_id(message))).delivered_at:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("never delivered")


async def test_a_status_message_that_is_not_there_is_replaced_once(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await held(easel)
    discord.delete_message(answer, is_announced=False)
    engine.release()
    await discord.wait_for(lambda: own(discord.channel) and is_finished(own(discord.channel)[0]))
    [message] = own(discord.channel)
    assert message.attachments
    await delivered(easel, message)
    assert len(own(discord.channel)) == 1


async def test_a_deleted_channel_means_a_direct_message(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    await held(easel)
    discord.delete_channel(discord.channel)
    engine.release()
    mia = discord.user("mia")
    await discord.wait_for(lambda: mia.dms)
    assert is_finished(mia.dms[0])
    assert mia.dms[0].attachments
    await delivered(easel, mia.dms[0])
    assert len(mia.dms) == 1


async def test_lost_rights_in_the_channel_mean_a_direct_message(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    await held(easel)
    discord.revoke("VIEW_CHANNEL", channel=discord.channel)
    engine.release()
    await discord.wait_for(lambda: discord.user("mia").dms)
    assert discord.user("mia").dms[0].attachments


async def test_nowhere_left_to_post_ends_quietly(
    discord: DiscordServer, start: StartEasel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await held(easel)
    discord.user("mia").dms_open = False
    discord.delete_channel(discord.channel)
    engine.release()
    await delivered(easel, answer)
    assert "no place left for a result" in caplog.text


@pytest.mark.parametrize("early", [False, True])
async def test_after_the_token_has_expired_the_bot_edits_the_same_message(
    discord: DiscordServer, start: StartEasel, early: bool
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    result = await easel.slash("a red fox")
    await until(lambda: result.original.controls and engine.running)
    if early:
        discord.expire_interaction_tokens()
    else:
        discord.advance(15 * 60)
        easel.clock.offset_s = 15 * 60
    engine.release()
    await easel.finished(result.original)
    assert result.original.attachments
    assert own(discord.channel) == [result.original]


async def test_an_expired_private_answer_becomes_a_direct_message(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    result = await easel.slash("a secret fox", private=True)
    await until(lambda: result.original.controls and engine.running)
    discord.advance(15 * 60)
    easel.clock.offset_s = 15 * 60
    engine.release()
    mia = discord.user("mia")
    await discord.wait_for(lambda: mia.dms)
    assert mia.dms[0].attachments
    assert [message for message in own(discord.channel) if not message.ephemeral] == []


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 429}, {"cut": "before"}, {"cut": "after"}], ids=lambda fault: str(fault)
)
@pytest.mark.parametrize("by", ["prefix", "slash"])
async def test_a_failing_last_edit_is_repeated_and_shown_once(
    discord: DiscordServer, start: StartEasel, fault: dict[str, object], by: str
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    if by == "slash":
        answer = (await easel.slash("a red fox")).original
        await until(lambda: answer.controls and engine.running)
    else:
        answer = await held(easel)
    order = discord.fail("PATCH", "/webhooks/*" if by == "slash" else "/channels/*/messages/*", times=1, **fault)
    engine.release()
    await easel.finished(answer)
    await delivered(easel, answer)
    assert order.hits == 1
    assert answer.attachments
    assert own(discord.channel) == [answer]


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_first_reply_cut_off_is_neither_lost_nor_doubled(
    discord: DiscordServer, start: StartEasel, cut: str
) -> None:
    easel = await start(FakeBackend())
    discord.fail("POST", "/channels/*/messages", cut=cut)
    answer = await easel.dream()
    await delivered(easel, answer)
    assert own(discord.channel) == [answer]


async def test_a_new_message_cut_off_after_it_was_taken_is_not_doubled(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    discord.delete_message(await held(easel), is_announced=False)
    discord.fail("POST", "/channels/*/messages", cut="after")
    engine.release()
    await discord.wait_for(lambda: own(discord.channel))
    await delivered(easel, own(discord.channel)[0])
    assert len(own(discord.channel)) == 1


async def test_a_file_refused_for_its_size_is_sent_smaller(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await held(easel)
    too_large = {"code": 40005, "message": "Request entity too large"}
    order = discord.fail("PATCH", "/channels/*/messages/*", status=413, json=too_large)
    engine.release()
    await easel.finished(answer)
    assert order.hits == 1
    assert answer.attachments


@pytest.mark.parametrize("resumable", [True, False])
async def test_a_lost_gateway_loses_no_picture(discord: DiscordServer, start: StartEasel, resumable: bool) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await held(easel)
    discord.close_gateway(4000, resumable=resumable)
    engine.release()
    await easel.finished(answer)
    assert own(discord.channel) == [answer]


async def test_a_restart_between_press_and_picture(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    by_prefix = await held(easel)
    by_slash = (await easel.slash("a blue fox")).original
    await discord.wait_for(lambda: by_slash.controls)
    while (await easel.job(job_id(by_slash))).origin.message_id is None:
        await asyncio.sleep(0.01)
    await easel.kill()
    engine.release(5)
    await easel.start()
    await easel.finished(by_prefix)
    await easel.finished(by_slash)
    assert by_prefix.attachments
    assert by_slash.attachments
    assert len(own(discord.channel)) == 2


async def test_a_private_answer_survives_a_restart_in_the_direct_message(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    await easel.say("!dream a secret fox --private")
    mia = discord.user("mia")
    await until(lambda: mia.dms and mia.dms[0].controls and engine.running)
    await easel.kill()
    engine.release(5)
    await easel.start()
    await easel.finished(mia.dms[0])
    assert len(mia.dms) == 1
    assert own(discord.channel) == []


async def test_a_kill_before_the_first_reply_was_noted(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await held(easel)
    await easel.now.database.write("UPDATE jobs SET message_id = NULL")
    await easel.kill()
    engine.release(5)
    await easel.start()
    await easel.finished(answer)
    assert own(discord.channel) == [answer]


async def test_a_job_that_ends_while_it_is_taken_up_is_delivered_into_its_message(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await held(easel)
    await easel.now.database.write("UPDATE jobs SET message_id = NULL")
    await easel.kill()

    async def at_the_wrong_moment(answers: OwedAnswers, door: str) -> list[Job]:
        """Look for it where it is neither any more nor yet."""
        engine.release(5)
        while not await easel.now.database.fetch("SELECT 1 FROM jobs WHERE status = 'done'"):
            await asyncio.sleep(0.01)
        return []

    monkeypatch.setattr(OwedAnswers, "due", at_the_wrong_moment)
    await easel.start()
    await easel.finished(answer)
    assert own(discord.channel) == [answer]


async def test_a_kill_after_a_new_message_and_before_its_note(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    gone = await held(easel)
    discord.delete_message(gone, is_announced=False)
    engine.release()
    await discord.wait_for(lambda: own(discord.channel))
    [answer] = own(discord.channel)
    await delivered(easel, answer)
    await easel.now.database.write("UPDATE jobs SET message_id = ?, delivered_at = NULL", (str(gone.id),))
    await easel.kill()
    await easel.start()
    await delivered(easel, answer)
    assert own(discord.channel) == [answer]


async def test_notes_of_a_delivery_that_a_power_cut_took_are_made_again_and_nothing_is_shown_twice(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a cut takes what is written as lax: the database has none of it in the next life."""
    lost: list[str] = []
    write = Database.write

    async def losing(self: Database, sql: str, params: Any = (), *, is_lax: bool = False) -> Any:
        lost.extend([params["id"]] if is_lax else [])
        return await write(self, sql, params, is_lax=is_lax)

    monkeypatch.setattr(Database, "write", losing)
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await held(easel)
    engine.release()
    await delivered(easel, answer)
    assert lost == [job_id(answer)] * 2, "which message shows it, and that it was delivered"
    await easel.now.database.write("UPDATE jobs SET message_id = NULL, delivered_at = NULL")
    await easel.kill()
    await easel.start()
    await delivered(easel, answer)
    assert own(discord.channel) == [answer]
    assert (await easel.job(job_id(answer))).origin.message_id == str(answer.id)


async def test_a_store_that_fails_for_a_moment_is_asked_again(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OSError("database is locked")]
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    read = easel.now.media.upload_copy

    async def locked(media_id: str, limit_bytes: int) -> object:
        if failures:
            raise failures.pop()
        return await read(media_id, limit_bytes)

    monkeypatch.setattr(delivery, "FOLLOW_RETRY_S", (0.05, 0.05))
    monkeypatch.setattr(easel.now.media, "upload_copy", locked)
    answer = await held(easel)
    engine.release()
    await easel.finished(answer)
    assert answer.attachments
    assert failures == []


async def test_a_source_picture_that_cannot_be_read_is_told(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    discord.fail("GET", "/attachments/*", status=404)
    answer = await easel.answer_to(await easel.say("!dream a fox", attachments=[("cat.png", b"x")]))
    assert "cannot be read from Discord" in answer.content


async def test_a_long_wait_ends_with_one_ping(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await held(easel)
    easel.clock.offset_s = 40
    engine.release()
    await discord.wait_for(lambda: len(own(discord.channel)) == 2)
    ping = own(discord.channel)[1]
    assert ping.reference is answer
    assert ping.pings == [discord.user("mia")]


async def test_a_picture_that_expired_before_delivery_is_told(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await held(easel)
    discord.fail("PATCH", "/channels/*/messages/*", times=None, status=503)
    engine.release()
    await discord.wait_for(lambda: sum(item.status == 503 for item in discord.requests) > 1)
    await easel.kill()
    discord.faults.clear()
    easel.clock.offset_s = 2 * 24 * 3600.0
    await easel.start()
    await easel.finished(answer)
    assert "no longer kept here" in answer.content

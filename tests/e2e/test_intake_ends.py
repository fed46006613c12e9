"""Requests that somebody takes back, or a restart reads again, at the worst of moments."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cogs import desk
from services.drawing.intakes import IntakeService, Made
from services.people.uploads import UploadQuota
from services.pictures.media import MediaService
from settings.storage import StorageSettings
from store.uploads import UploadStore
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, own, reply_to
from tests.e2e.pictures import png
from tests.e2e.test_intake import taken_in
from tests.fakes import FakeBackend
from tests.waiting import until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "SOON_S", 0.05)


@pytest.mark.parametrize("text", ["!dream a fox", "!dream a fox --repeat 2", "!compare a fox"])
async def test_an_announcement_deleted_just_when_its_jobs_are_stored_cancels_them(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine, FakeBackend(hold=True, name="other"))
    carry_out = IntakeService.carry_out

    async def carry_out_late(self: IntakeService, *values: Any) -> Made:
        front = easel.bot.desk
        await until(lambda: front._announced)
        made = await carry_out(self, *values)
        (message_id,) = front._announced
        discord.delete_message(next(item for item in own(discord.channel) if str(item.id) == message_id))
        await until(lambda: front._given_up)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(IntakeService, "carry_out", carry_out_late)
        await easel.say(text)
        await until(lambda: easel.bot.desk._tasks)
        await until(lambda: not easel.bot.desk._tasks)
    rows = await easel.now.database.fetch("SELECT status, delivered_at FROM jobs")
    assert {row["status"] for row in rows} == {"cancelled"}
    await easel.stop()
    engine.release(5)
    await easel.start()
    last = await easel.dream("!dream the last one", user="ann")
    assert own(discord.channel) == [last]


@pytest.mark.parametrize("is_typed", [False, True])
async def test_what_was_counted_before_a_restart_is_not_counted_again(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch, is_typed: bool
) -> None:
    easel = await start(FakeBackend())
    store = UploadStore(easel.now.database)
    easel.now.intakes.uploads = UploadQuota(store, easel.clock, StorageSettings(max_upload_mb_per_user=1))
    with monkeypatch.context() as patch:
        patch.setattr(MediaService, "take_input", lambda *_: asyncio.sleep(60))
        if is_typed:
            link = (await easel.say("look", attachments=[("cat.png", png())])).attachments[0].url
            reply = await easel.say(f"!dream {link} a cat")
        else:
            reply = await easel.say("!dream a cat", attachments=[("cat.png", png())])
        counted = await until_counted(easel)
        await easel.kill()
    await easel.start()
    easel.now.intakes.uploads = UploadQuota(
        UploadStore(easel.now.database), easel.clock, StorageSettings(max_upload_mb_per_user=1)
    )
    await discord.wait_for(lambda: reply_to(reply) and is_finished(reply_to(reply)), 8)
    assert await until_counted(easel) == counted


async def until_counted(easel: Easel) -> int:
    """Return how many bytes have been brought, once there are any."""
    async with asyncio.timeout(5):
        while not (rows := await easel.now.database.fetch("SELECT size_bytes FROM uploads")):
            await asyncio.sleep(0.01)
    return sum(row["size_bytes"] for row in rows)


@pytest.mark.parametrize("is_typed", [False, True])
async def test_what_is_heard_while_the_connection_closes_waits_for_the_next_start(
    discord: DiscordServer, start: StartEasel, is_typed: bool
) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    await easel.bot.desk.aclose()
    asked = asyncio.ensure_future(easel.say("!dream a fox") if is_typed else easel.slash("a fox"))
    await taken_in(easel)
    assert not easel.bot.desk._tasks
    assert own(discord.channel) == []
    await easel.stop()
    await easel.start()
    await discord.wait_for(lambda: any(map(is_finished, own(discord.channel))), 8)
    assert len(own(discord.channel)) == len(engine.requests) == 1
    asked.cancel()

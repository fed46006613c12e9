"""The only engine is gone: the message says so, the job keeps its place, and the picture comes when it is back."""

from __future__ import annotations

import asyncio

from generation.job import JobStatus
from settings.queue import QueueSettings
from tests.backends.test_a1111_contract import connect
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import job_id, labels
from tests.engines.a1111_server import A1111Server
from tests.engines.fault_proxy import FaultProxy
from tests.fakes import FakeBackend

GONE = "🔌 gpu1 is not answering (refused, since <t:"


async def test_a_job_waits_through_a_restart_and_is_drawn_once(discord: DiscordServer, start: StartEasel) -> None:
    async with A1111Server() as server, FaultProxy(server.url) as proxy:
        easel = await start(connect(server, url=proxy.url))
        await easel.now.registry.refresh("gpu1")
        await proxy.close()
        answer = await easel.answer_to(await easel.say("!dream a red fox --seed 7"))
        await discord.wait_for(lambda: GONE in answer.content)
        assert "Your job keeps its place for 30 min." in answer.content
        assert "✖️ Cancel" in labels(answer)[0]
        before = await easel.job(job_id(answer))
        await easel.kill()
        easel.backends = [connect(server, url=proxy.url)]
        await easel.start()
        async with asyncio.timeout(10):
            while (
                after := await easel.job(before.id)
            ).status is JobStatus.RUNNING:  # tried once, it comes back at once
                await asyncio.sleep(0.01)
        assert (after.status, after.away_since) == (JobStatus.QUEUED, before.away_since)
        assert not server.submitted
        await proxy.listen()
        await easel.now.registry.refresh("gpu1")
        await easel.finished(answer)
        assert (len(answer.attachments), len(server.submitted)) == (1, 1)
        assert "seed 7" in answer.content


async def test_while_its_engine_is_gone_a_job_is_drawn_on_an_idle_one_by_a_press(
    discord: DiscordServer, start: StartEasel
) -> None:
    async with A1111Server() as server, FaultProxy(server.url) as proxy:
        idle = FakeBackend("grid")
        easel = await start(connect(server, url=proxy.url), idle)
        await easel.now.registry.refresh("gpu1")
        await proxy.close()
        answer = await easel.answer_to(await easel.say("!dream a red fox --seed 7 --backend gpu1"))
        await discord.wait_for(lambda: GONE in answer.content)
        assert labels(answer) == [["⚡ Draw on grid", "⏳ Wait", "✖️ Cancel"], ["✏️ Edit"]]
        mia = discord.user("mia")
        reported = await mia.click(answer, "Wait")
        assert reported.ephemeral
        assert "its place is kept for 30 min" in reported.message.content
        moved = await mia.click(answer, "Draw on grid")
        await easel.finished(moved.original)
        assert "on grid" in moved.original.content
        assert idle.requests[0].seed == 7
        await easel.finished(answer)
        assert "cancelled" in answer.content
        assert not server.submitted


async def test_when_patience_ends_the_message_says_what_to_do(discord: DiscordServer, start: StartEasel) -> None:
    async with A1111Server() as server, FaultProxy(server.url) as proxy:
        easel = await start(connect(server, url=proxy.url), limits=QueueSettings(grace_s=0.0, patience_s=0.05))
        await easel.now.registry.refresh("gpu1")
        await proxy.close()
        answer = await easel.dream()
        assert "The GPU is not running there." in answer.content
        assert "It did not come back within" in answer.content

"""`/gpu start` and `/gpu stop`, with a stand-in for RunPod's own API."""

from __future__ import annotations

import logging

import pytest

from generation.errors import BackendGone
from services.rentals.runpod import RunPod
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.test_connections import Examine, connect, engine, everything_said, examine
from tests.e2e.test_engines import DOWN, gpu
from tests.engines.rented_server import KEY, RunPodServer, pod
from tests.fakes import FakeBackend

__all__ = ["engine", "examine"]  # fixtures


async def test_a_rented_machine_is_started_used_and_stopped_by_whom_the_owner_named(
    discord: DiscordServer,
    start: StartEasel,
    engine: FakeBackend,
    examine: Examine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with RunPodServer(pod(desiredStatus="EXITED")) as runpod:
        mia = discord.user("mia")
        easel = await start(examine=examine, admins=(mia.id,), providers=(RunPod(KEY, runpod.api),))
        await connect(easel)
        assert "RunPod says: stopped · RTX 3090" in await gpu(discord, "show")

        connected, examine.diagnosis = examine.diagnosis, DOWN
        engine.is_down = BackendGone()
        await easel.now.registry.refresh_all()
        waiting = await easel.answer_to(await easel.say("!dream a fox"))
        rentals = easel.now.upkeep.rentals
        await rentals.look()
        await rentals.look()
        [reported] = mia.dms
        assert "is stopped at RunPod, and pictures wait" in reported.content
        assert "`/gpu start` starts it, about $0.33 an hour" in reported.content

        assert "▶️ RunPod starts **forge** (RTX 3090)" in await gpu(discord, "start")
        engine.is_down = None
        await easel.now.registry.refresh_all()
        await easel.finished(waiting)
        assert "RunPod says: running · RTX 3090 · $0.33 an hour" in await gpu(discord, "show")

        assert "again with `sure:True`" in await gpu(discord, "stop")
        assert runpod.changes == ["POST /v1/pods/abc123/start"]
        assert "⏹️ RunPod stops **forge**" in await gpu(discord, "stop", sure=True)
        answer = await easel.answer_to(await easel.say("!gpu start"))
        assert "RunPod starts" in answer.content
        answer = await easel.answer_to(await easel.say("!gpu stop"))
        assert "`gpu stop yes`" in answer.content
        answer = await easel.answer_to(await easel.say("!gpu stop yes"))
        assert "RunPod stops" in answer.content
        assert [change.rsplit("/", 1)[1] for change in runpod.changes] == ["start", "stop", "start", "stop"]

        engine.is_down, engine.fail = BackendGone(), [BackendGone()]
        await easel.now.registry.refresh_all()
        answer = await easel.answer_to(await easel.say("!dream an owl"))
        await discord.wait_for(lambda: "`/gpu start` starts it" in answer.content)
        engine.is_down, examine.diagnosis = None, connected
        await connect(easel, user="ann")  # who knows the address of somebody else's machine
        assert "belong to the owner of Easel" in await gpu(discord, "start", user="ann")
        assert "RunPod says" not in await gpu(discord, "show", user="ann")
        assert len(runpod.changes) == 4
        assert KEY not in everything_said(discord) + "".join(item.content for item in mia.dms)
        ours = [record for record in caplog.records if not record.name.startswith("nextcord")]
        assert KEY not in "\n".join(logging.Formatter().format(record) for record in ours)

"""Many jobs in one channel under Discord's rate limits."""

from __future__ import annotations

import time

import pytest

from settings.queue import QueueSettings
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import is_finished, own
from tests.fakes import FakeBackend

LIMITS = {"message_create": (50, 1.0), "message_edit": (5, 0.4), "webhook": (5, 2.0)}


@pytest.mark.parametrize("discord", [{"rate_limits": LIMITS}], indirect=True)
async def test_twelve_jobs_end_as_fast_as_the_budget_allows_without_a_429(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine, limits=QueueSettings(grace_s=0.0, max_running_per_user=12))
    for number in range(12):
        await easel.answer_to(await easel.say(f"!dream fox {number}"))
    began = time.monotonic()
    engine.release(12)
    await discord.wait_for(lambda: all(map(is_finished, own(discord.channel))), 10)
    assert time.monotonic() - began < 3  # 12 edits, 5 in 0.4 s
    assert len(own(discord.channel)) == 12
    assert discord.rate_limited <= 1

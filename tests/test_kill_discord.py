"""Killed and stopped within the first second of a request, Discord at 300 ms: none lost, doubled or left "thinking".

Short here. `make test-kill` asks 1,000 times (KILL_REQUESTS) and prints its seed; KILL_SEED repeats its moments.
"""

import os
import random
from pathlib import Path

import pytest

from tests.discord_server import DiscordServer
from tests.easel_process import processes
from tests.kill_discord import DiscordLoop

pytestmark = pytest.mark.xdist_group("processes")  # one process to fork from

REQUESTS = int(os.environ.get("KILL_REQUESTS", "0"))
SEED = int(os.environ.get("KILL_SEED", "0")) or (random.SystemRandom().randrange(1, 10**6) if REQUESTS else 9)


@pytest.mark.timeout(max(120, 3 * REQUESTS))
async def test_kills_within_the_first_second_lose_double_and_leave_nothing(tmp_path: Path) -> None:
    requests = REQUESTS or 26
    print(f"\ndiscord: KILL_SEED={SEED}, {requests} requests", flush=True)
    async with DiscordServer() as discord, processes(tmp_path) as begin:
        counted = await DiscordLoop(discord, tmp_path, begin, requests=requests, seed=SEED).run()
        print(f"discord: {counted}", *counted.faults.values(), sep="\n", flush=True)
        assert counted.faults == {}
        # the next process may come a moment too late to acknowledge a press
        assert [item for item in discord.violations if item.rule != "10062"] == []
    assert "Traceback" not in (tmp_path / "log").read_text()

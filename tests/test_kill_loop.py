"""Killed at random moments, over HTTP, with webhooks and pictures attached: nothing lost, doubled or left behind.

Short here. `make test-kill` asks for 1,000 pictures (KILL_REQUESTS) and prints its seed; KILL_SEED repeats its moments.
"""

import os
import random
from pathlib import Path

import pytest

from tests.kill_loop import kill_loop

pytestmark = pytest.mark.xdist_group("processes")  # one process to fork from

REQUESTS = int(os.environ.get("KILL_REQUESTS", "0"))
SEED = int(os.environ.get("KILL_SEED", "0")) or (random.SystemRandom().randrange(1, 10**6) if REQUESTS else 20)
SHORT = {"sketch": (20, 2), "horde": (20, 3), "grid": (6, 1), "comfyui_v2": (12, 2)}  # requests, kills
PER_KILL = {"sketch": 16, "horde": 12, "grid": 6, "comfyui": 12, "comfyui_v2": 12}


@pytest.mark.timeout(max(120, 3 * REQUESTS))
@pytest.mark.parametrize("kind", PER_KILL if REQUESTS else SHORT)
async def test_kills_at_any_moment_lose_double_and_leave_nothing(kind: str, tmp_path: Path) -> None:
    requests, kills = SHORT.get(kind, (0, 0))
    if REQUESTS:
        requests = REQUESTS if kind != "grid" else max(1, REQUESTS // 10)
        kills = max(1, requests // PER_KILL[kind])
    print(f"\n{kind}: KILL_SEED={SEED}, {requests} requests, {kills} kills", flush=True)
    findings = await kill_loop(kind, tmp_path, requests=requests, kills=kills, seed=SEED)
    print(f"{kind}: {findings}", flush=True)
    assert findings.faults == {}
    assert "Traceback" not in (tmp_path / "log").read_text()
    if kind != "grid":  # what charges is never sent again by itself
        assert findings.interrupted == findings.at_four_stops

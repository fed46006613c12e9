"""`main.py` as a process: started, killed in the middle of everything, started again."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.discord_server import DiscordServer
from tests.e2e.harness import COMMANDS, is_finished, own, reply_to
from tests.easel_process import EaselProcess, processes

pytestmark = pytest.mark.xdist_group("processes")  # one process to fork from

Start = Callable[[], Awaitable[EaselProcess]]


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server
        assert server.violations == []


@pytest.fixture
async def start(discord: DiscordServer, tmp_path: Path) -> AsyncIterator[Start]:
    """Start a process on the same folder each time."""
    settings = {
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_URL": discord.api_url,
        "DATA_DIR": str(tmp_path / "data"),
        "BACKENDS": "brush",
        "BRUSH_KIND": "sketch",
        "BRUSH_DELAY_S": "0.02",
        "MAX_RUNNING_PER_USER": "10",
        "GRACEFUL_STOP": "5",
    }
    async with processes(tmp_path) as begin:

        async def begun() -> EaselProcess:
            process = begin(**settings)
            await discord.wait_commands(COMMANDS)
            return process

        yield begun


@pytest.mark.timeout(60)
async def test_kill_9_with_jobs_under_way_loses_none_and_posts_none_twice(
    discord: DiscordServer, start: Start, tmp_path: Path
) -> None:
    process = await start()
    mia, ann = discord.user("mia"), discord.user("ann")
    done = await mia.say(discord.channel, "!dream an old fox --size 128x128 --steps 1 --batch 2")
    await discord.wait_for(lambda: reply_to(done) and is_finished(reply_to(done)), 10)
    reply = [
        await user.say(discord.channel, f"!dream fox {n} --size 128x128 --steps 6")
        for n in range(3)
        for user in (mia, ann)
    ]
    pressed = [
        await user.slash(discord.channel, "generate", prompt="a wolf --size 128x128 --steps 6") for user in (mia, ann)
    ]
    await discord.wait_for(lambda: all(map(reply_to, reply)) and all(item.original.controls for item in pressed), 10)
    process.kill()
    await process.wait()
    await start()
    await discord.wait_for(lambda: all(is_finished(reply_to(message)) for message in reply), 20)
    await discord.wait_for(lambda: all(is_finished(item.original) for item in pressed), 20)
    answers = own(discord.channel)
    assert len(answers) == 9
    assert all(answer.attachments for answer in answers)
    old = reply_to(done)
    again = await ann.click(old, "🎲")
    await discord.wait_for(lambda: again.original and is_finished(again.original), 10)
    second = await mia.click(old, "U2")
    await discord.wait_for(lambda: second.message.attachments)
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert discord.token not in log


@pytest.mark.timeout(90)
async def test_kills_at_random_moments_with_twenty_jobs(discord: DiscordServer, start: Start, tmp_path: Path) -> None:
    chance = random.Random(20)
    process = await start()
    users = [discord.user(f"user{number}") for number in range(4)]
    reply = [
        await user.say(discord.channel, f"!dream fox {number} --size 64x64 --steps 5")
        for number in range(5)
        for user in users
    ]
    await discord.wait_for(lambda: all(map(reply_to, reply)), 15)
    for _ in range(3):
        await asyncio.sleep(chance.uniform(0, 0.04))
        process.kill()
        await process.wait()
        process = await start()
    await discord.wait_for(lambda: all(is_finished(reply_to(message)) for message in reply), 30)
    answers = own(discord.channel)
    assert len(answers) == 20
    assert all(len(answer.attachments) == 1 for answer in answers)
    assert sorted(answer.reference.id for answer in answers) == [message.id for message in reply]
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.timeout(60)
async def test_a_stop_in_order_finishes_what_runs(discord: DiscordServer, start: Start, tmp_path: Path) -> None:
    process = await start()
    reply = await discord.user("mia").say(discord.channel, "!dream a fox --size 128x128 --steps 30")
    await discord.wait_for(lambda: reply_to(reply), 5)
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert is_finished(reply_to(reply))
    assert reply_to(reply).attachments
    assert "Traceback" not in (tmp_path / "log").read_text()

"""Somebody deletes the message of a job: what was under way is cancelled, and nothing is posted in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from generation.job import JobStatus
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, job_id, own
from tests.fakes import FakeBackend
from tests.waiting import until

Delete = Callable[[DiscordServer, list[Message]], None]
DELETE: dict[str, Delete] = {
    "one by one": lambda discord, messages: [discord.delete_message(message) for message in messages] and None,
    "at once": lambda discord, messages: discord.purge(messages),
}


async def asked(easel: Easel, text: str) -> tuple[Message, str]:
    """Ask for a picture; return the message that shows its job, once that is noted, and the job's id."""
    answer = await easel.answer_to(await easel.say(text))
    await easel.server.wait_for(lambda: answer.controls)
    while (await easel.job(job_id(answer))).origin.message_id is None:
        await asyncio.sleep(0.01)
    return answer, job_id(answer)


async def status_of(easel: Easel, job: str) -> JobStatus:
    return (await easel.job(job)).status


@pytest.mark.parametrize("way", DELETE)
async def test_a_deleted_message_cancels_what_waits_and_what_runs(
    discord: DiscordServer, start: StartEasel, way: str
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    running, running_id = await asked(easel, "!dream a red fox")
    await until(lambda: engine.running)
    waiting, waiting_id = await asked(easel, "!dream a blue fox")
    DELETE[way](discord, [running, waiting])
    await until(lambda: engine.cancelled)
    engine.release(5)
    last = await easel.dream("!dream the last one")
    assert [await status_of(easel, job) for job in (running_id, waiting_id)] == [JobStatus.CANCELLED] * 2
    assert own(discord.channel) == [last]
    assert (await easel.job(running_id)).delivered_at
    await easel.stop()
    await easel.start()
    assert own(discord.channel) == [last]
    assert discord.user("mia").dms == []


async def test_a_deleted_picture_stays_deleted_and_its_job_done(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream()
    job = job_id(answer)
    discord.delete_message(answer)
    last = await easel.dream("!dream the last one")
    assert await status_of(easel, job) is JobStatus.DONE
    assert own(discord.channel) == [last]


async def test_other_peoples_messages_and_other_jobs_are_left_alone(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer, job = await asked(easel, "!dream a red fox")
    reply = await easel.say("chatter")
    await discord.user("mia").delete(reply)
    engine.release()
    await easel.finished(answer)
    assert await status_of(easel, job) is JobStatus.DONE


@pytest.mark.parametrize("command", ["slash", "prefix"])
async def test_a_deleted_comparison_is_cancelled_whole(discord: DiscordServer, start: StartEasel, command: str) -> None:
    engines: list[Any] = [FakeBackend(hold=True, name="left"), FakeBackend(name="right")]
    easel = await start(*engines)
    if command == "slash":
        message = (await discord.user("mia").slash(discord.channel, "compare", prompt="a red fox")).original
    else:
        message = await easel.answer_to(await easel.say("!compare a red fox"))
    jobs = easel.now.jobs
    await until(lambda: engines[0].running and engines[1].requests)
    while len(await jobs.due_in([str(message.id)])) < 2 or len(await jobs.active()) > 1:
        await asyncio.sleep(0.01)
    discord.delete_message(message)
    await until(lambda: engines[0].cancelled)
    engines[0].release(5)
    last = await easel.dream("!dream the last one --backend right")
    assert own(discord.channel) == [last]
    await easel.stop()
    await easel.start()
    assert own(discord.channel) == [last]
    assert discord.user("mia").dms == []
    assert is_finished(last)

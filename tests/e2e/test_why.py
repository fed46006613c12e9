"""`/why`: what became of a job, for its owner and admins; for everybody else it is as if it were not there."""

from __future__ import annotations

import asyncio
from typing import Any

from generation.capabilities import Capabilities
from generation.errors import BackendAuthError
from generation.job import Job
from generation.request import Mode
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, own
from tests.fakes import FakeBackend


async def why(easel: Easel, who: str = "mia", **options: Any) -> str:
    asked = await easel.server.user(who).slash(easel.server.channel, "why", **options)
    answers = await easel.server.wait_for(lambda: [each for each in (asked.original, *asked.followups) if each])
    assert answers[0].ephemeral
    return str(answers[0].content)


def link(message: Message) -> str:
    return f"https://discord.com/channels/{message.channel.guild.id}/{message.channel.id}/{message.id}"


async def delivered(easel: Easel, message: Message) -> Job:
    """Wait until it is noted that the answer has arrived."""
    async with asyncio.timeout(20):
        while (job := await easel.job(job_id(message))).delivered_at is None:
            await asyncio.sleep(0.01)
    return job


async def test_a_finished_job_has_all_steps_in_order(start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"))
    shown = await easel.dream("!dream a red fox")
    await easel.finished(shown)
    job = await delivered(easel, shown)
    newest = await why(easel)
    steps = ["**a red fox**", "asked for and stored", "started on gpu1", "done after", "Kept here until", "delivered"]
    assert [newest.find(step) for step in steps] == sorted(newest.find(step) for step in steps)
    assert newest.startswith(f"**a red fox** · job {job.short_id}")
    for named in (job.id, job.short_id, link(shown)):
        assert await why(easel, job=named) == newest


async def test_others_hear_what_they_hear_of_a_job_that_is_not_there(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"))
    shown = await easel.dream("!dream a red fox")
    job = await easel.job(job_id(shown))
    missing = job.short_id[:-1] + ("0" if job.short_id[-1] != "0" else "1")
    foreign = (await why(easel, "ann", job=job.short_id)).replace(job.short_id, missing)
    assert foreign == await why(easel, "ann", job=missing)
    assert "There is no job" in foreign
    nowhere = link(shown).replace(str(shown.id), "1234567")
    assert await why(easel, "ann", job=link(shown)) == await why(easel, "ann", job=nowhere)
    discord.user("mod", permissions=["MANAGE_MESSAGES"])
    assert "There is no job" in await why(easel, "mod", job=job.short_id)


async def test_an_admin_reads_it_too_but_nothing_private(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"))
    shown = await easel.dream("!dream a red fox")
    discord.user("chief", permissions=["MANAGE_GUILD"])
    assert "started on gpu1" in await why(easel, "chief", job=link(shown))
    hidden = await easel.slash("a secret lynx", private=True)
    await discord.wait_for(lambda: hidden.original and hidden.original.attachments)
    secret = job_id(hidden.original)
    assert "a secret lynx" in await why(easel, job=secret)
    assert "There is no job" in await why(easel, "chief", job=secret)
    refused = await easel.answer_to(await easel.say(f"!why {secret}"))
    assert "lynx" not in refused.content
    assert "`/why`" in refused.content


async def test_in_a_channel_nothing_is_told_of_another(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"))
    den = discord.add_channel("den")
    await discord.user("mia").say(den, "!dream a red fox")
    await discord.wait_for(lambda: [each for each in own(den) if each.attachments])
    refused = await easel.answer_to(await easel.say("!why"))
    assert "fox" not in refused.content
    assert "of another channel" in refused.content
    assert "a red fox" in await why(easel)
    discord.user("chief", permissions=["MANAGE_GUILD"])
    assert "a red fox" in await why(easel, "chief", job=link(own(den)[0]))


async def test_a_reply_asks_about_that_picture(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"))
    first = await easel.dream("!dream a red fox")
    await easel.dream("!dream a heron")
    answer = await easel.answer_to(await easel.say("!why", reply_to=first))
    assert answer.content.startswith("**a red fox**")
    assert (await easel.answer_to(await easel.say("!why"))).content.startswith("**a heron**")


async def test_who_asked_for_nothing_hears_so(start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"))
    assert "no picture yet" in await why(easel)


async def test_engines_that_failed_or_cannot_are_named_with_why(start: StartEasel) -> None:
    broken = FakeBackend("gpu1")
    broken.fail = [BackendAuthError("gpu1 refuses the key.")]
    small = FakeBackend("tiny", capabilities=Capabilities(modes=frozenset({Mode.UPSCALE})))
    easel = await start(broken, FakeBackend("gpu2"), FakeBackend("gpu3"), small)
    text = await why(easel, job=link(await easel.dream("!dream a red fox")))
    for line in (
        "Tried and given up on: gpu1",
        "Note: moved to gpu2: gpu1 refuses the key",
        "Can draw it as well: gpu3",
        "Passed over: tiny, it ",
        "started on gpu2",
    ):
        assert line in text


async def test_a_waiting_and_a_running_job_say_where_they_are(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend("gpu1", hold=True)
    easel = await start(engine)
    await easel.say("!dream a red fox")
    await discord.wait_for(lambda: engine.running and own(discord.channel))
    assert "started on gpu1" in await why(easel)
    waiting = await easel.answer_to(await easel.say("!dream a heron"))
    text = await why(easel)
    assert text.startswith("**a heron**")
    assert "next in line" in text
    await discord.user("mia").click(waiting, "Cancel")
    await easel.finished(waiting)
    await delivered(easel, waiting)
    text = await why(easel)
    assert "It waited for gpu1 and never started" in text
    assert "cancelled after" in text
    engine.release()
    await easel.finished(own(discord.channel)[0])


async def test_a_failure_stands_with_its_reason_and_after_a_restart(start: StartEasel) -> None:
    engine = FakeBackend("gpu1")
    engine.fail = [BackendAuthError("gpu1 refuses the key.", hint="Ask who runs it.")]
    easel = await start(engine)
    shown = await easel.answer_to(await easel.say("!dream a red fox"))
    await easel.finished(shown)
    await delivered(easel, shown)
    await easel.stop()
    await easel.start()
    text = await why(easel, job=link(shown))
    assert "failed after 1 s: gpu1 refuses the key.\nAsk who runs it." in text

"""Admins pause, drain, resume and cancel engines; people see it, the audit tells it, a restart keeps it."""

from __future__ import annotations

import pytest

from tests.discord_server import DiscordServer, Interaction
from tests.discord_server.user import User
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, reply_to
from tests.fakes import FakeBackend
from tests.waiting import until


@pytest.fixture
def boss(discord: DiscordServer) -> User:
    return discord.user("boss")


async def tell(discord: DiscordServer, boss: User, command: str, engine: str = "gpu") -> Interaction:
    done = await boss.slash(discord.channel, f"engine {command}", engine=engine, reason="too hot") \
        if command != "resume" else await boss.slash(discord.channel, "engine resume", engine=engine)  # fmt: skip
    await discord.wait_for(lambda: done.original and not done.original.loading)
    return done


async def test_a_paused_engine_keeps_what_waits_and_goes_on_after_a_restart_only_when_resumed(
    discord: DiscordServer, start: StartEasel, boss: User
) -> None:
    engine = FakeBackend("gpu")
    easel = await start(engine, admins=(boss.id,), has_fallback=False)
    assert "starts nothing more" in (await tell(discord, boss, "pause")).original.content
    answer = await easel.answer_to(await easel.say("!dream a fox"))
    await discord.wait_for(lambda: "is paused by an admin" in answer.content)
    status = await discord.user("mia").slash(discord.channel, "status")
    await discord.wait_for(lambda: "paused by an admin" in status.original.content)
    await easel.stop()
    await easel.start()
    later = await easel.answer_to(await easel.say("!dream an owl"))
    await discord.wait_for(lambda: "is paused by an admin" in later.content)
    assert engine.requests == []
    await tell(discord, boss, "resume")
    for message in (answer, later):
        await easel.finished(message)
    assert "is not on hold" in (await tell(discord, boss, "resume")).original.content


async def test_a_drained_engine_draws_what_waits_and_takes_nothing_new(
    discord: DiscordServer, start: StartEasel, boss: User
) -> None:
    engine, other = FakeBackend("gpu", hold=True), FakeBackend("spare")
    easel = await start(engine, other, admins=(boss.id,), has_fallback=False)
    waiting = [await easel.answer_to(await easel.say(f"!dream {n} --backend gpu")) for n in ("a fox", "an owl")]
    await until(lambda: engine.running)
    await tell(discord, boss, "drain")
    new = await easel.dream("!dream a hare")
    assert (await easel.job(job_id(new))).lane == "spare"
    named = await easel.say("!dream a hare --backend gpu")
    refused = await discord.wait_for(lambda: reply_to(named))
    assert "takes nothing new now" in refused.content
    engine.release(2)
    for message in waiting:
        await easel.finished(message)


async def test_all_of_an_engine_is_cancelled_and_says_by_whom(
    discord: DiscordServer, start: StartEasel, boss: User
) -> None:
    engine = FakeBackend("gpu", hold=True)
    easel = await start(engine, admins=(boss.id,), has_fallback=False)
    waiting = [await easel.answer_to(await easel.say(f"!dream {n}")) for n in ("a fox", "an owl")]
    await until(lambda: engine.running)
    assert "Cancelled 2 jobs" in (await tell(discord, boss, "cancel")).original.content
    await discord.wait_for(lambda: all("Cancelled by an admin" in message.content for message in waiting))
    engine.release(2)


async def test_only_admins_hold_engines_and_it_stands_in_the_audit(
    discord: DiscordServer, start: StartEasel, boss: User
) -> None:
    easel: Easel = await start(FakeBackend("gpu"), admins=(boss.id,))
    chief = discord.user("chief", permissions=["MANAGE_GUILD"])
    for command in ("pause", "drain", "resume", "cancel"):
        assert "Only admins of this bot" in (await tell(discord, chief, command)).original.content
    assert await chief.autocomplete(discord.channel, "engine pause", "engine", "g") == []
    assert [choice["name"] for choice in await boss.autocomplete(discord.channel, "engine pause", "engine", "gp")] == [
        "gpu"
    ]
    for command in ("pause", "drain", "resume", "cancel"):
        await tell(discord, boss, command)
    assert "There is no engine" in (await tell(discord, boss, "pause", "nothing")).original.content
    audit = await boss.slash(discord.channel, "audit")
    lines = audit.original.content.splitlines()[1:]
    assert [word in line for word, line in zip(("cancelled", "resumed", "drained", "paused"), lines, strict=True)] == [
        True
    ] * 4, lines
    assert "too hot" in lines[0]
    assert easel.running

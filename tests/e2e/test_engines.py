"""`/status`, `/gpu`, and what owners of connections are written."""

from __future__ import annotations

import pytest

from backends.diagnose import Diagnosis, DiagnosisStep
from generation.errors import BackendUnavailable, RateLimited
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import is_finished
from tests.e2e.test_connections import Examine, connect, engine, examine
from tests.fakes import FakeBackend
from tests.waiting import until

__all__ = ["engine", "examine"]  # fixtures

DOWN = Diagnosis(
    steps=(DiagnosisStep(layer="connect", is_ok=False, message="refused"),),
    is_ok=False,
    message="Nothing answers there.",
)


async def status(discord: DiscordServer, user: str = "mia") -> str:
    result = await discord.user(user).slash(discord.channel, "status")
    await discord.wait_for(lambda: result.message.content)
    assert result.ephemeral
    return result.message.content


async def gpu(discord: DiscordServer, what: str, user: str = "mia", **options: object) -> str:
    await discord.wait_commands({"gpu"})
    result = await discord.user(user).slash(discord.channel, f"gpu {what}", **options)
    await discord.wait_for(lambda: (result.message and result.message.content) or result.followups)
    assert result.ephemeral
    return result.followups[0].content if result.followups else result.message.content


async def test_status_shows_each_engine_free_busy_and_how_fast(discord: DiscordServer, start: StartEasel) -> None:
    slow, grid = FakeBackend("slow", hold=True), FakeBackend("grid")
    easel = await start(slow, grid)
    await easel.now.registry.refresh_all()
    await easel.dream("!dream a fox --backend grid")
    for _ in range(2):
        await easel.answer_to(await easel.say("!dream a fox --backend slow"))
    text = await status(discord)
    assert "🟡 **slow** · 1 being drawn, 1 waiting" in text
    assert "🟢 **grid** · free · about 1 s a picture" in text
    answer = await easel.answer_to(await easel.say("!status", user="ann"))
    assert "**grid** · free" in answer.content
    slow.release(2)


async def test_status_shows_a_pause_and_a_dead_engine(discord: DiscordServer, start: StartEasel) -> None:
    busy, away = FakeBackend("busy"), FakeBackend("away")
    busy.fail = [RateLimited(retry_after=90)]
    away.is_down = BackendUnavailable("Away does not answer.", hint="Start it.")
    easel = await start(busy, away)
    await easel.now.registry.refresh_all()
    await easel.answer_to(await easel.say("!dream a fox --backend busy"))
    await until(lambda: any(lane.paused_s for lane in easel.now.queue.lanes()))
    text = await status(discord)
    assert "🔌 **away** · Away does not answer" in text
    assert "Start it" not in text  # whoever runs it reads that: test_advice.py
    assert "⏸ **busy** · asked us to slow down, goes on <t:" in await status(discord)


async def test_only_the_owner_of_a_dead_connection_is_told_what_to_look_at(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    easel = await start(examine=examine)
    await connect(easel)
    engine.is_down = BackendUnavailable()
    examine.diagnosis = DOWN
    await easel.now.registry.refresh_all()
    text = await status(discord)
    assert "🔌 **mia's Forge**" in text
    assert "1. Is it running?" in text
    assert "5. Was it started with `--api`?" in text
    assert "Forge" not in await status(discord, "ann")
    answer = await easel.answer_to(await easel.say("!status"))
    assert "🔌 **mia's Forge**" in answer.content
    assert "Is it running?" not in answer.content


async def test_gpu_shows_price_hints_then_the_running_cost(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    easel = await start(examine=examine)
    await connect(easel)
    assert "You have connected no engine of your own" in await gpu(discord, "show", "ann")
    text = await gpu(discord, "show")
    assert "**mia's Forge** · RunPod" in text
    assert "RTX 4090 $0.69" in text
    assert "Vast" not in text
    easel.clock.offset_s = 90 * 60
    text = await gpu(discord, "price", dollars=0.34)
    assert "about $0.51 at $0.34 an hour" in text
    assert "Terminate" in text
    answer = await easel.answer_to(await easel.say("!gpu"))
    assert "about $0.51" in answer.content
    answer = await easel.answer_to(await easel.say("!gpu price a lot"))
    assert "for example 0.34" in answer.content
    answer = await easel.answer_to(await easel.say("!gpu dance"))
    assert "`gpu show`" in answer.content


async def test_an_idle_machine_is_told_of_once_by_direct_message(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    easel = await start(examine=examine)
    await connect(easel)
    await easel.dream()
    mia = discord.user("mia")
    rentals = easel.now.upkeep.rentals
    await rentals.look()
    easel.clock.offset_s = 25 * 60
    lane = easel.now.queue._lanes.get(f"user-{mia.id}")
    assert lane.used_at
    lane.used_at -= 25 * 60
    await rentals.look()
    await rentals.look()
    [reported] = mia.dms
    assert "💤 **mia's Forge** has drawn nothing since <t:" in reported.content
    assert "Terminate" in reported.content
    answer = await easel.answer_to(await easel.say("!gpu stop-reminder"))
    assert "No more reminders" in answer.content
    assert "I will write to you" in await gpu(discord, "stop-reminder", again=True)


async def test_the_owner_gets_the_checks_once_while_a_picture_waits(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    easel = await start(examine=examine)
    await connect(easel)
    engine.fail = [BackendUnavailable() for _ in range(3)]
    answer = await easel.dream()
    assert is_finished(answer)
    engine.is_down = BackendUnavailable()
    examine.diagnosis = DOWN
    await easel.now.registry.refresh_all()
    rentals = easel.now.upkeep.rentals
    await rentals.look()
    await rentals.look()
    [reported] = discord.user("mia").dms
    assert "🔌 **mia's Forge** does not answer" in reported.content
    assert "1. Is it running?" in reported.content
    assert "proxy.runpod" not in reported.content.replace("`…-7860.proxy.runpod.net`", "")


@pytest.mark.parametrize("what", ["show", "start", "stop", "price", "stop-reminder"])
async def test_the_servers_machine_is_for_those_who_manage_it(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine, what: str
) -> None:
    easel = await start(examine=examine)
    discord.user("boss", permissions=("MANAGE_GUILD",))
    await connect(easel, "boss", for_server=True)
    await gpu(discord, "price", "boss", dollars=0.34, for_server=True)
    options = {"dollars": 1.0} if what == "price" else {}
    text = await gpu(discord, what, "ann", for_server=True, **options)
    assert "Only people who may manage this server" in text
    assert "0.34" not in text
    assert "Only people" not in await gpu(discord, what, "boss", for_server=True, **options)

"""`/compare`: one prompt on several engines in one message, over failures and restarts."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image

from cogs import delivery
from cogs.cards import parse_id
from generation.capabilities import Capabilities
from generation.errors import BackendUnavailable, OutOfMemory
from generation.request import Mode
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, entries, labels, more, own
from tests.fakes import FakeBackend
from tests.waiting import until


def is_over(message: Message) -> bool:
    """Return whether all engines are done and the pictures, if there are any, have arrived."""
    is_asked = bool(message.content) and "Cancel" not in message.buttons and "asking" not in message.content
    return is_asked and bool(message.attachments) == ("U1" in message.buttons)


def engines(*names: str, hold: bool = False) -> list[FakeBackend]:
    return [FakeBackend(name, hold=hold) for name in names]


async def test_all_engines_draw_the_same_prompt_and_seed_in_one_message(
    discord: DiscordServer, start: StartEasel
) -> None:
    gpu, grid = engines("gpu", "grid")
    easel = await start(gpu, grid)
    answer = await easel.answer_to(await easel.say("!compare a red fox --steps 12"))
    await discord.wait_for(lambda: is_over(answer))
    assert answer.content.startswith("**a red fox** — <@")
    assert "**1** gpu" in answer.content
    assert "**2** grid" in answer.content
    [request], [other] = gpu.requests, grid.requests
    assert (request.seed, request.steps) == (other.seed, 12)
    assert f"the same seed everywhere: {request.seed}" in answer.content
    [sheet] = answer.attachments
    assert Image.open(io.BytesIO(sheet.data)).format in ("JPEG", "PNG", "WEBP")
    assert sheet.description.startswith("AI images side by side, by gpu, grid: a red fox")
    assert labels(answer) == [["U1", "U2"], ["V1", "V2"], ["More…"]]
    assert len(own(discord.channel)) == 1


async def test_a_picture_is_picked_and_gone_on_from(discord: DiscordServer, start: StartEasel) -> None:
    gpu, grid = engines("gpu", "grid")
    easel = await start(gpu, grid)
    answer = await easel.answer_to(await easel.say("!compare a red fox"))
    await discord.wait_for(lambda: is_over(answer))
    await discord.user("ann").click(answer, "U2")
    await discord.wait_for(lambda: any(item.attachments for item in own(discord.channel)[1:]))
    await more(discord.user("ann"), answer, "1 · Re-roll")
    await until(lambda: len(gpu.requests) == 2)
    assert len(grid.requests) == 1


async def test_its_menu_does_to_each_picture_what_the_menu_of_that_picture_does(
    discord: DiscordServer, start: StartEasel
) -> None:
    gpu, grid = engines("gpu", "grid")
    easel = await start(gpu, grid)
    answer = await easel.answer_to(await easel.say("!compare a red fox --seed 5"))
    await discord.wait_for(lambda: is_over(answer))
    await easel.kill()
    await easel.start()
    names = entries(answer)
    assert len(names) <= 25
    assert {"1 · Re-roll", "1 · Remix", "2 · Info", "2 · Use as input", "2 · More steps"} <= {*names}
    assert not [name for name in names if "Delete" in name or "Share" in name]
    ann = discord.user("ann")
    info = await more(ann, answer, "2 · Info")
    await discord.wait_for(lambda: info.message and "Seed\n```\n5\n```" in info.message.content)
    varied = await ann.click(answer, "V2")
    await until(lambda: len(grid.requests) == 2)
    assert (grid.requests[-1].mode, len(gpu.requests)) == (Mode.IMG2IMG, 1)
    await discord.wait_for(lambda: varied.original and varied.original.attachments)


async def test_a_picture_that_is_gone_is_not_taken_from_the_sheet(discord: DiscordServer, start: StartEasel) -> None:
    gpu, grid = engines("gpu", "grid")
    easel = await start(gpu, grid)
    answer = await easel.answer_to(await easel.say("!compare a red fox"))
    await discord.wait_for(lambda: is_over(answer))
    await easel.kill()
    easel.clock.offset_s = 2 * 24 * 3600.0
    await easel.start()
    mia = discord.user("mia")
    await mia.click(answer, "V1")
    await discord.wait_for(lambda: any("no longer kept here" in each.content for each in mia.sees(discord.channel)))
    assert len(gpu.requests) == 1


async def test_slash_with_chosen_engines_and_suggestions(discord: DiscordServer, start: StartEasel) -> None:
    gpu, grid, horde = engines("gpu", "grid", "horde")
    await start(gpu, grid, horde)
    mia = discord.user("mia")
    offered = await mia.autocomplete(discord.channel, "compare", "engines", "gpu,", prompt="a fox")
    assert [item["value"] for item in offered] == ["gpu,grid", "gpu,horde"]
    result = await mia.slash(discord.channel, "compare", prompt="a fox", engines="horde, gpu")
    await discord.wait_for(lambda: result.message and is_over(result.message))
    assert "**1** horde" in result.message.content
    assert "**2** gpu" in result.message.content
    assert grid.requests == []


async def test_one_that_fails_is_named_and_the_others_are_shown(discord: DiscordServer, start: StartEasel) -> None:
    gpu, grid = engines("gpu", "grid")
    small = FakeBackend("small", capabilities=Capabilities(modes=frozenset({Mode.UPSCALE})))
    gpu.fail = [OutOfMemory()]
    easel = await start(gpu, grid, small)
    answer = await easel.answer_to(await easel.say("!compare a red fox"))
    await discord.wait_for(lambda: is_over(answer))
    assert "✖ gpu · The engine ran out of memory." in answer.content
    assert "**1** grid" in answer.content
    assert "✖ small · No engine here can do that." in answer.content
    assert labels(answer) == [["U1"], ["V1"], ["More…"]]
    assert len(answer.attachments) == 1


async def test_when_all_fail_there_is_no_picture_and_no_button(discord: DiscordServer, start: StartEasel) -> None:
    gpu, grid = engines("gpu", "grid")
    gpu.fail, grid.fail = [OutOfMemory()], [OutOfMemory()]
    easel = await start(gpu, grid)
    answer = await easel.answer_to(await easel.say("!compare a red fox"))
    await discord.wait_for(lambda: is_over(answer))
    assert answer.content.count("ran out of memory") == 2
    assert answer.attachments == []
    assert answer.buttons == []


@pytest.mark.usefixtures("quick_edits")
async def test_progress_is_shown_for_each_engine(discord: DiscordServer, start: StartEasel) -> None:
    gpu, grid = engines("gpu", "grid", hold=True)
    easel = await start(gpu, grid)
    answer = await easel.answer_to(await easel.say("!compare a red fox"))
    await discord.wait_for(lambda: answer.content.count("50 %") + answer.content.count("50%") == 2)
    assert answer.buttons == ["Cancel"]
    gpu.release()
    await discord.wait_for(lambda: "**1** gpu" in answer.content)
    grid.release()
    await discord.wait_for(lambda: is_over(answer))


async def test_only_its_owner_cancels_what_is_left(discord: DiscordServer, start: StartEasel) -> None:
    gpu, grid = engines("gpu", "grid", hold=True)
    easel = await start(gpu, grid)
    answer = await easel.answer_to(await easel.say("!compare a red fox"))
    await until(lambda: gpu.running and grid.running)
    await discord.wait_for(lambda: answer.buttons == ["Cancel"])
    refused = await discord.user("ann").click(answer, "Cancel")
    await discord.wait_for(lambda: refused.message)
    assert refused.ephemeral
    assert "Only the person who asked" in refused.message.content
    gpu.release()
    while len(await easel.now.jobs.active()) > 1:  # until its picture is kept
        await asyncio.sleep(0.01)
    await discord.user("mia").click(answer, "Cancel")
    await discord.wait_for(lambda: is_over(answer))
    assert "**1** gpu" in answer.content
    assert "\ngrid · cancelled" in answer.content


async def test_a_comparison_goes_on_after_a_kill(discord: DiscordServer, start: StartEasel) -> None:
    gpu, grid = engines("gpu", "grid", hold=True)
    easel = await start(gpu, grid)
    answer = await easel.answer_to(await easel.say("!compare a red fox"))
    await discord.wait_for(lambda: answer.buttons == ["Cancel"])
    await until(lambda: gpu.running and grid.running and easel.bot._comparisons._followers._tasks)
    gpu.release()
    await until(lambda: not gpu.running)
    await easel.kill()
    gpu.release(2)
    grid.release(2)
    await easel.start()
    await discord.wait_for(lambda: is_over(answer), 8)
    assert "**2** grid" in answer.content
    assert len(answer.attachments) == 1
    assert len(own(discord.channel)) == 1
    async with asyncio.timeout(5):  # until its delivery is written down
        while await easel.now.service.due_in_groups("discord"):
            await asyncio.sleep(0.01)
    assert await easel.now.service.due("discord") == []


async def test_where_it_is_shown_is_noted_for_all_its_jobs_at_once(discord: DiscordServer, start: StartEasel) -> None:
    """Else, after a kill in between, its other jobs would have it shown in another place as well."""
    gpu, grid = engines("gpu", "grid", hold=True)
    easel = await start(gpu, grid)
    easel.now.service.attach_message = lambda *_, **__: asyncio.sleep(3600)
    answer = await easel.answer_to(await easel.say("!compare a red fox"))
    await until(lambda: easel.bot._comparisons._followers._tasks)
    assert {job.origin.message_id for job in await easel.now.jobs.active()} == {str(answer.id)}
    gpu.release()
    grid.release()
    await discord.wait_for(lambda: is_over(answer))


async def test_one_that_was_never_shown_is_shown_after_the_restart(discord: DiscordServer, start: StartEasel) -> None:
    gpu, grid = engines("gpu", "grid", hold=True)
    easel = await start(gpu, grid)
    easel.bot._comparisons.open = lambda *_: asyncio.sleep(3600)
    result = await discord.user("mia").slash(discord.channel, "compare", prompt="a red fox")
    await until(lambda: gpu.running and grid.running)
    await easel.kill()
    gpu.release(2)
    grid.release(2)
    await easel.start()
    await discord.wait_for(lambda: result.message and is_over(result.message), 8)
    assert "**2** grid" in result.message.content
    assert len(own(discord.channel)) == 1


async def test_one_engine_is_no_comparison(discord: DiscordServer, start: StartEasel) -> None:
    gpu, away = engines("gpu", "away")
    away.is_down = BackendUnavailable()
    easel = await start(gpu, away)
    await easel.now.registry.refresh_all()
    mia = discord.user("mia")
    refused = await mia.slash(discord.channel, "compare", prompt="a fox")
    await discord.wait_for(lambda: refused.followups)
    assert "takes two engines" in refused.followups[0].content
    unknown = await easel.say("!compare a fox --engines gpu,toaster")
    await discord.wait_for(lambda: any("no engine “toaster”" in item.content for item in own(discord.channel)))
    assert unknown
    answer = await easel.answer_to(await easel.say("!compare a fox --engines gpu,sketch"))
    await discord.wait_for(lambda: is_over(answer))
    assert "**2** sketch" in answer.content


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "RETRY_S", (0.05,) * 300)
    monkeypatch.setattr(delivery, "FOLLOW_RETRY_S", (0.05, 0.05))


async def held(start: StartEasel) -> tuple[Easel, Message, list[FakeBackend]]:
    """Ask for a comparison whose engines do not end by themselves."""
    backends = engines("gpu", "grid", hold=True)
    easel = await start(*backends)
    answer = await easel.answer_to(await easel.say("!compare a red fox"))
    await until(lambda: answer.buttons == ["Cancel"] and all(backend.running for backend in backends))
    return easel, answer, backends


async def shown_once(discord: DiscordServer, easel: Easel, answer: Message, backends: list[FakeBackend]) -> None:
    for backend in backends:
        backend.release()
    await discord.wait_for(lambda: is_over(answer) and answer.attachments)

    async def is_noted() -> bool:
        return not await easel.now.jobs.undelivered("discord")

    await until(is_noted)
    assert own(discord.channel) == [answer]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 429}, {"cut": "before"}, {"cut": "after"}], ids=lambda fault: str(fault)
)
async def test_a_failing_last_edit_is_repeated_and_shown_once(discord, start, fault) -> None:
    easel, answer, backends = await held(start)
    order = discord.fail("PATCH", "/channels/*/messages/*", times=1, **fault)
    await shown_once(discord, easel, answer, backends)
    assert order.hits == 1


@pytest.mark.usefixtures("quick")
async def test_a_store_that_fails_for_a_moment_is_asked_again(discord, start, monkeypatch) -> None:
    failures = [OSError("database is locked")]
    easel, answer, backends = await held(start)
    compare = easel.bot._comparisons._compare
    strip = compare.strip

    async def locked(*args: object) -> object:
        if failures:
            raise failures.pop()
        return await strip(*args)

    monkeypatch.setattr(compare, "strip", locked)
    await shown_once(discord, easel, answer, backends)
    assert failures == []


@pytest.mark.usefixtures("quick")
async def test_where_its_result_ended_up_is_noted(discord, start) -> None:
    easel, answer, backends = await held(start)
    discord.channel.messages.remove(answer)
    for backend in backends:
        backend.release()
    await discord.wait_for(lambda: any(is_over(item) and item.attachments for item in own(discord.channel)))
    (other,) = own(discord.channel)

    jobs = {parsed[1] for button in other.controls if (parsed := parse_id(button["custom_id"]))}

    async def is_noted() -> bool:
        there = [await easel.job(job) for job in jobs]
        return all(job.origin.message_id == str(other.id) and job.delivered_at for job in there)

    await until(is_noted)


@pytest.mark.usefixtures("quick")
async def test_a_first_message_that_could_not_be_noted_is_found_again(discord, start, monkeypatch) -> None:
    failures = [OSError("database is locked")]
    backends = engines("gpu", "grid", hold=True)
    easel = await start(*backends)
    attach = easel.now.service.attach_group

    async def locked(*args: object, **place: object) -> object:
        if failures:
            raise failures.pop()
        return await attach(*args, **place)

    monkeypatch.setattr(easel.now.service, "attach_group", locked)
    answer = await easel.answer_to(await easel.say("!compare a red fox"))
    await until(lambda: not failures and all(backend.running for backend in backends))
    await shown_once(discord, easel, answer, backends)


async def test_a_long_wait_ends_with_one_ping(discord, start) -> None:
    easel, answer, backends = await held(start)
    easel.clock.offset_s = 40
    for backend in backends:
        backend.release()
    await discord.wait_for(lambda: len(own(discord.channel)) == 2)
    ping = own(discord.channel)[1]
    assert ping.reference is answer
    assert ping.pings == [discord.user("mia")]
    assert "your pictures are ready" in ping.content

"""One picture of several: picked, varied, kept, and all of them as files."""

from __future__ import annotations

import pytest

from generation.request import Mode
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import job_id, labels, more
from tests.e2e.pictures import rich_backend
from tests.fakes import FakeBackend

GRID = "!dream a fox --batch 4 --seed 10 --size 64x64"


@pytest.mark.parametrize("count", [5, 8])
async def test_each_picture_of_a_larger_batch_can_be_picked(
    discord: DiscordServer, start: StartEasel, count: int
) -> None:
    easel = await start(rich_backend())
    grid = await easel.dream(f"!dream a fox --batch {count} --seed 10 --size 64x64")
    assert len(grid.components) == 3
    picks = [label for row in labels(grid) for label in row if label.startswith("U")]
    assert picks == [f"U{number}" for number in range(1, count + 1)]
    last = await discord.user("mia").click(grid, f"U{count}")
    await discord.wait_for(lambda: last.message.attachments)
    assert f"seed {9 + count}" in last.message.content


async def test_a_picked_picture_is_a_card_of_its_own(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    grid, ann = await easel.dream(GRID), discord.user("ann")
    before = await easel.job(job_id(grid))
    shown = await easel.finished((await ann.click(grid, "U2")).original)
    link = f"https://discord.com/channels/{discord.guild.id}/{discord.channel.id}/{grid.id}"
    head, small = shown.content.split("\n")
    assert head == f"**a fox** — {ann.mention} · U2 of {discord.user('mia').mention}'s [picture](<{link}>)"
    assert small == "-# 1×1 · seed 11 · on gpu1"
    assert labels(shown) == [["🎲 Re-roll", "✏️ Remix", "🪄 Vary"], ["⬆️", "🔭", "⭐", "🗑️"], ["More…"]]
    assert len(shown.attachments) == 1
    picked = await easel.job(job_id(shown))
    assert (picked.id != before.id, picked.user_key) == (True, f"discord:{ann.id}")
    assert picked.result.images == before.result.images[1:2]
    assert len(easel.backends[0].requests) == 1, "it was there already"


async def test_what_is_made_from_a_picked_picture_is_made_from_that_one_alone(start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    grid, mia = await easel.dream(GRID), easel.server.user("mia")
    shown = await easel.finished((await mia.click(grid, "U3")).original)
    again = await easel.finished((await mia.click(shown, "Re-roll")).original)
    assert (engine.requests[-1].batch_size, len(again.attachments)) == (1, 1)
    await easel.finished((await more(mia, shown, "More steps")).original)
    assert (engine.requests[-1].seed, engine.requests[-1].batch_size) == (12, 1)
    assert (await easel.finished((await mia.click(shown, "⬆️")).original)).attachments


async def test_a_picked_picture_is_drawn_again_from_its_seed_once_it_has_expired(start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    grid = await easel.dream(GRID)
    await easel.kill()
    easel.clock.offset_s = 2 * 24 * 3600.0
    await easel.start()
    shown = await easel.finished((await easel.server.user("ann").click(grid, "U2")).original)
    assert (engine.requests[-1].seed, engine.requests[-1].batch_size) == (11, 1)
    assert "drawn again from its seed" in shown.content
    assert len(shown.attachments) == 1


async def test_one_gallery_shows_a_picked_picture_once_and_its_message_may_go(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(rich_backend())
    grid, mia = await easel.dream(GRID), discord.user("mia")
    shown = await easel.finished((await mia.click(grid, "U2")).original)
    page = await mia.slash(discord.channel, "gallery")
    await discord.wait_for(lambda: page.message and page.message.content.startswith("**Your 4 pictures**"))
    picked, before = await easel.job(job_id(shown)), await easel.job(job_id(grid))
    await easel.now.service.delete(picked.id, picked.origin.person)
    assert await easel.now.media.has_all(before.result), "it is still in the batch that drew it"


@pytest.mark.parametrize(("button", "index"), [("V1", 0), ("V3", 2)])
async def test_a_picture_of_a_batch_is_varied(start: StartEasel, button: str, index: int) -> None:
    easel = await start()
    grid = await easel.dream(GRID)
    source = (await easel.job(job_id(grid))).result.images[index]
    kept = await easel.now.media.get(source.media_id)
    result = await easel.server.user("ann").click(grid, button)
    varied = await easel.finished(result.original)
    request = (await easel.job(job_id(varied))).request
    assert (request.mode, request.prompt, request.batch_size) == (Mode.IMG2IMG, "a fox", 1)
    assert request.init_image == await easel.now.media.take_input(kept.data)
    assert request.seed != source.seed
    assert request.denoising_strength == 0.65
    assert len(varied.attachments) == 1


async def test_a_picture_is_varied_strongly_or_subtly(start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    answer = await easel.dream("!dream a fox --seed 10 --size 64x64")
    mia = easel.server.user("mia")
    await easel.finished((await mia.click(answer, "Vary")).original)
    await easel.finished((await more(mia, answer, "Vary a little")).original)
    assert [request.denoising_strength for request in engine.requests[1:]] == [0.65, 0.35]


async def test_what_is_kept_stays_and_a_second_press_lets_it_go(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream()
    media_id = (await easel.job(job_id(answer))).result.images[0].media_id
    mia = discord.user("mia")
    assert "Kept" in (await mia.click(answer, "⭐")).message.content
    assert media_id in await easel.now.media.pinned()
    assert "No longer kept" in (await mia.click(answer, "⭐")).message.content
    assert media_id not in await easel.now.media.pinned()

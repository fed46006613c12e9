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

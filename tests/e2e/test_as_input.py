"""“Use as input” in the menu of a picture: a form, and a picture drawn from that one."""

from __future__ import annotations

from generation.request import Mode
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import job_id, more
from tests.e2e.pictures import rich_backend


async def test_what_is_typed_is_drawn_from_the_picture_and_belongs_to_who_typed_it(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = rich_backend()
    easel = await start(engine)
    shown = await easel.dream("!dream a fox --seed 10 --size 64x64")
    source = (await easel.job(job_id(shown))).result.images[0]
    ann = discord.user("ann")
    opened = await more(ann, shown, "Use as input")
    sent = await ann.submit(opened.modal, {"prompt": "an owl in oil --steps 7", "strength": "0.4"})
    drawn = await easel.finished(sent.original)
    job = await easel.job(job_id(drawn))
    assert (job.request.mode, job.request.prompt, job.request.steps) == (Mode.IMG2IMG, "an owl in oil", 7)
    assert job.request.denoising_strength == 0.4
    kept = await easel.now.media.get(source.media_id)
    assert job.request.init_image == await easel.now.media.take_input(kept.data)
    head = drawn.content.partition("\n")[0]
    assert head.startswith(
        f"**an owl in oil** — {ann.mention} · 🖼️ drawn from {discord.user('mia').mention}'s [picture]"
    )


async def test_it_works_after_a_restart_and_options_in_the_words_go_before_the_field(start: StartEasel) -> None:
    easel = await start(rich_backend())
    shown = await easel.dream("!dream a fox --seed 10 --size 64x64")
    mia = easel.server.user("mia")
    opened = await more(mia, shown, "Use as input")
    await easel.kill()
    await easel.start()
    sent = await mia.submit(opened.modal, {"prompt": "an owl --strength 0.9"})
    job = await easel.job(job_id(await easel.finished(sent.original)))
    assert job.request.denoising_strength == 0.9


async def test_a_wrong_strength_is_refused_in_words(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    shown = await easel.dream("!dream a fox --size 64x64")
    mia = discord.user("mia")
    opened = await more(mia, shown, "Use as input")
    await mia.submit(opened.modal, {"prompt": "an owl", "strength": "7"})
    await discord.wait_for(lambda: any("0 to 1" in each.content for each in mia.sees(discord.channel)))


async def test_a_grid_has_no_such_entry(start: StartEasel) -> None:
    easel = await start(rich_backend())
    grid = await easel.dream("!dream a fox --batch 4 --size 64x64")
    menu = {choice["label"] for choice in grid.components[-1]["components"][0]["options"]}
    assert "Use as input" not in menu

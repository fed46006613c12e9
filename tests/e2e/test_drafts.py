"""Draft, then final: four quick pictures in one grid, one of which is finished; and what varies by a second seed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generation.capabilities import Capabilities
from generation.request import GenerationRequest, Mode
from tests.backends.test_a1111_contract import connect
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import job_id, labels, more
from tests.engines_faults.engines import ENGINES
from tests.fakes import FakeBackend

DRAFT = "!dream a fox --draft --seed 10 --size 1024x1024 --steps 30"
CAN = Capabilities(modes=frozenset(Mode), samplers=("Euler",), supports_hires=True)


class QuotingFake(FakeBackend):
    """A paid engine that says its price: a dollar a megapixel."""

    async def quote(self, request: GenerationRequest) -> float | None:
        return request.width * request.height * request.batch_size / 1e6


def engine(**changes: object) -> FakeBackend:
    return FakeBackend("gpu1", capabilities=replace(CAN, **changes))  # type: ignore[arg-type]


async def test_a_draft_is_four_quick_pictures_that_say_what_finishing_gives(start: StartEasel) -> None:
    gpu = engine()
    easel = await start(gpu)
    grid = await easel.dream(DRAFT)
    drawn = gpu.requests[-1]
    assert (drawn.width, drawn.height, drawn.steps, drawn.batch_size) == (512, 512, 12, 4)
    assert "-# ✏️ draft · U1–U4 finish one at 1024×1024, 30 steps" in grid.content
    assert "$" not in grid.content
    assert labels(grid) == [["U1", "U2", "U3", "U4", "🎲"], ["V1", "V2", "V3", "V4", "✏️"], ["More…"]]
    assert len(grid.attachments) == 1


async def test_pressing_one_finishes_that_composition_also_for_others_and_after_a_restart(
    discord: DiscordServer, start: StartEasel
) -> None:
    gpu = engine()
    easel = await start(gpu)
    grid = await easel.dream(DRAFT)
    kept = (await easel.job(job_id(grid))).result.images[2]
    await easel.kill()
    await easel.start()
    ann = discord.user("ann")
    final = await easel.finished((await ann.click(grid, "U3")).original)
    request = gpu.requests[-1]
    assert (request.mode, request.seed, request.steps, request.batch_size) == (Mode.IMG2IMG, 12, 30, 1)
    assert (request.width, request.height, request.denoising_strength) == (1024, 1024, 0.5)
    source = await easel.now.media.get(kept.media_id)
    head = final.content.partition("\n")[0]
    assert head.startswith(f"**a fox** — {ann.mention} · ✨ finished from {discord.user('mia').mention}'s [picture]")
    assert "draft" not in final.content
    assert labels(final)[0] == ["🎲 Re-roll", "✏️ Remix", "🪄 Vary"]
    finished = await easel.job(job_id(final))
    assert finished.request.init_image == await easel.now.media.take_input(source.data)
    assert (finished.request.draft, finished.user_key) == (None, f"discord:{ann.id}")


async def test_a_draft_that_is_gone_is_drawn_from_its_seed_and_enlarged(start: StartEasel) -> None:
    gpu = engine()
    easel = await start(gpu)
    grid = await easel.dream(DRAFT)
    await easel.kill()
    easel.clock.offset_s = 2 * 24 * 3600.0
    await easel.start()
    final = await easel.finished((await easel.server.user("mia").click(grid, "U2")).original)
    request = gpu.requests[-1]
    assert (request.mode, request.width, request.steps, request.seed) == (Mode.TXT2IMG, 512, 12, 11)
    assert (request.hires.factor, request.hires.steps) == (2, 30)
    assert "no longer kept, so it is drawn from its seed" in final.content


async def test_without_img2img_the_same_seed_is_drawn_at_full_size_and_said_so(start: StartEasel) -> None:
    gpu = engine(modes=frozenset({Mode.TXT2IMG}), supports_hires=False)
    easel = await start(gpu)
    grid = await easel.dream(DRAFT)
    assert labels(grid)[0] == ["U1", "U2", "U3", "U4", "🎲"]
    final = await easel.finished((await easel.server.user("mia").click(grid, "U2")).original)
    request = gpu.requests[-1]
    assert (request.mode, request.width, request.steps, request.seed) == (Mode.TXT2IMG, 1024, 30, 11)
    assert (request.batch_size, request.hires) == (1, None)
    assert "it may look different" in final.content


async def test_a_paid_engine_names_the_price_of_finishing_before_it_is_pressed(start: StartEasel) -> None:
    gpu = QuotingFake("gpu1", capabilities=CAN, is_paid=True)
    easel = await start(gpu)
    grid = await easel.dream(DRAFT)
    assert "finish one at 1024×1024, 30 steps · about $1.05" in grid.content


async def test_a_single_draft_has_a_button_and_no_entries_for_steps_that_are_not_its_own(start: StartEasel) -> None:
    gpu = engine()
    easel = await start(gpu)
    answer = await easel.dream(f"{DRAFT} --batch 1")
    assert "✨ Finish" in labels(answer)[1]
    assert "⬆️" not in labels(answer)[1]
    menu = {choice["label"] for choice in answer.components[-1]["components"][0]["options"]}
    assert not menu & {"More steps", "Size"}
    final = await easel.finished((await easel.server.user("mia").click(answer, "Finish")).original)
    assert gpu.requests[-1].init_image is not None
    assert final.attachments


async def test_a_draft_by_slash_option_and_a_re_roll_is_a_draft_again(
    discord: DiscordServer, start: StartEasel
) -> None:
    gpu = engine()
    easel = await start(gpu)
    pressed = await easel.slash("a fox", draft=True)
    grid = await easel.finished(pressed.original)
    assert gpu.requests[-1].batch_size == 4
    again = await easel.finished((await discord.user("mia").click(grid, "🎲")).original)
    assert (gpu.requests[-1].batch_size, labels(again)[0]) == (4, ["U1", "U2", "U3", "U4", "🎲"])
    assert "draft · U1–U4 finish one" in again.content


async def test_what_is_no_draft_cannot_be_finished(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(engine())
    grid = await easel.dream("!dream a fox --batch 4 --size 64x64")
    mia = discord.user("mia")
    await mia.forge(grid, f"e1:finish:{job_id(grid)}:0")
    await discord.wait_for(lambda: any("is no draft" in each.content for each in mia.sees(discord.channel)))


@pytest.mark.parametrize(("entry", "strength"), [("Vary", 0.39), ("Vary a little", 0.21)])
async def test_a_web_ui_varies_by_its_own_second_seed(
    discord: DiscordServer, start: StartEasel, entry: str, strength: float
) -> None:
    kind = ENGINES["a1111"]
    async with kind.server() as server:
        easel = await start(connect(server))
        mia = discord.user("mia")
        answer = await easel.dream("!dream a fox --seed 10 --size 64x64 --steps 4")
        press = mia.click(answer, "Vary") if entry == "Vary" else more(mia, answer, entry)
        varied = await easel.finished((await press).original)
        job = await easel.job(job_id(varied))
        assert (job.drawn.mode, job.drawn.seed, job.drawn.subseed_strength) == (Mode.TXT2IMG, 10, strength)
        assert job.result.images[0].seed == 10
        again = await easel.finished((await mia.click(varied, "Vary")).original)
        assert (await easel.job(job_id(again))).drawn.mode is Mode.IMG2IMG, "two second seeds are one too many"


async def test_chaos_keeps_one_seed_and_a_picked_picture_is_made_again_by_its_own_second_one(
    discord: DiscordServer, start: StartEasel
) -> None:
    kind = ENGINES["a1111"]
    async with kind.server() as server:
        easel = await start(connect(server))
        grid = await easel.dream("!dream a fox --seed 10 --chaos 30 --batch 4 --size 64x64 --steps 4")
        assert "seed 10" in grid.content
        assert "varied by 30%" in grid.content
        job = await easel.job(job_id(grid))
        assert [image.seed for image in job.result.images] == [10] * 4
        picked = await easel.finished((await discord.user("ann").click(grid, "U3")).original)
        alone = await easel.job(job_id(picked))
        assert (alone.drawn.seed, alone.drawn.subseed) == (10, job.drawn.subseed + 2)


async def test_chaos_is_refused_in_a_few_words_where_no_engine_knows_it(start: StartEasel) -> None:
    easel = await start(engine())
    answer = await easel.dream("!dream a fox --chaos 30 --size 64x64")
    assert "--chaos ignored by this engine" in answer.content
    assert answer.attachments

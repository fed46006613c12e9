"""Edits in Discord: size in is size out, the mask's black stays, and what is shown is what is there."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from tests.backends.comfyui.rig import connect
from tests.discord_server import DiscordServer, Interaction
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id
from tests.e2e.test_workflows import DATA, add
from tests.engines.comfyui_server import ComfyUIServer
from tests.repainter import Repainter
from tests.utils.test_canvas import kept_pixels, noise, png

SIZE = (150, 83)


async def made(easel: Easel, result: Interaction) -> Any:
    assert not result.failed
    return await easel.finished(result.original)


def opened(message: Any) -> Image.Image:
    return Image.open(io.BytesIO(message.attachments[0].data))


def mask() -> Image.Image:
    stencil = Image.new("L", SIZE, 0)
    stencil.paste(255, (30, 20, 110, 60))
    return stencil


async def test_an_edit_in_discord_spares_what_its_mask_spares(discord: DiscordServer, start: StartEasel) -> None:
    engine = Repainter(size_grid=64)
    easel = await start(engine)
    source, mia = noise(SIZE), discord.user("mia")
    files = {"image": ("a.png", png(source)), "mask": ("m.png", png(mask()))}
    answer = await made(easel, await mia.slash(discord.channel, "inpaint", prompt="a hat", mask_blur=9, **files))
    assert engine.requests[0].mask_blur == 9
    again = await made(easel, await mia.click(answer, "Re-roll"))
    for message in (answer, again):
        assert opened(message).size == SIZE
        assert kept_pixels(opened(message).convert("RGB"), mask()) == kept_pixels(source, mask())
        assert "150×83" in message.content
        assert (await easel.job(job_id(message))).request.is_source_size


async def test_every_way_to_go_on_from_a_picture_keeps_its_size(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(Repainter(size_grid=64))
    mia, file = discord.user("mia"), ("a.png", png(noise(SIZE)))
    dreamt = await easel.dream("!dream a fox", attachments=[file])
    assert opened(dreamt).size == SIZE
    control = await mia.slash(discord.channel, "control", prompt="a fox", image=file, kind="canny")
    assert opened(await made(easel, control)).size == SIZE
    panned = await mia.slash(discord.channel, "outpaint", image=file, pan="left", prompt="a lake")
    assert opened(await made(easel, panned)).size == (225, 83)
    zoomed = await mia.slash(discord.channel, "outpaint", image=file, zoom=1.5, prompt="a lake")
    assert opened(await made(easel, zoomed)).size == SIZE
    larger = await mia.slash(discord.channel, "upscale", image=file, factor=1.5)
    assert opened(await made(easel, larger)).size == (225, 124)
    reply = await easel.dream("!dream a fox --size 100x70", attachments=[file])
    assert opened(reply).size == (100, 70)


async def test_a_workflow_of_ones_own_keeps_the_size_and_the_masks_black(
    discord: DiscordServer, start: StartEasel
) -> None:
    async with ComfyUIServer() as comfyui:
        easel = await start(connect(comfyui))
        graphs = DATA / "workflows"
        await add(easel, (graphs / "img2img_sd15.api.json").read_bytes(), name="change")
        await add(easel, (graphs / "inpaint_set_latent_noise_mask.api.json").read_bytes(), name="mend")
        mia, source = discord.user("mia"), noise(SIZE)
        changed = await easel.dream("!dream a fox --workflow change", attachments=[("a.png", png(source))])
        assert opened(changed).size == SIZE
        files = {"image": ("a.png", png(source)), "mask": ("m.png", png(mask()))}
        result = await mia.slash(discord.channel, "inpaint", prompt="a hat --workflow mend", **files)
        mended = opened(await made(easel, result))
        assert mended.size == SIZE
        assert kept_pixels(mended.convert("RGB"), mask()) == kept_pixels(source, mask())
        await easel.stop()

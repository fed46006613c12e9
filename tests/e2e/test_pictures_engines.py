"""Commands that begin with a picture on engines that do more than sketch: ControlNet, and a web UI on a real socket."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from generation.capabilities import Capabilities
from generation.job import Origin
from generation.order import Order, OrderKind
from generation.request import Draft, Mode
from tests.backends.test_a1111_contract import connect
from tests.discord_server import DiscordServer, Interaction
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel
from tests.e2e.pictures import png, rich_backend
from tests.engines.a1111_server import A1111Server
from tests.fakes import FakeBackend

STEERABLE = Capabilities(modes=frozenset(Mode), control_kinds=("canny", "depth", "openpose"))
FILE = ("cat.png", png())


def wide() -> tuple[str, bytes]:
    file = io.BytesIO()
    Image.new("RGB", (128, 64), "navy").save(file, "PNG")
    return "wide.png", file.getvalue()


async def made(easel: Easel, result: Interaction) -> Any:
    assert not result.failed
    assert result.acknowledged_after_s < 1.0
    return await easel.finished(result.original)


async def test_words_of_elsewhere_keep_a_preset_of_ours_and_lose_only_what_is_not_here(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = rich_backend()
    easel = await start(engine)
    draft = Draft(prompt="a fox", negative_prompt="blurry <lora:gone:1>", styles=("Cyberpunk",), model="gone_model")
    intakes = easel.now.intakes
    intake = await intakes.take("1", Order(kind=OrderKind.NEAREST, draft=draft), Origin(door="discord", user_id="7"))
    made = await intakes.carry_out(intake, read_nothing)
    job = made.views[0].job
    assert job.request.prompt.startswith("a fox, cyberpunk style")
    assert (job.request.negative_prompt, job.request.styles, job.request.loras) == ("blurry", (), ())
    assert set(job.notes) >= {"model gone_model is not here", "LoRA gone left out"}
    assert not any("yberpunk" in note for note in job.notes)


async def read_nothing(_: str) -> bytes:
    raise AssertionError("there is no file")


async def test_control_follows_a_picture_in_its_shape_and_rerolls(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend("gpu1", capabilities=STEERABLE)
    easel = await start(engine)
    options = {"prompt": "a dancer --no hats", "image": wide(), "kind": "pose", "weight": 0.8}
    answer = await made(easel, await discord.user("mia").slash(discord.channel, "control", **options))
    [request] = engine.requests
    [unit] = request.control
    assert (request.mode, request.prompt, request.negative_prompt) == (Mode.TXT2IMG, "a dancer", "hats")
    assert (unit.kind, unit.weight) == ("openpose", 0.8)
    assert unit.image.data
    assert request.width == pytest.approx(2 * request.height, rel=0.05)
    await made(easel, await discord.user("ann").click(answer, "Re-roll"))
    assert engine.requests[1].control == request.control


async def test_a_kind_that_is_not_there_is_told_with_those_that_are(discord: DiscordServer, start: StartEasel) -> None:
    await start(FakeBackend("gpu1", capabilities=STEERABLE))
    options = {"prompt": "a dancer", "image": FILE, "kind": "smell"}
    result = await discord.user("mia").slash(discord.channel, "control", **options)
    await discord.wait_for(lambda: result.followups)
    assert result.followups[0].ephemeral
    assert "no ControlNet for “smell”, only for canny, depth, openpose" in result.followups[0].content


async def test_kinds_are_suggested(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1", capabilities=STEERABLE))
    await easel.dream()
    choices = await discord.user("mia").autocomplete(discord.channel, "control", "kind", "e")
    assert [choice["name"] for choice in choices] == ["depth", "openpose"]


async def test_a_web_ui_enlarges_repaints_extends_and_describes(discord: DiscordServer, start: StartEasel) -> None:
    async with A1111Server() as server:
        easel = await start(connect(server, label=""))
        mia = discord.user("mia")
        larger = await made(easel, await mia.slash(discord.channel, "upscale", image=FILE, factor=2))
        with Image.open(io.BytesIO(larger.attachments[0].data)) as picture:
            assert picture.size == (128, 128)
        mask = io.BytesIO()
        Image.new("L", (64, 64), 255).save(mask, "PNG")
        options = {"prompt": "a hat", "image": FILE, "mask": ("mask.png", mask.getvalue())}
        assert (await made(easel, await mia.slash(discord.channel, "inpaint", **options))).attachments
        extended = await mia.slash(discord.channel, "outpaint", image=FILE, prompt="a lake", zoom=1.5)
        assert (await made(easel, extended)).attachments
        assert [bool(body.get("mask")) for body in server.engine.submitted] == [True, True]
        reply = await mia.slash(discord.channel, "describe", image=FILE)
        await discord.wait_for(lambda: reply.original.components)
        assert server.extras.caption in reply.original.content
        await easel.stop()

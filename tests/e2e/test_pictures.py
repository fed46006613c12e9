"""Commands that begin with a picture, as people see them: larger, partly new, beyond the edges, in words."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from generation.capabilities import Capabilities
from generation.errors import BackendError
from generation.request import Lora, Mode, Pan, SourceImage
from tests.discord_server import DiscordServer, Interaction
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, job_id, labels, own
from tests.e2e.pictures import png, rich_backend
from tests.fakes import FakeBackend
from utils.image_text import with_parameters

TEXT_ONLY = Capabilities(modes=frozenset({Mode.TXT2IMG}))
INFOTEXT = (
    "a red fox, <lora:add_detail:0.8>\nNegative prompt: blurry\n"
    "Steps: 24, Sampler: Euler a, CFG scale: 6.5, Seed: 812, Size: 320x256, Model: dreamshaper_8, Version: v1.10.1"
)


class Teller(FakeBackend):
    """A fake engine that can say what a picture shows."""

    def __init__(self, name: str = "gpu1", says: str = "a red fox\nin the snow") -> None:
        super().__init__(name, capabilities=Capabilities(modes=frozenset(Mode), supports_describe=True))
        self.says: str | BackendError = says
        self.seen: list[SourceImage] = []

    async def describe(self, image: SourceImage) -> str:
        self.seen.append(image)
        if isinstance(self.says, BackendError):
            raise self.says
        return self.says


def hole(side: int = 64) -> bytes:
    """Return a picture with a transparent square in its middle."""
    picture = Image.new("RGBA", (side, side), "navy")
    picture.paste((0, 0, 0, 0), (16, 16, 48, 48))
    return _png(picture)


def stencil(size: tuple[int, int] = (64, 64), colour: str = "white") -> bytes:
    picture = Image.new("L", size, "black")
    picture.paste(255 if colour == "white" else 0, (0, 0, size[0] // 2, size[1]))
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def told_by_file(text: str = INFOTEXT) -> bytes:
    return with_parameters(png(), text)


async def made(easel: Easel, result: Interaction) -> Any:
    assert not result.failed
    assert result.acknowledged_after_s < 1.0
    return await easel.finished(result.original)


async def refusal(easel: Easel, result: Interaction) -> str:
    """Return what only the asker is told; nothing public is left."""
    await easel.server.wait_for(lambda: result.followups or result.message)
    await easel.server.wait_for(lambda: [item for item in (*result.followups, result.message) if item and item.content])
    [reported] = [item for item in (*result.followups, result.message) if item and item.content]
    assert reported.ephemeral
    return str(reported.content)


def size_of(message: Any) -> tuple[int, int]:
    with Image.open(io.BytesIO(message.attachments[0].data)) as picture:
        return picture.size


async def test_upscale_makes_the_file_larger_and_rerolls(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    result = await discord.user("mia").slash(discord.channel, "upscale", image=("cat.png", png()), factor=3)
    answer = await made(easel, result)
    assert size_of(answer) == (192, 192)
    assert "3×" in answer.content
    assert answer.attachments[0].description
    again = await discord.user("ann").click(answer, "Re-roll")
    assert size_of(await made(easel, again)) == (192, 192)


async def test_an_animation_is_said_to_give_its_first_picture(start: StartEasel) -> None:
    easel = await start(FakeBackend())
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    answer = await easel.dream("!dream a cat", attachments=[("cat.gif", file.getvalue())])
    done = await easel.finished(answer)
    assert "only the first picture of the animation" in done.content


async def test_upscale_by_prefix_takes_the_attachment(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    for text, factor in (("!upscale", 2.0), ("!upscale 4x --upscaler ESRGAN", 4.0)):
        await easel.dream(text, attachments=[("cat.png", png())])
        assert (engine.requests[-1].mode, engine.requests[-1].upscale_factor) == (Mode.UPSCALE, factor)
    assert len(engine.requests) == 2


async def test_upscale_by_prefix_in_reply_to_a_grid_asks_which(start: StartEasel) -> None:
    easel = await start(FakeBackend())
    grid = await easel.dream("!dream a fox --batch 4")
    answer = await easel.answer_to(await easel.say("!upscale", reply_to=grid))
    assert "shows 4 pictures" in answer.content
    assert "U1" in answer.content


async def test_a_factor_out_of_range_is_told(start: StartEasel) -> None:
    easel = await start(FakeBackend())
    reply = await easel.say("!upscale 99", attachments=[("cat.png", png())])
    assert "1 to 8" in (await easel.answer_to(reply)).content


async def test_the_menu_of_a_result_upscales_the_original_and_says_whose(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start()
    first = await easel.dream("!dream a red fox --size 128x128 --seed 4")
    answer = await made(easel, await discord.user("ann").context_menu("Upscale 2×", first))
    assert size_of(answer) == (256, 256)
    assert "a red fox" in answer.content
    assert discord.user("mia").mention in answer.content
    job = await easel.job(job_id(answer))
    assert job.origin.parent_job_id == job_id(first)


async def test_the_menu_works_on_anybodys_picture_and_after_a_restart(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start()
    message = await easel.say("look", attachments=[("cat.png", png())])
    assert size_of(await made(easel, await discord.user("ann").context_menu("Upscale 2×", message))) == (128, 128)
    await easel.kill()
    await easel.start()
    assert size_of(await made(easel, await discord.user("ann").context_menu("Upscale 2×", message))) == (128, 128)


async def test_a_message_without_a_picture_is_told(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(Teller())
    message = await easel.say("hello")
    for menu in ("Upscale 2×", "Zoom out 1.5×", "Describe", "Picture info"):
        result = await discord.user("mia").context_menu(menu, message)
        assert "no picture in that message" in await refusal(easel, result)


async def test_an_engine_that_cannot_is_named(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1", capabilities=TEXT_ONLY))
    mia = discord.user("mia")
    file = ("cat.png", png())
    for command, options in (
        ("upscale", {"image": file}),
        ("outpaint", {"image": file, "prompt": "a cat"}),
        ("inpaint", {"prompt": "a hat", "image": file, "mask": ("m.png", stencil())}),
    ):
        reported = await refusal(easel, await mia.slash(discord.channel, command, **options))
        assert "No engine here can do that. gpu1: it cannot do" in reported
    reported = await refusal(easel, await mia.slash(discord.channel, "describe", image=file))
    assert "gpu1: it cannot describe pictures" in reported
    assert discord.user("ann").sees(discord.channel) == []


async def test_private_stays_private_through_menu_and_button(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    mia = discord.user("mia")
    result = await mia.slash(discord.channel, "upscale", image=("cat.png", told_by_file()), private=True)
    answer = await made(easel, result)
    assert result.ephemeral
    again = await mia.context_menu("Zoom out 1.5×", answer)
    assert again.ephemeral
    await made(easel, again)
    assert discord.user("ann").sees(discord.channel) == []


async def test_inpaint_sends_picture_and_mask(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    files = {"image": ("cat.png", png()), "mask": ("mask.png", stencil())}
    result = await discord.user("mia").slash(
        discord.channel, "inpaint", prompt="a hat --no dogs", strength=0.6, **files
    )
    answer = await made(easel, result)
    [request] = engine.requests
    assert (request.mode, request.prompt, request.negative_prompt) == (Mode.INPAINT, "a hat", "dogs")
    assert request.denoising_strength == 0.6
    with Image.open(io.BytesIO(request.mask_image.data)) as mask:
        assert (mask.getpixel((5, 5)), mask.getpixel((60, 5))) == (255, 0)
    await made(easel, await discord.user("ann").click(answer, "Re-roll"))
    assert engine.requests[1].mask_image == request.mask_image


async def test_inpaint_without_a_mask_draws_what_is_transparent(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    result = await discord.user("mia").slash(discord.channel, "inpaint", prompt="a red ball", image=("c.png", hole()))
    answer = await made(easel, result)
    with Image.open(io.BytesIO(answer.attachments[0].data)) as picture:
        assert picture.convert("RGB").getpixel((2, 2)) == (0, 0, 128)


async def test_a_mask_that_does_not_fit_is_told(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    mia = discord.user("mia")
    for mask, words in (
        (None, "There is no mask, and nothing in the picture is transparent."),
        (stencil((64, 32)), "The mask is 64×32, the picture 64×64"),
        (stencil(colour="black"), "The mask is all black"),
        (b"no picture", "not a picture that Easel can read"),
    ):
        files = {"image": ("c.png", png())} | ({"mask": ("m.png", mask)} if mask else {})
        reported = await refusal(easel, await mia.slash(discord.channel, "inpaint", prompt="a hat", **files))
        assert words in reported
        assert "white" in reported


async def test_outpaint_keeps_the_picture_in_the_middle(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    result = await discord.user("mia").slash(discord.channel, "outpaint", image=("c.png", png(256)), zoom=2)
    answer = await made(easel, result)
    assert size_of(answer) == (256, 256)
    assert "the same scene, continued" in answer.content
    with Image.open(io.BytesIO(answer.attachments[0].data)) as picture:
        assert picture.convert("RGB").getpixel((128, 128)) == (0, 0, 128)
    await made(easel, await discord.user("mia").click(answer, "Re-roll"))


async def test_outpaint_pans_with_the_words_given(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    file = ("c.png", png(256))
    for pan in Pan:
        result = await discord.user("mia").slash(
            discord.channel, "outpaint", image=file, prompt=f"a lake, {pan.value}", pan=pan.value
        )
        await made(easel, result)
    reported = [(request.mode, request.prompt) for request in engine.requests]
    assert reported == [(Mode.INPAINT, f"a lake, {pan.value}") for pan in Pan]


async def test_the_menu_zooms_out_of_a_result_with_its_own_words(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    first = await easel.dream("!dream a red fox --model model_03 --no dogs --steps 11")
    await made(easel, await discord.user("ann").context_menu("Zoom out 1.5×", first))
    request = engine.requests[1]
    assert (request.mode, request.prompt, request.negative_prompt) == (Mode.INPAINT, "a red fox", "dogs")
    assert (request.model, request.steps) == ("model_03", 11)


async def test_describe_gives_words_and_draws_them_after_a_restart(discord: DiscordServer, start: StartEasel) -> None:
    engine = Teller()
    easel = await start(engine)
    result = await discord.user("mia").slash(discord.channel, "describe", image=("cat.png", png()))
    answer = await discord.wait_for(lambda: result.original if result.original.components else None)
    assert "```\n!dream a red fox in the snow\n```" in answer.content
    assert "described by gpu1" in answer.content
    assert answer.attachments[0].description == "The picture described: a red fox in the snow"
    assert labels(answer) == [["🎨 Draw this"]]
    assert engine.seen[0].data
    await easel.kill()
    await easel.start()
    drawn = await made(easel, await discord.user("ann").click(answer, "Draw this"))
    assert not drawn.ephemeral
    assert engine.requests[0].prompt == "a red fox in the snow"


async def test_describe_of_a_message_is_for_the_asker_and_its_drawing_for_all(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(Teller())
    message = await easel.say("look", attachments=[("cat.png", png())])
    result = await discord.user("ann").context_menu("Describe", message)
    await discord.wait_for(lambda: result.original.components)
    assert result.ephemeral
    drawn = await made(easel, await discord.user("ann").click(result.original, "Draw this"))
    assert not drawn.ephemeral


async def test_private_words_are_drawn_in_private(discord: DiscordServer, start: StartEasel) -> None:
    await start(Teller())
    mia = discord.user("mia")
    result = await mia.slash(discord.channel, "describe", image=("cat.png", png()), private=True)
    await discord.wait_for(lambda: result.original.components)
    assert (await mia.click(result.original, "Draw this")).ephemeral
    assert discord.user("ann").sees(discord.channel) == []
    await discord.wait_for(lambda: is_finished(own(discord.channel)[-1]))


async def test_an_engine_that_fails_to_describe_says_so(discord: DiscordServer, start: StartEasel) -> None:
    engine = Teller()
    engine.says = BackendError("gpu1 could not describe the picture.", hint="Its describing model may be missing.")
    easel = await start(engine)
    reported = await refusal(
        easel, await discord.user("mia").slash(discord.channel, "describe", image=("c.png", png()))
    )
    assert "gpu1 could not describe" in reported
    assert "may be missing" in reported


async def test_pnginfo_shows_a_line_to_copy_and_draws_it(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    mia = discord.user("mia")
    result = await mia.slash(discord.channel, "pnginfo", image=("cat.png", told_by_file()))
    await discord.wait_for(lambda: result.original.components)
    assert result.ephemeral
    content = result.original.content
    assert "```\n812\n```" in content
    assert "!dream a red fox, --negative blurry --size 320x256 --steps 24 --cfg 6.5 --seed 812" in content
    assert "Version: v1.10.1" in content
    answer = await made(easel, await mia.click(result.original, "Draw this"))
    [request] = engine.requests
    assert (request.seed, request.steps, request.width, request.sampler) == (812, 24, 320, "Euler a")
    assert request.model is None
    assert request.loras == (Lora(name="add_detail", weight=0.8),)  # that one is here
    assert "model dreamshaper\\_8 is not here" in answer.content
    assert not answer.ephemeral


async def test_a_very_long_prompt_is_drawn_whole(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    prompt = " ".join(f"word{number}" for number in range(400))
    data = told_by_file(f"{prompt}\nSteps: 20, Sampler: Euler, Seed: 5, Size: 256x256")
    mia = discord.user("mia")
    result = await mia.slash(discord.channel, "pnginfo", image=("cat.png", data))
    await discord.wait_for(lambda: result.original.components)
    assert [file.filename for file in result.original.attachments] == ["dream.txt"]
    await made(easel, await mia.click(result.original, "Draw this"))
    assert engine.requests[0].prompt == prompt


async def test_info_of_our_own_result_is_its_making(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    first = await easel.dream("!dream a red fox --size 256x128 --seed 42 --steps 9")
    result = await discord.user("ann").context_menu("Picture info", first)
    await discord.wait_for(lambda: result.original.components)
    assert "!dream a red fox --size 256x128 --steps 9 --cfg 7 --seed 42" in result.original.content


async def test_a_picture_that_says_nothing_is_told(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    mia = discord.user("mia")
    for data, words in ((png(), "does not say how it was made"), (b"text", "not a picture that Easel can read")):
        assert words in await refusal(easel, await mia.slash(discord.channel, "pnginfo", image=("c.png", data)))


async def test_buttons_under_a_result_do_the_same(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await easel.dream("!dream a red fox --size 256x256")
    job = job_id(answer)
    for what in ("upscale", "zoom", *Pan):
        answer.controls[0]["custom_id"] = f"e1:picture:{job}:{what}"
        result = await discord.user("ann").click(answer, "Re-roll")
        await made(easel, result)
        assert engine.requests[-1].mode is (Mode.UPSCALE if what == "upscale" else Mode.INPAINT)
    assert len(engine.requests) == 7


async def test_a_button_of_another_version_says_so(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream()
    answer.controls[0]["custom_id"] = f"e1:picture:{job_id(answer)}:animate"
    assert "older version" in await refusal(easel, await discord.user("mia").click(answer, "Re-roll"))


async def test_autocomplete(discord: DiscordServer, start: StartEasel) -> None:
    capabilities = Capabilities(modes=frozenset(Mode), upscalers=("Lanczos", "R-ESRGAN 4x+"))
    easel = await start(FakeBackend("gpu1", capabilities=capabilities))
    await easel.dream()
    for command, option, typed, shown in (
        ("upscale", "backend", "", ["gpu1"]), ("upscale", "upscaler", "esr", ["R-ESRGAN 4x+"]),
        ("inpaint", "backend", "gp", ["gpu1"]), ("outpaint", "backend", "x", []), ("describe", "backend", "", ["gpu1"]),
    ):  # fmt: skip
        choices = await discord.user("mia").autocomplete(discord.channel, command, option, typed)
        assert [choice["name"] for choice in choices] == shown


async def test_a_preview_is_not_taken_for_the_picture(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    result = await discord.user("mia").context_menu("Upscale 2×", answer)
    assert "still being made" in await refusal(easel, result)
    engine.release()
    await easel.finished(answer)

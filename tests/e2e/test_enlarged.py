"""Buttons under a picture that was enlarged: what drew it is drawn again, or what was done to it is done again."""

from __future__ import annotations

import pytest

from generation.request import Mode
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel
from tests.e2e.pictures import png
from tests.fakes import FakeBackend

SEEDED = "!dream a red fox --seed 42 --steps 20 --size 512x512"


async def enlarged(easel: Easel, text: str, times: int = 1) -> Message:
    """Draw a picture and enlarge it, then that, and so on; return the last message."""
    answer = await easel.dream(text)
    for _ in range(times):
        result = await easel.server.user("mia").click(answer, "⬆️")
        answer = await easel.finished(result.original)
    return answer


@pytest.mark.parametrize("times", [1, 3])
async def test_editing_an_enlarged_picture_draws_the_new_words(
    discord: DiscordServer, start: StartEasel, times: int
) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await enlarged(easel, SEEDED + " --size 640x448", times)
    mia = discord.user("mia")
    form = (await mia.click(answer, "Remix")).modal
    assert (form.fields["size"]["value"], form.fields["seed"]["value"]) == ("640x448", "42")
    result = await mia.submit(form, {"prompt": "a blue fox"})
    shown = await easel.finished(result.original)
    request = engine.requests[-1]
    assert (request.mode, request.prompt, request.seed) == (Mode.TXT2IMG, "a blue fox", 42)
    assert (request.width, request.height, request.init_image) == (640, 448, None)
    assert shown.content.startswith("**a blue fox**")


async def test_a_re_rolled_enlarged_picture_is_enlarged_again(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    mia = easel.server.user("mia")
    answer = await enlarged(easel, SEEDED)
    await easel.finished((await mia.click(answer, "Re-roll")).original)
    assert engine.requests[-1].mode is Mode.UPSCALE, "what was done to it is done again"


async def test_editing_an_enlarged_picture_of_ones_own_draws_the_words(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    mia = discord.user("mia")
    answer = await easel.finished((await mia.slash(discord.channel, "upscale", image=("cat.png", png()))).original)
    result = await mia.submit((await mia.click(answer, "Remix")).modal, {"prompt": "a blue fox"})
    await easel.finished(result.original)
    assert (engine.requests[-1].mode, engine.requests[-1].prompt) == (Mode.TXT2IMG, "a blue fox")

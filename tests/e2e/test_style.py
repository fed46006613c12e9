"""`/restyle` as people see it: a picture in one of an engine's styles, or in that of another picture."""

from __future__ import annotations

from generation.capabilities import Capabilities
from generation.request import Mode
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.pictures import png
from tests.fakes import FakeBackend

STYLES = ("painting 1", "painting 2", "oil")


def restyler() -> FakeBackend:
    modes = frozenset({Mode.TXT2IMG, Mode.RESTYLE})
    return FakeBackend("painter", capabilities=Capabilities(modes=modes, styles=STYLES, max_images=2))


async def test_style_paints_the_picture_in_a_style_or_like_another(discord: DiscordServer, start: StartEasel) -> None:
    engine = restyler()
    easel = await start(engine)
    await easel.server.wait_commands({"restyle"})
    mia = discord.user("mia")
    result = await mia.slash(discord.channel, "restyle", image=("cat.png", png()), style="painting 2", strength=0.5)
    assert not result.failed
    done = await easel.finished(result.original)
    assert "restyle" in done.content
    assert "painting 2" in done.content
    [request] = engine.requests
    assert (request.mode, request.styles, request.denoising_strength) == (Mode.RESTYLE, ("painting 2",), 0.5)
    assert request.prompt == ""
    like = await mia.slash(discord.channel, "restyle", image=("cat.png", png()), like=("sea.png", png(colour="navy")))
    await easel.finished(like.original)
    assert (len(engine.requests[1].more_images), engine.requests[1].styles) == (1, ())
    again = await discord.user("ann").click(done, "Re-roll")
    await easel.finished(again.original)
    assert engine.requests[2].styles == ("painting 2",)


async def test_style_by_prefix_takes_the_picture_of_the_message_or_of_the_one_it_answers(start: StartEasel) -> None:
    engine = restyler()
    easel = await start(engine)
    await easel.server.wait_commands({"restyle"})
    done = await easel.dream("!style painting 2 --strength 0.5", attachments=[("cat.png", png())])
    assert "painting 2" in done.content
    await easel.finished(await easel.answer_to(await easel.say("!style oil", reply_to=done)))
    await easel.dream("!style", attachments=[("cat.png", png()), ("sea.png", png(colour="navy"))])
    first, second, third = engine.requests
    assert (first.mode, first.styles, first.denoising_strength) == (Mode.RESTYLE, ("painting 2",), 0.5)
    assert (second.mode, second.styles, second.init_image is not None) == (Mode.RESTYLE, ("oil",), True)
    assert (third.mode, third.styles, len(third.more_images)) == (Mode.RESTYLE, (), 1)


async def test_a_style_that_is_words_for_a_prompt_is_no_style_of_the_engine(start: StartEasel) -> None:
    engine = restyler()
    easel = await start(engine)
    await easel.server.wait_commands({"restyle"})
    reply = await easel.answer_to(await easel.say("!style watercolor", attachments=[("cat.png", png())]))
    await easel.server.wait_for(lambda: "watercolor" in reply.content and "no style" in reply.content)
    assert engine.requests == []

"""Pictures to start from, wherever they are: a reply, a message's link, a member's avatar, a result of your own."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import nextcord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, reply_to
from tests.e2e.pictures import png, rich_backend


def link_to(message: Message) -> str:
    guild = message.channel.guild
    return f"https://discord.com/channels/{guild.id if guild else '@me'}/{message.channel.id}/{message.id}"


async def refused(easel: Easel, text: str, **options: object) -> str:
    reply = await easel.say(text, **options)
    return str((await easel.server.wait_for(lambda: reply_to(reply))).content)


@pytest.fixture
async def avatars(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """Serve avatars, and note which were asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=png(32), content_type="image/png")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        monkeypatch.setattr(nextcord.Asset, "BASE", str(server.make_url("/")).rstrip("/"))
        yield asked


async def test_the_link_of_a_message_brings_its_picture(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    other = discord.add_channel("cats")
    cat = await discord.user("ann").say(other, "look", attachments=[("cat.png", png())])
    await easel.dream(f"!dream {link_to(cat)} as a knight")
    await easel.dream(f"!dream as a king --image {link_to(cat)}")
    answer = await easel.slash(f"as a queen --image {link_to(cat)}")
    await discord.wait_for(lambda: answer.original and answer.original.attachments)
    assert [request.prompt for request in engine.requests] == ["as a knight", "as a king", "as a queen"]
    assert all(request.init_image for request in engine.requests)


async def test_a_message_that_is_not_for_you_is_as_if_not_there(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    secret = discord.add_channel("secret")
    discord._override(secret, discord.user("mia").id, "VIEW_CHANNEL", allowed=False)
    discord.gateway.dispatch("CHANNEL_UPDATE", secret.to_json())
    mod = discord.user("mod", permissions=("ADMINISTRATOR",))
    cat = await mod.say(secret, "look", attachments=[("cat.png", png())])
    guild = discord.add_guild("Foreign")
    far = discord.add_channel("far", guild=guild)
    zoe = discord.add_user("zoe", guild=guild)
    dog = await zoe.say(far, "look", attachments=[("dog.png", png())])
    for message in (cat, dog):
        assert "not for you to read" in await refused(easel, f"!dream {link_to(message)} as a knight")
    talk = await easel.say("no picture here")
    assert "no picture in that message" in await refused(easel, f"!dream {link_to(talk)} as a knight")


async def test_an_avatar_is_drawn_from(discord: DiscordServer, start: StartEasel, avatars: list[str]) -> None:
    engine = rich_backend()
    easel = await start(engine)
    await easel.dream(f"!dream as a knight --image <@{discord.user('ann').id}>")
    await easel.dream("!dream as a king --image me")
    assert len(avatars) == 2
    assert all(request.init_image for request in engine.requests)
    assert "member is not here" in await refused(easel, "!dream as a king --image <@123456789012345678>")


async def test_an_earlier_result_of_your_own_is_drawn_from(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    assert "no picture here yet" in await refused(easel, "!dream as a king --image last")
    fox = await easel.dream("!dream a red fox")
    await easel.dream("!dream as a king --image last")
    await easel.dream(f"!dream as a queen --image {job_id(fox)}")
    assert [bool(request.init_image) for request in engine.requests] == [False, True, True]
    assert "no picture I can find" in await refused(easel, "!dream as a king --image 0123456789ab")
    grid = await easel.dream("!dream two foxes --batch 2")
    assert "shows 2 pictures" in await refused(easel, "!dream as a king --image last")
    assert "shows 2 pictures" in await refused(easel, "!dream as a king", reply_to=grid)


async def test_a_private_result_is_not_there_for_others(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    await easel.say("!dream a red fox --private")
    mia = discord.user("mia")
    (letter,) = await discord.wait_for(lambda: [item for item in mia.dm_channel.messages if item.attachments])
    assert "no picture I can find" in await refused(easel, f"!dream x --image {job_id(letter)}", user="ann")


async def test_several_that_are_given_are_drawn_from_or_named(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    cat = await easel.say("look", attachments=[("cat.png", png())])
    answer = await easel.dream(
        f"!dream a red fox --image {link_to(cat)} https://example.com/dog.png", attachments=[("mine.png", png())]
    )
    assert "cat.png" in answer.content
    assert "example.com" in answer.content
    assert len(engine.requests) == 1


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "AVIF"])
async def test_other_kinds_of_pictures_are_read(start: StartEasel, kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "navy").save(file, kind)
    engine = rich_backend()
    easel = await start(engine)
    await easel.dream("!dream a red fox", attachments=[(f"cat.{kind.lower()}", file.getvalue())])
    assert engine.requests[0].init_image

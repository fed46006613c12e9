"""`/gallery`: mia looks through what is hers, opens a picture, keeps it; nobody else sees any of it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, labels
from tests.fakes import FakeBackend

PROMPTS = tuple(f"a fox number {number}" for number in range(12))


async def look(easel: Easel, user: str = "mia", **options: Any) -> Message:
    answer = await easel.server.user(user).slash(easel.server.channel, "gallery", **options)
    await easel.server.wait_for(lambda: answer.original and not answer.original.loading)
    assert answer.original.ephemeral
    return answer.original


async def drawn(easel: Easel, prompts: tuple[str, ...], user: str = "mia") -> list[Message]:
    return [await easel.dream(f"!dream {prompt} --size 64x64", user=user) for prompt in prompts]


async def test_pages_of_ten_thumbnails_newest_first(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    await drawn(easel, PROMPTS)
    page = await look(easel)
    assert page.content.startswith("**Your 12 pictures**")
    assert page.content.splitlines()[1].startswith("1\\. a fox number 11 · <t:")
    assert len(page.attachments) == 10
    assert page.attachments[0].description == "1: a fox number 11"
    assert max(Image.open(io.BytesIO(page.attachments[0].data)).size) <= 256
    assert labels(page)[1] == ["Older"]
    await discord.user("mia").click(page, "Older")
    await discord.wait_for(lambda: "a fox number 1 " in page.content)
    assert len(page.attachments) == 2
    await discord.user("mia").click(page, "Newest")
    await discord.wait_for(lambda: "a fox number 11" in page.content)


async def test_nobody_sees_anothers_and_an_empty_gallery_says_what_to_do(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start()
    await drawn(easel, ("a red fox",))
    assert (await look(easel, "ann")).content == "No picture here yet. `/generate` makes one."
    assert (await look(easel, search="heron")).content != ""
    assert "a red fox" not in (await look(easel, search="heron")).content
    assert "a red fox" in (await look(easel, search="RED")).content


async def test_a_picture_is_opened_with_its_buttons_kept_and_found_among_the_kept(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start()
    first, _ = await drawn(easel, ("a red fox", "a heron"))
    page = await look(easel)
    value = page.controls[0]["options"][1]["value"]
    opened = await discord.user("mia").select(page, "Open one…", [value])
    await discord.wait_for(lambda: opened.original and opened.original.attachments)
    shown = opened.original
    assert shown.content.startswith("**a red fox** — ")
    assert shown.attachments[0].data == first.attachments[0].data
    assert labels(shown)[1] == ["⬆️", "🔭", "⭐ Keep", "🗑️"]
    assert job_id(shown) == job_id(first)
    kept = await discord.user("mia").click(shown, "Keep")
    assert "Kept" in kept.original.content
    favourites = await look(easel, favourites=True)
    assert "a red fox" in favourites.content
    assert "heron" not in favourites.content
    await easel.stop()
    await easel.start()
    again = await discord.user("mia").select(favourites, "Open one…", [value])
    await discord.wait_for(lambda: again.original and again.original.attachments)
    assert "⭐ Let go" in labels(again.original)[1]
    await discord.user("mia").click(again.original, "Let go")
    await discord.wait_for(lambda: True)
    assert "a red fox" not in (await look(easel, favourites=True)).content


async def test_one_picture_of_a_batch_is_opened_alone(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    await easel.dream("!dream a red fox --size 64x64 --batch 3")
    page = await look(easel)
    assert page.content.startswith("**Your 3 pictures**")
    opened = await discord.user("mia").select(page, "Open one…", [page.controls[0]["options"][1]["value"]])
    await discord.wait_for(lambda: opened.original and opened.original.attachments)
    assert len(opened.original.attachments) == 1
    assert Image.open(io.BytesIO(opened.original.attachments[0].data)).size == (64, 64)
    assert "U1" not in str(labels(opened.original))


@pytest.mark.parametrize("options", [{"collection": "herons"}, {"search": "x" * 40, "model": "y" * 40}])
async def test_what_cannot_be_is_refused_in_words(
    discord: DiscordServer, start: StartEasel, options: dict[str, str]
) -> None:
    await start(FakeBackend())
    asked = await discord.user("mia").slash(discord.channel, "gallery", **options)
    (refused,) = await discord.wait_for(lambda: asked.followups)
    assert refused.ephemeral
    assert "no collection “herons”" in refused.content or "fewer or shorter" in refused.content

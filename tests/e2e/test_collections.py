"""Collections from Discord: a picture is put into one from its menu, looked at and exported."""

from __future__ import annotations

import io
import zipfile

from tests.discord_server import DiscordServer, Interaction
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, more
from tests.fakes import FakeBackend

COLLECT = "Add to a collection"


async def reads(discord: DiscordServer, result: Interaction) -> str:
    def shown() -> str:
        messages = [*result.followups, result.message]
        return next((each.text for each in messages if each and not each.loading and not each.deleted), "")

    return str(await discord.wait_for(shown))


async def collected(easel: Easel, prompt: str, **values: str) -> str:
    """Draw a picture and put it into a collection; return what is said."""
    mia = easel.server.user("mia")
    opened = await more(mia, await easel.dream(f"!dream {prompt}"), COLLECT)
    assert opened.modal is not None
    sent = await mia.submit(opened.modal, values)
    assert sent.ephemeral
    return await reads(easel.server, sent)


async def test_a_picture_is_put_into_a_new_collection_and_the_next_into_the_same(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend("gpu"))
    assert "In **Birds**, with 1 picture now" in await collected(easel, "a heron", name="Birds")
    assert "In **Birds**, with 2 pictures now" in await collected(easel, "a gull", collection="Birds")
    assert "In **Birds**, with 3 pictures now" in await collected(easel, "a tern", name="birds")
    await easel.dream("!dream a fox")
    await easel.kill()
    await easel.start()
    mia = discord.user("mia")
    shown = await reads(discord, await mia.slash(discord.channel, "gallery", collection="Birds"))
    assert "3 pictures" in shown
    assert "a fox" not in shown
    exported = await mia.slash(discord.channel, "export", collection="Birds")
    assert "3 pictures" in await reads(discord, exported)
    [file] = next(each.files for each in [*exported.followups, exported.message] if each and each.files)
    assert len(zipfile.ZipFile(io.BytesIO(file.data)).namelist()) == 3


async def test_of_a_batch_all_pictures_are_put_in(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"))
    assert "with 3 pictures now" in await collected(easel, "a heron --batch 3", name="Herons")


async def test_a_form_without_a_name_and_a_picture_of_somebody_else_are_refused(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend("gpu"))
    await collected(easel, "a heron", name="Birds")
    assert "Choose a collection" in await collected(easel, "a gull")
    theirs = await easel.dream("!dream a red fox", user="ann")
    refused = await more(discord.user("mia"), theirs, COLLECT)
    assert "Only the person who asked" in await reads(discord, refused)
    forged = await discord.user("mia").forge(theirs, f"e1:collected:{job_id(theirs)}", form={"name": "Birds"})
    assert "Only the person who asked" in await reads(discord, forged)

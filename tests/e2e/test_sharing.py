"""Private results and Share, pictures by direct message, a server's gallery, history, exports as ZIP."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from cogs import exports
from generation.person import Person
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, labels, own
from tests.e2e.pictures import rich_backend
from tests.waiting import until


async def private(easel: Easel, prompt: str = "a red fox") -> Message:
    answer = await easel.slash(prompt, private=True)
    await easel.server.wait_for(lambda: answer.original and answer.original.attachments)
    assert answer.original.ephemeral
    return answer.original


async def look(easel: Easel, who: str = "mia", command: str = "gallery", **options: Any) -> str:
    answer = await easel.server.user(who).slash(easel.server.channel, command, **options)
    await easel.server.wait_for(lambda: answer.original and not answer.original.loading)
    return str(answer.original.content)


async def test_a_private_result_is_shared_by_its_owner(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    shown = await private(easel)
    assert "📢" in str(labels(shown))
    assert own(discord.channel) == [shown]
    await easel.stop()
    await easel.start()
    press = await discord.user("mia").click(shown, "📢")
    shared = (await discord.wait_for(lambda: [each for each in own(discord.channel) if not each.ephemeral]))[0]
    assert shared.content.startswith("**a red fox**")
    assert len(shared.attachments) == 1
    assert "📢" not in str(labels(shared))
    await discord.wait_for(lambda: press.original and "Shared" in press.original.content)
    again = await discord.user("ann").click(shared, "Re-roll")
    await discord.wait_for(lambda: again.original and again.original.attachments)
    twice = await discord.user("mia").click(shown, "📢")
    await discord.wait_for(lambda: twice.followups)
    assert "not private" in twice.followups[0].content


async def test_a_private_one_of_a_message_is_shared_from_the_letter(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    await easel.say("!dream a red fox --private")
    mia = discord.user("mia")
    (letter,) = await discord.wait_for(lambda: [each for each in own(mia.dm_channel) if each.attachments])
    await mia.click(letter, "📢")
    (shared,) = await discord.wait_for(lambda: own(discord.channel))
    assert shared.attachments


async def test_a_picture_is_sent_to_whoever_asks(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    picture = await easel.dream("!dream a red fox --batch 2")
    press = await discord.user("ann").select(picture, "More…", ["Send it to me"])
    (letter,) = await discord.wait_for(lambda: own(discord.user("ann").dm_channel))
    assert len(letter.attachments) == 2
    await discord.wait_for(lambda: press.original and "Sent to you" in press.original.content)


async def test_the_gallery_of_a_server_holds_what_you_may_read(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    await easel.dream("!dream a red fox")
    await easel.dream("!dream a heron", user="ann")
    await private(easel, "a secret lynx")
    far = discord.add_channel("far", guild=discord.add_guild("Foreign"))
    zoe = discord.add_user("zoe", guild=far.guild)
    await zoe.say(far, "!dream a far owl")
    await discord.wait_for(lambda: any(each.attachments for each in own(far)))
    shut = discord.add_channel("shut")
    discord._override(shut, discord.user("ann").id, "VIEW_CHANNEL", allowed=False)
    discord.gateway.dispatch("CHANNEL_UPDATE", shut.to_json())
    hidden = await discord.user("mia").say(shut, "!dream a hidden newt")
    await easel.finished(await easel.answer_to(hidden))
    mine = await look(easel)
    assert "a red fox" in mine
    assert "heron" not in mine
    server = await look(easel, "ann", server=True)
    assert "a red fox" in server
    assert "a heron" in server
    assert "lynx" not in server
    assert "owl" not in server
    assert "newt" not in server
    assert "newt" in await look(easel, "mia", server=True)
    assert f"<@{discord.user('mia').id}>" in server
    his = await look(easel, "mia", user=discord.user("ann"))
    assert "a heron" in his
    assert "fox" not in his


async def test_one_of_a_server_is_opened_and_gone_on_from(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    await easel.dream("!dream a red fox")
    answer = await discord.user("ann").slash(discord.channel, "gallery", server=True)
    await discord.wait_for(lambda: answer.original and answer.original.controls)
    value = answer.original.controls[0]["options"][0]["value"]
    opened = await discord.user("ann").select(answer.original, "Open one…", [value])
    await discord.wait_for(lambda: opened.original and opened.original.attachments)
    assert opened.original.content.startswith("**a red fox**")


async def test_days_narrow_a_gallery(start: StartEasel) -> None:
    easel = await start(rich_backend())
    await easel.dream("!dream a red fox")
    today = easel.clock.now().strftime("%Y-%m-%d")
    assert "a red fox" in await look(easel, since=today, until=today)
    assert "a red fox" not in await look(easel, until="2020-01-01")
    answer = await easel.server.user("mia").slash(easel.server.channel, "gallery", since="monday")
    assert "is no day" in answer.message.content


async def test_history_is_what_you_made(start: StartEasel) -> None:
    easel = await start(rich_backend())
    await easel.dream("!dream a red fox")
    assert "a red fox" in await look(easel, command="history")


async def collection(easel: Easel, messages: list[Message], name: str = "Foxes & more") -> None:
    gallery = easel.now.easel.services.records.gallery
    person = Person(user_key=f"discord:{easel.server.user('mia').id}")
    made = await gallery.create_collection(person, name)
    for message in messages:
        job = await easel.job(job_id(message))
        assert job.result
        await gallery.add_pictures(person, made.id, [image.media_id for image in job.result.images])


async def test_a_collection_is_exported_as_zip(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    foxes = [await easel.dream(f"!dream a fox {number} --size 64x64") for number in range(2)]
    await collection(easel, foxes)
    answer = await discord.user("mia").slash(discord.channel, "export", collection="foxes & more")
    await discord.wait_for(lambda: answer.original and answer.original.attachments)
    (file,) = answer.original.attachments
    assert answer.ephemeral
    assert file.filename.endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        assert len(archive.namelist()) == 2
        assert archive.testzip() is None
    assert "2 pictures" in answer.original.content


async def test_what_discord_cannot_hold_is_said_with_where_it_is(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch
) -> None:
    easel = await start()
    foxes = [await easel.dream(f"!dream a fox {number} --size 64x64") for number in range(3)]
    await collection(easel, foxes)
    sizes = [len(fox.attachments[0].data) for fox in foxes]
    monkeypatch.setattr(exports, "DISCORD_FILE_BYTES", max(sizes) + 4000)
    monkeypatch.setattr(exports, "MAX_FILES", 1)
    answer = await discord.user("mia").slash(discord.channel, "export", collection="Foxes & more")
    await discord.wait_for(lambda: answer.original and answer.original.attachments)
    assert "not fit" in answer.original.content
    assert "/api/gallery/archive" in answer.original.content


async def test_nothing_to_export_is_said(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    for options in ({}, {"collection": "herons"}):
        answer = await discord.user("mia").slash(discord.channel, "export", **options)
        await until(lambda answer=answer: bool(answer.followups))
        assert answer.followups[0].ephemeral
    await easel.dream("!dream the end")

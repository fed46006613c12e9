"""`ENABLE_NSFW_FILTER=true` as people see it: words in place of a picture."""

from __future__ import annotations

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.fakes import FakeBackend, FakeCheck

HELD_BACK = "The picture was held back: the picture check takes what it shows for not safe for work"


async def test_a_picture_that_is_held_back_is_words_and_no_file(discord: DiscordServer, start: StartEasel) -> None:
    check = FakeCheck(0.97)
    easel = await start(FakeBackend("gpu"), check=check)
    held = await easel.answer_to(await easel.say("!dream a red fox --seed 5"))
    await discord.wait_for(lambda: HELD_BACK in held.content)
    assert "The check can be wrong" in held.content
    assert held.attachments == []
    fine = await easel.dream("!dream a red fox --seed 5")
    assert len(fine.attachments) == 1
    assert len(check.seen) == 2, "what was held back is no answer for the next"


async def test_of_several_pictures_the_others_are_shown(start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"), check=FakeCheck(0.0, 0.97))
    done = await easel.dream("!dream a red fox --batch 2")
    assert "1 picture was held back" in done.content
    assert len(done.attachments) == 1


async def test_what_was_kept_before_the_check_is_no_answer_any_more(start: StartEasel) -> None:
    engine, check = FakeBackend("gpu"), FakeCheck(0.97)
    easel = await start(engine)
    await easel.dream("!dream a red fox --seed 5")
    await easel.dream("!dream a red fox --seed 5")
    assert len(engine.requests) == 1
    await easel.stop()
    easel.check = check
    await easel.start()
    held = await easel.answer_to(await easel.say("!dream a red fox --seed 5"))
    await easel.server.wait_for(lambda: HELD_BACK in held.content)
    assert len(engine.requests) == 2

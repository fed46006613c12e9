"""The text engine beside drawing, over a local Discord: descriptions, alt texts, translations."""

from __future__ import annotations

from dataclasses import replace

from generation.capabilities import Capabilities
from generation.errors import BackendUnavailable
from generation.request import Mode
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import job_id, labels, own
from tests.e2e.pictures import png, rich_backend
from tests.e2e.test_enhance import answer_of
from tests.fakes import FakeBackend
from tests.services.wording.rig import FakeTextEngine
from tests.waiting import until

SEEN = {"prompt": "a blue square, flat colours", "alt": "A plain blue square.", "tags": ["square", "blue"]}
TRANSLATES = {"translates": True}


async def test_a_model_that_sees_describes_and_its_words_are_drawn(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"), text_engine=FakeTextEngine(SEEN))
    result = await discord.user("mia").slash(discord.channel, "describe", image=("cat.png", png()))
    answer = await answer_of(easel, result)
    assert "!dream a blue square, flat colours" in answer.content
    assert "described by claude-haiku-5-5" in answer.content
    assert answer.attachments[0].description == "The picture described: A plain blue square."
    drawn = await discord.user("mia").click(answer, "Draw this")
    picture = await discord.wait_for(lambda: drawn.message if drawn.message and drawn.message.attachments else None)
    assert (await easel.job(job_id(picture))).request.prompt == "a blue square, flat colours"


async def test_where_nothing_here_sees_its_failure_is_told(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"), text_engine=FakeTextEngine(BackendUnavailable("It is overloaded.")))
    result = await discord.user("mia").slash(discord.channel, "describe", image=("cat.png", png()))
    assert "It is overloaded." in (await answer_of(easel, result)).content


async def test_a_finished_picture_is_described_for_screen_readers(discord: DiscordServer, start: StartEasel) -> None:
    text = FakeTextEngine({"alt": "A fox looks at the camera."})
    easel = await start(FakeBackend("gpu1"), text_engine=text, text_settings={"alt_texts": True})
    shown = await easel.dream("!dream a red fox --seed 7")
    assert shown.attachments[0].description.startswith("AI image: A fox looks at the camera.; ")
    assert (await easel.job(job_id(shown))).result.alts == ("A fox looks at the camera.",)  # type: ignore[union-attr]


async def test_without_the_setting_no_picture_is_sent_to_a_model(discord: DiscordServer, start: StartEasel) -> None:
    text = FakeTextEngine({"alt": "A fox."})
    easel = await start(FakeBackend("gpu1"), text_engine=text)
    shown = await easel.dream("!dream a red fox --seed 7")
    assert shown.attachments[0].description.startswith("AI image: a red fox; ")
    assert text.asked == []


async def test_a_picture_comes_even_if_nobody_can_describe_it(discord: DiscordServer, start: StartEasel) -> None:
    text = FakeTextEngine(BackendUnavailable("gone"))
    easel = await start(FakeBackend("gpu1"), text_engine=text, text_settings={"alt_texts": True})
    for __ in range(2):
        shown = await easel.dream("!dream a red fox")
        assert shown.attachments[0].description.startswith("AI image: a red fox; ")
    assert len(text.asked) == 1  # it rests after a failure


async def test_another_language_is_drawn_in_english_and_the_words_are_kept(
    discord: DiscordServer, start: StartEasel
) -> None:
    text = FakeTextEngine({"english": "a red fox in the snow"})
    easel = await start(FakeBackend("gpu1"), text_engine=text, text_settings=TRANSLATES)
    shown = await easel.dream("!dream ein roter Fuchs im Schnee")
    assert "translated from “ein roter Fuchs im Schnee”" in shown.content
    job = await easel.job(job_id(shown))
    assert job.drawn.prompt == "a red fox in the snow"
    assert any("ein roter Fuchs im Schnee" in note for note in job.notes)


async def test_an_engine_that_reads_all_languages_gets_the_words_as_typed(
    discord: DiscordServer, start: StartEasel
) -> None:
    able = replace(Capabilities(modes=frozenset(Mode)), reads_any_language=True)
    text = FakeTextEngine({"english": "a red fox in the snow"})
    easel = await start(FakeBackend("gpu1", capabilities=able), text_engine=text, text_settings=TRANSLATES)
    shown = await easel.dream("!dream ein roter Fuchs im Schnee")
    assert (await easel.job(job_id(shown))).drawn.prompt == "ein roter Fuchs im Schnee"
    assert text.asked == []


async def test_what_may_not_be_drawn_is_found_in_other_languages_too(discord: DiscordServer, start: StartEasel) -> None:
    text = FakeTextEngine({"english": "a nude woman, explicit"})
    easel = await start(FakeBackend("gpu1"), text_engine=text, text_settings=TRANSLATES)
    refused = await easel.answer_to(await easel.say("!dream eine Frau ohne Hüllen und ein Hund"))
    await discord.wait_for(lambda: refused.content.startswith("✖"))
    assert "nude" in refused.content


async def test_a_translator_that_is_down_stops_nobody(discord: DiscordServer, start: StartEasel) -> None:
    text = FakeTextEngine(BackendUnavailable("It is gone."))
    easel = await start(FakeBackend("gpu1"), text_engine=text, text_settings=TRANSLATES)
    shown = await easel.dream("!dream ein roter Fuchs im Schnee")
    assert "not translated: It is gone" in shown.content
    assert (await easel.job(job_id(shown))).drawn.prompt == "ein roter Fuchs im Schnee"


async def test_a_short_prompt_is_written_more_fully_once_and_the_words_are_kept(
    discord: DiscordServer, start: StartEasel
) -> None:
    text = FakeTextEngine({"prompt": "a red fox in deep snow, low sun"})
    easel = await start(FakeBackend("gpu1"), text_engine=text, text_settings={"enhances": True})
    shown = await easel.dream("!dream a red fox --steps 12")
    job = await easel.job(job_id(shown))
    assert "enhanced from “a red fox”" in shown.content
    assert (job.drawn.prompt, job.drawn.steps) == ("a red fox in deep snow, low sun", 12)
    await discord.user("mia").click(shown, "Re-roll")
    await discord.wait_for(lambda: len(easel.server.channel.messages) > 2)
    assert len(text.asked) == 1
    careful = await easel.dream("!dream a (red:1.2) fox")
    assert (await easel.job(job_id(careful))).drawn.prompt == "a (red:1.2) fox"
    assert len(text.asked) == 1


async def test_a_model_that_cannot_write_stops_nobody(discord: DiscordServer, start: StartEasel) -> None:
    text = FakeTextEngine(BackendUnavailable("It is gone."))
    easel = await start(FakeBackend("gpu1"), text_engine=text, text_settings={"enhances": True})
    shown = await easel.dream("!dream a red fox")
    assert "not enhanced: It is gone" in shown.content
    assert (await easel.job(job_id(shown))).drawn.prompt == "a red fox"


async def test_where_a_model_writes_what_may_not_be_drawn_the_typed_words_are_drawn(
    discord: DiscordServer, start: StartEasel
) -> None:
    text = FakeTextEngine({"prompt": "a nude woman, explicit"})
    easel = await start(FakeBackend("gpu1"), text_engine=text, text_settings={"enhances": True})
    shown = await easel.dream("!dream a statue")
    assert (await easel.job(job_id(shown))).drawn.prompt == "a statue"


REPLIES = {"replies": True}


async def test_a_reply_that_the_rules_do_not_read_is_read_by_the_model_and_shown_with_a_way_back(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = rich_backend()
    text = FakeTextEngine(lambda question: SAYS_OF_REPLIES.get(question.words, {"operation": "none"}))
    easel = await start(engine, text_engine=text, text_settings=REPLIES)
    picture = await easel.dream("!dream a red fox --batch 2")
    for words in ("make it darker", "nice!", "!dream a hen --size 64x64"):
        await easel.say(words, reply_to=picture)
    which = await easel.answer_to(await easel.say("haz que sea de noche", user="ann", reply_to=picture))
    assert which.content.startswith("Which one?")
    await discord.user("ann").click(which, "2")
    changed = await discord.wait_for(
        lambda: next((each for each in own(discord.channel) if "a red fox, night" in each.content), None)
    )
    await easel.finished(changed)
    assert "read as: change the picture" in changed.content
    assert "↩️" in str(labels(changed))
    assert [question.words for question in text.asked] == ["haz que sea de noche"], "once, and of nothing else"
    await easel.say("me encanta este zorro", reply_to=picture)
    await until(lambda: len(text.asked) == 2)
    text.says = BackendUnavailable("It is gone.")
    await easel.say("hazlo azul", reply_to=picture)
    await until(lambda: len(text.asked) == 3)
    await easel.dream("!dream the end --size 64x64")
    assert sum("zorro" in request.prompt or "azul" in request.prompt for request in engine.requests) == 0


SAYS_OF_REPLIES = {"haz que sea de noche": {"operation": "edit", "words": "night"}}


async def test_replies_are_not_sent_to_a_model_where_that_is_not_set_or_may_not_be_drawn(
    discord: DiscordServer, start: StartEasel
) -> None:
    text = FakeTextEngine({"operation": "edit", "words": "night"})
    easel = await start(rich_backend(), text_engine=text)
    picture = await easel.dream("!dream a red fox")
    await easel.say("haz que sea de noche", reply_to=picture)
    await easel.dream("!dream the end")
    await easel.stop()
    easel = await start(rich_backend(), text_engine=text, text_settings=REPLIES)
    await easel.say("hazla desnuda, nude", reply_to=picture)
    await easel.dream("!dream the very end")
    assert text.asked == []

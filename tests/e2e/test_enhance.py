"""`/enhance` over a local Discord: before and after, and what can be done with it."""

from __future__ import annotations

from typing import Any

from generation.errors import BackendUnavailable
from tests.discord_server import DiscordServer, Interaction, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, job_id, own
from tests.fakes import FakeBackend
from tests.services.wording.rig import FakeTextEngine

SAYS = {
    "prompt": "a red fox in deep snow, low winter sun",
    "alternatives": ["a fox asleep under a pine", "a fox at night, neon rain"],
    "tags": ["fox"],
}


async def enhance(easel: Easel, prompt: str, who: str = "mia", **options: Any) -> Message:
    asked = await easel.server.user(who).slash(easel.server.channel, "enhance", prompt=prompt, **options)
    return await answer_of(easel, asked)


async def answer_of(easel: Easel, asked: Interaction) -> Message:
    """Wait for the answer behind "thinking…"."""

    def shown() -> Message | None:
        return next((each for each in (asked.original, *asked.followups) if each and each.content), None)

    return await easel.server.wait_for(shown)


def last_picture(easel: Easel) -> Message | None:
    return next((each for each in reversed(own(easel.server.channel)) if is_finished(each)), None)


async def drawn(easel: Easel) -> Message:
    return await easel.server.wait_for(lambda: last_picture(easel))


async def test_before_and_after_are_shown_to_who_asked_and_drawn_by_a_button(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend("gpu1")
    easel = await start(engine, text_engine=FakeTextEngine(SAYS))
    answer = await enhance(easel, "a red fox --steps 12")
    assert answer.ephemeral
    assert answer.content == (
        "**Before**\n```\na red fox --steps 12\n```\n"
        "**After**\n```\na red fox in deep snow, low winter sun --steps 12\n```\n"
        "**Other ways**\n```\n1  a fox asleep under a pine\n2  a fox at night, neon rain\n```\n"
        "-# written by claude-haiku-5-5"
    )
    await discord.user("mia").click(answer, "Draw it")
    picture = await drawn(easel)
    assert not picture.ephemeral
    job = await easel.job(job_id(picture))
    assert (job.request.prompt, job.request.steps) == (SAYS["prompt"], 12)
    assert job.origin.user_id == str(discord.user("mia").id)


async def test_another_way_is_drawn_with_the_same_options(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"), text_engine=FakeTextEngine(SAYS))
    answer = await enhance(easel, "a red fox --steps 12")
    await discord.user("mia").select(answer, "Draw another way", ["a fox at night, neon rain"])
    job = await easel.job(job_id(await drawn(easel)))
    assert (job.request.prompt, job.request.steps) == ("a fox at night, neon rain", 12)


async def test_it_can_be_changed_before_it_is_drawn_and_written_once_more(
    discord: DiscordServer, start: StartEasel
) -> None:
    text = FakeTextEngine(SAYS)
    easel = await start(FakeBackend("gpu1"), text_engine=text)
    answer = await enhance(easel, "a red fox")
    text.says = SAYS | {"prompt": "a red fox, ink on paper"}
    again = await answer_of(easel, await discord.user("mia").click(answer, "Again · $0.0003"))
    assert "**Before**\n```\na red fox\n```" in again.content
    assert "a red fox, ink on paper" in again.content
    form = (await discord.user("mia").click(again, "Edit")).modal
    assert form is not None
    assert form.fields["prompt"]["value"] == "a red fox, ink on paper"
    await discord.user("mia").submit(form, {"prompt": "a red fox, oil on canvas"})
    assert (await easel.job(job_id(await drawn(easel)))).request.prompt == "a red fox, oil on canvas"


async def test_the_buttons_work_after_a_restart(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"), text_engine=FakeTextEngine(SAYS))
    answer = await enhance(easel, "a red fox")
    await easel.stop()
    easel = await start(FakeBackend("gpu1"))
    await discord.user("mia").click(answer, "Draw it")
    assert (await easel.job(job_id(await drawn(easel)))).request.prompt == SAYS["prompt"]


async def test_a_private_wish_gives_a_private_picture(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"), text_engine=FakeTextEngine(SAYS))
    answer = await enhance(easel, "a red fox", private=True)
    pressed = await discord.user("mia").click(answer, "Draw it")
    picture = await discord.wait_for(
        lambda: next((each for each in (pressed.original, *pressed.followups) if each and is_finished(each)), None)
    )
    assert picture.ephemeral
    assert all(message.ephemeral for message in own(discord.channel))


async def test_without_a_text_engine_the_rules_write_and_say_so(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"))
    answer = await enhance(easel, "a red fox")
    assert "a red fox, " in answer.content
    assert answer.content.endswith("-# No text engine is connected here: the rules wrote this.")
    assert "Other ways" not in answer.content


async def test_one_that_is_down_is_named_and_the_rules_write(discord: DiscordServer, start: StartEasel) -> None:
    text = FakeTextEngine(BackendUnavailable("claude-haiku-5-5 is overloaded."))
    easel = await start(FakeBackend("gpu1"), text_engine=text)
    answer = await enhance(easel, "a red fox")
    assert answer.content.endswith("-# claude-haiku-5-5 is overloaded. The rules wrote this instead.")
    asked = await discord.user("mia").slash(discord.channel, "status")
    status = await answer_of(easel, asked)
    assert "🔌 **claude-haiku-5-5** · claude-haiku-5-5 is overloaded. The rules write meanwhile." in status.content


async def test_what_is_not_drawn_here_is_not_sent_and_not_shown(discord: DiscordServer, start: StartEasel) -> None:
    text = FakeTextEngine(SAYS | {"alternatives": ["a nude woman, explicit"]})
    easel = await start(FakeBackend("gpu1"), text_engine=text)
    refused = await enhance(easel, "a nude woman, explicit")
    assert refused.content.startswith("✖")
    assert text.asked == []
    assert "nude" not in (await enhance(easel, "a red fox")).content


async def test_the_prompt_of_a_picture_is_enhanced_from_its_menu_and_drawn_as_a_remix(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend("gpu1"), text_engine=FakeTextEngine(SAYS))
    first = await easel.dream("!dream a red fox --steps 9 --seed 7")
    pressed = await discord.user("ann").select(first, "More…", ["Enhance the prompt"])
    answer = await answer_of(easel, pressed)
    assert answer.ephemeral
    assert "**Before**\n```\na red fox\n```" in answer.content
    await discord.user("ann").click(answer, "Draw it")
    second = await discord.wait_for(lambda: found if (found := last_picture(easel)) is not first else None)
    job = await easel.job(job_id(second))
    assert (job.request.prompt, job.request.steps) == (SAYS["prompt"], 9)
    assert job.origin.parent_job_id == job_id(first)
    assert job.origin.user_id == str(discord.user("ann").id)


async def test_by_prefix_it_is_for_everybody_to_read(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"), text_engine=FakeTextEngine(SAYS))
    answer = await easel.answer_to(await easel.say("!enhance a red fox"))
    await discord.wait_for(lambda: "**After**" in answer.content)
    await discord.user("ann").click(answer, "Draw it")
    job = await easel.job(job_id(await drawn(easel)))
    assert job.origin.user_id == str(discord.user("ann").id)


async def test_an_empty_prompt_is_refused_in_words(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"))
    answer = await easel.answer_to(await easel.say("!enhance"))
    assert answer.content == "✖ Say what you would like to see, for example: a red fox in the snow."


def voted_on(message: Message | None) -> Message | None:
    return message if message and "until" in message.text else None


async def test_its_variants_go_to_a_vote_by_a_button(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend("gpu1")
    easel = await start(engine, text_engine=FakeTextEngine(SAYS))
    answer = await enhance(easel, "a red fox --steps 12")
    await easel.stop()
    await easel.start()
    asked = await discord.user("mia").click(answer, "A/B")
    vote = await easel.server.wait_for(
        lambda: asked.message if asked.message and "until" in asked.message.text else None
    )
    assert not vote.ephemeral
    assert {request.prompt for request in engine.requests} == {SAYS["prompt"], SAYS["alternatives"][0]}
    assert {request.steps for request in engine.requests} == {12}


async def test_without_variants_the_vote_is_on_before_and_after(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend("gpu1")
    easel = await start(engine)
    asked = await discord.user("mia").click(await enhance(easel, "a red fox"), "A/B")
    await easel.server.wait_for(lambda: voted_on(asked.message))
    first, second = sorted((request.prompt for request in engine.requests), key=len)
    assert first == "a red fox"
    assert second.startswith("a red fox, ")


async def test_what_is_for_one_alone_goes_to_no_vote(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu1"), text_engine=FakeTextEngine(SAYS))
    assert "A/B" not in (await enhance(easel, "a red fox", private=True)).buttons


async def test_versus_with_one_prompt_has_the_other_written(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend("gpu1")
    easel = await start(engine, text_engine=FakeTextEngine(SAYS))
    asked = await discord.user("mia").slash(discord.channel, "versus", a="a red fox --steps 9")
    vote = await easel.server.wait_for(
        lambda: asked.message if asked.message and "until" in asked.message.text else None
    )
    assert {(request.prompt, request.steps) for request in engine.requests} == {
        (SAYS["prompt"], 9), (SAYS["alternatives"][0], 9)
    }  # fmt: skip
    assert "both prompts written by claude-haiku-5-5" in vote.text

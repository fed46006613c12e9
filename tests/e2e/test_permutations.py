"""`{a, b}` and `__wildcards__` in Discord: each choice is a picture, many are asked about, a seed chooses alike."""

from __future__ import annotations

from pathlib import Path

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import is_finished, own
from tests.fakes import FakeBackend


async def test_each_choice_is_drawn(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    await easel.say("!dream a {red, blue} fox --steps 7")
    await discord.wait_for(lambda: sum(map(is_finished, own(discord.channel))) == 2)
    assert [request.prompt for request in engine.requests] == ["a red fox", "a blue fox"]
    assert {request.steps for request in engine.requests} == {7}


async def test_many_are_asked_about_and_the_question_becomes_the_answer(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    asked = await easel.slash("a {red, blue, green} fox --repeat 2")
    assert "Draw 6 pictures?" in asked.original.content
    assert engine.requests == []
    refused = await discord.user("ann").click(asked.original, "Draw 6")
    assert "Only who asked" in refused.original.content
    await discord.user("mia").click(asked.original, "Draw 6")
    await discord.wait_for(lambda: sum(map(is_finished, own(discord.channel))) == 6)
    assert sorted(request.prompt for request in engine.requests) == sorted(
        ["a red fox", "a blue fox", "a green fox"] * 2
    )
    assert is_finished(asked.original)


async def test_a_question_outlives_a_restart_and_is_answered_once(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    reply = await easel.say("!dream a {a|b|c|d|e} fox")
    question = await easel.answer_to(reply)
    await easel.kill()
    engine = FakeBackend()
    again = await start(engine)
    await discord.user("mia").click(question, "Draw 5")
    await discord.wait_for(lambda: sum(map(is_finished, own(discord.channel))) == 5)
    late = await discord.user("mia").forge(question, f"q1:draw:{reply.id}")
    assert "answered already" in late.original.content
    assert len(engine.requests) == 5
    assert again.running


async def test_a_question_may_be_taken_back(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    asked = await easel.slash("a {a|b|c|d|e} fox")
    await discord.user("mia").click(asked.original, "Cancel")
    await discord.wait_for(lambda: "Nothing was drawn" in asked.original.content)
    assert asked.original.buttons == []
    assert engine.requests == []


async def test_a_private_one_is_asked_and_answered_in_private(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    asked = await easel.slash("a {a|b|c|d|e} fox", private=True)
    assert asked.ephemeral
    await discord.user("mia").click(asked.original, "Draw 5")
    await easel.finished(asked.original)
    assert discord.user("ann").sees(discord.channel) == []


async def test_too_many_are_refused_in_words(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.answer_to(await easel.say("!dream {a|b|c|d|e|f|g} {a|b|c|d|e|f|g}"))
    assert "stand for 49 prompts; at most 40 go at once" in answer.content


async def test_wildcards_are_chosen_by_the_seed(discord: DiscordServer, start: StartEasel, tmp_path: Path) -> None:
    folder = tmp_path / "wildcards"
    folder.mkdir()
    (folder / "animal.txt").write_text("fox\nowl\nhare\nbear\nwolf\ncat\n")
    engine = FakeBackend()
    easel = await start(engine)
    for steps in (5, 6):
        await easel.dream(f"!dream a __animal__ --seed 11 --steps {steps}")
    first, second = [request.prompt for request in engine.requests]
    assert first == second
    assert first in {f"a {animal}" for animal in ("fox", "owl", "hare", "bear", "wolf", "cat")}
    answer = await easel.dream("!dream a __animal__ and an __anmal__")
    assert "did you mean" in answer.content


async def test_what_was_asked_and_not_answered_is_forgotten_too(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    question = await easel.slash("a {a|b|c|d|e} fox")
    asked = await discord.user("mia").slash(discord.channel, "forget")
    await discord.user("mia").click(asked.original, "Delete everything")
    await discord.wait_for(lambda: "Deleted" in asked.original.content)
    gone = await discord.user("mia").click(question.original, "Draw 5")
    assert "answered already" in gone.original.content
    assert await easel.now.database.fetch("SELECT * FROM questions") == []

"""`/versus`: two prompts side by side, one vote a person, the tally in the message, over restarts and to its end."""

from __future__ import annotations

import asyncio

import pytest

from cogs.comparisons import votes
from generation.errors import OutOfMemory
from generation.person import Person
from tests.discord_server import DiscordServer, Interaction, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, own
from tests.fakes import FakeBackend

BUTTONS = ["A", "B", "End the vote", "Open A", "Open B", "Remix A", "Remix B"]


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch, quick_edits: None) -> None:
    monkeypatch.setattr(votes, "LOOK_EVERY_S", 0.05)


async def asked(easel: Easel, **options: object) -> Message:
    """Ask for two foxes and wait for the vote."""
    sides = {"a": "a red fox", "b": "a blue fox"}
    result = await easel.server.user("mia").slash(easel.server.channel, "versus", **sides | options)
    return await easel.server.wait_for(lambda: voted_on(result.message), 20)


def voted_on(message: Message | None) -> Message | None:
    return message if message and "until" in message.text and shows_pictures(message) else None


def shows_pictures(message: Message) -> bool:
    """Return whether its pictures are shown: a layout names them."""
    return "attachment" in str(message.components) if message.is_layout else bool(message.attachments)


async def reads(easel: Easel, result: Interaction) -> str:
    message = await easel.server.wait_for(lambda: result.message or next(iter(result.followups), None), 20)
    assert message.visible_to is result.user
    return message.content


async def test_two_prompts_are_drawn_on_one_engine_with_one_seed(discord: DiscordServer, start: StartEasel) -> None:
    gpu, grid = FakeBackend("gpu"), FakeBackend("grid")
    easel = await start(gpu, grid)
    message = await asked(easel)
    drawn = [*gpu.requests, *grid.requests]
    assert gpu.requests == [] or grid.requests == []
    assert sorted(request.prompt for request in drawn) == ["a blue fox", "a red fox"]
    assert len({request.seed for request in drawn}) == 1
    assert message.content.startswith("**Which is better?** — <@")
    assert "**A** a red fox" in message.content
    assert "**B** a blue fox" in message.content
    assert "A 0 · B 0 · until <t:" in message.content
    assert message.buttons == BUTTONS
    [sheet] = message.attachments
    assert sheet.description == "AI images side by side. A: a red fox; B: a blue fox"
    assert len(own(discord.channel)) == 1


@pytest.mark.parametrize("style", ["classic", "v2"])
async def test_each_person_has_one_vote_and_may_change_it(
    discord: DiscordServer, start: StartEasel, style: str
) -> None:
    easel = await start(FakeBackend("gpu"), card_style=style)
    message = await asked(easel)
    for name, side in (("ann", "A"), ("bob", "B"), ("ann", "B"), ("ann", "B")):
        result = await discord.user(name).click(message, side)
        assert f"Your vote: **{side}**" in await reads(easel, result)
    await discord.wait_for(lambda: "A 0 · B 2" in message.text)
    assert shows_pictures(message)


@pytest.mark.parametrize("style", ["classic", "v2"])
async def test_votes_and_pictures_are_there_after_a_restart(
    discord: DiscordServer, start: StartEasel, style: str
) -> None:
    easel = await start(FakeBackend("gpu"), card_style=style)
    message = await asked(easel)
    await discord.user("ann").click(message, "A")
    await discord.wait_for(lambda: "A 1 · B 0" in message.text)
    await easel.kill()
    await easel.start()
    await discord.user("bob").click(message, "A")
    await discord.wait_for(lambda: "A 2 · B 0" in message.text)
    assert shows_pictures(message)
    assert {"A", "B", "Open A"} <= set(message.buttons)


async def test_it_ends_by_itself_and_says_which_is_better(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"))
    message = await asked(easel, hours=2)
    for name, side in (("ann", "B"), ("bob", "B"), ("mia", "A")):
        await discord.user(name).click(message, side)
    await discord.wait_for(lambda: "A 1 · B 2" in message.text)
    await easel.stop()
    easel.clock.offset_s += 2 * 3600 + 1  # Easel is away when it ends
    await easel.start()
    await discord.wait_for(lambda: "**B is better**, by 2 to 1" in message.text)
    assert message.buttons == BUTTONS[3:]
    assert shows_pictures(message)
    while await easel.now.database.fetch("SELECT * FROM votes"):
        await asyncio.sleep(0.01)
    late = await discord.user("ann").forge(message, f"c1:vote:{'0' * 12}:a")
    assert "This vote is over" in await reads(easel, late)


async def test_only_who_asked_and_moderators_end_it(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"))
    message = await asked(easel)
    await discord.user("ann").click(message, "A")
    refused = await discord.user("ann").click(message, "End the vote")
    assert "Only the person who asked and moderators" in await reads(easel, refused)
    await discord.user("mia").click(message, "End the vote")
    await discord.wait_for(lambda: "**A is better**, by 1 to 0" in message.text)
    again = await asked(easel)
    await discord.user("mod", permissions=["MANAGE_MESSAGES"]).click(again, "End the vote")
    await discord.wait_for(lambda: "Nobody has voted" in again.text)


async def test_who_cannot_see_it_cannot_vote(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"))
    message = await asked(easel)
    ballot = next(item for item in message.controls if item.get("label") == "A")["custom_id"]
    elsewhere = discord.add_channel("elsewhere")
    await discord.user("ann").say(elsewhere, "!help")
    help_message = await discord.wait_for(lambda: next(iter(own(elsewhere)), None))
    for custom_id in (ballot, ballot.replace(":vote:", ":end:"), "c1:vote:0123456789ab:a"):
        forged = await discord.user("ann").forge(help_message, custom_id)
        assert "This vote is over" in await reads(easel, forged)
    assert await easel.now.database.fetch("SELECT * FROM votes") == []


async def test_one_that_fails_leaves_the_other_and_no_vote(discord: DiscordServer, start: StartEasel) -> None:
    gpu = FakeBackend("gpu")
    gpu.fail = [OutOfMemory()]
    easel = await start(gpu)
    result = await discord.user("mia").slash(discord.channel, "versus", a="a red fox", b="a blue fox")
    message = await discord.wait_for(lambda: result.message if result.message and result.message.files else None, 20)
    assert "out of memory" in message.text
    assert "until" not in message.text
    assert message.buttons in (["Open A", "Remix A"], ["Open B", "Remix B"])
    assert await easel.now.database.fetch("SELECT * FROM ballots") == []


async def test_by_prefix_with_vs_between(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"))
    answer = await easel.answer_to(await easel.say("!versus a red fox vs a blue fox"))
    await discord.wait_for(lambda: voted_on(answer), 20)
    refused = await easel.answer_to(await easel.say("!versus a red fox"))
    assert "between two prompts, and that is one" in refused.content
    assert "!versus a red fox vs a blue fox" in refused.content


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ("a fox --private", "a cat", "cannot be private"),
        ("a {red, blue} fox", "a cat", "choices in braces"),
        ("a fox --backend gpu", "a cat --backend grid", "on one engine"),
        ("a fox --seed 1", "a cat --seed 2", "with one seed"),
    ],
)
async def test_what_is_no_fair_comparison_is_refused(
    discord: DiscordServer, start: StartEasel, a: str, b: str, words: str
) -> None:
    easel = await start(FakeBackend("gpu"), FakeBackend("grid"))
    result = await discord.user("mia").slash(discord.channel, "versus", a=a, b=b)
    await discord.wait_for(lambda: any(each and words in each.text for each in (result.message, *result.followups)))
    assert await easel.now.jobs.active() == []


async def test_a_picture_that_is_deleted_ends_the_vote(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"))
    message = await asked(easel)
    [row] = await easel.now.database.fetch("SELECT id, job_a FROM ballots")
    person = Person(user_key=f"discord:{discord.user('mia').id}")
    await easel.now.service.delete(row["job_a"], person)
    late = await discord.user("ann").click(message, "B")
    assert "This vote is over" in await reads(easel, late)


async def test_remix_opens_the_form_of_a_side(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"))
    message = await asked(easel)
    result = await discord.user("ann").click(message, "Remix B")
    assert result.modal is not None
    assert "a blue fox" in str(result.modal.components)

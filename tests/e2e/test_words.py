"""Additions of people and Discord to a prompt: names, emoji, code blocks, addresses and files."""

import pytest

from generation.request import Mode
from tests.discord_server.server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.pictures import png
from tests.fakes import FakeBackend


async def test_an_engine_gets_the_names_and_words_people_see(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    tom = discord.user("tom")
    await easel.dream(
        f"!dream\n```\na cat <:catjam:123456789012345678> for {tom.mention} in <#{discord.channel.id}>\n```"
    )
    await easel.dream("!dream a cat for <@1>")
    prompts = [request.prompt for request in engine.requests]
    assert prompts == [f"a cat catjam for tom in {discord.channel.name}", "a cat for"]
    assert "a mention left out" in discord.channel.messages[-1].content


async def test_a_slash_command_knows_names_of_people_it_has_not_seen(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    tom = discord.user("tom")
    await easel.slash(f"a cat for {tom.mention}", negative=f"the hat of {tom.mention} <:hat:12>")
    await discord.wait_for(lambda: engine.requests)
    assert (engine.requests[0].prompt, engine.requests[0].negative_prompt) == ("a cat for tom", "the hat of tom hat")


async def test_a_picture_behind_an_address_is_drawn_from(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    reply = await easel.say("look", attachments=[("cat.png", png())])
    link = reply.attachments[0].url
    answer = await easel.dream(f"!dream {link} a cat --iw 2")
    [request] = engine.requests
    assert (request.mode, request.prompt, request.denoising_strength) == (Mode.IMG2IMG, "a cat", 0.5)
    assert "127.0.0.1" not in answer.content


async def test_an_address_without_a_picture_is_refused(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await easel.answer_to(await easel.say("!dream https://127.0.0.1:1/cat.png a cat"))
    assert answer.content.startswith("✖ ")
    assert engine.requests == []


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (["clip.mp4"], "not used: clip.mp4 (only pictures are)"),
        (["a.png", "notes.txt"], "not used: notes.txt (only pictures are)"),
        (["a.png", "b.png"], "not used: b.png (one picture is drawn from)"),
        (["clip.mp4", "a.png", "b.png"], "not used: clip.mp4 (only pictures are), b.png (one picture is drawn from)"),
    ],
)
async def test_files_that_are_not_used_are_said_in_one_line(files: list[str], line: str, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream("!dream a cat", attachments=[(name, png()) for name in files])
    assert answer.content.count("not used") == 1
    assert line in answer.content.replace("\\", "")


async def test_an_attached_picture_wins_over_an_address(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await easel.dream("!dream https://example.com/b.png a cat", attachments=[("a.png", png())])
    assert "not used: what lies at example.com (one picture is drawn from)" in answer.content.replace("\\", "")
    assert engine.requests[0].mode is Mode.IMG2IMG


async def test_the_edit_form_reads_words_as_every_door(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await easel.dream()
    mia, tom = discord.user("mia"), discord.user("tom")
    form = (await mia.click(answer, "Remix")).modal
    values = {name: item.get("value", "") for name, item in form.fields.items()}
    values |= {"prompt": f"```a cat```,--steps 7 for {tom.mention} -seed 3", "negative": "<:hat:12>"}
    result = await mia.submit(form, values)
    await easel.finished(result.original)
    request = engine.requests[1]
    assert (request.prompt, request.steps, request.negative_prompt) == ("a cat , for tom -seed 3", 7, "hat")
    assert "was read as words" in result.original.content


async def test_a_comparison_says_that_it_draws_from_words(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"), FakeBackend("grid"))
    answer = await easel.answer_to(await easel.say("!compare a cat", attachments=[("a.png", png())]))
    await discord.wait_for(
        lambda: "not used: a.png (a comparison is drawn from words)" in answer.content.replace("\\", "")
    )

"""Slash commands: typed options, autocomplete, refusals that only the one who typed sees."""

from __future__ import annotations

from generation.negatives import READY
from generation.request import Mode
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import is_finished, own
from tests.e2e.pictures import png, rich_backend
from tests.fakes import FakeBackend


async def test_each_name_makes_one_picture_in_the_answer_itself(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    for count, command in enumerate(("generate", "gen", "img", "dream"), start=1):
        result = await easel.slash("a red fox", command=command)
        assert result.acknowledged_after_s < 1.0
        message = await easel.finished(result.original)
        assert message.attachments
        assert own(discord.channel)[count - 1 :] == [message]
        assert len(engine.requests) == count


async def test_typed_options_win_over_flags_in_the_prompt(start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    result = await easel.slash(
        "a red fox --steps 11 --cfg 3 --no dogs",
        steps=12,
        size="768x512",
        sampler="euler_a",
        scheduler="karras",
        model="model_03",
        lora="add_detail:0.5",
        seed=99,
        batch=1,
        cfg_scale=6.5,
    )
    await easel.finished(result.original)
    [request] = engine.requests
    assert (request.steps, request.cfg_scale, request.seed) == (12, 6.5, 99)
    assert (request.width, request.height) == (768, 512)
    assert (request.sampler, request.scheduler, request.model) == ("Euler a", "Karras", "model_03")
    assert (request.prompt, request.negative_prompt) == ("a red fox", "dogs")
    assert [(lora.name, lora.weight) for lora in request.loras] == [("add_detail", 0.5)]


async def test_an_image_option_is_the_source(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    result = await easel.slash("in autumn", image=("cat.png", png()), strength=0.4)
    await easel.finished(result.original)
    assert engine.requests[0].mode is Mode.IMG2IMG
    assert engine.requests[0].denoising_strength == 0.4


async def test_private_is_seen_by_the_asker_alone(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    result = await easel.slash("a secret fox", private=True)
    await easel.finished(result.original)
    assert result.ephemeral
    assert result.original not in discord.user("ann").sees(discord.channel)


async def test_repeat_of_private_stays_private_and_each_is_finished(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    result = await easel.slash("a secret fox --repeat 3", private=True)
    await discord.wait_for(lambda: len(result.followups) == 2 and all(map(is_finished, result.followups)))
    await easel.finished(result.original)
    assert all(message.ephemeral and message.attachments for message in (result.original, *result.followups))
    assert discord.user("mia").dms == []


REFUSALS: list[tuple[str, dict[str, str], str]] = [
    ("--steps 3", {}, "Say what you would like to see"),
    ("a fox --steps 9000", {}, "steps"),
    ("a fox", {"size": "huge"}, "size"),
    ("a fox", {"backend": "nowhere"}, "There is no engine “nowhere” here"),
    ("a fox", {"model": "nothing like it"}, "model"),
]


async def test_refusals_are_ephemeral_and_leave_nothing_behind(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    for prompt, options, words in REFUSALS:
        result = await easel.slash(prompt, **options)
        await discord.wait_for(lambda result=result: result.followups or (result.original and result.original.content))
        [reported] = [item for item in (*result.followups, result.message) if item]
        assert reported.ephemeral
        assert words in reported.content
        assert discord.user("ann").sees(discord.channel) == []
    assert engine.requests == []


TYPED = [
    ("model", "", "● model_07", 25),
    ("model", "l_42", "○ model_42", 1),
    ("sampler", "", "Euler", 25),
    ("sampler", "ler 29", "Sampler 29", 1),
    ("scheduler", "k", "Karras", 1),
    ("lora", "pix", "pixel_art", 1),
    ("backend", "", "gpu1", 1),
    ("size", "768", "512x768", 3),
]


async def test_autocomplete_finds_by_any_part_among_all(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    await easel.dream()
    mia = discord.user("mia")
    for option, typed, first, count in TYPED:
        choices = await mia.autocomplete(discord.channel, "generate", option, typed, prompt="a")
        assert (choices[0]["name"], len(choices)) == (first, count)


async def test_missing_permission_is_told_before_the_job(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    discord.revoke("ATTACH_FILES", channel=discord.channel)
    result = await easel.slash("a fox")
    assert result.ephemeral
    assert "I lack the permission Attach Files" in result.message.content
    assert engine.requests == []


async def test_a_direct_message_works_as_a_channel_does(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    mia = discord.user("mia")
    result = await mia.slash(mia.dm_channel, "generate", prompt="a fox")
    await easel.finished(result.original)
    reply = await mia.say(mia.dm_channel, "!dream a fox")
    await easel.finished(await easel.answer_to(reply))


async def test_minus_one_is_a_new_seed_in_the_field_and_in_the_prompt(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    for words, options in (("a red fox", {"seed": -1}), ("a red fox --seed -1", {})):
        await easel.finished((await easel.slash(words, **options)).original)
    await easel.finished((await easel.slash("a red fox", seed=2**53 - 1)).original)
    await easel.finished((await easel.slash(f"a red fox --seed {2**64 - 1}")).original)
    first, second, third, fourth = (request.seed for request in engine.requests)
    assert first != second
    assert max(first, second) < 2**31
    assert (third, fourth) == (2**53 - 1, 2**64 - 1)


async def test_a_style_is_found_by_its_name_and_its_words_reach_the_engine(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = rich_backend()
    easel = await start(engine)
    mia = discord.user("mia")
    choices = await mia.autocomplete(discord.channel, "imagine", "style", "water", prompt="a")
    assert [choice["name"] for choice in choices] == ["Watercolour"]
    answer = await easel.slash("a red fox", command="imagine", style=choices[0]["value"])
    await discord.wait_for(lambda: answer.original and answer.original.attachments)
    assert engine.requests[0].prompt.startswith("a red fox, ")
    assert "watercolo" in engine.requests[0].prompt
    everything = await mia.autocomplete(discord.channel, "imagine", "style", "", prompt="a")
    assert len(everything) == len({choice["value"] for choice in everything})
    assert 10 <= len(everything) <= 25


async def test_shape_repeat_and_spoiler_are_options(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    shapes = await discord.user("mia").autocomplete(discord.channel, "generate", "ar", "16")
    assert [shape["value"] for shape in shapes] == ["16:9", "9:16"]
    result = await easel.slash("a red fox", ar="2:1", repeat=2, spoiler=True)
    await discord.wait_for(lambda: sum(map(is_finished, own(discord.channel))) == 2)
    assert all(1.9 < request.width / request.height < 2.1 for request in engine.requests)
    names = [file.filename for message in own(discord.channel) for file in message.attachments]
    assert len(names) == 2
    assert all(name.startswith("SPOILER_") for name in names)
    again = await discord.user("mia").click(result.original, "Re-roll")
    await easel.finished(again.original)
    assert again.original.attachments[0].filename.startswith("SPOILER_")


async def test_ready_made_negative_prompts_are_offered_behind_what_is_typed(
    discord: DiscordServer, start: StartEasel
) -> None:
    await start(FakeBackend())
    mia = discord.user("mia")
    ready = await mia.autocomplete(discord.channel, "imagine", "negative", "", prompt="a")
    assert [choice["value"] for choice in ready] == list(READY.values())
    assert [choice["name"].partition(":")[0] for choice in ready] == list(READY)
    more = await mia.autocomplete(discord.channel, "imagine", "negative", "snow,", prompt="a")
    assert [choice["value"] for choice in more] == [
        f"snow, {words}" for words in READY.values() if len(f"snow, {words}") <= 100
    ]

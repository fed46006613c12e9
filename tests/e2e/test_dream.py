"""From `!dream` to a picture, as a person sees it."""

from __future__ import annotations

import asyncio

import pytest

from generation.capabilities import Capabilities
from generation.errors import BackendUnavailable
from generation.job import Progress
from generation.request import Mode
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import is_finished, labels, more, own, reply_to
from tests.e2e.pictures import png, rich_backend
from tests.fakes import FakeBackend
from tests.waiting import until


async def test_dream_is_one_message_edited_from_queued_to_the_picture(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start()
    answer = await easel.dream("!dream a red fox --size 256x256 --seed 42 --steps 20")
    assert own(discord.channel) == [answer]
    head, small, legend = answer.content.split("\n")
    assert head == f"**a red fox** — {discord.user('mia').mention}"
    assert small == "-# 256×256 · seed 42 · 20 steps"
    assert legend == "-# sketch: drawn by rules, not by an AI model"
    [file] = answer.attachments
    assert file.description == "Image drawn by rules, not by an AI model: a red fox; default model, 256×256, seed 42"
    assert file.filename.startswith("a-red-fox-42-")
    assert file.data.startswith(b"\x89PNG")
    assert answer.pings == []
    assert labels(answer) == [
        ["🎲 Re-roll", "✏️ Remix", "🪄 Vary"], ["⬆️", "🔭", "⭐", "🗑️"], ["More…"],
    ]  # fmt: skip
    assert "⏳" in answer.history[0]


async def test_every_name_of_the_command_makes_one_generation(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    names = ["dream", "generate", "gen", "img", "DREAM"]
    for name in names:
        await easel.dream(f"!{name} a fox by {name}")
    assert [request.prompt for request in engine.requests] == [f"a fox by {name}" for name in names]


async def test_a_command_needs_its_exact_name_and_chat_is_left_alone(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    await easel.say("!dreamy sunset")
    await easel.say("hello!")
    await easel.dream("!dream last")
    assert [request.prompt for request in engine.requests] == ["last"]
    assert len(own(discord.channel)) == 1


async def test_running_shows_progress_and_then_the_picture(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    await discord.wait_for(lambda: "▰▰▰▰▰▰▱▱▱▱▱▱` 50% · step 10/20" in answer.content, 4)
    assert labels(answer) == [["✖️ Cancel", "✏️ Edit"]]
    engine.release()
    await easel.finished(answer)
    assert len(answer.attachments) == 1


@pytest.mark.usefixtures("quick_edits")
async def test_a_preview_stays_until_the_picture_replaces_it(discord: DiscordServer, start: StartEasel) -> None:
    class Previewing(FakeBackend):
        async def generate(self, request, report):
            await report(Progress(fraction=0.2, preview=png(32)))
            await seen.wait()
            await report(Progress(fraction=0.8))
            return await super().generate(request, report)

    seen = asyncio.Event()
    engine = Previewing(hold=True)
    easel = await start(engine)
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    await discord.wait_for(lambda: answer.attachments)
    assert answer.attachments[0].filename == "preview.png"
    assert answer.attachments[0].description == "preview"
    seen.set()
    await discord.wait_for(lambda: "50%" in answer.content)
    assert [file.filename for file in answer.attachments] == ["preview.png"]
    engine.release()
    await easel.finished(answer)
    [file] = answer.attachments
    assert file.filename.startswith("a-red-fox-")


async def test_repeat_gives_several_messages_with_rising_seeds(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    await easel.say("!dream a red fox --repeat 3 --seed 7")
    await discord.wait_for(lambda: sum(map(is_finished, own(discord.channel))) == 3)
    assert sorted(request.seed for request in engine.requests) == [7, 8, 9]
    assert len({message.id for message in own(discord.channel)}) == 3


async def test_private_is_answered_by_direct_message(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    mia = discord.user("mia")
    await easel.say("!dream a secret fox --private")
    await discord.wait_for(lambda: [item for item in mia.dms if is_finished(item)])
    assert len(mia.dms) == 1
    assert own(discord.channel) == []


async def test_private_with_closed_direct_messages_is_refused_before_the_job(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    discord.user("mia").dms_open = False
    answer = await easel.answer_to(await easel.say("!dream a secret fox --private"))
    assert "I cannot send you a direct message" in answer.content
    assert engine.requests == []


async def test_an_attached_picture_and_a_replied_one_are_the_source(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    first = await easel.dream("!dream in autumn --strength 0.6", attachments=[("cat.png", png())])
    await easel.dream("!dream in winter", reply_to=first)
    assert [request.mode for request in engine.requests] == [Mode.IMG2IMG, Mode.IMG2IMG]
    assert engine.requests[0].denoising_strength == 0.6
    assert "img2img" in first.content


async def test_what_is_no_picture_is_refused(start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.answer_to(await easel.say("!dream a fox", attachments=[("cat.png", b"nonsense")]))
    assert answer.content.startswith("✖ ")
    assert "PNG, JPEG, WebP or GIF" in answer.content


BAD_VALUES = [
    ("!dream", "Say what you would like to see"),
    ("!dream --steps 30", "Say what you would like to see"),
    ("!dream a fox --steps 9000", "steps"),
    ("!dream a fox --size 10", "size"),
    ("!dream a fox --seed soon", "seed"),
    ("!dream a fox --backend nowhere", "There is no engine “nowhere” here"),
]


async def test_bad_values_are_answered_with_what_would_be_right(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    for text, words in BAD_VALUES:
        answer = await easel.answer_to(await easel.say(text))
        assert answer.content.startswith("✖ ")
        assert words in answer.content
    assert engine.requests == []


async def test_an_unknown_option_gets_a_hint_and_the_job_runs(start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream("!dream a fox --stepz 30")
    assert "did you mean --steps?" in answer.content
    assert answer.attachments


async def test_markdown_mentions_and_links_in_a_prompt_do_nothing(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    ann = discord.user("ann")
    answer = await easel.dream(f"!dream @everyone {ann.mention} **loud** https://example.com `code`")
    assert "@everyone" not in answer.content
    assert ann.mention not in answer.content
    assert "https://" not in answer.content
    assert answer.pings == []
    assert not answer.pings_everyone


async def test_a_slow_engine_is_announced_within_a_second(discord: DiscordServer, start: StartEasel) -> None:
    class Slow(FakeBackend):
        async def capabilities(self):
            await gate.wait()
            return await super().capabilities()

    gate = asyncio.Event()
    easel = await start(Slow())
    reply = await easel.say("!dream a fox")
    answer = await discord.wait_for(lambda: reply_to(reply), 1.0)
    assert answer.content == "⏳ asking the engine…"
    gate.set()
    await easel.finished(answer)
    assert own(discord.channel) == [answer]


async def test_an_engine_that_is_down_is_named(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    engine.is_down = BackendUnavailable("gpu1 is not answering.")
    easel = await start(engine)
    answer = await easel.answer_to(await easel.say("!dream a fox"))
    assert answer.content.startswith("🔌 gpu1 is not answering.")


async def test_a_failure_keeps_the_message_and_says_what_to_do(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    engine.fail = [ValueError("boom")]
    answer = await easel.dream()
    assert "Something went wrong (job " in answer.content
    assert "boom" not in answer.content
    assert labels(answer) == [["🎲 Run again", "✏️ Edit", "🗑️"]]


async def test_missing_permissions_are_told_before_the_job(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    discord.revoke("ATTACH_FILES", channel=discord.channel)
    answer = await easel.answer_to(await easel.say("!dream a fox"))
    assert "I lack the permission Attach Files" in answer.content
    discord.revoke("SEND_MESSAGES", channel=discord.channel)
    await discord.user("mia", admin=True).say(discord.channel, "!dream a fox")
    await discord.wait_for(lambda: discord.user("mia").dms)
    reported = discord.user("mia").dms[0].content
    assert reported.startswith(f"<#{discord.channel.id}>: ")
    assert "Send Messages" in reported
    assert engine.requests == []


async def test_an_identical_request_with_a_seed_comes_from_the_cache(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    await easel.dream("!dream a fox --seed 5")
    again = await easel.dream("!dream a fox --seed 5")
    assert "from the cache" in again.content
    assert again.attachments
    assert len(engine.requests) == 1
    assert len(own(discord.channel)) == 2


async def test_a_batch_is_a_grid_with_its_pictures_and_all_files(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    grid = await easel.dream("!dream a fox --batch 4 --seed 10 --size 64x64")
    assert labels(grid)[0] == ["U1", "U2", "U3", "U4", "🎲"]
    assert "seeds 10–13" in grid.content
    assert "×4" in grid.content
    mia = discord.user("mia")
    second = await mia.click(grid, "U2")
    await discord.wait_for(lambda: second.message.attachments)
    assert "[U2](" in second.message.content
    assert "seed 11" in second.message.content
    assert second.message.attachments[0].description.endswith("seed 11")
    files = await more(mia, grid, "All files")
    await discord.wait_for(lambda: len(files.message.attachments) == 4)


async def test_a_preset_is_a_style_in_discord_as_in_the_studio(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await easel.dream("!dream a fox --style Cyberpunk")
    [request] = engine.requests
    assert request.prompt.startswith("a fox, ")
    assert "neon" in request.prompt
    assert request.styles == ()
    assert "style cyberpunk" in answer.content.casefold().split("\n")[1]
    await easel.server.user("mia").click(answer, "Re-roll")
    await until(lambda: len(engine.requests) == 2)
    assert engine.requests[1].prompt == request.prompt, "the words are not said twice"


async def test_a_style_of_the_engine_goes_to_the_engine(start: StartEasel) -> None:
    engine = FakeBackend(
        capabilities=Capabilities(modes=frozenset(Mode), models=(), samplers=(), schedulers=(), styles=("Our Own",))
    )
    easel = await start(engine)
    await easel.dream("!dream a fox --style 'our own' --style anime")
    [request] = engine.requests
    assert request.styles == ("Our Own",)
    assert request.prompt.startswith("a fox, ")


async def test_it_draws_without_add_reactions_manage_messages_or_administrator(
    discord: DiscordServer, start: StartEasel
) -> None:
    discord.revoke("ADD_REACTIONS", "MANAGE_MESSAGES", "ADMINISTRATOR")
    easel = await start(FakeBackend())
    assert (await easel.dream()).attachments

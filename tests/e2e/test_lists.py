"""`/models`, `/queue`, `/cancel`, `/help`, and what happens without the message content intent."""

from __future__ import annotations

import pytest

from generation.capabilities import Capabilities, ModelInfo
from generation.request import Mode
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import is_finished, labels, own
from tests.e2e.pictures import rich_backend
from tests.fakes import FakeBackend

HAS_MUCH = Capabilities(
    modes=frozenset(Mode), models=(ModelInfo(name="xl", title="xl", is_loaded=True),), vaes=("kl-f8.pt",),
    upscalers=("Lanczos",), control_kinds=("canny",), control_models=("control_canny",), embeddings=("bad-hands",),
)  # fmt: skip


@pytest.mark.parametrize("command", ["models", "sdmodels"])
async def test_models_are_numbered_and_paged(discord: DiscordServer, start: StartEasel, command: str) -> None:
    await start(rich_backend())
    mia = discord.user("mia")
    result = await mia.slash(discord.channel, command)
    await discord.wait_for(lambda: result.message.controls)
    assert result.ephemeral
    assert result.message.content.startswith("**Available Models** · gpu1\n1. `model_00`\n")
    assert "8. `model_07` ●" in result.message.content
    assert result.message.content.count("\n") == 26
    await mia.click(result.message, "Next")
    assert "26. `model_25`" in result.message.content
    await mia.click(result.message, "Next")
    assert "60. `model_59`" in result.message.content
    assert result.message.buttons == ["Back"]


async def test_list_models_by_prefix_and_a_second_engine(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend(), FakeBackend("grid"))
    answer = await easel.answer_to(await easel.say("!list_models"))
    assert "1. `model_00`" in answer.content
    assert labels(answer)[-1] == ["grid"]
    await discord.user("mia").click(answer, "grid")
    assert "nothing to choose from" in answer.content


async def test_everything_else_an_engine_has_is_a_choice_away(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend("gpu1", capabilities=HAS_MUCH)
    easel = await start(engine)
    answer = await easel.answer_to(await easel.say("!list_models"))
    mia = discord.user("mia")
    for value, shown in (("vaes.0", "**VAEs** · gpu1\n1. `kl-f8.pt`"), ("upscalers.0", "1. `Lanczos`"),
                         ("controls.0", "1. `canny`\n2. `control_canny`"), ("embeddings.0", "1. `bad-hands`"),
                         ("models.0", "1. `xl` ●")):  # fmt: skip
        await mia.select(answer, "What else it has", [value])
        assert shown in answer.content


async def test_without_an_engine_models_says_how_to_connect_one(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    answer = await easel.answer_to(await easel.say("!list_models"))
    assert answer.content.startswith(
        "Pictures are drawn by Easel's own sketch for now: no AI model is connected. Admins: `/setup start`. "
        "You have a GPU? `/sdconnect type:a1111 url:https://"
    )


async def test_without_even_the_fallback_each_command_says_so(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(has_fallback=False)
    answer = await easel.answer_to(await easel.say("!list_models"))
    assert answer.content.startswith(
        "No AI model is connected. Admins: `/setup start`. You have a GPU? `/sdconnect type:"
    )
    answer = await easel.answer_to(await easel.say("!queue"))
    assert answer.content == "**Engines**\nNone yet.\nNothing of yours is waiting."
    answer = await easel.answer_to(await easel.say("!status"))
    assert answer.content == "**Engines**\nNone yet."
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    assert answer.content == "🔌 There is no engine here yet: connect one, or ask whoever runs Easel to set one."


async def test_queue_shows_engines_and_only_ones_own_pictures(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    for user in ("ann", "mia", "mia"):
        await easel.answer_to(await easel.say(f"!dream {user} in a hat", user=user))
    shown = (await discord.user("mia").slash(discord.channel, "queue")).message
    assert shown.ephemeral
    assert "fake · 1 being drawn, 2 waiting" in shown.content
    assert "mia in a hat" in shown.content
    assert "ann in a hat" not in shown.content
    answer = await easel.answer_to(await easel.say("!queue", user="max"))
    assert "Nothing of yours is waiting." in answer.content
    engine.release(3)


async def test_cancel_stops_all_of_ones_own_or_a_chosen_one(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    others = await easel.answer_to(await easel.say("!dream ann in a hat", user="ann"))
    mine = [await easel.answer_to(await easel.say(f"!dream fox {n}")) for n in range(3)]
    mia = discord.user("mia")
    choices = await mia.autocomplete(discord.channel, "cancel", "job", "fox 1")
    assert len(choices) == 1
    result = await mia.slash(discord.channel, "cancel", job=choices[0]["value"])
    assert result.message.content == "✅ Cancelled."
    await discord.wait_for(lambda: is_finished(mine[1]))
    result = await mia.slash(discord.channel, "cancel")
    assert result.message.content == "✅ Cancelled 2 of your pictures."
    await discord.wait_for(lambda: all(map(is_finished, mine)))
    assert not is_finished(others)
    assert (await easel.answer_to(await easel.say("!cancel"))).content == "Nothing of yours is waiting."
    engine.release(4)


async def test_cancelling_what_belongs_to_others_is_refused(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    theirs = await easel.answer_to(await easel.say("!dream ann in a hat", user="ann"))
    short_id = theirs.controls[0]["custom_id"].split(":")[2][:6]
    answer = await easel.answer_to(await easel.say(f"!cancel {short_id}"))
    assert "Only the person who asked" in answer.content
    engine.release()


async def test_help_is_ten_lines_and_leads_to_every_option(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    result = await discord.user("mia").slash(discord.channel, "help")
    assert result.ephemeral
    assert len(result.message.content.splitlines()) == 10
    page = await easel.answer_to(await easel.say("!help"))
    assert page.content == result.message.content
    for typed in ("!help prompts", "!help prompt"):
        assert (await easel.answer_to(await easel.say(typed))).content.startswith("**Prompts that work**")
    tips = await discord.user("mia").slash(discord.channel, "help", about="prompts")
    assert tips.message.content.startswith("**Prompts that work**")
    await discord.user("ann").click(page, "Prompt tips")
    assert page.content == tips.message.content
    await discord.user("ann").click(page, "Next")
    assert "/generate a red fox in the snow" in page.content
    await discord.user("ann").click(page, "Next")
    assert page.content.startswith("**All options**")
    await discord.user("mia").click(result.message, "All options")
    assert "/generate a red fox in the snow" in result.message.content
    await discord.user("mia").click(result.message, "Back")
    await discord.user("mia").click(result.message, "Back")
    assert result.message.content.startswith("**Making pictures**")


@pytest.mark.parametrize("discord", [{"message_content": False}], indirect=True)
async def test_without_the_intent_mentions_and_slash_work_and_the_reason_is_told_once(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine, message_content=False)
    await easel.say("!dream a fox")
    await easel.say("!dream a fox")
    await discord.wait_for(lambda: own(discord.channel))
    mention = await easel.say(f"{discord.bot.mention} dream a blue fox")
    await easel.finished(await easel.answer_to(mention))
    result = await easel.slash("a red fox")
    await easel.finished(result.original)
    assert [request.prompt for request in engine.requests] == ["a blue fox", "a red fox"]
    reported = [item for item in own(discord.channel) if "Message Content Intent" in item.content]
    assert len(reported) == 1


async def test_neither_presence_nor_members_are_asked_for(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    assert (easel.bot.intents.presences, easel.bot.intents.members) == (False, False)

"""Looks and styles in Discord: saved from a picture, passed on by a code, private until shared, a server's own."""

from __future__ import annotations

import re
from dataclasses import replace

from generation.capabilities import Capabilities
from generation.errors import BackendUnavailable
from tests.discord_server import DiscordServer, Interaction
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, more
from tests.e2e.pictures import rich_backend
from tests.fakes import FakeBackend
from tests.services.wording.rig import FakeTextEngine


def words(answer: Interaction) -> str:
    message = answer.message or answer.followups[0]
    assert message.ephemeral
    return str(message.content)


def code_in(text: str) -> str:
    found = re.search(r"`--look ([a-z0-9]{4})`", text)
    assert found is not None, text
    return found[1]


async def save(easel: Easel, prompt: str, user: str = "mia", **options: bool) -> str:
    """Draw something and save its look; return what was answered."""
    mia = easel.server.user(user)
    drawn = await easel.slash(prompt, user=user, **options)
    message = await easel.finished(drawn.original)
    answer = await mia.forge(message, f"e1:look:{job_id(message)}")
    await easel.server.wait_for(lambda: answer.message and "--look" in answer.message.content)
    return words(answer)


async def test_a_look_is_saved_from_a_picture_and_draws_for_everybody_who_has_its_code(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = rich_backend()
    easel = await start(engine)
    saved = await save(easel, "a red fox, watercolor, soft light --no blur --lora add_detail:0.5 --sampler euler_a")
    assert "watercolor, soft light" in saved
    assert "Everybody who has the code" in saved
    code = code_in(saved)
    for text in (f"a lighthouse --look {code}", f"a lighthouse --sref {code}"):
        await easel.dream(f"!dream {text} --seed 5", user="ann")
        request = engine.requests[-1]
        assert request.prompt.startswith("a lighthouse, watercolor, soft light, palette of ")
        assert "fox" not in request.prompt
        assert (request.negative_prompt, request.sampler) == ("blur", "Euler a")
        assert [(lora.name, lora.weight) for lora in request.loras] == [("add_detail", 0.5)]
    shown = await discord.user("ann").slash(discord.channel, "style show", style=code)
    assert "watercolor, soft light" in words(shown)
    assert (shown.message or shown.followups[0]).attachments


async def test_a_look_is_made_of_any_picture_an_enlarged_one_too(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    drawn, mia = await easel.dream("!dream a red fox, watercolor"), discord.user("mia")
    large = await easel.finished((await mia.click(drawn, "⬆️")).original)
    answer = await more(mia, large, "Save look")
    await discord.wait_for(lambda: answer.message and "--look" in answer.message.content)
    assert "watercolor, palette of" in words(answer)


async def test_a_style_becomes_a_look_by_a_button(discord: DiscordServer, start: StartEasel) -> None:
    engine, mia = rich_backend(), discord.user("mia")
    easel = await start(engine)
    shown = (await mia.slash(discord.channel, "style show", style="Watercolor")).message
    assert shown.buttons == ["Save as look"]
    answers = [await mia.click(shown, "Save as look") for __ in range(2)]
    await discord.wait_for(lambda: all(answer.message for answer in answers))
    codes = [code_in(words(answer)) for answer in answers]
    assert codes[0] == codes[1], "the same style is the same look"
    await easel.dream("!dream a boat --style watercolor --seed 3")
    await easel.dream(f"!dream a boat --look {codes[0]} --seed 4", user="ann")
    assert engine.requests[-1].prompt == engine.requests[-2].prompt
    gone = await mia.forge(shown, "e1:style-look:nosuch")
    assert "There is no style “nosuch”" in words(gone)


async def test_a_style_that_only_an_engine_knows_is_shown_as_that(discord: DiscordServer, start: StartEasel) -> None:
    class Saved(FakeBackend):
        async def capabilities(self) -> Capabilities:
            return replace(await super().capabilities(), styles=("Grandma's kitchen",))

    await start(Saved())
    shown = words(await discord.user("mia").slash(discord.channel, "style show", style="grandma's kitchen"))
    assert "is saved in an engine, which keeps its words" in shown
    assert "`--style Grandma's kitchen`" in shown


async def test_an_engine_without_its_lora_draws_the_look_without_and_says_so(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(rich_backend())
    code = code_in(await save(easel, "a red fox, ink --lora add_detail:0.5"))
    await easel.stop()

    class Plain(FakeBackend):
        async def capabilities(self) -> Capabilities:
            return replace(await super().capabilities(), loras=("other",))

    engine = Plain()
    again = await start(engine)
    answer = await again.dream(f"!dream a lighthouse --look {code}")
    assert engine.requests[0].loras == ()
    assert engine.requests[0].prompt.startswith("a lighthouse, ink")
    assert "the look: LoRA add" in answer.content.replace("\\", "")


async def test_a_look_of_a_private_picture_is_its_makers_until_it_is_shared(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend())
    saved = await save(easel, "a secret fox, charcoal", private=True)
    assert "only you can use it" in saved
    code = code_in(saved)
    ann, mia = discord.user("ann"), discord.user("mia")
    for answer in (
        await ann.slash(discord.channel, "style show", style=code),
        await ann.slash(discord.channel, "style share", style=code),
        await ann.slash(discord.channel, "style delete", style=code),
    ):
        assert "There is no look" in words(answer)
    refused = await easel.answer_to(await easel.say(f"!dream a boat --look {code}", user="ann"))
    assert "There is no look" in refused.content
    await mia.slash(discord.channel, "style share", style=code)
    await easel.dream(f"!dream a boat --look {code}", user="ann")
    denied = await ann.slash(discord.channel, "style delete", style=code)
    assert "Only its maker" in words(denied)


async def test_a_look_of_a_strangers_private_picture_cannot_be_saved(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    drawn = await easel.slash("a secret fox, charcoal", private=True)
    message = await easel.finished(drawn.original)
    public = await easel.dream("!dream a boat")
    answer = await discord.user("ann").forge(public, f"e1:look:{job_id(message)}")
    await discord.wait_for(lambda: answer.followups or (answer.message and answer.message.content))
    assert "There is no job" in words(answer)


async def test_a_servers_style_is_made_by_its_managers_and_holds_there(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    mia, boss = discord.user("mia"), discord.user("boss", permissions=("MANAGE_GUILD",))
    style = {"name": "House", "words": "ink, thin lines, paper, quiet"}
    refused = await mia.slash(discord.channel, "style add", for_server=True, **style)
    assert "manage this server" in words(refused)
    await boss.slash(discord.channel, "style add", for_server=True, **style)
    await easel.dream("!dream a boat --style house:0.5 --seed 3")
    assert engine.requests[-1].prompt == "a boat, ink, thin lines"
    listed = words(await mia.slash(discord.channel, "style list"))
    assert "This server's" in listed
    assert "House" in listed
    assert "cyberpunk" in listed
    twice = await boss.slash(discord.channel, "style add", for_server=True, **style)
    assert "already" in words(twice)
    assert "Only its maker" in words(await mia.slash(discord.channel, "style delete", style="house"))
    assert "is deleted" in words(await boss.slash(discord.channel, "style delete", style="House"))


async def test_several_styles_have_weights(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    whole = await easel.dream("!dream a boat --style cyberpunk --seed 3")
    part = await easel.dream("!dream a boat --style cyberpunk:0.5 --style watercolor:0.3 --seed 3")
    first, second = (request.prompt for request in engine.requests)
    assert first.startswith("a boat, ")
    assert second.split(", ")[1] == first.split(", ")[1]
    assert len(second.split(", ")) < 2 * len(first.split(", "))
    assert whole.content != part.content
    refused = await easel.answer_to(await easel.say("!dream a boat --style cyberpunk:3"))
    assert "weight is 0.1 to 1" in refused.content


async def test_looks_are_forgotten_with_their_maker(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    code = code_in(await save(easel, "a red fox, watercolor"))
    asked = await discord.user("mia").slash(discord.channel, "forget")
    await discord.user("mia").click(asked.original, "Delete everything")
    await discord.wait_for(lambda: "Deleted" in asked.original.content)
    assert "There is no look" in words(await discord.user("ann").slash(discord.channel, "style show", style=code))
    assert await easel.now.database.fetch("SELECT * FROM looks") == []


async def test_styles_are_mixed_into_a_look_by_a_text_engine_or_by_rules(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine, mia = rich_backend(), discord.user("mia")
    text = FakeTextEngine({"style": "ink drawn in neon"})
    easel = await start(engine, text_engine=text)

    async def mix(**styles: str) -> str:
        answer = await mia.slash(discord.channel, "style mix", **styles)
        await discord.wait_for(lambda: (answer.message and answer.message.content) or answer.followups)
        return words(answer)

    mixed = await mix(first="watercolor", second="neon light, wet streets")
    assert mixed.startswith("**watercolor + neon light, wet streets** · `--look ")
    assert "\nink drawn in neon\n" in mixed
    assert mixed.endswith("-# written by claude-haiku-5-5")
    await easel.dream(f"!dream a fox --look {code_in(mixed)}", user="ann")
    assert engine.requests[-1].prompt == "a fox, ink drawn in neon"
    assert "There is no look “nosuch” for you" in await mix(first="nosuch", second="watercolor")
    text.says = BackendUnavailable("It is gone.")
    by_rules = await mix(first=code_in(mixed), second="oil paint, thick strokes", name="Mine")
    assert "\nink drawn in neon, oil paint, thick strokes\n" in by_rules
    assert "It is gone. The rules mixed these instead." in by_rules
    assert by_rules.startswith("**Mine** · ")

"""`/setup`: managers set the rules of a server alone, everybody reads them, and each holds at once, at every door."""

from __future__ import annotations

import pytest

from tests.discord_server import DiscordServer, Interaction, Message
from tests.discord_server.user import User
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, own, reply_to
from tests.e2e.pictures import png, rich_backend
from tests.fakes import FakeBackend

BUTTONS = ["Channels and roles", "What may be drawn", "Finished pictures", "Limits", "Test a prompt", "Test picture"]


def chief(discord: DiscordServer) -> User:
    return discord.user("chief", permissions=["MANAGE_GUILD"])


async def panel(discord: DiscordServer) -> Message:
    opened = await chief(discord).slash(discord.channel, "setup start")
    assert opened.ephemeral
    return opened.message


async def fill(discord: DiscordServer, message: Message, button: str, values: dict[str, object]) -> Interaction:
    """Open a form from the panel and send it."""
    opened = await chief(discord).click(message, button)
    return await chief(discord).submit(opened.modal, values)


async def rule(discord: DiscordServer, **values: object) -> None:
    """Set what may be drawn."""
    await fill(discord, await panel(discord), "What may be drawn", values)


async def test_a_manager_sets_rules_in_a_panel_of_their_own_which_shows_what_holds(
    discord: DiscordServer, start: StartEasel
) -> None:
    await start(FakeBackend())
    art = discord.add_channel("art")
    message = await panel(discord)
    assert message.buttons == BUTTONS
    assert "Discord asks that of every server" in message.content
    role = next(role for role in discord.guild.roles if role in discord.guild.members[chief(discord).id][1])
    await fill(discord, message, "Channels and roles", {"channels": [art], "roles": [str(role)]})
    assert f"**Channels:** <#{art.id}>" in message.content
    assert f"**Who may draw:** <@&{role}>" in message.content
    values = {"sexual": "Nowhere", "words": "dragon*, our mayor", "patterns": r"\bguns?\b", "negative": "blurry"}
    await fill(discord, message, "What may be drawn", {**values, "elsewhere": False})
    for line in ("**Nudity and sexual content:** Nowhere\n", "2 words ||dragon\\*, our mayor|| · 1 pattern", "free"):
        assert line in message.content, message.content
    form = (await chief(discord).click(message, "What may be drawn")).modal
    assert form.fields["words"]["value"] == "dragon*, our mayor", "the form shows what is set"
    read = await discord.user("mia").slash(discord.channel, "setup show")
    assert read.ephemeral
    assert "Ask in #art." in read.message.content


@pytest.mark.parametrize("permissions", [(), ("MANAGE_MESSAGES",)])
async def test_members_and_moderators_read_the_rules_and_set_none(
    discord: DiscordServer, start: StartEasel, permissions: tuple[str, ...]
) -> None:
    easel = await start(FakeBackend())
    mod = discord.user("mod", permissions=permissions)
    refused = await mod.slash(discord.channel, "setup start")
    assert "Only people with Manage Server set the rules" in refused.message.content
    shown = await mod.slash(discord.channel, "setup show")
    assert "you may draw; this channel is not age-restricted" in shown.message.content
    help_message = await easel.answer_to(await mod.say(discord.channel, "!help"))
    for part in ("open", "places", "content", "pictures", "try"):
        pressed = await mod.forge(help_message, f"e1:setup:{part}")
        assert pressed.modal is None
        assert "Only people with Manage Server" in pressed.message.content
    sent = await mod.forge(help_message, "e1:setup:content", form={"sexual": "anywhere"})
    assert "✖" in sent.message.content
    printed = await mod.say(discord.channel, "!setup")
    answer = await discord.wait_for(lambda: reply_to(printed))
    assert "Only people with Manage Server" in answer.content


async def test_by_prefix_managers_get_the_button_and_everybody_the_rules(
    discord: DiscordServer, start: StartEasel
) -> None:
    await start(FakeBackend())
    printed = await chief(discord).say(discord.channel, "!setup")
    answer = await discord.wait_for(lambda: reply_to(printed))
    opened = await chief(discord).click(answer, "Set up")
    assert opened.ephemeral
    assert opened.message.buttons == BUTTONS
    printed = await discord.user("mia").say(discord.channel, "!setup show")
    assert "**House rules**" in (await discord.wait_for(lambda: reply_to(printed))).content


async def test_the_panel_works_after_a_restart_and_ends_with_a_test_picture(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    message = await panel(discord)
    await easel.stop()
    await easel.start()
    drawn = await chief(discord).click(message, "Test picture")
    await discord.wait_for(lambda: drawn.original and drawn.original.attachments)
    assert drawn.ephemeral
    assert own(discord.channel) == [message, drawn.original]
    await fill(discord, message, "What may be drawn", {"words": "fox"})
    assert "1 word ||fox||" in message.content


async def test_a_prompt_can_be_tried_without_drawing_it(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    await start(engine)
    mia = discord.user("mia")
    tried = await mia.slash(discord.channel, "setup test", prompt="nude woman, explicit")
    assert tried.ephemeral
    openly, restricted = tried.message.content.splitlines()[2], tried.message.content.splitlines()[1]
    assert openly.startswith("🛡 In other channels")
    assert "“nude”" in openly
    assert restricted == "✅ In age-restricted channels: it would be drawn."
    tried = await mia.slash(discord.channel, "setup test", prompt="a woman --negative clothes")
    assert "“clothes”" in tried.message.content
    tried = await fill(discord, await panel(discord), "Test a prompt", {"prompt": "a grape in Scunthorpe"})
    assert tried.message.content.count("✅") == 2
    assert engine.requests == []


async def test_what_is_no_pattern_or_too_much_is_refused_and_nothing_changes(
    discord: DiscordServer, start: StartEasel
) -> None:
    await start(FakeBackend())
    message = await panel(discord)
    before = message.content
    for values, words in (
        ({"patterns": "("}, "is not a valid pattern"),
        ({"words": ", ".join(f"word{n}" for n in range(201))}, "at most 200"),
        ({"words": "x" * 61}, "is too long"),
    ):
        sent = await fill(discord, message, "What may be drawn", values)
        assert words in sent.message.content
        assert sent.ephemeral
    assert message.content == before


async def shown(discord: DiscordServer, done: Interaction) -> str:
    """Return the words that whoever pressed or typed reads alone."""
    await discord.wait_for(lambda: any(m.ephemeral and not m.loading for m in (*done.followups, done.original) if m))
    return next(m.content for m in (*reversed(done.followups), done.original) if m and m.ephemeral and not m.loading)


async def refusals(easel: Easel, prompt: str, picture: Message) -> list[str]:
    """Ask for a prompt at every door of Discord; return what was answered."""
    discord, mia = easel.server, easel.server.user("mia")
    printed = [await easel.answer_to(await easel.say(f"!dream {prompt}"))]
    printed.append(await easel.answer_to(await easel.say(f"<@{discord.bot.id}> {prompt}")))
    form = await mia.click(picture, "Remix")
    asked = [
        await easel.slash(prompt),
        await easel.slash(prompt, private=True),
        await mia.submit(form.modal, {"prompt": prompt}),
        await mia.slash(discord.channel, "compare", prompt=prompt),
    ]
    return [message.content for message in printed] + [await shown(discord, each) for each in asked]


async def test_sexual_words_are_refused_at_every_door_in_a_channel_that_is_not_age_restricted(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine, FakeBackend("other"))
    picture = await easel.dream()
    for reported in await refusals(easel, "nude woman, explicit", picture):
        assert "age-restricted channels only: “nude”" in reported, reported
        assert "Leave it out" in reported
    for prompt in ("a woman --negative clothes", "n.u.d.e woman", "a {nude} woman"):
        reported = (await easel.answer_to(await easel.say(f"!dream {prompt}"))).content
        assert "age-restricted" in reported, reported
    assert len(engine.requests) == 1


async def test_they_are_drawn_in_an_age_restricted_channel_and_its_threads(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    await start(engine)
    adult = discord.add_channel("adult", nsfw=True)
    thread = discord.add_thread("sketches", adult)
    mia = discord.user("mia")
    for place in (adult, thread):
        printed = await mia.say(place, "!dream a nude statue")
        await discord.wait_for(lambda printed=printed: (reply := reply_to(printed)) and reply.attachments)
        asked = await mia.slash(place, "generate", prompt="a nude statue")
        await discord.wait_for(lambda asked=asked: asked.original and asked.original.attachments)
    assert len(engine.requests) == 4
    printed = await mia.say(adult, "!dream nude little girl")
    reported = (await discord.wait_for(lambda: reply_to(printed))).content
    assert "Sexual pictures of minors are never drawn" in reported
    direct = await mia.say(mia.dm_channel, "!dream a nude statue")
    assert "age-restricted" in (await discord.wait_for(lambda: reply_to(direct))).content


async def test_words_of_a_server_hold_at_every_door_and_what_is_left_out_reaches_the_engine(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine, FakeBackend("other"))
    picture = await easel.dream("!dream a red fox --negative ugly")
    await rule(discord, words="dragon*", negative="watermark, ugly")
    for reported in await refusals(easel, "two dragons", picture):
        assert "“dragon\\*” is not drawn here" in reported, reported
    await easel.dream("!dream a blue fox --negative ugly")
    assert engine.requests[-1].negative_prompt == "ugly, watermark"
    await easel.dream("!dream a green fox")
    assert engine.requests[-1].negative_prompt == "watermark, ugly"
    again = await discord.user("mia").click(await easel.dream("!dream a black fox"), "Re-roll")
    await discord.wait_for(lambda: again.original and again.original.attachments)
    assert engine.requests[-1].negative_prompt == "watermark, ugly", "each once"


async def test_people_draw_in_the_channels_and_with_the_roles_that_were_chosen(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine, FakeBackend("other"))
    art = discord.add_channel("art")
    picture = await easel.dream()
    await fill(discord, await panel(discord), "Channels and roles", {"channels": [art]})
    mia = discord.user("mia")
    for reported in await refusals(easel, "a fox", picture):
        assert "Pictures are not drawn in this channel" in reported, reported
        assert "Ask in #art." in reported
    pressed = await mia.click(picture, "Re-roll")
    assert "not drawn in this channel" in await shown(discord, pressed)
    upscaled = await mia.context_menu("Upscale 2×", picture)
    assert "not drawn in this channel" in await shown(discord, upscaled)
    printed = await mia.say(art, "!dream a fox")
    await discord.wait_for(lambda: (reply := reply_to(printed)) and reply.attachments)
    [role] = discord.guild.members[chief(discord).id][1]
    await fill(discord, await panel(discord), "Channels and roles", {"channels": [], "roles": [str(role)]})
    for reported in await refusals(easel, "a fox", picture):
        assert "Only people with the role @" in reported, reported
    assert await easel.dream("!dream a fox", user="chief")


async def test_the_set_up_stands_in_the_audit(discord: DiscordServer, start: StartEasel) -> None:
    await start(FakeBackend())
    await rule(discord, words="dragon")
    audit = await chief(discord).slash(discord.channel, "audit")
    await discord.wait_for(lambda: audit.original and not audit.original.loading)
    assert "changed the rules" in audit.original.content
    assert "words: dragon" in audit.original.content


async def test_a_role_that_is_named_there_moderates(discord: DiscordServer, start: StartEasel) -> None:
    await start(FakeBackend())
    mod = discord.user("mod", permissions=["MANAGE_MESSAGES"])
    [role] = discord.guild.members[mod.id][1]
    refused = await mod.slash(discord.channel, "audit")
    assert "Only moderators" in refused.message.content
    await fill(discord, await panel(discord), "Channels and roles", {"moderators": [str(role)]})
    read = await mod.slash(discord.channel, "audit")
    assert "changed the rules" in read.message.content


async def test_an_admin_of_this_easel_sets_the_rules_of_each_server(discord: DiscordServer, start: StartEasel) -> None:
    owner = discord.user("owner")
    await start(FakeBackend(), admins=(owner.id,))
    opened = await owner.slash(discord.channel, "setup start")
    assert opened.message.buttons == BUTTONS
    form = (await owner.click(opened.message, "What may be drawn")).modal
    await owner.submit(form, {"words": "dragon"})
    assert "1 word ||dragon||" in opened.message.content


async def test_pictures_drawn_from_pictures_are_judged_by_their_words(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = rich_backend()
    easel = await start(engine)
    picture = await easel.dream()
    mia = discord.user("mia")
    attached = await easel.say("!dream naked people", attachments=[("fox.png", png())])
    assert "“naked”" in (await easel.answer_to(attached)).content
    replied = await easel.say("!dream remove her clothes", reply_to=picture)
    assert "“remove her clothes”" in (await easel.answer_to(replied)).content
    asked = await mia.slash(
        discord.channel, "inpaint", prompt="naked", image=("a.png", png()), mask=("m.png", png(64, "white"))
    )
    assert "“naked”" in await shown(discord, asked)
    assert len(engine.requests) == 1

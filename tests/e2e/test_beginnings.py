"""`/templates`, `/remix` and `/blend`: a prompt that works, the words of a picture, several pictures in one."""

from __future__ import annotations

import pytest

from generation.capabilities import Capabilities
from generation.person import Person
from generation.request import Mode
from services.library.templates import TemplateText
from tests.discord_server import DiscordServer, Interaction, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, job_id, own
from tests.e2e.pictures import png
from tests.e2e.test_inputs import link_to, refused
from tests.fakes import FakeBackend
from tests.waiting import until

CAT, SEA, HAT = ("cat.png", png()), ("sea.png", png(colour="navy")), ("hat.png", png(colour="red"))


def blender(name: str = "gptimage", most: int = 16) -> FakeBackend:
    """Return an engine that draws from several pictures."""
    modes = frozenset({Mode.TXT2IMG, Mode.IMG2IMG})
    return FakeBackend(name, capabilities=Capabilities(modes=modes, max_images=most))


async def reads(discord: DiscordServer, result: Interaction) -> str:
    def shown() -> str:
        messages = [result.message, *result.followups]
        return next((each.text for each in messages if each and not each.loading and not each.deleted), "")

    return str(await discord.wait_for(shown))


async def finished(easel: Easel, result: Interaction) -> Message:
    return await easel.server.wait_for(
        lambda: result.message if result.message and is_finished(result.message) else None
    )


# -- templates -------------------------------------------------------------------------------------------------------


async def test_a_template_fills_the_form_and_what_is_sent_is_drawn(discord: DiscordServer, start: StartEasel) -> None:
    gpu = FakeBackend("gpu")
    easel = await start(gpu)
    mia = discord.user("mia")
    offered = await mia.autocomplete(discord.channel, "templates", "template", "pixel")
    assert offered[0]["value"] == "pixel"
    assert offered[0]["name"].startswith("Pixel art scene: ")
    opened = await mia.slash(discord.channel, "templates", template="pixel", subject="a harbour")
    assert opened.modal is not None
    assert opened.modal.fields["prompt"]["value"].startswith("pixel art of a harbour, ")
    sent = await mia.submit(opened.modal, {"prompt": "pixel art of a harbour at night --steps 9", "aspect": "1:1"})
    await finished(easel, sent)
    [request] = gpu.requests
    assert (request.prompt, request.steps) == ("pixel art of a harbour at night", 9)
    assert request.negative_prompt == "blurry, antialiasing, photo"
    assert request.width == request.height


@pytest.mark.parametrize("use", ["system-member", "headspace", "shared-world", "meme"])
async def test_there_is_a_template_for_each_thing_people_come_for(
    discord: DiscordServer, start: StartEasel, use: str
) -> None:
    gpu = FakeBackend("gpu")
    easel = await start(gpu)
    mia = discord.user("mia")
    opened = await mia.slash(discord.channel, "templates", template=use, subject="somebody of ours")
    await finished(easel, await mia.submit(opened.modal))
    [request] = gpu.requests
    assert "somebody of ours" in request.prompt
    assert request.negative_prompt


async def test_saved_prompts_are_templates_too_for_whom_they_are(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"))
    mia, ann = discord.user("mia"), discord.user("ann")
    person = Person(user_key=f"discord:{mia.id}")
    templates = easel.now.easel.services.records.templates
    saved = TemplateText(name="My harbour", prompt="{subject} in a harbour, fog", negative_prompt="people")
    await templates.create(person, saved)
    offered = await mia.autocomplete(discord.channel, "templates", "template", "harbour")
    assert offered[0]["name"] == "My harbour: {subject} in a harbour, fog"
    opened = await mia.slash(discord.channel, "templates", template=offered[0]["value"], subject="a tug")
    assert opened.modal is not None
    assert opened.modal.fields["prompt"]["value"] == "a tug in a harbour, fog"
    assert [each.usage_count for each in await templates.templates(person)] == [1]
    assert await ann.autocomplete(discord.channel, "templates", "template", "harbour") == []
    unknown = await ann.slash(discord.channel, "templates", template="My harbour")
    assert "There is no template “My harbour”" in await reads(discord, unknown)


async def test_a_shape_that_is_none_is_refused(discord: DiscordServer, start: StartEasel) -> None:
    await start(FakeBackend("gpu"))
    mia = discord.user("mia")
    opened = await mia.slash(discord.channel, "templates", template="Portrait photo")
    sent = await mia.submit(opened.modal, {"prompt": "a heron", "aspect": "round"})
    assert "--ar" in await reads(discord, sent)


# -- remix -----------------------------------------------------------------------------------------------------------


async def test_remix_opens_the_form_of_the_latest_or_of_the_one_that_is_named(
    discord: DiscordServer, start: StartEasel
) -> None:
    gpu = FakeBackend("gpu")
    easel = await start(gpu)
    mia = discord.user("mia")
    none = await mia.slash(discord.channel, "remix")
    assert "You have no picture here yet" in await reads(discord, none)
    first = await easel.dream("!dream a red fox")
    await easel.dream("!dream a heron")
    for picture, words in ((None, "a heron"), (link_to(first), "a red fox"), (job_id(first), "a red fox")):
        opened = await mia.slash(discord.channel, "remix", **({"picture": picture} if picture else {}))
        assert opened.modal is not None, picture
        assert opened.modal.fields["prompt"]["value"] == words
    opened = await discord.user("ann").slash(discord.channel, "remix", picture=link_to(first))
    sent = await discord.user("ann").submit(opened.modal, {"prompt": "a blue fox"})
    await finished(easel, sent)
    assert gpu.requests[-1].prompt == "a blue fox"


async def test_remix_by_prefix_offers_the_form_of_what_it_replies_to(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"))
    done = await easel.dream("!dream a red fox")
    await easel.dream("!dream a heron")
    answer = await easel.answer_to(await easel.say("!remix", reply_to=done))
    opened = await discord.user("mia").click(answer, "Remix")
    assert opened.modal is not None
    assert opened.modal.fields["prompt"]["value"] == "a red fox"
    talk = await easel.say("hello")
    assert "no picture of mine" in await refused(easel, "!remix", reply_to=talk)


async def test_remix_of_what_is_not_for_them_is_refused(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend("gpu"))
    done = await easel.dream("!dream a red fox")
    elsewhere = discord.add_channel("elsewhere")
    ann = discord.user("ann")
    other = await ann.slash(elsewhere, "remix", picture=link_to(done))
    assert "Ask in the channel where it stands" in await reads(discord, other)
    assert "no picture I can find" in await reads(discord, await ann.slash(elsewhere, "remix", picture=job_id(done)))


# -- blend -----------------------------------------------------------------------------------------------------------


async def test_blend_draws_all_pictures_into_one_on_the_engine_that_can(
    discord: DiscordServer, start: StartEasel
) -> None:
    plain, able = FakeBackend("plain"), blender()
    easel = await start(plain, able)
    result = await discord.user("mia").slash(discord.channel, "blend", image1=CAT, image2=SEA, image3=HAT)
    await finished(easel, result)
    [request] = able.requests
    assert plain.requests == []
    assert request.init_image is not None
    assert len(request.more_images) == 2
    assert request.prompt.startswith("Blend these pictures into one")
    answer = await easel.answer_to(await easel.say("!blend a cat at sea", attachments=[CAT, SEA]))
    await easel.finished(answer)
    assert able.requests[-1].prompt == "a cat at sea"
    assert len(able.requests[-1].more_images) == 1
    assert own(discord.channel)


async def test_where_no_engine_can_the_refusal_says_what_would_be_needed(
    discord: DiscordServer, start: StartEasel
) -> None:
    plain, two = FakeBackend("plain"), blender("two", most=2)
    await start(plain, two)
    mia = discord.user("mia")
    words = await reads(discord, await mia.slash(discord.channel, "blend", image1=CAT, image2=SEA, image3=HAT))
    assert "plain draws from one picture; two draws from 2 pictures" in words
    assert "OPENAI_IMAGES_KEY" in words
    assert "/workflow add" in words
    named = await reads(discord, await mia.slash(discord.channel, "blend", image1=CAT, image2=SEA, backend="plain"))
    assert "plain draws from one picture" in named
    assert plain.requests == two.requests == []


@pytest.mark.parametrize("attached", [[], [CAT], [CAT, SEA, HAT, CAT, SEA, HAT]])
async def test_a_blend_takes_two_to_five_pictures(start: StartEasel, attached: list[tuple[str, bytes]]) -> None:
    able = blender()
    easel = await start(able)
    assert f"2 to 5 pictures, not {len(attached)}" in await refused(easel, "!blend", attachments=attached)
    await until(lambda: not able.requests)

"""Every press and form that names a job, forged by every kind of stranger: what is not for them is as if not there.

A row for each action; one without a row fails. Answers are compared with those to an id that never was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from cogs.forget import CONFIRM_ID
from cogs.jobs.forms import choice_value
from cogs.pictures import forms
from generation.job import Origin
from generation.request import Draft
from tests.discord_server import Channel, DiscordServer, Interaction, Message
from tests.discord_server.user import User
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, job_id, own
from tests.e2e.pictures import rich_backend
from tests.fakes import FakeBackend

NEVER = "0123456789ab"  # no job has this id
SECRET = "a fox nobody may read of"
ASKED = f"{SECRET} --seed 42 --size 512x512 --steps 20"


@dataclass(frozen=True, kw_only=True)
class Press:
    """One action.

    `changes`: it changes the job itself, so that only its owner and moderators may; `is_own`: only its owner may.
    """

    argument: str = ""
    values: Sequence[str] = ()
    form: dict[str, str] | None = None
    changes: bool = False
    is_own: bool = False


EDITED = {"prompt": "a blue fox", "negative": "", "size": "512x512", "steps_cfg": "20, 7", "seed": "42"}
PRESSES = {
    "reroll": Press(),
    "steps": Press(),
    "smaller": Press(),
    "flux": Press(),
    "size": Press(),
    "sized": Press(form={"size": "640x512"}),
    "sampler": Press(),
    "model": Press(),
    "page": Press(argument="model-1"),
    "choose": Press(argument="model", values=[choice_value("model_01")]),
    "pick": Press(argument="0"),
    "finish": Press(argument="0"),
    "input": Press(),
    "input-sent": Press(form={"prompt": "an owl", "strength": "0.5"}),
    "files": Press(),
    "info": Press(),
    "enhance": Press(),
    "enhance and draw": Press(argument="draw"),
    "enhance and edit": Press(argument="edited", form={"prompt": "a blue fox"}),
    "look": Press(),
    "studio": Press(),
    **{f"picture:{what}": Press(argument=what) for what in ("upscale", "zoom", "left", "right", "up", "down")},
    "vary": Press(argument="0-subtle"),
    "wait": Press(),
    "keep": Press(is_own=True),
    "collect": Press(is_own=True),
    "collected": Press(is_own=True, form={"name": "birds"}),
    "meant": Press(),
    "wish": Press(argument="0-1", values=["again"]),
    "wish-pick": Press(argument="0-1"),
    "undo": Press(changes=True),
    "report": Press(),
    "reported": Press(form={"reason": "x"}),
    "share": Press(is_own=True),
    "send": Press(),
    "edit": Press(),
    "edited": Press(form=EDITED),
    "cancel": Press(changes=True),
    "delete": Press(changes=True),
    "delete for good": Press(argument="123456789", changes=True),
}
# An engine, a page, a picture.
NO_JOB = {
    "agree-model",
    "stop-model",
    "chat",
    "connect-as",
    "template",
    "setup",
    "models",
    "help",
    "welcome",
    "gallery",
    "gallery-open",
    "gallery-star",
    "style-look",
}
REPORTS = ("remove", "warn", "ban", "banned", "dismiss", "appeal", "appealed", "grant", "refuse")


@dataclass
class Place:
    """Somebody, and a message of the bot's that they can press something under."""

    user: User
    message: Message

    async def press(self, action: str, job: str) -> str:
        """Send a forged press; return what was read, "" where it was no refusal."""
        press, name = PRESSES[action], action.partition(":")[0].partition(" ")[0]
        custom_id = f"e1:{name}:{job}" + (f":{press.argument}" if press.argument else "")
        result = await self.user.forge(self.message, custom_id, values=press.values, form=press.form)
        assert not result.failed, (action, "the application did not respond")
        return refusal(result)


def refusal(result: Interaction) -> str:
    words = result.message.content if result.message else ""
    if not words.startswith("✖"):
        return ""
    assert result.ephemeral, words
    return words


async def help_in(discord: DiscordServer, user: User, channel: Channel) -> Place:
    """Have the bot say something where somebody is."""
    seen = len(own(channel))
    await user.say(channel, "!help")
    return Place(user, await discord.wait_for(lambda: own(channel)[-1] if len(own(channel)) > seen else None))


@pytest.fixture
async def easel(start: StartEasel) -> Easel:
    return await start(rich_backend(), FakeBackend("other"))


async def strangers(discord: DiscordServer) -> dict[str, Place]:
    """Everybody who has no business with a job of mia's in the first channel."""
    other = discord.add_channel("elsewhere")
    guild = discord.add_guild("Foreign")
    far = discord.add_channel("far", guild=guild)
    zoe = discord.add_user("zoe", permissions=["MANAGE_MESSAGES"], guild=guild)
    ann, mod = discord.user("ann"), discord.user("mod", permissions=["MANAGE_MESSAGES"])
    return {
        "in another channel": await help_in(discord, ann, other),
        "a moderator in another channel": await help_in(discord, mod, other),
        "in another server": await help_in(discord, zoe, far),
        "in a direct message": await help_in(discord, ann, ann.dm_channel),
    }


async def members(discord: DiscordServer) -> dict[str, Place]:
    ann, mod = discord.user("ann"), discord.user("mod", permissions=["MANAGE_MESSAGES"])
    return {
        "a member": await help_in(discord, ann, discord.channel),
        "a moderator": await help_in(discord, mod, discord.channel),
    }


async def private_job(easel: Easel) -> str:
    result = await easel.slash(ASKED, private=True)
    await easel.server.wait_for(lambda: result.message and is_finished(result.message), 8)
    return job_id(result.message)


def test_every_action_has_its_row(easel: Easel) -> None:
    listening = {cog for cog, item in easel.bot.cogs.items() if "on_interaction" in dict(item.get_listeners())}
    assert listening == {"Presses"}
    answered = easel.bot.cogs["Presses"]._routes
    of_jobs = {":".join(filter(None, (action, argument))) for prefix, action, argument in answered if prefix == "e1"}
    drawing = {f"{forms.ACTION}:{argument}" for argument in forms.DRAWS}  # of a message that need not be a job's
    assert {action.partition(" ")[0] for action in PRESSES} == of_jobs - drawing - NO_JOB
    assert {(prefix, action) for prefix, action, _ in answered if prefix != "e1"} == {
        ("c1", "cancel"),
        ("c1", "vote"),  # tests/e2e/test_versus.py
        ("c1", "end"),
        ("f1", "forget"),
        ("q1", "draw"),  # tests/e2e/test_permutations.py
        ("q1", "drop"),
        ("m1", "audit"),  # tests/e2e/test_bans.py
        *(("m1", action) for action in REPORTS),  # tests/e2e/test_reports.py
    }


async def test_a_private_job_is_not_there_for_anybody_else(discord: DiscordServer, easel: Easel) -> None:
    job, mia = await private_job(easel), discord.user("mia")
    for who, place in (await members(discord) | await strangers(discord)).items():
        for action in PRESSES:
            unknown = await place.press(action, NEVER)
            assert unknown.startswith("✖ There is no job"), (who, action, unknown)
            assert (await place.press(action, job)).replace(job, NEVER) == unknown, (who, action)
            assert (await place.press(action, job[:6])).replace(job[:6], NEVER) == unknown, (who, action)
    reply = [message for channel in discord.channels.values() for message in own(channel)]
    assert not any(SECRET in message.content for message in reply if message.visible_to is not mia)
    assert (await easel.job(job)).result is not None


async def test_a_job_in_the_open_is_not_there_elsewhere(discord: DiscordServer, easel: Easel) -> None:
    job = job_id(await easel.dream(f"!dream {ASKED}"))
    for who, place in (await strangers(discord)).items():
        for action in PRESSES:
            unknown = await place.press(action, NEVER)
            assert (await place.press(action, job)).replace(job, NEVER) == unknown, (who, action)
    reply = [message for channel in discord.channels.values() for message in own(channel)]
    assert sum(SECRET in message.content for message in reply) == 1
    assert (await easel.job(job)).result is not None


@pytest.mark.parametrize("who", ["a member", "a moderator"])
async def test_who_is_there_makes_something_new_and_moderators_change_it(
    discord: DiscordServer, easel: Easel, who: str
) -> None:
    place, answer = (await members(discord))[who], await easel.dream(f"!dream {ASKED}")
    for action, press in PRESSES.items():
        reported = await place.press(action, job_id(answer))
        assert "There is no job" not in reported, (action, reported)
        assert ("Only the person who asked" in reported) is (press.is_own or (press.changes and who == "a member")), (
            action,
            reported,
        )


@pytest.mark.parametrize("action", ["delete", "keep", "info", "picture:left", "studio"])
async def test_a_choice_in_the_menu_is_what_the_button_would_be(
    discord: DiscordServer, easel: Easel, action: str
) -> None:
    place, job = (await members(discord))["a member"], job_id(await easel.dream(f"!dream {ASKED}"))
    by_button = await place.press(action, job)
    by_menu = await place.user.forge(place.message, f"e1:more:{job}", values=[action])
    assert refusal(by_menu) == by_button


@pytest.mark.parametrize("value", ["nonsense", "more", "sized", "", ":", "picture:sideways"])
async def test_a_choice_that_no_menu_offers_is_refused(discord: DiscordServer, easel: Easel, value: str) -> None:
    place, job = (await members(discord))["a member"], job_id(await easel.dream(f"!dream {ASKED}"))
    forged = await place.user.forge(place.message, f"e1:more:{job}", values=[value])
    assert refusal(forged), value


async def test_ones_own_is_there_wherever_one_is(discord: DiscordServer, easel: Easel) -> None:
    mia = await help_in(discord, discord.user("mia"), discord.add_channel("elsewhere"))
    for job in (await private_job(easel), job_id(await easel.dream(f"!dream {ASKED}"))):
        for action in PRESSES:
            reported = await mia.press(action, job)
            assert "There is no job" not in reported, (action, reported)
            assert "Only the person" not in reported, (action, reported)


async def test_a_press_below_another_message_does_not_change_that_message(discord: DiscordServer, easel: Easel) -> None:
    theirs = await easel.dream(f"!dream {ASKED}")
    ann = discord.user("ann")
    mine = job_id(await easel.dream("!dream a red fox", user="ann"))
    before = (theirs.content, theirs.components)
    for custom_id in (
        f"e1:delete:{mine}",
        f"e1:delete:{mine}:{theirs.id}",
        f"e1:page:{mine}:model-1",
        "e1:help:page:1",
        "e1:models:gpu1:1",
        CONFIRM_ID,
    ):
        await ann.forge(theirs, custom_id)
        assert not theirs.deleted, custom_id
        assert (theirs.content, theirs.components) == before, custom_id


async def test_a_comparison_is_cancelled_by_its_owner_and_is_not_there_elsewhere(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend("gpu", hold=True), FakeBackend("grid", hold=True))
    result = await discord.user("mia").slash(discord.channel, "compare", prompt=f"{SECRET} --private")
    answer = await discord.wait_for(lambda: result.message if result.message and result.message.controls else None)
    comparison = answer.controls[0]["custom_id"].rpartition(":")[2]
    for who, place in (await members(discord) | await strangers(discord)).items():
        for item in (comparison, NEVER):
            pressed = await place.user.forge(place.message, f"c1:cancel:{item}")
            [reported] = await discord.wait_for(lambda pressed=pressed: pressed.followups)
            assert (reported.content, reported.visible_to) == ("It had already ended.", place.user), who
    assert len(await easel.now.jobs.active()) == 2
    await discord.user("mia").click(answer, "Cancel")
    await discord.wait_for(lambda: "cancelled" in answer.content)


OUTSIDE = {"in another server", "in a direct message"}  # where nobody reads the channel in which it was made


async def test_a_forged_picture_is_there_for_nobody_else(discord: DiscordServer, easel: Easel) -> None:
    by_http = await easel.now.service.submit(Draft(prompt=SECRET, seed=7), Origin(door="api", user_id="local"))
    jobs = [job_id(await easel.dream(f"!dream {ASKED}")), await private_job(easel), by_http.job.id]
    async with asyncio.timeout(8):
        async for __ in easel.now.service.watch(by_http.job.id):
            pass
    for who, place in (await members(discord) | await strangers(discord)).items():
        for job in jobs if who in OUTSIDE else jobs[1:]:
            result = (await easel.job(job)).result
            assert result is not None
            # the file of the private one is that of the open one, which a member may open
            for picture in (f"{job}-1", *([result.images[0].media_id] if who in OUTSIDE else [])):
                opened = await place.user.forge(place.message, "e1:gallery-open:page", values=[picture])
                starred = await place.user.forge(place.message, f"e1:gallery-star:{picture}:on")
                for reported in (opened, starred):
                    answer = await discord.wait_for(lambda reported=reported: _answer_to(reported))
                    assert answer.content.startswith("✖ There is no picture"), (who, picture, answer.content)
    reply = [message for channel in discord.channels.values() for message in own(channel)]
    assert sum(SECRET in message.content for message in reply if message.visible_to is None) == 1


def _answer_to(result: Interaction) -> Message | None:
    """Return what was answered, once it is more than a sign that the bot thinks."""
    shown = [message for message in (result.original, *result.followups) if message and not message.loading]
    return shown[-1] if shown else None

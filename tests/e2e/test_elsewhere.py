"""The app brought along: commands where the bot is no member, answered by the token of the interaction alone."""

from __future__ import annotations

import pytest

from backends.base import ProgressCallback
from cogs import contexts
from cogs.jobs.progress import LEAVING
from generation.job import Progress
from generation.request import GenerationRequest
from generation.result import GenerationResult
from tests.discord_server import Channel, DiscordServer, Interaction, NotPossible
from tests.discord_server.elsewhere import add_foreign_channel
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import is_finished, own
from tests.e2e.test_commands import writes
from tests.fakes import FakeBackend
from tests.waiting import until


class Reporting(FakeBackend):
    """Lets the test report how far it is."""

    report: ProgressCallback

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        self.report = report
        return await super().generate(request, report)


@pytest.fixture
def away(discord: DiscordServer) -> Channel:
    """A channel of a server that has not let the bot in."""
    discord.commands.commands[None].clear()
    return add_foreign_channel(discord, discord.user("mia"), discord.user("ann"))


async def by_slash(
    discord: DiscordServer, channel: Channel, prompt: str = "a red fox", **options: object
) -> Interaction:
    return await discord.user("mia").slash(channel, "generate", prompt=prompt, **options)


async def test_without_the_setting_nothing_is_offered_there(
    discord: DiscordServer, start: StartEasel, away: Channel
) -> None:
    await start(FakeBackend())
    with pytest.raises(NotPossible):
        await by_slash(discord, away)


async def test_it_draws_there_and_goes_on_from_the_picture(
    discord: DiscordServer, start: StartEasel, away: Channel
) -> None:
    easel = await start(FakeBackend(), user_install=True)
    answer = await by_slash(discord, away)
    await discord.wait_for(lambda: is_finished(answer.original))
    assert answer.original.attachments
    [view] = await easel.now.service.recent(f"discord:{discord.user('mia').id}", 5)
    assert view.job.origin.guild_id is None, "it belongs to no server of ours"
    again = await discord.user("mia").click(answer.original, "Re-roll")
    await discord.wait_for(lambda: again.original and is_finished(again.original))
    assert own(discord.channel) == []
    tried = [record.path for record in discord.requests if record.status >= 400]
    assert tried == [], "nothing is tried there that only a member may do"


async def test_what_belongs_to_a_server_is_not_offered_there(
    discord: DiscordServer, start: StartEasel, away: Channel
) -> None:
    await start(FakeBackend(), user_install=True)
    for name in ("setup start", "bans", "audit", "caps show", "sdconnect", "settings set"):
        with pytest.raises(NotPossible):
            await discord.user("mia").slash(away, name)
    assert discord.commands.names() | {"imagine", "draw", "restyle"} >= contexts.PERSONAL


async def test_the_setting_is_written_once_and_taken_back(
    discord: DiscordServer, start: StartEasel, away: Channel
) -> None:
    easel = await start(FakeBackend(), user_install=True)
    assert writes(discord) == ["PUT"]
    await easel.stop()
    await easel.start()
    assert writes(discord) == ["PUT"], "a later start writes nothing"
    await easel.stop()
    easel.user_install = False
    await easel.start()
    await discord.wait_for(lambda: not any(1 in item["integration_types"] for item in discord.commands.offered(None)))
    assert writes(discord) == ["PUT", "PUT"]
    with pytest.raises(NotPossible):
        await by_slash(discord, away)


async def test_what_no_place_allows_is_not_drawn_there_either(
    discord: DiscordServer, start: StartEasel, away: Channel
) -> None:
    engine = FakeBackend()
    await start(engine, user_install=True)
    answer = await by_slash(discord, away, "nude woman, explicit")
    await discord.wait_for(lambda: answer.followups or (answer.original and not answer.original.loading))
    assert engine.requests == []


async def test_after_fifteen_minutes_the_picture_comes_as_a_direct_message_and_that_is_told_before(
    discord: DiscordServer, start: StartEasel, away: Channel
) -> None:
    engine = Reporting(hold=True)
    easel = await start(engine, user_install=True)
    answer = await by_slash(discord, away)
    await until(lambda: engine.running)
    await discord.wait_for(lambda: "fake" in answer.original.content)
    easel.clock.offset_s = 13.5 * 60
    await engine.report(Progress(fraction=0.8))
    await discord.wait_for(lambda: str(LEAVING) in answer.original.content)
    easel.clock.offset_s = 16 * 60
    discord.expire_interaction_tokens()
    engine.release()
    mia = discord.user("mia")
    await discord.wait_for(lambda: mia.dms and is_finished(mia.dms[-1]))
    assert mia.dms[-1].attachments


async def test_more_pictures_than_may_follow_come_as_direct_messages(
    discord: DiscordServer, start: StartEasel, away: Channel
) -> None:
    await start(FakeBackend(), user_install=True)
    answer = await by_slash(discord, away, "a red fox --repeat 8")
    mia = discord.user("mia")

    def shown() -> int:
        return sum(map(is_finished, own(away))) + sum(map(is_finished, own(mia.dm_channel)))

    await discord.wait_for(lambda: shown() == 8)
    assert len(answer.followups) == contexts.MOST_AFTER_FIRST


def test_every_command_that_goes_along_is_one_of_a_persons_own() -> None:
    assert not contexts.PERSONAL & {"setup", "ban", "unban", "caps", "audit", "gpu", "engine", "sdconnect", "settings"}


@pytest.mark.parametrize(
    ("data", "is_elsewhere"),
    [
        ({"guild_id": "1", "context": 0, "authorizing_integration_owners": {"0": "1"}}, False),
        ({"guild_id": "1", "context": 0, "authorizing_integration_owners": {"0": "1", "1": "2"}}, False),
        ({"guild_id": "1", "context": 0, "authorizing_integration_owners": {"1": "2"}}, True),
        ({"context": 1, "authorizing_integration_owners": {"1": "2"}}, False),
        ({"context": 2, "authorizing_integration_owners": {"1": "2"}}, True),
        ({"guild_id": "1"}, False),
    ],
)
def test_where_the_bot_is_no_member(data: dict[str, object], is_elsewhere: bool) -> None:
    class Interaction:
        attached: dict[str, object] = {}  # noqa: RUF012

    contexts.note_place(Interaction, data)
    assert contexts.is_elsewhere(Interaction) is is_elsewhere  # type: ignore[arg-type]

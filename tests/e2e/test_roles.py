"""The roles and the channel of who asked are known of a request for as long as it lasts."""

from __future__ import annotations

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import job_id
from tests.fakes import FakeBackend


async def test_a_request_knows_the_roles_and_the_channel_it_was_asked_with(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend())
    mod = discord.user("mod", permissions=["MANAGE_MESSAGES"])
    [role] = (str(role) for role in discord.guild.members[mod.id][1])
    places = (str(discord.channel.id),)
    by_prefix = (await easel.job(job_id(await easel.dream(user="mod")))).origin
    assert (by_prefix.roles, by_prefix.places) == ((role,), places)
    asked = await easel.slash("a red fox", user="mod", private=True)
    await discord.wait_for(lambda: asked.message and asked.message.controls)
    by_slash = (await easel.job(job_id(asked.message))).origin
    assert (by_slash.roles, by_slash.places) == ((role,), places)
    hidden = await easel.say("!dream a fox --private", user="ann")
    answer = await discord.wait_for(
        lambda: next((message for message in discord.user("ann").dms if message.controls), None) if hidden else None
    )
    assert (await easel.job(job_id(answer))).origin.places == places, "the answer is in another channel"

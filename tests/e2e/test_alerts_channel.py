"""Warnings to the owner are written into the channel of admins, also those from before Discord was there."""

from __future__ import annotations

from settings.alerts import AlertSettings
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import own
from tests.fakes import FakeBackend


async def test_a_warning_is_written_to_the_channel_of_admins_once(discord: DiscordServer, start: StartEasel) -> None:
    channel = discord.add_channel("admins")
    easel = await start(FakeBackend(), admin_channel_id=str(channel.id))
    alerts = easel.now.easel.services.records.alerts
    alerts._fire("slow", "fake", "Fake took 99 s for a picture; more than 60 s is slow.")
    posted = await discord.wait_for(lambda: next(iter(own(channel)), None))
    assert posted.content.startswith("⚠️ Fake took 99 s for a picture")
    await easel.stop()
    await easel.start()
    easel.now.easel.services.records.alerts._fire("budget", "", "Today's pictures cost $9.00; the budget is $5.00.")
    await discord.wait_for(lambda: any("$9.00" in message.content for message in own(channel)))
    assert len(own(channel)) == 2


async def test_who_tries_what_is_not_drawn_again_and_again_is_told_to_admins(
    discord: DiscordServer, start: StartEasel
) -> None:
    channel = discord.add_channel("admins")
    easel = await start(FakeBackend(), admin_channel_id=str(channel.id))
    easel.now.easel.services.records.alerts.limits = AlertSettings(refusals=2)
    for _ in range(2):
        await easel.answer_to(await easel.say("!dream nude woman"))
    posted = await discord.wait_for(lambda: next(iter(own(channel)), None))
    assert "was refused 2 requests by the house rules in 15 minutes" in posted.content
    assert f"discord:{discord.user('mia').id}" in posted.content

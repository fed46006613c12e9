"""Admins fetch a model in Discord: its licence is shown, and agreed to with a button, before the first byte comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.embedded.models.disk import look_for_models
from backends.embedded.models.keeping import ModelKeeper
from backends.embedded.models.machine import OwnMachine
from net.hub import ModelHub
from tests.backends.embedded.hub_server import LocalHub
from tests.backends.embedded.test_keeping import FILES, SD15, no_sleep
from tests.discord_server import DiscordServer, Interaction
from tests.discord_server.user import User
from tests.e2e.conftest import StartEasel
from tests.fakes import FakeBackend


@pytest.fixture
def boss(discord: DiscordServer) -> User:
    return discord.user("boss")


async def tell(discord: DiscordServer, who: User, command: str, **options: str) -> Interaction:
    done = await who.slash(discord.channel, f"engine {command}", **options)
    await discord.wait_for(lambda: done.original and not done.original.loading)
    return done


async def test_a_model_is_fetched_by_who_agrees_to_its_licence_and_deleted(
    discord: DiscordServer, start: StartEasel, boss: User, tmp_path: Path
) -> None:
    easel = await start(FakeBackend("gpu"), admins=(boss.id,))
    async with LocalHub(FILES).run() as hub:
        cache = tmp_path / "hub"
        keeper = ModelKeeper(
            ModelHub(hub.url, sleep=no_sleep), cache, lambda: look_for_models((), cache),
            lambda: OwnMachine(memory_mb=30_000),
        )  # fmt: skip
        easel.now.easel.services.models._make_keeper = lambda: keeper
        listed = (await tell(discord, boss, "models")).original.content
        assert f"▫️ `sd15` Stable Diffusion 1.5 · 2.8 GB · {SD15.licence} · the processor can draw with it" in listed
        asked = await tell(discord, boss, "fetch", model="sd15")
        assert f"Licence: {SD15.licence}, <https://" in asked.original.content
        assert len(hub.requests) == 1
        mia = discord.user("mia")
        refused = await tell(discord, mia, "fetch", model="sd15")
        assert "Only admins of this bot" in refused.original.content
        await boss.click(asked.original, "I agree: fetch it")
        await discord.wait_for(lambda: "✅ sd15 is here." in asked.original.content)
        assert "✔ `sd15`" in (await tell(discord, boss, "models")).original.content
        assert "GB are free again" in (await tell(discord, boss, "delete", model="sd15")).original.content
        audit = await boss.slash(discord.channel, "audit")
        await discord.wait_for(lambda: audit.original and "changed the models: `sd15`" in audit.original.content)
        await easel.now.easel.services.models.aclose()


async def test_who_is_no_admin_hears_of_no_model(discord: DiscordServer, start: StartEasel) -> None:
    await start(FakeBackend("gpu"))
    for command, options in (("models", {}), ("fetch", {"model": "sd15"}), ("delete", {"model": "sd15"})):
        done = await tell(discord, discord.user("mia"), command, **options)
        assert "Only admins of this bot" in done.original.content
